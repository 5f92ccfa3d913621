/* SPDX-License-Identifier: Apache-2.0 */
/* authzen_both - one question read the quick way and the general way, each from the text on. For the test and the fuzzer. */
#ifndef MANDATE_TESTS_AUTHZEN_BOTH_H
#define MANDATE_TESTS_AUTHZEN_BOTH_H

#include "connectors/http/authzen_int.h"
#include "connectors/json/json_plain.h"

/* What differs, or NULL; *taken: the quick way took it. */
static inline const char *authzen_both(arena *a, mandate_slice text, bool *taken)
{
    authzen_question quick = {.check = {.params = cel_null()}}, general = quick;
    const service_check *q = &quick.check, *g = &general.check;
    cel_value body, slow;
    mandate_error err = {0};

    *taken = json_plain_parse_borrowed(&body, a, text) && authzen_read_plain(&quick, a, body);
    if (!*taken)
        return NULL;
    if (json_general_parse(&slow, a, text, &err) || authzen_read(&general, a, slow, cel_null(), &err))
        return "taken, but the general way refuses it";
    if (!mandate_slice_eq(q->subject_type, g->subject_type) || !mandate_slice_eq(q->subject_id, g->subject_id))
        return "another subject";
    if (!mandate_slice_eq(q->action, g->action) || !mandate_slice_eq(q->resource, g->resource))
        return "another action or resource";
    if (!mandate_slice_eq(q->mandate, g->mandate) || g->mandate_count || general.at_least_count)
        return "another context";
    if (general.digest.len || general.idempotency_key.len || q->params.kind != g->params.kind ||
        (g->params.kind != CEL_NULL && !cel_equal(q->params, g->params)))
        return "other parameters";
    if (q->properties.kind != g->properties.kind || !cel_equal(q->properties, g->properties))
        return "other properties of the resource";
    if (q->context.kind != g->context.kind || !cel_equal(q->context, g->context))
        return "another context";
    return NULL;
}

#endif

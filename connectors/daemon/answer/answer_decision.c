/* SPDX-License-Identifier: Apache-2.0 */
/* answer_decision - decisions as JSON, on the engine's thread. A list is in order of age, bounded like the others. */
#include "connectors/daemon/answer/answer.h"
#include "connectors/daemon/answer/decision_json.h"

#include <stdio.h>
#include <stdlib.h>

static mandate_status unknown(mandate_slice id, mandate_error *err)
{
    return mandate_error_set(err, MANDATE_NOT_FOUND, "there is no decision %.*s", (int)(id.len < 200 ? id.len : 200),
                             id.ptr);
}

mandate_status answer_decision(answerer *a, service_request *r)
{
    uint32_t handle = engine_decision_find(a->engine, r->mandate);

    if (handle == UINT32_MAX)
        return unknown(r->mandate, &r->error);
    mandate_status status = decision_json(&r->body, engine_decision_get(a->engine, handle), &a->memory, &r->error);
    buf_put_char(&r->body, '}');
    return status;
}

static bool older(const decision_record *a, const decision_record *b)
{
    return a->opened_seq != b->opened_seq ? a->opened_seq < b->opened_seq : a->opened_input < b->opened_input;
}

static int by_age(const void *x, const void *y)
{
    const decision_record *a = *(const decision_record *const *)x, *b = *(const decision_record *const *)y;
    return older(a, b) ? -1 : older(b, a);
}

/* Those that are asked for and younger than `after`, by age; there are never more than LIMIT_DECISIONS. */
static uint32_t collect(answerer *a, service_request *r, const decision_record *after, const decision_record **out)
{
    uint32_t count = 0;

    for (uint32_t i = engine_decision_next(a->engine, 0); i != UINT32_MAX; i = engine_decision_next(a->engine, i + 1)) {
        const decision_record *d = engine_decision_get(a->engine, i);
        if ((r->decision_state == DECISION_STATE_COUNT || d->state == r->decision_state) && (!after || older(after, d)) &&
            judge_may_decide(&a->judge, r, d, engine_now_us(a->engine)))
            out[count++] = d;
    }
    qsort(out, count, sizeof(*out), by_age);
    return count;
}

mandate_status answer_decisions(answerer *a, service_request *r)
{
    uint32_t limit = r->limit && r->limit < ANSWER_LIST_MAX ? r->limit : ANSWER_LIST_MAX;
    const decision_record **found = ARENA_ARRAY(&a->memory, const decision_record *, LIMIT_DECISIONS);
    const decision_record *after = NULL;
    mandate_status status = MANDATE_OK;

    if (!found)
        return mandate_error_set(&r->error, MANDATE_NOMEM, "out of memory for the answer");
    if (r->after.len) {
        uint32_t handle = engine_decision_find(a->engine, r->after);
        after = handle == UINT32_MAX ? NULL : engine_decision_get(a->engine, handle);
        if (!after || !judge_may_decide(&a->judge, r, after, engine_now_us(a->engine)))
            return mandate_error_set(&r->error, MANDATE_INVALID, "`after` names no decision; use `next` of the page before");
    }
    uint32_t count = collect(a, r, after, found);
    buf_put_str(&r->body, "{\"decisions\":[");
    for (uint32_t i = 0; status == MANDATE_OK && i < count && i < limit; i++) {
        if (i)
            buf_put_char(&r->body, ',');
        status = decision_json(&r->body, found[i], &a->memory, &r->error);
        buf_put_char(&r->body, '}');
    }
    buf_put_str(&r->body, "],\"next\":");
    if (count > limit)
        buf_put_json_string(&r->body, found[limit - 1]->id);
    else
        buf_put_str(&r->body, "null");
    buf_put_char(&r->body, '}');
    return status;
}

/* The decision as it is; of a command that was carried out, what became of the mandate. */
mandate_status answer_decided(answerer *a, service_request *r, const engine_answer *answer)
{
    uint32_t handle = engine_decision_find(a->engine, answer->decision);

    if (handle == UINT32_MAX)
        return unknown(answer->decision, &r->error);
    snprintf(r->decision, sizeof(r->decision), "%.*s", MANDATE_SLICE_ARG(answer->decision));
    mandate_status status = decision_json(&r->body, engine_decision_get(a->engine, handle), &a->memory, &r->error);
    if (answer->state != STATE_NONE) {
        buf_put_str(&r->body, ",\"result\":{\"mandate\":");
        buf_put_json_string(&r->body, answer->mandate);
        buf_printf(&r->body, ",\"state\":\"%s\",\"version\":%u}", mandate_state_name(answer->state), answer->version);
    }
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mandates - /v1/mandates: issue, list.
 *
 * An id makes issuing safe to repeat: the same claims again are answered 200, other claims under it
 * 409. Without one the server names the mandate, and a repetition issues another.
 */
#include "connectors/http/request.h"
#include "connectors/json/claims_json.h"
#include "connectors/token/signable.h"
#include "engine/mandate/disclosure.h"

enum { LIST_DEFAULT = 100, LIST_MAX = 1000 };

void http_issued(http_request *r)
{
    buf location;
    buf_init(&location);
    buf_put_str(&location, "/v1/mandates/");
    http_put_escaped(&location, r->ask.claims->id);
    r->location = arena_dup(&r->a, buf_slice(&location));
    buf_deinit(&location);
    http_reply_take(r, r->ask.repeated ? 200 : 201, &r->ask.body);
}

static mandate_status read_claims(http_request *r, claims *c, mandate_error *err)
{
    mandate_status status = claims_from_json(c, &r->a, buf_slice(&r->body), err);
    if (status)
        return status;
    if (c->issuer.len == 0)
        c->issuer = arena_dup(&r->a, mandate_slice_str(http_options_of(r)->issuer));
    if (c->id.len == 0)
        c->id = http_new_mandate_id(&r->a);
    if (c->id.len == 0 || c->issuer.len == 0)
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "no name could be made for the mandate; give it an id");
    status = disclosure_default(c, NULL, http_options_of(r)->restricted, http_options_of(r)->restricted_count, &r->a, err);
    if (!status)
        status = claims_check(c, err);
    if (status || artifact_plainly_signable(c))
        return status;
    return artifact_check(c, err); /* what could not be signed must not exist */
}

void http_mandates_issue(http_request *r)
{
    mandate_error err;
    claims *c = ARENA_NEW(&r->a, claims);
    mandate_status status = c ? read_claims(r, c, &err) : mandate_error_set(&err, MANDATE_NOMEM, "out of memory");
    if (!status)
        status = http_principal(&r->ask.principal, r, &err);
    if (status) {
        http_fail(r, &err);
        return;
    }
    if (c->supersedes.len && http_authorise(r, POWER_SUPERSEDE, c->supersedes, c, &err)) {
        http_fail_code(r, http_code_denied(r, &err), &err);
        return;
    }
    /* What names a parent is a part of it. */
    r->ask.power = c->parent.len ? POWER_DELEGATE : POWER_ISSUE;
    if (http_authorise(r, r->ask.power, c->parent, c, &err)) {
        http_fail_code(r, http_code_denied(r, &err), &err);
        return;
    }
    r->ask.kind = SERVICE_ISSUE;
    r->ask.claims = c;
    r->ask.mandate = c->id;
    http_submit(r, http_issued);
}

static void listed(http_request *r) { http_reply_take(r, 200, &r->ask.body); }

mandate_status http_limit(uint32_t *out, mandate_slice text, mandate_error *err)
{
    uint32_t v = 0;
    *out = LIST_DEFAULT;
    if (text.len == 0)
        return MANDATE_OK;
    for (size_t i = 0; i < text.len && v <= LIST_MAX; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            v = LIST_MAX;
        v = v * 10 + (uint32_t)(text.ptr[i] - '0');
    }
    if (v == 0 || v > LIST_MAX)
        return mandate_error_set(err, MANDATE_INVALID, "limit: expected a number from 1 to %d", LIST_MAX);
    *out = v;
    return MANDATE_OK;
}

static mandate_status read_state(mandate_state *out, mandate_slice text, mandate_error *err)
{
    *out = text.len ? mandate_state_parse(text) : STATE_NONE;
    if (text.len && *out == STATE_NONE)
        return mandate_error_set(err, MANDATE_INVALID,
                                 "state: expected active, suspended, completed, revoked, expired, "
                                 "cascaded or superseded");
    return MANDATE_OK;
}

void http_mandates_list(http_request *r)
{
    mandate_error err;
    service_request *ask = &r->ask;
    ask->kind = SERVICE_LIST;
    ask->agent = http_query_get(&r->query, "agent");
    ask->parent = http_query_get(&r->query, "parent");
    ask->after = http_query_get(&r->query, "after");
    if (read_state(&ask->state, http_query_get(&r->query, "state"), &err) ||
        http_limit(&ask->limit, http_query_get(&r->query, "limit"), &err)) {
        http_fail(r, &err);
        return;
    }
    http_submit(r, listed);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * define - POST /v1/mandates/lint and /backtest: what would be wrong with a mandate if it were issued, and what would have become
 * of it. Nothing is issued, and nothing asked of the engine. Claims that are no claims at all are 400; whatever else is wrong with them is a finding, in an answer of 200.
 */
#include "connectors/http/request.h"
#include "connectors/json/claims_json.h"

/* What the server would fill in. */
static void fill_in(http_request *r, claims *c, uint32_t number)
{
    if (c->issuer.len == 0)
        c->issuer = mandate_slice_str(http_options_of(r)->issuer);
    if (c->id.len == 0)
        c->id = number ? arena_printf(&r->a, "unnamed-%u", number) : mandate_slice_str("unnamed");
}

void http_mandates_lint(http_request *r)
{
    mandate_error err = {0};
    claims c;
    const service *s = http_service(r);
    mandate_status status = claims_from_json(&c, &r->a, buf_slice(&r->body), &err);
    if (!status)
        status = http_principal(&r->ask.principal, r, &err);
    if (!status) {
        fill_in(r, &c, 0);
        status = s->lint(s->ctx, &c, r->ask.principal, &r->a, &r->reply, &err);
    }
    if (status)
        http_fail(r, &err);
    else
        http_reply(r, 200, "application/json");
}

/* --- backtest ---------------------------------------------------------------------------------------------------- */
enum { BACKTEST_MANDATES_MAX = 64 };

static mandate_status read_backtest(http_request *r, mandate_error *err)
{
    static const char *const known[] = {"mandates", "from", "to"};
    cel_value body;
    mandate_status status = http_body_value(&body, r, err);
    if (!status && body.kind != CEL_MAP)
        status = mandate_error_set(err, MANDATE_INVALID, "expected {\"mandates\": [...], \"from\": time}, got %s",
                                   json_value_kind(body));
    if (!status)
        status = json_refuse_unknown(body, "the backtest", known, 3, err);
    if (status)
        return status;
    cel_value list = json_member(body, "mandates");
    service_backtest *b = &r->ask.backtest;
    b->from = json_member_text(body, "from");
    b->to = json_member_text(body, "to");
    if (list.kind != CEL_LIST || list.len == 0 || list.len > BACKTEST_MANDATES_MAX)
        return mandate_error_set(err, MANDATE_INVALID, "mandates: expected an array of 1 to %d mandates",
                                 BACKTEST_MANDATES_MAX);
    if (b->from.len == 0)
        return mandate_error_set(err, MANDATE_INVALID, "from: expected a time such as \"2026-09-21T14:13:21Z\"");
    claims *all = ARENA_ARRAY(&r->a, claims, list.len);
    for (uint32_t i = 0; all && !status && i < list.len; i++) {
        status = claims_from_value(&all[i], &r->a, list.items[i], err);
        if (!status)
            fill_in(r, &all[i], i + 1);
        if (status)
            mandate_error_prefix(err, status, "mandates[%u]", i);
    }
    b->mandates = all;
    b->count = list.len;
    return all ? status : mandate_error_set(err, MANDATE_NOMEM, "out of memory");
}

static void backtested(http_request *r) { http_reply_take(r, 200, &r->ask.body); }

void http_mandates_backtest(http_request *r)
{
    mandate_error err = {0};
    mandate_status status = read_backtest(r, &err);
    if (!status)
        status = http_principal(&r->ask.principal, r, &err);
    if (status) {
        http_fail(r, &err);
        return;
    }
    r->ask.kind = SERVICE_BACKTEST;
    http_submit(r, backtested);
}

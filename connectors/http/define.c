/* SPDX-License-Identifier: Apache-2.0 */
/*
 * define - POST /v1/mandates/lint: what would be wrong with a mandate if it were issued. Nothing is issued, and nothing asked of
 * the engine. Claims that are no claims at all are 400; whatever else is wrong with them is a finding, in an answer of 200.
 */
#include "connectors/http/request.h"
#include "connectors/json/claims_json.h"

void http_mandates_lint(http_request *r)
{
    mandate_error err = {0};
    claims c;
    const service *s = http_service(r);
    mandate_status status = claims_from_json(&c, &r->a, buf_slice(&r->body), &err);
    if (!status)
        status = http_principal(&r->ask.principal, r, &err);
    if (!status) {
        if (c.issuer.len == 0)
            c.issuer = mandate_slice_str(http_options_of(r)->issuer);
        if (c.id.len == 0)
            c.id = mandate_slice_str("unnamed");
        status = s->lint(s->ctx, &c, r->ask.principal, &r->a, &r->reply, &err);
    }
    if (status)
        http_fail(r, &err);
    else
        http_reply(r, 200, "application/json");
}

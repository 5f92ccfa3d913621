/* SPDX-License-Identifier: Apache-2.0 */
/*
 * delegate - /v1/mandates/{mandate}/delegate: a child from what the body says; what it leaves out is the parent's, and filled in
 * on the engine's thread. As with issuing, an id makes it safe to repeat.
 */
#include "connectors/http/request.h"
#include "connectors/json/claims_json.h"
#include "connectors/token/artifact.h"

mandate_status http_read_part(claims *out, http_request *r, cel_value object, mandate_error *err)
{
    mandate_status status = claims_part_from_value(out, &r->a, object, err);
    if (!status)
        status = claims_check_part(out, err);
    return status ? status : artifact_check(out, err); /* what could not be signed must not exist */
}

void http_default_rules(claims *part, http_request *r)
{
    if (part->given & CLAIMS_GIVEN(DISCLOSURE))
        return;
    part->disclosures = http_options_of(r)->restricted;
    part->disclosure_count = http_options_of(r)->restricted_count;
}

static mandate_status read_child(claims *c, http_request *r, mandate_error *err)
{
    cel_value body;
    mandate_status status = http_body_value(&body, r, err);
    if (!status)
        status = http_read_part(c, r, body, err);
    if (status)
        return status;
    if (!c->agent.len)
        return mandate_error_set(err, MANDATE_INVALID, "agent: is missing; to whom is it delegated?");
    if (!c->id.len)
        c->id = http_new_mandate_id(&r->a);
    c->given |= CLAIMS_GIVEN(ID);
    http_default_rules(c, r);
    if (!c->id.len)
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "no name could be made for the mandate; give it an id");
    return http_principal(&r->ask.principal, r, err);
}

void http_mandate_delegate(http_request *r)
{
    mandate_error err;
    claims *c = ARENA_NEW(&r->a, claims);
    mandate_status status = c ? read_child(c, r, &err) : mandate_error_set(&err, MANDATE_NOMEM, "out of memory");
    if (!status && c->supersedes.len)
        status = http_authorise(r, POWER_SUPERSEDE, c->supersedes, NULL, &err);
    if (status) {
        http_fail(r, &err);
        return;
    }
    r->ask.kind = SERVICE_DELEGATE;
    r->ask.mandate = r->params[0];
    r->ask.claims = c;
    http_submit(r, http_issued);
}

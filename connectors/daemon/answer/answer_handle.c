/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer_handle - what a handle stands for, by now: {"handle", "mandate", "member", "value", "version", "state"}.
 *
 * Mandates that have ended are kept, and so their handles go on resolving. One that we did not make, and one of a member that the mandate
 * does not have any more, are told apart from none by nobody.
 */
#include "connectors/daemon/answer/answer.h"

#include "connectors/token/handle.h"

static mandate_status unknown(mandate_error *err)
{
    return mandate_error_set(err, MANDATE_NOT_FOUND, "there is no such handle");
}

/* The mandate that it is a handle of, proved. */
static mandate_status find(answerer *a, const service_request *r, uint32_t *handle, claims_member *member, claims *c,
                           mandate_error *err)
{
    engine_mandate_view m;
    mandate_slice bytes, made;

    if (!a->signer || !handle_read(handle, member, r->id) || *handle >= engine_mandate_count(a->engine))
        return unknown(err);
    engine_mandate_get(a->engine, *handle, &m);
    mandate_status status = store_claims_load(a->store, &a->memory, m.id, &bytes, err);
    if (status == MANDATE_OK)
        status = claims_decode(c, &a->memory, bytes, err);
    if (status == MANDATE_OK)
        status = handle_make(&made, &a->memory, c, *handle, *member, &a->signer->secret, err);
    return status == MANDATE_OK && !handle_is(r->id, made) ? unknown(err) : status;
}

mandate_status answer_handle(answerer *a, service_request *r, int64_t now_us)
{
    buf *b = &r->body;
    engine_mandate_view m;
    disclosure_viewer who;
    claims_member member = MEMBER_COUNT;
    uint32_t handle = 0;
    claims c, seen;
    mandate_status status = find(a, r, &handle, &member, &c, &r->error);

    if (status == MANDATE_OK)
        status = answer_viewer(a, r, handle, &c, now_us, &who, &r->error);
    if (status == MANDATE_OK)
        status = disclosure_view(&seen, &c, &who, &a->memory, &r->error);
    if (status == MANDATE_OK && seen.hidden >> member & 1)
        status = mandate_error_set(&r->error, MANDATE_DENIED, "what this handle stands for is restricted to others");
    if (status != MANDATE_OK)
        return status;
    cel_value value = claims_member_value(&a->memory, &seen, member);
    if (value.kind == CEL_NULL)
        return unknown(&r->error);
    engine_mandate_get(a->engine, handle, &m);
    buf_put_str(b, "{\"handle\":");
    buf_put_json_string(b, r->id);
    buf_put_str(b, ",\"mandate\":");
    buf_put_json_string(b, m.id);
    buf_printf(b, ",\"member\":\"%s\",\"value\":", claims_member_name(member));
    cel_to_json(b, value);
    buf_printf(b, ",\"version\":%u,\"state\":\"%s\"}", m.version,
               mandate_state_name(engine_effective_state(a->engine, handle, now_us, NULL)));
    return MANDATE_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer_token - a mandate as the signed artifact, and the chain it needs to be verified without us.
 *
 * Only what may still be used is signed: a mandate that has ended, or whose ancestor has, is refused. One that is suspended
 * gets its token: whether it may act at this moment is not what a signature can say.
 */
#include "connectors/daemon/answer.h"

#include "connectors/daemon/status_lists.h"

static mandate_status load(answerer *a, claims *out, mandate_slice id, mandate_error *err)
{
    mandate_slice bytes;
    mandate_status status = store_claims_load(a->store, &a->memory, id, &bytes, err);

    return status == MANDATE_OK ? claims_decode(out, &a->memory, bytes, err) : status;
}

/* The handle is stored and never another mandate's: where a status stands is the same in all tokens of a mandate. */
static mandate_status put_token(answerer *a, buf *b, const claims *c, const claims *parent, mandate_error *err)
{
    uint32_t handle = engine_mandate_find(a->engine, c->id);

    if (handle == UINT32_MAX)
        return mandate_error_set(err, MANDATE_CORRUPT, "the mandate %.*s has claims and no state", MANDATE_SLICE_ARG(c->id));
    status_place place = status_place_of(&a->memory, c->issuer, handle);
    return signer_put_token(a->signer, b, c, parent, &place, err);
}

mandate_status answer_put_token(answerer *a, buf *b, uint32_t handle, mandate_error *err)
{
    engine_mandate_view m;
    claims own, parent;
    mandate_status status;

    if (!a->signer)
        return MANDATE_OK;
    engine_mandate_get(a->engine, handle, &m);
    status = load(a, &own, m.id, err);
    if (status == MANDATE_OK && own.parent.len)
        status = load(a, &parent, own.parent, err);
    buf_put_str(b, ",\"token\":\"");
    if (status == MANDATE_OK)
        status = put_token(a, b, &own, own.parent.len ? &parent : NULL, err);
    buf_put_char(b, '"');
    return status;
}

/* Claims from the mandate up to its root: own first. */
static mandate_status load_line(answerer *a, claims **out, uint32_t *count, mandate_slice id, mandate_error *err)
{
    claims *line = NULL;
    uint32_t n = 0, room = 0;

    while (id.len) {
        if (n > LIMIT_DELEGATION_DEPTH)
            return mandate_error_set(err, MANDATE_CORRUPT, "a mandate has more than %d ancestors", LIMIT_DELEGATION_DEPTH);
        if (n == room) {
            claims *larger = ARENA_ARRAY(&a->memory, claims, room = room ? room * 2 : 8);
            if (!larger)
                return mandate_error_set(err, MANDATE_NOMEM, "out of memory for a chain");
            if (n)
                memcpy(larger, line, n * sizeof(*line));
            line = larger;
        }
        mandate_status status = load(a, &line[n], id, err);
        if (status != MANDATE_OK)
            return status;
        id = line[n++].parent;
    }
    *out = line;
    *count = n;
    return MANDATE_OK;
}

static mandate_status put_chain(answerer *a, buf *b, mandate_slice id, mandate_error *err)
{
    claims *line = NULL;
    uint32_t count = 0;
    size_t last = 0;
    mandate_status status = load_line(a, &line, &count, id, err);

    buf_put_str(b, "\"chain\":[");
    for (uint32_t i = count; status == MANDATE_OK && i-- > 0;) {
        buf_put_str(b, i + 1 < count ? ",\"" : "\"");
        last = b->len;
        status = put_token(a, b, &line[i], i + 1 < count ? &line[i + 1] : NULL, err);
        buf_put_char(b, '"');
    }
    if (status != MANDATE_OK)
        return status;
    mandate_slice own = arena_dup(&a->memory, mandate_slice_of(b->data + last, b->len - 1 - last));
    buf_put_str(b, "],\"token\":\"");
    buf_put_slice(b, own);
    buf_put_char(b, '"');
    return MANDATE_OK;
}

mandate_status answer_chain(answerer *a, service_request *r, int64_t now_us)
{
    uint32_t handle = engine_mandate_find(a->engine, r->mandate);

    if (handle == UINT32_MAX)
        return answer_unknown(r->mandate, &r->error);
    if (!a->signer)
        return mandate_error_set(&r->error, MANDATE_UNSUPPORTED, "this server signs no mandates");
    mandate_state state = engine_effective_state(a->engine, handle, now_us, NULL);
    if (mandate_state_is_final(state))
        return mandate_error_set(&r->error, MANDATE_CONFLICT, "the mandate is %s: what has ended is not signed any more",
                                 mandate_state_name(state));
    buf_put_str(&r->body, "{\"mandate\":");
    buf_put_json_string(&r->body, r->mandate);
    buf_put_char(&r->body, ',');
    mandate_status status = put_chain(a, &r->body, r->mandate, &r->error);
    buf_put_char(&r->body, '}');
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer_list - a page of the mandates that somebody may see. Bounded in what it looks at, so that no query holds up the engine for long: a
 * page may be short and have a next.
 *
 * Where the next one begins is a place among all mandates in order of their issue ("@1234"), and no mandate's id: the one that was looked at
 * last need not be one that the caller may know of. It stays good across restarts. `after` takes an id too, of a mandate that the caller may
 * see; of any other it says what it says of one that is not there.
 */
#include "connectors/daemon/answer/answer.h"

#include "engine/base/text.h"

typedef struct listing {
    service_request *r;
    uint32_t items, items_max, loads;
    int64_t now_us;
} listing;

static mandate_status list_one(answerer *a, listing *l, uint32_t handle, mandate_error *err)
{
    engine_mandate_view m;
    mandate_slice bytes;
    claims c;

    engine_mandate_get(a->engine, handle, &m);
    mandate_state state = engine_effective_state(a->engine, handle, l->now_us, NULL);
    if ((l->r->state != STATE_NONE && state != l->r->state) ||
        (l->r->parent.len && !mandate_slice_eq(m.parent, l->r->parent)))
        return MANDATE_OK;
    l->loads++;
    arena_reset(&a->memory);
    mandate_status status = store_claims_load(a->store, &a->memory, m.id, &bytes, err);
    if (status == MANDATE_OK)
        status = claims_decode(&c, &a->memory, bytes, err);
    if (status != MANDATE_OK || (l->r->agent.len && !mandate_slice_eq(c.agent, l->r->agent)) ||
        !judge_may_read(&a->judge, l->r, &c, state, m.version))
        return status;
    buf *b = &l->r->body;
    buf_put_str(b, l->items++ ? ",{\"id\":" : "{\"id\":");
    buf_put_json_string(b, m.id);
    buf_printf(b, ",\"state\":\"%s\",\"version\":%u,\"agent\":", mandate_state_name(state), m.version);
    buf_put_json_string(b, c.agent);
    buf_put_str(b, ",\"parent\":");
    if (m.parent.len)
        buf_put_json_string(b, m.parent);
    else
        buf_put_str(b, "null");
    char text[TIME_TEXT_MAX];
    buf_put_str(b, ",\"expires_at\":");
    buf_put_json_string(b, mandate_slice_of(text, time_format_us(text, m.expires_at_us)));
    buf_put_char(b, '}');
    return MANDATE_OK;
}

/* "@" and digits. False: something else. */
static bool read_place(mandate_slice after, uint32_t *out)
{
    uint64_t place = 0;

    if (after.len < 2 || after.len > 11 || after.ptr[0] != '@')
        return false;
    for (size_t i = 1; i < after.len; i++) {
        if (after.ptr[i] < '0' || after.ptr[i] > '9')
            return false;
        place = place * 10 + (uint64_t)(after.ptr[i] - '0');
    }
    *out = place > UINT32_MAX ? UINT32_MAX : (uint32_t)place;
    return true;
}

static bool may_see(answerer *a, const service_request *r, uint32_t handle, int64_t now_us)
{
    engine_mandate_view m;
    mandate_slice bytes;
    claims c;

    engine_mandate_get(a->engine, handle, &m);
    return store_claims_load(a->store, &a->memory, m.id, &bytes, NULL) == MANDATE_OK &&
           claims_decode(&c, &a->memory, bytes, NULL) == MANDATE_OK &&
           judge_may_read(&a->judge, r, &c, engine_effective_state(a->engine, handle, now_us, NULL), m.version);
}

static mandate_status begin_at(answerer *a, service_request *r, int64_t now_us, uint32_t *out)
{
    *out = 0;
    if (!r->after.len || read_place(r->after, out))
        return MANDATE_OK;
    uint32_t handle = engine_mandate_find(a->engine, r->after);
    if (handle == UINT32_MAX || !may_see(a, r, handle, now_us))
        return mandate_error_set(&r->error, MANDATE_INVALID, "`after` names no mandate; use `next` of the page before");
    *out = handle + 1;
    return MANDATE_OK;
}

mandate_status answer_list(answerer *a, service_request *r, int64_t now_us)
{
    listing l = {.r = r, .now_us = now_us, .items_max = r->limit && r->limit < ANSWER_LIST_MAX ? r->limit : ANSWER_LIST_MAX};
    uint32_t handle, count = engine_mandate_count(a->engine), visits = 0;
    mandate_status status = begin_at(a, r, now_us, &handle);

    if (status != MANDATE_OK)
        return status;
    buf_put_str(&r->body, "{\"mandates\":[");
    for (; status == MANDATE_OK && handle < count; handle++) {
        if (l.items >= l.items_max || l.loads >= ANSWER_LIST_LOADS || visits++ >= ANSWER_LIST_VISITS)
            break;
        status = list_one(a, &l, handle, &r->error);
    }
    if (handle < count)
        buf_printf(&r->body, "],\"next\":\"@%u\"}", handle);
    else
        buf_put_str(&r->body, "],\"next\":null}");
    return status;
}

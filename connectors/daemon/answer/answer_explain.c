/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer_explain - why a mandate is in its state: what each clause is worth (engine_explain), and
 *
 *   ,"transition": {...}      the last one, with its evidence: who or which event, when, under which clause, what falls with it, and what
 *                             was known of work in flight
 *   ,"in_flight": {...}       of one that goes on: what would be said of work under it if it ended now
 *   ,"checks": [...]          of one that has ended: the last that were permitted and recorded before that, oldest first: work that was
 *                             begun on a yes
 *   ,"amendments": [...]      the newest first
 *   ,"beyond_horizon": {...}  which of these would have more of before the history begins, and when that is
 */
#include "connectors/daemon/answer/answer.h"

#include "connectors/json/json_value.h"
#include "connectors/kafka/revocation.h"
#include "engine/base/text.h"
#include "graph/audit.h"

#define MINUTE_US (INT64_C(60) * 1000000)

static void put_time(buf *b, int64_t us)
{
    char text[TIME_TEXT_MAX];

    buf_put_json_string(b, mandate_slice_of(text, time_format_us(text, us)));
}

/* ,"beyond_horizon":{...}: there was more, and it is no longer kept. */
static mandate_status put_horizon(answerer *a, buf *b, mandate_error *err)
{
    uint64_t seq;
    int64_t at_us;
    mandate_status status = store_history_begin(a->store, &seq, &at_us, err);
    if (status != MANDATE_OK)
        return status;
    buf_printf(b,
               ",\"beyond_horizon\":{\"members\":[\"amendments\"],\"before_seq\":%llu,\"before\":", (unsigned long long)seq);
    put_time(b, at_us);
    buf_put_char(b, '}');
    return MANDATE_OK;
}

/* ,"amendments":[...]: the newest first, found each by the one after it. */
static mandate_status put_amendments(answerer *a, buf *b, mandate_slice id, uint32_t version, const disclosure_viewer *who,
                                     mandate_error *err)
{
    mandate_status status = MANDATE_OK;
    bool trimmed = false;
    transition t, seen;
    transition_names names;

    buf_put_str(b, ",\"amendments\":[");
    for (int n = 0; version && n < ANSWER_AMENDMENTS; n++, version = t.amended_before) {
        arena_reset(&a->memory);
        status = store_transition_get(a->store, id, version, &a->scratch, err);
        if (status == MANDATE_NOT_FOUND) { /* beyond the horizon, of one that has ended */
            *err = (mandate_error){0};
            trimmed = true;
            break;
        }
        if (status == MANDATE_OK)
            status = transition_decode(&t, &names, &a->memory, buf_slice(&a->scratch), err);
        if (status != MANDATE_OK)
            return status;
        buf_printf(b, "%s{\"version\":%u,\"at\":", n ? "," : "", t.version);
        put_time(b, t.committed_at_us);
        buf_put_str(b, ",\"principal\":");
        buf_put_json_string(b, t.principal);
        buf_put_str(b, ",\"note\":");
        buf_put_json_string(b, t.note);
        buf_put_str(b, ",\"changes\":");
        transition_view(&seen, &t, who, &a->memory);
        cel_to_json(b, seen.changes);
        buf_put_char(b, '}');
    }
    buf_put_char(b, ']');
    return trimmed ? put_horizon(a, b, err) : MANDATE_OK;
}

/* --- checks -------------------------------------------------------------------------------------------------------- */
typedef struct found_checks {
    answerer *a;
    arena scratch; /* of one entry: they are long, and only what is kept of them stays */
    uint64_t end;  /* index of the entry of the end */
    mandate_slice ring[ANSWER_CHECKS];
    uint32_t count;
} found_checks;

/* {"index","time","action","resource"} of an entry "checked" that permits. */
static mandate_slice check_of(answerer *a, arena *scratch, mandate_slice entry)
{
    cel_value e, detail;
    buf b;

    if (!memmem(entry.ptr, entry.len < 192 ? entry.len : 192, "\"event\":\"checked\"", 17) ||
        json_value_parse(&e, scratch, entry, 0, NULL) != MANDATE_OK)
        return mandate_slice_of(NULL, 0);
    detail = json_member(e, "detail");
    cel_value decision = json_member(json_member(detail, "answer"), "decision");
    if (decision.kind != CEL_BOOL || !decision.b)
        return mandate_slice_of(NULL, 0);
    buf_init(&b);
    buf_printf(&b, "{\"index\":%lld,\"time\":", (long long)json_member_int(e, "index", 0));
    buf_put_json_string(&b, json_member_text(e, "time"));
    buf_put_str(&b, ",\"action\":");
    buf_put_json_string(&b, json_member_text(detail, "action"));
    buf_put_str(&b, ",\"resource\":");
    buf_put_json_string(&b, json_member_text(detail, "resource"));
    buf_put_char(&b, '}');
    mandate_slice out = b.failed ? mandate_slice_of(NULL, 0) : arena_dup(&a->memory, buf_slice(&b));
    buf_deinit(&b);
    return out;
}

static bool see_entry(void *ctx, uint64_t index, mandate_slice entry)
{
    found_checks *f = ctx;

    if (index >= f->end)
        return false;
    arena_reset(&f->scratch);
    mandate_slice one = check_of(f->a, &f->scratch, entry);
    if (one.len)
        f->ring[f->count++ % ANSWER_CHECKS] = one;
    return true;
}

static mandate_status put_checks(answerer *a, buf *b, const transition *t, mandate_error *err)
{
    found_checks f = {.a = a};
    uint64_t from = 0;
    arena_init(&f.scratch, 0);
    mandate_status status = store_audit_after(a->store, t->seq - 1, &f.end, err);

    if (status == MANDATE_OK)
        status = store_audit_at(a->store, t->committed_at_us - ANSWER_CHECKS_MINUTES * MINUTE_US, &from, err);
    if (status == MANDATE_OK && f.end > ANSWER_CHECKS_LOOKED && from < f.end - ANSWER_CHECKS_LOOKED)
        from = f.end - ANSWER_CHECKS_LOOKED;
    if (status == MANDATE_OK && from < f.end)
        status = store_audit_of(a->store, t->mandate, from, see_entry, &f, err);
    arena_deinit(&f.scratch);
    if (status != MANDATE_OK)
        return status;
    uint32_t kept = f.count < ANSWER_CHECKS ? f.count : ANSWER_CHECKS;
    buf_put_str(b, ",\"checks\":[");
    for (uint32_t i = 0; i < kept; i++) {
        buf_put_str(b, i ? "," : "");
        buf_put_slice(b, f.ring[(f.count - kept + i) % ANSWER_CHECKS]);
    }
    buf_put_char(b, ']');
    return MANDATE_OK;
}

/* ,"in_flight":{...}: as the record would say if it ended now. */
static mandate_status put_in_flight(answerer *a, service_request *r)
{
    cel_value known;
    mandate_status status =
        engine_in_flight(a->engine, engine_mandate_find(a->engine, r->mandate), &a->memory, &known, &r->error);
    if (status != MANDATE_OK || known.kind == CEL_NULL)
        return status;
    buf_put_str(&r->body, ",\"in_flight\":");
    cel_to_json(&r->body, known);
    return MANDATE_OK;
}

/* --- all of it ------------------------------------------------------------------------------------------------------ */
static mandate_status put_last(answerer *a, service_request *r)
{
    transition t, seen;
    transition_names names;
    mandate_status status = store_transition_get(a->store, r->mandate, 0, &a->scratch, &r->error);

    if (status == MANDATE_OK)
        status = transition_decode(&t, &names, &a->memory, buf_slice(&a->scratch), &r->error);
    if (status != MANDATE_OK)
        return status;
    buf_put_str(&r->body, ",\"transition\":");
    transition_view(&seen, &t, &r->viewer, &a->memory);
    status = revocation_json(&r->body, &seen, &names, &r->error);
    /* What was asked names actions and resources. */
    if (status || seen.hidden & (CLAIMS_GIVEN(ACTIONS) | CLAIMS_GIVEN(RESOURCES)))
        return status;
    return mandate_state_is_final(t.state) ? put_checks(a, &r->body, &t, &r->error) : put_in_flight(a, r);
}

mandate_status answer_explain(answerer *a, service_request *r, int64_t now_us)
{
    uint32_t handle = engine_mandate_find(a->engine, r->mandate);
    engine_mandate_view m;
    mandate_slice stored;
    claims c;

    if (handle == UINT32_MAX)
        return answer_unknown(r->mandate, &r->error);
    mandate_status status = store_claims_load(a->store, &a->memory, r->mandate, &stored, &r->error);
    if (status == MANDATE_OK)
        status = claims_decode(&c, &a->memory, stored, &r->error);
    if (status == MANDATE_OK)
        status = answer_viewer(a, r, handle, &c, now_us, &r->viewer, &r->error);
    if (status == MANDATE_OK)
        status = engine_explain(a->engine, r->mandate, &r->viewer, &r->body, &r->error);
    if (status != MANDATE_OK || !r->body.len)
        return status;
    engine_mandate_get(a->engine, handle, &m);
    r->body.len--; /* the closing brace */
    status = put_last(a, r);
    if (status == MANDATE_OK && m.amended_at)
        status = put_amendments(a, &r->body, r->mandate, m.amended_at, &r->viewer, &r->error);
    buf_put_char(&r->body, '}');
    return status;
}

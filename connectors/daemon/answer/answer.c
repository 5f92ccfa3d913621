/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer - see answer.h.
 */
#include "connectors/daemon/answer/answer.h"

#include "connectors/daemon/keys/claims_seen.h"
#include "connectors/json/claims_json.h"
#include "connectors/kafka/revocation.h"
#include "engine/base/text.h"

void answerer_init(answerer *a, engine *e, store *st, const signer *s, finish *f)
{
    *a = (answerer){.judge = {NULL, e, st}, .engine = e, .store = st, .signer = s, .finish = f};
    arena_init(&a->memory, 0);
    buf_init(&a->scratch);
}

void answerer_deinit(answerer *a)
{
    arena_deinit(&a->memory);
    buf_deinit(&a->scratch);
}

static void put_time(buf *b, int64_t us)
{
    char text[TIME_TEXT_MAX];

    buf_put_json_string(b, mandate_slice_of(text, time_format_us(text, us)));
}

/* A transition, and whose eyes it is told to. */
typedef struct told {
    transition t;
    transition_names names;
    disclosure_viewer who;
} told;

/* The last one. `made`: of the step that is being answered; it is taken when it is that and nothing of it has a name in the schema. */
static mandate_status load_last(answerer *a, told *out, const engine_mandate_view *m, const transition *made,
                                mandate_error *err)
{
    out->names = (transition_names){0};
    if (made && made->version == m->version && mandate_slice_eq(made->mandate, m->id) && made->cause == CAUSE_COMMAND &&
        !made->term_count) {
        out->t = *made;
        return MANDATE_OK;
    }
    mandate_status status = store_transition_get(a->store, m->id, 0, &a->scratch, err);
    return status == MANDATE_OK ? transition_decode(&out->t, &out->names, &a->memory, buf_slice(&a->scratch), err) : status;
}

static mandate_status put_transition(answerer *a, buf *b, const told *l, mandate_error *err)
{
    transition seen;

    if (!l->t.disclosure_count)
        return revocation_json(b, &l->t, &l->names, err);
    transition_view(&seen, &l->t, &l->who, &a->memory);
    return revocation_json(b, &seen, &l->names, err);
}

static mandate_status load_claims(answerer *a, claims *out, mandate_slice id, mandate_error *err)
{
    mandate_slice bytes;
    mandate_status status = store_claims_load(a->store, &a->memory, id, &bytes, err);

    return status == MANDATE_OK ? claims_decode(out, &a->memory, bytes, err) : status;
}

/* What stands behind the claims, without the closing brace. */
static mandate_status put_standing(answerer *a, buf *b, uint32_t handle, const told *l, int64_t now_us, mandate_error *err)
{
    engine_mandate_view m, why;
    uint32_t because = UINT32_MAX;

    engine_mandate_get(a->engine, handle, &m);
    mandate_state state = engine_effective_state(a->engine, handle, now_us, &because);
    buf_put_str(b, ",\"state\":\"");
    buf_put_str(b, mandate_state_name(state));
    buf_put_str(b, "\",\"version\":");
    buf_put_u64(b, m.version);
    buf_put_str(b, ",\"because\":");
    if (because != UINT32_MAX && because != handle) {
        engine_mandate_get(a->engine, because, &why);
        buf_put_json_string(b, why.id);
    } else {
        buf_put_str(b, "null");
    }
    buf_put_str(b, ",\"expires_at\":");
    put_time(b, m.expires_at_us);
    buf_put_str(b, ",\"transition\":");
    return put_transition(a, b, l, err);
}

/* The resource as who asks may see it, without the closing brace. */
static mandate_status put_mandate(answerer *a, const service_request *r, buf *b, uint32_t handle, const transition *made,
                                  int64_t now_us, mandate_error *err)
{
    told l = {.who = {.all = true}};
    engine_mandate_view m;
    claims c;

    engine_mandate_get(a->engine, handle, &m);
    mandate_status status = load_last(a, &l, &m, made, err);
    if (status == MANDATE_OK)
        status = load_claims(a, &c, m.id, err);
    if (status == MANDATE_OK && (c.disclosure_count || l.t.disclosure_count))
        status = answer_viewer(a, r, handle, &c, now_us, &l.who, err);
    buf_put_char(b, '{');
    if (status == MANDATE_OK)
        status = claims_seen_put(b, &a->memory, a->signer, handle, &c, &l.who, err);
    return status == MANDATE_OK ? put_standing(a, b, handle, &l, now_us, err) : status;
}

mandate_status answer_unknown(mandate_slice id, mandate_error *err)
{
    return mandate_error_set(err, MANDATE_NOT_FOUND, "there is no mandate %.*s", (int)(id.len < 200 ? id.len : 200), id.ptr);
}

static mandate_status get(answerer *a, service_request *r, int64_t now_us)
{
    uint32_t handle = engine_mandate_find(a->engine, r->mandate);

    if (handle == UINT32_MAX)
        return answer_unknown(r->mandate, &r->error);
    mandate_status status = put_mandate(a, r, &r->body, handle, NULL, now_us, &r->error);
    buf_put_char(&r->body, '}');
    return status;
}

/* --- watches ----------------------------------------------------------------------------------------------------- */
static mandate_status unknown_watch(mandate_slice id, mandate_error *err)
{
    return mandate_error_set(err, MANDATE_NOT_FOUND, "there is no watch %.*s", (int)(id.len < 200 ? id.len : 200), id.ptr);
}

/* Without the closing brace. */
static void put_watch(answerer *a, buf *b, uint32_t handle)
{
    engine_watch_view w;

    engine_watch_get(a->engine, handle, &w);
    buf_put_str(b, "{\"id\":");
    buf_put_json_string(b, w.id);
    buf_put_str(b, ",\"condition\":");
    buf_put_json_string(b, w.condition);
    buf_printf(b, ",\"value\":\"%s\",\"version\":%u,\"principal\":", condition_truth_names[w.value], w.version);
    buf_put_json_string(b, w.principal);
    buf_put_str(b, ",\"created_at\":");
    put_time(b, w.created_at_us);
    buf_put_str(b, ",\"changed_at\":");
    put_time(b, w.changed_at_us);
}

static mandate_status watch_get(answerer *a, service_request *r)
{
    uint32_t handle = engine_watch_find(a->engine, r->mandate);

    if (handle == UINT32_MAX)
        return unknown_watch(r->mandate, &r->error);
    put_watch(a, &r->body, handle);
    buf_put_char(&r->body, '}');
    return MANDATE_OK;
}

static mandate_status watch_list(answerer *a, service_request *r)
{
    uint32_t handle = 0, items = 0, limit = r->limit && r->limit < ANSWER_LIST_MAX ? r->limit : ANSWER_LIST_MAX;
    engine_watch_view last = {0};

    if (r->after.len) {
        handle = engine_watch_find(a->engine, r->after);
        if (handle == UINT32_MAX)
            return mandate_error_set(&r->error, MANDATE_INVALID, "`after` names no watch; use `next` of the page before");
        handle++;
    }
    buf_put_str(&r->body, "{\"watches\":[");
    handle = engine_watch_next(a->engine, handle);
    for (; handle != UINT32_MAX && items < limit; handle = engine_watch_next(a->engine, handle + 1)) {
        if (items++)
            buf_put_char(&r->body, ',');
        put_watch(a, &r->body, handle);
        buf_put_char(&r->body, '}');
        engine_watch_get(a->engine, handle, &last);
    }
    buf_put_str(&r->body, "],\"next\":");
    if (handle != UINT32_MAX)
        buf_put_json_string(&r->body, last.id);
    else
        buf_put_str(&r->body, "null");
    buf_put_char(&r->body, '}');
    return MANDATE_OK;
}

void answer_past_viewer(answerer *a, service_request *r, int64_t now_us)
{
    uint32_t handle = engine_mandate_find(a->engine, r->mandate);
    claims c;

    r->viewer = (disclosure_viewer){.all = false};
    arena_reset(&a->memory);
    if (handle == UINT32_MAX || load_claims(a, &c, r->mandate, NULL) != MANDATE_OK ||
        answer_viewer(a, r, handle, &c, now_us, &r->viewer, NULL) != MANDATE_OK)
        r->viewer = (disclosure_viewer){.all = false};
}

/* --- the two ways in ---------------------------------------------------------------------------------------------- */
static void settle(service_request *r, mandate_status status)
{
    if (status == MANDATE_OK && r->body.failed)
        status = mandate_error_set(&r->error, MANDATE_NOMEM, "out of memory for the answer");
    if (status == MANDATE_OK)
        r->error = (mandate_error){.status = MANDATE_OK};
    else
        buf_reset(&r->body);
}

void answer_query(answerer *a, service_request *r, int64_t now_us)
{
    mandate_status status = MANDATE_OK;

    arena_reset(&a->memory);
    buf_reset(&r->body);
    switch (r->kind) {
    case SERVICE_GET:
        status = get(a, r, now_us);
        break;
    case SERVICE_LIST:
        status = answer_list(a, r, now_us);
        break;
    case SERVICE_EXPLAIN:
        status = answer_explain(a, r, now_us);
        break;
    case SERVICE_ENTITY:
        status = engine_entity_json(a->engine, r->type, r->id, &r->body, &r->error);
        break;
    case SERVICE_TOKEN:
        status = answer_chain(a, r, now_us);
        break;
    case SERVICE_HANDLE:
        status = answer_handle(a, r, now_us);
        break;
    case SERVICE_WATCH_GET:
        status = watch_get(a, r);
        break;
    case SERVICE_WATCH_LIST:
        status = watch_list(a, r);
        break;
    case SERVICE_DECISION_GET:
        status = answer_decision(a, r);
        break;
    case SERVICE_DECISION_LIST:
        status = answer_decisions(a, r);
        break;
    default:
        status = mandate_error_set(&r->error, MANDATE_UNSUPPORTED, "not a query");
        break;
    }
    settle(r, status);
}

static void put_unobservable(buf *b, const engine_answer *answer)
{
    buf_put_str(b, ",\"unobservable\":[");
    for (uint32_t i = 0; i < answer->unobservable_count; i++) {
        if (i)
            buf_put_char(b, ',');
        buf_put_json_string(b, answer->unobservable[i]);
    }
    buf_put_char(b, ']');
}

/* The watch as it is, or that it is gone. (It may be gone again by a later command of the same step.) */
static mandate_status put_watch_command(answerer *a, service_request *r, const engine_answer *answer)
{
    uint32_t handle = engine_watch_find(a->engine, answer->mandate);

    if (r->kind == SERVICE_WATCH && handle != UINT32_MAX) {
        put_watch(a, &r->body, handle);
        put_unobservable(&r->body, answer);
        return MANDATE_OK;
    }
    if (r->kind == SERVICE_WATCH)
        return unknown_watch(answer->mandate, &r->error);
    buf_put_str(&r->body, "{\"id\":");
    buf_put_json_string(&r->body, answer->mandate);
    buf_printf(&r->body, ",\"removed\":true,\"value\":\"%s\",\"version\":%u", condition_truth_names[answer->truth],
               answer->version);
    return MANDATE_OK;
}

static void put_assertion(answerer *a, service_request *r)
{
    buf_put_str(&r->body, "{\"type\":");
    buf_put_json_string(&r->body, r->type);
    buf_put_str(&r->body, ",\"id\":");
    buf_put_json_string(&r->body, r->id);
    buf_put_str(&r->body, ",\"principal\":");
    buf_put_json_string(&r->body, r->principal);
    buf_printf(&r->body, ",\"seq\":%llu,\"leaf\":%llu", (unsigned long long)engine_seq(a->engine),
               (unsigned long long)a->leaf);
}

/* What is left of every budget that it draws on. */
static mandate_status put_spent(const service_request *r, buf *b, const engine_answer *answer)
{
    budget_amount least = answer->budget_count ? answer->budgets[0].left : (budget_amount){0, 0};

    buf_put_str(b, "{\"mandate\":");
    buf_put_json_string(b, answer->mandate);
    buf_put_str(b, ",\"name\":");
    buf_put_json_string(b, answer->budget);
    buf_put_str(b, ",\"amount\":");
    amount_put_json(b, answer->amount);
    buf_put_str(b, ",\"key\":");
    buf_put_json_string(b, r->key);
    buf_printf(b, ",\"repeated\":%s,\"budgets\":[", answer->repeated ? "true" : "false");
    for (uint32_t i = 0; i < answer->budget_count; i++) {
        const engine_budget *one = &answer->budgets[i];
        buf_put_str(b, i ? ",{\"mandate\":" : "{\"mandate\":");
        buf_put_json_string(b, one->mandate);
        buf_put_str(b, ",\"max\":");
        amount_put_json(b, one->max);
        buf_put_str(b, ",\"spent\":");
        amount_put_json(b, one->spent);
        buf_put_str(b, ",\"left\":");
        amount_put_json(b, one->left);
        buf_put_char(b, '}');
        least = amount_cmp(one->left, least) < 0 ? one->left : least;
    }
    buf_put_str(b, "],\"left\":");
    amount_put_json(b, least);
    return MANDATE_OK;
}

/* A mandate with a signed artifact: claims and token follow (finish.h), between what is written here and the closing brace. */
static bool comes_signed(const service_request *r, const engine_answer *answer)
{
    return (r->kind == SERVICE_ISSUE || r->kind == SERVICE_DELEGATE || r->kind == SERVICE_AMEND) && !answer->decision.len;
}

static void put_flags(const answerer *a, buf *b)
{
    if (!a->flags.len)
        return;
    buf_put_str(b, ",\"flags\":");
    buf_put_slice(b, a->flags);
}

static mandate_status put_signed(answerer *a, service_request *r, const engine_answer *answer, uint32_t handle,
                                 const transition *made, int64_t now_us)
{
    told l = {.who = {.all = true}};
    mandate_slice stored = engine_new_claims(a->engine, handle);
    engine_mandate_view m;

    engine_mandate_get(a->engine, handle, &m);
    mandate_status status = load_last(a, &l, &m, made, &r->error);
    if (status == MANDATE_OK && !stored.len)
        status = store_claims_load(a->store, &a->memory, m.id, &stored, &r->error);
    if (status == MANDATE_OK)
        status = answer_viewer_of(a, r, handle, stored, l.t.disclosure_count, now_us, &l.who, &r->error);
    if (status == MANDATE_OK)
        status = put_standing(a, &r->body, handle, &l, now_us, &r->error);
    if (status != MANDATE_OK)
        return status;
    put_flags(a, &r->body);
    put_unobservable(&r->body, answer);
    if (r->body.failed)
        return mandate_error_set(&r->error, MANDATE_NOMEM, "out of memory for the answer");
    status = answer_signed(a, r, handle, now_us, &r->error);
    if (status != MANDATE_OK) /* it is committed: who gets no token must not take it for refused */
        status = mandate_error_prefix(&r->error, status, "it was done, but is not signed; ask for its token later");
    return status;
}

static mandate_status put_command(answerer *a, service_request *r, const engine_answer *answer, const transition *made,
                                  int64_t now_us)
{
    if (r->kind == SERVICE_ASSERT) {
        put_assertion(a, r);
        return MANDATE_OK;
    }
    if (r->kind == SERVICE_LOG) {
        buf_put_str(&r->body, "{\"leaf\":");
        buf_put_u64(&r->body, a->leaf);
        return MANDATE_OK;
    }
    if (answer->decision.len)
        return answer_decided(a, r, answer);
    if (r->kind == SERVICE_SPEND || r->kind == SERVICE_UNSPEND)
        return put_spent(r, &r->body, answer);
    if (r->kind == SERVICE_WATCH || r->kind == SERVICE_UNWATCH)
        return put_watch_command(a, r, answer);
    uint32_t handle = engine_mandate_find(a->engine, answer->mandate);
    if (handle == UINT32_MAX)
        return answer_unknown(answer->mandate, &r->error);
    return comes_signed(r, answer) ? put_signed(a, r, answer, handle, made, now_us)
                                   : put_mandate(a, r, &r->body, handle, made, now_us, &r->error);
}

void answer_command(answerer *a, service_request *r, const engine_answer *answer, const engine_result *result,
                    int64_t now_us)
{
    buf_reset(&r->body);
    r->repeated = answer->repeated;
    r->decision[0] = '\0';
    if (answer->error.status != MANDATE_OK) {
        r->error = answer->error;
        return;
    }
    arena_reset(&a->memory);
    const transition *made = answer->transition < result->transition_count ? &result->transitions[answer->transition] : NULL;
    mandate_status status = put_command(a, r, answer, made, now_us);
    if (status == MANDATE_OK && r->unfinished)
        return;
    if (status == MANDATE_OK)
        put_flags(a, &r->body);
    buf_put_char(&r->body, '}');
    settle(r, status);
}

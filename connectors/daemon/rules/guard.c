/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard - see guard.h. Lock order: the guard's, then what a policy or a login holds inside; nothing is waited for under it.
 */
#include "connectors/daemon/rules/guard_int.h"

#include "connectors/config/yaml.h"
#include "connectors/daemon/base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { LOGGED_A_SECOND = 20 };

/* --- life ------------------------------------------------------------------------------------------------------------- */
static void log_keys(void *ctx, bool bad, const char *text)
{
    guard *g = ctx;

    if (g->options.log)
        g->options.log(bad, text);
}

static void regime_close(regime *r)
{
    login_destroy(r->logins);
    policy_destroy(r->policy);
    buf_deinit(&r->text);
}

static mandate_status regime_open(regime *out, guard *g, const char *path, mandate_error *err)
{
    login_options options = {log_keys, g};
    regime r = {.policy = NULL};
    problems found;

    buf_init(&r.text);
    mandate_status status = file_read(&r.text, path, LIMIT_CONFIG, err);
    const mandate_slice text = buf_slice(&r.text);
    problems_init(&found);
    if (!status && (status = policy_load(&r.policy, path, &text, &found)) != MANDATE_OK)
        status = problems_result(&found, err);
    problems_deinit(&found);
    if (!status)
        status = login_create(&r.logins, r.policy, &options, err);
    if (status)
        regime_close(&r);
    else
        *out = r;
    return status;
}

mandate_status guard_create(guard **out, const char *path, const guard_options *options, mandate_error *err)
{
    guard *g = calloc(1, sizeof(*g));

    if (!g)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for the policy");
    g->options = *options;
    pthread_rwlock_init(&g->lock, NULL);
    mandate_status status = regime_open(&g->now, g, path, err);
    if (status) {
        guard_destroy(g);
        return status;
    }
    atomic_store(&g->generation, policy_generation(g->now.policy));
    *out = g;
    return MANDATE_OK;
}

void guard_destroy(guard *g)
{
    if (!g)
        return;
    regime_close(&g->now);
    pthread_rwlock_destroy(&g->lock);
    free(g);
}

struct guard_fresh {
    regime regime;
};

mandate_status guard_prepare(guard *g, guard_fresh **out, const char *path, mandate_error *err)
{
    guard_fresh *fresh = calloc(1, sizeof(*fresh));

    if (!fresh)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for the policy");
    mandate_status status = regime_open(&fresh->regime, g, path, err);
    if (status)
        free(fresh);
    else
        *out = fresh;
    return status;
}

void guard_take(guard *g, guard_fresh *fresh)
{
    pthread_rwlock_wrlock(&g->lock);
    regime old = g->now;
    g->now = fresh->regime;
    atomic_store(&g->generation, policy_generation(g->now.policy));
    pthread_rwlock_unlock(&g->lock);
    regime_close(&old);
    free(fresh);
}

void guard_drop(guard_fresh *fresh)
{
    if (fresh)
        regime_close(&fresh->regime);
    free(fresh);
}

void guard_text(guard *g, buf *out)
{
    pthread_rwlock_rdlock(&g->lock);
    buf_put_slice(out, buf_slice(&g->now.text));
    pthread_rwlock_unlock(&g->lock);
}

uint64_t guard_generation(void *ctx) { return atomic_load_explicit(&((guard *)ctx)->generation, memory_order_acquire); }

static void put_count(buf *out, const char *name, const char *label, const char *value, const _Atomic uint64_t *count)
{
    buf_printf(out, "%s{%s=\"%s\"} %" PRIu64 "\n", name, label, value, count ? atomic_load(count) : 0);
}

void guard_put_metrics(const guard *g, buf *out)
{
    buf_put_str(out,
                "# HELP mandated_policy_decisions_total What the policy said of requests; what it permits a connection for "
                "good is not counted.\n# TYPE mandated_policy_decisions_total counter\n");
    put_count(out, "mandated_policy_decisions_total", "effect", "permit", g ? &g->permitted : NULL);
    put_count(out, "mandated_policy_decisions_total", "effect", "deny", g ? &g->denied : NULL);
    put_count(out, "mandated_policy_decisions_total", "effect", "second_person", g ? &g->second_person : NULL);
    buf_put_str(out, "# HELP mandated_logins_total Who somebody is, found out.\n# TYPE mandated_logins_total counter\n");
    put_count(out, "mandated_logins_total", "outcome", "believed", g ? &g->logins : NULL);
    put_count(out, "mandated_logins_total", "outcome", "refused", g ? &g->logins_refused : NULL);
}

/* A line for whoever looks into why; at most so many a second, since anybody may cause them. */
static void note(guard *g, const policy_principal *who, power p, mandate_slice over, const char *text)
{
    char line[1024];
    int64_t second = clock_monotonic_us() / 1000000;

    if (!g->options.log)
        return;
    if (atomic_exchange(&g->logged_second, second) != second)
        atomic_store(&g->logged, 0);
    if (atomic_fetch_add(&g->logged, 1) >= LOGGED_A_SECOND)
        return;
    snprintf(line, sizeof(line), "refused %s%s%.*s to %.*s (%s): %s", power_name(p), over.len ? " of " : "",
             (int)(over.len < 200 ? over.len : 200), over.ptr ? over.ptr : "",
             (int)(who->name.len < 200 ? who->name.len : 200), who->name.ptr, principal_kind_name(who->kind), text);
    g->options.log(false, line);
}

/* --- logging in ---------------------------------------------------------------------------------------------------------- */
static mandate_status by_token(guard *g, service_login *in, mandate_error *err)
{
    policy_principal who = {0};

    if (in->claimed.len)
        return mandate_error_set(err, MANDATE_DENIED, "a token says who asks: X-Mandate-Principal cannot say it too");
    mandate_status status = login_token(g->now.logins, in->bearer, g->options.now_us(), &who, in->a, err);
    in->wrong_bearer = status == MANDATE_DENIED || status == MANDATE_INVALID;
    if (!status)
        *in->who = who;
    return status;
}

/* A process speaks for somebody. It is bound first: the policy may know it by another name. */
static mandate_status by_name(guard *g, service_login *in, mandate_error *err)
{
    policy_principal process = *in->who;
    mandate_status status = policy_bind(g->now.policy, &process, in->a, err);

    if (status)
        return status;
    if (in->who->kind != PRINCIPAL_UNIX || !policy_speaks_for(g->now.policy, in->who, in->claimed))
        return mandate_error_set(err, MANDATE_DENIED, "the policy does not let %.*s speak for %.*s (speaks_for)",
                                 MANDATE_SLICE_ARG(process.name), (int)(in->claimed.len < 200 ? in->claimed.len : 200),
                                 in->claimed.ptr);
    in->who->kind = PRINCIPAL_NAMED;
    in->who->name = in->claimed;
    in->who->groups = NULL; /* the process's, not theirs */
    in->who->group_count = 0;
    return MANDATE_OK;
}

mandate_status guard_login(void *ctx, service_login *in, mandate_error *err)
{
    guard *g = ctx;
    mandate_status status = MANDATE_OK;
    arena scratch;

    arena_init(&scratch, GUARD_SCRATCH_MAX);
    pthread_rwlock_rdlock(&g->lock);
    if (in->bearer.len)
        status = by_token(g, in, err);
    else if (in->claimed.len)
        status = by_name(g, in, err);
    if (!status)
        status = policy_bind(g->now.policy, in->who, in->a, err);
    if (!status)
        in->who->always = policy_always(g->now.policy, in->who, g->options.now_us(), &scratch);
    pthread_rwlock_unlock(&g->lock);
    arena_deinit(&scratch);
    atomic_fetch_add(status ? &g->logins_refused : &g->logins, 1);
    return status;
}

/* --- may they ------------------------------------------------------------------------------------------------------------ */
static mandate_status outcome(guard *g, const policy_question *q, const policy_decision *d, mandate_slice over, bool *second,
                              mandate_error *err)
{
    switch (d->effect) {
    case POLICY_PERMIT:
    case POLICY_MAYBE:
        atomic_fetch_add_explicit(&g->permitted, 1, memory_order_relaxed);
        return MANDATE_OK;
    case POLICY_SECOND_PERSON:
        if (!q->final) /* it will be asked again, with everything said */
            return MANDATE_OK;
        *second = true;
        atomic_fetch_add_explicit(&g->second_person, 1, memory_order_relaxed);
        break;
    default:
        atomic_fetch_add_explicit(&g->denied, 1, memory_order_relaxed);
        break;
    }
    note(g, q->who, q->power, over, d->text);
    return mandate_error_set(err, MANDATE_DENIED, "%s", d->text);
}

mandate_status guard_replaced(mandate_error *err)
{
    return mandate_error_set(err, MANDATE_UNAVAILABLE, "the policy was replaced meanwhile; nothing was done, ask again");
}

mandate_status guard_decide(guard *g, const policy_question *q, mandate_slice over, bool *second, mandate_error *err)
{
    policy_decision d;
    arena scratch;
    mandate_status status;

    arena_init(&scratch, GUARD_SCRATCH_MAX);
    pthread_rwlock_rdlock(&g->lock);
    if (q->who->generation != policy_generation(g->now.policy)) {
        status = guard_replaced(err);
    } else {
        policy_decide(g->now.policy, q, &scratch, &d, NULL, NULL);
        status = outcome(g, q, &d, over, second, err);
    }
    pthread_rwlock_unlock(&g->lock);
    arena_deinit(&scratch);
    return status;
}

/* Is anything said later, on the engine's thread or by a handler that knows more? */
static bool more_to_come(const service_access *in)
{
    switch (in->power) {
    case POWER_DISCOVER:
    case POWER_READ_CONTEXT:
    case POWER_WATCH:
    case POWER_DEFINE:
    case POWER_OBSERVE:
    case POWER_OPERATE:
    case POWER_AUDIT:
        return false;
    case POWER_CHECK:
        return !in->check;
    case POWER_ASSERT_EVENT:
        return !in->event;
    default:
        return true;
    }
}

/* What a check is about, when it says so and the policy wants to know. */
static bool load_mandate(guard *g, mandate_slice id, arena *a, claims *out)
{
    mandate_slice bytes;

    return id.len && g->options.claims_load &&
           g->options.claims_load(g->options.claims_ctx, a, id, &bytes, NULL) == MANDATE_OK &&
           claims_decode(out, a, bytes, NULL) == MANDATE_OK;
}

/* Does the answer depend on the mandate? Claims come from storage, and most conditions about checks do not ask for them. */
static bool depends(guard *g, const policy_question *q)
{
    policy_question without = *q;
    policy_decision d;
    arena scratch;

    without.final = false;
    arena_init(&scratch, GUARD_SCRATCH_MAX);
    pthread_rwlock_rdlock(&g->lock);
    policy_decide(g->now.policy, &without, &scratch, &d, NULL, NULL);
    pthread_rwlock_unlock(&g->lock);
    arena_deinit(&scratch);
    return d.effect == POLICY_MAYBE;
}

mandate_status guard_authorise(void *ctx, const service_access *in, mandate_error *err)
{
    guard *g = ctx;
    policy_question q = {.who = in->who,
                         .power = in->power,
                         .final = !more_to_come(in),
                         .event = in->event,
                         .connector = in->connector,
                         .now_us = g->options.now_us()};
    policy_mandate over = {.state = STATE_NONE};
    bool second = false;
    arena memory;
    claims c;

    if (!in->check)
        return guard_decide(g, &q, in->mandate, &second, err);
    q.subject = in->check->subject_id;
    q.action = in->check->action;
    q.resource = in->check->resource;
    arena_init(&memory, 0);
    if (depends(g, &q) && load_mandate(g, in->check->mandate, &memory, &c)) {
        over.claims = &c;
        q.mandate = &over;
    }
    mandate_status status = guard_decide(g, &q, in->check->mandate, &second, err);
    arena_deinit(&memory);
    return status;
}

/* --- who asked before ---------------------------------------------------------------------------------------------------- */
/* A token's issuer gives the name; it may give another now, or be believed no longer. */
static mandate_status rename_by_issuer(const policy *p, policy_principal *who, arena *a, mandate_error *err)
{
    uint32_t count;
    const policy_issuer *issuers = policy_issuers(p, &count);

    for (uint32_t i = 0; i < count; i++)
        if (mandate_slice_eq(issuers[i].issuer, who->issuer))
            return policy_issuer_name(p, i, who->claims, &who->name, a, err);
    return mandate_error_set(err, MANDATE_DENIED, "the policy believes no tokens of %.*s any more",
                             (int)(who->issuer.len < 200 ? who->issuer.len : 200), who->issuer.ptr);
}

mandate_status guard_recall(guard *g, policy_principal *out, arena *a, mandate_slice vouched, mandate_error *err)
{
    mandate_status status = principal_decode(out, a, vouched, err);

    pthread_rwlock_rdlock(&g->lock);
    if (!status && out->kind == PRINCIPAL_TOKEN)
        status = rename_by_issuer(g->now.policy, out, a, err);
    if (!status && out->kind == PRINCIPAL_NAMED) {
        policy_principal process = *out;
        process.kind = PRINCIPAL_UNIX;
        process.name = arena_printf(a, "uid:%u", (unsigned)out->uid);
        if (!process.name.ptr)
            status = mandate_error_set(err, MANDATE_NOMEM, "out of memory");
        else if (!policy_speaks_for(g->now.policy, &process, out->name))
            status = mandate_error_set(err, MANDATE_DENIED, "the policy does not let %.*s speak for them any more",
                                       MANDATE_SLICE_ARG(process.name));
    }
    if (!status)
        status = policy_bind(g->now.policy, out, a, err);
    pthread_rwlock_unlock(&g->lock);
    return status;
}

/* --- who am I --------------------------------------------------------------------------------------------------------------- */
void guard_me(void *ctx, const policy_principal *who, buf *out)
{
    guard *g = ctx;
    bool any = false;
    arena scratch;

    arena_init(&scratch, GUARD_SCRATCH_MAX);
    pthread_rwlock_rdlock(&g->lock);
    const policy *p = g->now.policy;
    buf_put_str(out, ",\"policy\":");
    buf_put_json_string(out, mandate_slice_str(policy_name(p)));
    buf_put_str(out, ",\"roles\":[");
    for (uint32_t i = 0; policy_role(p, i); i++)
        if (who->generation == policy_generation(p) && who->roles >> i & 1) {
            buf_put_str(out, any ? "," : "");
            buf_put_json_string(out, mandate_slice_str(policy_role(p, i)));
            any = true;
        }
    buf_put_str(out, "],\"powers\":{");
    any = false;
    for (int i = POWER_DISCOVER; i < POWER_COUNT; i++) {
        policy_effect effect = policy_has(p, who, (power)i, g->options.now_us(), &scratch);
        arena_reset(&scratch);
        if (effect == POLICY_DENY)
            continue;
        buf_printf(out, "%s\"%s\":\"%s\"", any ? "," : "", power_name((power)i), policy_effect_names[effect]);
        any = true;
    }
    buf_put_char(out, '}');
    pthread_rwlock_unlock(&g->lock);
    arena_deinit(&scratch);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service - the port that HTTP serves from (connectors/http/service.h), over the queue, the view and the sources.
 *
 * Ready means: the engine steps, the audit log is signed, and every connector has once been read to its end since the start. A halted or silent
 * connector, or a topic that cannot be published to now, is reported but does not make the process unready: what follows
 * from them for mandates is decided by the engine, and nobody else could answer better.
 */
#include "connectors/daemon/daemon.h"

#include "connectors/daemon/base/clock.h"
#include "connectors/daemon/view/freshness.h"
#include "connectors/daemon/define.h"
#include "connectors/daemon/base/log.h"
#include "graph/once.h"
#include "engine/base/text.h"

#include <stdatomic.h>
#include <stdio.h>

static bool submit(void *ctx, service_request *request)
{
    daemon_state *d = ctx;

    if (request->kind == SERVICE_BACKTEST)
        return !atomic_load(&d->stopping) && past_ask(d->trials, request);
    if (request->kind == SERVICE_STATUS_LIST)
        return !atomic_load(&d->stopping) && status_lists_ask(d->lists, request);
    if (past_takes(request))
        return !atomic_load(&d->stopping) && past_ask(d->past, request);
    return !atomic_load(&d->stopping) && queue_try_push(d->queue, QUEUE_REQUESTS, request);
}

/* Why nothing may be granted now, whatever mandates and humans say; NULL: it may. */
static const char *withheld(const daemon_state *d, const char **text)
{
    if (checkpointer_blocked(d->audit)) {
        *text = "The audit log cannot be signed now, so nothing is permitted.";
        return "audit_unavailable";
    }
    if (!clock_trusted()) {
        *text = "The clock is not synchronised, so nothing is permitted.";
        return "clock_unsynchronised";
    }
    return NULL;
}

static void check(void *ctx, const service_check *in, service_verdict *out)
{
    daemon_state *d = ctx;

    view_check(d->view, in, clock_now_us(), clock_monotonic_us(), out);
    /* The first check of a mandate waits for storage; meanwhile it may have expired (never later than its ancestors). */
    if (out->decision && clock_now_us() >= out->expires_at_us)
        view_check(d->view, in, clock_now_us(), clock_monotonic_us(), out);
    const char *text, *why = withheld(d, &text);
    /* Where mandates contradict each other a human's permit would be a yes: nobody is asked for it. */
    if (why && (out->decision || out->conflict)) {
        out->decision = out->conflict = false;
        out->reason = why;
        snprintf(out->text, sizeof(out->text), "%s", text);
    }
    atomic_fetch_add_explicit(out->decision ? &d->metrics.checks_permitted : &d->metrics.checks_denied, 1,
                              memory_order_relaxed);
}

static bool track(void *ctx, const service_check *in, const service_verdict *verdict, int64_t lasts_us, mandate_slice key)
{
    daemon_state *d = ctx;
    const int64_t now_us = clock_now_us(), until_us = now_us + lasts_us;
    const bool named = in->mandate.len > 0;
    const engine_permit p = {.action = in->action,
                             .resource = in->resource,
                             .key = key,
                             .at_us = now_us,
                             .until_us = until_us < verdict->expires_at_us ? until_us : verdict->expires_at_us};
    bool half;
    bool ok = tracker_note(&d->tracker, p, named ? &in->mandate : verdict->mandates, named ? 1 : verdict->governing, &half);
    if (half)
        engine_thread_poke(d->loop);
    return ok;
}

static mandate_status search(void *ctx, const service_search *in, arena *a, service_found *out, mandate_error *err)
{
    daemon_state *d = ctx;

    const char *text;
    if (withheld(d, &text))
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "%s", text);
    return view_search(d->view, in, clock_now_us(), clock_monotonic_us(), a, out, err);
}

static void kind_of(void *ctx, mandate_slice action, service_check_kind *out)
{
    check_kinds_ask(&((daemon_state *)ctx)->kinds, action, out);
}

static mandate_status once(void *ctx, const uint8_t key[32], uint8_t asked[32], mandate_error *err)
{
    return store_once_find(((daemon_state *)ctx)->store, key, clock_now_us(), asked, err);
}

static void freshness(void *ctx, const service_check *in, const service_verdict *verdict, service_freshness *out, buf *text)
{
    daemon_state *d = ctx;

    pthread_rwlock_rdlock(&d->sources_lock);
    const freshness_sources all = {d->sources, d->connectors, d->source_count, d->schema};
    freshness_of(&all, in->rests_on, in->rests_restricted && !*in->rests_restricted, verdict, clock_wall_us(), out, text);
    pthread_rwlock_unlock(&d->sources_lock);
}

/* A partition's position is looked at by the engine's thread, which knows what the view has. */
static bool reached(void *ctx, const service_position *position)
{
    daemon_state *d = ctx;

    return !position->topic.len && position->seq <= view_seq(d->view);
}

typedef struct located {
    const service_position *of;
    uint32_t partitions; /* of the topic, that are known */
    bool found;
} located;

static void look_for(void *ctx, const source_partition_status *p)
{
    located *l = ctx;
    const bool same = mandate_slice_is(l->of->topic, p->topic);

    l->partitions += same;
    l->found |= same && p->partition == l->of->partition;
}

/* A topic whose partitions are not known yet may have any. */
static mandate_status locate(void *ctx, const service_position *position, mandate_error *err)
{
    daemon_state *d = ctx;
    located l = {.of = position};
    bool read = false;

    if (!position->topic.len)
        return MANDATE_OK;
    pthread_rwlock_rdlock(&d->sources_lock);
    for (uint32_t i = 0; i < d->source_count && !l.found; i++) {
        uint32_t count;
        const char *const *topics = connector_topics(d->connectors[i], &count);
        for (uint32_t t = 0; t < count; t++)
            read |= mandate_slice_is(position->topic, topics[t]);
        source_partitions_each(d->sources[i], look_for, &l);
    }
    pthread_rwlock_unlock(&d->sources_lock);
    const mandate_slice shown = mandate_slice_of(position->topic.ptr, position->topic.len < 200 ? position->topic.len : 200);
    if (!read)
        return mandate_error_set(err, MANDATE_INVALID,
                                 "context.at_least: no connector reads the topic %.*s, so none of its records is ever seen",
                                 MANDATE_SLICE_ARG(shown));
    if (!l.found && l.partitions)
        return mandate_error_set(err, MANDATE_INVALID,
                                 "context.at_least: the topic %.*s has %u partitions, and none is number %d",
                                 MANDATE_SLICE_ARG(shown), l.partitions, (int)position->partition);
    return MANDATE_OK;
}

static bool decision(void *ctx, const uint8_t key[DECISION_KEY], service_decision *out)
{
    daemon_state *d = ctx;

    return view_decisions_find(view_humans(d->view), key, clock_now_us(), out);
}

static const char *phase_name(const source_status *s)
{
    static const char *const phases[] = {"waiting", "reading", "halted", "stopped"};

    if (s->phase != SOURCE_READING)
        return phases[s->phase];
    return s->state == SOURCE_DOUBTFUL ? "doubtful" : s->state == SOURCE_SILENT ? "silent" : "live";
}

static void put_reason(buf *out, const source_status *s)
{
    if (!s->reason[0])
        return;
    buf_put_str(out, ",\"reason\":");
    buf_put_json_string(out, mandate_slice_str(s->reason));
}

static bool ready(void *ctx, buf *out)
{
    daemon_state *d = ctx;
    int64_t age = view_age_us(d->view, clock_monotonic_us());
    bool fresh = age <= d->config.check.max_staleness_us, caught_up = true;
    sink_status published;
    source_status s;
    checkpointer_status audit;

    sink_status_get(d->publisher, &published);
    checkpointer_status_get(d->audit, &audit);
    buf_printf(out,
               "{\"engine\":{\"fresh\":%s,\"age_ms\":%lld},\"publisher\":{\"reachable\":%s},\"audit\":{\"granting\":%s,",
               fresh ? "true" : "false", (long long)(age / 1000), published.reachable ? "true" : "false",
               audit.blocked ? "false" : "true");
    buf_printf(out, "\"entries\":%llu,\"signed\":%llu,\"unsigned_ms\":%lld", (unsigned long long)audit.committed,
               (unsigned long long)audit.signed_entries, (long long)(audit.unsigned_us / 1000));
    if (audit.trouble[0]) {
        buf_put_str(out, ",\"reason\":");
        buf_put_json_string(out, mandate_slice_str(audit.trouble));
    }
    buf_printf(out, "},\"clock\":{\"trusted\":%s},\"connectors\":[", clock_trusted() ? "true" : "false");
    pthread_rwlock_rdlock(&d->sources_lock);
    for (uint32_t i = 0; i < d->source_count; i++) {
        source_status_get(d->sources[i], &s);
        caught_up = caught_up && s.caught_up;
        buf_put_str(out, i ? ",{\"name\":" : "{\"name\":");
        buf_put_json_string(out, mandate_slice_str(source_name(d->sources[i])));
        buf_printf(out, ",\"state\":\"%s\",\"caught_up\":%s", phase_name(&s), s.caught_up ? "true" : "false");
        put_reason(out, &s);
        buf_put_char(out, '}');
    }
    pthread_rwlock_unlock(&d->sources_lock);
    bool ok =
        fresh && caught_up && !audit.blocked && clock_trusted() && atomic_load(&d->serving) && !atomic_load(&d->stopping);
    buf_printf(out, "],\"ready\":%s}", ok ? "true" : "false");
    return ok;
}

static void metrics_text(void *ctx, buf *out)
{
    daemon_state *d = ctx;

    pthread_rwlock_rdlock(&d->sources_lock);
    metrics_render(out, &d->metrics, d->view, d->publisher, d->sources, d->source_count, clock_wall_us());
    checkpointer_put_metrics(d->audit, out);
    guard_put_metrics(d->guard, out);
    webhook_put_metrics(d->webhook, out);
    pthread_rwlock_unlock(&d->sources_lock);
}

typedef struct partition_ctx {
    buf *out;
    bool any;
    int64_t now_us;
} partition_ctx;

static void put_partition(void *opaque, const source_partition_status *p)
{
    partition_ctx *c = opaque;
    int64_t next = p->next < 0 ? 0 : p->next;
    int64_t lag = p->end > next ? p->end - next : 0;
    int64_t behind_us = lag && p->event_time_us != CHANGE_NO_TIME ? c->now_us - p->event_time_us : 0;

    buf_put_str(c->out, c->any ? ",{\"topic\":" : "{\"topic\":");
    c->any = true;
    buf_put_json_string(c->out, mandate_slice_str(p->topic));
    buf_printf(c->out, ",\"partition\":%d,\"offset\":%lld,", (int)p->partition, (long long)p->next);
    if (p->end < 0)
        buf_put_str(c->out, "\"lag_records\":null,\"lag_seconds\":null}");
    else
        buf_printf(c->out, "\"lag_records\":%lld,\"lag_seconds\":%lld}", (long long)lag,
                   (long long)(behind_us > 0 ? behind_us / 1000000 : 0));
}

static const char *on_error_name(const source *s)
{
    static const char *const names[] = {
        [ON_ERROR_QUARANTINE] = "quarantine", [ON_ERROR_HALT] = "halt", [ON_ERROR_FAIL_CLOSED] = "fail_closed"};
    return names[source_policy(s)];
}

static void connectors_json(void *ctx, buf *out)
{
    daemon_state *d = ctx;
    source_status s;

    buf_put_str(out, "{\"connectors\":[");
    pthread_rwlock_rdlock(&d->sources_lock);
    for (uint32_t i = 0; i < d->source_count; i++) {
        partition_ctx p = {out, false, clock_wall_us()};
        source_status_get(d->sources[i], &s);
        buf_put_str(out, i ? ",{\"name\":" : "{\"name\":");
        buf_put_json_string(out, mandate_slice_str(source_name(d->sources[i])));
        buf_printf(out,
                   ",\"state\":\"%s\",\"caught_up\":%s,\"on_error\":\"%s\",\"event_time\":%s,\"records\":{\"mapped\":%llu,"
                   "\"filtered\":%llu,"
                   "\"ignored\":%llu,\"dead_lettered\":%llu},\"positions_lost\":%llu,",
                   phase_name(&s), s.caught_up ? "true" : "false", on_error_name(d->sources[i]),
                   connector_orders(d->connectors[i]) ? "true" : "false", (unsigned long long)s.mapped,
                   (unsigned long long)s.filtered, (unsigned long long)s.ignored, (unsigned long long)s.dead_lettered,
                   (unsigned long long)s.positions_lost);
        if (s.to_replay >= 0)
            buf_printf(out, "\"to_replay\":%lld,", (long long)s.to_replay);
        buf_put_str(out, "\"partitions\":[");
        source_partitions_each(d->sources[i], put_partition, &p);
        buf_put_char(out, ']');
        put_reason(out, &s);
        buf_put_char(out, '}');
    }
    pthread_rwlock_unlock(&d->sources_lock);
    buf_put_str(out, "]}");
}

/* Under the lock. */
static source *source_find(const daemon_state *d, mandate_slice name, mandate_error *err)
{
    for (uint32_t i = 0; i < d->source_count; i++)
        if (mandate_slice_is(name, source_name(d->sources[i])))
            return d->sources[i];
    (void)mandate_error_set(err, MANDATE_NOT_FOUND, "there is no connector %.*s", (int)(name.len < 200 ? name.len : 200),
                            name.ptr);
    return NULL;
}

static mandate_status connector_clear(void *ctx, mandate_slice name, mandate_error *err)
{
    daemon_state *d = ctx;

    pthread_rwlock_rdlock(&d->sources_lock);
    source *s = source_find(d, name, err);
    if (s) {
        log_write(LOG_INFO, "daemon", "connector %s: cleared on request", source_name(s));
        source_clear(s);
    }
    pthread_rwlock_unlock(&d->sources_lock);
    return s ? MANDATE_OK : err->status;
}

/* A number at the end of `text` behind `mark`; cuts both off. */
static bool cut_number(mandate_slice *text, char mark, int64_t max, int64_t *out)
{
    size_t at = text->len;
    int64_t v = 0;

    while (at > 0 && text->ptr[at - 1] >= '0' && text->ptr[at - 1] <= '9')
        at--;
    if (at == text->len || at == 0 || text->ptr[at - 1] != mark)
        return false;
    for (size_t i = at; i < text->len; i++) {
        if (v > (max - (text->ptr[i] - '0')) / 10)
            return false;
        v = v * 10 + (text->ptr[i] - '0');
    }
    *out = v;
    text->len = at - 1;
    return true;
}

static mandate_status parse_from(source_replay *out, mandate_slice from, mandate_error *err)
{
    int64_t partition, offset;

    *out = (source_replay){.kind = REPLAY_BEGINNING};
    if (mandate_slice_is(from, "beginning"))
        return MANDATE_OK;
    out->kind = REPLAY_TIME;
    if (time_parse_us(from, &out->time_us))
        return MANDATE_OK;
    out->kind = REPLAY_OFFSET;
    if (!cut_number(&from, '@', INT64_MAX, &offset) || !cut_number(&from, '/', INT32_MAX, &partition) || from.len == 0 ||
        from.len >= sizeof(out->topic))
        return mandate_error_set(err, MANDATE_INVALID,
                                 "`from` is \"beginning\", a time such as 2027-01-31T00:00:00Z, or topic/partition@offset");
    memcpy(out->topic, from.ptr, from.len);
    out->topic[from.len] = '\0';
    out->partition = (int32_t)partition;
    out->offset = offset;
    return MANDATE_OK;
}

static mandate_status connector_replay(void *ctx, mandate_slice name, mandate_slice from, mandate_error *err)
{
    daemon_state *d = ctx;
    source_replay what;
    mandate_status status = parse_from(&what, from, err);

    if (status != MANDATE_OK)
        return status;
    pthread_rwlock_rdlock(&d->sources_lock);
    source *s = source_find(d, name, err);
    status = s ? source_replay_start(s, &what, err) : err->status;
    if (status == MANDATE_OK)
        log_write(LOG_INFO, "daemon", "connector %s: reads again from %.*s on request", source_name(s),
                  MANDATE_SLICE_ARG(from));
    pthread_rwlock_unlock(&d->sources_lock);
    return status;
}

static void audit_checkpoint(void *ctx, buf *out)
{
    daemon_state *d = ctx;

    checkpointer_put_note(d->audit, out);
}

static void audit_key(void *ctx, buf *out)
{
    daemon_state *d = ctx;

    checkpointer_put_key(d->audit, out);
}

static void jwks(void *ctx, buf *out)
{
    daemon_state *d = ctx;

    buf_put_slice(out, buf_slice(&d->signer.jwks));
}

static mandate_status lint(void *ctx, const claims *c, mandate_slice principal, arena *a, buf *out, mandate_error *err)
{
    return define_lint(ctx, c, principal, a, out, err);
}

static mandate_status authorise(void *ctx, const service_access *in, mandate_error *err)
{
    return guard_authorise(((daemon_state *)ctx)->guard, in, err);
}

static mandate_status login_by_policy(void *ctx, service_login *in, mandate_error *err)
{
    return guard_login(((daemon_state *)ctx)->guard, in, err);
}

static int64_t now_us(void *ctx)
{
    (void)ctx;
    return clock_now_us();
}

static uint64_t generation(void *ctx) { return guard_generation(((daemon_state *)ctx)->guard); }

static void me(void *ctx, const policy_principal *who, buf *out) { guard_me(((daemon_state *)ctx)->guard, who, out); }

void daemon_service(daemon_state *d, service *out)
{
    *out = (service){
        .ctx = d,
        .now_us = now_us,
        .submit = submit,
        .check = check,
        .search = search,
        .kind = kind_of,
        .once = once,
        .track = track,
        .freshness = freshness,
        .reached = reached,
        .locate = locate,
        .decision = decision,
        .ready = ready,
        .metrics = metrics_text,
        .connectors = connectors_json,
        .lint = lint,
        .jwks = jwks,
        .audit_checkpoint = audit_checkpoint,
        .audit_key = audit_key,
        .connector_clear = connector_clear,
        .connector_replay = connector_replay,
    };
    if (d->guard) {
        out->authorise = authorise;
        out->login = login_by_policy;
        out->generation = generation;
        out->me = me;
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics - rendering is a list of small writers; a metric's HELP and TYPE stand beside its name.
 */
#include "connectors/daemon/tell/metrics.h"

#include <stdatomic.h>

static const int64_t bucket_bounds_us[METRICS_BUCKETS] = {10,   25,   50,    100,   250,    500,    1000,
                                                          2500, 5000, 10000, 50000, 250000, 1000000};

void metrics_observe(metrics_histogram *h, int64_t us)
{
    int i = 0;

    while (i < METRICS_BUCKETS && us > bucket_bounds_us[i])
        i++;
    atomic_fetch_add_explicit(&h->buckets[i], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&h->sum_us, us > 0 ? (uint64_t)us : 0, memory_order_relaxed);
}

static void add(_Atomic uint64_t *counter, uint64_t n) { atomic_fetch_add_explicit(counter, n, memory_order_relaxed); }

void metrics_step(metrics *m, const engine_batch *batch, const engine_result *result)
{
    add(&m->batches, 1);
    add(&m->inputs, engine_batch_total(batch));
    add(&m->commands, result->answer_count);
    for (uint32_t i = 0; i < result->answer_count; i++)
        if (result->answers[i].error.status != MANDATE_OK)
            add(&m->commands_refused, 1);
    add(&m->changes_applied, result->changes_applied);
    add(&m->changes_stale, result->changes_stale);
    add(&m->atoms_flipped, result->atoms_flipped);
    add(&m->conditions_flipped, result->conditions_flipped);
    add(&m->programs_run, result->programs_run);
    for (uint32_t i = 0; i < result->transition_count; i++)
        add(&m->transitions[result->transitions[i].state], 1);
}

/* --- rendering ------------------------------------------------------------------------------------------------- */
static void head(buf *b, const char *name, const char *type, const char *help)
{
    buf_printf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void counter(buf *b, const char *name, const char *help, uint64_t v)
{
    head(b, name, "counter", help);
    buf_printf(b, "%s %llu\n", name, (unsigned long long)v);
}

/* Label values are names from configuration: escape what the format needs. */
static void label(buf *b, const char *text)
{
    for (; *text; text++) {
        if (*text == '\\' || *text == '"')
            buf_put_char(b, '\\');
        if (*text == '\n')
            buf_put_str(b, "\\n");
        else
            buf_put_char(b, *text);
    }
}

static void histogram(buf *b, const char *name, const char *help, const metrics_histogram *h)
{
    uint64_t total = 0, sum = atomic_load(&h->sum_us);

    head(b, name, "histogram", help);
    for (int i = 0; i < METRICS_BUCKETS; i++) {
        total += atomic_load(&h->buckets[i]);
        buf_printf(b, "%s_bucket{le=\"%lld.%06lld\"} %llu\n", name, (long long)(bucket_bounds_us[i] / 1000000),
                   (long long)(bucket_bounds_us[i] % 1000000), (unsigned long long)total);
    }
    total += atomic_load(&h->buckets[METRICS_BUCKETS]);
    buf_printf(b, "%s_bucket{le=\"+Inf\"} %llu\n%s_sum %llu.%06llu\n%s_count %llu\n", name, (unsigned long long)total, name,
               (unsigned long long)(sum / 1000000), (unsigned long long)(sum % 1000000), name, (unsigned long long)total);
}

static void record_line(buf *b, const char *name, const char *outcome, uint64_t v)
{
    buf_put_str(b, "mandated_records_total{connector=\"");
    label(b, name);
    buf_printf(b, "\",outcome=\"%s\"} %llu\n", outcome, (unsigned long long)v);
}

typedef struct lag_ctx {
    buf *b;
    int64_t now_us;
} lag_ctx;

static void lag_line(void *opaque, const source_partition_status *p)
{
    buf *b = ((lag_ctx *)opaque)->b;
    int64_t next = p->next < 0 ? 0 : p->next;

    if (p->end < 0)
        return;
    buf_put_str(b, "mandated_consumer_lag_records{topic=\"");
    label(b, p->topic);
    buf_printf(b, "\",partition=\"%d\"} %lld\n", (int)p->partition, (long long)(p->end > next ? p->end - next : 0));
}

static void lag_seconds_line(void *opaque, const source_partition_status *p)
{
    lag_ctx *ctx = opaque;
    int64_t next = p->next < 0 ? 0 : p->next, lag_us = ctx->now_us - p->event_time_us;

    if (p->end < 0 || (p->end > next && p->event_time_us == CHANGE_NO_TIME))
        return; /* not known */
    if (p->end <= next || lag_us < 0)
        lag_us = 0;
    buf_put_str(ctx->b, "mandated_consumer_lag_seconds{topic=\"");
    label(ctx->b, p->topic);
    buf_printf(ctx->b, "\",partition=\"%d\"} %lld.%06lld\n", (int)p->partition, (long long)(lag_us / 1000000),
               (long long)(lag_us % 1000000));
}

static void render_sources(buf *b, source *const *sources, uint32_t count, int64_t now_us)
{
    static const char *const states[] = {"live", "silent", "doubtful"};
    source_status s;
    lag_ctx ctx = {b, now_us};

    head(b, "mandated_records_total", "counter", "Records read, by what became of them.");
    for (uint32_t i = 0; i < count; i++) {
        source_status_get(sources[i], &s);
        record_line(b, source_name(sources[i]), "mapped", s.mapped);
        record_line(b, source_name(sources[i]), "filtered", s.filtered);
        record_line(b, source_name(sources[i]), "ignored", s.ignored);
        record_line(b, source_name(sources[i]), "dead_lettered", s.dead_lettered);
    }
    head(b, "mandated_changes_total", "counter", "Changes that records were mapped to.");
    for (uint32_t i = 0; i < count; i++) {
        source_status_get(sources[i], &s);
        buf_put_str(b, "mandated_changes_total{connector=\"");
        label(b, source_name(sources[i]));
        buf_printf(b, "\",outcome=\"mapped\"} %llu\n", (unsigned long long)s.changes);
    }
    head(b, "mandated_consumer_lag_records", "gauge", "Records between what was read and the end of the partition.");
    for (uint32_t i = 0; i < count; i++)
        source_partitions_each(sources[i], lag_line, &ctx);
    head(b, "mandated_consumer_lag_seconds", "gauge",
         "Now minus the event time of the last record read, while the partition has more.");
    for (uint32_t i = 0; i < count; i++)
        source_partitions_each(sources[i], lag_seconds_line, &ctx);
    head(b, "mandated_positions_lost_total", "counter", "Partitions that could not be read on from where they were left.");
    for (uint32_t i = 0; i < count; i++) {
        source_status_get(sources[i], &s);
        buf_put_str(b, "mandated_positions_lost_total{connector=\"");
        label(b, source_name(sources[i]));
        buf_printf(b, "\"} %llu\n", (unsigned long long)s.positions_lost);
    }
    head(b, "mandated_event_time_lag_seconds", "gauge", "Now minus the event time of the last record.");
    for (uint32_t i = 0; i < count; i++) {
        source_status_get(sources[i], &s);
        if (s.event_time_us == CHANGE_NO_TIME)
            continue;
        int64_t lag = now_us - s.event_time_us;
        buf_put_str(b, "mandated_event_time_lag_seconds{connector=\"");
        label(b, source_name(sources[i]));
        buf_printf(b, "\"} %s%lld.%06lld\n", lag < 0 ? "-" : "", (long long)((lag < 0 ? -lag : lag) / 1000000),
                   (long long)((lag < 0 ? -lag : lag) % 1000000));
    }
    head(b, "mandated_source_state", "gauge", "1 for the state a connector is in.");
    for (uint32_t i = 0; i < count; i++) {
        source_status_get(sources[i], &s);
        for (int k = 0; k < 3; k++) {
            buf_put_str(b, "mandated_source_state{connector=\"");
            label(b, source_name(sources[i]));
            buf_printf(b, "\",state=\"%s\"} %d\n", states[k], (int)s.state == k);
        }
    }
}

static void render_engine(buf *b, metrics *m, const view *v)
{
    uint64_t counts[STATE_COUNT];

    counter(b, "mandated_batches_total", "Steps of the engine.", atomic_load(&m->batches));
    counter(b, "mandated_inputs_total", "Inputs of all steps.", atomic_load(&m->inputs));
    counter(b, "mandated_commands_total", "Commands answered.", atomic_load(&m->commands));
    counter(b, "mandated_commands_refused_total", "Commands answered with an error.", atomic_load(&m->commands_refused));
    head(b, "mandated_engine_changes_total", "counter", "Changes by what the engine did with them.");
    buf_printf(
        b,
        "mandated_engine_changes_total{outcome=\"applied\"} %llu\nmandated_engine_changes_total{outcome=\"stale\"} %llu\n",
        (unsigned long long)atomic_load(&m->changes_applied), (unsigned long long)atomic_load(&m->changes_stale));
    counter(b, "mandated_flips_total", "Atoms that changed their truth value.", atomic_load(&m->atoms_flipped));
    counter(b, "mandated_condition_flips_total", "Conditions that changed their truth value.",
            atomic_load(&m->conditions_flipped));
    counter(b, "mandated_programs_run_total", "Evaluations of opaque programs.", atomic_load(&m->programs_run));
    head(b, "mandated_transitions_total", "counter", "Committed transitions by the state entered.");
    for (int i = 0; i < STATE_COUNT; i++)
        buf_printf(b, "mandated_transitions_total{state=\"%s\"} %llu\n", mandate_state_name((mandate_state)i),
                   (unsigned long long)atomic_load(&m->transitions[i]));
    view_counts(v, counts);
    head(b, "mandated_mandates", "gauge", "Mandates by their own recorded state.");
    for (int i = 0; i < STATE_COUNT; i++)
        buf_printf(b, "mandated_mandates{state=\"%s\"} %llu\n", mandate_state_name((mandate_state)i),
                   (unsigned long long)counts[i]);
    head(b, "mandated_checks_total", "counter", "Checks answered from the view.");
    buf_printf(b, "mandated_checks_total{decision=\"permit\"} %llu\nmandated_checks_total{decision=\"deny\"} %llu\n",
               (unsigned long long)atomic_load(&m->checks_permitted), (unsigned long long)atomic_load(&m->checks_denied));
    head(b, "mandated_reloads_total", "counter", "Reloads (SIGHUP) since the start.");
    buf_printf(b, "mandated_reloads_total{outcome=\"done\"} %llu\nmandated_reloads_total{outcome=\"refused\"} %llu\n",
               (unsigned long long)atomic_load(&m->reloads), (unsigned long long)atomic_load(&m->reloads_refused));
    histogram(b, "mandated_step_seconds", "Duration of engine_step.", &m->step);
    histogram(b, "mandated_commit_seconds", "Duration of a commit's write.", &m->commit);
    head(b, "mandated_steps_in_flight", "gauge", "Steps written and not told: their sync goes on.");
    buf_printf(b, "mandated_steps_in_flight %lld\n", (long long)atomic_load(&m->in_flight));
    histogram(b, "mandated_sync_seconds", "Duration of a sync: of every commit written since the last one.", &m->sync);
}

void metrics_render(buf *b, metrics *m, const view *v, sink *publisher, source *const *sources, uint32_t source_count,
                    int64_t now_us)
{
    render_engine(b, m, v);
    head(b, "mandated_outbox_pending", "gauge", "Transitions committed and not yet acknowledged by the topic.");
    buf_printf(b, "mandated_outbox_pending %lld\n", (long long)atomic_load(&m->outbox_pending));
    if (publisher) {
        sink_status s;
        sink_status_get(publisher, &s);
        counter(b, "mandated_published_total", "Transitions acknowledged by the revocation topic.", s.published);
        counter(b, "mandated_publish_failures_total", "Failed deliveries; all are sent again.", s.failures);
        counter(b, "mandated_heartbeats_total", "Heartbeat records acknowledged.", s.heartbeats);
    }
    render_sources(b, sources, source_count, now_us);
    head(b, "mandated_build_info", "gauge", "Always 1.");
    buf_printf(b, "mandated_build_info{version=\"%s\"} 1\n", mandate_version());
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arm_step - the engine as the daemon runs it: issue by commands, change by records, in batches of 256 through engine_step.
 *
 * The condition stands in suspend_while. Without transitions every mandate is also suspended by a command, so a flip is
 * worked out and noted on the mandate but changes no state: what most changes do to most mandates. With transitions every
 * flip is a committed transition with its evidence.
 */
#include "bench/arm.h"

#include "engine/step.h"

#include <stdio.h>
#include <stdlib.h>

enum { ISSUES = 2048 };
#define NOW (INT64_C(1700000000) * 1000000)

typedef struct stepper {
    workload *w;
    engine *e;
    uint64_t seq;
    int64_t offset;
    arena memory; /* of one batch */
    engine_input inputs[ISSUES];
    uint32_t count;
    engine_result r;
} stepper;

/* Stored claims are the store's business: here they are made again when asked for. */
static mandate_status load_claims(void *ctx, arena *a, mandate_slice id, mandate_slice *out, mandate_error *err)
{
    claims c;
    buf b;
    buf_init(&b);
    workload_claims(ctx, workload_mandate_number(id), CLAUSE_SUSPEND_WHILE, a, &c);
    c.issued_at_us = NOW;
    c.depth_max = LIMIT_DELEGATION_DEPTH;
    claims_encode(&b, &c);
    *out = arena_dup(a, buf_slice(&b));
    buf_deinit(&b);
    return out->ptr ? MANDATE_OK : mandate_error_set(err, MANDATE_NOMEM, "out of memory");
}

static bool run_batch(stepper *s)
{
    mandate_error err = {0};
    engine_batch batch = {.seq = ++s->seq, .now_us = NOW, .inputs = s->inputs, .count = s->count};
    if (engine_step(s->e, &batch, &s->r, &err) != MANDATE_OK) {
        fprintf(stderr, "engine_step: %s\n", err.text);
        return false;
    }
    return true;
}

static void batch_begin(stepper *s)
{
    arena_reset(&s->memory);
    s->count = 0;
}

static void add_change(stepper *s, uint32_t deal, const workload_field *fields, const int *values, uint32_t n)
{
    change *ch = ARENA_NEW(&s->memory, change);
    change_set *sets = ARENA_ARRAY(&s->memory, change_set, n);
    char id[24];
    workload_deal_id(id, deal);
    for (uint32_t i = 0; i < n; i++)
        sets[i] = (change_set){.field = s->w->field[fields[i]], .value = workload_value(fields[i], values[i])};
    *ch = (change){.op = CHANGE_UPSERT,
                   .type = 0,
                   .id = arena_dup(&s->memory, mandate_slice_str(id)),
                   .sets = sets,
                   .set_count = n,
                   .event_time_us = CHANGE_NO_TIME};
    s->inputs[s->count++] = (engine_input){
        .kind = INPUT_RECORD,
        .origin = {.source = 0, .topic = 0, .partition = 0, .offset = s->offset++, .event_time_us = CHANGE_NO_TIME},
        .changes = ch,
        .change_count = 1};
}

static bool tell_everything(stepper *s)
{
    static const workload_field fields[FIELD_COUNT] = {FIELD_STATUS, FIELD_AMOUNT, FIELD_SCORE, FIELD_A, FIELD_B, FIELD_C};
    bool ok = true;
    for (uint32_t i = 0; ok && i < s->w->deals;) {
        batch_begin(s);
        for (; s->count < BATCH && i < s->w->deals; i++) {
            int values[FIELD_COUNT];
            for (int f = 0; f < FIELD_COUNT; f++)
                values[f] = workload_fact(&s->w->facts[i], (workload_field)f);
            add_change(s, i, fields, values, FIELD_COUNT);
        }
        ok = run_batch(s);
    }
    return ok;
}

BENCH_COUNTED static bool bench_step_issues(stepper *s) { return run_batch(s); }

static bool commands(stepper *s, engine_command_kind kind, int64_t *took)
{
    bool ok = true;
    *took = 0;
    for (uint32_t i = 0; ok && i < s->w->mandates;) {
        batch_begin(s);
        for (; s->count < ISSUES && i < s->w->mandates; i++) {
            claims *c = ARENA_NEW(&s->memory, claims);
            workload_claims(s->w, i, CLAUSE_SUSPEND_WHILE, &s->memory, c);
            s->inputs[s->count++] = (engine_input){
                .kind = INPUT_COMMAND,
                .command = {.kind = kind, .mandate = c->id, .principal = mandate_slice_str("user:grantor"), .claims = c}};
        }
        int64_t start = cpu_ns();
        ok = kind == COMMAND_ISSUE ? bench_step_issues(s) : run_batch(s);
        *took += cpu_ns() - start;
        for (uint32_t k = 0; ok && k < s->r.answer_count; k++)
            if (s->r.answers[k].error.status) {
                fprintf(stderr, "%s\n", s->r.answers[k].error.text);
                ok = false;
            }
    }
    return ok;
}

BENCH_COUNTED static bool bench_step_changes(stepper *s) { return run_batch(s); }

static bool drive(arm_result *out, arm_run *run, stepper *s, bool transitions)
{
    for (uint64_t done = 0; done < run->warmup + run->changes; done += BATCH) {
        batch_begin(s);
        for (int i = 0; i < BATCH; i++) {
            workload_change ch;
            workload_next(s->w, &ch);
            add_change(s, ch.deal, &ch.field, &ch.value, 1);
        }
        arm_clock start = arm_start();
        bool ok = bench_step_changes(s);
        uint64_t flips = transitions ? s->r.transition_count : s->r.conditions_flipped;
        /* What one change does to very many waits: it is part of the work. */
        while (ok && s->r.more) {
            batch_begin(s);
            ok = bench_step_changes(s);
            flips += transitions ? s->r.transition_count : 0;
        }
        arm_stop(out, run, start, done);
        if (!ok)
            return false;
        out->flips += flips;
        if (done < run->warmup)
            continue;
        out->timed_flips += flips;
    }
    return true;
}

bool arm_step(arm_result *out, arm_run *run, bool transitions)
{
    stepper *s = calloc(1, sizeof(*s));
    mandate_error err = {0};
    int64_t issuing = 0, suspending = 0;
    bool ok = false;
    *out = (arm_result){.name = transitions ? "engine_transitions" : "engine"};
    if (!s)
        return false;
    s->w = run->w;
    arena_init(&s->memory, 0);
    workload_rewind(run->w);
    engine_options options = {.version = ENGINE_OPTIONS_VERSION,
                              .schema = run->w->schema,
                              .issuer = mandate_slice_str("https://bench.example"),
                              .claims_load = load_claims,
                              .claims_ctx = run->w};
    if (engine_create(&s->e, &options, &err) != MANDATE_OK || !tell_everything(s))
        goto done;
    size_t heap = heap_bytes(), rss = rss_bytes();
    if (!commands(s, COMMAND_ISSUE, &issuing))
        goto done;
    batch_begin(s);
    if (!run_batch(s)) /* lets go of the last batch's results */
        goto done;
    out->bytes = (double)(heap_bytes() - heap) / run->w->mandates;
    out->rss_bytes = ((double)rss_bytes() - (double)rss) / run->w->mandates;
    out->load_ns = (double)issuing / run->w->mandates;
    ok = (transitions || commands(s, COMMAND_SUSPEND, &suspending)) && drive(out, run, s, transitions);
    for (uint32_t i = 0; ok && i < run->w->mandates; i++) {
        engine_mandate_view v;
        engine_mandate_get(s->e, i, &v);
        out->true_at_end += (v.suspended_by & SUSPENDED_BY_CLAUSE) != 0;
    }
    if (ok)
        arm_finish(out, run);
done:
    engine_destroy(s->e);
    arena_deinit(&s->memory);
    free(s);
    return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arm_index - the condition index alone: a change into the context graph, settle, read the list of flips. And the arm it
 * replaces: the same graph and the same compiled programs, but every affected condition is evaluated anew.
 */
#include "bench/peer.h"
#include "bench/ready.h"

#include "engine/condition/ahead.h"
#include "engine/condition/index_int.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct indexer {
    workload *w;
    context *graph;
    timers deadlines;
    condition_index *x;
    condition_template *shape[SHAPE_COUNT];
    condition_edge *edge; /* by mandate */
    uint32_t told;        /* of all flips, folded: each posting is read, whose it is and whether it is true now */
} indexer;

static void deaf(void *ctx, context_entity *entity, uint16_t field, cel_value old, cel_value now) {}

static bool apply(indexer *s, const ready_change *r, context_entity *probably)
{
    return context_apply_near(s->graph, &r->change, &r->origin, probably) == CONTEXT_APPLIED;
}

static bool indexer_init(indexer *s, workload *w)
{
    mandate_error err = {0};
    *s = (indexer){.w = w};
    timers_init(&s->deadlines);
    workload_rewind(w);
    if (context_create(&s->graph, w->schema, deaf, NULL, &err) ||
        condition_index_create(&s->x, s->graph, &s->deadlines, &err))
        return false;
    context_set_observer(s->graph, condition_observe, s->x);
    s->edge = calloc(w->mandates, sizeof(*s->edge));
    for (int k = 0; k < SHAPE_MIX; k++)
        if (condition_compile(&s->shape[k], s->x, mandate_slice_str(workload_text((workload_shape)k)), &err)) {
            fprintf(stderr, "%s\n", err.text);
            return false;
        }
    for (uint32_t i = 0; i < w->deals; i++)
        for (int f = 0; f < FIELD_COUNT; f++) {
            ready_change r;
            ready_make(&r, w, i, (workload_field)f, workload_fact(&w->facts[i], (workload_field)f), 0);
            if (!apply(s, &r, NULL))
                return false;
        }
    return s->edge != NULL;
}

static void indexer_deinit(indexer *s)
{
    condition_index_destroy(s->x);
    context_destroy(s->graph);
    timers_deinit(&s->deadlines);
    free(s->edge);
}

BENCH_COUNTED static bool bench_bind(indexer *s, uint32_t i, const claims *c, uint32_t *position)
{
    return condition_bind(&s->edge[i], s->x, s->shape[workload_terms_of(s->w, i).shape], c->clause[CLAUSE_WHILE], c, NULL) ==
               MANDATE_OK &&
           condition_attach(s->x, s->edge[i], i, CLAUSE_WHILE, position);
}

static bool bind_all(arm_result *out, indexer *s)
{
    bool ok = true;
    arena a;
    arena_init(&a, 0);
    size_t heap = heap_bytes();
    int64_t took = 0;
    for (uint32_t i = 0; ok && i < s->w->mandates; i++) {
        claims c;
        uint32_t position;
        arena_reset(&a);
        workload_claims(s->w, i, CLAUSE_WHILE, &a, &c);
        int64_t start = cpu_ns();
        ok = bench_bind(s, i, &c, &position);
        took += cpu_ns() - start;
    }
    arena_deinit(&a);
    out->load_ns = (double)took / s->w->mandates;
    out->bytes = (double)(heap_bytes() - heap) / s->w->mandates;
    return ok;
}

static const change *change_ahead(void *ready, uint32_t at)
{
    return at < BATCH ? &((const ready_change *)ready)[at].change : NULL;
}

/* Reads everything that a settling tells, posting by posting: who flipped, and what is true now. */
static uint64_t read_flips(const condition_flips *flips, uint32_t count, uint32_t *told)
{
    uint64_t n = 0;
    uint32_t all = 0;
    for (uint32_t i = 0; i < count; i++) {
        const condition_flips f = flips[i];
        if (f.now > TRUTH_TRUE)
            return UINT64_MAX / 2; /* nothing here is ever unknown: no result */
        all += ready_read(f.posts, f.count, f.now);
        n += f.count;
    }
    *told += all;
    return n;
}

BENCH_COUNTED static bool bench_index_changes(indexer *s, const ready_change *ready, uint64_t *flips)
{
    look_ahead look;
    for (uint32_t i = 0; i < BATCH; i++) {
        const condition_flips *list;
        uint32_t count = 0;
        ahead_of(&look, s->graph, s->x, change_ahead, (void *)(uintptr_t)ready, i);
        if (!apply(s, &ready[i], ahead_entity(&look, i)) || !condition_settle(s->x, &list, &count))
            return false;
        *flips += read_flips(list, count, &s->told);
    }
    return true;
}

bool arm_index(arm_result *out, arm_run *run)
{
    indexer s;
    workload_change changes[BATCH];
    ready_change ready[BATCH];
    *out = (arm_result){.name = "index"};
    bool ok = indexer_init(&s, run->w) && bind_all(out, &s);
    for (uint64_t done = 0; ok && done < run->warmup + run->changes; done += BATCH) {
        uint64_t flips = 0;
        ready_batch(ready, changes, run->w, (int64_t)done);
        arm_clock start = arm_start();
        ok = bench_index_changes(&s, ready, &flips);
        arm_stop(out, run, start, done);
        out->flips += flips;
        if (done < run->warmup)
            continue;
        out->timed_flips += flips;
    }
    for (uint32_t i = 0; ok && i < run->w->mandates; i++)
        out->true_at_end += condition_value(s.x, s.edge[i]) == TRUTH_TRUE;
    out->told = s.told;
    indexer_deinit(&s);
    if (ok)
        arm_finish(out, run);
    return ok;
}

/* --- thresholds ------------------------------------------------------------------------------------------------------ */
/* Thresholds 0, 1, ... on one amount, each with a holder. */
static bool bind_thresholds(indexer *s, uint32_t count)
{
    bool ok = true;
    arena a;
    arena_init(&a, 0);
    for (uint32_t i = 0; ok && i < count; i++) {
        claims c;
        uint32_t position;
        arena_reset(&a);
        workload_claims(s->w, i, CLAUSE_WHILE, &a, &c);
        ((cel_entry *)(uintptr_t)c.params.map)[2].value = cel_int(i); /* amount */
        ok = bench_bind(s, i, &c, &position);
    }
    arena_deinit(&a);
    return ok;
}

bool peer_thresholds_index(uint32_t count, double *ns)
{
    enum { BATCHES = 400, WARMUP = 10 };
    static ready_change ready[BATCH];
    workload w;
    indexer s;
    int value = (int)count / 2, step = 1;
    uint64_t flips = 0;
    int64_t took = 0;
    if (!workload_create(&w, SHAPE_THRESHOLD, count, count, 1))
        return false;
    w.facts[0].amount = (int16_t)value;
    bool ok = indexer_init(&s, &w);
    ready_make(&ready[0], &w, 0, FIELD_AMOUNT, value, 0);
    ok = ok && apply(&s, &ready[0], NULL) && bind_thresholds(&s, count);
    for (int b = 0; ok && b < WARMUP + BATCHES; b++) {
        for (int i = 0; i < BATCH; i++) {
            step = value + step < 1 || value + step >= (int)count ? -step : step;
            value += step;
            ready_make(&ready[i], &w, 0, FIELD_AMOUNT, value, b * BATCH + i);
        }
        int64_t start = cpu_ns();
        ok = bench_index_changes(&s, ready, &flips);
        took += b < WARMUP ? 0 : cpu_ns() - start;
    }
    *ns = (double)took / (BATCHES * BATCH);
    indexer_deinit(&s);
    workload_destroy(&w);
    return ok && flips == (uint64_t)(WARMUP + BATCHES) * BATCH;
}

/* --- naive ---------------------------------------------------------------------------------------------------------- */
/* What an evaluation needs, and nothing else, side by side: the naive arm is not made slow by waste. */
typedef struct naive_mandate {
    cel_entry params[4];
    char deal[24];
    const cel_program *program;
    uint32_t reads;
    bool holds;
} naive_mandate;

static void naive_init(naive_mandate *m, const claims *c)
{
    memcpy(m->params, c->params.map, sizeof(m->params));
    memcpy(m->deal, m->params[0].value.s, m->params[0].value.len);
    m->params[0].value.s = m->deal;
}

static bool evaluate(indexer *s, const naive_mandate *m)
{
    const claims c = {.params = cel_map(m->params, 4)};
    reading r = {.index = s->x, .claims = &c};
    arena_reset(&s->x->scratch);
    return truth_of_value(condition_run(s->x, m->program, &r, NULL, &s->x->scratch)) == TRUTH_TRUE;
}

bool arm_naive(arm_result *out, arm_run *run)
{
    workload *w = run->w;
    naive_mandate *mandates = calloc(w->mandates, sizeof(*mandates));
    workload_change changes[BATCH];
    ready_change ready[BATCH];
    indexer s;
    arena a;
    arena_init(&a, 0);
    *out = (arm_result){.name = "naive_cel"};
    bool ok = indexer_init(&s, w) && mandates;
    for (uint32_t i = 0; ok && i < w->mandates; i++) {
        workload_shape kind = (workload_shape)workload_terms_of(w, i).shape;
        claims c;
        arena_reset(&a);
        workload_claims(w, i, CLAUSE_WHILE, &a, &c);
        naive_init(&mandates[i], &c);
        mandates[i].program = s.shape[kind]->program;
        mandates[i].reads = workload_reads(kind);
        mandates[i].holds = evaluate(&s, &mandates[i]);
    }
    for (uint64_t done = 0; ok && done < run->warmup + run->changes; done += BATCH) {
        uint64_t flips = 0, touched = 0;
        ready_batch(ready, changes, w, (int64_t)done);
        arm_clock start = arm_start();
        for (int i = 0; i < BATCH; i++) {
            const uint32_t *holder = &w->holders[(size_t)changes[i].deal * w->fanout];
            ok &= apply(&s, &ready[i], NULL);
            for (uint32_t k = 0; k < w->holder_count[changes[i].deal]; k++) {
                naive_mandate *m = &mandates[holder[k]];
                if (!(m->reads >> changes[i].field & 1))
                    continue; /* it knows which attributes a text names, and evaluates only those */
                bool now = evaluate(&s, m);
                flips += now != m->holds;
                m->holds = now;
                touched++;
            }
        }
        arm_stop(out, run, start, done);
        out->flips += flips;
        if (done < run->warmup)
            continue;
        out->timed_flips += flips;
        out->touched += touched;
    }
    for (uint32_t i = 0; ok && i < w->mandates; i++)
        out->true_at_end += mandates[i].holds;
    indexer_deinit(&s);
    arena_deinit(&a);
    free(mandates);
    if (ok)
        arm_finish(out, run);
    return ok;
}

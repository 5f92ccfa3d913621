/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revoke-all - one event ends very many mandates, through engine and store on disk, while other records keep coming. How
 * they hang together is the shape: `cascade`, all below one root; `shared`, each holds the same condition; `own`, each has
 * a condition with a constant of its own, and one value passes them all.
 *
 * It does what the daemon does: a step is written, another thread syncs, before and during. Other records are offered in sets at fixed
 * moments; in between, while there is something to record, the engine records. Reported: whether every mandate reads as
 * ended after the event's own step, how long a set waits from being offered to being stepped and written (before: alone; during: for the slice that is running,
 * and for the one beside it), how many transitions a second are durable, and that each mandate got exactly one.
 */
#include "bench/command.h"

#include "bench/arm.h"
#include "bench/held.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    OTHERS = 256,
    SETS_MAX = HELD_INPUTS / OTHERS - 1,
    QUIET_STEPS = 400,
    OFFERED_EVERY = 6 /* times what a quiet step takes */
};

typedef enum shape { CASCADE, SHARED, OWN, SHAPES } shape;
static const char *const shape_names[SHAPES] = {"cascade", "shared", "own"};

typedef struct revoke_run {
    held h;
    shape shape;
    bool prepare; /* issue, and leave the database to whoever wants it */
    workload w;
    double *step_ms;           /* of a set of records: from offered to written */
    double *own_ms, *slice_ms; /* of a step with sets, and of one without: from begun to written */
    uint32_t steps, slices, owns;
    uint64_t cascaded;
    bool ended;
} revoke_run;

static shape shape_of(const char *name)
{
    int s = 0;
    while (s < SHAPES && strcmp(name, shape_names[s]) != 0)
        s++;
    return (shape)s;
}

static claims *node(revoke_run *r, uint32_t number)
{
    claims *c = ARENA_NEW(&r->h.memory, claims);
    char id[24];
    workload_claims(&r->w, number, CLAUSE_WHILE, &r->h.memory, c);
    if (r->shape != CASCADE) {
        workload_deal_id(id, r->w.deal_of[0]);
        c->clause[CLAUSE_WHILE] =
            arena_printf(&r->h.memory, "crm.deal[\"%s\"].amount >= %d", id, r->shape == OWN ? -(int)number : 0);
    } else if (number > 0) {
        workload_mandate_id(id, 0);
        c->parent = arena_dup(&r->h.memory, mandate_slice_str(id));
        c->clause[CLAUSE_WHILE] = mandate_slice_of(NULL, 0);
    } else {
        c->clause[CLAUSE_WHILE] = mandate_slice_str("crm.deal[mandate.params.deal].amount >= 0");
    }
    return c;
}

/* The deal stands for nothing else: its row is what ends the root, or all. It passes every constant. */
static void tell_amount(revoke_run *r, int64_t amount)
{
    held_tell(&r->h, r->w.deal_of[0]);
    ((change_set *)(uintptr_t)r->h.inputs[r->h.count - 1].changes->sets)[FIELD_AMOUNT].value = cel_int(amount);
}

static void tell_end(revoke_run *r) { tell_amount(r, -1 - (int64_t)r->w.mandates); }

static void tell_others(revoke_run *r)
{
    for (int i = 0; i < OTHERS; i++) {
        workload_change next;
        do
            workload_next(&r->w, &next);
        while (next.deal == r->w.deal_of[0]);
        held_tell(&r->h, next.deal);
    }
}

static void keep(double **values, uint32_t *count, int64_t ns)
{
    *values = realloc(*values, (*count + 1) * sizeof(**values));
    (*values)[(*count)++] = (double)ns / 1e6;
}

/* The sets that were offered by now, the first at `offered`, each `every_ns` after the one before. Returns how many; 0: it failed. */
static int step(revoke_run *r, bool end, int64_t offered, int64_t every_ns)
{
    int sets = 0;
    int64_t now = wall_ns();
    held_begin(&r->h);
    if (end)
        tell_end(r);
    else if (r->ended && r->steps % 8 == 0)
        tell_amount(r, r->steps); /* and again, while most of them wait for their record */
    do
        tell_others(r);
    while (++sets < SETS_MAX && every_ns && offered + sets * every_ns <= now);
    bool ok = held_step(&r->h);
    int64_t begun = now;
    now = wall_ns();
    keep(&r->own_ms, &r->owns, now - begun);
    r->step_ms = realloc(r->step_ms, (r->steps + (size_t)sets) * sizeof(*r->step_ms));
    for (int i = 0; i < sets; i++)
        r->step_ms[r->steps++] = (double)(now - offered - i * every_ns) / 1e6;
    r->cascaded += r->h.result.transition_count;
    r->ended |= end;
    return ok ? sets : 0;
}

static void wait_until(int64_t at_ns)
{
    for (int64_t left; (left = at_ns - wall_ns()) > 0;) {
        struct timespec nap = {left / 1000000000, left % 1000000000};
        nanosleep(&nap, NULL);
    }
}

/* Nothing waits: some of what is to be recorded. */
static bool slice(revoke_run *r)
{
    held_begin(&r->h);
    int64_t begun = wall_ns();
    bool ok = held_step(&r->h);
    keep(&r->slice_ms, &r->slices, wall_ns() - begun);
    r->cascaded += r->h.result.transition_count;
    return ok;
}

/* Sets come when they come, whatever is going on. */
static bool record_all(revoke_run *r, int64_t every_ns)
{
    bool ok = true;
    int64_t next = wall_ns() + every_ns;
    while (ok && r->h.result.more) {
        if (wall_ns() < next) {
            if (held_may_go_on(&r->h, next))
                ok = slice(r);
            continue;
        }
        int sets = step(r, false, next, every_ns);
        next += sets * every_ns;
        ok = sets > 0;
    }
    return ok && held_drain(&r->h);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static double percentile(const double *values, uint32_t count, double p)
{
    double *copy = malloc(count * sizeof(*copy));
    for (uint32_t i = 0; i < count; i++)
        copy[i] = values[i];
    qsort(copy, count, sizeof(*copy), by_value);
    double out = copy[(uint32_t)((double)(count - 1) * p)];
    free(copy);
    return out;
}

static bool all_ended(const revoke_run *r)
{
    for (uint32_t i = 0; i < engine_mandate_count(r->h.engine); i++)
        if (engine_effective_state(r->h.engine, i, engine_now_us(r->h.engine), NULL) == STATE_ACTIVE)
            return false;
    return true;
}

static bool issue_all(revoke_run *r)
{
    bool ok = true;
    for (uint32_t deal = 0; ok && deal < r->w.deals;) {
        held_begin(&r->h);
        while (r->h.count < HELD_INPUTS && deal < r->w.deals)
            held_tell(&r->h, deal++);
        ok = held_step(&r->h);
    }
    for (uint32_t m = 0; ok && m < r->w.mandates;) {
        held_begin(&r->h);
        for (; r->h.count < HELD_INPUTS && m < r->w.mandates; m++)
            held_issue(&r->h, node(r, m));
        ok = held_step(&r->h);
    }
    return ok;
}

/* The last transition in the store is the end, and says what the event said. */
static bool same_evidence(const revoke_run *r, mandate_slice id)
{
    transition t;
    transition_names names;
    buf bytes;
    arena a;
    buf_init(&bytes);
    arena_init(&a, 0);
    bool ok = store_transition_get(r->h.store, id, 0, &bytes, NULL) == MANDATE_OK &&
              transition_decode(&t, &names, &a, buf_slice(&bytes), NULL) == MANDATE_OK && t.term_count == 1 &&
              t.terms[0].value.kind == CEL_INT && t.terms[0].value.i == -1 - (int64_t)r->w.mandates;
    arena_deinit(&a);
    buf_deinit(&bytes);
    return ok;
}

/* Each mandate: two versions, the second its end. */
static bool each_once(const revoke_run *r)
{
    for (uint32_t i = 0; i < engine_mandate_count(r->h.engine); i++) {
        engine_mandate_view v;
        engine_mandate_get(r->h.engine, i, &v);
        bool falls = r->shape == CASCADE && i > 0;
        if (v.version != 2 || v.state != (falls ? STATE_CASCADED : STATE_REVOKED) || (!falls && !same_evidence(r, v.id)))
            return false;
    }
    return true;
}

/* What ends them all: this deal, with that amount. */
static int prepared(revoke_run *r, unsigned long mandates, bool ok)
{
    char id[24];
    workload_deal_id(id, r->w.deal_of[0]);
    ok = ok && held_flush(&r->h);
    if (ok)
        printf("{\"record\":\"prepared\",\"mandates\":%lu,\"deal\":\"%s\",\"amount\":%lld}\n", mandates, id,
               -1 - (long long)mandates);
    held_close(&r->h);
    workload_destroy(&r->w);
    free(r);
    return ok ? 0 : 1;
}

int cmd_revoke_all(int argc, char **argv)
{
    static const struct option options[] = {{"mandates", 1, NULL, 'm'},
                                            {"dir", 1, NULL, 'd'},
                                            {"shape", 1, NULL, 's'},
                                            {"prepare", 0, NULL, 'p'},
                                            {NULL, 0, NULL, 0}};
    unsigned long mandates = 1000000;
    const char *directory = NULL;
    revoke_run *r = calloc(1, sizeof(*r));
    int c;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'm')
            mandates = strtoul(optarg, NULL, 10);
        else if (c == 'd')
            directory = optarg;
        else if (c == 's' && r)
            r->shape = shape_of(optarg);
        else if (c == 'p' && r)
            r->prepare = true;
    }
    if (!directory || mandates < 2 || !r || r->shape == SHAPES) {
        fprintf(stderr, "mandate-bench revoke-all --dir EMPTY-FOLDER [--mandates 1000000] [--shape cascade|shared|own] "
                        "[--prepare]\n");
        return 2;
    }
    print_run("revoke-all", argc, argv);
    if (!workload_create(&r->w, SHAPE_THRESHOLD, (uint32_t)mandates, 100, 1))
        return 1;
    bool ok = held_open(&r->h, &r->w, directory) && r->h.seq == 0 && issue_all(r);
    if (r->prepare)
        return prepared(r, mandates, ok);
    ok = ok && held_flow(&r->h);
    int64_t every_ns = 1000000;
    for (int i = 0; ok && i < QUIET_STEPS; i++) {
        wait_until(wall_ns() + every_ns);
        ok = step(r, false, wall_ns(), 0) > 0; /* not from when it was to wake: that is the machine's, and flatters */
        if (i == QUIET_STEPS / 2)
            every_ns = (int64_t)(OFFERED_EVERY * 1e6 * percentile(r->step_ms, r->steps, 0.5));
    }
    uint32_t quiet = r->steps, quiet_owns = r->owns;
    r->cascaded = 0;
    int64_t began = wall_ns(), cpu = cpu_ns();
    ok = ok && step(r, true, began, 0) > 0;
    bool denied = ok && all_ended(r);
    ok = ok && record_all(r, every_ns);
    double seconds = (double)(wall_ns() - began) / 1e9, cpu_us = (double)(cpu_ns() - cpu) / 1e3;
    bool once = ok && each_once(r);
    uint32_t during = r->steps - quiet - 1;
    if (ok && during)
        printf(
            "{\"record\":\"revoke_all\",\"shape\":\"%s\",\"mandates\":%lu,\"denied_from_first_commit\":%s,\"each_once\":%s,"
            "\"transitions\":%llu,"
            "\"steps\":%u,\"slices\":%u,\"offered_every_ms\":%.2f,\"seconds\":%.3f,\"transitions_per_second\":%.0f,\"engine_"
            "cpu_us_per_transition\":%.2f,"
            "\"step_ms_before\":{\"p50\":%.2f,\"p99\":%.2f},\"first_step_ms\":%.2f,\"step_ms_during\":{\"p50\":%.2f,"
            "\"p99\":%.2f},\"own_ms_before\":%.3f,\"own_ms_during\":%.3f,\"slice_ms\":{\"p50\":%.3f,\"p99\":%.3f}}\n",
            shape_names[r->shape], mandates, denied ? "true" : "false", once ? "true" : "false",
            (unsigned long long)r->cascaded, during, r->slices, (double)every_ns / 1e6, seconds,
            (double)r->cascaded / seconds, cpu_us / (double)r->cascaded, percentile(r->step_ms, quiet, 0.5),
            percentile(r->step_ms, quiet, 0.99), r->step_ms[quiet], percentile(r->step_ms + quiet + 1, during, 0.5),
            percentile(r->step_ms + quiet + 1, during, 0.99), percentile(r->own_ms, quiet_owns, 0.5),
            percentile(r->own_ms + quiet_owns + 1, r->owns - quiet_owns - 1, 0.5), percentile(r->slice_ms, r->slices, 0.5),
            percentile(r->slice_ms, r->slices, 0.99));
    ok = ok && denied && once && r->cascaded == mandates;
    held_close(&r->h);
    workload_destroy(&r->w);
    free(r->step_ms);
    free(r->own_ms);
    free(r->slice_ms);
    free(r);
    return ok ? 0 : 1;
}

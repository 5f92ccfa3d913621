/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revoke-all - one event ends very many mandates, through engine and store on disk, while other records keep coming. How
 * they hang together is the shape: `cascade`, all below one root; `shared`, each holds the same condition; `own`, each has
 * a condition with a constant of its own, and one value passes them all.
 *
 * Every step takes a full set of other records, as before the event. Reported: whether every mandate reads as ended after the
 * event's own commit, how long a step with its commit takes before, at and during the cascade, how many transitions a second are
 * committed, and that each mandate got exactly one.
 */
#include "bench/command.h"

#include "bench/arm.h"
#include "bench/held.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OTHERS = 256, QUIET_STEPS = 200 };

typedef enum shape { CASCADE, SHARED, OWN, SHAPES } shape;
static const char *const shape_names[SHAPES] = {"cascade", "shared", "own"};

typedef struct revoke_run {
    held h;
    shape shape;
    workload w;
    double *step_ms;
    uint32_t steps;
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

static bool step(revoke_run *r, bool end)
{
    held_begin(&r->h);
    if (end)
        tell_end(r);
    else if (r->ended && r->steps % 8 == 0)
        tell_amount(r, r->steps); /* and again, while most of them wait for their record */
    tell_others(r);
    int64_t began = wall_ns();
    bool ok = held_step(&r->h);
    r->step_ms = realloc(r->step_ms, (r->steps + 1) * sizeof(*r->step_ms));
    r->step_ms[r->steps++] = (double)(wall_ns() - began) / 1e6;
    r->cascaded += r->h.result.transition_count;
    r->ended |= end;
    return ok;
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

int cmd_revoke_all(int argc, char **argv)
{
    static const struct option options[] = {
        {"mandates", 1, NULL, 'm'}, {"dir", 1, NULL, 'd'}, {"shape", 1, NULL, 's'}, {NULL, 0, NULL, 0}};
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
    }
    if (!directory || mandates < 2 || !r || r->shape == SHAPES) {
        fprintf(stderr, "mandate-bench revoke-all --dir EMPTY-FOLDER [--mandates 1000000] [--shape cascade|shared|own]\n");
        return 2;
    }
    print_run("revoke-all", argc, argv);
    if (!workload_create(&r->w, SHAPE_THRESHOLD, (uint32_t)mandates, 100, 1))
        return 1;
    bool ok = held_open(&r->h, &r->w, directory) && r->h.seq == 0 && issue_all(r);
    for (int i = 0; ok && i < QUIET_STEPS; i++)
        ok = step(r, false);
    uint32_t quiet = r->steps;
    r->cascaded = 0;
    ok = ok && step(r, true);
    bool denied = ok && all_ended(r);
    int64_t began = wall_ns(), cpu = cpu_ns();
    while (ok && r->h.result.more)
        ok = step(r, false);
    double seconds = (double)(wall_ns() - began) / 1e9, cpu_us = (double)(cpu_ns() - cpu) / 1e3;
    bool once = ok && each_once(r);
    uint32_t during = r->steps - quiet - 1;
    if (ok && during)
        printf(
            "{\"record\":\"revoke_all\",\"shape\":\"%s\",\"mandates\":%lu,\"denied_from_first_commit\":%s,\"each_once\":%s,"
            "\"transitions\":%llu,"
            "\"steps\":%u,\"seconds\":%.3f,\"transitions_per_second\":%.0f,\"engine_cpu_us_per_transition\":%.2f,"
            "\"step_ms_before\":{\"p50\":%.2f,\"p99\":%.2f},\"first_step_ms\":%.2f,\"step_ms_during\":{\"p50\":%.2f,"
            "\"p99\":%.2f}}\n",
            shape_names[r->shape], mandates, denied ? "true" : "false", once ? "true" : "false",
            (unsigned long long)r->cascaded, during, seconds, (double)r->cascaded / seconds, cpu_us / (double)r->cascaded,
            percentile(r->step_ms, quiet, 0.5), percentile(r->step_ms, quiet, 0.99), r->step_ms[quiet],
            percentile(r->step_ms + quiet + 1, during, 0.5), percentile(r->step_ms + quiet + 1, during, 0.99));
    ok = ok && denied && once && r->cascaded == mandates;
    held_close(&r->h);
    workload_destroy(&r->w);
    free(r->step_ms);
    free(r);
    return ok ? 0 : 1;
}

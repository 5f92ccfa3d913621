/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_cases - what the engine does beside equality and AND: many thresholds on one attribute, conditions over references, armed
 * timers, a source that falls silent, mandates that come and go. One JSON line a case; every count is checked against what
 * it must be by construction, and a case that differs is no result.
 */
#include "bench/arm.h"
#include "bench/case_rig.h"
#include "bench/command.h"
#include "bench/peer.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct case_sizes {
    uint32_t thresholds, references, timers, storm, entities,
        churn; /* entities: of the source of the storm, 0: as many as attributes */
    double scale;
    const char *drools; /* its program, NULL: not here */
} case_sizes;

static int double_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double p99_of(double *values, uint32_t count)
{
    qsort(values, count, sizeof(*values), double_order);
    return values[(count * 99 + 99) / 100 - 1];
}

static bool differs(const char *what, uint64_t got, uint64_t expected)
{
    if (got == expected)
        return false;
    fprintf(stderr, "NO RESULT: %s: %llu, must be %llu\n", what, (unsigned long long)got, (unsigned long long)expected);
    return true;
}

/* --- thresholds: n moves by one, so that exactly one of them flips ---------------------------------------------------------- */
static bool thresholds(case_rig *g, const case_sizes *z)
{
    enum { BATCHES = 400 };
    static double batch_ns[BATCHES];
    uint32_t count = z->thresholds;
    uint64_t flips = 0;
    int64_t load = 0, total = 0;
    int value = (int)count / 2, step = 1;
    case_set(g, 0, g->n, cel_int(value));
    bool ok = case_step(g);
    size_t heap = heap_bytes();
    for (uint32_t i = 0; ok && i < count; load += g->ns) {
        for (; g->count < 256 && i < count; i++)
            case_watch(g, i, "t.x[\"x-0\"].n < %u", i);
        ok = case_step(g);
    }
    double bytes = (double)(heap_bytes() - heap) / count;
    for (uint32_t b = 0; ok && b < BATCHES; b++) {
        for (int i = 0; i < 256; i++) {
            if (value + step < 1 || value + step >= (int)count)
                step = -step;
            value += step;
            case_set(g, 0, g->n, cel_int(value));
        }
        ok = case_step(g);
        batch_ns[b] = (double)g->ns / 256;
        total += g->ns;
        flips += g->r.flip_count;
    }
    double each_ns = (double)total / (BATCHES * 256), index = 0, loop = 0, clips = 0, drools = 0;
    if (!ok || differs("flips of thresholds", flips, BATCHES * 256))
        return false;
    if (!peer_thresholds_index(count, &index) || !peer_thresholds_loop(count, &loop))
        return false;
    bool rival = peer_thresholds_clips(count, &clips), process = peer_thresholds_process(z->drools, count, &drools);
    printf("{\"record\":\"case\",\"case\":\"thresholds\",\"conditions\":%u,\"changes\":%d,\"flips\":%llu,\"ns_per_change\":%"
           ".1f,"
           "\"ns_per_flip\":%.1f,\"p99_batch_ns_per_change\":%.1f,\"load_ns\":%.1f,\"heap_bytes\":%.1f,\"index_ns\":%.1f,"
           "\"c_loop_ns\":%.1f",
           count, BATCHES * 256, (unsigned long long)flips, each_ns, each_ns, p99_of(batch_ns, BATCHES),
           (double)load / count, bytes, index, loop);
    if (rival)
        printf(",\"clips_ns\":%.1f", clips);
    if (process)
        printf(",\"drools_ns\":%.1f", drools);
    printf("}\n");
    fprintf(stderr,
            "thresholds   %8u on one attribute: %8.0f ns a change of one flip, the index alone %.0f; C loop %.0f ns (%.0fx)",
            count, each_ns, index, loop, loop / index);
    if (rival)
        fprintf(stderr, ", CLIPS %.0f ns (%.0fx)", clips, clips / each_ns);
    if (process)
        fprintf(stderr, ", Drools %.0f ns (%.0fx)", drools, drools / each_ns);
    fprintf(stderr, "\n");
    return true;
}

/* --- references: one of many conversations changes its status ----------------------------------------------------------------- */
static bool references(case_rig *g, const case_sizes *z)
{
    enum { OWNERS = 20, BATCHES = 40 };
    uint32_t each = z->references;
    uint64_t flips = 0;
    int64_t total = 0;
    bool ok = true;
    for (uint32_t i = 0; ok && i < OWNERS * each;) {
        for (; g->count + 2 <= CASE_INPUTS && i < OWNERS * each; i++) {
            case_refer(g, i, i % OWNERS);
            case_set(g, i, g->s, cel_string(mandate_slice_str("shut")));
        }
        ok = case_step(g);
    }
    for (uint32_t i = 0; ok && i < OWNERS; i++) {
        case_watch(g, i, "t.o[\"o-%u\"].xs.exists(x, x.s == \"open\")", i);
        case_watch(g, OWNERS + i, "t.o[\"o-%u\"].xs.all(x, x.s == \"shut\")", i);
    }
    ok = ok && case_step(g);
    /* One opens and shuts again: both watches of its owner flip each time. */
    for (uint32_t b = 0; ok && b < BATCHES; b++) {
        for (uint32_t i = 0; i < 128; i++) {
            uint32_t x = (b * 128 + i) * 7919 % (OWNERS * each);
            case_set(g, x, g->s, cel_string(mandate_slice_str("open")));
            case_set(g, x, g->s, cel_string(mandate_slice_str("shut")));
        }
        ok = case_step(g);
        total += g->ns;
        flips += g->r.flip_count;
    }
    if (!ok || differs("flips over references", flips, (uint64_t)BATCHES * 256 * 2))
        return false;
    double each_ns = (double)total / (BATCHES * 256);
    printf("{\"record\":\"case\",\"case\":\"references\",\"references\":%u,\"owners\":%d,\"changes\":%d,\"flips\":%llu,"
           "\"ns_per_change\":%.1f,\"ns_per_flip\":%.1f}\n",
           each, OWNERS, BATCHES * 256, (unsigned long long)flips, each_ns, each_ns / 2);
    fprintf(stderr, "references   %8u to each owner:     %8.0f ns a change that flips exists and all\n", each, each_ns);
    return true;
}

/* --- timers: as many armed as there are mandates; time passes and some come due ------------------------------------------------ */
static bool issue_all(case_rig *g, uint32_t count, int64_t *took)
{
    bool ok = true;
    *took = 0;
    for (uint32_t i = 0; ok && i < count; *took += g->ns) {
        for (; g->count < CASE_INPUTS && i < count; i++)
            case_issue(g, i);
        ok = case_step(g);
    }
    return ok;
}

static bool timers(case_rig *g, const case_sizes *z)
{
    enum { TICKS = 50, EACH = 1000 };
    uint32_t count = z->timers;
    uint64_t ended = 0;
    int64_t issuing, total = 0;
    g->expires_us = CASE_START + 3600 * CASE_SECOND;
    g->expires_each = EACH;
    size_t heap = heap_bytes();
    bool ok = issue_all(g, count, &issuing);
    double bytes = (double)(heap_bytes() - heap) / count;
    for (uint32_t t = 0; ok && t < TICKS && t < count / EACH; t++) {
        g->now_us = CASE_START + (3600 + (int64_t)t) * CASE_SECOND;
        do {
            ok = case_step(g);
            total += g->ns;
            ended += g->r.transition_count;
        } while (ok && g->r.more);
    }
    uint64_t expected = (uint64_t)(count / EACH < TICKS ? count / EACH : TICKS) * EACH;
    if (!ok || differs("deadlines served", ended, expected))
        return false;
    double each = (double)total / (double)ended;
    printf("{\"record\":\"case\",\"case\":\"timers\",\"armed\":%u,\"served\":%llu,\"ns_per_deadline\":%.1f,\"load_ns\":%.1f,"
           "\"heap_bytes\":%.1f}\n",
           count, (unsigned long long)ended, each, (double)issuing / count, bytes);
    fprintf(stderr,
            "timers       %8u armed:             %8.0f ns a deadline (with the transition it makes); %.0f ns to issue\n",
            count, each, (double)issuing / count);
    return true;
}

/* --- an unknown storm: the source of all attributes falls silent, and comes back ------------------------------------------------- */
static bool storm(case_rig *g, const case_sizes *z)
{
    uint32_t count = z->storm, entities = z->entities > count ? z->entities : count;
    int64_t issuing, silent, back;
    bool ok = true;
    g->clause = "t.x[mandate.params.x].s == \"shut\"";
    for (uint32_t i = 0; ok && i < entities;) {
        for (; g->count < CASE_INPUTS && i < entities; i++)
            case_set(g, i, g->s, cel_string(mandate_slice_str("open")));
        ok = case_step(g);
    }
    ok = ok && issue_all(g, count, &issuing);
    case_source(g, SOURCE_SILENT);
    ok = ok && case_step(g);
    silent = g->ns;
    uint64_t flips = g->r.conditions_flipped;
    case_source(g, SOURCE_LIVE);
    ok = ok && case_step(g);
    back = g->ns;
    if (!ok || differs("conditions that turn unknown", flips, count) ||
        differs("conditions that are known again", g->r.conditions_flipped, count))
        return false;
    printf("{\"record\":\"case\",\"case\":\"storm\",\"attributes\":%u,\"entities\":%u,\"silent_ms\":%.2f,\"back_ms\":%.2f,"
           "\"ns_per_flip\":%.1f,"
           "\"load_ns\":%.1f}\n",
           count, entities, (double)silent / 1e6, (double)back / 1e6, (double)(silent + back) / 2 / count,
           (double)issuing / count);
    fprintf(stderr, "storm        %8u attributes:        %8.0f ns a flip; %.1f ms to silence, %.1f ms back\n", count,
            (double)(silent + back) / 2 / count, (double)silent / 1e6, (double)back / 1e6);
    return true;
}

/* --- churn: as many end as begin, round after round --------------------------------------------------------------------------------- */
static bool churn(case_rig *g, const case_sizes *z)
{
    enum { ROUNDS = 8 };
    uint32_t live = z->churn, first = 0, next = live;
    int64_t issuing, begin = 0, end = 0;
    g->clause = "t.x[mandate.params.x].s == \"shut\"";
    bool ok = issue_all(g, live, &issuing);
    size_t heap = 0;
    for (int round = 0; ok && round < ROUNDS; round++) {
        for (uint32_t done = 0; ok && done < live / 4; done += 1024) {
            for (uint32_t i = 0; i < 1024; i++)
                case_issue(g, next++);
            ok = case_step(g);
            begin += g->ns;
            for (uint32_t i = 0; i < 1024; i++)
                case_end(g, first++);
            ok = ok && case_step(g);
            end += g->ns;
        }
        if (round == 0)
            heap = heap_bytes();
    }
    if (!ok)
        return false;
    double n = (double)(next - live), grown = ((double)heap_bytes() - (double)heap) / (n * (ROUNDS - 1) / ROUNDS);
    printf("{\"record\":\"case\",\"case\":\"churn\",\"live\":%u,\"issued\":%.0f,\"ns_per_issue\":%.1f,\"ns_per_end\":%.1f,"
           "\"bytes_left_per_ended\":%.1f}\n",
           live, n, (double)begin / n, (double)end / n, grown);
    fprintf(stderr,
            "churn        %8u live:              %8.0f ns to issue, %.0f ns to end; an ended one leaves %.0f bytes\n", live,
            (double)begin / n, (double)end / n, grown);
    return true;
}

/* --- the command -------------------------------------------------------------------------------------------------------------------- */
static const struct {
    const char *name;
    bool (*run)(case_rig *g, const case_sizes *z);
} cases[] = {{"thresholds", thresholds}, {"references", references}, {"timers", timers}, {"storm", storm}, {"churn", churn}};
enum { CASE_COUNT = sizeof(cases) / sizeof(*cases) };

int cmd_cases(int argc, char **argv)
{
    static const struct option options[] = {{"timers", 1, NULL, 't'}, {"storm", 1, NULL, 's'}, {"entities", 1, NULL, 'e'},
                                            {"drools", 1, NULL, 'd'}, {"quick", 0, NULL, 'q'}, {NULL, 0, NULL, 0}};
    case_sizes z = {.thresholds = 10000, .references = 1000, .timers = 1000000, .storm = 100000, .churn = 100000};
    case_rig *g = calloc(1, sizeof(*g));
    bool ok = g != NULL, known = false;
    int c;
    while (g && (c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 't')
            z.timers = (uint32_t)strtoul(optarg, NULL, 10);
        else if (c == 's')
            z.storm = (uint32_t)strtoul(optarg, NULL, 10);
        else if (c == 'e')
            z.entities = (uint32_t)strtoul(optarg, NULL, 10);
        else if (c == 'd')
            z.drools = optarg;
        else if (c == 'q')
            z = (case_sizes){.thresholds = 10000,
                             .references = 200,
                             .timers = 200000,
                             .storm = 100000,
                             .churn = 20000,
                             .drools = z.drools};
        else
            ok = false;
    }
    const char *only = optind < argc ? argv[optind] : NULL;
    for (int i = 0; i < CASE_COUNT; i++)
        known |= !only || strcmp(only, cases[i].name) == 0;
    if (!ok || !known || z.timers < 1000 || z.storm == 0) {
        fprintf(stderr, "mandate-bench cases [--quick] [--timers N] [--storm ATTRIBUTES] [--entities N] [--drools PROGRAM] "
                        "[thresholds|references|timers|storm|churn]\n");
        free(g);
        return 2;
    }
    print_run("cases", argc, argv);
    for (int i = 0; ok && i < CASE_COUNT; i++) {
        if (only && strcmp(only, cases[i].name) != 0)
            continue;
        ok = case_rig_init(g) && cases[i].run(g, &z);
        case_rig_deinit(g);
        fflush(stdout);
    }
    free(g);
    return ok ? 0 : 1;
}

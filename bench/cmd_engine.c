/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_engine - all arms on one workload, in one process, one after the other; JSON lines on stdout, a table on stderr. */
#include "bench/command.h"

#include "bench/arm.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

enum { ARM_COUNT = 6 };

typedef struct engine_run {
    workload w;
    arm_run run;
    arm_result arm[ARM_COUNT];
    int arms;
} engine_run;

static void print_arm(const arm_result *r, const arm_result *loop)
{
    printf("{\"record\":\"arm\",\"arm\":\"%s\",\"changes\":%llu,\"flips\":%llu,\"true_at_end\":%llu,\"ns_per_change\":%.1f,"
           "\"wall_ns_per_change\":%.1f,\"ns_per_flip\":%.1f,\"p50_batch_ns_per_change\":%.1f,\"p99_batch_ns_per_change\":%."
           "1f,\"load_ns_per_mandate\":%.1f,"
           "\"heap_bytes_per_mandate\":%.1f,"
           "\"rss_bytes_per_mandate\":%.1f,\"touched_per_change\":%.2f,\"c_loop_ratio\":%.2f}\n",
           r->name, (unsigned long long)r->changes, (unsigned long long)r->flips, (unsigned long long)r->true_at_end,
           r->change_ns, r->wall_ns, r->flip_ns, r->p50_ns, r->p99_ns, r->load_ns, r->bytes, r->rss_bytes,
           (double)r->touched / (double)r->changes, loop->change_ns / r->change_ns);
    fprintf(stderr, "%-20s %12.1f %12.1f %12.1f %10.1f %12.1f %10.1f %12llu %8.2fx\n", r->name, r->change_ns, r->p50_ns,
            r->p99_ns, r->flip_ns, r->load_ns, r->bytes, (unsigned long long)r->flips, loop->change_ns / r->change_ns);
}

static bool same_work(const engine_run *b)
{
    for (int i = 1; i < b->arms; i++) {
        const arm_result *x = &b->arm[0], *y = &b->arm[i];
        if (arm_same(x, y))
            continue;
        fprintf(stderr, "NO RESULT: %s counted %llu flips and %llu true at the end, %s %llu and %llu\n", x->name,
                (unsigned long long)x->flips, (unsigned long long)x->true_at_end, y->name, (unsigned long long)y->flips,
                (unsigned long long)y->true_at_end);
        return false;
    }
    return true;
}

/* The loop by hand and one other arm: for a profile. */
static bool measure_one(engine_run *b, const char *name)
{
    b->arms = 2;
    if (!arm_loop(&b->arm[0], &b->run, false))
        return false;
    if (strcmp(name, "index") == 0)
        return arm_index(&b->arm[1], &b->run);
    if (strcmp(name, "naive") == 0)
        return arm_naive(&b->arm[1], &b->run);
    return arm_step(&b->arm[1], &b->run, strcmp(name, "transitions") == 0);
}

static bool measure(engine_run *b, bool transitions)
{
    bool ok = arm_loop(&b->arm[0], &b->run, false) && arm_naive(&b->arm[1], &b->run) && arm_index(&b->arm[2], &b->run) &&
              arm_step(&b->arm[3], &b->run, false) && arm_loop(&b->arm[4], &b->run, true) &&
              (!transitions || arm_step(&b->arm[5], &b->run, true));
    b->arms = transitions ? 6 : 5;
    return ok;
}

static void report(const engine_run *b)
{
    const arm_result *loop = &b->arm[0], *naive = &b->arm[1];
    fprintf(stderr, "%-20s %12s %12s %12s %10s %12s %10s %12s %9s\n", "arm", "ns/change", "p50", "p99", "ns/flip",
            "load ns/m", "bytes/m", "flips", "vs loop");
    for (int i = 0; i < b->arms; i++)
        print_arm(&b->arm[i], loop);
    if (b->arms < 5)
        return;
    printf("{\"record\":\"ratios\",\"index_over_naive\":%.2f,\"index_over_c_loop\":%.2f,\"engine_over_naive\":%.2f,\"engine_"
           "over_c_loop\":%.2f}\n",
           naive->change_ns / b->arm[2].change_ns, loop->change_ns / b->arm[2].change_ns,
           naive->change_ns / b->arm[3].change_ns, loop->change_ns / b->arm[3].change_ns);
    fprintf(stderr, "against evaluating every affected condition anew: index %.1fx, engine %.1fx\n",
            naive->change_ns / b->arm[2].change_ns, naive->change_ns / b->arm[3].change_ns);
}

static int usage(void)
{
    fprintf(stderr, "mandate-bench engine [--mandates 100000] [--fanout 50] [--changes 200000] [--seed 1] [--transitions]\n"
                    "                     [--arm index|naive|step|transitions: only the C loop and this]\n"
                    "                     [--shape equality|threshold|boolean|nested|mix]\n");
    return 2;
}

int cmd_engine(int argc, char **argv)
{
    static const struct option options[] = {
        {"mandates", 1, NULL, 'm'}, {"fanout", 1, NULL, 'f'},      {"changes", 1, NULL, 'c'}, {"shape", 1, NULL, 's'},
        {"seed", 1, NULL, 'r'},     {"transitions", 0, NULL, 't'}, {"arm", 1, NULL, 'a'},     {NULL, 0, NULL, 0}};
    unsigned long mandates = 100000, fanout = 50, changes = 200000, seed = 1;
    workload_shape shape = SHAPE_EQUALITY;
    bool transitions = false, ok = false;
    const char *arm = NULL;
    engine_run b = {.arms = 0};
    int c;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'm':
            mandates = strtoul(optarg, NULL, 10);
            break;
        case 'f':
            fanout = strtoul(optarg, NULL, 10);
            break;
        case 'c':
            changes = strtoul(optarg, NULL, 10);
            break;
        case 'r':
            seed = strtoul(optarg, NULL, 10);
            break;
        case 'a':
            arm = optarg;
            break;
        case 't':
            transitions = true;
            break;
        case 's':
            for (shape = 0; shape < SHAPE_COUNT && strcmp(optarg, workload_shape_names[shape]) != 0; shape++)
                ;
            if (shape == SHAPE_COUNT)
                return usage();
            break;
        default:
            return usage();
        }
    }
    if (mandates == 0 || mandates > 20000000 || fanout == 0 || fanout > mandates || changes == 0)
        return usage();
    b.run = (arm_run){
        .w = &b.w, .changes = (changes + BATCH - 1) / BATCH * BATCH, .warmup = (changes / 10 + BATCH - 1) / BATCH * BATCH};
    b.run.batch_ns = calloc(b.run.changes / BATCH, sizeof(double));
    if (b.run.batch_ns && workload_create(&b.w, shape, (uint32_t)mandates, (uint32_t)fanout, seed)) {
        print_run("engine", argc, argv);
        printf("{\"record\":\"workload\",\"shape\":\"%s\",\"mandates\":%lu,\"fanout\":%lu,\"entities\":%u,\"changes\":%llu,"
               "\"warmup\":%llu,"
               "\"batch\":%d,\"seed\":%lu,\"condition\":\"%s\"}\n",
               workload_shape_names[shape], mandates, fanout, b.w.deals, (unsigned long long)b.run.changes,
               (unsigned long long)b.run.warmup, BATCH, seed,
               shape == SHAPE_MIX ? "one of the other four" : workload_text(shape));
        ok = (arm ? measure_one(&b, arm) : measure(&b, transitions)) && same_work(&b);
        if (ok)
            report(&b);
        workload_destroy(&b.w);
    }
    free(b.run.batch_ns);
    return ok ? 0 : 1;
}

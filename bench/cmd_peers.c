/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_peers - ours and theirs on one workload, in one run, one after the other: the loop by hand, the same programs evaluated anew,
 * CLIPS, cel-go with an inverted index and Drools (processes of their own: bench/peers/celgo and bench/peers/drools, when --celgo and
 * --drools name their programs). An arm counts only when its flips and the number of true conditions at the end equal ours.
 */
#include "bench/command.h"
#include "bench/peer.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARMS_MAX = 8 };

typedef struct peers_run {
    workload w;
    arm_run run;
    arm_result arm[ARMS_MAX];
    int arms;
    const char *celgo, *drools;
    bool only; /* ours */
    workload_shape shape;
    unsigned long mandates, fanout, changes, seed;
} peers_run;

static void run_arms(peers_run *b)
{
    arm_result *ours = &b->arm[0];
    const bool all = !b->only;
    const bool there[ARMS_MAX] = {arm_index(ours, &b->run),
                                  arm_step(&b->arm[1], &b->run, false),
                                  all && arm_loop(&b->arm[2], &b->run, false),
                                  all && arm_loop(&b->arm[3], &b->run, true),
                                  all && arm_naive(&b->arm[4], &b->run),
                                  all && arm_clips(&b->arm[5], &b->run),
                                  all && arm_process(&b->arm[6], "celgo", b->celgo, &b->run),
                                  all && arm_process(&b->arm[7], "drools", b->drools, &b->run)};
    fprintf(stderr, "%-14s %12s %10s %12s %10s %12s %14s\n", "arm", "ns/change", "ns/flip", "load ns/m", "bytes/m", "flips",
            "index is faster");
    for (int i = 0; i < ARMS_MAX; i++) {
        const arm_result *r = &b->arm[i];
        if (!there[i] && b->only)
            continue;
        if (!there[i]) {
            fprintf(stderr, "%-14s not here, or not this shape\n", r->name);
            continue;
        }
        bool same = arm_same(r, ours);
        b->arms += same;
        if (!same) {
            fprintf(stderr, "%-14s does not count: %llu flips and %llu true at the end, ours are %llu and %llu\n", r->name,
                    (unsigned long long)r->flips, (unsigned long long)r->true_at_end, (unsigned long long)ours->flips,
                    (unsigned long long)ours->true_at_end);
            continue;
        }
        printf("{\"record\":\"peer\",\"arm\":\"%s\",\"shape\":\"%s\",\"mandates\":%lu,\"fanout\":%lu,\"seed\":%lu,"
               "\"changes\":%llu,"
               "\"flips\":%llu,\"ns_per_change\":%.1f,\"ns_per_flip\":%.1f,\"load_ns_per_mandate\":%.1f,\"bytes_per_"
               "mandate\":%.1f,"
               "\"index_is_faster\":%.2f,\"engine_is_faster\":%.2f}\n",
               r->name, workload_shape_names[b->shape], b->mandates, b->fanout, b->seed, (unsigned long long)r->changes,
               (unsigned long long)r->flips, r->change_ns, r->flip_ns, r->load_ns, r->bytes, r->change_ns / ours->change_ns,
               r->change_ns / b->arm[1].change_ns);
        fprintf(stderr, "%-14s %12.1f %10.1f %12.1f %10.1f %12llu %13.1fx\n", r->name, r->change_ns, r->flip_ns, r->load_ns,
                r->bytes, (unsigned long long)r->flips, r->change_ns / ours->change_ns);
    }
}

static int usage(void)
{
    fprintf(stderr,
            "mandate-bench peers [--mandates 100000] [--fanout 100] [--changes 20000] [--seed 1] [--celgo PROGRAM]\n"
            "                    [--drools PROGRAM] [--shape equality|threshold] [--only]      --only: ours alone\n");
    return 2;
}

int cmd_peers(int argc, char **argv)
{
    static const struct option options[] = {{"mandates", 1, NULL, 'm'}, {"fanout", 1, NULL, 'f'}, {"changes", 1, NULL, 'c'},
                                            {"shape", 1, NULL, 's'},    {"seed", 1, NULL, 'r'},   {"celgo", 1, NULL, 'g'},
                                            {"drools", 1, NULL, 'd'},   {"only", 0, NULL, 'o'},   {NULL, 0, NULL, 0}};
    peers_run *b = calloc(1, sizeof(*b));
    bool ok = b != NULL;
    int c;
    if (!b)
        return 1;
    b->mandates = 100000;
    b->fanout = 100;
    b->changes = 20000;
    b->seed = 1;
    b->shape = SHAPE_EQUALITY;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'm')
            b->mandates = strtoul(optarg, NULL, 10);
        else if (c == 'f')
            b->fanout = strtoul(optarg, NULL, 10);
        else if (c == 'c')
            b->changes = strtoul(optarg, NULL, 10);
        else if (c == 'r')
            b->seed = strtoul(optarg, NULL, 10);
        else if (c == 'g')
            b->celgo = optarg;
        else if (c == 'd')
            b->drools = optarg;
        else if (c == 'o')
            b->only = true;
        else if (c == 's' && strcmp(optarg, "threshold") == 0)
            b->shape = SHAPE_THRESHOLD;
        else if (c != 's' || strcmp(optarg, "equality") != 0)
            ok = false;
    }
    if (!ok || b->mandates == 0 || b->mandates > 20000000 || b->fanout == 0 || b->fanout > b->mandates || b->changes == 0) {
        free(b);
        return usage();
    }
    b->run = (arm_run){.w = &b->w,
                       .changes = (b->changes + BATCH - 1) / BATCH * BATCH,
                       .warmup = (b->changes / 10 + BATCH - 1) / BATCH * BATCH};
    b->run.batch_ns = calloc(b->run.changes / BATCH, sizeof(double));
    ok = b->run.batch_ns && workload_create(&b->w, b->shape, (uint32_t)b->mandates, (uint32_t)b->fanout, b->seed);
    if (ok) {
        print_run("peers", argc, argv);
        run_arms(b);
        ok = b->arms >= (b->only ? 2 : 5); /* ours and the three that are always here */
        workload_destroy(&b->w);
    }
    free(b->run.batch_ns);
    free(b);
    return ok ? 0 : 1;
}

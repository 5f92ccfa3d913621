/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer_process - rivals in other languages, each in a process of its own, which makes the same workload from the same seed and prints what it
 * found: bench/peers/celgo and bench/peers/drools. Their time is the CPU time of their whole process, collector and all.
 */
#include "bench/peer.h"

#include <stdio.h>

/* The line that it prints. False: it failed. */
static bool line_of(char *line, int size, const char *command)
{
    FILE *f = popen(command, "r");
    bool ok = f && fgets(line, size, f);
    return f && pclose(f) == 0 && ok;
}

bool arm_process(arm_result *out, const char *name, const char *program, const arm_run *run)
{
    const workload *w = run->w;
    char command[512], line[256];
    unsigned long long flips, timed, holds;
    *out = (arm_result){.name = name};
    if (!program)
        return false;
    snprintf(command, sizeof(command), "exec '%s' -shape %s -mandates %u -fanout %u -changes %llu -warmup %llu -seed %llu",
             program, workload_shape_names[w->shape], w->mandates, w->fanout, (unsigned long long)run->changes,
             (unsigned long long)run->warmup, (unsigned long long)w->seed);
    if (!line_of(line, sizeof(line), command) ||
        sscanf(line, "%llu %llu %llu %lf %lf %lf", &flips, &timed, &holds, &out->change_ns, &out->load_ns, &out->bytes) != 6)
        return false;
    out->changes = run->changes;
    out->flips = flips;
    out->timed_flips = timed;
    out->true_at_end = holds;
    out->flip_ns = timed ? out->change_ns * (double)out->changes / (double)timed : 0;
    return true;
}

bool peer_thresholds_process(const char *program, uint32_t count, double *ns)
{
    char command[512], line[256];
    unsigned long long flips, changes;
    if (!program)
        return false;
    snprintf(command, sizeof(command), "exec '%s' -thresholds %u", program, count);
    return line_of(line, sizeof(line), command) && sscanf(line, "%llu %llu %lf", &flips, &changes, ns) == 3 &&
           flips == changes;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recover - how long a restart takes: a database with many mandates is made, closed, and opened again in this process.
 *
 * Measured is from opening the directory to the engine answering: entities, the journal behind them, mandates with their
 * conditions bound. The pages are warm, as after a restart of the process. --behind is how many records were journaled since the
 * entities were last written. The engine must come back equal: hash of its whole state, before and after.
 * --again measures the first recovery of a process that has done nothing else, as a restart is: its memory is new, too.
 */
#include "bench/command.h"

#include "bench/held.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct recover_options {
    unsigned long mandates, fanout, behind, seed;
    const char *directory;
    bool again;
} recover_options;

static bool parse(recover_options *o, int argc, char **argv)
{
    static const struct option options[] = {{"mandates", 1, NULL, 'm'}, {"fanout", 1, NULL, 'f'}, {"behind", 1, NULL, 'b'},
                                            {"seed", 1, NULL, 's'},     {"dir", 1, NULL, 'd'},    {"again", 0, NULL, 'a'},
                                            {NULL, 0, NULL, 0}};
    int c;
    *o = (recover_options){.mandates = 1000000, .fanout = 10, .seed = 1};
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        unsigned long *number = c == 'm' ? &o->mandates : c == 'f' ? &o->fanout : c == 'b' ? &o->behind : &o->seed;
        if (c == 'd')
            o->directory = optarg;
        else if (c == 'a')
            o->again = true;
        else if (c == '?')
            return false;
        else
            *number = strtoul(optarg, NULL, 10);
    }
    if (!o->directory || !o->mandates || !o->fanout)
        fprintf(stderr,
                "mandate-bench recover --dir EMPTY-FOLDER [--mandates 1000000] [--fanout 10] [--behind 0] [--seed 1]\n"
                "                      [--again: what an earlier run with the same options left there]\n");
    return o->directory && o->mandates && o->fanout;
}

static bool fill(held *h, unsigned long behind)
{
    bool ok = true;
    for (uint32_t deal = 0; ok && deal < h->w->deals;) {
        held_begin(h);
        while (h->count < HELD_INPUTS && deal < h->w->deals)
            held_tell(h, deal++);
        ok = held_step(h);
    }
    for (uint32_t m = 0; ok && m < h->w->mandates;) {
        held_begin(h);
        for (; h->count < HELD_INPUTS && m < h->w->mandates; m++) {
            claims *c = ARENA_NEW(&h->memory, claims);
            workload_claims(h->w, m, CLAUSE_SUSPEND_WHILE, &h->memory, c);
            held_issue(h, c);
        }
        ok = held_step(h);
    }
    ok = ok && held_flush(h);
    for (unsigned long done = 0; ok && done < behind;) {
        held_begin(h);
        for (; h->count < HELD_INPUTS && done < behind; done++) {
            workload_change next;
            workload_next(h->w, &next);
            held_tell(h, next.deal);
        }
        ok = held_step(h);
    }
    return ok;
}

int cmd_recover(int argc, char **argv)
{
    recover_options o;
    workload w;
    mandate_error err;
    uint8_t before[32], after[32];
    held *h = calloc(1, sizeof(*h));
    if (!h || !parse(&o, argc, argv))
        return 2;
    print_run("recover", argc, argv);
    if (!workload_create(&w, SHAPE_MIX, (uint32_t)o.mandates, (uint32_t)o.fanout, o.seed))
        return 1;
    bool ok = held_open(h, &w, o.directory) && (o.again ? h->seq > 0 : h->seq == 0 && fill(h, o.behind)) &&
              engine_state_hash(h->engine, before, &err) == MANDATE_OK;
    uint64_t steps = ok ? h->seq : 0;
    held_times times = h->times;
    held_close(h);
    ok = ok && held_open(h, &w, o.directory);
    if (!o.again)
        times = h->times;
    ok = ok && engine_state_hash(h->engine, after, &err) == MANDATE_OK && memcmp(before, after, sizeof(before)) == 0;
    uint32_t mandates = ok ? engine_mandate_count(h->engine) : 0, entities = ok ? engine_entity_count(h->engine) : 0;
    printf("{\"record\":\"recover\",\"mandates\":%u,\"entities\":%u,\"behind\":%lu,\"steps\":%llu,\"open_ms\":%.0f,"
           "\"recover_ms\":%.0f,\"recover_cpu_ms\":%.0f,\"recover_all_cpu_ms\":%.0f,\"ready_ms\":%.0f,\"rss_mb\":%.0f,"
           "\"same_state\":%s}\n",
           mandates, entities, o.behind, (unsigned long long)steps, times.open_ms, times.recover_ms, times.cpu_ms,
           times.all_cpu_ms, times.open_ms + times.recover_ms, (double)times.rss / 1e6, ok ? "true" : "false");
    held_close(h);
    workload_destroy(&w);
    free(h);
    return ok ? 0 : 1;
}

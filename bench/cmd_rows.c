/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rows - the middle of the record path: runs of encoded rows of six attributes, as a source hands them over, through engine_step and,
 * with --dir, into the journal on disk.
 *
 * First every entity once, far from the one before in memory (new), then rows of random entities (again). Encoding is outside of what is
 * measured, and pushes out of the cache what was in it, as a source's thread and librdkafka do. Every row must have been applied.
 */
#include "bench/command.h"

#include "bench/arm.h"
#include "bench/held.h"
#include "engine/run.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#define FIRST_US (INT64_C(1760000000) * 1000000)

typedef struct rows_run {
    held h;
    workload w;
    bool stored;
    uint32_t step; /* rows of each */
    run_writer writer;
    engine_run run;
    engine_input input;
    uint64_t rows, bytes;
    int64_t step_ns, write_ns;
} rows_run;

static bool failed(const char *what, const mandate_error *err)
{
    fprintf(stderr, "%s: %s\n", what, err->text);
    return false;
}

/* The deal as it is now, at the end of the run. */
static bool add_row(rows_run *r, uint32_t deal)
{
    mandate_error err = {0};
    change_set sets[FIELD_COUNT];
    char id[24];
    workload_deal_id(id, deal);
    for (uint32_t i = 0; i < FIELD_COUNT; i++)
        sets[i] =
            (change_set){.field = r->w.field[i],
                         .value = workload_value((workload_field)i, workload_fact(&r->w.facts[deal], (workload_field)i))};
    int64_t time_us = FIRST_US + (int64_t)r->rows++ * 1000;
    change ch = {
        .op = CHANGE_UPSERT, .id = mandate_slice_str(id), .sets = sets, .set_count = FIELD_COUNT, .event_time_us = time_us};
    change_origin origin = {.offset = (int64_t)r->rows, .event_time_us = time_us};
    if (run_put(&r->writer, r->w.schema, &origin, &ch, 1, &err) != MANDATE_OK)
        return failed("encoding", &err);
    r->run.records++;
    return true;
}

BENCH_COUNTED static mandate_status bench_rows_step(rows_run *r, const engine_batch *batch, mandate_error *err)
{
    return engine_step(r->h.engine, batch, &r->h.result, err);
}

BENCH_COUNTED static mandate_status bench_rows_write(rows_run *r, const engine_batch *batch, mandate_error *err)
{
    bool waits;
    store_commit_input in = {.engine = r->h.engine, .batch = batch, .result = &r->h.result};
    return store_write(r->h.store, &in, &waits, err);
}

/* What was encoded since the last step. */
static bool take_step(rows_run *r)
{
    mandate_error err = {0};
    engine_position position = {.next = (int64_t)r->rows + 1};
    r->run.bytes = buf_slice(&r->writer.bytes);
    r->run.positions = &position;
    r->run.position_count = 1;
    r->input = (engine_input){.kind = INPUT_RUN, .run = &r->run};
    r->bytes += r->run.bytes.len;
    r->h.now_us += 1000;
    engine_batch batch = {.seq = ++r->h.seq, .now_us = r->h.now_us, .inputs = &r->input, .count = 1};
    int64_t began = cpu_ns();
    if (bench_rows_step(r, &batch, &err) != MANDATE_OK)
        return failed("engine_step", &err);
    int64_t stepped = cpu_ns();
    if (r->stored && bench_rows_write(r, &batch, &err) != MANDATE_OK)
        return failed("store_write", &err);
    r->write_ns += cpu_ns() - stepped;
    r->step_ns += stepped - began;
    if (r->h.result.changes_applied != r->run.records) {
        fprintf(stderr, "%u of %u rows were applied\n", r->h.result.changes_applied, r->run.records);
        return false;
    }
    r->run.records = 0;
    buf_reset(&r->writer.bytes);
    run_begin(&r->writer);
    return true;
}

static bool take_row(rows_run *r, uint32_t deal) { return add_row(r, deal) && (r->run.records < r->step || take_step(r)); }

static void print_part(rows_run *r, const char *part, uint64_t before)
{
    double rows = (double)(r->rows - before);
    printf("{\"record\":\"rows\",\"part\":\"%s\",\"rows\":%.0f,\"step_ns\":%.1f,\"write_ns\":%.1f,\"bytes_a_row\":%.1f,"
           "\"rss\":%zu}\n",
           part, rows, (double)r->step_ns / rows, (double)r->write_ns / rows, (double)r->bytes / rows, rss_bytes());
    fprintf(stderr, "%-6s %9.0f rows   step %6.1f ns   write %6.1f ns a row\n", part, rows, (double)r->step_ns / rows,
            (double)r->write_ns / rows);
    r->step_ns = r->write_ns = 0;
    r->bytes = 0;
}

/* Every deal once: a walk with a step that has no divisor in common with their number. */
static bool tell_all(rows_run *r)
{
    uint64_t stride = (uint64_t)((double)r->w.deals * 0.618) | 1, at = 0;
    for (uint64_t a = stride, b = r->w.deals; b != 0;) {
        uint64_t rest = a % b;
        a = b;
        b = rest;
        if (b == 0 && a != 1) { /* another one, then */
            stride += 2;
            a = stride;
            b = r->w.deals;
        }
    }
    for (uint32_t i = 0; i < r->w.deals; i++, at = (at + stride) % r->w.deals)
        if (!take_row(r, (uint32_t)at))
            return false;
    return r->run.records == 0 || take_step(r);
}

static bool tell_again(rows_run *r, uint64_t rows)
{
    for (uint64_t i = 0; i < rows; i++) {
        workload_change ch;
        workload_next(&r->w, &ch);
        if (!take_row(r, ch.deal))
            return false;
    }
    return r->run.records == 0 || take_step(r);
}

static bool open_it(rows_run *r, const char *directory)
{
    mandate_error err = {0};
    run_writer_init(&r->writer);
    run_begin(&r->writer);
    r->stored = directory != NULL;
    if (r->stored)
        return held_open(&r->h, &r->w, directory);
    r->h = (held){.w = &r->w, .now_us = FIRST_US};
    arena_init(&r->h.memory, 0);
    engine_options options = {
        .version = ENGINE_OPTIONS_VERSION, .schema = r->w.schema, .issuer = mandate_slice_str("https://bench.example")};
    return engine_create(&r->h.engine, &options, &err) == MANDATE_OK || failed("the engine", &err);
}

static bool rows(rows_run *r, uint64_t again)
{
    if (!tell_all(r))
        return false;
    print_part(r, "new", 0);
    uint64_t before = r->rows;
    if (!tell_again(r, again))
        return false;
    print_part(r, "again", before);
    return engine_entity_count(r->h.engine) == r->w.deals;
}

int cmd_rows(int argc, char **argv)
{
    static const struct option options[] = {
        {"deals", 1, NULL, 'd'}, {"rows", 1, NULL, 'r'}, {"step", 1, NULL, 's'}, {"dir", 1, NULL, 'D'}, {NULL, 0, NULL, 0}};
    unsigned long deals = 1000000, again = 2000000, step = LIMIT_BATCH_INPUTS;
    const char *directory = NULL;
    int c;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'd':
            deals = strtoul(optarg, NULL, 10);
            break;
        case 'r':
            again = strtoul(optarg, NULL, 10);
            break;
        case 's':
            step = strtoul(optarg, NULL, 10);
            break;
        case 'D':
            directory = optarg;
            break;
        default:
            deals = 0;
        }
    }
    if (!deals || deals > UINT32_MAX || !again || !step || step > LIMIT_BATCH_INPUTS) {
        fprintf(stderr, "mandate-bench rows [--deals 1000000] [--rows 2000000] [--step %d] [--dir EMPTY]\n",
                LIMIT_BATCH_INPUTS);
        return 2;
    }
    rows_run *r = calloc(1, sizeof(*r));
    if (!r || !workload_create(&r->w, SHAPE_NESTED, (uint32_t)deals, 1, 1)) {
        free(r);
        return 1;
    }
    r->step = (uint32_t)step;
    print_run("rows", argc, argv);
    bool ok = open_it(r, directory) && rows(r, again);
    held_close(&r->h);
    run_writer_deinit(&r->writer);
    workload_destroy(&r->w);
    free(r);
    return ok ? 0 : 1;
}

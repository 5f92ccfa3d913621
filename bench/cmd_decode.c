/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_decode - what a record costs from bytes to changes, beside a well-known reader on the same bytes in the same run:
 * Avro C's generic reader for Avro, jansson for JSON. The readers only make their tree; we also map it.
 *
 * `decode` is the decoder alone, the whole value; `map` is mapper_run: decode (only what the connector reads), envelope,
 * filter, entities. Each figure is the median of several rounds of the thread's own CPU time. `heap_growth_bytes` is what
 * malloc holds after our measured rounds minus before; more than 0 is no result.
 */
#include "bench/command.h"
#include "bench/decode_records.h"

#include <assert.h>
#include <avro.h>
#include <inttypes.h>
#include <jansson.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "connectors/mapping/connector.h"
#include "engine/limits.h"

enum { ROUNDS = 15, PER_ROUND = 20 * DECODE_RECORDS };

typedef struct bench {
    decode_records records;
    char folder[32], path[64];
    schema *s;
    connector *c;
    mapper *m;
    avro_plan *plan;
    json_decoder *json;
    arena memory;
    avro_schema_t avro;
    avro_value_iface_t *iface;
    avro_value_t datum;
    uint64_t found; /* what an arm saw, so that none is optimised away */
} bench;

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int by_value(const void *x, const void *y)
{
    double p = *(const double *)x, q = *(const double *)y;
    return (p > q) - (p < q);
}

static void must(mandate_status status, const mandate_error *err)
{
    if (status == MANDATE_OK)
        return;
    fprintf(stderr, "mandate-bench decode: %s\n", err->text);
    exit(1);
}

/* --- setting up --- */

static void write_schema(bench *b)
{
    snprintf(b->folder, sizeof(b->folder), "/tmp/mandate-bench-XXXXXX");
    if (!mkdtemp(b->folder))
        exit(1);
    snprintf(b->path, sizeof(b->path), "%s/value.avsc", b->folder);
    FILE *f = fopen(b->path, "w");
    if (!f || fputs(b->records.schema, f) < 0 || fclose(f))
        exit(1);
}

static void load_connector(bench *b)
{
    mandate_error err = {0};
    registry_cache none = {0};
    buf text;
    buf_init(&text);
    for (const char *at = b->records.connector; *at; at++)
        *at == '@' ? buf_put_str(&text, b->path) : buf_put_char(&text, *at);
    mandate_slice file = buf_slice(&text);
    must(schema_create(&b->s, &err), &err);
    must(connector_load(&b->c, b->s, "bench.yaml", &file, none, &err), &err);
    must(schema_freeze(b->s, &err), &err);
    must(connector_bind(b->c, b->s, &err), &err);
    must(mapper_create(&b->m, b->c, &err), &err);
    buf_deinit(&text);
}

static void bench_init(bench *b, void (*make)(decode_records *, uint64_t))
{
    mandate_error err = {0};
    *b = (bench){0};
    make(&b->records, 42);
    arena_init(&b->memory, LIMIT_RECORD_MEMORY);
    must(json_decoder_create(&b->json, &err), &err);
    if (b->records.schema) {
        mandate_slice text = mandate_slice_str(b->records.schema);
        write_schema(b);
        must(avro_plan_create(&b->plan, text, NULL, 0, &err), &err);
        if (avro_schema_from_json_length(text.ptr, text.len, &b->avro))
            exit(1);
        b->iface = avro_generic_class_from_schema(b->avro);
        if (!b->iface || avro_generic_value_new(b->iface, &b->datum))
            exit(1);
    }
    load_connector(b);
}

static void bench_deinit(bench *b)
{
    mapper_destroy(b->m);
    connector_destroy(b->c);
    schema_destroy(b->s);
    json_decoder_destroy(b->json);
    avro_plan_destroy(b->plan);
    arena_deinit(&b->memory);
    if (b->records.schema) {
        avro_value_decref(&b->datum);
        avro_value_iface_decref(b->iface);
        avro_schema_decref(b->avro);
        unlink(b->path);
        rmdir(b->folder);
    }
    decode_records_deinit(&b->records);
}

/* --- arms: one record each --- */

static void arm_map(bench *b, mandate_slice data)
{
    mandate_error err;
    mapper_result r;
    record rec = {.topic = MANDATE_SLICE_LIT("t"), .value = data, .timestamp_us = INT64_MIN};
    arena_reset(&b->memory);
    must(mapper_run(&r, b->m, &b->memory, &rec, &err), &err);
    b->found += r.change_count ? r.changes[0].set_count : 0;
}

static void arm_decode(bench *b, mandate_slice data)
{
    mandate_error err;
    cel_value v;
    arena_reset(&b->memory);
    must(b->plan ? avro_decode(&v, b->plan, &b->memory, data, &err) : json_decode(&v, b->json, &b->memory, data, &err),
         &err);
    b->found += v.len;
}

static void arm_avro_c(bench *b, mandate_slice data)
{
    avro_reader_t reader = avro_reader_memory(data.ptr, (int64_t)data.len);
    size_t count;
    if (!reader || avro_value_read(reader, &b->datum) || avro_value_get_size(&b->datum, &count))
        exit(1);
    avro_reader_free(reader);
    b->found += count;
}

static void arm_jansson(bench *b, mandate_slice data)
{
    json_t *v = json_loadb(data.ptr, data.len, 0, NULL);
    if (!v)
        exit(1);
    b->found += json_object_size(v);
    json_decref(v);
}

/* --- measuring --- */

static double measure(bench *b, void (*arm)(bench *, mandate_slice), int64_t *heap_growth)
{
    double rounds[ROUNDS];
    for (uint32_t i = 0; i < PER_ROUND; i++)
        arm(b, decode_record(&b->records, i));
    size_t before = mallinfo2().uordblks;
    for (int k = 0; k < ROUNDS; k++) {
        int64_t start = now_ns();
        for (uint32_t i = 0; i < PER_ROUND; i++)
            arm(b, decode_record(&b->records, i));
        rounds[k] = (double)(now_ns() - start) / PER_ROUND;
    }
    *heap_growth = (int64_t)mallinfo2().uordblks - (int64_t)before;
    qsort(rounds, ROUNDS, sizeof(*rounds), by_value);
    return rounds[ROUNDS / 2];
}

/* What a profiler is to see: by its name a counter of instructions finds it, so it is a symbol and not inlined. */
void bench_decode_records(bench *b, uint32_t count);
__attribute__((noinline)) void bench_decode_records(bench *b, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        arm_map(b, decode_record(&b->records, i));
}

/* After a first pass over them, which warms up. */
static void run_map_only(void (*make)(decode_records *, uint64_t), uint32_t passes)
{
    bench b;
    bench_init(&b, make);
    for (uint32_t i = 0; i < DECODE_RECORDS; i++)
        arm_map(&b, decode_record(&b.records, i));
    int64_t start = now_ns();
    bench_decode_records(&b, passes * DECODE_RECORDS);
    fprintf(stderr, "%-14s to changes %7.1f ns\n", b.records.name, (double)(now_ns() - start) / (passes * DECODE_RECORDS));
    bench_deinit(&b);
}

static int run_kind(void (*make)(decode_records *, uint64_t), const char *peer, void (*peer_arm)(bench *, mandate_slice))
{
    bench b;
    int64_t grown_map, grown_decode, grown_peer;
    bench_init(&b, make);
    double bytes = (double)b.records.data.len / DECODE_RECORDS;
    double map = measure(&b, arm_map, &grown_map);
    double decode = measure(&b, arm_decode, &grown_decode);
    double other = measure(&b, peer_arm, &grown_peer);
    printf("{\"record\":\"decode\",\"kind\":\"%s\",\"bytes\":%.0f,\"map_ns\":%.1f,\"decode_ns\":%.1f,\"peer\":\"%s\","
           "\"peer_ns\":%.1f,\"peer_over_map\":%.2f,\"heap_growth_bytes\":%" PRId64 ",\"found\":%" PRIu64 "}\n",
           b.records.name, bytes, map, decode, peer, other, other / map, grown_map + grown_decode, b.found);
    fprintf(stderr, "%-14s %5.0f bytes   to changes %7.1f ns   decode alone %7.1f ns   %-8s %8.1f ns   %5.1f times\n",
            b.records.name, bytes, map, decode, peer, other, other / map);
    int code = grown_map + grown_decode > 0;
    if (code)
        fprintf(stderr, "%s: the heap grew by %" PRId64 " bytes after warm-up\n", b.records.name, grown_map + grown_decode);
    bench_deinit(&b);
    return code;
}

int cmd_decode(int argc, char **argv)
{
    static void (*const kinds[])(decode_records *, uint64_t) = {decode_records_avro8, decode_records_debezium_avro,
                                                                decode_records_debezium_json};
    if (argc == 4 && strcmp(argv[1], "--only") == 0 && strlen(argv[2]) == 1 && strchr("012", *argv[2])) {
        run_map_only(kinds[*argv[2] - '0'], (uint32_t)strtoul(argv[3], NULL, 10));
        return 0;
    }
    print_run("decode", argc, argv);
    int code = run_kind(decode_records_avro8, "avro-c", arm_avro_c);
    code |= run_kind(decode_records_debezium_avro, "avro-c", arm_avro_c);
    return code | run_kind(decode_records_debezium_json, "jansson", arm_jansson);
}

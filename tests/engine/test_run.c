/* SPDX-License-Identifier: Apache-2.0 */
/* Records encoded one after the other read as they were written; what is cut or altered is refused. */
#include "tests/engine/rig.h"
#include "tests/engine/runs.h"

enum { RECORDS = 400, CHANGES_MAX = 5, SETS_MAX = 60, PARTITIONS = 3 * RUN_STREAMS };

typedef struct made {
    change_origin origin;
    change changes[CHANGES_MAX];
    uint32_t count;
} made;

static uint64_t next(uint64_t *rng, uint64_t below)
{
    *rng = *rng * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*rng >> 33) % below;
}

static cel_value some_value(rig *g, uint64_t *rng)
{
    static const int64_t integers[] = {0, -1, 1, 2, 3, -3, -4, 63, 64, -65, 1 << 20, INT64_MAX, INT64_MIN};
    static const char *const texts[] = {"",        "a", "signed", "signing", "a text that is longer than what a tag holds",
                                        "\xc3\xa4"};
    cel_value *items = ARENA_ARRAY(&g->memory, cel_value, 2);
    switch (next(rng, 9)) {
    case 0:
        return cel_null();
    case 1:
        return cel_bool(next(rng, 2));
    case 2:
        return cel_int(integers[next(rng, sizeof(integers) / sizeof(*integers))]);
    case 3:
        return cel_uint(UINT64_MAX - next(rng, 3));
    case 4:
        return cel_double((double)next(rng, 100) / 7);
    case 5:
        return cel_timestamp((int64_t)next(rng, 1000), 7);
    case 6:
        items[0] = cel_int(4);
        items[1] = STR("b");
        return cel_list(items, 2);
    default:
        return STR(texts[next(rng, sizeof(texts) / sizeof(*texts))]);
    }
}

static change some_change(rig *g, uint64_t *rng, int64_t time_us)
{
    static const char *const fields[] = {"status", "open", "count", "ratio", "opened", "tags", "any"};
    change ch = {.op = (change_op)next(rng, 4), .type = CONVERSATION, .event_time_us = time_us};
    uint32_t count = ch.op != CHANGE_UPSERT ? 0 : next(rng, 20) == 0 ? SETS_MAX : (uint32_t)next(rng, 8);
    change_set *sets = ARENA_ARRAY(&g->memory, change_set, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        sets[i].field = rig_field(g->schema, CONVERSATION, fields[(i + next(rng, 2)) % 7]);
        sets[i].forget = next(rng, 5) == 0;
        sets[i].value = sets[i].forget ? cel_null() : some_value(g, rng);
    }
    if (next(rng, 6) == 0)
        ch.event_time_us = next(rng, 2) ? CHANGE_NO_TIME : RIG_START + (int64_t)next(rng, 1000) - 500;
    ch.version = next(rng, 3) ? 0 : next(rng, UINT32_MAX);
    ch.sets = sets;
    ch.set_count = count;
    if (ch.op != CHANGE_FORGET_TYPE)
        ch.id = arena_printf(&g->memory, "R-%u", (unsigned)next(rng, 1000));
    return ch;
}

static void make(rig *g, made *out, uint64_t *rng)
{
    static const int64_t jumps[] = {0, 0, 0, 1000, -3, INT64_MAX / 2};
    int64_t time_us = RIG_START;
    for (uint32_t i = 0; i < RECORDS; i++) {
        time_us = next(rng, 9) ? RIG_START + (int64_t)next(rng, 5) * SECOND : CHANGE_NO_TIME;
        out[i].origin = rig_origin(g);
        out[i].origin.seq = 0;
        out[i].origin.version = 0;
        out[i].origin.partition = (int32_t)(i < RECORDS / 2 ? next(rng, 3) : next(rng, PARTITIONS));
        out[i].origin.offset = (int64_t)i + jumps[next(rng, 6)];
        out[i].origin.event_time_us = time_us;
        out[i].count = (uint32_t)next(rng, CHANGES_MAX);
        for (uint32_t k = 0; k < out[i].count; k++)
            out[i].changes[k] = some_change(g, rng, time_us);
    }
}

static void write_all(run_writer *w, const rig *g, const made *m)
{
    run_begin(w);
    for (uint32_t i = 0; i < RECORDS; i++)
        assert_int_equal(run_put(w, g->schema, &m[i].origin, m[i].changes, m[i].count, NULL), MANDATE_OK);
}

static bool same_bytes(cel_value a, cel_value b)
{
    buf x, y;
    buf_init(&x);
    buf_init(&y);
    cel_encode(&x, a);
    cel_encode(&y, b);
    bool same = mandate_slice_eq(buf_slice(&x), buf_slice(&y));
    buf_deinit(&x);
    buf_deinit(&y);
    return same;
}

static void assert_same_change(const change *a, const change *b)
{
    assert_int_equal(a->op, b->op);
    assert_int_equal(a->type, b->type);
    assert_true(mandate_slice_eq(a->id, b->id));
    assert_int_equal(a->event_time_us, b->event_time_us);
    assert_int_equal(a->version, b->version);
    assert_int_equal(a->set_count, b->set_count);
    for (uint32_t i = 0; i < a->set_count; i++) {
        assert_int_equal(a->sets[i].field, b->sets[i].field);
        assert_int_equal(a->sets[i].forget, b->sets[i].forget);
        assert_true(same_bytes(a->sets[i].value, b->sets[i].value));
    }
}

static void test_run__records_read_as_they_were_written(void **state)
{
    static made m[RECORDS];
    static run_writer w;
    static run_reader r;
    rig *g = *state;
    uint64_t rng = 7;
    run_writer_init(&w);
    for (int round = 0; round < 20; round++) {
        engine_input in = {.kind = INPUT_COMMAND};
        make(g, m, &rng);
        w.bytes.len = 0;
        write_all(&w, g, m);
        run_reader_open(&r, buf_slice(&w.bytes), g->schema, round % 2);
        for (uint32_t i = 0; i < RECORDS; i++) {
            assert_true(run_next(&r, &g->memory, &in));
            assert_int_equal(in.kind, INPUT_RECORD);
            assert_memory_equal(&in.origin, &m[i].origin, sizeof(in.origin));
            assert_int_equal(in.change_count, m[i].count);
            for (uint32_t k = 0; k < m[i].count; k++)
                assert_same_change(&in.changes[k], &m[i].changes[k]);
        }
        assert_true(run_done(&r));
        assert_false(run_next(&r, &g->memory, &in));
    }
    run_writer_deinit(&w);
}

/* Whatever the bytes are: as many records as there are, or a refusal, and nothing read beyond them. */
static void test_run__bytes_that_are_cut_or_altered_never_read_beyond_their_end(void **state)
{
    static made m[RECORDS];
    static run_writer w;
    static run_reader r;
    rig *g = *state;
    uint64_t rng = 11;
    uint32_t whole = 0;
    run_writer_init(&w);
    make(g, m, &rng);
    write_all(&w, g, m);
    for (int round = 0; round < 4000; round++) {
        engine_input in = {.kind = INPUT_COMMAND};
        arena exact;
        arena_init(&exact, 0);
        size_t len = round % 2 ? w.bytes.len : (size_t)next(&rng, w.bytes.len);
        char *bytes = malloc(len + 1);
        memcpy(bytes, w.bytes.data, len);
        char *tight = realloc(bytes, len ? len : 1); /* so that a sanitizer sees the end */
        if (round % 2)
            tight[next(&rng, len)] ^= (char)(1 << next(&rng, 8));
        run_reader_open(&r, mandate_slice_of(tight, len), g->schema, false);
        uint32_t n = 0;
        while (n < RECORDS && run_next(&r, &exact, &in))
            n++;
        whole += n == RECORDS && run_done(&r);
        assert_true(round % 2 || n < RECORDS);
        free(tight);
        arena_deinit(&exact);
    }
    assert_true(whole < 4000 / 2);
    run_writer_deinit(&w);
}

static void test_run__a_record_beyond_its_limit_is_refused_and_leaves_nothing(void **state)
{
    static run_writer w;
    rig *g = *state;
    mandate_error err;
    uint32_t count = LIMIT_RECORD_MEMORY / LIMIT_VALUE + 1;
    char *text = arena_zalloc(&g->memory, LIMIT_VALUE);
    change *changes = ARENA_ARRAY(&g->memory, change, count);
    change_set set = {.field = rig_field(g->schema, CONVERSATION, "status"),
                      .value = cel_string(mandate_slice_of(memset(text, 'x', LIMIT_VALUE), LIMIT_VALUE))};
    for (uint32_t i = 0; i < count; i++)
        changes[i] = (change){.type = CONVERSATION, .id = S("R-1"), .sets = &set, .set_count = 1};
    change_origin origin = rig_origin(g);
    run_writer_init(&w);
    assert_int_equal(run_put(&w, g->schema, &origin, changes, 1, &err), MANDATE_OK);
    size_t before = w.bytes.len;
    assert_int_equal(run_put(&w, g->schema, &origin, changes, count, &err), MANDATE_LIMIT);
    assert_int_equal(w.bytes.len, before);
    /* Just below it. */
    run_begin(&w);
    assert_int_equal(run_put(&w, g->schema, &origin, changes, count - 2, &err), MANDATE_OK);
    run_writer_deinit(&w);
}

static void test_run__a_step_of_runs_counts_their_records(void **state)
{
    static engine_run runs[2];
    static run_writer w;
    rig *g = *state;
    engine_result result;
    mandate_error err;
    run_writer_init(&w);
    for (uint32_t i = 0; i < LIMIT_BATCH_INPUTS; i++) {
        change_origin origin = rig_origin(g);
        assert_int_equal(run_put(&w, g->schema, &origin, NULL, 0, &err), MANDATE_OK);
    }
    runs[0] = (engine_run){.bytes = buf_slice(&w.bytes), .records = LIMIT_BATCH_INPUTS};
    engine_input in[] = {{.kind = INPUT_RUN, .run = &runs[0]}, {.kind = INPUT_SOURCE, .source = CRM}};
    engine_batch batch = {.seq = engine_seq(g->e) + 1, .now_us = RIG_START, .inputs = in, .count = 2};
    assert_int_equal(engine_step(g->e, &batch, &result, &err), MANDATE_LIMIT);
    batch.count = 1;
    assert_int_equal(engine_batch_total(&batch), LIMIT_BATCH_INPUTS);
    assert_int_equal(engine_step(g->e, &batch, &result, &err), MANDATE_OK);
    engine_input late[] = {in[0], {.kind = INPUT_COMMAND, .command = {.kind = COMMAND_REVOKE, .mandate = S("m")}}};
    runs[0].records = 1;
    batch = (engine_batch){.seq = engine_seq(g->e) + 1, .now_us = RIG_START, .inputs = late, .count = 2};
    assert_int_equal(engine_step(g->e, &batch, &result, &err), MANDATE_INVALID);
    assert_says(err, "a command after a run");
    run_writer_deinit(&w);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_engine, rig_deinit)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_run__records_read_as_they_were_written),
        TEST(test_run__bytes_that_are_cut_or_altered_never_read_beyond_their_end),
        TEST(test_run__a_record_beyond_its_limit_is_refused_and_leaves_nothing),
        TEST(test_run__a_step_of_runs_counts_their_records),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

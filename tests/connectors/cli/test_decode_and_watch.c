/* SPDX-License-Identifier: Apache-2.0 */
/* What `topic tail --decode` shows of a record, and what `connector status --watch` says of the way that is left. */
#include "../decode/support.h"

#include <unistd.h>

#include "connectors/cli/status_watch.h"
#include "connectors/cli/topic_decode.h"

static char schema_path[32];

typedef struct fixture {
    arena memory;
    topic_decoder *with_schema, *without;
    mandate_error err;
} fixture;

static int setup(void **state)
{
    static const char text[] =
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"n\","
        "\"type\":\"int\"}]}";
    fixture *f = calloc(1, sizeof *f);
    snprintf(schema_path, sizeof schema_path, "/tmp/mandate-tail-XXXXXX");
    int file = mkstemp(schema_path);
    assert_true(file >= 0 && write(file, text, sizeof text - 1) == sizeof text - 1 && close(file) == 0);
    arena_init(&f->memory, LIMIT_RECORD_MEMORY);
    assert_ok(topic_decoder_create(&f->with_schema, NULL, 0, schema_path, &f->err), &f->err);
    assert_ok(topic_decoder_create(&f->without, NULL, 0, NULL, &f->err), &f->err);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    topic_decoder_destroy(f->with_schema);
    topic_decoder_destroy(f->without);
    arena_deinit(&f->memory);
    free(f);
    return unlink(schema_path);
}

static void shows(fixture *f, topic_decoder *d, const char *value, size_t len, const char *expected, const char *note_part)
{
    mandate_slice note;
    record r = {.topic = MANDATE_SLICE_LIT("t"), .key = MANDATE_SLICE_LIT("k-1"), .value = {value, len}};
    arena_reset(&f->memory);
    record out = topic_decode(d, &f->memory, &r, &note);
    assert_true(mandate_slice_is(out.key, "\"k-1\""));
    if (!mandate_slice_is(out.value, expected))
        fail_msg("%.*s", MANDATE_SLICE_ARG(out.value));
    if (note_part ? !note.len || !strstr(note.ptr, note_part) : note.len != 0)
        fail_msg("%.*s", MANDATE_SLICE_ARG(note));
}

static void test_topic_decode__avro_by_the_schema_that_is_given(void **state)
{
    fixture *f = *state;
    shows(f, f->with_schema, "\4ab\16", 4, "{\"id\":\"ab\",\"n\":7}", NULL);
    shows(f, f->with_schema, "{\"id\": 1}", 9, "{\"id\":1}", NULL); /* not of that schema, and JSON */
    shows(f, f->with_schema, "\4a", 2, "\4a", "Avro");
}

static void test_topic_decode__json_text_and_bytes_without_one(void **state)
{
    fixture *f = *state;
    shows(f, f->without, "{ \"a\" : [1, 2] }", 16, "{\"a\":[1,2]}", NULL);
    shows(f, f->without, "plain", 5, "plain", "JSON");
}

static void put(const progress *before, const progress *now, const char *expected)
{
    buf line;
    buf_init(&line);
    progress_put(&line, before, now);
    assert_string_equal(buf_cstr(&line), expected);
    buf_deinit(&line);
}

static void test_status_watch__the_rate_of_the_last_interval_says_how_long_it_takes(void **state)
{
    const progress first = {1000, 3000000, 10}, second = {201000, 2800000, 12}, last = {3001000, 0, 20},
                   unknown = {0, -1, 1};
    (void)state;
    put(NULL, &first, "1,000 records, 3,000,000 to go");
    put(&first, &second, "201,000 records, 2,800,000 to go, 100,000/s, 28s left");
    put(&second, &last, "3,001,000 records, 0 to go, 350,000/s");
    put(NULL, &unknown, "0 records, how many are to come is not known yet");
    put(&last, &first, "1,000 records, 3,000,000 to go"); /* started anew */
    put(&(progress){0, 0, 0}, &(progress){100, 1000000, 1}, "100 records, 1,000,000 to go, 100/s, 2h46m left");
    put(&(progress){0, 0, 0}, &(progress){1000, 100000, 1}, "1,000 records, 100,000 to go, 1,000/s, 1m40s left");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_topic_decode__avro_by_the_schema_that_is_given),
        TEST(test_topic_decode__json_text_and_bytes_without_one),
        cmocka_unit_test(test_status_watch__the_rate_of_the_last_interval_says_how_long_it_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

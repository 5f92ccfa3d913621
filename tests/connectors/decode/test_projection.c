/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Projections: what is named is built as ever, what is not is left out, and a record that is broken where nobody looks is
 * broken all the same.
 */
#include "support.h"

typedef struct fixture {
    arena memory, names;
    json_decoder *json;
    mandate_error err;
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    arena_init(&f->memory, LIMIT_RECORD_MEMORY);
    arena_init(&f->names, 0);
    assert_ok(json_decoder_create(&f->json, &f->err), &f->err);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    json_decoder_destroy(f->json);
    arena_deinit(&f->memory);
    arena_deinit(&f->names);
    free(f);
    return 0;
}

/* Paths such as "a.b c": two of them. */
static projection *reads(fixture *f, const char *paths)
{
    projection *p = projection_create(&f->names);
    mandate_slice keys[8];
    while (*paths) {
        uint32_t count = 0;
        size_t len = strcspn(paths, " ");
        for (const char *at = paths, *end = paths + len; at < end; count++) {
            size_t part = strcspn(at, ". ");
            keys[count] = mandate_slice_of(at, part);
            at += part + (at[part] == '.');
        }
        assert_true(projection_add(p, &f->names, keys, count));
        paths += len + (paths[len] == ' ');
    }
    return p;
}

static void json_gives(fixture *f, const projection *p, const char *text, const char *expected)
{
    cel_value v;
    arena_reset(&f->memory);
    assert_ok(json_decode_part(&v, f->json, &f->memory, mandate_slice_str(text), p, &f->err), &f->err);
    assert_value(v, expected);
}

static void test_projection__json_builds_what_is_named(void **state)
{
    fixture *f = *state;
    const projection *p = reads(f, "id row.status row.list");
    static const char text[] =
        "{\"x\":[1,{\"id\":2}],\"id\":7,\"row\":{\"a\":{},\"status\":\"open\",\"list\":[{\"k\":1}],\"b\":null}}";
    json_gives(f, p, text, "{\"id\": 7, \"row\": {\"status\": \"open\", \"list\": [{\"k\": 1}]}}");
    json_gives(f, NULL, text,
               "{\"x\": [1, {\"id\": 2}], \"id\": 7, \"row\": {\"a\": {}, \"status\": \"open\", \"list\": [{\"k\": 1}], "
               "\"b\": null}}");
    json_gives(f, p, "{\"i\\u0064\":7,\"row\":[1,2]}", "{\"id\": 7, \"row\": [1, 2]}");
    json_gives(f, p, "[{\"id\":1,\"z\":2}]", "[{\"id\": 1, \"z\": 2}]"); /* keys are of the value itself */
    json_gives(f, p, "\"a\\nb\"", "\"a\\nb\"");
    json_gives(f, projection_create(&f->names), "{\"a\":1}", "{}");
}

static void test_projection__kept_keys_stay_with_null(void **state)
{
    fixture *f = *state;
    projection *p = reads(f, "op after.id");
    p->keep_keys = true;
    json_gives(f, p, "{\"op\":\"u\",\"lsn\":[1],\"after\":{\"id\":1,\"x\":2},\"tx\":{}}",
               "{\"op\": \"u\", \"lsn\": null, \"after\": {\"id\": 1}, \"tx\": null}");
}

static void test_projection__json_is_checked_where_nobody_looks(void **state)
{
    fixture *f = *state;
    const projection *p = reads(f, "id");
    static const char *const broken[] = {
        "{\"id\":1,\"x\":[1 2]}",     "{\"id\":1,\"x\":{\"a\" 1}}", "{\"id\":1,\"x\":tru}",      "{\"id\":1,\"x\":nullx}",
        "{\"id\":1,\"x\":01}",        "{\"id\":1,\"x\":1.}",        "{\"id\":1,\"x\":\"\\q\"}",  "{\"id\":1,\"x\":[}",
        "{\"id\":1,\"x\":\"\\u12\"}", "{\"id\":1,\"x\":1,}",        "{\"id\":1,\"x\":\"\xff\"}", "{\"id\":1,\"\\x\":1}",
        "{\"id\":1,\"id\":2}",        "{\"id\":1,\"x\":{]}",
    };
    cel_value v;
    for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) {
        arena_reset(&f->memory);
        if (json_decode_part(&v, f->json, &f->memory, mandate_slice_str(broken[i]), p, &f->err) != MANDATE_INVALID)
            fail_msg("accepted: %s", broken[i]);
    }
}

static void test_projection__depth_counts_where_nobody_looks(void **state)
{
    fixture *f = *state;
    const projection *p = reads(f, "id");
    buf text;
    cel_value v;
    for (int depth = LIMIT_RECORD_DEPTH - 1; depth <= LIMIT_RECORD_DEPTH; depth++) {
        buf_init(&text);
        buf_put_str(&text, "{\"x\":");
        for (int i = 0; i < depth; i++)
            buf_put_char(&text, '[');
        for (int i = 0; i < depth; i++)
            buf_put_char(&text, ']');
        buf_put_str(&text, "}");
        arena_reset(&f->memory);
        mandate_status status = json_decode_part(&v, f->json, &f->memory, buf_slice(&text), p, &f->err);
        assert_int_equal(status, depth < LIMIT_RECORD_DEPTH ? MANDATE_OK : MANDATE_LIMIT);
        buf_deinit(&text);
    }
}

/* --- Avro --- */

static const char schema[] =
    "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"skip1\",\"type\":{\"type\":\"map\",\"values\":\"bytes\"}},"
    "{\"name\":\"row\",\"type\":[\"null\",{\"type\":\"record\",\"name\":\"Row\",\"fields\":[{\"name\":\"a\",\"type\":"
    "\"long\"},"
    "{\"name\":\"b\",\"type\":\"string\"},{\"name\":\"next\",\"type\":[\"null\",\"Row\"]}]}]},"
    "{\"name\":\"skip2\",\"type\":{\"type\":\"array\",\"items\":[\"null\",\"double\",\"float\",\"boolean\"]}},"
    "{\"name\":\"e\",\"type\":{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"X\",\"Y\"]}},{\"name\":\"id\",\"type\":"
    "\"int\"}]}";

static void put_datum(buf *b)
{
    put_long(b, 1); /* skip1: one block of one */
    put_text(b, "k");
    put_text(b, "v");
    put_long(b, 0);
    put_long(b, 1); /* row */
    put_long(b, INT64_MIN);
    put_text(b, "beta");
    put_long(b, 1); /* next */
    put_long(b, 5);
    put_text(b, "c");
    put_long(b, 0);
    put_long(b, -2); /* skip2: two items, and how long they are */
    put_long(b, 10);
    put_long(b, 1);
    buf_put(b, "\0\0\0\0\0\0\0\0", 8);
    put_long(b, 0);
    put_long(b, 0);
    put_long(b, 1); /* e */
    put_long(b, 7); /* id */
}

static mandate_status avro_part(cel_value *v, fixture *f, const char *paths, mandate_slice data)
{
    avro_plan *plan, *part;
    arena_reset(&f->memory);
    assert_ok(avro_plan_create(&plan, mandate_slice_str(schema), NULL, 0, &f->err), &f->err);
    assert_ok(avro_plan_project(&part, plan, reads(f, paths), NULL, &f->err), &f->err);
    mandate_status status = avro_decode(v, part, &f->memory, data, &f->err);
    cel_value copy = cel_null();
    if (status == MANDATE_OK)
        assert_ok(cel_copy(&copy, &f->memory, *v, &f->err), &f->err);
    *v = copy;
    avro_plan_destroy(part);
    avro_plan_destroy(plan);
    return status;
}

static void test_projection__avro_builds_what_is_named(void **state)
{
    fixture *f = *state;
    static const char *const cases[][2] = {
        {"id", "{\"id\": 7}"},
        {"row.b", "{\"row\": {\"b\": \"beta\"}}"},
        {"row.next.a id", "{\"row\": {\"next\": {\"a\": 5}}, \"id\": 7}"},
        {"row.a.deeper e", "{\"row\": {\"a\": -9223372036854775808}, \"e\": \"Y\"}"},
        {"nobody", "{}"},
        {"skip2 skip1", "{\"skip1\": {\"k\": b\"v\"}, \"skip2\": [0.0, null]}"},
    };
    cel_value v;
    buf b;
    buf_init(&b);
    put_datum(&b);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_ok(avro_part(&v, f, cases[i][0], buf_slice(&b)), &f->err);
        assert_value(v, cases[i][1]);
    }
    buf_deinit(&b);
}

static void test_projection__avro_cut_anywhere_is_refused_whatever_is_read(void **state)
{
    fixture *f = *state;
    static const char *const paths[] = {"id", "row.next.a", "nobody", "skip1 skip2"};
    cel_value v;
    buf b;
    buf_init(&b);
    put_datum(&b);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        for (size_t len = 0; len < b.len; len++) {
            char *cut = malloc(len ? len : 1); /* so that a sanitizer sees a step too far */
            memcpy(cut, b.data, len);
            assert_int_equal(avro_part(&v, f, paths[i], mandate_slice_of(cut, len)), MANDATE_INVALID);
            free(cut);
        }
    buf_put_char(&b, 0);
    assert_int_equal(avro_part(&v, f, "id", buf_slice(&b)), MANDATE_INVALID);
    buf_deinit(&b);
}

static void test_projection__avro_bombs_are_refused_where_nobody_looks(void **state)
{
    fixture *f = *state;
    static const int64_t counts[] = {INT64_MAX, INT64_MIN, 1 << 30, -5};
    cel_value v;
    for (size_t i = 0; i < 4; i++) {
        buf b;
        buf_init(&b);
        put_long(&b, counts[i]); /* skip1 claims so many entries */
        put_long(&b, 1);
        assert_int_equal(avro_part(&v, f, "id", buf_slice(&b)), MANDATE_INVALID);
        buf_deinit(&b);
    }
    static const char endless[] = "\x02\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"; /* a length of too many bytes */
    assert_int_equal(avro_part(&v, f, "id", mandate_slice_of(endless, sizeof endless - 1)), MANDATE_INVALID);
}

/* --- a reader's schema --- */

static void resolves(fixture *f, const char *reader_fields, const char *paths, const char *expected)
{
    static const char writer[] =
        "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"id\",\"type\":\"int\"},{\"name\":"
        "\"row\",\"type\":[\"null\",{\"type\":\"record\",\"name\":\"Row\",\"fields\":[{\"name\":\"a\",\"type\":"
        "\"long\"},{\"name\":\"next\",\"type\":[\"null\",\"Row\"]}]}]}]}";
    avro_plan *plan, *reader, *part;
    char text[1024];
    buf b;
    cel_value v;
    buf_init(&b);
    put_long(&b, 7);
    put_long(&b, 1);
    put_long(&b, 5);
    put_long(&b, 0);
    snprintf(text, sizeof text, "{\"type\":\"record\",\"name\":\"R\",\"fields\":[%s]}", reader_fields);
    arena_reset(&f->memory);
    assert_ok(avro_plan_create(&plan, mandate_slice_str(writer), NULL, 0, &f->err), &f->err);
    assert_ok(avro_plan_create(&reader, mandate_slice_str(text), NULL, 0, &f->err), &f->err);
    assert_ok(avro_plan_project(&part, plan, paths ? reads(f, paths) : NULL, reader, &f->err), &f->err);
    assert_ok(avro_decode(&v, part, &f->memory, buf_slice(&b), &f->err), &f->err);
    assert_value(v, expected);
    avro_plan_destroy(part);
    avro_plan_destroy(reader);
    avro_plan_destroy(plan);
    buf_deinit(&b);
}

static void test_projection__a_readers_defaults_stand_for_what_the_writer_does_not_have(void **state)
{
    fixture *f = *state;
    static const char fields[] =
        "{\"name\":\"id\",\"type\":\"int\",\"default\":9},{\"name\":\"status\",\"type\":\"string\",\"default\":"
        "\"open\"},{\"name\":\"owner\",\"type\":[\"null\",\"string\"],\"default\":null},{\"name\":\"at\",\"type\":"
        "{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"},\"default\":0},{\"name\":\"no\",\"type\":\"int\"}";
    resolves(f, fields, NULL,
             "{\"id\": 7, \"row\": {\"a\": 5, \"next\": null}, \"status\": \"open\", \"owner\": null, \"at\": "
             "timestamp(\"1970-01-01T00:00:00Z\")}");
    resolves(f, fields, "id status no", "{\"id\": 7, \"status\": \"open\"}");
    resolves(
        f,
        "{\"name\":\"row\",\"type\":[\"null\",{\"type\":\"record\",\"name\":\"Row\",\"fields\":[{\"name\":\"b\",\"type\":"
        "\"double\",\"default\":1}]}],\"default\":null}",
        "row.b row.a", "{\"row\": {\"a\": 5, \"b\": 1.0}}");
}

static void test_projection__a_default_of_another_type_is_none(void **state)
{
    fixture *f = *state;
    resolves(
        f,
        "{\"name\":\"x\",\"type\":\"int\",\"default\":\"seven\"},{\"name\":\"y\",\"type\":[\"null\",\"int\"],\"default\":7},"
        "{\"name\":\"l\",\"type\":{\"type\":\"array\",\"items\":\"int\"},\"default\":[]}",
        "x y l", "{\"l\": []}");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_projection__json_builds_what_is_named),
        TEST(test_projection__kept_keys_stay_with_null),
        TEST(test_projection__json_is_checked_where_nobody_looks),
        TEST(test_projection__depth_counts_where_nobody_looks),
        TEST(test_projection__avro_builds_what_is_named),
        TEST(test_projection__avro_cut_anywhere_is_refused_whatever_is_read),
        TEST(test_projection__avro_bombs_are_refused_where_nobody_looks),
        TEST(test_projection__a_readers_defaults_stand_for_what_the_writer_does_not_have),
        TEST(test_projection__a_default_of_another_type_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

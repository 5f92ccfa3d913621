/* SPDX-License-Identifier: Apache-2.0 */
/* Avro schemas: names, references, refusals, canonical form and fingerprint. */
#include "support.h"

#include "connectors/decode/avro_schema.h"

static void canonical_is(const char *schema, const char *expected, uint64_t fingerprint)
{
    mandate_error err;
    avro_schema parsed;
    arena a;
    buf b;
    arena_init(&a, 0);
    buf_init(&b);
    assert_ok(avro_schema_parse(&parsed, &a, mandate_slice_str(schema), NULL, 0, &err), &err);
    assert_ok(avro_canonical_put(&b, &parsed, AVRO_FULL_NAMES, &err), &err);
    assert_string_equal(buf_cstr(&b), expected);
    if (fingerprint)
        assert_int_equal(avro_crc64(buf_slice(&b)), fingerprint);
    buf_deinit(&b);
    arena_deinit(&a);
}

static void refuses(const char *schema, mandate_status status, const char *part)
{
    mandate_error err;
    avro_plan *plan;
    assert_fails(avro_plan_create(&plan, mandate_slice_str(schema), NULL, 0, &err), status, &err, part);
}

static void accepts(const char *schema)
{
    mandate_error err;
    avro_plan *plan;
    assert_ok(avro_plan_create(&plan, mandate_slice_str(schema), NULL, 0, &err), &err);
    avro_plan_destroy(plan);
}

static void test_avro_schema__the_canonical_form_drops_what_does_not_matter(void **state)
{
    (void)state;
    canonical_is("\"int\"", "\"int\"", UINT64_C(0x7275d51a3f395c8f));
    canonical_is("{\"type\":\"int\",\"logicalType\":\"date\"}", "\"int\"", 0);
    canonical_is("{\"type\":{\"type\":\"int\"}}", "\"int\"", 0);
    canonical_is("{\"fields\":[{\"type\":[\"null\",\"b.X\"],\"default\":null,\"name\":\"f\","
                 "\"doc\":\"?\"}],\"aliases\":[\"o\"],"
                 "\"type\":\"record\",\"name\":\"X\",\"namespace\":\"b\"}",
                 "{\"name\":\"b.X\",\"type\":\"record\",\"fields\":[{\"name\":\"f\",\"type\":["
                 "\"null\",\"b.X\"]}]}",
                 0);
    canonical_is("{\"type\":\"map\",\"values\":{\"size\":16,\"name\":\"a.F\",\"type\":\"fixed\"}}",
                 "{\"type\":\"map\",\"values\":{\"name\":\"a.F\",\"type\":\"fixed\",\"size\":16}}", 0);
}

static void test_avro_schema__the_crc_is_the_one_of_the_specification(void **state)
{
    (void)state;
    assert_int_equal(avro_crc64(mandate_slice_str("")), UINT64_C(0xc15d213aa4d7a795));
    assert_int_equal(avro_crc64(mandate_slice_str("\"null\"")), (uint64_t)7195948357588979594LL);
    assert_int_equal(avro_crc64(mandate_slice_str("\"string\"")), (uint64_t)-8142146995180207161LL);
}

static void test_avro_schema__names_are_looked_up_in_their_namespace_then_without(void **state)
{
    (void)state;
    /* B is outside any namespace, C inside x; from inside x both are found, which Avro C alone
     * would refuse. */
    accepts("{\"type\":\"record\",\"name\":\"B\",\"fields\":[{\"name\":\"c\",\"type\":{\"type\":"
            "\"record\",\"name\":\"x.C\",\"fields\":["
            "{\"name\":\"b\",\"type\":[\"null\",\"B\"]},{\"name\":\"c\",\"type\":[\"null\",\"C\"]}]"
            "}}]}");
    canonical_is("{\"type\":\"record\",\"name\":\"A\",\"namespace\":\"x.y\",\"fields\":[{\"name\":\"e\","
                 "\"type\":{\"type\":\"enum\","
                 "\"name\":\"E\",\"namespace\":\"\",\"symbols\":[\"S\"]}},{\"name\":\"f\",\"type\":\"E\"}]}",
                 "{\"name\":\"x.y.A\",\"type\":\"record\",\"fields\":[{\"name\":\"e\",\"type\":{\"name\":"
                 "\"E\",\"type\":\"enum\","
                 "\"symbols\":[\"S\"]}},{\"name\":\"f\",\"type\":\"E\"}]}",
                 0);
}

static void test_avro_schema__references_are_part_of_the_schema(void **state)
{
    (void)state;
    mandate_error err;
    avro_plan *plan, *whole;
    const mandate_slice references[] = {
        MANDATE_SLICE_LIT("{\"type\":\"enum\",\"name\":\"p.Unit\",\"symbols\":[\"KG\"]}"),
        MANDATE_SLICE_LIT("{\"type\":\"record\",\"name\":\"p.Weight\",\"fields\":[{\"name\":\"u\","
                          "\"type\":\"Unit\"}]}"),
    };
    const char *root = "{\"type\":\"record\",\"name\":\"q.Box\",\"fields\":[{\"name\":\"w\","
                       "\"type\":\"p.Weight\"}]}";
    assert_ok(avro_plan_create(&plan, mandate_slice_str(root), references, 2, &err), &err);
    assert_ok(avro_plan_create(
                  &whole,
                  mandate_slice_str("{\"type\":\"record\",\"name\":\"q.Box\",\"fields\":[{\"name\":\"w\",\"type\":"
                                    "{\"type\":\"record\",\"name\":\"p.Weight\",\"fields\":[{\"name\":\"u\",\"type\":{"
                                    "\"type\":\"enum\",\"name\":\"p.Unit\","
                                    "\"symbols\":[\"KG\"]}}]}}]}"),
                  NULL, 0, &err),
              &err);
    assert_int_equal(avro_plan_fingerprint(plan), avro_plan_fingerprint(whole));
    avro_plan_destroy(plan);
    avro_plan_destroy(whole);
    assert_fails(avro_plan_create(&plan, mandate_slice_str(root), references, 1, &err), MANDATE_INVALID, &err,
                 "no type \"p.Weight\"");
    assert_fails(avro_plan_create(&plan, mandate_slice_str(root), references + 1, 1, &err), MANDATE_INVALID, &err,
                 "reference 1: u: no type \"p.Unit\"");
}

static void test_avro_schema__what_is_no_schema_is_refused_and_says_where(void **state)
{
    (void)state;
    refuses("", MANDATE_INVALID, "not JSON");
    refuses("{\"type\":\"record\",", MANDATE_INVALID, "not JSON");
    refuses("{\"type\":\"int\",\"type\":\"long\"}", MANDATE_INVALID, "not JSON");
    refuses("7", MANDATE_INVALID, "neither name, object nor array");
    refuses("{}", MANDATE_INVALID, "a type is missing");
    refuses("\"integer\"", MANDATE_INVALID, "no type \"integer\"");
    refuses("[\"int\",[\"null\"]]", MANDATE_INVALID, "a union directly inside a union");
    refuses("[\"int\",{\"type\":\"int\",\"logicalType\":\"date\"}]", MANDATE_INVALID, "two branches of type int");
    refuses("[]", MANDATE_INVALID, "Avro C does not accept");
    refuses("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[]}", MANDATE_INVALID, "no symbols");
    refuses("{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"a b\"]}", MANDATE_INVALID, "is no identifier");
    refuses("{\"type\":\"fixed\",\"name\":\"F\",\"size\":-1}", MANDATE_INVALID, "needs a size");
    refuses("{\"type\":\"fixed\",\"size\":1}", MANDATE_INVALID, "needs a name");
    refuses("{\"type\":\"record\",\"name\":\"a-b\",\"fields\":[]}", MANDATE_INVALID, "not \"a-b\"");
    refuses("{\"type\":\"record\",\"name\":\"int\",\"fields\":[]}", MANDATE_INVALID, "may not be named");
    refuses("{\"type\":\"record\",\"name\":\"R\"}", MANDATE_INVALID, "no array of fields");
    refuses("{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":\"int\"},{"
            "\"name\":\"a\",\"type\":\"int\"}]}",
            MANDATE_INVALID, "the field a twice");
    refuses("{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"a\",\"type\":{\"type\":"
            "\"array\",\"items\":\"strin\"}}]}",
            MANDATE_INVALID, "Avro schema: a: no type \"strin\"");
    refuses("[{\"type\":\"fixed\",\"name\":\"F\",\"size\":1},{\"type\":\"fixed\",\"name\":\"F\","
            "\"size\":2}]",
            MANDATE_INVALID, "defined twice");
    refuses("{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"r\",\"type\":\"R\"}]}", MANDATE_INVALID,
            "contains itself");
    refuses("{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"s\",\"type\":{\"type\":"
            "\"record\",\"name\":\"S\",\"fields\":["
            "{\"name\":\"r\",\"type\":\"R\"}]}}]}",
            MANDATE_INVALID, "contains itself");
    refuses("{\"type\":\"bytes\",\"connect.name\":\"org.apache.kafka.connect.data.Decimal\"}", MANDATE_INVALID,
            "without a scale");
    refuses("{\"type\":\"bytes\",\"scale\":100000,\"connect.name\":\"org.apache.kafka.connect.data."
            "Decimal\"}",
            MANDATE_LIMIT, "scale 100000");
}

static void test_avro_schema__nesting_and_length_are_bounded(void **state)
{
    (void)state;
    mandate_error err;
    avro_plan *plan;
    buf b;
    buf_init(&b);
    for (int depth = AVRO_NESTING; depth <= AVRO_NESTING + 1; depth++) {
        buf_reset(&b);
        for (int i = 1; i < depth; i++)
            buf_put_str(&b, "{\"type\":\"array\",\"items\":");
        buf_put_str(&b, "\"int\"");
        for (int i = 1; i < depth; i++)
            buf_put_char(&b, '}');
        mandate_status status = avro_plan_create(&plan, buf_slice(&b), NULL, 0, &err);
        if (depth == AVRO_NESTING) {
            assert_ok(status, &err);
            avro_plan_destroy(plan);
        } else {
            assert_fails(status, MANDATE_LIMIT, &err, "nested deeper than 64");
        }
    }
    buf_reset(&b);
    while (b.len <= LIMIT_AVRO_SCHEMA)
        buf_put_str(&b, "                ");
    assert_fails(avro_plan_create(&plan, buf_slice(&b), NULL, 0, &err), MANDATE_LIMIT, &err, "the limit is 1048576");
    buf_deinit(&b);
}

/* Java's official vectors, when they are there: <<INPUT, <<canonical, <<fingerprint (a signed
 * decimal). */
static bool take_line(mandate_slice *text, mandate_slice *line)
{
    if (text->len == 0)
        return false;
    const char *end = memchr(text->ptr, '\n', text->len);
    size_t len = end ? (size_t)(end - text->ptr) : text->len;
    *line = mandate_slice_of(text->ptr, len);
    text->ptr += len + (end != NULL);
    text->len -= len + (end != NULL);
    return true;
}

static bool begins(mandate_slice *line, const char *prefix)
{
    size_t len = strlen(prefix);
    if (line->len < len || memcmp(line->ptr, prefix, len) != 0)
        return false;
    line->ptr += len;
    line->len -= len;
    return true;
}

static void test_avro_schema__the_official_vectors_agree(void **state)
{
    (void)state;
    mandate_slice text, line;
    buf file, input, canonical;
    char expected[1024] = "";
    int seen = 0, fingerprints = 0;
    mandate_error err;
    buf_init(&file);
    if (!read_shared(&file, "avro-parsing-canonical-form-and-crc64-vectors.txt"))
        skip();
    buf_init(&input);
    buf_init(&canonical);
    text = buf_slice(&file);
    while (take_line(&text, &line)) {
        if (begins(&line, "<<INPUT")) {
            buf_reset(&input);
            buf_put_slice(&input, line);
            if (line.len == 0)
                while (take_line(&text, &line) && !mandate_slice_is(line, "INPUT"))
                    buf_put_slice(&input, line);
            arena a;
            avro_schema parsed;
            arena_init(&a, 0);
            buf_reset(&canonical);
            assert_ok(avro_schema_parse(&parsed, &a, buf_slice(&input), NULL, 0, &err), &err);
            assert_ok(avro_canonical_put(&canonical, &parsed, AVRO_FULL_NAMES, &err), &err);
            arena_deinit(&a);
        } else if (begins(&line, "<<canonical ")) {
            snprintf(expected, sizeof expected, "%.*s", MANDATE_SLICE_ARG(line));
            assert_string_equal(buf_cstr(&canonical), expected);
            seen++;
        } else if (begins(&line, "<<fingerprint ")) {
            snprintf(expected, sizeof expected, "%.*s", MANDATE_SLICE_ARG(line));
            assert_int_equal(avro_crc64(buf_slice(&canonical)), (uint64_t)strtoll(expected, NULL, 10));
            fingerprints++;
        }
    }
    assert_true(seen >= 34 && fingerprints >= 24);
    buf_deinit(&file);
    buf_deinit(&input);
    buf_deinit(&canonical);
}

static void test_avro_schema__the_official_single_object_is_read(void **state)
{
    (void)state;
    mandate_error err;
    avro_plan *schema;
    decoder *d;
    arena a;
    buf text, message;
    cel_value key, value;
    const char *stage;
    buf_init(&text);
    buf_init(&message);
    if (!read_shared(&text, "avro-single-object-test_schema.avsc") ||
        !read_shared(&message, "avro-single-object-test_message.bin"))
        skip();
    arena_init(&a, LIMIT_RECORD_MEMORY);
    assert_ok(avro_plan_create(&schema, buf_slice(&text), NULL, 0, &err), &err);
    decode_options options = {.value_format = DECODE_AVRO, .framing = FRAMING_SINGLE_OBJECT, .value_schema = schema};
    assert_ok(decoder_create(&d, &options, &err), &err);
    record r = {.value = buf_slice(&message)};
    assert_ok(decoder_run(&key, &value, d, &a, &r, &stage, &err), &err);
    assert_value(value, "{\"id\": 42, \"name\": \"Bill\", \"tags\": [\"dog_lover\", \"cat_hater\"]}");
    decoder_destroy(d);
    avro_plan_destroy(schema);
    arena_deinit(&a);
    buf_deinit(&text);
    buf_deinit(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_avro_schema__the_canonical_form_drops_what_does_not_matter),
        cmocka_unit_test(test_avro_schema__the_crc_is_the_one_of_the_specification),
        cmocka_unit_test(test_avro_schema__names_are_looked_up_in_their_namespace_then_without),
        cmocka_unit_test(test_avro_schema__references_are_part_of_the_schema),
        cmocka_unit_test(test_avro_schema__what_is_no_schema_is_refused_and_says_where),
        cmocka_unit_test(test_avro_schema__nesting_and_length_are_bounded),
        cmocka_unit_test(test_avro_schema__the_official_vectors_agree),
        cmocka_unit_test(test_avro_schema__the_official_single_object_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

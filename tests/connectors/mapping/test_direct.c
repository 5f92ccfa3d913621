/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records that go from bytes to changes without a document: that usual ones do, that unusual ones do not, and that it
 * makes no difference, on records made at random and then damaged.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "both_ways.h"

enum { ROUNDS = 4000 };

static uint64_t state_of_random = 42;

static uint32_t any(uint32_t below)
{
    state_of_random ^= state_of_random << 13;
    state_of_random ^= state_of_random >> 7;
    state_of_random ^= state_of_random << 17;
    return (uint32_t)((state_of_random >> 16) % below);
}

#define PICK(list) ((list)[any(sizeof(list) / sizeof(*(list)))])

/* --- JSON ---------------------------------------------------------------------------------------------------------------- */

static const char *const usual[] = {"\"new\"", "\"old\"", "\"gone\"", "\"x\"", "17",
                                    "-4",      "true",    "1.25",     "null",  "\"D-1\""};
static const char *const unusual[] = {"\"\"",
                                      "1e3",
                                      "-0",
                                      "01",
                                      "18446744073709551615",
                                      "9223372036854775808",
                                      "1.0",
                                      "[]",
                                      "[1,{\"id\":2}]",
                                      "{}",
                                      "{\"a\":{\"b\":[null]}}",
                                      "\"a\\\"b\"",
                                      "\"\\u00e4\"",
                                      "\"\\ud800\"",
                                      "\"\\x\"",
                                      "\"\xc3\xa4\"",
                                      "\"\xff\"",
                                      "tru",
                                      "nullx",
                                      "1.",
                                      "-",
                                      "1.5.2",
                                      "1e999",
                                      "\"__debezium_unavailable_value\"",
                                      "\"2026-09-01T10:00:00Z\"",
                                      "\"a text of more than twelve bytes\"",
                                      "123456789012345678901234567890",
                                      "1700000000000",
                                      "\"a\\tb\"",
                                      "\"\\\\\"",
                                      "0.1",
                                      "-12.50",
                                      "1700000000000000000",
                                      "\"a\tb\""};
static const char *const spaces[] = {"", "", "", "", " ", "\n", " \t\r\n "};

static void put_space(buf *b) { buf_put_str(b, PICK(spaces)); }

static void put_value(buf *b, bool strange) { buf_put_str(b, strange && any(12) == 0 ? PICK(unusual) : PICK(usual)); }

static void put_row(buf *b, bool strange, uint32_t depth)
{
    static const char *const names[] = {"id",     "account", "status", "amount", "share",
                                        "active", "price",   "kind",   "other",  "a key that is long"};
    buf_put_char(b, '{');
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (strange && any(9) == 0)
            continue;
        put_space(b);
        buf_printf(b, "\"%s\"", strange && any(40) == 0 ? PICK(names) : names[i]);
        put_space(b);
        buf_put_char(b, ':');
        put_space(b);
        if (!strange || any(3))
            buf_put_str(b, i == 0   ? "\"D-1\""
                           : i == 1 ? "17"
                           : i == 2 ? "\"open\""
                           : i == 3 ? "2.5"
                           : i == 4 ? "3"
                           : i == 5 ? "true"
                           : i == 7 ? "\"new\""
                                    : "\"p\"");
        else
            put_value(b, true);
        buf_put_char(b, ',');
    }
    buf_put_str(b, "\"self\":");
    if (depth == 0)
        put_row(b, strange, 1);
    else
        buf_put_str(b, strange && any(2) ? "{\"status\":\"x\"}" : "null");
    buf_printf(b, ",\"at\":%s}", strange && any(8) == 0 ? PICK(unusual) : "\"2026-09-01T10:00:00Z\"");
}

static void put_event(buf *b, bool strange)
{
    static const char *const ops[] = {"c", "u", "r", "d", "t", "m", "?"};
    buf_put_char(b, '{');
    if (any(2))
        buf_printf(b, "\"before\":%s,", strange && any(3) == 0 ? PICK(unusual) : "null");
    buf_put_str(b, "\"after\":");
    if (strange && any(20) == 0)
        put_value(b, true);
    else
        put_row(b, strange, 0);
    if (!strange || any(10))
        buf_put_str(b, ",\"source\":{\"db\":\"sales\",\"sequence\":\"[\\\"1\\\",\\\"2\\\"]\",\"ts_ms\":1700000000000}");
    if (strange && any(12) == 0)
        buf_printf(b, ",\"%s\":1", any(2) ? "payload" : "ts_us");
    buf_printf(b, ",\"op\":\"%s\",\"ts_ms\":%s,\"ts_us\":1700000000000000}", strange ? PICK(ops) : ops[any(3)],
               strange && any(6) == 0 ? PICK(unusual) : "1700000000001");
}

/* --- Avro ----------------------------------------------------------------------------------------------------------------- */

static void put_long(buf *b, int64_t v)
{
    uint64_t u = ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
    for (; u >= 0x80; u >>= 7)
        buf_put_char(b, (char)(u | 0x80));
    buf_put_char(b, (char)u);
}

static void put_text(buf *b, const char *text)
{
    put_long(b, (int64_t)strlen(text));
    buf_put_str(b, text);
}

static int64_t any_long(void)
{
    return (int64_t)(((uint64_t)any(UINT32_MAX) << 32 | any(UINT32_MAX)) >> any(64)) * (any(2) ? 1 : -1);
}

static void put_deal(buf *b, bool strange, uint32_t depth)
{
    static const char *const texts[] = {"open", "",         "D-1",       "\xc3\xa4",
                                        "gone", "eight by", "nine byte", "more than twelve bytes"};
    double amount = 2.5;
    put_text(b, strange ? PICK(texts) : "D-1");
    put_long(b, 1);
    put_long(b, strange ? any_long() : 17);
    for (int i = strange && any(3) == 0 ? 2 : 0; i > 0; i--) {
        put_long(b, 1);
        put_text(b, PICK(texts));
    }
    put_long(b, 0);
    put_long(b, 0);
    put_text(b, strange ? PICK(texts) : "open");
    buf_put(b, &amount, 8);
    put_long(b, strange && any(4) == 0 ? any_long() : 3);
    buf_put_char(b, (char)any(strange ? 3 : 2));
    put_text(b, "\x01\x23");
    put_long(b, depth == 0);
    if (depth == 0)
        put_deal(b, strange, 1);
    put_long(b, strange && any(9) == 0 ? 2 : 0);
    put_long(b, strange && any(4) == 0 ? any_long() : 1700000000000);
}

static void put_avro_event(buf *b, bool strange)
{
    static const char *const ops[] = {"c", "u", "r", "d", "t", "?", ""};
    put_long(b, strange && any(4) == 0);
    if (b->data[b->len - 1])
        put_deal(b, strange, 0);
    put_long(b, !(strange && any(8) == 0));
    if (b->data[b->len - 1])
        put_deal(b, strange, 0);
    put_text(b, "sales");
    put_long(b, 1700000000000);
    put_text(b, strange ? PICK(ops) : ops[any(3)]);
    put_long(b, 1);
    put_long(b, 1700000000001);
}

/* --- the tests -------------------------------------------------------------------------------------------------------------- */

static void put_record(buf *b, uint32_t kind, bool strange)
{
    buf_reset(b);
    if (both_ways_kinds[kind].schema)
        kind == BOTH_WAYS_KINDS - 1 ? put_avro_event(b, strange) : put_deal(b, strange, 0);
    else
        kind < 2 ? put_row(b, strange, 0) : put_event(b, strange);
}

static void damage(buf *b)
{
    uint32_t at = any((uint32_t)b->len);
    if (any(3) == 0)
        b->len = at;
    else if (any(2))
        b->data[at] = (char)any(256);
    else
        b->data[at] = "\"\\{}[],:0-.e "[any(14)];
}

/* Exactly as long as the record is, so that a byte read beyond it is seen. */
static bool map_both_ways(both_ways *b, const buf *bytes)
{
    char *copy = malloc(bytes->len ? bytes->len : 1);
    assert_non_null(copy);
    memcpy(copy, bytes->data, bytes->len);
    record r = {.topic = mandate_slice_str("t"),
                .offset = 7,
                .timestamp_us = 1700000000000000,
                .key = mandate_slice_str("{\"id\":5}")};
    r.value = mandate_slice_of(copy, bytes->len);
    const char *what = both_ways_differ(b, &r);
    if (what)
        fail_msg("%s differs (%s; %s): %.*s", what, b->err[0].text, b->err[1].text, (int)bytes->len, bytes->data);
    bool was_direct = b->m->was_direct;
    free(copy);
    return was_direct;
}

static void test_direct__usual_records_need_no_document(void **state)
{
    buf b;
    (void)state;
    buf_init(&b);
    for (uint32_t kind = 0; kind < BOTH_WAYS_KINDS; kind++) {
        both_ways w;
        both_ways_open(&w, kind);
        assert_non_null(w.m->direct);
        for (int i = 0; i < 50; i++) {
            put_record(&b, kind, false);
            if (!map_both_ways(&w, &b) && kind != 3) /* there `self` of `after` may be null */
                fail_msg("connector %u: %s", kind, w.err[1].text);
        }
        both_ways_close(&w);
    }
    buf_deinit(&b);
}

static void test_direct__strange_and_damaged_records_map_the_same(void **state)
{
    uint32_t taken = 0, poison = 0;
    buf b;
    (void)state;
    buf_init(&b);
    for (uint32_t kind = 0; kind < BOTH_WAYS_KINDS; kind++) {
        both_ways w;
        both_ways_open(&w, kind);
        for (int i = 0; i < ROUNDS; i++) {
            put_record(&b, kind, true);
            for (uint32_t n = any(3); n > 0 && b.len; n--)
                damage(&b);
            taken += map_both_ways(&w, &b);
            poison += w.err[0].status != MANDATE_OK;
        }
        both_ways_close(&w);
    }
    assert_true(taken > ROUNDS / 4);
    assert_true(poison > ROUNDS);
    buf_deinit(&b);
}

static void test_direct__cut_anywhere_maps_the_same(void **state)
{
    buf b;
    (void)state;
    buf_init(&b);
    for (uint32_t kind = 0; kind < BOTH_WAYS_KINDS; kind++) {
        both_ways w;
        both_ways_open(&w, kind);
        put_record(&b, kind, false);
        while (b.len-- > 0)
            assert_false(map_both_ways(&w, &b));
        both_ways_close(&w);
    }
    buf_deinit(&b);
}

static void test_direct__a_connector_that_reads_maps_as_a_whole_needs_documents(void **state)
{
    static const char *const files[] = {
        "connector: c\ntopics: t\ndecode: {format: json}\nentities: [{type: t.e, id: value.id, attributes: {x: value}}]\n",
        "connector: c\ntopics: t\ndecode: {format: json}\neach: value\nentities: [{type: t.e, id: item.id}]\n",
        "connector: c\ntopics: t\ndecode: {format: json}\nentities: [{type: t.e, id: value.id, forget: [y], attributes: {x: "
        "value.x}}]\n",
        "connector: c\ntopics: t\ndecode: {format: json, envelope: debezium}\nentities: [{type: t.e, id: after.id, "
        "attributes: {x: "
        "after}}]\n",
        "connector: c\ntopics: t\ndecode: {format: json, envelope: debezium-flat}\nentities: [{type: t.e, id: after.id}]\n"};
    (void)state;
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        mandate_error err = {0};
        registry_cache none = {0};
        mandate_slice text = mandate_slice_str(files[i]);
        schema *s;
        connector *c;
        mapper *m;
        if (schema_create(&s, &err) || connector_load(&c, s, "c.yaml", &text, none, &err) || schema_freeze(s, &err) ||
            connector_bind(c, s, &err) || mapper_create(&m, c, &err))
            fail_msg("%zu: %s", i, err.text);
        assert_null(m->direct);
        mapper_destroy(m);
        connector_destroy(c);
        schema_destroy(s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_direct__usual_records_need_no_document),
        cmocka_unit_test(test_direct__strange_and_damaged_records_map_the_same),
        cmocka_unit_test(test_direct__cut_anywhere_maps_the_same),
        cmocka_unit_test(test_direct__a_connector_that_reads_maps_as_a_whole_needs_documents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

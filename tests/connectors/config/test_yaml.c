/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of connectors/config/yaml: what is read, what is refused, and that every refusal says where.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "connectors/config/scalar.h"
#include "engine/limits.h"

static yaml_doc *read_ok(const char *text)
{
    problems p;
    yaml_doc *doc = NULL;
    mandate_slice s = mandate_slice_str(text);
    problems_init(&p);
    if (yaml_open(&doc, "f.yaml", &s, &p))
        fail_msg("%s", buf_cstr(&p.text));
    assert_int_equal(p.count, 0);
    problems_deinit(&p);
    return doc;
}

/* Refused at that place with those words. */
static void refused_slice(mandate_slice s, mandate_status status, uint32_t line, uint32_t column, const char *words)
{
    problems p;
    yaml_doc *doc = NULL;
    problems_init(&p);
    assert_int_equal(yaml_open(&doc, "f.yaml", &s, &p), status);
    assert_null(doc);
    assert_int_equal(p.count, 1);
    if (!strstr(p.first.text, words))
        fail_msg("'%s' is not in: %s", words, p.first.text);
    assert_int_equal(p.first.line, line);
    assert_int_equal(p.first.column, column);
    problems_deinit(&p);
}

static void refused(const char *text, uint32_t line, uint32_t column, const char *words)
{
    refused_slice(mandate_slice_str(text), MANDATE_INVALID, line, column, words);
}

static void test_yaml__nodes_know_where_they_stand(void **state)
{
    (void)state;
    yaml_doc *doc = read_ok("a: 1\nb:\n  - x\n  - {c: 'y'}\n");
    const yaml_node *b = yaml_get(doc->root, "b");
    assert_int_equal(b->kind, YAML_LIST);
    assert_int_equal(b->items[0]->line, 3);
    assert_int_equal(b->items[0]->column, 5);
    const yaml_node *c = yaml_get(b->items[1], "c");
    assert_int_equal(c->line, 4);
    assert_int_equal(c->column, 9);
    assert_int_equal(c->style, YAML_QUOTED);
    assert_null(yaml_get(doc->root, "z"));
    yaml_close(doc);
}

static void test_yaml__only_true_and_false_are_booleans(void **state)
{
    static const char *const words[] = {"no", "yes", "on", "off", "True", "y", "'true'", "\"false\""};
    bool v = true;
    (void)state;
    yaml_doc *doc = read_ok("a: true\nb: false\n");
    assert_true(yaml_bool(yaml_get(doc->root, "a"), &v) && v);
    assert_true(yaml_bool(yaml_get(doc->root, "b"), &v) && !v);
    yaml_close(doc);
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        char text[32];
        snprintf(text, sizeof(text), "a: %s\n", words[i]);
        doc = read_ok(text);
        assert_false(yaml_bool(yaml_get(doc->root, "a"), &v));
        yaml_close(doc);
    }
}

static void test_yaml__integers_are_decimal_and_exact(void **state)
{
    int64_t v = 0;
    static const struct {
        const char *text;
        bool ok;
        int64_t value;
    } cases[] = {{"a: 0", true, 0},
                 {"a: -7", true, -7},
                 {"a: 9223372036854775807", true, INT64_MAX},
                 {"a: -9223372036854775808", true, INT64_MIN},
                 {"a: 9223372036854775808", false, 0},
                 {"a: -9223372036854775809", false, 0},
                 {"a: 1_000", false, 0},
                 {"a: 0x10", false, 0},
                 {"a: 1.0", false, 0},
                 {"a: '1'", false, 0},
                 {"a: -x", false, 0}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        yaml_doc *doc = read_ok(cases[i].text);
        assert_int_equal(yaml_int(yaml_get(doc->root, "a"), &v), cases[i].ok);
        if (cases[i].ok)
            assert_true(v == cases[i].value);
        yaml_close(doc);
    }
}

static void test_yaml__aliases_anchors_and_tags_are_refused_where_they_stand(void **state)
{
    (void)state;
    refused("a: &x 1\nb: *x\n", 1, 4, "anchors");
    refused("a: 1\nb: *x\n", 2, 4, "anchors");
    refused("a: !!str 1\n", 1, 4, "tags");
    refused("a: 1\n<<: *b\n", 2, 5, "anchors");
}

static void test_yaml__a_key_twice_is_refused_with_both_lines(void **state)
{
    (void)state;
    refused("a: 1\nb:\n  x: 1\n  y: 2\n  x: 3\n", 5, 3, "first on line 3");
}

static void test_yaml__malformed_files_are_refused_where_they_break(void **state)
{
    (void)state;
    refused("a: [1, 2\nb: 3\n", 2, 2, "not YAML");
    refused("a: 1\n---\nb: 2\n", 2, 1, "second document");
    refused("? [a, b]\n: 1\n", 1, 3, "a key must be a plain name");
    refused("a: \"\\0\"\n", 1, 4, "NUL");
    refused("a: 1\n\x01: 2\n", 2, 1, "not YAML");
    refused_slice(mandate_slice_of("a: \xff\n", 5), MANDATE_INVALID, 0, 0, "UTF-8");
}

static void test_yaml__nesting_stops_at_the_limit(void **state)
{
    char text[4 * LIMIT_CONFIG_DEPTH + 16];
    (void)state;
    for (int over = 0; over < 2; over++) {
        int depth = LIMIT_CONFIG_DEPTH + over - 1; /* the map around them is one level */
        strcpy(text, "a: ");
        for (int i = 0; i < depth; i++)
            strcat(text, "[");
        for (int i = 0; i < depth; i++)
            strcat(text, "]");
        if (over)
            refused_slice(mandate_slice_str(text), MANDATE_LIMIT, 1, 3 + LIMIT_CONFIG_DEPTH, "nested too deeply");
        else
            yaml_close(read_ok(text));
    }
}

static void test_yaml__a_file_larger_than_the_limit_is_refused(void **state)
{
    (void)state;
    char *text = malloc(LIMIT_CONFIG + 2);
    assert_non_null(text);
    memset(text, ' ', LIMIT_CONFIG + 1);
    memcpy(text, "a: 1\n#", 6);
    mandate_slice s = mandate_slice_of(text, LIMIT_CONFIG);
    problems p;
    yaml_doc *doc = NULL;
    problems_init(&p);
    assert_int_equal(yaml_open(&doc, "f.yaml", &s, &p), MANDATE_OK);
    yaml_close(doc);
    problems_deinit(&p);
    refused_slice(mandate_slice_of(text, LIMIT_CONFIG + 1), MANDATE_LIMIT, 0, 0, "larger than");
    free(text);
}

static void test_yaml__too_many_values_are_refused(void **state)
{
    buf b;
    (void)state;
    buf_init(&b);
    buf_put_str(&b, "a: [");
    for (int i = 0; i < LIMIT_CONFIG_NODES; i++)
        buf_put_str(&b, "1,");
    buf_put_str(&b, "]\n");
    problems p;
    yaml_doc *doc = NULL;
    mandate_slice s = buf_slice(&b);
    problems_init(&p);
    assert_int_equal(yaml_open(&doc, "f.yaml", &s, &p), MANDATE_LIMIT);
    assert_non_null(strstr(p.first.text, "too many values"));
    problems_deinit(&p);
    buf_deinit(&b);
}

static void place_is(const char *text, const char *find, uint32_t line, uint32_t column)
{
    uint32_t l, c;
    yaml_doc *doc = read_ok(text);
    const yaml_node *n = yaml_get(doc->root, "e");
    const char *at = strstr(n->text.ptr, find);
    assert_non_null(at);
    yaml_place(doc, n, (size_t)(at - n->text.ptr), &l, &c);
    assert_int_equal(l, line);
    assert_int_equal(c, column);
    yaml_close(doc);
}

static void test_yaml__a_place_inside_a_scalar_is_found_in_the_file(void **state)
{
    (void)state;
    place_is("x: 1\ne: abc + foo\n", "foo", 2, 10);
    place_is("e: 'abc + foo'\n", "foo", 1, 11);
    place_is("e: \"\xc3\xa4\xc3\xb6 + foo\"\n", "foo", 1, 10); /* columns are code points */
    place_is("e: |\n  abc +\n    foo\n", "foo", 3, 5);
    place_is("e: |\n  abc +\n  foo\n", "abc", 2, 3);
    /* Escaped and folded texts point at their start. */
    place_is("e: \"a\\tb foo\"\n", "foo", 1, 4);
    place_is("e: >\n  abc\n  foo\n", "foo", 1, 4);
    place_is("e: 'it''s foo'\n", "foo", 1, 4);
}

static void test_yaml__unknown_keys_are_told_with_the_nearest_known_one(void **state)
{
    static const yaml_key keys[] = {{"topics", "list", true, "what to read"}, {"when", "expression", false, ""}};
    problems p;
    (void)state;
    yaml_doc *doc = read_ok("topcis: x\nzzz: 1\n");
    problems_init(&p);
    assert_true(yaml_check_keys(&p, doc, doc->root, "the file", keys, 2));
    assert_int_equal(p.count, 3);
    assert_non_null(strstr(buf_cstr(&p.text), "f.yaml:1:1: unknown key 'topcis' in the file: did you mean 'topics'?\n"
                                              "    1 | topcis: x\n      | ^\n"));
    assert_non_null(strstr(buf_cstr(&p.text), "f.yaml:2:1: unknown key 'zzz' in the file: known are topics, when"));
    assert_non_null(strstr(buf_cstr(&p.text), "has no 'topics': what to read"));
    assert_int_equal(p.first.line, 1);
    problems_deinit(&p);
    yaml_close(doc);
}

static void test_yaml__an_excerpt_never_shows_a_secret(void **state)
{
    problems p;
    (void)state;
    yaml_doc *doc = read_ok("sasl.passwrod: hunter2\nsasl.password: hunter3\n");
    problems_init(&p);
    yaml_problem(&p, doc, doc->root->entries[1].value, "wrong");
    assert_null(strstr(buf_cstr(&p.text), "hunter3"));
    assert_non_null(strstr(buf_cstr(&p.text), "sasl.password:"));
    problems_deinit(&p);
    yaml_close(doc);
}

static void test_yaml__a_long_line_is_cut_around_the_caret(void **state)
{
    problems p;
    buf b;
    (void)state;
    buf_init(&b);
    for (int i = 0; i < 300; i++)
        buf_put_char(&b, 'x');
    buf_put_str(&b, ": y\n");
    yaml_doc *doc = read_ok(buf_cstr(&b));
    problems_init(&p);
    yaml_problem(&p, doc, doc->root->entries[0].value, "here");
    const char *caret = strchr(buf_cstr(&p.text), '^');
    const char *line = strstr(buf_cstr(&p.text), "    1 | ");
    assert_true(caret && line);
    const char *below = strstr(line, "\n      | ");
    assert_true(below && below - line < 140);
    assert_int_equal(line[caret - below - 1], 'y');
    problems_deinit(&p);
    yaml_close(doc);
    buf_deinit(&b);
}

static void test_yaml__secrets_come_from_the_environment_or_a_file(void **state)
{
    static const struct {
        const char *text, *value, *words;
    } cases[] = {
        {"a: ${MANDATE_TEST_SECRET}", "hunter2", NULL},
        {"a: user:${MANDATE_TEST_SECRET}!", "user:hunter2!", NULL},
        {"a: $${X} costs $5", "${X} costs $5", NULL},
        {"a: ${MANDATE_TEST_UNSET}", NULL, "MANDATE_TEST_UNSET is not set"},
        {"a: ${oops", NULL, "without a name"},
        {"a: ${}", NULL, "without a name"},
        {"a: file:/nonexistent/secret", NULL, "cannot open"},
        {"a: [x]", NULL, "not a list"},
    };
    (void)state;
    setenv("MANDATE_TEST_SECRET", "hunter2", 1);
    unsetenv("MANDATE_TEST_UNSET");
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        problems p;
        arena a;
        yaml_doc *doc = read_ok(cases[i].text);
        arena_init(&a, 0);
        problems_init(&p);
        const char *v = yaml_expand(&a, &p, doc, yaml_get(doc->root, "a"), ".");
        if (cases[i].value) {
            assert_non_null(v);
            assert_string_equal(v, cases[i].value);
        } else {
            assert_null(v);
            assert_non_null(strstr(p.first.text, cases[i].words));
        }
        problems_deinit(&p);
        arena_deinit(&a);
        yaml_close(doc);
    }
}

static void test_yaml__durations_have_a_unit(void **state)
{
    static const struct {
        const char *text;
        int64_t us; /* -1: refused */
    } cases[] = {{"15m", 900000000}, {"1h30m", 5400000000}, {"250ms", 250000}, {"0", 0},
                 {"15", -1},         {"-5s", -1},           {"[]", -1},        {"soon", -1}};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char text[32];
        int64_t us = -1;
        snprintf(text, sizeof(text), "a: %s\n", cases[i].text);
        yaml_doc *doc = read_ok(text);
        assert_int_equal(yaml_duration_us(yaml_get(doc->root, "a"), &us), cases[i].us >= 0);
        if (cases[i].us >= 0)
            assert_true(us == cases[i].us);
        yaml_close(doc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_yaml__nodes_know_where_they_stand),
        cmocka_unit_test(test_yaml__only_true_and_false_are_booleans),
        cmocka_unit_test(test_yaml__integers_are_decimal_and_exact),
        cmocka_unit_test(test_yaml__aliases_anchors_and_tags_are_refused_where_they_stand),
        cmocka_unit_test(test_yaml__a_key_twice_is_refused_with_both_lines),
        cmocka_unit_test(test_yaml__malformed_files_are_refused_where_they_break),
        cmocka_unit_test(test_yaml__nesting_stops_at_the_limit),
        cmocka_unit_test(test_yaml__a_file_larger_than_the_limit_is_refused),
        cmocka_unit_test(test_yaml__too_many_values_are_refused),
        cmocka_unit_test(test_yaml__a_place_inside_a_scalar_is_found_in_the_file),
        cmocka_unit_test(test_yaml__unknown_keys_are_told_with_the_nearest_known_one),
        cmocka_unit_test(test_yaml__an_excerpt_never_shows_a_secret),
        cmocka_unit_test(test_yaml__a_long_line_is_cut_around_the_caret),
        cmocka_unit_test(test_yaml__secrets_come_from_the_environment_or_a_file),
        cmocka_unit_test(test_yaml__durations_have_a_unit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

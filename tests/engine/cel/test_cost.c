/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_cost - what is estimated for ordinary conditions and for those that are refused.
 *
 * That the estimate is never below what is counted is prop_cost's business.
 */
#include "eval_unit.h"

#include "engine/cel/cost.h"
#include "engine/cel/cost_unit.h"

#include <string.h>

static uint64_t estimate(world *w, const char *source, char worst[200])
{
    cel_ast *ast = NULL;
    mandate_error err = {.text = ""};
    uint64_t cost = 0, part = 0;
    const cel_expr *e = NULL;
    mandate_status status = cel_parse(&ast, w->env, mandate_slice_str(source), NULL, &err);
    if (status == MANDATE_OK)
        status = cel_check(ast, w->env, NULL, NULL, &err);
    if (status != MANDATE_OK)
        fail_msg("%s: %s", source, err.text);
    assert_int_equal(cel_cost_estimate(ast, w->env, NULL, &cost, &e, &part, NULL), MANDATE_OK);
    assert_true(part <= cost);
    if (worst)
        snprintf(worst, 200, "%.*s", (int)(e->end - e->begin), source + e->begin);
    cel_ast_destroy(ast);
    return cost;
}

static void test_cost__ordinary_conditions_fit(void **state)
{
    static const char *const sources[] = {
        "doc['a'].status == 'open'",
        "doc['a'].status in ['open', 'new', 'won'] && doc['b'].size > 5 || !has(doc['c'].at)",
        "doc['a'].tags.exists(t, t == 'red')",
        "doc['a'].tags.all(t, t.startsWith('r') || t.contains('blue'))",
        "doc['a'].peers.exists(p, p.status == 'signed' && p.size > 3)",
        "doc['a'].peers.exists(p, p.status == 'signed') && doc['b'].peers.all(p, p.size < n)",
        "doc['a'].peers.filter(p, p.size > 1).size() >= 2",
        "doc['a'].peers.exists_one(p, p.owner.status.lowerAscii() == s)",
        "doc['a'].peers.map(p, p.size).exists(i, i in [1, 2, 3])",
        "doc['a'].peers.exists(p, now - p.at < duration('72h'))",
        "doc['a'].extra.k == 9 || x == 'a' || x in [1, 2]",
        "now.getHours('Europe/Berlin') >= 9 && now.getHours('Europe/Berlin') < 17",
        "doc['a'].status.matches('^(open|new)$')",
    };
    world w;
    world_init(&w);
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        uint64_t cost = estimate(&w, sources[i], NULL);
        if (cost > LIMIT_CEL_COST)
            fail_msg("%s: %llu units", sources[i], (unsigned long long)cost);
    }
    world_deinit(&w);
}

/* The signers of an envelope, as e-signature systems send them: a list of maps with whatever is in them. */
static void test_cost__a_search_through_a_list_of_records_fits(void **state)
{
    static const char *const sources[] = {
        "signers.exists(s, s.role == 'CFO' && s.status == 'signed')",
        "signers.exists(s, s['role'] == 'CFO' && s['status'] == 'signed')",
        "signers.exists(s, has(s.role) && s.role in ['CFO', 'CEO'] && s.status == 'signed')",
        "signers.filter(s, s.status != 'signed').size() == 0",
    };
    world w;
    uint32_t index;
    world_init(&w);
    const cel_type *type = cel_type_parse(w.env, mandate_slice_str("list(map(string, dyn))"), NULL);
    assert_int_equal(cel_env_variable(&index, w.env, "signers", type, NULL), MANDATE_OK);
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        uint64_t cost = estimate(&w, sources[i], NULL);
        if (cost > LIMIT_CEL_COST)
            fail_msg("%s: %llu units", sources[i], (unsigned long long)cost);
    }
    world_deinit(&w);
}

static void test_cost__what_may_take_too_long_does_not_fit_and_is_named(void **state)
{
    static const struct {
        const char *source, *worst;
    } cases[] = {
        {"n == 3 && doc['a'].peers.exists(p, p.peers.exists(q, q.status == 'x'))",
         "doc['a'].peers.exists(p, p.peers.exists(q, q.status == 'x'))"},
        {"n == 3 || doc['a'].tags.exists(t, t.matches(s))", "doc['a'].tags.exists(t, t.matches(s))"},
        {"(doc['a'].peers.map(p, p.tags).flatten().distinct().size() > 3) == (n == 3)",
         "doc['a'].peers.map(p, p.tags).flatten()"},
        {"n > 0 && lists.range(n).all(i, lists.range(n).all(j, i * j > 0))",
         "lists.range(n).all(i, lists.range(n).all(j, i * j > 0))"},
        {"dyn(doc['a'].extra) == dyn(doc['b'].extra)", "dyn(doc['a'].extra) == dyn(doc['b'].extra)"},
        {"doc['a'].peers.exists(p, p.at.getHours('Europe/Berlin') + now.getHours('Europe/Berlin') == 3)",
         "doc['a'].peers.exists(p, p.at.getHours('Europe/Berlin') + now.getHours('Europe/Berlin') == 3)"},
    };
    char worst[200];
    world w;
    world_init(&w);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint64_t cost = estimate(&w, cases[i].source, worst);
        if (cost <= LIMIT_CEL_COST)
            fail_msg("%s: only %llu units", cases[i].source, (unsigned long long)cost);
        if (strcmp(worst, cases[i].worst) != 0 && i != 2)
            fail_msg("%s: named is '%s'", cases[i].source, worst);
    }
    world_deinit(&w);
}

static void test_cost__a_refusal_says_where_and_how_much(void **state)
{
    static const char source[] = "n == 3 &&\n doc['a'].peers.all(p, p.peers.all(q, q.size > 1))";
    world w;
    cel_ast *ast = NULL;
    cel_issues issues;
    mandate_error err = {.text = ""};
    world_init(&w);
    cel_issues_init(&issues);
    assert_int_equal(cel_parse(&ast, w.env, mandate_slice_str(source), &issues, &err), MANDATE_OK);
    assert_int_equal(cel_check(ast, w.env, NULL, &issues, &err), MANDATE_OK);
    assert_int_equal(cel_cost_check(ast, w.env, NULL, LIMIT_CEL_COST, &issues, &err), MANDATE_LIMIT);
    assert_int_equal(issues.items[0].line, 2);
    assert_non_null(strstr(err.text, "units, and 250000 are allowed"));
    assert_non_null(strstr(err.text, "for 'doc['a'].peers.all(p, p.peers.all(q, q.size > 1))'"));
    assert_non_null(strstr(err.text, "1000 elements"));
    cel_issues_deinit(&issues);
    cel_ast_destroy(ast);
    world_deinit(&w);
}

/* What is wrong with a constant pattern is said, and not what trying it would cost. */
static void test_cost__a_bad_constant_pattern_is_refused_for_what_is_wrong_with_it(void **state)
{
    static const struct {
        const char *source, *says;
        uint32_t column, count;
    } cases[] = {
        {"s.matches('[')", "invalid regular expression: missing ]: [", 11, 1},
        {"true || matches(s, '(?=x)')", "invalid regular expression: invalid perl operator: (?=", 20, 1},
        {"regex.replace(s, '(', 'b') == ''", "invalid regular expression: missing ): (", 18, 1},
        {"regex.extract(s, '(a)(b)').hasValue()", "regular expression has more than one capturing group", 18, 1},
        {"doc['a'].tags.all(t, t.matches(')') && t.matches('*'))", "invalid regular expression: unexpected ): )", 32, 2},
        {"s.matches('(a)(b)') && regex.replace(s, '(a)(b)', '') == '' && s.matches('[a-z]+')", NULL, 0, 0},
    };
    world w;
    world_init(&w);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cel_ast *ast = NULL;
        cel_issues issues;
        mandate_error err = {.text = ""};
        cel_issues_init(&issues);
        assert_int_equal(cel_parse(&ast, w.env, mandate_slice_str(cases[i].source), &issues, &err), MANDATE_OK);
        assert_int_equal(cel_check(ast, w.env, NULL, &issues, &err), MANDATE_OK);
        mandate_status status = cel_cost_check(ast, w.env, NULL, UINT64_MAX, &issues, &err);
        if (status != (cases[i].says ? MANDATE_INVALID : MANDATE_OK) || issues.count != cases[i].count ||
            (cases[i].says && (!strstr(err.text, cases[i].says) || issues.items[0].column != cases[i].column)))
            fail_msg("%s: %s, %u issues, %s", cases[i].source, mandate_status_name(status), issues.count, err.text);
        cel_issues_deinit(&issues);
        cel_ast_destroy(ast);
    }
    world_deinit(&w);
}

static void test_cost__a_constant_pattern_has_a_cap(void **state)
{
    char source[LIMIT_CEL_REGEX + 40] = "'a'.matches('";
    world w;
    world_init(&w);
    for (int over = 0; over < 2; over++) {
        cel_ast *ast = NULL;
        cel_issues issues;
        mandate_error err = {.text = ""};
        memset(source + 13, 'a', LIMIT_CEL_REGEX + 1);
        memcpy(source + 13 + LIMIT_CEL_REGEX + over, "')", 3);
        cel_issues_init(&issues);
        assert_int_equal(cel_parse(&ast, w.env, mandate_slice_str(source), &issues, &err), MANDATE_OK);
        assert_int_equal(cel_check(ast, w.env, NULL, &issues, &err), MANDATE_OK);
        mandate_status status = cel_cost_check(ast, w.env, NULL, LIMIT_CEL_COST, &issues, &err);
        assert_int_equal(status, over ? MANDATE_INVALID : MANDATE_OK);
        if (over)
            assert_non_null(strstr(err.text, "regular expression longer than 512 bytes"));
        cel_issues_deinit(&issues);
        cel_ast_destroy(ast);
    }
    world_deinit(&w);
}

static void test_cost__grows_with_the_assumed_sizes(void **state)
{
    cel_cost_sizes sizes = CEL_COST_SIZES;
    world w;
    cel_ast *ast = NULL;
    uint64_t small, large;
    world_init(&w);
    assert_int_equal(cel_parse(&ast, w.env, mandate_slice_str("doc['a'].tags.all(t, t == s)"), NULL, NULL), MANDATE_OK);
    assert_int_equal(cel_check(ast, w.env, NULL, NULL, NULL), MANDATE_OK);
    sizes.items = 10;
    assert_int_equal(cel_cost_estimate(ast, w.env, &sizes, &small, NULL, NULL, NULL), MANDATE_OK);
    sizes.items = 20;
    assert_int_equal(cel_cost_estimate(ast, w.env, &sizes, &large, NULL, NULL, NULL), MANDATE_OK);
    assert_true(large > small && large < 2 * small);
    cel_ast_destroy(ast);
    world_deinit(&w);
}

/* An estimate takes time linear in the expression, however deep its comprehensions are nested. */
static void test_cost__nested_comprehensions_are_estimated_once_each(void **state)
{
    char source[2000] = "";
    world w;
    world_init(&w);
    for (int i = 0; i < 14; i++)
        strcat(source, "doc['a'].tags.map(t, ");
    strcat(source, "1");
    for (int i = 0; i < 14; i++)
        strcat(source, ")");
    strcat(source, ".size() > 0");
    assert_true(estimate(&w, source, NULL) > LIMIT_CEL_COST);
    world_deinit(&w);
}

static void test_cost__declared_sizes_are_believed(void **state)
{
    static const char source[] = "doc['a'].tags.all(t, doc['a'].tags.exists(u, u == t))";
    world w;
    world_init(&w);
    const cel_type *doc = cel_type_object(w.env, "doc");
    uint64_t assumed = estimate(&w, source, NULL);
    assert_true(assumed > LIMIT_CEL_COST);
    assert_int_equal(cel_env_field_sizes(w.env, doc, FIELD_TAGS, 16, 20, NULL), MANDATE_OK);
    uint64_t declared = estimate(&w, source, NULL);
    assert_true(declared < 40000);
    assert_int_equal(cel_env_field_sizes(w.env, doc, FIELD_TAGS, 16, 21, NULL), MANDATE_OK);
    assert_true(estimate(&w, source, NULL) > declared);
    assert_int_equal(cel_env_field_sizes(w.env, doc, FIELD_TAGS, 160, 20, NULL), MANDATE_OK);
    assert_true(estimate(&w, source, NULL) > declared);
    /* that of another field is as before */
    assert_true(estimate(&w, "dyn(doc['a'].extra) == dyn(doc['b'].extra)", NULL) > LIMIT_CEL_COST);
    assert_int_equal(cel_env_field_sizes(w.env, doc, 700, 1, 1, NULL), MANDATE_INVALID);
    world_deinit(&w);
}

/* The words that people read, against the numbers that are charged; a call's step is 4 of them. */
static void test_cost__prices_in_words_are_the_prices(void **state)
{
    const cel_extent n = {.len = 100, .value = 50, .mass = 7, .equal = 7}, m = {.len = 32, .mass = 3, .equal = 3};
    const cel_extent args[3] = {n, m, {.len = 8, .mass = 1}};
    static const struct {
        cel_overload_id id;
        const char *words;
        uint64_t units;
        uint32_t count;
    } cases[] = {
        {CEL_FN_TYPE, "4", 4, 1},
        {CEL_FN_SIZE_STRING, "6 + (n + m + k) / 4", 6 + 25, 1},
        {CEL_FN_STRING_TO_INT64, "34 + 2 (n + m + k)", 34 + 200, 1},
        {CEL_FN_STARTS_WITH_STRING, "4 + m / 16", 4 + 2, 2},
        {CEL_FN_CONTAINS_STRING, "8 + 2 n + m", 8 + 200 + 32, 2},
        {CEL_FN_STRING_LAST_INDEX_OF, "6 + n + n m / 16", 6 + 100 + 200, 2},
        {CEL_FN_STRING_REPLACE, "44 + 4 n + (n + 1)(k + 8) / 4", 44 + 400 + 101 * 4, 3},
        {CEL_FN_LIST_REVERSE, "8 + n + m", 8 + 100, 1},
        {CEL_FN_LISTS_RANGE, "8 + the number", 8 + 50, 1},
        {CEL_FN_SETS_CONTAINS, "64 + 20 (n + m), and 8 for each value in them", 64 + 20 * 132 + 8 * 10, 2},
        {CEL_FN_STRING_FORMAT, "64 + 4 (n + m + k), and 100 for each value in them", 64 + 4 * 132 + 100 * 10, 2},
        {CEL_FN_TIMESTAMP_TO_HOURS,
         "16, in a named zone 64; of now, for each boundary ahead (up to 62) 24, in a named zone 500", 16, 1},
        {CEL_FN_INT64_TO_STRING, "64; 404 for a double", 64, 1},
        {CEL_FN_DOUBLE_TO_STRING, "64; 404 for a double", 404, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_string_equal(cel_call_price(cases[i].id), cases[i].words);
        assert_int_equal(CEL_UNITS_CALL + cel_call_units(cases[i].id, NULL, args, cases[i].count), cases[i].units);
    }
    for (uint32_t id = 0; id < CEL_FN_COUNT; id++)
        assert_true(strlen(cel_call_price((cel_overload_id)id)) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cost__ordinary_conditions_fit),
        cmocka_unit_test(test_cost__a_search_through_a_list_of_records_fits),
        cmocka_unit_test(test_cost__what_may_take_too_long_does_not_fit_and_is_named),
        cmocka_unit_test(test_cost__a_refusal_says_where_and_how_much),
        cmocka_unit_test(test_cost__a_bad_constant_pattern_is_refused_for_what_is_wrong_with_it),
        cmocka_unit_test(test_cost__a_constant_pattern_has_a_cap),
        cmocka_unit_test(test_cost__grows_with_the_assumed_sizes),
        cmocka_unit_test(test_cost__declared_sizes_are_believed),
        cmocka_unit_test(test_cost__prices_in_words_are_the_prices),
        cmocka_unit_test(test_cost__nested_comprehensions_are_estimated_once_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_limits - every LIMIT_CEL_* at the cap, and one above.
 */
#include "eval_unit.h"

#include "engine/cel/cost.h"

/* `head`, `count` times `unit`, `tail`. */
static const char *repeated(const char *head, const char *unit, size_t count, const char *tail)
{
    static char text[1 << 17];
    size_t len = strlen(head), step = strlen(unit);
    assert_true(len + count * step + strlen(tail) < sizeof text);
    memcpy(text, head, len);
    for (size_t i = 0; i < count; i++, len += step)
        memcpy(text + len, unit, step);
    strcpy(text + len, tail);
    return text;
}

/* Compiling must end like this; the words of a refusal are compared. */
static void expect(world *w, const char *source, mandate_status want, const char *words)
{
    cel_program *program = NULL;
    mandate_error err = {.text = ""};
    mandate_status status = cel_program_create(&program, w->env, mandate_slice_str(source), NULL, NULL, &err);
    if (status != want || !strstr(err.text, words))
        fail_msg("%.60s...: status %d, \"%s\"", source, (int)status, err.text);
    cel_program_destroy(program);
}

static void test_limits__source(void **state)
{
    world w;
    world_init(&w);
    expect(&w, repeated("1", " ", LIMIT_CEL_SOURCE - 1, ""), MANDATE_OK, "");
    expect(&w, repeated("1", " ", LIMIT_CEL_SOURCE, ""), MANDATE_LIMIT, "4096");
    world_deinit(&w);
}

static void test_limits__nesting(void **state)
{
    char text[200];
    world w;
    world_init(&w);
    for (int open = 1; open <= LIMIT_CEL_NESTING + 1; open++) {
        memset(text, '(', (size_t)open);
        text[open] = '1';
        memset(text + open + 1, ')', (size_t)open);
        text[2 * open + 1] = 0;
        expect(&w, text, open <= LIMIT_CEL_NESTING ? MANDATE_OK : MANDATE_LIMIT, open <= LIMIT_CEL_NESTING ? "" : "deep");
    }
    world_deinit(&w);
}

static void test_limits__depth_of_the_tree(void **state)
{
    world w;
    world_init(&w);
    expect(&w, repeated("1", "+1", CEL_TREE_DEPTH_MAX - 1, ""), MANDATE_OK, "");
    expect(&w, repeated("1", "+1", CEL_TREE_DEPTH_MAX + 1, ""), MANDATE_LIMIT, "");
    world_deinit(&w);
}

/* optMap copies its target, so that nodes double without much source. */
static void test_limits__nodes(void **state)
{
    world w;
    cel_ast *ast = NULL;
    mandate_error err = {.text = ""};
    uint32_t most = 0;
    bool refused = false;
    world_init(&w);
    for (size_t n = 1; n <= 24 && !refused; n++) {
        const char *source = repeated("optional.of(1)", ".optMap(i, i)", n, "");
        mandate_status status = cel_parse(&ast, w.env, mandate_slice_str(source), NULL, &err);
        if (status == MANDATE_OK)
            most = ast->node_count;
        else
            assert_int_equal(status, MANDATE_LIMIT);
        refused = status != MANDATE_OK;
        cel_ast_destroy(ast);
        ast = NULL;
    }
    assert_true(refused);
    assert_non_null(strstr(err.text, "4096"));
    assert_in_range(most, 1000, LIMIT_CEL_NODES);
    world_deinit(&w);
}

static void test_limits__elements_of_a_literal(void **state)
{
    world w;
    world_init(&w);
    expect(&w, repeated("[1", ",1", LIMIT_CEL_LIST_LITERAL - 1, "]"), MANDATE_OK, "");
    expect(&w, repeated("[1", ",1", LIMIT_CEL_LIST_LITERAL, "]"), MANDATE_LIMIT, "256");
    expect(&w, repeated("{1:1", ",1:1", LIMIT_CEL_LIST_LITERAL - 1, "}"), MANDATE_OK, "");
    expect(&w, repeated("{1:1", ",1:1", LIMIT_CEL_LIST_LITERAL, "}"), MANDATE_LIMIT, "256");
    world_deinit(&w);
}

static void test_limits__arguments(void **state)
{
    world w;
    world_init(&w);
    expect(&w, repeated("math.greatest(1", ",1", LIMIT_CEL_ARGS - 1, ")"), MANDATE_OK, "");
    expect(&w, repeated("math.greatest(1", ",1", LIMIT_CEL_ARGS, ")"), MANDATE_LIMIT, "16");
    world_deinit(&w);
}

static void test_limits__problems_reported(void **state)
{
    world w;
    world_init(&w);
    for (uint32_t n = LIMIT_CEL_ERRORS - 1; n <= LIMIT_CEL_ERRORS + 1; n++) {
        cel_program *program = NULL;
        cel_issues issues;
        cel_issues_init(&issues);
        const char *source = repeated("[nope", ",nope", n - 1, "]");
        assert_int_equal(cel_program_create(&program, w.env, mandate_slice_str(source), NULL, &issues, NULL),
                         MANDATE_INVALID);
        assert_int_equal(issues.count, n < LIMIT_CEL_ERRORS ? n : LIMIT_CEL_ERRORS);
        assert_int_equal(issues.truncated, n > LIMIT_CEL_ERRORS);
        cel_issues_deinit(&issues);
    }
    world_deinit(&w);
}

static void test_limits__iterations(void **state)
{
    char source[100];
    world w;
    world_init(&w);
    w.vars[VAR_N] = cel_int(LIMIT_CEL_ITERATIONS);
    snprintf(source, sizeof source, "lists.range(n).all(i, i >= 0)");
    EXPECT(&w, source, "true");
    w.vars[VAR_N] = cel_int(LIMIT_CEL_ITERATIONS + 1);
    EXPECT(&w, source, "error(iteration limit of 20000 exceeded)");
    /* of all comprehensions together */
    w.vars[VAR_N] = cel_int(200);
    EXPECT(&w, "lists.range(n / 2).all(i, lists.range(n - 1).all(j, true))", "true");
    EXPECT(&w, "lists.range(n / 2).all(i, lists.range(n).all(j, true))", "error(iteration limit of 20000 exceeded)");
    world_deinit(&w);
}

/* While the innermost of five lists is made, the 255 first elements of each other wait on the stack. */
static void test_limits__stack(void **state)
{
    static char text[LIMIT_CEL_SOURCE];
    const size_t inner = LIMIT_CEL_STACK - 4 * (LIMIT_CEL_LIST_LITERAL - 1);
    world w;
    world_init(&w);
    for (size_t over = 0; over <= 1; over++) {
        size_t len = 0;
        for (int k = 0; k < 4; k++)
            len += (size_t)sprintf(text + len, "%s", repeated("[", "n,", LIMIT_CEL_LIST_LITERAL - 1, ""));
        len += (size_t)sprintf(text + len, "%s", repeated("[n", ",n", inner + over - 1, "]]]]]"));
        expect(&w, text, over ? MANDATE_LIMIT : MANDATE_OK, over ? "stack" : "");
    }
    world_deinit(&w);
}

static void test_limits__memory(void **state)
{
    world w;
    world_init(&w);
    w.vars[VAR_N] = cel_int(LIMIT_CEL_MEMORY / 16);
    EXPECT(&w, "lists.range(n).size()", "65536");
    EXPECT(&w, "lists.range(n).reverse().size()", "error(out of memory)");
    EXPECT(&w, "lists.range(n + 1).size()", "error(lists.range: 65537 elements are too many)");
    world_deinit(&w);
}

static void test_limits__regex(void **state)
{
    static char pattern[LIMIT_CEL_REGEX + 2];
    world w;
    world_init(&w);
    memset(pattern, 'h', LIMIT_CEL_REGEX + 1);
    for (int over = 0; over <= 1; over++) {
        w.vars[VAR_X] = cel_string(mandate_slice_of(pattern, (size_t)LIMIT_CEL_REGEX + (size_t)over));
        EXPECT(&w, "s.matches(x)", over ? "error(regular expression longer than 512 bytes)" : "false");
        EXPECT(&w, repeated("s.matches('", "h", (size_t)LIMIT_CEL_REGEX + (size_t)over, "')"),
               over ? "error(regular expression longer than 512 bytes)" : "false");
    }
    world_deinit(&w);
}

static void test_limits__cost_of_an_evaluation(void **state)
{
    world w;
    cel_ast *ast = NULL;
    uint64_t estimate;
    world_init(&w);
    mandate_slice source = mandate_slice_str("doc['a'].tags.exists(t, t == 'blue')");
    cel_program *program = world_compile(&w, "doc['a'].tags.exists(t, t == 'blue')");
    cel_activation act = {.host = &world_host, .ctx = &w, .memory = &w.memory};
    assert_true(cel_is_true(cel_eval(program, &act)));
    act.cost_max = act.cost;
    assert_true(cel_is_true(cel_eval(program, &act)));
    act.cost_max--;
    assert_int_equal(cel_eval(program, &act).kind, CEL_ERROR);
    cel_program_destroy(program);
    /* and of the estimate */
    assert_int_equal(cel_parse(&ast, w.env, source, NULL, NULL), MANDATE_OK);
    assert_int_equal(cel_check(ast, w.env, NULL, NULL, NULL), MANDATE_OK);
    assert_int_equal(cel_cost_estimate(ast, w.env, NULL, &estimate, NULL, NULL, NULL), MANDATE_OK);
    cel_issues issues;
    cel_issues_init(&issues);
    assert_int_equal(cel_cost_check(ast, w.env, NULL, estimate, &issues, NULL), MANDATE_OK);
    assert_int_equal(issues.count, 0);
    assert_int_equal(cel_cost_check(ast, w.env, NULL, estimate - 1, &issues, NULL), MANDATE_LIMIT);
    assert_int_equal(issues.count, 1);
    cel_issues_deinit(&issues);
    cel_ast_destroy(ast);
    world_deinit(&w);
}

static void test_limits__depth_of_a_value(void **state)
{
    world w;
    world_init(&w);
    cel_value lists[LIMIT_VALUE_DEPTH + 2], out;
    lists[0] = cel_int(1);
    for (int i = 1; i < LIMIT_VALUE_DEPTH + 2; i++)
        lists[i] = cel_list(&lists[i - 1], 1);
    assert_int_equal(cel_copy(&out, &w.memory, lists[LIMIT_VALUE_DEPTH], NULL), MANDATE_OK);
    assert_int_equal(cel_copy(&out, &w.memory, lists[LIMIT_VALUE_DEPTH + 1], NULL), MANDATE_LIMIT);
    world_deinit(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits__source),
        cmocka_unit_test(test_limits__nesting),
        cmocka_unit_test(test_limits__depth_of_the_tree),
        cmocka_unit_test(test_limits__nodes),
        cmocka_unit_test(test_limits__elements_of_a_literal),
        cmocka_unit_test(test_limits__arguments),
        cmocka_unit_test(test_limits__problems_reported),
        cmocka_unit_test(test_limits__iterations),
        cmocka_unit_test(test_limits__stack),
        cmocka_unit_test(test_limits__memory),
        cmocka_unit_test(test_limits__regex),
        cmocka_unit_test(test_limits__cost_of_an_evaluation),
        cmocka_unit_test(test_limits__depth_of_a_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

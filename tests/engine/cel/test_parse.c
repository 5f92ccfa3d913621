/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_parse - shapes of trees, expansion of macros, limits at the cap and one above.
 */
#include "tests/engine/cel/cel_unit.h"

static cel_env *env, *plain;

static int setup(void **state)
{
    env = shop_env(CEL_LIB_ALL);
    plain = shop_env(CEL_LIB_STANDARD);
    return 0;
}

static int teardown(void **state)
{
    cel_env_destroy(env);
    cel_env_destroy(plain);
    return 0;
}

/* The tree in prefix form, macros unfolded: f(a, b), t.f(a), fold(...). */
static void dump(buf *b, const cel_expr *e)
{
    if (e->kind == CEL_EXPR_COMPREHENSION) {
        const cel_comprehension *f = e->comprehension;
        const cel_expr *const parts[] = {f->range, f->init, f->condition, f->step, f->result};

        buf_printf(b, "fold(%.*s", MANDATE_SLICE_ARG(f->iter_var));
        if (f->iter_var2.len)
            buf_printf(b, " %.*s", MANDATE_SLICE_ARG(f->iter_var2));
        buf_printf(b, ", %.*s", MANDATE_SLICE_ARG(f->accu_var));
        for (size_t i = 0; i < COUNT_OF(parts); i++) {
            buf_put_str(b, ", ");
            dump(b, parts[i]);
        }
        buf_put_char(b, ')');
        return;
    }
    if (e->kind == CEL_EXPR_CONST) {
        cel_expr bare = *e;

        bare.macro = NULL;
        cel_print(b, &bare);
        return;
    }
    if (e->operand) {
        dump(b, e->operand);
        buf_put_str(b, e->test_only ? ".?has " : ".");
    }
    if (e->kind != CEL_EXPR_LIST && e->kind != CEL_EXPR_MAP)
        buf_put_slice(b, e->name);
    if (e->kind == CEL_EXPR_IDENT || e->kind == CEL_EXPR_SELECT)
        return;
    buf_put_char(b, e->kind == CEL_EXPR_CALL ? '(' : e->kind == CEL_EXPR_LIST ? '[' : '{');
    for (uint32_t i = 0; i < e->arg_count; i++) {
        if (i > 0)
            buf_put_str(b, ", ");
        dump(b, e->args[i]);
    }
    buf_put_char(b, e->kind == CEL_EXPR_CALL ? ')' : e->kind == CEL_EXPR_LIST ? ']' : '}');
}

static void expect(const char *source, const char *want)
{
    cel_ast *ast = parsed(env, source);
    buf text;

    buf_init(&text);
    dump(&text, ast->root);
    assert_string_equal(buf_cstr(&text), want);
    buf_deinit(&text);
    cel_ast_destroy(ast);
}

static void test_parse__operators_bind_as_the_grammar_says(void **state)
{
    expect("a + b * c - d", "_-_(_+_(a, _*_(b, c)), d)");
    expect("a == b && c < d || !e", "_||_(_&&_(_==_(a, b), _<_(c, d)), !_(e))");
    expect("a ? b : c ? d : e", "_?_:_(a, b, _?_:_(c, d, e))");
    expect("a in b == c", "_==_(@in(a, b), c)");
    expect("-a.b[0]", "-_(_[_](a.b, 0))");
    expect("-1.a()", "-1.a()");
    expect("---1", "-_(1)");
    expect("!!!a", "!_(a)");
    expect("!-1", "!_(-1)");
    expect("4--4", "_-_(4, -4)");
}

static void test_parse__logical_chains_are_balanced(void **state)
{
    expect("a && b && c", "_&&_(_&&_(a, b), c)");
    expect("a || b || c || d", "_||_(_||_(a, b), _||_(c, d))");
    expect("a && b && c && d && e", "_&&_(_&&_(_&&_(a, b), c), _&&_(d, e))");
}

static void extent(const char *source, const cel_expr *e, const char *want)
{
    if (!mandate_slice_is(mandate_slice_of(source + e->begin, e->end - e->begin), want))
        fail_msg("'%.*s' instead of '%s'", (int)(e->end - e->begin), source + e->begin, want);
}

/* What stands under a node is what messages and explanations show of it. */
static void test_parse__each_part_of_a_chain_has_its_own_extent(void **state)
{
    static const char and[] = " s == 'a' && (n > 1) && [1].all(i, i > 0)  ",
                      or [] = "b || n == 1 && b || (b) || s.size() > 2 // x";
    cel_ast *ast = parsed(env, and);
    extent(and, ast->root, "s == 'a' && (n > 1) && [1].all(i, i > 0)");
    extent(and, ast->root->args[0], "s == 'a' && (n > 1)");
    extent(and, ast->root->args[0]->args[1], "(n > 1)");
    extent(and, ast->root->args[1], "[1].all(i, i > 0)");
    cel_ast_destroy(ast);
    ast = parsed(env, or);
    extent(or, ast->root, "b || n == 1 && b || (b) || s.size() > 2");
    extent(or, ast->root->args[0], "b || n == 1 && b");
    extent(or, ast->root->args[0]->args[1], "n == 1 && b");
    extent(or, ast->root->args[1], "(b) || s.size() > 2");
    extent(or, ast->root->args[1]->args[0], "(b)");
    cel_ast_destroy(ast);
}

static void test_parse__names_calls_and_literals(void **state)
{
    expect(".a.b.c(d).e", ".a.b.c(d).e");
    expect("[1, [], {},]", "[1, [], {}]");
    expect("{1: 2, 'a': b,}", "{1, 2, \"a\", b}");
    expect("a.B{x: 1, y: [2]}.z", "a.B{1, [2]}.z");
    expect("a.?b[?c]", "_[?_](_?._(a, \"b\"), c)");
    expect("a.`x-y`", "a.x-y");
}

static void test_parse__macros_become_folds(void **state)
{
    expect("has(a.b)", "a.?has b");
    expect("x.all(e, p)", "fold(e, @result, x, true, @not_strictly_false(@result), _&&_(@result, p), @result)");
    expect("x.exists(e, p)", "fold(e, @result, x, false, @not_strictly_false(!_(@result)), _||_(@result, p), @result)");
    expect("x.exists_one(e, p)", "fold(e, @result, x, 0, true, _?_:_(p, _+_(@result, 1), @result), "
                                 "_==_(@result, 1))");
    expect("x.map(e, f)", "fold(e, @result, x, [], true, _+_(@result, [f]), @result)");
    expect("x.map(e, p, f)", "fold(e, @result, x, [], true, _?_:_(p, _+_(@result, [f]), @result), @result)");
    expect("x.filter(e, p)", "fold(e, @result, x, [], true, _?_:_(p, _+_(@result, [e]), @result), @result)");
}

static void test_parse__library_macros_become_folds(void **state)
{
    expect("x.all(i, e, p)", "fold(i e, @result, x, true, @not_strictly_false(@result), _&&_(@result, p), @result)");
    expect("x.transformMap(k, v, f)", "fold(k v, @result, x, {}, true, cel.@mapInsert(@result, k, f), @result)");
    expect("cel.bind(v, a, b)", "fold(#unused, v, [], a, false, v, b)");
    expect("o.optMap(v, f)", "_?_:_(o.hasValue(), optional.of(fold(#unused, v, [], o.value(), false, v, "
                             "f)), optional.none())");
    expect("o.optFlatMap(v, f)", "_?_:_(o.hasValue(), fold(#unused, v, [], o.value(), false, v, f), "
                                 "optional.none())");
    expect("math.greatest(a, b)", "math.@max(a, b)");
    expect("math.least(a, b, c)", "math.@min([a, b, c])");
}

static void test_parse__the_root_of_an_expansion_keeps_the_call(void **state)
{
    cel_ast *ast = parsed(env, "  x.all(e, e > 0)");

    assert_non_null(ast->root->macro);
    assert_int_equal(ast->root->macro->kind, CEL_EXPR_CALL);
    assert_int_equal(ast->root->macro->arg_count, 2);
    assert_int_equal(ast->root->begin, 2);
    assert_int_equal(ast->root->end, 17);
    cel_ast_destroy(ast);
}

static void test_parse__libraries_that_are_off_are_not_expanded(void **state)
{
    cel_ast *ast = parsed(plain, "x.transformMap(k, v, v)");

    assert_int_equal(ast->root->kind, CEL_EXPR_CALL);
    cel_ast_destroy(ast);
    expect_report(plain, "a.?b",
                  "ERROR: 1:2: unsupported syntax '.?': optional values are not enabled here\n"
                  " | a.?b\n"
                  " | .^\n");
}

static void test_parse__mistakes_are_pointed_at(void **state)
{
    expect_report(env, "1 +",
                  "ERROR: 1:4: syntax error: end of expression where a value is expected\n"
                  " | 1 +\n"
                  " | ...^\n");
    expect_report(env, "\"\xC3\xA9\"\t b",
                  "ERROR: 1:6: syntax error: identifier behind a complete expression\n"
                  " | \"\xC3\xA9\"  b\n"
                  " | .....^\n");
    expect_report(env, "a &&\nas && [].map(let, 1)",
                  "ERROR: 2:1: reserved identifier: as\n"
                  " | as && [].map(let, 1)\n"
                  " | ^\n"
                  "ERROR: 2:14: reserved identifier: let\n"
                  " | as && [].map(let, 1)\n"
                  " | .............^\n");
}

static void test_parse__wrong_macro_arguments_are_refused(void **state)
{
    expect_error(env, "has(a)", MANDATE_INVALID, "invalid argument to has() macro");
    expect_error(env, "x.all(a.b, true)", MANDATE_INVALID, "must be a simple name");
    expect_error(env, "x.map(__result__, 1)", MANDATE_INVALID, "overwrites accumulator");
    expect_error(env, "x.all(a, a, true)", MANDATE_INVALID, "must differ");
    expect_error(env, "math.greatest('a', 1)", MANDATE_INVALID, "numbers only");
    expect_error(env, "math.least()", MANDATE_INVALID, "at least one");
}

static void test_parse__malformed_expressions_are_refused(void **state)
{
    static const char *const bad[] = {
        "",       " ",         "a b",   "(a",         "a)",    "[1, 2", "{1: }",
        "{1}",    "a.",        "a..b",  "a.1b",       "?",     "a ? b", "a ? b ? c : d : e",
        "a[",     "a[]",       "f(a,)", "T{}{}",      "T(){}", "a.in",  "self.true",
        "`a-b`",  "a.`b`()",   "-!a",   "!-a",        "1.all", "x{.",   "[1,,2]",
        "{,1:2}", "@in(a, b)", "a = b", "'\\udead'",  "\xFF",  "\"a",   "f(,)",
        "a.?b()", "has()?",    "1 2",   "b'\\u00e9'",
    };

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        cel_ast *ast = NULL;
        mandate_error err = {0};
        mandate_status status = cel_parse(&ast, env, mandate_slice_str(bad[i]), NULL, &err);

        if (strcmp(bad[i], "1.all") == 0) { /* an int with a field: the check refuses it */
            assert_int_equal(status, MANDATE_OK);
            cel_ast_destroy(ast);
            continue;
        }
        if (status != MANDATE_INVALID || ast || err.text[0] == '\0' || err.line == 0)
            fail_msg("%s", bad[i]);
    }
}

/* --- limits ------------------------------------------------------------------ */

static mandate_status parse_status(const buf *source)
{
    cel_ast *ast = NULL;
    mandate_status status = cel_parse(&ast, env, buf_slice(source), NULL, NULL);

    cel_ast_destroy(ast);
    return status;
}

/* before*count middle after*count */
static mandate_status nested(const char *before, int count, const char *middle, const char *after)
{
    buf b;
    mandate_status status;

    buf_init(&b);
    for (int i = 0; i < count; i++)
        buf_put_str(&b, before);
    buf_put_str(&b, middle);
    for (int i = 0; i < count; i++)
        buf_put_str(&b, after);
    status = parse_status(&b);
    buf_deinit(&b);
    return status;
}

static void test_parse__nesting_is_bounded(void **state)
{
    enum { N = LIMIT_CEL_NESTING };

    assert_int_equal(nested("[", N - 1, "1", "]"), MANDATE_OK);
    assert_int_equal(nested("[", N, "1", "]"), MANDATE_LIMIT);
    assert_int_equal(nested("(", N, "1", ")"), MANDATE_OK);
    assert_int_equal(nested("(", N + 1, "1", ")"), MANDATE_LIMIT);
    assert_int_equal(nested("f(", N, "1", ")"), MANDATE_LIMIT);
    assert_int_equal(nested("a ? b : ", N - 1, "c", ""), MANDATE_OK);
    assert_int_equal(nested("a ? b : ", N, "c", ""), MANDATE_LIMIT);
    assert_int_equal(nested("a[", N, "1", "]"), MANDATE_LIMIT);
    assert_int_equal(nested("x.all(e, ", N, "e", ")"), MANDATE_LIMIT);
    assert_int_equal(nested("!", 1000, "a", ""), MANDATE_OK);
    assert_int_equal(nested("-", 1000, "a", ""), MANDATE_OK);
    assert_int_equal(nested("(", 2000, "1", ")"), MANDATE_LIMIT);
}

static void test_parse__the_depth_of_the_tree_is_bounded(void **state)
{
    enum { N = CEL_TREE_DEPTH_MAX };

    assert_int_equal(nested("", N - 1, "1", "+1"), MANDATE_OK);
    assert_int_equal(nested("", N, "1", "+1"), MANDATE_LIMIT);
    assert_int_equal(nested("", N - 1, "a", ".b"), MANDATE_OK);
    assert_int_equal(nested("", N, "a", ".b"), MANDATE_LIMIT);
    assert_int_equal(nested("", 1000, "a", "&&a"), MANDATE_OK); /* balanced: ten deep */
}

static void test_parse__the_source_is_bounded(void **state)
{
    assert_int_equal(nested(" ", LIMIT_CEL_SOURCE - 1, "1", ""), MANDATE_OK);
    assert_int_equal(nested(" ", LIMIT_CEL_SOURCE, "1", ""), MANDATE_LIMIT);
}

static void test_parse__literals_and_arguments_are_bounded(void **state)
{
    buf b;

    buf_init(&b);
    for (int over = 0; over <= 1; over++) {
        mandate_status want = over ? MANDATE_LIMIT : MANDATE_OK;

        buf_reset(&b);
        buf_put_str(&b, "[1");
        for (int i = 1; i < LIMIT_CEL_LIST_LITERAL + over; i++)
            buf_put_str(&b, ",1");
        buf_put_char(&b, ']');
        assert_int_equal(parse_status(&b), want);
        buf_reset(&b);
        buf_put_str(&b, "{1:1");
        for (int i = 1; i < LIMIT_CEL_LIST_LITERAL + over; i++)
            buf_put_str(&b, ",1:1");
        buf_put_char(&b, '}');
        assert_int_equal(parse_status(&b), want);
        buf_reset(&b);
        buf_put_str(&b, "f(1");
        for (int i = 1; i < LIMIT_CEL_ARGS + over; i++)
            buf_put_str(&b, ",1");
        buf_put_char(&b, ')');
        assert_int_equal(parse_status(&b), want);
    }
    buf_deinit(&b);
}

/* Each optMap copies what is left of it: nodes double with every link. */
static void test_parse__nodes_are_bounded(void **state)
{
    assert_int_equal(nested("", 5, "o", ".optMap(v,v)"), MANDATE_OK);
    assert_int_equal(nested("", 20, "o", ".optMap(v,v)"), MANDATE_LIMIT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse__operators_bind_as_the_grammar_says),
        cmocka_unit_test(test_parse__logical_chains_are_balanced),
        cmocka_unit_test(test_parse__each_part_of_a_chain_has_its_own_extent),
        cmocka_unit_test(test_parse__names_calls_and_literals),
        cmocka_unit_test(test_parse__macros_become_folds),
        cmocka_unit_test(test_parse__library_macros_become_folds),
        cmocka_unit_test(test_parse__the_root_of_an_expansion_keeps_the_call),
        cmocka_unit_test(test_parse__libraries_that_are_off_are_not_expanded),
        cmocka_unit_test(test_parse__mistakes_are_pointed_at),
        cmocka_unit_test(test_parse__wrong_macro_arguments_are_refused),
        cmocka_unit_test(test_parse__malformed_expressions_are_refused),
        cmocka_unit_test(test_parse__nesting_is_bounded),
        cmocka_unit_test(test_parse__the_depth_of_the_tree_is_bounded),
        cmocka_unit_test(test_parse__the_source_is_bounded),
        cmocka_unit_test(test_parse__literals_and_arguments_are_bounded),
        cmocka_unit_test(test_parse__nodes_are_bounded),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}

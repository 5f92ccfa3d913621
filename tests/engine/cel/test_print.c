/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_print - canonical text, and that it reads back as the same tree.
 */
#include "tests/engine/cel/cel_unit.h"

static cel_env *env;

static int setup(void **state)
{
    env = shop_env(CEL_LIB_ALL);
    return 0;
}

static int teardown(void **state)
{
    cel_env_destroy(env);
    return 0;
}

static bool same(const cel_expr *x, const cel_expr *y)
{
    if (!x || !y)
        return x == y;
    if (x->kind != y->kind || x->op != y->op || !mandate_slice_eq(x->name, y->name) || x->test_only != y->test_only ||
        x->arg_count != y->arg_count || !same(x->operand, y->operand))
        return false;
    if (x->kind == CEL_EXPR_CONST &&
        (x->value.kind != y->value.kind || (x->value.kind == CEL_STRING || x->value.kind == CEL_BYTES
                                                ? !mandate_slice_eq(cel_text(x->value), cel_text(y->value))
                                                : x->value.kind != CEL_NULL && x->value.u != y->value.u)))
        return false;
    for (uint32_t i = 0; i < x->arg_count; i++)
        if (!same(x->args[i], y->args[i]))
            return false;
    if (!x->comprehension)
        return true;
    return same(x->comprehension->range, y->comprehension->range) && same(x->comprehension->init, y->comprehension->init) &&
           same(x->comprehension->condition, y->comprehension->condition) &&
           same(x->comprehension->step, y->comprehension->step) && same(x->comprehension->result, y->comprehension->result);
}

/* `source` prints as `text`, which parses to the same tree and prints as itself. */
static void expect(const char *source, const char *text)
{
    cel_ast *ast = parsed(env, source), *again;

    expect_print(ast->root, text);
    again = parsed(env, text);
    if (!same(ast->root, again->root))
        fail_msg("%s reads back as another tree than %s", text, source);
    expect_print(again->root, text);
    cel_ast_destroy(ast);
    cel_ast_destroy(again);
}

static void test_print__operators_have_the_fewest_parentheses(void **state)
{
    expect("(a+b)*c-((d-e)-f)-(g*h)", "(a + b) * c - (d - e - f) - g * h");
    expect("a?b:(c?d:e)", "a ? b : c ? d : e");
    expect("(a?b:c)?(d?e:f):g", "(a ? b : c) ? (d ? e : f) : g");
    expect("a||(b&&c)", "a || b && c");
    expect("(a||b)&&c", "(a || b) && c");
    expect("(a<b)==(c in d)", "a < b == (c in d)");
    expect("!(a&&b)", "!(a && b)");
    expect("(a.b).c [ 0 ]", "a.b.c[0]");
}

static void test_print__chains_that_balance_are_flat_and_others_keep_their_shape(void **state)
{
    expect("a&&b&&c&&d&&e", "a && b && c && d && e");
    expect("a&&(b&&c)", "a && (b && c)");
    expect("(a&&b)&&c", "a && b && c");
    expect("((a||b)||c)||d", "(a || b || c) || d");
    expect("(a||b)||(c||d)", "a || b || c || d");
    expect("a||(b||c)||d", "(a || (b || c)) || d");
}

static void test_print__signs_are_not_run_together(void **state)
{
    expect("-a", "-a");
    expect("-(-a)", "-(-a)");
    expect("!(!a)", "!(!a)");
    expect("--a", "a");
    expect("-1", "-1");
    expect("-(1)", "-(1)");
    expect("-(-1)", "-(-1)");
    expect("-(1u)", "-1u");
    expect("a - -1", "a - -1");
    expect("-(a.b)", "-a.b");
}

static void test_print__literals(void **state)
{
    expect("[1,2u,3.0,1e300,.1,null,true]", "[1, 2u, 3.0, 1e+300, 0.1, null, true]");
    expect("'a\"\\n\\\\\\x01\xC3\xA9'", "\"a\\\"\\n\\\\\\x01\xC3\xA9\"");
    expect("b'\\xff\\x00a'", "b\"\\xff\\x00a\"");
    expect("{'k':1,?'o':x}", "{\"k\": 1, ?\"o\": x}");
    expect("[?a,b]", "[?a, b]");
    expect("a.b.T{f:1,?`in`:2}", "a.b.T{f: 1, ?`in`: 2}");
    expect("-9223372036854775808", "-9223372036854775808");
}

static void test_print__members_and_optional_syntax(void **state)
{
    expect("a.?b[?c].d", "a.?b[?c].d");
    expect("m.`content-type`", "m.`content-type`");
    expect(".a.b(c)", ".a.b(c)");
    expect("(a+b).size()", "(a + b).size()");
}

static void test_print__macros_are_printed_as_written(void **state)
{
    expect("x.all( e,e.f>0&&has( e.g ) )", "x.all(e, e.f > 0 && has(e.g))");
    expect("x.map(e,e>1,[e]).filter(y,y!=[])", "x.map(e, e > 1, [e]).filter(y, y != [])");
    expect("x.exists_one(e,y.exists(f,f==e))", "x.exists_one(e, y.exists(f, f == e))");
    expect("cel.bind(v,a+b,v*v)", "cel.bind(v, a + b, v * v)");
    expect("a.?b.optMap(v,v.optFlatMap(w,w))", "a.?b.optMap(v, v.optFlatMap(w, w))");
    expect("m.transformMap(k,v,k>0,v+1)", "m.transformMap(k, v, k > 0, v + 1)");
    expect("math.greatest(a,b,c)", "math.greatest(a, b, c)");
    expect("l.sortBy(e,e.f)", "l.sortBy(e, e.f)");
}

static void test_print__a_checked_tree_prints_full_names(void **state)
{
    cel_ast *ast = checked(env, "crm.conversation['a'].status == 'open' && config.mode != 'x'");

    expect_print(ast->root, "crm.conversation[\"a\"].status == \"open\" && config.mode != \"x\"");
    cel_ast_destroy(ast);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_print__operators_have_the_fewest_parentheses),
        cmocka_unit_test(test_print__chains_that_balance_are_flat_and_others_keep_their_shape),
        cmocka_unit_test(test_print__signs_are_not_run_together),
        cmocka_unit_test(test_print__literals),
        cmocka_unit_test(test_print__members_and_optional_syntax),
        cmocka_unit_test(test_print__macros_are_printed_as_written),
        cmocka_unit_test(test_print__a_checked_tree_prints_full_names),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_debug - trees as the reference implementation's golden files show them. The whole format is judged against those
 * files themselves (tests/conformance); here stands what they lack.
 */
#include "tests/engine/cel/cel_unit.h"

static void expect(const cel_expr *root, cel_debug_style style, const char *text)
{
    buf b;
    buf_init(&b);
    cel_debug(&b, root, style);
    assert_string_equal(buf_cstr(&b), text);
    buf_deinit(&b);
}

static void expect_kinds(const cel_env *env, const char *source, const char *text)
{
    cel_ast *ast = parsed(env, source);
    expect(ast->root, CEL_DEBUG_KINDS, text);
    cel_ast_destroy(ast);
}

static void test_debug__constants_are_written_as_the_reference_does(void **state)
{
    cel_env *env = shop_env(CEL_LIB_ALL);
    expect_kinds(env, "1e6", "1e+06^#*expr.Constant_DoubleValue#");
    expect_kinds(env, "999999.5", "999999.5^#*expr.Constant_DoubleValue#");
    expect_kinds(env, "0.00001", "1e-05^#*expr.Constant_DoubleValue#");
    expect_kinds(env, "-0.0", "-0^#*expr.Constant_DoubleValue#");
    expect_kinds(env, "18446744073709551615u", "18446744073709551615u^#*expr.Constant_Uint64Value#");
    expect_kinds(env, "'a\\n\\x00\\\"\\\\\\u00e9\\u200b\\U00088888'",
                 "\"a\\n\\x00\\\"\\\\\xC3\xA9\\u200b\\U00088888\"^#*expr.Constant_StringValue#");
    expect_kinds(env, "b'\\xff\\303\\251'", "b\"\\xff\xC3\xA9\"^#*expr.Constant_BytesValue#");
    cel_env_destroy(env);
}

static void test_debug__entries_optional_signs_and_two_variables_are_shown(void **state)
{
    cel_env *env = shop_env(CEL_LIB_ALL);
    expect_kinds(env, "{?'a': s}",
                 "{\n  ?\"a\"^#*expr.Constant_StringValue#:s^#*expr.Expr_IdentExpr#^#*expr.Expr_CreateStruct_Entry#\n"
                 "}^#*expr.Expr_StructExpr#");
    cel_ast *ast = checked(env, "tags.exists(k, v, v > 1)");
    expect(ast->root, CEL_DEBUG_TYPES,
           "__comprehension__(\n  // Variable\n  k,\n  v,\n  // Target\n  tags~map(string, int)^tags,\n  // Accumulator\n"
           "  @result,\n  // Init\n  false~bool,\n  // LoopCondition\n  @not_strictly_false(\n    !_(\n"
           "      @result~bool^@result\n    )~bool^logical_not\n  )~bool^not_strictly_false,\n  // LoopStep\n  _||_(\n"
           "    @result~bool^@result,\n    _>_(\n      v~int^v,\n      1~int\n    )~bool^greater_int64\n"
           "  )~bool^logical_or,\n  // Result\n  @result~bool^@result)~bool");
    cel_ast_destroy(ast);
    cel_env_destroy(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_debug__constants_are_written_as_the_reference_does),
        cmocka_unit_test(test_debug__entries_optional_signs_and_two_variables_are_shown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_check - types, overloads, names, entity tables, and how mistakes are told.
 */
#include "engine/cel/env.h"
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

static void test_check__expressions_have_their_type(void **state)
{
    static const struct {
        const char *source, *type;
    } cases[] = {
        {"1 + n", "int"},
        {"n < 2.5 && n >= 1u", "bool"},
        {"now - timestamp('2026-01-01T00:00:00Z')", "duration"},
        {"now + duration('1h')", "timestamp"},
        {"s + 'x'", "string"},
        {"[]", "list(dyn)"},
        {"[1, 'a']", "list(dyn)"},
        {"[] + [1]", "list(int)"},
        {"[now, null]", "list(timestamp)"},
        {"{'a': 1, 'b': 2u}", "map(string, dyn)"},
        {"{}", "map(dyn, dyn)"},
        {"{[1]: 2}", "map(dyn, int)"},
        {"items.map(i, double(i))", "list(double)"},
        {"[1].map(x, [x, x]).map(x, [x, x])", "list(list(list(int)))"},
        {"items.filter(i, i > 0).size()", "int"},
        {"tags.all(k, k.startsWith('a'))", "bool"},
        {"tags.transformMap(k, v, v > 1, string(v))", "map(string, string)"},
        {"items.transformList(i, v, [i, v])", "list(list(int))"},
        {"d.anything.at[0].all", "dyn"},
        {"d + 1", "int"},
        {"d + d", "dyn"},
        {"d == 1 || d", "bool"},
        {"true ? n : 2", "int"},
        {"true ? d : 2", "dyn"},
        {"tags['a']", "int"},
        {"tags.a", "int"},
        {"tags.?a", "optional_type(int)"},
        {"tags[?'a'].orValue(3)", "int"},
        {"items[?0].optMap(i, string(i))", "optional_type(string)"},
        {"optional.none()", "optional_type(dyn)"},
        {"[?items[?0], 2]", "list(int)"},
        {"type(1) == int", "bool"},
        {"list", "type(list(dyn))"},
        {"google.protobuf.Timestamp == type(now)", "bool"},
        {"cel.bind(x, n + 1, x * x)", "int"},
        {"math.greatest(n, 2.0)", "dyn"},
        {"math.least(n, 2, 3)", "int"},
        {"['b', 'a'].sort().join(', ')", "string"},
        {"items.sortBy(i, -i)", "list(int)"},
        {"[[1], [2]].flatten()", "list(int)"},
        {"sets.contains(items, [1])", "bool"},
        {"base64.decode('aGk=')", "bytes"},
        {"regex.extract(s, 'a(b)')", "optional_type(string)"},
        {"parse_json(s).a.b", "dyn"},
        {"coalesce(d.a, n, 1)", "dyn"},
        {"time_of(d, 'ms') < now", "bool"},
        {"config.mode", "string"},
        {"now.getHours('Europe/Paris')", "int"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++)
        expect_type(env, cases[i].source, cases[i].type);
}

static void test_check__entities_are_objects_with_declared_fields(void **state)
{
    expect_type(env, "crm.conversation['a']", "crm.conversation");
    expect_type(env, "crm.conversation[s].owner", "crm.customer");
    expect_type(env, "crm.conversation[d].owner.conversations.map(c, c.status)", "list(string)");
    expect_type(env, "has(crm.conversation['a'].last_activity)", "bool");
    expect_type(env, "now - crm.conversation['a'].last_activity < duration('72h')", "bool");
    expect_type(env, "crm.conversation['a'].owner == null", "bool");
    expect_type(env, "null != crm.conversation['a'].last_activity", "bool");
    expect_type(env, "crm.conversation['a'].labels.?x", "optional_type(string)");
    expect_type(env, "crm.conversation['a'].?owner.name", "optional_type(string)");
    expect_type(env, "crm.customer['a'].conversations.exists(c, c.status == 'open' && !c.owner.vip)", "bool");
}

static void test_check__a_name_points_at_what_it_means(void **state)
{
    cel_ast *ast = checked(env, "crm.conversation['a'].status == config.mode");
    const cel_expr *select = ast->root->args[0], *mode = ast->root->args[1];
    const cel_expr *table_name = select->operand->args[0];

    assert_int_equal(select->field, 0);
    assert_ptr_equal(table_name->table, select->operand->type);
    assert_int_equal(table_name->var, CEL_REF_NONE);
    assert_null(select->operand->overload);
    assert_int_equal(mode->kind, CEL_EXPR_IDENT);
    assert_int_equal(mode->var, 5);
    assert_ptr_equal(ast->root->overload, &cel_overloads[CEL_FN_EQUALS]);
    cel_ast_destroy(ast);
}

static void test_check__the_overload_is_known_unless_several_fit(void **state)
{
    cel_ast *ast = checked(env, "size(items) + size(d)");

    assert_ptr_equal(ast->root->overload, &cel_overloads[CEL_FN_ADD_INT64]);
    assert_ptr_equal(ast->root->args[0]->overload, &cel_overloads[CEL_FN_SIZE_LIST]);
    assert_null(ast->root->args[1]->overload);
    cel_ast_destroy(ast);
    ast = checked(env, "math.ceil(1.5)");
    assert_null(ast->root->operand);
    assert_true(mandate_slice_is(ast->root->name, "math.ceil"));
    cel_ast_destroy(ast);
}

static void test_check__a_typo_is_told_with_the_nearest_name(void **state)
{
    expect_report(env, "crm.conversation[\"a\"].statsu == \"open\"",
                  "ERROR: 1:22: undefined field 'statsu' of crm.conversation (did you mean 'status'?)\n"
                  " | crm.conversation[\"a\"].statsu == \"open\"\n"
                  " | .....................^\n");
    expect_report(env, "crm.conversatoin['a'].status == 'open'",
                  "ERROR: 1:1: undeclared reference to 'crm.conversatoin' (did you mean "
                  "'crm.conversation'?)\n"
                  " | crm.conversatoin['a'].status == 'open'\n"
                  " | ^\n");
    expect_report(env, "itms.size() > 0 &&\n  s.startWith('a')",
                  "ERROR: 1:1: undeclared reference to 'itms' (did you mean 'items'?)\n"
                  " | itms.size() > 0 &&\n"
                  " | ^\n"
                  "ERROR: 2:14: undeclared reference to function 'startWith' (did you mean 'startsWith'?)\n"
                  " |   s.startWith('a')\n"
                  " | .............^\n");
}

static void test_check__a_table_must_be_indexed_by_a_string(void **state)
{
    expect_error(env, "crm.conversation == null", MANDATE_INVALID, "is a table of entities: name one of them");
    expect_error(env, "crm.conversation.status == 'open'", MANDATE_INVALID, "is a table of entities");
    expect_error(env, "crm.conversation.exists(c, true)", MANDATE_INVALID, "is a table of entities");
    expect_error(env, "crm.conversation[1].status", MANDATE_INVALID, "the id of a crm.conversation is a string");
    expect_error(env, "crm.conversation[?'a']", MANDATE_INVALID, "is a table of entities");
}

static void test_check__mistakes_are_refused(void **state)
{
    expect_error(env, "n == 's'", MANDATE_INVALID, "'_==_' applied to '(int, string)'");
    expect_error(env, "s == null", MANDATE_INVALID, "is never null");
    expect_error(env, "n.size()", MANDATE_INVALID, "applied to 'int.()'");
    expect_error(env, "contains(s, 'a')", MANDATE_INVALID, "is a method, not a function");
    expect_error(env, "items.math()", MANDATE_INVALID, "undeclared reference to function");
    expect_error(env, "n.field", MANDATE_INVALID, "does not support field selection");
    expect_error(env, "n.all(x, true)", MANDATE_INVALID, "cannot be range of a comprehension");
    expect_error(env, "items.all(x, x)", MANDATE_INVALID, "expected type 'bool' but found 'int'");
    expect_error(env, "x.y.z", MANDATE_INVALID, "undeclared reference to 'x'");
    expect_error(env, "T{a: 1}", MANDATE_INVALID, "unknown type 'T'");
    expect_error(env, "crm.customer{name: 'x'}", MANDATE_INVALID, "cannot be constructed");
    expect_error(env, "int{}", MANDATE_INVALID, "not a message type");
    expect_error(env, "[?1]", MANDATE_INVALID, "optional_type(int)");
    expect_error(env, "items.exists(i, i > 0) && i == 0", MANDATE_INVALID, "undeclared reference to 'i'");
}

static void test_check__several_problems_come_in_reading_order_and_stop_at_the_limit(void **state)
{
    cel_ast *ast = parsed(env, "a1 + b1 + c1 + d1 + e1 + f1 + g1 + h1 + i1 + j1");
    cel_issues issues;

    cel_issues_init(&issues);
    assert_int_equal(cel_check(ast, env, NULL, &issues, NULL), MANDATE_INVALID);
    assert_int_equal(issues.count, LIMIT_CEL_ERRORS);
    assert_true(issues.truncated);
    for (uint32_t i = 1; i < issues.count; i++)
        assert_true(issues.items[i - 1].offset < issues.items[i].offset);
    cel_issues_deinit(&issues);
    cel_ast_destroy(ast);
}

static void test_check__the_root_must_have_the_expected_type(void **state)
{
    const cel_type *boolean = cel_type_simple(CEL_TYPE_BOOL);
    mandate_error err = {0};
    cel_ast *ast = parsed(env, "n + 1");

    assert_int_equal(cel_check(ast, env, boolean, NULL, &err), MANDATE_INVALID);
    assert_string_equal(err.text, "expected type 'bool' but found 'int'");
    assert_int_equal(err.column, 3);
    cel_ast_destroy(ast);
    ast = parsed(env, "d");
    assert_int_equal(cel_check(ast, env, boolean, NULL, NULL), MANDATE_OK);
    cel_ast_destroy(ast);
}

static void test_check__names_are_looked_up_in_the_container_first(void **state)
{
    cel_env *in = shop_env(CEL_LIB_ALL);
    uint32_t outer, inner;
    cel_ast *ast;

    assert_int_equal(cel_env_variable(&outer, in, "x", cel_type_simple(CEL_TYPE_INT), NULL), MANDATE_OK);
    assert_int_equal(cel_env_variable(&inner, in, "a.x", cel_type_simple(CEL_TYPE_STRING), NULL), MANDATE_OK);
    assert_int_equal(cel_env_container(in, "a.b", NULL), MANDATE_OK);
    expect_type(in, "x", "string");
    expect_type(in, ".x", "int");
    expect_type(in, "[1.5].map(x, x)", "list(double)");
    ast = checked(in, "x == ''");
    assert_int_equal(ast->root->args[0]->var, inner);
    assert_true(mandate_slice_is(ast->root->args[0]->name, "a.x"));
    cel_ast_destroy(ast);
    expect_error(in, "nowhere", MANDATE_INVALID, "(in container 'a.b')");
    cel_env_destroy(in);
}

static void test_check__a_type_parameter_of_a_variable_has_one_meaning(void **state)
{
    cel_env *in = shop_env(CEL_LIB_ALL);
    const cel_type *t = cel_type_param(in, "T");
    uint32_t var;
    cel_ast *ast;

    assert_int_equal(cel_env_variable(&var, in, "a", t, NULL), MANDATE_OK);
    assert_int_equal(cel_env_variable(&var, in, "b", cel_type_list(in, t), NULL), MANDATE_OK);
    ast = checked(in, "a.k + 1 == a[0]"); /* the selection made T dyn, so the index is one of anything */
    assert_int_equal(ast->root->args[1]->args[0]->type->kind, CEL_TYPE_DYN);
    cel_ast_destroy(ast);
    expect_type(in, "[a + 1, b[0]]", "list(int)");
    expect_error(in, "a + 1 == 2 && b[0] == 'x'", MANDATE_INVALID, "found no matching overload for '_==_'");
    cel_env_destroy(in);
}

static void test_check__a_call_that_is_chosen_later_keeps_its_candidates(void **state)
{
    cel_ast *ast = checked(env, "d < 1");

    assert_null(ast->root->overload);
    assert_non_null(ast->root->candidates);
    assert_int_equal(ast->root->candidates->count, 3);
    for (uint32_t i = 0; i < 3; i++)
        assert_string_equal(ast->root->candidates->overloads[i]->params[1] == cel_type_simple(CEL_TYPE_INT) ? "int" : "",
                            "int");
    cel_ast_destroy(ast);
    ast = checked(env, "n < 1");
    assert_non_null(ast->root->overload);
    assert_null(ast->root->candidates);
    cel_ast_destroy(ast);
}

static void test_check__a_local_variable_hides_a_longer_declared_name(void **state)
{
    expect_type(env, "config.mode", "string");
    expect_type(env, "[{'mode': 1}].map(config, config.mode)", "list(int)");
}

static void test_check__types_that_share_structure_cost_linear_work(void **state)
{
    buf b;
    cel_ast *ast;

    buf_init(&b);
    buf_put_str(&b, "[1]");
    for (int i = 0; i < 60; i++)
        buf_put_str(&b, ".map(x,{x:[x]})");
    ast = parsed(env, buf_cstr(&b));
    assert_int_equal(cel_check(ast, env, NULL, NULL, NULL), MANDATE_OK);
    cel_ast_destroy(ast);
    buf_deinit(&b);
}

static void test_check__types_are_read_as_they_are_printed(void **state)
{
    static const char *const types[] = {
        "int",  "list(string)",    "map(string, list(crm.customer))", "optional_type(dyn)", "timestamp",
        "null", "crm.conversation"};
    mandate_error err = {0};
    buf b;

    buf_init(&b);
    for (size_t i = 0; i < COUNT_OF(types); i++) {
        const cel_type *type = cel_type_parse(env, mandate_slice_str(types[i]), &err);

        assert_non_null(type);
        assert_ptr_equal(type, cel_type_parse(env, mandate_slice_str(types[i]), &err));
        buf_reset(&b);
        cel_type_print(&b, type);
        assert_string_equal(buf_cstr(&b), types[i]);
    }
    buf_deinit(&b);
    assert_ptr_equal(cel_type_parse(env, mandate_slice_str("map< string ,int >"), &err),
                     cel_type_parse(env, mandate_slice_str("map(string, int)"), &err));
    assert_null(cel_type_parse(env, mandate_slice_str("list(strnig)"), &err));
    assert_string_equal(err.text, "unknown type 'strnig' (did you mean 'string'?)");
    assert_null(cel_type_parse(env, mandate_slice_str("list(int"), &err));
    assert_null(cel_type_parse(env, mandate_slice_str("int int"), &err));
    assert_null(cel_type_parse(env, mandate_slice_str(""), &err));
}

static void test_check__declarations_are_unique_and_well_named(void **state)
{
    cel_env *own = shop_env(CEL_LIB_STANDARD);
    const cel_field twice[] = {{"a", cel_type_simple(CEL_TYPE_INT)}, {"a", cel_type_simple(CEL_TYPE_INT)}};
    uint32_t var;

    assert_int_equal(cel_env_variable(&var, own, "n", cel_type_simple(CEL_TYPE_INT), NULL), MANDATE_CONFLICT);
    assert_int_equal(cel_env_variable(&var, own, "a..b", cel_type_simple(CEL_TYPE_INT), NULL), MANDATE_INVALID);
    assert_int_equal(cel_env_variable(&var, own, "9a", cel_type_simple(CEL_TYPE_INT), NULL), MANDATE_INVALID);
    assert_int_equal(cel_env_table(own, cel_type_simple(CEL_TYPE_INT), NULL), MANDATE_INVALID);
    assert_int_equal(cel_env_fields(own, cel_type_object(own, "t"), twice, 2, NULL), MANDATE_CONFLICT);
    assert_int_equal(cel_env_fields(own, cel_type_object(own, "crm.customer"), twice, 1, NULL), MANDATE_CONFLICT);
    assert_int_equal(cel_env_now(own, NULL), MANDATE_CONFLICT);
    assert_null(cel_type_object(own, "not a name"));
    cel_env_destroy(own);
}

static void test_check__rows_of_one_function_stand_together(void **state)
{
    for (uint32_t i = 0; i < CEL_FN_COUNT; i++) {
        const cel_overload *row = &cel_overloads[i];
        uint32_t count, index;

        index = (uint32_t)(cel_function_find(row->name, row->arg_count, row->member, &count) - cel_overloads);
        assert_int_equal(row->id, i);
        if (i < index || i >= index + count)
            fail_msg("%s stands apart from the other rows of its function", row->text);
        for (uint32_t j = 0; j < i; j++)
            if (strcmp(cel_overloads[j].text, row->text) == 0)
                fail_msg("overload %s is there twice", row->text);
        for (uint32_t j = 0; j < CEL_OVERLOAD_ARGS; j++)
            assert_true((j < row->arg_count) == (row->params[j] != NULL));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check__expressions_have_their_type),
        cmocka_unit_test(test_check__entities_are_objects_with_declared_fields),
        cmocka_unit_test(test_check__a_name_points_at_what_it_means),
        cmocka_unit_test(test_check__the_overload_is_known_unless_several_fit),
        cmocka_unit_test(test_check__a_typo_is_told_with_the_nearest_name),
        cmocka_unit_test(test_check__a_table_must_be_indexed_by_a_string),
        cmocka_unit_test(test_check__mistakes_are_refused),
        cmocka_unit_test(test_check__several_problems_come_in_reading_order_and_stop_at_the_limit),
        cmocka_unit_test(test_check__the_root_must_have_the_expected_type),
        cmocka_unit_test(test_check__names_are_looked_up_in_the_container_first),
        cmocka_unit_test(test_check__a_type_parameter_of_a_variable_has_one_meaning),
        cmocka_unit_test(test_check__a_call_that_is_chosen_later_keeps_its_candidates),
        cmocka_unit_test(test_check__a_local_variable_hides_a_longer_declared_name),
        cmocka_unit_test(test_check__types_that_share_structure_cost_linear_work),
        cmocka_unit_test(test_check__types_are_read_as_they_are_printed),
        cmocka_unit_test(test_check__declarations_are_unique_and_well_named),
        cmocka_unit_test(test_check__rows_of_one_function_stand_together),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}

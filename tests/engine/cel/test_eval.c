/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_eval - programs against a host: fields, entities, short circuits, folding, limits,
 * disassembly.
 */
#include "eval_unit.h"

#include <stdlib.h>

static void test_eval__reads_variables_entities_and_fields(void **state)
{
    world w;
    world_init(&w);
    EXPECT(&w, "n + 1", "4");
    EXPECT(&w, "doc['a'].status == 'open'", "true");
    EXPECT(&w, "doc['a'].extra.k", "9");
    EXPECT(&w, "doc['a'].tags.exists(t, t == 'blue')", "true");
    EXPECT(&w, "doc['a'].owner.status", "unknown(doc[\"new\"].status)");
    EXPECT(&w, "doc['nope'].status", "error(no id)");
    EXPECT(&w, "has(doc['a'].status) && !has(doc['gone'].status)", "true");
    EXPECT(&w, "doc['a'].?size.orValue(0)", "12");
    EXPECT(&w, "doc['gone'].?size.orValue(0)", "0");
    world_deinit(&w);
}

static void test_eval__null_field_is_no_such_overload_for_typed_functions(void **state)
{
    world w;
    world_init(&w);
    EXPECT(&w, "doc['gone'].status == 'open'", "false");
    EXPECT(&w, "doc['gone'].status.size()", "error(no such overload)");
    EXPECT(&w, "doc['gone'].owner.status", "error(no such key: status)");
    world_deinit(&w);
}

static void test_eval__short_circuit_does_not_read(void **state)
{
    world w;
    world_init(&w);
    EXPECT(&w, "n == 4 && s == 'hello'", "false");
    assert_int_equal(w.variable_reads, 1);
    EXPECT(&w, "n == 3 ? 1 : doc['a'].size", "1");
    assert_int_equal(w.field_reads, 0);
    EXPECT(&w, "doc['a'].?size.orValue(n)", "12");
    assert_int_equal(w.variable_reads, 2);
    world_deinit(&w);
}

static void test_eval__equality_with_constant_is_few_steps_and_no_allocation(void **state)
{
    world w;
    buf text;
    world_init(&w);
    buf_init(&text);
    cel_program *program = world_compile(&w, "doc['a'].status == 'open'");
    assert_true(cel_is_true(world_run(&w, program)));
    assert_int_equal(w.memory.used, 0);
    cel_disassemble(&text, program);
    assert_string_equal(buf_cstr(&text), "   0  CONST  \"a\"\n"
                                         "   1  ENTITY  0\n"
                                         "   2  FIELD_COMPARE_CONST  0  ==  \"open\"\n"
                                         "   3  DONE\n");
    buf_deinit(&text);
    cel_program_destroy(program);
    world_deinit(&w);
}

static void test_eval__constants_are_folded(void **state)
{
    static const char *const sources[] = {
        "1 + 2 * 3",      "duration('72h')", "[1, 2].map(x, x * 2)", "{'a': [1]}.a[0] == 1", "'ab'.matches('a.') ? 1 : 2",
        "type(1) == int",
    };
    world w;
    world_init(&w);
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        buf text;
        buf_init(&text);
        cel_program *program = world_compile(&w, sources[i]);
        cel_disassemble(&text, program);
        assert_non_null(strstr(buf_cstr(&text), "   0  CONST"));
        assert_non_null(strstr(buf_cstr(&text), "   1  DONE"));
        assert_true(cel_program_bytes(program) > 0);
        buf_deinit(&text);
        cel_program_destroy(program);
    }
    EXPECT(&w, "1 / 0 == 1 || n == 3", "true"); /* an error is not folded away */
    world_deinit(&w);
}

static void test_eval__error_knows_its_place(void **state)
{
    world w;
    world_init(&w);
    cel_program *program = world_compile(&w, "n == 3 && n / (n - 3) > 1");
    cel_value v = world_run(&w, program);
    assert_int_equal(v.kind, CEL_ERROR);
    assert_int_equal(v.error->offset, 12);
    cel_program_destroy(program);
    world_deinit(&w);
}

static void test_eval__iterations_are_limited(void **state)
{
    world w;
    world_init(&w);
    cel_value *items = calloc(LIMIT_CEL_ITERATIONS + 1, sizeof *items);
    assert_non_null(items);
    for (int i = 0; i <= LIMIT_CEL_ITERATIONS; i++)
        items[i] = cel_int(i);
    w.vars[VAR_X] = cel_list(items, LIMIT_CEL_ITERATIONS);
    EXPECT(&w, "x.all(e, e >= 0)", "true");
    w.vars[VAR_X] = cel_list(items, LIMIT_CEL_ITERATIONS + 1);
    EXPECT(&w, "x.all(e, e >= 0)", "error(iteration limit of 20000 exceeded)");
    free(items);
    world_deinit(&w);
}

static void test_eval__memory_is_limited_and_growth_is_linear(void **state)
{
    world w;
    world_init(&w);
    EXPECT(&w, "lists.range(10000).map(i, i).size()", "10000");
    EXPECT(&w, "lists.range(5000).transformMapEntry(i, v, {v: i}).size()", "5000");
    EXPECT(&w, "lists.range(60000).size()", "60000");
    EXPECT(&w, "lists.range(100000).size()", "error(lists.range: 100000 elements are too many)");
    EXPECT(&w, "lists.range(200).map(i, lists.range(2000 + i)).size()", "error(out of memory)");
    EXPECT(&w,
           "cel.bind(a, s + s + s + s, cel.bind(b, a + a + a + a + a + a + a + a,"
           "lists.range(100).map(i, b.replace('', b)).size()))",
           "error(out of memory)");
    world_deinit(&w);
}

/* `depth` additions nested to the right around n need a stack of depth + 1. */
static mandate_status compile_deep(world *w, int depth)
{
    cel_ast *ast = NULL;
    cel_program *program = NULL;
    cel_issues issues;
    char source[LIMIT_CEL_SOURCE] = "";
    int at = 0;
    cel_issues_init(&issues);
    at += snprintf(source, sizeof source, "[");
    for (int i = 0; i < depth; i++)
        at += snprintf(source + at, sizeof source - (size_t)at, "n%s", i + 1 < depth ? "," : "]");
    mandate_status status = cel_parse(&ast, w->env, mandate_slice_of(source, (size_t)at), &issues, NULL);
    if (status == MANDATE_OK)
        status = cel_check(ast, w->env, NULL, &issues, NULL);
    if (status == MANDATE_OK)
        status = cel_compile(&program, w->env, ast, NULL);
    if (status == MANDATE_OK)
        assert_int_equal(world_run(w, program).len, depth);
    cel_program_destroy(program);
    cel_ast_destroy(ast);
    cel_issues_deinit(&issues);
    return status;
}

static void test_eval__large_literals_use_the_arena_as_stack(void **state)
{
    world w;
    world_init(&w);
    assert_int_equal(compile_deep(&w, 3), MANDATE_OK);
    assert_int_equal(compile_deep(&w, LIMIT_CEL_LIST_LITERAL), MANDATE_OK);
    assert_int_not_equal(compile_deep(&w, LIMIT_CEL_LIST_LITERAL + 1), MANDATE_OK);
    world_deinit(&w);
}

static void test_eval__sub_expression_compiles_alone(void **state)
{
    world w;
    cel_ast *ast = NULL;
    cel_program *program = NULL;
    cel_issues issues;
    world_init(&w);
    cel_issues_init(&issues);
    mandate_slice source = mandate_slice_str("n == 3 && s == 'hello'");
    assert_int_equal(cel_parse(&ast, w.env, source, &issues, NULL), MANDATE_OK);
    assert_int_equal(cel_check(ast, w.env, NULL, &issues, NULL), MANDATE_OK);
    assert_int_equal(cel_compile_expr(&program, w.env, ast, ast->root->args[1], NULL), MANDATE_OK);
    cel_ast_destroy(ast);
    assert_true(cel_is_true(world_run(&w, program)));
    assert_int_equal(w.variable_reads, 1);
    assert_false(cel_program_reads_now(program));
    cel_program_destroy(program);
    cel_issues_deinit(&issues);
    world_deinit(&w);
}

/* Through slots a chain of comparisons takes a path of its own; asking the host does not. */
static uint32_t compare_paths(world *w, const char *source)
{
    cel_value const texts[] = {cel_string(mandate_slice_str("hello")),
                               cel_string(mandate_slice_str("hullo")),
                               cel_string(mandate_slice_str("")),
                               cel_null(),
                               cel_int(3),
                               cel_unknown_of(&w->memory, mandate_slice_str("s"))};
    cel_value const numbers[] = {cel_int(3),
                                 cel_int(-9),
                                 cel_int(7),
                                 cel_uint(3),
                                 cel_double(2.5),
                                 cel_null(),
                                 cel_unknown_of(&w->memory, mandate_slice_str("n")),
                                 cel_error(&w->memory, "failed")};
    cel_program *program = world_compile(w, source);
    uint32_t count = 0;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++, count++) {
            w->vars[VAR_S] = texts[i];
            w->vars[VAR_N] = numbers[k];
            cel_activation asked = {.host = &world_host, .ctx = w, .memory = &w->memory}, slots = asked;
            slots.variables = w->vars;
            cel_value x = cel_eval(program, &asked), y = cel_eval(program, &slots);
            if (x.kind != y.kind || (x.kind == CEL_BOOL && x.b != y.b) || asked.cost != slots.cost ||
                (x.kind == CEL_UNKNOWN && x.unknown->count != y.unknown->count))
                fail_msg("%s: texts[%zu], numbers[%zu]", source, i, k);
        }
    cel_program_destroy(program);
    return count;
}

static void test_eval__a_chain_of_comparisons_is_the_same_through_slots_and_through_the_host(void **state)
{
    static const char *const ops[] = {"==", "!=", "<", "<=", ">", ">="}, *const joins[] = {"&&", "||"};
    uint32_t count = 0;
    char source[200];
    world w;
    world_init(&w);
    for (int i = 0; i < 6 * 2 * 2 * 2; i++) {
        const char *a = ops[i % 6], *b = ops[i / 6 % 2], *x = joins[i / 12 % 2], *y = joins[i / 24];
        snprintf(source, sizeof source, "n %s 3 %s s %s 'hello' %s n != 7", a, x, b, y);
        count += compare_paths(&w, source);
        snprintf(source, sizeof source, "s %s 'hello'", b);
        count += compare_paths(&w, source);
    }
    assert_int_equal(count, 2 * 48 * 48);
    world_deinit(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_eval__reads_variables_entities_and_fields),
        cmocka_unit_test(test_eval__null_field_is_no_such_overload_for_typed_functions),
        cmocka_unit_test(test_eval__short_circuit_does_not_read),
        cmocka_unit_test(test_eval__equality_with_constant_is_few_steps_and_no_allocation),
        cmocka_unit_test(test_eval__constants_are_folded),
        cmocka_unit_test(test_eval__error_knows_its_place),
        cmocka_unit_test(test_eval__iterations_are_limited),
        cmocka_unit_test(test_eval__memory_is_limited_and_growth_is_linear),
        cmocka_unit_test(test_eval__large_literals_use_the_arena_as_stack),
        cmocka_unit_test(test_eval__sub_expression_compiles_alone),
        cmocka_unit_test(test_eval__a_chain_of_comparisons_is_the_same_through_slots_and_through_the_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

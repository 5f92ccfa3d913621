/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_memory - every allocation of the front half may fail: the status says so, and nothing leaks.
 */
#include "tests/engine/base/alloc_fault.h"
#include "tests/engine/cel/cel_unit.h"

static const char *const source =
    "crm.conversation[s].status == 'open' && items.map(i, {'k': [i, 1.5], ?'o': d.?x}).exists(m, "
    "m.k[0] > 2)"
    " || tags.transformMap(k, v, v > 1, b'\\xff' + bytes(k)).size() > math.greatest(1, 2, n)"
    " || cel.bind(x, optional.of(n), x.optMap(y, y + 1).orValue(0)) in [1, 2] ? has(d.a.b) : "
    "s.matches('a')";

static mandate_status run(const cel_env *env, const char *text)
{
    cel_ast *ast = NULL;
    cel_issues issues;
    mandate_error err = {0};
    mandate_status status;
    buf b;

    cel_issues_init(&issues);
    status = cel_parse(&ast, env, mandate_slice_str(text), &issues, &err);
    if (status == MANDATE_OK)
        status = cel_check(ast, env, cel_type_simple(CEL_TYPE_BOOL), &issues, &err);
    if (status == MANDATE_OK) {
        buf_init(&b);
        cel_print(&b, ast->root);
        if (b.failed)
            status = MANDATE_NOMEM;
        buf_deinit(&b);
    }
    cel_ast_destroy(ast);
    cel_issues_deinit(&issues);
    return status;
}

static void fail_each(const char *text, mandate_status want)
{
    cel_env *env = shop_env(CEL_LIB_ALL);
    mandate_status status;
    long n = 0;

    for (int sticky = 0; sticky <= 1; sticky++) {
        for (n = 0;; n++) {
            alloc_fault_set(n, sticky);
            status = run(env, text);
            if (!alloc_fault.fired)
                break;
            alloc_fault_set(ALLOC_FAULT_OFF, false);
            if (status != MANDATE_NOMEM && status != want)
                fail_msg("allocation %ld: status %d", n, (int)status);
        }
        alloc_fault_set(ALLOC_FAULT_OFF, false);
        assert_int_equal(status, want);
        assert_true(n > 3);
    }
    cel_env_destroy(env);
}

static void test_memory__a_failed_allocation_is_told(void **state) { fail_each(source, MANDATE_OK); }

static void test_memory__a_failed_allocation_among_mistakes_is_harmless(void **state)
{
    fail_each("crm.conversatoin['x'].y + nope(1, 'a') == s && as", MANDATE_INVALID);
    fail_each("crm.conversatoin['x'].y + nope(1, 'a') == s", MANDATE_INVALID);
}

static mandate_status build(void)
{
    cel_env *env = NULL;
    uint32_t var;
    mandate_status status = cel_env_create(&env, CEL_LIB_ALL, NULL);

    if (status != MANDATE_OK)
        return status;
    const cel_type *object = cel_type_object(env, "a.b");
    const cel_type *list = object ? cel_type_list(env, object) : NULL;
    const cel_field field = {"f", list};

    status = MANDATE_NOMEM;
    if (list)
        status = cel_env_fields(env, object, &field, 1, NULL);
    if (status == MANDATE_OK)
        status = cel_env_table(env, object, NULL);
    if (status == MANDATE_OK)
        status = cel_env_variable(&var, env, "v", list, NULL);
    if (status == MANDATE_OK)
        status = cel_env_container(env, "a", NULL);
    if (status == MANDATE_OK)
        status = cel_env_now(env, NULL);
    if (status == MANDATE_OK && !cel_type_parse(env, mandate_slice_str("map(string, a.b)"), NULL))
        status = MANDATE_NOMEM;
    cel_env_destroy(env);
    return status;
}

static void test_memory__building_an_environment_may_fail_anywhere(void **state)
{
    for (long n = 0;; n++) {
        mandate_status status;

        alloc_fault_set(n, true);
        status = build();
        bool fired = alloc_fault.fired;
        alloc_fault_set(ALLOC_FAULT_OFF, false);
        assert_int_equal(status, fired ? MANDATE_NOMEM : MANDATE_OK);
        if (!fired)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory__a_failed_allocation_is_told),
        cmocka_unit_test(test_memory__a_failed_allocation_among_mistakes_is_harmless),
        cmocka_unit_test(test_memory__building_an_environment_may_fail_anywhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cel_unit - what the tests of the front half share: an environment with the types of a small shop,
 * and parsing and checking in one line.
 */
#ifndef MANDATE_TESTS_ENGINE_CEL_CEL_UNIT_H
#define MANDATE_TESTS_ENGINE_CEL_CEL_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "engine/cel/ast.h"
#include "engine/cel/function.h"
#include "engine/limits.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(*(array)))

/* Tables crm.conversation and crm.customer; variables n, s, d, items, tags, config.mode, now. */
static inline cel_env *shop_env(uint32_t libraries)
{
    cel_env *env = NULL;
    uint32_t var;

    assert_int_equal(cel_env_create(&env, libraries, NULL), MANDATE_OK);
    const cel_type *customer = cel_type_object(env, "crm.customer");
    const cel_type *conversation = cel_type_object(env, "crm.conversation");
    const cel_type *string = cel_type_simple(CEL_TYPE_STRING), *integer = cel_type_simple(CEL_TYPE_INT);
    const cel_field customer_fields[] = {
        {"name", string},
        {"vip", cel_type_simple(CEL_TYPE_BOOL)},
        {"conversations", cel_type_list(env, conversation)},
    };
    const cel_field conversation_fields[] = {
        {"status", string},
        {"owner", customer},
        {"last_activity", cel_type_simple(CEL_TYPE_TIMESTAMP)},
        {"labels", cel_type_map(env, string, string)},
    };
    assert_int_equal(cel_env_fields(env, customer, customer_fields, COUNT_OF(customer_fields), NULL), 0);
    assert_int_equal(cel_env_fields(env, conversation, conversation_fields, COUNT_OF(conversation_fields), NULL), 0);
    assert_int_equal(cel_env_table(env, customer, NULL), MANDATE_OK);
    assert_int_equal(cel_env_table(env, conversation, NULL), MANDATE_OK);
    assert_int_equal(cel_env_variable(&var, env, "n", integer, NULL), MANDATE_OK);
    assert_int_equal(cel_env_variable(&var, env, "s", string, NULL), MANDATE_OK);
    assert_int_equal(cel_env_variable(&var, env, "d", cel_type_simple(CEL_TYPE_DYN), NULL), MANDATE_OK);
    assert_int_equal(cel_env_variable(&var, env, "items", cel_type_list(env, integer), NULL), MANDATE_OK);
    assert_int_equal(cel_env_variable(&var, env, "tags", cel_type_map(env, string, integer), NULL), 0);
    assert_int_equal(cel_env_variable(&var, env, "config.mode", string, NULL), MANDATE_OK);
    assert_int_equal(cel_env_now(env, NULL), MANDATE_OK);
    return env;
}

/* The parsed tree; fails the test when it does not parse. */
static inline cel_ast *parsed(const cel_env *env, const char *source)
{
    cel_ast *ast = NULL;
    mandate_error err = {0};

    if (cel_parse(&ast, env, mandate_slice_str(source), NULL, &err) != MANDATE_OK)
        fail_msg("%s: %s", source, err.text);
    return ast;
}

static inline cel_ast *checked(const cel_env *env, const char *source)
{
    cel_ast *ast = parsed(env, source);
    mandate_error err = {0};

    if (cel_check(ast, env, NULL, NULL, &err) != MANDATE_OK)
        fail_msg("%s: %s", source, err.text);
    return ast;
}

/* `source` must fail to parse or to check, with exactly this report. */
static inline void expect_report(const cel_env *env, const char *source, const char *report)
{
    cel_ast *ast = NULL;
    cel_issues issues;
    buf text;
    mandate_status status;

    cel_issues_init(&issues);
    buf_init(&text);
    status = cel_parse(&ast, env, mandate_slice_str(source), &issues, NULL);
    if (status == MANDATE_OK)
        status = cel_check(ast, env, NULL, &issues, NULL);
    assert_int_not_equal(status, MANDATE_OK);
    cel_issues_print(&text, &issues, mandate_slice_str(source));
    assert_string_equal(buf_cstr(&text), report);
    buf_deinit(&text);
    cel_issues_deinit(&issues);
    cel_ast_destroy(ast);
}

/* `source` must be refused with a first sentence that contains `words`. */
static inline void expect_error(const cel_env *env, const char *source, mandate_status want, const char *words)
{
    cel_ast *ast = NULL;
    mandate_error err = {0};
    mandate_status status = cel_parse(&ast, env, mandate_slice_str(source), NULL, &err);

    if (status == MANDATE_OK)
        status = cel_check(ast, env, NULL, NULL, &err);
    if (status != want || !strstr(err.text, words))
        fail_msg("%s: status %d, \"%s\" does not say \"%s\"", source, (int)status, err.text, words);
    cel_ast_destroy(ast);
}

static inline void expect_print(const cel_expr *expr, const char *want)
{
    buf text;

    buf_init(&text);
    cel_print(&text, expr);
    assert_string_equal(buf_cstr(&text), want);
    buf_deinit(&text);
}

static inline void expect_type(const cel_env *env, const char *source, const char *want)
{
    cel_ast *ast = checked(env, source);
    buf text;

    buf_init(&text);
    cel_type_print(&text, ast->root->type);
    if (strcmp(buf_cstr(&text), want) != 0)
        fail_msg("%s is %s, not %s", source, buf_cstr(&text), want);
    buf_deinit(&text);
    cel_ast_destroy(ast);
}

#endif

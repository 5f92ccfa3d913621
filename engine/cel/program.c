/* SPDX-License-Identifier: Apache-2.0 */
/*
 * program - from source text to program in one call.
 */
#include "engine/cel/eval.h"

mandate_status cel_program_create(cel_program **out, const cel_env *env, mandate_slice source, const cel_type *expected,
                                  cel_issues *issues, mandate_error *err)
{
    cel_ast *ast = NULL;
    cel_issues own;
    if (!issues)
        cel_issues_init(&own);
    mandate_status status = cel_parse(&ast, env, source, issues ? issues : &own, err);
    if (status == MANDATE_OK)
        status = cel_check(ast, env, expected, issues ? issues : &own, err);
    if (status == MANDATE_OK)
        status = cel_compile(out, env, ast, err);
    cel_ast_destroy(ast);
    if (!issues)
        cel_issues_deinit(&own);
    return status;
}

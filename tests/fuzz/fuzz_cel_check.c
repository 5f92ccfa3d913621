/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_cel_check - what parses is checked. A refusal says where; what passes has a type at every
 * node, a program, and a finite cost.
 */
#include "cel_fuzz.h"
#include "engine/cel/certain.h"
#include "engine/cel/cost.h"

static void check_types(const cel_expr *e)
{
    FUZZ_CHECK(e->type && e->type->kind != CEL_TYPE_ERROR);
    if (e->operand && !(e->kind == CEL_EXPR_CALL && e->overload))
        check_types(e->operand);
    if (e->op == CEL_OP_INDEX || e->op == CEL_OP_OPT_INDEX || e->op == CEL_OP_OPT_SELECT)
        return; /* tables and names of fields are not values */
    for (uint32_t i = 0; i < e->arg_count; i++)
        check_types(e->args[i]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mandate_slice source = {(const char *)data, size};
    cel_env *env = cel_fuzz_env();
    cel_ast *ast = NULL;
    cel_program *program = NULL;
    cel_issues issues;
    mandate_error err = {.text = ""};
    uint64_t cost = 0, part = 0;
    const cel_expr *worst = NULL;
    cel_issues_init(&issues);
    mandate_status status = cel_parse(&ast, env, source, NULL, NULL);
    if (status == MANDATE_OK) {
        status = cel_check(ast, env, NULL, &issues, &err);
        if (status == MANDATE_INVALID)
            cel_fuzz_check_issues(&issues, source);
    }
    if (status == MANDATE_OK) {
        check_types(ast->root);
        FUZZ_CHECK(cel_cost_estimate(ast, env, NULL, &cost, &worst, &part, NULL) == MANDATE_OK);
        FUZZ_CHECK(cost > 0 && part <= cost && worst);
        status = cel_certain_check(ast, env, &issues, &err);
        FUZZ_CHECK(status == MANDATE_OK || (status == MANDATE_INVALID && issues.count > 0));
        status = cel_compile(&program, env, ast, &err);
        FUZZ_CHECK(status == MANDATE_OK || err.text[0]);
    }
    cel_program_destroy(program);
    cel_ast_destroy(ast);
    cel_issues_deinit(&issues);
    return 0;
}

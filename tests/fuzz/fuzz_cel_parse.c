/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_cel_parse - any bytes as source. A refusal says where; a tree lies within its source.
 */
#include "cel_fuzz.h"

static void check_tree(const cel_expr *e, const cel_ast *ast, int depth)
{
    FUZZ_CHECK(depth <= CEL_TREE_DEPTH_MAX);
    FUZZ_CHECK(e->id >= 1 && e->id <= ast->id_max);
    FUZZ_CHECK(e->begin <= e->end && e->end <= ast->source.len && e->offset <= ast->source.len);
    if (e->operand)
        check_tree(e->operand, ast, depth + 1);
    for (uint32_t i = 0; i < e->arg_count; i++)
        check_tree(e->args[i], ast, depth + 1);
    if (e->comprehension) {
        check_tree(e->comprehension->range, ast, depth + 1);
        check_tree(e->comprehension->step, ast, depth + 1);
        check_tree(e->comprehension->result, ast, depth + 1);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mandate_slice source = {(const char *)data, size};
    cel_ast *ast = NULL;
    cel_issues issues;
    mandate_error err = {.text = ""};
    cel_issues_init(&issues);
    mandate_status status = cel_parse(&ast, cel_fuzz_env(), source, &issues, &err);
    if (status == MANDATE_OK) {
        FUZZ_CHECK(ast && issues.count == 0);
        check_tree(ast->root, ast, 0);
    } else {
        FUZZ_CHECK(!ast && err.text[0]);
        if (status == MANDATE_INVALID)
            cel_fuzz_check_issues(&issues, source);
    }
    cel_ast_destroy(ast);
    cel_issues_deinit(&issues);
    return 0;
}

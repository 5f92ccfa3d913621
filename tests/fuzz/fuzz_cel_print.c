/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_cel_print - what parses prints, and the printed text parses to the same tree and prints the same.
 */
#include "cel_fuzz.h"
#include "engine/limits.h"

static void check_same(const cel_expr *x, const cel_expr *y)
{
    FUZZ_CHECK(x->kind == y->kind && x->op == y->op && x->test_only == y->test_only);
    FUZZ_CHECK(mandate_slice_eq(x->name, y->name) && x->arg_count == y->arg_count);
    FUZZ_CHECK(!x->operand == !y->operand && !x->comprehension == !y->comprehension);
    if (x->kind == CEL_EXPR_CONST) {
        FUZZ_CHECK(x->value.kind == y->value.kind);
        FUZZ_CHECK(cel_order(x->value, y->value) == 0);
    }
    if (x->operand)
        check_same(x->operand, y->operand);
    for (uint32_t i = 0; i < x->arg_count; i++)
        check_same(x->args[i], y->args[i]);
    if (x->optional_mask || y->optional_mask)
        for (uint32_t i = 0; i < (x->arg_count + 63) / 64; i++)
            FUZZ_CHECK(x->optional_mask && y->optional_mask && x->optional_mask[i] == y->optional_mask[i]);
    if (x->comprehension) {
        const cel_comprehension *p = x->comprehension, *q = y->comprehension;
        FUZZ_CHECK(mandate_slice_eq(p->iter_var, q->iter_var));
        FUZZ_CHECK(mandate_slice_eq(p->iter_var2, q->iter_var2));
        FUZZ_CHECK(mandate_slice_eq(p->accu_var, q->accu_var));
        check_same(p->range, q->range);
        check_same(p->init, q->init);
        check_same(p->condition, q->condition);
        check_same(p->step, q->step);
        check_same(p->result, q->result);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mandate_slice source = {(const char *)data, size};
    cel_env *env = cel_fuzz_env();
    cel_ast *ast = NULL, *back = NULL;
    mandate_error err = {.text = ""};
    buf first, second;
    buf_init(&first);
    buf_init(&second);
    if (cel_parse(&ast, env, source, NULL, NULL) == MANDATE_OK) {
        cel_print(&first, ast->root);
        FUZZ_CHECK(first.len > 0 && !first.failed);
        mandate_status status = cel_parse(&back, env, buf_slice(&first), NULL, &err);
        /* canonical spacing may not fit the limit of a source any more */
        if (status != MANDATE_OK && !(status == MANDATE_LIMIT && first.len > LIMIT_CEL_SOURCE)) {
            fprintf(stderr, "%s\n%s\n", buf_cstr(&first), err.text);
            FUZZ_CHECK(!"the printed text does not parse");
        }
        if (status == MANDATE_OK) {
            check_same(ast->root, back->root);
            cel_print(&second, back->root);
            FUZZ_CHECK(mandate_slice_eq(buf_slice(&first), buf_slice(&second)));
        }
    }
    buf_deinit(&first);
    buf_deinit(&second);
    cel_ast_destroy(ast);
    cel_ast_destroy(back);
    return 0;
}

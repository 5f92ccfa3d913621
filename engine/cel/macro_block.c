/* SPDX-License-Identifier: Apache-2.0 */
/*
 * macro_block - cel.block([e0, e1, ...], result) with cel.index(n), cel.iterVar(depth, n), cel.accuVar(depth, n).
 *
 * What an optimizer that shares sub-expressions would write; people do not. The specification's tests spell it
 * out, which is why it exists, behind a switch of its own. Entry n is bound to a name that nobody else can write,
 * for the entries behind it and the result.
 */
#include "engine/cel/parse_int.h"

/* "@index3", "@it:0:1". */
static cel_expr *variable_named(cel_parser *p, const char *prefix, int64_t x, int64_t y, uint32_t offset)
{
    mandate_slice name = y < 0 ? arena_printf(&p->ast->memory, "%s%lld", prefix, (long long)x)
                               : arena_printf(&p->ast->memory, "%s%lld:%lld", prefix, (long long)x, (long long)y);

    if (!name.ptr) {
        p->status = MANDATE_NOMEM;
        return NULL;
    }
    return cel_node_ident(p, name, offset);
}

/* An identifier whose numbers are the arguments, which must be plain. */
static cel_expr *variable(cel_parser *p, const cel_expr *call, const char *prefix)
{
    bool two = call->arg_count > 1;

    for (uint32_t i = 0; i < call->arg_count; i++) {
        const cel_expr *arg = call->args[i];
        if (arg->kind != CEL_EXPR_CONST || arg->value.kind != CEL_INT || arg->value.i < 0) {
            cel_parse_report(p, arg->offset, "cel.%.*s() takes plain numbers", MANDATE_SLICE_ARG(call->name));
            return NULL;
        }
    }
    return variable_named(p, prefix, call->args[0]->value.i, two ? call->args[1]->value.i : -1, call->offset);
}

static cel_expr *block(cel_parser *p, const cel_expr *call)
{
    const cel_expr *entries = call->args[0];
    cel_expr *out = call->args[1];

    if (entries->kind != CEL_EXPR_LIST || entries->optional_mask) {
        cel_parse_report(p, entries->offset, "cel.block() takes a list literal and a result");
        return NULL;
    }
    for (uint32_t i = entries->arg_count; i-- > 0 && out;) {
        cel_expr *name = variable_named(p, "@index", i, -1, call->offset);
        out = name ? cel_macro_bind(p, call, name->name, entries->args[i], out) : NULL;
    }
    return out;
}

cel_expr *cel_macro_block(cel_parser *p, const cel_expr *call, bool *found)
{
    *found = true;
    if (mandate_slice_is(call->name, "block") && call->arg_count == 2)
        return block(p, call);
    if (mandate_slice_is(call->name, "index") && call->arg_count == 1)
        return variable(p, call, "@index");
    if (mandate_slice_is(call->name, "iterVar") && call->arg_count == 2)
        return variable(p, call, "@it:");
    if (mandate_slice_is(call->name, "accuVar") && call->arg_count == 2)
        return variable(p, call, "@ac:");
    *found = false;
    return NULL;
}

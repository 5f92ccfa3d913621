/* SPDX-License-Identifier: Apache-2.0 */
/*
 * macro_lib - the macros of the extension libraries: cel.bind, optMap, optFlatMap, transformMap,
 * transformMapEntry, math.greatest, math.least, sortBy. (The two-variable quantifiers and
 * transformList have the shapes of their one-variable relatives and are in macro.c.)
 *
 * A binding is a fold over the empty list whose accumulator is the variable. optMap needs its
 * target twice, so it is copied; the node limit bounds what nesting that can cost.
 */
#include "engine/cel/parse_int.h"

cel_expr *cel_macro_bind(cel_parser *p, const cel_expr *call, mandate_slice name, cel_expr *init, cel_expr *result)
{
    cel_comprehension fold = {
        .iter_var = MANDATE_SLICE_LIT("#unused"),
        .accu_var = name,
        .range = cel_node_list(p, call->offset, NULL),
        .init = init,
        .condition = cel_node_const(p, cel_bool(false), call->offset),
        .step = cel_node_ident(p, name, call->offset),
        .result = result,
    };

    return cel_macro_fold(p, call, &fold);
}

static cel_expr *expand_bind(cel_parser *p, const cel_expr *call)
{
    mandate_slice name;

    return cel_macro_variable(p, call->args[0], &name) ? cel_macro_bind(p, call, name, call->args[1], call->args[2]) : NULL;
}

/* target.hasValue() ? optional.of(bind(name, target.value(), body)) : optional.none(); flat:
 * without the of. */
static cel_expr *expand_opt_map(cel_parser *p, const cel_expr *call, bool flat)
{
    uint32_t at = call->offset;
    mandate_slice name;
    cel_expr *value, *some;

    if (!cel_macro_variable(p, call->args[0], &name))
        return NULL;
    value = cel_node_copy(p, call->operand);
    some = cel_macro_bind(p, call, name, cel_node_member(p, "value", at, value), call->args[1]);
    if (some && !flat)
        some = cel_node_call(p, "optional.of", at, 1, some, NULL, NULL);
    return cel_node_call(p, "_?_:_", at, 3, cel_node_member(p, "hasValue", at, call->operand), some,
                         cel_node_call(p, "optional.none", at, 0, NULL, NULL, NULL));
}

/* transformMap(k, v[, filter], value) and transformMapEntry(k, v[, filter], entry). */
static cel_expr *expand_transform_map(cel_parser *p, const cel_expr *call, bool entry)
{
    uint32_t at = call->offset;
    cel_comprehension fold = {.range = call->operand, .accu_var = MANDATE_SLICE_LIT(CEL_ACCUMULATOR)};
    cel_expr *value = call->args[call->arg_count - 1];

    if (!cel_macro_variable(p, call->args[0], &fold.iter_var) || !cel_macro_variable(p, call->args[1], &fold.iter_var2))
        return NULL;
    if (mandate_slice_eq(fold.iter_var, fold.iter_var2)) {
        cel_parse_report(p, call->args[1]->offset, "the two variables of a macro must differ");
        return NULL;
    }
    fold.init = cel_node(p, CEL_EXPR_MAP, at);
    fold.condition = cel_node_const(p, cel_bool(true), at);
    fold.step = entry ? cel_node_call(p, "cel.@mapInsert", at, 2, cel_macro_accu(p, call), value, NULL)
                      : cel_node_call(p, "cel.@mapInsert", at, 3, cel_macro_accu(p, call),
                                      cel_node_ident(p, fold.iter_var, at), value);
    if (call->arg_count == 4)
        fold.step = cel_node_call(p, "_?_:_", at, 3, call->args[2], fold.step, cel_macro_accu(p, call));
    fold.result = cel_macro_accu(p, call);
    return cel_macro_fold(p, call, &fold);
}

static bool may_be_number(const cel_expr *arg)
{
    if (arg->kind == CEL_EXPR_CONST)
        return arg->value.kind == CEL_INT || arg->value.kind == CEL_UINT || arg->value.kind == CEL_DOUBLE;
    return arg->kind != CEL_EXPR_LIST && arg->kind != CEL_EXPR_MAP && arg->kind != CEL_EXPR_STRUCT;
}

static cel_expr *expand_extreme(cel_parser *p, const cel_expr *call)
{
    const char *function = mandate_slice_is(call->name, "greatest") ? "math.@max" : "math.@min";
    uint32_t at = call->offset;
    bool list = call->arg_count == 1 && call->args[0]->kind == CEL_EXPR_LIST;
    const cel_expr *numbers = list ? call->args[0] : call;
    cel_expr *all;

    if (numbers->arg_count == 0) {
        cel_parse_report(p, at, "math.%.*s() needs at least one argument", MANDATE_SLICE_ARG(call->name));
        return NULL;
    }
    for (uint32_t i = 0; i < numbers->arg_count; i++) {
        if (!may_be_number(numbers->args[i])) {
            cel_parse_report(p, numbers->args[i]->offset, "math.%.*s() takes numbers only", MANDATE_SLICE_ARG(call->name));
            return NULL;
        }
    }
    if (call->arg_count <= 2)
        return cel_node_call(p, function, at, call->arg_count, call->args[0], call->arg_count == 2 ? call->args[1] : NULL,
                             NULL);
    all = cel_node(p, CEL_EXPR_LIST, at);
    if (!all)
        return NULL;
    all->args = call->args;
    all->arg_count = call->arg_count;
    return cel_node_call(p, function, at, 1, all, NULL, NULL);
}

/* Binds the target, maps it to its keys, and sorts one by the other. */
static cel_expr *expand_sort_by(cel_parser *p, const cel_expr *call)
{
    static const mandate_slice input = MANDATE_SLICE_LIT("@__sortBy_input__");
    uint32_t at = call->offset;
    cel_comprehension map = {.accu_var = MANDATE_SLICE_LIT(CEL_ACCUMULATOR)};
    cel_expr *sorted;

    if (!cel_macro_variable(p, call->args[0], &map.iter_var))
        return NULL;
    map.range = cel_node_ident(p, input, at);
    map.init = cel_node_list(p, at, NULL);
    map.condition = cel_node_const(p, cel_bool(true), at);
    map.step = cel_node_call(p, "_+_", at, 2, cel_macro_accu(p, call), cel_node_list(p, at, call->args[1]), NULL);
    map.result = cel_macro_accu(p, call);
    sorted = cel_node_member(p, "@sortByAssociatedKeys", at, cel_node_ident(p, input, at));
    if (!sorted)
        return NULL;
    sorted->args = ARENA_NEW(&p->ast->memory, cel_expr *);
    if (!sorted->args) {
        p->status = MANDATE_NOMEM;
        return NULL;
    }
    sorted->arg_count = 1;
    sorted->args[0] = cel_macro_fold(p, call, &map);
    return sorted->args[0] ? cel_macro_bind(p, call, input, call->operand, sorted) : NULL;
}

cel_expr *cel_macro_library(cel_parser *p, const cel_expr *call, bool *found)
{
    mandate_slice name = call->name;
    uint32_t count = call->arg_count;
    bool on_cel = call->operand->kind == CEL_EXPR_IDENT && mandate_slice_is(call->operand->name, "cel");
    bool on_math = call->operand->kind == CEL_EXPR_IDENT && mandate_slice_is(call->operand->name, "math");

    *found = true;
    if ((p->libraries & CEL_LIB_BLOCK) && on_cel) {
        cel_expr *out = cel_macro_block(p, call, found);
        if (*found)
            return out;
        *found = true;
    }
    if ((p->libraries & CEL_LIB_BINDINGS) && on_cel && count == 3 && mandate_slice_is(name, "bind"))
        return expand_bind(p, call);
    if ((p->libraries & CEL_LIB_OPTIONAL) && count == 2) {
        if (mandate_slice_is(name, "optMap"))
            return expand_opt_map(p, call, false);
        if (mandate_slice_is(name, "optFlatMap"))
            return expand_opt_map(p, call, true);
    }
    if ((p->libraries & CEL_LIB_TWO_VAR) && (count == 3 || count == 4)) {
        if (mandate_slice_is(name, "transformMap"))
            return expand_transform_map(p, call, false);
        if (mandate_slice_is(name, "transformMapEntry"))
            return expand_transform_map(p, call, true);
    }
    if ((p->libraries & CEL_LIB_MATH) && on_math && (mandate_slice_is(name, "greatest") || mandate_slice_is(name, "least")))
        return expand_extreme(p, call);
    if ((p->libraries & CEL_LIB_LISTS) && count == 2 && mandate_slice_is(name, "sortBy"))
        return expand_sort_by(p, call);
    *found = false;
    return NULL;
}

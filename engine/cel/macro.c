/* SPDX-License-Identifier: Apache-2.0 */
/*
 * macro - has, all, exists, exists_one, map and filter, turned into folds while parsing.
 *
 * The shapes are the specification's, with the accumulator named as in the reference
 * implementation, so that trees agree. The root of an expansion keeps the call as written; its
 * arguments are shared, because only the expansion is checked and run.
 */
#include "engine/cel/parse_int.h"

static const mandate_slice accumulator = MANDATE_SLICE_LIT(CEL_ACCUMULATOR);

cel_expr *cel_macro_accu(cel_parser *p, const cel_expr *call) { return cel_node_ident(p, accumulator, call->offset); }

bool cel_macro_variable(cel_parser *p, const cel_expr *arg, mandate_slice *name)
{
    if (arg->kind != CEL_EXPR_IDENT || arg->name.ptr[0] == '.') {
        cel_parse_report(p, arg->offset, "the variable of a macro must be a simple name");
        return false;
    }
    if (mandate_slice_eq(arg->name, accumulator) || mandate_slice_is(arg->name, "__result__")) {
        cel_parse_report(p, arg->offset, "iteration variable overwrites accumulator variable");
        return false;
    }
    *name = arg->name;
    return true;
}

cel_expr *cel_macro_fold(cel_parser *p, const cel_expr *call, const cel_comprehension *parts)
{
    cel_expr *out;

    if (!parts->range || !parts->init || !parts->condition || !parts->step || !parts->result)
        return NULL;
    out = cel_node(p, CEL_EXPR_COMPREHENSION, call->offset);
    if (!out)
        return NULL;
    out->begin = call->begin;
    out->end = call->end;
    out->comprehension = ARENA_NEW(&p->ast->memory, cel_comprehension);
    if (!out->comprehension) {
        p->status = MANDATE_NOMEM;
        return NULL;
    }
    *out->comprehension = *parts;
    return out;
}

static cel_expr *expand_has(cel_parser *p, const cel_expr *call)
{
    const cel_expr *arg = call->args[0];
    cel_expr *out;

    if (arg->kind != CEL_EXPR_SELECT || arg->test_only) {
        cel_parse_report(p, arg->offset,
                         "invalid argument to has() macro: it takes a selection, as in "
                         "has(a.b)");
        return NULL;
    }
    out = cel_node(p, CEL_EXPR_SELECT, call->offset);
    if (out) {
        out->operand = arg->operand;
        out->name = arg->name;
        out->test_only = true;
    }
    return out;
}

/* What all, exists and exists_one share; `first` is the position of the predicate. */
static cel_expr *expand_quantifier(cel_parser *p, const cel_expr *call, cel_comprehension *fold, uint32_t first)
{
    uint32_t at = call->offset;
    cel_expr *predicate = call->args[first];

    if (mandate_slice_is(call->name, "all")) {
        fold->init = cel_node_const(p, cel_bool(true), at);
        fold->condition = cel_node_call(p, "@not_strictly_false", at, 1, cel_macro_accu(p, call), NULL, NULL);
        fold->step = cel_node_call(p, "_&&_", at, 2, cel_macro_accu(p, call), predicate, NULL);
        fold->result = cel_macro_accu(p, call);
    } else if (mandate_slice_is(call->name, "exists")) {
        fold->init = cel_node_const(p, cel_bool(false), at);
        fold->condition = cel_node_call(p, "@not_strictly_false", at, 1,
                                        cel_node_call(p, "!_", at, 1, cel_macro_accu(p, call), NULL, NULL), NULL, NULL);
        fold->step = cel_node_call(p, "_||_", at, 2, cel_macro_accu(p, call), predicate, NULL);
        fold->result = cel_macro_accu(p, call);
    } else {
        cel_expr *one = cel_node_const(p, cel_int(1), at);

        fold->init = cel_node_const(p, cel_int(0), at);
        fold->condition = cel_node_const(p, cel_bool(true), at);
        fold->step =
            cel_node_call(p, "_?_:_", at, 3, predicate, cel_node_call(p, "_+_", at, 2, cel_macro_accu(p, call), one, NULL),
                          cel_macro_accu(p, call));
        fold->result = cel_node_call(p, "_==_", at, 2, cel_macro_accu(p, call), cel_node_const(p, cel_int(1), at), NULL);
    }
    return cel_macro_fold(p, call, fold);
}

/* A fold that appends `element` for the items that pass `filter` (NULL: all). */
static cel_expr *expand_list(cel_parser *p, const cel_expr *call, cel_comprehension *fold, cel_expr *filter,
                             cel_expr *element)
{
    uint32_t at = call->offset;

    if (!element)
        return NULL;
    fold->init = cel_node_list(p, at, NULL);
    fold->condition = cel_node_const(p, cel_bool(true), at);
    fold->step = cel_node_call(p, "_+_", at, 2, cel_macro_accu(p, call), cel_node_list(p, at, element), NULL);
    if (filter)
        fold->step = cel_node_call(p, "_?_:_", at, 3, filter, fold->step, cel_macro_accu(p, call));
    fold->result = cel_macro_accu(p, call);
    return cel_macro_fold(p, call, fold);
}

static bool is_quantifier(mandate_slice name)
{
    return mandate_slice_is(name, "all") || mandate_slice_is(name, "exists") || mandate_slice_is(name, "exists_one") ||
           mandate_slice_is(name, "existsOne");
}

static cel_expr *expand_member(cel_parser *p, const cel_expr *call, bool *found)
{
    cel_comprehension fold = {.range = call->operand, .accu_var = accumulator};
    mandate_slice name = call->name;
    bool map = mandate_slice_is(name, "map") && (call->arg_count == 2 || call->arg_count == 3);
    bool filter = mandate_slice_is(name, "filter") && call->arg_count == 2;
    bool one = is_quantifier(name) && call->arg_count == 2;
    bool two =
        (p->libraries & CEL_LIB_TWO_VAR) && call->arg_count >= 3 &&
        ((is_quantifier(name) && call->arg_count == 3) || (mandate_slice_is(name, "transformList") && call->arg_count <= 4));

    *found = map || filter || one || two;
    if (!*found || !cel_macro_variable(p, call->args[0], &fold.iter_var))
        return NULL;
    if (two) {
        if (!cel_macro_variable(p, call->args[1], &fold.iter_var2))
            return NULL;
        if (mandate_slice_eq(fold.iter_var, fold.iter_var2)) {
            cel_parse_report(p, call->args[1]->offset, "the two variables of a macro must differ");
            return NULL;
        }
    }
    if (filter)
        return expand_list(p, call, &fold, call->args[1], cel_node_ident(p, fold.iter_var, call->args[0]->offset));
    if (map)
        return expand_list(p, call, &fold, call->arg_count == 3 ? call->args[1] : NULL, call->args[call->arg_count - 1]);
    if (two && !is_quantifier(name))
        return expand_list(p, call, &fold, call->arg_count == 4 ? call->args[2] : NULL, call->args[call->arg_count - 1]);
    return expand_quantifier(p, call, &fold, two ? 2 : 1);
}

cel_expr *cel_macro_expand(cel_parser *p, cel_expr *call)
{
    bool found = false;
    cel_expr *out;

    if (p->libraries & CEL_NO_MACROS)
        return call;
    if (!call->operand) {
        found = mandate_slice_is(call->name, "has") && call->arg_count == 1;
        out = found ? expand_has(p, call) : NULL;
    } else {
        out = expand_member(p, call, &found);
        if (!found)
            out = cel_macro_library(p, call, &found);
    }
    if (!found)
        return call;
    if (!out) /* a wrong argument was only reported: go on with the call */
        return p->status == MANDATE_INVALID && !p->stopped ? call : NULL;
    out->macro = call;
    out->begin = call->begin;
    out->end = call->end;
    return out;
}

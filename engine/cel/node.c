/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node - constructors of syntax nodes. The one place that counts them.
 *
 * A constructor given NULL for a child returns NULL, so that expansions can be written as nested
 * calls and checked once. Copies share what is immutable (names, literals, the macro as written).
 */
#include "engine/cel/parse_int.h"

cel_expr *cel_node(cel_parser *p, cel_expr_kind kind, uint32_t offset)
{
    cel_expr *out;

    if (p->ast->node_count >= LIMIT_CEL_NODES)
        return cel_parse_fail(p, MANDATE_LIMIT, offset, "the expression has more than %d nodes", LIMIT_CEL_NODES);
    out = ARENA_NEW(&p->ast->memory, cel_expr);
    if (!out) {
        p->status = MANDATE_NOMEM;
        return NULL;
    }
    p->ast->node_count++;
    out->kind = kind;
    out->id = ++p->ast->id_max;
    out->offset = out->begin = offset;
    out->end = p->last_end > offset ? p->last_end : offset;
    out->var = out->field = CEL_REF_NONE;
    return out;
}

cel_expr *cel_node_const(cel_parser *p, cel_value value, uint32_t offset)
{
    cel_expr *out = cel_node(p, CEL_EXPR_CONST, offset);

    if (out)
        out->value = value;
    return out;
}

cel_expr *cel_node_ident(cel_parser *p, mandate_slice name, uint32_t offset)
{
    cel_expr *out = cel_node(p, CEL_EXPR_IDENT, offset);

    if (out)
        out->name = name;
    return out;
}

cel_op cel_op_of(mandate_slice function, uint32_t arg_count)
{
    static const struct {
        const char *name;
        uint32_t arg_count;
        cel_op op;
    } ops[] = {
        {"_&&_", 2, CEL_OP_AND},
        {"_||_", 2, CEL_OP_OR},
        {"!_", 1, CEL_OP_NOT},
        {"_?_:_", 3, CEL_OP_COND},
        {"_==_", 2, CEL_OP_EQ},
        {"_!=_", 2, CEL_OP_NE},
        {"_<_", 2, CEL_OP_LT},
        {"_<=_", 2, CEL_OP_LE},
        {"_>_", 2, CEL_OP_GT},
        {"_>=_", 2, CEL_OP_GE},
        {"@in", 2, CEL_OP_IN},
        {"_[_]", 2, CEL_OP_INDEX},
        {"_[?_]", 2, CEL_OP_OPT_INDEX},
        {"_?._", 2, CEL_OP_OPT_SELECT},
        {"_+_", 2, CEL_OP_ADD},
        {"_-_", 2, CEL_OP_SUB},
        {"_*_", 2, CEL_OP_MUL},
        {"_/_", 2, CEL_OP_DIV},
        {"_%_", 2, CEL_OP_MOD},
        {"-_", 1, CEL_OP_NEG},
        {"@not_strictly_false", 1, CEL_OP_NOT_STRICTLY_FALSE},
    };

    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (ops[i].arg_count == arg_count && mandate_slice_is(function, ops[i].name))
            return ops[i].op;
    return CEL_OP_NONE;
}

cel_expr *cel_node_call(cel_parser *p, const char *function, uint32_t offset, uint32_t count, cel_expr *a, cel_expr *b,
                        cel_expr *c)
{
    cel_expr *const given[3] = {a, b, c};
    cel_expr *out;

    for (uint32_t i = 0; i < count; i++)
        if (!given[i])
            return NULL;
    out = cel_node(p, CEL_EXPR_CALL, offset);
    if (!out)
        return NULL;
    out->name = mandate_slice_str(function);
    out->op = cel_op_of(out->name, count);
    out->arg_count = count;
    out->args = ARENA_ARRAY(&p->ast->memory, cel_expr *, count ? count : 1);
    if (!out->args) {
        p->status = MANDATE_NOMEM;
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++) {
        out->args[i] = given[i];
        if (given[i]->begin < out->begin)
            out->begin = given[i]->begin;
        if (given[i]->end > out->end)
            out->end = given[i]->end;
    }
    return out;
}

cel_expr *cel_node_member(cel_parser *p, const char *function, uint32_t offset, cel_expr *target)
{
    cel_expr *out = target ? cel_node(p, CEL_EXPR_CALL, offset) : NULL;

    if (out) {
        out->name = mandate_slice_str(function);
        out->operand = target;
    }
    return out;
}

cel_expr *cel_node_list(cel_parser *p, uint32_t offset, cel_expr *element)
{
    cel_expr *out = cel_node(p, CEL_EXPR_LIST, offset);

    if (out && element) {
        out->args = ARENA_NEW(&p->ast->memory, cel_expr *);
        if (!out->args) {
            p->status = MANDATE_NOMEM;
            return NULL;
        }
        out->args[0] = element;
        out->arg_count = 1;
    }
    return out;
}

static bool copy_into(cel_parser *p, cel_expr **to, const cel_expr *from)
{
    *to = from ? cel_node_copy(p, from) : NULL;
    return !from || *to;
}

cel_expr *cel_node_copy(cel_parser *p, const cel_expr *expr)
{
    cel_expr *out = cel_node(p, expr->kind, expr->offset);
    uint32_t id = out ? out->id : 0;

    if (!out)
        return NULL;
    *out = *expr;
    out->id = id;
    if (!copy_into(p, &out->operand, expr->operand))
        return NULL;
    if (expr->arg_count) {
        out->args = ARENA_ARRAY(&p->ast->memory, cel_expr *, expr->arg_count);
        if (!out->args) {
            p->status = MANDATE_NOMEM;
            return NULL;
        }
        for (uint32_t i = 0; i < expr->arg_count; i++)
            if (!copy_into(p, &out->args[i], expr->args[i]))
                return NULL;
    }
    if (expr->comprehension) {
        const cel_comprehension *from = expr->comprehension;
        cel_comprehension *to = ARENA_NEW(&p->ast->memory, cel_comprehension);

        if (!to) {
            p->status = MANDATE_NOMEM;
            return NULL;
        }
        *to = *from;
        out->comprehension = to;
        if (!copy_into(p, &to->range, from->range) || !copy_into(p, &to->init, from->init) ||
            !copy_into(p, &to->condition, from->condition) || !copy_into(p, &to->step, from->step) ||
            !copy_into(p, &to->result, from->result))
            return NULL;
    }
    return out;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plan - how a checked text becomes nodes: which parts are comparisons of one attribute with a constant, which are AND, OR,
 * NOT, and which are opaque. Made once per text; constants that depend on the mandate are filled in by bind.c.
 *
 * `?:` is not rewritten into AND and OR: its truth table differs when the condition is unknown.
 */
#include "engine/condition/index_int.h"

#include <assert.h>
#include <stdlib.h>

typedef struct planner {
    condition_index *index;
    condition_template *t;
    uint32_t plans;
    const cel_expr *list; /* inside a predicate over the members of this list; NULL: outside */
    mandate_slice member; /* the variable that stands for one */
    mandate_error *err;
    mandate_status status;
} planner;

/* Which of the mandate's own fields an expression reads; true in *dynamic when it reads anything else that varies. */
static void reads_of(const cel_expr *e, uint32_t *fields, bool *dynamic)
{
    if (!e)
        return;
    if (e->kind == CEL_EXPR_IDENT) {
        if (e->var == SCHEMA_MANDATE_VARIABLE)
            *fields |= UINT32_MAX; /* the whole of it: every field matters */
        else
            *dynamic = true; /* a table, now, or a local variable */
        return;
    }
    if (e->kind == CEL_EXPR_SELECT && e->operand->kind == CEL_EXPR_IDENT && e->operand->var == SCHEMA_MANDATE_VARIABLE &&
        e->field != CEL_REF_NONE) {
        *fields |= 1u << e->field;
        return;
    }
    if (e->kind == CEL_EXPR_COMPREHENSION) {
        const cel_comprehension *c = e->comprehension;
        *dynamic = true;
        reads_of(c->range, fields, dynamic);
        reads_of(c->init, fields, dynamic);
        reads_of(c->condition, fields, dynamic);
        reads_of(c->step, fields, dynamic);
        reads_of(c->result, fields, dynamic);
        return;
    }
    reads_of(e->operand, fields, dynamic);
    for (uint32_t i = 0; i < e->arg_count; i++)
        reads_of(e->args[i], fields, dynamic);
}

static bool is_static(const cel_expr *e)
{
    uint32_t fields = 0;
    bool dynamic = false;
    reads_of(e, &fields, &dynamic);
    return !dynamic;
}

/* `table[key].field` with a static key? */
static bool is_slot(const cel_expr *e)
{
    if (e->kind != CEL_EXPR_SELECT || e->test_only || e->field == CEL_REF_NONE)
        return false;
    const cel_expr *index = e->operand;
    if (index->kind != CEL_EXPR_CALL || index->op != CEL_OP_INDEX || index->arg_count != 2)
        return false;
    return index->args[0]->kind == CEL_EXPR_IDENT && index->args[0]->table && is_static(index->args[1]);
}

/* The entity type and field of `table[key].field`. */
static const schema_field *slot_field(const planner *p, const cel_expr *e)
{
    const schema *s = context_schema(p->index->graph);
    return &schema_type_at(s, e->operand->args[0]->table->object)->fields[e->field];
}

/* `x.field`, an attribute of the member that the predicate is about? */
static bool is_member_field(const planner *p, const cel_expr *e)
{
    if (e->kind != CEL_EXPR_SELECT || e->test_only || e->field == CEL_REF_NONE || e->operand->kind != CEL_EXPR_IDENT ||
        !mandate_slice_eq(e->operand->name, p->member))
        return false;
    const schema_type *t = schema_type_at(context_schema(p->index->graph), slot_field(p, p->list)->target);
    return t->fields[e->field].kind == SCHEMA_ATTRIBUTE;
}

static bool is_cell(const planner *p, const cel_expr *e) { return p->list ? is_member_field(p, e) : is_slot(e); }

static plan *plan_new(planner *p, plan_kind kind, const cel_expr *e)
{
    plan *out = ARENA_NEW(&p->t->memory, plan);
    if (!out) {
        p->status = mandate_error_set(p->err, MANDATE_NOMEM, "out of memory while planning a condition");
        return NULL;
    }
    out->kind = kind;
    out->expr = e;
    out->id = p->plans++;
    bool dynamic = false;
    reads_of(e, &out->mandate_fields, &dynamic);
    return out;
}

static bool compile(planner *p, cel_program **out, const cel_expr *e)
{
    mandate_status s = cel_compile_expr(out, schema_env(context_schema(p->index->graph)), p->t->ast, e, p->err);
    if (s)
        p->status = s;
    return s == MANDATE_OK;
}

/* `mandate.params.name`? */
static mandate_slice param_of(const cel_expr *e)
{
    const cel_expr *params = e->kind == CEL_EXPR_SELECT && !e->test_only ? e->operand : NULL;
    bool is = params && params->kind == CEL_EXPR_SELECT && !params->test_only && params->field == SCHEMA_MANDATE_PARAMS &&
              params->operand->kind == CEL_EXPR_IDENT && params->operand->var == SCHEMA_MANDATE_VARIABLE;
    return is ? e->name : (mandate_slice){NULL, 0};
}

static bool plan_static(planner *p, static_expr *out, const cel_expr *e)
{
    out->param = param_of(e);
    out->expr = e;
    out->literal = LIFT_MAX;
    out->is_const = e->kind == CEL_EXPR_CONST;
    out->value = e->value;
    return out->is_const || compile(p, &out->program, e);
}

static plan *plan_slot(planner *p, plan_kind kind, const cel_expr *whole, const cel_expr *slot_expr,
                       const cel_expr *constant)
{
    plan *out = plan_new(p, kind, whole);
    if (!out)
        return NULL;
    out->field = (uint16_t)slot_expr->field;
    if (!p->list) {
        out->type = slot_expr->operand->args[0]->table->object;
        if (!plan_static(p, &out->key, slot_expr->operand->args[1]))
            return NULL;
    }
    return constant && !plan_static(p, &out->constant, constant) ? NULL : out;
}

/* slot in [a, b, c], written out: its elements, for the shape. */
static plan *plan_in(planner *p, const cel_expr *e)
{
    const cel_expr *list = e->args[1];
    plan *out = plan_slot(p, PLAN_IN, e, e->args[0], list);
    if (!out || p->list || list->kind != CEL_EXPR_LIST || list->optional_mask || list->arg_count == 0)
        return out;
    out->items = ARENA_ARRAY(&p->t->memory, static_expr, list->arg_count);
    for (uint32_t i = 0; out->items && i < list->arg_count; i++) {
        if (!plan_static(p, &out->items[i], list->args[i]))
            return NULL;
        out->item_count++;
    }
    return out->items ? out : NULL;
}

static plan *plan_opaque(planner *p, const cel_expr *e)
{
    plan *out = plan_new(p, is_static(e) ? PLAN_STATIC : PLAN_OPAQUE, e);
    return out && compile(p, &out->program, e) ? out : NULL;
}

static plan *plan_expr(planner *p, const cel_expr *e);

static uint32_t operand_count(const cel_expr *e, cel_op op)
{
    if (e->kind != CEL_EXPR_CALL || e->op != op)
        return 1;
    return operand_count(e->args[0], op) + operand_count(e->args[1], op);
}

static bool operands(planner *p, plan *out, const cel_expr *e, cel_op op)
{
    if (e->kind == CEL_EXPR_CALL && e->op == op)
        return operands(p, out, e->args[0], op) && operands(p, out, e->args[1], op);
    plan *child = plan_expr(p, e);
    out->children[out->child_count++] = child;
    return child != NULL;
}

static plan *plan_logic(planner *p, const cel_expr *e)
{
    plan *out = plan_new(p, e->op == CEL_OP_AND ? PLAN_AND : PLAN_OR, e);
    uint32_t n = operand_count(e, e->op);
    if (out)
        out->children = ARENA_ARRAY(&p->t->memory, plan *, n);
    return out && out->children && operands(p, out, e, e->op) ? out : NULL;
}

static plan *plan_not(planner *p, const cel_expr *e, plan *child)
{
    plan *out = child ? plan_new(p, PLAN_NOT, e) : NULL;
    if (!out || !(out->children = ARENA_ARRAY(&p->t->memory, plan *, 1)))
        return NULL;
    out->children[0] = child;
    out->child_count = 1;
    return out;
}

static cel_op mirrored(cel_op op)
{
    switch (op) {
    case CEL_OP_LT:
        return CEL_OP_GT;
    case CEL_OP_LE:
        return CEL_OP_GE;
    case CEL_OP_GT:
        return CEL_OP_LT;
    case CEL_OP_GE:
        return CEL_OP_LE;
    default:
        return op;
    }
}

static plan *plan_comparison(planner *p, const cel_expr *e)
{
    const cel_expr *left = e->args[0], *right = e->args[1];
    bool straight = is_cell(p, left) && is_static(right), swapped = is_cell(p, right) && is_static(left);
    if (!straight && !swapped)
        return plan_opaque(p, e);
    const cel_expr *slot_expr = straight ? left : right, *constant = straight ? right : left;
    plan *out;
    switch (e->op) {
    case CEL_OP_EQ:
        return plan_slot(p, PLAN_EQUAL, e, slot_expr, constant);
    case CEL_OP_NE:
        return plan_not(p, e, plan_slot(p, PLAN_EQUAL, e, slot_expr, constant));
    case CEL_OP_IN:
        return straight ? plan_in(p, e) : plan_opaque(p, e);
    default:
        out = plan_slot(p, PLAN_ORDER, e, slot_expr, constant);
        if (out)
            out->op = straight ? e->op : mirrored(e->op);
        return out;
    }
}

/* --- predicates over the members of a list ------------------------------------------------------------------- */
/* Can all of it be planned, without a program? */
static bool is_predicate(const planner *p, const cel_expr *e)
{
    if (is_member_field(p, e))
        return true;
    if (e->kind != CEL_EXPR_CALL)
        return false;
    switch (e->op) {
    case CEL_OP_AND:
    case CEL_OP_OR:
        return is_predicate(p, e->args[0]) && is_predicate(p, e->args[1]);
    case CEL_OP_NOT:
        return is_predicate(p, e->args[0]);
    case CEL_OP_IN:
        return is_member_field(p, e->args[0]) && is_static(e->args[1]);
    case CEL_OP_EQ:
    case CEL_OP_NE:
    case CEL_OP_LT:
    case CEL_OP_LE:
    case CEL_OP_GT:
    case CEL_OP_GE:
        return (is_member_field(p, e->args[0]) && is_static(e->args[1])) ||
               (is_member_field(p, e->args[1]) && is_static(e->args[0]));
    default:
        return false;
    }
}

static bool quantifier_of(const cel_expr *e, quantifier *out)
{
    if (!e->macro || e->comprehension->iter_var2.len)
        return false;
    mandate_slice name = e->macro->name;
    *out = mandate_slice_is(name, "all")      ? QUANTIFIER_ALL
           : mandate_slice_is(name, "exists") ? QUANTIFIER_EXISTS
                                              : QUANTIFIER_ONE;
    return *out != QUANTIFIER_ONE || mandate_slice_is(name, "exists_one") || mandate_slice_is(name, "existsOne");
}

/* Numbers the atoms and gathers the fields they read; false: there are too many. */
static bool number_atoms(each_plan *e, plan *p)
{
    uint32_t f = 0;
    for (uint32_t i = 0; i < p->child_count; i++)
        if (!number_atoms(e, p->children[i]))
            return false;
    if (p->child_count)
        return true;
    while (f < e->field_count && e->fields[f] != p->field)
        f++;
    if (e->atom_count == EACH_ATOMS || f == EACH_FIELDS)
        return false;
    e->fields[f] = p->field;
    e->field_count += f == e->field_count;
    p->id = e->atom_count;
    e->atoms[e->atom_count++] = p;
    return true;
}

/* table[key].inverse.exists(x, predicate), and its relatives; otherwise a program. */
static plan *plan_each(planner *p, const cel_expr *e)
{
    const cel_expr *list = e->comprehension->range;
    planner inner = {.index = p->index, .t = p->t, .list = list, .member = e->comprehension->iter_var, .err = p->err};
    quantifier q;
    plan *out = plan_opaque(p, e);
    if (!out || !quantifier_of(e, &q) || !is_slot(list) || slot_field(p, list)->kind != SCHEMA_INVERSE)
        return out;
    /* accu && predicate, accu || predicate, predicate ? accu + 1 : accu */
    const cel_expr *predicate = e->comprehension->step->args[q == QUANTIFIER_ONE ? 0 : 1];
    if (!is_predicate(&inner, predicate))
        return out;
    each_plan *each = ARENA_NEW(&p->t->memory, each_plan);
    if (!each || !plan_static(p, &out->key, list->operand->args[1]) || !(each->predicate = plan_expr(&inner, predicate))) {
        p->status = mandate_error_set(p->err, MANDATE_NOMEM, "out of memory while planning a condition");
        plan_destroy(out);
        return NULL;
    }
    each->quantifier = q;
    out->each = each;
    out->type = list->operand->args[0]->table->object;
    out->field = (uint16_t)list->field;
    if (number_atoms(each, each->predicate))
        out->kind = PLAN_EACH;
    return out;
}

static plan *plan_expr(planner *p, const cel_expr *e)
{
    if (is_cell(p, e))
        return plan_slot(p, PLAN_TRUTH, e, e, NULL);
    if (e->kind == CEL_EXPR_COMPREHENSION)
        return plan_each(p, e);
    if (e->kind != CEL_EXPR_CALL)
        return plan_opaque(p, e);
    switch (e->op) {
    case CEL_OP_AND:
    case CEL_OP_OR:
        return plan_logic(p, e);
    case CEL_OP_NOT:
        return plan_not(p, e, plan_expr(p, e->args[0]));
    case CEL_OP_EQ:
    case CEL_OP_NE:
    case CEL_OP_LT:
    case CEL_OP_LE:
    case CEL_OP_GT:
    case CEL_OP_GE:
    case CEL_OP_IN:
        return plan_comparison(p, e);
    default:
        return plan_opaque(p, e);
    }
}

mandate_status plan_create(condition_index *x, condition_template *t, mandate_error *err)
{
    planner p = {.index = x, .t = t, .err = err};
    t->root = plan_expr(&p, t->ast->root);
    if (!t->root && p.status == MANDATE_OK)
        p.status = mandate_error_set(err, MANDATE_NOMEM, "out of memory while planning a condition");
    return p.status;
}

/* Programs are the only memory of a plan outside the template's arena. */
void plan_destroy(plan *p)
{
    if (!p)
        return;
    for (uint32_t i = 0; i < p->child_count; i++)
        plan_destroy(p->children[i]);
    if (p->each)
        plan_destroy(p->each->predicate);
    cel_program_destroy(p->program);
    cel_program_destroy(p->key.program);
    cel_program_destroy(p->constant.program);
    for (uint32_t i = 0; i < p->item_count; i++)
        cel_program_destroy(p->items[i].program);
}

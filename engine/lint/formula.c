/* SPDX-License-Identifier: Apache-2.0 */
/*
 * formula - a checked expression as AND, OR and NOT over atoms. What reads nothing but the mandate's own fields is evaluated
 * here with its claims, so that `mandate.params.x` is its value, and equal operands have equal keys whoever's clause they are in.
 */
#include "engine/lint/lint_int.h"

#include "engine/cel/eval.h"

enum { KEY_MAX = 8192 };

void lint_walk(const cel_expr *e, lint_visit visit, void *ctx)
{
    if (!e)
        return;
    visit(ctx, e);
    lint_walk(e->operand, visit, ctx);
    for (uint32_t i = 0; i < e->arg_count; i++)
        lint_walk(e->args[i], visit, ctx);
    if (e->comprehension) {
        const cel_comprehension *c = e->comprehension;
        lint_walk(c->range, visit, ctx);
        lint_walk(c->init, visit, ctx);
        lint_walk(c->condition, visit, ctx);
        lint_walk(c->step, visit, ctx);
        lint_walk(c->result, visit, ctx);
    }
}

typedef struct reads {
    bool mandate, other;
} reads;

static void note_read(void *ctx, const cel_expr *e)
{
    reads *r = ctx;
    if (e->kind == CEL_EXPR_IDENT && e->value.kind != CEL_TYPE)
        *(e->var == SCHEMA_MANDATE_VARIABLE ? &r->mandate : &r->other) = true;
    r->other = r->other || e->kind == CEL_EXPR_COMPREHENSION;
}

bool lint_is_static(const cel_expr *e)
{
    reads r = {0};
    lint_walk(e, note_read, &r);
    return !r.other;
}

const schema_field *lint_field(const schema *s, const cel_expr *e, const schema_type **type)
{
    const cel_type *owner = e->kind == CEL_EXPR_SELECT && e->operand ? e->operand->type : NULL;
    if (!owner || owner->kind != CEL_TYPE_OBJECT || e->field == CEL_REF_NONE || owner->object >= schema_type_count(s))
        return NULL;
    *type = schema_type_at(s, owner->object);
    return e->field < (*type)->field_count ? &(*type)->fields[e->field] : NULL;
}

/* --- what the mandate itself says ----------------------------------------------------------------------- */
typedef struct own {
    const claims *claims;
    uint16_t type;
} own;

static cel_value host_variable(void *ctx, cel_activation *act, uint32_t index)
{
    const own *o = ctx;
    return index == SCHEMA_MANDATE_VARIABLE ? cel_object(o->type, o->claims) : cel_error(act->memory, "no such variable");
}
static cel_value host_field(void *ctx, cel_activation *act, cel_value object, uint32_t field)
{
    return claims_field(object.object, field);
}
static cel_value host_has(void *ctx, cel_activation *act, cel_value object, uint32_t field)
{
    return cel_bool(claims_field(object.object, field).kind != CEL_NULL);
}
static const cel_host own_host = {.variable = host_variable, .field = host_field, .has = host_has};

static cel_value static_value(logic *l, const cel_ast *ast, const cel_expr *e, const claims *c)
{
    cel_program *program = NULL;
    cel_value v = cel_error(l->memory, "not a constant");
    if (e->kind == CEL_EXPR_CONST)
        return e->value;
    own o = {c, schema_type_count(l->options->schema)};
    cel_activation act = {.host = &own_host, .ctx = &o, .memory = l->memory, .cost_max = LIMIT_CEL_COST};
    if (cel_compile_expr(&program, schema_env(l->options->schema), ast, e, NULL) == MANDATE_OK) {
        cel_value result = cel_eval(program, &act);
        if (result.kind != CEL_ERROR && result.kind != CEL_UNKNOWN && cel_copy(&v, l->memory, result, NULL) != MANDATE_OK)
            v = cel_error(l->memory, "not a constant");
    }
    cel_program_destroy(program);
    return v;
}

/* --- keys: equal operands, equal texts ---------------------------------------------------------------------- */
typedef struct maker {
    logic *l;
    const cel_ast *ast;
    const claims *claims;
} maker;

static void put_key(maker *m, buf *b, const cel_expr *e)
{
    if (b->len > KEY_MAX)
        return;
    if (lint_is_static(e)) {
        cel_value v = static_value(m->l, m->ast, e, m->claims);
        if (v.kind != CEL_ERROR) {
            cel_to_text(b, v, KEY_MAX);
            return;
        }
    }
    if (e->kind == CEL_EXPR_SELECT) {
        buf_put_str(b, e->test_only ? "has(" : "");
        put_key(m, b, e->operand);
        buf_printf(b, ".%.*s%s", MANDATE_SLICE_ARG(e->name), e->test_only ? ")" : "");
    } else if (e->kind == CEL_EXPR_CALL) {
        buf_printf(b, "%.*s(", MANDATE_SLICE_ARG(e->name));
        if (e->operand)
            put_key(m, b, e->operand);
        for (uint32_t i = 0; i < e->arg_count; i++) {
            buf_put_str(b, ", ");
            put_key(m, b, e->args[i]);
        }
        buf_put_char(b, ')');
    } else { /* as written; of this mandate only when it reads any of its fields */
        reads r = {0};
        lint_walk(e, note_read, &r);
        cel_print(b, e);
        if (r.mandate)
            buf_printf(b, " of %.*s", MANDATE_SLICE_ARG(m->claims->id));
    }
}

static const char *family(cel_value v)
{
    switch (v.kind) {
    case CEL_INT:
    case CEL_UINT:
    case CEL_DOUBLE:
        return "number";
    case CEL_STRING:
        return "string";
    case CEL_BYTES:
        return "bytes";
    case CEL_TIMESTAMP:
        return "time";
    case CEL_DURATION:
        return "duration";
    default:
        return NULL;
    }
}

/* The variable of an operand: of its truth, or of its values of one family. UINT32_MAX: out of memory. */
static uint32_t var_of(maker *m, const cel_expr *e, const char *kind)
{
    logic *l = m->l;
    const schema_type *type;
    buf b;
    buf_init(&b);
    put_key(m, &b, e);
    buf_printf(&b, " %s", kind);
    mandate_slice key = b.failed ? (mandate_slice){NULL, 0} : arena_dup(l->memory, buf_slice(&b));
    buf_deinit(&b);
    if (!key.ptr)
        return UINT32_MAX;
    for (uint32_t i = 0; i < l->vars.len; i++)
        if (mandate_slice_eq(l->vars.data[i].key, key))
            return i;
    lint_var v = {.key = key, .field = lint_field(l->options->schema, e, &type), .truth = strcmp(kind, "truth") == 0};
    v.nullable = v.field != NULL || (e->type && e->type->kind == CEL_TYPE_DYN);
    v.clock = e->kind == CEL_EXPR_IDENT && mandate_slice_is(e->name, "now") && !e->table && !v.field;
    if (v.field && v.field->kind != SCHEMA_ATTRIBUTE)
        v.field = NULL;
    return VEC_PUSH(&l->vars, v) ? l->vars.len - 1 : UINT32_MAX;
}

static formula *node(maker *m, formula_kind kind, const cel_expr *e)
{
    formula *f = ARENA_NEW(m->l->memory, formula);
    if (f)
        *f = (formula){.kind = kind, .expr = e};
    return f;
}

static formula *negated(maker *m, formula *of, const cel_expr *e)
{
    formula *f = of ? node(m, FORMULA_NOT, e) : NULL;
    if (f && (f->children = ARENA_ARRAY(m->l->memory, formula *, 1)))
        f->children[f->count++] = of;
    return f && f->count ? f : NULL;
}

/* Anything that is not taken apart: true or false. */
static formula *atom_truth(maker *m, const cel_expr *e)
{
    formula *f = node(m, FORMULA_TRUTH, e);
    if (!f || (f->var = var_of(m, e, "truth")) == UINT32_MAX)
        return NULL;
    return f;
}

static formula *atom_constant(maker *m, const cel_expr *e, cel_value v)
{
    formula *f = node(m, FORMULA_CONST, e);
    if (f)
        f->truth = v.kind == CEL_BOOL ? (v.b ? TRUTH_TRUE : TRUTH_FALSE) : TRUTH_ERROR;
    return f;
}

static formula *atom_compared(maker *m, formula_kind kind, const cel_expr *whole, const cel_expr *operand,
                              cel_value constant)
{
    const char *of = family(constant);
    if (constant.kind == CEL_BOOL && kind == FORMULA_EQUAL) { /* unlike the operand itself it is false for null */
        formula *f = node(m, kind, whole);
        if (!f || (f->var = var_of(m, operand, "truth")) == UINT32_MAX)
            return NULL;
        f->rank = constant.b;
        return f;
    }
    if (!of) /* null, lists, maps, errors */
        return atom_truth(m, whole);
    formula *f = node(m, kind, whole);
    if (!f || (f->var = var_of(m, operand, of)) == UINT32_MAX)
        return NULL;
    f->constant = constant;
    return VEC_PUSH(&m->l->vars.data[f->var].constants, constant) ? f : NULL;
}

static cel_op mirrored(cel_op op)
{
    return op == CEL_OP_LT ? CEL_OP_GT : op == CEL_OP_GT ? CEL_OP_LT : op == CEL_OP_LE ? CEL_OP_GE : CEL_OP_LE;
}

/* x in [a, b]: an OR of equalities. */
static formula *member_of(maker *m, const cel_expr *e)
{
    cel_value list = static_value(m->l, m->ast, e->args[1], m->claims);
    if (list.kind != CEL_LIST)
        return atom_truth(m, e);
    formula *f = node(m, FORMULA_OR, e);
    if (!f || !(f->children = ARENA_ARRAY(m->l->memory, formula *, list.len + 1)))
        return NULL;
    for (uint32_t i = 0; i < list.len; i++) {
        formula *equal = atom_compared(m, FORMULA_EQUAL, e, e->args[0], list.items[i]);
        if (!equal)
            return NULL;
        f->children[f->count++] = equal;
    }
    return f;
}

static formula *comparison(maker *m, const cel_expr *e)
{
    const cel_expr *left = e->args[0], *right = e->args[1];
    bool swapped = lint_is_static(left);
    if (swapped == lint_is_static(right) || (e->op == CEL_OP_IN && swapped))
        return atom_truth(m, e);
    if (e->op == CEL_OP_IN)
        return member_of(m, e);
    const cel_expr *operand = swapped ? right : left;
    cel_value constant = static_value(m->l, m->ast, swapped ? left : right, m->claims);
    if (e->op == CEL_OP_EQ)
        return atom_compared(m, FORMULA_EQUAL, e, operand, constant);
    if (constant.kind == CEL_BOOL)
        return atom_truth(m, e);
    formula *f = atom_compared(m, FORMULA_ORDER, e, operand, constant);
    if (f && f->kind == FORMULA_ORDER)
        f->op = swapped ? mirrored(e->op) : e->op;
    return f;
}

static formula *make(maker *m, const cel_expr *e);

static uint32_t operand_count(const cel_expr *e, cel_op op)
{
    return e->kind == CEL_EXPR_CALL && e->op == op ? operand_count(e->args[0], op) + operand_count(e->args[1], op) : 1;
}

static bool take_operands(maker *m, formula *f, const cel_expr *e, cel_op op)
{
    if (e->kind == CEL_EXPR_CALL && e->op == op)
        return take_operands(m, f, e->args[0], op) && take_operands(m, f, e->args[1], op);
    formula *child = make(m, e);
    f->children[f->count++] = child;
    return child != NULL;
}

static formula *logic_of(maker *m, const cel_expr *e)
{
    formula *f = node(m, e->op == CEL_OP_AND ? FORMULA_AND : FORMULA_OR, e);
    if (!f || !(f->children = ARENA_ARRAY(m->l->memory, formula *, operand_count(e, e->op))))
        return NULL;
    return take_operands(m, f, e, e->op) ? f : NULL;
}

/* a != b is !(a == b): the same atom. */
static formula *unequal(maker *m, const cel_expr *e)
{
    cel_expr *equal = ARENA_NEW(m->l->memory, cel_expr);
    if (!equal)
        return NULL;
    *equal = *e;
    equal->op = CEL_OP_EQ;
    equal->name = mandate_slice_str("_==_");
    formula *f = negated(m, comparison(m, equal), e);
    return f;
}

static formula *make(maker *m, const cel_expr *e)
{
    if (lint_is_static(e))
        return atom_constant(m, e, static_value(m->l, m->ast, e, m->claims));
    if (e->kind != CEL_EXPR_CALL)
        return atom_truth(m, e);
    switch (e->op) {
    case CEL_OP_AND:
    case CEL_OP_OR:
        return logic_of(m, e);
    case CEL_OP_NOT:
        return negated(m, make(m, e->args[0]), e);
    case CEL_OP_NE:
        return unequal(m, e);
    case CEL_OP_EQ:
    case CEL_OP_LT:
    case CEL_OP_LE:
    case CEL_OP_GT:
    case CEL_OP_GE:
    case CEL_OP_IN:
        return comparison(m, e);
    default:
        return atom_truth(m, e);
    }
}

formula *formula_of(logic *l, const cel_ast *ast, const cel_expr *e, const claims *c)
{
    maker m = {l, ast, c};
    formula *f = make(&m, e);
    l->failed = l->failed || !f;
    return f;
}

uint32_t formula_nodes(const formula *f)
{
    uint32_t n = 1;
    for (uint32_t i = 0; i < f->count; i++)
        n += formula_nodes(f->children[i]);
    return n;
}

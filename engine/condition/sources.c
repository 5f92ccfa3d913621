/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sources - which sources the truth of a condition rests on, from its checked text: those that tell what it reads, and those that
 * may delete what it reads it of. What cannot be seen from the text counts as all.
 *
 * Sets are few and shared: a template has the number of its set, and so has whatever puts some together.
 */
#include "engine/condition/index_int.h"

#include "engine/limits.h"

#include <stdlib.h>

static bool is_entity(const schema *s, const cel_type *t)
{
    return t && t->kind == CEL_TYPE_OBJECT && t->object < schema_type_count(s);
}

static void visit(source_set *out, const schema *s, const cel_expr *e, const cel_expr *above);

static void visit_comprehension(source_set *out, const schema *s, const cel_expr *e)
{
    const cel_comprehension *c = e->comprehension;

    visit(out, s, c->range, e);
    visit(out, s, c->init, e);
    visit(out, s, c->condition, e);
    visit(out, s, c->step, e);
    visit(out, s, c->result, e);
}

/* An entity in hand: whoever asks for a field of it has named what it reads; whoever compares it asks whether it is there; what else
 * becomes of it is not followed. */
static void visit_entity(source_set *out, const schema *s, const cel_expr *e, const cel_expr *above)
{
    const uint16_t type = (uint16_t)e->type->object;

    if (above && above->field != CEL_REF_NONE &&
        (above->kind == CEL_EXPR_SELECT || (above->kind == CEL_EXPR_CALL && above->op == CEL_OP_OPT_SELECT)))
        schema_field_sources(out, s, type, (uint16_t)above->field);
    else if (above && above->kind == CEL_EXPR_CALL && (above->op == CEL_OP_EQ || above->op == CEL_OP_NE))
        schema_type_sources(out, s, type);
    else
        out->all = true;
}

static bool holds(const schema *s, const cel_type *t, bool entity)
{
    if (!t)
        return !entity;
    if (entity ? is_entity(s, t) : t->kind == CEL_TYPE_DYN)
        return true;
    for (uint32_t i = 0; i < 2 && t->kind != CEL_TYPE_TABLE && t->kind != CEL_TYPE_OBJECT; i++)
        if (t->params[i] && holds(s, t->params[i], entity))
            return true;
    return false;
}

/* An entity goes in, and something untyped comes out: what is read of it then cannot be seen. */
static bool hides(const schema *s, const cel_expr *e)
{
    bool entity = e->operand && holds(s, e->operand->type, true);

    for (uint32_t i = 0; i < e->arg_count; i++)
        entity |= holds(s, e->args[i]->type, true);
    return entity && e->kind != CEL_EXPR_SELECT && e->field == CEL_REF_NONE && holds(s, e->type, false);
}

static void visit(source_set *out, const schema *s, const cel_expr *e, const cel_expr *above)
{
    if (!e || out->all)
        return;
    out->all |= hides(s, e) || (e->type && e->type->kind == CEL_TYPE_OPTIONAL && holds(s, e->type, true));
    if (is_entity(s, e->type) && !(e->kind == CEL_EXPR_IDENT && e->table))
        visit_entity(out, s, e, above);
    visit(out, s, e->operand, e);
    for (uint32_t i = 0; i < e->arg_count; i++)
        visit(out, s, e->args[i], e);
    if (e->comprehension)
        visit_comprehension(out, s, e);
}

/* --- numbered sets ---------------------------------------------------------------------------------------------------- */
static uint16_t number_of(condition_index *x, const source_set *set)
{
    static const source_set none;

    if (set->all)
        return SOURCES_ALL;
    if (memcmp(set->words, none.words, sizeof(none.words)) == 0)
        return SOURCES_NONE;
    for (uint32_t i = 0; i < x->source_sets.len; i++)
        if (memcmp(x->source_sets.data[i].words, set->words, sizeof(set->words)) == 0)
            return (uint16_t)(i + 1);
    if (x->source_sets.len == LIMIT_SOURCE_SETS || !VEC_PUSH(&x->source_sets, *set))
        return SOURCES_ALL; /* more than needed is safe */
    return (uint16_t)x->source_sets.len;
}

void sources_get(const condition_index *x, uint16_t number, source_set *out)
{
    *out = (source_set){.all = number == SOURCES_ALL};
    if (number != SOURCES_ALL && number != SOURCES_NONE)
        *out = x->source_sets.data[number - 1];
}

uint16_t sources_of_template(condition_index *x, const condition_template *t)
{
    source_set set = {.all = false};

    visit(&set, context_schema(x->graph), t->ast->root, NULL);
    return number_of(x, &set);
}

uint16_t condition_sources(const condition_template *t) { return t->sources; }

uint16_t condition_sources_join(condition_index *x, uint16_t a, uint16_t b)
{
    if (a == b || b == SOURCES_NONE)
        return a;
    if (a == SOURCES_NONE || b == SOURCES_ALL)
        return b;
    if (a == SOURCES_ALL)
        return a;
    const uint32_t at = (a * 31U + b) % (sizeof(x->joined) / sizeof(*x->joined));
    if (x->joined[at].a == a && x->joined[at].b == b)
        return x->joined[at].both;
    source_set one, other;
    sources_get(x, a, &one);
    sources_get(x, b, &other);
    source_set_add(&one, &other);
    x->joined[at] = (source_join){a, b, number_of(x, &one)};
    return x->joined[at].both;
}

void condition_sources_get(const condition_index *x, uint16_t number, source_set *out) { sources_get(x, number, out); }

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind - a template and a mandate's constants become leaves and nodes.
 *
 * A constant or key that turns out to be an error or unknown makes its comparison an opaque leaf: evaluation then
 * decides what that means, exactly as the language says.
 */
#include "engine/condition/cohort.h"

#include "engine/limits.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct binder {
    condition_index *index;
    condition_template *t;
    const claims *claims;
    const lift_literal *literals; /* instead of the template's own; NULL: its own */
    binding *binding;             /* made when first needed */
    arena memory;                 /* constants while binding */
    bool nomem;
} binder;

cel_value static_value(condition_index *x, const static_expr *s, const claims *c, const lift_literal *literals,
                       arena *memory)
{
    if (s->is_const)
        return literals && s->literal < LIFT_MAX ? literals[s->literal].value : s->value;
    /* Most are there, and are no more than that; what one that is not there means is for the program to say. */
    const cel_value *param = s->param.len && c->params.kind == CEL_MAP ? cel_map_get(c->params, cel_string(s->param)) : NULL;
    if (param)
        return *param;
    reading r = {.index = x, .claims = c};
    return condition_run(x, s->program, &r, NULL, memory);
}

bool static_is_value(cel_value v) { return v.kind <= CEL_MAP && value_is_data(v); }

context_entity *plan_entity(condition_index *x, const plan *p, const claims *c, const lift_literal *literals, arena *memory,
                            bool *nomem)
{
    reading r = {.index = x, .claims = c};
    cel_activation act = {.host = &condition_host, .ctx = &r, .memory = memory};
    cel_value key = static_value(x, &p->key, c, literals, memory);
    if (!static_is_value(key))
        return NULL;
    cel_value entity = condition_host.entity(&r, &act, p->type, key);
    *nomem |= r.failed;
    return entity.kind == CEL_OBJECT ? (context_entity *)(uintptr_t)entity.object : NULL;
}

static cel_value value_of(binder *b, const static_expr *s)
{
    return static_value(b->index, s, b->claims, b->literals, &b->memory);
}

static binding *binding_of(binder *b)
{
    if (b->binding)
        return b->binding;
    binding *made = calloc(1, sizeof(*made));
    if (!made)
        return NULL;
    arena_init(&made->memory, 0);
    made->refs = 1;
    if (claims_copy(&made->claims, &made->memory, b->claims, NULL) != MANDATE_OK) {
        binding_drop(made);
        return NULL;
    }
    b->binding = made;
    return made;
}

/* Identity of an opaque leaf: text, place in it, and the mandate constants it can see. */
static void opaque_identity(buf *key, const condition_template *t, const plan *p, const claims *c)
{
    const mandate_slice texts[] = {
        [SCHEMA_MANDATE_ID] = c->id,       [SCHEMA_MANDATE_ISSUER] = c->issuer,   [SCHEMA_MANDATE_GRANTOR] = c->grantor,
        [SCHEMA_MANDATE_AGENT] = c->agent, [SCHEMA_MANDATE_PURPOSE] = c->purpose, [SCHEMA_MANDATE_PARENT] = c->parent,
    };
    wire_put_u64(key, t->handle);
    wire_put_u64(key, p->id);
    for (uint32_t f = 0; f < SCHEMA_MANDATE_FIELD_COUNT; f++) {
        if (!(p->mandate_fields & (1u << f)))
            continue;
        if (f == SCHEMA_MANDATE_PARAMS)
            cel_encode(key, c->params);
        else if (f == SCHEMA_MANDATE_EXPIRES_AT)
            wire_put_i64(key, c->expires_at_us);
        else
            wire_put_bytes(key, texts[f]);
    }
}

static condition_edge nomem(binder *b)
{
    b->nomem = true;
    return CONDITION_NONE;
}

static condition_edge bind_opaque(binder *b, plan *p)
{
    const cel_env *env = schema_env(context_schema(b->index->graph));
    buf key;
    if (!p->program && cel_compile_expr(&p->program, env, b->t->ast, p->expr, NULL) != MANDATE_OK)
        return nomem(b);
    if (p->mandate_fields && !binding_of(b))
        return nomem(b);
    buf_init(&key);
    opaque_identity(&key, b->t, p, b->claims);
    uint32_t node = key.failed
                        ? CONDITION_NONE
                        : opaque_take(b->index, b->t, p->program, p->mandate_fields ? b->binding : NULL, buf_slice(&key));
    buf_deinit(&key);
    return node == CONDITION_NONE ? nomem(b) : node * 2;
}

static context_entity *bind_entity(binder *b, const plan *p)
{
    return plan_entity(b->index, p, b->claims, b->literals, &b->memory, &b->nomem);
}

/* A constant that is no value, or a key that is no id, makes it a program. */
static condition_edge bind_each(binder *b, plan *p)
{
    cel_value constants[EACH_ATOMS];
    buf key;
    for (uint32_t i = 0; i < p->each->atom_count; i++) {
        const plan *atom = p->each->atoms[i];
        constants[i] = atom->kind == PLAN_TRUTH ? cel_null() : value_of(b, &atom->constant);
        if (!static_is_value(constants[i]) || (atom->kind == PLAN_IN && constants[i].kind != CEL_LIST))
            return bind_opaque(b, p);
    }
    context_entity *owner = bind_entity(b, p);
    if (b->nomem)
        return CONDITION_NONE;
    if (!owner)
        return bind_opaque(b, p);
    buf_init(&key);
    opaque_identity(&key, b->t, p, b->claims);
    uint32_t node = key.failed ? CONDITION_NONE : each_take(b->index, b->t, p, owner, constants, buf_slice(&key));
    buf_deinit(&key);
    return node == CONDITION_NONE ? nomem(b) : node * 2;
}

static condition_edge bind_static(binder *b, const plan *p)
{
    static_expr s = {.program = p->program};
    return edge_const(b->index, truth_of_value(value_of(b, &s)));
}

/* The slot a plan names, or CONDITION_NONE: the key is no entity id (not fatal) or memory is out (nomem set). */
static uint32_t bind_slot(binder *b, const plan *p)
{
    context_entity *entity = bind_entity(b, p);
    uint32_t s = entity ? slot_take(b->index, entity, p->field) : CONDITION_NONE;
    b->nomem |= entity && s == CONDITION_NONE;
    return s;
}

static condition_edge bind_leaf(binder *b, node_kind kind, cel_op op, uint32_t s, cel_value constant)
{
    uint32_t node = leaf_take(b->index, kind, op, s, constant);
    return node == CONDITION_NONE ? nomem(b) : node * 2;
}

/* slot in [a, b, c] = slot == a || slot == b || slot == c */
static condition_edge bind_in(binder *b, uint32_t s, cel_value list)
{
    condition_edge *edges = arena_array(&b->memory, list.len, sizeof(*edges));
    if (!edges)
        return nomem(b);
    for (uint32_t i = 0; i < list.len; i++) {
        b->index->slots.data[s].refs++; /* each leaf takes one */
        edges[i] = bind_leaf(b, NODE_EQUAL, CEL_OP_EQ, s, list.items[i]);
        if (edges[i] == CONDITION_NONE)
            return CONDITION_NONE;
        edges[i] ^= 1;
    }
    slot_drop(b->index, s);
    condition_edge out = edge_and(b->index, edges, list.len);
    return out == CONDITION_NONE ? nomem(b) : out ^ 1;
}

static condition_edge bind_comparison(binder *b, plan *p)
{
    cel_value constant = cel_null();
    if (p->kind != PLAN_TRUTH)
        constant = value_of(b, &p->constant);
    bool plain = static_is_value(constant) && (p->kind != PLAN_IN || (constant.kind == CEL_LIST && constant.len > 0));
    uint32_t s = plain ? bind_slot(b, p) : CONDITION_NONE;
    if (b->nomem)
        return CONDITION_NONE;
    if (s == CONDITION_NONE)
        return bind_opaque(b, p);
    switch (p->kind) {
    case PLAN_TRUTH:
        return bind_leaf(b, NODE_TRUTH, CEL_OP_NONE, s, constant);
    case PLAN_EQUAL:
        return bind_leaf(b, NODE_EQUAL, CEL_OP_EQ, s, constant);
    case PLAN_IN:
        return bind_in(b, s, constant);
    default:
        assert(p->kind == PLAN_ORDER);
        return bind_leaf(b, NODE_ORDER, p->op, s, constant);
    }
}

static condition_edge bind_plan(binder *b, plan *p);

static condition_edge bind_logic(binder *b, plan *p)
{
    uint32_t flip = p->kind == PLAN_OR;
    condition_edge *edges = arena_array(&b->memory, p->child_count, sizeof(*edges));
    if (!edges)
        return nomem(b);
    for (uint32_t i = 0; i < p->child_count; i++) {
        edges[i] = bind_plan(b, p->children[i]);
        if (edges[i] == CONDITION_NONE)
            return CONDITION_NONE;
        edges[i] ^= flip;
    }
    condition_edge out = edge_and(b->index, edges, p->child_count);
    return out == CONDITION_NONE ? nomem(b) : out ^ flip;
}

static condition_edge bind_plan(binder *b, plan *p)
{
    condition_edge child;
    switch (p->kind) {
    case PLAN_AND:
    case PLAN_OR:
        return bind_logic(b, p);
    case PLAN_NOT:
        child = bind_plan(b, p->children[0]);
        return child == CONDITION_NONE ? child : child ^ 1;
    case PLAN_STATIC:
        return bind_static(b, p);
    case PLAN_OPAQUE:
        return bind_opaque(b, p);
    case PLAN_EACH:
        return bind_each(b, p);
    default:
        return bind_comparison(b, p);
    }
}

/* --- cohorts --------------------------------------------------------------------------------------------------- */
static int value_order(const void *a, const void *b) { return cel_order(*(const cel_value *)a, *(const cel_value *)b); }

/* The list that the mandate gives, sorted, each item once: as a list written out would be. False: it is none. */
static bool bind_list(binder *b, const plan *p, cel_value *out)
{
    cel_value v = value_of(b, &p->constant);
    if (!static_is_value(v) || v.kind != CEL_LIST || v.len == 0 || v.len > SHAPE_ATOMS)
        return false;
    cel_value *items = arena_array(&b->memory, v.len, sizeof(*items));
    uint32_t n = 0;
    if (!items)
        return b->nomem = true, false;
    memcpy(items, v.items, v.len * sizeof(*items));
    qsort(items, v.len, sizeof(*items), value_order);
    for (uint32_t i = 0; i < v.len; i++)
        if (n == 0 || cel_order(items[n - 1], items[i]) != 0)
            items[n++] = items[i];
    *out = cel_list(items, n);
    return true;
}

/* False: a constant is no value, or has no place in an order. */
static bool bind_constants(binder *b, const shape_variant *v, cel_value list, member_keys *keys, uint8_t *families)
{
    for (uint32_t i = 0; i < v->shape->atoms; i++) {
        const atom_source *a = &v->atoms[i];
        node_kind kind = (node_kind)v->shape->kind[i];
        families[i] = 0;
        if (kind == NODE_TRUTH)
            continue;
        cel_value constant = a->item ? list.items[a->item - 1] : value_of(b, a->constant);
        if (!static_is_value(constant) || (kind == NODE_ORDER && !order_key(constant, &families[i], &keys->key[i])))
            return false;
        if (kind == NODE_EQUAL) {
            uint32_t klass = class_find(b->index, constant);
            keys->constant[i] = constant;
            keys->has_class[i] = klass != CONDITION_NONE;
            keys->key[i] = klass;
        }
    }
    return true;
}

/* The condition as a member of a cohort. CONDITION_NONE: it is none, or memory is out. */
static uint32_t bind_member(binder *b, bool *negated)
{
    context_entity *entities[SHAPE_ATOMS];
    uint16_t fields[SHAPE_ATOMS];
    uint8_t families[SHAPE_ATOMS];
    member_keys keys;
    cel_value list = cel_null();
    if (b->t->list && !bind_list(b, b->t->list, &list))
        return CONDITION_NONE;
    const shape_variant *v = shape_of(b->index, b->t, list.len, &b->nomem);
    if (!v || !bind_constants(b, v, list, &keys, families))
        return CONDITION_NONE;
    for (uint32_t i = 0; i < v->shape->atoms; i++) {
        const atom_source *a = &v->atoms[i];
        fields[i] = a->plan->field;
        entities[i] = a->key < i ? entities[a->key] : bind_entity(b, a->plan);
        if (!entities[i])
            return CONDITION_NONE;
    }
    uint32_t record = cohort_bind(b->index, v->shape, entities, fields, families, &keys);
    b->nomem |= record == CONDITION_NONE;
    *negated = v->negated;
    return record;
}

/* By nodes, with the programs of this very text. */
static uint32_t bind_nodes(binder *b, bool *negated)
{
    condition_edge edge = b->t->is_constant ? edge_const(b->index, b->t->constant) : bind_plan(b, b->t->root);
    if (edge == CONDITION_NONE)
        return CONDITION_NONE;
    *negated = edge & 1;
    return record_of_node(b->index, edge >> 1);
}

mandate_status condition_bind(condition_edge *out, condition_index *x, condition_template *t, mandate_slice text,
                              const claims *c, mandate_error *err)
{
    binder b = {.index = x, .t = t, .claims = c};
    condition_template *own = NULL;
    uint32_t record = CONDITION_NONE;
    bool negated = false, fits = template_literals(x, t, text, &b.literals);
    mandate_status s = MANDATE_OK;
    assert(fits);
    arena_init(&b.memory, LIMIT_CEL_MEMORY);
    if (t->variants || t->list)
        record = bind_member(&b, &negated);
    if (record == CONDITION_NONE && !b.nomem && b.literals) { /* its nodes need its own constants */
        s = template_exact(&own, x, text, err);
        b.t = own;
        b.literals = NULL;
    }
    if (record == CONDITION_NONE && !b.nomem && s == MANDATE_OK)
        record = bind_nodes(&b, &negated);
    arena_deinit(&b.memory);
    binding_drop(b.binding);
    if (own)
        condition_template_release(x, own);
    if (record == CONDITION_NONE || x->failed)
        return s ? s : mandate_error_set(err, MANDATE_NOMEM, "out of memory while binding a condition");
    *out = record * 2 | negated;
    return MANDATE_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * each - exists, all and exists_one over the entities that refer to one: a leaf that counts its members by the truth of the predicate.
 *
 *   t.o["o-1"].xs.exists(x, x.s == "open")      list      [ x-3 | x-7 | x-9 ]
 *                                               members     F     F     T        count: 2 false, 1 true  ->  true
 *
 * It subscribes to the list and to every member's cells that the predicate reads. A member that changes is judged anew, one that
 * comes or goes is found by its handle: each costs the same, however long the list. The truth is read off the counters with the
 * tables of AND (all) and OR (exists). exists_one is what its fold makes of it: with unknowns and errors among the members the last
 * of them in the list decides, so then, and only then, the list is walked.
 */
#include "engine/condition/cohort.h"

#include "engine/base/hash.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct each_member {
    context_entity *entity;
    uint8_t truth;
} each_member;

/* A cell of a member: its slot, and where the node stands among the slot's subscribers. */
typedef struct each_cell {
    uint32_t slot, at;
} each_cell;

typedef struct each {
    const each_plan *plan;
    condition_template *template;
    mandate_slice key; /* owned: identity for sharing */
    each_cell list;
    VEC(each_member) members;
    VEC(each_cell) cells; /* member * fields + field */
    table by_entity;
    cel_value constants[]; /* owned, by atom */
} each;

/* --- the predicate -------------------------------------------------------------------------------------------- */
static condition_truth among(cel_value list, cel_value v)
{
    condition_truth t = v.kind == CEL_UNKNOWN ? TRUTH_UNKNOWN : v.kind == CEL_ERROR ? TRUTH_ERROR : TRUTH_FALSE;
    for (uint32_t i = 0; t == TRUTH_FALSE && i < list.len; i++)
        t = cel_equal(v, list.items[i]) ? TRUTH_TRUE : TRUTH_FALSE;
    return t;
}

static condition_truth judge(const condition_index *x, const each *e, const plan *p, const context_entity *member)
{
    uint32_t count[4] = {0};
    bool is_or = p->kind == PLAN_OR;
    switch (p->kind) {
    case PLAN_NOT:
        return truth_not(judge(x, e, p->children[0], member));
    case PLAN_AND:
    case PLAN_OR:
        for (uint32_t i = 0; i < p->child_count; i++) {
            condition_truth t = judge(x, e, p->children[i], member);
            count[is_or ? truth_not(t) : t]++;
        }
        return is_or ? truth_not(truth_of_counts(count)) : truth_of_counts(count);
    case PLAN_IN:
        return among(e->constants[p->id], context_read(x->graph, member, p->field));
    default:
        return comparison_truth(p->kind == PLAN_TRUTH   ? NODE_TRUTH
                                : p->kind == PLAN_ORDER ? NODE_ORDER
                                                        : NODE_EQUAL,
                                p->op, e->constants[p->id], context_read(x->graph, member, p->field));
    }
}

/* --- the truth ------------------------------------------------------------------------------------------------ */
static bool member_eq(const void *ctx, uint32_t member, const void *key)
{
    return ((const each *)ctx)->members.data[member].entity == key;
}

static uint64_t member_hash(const context_entity *entity) { return hash_mix(entity->handle, 0xeac4); }

static uint32_t member_of(const each *e, const context_entity *entity)
{
    return table_find(&e->by_entity, member_hash(entity), member_eq, e, entity);
}

/* Of unknowns and errors, the last one in the list. */
static condition_truth last_odd(const each *e, cel_value list)
{
    for (uint32_t i = list.len; i-- > 0;) {
        uint32_t m = member_of(e, list.items[i].object);
        if (m != TABLE_NONE && e->members.data[m].truth >= TRUTH_UNKNOWN)
            return (condition_truth)e->members.data[m].truth;
    }
    return TRUTH_ERROR; /* the list is changing just now: it is asked again when it has */
}

static condition_truth truth_now(const condition_index *x, const condition_node *n)
{
    const each *e = n->each;
    cel_value list = slot_value(x, e->list.slot);
    const uint32_t *c = n->count, turned[4] = {c[TRUTH_TRUE], c[TRUTH_FALSE], c[TRUTH_UNKNOWN], c[TRUTH_ERROR]};
    if (list.kind == CEL_UNKNOWN)
        return TRUTH_UNKNOWN;
    switch (e->plan->quantifier) {
    case QUANTIFIER_ALL:
        return truth_of_counts(c);
    case QUANTIFIER_EXISTS:
        return truth_not(truth_of_counts(turned));
    default:
        if (c[TRUTH_UNKNOWN] && c[TRUTH_ERROR])
            return last_odd(e, list);
        return c[TRUTH_UNKNOWN]     ? TRUTH_UNKNOWN
               : c[TRUTH_ERROR]     ? TRUTH_ERROR
               : c[TRUTH_TRUE] == 1 ? TRUTH_TRUE
                                    : TRUTH_FALSE;
    }
}

/* --- members come and go ---------------------------------------------------------------------------------------- */
static bool subscribe(condition_index *x, uint32_t node, each_cell *out, context_entity *entity, uint16_t field,
                      uint32_t cell)
{
    out->slot = slot_take(x, entity, field);
    return out->slot != CONDITION_NONE && slot_subscribe(x, out->slot, (subscriber){.column = node, .cell = cell}, &out->at);
}

static bool member_add(condition_index *x, uint32_t node, context_entity *entity)
{
    each *e = x->nodes.data[node].each;
    uint32_t m = e->members.len, k = e->plan->field_count;
    condition_truth t = judge(x, e, e->plan->predicate, entity);
    if (!VEC_PUSH(&e->members, (each_member){entity, (uint8_t)t}) || !VEC_RESERVE(&e->cells, (m + 1) * k) ||
        !table_add(&e->by_entity, member_hash(entity), m))
        return false;
    e->cells.len = (m + 1) * k;
    for (uint32_t f = 0; f < k; f++)
        if (!subscribe(x, node, &e->cells.data[m * k + f], entity, e->plan->fields[f], m * k + f))
            return false;
    x->nodes.data[node].count[t]++;
    return true;
}

static void cell_leave(condition_index *x, const each_cell *c)
{
    slot_unsubscribe(x, c->slot, c->at);
    slot_drop(x, c->slot);
}

/* The last one takes its number. */
static void member_remove(condition_index *x, uint32_t node, uint32_t m)
{
    each *e = x->nodes.data[node].each;
    uint32_t k = e->plan->field_count, last = e->members.len - 1;
    x->nodes.data[node].count[e->members.data[m].truth]--;
    table_remove(&e->by_entity, member_hash(e->members.data[m].entity), m);
    for (uint32_t f = 0; f < k; f++)
        cell_leave(x, &e->cells.data[m * k + f]);
    if (m != last) {
        e->members.data[m] = e->members.data[last];
        table_move(&e->by_entity, member_hash(e->members.data[m].entity), last, m);
        for (uint32_t f = 0; f < k; f++) {
            e->cells.data[m * k + f] = e->cells.data[last * k + f];
            slot_renumber(x, e->cells.data[m * k + f].slot, e->cells.data[m * k + f].at, m * k + f);
        }
    }
    e->members.len = last;
    e->cells.len = last * k;
}

void each_change(condition_index *x, uint32_t node, uint32_t cell, cel_value old)
{
    condition_node *n = &x->nodes.data[node];
    each *e = n->each;
    if (cell != EACH_LIST) {
        each_member *m = &e->members.data[cell / e->plan->field_count];
        condition_truth t = judge(x, e, e->plan->predicate, m->entity);
        n->count[m->truth]--;
        n->count[t]++;
        m->truth = (uint8_t)t;
    } else if (old.kind == CEL_OBJECT) {
        context_entity *who = (context_entity *)(uintptr_t)old.object;
        uint32_t m = member_of(e, who);
        if (m != TABLE_NONE)
            member_remove(x, node, m);
        else
            x->failed |= !member_add(x, node, who);
    }
    node_set(x, node, truth_now(x, n));
}

void each_moved(condition_index *x, uint32_t node, uint32_t cell, uint32_t at)
{
    each *e = x->nodes.data[node].each;
    (cell == EACH_LIST ? &e->list : &e->cells.data[cell])->at = at;
}

/* --- the leaf --------------------------------------------------------------------------------------------------- */
static bool each_eq(const void *ctx, uint32_t handle, const void *key)
{
    const condition_node *n = &((const condition_index *)ctx)->nodes.data[handle];
    return n->kind == NODE_EACH && mandate_slice_eq(n->each->key, *(const mandate_slice *)key);
}

void each_deinit(each *e)
{
    for (uint32_t i = 0; i < e->plan->atom_count; i++)
        value_disown(&e->constants[i]);
    VEC_FREE(&e->members);
    VEC_FREE(&e->cells);
    table_deinit(&e->by_entity);
    free((void *)(uintptr_t)e->key.ptr);
    free(e);
}

static each *each_new(const each_plan *of, const cel_value *constants, mandate_slice key)
{
    each *e = calloc(1, sizeof(*e) + of->atom_count * sizeof(cel_value));
    char *copy = malloc(key.len);
    bool ok = e && copy;
    for (uint32_t i = 0; ok && i < of->atom_count; i++)
        ok = value_own(&e->constants[i], constants[i]);
    if (!ok) { /* fatal for the engine; what was owned so far is small */
        free(copy);
        return free(e), NULL;
    }
    e->key = mandate_slice_of(memcpy(copy, key.ptr, key.len), key.len);
    e->plan = of;
    table_init(&e->by_entity);
    return e;
}

uint32_t each_take(condition_index *x, condition_template *t, const plan *p, context_entity *owner,
                   const cel_value *constants, mandate_slice key)
{
    uint64_t hash = hash_mix(hash_slice(key), 0xeac4);
    uint32_t node = table_find(&x->shared, hash, each_eq, x, &key);
    if (node != TABLE_NONE) {
        x->nodes.data[node].refs++;
        return node;
    }
    each *e = each_new(p->each, constants, key);
    node = e ? node_alloc(x, NODE_EACH) : CONDITION_NONE;
    if (node == CONDITION_NONE || !table_add(&x->shared, hash, node))
        return x->failed = true, CONDITION_NONE;
    e->template = t;
    t->refs++;
    x->nodes.data[node].each = e;
    x->nodes.data[node].hash = hash;
    if (!subscribe(x, node, &e->list, owner, p->field, EACH_LIST))
        return x->failed = true, CONDITION_NONE;
    cel_value list = slot_value(x, e->list.slot);
    for (uint32_t i = 0; list.kind == CEL_LIST && i < list.len; i++)
        if (!member_add(x, node, (context_entity *)(uintptr_t)list.items[i].object))
            return x->failed = true, CONDITION_NONE;
    x->nodes.data[node].truth = (uint8_t)truth_now(x, &x->nodes.data[node]);
    return node;
}

void each_free(condition_index *x, uint32_t node)
{
    each *e = x->nodes.data[node].each;
    table_remove(&x->shared, x->nodes.data[node].hash, node);
    for (uint32_t i = 0; i < e->cells.len; i++)
        cell_leave(x, &e->cells.data[i]);
    cell_leave(x, &e->list);
    condition_template *t = e->template;
    each_deinit(e);
    condition_template_release(x, t);
}

bool each_verify(condition_index *x, uint32_t node, char *why, size_t size)
{
    const condition_node *n = &x->nodes.data[node];
    const each *e = n->each;
    cel_value list = slot_value(x, e->list.slot);
    uint32_t count[4] = {0}, len = list.kind == CEL_LIST ? list.len : 0;
    for (uint32_t i = 0; i < len; i++) {
        const context_entity *entity = list.items[i].object;
        condition_truth t = judge(x, e, e->plan->predicate, entity);
        uint32_t m = member_of(e, entity);
        if (m == TABLE_NONE || e->members.data[m].truth != t)
            return snprintf(why, size, "node %u: member %u of its list is not %u there", node, i, t), false;
        count[t]++;
    }
    if (len != e->members.len || memcmp(count, n->count, sizeof(count)) != 0 || n->truth != truth_now(x, n))
        return snprintf(why, size, "node %u: counts %u members of %u, or their truth, wrongly", node, e->members.len, len),
               false;
    return true;
}

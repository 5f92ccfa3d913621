/* SPDX-License-Identifier: Apache-2.0 */
/*
 * leaf - comparisons of one slot with constants: shared, found by hash (equality) or by a sorted ladder (order).
 *
 * Ladders are kept per family of comparable constants, because thresholds of another kind do not compare but are errors.
 * Integers and doubles are families of their own although they compare: an integer meets a double as a double
 * (cel_compare_op), which is an order over either, not over both together. All a ladder needs is that its constants
 * are ordered among themselves and that every value splits them into those below, those equal, those above.
 */
#include "engine/condition/cohort.h"

#include "engine/base/hash.h"
#include "engine/context/value_own.h"

#include <assert.h>
#include <math.h>

typedef struct leaf_key {
    node_kind kind;
    cel_op op;
    uint32_t slot;
    cel_value constant;
} leaf_key;

static uint64_t leaf_hash(const leaf_key *k)
{
    uint64_t h = hash_mix(((uint64_t)k->slot << 16) | ((uint64_t)k->kind << 8) | (uint64_t)k->op, 0x1eaf);
    return k->kind == NODE_TRUTH ? h : hash_mix(h, cel_hash(k->constant));
}

static bool leaf_eq(const void *ctx, uint32_t handle, const void *key)
{
    const condition_index *x = ctx;
    const condition_node *n = &x->nodes.data[handle];
    const leaf_key *k = key;
    if (n->kind != k->kind || n->slot != k->slot || n->op != k->op)
        return false;
    if (k->kind == NODE_ORDER && (n->constant.kind == CEL_DOUBLE) != (k->constant.kind == CEL_DOUBLE))
        return false; /* `x < 1` and `x < 1.0` differ for a large integer */
    return k->kind == NODE_TRUTH || cel_equal(n->constant, k->constant);
}

/* Constants of one family share a ladder; 0: no family. */
static uint8_t family(cel_value v)
{
    switch (v.kind) {
    case CEL_INT:
    case CEL_UINT:
        return CEL_INT;
    case CEL_DOUBLE:
        return isnan(v.d) ? 0 : CEL_DOUBLE;
    case CEL_BOOL:
    case CEL_STRING:
    case CEL_BYTES:
    case CEL_TIMESTAMP:
    case CEL_DURATION:
        return v.kind;
    default:
        return 0;
    }
}

static bool numeric(cel_value v) { return v.kind == CEL_INT || v.kind == CEL_UINT || v.kind == CEL_DOUBLE; }

static condition_truth order_truth(cel_op op, cel_value v, cel_value constant)
{
    int order;
    if (!cel_compare_op(v, constant, &order)) /* NaN compares false with every number; other kinds do not compare */
        return numeric(v) && numeric(constant) ? TRUTH_FALSE : TRUTH_ERROR;
    bool t = op == CEL_OP_LT ? order < 0 : op == CEL_OP_LE ? order <= 0 : op == CEL_OP_GT ? order > 0 : order >= 0;
    return t ? TRUTH_TRUE : TRUTH_FALSE;
}

condition_truth comparison_truth(node_kind kind, cel_op op, cel_value constant, cel_value v)
{
    if (v.kind == CEL_UNKNOWN)
        return TRUTH_UNKNOWN;
    if (v.kind == CEL_ERROR)
        return TRUTH_ERROR;
    switch (kind) {
    case NODE_TRUTH:
        return v.kind != CEL_BOOL ? TRUTH_ERROR : v.b ? TRUTH_TRUE : TRUTH_FALSE;
    case NODE_EQUAL:
        return cel_equal(v, constant) ? TRUTH_TRUE : TRUTH_FALSE;
    default:
        assert(kind == NODE_ORDER);
        return order_truth(op, v, constant);
    }
}

condition_truth leaf_truth(const condition_node *n, cel_value v)
{
    return comparison_truth((node_kind)n->kind, (cel_op)n->op, n->constant, v);
}

/* --- ladders ------------------------------------------------------------------------------------------- */
static steps *ladder_of(slot_nodes *s, uint8_t fam)
{
    for (uint32_t i = 0; i < s->ladders.len; i++)
        if (s->ladders.data[i].family == fam)
            return &s->ladders.data[i];
    return NULL;
}

/* First step whose constant is >= v (or > v when `after`). */
static uint32_t ladder_search(const steps *l, cel_value v, bool after)
{
    uint32_t lo = 0, hi = l->steps.len;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        int order = 0;
        bool ok = cel_compare_op(l->steps.data[mid].constant, v, &order);
        assert(ok);
        if (order < 0 || (after && order == 0))
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static bool ladder_put(condition_index *x, slot_nodes *s, uint32_t node)
{
    const condition_node *n = &x->nodes.data[node];
    uint8_t fam = family(n->constant);
    steps *l = ladder_of(s, fam);
    int order = 1;
    if (!l) {
        if (!VEC_PUSH(&s->ladders, (steps){.family = fam}))
            return false;
        l = &s->ladders.data[s->ladders.len - 1];
    }
    uint32_t at = fam ? ladder_search(l, n->constant, false) : l->steps.len;
    bool here = fam && at < l->steps.len && cel_compare_op(l->steps.data[at].constant, n->constant, &order) && order == 0;
    if (!here) {
        threshold fresh = {n->constant, {CONDITION_NONE, CONDITION_NONE, CONDITION_NONE, CONDITION_NONE}};
        if (!VEC_PUSH(&l->steps, fresh))
            return false;
        memmove(&l->steps.data[at + 1], &l->steps.data[at], (l->steps.len - 1 - at) * sizeof(fresh));
        l->steps.data[at] = fresh;
    }
    l->steps.data[at].leaf[n->op - CEL_OP_LT] = node;
    return true;
}

static void ladder_take_out(condition_index *x, slot_nodes *s, uint32_t node)
{
    const condition_node *n = &x->nodes.data[node];
    uint8_t fam = family(n->constant);
    steps *l = ladder_of(s, fam);
    uint32_t at = fam ? ladder_search(l, n->constant, false) : 0, left = CONDITION_NONE;
    while (l->steps.data[at].leaf[n->op - CEL_OP_LT] != node)
        at++;
    threshold *t = &l->steps.data[at];
    t->leaf[n->op - CEL_OP_LT] = CONDITION_NONE;
    for (int i = 0; i < 4; i++)
        if (t->leaf[i] != CONDITION_NONE)
            left = t->leaf[i];
    if (left != CONDITION_NONE) {
        t->constant = x->nodes.data[left].constant;
        return;
    }
    l->steps.len--;
    memmove(t, t + 1, (l->steps.len - at) * sizeof(*t));
}

/* Whether the value compares with the ladder's constants. */
static bool fits(const steps *l, cel_value v)
{
    uint8_t fam = family(v);
    bool number = fam == CEL_INT || fam == CEL_DOUBLE;
    return fam && (fam == l->family || (number && (l->family == CEL_INT || l->family == CEL_DOUBLE)));
}

static void ladder_change(condition_index *x, const steps *l, cel_value old, cel_value now)
{
    uint32_t from = 0, to = l->steps.len;
    if (fits(l, old) && fits(l, now)) { /* what is below both, or above both, stays as it was */
        uint32_t a = ladder_search(l, old, false), b = ladder_search(l, now, false);
        from = a < b ? a : b;
        a = ladder_search(l, old, true);
        b = ladder_search(l, now, true);
        to = a > b ? a : b;
    }
    for (uint32_t i = from; i < to; i++)
        for (int k = 0; k < 4; k++) {
            uint32_t leaf = l->steps.data[i].leaf[k];
            if (leaf != CONDITION_NONE)
                node_set(x, leaf, leaf_truth(&x->nodes.data[leaf], now));
        }
}

/* --- leaves -------------------------------------------------------------------------------------------- */
uint32_t leaf_take(condition_index *x, node_kind kind, cel_op op, uint32_t s, cel_value constant)
{
    leaf_key key = {kind, op, s, constant};
    uint64_t hash = leaf_hash(&key);
    uint32_t node = table_find(&x->shared, hash, leaf_eq, x, &key);
    if (node != TABLE_NONE) {
        slot_drop(x, s);
        x->nodes.data[node].refs++;
        return node;
    }
    cel_value owned = {.kind = CEL_NULL};
    if (kind != NODE_TRUTH && !value_own(&owned, constant))
        goto fail;
    node = node_alloc(x, kind);
    if (node == CONDITION_NONE)
        goto fail;
    condition_node *n = &x->nodes.data[node];
    slot_nodes *p = slot_nodes_of(x, s);
    if (!p)
        return x->failed = true, CONDITION_NONE;
    n->op = (uint8_t)op;
    n->slot = s;
    n->hash = hash;
    n->constant = owned;
    n->slot_at = p->leaves.len;
    if (!VEC_PUSH(&p->leaves, node) || !table_add(&x->shared, hash, node) || (kind == NODE_ORDER && !ladder_put(x, p, node)))
        return x->failed = true, CONDITION_NONE; /* fatal for the engine: nothing is undone */
    if (kind == NODE_TRUTH)
        p->truth = node;
    n->truth = (uint8_t)leaf_truth(n, slot_value(x, s));
    return node;
fail:
    value_disown(&owned);
    slot_drop(x, s);
    x->failed = true;
    return CONDITION_NONE;
}

void leaf_free(condition_index *x, uint32_t node)
{
    condition_node *n = &x->nodes.data[node];
    slot_nodes *p = x->slots.data[n->slot].nodes;
    table_remove(&x->shared, n->hash, node);
    if (n->kind == NODE_ORDER)
        ladder_take_out(x, p, node);
    if (n->kind == NODE_TRUTH)
        p->truth = CONDITION_NONE;
    VEC_SWAP_REMOVE(&p->leaves, n->slot_at);
    if (n->slot_at < p->leaves.len)
        x->nodes.data[p->leaves.data[n->slot_at]].slot_at = n->slot_at;
    if (n->kind != NODE_TRUTH)
        value_disown(&n->constant);
    slot_drop(x, n->slot);
}

static void equal_change(condition_index *x, uint32_t s, cel_value v, cel_value now)
{
    leaf_key key = {NODE_EQUAL, CEL_OP_EQ, s, v};
    uint32_t leaf = table_find(&x->shared, leaf_hash(&key), leaf_eq, x, &key);
    if (leaf != TABLE_NONE)
        node_set(x, leaf, leaf_truth(&x->nodes.data[leaf], now));
}

/* Programs that read the cell last time are to run again. */
static void mark_readers(condition_index *x, const slot_nodes *p)
{
    for (uint32_t i = 0; i < p->readers.len; i++) {
        uint32_t node = p->readers.data[i].node;
        if (!x->nodes.data[node].dirty && VEC_PUSH(&x->dirty, node))
            x->nodes.data[node].dirty = true;
        x->failed |= !x->nodes.data[node].dirty;
    }
}

static void nodes_change(condition_index *x, uint32_t s, bool inverse, cel_value old, cel_value now)
{
    slot_nodes *p = x->slots.data[s].nodes;
    mark_readers(x, p);
    if (p->leaves.len == 0)
        return;
    /* Of an inverse list what it was is gone already: it cannot be looked for. */
    if (inverse || old.kind == CEL_UNKNOWN || now.kind == CEL_UNKNOWN) {
        for (uint32_t i = 0; i < p->leaves.len; i++) {
            uint32_t leaf = p->leaves.data[i];
            node_set(x, leaf, leaf_truth(&x->nodes.data[leaf], now));
        }
        return;
    }
    equal_change(x, s, old, now);
    equal_change(x, s, now, now);
    if (p->truth != CONDITION_NONE)
        node_set(x, p->truth, leaf_truth(&x->nodes.data[p->truth], now));
    for (uint32_t i = 0; i < p->ladders.len; i++)
        ladder_change(x, &p->ladders.data[i], old, now);
}

/* Somebody else than one column reads it. */
void observe_many(condition_index *x, context_entity *entity, uint16_t field, cel_value old, cell_value value)
{
    cel_value now = value.value;
    uint32_t s = entity->cells[field].slot;
    const slot *p = &x->slots.data[s];
    for (uint32_t i = 0; i < p->subscribers; i++) {
        const subscriber *who = p->subscribers > 1 ? &p->many[i] : &p->one;
        if (who->cohort) {
            cohort_change(x, who->cohort, who->column, &value);
            continue;
        }
        each_change(x, who->column, who->cell, old);
        p = &x->slots.data[s]; /* a member that came has brought slots */
    }
    if (p->nodes)
        nodes_change(x, s, schema_type_at(context_schema(x->graph), entity->type)->fields[field].kind == SCHEMA_INVERSE, old,
                     now);
}

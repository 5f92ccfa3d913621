/* SPDX-License-Identifier: Apache-2.0 */
/*
 * node - hash-consed n-ary AND over edges, with counters: the truth of a node is read off four numbers.
 *
 *   AND: false > unknown > error > true        OR(a, b) = NOT AND(NOT a, NOT b), with the mirrored order
 */
#include "engine/condition/index_int.h"

#include "engine/base/hash.h"
#include "engine/context/value_own.h"

#include <assert.h>
#include <stdlib.h>

condition_truth truth_of_counts(const uint32_t count[4])
{
    return count[TRUTH_FALSE]     ? TRUTH_FALSE
           : count[TRUTH_UNKNOWN] ? TRUTH_UNKNOWN
           : count[TRUTH_ERROR]   ? TRUTH_ERROR
                                  : TRUTH_TRUE;
}

condition_truth edge_value(const condition_index *x, condition_edge edge)
{
    condition_truth t = (condition_truth)x->nodes.data[edge >> 1].truth;
    return edge & 1 ? truth_not(t) : t;
}

uint32_t node_alloc(condition_index *x, node_kind kind)
{
    condition_node fresh = {
        .kind = (uint8_t)kind, .refs = 1, .slot = CONDITION_NONE, .record = CONDITION_NONE, .holders = HOLDERS_NONE};
    uint32_t node = x->node_free;
    if (node != CONDITION_NONE) {
        x->node_free = x->nodes.data[node].refs;
        x->nodes.data[node] = fresh;
    } else if (VEC_PUSH(&x->nodes, fresh)) {
        node = x->nodes.len - 1;
    } else {
        x->failed = true;
        return CONDITION_NONE;
    }
    x->node_count++;
    return node;
}

/* Takes one entry out of a node's parents; the entry that moves tells its AND where it is now. */
static void parent_remove(condition_index *x, uint32_t node, uint32_t at)
{
    condition_node *n = &x->nodes.data[node];
    VEC_SWAP_REMOVE(&n->parents, at);
    if (at >= n->parents.len)
        return;
    condition_node *moved = &x->nodes.data[n->parents.data[at] >> 1];
    condition_edge edge = node * 2 | (n->parents.data[at] & 1);
    for (uint32_t i = 0; i < moved->child_count; i++)
        if (moved->children[i].edge == edge)
            moved->children[i].at = at;
}

static void and_free(condition_index *x, uint32_t node)
{
    condition_node *n = &x->nodes.data[node];
    uint32_t count = n->child_count;
    and_child *children = n->children;
    table_remove(&x->shared, n->hash, node);
    for (uint32_t i = 0; i < count; i++) {
        parent_remove(x, children[i].edge >> 1, children[i].at);
        edge_release(x, children[i].edge);
    }
    free(children);
}

void node_free(condition_index *x, uint32_t node)
{
    condition_node *n = &x->nodes.data[node];
    assert(n->refs == 0 && n->parents.len == 0 && n->record == CONDITION_NONE && !n->queued && !n->logged);
    switch ((node_kind)n->kind) {
    case NODE_TRUTH:
    case NODE_EQUAL:
    case NODE_ORDER:
        leaf_free(x, node);
        break;
    case NODE_OPAQUE:
        opaque_free(x, node);
        break;
    case NODE_EACH:
        each_free(x, node);
        break;
    case NODE_AND:
        and_free(x, node);
        break;
    case NODE_CONST:
        table_remove(&x->shared, n->hash, node);
        break;
    case NODE_FREE:
        assert(false);
    }
    n = &x->nodes.data[node];
    VEC_FREE(&n->parents);
    n->kind = NODE_FREE;
    n->refs = x->node_free;
    x->node_free = node;
    x->node_count--;
}

void edge_release(condition_index *x, condition_edge edge)
{
    condition_node *n = &x->nodes.data[edge >> 1];
    assert(n->kind != NODE_FREE && n->refs > 0);
    if (--n->refs == 0)
        node_free(x, edge >> 1);
}

void node_set(condition_index *x, uint32_t node, condition_truth truth)
{
    condition_node *n = &x->nodes.data[node];
    condition_truth old = (condition_truth)n->truth;
    if (old == truth)
        return;
    if (n->record != CONDITION_NONE && !n->logged) {
        n->logged = VEC_PUSH(&x->log, node);
        n->logged_truth = (uint8_t)old;
        x->failed |= !n->logged;
    }
    n->truth = (uint8_t)truth;
    if (n->kind == NODE_AND)
        x->stats.node_flips++;
    else
        x->stats.leaf_flips++;
    for (uint32_t i = 0; i < n->parents.len; i++) {
        uint32_t entry = n->parents.data[i];
        condition_node *p = &x->nodes.data[entry >> 1];
        bool negated = entry & 1;
        p->count[negated ? truth_not(old) : old]--;
        p->count[negated ? truth_not(truth) : truth]++;
        if (!p->queued) {
            p->queued = VEC_PUSH(&x->levels.data[p->level], entry >> 1);
            x->pending = true;
            x->failed |= !p->queued;
        }
    }
}

/* --- making ---------------------------------------------------------------------------------------------- */
static bool const_eq(const void *ctx, uint32_t handle, const void *key)
{
    const condition_node *n = &((const condition_index *)ctx)->nodes.data[handle];
    return n->kind == NODE_CONST && n->truth == *(const uint8_t *)key;
}

condition_edge edge_const(condition_index *x, condition_truth truth)
{
    bool negated = truth == TRUTH_FALSE;
    uint8_t stored = negated ? TRUTH_TRUE : (uint8_t)truth;
    uint64_t hash = hash_mix(stored, 0xc0757);
    uint32_t node = table_find(&x->shared, hash, const_eq, x, &stored);
    if (node != TABLE_NONE) {
        x->nodes.data[node].refs++;
        return node * 2 | negated;
    }
    node = node_alloc(x, NODE_CONST);
    if (node == CONDITION_NONE || !table_add(&x->shared, hash, node))
        return x->failed = true, CONDITION_NONE;
    x->nodes.data[node].truth = stored;
    x->nodes.data[node].hash = hash;
    return node * 2 | negated;
}

typedef struct and_key {
    const condition_edge *edges;
    uint32_t count;
} and_key;

static bool and_eq (const void *ctx, uint32_t handle, const void *key)
{
    const condition_node *n = &((const condition_index *)ctx)->nodes.data[handle];
    const and_key *k = key;
    if (n->kind != NODE_AND || n->child_count != k->count)
        return false;
    for (uint32_t i = 0; i < k->count; i++)
        if (n->children[i].edge != k->edges[i])
            return false;
    return true;
}

static int edge_order(const void *a, const void *b)
{
    condition_edge x = *(const condition_edge *)a, y = *(const condition_edge *)b;
    return (x > y) - (x < y);
}

static bool is_const_true(const condition_index *x, condition_edge e)
{
    return x->nodes.data[e >> 1].kind == NODE_CONST && edge_value(x, e) == TRUTH_TRUE;
}

/* Sorted, each once, without constants that say nothing; releases what it drops. */
static uint32_t simplify(condition_index *x, condition_edge *edges, uint32_t count)
{
    uint32_t n = 0;
    qsort(edges, count, sizeof(*edges), edge_order);
    for (uint32_t i = 0; i < count; i++) {
        if ((n && edges[n - 1] == edges[i]) || is_const_true(x, edges[i]))
            edge_release(x, edges[i]);
        else
            edges[n++] = edges[i];
    }
    return n;
}

static uint32_t and_create(condition_index *x, const condition_edge *edges, uint32_t count, uint64_t hash)
{
    and_child *children = malloc(count * sizeof(*children));
    uint32_t node = children ? node_alloc(x, NODE_AND) : CONDITION_NONE;
    if (node == CONDITION_NONE || !table_add(&x->shared, hash, node))
        return free(children), x->failed = true, CONDITION_NONE;
    condition_node *n = &x->nodes.data[node];
    n->hash = hash;
    n->children = children;
    n->child_count = count;
    for (uint32_t i = 0; i < count; i++) {
        condition_node *c = &x->nodes.data[edges[i] >> 1];
        children[i] = (and_child){edges[i], c->parents.len};
        if (!VEC_PUSH(&c->parents, node * 2 | (edges[i] & 1)))
            return x->failed = true, CONDITION_NONE;
        if (c->level >= n->level)
            n->level = (uint16_t)(c->level + 1);
        n->count[edge_value(x, edges[i])]++;
    }
    n->truth = (uint8_t)truth_of_counts(n->count);
    while (x->levels.len <= n->level)
        if (!VEC_PUSH(&x->levels, (u32_vec){0}))
            return x->failed = true, CONDITION_NONE;
    return node;
}

condition_edge edge_and(condition_index *x, condition_edge *edges, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (edges[i] == CONDITION_NONE)
            return CONDITION_NONE;
    count = simplify(x, edges, count);
    if (count == 0)
        return edge_const(x, TRUTH_TRUE);
    if (count == 1)
        return edges[0];
    uint64_t hash = hash_mix(hash_bytes(edges, count * sizeof(*edges)), 0xa7d);
    and_key key = {edges, count};
    uint32_t node = table_find(&x->shared, hash, and_eq, x, &key);
    if (node == TABLE_NONE) {
        node = and_create(x, edges, count, hash);
        return node == CONDITION_NONE ? CONDITION_NONE : node * 2;
    }
    x->nodes.data[node].refs++;
    for (uint32_t i = 0; i < count; i++)
        edge_release(x, edges[i]);
    return node * 2;
}

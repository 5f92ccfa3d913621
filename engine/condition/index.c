/* SPDX-License-Identifier: Apache-2.0 */
/* index - the life of the condition index, and settling: where a change becomes flips. */
#include "engine/condition/cohort.h"

#include "engine/limits.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

mandate_status condition_index_create(condition_index **out, context *graph, timers *deadlines, mandate_error *err)
{
    condition_index *x = calloc(1, sizeof(*x));
    if (!x)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory while creating the condition index");
    x->graph = graph;
    x->deadlines = deadlines;
    x->node_free = x->slot_free = CONDITION_NONE;
    table_init(&x->shared);
    table_init(&x->templates);
    rows_init(&x->records, sizeof(condition_record));
    rows_init(&x->lists, sizeof(holder_list));
    rows_init(&x->classes, class_size());
    rows_init(&x->cohorts, sizeof(cohort_row));
    pool_init(&x->blocks);
    arena_init(&x->scratch, LIMIT_CEL_MEMORY);
    lift_init(&x->lifted);
    *out = x;
    return MANDATE_OK;
}

void condition_watch_graph(condition_index *x)
{
    context_set_observer(x->graph, condition_observe, x);
    context_set_watched(x->graph, &slots_watched);
}

/* The owners are gone without detaching: everything is freed by kind, in no particular order. */
static void node_deinit(condition_node *n)
{
    if (n->kind == NODE_OPAQUE) {
        VEC_FREE(&n->program->reads);
        binding_drop(n->program->binding);
        free((void *)(uintptr_t)n->program->key.ptr);
        free(n->program);
    } else if (n->kind == NODE_EACH) {
        each_deinit(n->each);
    } else if (n->kind == NODE_AND) {
        free(n->children);
    } else if (n->kind == NODE_EQUAL || n->kind == NODE_ORDER) {
        value_disown(&n->constant);
    }
    VEC_FREE(&n->parents);
}

void condition_index_destroy(condition_index *x)
{
    if (!x)
        return;
    for (uint32_t i = 0; i < x->nodes.len; i++)
        if (x->nodes.data[i].kind != NODE_FREE)
            node_deinit(&x->nodes.data[i]);
    cohort_destroy_all(x);
    holders_deinit(x);
    for (uint32_t i = 0; i < x->slots.len; i++)
        if (x->slots.data[i].entity)
            slot_deinit(&x->slots.data[i]);
    for (uint32_t i = 0; i < x->template_list.len; i++)
        if (x->template_list.data[i]) {
            x->template_list.data[i]->refs = 1;
            condition_template_release(x, x->template_list.data[i]);
        }
    for (uint32_t i = 0; i < x->shapes.len; i++)
        free(x->shapes.data[i]);
    classes_deinit(x);
    rows_deinit(&x->cohorts);
    pool_deinit(&x->blocks);
    table_deinit(&x->class_table);
    table_deinit(&x->cohort_table);
    table_deinit(&x->shape_table);
    VEC_FREE(&x->shapes);
    VEC_FREE(&x->cohort_queue);
    for (uint32_t i = 0; i < x->levels.len; i++)
        VEC_FREE(&x->levels.data[i]);
    VEC_FREE(&x->levels);
    VEC_FREE(&x->template_list);
    VEC_FREE(&x->source_sets);
    VEC_FREE(&x->template_free);
    VEC_FREE(&x->nodes);
    VEC_FREE(&x->slots);
    VEC_FREE(&x->dirty);
    VEC_FREE(&x->log);
    VEC_FREE(&x->flips);
    table_deinit(&x->shared);
    table_deinit(&x->templates);
    arena_deinit(&x->scratch);
    lift_deinit(&x->lifted);
    VEC_FREE(&x->slots_read);
    free(x);
}

void condition_as_of(condition_index *x, int64_t now_us) { x->now_us = now_us; }

void condition_now(condition_index *x, int64_t now_us)
{
    if (now_us > x->now_us)
        x->now_us = now_us;
}

/* --- settling -------------------------------------------------------------------------------------------- */
static bool run_dirty(condition_index *x)
{
    for (uint32_t i = 0; i < x->dirty.len; i++) {
        uint32_t node = x->dirty.data[i];
        x->nodes.data[node].dirty = false;
        if (!opaque_run(x, node))
            return false;
    }
    x->dirty.len = 0;
    return true;
}

/* Level by level: when a node is looked at, all its children have their final value. */
static void propagate(condition_index *x)
{
    for (uint32_t level = 1; level < x->levels.len; level++) {
        u32_vec *queue = &x->levels.data[level];
        for (uint32_t i = 0; i < queue->len; i++) {
            condition_node *n = &x->nodes.data[queue->data[i]];
            n->queued = false;
            node_set(x, queue->data[i], truth_of_counts(n->count));
        }
        queue->len = 0;
    }
}

/* Nodes whose truth changed. */
static bool collect_nodes(condition_index *x)
{
    for (uint32_t i = 0; i < x->log.len; i++) {
        condition_node *n = &x->nodes.data[x->log.data[i]];
        n->logged = false;
        if (n->truth != n->logged_truth && !holders_flip(x, &n->holders, n->logged_truth, n->truth))
            return false;
    }
    x->log.len = 0;
    return true;
}

bool nodes_settle(condition_index *x)
{
    if (x->failed || (x->dirty.len && !run_dirty(x)))
        return false;
    if (x->pending)
        propagate(x);
    x->pending = false;
    return !x->failed && (x->log.len == 0 || collect_nodes(x));
}

void condition_get_stats(const condition_index *x, condition_stats *out)
{
    *out = x->stats;
    out->conditions = x->records.count;
    out->cohorts = x->cohorts.count;
    out->nodes = x->node_count;
    out->slots = x->slot_count;
    out->templates = x->template_count;
}

/* --- checking ourselves ----------------------------------------------------------------------------------- */
static bool verify_node(condition_index *x, uint32_t node, char *why, size_t size)
{
    condition_node *n = &x->nodes.data[node];
    condition_truth want = (condition_truth)n->truth;
    if (n->kind == NODE_TRUTH || n->kind == NODE_EQUAL || n->kind == NODE_ORDER) {
        want = leaf_truth(n, slot_value(x, n->slot));
    } else if (n->kind == NODE_OPAQUE) {
        reading r = {.index = x, .claims = n->program->binding ? &n->program->binding->claims : NULL};
        arena_reset(&x->scratch);
        want = truth_of_value(condition_run(x, n->program->program, &r, NULL, &x->scratch));
    } else if (n->kind == NODE_EACH) {
        return each_verify(x, node, why, size);
    } else if (n->kind == NODE_AND) {
        uint32_t count[4] = {0};
        for (uint32_t i = 0; i < n->child_count; i++)
            count[edge_value(x, n->children[i].edge)]++;
        if (memcmp(count, n->count, sizeof(count)) != 0)
            return snprintf(why, size, "node %u: counters differ from its children", node), false;
        want = truth_of_counts(count);
    }
    if (want != n->truth)
        return snprintf(why, size, "node %u of kind %u holds %u, evaluation gives %u", node, n->kind, n->truth, want), false;
    return true;
}

bool condition_verify(condition_index *x, char *why, size_t why_size)
{
    for (uint32_t i = 0; i < x->nodes.len; i++)
        if (x->nodes.data[i].kind != NODE_FREE && !verify_node(x, i, why, why_size))
            return false;
    for (uint32_t i = 0; i < rows_bound(&x->cohorts); i++)
        if (rows_there(&x->cohorts, i) && cohort_at(x, i) && !cohort_verify(x, cohort_at(x, i), why, why_size))
            return false;
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holders - records of conditions, and the postings of their owners: one in place, more in a list of their own. A posting
 * that goes leaves no hole: the last one takes its place, and its owner is told.
 */
#include "engine/condition/cohort.h"

#include <assert.h>
#include <stdlib.h>

static holder_list *list_at(const condition_index *x, uint32_t holders)
{
    return rows_at(&x->lists, holders & ~HOLDERS_LIST);
}

static uint32_t *holders_of(const condition_index *x, const condition_record *r)
{
    return r->cohort == COHORT_NONE ? &x->nodes.data[r->index].holders : &cohort_at(x, r->cohort)->holders[r->index];
}

uint32_t record_of_node(condition_index *x, uint32_t node)
{
    condition_node *n = &x->nodes.data[node];
    if (n->record != CONDITION_NONE) {
        record_at(x, n->record)->refs++;
        edge_release(x, node * 2); /* the record holds one already */
        return n->record;
    }
    uint32_t record = rows_take(&x->records);
    if (record == ROWS_NONE)
        return x->failed = true, CONDITION_NONE;
    *record_at(x, record) = (condition_record){.cohort = COHORT_NONE, .index = node, .refs = 1};
    n->record = record;
    n->holders = HOLDERS_NONE;
    return record;
}

void condition_release(condition_index *x, condition_edge edge)
{
    condition_record *r = record_at(x, edge >> 1);
    assert(r->refs > 0);
    if (--r->refs)
        return;
    assert(*holders_of(x, r) == HOLDERS_NONE);
    uint32_t in = r->cohort, index = r->index;
    rows_give(&x->records, edge >> 1);
    if (in != COHORT_NONE) {
        cohort_release(x, cohort_at(x, in), index);
        return;
    }
    x->nodes.data[index].record = CONDITION_NONE;
    edge_release(x, index * 2);
}

condition_truth condition_value(const condition_index *x, condition_edge edge)
{
    const condition_record *r = record_at(x, edge >> 1);
    condition_truth t = r->cohort == COHORT_NONE ? (condition_truth)x->nodes.data[r->index].truth
                                                 : cohort_truth(cohort_at(x, r->cohort), r->index);
    return edge & 1 ? truth_not(t) : t;
}

void condition_value_ahead(const condition_index *x, condition_edge edge) { __builtin_prefetch(record_at(x, edge >> 1)); }

/* --- postings -------------------------------------------------------------------------------------------------- */
static bool list_push(holder_list *l, uint32_t post)
{
    if (l->len == l->cap) {
        uint32_t cap = l->cap < 8 ? l->cap + 4 : l->cap + l->cap / 4;
        uint32_t *posts = realloc(l->posts, cap * sizeof(*posts));
        if (!posts)
            return false;
        l->posts = posts;
        l->cap = cap;
    }
    l->posts[l->len++] = post;
    return true;
}

bool holders_add(condition_index *x, uint32_t *holders, uint32_t post, uint32_t *position)
{
    *position = 0;
    if (*holders == HOLDERS_NONE)
        return *holders = post, true;
    if (!(*holders & HOLDERS_LIST)) {
        uint32_t list = rows_take(&x->lists);
        if (list == ROWS_NONE || !list_push(list_at(x, list), *holders))
            return false;
        *holders = HOLDERS_LIST | list;
    }
    holder_list *l = list_at(x, *holders);
    *position = l->len;
    return list_push(l, post);
}

uint32_t holders_remove(condition_index *x, uint32_t *holders, uint32_t position)
{
    if (!(*holders & HOLDERS_LIST)) {
        assert(position == 0);
        *holders = HOLDERS_NONE;
        return HOLDERS_NONE;
    }
    holder_list *l = list_at(x, *holders);
    assert(*holders != HOLDERS_NONE && position < l->len);
    uint32_t moved = l->posts[--l->len];
    bool took_place = position < l->len;
    if (took_place)
        l->posts[position] = moved;
    if (l->len == 1) { /* back in place */
        uint32_t list = *holders & ~HOLDERS_LIST;
        *holders = l->posts[0];
        free(l->posts);
        l->posts = NULL;
        rows_give(&x->lists, list);
    } else if (l->len < l->cap / 4) {
        uint32_t *posts = realloc(l->posts, l->cap / 2 * sizeof(*posts));
        if (posts) { /* otherwise it costs memory only */
            l->posts = posts;
            l->cap /= 2;
        }
    }
    return took_place ? moved : HOLDERS_NONE;
}

void holders_fetch(const condition_index *x, uint32_t holders, int step)
{
    if (holders == HOLDERS_NONE || !(holders & HOLDERS_LIST))
        return;
    const holder_list *l = list_at(x, holders);
    __builtin_prefetch(step ? (const void *)l->posts : l);
}

bool holders_flip(condition_index *x, uint32_t holders, condition_truth before, condition_truth now)
{
    uint32_t one = holders, n = 1;
    const uint32_t *posts = &one;
    if (holders == HOLDERS_NONE)
        return true;
    if (holders & HOLDERS_LIST) {
        const holder_list *l = list_at(x, holders);
        posts = l->posts;
        n = l->len;
    }
    if (!VEC_RESERVE(&x->flips, x->flips.len + n))
        return false;
    condition_flip *out = x->flips.data + x->flips.len;
    for (uint32_t i = 0; i < n; i++)
        out[i] = (condition_flip){.owner = posts[i] >> 3,
                                  .clause = (uint8_t)(posts[i] >> 1 & 3),
                                  .before = posts[i] & 1 ? truth_not(before) : before,
                                  .now = posts[i] & 1 ? truth_not(now) : now};
    x->flips.len += n;
    return true;
}

bool condition_attach(condition_index *x, condition_edge edge, uint32_t owner, uint8_t clause, uint32_t *position)
{
    assert(owner <= OWNER_MAX);
    return holders_add(x, holders_of(x, record_at(x, edge >> 1)), owner << 3 | (uint32_t)clause << 1 | (edge & 1), position);
}

void condition_detach(condition_index *x, condition_edge edge, uint32_t position, condition_moved moved, void *ctx)
{
    uint32_t post = holders_remove(x, holders_of(x, record_at(x, edge >> 1)), position);
    if (post != HOLDERS_NONE)
        moved(ctx, post >> 3, (uint8_t)(post >> 1 & 3), position);
}

void holders_deinit(condition_index *x)
{
    for (uint32_t i = 0; i < rows_bound(&x->lists); i++)
        if (rows_there(&x->lists, i) && list_at(x, i)->posts)
            free(list_at(x, i)->posts);
    rows_deinit(&x->lists);
    rows_deinit(&x->records);
}

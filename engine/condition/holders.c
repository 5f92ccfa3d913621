/* SPDX-License-Identifier: Apache-2.0 */
/*
 * holders - records of conditions, and the postings of their owners: one in place, more in a list of their own. A posting
 * that goes leaves no hole: the last one takes its place, and its owner is told.
 */
#include "engine/condition/cohort.h"

#include <assert.h>
#include <stdlib.h>

/* Where the holders of a condition stand, and the cohort of which it is a member. */
typedef struct holding {
    uint32_t *holders;
    cohort *cohort; /* NULL: it is a node */
    uint32_t member;
} holding;

static holding holding_of(const condition_index *x, condition_edge edge)
{
    const condition_record *r = record_at(x, edge >> 1);
    cohort *c = r->cohort == COHORT_NONE ? NULL : cohort_at(x, r->cohort);
    return (holding){c ? &c->holders[r->index] : &x->nodes.data[r->index].holders, c, r->index};
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
    assert(*holding_of(x, edge).holders == HOLDERS_NONE);
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

void condition_value_ahead(const condition_index *x, condition_edge edge) { ahead_line(record_at(x, edge >> 1)); }

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

/* All that is there so far, and one more, in a list of its own. */
static bool become_own(condition_index *x, const holding *h, const uint32_t *posts, uint32_t len, uint32_t post)
{
    uint32_t list = rows_take(&x->lists);
    if (list == ROWS_NONE)
        return false;
    assert(list < HOLDERS_NONE - HOLDERS_OWN);
    holder_list *l = rows_at(&x->lists, list);
    for (uint32_t i = 0; i < len; i++)
        if (!list_push(l, posts[i]))
            return false;
    if (!list_push(l, post))
        return false;
    if (h->cohort && len > 1)
        posts_end(&x->blocks, h->cohort, h->member, HOLDERS_NONE);
    *h->holders = HOLDERS_OWN + list;
    return true;
}

static bool holders_add(condition_index *x, const holding *h, uint32_t post, uint32_t *position)
{
    uint32_t now = *h->holders;
    *position = 0;
    if (now == HOLDERS_NONE)
        return *h->holders = post, true;
    if (now >= HOLDERS_OWN) {
        holder_list *l = holders_own(x, now);
        *position = l->len;
        return list_push(l, post);
    }
    if (now >= HOLDERS_RUN) {
        const uint32_t *run = h->cohort->posts + (now - HOLDERS_RUN);
        *position = posts_len(*run);
        return *position < POSTS_RUN ? posts_push(&x->blocks, h->cohort, h->member, post)
                                     : become_own(x, h, run + 1, *position, post);
    }
    *position = 1;
    return h->cohort ? posts_start(&x->blocks, h->cohort, h->member, now, post) : become_own(x, h, &now, 1, post);
}

static uint32_t own_remove(condition_index *x, uint32_t *holders, uint32_t position)
{
    uint32_t row = *holders - HOLDERS_OWN;
    holder_list *l = holders_own(x, *holders);
    assert(position < l->len);
    uint32_t moved = l->posts[--l->len];
    bool took_place = position < l->len;
    if (took_place)
        l->posts[position] = moved;
    if (l->len == 1) { /* back in place */
        *holders = l->posts[0];
        free(l->posts);
        l->posts = NULL;
        rows_give(&x->lists, row);
    } else if (l->len < l->cap / 4) {
        uint32_t *posts = realloc(l->posts, l->cap / 2 * sizeof(*posts));
        if (posts) { /* otherwise it costs memory only */
            l->posts = posts;
            l->cap /= 2;
        }
    }
    return took_place ? moved : HOLDERS_NONE;
}

/* The posting that took the freed place, or HOLDERS_NONE. */
static uint32_t holders_remove(condition_index *x, const holding *h, uint32_t position)
{
    assert(*h->holders != HOLDERS_NONE);
    if (*h->holders >= HOLDERS_OWN)
        return own_remove(x, h->holders, position);
    if (*h->holders >= HOLDERS_RUN)
        return posts_take_out(&x->blocks, h->cohort, h->member, position);
    assert(position == 0);
    *h->holders = HOLDERS_NONE;
    return HOLDERS_NONE;
}

bool condition_attach(condition_index *x, condition_edge edge, uint32_t owner, uint8_t clause, uint32_t *position)
{
    holding h = holding_of(x, edge);
    assert(owner <= OWNER_MAX);
    return holders_add(x, &h, owner << 3 | (uint32_t)clause << 1 | (edge & 1), position);
}

void condition_detach(condition_index *x, condition_edge edge, uint32_t position, condition_moved moved, void *ctx)
{
    holding h = holding_of(x, edge);
    uint32_t post = holders_remove(x, &h, position);
    if (post != HOLDERS_NONE)
        moved(ctx, condition_post_owner(post), condition_post_clause(post), position);
}

void holders_deinit(condition_index *x)
{
    for (uint32_t i = 0; i < rows_bound(&x->lists); i++)
        if (rows_there(&x->lists, i))
            free(((holder_list *)rows_at(&x->lists, i))->posts);
    rows_deinit(&x->lists);
    rows_deinit(&x->records);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* hold - conditions held by numbered owners, for the tests of the condition index. */
#ifndef MANDATE_TESTS_ENGINE_CONDITION_HOLD_H
#define MANDATE_TESTS_ENGINE_CONDITION_HOLD_H

#include "tests/engine/rig.h"

#include <stdlib.h>

enum { HOLD_MAX = 4096 };

typedef struct held {
    condition_template *t;
    char *text;
    condition_edge edge;
    uint32_t position;
} held;
static held holders[HOLD_MAX];

/* Compiles, binds and posts; owner numbers are the caller's. */
static inline condition_truth hold_for(rig *g, uint32_t owner, const char *text, const claims *c)
{
    mandate_error err = {0};
    held *h = &holders[owner];
    assert_true(owner < HOLD_MAX);
    if (condition_compile(&h->t, g->index, S(text), &err) != MANDATE_OK)
        fail_msg("%s\n%s", text, err.text);
    if (condition_bind(&h->edge, g->index, h->t, S(text), c, &err) != MANDATE_OK)
        fail_msg("%s\n%s", text, err.text);
    h->text = strdup(text);
    assert_true(condition_attach(g->index, h->edge, owner, 0, &h->position));
    return condition_value(g->index, h->edge);
}

static inline condition_truth hold(rig *g, uint32_t owner, const char *text)
{
    return hold_for(g, owner, text, rig_claims(g, "m-1"));
}

static inline void hold_moved(void *ctx, uint32_t owner, uint8_t clause, uint32_t position)
{
    holders[owner].position = position;
}

static inline void let_go(rig *g, uint32_t owner)
{
    held *h = &holders[owner];
    condition_detach(g->index, h->edge, h->position, hold_moved, NULL);
    condition_release(g->index, h->edge);
    condition_template_release(g->index, h->t);
    free(h->text);
}

static inline condition_truth truth_of(const rig *g, uint32_t owner)
{
    return condition_value(g->index, holders[owner].edge);
}

/* One holder of a condition that flipped. */
typedef struct holder_flip {
    uint32_t owner;
    condition_truth before, now;
} holder_flip;

static inline const holder_flip *settle(rig *g, uint32_t *count)
{
    static holder_flip out[4096];
    const condition_flips *flips;
    uint32_t runs;
    *count = 0;
    assert_true(condition_settle(g->index, &flips, &runs));
    for (uint32_t i = 0; i < runs; i++)
        for (uint32_t k = 0; k < flips[i].count; k++) {
            uint32_t post = flips[i].posts[k];
            assert_true(*count < sizeof(out) / sizeof(*out));
            out[(*count)++] = (holder_flip){condition_post_owner(post), condition_post_truth(post, flips[i].before),
                                            condition_post_truth(post, flips[i].now)};
        }
    return out;
}

static inline uint32_t settled(rig *g)
{
    uint32_t count;
    settle(g, &count);
    return count;
}

/* One attribute of one conversation, settled; the number of flips. */
static inline uint32_t tell(rig *g, const char *id, const char *field, cel_value v)
{
    change *ch = rig_upsert(g, CONVERSATION, id, CHANGE_NO_TIME);
    rig_set(g, ch, field, v);
    assert_true(rig_apply(g, ch));
    return settled(g);
}

static inline uint32_t tell_forgotten(rig *g, const char *id, const char *field)
{
    change *ch = rig_upsert(g, CONVERSATION, id, CHANGE_NO_TIME);
    rig_forget(g, ch, field);
    assert_true(rig_apply(g, ch));
    return settled(g);
}

static inline condition_stats stats_of(const rig *g)
{
    condition_stats out;
    condition_get_stats(g->index, &out);
    return out;
}

static inline void assert_consistent(rig *g)
{
    char why[256];
    if (!condition_verify(g->index, why, sizeof(why)))
        fail_msg("%s", why);
}

static inline void assert_nothing_left(const rig *g)
{
    condition_stats s = stats_of(g);
    assert_int_equal(s.conditions, 0);
    assert_int_equal(s.cohorts, 0);
    assert_int_equal(s.nodes, 0);
    assert_int_equal(s.slots, 0);
    assert_int_equal(s.templates, 0);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* timer - see timer.h. Four children a node: half the depth of a binary heap and one cache line of entries a level. */
#include "engine/timer/timer.h"

void timers_init(timers *t) { memset(t, 0, sizeof(*t)); }

void timers_deinit(timers *t)
{
    VEC_FREE(&t->heap);
    for (int k = 0; k < TIMER_KIND_COUNT; k++)
        VEC_FREE(&t->position[k]);
}

static bool before(const timer_entry *a, const timer_entry *b)
{
    if (a->at_us != b->at_us)
        return a->at_us < b->at_us;
    return a->kind != b->kind ? a->kind < b->kind : a->owner < b->owner;
}

static void put(timers *t, uint32_t i, timer_entry e)
{
    t->heap.data[i] = e;
    t->position[e.kind].data[e.owner] = i + 1;
}

static void sift_up(timers *t, uint32_t i, timer_entry e)
{
    while (i > 0) {
        uint32_t parent = (i - 1) / 4;
        if (!before(&e, &t->heap.data[parent]))
            break;
        put(t, i, t->heap.data[parent]);
        i = parent;
    }
    put(t, i, e);
}

static void sift_down(timers *t, uint32_t i, timer_entry e)
{
    for (;;) {
        uint32_t first = i * 4 + 1, least = 0;
        if (first >= t->heap.len)
            break;
        least = first;
        for (uint32_t c = first + 1; c < first + 4 && c < t->heap.len; c++)
            if (before(&t->heap.data[c], &t->heap.data[least]))
                least = c;
        if (!before(&t->heap.data[least], &e))
            break;
        put(t, i, t->heap.data[least]);
        i = least;
    }
    put(t, i, e);
}

static void remove_at(timers *t, uint32_t i)
{
    timer_entry gone = t->heap.data[i], last = t->heap.data[--t->heap.len];
    t->position[gone.kind].data[gone.owner] = 0;
    if (i == t->heap.len)
        return;
    if (before(&last, &gone))
        sift_up(t, i, last);
    else
        sift_down(t, i, last);
}

static bool position_reserve(timers *t, timer_kind kind, uint32_t owner)
{
    uint32_t old = t->position[kind].cap;
    if (owner < t->position[kind].len)
        return true;
    uint32_t want = owner + 1;
    if (want > old && !VEC_RESERVE(&t->position[kind], want > old * 2 ? want : old * 2))
        return false;
    memset(t->position[kind].data + t->position[kind].len, 0, (want - t->position[kind].len) * sizeof(uint32_t));
    t->position[kind].len = want;
    return true;
}

bool timer_arm(timers *t, timer_kind kind, uint32_t owner, int64_t at_us)
{
    timer_entry e = {at_us, kind, owner};
    if (at_us == INT64_MAX) {
        timer_disarm(t, kind, owner);
        return true;
    }
    if (!position_reserve(t, kind, owner))
        return false;
    uint32_t at = t->position[kind].data[owner];
    if (at && t->heap.data[at - 1].at_us == at_us)
        return true;
    if (at)
        remove_at(t, at - 1);
    if (!VEC_PUSH(&t->heap, e))
        return false;
    sift_up(t, t->heap.len - 1, e);
    return true;
}

void timer_disarm(timers *t, timer_kind kind, uint32_t owner)
{
    if (owner < t->position[kind].len && t->position[kind].data[owner])
        remove_at(t, t->position[kind].data[owner] - 1);
}

int64_t timer_next_us(const timers *t) { return t->heap.len ? t->heap.data[0].at_us : INT64_MAX; }

const timer_entry *timer_peek(const timers *t) { return t->heap.len ? &t->heap.data[0] : NULL; }

bool timer_pop(timers *t, int64_t now_us, timer_entry *out)
{
    if (t->heap.len == 0 || t->heap.data[0].at_us > now_us)
        return false;
    *out = t->heap.data[0];
    remove_at(t, 0);
    return true;
}

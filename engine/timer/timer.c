/* SPDX-License-Identifier: Apache-2.0 */
/* timer - see timer.h. Four children a node: half the depth of a binary heap, and the times of a level are side by side. */
#include "engine/timer/timer.h"

#include <assert.h>

void timers_init(timers *t) { memset(t, 0, sizeof(*t)); }

void timers_deinit(timers *t)
{
    VEC_FREE(&t->at_us);
    VEC_FREE(&t->whose);
    for (int k = 0; k < TIMER_KIND_COUNT; k++)
        VEC_FREE(&t->position[k]);
}

/* An entry of the heap. */
typedef struct armed {
    int64_t at_us;
    uint32_t whose;
} armed;

static armed armed_at(const timers *t, uint32_t i) { return (armed){t->at_us.data[i], t->whose.data[i]}; }
static uint32_t *place_of(timers *t, uint32_t whose)
{
    return &t->position[whose >> TIMER_KIND_SHIFT].data[whose & TIMER_OWNER_MAX];
}

static bool before(armed a, armed b) { return a.at_us != b.at_us ? a.at_us < b.at_us : a.whose < b.whose; }

static void put(timers *t, uint32_t i, armed a)
{
    t->at_us.data[i] = a.at_us;
    t->whose.data[i] = a.whose;
    *place_of(t, a.whose) = i + 1;
    if (i == 0)
        t->first = (timer_entry){a.at_us, a.whose >> TIMER_KIND_SHIFT, a.whose & TIMER_OWNER_MAX};
}

static void sift_up(timers *t, uint32_t i, armed a)
{
    while (i > 0) {
        uint32_t parent = (i - 1) / 4;
        if (!before(a, armed_at(t, parent)))
            break;
        put(t, i, armed_at(t, parent));
        i = parent;
    }
    put(t, i, a);
}

static void sift_down(timers *t, uint32_t i, armed a)
{
    for (;;) {
        uint32_t first = i * 4 + 1, least = first;
        if (first >= t->at_us.len)
            break;
        for (uint32_t c = first + 1; c < first + 4 && c < t->at_us.len; c++)
            if (before(armed_at(t, c), armed_at(t, least)))
                least = c;
        if (!before(armed_at(t, least), a))
            break;
        put(t, i, armed_at(t, least));
        i = least;
    }
    put(t, i, a);
}

static void remove_at(timers *t, uint32_t i)
{
    armed gone = armed_at(t, i), last = armed_at(t, t->at_us.len - 1);
    t->at_us.len--;
    t->whose.len--;
    *place_of(t, gone.whose) = 0;
    if (i == t->at_us.len)
        return;
    if (before(last, gone))
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
    assert(owner <= TIMER_OWNER_MAX);
    armed a = {at_us, (uint32_t)kind << TIMER_KIND_SHIFT | owner};
    if (at_us == INT64_MAX) {
        timer_disarm(t, kind, owner);
        return true;
    }
    if (!position_reserve(t, kind, owner))
        return false;
    uint32_t at = *place_of(t, a.whose);
    if (at && t->at_us.data[at - 1] == at_us)
        return true;
    if (at)
        remove_at(t, at - 1);
    if (!VEC_PUSH(&t->at_us, at_us))
        return false;
    if (!VEC_PUSH(&t->whose, a.whose)) {
        t->at_us.len--;
        return false;
    }
    sift_up(t, t->at_us.len - 1, a);
    return true;
}

void timer_disarm(timers *t, timer_kind kind, uint32_t owner)
{
    if (owner < t->position[kind].len && t->position[kind].data[owner])
        remove_at(t, t->position[kind].data[owner] - 1);
}

int64_t timer_next_us(const timers *t) { return t->at_us.len ? t->first.at_us : INT64_MAX; }

const timer_entry *timer_peek(const timers *t) { return t->at_us.len ? &t->first : NULL; }

bool timer_pop(timers *t, int64_t now_us, timer_entry *out)
{
    if (t->at_us.len == 0 || t->first.at_us > now_us)
        return false;
    *out = t->first;
    remove_at(t, 0);
    return true;
}

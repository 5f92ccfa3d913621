/* SPDX-License-Identifier: Apache-2.0 */
/*
 * posts - who holds the members of a cohort, side by side in one block: a flip finds its holders in one memory access, and the
 * block can be asked for before anybody knows which member will flip.
 *
 *   holders[m] ──────────────┐              a run:  [room << 16 | length] [posting] [posting] ... [room to spare]
 *   posts   [ run of 3 ][ run of m ][ gap ][ run of 0 ] ... posts_used        ... posts_cap
 *
 * A run that is full moves to the end of the block; the gap it leaves is closed when the block is laid out anew, which happens when
 * it is full or mostly gaps. A member held by more than POSTS_RUN has a list of its own (holders.c).
 */
#include "engine/condition/cohort.h"

#include <assert.h>

_Static_assert(POSTS_RUN < 1 << 15, "length and room share a word");

static uint32_t run_of(uint32_t room, uint32_t len) { return room << 16 | len; }
static uint32_t room_of(uint32_t head) { return head >> 16; }

static bool is_run(uint32_t holders) { return holders >= HOLDERS_RUN && holders < HOLDERS_OWN; }
static uint32_t place_of(uint32_t holders) { return holders - HOLDERS_RUN; }

/* Room for one that grows. */
static uint32_t grown(uint32_t len)
{
    uint32_t room = len < 8 ? len + 2 : len + len / 4;
    return room < POSTS_RUN ? room : POSTS_RUN;
}

static void block_give(pool *p, cohort *c) { pool_give(p, c->posts, c->posts_cap * sizeof(*c->posts)); }

/* All runs side by side, `growing` with more room and the others with nearly none; `more` words are left at the end. */
static bool lay_out(pool *p, cohort *c, uint32_t growing, uint32_t more)
{
    uint32_t used = 0, cap = more;
    for (uint32_t m = 0; m < c->extent; m++)
        if (is_run(c->holders[m])) {
            uint32_t len = posts_len(c->posts[place_of(c->holders[m])]);
            cap += 1 + (m == growing ? grown(len) : len + len / 16);
        }
    uint32_t *fresh = cap ? pool_take(p, cap * sizeof(*fresh)) : NULL;
    if (cap && !fresh)
        return false;
    for (uint32_t m = 0; m < c->extent; m++) {
        if (!is_run(c->holders[m]))
            continue;
        const uint32_t *run = c->posts + place_of(c->holders[m]);
        uint32_t len = posts_len(*run), room = m == growing ? grown(len) : len + len / 16;
        fresh[used] = run_of(room, len);
        memcpy(fresh + used + 1, run + 1, len * sizeof(*fresh));
        c->holders[m] = HOLDERS_RUN + used;
        used += 1 + room;
    }
    block_give(p, c);
    c->posts = fresh;
    c->posts_used = used;
    c->posts_cap = cap;
    return true;
}

/* Room at the end for that many words. */
static bool room_at_end(pool *p, cohort *c, uint32_t words)
{
    uint32_t want = c->posts_used + words;
    if (want <= c->posts_cap)
        return true;
    uint32_t cap = (want + want / 8 + 3) & ~3u; /* as the pool gives */
    uint32_t *fresh = cap <= HOLDERS_OWN - HOLDERS_RUN ? pool_take(p, cap * sizeof(*fresh)) : NULL;
    if (!fresh)
        return false;
    if (c->posts)
        memcpy(fresh, c->posts, c->posts_used * sizeof(*fresh));
    block_give(p, c);
    c->posts = fresh;
    c->posts_cap = cap;
    return true;
}

bool posts_start(pool *p, cohort *c, uint32_t member, uint32_t first, uint32_t second)
{
    enum { ROOM = 3 };
    if (!room_at_end(p, c, 1 + ROOM))
        return false;
    uint32_t *run = c->posts + c->posts_used;
    run[0] = run_of(ROOM, 2);
    run[1] = first;
    run[2] = second;
    c->holders[member] = HOLDERS_RUN + c->posts_used;
    c->posts_used += 1 + ROOM;
    c->posts_live += 1 + 2;
    return true;
}

bool posts_push(pool *p, cohort *c, uint32_t member, uint32_t post)
{
    uint32_t *run = c->posts + place_of(c->holders[member]), len = posts_len(*run), room = room_of(*run);
    assert(len < POSTS_RUN);
    if (len == room) {
        uint32_t more = grown(len);
        bool full = c->posts_used + 1 + more > c->posts_cap;
        if (full && c->posts_used > c->posts_live + c->posts_live / 4 + 16) {
            if (!lay_out(p, c, member, 0))
                return false;
        } else {
            if (!room_at_end(p, c, 1 + more))
                return false;
            run = c->posts + place_of(c->holders[member]);
            uint32_t *moved = c->posts + c->posts_used;
            moved[0] = run_of(more, len);
            memcpy(moved + 1, run + 1, len * sizeof(*run));
            c->holders[member] = HOLDERS_RUN + c->posts_used;
            c->posts_used += 1 + more;
        }
        run = c->posts + place_of(c->holders[member]);
    }
    run[0]++;
    run[1 + len] = post;
    c->posts_live++;
    return true;
}

uint32_t posts_take_out(pool *p, cohort *c, uint32_t member, uint32_t position)
{
    uint32_t *run = c->posts + place_of(c->holders[member]), len = posts_len(*run);
    assert(position < len && len >= 2);
    uint32_t moved = run[len];
    run[1 + position] = moved;
    run[0]--;
    c->posts_live--;
    if (len == 2)
        posts_end(p, c, member, run[1]);
    else if (c->posts_used > 4 * c->posts_live + 64)
        (void)lay_out(p, c, UINT32_MAX, 0); /* costs memory only when it fails */
    return position < len - 1 ? moved : HOLDERS_NONE;
}

void posts_end(pool *p, cohort *c, uint32_t member, uint32_t instead)
{
    c->posts_live -= 1 + posts_len(c->posts[place_of(c->holders[member])]);
    c->holders[member] = instead;
    if (c->posts_live)
        return;
    block_give(p, c);
    c->posts = NULL;
    c->posts_used = c->posts_cap = 0;
}

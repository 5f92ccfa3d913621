/* SPDX-License-Identifier: Apache-2.0 */
/*
 * timer - deadlines in order: a 4-ary heap of (time, owner), one deadline per owner, removable.
 *
 * Time is always an argument; nothing here waits. Equal times come out by kind, then by owner: an expiry before a grace
 * period before a condition, so that "not valid at or after" wins over anything else due at that moment; what permits again
 * comes last.
 */
#ifndef MANDATE_ENGINE_TIMER_TIMER_H
#define MANDATE_ENGINE_TIMER_TIMER_H

#include "engine/base/vec.h"

typedef enum timer_kind {
    TIMER_EXPIRY,    /* owner: mandate handle */
    TIMER_GRACE,     /* owner: mandate handle; an unknown clause has lasted too long */
    TIMER_CONDITION, /* owner: condition node; its value is certain until then */
    TIMER_RESUME,    /* owner: mandate handle; its suspension is over, unless something above still holds it */
    TIMER_DECISION,  /* owner: decision handle; it lapses, or is forgotten */
    TIMER_KIND_COUNT
} timer_kind;

typedef struct timer_entry {
    int64_t at_us;
    uint32_t kind, owner;
} timer_entry;

/* The heap in two halves, 12 bytes a deadline: times side by side, since they nearly always decide; and whose they are. */
typedef struct timers {
    VEC(int64_t) at_us;
    VEC(uint32_t) whose;                      /* kind << TIMER_KIND_SHIFT | owner, which is also the order of equal times */
    timer_entry first;                        /* of the heap, when it is not empty */
    VEC(uint32_t) position[TIMER_KIND_COUNT]; /* owner -> heap index + 1, 0 = not armed */
} timers;
enum { TIMER_KIND_SHIFT = 28, TIMER_OWNER_MAX = (1 << TIMER_KIND_SHIFT) - 1 };
_Static_assert(TIMER_KIND_COUNT <= 16, "a kind has four bits");

void timers_init(timers *t);
void timers_deinit(timers *t);
/* Arms or moves the deadline of an owner; INT64_MAX disarms. False when out of memory. */
MANDATE_CHECK bool timer_arm(timers *t, timer_kind kind, uint32_t owner, int64_t at_us);
void timer_disarm(timers *t, timer_kind kind, uint32_t owner);
/* The earliest deadline, INT64_MAX when there is none. */
int64_t timer_next_us(const timers *t);
/* Takes the earliest one if it is due at or before now. */
bool timer_pop(timers *t, int64_t now_us, timer_entry *out);
const timer_entry *timer_peek(const timers *t);

#endif

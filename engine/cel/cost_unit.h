/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cost_unit - what steps and calls cost, in units, given the sizes of what they work on.
 *
 * One source for two readers: the evaluator charges real sizes, the estimate (cost.h) charges
 * bounds. A unit is about the price of one simple step; what it takes in the worst case is
 * published by `mandate-bench cel`. Straight-line code is charged when it is entered, whether a
 * jump then skips some of it or not: so the hot path of small programs counts nothing.
 */
#ifndef MANDATE_ENGINE_CEL_COST_UNIT_H
#define MANDATE_ENGINE_CEL_COST_UNIT_H

#include "engine/cel/program_int.h"

/* Size of an operand. Monotone: what is charged never shrinks when one of these grows. */
typedef struct cel_extent {
    uint64_t len;   /* bytes, elements, entries */
    uint64_t value; /* of an int, if positive */
    uint64_t mass;  /* everything in it: 1 a value, and 1 for 16 bytes */
    uint64_t equal; /* what comparing it with its like takes: mass, and looking up the keys of maps */
    bool moving;    /* a time that moves with now */
} cel_extent;

enum {
    CEL_UNITS_VAR = 4,
    CEL_UNITS_ENTITY = 30,
    CEL_UNITS_FIELD = 20,
    CEL_UNITS_CALL = 4,
    CEL_UNITS_HOST_CALL = 400,
    CEL_UNITS_KEY = 8 /* of a small or indexed map */
};

/* Units of one step, without what depends on sizes. */
uint32_t cel_step_units(const cel_step *s, const cel_value *constants);
/* Units of a call in words, for people: "6 + (n + m + k) / 4". */
const char *cel_call_price(cel_overload_id id);
/* True when a call of it is charged by size. */
bool cel_call_is_sized(cel_overload_id id);
/* `prepared`: what the step holds (a regex, a horizon) or NULL. */
uint64_t cel_call_units(cel_overload_id id, const void *prepared, const cel_extent *args, uint32_t count);
/* x == y, beyond the step. */
uint64_t cel_equal_units(cel_value x, cel_value y);
/* map[key], beyond the step. */
uint64_t cel_lookup_units(uint64_t entries, bool indexed, uint64_t key_bytes);
cel_extent cel_extent_of(cel_value v);

/* Charges the activation; false when its budget is used up. */
static inline bool cel_charge(cel_activation *act, uint64_t units)
{
    act->cost += units;
    return act->cost_max == 0 || act->cost <= act->cost_max;
}
/* Before a sized call; act->prepared is set. False: too costly. */
bool cel_charge_call(cel_activation *act, cel_overload_id id, const cel_value *args, uint32_t count);
cel_value cel_too_costly(cel_activation *act);

#endif

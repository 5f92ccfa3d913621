/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certain - crossing times of moving values. All in 128-bit nanoseconds: no sum can overflow.
 *
 * now is a whole number of microseconds, so with relative slope r the distance of two values
 * moves by r * 1000 ns each microsecond.
 */
#include "engine/cel/certain.h"

typedef cel_int128 ns_t;

#define NS 1000000000

static ns_t ns_of(cel_value v) { return (ns_t)v.i * NS + v.len; }

/* Towards plus infinity; n >= 0, d > 0. */
static ns_t div_up(ns_t n, ns_t d) { return (n + d - 1) / d; }

void cel_until(cel_activation *act, ns_t delta_us)
{
    if (delta_us < 1)
        delta_us = 1;
    ns_t at = act->now_us + delta_us;
    if (at < act->certain_until_us)
        act->certain_until_us = (int64_t)at;
}

void cel_until_compare(cel_activation *act, cel_op op, cel_value x, cel_value y)
{
    ns_t distance = ns_of(x) - ns_of(y);
    int rate = x.slope - y.slope;
    if (rate == 0)
        return;
    if (rate < 0) { /* mirror, so that the distance grows */
        distance = -distance;
        rate = -rate;
        op = op == CEL_OP_LT   ? CEL_OP_GT
             : op == CEL_OP_GT ? CEL_OP_LT
             : op == CEL_OP_LE ? CEL_OP_GE
             : op == CEL_OP_GE ? CEL_OP_LE
                               : op;
    }
    ns_t step = (ns_t)rate * 1000;
    bool at_zero = distance == 0;
    switch (op) {
    case CEL_OP_LT: /* true below zero, false from zero on */
    case CEL_OP_GE:
        if (distance < 0)
            cel_until(act, div_up(-distance, step));
        break;
    case CEL_OP_LE: /* true up to zero, false above */
    case CEL_OP_GT:
        if (distance <= 0)
            cel_until(act, -distance / step + 1);
        break;
    default: /* equality: ceases at once, or comes when the distance is gone */
        if (at_zero)
            cel_until(act, 1);
        else if (distance < 0)
            cel_until(act, div_up(-distance, step));
    }
}

void cel_until_unit(cel_activation *act, cel_value v, int64_t unit_ns)
{
    ns_t value = ns_of(v);
    int slope = v.slope;
    if (slope == 0)
        return;
    if (v.kind == CEL_DURATION && (value < 0 || (value == 0 && slope < 0))) {
        value = -value;
        slope = -slope;
    }
    ns_t into = value % unit_ns;
    if (into < 0)
        into += unit_ns;
    if (slope > 0)
        cel_until(act, div_up(unit_ns - into, (ns_t)slope * 1000));
    else
        cel_until(act, into / ((ns_t)-slope * 1000) + 1);
}

cel_value cel_settle(cel_activation *act, cel_value v)
{
    cel_until_unit(act, v, NS);
    v.slope = 0;
    return v;
}

cel_value cel_with_slope(cel_activation *act, cel_value v, int slope)
{
    if (slope >= INT8_MIN && slope <= INT8_MAX) {
        v.slope = (int8_t)slope;
        return v;
    }
    cel_until(act, 1000000);
    return v;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certain - crossing times of moving values, also of those that are only looked at through a comparison. All in 128-bit
 * nanoseconds: no sum can overflow.
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

static cel_op mirrored(cel_op op)
{
    return op == CEL_OP_LT   ? CEL_OP_GT
           : op == CEL_OP_GT ? CEL_OP_LT
           : op == CEL_OP_LE ? CEL_OP_GE
           : op == CEL_OP_GE ? CEL_OP_LE
                             : op;
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
        op = mirrored(op);
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
    default: /* equality: ceases at once, or comes when the distance is gone (it may be stepped over) */
        if (at_zero)
            cel_until(act, 1);
        else if (distance < 0 && distance % step == 0)
            cel_until(act, -distance / step);
    }
}

static void until_edge(cel_activation *act, cel_op op, cel_value v, ns_t edge)
{
    ns_t seconds = edge / NS;
    int64_t rest = (int64_t)(edge % NS);
    if (rest < 0) {
        rest += NS;
        seconds--;
    }
    if (seconds > INT64_MAX / 2 || seconds < INT64_MIN / 2)
        return;
    cel_value at = {.kind = v.kind, .len = (uint32_t)rest, .i = (int64_t)seconds};
    cel_until_compare(act, op, v, at);
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
    else if (v.kind == CEL_DURATION && value < unit_ns) /* zero units on both sides of zero */
        cel_until(act, div_up(value + unit_ns, (ns_t)-slope * 1000));
    else
        cel_until(act, into / ((ns_t)-slope * 1000) + 1);
}

/* --- ints that move --- */

cel_value cel_moving_int(cel_value t)
{
    return (cel_value){.kind = CEL_INT, .slope = t.slope, .len = t.slope ? t.len : 0, .i = t.i};
}

/* Floors are what an int shows, so that x < n, x >= n change where the value behind it passes n. */
static void until_int(cel_activation *act, cel_op op, cel_value v, ns_t n)
{
    v.kind = CEL_TIMESTAMP;
    if (op != CEL_OP_LE && op != CEL_OP_GT)
        until_edge(act, CEL_OP_GE, v, n * NS);
    if (op != CEL_OP_LT && op != CEL_OP_GE)
        until_edge(act, CEL_OP_GE, v, (n + 1) * NS);
}

static void until_double(cel_activation *act, cel_op op, cel_value v, double d)
{
    if (!(d > -9e18 && d < 9e18)) /* never reached; nor is NaN */
        return;
    int64_t down = (int64_t)d - (d < (double)(int64_t)d);
    bool whole = d == (double)down;
    if (whole || op == CEL_OP_LE || op == CEL_OP_GT)
        until_int(act, op, v, down);
    else if (op == CEL_OP_LT || op == CEL_OP_GE)
        until_int(act, op, v, (ns_t)down + 1);
}

void cel_until_relation(cel_activation *act, cel_op op, cel_value *x, cel_value *y)
{
    if (x->kind != CEL_INT && y->kind != CEL_INT) {
        if (x->kind == y->kind)
            cel_until_compare(act, op, *x, *y);
        return;
    }
    bool left = x->slope != 0;
    cel_value v = left ? *x : *y, other = left ? *y : *x;
    op = left ? op : mirrored(op);
    if (x->slope && y->slope) {
        if (x->kind != y->kind || x->slope != y->slope || x->len != y->len) {
            cel_settle(act, *x);
            cel_settle(act, *y);
        }
    } else if (other.kind == CEL_INT) {
        until_int(act, op, v, other.i);
    } else if (other.kind == CEL_UINT) {
        until_int(act, op, v, (ns_t)other.u);
    } else if (other.kind == CEL_DOUBLE) {
        until_double(act, op, v, other.d);
    }
    if (x->kind == CEL_INT)
        *x = cel_int(x->i);
    if (y->kind == CEL_INT)
        *y = cel_int(y->i);
}

static cel_value out_of_range(cel_activation *act) { return cel_error(act->memory, "return error for overflow"); }

cel_value cel_moving_sum(cel_activation *act, cel_value x, cel_value y)
{
    cel_value v = x.slope ? x : y;
    int64_t other = x.slope ? y.i : x.i, sum;
    if (x.slope && y.slope) {
        cel_settle(act, x);
        cel_settle(act, y);
        v.slope = 0;
    } else if (other != 0) { /* where it leaves or enters the range */
        until_int(act, CEL_OP_GE, v, other > 0 ? (ns_t)INT64_MAX - other + 1 : (ns_t)INT64_MIN - other);
    }
    if (__builtin_add_overflow(v.i, x.slope && y.slope ? y.i : other, &sum))
        return out_of_range(act);
    v.i = sum;
    return v.slope ? v : cel_int(sum);
}

cel_value cel_moving_difference(cel_activation *act, cel_value x, cel_value y)
{
    int64_t difference;
    bool overflow = __builtin_sub_overflow(x.i, y.i, &difference);
    if (x.slope && y.slope) {
        if (x.slope != y.slope || x.len != y.len) {
            cel_settle(act, x);
            cel_settle(act, y);
        }
    } else if (x.slope && y.i != 0) {
        until_int(act, CEL_OP_GE, x, y.i < 0 ? (ns_t)INT64_MAX + y.i + 1 : (ns_t)INT64_MIN + y.i);
    } else if (y.slope) {
        until_int(act, CEL_OP_GE, y, x.i >= 0 ? x.i - (ns_t)INT64_MAX : x.i - (ns_t)INT64_MIN + 1);
    }
    if (overflow)
        return out_of_range(act);
    if ((x.slope != 0) == (y.slope != 0))
        return cel_int(difference);
    x.len = x.slope ? x.len : NS - 1 - y.len; /* n - floor(y) is the floor of n - y + what is missing to a second */
    x.i = difference;
    return cel_with_slope(act, x, x.slope ? x.slope : -y.slope);
}

/* --- through a horizon --- */

static bool is_limit(const cel_horizon *h, int64_t result, cel_value limit)
{
    int order;
    if (h->op == CEL_OP_EQ || h->op == CEL_OP_NE || h->op == CEL_OP_IN)
        return cel_equal(cel_int(result), limit) == (h->op != CEL_OP_NE);
    if (!cel_compare_op(cel_int(result), limit, &order))
        return false;
    return h->op == CEL_OP_LT ? order < 0 : h->op == CEL_OP_LE ? order <= 0 : h->op == CEL_OP_GT ? order > 0 : order >= 0;
}

bool cel_horizon_truth(const cel_horizon *h, int64_t result)
{
    if (h->op != CEL_OP_IN)
        return is_limit(h, result, h->limit);
    for (uint32_t i = 0; i < h->limit.len; i++)
        if (is_limit(h, result, h->limit.items[i]))
            return true;
    return false;
}

static bool is_int_limit(cel_value v) { return v.kind == CEL_INT && v.i > INT64_MIN + 2 && v.i < INT64_MAX - 2; }

static bool has_int_limits(const cel_horizon *h)
{
    if (h->op != CEL_OP_IN)
        return is_int_limit(h->limit);
    for (uint32_t i = 0; i < h->limit.len; i++)
        if (!is_int_limit(h->limit.items[i]))
            return false;
    return true;
}

/* When "v in whole units is at least k" changes. Timestamps round down, durations towards zero. */
static void until_at_least(cel_activation *act, cel_value v, int64_t unit_ns, int64_t k)
{
    if (v.kind == CEL_DURATION && k <= 0)
        until_edge(act, CEL_OP_GT, v, (ns_t)(k - 1) * unit_ns);
    else
        until_edge(act, CEL_OP_GE, v, (ns_t)k * unit_ns);
}

void cel_until_quotient(cel_activation *act, const cel_horizon *h, cel_value v, int64_t unit_ns)
{
    if (v.slope == 0)
        return;
    if (!h || !has_int_limits(h)) {
        cel_until_unit(act, v, unit_ns < NS ? NS : unit_ns);
        return;
    }
    uint32_t count = h->op == CEL_OP_IN ? h->limit.len : 1;
    for (uint32_t i = 0; i < count; i++) {
        int64_t k = h->op == CEL_OP_IN ? h->limit.items[i].i : h->limit.i;
        if (unit_ns == 1) /* finer than the clock: most units are stepped over */
            until_edge(act, h->op == CEL_OP_IN ? CEL_OP_EQ : h->op, v, k);
        for (int64_t edge = k; unit_ns > 1 && edge <= k + 1; edge++)
            if (cel_horizon_truth(h, edge - 1) != cel_horizon_truth(h, edge))
                until_at_least(act, v, unit_ns, edge);
    }
}

void cel_until_cycle(cel_activation *act, const cel_horizon *h, cel_value v, int64_t unit_ns, int64_t modulus)
{
    ns_t value = ns_of(v), into = value % unit_ns, step;
    if (v.slope == 0)
        return;
    if (into < 0)
        into += unit_ns;
    int64_t now = (int64_t)((value - into) / unit_ns % modulus), ahead = 1;
    int64_t direction = v.slope > 0 ? 1 : modulus - 1;
    now = now < 0 ? now + modulus : now;
    for (; h && ahead < modulus; ahead++)
        if (cel_horizon_truth(h, (now + direction * ahead) % modulus) != cel_horizon_truth(h, now))
            break;
    if (ahead >= modulus)
        return;
    step = (ns_t)(v.slope > 0 ? v.slope : -v.slope) * 1000;
    if (v.slope > 0)
        cel_until(act, div_up(ahead * (ns_t)unit_ns - into, step));
    else
        cel_until(act, (into + (ahead - 1) * (ns_t)unit_ns) / step + 1);
}

void cel_until_range(cel_activation *act, ns_t ns, int slope, ns_t low, ns_t high)
{
    const ns_t century_us = (ns_t)100 * 366 * 86400 * 1000000;
    ns_t step = (ns_t)(slope > 0 ? slope : -slope) * 1000, delta = 0;
    if (slope < 0) { /* mirror, so that it grows */
        ns_t mirrored = -low;
        low = -high;
        high = mirrored;
        ns = -ns;
    }
    if (ns < low)
        delta = div_up(low - ns, step);
    else if (ns <= high)
        delta = (high - ns) / step + 1;
    if (slope != 0 && delta > 0 && delta < century_us)
        cel_until(act, delta);
}

cel_value cel_settle(cel_activation *act, cel_value v)
{
    cel_value second = v;
    second.kind = CEL_TIMESTAMP;
    cel_until_unit(act, second, NS);
    v.slope = 0;
    return v.kind == CEL_INT ? cel_int(v.i) : v;
}

cel_value cel_with_slope(cel_activation *act, cel_value v, int slope)
{
    if (slope >= INT8_MIN && slope <= INT8_MAX) {
        v.slope = (int8_t)slope;
        return v;
    }
    cel_until(act, 1000000);
    v.slope = 0;
    return v.kind == CEL_INT ? cel_int(v.i) : v;
}

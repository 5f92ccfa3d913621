/* SPDX-License-Identifier: Apache-2.0 */
/*
 * constant - constants as 64-bit keys: classes of equal values, and order-preserving images of thresholds.
 *
 * Equality is by mathematical value (1, 1u and 1.0 are one class), so each constant that conditions name has one entry here,
 * found by hash, counted by the members that have it. An order keeps integers and doubles apart although they compare: an integer
 * meets a double as a double (cel_compare_op), which is an order over either, not over both together.
 *
 *   family     key
 *   CEL_INT    int, uint: value with its sign bit turned               CEL_DOUBLE   bits, turned so that they sort; -0 is 0
 *   CEL_BOOL   0, 1                                                    CEL_TIMESTAMP, CEL_DURATION   nanoseconds, like INT
 *
 * UINT64_MAX is no key: it stands for "above all". Strings, and the few numbers that do not fit, are compared by nodes.
 */
#include "engine/condition/cohort.h"

#include <math.h>

/* --- classes ------------------------------------------------------------------------------------------------ */
uint32_t class_size(void) { return sizeof(value_class); }

uint32_t class_walk(const condition_index *x, cel_value v, uint64_t hash)
{
    table_walk w;
    for (uint32_t k = table_first(&x->class_table, hash, &w); k != TABLE_NONE; k = table_next(&x->class_table, &w))
        if (class_is(class_at(x, k), v, hash))
            return k;
    return CONDITION_NONE;
}

uint32_t class_take(condition_index *x, cel_value v)
{
    uint64_t hash = class_hash(v);
    uint32_t k = class_walk(x, v, hash);
    cel_value owned;
    if (k != CONDITION_NONE)
        return class_at(x, k)->refs++, k;
    if (!value_own(&owned, v))
        return CONDITION_NONE;
    k = rows_take(&x->classes);
    if (k == ROWS_NONE || !table_add(&x->class_table, hash, k)) {
        if (k != ROWS_NONE)
            rows_give(&x->classes, k);
        value_disown(&owned);
        return CONDITION_NONE;
    }
    *class_at(x, k) = (value_class){.value = owned, .hash = hash, .refs = 1};
    return k;
}

void class_drop(condition_index *x, uint32_t k)
{
    value_class *c = class_at(x, k);
    if (--c->refs)
        return;
    table_remove(&x->class_table, c->hash, k);
    value_disown(&c->value);
    rows_give(&x->classes, k);
}

void classes_deinit(condition_index *x)
{
    for (uint32_t i = 0; i < rows_bound(&x->classes); i++)
        if (rows_there(&x->classes, i) && class_at(x, i)->refs)
            value_disown(&class_at(x, i)->value);
    rows_deinit(&x->classes);
}

/* --- thresholds ---------------------------------------------------------------------------------------------- */
static uint64_t double_key(double d)
{
    uint64_t bits;
    if (d == 0)
        d = 0; /* one zero */
    memcpy(&bits, &d, sizeof(bits));
    return bits & ORDER_SIGN ? ~bits : bits | ORDER_SIGN;
}

static double key_double(uint64_t key)
{
    uint64_t bits = key & ORDER_SIGN ? key & ~ORDER_SIGN : ~key;
    double d;
    memcpy(&d, &bits, sizeof(d));
    return d;
}

/* Nanoseconds, when they fit. */
static bool time_key(cel_value v, uint64_t *key)
{
    int64_t ns;
    if (__builtin_mul_overflow(v.i, INT64_C(1000000000), &ns) || __builtin_add_overflow(ns, (int64_t)v.len, &ns))
        return false;
    *key = order_int(ns);
    return true;
}

bool order_key(cel_value c, uint8_t *family, uint64_t *key)
{
    *family = c.kind;
    switch (c.kind) {
    case CEL_UINT:
        *family = CEL_INT;
        *key = order_int((int64_t)c.u);
        return c.u < INT64_MAX;
    case CEL_INT:
        *key = order_int(c.i);
        return c.i != INT64_MAX;
    case CEL_DOUBLE:
        *key = double_key(c.d);
        return !isnan(c.d);
    case CEL_BOOL:
        *key = c.b;
        return true;
    case CEL_TIMESTAMP:
    case CEL_DURATION:
        return time_key(c, key) && *key != UINT64_MAX;
    default:
        return false;
    }
}

cel_value order_constant(uint8_t family, uint64_t key)
{
    int64_t i = (int64_t)(key ^ ORDER_SIGN), seconds = i / 1000000000, nanos = i % 1000000000;
    switch (family) {
    case CEL_INT:
        return cel_int(i);
    case CEL_DOUBLE:
        return cel_double(key_double(key));
    case CEL_BOOL:
        return cel_bool(key != 0);
    default:
        if (nanos < 0) {
            nanos += 1000000000;
            seconds--;
        }
        return family == CEL_TIMESTAMP ? cel_timestamp(seconds, (uint32_t)nanos) : cel_duration(seconds, (uint32_t)nanos);
    }
}

/* The first integer key whose constant is not below the double (or is above it, when `above`), as the language compares them. */
static uint64_t int_keys_from(double d, bool above)
{
    uint64_t lo = 0, hi = UINT64_MAX;
    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2;
        double c = (double)(int64_t)(mid ^ ORDER_SIGN);
        if (above ? c > d : c >= d)
            hi = mid;
        else
            lo = mid + 1;
    }
    return lo;
}

static bool split_at(uint64_t key, uint64_t *lower, uint64_t *upper)
{
    *lower = key;
    *upper = key + 1;
    return true;
}

static bool split_all_below(uint64_t *lower, uint64_t *upper)
{
    *lower = *upper = UINT64_MAX;
    return true;
}

static bool split_numbers(uint8_t family, cel_value v, uint64_t *lower, uint64_t *upper)
{
    if (family == CEL_DOUBLE)
        return split_at(double_key(v.kind == CEL_INT ? (double)v.i : v.kind == CEL_UINT ? (double)v.u : v.d), lower, upper);
    if (v.kind == CEL_DOUBLE) {
        *lower = int_keys_from(v.d, false);
        *upper = int_keys_from(v.d, true);
        return true;
    }
    bool above_all = v.kind == CEL_UINT ? v.u >= INT64_MAX : v.i == INT64_MAX;
    return above_all ? split_all_below(lower, upper) : split_at(order_int(v.i), lower, upper);
}

bool order_split(uint8_t family, cel_value v, uint64_t *lower, uint64_t *upper, condition_truth *uniform)
{
    bool number = v.kind == CEL_INT || v.kind == CEL_UINT || v.kind == CEL_DOUBLE;
    uint64_t key;
    *uniform = TRUTH_ERROR;
    if (number && (family == CEL_INT || family == CEL_DOUBLE)) {
        *uniform = TRUTH_FALSE; /* NaN is not below, not above, not equal */
        return !(v.kind == CEL_DOUBLE && isnan(v.d)) && split_numbers(family, v, lower, upper);
    }
    if (v.kind != family)
        return false;
    if (v.kind == CEL_BOOL)
        return split_at(v.b, lower, upper);
    if (time_key(v, &key))
        return key == UINT64_MAX ? split_all_below(lower, upper) : split_at(key, lower, upper);
    /* Further away than nanoseconds reach: before or after every constant. */
    *lower = *upper = v.i < 0 ? 0 : UINT64_MAX;
    return true;
}

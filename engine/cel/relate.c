/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relate - equality, comparison, hash and the total order of values.
 *
 * Numbers of different kinds are compared exactly, by mathematical value. All four walk lists and
 * maps at most LIMIT_VALUE_DEPTH deep; below that, values count as unequal and hash alike.
 */
#include "engine/base/hash.h"
#include "engine/cel/value_int.h"
#include "engine/limits.h"

#include <math.h>

#define TWO_63 9223372036854775808.0
#define TWO_64 18446744073709551616.0

static int sign(int64_t a, int64_t b) { return (a > b) - (a < b); }
static int sign_u(uint64_t a, uint64_t b) { return (a > b) - (a < b); }
static int sign_d(double a, double b) { return (a > b) - (a < b); }

/* d is not NaN */
static int compare_int_double(int64_t i, double d)
{
    if (d >= TWO_63)
        return -1;
    if (d < -TWO_63)
        return 1;
    int64_t whole = (int64_t)d;
    return i != whole ? sign(i, whole) : sign_d((double)whole, d);
}

static int compare_uint_double(uint64_t u, double d)
{
    if (d >= TWO_64)
        return -1;
    if (d < 0)
        return 1;
    uint64_t whole = (uint64_t)d;
    return u != whole ? sign_u(u, whole) : sign_d((double)whole, d);
}

static bool is_number(cel_value v) { return v.kind == CEL_INT || v.kind == CEL_UINT || v.kind == CEL_DOUBLE; }

static double as_double(cel_value v) { return v.kind == CEL_INT ? (double)v.i : v.kind == CEL_UINT ? (double)v.u : v.d; }

static bool compare_numbers(cel_value x, cel_value y, int *order)
{
    if ((x.kind == CEL_DOUBLE && isnan(x.d)) || (y.kind == CEL_DOUBLE && isnan(y.d)))
        return false;
    if (x.kind == y.kind)
        *order = x.kind == CEL_INT ? sign(x.i, y.i) : x.kind == CEL_UINT ? sign_u(x.u, y.u) : sign_d(x.d, y.d);
    else if (x.kind == CEL_INT && y.kind == CEL_UINT)
        *order = x.i < 0 ? -1 : sign_u((uint64_t)x.i, y.u);
    else if (x.kind == CEL_UINT && y.kind == CEL_INT)
        *order = y.i < 0 ? 1 : sign_u(x.u, (uint64_t)y.i);
    else if (x.kind == CEL_DOUBLE)
        *order = y.kind == CEL_INT ? -compare_int_double(y.i, x.d) : -compare_uint_double(y.u, x.d);
    else
        *order = x.kind == CEL_INT ? compare_int_double(x.i, y.d) : compare_uint_double(x.u, y.d);
    return true;
}

bool cel_compare(cel_value x, cel_value y, int *order)
{
    if (is_number(x) && is_number(y))
        return compare_numbers(x, y, order);
    if (x.kind != y.kind)
        return false;
    switch (x.kind) {
    case CEL_BOOL:
        *order = (int)x.b - (int)y.b;
        return true;
    case CEL_STRING:
    case CEL_BYTES:
        *order = mandate_slice_cmp(cel_text(x), cel_text(y));
        return true;
    case CEL_TIMESTAMP:
    case CEL_DURATION:
        *order = x.i != y.i ? sign(x.i, y.i) : sign_u(x.len, y.len);
        return true;
    default:
        return false;
    }
}

bool cel_compare_op(cel_value x, cel_value y, int *order)
{
    if (is_number(x) && is_number(y) && x.kind != y.kind && (x.kind == CEL_DOUBLE || y.kind == CEL_DOUBLE)) {
        double a = as_double(x), b = as_double(y);
        *order = sign_d(a, b);
        return !isnan(a) && !isnan(b);
    }
    return cel_compare(x, y, order);
}

static bool same_type(const cel_type *x, const cel_type *y)
{
    if (x == y)
        return true;
    return x->kind == y->kind && (x->kind != CEL_TYPE_OBJECT || x->object == y->object);
}

static bool equal_at(cel_value x, cel_value y, int depth);

static bool equal_maps(cel_value x, cel_value y, int depth)
{
    if (x.len != y.len)
        return false;
    for (uint32_t i = 0; i < x.len; i++) {
        const cel_value *other = cel_map_get(y, x.map[i].key);
        if (!other || !equal_at(x.map[i].value, *other, depth))
            return false;
    }
    return true;
}

static bool equal_items(cel_value x, cel_value y, int depth)
{
    if (x.len != y.len)
        return false;
    for (uint32_t i = 0; i < x.len; i++)
        if (!equal_at(x.items[i], y.items[i], depth))
            return false;
    return true;
}

static bool equal_at(cel_value x, cel_value y, int depth)
{
    int order;
    if (is_number(x) && is_number(y))
        return compare_numbers(x, y, &order) && order == 0;
    if (x.kind != y.kind || depth > LIMIT_VALUE_DEPTH)
        return false;
    switch (x.kind) {
    case CEL_NULL:
        return true;
    case CEL_BOOL:
        return x.b == y.b;
    case CEL_STRING:
    case CEL_BYTES:
        return mandate_slice_eq(cel_text(x), cel_text(y));
    case CEL_TIMESTAMP:
    case CEL_DURATION:
        return x.i == y.i && x.len == y.len;
    case CEL_LIST:
    case CEL_OPTIONAL:
        return equal_items(x, y, depth + 1);
    case CEL_MAP:
        return equal_maps(x, y, depth + 1);
    case CEL_TYPE:
        return same_type(x.t, y.t);
    case CEL_IP:
    case CEL_CIDR:
        return x.type == y.type && mandate_slice_eq(cel_text(x), cel_text(y));
    case CEL_OBJECT:
        return x.type == y.type && x.object == y.object;
    default:
        return false;
    }
}

bool cel_equal(cel_value x, cel_value y) { return equal_at(x, y, 0); }

/* Numbers that are equal have one hash: by the integer when it is one, else by the double's bits.
 *  */
static uint64_t hash_number(cel_value v)
{
    if (v.kind == CEL_INT)
        return hash_u64((uint64_t)v.i);
    if (v.kind == CEL_UINT)
        return hash_u64(v.u);
    if (v.d >= -TWO_63 && v.d < TWO_63 && v.d == (double)(int64_t)v.d)
        return hash_u64((uint64_t)(int64_t)v.d);
    if (v.d >= 0 && v.d < TWO_64 && v.d == (double)(uint64_t)v.d)
        return hash_u64((uint64_t)v.d);
    uint64_t bits;
    memcpy(&bits, &v.d, sizeof bits);
    return hash_mix(0x9e3779b97f4a7c15u, hash_u64(bits));
}

static uint64_t hash_at(cel_value v, int depth)
{
    uint64_t h = hash_mix(v.kind, UINT64_C(0xA0761D6478BD642F));
    if (depth > LIMIT_VALUE_DEPTH)
        return h;
    switch (v.kind) {
    case CEL_BOOL:
        return hash_mix(h, v.b);
    case CEL_INT:
    case CEL_UINT:
    case CEL_DOUBLE:
        return hash_number(v);
    case CEL_STRING:
    case CEL_BYTES:
    case CEL_IP:
        return hash_mix(h, hash_slice(cel_text(v)));
    case CEL_CIDR:
        return hash_mix(hash_mix(h, v.type), hash_slice(cel_text(v)));
    case CEL_TIMESTAMP:
    case CEL_DURATION:
        return hash_mix(h, hash_mix(hash_u64((uint64_t)v.i), v.len));
    case CEL_LIST:
    case CEL_OPTIONAL:
        for (uint32_t i = 0; i < v.len; i++)
            h = hash_mix(h, hash_at(v.items[i], depth + 1));
        return h;
    case CEL_MAP: /* order does not matter: a sum */
        for (uint32_t i = 0; i < v.len; i++)
            h += hash_mix(hash_at(v.map[i].key, depth + 1), hash_at(v.map[i].value, depth + 1));
        return h;
    case CEL_TYPE:
        return hash_mix(h, hash_u64(v.t->kind));
    case CEL_OBJECT:
        return hash_mix(h, hash_u64((uint64_t)(uintptr_t)v.object));
    default:
        return h;
    }
}

uint64_t cel_hash(cel_value v) { return hash_at(v, 0); }

static int order_at(cel_value x, cel_value y, int depth);

static int order_items(const cel_value *x, uint32_t n, const cel_value *y, uint32_t m, int depth)
{
    for (uint32_t i = 0; i < n && i < m; i++) {
        int c = order_at(x[i], y[i], depth);
        if (c)
            return c;
    }
    return sign_u(n, m);
}

static int order_maps(cel_value x, cel_value y, int depth)
{
    for (uint32_t i = 0; i < x.len && i < y.len; i++) {
        int c = order_at(x.map[i].key, y.map[i].key, depth);
        if (c == 0)
            c = order_at(x.map[i].value, y.map[i].value, depth);
        if (c)
            return c;
    }
    return sign_u(x.len, y.len);
}

static int order_at(cel_value x, cel_value y, int depth)
{
    int c = 0;
    if (x.kind != y.kind)
        return sign_u(x.kind, y.kind);
    if (depth > LIMIT_VALUE_DEPTH)
        return 0;
    switch (x.kind) {
    case CEL_LIST:
    case CEL_OPTIONAL:
        return order_items(x.items, x.len, y.items, y.len, depth + 1);
    case CEL_MAP:
        return order_maps(x, y, depth + 1);
    case CEL_DOUBLE: /* NaN first, and -0 before 0 */
        if (isnan(x.d) || isnan(y.d))
            return (int)!isnan(x.d) - (int)!isnan(y.d);
        c = sign_d(x.d, y.d);
        return c ? c : (int)signbit(y.d) - (int)signbit(x.d);
    case CEL_TYPE:
        c = sign_u(x.t->kind, y.t->kind);
        return c ? c : strcmp(cel_type_text(x.t), cel_type_text(y.t));
    case CEL_IP:
    case CEL_CIDR:
        c = mandate_slice_cmp(cel_text(x), cel_text(y));
        return c ? c : sign_u(x.type, y.type);
    case CEL_OBJECT:
        if (x.type != y.type)
            return sign_u(x.type, y.type);
        return sign_u((uint64_t)(uintptr_t)x.object, (uint64_t)(uintptr_t)y.object);
    default:
        return cel_compare(x, y, &c) ? c : 0;
    }
}

int cel_order(cel_value x, cel_value y) { return order_at(x, y, 0); }

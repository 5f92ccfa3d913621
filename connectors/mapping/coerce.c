/* SPDX-License-Identifier: Apache-2.0 */
/*
 * coerce - decoded values as the types that operators declared, when nothing is lost or guessed by it.
 *
 * JSON has one kind of number and no times; Debezium sends integers in whatever fits. So integers, unsigned integers and
 * doubles become each other when the value is exactly the same, and texts become times and durations when they are
 * written as such. Everything else is an error with a sentence: no number is read from a text, no text made of a number.
 */
#include "connectors/mapping/connector_int.h"

#include <math.h>
#include <stdio.h>

#include "engine/base/text.h"
#include "engine/limits.h"

static const char *shown(buf *b, cel_value v)
{
    buf_init(b);
    cel_to_text(b, v, 60);
    return buf_cstr(b);
}

static mandate_status mismatch(cel_value v, const cel_type *type, const char *hint, mandate_error *err)
{
    buf text, want;
    buf_init(&want);
    cel_type_print(&want, type);
    mandate_error_set(err, MANDATE_INVALID, "the declared type is %s, the value is %s (%s)%s", buf_cstr(&want),
                      shown(&text, v), cel_kind_name((cel_kind)v.kind), hint);
    buf_deinit(&text);
    buf_deinit(&want);
    return MANDATE_INVALID;
}

static bool to_int(int64_t *out, cel_value v)
{
    switch (v.kind) {
    case CEL_INT:
        *out = v.i;
        return true;
    case CEL_UINT:
        *out = (int64_t)v.u;
        return v.u <= INT64_MAX;
    case CEL_DOUBLE:
        if (!(v.d >= -0x1p63 && v.d < 0x1p63) || v.d != trunc(v.d))
            return false;
        *out = (int64_t)v.d;
        return true;
    default:
        return false;
    }
}

static bool to_uint(uint64_t *out, cel_value v)
{
    switch (v.kind) {
    case CEL_INT:
        *out = (uint64_t)v.i;
        return v.i >= 0;
    case CEL_UINT:
        *out = v.u;
        return true;
    case CEL_DOUBLE:
        if (!(v.d >= 0 && v.d < 0x1p64) || v.d != trunc(v.d))
            return false;
        *out = (uint64_t)v.d;
        return true;
    default:
        return false;
    }
}

static bool to_double(double *out, cel_value v)
{
    switch (v.kind) {
    case CEL_INT:
        *out = (double)v.i;
        return *out < 0x1p63 && (int64_t)*out == v.i;
    case CEL_UINT:
        *out = (double)v.u;
        return *out < 0x1p64 && (uint64_t)*out == v.u;
    case CEL_DOUBLE:
        *out = v.d;
        return true;
    default:
        return false;
    }
}

static mandate_status coerce_time(cel_value *out, cel_value v, const cel_type *type, mandate_error *err)
{
    int64_t seconds;
    uint32_t nanos;
    if (v.kind == CEL_STRING && time_parse_any(cel_text(v), false, &seconds, &nanos)) {
        *out = cel_timestamp(seconds, nanos);
        return MANDATE_OK;
    }
    return mismatch(v, type, v.kind == CEL_BOOL ? "" : "; time_of(...) reads numbers since 1970 and other time formats",
                    err);
}

static mandate_status coerce_duration(cel_value *out, cel_value v, const cel_type *type, mandate_error *err)
{
    int64_t seconds;
    int32_t nanos;
    if (v.kind != CEL_STRING || !duration_parse(cel_text(v), &seconds, &nanos))
        return mismatch(v, type, "", err);
    if (nanos < 0) { /* values count nanoseconds upwards */
        seconds--;
        nanos += 1000000000;
    }
    *out = cel_duration(seconds, (uint32_t)nanos);
    return MANDATE_OK;
}

static mandate_status coerce_list(cel_value *out, arena *a, cel_value v, const cel_type *type, mandate_error *err)
{
    if (v.kind != CEL_LIST)
        return mismatch(v, type, "", err);
    cel_value *items = ARENA_ARRAY(a, cel_value, v.len ? v.len : 1);
    if (!items)
        return mandate_error_set(err, MANDATE_LIMIT, "the record needs more memory than is allowed");
    for (uint32_t i = 0; i < v.len; i++) {
        mandate_status status = value_coerce(&items[i], a, v.items[i], type->params[0], err);
        if (status)
            return mandate_error_prefix(err, status, "element %u", i);
    }
    *out = cel_list(items, v.len);
    return MANDATE_OK;
}

static mandate_status coerce_map(cel_value *out, arena *a, cel_value v, const cel_type *type, mandate_error *err)
{
    if (v.kind != CEL_MAP)
        return mismatch(v, type, "", err);
    cel_entry *entries = ARENA_ARRAY(a, cel_entry, v.len ? v.len : 1);
    if (!entries)
        return mandate_error_set(err, MANDATE_LIMIT, "the record needs more memory than is allowed");
    for (uint32_t i = 0; i < v.len; i++) {
        mandate_status status = value_coerce(&entries[i].key, a, v.map[i].key, type->params[0], err);
        if (!status)
            status = value_coerce(&entries[i].value, a, v.map[i].value, type->params[1], err);
        if (status)
            return mandate_error_prefix(err, status, "entry %u", i);
    }
    *out = cel_map(entries, v.len);
    return MANDATE_OK;
}

/* Plain data all the way down; nothing else may be stored. */
static mandate_status check_data(cel_value v, uint32_t depth, mandate_error *err)
{
    if (depth > LIMIT_VALUE_DEPTH)
        return mandate_error_set(err, MANDATE_LIMIT, "the value is nested deeper than %d", LIMIT_VALUE_DEPTH);
    mandate_status status = MANDATE_OK;
    switch ((cel_kind)v.kind) {
    case CEL_NULL:
    case CEL_BOOL:
    case CEL_INT:
    case CEL_UINT:
    case CEL_DOUBLE:
    case CEL_STRING:
    case CEL_BYTES:
    case CEL_TIMESTAMP:
    case CEL_DURATION:
        return MANDATE_OK;
    case CEL_LIST:
        for (uint32_t i = 0; i < v.len && !status; i++)
            status = check_data(v.items[i], depth + 1, err);
        return status;
    case CEL_MAP:
        for (uint32_t i = 0; i < v.len && !status; i++) {
            status = check_data(v.map[i].key, depth + 1, err);
            if (!status)
                status = check_data(v.map[i].value, depth + 1, err);
        }
        return status;
    default:
        return mandate_error_set(err, MANDATE_INVALID, "a value of kind %s cannot be stored",
                                 cel_kind_name((cel_kind)v.kind));
    }
}

mandate_status value_coerce(cel_value *out, arena *a, cel_value v, const cel_type *type, mandate_error *err)
{
    bool ok = true;
    *out = v;
    if (v.kind == CEL_NULL)
        return MANDATE_OK;
    switch (type->kind) {
    case CEL_TYPE_DYN:
        return check_data(v, 0, err);
    case CEL_TYPE_BOOL:
        ok = v.kind == CEL_BOOL;
        break;
    case CEL_TYPE_INT:
        out->kind = CEL_INT;
        ok = to_int(&out->i, v);
        break;
    case CEL_TYPE_UINT:
        out->kind = CEL_UINT;
        ok = to_uint(&out->u, v);
        break;
    case CEL_TYPE_DOUBLE:
        out->kind = CEL_DOUBLE;
        ok = to_double(&out->d, v);
        break;
    case CEL_TYPE_STRING:
        ok = v.kind == CEL_STRING;
        return ok ? MANDATE_OK : mismatch(v, type, "; string(...) makes a text of it", err);
    case CEL_TYPE_BYTES:
        ok = v.kind == CEL_BYTES;
        break;
    case CEL_TYPE_TIMESTAMP:
        return v.kind == CEL_TIMESTAMP ? MANDATE_OK : coerce_time(out, v, type, err);
    case CEL_TYPE_DURATION:
        return v.kind == CEL_DURATION ? MANDATE_OK : coerce_duration(out, v, type, err);
    case CEL_TYPE_LIST:
        return coerce_list(out, a, v, type, err);
    case CEL_TYPE_MAP:
        return coerce_map(out, a, v, type, err);
    default:
        ok = false;
    }
    return ok ? MANDATE_OK : mismatch(v, type, "", err);
}

static bool is_number(const cel_type *t)
{
    return t->kind == CEL_TYPE_INT || t->kind == CEL_TYPE_UINT || t->kind == CEL_TYPE_DOUBLE;
}

bool type_may_become(const cel_type *from, const cel_type *to)
{
    if (from->kind == CEL_TYPE_DYN || to->kind == CEL_TYPE_DYN || from->kind == CEL_TYPE_NULL)
        return true;
    if (from->kind == CEL_TYPE_OPTIONAL)
        return type_may_become(from->params[0], to);
    if (is_number(from) && is_number(to))
        return true;
    if (from->kind == CEL_TYPE_STRING && (to->kind == CEL_TYPE_TIMESTAMP || to->kind == CEL_TYPE_DURATION))
        return true;
    if (from->kind != to->kind)
        return false;
    if (from->kind == CEL_TYPE_LIST)
        return type_may_become(from->params[0], to->params[0]);
    if (from->kind == CEL_TYPE_MAP)
        return type_may_become(from->params[0], to->params[0]) && type_may_become(from->params[1], to->params[1]);
    return true;
}

static mandate_slice decimal_text(arena *a, uint64_t v, bool negative)
{
    char digits[24], *at = digits + sizeof(digits);
    do {
        *--at = (char)('0' + v % 10);
        v /= 10;
    } while (v != 0);
    if (negative)
        *--at = '-';
    return arena_dup(a, mandate_slice_of(at, (size_t)(digits + sizeof(digits) - at)));
}

mandate_status value_id(mandate_slice *out, arena *a, cel_value v, mandate_error *err)
{
    buf text;
    mandate_slice id = {0};
    switch (v.kind) {
    case CEL_STRING:
        id = cel_text(v);
        break;
    case CEL_INT:
        id = decimal_text(a, v.i < 0 ? 0 - (uint64_t)v.i : (uint64_t)v.i, v.i < 0);
        break;
    case CEL_UINT:
        id = decimal_text(a, v.u, false);
        break;
    case CEL_NULL:
        return mandate_error_set(err, MANDATE_INVALID, "the id is null");
    default:
        mandate_error_set(err, MANDATE_INVALID, "an id must be a string or an integer, not %s (%s)", shown(&text, v),
                          cel_kind_name((cel_kind)v.kind));
        buf_deinit(&text);
        return MANDATE_INVALID;
    }
    if (!id.ptr && v.kind != CEL_STRING)
        return mandate_error_set(err, MANDATE_LIMIT, "the record needs more memory than is allowed");
    if (id.len == 0)
        return mandate_error_set(err, MANDATE_INVALID, "the id is empty");
    if (id.len > LIMIT_ID)
        return mandate_error_set(err, MANDATE_LIMIT, "an id of %zu bytes, at most %d are allowed", id.len, LIMIT_ID);
    *out = id;
    return MANDATE_OK;
}

/* Seconds until the year 5138, milliseconds from 1973 until 5138, and so on: nothing that is alive is ambiguous. */
static bool number_to_us(int64_t *out, int64_t v)
{
    uint64_t size = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    if (size < 100000000000u)
        *out = v * 1000000;
    else if (size < 100000000000000u)
        *out = v * 1000;
    else if (size < 100000000000000000u)
        *out = v;
    else
        *out = v / 1000 - (v % 1000 < 0);
    return *out / 1000000 >= TIME_SECONDS_MIN && *out / 1000000 <= TIME_SECONDS_MAX;
}

mandate_status value_time_us(int64_t *out, cel_value v, mandate_error *err)
{
    int64_t number, seconds;
    uint32_t nanos;
    buf text;
    if (v.kind == CEL_TIMESTAMP) {
        *out = cel_us(v);
        return MANDATE_OK;
    }
    if (v.kind == CEL_STRING && time_parse_any(cel_text(v), false, &seconds, &nanos)) {
        *out = seconds * 1000000 + nanos / 1000;
        return MANDATE_OK;
    }
    if (to_int(&number, v) && number_to_us(out, number))
        return MANDATE_OK;
    mandate_error_set(err, MANDATE_INVALID,
                      "%s (%s) is no time: a timestamp, RFC 3339 text or a number since 1970 is "
                      "needed; time_of(...) reads other formats",
                      shown(&text, v), cel_kind_name((cel_kind)v.kind));
    buf_deinit(&text);
    return MANDATE_INVALID;
}

/* Doubles are not taken: beyond 2^53 they would run together. */
mandate_status value_version(uint64_t *out, cel_value v, mandate_error *err)
{
    buf text;
    uint64_t number;
    if ((v.kind == CEL_INT || v.kind == CEL_UINT) && to_uint(&number, v) && number < UINT64_MAX) {
        *out = number + 1;
        return MANDATE_OK;
    }
    mandate_error_set(
        err, MANDATE_INVALID,
        "%s (%s) is no version: an integer from 0 to 18446744073709551614 is needed; uint(...) reads one from a text",
        shown(&text, v), cel_kind_name((cel_kind)v.kind));
    buf_deinit(&text);
    return MANDATE_INVALID;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * avro_decode - walks one Avro datum by its plan and builds the value.
 *
 * Nothing in the bytes is believed: each length is compared with what is left, each count also with
 * the items one record may have (record fields count as items, so that nested empty records cannot
 * multiply), nesting with LIMIT_RECORD_DEPTH, enum and union indices with their ranges. What a projection leaves out is
 * bounded in the same way, and its text is not looked at. What is
 * left over at the end is an error. Strings and bytes borrow from the input, keys and symbols from
 * the plan; the rest is in the arena. No other memory is touched.
 */
#include "connectors/decode/avro_plan.h"
#include "connectors/decode/keys.h"

#include <assert.h>

#include "engine/base/text.h"

typedef struct walker {
    const uint8_t *at, *end, *start;
    arena *memory;
    uint32_t items, depth;
    mandate_status status; /* set with err when something returns false */
    mandate_error *err;
} walker;

/* --- failing --- */

static bool fail(walker *w, mandate_status status, const char *what)
{
    w->status = mandate_error_set(w->err, status, "at byte %zu: %s", (size_t)(w->at - w->start), what);
    return false;
}

static bool no_memory(walker *w) { return fail(w, MANDATE_LIMIT, "the value needs more memory than one record may take"); }

static bool keep(walker *w, mandate_status status)
{
    if (status == MANDATE_OK)
        return true;
    w->status = mandate_error_prefix(w->err, status, "at byte %zu", (size_t)(w->at - w->start));
    return false;
}

/* Says where, on the way out; the value under a name that has been passed is not named twice. */
static bool inside(walker *w, cel_value name)
{
    w->status = mandate_error_prefix(w->err, w->status, "%.*s", (int)(name.len < 64 ? name.len : 64), name.s);
    return false;
}

static inline size_t left(const walker *w) { return (size_t)(w->end - w->at); }

/* --- primitives --- */

static bool slow_varint(walker *w, uint64_t *out)
{
    uint64_t v = 0;
    if (left(w) >= 10) { /* no end to look out for, and most numbers that come here are times */
        const uint8_t *at = w->at;
        unsigned shift = 0;
        while (*at >= 0x80 && shift < 63) {
            v |= (uint64_t)(*at++ & 0x7F) << shift;
            shift += 7;
        }
        if (*at < 0x80 && !(shift == 63 && *at > 1)) {
            *out = v | (uint64_t)*at << shift;
            w->at = at + 1;
            return true;
        }
        v = 0;
    }
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (w->at == w->end)
            return fail(w, MANDATE_INVALID, "the record ends inside a number");
        uint8_t byte = *w->at++;
        if (shift == 63 && byte > 1)
            break;
        v |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *out = v;
            return true;
        }
    }
    return fail(w, MANDATE_INVALID, "a number of more than 64 bits");
}

static inline bool take_long(walker *w, int64_t *out)
{
    uint64_t v;
    if (w->at < w->end && *w->at < 0x80)
        v = *w->at++;
    else if (!slow_varint(w, &v))
        return false;
    *out = (int64_t)((v >> 1) ^ -(v & 1));
    return true;
}

static inline bool take_int(walker *w, int64_t *out)
{
    if (!take_long(w, out))
        return false;
    return (*out >= INT32_MIN && *out <= INT32_MAX) || fail(w, MANDATE_INVALID, "an int of more than 32 bits");
}

static inline bool take(walker *w, size_t len, mandate_slice *out)
{
    if (len > left(w))
        return fail(w, MANDATE_INVALID, "the record ends inside a value");
    *out = mandate_slice_of((const char *)w->at, len);
    w->at += len;
    return true;
}

static inline bool take_bytes(walker *w, mandate_slice *out)
{
    int64_t len;
    if (!take_long(w, &len))
        return false;
    if (len < 0)
        return fail(w, MANDATE_INVALID, "a negative length");
    if ((uint64_t)len > left(w))
        return fail(w, MANDATE_INVALID, "a length beyond the end of the record");
    return take(w, (size_t)len, out);
}

/* Most text is ASCII: eight bytes at a time until one is not. */
static inline bool is_utf8(mandate_slice s)
{
    while (s.len >= 8) {
        uint64_t word;
        memcpy(&word, s.ptr, 8);
        if (word & UINT64_C(0x8080808080808080))
            break;
        s.ptr += 8;
        s.len -= 8;
    }
    return utf8_valid(s);
}

static inline bool take_text(walker *w, mandate_slice *out)
{
    if (!take_bytes(w, out))
        return false;
    return is_utf8(*out) || fail(w, MANDATE_INVALID, "a string that is not UTF-8");
}

static bool take_boolean(walker *w, cel_value *out)
{
    mandate_slice byte;
    if (!take(w, 1, &byte))
        return false;
    if ((uint8_t)*byte.ptr > 1)
        return fail(w, MANDATE_INVALID, "a boolean that is neither 0 nor 1");
    *out = cel_bool(*byte.ptr == 1);
    return true;
}

static uint64_t little_endian(mandate_slice s)
{
    uint64_t v = 0;
    for (size_t i = s.len; i > 0; i--)
        v = v << 8 | (uint8_t)s.ptr[i - 1];
    return v;
}

static bool take_float(walker *w, cel_value *out)
{
    mandate_slice s;
    float f;
    if (!take(w, 4, &s))
        return false;
    uint32_t bits = (uint32_t)little_endian(s);
    memcpy(&f, &bits, sizeof f);
    *out = cel_double((double)f);
    return true;
}

static bool take_double(walker *w, cel_value *out)
{
    mandate_slice s;
    double d;
    if (!take(w, 8, &s))
        return false;
    uint64_t bits = little_endian(s);
    memcpy(&d, &bits, sizeof d);
    *out = cel_double(d);
    return true;
}

/* --- containers --- */

static bool walk(walker *w, const avro_step *step, cel_value *out);
static bool skip(walker *w, const avro_step *step);

static bool enter(walker *w)
{
    return ++w->depth <= LIMIT_RECORD_DEPTH || fail(w, MANDATE_LIMIT, "nested deeper than a record may be");
}

static bool count_items(walker *w, uint64_t more)
{
    if (more > LIMIT_RECORD_ITEMS - w->items)
        return fail(w, MANDATE_LIMIT, "more items, entries and fields than a record may have");
    w->items += (uint32_t)more;
    return true;
}

static bool take_record(walker *w, const avro_step *step, cel_value *out)
{
    if (!enter(w) || !count_items(w, step->kept))
        return false;
    cel_entry *entries = arena_alloc(w->memory, step->kept * sizeof *entries), *entry = entries;
    if (!entries)
        return no_memory(w);
    for (const avro_member *m = step->members, *end = m + step->count; m < end; m++) {
        if (m->use == AVRO_READ) {
            entry->key = m->key;
            if (!walk(w, m->step, &entry->value))
                return inside(w, m->key);
            entry++;
            continue;
        }
        if (m->use == AVRO_DEFAULT) {
            *entry++ = (cel_entry){m->key, m->fallback};
            continue;
        }
        if (!skip(w, m->step))
            return inside(w, m->key);
        if (m->use == AVRO_SKIP_KEEP)
            *entry++ = (cel_entry){m->key, cel_null()};
    }
    assert(entry == entries + step->kept);
    *out = cel_map(entries, step->kept);
    w->depth--;
    return true;
}

/* One block's header: how many items follow, 0 at the end, and where they must end (NULL: not
 * said). */
static bool take_block(walker *w, uint64_t *count, const uint8_t **block_end)
{
    int64_t n, size;
    *block_end = NULL;
    if (!take_long(w, &n))
        return false;
    *count = n < 0 ? -(uint64_t)n : (uint64_t)n;
    if (n >= 0)
        return true;
    if (!take_long(w, &size))
        return false;
    if (size < 0 || (uint64_t)size > left(w))
        return fail(w, MANDATE_INVALID, "a block size beyond the end of the record");
    *block_end = w->at + size;
    return true;
}

/* Items of arrays take at least one byte (the plan sees to it), entries of maps too. */
static bool check_block(walker *w, uint64_t count)
{
    if (count > left(w))
        return fail(w, MANDATE_INVALID, "a count beyond the end of the record");
    return count_items(w, count);
}

static bool check_block_end(walker *w, const uint8_t *block_end)
{
    if (block_end && w->at != block_end)
        return fail(w, MANDATE_INVALID, "a block that is not as long as it says");
    return true;
}

/* Room for `more` items after `len`; grows by doubling, so that many small blocks cost linear
 * memory. */
static void *grow(walker *w, void *old, uint32_t len, uint32_t *cap, uint64_t more, size_t size)
{
    uint64_t want = len + more;
    if (want <= *cap)
        return old;
    if (want < 2 * (uint64_t)*cap)
        want = 2 * (uint64_t)*cap;
    void *grown = arena_alloc(w->memory, want * size);
    if (!grown) {
        no_memory(w);
        return NULL;
    }
    if (len)
        memcpy(grown, old, len * size);
    *cap = (uint32_t)want;
    return grown;
}

static bool take_array(walker *w, const avro_step *step, cel_value *out)
{
    cel_value *items = NULL;
    uint32_t len = 0, cap = 0;
    uint64_t count;
    const uint8_t *block_end;
    if (!enter(w))
        return false;
    while (true) {
        if (!take_block(w, &count, &block_end))
            return false;
        if (count == 0 && !block_end)
            break;
        if (!check_block(w, count) || !(items = grow(w, items, len, &cap, count, sizeof *items)))
            return false;
        for (; count > 0; count--)
            if (!walk(w, step->item, &items[len++]))
                return false;
        if (!check_block_end(w, block_end))
            return false;
    }
    *out = cel_list(items, len);
    w->depth--;
    return true;
}

static bool take_entry(walker *w, const avro_step *step, cel_entry *entry)
{
    mandate_slice key;
    if (!take_text(w, &key))
        return false;
    entry->key = cel_string(key);
    return walk(w, step->item, &entry->value) || inside(w, entry->key);
}

static bool take_map(walker *w, const avro_step *step, cel_value *out)
{
    cel_entry *entries = NULL;
    uint32_t len = 0, cap = 0;
    uint64_t count;
    const uint8_t *block_end;
    mandate_slice twice;
    if (!enter(w))
        return false;
    while (true) {
        if (!take_block(w, &count, &block_end))
            return false;
        if (count == 0 && !block_end)
            break;
        if (!check_block(w, count) || !(entries = grow(w, entries, len, &cap, count, sizeof *entries)))
            return false;
        for (; count > 0; count--)
            if (!take_entry(w, step, &entries[len++]))
                return false;
        if (!check_block_end(w, block_end))
            return false;
    }
    if (keys_repeat(&twice, w->memory, entries, len))
        return fail(w, MANDATE_INVALID, "a map with one key twice");
    if (w->memory->failed)
        return no_memory(w);
    *out = cel_map(entries, len);
    w->depth--;
    return true;
}

static bool take_enum(walker *w, const avro_step *step, cel_value *out)
{
    int64_t index;
    if (!take_int(w, &index))
        return false;
    if (index < 0 || index >= step->count)
        return fail(w, MANDATE_INVALID, "an enum index that the schema does not have");
    *out = step->symbols[index];
    return true;
}

static bool take_union(walker *w, const avro_step *step, cel_value *out)
{
    int64_t index;
    if (!take_long(w, &index))
        return false;
    if (index < 0 || index >= step->count)
        return fail(w, MANDATE_INVALID, "a union branch that the schema does not have");
    return walk(w, step->branches[index], out);
}

/* --- meanings --- */

static bool take_bytes_as(walker *w, const avro_step *step, cel_value *out)
{
    mandate_slice s;
    return take_bytes(w, &s) && keep(w, semantic_of_decimal(out, w->memory, s, step->scale, w->err));
}

static bool take_fixed_as(walker *w, const avro_step *step, cel_value *out)
{
    mandate_slice s;
    if (!take(w, step->count, &s))
        return false;
    const uint8_t *bytes = (const uint8_t *)s.ptr;
    if (step->meaning == SEMANTIC_UUID)
        return keep(w, semantic_of_uuid(out, w->memory, bytes, w->err));
    if (step->meaning == SEMANTIC_DURATION)
        return keep(w, semantic_of_duration(out, bytes, w->err));
    return keep(w, semantic_of_decimal(out, w->memory, s, step->scale, w->err));
}

static bool take_record_as(walker *w, const avro_step *step, cel_value *out)
{
    cel_value fields;
    if (!take_record(w, step, &fields))
        return false;
    const cel_value *scale = cel_map_get_str(fields, "scale"), *value = cel_map_get_str(fields, "value");
    if (!scale || scale->kind != CEL_INT || !value || value->kind != CEL_BYTES)
        return fail(w, MANDATE_INVALID, "a decimal with its own scale that has no int `scale` and bytes `value`");
    return keep(w, semantic_of_decimal(out, w->memory, cel_text(*value), scale->i, w->err));
}

/* --- the switch --- */

static bool walk(walker *w, const avro_step *step, cel_value *out)
{
    mandate_slice s;
    int64_t i;
    switch ((avro_op)step->op) {
    case AVRO_OP_NULL:
        *out = cel_null();
        return true;
    case AVRO_OP_BOOLEAN:
        return take_boolean(w, out);
    case AVRO_OP_INT:
        if (!take_int(w, &i))
            return false;
        *out = cel_int(i);
        return true;
    case AVRO_OP_LONG:
        if (!take_long(w, &i))
            return false;
        *out = cel_int(i);
        return true;
    case AVRO_OP_FLOAT:
        return take_float(w, out);
    case AVRO_OP_DOUBLE:
        return take_double(w, out);
    case AVRO_OP_BYTES:
        if (!take_bytes(w, &s))
            return false;
        *out = cel_bytes(s);
        return true;
    case AVRO_OP_STRING:
        if (!take_text(w, &s))
            return false;
        *out = cel_string(s);
        return true;
    case AVRO_OP_FIXED:
        if (!take(w, step->count, &s))
            return false;
        *out = cel_bytes(s);
        return true;
    case AVRO_OP_RECORD:
        return take_record(w, step, out);
    case AVRO_OP_ENUM:
        return take_enum(w, step, out);
    case AVRO_OP_ARRAY:
        return take_array(w, step, out);
    case AVRO_OP_MAP:
        return take_map(w, step, out);
    case AVRO_OP_UNION:
        return take_union(w, step, out);
    case AVRO_OP_INT_AS:
        return take_int(w, &i) && keep(w, semantic_of_int(out, (semantic)step->meaning, i, w->err));
    case AVRO_OP_LONG_AS:
        return take_long(w, &i) && keep(w, semantic_of_int(out, (semantic)step->meaning, i, w->err));
    case AVRO_OP_STRING_AS:
        return take_text(w, &s) && keep(w, semantic_of_text(out, s, w->err));
    case AVRO_OP_BYTES_AS:
        return take_bytes_as(w, step, out);
    case AVRO_OP_FIXED_AS:
        return take_fixed_as(w, step, out);
    case AVRO_OP_RECORD_AS:
        return take_record_as(w, step, out);
    }
    assert(!"every operation is read above");
    return false;
}

/* --- what nobody reads: bounded, not built --- */

static bool skip_bytes(walker *w, uint64_t len)
{
    if (len > left(w))
        return fail(w, MANDATE_INVALID, "the record ends inside a value");
    w->at += len;
    return true;
}

static bool skip_long(walker *w)
{
    const uint8_t *at = w->at, *end = left(w) > 10 ? at + 10 : w->end;
    while (at < end && *at >= 0x80)
        at++;
    if (at == end)
        return fail(w, MANDATE_INVALID, left(w) > 10 ? "a number of more than 64 bits" : "the record ends inside a number");
    w->at = at + 1;
    return true;
}

static bool skip_fields(walker *w, const avro_step *step)
{
    if (!enter(w))
        return false;
    for (uint32_t i = 0; i < step->count; i++)
        if (!skip(w, step->members[i].step))
            return inside(w, step->members[i].key);
    w->depth--;
    return true;
}

static bool skip_blocks(walker *w, const avro_step *step)
{
    uint64_t count;
    const uint8_t *block_end;
    mandate_slice key;
    if (!enter(w))
        return false;
    while (true) {
        if (!take_block(w, &count, &block_end))
            return false;
        if (count == 0 && !block_end)
            break;
        if (count > left(w))
            return fail(w, MANDATE_INVALID, "a count beyond the end of the record");
        for (; count > 0; count--)
            if ((step->op == AVRO_OP_MAP && !take_bytes(w, &key)) || !skip(w, step->item))
                return false;
        if (!check_block_end(w, block_end))
            return false;
    }
    w->depth--;
    return true;
}

static bool skip(walker *w, const avro_step *step)
{
    mandate_slice s;
    int64_t i;
    switch ((avro_op)step->op) {
    case AVRO_OP_NULL:
        return true;
    case AVRO_OP_BOOLEAN:
        return skip_bytes(w, 1);
    case AVRO_OP_INT:
    case AVRO_OP_LONG:
    case AVRO_OP_INT_AS:
    case AVRO_OP_LONG_AS:
        return skip_long(w);
    case AVRO_OP_FLOAT:
        return skip_bytes(w, 4);
    case AVRO_OP_DOUBLE:
        return skip_bytes(w, 8);
    case AVRO_OP_BYTES:
    case AVRO_OP_STRING:
    case AVRO_OP_STRING_AS:
    case AVRO_OP_BYTES_AS:
        return take_bytes(w, &s);
    case AVRO_OP_FIXED:
    case AVRO_OP_FIXED_AS:
        return skip_bytes(w, step->count);
    case AVRO_OP_RECORD:
    case AVRO_OP_RECORD_AS:
        return skip_fields(w, step);
    case AVRO_OP_ENUM: {
        cel_value symbol;
        return take_enum(w, step, &symbol);
    }
    case AVRO_OP_ARRAY:
    case AVRO_OP_MAP:
        return skip_blocks(w, step);
    case AVRO_OP_UNION:
        if (!take_long(w, &i))
            return false;
        if (i < 0 || i >= step->count)
            return fail(w, MANDATE_INVALID, "a union branch that the schema does not have");
        return skip(w, step->branches[i]);
    }
    assert(!"every operation is skipped above");
    return false;
}

mandate_status avro_decode(cel_value *out, const avro_plan *plan, arena *a, mandate_slice data, mandate_error *err)
{
    const uint8_t *bytes = (const uint8_t *)(data.len ? data.ptr : "");
    walker w = {.at = bytes, .end = bytes + data.len, .start = bytes, .memory = a, .err = err};
    cel_value value;
    if (data.len > LIMIT_RECORD)
        return mandate_error_set(err, MANDATE_LIMIT, "Avro data of %zu bytes; the limit is %d", data.len, LIMIT_RECORD);
    if (!walk(&w, plan->root, &value)) {
        assert(w.status != MANDATE_OK);
        return mandate_error_prefix(err, w.status, "Avro data");
    }
    if (w.at != w.end)
        return mandate_error_set(err, MANDATE_INVALID,
                                 "Avro data: %zu bytes are left after the value; is this the writer's schema?", left(&w));
    assert(w.depth == 0);
    *out = value;
    return MANDATE_OK;
}

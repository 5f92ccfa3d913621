/* SPDX-License-Identifier: Apache-2.0 */
/*
 * avro_decode - walks one Avro datum by its plan and builds the value.
 *
 * Each count is compared with what is left and with the items one record may have (record fields count as items, so that
 * nested empty records cannot multiply), nesting with LIMIT_RECORD_DEPTH, enum and union indices with their ranges. What is
 * left over at the end is an error. Strings and bytes borrow from the input, keys and symbols from the plan; the rest is
 * in the arena. No other memory is touched.
 */
#include "connectors/decode/avro_walk.h"
#include "connectors/decode/keys.h"

#include <assert.h>

/* --- primitives --- */

static bool take_boolean(avro_walker *w, cel_value *out)
{
    mandate_slice byte;
    if (!avro_take(w, 1, &byte))
        return false;
    if ((uint8_t)*byte.ptr > 1)
        return avro_fail(w, MANDATE_INVALID, "a boolean that is neither 0 nor 1");
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

static bool take_float(avro_walker *w, cel_value *out)
{
    mandate_slice s;
    float f;
    if (!avro_take(w, 4, &s))
        return false;
    uint32_t bits = (uint32_t)little_endian(s);
    memcpy(&f, &bits, sizeof f);
    *out = cel_double((double)f);
    return true;
}

static bool take_double(avro_walker *w, cel_value *out)
{
    mandate_slice s;
    double d;
    if (!avro_take(w, 8, &s))
        return false;
    uint64_t bits = little_endian(s);
    memcpy(&d, &bits, sizeof d);
    *out = cel_double(d);
    return true;
}

/* --- containers --- */

static bool take_record(avro_walker *w, const avro_step *step, cel_value *out)
{
    if (!avro_enter(w) || !avro_count_items(w, step->kept))
        return false;
    cel_entry *entries = arena_alloc(w->memory, step->kept * sizeof *entries), *entry = entries;
    if (!entries)
        return avro_no_memory(w);
    for (const avro_member *m = step->members, *end = m + step->count; m < end; m++) {
        if (m->use == AVRO_READ) {
            entry->key = m->key;
            if (!avro_walk(w, m->step, &entry->value))
                return avro_inside(w, m->key);
            entry++;
            continue;
        }
        if (m->use == AVRO_DEFAULT) {
            *entry++ = (cel_entry){m->key, m->fallback};
            continue;
        }
        if (!avro_skip(w, m->step))
            return avro_inside(w, m->key);
        if (m->use == AVRO_SKIP_KEEP)
            *entry++ = (cel_entry){m->key, cel_null()};
    }
    assert(entry == entries + step->kept);
    *out = cel_map(entries, step->kept);
    w->depth--;
    return true;
}

/* Room for `more` items after `len`; grows by doubling, so that many small blocks cost linear
 * memory. */
static void *grow(avro_walker *w, void *old, uint32_t len, uint32_t *cap, uint64_t more, size_t size)
{
    uint64_t want = len + more;
    if (want <= *cap)
        return old;
    if (want < 2 * (uint64_t)*cap)
        want = 2 * (uint64_t)*cap;
    void *grown = arena_alloc(w->memory, want * size);
    if (!grown) {
        avro_no_memory(w);
        return NULL;
    }
    if (len)
        memcpy(grown, old, len * size);
    *cap = (uint32_t)want;
    return grown;
}

static bool take_array(avro_walker *w, const avro_step *step, cel_value *out)
{
    cel_value *items = NULL;
    uint32_t len = 0, cap = 0;
    uint64_t count;
    const uint8_t *block_end;
    if (!avro_enter(w))
        return false;
    while (true) {
        if (!avro_take_block(w, &count, &block_end))
            return false;
        if (count == 0 && !block_end)
            break;
        if (!avro_check_block(w, count) || !(items = grow(w, items, len, &cap, count, sizeof *items)))
            return false;
        for (; count > 0; count--)
            if (!avro_walk(w, step->item, &items[len++]))
                return false;
        if (!avro_check_block_end(w, block_end))
            return false;
    }
    *out = cel_list(items, len);
    w->depth--;
    return true;
}

static bool take_entry(avro_walker *w, const avro_step *step, cel_entry *entry)
{
    mandate_slice key;
    if (!avro_take_text(w, &key))
        return false;
    entry->key = cel_string(key);
    return avro_walk(w, step->item, &entry->value) || avro_inside(w, entry->key);
}

static bool take_map(avro_walker *w, const avro_step *step, cel_value *out)
{
    cel_entry *entries = NULL;
    uint32_t len = 0, cap = 0;
    uint64_t count;
    const uint8_t *block_end;
    mandate_slice twice;
    if (!avro_enter(w))
        return false;
    while (true) {
        if (!avro_take_block(w, &count, &block_end))
            return false;
        if (count == 0 && !block_end)
            break;
        if (!avro_check_block(w, count) || !(entries = grow(w, entries, len, &cap, count, sizeof *entries)))
            return false;
        for (; count > 0; count--)
            if (!take_entry(w, step, &entries[len++]))
                return false;
        if (!avro_check_block_end(w, block_end))
            return false;
    }
    if (keys_repeat(&twice, w->memory, entries, len))
        return avro_fail(w, MANDATE_INVALID, "a map with one key twice");
    if (w->memory->failed)
        return avro_no_memory(w);
    *out = cel_map(entries, len);
    w->depth--;
    return true;
}

static bool take_enum(avro_walker *w, const avro_step *step, cel_value *out)
{
    int64_t index;
    if (!avro_take_int(w, &index))
        return false;
    if (index < 0 || index >= step->count)
        return avro_fail(w, MANDATE_INVALID, "an enum index that the schema does not have");
    *out = step->symbols[index];
    return true;
}

static bool take_union(avro_walker *w, const avro_step *step, cel_value *out)
{
    int64_t index;
    if (!avro_take_long(w, &index))
        return false;
    if (index < 0 || index >= step->count)
        return avro_fail(w, MANDATE_INVALID, "a union branch that the schema does not have");
    return avro_walk(w, step->branches[index], out);
}

/* --- meanings --- */

static bool take_bytes_as(avro_walker *w, const avro_step *step, cel_value *out)
{
    mandate_slice s;
    return avro_take_bytes(w, &s) && avro_keep(w, semantic_of_decimal(out, w->memory, s, step->scale, w->err));
}

static bool take_fixed_as(avro_walker *w, const avro_step *step, cel_value *out)
{
    mandate_slice s;
    if (!avro_take(w, step->count, &s))
        return false;
    const uint8_t *bytes = (const uint8_t *)s.ptr;
    if (step->meaning == SEMANTIC_UUID)
        return avro_keep(w, semantic_of_uuid(out, w->memory, bytes, w->err));
    if (step->meaning == SEMANTIC_DURATION)
        return avro_keep(w, semantic_of_duration(out, bytes, w->err));
    return avro_keep(w, semantic_of_decimal(out, w->memory, s, step->scale, w->err));
}

static bool take_record_as(avro_walker *w, const avro_step *step, cel_value *out)
{
    cel_value fields;
    if (!take_record(w, step, &fields))
        return false;
    const cel_value *scale = cel_map_get_str(fields, "scale"), *value = cel_map_get_str(fields, "value");
    if (!scale || scale->kind != CEL_INT || !value || value->kind != CEL_BYTES)
        return avro_fail(w, MANDATE_INVALID, "a decimal with its own scale that has no int `scale` and bytes `value`");
    return avro_keep(w, semantic_of_decimal(out, w->memory, cel_text(*value), scale->i, w->err));
}

/* --- the switch --- */

bool avro_walk(avro_walker *w, const avro_step *step, cel_value *out)
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
        if (!avro_take_int(w, &i))
            return false;
        *out = cel_int(i);
        return true;
    case AVRO_OP_LONG:
        if (!avro_take_long(w, &i))
            return false;
        *out = cel_int(i);
        return true;
    case AVRO_OP_FLOAT:
        return take_float(w, out);
    case AVRO_OP_DOUBLE:
        return take_double(w, out);
    case AVRO_OP_BYTES:
        if (!avro_take_bytes(w, &s))
            return false;
        *out = cel_bytes(s);
        return true;
    case AVRO_OP_STRING:
        if (!avro_take_text(w, &s))
            return false;
        *out = cel_string(s);
        return true;
    case AVRO_OP_FIXED:
        if (!avro_take(w, step->count, &s))
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
        return avro_take_int(w, &i) && avro_keep(w, semantic_of_int(out, (semantic)step->meaning, i, w->err));
    case AVRO_OP_LONG_AS:
        return avro_take_long(w, &i) && avro_keep(w, semantic_of_int(out, (semantic)step->meaning, i, w->err));
    case AVRO_OP_STRING_AS:
        return avro_take_text(w, &s) && avro_keep(w, semantic_of_text(out, s, w->err));
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

mandate_status avro_decode(cel_value *out, const avro_plan *plan, arena *a, mandate_slice data, mandate_error *err)
{
    const uint8_t *bytes = (const uint8_t *)(data.len ? data.ptr : "");
    avro_walker w = {.at = bytes, .end = bytes + data.len, .start = bytes, .memory = a, .err = err};
    cel_value value;
    if (data.len > LIMIT_RECORD)
        return mandate_error_set(err, MANDATE_LIMIT, "Avro data of %zu bytes; the limit is %d", data.len, LIMIT_RECORD);
    if (!avro_walk(&w, plan->root, &value)) {
        assert(w.status != MANDATE_OK);
        return mandate_error_prefix(err, w.status, "Avro data");
    }
    if (w.at != w.end)
        return mandate_error_set(err, MANDATE_INVALID,
                                 "Avro data: %zu bytes are left after the value; is this the writer's schema?",
                                 avro_left(&w));
    assert(w.depth == 0);
    *out = value;
    return MANDATE_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * avro_skip - passes over what nobody reads: bounded in the same way as what is built, but its text is not looked at, it is
 * not counted as items, and repeated keys in it are nobody's concern.
 */
#include "connectors/decode/avro_walk.h"

#include <assert.h>

static bool skip_bytes(avro_walker *w, uint64_t len)
{
    if (len > avro_left(w))
        return avro_fail(w, MANDATE_INVALID, "the record ends inside a value");
    w->at += len;
    return true;
}

static bool skip_long(avro_walker *w)
{
    const uint8_t *at = w->at, *end = avro_left(w) > 10 ? at + 10 : w->end;
    while (at < end && *at >= 0x80)
        at++;
    if (at < end) {
        w->at = at + 1;
        return true;
    }
    return avro_fail(w, MANDATE_INVALID,
                     avro_left(w) > 10 ? "a number of more than 64 bits" : "the record ends inside a number");
}

/* An enum's or a union's number, which the schema must have. */
static bool take_index(avro_walker *w, const avro_step *step, const char *what, int64_t *out)
{
    return avro_take_long(w, out) && ((*out >= 0 && *out < step->count) || avro_fail(w, MANDATE_INVALID, what));
}

static bool skip_fields(avro_walker *w, const avro_step *step)
{
    if (!avro_enter(w))
        return false;
    for (uint32_t i = 0; i < step->count; i++)
        if (!avro_skip(w, step->members[i].step))
            return avro_inside(w, step->members[i].key);
    w->depth--;
    return true;
}

static bool skip_blocks(avro_walker *w, const avro_step *step)
{
    uint64_t count;
    const uint8_t *block_end;
    mandate_slice key;
    if (!avro_enter(w))
        return false;
    while (true) {
        if (!avro_take_block(w, &count, &block_end))
            return false;
        if (count == 0 && !block_end)
            break;
        if (count > avro_left(w))
            return avro_fail(w, MANDATE_INVALID, "a count beyond the end of the record");
        for (; count > 0; count--)
            if ((step->op == AVRO_OP_MAP && !avro_take_bytes(w, &key)) || !avro_skip(w, step->item))
                return false;
        if (!avro_check_block_end(w, block_end))
            return false;
    }
    w->depth--;
    return true;
}

bool avro_skip(avro_walker *w, const avro_step *step)
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
        return avro_take_bytes(w, &s);
    case AVRO_OP_FIXED:
    case AVRO_OP_FIXED_AS:
        return skip_bytes(w, step->count);
    case AVRO_OP_RECORD:
    case AVRO_OP_RECORD_AS:
        return skip_fields(w, step);
    case AVRO_OP_ENUM:
        return take_index(w, step, "an enum index that the schema does not have", &i);
    case AVRO_OP_ARRAY:
    case AVRO_OP_MAP:
        return skip_blocks(w, step);
    case AVRO_OP_UNION:
        return take_index(w, step, "a union branch that the schema does not have", &i) && avro_skip(w, step->branches[i]);
    }
    assert(!"every operation is skipped above");
    return false;
}

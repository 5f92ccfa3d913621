/* SPDX-License-Identifier: Apache-2.0 */
/*
 * avro_walk - the parts that are not worth inlining: failing, numbers near the end of the record, blocks.
 */
#include "connectors/decode/avro_walk.h"

void avro_set_failure(avro_walker *w, mandate_status status, const char *what)
{
    w->status = mandate_error_set(w->err, status, "at byte %zu: %s", (size_t)(w->at - w->start), what);
}

void avro_prefix_place(avro_walker *w, mandate_status status)
{
    w->status = mandate_error_prefix(w->err, status, "at byte %zu", (size_t)(w->at - w->start));
}

/* The value under a name that has been passed is not named twice. */
void avro_prefix_name(avro_walker *w, cel_value name)
{
    w->status = mandate_error_prefix(w->err, w->status, "%.*s", (int)(name.len < 64 ? name.len : 64), name.s);
}

bool avro_slow_varint(avro_walker *w, uint64_t *out)
{
    uint64_t v = 0;
    for (unsigned shift = 0; shift < 70; shift += 7) {
        if (w->at == w->end)
            return avro_fail(w, MANDATE_INVALID, "the record ends inside a number");
        uint8_t byte = *w->at++;
        if (shift == 63 && byte > 1)
            break;
        v |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *out = v;
            return true;
        }
    }
    return avro_fail(w, MANDATE_INVALID, "a number of more than 64 bits");
}

bool avro_enter(avro_walker *w)
{
    return ++w->depth <= LIMIT_RECORD_DEPTH || avro_fail(w, MANDATE_LIMIT, "nested deeper than a record may be");
}

bool avro_count_items(avro_walker *w, uint64_t more)
{
    if (more > LIMIT_RECORD_ITEMS - w->items)
        return avro_fail(w, MANDATE_LIMIT, "more items, entries and fields than a record may have");
    w->items += (uint32_t)more;
    return true;
}

bool avro_take_block(avro_walker *w, uint64_t *count, const uint8_t **block_end)
{
    int64_t n, size;
    *block_end = NULL;
    if (!avro_take_long(w, &n))
        return false;
    *count = n < 0 ? -(uint64_t)n : (uint64_t)n;
    if (n >= 0)
        return true;
    if (!avro_take_long(w, &size))
        return false;
    if (size < 0 || (uint64_t)size > avro_left(w))
        return avro_fail(w, MANDATE_INVALID, "a block size beyond the end of the record");
    *block_end = w->at + size;
    return true;
}

bool avro_check_block(avro_walker *w, uint64_t count)
{
    if (count > avro_left(w))
        return avro_fail(w, MANDATE_INVALID, "a count beyond the end of the record");
    return avro_count_items(w, count);
}

bool avro_check_block_end(avro_walker *w, const uint8_t *block_end)
{
    if (block_end && w->at != block_end)
        return avro_fail(w, MANDATE_INVALID, "a block that is not as long as it says");
    return true;
}

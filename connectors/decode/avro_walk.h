/* SPDX-License-Identifier: Apache-2.0 */
/*
 * avro_walk - the place in an Avro datum, and what its bytes are made of: numbers, lengths, text, blocks.
 *
 * Shared by those who build a value (avro_decode.c), pass over one (avro_skip.c) and read single fields (avro_slots.c).
 * Nothing in the bytes is believed: each length is compared with what is left before it is used. A function that returns
 * false has set `status` and `err`, where and why.
 */
#ifndef MANDATE_CONNECTORS_DECODE_AVRO_WALK_H
#define MANDATE_CONNECTORS_DECODE_AVRO_WALK_H

#include "connectors/decode/avro_plan.h"
#include "engine/base/text.h"

typedef struct avro_walker {
    const uint8_t *at, *end, *start;
    arena *memory;
    uint32_t items, depth;
    mandate_status status; /* set with err when something returns false */
    mandate_error *err;
} avro_walker;

/* The value of a step, built; or passed over. */
MANDATE_CHECK bool avro_walk(avro_walker *w, const avro_step *step, cel_value *out);
MANDATE_CHECK bool avro_skip(avro_walker *w, const avro_step *step);

/* What is wrong, and where. Inline, so that the compiler sees what a failure returns. */
void avro_set_failure(avro_walker *w, mandate_status status, const char *what);
void avro_prefix_place(avro_walker *w, mandate_status status);
void avro_prefix_name(avro_walker *w, cel_value name);

static inline bool avro_fail(avro_walker *w, mandate_status status, const char *what)
{
    avro_set_failure(w, status, what);
    return false;
}

static inline bool avro_no_memory(avro_walker *w)
{
    return avro_fail(w, MANDATE_LIMIT, "the value needs more memory than one record may take");
}

/* Of a function that has set err. */
static inline bool avro_keep(avro_walker *w, mandate_status status)
{
    if (status == MANDATE_OK)
        return true;
    avro_prefix_place(w, status);
    return false;
}

/* Says in which field, on the way out. */
static inline bool avro_inside(avro_walker *w, cel_value name)
{
    avro_prefix_name(w, name);
    return false;
}

MANDATE_CHECK bool avro_enter(avro_walker *w);
MANDATE_CHECK bool avro_count_items(avro_walker *w, uint64_t more);
/* One block's header: how many items follow, 0 at the end, and where they must end (NULL: not said). */
MANDATE_CHECK bool avro_take_block(avro_walker *w, uint64_t *count, const uint8_t **block_end);
/* Items of arrays take at least one byte (the plan sees to it), entries of maps too. */
MANDATE_CHECK bool avro_check_block(avro_walker *w, uint64_t count);
MANDATE_CHECK bool avro_check_block_end(avro_walker *w, const uint8_t *block_end);

static inline size_t avro_left(const avro_walker *w) { return (size_t)(w->end - w->at); }

MANDATE_CHECK bool avro_slow_varint(avro_walker *w, uint64_t *out);

/* How many bytes the varint in a word (little endian) has, 0 for more than 8. */
static inline unsigned avro_varint_size(uint64_t word)
{
    uint64_t ends = ~word & UINT64_C(0x8080808080808080);
    return ends ? ((unsigned)__builtin_ctzll(ends) >> 3) + 1 : 0;
}

/* Its groups of seven bits put together: pairs, then fours, then all. */
static inline uint64_t avro_varint_value(uint64_t word, unsigned size)
{
    word &= UINT64_C(0x7f7f7f7f7f7f7f7f) >> (64 - 8 * size);
    word = (word & UINT64_C(0x007f007f007f007f)) | (word & UINT64_C(0x7f007f007f007f00)) >> 1;
    word = (word & UINT64_C(0x00003fff00003fff)) | (word & UINT64_C(0x3fff00003fff0000)) >> 2;
    return (word & UINT64_C(0x000000000fffffff)) | (word & UINT64_C(0x0fffffff00000000)) >> 4;
}

static inline uint64_t avro_word(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* The next eight bytes; those beyond the end look as if the number went on. */
static inline uint64_t avro_word_before(const uint8_t *at, const uint8_t *end)
{
    uint64_t word = UINT64_MAX;
    if (end - at >= 8)
        return avro_word(at);
    memcpy(&word, at, (size_t)(end - at));
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

static inline bool avro_take_varint(avro_walker *w, uint64_t *out)
{
    if (w->at < w->end && *w->at < 0x80) {
        *out = *w->at++;
        return true;
    }
    uint64_t word = avro_word_before(w->at, w->end); /* most numbers that come here are times */
    unsigned size = avro_varint_size(word);
    if (!size)
        return avro_slow_varint(w, out);
    w->at += size;
    *out = avro_varint_value(word, size);
    return true;
}

static inline int64_t avro_unzigzag(uint64_t v) { return (int64_t)((v >> 1) ^ -(v & 1)); }

static inline bool avro_take_long(avro_walker *w, int64_t *out)
{
    uint64_t v;
    if (!avro_take_varint(w, &v))
        return false;
    *out = avro_unzigzag(v);
    return true;
}

static inline bool avro_take_int(avro_walker *w, int64_t *out)
{
    if (!avro_take_long(w, out))
        return false;
    return (*out >= INT32_MIN && *out <= INT32_MAX) || avro_fail(w, MANDATE_INVALID, "an int of more than 32 bits");
}

static inline bool avro_take(avro_walker *w, size_t len, mandate_slice *out)
{
    if (len > avro_left(w))
        return avro_fail(w, MANDATE_INVALID, "the record ends inside a value");
    *out = mandate_slice_of((const char *)w->at, len);
    w->at += len;
    return true;
}

static inline bool avro_take_bytes(avro_walker *w, mandate_slice *out)
{
    int64_t len;
    if (!avro_take_long(w, &len))
        return false;
    if (len < 0)
        return avro_fail(w, MANDATE_INVALID, "a negative length");
    if ((uint64_t)len > avro_left(w))
        return avro_fail(w, MANDATE_INVALID, "a length beyond the end of the record");
    return avro_take(w, (size_t)len, out);
}

/* Most text is ASCII: eight bytes at a time until one is not. `end`: of what may be read. */
static inline bool avro_is_utf8(mandate_slice s, const uint8_t *end)
{
    const uint64_t high = UINT64_C(0x8080808080808080);
    while (s.len >= 8) {
        if (avro_word((const uint8_t *)s.ptr) & high)
            return utf8_valid(s);
        s.ptr += 8;
        s.len -= 8;
    }
    if (s.len == 0)
        return true;
    if ((size_t)(end - (const uint8_t *)s.ptr) < 8)
        return utf8_valid(s);
    return !(avro_word((const uint8_t *)s.ptr) & (high >> (64 - 8 * s.len))) || utf8_valid(s);
}

static inline bool avro_take_text(avro_walker *w, mandate_slice *out)
{
    if (!avro_take_bytes(w, out))
        return false;
    return avro_is_utf8(*out, w->end) || avro_fail(w, MANDATE_INVALID, "a string that is not UTF-8");
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * order - mandates in order of their ids, which is the order of transitions within one input.
 *
 * Ids of one system begin alike, and each lies somewhere in memory: they are read once, all fetches side by side; what they have in
 * common is skipped, and the eight bytes behind it decide. Equal ones are compared in full.
 */
#include "engine/engine_int.h"

#include "engine/base/short_text.h"

#include <stdlib.h>

enum { FEW = 48 };

int mandate_order_by_id(const engine *e, uint32_t a, uint32_t b)
{
    return mandate_slice_cmp(mandate_id(e, a), mandate_id(e, b));
}

/* How many bytes, of at most `most`, they begin with in common. */
static size_t common_length(mandate_slice a, mandate_slice b, size_t most)
{
    size_t n = 0, max = a.len < b.len ? a.len : b.len;
    max = max < most ? max : most;
    if (short_eq(a.ptr, b.ptr, max)) /* nearly always, once some were looked at */
        return max;
    while (a.ptr[n] == b.ptr[n])
        n++;
    return n;
}

/* Eight bytes, the first one highest. */
static uint64_t word_at(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof(word));
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    word = __builtin_bswap64(word);
#endif
    return word;
}

/* Bytes from `at` on, the first one highest; beyond the end zeros, so that a prefix comes first. */
static uint64_t key_at(mandate_slice id, size_t at)
{
    size_t left = id.len - at;
    uint64_t key = 0;
    if (left >= 8)
        return word_at(id.ptr + at);
    if (left && id.len >= 8) /* the last eight, without those before */
        return word_at(id.ptr + id.len - 8) << 8 * (8 - left);
    for (size_t i = 0; i < 8; i++)
        key = key << 8 | (i < left ? (uint8_t)id.ptr[at + i] : 0);
    return key;
}

static int rank_order(const engine *e, const id_rank *a, const id_rank *b)
{
    return a->key != b->key ? (a->key < b->key ? -1 : 1) : mandate_order_by_id(e, a->handle, b->handle);
}

static int rank_cb(const void *a, const void *b, void *ctx) { return rank_order(ctx, a, b); }

static void rank(engine *e, const uint32_t *handles, uint32_t count)
{
    mandate_slice first = mandate_id(e, handles[0]);
    size_t common = first.len;
    for (uint32_t i = 0; i < count; i++)
        mandate_id_ahead(e, handles[i]);
    for (uint32_t i = 1; i < count; i++)
        common = common_length(first, mandate_id(e, handles[i]), common);
    e->ranks.len = count;
    for (uint32_t i = 0; i < count; i++)
        e->ranks.data[i] = (id_rank){key_at(mandate_id(e, handles[i]), common), handles[i]};
}

static void insertion_sort(const engine *e, id_rank *r, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        id_rank x = r[i];
        uint32_t k = i;
        for (; k > 0 && (x.key != r[k - 1].key ? x.key < r[k - 1].key : rank_order(e, &x, &r[k - 1]) < 0); k--)
            r[k] = r[k - 1];
        r[k] = x;
    }
}

bool sort_by_id(engine *e, uint32_t *handles, uint32_t count)
{
    if (count < 2)
        return true;
    if (!VEC_RESERVE(&e->ranks, count))
        return engine_fail(e, "out of memory while ordering mandates");
    rank(e, handles, count);
    if (count <= FEW)
        insertion_sort(e, e->ranks.data, count);
    else
        qsort_r(e->ranks.data, count, sizeof(id_rank), rank_cb, e);
    for (uint32_t i = 0; i < count; i++)
        handles[i] = e->ranks.data[i].handle;
    return true;
}

static int by_handle(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

void sort_by_handle(uint32_t *handles, uint32_t count)
{
    bool sorted = true;
    for (uint32_t i = 1; sorted && i < count; i++)
        sorted = handles[i - 1] < handles[i];
    if (!sorted)
        qsort(handles, count, sizeof(*handles), by_handle);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys - pairwise comparison for narrow maps, a hash table in the arena for wide ones.
 *
 * Hashes are keyed per process (base/hash.h), so a record cannot be built to collide.
 */
#include "connectors/decode/keys.h"

#include "engine/base/hash.h"

enum { KEYS_PAIRWISE = 12 };

static bool same(cel_value x, cel_value y) { return x.len == y.len && memcmp(x.s, y.s, x.len) == 0; }

static bool narrow_repeat(mandate_slice *twice, const cel_entry *entries, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++)
        for (uint32_t j = 0; j < i; j++)
            if (same(entries[i].key, entries[j].key)) {
                *twice = cel_text(entries[i].key);
                return true;
            }
    return false;
}

bool keys_repeat(mandate_slice *twice, arena *a, const cel_entry *entries, uint32_t count)
{
    if (count <= KEYS_PAIRWISE)
        return narrow_repeat(twice, entries, count);

    uint32_t size = 32;
    while (size < 2 * (uint64_t)count)
        size *= 2;
    uint32_t *places = ARENA_ARRAY(a, uint32_t, size); /* index + 1; 0 is free */
    if (!places)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = (uint32_t)hash_slice(cel_text(entries[i].key)) & (size - 1);
        for (; places[at] != 0; at = (at + 1) & (size - 1))
            if (same(entries[places[at] - 1].key, entries[i].key)) {
                *twice = cel_text(entries[i].key);
                return true;
            }
        places[at] = i + 1;
    }
    return false;
}

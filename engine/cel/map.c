/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map - finding and adding entries.
 *
 *   | header 16 bytes | entry 0 | entry 1 | ... room for cap |      index: uint32_t[mask + 1]
 *                     ^ cel_value.map (type has CEL_INDEXED)
 *
 * Entries keep insertion order. The index is open addressing over 1-based positions; positions
 * beyond the length of the value at hand belong to a later version of the same map and are
 * stepped over. Small maps and maps made elsewhere have no index and are searched.
 */
#include "engine/base/hash.h"
#include "engine/cel/value_int.h"

typedef struct map_header {
    uint32_t *index; /* NULL while the map is small */
    uint32_t mask, cap;
} map_header;

_Static_assert(sizeof(map_header) == 16, "entries stay aligned behind the header");

static map_header *header_of(const cel_entry *entries)
{
    return (map_header *)(uintptr_t)((const char *)entries - sizeof(map_header));
}

/* Where `key` is, or TABLE-style: the free place in *at when it is not there. */
static const cel_entry *index_find(const cel_entry *entries, uint32_t len, cel_value key, uint32_t *at)
{
    const map_header *h = header_of(entries);
    uint32_t i = (uint32_t)cel_hash(key) & h->mask;
    while (h->index[i] != 0) {
        uint32_t position = h->index[i] - 1;
        if (position < len && cel_equal(entries[position].key, key))
            return &entries[position];
        i = (i + 1) & h->mask;
    }
    *at = i;
    return NULL;
}

static const cel_entry *scan_find(const cel_entry *entries, uint32_t len, cel_value key)
{
    if (key.kind == CEL_STRING) { /* as nearly all are; nothing else equals one */
        for (uint32_t i = 0; i < len; i++)
            if (entries[i].key.kind == CEL_STRING && entries[i].key.len == key.len &&
                memcmp(entries[i].key.s, key.s, key.len) == 0)
                return &entries[i];
        return NULL;
    }
    for (uint32_t i = 0; i < len; i++)
        if (cel_equal(entries[i].key, key))
            return &entries[i];
    return NULL;
}

const cel_value *cel_map_get(cel_value map, cel_value key)
{
    uint32_t at;
    const cel_entry *found;
    if (map.len >= CEL_INDEX_FROM && map.type == CEL_INDEXED && header_of(map.map)->index)
        found = index_find(map.map, map.len, key, &at);
    else
        found = scan_find(map.map, map.len, key);
    return found ? &found->value : NULL;
}

const cel_value *cel_map_get_str(cel_value map, const char *key)
{
    return cel_map_get(map, cel_string(mandate_slice_str(key)));
}

/* New room for `cap` entries and, if that is many, an index over the present ones. */
static bool builder_grow(cel_map_builder *b, uint32_t cap)
{
    size_t bytes = sizeof(map_header) + (size_t)cap * sizeof(cel_entry);
    map_header *h = arena_alloc(b->memory, bytes);
    if (!h)
        return false;
    cel_entry *entries = (cel_entry *)(h + 1);
    if (b->len)
        memcpy(entries, b->entries, b->len * sizeof *entries);
    *h = (map_header){.index = NULL, .mask = 0, .cap = cap};
    if (cap >= CEL_INDEX_FROM) {
        uint32_t size = 32;
        while (size < 2 * (uint64_t)cap)
            size *= 2;
        h->index = ARENA_ARRAY(b->memory, uint32_t, size);
        if (!h->index)
            return false;
        h->mask = size - 1;
        for (uint32_t i = 0; i < b->len; i++) {
            uint32_t at = (uint32_t)cel_hash(entries[i].key) & h->mask;
            while (h->index[at] != 0)
                at = (at + 1) & h->mask;
            h->index[at] = i + 1;
        }
    }
    b->entries = entries;
    b->cap = cap;
    return true;
}

bool cel_map_begin(cel_map_builder *b, arena *a, uint32_t expected)
{
    *b = (cel_map_builder){.memory = a};
    return builder_grow(b, expected < 4 ? 4 : expected);
}

int cel_map_add(cel_map_builder *b, cel_value key, cel_value value)
{
    uint32_t at = 0;
    if (b->len == b->cap && (b->cap > UINT32_MAX / 4 || !builder_grow(b, b->cap * 2)))
        return -1;
    map_header *h = header_of(b->entries);
    const cel_entry *there = h->index ? index_find(b->entries, b->len, key, &at) : scan_find(b->entries, b->len, key);
    if (there)
        return 0;
    if (h->index)
        h->index[at] = b->len + 1;
    b->entries[b->len++] = (cel_entry){key, value};
    return 1;
}

cel_value cel_map_end(const cel_map_builder *b)
{
    cel_value out = cel_map(b->entries, b->len);
    out.type = CEL_INDEXED;
    return out;
}

cel_map_builder cel_map_resume(arena *a, cel_value map)
{
    return (cel_map_builder){a, (cel_entry *)(uintptr_t)map.map, map.len, header_of(map.map)->cap};
}

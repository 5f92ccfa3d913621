/* SPDX-License-Identifier: Apache-2.0 */
/* tile - see the header. */
#include "connectors/audit/tile.h"

#include <stdio.h>

void tile_path(char out[TILE_PATH_MAX], const tile_name *t)
{
    char groups[40] = "", width[8] = "";
    uint64_t n = t->index / 1000;
    for (; n; n /= 1000) {
        char longer[sizeof(groups)];
        snprintf(longer, sizeof(longer), "x%03u/%.30s", (unsigned)(n % 1000), groups);
        memcpy(groups, longer, sizeof(groups));
    }
    if (t->width < TILE_WIDTH)
        snprintf(width, sizeof(width), ".p/%u", t->width % 1000);
    if (t->level == TILE_ENTRIES)
        snprintf(out, TILE_PATH_MAX, "tile/entries/%s%03u%s", groups, (unsigned)(t->index % 1000), width);
    else
        snprintf(out, TILE_PATH_MAX, "tile/%u/%s%03u%s", t->level, groups, (unsigned)(t->index % 1000), width);
}

/* Digits of `text` from *at on, at most `max`. */
static uint64_t digits(mandate_slice text, size_t *at, size_t max)
{
    uint64_t v = 0;
    for (size_t i = 0; i < max && *at < text.len && text.ptr[*at] >= '0' && text.ptr[*at] <= '9'; i++)
        v = v * 10 + (uint64_t)(text.ptr[(*at)++] - '0');
    return v;
}

/* Reads what can be read; whether it is the one spelling of what was read is decided by spelling it. */
bool tile_path_parse(tile_name *out, mandate_slice path)
{
    static const char entries[] = "tile/entries/", other[] = "tile/";
    char again[TILE_PATH_MAX];
    tile_name t = {.width = TILE_WIDTH};
    size_t at = sizeof(entries) - 1;
    if (path.len > sizeof(entries) - 1 && !memcmp(path.ptr, entries, sizeof(entries) - 1)) {
        t.level = TILE_ENTRIES;
    } else if (path.len > sizeof(other) && !memcmp(path.ptr, other, sizeof(other) - 1)) {
        at = sizeof(other) - 1;
        t.level = (unsigned)digits(path, &at, 2);
        if (t.level >= TILE_LEVELS || at++ >= path.len)
            return false;
    } else {
        return false;
    }
    for (int group = 0; group < 7 && at < path.len && path.ptr[at] == 'x'; group++) {
        at++;
        t.index = t.index * 1000 + digits(path, &at, 3);
        at++;
    }
    if (t.index > UINT64_MAX / 1000 - 1)
        return false;
    t.index = t.index * 1000 + digits(path, &at, 3);
    if (at < path.len) {
        at += 3;
        t.width = at < path.len ? (unsigned)digits(path, &at, 3) : 0;
        if (t.width == 0 || t.width >= TILE_WIDTH)
            return false;
    }
    tile_path(again, &t);
    if (!mandate_slice_is(path, again))
        return false;
    *out = t;
    return true;
}

unsigned tile_width(unsigned level, uint64_t index, uint64_t size)
{
    uint64_t hashes = level == TILE_ENTRIES ? size : level >= TILE_LEVELS ? 0 : size >> (TILE_HEIGHT * level);
    if (index >= (UINT64_MAX >> TILE_HEIGHT) || index * TILE_WIDTH >= hashes)
        return 0;
    uint64_t left = hashes - index * TILE_WIDTH;
    return left < TILE_WIDTH ? (unsigned)left : TILE_WIDTH;
}

/* --- entry bundles ---------------------------------------------------------------------------------------- */
bool tile_put_entry(buf *b, mandate_slice entry)
{
    if (entry.len > TILE_ENTRY_MAX)
        return false;
    buf_put_char(b, (char)(entry.len >> 8));
    buf_put_char(b, (char)(entry.len & 255));
    buf_put_slice(b, entry);
    return true;
}

bool tile_next_entry(mandate_slice *entry, mandate_slice *rest)
{
    if (rest->len < 2)
        return false;
    size_t len = (size_t)(unsigned char)rest->ptr[0] << 8 | (unsigned char)rest->ptr[1];
    if (len > rest->len - 2)
        return false;
    *entry = mandate_slice_of(rest->ptr + 2, len);
    *rest = mandate_slice_of(rest->ptr + 2 + len, rest->len - 2 - len);
    return true;
}

/* --- a tree from tiles -------------------------------------------------------------------------------------- */
static mandate_status node(void *ctx, unsigned level, uint64_t index, merkle_hash *out, mandate_error *err)
{
    const tile_tree *tree = ctx;
    merkle_hash hashes[TILE_WIDTH];
    unsigned tile_level = level / TILE_HEIGHT, rest = level % TILE_HEIGHT;
    uint64_t first = index << rest;
    tile_name t = {tile_level, first / TILE_WIDTH, tile_width(tile_level, first / TILE_WIDTH, tree->size)};
    uint32_t count = 1u << rest, at = (uint32_t)(first % TILE_WIDTH);
    if (t.width < at + count)
        return mandate_error_set(err, MANDATE_INVALID, "a tree of %llu leaves has no such node",
                                 (unsigned long long)tree->size);
    mandate_status status = tree->read(tree->ctx, &t, hashes, err);
    for (; status == MANDATE_OK && count > 1; count /= 2)
        for (uint32_t i = 0; i < count / 2; i++)
            if (!merkle_node(&hashes[at + i], &hashes[at + 2 * i], &hashes[at + 2 * i + 1]))
                return mandate_error_set(err, MANDATE_NOMEM, "SHA-256 is not available");
    *out = hashes[at];
    return status;
}

merkle_source tile_tree_nodes(tile_tree *t) { return (merkle_source){node, t}; }

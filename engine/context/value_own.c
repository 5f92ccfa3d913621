/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value_own - how a cell owns its value: scalars in place, everything else in exactly one heap block.
 *
 * A container's items stand at the beginning of its block, nested containers and strings behind them, so freeing the
 * block is freeing the pointer the value holds. Depth is bounded where values enter (LIMIT_VALUE_DEPTH).
 */
#include "engine/context/value_own.h"

#include <assert.h>
#include <stdlib.h>

static size_t aligned(size_t n) { return (n + 7) & ~(size_t)7; }

/* Bytes a value needs outside itself. */
static size_t outside(cel_value v)
{
    size_t total = 0;
    switch (v.kind) {
    case CEL_STRING:
    case CEL_BYTES:
    case CEL_IP:
    case CEL_CIDR:
        return aligned(v.len);
    case CEL_LIST:
        total = v.len * sizeof(cel_value);
        for (uint32_t i = 0; i < v.len; i++)
            total += outside(v.items[i]);
        return total;
    case CEL_MAP:
        total = v.len * sizeof(cel_entry);
        for (uint32_t i = 0; i < v.len; i++)
            total += outside(v.map[i].key) + outside(v.map[i].value);
        return total;
    default:
        return 0;
    }
}

static int by_key(const void *a, const void *b)
{
    return cel_order(((const cel_entry *)a)->key, ((const cel_entry *)b)->key);
}

static cel_value place(cel_value v, char **at)
{
    switch (v.kind) {
    case CEL_STRING:
    case CEL_BYTES:
    case CEL_IP:
    case CEL_CIDR:
        if (v.len)
            memcpy(*at, v.s, v.len);
        v.s = *at;
        *at += aligned(v.len);
        break;
    case CEL_LIST: {
        cel_value *items = (cel_value *)(void *)*at;
        *at += v.len * sizeof(cel_value);
        for (uint32_t i = 0; i < v.len; i++)
            items[i] = place(v.items[i], at);
        v.items = items;
        break;
    }
    case CEL_MAP: {
        cel_entry *entries = (cel_entry *)(void *)*at;
        *at += v.len * sizeof(cel_entry);
        for (uint32_t i = 0; i < v.len; i++) {
            entries[i].key = place(v.map[i].key, at);
            entries[i].value = place(v.map[i].value, at);
        }
        /* As stored and journaled: a map is walked in the same order before and after a restart. */
        qsort(entries, v.len, sizeof(*entries), by_key);
        v.map = entries;
        v.type = 0; /* a map's index does not come along */
        break;
    }
    default:
        break;
    }
    return v;
}

bool value_is_data(cel_value v)
{
    bool ok = v.kind <= CEL_MAP || v.kind == CEL_IP || v.kind == CEL_CIDR;
    if (v.kind == CEL_LIST)
        for (uint32_t i = 0; ok && i < v.len; i++)
            ok = value_is_data(v.items[i]);
    else if (v.kind == CEL_MAP)
        for (uint32_t i = 0; ok && i < v.len; i++)
            ok = value_is_data(v.map[i].key) && value_is_data(v.map[i].value);
    return ok;
}

bool value_own(cel_value *out, cel_value v)
{
    size_t need = outside(v);
    assert(v.kind != CEL_ERROR && v.kind != CEL_TYPE && v.kind != CEL_OPTIONAL);
    if (need == 0) {
        *out = v;
        if (v.kind == CEL_STRING || v.kind == CEL_BYTES)
            out->s = "";
        return true;
    }
    char *block = malloc(need);
    if (!block)
        return false;
    char *at = block;
    *out = place(v, &at);
    assert(at == block + need);
    return true;
}

void value_disown(cel_value *v)
{
    bool holds = v->kind == CEL_STRING || v->kind == CEL_BYTES || v->kind == CEL_LIST || v->kind == CEL_MAP ||
                 v->kind == CEL_IP || v->kind == CEL_CIDR;
    if (holds && v->len)
        free((void *)(uintptr_t)v->s);
    *v = (cel_value){.kind = CEL_UNKNOWN};
}

/* --- short texts ------------------------------------------------------------------------------------------------ */
bool value_pool_own(value_pool *p, cel_value *out, cel_value v)
{
    return value_is_short_text(v) ? value_pool_text(p, out, v) : value_own(out, v);
}

void value_pool_disown(value_pool *p, cel_value *v)
{
    if (!value_is_short_text(*v)) {
        value_disown(v);
        return;
    }
    value_pool_give(p, *v);
    *v = (cel_value){.kind = CEL_UNKNOWN};
}

void value_pool_deinit(value_pool *p)
{
    for (uint32_t i = 0; i < VALUE_POOL_CLASSES; i++)
        while (p->first[i]) {
            void *block = p->first[i];
            memcpy(&p->first[i], block, sizeof(void *));
            pool_give(&p->blocks, block, 8 * (i + 1));
        }
    pool_deinit(&p->blocks);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* value_own - data values (no objects inside, no unknowns, no errors) that own their memory in one heap block. */
#ifndef MANDATE_ENGINE_CONTEXT_VALUE_OWN_H
#define MANDATE_ENGINE_CONTEXT_VALUE_OWN_H

#include "engine/base/pool.h"
#include "engine/base/short_text.h"
#include "engine/cel/value.h"

/* Null, scalars, text, bytes, times, addresses, and lists and maps of them: what a cell may hold and own. */
bool value_is_data(cel_value v);
/* Deep copy; false when out of memory. Scalars and object references are copied as they are. */
MANDATE_CHECK bool value_own(cel_value *out, cel_value v);
/* Frees what value_own made and leaves an unknown. */
void value_disown(cel_value *v);

/* Values of cells: short texts, which are most, stand close together in a pool (base/pool.h), everything else in a block of its own. A few
 * that were given back are at hand, so that a change of an attribute allocates nothing once there are some. What value_pool_own made
 * value_pool_disown frees, and nothing else does. Zeroed is empty. */
enum { VALUE_POOL_TEXT = 64, VALUE_POOL_CLASSES = VALUE_POOL_TEXT / 8, VALUE_POOL_BLOCKS = 64 };
typedef struct value_pool {
    pool blocks;
    void *first[VALUE_POOL_CLASSES]; /* at hand, by size: 8, 16, ... bytes, threaded through the blocks */
    uint32_t count[VALUE_POOL_CLASSES];
} value_pool;
/* Has a block, or would have one if it were owned. */
static inline bool value_has_block(cel_value v)
{
    return v.kind == CEL_STRING || v.kind == CEL_BYTES || v.kind == CEL_LIST || v.kind == CEL_MAP || v.kind == CEL_IP ||
           v.kind == CEL_CIDR;
}
MANDATE_CHECK bool value_pool_own(value_pool *p, cel_value *out, cel_value v);
void value_pool_disown(value_pool *p, cel_value *v);
/* The same two for texts of one byte up to VALUE_POOL_TEXT. */
static inline uint32_t value_pool_class(uint32_t len) { return (len - 1) / 8; }
MANDATE_CHECK __attribute__((always_inline)) static inline bool value_pool_text(value_pool *p, cel_value *out, cel_value v)
{
    uint32_t class = value_pool_class(v.len);
    char *block = p->first[class];
    if (block) {
        memcpy(&p->first[class], block, sizeof(void *));
        p->count[class]--;
    } else if (!(block = pool_take(&p->blocks, 8 * (class + 1)))) {
        return false;
    }
    *out = v;
    short_copy(block, v.s, v.len);
    out->s = block;
    return true;
}
static inline void value_pool_give(value_pool *p, cel_value v)
{
    uint32_t class = value_pool_class(v.len);
    void *block = (void *)(uintptr_t)v.s;
    if (p->count[class] == VALUE_POOL_BLOCKS) {
        pool_give(&p->blocks, block, 8 * (class + 1));
        return;
    }
    memcpy(block, &p->first[class], sizeof(void *));
    p->first[class] = block;
    p->count[class]++;
}
static inline bool value_is_short_text(cel_value v) { return v.kind == CEL_STRING && v.len - 1 < VALUE_POOL_TEXT; }
void value_pool_deinit(value_pool *p);

#endif

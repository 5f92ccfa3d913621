/* SPDX-License-Identifier: Apache-2.0 */
/* records - what a store does with the engine's own records, in memory: puts and deletes by key, and all of them in order of keys. */
#ifndef MANDATE_TESTS_ENGINE_RECORDS_H
#define MANDATE_TESTS_ENGINE_RECORDS_H

#include "engine/base/vec.h"
#include "engine/step.h"

#include <stdlib.h>

typedef struct kept_record {
    mandate_slice key, value; /* owned, in one block */
} kept_record;
typedef VEC(kept_record) kept_records;

static inline bool records_apply(kept_records *k, const engine_result *r)
{
    for (uint32_t i = 0; i < r->record_count; i++) {
        const engine_record *in = &r->records[i];
        uint32_t at = 0;
        while (at < k->len && mandate_slice_cmp(k->data[at].key, in->key) < 0)
            at++;
        if (at < k->len && mandate_slice_eq(k->data[at].key, in->key)) {
            free((void *)(uintptr_t)k->data[at].key.ptr);
            memmove(k->data + at, k->data + at + 1, (k->len - at - 1) * sizeof(*k->data));
            k->len--;
        }
        if (!in->value.ptr)
            continue;
        char *block = malloc(in->key.len + in->value.len + 1);
        if (!block || !VEC_PUSH(k, (kept_record){0})) {
            free(block);
            return false;
        }
        memcpy(block, in->key.ptr, in->key.len);
        memcpy(block + in->key.len, in->value.ptr, in->value.len);
        memmove(k->data + at + 1, k->data + at, (k->len - 1 - at) * sizeof(*k->data));
        k->data[at] =
            (kept_record){mandate_slice_of(block, in->key.len), mandate_slice_of(block + in->key.len, in->value.len)};
    }
    return true;
}

static inline mandate_status records_load(const kept_records *k, engine *e, mandate_error *err)
{
    mandate_status s = MANDATE_OK;
    for (uint32_t i = 0; s == MANDATE_OK && i < k->len; i++)
        s = engine_load_record(e, k->data[i].key, k->data[i].value, err);
    return s;
}

static inline void records_free(kept_records *k)
{
    for (uint32_t i = 0; i < k->len; i++)
        free((void *)(uintptr_t)k->data[i].key.ptr);
    VEC_FREE(k);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv_int - what a backend of the kv port fills in. Included by graph/kv only (and its tests).
 *
 * kv.c owns what all backends share: the latch after a failed write, the format key, the directory
 * name. A backend therefore never checks `failed` itself, and never sees a call after a failure.
 */
#ifndef MANDATE_GRAPH_KV_KV_INT_H
#define MANDATE_GRAPH_KV_KV_INT_H

#include <stdatomic.h>

#include "graph/kv/kv.h"

/* A backend's own table; backends without one get a batch (table.c). */
typedef struct kv_table_ops {
    void (*destroy)(kv_table *table);
    mandate_status (*put)(kv_table *table, mandate_slice key, mandate_slice value, mandate_error *err);
    mandate_status (*add)(kv_table *table, mandate_error *err);
} kv_table_ops;

/* First member of every backend's table. */
struct kv_table {
    const kv_table_ops *ops;
    kv *store;
    kv_space space;
};

typedef struct kv_ops {
    void (*close)(kv *store);
    mandate_status (*get)(kv *store, kv_space space, mandate_slice key, buf *out, mandate_error *err);
    mandate_status (*batch_create)(kv_batch **out, kv *store, mandate_error *err);
    mandate_status (*write)(kv *store, const kv_batch *batch, bool sync, mandate_error *err);
    mandate_status (*sync)(kv *store, mandate_error *err);
    mandate_status (*hand)(kv *store, mandate_error *err); /* may be NULL: writes are not held back */
    mandate_status (*iter_open)(kv_iter **out, kv *store, kv_space space, mandate_error *err);
    mandate_status (*checkpoint)(kv *store, const char *directory, mandate_error *err);
    mandate_status (*table_create)(kv_table **out, kv *store, kv_space space, mandate_error *err); /* may be NULL */
    /* Whole files within the range, when that is cheap; may be NULL. */
    mandate_status (*drop_files)(kv *store, kv_space space, mandate_slice from, mandate_slice to, mandate_error *err);
} kv_ops;

/* First member of every backend's store. */
struct kv {
    const kv_ops *ops;
    char *directory;    /* NULL when there is none; freed by kv_close */
    atomic_bool failed; /* a write failed: its outcome is unknown, nothing may follow it */
};

typedef struct kv_batch_ops {
    void (*destroy)(kv_batch *batch);
    void (*clear)(kv_batch *batch);
    void (*put)(kv_batch *batch, kv_space space, mandate_slice key, mandate_slice value);
    void (*del)(kv_batch *batch, kv_space space, mandate_slice key);
    size_t (*bytes)(const kv_batch *batch);
} kv_batch_ops;

struct kv_batch {
    const kv_batch_ops *ops;
};

typedef struct kv_iter_ops {
    void (*close)(kv_iter *it);
    void (*seek)(kv_iter *it, mandate_slice from);
    void (*seek_prev)(kv_iter *it, mandate_slice at);
    void (*seek_last)(kv_iter *it);
    bool (*valid)(const kv_iter *it);
    void (*next)(kv_iter *it);
    mandate_slice (*key)(const kv_iter *it);
    mandate_slice (*value)(const kv_iter *it);
    mandate_status (*status)(const kv_iter *it, mandate_error *err);
} kv_iter_ops;

struct kv_iter {
    const kv_iter_ops *ops;
};

/* Refused after a failed write; and remembers one. */
MANDATE_CHECK mandate_status kv_check_usable(const kv *store, mandate_error *err);
mandate_status kv_write_failed(kv *store, mandate_status status, mandate_error *err);

/* "default", "journal", ... */
extern const char *const kv_space_names[KV_SPACE_COUNT];

/* Writes our format number into a new store, checks it in an old one. Called at the end of a
 * backend's open. */
MANDATE_CHECK mandate_status kv_check_format(kv *store, mandate_error *err);

#endif

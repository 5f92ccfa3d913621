/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv - the small key-value port everything durable goes through. Backends: rocksdb, memory, faulty.
 *
 * Spaces are separate sorted key spaces (RocksDB column families). Writes go through one batch at a time, atomic
 * and, when asked, synced. The first failed write makes the store refuse everything after it (`failed`): its
 * outcome is not known, so carrying on could leave a hole. Any thread may read or write, each with its own batch
 * and iterators; what must come in an order comes from one thread.
 */
#ifndef MANDATE_GRAPH_KV_KV_H
#define MANDATE_GRAPH_KV_KV_H

#include "engine/base/buf.h"

#define KV_SPACE_MAP(X)                                                             \
    X(META, "default")            /* format, dictionary, engine meta, counters */   \
    X(JOURNAL, "journal")         /* seq (8 bytes, big-endian) -> batch */          \
    X(ENTITIES, "entities")       /* type \0 id -> entity */                        \
    X(MANDATES, "mandates")       /* id \0 'c' -> claims, id \0 'l' -> life */      \
    X(FORMER, "former-claims")    /* id \0 seq (8) -> claims before that step */    \
    X(TRANSITIONS, "transitions") /* id \0 version (8) -> transition */             \
    X(OUTBOX, "outbox")           /* seq (8) index (8) -> key of a transition */    \
    X(WATCHES, "watches")         /* id -> watch */                                 \
    X(FLIPS, "flips")             /* seq (8) index (8) -> flip: the other outbox */ \
    X(DECISIONS, "decisions")     /* id -> decision */                              \
    X(NOTICES, "notices")         /* seq (8) index (8) -> decision: a third one */  \
    X(OFFSETS, "offsets")         /* topic \0 partition (8) -> next offset */       \
    X(AUDIT, "audit")             /* index (8) -> leaf hash, audit entry */         \
    X(AUDIT_OF, "audit-of")       /* mandate \0 index (8) -> nothing */             \
    X(TREE, "tree")               /* level (1) index (8) -> hash of a full tile */  \
    X(HISTORY, "history")         /* cut (8) type \0 id -> entity as of that cut */ \
    X(ONCE, "once")               /* keys of what is done once (once.c) */          \
    X(CACHE, "cache")             /* anything that may be fetched again: registry schemas */

typedef enum kv_space {
#define X(name, text) KV_##name,
    KV_SPACE_MAP(X)
#undef X
        KV_SPACE_COUNT
} kv_space;

typedef struct kv kv;
typedef struct kv_batch kv_batch;
typedef struct kv_table kv_table;
typedef struct kv_iter kv_iter;

/* Opens or creates. A directory of a newer format, one in use, or one whose log does not check is refused with
 * a sentence that says what to do. */
MANDATE_CHECK mandate_status kv_open_rocksdb(kv **out, const char *directory, mandate_error *err);
MANDATE_CHECK mandate_status kv_open_memory(kv **out, mandate_error *err);
/* Wraps `inner` (owned from success on): `after` writes and syncs succeed, the next fails once (transient) or for ever (sticky);
 * `applied` says whether the failing one reached the inner store all the same. */
MANDATE_CHECK mandate_status kv_open_faulty(kv **out, kv *inner, uint64_t after, bool sticky, bool applied,
                                            mandate_error *err);
void kv_close(kv *store);
/* Closes a faulty store and gives back what it wrapped, as a restart would find it. */
kv *kv_faulty_release(kv *faulty);
/* Of a faulty store: syncs wait, as a slow disk makes them, until all of them are let go, or so many; and how many wait now. Any
 * thread. */
void kv_faulty_hold(kv *faulty, bool hold);
void kv_faulty_let(kv *faulty, uint32_t syncs);
uint32_t kv_faulty_held(kv *faulty);
/* Of a faulty store: called first in each of the next so many kv_sync and kv_hand, as another thread might do something just then. */
void kv_faulty_meanwhile(kv *faulty, void (*call)(void *ctx), void *ctx, int times);
/* What a power failure does to a memory store: everything after the last synced write or sync is gone. */
void kv_memory_lose_unsynced(kv *store);

/* The directory it was opened on, without trailing slashes; NULL for a store without one. */
const char *kv_directory(const kv *store);
/* A write has failed: every later call is refused until the store is opened again. */
bool kv_failed(const kv *store);

/* Value of a key appended to `out` (reset first). NOT_FOUND is an expected status: `err` is not set for it. */
MANDATE_CHECK mandate_status kv_get(kv *store, kv_space space, mandate_slice key, buf *out, mandate_error *err);

/* One batch is reused: kv_batch_clear after each write. Puts and deletes copy. */
MANDATE_CHECK mandate_status kv_batch_create(kv_batch **out, kv *store, mandate_error *err);
void kv_batch_destroy(kv_batch *batch);
void kv_batch_clear(kv_batch *batch);
void kv_batch_put(kv_batch *batch, kv_space space, mandate_slice key, mandate_slice value);
void kv_batch_delete(kv_batch *batch, kv_space space, mandate_slice key);
size_t kv_batch_bytes(const kv_batch *batch);
/* All of it or nothing. `sync`: on disk before it returns. */
MANDATE_CHECK mandate_status kv_write(kv *store, const kv_batch *batch, bool sync, mandate_error *err);
/* A write that is not synced may stay within the process until the next synced one, kv_sync or this: from then on the end of the
 * process does not take it, only that of the machine. */
MANDATE_CHECK mandate_status kv_hand(kv *store, mandate_error *err);
/* Everything that was written before the call is on disk when it returns. Other threads write meanwhile; what they write may be
 * or not. A failure is a failed write. */
MANDATE_CHECK mandate_status kv_sync(kv *store, mandate_error *err);

/* A table: very many keys of one space, put in ascending order, written beside the log and added whole. Cheaper by far than
 * a batch, and it does not hold up other writers. Any thread; one table of a space at a time. */
bool kv_has_tables(const kv *store); /* of its own: cheap, and worth a thread */
MANDATE_CHECK mandate_status kv_table_create(kv_table **out, kv *store, kv_space space, mandate_error *err);
MANDATE_CHECK mandate_status kv_table_put(kv_table *table, mandate_slice key, mandate_slice value, mandate_error *err);
/* All of it or nothing, and on disk when it returns; replaces what older keys held. What kv_write wrote before may still be
 * on its way to the disk: sync that first when the table depends on it. A failure is a failed write. */
MANDATE_CHECK mandate_status kv_table_add(kv_table *table, mandate_error *err);
/* After adding, or instead. NULL: nothing. */
void kv_table_destroy(kv_table *table);
/* Deletes every key in [from, to), in parts, not synced: what nobody needs any more. */
MANDATE_CHECK mandate_status kv_drop(kv *store, kv_space space, mandate_slice from, mandate_slice to, mandate_error *err);

/* Ascending over a snapshot taken now. Key and value are valid until the next call on the iterator. */
MANDATE_CHECK mandate_status kv_iter_open(kv_iter **out, kv *store, kv_space space, mandate_error *err);
void kv_iter_close(kv_iter *it);
void kv_iter_seek(kv_iter *it, mandate_slice from);    /* first key >= from; {NULL,0}: the first */
void kv_iter_seek_prev(kv_iter *it, mandate_slice at); /* last key <= at */
void kv_iter_seek_last(kv_iter *it);
bool kv_iter_valid(const kv_iter *it);
void kv_iter_next(kv_iter *it);
mandate_slice kv_iter_key(const kv_iter *it);
mandate_slice kv_iter_value(const kv_iter *it);
MANDATE_CHECK mandate_status kv_iter_status(const kv_iter *it, mandate_error *err);

/* A consistent copy in a new directory (RocksDB checkpoint); UNSUPPORTED for other backends. */
MANDATE_CHECK mandate_status kv_checkpoint(kv *store, const char *directory, mandate_error *err);

#endif

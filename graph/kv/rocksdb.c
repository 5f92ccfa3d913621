/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rocksdb - the kv port over RocksDB's C API; the only file that includes it.
 *
 * A space is a column family. Plain write batches through the log, nothing else: no transactions, no
 * merge, no range deletes, no options changed at run time. The options and why each is there are in
 * docs/adr/0002-rocksdb-options.md. Whatever is wrong with the directory is found before anything in
 * it is changed, as far as that can be.
 */
#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <rocksdb/c.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "graph/kv/kv_int.h"

/* One text, so that an unknown or mistyped name is an error at open. */
static const char options_text[] =
    "create_if_missing=true;create_missing_column_families=true;"
    "wal_recovery_mode=kTolerateCorruptedTailRecords;"
    "paranoid_checks=true;track_and_verify_wals_in_manifest=true;max_bgerror_resume_count=0;"
    "memtable_protection_bytes_per_key=8;"
    "max_total_wal_size=67108864;wal_bytes_per_sync=1048576;bytes_per_sync=1048576;"
    "manual_wal_flush=true;allow_concurrent_memtable_write=false;" /* one writer nearly always */
    "max_background_jobs=2;max_write_buffer_number=4;write_buffer_size=33554432;"
    "level_compaction_dynamic_level_bytes=true;compression=kLZ4Compression;"
    "keep_log_file_num=4;info_log_level=WARN_LEVEL;stats_dump_period_sec=0;"
    "skip_stats_update_on_db_open=true;";

/* What differs for one space: see the decision record. */
static const char *const space_options[KV_SPACE_COUNT] = {
    [KV_JOURNAL] = "compression=kNoCompression;",
};

typedef struct rocks_kv {
    kv base;
    rocksdb_t *db;
    rocksdb_options_t *options, *space[KV_SPACE_COUNT];
    rocksdb_column_family_handle_t *families[KV_SPACE_COUNT];
    rocksdb_writeoptions_t *write_plain, *write_sync;
    rocksdb_readoptions_t *read, *scan;
} rocks_kv;

typedef struct rocks_batch {
    kv_batch base;
    rocks_kv *store;
    rocksdb_writebatch_t *writes;
} rocks_batch;

typedef struct rocks_iter {
    kv_iter base;
    rocksdb_iterator_t *it;
} rocks_iter;

/* Takes RocksDB's error text over. */
static mandate_status rocks_error(char *text, const char *what, mandate_error *err)
{
    mandate_status status = MANDATE_IO;
    if (strncmp(text, "Corruption", strlen("Corruption")) == 0)
        status = MANDATE_CORRUPT;
    mandate_error_set(err, status, "%s: %s", what, text);
    rocksdb_free(text);
    return status;
}

/* --- reading ------------------------------------------------------------------------------------ */
static mandate_status rocks_get(kv *store, kv_space space, mandate_slice key, buf *out, mandate_error *err)
{
    rocks_kv *r = (rocks_kv *)store;
    char *text = NULL;
    rocksdb_pinnableslice_t *pinned = rocksdb_get_pinned_cf(r->db, r->read, r->families[space], key.ptr, key.len, &text);
    if (text)
        return rocks_error(text, kv_space_names[space], err);
    if (!pinned)
        return MANDATE_NOT_FOUND;
    size_t len = 0;
    const char *value = rocksdb_pinnableslice_value(pinned, &len);
    buf_put(out, value, len);
    rocksdb_pinnableslice_destroy(pinned);
    return MANDATE_OK;
}

static void iter_close(kv_iter *it)
{
    rocksdb_iter_destroy(((rocks_iter *)it)->it);
    free(it);
}

static void iter_seek(kv_iter *it, mandate_slice from)
{
    if (from.len)
        rocksdb_iter_seek(((rocks_iter *)it)->it, from.ptr, from.len);
    else
        rocksdb_iter_seek_to_first(((rocks_iter *)it)->it);
}

static void iter_seek_prev(kv_iter *it, mandate_slice at)
{
    rocksdb_iter_seek_for_prev(((rocks_iter *)it)->it, at.ptr ? at.ptr : "", at.len);
}

static void iter_seek_last(kv_iter *it) { rocksdb_iter_seek_to_last(((rocks_iter *)it)->it); }

static bool iter_valid(const kv_iter *it) { return rocksdb_iter_valid(((const rocks_iter *)it)->it); }

static void iter_next(kv_iter *it) { rocksdb_iter_next(((rocks_iter *)it)->it); }

static mandate_slice iter_key(const kv_iter *it)
{
    size_t len = 0;
    const char *key = rocksdb_iter_key(((const rocks_iter *)it)->it, &len);
    return mandate_slice_of(key, len);
}

static mandate_slice iter_value(const kv_iter *it)
{
    size_t len = 0;
    const char *value = rocksdb_iter_value(((const rocks_iter *)it)->it, &len);
    return mandate_slice_of(value, len);
}

static mandate_status iter_status(const kv_iter *it, mandate_error *err)
{
    char *text = NULL;
    rocksdb_iter_get_error(((const rocks_iter *)it)->it, &text);
    return text ? rocks_error(text, "reading the database", err) : MANDATE_OK;
}

static const kv_iter_ops rocks_iter_ops = {iter_close, iter_seek, iter_seek_prev, iter_seek_last, iter_valid,
                                           iter_next,  iter_key,  iter_value,     iter_status};

static mandate_status rocks_iter_open(kv_iter **out, kv *store, kv_space space, mandate_error *err)
{
    rocks_kv *r = (rocks_kv *)store;
    rocks_iter *it = calloc(1, sizeof(*it));
    if (!it)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for an iterator");
    it->base.ops = &rocks_iter_ops;
    it->it = rocksdb_create_iterator_cf(r->db, r->scan, r->families[space]);
    *out = &it->base;
    return MANDATE_OK;
}

/* --- writing ------------------------------------------------------------------------------------ */
static void batch_destroy(kv_batch *batch)
{
    rocksdb_writebatch_destroy(((rocks_batch *)batch)->writes);
    free(batch);
}

static void batch_clear(kv_batch *batch) { rocksdb_writebatch_clear(((rocks_batch *)batch)->writes); }

static void batch_put(kv_batch *batch, kv_space space, mandate_slice key, mandate_slice value)
{
    rocks_batch *b = (rocks_batch *)batch;
    rocksdb_writebatch_put_cf(b->writes, b->store->families[space], key.ptr, key.len, value.ptr ? value.ptr : "", value.len);
}

static void batch_delete(kv_batch *batch, kv_space space, mandate_slice key)
{
    rocks_batch *b = (rocks_batch *)batch;
    rocksdb_writebatch_delete_cf(b->writes, b->store->families[space], key.ptr, key.len);
}

static size_t batch_bytes(const kv_batch *batch)
{
    size_t len = 0;
    rocksdb_writebatch_data(((const rocks_batch *)batch)->writes, &len);
    return len;
}

static const kv_batch_ops rocks_batch_ops = {batch_destroy, batch_clear, batch_put, batch_delete, batch_bytes};

static mandate_status rocks_batch_create(kv_batch **out, kv *store, mandate_error *err)
{
    rocks_batch *batch = calloc(1, sizeof(*batch));
    if (!batch)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a write batch");
    batch->base.ops = &rocks_batch_ops;
    batch->store = (rocks_kv *)store;
    batch->writes = rocksdb_writebatch_create();
    *out = &batch->base;
    return MANDATE_OK;
}

static mandate_status rocks_write(kv *store, const kv_batch *batch, bool sync, mandate_error *err)
{
    rocks_kv *r = (rocks_kv *)store;
    char *text = NULL;
    assert(((const rocks_batch *)batch)->store == r);
    rocksdb_write(r->db, sync ? r->write_sync : r->write_plain, ((const rocks_batch *)batch)->writes, &text);
    return text ? rocks_error(text, "writing", err) : MANDATE_OK;
}

/* The log is appended to in memory; who syncs writes it to the kernel first. So the writer's thread does not touch a file whose size is
 * just being committed, which the file system makes it wait for. */
static mandate_status rocks_hand(kv *store, mandate_error *err)
{
    char *text = NULL;
    rocksdb_flush_wal(((rocks_kv *)store)->db, 0, &text);
    return text ? rocks_error(text, "writing the log", err) : MANDATE_OK;
}

/* Not a synced write of nothing: other writers would queue behind that. */
static mandate_status rocks_sync(kv *store, mandate_error *err)
{
    char *text = NULL;
    rocksdb_flush_wal(((rocks_kv *)store)->db, 1, &text);
    return text ? rocks_error(text, "syncing", err) : MANDATE_OK;
}

/* --- tables: files of sorted keys, linked in whole ------------------------------------------------ */
typedef struct rocks_table {
    kv_table base;
    rocks_kv *r;
    char *path;
    rocksdb_envoptions_t *env;
    rocksdb_sstfilewriter_t *writer;
} rocks_table;

/* Beside RocksDB's own files, under a name that it ignores. */
static char *table_path(const rocks_kv *r, kv_space space)
{
    char *out = NULL;
    return asprintf(&out, "%s/%s.table", r->base.directory, kv_space_names[space]) < 0 ? NULL : out;
}

static void table_destroy(kv_table *table)
{
    rocks_table *t = (rocks_table *)table;
    rocksdb_sstfilewriter_destroy(t->writer);
    rocksdb_envoptions_destroy(t->env);
    if (t->path)
        unlink(t->path); /* gone already when it was added */
    free(t->path);
    free(t);
}

static mandate_status table_put(kv_table *table, mandate_slice key, mandate_slice value, mandate_error *err)
{
    char *text = NULL;
    rocksdb_sstfilewriter_put(((rocks_table *)table)->writer, key.ptr, key.len, value.ptr ? value.ptr : "", value.len,
                              &text);
    return text ? rocks_error(text, "writing a table", err) : MANDATE_OK;
}

static mandate_status table_add(kv_table *table, mandate_error *err)
{
    rocks_table *t = (rocks_table *)table;
    const char *files[] = {t->path};
    char *text = NULL;
    rocksdb_ingestexternalfileoptions_t *options = rocksdb_ingestexternalfileoptions_create();
    rocksdb_ingestexternalfileoptions_set_move_files(options, 1);
    rocksdb_sstfilewriter_finish(t->writer, &text);
    if (!text)
        rocksdb_ingest_external_file_cf(t->r->db, t->r->families[table->space], files, 1, options, &text);
    rocksdb_ingestexternalfileoptions_destroy(options);
    return text ? rocks_error(text, "adding a table", err) : MANDATE_OK;
}

static const kv_table_ops rocks_table_ops = {table_destroy, table_put, table_add};

static mandate_status rocks_table_create(kv_table **out, kv *store, kv_space space, mandate_error *err)
{
    char *text = NULL;
    rocks_table *t = calloc(1, sizeof(*t));
    if (!t)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a table");
    t->base.ops = &rocks_table_ops;
    t->r = (rocks_kv *)store;
    t->path = table_path(t->r, space);
    t->env = rocksdb_envoptions_create();
    t->writer = rocksdb_sstfilewriter_create(t->env, t->r->space[space]);
    mandate_status status = MANDATE_OK;
    if (!t->path)
        status = mandate_error_set(err, MANDATE_NOMEM, "no memory for a table");
    else
        rocksdb_sstfilewriter_open(t->writer, t->path, &text);
    if (text)
        status = rocks_error(text, t->path, err);
    if (status == MANDATE_OK)
        *out = &t->base;
    else
        table_destroy(&t->base);
    return status;
}

static mandate_status rocks_drop_files(kv *store, kv_space space, mandate_slice from, mandate_slice to, mandate_error *err)
{
    rocks_kv *r = (rocks_kv *)store;
    char *text = NULL;
    rocksdb_delete_file_in_range_cf(r->db, r->families[space], from.ptr, from.len, to.ptr, to.len, &text);
    return text ? rocks_error(text, "dropping old files", err) : MANDATE_OK;
}

static mandate_status rocks_checkpoint(kv *store, const char *directory, mandate_error *err)
{
    rocks_kv *r = (rocks_kv *)store;
    char *text = NULL;
    rocksdb_checkpoint_t *checkpoint = rocksdb_checkpoint_object_create(r->db, &text);
    if (!text) {
        rocksdb_checkpoint_create(checkpoint, directory, 0, &text);
        rocksdb_checkpoint_object_destroy(checkpoint);
    }
    if (!text)
        return MANDATE_OK;
    mandate_status status = rocks_error(text, "copying the database", err);
    return mandate_error_prefix(err, status, "checkpoint in %s", directory);
}

/* --- opening ------------------------------------------------------------------------------------ */
static void rocks_close(kv *store)
{
    rocks_kv *r = (rocks_kv *)store;
    for (int i = 0; i < KV_SPACE_COUNT; i++)
        if (r->families[i])
            rocksdb_column_family_handle_destroy(r->families[i]);
    if (r->db)
        rocksdb_close(r->db);
    for (int i = 0; i < KV_SPACE_COUNT; i++)
        if (r->space[i])
            rocksdb_options_destroy(r->space[i]);
    rocksdb_options_destroy(r->options);
    rocksdb_writeoptions_destroy(r->write_plain);
    rocksdb_writeoptions_destroy(r->write_sync);
    rocksdb_readoptions_destroy(r->read);
    rocksdb_readoptions_destroy(r->scan);
    free(r);
}

static const kv_ops rocks_ops = {rocks_close, rocks_get,       rocks_batch_create, rocks_write,        rocks_sync,
                                 rocks_hand,  rocks_iter_open, rocks_checkpoint,   rocks_table_create, rocks_drop_files};

static bool has_suffix(const char *name, const char *suffix)
{
    size_t a = strlen(name), b = strlen(suffix);
    return a > b && strcmp(name + a - b, suffix) == 0;
}

/* RocksDB starts an empty database when CURRENT is missing, whatever else is there. Tables or logs
 * without it are a database that lost a file, not a new one. (An interrupted creation has neither.) */
static mandate_status check_fresh(const char *directory, bool *fresh, mandate_error *err)
{
    mandate_status status = MANDATE_OK;
    bool current = false, data = false;
    DIR *dir = opendir(directory);
    if (!dir && errno != ENOENT)
        return mandate_error_set(err, MANDATE_IO, "cannot read the directory %s: %s", directory, strerror(errno));
    for (struct dirent *e; dir && (e = readdir(dir));) {
        current = current || strcmp(e->d_name, "CURRENT") == 0;
        data = data || has_suffix(e->d_name, ".sst") || has_suffix(e->d_name, ".log");
    }
    if (dir)
        closedir(dir);
    if (!current && data)
        status = mandate_error_set(err, MANDATE_CORRUPT,
                                   "%s holds tables or logs of a database but no CURRENT file;"
                                   " restore it from a checkpoint, or name an empty directory",
                                   directory);
    *fresh = !current;
    return status;
}

/* A column family that we do not know was made by a newer version. */
static mandate_status check_families(const rocks_kv *r, mandate_error *err)
{
    mandate_status status = MANDATE_OK;
    size_t count = 0;
    char *text = NULL;
    char **names = rocksdb_list_column_families(r->options, r->base.directory, &count, &text);
    if (text)
        return rocks_error(text, r->base.directory, err);
    for (size_t i = 0; i < count && status == MANDATE_OK; i++) {
        bool known = false;
        for (int s = 0; s < KV_SPACE_COUNT; s++)
            known = known || strcmp(names[i], kv_space_names[s]) == 0;
        if (!known)
            status = mandate_error_set(err, MANDATE_UNSUPPORTED,
                                       "%s holds the column family \"%s\", which this program does"
                                       " not know: a newer version wrote it, run that one, or name"
                                       " another directory",
                                       r->base.directory, names[i]);
    }
    rocksdb_list_column_families_destroy(names, count);
    return status;
}

static mandate_status open_error(char *text, const char *directory, mandate_error *err)
{
    if (strstr(text, "While lock file") || strstr(text, "lock hold by current process")) {
        mandate_error_set(err, MANDATE_UNAVAILABLE,
                          "the database in %s is in use by another process (it holds %s/LOCK); stop"
                          " that one, or name another directory",
                          directory, directory);
        rocksdb_free(text);
        return MANDATE_UNAVAILABLE;
    }
    mandate_status status = rocks_error(text, directory, err);
    if (status == MANDATE_CORRUPT)
        mandate_error_prefix(err, status,
                             "the database does not check and is not opened; restore it from a"
                             " checkpoint or rebuild it");
    return status;
}

static mandate_status open_options(rocks_kv *r, mandate_error *err)
{
    char *text = NULL;
    rocksdb_options_t *defaults = rocksdb_options_create();
    r->options = rocksdb_options_create();
    rocksdb_get_options_from_string(defaults, options_text, r->options, &text);
    rocksdb_options_destroy(defaults);
    for (int i = 0; i < KV_SPACE_COUNT && !text; i++) {
        r->space[i] = rocksdb_options_create();
        rocksdb_get_options_from_string(r->options, space_options[i] ? space_options[i] : "", r->space[i], &text);
    }
    r->write_plain = rocksdb_writeoptions_create();
    r->write_sync = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(r->write_sync, 1);
    r->read = rocksdb_readoptions_create();
    r->scan = rocksdb_readoptions_create();
    rocksdb_readoptions_set_fill_cache(r->scan, 0);
    return text ? rocks_error(text, "this RocksDB refuses our options", err) : MANDATE_OK;
}

static mandate_status open_database(rocks_kv *r, mandate_error *err)
{
    const char *names[KV_SPACE_COUNT];
    const rocksdb_options_t *options[KV_SPACE_COUNT];
    char *text = NULL;
    for (int i = 0; i < KV_SPACE_COUNT; i++) {
        char *left_over = table_path(r, (kv_space)i); /* a table that was never added */
        if (left_over)
            unlink(left_over);
        free(left_over);
        names[i] = kv_space_names[i];
        options[i] = r->space[i];
    }
    r->db = rocksdb_open_column_families(r->options, r->base.directory, KV_SPACE_COUNT, names, options, r->families, &text);
    return text ? open_error(text, r->base.directory, err) : MANDATE_OK;
}

static char *directory_dup(const char *directory)
{
    size_t len = strlen(directory);
    while (len > 1 && directory[len - 1] == '/')
        len--;
    return strndup(directory, len);
}

mandate_status kv_open_rocksdb(kv **out, const char *directory, mandate_error *err)
{
    bool fresh = false;
    rocks_kv *r = calloc(1, sizeof(*r));
    if (!r || !(r->base.directory = directory_dup(directory))) {
        free(r);
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a store");
    }
    r->base.ops = &rocks_ops;
    mandate_status status = open_options(r, err);
    if (status == MANDATE_OK)
        status = check_fresh(r->base.directory, &fresh, err);
    if (status == MANDATE_OK && !fresh)
        status = check_families(r, err);
    if (status == MANDATE_OK)
        status = open_database(r, err);
    if (status == MANDATE_OK)
        status = kv_check_format(&r->base, err);
    if (status == MANDATE_OK)
        *out = &r->base;
    else
        kv_close(&r->base);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpointer, opening - does this database go with the last checkpoint that was signed?
 *
 *   signed last      database                     what happens
 *   none             empty log, no name           the first start: a checkpoint of nothing is signed, then the log gets its name
 *   of nothing       empty log, no name           the first start was interrupted between the two: it goes on
 *   none             a name, or entries           refused: who says that these are all?
 *   origin, n, root  the same origin, size >= n,  goes on
 *                    the same root at n
 *   anything else                                 refused
 *
 * What was signed last is what the file says and what the topic says (checkpointer_last.c): the database must go with both, so that the
 * later one decides. A file that is missing is made anew from the topic.
 *
 * What is refused can be accepted by whoever starts the daemon. Then it is another log from there on, whose origin ends in the number
 * of its life, and its first entry of that life is "database_accepted" with the checkpoint that it contradicts.
 */
#include "connectors/daemon/record/checkpointer_int.h"

#include "connectors/audit/folder.h"
#include "connectors/daemon/base/clock.h"
#include "connectors/daemon/base/log.h"
#include "connectors/token/key_file.h"
#include "engine/base/base64.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct opening {
    checkpointer *c;
    const config *config;
    store *store;
    engine *engine;
    char origin[NOTE_NAME_MAX + 1]; /* as configured: of the first life */
    buf stored;                     /* as the database has it, empty: not yet */
    checkpointer_last last;
    const checkpointer_kept *against; /* what the database contradicts */
    bool lives_on;                    /* what is kept is of this life: nothing is due */
} opening;

/* --- the file, written ----------------------------------------------------------------------------------------------- */
static bool sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

mandate_status checkpointer_write_file(const char *path, mandate_slice text, mandate_error *err)
{
    const char *slash = strrchr(path, '/');
    char folder[4096] = ".";
    if (slash)
        snprintf(folder, sizeof(folder), "%.*s", (int)(slash == path ? 1 : slash - path), path);
    mandate_status status = folder_write(folder, slash ? slash + 1 : path, text, err);
    if (!status && !sync_folder(folder))
        status = mandate_error_set(err, MANDATE_UNAVAILABLE, "cannot sync the folder of %s: %s", path, strerror(errno));
    return status;
}

static char *file_path(const config *c)
{
    char *out = NULL;
    size_t len = strlen(c->data_dir);
    if (c->audit.file)
        return strdup(c->audit.file);
    while (len > 1 && c->data_dir[len - 1] == '/')
        len--;
    return asprintf(&out, "%.*s.checkpoint", (int)len, c->data_dir) < 0 ? NULL : out;
}

/* --- key and name ------------------------------------------------------------------------------------------------ */
static mandate_status open_key(opening *o, mandate_error *err)
{
    char path[4096];
    const char *given = o->config->audit.key, *socket = o->config->audit.signer;
    if (socket) {
        mandate_status away = signer_client_open(&o->c->remote, socket, SIGNER_LOG, err);
        return away ? away : signer_client_key(&o->c->signer, o->c->remote, err);
    }
    if (given)
        return key_file_read(&o->c->signer, given, err);
    if (snprintf(path, sizeof(path), "%s/" CHECKPOINTER_KEY_FILE, o->config->data_dir) >= (int)sizeof(path))
        return mandate_error_set(err, MANDATE_LIMIT, "data_dir is too long a path for a key file");
    mandate_status status = key_file_read(&o->c->signer, path, err);
    if (status != MANDATE_NOT_FOUND)
        return status;
    if (access(o->c->file, F_OK) == 0)
        return mandate_error_set(err, MANDATE_NOT_FOUND,
                                 "%s signed %s and is gone: put the key back (no new one is made: nobody would believe it)",
                                 path, o->c->file);
    status = key_file_create(&o->c->signer, path, TOKEN_EDDSA, err);
    if (!status)
        log_write(LOG_INFO, "audit", "made a key for signing checkpoints, %s: keep a copy of it in a safe place", path);
    return status;
}

static mandate_status set_origin(opening *o, mandate_error *err)
{
    const char *issuer = o->config->issuer, *scheme = strstr(issuer, "://");
    char *out = o->origin;
    if (o->config->audit.origin) {
        snprintf(out, sizeof(o->origin), "%s", o->config->audit.origin);
    } else {
        snprintf(out, sizeof(o->origin) - 8, "%s", scheme ? scheme + 3 : issuer);
        size_t len = strlen(out);
        while (len > 0 && out[len - 1] == '/')
            len--;
        snprintf(out + len, sizeof(o->origin) - len, "/audit");
    }
    if (!note_name_valid(mandate_slice_str(out)) || strlen(out) > NOTE_NAME_MAX - 24)
        return mandate_error_set(
            err, MANDATE_INVALID,
            "the audit log cannot be called \"%s\": set audit.origin to a name without spaces and \"+\"", out);
    return MANDATE_OK;
}

static uint64_t life_of(const opening *o, mandate_slice name) { return checkpointer_life(o->origin, name); }

/* --- comparing ---------------------------------------------------------------------------------------------------- */
#define ACCEPT "; --accept-older-database goes on from this one all the same, and records that"

/* One of what was signed. OK: they go together. CORRUPT: why they do not. */
static mandate_status compare_with(opening *o, const checkpointer_kept *kept, mandate_error *err)
{
    uint64_t size = store_audit_size(o->store);
    const checkpoint *last = &kept->what;
    merkle_hash root;
    bool interrupted = o->stored.len == 0 && size == 0 && last->size == 0 && strcmp(last->origin, o->origin) == 0;
    o->against = kept;
    if (!interrupted && !mandate_slice_is(buf_slice(&o->stored), last->origin))
        return mandate_error_set(
            err, MANDATE_CORRUPT,
            "%s is of the log %s and the database holds %.*s: it is another database, or a copy from before an"
            " older one was accepted. Restore the database that goes with it" ACCEPT,
            kept->place, last->origin, o->stored.len ? (int)o->stored.len : 8, o->stored.len ? o->stored.data : "none yet");
    if (last->size > size)
        return mandate_error_set(
            err, MANDATE_CORRUPT,
            "the database is older than its last checkpoint: its audit log has %llu entries and %s was signed over"
            " %llu. Mandates revoked in between would be active again. Restore the newest database" ACCEPT,
            (unsigned long long)size, kept->place, (unsigned long long)last->size);
    mandate_status status = store_audit_root(o->store, last->size, &root, err);
    if (!status && !merkle_hash_eq(&root, &last->root))
        return mandate_error_set(
            err, MANDATE_CORRUPT,
            "the first %llu entries of the audit log are not those that %s was signed over: the database was"
            " altered, or is another one. Restore it" ACCEPT,
            (unsigned long long)last->size, kept->place);
    if (!status)
        o->against = NULL;
    return status;
}

/* An earlier life on the topic is what was left behind when an older database was accepted; the file is of this one then. */
static bool is_past(const opening *o)
{
    return o->last.file.there && life_of(o, mandate_slice_str(o->last.topic.what.origin)) <
                                     life_of(o, mandate_slice_str(o->last.file.what.origin));
}

static mandate_status compare(opening *o, mandate_error *err)
{
    uint64_t size = store_audit_size(o->store);
    mandate_status status = MANDATE_OK;
    if (!o->last.file.there && !o->last.topic.there && (size > 0 || o->stored.len))
        return mandate_error_set(
            err, MANDATE_CORRUPT,
            "the audit log has %llu entries and %s, its last checkpoint, is missing%s%.200s: whether the database is an"
            " older copy cannot be told. Put the file back, or let the topic be read" ACCEPT,
            (unsigned long long)size, o->c->file, o->last.trouble[0] ? "; " : "", o->last.trouble);
    if (o->last.topic.there && !is_past(o))
        status = compare_with(o, &o->last.topic, err);
    return status || !o->last.file.there ? status : compare_with(o, &o->last.file, err);
}

/* --- accepting ------------------------------------------------------------------------------------------------------ */
static void put_detail(const opening *o, const char *origin, const char *why, buf *b)
{
    buf_put_str(b, "{\"why\":");
    buf_put_json_string(b, mandate_slice_str(why));
    buf_put_str(b, ",\"origin\":");
    buf_put_json_string(b, mandate_slice_str(origin));
    buf_put_str(b, ",\"checkpoint\":");
    if (o->against) {
        buf_printf(b, "{\"origin\":");
        buf_put_json_string(b, mandate_slice_str(o->against->what.origin));
        buf_printf(b, ",\"size\":%llu,\"root\":\"", (unsigned long long)o->against->what.size);
        base64_put(b, BASE64_STANDARD, o->against->what.root.bytes, SHA256_SIZE);
        buf_put_str(b, "\"}}");
    } else {
        buf_put_str(b, "null}");
    }
}

static mandate_status commit_entry(opening *o, mandate_slice detail, mandate_error *err)
{
    engine_result result;
    engine_input in = {.kind = INPUT_COMMAND,
                       .command = {.kind = COMMAND_LOG, .event = mandate_slice_str("database_accepted"), .detail = detail}};
    engine_batch batch = {.seq = engine_seq(o->engine) + 1, .now_us = clock_wall_us(), .inputs = &in, .count = 1};
    mandate_status status = engine_step(o->engine, &batch, &result, err);
    if (!status && result.answers[0].error.status) {
        *err = result.answers[0].error;
        return err->status;
    }
    store_commit_input commit = {.engine = o->engine, .batch = &batch, .result = &result};
    return status ? status : store_commit(o->store, &commit, err);
}

/* Another log from here on: a contradiction of what was signed must not be signed under the same name. */
static mandate_status accept(opening *o, const char *why, mandate_error *err)
{
    char origin[NOTE_NAME_MAX + 32];
    buf detail;
    const checkpointer_kept *kept[] = {&o->last.file, &o->last.topic};
    uint64_t life = life_of(o, buf_slice(&o->stored));
    for (size_t i = 0; i < sizeof(kept) / sizeof(*kept); i++)
        if (kept[i]->there && life_of(o, mandate_slice_str(kept[i]->what.origin)) > life)
            life = life_of(o, mandate_slice_str(kept[i]->what.origin));
    snprintf(origin, sizeof(origin), "%s/%llu", o->origin, (unsigned long long)(life ? life + 1 : 2));
    log_write(LOG_WARN, "audit", "accepted as --accept-older-database says, as the log %s: %s", origin, why);
    mandate_status status = store_audit_set_origin(o->store, mandate_slice_str(origin), err);
    buf_init(&detail);
    put_detail(o, origin, why, &detail);
    if (!status && detail.failed)
        status = mandate_error_set(err, MANDATE_NOMEM, "no memory for an audit entry");
    if (!status)
        status = commit_entry(o, buf_slice(&detail), err);
    buf_reset(&o->stored);
    buf_put_str(&o->stored, origin);
    o->lives_on = false; /* a checkpoint of this life is due at once */
    buf_deinit(&detail);
    return status;
}

/* The file first: no database with a name or an entry is ever without one, wherever the process is killed. */
static mandate_status begin_log(opening *o, mandate_error *err)
{
    mandate_status status = MANDATE_OK;
    buf_put_str(&o->stored, o->origin);
    if (!o->last.file.there) {
        note_key key = {0};
        checkpoint nothing = {.size = 0};
        memcpy(nothing.origin, o->origin, sizeof(nothing.origin));
        buf *note = &o->last.file.note;
        buf_reset(note);
        status = store_audit_root(o->store, 0, &nothing.root, err);
        if (!status)
            status = note_key_of(&key, buf_slice(&o->stored), o->c->signer, err);
        if (!status)
            status = checkpoint_sign(note, &nothing, &key, o->c->signer, err);
        if (!status)
            status = checkpointer_write_file(o->c->file, buf_slice(note), err);
        note_key_deinit(&key);
    }
    return status ? status : store_audit_set_origin(o->store, mandate_slice_str(o->origin), err);
}

/* A file that is missing: what the topic has of it. */
static mandate_status put_back(opening *o, mandate_error *err)
{
    if (o->last.file.there)
        return MANDATE_OK;
    log_write(LOG_WARN, "audit",
              "%s was missing and is made anew from %s, which vouches for %llu of %llu entries: what was signed later than "
              "that is "
              "not known",
              o->c->file, o->last.topic.place, (unsigned long long)o->last.topic.what.size,
              (unsigned long long)store_audit_size(o->store));
    return checkpointer_write_file(o->c->file, buf_slice(&o->last.topic.note), err);
}

static mandate_status settle(opening *o, bool accept_older, bool older, mandate_error *err)
{
    mandate_error why = {0};
    mandate_status status = compare(o, &why);
    if (status == MANDATE_OK && older)
        status =
            mandate_error_set(&why, MANDATE_CORRUPT, "the database ends before the step that its anchor says was synced");
    if (status == MANDATE_OK && accept_older)
        return mandate_error_set(err, MANDATE_INVALID,
                                 "the database goes with its last checkpoint: there is nothing to accept; start without"
                                 " --accept-older-database");
    if (status == MANDATE_CORRUPT && accept_older)
        return accept(o, why.text, err);
    if (status != MANDATE_OK) {
        *err = why;
        return status;
    }
    o->lives_on = o->last.file.there || o->last.topic.there;
    return o->stored.len ? put_back(o, err) : begin_log(o, err);
}

/* --- all of it -------------------------------------------------------------------------------------------------------- */
static void init(checkpointer *c, const config *cfg)
{
    pthread_condattr_t monotonic;
    *c = (checkpointer){.interval_us = cfg->audit.interval_us,
                        .max_unsigned_us = cfg->audit.max_unsigned_us,
                        .entries_max = cfg->audit.entries,
                        .file = file_path(cfg)};
    atomic_store(&c->unsigned_since_us, INT64_MAX);
    buf_init(&c->note);
    pthread_mutex_init(&c->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&c->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

static mandate_status open_all(opening *o, const checkpointer_topic *topic, bool accept_older, bool older,
                               mandate_error *err)
{
    mandate_status status = o->c->file ? set_origin(o, err) : mandate_error_set(err, MANDATE_NOMEM, "no memory for a path");
    if (!status)
        status = open_key(o, err);
    if (!status)
        status = checkpointer_read_file(&o->last, o->c, o->config, err);
    if (!status) {
        status = store_audit_origin(o->store, &o->stored, err);
        if (status == MANDATE_NOT_FOUND)
            status = MANDATE_OK;
    }
    /* A database that has something to lose and no file waits for the topic; others ask it, and go on without. */
    bool alone = !o->last.file.there && (o->stored.len || store_audit_size(o->store) > 0);
    if (!status && topic)
        checkpointer_read_topic(&o->last, o->c, o->config, o->origin, topic, alone);
    if (!status && o->stored.len && !life_of(o, buf_slice(&o->stored)))
        return mandate_error_set(
            err, MANDATE_INVALID,
            "the audit log in %s is called %.*s and not %s: a log keeps its name for ever; put audit.origin (or"
            " issuer) back, or name another data_dir",
            o->config->data_dir, (int)o->stored.len, o->stored.data, o->origin);
    if (!status)
        status = settle(o, accept_older, older, err);
    return status ? status : note_key_of(&o->c->key, buf_slice(&o->stored), o->c->signer, err);
}

mandate_status checkpointer_open(checkpointer **out, const config *cfg, store *st, engine *e,
                                 const checkpointer_topic *topic, bool accept_older, bool older, mandate_error *err)
{
    opening o = {.config = cfg, .store = st, .engine = e};
    checkpointer *c = malloc(sizeof(*c));
    if (!c)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for checkpoints");
    init(c, cfg);
    o.c = c;
    buf_init(&o.stored);
    buf_init(&o.last.file.note);
    buf_init(&o.last.topic.note);
    mandate_status status = open_all(&o, topic, accept_older, older, err);
    if (!status) {
        store_audit_head(st, &c->committed, &c->root);
        if (o.lives_on) { /* the later one; the file, when it is as late */
            const checkpointer_kept *kept =
                !o.last.file.there || (o.last.topic.there && !is_past(&o) && o.last.topic.what.size > o.last.file.what.size)
                    ? &o.last.topic
                    : &o.last.file;
            c->signed_once = true;
            c->signed_size = kept->what.size;
            c->on_topic = o.last.topic.there && mandate_slice_eq(buf_slice(&o.last.topic.note), buf_slice(&kept->note));
            buf_put_slice(&c->note, buf_slice(&kept->note));
        }
        if (!c->signed_once || c->signed_size != c->committed)
            atomic_store(&c->unsigned_since_us, clock_monotonic_us());
        *out = c;
    } else {
        checkpointer_destroy(c);
        status = mandate_error_prefix(err, status, "the audit log");
    }
    buf_deinit(&o.stored);
    checkpointer_last_deinit(&o.last);
    return status;
}

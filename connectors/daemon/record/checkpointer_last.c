/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpointer, what was signed last: as the file beside the database has it, and as the topic has it.
 *
 * Both are verified by our key, or one named in audit.former_keys, before they count. The file is ours alone, so one that is not signed so
 * refuses the start; on the topic anybody who may write to it stands, so what is not ours is passed over.
 */
#include "connectors/daemon/record/checkpointer_int.h"

#include "connectors/audit/folder.h"
#include "connectors/daemon/base/log.h"
#include "connectors/kafka/last.h"

/* Our key under a name, and the former ones. */
static mandate_status keys_of(note_key keys[NOTE_KEYS_MAX], uint32_t *count, const checkpointer *c, const config *cfg,
                              mandate_slice origin, mandate_error *err)
{
    mandate_slice texts[NOTE_KEYS_MAX];
    mandate_status status = MANDATE_OK;

    *count = 0;
    if (cfg->audit.former.count >= NOTE_KEYS_MAX)
        return mandate_error_set(err, MANDATE_LIMIT, "audit.former_keys has more than %d keys", NOTE_KEYS_MAX - 1);
    for (uint32_t i = 0; i < cfg->audit.former.count; i++)
        texts[i] = mandate_slice_str(cfg->audit.former.items[i]);
    if (cfg->audit.former.count)
        status = folder_keys(keys, count, texts, cfg->audit.former.count, err);
    if (!status)
        status = note_key_of(&keys[(*count)++], origin, c->signer, err);
    return status;
}

static mandate_slice origin_line(mandate_slice note)
{
    const char *end = note.len ? memchr(note.ptr, '\n', note.len) : NULL;
    return mandate_slice_of(note.ptr, end ? (size_t)(end - note.ptr) : 0);
}

/* Under whatever name of ours it was signed: the origin is compared after. */
static mandate_status open_note(checkpoint *out, const checkpointer *c, const config *cfg, mandate_slice note,
                                mandate_error *err)
{
    note_key keys[NOTE_KEYS_MAX] = {0};
    uint32_t count;
    mandate_status status = keys_of(keys, &count, c, cfg, origin_line(note), err);

    if (!status)
        status = checkpoint_open(out, note, keys, count, err);
    folder_keys_close(keys, count);
    return status;
}

/* --- the file -------------------------------------------------------------------------------------------------------- */
mandate_status checkpointer_read_file(checkpointer_last *out, const checkpointer *c, const config *cfg, mandate_error *err)
{
    const char *path = c->file, *slash = strrchr(path, '/');
    char folder[4096] = ".";

    if (slash)
        snprintf(folder, sizeof(folder), "%.*s", (int)(slash == path ? 1 : slash - path), path);
    snprintf(out->file.place, sizeof(out->file.place), "%s", path);
    mandate_status status = folder_read(&out->file.note, folder, slash ? slash + 1 : path, NOTE_MAX, err);
    if (status == MANDATE_NOT_FOUND)
        return MANDATE_OK;
    if (!status)
        status = open_note(&out->file.what, c, cfg, buf_slice(&out->file.note), err);
    if (status == MANDATE_DENIED)
        return mandate_error_set(
            err, MANDATE_CORRUPT,
            "%s was not signed by audit.key (or audit.signer's): put the key back that signed it, name it "
            "in audit.former_keys, or put the file back",
            path);
    out->file.there = !status;
    return status ? mandate_error_prefix(err, status, "%s", path) : MANDATE_OK;
}

/* --- the topic ------------------------------------------------------------------------------------------------------- */
typedef struct search {
    checkpointer_last *out;
    const checkpointer *c;
    const config *config;
    const char *origin;
    uint64_t foreign; /* of our name, and not signed by us */
} search;

uint64_t checkpointer_life(const char *origin, mandate_slice name)
{
    size_t len = strlen(origin);
    uint64_t life = 0;

    if (mandate_slice_is(name, origin))
        return 1;
    if (name.len <= len + 1 || memcmp(name.ptr, origin, len) != 0 || name.ptr[len] != '/' ||
        !checkpoint_number(&life, mandate_slice_of(name.ptr + len + 1, name.len - len - 1)))
        return 0;
    return life > 1 ? life : 0;
}

static bool is_later(const char *origin, const checkpoint *a, const checkpoint *b)
{
    uint64_t life_a = checkpointer_life(origin, mandate_slice_str(a->origin)),
             life_b = checkpointer_life(origin, mandate_slice_str(b->origin));
    return life_a != life_b ? life_a > life_b : a->size > b->size;
}

/* What it says is looked at before its signature: only what would count is worth verifying. */
static bool visit(void *ctx, mandate_slice key, mandate_slice value)
{
    search *s = ctx;
    checkpointer_kept *best = &s->out->topic;
    mandate_error err;
    checkpoint said;
    const char *end = value.len ? memmem(value.ptr, value.len, "\n\n", 2) : NULL;

    if (!checkpointer_life(s->origin, key) || !end || value.len > NOTE_MAX ||
        checkpoint_parse(&said, mandate_slice_of(value.ptr, (size_t)(end + 1 - value.ptr)), NULL) != MANDATE_OK ||
        !mandate_slice_is(key, said.origin) || (best->there && !is_later(s->origin, &said, &best->what)))
        return false;
    if (open_note(&said, s->c, s->config, value, &err) != MANDATE_OK) {
        s->foreign++;
        return false;
    }
    buf_reset(&best->note);
    buf_put_slice(&best->note, value);
    best->what = said;
    best->there = !best->note.failed;
    return best->there;
}

void checkpointer_read_topic(checkpointer_last *out, const checkpointer *c, const config *cfg, const char *origin,
                             const checkpointer_topic *topic, bool alone)
{
    search s = {.out = out, .c = c, .config = cfg, .origin = origin};
    mandate_error err = {0};
    bool found;
    last_options options = {.cluster = topic->cluster,
                            .host = topic->host,
                            .topic = cfg->topics.checkpoints,
                            .timeout_ms = topic->timeout_ms ? topic->timeout_ms
                                          : !alone          ? CHECKPOINTER_TOPIC_MS
                                                            : CHECKPOINTER_TOPIC_ALONE_MS,
                            .patient = alone};

    snprintf(out->topic.place, sizeof(out->topic.place), "the topic %s", cfg->topics.checkpoints);
    if (last_read(&options, visit, &s, &found, &err) != MANDATE_OK)
        snprintf(out->trouble, sizeof(out->trouble), "%.299s", err.text);
    else if (!found && s.foreign)
        snprintf(out->trouble, sizeof(out->trouble),
                 "on the topic %.128s are %llu of this log's name that our key did not sign", cfg->topics.checkpoints,
                 (unsigned long long)s.foreign);
    else if (!found)
        snprintf(out->trouble, sizeof(out->trouble), "there is none on the topic %.128s", cfg->topics.checkpoints);
    if (!out->topic.there && out->file.there)
        log_write(LOG_INFO, "audit", "the database is compared with %s alone: %s", c->file, out->trouble);
}

void checkpointer_last_deinit(checkpointer_last *l)
{
    buf_deinit(&l->file.note);
    buf_deinit(&l->topic.note);
}

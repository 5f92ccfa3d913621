/* SPDX-License-Identifier: Apache-2.0 */
/* folder - see the header. One pass over the bundles; of the tree only the right edge and the open tiles are in memory. */
#include "connectors/audit/folder.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, BUNDLE_MAX = TILE_WIDTH * (TILE_ENTRY_MAX + 2) };

/* --- files ----------------------------------------------------------------------------------------------- */
static mandate_status join(char out[PATH_SIZE], const char *folder, const char *name, mandate_error *err)
{
    if (snprintf(out, PATH_SIZE, "%s/%s", folder, name) >= PATH_SIZE)
        return mandate_error_set(err, MANDATE_LIMIT, "%s is too long a path", folder);
    return MANDATE_OK;
}

mandate_status folder_read(buf *out, const char *folder, const char *name, size_t max, mandate_error *err)
{
    char path[PATH_SIZE];
    ssize_t n = 1;
    mandate_status status = join(path, folder, name, err);
    if (status)
        return status;
    struct stat is;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hang us */
    if (fd < 0)
        return mandate_error_set(err, errno == ENOENT ? MANDATE_NOT_FOUND : MANDATE_UNAVAILABLE, "%s: %s", path,
                                 strerror(errno));
    if (fstat(fd, &is) != 0 || !S_ISREG(is.st_mode)) {
        close(fd);
        return mandate_error_set(err, MANDATE_INVALID, "%s is no regular file", path);
    }
    buf_reset(out);
    while (n != 0 && !status) {
        if (!buf_reserve(out, 65536))
            status = mandate_error_set(err, MANDATE_NOMEM, "no memory to read %s", path);
        else if ((n = read(fd, out->data + out->len, out->cap - out->len)) < 0 && errno != EINTR)
            status = mandate_error_set(err, MANDATE_UNAVAILABLE, "%s: %s", path, strerror(errno));
        out->len += n > 0 ? (size_t)n : 0;
        if (!status && out->len > max)
            status = mandate_error_set(err, MANDATE_LIMIT, "%s is longer than it can be (%zu bytes)", path, max);
    }
    close(fd);
    return status;
}

bool folder_has(const char *folder, const char *name)
{
    char path[PATH_SIZE];
    return join(path, folder, name, NULL) == MANDATE_OK && access(path, F_OK) == 0;
}

static bool make_folders(char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        bool ok = mkdir(path, 0777) == 0 || errno == EEXIST;
        *slash = '/';
        if (!ok)
            return false;
    }
    return true;
}

mandate_status folder_write(const char *folder, const char *name, mandate_slice bytes, mandate_error *err)
{
    char path[PATH_SIZE], draft[PATH_SIZE + 8];
    size_t at = 0;
    mandate_status status = join(path, folder, name, err);
    if (status)
        return status;
    snprintf(draft, sizeof(draft), "%s.new", path);
    if (!make_folders(path))
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "cannot make the folders of %s: %s", path, strerror(errno));
    /* Ours, whatever stands under its name: a link would have us write into what it points to. */
    unlink(draft);
    int fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    bool ok = fd >= 0;
    while (ok && at < bytes.len) {
        ssize_t n = write(fd, bytes.ptr + at, bytes.len - at);
        ok = n > 0 || (n < 0 && errno == EINTR);
        at += n > 0 ? (size_t)n : 0;
    }
    ok = ok && fsync(fd) == 0;
    int why = errno;
    if (fd >= 0)
        close(fd);
    if (ok && rename(draft, path) == 0)
        return MANDATE_OK;
    why = ok ? errno : why;
    unlink(draft);
    return mandate_error_set(err, MANDATE_UNAVAILABLE, "cannot write %s: %s", path, strerror(why));
}

/* --- keys -------------------------------------------------------------------------------------------------- */
mandate_status folder_keys(note_key keys[NOTE_KEYS_MAX], uint32_t *count, const mandate_slice *texts, size_t text_count,
                           mandate_error *err)
{
    mandate_status status = MANDATE_OK;
    *count = 0;
    if (text_count == 0 || text_count > NOTE_KEYS_MAX)
        return mandate_error_set(err, MANDATE_INVALID, "a checkpoint is verified with 1 to %d keys, not %zu", NOTE_KEYS_MAX,
                                 text_count);
    for (size_t i = 0; i < text_count && !status; i++) {
        status = note_key_parse(&keys[i], texts[i], err);
        if (status)
            note_key_deinit(&keys[i]);
        else
            ++*count;
    }
    if (status)
        folder_keys_close(keys, *count);
    return status;
}

void folder_keys_close(note_key *keys, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        note_key_deinit(&keys[i]);
}

/* --- verification --------------------------------------------------------------------------------------------- */
typedef struct verifier {
    const mandate_audit_folder *what;
    mandate_audit_report *out;
    checkpoint now;
    checkpoint *older;                      /* ascending; older_count of them */
    size_t next_older;                      /* not yet reached */
    uint64_t proved;                        /* entries before it are as an older checkpoint has them */
    uint64_t doubt;                         /* the first entry that tiles do not agree with, UINT64_MAX: none */
    char doubted[160], tile[TILE_PATH_MAX]; /* why, and the tile */
    merkle_edge edge;
    merkle_edge tiles[TILE_LEVELS]; /* [l]: over the hashes of the open tile of level l */
    buf bundle, hashes;
    mandate_error *err;
} verifier;

static mandate_status wrong(verifier *v, uint64_t entry, const char *why)
{
    v->out->first_wrong = entry;
    return mandate_error_set(v->err, MANDATE_DENIED, "entry %llu is the first that is wrong: %s", (unsigned long long)entry,
                             why);
}

/* The first one is kept; the root will tell who is right. */
static void doubt(verifier *v, uint64_t entry, const tile_name *t, const char *why)
{
    if (v->doubt != UINT64_MAX)
        return;
    v->doubt = entry;
    snprintf(v->doubted, sizeof(v->doubted), "%s", why);
    tile_path(v->tile, t);
}

/* The entries are not what was signed. */
static mandate_status wrong_entries(verifier *v, const char *why)
{
    return v->doubt != UINT64_MAX ? wrong(v, v->doubt, v->doubted) : wrong(v, v->proved, why);
}

static mandate_status no_hash(verifier *v) { return mandate_error_set(v->err, MANDATE_NOMEM, "SHA-256 is not available"); }

static mandate_status read_tile(verifier *v, const tile_name *t, buf *out, size_t max)
{
    char path[TILE_PATH_MAX];
    tile_name whole = *t;
    tile_path(path, t);
    mandate_status status = folder_read(out, v->what->path, path, max, v->err);
    if (status != MANDATE_NOT_FOUND || t->width == TILE_WIDTH)
        return status;
    whole.width = TILE_WIDTH; /* the log has grown since: the full tile has what the partial one had */
    tile_path(path, &whole);
    return folder_read(out, v->what->path, path, max, NULL) ? status : MANDATE_OK;
}

static mandate_status read_hashes(verifier *v, const tile_name *t)
{
    unsigned width = t->width;
    char path[TILE_PATH_MAX];
    mandate_status status = read_tile(v, t, &v->hashes, TILE_WIDTH * SHA256_SIZE);
    tile_path(path, t);
    if (!status && (v->hashes.len < (size_t)width * SHA256_SIZE || v->hashes.len % SHA256_SIZE))
        return mandate_error_set(v->err, MANDATE_INVALID, "%s has %zu bytes; a tile of %u hashes has %u", path,
                                 v->hashes.len, width, width * SHA256_SIZE);
    return status;
}

/* A tile of `level` - 1 is complete: its root must be what the level above says. */
static mandate_status check_above(verifier *v, unsigned level, uint64_t index, const merkle_hash *root)
{
    char why[128];
    tile_name t = {level, index / TILE_WIDTH, tile_width(level, index / TILE_WIDTH, v->now.size)};
    mandate_status status = read_hashes(v, &t);
    if (status)
        return status;
    if (memcmp(v->hashes.data + index % TILE_WIDTH * SHA256_SIZE, root->bytes, SHA256_SIZE) == 0)
        return MANDATE_OK;
    uint64_t first = index << (TILE_HEIGHT * level);
    snprintf(why, sizeof(why), "the entries from it on do not give hash %llu of tile level %u", (unsigned long long)index,
             level);
    doubt(v, first > v->proved ? first : v->proved, &t, why);
    return MANDATE_OK;
}

static mandate_status add_to_tiles(verifier *v, const merkle_hash *leaf, uint64_t index)
{
    merkle_hash at = *leaf;
    for (unsigned level = 0; level + 1 < TILE_LEVELS; level++) {
        merkle_edge *open = &v->tiles[level];
        if (!merkle_edge_add(open, &at, NULL, NULL))
            return no_hash(v);
        if (open->size < TILE_WIDTH)
            return MANDATE_OK;
        if (!merkle_edge_root(&at, open))
            return no_hash(v);
        open->size = 0;
        index >>= TILE_HEIGHT;
        mandate_status status = check_above(v, level + 1, index, &at);
        if (status)
            return status;
    }
    return MANDATE_OK;
}

/* The tree has grown to a size that an older checkpoint names. */
static mandate_status check_older(verifier *v)
{
    merkle_hash root;
    for (; v->next_older < v->what->older_count && v->older[v->next_older].size == v->edge.size; v->next_older++) {
        char why[160];
        if (!merkle_edge_root(&root, &v->edge))
            return no_hash(v);
        if (!merkle_hash_eq(&root, &v->older[v->next_older].root)) {
            snprintf(why, sizeof(why),
                     "a checkpoint of %llu entries that was kept has another root: what it covers was changed",
                     (unsigned long long)v->edge.size);
            return wrong_entries(v, why);
        }
        v->proved = v->edge.size;
    }
    return MANDATE_OK;
}

static mandate_status check_entry(verifier *v, mandate_slice entry, const char *expected)
{
    merkle_hash leaf;
    uint64_t index = v->edge.size;
    if (!merkle_leaf(&leaf, entry))
        return no_hash(v);
    tile_name t = {0, index / TILE_WIDTH, tile_width(0, index / TILE_WIDTH, v->now.size)};
    if (memcmp(leaf.bytes, expected, SHA256_SIZE) != 0)
        doubt(v, index, &t, "it is not what its leaf hash was made of");
    if (!merkle_edge_add(&v->edge, &leaf, NULL, NULL))
        return no_hash(v);
    v->out->checked = v->edge.size;
    if (v->doubt == UINT64_MAX && v->what->entry && !v->what->entry(v->what->ctx, index, entry))
        return mandate_error_set(v->err, MANDATE_UNAVAILABLE, "stopped at entry %llu", (unsigned long long)index);
    mandate_status status = add_to_tiles(v, &leaf, index);
    return status ? status : check_older(v);
}

static mandate_status check_bundle(verifier *v, uint64_t index)
{
    unsigned width = tile_width(0, index, v->now.size), i = 0;
    tile_name t = {TILE_ENTRIES, index, width};
    char path[TILE_PATH_MAX];
    merkle_hash leaves[TILE_WIDTH];
    mandate_slice rest, entry;
    tile_path(path, &t);
    mandate_status status = read_tile(v, &t, &v->bundle, BUNDLE_MAX);
    if (!status)
        status = read_hashes(v, &(tile_name){0, index, width});
    if (status)
        return status;
    memcpy(leaves, v->hashes.data, width * SHA256_SIZE); /* the buffer is used for tiles above meanwhile */
    rest = buf_slice(&v->bundle);
    for (; i < width && !status && tile_next_entry(&entry, &rest); i++)
        status = check_entry(v, entry, (const char *)leaves[i].bytes);
    if (!status && i == TILE_WIDTH && rest.len)
        return mandate_error_set(v->err, MANDATE_INVALID, "%s has %zu bytes after its entries", path, rest.len);
    if (!status && i < width)
        return mandate_error_set(v->err, MANDATE_INVALID, "%s ends after %u entries; it should have %u", path, i, width);
    return status;
}

static int by_size(const void *x, const void *y)
{
    const checkpoint *a = x, *b = y;
    return (a->size > b->size) - (a->size < b->size);
}

static mandate_status open_checkpoints(verifier *v, const note_key *keys, uint32_t count)
{
    char which[64];
    mandate_status status = folder_read(&v->bundle, v->what->path, "checkpoint", NOTE_MAX, v->err);
    if (!status) {
        status = checkpoint_open(&v->now, buf_slice(&v->bundle), keys, count, v->err);
        if (status)
            return mandate_error_prefix(v->err, status, "%s/checkpoint", v->what->path);
    }
    for (size_t i = 0; i < v->what->older_count && !status; i++) {
        checkpoint *c = &v->older[i];
        snprintf(which, sizeof(which), "kept checkpoint %zu", i + 1);
        status = checkpoint_open(c, v->what->older[i], keys, count, v->err);
        if (!status && strcmp(c->origin, v->now.origin) != 0)
            status = mandate_error_set(v->err, MANDATE_DENIED, "it is of the log %s, this is %s", c->origin, v->now.origin);
        if (!status && c->size > v->now.size) {
            v->out->first_wrong = v->now.size;
            status = mandate_error_set(
                v->err, MANDATE_DENIED, "the log had %llu entries and has %llu now: its end was cut off, from entry %llu on",
                (unsigned long long)c->size, (unsigned long long)v->now.size, (unsigned long long)v->now.size);
        }
        if (status)
            return mandate_error_prefix(v->err, status, "%s", which);
    }
    if (!status && v->what->older_count)
        qsort(v->older, v->what->older_count, sizeof(*v->older), by_size);
    return status;
}

static mandate_status check_all(verifier *v)
{
    merkle_hash root;
    mandate_status status = check_older(v); /* those of the empty log */
    while (!status && v->edge.size < v->now.size)
        status = check_bundle(v, v->edge.size / TILE_WIDTH);
    if (status)
        return status;
    if (!merkle_edge_root(&root, &v->edge))
        return no_hash(v);
    if (!merkle_hash_eq(&root, &v->now.root))
        return wrong_entries(v, "the tree does not have the root that was signed, and nothing later proves it");
    if (v->doubt != UINT64_MAX)
        return mandate_error_set(v->err, MANDATE_DENIED,
                                 "%s is wrong: the entries give the signed root and other hashes than it has", v->tile);
    return MANDATE_OK;
}

mandate_status folder_verify(mandate_audit_report *out, const mandate_audit_folder *what, mandate_error *err)
{
    note_key keys[NOTE_KEYS_MAX];
    uint32_t count;
    mandate_status status = folder_keys(keys, &count, what->keys, what->key_count, err);
    if (status)
        return status;
    verifier *v = calloc(1, sizeof(*v));
    *out = (mandate_audit_report){.first_wrong = UINT64_MAX};
    if (v)
        v->older = calloc(what->older_count + 1, sizeof(*v->older));
    if (!v || !v->older) {
        status = mandate_error_set(err, MANDATE_NOMEM, "no memory to verify a log");
    } else {
        v->what = what;
        v->out = out;
        v->err = err;
        v->doubt = UINT64_MAX;
        buf_init(&v->bundle);
        buf_init(&v->hashes);
        status = open_checkpoints(v, keys, count);
        if (!status || v->now.origin[0]) {
            out->checkpoint.size = v->now.size;
            memcpy(out->checkpoint.root, v->now.root.bytes, SHA256_SIZE);
            memcpy(out->checkpoint.origin, v->now.origin, sizeof(v->now.origin));
        }
        if (!status)
            status = check_all(v);
        buf_deinit(&v->bundle);
        buf_deinit(&v->hashes);
        free(v->older);
    }
    free(v);
    folder_keys_close(keys, count);
    return status;
}

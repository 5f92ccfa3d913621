/* SPDX-License-Identifier: Apache-2.0 */
/*
 * anchor - the high-water mark outside the database.
 *
 * Created whole (temporary file, fsync, rename, fsync of the folder), then overwritten in place, two
 * sectors in turn. A file in which neither sector checks is refused: we never wrote it so.
 */
#include "graph/anchor.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "engine/base/hash.h"

enum {
    ANCHOR_SECTOR = 512,
    ANCHOR_LINE = 66,       /* the text of a sector, without what pads it */
    ANCHOR_CHECKED = 43,    /* of it, what the check covers */
    ANCHOR_SYNC_EVERY = 256 /* puts between two syncs: bounds what a power failure can hide */
};

struct anchor {
    char *path, *temporary, *folder;
    int fd; /* -1 until the first put */
    unsigned slot, unsynced;
};

static mandate_status anchor_error(const anchor *a, const char *doing, mandate_error *err)
{
    return mandate_error_set(err, MANDATE_IO, "%s the anchor %s: %s", doing, a->path, strerror(errno));
}

static mandate_status sector_format(char out[ANCHOR_SECTOR], uint64_t seq, mandate_error *err)
{
    uint8_t hash[SHA256_SIZE];
    char check[17];
    memset(out, ' ', ANCHOR_SECTOR);
    int n = snprintf(out, ANCHOR_SECTOR, "mandated-anchor 1 seq %020llu ", (unsigned long long)seq);
    assert(n == ANCHOR_CHECKED);
    if (!sha256(hash, out, ANCHOR_CHECKED))
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a hash");
    hex_encode(check, hash, 8);
    n += snprintf(out + n, ANCHOR_SECTOR - (size_t)n, "check %s", check);
    assert(n == ANCHOR_LINE - 1);
    out[n] = ' ';
    out[ANCHOR_SECTOR - 1] = '\n';
    return MANDATE_OK;
}

/* True when the sector is one that sector_format wrote. */
static bool sector_parse(uint64_t *seq, const char in[ANCHOR_SECTOR])
{
    char again[ANCHOR_SECTOR], line[ANCHOR_CHECKED + 1];
    unsigned long long number = 0;
    memcpy(line, in, ANCHOR_CHECKED);
    line[ANCHOR_CHECKED] = '\0';
    if (sscanf(line, "mandated-anchor 1 seq %20llu", &number) != 1 || sector_format(again, number, NULL) != MANDATE_OK ||
        memcmp(in, again, ANCHOR_SECTOR) != 0)
        return false;
    *seq = number;
    return true;
}

static mandate_status anchor_read(anchor *a, uint64_t *seq, mandate_error *err)
{
    char sectors[2][ANCHOR_SECTOR];
    uint64_t found[2] = {0, 0};
    a->fd = open(a->path, O_RDWR | O_CLOEXEC);
    if (a->fd < 0)
        return errno == ENOENT ? MANDATE_OK : anchor_error(a, "cannot open", err);
    ssize_t n = pread(a->fd, sectors, sizeof(sectors), 0);
    if (n < 0)
        return anchor_error(a, "cannot read", err);
    bool first = n == (ssize_t)sizeof(sectors) && sector_parse(&found[0], sectors[0]);
    bool second = n == (ssize_t)sizeof(sectors) && sector_parse(&found[1], sectors[1]);
    if (!first && !second)
        return mandate_error_set(err, MANDATE_CORRUPT,
                                 "the anchor %s is unreadable, so it cannot be told whether the"
                                 " database lost its newest steps; check the disk, and delete the"
                                 " file to go on with what is there",
                                 a->path);
    a->slot = found[0] > found[1] ? 1 : 0; /* overwrite the older one next */
    *seq = found[0] > found[1] ? found[0] : found[1];
    return MANDATE_OK;
}

static char *path_join(const char *directory, const char *suffix)
{
    char *out = NULL;
    size_t len = strlen(directory);
    while (len > 1 && directory[len - 1] == '/')
        len--;
    return asprintf(&out, "%.*s%s", (int)len, directory, suffix) < 0 ? NULL : out;
}

/* Where the anchor's name stands, to be synced after the rename. */
static char *path_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return strdup(".");
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

mandate_status anchor_open(anchor **out, uint64_t *seq, const char *directory, mandate_error *err)
{
    mandate_status status;
    anchor *a = calloc(1, sizeof(*a));
    *seq = 0;
    if (!a)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for an anchor");
    a->fd = -1;
    a->path = path_join(directory, ".anchor");
    a->temporary = path_join(directory, ".anchor.new");
    a->folder = a->path ? path_folder(a->path) : NULL;
    if (a->path && a->temporary && a->folder)
        status = anchor_read(a, seq, err);
    else
        status = mandate_error_set(err, MANDATE_NOMEM, "no memory for an anchor");
    if (status == MANDATE_OK)
        *out = a;
    else
        anchor_close(a);
    return status;
}

static mandate_status folder_sync(const anchor *a, mandate_error *err)
{
    int fd = open(a->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return anchor_error(a, "cannot open the folder of", err);
    bool ok = fsync(fd) == 0;
    mandate_status status = ok ? MANDATE_OK : anchor_error(a, "cannot sync the folder of", err);
    close(fd);
    return status;
}

static mandate_status anchor_create(anchor *a, uint64_t seq, mandate_error *err)
{
    char sectors[2][ANCHOR_SECTOR];
    mandate_status status = sector_format(sectors[0], seq, err);
    if (status != MANDATE_OK)
        return status;
    memcpy(sectors[1], sectors[0], ANCHOR_SECTOR);
    /* Ours, whatever stands under its name: a link would have us write into what it points to. */
    unlink(a->temporary);
    int fd = open(a->temporary, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0640);
    if (fd < 0)
        return anchor_error(a, "cannot create", err);
    if (pwrite(fd, sectors, sizeof(sectors), 0) != (ssize_t)sizeof(sectors) || fsync(fd) != 0 ||
        rename(a->temporary, a->path) != 0) {
        status = anchor_error(a, "cannot write", err);
        close(fd);
        return status;
    }
    a->fd = fd;
    return folder_sync(a, err);
}

mandate_status anchor_put(anchor *a, uint64_t seq, mandate_error *err)
{
    char sector[ANCHOR_SECTOR];
    if (a->fd < 0)
        return anchor_create(a, seq, err);
    mandate_status status = sector_format(sector, seq, err);
    if (status != MANDATE_OK)
        return status;
    if (pwrite(a->fd, sector, ANCHOR_SECTOR, (off_t)a->slot * ANCHOR_SECTOR) != ANCHOR_SECTOR)
        return anchor_error(a, "cannot write", err);
    a->slot = !a->slot;
    return ++a->unsynced >= ANCHOR_SYNC_EVERY ? anchor_sync(a, err) : MANDATE_OK;
}

mandate_status anchor_sync(anchor *a, mandate_error *err)
{
    if (a->fd >= 0 && fdatasync(a->fd) != 0)
        return anchor_error(a, "cannot sync", err);
    a->unsynced = 0;
    return MANDATE_OK;
}

const char *anchor_path(const anchor *a) { return a->path; }

void anchor_close(anchor *a)
{
    if (!a)
        return;
    if (a->fd >= 0)
        close(a->fd);
    free(a->path);
    free(a->temporary);
    free(a->folder);
    free(a);
}

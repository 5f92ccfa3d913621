/* SPDX-License-Identifier: Apache-2.0 */
/* key_file - see the header. What is checked is the open descriptor, not the name, so nothing can be swapped in between. */
#include "connectors/token/key_file.h"

#include "connectors/token/base64url.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEY_FILE_MAX = 16384, PATH_LEN_MAX = 4096 };

static mandate_status check_private(int fd, const char *path, mandate_error *err)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return mandate_error_set(err, MANDATE_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return mandate_error_set(err, MANDATE_DENIED, "%s: a key must be a regular file", path);
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return mandate_error_set(err, MANDATE_DENIED, "%s: belongs to another user (%u): a key must be ours alone", path,
                                 (unsigned)st.st_uid);
    if (st.st_mode & 077)
        return mandate_error_set(err, MANDATE_DENIED,
                                 "%s: others may read or write it (mode %03o): chmod 600 it, and if it "
                                 "was readable for long, replace the key",
                                 path, (unsigned)(st.st_mode & 0777));
    return MANDATE_OK;
}

/* At most `size` bytes; `out` is the caller's to clear. */
static mandate_status read_all(char *out, size_t size, size_t *len, int fd, const char *path, mandate_error *err)
{
    ssize_t n;
    *len = 0;
    while (*len < size && (n = read(fd, out + *len, size - *len)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return mandate_error_set(err, MANDATE_IO, "%s: %s", path, strerror(errno));
        *len += (size_t)n;
    }
    if (*len == size)
        return mandate_error_set(err, MANDATE_LIMIT, "%s: larger than any key (%zu bytes)", path, size - 1);
    return MANDATE_OK;
}

/* What is in a file that is ours alone; the caller clears it. */
static mandate_status read_private(char *text, size_t size, size_t *len, const char *path, mandate_error *err)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return mandate_error_set(err, MANDATE_NOT_FOUND, "%s: there is no such file", path);
    if (fd < 0)
        return mandate_error_set(err, MANDATE_DENIED, "%s: %s", path, errno == ELOOP ? "is a link" : strerror(errno));
    mandate_status status = check_private(fd, path, err);
    if (!status)
        status = read_all(text, size, len, fd, path, err);
    close(fd);
    return status;
}

mandate_status key_file_read(token_key **out, const char *path, mandate_error *err)
{
    char text[KEY_FILE_MAX + 1];
    size_t len = 0;
    mandate_status status = read_private(text, sizeof(text), &len, path, err);
    if (!status) {
        status = token_key_from_pem(out, mandate_slice_of(text, len), err);
        if (status)
            status = mandate_error_prefix(err, status, "%s", path);
    }
    OPENSSL_cleanse(text, sizeof(text));
    return status;
}

/* The folder's entry is on disk as well. */
static bool sync_folder(const char *path)
{
    char folder[PATH_LEN_MAX] = ".";
    const char *slash = strrchr(path, '/');
    if (slash)
        snprintf(folder, sizeof(folder), "%.*s", (int)(slash == path ? 1 : slash - path), path);
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool ok = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        close(fd);
    return ok;
}

static bool write_synced(int fd, mandate_slice text)
{
    size_t at = 0;
    bool ok = fchmod(fd, 0600) == 0;
    while (ok && at < text.len) {
        ssize_t n = write(fd, text.ptr + at, text.len - at);
        ok = n > 0 || (n < 0 && errno == EINTR);
        at += n > 0 ? (size_t)n : 0;
    }
    return ok && fsync(fd) == 0;
}

/* Under its own name only once it is whole: a process killed in between leaves PATH.new, which the next one replaces. */
static mandate_status write_new(const char *path, mandate_slice text, mandate_error *err)
{
    char draft[PATH_LEN_MAX];
    if (snprintf(draft, sizeof(draft), "%s.new", path) >= (int)sizeof(draft))
        return mandate_error_set(err, MANDATE_LIMIT, "%s: too long a path for a key", path);
    unlink(draft);
    int fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return mandate_error_set(err, MANDATE_IO, "%s: %s", draft, strerror(errno));
    bool ok = write_synced(fd, text);
    int why = errno;
    close(fd);
    if (ok && link(draft, path) != 0) {
        why = errno;
        ok = false;
    }
    unlink(draft);
    if (ok && sync_folder(path))
        return MANDATE_OK;
    if (!ok && why == EEXIST)
        return mandate_error_set(err, MANDATE_CONFLICT, "%s exists: a key is never overwritten", path);
    return mandate_error_set(err, MANDATE_IO, "%s could not be written: %s", path, strerror(ok ? errno : why));
}

mandate_status key_file_create(token_key **out, const char *path, token_alg alg, mandate_error *err)
{
    token_key *k;
    buf pem;
    mandate_status status = token_key_generate(&k, alg, err);
    if (status)
        return status;
    buf_init(&pem);
    buf_reserve(&pem, KEY_FILE_MAX); /* so that growing leaves no copy behind */
    status = token_key_put_pem(&pem, k, err);
    if (!status)
        status = write_new(path, buf_slice(&pem), err);
    if (pem.data)
        OPENSSL_cleanse(pem.data, pem.cap);
    buf_deinit(&pem);
    if (status)
        token_key_destroy(k);
    else
        *out = k;
    return status;
}

/* In base64url, so that a copy of it can be written down. */
static mandate_status make_secret(uint8_t out[KEY_FILE_SECRET], const char *path, mandate_error *err)
{
    buf text;
    if (RAND_bytes(out, KEY_FILE_SECRET) != 1)
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "%s: the system gives no random numbers", path);
    buf_init(&text);
    buf_reserve(&text, 64);
    base64url_put(&text, out, KEY_FILE_SECRET);
    buf_put_char(&text, '\n');
    mandate_status status = text.failed ? mandate_error_set(err, MANDATE_NOMEM, "out of memory for a secret")
                                        : write_new(path, buf_slice(&text), err);
    if (text.data)
        OPENSSL_cleanse(text.data, text.cap);
    buf_deinit(&text);
    return status;
}

mandate_status key_file_secret(uint8_t out[KEY_FILE_SECRET], const char *path, mandate_error *err)
{
    char text[KEY_FILE_MAX + 1];
    size_t len = 0;
    mandate_slice bytes;
    arena a;
    mandate_status status = read_private(text, sizeof(text), &len, path, err);
    if (status == MANDATE_NOT_FOUND)
        return make_secret(out, path, err);
    if (status)
        return status;
    arena_init(&a, 0);
    if (!base64url_decode(&bytes, &a, mandate_slice_of(text, len && text[len - 1] == '\n' ? len - 1 : len)) ||
        bytes.len != KEY_FILE_SECRET)
        status = mandate_error_set(err, MANDATE_INVALID, "%s: expected %d bytes in base64url, on one line", path,
                                   KEY_FILE_SECRET);
    else
        memcpy(out, bytes.ptr, KEY_FILE_SECRET);
    if (!status)
        OPENSSL_cleanse((char *)(uintptr_t)bytes.ptr, bytes.len);
    OPENSSL_cleanse(text, sizeof(text));
    arena_deinit(&a);
    return status;
}

mandate_status key_file_read_public(keyset *s, const char *path, mandate_error *err)
{
    size_t len = 0;
    buf text;
    buf_init(&text);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    mandate_status status =
        fd >= 0 ? MANDATE_OK : mandate_error_set(err, MANDATE_NOT_FOUND, "%s: %s", path, strerror(errno));
    if (!status && !buf_reserve(&text, KEYSET_JSON_MAX + 1))
        status = mandate_error_set(err, MANDATE_NOMEM, "out of memory for %s", path);
    if (!status)
        status = read_all(text.data, KEYSET_JSON_MAX + 1, &len, fd, path, err);
    if (fd >= 0)
        close(fd);
    if (!status) {
        status = keyset_read(s, mandate_slice_of(text.data, len), err);
        if (status)
            status = mandate_error_prefix(err, status, "%s", path);
    }
    buf_deinit(&text);
    return status;
}

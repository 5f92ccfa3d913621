/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault - preloaded into mandated by test_fail_closed.py: storage that fails or hangs, a wall clock that was set, memory that ends, a
 * key that does not sign. What fails, and since when, stands in a file that both processes map; nothing fails until the test says so.
 *
 *   FAULT_CONTROL  the file: 64-bit numbers, by `enum field`; what was hit is counted there, so that a test knows that it was
 *   FAULT_DATA     path that storage faults concern, with everything below it
 *   FAULT_FILE     path (its beginning) that the fault of the audit log's file concerns
 *
 * Invariant: calls that are not to fail are passed on untouched, with no allocation.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum field {
    DATA_ERRNO,
    FILE_ERRNO,
    STALL,
    WALL_SHIFT_US,
    MEMORY_FROM,
    SIGN_FAILS,
    CLOCK_UNSYNC,
    DATA_HITS,
    FILE_HITS,
    STALL_HITS,
    MEMORY_HITS,
    SIGN_HITS,
    FIELDS
};

static int64_t off[FIELDS];
static volatile int64_t *control = off;
static const char *data_path, *file_path;

#define NEXT(name)                 \
    static __typeof__(name) *next; \
    if (!next)                     \
    next = (__typeof__(name) *)dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void fault_open(void)
{
    const char *path = getenv("FAULT_CONTROL");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *map = mmap(NULL, FIELDS * sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    data_path = getenv("FAULT_DATA");
    file_path = getenv("FAULT_FILE");
    if (map != MAP_FAILED)
        control = map;
}

static void hit(enum field f) { __atomic_add_fetch(&control[f], 1, __ATOMIC_RELAXED); }

static int fails_at(const char *path)
{
    size_t data = data_path ? strlen(data_path) : 0;
    if (control[DATA_ERRNO] && data && !strncmp(path, data_path, data) && (path[data] == '/' || !path[data])) {
        hit(DATA_HITS);
        return (int)control[DATA_ERRNO];
    }
    if (control[FILE_ERRNO] && file_path && !strncmp(path, file_path, strlen(file_path))) {
        hit(FILE_HITS);
        return (int)control[FILE_ERRNO];
    }
    return 0;
}

/* 0, or the error of writing to it. Waits while storage hangs. */
static int fails(int fd)
{
    char name[64], path[4096];
    if (!control[DATA_ERRNO] && !control[FILE_ERRNO] && !control[STALL])
        return 0;
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(name, path, sizeof(path) - 1);
    path[n > 0 ? n : 0] = '\0';
    size_t data = data_path ? strlen(data_path) : 0;
    if (control[STALL] && data && !strncmp(path, data_path, data) && path[data] == '/') {
        hit(STALL_HITS);
        while (control[STALL])
            nanosleep(&(struct timespec){0, 2000000}, NULL);
    }
    return fails_at(path);
}

#define FAULT_FD(type, name, params, args) \
    type name params                       \
    {                                      \
        NEXT(name);                        \
        int error = fails(fd);             \
        if (error) {                       \
            errno = error;                 \
            return -1;                     \
        }                                  \
        return next args;                  \
    }

FAULT_FD(ssize_t, write, (int fd, const void *p, size_t n), (fd, p, n))
FAULT_FD(ssize_t, pwrite, (int fd, const void *p, size_t n, off_t at), (fd, p, n, at))
FAULT_FD(ssize_t, pwrite64, (int fd, const void *p, size_t n, off64_t at), (fd, p, n, at))
FAULT_FD(ssize_t, writev, (int fd, const struct iovec *v, int n), (fd, v, n))
FAULT_FD(int, fdatasync, (int fd), (fd))
FAULT_FD(int, fsync, (int fd), (fd))
FAULT_FD(int, sync_file_range, (int fd, off64_t at, off64_t n, unsigned flags), (fd, at, n, flags))
FAULT_FD(int, fallocate, (int fd, int mode, off_t at, off_t n), (fd, mode, at, n))
FAULT_FD(int, fallocate64, (int fd, int mode, off64_t at, off64_t n), (fd, mode, at, n))
FAULT_FD(int, ftruncate, (int fd, off_t n), (fd, n))
FAULT_FD(int, ftruncate64, (int fd, off64_t n), (fd, n))

static int opens(const char *path, int flags)
{
    char absolute[4096];
    if ((flags & (O_WRONLY | O_RDWR | O_CREAT)) == 0 || (!control[DATA_ERRNO] && !control[FILE_ERRNO]))
        return 0;
    if (path[0] == '/')
        return fails_at(path);
    if (!getcwd(absolute, sizeof(absolute) / 2))
        return 0;
    size_t n = strlen(absolute);
    snprintf(absolute + n, sizeof(absolute) - n, "/%s", path);
    return fails_at(absolute);
}

#define FAULT_OPEN(name)                       \
    int name(const char *path, int flags, ...) \
    {                                          \
        NEXT(name);                            \
        va_list more;                          \
        va_start(more, flags);                 \
        mode_t mode = va_arg(more, mode_t);    \
        va_end(more);                          \
        int error = opens(path, flags);        \
        if (error) {                           \
            errno = error;                     \
            return -1;                         \
        }                                      \
        return next(path, flags, mode);        \
    }

FAULT_OPEN(open)
FAULT_OPEN(open64)

int rename(const char *from, const char *to)
{
    NEXT(rename);
    int error = opens(to, O_WRONLY);
    if (error) {
        errno = error;
        return -1;
    }
    return next(from, to);
}

/* --- the wall clock ------------------------------------------------------------------------------------------------- */
int clock_gettime(clockid_t id, struct timespec *t)
{
    NEXT(clock_gettime);
    int code = next(id, t);
    int64_t shift = control[WALL_SHIFT_US];
    if (code == 0 && shift && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
        int64_t us = t->tv_sec * 1000000 + t->tv_nsec / 1000 + shift;
        t->tv_sec = us / 1000000;
        t->tv_nsec = us % 1000000 * 1000;
    }
    return code;
}

int gettimeofday(struct timeval *t, void *zone)
{
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    *t = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
    return 0;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out)
        *out = now.tv_sec;
    return now.tv_sec;
}

/* Whatever the machine's own clock is. */
int adjtimex(struct timex *t)
{
    t->status = control[CLOCK_UNSYNC] ? STA_UNSYNC : 0;
    return control[CLOCK_UNSYNC] ? TIME_ERROR : TIME_OK;
}

/* --- memory ------------------------------------------------------------------------------------------------------------ */
void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);

static int ends(size_t size)
{
    if (!control[MEMORY_FROM] || size < (uint64_t)control[MEMORY_FROM])
        return 0;
    hit(MEMORY_HITS);
    errno = ENOMEM;
    return 1;
}

void *malloc(size_t size) { return ends(size) ? NULL : __libc_malloc(size); }
void *calloc(size_t n, size_t size) { return ends(n * size) ? NULL : __libc_calloc(n, size); }
void *realloc(void *p, size_t size) { return ends(size) ? NULL : __libc_realloc(p, size); }

/* --- the key ----------------------------------------------------------------------------------------------------------- */
int EVP_DigestSign(void *ctx, unsigned char *out, size_t *len, const unsigned char *message, size_t size);
int EVP_DigestSign(void *ctx, unsigned char *out, size_t *len, const unsigned char *message, size_t size)
{
    NEXT(EVP_DigestSign);
    if (control[SIGN_FAILS]) {
        hit(SIGN_HITS);
        return 0;
    }
    return next(ctx, out, len, message, size);
}

/* libsodium's, for Ed25519. */
int crypto_sign_detached(unsigned char *out, unsigned long long *len, const unsigned char *message, unsigned long long size,
                         const unsigned char *key);
int crypto_sign_detached(unsigned char *out, unsigned long long *len, const unsigned char *message, unsigned long long size,
                         const unsigned char *key)
{
    NEXT(crypto_sign_detached);
    if (control[SIGN_FAILS]) {
        hit(SIGN_HITS);
        return -1;
    }
    return next(out, len, message, size, key);
}

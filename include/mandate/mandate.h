/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mandate.h - what every public header and every room of the house shares: slices, statuses, errors.
 *
 * Conventions
 *  (1) A function that can fail returns `mandate_status`, is marked MANDATE_CHECK, and takes a
 *      caller-owned `mandate_error` last. The error may be NULL when nobody will read it.
 *  (2) Out parameters come first and are named `out`. They are untouched on failure unless stated.
 *  (3) A slice is pointer and length, never NUL-terminated by contract. It borrows.
 *  (4) Times are signed microseconds since 1970-01-01T00:00:00Z (`_us`), with no leap seconds.
 *  (5) "Unknown" is a value of the condition language and never an error.
 */
#ifndef MANDATE_MANDATE_H
#define MANDATE_MANDATE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define MANDATE_CHECK __attribute__((warn_unused_result))
#define MANDATE_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#define MANDATE_API __attribute__((visibility("default")))
#else
#define MANDATE_CHECK
#define MANDATE_PRINTF(fmt, args)
#define MANDATE_API
#endif

/* Name, what the caller should do by default, meaning. The one list of what can go wrong. */
#define MANDATE_STATUS_MAP(X)                                                        \
    X(OK, NONE, "success")                                                           \
    X(NOMEM, FATAL, "out of memory")                                                 \
    X(INVALID, REJECT, "the input is malformed or breaks a rule")                    \
    X(LIMIT, REJECT, "a documented limit was exceeded")                              \
    X(NOT_FOUND, REJECT, "no such thing")                                            \
    X(CONFLICT, REJECT, "it exists already with other content, or in another state") \
    X(DENIED, REJECT, "the caller may not do this")                                  \
    X(UNSUPPORTED, REJECT, "valid, but not something this build can do")             \
    X(UNAVAILABLE, RETRY, "a server or file could not be reached now")               \
    X(IO, FATAL, "a write or read of our own storage failed")                        \
    X(CORRUPT, FATAL, "our own stored data does not check")                          \
    X(SHUTDOWN, RETRY, "the process is stopping")

typedef enum mandate_status {
#define X(name, advice, text) MANDATE_##name,
    MANDATE_STATUS_MAP(X)
#undef X
        MANDATE_STATUS_COUNT
} mandate_status;

/* What the caller should do about an error. */
typedef enum mandate_advice {
    MANDATE_ADVICE_NONE,
    MANDATE_ADVICE_RETRY,  /* the same call may succeed later */
    MANDATE_ADVICE_REJECT, /* refuse this input; nothing was changed */
    MANDATE_ADVICE_FATAL   /* stop: state and storage may disagree */
} mandate_advice;

enum { MANDATE_ERROR_TEXT_MAX = 1024 };

/* One error: what, where, what to do. Line and column count from 1; 0 means "no position". */
typedef struct mandate_error {
    mandate_status status;
    mandate_advice advice;
    uint32_t line, column;
    char text[MANDATE_ERROR_TEXT_MAX]; /* one or more sentences, NUL-terminated, valid UTF-8 */
} mandate_error;

/* Borrowed bytes. */
typedef struct mandate_slice {
    const char *ptr;
    size_t len;
} mandate_slice;

static inline mandate_slice mandate_slice_of(const char *ptr, size_t len)
{
    mandate_slice out = {ptr, len};
    return out;
}

static inline mandate_slice mandate_slice_str(const char *text)
{
    mandate_slice out = {text, strlen(text)};
    return out;
}

static inline bool mandate_slice_eq(mandate_slice a, mandate_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool mandate_slice_is(mandate_slice a, const char *text)
{
    return mandate_slice_eq(a, mandate_slice_str(text));
}

/* Byte order, a prefix first: <0, 0, >0. */
static inline int mandate_slice_cmp(mandate_slice a, mandate_slice b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.ptr, b.ptr, n) : 0;
    return c ? c : (a.len > b.len) - (a.len < b.len);
}

/* printf("%.*s", MANDATE_SLICE_ARG(s)) */
#define MANDATE_SLICE_ARG(s) (int)(s).len, (s).ptr
#define MANDATE_SLICE_LIT(text)  \
    {                            \
        (text), sizeof(text) - 1 \
    }

/* Short lower-case name of a status ("not_found"); never NULL. */
MANDATE_API const char *mandate_status_name(mandate_status status);

/* Sets `err` (if not NULL), with the status's default advice, and returns `status`. */
MANDATE_API mandate_status mandate_error_set(mandate_error *err, mandate_status status, const char *format, ...)
    MANDATE_PRINTF(3, 4);

/* As above, at a place. */
MANDATE_API mandate_status mandate_error_set_at(mandate_error *err, mandate_status status, uint32_t line, uint32_t column,
                                                const char *format, ...) MANDATE_PRINTF(5, 6);

/* Puts "<context>: " in front of the lower message, keeping its status, advice and position. */
MANDATE_API mandate_status mandate_error_prefix(mandate_error *err, mandate_status status, const char *format, ...)
    MANDATE_PRINTF(3, 4);

/* Version of this library, "major.minor.patch". */
MANDATE_API const char *mandate_version(void);

#ifdef __cplusplus
}
#endif
#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error - the public status names, the error setters and the version.
 *
 * Messages quote what came from outside, so the text is repaired to valid UTF-8 here, once, and a
 * text too long to fit is cut at a code point and ends in "...". Nothing here allocates.
 */
#include "mandate/mandate.h"

#include <assert.h>
#include <stdio.h>

#include "engine/base/text.h"

static const char *const status_names[] = {
    [MANDATE_OK] = "ok",
    [MANDATE_NOMEM] = "nomem",
    [MANDATE_INVALID] = "invalid",
    [MANDATE_LIMIT] = "limit",
    [MANDATE_NOT_FOUND] = "not_found",
    [MANDATE_CONFLICT] = "conflict",
    [MANDATE_DENIED] = "denied",
    [MANDATE_UNSUPPORTED] = "unsupported",
    [MANDATE_UNAVAILABLE] = "unavailable",
    [MANDATE_IO] = "io",
    [MANDATE_CORRUPT] = "corrupt",
    [MANDATE_SHUTDOWN] = "shutdown",
};
_Static_assert(sizeof(status_names) / sizeof(*status_names) == MANDATE_STATUS_COUNT, "every status has a name");

static const mandate_advice status_advice[] = {
#define X(name, advice, text) [MANDATE_##name] = MANDATE_ADVICE_##advice,
    MANDATE_STATUS_MAP(X)
#undef X
};

const char *mandate_status_name(mandate_status status)
{
    if ((unsigned)status >= MANDATE_STATUS_COUNT)
        return "unknown_status";
    return status_names[status];
}

/* Room for more than an error holds, so that "too long" is seen after the repair, not before. */
enum { RAW_MAX = 2 * MANDATE_ERROR_TEXT_MAX };

static void text_store(char out[MANDATE_ERROR_TEXT_MAX], const char *raw, size_t raw_len)
{
    static const char ellipsis[] = "...";
    const char *at = raw, *end = raw + raw_len;
    size_t len = 0;
    size_t cut = 0; /* the longest prefix that leaves room for the ellipsis */

    while (at < end) {
        char bytes[4] = "";
        int32_t c = utf8_next(&at, end);
        size_t n = utf8_encode(bytes, c >= 0 ? (uint32_t)c : 0xFFFD);
        if (len + n >= MANDATE_ERROR_TEXT_MAX) {
            memcpy(out + cut, ellipsis, sizeof(ellipsis));
            return;
        }
        memcpy(out + len, bytes, n);
        len += n;
        if (len + sizeof(ellipsis) <= MANDATE_ERROR_TEXT_MAX)
            cut = len;
    }
    out[len] = '\0';
}

MANDATE_PRINTF(2, 0)
static size_t raw_format(char raw[RAW_MAX], const char *format, va_list args)
{
    int n = vsnprintf(raw, RAW_MAX, format, args);
    if (n < 0) {
        raw[0] = '\0';
        return 0;
    }
    return (size_t)n < RAW_MAX ? (size_t)n : RAW_MAX - 1;
}

MANDATE_PRINTF(5, 0)
static mandate_status error_set(mandate_error *err, mandate_status status, uint32_t line, uint32_t column,
                                const char *format, va_list args)
{
    assert((unsigned)status < MANDATE_STATUS_COUNT);
    if (!err)
        return status;

    /* The arguments may point into err->text, so it is written last. */
    char raw[RAW_MAX];
    size_t len = raw_format(raw, format, args);
    err->status = status;
    err->advice = status_advice[status];
    err->line = line;
    err->column = column;
    text_store(err->text, raw, len);
    return status;
}

mandate_status mandate_error_set(mandate_error *err, mandate_status status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_set(err, status, 0, 0, format, args);
    va_end(args);
    return status;
}

mandate_status mandate_error_set_at(mandate_error *err, mandate_status status, uint32_t line, uint32_t column,
                                    const char *format, ...)
{
    va_list args;
    va_start(args, format);
    error_set(err, status, line, column, format, args);
    va_end(args);
    return status;
}

mandate_status mandate_error_prefix(mandate_error *err, mandate_status status, const char *format, ...)
{
    if (!err)
        return status;

    char raw[RAW_MAX + 2 + MANDATE_ERROR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    size_t len = raw_format(raw, format, args);
    va_end(args);

    memcpy(raw + len, ": ", 2);
    len += 2;
    size_t lower = strnlen(err->text, MANDATE_ERROR_TEXT_MAX);
    memcpy(raw + len, err->text, lower);
    text_store(err->text, raw, len + lower);
    return status;
}

const char *mandate_version(void) { return MANDATE_VERSION; }

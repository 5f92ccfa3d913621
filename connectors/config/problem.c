/* SPDX-License-Identifier: Apache-2.0 */
/*
 * problem - see problem.h. Positions are in code points, because that is what libyaml counts and editors show.
 */
#include "connectors/config/problem.h"

#include <stdio.h>
#include <strings.h>

#include "engine/base/text.h"

enum { EXCERPT_WIDTH = 110, EXCERPT_BEFORE = 70 };

void problems_init(problems *p)
{
    memset(p, 0, sizeof(*p));
    buf_init(&p->text);
}

void problems_deinit(problems *p) { buf_deinit(&p->text); }

/* Bytes of the line break at `at`: LF, CR, CRLF, NEL, LS, PS; 0 when there is none. */
static size_t line_break(mandate_slice text, size_t at)
{
    const unsigned char *s = (const unsigned char *)text.ptr + at;
    size_t left = text.len - at;
    if (left == 0)
        return 0;
    if (s[0] == '\r')
        return left > 1 && s[1] == '\n' ? 2 : 1;
    if (s[0] == '\n')
        return 1;
    if (left > 1 && s[0] == 0xc2 && s[1] == 0x85)
        return 2;
    if (left > 2 && s[0] == 0xe2 && s[1] == 0x80 && (s[2] == 0xa8 || s[2] == 0xa9))
        return 3;
    return 0;
}

static size_t code_point_size(mandate_slice text, size_t at)
{
    const char *from = text.ptr + at, *next = from;
    (void)utf8_next(&next, text.ptr + text.len);
    return (size_t)(next - from);
}

size_t source_offset(mandate_slice text, uint32_t line, uint32_t column)
{
    size_t at = 0;
    for (uint32_t l = 1; l < line && at < text.len;) {
        size_t size = line_break(text, at);
        l += size != 0;
        at += size ? size : code_point_size(text, at);
    }
    for (uint32_t c = 1; c < column && at < text.len && !line_break(text, at); c++)
        at += code_point_size(text, at);
    return at;
}

void source_place(mandate_slice text, size_t offset, uint32_t *line, uint32_t *column)
{
    uint32_t l = 1, c = 1;
    for (size_t at = 0; at < offset && at < text.len;) {
        size_t size = line_break(text, at);
        l += size != 0;
        c = size ? 1 : c + 1;
        at += size ? size : code_point_size(text, at);
    }
    *line = l;
    *column = c;
}

/* A line that seems to hold a secret is shown up to its key only: reports end up in logs and tickets. */
static size_t shown_end(mandate_slice text, size_t line)
{
    static const char *const words[] = {"registry_auth", "password", "secret", "token", "pem", "username"};
    size_t end = line, hidden = SIZE_MAX;
    while (end < text.len && !line_break(text, end))
        end += code_point_size(text, end);
    for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
        size_t len = strlen(words[i]);
        for (size_t at = line; at + len <= end; at++)
            if (at < hidden && strncasecmp(text.ptr + at, words[i], len) == 0)
                hidden = at;
    }
    while (hidden < end && text.ptr[hidden] != ':')
        hidden++;
    return hidden < end ? hidden + 1 : end;
}

/* "  12 | the line\n     |   ^\n", cut around the caret when the line is long. */
static void put_excerpt(buf *b, mandate_slice text, uint32_t line, uint32_t column)
{
    size_t at = source_offset(text, line, 1), caret = source_offset(text, line, column);
    uint32_t skipped = 0, shown = 0, before = column - 1;
    size_t end = shown_end(text, at);
    while (before - skipped > EXCERPT_BEFORE && at < caret) {
        at += code_point_size(text, at);
        skipped++;
    }
    buf_printf(b, "%5u | %s", line, skipped ? "..." : "");
    while (at < end && shown < EXCERPT_WIDTH) {
        size_t size = code_point_size(text, at);
        unsigned char c = (unsigned char)text.ptr[at];
        if (c < 0x20 || c == 0x7f || (size == 1 && c >= 0x80))
            buf_put_char(b, ' '); /* a tab would move the caret */
        else
            buf_put(b, text.ptr + at, size);
        at += size;
        shown++;
    }
    buf_printf(b, "%s\n      | %*s^\n", at < text.len && !line_break(text, at) ? "..." : "",
               (int)(before - skipped + (skipped ? 3 : 0)), "");
}

mandate_status problem_add(problems *p, const source_text *where, mandate_status status, uint32_t line, uint32_t column,
                           const char *format, ...)
{
    char sentence[MANDATE_ERROR_TEXT_MAX];
    va_list args;
    buf out;

    if (++p->count > PROBLEMS_SHOWN)
        return status;
    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    for (char *c = sentence; *c; c++) /* what is quoted from a file must not drive the terminal */
        if (((unsigned char)*c < 0x20 && *c != '\n') || *c == 0x7f)
            *c = '?';
    buf_init(&out);
    if (line)
        buf_printf(&out, "%s:%u:%u: %s\n", where->path, line, column, sentence);
    else
        buf_printf(&out, "%s: %s\n", where->path, sentence);
    if (line && where->text.len)
        put_excerpt(&out, where->text, line, column);
    buf_put_slice(&p->text, buf_slice(&out));
    if (!p->first.status) {
        if (out.len && out.data[out.len - 1] == '\n')
            out.len--;
        mandate_error_set_at(&p->first, status, line, column, "%s", buf_cstr(&out));
    }
    buf_deinit(&out);
    return status;
}

mandate_status problems_result(const problems *p, mandate_error *err)
{
    if (!p->count)
        return MANDATE_OK;
    if (err)
        *err = p->first;
    if (err && p->count > 1) {
        size_t used = strlen(err->text);
        snprintf(err->text + used, sizeof(err->text) - used, "\n(and %u more problem%s)", p->count - 1,
                 p->count > 2 ? "s" : "");
    }
    return p->first.status;
}

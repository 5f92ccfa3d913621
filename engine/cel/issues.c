/* SPDX-License-Identifier: Apache-2.0 */
/*
 * issues - collecting problems, and showing them under the source line they belong to.
 *
 * Lines and columns count from 1, columns in code points. The caret line has one dot for each code
 * point in front of the caret; tabs of the source line are printed as blanks so that the caret
 * fits.
 */
#include "engine/cel/issues.h"

#include "engine/base/text.h"
#include "engine/limits.h"

_Static_assert(LIMIT_CEL_ERRORS == sizeof((cel_issues *)0)->items / sizeof(cel_issue),
               "the items array holds what the limit promises");

void cel_issues_init(cel_issues *issues)
{
    memset(issues, 0, sizeof *issues);
    arena_init(&issues->memory, LIMIT_CEL_ERRORS * 4096);
}

void cel_issues_deinit(cel_issues *issues)
{
    arena_deinit(&issues->memory);
    issues->count = 0;
}

/* The line that holds `offset`: its bounds and its number. */
static mandate_slice line_at(mandate_slice source, uint32_t offset, uint32_t *number)
{
    size_t begin = 0, end;

    *number = 1;
    for (size_t i = 0; i < offset && i < source.len; i++) {
        if (source.ptr[i] == '\n') {
            begin = i + 1;
            ++*number;
        }
    }
    for (end = begin; end < source.len && source.ptr[end] != '\n'; end++)
        ;
    return mandate_slice_of(source.ptr + begin, end - begin);
}

static uint32_t column_at(mandate_slice source, mandate_slice line, uint32_t offset)
{
    const char *at = line.ptr, *to = source.ptr + (offset < source.len ? offset : source.len);
    uint32_t column = 1;

    while (at < to && at < line.ptr + line.len) {
        utf8_next(&at, line.ptr + line.len);
        column++;
    }
    return column;
}

void cel_issues_place(mandate_slice source, uint32_t offset, uint32_t *line, uint32_t *column)
{
    mandate_slice text = line_at(source, offset, line);
    *column = source.len ? column_at(source, text, offset) : 1;
}

void cel_issues_add(cel_issues *issues, mandate_slice source, uint32_t offset, const char *format, ...)
{
    cel_issue *issue;
    va_list args;
    buf text;

    if (issues->count == LIMIT_CEL_ERRORS) {
        issues->truncated = true;
        return;
    }
    issue = &issues->items[issues->count++];
    issue->offset = offset;
    cel_issues_place(source, offset, &issue->line, &issue->column);
    buf_init(&text);
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    if (text.len > MANDATE_ERROR_TEXT_MAX / 2) {
        text.len = MANDATE_ERROR_TEXT_MAX / 2;
        while (text.len > 0 && ((unsigned char)text.data[text.len] & 0xC0) == 0x80)
            text.len--;
        buf_put_str(&text, "...");
    }
    issue->message = text.failed ? mandate_slice_of(NULL, 0) : arena_dup(&issues->memory, buf_slice(&text));
    if (!issue->message.ptr)
        issue->message = mandate_slice_str("invalid expression");
    buf_deinit(&text);
}

mandate_status cel_issues_status(const cel_issues *issues, mandate_status status, mandate_error *err)
{
    if (issues->count == 0)
        return mandate_error_set(err, status, "%s", mandate_status_name(status));
    return mandate_error_set_at(err, status, issues->items[0].line, issues->items[0].column, "%.*s",
                                MANDATE_SLICE_ARG(issues->items[0].message));
}

mandate_status cel_issues_no_room(cel_issues *issues, const cel_ast *ast, mandate_error *err)
{
    if (ast->memory.size_max == 0 || ast->memory.used < ast->memory.size_max - (64 << 10))
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for an expression");
    issues->count = 0;
    cel_issues_add(issues, ast->source, 0, "the expression is too complex");
    return cel_issues_status(issues, MANDATE_LIMIT, err);
}

void cel_issues_print(buf *b, const cel_issues *issues, mandate_slice source)
{
    for (uint32_t i = 0; i < issues->count; i++) {
        const cel_issue *issue = &issues->items[i];
        uint32_t number;
        mandate_slice line = line_at(source, issue->offset, &number);

        buf_printf(b, "ERROR: %u:%u: %.*s\n | ", issue->line, issue->column, MANDATE_SLICE_ARG(issue->message));
        for (size_t j = 0; j < line.len; j++)
            if (line.ptr[j] != '\r')
                buf_put_char(b, line.ptr[j] == '\t' ? ' ' : line.ptr[j]);
        buf_put_str(b, "\n | ");
        for (uint32_t j = 1; j < issue->column; j++)
            buf_put_char(b, '.');
        buf_put_str(b, "^\n");
    }
    if (issues->truncated)
        buf_put_str(b, "ERROR: there are more problems than are shown here\n");
}

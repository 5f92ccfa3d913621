/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out - lines are built in a buf, then written; widths count characters, not bytes or escapes.
 */
#include "connectors/cli/out.h"

#include <stdlib.h>
#include <unistd.h>

#include "engine/base/text.h"

enum { COLUMN_MAX = 60, VALUE_MAX = 400 };

static bool coloured;

static const char *const styles[] = {
    [OUT_PLAIN] = "",        [OUT_BOLD] = "\033[1m", [OUT_DIM] = "\033[2m",
    [OUT_GOOD] = "\033[32m", [OUT_BAD] = "\033[31m", [OUT_DOUBT] = "\033[33m",
};

void out_init(void)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    coloured = isatty(STDOUT_FILENO) && !(no_color && *no_color) && !(term && strcmp(term, "dumb") == 0);
}

/* Control characters (C0, DEL, C1), bidirectional overrides and what is no UTF-8 become U+FFFD. */
static void put_harmless(buf *b, mandate_slice text, const char *newline)
{
    const char *at = text.ptr, *end = text.len ? text.ptr + text.len : text.ptr;
    while (at < end) {
        const char *here = at;
        int32_t c = utf8_next(&at, end);
        bool bidi = (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
        if (c == '\n')
            buf_put_str(b, newline);
        else if (c < 0x20 || (c >= 0x7f && c < 0xa0) || bidi)
            buf_put_str(b, "\xEF\xBF\xBD");
        else
            buf_put(b, here, (size_t)(at - here));
    }
}

void out_problem(const char *format, ...)
{
    buf raw, line;
    va_list args;
    buf_init(&raw);
    buf_init(&line);
    va_start(args, format);
    buf_vprintf(&raw, format, args);
    va_end(args);
    put_harmless(&line, buf_slice(&raw), "\n  "); /* indented, so that no line can be forged */
    fprintf(stderr, "mandatectl: %s\n", buf_cstr(&line));
    buf_deinit(&raw);
    buf_deinit(&line);
}

void out_text(buf *line, out_style style, mandate_slice text)
{
    bool paint = coloured && style != OUT_PLAIN;
    if (paint)
        buf_put_str(line, styles[style]);
    put_harmless(line, text, "\xE2\x8F\x8E");
    if (paint)
        buf_put_str(line, "\033[0m");
}

void out_str(buf *line, out_style style, const char *text) { out_text(line, style, mandate_slice_str(text)); }

void out_column(buf *line, out_style style, mandate_slice text, size_t width)
{
    size_t shown = utf8_length(text);
    out_text(line, style, text);
    for (size_t i = shown; i < width; i++)
        buf_put_char(line, ' ');
    buf_put_str(line, "  ");
}

bool out_line(buf *line)
{
    while (line->len && line->data[line->len - 1] == ' ')
        line->len--;
    buf_put_char(line, '\n');
    bool written = !line->failed && fwrite(line->data, 1, line->len, stdout) == line->len;
    buf_reset(line);
    return written;
}

/* --- tables ----------------------------------------------------------------------------------- */

void out_table_init(out_table *t, const char *const *heads, size_t columns)
{
    *t = (out_table){.columns = columns};
    arena_init(&t->a, 0);
    for (size_t i = 0; i < columns; i++)
        out_table_add(t, OUT_DIM, mandate_slice_str(heads[i]));
}

void out_table_add(out_table *t, out_style style, mandate_slice text)
{
    if (t->rows == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 64;
        struct out_cell *cells = realloc(t->cells, cap * sizeof(*cells));
        if (!cells)
            return;
        t->cells = cells;
        t->cap = cap;
    }
    t->cells[t->rows].text = arena_dup(&t->a, text);
    t->cells[t->rows++].style = style;
}

void out_table_print(out_table *t)
{
    size_t widths[OUT_COLUMNS_MAX] = {0};
    buf line;
    buf_init(&line);
    for (size_t i = 0; i < t->rows; i++) {
        size_t w = utf8_length(t->cells[i].text), *widest = &widths[i % t->columns];
        if (w > *widest)
            *widest = w > COLUMN_MAX ? COLUMN_MAX : w;
    }
    for (size_t i = 0; i < t->rows; i++) {
        bool last = (i + 1) % t->columns == 0;
        out_column(&line, t->cells[i].style, t->cells[i].text, last ? 0 : widths[i % t->columns]);
        if (last && !out_line(&line))
            break;
    }
    buf_deinit(&line);
}

void out_table_deinit(out_table *t)
{
    arena_deinit(&t->a);
    free(t->cells);
}

/* --- words of the domain ---------------------------------------------------------------------- */

out_style out_state_style(mandate_slice state)
{
    if (mandate_slice_is(state, "active"))
        return OUT_GOOD;
    return mandate_slice_is(state, "suspended") ? OUT_DOUBT : OUT_BAD;
}

const char *out_truth_mark(mandate_slice truth, out_style *style)
{
    if (mandate_slice_is(truth, "true")) {
        *style = OUT_GOOD;
        return "\xE2\x9C\x93"; /* check mark */
    }
    if (mandate_slice_is(truth, "false")) {
        *style = OUT_BAD;
        return "\xE2\x9C\x97"; /* ballot x */
    }
    *style = mandate_slice_is(truth, "error") ? OUT_BAD : OUT_DOUBT;
    return mandate_slice_is(truth, "error") ? "!" : "?";
}

mandate_slice out_value(arena *a, cel_value v)
{
    buf text;
    if (v.kind == CEL_STRING)
        return cel_text(v);
    buf_init(&text);
    cel_to_text(&text, v, VALUE_MAX);
    mandate_slice copy = arena_dup(a, buf_slice(&text));
    buf_deinit(&text);
    return copy;
}

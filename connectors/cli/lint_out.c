/* SPDX-License-Identifier: Apache-2.0 */
/* lint_out - see lint_out.h. */
#include "connectors/cli/lint_out.h"

#include "connectors/config/problem.h"
#include "connectors/json/json_place.h"
#include "connectors/cli/out.h"

#include <stdio.h>

enum { EXCERPT_MAX = 160 };

const char *const lint_format_names[LINT_FORMAT_COUNT] = {"text", "json", "sarif"};

static const char *const sarif_levels[] = {"note", "warning", "error"};

void lint_out_begin(lint_out *o, lint_format format)
{
    *o = (lint_out){.format = format};
    buf_init(&o->b);
    if (format == LINT_JSON)
        buf_put_str(&o->b, "{\"findings\":[");
    if (format == LINT_SARIF)
        buf_put_str(&o->b, "{\"$schema\":\"https://json.schemastore.org/sarif-2.1.0.json\",\"version\":\"2.1.0\",\"runs\":[{"
                           "\"tool\":{\"driver\":{\"name\":\"mandatectl\",\"rules\":[");
    for (int i = 0; format == LINT_SARIF && i < LINT_CODE_COUNT; i++) {
        buf_printf(&o->b, "%s{\"id\":\"%s\",\"shortDescription\":{\"text\":", i ? "," : "", lint_rules[i].code);
        buf_put_json_string(&o->b, mandate_slice_str(lint_rules[i].why));
        buf_printf(&o->b, "},\"help\":{\"text\":");
        buf_put_json_string(&o->b, mandate_slice_str(lint_rules[i].fix));
        buf_printf(&o->b, "},\"defaultConfiguration\":{\"level\":\"%s\"}}", sarif_levels[lint_rules[i].severity]);
    }
    if (format == LINT_SARIF)
        buf_put_str(&o->b, "]}},\"columnKind\":\"unicodeCodePoints\",\"results\":[");
}

/* The line of the file around `begin`, cut, and a caret under it. */
static void put_excerpt(buf *b, const lint_line *l)
{
    size_t from = l->begin, to = l->begin;
    while (from > 0 && l->text.ptr[from - 1] != '\n')
        from--;
    while (to < l->text.len && l->text.ptr[to] != '\n' && l->text.ptr[to] != '\r')
        to++;
    if (l->begin - from > EXCERPT_MAX / 2) /* not inside a character */
        for (from = l->begin - EXCERPT_MAX / 2; from < l->begin && ((unsigned char)l->text.ptr[from] & 0xc0) == 0x80;)
            from++;
    if (to - from > EXCERPT_MAX)
        for (to = from + EXCERPT_MAX; to > l->begin && ((unsigned char)l->text.ptr[to] & 0xc0) == 0x80;)
            to--;
    buf_put_str(b, "  | ");
    out_text(b, OUT_PLAIN, mandate_slice_of(l->text.ptr + from, to - from));
    buf_put_str(b, "\n  | ");
    for (size_t i = from; i < l->begin; i++)
        if (((unsigned char)l->text.ptr[i] & 0xc0) != 0x80)
            buf_put_char(b, ' ');
    buf_put_char(b, '^');
    for (size_t i = l->begin + 1; i < l->end && i < to; i++)
        if (((unsigned char)l->text.ptr[i] & 0xc0) != 0x80)
            buf_put_char(b, '~');
    buf_put_char(b, '\n');
}

static void put_text(buf *b, const lint_line *l, uint32_t line, uint32_t column)
{
    buf_printf(b, "%s:%u:%u: %s: ", l->path, line, column, lint_severity_names[l->severity]);
    out_text(b, OUT_PLAIN, l->what);
    buf_printf(b, " [%s]\n", l->code);
    if (l->text.len)
        put_excerpt(b, l);
    buf_put_str(b, "  ");
    out_text(b, OUT_PLAIN, mandate_slice_str(l->why));
    if (l->fix[0]) {
        buf_put_str(b, "; ");
        out_text(b, OUT_PLAIN, mandate_slice_str(l->fix));
    }
    buf_put_char(b, '\n');
}

static void put_member(buf *b, const char *name, mandate_slice text)
{
    buf_printf(b, ",\"%s\":", name);
    buf_put_json_string(b, text);
}

static void put_json(buf *b, const lint_line *l, uint32_t line, uint32_t column, uint32_t end_line, uint32_t end_column)
{
    buf_printf(b, "{\"code\":\"%s\",\"severity\":\"%s\"", l->code, lint_severity_names[l->severity]);
    put_member(b, "file", mandate_slice_str(l->path));
    put_member(b, "member", l->member);
    buf_printf(b, ",\"line\":%u,\"column\":%u,\"end_line\":%u,\"end_column\":%u", line, column, end_line, end_column);
    put_member(b, "what", l->what);
    put_member(b, "why", mandate_slice_str(l->why));
    put_member(b, "fix", mandate_slice_str(l->fix));
    buf_put_char(b, '}');
}

static void put_sarif(buf *b, const lint_line *l, uint32_t line, uint32_t column, uint32_t end_line, uint32_t end_column)
{
    buf_printf(b, "{\"ruleId\":\"%s\",\"level\":\"%s\",\"message\":{\"text\":", l->code, sarif_levels[l->severity]);
    buf_put_json_string(b, l->what);
    buf_put_str(b, "},\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":");
    buf_put_json_string(b, mandate_slice_str(l->path));
    buf_printf(b, "},\"region\":{\"startLine\":%u,\"startColumn\":%u,\"endLine\":%u,\"endColumn\":%u}}}]}", line, column,
               end_line, end_column);
}

void lint_out_line(lint_out *o, const lint_line *l)
{
    uint32_t line, column, end_line, end_column;
    bool first = o->count[0] + o->count[1] + o->count[2] == 0;
    source_place(l->text, l->begin, &line, &column);
    source_place(l->text, l->end, &end_line, &end_column);
    if (!first && o->format != LINT_TEXT)
        buf_put_char(&o->b, ',');
    if (o->format == LINT_TEXT)
        put_text(&o->b, l, line, column);
    else if (o->format == LINT_JSON)
        put_json(&o->b, l, line, column, end_line, end_column);
    else
        put_sarif(&o->b, l, line, column, end_line, end_column);
    o->count[l->severity]++;
}

void lint_out_finding(lint_out *o, const char *path, mandate_slice text, const lint_finding *f)
{
    const lint_rule *rule = &lint_rules[f->code];
    lint_line l = {.path = path,
                   .text = text,
                   .code = rule->code,
                   .why = rule->why,
                   .fix = rule->fix,
                   .severity = rule->severity,
                   .member = f->member,
                   .what = f->what};
    json_place(text, f->member, &l.begin, &l.end);
    if (f->end) {
        size_t begin = l.begin;
        l.begin = json_place_in_string(text, begin, f->begin);
        l.end = json_place_in_string(text, begin, f->end);
    } else if (l.begin < text.len && text.ptr[l.begin] == '{') {
        l.end = l.begin + 1; /* not the whole file */
    }
    lint_out_line(o, &l);
}

bool lint_out_end(lint_out *o)
{
    if (o->format == LINT_TEXT)
        buf_printf(&o->b, "%u file%s: %u error%s, %u warning%s, %u note%s\n", o->files, o->files == 1 ? "" : "s",
                   o->count[LINT_ERROR], o->count[LINT_ERROR] == 1 ? "" : "s", o->count[LINT_WARNING],
                   o->count[LINT_WARNING] == 1 ? "" : "s", o->count[LINT_NOTE], o->count[LINT_NOTE] == 1 ? "" : "s");
    else if (o->format == LINT_JSON)
        buf_printf(&o->b, "],\"files\":%u,\"errors\":%u,\"warnings\":%u,\"notes\":%u}\n", o->files, o->count[LINT_ERROR],
                   o->count[LINT_WARNING], o->count[LINT_NOTE]);
    else
        buf_put_str(&o->b, "]}]}\n");
    bool written = !o->b.failed && fwrite(o->b.data, 1, o->b.len, stdout) == o->b.len && fflush(stdout) == 0;
    buf_deinit(&o->b);
    return written;
}

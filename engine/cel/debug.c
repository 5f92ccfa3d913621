/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debug - a tree node by node, in the format in which the reference implementation keeps its golden files.
 *
 * Macros are shown as what they expand to. Each node is followed by what adorns it: its kind (`^#*expr.Expr_CallExpr#`),
 * or its type and what it refers to (`~int^add_int64`). Recursion is bounded by CEL_TREE_DEPTH_MAX.
 */
#include "engine/cel/ast.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/text.h"
#include "engine/cel/function.h"
#include "engine/cel/value_int.h"

typedef struct writer {
    buf *b;
    cel_debug_style style;
    int indent;
    bool line_start;
} writer;

static void put(writer *w, mandate_slice text)
{
    for (int i = 0; w->line_start && i < w->indent; i++)
        buf_put_str(w->b, "  ");
    w->line_start = false;
    buf_put_slice(w->b, text);
}

static void put_str(writer *w, const char *text) { put(w, mandate_slice_str(text)); }

static void new_line(writer *w)
{
    buf_put_char(w->b, '\n');
    w->line_start = true;
}

/* --- literals --- */

/* Code points that are not shown as themselves: controls, separators other than the blank, invisible format
 * characters, private and unassigned planes. (Gaps within a script are shown.) */
static const struct {
    int32_t first, last;
} hidden[] = {{0x00, 0x1F},     {0x7F, 0xA0},       {0xAD, 0xAD},       {0x1680, 0x1680},
              {0x180E, 0x180E}, {0x2000, 0x200F},   {0x2028, 0x202F},   {0x205F, 0x206F},
              {0x3000, 0x3000}, {0xE000, 0xF8FF},   {0xFEFF, 0xFEFF},   {0xFFF0, 0xFFFB},
              {0xFFFE, 0xFFFF}, {0x1FFFE, 0x1FFFF}, {0x2FFFE, 0x2FFFF}, {0x3FFFE, 0x10FFFF}};

static bool printable(int32_t c)
{
    for (size_t i = 0; i < sizeof hidden / sizeof *hidden; i++)
        if (c >= hidden[i].first && c <= hidden[i].last)
            return false;
    return true;
}

static void put_quoted(writer *w, mandate_slice text, bool bytes)
{
    static const char named[] = "\a\b\t\n\v\f\r\"\\", letters[] = "abtnvfr\"\\";
    const char *at = text.ptr, *end = text.ptr + text.len, *found;
    buf *b = w->b;

    put_str(w, bytes ? "b\"" : "\"");
    while (at < end) {
        const char *from = at;
        int32_t c = utf8_next(&at, end);
        if (c > 0 && c < 0x80 && (found = strchr(named, c)))
            buf_printf(b, "\\%c", letters[found - named]);
        else if (c >= 0 && printable(c))
            buf_put(b, from, (size_t)(at - from));
        else if (bytes || c < 0x80)
            for (; from < at; from++)
                buf_printf(b, "\\x%02x", (unsigned char)*from);
        else
            buf_printf(b, c < 0x10000 ? "\\u%04x" : "\\U%08x", (unsigned)c);
    }
    buf_put_char(b, '"');
}

/* Plain digits while the exponent is -4..5. */
static void put_double(writer *w, double d)
{
    char text[CEL_NUMBER_TEXT];

    if (d == 0 || !isfinite(d) || (fabs(d) >= 1e-4 && fabs(d) < 1e6)) {
        put(w, mandate_slice_of(text, cel_double_text(text, d)));
        return;
    }
    for (int digits = 0; digits <= 16; digits++) {
        snprintf(text, sizeof text, "%.*e", digits, d);
        if (strtod(text, NULL) == d)
            break;
    }
    put_str(w, text);
}

static void put_const(writer *w, cel_value v)
{
    char text[32];

    switch (v.kind) {
    case CEL_BOOL:
        put_str(w, v.b ? "true" : "false");
        break;
    case CEL_INT:
        snprintf(text, sizeof text, "%lld", (long long)v.i);
        put_str(w, text);
        break;
    case CEL_UINT:
        snprintf(text, sizeof text, "%lluu", (unsigned long long)v.u);
        put_str(w, text);
        break;
    case CEL_DOUBLE:
        put_double(w, v.d);
        break;
    case CEL_STRING:
    case CEL_BYTES:
        put_quoted(w, cel_text(v), v.kind == CEL_BYTES);
        break;
    default:
        put_str(w, "null");
    }
}

/* --- adornment --- */

static const char *kind_name(const cel_expr *expr)
{
    static const char *const constants[] = {
        [CEL_NULL] = "Constant_NullValue",   [CEL_BOOL] = "Constant_BoolValue",     [CEL_INT] = "Constant_Int64Value",
        [CEL_UINT] = "Constant_Uint64Value", [CEL_DOUBLE] = "Constant_DoubleValue", [CEL_STRING] = "Constant_StringValue",
        [CEL_BYTES] = "Constant_BytesValue",
    };
    static const char *const kinds[] = {
        [CEL_EXPR_IDENT] = "Expr_IdentExpr",
        [CEL_EXPR_SELECT] = "Expr_SelectExpr",
        [CEL_EXPR_CALL] = "Expr_CallExpr",
        [CEL_EXPR_LIST] = "Expr_ListExpr",
        [CEL_EXPR_MAP] = "Expr_StructExpr",
        [CEL_EXPR_STRUCT] = "Expr_StructExpr",
        [CEL_EXPR_COMPREHENSION] = "Expr_ComprehensionExpr",
    };

    return expr->kind == CEL_EXPR_CONST ? constants[expr->value.kind] : kinds[expr->kind];
}

static int by_text(const void *x, const void *y)
{
    const cel_overload *const *p = x, *const *q = y;

    return strcmp((*p)->text, (*q)->text);
}

static void put_overloads(buf *b, const cel_expr *expr)
{
    const cel_overload *sorted[CEL_CANDIDATES_MAX] = {expr->overload};
    uint32_t count = expr->overload ? 1 : 0;

    if (!expr->overload && expr->candidates) {
        count = expr->candidates->count;
        memcpy(sorted, expr->candidates->overloads, count * sizeof *sorted);
        qsort(sorted, count, sizeof *sorted, by_text);
    }
    for (uint32_t i = 0; i < count; i++)
        buf_printf(b, "%c%s", i ? '|' : '^', sorted[i]->text);
}

static void adorn(writer *w, const cel_expr *expr)
{
    if (w->style == CEL_DEBUG_KINDS) {
        buf_printf(w->b, "^#*expr.%s#", kind_name(expr));
        return;
    }
    if (!expr->type)
        return;
    buf_put_char(w->b, '~');
    cel_type_print(w->b, expr->type);
    if (expr->kind == CEL_EXPR_IDENT || expr->kind == CEL_EXPR_STRUCT)
        buf_printf(w->b, "^%.*s", MANDATE_SLICE_ARG(expr->name));
    if (expr->kind == CEL_EXPR_CALL)
        put_overloads(w->b, expr);
}

/* --- nodes --- */

static void node(writer *w, const cel_expr *expr);

/* `count` parts, each on a line of its own, between brackets. */
static void open_lines(writer *w, const char *bracket, uint32_t count)
{
    put_str(w, bracket);
    if (count == 0)
        return;
    w->indent++;
    new_line(w);
}

static void next_line(writer *w, uint32_t i)
{
    if (i == 0)
        return;
    put_str(w, ",");
    new_line(w);
}

static void close_lines(writer *w, const char *bracket, uint32_t count)
{
    if (count) {
        w->indent--;
        new_line(w);
    }
    put_str(w, bracket);
}

static void optional_sign(writer *w, const cel_expr *expr, uint32_t i)
{
    if (expr->optional_mask && (expr->optional_mask[i / 64] >> (i % 64) & 1))
        put_str(w, "?");
}

static void call(writer *w, const cel_expr *expr)
{
    if (expr->operand) {
        node(w, expr->operand);
        put_str(w, ".");
    }
    put(w, expr->name);
    open_lines(w, "(", expr->arg_count);
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        next_line(w, i);
        node(w, expr->args[i]);
    }
    close_lines(w, ")", expr->arg_count);
}

/* The reference does not mark optional elements of a list. */
static void list(writer *w, const cel_expr *expr)
{
    open_lines(w, "[", expr->arg_count);
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        next_line(w, i);
        node(w, expr->args[i]);
    }
    close_lines(w, "]", expr->arg_count);
}

static void entries(writer *w, const cel_expr *expr)
{
    bool map = expr->kind == CEL_EXPR_MAP;
    uint32_t count = map ? expr->arg_count / 2 : expr->arg_count;

    if (!map)
        put(w, expr->name);
    open_lines(w, "{", count);
    for (uint32_t i = 0; i < count; i++) {
        next_line(w, i);
        optional_sign(w, expr, i);
        if (map)
            node(w, expr->args[2 * i]);
        else
            put(w, expr->fields[i]);
        put_str(w, ":");
        node(w, expr->args[map ? 2 * i + 1 : i]);
        if (w->style == CEL_DEBUG_KINDS)
            buf_put_str(w->b, "^#*expr.Expr_CreateStruct_Entry#");
    }
    close_lines(w, "}", count);
}

static void titled(writer *w, const char *title)
{
    new_line(w);
    put_str(w, title);
    new_line(w);
}

static void comprehension(writer *w, const cel_expr *expr)
{
    const cel_comprehension *fold = expr->comprehension;
    const struct {
        const char *title;
        const cel_expr *part;
    } rest[] = {{"// Init", fold->init},
                {"// LoopCondition", fold->condition},
                {"// LoopStep", fold->step},
                {"// Result", fold->result}};

    put_str(w, "__comprehension__(");
    w->indent++;
    titled(w, "// Variable");
    put(w, fold->iter_var);
    put_str(w, ",");
    if (fold->iter_var2.len) {
        new_line(w);
        put(w, fold->iter_var2);
        put_str(w, ",");
    }
    titled(w, "// Target");
    node(w, fold->range);
    put_str(w, ",");
    titled(w, "// Accumulator");
    put(w, fold->accu_var);
    for (size_t i = 0; i < sizeof rest / sizeof *rest; i++) {
        put_str(w, ",");
        titled(w, rest[i].title);
        node(w, rest[i].part);
    }
    put_str(w, ")");
    w->indent--;
}

static void node(writer *w, const cel_expr *expr)
{
    switch (expr->kind) {
    case CEL_EXPR_CONST:
        put_const(w, expr->value);
        break;
    case CEL_EXPR_IDENT:
        put(w, expr->name);
        break;
    case CEL_EXPR_SELECT:
        node(w, expr->operand);
        put_str(w, ".");
        put(w, expr->name);
        if (expr->test_only)
            put_str(w, "~test-only~");
        break;
    case CEL_EXPR_CALL:
        call(w, expr);
        break;
    case CEL_EXPR_LIST:
        list(w, expr);
        break;
    case CEL_EXPR_MAP:
    case CEL_EXPR_STRUCT:
        entries(w, expr);
        break;
    case CEL_EXPR_COMPREHENSION:
        comprehension(w, expr);
        break;
    }
    adorn(w, expr);
}

void cel_debug(buf *b, const cel_expr *expr, cel_debug_style style)
{
    writer w = {.b = b, .style = style};

    node(&w, expr);
}

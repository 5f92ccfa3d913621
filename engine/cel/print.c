/* SPDX-License-Identifier: Apache-2.0 */
/*
 * print - a tree as text that parses to the same tree.
 *
 * Parentheses stand only where leaving them out would change the tree. A run of && or || is printed
 * flat when the parser would balance it into the tree at hand. Macros are printed as they were
 * written.
 */
#include "engine/cel/ast.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/text.h"
#include "engine/cel/token.h"
#include "engine/limits.h"

/* How tightly a node binds; an operand that binds less needs parentheses. */
enum { POWER_COND = 1, POWER_OR, POWER_AND, POWER_RELATION, POWER_ADD, POWER_MUL, POWER_UNARY, POWER_MEMBER };

static const struct {
    const char *text;
    int power;
} operators[] = {
    [CEL_OP_AND] = {"&&", POWER_AND},     [CEL_OP_OR] = {"||", POWER_OR},       [CEL_OP_EQ] = {"==", POWER_RELATION},
    [CEL_OP_NE] = {"!=", POWER_RELATION}, [CEL_OP_LT] = {"<", POWER_RELATION},  [CEL_OP_LE] = {"<=", POWER_RELATION},
    [CEL_OP_GT] = {">", POWER_RELATION},  [CEL_OP_GE] = {">=", POWER_RELATION}, [CEL_OP_IN] = {"in", POWER_RELATION},
    [CEL_OP_ADD] = {"+", POWER_ADD},      [CEL_OP_SUB] = {"-", POWER_ADD},      [CEL_OP_MUL] = {"*", POWER_MUL},
    [CEL_OP_DIV] = {"/", POWER_MUL},      [CEL_OP_MOD] = {"%", POWER_MUL},      [CEL_OP_NOT] = {"!", POWER_UNARY},
    [CEL_OP_NEG] = {"-", POWER_UNARY},    [CEL_OP_COND] = {"?", POWER_COND},    [CEL_OP_NOT_STRICTLY_FALSE] = {NULL, 0},
};

static void print(buf *b, const cel_expr *expr, int power_min);

static const char *operator_of(const cel_expr *expr, int *power)
{
    if (expr->kind != CEL_EXPR_CALL || expr->macro || expr->op == CEL_OP_NONE || !operators[expr->op].text)
        return NULL;
    *power = operators[expr->op].power;
    return operators[expr->op].text;
}

static int power_of(const cel_expr *expr)
{
    int power = POWER_MEMBER;

    (void)operator_of(expr, &power);
    return power;
}

/* --- literals ---------------------------------------------------------------- */

static void print_escaped(buf *b, mandate_slice text, bool bytes)
{
    const char *at = text.ptr, *end = at + text.len;

    buf_put_char(b, '"');
    while (at < end) {
        unsigned char c = (unsigned char)*at;
        char name = c == '\n' ? 'n' : c == '\r' ? 'r' : c == '\t' ? 't' : c == '"' || c == '\\' ? (char)c : '\0';

        if (name)
            buf_printf(b, "\\%c", name);
        else if (c < 0x20 || c == 0x7F || (bytes && c >= 0x80))
            buf_printf(b, "\\x%02x", c);
        else
            buf_put_char(b, (char)c);
        at++;
    }
    buf_put_char(b, '"');
}

/* The shortest form that reads back as the same number, and reads as a double. */
static void print_double(buf *b, double d)
{
    char text[40];

    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, d);
        if (strtod(text, NULL) == d)
            break;
    }
    buf_put_str(b, text);
    if (!strpbrk(text, ".en"))
        buf_put_str(b, ".0");
}

static void print_const(buf *b, cel_value v)
{
    switch (v.kind) {
    case CEL_BOOL:
        buf_put_str(b, v.b ? "true" : "false");
        break;
    case CEL_INT:
        buf_printf(b, "%lld", (long long)v.i);
        break;
    case CEL_UINT:
        buf_printf(b, "%lluu", (unsigned long long)v.u);
        break;
    case CEL_DOUBLE:
        print_double(b, v.d);
        break;
    case CEL_STRING:
        print_escaped(b, cel_text(v), false);
        break;
    case CEL_BYTES:
        buf_put_char(b, 'b');
        print_escaped(b, cel_text(v), true);
        break;
    default:
        buf_put_str(b, "null");
        break;
    }
}

/* --- names, lists ------------------------------------------------------------ */

static void print_field(buf *b, mandate_slice name)
{
    if (cel_token_is_ident(name))
        buf_put_slice(b, name);
    else
        buf_printf(b, "`%.*s`", MANDATE_SLICE_ARG(name));
}

static void print_optional_sign(buf *b, const cel_expr *expr, uint32_t i)
{
    if (expr->optional_mask && (expr->optional_mask[i / 64] >> (i % 64) & 1))
        buf_put_char(b, '?');
}

static void print_args(buf *b, const cel_expr *expr, char open, char close)
{
    buf_put_char(b, open);
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        if (i > 0)
            buf_put_str(b, ", ");
        print_optional_sign(b, expr, i);
        print(b, expr->args[i], POWER_COND);
    }
    buf_put_char(b, close);
}

static void print_map(buf *b, const cel_expr *expr)
{
    buf_put_char(b, '{');
    for (uint32_t i = 0; i + 1 < expr->arg_count; i += 2) {
        if (i > 0)
            buf_put_str(b, ", ");
        print_optional_sign(b, expr, i / 2);
        print(b, expr->args[i], POWER_COND);
        buf_put_str(b, ": ");
        print(b, expr->args[i + 1], POWER_COND);
    }
    buf_put_char(b, '}');
}

static void print_struct(buf *b, const cel_expr *expr)
{
    buf_put_slice(b, expr->name);
    buf_put_char(b, '{');
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        if (i > 0)
            buf_put_str(b, ", ");
        print_optional_sign(b, expr, i);
        print_field(b, expr->fields[i]);
        buf_put_str(b, ": ");
        print(b, expr->args[i], POWER_COND);
    }
    buf_put_char(b, '}');
}

/* --- operators --------------------------------------------------------------- */

static bool same_chain(const cel_expr *expr, cel_op op)
{
    return expr->kind == CEL_EXPR_CALL && expr->op == op && !expr->macro;
}

static uint32_t count_terms(const cel_expr *expr, cel_op op)
{
    return same_chain(expr, op) ? count_terms(expr->args[0], op) + count_terms(expr->args[1], op) : 1;
}

/* Whether the parser makes this shape of a flat run: `count` terms, split behind the middle one. */
static bool is_balanced(const cel_expr *expr, cel_op op, uint32_t count)
{
    uint32_t left = (count - 1) / 2 + 1;

    if (count == 1)
        return true;
    return count_terms(expr->args[0], op) == left && is_balanced(expr->args[0], op, left) &&
           is_balanced(expr->args[1], op, count - left);
}

static void print_flat(buf *b, const cel_expr *expr, cel_op op, const char *text, int power)
{
    if (!same_chain(expr, op)) {
        print(b, expr, power + 1);
        return;
    }
    print_flat(b, expr->args[0], op, text, power);
    buf_printf(b, " %s ", text);
    print_flat(b, expr->args[1], op, text, power);
}

static void print_logical(buf *b, const cel_expr *expr, const char *text, int power)
{
    if (is_balanced(expr, expr->op, count_terms(expr, expr->op))) {
        print_flat(b, expr, expr->op, text, power);
        return;
    }
    print(b, expr->args[0], power + 1);
    buf_printf(b, " %s ", text);
    print(b, expr->args[1], power + 1);
}

/* What the text of a chain of selections, calls and indexes begins with. */
static const cel_expr *beginning_of(const cel_expr *expr)
{
    for (;;) {
        if (expr->macro)
            expr = expr->macro;
        else if (expr->operand && !expr->test_only)
            expr = expr->operand;
        else if (expr->op == CEL_OP_INDEX || expr->op == CEL_OP_OPT_INDEX || expr->op == CEL_OP_OPT_SELECT)
            expr = expr->args[0];
        else
            return expr;
    }
}

/* A sign before a sign, or a minus before a number, would be read as something else. */
static bool unary_needs_parentheses(const cel_expr *expr)
{
    const cel_expr *operand = expr->args[0], *first = beginning_of(operand);

    if (expr->op == CEL_OP_NEG && first->kind == CEL_EXPR_CONST &&
        (first->value.kind == CEL_INT || first->value.kind == CEL_DOUBLE))
        return true;
    return operand->kind != CEL_EXPR_CONST && power_of(operand) <= POWER_UNARY;
}

static void print_operator(buf *b, const cel_expr *expr, const char *text, int power)
{
    switch (expr->op) {
    case CEL_OP_COND:
        print(b, expr->args[0], POWER_OR);
        buf_put_str(b, " ? ");
        print(b, expr->args[1], POWER_OR);
        buf_put_str(b, " : ");
        print(b, expr->args[2], POWER_COND);
        break;
    case CEL_OP_NOT:
    case CEL_OP_NEG:
        buf_put_str(b, text);
        if (unary_needs_parentheses(expr)) {
            buf_put_char(b, '(');
            print(b, expr->args[0], POWER_COND);
            buf_put_char(b, ')');
        } else {
            print(b, expr->args[0], POWER_UNARY);
        }
        break;
    case CEL_OP_AND:
    case CEL_OP_OR:
        print_logical(b, expr, text, power);
        break;
    default:
        print(b, expr->args[0], power);
        buf_printf(b, " %s ", text);
        print(b, expr->args[1], power + 1);
    }
}

/* --- the rest ---------------------------------------------------------------- */

/* What stands left of a dot or a bracket. */
static void print_operand(buf *b, const cel_expr *expr) { print(b, expr, POWER_MEMBER); }

static void print_call(buf *b, const cel_expr *expr)
{
    if (expr->op == CEL_OP_INDEX || expr->op == CEL_OP_OPT_INDEX) {
        print_operand(b, expr->args[0]);
        buf_put_str(b, expr->op == CEL_OP_INDEX ? "[" : "[?");
        print(b, expr->args[1], POWER_COND);
        buf_put_char(b, ']');
        return;
    }
    if (expr->op == CEL_OP_OPT_SELECT) {
        print_operand(b, expr->args[0]);
        buf_put_str(b, ".?");
        print_field(b, cel_text(expr->args[1]->value));
        return;
    }
    if (expr->operand) {
        print_operand(b, expr->operand);
        buf_put_char(b, '.');
    }
    buf_put_slice(b, expr->name);
    print_args(b, expr, '(', ')');
}

static void print_fold(buf *b, const cel_expr *expr)
{
    const cel_comprehension *fold = expr->comprehension;
    const cel_expr *const parts[] = {fold->range, fold->init, fold->condition, fold->step, fold->result};

    buf_printf(b, "@fold(%.*s, %.*s, %.*s", MANDATE_SLICE_ARG(fold->iter_var), MANDATE_SLICE_ARG(fold->iter_var2),
               MANDATE_SLICE_ARG(fold->accu_var));
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        buf_put_str(b, ", ");
        print(b, parts[i], POWER_COND);
    }
    buf_put_char(b, ')');
}

static void print_bare(buf *b, const cel_expr *expr)
{
    const char *text;
    int power;

    switch (expr->kind) {
    case CEL_EXPR_CONST:
        print_const(b, expr->value);
        break;
    case CEL_EXPR_IDENT:
        buf_put_slice(b, expr->name);
        break;
    case CEL_EXPR_SELECT:
        if (expr->test_only)
            buf_put_str(b, "has(");
        print_operand(b, expr->operand);
        buf_put_char(b, '.');
        print_field(b, expr->name);
        if (expr->test_only)
            buf_put_char(b, ')');
        break;
    case CEL_EXPR_CALL:
        text = operator_of(expr, &power);
        if (text)
            print_operator(b, expr, text, power);
        else
            print_call(b, expr);
        break;
    case CEL_EXPR_LIST:
        print_args(b, expr, '[', ']');
        break;
    case CEL_EXPR_MAP:
        print_map(b, expr);
        break;
    case CEL_EXPR_STRUCT:
        print_struct(b, expr);
        break;
    case CEL_EXPR_COMPREHENSION:
        print_fold(b, expr);
        break;
    }
}

static void print(buf *b, const cel_expr *expr, int power_min)
{
    bool parentheses;

    if (expr->macro)
        expr = expr->macro;
    parentheses = power_of(expr) < power_min;
    if (parentheses)
        buf_put_char(b, '(');
    print_bare(b, expr);
    if (parentheses)
        buf_put_char(b, ')');
}

void cel_print(buf *b, const cel_expr *expr) { print(b, expr, POWER_COND); }

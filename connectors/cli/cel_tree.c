/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mandatectl cel ast - the checked tree, macros expanded: a node a line with its type, or nested JSON.
 */
#include <stdio.h>

#include "connectors/cli/cel_command.h"
#include "connectors/cli/out.h"

typedef struct writer {
    buf out;
    uint32_t indent;
    bool json;
} writer;

static const char *const kinds[] = {[CEL_EXPR_CONST] = "const",   [CEL_EXPR_IDENT] = "ident",
                                    [CEL_EXPR_SELECT] = "select", [CEL_EXPR_CALL] = "call",
                                    [CEL_EXPR_LIST] = "list",     [CEL_EXPR_MAP] = "map",
                                    [CEL_EXPR_STRUCT] = "struct", [CEL_EXPR_COMPREHENSION] = "comprehension"};

static void put_type(buf *b, const cel_type *type)
{
    if (type)
        cel_type_print(b, type);
}

static void put_json_head(writer *w, const cel_expr *e)
{
    buf text;
    buf_init(&text);
    buf_printf(&w->out, "{\"kind\":\"%s\"", kinds[e->kind]);
    if (e->kind == CEL_EXPR_CONST) {
        buf_put_str(&w->out, ",\"value\":");
        cel_to_json(&w->out, e->value);
    } else if (e->name.len) {
        buf_put_str(&w->out, ",\"name\":");
        buf_put_json_string(&w->out, e->name);
    }
    if (e->test_only)
        buf_put_str(&w->out, ",\"test\":true");
    put_type(&text, e->type);
    buf_put_str(&w->out, ",\"type\":");
    buf_put_json_string(&w->out, buf_slice(&text));
    buf_deinit(&text);
}

static void put_line(writer *w, const char *role, const cel_expr *e)
{
    buf text;
    buf_init(&text);
    buf_printf(&w->out, "%*s%s%s%s", (int)(2 * w->indent), "", role ? role : "", role ? ": " : "", kinds[e->kind]);
    if (e->kind == CEL_EXPR_CONST)
        cel_to_text(&text, e->value, 200);
    else
        buf_put_slice(&text, e->name);
    if (text.len)
        buf_put_char(&w->out, ' ');
    out_text(&w->out, OUT_BOLD, buf_slice(&text));
    if (e->test_only)
        buf_put_str(&w->out, " (has)");
    buf_reset(&text);
    put_type(&text, e->type);
    buf_put_str(&w->out, "  ");
    out_text(&w->out, OUT_DIM, buf_slice(&text));
    buf_put_char(&w->out, '\n');
    buf_deinit(&text);
}

static void put_node(writer *w, const char *role, const cel_expr *e);

static void put_child(writer *w, const char *role, const cel_expr *e)
{
    if (w->json)
        buf_printf(&w->out, ",\"%s\":", role);
    w->indent++;
    put_node(w, role, e);
    w->indent--;
}

static void put_args(writer *w, const cel_expr *e)
{
    if (w->json && e->arg_count)
        buf_put_str(&w->out, ",\"args\":[");
    w->indent++;
    for (uint32_t i = 0; i < e->arg_count; i++) {
        if (w->json && i)
            buf_put_char(&w->out, ',');
        put_node(w, NULL, e->args[i]);
    }
    w->indent--;
    if (w->json && e->arg_count)
        buf_put_char(&w->out, ']');
}

static void put_variable(writer *w, const char *role, mandate_slice name)
{
    if (w->json && name.len) {
        buf_printf(&w->out, ",\"%s\":", role);
        buf_put_json_string(&w->out, name);
    } else if (name.len) {
        buf_printf(&w->out, "%*s%s: %.*s\n", (int)(2 * w->indent + 2), "", role, MANDATE_SLICE_ARG(name));
    }
}

/* Trees are at most CEL_TREE_DEPTH_MAX deep. */
static void put_node(writer *w, const char *role, const cel_expr *e)
{
    const cel_comprehension *k = e->kind == CEL_EXPR_COMPREHENSION ? e->comprehension : NULL;
    if (w->json)
        put_json_head(w, e);
    else
        put_line(w, role, e);
    if (e->operand)
        put_child(w, "operand", e->operand);
    put_args(w, e);
    if (k) {
        put_variable(w, "variable", k->iter_var);
        put_variable(w, "variable2", k->iter_var2);
        put_variable(w, "accumulator", k->accu_var);
        put_child(w, "range", k->range);
        put_child(w, "init", k->init);
        put_child(w, "condition", k->condition);
        put_child(w, "step", k->step);
        put_child(w, "result", k->result);
    }
    if (w->json)
        buf_put_char(&w->out, '}');
}

int cmd_cel_ast(int argc, char **argv)
{
    cel_command c;
    writer w = {.indent = 0};
    int code = cel_command_open(&c, argc, argv);
    buf_init(&w.out);
    if (!code) {
        w.json = c.common.json;
        put_node(&w, NULL, c.ast->root);
        if (w.json)
            buf_put_char(&w.out, '\n');
        if (w.out.failed) {
            out_problem("out of memory");
            code = CLI_INTERNAL;
        } else {
            fwrite(w.out.data, 1, w.out.len, stdout);
        }
    }
    buf_deinit(&w.out);
    cel_command_close(&c);
    return code;
}

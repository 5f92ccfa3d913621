/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mandatectl cel eval | check | fmt | cost | functions - the condition language at hand; nothing is asked of a server.
 *
 *   cel eval EXPR [--vars FILE] [--now TIME] [--declare NAME=TYPE]... [--entities FILE]... [--json]
 *
 * The others take the same options, because what a name means depends on them. Explaining is cel_explain.c, the tree cel_tree.c.
 */
#include <inttypes.h>
#include <stdio.h>

#include "connectors/cli/cel_command.h"
#include "connectors/cli/out.h"
#include "engine/base/text.h"
#include "engine/cel/certain.h"
#include "engine/cel/cost.h"
#include "engine/cel/cost_unit.h"
#include "engine/cel/fn.h"
#include "engine/limits.h"

enum { TEXT_SHOWN = 1 << 16 };

/* --- what all of them do --- */

static int report(const cel_command *c, mandate_status status, const mandate_error *err)
{
    buf b;
    if (status == MANDATE_NOMEM || c->issues.count == 0) {
        out_problem("%s", err->text);
        return err->advice == MANDATE_ADVICE_FATAL ? CLI_INTERNAL : CLI_REFUSED;
    }
    buf_init(&b);
    cel_issues_print(&b, &c->issues, c->source);
    for (char *p = b.data; p && p < b.data + b.len; p++)
        if ((unsigned char)*p < 0x20 && *p != '\n')
            *p = ' '; /* the source may hold anything */
    fputs(buf_cstr(&b), stderr);
    buf_deinit(&b);
    return CLI_REFUSED;
}

static int check(cel_command *c)
{
    mandate_error err = {0};
    const cel_type *expected = c->condition ? cel_type_simple(CEL_TYPE_BOOL) : NULL;
    mandate_status status = cel_parse(&c->ast, c->world.env, c->source, &c->issues, &err);
    if (!status)
        status = cel_check(c->ast, c->world.env, expected, &c->issues, &err);
    if (!status && c->condition)
        status = cel_certain_check(c->ast, c->world.env, &c->issues, &err);
    if (!status && c->condition)
        status = cel_cost_check(c->ast, c->world.env, NULL, LIMIT_CEL_COST, &c->issues, &err);
    return status ? report(c, status, &err) : CLI_OK;
}

int cel_command_open(cel_command *c, int argc, char **argv)
{
    cel_world_options o = {0};
    const arg_option options[] = {{.name = "--vars", .value = &o.vars},
                                  {.name = "--now", .value = &o.now},
                                  {.name = "--declare", .list = &o.declare},
                                  {.name = "--entities", .list = &o.entities},
                                  {.name = "--condition", .flag = &c->condition}};
    const char *text[1];
    *c = (cel_command){.condition = false};
    cel_issues_init(&c->issues);
    if (!args_parse(argc, argv, &c->common, options, sizeof options / sizeof *options, text, 1, 1))
        return CLI_REFUSED;
    c->source = mandate_slice_str(text[0]);
    if (!utf8_valid(c->source)) {
        out_problem("the expression is not UTF-8");
        return CLI_REFUSED;
    }
    int code = cel_world_open(&c->world, &o);
    return code ? code : check(c);
}

void cel_command_close(cel_command *c)
{
    cel_ast_destroy(c->ast);
    cel_issues_deinit(&c->issues);
    cel_world_close(&c->world);
}

static bool print_text(buf *b)
{
    bool ok = !b->failed;
    if (ok)
        printf("%s\n", buf_cstr(b));
    buf_deinit(b);
    return ok;
}

static int finish(cel_command *c, buf *b, int code)
{
    cel_command_close(c);
    return print_text(b) ? code : CLI_INTERNAL;
}

/* --- eval --- */

void cel_put_value_json(buf *b, cel_value v)
{
    buf_printf(b, "\"kind\":\"%s\"", cel_kind_name(v.kind));
    if (v.kind == CEL_ERROR) {
        buf_put_str(b, ",\"error\":");
        buf_put_json_string(b, v.error->message);
    } else if (v.kind == CEL_UNKNOWN) {
        buf_put_str(b, ",\"attributes\":[");
        for (uint32_t i = 0; i < v.unknown->count; i++) {
            buf_put_str(b, i ? "," : "");
            buf_put_json_string(b, v.unknown->attributes[i].path);
        }
        buf_put_char(b, ']');
    } else {
        buf_put_str(b, ",\"value\":");
        cel_to_json(b, v);
    }
}

void cel_put_value(buf *b, const cel_world *w, cel_value v, size_t max)
{
    buf text;
    out_style style = v.kind == CEL_ERROR ? OUT_BAD : v.kind == CEL_UNKNOWN ? OUT_DOUBT : OUT_BOLD;
    bool objects = v.kind == CEL_LIST && v.len > 0 && v.items[0].kind == CEL_OBJECT;
    buf_init(&text);
    if (v.kind == CEL_OBJECT)
        cel_world_put_object(&text, w, v);
    for (uint32_t i = 0; objects && i < v.len && text.len < max; i++) {
        buf_put_str(&text, i ? ", " : "[");
        cel_world_put_object(&text, w, v.items[i]);
        buf_put_str(&text, i + 1 == v.len ? "]" : "");
    }
    if (text.len == 0)
        cel_to_text(&text, v, max);
    out_text(b, style, buf_slice(&text));
    buf_deinit(&text);
}

int cmd_cel_eval(int argc, char **argv)
{
    cel_command c;
    cel_program *program = NULL;
    cel_activation act;
    mandate_error err = {0};
    char time[TIME_TEXT_MAX] = "";
    buf b;
    int code = cel_command_open(&c, argc, argv);
    if (!code && cel_compile(&program, c.world.env, c.ast, &err) != MANDATE_OK)
        code = report(&c, err.status, &err);
    if (code) {
        cel_command_close(&c);
        return code;
    }
    cel_value v = cel_world_eval(&c.world, program, &act);
    buf_init(&b);
    if (act.certain_until_us != CEL_CERTAIN_FOREVER)
        time[time_format_us(time, act.certain_until_us)] = 0;
    if (c.common.json) {
        buf_put_char(&b, '{');
        cel_put_value_json(&b, v);
        buf_printf(&b, ",\"certain_until\":%s%s%s,\"cost\":%" PRIu64 "}", *time ? "\"" : "", *time ? time : "null",
                   *time ? "\"" : "", act.cost);
    } else {
        cel_put_value(&b, &c.world, v, TEXT_SHOWN);
        if (*time)
            fprintf(stderr, "until %s\n", time);
    }
    code = v.kind == CEL_ERROR ? CLI_REFUSED : CLI_OK;
    cel_program_destroy(program);
    return finish(&c, &b, code);
}

/* --- check, fmt, cost --- */

int cmd_cel_check(int argc, char **argv)
{
    cel_command c;
    buf b;
    int code = cel_command_open(&c, argc, argv);
    buf_init(&b);
    if (code) {
        cel_command_close(&c);
        return code;
    }
    if (c.common.json)
        buf_put_str(&b, "{\"type\":\"");
    cel_type_print(&b, c.ast->root->type);
    if (c.common.json)
        buf_put_str(&b, "\"}");
    return finish(&c, &b, CLI_OK);
}

int cmd_cel_fmt(int argc, char **argv)
{
    cel_command c;
    mandate_error err = {0};
    const char *text[1];
    buf b;
    c = (cel_command){.condition = false};
    cel_issues_init(&c.issues);
    buf_init(&b);
    if (!args_parse(argc, argv, &c.common, NULL, 0, text, 1, 1)) {
        cel_issues_deinit(&c.issues);
        return CLI_REFUSED;
    }
    c.source = mandate_slice_str(text[0]); /* names need not be known to lay a text out */
    mandate_status status = cel_env_create(&c.world.own, CEL_LIB_ALL, &err);
    if (!status)
        status = cel_parse(&c.ast, c.world.own, c.source, &c.issues, &err);
    int code = status ? report(&c, status, &err) : CLI_OK;
    if (!code && c.common.json) {
        buf plain;
        buf_init(&plain);
        cel_print(&plain, c.ast->root);
        buf_put_str(&b, "{\"text\":");
        buf_put_json_string(&b, buf_slice(&plain));
        buf_put_char(&b, '}');
        buf_deinit(&plain);
    } else if (!code) {
        cel_print(&b, c.ast->root);
    }
    cel_ast_destroy(c.ast);
    cel_issues_deinit(&c.issues);
    cel_env_destroy(c.world.own);
    if (!code && !print_text(&b))
        code = CLI_INTERNAL;
    return code;
}

int cmd_cel_cost(int argc, char **argv)
{
    cel_command c;
    mandate_error err = {0};
    uint64_t cost = 0, part = 0;
    const cel_expr *worst = NULL;
    buf b;
    int code = cel_command_open(&c, argc, argv);
    if (!code && cel_cost_estimate(c.ast, c.world.env, NULL, &cost, &worst, &part, &err) != MANDATE_OK)
        code = report(&c, err.status, &err);
    if (code) {
        cel_command_close(&c);
        return code;
    }
    mandate_slice text = mandate_slice_of(c.source.ptr + worst->begin, worst->end - worst->begin);
    buf_init(&b);
    if (c.common.json) {
        buf_printf(&b, "{\"units\":%" PRIu64 ",\"limit\":%d,\"accepted\":%s,\"worst\":{\"text\":", cost, LIMIT_CEL_COST,
                   cost <= LIMIT_CEL_COST ? "true" : "false");
        buf_put_json_string(&b, text);
        buf_printf(&b, ",\"units\":%" PRIu64 "}}", part);
    } else {
        buf_printf(&b, "at most %" PRIu64 " units of %d", cost, LIMIT_CEL_COST);
        if (worst != c.ast->root) {
            buf_printf(&b, "; %" PRIu64 " of them for ", part);
            out_text(&b, OUT_PLAIN, text);
        }
    }
    return finish(&c, &b, cost <= LIMIT_CEL_COST ? CLI_OK : CLI_REFUSED);
}

/* --- functions --- */

static void put_signature(buf *b, const cel_overload *row)
{
    uint32_t from = row->member ? 1 : 0;
    if (row->member) {
        cel_type_print(b, row->params[0]);
        buf_put_char(b, '.');
    }
    buf_printf(b, "%.*s(", MANDATE_SLICE_ARG(row->name));
    for (uint32_t i = from; i < row->arg_count; i++) {
        buf_put_str(b, i > from ? ", " : "");
        cel_type_print(b, row->params[i]);
    }
    buf_put_str(b, ") -> ");
    cel_type_print(b, row->result);
}

/* Operators and what macros expand to have names that nobody writes. */
static bool is_written(const cel_overload *row)
{
    char first = row->name.ptr[0];
    return first != '_' && first != '!' && first != '-' && first != '@' && !memchr(row->name.ptr, '@', row->name.len) &&
           !(row->library & CEL_LIB_MAPPING) && cel_fn_rows[row->id].fn; /* the others are steps, not calls */
}

static void put_function(buf *b, const cel_overload *row, bool json)
{
    buf signature;
    buf_init(&signature);
    put_signature(&signature, row);
    if (json) {
        buf_put_str(b, "{\"function\":");
        buf_put_json_string(b, buf_slice(&signature));
        buf_printf(b, ",\"name\":\"%.*s\",\"receiver\":%s,\"units\":\"%s\"}\n", MANDATE_SLICE_ARG(row->name),
                   row->member ? "true" : "false", cel_call_price(row->id));
    } else {
        buf_printf(b, "%-62s %s\n", buf_cstr(&signature), cel_call_price(row->id));
    }
    buf_deinit(&signature);
}

int cmd_cel_functions(int argc, char **argv)
{
    arg_common common = {0};
    const char *name[1];
    uint32_t shown = 0;
    buf b;
    if (!args_parse(argc, argv, &common, NULL, 0, name, 0, 1))
        return CLI_REFUSED;
    buf_init(&b);
    for (uint32_t i = 0; i < CEL_FN_COUNT; i++)
        if (is_written(&cel_overloads[i]) && (!name[0] || mandate_slice_is(cel_overloads[i].name, name[0]))) {
            put_function(&b, &cel_overloads[i], common.json);
            shown++;
        }
    if (shown == 0)
        out_problem("there is no function '%s'", name[0]);
    else if (!b.failed)
        fwrite(b.data, 1, b.len, stdout);
    int code = shown == 0 ? CLI_REFUSED : b.failed ? CLI_INTERNAL : CLI_OK;
    buf_deinit(&b);
    return code;
}

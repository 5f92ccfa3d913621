/* SPDX-License-Identifier: Apache-2.0 */
/* decision list, show, permit, refuse - what waits for a human, and the human's answer. */
#include <inttypes.h>

#include "connectors/cli/client.h"
#include "connectors/cli/show.h"

enum { PAGE = 500 };

static out_style style_of(mandate_slice state)
{
    if (mandate_slice_is(state, "open"))
        return OUT_DOUBT;
    return mandate_slice_is(state, "permitted") ? OUT_GOOD : mandate_slice_is(state, "refused") ? OUT_BAD : OUT_DIM;
}

static void show_line(const char *name, mandate_slice text)
{
    buf line;
    if (!text.len)
        return;
    buf_init(&line);
    buf_printf(&line, "  %-11s ", name);
    out_text(&line, OUT_PLAIN, text);
    out_line(&line);
    buf_deinit(&line);
}

static void show_value(const char *name, cel_value v)
{
    buf text;
    if (v.kind == CEL_NULL)
        return;
    buf_init(&text);
    cel_to_json(&text, v);
    show_line(name, buf_slice(&text));
    buf_deinit(&text);
}

static void show_decision(client *c)
{
    cel_value d = c->value, result = json_member(d, "result");
    buf line;
    buf_init(&line);
    mandate_slice state = json_member_text(d, "state");
    out_text(&line, OUT_BOLD, json_member_text(d, "id"));
    buf_put_str(&line, "  ");
    out_text(&line, style_of(state), state);
    buf_put_str(&line, "  ");
    out_text(&line, OUT_PLAIN, json_member_text(d, "action"));
    buf_put_str(&line, "  ");
    out_text(&line, OUT_PLAIN, json_member_text(d, "resource"));
    out_line(&line);
    show_line("asked by", json_member_text(d, "asker"));
    show_line("because", json_member_text(d, "reason"));
    show_value("parameters", json_member(d, "parameters"));
    show_value("command", json_member(d, "command"));
    cel_value mandates = json_member(d, "mandates");
    for (uint32_t i = 0; mandates.kind == CEL_LIST && i < mandates.len; i++)
        show_line("mandate", cel_text(mandates.items[i]));
    show_line("decided by", json_member_text(d, "decided_by"));
    show_line("note", json_member_text(d, "note"));
    show_line("until", json_member_text(d, "expires_at"));
    if (result.kind == CEL_MAP)
        show_value("result", result);
    buf_deinit(&line);
}

static void path_of(buf *path, const char *id, const char *tail)
{
    buf_init(path);
    buf_put_str(path, "/v1/decisions/");
    path_segment(path, mandate_slice_str(id));
    buf_put_str(path, tail);
}

int cmd_decision_show(int argc, char **argv)
{
    const char *id[1];
    arg_common common;
    buf path;
    if (!args_parse(argc, argv, &common, NULL, 0, id, 1, 1))
        return CLI_REFUSED;
    path_of(&path, id[0], "");
    exit_code code = client_show(&common, buf_cstr(&path), show_decision);
    buf_deinit(&path);
    return code;
}

static void put_member(buf *body, const char *name, const char *text)
{
    if (!text)
        return;
    buf_printf(body, "%s\"%s\":", body->len > 1 ? "," : "", name);
    buf_put_json_string(body, mandate_slice_str(text));
}

static int answer(int argc, char **argv, bool permit)
{
    const char *id[1], *note = NULL, *valid_for = NULL;
    const arg_option options[] = {{"--note", .value = &note}, {"--valid-for", .value = &valid_for}};
    arg_common common;
    client c;
    buf path, body;
    if (!args_parse(argc, argv, &common, options, permit ? 2 : 1, id, 1, 1))
        return CLI_REFUSED;
    path_of(&path, id[0], permit ? "/permit" : "/refuse");
    buf_init(&body);
    buf_put_char(&body, '{');
    put_member(&body, "note", note);
    put_member(&body, "valid_for", valid_for);
    buf_put_char(&body, '}');
    exit_code code = client_open(&c, &common);
    if (code == CLI_OK)
        code = client_call(&c, "POST", buf_cstr(&path), buf_slice(&body));
    if (code == CLI_OK && common.json)
        code = client_print_json(&c);
    else if (code == CLI_OK)
        show_decision(&c);
    client_close(&c);
    buf_deinit(&path);
    buf_deinit(&body);
    return code;
}

int cmd_decision_permit(int argc, char **argv) { return answer(argc, argv, true); }

int cmd_decision_refuse(int argc, char **argv) { return answer(argc, argv, false); }

/* --- list ------------------------------------------------------------------------------------------------------- */
static void add_row(out_table *t, cel_value d)
{
    mandate_slice state = json_member_text(d, "state");
    out_table_add(t, OUT_BOLD, json_member_text(d, "id"));
    out_table_add(t, style_of(state), state);
    out_table_add(t, OUT_PLAIN, json_member_text(d, "asker"));
    out_table_add(t, OUT_PLAIN, json_member_text(d, "action"));
    out_table_add(t, OUT_PLAIN, json_member_text(d, "resource"));
    out_table_add(t, OUT_PLAIN, json_member_text(d, "expires_at"));
}

static bool print_row(cel_value d)
{
    buf line;
    buf_init(&line);
    cel_to_json(&line, d);
    bool ok = out_line(&line);
    buf_deinit(&line);
    return ok;
}

/* One page; `after` gets the last id, or "" when this was the last page. */
static exit_code list_page(client *c, const char *state, int64_t want, buf *after, out_table *t, int64_t *seen)
{
    char limit[24];
    buf path;
    buf_init(&path);
    buf_put_str(&path, "/v1/decisions");
    snprintf(limit, sizeof(limit), "%" PRId64, want);
    path_query(&path, "state", state);
    path_query(&path, "limit", limit);
    path_query(&path, "after", after->len ? buf_cstr(after) : NULL);
    exit_code code = client_call(c, "GET", buf_cstr(&path), mandate_slice_of("", 0));
    buf_deinit(&path);
    buf_reset(after);
    if (code != CLI_OK)
        return code;
    cel_value rows = json_member(c->value, "decisions");
    for (uint32_t i = 0; rows.kind == CEL_LIST && i < rows.len; i++, ++*seen) {
        if (t)
            add_row(t, rows.items[i]);
        else if (!print_row(rows.items[i]))
            return CLI_INTERNAL;
    }
    buf_put_slice(after, json_member_text(c->value, "next"));
    return CLI_OK;
}

int cmd_decision_list(int argc, char **argv)
{
    static const char *const heads[] = {"ID", "STATE", "ASKED BY", "ACTION", "RESOURCE", "UNTIL"};
    const char *limit_text = NULL, *state = NULL;
    const arg_option options[] = {{"--limit", .value = &limit_text}, {"--state", .value = &state}};
    int64_t limit = INT64_MAX, seen = 0;
    arg_common common;
    out_table table;
    client c;
    buf after;
    if (!args_parse(argc, argv, &common, options, 2, NULL, 0, 0) ||
        (limit_text && !args_number(&limit, "--limit", limit_text, 1, INT64_MAX)))
        return CLI_REFUSED;
    out_table_init(&table, heads, 6);
    buf_init(&after);
    exit_code code = client_open(&c, &common);
    while (code == CLI_OK) {
        int64_t left = limit - seen;
        code = list_page(&c, state, left < PAGE ? left : PAGE, &after, common.json ? NULL : &table, &seen);
        if (after.len == 0 || seen >= limit)
            break;
    }
    if (code == CLI_OK && !common.json)
        out_table_print(&table);
    client_close(&c);
    out_table_deinit(&table);
    buf_deinit(&after);
    return code;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* decision list, show, permit, refuse - what waits for a human, and the human's answer. */
#include <inttypes.h>

#include "connectors/cli/pages.h"
#include "connectors/cli/show.h"

static out_style style_of(mandate_slice state)
{
    if (mandate_slice_is(state, "open"))
        return OUT_DOUBT;
    return mandate_slice_is(state, "permitted") ? OUT_GOOD : mandate_slice_is(state, "refused") ? OUT_BAD : OUT_DIM;
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
    show_text(&line, "asked by", json_member_text(d, "asker"));
    show_text(&line, "because", json_member_text(d, "reason"));
    show_json(&line, "parameters", json_member(d, "parameters"));
    show_json(&line, "properties", json_member(d, "properties"));
    show_json(&line, "command", json_member(d, "command"));
    cel_value mandates = json_member(d, "mandates");
    for (uint32_t i = 0; mandates.kind == CEL_LIST && i < mandates.len; i++)
        show_text(&line, "mandate", cel_text(mandates.items[i]));
    show_text(&line, "decided by", json_member_text(d, "decided_by"));
    show_text(&line, "note", json_member_text(d, "note"));
    show_text(&line, "until", json_member_text(d, "expires_at"));
    if (result.kind == CEL_MAP)
        show_json(&line, "result", result);
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
    buf path, body;
    if (!args_parse(argc, argv, &common, options, permit ? 2 : 1, id, 1, 1))
        return CLI_REFUSED;
    path_of(&path, id[0], permit ? "/permit" : "/refuse");
    buf_init(&body);
    buf_put_char(&body, '{');
    put_member(&body, "note", note);
    put_member(&body, "valid_for", valid_for);
    buf_put_char(&body, '}');
    exit_code code = client_post(&common, buf_cstr(&path), buf_slice(&body), show_decision);
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

int cmd_decision_list(int argc, char **argv)
{
    static const char *const heads[] = {"ID", "STATE", "ASKED BY", "ACTION", "RESOURCE", "UNTIL"};
    const char *limit_text = NULL, *state = NULL;
    const arg_option options[] = {{"--limit", .value = &limit_text}, {"--state", .value = &state}};
    int64_t limit;
    arg_common common;
    buf query;
    if (!args_parse(argc, argv, &common, options, 2, NULL, 0, 0) || !pages_limit(&limit, limit_text))
        return CLI_REFUSED;
    buf_init(&query);
    buf_put_str(&query, "/v1/decisions");
    path_query(&query, "state", state);
    const page_list list = {buf_cstr(&query), "decisions", heads, 6, add_row};
    exit_code code = pages_print(&list, &common, limit);
    buf_deinit(&query);
    return code;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mandate backtest - what would have become of mandates that were not issued: the server runs its history again for them, and
 * says when they would have ended or been suspended, with the evidence. Nothing is issued.
 *
 * Exit code 3 when one of them would have ended, 1 when one would have been refused; with --json what the server said.
 */
#include "connectors/cli/client.h"
#include "connectors/cli/input.h"
#include "connectors/cli/out.h"
#include "connectors/cli/show.h"
#include "engine/limits.h"
#include "engine/mandate/lifecycle.h"

#include <stdio.h>

enum { FILES_MAX = 64 };

static bool put_mandates(buf *body, const char *const *files)
{
    mandate_error err = {0};
    buf text;

    buf_init(&text);
    buf_put_str(body, "{\"mandates\":[");
    for (int i = 0; i < FILES_MAX && files[i]; i++) {
        if (input_read(&text, files[i], LIMIT_CLAIMS, &err) != MANDATE_OK) {
            out_problem("%s", err.text);
            buf_deinit(&text);
            return false;
        }
        buf_put_str(body, i ? "," : "");
        buf_put_slice(body, buf_slice(&text));
    }
    buf_deinit(&text);
    return true;
}

static void put_text(buf *body, const char *name, const char *text)
{
    buf_printf(body, ",\"%s\":", name);
    buf_put_json_string(body, mandate_slice_str(text));
}

static void show_one(cel_value m, mandate_slice until)
{
    mandate_slice state = json_member_text(m, "state"), refused = json_member_text(m, "refused");
    cel_value transitions = json_member(m, "transitions");
    buf line;

    buf_init(&line);
    out_text(&line, OUT_BOLD, json_member_text(m, "id"));
    buf_put_str(&line, "  ");
    if (refused.len) {
        out_str(&line, OUT_BAD, "refused");
        buf_put_str(&line, ": ");
        out_text(&line, OUT_PLAIN, refused);
    } else {
        out_text(&line, out_state_style(state), state);
        buf_put_str(&line, " at ");
        out_text(&line, OUT_PLAIN, until);
    }
    (void)out_line(&line);
    for (uint32_t i = 0; transitions.kind == CEL_LIST && i < transitions.len; i++) {
        buf_put_str(&line, "  ");
        out_text(&line, OUT_PLAIN, json_member_text(transitions.items[i], "effective_at"));
        buf_put_str(&line, "  ");
        show_transition(&line, transitions.items[i]);
        (void)out_line(&line);
        show_terms(transitions.items[i]);
    }
    buf_deinit(&line);
}

static int outcome(cel_value answer)
{
    cel_value list = json_member(answer, "mandates");
    int code = CLI_OK;

    for (uint32_t i = 0; list.kind == CEL_LIST && i < list.len; i++) {
        mandate_state state = mandate_state_parse(json_member_text(list.items[i], "state"));
        if (json_member_text(list.items[i], "refused").len)
            return CLI_REFUSED;
        if (state != STATE_NONE && mandate_state_is_final(state))
            code = CLI_DENIED;
    }
    return code;
}

static void show(cel_value answer)
{
    cel_value list = json_member(answer, "mandates"), complete = json_member(answer, "complete");
    mandate_slice until = json_member_text(answer, "checked_until");

    for (uint32_t i = 0; list.kind == CEL_LIST && i < list.len; i++)
        show_one(list.items[i], until);
    if (cel_is_false(complete))
        fprintf(stderr, "history was looked at up to %.*s only: ask for less at a time\n", MANDATE_SLICE_ARG(until));
}

int cmd_mandate_backtest(int argc, char **argv)
{
    const char *files[FILES_MAX] = {NULL}, *from = NULL, *to = NULL;
    const arg_option options[] = {{"--from", .value = &from}, {"--to", .value = &to}};
    arg_common common;
    client c;
    buf body;

    if (!args_parse(argc, argv, &common, options, 2, files, 1, FILES_MAX))
        return CLI_REFUSED;
    if (!from) {
        out_problem("--from TIME is needed: when they would have been issued");
        return CLI_REFUSED;
    }
    buf_init(&body);
    exit_code code = client_open(&c, &common);
    if (code == CLI_OK && !put_mandates(&body, files))
        code = CLI_REFUSED;
    buf_put_char(&body, ']');
    put_text(&body, "from", from);
    if (to)
        put_text(&body, "to", to);
    buf_put_char(&body, '}');
    if (code == CLI_OK)
        code = client_call(&c, "POST", "/v1/mandates/backtest", buf_slice(&body));
    if (code == CLI_OK && common.json)
        code = client_print_json(&c);
    else if (code == CLI_OK)
        show(c.value);
    if (code == CLI_OK)
        code = (exit_code)outcome(c.value);
    client_close(&c);
    buf_deinit(&body);
    return code;
}

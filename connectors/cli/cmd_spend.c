/* SPDX-License-Identifier: Apache-2.0 */
/* mandate spend, unspend - drawing on a budget, and giving that back. */
#include "connectors/cli/client.h"
#include "connectors/cli/out.h"

static void put(buf *b, const char *before, const char *text)
{
    buf_put_str(b, before);
    buf_put_json_string(b, mandate_slice_str(text));
}

/* A number or a text, as the server wrote it. */
static void show_amount(buf *line, cel_value v)
{
    arena a;
    arena_init(&a, 0);
    out_text(line, OUT_BOLD, v.kind == CEL_STRING ? cel_text(v) : out_value(&a, v));
    arena_deinit(&a);
}

static void show_left(client *c)
{
    buf line;
    cel_value answer = c->value, budgets = json_member(answer, "budgets");
    buf_init(&line);
    out_text(&line, OUT_PLAIN, json_member_text(answer, "name"));
    buf_put_str(&line, "  left ");
    show_amount(&line, json_member(answer, "left"));
    out_line(&line);
    for (uint32_t i = 0; budgets.kind == CEL_LIST && budgets.len > 1 && i < budgets.len; i++) {
        buf_put_str(&line, "  ");
        out_text(&line, OUT_DIM, json_member_text(budgets.items[i], "mandate"));
        buf_put_str(&line, "  left ");
        show_amount(&line, json_member(budgets.items[i], "left"));
        out_line(&line);
    }
    buf_deinit(&line);
}

static int spend(int argc, char **argv, bool back)
{
    const char *given[3], *key = NULL, *reason = NULL;
    const arg_option options[] = {{"--key", .value = &key}, {"--reason", .value = &reason}};
    size_t count = back ? 1 : 3;
    arg_common common;
    buf path, body;
    if (!args_parse(argc, argv, &common, options, 2, given, count, count))
        return CLI_REFUSED;
    if (!key) {
        out_problem("needed: --key K, which makes it safe to repeat");
        return CLI_REFUSED;
    }
    buf_init(&path);
    buf_init(&body);
    buf_put_str(&path, "/v1/mandates/");
    path_segment(&path, mandate_slice_str(given[0]));
    buf_put_str(&path, back ? "/unspend" : "/spend");
    put(&body, "{\"key\":", key);
    if (!back) {
        put(&body, ",\"name\":", given[1]);
        put(&body, ",\"amount\":", given[2]);
    }
    if (reason)
        put(&body, ",\"reason\":", reason);
    buf_put_char(&body, '}');
    exit_code code = client_post(&common, buf_cstr(&path), buf_slice(&body), show_left);
    buf_deinit(&path);
    buf_deinit(&body);
    return code;
}

int cmd_mandate_spend(int argc, char **argv) { return spend(argc, argv, false); }

int cmd_mandate_unspend(int argc, char **argv) { return spend(argc, argv, true); }

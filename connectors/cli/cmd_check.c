/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mandate check - an AuthZEN evaluation from the command line; the exit code is the decision.
 */
#include "connectors/cli/client.h"
#include "connectors/cli/out.h"

static void put(buf *body, const char *before, mandate_slice text)
{
    buf_put_str(body, before);
    buf_put_json_string(body, text);
}

/* NAME=VALUE; a value that is JSON is meant as such (7, true, "7"), anything else is text. */
static bool put_params(buf *body, const arg_list *params)
{
    arena a;
    arena_init(&a, 0);
    bool good = true;
    for (size_t i = 0; i < params->count && good; i++) {
        const char *item = params->items[i], *equals = strchr(item, '=');
        cel_value v;
        good = equals && equals != item;
        if (!good) {
            out_problem("--param: expected NAME=VALUE, got \"%s\"", item);
            break;
        }
        put(body, i ? "," : "", mandate_slice_of(item, (size_t)(equals - item)));
        buf_put_char(body, ':');
        mandate_slice value = mandate_slice_str(equals + 1);
        if (json_value_parse(&v, &a, value, 0, NULL) == MANDATE_OK)
            buf_put_slice(body, value);
        else
            buf_put_json_string(body, value);
    }
    arena_deinit(&a);
    return good;
}

static exit_code show_decision(client *c, bool json)
{
    cel_value context = json_member(c->value, "context");
    bool permit = cel_is_true(json_member(c->value, "decision"));
    mandate_slice because = json_member_text(context, "because");
    if (json) {
        exit_code code = client_print_json(c);
        return code != CLI_OK ? code : permit ? CLI_OK : CLI_DENIED;
    }
    buf line;
    buf_init(&line);
    out_str(&line, permit ? OUT_GOOD : OUT_BAD, permit ? "permit" : "deny");
    buf_put_str(&line, "  ");
    out_text(&line, OUT_BOLD, json_member_text(context, "reason"));
    buf_put_str(&line, "  ");
    out_text(&line, OUT_PLAIN, json_member_text(context, "text"));
    if (because.len) {
        buf_put_str(&line, "  because of ");
        out_text(&line, OUT_BOLD, because);
    }
    out_line(&line);
    buf_deinit(&line);
    return permit ? CLI_OK : CLI_DENIED;
}

int cmd_mandate_check(int argc, char **argv)
{
    const char *mandate = NULL, *agent = NULL, *action = NULL, *resource = NULL;
    arg_list params = {.count = 0};
    const arg_option options[] = {
        {"--mandate", .value = &mandate},   {"--agent", .value = &agent}, {"--action", .value = &action},
        {"--resource", .value = &resource}, {"--param", .list = &params},
    };
    arg_common common;
    client c;
    buf body;
    if (!args_parse(argc, argv, &common, options, 5, NULL, 0, 0))
        return CLI_REFUSED;
    const char *slash = resource ? strchr(resource, '/') : NULL;
    if (!mandate || !agent || !action || !slash) {
        out_problem("needed: --mandate ID --agent A --action X --resource TYPE/ID");
        return CLI_REFUSED;
    }
    buf_init(&body);
    put(&body, "{\"subject\":{\"type\":\"agent\",\"id\":", mandate_slice_str(agent));
    put(&body, "},\"action\":{\"name\":", mandate_slice_str(action));
    buf_put_str(&body, ",\"properties\":{");
    bool good = put_params(&body, &params);
    put(&body, "}},\"resource\":{\"type\":", mandate_slice_of(resource, (size_t)(slash - resource)));
    put(&body, ",\"id\":", mandate_slice_str(slash + 1));
    put(&body, "},\"context\":{\"mandate\":", mandate_slice_str(mandate));
    buf_put_str(&body, "}}");
    exit_code code = good ? client_open(&c, &common) : CLI_REFUSED;
    if (code == CLI_OK)
        code = client_call(&c, "POST", "/access/v1/evaluation", buf_slice(&body));
    if (code == CLI_OK)
        code = show_decision(&c, common.json);
    if (good)
        client_close(&c);
    buf_deinit(&body);
    return code;
}

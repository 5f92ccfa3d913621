/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mandate check - an AuthZEN evaluation from the command line; the exit code is the decision. Without a mandate it is found, with
 * several they govern together.
 */
#include "connectors/cli/claims_args.h"
#include "connectors/cli/client.h"
#include "connectors/cli/show.h"

static void put(buf *body, const char *before, mandate_slice text)
{
    buf_put_str(body, before);
    buf_put_json_string(body, text);
}

/* Members of an object that is open, NAME=VALUE each; the first one after `before`. */
static bool put_values(buf *body, const char *before, const char *option, const arg_list *values)
{
    for (size_t i = 0; i < values->count; i++) {
        const char *item = values->items[i], *equals = strchr(item, '=');
        if (!equals || equals == item) {
            out_problem("%s: expected NAME=VALUE, got \"%s\"", option, item);
            return false;
        }
        put(body, i ? "," : before, mandate_slice_of(item, (size_t)(equals - item)));
        buf_put_char(body, ':');
        claims_args_put_value(body, equals + 1);
    }
    return true;
}

static exit_code show_decision(client *c, bool json, bool found)
{
    cel_value context = json_member(c->value, "context"), escalation = json_member(context, "escalation");
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
    if (cel_is_true(json_member(context, "duplicate")))
        out_str(&line, OUT_DIM, "  (asked before)");
    out_line(&line);
    if (found)
        show_text(&line, "mandate", json_member_text(context, "mandate"));
    show_text(&line, "valid until", json_member_text(context, "valid_until"));
    show_json(&line, "freshness", json_member(context, "freshness"));
    show_text(&line, "human", json_member_text(escalation, "id"));
    show_text(&line, "", json_member_text(escalation, "error"));
    if (escalation.kind == CEL_MAP)
        show_text(&line, "digest", json_member_text(json_member(context, "conditions"), "parameter_digest"));
    buf_deinit(&line);
    return permit ? CLI_OK : CLI_DENIED;
}

static bool put_context(buf *body, const arg_list *mandates, const arg_list *at_least, const arg_list *more)
{
    const char *before = "";
    buf_put_str(body, "},\"context\":{");
    for (size_t i = 0; i < mandates->count; i++) {
        bool several = mandates->count > 1;
        buf_put_str(body, i ? "," : several ? "\"mandates\":[" : "\"mandate\":");
        buf_put_json_string(body, mandate_slice_str(mandates->items[i]));
        if (several && i + 1 == mandates->count)
            buf_put_char(body, ']');
        before = ",";
    }
    for (size_t i = 0; i < at_least->count; i++) {
        if (i == 0)
            buf_printf(body, "%s\"at_least\":[", before);
        else
            buf_put_char(body, ',');
        buf_put_json_string(body, mandate_slice_str(at_least->items[i]));
        if (i + 1 == at_least->count)
            buf_put_char(body, ']');
        before = ",";
    }
    bool good = put_values(body, before, "--context", more);
    buf_put_str(body, "}}");
    return good;
}

int cmd_mandate_check(int argc, char **argv)
{
    const char *agent = NULL, *action = NULL, *resource = NULL, *key = NULL;
    arg_list params = {.count = 0}, properties = {.count = 0}, context = {.count = 0}, mandates = {.count = 0},
             at_least = {.count = 0};
    const arg_option options[] = {
        {"--mandate", .list = &mandates},     {"--agent", .value = &agent},
        {"--action", .value = &action},       {"--resource", .value = &resource},
        {"--param", .list = &params},         {"--at-least", .list = &at_least},
        {"--idempotency-key", .value = &key}, {"--resource-property", .list = &properties},
        {"--context", .list = &context},
    };
    arg_common common;
    client c;
    buf body;
    if (!args_parse(argc, argv, &common, options, sizeof(options) / sizeof(*options), NULL, 0, 0))
        return CLI_REFUSED;
    const char *slash = resource ? strchr(resource, '/') : NULL;
    if (!agent || !action || !slash) {
        out_problem("needed: --agent A --action X --resource TYPE/ID");
        return CLI_REFUSED;
    }
    buf_init(&body);
    put(&body, "{\"subject\":{\"type\":\"agent\",\"id\":", mandate_slice_str(agent));
    put(&body, "},\"action\":{\"name\":", mandate_slice_str(action));
    buf_put_str(&body, ",\"properties\":{\"parameters\":{");
    bool good = put_values(&body, "", "--param", &params);
    buf_put_char(&body, '}');
    if (key)
        put(&body, ",\"idempotency_key\":", mandate_slice_str(key));
    put(&body, "}},\"resource\":{\"type\":", mandate_slice_of(resource, (size_t)(slash - resource)));
    put(&body, ",\"id\":", mandate_slice_str(slash + 1));
    if (properties.count) {
        buf_put_str(&body, ",\"properties\":{");
        good = put_values(&body, "", "--resource-property", &properties) && good;
        buf_put_char(&body, '}');
    }
    good = put_context(&body, &mandates, &at_least, &context) && good;
    exit_code code = good ? client_open(&c, &common) : CLI_REFUSED;
    if (code == CLI_OK)
        code = client_call(&c, "POST", "/access/v1/evaluation", buf_slice(&body));
    if (code == CLI_OK)
        code = show_decision(&c, common.json, mandates.count == 0);
    if (good)
        client_close(&c);
    buf_deinit(&body);
    return code;
}

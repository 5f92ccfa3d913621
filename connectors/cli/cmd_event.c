/* SPDX-License-Identifier: Apache-2.0 */
/* mandatectl event assert - what a person says happened: attributes of one entity, each NAME=VALUE; a VALUE that is no JSON is a text. */
#include "connectors/cli/client.h"
#include "connectors/cli/out.h"

enum { ATTRIBUTES_MAX = 64 };

/* "name": value */
static bool put_attribute(buf *body, const char *text, bool first)
{
    const char *equals = strchr(text, '=');
    cel_value v;
    arena a;

    if (!equals || equals == text) {
        out_problem("%s: expected NAME=VALUE", text);
        return false;
    }
    arena_init(&a, 0);
    buf_put_str(body, first ? "" : ",");
    buf_put_json_string(body, mandate_slice_of(text, (size_t)(equals - text)));
    buf_put_char(body, ':');
    if (json_value_parse(&v, &a, mandate_slice_str(equals + 1), 0, NULL) == MANDATE_OK)
        buf_put_str(body, equals + 1);
    else
        buf_put_json_string(body, mandate_slice_str(equals + 1));
    arena_deinit(&a);
    return true;
}

static void show(client *c)
{
    buf line;
    buf_init(&line);
    out_text(&line, OUT_BOLD, json_member_text(c->value, "id"));
    buf_printf(&line, "  step %lld, entry %lld of the audit log", (long long)json_member_int(c->value, "seq", 0),
               (long long)json_member_int(c->value, "leaf", 0));
    out_line(&line);
    buf_deinit(&line);
}

int cmd_event_assert(int argc, char **argv)
{
    const char *reason = NULL, *words[2 + ATTRIBUTES_MAX];
    const arg_option options[] = {{"--reason", .value = &reason}};
    arg_common common;
    buf body;
    bool good = true;

    if (!args_parse(argc, argv, &common, options, 1, words, 3, 2 + ATTRIBUTES_MAX))
        return CLI_REFUSED;
    buf_init(&body);
    buf_put_str(&body, "{\"type\":");
    buf_put_json_string(&body, mandate_slice_str(words[0]));
    buf_put_str(&body, ",\"id\":");
    buf_put_json_string(&body, mandate_slice_str(words[1]));
    buf_put_str(&body, ",\"attributes\":{");
    for (int i = 2; good && i < 2 + ATTRIBUTES_MAX && words[i]; i++)
        good = put_attribute(&body, words[i], i == 2);
    buf_put_char(&body, '}');
    if (reason) {
        buf_put_str(&body, ",\"reason\":");
        buf_put_json_string(&body, mandate_slice_str(reason));
    }
    buf_put_char(&body, '}');
    exit_code code = good ? client_post(&common, "/v1/events", buf_slice(&body), show) : CLI_REFUSED;
    buf_deinit(&body);
    return code;
}

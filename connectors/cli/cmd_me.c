/* SPDX-License-Identifier: Apache-2.0 */
/* mandatectl whoami - who the server takes us for, and what its policy lets us do. */
#include "connectors/cli/client.h"
#include "connectors/cli/out.h"
#include "connectors/policy/power.h"

static void say(const char *label, mandate_slice text)
{
    buf line;
    buf_init(&line);
    out_column(&line, OUT_DIM, mandate_slice_str(label), 10);
    out_text(&line, OUT_PLAIN, text);
    out_line(&line);
    buf_deinit(&line);
}

static void say_roles(cel_value roles)
{
    buf text;
    buf_init(&text);
    for (uint32_t i = 0; roles.kind == CEL_LIST && i < roles.len; i++)
        if (roles.items[i].kind == CEL_STRING)
            buf_printf(&text, "%s%.*s", text.len ? ", " : "", (int)roles.items[i].len, roles.items[i].s);
    say("roles", text.len ? buf_slice(&text) : mandate_slice_str("none"));
    buf_deinit(&text);
}

static void show(client *c)
{
    mandate_slice policy = json_member_text(c->value, "policy"), issuer = json_member_text(c->value, "issuer");
    mandate_slice until = json_member_text(c->value, "until");
    cel_value powers = json_member(c->value, "powers");

    say("principal", json_member_text(c->value, "principal"));
    say("kind", json_member_text(c->value, "kind"));
    if (issuer.len)
        say("issuer", issuer);
    if (until.len)
        say("until", until);
    if (!policy.len) {
        say("policy", mandate_slice_str("none: everybody who can connect may do everything"));
        return;
    }
    say("policy", policy);
    say_roles(json_member(c->value, "roles"));
    for (uint32_t i = 0; powers.kind == CEL_MAP && i < powers.len; i++) {
        cel_value effect = powers.map[i].value;
        buf line;
        buf_init(&line);
        out_column(&line, OUT_DIM, mandate_slice_str(i ? "" : "may"), 10);
        out_column(&line, OUT_PLAIN, cel_text(powers.map[i].key), 13);
        if (effect.kind == CEL_STRING && mandate_slice_is(cel_text(effect), "maybe"))
            out_str(&line, OUT_DOUBT, "some, by its conditions");
        else if (effect.kind == CEL_STRING && mandate_slice_is(cel_text(effect), "second_person"))
            out_str(&line, OUT_DOUBT, "when a second person agrees");
        else
            out_str(&line, OUT_GOOD, "yes");
        out_line(&line);
        buf_deinit(&line);
    }
}

int cmd_whoami(int argc, char **argv)
{
    arg_common common;
    if (!args_parse(argc, argv, &common, NULL, 0, NULL, 0, 0))
        return CLI_REFUSED;
    return client_show(&common, "/v1/me", show);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* mandate delegate, amend - a child from what is said here, the rest is its parent's; what changes, the rest stays. */
#include "connectors/cli/claims_args.h"
#include "connectors/cli/client.h"
#include "connectors/cli/out.h"
#include "connectors/cli/show.h"

static void show(client *c) { show_mandate(c->value); }

static exit_code post(const arg_common *common, const char *id, const char *verb, const buf *body)
{
    buf path;
    buf_init(&path);
    buf_put_str(&path, "/v1/mandates/");
    path_segment(&path, mandate_slice_str(id));
    buf_printf(&path, "/%s", verb);
    exit_code code = client_post(common, buf_cstr(&path), buf_slice(body), show);
    buf_deinit(&path);
    return code;
}

int cmd_mandate_delegate(int argc, char **argv)
{
    const char *parent[1];
    claims_args child;
    arg_option options[CLAIMS_ARGS_OPTIONS];
    arg_common common;
    buf body;
    if (!args_parse(argc, argv, &common, options, claims_args_options(options, &child, true), parent, 1, 1))
        return CLI_REFUSED;
    if (!child.agent) {
        out_problem("needed: --agent A, to whom it goes");
        return CLI_REFUSED;
    }
    buf_init(&body);
    buf_put_char(&body, '{');
    bool good = claims_args_put(&body, &child);
    buf_put_char(&body, '}');
    exit_code code = good ? post(&common, parent[0], "delegate", &body) : CLI_REFUSED;
    buf_deinit(&body);
    return code;
}

int cmd_mandate_amend(int argc, char **argv)
{
    const char *id[1], *version = NULL, *reason = NULL;
    claims_args change;
    arg_option options[CLAIMS_ARGS_OPTIONS + 4];
    arg_common common;
    bool widen = false, cascade = false;
    int64_t seen = 0;
    buf body;
    size_t count = claims_args_options(options, &change, false);
    options[count++] = (arg_option){"--if-version", .value = &version};
    options[count++] = (arg_option){"--reason", .value = &reason};
    options[count++] = (arg_option){"--widen", .flag = &widen};
    options[count++] = (arg_option){"--cascade", .flag = &cascade};
    if (!args_parse(argc, argv, &common, options, count, id, 1, 1) ||
        (version && !args_number(&seen, "--if-version", version, 1, UINT32_MAX)))
        return CLI_REFUSED;
    buf_init(&body);
    buf_put_str(&body, "{\"change\":{");
    bool good = claims_args_put(&body, &change);
    buf_put_char(&body, '}');
    if (version)
        buf_printf(&body, ",\"if_version\":%s", version);
    if (reason) {
        buf_put_str(&body, ",\"reason\":");
        buf_put_json_string(&body, mandate_slice_str(reason));
    }
    buf_printf(&body, "%s%s}", widen ? ",\"widen\":true" : "", cascade ? ",\"cascade\":true" : "");
    exit_code code = good ? post(&common, id[0], "amend", &body) : CLI_REFUSED;
    buf_deinit(&body);
    return code;
}

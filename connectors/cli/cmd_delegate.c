/* SPDX-License-Identifier: Apache-2.0 */
/* mandate delegate - a child from what is said here; the rest is its parent's. */
#include "connectors/cli/claims_args.h"
#include "connectors/cli/client.h"
#include "connectors/cli/out.h"
#include "connectors/cli/show.h"

int cmd_mandate_delegate(int argc, char **argv)
{
    const char *parent[1];
    claims_args child;
    arg_option options[CLAIMS_ARGS_OPTIONS];
    arg_common common;
    client c;
    buf path, body;
    if (!args_parse(argc, argv, &common, options, claims_args_options(options, &child, true), parent, 1, 1))
        return CLI_REFUSED;
    if (!child.agent) {
        out_problem("needed: --agent A, to whom it goes");
        return CLI_REFUSED;
    }
    buf_init(&path);
    buf_init(&body);
    buf_put_str(&path, "/v1/mandates/");
    path_segment(&path, mandate_slice_str(parent[0]));
    buf_put_str(&path, "/delegate");
    buf_put_char(&body, '{');
    bool good = claims_args_put(&body, &child);
    buf_put_char(&body, '}');
    exit_code code = good ? client_open(&c, &common) : CLI_REFUSED;
    if (code == CLI_OK)
        code = client_call(&c, "POST", buf_cstr(&path), buf_slice(&body));
    if (code == CLI_OK && common.json)
        code = client_print_json(&c);
    else if (code == CLI_OK)
        show_mandate(c.value);
    if (good)
        client_close(&c);
    buf_deinit(&path);
    buf_deinit(&body);
    return code;
}

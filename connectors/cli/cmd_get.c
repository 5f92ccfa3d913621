/* SPDX-License-Identifier: Apache-2.0 */
/* mandate get - one mandate, its claims and what last happened to it. */
#include "connectors/cli/client.h"
#include "connectors/cli/show.h"

static void show_one(client *c) { show_mandate(c->value); }

int cmd_mandate_get(int argc, char **argv)
{
    arg_common common;
    const char *id[1];
    buf path;
    if (!args_parse(argc, argv, &common, NULL, 0, id, 1, 1))
        return CLI_REFUSED;
    buf_init(&path);
    buf_put_str(&path, "/v1/mandates/");
    path_segment(&path, mandate_slice_str(id[0]));
    exit_code code = client_show(&common, buf_cstr(&path), show_one);
    buf_deinit(&path);
    return code;
}

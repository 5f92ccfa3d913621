/* SPDX-License-Identifier: Apache-2.0 */
/* mandate get - one mandate, its claims and what last happened to it. */
#include "connectors/cli/client.h"
#include "connectors/cli/show.h"

int cmd_mandate_get(int argc, char **argv)
{
    arg_common common;
    const char *id[1];
    client c;
    buf path;
    if (!args_parse(argc, argv, &common, NULL, 0, id, 1, 1))
        return CLI_REFUSED;
    buf_init(&path);
    buf_put_str(&path, "/v1/mandates/");
    path_segment(&path, mandate_slice_str(id[0]));
    exit_code code = client_open(&c, &common);
    if (code == CLI_OK)
        code = client_call(&c, "GET", buf_cstr(&path), mandate_slice_of("", 0));
    if (code == CLI_OK && common.json)
        code = client_print_json(&c);
    else if (code == CLI_OK)
        show_mandate(c.value);
    client_close(&c);
    buf_deinit(&path);
    return code;
}

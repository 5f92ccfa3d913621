/* SPDX-License-Identifier: Apache-2.0 */
/* mandate issue - claims from a file to the server, which checks them. */
#include "connectors/cli/client.h"
#include "connectors/cli/input.h"
#include "connectors/cli/show.h"
#include "engine/limits.h"

int cmd_mandate_issue(int argc, char **argv)
{
    arg_common common;
    const char *file[1];
    mandate_error err;
    client c;
    buf claims;
    if (!args_parse(argc, argv, &common, NULL, 0, file, 1, 1))
        return CLI_REFUSED;
    buf_init(&claims);
    exit_code code = client_open(&c, &common);
    if (code == CLI_OK && input_read(&claims, file[0], LIMIT_HTTP_BODY, &err)) {
        out_problem("%s", err.text);
        code = CLI_REFUSED;
    }
    if (code == CLI_OK)
        code = client_call(&c, "POST", "/v1/mandates", buf_slice(&claims));
    if (code == CLI_OK && common.json)
        code = client_print_json(&c);
    else if (code == CLI_OK)
        show_mandate(c.value);
    client_close(&c);
    buf_deinit(&claims);
    return code;
}

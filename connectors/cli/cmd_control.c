/* SPDX-License-Identifier: Apache-2.0 */
/* mandate revoke, suspend, resume - one verb, one optional reason. */
#include "connectors/cli/client.h"
#include "connectors/cli/show.h"

static int control(int argc, char **argv, const char *verb)
{
    const char *reason = NULL, *id[1];
    const arg_option options[] = {{"--reason", .value = &reason}};
    arg_common common;
    client c;
    buf path, body;
    if (!args_parse(argc, argv, &common, options, 1, id, 1, 1))
        return CLI_REFUSED;
    buf_init(&path);
    buf_init(&body);
    buf_put_str(&path, "/v1/mandates/");
    path_segment(&path, mandate_slice_str(id[0]));
    buf_printf(&path, "/%s", verb);
    buf_put_str(&body, "{");
    if (reason) {
        buf_put_str(&body, "\"reason\":");
        buf_put_json_string(&body, mandate_slice_str(reason));
    }
    buf_put_str(&body, "}");
    exit_code code = client_open(&c, &common);
    if (code == CLI_OK)
        code = client_call(&c, "POST", buf_cstr(&path), buf_slice(&body));
    if (code == CLI_OK && common.json)
        code = client_print_json(&c);
    else if (code == CLI_OK)
        show_mandate(c.value);
    client_close(&c);
    buf_deinit(&path);
    buf_deinit(&body);
    return code;
}

int cmd_mandate_revoke(int argc, char **argv) { return control(argc, argv, "revoke"); }

int cmd_mandate_suspend(int argc, char **argv) { return control(argc, argv, "suspend"); }

int cmd_mandate_resume(int argc, char **argv) { return control(argc, argv, "resume"); }

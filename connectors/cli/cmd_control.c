/* SPDX-License-Identifier: Apache-2.0 */
/* mandate revoke, suspend, resume, return - one verb, an optional reason, the version it was seen at. */
#include <inttypes.h>

#include "connectors/cli/client.h"
#include "connectors/cli/show.h"

static void show(client *c) { show_mandate(c->value); }

static int control(int argc, char **argv, const char *verb, bool may_until)
{
    const char *reason = NULL, *version = NULL, *until = NULL, *id[1];
    const arg_option options[] = {
        {"--reason", .value = &reason}, {"--if-version", .value = &version}, {"--until", .value = &until}};
    arg_common common;
    buf path, body;
    int64_t seen;
    if (!args_parse(argc, argv, &common, options, may_until ? 3 : 2, id, 1, 1) ||
        (version && !args_number(&seen, "--if-version", version, 1, UINT32_MAX)))
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
    if (version)
        buf_printf(&body, "%s\"if_version\":%" PRId64, body.len > 1 ? "," : "", seen);
    if (until) {
        buf_put_str(&body, body.len > 1 ? ",\"until\":" : "\"until\":");
        buf_put_json_string(&body, mandate_slice_str(until));
    }
    buf_put_str(&body, "}");
    exit_code code = client_post(&common, buf_cstr(&path), buf_slice(&body), show);
    buf_deinit(&path);
    buf_deinit(&body);
    return code;
}

int cmd_mandate_revoke(int argc, char **argv) { return control(argc, argv, "revoke", false); }

int cmd_mandate_suspend(int argc, char **argv) { return control(argc, argv, "suspend", true); }

int cmd_mandate_resume(int argc, char **argv) { return control(argc, argv, "resume", false); }

int cmd_mandate_return(int argc, char **argv) { return control(argc, argv, "return", false); }

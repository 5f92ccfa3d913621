/* SPDX-License-Identifier: Apache-2.0 */
/* mandate issue - claims from a file to the server, which checks them. */
#include "connectors/cli/claims_args.h"
#include "connectors/cli/client.h"
#include "connectors/cli/input.h"
#include "connectors/cli/show.h"
#include "connectors/json/json_value.h"
#include "engine/limits.h"

/* The claims with the rules of the command line: all of them, or none. */
static bool restrict_claims(buf *claims, const arg_list *rules)
{
    arena a;
    cel_value v;
    mandate_error err;
    if (rules->count == 0)
        return true;
    arena_init(&a, 0);
    bool good = json_value_parse(&v, &a, buf_slice(claims), 0, &err) == MANDATE_OK;
    if (!good)
        out_problem("%s", err.text);
    else if (v.kind != CEL_MAP || cel_map_get_str(v, "disclosure")) {
        out_problem("--restrict: expected the claims of a mandate, without a \"disclosure\" of their own");
        good = false;
    }
    arena_deinit(&a);
    if (!good)
        return false;
    while (claims->data[--claims->len] != '}') /* it is the last character that is not blank */
        ;
    while (strchr(" \t\r\n", claims->data[claims->len - 1]))
        claims->len--;
    good = claims_args_put_restricted(claims, rules);
    buf_put_char(claims, '}');
    return good;
}

int cmd_mandate_issue(int argc, char **argv)
{
    arg_common common;
    const char *file[1];
    mandate_error err;
    client c;
    buf claims;
    arg_list rules = {.count = 0};
    const arg_option options[] = {{"--restrict", .list = &rules}};
    if (!args_parse(argc, argv, &common, options, 1, file, 1, 1))
        return CLI_REFUSED;
    buf_init(&claims);
    exit_code code = client_open(&c, &common);
    if (code == CLI_OK && input_read(&claims, file[0], LIMIT_HTTP_BODY, &err)) {
        out_problem("%s", err.text);
        code = CLI_REFUSED;
    }
    if (code == CLI_OK && !restrict_claims(&claims, &rules))
        code = CLI_REFUSED;
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

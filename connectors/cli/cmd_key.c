/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key new, key show - the keys that mandates are signed with. Both print the public half as a JWK Set, ready for
 * `signing.published` or for a verifier; the private half stays in its file.
 */
#include "connectors/cli/args.h"
#include "connectors/cli/command.h"
#include "connectors/cli/out.h"
#include "connectors/token/key_file.h"

#include <stdio.h>

static mandate_status print_public(token_key *k, mandate_error *err)
{
    keyset set;
    buf json;
    keyset_init(&set);
    buf_init(&json);
    mandate_status status = keyset_take(&set, k, err);
    if (!status)
        status = keyset_put_json(&json, &set, err);
    if (!status)
        printf("%s\n", buf_cstr(&json));
    buf_deinit(&json);
    keyset_deinit(&set);
    return status;
}

int cmd_key_new(int argc, char **argv)
{
    const char *path[1], *algorithm = "EdDSA";
    const arg_option options[] = {{"--algorithm", .value = &algorithm}};
    arg_common common;
    mandate_error err;
    token_key *k;
    if (!args_parse(argc, argv, &common, options, 1, path, 1, 1))
        return CLI_REFUSED;
    token_alg alg = token_alg_parse(mandate_slice_str(algorithm));
    if (alg == TOKEN_ALG_COUNT) {
        out_problem("--algorithm: expected EdDSA, ES256 or RS256, got \"%s\"", algorithm);
        return CLI_REFUSED;
    }
    mandate_status status = key_file_create(&k, path[0], alg, &err);
    if (!status)
        status = print_public(k, &err);
    if (status)
        out_problem("%s", err.text);
    return status ? CLI_REFUSED : CLI_OK;
}

int cmd_key_show(int argc, char **argv)
{
    const char *path[1];
    arg_common common;
    mandate_error err;
    token_key *k;
    if (!args_parse(argc, argv, &common, NULL, 0, path, 1, 1))
        return CLI_REFUSED;
    mandate_status status = key_file_read(&k, path[0], &err);
    if (!status)
        status = print_public(k, &err);
    if (status)
        out_problem("%s", err.text);
    return status ? CLI_REFUSED : CLI_OK;
}

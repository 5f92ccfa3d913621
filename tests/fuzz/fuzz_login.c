/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_login - any bytes as a login token. Nothing is believed but what the one key has signed: the corpus holds one such token, and a
 * token that is believed must be that one, byte for byte.
 */
#include "connectors/login/login.h"
#include "fuzz.h"

#include <string.h>
#include <unistd.h>

/* Of the private key 00 01 02 ... 1f. */
#define KEYS                                                                                                         \
    "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"kid\":\"k\",\"use\":\"sig\",\"alg\":\"EdDSA\",\"x\":\"A6EHv_" \
    "POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg\"}]}"
#define POLICY "policy: p\nroles: {r: []}\nissuers: [{issuer: https://i, audience: a, jwks: %s, prefix: \"user:\"}]\n"
#define GENUINE                                                                                  \
    "eyJhbGciOiJFZERTQSIsImtpZCI6ImsiLCJ0eXAiOiJhdCtqd3QifQ.eyJpc3MiOiJodHRwczovL2kiLCJhdWQiOiJ" \
    "hIiwic3ViIjoiYW5uIiwiaWF0IjoxODk5OTk5OTk5LCJleHAiOjE5MDAwMDM2MDB9.eVT59rahsRaUoJ_VQ6QY_01H" \
    "mAJfnoMoz9lxMZhK7pjZsvvWtqbxsYsY_BoSIjWFHqupGER9H1HloSxHFiu-Cg"
#define NOW_US INT64_C(1900000000000000)

static login *begin(void)
{
    char path[] = "/tmp/mandate-fuzz-XXXXXX", text[512];
    int fd = mkstemp(path);
    mandate_error err;
    policy *p = NULL;
    login *l = NULL;
    problems found;

    FUZZ_CHECK(fd >= 0 && write(fd, KEYS, strlen(KEYS)) == (ssize_t)strlen(KEYS) && close(fd) == 0);
    int len = snprintf(text, sizeof(text), POLICY, path);
    mandate_slice yaml = mandate_slice_of(text, (size_t)len);
    problems_init(&found);
    FUZZ_CHECK(policy_load(&p, "p.yaml", &yaml, &found) == MANDATE_OK);
    FUZZ_CHECK(login_create(&l, p, NULL, &err) == MANDATE_OK);
    problems_deinit(&found);
    unlink(path);
    return l;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static login *l;
    const mandate_slice token = {(const char *)data, size};
    policy_principal who = {0};
    mandate_error err = {0};
    arena a;

    if (!l)
        l = begin();
    arena_init(&a, 0);
    mandate_status status = login_token(l, token, NOW_US, &who, &a, &err);
    FUZZ_CHECK(status == MANDATE_OK || (status == MANDATE_DENIED && err.text[0]));
    FUZZ_CHECK((status == MANDATE_OK) == mandate_slice_is(token, GENUINE));
    if (status == MANDATE_OK)
        FUZZ_CHECK(mandate_slice_is(who.name, "user:ann") && who.kind == PRINCIPAL_TOKEN);
    arena_deinit(&a);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the guard: whose time it is by which a login ends.
 */
#include "tests/connectors/token/issuer.h"

#include "connectors/daemon/rules/guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define EXP_S INT64_C(1900003600)
#define PAYLOAD \
    "{\"iss\":\"https://login.example\",\"aud\":\"mandated\",\"sub\":\"ann\",\"iat\":1899999999,\"exp\":1900003600}"

static int64_t now_us;

static int64_t now(void) { return now_us; }

static void write_file(char path[64], const char *name, const buf *text)
{
    snprintf(path, 64, "/tmp/mandate-guard-%s-XXXXXX", name);
    int fd = mkstemp(path);
    assert_true(fd >= 0 && write(fd, text->data, text->len) == (ssize_t)text->len);
    close(fd);
}

static mandate_status login(guard *g, arena *a, mandate_slice token, policy_principal *who)
{
    mandate_error err = {0};
    service_login in = {.who = who, .a = a, .bearer = token, .claimed = mandate_slice_of("", 0)};
    *who = (policy_principal){.kind = PRINCIPAL_ANONYMOUS, .name = MANDATE_SLICE_LIT("anonymous")};
    return guard_login(g, &in, &err);
}

/* Engine time does not run backwards with a wall clock that is set back; here it is a century from what this machine's says. */
static void test_guard__a_token_ends_by_engine_time_and_not_by_the_wall_clock(void **state)
{
    guard_options options = {.now_us = now};
    char keys_path[64], policy_path[64];
    policy_principal who;
    mandate_error err = {0};
    guard *g = NULL;
    issuer is;
    arena a;
    buf text;
    (void)state;
    issuer_init(&is);
    arena_init(&a, 0);
    buf_init(&text);
    buf_put_str(&text, "{\"keys\":[");
    assert_int_equal(token_key_put_jwk(&text, is.key[TOKEN_ES256], &err), MANDATE_OK);
    buf_put_str(&text, "]}");
    write_file(keys_path, "keys", &text);
    buf_reset(&text);
    buf_printf(&text,
               "policy: p\nroles: {r: []}\nissuers:\n  - issuer: https://login.example\n    audience: [mandated]\n"
               "    jwks: %s\n    prefix: \"user:\"\n",
               keys_path);
    write_file(policy_path, "policy", &text);
    if (guard_create(&g, policy_path, &options, &err))
        fail_msg("%s", err.text);
    const char *header = arena_printf(&a, "{\"alg\":\"ES256\",\"kid\":\"%.*s\",\"typ\":\"at+jwt\"}%c",
                                      MANDATE_SLICE_ARG(token_key_kid(is.key[TOKEN_ES256])), 0)
                             .ptr;
    mandate_slice token = issuer_sign(&is, TOKEN_ES256, header, PAYLOAD);
    now_us = EXP_S * 1000000 - 1;
    assert_int_equal(login(g, &a, token, &who), MANDATE_OK);
    assert_true(mandate_slice_is(who.name, "user:ann"));
    assert_int_equal(who.until_us, EXP_S * 1000000);
    now_us = EXP_S * 1000000;
    assert_int_equal(login(g, &a, token, &who), MANDATE_DENIED);
    now_us = EXP_S * 1000000 + INT64_C(100) * 365 * 86400 * 1000000;
    assert_int_equal(login(g, &a, token, &who), MANDATE_DENIED);
    guard_destroy(g);
    unlink(keys_path);
    unlink(policy_path);
    buf_deinit(&text);
    arena_deinit(&a);
    issuer_deinit(&is);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guard__a_token_ends_by_engine_time_and_not_by_the_wall_clock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* test_audit - /v1/audit and /v1/backups: what is asked of the service, and in which form it comes back. */
#include "scene.h"

static void test_http_audit__checkpoint_and_key_are_text_and_are_not_kept(void **state)
{
    scene *s = *state;
    scene_ask(s, 200, "GET", "/v1/audit/checkpoint", NULL, NULL);
    assert_string_equal(s->reply.body, "i.example/audit\n0\n");
    assert_contains(s->reply.head, "Content-Type: text/plain; charset=utf-8");
    assert_contains(s->reply.head, "Cache-Control: no-store");
    scene_ask(s, 200, "GET", "/v1/audit/key", NULL, NULL);
    assert_string_equal(s->reply.body, "i.example/audit+00000000+AA==\n");
    scene_ask(s, 405, "POST", "/v1/audit/checkpoint", NULL, NULL);
}

static void test_http_audit__a_tile_is_bytes_that_never_change(void **state)
{
    scene *s = *state;
    scene_ask(s, 200, "GET", "/v1/audit/tile/0/x036/x028/x797/x018/x963/967.p/255", NULL, NULL);
    assert_contains(s->reply.body, "\"what\":0,");
    assert_contains(s->reply.body, "\"path\":\"tile/0/x036/x028/x797/x018/x963/967.p/255\"");
    assert_contains(s->reply.head, "Content-Type: application/octet-stream");
    assert_contains(s->reply.head, "Cache-Control: max-age=31536000, immutable");
    scene_ask(s, 200, "GET", "/v1/audit/tile/entries/000", NULL, NULL);
    assert_contains(s->reply.body, "\"path\":\"tile/entries/000\"");
    s->fake.error = (mandate_error){.status = MANDATE_NOT_FOUND, .text = "not yet"};
    scene_ask(s, 404, "GET", "/v1/audit/tile/entries/001", NULL, NULL);
    assert_contains(s->reply.head, "Content-Type: application/json");
    assert_contains(s->reply.head, "Cache-Control: no-store");
    s->fake.error = (mandate_error){0};
    scene_ask(s, 404, "GET", "/v1/audit/tile", NULL, NULL);
    scene_ask(s, 404, "GET", "/v1/audit/tile/0/x1/x1/x1/x1/x1/x1/x1/x1/000", NULL, NULL); /* more than any path has */
}

static void test_http_audit__proofs_take_numbers(void **state)
{
    scene *s = *state;
    scene_ask(s, 200, "GET", "/v1/audit/proof/inclusion?index=5", NULL, NULL);
    assert_contains(s->reply.body, "\"what\":1,\"index\":5,\"first\":0,\"size\":18446744073709551615");
    scene_ask(s, 200, "GET", "/v1/audit/proof/consistency?first=5&size=9", NULL, NULL);
    assert_contains(s->reply.body, "\"what\":2,\"index\":0,\"first\":5,\"size\":9");
    scene_ask(s, 400, "GET", "/v1/audit/proof/inclusion", NULL, NULL);
    scene_ask(s, 400, "GET", "/v1/audit/proof/inclusion?index=-1", NULL, NULL);
    scene_ask(s, 400, "GET", "/v1/audit/proof/inclusion?index=5x", NULL, NULL);
    scene_ask(s, 400, "GET", "/v1/audit/proof/inclusion?index=18446744073709551616", NULL, NULL);
    scene_ask(s, 400, "GET", "/v1/audit/proof/consistency?size=9", NULL, NULL);
}

static void test_http_audit__entries_pass_filters_on(void **state)
{
    scene *s = *state;
    scene_ask(s, 200, "GET", "/v1/audit/entries?from=7&limit=3&mandate=m%2F1&txn=ab&event=ended", NULL, NULL);
    assert_contains(s->reply.body, "\"mandate\":\"m/1\"");
    assert_contains(s->reply.body, "\"from\":\"7\",\"txn\":\"ab\",\"event\":\"ended\"");
    scene_ask(s, 400, "GET", "/v1/audit/entries?limit=0", NULL, NULL);
    scene_ask(s, 400, "GET", "/v1/audit/entries?since=0", NULL, NULL);
}

static void test_http_backup__takes_a_name_and_nothing_else(void **state)
{
    scene *s = *state;
    scene_ask(s, 201, "POST", "/v1/backups", NULL, "{\"name\":\"monday\"}");
    assert_contains(s->reply.body, "\"id\":\"monday\"");
    scene_ask(s, 400, "POST", "/v1/backups", NULL, "{}");
    scene_ask(s, 400, "POST", "/v1/backups", NULL, "{\"name\":1}");
    scene_ask(s, 400, "POST", "/v1/backups", NULL, "{\"name\":\"a\",\"folder\":\"/\"}");
    scene_ask(s, 400, "POST", "/v1/backups", NULL, NULL);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, scene_setup, scene_teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_http_audit__checkpoint_and_key_are_text_and_are_not_kept),
        CASE(test_http_audit__a_tile_is_bytes_that_never_change),
        CASE(test_http_audit__proofs_take_numbers),
        CASE(test_http_audit__entries_pass_filters_on),
        CASE(test_http_backup__takes_a_name_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

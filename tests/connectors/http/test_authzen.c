/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of AuthZEN: one question, many, and what is an error of which. */
#include <stdio.h>

#include "connectors/http/request.h"
#include "scene.h"

#define SUBJECT "\"subject\":{\"type\":\"agent\",\"id\":\"a-1\"}"
#define ACTION "\"action\":{\"name\":\"contract.sign\",\"properties\":{\"amount_eur\":7}}"
#define RESOURCE "\"resource\":{\"type\":\"crm.account\",\"id\":\"47/11\"}"
#define CONTEXT "\"context\":{\"mandate\":\"m-1\"}"

static void test_http_authzen__a_permit_carries_its_context(void **state)
{
    scene *s = *state;
    scene_ask(s, 200, "POST", "/access/v1/evaluation", "X-Request-ID: req-5\r\n",
              "{" SUBJECT "," ACTION "," RESOURCE "," CONTEXT ",\"later\":{\"versions\":[\"may add\"]}}");
    assert_string_equal(s->fake.checked, "m-1|agent|a-1|contract.sign|crm.account/47/11|{\"amount_eur\":7}");
    assert_string_equal(s->reply.body, "{\"decision\":true,\"context\":{\"reason\":\"ok\",\"text\":\"permitted\","
                                       "\"mandate\":\"m-1\","
                                       "\"state\":\"active\",\"version\":3,\"expires_at\":\"2030-01-31T17:00:00Z\","
                                       "\"as_of\":\"2027-01-15T08:00:00Z\",\"seq\":77}}\n");
    assert_contains(s->reply.head, "\r\nX-Request-ID: req-5\r\n");
}

static void test_http_authzen__a_denial_is_a_200_that_names_the_ancestor(void **state)
{
    scene *s = *state;
    s->fake.verdict = (service_verdict){
        .reason = "mandate_inactive", .text = "an ancestor ended", .state = STATE_CASCADED, .version = 2, .because = "m-0"};
    scene_ask(s, 200, "POST", "/access/v1/evaluation", NULL, "{" SUBJECT "," ACTION "," RESOURCE "," CONTEXT "}");
    assert_contains(s->reply.body, "{\"decision\":false,");
    assert_contains(s->reply.body, "\"state\":\"cascaded\"");
    assert_contains(s->reply.body, "\"because\":\"m-0\"");
}

static void test_http_authzen__without_a_mandate_the_answer_names_the_one_that_was_found(void **state)
{
    scene *s = *state;
    snprintf(s->fake.verdict.found, sizeof(s->fake.verdict.found), "m-9");
    s->fake.verdict.governing = 2;
    scene_ask(s, 200, "POST", "/access/v1/evaluation", NULL, "{" SUBJECT "," ACTION "," RESOURCE "}");
    assert_string_equal(s->fake.checked, "|agent|a-1|contract.sign|crm.account/47/11|{\"amount_eur\":7}");
    assert_contains(s->reply.body, "\"mandate\":\"m-9\",\"governing\":2,\"state\":\"active\"");
}

static void test_http_authzen__malformed_requests_are_400_in_plain_text(void **state)
{
    static const char *const bodies[] = {
        "",
        "[]",
        "{}",
        "{" ACTION "," RESOURCE "," CONTEXT "}",
        "{" SUBJECT "," RESOURCE "," CONTEXT "}",
        "{" SUBJECT "," ACTION "," CONTEXT "}",
        "{" SUBJECT "," ACTION "," RESOURCE ",\"context\":5}",
        "{" SUBJECT "," ACTION "," RESOURCE ",\"context\":{\"mandate\":5}}",
        "{" SUBJECT "," ACTION "," RESOURCE ",\"context\":{\"mandate\":\"\"}}",
        "{\"subject\":\"a\"," ACTION "," RESOURCE "," CONTEXT "}",
        "{\"subject\":{\"type\":\"agent\",\"id\":5}," ACTION "," RESOURCE "," CONTEXT "}",
        "{" SUBJECT ",\"action\":{\"name\":\"x\",\"properties\":[]}," RESOURCE "," CONTEXT "}",
        "{" SUBJECT "," ACTION ",\"resource\":{\"type\":\"a/b\",\"id\":\"c\"}," CONTEXT "}",
        "{" SUBJECT "," SUBJECT "," ACTION "," RESOURCE "," CONTEXT "}",
    };
    scene *s = *state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        scene_ask(s, 400, "POST", "/access/v1/evaluation", NULL, bodies[i]);
        assert_contains(s->reply.head, "Content-Type: text/plain");
        assert_int_not_equal(s->reply.body[0], '{');
    }
    assert_int_equal(s->fake.checks, 0);
}

static void test_http_authzen__the_metadata_points_here(void **state)
{
    static const char *const endpoints[][2] = {{"access_evaluation_endpoint", "evaluation"},
                                               {"access_evaluations_endpoint", "evaluations"},
                                               {"search_subject_endpoint", "search/subject"},
                                               {"search_resource_endpoint", "search/resource"},
                                               {"search_action_endpoint", "search/action"}};
    scene *s = *state;
    char expected[1024];
    unsigned port = http_server_port(s->server);
    scene_ask(s, 200, "GET", "/.well-known/authzen-configuration", NULL, NULL);
    int len = snprintf(expected, sizeof(expected), "{\"policy_decision_point\":\"http://127.0.0.1:%u\"", port);
    for (size_t i = 0; i < sizeof(endpoints) / sizeof(*endpoints); i++)
        len += snprintf(expected + len, sizeof(expected) - (size_t)len, ",\"%s\":\"http://127.0.0.1:%u/access/v1/%s\"",
                        endpoints[i][0], port, endpoints[i][1]);
    snprintf(expected + len, sizeof(expected) - (size_t)len, "}\n");
    assert_string_equal(s->reply.body, expected);
}

/* --- many at once ------------------------------------------------------------------------------- */

static void ask_many(scene *s, int code, const char *body)
{
    scene_ask(s, code, "POST", "/access/v1/evaluations", NULL, body);
}

static uint32_t count_of(const char *text, const char *part)
{
    uint32_t count = 0;
    for (const char *at = text; (at = strstr(at, part)); at += strlen(part))
        count++;
    return count;
}

static void test_http_authzen__items_take_what_they_lack_from_the_request(void **state)
{
    scene *s = *state;
    ask_many(s, 200, "{" SUBJECT "," ACTION "," CONTEXT ",\"evaluations\":[{" RESOURCE "}]}");
    assert_string_equal(s->fake.checked, "m-1|agent|a-1|contract.sign|crm.account/47/11|{\"amount_eur\":7}");
    assert_memory_equal(s->reply.body, "{\"evaluations\":[{\"decision\":true,\"context\":{", 44);
    /* A member of the item stands in its place as a whole: no properties are left of the default. */
    ask_many(s, 200,
             "{" SUBJECT "," ACTION "," RESOURCE "," CONTEXT ",\"evaluations\":[{},{\"action\":{\"name\":\"contract.read\"},"
             "\"context\":{\"mandate\":\"m-2\"},\"subject\":{\"type\":\"agent\",\"id\":\"a-2\"},\"new\":1}]}");
    assert_string_equal(s->fake.checked, "m-2|agent|a-2|contract.read|crm.account/47/11|null");
    assert_int_equal(s->fake.checks, 3);
    assert_int_equal(count_of(s->reply.body, "\"decision\":true"), 2);
    assert_null(strstr(s->reply.body, "]}}"));
}

static void test_http_authzen__a_malformed_item_is_denied_and_the_others_are_answered(void **state)
{
    static const char *const items[] = {"{}",
                                        "5",
                                        "null",
                                        "[]",
                                        "{\"resource\":null}",
                                        "{\"resource\":{\"type\":\"a/b\",\"id\":\"c\"}}",
                                        "{" RESOURCE ",\"subject\":null}",
                                        "{" RESOURCE ",\"context\":{\"mandate\":5}}"};
    scene *s = *state;
    for (size_t i = 0; i < sizeof(items) / sizeof(*items); i++) {
        char body[1024];
        uint32_t before = s->fake.checks;
        snprintf(body, sizeof(body), "{%s,%s,%s,\"evaluations\":[{%s},%s,{%s}]}", SUBJECT, ACTION, CONTEXT, RESOURCE,
                 items[i], RESOURCE);
        ask_many(s, 200, body);
        assert_int_equal(s->fake.checks - before, 2);
        assert_int_equal(count_of(s->reply.body, "\"decision\":true"), 2);
        assert_contains(s->reply.body,
                        "},{\"decision\":false,\"context\":{\"reason\":\"invalid_request\",\"error\":{\"status\":400,"
                        "\"message\":\"");
    }
}

static void test_http_authzen__a_malformed_default_counts_only_where_it_is_used(void **state)
{
    scene *s = *state;
    ask_many(s, 200, "{" SUBJECT "," ACTION "," CONTEXT ",\"resource\":5,\"evaluations\":[{" RESOURCE "},{}]}");
    assert_int_equal(count_of(s->reply.body, "\"decision\":true"), 1);
    assert_int_equal(count_of(s->reply.body, "resource: expected an object"), 1);
}

#define THREE "\"evaluations\":[{" RESOURCE "},5,{" RESOURCE "}]}"
#define HOW(name) \
    "{" SUBJECT "," ACTION "," CONTEXT ",\"options\":{\"evaluations_semantic\":\"" name "\",\"other\":1}," THREE

static void test_http_authzen__the_semantic_says_where_to_stop(void **state)
{
    scene *s = *state;
    ask_many(s, 200, HOW("execute_all"));
    assert_int_equal(count_of(s->reply.body, "\"decision\":"), 3);
    ask_many(s, 200, HOW("deny_on_first_deny")); /* an error denies */
    assert_int_equal(count_of(s->reply.body, "\"decision\":true"), 1);
    assert_int_equal(count_of(s->reply.body, "\"decision\":false"), 1);
    ask_many(s, 200, HOW("permit_on_first_permit"));
    assert_int_equal(count_of(s->reply.body, "\"decision\":"), 1);
    assert_int_equal(s->fake.checks, 4);
    s->fake.verdict.decision = false;
    ask_many(s, 200, HOW("permit_on_first_permit"));
    assert_int_equal(count_of(s->reply.body, "\"decision\":false"), 3);
    ask_many(s, 200, HOW("deny_on_first_deny"));
    assert_int_equal(count_of(s->reply.body, "\"decision\":false"), 1);
}

static void test_http_authzen__without_items_the_request_is_the_question(void **state)
{
    scene *s = *state;
    ask_many(s, 200, "{" SUBJECT "," ACTION "," RESOURCE "," CONTEXT "}");
    assert_contains(s->reply.body, "{\"decision\":true,");
    ask_many(s, 200, "{" SUBJECT "," ACTION "," RESOURCE "," CONTEXT ",\"evaluations\":[]}");
    assert_memory_equal(s->reply.body, "{\"decision\":true,", 17);
    ask_many(s, 400, "{" SUBJECT "," ACTION "," CONTEXT ",\"evaluations\":[]}");
    assert_contains(s->reply.body, "resource: expected an object, got nothing");
    assert_int_equal(s->fake.checks, 2);
}

static void test_http_authzen__what_is_wrong_with_the_whole_is_400_in_plain_text(void **state)
{
    static const char *const bodies[] = {"",
                                         "[]",
                                         "{}",
                                         "{" SUBJECT "," ACTION "," RESOURCE ",\"evaluations\":{}}",
                                         "{" SUBJECT "," ACTION "," RESOURCE ",\"evaluations\":null}",
                                         "{\"options\":5," SUBJECT "," ACTION "," CONTEXT "," THREE,
                                         HOW("Execute_all"),
                                         HOW(""),
                                         "{\"options\":{\"evaluations_semantic\":null}," SUBJECT "," ACTION "," CONTEXT
                                         "," THREE};
    scene *s = *state;
    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        ask_many(s, 400, bodies[i]);
        assert_contains(s->reply.head, "Content-Type: text/plain");
        assert_int_not_equal(s->reply.body[0], '{');
    }
    assert_int_equal(s->fake.checks, 0);
}

static void ask_items(scene *s, int code, uint32_t count)
{
    static char body[LIMIT_HTTP_BODY];
    size_t len = (size_t)snprintf(body, sizeof(body), "{%s,%s,%s,%s,\"evaluations\":[", SUBJECT, ACTION, RESOURCE, CONTEXT);
    for (uint32_t i = 0; i < count; i++)
        len += (size_t)snprintf(body + len, sizeof(body) - len, "%s{}", i ? "," : "");
    snprintf(body + len, sizeof(body) - len, "]}");
    ask_many(s, code, body);
}

static void test_http_authzen__so_many_items_are_answered_and_not_one_more(void **state)
{
    scene *s = *state;
    ask_items(s, 200, LIMIT_EVALUATIONS);
    assert_int_equal(s->fake.checks, LIMIT_EVALUATIONS);
    assert_int_equal(count_of(s->reply.body, "\"decision\":true"), LIMIT_EVALUATIONS);
    ask_items(s, 400, LIMIT_EVALUATIONS + 1);
    assert_contains(s->reply.body, "has 257 items, at most 256");
    assert_int_equal(s->fake.checks, LIMIT_EVALUATIONS);
}

/* --- the request's id, and errors before there is a route --------------------------------------- */

static void test_http_authzen__every_answer_carries_the_requests_id(void **state)
{
    static const struct {
        int code;
        const char *method, *target, *body;
    } asks[] = {{200, "POST", "/access/v1/evaluation", "{" SUBJECT "," ACTION "," RESOURCE "," CONTEXT "}"},
                {400, "POST", "/access/v1/evaluation", "{"},
                {200, "POST", "/access/v1/evaluations", "{" SUBJECT "," ACTION "," RESOURCE ",\"evaluations\":[{}]}"},
                {400, "POST", "/access/v1/evaluations", "5"},
                {400, "POST", "/access/v1/evaluations?x=1", "{}"},
                {405, "GET", "/access/v1/evaluations", NULL},
                {404, "POST", "/access/v1/nothing", "{}"},
                {200, "GET", "/.well-known/authzen-configuration", NULL}};
    scene *s = *state;
    for (size_t i = 0; i < sizeof(asks) / sizeof(*asks); i++) {
        scene_ask(s, asks[i].code, asks[i].method, asks[i].target, "X-Request-ID: bfe9eb29-ab87\r\n", asks[i].body);
        assert_contains(s->reply.head, "\r\nX-Request-ID: bfe9eb29-ab87\r\n");
        if (asks[i].code != 200)
            assert_contains(s->reply.head, "Content-Type: text/plain");
    }
}

static void test_http_authzen__a_request_id_is_bounded_and_printable_or_not_echoed(void **state)
{
    scene *s = *state;
    char header[HTTP_REQUEST_ID_MAX + 32], id[HTTP_REQUEST_ID_MAX + 2];
    memset(id, 'x', sizeof(id));
    snprintf(header, sizeof(header), "X-Request-ID: %.*s\r\n", HTTP_REQUEST_ID_MAX, id);
    scene_ask(s, 200, "GET", "/.well-known/authzen-configuration", header, NULL);
    assert_contains(s->reply.head, header);
    snprintf(header, sizeof(header), "X-Request-ID: %.*s\r\n", HTTP_REQUEST_ID_MAX + 1, id);
    scene_ask(s, 200, "GET", "/.well-known/authzen-configuration", header, NULL);
    assert_null(strstr(s->reply.head, "X-Request-ID"));
    scene_ask(s, 200, "GET", "/.well-known/authzen-configuration", "X-Request-ID: a\xC3\xA9\r\n", NULL);
    assert_null(strstr(s->reply.head, "X-Request-ID"));
    scene_ask(s, 200, "GET", "/.well-known/authzen-configuration", "X-Request-ID: a\x7f\r\n", NULL);
    assert_null(strstr(s->reply.head, "X-Request-ID"));
}

static void test_http_authzen__a_body_too_long_is_told_in_plain_text(void **state)
{
    scene *s = *state;
    char head[160];
    snprintf(head, sizeof(head),
             "POST /access/v1/evaluations HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: r-1\r\nContent-Length: %d\r\n\r\n",
             LIMIT_HTTP_BODY + 1);
    assert_true(peer_send_text(&s->client, head));
    assert_true(peer_read(&s->client, &s->reply, false));
    assert_int_equal(s->reply.code, 413);
    assert_contains(s->reply.head, "Content-Type: text/plain");
    assert_contains(s->reply.head, "\r\nX-Request-ID: r-1\r\n");
    assert_string_equal(s->reply.body, "the request's body is too long\n");
}

static void test_http_authzen__over_tcp_the_caller_is_checked_before_the_question(void **state)
{
    static const struct {
        int code;
        const char *headers;
    } asks[] = {{200, "Host: localhost\r\nContent-Type: application/json\r\n"},
                {400, "Host: localhost\r\nContent-Type: text/plain\r\n"},
                {400, "Host: localhost\r\n"},
                {403, "Host: evil.example\r\nContent-Type: application/json\r\n"},
                {403, "Host: localhost\r\nOrigin: http://evil.example\r\nContent-Type: application/json\r\n"}};
    static const char body[] = "{" SUBJECT "," ACTION "," RESOURCE "," CONTEXT ",\"evaluations\":[{}]}";
    scene *s = *state;
    for (size_t i = 0; i < sizeof(asks) / sizeof(*asks); i++) {
        char text[1024];
        peer_close(&s->client);
        assert_true(peer_open_tcp(&s->client, http_server_port(s->server)));
        snprintf(text, sizeof(text),
                 "POST /access/v1/evaluations HTTP/1.1\r\n%sX-Request-ID: r-2\r\nContent-Length: %zu\r\n\r\n%s",
                 asks[i].headers, strlen(body), body);
        assert_true(peer_send_text(&s->client, text));
        assert_true(peer_read(&s->client, &s->reply, false));
        assert_int_equal(s->reply.code, asks[i].code);
        assert_contains(s->reply.head, "\r\nX-Request-ID: r-2\r\n");
        assert_int_equal(strstr(s->reply.head, "Content-Type: text/plain") != NULL, asks[i].code != 200);
    }
    assert_int_equal(s->fake.checks, 1);
}

/* A connection remembers the route of its last request: it is taken again for the same request line only. */
static void test_http_authzen__a_connection_asks_one_thing_after_another(void **state)
{
    static const char ask[] = "{" SUBJECT "," ACTION "," RESOURCE "," CONTEXT "}";
    scene *s = *state;
    for (int i = 0; i < 2; i++) {
        scene_ask(s, 200, "POST", "/access/v1/evaluation", NULL, ask);
        scene_ask(s, 200, "POST", "/access/v1/evaluation", NULL, ask);
        scene_ask(s, 400, "POST", "/access/v1/evaluation?a=1", NULL, ask);
        scene_ask(s, 405, "GET", "/access/v1/evaluation", NULL, NULL);
        scene_ask(s, 404, "POST", "/access/v1/evaluation/", NULL, ask);
        scene_ask(s, 200, "POST", "/access/v1/%65valuation", NULL, ask);
        scene_ask(s, 404, "POST", "/access/v1/evaluatio", NULL, ask);
        scene_ask(s, 200, "POST", "/access/v1/evaluations", NULL, ask);
    }
    assert_int_equal(s->fake.checks, 8);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_http_authzen__a_permit_carries_its_context),
        TEST(test_http_authzen__a_denial_is_a_200_that_names_the_ancestor),
        TEST(test_http_authzen__without_a_mandate_the_answer_names_the_one_that_was_found),
        TEST(test_http_authzen__malformed_requests_are_400_in_plain_text),
        TEST(test_http_authzen__the_metadata_points_here),
        TEST(test_http_authzen__items_take_what_they_lack_from_the_request),
        TEST(test_http_authzen__a_malformed_item_is_denied_and_the_others_are_answered),
        TEST(test_http_authzen__a_malformed_default_counts_only_where_it_is_used),
        TEST(test_http_authzen__the_semantic_says_where_to_stop),
        TEST(test_http_authzen__without_items_the_request_is_the_question),
        TEST(test_http_authzen__what_is_wrong_with_the_whole_is_400_in_plain_text),
        TEST(test_http_authzen__so_many_items_are_answered_and_not_one_more),
        TEST(test_http_authzen__every_answer_carries_the_requests_id),
        TEST(test_http_authzen__a_request_id_is_bounded_and_printable_or_not_echoed),
        TEST(test_http_authzen__a_body_too_long_is_told_in_plain_text),
        TEST(test_http_authzen__a_connection_asks_one_thing_after_another),
        TEST(test_http_authzen__over_tcp_the_caller_is_checked_before_the_question),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

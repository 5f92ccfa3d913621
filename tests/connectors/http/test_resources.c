/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the resources: what the service is asked, and what goes back. */
#include <stdio.h>
#include <unistd.h>

#include "scene.h"

static const char claims_text[] = "{\"id\":\"m-1\",\"grantor\":\"g\",\"agent\":\"a\",\"purpose\":"
                                  "\"p\",\"scope\":{\"actions\":[\"x\"],\"resources\":[\"*\"]},"
                                  "\"expires_at\":\"2030-01-01T00:00:00Z\"}";

static void test_http_mandates__issuing_answers_201_with_a_location_and_our_issuer(void **state)
{
    scene *s = *state;
    scene_ask(s, 201, "POST", "/v1/mandates", NULL, claims_text);
    assert_contains(s->reply.head, "\r\nLocation: /v1/mandates/m-1\r\n");
    assert_contains(s->reply.head, "\r\nContent-Type: application/json\r\n");
    assert_contains(s->reply.body, "\"kind\":\"issue\"");
    assert_contains(s->reply.body, "\"issuer\":\"https://issuer.test\"");
}

static void test_http_mandates__issuing_the_same_again_answers_200(void **state)
{
    scene *s = *state;
    s->fake.repeated = true;
    scene_ask(s, 200, "POST", "/v1/mandates", NULL, claims_text);
}

static void test_http_mandates__linting_issues_nothing_and_fills_in_what_is_missing(void **state)
{
    scene *s = *state;
    scene_ask(s, 200, "POST", "/v1/mandates/lint", NULL, claims_text);
    assert_contains(s->reply.body, "\"of\":\"m-1 by https://issuer.test\"");
    assert_contains(s->reply.head, "\r\nContent-Type: application/json\r\n");
    scene_ask(s, 400, "POST", "/v1/mandates/lint", NULL, "{\"whlie\":\"true\"}");
    assert_contains(s->reply.body, "did you mean");
    scene_ask(s, 400, "POST", "/v1/mandates/lint", NULL, "[");
}

static void test_http_mandates__a_backtest_names_mandates_and_times(void **state)
{
    scene *s = *state;
    char body[2048];
    snprintf(body, sizeof(body), "{\"mandates\":[%s],\"from\":\"2026-01-01T00:00:00Z\"}", claims_text);
    scene_ask(s, 200, "POST", "/v1/mandates/backtest", NULL, body);
    assert_contains(s->reply.body, "\"kind\":\"backtest\"");
    assert_contains(s->reply.body, "\"count\":1,\"first\":\"m-1\",\"from\":\"2026-01-01T00:00:00Z\"");
    scene_ask(s, 400, "POST", "/v1/mandates/backtest", NULL, "{\"mandates\":[],\"from\":\"2026-01-01T00:00:00Z\"}");
    snprintf(body, sizeof(body), "{\"mandates\":[%s]}", claims_text);
    scene_ask(s, 400, "POST", "/v1/mandates/backtest", NULL, body);
    assert_contains(s->reply.body, "from: expected a time");
    snprintf(body, sizeof(body), "{\"mandates\":[%s,{\"whlie\":1}],\"from\":\"2026-01-01T00:00:00Z\"}", claims_text);
    scene_ask(s, 400, "POST", "/v1/mandates/backtest", NULL, body);
    assert_contains(s->reply.body, "mandates[1]");
}

static void test_http_mandates__a_mandate_without_an_id_gets_a_new_one_each_time(void **state)
{
    scene *s = *state;
    char first[64];
    const char *body = "{\"grantor\":\"g\",\"agent\":\"a\",\"purpose\":\"p\",\"scope\":{\"actions\":[\"x\"],"
                       "\"resources\":[\"*\"]},\"expires_at\":\"2030-01-01T00:00:00Z\"}";
    scene_ask(s, 201, "POST", "/v1/mandates", NULL, body);
    const char *at = strstr(s->reply.body, "\"mandate\":\"m-");
    assert_non_null(at);
    at += strlen("\"mandate\":\"");
    assert_int_equal(strspn(at + 2, "abcdefghijklmnopqrstuvwxyz234567"), 26);
    assert_int_equal(at[28], '"');
    snprintf(first, sizeof(first), "%.28s", at);
    scene_ask(s, 201, "POST", "/v1/mandates", NULL, body);
    assert_null(strstr(s->reply.body, first));
}

static void test_http_mandates__bad_claims_never_reach_the_service(void **state)
{
    scene *s = *state;
    scene_ask(s, 400, "POST", "/v1/mandates", NULL, "{\"whlie\":\"true\"}");
    assert_string_equal(s->reply.body,
                        "{\"error\":{\"status\":\"invalid\",\"message\":\"unknown member \\\"whlie\\\" in the "
                        "mandate; did you mean \\\"while\\\"?\"}}\n");
    scene_ask(s, 400, "POST", "/v1/mandates", NULL, "{\n \"id\": }");
    assert_contains(s->reply.body, "\"line\":2,\"column\":");
    scene_ask(s, 400, "POST", "/v1/mandates", NULL, "");
    scene_ask(s, 400, "POST", "/v1/mandates", NULL, "{\"expires_at\":\"2030-01-01T00:00:00Z\"}");
    assert_int_equal(s->fake.submits, 0);
}

static void test_http_mandates__listing_passes_filters_on_and_bounds_the_page(void **state)
{
    scene *s = *state;
    scene_ask(s, 200, "GET", "/v1/mandates", NULL, NULL);
    assert_string_equal(s->reply.body, "{\"kind\":\"list\",\"state\":\"none\",\"limit\":100}");
    scene_ask(s, 200, "GET", "/v1/mandates?state=active&agent=agent%3Aa+b&parent=m%2F0&limit=1000&after=m-7", NULL, NULL);
    assert_string_equal(s->reply.body, "{\"kind\":\"list\",\"agent\":\"agent:a b\",\"parent\":\"m/0\",\"after\":\"m-7\","
                                       "\"state\":\"active\",\"limit\":1000}");
    scene_ask(s, 400, "GET", "/v1/mandates?limit=0", NULL, NULL);
    scene_ask(s, 400, "GET", "/v1/mandates?limit=1001", NULL, NULL);
    scene_ask(s, 400, "GET", "/v1/mandates?limit=99999999999999999999", NULL, NULL);
    scene_ask(s, 400, "GET", "/v1/mandates?limit=-1", NULL, NULL);
    scene_ask(s, 400, "GET", "/v1/mandates?state=dead", NULL, NULL);
    scene_ask(s, 400, "GET", "/v1/mandates?stat=active", NULL, NULL);
    assert_contains(s->reply.body, "unknown query parameter");
    scene_ask(s, 400, "GET", "/v1/mandates?agent=a&agent=b", NULL, NULL);
    assert_contains(s->reply.body, "given twice");
}

static void test_http_mandate__each_command_carries_its_reason_and_who_asks(void **state)
{
    static const char *const verbs[] = {"revoke", "suspend", "resume", "return"};
    scene *s = *state;
    for (size_t i = 0; i < 4; i++) {
        char target[64], expected[160];
        snprintf(target, sizeof(target), "/v1/mandates/m-1/%s", verbs[i]);
        snprintf(expected, sizeof(expected),
                 "{\"kind\":\"%s\",\"mandate\":\"m-1\",\"principal\":\"uid:%u\",\"note\":\"enough\"}", verbs[i],
                 (unsigned)getuid());
        scene_ask(s, 200, "POST", target, NULL, "{\"reason\":\"enough\"}");
        assert_string_equal(s->reply.body, expected);
        scene_ask(s, 200, "POST", target, NULL, NULL);
        scene_ask(s, 400, "POST", target, NULL, "{\"raeson\":\"enough\"}");
        scene_ask(s, 400, "POST", target, NULL, "{\"reason\":5}");
        scene_ask(s, 400, "POST", target, NULL, "[]");
        scene_ask(s, 200, "POST", target, NULL, "{\"if_version\":4294967295}");
        assert_contains(s->reply.body, ",\"if_version\":4294967295}");
        scene_ask(s, 400, "POST", target, NULL, "{\"if_version\":0}");
        scene_ask(s, 400, "POST", target, NULL, "{\"if_version\":4294967296}");
        scene_ask(s, 400, "POST", target, NULL, "{\"if_version\":\"1\"}");
        scene_ask(s, i == 1 ? 200 : 400, "POST", target, NULL, "{\"until\":\"2030-01-01T00:00:00Z\"}");
    }
}

static void test_http_mandate__suspending_may_name_the_time_it_ends(void **state)
{
    scene *s = *state;
    scene_ask(s, 200, "POST", "/v1/mandates/m-1/suspend", NULL, "{\"until\":\"2030-01-01T00:00:00Z\"}");
    assert_contains(s->reply.body, "\"until\":1893456000000000}");
    scene_ask(s, 200, "POST", "/v1/mandates/m-1/suspend", NULL, "{\"until\":null}");
    scene_ask(s, 400, "POST", "/v1/mandates/m-1/suspend", NULL, "{\"until\":\"tomorrow\"}");
    assert_contains(s->reply.body, "until: expected a time to come");
    scene_ask(s, 400, "POST", "/v1/mandates/m-1/suspend", NULL, "{\"until\":1893456000}");
    scene_ask(s, 400, "POST", "/v1/mandates/m-1/suspend", NULL, "{\"until\":\"1969-01-01T00:00:00Z\"}");
}

static void test_http_mandate__delegating_says_what_differs_and_answers_201_with_a_location(void **state)
{
    scene *s = *state;
    scene_ask(s, 201, "POST", "/v1/mandates/m-1/delegate", NULL,
              "{\"id\":\"m/2\",\"agent\":\"a\",\"scope\":{\"limits\":{\"n\":1}}}");
    assert_contains(s->reply.head, "\r\nLocation: /v1/mandates/m%2F2\r\n");
    assert_contains(s->reply.body, "{\"kind\":\"delegate\",\"mandate\":\"m-1\",\"principal\":\"");
    assert_contains(s->reply.body, "\"claims\":{\"id\":\"m/2\",\"agent\":\"a\",\"scope\":");
    scene_ask(s, 201, "POST", "/v1/mandates/m-1/delegate", NULL, "{\"agent\":\"a\"}");
    assert_contains(s->reply.head, "\r\nLocation: /v1/mandates/m-");
    s->fake.repeated = true;
    scene_ask(s, 200, "POST", "/v1/mandates/m-1/delegate", NULL, "{\"agent\":\"a\"}");
    scene_ask(s, 400, "POST", "/v1/mandates/m-1/delegate", NULL, "{}");
    assert_contains(s->reply.body, "agent: is missing");
    scene_ask(s, 400, "POST", "/v1/mandates/m-1/delegate", NULL, "{\"agent\":\"a\",\"limits\":{}}");
    scene_ask(s, 400, "POST", "/v1/mandates/m-1/delegate", NULL, "{\"agent\":\"a b\"}");
    scene_ask(s, 400, "POST", "/v1/mandates/m-1/delegate", NULL, "{\"agent\":\"a\",\"params\":{\"n\":9007199254740993}}");
    scene_ask(s, 400, "POST", "/v1/mandates/m-1/delegate", NULL, NULL);
}

static void test_http_mandate__amending_says_what_changes_and_how(void **state)
{
    scene *s = *state;
    scene_ask(
        s, 200, "POST", "/v1/mandates/m-1/amend", NULL,
        "{\"change\":{\"scope\":{\"limits\":{\"n\":1}}},\"if_version\":3,\"reason\":\"r\",\"widen\":true,\"cascade\":true}");
    assert_contains(s->reply.body, "{\"kind\":\"amend\",\"mandate\":\"m-1\",\"principal\":\"");
    assert_contains(s->reply.body, "\"note\":\"r\",\"if_version\":3,\"widen\":true,\"cascade\":true,\"claims\":{");
    scene_ask(s, 200, "POST", "/v1/mandates/m-1/amend", NULL,
              "{\"change\":{\"expires_at\":\"2030-01-01T00:00:00Z\"},\"widen\":null}");
    assert_null(strstr(s->reply.body, "widen"));
    scene_ask(s, 400, "POST", "/v1/mandates/m-1/amend", NULL, "{}");
    assert_contains(s->reply.body, "change: is missing");
    scene_ask(s, 400, "POST", "/v1/mandates/m-1/amend", NULL, "[]");
    scene_ask(s, 400, "POST", "/v1/mandates/m-1/amend", NULL, "{\"change\":[]}");
    scene_ask(s, 400, "POST", "/v1/mandates/m-1/amend", NULL, "{\"change\":{\"issued_at\":\"2030-01-01T00:00:00Z\"}}");
    scene_ask(s, 400, "POST", "/v1/mandates/m-1/amend", NULL, "{\"change\":{},\"widen\":1}");
    scene_ask(s, 400, "POST", "/v1/mandates/m-1/amend", NULL, "{\"change\":{},\"if_version\":\"1\"}");
    scene_ask(s, 400, "POST", "/v1/mandates/m-1/amend", NULL, "{\"change\":{},\"force\":true}");
}

static void test_http_mandate__spending_and_giving_back_name_a_key(void **state)
{
    static const char *const wrong[] = {"{}",
                                        "[]",
                                        "{\"name\":\"eur\",\"amount\":5}",
                                        "{\"name\":\"eur\",\"key\":\"k\"}",
                                        "{\"amount\":5,\"key\":\"k\"}",
                                        "{\"name\":\"eur\",\"amount\":1.5,\"key\":\"k\"}",
                                        "{\"name\":\"eur\",\"amount\":\"1e3\",\"key\":\"k\"}",
                                        "{\"name\":\"eur\",\"amount\":-1,\"key\":\"k\"}",
                                        "{\"name\":\"eur\",\"amount\":5,\"key\":\"a b\"}",
                                        "{\"name\":\"eur\",\"amount\":5,\"key\":7}"};
    scene *s = *state;
    scene_ask(s, 200, "POST", "/v1/mandates/m-1/spend", NULL, "{\"name\":\"eur\",\"amount\":\"1.50\",\"key\":\"k\"}");
    assert_contains(s->reply.body, "{\"kind\":\"spend\",\"mandate\":\"m-1\",\"principal\":\"");
    assert_contains(s->reply.body, "\"budget\":\"eur\",\"key\":\"k\",\"amount\":\"1.5\"");
    scene_ask(s, 200, "POST", "/v1/mandates/m-1/unspend", NULL, "{\"key\":\"k\",\"reason\":\"r\"}");
    assert_contains(s->reply.body, "{\"kind\":\"unspend\"");
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        scene_ask(s, 400, "POST", "/v1/mandates/m-1/spend", NULL, wrong[i]);
    scene_ask(s, 400, "POST", "/v1/mandates/m-1/unspend", NULL, "{\"key\":\"k\",\"amount\":5}");
}

static void test_http_mandate__a_reason_is_kept_up_to_its_limit(void **state)
{
    scene *s = *state;
    char body[LIMIT_REASON + 64], reason[LIMIT_REASON + 2];
    memset(reason, 'x', sizeof(reason));
    snprintf(body, sizeof(body), "{\"reason\":\"%.*s\"}", LIMIT_REASON, reason);
    scene_ask(s, 200, "POST", "/v1/mandates/m-1/revoke", NULL, body);
    snprintf(body, sizeof(body), "{\"reason\":\"%.*s\"}", LIMIT_REASON + 1, reason);
    scene_ask(s, 400, "POST", "/v1/mandates/m-1/revoke", NULL, body);
}

static void test_http_mandate__get_and_explain_ask_about_the_decoded_id(void **state)
{
    scene *s = *state;
    scene_ask(s, 200, "GET", "/v1/mandates/a%2Fb%20c%C3%A9", NULL, NULL);
    assert_string_equal(s->reply.body, "{\"kind\":\"get\",\"mandate\":\"a/b c\xC3\xA9\"}");
    scene_ask(s, 200, "GET", "/v1/mandates/m-1/explain", NULL, NULL);
    assert_string_equal(s->reply.body, "{\"kind\":\"explain\",\"mandate\":\"m-1\"}");
    scene_ask(s, 200, "HEAD", "/v1/mandates/m-1", NULL, NULL);
    scene_ask(s, 200, "GET", "/v1/mandates/m-1/token", NULL, NULL);
    assert_string_equal(s->reply.body, "{\"kind\":\"token\",\"mandate\":\"m-1\"}");
    scene_ask(s, 200, "GET", "/.well-known/jwks.json", NULL, NULL);
    assert_string_equal(s->reply.body, "{\"keys\":[]}");
}

static void test_http_status__a_list_is_a_token_that_may_be_kept_for_its_ttl(void **state)
{
    scene *s = *state;
    static const char *const none[] = {"/status/",   "/status/x",       "/status/-1",
                                       "/status/01", "/status/1234567", "/status/1/2"};
    scene_ask(s, 200, "GET", "/status/0", NULL, NULL);
    assert_string_equal(s->reply.body, "{\"kind\":\"status_list\",\"list\":0}");
    assert_contains(s->reply.head, "Content-Type: application/statuslist+jwt");
    assert_contains(s->reply.head, "Cache-Control: max-age=5\r\n");
    scene_ask(s, 200, "GET", "/status/511", NULL, NULL);
    assert_contains(s->reply.body, "\"list\":511}");
    for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
        scene_ask(s, 404, "GET", none[i], NULL, NULL);
    s->fake.error = (mandate_error){.status = MANDATE_UNAVAILABLE, .text = "stale"};
    scene_ask(s, 503, "GET", "/status/0", NULL, NULL);
    assert_contains(s->reply.head, "Cache-Control: no-store");
    s->fake.error = (mandate_error){0};
}

static void test_http_mandates__a_number_that_cannot_be_signed_is_refused_before_it_exists(void **state)
{
    scene *s = *state;
    scene_ask(s, 400, "POST", "/v1/mandates", NULL,
              "{\"id\":\"m-1\",\"grantor\":\"g\",\"agent\":\"a\",\"purpose\":\"p\",\"scope\":{\"actions\":[\"x\"],"
              "\"resources\":[\"*\"]},\"params\":{\"n\":9007199254740993},\"expires_at\":\"2030-01-01T00:00:00Z\"}");
    assert_non_null(strstr(s->reply.body, "write it as a string"));
}

static void test_http_decisions__are_listed_read_and_answered(void **state)
{
    scene *s = *state;
    scene_ask(s, 200, "GET", "/v1/decisions?state=open&limit=7&after=d-3", NULL, NULL);
    assert_string_equal(s->reply.body, "{\"kind\":\"decision_list\",\"after\":\"d-3\",\"state\":\"open\",\"limit\":7}");
    scene_ask(s, 200, "GET", "/v1/decisions", NULL, NULL);
    assert_contains(s->reply.body, "\"state\":\"any\",\"limit\":100");
    scene_ask(s, 400, "GET", "/v1/decisions?state=maybe", NULL, NULL);
    assert_contains(s->reply.body, "open, permitted, refused or expired");
    scene_ask(s, 200, "GET", "/v1/decisions/d-1", NULL, NULL);
    assert_string_equal(s->reply.body, "{\"kind\":\"decision_get\",\"mandate\":\"d-1\"}");
    scene_ask(s, 200, "POST", "/v1/decisions/d-1/permit", NULL, "{\"note\":\"seen\",\"valid_for\":\"2m\"}");
    assert_contains(s->reply.body, "{\"kind\":\"decide\",\"mandate\":\"d-1\",\"principal\":\"");
    assert_contains(s->reply.body, "\"note\":\"seen\",\"permit\":1,\"lasts_us\":120000000}");
    scene_ask(s, 200, "POST", "/v1/decisions/d-1/refuse", NULL, "");
    assert_contains(s->reply.body, "\"permit\":0,\"lasts_us\":0}");
    scene_ask(s, 400, "POST", "/v1/decisions/d-1/refuse", NULL, "{\"valid_for\":\"2m\"}"); /* a refusal has no such thing */
    scene_ask(s, 400, "POST", "/v1/decisions/d-1/permit", NULL, "{\"valid_for\":\"999ms\"}");
    scene_ask(s, 400, "POST", "/v1/decisions/d-1/permit", NULL, "{\"valid_for\":\"721h\"}");
    scene_ask(s, 400, "POST", "/v1/decisions/d-1/permit", NULL, "{\"note\":7}");
    scene_ask(s, 405, "POST", "/v1/decisions", NULL, "{}"); /* nobody asks here */
}

static void test_http_watches__are_created_listed_read_and_removed(void **state)
{
    scene *s = *state;
    scene_ask(s, 201, "POST", "/v1/watches", NULL, "{\"id\":\"w/1\",\"condition\":\"true\"}");
    assert_contains(s->reply.body, "{\"kind\":\"watch\",\"mandate\":\"w/1\",\"principal\":\"");
    assert_contains(s->reply.body, "\"condition\":\"true\"");
    assert_contains(s->reply.head, "/v1/watches/w%2F1\r\n");
    s->fake.repeated = true;
    scene_ask(s, 200, "POST", "/v1/watches", NULL, "{\"condition\":\"true\"}");
    assert_contains(s->reply.body, "\"mandate\":\"w-"); /* named by us */
    scene_ask(s, 200, "GET", "/v1/watches?limit=7&after=w-3", NULL, NULL);
    assert_string_equal(s->reply.body, "{\"kind\":\"watch_list\",\"after\":\"w-3\",\"limit\":7}");
    scene_ask(s, 200, "GET", "/v1/watches", NULL, NULL);
    assert_contains(s->reply.body, "\"limit\":100");
    scene_ask(s, 200, "GET", "/v1/watches/w%2F1", NULL, NULL);
    assert_string_equal(s->reply.body, "{\"kind\":\"watch_get\",\"mandate\":\"w/1\"}");
    scene_ask(s, 200, "DELETE", "/v1/watches/w%2F1", NULL, NULL);
    assert_contains(s->reply.body, "{\"kind\":\"unwatch\",\"mandate\":\"w/1\",\"principal\":\"");
}

static void test_http_watches__what_is_no_watch_is_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "[]",
                                      "{\"id\":\"w\"}",
                                      "{\"condition\":5}",
                                      "{\"id\":5,\"condition\":\"true\"}",
                                      "{\"id\":\"a b\",\"condition\":\"true\"}",
                                      "{\"id\":\"w\",\"condition\":\"\"}",
                                      "{\"id\":\"w\",\"condition\":\"true\",\"x\":1}"};
    scene *s = *state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        scene_ask(s, 400, "POST", "/v1/watches", NULL, bad[i]);
    assert_int_equal(s->fake.submits, 0);
    scene_ask(s, 400, "GET", "/v1/watches?limit=0", NULL, NULL);
    scene_ask(s, 405, "DELETE", "/v1/watches", NULL, NULL);
}

static void test_http_graph__entities_and_connectors(void **state)
{
    scene *s = *state;
    scene_ask(s, 200, "GET", "/v1/entities/crm.conversation/R%2F42", NULL, NULL);
    assert_string_equal(s->reply.body, "{\"kind\":\"entity\",\"type\":\"crm.conversation\",\"id\":\"R/42\"}");
    scene_ask(s, 200, "GET", "/v1/connectors", NULL, NULL);
    assert_contains(s->reply.body, "\"lag_records\":3");
    scene_ask(s, 200, "POST", "/v1/connectors/crm/clear", NULL, NULL);
    assert_string_equal(s->reply.body, "{\"connector\":\"crm\",\"cleared\":true}\n");
    scene_ask(s, 404, "POST", "/v1/connectors/erp/clear", NULL, NULL);
    assert_contains(s->reply.body, "no connector \\\"erp\\\"");
}

static void test_http_graph__a_replay_names_where_it_begins(void **state)
{
    scene *s = *state;
    scene_ask(s, 202, "POST", "/v1/connectors/crm/replay", NULL, "{\"from\":\"beginning\"}");
    assert_string_equal(s->reply.body, "{\"connector\":\"crm\",\"from\":\"beginning\"}\n");
    scene_ask(s, 400, "POST", "/v1/connectors/crm/replay", NULL, NULL);
    scene_ask(s, 400, "POST", "/v1/connectors/crm/replay", NULL, "{\"from\":7}");
    scene_ask(s, 400, "POST", "/v1/connectors/crm/replay", NULL, "{\"from\":\"beginning\",\"to\":\"end\"}");
    scene_ask(s, 409, "POST", "/v1/connectors/crm/replay", NULL, "{\"from\":\"t/0@1\"}");
    scene_ask(s, 404, "POST", "/v1/connectors/erp/replay", NULL, "{\"from\":\"beginning\"}");
}

static void test_http_health__says_whether_it_is_ready(void **state)
{
    scene *s = *state;
    scene_ask(s, 200, "GET", "/healthz", NULL, NULL);
    scene_ask(s, 200, "GET", "/readyz", NULL, NULL);
    s->fake.ready = false;
    scene_ask(s, 503, "GET", "/readyz", NULL, NULL);
    assert_contains(s->reply.body, "recovering");
    scene_ask(s, 200, "GET", "/metrics", NULL, NULL);
    assert_contains(s->reply.head, "Content-Type: text/plain; version=0.0.4");
    assert_contains(s->reply.body, "mandated_fake 1\n");
    assert_contains(s->reply.body, "mandated_http_responses_total{code=\"5xx\"} 1\n");
    assert_contains(s->reply.body, "mandated_http_requests_active 1\n");
    scene_ask(s, 200, "GET", "/openapi.yaml", NULL, NULL);
    assert_contains(s->reply.body, "openapi: 3.1.0");
}

/* --- errors ----------------------------------------------------------------------------------- */

static void test_http_errors__each_status_has_its_code(void **state)
{
    static const struct {
        mandate_status status;
        int code;
    } cases[] = {
        {MANDATE_INVALID, 400},  {MANDATE_LIMIT, 400}, {MANDATE_NOT_FOUND, 404},   {MANDATE_CONFLICT, 409},
        {MANDATE_DENIED, 403},   {MANDATE_NOMEM, 500}, {MANDATE_UNSUPPORTED, 501}, {MANDATE_UNAVAILABLE, 503},
        {MANDATE_SHUTDOWN, 503}, {MANDATE_IO, 500},    {MANDATE_CORRUPT, 500},
    };
    scene *s = *state;
    assert_int_equal(sizeof(cases) / sizeof(*cases), MANDATE_STATUS_COUNT - 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char expected[128];
        fake_set_error(&s->fake, cases[i].status, "it says \"no\"", 0, 0);
        scene_ask(s, cases[i].code, "GET", "/v1/mandates/m-1", NULL, NULL);
        snprintf(expected, sizeof(expected), "{\"error\":{\"status\":\"%s\",\"message\":\"it says \\\"no\\\"\"}}\n",
                 mandate_status_name(cases[i].status));
        assert_string_equal(s->reply.body, expected);
        assert_int_equal(strstr(s->reply.head, "\r\nRetry-After: 1\r\n") != NULL, cases[i].code == 503);
    }
}

static void test_http_errors__a_position_is_passed_on(void **state)
{
    scene *s = *state;
    fake_set_error(&s->fake, MANDATE_INVALID, "expected an operand", 2, 17);
    scene_ask(s, 400, "POST", "/v1/mandates", NULL, claims_text);
    assert_contains(s->reply.body, ",\"line\":2,\"column\":17}}");
}

static void test_http_errors__unknown_paths_and_methods(void **state)
{
    static const char *const unknown[] = {"/",
                                          "/v1",
                                          "/v1/mandates/",
                                          "/v1//mandates",
                                          "/v2/mandates",
                                          "/v1/mandates/m/x",
                                          "/v1/mandates/m/explain/x",
                                          "/a/b/c/d/e/f/g/h",
                                          "//"};
    scene *s = *state;
    for (size_t i = 0; i < sizeof(unknown) / sizeof(*unknown); i++)
        scene_ask(s, 404, "GET", unknown[i], NULL, NULL);
    scene_ask(s, 405, "DELETE", "/v1/mandates", NULL, NULL);
    assert_contains(s->reply.head, "\r\nAllow: POST, GET, HEAD\r\n");
    scene_ask(s, 405, "GET", "/v1/mandates/m/revoke", NULL, NULL);
    assert_contains(s->reply.head, "\r\nAllow: POST\r\n");
    scene_ask(s, 405, "BREW", "/healthz", NULL, NULL);
    assert_int_equal(s->fake.submits, 0);
}

static void test_http_errors__a_full_queue_asks_to_come_back(void **state)
{
    scene *s = *state;
    fake_set_mode(&s->fake, FAKE_FULL);
    scene_ask(s, 503, "GET", "/v1/mandates/m-1", NULL, NULL);
    assert_contains(s->reply.head, "\r\nRetry-After: 1\r\n");
    assert_contains(s->reply.body, "\"status\":\"unavailable\"");
    fake_set_mode(&s->fake, FAKE_NOW);
    scene_ask(s, 200, "GET", "/v1/mandates/m-1", NULL, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_http_mandates__issuing_answers_201_with_a_location_and_our_issuer),
        TEST(test_http_mandates__issuing_the_same_again_answers_200),
        TEST(test_http_mandates__linting_issues_nothing_and_fills_in_what_is_missing),
        TEST(test_http_mandates__a_backtest_names_mandates_and_times),
        TEST(test_http_mandates__a_mandate_without_an_id_gets_a_new_one_each_time),
        TEST(test_http_mandates__bad_claims_never_reach_the_service),
        TEST(test_http_mandates__listing_passes_filters_on_and_bounds_the_page),
        TEST(test_http_mandate__each_command_carries_its_reason_and_who_asks),
        TEST(test_http_mandate__suspending_may_name_the_time_it_ends),
        TEST(test_http_mandate__a_reason_is_kept_up_to_its_limit),
        TEST(test_http_mandate__spending_and_giving_back_name_a_key),
        TEST(test_http_mandate__amending_says_what_changes_and_how),
        TEST(test_http_mandate__delegating_says_what_differs_and_answers_201_with_a_location),
        TEST(test_http_mandate__get_and_explain_ask_about_the_decoded_id),
        TEST(test_http_status__a_list_is_a_token_that_may_be_kept_for_its_ttl),
        TEST(test_http_mandates__a_number_that_cannot_be_signed_is_refused_before_it_exists),
        TEST(test_http_decisions__are_listed_read_and_answered),
        TEST(test_http_watches__are_created_listed_read_and_removed),
        TEST(test_http_watches__what_is_no_watch_is_refused),
        TEST(test_http_graph__entities_and_connectors),
        TEST(test_http_graph__a_replay_names_where_it_begins),
        TEST(test_http_health__says_whether_it_is_ready),
        TEST(test_http_errors__each_status_has_its_code),
        TEST(test_http_errors__a_position_is_passed_on),
        TEST(test_http_errors__unknown_paths_and_methods),
        TEST(test_http_errors__a_full_queue_asks_to_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of what a check may carry beside the question: a digest of its parameters, an idempotency key, a position that the
 * answer must not be older than, several mandates; and of what its kind asks for. Decisions are the fake service's.
 */
#include <stdio.h>

#include "connectors/http/request.h"
#include "scene.h"

#define SUBJECT "\"subject\":{\"type\":\"agent\",\"id\":\"a-1\"}"
#define RESOURCE "\"resource\":{\"type\":\"order\",\"id\":\"7\"}"
/* printf '{"amount":7}' | sha256sum, base64url */
#define DIGEST "sha-256:-2YyvWZR_zV0dFfX1qqz9dkf-FIfWnn3OCxBLaXvCBs"

static void ask(scene *s, int code, const char *properties, const char *context)
{
    char body[4096];
    snprintf(body, sizeof(body),
             "{" SUBJECT ",\"action\":{\"name\":\"pay\",\"properties\":{%s}}," RESOURCE ",\"context\":{%s}}", properties,
             context);
    scene_ask(s, code, "POST", "/access/v1/evaluation", NULL, body);
}

/* --- parameters ------------------------------------------------------------------------------------------------- */
static void test_http_checks__parameters_have_a_digest_that_is_compared_and_echoed(void **state)
{
    scene *s = *state;
    ask(s, 200, "\"parameters\":{\"amount\":7}", "\"mandate\":\"m\"");
    assert_string_equal(s->fake.checked, "m|agent|a-1|pay|order/7|{\"amount\":7}");
    assert_contains(s->reply.body, "\"conditions\":{\"parameter_digest\":\"" DIGEST "\"}");
    ask(s, 200, "\"parameters\":{ \"amount\" : 7.0 },\"parameter_digest\":\"" DIGEST "\"", "\"mandate\":\"m\"");
    ask(s, 400, "\"parameters\":{\"amount\":8},\"parameter_digest\":\"" DIGEST "\"", "\"mandate\":\"m\"");
    assert_contains(s->reply.body, "but the parameters have sha-256:");
    ask(s, 400, "\"amount\":7,\"parameter_digest\":\"" DIGEST "\"", "\"mandate\":\"m\"");
    ask(s, 400, "\"parameters\":[7]", "\"mandate\":\"m\"");
    ask(s, 400, "\"parameters\":{\"n\":9007199254740993}", "\"mandate\":\"m\""); /* has no canonical form */
    ask(s, 200, "\"amount\":7", "\"mandate\":\"m\"");                            /* as ever: no digest, no cost */
    assert_null(strstr(s->reply.body, "parameter_digest"));
}

/* --- idempotency ------------------------------------------------------------------------------------------------ */
#define KEY "\"idempotency_key\":\"k-1\""

static void test_http_checks__the_same_key_and_question_gives_the_same_answer(void **state)
{
    scene *s = *state;
    char first[2048];
    ask(s, 200, "\"parameters\":{\"amount\":7}," KEY, "\"mandate\":\"m\"");
    snprintf(first, sizeof(first), "%.*s", (int)strlen(s->reply.body) - 3, s->reply.body);
    assert_null(strstr(s->reply.body, "duplicate"));
    s->fake.verdict.seq = 99;
    ask(s, 200, "\"parameters\":{\"amount\":7}," KEY, "\"mandate\":\"m\"");
    assert_memory_equal(s->reply.body, first, strlen(first));
    assert_string_equal(s->reply.body + strlen(first), ",\"duplicate\":true}}\n");
    ask(s, 200, "\"parameters\":{\"amount\":8}," KEY, "\"mandate\":\"m\"");
    assert_contains(s->reply.body, "{\"decision\":false,\"context\":{\"reason\":\"idempotency_conflict\"");
    ask(s, 200, "\"parameters\":{\"amount\":7}," KEY, "\"mandate\":\"other\"");
    assert_contains(s->reply.body, "idempotency_conflict");
    /* The resource's properties are a part of what is asked, whatever their order; the rest of the context is not. */
    static const struct {
        const char *properties, *context;
        bool conflict;
    } more[] = {{"{\"a\":1,\"b\":[\"x\"]}", "", false},
                {"{\"b\":[\"x\"],\"a\":1}", ",\"time\":\"later\"", false},
                {"{\"a\":1,\"b\":[\"y\"]}", "", true},
                {"{}", "", true}};
    for (size_t i = 0; i < sizeof(more) / sizeof(*more); i++) {
        char body[1024];
        snprintf(body, sizeof(body),
                 "{" SUBJECT ",\"action\":{\"name\":\"pay\",\"properties\":{\"parameters\":{},\"idempotency_key\":\"k-2\"}},"
                 "\"resource\":{\"type\":\"order\",\"id\":\"7\",\"properties\":%s},\"context\":{\"mandate\":\"m\"%s}}",
                 more[i].properties, more[i].context);
        scene_ask(s, 200, "POST", "/access/v1/evaluation", NULL, body);
        assert_true((strstr(s->reply.body, "idempotency_conflict") != NULL) == more[i].conflict);
        if ((strstr(s->reply.body, "\"duplicate\":true") != NULL) != (i > 0)) /* the key was there */
            fail_msg("%zu: %s", i, s->reply.body);
    }
    ask(s, 400, "\"idempotency_key\":\"\"", "\"mandate\":\"m\"");
    ask(s, 400, "\"idempotency_key\":7", "\"mandate\":\"m\"");
}

static void test_http_checks__a_remembered_yes_ends_with_the_mandate(void **state)
{
    scene *s = *state;
    ask(s, 200, "\"amount\":7," KEY, "\"mandate\":\"m\"");
    assert_contains(s->reply.body, "{\"decision\":true,");
    s->fake.verdict.decision = false;
    s->fake.verdict.reason = "mandate_inactive";
    ask(s, 200, "\"amount\":7," KEY, "\"mandate\":\"m\"");
    assert_contains(s->reply.body, "{\"decision\":false,\"context\":{\"reason\":\"mandate_inactive\"");
    assert_contains(s->reply.body, "\"duplicate\":true");
}

static void test_http_checks__a_remembered_no_stays_no(void **state)
{
    scene *s = *state;
    s->fake.verdict.decision = false;
    s->fake.verdict.reason = "mandate_inactive";
    ask(s, 200, "\"amount\":7," KEY, "\"mandate\":\"m\"");
    s->fake.verdict.decision = true;
    s->fake.verdict.reason = "ok";
    ask(s, 200, "\"amount\":7," KEY, "\"mandate\":\"m\"");
    assert_contains(s->reply.body, "{\"decision\":false,\"context\":{\"reason\":\"mandate_inactive\"");
    assert_contains(s->reply.body, "\"duplicate\":true");
}

static void test_http_checks__what_is_done_once_is_permitted_once(void **state)
{
    scene *s = *state;
    s->fake.check_kind = (service_check_kind){.mode = CHECK_FEED, .max_staleness_us = 1000000, .once = true};
    ask(s, 200, "\"amount\":7", "\"mandate\":\"m\"");
    assert_contains(s->reply.body, "{\"decision\":false,");
    assert_contains(s->reply.body, "idempotency_key");
    ask(s, 200, "\"amount\":7," KEY, "\"mandate\":\"m\"");
    assert_contains(s->reply.body, "{\"decision\":true,");
    ask(s, 200, "\"amount\":7," KEY, "\"mandate\":\"m\"");
    assert_contains(s->reply.body, "{\"decision\":false,\"context\":{\"reason\":\"duplicate_suppressed\"");
}

/* --- positions --------------------------------------------------------------------------------------------------- */
static void test_http_checks__an_answer_is_not_older_than_what_was_asked_for(void **state)
{
    scene *s = *state;
    s->fake.position = 77;
    ask(s, 200, "", "\"mandate\":\"m\",\"at_least\":\"77\"");
    assert_int_equal(s->fake.submits, 0); /* it sees that already */
    ask(s, 200, "", "\"mandate\":\"m\",\"at_least\":\"78\"");
    assert_int_equal(s->fake.submits, 1); /* waited for */
    assert_contains(s->reply.body, "{\"decision\":true,");
    ask(s, 200, "", "\"mandate\":\"m\",\"at_least\":[\"5\",\"crm/cdc/3@42\"]");
    assert_int_equal(s->fake.submits, 2);
    fake_set_error(&s->fake, MANDATE_UNAVAILABLE, "not reached", 0, 0);
    ask(s, 200, "", "\"mandate\":\"m\",\"at_least\":\"78\"");
    assert_contains(s->reply.body, "{\"decision\":false,\"context\":{\"reason\":\"stale_state\",\"text\":\"not reached\"");
}

static void test_http_checks__a_position_is_a_step_or_a_record(void **state)
{
    static const char *const wrong[] = {"\"\"",
                                        "\"x\"",
                                        "\"-1\"",
                                        "7",
                                        "\"/0@1\"",
                                        "\"t@1\"",
                                        "\"t/@1\"",
                                        "\"t/0@\"",
                                        "[]",
                                        "\"t/0@-1\"",
                                        "\"t/1x@1\"",
                                        "\"99999999999999999999\"",
                                        "[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\"]"};
    scene *s = *state;
    char context[256];
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        snprintf(context, sizeof(context), "\"mandate\":\"m\",\"at_least\":%s", wrong[i]);
        ask(s, 400, "", context);
    }
    assert_int_equal(s->fake.submits, 0);
}

static void test_http_checks__a_command_answers_with_its_position(void **state)
{
    scene *s = *state;
    scene_ask(s, 200, "POST", "/v1/mandates/m/revoke", NULL, "");
    assert_contains(s->reply.head, "\r\nX-Mandate-Position: 4711\r\n");
    scene_ask(s, 200, "GET", "/v1/mandates/m", NULL, NULL);
    assert_null(strstr(s->reply.head, "X-Mandate-Position"));
}

/* --- several mandates --------------------------------------------------------------------------------------------- */
static void contradict(scene *s)
{
    s->fake.verdict = (service_verdict){.reason = "approval_required",
                                        .text = "they do not intersect",
                                        .conflict = true,
                                        .governing = 2,
                                        .mandates = {mandate_slice_str("m-1"), mandate_slice_str("m-2")},
                                        .state = STATE_ACTIVE,
                                        .version = 1,
                                        .expires_at_us = INT64_C(1896109200000000),
                                        .as_of_us = INT64_C(1800000000000000),
                                        .seq = 77};
}

static void test_http_checks__mandates_are_named_together_each_once(void **state)
{
    scene *s = *state;
    ask(s, 200, "", "\"mandates\":[\"m-2\",\"m-1\"]");
    assert_contains(s->reply.body, "\"mandates\":[\"m-1\",\"m-2\"]");
    ask(s, 400, "", "\"mandates\":[\"m-2\",\"m-1\",\"m-2\"]");
    ask(s, 400, "", "\"mandates\":[]");
    ask(s, 400, "", "\"mandates\":[\"\"]");
    ask(s, 400, "", "\"mandates\":[\"m-1\"],\"mandate\":\"m-1\"");
}

static void test_http_checks__a_contradiction_is_asked_about_and_is_no_until_then(void **state)
{
    scene *s = *state;
    contradict(s);
    ask(s, 200, "\"amount\":7", "\"mandates\":[\"m-1\",\"m-2\"]");
    assert_int_equal(s->fake.submits, 1);
    assert_contains(s->reply.body, "{\"decision\":false,\"context\":{\"reason\":\"approval_required\"");
    assert_contains(s->reply.body, "\"escalation\":{\"id\":\"d-aaaaaaaaaaaaaaaaaaaaaaaaaa\",\"state\":\"open\"}");
    assert_contains(s->reply.body, "\"parameter_digest\":\"" DIGEST "\"");
    assert_contains(s->reply.body, "\"mandates\":[\"m-1\",\"m-2\"]");
    s->fake.human_known = true;
    s->fake.human = (service_decision){.id = "d-1", .state = DECISION_OPEN, .expires_at_us = INT64_C(1800000100000000)};
    ask(s, 200, "\"amount\":7", "\"mandates\":[\"m-1\",\"m-2\"]");
    assert_int_equal(s->fake.submits, 1); /* asked once */
    assert_contains(s->reply.body, "{\"decision\":false,");
    assert_contains(s->reply.body,
                    "\"escalation\":{\"id\":\"d-1\",\"state\":\"open\",\"expires_at\":\"2027-01-15T08:01:40Z\"}");
    s->fake.human.state = DECISION_REFUSED;
    ask(s, 200, "\"amount\":7", "\"mandates\":[\"m-1\",\"m-2\"]");
    assert_contains(s->reply.body, "{\"decision\":false,\"context\":{\"reason\":\"refused_by_human\"");
}

static void test_http_checks__a_humans_yes_is_for_exactly_what_was_asked(void **state)
{
    scene *s = *state;
    uint8_t first[DECISION_KEY];
    contradict(s);
    s->fake.human_known = true;
    s->fake.human = (service_decision){.id = "d-1", .state = DECISION_PERMITTED, .expires_at_us = INT64_C(1800000100000000)};
    ask(s, 200, "\"amount\":7", "\"mandates\":[\"m-1\",\"m-2\"]");
    assert_contains(s->reply.body, "{\"decision\":true,\"context\":{\"reason\":\"permitted_by_human\"");
    assert_contains(s->reply.body, "\"expires_at\":\"2027-01-15T08:01:40Z\""); /* of the permit */
    memcpy(first, s->fake.key, sizeof(first));
    ask(s, 200, "\"parameters\":{\"amount\":7}", "\"mandates\":[\"m-1\",\"m-2\"]");
    assert_memory_equal(first, s->fake.key, sizeof(first));
    ask(s, 200, "\"amount\":8", "\"mandates\":[\"m-1\",\"m-2\"]");
    assert_memory_not_equal(first, s->fake.key, sizeof(first));
    s->fake.verdict.mandates[1] = mandate_slice_str("m-3");
    ask(s, 200, "\"amount\":7", "\"mandates\":[\"m-1\",\"m-3\"]");
    assert_memory_not_equal(first, s->fake.key, sizeof(first));
}

static void test_http_checks__where_nobody_can_be_asked_the_answer_says_why(void **state)
{
    scene *s = *state;
    contradict(s);
    fake_set_error(&s->fake, MANDATE_LIMIT, "too many wait", 0, 0);
    ask(s, 200, "", "\"mandates\":[\"m-1\",\"m-2\"]");
    assert_contains(s->reply.body, "{\"decision\":false,\"context\":{\"reason\":\"approval_required\"");
    assert_contains(s->reply.body, "\"escalation\":{\"error\":\"too many wait\"}");
    fake_set_mode(&s->fake, FAKE_FULL);
    ask(s, 200, "", "\"mandates\":[\"m-1\",\"m-2\"]");
    assert_contains(s->reply.body, "{\"decision\":false,");
}

/* --- kinds ---------------------------------------------------------------------------------------------------------- */
static void test_http_checks__a_synchronous_check_is_fresh_and_recorded(void **state)
{
    scene *s = *state;
    s->fake.check_kind = (service_check_kind){
        .mode = CHECK_SYNCHRONOUS, .reversibility = REVERSIBILITY_EXTERNAL_COMMITMENT, .max_staleness_us = 500000};
    s->fake.fresh = true;
    s->fake.bodies[SERVICE_LOG] = "{\"leaf\":12}";
    ask(s, 200, "", "\"mandate\":\"m\"");
    assert_contains(s->reply.body, "{\"decision\":true,");
    assert_contains(s->reply.body, "\"mode\":\"synchronous\",\"reversibility\":\"external_commitment\"");
    assert_contains(s->reply.body, "\"freshness\":{\"lag_ms\":900}");
    assert_contains(s->reply.body, "\"audit_leaf\":12");
    assert_int_equal(s->fake.check_staleness_max_us, 500000);
    s->fake.fresh = false;
    ask(s, 200, "", "\"mandate\":\"m\"");
    assert_contains(s->reply.body,
                    "{\"decision\":false,\"context\":{\"reason\":\"stale_state\",\"text\":\"crm lags 900 ms\"");
    s->fake.fresh = true;
    fake_set_error(&s->fake, MANDATE_UNAVAILABLE, "disk full", 0, 0);
    ask(s, 200, "", "\"mandate\":\"m\"");
    assert_contains(s->reply.body, "{\"decision\":false,\"context\":{\"reason\":\"audit_unavailable\"");
}

static void test_http_checks__what_ends_while_its_check_is_recorded_is_denied(void **state)
{
    static const char body[] = "{" SUBJECT ",\"action\":{\"name\":\"pay\"}," RESOURCE ",\"context\":{\"mandate\":\"m\"}}";
    scene *s = *state;
    char text[1024];
    s->fake.check_kind = (service_check_kind){
        .mode = CHECK_SYNCHRONOUS, .reversibility = REVERSIBILITY_EXTERNAL_COMMITMENT, .max_staleness_us = 500000};
    s->fake.fresh = true;
    s->fake.bodies[SERVICE_LOG] = "{\"leaf\":12}";
    fake_set_mode(&s->fake, FAKE_HOLD);
    snprintf(text, sizeof(text),
             "POST /access/v1/evaluation HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
             "Content-Length: %zu\r\n\r\n%s",
             strlen(body), body);
    assert_true(peer_send_text(&s->client, text));
    fake_await_held(&s->fake, 1);
    s->fake.verdict.decision = false;
    s->fake.verdict.reason = "mandate_inactive";
    fake_release(&s->fake);
    assert_true(peer_read(&s->client, &s->reply, false));
    assert_int_equal(s->reply.code, 200);
    assert_contains(s->reply.body, "{\"decision\":false,\"context\":{\"reason\":\"mandate_inactive\"");
    assert_contains(s->reply.body, "\"audit_leaf\":12");
}

static void test_http_checks__an_answer_from_the_feed_says_until_when_it_holds(void **state)
{
    scene *s = *state;
    s->fake.check_kind =
        (service_check_kind){.mode = CHECK_FEED, .reversibility = REVERSIBILITY_READ_ONLY, .max_staleness_us = 30000000};
    ask(s, 200, "", "\"mandate\":\"m\"");
    assert_contains(s->reply.body,
                    "\"mode\":\"feed\",\"reversibility\":\"read_only\",\"valid_until\":\"2027-01-15T08:00:30Z\"");
    assert_int_equal(s->fake.submits, 0);
    s->fake.verdict.expires_at_us = s->fake.verdict.as_of_us + 5000000;
    ask(s, 200, "", "\"mandate\":\"m\"");
    assert_contains(s->reply.body, "\"valid_until\":\"2027-01-15T08:00:05Z\"");
}

/* --- many ------------------------------------------------------------------------------------------------------------ */
static void test_http_checks__among_many_each_waits_for_its_own(void **state)
{
    scene *s = *state;
    contradict(s);
    fake_set_mode(&s->fake, FAKE_THREAD);
    s->fake.position = 5;
    scene_ask(s, 200, "POST", "/access/v1/evaluations", NULL,
              "{" SUBJECT "," RESOURCE ",\"evaluations\":["
              "{\"action\":{\"name\":\"a\"},\"context\":{\"at_least\":\"9\"}},"
              "{\"action\":{\"name\":7}},"
              "{\"action\":{\"name\":\"c\"},\"context\":{\"at_least\":\"3\"}}]}");
    assert_int_equal(s->fake.submits, 3); /* one wait, two questions to a human */
    const char *at = s->reply.body;
    assert_memory_equal(at, "{\"evaluations\":[{\"decision\":false", 33);
    assert_non_null(at = strstr(at, "\"escalation\":{\"id\":\"d-"));
    assert_non_null(at = strstr(at, "},{\"decision\":false,\"context\":{\"reason\":\"invalid_request\""));
    assert_non_null(at = strstr(at, "\"escalation\":{\"id\":\"d-"));
    assert_non_null(strstr(at, "}}]}\n"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_http_checks__##name, scene_setup, scene_teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(parameters_have_a_digest_that_is_compared_and_echoed),
        TEST(the_same_key_and_question_gives_the_same_answer),
        TEST(a_remembered_yes_ends_with_the_mandate),
        TEST(a_remembered_no_stays_no),
        TEST(what_is_done_once_is_permitted_once),
        TEST(an_answer_is_not_older_than_what_was_asked_for),
        TEST(a_position_is_a_step_or_a_record),
        TEST(a_command_answers_with_its_position),
        TEST(mandates_are_named_together_each_once),
        TEST(a_contradiction_is_asked_about_and_is_no_until_then),
        TEST(a_humans_yes_is_for_exactly_what_was_asked),
        TEST(where_nobody_can_be_asked_the_answer_says_why),
        TEST(a_synchronous_check_is_fresh_and_recorded),
        TEST(what_ends_while_its_check_is_recorded_is_denied),
        TEST(an_answer_from_the_feed_says_until_when_it_holds),
        TEST(among_many_each_waits_for_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_webhook - a notice that is too long, or that nobody will ever sign, holds up nobody: the one is shortened, the other recorded
 * and dropped. That notices are signed and come until they are received is for test_daemon to say.
 */
#include "connectors/daemon/tell/webhook.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "connectors/daemon/base/clock.h"
#include "connectors/http/service.h"
#include "connectors/json/json_value.h"
#include "connectors/token/base64url.h"
#include "connectors/token/jws.h"
#include "tests/connectors/daemon/receiver.h"

#define S(text) mandate_slice_str(text)
#define OK(call)                                 \
    do {                                         \
        if ((call) != MANDATE_OK)                \
            fail_msg("%s: %s", #call, err.text); \
    } while (0)

typedef struct world {
    schema *schema;
    store *store;
    engine *engine;
    queue *queue;
    signer keys;
    token_key *own; /* what a remote key signs with */
    webhook *w;
    receiver v;
    arena memory;
    _Atomic int refusals; /* how often the remote key still refuses */
    uint32_t sequence;
    const char *audience; /* of the webhook */
    bool restricts;       /* what is asked restricts its parameters */
    bool down;            /* nobody listens where the webhook posts to */
    uint64_t keep_max;
    int64_t keep_us;
} world;

static int setup(void **state)
{
    world *w = calloc(1, sizeof(*w));
    mandate_error err;
    kv *backend;
    uint64_t seq;
    OK(schema_create(&w->schema, &err));
    OK(schema_freeze(w->schema, &err));
    OK(kv_open_memory(&backend, &err));
    OK(store_open(&w->store, backend, w->schema, &err));
    engine_options options = {.version = ENGINE_OPTIONS_VERSION,
                              .schema = w->schema,
                              .issuer = S("https://i.example/"),
                              .claims_load = store_claims_load,
                              .claims_ctx = w->store};
    OK(engine_create(&w->engine, &options, &err));
    OK(store_recover(w->store, w->engine, &seq, &err));
    OK(queue_create(&w->queue, 16, 16, &err));
    OK(token_key_generate(&w->own, TOKEN_EDDSA, &err));
    keyset_init(&w->keys.keys);
    arena_init(&w->memory, 0);
    receiver_open(&w->v);
    w->keep_max = 1000;
    w->keep_us = INT64_C(3600) * 1000000;
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    world *w = *state;
    receiver_close(&w->v);
    webhook_destroy(w->w);
    keyset_deinit(&w->keys.keys);
    token_key_destroy(w->own);
    queue_destroy(w->queue);
    engine_destroy(w->engine);
    store_close(w->store);
    schema_destroy(w->schema);
    arena_deinit(&w->memory);
    free(w);
    return 0;
}

/* --- the signer ------------------------------------------------------------------------------------------------------ */
static mandate_status sign(void *ctx, buf *out, mandate_slice message, mandate_error *err)
{
    world *w = ctx;
    if (atomic_load(&w->refusals) > 0 && atomic_fetch_sub(&w->refusals, 1) > 0)
        return mandate_error_set(err, MANDATE_DENIED, "the signer: not signed: the payload is no notice of a decision");
    return token_key_sign(out, w->own, message, err);
}

static void open_webhook(world *w)
{
    mandate_error err;
    token_key *remote;
    cel_value jwk;
    buf text;
    static char url[64];
    buf_init(&text);
    OK(token_key_put_jwk(&text, w->own, &err));
    OK(json_value_parse(&jwk, &w->memory, arena_dup(&w->memory, buf_slice(&text)), 0, &err));
    OK(token_key_remote(&remote, jwk, sign, w, &err));
    OK(keyset_take(&w->keys.keys, remote, &err));
    buf_deinit(&text);
    snprintf(url, sizeof(url), "http://127.0.0.1:%u/hook", w->down ? 1 : w->v.port);
    OK(webhook_create(&w->w,
                      &(webhook_options){.store = w->store,
                                         .signer = &w->keys,
                                         .queue = w->queue,
                                         .issuer = "https://i.example/",
                                         .url = url,
                                         .audience = w->audience,
                                         .keep_max = w->keep_max,
                                         .keep_us = w->keep_us},
                      &err));
    OK(webhook_start(w->w, &err));
}

/* --- what is asked ---------------------------------------------------------------------------------------------------- */
/* An issuance waits for a second person: with so many numbers of 24 characters in its parameters, each 9 bytes where it is stored. */
static void ask(world *w, uint32_t numbers)
{
    mandate_error err;
    cel_value *items = ARENA_ARRAY(&w->memory, cel_value, numbers + 1);
    for (uint32_t i = 0; i < numbers; i++)
        items[i] = cel_double(-1.7976931348623157e+308);
    cel_entry *entry = ARENA_NEW(&w->memory, cel_entry);
    *entry = (cel_entry){cel_string(S("numbers")), cel_list(items, numbers)};
    static const mandate_slice any[] = {{"*", 1}};
    claims *c = ARENA_NEW(&w->memory, claims);
    *c = claims_nothing();
    c->id = arena_printf(&w->memory, "m-%u", w->sequence++);
    c->grantor = S("user:g");
    c->agent = S("agent:a");
    c->purpose = S("p");
    c->actions = c->resources = any;
    c->action_count = c->resource_count = 1;
    c->params = cel_map(entry, 1);
    static const mandate_slice shown[] = {{"https://erp.example", 19}};
    static const claims_disclosure rule = {.member = MEMBER_PARAMS, .audiences = shown, .audience_count = 1};
    c->disclosures = w->restricts ? &rule : NULL;
    c->disclosure_count = w->restricts;
    c->expires_at_us = clock_wall_us() + INT64_C(3600) * 1000000;
    engine_command waits = {.kind = COMMAND_ISSUE, .mandate = c->id, .principal = S("user:a"), .claims = c};
    engine_input in = {.kind = INPUT_COMMAND,
                       .command = {.kind = COMMAND_ASK,
                                   .deferred = &waits,
                                   .principal = S("user:a"),
                                   .note = S("two persons"),
                                   .lasts_us = INT64_C(600) * 1000000}};
    engine_batch batch = {.seq = engine_seq(w->engine) + 1, .now_us = clock_wall_us(), .inputs = &in, .count = 1};
    engine_result result;
    OK(engine_step(w->engine, &batch, &result, &err));
    err = result.answers[0].error;
    OK(err.status);
    store_commit_input commit = {.engine = w->engine, .batch = &batch, .result = &result};
    OK(store_commit(w->store, &commit, &err));
    if (w->w)
        webhook_poke(w->w, result.notice_count);
}

static void wait_received(world *w, int count)
{
    for (int i = 0; i < 20000 && atomic_load(&w->v.received) < count; i++)
        usleep(1000);
    assert_int_equal(atomic_load(&w->v.received), count);
}

/* The keys that the next commit would take out of the outbox. */
static void wait_collected(world *w, uint32_t count)
{
    outbox_key keys[WEBHOOK_KEYS];
    uint32_t got = 0;
    for (int i = 0; i < 20000 && got < count; i++, usleep(1000))
        got = webhook_collect(w->w, keys);
    assert_int_equal(got, count);
    webhook_committed(w->w);
}

/* The engine's thread, for one entry of the audit log. */
static void answer_entry(world *w, mandate_status status, const char *words)
{
    service_request *r = NULL;
    for (int i = 0; i < 20000 && !r; i++, usleep(1000))
        r = queue_pop(w->queue, QUEUE_REQUESTS);
    assert_non_null(r);
    assert_int_equal(r->kind, SERVICE_LOG);
    assert_true(mandate_slice_is(r->event, "notice_dropped"));
    if (!memmem(r->detail.ptr, r->detail.len, words, strlen(words)))
        fail_msg("%.*s", MANDATE_SLICE_ARG(r->detail));
    r->error.status = status;
    r->done(r);
}

/* --- tests -------------------------------------------------------------------------------------------------------------- */
static void test_webhook__what_is_too_long_to_sign_has_its_claims_left_out(void **state)
{
    world *w = *state;
    buf whole;
    jws token;
    mandate_error err;
    open_webhook(w);
    ask(w, 3);
    wait_received(w, 1);
    assert_non_null(strstr(w->v.body, "\"params\":{\"numbers\":[-1.79"));
    ask(w, 6000); /* 54 kB stored, 150 kB as text, 200 kB in base64url */
    wait_received(w, 2);
    assert_null(strstr(w->v.body, "numbers"));
    assert_non_null(strstr(w->v.body, "\"command\":{\"command\":\"issue\",\"mandate\":\"m-1\""));
    assert_non_null(strstr(w->v.body, "\"claims\":{\"omitted_bytes\":1"));
    buf_init(&whole);
    const char *dots = strstr(w->v.signature, "..");
    assert_non_null(dots);
    buf_put(&whole, w->v.signature, (size_t)(dots + 1 - w->v.signature));
    base64url_put(&whole, w->v.body, strlen(w->v.body));
    buf_put_str(&whole, dots + 1);
    OK(jws_parse(&token, &w->memory, buf_slice(&whole), "mandate-notice+jws", &err));
    OK(jws_verify(&token, &w->keys.keys, &err));
    buf_deinit(&whole);
    wait_collected(w, 2);
}

static void test_webhook__a_proxy_of_the_environment_is_told_nothing(void **state)
{
    world *w = *state;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    open_webhook(w);
    ask(w, 1);
    wait_received(w, 1);
    wait_collected(w, 1);
    unsetenv("http_proxy");
}

static void test_webhook__what_nobody_will_sign_is_recorded_and_dropped_and_the_next_one_comes(void **state)
{
    world *w = *state;
    atomic_store(&w->refusals, 1);
    open_webhook(w);
    ask(w, 1);
    ask(w, 2);
    answer_entry(w, MANDATE_OK, "\"state\":\"open\",\"version\":1,\"error\":\"the signer: not signed");
    wait_received(w, 1);
    assert_non_null(strstr(w->v.body, "\"mandate\":\"m-1\""));
    wait_collected(w, 2); /* both leave the outbox */
}

static void test_webhook__what_could_not_be_recorded_is_not_dropped(void **state)
{
    world *w = *state;
    atomic_store(&w->refusals, 1);
    open_webhook(w);
    ask(w, 1);
    answer_entry(w, MANDATE_UNAVAILABLE, "not signed");
    wait_received(w, 1); /* it was tried again, and the signer has changed its mind */
    assert_non_null(strstr(w->v.body, "\"mandate\":\"m-0\""));
    wait_collected(w, 1);
}

static void test_webhook__what_is_restricted_is_left_out_of_a_notice_before_its_length_counts(void **state)
{
    world *w = *state;
    w->restricts = true;
    open_webhook(w);
    ask(w, 3);
    wait_received(w, 1);
    assert_null(strstr(w->v.body, "numbers"));
    assert_null(strstr(w->v.body, "erp.example")); /* nor to whom it is shown */
    assert_non_null(strstr(w->v.body, "\"undisclosed\":[\"params\"]"));
    assert_non_null(strstr(w->v.body, "\"purpose\":\"p\""));
    ask(w, 6000); /* without what is left out it is short enough */
    wait_received(w, 2);
    assert_null(strstr(w->v.body, "omitted_bytes"));
    assert_null(strstr(w->v.body, "numbers"));
    wait_collected(w, 2);
}

static void test_webhook__an_audience_of_it_that_is_configured_is_told_what_is_shown_to_it(void **state)
{
    world *w = *state;
    w->restricts = true;
    w->audience = "https://erp.example";
    open_webhook(w);
    ask(w, 3);
    wait_received(w, 1);
    assert_non_null(strstr(w->v.body, "\"params\":{\"numbers\":[-1.79"));
    assert_null(strstr(w->v.body, "undisclosed"));
    wait_collected(w, 1);
}

/* --- a receiver that takes none ------------------------------------------------------------------------------------------ */
static void test_webhook__of_more_than_are_kept_the_oldest_are_recorded_and_dropped(void **state)
{
    world *w = *state;
    webhook_stats stats;
    w->down = true;
    w->keep_max = 3;
    open_webhook(w);
    for (uint32_t i = 0; i < 3; i++)
        ask(w, 1);
    for (uint32_t i = 0; i < 4; i++) { /* one above the cap, each time */
        char words[64];
        ask(w, 1);
        snprintf(words, sizeof(words), "{\"notice\":{\"seq\":%u,", i + 1);
        answer_entry(w, MANDATE_OK, words);
        wait_collected(w, 1);
    }
    webhook_count(w->w, &stats);
    assert_int_equal(stats.dropped, 4);
    assert_int_equal(stats.waiting, 3);
    assert_int_equal(stats.delivered, 0);
    assert_null(queue_pop(w->queue, QUEUE_REQUESTS)); /* at the cap nothing goes */
}

static void test_webhook__what_waits_too_long_is_dropped_once_it_can_be_recorded(void **state)
{
    world *w = *state;
    w->down = true;
    w->keep_us = 1;
    open_webhook(w);
    ask(w, 1);
    answer_entry(w, MANDATE_UNAVAILABLE, "as long as notices are kept (decisions.webhook_keep): ");
    answer_entry(w, MANDATE_OK, "{\"notice\":{\"seq\":1,"); /* with the next try */
    wait_collected(w, 1);
}

static void test_webhook__a_receiver_that_takes_them_is_sent_all_however_old_and_many(void **state)
{
    world *w = *state;
    webhook_stats stats;
    w->keep_us = 1;
    w->keep_max = 1;
    for (uint32_t i = 0; i < 5; i++)
        ask(w, 1);
    open_webhook(w);
    wait_received(w, 5);
    wait_collected(w, 5);
    webhook_count(w->w, &stats);
    assert_int_equal(stats.dropped, 0);
    assert_int_equal(stats.delivered, 5);
}

static void test_webhook__tries_are_twice_as_far_apart_each_time_with_chance_and_up_to_a_bound(void **state)
{
    int64_t base = 0, least = 0, most = 0;
    (void)state;
    for (int i = 0; i < 20; i++) {
        int64_t expected = i < 6 ? (int64_t)WEBHOOK_RETRY_MIN_MS << i : WEBHOOK_RETRY_MAX_MS;
        least = most = base;
        int64_t shortest = webhook_backoff_ms(&least, 0), longest = webhook_backoff_ms(&most, UINT32_MAX);
        int64_t some = webhook_backoff_ms(&base, UINT32_MAX / 2);
        assert_int_equal(base, expected);
        assert_int_equal(shortest, expected / 2);
        assert_in_range(longest, expected - 1, expected);
        assert_in_range(some, expected * 3 / 4 - 1, expected * 3 / 4);
    }
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_webhook__what_is_too_long_to_sign_has_its_claims_left_out),
        CASE(test_webhook__a_proxy_of_the_environment_is_told_nothing),
        CASE(test_webhook__what_nobody_will_sign_is_recorded_and_dropped_and_the_next_one_comes),
        CASE(test_webhook__what_could_not_be_recorded_is_not_dropped),
        CASE(test_webhook__what_is_restricted_is_left_out_of_a_notice_before_its_length_counts),
        CASE(test_webhook__an_audience_of_it_that_is_configured_is_told_what_is_shown_to_it),
        CASE(test_webhook__of_more_than_are_kept_the_oldest_are_recorded_and_dropped),
        CASE(test_webhook__what_waits_too_long_is_dropped_once_it_can_be_recorded),
        CASE(test_webhook__a_receiver_that_takes_them_is_sent_all_however_old_and_many),
        cmocka_unit_test(test_webhook__tries_are_twice_as_far_apart_each_time_with_chance_and_up_to_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

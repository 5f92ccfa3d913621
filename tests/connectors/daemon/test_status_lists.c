/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's status lists: what the view says of every mandate and its ancestors, signed, never when that is not known. */
#include "connectors/daemon/keys/status_lists.h"

#include "connectors/daemon/base/clock.h"
#include "connectors/signer/what.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define FAR (INT64_C(1) << 60)
#define ISSUER "https://mandates.example"
#define NONE UINT32_MAX

typedef struct world {
    char folder[64], key[128];
    config c;
    signer signer;
    view *view;
    status_lists *lists;
    arena a;
} world;

static mandate_status load(void *ctx, arena *a, mandate_slice id, mandate_slice *out, mandate_error *err)
{
    return mandate_error_set(err, MANDATE_IO, "no check is asked here");
}

static int setup(void **state)
{
    world *w = calloc(1, sizeof(*w));
    mandate_error err;
    strcpy(w->folder, "/tmp/mandated-status-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    snprintf(w->key, sizeof(w->key), "%s/" SIGNER_KEY_FILE, w->folder);
    w->c.data_dir = w->folder;
    arena_init(&w->a, 0);
    clock_init(0);
    assert_int_equal(signer_open(&w->signer, &w->c, &err), MANDATE_OK);
    view_options o = {.claims_load = load};
    assert_int_equal(view_create(&w->view, &o, &err), MANDATE_OK);
    status_lists_options lo = {
        .view = w->view, .signer = &w->signer, .issuer = ISSUER "/", .staleness_max_us = 10 * 1000000};
    assert_int_equal(status_lists_create(&w->lists, &lo, &err), MANDATE_OK);
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    world *w = *state;
    status_lists_destroy(w->lists);
    view_destroy(w->view);
    signer_close(&w->signer);
    arena_deinit(&w->a);
    unlink(w->key);
    rmdir(w->folder);
    free(w);
    return 0;
}

static void set_as(world *w, uint32_t handle, uint32_t parent, mandate_state st, int64_t expires_us, bool exhausted)
{
    char id[32];
    snprintf(id, sizeof(id), "m-%u", handle);
    engine_mandate_view m = {
        .id = mandate_slice_str(id), .version = 1, .state = st, .expires_at_us = expires_us, .exhausted = exhausted};
    assert_int_equal(view_set(w->view, handle, parent, &m, NULL), MANDATE_OK);
}

static void set(world *w, uint32_t handle, uint32_t parent, mandate_state st) { set_as(w, handle, parent, st, FAR, false); }

static void committed(world *w, uint64_t seq) { view_committed(w->view, seq, clock_now_us(), clock_monotonic_us()); }

static status_list list_of(world *w, uint32_t list)
{
    mandate_error err;
    status_list l;
    jws parts;
    buf b;
    buf_init(&b);
    if (status_lists_put(w->lists, &b, list, &err))
        fail_msg("%s", err.text);
    mandate_slice token = arena_dup(&w->a, buf_slice(&b));
    buf_deinit(&b);
    assert_int_equal(jws_parse(&parts, &w->a, token, STATUS_LIST_TYP, &err), MANDATE_OK);
    assert_int_equal(jws_verify(&parts, &w->signer.keys, &err), MANDATE_OK);
    assert_int_equal(status_list_read(&l, &w->a, parts.payload, &err), MANDATE_OK);
    return l;
}

static uint32_t entry_of(const status_list *l, int64_t idx)
{
    mandate_error err;
    uint32_t entry = 99;
    assert_int_equal(status_list_at(&entry, l, idx, &err), MANDATE_OK);
    return entry;
}

static void refused(world *w, uint32_t list, mandate_status status)
{
    mandate_error err;
    buf b;
    buf_init(&b);
    assert_int_equal(status_lists_put(w->lists, &b, list, &err), status);
    assert_int_equal(b.len, 0);
    buf_deinit(&b);
}

static void wait_lag(void) { nanosleep(&(struct timespec){.tv_nsec = (STATUS_LIST_LAG_MS + 20) * 1000000L}, NULL); }

static void test_status_lists__every_state_has_its_value(void **state)
{
    world *w = *state;
    set(w, 0, NONE, STATE_ACTIVE);
    set(w, 1, NONE, STATE_SUSPENDED);
    for (uint32_t st = STATE_COMPLETED; st < STATE_COUNT; st++)
        set(w, st, NONE, (mandate_state)st);
    set_as(w, 20, NONE, STATE_ACTIVE, clock_now_us() - 1, false); /* expired, though the engine has not said so */
    set_as(w, 21, NONE, STATE_ACTIVE, FAR, true);                 /* nothing is left of a budget: it may be again */
    committed(w, 1);
    status_list l = list_of(w, 0);
    assert_int_equal(l.bits, 2);
    assert_true(mandate_slice_is(l.uri, ISSUER "/status/0"));
    assert_int_equal(l.ttl_s, SERVICE_STATUS_TTL_S);
    assert_int_equal(l.expires_s - l.issued_at_s, STATUS_LIST_LIFE_S);
    assert_int_equal(l.bytes.len * 4, STATUS_LIST_ENTRIES);
    assert_int_equal(entry_of(&l, 0), VIEW_VALID);
    assert_int_equal(entry_of(&l, 1), VIEW_HELD);
    for (uint32_t st = STATE_COMPLETED; st < STATE_COUNT; st++)
        assert_int_equal(entry_of(&l, st), VIEW_ENDED);
    assert_int_equal(entry_of(&l, 20), VIEW_ENDED);
    assert_int_equal(entry_of(&l, 21), VIEW_HELD);
    assert_int_equal(entry_of(&l, 22), VIEW_ENDED); /* nobody's */
    assert_int_equal(entry_of(&l, STATUS_LIST_ENTRIES - 1), VIEW_ENDED);
}

static void test_status_lists__what_an_ancestor_is_counts(void **state)
{
    world *w = *state;
    uint32_t next = STATUS_LIST_ENTRIES; /* in the second list: their ancestors are in the first */
    set(w, 0, NONE, STATE_ACTIVE);
    set(w, 1, 0, STATE_SUSPENDED);
    set(w, 2, 1, STATE_ACTIVE);
    set(w, 3, NONE, STATE_REVOKED);
    set(w, 4, 3, STATE_ACTIVE);
    set(w, 5, 4, STATE_SUSPENDED);                                 /* suspended, and an ancestor of its parent has ended */
    for (uint32_t between = 1000; between < next; between += 1000) /* handles are given out one after the other */
        set(w, between, NONE, STATE_ACTIVE);
    set(w, next, 2, STATE_ACTIVE);
    set(w, next + 1, 5, STATE_ACTIVE);
    set(w, next + 2, 0, STATE_ACTIVE);
    set(w, next + 3, next + 1, STATE_ACTIVE);
    committed(w, 1);
    status_list first = list_of(w, 0), second = list_of(w, 1);
    assert_int_equal(entry_of(&first, 2), VIEW_HELD);
    assert_int_equal(entry_of(&first, 4), VIEW_ENDED);
    assert_int_equal(entry_of(&first, 5), VIEW_ENDED);
    assert_true(mandate_slice_is(second.uri, ISSUER "/status/1"));
    assert_int_equal(entry_of(&second, 0), VIEW_HELD);
    assert_int_equal(entry_of(&second, 1), VIEW_ENDED);
    assert_int_equal(entry_of(&second, 2), VIEW_VALID);
    assert_int_equal(entry_of(&second, 3), VIEW_ENDED);
    refused(w, 2, MANDATE_NOT_FOUND);
    refused(w, STATUS_LISTS_MAX, MANDATE_NOT_FOUND);
    refused(w, UINT32_MAX, MANDATE_NOT_FOUND);
}

/* What one event did to very many counts from its commit, though their records follow. */
static void test_status_lists__who_waits_for_a_record_stands_as_it_will(void **state)
{
    world *w = *state;
    uint8_t waits[3] = {0, STATE_REVOKED + 1, STATE_SUSPENDED + 1};
    for (uint32_t i = 0; i < 3; i++)
        set(w, i, NONE, STATE_ACTIVE);
    set(w, 3, 1, STATE_ACTIVE);
    assert_int_equal(view_waiting(w->view, 0, 3, waits, false, NULL), MANDATE_OK);
    committed(w, 1);
    status_list l = list_of(w, 0);
    assert_int_equal(entry_of(&l, 0), VIEW_VALID);
    assert_int_equal(entry_of(&l, 1), VIEW_ENDED);
    assert_int_equal(entry_of(&l, 2), VIEW_HELD);
    assert_int_equal(entry_of(&l, 3), VIEW_ENDED);
}

static void test_status_lists__a_commit_or_an_expiry_makes_it_anew(void **state)
{
    world *w = *state;
    set(w, 0, NONE, STATE_ACTIVE);
    int64_t soon = clock_now_us() + INT64_C(3600) * 1000000;
    set_as(w, 1, NONE, STATE_ACTIVE, soon, false);
    set(w, 2, NONE, STATE_ACTIVE);
    committed(w, 1);
    status_list l = list_of(w, 0);
    assert_int_equal(entry_of(&l, 0), VIEW_VALID);
    assert_int_equal(entry_of(&l, 1), VIEW_VALID);
    clock_init(soon); /* an hour passes */
    wait_lag();
    l = list_of(w, 0); /* nothing was committed: it expired */
    assert_int_equal(entry_of(&l, 1), VIEW_ENDED);
    set(w, 0, NONE, STATE_REVOKED);
    committed(w, 2);
    wait_lag();
    l = list_of(w, 0);
    assert_int_equal(entry_of(&l, 0), VIEW_ENDED);
    assert_int_equal(entry_of(&l, 2), VIEW_VALID);
}

static void test_status_lists__a_stale_view_says_nothing(void **state)
{
    world *w = *state;
    set(w, 0, NONE, STATE_ACTIVE);
    committed(w, 1);
    (void)list_of(w, 0); /* kept */
    view_committed(w->view, 2, clock_now_us(), clock_monotonic_us() - 11 * 1000000);
    refused(w, 0, MANDATE_UNAVAILABLE);
    committed(w, 3);
    (void)list_of(w, 0);
}

/* The list that compresses worst is still a token that a signer away from here signs. */
static void test_status_lists__the_worst_of_lists_is_a_token(void **state)
{
    world *w = *state;
    static uint8_t bytes[STATUS_LIST_ENTRIES / 4];
    char uri[STATUS_LIST_URI_MAX];
    mandate_error err;
    uint64_t x = 88172645463325252u;
    buf payload, token;
    for (size_t i = 0; i < sizeof(bytes); i++) {
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        bytes[i] = (uint8_t)x;
    }
    memset(uri, 'u', sizeof(uri));
    status_list l = {.uri = mandate_slice_of(uri, sizeof(uri)),
                     .issued_at_s = INT32_MAX,
                     .expires_s = INT32_MAX,
                     .ttl_s = 5,
                     .bits = 2,
                     .bytes = mandate_slice_of((char *)bytes, sizeof(bytes))};
    buf_init(&payload);
    buf_init(&token);
    assert_int_equal(status_list_payload(&payload, &l, &err), MANDATE_OK);
    assert_int_equal(jws_sign(&token, w->signer.keys.keys[0], STATUS_LIST_TYP, buf_slice(&payload), &err), MANDATE_OK);
    assert_true(token.len > (size_t)STATUS_LIST_ENTRIES / 4);
    assert_true(token.len <= LIMIT_TOKEN);
    const char *what = "", *end = memrchr(token.data, '.', token.len);
    mandate_slice message = mandate_slice_of(token.data, (size_t)(end - token.data));
    assert_int_equal(signer_may_sign(SIGNER_TOKENS, w->signer.keys.keys[0], &w->a, message, &what, &err), MANDATE_OK);
    assert_string_equal(what, "status list");
    buf_deinit(&payload);
    buf_deinit(&token);
}

static void test_status_lists__a_handle_has_one_place(void **state)
{
    world *w = *state;
    status_place p = status_place_of(&w->a, mandate_slice_str(ISSUER), 7);
    assert_true(mandate_slice_is(p.uri, ISSUER "/status/0"));
    assert_int_equal(p.idx, 7);
    p = status_place_of(&w->a, mandate_slice_str(ISSUER "//"), 3 * STATUS_LIST_ENTRIES - 1);
    assert_true(mandate_slice_is(p.uri, ISSUER "/status/2"));
    assert_int_equal(p.idx, STATUS_LIST_ENTRIES - 1);
}

enum { MANY = 40000 };

/* Even ones below an ended mandate, odd ones below an active one. */
static void *add_many(void *opaque)
{
    world *w = opaque;
    for (uint32_t h = 2; h < MANY; h++)
        set(w, h, h % 2 ? 1 : 0, STATE_ACTIVE);
    return NULL;
}

static void test_status_lists__are_true_while_mandates_come(void **state)
{
    world *w = *state;
    static uint8_t out[MANY / 4];
    pthread_t writer;
    set(w, 0, NONE, STATE_REVOKED);
    set(w, 1, NONE, STATE_ACTIVE);
    assert_int_equal(pthread_create(&writer, NULL, add_many, w), 0);
    for (bool all = false; !all;) {
        all = view_has(w->view, MANY - 1);
        bool gap = false;
        assert_true(view_standings(w->view, 0, MANY, clock_now_us(), out) == FAR);
        for (uint32_t h = 0; h < MANY; h++) {
            unsigned is = out[h / 4] >> h % 4 * 2 & 3;
            if (h % 2 == 0)
                assert_int_equal(is, VIEW_ENDED);
            else if (is != VIEW_VALID)
                gap = true;
        }
        assert_false(all && gap);
    }
    pthread_join(writer, NULL);
}

static void done(service_request *r) { *(_Atomic bool *)r->ctx = true; }

static void test_status_lists__answers_on_its_own_thread(void **state)
{
    world *w = *state;
    _Atomic bool ended = false;
    service_request r = {.kind = SERVICE_STATUS_LIST, .list = 1, .done = done, .ctx = (void *)&ended};
    buf_init(&r.body);
    set(w, 0, NONE, STATE_ACTIVE);
    committed(w, 1);
    assert_true(status_lists_ask(w->lists, &r));
    while (!ended)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_int_equal(r.error.status, MANDATE_NOT_FOUND);
    ended = false;
    r.list = 0;
    assert_true(status_lists_ask(w->lists, &r));
    while (!ended)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    assert_int_equal(r.error.status, MANDATE_OK);
    assert_true(r.body.len > 100);
    buf_deinit(&r.body);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_status_lists__every_state_has_its_value),
        TEST(test_status_lists__what_an_ancestor_is_counts),
        TEST(test_status_lists__who_waits_for_a_record_stands_as_it_will),
        TEST(test_status_lists__a_commit_or_an_expiry_makes_it_anew),
        TEST(test_status_lists__a_stale_view_says_nothing),
        TEST(test_status_lists__the_worst_of_lists_is_a_token),
        TEST(test_status_lists__a_handle_has_one_place),
        TEST(test_status_lists__are_true_while_mandates_come),
        TEST(test_status_lists__answers_on_its_own_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

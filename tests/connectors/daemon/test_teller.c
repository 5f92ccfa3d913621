/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_teller - the engine's thread and the teller over a disk whose syncs are held: who hears of what, and when.
 */
#include "connectors/daemon/engine_thread.h"

#include "connectors/daemon/base/clock.h"
#include "connectors/daemon/view/view_int.h"
#include "tests/graph/world.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define S(text) MANDATE_SLICE_LIT(text)

typedef struct fixture {
    kv *faulty;
    session s;
    view *view;
    queue *queue;
    metrics metrics;
    engine_thread *loop;
    int64_t expires_at_us; /* 0: in an hour */
    const char *parent;    /* of what is issued; NULL: none */
} fixture;

static const mandate_slice anything[] = {MANDATE_SLICE_LIT("*")};

static void fixture_open(fixture *f, uint64_t after)
{
    mandate_error err;
    kv *inner = NULL;

    memset(f, 0, sizeof(*f));
    OK(kv_open_memory(&inner, &err));
    OK(kv_open_faulty(&f->faulty, inner, after, true, false, &err));
    session_open(&f->s, f->faulty);
    clock_init(engine_now_us(f->s.engine));
    OK(view_create(&f->view, &(view_options){.claims_load = store_claims_told, .claims_ctx = f->s.store}, &err));
    OK(queue_create(&f->queue, 1024, 4, &err));
    engine_thread_options options = {.engine = f->s.engine,
                                     .store = f->s.store,
                                     .schema = f->s.schema,
                                     .view = f->view,
                                     .queue = f->queue,
                                     .metrics = &f->metrics};
    OK(engine_thread_create(&f->loop, &options, &err));
    OK(engine_thread_catch_up(f->loop, &err));
    OK(engine_thread_start(f->loop, &err));
}

static void fixture_close(fixture *f)
{
    kv_faulty_hold(f->faulty, false);
    queue_close(f->queue);
    assert_true(engine_thread_join(f->loop, 60000));
    engine_thread_destroy(f->loop);
    queue_destroy(f->queue);
    view_destroy(f->view);
    session_close(&f->s);
}

/* --- asking --------------------------------------------------------------------------------------------------- */
typedef struct asked {
    service_request r;
    claims claims;
    char id[16];
    _Atomic bool done;
} asked;

static void on_done(service_request *r) { atomic_store(&((asked *)r->ctx)->done, true); }

static void submit(fixture *f, asked *a, service_kind kind, const char *id)
{
    *a = (asked){.r = {.kind = kind, .principal = S("user:grantor"), .note = S("so"), .done = on_done}};
    snprintf(a->id, sizeof(a->id), "%s", id);
    a->r.ctx = a;
    a->r.mandate = mandate_slice_str(a->id);
    buf_init(&a->r.body);
    if (kind == SERVICE_ISSUE) {
        a->claims = (claims){.id = a->r.mandate,
                             .parent = f->parent ? mandate_slice_str(f->parent) : (mandate_slice){0},
                             .issuer = S("https://mandates.example"),
                             .grantor = S("user:grantor"),
                             .agent = S("agent-1"),
                             .purpose = S("p"),
                             .actions = anything,
                             .action_count = 1,
                             .resources = anything,
                             .resource_count = 1,
                             .params = cel_null(),
                             .targets = cel_null(),
                             .depth_max = f->parent ? 4 : 5,
                             .expires_at_us = f->expires_at_us ? f->expires_at_us : clock_now_us() + INT64_C(3600000000)};
        a->r.claims = &a->claims;
    }
    assert_true(queue_try_push(f->queue, QUEUE_REQUESTS, &a->r));
}

static bool is_done(asked *a) { return atomic_load(&a->done); }

static void wait_done(asked *a)
{
    while (!is_done(a))
        usleep(200);
    if (a->r.error.status != MANDATE_OK)
        fail_msg("%s", a->r.error.text);
    buf_deinit(&a->r.body);
}

/* Told, and counted off as well, which is a moment later: what is in flight afterwards was asked for afterwards. */
static void now(fixture *f, service_kind kind, const char *id)
{
    asked a;
    submit(f, &a, kind, id);
    wait_done(&a);
    while (atomic_load(&f->metrics.in_flight) > 0)
        usleep(200);
}

static void wait_held(fixture *f)
{
    while (kv_faulty_held(f->faulty) == 0)
        usleep(200);
}

static void wait_in_flight(fixture *f, int64_t count)
{
    while (atomic_load(&f->metrics.in_flight) < count)
        usleep(200);
}

static service_verdict check(fixture *f, const char *id)
{
    service_check in = {.mandate = mandate_slice_str(id),
                        .subject_id = S("agent-1"),
                        .action = S("a"),
                        .resource = S("r/1"),
                        .params = cel_null()};
    service_verdict out;
    view_check(f->view, &in, clock_now_us(), clock_monotonic_us(), &out);
    return out;
}

static bool count_entry(void *ctx, outbox_key key, mandate_slice bytes)
{
    (void)key;
    (void)bytes;
    ++*(int *)ctx;
    return true;
}

static int outbox(fixture *f)
{
    int count = 0;
    mandate_error err;
    OK(store_outbox_each(f->s.store, (outbox_key){0, 0}, count_entry, &count, &err));
    return count;
}

/* --- tests -------------------------------------------------------------------------------------------------------- */
static void test_teller__nobody_hears_of_a_step_before_it_is_durable(void **state)
{
    fixture f;
    asked issue, get, unknown;
    uint8_t lists;

    fixture_open(&f, UINT64_MAX);
    kv_faulty_hold(f.faulty, true);
    submit(&f, &issue, SERVICE_ISSUE, "m-1");
    wait_held(&f);
    wait_in_flight(&f, 1);
    submit(&f, &get, SERVICE_GET, "m-1");     /* an answer from what is not durable */
    submit(&f, &unknown, SERVICE_GET, "m-2"); /* a refusal from it */
    wait_in_flight(&f, 2);
    usleep(20000);
    assert_false(is_done(&issue) || is_done(&get) || is_done(&unknown));
    assert_string_equal(check(&f, "m-1").reason, "unknown_mandate");
    assert_int_equal(outbox(&f), 0);
    (void)view_standings(f.view, 0, 1, clock_now_us(), &lists);
    assert_int_equal(lists & 3, VIEW_ENDED);
    kv_faulty_hold(f.faulty, false);
    wait_done(&issue);
    wait_done(&get);
    while (!is_done(&unknown))
        usleep(200);
    assert_int_equal(unknown.r.error.status, MANDATE_NOT_FOUND);
    buf_deinit(&unknown.r.body);
    assert_true(check(&f, "m-1").decision);
    assert_int_equal(outbox(&f), 1);
    fixture_close(&f);
}

static void test_teller__an_end_is_denied_when_written_and_told_when_durable(void **state)
{
    fixture f;
    asked revoke;
    uint8_t lists;

    fixture_open(&f, UINT64_MAX);
    now(&f, SERVICE_ISSUE, "m-1");
    assert_true(check(&f, "m-1").decision);
    kv_faulty_hold(f.faulty, true);
    submit(&f, &revoke, SERVICE_REVOKE, "m-1");
    wait_in_flight(&f, 1);
    service_verdict out = check(&f, "m-1");
    assert_false(out.decision);
    assert_int_equal(out.state, STATE_REVOKED);
    assert_false(is_done(&revoke));
    assert_int_equal(outbox(&f), 1);
    (void)view_standings(f.view, 0, 1, clock_now_us(), &lists); /* that is signed: it waits */
    assert_int_equal(lists & 3, VIEW_VALID);
    kv_faulty_hold(f.faulty, false);
    wait_done(&revoke);
    assert_int_equal(check(&f, "m-1").state, STATE_REVOKED);
    assert_int_equal(atomic_load(&f.view->early), 0);
    assert_int_equal(outbox(&f), 2);
    (void)view_standings(f.view, 0, 1, clock_now_us(), &lists);
    assert_int_equal(lists & 3, VIEW_ENDED);
    fixture_close(&f);
}

static void test_teller__a_grant_that_is_durable_late_undoes_no_later_end(void **state)
{
    fixture f;
    asked resume, revoke;

    fixture_open(&f, UINT64_MAX);
    now(&f, SERVICE_ISSUE, "m-1");
    now(&f, SERVICE_SUSPEND, "m-1");
    kv_faulty_hold(f.faulty, true);
    submit(&f, &resume, SERVICE_RESUME, "m-1");
    wait_held(&f);
    wait_in_flight(&f, 1);
    assert_int_equal(check(&f, "m-1").state, STATE_SUSPENDED); /* what it grants waits */
    submit(&f, &revoke, SERVICE_REVOKE, "m-1");
    wait_in_flight(&f, 2);
    assert_false(check(&f, "m-1").decision);
    kv_faulty_let(f.faulty, 1);
    wait_done(&resume);
    for (int i = 0; i < 100; i++) {
        service_verdict out = check(&f, "m-1");
        assert_false(out.decision);
        assert_int_equal(out.state, STATE_REVOKED);
    }
    assert_false(is_done(&revoke));
    kv_faulty_let(f.faulty, 1);
    wait_done(&revoke);
    assert_int_equal(check(&f, "m-1").state, STATE_REVOKED);
    assert_int_equal(atomic_load(&f.view->early), 0);
    fixture_close(&f);
}

static void test_teller__suspended_and_resumed_in_flight_is_denied_until_both_are_told(void **state)
{
    fixture f;
    asked suspend, resume;

    fixture_open(&f, UINT64_MAX);
    now(&f, SERVICE_ISSUE, "m-1");
    kv_faulty_hold(f.faulty, true);
    submit(&f, &suspend, SERVICE_SUSPEND, "m-1");
    wait_held(&f);
    wait_in_flight(&f, 1);
    submit(&f, &resume, SERVICE_RESUME, "m-1");
    wait_in_flight(&f, 2);
    assert_false(check(&f, "m-1").decision);
    kv_faulty_let(f.faulty, 1);
    wait_done(&suspend);
    assert_false(check(&f, "m-1").decision);
    kv_faulty_let(f.faulty, 1);
    wait_done(&resume);
    assert_true(check(&f, "m-1").decision);
    fixture_close(&f);
}

static void test_teller__steps_flow_while_one_is_synced_and_go_with_the_next_sync(void **state)
{
    enum { MANY = 40 };
    static asked issues[MANY];
    fixture f;

    fixture_open(&f, UINT64_MAX);
    kv_faulty_hold(f.faulty, true);
    for (int i = 0; i < MANY; i++) {
        char id[16];
        snprintf(id, sizeof(id), "m-%d", i);
        submit(&f, &issues[i], SERVICE_ISSUE, id);
        wait_in_flight(&f, i + 1); /* a step each */
        if (i == 0)
            wait_held(&f);
    }
    for (int i = 0; i < MANY; i++)
        assert_false(is_done(&issues[i]));
    kv_faulty_let(f.faulty, 2); /* the first one's, and that of all others */
    for (int i = 0; i < MANY; i++)
        wait_done(&issues[i]);
    fixture_close(&f);
}

static void test_teller__so_many_steps_are_in_flight_and_no_more(void **state)
{
    enum { MANY = STORE_IN_FLIGHT_MAX + 50 };
    static asked issues[MANY];
    fixture f;

    fixture_open(&f, UINT64_MAX);
    kv_faulty_hold(f.faulty, true);
    for (int i = 0; i < MANY; i++) {
        char id[16];
        snprintf(id, sizeof(id), "m-%d", i);
        submit(&f, &issues[i], SERVICE_ISSUE, id);
        if (i < STORE_IN_FLIGHT_MAX)
            wait_in_flight(&f, i + 1);
    }
    usleep(20000);
    assert_int_equal(atomic_load(&f.metrics.in_flight), STORE_IN_FLIGHT_MAX);
    kv_faulty_hold(f.faulty, false);
    for (int i = 0; i < MANY; i++)
        wait_done(&issues[i]);
    assert_int_equal(outbox(&f), MANY);
    fixture_close(&f);
}

static void test_teller__a_storm_of_ends_leaves_room_in_flight_for_inputs(void **state)
{
    enum { CHILDREN = LIMIT_BATCH_TRANSITIONS + LIMIT_SLICE * 2 * STORE_SLICES_IN_FLIGHT_MAX };
    static asked issues[CHILDREN];
    fixture f;
    asked end, other;

    fixture_open(&f, UINT64_MAX);
    now(&f, SERVICE_ISSUE, "root");
    f.parent = "root";
    f.expires_at_us = clock_now_us() + INT64_C(1000000000);
    for (int i = 0; i < CHILDREN; i++) {
        char id[16];
        snprintf(id, sizeof(id), "m-%d", i);
        submit(&f, &issues[i], SERVICE_ISSUE, id);
    }
    for (int i = 0; i < CHILDREN; i++)
        wait_done(&issues[i]);
    f.parent = NULL;
    while (atomic_load(&f.metrics.in_flight) > 0)
        usleep(200);
    kv_faulty_hold(f.faulty, true);
    submit(&f, &end, SERVICE_REVOKE, "root");
    wait_in_flight(&f, STORE_SLICES_IN_FLIGHT_MAX);
    usleep(20000);
    const int64_t storm = atomic_load(&f.metrics.in_flight);
    assert_true(storm < STORE_IN_FLIGHT_MAX / 2); /* a tick goes on as well, once a second */
    submit(&f, &other, SERVICE_ISSUE, "other");
    wait_in_flight(&f, storm + 1);
    assert_false(check(&f, "m-0").decision);
    kv_faulty_hold(f.faulty, false);
    wait_done(&end);
    wait_done(&other);
    while (outbox(&f) < 2 * (CHILDREN + 1) + 1)
        usleep(1000);
    fixture_close(&f);
}

static void test_teller__what_is_queued_is_durable_and_told_when_it_stops(void **state)
{
    fixture f;
    asked issue, get;

    fixture_open(&f, UINT64_MAX);
    kv_faulty_hold(f.faulty, true);
    submit(&f, &issue, SERVICE_ISSUE, "m-1");
    wait_in_flight(&f, 1);
    submit(&f, &get, SERVICE_GET, "m-1");
    queue_close(f.queue);
    assert_false(engine_thread_join(f.loop, 30)); /* it does not leave them behind */
    kv_faulty_hold(f.faulty, false);
    assert_true(engine_thread_join(f.loop, 60000));
    assert_true(is_done(&issue) && is_done(&get));
    buf_deinit(&issue.r.body);
    buf_deinit(&get.r.body);
    fixture_close(&f);
}

/* In a process of its own: it ends. */
static int fail_at(uint64_t after)
{
    static asked issues[50];
    fixture f;

    fixture_open(&f, after);
    for (int i = 0; i < 50; i++) {
        char id[16];
        snprintf(id, sizeof(id), "m-%d", i);
        submit(&f, &issues[i], SERVICE_ISSUE, id);
        while (!is_done(&issues[i]))
            usleep(100);
        /* Whatever is told is durable, and the other way round only after a moment. */
        if (store_durable(f.s.store) < issues[i].r.position)
            return 1;
    }
    return 0;
}

static void test_teller__a_failing_write_or_sync_ends_the_process(void **state)
{
    for (uint64_t after = 4; after < 30; after++) {
        int status = 0;
        char text[24];
        snprintf(text, sizeof(text), "%llu", (unsigned long long)after);
        pid_t child = fork();
        if (child == 0) {
            if (!freopen("/dev/null", "w", stderr))
                _exit(9);
            execl("/proc/self/exe", "fail_at", text, (char *)NULL);
            _exit(9);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        assert_int_equal(WEXITSTATUS(status), 70);
    }
}

int main(int argc, char **argv)
{
    if (argc == 2)
        return fail_at(strtoull(argv[1], NULL, 10));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_teller__nobody_hears_of_a_step_before_it_is_durable),
        cmocka_unit_test(test_teller__an_end_is_denied_when_written_and_told_when_durable),
        cmocka_unit_test(test_teller__a_grant_that_is_durable_late_undoes_no_later_end),
        cmocka_unit_test(test_teller__suspended_and_resumed_in_flight_is_denied_until_both_are_told),
        cmocka_unit_test(test_teller__steps_flow_while_one_is_synced_and_go_with_the_next_sync),
        cmocka_unit_test(test_teller__so_many_steps_are_in_flight_and_no_more),
        cmocka_unit_test(test_teller__a_storm_of_ends_leaves_room_in_flight_for_inputs),
        cmocka_unit_test(test_teller__what_is_queued_is_durable_and_told_when_it_stops),
        cmocka_unit_test(test_teller__a_failing_write_or_sync_ends_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

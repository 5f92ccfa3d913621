/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_durable - group commit: steps are written while an earlier one is synced, and nobody is told of them before.
 *
 * What must hold at any moment, and after a write, a sync, the power or the process has failed: whatever is durable is in the state that
 * a restart finds, and that state is a prefix of the steps.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "graph/audit.h"
#include "tests/graph/straight.h"

enum { STEPS = 40, SEED = 4 };

static mandate_status write_next(session *s, bool *waits, mandate_error *err)
{
    engine_batch batch;
    arena_reset(&s->arena);
    world_batch(&batch, &s->arena, SEED, s->seq + 1);
    return session_write(s, &batch, waits, err);
}

static void assert_recovers(kv *backend, uint64_t low, uint64_t high) { straight_again(backend, SEED, STEPS, low, high); }

/* --- failures ------------------------------------------------------------------------------------------------ */
/* Which steps had to be synced, of the last run. */
static bool must[STEPS + 1];

/* Writes STEPS steps and syncs after some of them, until something fails. Returns how far it was durable. */
static uint64_t run(session *s, uint64_t random, bool *failed, mandate_error *err)
{
    bool waits;
    memset(must, 0, sizeof(must));
    *failed = false;
    while (!*failed && s->seq < STEPS) {
        *failed = write_next(s, &waits, err) != MANDATE_OK;
        if (!*failed) {
            must[s->seq] = session_must_sync(s);
            assert_true(store_durable(s->store) <= s->seq);
            assert_int_equal(waits, store_durable(s->store) < s->seq);
        }
        if (!*failed && support_below(&random, 3) == 0)
            *failed = store_settle(s->store, err) != MANDATE_OK;
    }
    if (!*failed)
        *failed = store_settle(s->store, err) != MANDATE_OK;
    return store_durable(s->store);
}

static bool run_until_fault(kv *inner, uint64_t after, int mode)
{
    mandate_error err;
    kv *faulty = NULL;
    session s;
    bool failed, sticky = mode & 1, applied = mode & 2;
    OK(kv_open_faulty(&faulty, inner, after, sticky, applied, &err));
    session_open(&s, faulty);
    uint64_t durable = run(&s, (uint64_t)mode, &failed, &err);
    if (failed) {
        bool waits;
        store_commit_input in = {.engine = s.engine};
        assert_int_equal(err.advice, MANDATE_ADVICE_FATAL);
        REFUSED(store_write(s.store, &in, &waits, &err), MANDATE_IO, "restart the process");
        REFUSED(store_settle(s.store, &err), MANDATE_IO, "restart the process");
        assert_int_equal(store_durable(s.store), durable);
    }
    session_crash(&s);
    kv *left = kv_faulty_release(faulty);
    if (mode & 4)
        kv_memory_lose_unsynced(left);
    /* Steps that need no sync are durable with their predecessors, and lost with their offsets. */
    while (mode & 4 && durable && !must[durable])
        durable--;
    assert_recovers(left, durable, STEPS);
    return !failed;
}

static void test_durable__any_failing_write_or_sync_leaves_what_was_durable(void **state)
{
    mandate_error err;
    for (int mode = 0; mode < 8; mode++) {
        uint64_t after = 1; /* the dictionary */
        for (bool finished = false; !finished; after++) {
            kv *inner = NULL;
            OK(kv_open_memory(&inner, &err));
            finished = run_until_fault(inner, after, mode);
        }
        assert_true(after > STEPS + 5); /* syncs were among them */
    }
}

static void test_durable__a_power_failure_takes_nothing_that_was_durable(void **state)
{
    mandate_error err;
    bool lost = false, waits;
    for (uint64_t steps = 0; steps <= STEPS; steps++) {
        kv *backend = NULL;
        session s;
        uint64_t safe = 0, random = steps;
        OK(kv_open_memory(&backend, &err));
        session_open(&s, backend);
        while (s.seq < steps) {
            OK(write_next(&s, &waits, &err));
            if (support_below(&random, 4) == 0)
                OK(store_settle(s.store, &err));
            /* Steps that need no sync are lost with their offsets: what counts is the last one that needs it. */
            if (session_must_sync(&s) && store_durable(s.store) == s.seq)
                safe = s.seq;
        }
        session_crash(&s);
        kv_memory_lose_unsynced(backend);
        lost |= safe < steps;
        assert_recovers(backend, safe, steps);
    }
    assert_true(lost);
}

/* --- the watermark -------------------------------------------------------------------------------------------- */
static void plain(session *s, bool *waits)
{
    mandate_error err;
    engine_batch batch;
    arena_reset(&s->arena);
    world_plain_batch(&batch, &s->arena, s->seq + 1);
    OK(session_write(s, &batch, waits, &err));
}

static void issue(session *s, bool *waits)
{
    mandate_error err;
    engine_batch batch;
    arena_reset(&s->arena);
    world_issue_batch(&batch, &s->arena, s->seq + 1, (unsigned)s->seq + 1);
    OK(session_write(s, &batch, waits, &err));
}

static void test_durable__what_needs_no_sync_waits_for_its_predecessors_only(void **state)
{
    mandate_error err;
    kv *backend = NULL;
    session s;
    bool waits;
    OK(kv_open_memory(&backend, &err));
    session_open(&s, backend);
    plain(&s, &waits);
    assert_false(waits);
    assert_int_equal(store_durable(s.store), 1);
    issue(&s, &waits);
    assert_true(waits);
    plain(&s, &waits);
    assert_true(waits);
    assert_int_equal(store_durable(s.store), 1);
    OK(store_settle(s.store, &err));
    assert_int_equal(store_durable(s.store), 3);
    plain(&s, &waits);
    assert_false(waits);
    assert_int_equal(store_durable(s.store), 4);
    OK(store_settle(s.store, &err));
    session_close(&s);
}

static void plain_meanwhile(void *ctx)
{
    bool waits;
    plain(ctx, &waits);
    assert_true(waits);
}

/* Over a store that never fails by itself, which is returned; one step that must be synced is written. */
static kv *open_and_issue(session *s)
{
    mandate_error err;
    kv *inner = NULL, *faulty = NULL;
    bool waits;
    OK(kv_open_memory(&inner, &err));
    OK(kv_open_faulty(&faulty, inner, UINT64_MAX, false, false, &err));
    session_open(s, faulty);
    issue(s, &waits);
    return faulty;
}

static void test_durable__a_plain_step_that_comes_while_others_land_lands_with_them(void **state)
{
    mandate_error err;
    session s;
    kv *faulty = open_and_issue(&s);
    kv_faulty_meanwhile(faulty, plain_meanwhile, &s, 2); /* while it is synced, and while what came then is handed on */
    OK(store_settle(s.store, &err));
    assert_int_equal(s.seq, 3);
    assert_int_equal(store_durable(s.store), 3); /* nobody syncs for it: it would wait for ever */
    session_close(&s);
}

typedef struct settling {
    store *store;
    mandate_status status;
    pthread_t thread;
} settling;

static void *settle(void *opaque)
{
    settling *t = opaque;
    t->status = store_settle(t->store, NULL);
    return NULL;
}

/* Begins a sync that hangs. */
static settling settle_held(session *s, kv *faulty)
{
    settling t = {.store = s->store};
    kv_faulty_hold(faulty, true);
    return t;
}

static void begin(settling *t, kv *faulty)
{
    assert_int_equal(pthread_create(&t->thread, NULL, settle, t), 0);
    while (kv_faulty_held(faulty) == 0)
        usleep(200);
}

static void let_go(settling *t, kv *faulty)
{
    kv_faulty_hold(faulty, false);
    pthread_join(t->thread, NULL);
    assert_int_equal(t->status, MANDATE_OK);
}

static bool count_entry(void *ctx, outbox_key key, mandate_slice bytes)
{
    (void)key;
    (void)bytes;
    ++*(uint32_t *)ctx;
    return true;
}

static uint32_t outbox_count(session *s)
{
    mandate_error err;
    uint32_t count = 0;
    OK(store_outbox_each(s->store, (outbox_key){0, 0}, count_entry, &count, &err));
    return count;
}

static void test_durable__while_a_sync_hangs_steps_are_written_and_nobody_sees_them(void **state)
{
    mandate_error err;
    session s;
    bool waits;
    kv *faulty = open_and_issue(&s);
    settling t = settle_held(&s, faulty);
    begin(&t, faulty);
    for (int i = 0; i < 10; i++)
        issue(&s, &waits); /* the engine's thread goes on */
    assert_true(waits);
    assert_int_equal(s.seq, 11);
    assert_int_equal(store_durable(s.store), 0);
    assert_int_equal(outbox_count(&s), 0);
    assert_int_equal(store_audit_size(s.store), 0);
    let_go(&t, faulty);
    /* What was written when the sync began is durable, and what came behind it is not: a power failure now has it that way, too. */
    assert_int_equal(store_durable(s.store), 1);
    assert_int_equal(outbox_count(&s), 1);
    assert_int_equal(store_audit_size(s.store), 1);
    OK(store_settle(s.store, &err));
    assert_int_equal(store_durable(s.store), 11);
    assert_int_equal(outbox_count(&s), 11);
    assert_int_equal(store_audit_size(s.store), 11);
    session_close(&s);
}

/* --- what was told -------------------------------------------------------------------------------------------- */
static int64_t expiry_of(session *s, bool told)
{
    mandate_error err;
    mandate_slice bytes;
    claims c;
    arena a;
    arena_init(&a, 0);
    OK((told ? store_claims_told : store_claims_load)(s->store, &a, mandate_slice_str("m-1"), &bytes, &err));
    OK(claims_decode(&c, &a, bytes, &err));
    int64_t out = c.expires_at_us;
    arena_deinit(&a);
    return out;
}

static void amend(session *s, int64_t expires_at_us)
{
    mandate_error err;
    bool waits;
    claims c = {.expires_at_us = expires_at_us, .given = CLAIMS_GIVEN(EXPIRES_AT)};
    c.params = c.targets = cel_null();
    c.depth_max = CLAIMS_DEPTH_UNSET;
    engine_input input = {.kind = INPUT_COMMAND,
                          .command = {.kind = COMMAND_AMEND,
                                      .mandate = mandate_slice_str("m-1"),
                                      .principal = mandate_slice_str("user:grantor"),
                                      .claims = &c}};
    engine_batch batch = {.seq = s->seq + 1, .now_us = engine_now_us(s->engine) + 1, .inputs = &input, .count = 1};
    OK(session_write(s, &batch, &waits, &err));
    assert_int_equal(s->result.answers[0].error.status, MANDATE_OK);
    assert_true(waits);
}

static void test_durable__claims_are_told_as_amended_once_that_is_durable(void **state)
{
    mandate_error err;
    kv *backend = NULL;
    session s;
    bool waits;
    OK(kv_open_memory(&backend, &err));
    session_open(&s, backend);
    issue(&s, &waits);
    OK(store_settle(s.store, &err));
    int64_t first = expiry_of(&s, true), second = first - 1000000, third = first - 2000000;
    amend(&s, second);
    assert_int_equal(expiry_of(&s, true), first);
    assert_int_equal(expiry_of(&s, false), second);
    amend(&s, third);
    assert_int_equal(expiry_of(&s, true), first);
    OK(store_settle(s.store, &err));
    assert_int_equal(expiry_of(&s, true), third);
    amend(&s, third - 1000000);
    assert_int_equal(expiry_of(&s, true), third);
    OK(store_settle(s.store, &err));
    session_close(&s);
}

static void test_durable__a_step_says_what_is_in_its_outbox(void **state)
{
    mandate_error err;
    kv *backend = NULL;
    session s;
    buf said, there;
    uint32_t entries = 0;
    buf_init(&said);
    buf_init(&there);
    OK(kv_open_memory(&backend, &err));
    session_open(&s, backend);
    for (uint64_t seq = 1; seq <= STEPS; seq++) {
        engine_batch batch;
        arena_reset(&s.arena);
        world_batch(&batch, &s.arena, SEED, seq);
        OK(engine_step(s.engine, &batch, &s.result, &err));
        buf_reset(&said);
        store_commit_input in = {.engine = s.engine, .batch = &batch, .result = &s.result, .said = &said};
        OK(store_commit(s.store, &in, &err));
        mandate_slice rest = buf_slice(&said), entry;
        for (outbox_key key; store_said_next(&rest, seq, &key, &entry); entries++) {
            assert_int_equal(key.seq, seq);
            buf_printf(&there, "%llu/%u ", (unsigned long long)key.seq, key.index);
            buf_put_slice(&there, entry);
            buf_put_char(&there, '\n');
        }
    }
    assert_true(entries > 20);
    /* Every line of the outbox, but for the notices, which no step says: they are sorted otherwise. */
    buf_reset(&said);
    session_outbox(&s, &said);
    assert_true(there.len <= said.len);
    mandate_slice rest = buf_slice(&there);
    while (rest.len) {
        size_t line = (size_t)((const char *)memchr(rest.ptr, ' ', rest.len) - rest.ptr) + 1;
        assert_non_null(memmem(said.data, said.len, rest.ptr, line));
        const char *end = memchr(rest.ptr, '\n', rest.len);
        rest = mandate_slice_of(end + 1, rest.len - (size_t)(end + 1 - rest.ptr));
        while (rest.len && !(rest.ptr[0] >= '0' && rest.ptr[0] <= '9')) { /* a line's bytes may hold a newline */
            end = memchr(rest.ptr, '\n', rest.len);
            rest = end ? mandate_slice_of(end + 1, rest.len - (size_t)(end + 1 - rest.ptr)) : mandate_slice_of(NULL, 0);
        }
    }
    buf_deinit(&said);
    buf_deinit(&there);
    session_close(&s);
}

/* --- kill -9 ----------------------------------------------------------------------------------------------------- */
typedef struct telling {
    store *store;
    _Atomic bool stop;
    int out;
} telling;

/* Syncs for ever, and says after each time how far it is durable. */
static void *teller(void *opaque)
{
    telling *t = opaque;
    for (uint64_t before = 0; !t->stop;) {
        if (store_settle(t->store, NULL) != MANDATE_OK)
            return NULL;
        uint64_t durable = store_durable(t->store);
        if (durable != before && write(t->out, &durable, sizeof(durable)) != sizeof(durable))
            return NULL;
        before = durable;
    }
    return NULL;
}

static int committer(const char *directory, int out)
{
    mandate_error err;
    kv *backend = NULL;
    session s;
    pthread_t thread;
    bool waits;
    world_options =
        (store_options){.horizon_us = 20 * 1000000, .cut_inputs = 50, .cut_bytes = 1 << 20, .cut_interval_us = INT64_MAX};
    if (kv_open_rocksdb(&backend, directory, &err) != MANDATE_OK || session_try_open(&s, backend, &err) != MANDATE_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    telling t = {.store = s.store, .out = out};
    if (pthread_create(&thread, NULL, teller, &t) != 0)
        return 2;
    for (;;) {
        if (s.seq - store_durable(s.store) < STORE_IN_FLIGHT_MAX && write_next(&s, &waits, &err) != MANDATE_OK) {
            fprintf(stderr, "%s\n", err.text);
            return 3;
        }
    }
}

static pid_t committer_start(const char *directory, int *in)
{
    int fds[2];
    char out[16];
    assert_int_equal(pipe(fds), 0);
    snprintf(out, sizeof(out), "%d", fds[1]);
    pid_t child = fork();
    if (child == 0) {
        close(fds[0]);
        execl("/proc/self/exe", "committer", directory, out, (char *)NULL);
        _exit(9);
    }
    close(fds[1]);
    *in = fds[0];
    return child;
}

static void test_durable__a_killed_process_reopens_with_everything_it_told(void **state)
{
    enum { KILLS = 15 };
    mandate_error err;
    char directory[256];
    uint64_t random = 11, before = 0;
    support_directory(directory);
    for (int i = 0; i < KILLS && before < 3000; i++) {
        int in = -1, exited = 0;
        uint64_t told = before, seen = 0, want = before + support_below(&random, 60);
        pid_t child = committer_start(directory, &in);
        while (told <= want && read(in, &seen, sizeof(seen)) == sizeof(seen))
            told = seen;
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &exited, 0), child);
        assert_true(WIFSIGNALED(exited));
        while (read(in, &seen, sizeof(seen)) == sizeof(seen))
            told = seen;
        close(in);
        kv *backend = NULL;
        session s;
        OK(kv_open_rocksdb(&backend, directory, &err));
        session_open(&s, backend);
        assert_true(s.seq >= told);
        assert_true(s.seq < STRAIGHT_MAX);
        straight_run(SEED, s.seq);
        assert_hash_equal(session_hash(&s), straight[s.seq]);
        before = s.seq;
        kv_close(session_crash(&s));
    }
    assert_true(before > KILLS);
    support_remove(directory);
}

static int setup(void **state)
{
    (void)state;
    world_options = (store_options){.cut_inputs = UINT64_MAX, .cut_bytes = UINT64_MAX, .cut_interval_us = INT64_MAX};
    straight_run(SEED, STEPS);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3)
        return committer(argv[1], atoi(argv[2]));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_durable__any_failing_write_or_sync_leaves_what_was_durable, setup),
        cmocka_unit_test_setup(test_durable__a_power_failure_takes_nothing_that_was_durable, setup),
        cmocka_unit_test(test_durable__what_needs_no_sync_waits_for_its_predecessors_only),
        cmocka_unit_test(test_durable__a_plain_step_that_comes_while_others_land_lands_with_them),
        cmocka_unit_test(test_durable__while_a_sync_hangs_steps_are_written_and_nobody_sees_them),
        cmocka_unit_test(test_durable__claims_are_told_as_amended_once_that_is_durable),
        cmocka_unit_test(test_durable__a_step_says_what_is_in_its_outbox),
        cmocka_unit_test_setup(test_durable__a_killed_process_reopens_with_everything_it_told, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

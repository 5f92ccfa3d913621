/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_faults - what the store promises when the disk, the power or the process fails.
 *
 * The one invariant, whatever happens where: after reopening, the state is exactly that of a prefix of
 * the committed steps; a step that a caller was told of and that had to be synced is in it; and going on
 * from there leads to the same end as if nothing had happened.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/graph/straight.h"

enum { STEPS = 25, SEED = 4 };

static void assert_recovers(kv *backend, uint64_t low, uint64_t high) { straight_again(backend, SEED, STEPS, low, high); }

/* Entities only in the journal. */
static const store_options never = {.cut_inputs = UINT64_MAX, .cut_bytes = UINT64_MAX, .cut_interval_us = INT64_MAX};

static int setup(void **state)
{
    world_options = never;
    straight_run(SEED, STEPS);
    return 0;
}

/* Runs the history over a kv whose `after`-th write fails. True when it got to the end without. */
static bool run_until_fault(kv *inner, uint64_t after, bool sticky, bool applied)
{
    mandate_error err;
    kv *faulty = NULL;
    session s;
    bool finished = false;
    OK(kv_open_faulty(&faulty, inner, after, sticky, applied, &err));
    memset(&s, 0, sizeof(s));
    s.schema = world_schema(false);
    arena_init(&s.arena, 0);
    if (store_open(&s.store, faulty, s.schema, &err) != MANDATE_OK) {
        /* The dictionary could not be written: nothing was promised. */
        schema_destroy(s.schema);
        arena_deinit(&s.arena);
        assert_recovers(kv_faulty_release(faulty), 0, 0);
        return false;
    }
    if (world_options.cut_inputs)
        store_configure(s.store, &world_options);
    s.engine = world_engine(&s);
    while (s.seq < STEPS && session_advance(&s, SEED, &err) == MANDATE_OK)
        ;
    finished = s.seq == STEPS;
    uint64_t acked = s.seq;
    if (!finished) {
        assert_int_equal(err.advice, MANDATE_ADVICE_FATAL);
        outbox_key key = {1, 0};
        store_commit_input in = {.engine = s.engine};
        REFUSED(store_commit(s.store, &in, &err), MANDATE_IO, "restart the process");
        REFUSED(store_acknowledge(s.store, &key, 1, &err), MANDATE_IO, "restart the process");
    }
    session_crash(&s);
    /* With cuts the write that failed may have come after the step's own. */
    bool cuts = world_options.cut_inputs != UINT64_MAX;
    uint64_t low = acked + (!finished && applied && !cuts);
    assert_recovers(kv_faulty_release(faulty), low, cuts ? acked + !finished : low);
    return finished;
}

static void test_faults__any_failing_write_leaves_a_prefix(void **state)
{
    mandate_error err;
    for (int mode = 0; mode < 4; mode++) {
        uint64_t after = 0;
        for (bool finished = false; !finished; after++) {
            kv *inner = NULL;
            OK(kv_open_memory(&inner, &err));
            finished = run_until_fault(inner, after, mode & 1, mode & 2);
        }
        assert_int_equal(after, STEPS + 2); /* the dictionary, the steps, and one to see the end */
    }
}

static void test_faults__a_failing_write_to_disk_leaves_a_prefix(void **state)
{
    mandate_error err;
    for (uint64_t after = 0; after < STEPS; after += 3) {
        char directory[256];
        kv *inner = NULL;
        support_directory(directory);
        OK(kv_open_rocksdb(&inner, directory, &err));
        assert_false(run_until_fault(inner, after, true, after % 2));
        support_remove(directory);
    }
}

/* --- entities that follow behind --------------------------------------------------------------------------- */
/* A cut after every few inputs, with a history of a few steps, so that everything about it happens all the time. */
static const store_options eager = {
    .horizon_us = 20 * 1000000, .cut_inputs = 7, .cut_bytes = 1 << 20, .cut_interval_us = INT64_MAX};
static const store_options forgetful = {
    .horizon_us = 0, .cut_inputs = 3, .cut_bytes = 1 << 20, .cut_interval_us = INT64_MAX};

static int no_cuts(void **state)
{
    world_options = (store_options){0};
    return 0;
}

static void test_faults__any_failing_write_of_a_cut_leaves_a_prefix(void **state)
{
    mandate_error err;
    for (int mode = 0; mode < 8; mode++) {
        uint64_t after = 0;
        world_options = mode & 4 ? forgetful : eager;
        for (bool finished = false; !finished; after++) {
            kv *inner = NULL;
            OK(kv_open_memory(&inner, &err));
            finished = run_until_fault(inner, after, mode & 1, mode & 2);
        }
        assert_true(after > STEPS + 10); /* cuts were written, too */
    }
}

static void test_faults__a_power_failure_between_cuts_loses_no_synced_step(void **state)
{
    mandate_error err;
    for (int mode = 0; mode < 2; mode++) {
        world_options = mode ? forgetful : eager;
        for (uint64_t steps = 0; steps <= STEPS; steps++) {
            kv *backend = NULL;
            session s;
            uint64_t safe = 0;
            OK(kv_open_memory(&backend, &err));
            session_open(&s, backend);
            while (s.seq < steps) {
                OK(session_advance(&s, SEED, &err));
                safe = session_must_sync(&s) ? s.seq : safe;
            }
            session_crash(&s);
            kv_memory_lose_unsynced(backend);
            assert_recovers(backend, safe, steps);
        }
    }
}

static void test_faults__a_flushed_store_has_nothing_to_replay(void **state)
{
    mandate_error err;
    kv *backend = NULL;
    session s;
    world_options = eager;
    OK(kv_open_memory(&backend, &err));
    session_open(&s, backend);
    while (s.seq < 11)
        OK(session_advance(&s, SEED, &err));
    OK(store_flush(s.store, s.engine, &err));
    assert_int_equal(engine_unsaved(s.engine), 0);
    session_open(&s, session_crash(&s));
    assert_int_equal(engine_unsaved(s.engine), 0); /* what a replay touches would be */
    assert_hash_equal(session_hash(&s), straight[11]);
    session_close(&s);
}

/* --- power --------------------------------------------------------------------------------------------- */
static void test_faults__a_power_failure_loses_no_synced_step(void **state)
{
    mandate_error err;
    bool lost = false;
    for (uint64_t steps = 0; steps <= STEPS; steps++) {
        kv *backend = NULL;
        session s;
        uint64_t safe = 0;
        OK(kv_open_memory(&backend, &err));
        session_open(&s, backend);
        while (s.seq < steps) {
            OK(session_advance(&s, SEED, &err));
            safe = session_must_sync(&s) ? s.seq : safe;
        }
        session_crash(&s);
        kv_memory_lose_unsynced(backend);
        lost = lost || safe < steps;
        assert_recovers(backend, safe, safe);
    }
    assert_true(lost);
}

static void test_faults__a_synced_store_survives_a_power_failure_whole(void **state)
{
    mandate_error err;
    kv *backend = NULL;
    session s;
    engine_batch batch;
    OK(kv_open_memory(&backend, &err));
    session_open(&s, backend);
    OK(store_sync(s.store, &err));
    for (uint64_t seq = 1; seq <= 3; seq++) {
        world_plain_batch(&batch, &s.arena, seq);
        OK(session_commit(&s, &batch, &err));
    }
    OK(store_sync(s.store, &err));
    state_hash before = session_hash(&s);
    session_crash(&s);
    kv_memory_lose_unsynced(backend);
    session_open(&s, backend);
    assert_int_equal(s.seq, 3);
    assert_hash_equal(session_hash(&s), before);
    session_close(&s);
}

static void test_faults__a_closed_store_has_its_anchor(void **state)
{
    mandate_error err;
    char directory[256], path[300];
    kv *backend = NULL;
    session s;
    engine_batch batch;
    support_directory(directory);
    OK(kv_open_rocksdb(&backend, directory, &err));
    session_open(&s, backend);
    for (uint64_t seq = 1; seq <= 3; seq++) {
        world_plain_batch(&batch, &s.arena, seq);
        OK(session_commit(&s, &batch, &err));
    }
    snprintf(path, sizeof(path), "%s.anchor", directory);
    assert_false(support_exists(path));
    session_close(&s);
    assert_true(support_exists(path));
    support_remove(directory);
}

/* --- kill -9 --------------------------------------------------------------------------------------------- */
/* Commits for ever and says after each step how far it is, and whether that step had to be synced. */
static int committer(const char *directory, int out)
{
    mandate_error err;
    kv *backend = NULL;
    session s;
    if (getenv("COMMITTER_CUTS"))
        world_options = eager;
    if (kv_open_rocksdb(&backend, directory, &err) != MANDATE_OK || session_try_open(&s, backend, &err) != MANDATE_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    while (session_advance(&s, SEED, &err) == MANDATE_OK)
        if (write(out, &s.seq, sizeof(s.seq)) != sizeof(s.seq))
            return 2;
    fprintf(stderr, "%s\n", err.text);
    return 3;
}

/* A process of its own, not a fork that inherits half of RocksDB's threads. */
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

static void assert_survives_kills(void)
{
    enum { KILLS = 40 };
    mandate_error err;
    char directory[256];
    uint64_t random = 11, before = 0;
    support_directory(directory);
    for (int kill_count = 0; kill_count < KILLS; kill_count++) {
        int in = -1, exited = 0;
        uint64_t acked = before, seen = 0, want = before + support_below(&random, 12);
        pid_t child = committer_start(directory, &in);
        while (acked < want && read(in, &seen, sizeof(seen)) == sizeof(seen))
            acked = seen;
        usleep((useconds_t)support_below(&random, 3000));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &exited, 0), child);
        assert_true(WIFSIGNALED(exited));
        while (read(in, &seen, sizeof(seen)) == sizeof(seen))
            acked = seen;
        close(in);

        kv *backend = NULL;
        session s;
        OK(kv_open_rocksdb(&backend, directory, &err));
        session_open(&s, backend);
        assert_true(s.seq == acked || s.seq == acked + 1);
        assert_true(s.seq < STRAIGHT_MAX);
        straight_run(SEED, s.seq);
        assert_hash_equal(session_hash(&s), straight[s.seq]);
        before = s.seq;
        kv_close(session_crash(&s));
    }
    assert_true(before > KILLS);
    support_remove(directory);
}

static void test_faults__a_killed_process_reopens_with_every_step(void **state) { assert_survives_kills(); }

/* The child has the same options: a kill falls into sorting, tables, folding, dropping. */
static void test_faults__a_process_killed_in_a_cut_reopens_with_every_step(void **state)
{
    world_options = eager;
    setenv("COMMITTER_CUTS", "1", 1);
    assert_survives_kills();
    unsetenv("COMMITTER_CUTS");
}

int main(int argc, char **argv)
{
    if (argc == 3)
        return committer(argv[1], atoi(argv[2]));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_faults__any_failing_write_leaves_a_prefix, setup),
        cmocka_unit_test_setup(test_faults__a_failing_write_to_disk_leaves_a_prefix, setup),
        cmocka_unit_test_setup(test_faults__a_power_failure_loses_no_synced_step, setup),
        cmocka_unit_test(test_faults__a_synced_store_survives_a_power_failure_whole),
        cmocka_unit_test(test_faults__a_closed_store_has_its_anchor),
        cmocka_unit_test(test_faults__a_killed_process_reopens_with_every_step),
        cmocka_unit_test_setup_teardown(test_faults__any_failing_write_of_a_cut_leaves_a_prefix, setup, no_cuts),
        cmocka_unit_test_setup_teardown(test_faults__a_power_failure_between_cuts_loses_no_synced_step, setup, no_cuts),
        cmocka_unit_test_setup_teardown(test_faults__a_flushed_store_has_nothing_to_replay, setup, no_cuts),
        cmocka_unit_test_teardown(test_faults__a_process_killed_in_a_cut_reopens_with_every_step, no_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

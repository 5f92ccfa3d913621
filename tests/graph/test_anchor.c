/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_anchor - the high-water mark: read back, torn, unreadable, and what it is for: a database that
 * silently became older is refused.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "graph/anchor.h"
#include "tests/graph/world.h"

typedef struct fixture {
    char directory[256], path[300];
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    support_directory(f->directory);
    snprintf(f->path, sizeof(f->path), "%s.anchor", f->directory);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    support_remove(f->directory);
    free(f);
    return 0;
}

static void put(const char *directory, uint64_t from, uint64_t to)
{
    mandate_error err;
    anchor *a = NULL;
    uint64_t seq = 0;
    OK(anchor_open(&a, &seq, directory, &err));
    for (uint64_t i = from; i <= to; i++)
        OK(anchor_put(a, i, &err));
    anchor_close(a);
}

static uint64_t get(const char *directory)
{
    mandate_error err;
    anchor *a = NULL;
    uint64_t seq = 0;
    OK(anchor_open(&a, &seq, directory, &err));
    anchor_close(a);
    return seq;
}

static void spoil(const char *path, off_t at)
{
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "?", 1, at), 1);
    close(fd);
}

static void test_anchor__it_says_what_was_put_last(void **state)
{
    fixture *f = *state;
    char slashes[300];
    assert_int_equal(get(f->directory), 0);
    assert_false(support_exists(f->path));
    put(f->directory, 1, 1);
    assert_int_equal(get(f->directory), 1);
    put(f->directory, 2, 1000);
    assert_int_equal(get(f->directory), 1000);
    put(f->directory, UINT64_MAX - 1, UINT64_MAX - 1);
    snprintf(slashes, sizeof(slashes), "%s//", f->directory);
    assert_true(get(slashes) == UINT64_MAX - 1);
}

static void test_anchor__a_torn_write_leaves_the_one_before(void **state)
{
    fixture *f = *state;
    for (int sector = 0; sector < 2; sector++) {
        unlink(f->path);
        put(f->directory, 7, 8 + (uint64_t)sector);
        spoil(f->path, sector * 512 + 30);
        assert_int_equal(get(f->directory), 7 + sector);
        /* and the next put overwrites the torn one */
        put(f->directory, 20, 20);
        assert_int_equal(get(f->directory), 20);
        spoil(f->path, !sector * 512 + 30);
        assert_int_equal(get(f->directory), 20);
    }
}

static void test_anchor__a_link_under_the_name_of_its_draft_is_not_written_through(void **state)
{
    fixture *f = *state;
    char draft[320], victim[320], text[8] = "";
    snprintf(draft, sizeof(draft), "%s.new", f->path);
    snprintf(victim, sizeof(victim), "%s.victim", f->path);
    support_file_write(victim, "precious");
    assert_int_equal(symlink(victim, draft), 0);
    put(f->directory, 1, 2);
    assert_int_equal(get(f->directory), 2);
    int fd = open(victim, O_RDONLY);
    assert_int_equal(read(fd, text, 8), 8);
    close(fd);
    assert_memory_equal(text, "precious", 8);
    assert_int_equal(unlink(victim), 0);
}

static void test_anchor__an_unreadable_file_is_refused(void **state)
{
    fixture *f = *state;
    mandate_error err;
    anchor *a = NULL;
    uint64_t seq = 0;
    put(f->directory, 1, 5);
    spoil(f->path, 3);
    spoil(f->path, 512 + 60);
    REFUSED(anchor_open(&a, &seq, f->directory, &err), MANDATE_CORRUPT, "unreadable");
    assert_int_equal(truncate(f->path, 0), 0);
    REFUSED(anchor_open(&a, &seq, f->directory, &err), MANDATE_CORRUPT, "unreadable");
}

/* --- with a database --------------------------------------------------------------------------------- */
static void run(const char *directory, int steps)
{
    mandate_error err;
    kv *backend = NULL;
    session s;
    engine_batch batch;
    OK(kv_open_rocksdb(&backend, directory, &err));
    session_open(&s, backend);
    for (int i = 0; i < steps; i++) {
        arena_reset(&s.arena);
        world_issue_batch(&batch, &s.arena, s.seq + 1, (unsigned)s.seq + 1);
        OK(session_commit(&s, &batch, &err));
    }
    session_close(&s);
}

static bool count_steps(void *ctx, uint64_t seq, mandate_slice batch)
{
    uint64_t *next = ctx;
    assert_int_equal(seq, (*next)++);
    return true;
}

static mandate_status try_open(const char *directory, mandate_error *err)
{
    kv *backend = NULL;
    store *st = NULL;
    schema *s = world_schema(false);
    mandate_status status = kv_open_rocksdb(&backend, directory, err);
    assert_int_equal(status, MANDATE_OK);
    status = store_open(&st, backend, s, err);
    if (status == MANDATE_OK)
        store_close(st);
    else
        kv_close(backend);
    schema_destroy(s);
    return status;
}

static void test_anchor__a_database_without_its_log_is_refused(void **state)
{
    fixture *f = *state;
    mandate_error err;
    char log[512];
    run(f->directory, 20);
    assert_true(support_newest_log(log, f->directory));
    assert_int_equal(unlink(log), 0);
    REFUSED(try_open(f->directory, &err), MANDATE_CORRUPT, "but step 20 was synced");
    assert_non_null(strstr(err.text, f->path));
    /* What the sentence says is what helps. */
    assert_int_equal(unlink(f->path), 0);
    OK(try_open(f->directory, &err));
}

static void test_anchor__a_log_cut_to_half_is_refused(void **state)
{
    fixture *f = *state;
    mandate_error err;
    char log[512];
    run(f->directory, 20);
    assert_true(support_newest_log(log, f->directory));
    int fd = open(log, O_RDWR);
    off_t size = lseek(fd, 0, SEEK_END);
    assert_int_equal(ftruncate(fd, size / 2), 0);
    close(fd);
    REFUSED(try_open(f->directory, &err), MANDATE_CORRUPT, "was synced");
}

/* Wherever a byte of the log changes, the database is refused or complete, never older. The last bytes, where a
 * flip looks like a record that was being written, are all tried. */
static void test_anchor__no_flipped_byte_makes_a_database_older(void **state)
{
    enum { TAIL = 16, ELSEWHERE = 24 };
    fixture *f = *state;
    mandate_error err;
    uint64_t random = 3;
    int refused = 0;
    for (int i = 0; i < TAIL + ELSEWHERE; i++) {
        char log[512];
        char byte = 0;
        kv *backend = NULL;
        store *st = NULL;
        support_remove(f->directory);
        run(f->directory, 4);
        assert_true(support_newest_log(log, f->directory));
        int fd = open(log, O_RDWR);
        off_t size = lseek(fd, 0, SEEK_END);
        off_t at = i < TAIL ? size - 1 - i * 7 : (off_t)support_below(&random, (uint64_t)size);
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        byte = (char)(byte ^ (1 << support_below(&random, 8)));
        assert_int_equal(pwrite(fd, &byte, 1, at), 1);
        close(fd);

        schema *s = world_schema(false);
        mandate_status status = kv_open_rocksdb(&backend, f->directory, &err);
        if (status == MANDATE_OK && (status = store_open(&st, backend, s, &err)) != MANDATE_OK)
            kv_close(backend);
        if (status == MANDATE_OK) {
            uint64_t next = 1;
            OK(store_journal_each(st, 1, UINT64_MAX, count_steps, &next, &err));
            assert_int_equal(next, 5);
            store_close(st);
        } else {
            assert_int_equal(status, MANDATE_CORRUPT);
            refused++;
        }
        schema_destroy(s);
    }
    assert_true(refused > 0);
}

static void test_anchor__a_database_that_was_replaced_by_nothing_is_refused(void **state)
{
    fixture *f = *state;
    mandate_error err;
    char kept[400];
    run(f->directory, 3);
    snprintf(kept, sizeof(kept), "%s.kept", f->path);
    assert_int_equal(rename(f->path, kept), 0);
    support_remove(f->directory);
    assert_int_equal(rename(kept, f->path), 0);
    REFUSED(try_open(f->directory, &err), MANDATE_CORRUPT, "ends with step 0, but step 3 was");
}

static void test_anchor__a_checkpoint_has_its_own(void **state)
{
    fixture *f = *state;
    mandate_error err;
    kv *backend = NULL;
    session s;
    char copy[300];
    run(f->directory, 4);
    snprintf(copy, sizeof(copy), "%s/copy/", f->directory);
    OK(kv_open_rocksdb(&backend, f->directory, &err));
    session_open(&s, backend);
    OK(store_checkpoint(s.store, copy, NULL, &err));
    session_close(&s);
    run(f->directory, 2);
    assert_int_equal(get(f->directory), 6);
    assert_int_equal(get(copy), 4);
    OK(try_open(copy, &err));
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_anchor__it_says_what_was_put_last),
        CASE(test_anchor__a_torn_write_leaves_the_one_before),
        CASE(test_anchor__a_link_under_the_name_of_its_draft_is_not_written_through),
        CASE(test_anchor__an_unreadable_file_is_refused),
        CASE(test_anchor__a_database_without_its_log_is_refused),
        CASE(test_anchor__a_log_cut_to_half_is_refused),
        CASE(test_anchor__no_flipped_byte_makes_a_database_older),
        CASE(test_anchor__a_database_that_was_replaced_by_nothing_is_refused),
        CASE(test_anchor__a_checkpoint_has_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

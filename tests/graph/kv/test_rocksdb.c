/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_rocksdb - what only a directory on disk can do: be locked, damaged, foreign, copied, killed.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "graph/kv/kv.h"
#include "tests/graph/support.h"

typedef struct fixture {
    char directory[256];
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    support_directory(f->directory);
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

static void put_number(kv *store, uint64_t number, size_t size, bool sync)
{
    mandate_error err;
    kv_batch *batch = NULL;
    char key[32];
    char *value = calloc(1, size);
    snprintf(key, sizeof(key), "%08llu", (unsigned long long)number);
    OK(kv_batch_create(&batch, store, &err));
    kv_batch_put(batch, KV_JOURNAL, mandate_slice_str(key), mandate_slice_of(value, size));
    kv_batch_put(batch, KV_META, mandate_slice_str("last"), mandate_slice_str(key));
    OK(kv_write(store, batch, sync, &err));
    kv_batch_destroy(batch);
    free(value);
}

static void fill(const char *directory, uint64_t count)
{
    mandate_error err;
    kv *store = NULL;
    OK(kv_open_rocksdb(&store, directory, &err));
    for (uint64_t i = 0; i < count; i++)
        put_number(store, i, 100, i + 1 == count);
    kv_close(store);
}

static void test_rocksdb__a_database_in_use_is_refused_with_a_sentence(void **state)
{
    fixture *f = *state;
    mandate_error err;
    kv *store = NULL, *again = NULL;
    int ready[2], leave[2], exited = 0;
    char byte = 0;
    assert_int_equal(pipe(ready) | pipe(leave), 0);
    pid_t child = fork();
    if (child == 0) {
        kv *held = NULL;
        mandate_status status = kv_open_rocksdb(&held, f->directory, NULL);
        if (write(ready[1], status == MANDATE_OK ? "y" : "n", 1) != 1)
            _exit(2);
        close(leave[1]);
        _exit(read(leave[0], &byte, 1) == 0 ? 0 : 3);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    REFUSED(kv_open_rocksdb(&again, f->directory, &err), MANDATE_UNAVAILABLE, "/LOCK");
    assert_non_null(strstr(err.text, "in use by another process"));
    close(leave[0]);
    close(leave[1]);
    assert_int_equal(waitpid(child, &exited, 0), child);
    assert_int_equal(exited, 0);
    close(ready[0]);
    close(ready[1]);

    OK(kv_open_rocksdb(&store, f->directory, &err));
    REFUSED(kv_open_rocksdb(&again, f->directory, &err), MANDATE_UNAVAILABLE, "/LOCK");
    kv_close(store);
}

static void test_rocksdb__a_flipped_byte_in_the_log_is_refused(void **state)
{
    fixture *f = *state;
    mandate_error err;
    kv *store = NULL;
    char log[512];
    struct stat st;
    fill(f->directory, 500);
    assert_true(support_newest_log(log, f->directory));
    assert_int_equal(stat(log, &st), 0);
    int fd = open(log, O_RDWR);
    char byte = 0;
    assert_int_equal(pread(fd, &byte, 1, st.st_size / 2), 1);
    byte ^= 0x20;
    assert_int_equal(pwrite(fd, &byte, 1, st.st_size / 2), 1);
    close(fd);
    REFUSED(kv_open_rocksdb(&store, f->directory, &err), MANDATE_CORRUPT, "does not check");
    assert_non_null(strstr(err.text, "checkpoint"));
}

static void test_rocksdb__a_torn_last_record_is_dropped_whole(void **state)
{
    fixture *f = *state;
    mandate_error err;
    kv *store = NULL;
    buf value;
    char log[512];
    struct stat st;
    buf_init(&value);
    fill(f->directory, 500);
    assert_true(support_newest_log(log, f->directory));
    assert_int_equal(stat(log, &st), 0);
    assert_int_equal(truncate(log, st.st_size - 30), 0);
    OK(kv_open_rocksdb(&store, f->directory, &err));
    OK(kv_get(store, KV_META, mandate_slice_str("last"), &value, &err));
    assert_string_equal(buf_cstr(&value), "00000498");
    assert_int_equal(kv_get(store, KV_JOURNAL, mandate_slice_str("00000499"), &value, &err), MANDATE_NOT_FOUND);
    kv_close(store);
    buf_deinit(&value);
}

static void test_rocksdb__tables_without_current_are_not_a_new_database(void **state)
{
    fixture *f = *state;
    mandate_error err;
    kv *store = NULL;
    char path[512];
    fill(f->directory, 5);
    snprintf(path, sizeof(path), "%s/CURRENT", f->directory);
    assert_int_equal(unlink(path), 0);
    REFUSED(kv_open_rocksdb(&store, f->directory, &err), MANDATE_CORRUPT, "no CURRENT file");
}

static void test_rocksdb__a_directory_that_cannot_be_is_an_error(void **state)
{
    fixture *f = *state;
    mandate_error err;
    kv *store = NULL;
    char path[512];
    snprintf(path, sizeof(path), "%s/file", f->directory);
    support_file_write(path, "not a directory");
    assert_int_equal(kv_open_rocksdb(&store, path, &err), MANDATE_IO);
    assert_non_null(strstr(err.text, path));
    assert_null(store);
}

static void test_rocksdb__a_checkpoint_is_a_database_of_its_own(void **state)
{
    fixture *f = *state;
    mandate_error err;
    kv *store = NULL, *copy = NULL;
    buf value;
    char path[512];
    buf_init(&value);
    OK(kv_open_rocksdb(&store, f->directory, &err));
    put_number(store, 1, 10, false);
    snprintf(path, sizeof(path), "%s/copy", f->directory);
    OK(kv_checkpoint(store, path, &err));
    put_number(store, 2, 10, true);
    assert_int_not_equal(kv_checkpoint(store, path, &err), MANDATE_OK);
    OK(kv_open_rocksdb(&copy, path, &err));
    OK(kv_get(copy, KV_META, mandate_slice_str("last"), &value, &err));
    assert_string_equal(buf_cstr(&value), "00000001");
    kv_close(copy);
    kv_close(store);
    buf_deinit(&value);
}

static int writer(const char *directory, uint64_t from, int out)
{
    mandate_error err;
    kv *store = NULL;
    char line[32];
    if (kv_open_rocksdb(&store, directory, &err) != MANDATE_OK) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    for (uint64_t i = from;; i++) {
        put_number(store, i, 100000, i % 3 == 0);
        if (i % 3 && kv_hand(store, &err) != MANDATE_OK) /* what is acknowledged outlives the process */
            return 3;
        int n = snprintf(line, sizeof(line), "%08llu", (unsigned long long)i);
        if (write(out, line, (size_t)n) != n)
            return 2;
    }
}

/* Kills a writer at many moments, the first opening and log changes among them. */
static void test_rocksdb__a_killed_writer_always_reopens(void **state)
{
    fixture *f = *state;
    mandate_error err;
    uint64_t seed = 7;
    long last = -1;
    for (int round = 0; round < 40; round++) {
        int fds[2];
        char line[32];
        assert_int_equal(pipe(fds), 0);
        pid_t child = fork();
        if (child == 0) {
            /* A process of its own, not a fork that inherits half of RocksDB's threads. */
            char from[32], out[16];
            snprintf(from, sizeof(from), "%ld", last + 1);
            snprintf(out, sizeof(out), "%d", fds[1]);
            close(fds[0]);
            execl("/proc/self/exe", "writer", f->directory, from, out, (char *)NULL);
            _exit(9);
        }
        close(fds[1]);
        long acked = last;
        /* Every other time not before it has written something: on a slow machine it would never get so far. */
        if (round % 2 && read(fds[0], line, 8) == 8) {
            line[8] = '\0';
            acked = atol(line);
        }
        usleep((useconds_t)support_below(&seed, 150000));
        kill(child, SIGKILL);
        int exited = 0;
        assert_int_equal(waitpid(child, &exited, 0), child);
        assert_true(WIFSIGNALED(exited));
        while (read(fds[0], line, 8) == 8) {
            line[8] = '\0';
            acked = atol(line);
        }
        close(fds[0]);

        kv *store = NULL;
        buf value;
        buf_init(&value);
        OK(kv_open_rocksdb(&store, f->directory, &err));
        if (kv_get(store, KV_META, mandate_slice_str("last"), &value, &err) == MANDATE_OK)
            last = atol(buf_cstr(&value));
        assert_true(last == acked || last == acked + 1);
        kv_close(store);
        buf_deinit(&value);
    }
    assert_true(last > 0);
}

int main(int argc, char **argv)
{
    if (argc == 4)
        return writer(argv[1], strtoull(argv[2], NULL, 10), atoi(argv[3]));
#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_rocksdb__a_database_in_use_is_refused_with_a_sentence),
        CASE(test_rocksdb__a_flipped_byte_in_the_log_is_refused),
        CASE(test_rocksdb__a_torn_last_record_is_dropped_whole),
        CASE(test_rocksdb__tables_without_current_are_not_a_new_database),
        CASE(test_rocksdb__a_directory_that_cannot_be_is_an_error),
        CASE(test_rocksdb__a_checkpoint_is_a_database_of_its_own),
        CASE(test_rocksdb__a_killed_writer_always_reopens),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * support - what the tests of graph/ share: temporary directories, a small generator, failing loudly.
 */
#ifndef MANDATE_TESTS_GRAPH_SUPPORT_H
#define MANDATE_TESTS_GRAPH_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mandate/mandate.h"

/* The call succeeds, or the test fails with its error's sentence. */
#define OK(call)                                 \
    do {                                         \
        if ((call) != MANDATE_OK)                \
            fail_msg("%s: %s", #call, err.text); \
    } while (0)

/* Fails with this status, and says `words` in its sentence. */
#define REFUSED(call, status, words)                                   \
    do {                                                               \
        assert_int_equal((call), (status));                            \
        if (!strstr(err.text, (words)))                                \
            fail_msg("\"%s\" does not say \"%s\"", err.text, (words)); \
    } while (0)

/* A new empty directory under $TMPDIR; `support_remove` takes it and <path>.* away again. */
void support_directory(char path[256]);
void support_remove(const char *path);
/* Appends to or overwrites a file; truncates it; its size. */
void support_file_write(const char *path, const char *text);
bool support_exists(const char *path);
/* The newest write-ahead log with content in a database directory. */
bool support_newest_log(char out[512], const char *directory);

/* splitmix64: a deterministic sequence. */
uint64_t support_next(uint64_t *state);
uint64_t support_below(uint64_t *state, uint64_t bound);

#endif

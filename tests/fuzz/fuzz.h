/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz - the entry point that libFuzzer and standalone_driver.c both call. Returns 0; a broken
 * invariant aborts.
 */
#ifndef MANDATE_TESTS_FUZZ_FUZZ_H
#define MANDATE_TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An assertion that stays on whatever the build. */
#define FUZZ_CHECK(condition)                                               \
    do {                                                                    \
        if (!(condition)) {                                                 \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            abort();                                                        \
        }                                                                   \
    } while (0)

#endif

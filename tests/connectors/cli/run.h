/* SPDX-License-Identifier: Apache-2.0 */
/* run - a program with its input, and what it wrote. */
#ifndef MANDATE_TESTS_CONNECTORS_CLI_RUN_H
#define MANDATE_TESTS_CONNECTORS_CLI_RUN_H

#include <stddef.h>

enum { RUN_ARGS_MAX = 64 };

typedef struct run_result {
    int code; /* exit code; -1 when it did not exit by itself */
    char out[1 << 16], err[1 << 14];
} run_result;

/* `args` end with NULL; `input` may be NULL. */
void run_program(run_result *out, const char *program, const char *const *args, const char *input, size_t input_len);

#endif

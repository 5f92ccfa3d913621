/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_e2e - `mandate-bench e2e`: hands over to bench/e2e.py, which starts the broker, the bare consumer and the daemon.
 *
 * The script is looked for beside the build folder that this program stands in (build/bin/mandate-bench).
 */
#include "bench/command.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int cmd_e2e(int argc, char **argv)
{
    char script[PATH_MAX], python[] = "python3";
    ssize_t n = readlink("/proc/self/exe", script, sizeof(script) - sizeof("/bench/e2e.py"));
    for (int up = 0; up < 3 && n > 0; up++) { /* the program, bin, build */
        while (n > 0 && script[n - 1] != '/')
            n--;
        n -= n > 0;
    }
    if (n <= 0) {
        fprintf(stderr, "mandate-bench: where bench/e2e.py stands cannot be told; run it with python3\n");
        return 1;
    }
    strcpy(script + n, "/bench/e2e.py");
    char **args = calloc((size_t)argc + 2, sizeof(*args));
    if (!args)
        return 1;
    args[0] = python;
    args[1] = script;
    memcpy(args + 2, argv + 1, (size_t)(argc - 1) * sizeof(*args));
    execvp(args[0], args);
    fprintf(stderr, "mandate-bench: python3 %s: %s\n", script, strerror(errno));
    free(args);
    return 1;
}

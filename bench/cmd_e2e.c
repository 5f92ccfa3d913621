/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_e2e - `mandate-bench e2e` and `mandate-bench issue`: what needs whole processes is driven by a script, bench/e2e.py (broker, bare
 * consumer, daemon) or bench/issue.py (daemon, generator).
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

static int hand_over(const char *name, int argc, char **argv)
{
    char script[PATH_MAX], python[] = "python3";
    ssize_t n = readlink("/proc/self/exe", script, sizeof(script) - 1 - strlen(name));
    for (int up = 0; up < 3 && n > 0; up++) { /* the program, bin, build */
        while (n > 0 && script[n - 1] != '/')
            n--;
        n -= n > 0;
    }
    if (n <= 0) {
        fprintf(stderr, "mandate-bench: where %s stands cannot be told; run it with python3\n", name + 1);
        return 1;
    }
    strcpy(script + n, name);
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

int cmd_e2e(int argc, char **argv) { return hand_over("/bench/e2e.py", argc, argv); }

int cmd_issue(int argc, char **argv) { return hand_over("/bench/issue.py", argc, argv); }

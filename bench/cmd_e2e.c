/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_e2e - `mandate-bench e2e`, `publish` and `issue`: what needs whole processes is driven by a script, bench/e2e.py (broker, bare
 * consumer, daemon), bench/publish.py (broker, daemon, bare producer) or
 * bench/issue.py (daemon, generator).
 *
 * The script is looked for in the folders above the one that this program stands in (build/bin, build/dev/bin).
 */
#include "bench/command.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The folder above this program's in which `name` is: build/bin and build/dev/bin stand in it. False: there is none. */
static bool script_path(char *out, size_t size, const char *name)
{
    ssize_t n = readlink("/proc/self/exe", out, size - 1 - strlen(name));
    while (n > 0) {
        while (n > 0 && out[n - 1] != '/')
            n--;
        n -= n > 0;
        strcpy(out + n, name);
        if (access(out, R_OK) == 0)
            return true;
    }
    return false;
}

static int hand_over(const char *name, int argc, char **argv)
{
    char script[PATH_MAX], python[] = "python3";
    if (!script_path(script, sizeof(script), name)) {
        fprintf(stderr, "mandate-bench: %s is not above the folder of this program; run it with python3\n", name + 1);
        return 1;
    }
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

int cmd_publish(int argc, char **argv) { return hand_over("/bench/publish.py", argc, argv); }

int cmd_issue(int argc, char **argv) { return hand_over("/bench/issue.py", argc, argv); }

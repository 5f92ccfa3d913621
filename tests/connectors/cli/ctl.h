/* SPDX-License-Identifier: Apache-2.0 */
/* ctl - `ctl(s, code, input, "mandate", "get", "m-1")`: runs mandatectl on the scene's socket and
 * checks its exit code. */
#ifndef MANDATE_TESTS_CONNECTORS_CLI_CTL_H
#define MANDATE_TESTS_CONNECTORS_CLI_CTL_H

#include "run.h"
#include "scene.h"

static run_result result;

static inline void ctl_run(const scene *s, int code, const char *input, const char *const *args)
{
    const char *all[RUN_ARGS_MAX + 1] = {NULL};
    size_t count = 0;
    for (; args[count]; count++)
        all[count] = args[count];
    if (s) {
        all[count++] = "--socket";
        all[count++] = s->path;
    }
    run_program(&result, MANDATECTL, all, input, input ? strlen(input) : 0);
    if (result.code != code)
        fail_msg("%s %s: exit code %d, expected %d\n%s%s", args[0] ? args[0] : "", args[0] && args[1] ? args[1] : "",
                 result.code, code, result.out, result.err);
}

/* On the scene's socket. */
#define ctl(s, code, input, ...) ctl_run((s), (code), (input), (const char *const[]){__VA_ARGS__, NULL})
/* With these arguments only. */
#define ctl_alone(code, input, ...) ctl_run(NULL, (code), (input), (const char *const[]){__VA_ARGS__, NULL})

#endif

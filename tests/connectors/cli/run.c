/* SPDX-License-Identifier: Apache-2.0 */
/* run - input and outputs are unnamed files, so that no pipe can fill up. */
#include "run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static int file_with(const char *data, size_t len)
{
    int fd = memfd_create("run", MFD_CLOEXEC);
    assert_true(fd >= 0);
    assert_true(len == 0 || write(fd, data, len) == (ssize_t)len);
    assert_true(lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static void take(int fd, char *out, size_t size)
{
    ssize_t n = pread(fd, out, size - 1, 0);
    assert_true(n >= 0);
    out[n] = '\0';
    close(fd);
}

void run_program(run_result *out, const char *program, const char *const *args, const char *input, size_t input_len)
{
    char *argv[RUN_ARGS_MAX + 2] = {(char *)(uintptr_t)program};
    int status, in = file_with(input, input_len), written = file_with("", 0), said = file_with("", 0);
    for (size_t i = 0; args[i]; i++) {
        assert_true(i < RUN_ARGS_MAX);
        argv[i + 1] = (char *)(uintptr_t)args[i];
    }
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (dup2(in, 0) < 0 || dup2(written, 1) < 0 || dup2(said, 2) < 0)
            _exit(126);
        execv(program, argv);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    out->code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    close(in);
    take(written, out->out, sizeof(out->out));
    take(said, out->err, sizeof(out->err));
}

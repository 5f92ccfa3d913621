/* SPDX-License-Identifier: Apache-2.0 */
/* input - reading with a bound, and the two signals that end a command in good order. */
#include "connectors/cli/input.h"

#include <errno.h>
#include <signal.h>

volatile bool input_stopped;

static void on_signal(int number) { input_stopped = true; }

void input_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESETHAND}; /* the second one kills */
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

mandate_status input_read(buf *out, const char *path, size_t size_max, mandate_error *err)
{
    char block[16384];
    size_t n;
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "rb");
    if (!file)
        return mandate_error_set(err, MANDATE_NOT_FOUND, "cannot read %s: %s", path, strerror(errno));
    mandate_status status = MANDATE_OK;
    while (!status && (n = fread(block, 1, sizeof(block), file)) > 0) {
        buf_put(out, block, n);
        if (out->len > size_max)
            status = mandate_error_set(err, MANDATE_LIMIT, "%s is longer than %zu bytes", path, size_max);
        else if (out->failed)
            status = mandate_error_set(err, MANDATE_NOMEM, "out of memory");
    }
    if (!status && ferror(file))
        status = mandate_error_set(err, MANDATE_INVALID, "cannot read %s: %s", path, strerror(errno));
    if (!is_stdin)
        fclose(file);
    return status;
}

mandate_status input_line(buf *out, FILE *from, size_t size_max, mandate_error *err)
{
    int c;
    buf_reset(out);
    while ((c = getc(from)) != EOF && c != '\n') {
        buf_put_char(out, (char)c);
        if (out->len > size_max)
            return mandate_error_set(err, MANDATE_LIMIT, "a line is longer than %zu bytes", size_max);
    }
    if (out->failed)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory");
    return c == EOF && out->len == 0 ? MANDATE_NOT_FOUND : MANDATE_OK;
}

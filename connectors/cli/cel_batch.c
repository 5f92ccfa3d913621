/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cel batch - tests of the specification's shape from standard input, a JSON line each; answers to standard output,
 * in the same order, a line each (see cel_batch.h).
 *
 * A line that cannot be read is answered like any other. Answers are written whenever reading would wait, so that a
 * harness may send one line at a time.
 */
#include "connectors/cli/cel_batch.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "connectors/cli/args.h"
#include "connectors/cli/command.h"
#include "connectors/cli/out.h"
#include "engine/base/text.h"
#include "engine/limits.h"

enum { READ_BYTES = 64 << 10, WRITE_BYTES = 256 << 10 };

/* "strings,math", or "none": what the language itself has always stays. */
static bool read_libraries(uint32_t *out, const char *text)
{
    if (!text) {
        *out = (CEL_LIB_ALL & ~(uint32_t)CEL_LIB_MAPPING) | CEL_LIB_BLOCK;
        return true;
    }
    *out = CEL_LIB_STANDARD;
    while (*text) {
        size_t len = strcspn(text, ",");
        mandate_slice name = mandate_slice_of(text, len);
        uint32_t bit = cel_library_named(name);
        if (!bit && !mandate_slice_is(name, "none")) {
            buf names;
            buf_init(&names);
            cel_library_names(&names);
            out_problem("there is no library \"%.*s\"; there are %s", MANDATE_SLICE_ARG(name), buf_cstr(&names));
            buf_deinit(&names);
            return false;
        }
        *out |= bit;
        text += len + (text[len] == ',');
    }
    return true;
}

static bool write_out(buf *answers)
{
    const char *at = answers->data;
    size_t left = answers->len;

    while (left > 0) {
        ssize_t n = write(STDOUT_FILENO, at, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        at += n;
        left -= (size_t)n;
    }
    buf_reset(answers);
    return true;
}

typedef struct stream {
    cel_batch *batch;
    buf in, answers;
    bool skipping; /* inside a line that is too long */
    bool wrong;    /* nobody reads, or no memory */
} stream;

static void take_line(stream *s, mandate_slice line)
{
    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    if (s->skipping || line.len > LIMIT_RECORD)
        cel_batch_answer_malformed(&s->answers, mandate_slice_of("", 0), "the line is longer than 4 MiB");
    else if (line.len)
        cel_batch_answer(s->batch, &s->answers, line);
    s->skipping = false;
    s->wrong |= s->answers.failed || (s->answers.len >= WRITE_BYTES && !write_out(&s->answers));
}

_Static_assert(LIMIT_RECORD == 4 << 20, "what the answer to a long line says");

/* Answers whole lines of what was read and keeps the rest. */
static void take_lines(stream *s)
{
    size_t from = 0;
    const char *end;

    while (!s->wrong && from < s->in.len && (end = memchr(s->in.data + from, '\n', s->in.len - from))) {
        take_line(s, mandate_slice_of(s->in.data + from, (size_t)(end - s->in.data) - from));
        from = (size_t)(end - s->in.data) + 1;
    }
    if (from < s->in.len && from > 0)
        memmove(s->in.data, s->in.data + from, s->in.len - from);
    s->in.len -= from;
    if (s->in.len > LIMIT_RECORD)
        s->skipping = true;
    if (s->skipping)
        s->in.len = 0;
}

static exit_code run_stream(stream *s)
{
    ssize_t n;

    for (;;) {
        if (!buf_reserve(&s->in, READ_BYTES))
            return CLI_INTERNAL;
        n = read(STDIN_FILENO, s->in.data + s->in.len, READ_BYTES);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        s->in.len += (size_t)n;
        take_lines(s);
        if (s->wrong || !write_out(&s->answers))
            return CLI_INTERNAL;
    }
    if (s->in.len || s->skipping)
        take_line(s, buf_slice(&s->in)); /* the last line may lack its newline */
    if (s->wrong || !write_out(&s->answers))
        return CLI_INTERNAL;
    if (n < 0)
        out_problem("cannot read standard input: %s", strerror(errno));
    return n < 0 ? CLI_INTERNAL : CLI_OK;
}

int cmd_cel_batch(int argc, char **argv)
{
    arg_common common;
    cel_batch_options options = {.trees = false};
    const char *libraries = NULL;
    const arg_option known[] = {{.name = "--libraries", .value = &libraries}, {.name = "--trees", .flag = &options.trees}};
    stream s = {.skipping = false};
    mandate_error err = {.text = ""};
    exit_code code;

    if (!args_parse(argc, argv, &common, known, 2, NULL, 0, 0) || !read_libraries(&options.libraries, libraries))
        return CLI_REFUSED;
    if (cel_batch_create(&s.batch, &options, &err)) {
        out_problem("%s", err.text);
        return CLI_INTERNAL;
    }
    buf_init(&s.in);
    buf_init(&s.answers);
    code = run_stream(&s);
    buf_deinit(&s.in);
    buf_deinit(&s.answers);
    cel_batch_destroy(s.batch);
    return code;
}

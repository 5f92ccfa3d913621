/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log - see log.h. The time in a line is the plain wall clock: it is for people, nothing is decided by it.
 */
#include "connectors/daemon/base/log.h"

#include "connectors/daemon/base/clock.h"
#include "engine/base/text.h"

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static const char *const level_names[] = {"error", "warn", "info", "debug"};

static _Atomic int log_level_max = LOG_INFO;

void log_init(log_level level) { atomic_store(&log_level_max, (int)level); }

void log_line(buf *b, int64_t now_us, log_level level, const char *component, const char *text)
{
    char time[TIME_TEXT_MAX];

    time_format_us(time, now_us);
    buf_printf(b, "{\"time\":\"%s\",\"level\":\"%s\",\"component\":", time, level_names[level]);
    buf_put_json_string(b, mandate_slice_str(component));
    buf_put_str(b, ",\"message\":");
    buf_put_json_string(b, mandate_slice_str(text));
    buf_put_char(b, '}');
}

static void put(const char *line, size_t len)
{
    ssize_t ignored = write(STDERR_FILENO, line, len);
    (void)ignored; /* nowhere left to say it */
}

void log_write_plain(log_level level, const char *component, const char *text)
{
    char time[TIME_TEXT_MAX], line[512];

    time_format_us(time, clock_wall_us());
    int len = snprintf(line, sizeof(line), "{\"time\":\"%s\",\"level\":\"%s\",\"component\":\"%s\",\"message\":\"%s\"}\n",
                       time, level_names[level], component, text);
    put(line, (size_t)len < sizeof(line) ? (size_t)len : sizeof(line) - 1);
}

void log_write(log_level level, const char *component, const char *format, ...)
{
    char text[2048];
    va_list args;
    buf line;

    if ((int)level > atomic_load(&log_level_max))
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    buf_init(&line);
    log_line(&line, clock_wall_us(), level, component, text);
    buf_put_char(&line, '\n');
    if (line.failed)
        log_write_plain(level, component, "out of memory, also for what was to be said here");
    else
        put(line.data, line.len);
    buf_deinit(&line);
}

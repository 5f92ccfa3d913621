/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log - see log.h. The time in a line is the plain wall clock: it is for people, nothing is decided by it.
 */
#include "connectors/daemon/log.h"

#include "connectors/daemon/clock.h"
#include "engine/base/text.h"

#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

static _Atomic int log_level_max = LOG_INFO;

void log_init(log_level level) { atomic_store(&log_level_max, (int)level); }

void log_line(buf *b, int64_t now_us, log_level level, const char *component, const char *text)
{
    static const char *const names[] = {"error", "warn", "info", "debug"};
    char time[TIME_TEXT_MAX];

    time_format_us(time, now_us);
    buf_printf(b, "{\"time\":\"%s\",\"level\":\"%s\",\"component\":", time, names[level]);
    buf_put_json_string(b, mandate_slice_str(component));
    buf_put_str(b, ",\"message\":");
    buf_put_json_string(b, mandate_slice_str(text));
    buf_put_char(b, '}');
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
    if (!line.failed) {
        ssize_t ignored = write(STDERR_FILENO, line.data, line.len);
        (void)ignored; /* nowhere left to say it */
    }
    buf_deinit(&line);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log - one line of JSON per event on standard error. Any thread; a line is one write and never interleaves.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_LOG_H
#define MANDATE_CONNECTORS_DAEMON_LOG_H

#include "engine/base/buf.h"

typedef enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG } log_level;

/* Lines above this level are dropped. INFO until set. */
void log_init(log_level level);
void log_write(log_level level, const char *component, const char *format, ...) MANDATE_PRINTF(3, 4);
/* The same without allocating, from a signal handler too. `text` is cut at 400 bytes and needs no escapes. */
void log_write_plain(log_level level, const char *component, const char *text);
/* The line as it would be written, without the newline; for tests. */
void log_line(buf *b, int64_t now_us, log_level level, const char *component, const char *text);

#endif

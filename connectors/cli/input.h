/* SPDX-License-Identifier: Apache-2.0 */
/* input - a whole file, or standard input, up to a limit. */
#ifndef MANDATE_CONNECTORS_CLI_INPUT_H
#define MANDATE_CONNECTORS_CLI_INPUT_H

#include <stdio.h>

#include "engine/base/buf.h"

/* `path` "-" is standard input. */
MANDATE_CHECK mandate_status input_read(buf *out, const char *path, size_t size_max, mandate_error *err);
/* One line without its newline. NOT_FOUND at the end. */
MANDATE_CHECK mandate_status input_line(buf *out, FILE *from, size_t size_max, mandate_error *err);
/* Set by SIGINT and SIGTERM once input_catch_signals was called. */
extern volatile bool input_stopped;
void input_catch_signals(void);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * problem - everything that is wrong with an operator's files, collected, so that one run reports all of it.
 *
 * A problem is printed like a compiler's: `file:line:column: sentence`, the line, and a caret under the place. The first
 * one is also kept as a mandate_error for callers that can report only one. Secrets are never quoted: an excerpt stops at
 * the key when its line seems to hold one, and a source without text gives no excerpt at all.
 */
#ifndef MANDATE_CONNECTORS_CONFIG_PROBLEM_H
#define MANDATE_CONNECTORS_CONFIG_PROBLEM_H

#include "engine/base/buf.h"

/* A text that positions refer to. */
typedef struct source_text {
    const char *path;
    mandate_slice text; /* empty: no excerpts */
} source_text;

enum { PROBLEMS_SHOWN = 50 };

typedef struct problems {
    buf text; /* of the first PROBLEMS_SHOWN */
    uint32_t count;
    mandate_error first; /* status OK when there is none */
} problems;

void problems_init(problems *p);
void problems_deinit(problems *p);
/* Line and column count from 1, in code points; line 0: the file as a whole. Returns `status`. */
mandate_status problem_add(problems *p, const source_text *where, mandate_status status, uint32_t line, uint32_t column,
                           const char *format, ...) MANDATE_PRINTF(6, 7);
/* MANDATE_OK, or the first problem with "(and N more problems)". */
MANDATE_CHECK mandate_status problems_result(const problems *p, mandate_error *err);

/* Byte offset of a place in a text, clamped to it; and the reverse. Lines end as YAML ends them. */
size_t source_offset(mandate_slice text, uint32_t line, uint32_t column);
void source_place(mandate_slice text, size_t offset, uint32_t *line, uint32_t *column);

#endif

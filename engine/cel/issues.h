/* SPDX-License-Identifier: Apache-2.0 */
/*
 * issues - how the passes report a problem (see cel_issues in ast.h for how a caller reads it).
 */
#ifndef MANDATE_ENGINE_CEL_ISSUES_H
#define MANDATE_ENGINE_CEL_ISSUES_H

#include "engine/cel/ast.h"

/* Adds one sentence at a byte offset. Beyond LIMIT_CEL_ERRORS only `truncated` is set. */
void cel_issues_add(cel_issues *issues, mandate_slice source, uint32_t offset, const char *format, ...) MANDATE_PRINTF(4, 5);
/* Line and column (code points), both from 1, of a byte offset. */
void cel_issues_place(mandate_slice source, uint32_t offset, uint32_t *line, uint32_t *column);
/* An allocation for this ast was refused: LIMIT when its own bound was reached, else NOMEM. */
mandate_status cel_issues_no_room(cel_issues *issues, const cel_ast *ast, mandate_error *err);
/* Sets `err` to the first issue and returns `status`. */
mandate_status cel_issues_status(const cel_issues *issues, mandate_status status, mandate_error *err);

#endif

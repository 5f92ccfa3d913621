/* SPDX-License-Identifier: Apache-2.0 */
/*
 * out - what a person sees: colour where it is wanted, columns, and nothing that could drive the
 * terminal.
 *
 * Everything that came from elsewhere goes through out_text, which replaces control characters: a
 * purpose or a reason must not be able to move the cursor or forge a line. Colour only when stdout
 * is a terminal and NO_COLOR is unset.
 */
#ifndef MANDATE_CONNECTORS_CLI_OUT_H
#define MANDATE_CONNECTORS_CLI_OUT_H

#include <stdio.h>

#include "engine/base/buf.h"
#include "engine/cel/value.h"

typedef enum out_style { OUT_PLAIN, OUT_BOLD, OUT_DIM, OUT_GOOD, OUT_BAD, OUT_DOUBT } out_style;

/* Decides about colour; once, first. */
void out_init(void);
/* "mandatectl: ..." on stderr. */
void out_problem(const char *format, ...) MANDATE_PRINTF(1, 2);

/* Appends to a line: harmless text in a style. */
void out_text(buf *line, out_style style, mandate_slice text);
void out_str(buf *line, out_style style, const char *text);
/* Padded to a width in characters; always followed by two spaces. */
void out_column(buf *line, out_style style, mandate_slice text, size_t width);
/* Writes the line and a newline to stdout and empties it. False when nobody reads. */
bool out_line(buf *line);

/* A table: the widths fit the longest of each column. Row 0 is the head. */
enum { OUT_COLUMNS_MAX = 8 };
typedef struct out_table {
    arena a;
    size_t columns, rows, cap;
    struct out_cell {
        mandate_slice text;
        out_style style;
    } * cells;
} out_table;
void out_table_init(out_table *t, const char *const *heads, size_t columns);
/* Cells are filled from left to right, row by row; the text is copied. */
void out_table_add(out_table *t, out_style style, mandate_slice text);
void out_table_print(out_table *t);
void out_table_deinit(out_table *t);

/* How a state of a mandate, or a truth value ("true", "false", "unknown", "error"), is shown. */
out_style out_state_style(mandate_slice state);
const char *out_truth_mark(mandate_slice truth, out_style *style);
/* A JSON value as text in an arena: strings bare, the rest as CEL would write it. */
mandate_slice out_value(arena *a, cel_value v);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lint_out - findings of mandate files as text for people (as a compiler writes them, with a caret), JSON, or SARIF 2.1.0.
 */
#ifndef MANDATE_CONNECTORS_CLI_LINT_OUT_H
#define MANDATE_CONNECTORS_CLI_LINT_OUT_H

#include "engine/lint/lint.h"

typedef enum lint_format { LINT_TEXT, LINT_JSON, LINT_SARIF, LINT_FORMAT_COUNT } lint_format;
extern const char *const lint_format_names[LINT_FORMAT_COUNT];

/* One finding as it is written: a rule of ours (lint.h), or of somebody's compliance file. */
typedef struct lint_line {
    const char *path;
    mandate_slice text; /* of the file */
    const char *code, *why, *fix;
    lint_severity severity;
    mandate_slice member, what;
    size_t begin, end; /* in the file's text */
} lint_line;

typedef struct lint_out {
    lint_format format;
    buf b;
    uint32_t count[LINT_SEVERITY_COUNT];
    uint32_t files;
} lint_out;

void lint_out_begin(lint_out *o, lint_format format);
void lint_out_line(lint_out *o, const lint_line *line);
/* The place in the file of a finding by our rules. */
void lint_out_finding(lint_out *o, const char *path, mandate_slice text, const lint_finding *f);
/* Writes to stdout. False: it could not be written. */
bool lint_out_end(lint_out *o);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roff - source of a manual page, for man(7) macros: what is written comes out as it stands, whatever it contains.
 *
 * Used by whatever has a table to make a page of (commands, options), so that a page is never older than its table.
 * Texts are ours and UTF-8; nothing here fails.
 */
#ifndef MANDATE_CONNECTORS_CONFIG_ROFF_H
#define MANDATE_CONNECTORS_CONFIG_ROFF_H

#include "engine/base/buf.h"

/* `title` is the page's name, `version` what the footer says; `name` and `purpose` are the line that apropos shows. */
void roff_begin(buf *b, const char *title, int section, const char *version, const char *name, const char *purpose);
/* A heading, a heading below it. */
void roff_section(buf *b, const char *heading);
void roff_subsection(buf *b, const char *heading);
/* A paragraph. */
void roff_text(buf *b, const char *text);
/* A term in bold, what follows it in plain (may be NULL), and what it means in the indented paragraph below. */
void roff_term(buf *b, const char *bold, const char *plain, const char *meaning);
/* Lines that are kept as they are. */
void roff_verbatim(buf *b, const char *lines);

#endif

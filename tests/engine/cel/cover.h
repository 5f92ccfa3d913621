/* SPDX-License-Identifier: Apache-2.0 */
/* cover - which functions and macros the expressions of a property used, so that none is left out unnoticed. */
#ifndef MANDATE_TESTS_ENGINE_CEL_COVER_H
#define MANDATE_TESTS_ENGINE_CEL_COVER_H

#include "engine/cel/ast.h"
#include "engine/cel/function.h"

enum { COVER_MACROS = 24 };

typedef struct cover {
    uint64_t functions[CEL_FN_COUNT]; /* how often each row was the one that a call means */
    uint64_t macros[COVER_MACROS];
} cover;

/* Counts what stands in a checked tree. */
void cover_tree(cover *c, const cel_expr *root);
/* Names on stderr what was used fewer than `min` times; how many those are. */
uint32_t cover_missing(const cover *c, uint64_t min);

#endif

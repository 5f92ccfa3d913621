/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cost_pattern - regular expressions that are constants: compiled, to know what a search with them costs.
 *
 * One that is none is reported with its own mistake. Priced like any pattern that has yet to be compiled it would be refused
 * for its cost, which says nothing of what to do.
 */
#include "engine/cel/cost_int.h"

#include "engine/cel/issues.h"
#include "engine/limits.h"

#include <stdarg.h>
#include <stdio.h>

bool cost_takes_pattern(cel_overload_id id)
{
    return id == CEL_FN_MATCHES || id == CEL_FN_MATCHES_STRING || id == CEL_FN_REGEX_EXTRACT ||
           id == CEL_FN_REGEX_EXTRACT_ALL || id == CEL_FN_REGEX_REPLACE || id == CEL_FN_REGEX_REPLACE_COUNT;
}

/* Once for a pattern: loops are visited more than once. */
MANDATE_PRINTF(3, 4)
static void bad_pattern(cost_walk *c, const cel_expr *pattern, const char *format, ...)
{
    char text[300];
    va_list list;
    if (!c->issues)
        return;
    for (uint32_t i = c->issues_before; i < c->issues->count; i++)
        if (c->issues->items[i].offset == pattern->offset)
            return;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    cel_issues_add(c->issues, c->source, pattern->offset, "%s", text);
}

cel_regex *cost_pattern(cost_walk *c, const cel_expr *e, cel_overload_id id)
{
    const cel_expr *pattern = cost_takes_pattern(id) ? e->args[cel_overloads[id].member ? 0 : 1] : NULL;
    char reason[200] = "";
    if (!pattern || pattern->kind != CEL_EXPR_CONST || pattern->value.kind != CEL_STRING)
        return NULL;
    if (pattern->value.len > LIMIT_CEL_REGEX) {
        bad_pattern(c, pattern, "regular expression longer than %d bytes", LIMIT_CEL_REGEX);
        return NULL;
    }
    cel_regex *regex = cel_regex_create(pattern->value.s, pattern->value.len, reason, sizeof reason);
    if (!regex)
        bad_pattern(c, pattern, "invalid regular expression: %s", reason);
    else if ((id == CEL_FN_REGEX_EXTRACT || id == CEL_FN_REGEX_EXTRACT_ALL) && cel_regex_groups(regex) > 1)
        bad_pattern(c, pattern, "regular expression has more than one capturing group");
    return regex;
}

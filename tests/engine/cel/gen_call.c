/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_call - rules that call each row of the function table, so that no function is left out of a property.
 *
 * A row becomes a line with holes (see gen.c) from its name and its parameters' types. The parameters of a generic row
 * stand for int, and a map's key for string. Left out: what no one can write (names with '@') except what a macro or
 * an operator writes, and rows whose types have no generator.
 */
#include "gen.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/cel/function.h"

enum { RULE_BYTES = 96, RULES_MAX = CEL_FN_COUNT };

static char rules[RULES_MAX][RULE_BYTES];
static const char *by_type[GEN_TYPE_COUNT][RULES_MAX];
static uint32_t counts[GEN_TYPE_COUNT];

static bool is_param(const cel_type *type, const char *name)
{
    return type->kind == CEL_TYPE_PARAM && !strcmp(type->name, name);
}

/* Whether the row has a map, whose first parameter is then A. */
static bool keyed(const cel_overload *row)
{
    for (uint32_t i = 0; i < row->arg_count; i++)
        if (row->params[i]->kind == CEL_TYPE_MAP ||
            (row->params[i]->kind == CEL_TYPE_OPTIONAL && row->params[i]->params[0]->kind == CEL_TYPE_MAP))
            return true;
    return false;
}

static const char *hole_of_list(const cel_type *element, bool key)
{
    switch (element->kind) {
    case CEL_TYPE_STRING:
        return "%S";
    case CEL_TYPE_DOUBLE:
        return "[%d, %d]";
    case CEL_TYPE_UINT:
        return "[%u, %u]";
    case CEL_TYPE_DYN:
        return "[%x, %i]";
    case CEL_TYPE_LIST:
        return "[%I, %I]";
    case CEL_TYPE_OPTIONAL:
        return "[%o, %o]";
    default:
        return key && is_param(element, "A") ? "%S" : "%I";
    }
}

/* Text that makes an argument of that type; NULL: none. */
static const char *hole(const cel_type *type, bool key)
{
    switch (type->kind) {
    case CEL_TYPE_BOOL:
        return "%b";
    case CEL_TYPE_INT:
        return "%i";
    case CEL_TYPE_UINT:
        return "%u";
    case CEL_TYPE_DOUBLE:
        return "%d";
    case CEL_TYPE_STRING:
        return "%s";
    case CEL_TYPE_BYTES:
        return "%y";
    case CEL_TYPE_TIMESTAMP:
        return "%t";
    case CEL_TYPE_DURATION:
        return "%w";
    case CEL_TYPE_DYN:
        return "%x";
    case CEL_TYPE_IP:
        return "%P";
    case CEL_TYPE_CIDR:
        return "%C";
    case CEL_TYPE_LIST:
        return hole_of_list(type->params[0], key);
    case CEL_TYPE_MAP:
        return "%M";
    case CEL_TYPE_OPTIONAL:
        return type->params[0]->kind == CEL_TYPE_LIST     ? "optional.of(%I)"
               : type->params[0]->kind == CEL_TYPE_MAP    ? "optional.of(%M)"
               : type->params[0]->kind == CEL_TYPE_STRING ? "%p"
                                                          : "%o";
    case CEL_TYPE_PARAM:
        return key && is_param(type, "A") ? "%s" : "%i";
    default:
        return NULL;
    }
}

/* "_+_" is written between its operands, "_[_]" around, "math.@max" as the macro that makes it. */
static bool write_rule(char *out, const cel_overload *row, const char *const *args)
{
    char name[64];
    uint32_t n = row->arg_count;
    size_t at;

    assert(row->name.len < sizeof name);
    memcpy(name, row->name.ptr, row->name.len);
    name[row->name.len] = '\0';
    if (!strcmp(name, "@in"))
        return snprintf(out, RULE_BYTES, "%s in %s", args[0], args[1]) > 0;
    if (!strcmp(name, "_[_]"))
        return snprintf(out, RULE_BYTES, "%s[%s]", args[0], args[1]) > 0;
    if (!strcmp(name, "_[?_]"))
        return snprintf(out, RULE_BYTES, "%s[?%s]", args[0], args[1]) > 0;
    if (!strcmp(name, "_?_:_"))
        return snprintf(out, RULE_BYTES, "%s ? %s : %s", args[0], args[1], args[2]) > 0;
    if (!strcmp(name, "!_") || !strcmp(name, "-_"))
        return snprintf(out, RULE_BYTES, "%c(%s)", name[0], args[0]) > 0;
    if (name[0] == '_' && n == 2 && !strchr(name, '?')) {
        /* "%" alone begins a hole, so the modulo sign is written twice */
        return snprintf(out, RULE_BYTES, "%s %s%.*s %s", args[0], name[1] == '%' ? "%" : "", (int)strlen(name) - 2, name + 1,
                        args[1]) > 0;
    }
    if (!strcmp(name, "math.@max") || !strcmp(name, "math.@min"))
        strcpy(name, name[7] == 'a' ? "math.greatest" : "math.least");
    if (strpbrk(name, "@_!-") && strncmp(name, "time_of", 7) != 0)
        return false;
    at = row->member ? (size_t)snprintf(out, RULE_BYTES, "%s.%s(", args[0], name)
                     : (size_t)snprintf(out, RULE_BYTES, "%s(", name);
    for (uint32_t i = row->member; i < n && at < RULE_BYTES; i++) {
        bool zone = row->member && !strncmp(name, "get", 3);
        at += (size_t)snprintf(out + at, RULE_BYTES - at, "%s%s", i > row->member ? ", " : "",
                               zone ? "(%b ? '+05:30' : '-11:00')" : args[i]);
    }
    return at + 2 < RULE_BYTES && strcat(out, ")") != NULL;
}

static void add_row(const cel_overload *row)
{
    const char *args[CEL_OVERLOAD_ARGS], *result;
    bool key = keyed(row);

    if (row->arg_count == 0) /* optional.none() has no type of its own, so it would not stay what the hole asks for */
        return;
    for (uint32_t i = 0; i < row->arg_count; i++)
        if (!(args[i] = hole(row->params[i], key)))
            return;
    result = hole(row->result, key);
    if (!result || result[0] != '%' || !write_rule(rules[row->id], row, args))
        return;
    gen_type type = gen_type_of(result[1]);
    by_type[type][counts[type]++] = rules[row->id];
}

void gen_call_init(void)
{
    if (counts[GEN_BOOL] > 0)
        return;
    for (uint32_t i = 0; i < CEL_FN_COUNT; i++)
        add_row(&cel_overloads[i]);
}

const char *gen_call_rule(gen *g, gen_type type) { return counts[type] ? by_type[type][gen_below(g, counts[type])] : NULL; }

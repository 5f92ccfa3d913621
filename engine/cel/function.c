/* SPDX-License-Identifier: Apache-2.0 */
/*
 * function - the table itself: type patterns, rows, lookup.
 *
 * Everything is constant and shared by all environments. A lookup is a scan: the table is small,
 * lengths are compared first, and it happens only while checking or compiling.
 */
#include "engine/cel/function.h"

#include "engine/base/text.h"
#include "engine/cel/env.h"

/* Absent parameters: &type_NONE would be a type, so NULL is spelt by pasting. */
#define TYPE_POINTER(P) POINTER_##P
#define POINTER_NONE NULL
#define POINTER_DYN &cel_simple_types[CEL_TYPE_DYN]
#define POINTER_BOOL &cel_simple_types[CEL_TYPE_BOOL]
#define POINTER_INT &cel_simple_types[CEL_TYPE_INT]
#define POINTER_UINT &cel_simple_types[CEL_TYPE_UINT]
#define POINTER_DOUBLE &cel_simple_types[CEL_TYPE_DOUBLE]
#define POINTER_STRING &cel_simple_types[CEL_TYPE_STRING]
#define POINTER_BYTES &cel_simple_types[CEL_TYPE_BYTES]
#define POINTER_TIMESTAMP &cel_simple_types[CEL_TYPE_TIMESTAMP]
#define POINTER_DURATION &cel_simple_types[CEL_TYPE_DURATION]
#define POINTER_IP &cel_simple_types[CEL_TYPE_IP]
#define POINTER_CIDR &cel_simple_types[CEL_TYPE_CIDR]
#define POINTER_A &type_A
#define POINTER_B &type_B
#define POINTER_LIST_A &type_LIST_A
#define POINTER_LIST_B &type_LIST_B
#define POINTER_LIST_DYN &type_LIST_DYN
#define POINTER_LIST_INT &type_LIST_INT
#define POINTER_LIST_UINT &type_LIST_UINT
#define POINTER_LIST_DOUBLE &type_LIST_DOUBLE
#define POINTER_LIST_STRING &type_LIST_STRING
#define POINTER_LIST_LIST_A &type_LIST_LIST_A
#define POINTER_LIST_OPT_A &type_LIST_OPT_A
#define POINTER_MAP_AB &type_MAP_AB
#define POINTER_OPT_A &type_OPT_A
#define POINTER_OPT_B &type_OPT_B
#define POINTER_OPT_STRING &type_OPT_STRING
#define POINTER_OPT_LIST_A &type_OPT_LIST_A
#define POINTER_OPT_MAP_AB &type_OPT_MAP_AB
#define POINTER_TYPE_A &type_TYPE_A

#define PARAM(NAME) static const cel_type type_##NAME = {.kind = CEL_TYPE_PARAM, .name = #NAME}
#define LIST_OF(P) static const cel_type type_LIST_##P = {.kind = CEL_TYPE_LIST, .params = {POINTER_##P}}
#define OPTIONAL_OF(P) static const cel_type type_OPT_##P = {.kind = CEL_TYPE_OPTIONAL, .params = {POINTER_##P}}

PARAM(A);
PARAM(B);
LIST_OF(A);
LIST_OF(B);
LIST_OF(DYN);
LIST_OF(INT);
LIST_OF(UINT);
LIST_OF(DOUBLE);
LIST_OF(STRING);
LIST_OF(LIST_A);
static const cel_type type_MAP_AB = {.kind = CEL_TYPE_MAP, .params = {&type_A, &type_B}};
OPTIONAL_OF(A);
OPTIONAL_OF(B);
OPTIONAL_OF(STRING);
OPTIONAL_OF(LIST_A);
OPTIONAL_OF(MAP_AB);
LIST_OF(OPT_A);
static const cel_type type_TYPE_A = {.kind = CEL_TYPE_TYPE, .params = {&type_A}};

#define STYLE_GLOBAL false
#define STYLE_MEMBER true

const cel_overload cel_overloads[CEL_FN_COUNT] = {
#define X(fn, overload, function, style, lib, ret, argc, p0, p1, p2, p3)                 \
    {.id = CEL_FN_##fn,                                                                  \
     .text = overload,                                                                   \
     .name = MANDATE_SLICE_LIT(function),                                                \
     .member = STYLE_##style,                                                            \
     .arg_count = argc,                                                                  \
     .library = CEL_LIB_##lib,                                                           \
     .params = {TYPE_POINTER(p0), TYPE_POINTER(p1), TYPE_POINTER(p2), TYPE_POINTER(p3)}, \
     .result = TYPE_POINTER(ret)},
    CEL_FUNCTION_LIST(X)
#undef X
};

const cel_overload *cel_function_find(mandate_slice name, uint32_t arg_count, bool member, uint32_t *count)
{
    *count = 0;
    for (uint32_t i = 0; i < CEL_FN_COUNT; i++) {
        const cel_overload *row = &cel_overloads[i];

        if (row->arg_count != arg_count || row->member != member || !mandate_slice_eq(row->name, name))
            continue;
        while (i < CEL_FN_COUNT && cel_overloads[i].arg_count == arg_count && cel_overloads[i].member == member &&
               mandate_slice_eq(cel_overloads[i].name, name)) {
            i++;
            ++*count;
        }
        return row;
    }
    return NULL;
}

const cel_overload *cel_function_named(uint32_t libraries, mandate_slice name, bool member)
{
    for (uint32_t i = 0; i < CEL_FN_COUNT; i++) {
        const cel_overload *row = &cel_overloads[i];

        if (row->member == member && (row->library & libraries) && mandate_slice_eq(row->name, name))
            return row;
    }
    return NULL;
}

const cel_overload *cel_env_overload(const cel_env *env, mandate_slice name, uint32_t arg_count, bool member, uint32_t *at)
{
    while (*at < env->functions.len) {
        const cel_overload *row = env->functions.data[(*at)++];

        if (row->arg_count == arg_count && row->member == member && mandate_slice_eq(row->name, name))
            return row;
    }
    return NULL;
}

const cel_overload *cel_env_function_named(const cel_env *env, mandate_slice name, bool member)
{
    for (uint32_t i = 0; i < env->functions.len; i++)
        if (env->functions.data[i]->member == member && mandate_slice_eq(env->functions.data[i]->name, name))
            return env->functions.data[i];
    return cel_function_named(env->libraries, name, member);
}

const char *cel_function_nearest(uint32_t libraries, mandate_slice name, bool member)
{
    const char *candidates[CEL_FN_COUNT];
    size_t count = 0;

    for (uint32_t i = 0; i < CEL_FN_COUNT; i++) {
        const cel_overload *row = &cel_overloads[i];

        if (row->member == member && (row->library & libraries) && row->name.ptr[0] != '_' &&
            !memchr(row->name.ptr, '@', row->name.len))
            candidates[count++] = row->name.ptr;
    }
    return nearest_name(name, candidates, count);
}

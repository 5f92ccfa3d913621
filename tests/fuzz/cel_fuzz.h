/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cel_fuzz - the environment the CEL fuzzers share: variables of every type, a table, `now`.
 */
#ifndef MANDATE_TESTS_FUZZ_CEL_FUZZ_H
#define MANDATE_TESTS_FUZZ_CEL_FUZZ_H

#include "engine/cel/eval.h"
#include "fuzz.h"

enum { CEL_FUZZ_VARS = 10, CEL_FUZZ_FIELDS = 5 };

static const char *const cel_fuzz_names[CEL_FUZZ_VARS] = {"b", "n", "u", "d", "s", "y", "t", "l", "m", "x"};

static inline cel_env *cel_fuzz_env(void)
{
    static cel_env *env;
    if (env)
        return env;
    FUZZ_CHECK(cel_env_create(&env, CEL_LIB_ALL, NULL) == MANDATE_OK);
    const cel_type *integer = cel_type_simple(CEL_TYPE_INT), *string = cel_type_simple(CEL_TYPE_STRING);
    const cel_type *doc = cel_type_object(env, "a.doc");
    const cel_field fields[CEL_FUZZ_FIELDS] = {{"status", string},
                                               {"size", integer},
                                               {"owner", doc},
                                               {"peers", cel_type_list(env, doc)},
                                               {"extra", cel_type_simple(CEL_TYPE_DYN)}};
    const cel_type *types[CEL_FUZZ_VARS] = {cel_type_simple(CEL_TYPE_BOOL),
                                            integer,
                                            cel_type_simple(CEL_TYPE_UINT),
                                            cel_type_simple(CEL_TYPE_DOUBLE),
                                            string,
                                            cel_type_simple(CEL_TYPE_BYTES),
                                            cel_type_simple(CEL_TYPE_TIMESTAMP),
                                            cel_type_list(env, integer),
                                            cel_type_map(env, string, integer),
                                            cel_type_simple(CEL_TYPE_DYN)};
    FUZZ_CHECK(cel_env_fields(env, doc, fields, CEL_FUZZ_FIELDS, NULL) == MANDATE_OK);
    FUZZ_CHECK(cel_env_table(env, doc, NULL) == MANDATE_OK);
    for (uint32_t i = 0; i < CEL_FUZZ_VARS; i++) {
        uint32_t index;
        FUZZ_CHECK(cel_env_variable(&index, env, cel_fuzz_names[i], types[i], NULL) == MANDATE_OK);
    }
    FUZZ_CHECK(cel_env_container(env, "a", NULL) == MANDATE_OK);
    FUZZ_CHECK(cel_env_now(env, NULL) == MANDATE_OK);
    return env;
}

/* Problems have a place in the source and a report that can be printed. */
static inline void cel_fuzz_check_issues(const cel_issues *issues, mandate_slice source)
{
    buf b;
    FUZZ_CHECK(issues->count > 0);
    for (uint32_t i = 0; i < issues->count; i++)
        FUZZ_CHECK(issues->items[i].line > 0 && issues->items[i].message.len > 0);
    buf_init(&b);
    cel_issues_print(&b, issues, source);
    FUZZ_CHECK(b.len > 0);
    buf_deinit(&b);
}

#endif

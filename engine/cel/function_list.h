/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off: a table */
/*
 * function_list - THE table of functions: one row per overload.
 *
 *   X(ID, "overload", "name", STYLE, LIBRARY, RESULT, ARGC, P0, P1, P2, P3)
 *
 * STYLE is GLOBAL or MEMBER (P0 is then the receiver and counts in ARGC). RESULT and P* name the
 * type patterns of function.c; A and B are type parameters, NONE fills up. Invariant: rows with
 * equal (name, STYLE, ARGC) stand together, because a group is what a dynamic call dispatches among
 * (a test walks it).
 */
#ifndef MANDATE_ENGINE_CEL_FUNCTION_LIST_H
#define MANDATE_ENGINE_CEL_FUNCTION_LIST_H

#define CEL_ROW1(X, id, text, name, style, lib, result, p0) X(id, text, name, style, lib, result, 1, p0, NONE, NONE, NONE)
#define CEL_ROW2(X, id, text, name, style, lib, result, p0, p1) X(id, text, name, style, lib, result, 2, p0, p1, NONE, NONE)
#define CEL_ROW3(X, id, text, name, style, lib, result, p0, p1, p2) \
    X(id, text, name, style, lib, result, 3, p0, p1, p2, NONE)
#define CEL_ROW4(X, id, text, name, style, lib, result, p0, p1, p2, p3) \
    X(id, text, name, style, lib, result, 4, p0, p1, p2, p3)

#define CEL_ORDER_ROW(X, id, text, name, a, b) CEL_ROW2(X, id, text, name, GLOBAL, STANDARD, BOOL, a, b)
/* One ordering operator over everything that has an order; numbers across kinds too. */
#define CEL_ORDER_ROWS(X, ID, text, name)                                           \
    CEL_ORDER_ROW(X, ID##_BOOL, text "_bool", name, BOOL, BOOL)                     \
    CEL_ORDER_ROW(X, ID##_INT64, text "_int64", name, INT, INT)                     \
    CEL_ORDER_ROW(X, ID##_INT64_DOUBLE, text "_int64_double", name, INT, DOUBLE)    \
    CEL_ORDER_ROW(X, ID##_INT64_UINT64, text "_int64_uint64", name, INT, UINT)      \
    CEL_ORDER_ROW(X, ID##_UINT64, text "_uint64", name, UINT, UINT)                 \
    CEL_ORDER_ROW(X, ID##_UINT64_DOUBLE, text "_uint64_double", name, UINT, DOUBLE) \
    CEL_ORDER_ROW(X, ID##_UINT64_INT64, text "_uint64_int64", name, UINT, INT)      \
    CEL_ORDER_ROW(X, ID##_DOUBLE, text "_double", name, DOUBLE, DOUBLE)             \
    CEL_ORDER_ROW(X, ID##_DOUBLE_INT64, text "_double_int64", name, DOUBLE, INT)    \
    CEL_ORDER_ROW(X, ID##_DOUBLE_UINT64, text "_double_uint64", name, DOUBLE, UINT) \
    CEL_ORDER_ROW(X, ID##_STRING, text "_string", name, STRING, STRING)             \
    CEL_ORDER_ROW(X, ID##_BYTES, text "_bytes", name, BYTES, BYTES)                 \
    CEL_ORDER_ROW(X, ID##_TIMESTAMP, text "_timestamp", name, TIMESTAMP, TIMESTAMP) \
    CEL_ORDER_ROW(X, ID##_DURATION, text "_duration", name, DURATION, DURATION)

#define CEL_TIME_ROWS(X, ID, text, name)                                                         \
    CEL_ROW1(X, TIMESTAMP_TO_##ID, "timestamp_to_" text, name, MEMBER, STANDARD, INT, TIMESTAMP) \
    CEL_ROW2(X, TIMESTAMP_TO_##ID##_WITH_TZ, "timestamp_to_" text "_with_tz", name, MEMBER, STANDARD, INT, TIMESTAMP, STRING)
#define CEL_CLOCK_ROWS(X, ID, text, name)                                                        \
    CEL_ROW1(X, TIMESTAMP_TO_##ID, "timestamp_to_" text, name, MEMBER, STANDARD, INT, TIMESTAMP) \
    CEL_ROW1(X, DURATION_TO_##ID, "duration_to_" text, name, MEMBER, STANDARD, INT, DURATION)    \
    CEL_ROW2(X, TIMESTAMP_TO_##ID##_WITH_TZ, "timestamp_to_" text "_with_tz", name, MEMBER, STANDARD, INT, TIMESTAMP, STRING)

#define CEL_STANDARD_OPERATORS(X)                                                                                           \
    CEL_ROW3(X, CONDITIONAL, "conditional", "_?_:_", GLOBAL, STANDARD, A, BOOL, A, A)                                       \
    CEL_ROW2(X, LOGICAL_AND, "logical_and", "_&&_", GLOBAL, STANDARD, BOOL, BOOL, BOOL)                                     \
    CEL_ROW2(X, LOGICAL_OR, "logical_or", "_||_", GLOBAL, STANDARD, BOOL, BOOL, BOOL)                                       \
    CEL_ROW1(X, LOGICAL_NOT, "logical_not", "!_", GLOBAL, STANDARD, BOOL, BOOL)                                             \
    CEL_ROW1(X, NOT_STRICTLY_FALSE, "not_strictly_false", "@not_strictly_false", GLOBAL, STANDARD, BOOL, BOOL)              \
    CEL_ROW2(X, EQUALS, "equals", "_==_", GLOBAL, STANDARD, BOOL, A, A)                                                     \
    CEL_ROW2(X, NOT_EQUALS, "not_equals", "_!=_", GLOBAL, STANDARD, BOOL, A, A)                                             \
    CEL_ORDER_ROWS(X, LESS, "less", "_<_")                                                                                  \
    CEL_ORDER_ROWS(X, LESS_EQUALS, "less_equals", "_<=_")                                                                   \
    CEL_ORDER_ROWS(X, GREATER, "greater", "_>_")                                                                            \
    CEL_ORDER_ROWS(X, GREATER_EQUALS, "greater_equals", "_>=_")                                                             \
    CEL_ROW2(X, ADD_BYTES, "add_bytes", "_+_", GLOBAL, STANDARD, BYTES, BYTES, BYTES)                                       \
    CEL_ROW2(X, ADD_DOUBLE, "add_double", "_+_", GLOBAL, STANDARD, DOUBLE, DOUBLE, DOUBLE)                                  \
    CEL_ROW2(X, ADD_DURATION_DURATION, "add_duration_duration", "_+_", GLOBAL, STANDARD, DURATION, DURATION, DURATION)      \
    CEL_ROW2(X, ADD_DURATION_TIMESTAMP, "add_duration_timestamp", "_+_", GLOBAL, STANDARD, TIMESTAMP, DURATION, TIMESTAMP)  \
    CEL_ROW2(X, ADD_TIMESTAMP_DURATION, "add_timestamp_duration", "_+_", GLOBAL, STANDARD, TIMESTAMP, TIMESTAMP, DURATION)  \
    CEL_ROW2(X, ADD_INT64, "add_int64", "_+_", GLOBAL, STANDARD, INT, INT, INT)                                             \
    CEL_ROW2(X, ADD_LIST, "add_list", "_+_", GLOBAL, STANDARD, LIST_A, LIST_A, LIST_A)                                      \
    CEL_ROW2(X, ADD_STRING, "add_string", "_+_", GLOBAL, STANDARD, STRING, STRING, STRING)                                  \
    CEL_ROW2(X, ADD_UINT64, "add_uint64", "_+_", GLOBAL, STANDARD, UINT, UINT, UINT)                                        \
    CEL_ROW2(X, SUBTRACT_DOUBLE, "subtract_double", "_-_", GLOBAL, STANDARD, DOUBLE, DOUBLE, DOUBLE)                        \
    CEL_ROW2(X, SUBTRACT_DURATION_DURATION, "subtract_duration_duration", "_-_", GLOBAL, STANDARD, DURATION, DURATION,      \
             DURATION)                                                                                                      \
    CEL_ROW2(X, SUBTRACT_INT64, "subtract_int64", "_-_", GLOBAL, STANDARD, INT, INT, INT)                                   \
    CEL_ROW2(X, SUBTRACT_TIMESTAMP_DURATION, "subtract_timestamp_duration", "_-_", GLOBAL, STANDARD, TIMESTAMP, TIMESTAMP,  \
             DURATION)                                                                                                      \
    CEL_ROW2(X, SUBTRACT_TIMESTAMP_TIMESTAMP, "subtract_timestamp_timestamp", "_-_", GLOBAL, STANDARD, DURATION, TIMESTAMP, \
             TIMESTAMP)                                                                                                     \
    CEL_ROW2(X, SUBTRACT_UINT64, "subtract_uint64", "_-_", GLOBAL, STANDARD, UINT, UINT, UINT)                              \
    CEL_ROW2(X, MULTIPLY_DOUBLE, "multiply_double", "_*_", GLOBAL, STANDARD, DOUBLE, DOUBLE, DOUBLE)                        \
    CEL_ROW2(X, MULTIPLY_INT64, "multiply_int64", "_*_", GLOBAL, STANDARD, INT, INT, INT)                                   \
    CEL_ROW2(X, MULTIPLY_UINT64, "multiply_uint64", "_*_", GLOBAL, STANDARD, UINT, UINT, UINT)                              \
    CEL_ROW2(X, DIVIDE_DOUBLE, "divide_double", "_/_", GLOBAL, STANDARD, DOUBLE, DOUBLE, DOUBLE)                            \
    CEL_ROW2(X, DIVIDE_INT64, "divide_int64", "_/_", GLOBAL, STANDARD, INT, INT, INT)                                       \
    CEL_ROW2(X, DIVIDE_UINT64, "divide_uint64", "_/_", GLOBAL, STANDARD, UINT, UINT, UINT)                                  \
    CEL_ROW2(X, MODULO_INT64, "modulo_int64", "_%_", GLOBAL, STANDARD, INT, INT, INT)                                       \
    CEL_ROW2(X, MODULO_UINT64, "modulo_uint64", "_%_", GLOBAL, STANDARD, UINT, UINT, UINT)                                  \
    CEL_ROW1(X, NEGATE_DOUBLE, "negate_double", "-_", GLOBAL, STANDARD, DOUBLE, DOUBLE)                                     \
    CEL_ROW1(X, NEGATE_INT64, "negate_int64", "-_", GLOBAL, STANDARD, INT, INT)                                             \
    CEL_ROW2(X, INDEX_LIST, "index_list", "_[_]", GLOBAL, STANDARD, A, LIST_A, INT)                                         \
    CEL_ROW2(X, INDEX_MAP, "index_map", "_[_]", GLOBAL, STANDARD, B, MAP_AB, A)                                             \
    CEL_ROW2(X, OPTIONAL_LIST_INDEX_INT, "optional_list_index_int", "_[_]", GLOBAL, OPTIONAL, OPT_A, OPT_LIST_A, INT)       \
    CEL_ROW2(X, OPTIONAL_MAP_INDEX_VALUE, "optional_map_index_value", "_[_]", GLOBAL, OPTIONAL, OPT_B, OPT_MAP_AB, A)       \
    CEL_ROW2(X, IN_LIST, "in_list", "@in", GLOBAL, STANDARD, BOOL, A, LIST_A)                                               \
    CEL_ROW2(X, IN_MAP, "in_map", "@in", GLOBAL, STANDARD, BOOL, A, MAP_AB)

#define CEL_STANDARD_FUNCTIONS(X)                                                                                        \
    CEL_ROW1(X, SIZE_BYTES, "size_bytes", "size", GLOBAL, STANDARD, INT, BYTES)                                          \
    CEL_ROW1(X, SIZE_LIST, "size_list", "size", GLOBAL, STANDARD, INT, LIST_A)                                           \
    CEL_ROW1(X, SIZE_MAP, "size_map", "size", GLOBAL, STANDARD, INT, MAP_AB)                                             \
    CEL_ROW1(X, SIZE_STRING, "size_string", "size", GLOBAL, STANDARD, INT, STRING)                                       \
    CEL_ROW1(X, BYTES_SIZE, "bytes_size", "size", MEMBER, STANDARD, INT, BYTES)                                          \
    CEL_ROW1(X, LIST_SIZE, "list_size", "size", MEMBER, STANDARD, INT, LIST_A)                                           \
    CEL_ROW1(X, MAP_SIZE, "map_size", "size", MEMBER, STANDARD, INT, MAP_AB)                                             \
    CEL_ROW1(X, STRING_SIZE, "string_size", "size", MEMBER, STANDARD, INT, STRING)                                       \
    CEL_ROW2(X, CONTAINS_STRING, "contains_string", "contains", MEMBER, STANDARD, BOOL, STRING, STRING)                  \
    CEL_ROW2(X, ENDS_WITH_STRING, "ends_with_string", "endsWith", MEMBER, STANDARD, BOOL, STRING, STRING)                \
    CEL_ROW2(X, STARTS_WITH_STRING, "starts_with_string", "startsWith", MEMBER, STANDARD, BOOL, STRING, STRING)          \
    CEL_ROW2(X, MATCHES, "matches", "matches", GLOBAL, STANDARD, BOOL, STRING, STRING)                                   \
    CEL_ROW2(X, MATCHES_STRING, "matches_string", "matches", MEMBER, STANDARD, BOOL, STRING, STRING)                     \
    CEL_ROW1(X, TO_DYN, "to_dyn", "dyn", GLOBAL, STANDARD, DYN, A)                                                       \
    CEL_ROW1(X, TYPE, "type", "type", GLOBAL, STANDARD, TYPE_A, A)                                                       \
    CEL_ROW1(X, BOOL_TO_BOOL, "bool_to_bool", "bool", GLOBAL, STANDARD, BOOL, BOOL)                                      \
    CEL_ROW1(X, STRING_TO_BOOL, "string_to_bool", "bool", GLOBAL, STANDARD, BOOL, STRING)                                \
    CEL_ROW1(X, BYTES_TO_BYTES, "bytes_to_bytes", "bytes", GLOBAL, STANDARD, BYTES, BYTES)                               \
    CEL_ROW1(X, STRING_TO_BYTES, "string_to_bytes", "bytes", GLOBAL, STANDARD, BYTES, STRING)                            \
    CEL_ROW1(X, DOUBLE_TO_DOUBLE, "double_to_double", "double", GLOBAL, STANDARD, DOUBLE, DOUBLE)                        \
    CEL_ROW1(X, INT64_TO_DOUBLE, "int64_to_double", "double", GLOBAL, STANDARD, DOUBLE, INT)                             \
    CEL_ROW1(X, STRING_TO_DOUBLE, "string_to_double", "double", GLOBAL, STANDARD, DOUBLE, STRING)                        \
    CEL_ROW1(X, UINT64_TO_DOUBLE, "uint64_to_double", "double", GLOBAL, STANDARD, DOUBLE, UINT)                          \
    CEL_ROW1(X, DURATION_TO_DURATION, "duration_to_duration", "duration", GLOBAL, STANDARD, DURATION, DURATION)          \
    CEL_ROW1(X, STRING_TO_DURATION, "string_to_duration", "duration", GLOBAL, STANDARD, DURATION, STRING)                \
    CEL_ROW1(X, INT64_TO_INT64, "int64_to_int64", "int", GLOBAL, STANDARD, INT, INT)                                     \
    CEL_ROW1(X, DOUBLE_TO_INT64, "double_to_int64", "int", GLOBAL, STANDARD, INT, DOUBLE)                                \
    CEL_ROW1(X, DURATION_TO_INT64, "duration_to_int64", "int", GLOBAL, STANDARD, INT, DURATION)                          \
    CEL_ROW1(X, STRING_TO_INT64, "string_to_int64", "int", GLOBAL, STANDARD, INT, STRING)                                \
    CEL_ROW1(X, TIMESTAMP_TO_INT64, "timestamp_to_int64", "int", GLOBAL, STANDARD, INT, TIMESTAMP)                       \
    CEL_ROW1(X, UINT64_TO_INT64, "uint64_to_int64", "int", GLOBAL, STANDARD, INT, UINT)                                  \
    CEL_ROW1(X, STRING_TO_STRING, "string_to_string", "string", GLOBAL, STANDARD, STRING, STRING)                        \
    CEL_ROW1(X, BOOL_TO_STRING, "bool_to_string", "string", GLOBAL, STANDARD, STRING, BOOL)                              \
    CEL_ROW1(X, BYTES_TO_STRING, "bytes_to_string", "string", GLOBAL, STANDARD, STRING, BYTES)                           \
    CEL_ROW1(X, DOUBLE_TO_STRING, "double_to_string", "string", GLOBAL, STANDARD, STRING, DOUBLE)                        \
    CEL_ROW1(X, DURATION_TO_STRING, "duration_to_string", "string", GLOBAL, STANDARD, STRING, DURATION)                  \
    CEL_ROW1(X, INT64_TO_STRING, "int64_to_string", "string", GLOBAL, STANDARD, STRING, INT)                             \
    CEL_ROW1(X, TIMESTAMP_TO_STRING, "timestamp_to_string", "string", GLOBAL, STANDARD, STRING, TIMESTAMP)               \
    CEL_ROW1(X, UINT64_TO_STRING, "uint64_to_string", "string", GLOBAL, STANDARD, STRING, UINT)                          \
    CEL_ROW1(X, IP_TO_STRING, "ip_to_string", "string", GLOBAL, NETWORK, STRING, IP)                                     \
    CEL_ROW1(X, CIDR_TO_STRING, "cidr_to_string", "string", GLOBAL, NETWORK, STRING, CIDR)                               \
    CEL_ROW1(X, TIMESTAMP_TO_TIMESTAMP, "timestamp_to_timestamp", "timestamp", GLOBAL, STANDARD, TIMESTAMP, TIMESTAMP)   \
    CEL_ROW1(X, INT64_TO_TIMESTAMP, "int64_to_timestamp", "timestamp", GLOBAL, STANDARD, TIMESTAMP, INT)                 \
    CEL_ROW1(X, STRING_TO_TIMESTAMP, "string_to_timestamp", "timestamp", GLOBAL, STANDARD, TIMESTAMP, STRING)            \
    CEL_ROW1(X, UINT64_TO_UINT64, "uint64_to_uint64", "uint", GLOBAL, STANDARD, UINT, UINT)                              \
    CEL_ROW1(X, DOUBLE_TO_UINT64, "double_to_uint64", "uint", GLOBAL, STANDARD, UINT, DOUBLE)                            \
    CEL_ROW1(X, INT64_TO_UINT64, "int64_to_uint64", "uint", GLOBAL, STANDARD, UINT, INT)                                 \
    CEL_ROW1(X, STRING_TO_UINT64, "string_to_uint64", "uint", GLOBAL, STANDARD, UINT, STRING)                            \
    CEL_TIME_ROWS(X, YEAR, "year", "getFullYear")                                                                        \
    CEL_TIME_ROWS(X, MONTH, "month", "getMonth")                                                                         \
    CEL_TIME_ROWS(X, DAY_OF_YEAR, "day_of_year", "getDayOfYear")                                                         \
    CEL_TIME_ROWS(X, DAY_OF_MONTH, "day_of_month", "getDayOfMonth")                                                      \
    CEL_TIME_ROWS(X, DAY_OF_MONTH_1_BASED, "day_of_month_1_based", "getDate")                                            \
    CEL_TIME_ROWS(X, DAY_OF_WEEK, "day_of_week", "getDayOfWeek")                                                         \
    CEL_CLOCK_ROWS(X, HOURS, "hours", "getHours")                                                                        \
    CEL_CLOCK_ROWS(X, MINUTES, "minutes", "getMinutes")                                                                  \
    CEL_ROW1(X, TIMESTAMP_TO_SECONDS, "timestamp_to_seconds", "getSeconds", MEMBER, STANDARD, INT, TIMESTAMP)            \
    CEL_ROW1(X, DURATION_TO_SECONDS, "duration_to_seconds", "getSeconds", MEMBER, STANDARD, INT, DURATION)               \
    CEL_ROW2(X, TIMESTAMP_TO_SECONDS_WITH_TZ, "timestamp_to_seconds_tz", "getSeconds", MEMBER, STANDARD, INT, TIMESTAMP, \
             STRING)                                                                                                     \
    CEL_CLOCK_ROWS(X, MILLISECONDS, "milliseconds", "getMilliseconds")

#include "engine/cel/function_list_ext.h"

#define CEL_FUNCTION_LIST(X)  \
    CEL_STANDARD_OPERATORS(X) \
    CEL_STANDARD_FUNCTIONS(X) \
    CEL_OPTIONAL_FUNCTIONS(X) \
    CEL_STRINGS_FUNCTIONS(X)  \
    CEL_LISTS_FUNCTIONS(X)    \
    CEL_MATH_FUNCTIONS(X)     \
    CEL_SMALL_FUNCTIONS(X)    \
    CEL_NETWORK_FUNCTIONS(X)  \
    CEL_MAPPING_FUNCTIONS(X)

#endif

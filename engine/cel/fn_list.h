/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off: a table */
/*
 * fn_list - which function implements which overload: X(ID, function, flags).
 *
 * Rows of function_list.h that are missing here are steps of the evaluator (operators, index,
 * `?:`). A function serves several overloads when the kinds of its arguments tell them apart.
 */
#ifndef MANDATE_ENGINE_CEL_FN_LIST_H
#define MANDATE_ENGINE_CEL_FN_LIST_H

#define CEL_FN_ARITHMETIC(X)                      \
    X(ADD_INT64, add_int, CEL_FN_MOVES)           \
    X(ADD_UINT64, add_uint, 0)                    \
    X(ADD_DOUBLE, add_double, 0)                  \
    X(SUBTRACT_INT64, subtract_int, CEL_FN_MOVES) \
    X(SUBTRACT_UINT64, subtract_uint, 0)          \
    X(SUBTRACT_DOUBLE, subtract_double, 0)        \
    X(MULTIPLY_INT64, multiply_int, 0)            \
    X(MULTIPLY_UINT64, multiply_uint, 0)          \
    X(MULTIPLY_DOUBLE, multiply_double, 0)        \
    X(DIVIDE_INT64, divide_int, 0)                \
    X(DIVIDE_UINT64, divide_uint, 0)              \
    X(DIVIDE_DOUBLE, divide_double, 0)            \
    X(MODULO_INT64, modulo_int, 0)                \
    X(MODULO_UINT64, modulo_uint, 0)              \
    X(NEGATE_INT64, negate_int, CEL_FN_MOVES)     \
    X(NEGATE_DOUBLE, negate_double, 0)

#define CEL_FN_TIME(X)                                                      \
    X(ADD_DURATION_DURATION, add_time, CEL_FN_MOVES)                        \
    X(ADD_DURATION_TIMESTAMP, add_time, CEL_FN_MOVES)                       \
    X(ADD_TIMESTAMP_DURATION, add_time, CEL_FN_MOVES)                       \
    X(SUBTRACT_DURATION_DURATION, subtract_time, CEL_FN_MOVES)              \
    X(SUBTRACT_TIMESTAMP_DURATION, subtract_time, CEL_FN_MOVES)             \
    X(SUBTRACT_TIMESTAMP_TIMESTAMP, subtract_time, CEL_FN_MOVES)            \
    X(DURATION_TO_HOURS, duration_hours, CEL_FN_MOVES | CEL_FN_HORIZON)     \
    X(DURATION_TO_MINUTES, duration_minutes, CEL_FN_MOVES | CEL_FN_HORIZON) \
    X(DURATION_TO_SECONDS, duration_seconds, CEL_FN_MOVES | CEL_FN_HORIZON) \
    X(DURATION_TO_MILLISECONDS, duration_milliseconds, CEL_FN_MOVES)

/* With and without a zone. Zones with a name ask the provider. */
#define CEL_FN_CALENDAR_ROW(X, ID, fn)                      \
    X(TIMESTAMP_TO_##ID, fn, CEL_FN_MOVES | CEL_FN_HORIZON) \
    X(TIMESTAMP_TO_##ID##_WITH_TZ, fn, CEL_FN_MOVES | CEL_FN_HORIZON | CEL_FN_IMPURE)
#define CEL_FN_CALENDAR(X)                                 \
    CEL_FN_CALENDAR_ROW(X, YEAR, get_year)                 \
    CEL_FN_CALENDAR_ROW(X, MONTH, get_month)               \
    CEL_FN_CALENDAR_ROW(X, DAY_OF_YEAR, get_day_of_year)   \
    CEL_FN_CALENDAR_ROW(X, DAY_OF_MONTH, get_day_of_month) \
    CEL_FN_CALENDAR_ROW(X, DAY_OF_MONTH_1_BASED, get_date) \
    CEL_FN_CALENDAR_ROW(X, DAY_OF_WEEK, get_day_of_week)   \
    CEL_FN_CALENDAR_ROW(X, HOURS, get_hours)               \
    CEL_FN_CALENDAR_ROW(X, MINUTES, get_minutes)           \
    CEL_FN_CALENDAR_ROW(X, SECONDS, get_seconds)           \
    CEL_FN_CALENDAR_ROW(X, MILLISECONDS, get_milliseconds)

#define CEL_FN_CONVERSION(X)                                               \
    X(TO_DYN, identity, CEL_FN_MOVES)                                      \
    X(TYPE, type, CEL_FN_MOVES)                                            \
    X(BOOL_TO_BOOL, identity, 0)                                           \
    X(STRING_TO_BOOL, string_to_bool, 0)                                   \
    X(BYTES_TO_BYTES, identity, 0)                                         \
    X(STRING_TO_BYTES, string_to_bytes, 0)                                 \
    X(DOUBLE_TO_DOUBLE, identity, 0)                                       \
    X(INT64_TO_DOUBLE, to_double, 0)                                       \
    X(STRING_TO_DOUBLE, string_to_double, 0)                               \
    X(UINT64_TO_DOUBLE, to_double, 0)                                      \
    X(DURATION_TO_DURATION, identity, CEL_FN_MOVES)                        \
    X(STRING_TO_DURATION, string_to_duration, 0)                           \
    X(INT64_TO_INT64, identity, CEL_FN_MOVES)                              \
    X(DOUBLE_TO_INT64, double_to_int, 0)                                   \
    X(DURATION_TO_INT64, duration_to_int, CEL_FN_MOVES | CEL_FN_HORIZON)   \
    X(STRING_TO_INT64, string_to_int, 0)                                   \
    X(TIMESTAMP_TO_INT64, timestamp_to_int, CEL_FN_MOVES | CEL_FN_HORIZON) \
    X(UINT64_TO_INT64, uint_to_int, 0)                                     \
    X(STRING_TO_STRING, identity, 0)                                       \
    X(BOOL_TO_STRING, to_string, 0)                                        \
    X(BYTES_TO_STRING, bytes_to_string, 0)                                 \
    X(DOUBLE_TO_STRING, to_string, 0)                                      \
    X(DURATION_TO_STRING, to_string, 0)                                    \
    X(INT64_TO_STRING, to_string, 0)                                       \
    X(TIMESTAMP_TO_STRING, to_string, 0)                                   \
    X(UINT64_TO_STRING, to_string, 0)                                      \
    X(TIMESTAMP_TO_TIMESTAMP, identity, CEL_FN_MOVES)                      \
    X(INT64_TO_TIMESTAMP, int_to_timestamp, 0)                             \
    X(STRING_TO_TIMESTAMP, string_to_timestamp, 0)                         \
    X(UINT64_TO_UINT64, identity, 0)                                       \
    X(DOUBLE_TO_UINT64, double_to_uint, 0)                                 \
    X(INT64_TO_UINT64, int_to_uint, 0)                                     \
    X(STRING_TO_UINT64, string_to_uint, 0)

#define CEL_FN_TEXT(X)                             \
    X(ADD_STRING, concat, 0)                       \
    X(ADD_BYTES, concat, 0)                        \
    X(SIZE_STRING, size_text, 0)                   \
    X(STRING_SIZE, size_text, 0)                   \
    X(SIZE_BYTES, size_len, 0)                     \
    X(BYTES_SIZE, size_len, 0)                     \
    X(CONTAINS_STRING, contains, 0)                \
    X(STARTS_WITH_STRING, starts_with, 0)          \
    X(ENDS_WITH_STRING, ends_with, 0)              \
    X(MATCHES, matches, 0)                         \
    X(MATCHES_STRING, matches, 0)                  \
    X(STRING_CHAR_AT, char_at, 0)                  \
    X(STRING_INDEX_OF, index_of, 0)                \
    X(STRING_INDEX_OF_FROM, index_of, 0)           \
    X(STRING_LAST_INDEX_OF, last_index_of, 0)      \
    X(STRING_LAST_INDEX_OF_FROM, last_index_of, 0) \
    X(STRING_LOWER_ASCII, lower_ascii, 0)          \
    X(STRING_UPPER_ASCII, upper_ascii, 0)          \
    X(STRING_REPLACE, replace, 0)                  \
    X(STRING_REPLACE_COUNT, replace, 0)            \
    X(STRING_SPLIT, split, 0)                      \
    X(STRING_SPLIT_COUNT, split, 0)                \
    X(STRING_SUBSTRING, substring, 0)              \
    X(STRING_SUBSTRING_RANGE, substring, 0)        \
    X(STRING_TRIM, trim, 0)                        \
    X(LIST_JOIN, join, 0)                          \
    X(LIST_JOIN_STRING, join, 0)                   \
    X(STRING_REVERSE, reverse_text, 0)             \
    X(STRING_FORMAT, format, 0)                    \
    X(STRINGS_QUOTE, quote, 0)                     \
    X(BASE64_DECODE, base64_decode, 0)             \
    X(BASE64_ENCODE, base64_encode, 0)             \
    X(REGEX_EXTRACT, regex_extract, 0)             \
    X(REGEX_EXTRACT_ALL, regex_extract_all, 0)     \
    X(REGEX_REPLACE, regex_replace, 0)             \
    X(REGEX_REPLACE_COUNT, regex_replace, 0)

#define CEL_FN_CONTAINERS(X)                         \
    X(ADD_LIST, add_list, 0)                         \
    X(SIZE_LIST, size_len, 0)                        \
    X(LIST_SIZE, size_len, 0)                        \
    X(SIZE_MAP, size_len, 0)                         \
    X(MAP_SIZE, size_len, 0)                         \
    X(IN_LIST, in_list, CEL_FN_MOVES)                \
    X(IN_MAP, in_map, 0)                             \
    X(LIST_REVERSE, reverse_list, 0)                 \
    X(LIST_SLICE, slice, 0)                          \
    X(LIST_FLATTEN, flatten, 0)                      \
    X(LIST_FLATTEN_DEPTH, flatten, 0)                \
    X(LIST_SORT, sort, 0)                            \
    X(LIST_SORT_BY_KEYS, sort_by_keys, 0)            \
    X(LIST_DISTINCT, distinct, 0)                    \
    X(LISTS_RANGE, range, 0)                         \
    X(LIST_FIRST, first, 0)                          \
    X(LIST_LAST, last, 0)                            \
    X(SETS_CONTAINS, sets_contains, 0)               \
    X(SETS_EQUIVALENT, sets_equivalent, 0)           \
    X(SETS_INTERSECTS, sets_intersects, 0)           \
    X(MAP_INSERT_MAP, map_insert_map, 0)             \
    X(MAP_INSERT_KEY_VALUE, map_insert, 0)           \
    X(OPTIONAL_OF, optional_of, 0)                   \
    X(OPTIONAL_OF_NON_ZERO, optional_of_non_zero, 0) \
    X(OPTIONAL_NONE, optional_none, 0)               \
    X(OPTIONAL_HAS_VALUE, optional_has_value, 0)     \
    X(OPTIONAL_VALUE, optional_value, 0)             \
    X(OPTIONAL_UNWRAP, optional_unwrap, 0)           \
    X(OPTIONAL_UNWRAP_OPT, optional_unwrap, 0)

#define CEL_FN_EXTREME_ROWS(X, ID, fn, list_fn) \
    X(ID##_DOUBLE, identity, 0)                 \
    X(ID##_INT, identity, 0)                    \
    X(ID##_UINT, identity, 0)                   \
    X(ID##_LIST_DOUBLE, list_fn, 0)             \
    X(ID##_LIST_INT, list_fn, 0)                \
    X(ID##_LIST_UINT, list_fn, 0)               \
    X(ID##_DOUBLE_DOUBLE, fn, 0)                \
    X(ID##_INT_INT, fn, 0)                      \
    X(ID##_UINT_UINT, fn, 0)                    \
    X(ID##_INT_UINT, fn, 0)                     \
    X(ID##_INT_DOUBLE, fn, 0)                   \
    X(ID##_DOUBLE_INT, fn, 0)                   \
    X(ID##_DOUBLE_UINT, fn, 0)                  \
    X(ID##_UINT_INT, fn, 0)                     \
    X(ID##_UINT_DOUBLE, fn, 0)

#define CEL_FN_MATH(X)                              \
    CEL_FN_EXTREME_ROWS(X, MATH_MAX, max, max_list) \
    CEL_FN_EXTREME_ROWS(X, MATH_MIN, min, min_list) \
    X(MATH_CEIL, ceil, 0)                           \
    X(MATH_FLOOR, floor, 0)                         \
    X(MATH_ROUND, round, 0)                         \
    X(MATH_TRUNC, trunc, 0)                         \
    X(MATH_ABS_DOUBLE, abs, 0)                      \
    X(MATH_ABS_INT, abs, 0)                         \
    X(MATH_ABS_UINT, abs, 0)                        \
    X(MATH_SIGN_DOUBLE, sign, 0)                    \
    X(MATH_SIGN_INT, sign, 0)                       \
    X(MATH_SIGN_UINT, sign, 0)                      \
    X(MATH_SQRT_DOUBLE, sqrt, 0)                    \
    X(MATH_SQRT_INT, sqrt, 0)                       \
    X(MATH_SQRT_UINT, sqrt, 0)                      \
    X(MATH_IS_INF, is_inf, 0)                       \
    X(MATH_IS_NAN, is_nan, 0)                       \
    X(MATH_IS_FINITE, is_finite, 0)                 \
    X(MATH_BIT_AND_INT, bit_and, 0)                 \
    X(MATH_BIT_AND_UINT, bit_and, 0)                \
    X(MATH_BIT_OR_INT, bit_or, 0)                   \
    X(MATH_BIT_OR_UINT, bit_or, 0)                  \
    X(MATH_BIT_XOR_INT, bit_xor, 0)                 \
    X(MATH_BIT_XOR_UINT, bit_xor, 0)                \
    X(MATH_BIT_NOT_INT, bit_not, 0)                 \
    X(MATH_BIT_NOT_UINT, bit_not, 0)                \
    X(MATH_SHIFT_LEFT_INT, shift_left, 0)           \
    X(MATH_SHIFT_LEFT_UINT, shift_left, 0)          \
    X(MATH_SHIFT_RIGHT_INT, shift_right, 0)         \
    X(MATH_SHIFT_RIGHT_UINT, shift_right, 0)

#define CEL_FN_NETWORK(X)                                        \
    X(IS_IP, is_ip, 0)                                           \
    X(IS_CIDR, is_cidr, 0)                                       \
    X(STRING_TO_IP, ip, 0)                                       \
    X(STRING_TO_CIDR, cidr, 0)                                   \
    X(IP_IS_CANONICAL, ip_is_canonical, 0)                       \
    X(IP_FAMILY, ip_family, 0)                                   \
    X(IP_IS_LOOPBACK, ip_is_loopback, 0)                         \
    X(IP_IS_GLOBAL_UNICAST, ip_is_global_unicast, 0)             \
    X(IP_IS_UNSPECIFIED, ip_is_unspecified, 0)                   \
    X(IP_IS_LINK_LOCAL_MULTICAST, ip_is_link_local_multicast, 0) \
    X(IP_IS_LINK_LOCAL_UNICAST, ip_is_link_local_unicast, 0)     \
    X(CIDR_CONTAINS_IP, cidr_contains_ip, 0)                     \
    X(CIDR_CONTAINS_IP_STRING, cidr_contains_ip, 0)              \
    X(CIDR_CONTAINS_CIDR, cidr_contains_cidr, 0)                 \
    X(CIDR_CONTAINS_CIDR_STRING, cidr_contains_cidr, 0)          \
    X(CIDR_IP, cidr_ip, 0)                                       \
    X(CIDR_MASKED, cidr_masked, 0)                               \
    X(CIDR_PREFIX_LENGTH, cidr_prefix_length, 0)                 \
    X(IP_TO_STRING, net_to_string, 0)                            \
    X(CIDR_TO_STRING, net_to_string, 0)

#define CEL_FN_MAPPING(X)                                  \
    X(PARSE_JSON_STRING, parse_json, CEL_FN_IMPURE)        \
    X(PARSE_JSON_BYTES, parse_json, CEL_FN_IMPURE)         \
    X(COALESCE_2, coalesce, CEL_FN_LENIENT | CEL_FN_MOVES) \
    X(COALESCE_3, coalesce, CEL_FN_LENIENT | CEL_FN_MOVES) \
    X(COALESCE_4, coalesce, CEL_FN_LENIENT | CEL_FN_MOVES) \
    X(TIME_OF, time_of, CEL_FN_MOVES)                      \
    X(TIME_OF_FORMAT, time_of, CEL_FN_MOVES)

#define CEL_FN_LIST(X)   \
    CEL_FN_ARITHMETIC(X) \
    CEL_FN_TIME(X)       \
    CEL_FN_CALENDAR(X)   \
    CEL_FN_CONVERSION(X) \
    CEL_FN_TEXT(X)       \
    CEL_FN_CONTAINERS(X) \
    CEL_FN_MATH(X)       \
    CEL_FN_NETWORK(X)    \
    CEL_FN_MAPPING(X)

#endif

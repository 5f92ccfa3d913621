/* SPDX-License-Identifier: Apache-2.0 */
/* clang-format off: a table */
/*
 * function_list_ext - the rows of the extension libraries; included by function_list.h only.
 *
 * `reverse` is a member of both the strings and the lists library: its two rows stand together.
 * Names with an `@` cannot be written by a user; macros expand to them. math.greatest / least are
 * macros over math.@max / @min.
 */
#ifndef MANDATE_ENGINE_CEL_FUNCTION_LIST_EXT_H
#define MANDATE_ENGINE_CEL_FUNCTION_LIST_EXT_H

#define CEL_OPTIONAL_FUNCTIONS(X)                                                                                       \
    CEL_ROW1(X, OPTIONAL_OF, "optional_of", "optional.of", GLOBAL, OPTIONAL, OPT_A, A)                                  \
    CEL_ROW1(X, OPTIONAL_OF_NON_ZERO, "optional_ofNonZeroValue", "optional.ofNonZeroValue", GLOBAL, OPTIONAL, OPT_A, A) \
    X(OPTIONAL_NONE, "optional_none", "optional.none", GLOBAL, OPTIONAL, OPT_A, 0, NONE, NONE, NONE, NONE)              \
    CEL_ROW1(X, OPTIONAL_HAS_VALUE, "optional_hasValue", "hasValue", MEMBER, OPTIONAL, BOOL, OPT_A)                     \
    CEL_ROW1(X, OPTIONAL_VALUE, "optional_value", "value", MEMBER, OPTIONAL, A, OPT_A)                                  \
    CEL_ROW2(X, OPTIONAL_OR, "optional_or_optional", "or", MEMBER, OPTIONAL, OPT_A, OPT_A, OPT_A)                       \
    CEL_ROW2(X, OPTIONAL_OR_VALUE, "optional_orValue_value", "orValue", MEMBER, OPTIONAL, A, OPT_A, A)                  \
    CEL_ROW2(X, SELECT_OPTIONAL_FIELD, "select_optional_field", "_?._", GLOBAL, OPTIONAL, OPT_A, DYN, STRING)           \
    CEL_ROW2(X, LIST_OPTINDEX, "list_optindex_optional_int", "_[?_]", GLOBAL, OPTIONAL, OPT_A, LIST_A, INT)             \
    CEL_ROW2(X, OPTIONAL_LIST_OPTINDEX, "optional_list_optindex_optional_int", "_[?_]", GLOBAL, OPTIONAL, OPT_A,        \
             OPT_LIST_A, INT)                                                                                           \
    CEL_ROW2(X, MAP_OPTINDEX, "map_optindex_optional_value", "_[?_]", GLOBAL, OPTIONAL, OPT_B, MAP_AB, A)               \
    CEL_ROW2(X, OPTIONAL_MAP_OPTINDEX, "optional_map_optindex_optional_value", "_[?_]", GLOBAL, OPTIONAL, OPT_B,        \
             OPT_MAP_AB, A)                                                                                             \
    CEL_ROW1(X, OPTIONAL_UNWRAP, "optional_unwrap", "optional.unwrap", GLOBAL, OPTIONAL, LIST_A, LIST_OPT_A)            \
    CEL_ROW1(X, OPTIONAL_UNWRAP_OPT, "optional_unwrapOpt", "unwrapOpt", MEMBER, OPTIONAL, LIST_A, LIST_OPT_A)           \
    CEL_ROW1(X, LIST_FIRST, "list_first", "first", MEMBER, OPTIONAL, OPT_A, LIST_A)                                     \
    CEL_ROW1(X, LIST_LAST, "list_last", "last", MEMBER, OPTIONAL, OPT_A, LIST_A)

#define CEL_STRINGS_FUNCTIONS(X)                                                                                            \
    CEL_ROW2(X, STRING_CHAR_AT, "string_char_at_int", "charAt", MEMBER, STRINGS, STRING, STRING, INT)                       \
    CEL_ROW2(X, STRING_INDEX_OF, "string_index_of_string", "indexOf", MEMBER, STRINGS, INT, STRING, STRING)                 \
    CEL_ROW3(X, STRING_INDEX_OF_FROM, "string_index_of_string_int", "indexOf", MEMBER, STRINGS, INT, STRING, STRING, INT)   \
    CEL_ROW2(X, STRING_LAST_INDEX_OF, "string_last_index_of_string", "lastIndexOf", MEMBER, STRINGS, INT, STRING, STRING)   \
    CEL_ROW3(X, STRING_LAST_INDEX_OF_FROM, "string_last_index_of_string_int", "lastIndexOf", MEMBER, STRINGS, INT, STRING,  \
             STRING, INT)                                                                                                   \
    CEL_ROW1(X, STRING_LOWER_ASCII, "string_lower_ascii", "lowerAscii", MEMBER, STRINGS, STRING, STRING)                    \
    CEL_ROW1(X, STRING_UPPER_ASCII, "string_upper_ascii", "upperAscii", MEMBER, STRINGS, STRING, STRING)                    \
    CEL_ROW3(X, STRING_REPLACE, "string_replace_string_string", "replace", MEMBER, STRINGS, STRING, STRING, STRING, STRING) \
    CEL_ROW4(X, STRING_REPLACE_COUNT, "string_replace_string_string_int", "replace", MEMBER, STRINGS, STRING, STRING,       \
             STRING, STRING, INT)                                                                                           \
    CEL_ROW2(X, STRING_SPLIT, "string_split_string", "split", MEMBER, STRINGS, LIST_STRING, STRING, STRING)                 \
    CEL_ROW3(X, STRING_SPLIT_COUNT, "string_split_string_int", "split", MEMBER, STRINGS, LIST_STRING, STRING, STRING, INT)  \
    CEL_ROW2(X, STRING_SUBSTRING, "string_substring_int", "substring", MEMBER, STRINGS, STRING, STRING, INT)                \
    CEL_ROW3(X, STRING_SUBSTRING_RANGE, "string_substring_int_int", "substring", MEMBER, STRINGS, STRING, STRING, INT, INT) \
    CEL_ROW1(X, STRING_TRIM, "string_trim", "trim", MEMBER, STRINGS, STRING, STRING)                                        \
    CEL_ROW1(X, LIST_JOIN, "list_join", "join", MEMBER, STRINGS, STRING, LIST_STRING)                                       \
    CEL_ROW2(X, LIST_JOIN_STRING, "list_join_string", "join", MEMBER, STRINGS, STRING, LIST_STRING, STRING)                 \
    CEL_ROW1(X, STRING_REVERSE, "string_reverse", "reverse", MEMBER, STRINGS, STRING, STRING)                               \
    CEL_ROW1(X, LIST_REVERSE, "list_reverse", "reverse", MEMBER, LISTS, LIST_A, LIST_A)                                     \
    CEL_ROW2(X, STRING_FORMAT, "string_format", "format", MEMBER, STRINGS, STRING, STRING, LIST_DYN)                        \
    CEL_ROW1(X, STRINGS_QUOTE, "strings_quote", "strings.quote", GLOBAL, STRINGS, STRING, STRING)

#define CEL_LISTS_FUNCTIONS(X)                                                                                          \
    CEL_ROW3(X, LIST_SLICE, "list_slice", "slice", MEMBER, LISTS, LIST_A, LIST_A, INT, INT)                             \
    CEL_ROW1(X, LIST_FLATTEN, "list_flatten", "flatten", MEMBER, LISTS, LIST_A, LIST_LIST_A)                            \
    CEL_ROW2(X, LIST_FLATTEN_DEPTH, "list_flatten_int", "flatten", MEMBER, LISTS, LIST_DYN, LIST_DYN, INT)              \
    CEL_ROW1(X, LIST_SORT, "list_sort", "sort", MEMBER, LISTS, LIST_A, LIST_A)                                          \
    CEL_ROW2(X, LIST_SORT_BY_KEYS, "list_sortByAssociatedKeys", "@sortByAssociatedKeys", MEMBER, LISTS, LIST_A, LIST_A, \
             LIST_B)                                                                                                    \
    CEL_ROW1(X, LIST_DISTINCT, "list_distinct", "distinct", MEMBER, LISTS, LIST_A, LIST_A)                              \
    CEL_ROW1(X, LISTS_RANGE, "lists_range", "lists.range", GLOBAL, LISTS, LIST_INT, INT)

/* min and max of one, of two (mixed kinds give dyn), of a list. */
#define CEL_MATH_EXTREME_ROWS(X, ID, text, name)                                                       \
    CEL_ROW1(X, ID##_DOUBLE, text "_double", name, GLOBAL, MATH, DOUBLE, DOUBLE)                       \
    CEL_ROW1(X, ID##_INT, text "_int", name, GLOBAL, MATH, INT, INT)                                   \
    CEL_ROW1(X, ID##_UINT, text "_uint", name, GLOBAL, MATH, UINT, UINT)                               \
    CEL_ROW1(X, ID##_LIST_DOUBLE, text "_list_double", name, GLOBAL, MATH, DOUBLE, LIST_DOUBLE)        \
    CEL_ROW1(X, ID##_LIST_INT, text "_list_int", name, GLOBAL, MATH, INT, LIST_INT)                    \
    CEL_ROW1(X, ID##_LIST_UINT, text "_list_uint", name, GLOBAL, MATH, UINT, LIST_UINT)                \
    CEL_ROW2(X, ID##_DOUBLE_DOUBLE, text "_double_double", name, GLOBAL, MATH, DOUBLE, DOUBLE, DOUBLE) \
    CEL_ROW2(X, ID##_INT_INT, text "_int_int", name, GLOBAL, MATH, INT, INT, INT)                      \
    CEL_ROW2(X, ID##_UINT_UINT, text "_uint_uint", name, GLOBAL, MATH, UINT, UINT, UINT)               \
    CEL_ROW2(X, ID##_INT_UINT, text "_int_uint", name, GLOBAL, MATH, DYN, INT, UINT)                   \
    CEL_ROW2(X, ID##_INT_DOUBLE, text "_int_double", name, GLOBAL, MATH, DYN, INT, DOUBLE)             \
    CEL_ROW2(X, ID##_DOUBLE_INT, text "_double_int", name, GLOBAL, MATH, DYN, DOUBLE, INT)             \
    CEL_ROW2(X, ID##_DOUBLE_UINT, text "_double_uint", name, GLOBAL, MATH, DYN, DOUBLE, UINT)          \
    CEL_ROW2(X, ID##_UINT_INT, text "_uint_int", name, GLOBAL, MATH, DYN, UINT, INT)                   \
    CEL_ROW2(X, ID##_UINT_DOUBLE, text "_uint_double", name, GLOBAL, MATH, DYN, UINT, DOUBLE)

#define CEL_MATH_SIGNED_ROWS(X, ID, text, name)                                  \
    CEL_ROW1(X, ID##_DOUBLE, text "_double", name, GLOBAL, MATH, DOUBLE, DOUBLE) \
    CEL_ROW1(X, ID##_INT, text "_int", name, GLOBAL, MATH, INT, INT)             \
    CEL_ROW1(X, ID##_UINT, text "_uint", name, GLOBAL, MATH, UINT, UINT)

#define CEL_MATH_BIT_ROWS(X, ID, text, name)                                  \
    CEL_ROW2(X, ID##_INT, text "_int_int", name, GLOBAL, MATH, INT, INT, INT) \
    CEL_ROW2(X, ID##_UINT, text "_uint_uint", name, GLOBAL, MATH, UINT, UINT, UINT)

#define CEL_MATH_SHIFT_ROWS(X, ID, text, name)                                \
    CEL_ROW2(X, ID##_INT, text "_int_int", name, GLOBAL, MATH, INT, INT, INT) \
    CEL_ROW2(X, ID##_UINT, text "_uint_int", name, GLOBAL, MATH, UINT, UINT, INT)

#define CEL_MATH_FUNCTIONS(X)                                                                        \
    CEL_MATH_EXTREME_ROWS(X, MATH_MAX, "math_@max", "math.@max")                                     \
    CEL_MATH_EXTREME_ROWS(X, MATH_MIN, "math_@min", "math.@min")                                     \
    CEL_ROW1(X, MATH_CEIL, "math_ceil_double", "math.ceil", GLOBAL, MATH, DOUBLE, DOUBLE)            \
    CEL_ROW1(X, MATH_FLOOR, "math_floor_double", "math.floor", GLOBAL, MATH, DOUBLE, DOUBLE)         \
    CEL_ROW1(X, MATH_ROUND, "math_round_double", "math.round", GLOBAL, MATH, DOUBLE, DOUBLE)         \
    CEL_ROW1(X, MATH_TRUNC, "math_trunc_double", "math.trunc", GLOBAL, MATH, DOUBLE, DOUBLE)         \
    CEL_MATH_SIGNED_ROWS(X, MATH_ABS, "math_abs", "math.abs")                                        \
    CEL_MATH_SIGNED_ROWS(X, MATH_SIGN, "math_sign", "math.sign")                                     \
    CEL_ROW1(X, MATH_SQRT_DOUBLE, "math_sqrt_double", "math.sqrt", GLOBAL, MATH, DOUBLE, DOUBLE)     \
    CEL_ROW1(X, MATH_SQRT_INT, "math_sqrt_int", "math.sqrt", GLOBAL, MATH, DOUBLE, INT)              \
    CEL_ROW1(X, MATH_SQRT_UINT, "math_sqrt_uint", "math.sqrt", GLOBAL, MATH, DOUBLE, UINT)           \
    CEL_ROW1(X, MATH_IS_INF, "math_isInf_double", "math.isInf", GLOBAL, MATH, BOOL, DOUBLE)          \
    CEL_ROW1(X, MATH_IS_NAN, "math_isNaN_double", "math.isNaN", GLOBAL, MATH, BOOL, DOUBLE)          \
    CEL_ROW1(X, MATH_IS_FINITE, "math_isFinite_double", "math.isFinite", GLOBAL, MATH, BOOL, DOUBLE) \
    CEL_MATH_BIT_ROWS(X, MATH_BIT_AND, "math_bitAnd", "math.bitAnd")                                 \
    CEL_MATH_BIT_ROWS(X, MATH_BIT_OR, "math_bitOr", "math.bitOr")                                    \
    CEL_MATH_BIT_ROWS(X, MATH_BIT_XOR, "math_bitXor", "math.bitXor")                                 \
    CEL_ROW1(X, MATH_BIT_NOT_INT, "math_bitNot_int_int", "math.bitNot", GLOBAL, MATH, INT, INT)      \
    CEL_ROW1(X, MATH_BIT_NOT_UINT, "math_bitNot_uint_uint", "math.bitNot", GLOBAL, MATH, UINT, UINT) \
    CEL_MATH_SHIFT_ROWS(X, MATH_SHIFT_LEFT, "math_bitShiftLeft", "math.bitShiftLeft")                \
    CEL_MATH_SHIFT_ROWS(X, MATH_SHIFT_RIGHT, "math_bitShiftRight", "math.bitShiftRight")

/* sets, encoders, regex, and what the two-variable macros need. */
#define CEL_SMALL_FUNCTIONS(X)                                                                                            \
    CEL_ROW2(X, SETS_CONTAINS, "list_sets_contains_list", "sets.contains", GLOBAL, SETS, BOOL, LIST_A, LIST_A)            \
    CEL_ROW2(X, SETS_EQUIVALENT, "list_sets_equivalent_list", "sets.equivalent", GLOBAL, SETS, BOOL, LIST_A, LIST_A)      \
    CEL_ROW2(X, SETS_INTERSECTS, "list_sets_intersects_list", "sets.intersects", GLOBAL, SETS, BOOL, LIST_A, LIST_A)      \
    CEL_ROW1(X, BASE64_DECODE, "base64_decode_string", "base64.decode", GLOBAL, ENCODERS, BYTES, STRING)                  \
    CEL_ROW1(X, BASE64_ENCODE, "base64_encode_bytes", "base64.encode", GLOBAL, ENCODERS, STRING, BYTES)                   \
    CEL_ROW2(X, REGEX_EXTRACT, "regex_extract_string_string", "regex.extract", GLOBAL, REGEX, OPT_STRING, STRING, STRING) \
    CEL_ROW2(X, REGEX_EXTRACT_ALL, "regex_extractAll_string_string", "regex.extractAll", GLOBAL, REGEX, LIST_STRING,      \
             STRING, STRING)                                                                                              \
    CEL_ROW3(X, REGEX_REPLACE, "regex_replace_string_string_string", "regex.replace", GLOBAL, REGEX, STRING, STRING,      \
             STRING, STRING)                                                                                              \
    CEL_ROW4(X, REGEX_REPLACE_COUNT, "regex_replace_string_string_string_int", "regex.replace", GLOBAL, REGEX, STRING,    \
             STRING, STRING, STRING, INT)                                                                                 \
    CEL_ROW2(X, MAP_INSERT_MAP, "@mapInsert_map_map", "cel.@mapInsert", GLOBAL, TWO_VAR, MAP_AB, MAP_AB, MAP_AB)          \
    CEL_ROW3(X, MAP_INSERT_KEY_VALUE, "@mapInsert_map_key_value", "cel.@mapInsert", GLOBAL, TWO_VAR, MAP_AB, MAP_AB, A, B)

#define CEL_NETWORK_FUNCTIONS(X)                                                                                         \
    CEL_ROW1(X, IS_IP, "is_ip", "isIP", GLOBAL, NETWORK, BOOL, STRING)                                                   \
    CEL_ROW1(X, IS_CIDR, "is_cidr", "isCIDR", GLOBAL, NETWORK, BOOL, STRING)                                             \
    CEL_ROW1(X, STRING_TO_IP, "string_to_ip", "ip", GLOBAL, NETWORK, IP, STRING)                                         \
    CEL_ROW1(X, STRING_TO_CIDR, "string_to_cidr", "cidr", GLOBAL, NETWORK, CIDR, STRING)                                 \
    CEL_ROW1(X, IP_IS_CANONICAL, "ip_is_canonical", "ip.isCanonical", GLOBAL, NETWORK, BOOL, STRING)                     \
    CEL_ROW1(X, IP_FAMILY, "ip_family", "family", MEMBER, NETWORK, INT, IP)                                              \
    CEL_ROW1(X, IP_IS_LOOPBACK, "ip_is_loopback", "isLoopback", MEMBER, NETWORK, BOOL, IP)                               \
    CEL_ROW1(X, IP_IS_GLOBAL_UNICAST, "ip_is_global_unicast", "isGlobalUnicast", MEMBER, NETWORK, BOOL, IP)              \
    CEL_ROW1(X, IP_IS_UNSPECIFIED, "ip_is_unspecified", "isUnspecified", MEMBER, NETWORK, BOOL, IP)                      \
    CEL_ROW1(X, IP_IS_LINK_LOCAL_MULTICAST, "ip_is_link_local_multicast", "isLinkLocalMulticast", MEMBER, NETWORK, BOOL, \
             IP)                                                                                                         \
    CEL_ROW1(X, IP_IS_LINK_LOCAL_UNICAST, "ip_is_link_local_unicast", "isLinkLocalUnicast", MEMBER, NETWORK, BOOL, IP)   \
    CEL_ROW2(X, CIDR_CONTAINS_IP, "cidr_contains_ip", "containsIP", MEMBER, NETWORK, BOOL, CIDR, IP)                     \
    CEL_ROW2(X, CIDR_CONTAINS_IP_STRING, "cidr_contains_ip_string", "containsIP", MEMBER, NETWORK, BOOL, CIDR, STRING)   \
    CEL_ROW2(X, CIDR_CONTAINS_CIDR, "cidr_contains_cidr", "containsCIDR", MEMBER, NETWORK, BOOL, CIDR, CIDR)             \
    CEL_ROW2(X, CIDR_CONTAINS_CIDR_STRING, "cidr_contains_cidr_string", "containsCIDR", MEMBER, NETWORK, BOOL, CIDR,     \
             STRING)                                                                                                     \
    CEL_ROW1(X, CIDR_IP, "cidr_ip", "ip", MEMBER, NETWORK, IP, CIDR)                                                     \
    CEL_ROW1(X, CIDR_MASKED, "cidr_masked", "masked", MEMBER, NETWORK, CIDR, CIDR)                                       \
    CEL_ROW1(X, CIDR_PREFIX_LENGTH, "cidr_prefix_length", "prefixLength", MEMBER, NETWORK, INT, CIDR)

/* Ours, for connectors. */
#define CEL_MAPPING_FUNCTIONS(X)                                                                    \
    CEL_ROW1(X, PARSE_JSON_STRING, "parse_json_string", "parse_json", GLOBAL, MAPPING, DYN, STRING) \
    CEL_ROW1(X, PARSE_JSON_BYTES, "parse_json_bytes", "parse_json", GLOBAL, MAPPING, DYN, BYTES)    \
    CEL_ROW2(X, COALESCE_2, "coalesce_2", "coalesce", GLOBAL, MAPPING, DYN, DYN, DYN)               \
    CEL_ROW3(X, COALESCE_3, "coalesce_3", "coalesce", GLOBAL, MAPPING, DYN, DYN, DYN, DYN)          \
    CEL_ROW4(X, COALESCE_4, "coalesce_4", "coalesce", GLOBAL, MAPPING, DYN, DYN, DYN, DYN, DYN)     \
    CEL_ROW1(X, TIME_OF, "time_of_dyn", "time_of", GLOBAL, MAPPING, TIMESTAMP, DYN)                 \
    CEL_ROW2(X, TIME_OF_FORMAT, "time_of_dyn_string", "time_of", GLOBAL, MAPPING, TIMESTAMP, DYN, STRING)

#endif

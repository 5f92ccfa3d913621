/* SPDX-License-Identifier: Apache-2.0 */
/*
 * re2_shim - RE2 for C: linear-time regular expressions with bounded memory.
 *
 * A cel_regex is immutable and may be used by several threads. No exception leaves the shim.
 */
#ifndef MANDATE_ENGINE_CEL_RE2_SHIM_H
#define MANDATE_ENGINE_CEL_RE2_SHIM_H

#include "mandate/mandate.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct cel_regex cel_regex;

/* NULL when the pattern is malformed or too large; then `reason` (if size > 0) says why. */
cel_regex *cel_regex_create(const char *pattern, size_t len, char *reason, size_t size);
void cel_regex_destroy(cel_regex *regex);
size_t cel_regex_bytes(const cel_regex *regex);
/* Number of capturing groups. */
/* Instructions of the compiled program, and whether a search can end up in few states only: then a byte costs a
 * table lookup, otherwise in the worst case a step of every instruction. */
int cel_regex_size(const cel_regex *regex);
bool cel_regex_is_simple(const cel_regex *regex);
int cel_regex_groups(const cel_regex *regex);
/* A search that could not be done must not look like one that found nothing. */
typedef enum cel_regex_result { CEL_REGEX_NONE, CEL_REGEX_FOUND, CEL_REGEX_NOMEM } cel_regex_result;
/* Searches text[from..] unanchored. groups[0] is the whole match; a group that took no part has
 * ptr NULL. */
cel_regex_result cel_regex_search(const cel_regex *regex, mandate_slice text, size_t from, mandate_slice *groups, int count);

#ifdef __cplusplus
}
#endif
#endif

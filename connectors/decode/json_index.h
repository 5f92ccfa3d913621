/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_index - where the tokens of a JSON text begin, found by simdjson's first stage; behind a C header.
 *
 * That stage checks that the text is UTF-8, that strings end, and that no control character stands in one. Of a string
 * only the quote before it is a place; behind a string there is nothing but space until the next place. Everything
 * else, grammar above all, is left to whoever walks the places.
 */
#ifndef MANDATE_CONNECTORS_DECODE_JSON_INDEX_H
#define MANDATE_CONNECTORS_DECODE_JSON_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Longer texts are not worth the memory of their index. */
enum { JSON_INDEX_TEXT_MAX = 64 << 10, JSON_INDEX_PADDING = 64 };

typedef struct json_index json_index; /* reusable; one per thread */
json_index *json_index_create(void);  /* NULL when out of memory */
void json_index_destroy(json_index *x);
/* False: not such a text, or too long, or no memory. *text is a copy with JSON_INDEX_PADDING spaces behind it, *places has
 * *count places and then the length; both stay until the next call. */
bool json_index_run(json_index *x, const char *from, size_t len, const char **text, const uint32_t **places,
                    uint32_t *count);
/* The double nearest to a number of JSON; false beyond a double. */
bool json_index_double(const char *text, size_t len, double *out);

#ifdef __cplusplus
}
#endif
#endif

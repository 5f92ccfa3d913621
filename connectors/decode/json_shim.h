/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_shim - simdjson behind a C header: walks one JSON text and reports what it meets to json.c.
 *
 * simdjson is C++ and the only reason for a C++ file in this folder. No exception crosses (the file
 * is built without them), no C++ type shows, and this header is all that the two sides share. The
 * shim checks syntax, UTF-8, escapes and numbers; limits, duplicate keys and values are json.c's.
 */
#ifndef MANDATE_CONNECTORS_DECODE_JSON_SHIM_H
#define MANDATE_CONNECTORS_DECODE_JSON_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct json_shim json_shim;
typedef struct json_sink json_sink;   /* json.c's */
typedef struct projection projection; /* projection.h; here only handed through */

typedef enum json_shim_status {
    JSON_SHIM_OK,
    JSON_SHIM_STOPPED, /* a sink function said false; it knows why */
    JSON_SHIM_NOMEM,
    JSON_SHIM_INVALID
} json_shim_status;

typedef struct json_shim_fault {
    size_t offset;       /* byte in the text; its length when the end is what is wrong */
    const char *message; /* static */
} json_shim_fault;

/* What unescaped strings may write beyond their end. */
enum { JSON_SHIM_PADDING = 64 };

json_shim *json_shim_create(void); /* NULL when out of memory */
void json_shim_destroy(json_shim *shim);
/* `strings` has room for len + JSON_SHIM_PADDING bytes: unescaped strings are written there, one
 * after the other, and stay; with `borrow` those without escapes are given where they stand in `text` instead. Of `p`
 * (NULL: everything) see projection.h: what it leaves out is checked, but the sink only hears of its nesting. `fault` is set unless the status is OK; under STOPPED it holds the
 * offset only. */
json_shim_status json_shim_run(json_shim *shim, const char *text, size_t len, char *strings, json_sink *sink,
                               const projection *p, bool borrow, json_shim_fault *fault);

/* --- implemented by json.c; false stops the walk ------------------------------------------------
 */
bool json_sink_null(json_sink *sink);
bool json_sink_bool(json_sink *sink, bool v);
bool json_sink_int(json_sink *sink, int64_t v);
bool json_sink_uint(json_sink *sink, uint64_t v);
bool json_sink_double(json_sink *sink, double v);
/* `plain`: it had no escapes, so it is UTF-8 as the text is. */
bool json_sink_string(json_sink *sink, const char *text, size_t len, bool plain);
/* Before a member's value. */
bool json_sink_key(json_sink *sink, const char *text, size_t len, bool plain);
/* Whether somebody reads the value of that key under *p, and then what of it. A key that is wanted, or stays although
 * nobody reads its value, is taken note of; of the latter json_sink_null is told. */
typedef enum json_want { JSON_WANTED, JSON_KEPT, JSON_LEFT_OUT } json_want;
json_want json_sink_wants(json_sink *sink, const projection **p, const char *text, size_t len);
bool json_sink_open(json_sink *sink);
/* Around an array or object that is left out. */
bool json_sink_enter(json_sink *sink);
void json_sink_leave(json_sink *sink);
bool json_sink_close_list(json_sink *sink);
bool json_sink_close_map(json_sink *sink);

#ifdef __cplusplus
}
#endif
#endif

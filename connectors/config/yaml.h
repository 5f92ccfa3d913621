/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml - an operator's file as a tree of nodes that know their line and column.
 *
 * A small, safe part of YAML 1.2: maps with scalar keys, lists, scalars. Refused with a position: anchors, aliases and tags,
 * more than one document, a key twice in one map, more than LIMIT_CONFIG bytes, LIMIT_CONFIG_DEPTH levels or
 * LIMIT_CONFIG_NODES nodes. A plain scalar is what YAML 1.2 says: only `true` and `false` are booleans, `no` is a word.
 */
#ifndef MANDATE_CONNECTORS_CONFIG_YAML_H
#define MANDATE_CONNECTORS_CONFIG_YAML_H

#include "connectors/config/problem.h"
#include "engine/base/arena.h"

typedef enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP } yaml_kind;
typedef enum yaml_style { YAML_PLAIN, YAML_QUOTED, YAML_LITERAL, YAML_FOLDED } yaml_style;

typedef struct yaml_node yaml_node;

typedef struct yaml_entry {
    const yaml_node *key, *value;
} yaml_entry;

struct yaml_node {
    yaml_kind kind;
    yaml_style style;          /* SCALAR */
    uint32_t line, column;     /* from 1 */
    mandate_slice text;        /* SCALAR; NUL-terminated, holds no other NUL */
    uint32_t count;            /* LIST, MAP */
    const yaml_node **items;   /* LIST */
    const yaml_entry *entries; /* MAP, in file order */
};

typedef struct yaml_doc {
    arena memory;
    source_text source;
    const yaml_node *root; /* an empty file is an empty map */
} yaml_doc;

/* `text` NULL: reads `path`. What is wrong goes to `p`; *out is NULL then. */
MANDATE_CHECK mandate_status yaml_open(yaml_doc **out, const char *path, const mandate_slice *text, problems *p);
void yaml_close(yaml_doc *doc);
/* A whole file of at most `size_max` bytes into `out`. */
MANDATE_CHECK mandate_status file_read(buf *out, const char *path, size_t size_max, mandate_error *err);

/* Value under a key, or NULL. */
const yaml_node *yaml_get(const yaml_node *map, const char *key);
/* Plain `null`, `~` or nothing at all. */
bool yaml_is_null(const yaml_node *n);
/* False when the node is not of that kind. */
MANDATE_CHECK bool yaml_bool(const yaml_node *n, bool *out);
MANDATE_CHECK bool yaml_int(const yaml_node *n, int64_t *out);
/* "a map", "a list", "'text'": for errors. `max` bytes at most are shown of a text. */
const char *yaml_describe(char *out, size_t size, const yaml_node *n);

/* Where byte `offset` of a scalar's text stands in the file. Exact for scalars written on one line without escapes and for
 * literal blocks; otherwise the start of the scalar. */
void yaml_place(const yaml_doc *doc, const yaml_node *n, size_t offset, uint32_t *line, uint32_t *column);

/* problem_add at a node (or at offset `offset` inside it). */
mandate_status yaml_problem(problems *p, const yaml_doc *doc, const yaml_node *n, const char *format, ...)
    MANDATE_PRINTF(4, 5);

/* --- which keys a map may have ------------------------------------------------------------------------------- */
/* One key: the tables of these are what files are checked against and what documentation and schemas come from. */
typedef struct yaml_key {
    const char *name;
    const char *type; /* for people and for the JSON Schema: "string", "expression", "list of ..." */
    bool required;
    const char *doc;
} yaml_key;

/* Reports unknown keys (with the nearest known one), missing required ones, and a node that is no map (then false). */
bool yaml_check_keys(problems *p, const yaml_doc *doc, const yaml_node *map, const char *what, const yaml_key *keys,
                     size_t count);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load - what the two halves of reading a connector file share.
 */
#ifndef MANDATE_CONNECTORS_MAPPING_LOAD_H
#define MANDATE_CONNECTORS_MAPPING_LOAD_H

#include <stdio.h>

#include "connectors/mapping/connector_int.h"

typedef struct loader {
    connector *c;
    schema *s;
    yaml_doc *doc;
    problems *p;
    uint32_t before; /* problems there were already */
    const connector_load_options *options;
    uint16_t source; /* the connector's own, or SCHEMA_NONE: it has no name */
    bool key_format_given;
    cel_env *typed;  /* NULL: no schema says what the expressions read */
    bool item_typed; /* it has `item` */
} loader;

/* What the schema says of an expression's value. */
typedef struct known_type {
    const cel_type *type; /* a simple one, or NULL: nothing */
    bool nullable;
} known_type;

/* typed.c */
void typed_open(loader *l);
void typed_close(loader *l);
/* `each` has been compiled: its elements are `item`, also for those who have none. */
void typed_item(loader *l);
/* Checks an expression that has been compiled; what is wrong goes to the problems. */
known_type typed_check(loader *l, const map_expr *e, const cel_type *expected);

/* NUL-terminated text of a scalar that is not empty, or NULL after reporting. */
const char *load_text(loader *l, const yaml_node *n, const char *what);
/* Compiles `n` when it is there. */
known_type load_expression(loader *l, map_expr *out, const yaml_node *n, const cel_type *expected);
/* load_entity.c */
void load_entities(loader *l, const yaml_node *list);

#endif

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
    bool key_format_given;
} loader;

/* NUL-terminated text of a scalar that is not empty, or NULL after reporting. */
const char *load_text(loader *l, const yaml_node *n, const char *what);
/* Compiles `n` when it is there. */
void load_expression(loader *l, map_expr *out, const yaml_node *n, const cel_type *expected);
/* load_entity.c */
void load_entities(loader *l, const yaml_node *list);

#endif

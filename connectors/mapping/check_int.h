/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check, inside - what check.c has read, and what check_cross.c finds when it looks at all of it together.
 */
#ifndef MANDATE_CONNECTORS_MAPPING_CHECK_INT_H
#define MANDATE_CONNECTORS_MAPPING_CHECK_INT_H

#include "connectors/mapping/check.h"
#include "connectors/mapping/connector_int.h"

typedef struct checked {
    schema *s;
    connector **connectors;
    uint32_t count;
} checked;

/* Attributes that two connectors set; references to types that nobody declares or fills, where types are declared at all. */
void check_across(const checked *k, const char *const *entities, uint32_t entity_count, problems *p);
/* The schema is frozen. */
void check_condition_text(const schema *s, const check_condition *c, problems *p);

#endif

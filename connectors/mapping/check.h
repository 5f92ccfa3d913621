/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check - everything an operator wrote, read together, with every problem reported and not only the first.
 *
 * This is `mandated check-config` and `mandatectl connector check`; neither touches the network.
 */
#ifndef MANDATE_CONNECTORS_MAPPING_CHECK_H
#define MANDATE_CONNECTORS_MAPPING_CHECK_H

#include "connectors/config/problem.h"
#include "connectors/mapping/connector.h"

/* The configuration file with its entity types and connectors. Appends all problems to `report` (text for people), or
 * a summary when there are none; the error says how many there are. */
MANDATE_CHECK mandate_status config_check(const char *path, buf *report, mandate_error *err);

/* A condition to be checked with them: that it type-checks, and that every attribute it reads is supplied. */
typedef struct check_condition {
    const char *where; /* "renewal.json: while" */
    mandate_slice text;
} check_condition;

/* Entity type files and connector files without a configuration. */
MANDATE_CHECK mandate_status connectors_check(const char *const *entities, uint32_t entity_count,
                                              const char *const *connectors, uint32_t connector_count,
                                              const check_condition *conditions, uint32_t condition_count, buf *report,
                                              mandate_error *err);

/* What no file of them shows by itself (see check_cross.c), of connectors that were loaded: the daemon says it as warnings. */
void connectors_check_across(connector *const *connectors, uint32_t connector_count, const char *const *entities,
                             uint32_t entity_count, problems *p);

/* What all of these declare and supply, as a frozen schema, for whoever checks conditions against it. Problems as above. */
MANDATE_CHECK mandate_status check_schema(schema **out, const char *const *entities, uint32_t entity_count,
                                          const char *const *connectors, uint32_t connector_count, buf *report,
                                          mandate_error *err);

#endif

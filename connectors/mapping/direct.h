/* SPDX-License-Identifier: Apache-2.0 */
/*
 * direct - records from slots to changes, without a document: how most records of most connectors are mapped.
 *
 * Made once for a connector whose expressions read plain values (paths, comparisons, programs over them) of a value whose
 * envelope can lay them out. Whatever is not usual about a record, and whatever is wrong with it, is for the general way:
 * this one says false and has told nothing. Where it says true, the changes are those of the general way; tests run both.
 */
#ifndef MANDATE_CONNECTORS_MAPPING_DIRECT_H
#define MANDATE_CONNECTORS_MAPPING_DIRECT_H

#include "connectors/mapping/connector_int.h"

struct mapper;
typedef struct direct direct;

/* NULL: the connector needs documents, or there is no memory; both are served in the general way. */
direct *direct_create(const connector *c);
void direct_destroy(direct *d);
/* What decoder_run_slots is to fill. */
const slot_layout *direct_layout(const direct *d);
slot_values *direct_values(direct *d);
/* After they were filled; `key` as decoded. */
MANDATE_CHECK bool direct_run(mapper_result *out, direct *d, struct mapper *m, const record *r, cel_value key);

#endif

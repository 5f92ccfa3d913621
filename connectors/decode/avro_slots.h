/* SPDX-License-Identifier: Apache-2.0 */
/*
 * avro_slots - a schema and a layout compiled to one straight line of steps: what is wanted goes to its slot, the rest is
 * passed over.
 */
#ifndef MANDATE_CONNECTORS_DECODE_AVRO_SLOTS_H
#define MANDATE_CONNECTORS_DECODE_AVRO_SLOTS_H

#include "connectors/decode/decode.h"
#include "connectors/decode/slots.h"

typedef struct avro_slots avro_slots;

/* NULL (no error) when data of that plan cannot be read in this way, or without memory. Refers to both, which must
 * outlive it. */
avro_slots *avro_slots_create(const avro_plan *plan, const slot_layout *layout);
void avro_slots_destroy(avro_slots *s);
/* Fills `out`; false: read the datum with avro_decode. What is not scalar in the bytes is in `a`. */
MANDATE_CHECK bool avro_slots_run(slot_values *out, const avro_slots *s, arena *a, mandate_slice data);

#endif

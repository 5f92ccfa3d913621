/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_slots - one pass over the tokens of a JSON text: what is wanted goes to its slot, the rest is checked and passed over.
 */
#ifndef MANDATE_CONNECTORS_DECODE_JSON_SLOTS_H
#define MANDATE_CONNECTORS_DECODE_JSON_SLOTS_H

#include "connectors/decode/json_index.h"
#include "connectors/decode/slots.h"

/* Fills `out` from an object; false: read the text with json_decode. Strings borrow from `text`. */
MANDATE_CHECK bool json_slots_run(slot_values *out, const slot_layout *layout, json_index *x, mandate_slice text);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys - finds a key that a decoded map has twice.
 *
 * Every decoder of this folder refuses such maps: which of two values counts is a matter of taste,
 * and whoever can add a second one could make two readers of one record disagree.
 */
#ifndef MANDATE_CONNECTORS_DECODE_KEYS_H
#define MANDATE_CONNECTORS_DECODE_KEYS_H

#include "engine/cel/value.h"

/* True with the key in `twice` when two entries (all keys strings) have it. Wide maps use memory of
 * `a`; without any left, a->failed is set and the answer is false. */
bool keys_repeat(mandate_slice *twice, arena *a, const cel_entry *entries, uint32_t count);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * once - keys of what is done once: written with the step that records the permit, there after a kill, forgotten at their horizon.
 *
 * A COMMAND_LOG with a `key` of STORE_ONCE_BYTES bytes (a hash of the key and its owner, then one of what was asked) is such a permit, and its
 * `until_us` is the horizon.
 */
#ifndef MANDATE_GRAPH_ONCE_H
#define MANDATE_GRAPH_ONCE_H

#include "graph/store.h"

enum { STORE_ONCE_HASH = 32, STORE_ONCE_BYTES = 2 * STORE_ONCE_HASH };

/* Was this permitted before, and still within its horizon? `asked` gets what for. NOT_FOUND: no. Any thread; of the last step that was
 * written, durable or not yet. */
MANDATE_CHECK mandate_status store_once_find(store *st, const uint8_t key[STORE_ONCE_HASH], int64_t now_us,
                                             uint8_t asked[STORE_ONCE_HASH], mandate_error *err);

#endif

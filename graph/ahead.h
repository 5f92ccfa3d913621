/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ahead - a whole key space in order, read by a second thread while the first one makes something of it: a restart uses two
 * cores. At most AHEAD_CHUNKS of AHEAD_BYTES are read and not yet taken.
 *
 * Spaces without a directory (tests) are read in place.
 */
#ifndef MANDATE_GRAPH_AHEAD_H
#define MANDATE_GRAPH_AHEAD_H

#include "graph/kv/kv.h"

typedef struct ahead ahead;
enum { AHEAD_CHUNKS = 8, AHEAD_BYTES = 128 << 10 };

MANDATE_CHECK mandate_status ahead_open(ahead **out, kv *store, kv_space space, mandate_error *err);
/* The next pair, valid until the next call; false: that was all, or ahead_close says why. */
bool ahead_next(ahead *a, mandate_slice *key, mandate_slice *value);
/* How reading ended. Frees it; may be called early. */
MANDATE_CHECK mandate_status ahead_close(ahead *a, mandate_error *err);

#endif

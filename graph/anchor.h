/* SPDX-License-Identifier: Apache-2.0 */
/*
 * anchor - a small file beside the database directory that says how far the database must reach.
 *
 * A database whose newest log was deleted or cut opens as an older state without a word. The anchor is
 * outside the directory, so it survives that, and store_open compares. It is written after a synced
 * commit, so it never says more than the disk holds; it says less by the commits since the kernel
 * last wrote it back (none, when only our process died).
 *
 * Two lines of text, each in a sector of its own and overwritten in turn, so that a torn write spoils
 * one at most:   mandated-anchor 1 seq 00000000000000000042 check 0123456789abcdef
 */
#ifndef MANDATE_GRAPH_ANCHOR_H
#define MANDATE_GRAPH_ANCHOR_H

#include "mandate/mandate.h"

typedef struct anchor anchor;

/* Reads `<directory>.anchor`; *seq is 0 when there is none yet. */
MANDATE_CHECK mandate_status anchor_open(anchor **out, uint64_t *seq, const char *directory, mandate_error *err);
/* The database has synced step `seq`. Costs one small write; every so often one sync. */
MANDATE_CHECK mandate_status anchor_put(anchor *a, uint64_t seq, mandate_error *err);
/* Syncs what was put. */
MANDATE_CHECK mandate_status anchor_sync(anchor *a, mandate_error *err);
const char *anchor_path(const anchor *a);
void anchor_close(anchor *a);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * teller - the second half of a commit: syncs what the engine's thread has written and tells of each step once it is durable.
 *
 *   engine's thread   begin ── step, store_write ── written ── telling_take ── tell      next step ...
 *                                                      │wakes                   │
 *   teller's thread                                 store_settle ───────> tells all that is durable, in order
 *
 * Invariants
 *  - Nobody hears of a step before it is durable, nor before everything about its predecessors was told.
 *  - No timer: what is written while it syncs goes with the next sync. What is durable when it is handed over, with nothing told
 *    before it, is told by the engine's thread at once.
 *  - At most TELLER_STEPS tellings and (but for one step) TELLER_BYTES_MAX of entries are in flight; the engine's thread waits then.
 *  - A sync that fails ends the process (engine_die): nothing in flight was told.
 *
 * It owns the outlets: it reads the outbox again while a publisher is behind, off the engine's thread.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_TELLER_H
#define MANDATE_CONNECTORS_DAEMON_TELLER_H

#include "connectors/daemon/tell/metrics.h"
#include "connectors/daemon/tell/telling.h"

enum { TELLER_STEPS = STORE_IN_FLIGHT_MAX, TELLER_BYTES_MAX = 64 << 20 };

typedef struct teller teller;

/* What is in the audience outlives it. */
MANDATE_CHECK mandate_status teller_create(teller **out, const telling_audience *audience, metrics *m, mandate_error *err);
/* Stopped before. NULL: nothing. */
void teller_destroy(teller *t);
/* Until then everything is synced and told where it is handed over. */
MANDATE_CHECK mandate_status teller_start(teller *t, mandate_error *err);
/* Everything was told before; ends the thread. */
void teller_stop(teller *t);

/* --- engine's thread ------------------------------------------------------------------------------------------------ */
/* One to fill; waits while too much is in flight. teller_tell is next. */
telling *teller_begin(teller *t);
/* A step that must be synced is written: from here on it may be. */
void teller_written(teller *t);
/* Hands it over. It is the teller's. */
void teller_tell(teller *t, telling *x);
/* So much is in flight that a step without inputs should wait; `roomy` is called, on any thread, when that is over. */
bool teller_busy(const teller *t);
void teller_on_room(teller *t, void (*roomy)(void *ctx), void *ctx);
/* Everything that was handed over was told. */
bool teller_idle(const teller *t);
/* Until it is idle. */
void teller_drain(teller *t);

/* --- any thread -------------------------------------------------------------------------------------------------------- */
/* A publisher may have room again. */
void teller_poke(teller *t);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load - stored mandates, many of them, back into an engine: what needs no engine (decoding, hashing) is done apart, by any thread, so
 * that the engine's own only takes them in.
 */
#ifndef MANDATE_ENGINE_LOAD_H
#define MANDATE_ENGINE_LOAD_H

#include "engine/mandate/claims.h"
#include "engine/step.h"

/* What few mandates have; the bits stand in a stored life (persist.c). */
enum { LIFE_RESUMES = 1, LIFE_AMENDED = 2, LIFE_LEDGER = 4, LIFE_EXHAUSTED = 8 };

/* A stored mandate that was read. Borrows from what it was read from, and from the arena. */
typedef struct engine_stored {
    mandate_slice id, claims_bytes, ledger; /* ledger: as stored, empty without LIFE_LEDGER */
    uint64_t id_hash, bits;
    int64_t grace_at_us, resume_at_us;
    uint32_t handle, parent; /* parent: its handle + 1; 0: none */
    uint32_t version, amended_at;
    uint8_t state, suspended_by;
    claims claims; /* the outline; with params, when a condition may read them */
} engine_stored;

/* `life` is what engine_encode_mandate gives with empty claims. Any thread. CORRUPT, NOMEM. */
MANDATE_CHECK mandate_status engine_stored_read(engine_stored *out, arena *a, mandate_slice id, mandate_slice claims_bytes,
                                                mandate_slice life, mandate_error *err);
/* So many mandates will come: room for them, as far as there is memory. */
void engine_load_expect(engine *e, uint64_t mandates);
/* Takes them in, one after the other; on failure some are. */
MANDATE_CHECK mandate_status engine_load_stored(engine *e, const engine_stored *stored, uint32_t count, mandate_error *err);

#endif

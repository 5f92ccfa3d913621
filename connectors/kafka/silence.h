/* SPDX-License-Identifier: Apache-2.0 */
/*
 * silence - is a source's word still worth anything? A small state machine over monotonic times, no I/O.
 *
 * Proof is a record, or having read to the end of every partition as a broker confirmed it. Without proof for longer
 * than the bound the source is silent. A doubt (a poison record under fail_closed, lost records) outranks both
 * until someone clears it; a halted source proves nothing.
 *
 * While old records are read again what the source said before is not believed either.
 *
 *   effective = DOUBTFUL if doubted, else SILENT if silent, halted or replaying, else LIVE
 */
#ifndef MANDATE_CONNECTORS_KAFKA_SILENCE_H
#define MANDATE_CONNECTORS_KAFKA_SILENCE_H

#include "engine/step.h"

typedef struct silence {
    int64_t bound_us;  /* 0: silence is not watched */
    int64_t proved_us; /* time of the last proof */
    bool silent, halted, doubted, replaying;
    engine_source_state told; /* what the engine was last told */
} silence;

/* `told`: the state the engine knows from before the restart; the bound counts from `now_us`. A source that was silent
 * stays so until it is proved live. */
void silence_init(silence *s, int64_t bound_us, int64_t now_us, engine_source_state told);
void silence_prove(silence *s, int64_t at_us);
/* Notices the passing of time. */
void silence_watch(silence *s, int64_t now_us);
engine_source_state silence_state(const silence *s);
/* True when the engine must be told `*out`, once. */
bool silence_tell(silence *s, engine_source_state *out);

#endif

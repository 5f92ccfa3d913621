/* SPDX-License-Identifier: Apache-2.0 */
/*
 * silence - see silence.h. Proofs may arrive late and out of order (another thread asks the broker): only a newer one
 * counts, and only one within the bound brings a silent source back.
 */
#include "connectors/kafka/silence.h"

void silence_init(silence *s, int64_t bound_us, int64_t now_us, engine_source_state told)
{
    *s = (silence){.bound_us = bound_us, .proved_us = now_us, .told = told};
    s->silent = told == SOURCE_SILENT;
    s->doubted = told == SOURCE_DOUBTFUL;
}

void silence_prove(silence *s, int64_t at_us)
{
    if (s->halted || at_us <= s->proved_us)
        return;
    s->proved_us = at_us;
    s->silent = false;
}

void silence_watch(silence *s, int64_t now_us)
{
    if (s->bound_us > 0 && now_us - s->proved_us > s->bound_us)
        s->silent = true;
}

engine_source_state silence_state(const silence *s)
{
    return s->doubted ? SOURCE_DOUBTFUL : s->silent || s->halted || s->replaying ? SOURCE_SILENT : SOURCE_LIVE;
}

bool silence_tell(silence *s, engine_source_state *out)
{
    engine_source_state state = silence_state(s);

    if (state == s->told)
        return false;
    s->told = *out = state;
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* awaiting - a short list that is looked through; an empty one costs nothing. */
#include "connectors/daemon/tell/awaiting.h"

static bool reached(const awaiting *w, const service_request *r, uint64_t seq)
{
    for (uint32_t i = 0; i < r->at_least_count; i++) {
        const service_position *p = &r->at_least[i];
        int64_t next = -1;
        if (!p->topic.len && p->seq > seq)
            return false;
        if (p->topic.len && (store_offset(w->store, p->topic, p->partition, &next, NULL) != MANDATE_OK || next <= p->offset))
            return false;
    }
    return true;
}

static void reached_it(const awaiting *w, service_request *r)
{
    r->error = (mandate_error){.status = MANDATE_OK};
    w->tell(w->ctx, r);
}

static void give_up(service_request *r, mandate_status status, const char *text)
{
    (void)mandate_error_set(&r->error, status, "%s", text);
    r->done(r);
}

void awaiting_take(awaiting *w, service_request *r, uint64_t seq, int64_t monotonic_us)
{
    r->await_until_us = monotonic_us + (int64_t)LIMIT_AT_LEAST_WAIT_MS * 1000;
    if (reached(w, r, seq))
        reached_it(w, r);
    else if (w->count == LIMIT_AWAITING)
        give_up(r, MANDATE_UNAVAILABLE, "Too many requests wait for a position.");
    else
        w->waiting[w->count++] = r;
}

void awaiting_settle(awaiting *w, uint64_t seq, int64_t monotonic_us)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < w->count; i++) {
        service_request *r = w->waiting[i];
        if (reached(w, r, seq))
            reached_it(w, r);
        else if (monotonic_us >= r->await_until_us)
            give_up(r, MANDATE_UNAVAILABLE, "The state is older than the position that was asked for.");
        else
            w->waiting[kept++] = r;
    }
    w->count = kept;
}

int64_t awaiting_next_us(const awaiting *w) { return w->count ? w->waiting[0]->await_until_us : INT64_MAX; }

void awaiting_end(awaiting *w)
{
    for (uint32_t i = 0; i < w->count; i++)
        give_up(w->waiting[i], MANDATE_SHUTDOWN, "The process is stopping.");
    w->count = 0;
}

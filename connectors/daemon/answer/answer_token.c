/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer_token - a mandate as the signed artifact, and the chain it needs to be verified without us: what goes into it. It is signed
 * off this thread (finish.c).
 *
 * Only what may still be used is signed: a mandate that has ended, or whose ancestor has, is refused. One that is suspended
 * gets its token: whether it may act at this moment is not what a signature can say. What is restricted goes along for those who may
 * see it, and is a digest for others.
 */
#include "connectors/daemon/answer/answer.h"

/* Of the step that is being answered, if it issued or amended the mandate. Of an ancestor whose view who asks has no right to, nothing
 * restricted is shown; of the mandate itself that is refused. */
static mandate_status add(answerer *a, finish_job *job, uint32_t handle, const engine_mandate_view *m, bool own,
                          int64_t now_us, mandate_error *err)
{
    mandate_slice bytes = engine_new_claims(a->engine, handle);
    finish_line line = {.handle = handle, .version = m->amended_at};
    mandate_status status = bytes.len ? MANDATE_OK : store_claims_load(a->store, &a->memory, m->id, &bytes, err);

    if (status == MANDATE_OK)
        status = answer_viewer_of(a, job->request, handle, bytes, false, now_us, &line.who, err);
    if (status == MANDATE_DENIED && !own) {
        line.who = (disclosure_viewer){.all = false};
        status = MANDATE_OK;
    }
    if (status == MANDATE_OK && !finish_job_add(job, line, bytes))
        status = mandate_error_set(err, MANDATE_NOMEM, "out of memory for a token");
    return status;
}

/* The mandate and what is above it, `max` at most. */
static mandate_status add_line(answerer *a, finish_job *job, uint32_t handle, uint32_t max, int64_t now_us,
                               mandate_error *err)
{
    mandate_status status = MANDATE_OK;
    engine_mandate_view m;

    for (uint32_t n = 0; status == MANDATE_OK && handle != UINT32_MAX && n < max; n++) {
        if (n > LIMIT_DELEGATION_DEPTH)
            return mandate_error_set(err, MANDATE_CORRUPT, "a mandate has more than %d ancestors", LIMIT_DELEGATION_DEPTH);
        engine_mandate_get(a->engine, handle, &m);
        status = add(a, job, handle, &m, n == 0, now_us, err);
        handle = m.parent_handle;
    }
    return status;
}

static mandate_status unfinished(answerer *a, service_request *r, finish_kind kind, uint32_t handle, uint32_t max,
                                 int64_t now_us, mandate_error *err)
{
    finish_job *job = finish_job_new(a->finish, r, kind);

    if (!job)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for a token");
    mandate_status status = add_line(a, job, handle, max, now_us, err);
    if (status != MANDATE_OK)
        finish_job_drop(a->finish, job);
    return status;
}

mandate_status answer_signed(answerer *a, service_request *r, uint32_t handle, int64_t now_us, mandate_error *err)
{
    return unfinished(a, r, FINISH_MANDATE, handle, 2, now_us, err);
}

mandate_status answer_chain(answerer *a, service_request *r, int64_t now_us)
{
    uint32_t handle = engine_mandate_find(a->engine, r->mandate);

    if (handle == UINT32_MAX)
        return answer_unknown(r->mandate, &r->error);
    if (!a->signer)
        return mandate_error_set(&r->error, MANDATE_UNSUPPORTED, "this server signs no mandates");
    mandate_state state = engine_effective_state(a->engine, handle, now_us, NULL);
    if (mandate_state_is_final(state))
        return mandate_error_set(&r->error, MANDATE_CONFLICT, "the mandate is %s: what has ended is not signed any more",
                                 mandate_state_name(state));
    return unfinished(a, r, FINISH_CHAIN, handle, UINT32_MAX, now_us, &r->error);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer_view - whose eyes an answer is for.
 *
 * Every mandate is judged for itself, also those of one chain: who may see everything of a child need not see what its parent
 * restricts. Without a policy everybody may see everything, as everybody may do everything.
 */
#include "connectors/daemon/answer/answer.h"

mandate_status answer_viewer(answerer *a, const service_request *r, uint32_t handle, const claims *c, int64_t now_us,
                             disclosure_viewer *out, mandate_error *err)
{
    engine_mandate_view m;
    mandate_slice self = r->who ? r->who->name : mandate_slice_of("", 0);

    engine_mandate_get(a->engine, handle, &m);
    bool all = judge_may_disclose(&a->judge, r, c, engine_effective_state(a->engine, handle, now_us, NULL), m.version);
    *out = (disclosure_viewer){.all = all && !r->audience.len, .audience = r->audience.len ? r->audience : self};
    if (!r->audience.len || all || mandate_slice_eq(r->audience, self))
        return MANDATE_OK;
    return mandate_error_set(err, MANDATE_DENIED,
                             "%.*s is not the audience \"%.*s\", and may not see what is restricted to it",
                             (int)(self.len < 200 ? self.len : 200), self.ptr,
                             (int)(r->audience.len < 200 ? r->audience.len : 200), r->audience.ptr);
}

mandate_status answer_viewer_of(answerer *a, const service_request *r, uint32_t handle, mandate_slice stored,
                                bool restricted, int64_t now_us, disclosure_viewer *out, mandate_error *err)
{
    claims c;

    *out = (disclosure_viewer){.all = true};
    if (!restricted && !claims_restrict(stored) && !r->audience.len)
        return MANDATE_OK;
    mandate_status status = claims_decode(&c, &a->memory, stored, err);
    return status == MANDATE_OK ? answer_viewer(a, r, handle, &c, now_us, out, err) : status;
}

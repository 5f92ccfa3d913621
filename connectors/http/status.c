/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status - GET /status/{list}: a status list (draft-ietf-oauth-status-list), for receivers that verify on their own. Public, as the keys are.
 */
#include "connectors/http/request.h"

static void listed(http_request *r)
{
    http_reply_take(r, 200, &r->ask.body);
    r->content_type = "application/statuslist+jwt";
    r->max_age_s = SERVICE_STATUS_TTL_S;
}

/* A decimal number as we write it. */
static bool read_number(uint32_t *out, mandate_slice text)
{
    uint32_t n = 0;

    if (text.len == 0 || text.len > 6 || (text.len > 1 && text.ptr[0] == '0'))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        n = n * 10 + (uint32_t)(text.ptr[i] - '0');
    }
    *out = n;
    return true;
}

void http_status_list(http_request *r)
{
    mandate_error err;

    if (read_number(&r->ask.list, r->params[0])) {
        r->ask.kind = SERVICE_STATUS_LIST;
        http_submit(r, listed);
    } else {
        (void)mandate_error_set(&err, MANDATE_NOT_FOUND, "there is no status list of this name: expected a number");
        http_fail(r, &err);
    }
}

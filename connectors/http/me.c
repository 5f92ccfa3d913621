/* SPDX-License-Identifier: Apache-2.0 */
/*
 * me - /v1/me: who the server takes the caller for, who vouches for that, and what the policy lets them do.
 *
 * A power is "permit", "maybe" (it depends on the mandate) or "second_person"; one that is not named is denied.
 */
#include "connectors/http/request.h"
#include "engine/base/text.h"

void http_me(http_request *r)
{
    const service *port = http_service(r);
    const policy_principal *who = r->who;
    char time[TIME_TEXT_MAX];
    buf *b = &r->reply;

    buf_put_str(b, "{\"principal\":");
    buf_put_json_string(b, who->name);
    buf_printf(b, ",\"kind\":\"%s\"", principal_kind_name(who->kind));
    if (who->issuer.len) {
        buf_put_str(b, ",\"issuer\":");
        buf_put_json_string(b, who->issuer);
    }
    if (who->until_us) {
        buf_put_str(b, ",\"until\":");
        buf_put_json_string(b, mandate_slice_of(time, time_format_us(time, who->until_us)));
    }
    if (port->me)
        port->me(port->ctx, who, b);
    else
        buf_put_str(b, ",\"policy\":null"); /* everybody may do everything */
    buf_put_str(b, "}\n");
    http_reply(r, 200, "application/json");
}

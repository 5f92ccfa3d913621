/* SPDX-License-Identifier: Apache-2.0 */
/* claims_seen - see the header. */
#include "connectors/daemon/keys/claims_seen.h"

#include "connectors/json/claims_json.h"
#include "connectors/token/handle.h"

static void put_members(buf *b, const char *name, uint32_t bits)
{
    bool first = true;

    buf_printf(b, ",\"%s\":[", name);
    for (int m = 0; m < MEMBER_COUNT; m++) {
        if (!(bits >> m & 1))
            continue;
        if (!first)
            buf_put_char(b, ',');
        buf_put_json_string(b, mandate_slice_str(claims_member_name((claims_member)m)));
        first = false;
    }
    buf_put_char(b, ']');
}

mandate_status claims_seen_put(buf *b, arena *a, const signer *s, uint32_t handle, const claims *c,
                               const disclosure_viewer *who, mandate_error *err)
{
    cel_value handles = cel_null();
    claims seen;

    buf_put_str(b, "\"mandate\":");
    if (!c->disclosure_count) {
        claims_to_json(b, c);
        return MANDATE_OK;
    }
    mandate_status status = disclosure_view(&seen, c, who, a, err);
    if (status == MANDATE_OK && s)
        status = handle_all(&handles, a, c, handle, &s->secret, err);
    if (status != MANDATE_OK)
        return status;
    claims_to_json(b, &seen);
    if (seen.hidden)
        put_members(b, "undisclosed", seen.hidden);
    if (handles.kind == CEL_MAP) {
        buf_put_str(b, ",\"handles\":");
        cel_to_json(b, handles);
    }
    return MANDATE_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* sd_jwt - taking apart and putting together; sd_resolve.c puts disclosures in their places. */
#include "connectors/token/sd_jwt.h"

#include "connectors/token/base64url.h"
#include "connectors/token/canonical.h"
#include "engine/base/hash.h"

bool sd_jwt_is(mandate_slice token) { return token.len && memchr(token.ptr, '~', token.len); }

mandate_status sd_jwt_split(sd_jwt *out, mandate_slice token, mandate_error *err)
{
    size_t begin = 0;
    out->count = 0;
    out->jwt = mandate_slice_of("", 0);
    if (token.len > LIMIT_TOKEN)
        return mandate_error_set(err, MANDATE_LIMIT, "a token of %zu bytes: at most %d are read", token.len, LIMIT_TOKEN);
    for (size_t i = 0; i < token.len; i++) {
        if (token.ptr[i] != '~')
            continue;
        mandate_slice part = mandate_slice_of(token.ptr + begin, i - begin);
        if (part.len == 0)
            return mandate_error_set(err, MANDATE_INVALID, "a disclosure is empty");
        if (begin && out->count == LIMIT_TOKEN_DISCLOSURES)
            return mandate_error_set(err, MANDATE_LIMIT, "more than %d disclosures", LIMIT_TOKEN_DISCLOSURES);
        if (begin)
            out->disclosures[out->count++] = part;
        else
            out->jwt = part;
        begin = i + 1;
    }
    if (begin != token.len)
        return mandate_error_set(err, MANDATE_INVALID,
                                 "something stands behind the last \"~\": a key binding, which is not used here, or a cut "
                                 "disclosure");
    return MANDATE_OK;
}

mandate_status sd_disclosure(mandate_slice *out, arena *a, mandate_slice salt, const mandate_slice *name, cel_value value,
                             mandate_error *err)
{
    cel_value items[3] = {cel_string(salt)};
    uint32_t n = 1;
    buf json, text;
    if (name)
        items[n++] = cel_string(*name);
    items[n++] = value;
    buf_init(&json);
    buf_init(&text);
    mandate_status status = canonical_put(&json, cel_list(items, n), err);
    if (!status) {
        base64url_put(&text, json.data, json.len);
        *out = text.failed ? mandate_slice_of(NULL, 0) : arena_dup(a, buf_slice(&text));
        if (!out->ptr)
            status = mandate_error_set(err, MANDATE_NOMEM, "out of memory for a disclosure");
    }
    buf_deinit(&json);
    buf_deinit(&text);
    return status;
}

mandate_slice sd_digest(arena *a, mandate_slice disclosure)
{
    uint8_t hash[SHA256_SIZE];
    mandate_slice out = mandate_slice_of("", 0);
    buf text;
    if (!sha256(hash, disclosure.ptr, disclosure.len))
        return out;
    buf_init(&text);
    base64url_put(&text, hash, sizeof(hash));
    if (!text.failed)
        out = arena_dup(a, buf_slice(&text));
    buf_deinit(&text);
    return out.ptr ? out : mandate_slice_of("", 0);
}

cel_value sd_entry(arena *a, mandate_slice digest)
{
    cel_entry *e = ARENA_ARRAY(a, cel_entry, 1);
    if (!e)
        return cel_null();
    *e = (cel_entry){cel_string(mandate_slice_str("...")), cel_string(digest)};
    return cel_map(e, 1);
}

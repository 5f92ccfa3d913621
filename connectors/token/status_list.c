/* SPDX-License-Identifier: Apache-2.0 */
/* status_list - see the header. zlib stays behind it. */
#include "connectors/token/status_list.h"

#include "connectors/json/json_value.h"
#include "connectors/token/base64url.h"
#include "connectors/token/canonical.h"
#include "engine/base/text.h"
#include "engine/limits.h"

#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

mandate_status status_list_put_lst(buf *out, mandate_slice bytes, int level, mandate_error *err)
{
    if (bytes.len > STATUS_LIST_BYTES_MAX)
        return mandate_error_set(err, MANDATE_LIMIT, "a status list of %zu bytes: at most %d", bytes.len,
                                 STATUS_LIST_BYTES_MAX);
    uLongf len = compressBound(bytes.len);
    Bytef *packed = malloc(len);
    if (!packed || compress2(packed, &len, (const Bytef *)bytes.ptr, bytes.len, level) != Z_OK) {
        free(packed);
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for a status list");
    }
    base64url_put(out, packed, len);
    free(packed);
    return MANDATE_OK;
}

static cel_entry entry(const char *name, cel_value v) { return (cel_entry){cel_string(mandate_slice_str(name)), v}; }

mandate_status status_list_payload(buf *out, const status_list *l, mandate_error *err)
{
    buf lst;
    buf_init(&lst);
    mandate_status status = status_list_put_lst(&lst, l->bytes, STATUS_LIST_LEVEL, err);
    cel_entry list[] = {entry("bits", cel_int(l->bits)), entry("lst", cel_string(buf_slice(&lst)))};
    cel_entry all[] = {entry("exp", cel_int(l->expires_s)), entry("iat", cel_int(l->issued_at_s)),
                       entry("status_list", cel_map(list, 2)), entry("sub", cel_string(l->uri)),
                       entry("ttl", cel_int(l->ttl_s))};
    if (!status && lst.failed)
        status = mandate_error_set(err, MANDATE_NOMEM, "out of memory for a status list");
    if (!status)
        status = canonical_put(out, cel_map(all, 5), err);
    buf_deinit(&lst);
    return status;
}

/* --- reading ------------------------------------------------------------------------------------------------ */
/* All of `packed` is one zlib stream of at most STATUS_LIST_BYTES_MAX bytes. */
static mandate_status inflate_all(mandate_slice *out, arena *a, mandate_slice packed, mandate_error *err)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)packed.ptr, .avail_in = (uInt)packed.len};
    unsigned char *bytes = malloc(STATUS_LIST_BYTES_MAX + 1);
    if (!bytes || inflateInit(&z) != Z_OK) {
        free(bytes);
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for a status list");
    }
    z.next_out = bytes;
    z.avail_out = STATUS_LIST_BYTES_MAX + 1;
    int code = inflate(&z, Z_FINISH);
    size_t len = STATUS_LIST_BYTES_MAX + 1 - z.avail_out;
    bool rest = z.avail_in > 0;
    inflateEnd(&z);
    mandate_status status = MANDATE_OK;
    if (len > STATUS_LIST_BYTES_MAX)
        status = mandate_error_set(err, MANDATE_LIMIT, "\"lst\": inflates to more than %d bytes", STATUS_LIST_BYTES_MAX);
    else if (code != Z_STREAM_END || rest)
        status = mandate_error_set(err, MANDATE_INVALID, "\"lst\": expected one whole zlib stream and nothing behind it");
    else
        *out = arena_dup(a, mandate_slice_of((const char *)bytes, len));
    free(bytes);
    if (!status && a->failed)
        status = mandate_error_set(err, MANDATE_NOMEM, "out of memory for a status list");
    return status;
}

static mandate_status read_list(status_list *out, arena *a, cel_value list, mandate_error *err)
{
    mandate_slice packed;
    int64_t bits = json_member_int(list, "bits", 0);
    if (list.kind != CEL_MAP)
        return mandate_error_set(err, MANDATE_INVALID, "\"status_list\": expected an object, got %s", json_value_kind(list));
    if (bits != 1 && bits != 2 && bits != 4 && bits != 8)
        return mandate_error_set(err, MANDATE_INVALID, "\"bits\": expected 1, 2, 4 or 8");
    out->bits = (uint32_t)bits;
    if (json_member(list, "lst").kind != CEL_STRING || !base64url_decode(&packed, a, json_member_text(list, "lst")))
        return mandate_error_set(err, MANDATE_INVALID, "\"lst\": expected canonical base64url");
    return inflate_all(&out->bytes, a, packed, err);
}

static bool is_second(int64_t s) { return s >= 0 && s <= TIME_SECONDS_MAX; }

mandate_status status_list_read(status_list *out, arena *a, mandate_slice text, mandate_error *err)
{
    cel_value payload;
    mandate_status status = json_value_parse(&payload, a, text, LIMIT_TOKEN, err);
    if (!status && payload.kind != CEL_MAP)
        status = mandate_error_set(err, MANDATE_INVALID, "expected an object, got %s", json_value_kind(payload));
    if (status)
        return mandate_error_prefix(err, status, "the status list's payload");
    *out = (status_list){.uri = json_member_text(payload, "sub"),
                         .issued_at_s = json_member_int(payload, "iat", -1),
                         .expires_s = json_member_int(payload, "exp", -1),
                         .ttl_s = json_member_int(payload, "ttl", json_has_member(payload, "ttl") ? -1 : 0)};
    if (out->uri.len == 0 || out->uri.len > STATUS_LIST_URI_MAX)
        return mandate_error_set(err, MANDATE_INVALID, "\"sub\": expected a URI of 1 to %d bytes", STATUS_LIST_URI_MAX);
    if (!is_second(out->issued_at_s) || !is_second(out->expires_s)) /* one that lasts for ever would hide every end */
        return mandate_error_set(err, MANDATE_INVALID, "\"iat\", \"exp\": expected seconds since 1970");
    if (out->ttl_s < 0)
        return mandate_error_set(err, MANDATE_INVALID, "\"ttl\": expected a number of seconds");
    return read_list(out, a, json_member(payload, "status_list"), err);
}

mandate_status status_list_at(uint32_t *out, const status_list *l, int64_t idx, mandate_error *err)
{
    uint32_t each = 8 / l->bits; /* entries of a byte */
    if (idx < 0 || (uint64_t)idx / each >= l->bytes.len)
        return mandate_error_set(err, MANDATE_DENIED, "the status list has no entry %lld: it has %zu", (long long)idx,
                                 l->bytes.len * each);
    uint32_t byte = (unsigned char)l->bytes.ptr[(uint64_t)idx / each];
    *out = byte >> ((uint64_t)idx % each * l->bits) & ((1U << l->bits) - 1);
    return MANDATE_OK;
}

mandate_status status_place_read(status_place *out, cel_value status, mandate_error *err)
{
    cel_value list = json_member(status, "status_list");
    *out = (status_place){.uri = {"", 0}};
    if (status.kind == CEL_NULL || (status.kind == CEL_MAP && !json_has_member(status, "status_list")))
        return MANDATE_OK;
    status_place place = {json_member_text(list, "uri"), json_member_int(list, "idx", -1)};
    if (status.kind != CEL_MAP || list.kind != CEL_MAP || place.idx < 0 || place.uri.len == 0 ||
        place.uri.len > STATUS_LIST_URI_MAX)
        return mandate_error_set(err, MANDATE_INVALID, "\"status\": expected {\"status_list\":{\"idx\",\"uri\"}}");
    *out = place;
    return MANDATE_OK;
}

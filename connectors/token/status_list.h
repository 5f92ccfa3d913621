/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status_list - how very many tokens stand, in one signed token (draft-ietf-oauth-status-list), `typ: statuslist+jwt`.
 *
 *   {"exp": s, "iat": s, "status_list": {"bits": 2, "lst": base64url(zlib(bytes))}, "sub": uri, "ttl": s}      in canonical form
 *
 * An entry is 1, 2, 4 or 8 bits wide; entry 0 stands in the least significant bits of byte 0. A token says where it stands
 * with `status.status_list {idx, uri}`; the `sub` of the list is that uri.
 *
 * What is read is hostile: a list inflates to at most STATUS_LIST_BYTES_MAX, nothing may follow it, and an entry behind its end
 * is no entry (never a valid one).
 */
#ifndef MANDATE_CONNECTORS_TOKEN_STATUS_LIST_H
#define MANDATE_CONNECTORS_TOKEN_STATUS_LIST_H

#include "engine/base/arena.h"
#include "engine/base/buf.h"
#include "engine/cel/value.h"

#define STATUS_LIST_TYP "statuslist+jwt"
enum {
    STATUS_LIST_BYTES_MAX = 1 << 20, /* inflated: 2^20 entries of 8 bits */
    STATUS_LIST_URI_MAX = 2048,      /* bytes */
    STATUS_LIST_LEVEL = 6            /* 9 takes eight times as long where one in ten has ended, for 3 % less */
};

/* Where a token's status stands. */
typedef struct status_place {
    mandate_slice uri; /* empty: nowhere */
    int64_t idx;
} status_place;

typedef struct status_list {
    mandate_slice uri;              /* `sub` */
    int64_t issued_at_s, expires_s; /* seconds since 1970 */
    int64_t ttl_s;                  /* 0: it says none */
    uint32_t bits;
    mandate_slice bytes; /* inflated */
} status_list;

/* base64url(zlib(bytes)), appended. `level` 1 to 9, zlib's. */
MANDATE_CHECK mandate_status status_list_put_lst(buf *out, mandate_slice bytes, int level, mandate_error *err);
/* The payload to be signed, appended. Compressed at STATUS_LIST_LEVEL. */
MANDATE_CHECK mandate_status status_list_payload(buf *out, const status_list *l, mandate_error *err);
/* Reads a payload whose signature was found right; everything in `a`. INVALID or LIMIT says what is wrong. */
MANDATE_CHECK mandate_status status_list_read(status_list *out, arena *a, mandate_slice payload, mandate_error *err);
/* DENIED when the list has no such entry. */
MANDATE_CHECK mandate_status status_list_at(uint32_t *out, const status_list *l, int64_t idx, mandate_error *err);

/* {"status_list":{"idx","uri"}} read from a token's `status` member; nowhere when `status` names no list. INVALID: broken. */
MANDATE_CHECK mandate_status status_place_read(status_place *out, cel_value status, mandate_error *err);

#endif

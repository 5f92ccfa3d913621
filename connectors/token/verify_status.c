/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_status - how a verified mandate stands by a status list, without calling anybody.
 *
 * The list is proved before it is believed: signed by a key of the mandate's own issuer, named as the mandate names it, in
 * force. What cannot be read, or has no such entry, is an error and never "valid".
 */
#include "connectors/token/verify_int.h"

static mandate_status check_list(const status_list *l, mandate_slice uri, int64_t now_us, int64_t skew_us,
                                 mandate_error *err)
{
    int64_t now_s = now_us / 1000000;
    if (!mandate_slice_eq(l->uri, uri))
        return mandate_error_set(err, MANDATE_DENIED, "it is the list \"%.*s\", the mandate names \"%.*s\"",
                                 MANDATE_SLICE_ARG(l->uri), MANDATE_SLICE_ARG(uri));
    if (now_s >= l->expires_s)
        return mandate_error_set(err, MANDATE_DENIED, "it expired %lld s ago: fetch it again",
                                 (long long)(now_s - l->expires_s));
    if (l->issued_at_s * 1000000 - now_us > skew_us)
        return mandate_error_set(err, MANDATE_DENIED, "it says that it was issued %lld s from now",
                                 (long long)(l->issued_at_s - now_s));
    return MANDATE_OK;
}

static mandate_status read_list(status_list *out, arena *a, const keyset *keys, mandate_slice token, mandate_error *err)
{
    jws parts;
    mandate_status status = jws_parse(&parts, a, token, STATUS_LIST_TYP, err);
    if (!status)
        status = jws_verify(&parts, keys, err);
    return status ? status : status_list_read(out, a, parts.payload, err);
}

mandate_status mandate_verified_standing(const mandate_verified *m, const mandate_verifier *v, size_t at,
                                         mandate_slice token, int64_t now_us, mandate_standing *out, mandate_error *err)
{
    status_list list;
    uint32_t entry = MANDATE_STANDS_INVALID;
    arena a;
    *out = MANDATE_STANDS_INVALID;
    if (now_us <= 0)
        return mandate_error_set(err, MANDATE_INVALID, "now_us: the time is required, or nothing could be found expired");
    const artifact *t = at < m->count ? &m->chain[at] : NULL;
    if (!t || !t->place.uri.len)
        return mandate_error_set(err, MANDATE_NOT_FOUND, "the chain has no token %zu that names a status list", at);
    const keyset *keys = verifier_keys(v, t->claims.issuer);
    if (!keys)
        return mandate_error_set(err, MANDATE_DENIED, "the issuer \"%.*s\" is not trusted",
                                 MANDATE_SLICE_ARG(t->claims.issuer));
    arena_init(&a, VERIFY_LIST_MEMORY);
    mandate_status status = read_list(&list, &a, keys, token, err);
    if (!status)
        status = check_list(&list, t->place.uri, now_us, v->clock_skew_us, err);
    if (!status)
        status = status_list_at(&entry, &list, t->place.idx, err);
    arena_deinit(&a);
    if (status)
        return mandate_error_prefix(err, status, "status list");
    /* A meaning that we do not know is no permission. */
    *out = entry == MANDATE_STANDS_VALID       ? MANDATE_STANDS_VALID
           : entry == MANDATE_STANDS_SUSPENDED ? MANDATE_STANDS_SUSPENDED
                                               : MANDATE_STANDS_INVALID;
    return MANDATE_OK;
}

mandate_slice mandate_verified_status_uri(const mandate_verified *m, size_t at)
{
    return at < m->count ? m->chain[at].place.uri : mandate_slice_of("", 0);
}

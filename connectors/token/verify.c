/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify - the public verifier (include/mandate/verify.h) over jws, artifact and scope.
 *
 * Cheap before dear: size and shape of every token first, then issuer and times, then signatures, then the chain. What is
 * read before the signature is found right decides only which key and whether to refuse.
 */
#include "connectors/token/verify_int.h"

#include "connectors/json/json_value.h"
#include "engine/base/text.h"
#include "engine/base/vec.h"

#include <stdlib.h>

/* --- whom we trust ------------------------------------------------------------------------------------------ */
mandate_status mandate_verifier_create(mandate_verifier **out, const mandate_verifier_options *options, mandate_error *err)
{
    mandate_verifier_options o = MANDATE_VERIFIER_OPTIONS_INIT;
    if (options && options->size != sizeof(o))
        return mandate_error_set(err, MANDATE_INVALID, "options of another version of this library: use the initialiser");
    if (options)
        o = *options;
    if (o.clock_skew_us < 0)
        return mandate_error_set(err, MANDATE_INVALID, "clock_skew_us: expected 0 or more");
    mandate_verifier *v = calloc(1, sizeof(*v));
    if (!v)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for a verifier");
    v->clock_skew_us = o.clock_skew_us;
    *out = v;
    return MANDATE_OK;
}

static void trusted_free(trusted *t)
{
    if (!t)
        return;
    keyset_deinit(&t->keys);
    free(t->issuer);
    free(t);
}

void mandate_verifier_destroy(mandate_verifier *v)
{
    if (!v)
        return;
    for (uint32_t i = 0; i < v->count; i++)
        trusted_free(v->issuers[i]);
    free(v);
}

/* Index of the issuer, or the count. */
static uint32_t issuer_find(const mandate_verifier *v, mandate_slice issuer)
{
    uint32_t i = 0;
    while (i < v->count && !mandate_slice_eq(mandate_slice_of(v->issuers[i]->issuer, v->issuers[i]->issuer_len), issuer))
        i++;
    return i;
}

const keyset *verifier_keys(const mandate_verifier *v, mandate_slice issuer)
{
    uint32_t at = issuer_find(v, issuer);
    return at < v->count ? &v->issuers[at]->keys : NULL;
}

mandate_status mandate_verifier_trust(mandate_verifier *v, mandate_slice issuer, mandate_slice jwks, mandate_error *err)
{
    mandate_status status;
    uint32_t at = issuer_find(v, issuer);
    if (issuer.len == 0 || issuer.len > ISSUER_MAX)
        return mandate_error_set(err, MANDATE_INVALID, "an issuer of 1 to %d bytes is expected", ISSUER_MAX);
    if (at == ISSUERS_MAX)
        return mandate_error_set(err, MANDATE_LIMIT, "more than %d trusted issuers", ISSUERS_MAX);
    trusted *t = calloc(1, sizeof(*t));
    if (t)
        t->issuer = malloc(issuer.len);
    if (!t || !t->issuer) {
        trusted_free(t);
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for an issuer");
    }
    memcpy(t->issuer, issuer.ptr, issuer.len);
    t->issuer_len = issuer.len;
    status = keyset_read(&t->keys, jwks, err);
    if (status) {
        trusted_free(t);
        return mandate_error_prefix(err, status, "keys of %.*s", MANDATE_SLICE_ARG(issuer));
    }
    if (at < v->count)
        trusted_free(v->issuers[at]);
    else
        v->count++;
    v->issuers[at] = t;
    return MANDATE_OK;
}

void mandate_verifier_distrust(mandate_verifier *v, mandate_slice issuer)
{
    uint32_t at = issuer_find(v, issuer);
    if (at == v->count)
        return;
    trusted_free(v->issuers[at]);
    v->issuers[at] = v->issuers[--v->count];
}

/* --- one token ---------------------------------------------------------------------------------------------- */
static mandate_status check_times(const claims *c, int64_t now_us, int64_t skew_us, mandate_error *err)
{
    char at[TIME_TEXT_MAX], now[TIME_TEXT_MAX];
    size_t now_len = time_format_us(now, now_us);
    if (now_us >= c->expires_at_us) {
        size_t len = time_format_us(at, c->expires_at_us);
        return mandate_error_set(err, MANDATE_DENIED, "it expired at %.*s; it is %.*s now", (int)len, at, (int)now_len, now);
    }
    if (c->issued_at_us > now_us && c->issued_at_us - now_us > skew_us) {
        size_t len = time_format_us(at, c->issued_at_us);
        return mandate_error_set(err, MANDATE_DENIED, "it says that it was issued at %.*s, but it is %.*s now", (int)len, at,
                                 (int)now_len, now);
    }
    return MANDATE_OK;
}

static mandate_status check_audience(const claims *c, mandate_slice audience, mandate_error *err)
{
    if (c->audience_count == 0)
        return MANDATE_OK;
    for (uint32_t i = 0; i < c->audience_count && audience.len; i++)
        if (scope_covers(c->audience[i], audience))
            return MANDATE_OK;
    return mandate_error_set(err, MANDATE_DENIED, "it is for another audience than \"%.*s\"", MANDATE_SLICE_ARG(audience));
}

static mandate_status read_token(artifact *out, arena *a, const mandate_verifier *v, mandate_slice token,
                                 const mandate_verify_options *o, mandate_error *err)
{
    jws parts;
    sd_jwt sd;
    const bool selective = sd_jwt_is(token);
    mandate_status status = selective ? sd_jwt_split(&sd, token, err) : MANDATE_OK;
    if (!status)
        status = jws_parse(&parts, a, selective ? sd.jwt : token, selective ? ARTIFACT_SD_TYP : ARTIFACT_TYP, err);
    if (!status)
        status = artifact_read(out, a, parts.payload, selective ? &sd : NULL, err);
    if (!status)
        status = check_times(&out->claims, o->now_us, v->clock_skew_us, err);
    if (!status)
        status = check_audience(&out->claims, o->audience, err);
    if (status)
        return status;
    const keyset *keys = verifier_keys(v, out->claims.issuer);
    if (!keys)
        return mandate_error_set(err, MANDATE_DENIED, "its issuer \"%.*s\" is not trusted",
                                 MANDATE_SLICE_ARG(out->claims.issuer));
    return jws_verify(&parts, keys, err);
}

/* What decides: without it, or without all of it, a permit or the proof that no hop is wider is not to be had. */
enum { DECIDES = CLAIMS_GIVEN(ACTIONS) | CLAIMS_GIVEN(RESOURCES) | CLAIMS_GIVEN(LIMITS) | CLAIMS_GIVEN(REQUIRE) };

static mandate_status check_whole(const artifact *t, mandate_error *err)
{
    for (int m = 0; m < MEMBER_COUNT; m++)
        if (t->claims.hidden & DECIDES & UINT32_C(1) << m)
            return mandate_error_set(err, MANDATE_DENIED, "%s is not disclosed, or not all of it",
                                     claims_member_name((claims_member)m));
    return MANDATE_OK;
}

/* --- the chain ---------------------------------------------------------------------------------------------- */
static mandate_status check_root(const artifact *root, mandate_error *err)
{
    if (root->claims.parent.len == 0)
        return MANDATE_OK;
    return mandate_error_set(err, MANDATE_DENIED, "it was delegated from \"%.*s\": the chain must begin with a root",
                             MANDATE_SLICE_ARG(root->claims.parent));
}

static mandate_status check_hop(const artifact *child, const artifact *parent, mandate_error *err)
{
    if (!mandate_slice_eq(child->claims.parent, parent->claims.id) ||
        !mandate_slice_eq(child->parent_hash, parent->authority_hash))
        return mandate_error_set(err, MANDATE_DENIED, "it was not delegated from the mandate before it");
    if (!mandate_slice_eq(child->claims.issuer, parent->claims.issuer))
        return mandate_error_set(err, MANDATE_DENIED, "it has another issuer than its parent");
    return scope_is_subset(&child->claims, &parent->claims, err);
}

static mandate_status read_chain(mandate_verified *m, const mandate_verifier *v, const mandate_slice *chain,
                                 const mandate_verify_options *o, mandate_error *err)
{
    for (size_t i = 0; i < m->count; i++) {
        mandate_status status = read_token(&m->chain[i], &m->memory, v, chain[i], o, err);
        if (!status && o->whole)
            status = check_whole(&m->chain[i], err);
        if (!status)
            status = i ? check_hop(&m->chain[i], &m->chain[i - 1], err) : check_root(&m->chain[i], err);
        if (status)
            return mandate_error_prefix(err, status, "token %zu", i);
    }
    const claims *leaf = &m->chain[m->count - 1].claims;
    if (o->agent.len && !mandate_slice_eq(o->agent, leaf->agent))
        return mandate_error_set(err, MANDATE_DENIED, "the mandate is \"%.*s\"'s, not \"%.*s\"'s",
                                 MANDATE_SLICE_ARG(leaf->agent), MANDATE_SLICE_ARG(o->agent));
    return MANDATE_OK;
}

static mandate_status check_size(const mandate_slice *chain, size_t count, mandate_error *err)
{
    size_t bytes = 0;
    if (count == 0)
        return mandate_error_set(err, MANDATE_INVALID, "an empty chain");
    if (count > LIMIT_TOKEN_CHAIN)
        return mandate_error_set(err, MANDATE_LIMIT, "a chain of %zu tokens: at most %d are read", count, LIMIT_TOKEN_CHAIN);
    for (size_t i = 0; i < count; i++)
        bytes += chain[i].len <= LIMIT_TOKEN ? chain[i].len : LIMIT_TOKEN;
    if (bytes > LIMIT_TOKEN_CHAIN_BYTES)
        return mandate_error_set(err, MANDATE_LIMIT, "a chain of %zu bytes: at most %d are read", bytes,
                                 LIMIT_TOKEN_CHAIN_BYTES);
    return MANDATE_OK;
}

mandate_status mandate_verify(mandate_verified **out, const mandate_verifier *v, const mandate_slice *chain, size_t count,
                              const mandate_verify_options *options, mandate_error *err)
{
    mandate_status status;
    if (!options || options->size != sizeof(*options))
        return mandate_error_set(err, MANDATE_INVALID, "options of another version of this library: use the initialiser");
    if (options->now_us <= 0)
        return mandate_error_set(err, MANDATE_INVALID, "now_us: the time is required, or nothing could be found expired");
    status = check_size(chain, count, err);
    if (status)
        return status;
    mandate_verified *m = calloc(1, sizeof(*m));
    if (!m)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for a chain");
    arena_init(&m->memory, 0);
    m->count = count;
    m->chain = ARENA_ARRAY(&m->memory, artifact, count);
    status = m->chain ? read_chain(m, v, chain, options, err)
                      : mandate_error_set(err, MANDATE_NOMEM, "out of memory for a chain");
    if (status) {
        mandate_verified_destroy(m);
        return status;
    }
    *out = m;
    return MANDATE_OK;
}

void mandate_verified_destroy(mandate_verified *m)
{
    if (!m)
        return;
    arena_deinit(&m->memory);
    free(m);
}

/* --- what it says ------------------------------------------------------------------------------------------- */
static mandate_status permits(const mandate_verified *m, arena *a, const scope_question *q, int64_t now_us,
                              mandate_error *err)
{
    for (size_t i = m->count; i-- > 0;) {
        const claims *c = &m->chain[i].claims;
        mandate_slice why = {"", 0};
        if (now_us >= c->expires_at_us)
            return mandate_error_set(err, MANDATE_DENIED, "the mandate \"%.*s\" has expired", MANDATE_SLICE_ARG(c->id));
        if (!scope_permits(c, q, a, &why))
            return mandate_error_set(err, MANDATE_DENIED, "%.*s (mandate \"%.*s\")", MANDATE_SLICE_ARG(why),
                                     MANDATE_SLICE_ARG(c->id));
    }
    return MANDATE_OK;
}

/* A JSON object, or nothing. */
static mandate_status read_object(cel_value *out, arena *a, mandate_slice text, const char *what, mandate_error *err)
{
    *out = cel_null();
    mandate_status status = text.len ? json_value_parse(out, a, text, 0, err) : MANDATE_OK;
    if (!status && text.len && out->kind != CEL_MAP)
        status = mandate_error_set(err, MANDATE_INVALID, "%s: expected an object, got %s", what, json_value_kind(*out));
    return status;
}

mandate_status mandate_verified_permits_asked(const mandate_verified *m, const mandate_asked *asked, int64_t now_us,
                                              mandate_error *err)
{
    arena a;
    if (!asked || asked->size != sizeof(*asked))
        return mandate_error_set(err, MANDATE_INVALID, "a question of another version of this library: use the initialiser");
    if (now_us <= 0)
        return mandate_error_set(err, MANDATE_INVALID, "now_us: the time is required");
    scope_question q = {.action = asked->action, .resource = asked->resource};
    arena_init(&a, 0);
    mandate_status status = read_object(&q.params, &a, asked->properties, "properties", err);
    if (!status)
        status = read_object(&q.properties, &a, asked->resource_properties, "resource_properties", err);
    if (!status)
        status = read_object(&q.context, &a, asked->context, "context", err);
    if (!status)
        status = permits(m, &a, &q, now_us, err);
    arena_deinit(&a);
    return status;
}

mandate_status mandate_verified_permits(const mandate_verified *m, mandate_slice action, mandate_slice resource,
                                        mandate_slice properties, int64_t now_us, mandate_error *err)
{
    mandate_asked asked = MANDATE_ASKED_INIT;
    asked.action = action;
    asked.resource = resource;
    asked.properties = properties;
    return mandate_verified_permits_asked(m, &asked, now_us, err);
}

static const artifact *leaf_of(const mandate_verified *m) { return &m->chain[m->count - 1]; }

mandate_slice mandate_verified_id(const mandate_verified *m) { return leaf_of(m)->claims.id; }
mandate_slice mandate_verified_issuer(const mandate_verified *m) { return leaf_of(m)->claims.issuer; }
mandate_slice mandate_verified_agent(const mandate_verified *m) { return leaf_of(m)->claims.agent; }
mandate_slice mandate_verified_grantor(const mandate_verified *m) { return leaf_of(m)->claims.grantor; }
mandate_slice mandate_verified_purpose(const mandate_verified *m) { return leaf_of(m)->claims.purpose; }
mandate_slice mandate_verified_authority_hash(const mandate_verified *m) { return leaf_of(m)->authority_hash; }
int64_t mandate_verified_expires_at_us(const mandate_verified *m) { return leaf_of(m)->claims.expires_at_us; }
size_t mandate_verified_depth(const mandate_verified *m) { return m->count; }

mandate_slice mandate_verified_chain_id(const mandate_verified *m, size_t at)
{
    return at < m->count ? m->chain[at].claims.id : mandate_slice_of("", 0);
}

uint32_t mandate_verified_version(const mandate_verified *m, size_t at) { return at < m->count ? m->chain[at].version : 0; }

/* The n-th member of a set, in their order. */
static mandate_slice member_at(uint32_t bits, size_t n)
{
    for (int i = 0; i < MEMBER_COUNT; i++)
        if (bits >> i & 1 && n-- == 0)
            return mandate_slice_str(claims_member_name((claims_member)i));
    return mandate_slice_of("", 0);
}

mandate_slice mandate_verified_undisclosed(const mandate_verified *m, size_t at, size_t n)
{
    return at < m->count ? member_at(m->chain[at].claims.hidden, n) : mandate_slice_of("", 0);
}

mandate_slice mandate_verified_unproved(const mandate_verified *m, size_t at, size_t n)
{
    if (at == 0 || at >= m->count)
        return mandate_slice_of("", 0);
    return member_at((m->chain[at].claims.hidden | m->chain[at - 1].claims.hidden) & DECIDES, n);
}

mandate_slice mandate_verified_handle(const mandate_verified *m, size_t at, mandate_slice member)
{
    cel_value handles = at < m->count ? m->chain[at].handles : cel_null();
    const cel_value *v = handles.kind == CEL_MAP ? cel_map_get(handles, cel_string(member)) : NULL;
    return v ? cel_text(*v) : mandate_slice_of("", 0);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sd_resolve - disclosures put in their places, by the rules of RFC 9901 section 7.1.
 *
 * One walk over the payload and, from each digest that a disclosure stands for, into that. Digests are counted across all of it:
 * one that stands twice, in whatever place, is refused, so nothing can stand for two things, and no walk goes round.
 */
#include "connectors/json/json_value.h"
#include "connectors/token/base64url.h"
#include "connectors/token/sd_jwt.h"

typedef struct disclosed {
    mandate_slice digest;
    cel_value parts; /* [salt, name, value] or [salt, value] */
    bool used;
} disclosed;

typedef struct resolver {
    arena *a;
    mandate_error *err;
    disclosed *known;
    uint32_t known_count;
    mandate_slice *seen; /* digests */
    uint32_t seen_count;
    sd_hole *holes;
    uint32_t hole_count;
} resolver;

/* Where we are; a chain of frames on the stack. */
typedef struct place {
    const struct place *up;
    mandate_slice name; /* empty: an entry of a list */
    uint32_t depth;
} place;

static mandate_status resolve(cel_value *out, resolver *r, cel_value v, const place *at);

static mandate_status no(resolver *r, const char *why)
{
    return mandate_error_set(r->err, MANDATE_INVALID, "selective disclosure: %s", why);
}

static mandate_status no_memory(resolver *r)
{
    return mandate_error_set(r->err, MANDATE_NOMEM, "out of memory for what a token discloses");
}

/* --- disclosures ------------------------------------------------------------------------------------------------- */
static bool is_reserved(mandate_slice name) { return mandate_slice_is(name, "_sd") || mandate_slice_is(name, "..."); }

static mandate_status read_disclosure(disclosed *d, resolver *r, mandate_slice text)
{
    mandate_slice json;
    if (!base64url_decode(&json, r->a, text))
        return no(r, "a disclosure is no canonical base64url");
    mandate_status status = json_value_parse(&d->parts, r->a, json, LIMIT_TOKEN, r->err);
    if (status)
        return mandate_error_prefix(r->err, status, "a disclosure");
    if (d->parts.kind != CEL_LIST || d->parts.len < 2 || d->parts.len > 3 || d->parts.items[0].kind != CEL_STRING)
        return no(r, "a disclosure is [salt, name, value] or [salt, value], and one is neither");
    if (d->parts.len == 3 && d->parts.items[1].kind != CEL_STRING)
        return no(r, "the name in a disclosure is no text");
    if (d->parts.len == 3 && is_reserved(cel_text(d->parts.items[1])))
        return no(r, "a disclosure bears a reserved name");
    d->digest = sd_digest(r->a, text);
    return d->digest.len ? MANDATE_OK : no_memory(r);
}

static mandate_status read_all(resolver *r, const sd_jwt *t)
{
    r->known = ARENA_ARRAY(r->a, disclosed, t->count + 1);
    r->seen = ARENA_ARRAY(r->a, mandate_slice, LIMIT_TOKEN_DIGESTS);
    r->holes = ARENA_ARRAY(r->a, sd_hole, LIMIT_TOKEN_DIGESTS);
    if (!r->known || !r->seen || !r->holes)
        return no_memory(r);
    for (uint32_t i = 0; i < t->count; i++) {
        disclosed *d = &r->known[i];
        *d = (disclosed){.used = false};
        mandate_status status = read_disclosure(d, r, t->disclosures[i]);
        if (status)
            return status;
        for (uint32_t k = 0; k < i; k++)
            if (mandate_slice_eq(r->known[k].digest, d->digest))
                return no(r, "a disclosure stands there twice");
        r->known_count++;
    }
    return MANDATE_OK;
}

/* What stands for a digest; *out NULL: nothing that was disclosed. */
static mandate_status take_digest(disclosed **out, resolver *r, cel_value digest)
{
    *out = NULL;
    if (digest.kind != CEL_STRING || digest.len != SD_DIGEST_TEXT)
        return no(r, "a digest is no SHA-256 in base64url");
    mandate_slice text = cel_text(digest);
    for (uint32_t i = 0; i < r->seen_count; i++)
        if (mandate_slice_eq(r->seen[i], text))
            return no(r, "a digest stands there twice");
    if (r->seen_count == LIMIT_TOKEN_DIGESTS)
        return mandate_error_set(r->err, MANDATE_LIMIT, "more than %d digests", LIMIT_TOKEN_DIGESTS);
    r->seen[r->seen_count++] = text;
    for (uint32_t i = 0; i < r->known_count; i++)
        if (mandate_slice_eq(r->known[i].digest, text)) {
            r->known[i].used = true;
            *out = &r->known[i];
        }
    return MANDATE_OK;
}

static mandate_slice path_of(arena *a, const place *at)
{
    if (!at->up)
        return mandate_slice_of("", 0);
    mandate_slice above = path_of(a, at->up);
    const int len = (int)(at->name.len < LIMIT_NAME ? at->name.len : LIMIT_NAME); /* no member of ours is longer */
    return arena_printf(a, "%.*s%s%.*s", MANDATE_SLICE_ARG(above), above.len ? "/" : "", len, at->name.ptr);
}

static mandate_status add_hole(resolver *r, const place *at, uint32_t missing)
{
    if (!missing)
        return MANDATE_OK;
    mandate_slice path = path_of(r->a, at);
    r->holes[r->hole_count++] = (sd_hole){path, missing}; /* at most one for each digest */
    return path.ptr ? MANDATE_OK : no_memory(r);
}

static mandate_status go_in(cel_value *out, resolver *r, cel_value v, mandate_slice name, const place *at)
{
    const place below = {at, name, at->depth + 1};
    if (below.depth > SD_DEPTH_MAX)
        return mandate_error_set(r->err, MANDATE_LIMIT, "selective disclosure: nested too deep");
    return resolve(out, r, v, &below);
}

/* --- objects ------------------------------------------------------------------------------------------------------ */
typedef struct object {
    cel_entry *entries;
    uint32_t count, clear; /* entries that stood there in the clear */
} object;

static bool has_entry(const object *o, mandate_slice name)
{
    for (uint32_t i = 0; i < o->count; i++)
        if (mandate_slice_eq(cel_text(o->entries[i].key), name))
            return true;
    return false;
}

static mandate_status put_disclosed(object *o, resolver *r, const disclosed *d, const place *at)
{
    if (d->parts.len != 3)
        return no(r, "a disclosure for an entry of a list stands for a member of an object");
    mandate_slice name = cel_text(d->parts.items[1]);
    if (has_entry(o, name))
        return no(r, "a disclosure says anew what is said already");
    cel_entry *e = &o->entries[o->count];
    e->key = cel_string(name);
    mandate_status status = go_in(&e->value, r, d->parts.items[2], name, at);
    o->count++;
    return status;
}

static mandate_status put_all_disclosed(object *o, resolver *r, cel_value digests, const place *at)
{
    uint32_t missing = 0;
    for (uint32_t i = 0; i < digests.len; i++) {
        disclosed *d = NULL;
        mandate_status status = take_digest(&d, r, digests.items[i]);
        if (!status && d)
            status = put_disclosed(o, r, d, at);
        if (status)
            return status;
        missing += !d;
    }
    return add_hole(r, at, missing);
}

static mandate_status resolve_object(cel_value *out, resolver *r, cel_value v, const place *at)
{
    cel_value digests = json_member(v, "_sd");
    mandate_status status = MANDATE_OK;
    if (json_has_member(v, "_sd") && digests.kind != CEL_LIST)
        return no(r, "\"_sd\" is no list of digests");
    if (json_has_member(v, "..."))
        return no(r, "\"...\" stands where no entry of a list does");
    if (json_has_member(v, "_sd_alg") && (at->up || !mandate_slice_is(json_member_text(v, "_sd_alg"), "sha-256")))
        return no(r, "\"_sd_alg\" stands at the top and is \"sha-256\", or it is not accepted");
    object o = {ARENA_ARRAY(r->a, cel_entry, (size_t)v.len + (digests.kind == CEL_LIST ? digests.len : 0) + 1), 0, 0};
    if (!o.entries)
        return no_memory(r);
    /* Every name first: what is disclosed must not stand in for any of them. */
    for (uint32_t i = 0; i < v.len; i++) {
        mandate_slice name = cel_text(v.map[i].key);
        if (!is_reserved(name) && !mandate_slice_is(name, "_sd_alg"))
            o.entries[o.count++] = v.map[i];
    }
    o.clear = o.count;
    for (uint32_t i = 0; i < o.clear && !status; i++)
        status = go_in(&o.entries[i].value, r, o.entries[i].value, cel_text(o.entries[i].key), at);
    if (!status && digests.kind == CEL_LIST)
        status = put_all_disclosed(&o, r, digests, at);
    *out = cel_map(o.entries, o.count);
    return status;
}

/* --- lists -------------------------------------------------------------------------------------------------------- */
static mandate_status resolve_entry(cel_value *out, bool *there, resolver *r, cel_value v, const place *at)
{
    disclosed *d = NULL;
    *there = true;
    if (v.kind != CEL_MAP || !json_has_member(v, "..."))
        return go_in(out, r, v, mandate_slice_of("", 0), at);
    if (v.len != 1)
        return no(r, "\"...\" stands beside other members");
    mandate_status status = take_digest(&d, r, v.map[0].value);
    *there = d != NULL;
    if (status || !d)
        return status;
    if (d->parts.len != 2)
        return no(r, "a disclosure for a member of an object stands for an entry of a list");
    return go_in(out, r, d->parts.items[1], mandate_slice_of("", 0), at);
}

static mandate_status resolve_list(cel_value *out, resolver *r, cel_value v, const place *at)
{
    cel_value *items = ARENA_ARRAY(r->a, cel_value, v.len + 1);
    uint32_t n = 0, missing = 0;
    if (!items)
        return no_memory(r);
    for (uint32_t i = 0; i < v.len; i++) {
        bool there;
        mandate_status status = resolve_entry(&items[n], &there, r, v.items[i], at);
        if (status)
            return status;
        n += there;
        missing += !there;
    }
    *out = cel_list(items, n);
    return add_hole(r, at, missing);
}

static mandate_status resolve(cel_value *out, resolver *r, cel_value v, const place *at)
{
    if (v.kind == CEL_MAP)
        return resolve_object(out, r, v, at);
    if (v.kind == CEL_LIST)
        return resolve_list(out, r, v, at);
    *out = v;
    return MANDATE_OK;
}

mandate_status sd_jwt_resolve(cel_value *out, sd_holes *holes, arena *a, cel_value payload, const sd_jwt *t,
                              mandate_error *err)
{
    resolver r = {.a = a, .err = err};
    const place top = {NULL, mandate_slice_of("", 0), 0};
    mandate_status status = read_all(&r, t);
    if (!status && payload.kind != CEL_MAP)
        status = no(&r, "the payload is no object");
    if (!status)
        status = resolve(out, &r, payload, &top);
    for (uint32_t i = 0; !status && i < r.known_count; i++)
        if (!r.known[i].used)
            status = no(&r, "a disclosure stands for no digest of this token");
    *holes = (sd_holes){r.holes, r.hole_count};
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * artifact - claims to payload; artifact_read.c is the way back. The JSON of the claims is made by claims_to_json and read by
 * claims_from_value, so that the API, the topic and the token say the same in the same words.
 */
#include "connectors/token/artifact_int.h"

#include "connectors/json/claims_json.h"
#include "connectors/token/canonical.h"
#include "connectors/token/handle.h"
#include "engine/base/text.h"

enum { MEMBERS_MAX = 16 };

/* A small JSON object being put together; keys are literals. */
typedef struct object {
    cel_entry entries[MEMBERS_MAX];
    uint32_t count;
} object;

static void add(object *o, const char *name, cel_value v)
{
    o->entries[o->count++] = (cel_entry){cel_string(mandate_slice_str(name)), v};
}

static void add_member(object *o, cel_value from, const char *name)
{
    if (json_has_member(from, name))
        add(o, name, json_member(from, name));
}

static cel_value object_value(const object *o) { return cel_map(o->entries, o->count); }

/* The claims as a JSON object, without what is said beside it. */
static mandate_status claims_value(cel_value *out, arena *a, const claims *c, mandate_error *err)
{
    claims timeless = *c;
    buf text;
    timeless.issued_at_us = 0;
    timeless.disclosure_count = 0; /* whom it is shown to is nobody else's business */
    buf_init(&text);
    claims_to_json(&text, &timeless);
    mandate_status status = text.failed ? mandate_error_set(err, MANDATE_NOMEM, "out of memory for a token")
                                        : json_value_parse(out, a, buf_slice(&text), LIMIT_TOKEN, err);
    buf_deinit(&text);
    return status;
}

mandate_status artifact_hash_value(buf *out, cel_value mandate, mandate_slice salt, mandate_error *err)
{
    static const char *const members[] = {"scope",      "while",      "until",         "suspend_while",
                                          "params",     "audience",   "max_depth",     "parent",
                                          "expires_at", "on_unknown", "unknown_grace", "delegation"};
    object value = {.count = 0}, anchor = {.count = 0};
    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
        add_member(&value, mandate, members[i]);
    add(&anchor, "iss", json_member(mandate, "issuer"));
    if (salt.len)
        add(&anchor, "salt", cel_string(salt));
    add(&anchor, "typ", cel_string(mandate_slice_str("mandate-authority")));
    add(&anchor, "value", object_value(&value));
    return canonical_hash(out, object_value(&anchor), err);
}

mandate_status artifact_authority_hash(buf *out, const claims *c, const disclose_key *key, mandate_error *err)
{
    mandate_slice salt;
    cel_value mandate;
    arena a;
    arena_init(&a, 0);
    mandate_status status = claims_value(&mandate, &a, c, err);
    if (!status)
        status = disclose_authority_salt(&salt, &a, c, key, err);
    if (!status)
        status = artifact_hash_value(out, mandate, salt, err);
    arena_deinit(&a);
    return status;
}

int64_t artifact_seconds(int64_t us) { return us / 1000000 - (us % 1000000 < 0); }

/* {"status_list":{"idx","uri"}} */
static void add_status(object *payload, object *status, object *list, const status_place *place)
{
    if (!place || !place->uri.len)
        return;
    add(list, "idx", cel_int(place->idx));
    add(list, "uri", cel_string(place->uri));
    add(status, "status_list", object_value(list));
    add(payload, "status", object_value(status));
}

/* `mandate` whole or cut; nothing of what it hides goes in. */
static mandate_status put_payload(buf *out, const artifact_facts *f, cel_value mandate, mandate_slice hash,
                                  mandate_slice parent_hash, mandate_error *err)
{
    object payload = {.count = 0}, parent = {.count = 0}, stands = {.count = 0}, list = {.count = 0};
    const claims *c = f->claims;
    if (c->disclosure_count)
        add(&payload, "_sd_alg", cel_string(mandate_slice_str("sha-256")));
    if (c->audience_count) {
        add_member(&payload, mandate, "audience");
        payload.entries[payload.count - 1].key = cel_string(mandate_slice_str("aud"));
    }
    add(&payload, "authority_hash", cel_string(hash));
    add(&payload, "exp", cel_int(artifact_seconds(c->expires_at_us)));
    add(&payload, "iat", cel_int(artifact_seconds(c->issued_at_us)));
    add(&payload, "iss", cel_string(c->issuer));
    add(&payload, "jti", cel_string(c->id));
    add(&payload, "mandate", mandate);
    add(&payload, "sub", cel_string(c->agent));
    if (c->parent.len) {
        add(&parent, "authority_hash", cel_string(parent_hash));
        add(&parent, "id", cel_string(c->parent));
        add(&payload, "parent", object_value(&parent));
    }
    add_status(&payload, &stands, &list, f->place);
    if (f->version > 1)
        add(&payload, "version", cel_int(f->version));
    return canonical_put(out, object_value(&payload), err);
}

static mandate_status cut(artifact_made *out, const artifact_facts *f, cel_value mandate, mandate_error *err)
{
    cel_value handles = cel_null();
    mandate_status status = MANDATE_OK;
    if (f->place && f->place->uri.len)
        status = handle_all(&handles, &out->memory, f->claims, (uint32_t)f->place->idx, f->key, err);
    return status ? status : disclose_cut_out(&out->cut, &out->memory, f->claims, mandate, handles, f->version, f->key, err);
}

mandate_status artifact_make(artifact_made *out, const artifact_facts *f, mandate_error *err)
{
    const claims *c = f->claims;
    mandate_slice salt = mandate_slice_of("", 0);
    cel_value mandate;
    buf hash, parent_hash;
    arena_init(&out->memory, 0);
    buf_init(&out->payload);
    out->cut.count = 0;
    buf_init(&hash);
    buf_init(&parent_hash);
    mandate_status status = claims_value(&mandate, &out->memory, c, err);
    if (!status && f->parent)
        status = artifact_authority_hash(&parent_hash, f->parent, f->key, err);
    if (!status && c->disclosure_count)
        status = disclose_authority_salt(&salt, &out->memory, c, f->key, err);
    if (!status)
        status = artifact_hash_value(&hash, mandate, salt, err);
    if (!status && c->disclosure_count) {
        status = cut(out, f, mandate, err);
        mandate = out->cut.mandate;
    }
    if (!status)
        status = put_payload(&out->payload, f, mandate, buf_slice(&hash), buf_slice(&parent_hash), err);
    buf_deinit(&hash);
    buf_deinit(&parent_hash);
    return status;
}

void artifact_made_deinit(artifact_made *m)
{
    arena_deinit(&m->memory);
    buf_deinit(&m->payload);
}

const char *artifact_typ(const claims *c) { return c->disclosure_count ? ARTIFACT_SD_TYP : ARTIFACT_TYP; }

mandate_status artifact_check(const claims *c, mandate_error *err)
{
    static const disclose_key some = {{0}}; /* what it says does not matter for how long it is */
    const status_place place = {mandate_slice_str("https://status.example/"), INT32_MAX};
    const artifact_facts f = {.claims = c, .place = c->disclosure_count ? &place : NULL, .version = 1, .key = &some};
    artifact_made made;
    mandate_status status = artifact_make(&made, &f, err);
    size_t size = made.payload.len;
    for (uint32_t i = 0; i < made.cut.count; i++)
        size += made.cut.all[i].text.len / 4 * 3 + 4;
    if (!status && size > ARTIFACT_PAYLOAD_MAX)
        status =
            mandate_error_set(err, MANDATE_LIMIT, "signed it would have %zu bytes: at most %d", size, ARTIFACT_PAYLOAD_MAX);
    artifact_made_deinit(&made);
    return status;
}

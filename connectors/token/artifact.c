/* SPDX-License-Identifier: Apache-2.0 */
/*
 * artifact - claims to payload and back. The JSON of the claims is made by claims_to_json and read by claims_from_value,
 * so that the API, the topic and the token say the same in the same words.
 */
#include "connectors/token/artifact.h"

#include "connectors/json/claims_json.h"
#include "connectors/token/canonical.h"
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
    buf_init(&text);
    claims_to_json(&text, &timeless);
    mandate_status status = text.failed ? mandate_error_set(err, MANDATE_NOMEM, "out of memory for a token")
                                        : json_value_parse(out, a, buf_slice(&text), LIMIT_TOKEN, err);
    buf_deinit(&text);
    return status;
}

static mandate_status hash_authority(buf *out, cel_value mandate, mandate_error *err)
{
    static const char *const members[] = {"scope",      "while",      "until",         "suspend_while",
                                          "params",     "audience",   "max_depth",     "parent",
                                          "expires_at", "on_unknown", "unknown_grace", "delegation"};
    object value = {.count = 0}, anchor = {.count = 0};
    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++)
        add_member(&value, mandate, members[i]);
    add(&anchor, "iss", json_member(mandate, "issuer"));
    add(&anchor, "typ", cel_string(mandate_slice_str("mandate-authority")));
    add(&anchor, "value", object_value(&value));
    return canonical_hash(out, object_value(&anchor), err);
}

mandate_status artifact_authority_hash(buf *out, const claims *c, mandate_error *err)
{
    cel_value mandate;
    arena a;
    arena_init(&a, 0);
    mandate_status status = claims_value(&mandate, &a, c, err);
    if (!status)
        status = hash_authority(out, mandate, err);
    arena_deinit(&a);
    return status;
}

static int64_t seconds_of(int64_t us) { return us / 1000000 - (us % 1000000 < 0); }

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

mandate_status artifact_payload(buf *out, const claims *c, mandate_slice parent_hash, const status_place *place,
                                mandate_error *err)
{
    object payload = {.count = 0}, parent = {.count = 0}, stands = {.count = 0}, list = {.count = 0};
    cel_value mandate;
    buf hash;
    arena a;
    arena_init(&a, 0);
    buf_init(&hash);
    mandate_status status = claims_value(&mandate, &a, c, err);
    if (!status)
        status = hash_authority(&hash, mandate, err);
    if (!status) {
        add_member(&payload, mandate, "audience");
        if (payload.count)
            payload.entries[0].key = cel_string(mandate_slice_str("aud"));
        add(&payload, "authority_hash", cel_string(buf_slice(&hash)));
        add(&payload, "exp", cel_int(seconds_of(c->expires_at_us)));
        add(&payload, "iat", cel_int(seconds_of(c->issued_at_us)));
        add(&payload, "iss", cel_string(c->issuer));
        add(&payload, "jti", cel_string(c->id));
        add(&payload, "mandate", mandate);
        add(&payload, "sub", cel_string(c->agent));
        if (c->parent.len) {
            add(&parent, "authority_hash", cel_string(parent_hash));
            add(&parent, "id", cel_string(c->parent));
            add(&payload, "parent", object_value(&parent));
        }
        add_status(&payload, &stands, &list, place);
        status = canonical_put(out, object_value(&payload), err);
    }
    buf_deinit(&hash);
    arena_deinit(&a);
    return status;
}

mandate_status artifact_check(const claims *c, mandate_error *err)
{
    buf payload;
    buf_init(&payload);
    mandate_status status = artifact_payload(&payload, c, mandate_slice_of("", 0), NULL, err);
    if (!status && payload.len > ARTIFACT_PAYLOAD_MAX)
        status = mandate_error_set(err, MANDATE_LIMIT, "signed it would have %zu bytes: at most %d", payload.len,
                                   ARTIFACT_PAYLOAD_MAX);
    buf_deinit(&payload);
    return status;
}

/* --- reading ------------------------------------------------------------------------------------------------ */
static mandate_status differs(mandate_error *err, const char *one, const char *other)
{
    return mandate_error_set(err, MANDATE_INVALID, "the token contradicts itself: \"%s\" is not what \"%s\" says", one,
                             other);
}

static bool same_list(cel_value list, const mandate_slice *items, uint32_t count)
{
    if (list.kind == CEL_NULL)
        return count == 0;
    if (list.kind != CEL_LIST || list.len != count)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (list.items[i].kind != CEL_STRING || !mandate_slice_eq(cel_text(list.items[i]), items[i]))
            return false;
    return true;
}

static mandate_status check_agreement(const artifact *t, cel_value payload, mandate_error *err)
{
    const claims *c = &t->claims;
    cel_value parent = json_member(payload, "parent");
    if (!mandate_slice_eq(json_member_text(payload, "iss"), c->issuer))
        return differs(err, "iss", "mandate.issuer");
    if (!mandate_slice_eq(json_member_text(payload, "sub"), c->agent))
        return differs(err, "sub", "mandate.agent");
    if (!mandate_slice_eq(json_member_text(payload, "jti"), c->id))
        return differs(err, "jti", "mandate.id");
    if (json_member_int(payload, "exp", INT64_MIN) != seconds_of(c->expires_at_us))
        return differs(err, "exp", "mandate.expires_at");
    if (!same_list(json_member(payload, "aud"), c->audience, c->audience_count))
        return differs(err, "aud", "mandate.audience");
    if (!mandate_slice_eq(json_member_text(parent, "id"), c->parent))
        return differs(err, "parent.id", "mandate.parent");
    if ((c->parent.len != 0) != (t->parent_hash.len != 0) || (c->parent.len != 0) != json_has_member(payload, "parent"))
        return mandate_error_set(err, MANDATE_INVALID,
                                 "\"parent\": expected {\"authority_hash\",\"id\"} in a delegated mandate, "
                                 "and no parent in a root");
    return MANDATE_OK;
}

static mandate_status check_hash(const artifact *t, cel_value mandate, mandate_error *err)
{
    buf hash;
    buf_init(&hash);
    mandate_status status = hash_authority(&hash, mandate, err);
    if (!status && !mandate_slice_eq(buf_slice(&hash), t->authority_hash))
        status = differs(err, "authority_hash", "mandate");
    buf_deinit(&hash);
    return status;
}

static mandate_status read_issued_at(claims *c, cel_value payload, mandate_error *err)
{
    int64_t iat = json_member_int(payload, "iat", INT64_MIN);
    if (iat < 0 || iat > TIME_SECONDS_MAX)
        return mandate_error_set(err, MANDATE_INVALID, "\"iat\": expected seconds since 1970");
    c->issued_at_us = iat * 1000000;
    return MANDATE_OK;
}

mandate_status artifact_read(artifact *out, arena *a, mandate_slice text, mandate_error *err)
{
    cel_value payload, mandate;
    mandate_status status = json_value_parse(&payload, a, text, LIMIT_TOKEN, err);
    if (!status && payload.kind != CEL_MAP)
        status = mandate_error_set(err, MANDATE_INVALID, "expected an object, got %s", json_value_kind(payload));
    if (status)
        return mandate_error_prefix(err, status, "the token's payload");
    mandate = json_member(payload, "mandate");
    if (mandate.kind != CEL_MAP)
        return mandate_error_set(err, MANDATE_INVALID, "\"mandate\": expected an object, got %s", json_value_kind(mandate));
    status = claims_from_value(&out->claims, a, mandate, err);
    if (!status)
        status = claims_check(&out->claims, err);
    if (status)
        return mandate_error_prefix(err, status, "\"mandate\"");
    out->authority_hash = json_member_text(payload, "authority_hash");
    out->parent_hash = json_member_text(json_member(payload, "parent"), "authority_hash");
    status = read_issued_at(&out->claims, payload, err);
    if (!status)
        status = status_place_read(&out->place, json_member(payload, "status"), err);
    if (!status)
        status = check_agreement(out, payload, err);
    if (!status)
        status = check_hash(out, mandate, err);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * artifact_read - a payload to claims. Of an SD-JWT: what is disclosed in its place, and exactly which members are not known, or not
 * whole; whoever asks what depends on one of those is told no.
 */
#include "connectors/token/artifact_int.h"

#include "connectors/json/claims_json.h"
#include "engine/base/text.h"
#include "engine/mandate/required.h"

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
    if (json_member_int(payload, "exp", INT64_MIN) != artifact_seconds(c->expires_at_us))
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

/* Only who knows all of the authority can say whether this is its hash. */
static mandate_status check_hash(const artifact *t, cel_value mandate, mandate_slice salt, mandate_error *err)
{
    if (t->claims.hidden & ~DISCLOSE_NO_AUTHORITY)
        return MANDATE_OK;
    if (t->restricted & ~DISCLOSE_NO_AUTHORITY && salt.len != DISCLOSE_SALT_TEXT)
        return mandate_error_set(err, MANDATE_INVALID,
                                 "all of its authority is disclosed, and \"" DISCLOSE_SALT_NAME
                                 "\" is not: its hash cannot be "
                                 "compared");
    buf hash;
    buf_init(&hash);
    mandate_status status = artifact_hash_value(&hash, mandate, salt, err);
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

static mandate_status read_version(artifact *out, cel_value payload, mandate_error *err)
{
    int64_t version = json_member_int(payload, "version", json_has_member(payload, "version") ? 0 : 1);
    if (version < 1 || version > UINT32_MAX)
        return mandate_error_set(err, MANDATE_INVALID, "\"version\": expected an integer from 1");
    out->version = (uint32_t)version;
    return MANDATE_OK;
}

/* --- what is restricted -------------------------------------------------------------------------------------------- */
/* The mandate without what only an SD-JWT has. */
typedef struct stripped {
    cel_value mandate, restricted, handles;
    mandate_slice salt;
} stripped;

static mandate_status strip(stripped *out, arena *a, cel_value mandate, mandate_error *err)
{
    cel_entry *left = ARENA_ARRAY(a, cel_entry, mandate.len + 1);
    uint32_t n = 0;
    *out = (stripped){.restricted = json_member(mandate, "restricted"),
                      .handles = json_member(mandate, "handles"),
                      .salt = json_member_text(mandate, DISCLOSE_SALT_NAME)};
    if (!left)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for a mandate");
    for (uint32_t i = 0; i < mandate.len; i++) {
        mandate_slice name = cel_text(mandate.map[i].key);
        if (!mandate_slice_is(name, "restricted") && !mandate_slice_is(name, "handles") &&
            !mandate_slice_is(name, DISCLOSE_SALT_NAME))
            left[n++] = mandate.map[i];
    }
    out->mandate = cel_map(left, n);
    return MANDATE_OK;
}

/* Member names in their order, each once. */
static mandate_status read_restricted(uint32_t *out, cel_value names, mandate_error *err)
{
    claims_member before = MEMBER_COUNT, member = MEMBER_COUNT;
    mandate_slice part = mandate_slice_of("", 0);
    *out = 0;
    bool good = names.kind == CEL_LIST && names.len > 0;
    for (uint32_t i = 0; good && i < names.len; i++) {
        good = names.items[i].kind == CEL_STRING && disclosure_parse(&member, &part, cel_text(names.items[i])) &&
               !part.len && (before == MEMBER_COUNT || member > before);
        *out |= UINT32_C(1) << member;
        before = member;
    }
    return good
               ? MANDATE_OK
               : mandate_error_set(err, MANDATE_INVALID,
                                   "\"restricted\": expected the members that may be missing, each once and in their order");
}

static mandate_status check_handles(cel_value handles, uint32_t restricted, mandate_error *err)
{
    claims_member member = MEMBER_COUNT;
    mandate_slice part = mandate_slice_of("", 0);
    bool good = handles.kind == CEL_NULL || handles.kind == CEL_MAP;
    for (uint32_t i = 0; good && handles.kind == CEL_MAP && i < handles.len; i++)
        good = handles.map[i].value.kind == CEL_STRING && handles.map[i].value.len <= LIMIT_ID &&
               disclosure_parse(&member, &part, cel_text(handles.map[i].key)) && !part.len && restricted >> member & 1;
    return good ? MANDATE_OK
                : mandate_error_set(err, MANDATE_INVALID, "\"handles\": expected texts, by the names of restricted members");
}

/* Where members stand, and what may hide in each: whole members in the first two, parts of one in the others. */
static const struct {
    const char *path;
    uint32_t members;
} places[] = {
    {"mandate", CLAIMS_GIVEN(PURPOSE) | CLAIMS_GIVEN(WHILE) | CLAIMS_GIVEN(UNTIL) | CLAIMS_GIVEN(SUSPEND_WHILE) |
                    CLAIMS_GIVEN(PARAMS) | CLAIMS_GIVEN(TARGETS)},
    {"mandate/scope", CLAIMS_GIVEN(ACTIONS) | CLAIMS_GIVEN(RESOURCES) | CLAIMS_GIVEN(LIMITS) | CLAIMS_GIVEN(REQUIRE)},
    {"mandate/scope/actions", CLAIMS_GIVEN(ACTIONS)},
    {"mandate/scope/resources", CLAIMS_GIVEN(RESOURCES)},
    {"mandate/scope/limits", CLAIMS_GIVEN(LIMITS)},
    {"mandate/scope/require", CLAIMS_GIVEN(REQUIRE)},
    {"mandate/params", CLAIMS_GIVEN(PARAMS)},
    {"mandate/targets", CLAIMS_GIVEN(TARGETS)},
};
enum { PLACES = sizeof(places) / sizeof(*places), PLACES_OF_MEMBERS = 2 };

static uint32_t missing_at(const sd_holes *holes, const char *path)
{
    for (uint32_t i = 0; i < holes->count; i++)
        if (mandate_slice_is(holes->items[i].path, path))
            return holes->items[i].missing;
    return 0;
}

static bool is_place(mandate_slice path)
{
    for (int i = 0; i < PLACES; i++)
        if (mandate_slice_is(path, places[i].path))
            return true;
    return false;
}

static bool says_member(cel_value mandate, claims_member member)
{
    const char *name = claims_member_name(member);
    return strncmp(name, "scope.", 6) == 0 ? json_has_member(json_member(mandate, "scope"), name + 6)
                                           : json_has_member(mandate, name);
}

/* Every digest that nothing stands for must be accounted for by a member that is restricted and missing, or has parts; and every
 * such member by one: else it would not be known what is not known. */
static mandate_status find_hidden(artifact *out, const stripped *s, const sd_holes *holes, mandate_error *err)
{
    static const char *const wrong = "what is missing is not what \"restricted\" says may be";
    uint32_t absent = 0, hidden = 0;
    for (uint32_t i = 0; i < holes->count; i++)
        if (!is_place(holes->items[i].path))
            return mandate_error_set(err, MANDATE_INVALID, "it keeps back something that cannot be restricted, in \"%.*s\"",
                                     (int)(holes->items[i].path.len < 100 ? holes->items[i].path.len : 100),
                                     holes->items[i].path.ptr);
    for (int m = 0; m < MEMBER_COUNT; m++)
        if (out->restricted >> m & 1 && !says_member(s->mandate, (claims_member)m))
            absent |= UINT32_C(1) << m;
    for (int i = 0; i < PLACES; i++) {
        uint32_t missing = missing_at(holes, places[i].path), expected;
        if (i >= PLACES_OF_MEMBERS) {
            if (missing && !(out->restricted & places[i].members))
                return mandate_error_set(err, MANDATE_INVALID, "%s", wrong);
            hidden |= missing ? places[i].members : 0;
            continue;
        }
        expected = (uint32_t)__builtin_popcount(absent & places[i].members);
        if (i == 0 && out->restricted & ~DISCLOSE_NO_AUTHORITY && !s->salt.len)
            expected++;
        if (missing != expected)
            return mandate_error_set(err, MANDATE_INVALID, "%s", wrong);
    }
    out->claims.hidden = hidden | absent;
    return MANDATE_OK;
}

static mandate_status read_selective(artifact *out, stripped *s, arena *a, cel_value mandate, const sd_holes *holes,
                                     mandate_error *err)
{
    mandate_status status = strip(s, a, mandate, err);
    if (!status)
        status = read_restricted(&out->restricted, s->restricted, err);
    if (!status)
        status = check_handles(s->handles, out->restricted, err);
    if (status)
        return status;
    out->handles = s->handles;
    return find_hidden(out, s, holes, err);
}

/* --- all of it ------------------------------------------------------------------------------------------------------ */
static mandate_status parse(cel_value *payload, sd_holes *holes, arena *a, mandate_slice text, const sd_jwt *sd,
                            mandate_error *err)
{
    *holes = (sd_holes){NULL, 0};
    mandate_status status = json_value_parse(payload, a, text, LIMIT_TOKEN, err);
    if (!status && payload->kind != CEL_MAP)
        status = mandate_error_set(err, MANDATE_INVALID, "expected an object, got %s", json_value_kind(*payload));
    if (!status && sd)
        status = sd_jwt_resolve(payload, holes, a, *payload, sd, err);
    return status ? mandate_error_prefix(err, status, "the token's payload") : MANDATE_OK;
}

/* The same requirement has one form, and so one hash. */
static mandate_status check_order(const claims *c, cel_value mandate, mandate_error *err)
{
    const cel_value require = json_member(json_member(mandate, "scope"), "require");
    for (uint32_t i = 0; i < c->required_count; i++) {
        const claims_required *r = &c->required[i];
        const cel_value *list = cel_map_get(require, cel_string(r->name));
        bool same = list && list->kind == CEL_LIST && list->len == r->value_count;
        for (uint32_t k = 0; same && k < r->value_count; k++)
            same = required_value_cmp(list->items[k], r->values[k]) == 0;
        if (!same)
            return mandate_error_set(err, MANDATE_INVALID, "scope.require: its values are not in their order");
    }
    return MANDATE_OK;
}

static mandate_status read_claims(artifact *out, arena *a, cel_value mandate, mandate_error *err)
{
    const uint32_t hidden = out->claims.hidden;
    mandate_status status = MANDATE_OK;
    if (json_has_member(mandate, "disclosure"))
        status = mandate_error_set(err, MANDATE_INVALID, "\"disclosure\" is not for tokens");
    if (!status)
        status = claims_from_value(&out->claims, a, mandate, err);
    out->claims.hidden = hidden;
    if (!status)
        status = claims_check(&out->claims, err);
    if (!status)
        status = check_order(&out->claims, mandate, err);
    return status ? mandate_error_prefix(err, status, "\"mandate\"") : MANDATE_OK;
}

mandate_status artifact_read(artifact *out, arena *a, mandate_slice text, const sd_jwt *sd, mandate_error *err)
{
    stripped s = {.handles = cel_null()};
    cel_value payload, mandate;
    sd_holes holes;
    mandate_status status = parse(&payload, &holes, a, text, sd, err);
    if (status)
        return status;
    *out = (artifact){.handles = cel_null()};
    mandate = json_member(payload, "mandate");
    if (mandate.kind != CEL_MAP)
        return mandate_error_set(err, MANDATE_INVALID, "\"mandate\": expected an object, got %s", json_value_kind(mandate));
    if (sd) {
        status = read_selective(out, &s, a, mandate, &holes, err);
        mandate = s.mandate;
    }
    if (!status)
        status = read_claims(out, a, mandate, err);
    if (status)
        return status;
    out->authority_hash = json_member_text(payload, "authority_hash");
    out->parent_hash = json_member_text(json_member(payload, "parent"), "authority_hash");
    status = read_issued_at(&out->claims, payload, err);
    if (!status)
        status = read_version(out, payload, err);
    if (!status)
        status = status_place_read(&out->place, json_member(payload, "status"), err);
    if (!status)
        status = check_agreement(out, payload, err);
    if (!status)
        status = check_hash(out, mandate, s.salt, err);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* claims - structural checks and the stored form. What is inside the scope is compared in scope.c. */
#include "engine/mandate/claims.h"

#include "engine/base/text.h"
#include "engine/context/schema.h"
#include "engine/mandate/disclosure.h"
#include "engine/mandate/required.h"

#include <assert.h>
#include <math.h>

/* What has RESTRICTED at its end rules of disclosure, and with REQUIRED before them required values: nothing that is cut short reads as
 * open to everybody, or as requiring nothing. */
enum { CLAIMS_FORMAT = 2, CLAIMS_FORMAT_RESTRICTED = 4, CLAIMS_REQUIRED = 1 };

static bool is_format(uint8_t format)
{
    return (format & ~CLAIMS_REQUIRED) == CLAIMS_FORMAT || (format & ~CLAIMS_REQUIRED) == CLAIMS_FORMAT_RESTRICTED;
}

static bool is_restricted_format(uint8_t format) { return (format & ~CLAIMS_REQUIRED) == CLAIMS_FORMAT_RESTRICTED; }

cel_value claims_field(const claims *c, uint32_t field)
{
    switch (field) {
    case SCHEMA_MANDATE_ID:
        return cel_string(c->id);
    case SCHEMA_MANDATE_ISSUER:
        return cel_string(c->issuer);
    case SCHEMA_MANDATE_GRANTOR:
        return cel_string(c->grantor);
    case SCHEMA_MANDATE_AGENT:
        return cel_string(c->agent);
    case SCHEMA_MANDATE_PURPOSE:
        return cel_string(c->purpose);
    case SCHEMA_MANDATE_PARENT:
        return cel_string(c->parent);
    case SCHEMA_MANDATE_PARAMS:
        return c->params.kind == CEL_MAP ? c->params : cel_map(NULL, 0);
    default:
        assert(field == SCHEMA_MANDATE_EXPIRES_AT);
        return cel_timestamp_us(c->expires_at_us);
    }
}

mandate_status claims_check_text(mandate_slice s, const char *member, size_t max, bool required, mandate_error *err)
{
    if (s.len == 0 && required)
        return mandate_error_set(err, MANDATE_INVALID, "\"%s\" is required", member);
    if (s.len > max)
        return mandate_error_set(err, MANDATE_LIMIT, "\"%s\" has %zu bytes, at most %zu are allowed", member, s.len, max);
    if (!utf8_valid(s) || (s.len && memchr(s.ptr, 0, s.len)))
        return mandate_error_set(err, MANDATE_INVALID, "\"%s\" must be UTF-8 text without NUL", member);
    return MANDATE_OK;
}

/* Ids stand in keys, URLs and terminals: printable, no space at all. */
mandate_status claims_check_id(mandate_slice s, const char *member, bool required, mandate_error *err)
{
    mandate_status status = claims_check_text(s, member, LIMIT_ID, required, err);
    for (size_t i = 0; status == MANDATE_OK && i < s.len; i++)
        if ((unsigned char)s.ptr[i] <= ' ' || s.ptr[i] == 127)
            status = mandate_error_set(err, MANDATE_INVALID, "\"%s\" must have no spaces or control characters (byte %zu)",
                                       member, i + 1);
    return status;
}

static mandate_status check_items(const mandate_slice *items, uint32_t count, const char *member, mandate_error *err)
{
    if (count > LIMIT_SCOPE_ITEMS)
        return mandate_error_set(err, MANDATE_LIMIT, "\"%s\" has %u items, at most %d are allowed", member, count,
                                 LIMIT_SCOPE_ITEMS);
    for (uint32_t i = 0; i < count; i++) {
        mandate_status status = claims_check_id(items[i], member, true, err);
        if (status == MANDATE_OK && memmem(items[i].ptr, items[i].len, "**", 2))
            status = mandate_error_set(err, MANDATE_INVALID, "\"%s\": two \"*\" side by side, in \"%.*s\": one is enough",
                                       member, MANDATE_SLICE_ARG(items[i]));
        if (status != MANDATE_OK)
            return status;
    }
    return MANDATE_OK;
}

static mandate_status check_limits(const claims *c, mandate_error *err)
{
    if (c->limit_count > LIMIT_SCOPE_ITEMS)
        return mandate_error_set(err, MANDATE_LIMIT, "\"scope.limits\" has too many items (at most %d)", LIMIT_SCOPE_ITEMS);
    for (uint32_t i = 0; i < c->limit_count; i++) {
        const claims_limit *l = &c->limits[i];
        bool number = l->max.kind == CEL_INT || l->max.kind == CEL_UINT || (l->max.kind == CEL_DOUBLE && isfinite(l->max.d));
        mandate_status status = claims_check_id(l->name, "scope.limits", true, err);
        if (status != MANDATE_OK)
            return status;
        if (!number)
            return mandate_error_set(err, MANDATE_INVALID, "limit \"%.*s\" must be a finite number",
                                     MANDATE_SLICE_ARG(l->name));
        if (i && mandate_slice_cmp(c->limits[i - 1].name, l->name) >= 0)
            return mandate_error_set(err, MANDATE_INVALID, "limit \"%.*s\" stands there twice", MANDATE_SLICE_ARG(l->name));
    }
    return MANDATE_OK;
}

static mandate_status check_numbers(const claims *c, mandate_error *err)
{
    if (c->params.kind != CEL_NULL && c->params.kind != CEL_MAP)
        return mandate_error_set(err, MANDATE_INVALID, "\"params\" must be an object");
    if (c->targets.kind != CEL_NULL && c->targets.kind != CEL_MAP)
        return mandate_error_set(err, MANDATE_INVALID, "\"targets\" must be an object");
    if (c->unknown_grace_us < 0)
        return mandate_error_set(err, MANDATE_INVALID, "\"unknown_grace\" must not be negative");
    if (c->depth_max != CLAIMS_DEPTH_UNSET && c->depth_max > LIMIT_DELEGATION_DEPTH)
        return mandate_error_set(err, MANDATE_LIMIT, "\"max_depth\" is at most %d", LIMIT_DELEGATION_DEPTH);
    if (c->children_bounded && c->children_max > LIMIT_CHILDREN)
        return mandate_error_set(err, MANDATE_LIMIT, "\"delegation.max_children\" is at most %d", LIMIT_CHILDREN);
    if (c->parent.len && mandate_slice_eq(c->id, c->parent))
        return mandate_error_set(err, MANDATE_INVALID, "a mandate cannot be its own parent");
    if (c->supersedes.len && mandate_slice_eq(c->id, c->supersedes))
        return mandate_error_set(err, MANDATE_INVALID,
                                 "a mandate cannot supersede itself: amend it, or give the new one an id");
    return MANDATE_OK;
}

static mandate_status check_budgets(const claims *c, mandate_error *err)
{
    if (c->budget_count > LIMIT_SCOPE_ITEMS)
        return mandate_error_set(err, MANDATE_LIMIT, "\"scope.budgets\" has too many items (at most %d)", LIMIT_SCOPE_ITEMS);
    for (uint32_t i = 0; i < c->budget_count; i++) {
        const claims_budget *b = &c->budgets[i];
        mandate_status s = claims_check_id(b->name, "scope.budgets", true, err);
        if (!s && amount_is_zero(b->max))
            s = mandate_error_set(err, MANDATE_INVALID, "budget \"%.*s\" must be more than nothing",
                                  MANDATE_SLICE_ARG(b->name));
        if (!s && i && mandate_slice_cmp(c->budgets[i - 1].name, b->name) >= 0)
            s = mandate_error_set(err, MANDATE_INVALID, "budget \"%.*s\" stands there twice", MANDATE_SLICE_ARG(b->name));
        if (s)
            return s;
    }
    return MANDATE_OK;
}

/* `whole`: what is required must be there. */
static mandate_status check(const claims *c, bool whole, mandate_error *err)
{
    mandate_status s;
    if ((s = claims_check_id(c->id, "id", whole, err)) || (s = claims_check_id(c->issuer, "issuer", whole, err)) ||
        (s = claims_check_id(c->grantor, "grantor", whole, err)) || (s = claims_check_id(c->agent, "agent", whole, err)) ||
        (s = claims_check_text(c->purpose, "purpose", LIMIT_REASON, whole && !(c->hidden & CLAIMS_GIVEN(PURPOSE)), err)) ||
        (s = claims_check_id(c->parent, "parent", false, err)) ||
        (s = claims_check_id(c->supersedes, "supersedes", false, err)) ||
        (s = check_items(c->actions, c->action_count, "scope.actions", err)) ||
        (s = check_items(c->resources, c->resource_count, "scope.resources", err)) ||
        (s = check_items(c->audience, c->audience_count, "audience", err)) ||
        (s = check_items(c->child_agents, c->child_agent_count, "delegation.allowed_agents", err)) ||
        (s = check_limits(c, err)) || (s = check_budgets(c, err)) || (s = required_check(c, err)))
        return s;
    for (int i = 0; i < CLAUSE_COUNT; i++)
        if ((s = claims_check_text(c->clause[i], claims_clause_names[i], LIMIT_CEL_SOURCE, false, err)))
            return s;
    if (c->action_count == 0 && !(c->hidden & CLAIMS_GIVEN(ACTIONS)) && (whole || c->given & CLAIMS_GIVEN(ACTIONS)))
        return mandate_error_set(err, MANDATE_INVALID,
                                 "\"scope.actions\" is empty: a mandate that permits nothing; name at least one action");
    if (c->resource_count == 0 && !(c->hidden & CLAIMS_GIVEN(RESOURCES)) && (whole || c->given & CLAIMS_GIVEN(RESOURCES)))
        return mandate_error_set(err, MANDATE_INVALID, "\"scope.resources\" is empty: name at least one resource, or \"*\"");
    if (c->expires_at_us <= 0 && (whole || c->given & CLAIMS_GIVEN(EXPIRES_AT)))
        return mandate_error_set(err, MANDATE_INVALID, "\"expires_at\" is required: every mandate has a hard expiry");
    s = check_numbers(c, err);
    return s ? s : disclosure_check(c, whole, err);
}

mandate_status claims_check(const claims *c, mandate_error *err) { return check(c, true, err); }

mandate_status claims_check_part(const claims *c, mandate_error *err) { return check(c, false, err); }

static void put_items(buf *b, const mandate_slice *items, uint32_t count)
{
    wire_put_u64(b, count);
    for (uint32_t i = 0; i < count; i++)
        wire_put_bytes(b, items[i]);
}

void claims_encode(buf *b, const claims *c)
{
    wire_put_u8(b, (uint8_t)((c->disclosure_count ? CLAIMS_FORMAT_RESTRICTED : CLAIMS_FORMAT) |
                             (c->required_count ? CLAIMS_REQUIRED : 0)));
    wire_put_bytes(b, c->id);
    wire_put_bytes(b, c->issuer);
    wire_put_bytes(b, c->grantor);
    wire_put_bytes(b, c->agent);
    wire_put_bytes(b, c->purpose);
    put_items(b, c->actions, c->action_count);
    put_items(b, c->resources, c->resource_count);
    put_items(b, c->audience, c->audience_count);
    wire_put_u64(b, c->limit_count);
    for (uint32_t i = 0; i < c->limit_count; i++) {
        wire_put_bytes(b, c->limits[i].name);
        cel_encode(b, c->limits[i].max);
    }
    for (int i = 0; i < CLAUSE_COUNT; i++)
        wire_put_bytes(b, c->clause[i]);
    cel_encode(b, c->params);
    cel_encode(b, c->targets);
    wire_put_i64(b, c->expires_at_us);
    wire_put_i64(b, c->issued_at_us);
    wire_put_bytes(b, c->parent);
    wire_put_u64(b, c->depth_max);
    wire_put_u8(b, (uint8_t)c->on_unknown);
    wire_put_i64(b, c->unknown_grace_us);
    wire_put_u8(b, c->children_bounded);
    wire_put_u64(b, c->children_bounded ? c->children_max : 0);
    put_items(b, c->child_agents, c->child_agent_count);
    wire_put_bytes(b, c->supersedes);
    wire_put_u64(b, c->budget_count);
    for (uint32_t i = 0; i < c->budget_count; i++) {
        wire_put_bytes(b, c->budgets[i].name);
        amount_encode(b, c->budgets[i].max);
    }
    if (c->required_count)
        required_encode(b, c);
    if (c->disclosure_count)
        disclosure_encode(b, c->disclosures, c->disclosure_count);
}

/* One reader for both: without an arena, lists and values are passed over. */
static const mandate_slice *get_items(wire_reader *r, arena *a, uint32_t *count)
{
    uint64_t n = wire_get_count(r, 1);
    mandate_slice *items = a && n <= LIMIT_SCOPE_ITEMS ? ARENA_ARRAY(a, mandate_slice, n) : NULL;
    if (n && a && !items)
        r->failed = true;
    for (uint64_t i = 0; i < n && !r->failed; i++) {
        mandate_slice item = wire_get_bytes(r);
        if (items)
            items[i] = item;
    }
    *count = r->failed || !a ? 0 : (uint32_t)n;
    return items;
}

static cel_value get_value(wire_reader *r, arena *a)
{
    if (a)
        return cel_decode(r, a);
    (void)cel_skip(r);
    return cel_null();
}

static const claims_limit *get_limits(wire_reader *r, arena *a, uint32_t *count)
{
    uint64_t n = wire_get_count(r, 2);
    claims_limit *limits = a && n <= LIMIT_SCOPE_ITEMS ? ARENA_ARRAY(a, claims_limit, n) : NULL;
    if (n && a && !limits)
        r->failed = true;
    for (uint64_t i = 0; i < n && !r->failed; i++) {
        claims_limit limit = {.name = wire_get_bytes(r)};
        limit.max = get_value(r, a);
        if (limits)
            limits[i] = limit;
    }
    *count = r->failed || !a ? 0 : (uint32_t)n;
    return limits;
}

static const claims_budget *get_budgets(wire_reader *r, arena *a, uint32_t *count)
{
    uint64_t n = wire_get_count(r, 3);
    claims_budget *budgets = a && n <= LIMIT_SCOPE_ITEMS ? ARENA_ARRAY(a, claims_budget, n) : NULL;
    if (n && a && !budgets)
        r->failed = true;
    for (uint64_t i = 0; i < n && !r->failed; i++) {
        claims_budget budget = {.name = wire_get_bytes(r)};
        budget.max = amount_decode(r);
        if (budgets)
            budgets[i] = budget;
    }
    *count = r->failed || !a ? 0 : (uint32_t)n;
    return budgets;
}

mandate_status claims_decode_agent(mandate_slice *out, mandate_slice bytes, mandate_error *err)
{
    wire_reader r = wire_reader_of(bytes);
    const bool known = is_format(wire_get_u8(&r));
    for (int before = 0; before < 3; before++) /* id, issuer, grantor */
        (void)wire_get_bytes(&r);
    *out = wire_get_bytes(&r);
    if (!known || r.failed || !out->len)
        return mandate_error_set(err, MANDATE_CORRUPT, "stored claims cannot be read");
    return MANDATE_OK;
}

static mandate_status decode(claims *out, arena *a, mandate_slice *params, mandate_slice bytes, mandate_error *err)
{
    wire_reader reader = wire_reader_of(bytes), *r = &reader;
    claims c = {0};
    const uint8_t format = wire_get_u8(r);
    if (!is_format(format))
        return mandate_error_set(err, MANDATE_CORRUPT, "stored claims have an unknown format");
    c.id = wire_get_bytes(r);
    c.issuer = wire_get_bytes(r);
    c.grantor = wire_get_bytes(r);
    c.agent = wire_get_bytes(r);
    c.purpose = wire_get_bytes(r);
    c.actions = get_items(r, a, &c.action_count);
    c.resources = get_items(r, a, &c.resource_count);
    c.audience = get_items(r, a, &c.audience_count);
    c.limits = get_limits(r, a, &c.limit_count);
    for (int i = 0; i < CLAUSE_COUNT; i++)
        c.clause[i] = wire_get_bytes(r);
    const char *before = (const char *)r->at;
    c.params = get_value(r, a);
    *params = mandate_slice_of(before, (size_t)((const char *)r->at - before));
    c.targets = get_value(r, a);
    c.expires_at_us = wire_get_i64(r);
    c.issued_at_us = wire_get_i64(r);
    c.parent = wire_get_bytes(r);
    c.depth_max = (uint32_t)wire_get_u64(r);
    c.on_unknown = (claims_on_unknown)wire_get_u8(r);
    c.unknown_grace_us = wire_get_i64(r);
    c.children_bounded = wire_get_u8(r) != 0;
    c.children_max = (uint32_t)wire_get_u64(r);
    c.child_agents = get_items(r, a, &c.child_agent_count);
    c.supersedes = wire_get_bytes(r);
    c.budgets = get_budgets(r, a, &c.budget_count);
    if (format & CLAIMS_REQUIRED)
        c.required = required_decode(r, a, &c.required_count);
    if (is_restricted_format(format))
        c.disclosures = disclosure_decode(r, a, &c.disclosure_count);
    if (!wire_done(r) || c.on_unknown > ON_UNKNOWN_SUSPEND)
        return mandate_error_set(err, MANDATE_CORRUPT, "stored claims cannot be read");
    *out = c;
    return MANDATE_OK;
}

bool claims_restrict(mandate_slice bytes) { return bytes.len && is_restricted_format((uint8_t)bytes.ptr[0]); }

mandate_status claims_decode(claims *out, arena *a, mandate_slice bytes, mandate_error *err)
{
    mandate_slice params;
    return decode(out, a, &params, bytes, err);
}

mandate_status claims_decode_outline(claims *out, mandate_slice *params, mandate_slice bytes, mandate_error *err)
{
    return decode(out, NULL, params, bytes, err);
}

mandate_status claims_copy(claims *out, arena *a, const claims *c, mandate_error *err)
{
    buf b;
    buf_init(&b);
    claims_encode(&b, c);
    mandate_slice bytes = b.failed ? (mandate_slice){NULL, 0} : arena_dup(a, buf_slice(&b));
    buf_deinit(&b);
    if (!bytes.ptr)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory while copying claims");
    return claims_decode(out, a, bytes, err);
}

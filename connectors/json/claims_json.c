/* SPDX-License-Identifier: Apache-2.0 */
/*
 * claims_json - reading: one table row per member, one small reader per shape.
 *
 * The table is the only list of members: the parser, "did you mean" and the test against the
 * published schema all read it. Writing is in claims_write.c.
 */
#include "connectors/json/claims_json.h"

#include "connectors/json/claims_required.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/base/text.h"
#include "engine/mandate/disclosure.h"

typedef struct member member;
typedef mandate_status (*member_read)(claims *c, const member *m, arena *a, cel_value v, mandate_error *err);

struct member {
    const char *name;
    member_read read;
    size_t at;      /* offset in claims of what a generic reader fills */
    uint32_t given; /* its bit; 0: its parts have theirs */
};

static mandate_status wrong_type(const char *path, const char *expected, cel_value v, mandate_error *err)
{
    return mandate_error_set(err, MANDATE_INVALID, "%s: expected %s, got %s", path, expected, json_value_kind(v));
}

static mandate_status no_memory(mandate_error *err)
{
    return mandate_error_set(err, MANDATE_NOMEM, "out of memory while reading a mandate");
}

/* --- readers ---------------------------------------------------------------------------------- */

static mandate_status read_text(claims *c, const member *m, arena *a, cel_value v, mandate_error *err)
{
    if (v.kind != CEL_STRING)
        return wrong_type(m->name, "a string", v, err);
    if (v.len == 0)
        return mandate_error_set(err, MANDATE_INVALID, "%s: is empty; give it a value or leave it out", m->name);
    *(mandate_slice *)(void *)((char *)c + m->at) = cel_text(v);
    return MANDATE_OK;
}

/* The signed form (RFC 8785) writes whole doubles below 1e21 as digits, which no reader of 64-bit integers takes back. */
static mandate_status check_numbers(const char *path, cel_value v, mandate_error *err)
{
    mandate_status status = MANDATE_OK;

    if (v.kind == CEL_DOUBLE && fabs(v.d) >= 0x1p63)
        return mandate_error_set(err, MANDATE_INVALID, "%s: the number %g is beyond 64 bits; write it as a text", path, v.d);
    for (uint32_t i = 0; v.kind == CEL_LIST && i < v.len && !status; i++)
        status = check_numbers(path, v.items[i], err);
    for (uint32_t i = 0; v.kind == CEL_MAP && i < v.len && !status; i++)
        status = check_numbers(path, v.map[i].value, err);
    return status; /* as deep as json_parse lets in */
}

static mandate_status read_map(claims *c, const member *m, arena *a, cel_value v, mandate_error *err)
{
    if (v.kind != CEL_MAP && v.kind != CEL_NULL)
        return wrong_type(m->name, "an object", v, err);
    *(cel_value *)(void *)((char *)c + m->at) = v;
    return check_numbers(m->name, v, err);
}

static mandate_status read_texts(const mandate_slice **out, uint32_t *count, const char *path, arena *a, cel_value v,
                                 mandate_error *err)
{
    if (v.kind != CEL_LIST)
        return wrong_type(path, "an array of strings", v, err);
    mandate_slice *items = ARENA_ARRAY(a, mandate_slice, v.len ? v.len : 1);
    if (!items)
        return no_memory(err);
    for (uint32_t i = 0; i < v.len; i++) {
        if (v.items[i].kind != CEL_STRING)
            return mandate_error_set(err, MANDATE_INVALID, "%s[%u]: expected a string, got %s", path, i,
                                     json_value_kind(v.items[i]));
        items[i] = cel_text(v.items[i]);
    }
    *out = items;
    *count = v.len;
    return MANDATE_OK;
}

static mandate_status read_audience(claims *c, const member *m, arena *a, cel_value v, mandate_error *err)
{
    return read_texts(&c->audience, &c->audience_count, m->name, a, v, err);
}

static mandate_status read_time(claims *c, const member *m, arena *a, cel_value v, mandate_error *err)
{
    if (v.kind != CEL_STRING)
        return wrong_type(m->name, "a time such as \"2030-01-31T17:00:00Z\"", v, err);
    if (!time_parse_us(cel_text(v), (int64_t *)(void *)((char *)c + m->at)))
        return mandate_error_set(err, MANDATE_INVALID,
                                 "%s: \"%.*s\" is no RFC 3339 time; expected one such as \"2030-01-31T17:00:00Z\"", m->name,
                                 (int)(v.len > 64 ? 64 : v.len), v.s);
    if (*(int64_t *)(void *)((char *)c + m->at) <= 0) /* nought is "none" further down */
        return mandate_error_set(err, MANDATE_INVALID, "%s: \"%.*s\" is in the past; give a time to come", m->name,
                                 (int)(v.len > 64 ? 64 : v.len), v.s);
    return MANDATE_OK;
}

static mandate_status read_depth(claims *c, const member *m, arena *a, cel_value v, mandate_error *err)
{
    if (v.kind != CEL_INT || v.i < 0)
        return wrong_type(m->name, "an integer of 0 or more (generations that may be delegated below)", v, err);
    if (v.i > LIMIT_DELEGATION_DEPTH)
        return mandate_error_set(err, MANDATE_LIMIT, "%s: %lld is more than the %d generations that are possible", m->name,
                                 (long long)v.i, LIMIT_DELEGATION_DEPTH);
    c->depth_max = (uint32_t)v.i;
    return MANDATE_OK;
}

static mandate_status read_on_unknown(claims *c, const member *m, arena *a, cel_value v, mandate_error *err)
{
    if (v.kind == CEL_STRING && mandate_slice_is(cel_text(v), "hold"))
        c->on_unknown = ON_UNKNOWN_HOLD;
    else if (v.kind == CEL_STRING && mandate_slice_is(cel_text(v), "suspend"))
        c->on_unknown = ON_UNKNOWN_SUSPEND;
    else
        return mandate_error_set(err, MANDATE_INVALID, "%s: expected \"hold\" or \"suspend\"", m->name);
    return MANDATE_OK;
}

static mandate_status read_grace(claims *c, const member *m, arena *a, cel_value v, mandate_error *err)
{
    int64_t seconds;
    int32_t nanos;
    if (v.kind != CEL_STRING)
        return wrong_type(m->name, "a duration such as \"5m\"", v, err);
    if (!duration_parse(cel_text(v), &seconds, &nanos) || seconds < 0 || nanos < 0)
        return mandate_error_set(err, MANDATE_INVALID,
                                 "%s: \"%.*s\" is no duration; expected one of 0 or more such as \"5m\" or \"1h30m\"",
                                 m->name, (int)(v.len > 64 ? 64 : v.len), v.s);
    if (nanos % 1000)
        return mandate_error_set(err, MANDATE_INVALID, "%s: is finer than a microsecond", m->name);
    c->unknown_grace_us = seconds * 1000000 + nanos / 1000; /* seconds <= INT64_MAX / 10^9 */
    return MANDATE_OK;
}

static mandate_status read_children(claims *c, cel_value v, mandate_error *err)
{
    if (v.kind != CEL_INT || v.i < 0)
        return wrong_type("delegation.max_children", "an integer of 0 or more (live children at once)", v, err);
    if (v.i > LIMIT_CHILDREN)
        return mandate_error_set(err, MANDATE_LIMIT, "delegation.max_children: %lld is more than the %d that are possible",
                                 (long long)v.i, LIMIT_CHILDREN);
    c->children_bounded = true;
    c->children_max = (uint32_t)v.i;
    return MANDATE_OK;
}

static mandate_status read_delegation(claims *c, const member *m, arena *a, cel_value v, mandate_error *err)
{
    static const char *const known[] = {"max_children", "allowed_agents"};
    if (v.kind != CEL_MAP)
        return wrong_type(m->name, "an object with max_children and allowed_agents", v, err);
    mandate_status status = json_refuse_unknown(v, m->name, known, 2, err);
    if (!status && json_has_member(v, "max_children"))
        status = read_children(c, json_member(v, "max_children"), err);
    if (!status && json_has_member(v, "allowed_agents"))
        status = read_texts(&c->child_agents, &c->child_agent_count, "delegation.allowed_agents", a,
                            json_member(v, "allowed_agents"), err);
    if (!status && json_has_member(v, "allowed_agents") && c->child_agent_count == 0)
        status = mandate_error_set(err, MANDATE_INVALID,
                                   "delegation.allowed_agents: is empty; name at least one, or say max_children 0");
    return status;
}

/* {"purpose": {"handle": true}, "scope.limits.amount_eur": {"audiences": ["erp.example"]}} */
static mandate_status read_rule(claims_disclosure *out, arena *a, mandate_slice path, cel_value v, mandate_error *err)
{
    static const char *const known[] = {"audiences", "handle"};
    char where[sizeof("disclosure.") + LIMIT_NAME];
    snprintf(where, sizeof(where), "disclosure.%.*s", (int)(path.len < LIMIT_NAME ? path.len : LIMIT_NAME), path.ptr);
    if (!disclosure_parse(&out->member, &out->part, path))
        return mandate_error_set(
            err, MANDATE_INVALID,
            "%s: cannot be restricted; expected purpose, scope.actions, scope.resources, scope.limits, "
            "scope.require, while, until, suspend_while, params or targets, of lists and objects also a part: "
            "scope.limits.amount_eur",
            where);
    if (v.kind != CEL_MAP)
        return wrong_type(where, "an object with audiences, handle or both", v, err);
    cel_value handle = json_member(v, "handle");
    mandate_status status = json_refuse_unknown(v, where, known, 2, err);
    if (!status && handle.kind != CEL_NULL && handle.kind != CEL_BOOL)
        status = wrong_type(where, "handle to be true or false", handle, err);
    out->handle = cel_is_true(handle);
    if (!status && json_has_member(v, "audiences"))
        status = read_texts(&out->audiences, &out->audience_count, where, a, json_member(v, "audiences"), err);
    return status;
}

static int by_path(const void *x, const void *y) { return disclosure_cmp(x, y); }

static mandate_status read_disclosure(claims *c, const member *m, arena *a, cel_value v, mandate_error *err)
{
    mandate_status status = MANDATE_OK;
    if (v.kind != CEL_MAP)
        return wrong_type(m->name, "an object of paths", v, err);
    claims_disclosure *rules = ARENA_ARRAY(a, claims_disclosure, v.len + 1);
    if (!rules)
        return no_memory(err);
    for (uint32_t i = 0; i < v.len && !status; i++) {
        rules[i] = (claims_disclosure){.audience_count = 0};
        status = read_rule(&rules[i], a, cel_text(v.map[i].key), v.map[i].value, err);
    }
    if (!status)
        qsort(rules, v.len, sizeof(*rules), by_path);
    c->disclosures = rules;
    c->disclosure_count = status ? 0 : v.len;
    return status;
}

static mandate_status read_issued_at(claims *c, const member *m, arena *a, cel_value v, mandate_error *err)
{
    return mandate_error_set(err, MANDATE_INVALID, "%s: is set when the mandate is issued; leave it out", m->name);
}

/* --- scope ------------------------------------------------------------------------------------ */

static int by_name(const void *x, const void *y)
{
    return mandate_slice_cmp(((const claims_limit *)x)->name, ((const claims_limit *)y)->name);
}

static mandate_status read_limits(claims *c, arena *a, cel_value v, mandate_error *err)
{
    if (v.kind != CEL_MAP)
        return wrong_type("scope.limits", "an object of numbers", v, err);
    claims_limit *limits = ARENA_ARRAY(a, claims_limit, v.len ? v.len : 1);
    if (!limits)
        return no_memory(err);
    for (uint32_t i = 0; i < v.len; i++) {
        cel_value max = v.map[i].value;
        limits[i].name = cel_text(v.map[i].key);
        if (max.kind != CEL_INT && max.kind != CEL_DOUBLE)
            return mandate_error_set(err, MANDATE_INVALID, "scope.limits.%.*s: expected a number, got %s",
                                     (int)(limits[i].name.len > LIMIT_NAME ? LIMIT_NAME : limits[i].name.len),
                                     limits[i].name.ptr, json_value_kind(max));
        limits[i].max = max;
    }
    qsort(limits, v.len, sizeof(*limits), by_name);
    c->limits = limits;
    c->limit_count = v.len;
    return check_numbers("scope.limits", v, err);
}

static int by_budget(const void *x, const void *y)
{
    return mandate_slice_cmp(((const claims_budget *)x)->name, ((const claims_budget *)y)->name);
}

static mandate_status read_budgets(claims *c, arena *a, cel_value v, mandate_error *err)
{
    if (v.kind != CEL_MAP)
        return wrong_type("scope.budgets", "an object of amounts", v, err);
    claims_budget *budgets = ARENA_ARRAY(a, claims_budget, v.len ? v.len : 1);
    if (!budgets)
        return no_memory(err);
    for (uint32_t i = 0; i < v.len; i++) {
        budgets[i].name = cel_text(v.map[i].key);
        if (!amount_from_value(&budgets[i].max, v.map[i].value))
            return mandate_error_set(
                err, MANDATE_INVALID,
                "scope.budgets.%.*s: expected a whole number, or a decimal in quotes such as \"12.50\", of at "
                "most 18 digits before the point and 18 behind it",
                (int)(budgets[i].name.len > LIMIT_NAME ? LIMIT_NAME : budgets[i].name.len), budgets[i].name.ptr);
    }
    qsort(budgets, v.len, sizeof(*budgets), by_budget);
    c->budgets = budgets;
    c->budget_count = v.len;
    return MANDATE_OK;
}

static mandate_status read_scope(claims *c, const member *m, arena *a, cel_value v, mandate_error *err)
{
    static const char *const known[] = {"actions", "resources", "limits", "budgets", "require"};
    if (v.kind != CEL_MAP)
        return wrong_type(m->name, "an object with actions, resources and limits", v, err);
    mandate_status status = json_refuse_unknown(v, "scope", known, 5, err);
    if (!status && json_has_member(v, "actions"))
        status = read_texts(&c->actions, &c->action_count, "scope.actions", a, json_member(v, "actions"), err);
    if (!status && json_has_member(v, "resources"))
        status = read_texts(&c->resources, &c->resource_count, "scope.resources", a, json_member(v, "resources"), err);
    if (!status && json_has_member(v, "limits"))
        status = read_limits(c, a, json_member(v, "limits"), err);
    if (!status && json_has_member(v, "budgets"))
        status = read_budgets(c, a, json_member(v, "budgets"), err);
    if (!status && json_has_member(v, "require"))
        status = claims_read_required(c, a, json_member(v, "require"), err);
    c->given |= (json_has_member(v, "budgets") ? CLAIMS_GIVEN(BUDGETS) : 0) |
                (json_has_member(v, "actions") ? CLAIMS_GIVEN(ACTIONS) : 0) |
                (json_has_member(v, "resources") ? CLAIMS_GIVEN(RESOURCES) : 0) |
                (json_has_member(v, "limits") ? CLAIMS_GIVEN(LIMITS) : 0) |
                (json_has_member(v, "require") ? CLAIMS_GIVEN(REQUIRE) : 0);
    return status;
}

/* --- the table -------------------------------------------------------------------------------- */

#define AT(field) offsetof(claims, field)
#define MEMBER_MAP(X)                                                                            \
    X("id", read_text, AT(id), CLAIMS_GIVEN(ID))                                                 \
    X("issuer", read_text, AT(issuer), CLAIMS_GIVEN(ISSUER))                                     \
    X("grantor", read_text, AT(grantor), CLAIMS_GIVEN(GRANTOR))                                  \
    X("agent", read_text, AT(agent), CLAIMS_GIVEN(AGENT))                                        \
    X("purpose", read_text, AT(purpose), CLAIMS_GIVEN(PURPOSE))                                  \
    X("scope", read_scope, 0, 0)                                                                 \
    X("while", read_text, AT(clause[CLAUSE_WHILE]), CLAIMS_GIVEN(WHILE))                         \
    X("until", read_text, AT(clause[CLAUSE_UNTIL]), CLAIMS_GIVEN(UNTIL))                         \
    X("suspend_while", read_text, AT(clause[CLAUSE_SUSPEND_WHILE]), CLAIMS_GIVEN(SUSPEND_WHILE)) \
    X("params", read_map, AT(params), CLAIMS_GIVEN(PARAMS))                                      \
    X("targets", read_map, AT(targets), CLAIMS_GIVEN(TARGETS))                                   \
    X("audience", read_audience, 0, CLAIMS_GIVEN(AUDIENCE))                                      \
    X("parent", read_text, AT(parent), CLAIMS_GIVEN(PARENT))                                     \
    X("supersedes", read_text, AT(supersedes), CLAIMS_GIVEN(SUPERSEDES))                         \
    X("max_depth", read_depth, 0, CLAIMS_GIVEN(MAX_DEPTH))                                       \
    X("delegation", read_delegation, 0, CLAIMS_GIVEN(DELEGATION))                                \
    X("on_unknown", read_on_unknown, 0, CLAIMS_GIVEN(ON_UNKNOWN))                                \
    X("unknown_grace", read_grace, 0, CLAIMS_GIVEN(UNKNOWN_GRACE))                               \
    X("expires_at", read_time, AT(expires_at_us), CLAIMS_GIVEN(EXPIRES_AT))                      \
    X("disclosure", read_disclosure, 0, CLAIMS_GIVEN(DISCLOSURE))                                \
    X("issued_at", read_issued_at, 0, 0)

static const member members[] = {
#define X(name, read, at, given) {name, read, at, given},
    MEMBER_MAP(X)
#undef X
};

static const char *const member_names[] = {
#define X(name, read, at, given) name,
    MEMBER_MAP(X)
#undef X
};

enum { MEMBERS = sizeof(members) / sizeof(*members) };

const char *const *claims_member_names(size_t *count)
{
    *count = MEMBERS;
    return member_names;
}

mandate_status claims_part_from_value(claims *out, arena *a, cel_value object, mandate_error *err)
{
    claims c = claims_nothing();

    if (object.kind != CEL_MAP)
        return mandate_error_set(err, MANDATE_INVALID, "a mandate: expected an object, got %s", json_value_kind(object));
    mandate_status status = json_refuse_unknown(object, "the mandate", member_names, MEMBERS, err);
    for (size_t i = 0; i < MEMBERS && !status; i++) {
        if (!json_has_member(object, members[i].name))
            continue;
        status = members[i].read(&c, &members[i], a, json_member(object, members[i].name), err);
        c.given |= members[i].given;
    }
    if (!status)
        *out = c;
    return status;
}

mandate_status claims_from_value(claims *out, arena *a, cel_value object, mandate_error *err)
{
    claims c;
    mandate_status status = claims_part_from_value(&c, a, object, err);
    if (!status && !(c.given & CLAIMS_GIVEN(EXPIRES_AT)))
        status = mandate_error_set(err, MANDATE_INVALID,
                                   "expires_at: is missing; every mandate has a hard expiry, an RFC 3339 time");
    if (!status)
        *out = c;
    return status;
}

mandate_status claims_from_json(claims *out, arena *a, mandate_slice text, mandate_error *err)
{
    cel_value object;
    mandate_status status = json_value_parse(&object, a, text, LIMIT_CLAIMS, err);
    return status ? status : claims_from_value(out, a, object, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * changes - what an amendment changed, member by member, as a value that is stored and published with its transition:
 *
 *   [{"member": "scope.limits", "from": {"amount_eur": 50000}, "to": {"amount_eur": 20000}}, ...]
 *
 * A member that says nothing is null.
 */
#include "engine/base/text.h"
#include "engine/mandate/disclosure.h"
#include "engine/mandate/required.h"

static cel_value text_or_null(mandate_slice s) { return s.len ? cel_string(s) : cel_null(); }

static cel_value list_of(arena *a, const mandate_slice *items, uint32_t count)
{
    cel_value *out = ARENA_ARRAY(a, cel_value, count + 1);
    if (!out || count == 0)
        return cel_null();
    for (uint32_t i = 0; i < count; i++)
        out[i] = cel_string(items[i]);
    return cel_list(out, count);
}

static cel_value limits_of(arena *a, const claims *c)
{
    cel_entry *out = ARENA_ARRAY(a, cel_entry, c->limit_count + 1);
    if (!out || c->limit_count == 0)
        return cel_null();
    for (uint32_t i = 0; i < c->limit_count; i++)
        out[i] = (cel_entry){cel_string(c->limits[i].name), c->limits[i].max};
    return cel_map(out, c->limit_count);
}

static cel_value budgets_of(arena *a, const claims *c)
{
    cel_entry *out = ARENA_ARRAY(a, cel_entry, c->budget_count + 1);
    char text[AMOUNT_TEXT_MAX];
    if (!out || c->budget_count == 0)
        return cel_null();
    for (uint32_t i = 0; i < c->budget_count; i++) {
        size_t len = amount_format(text, c->budgets[i].max);
        out[i] = (cel_entry){cel_string(c->budgets[i].name), cel_string(arena_dup(a, mandate_slice_of(text, len)))};
    }
    return cel_map(out, c->budget_count);
}

static cel_value delegation_of(arena *a, const claims *c)
{
    cel_entry *out = ARENA_ARRAY(a, cel_entry, 2);
    uint32_t n = 0;
    if (!out || (!c->children_bounded && !c->child_agent_count))
        return cel_null();
    if (c->child_agent_count)
        out[n++] =
            (cel_entry){cel_string(mandate_slice_str("allowed_agents")), list_of(a, c->child_agents, c->child_agent_count)};
    if (c->children_bounded)
        out[n++] = (cel_entry){cel_string(mandate_slice_str("max_children")), cel_int(c->children_max)};
    return cel_map(out, n);
}

static cel_value time_of(arena *a, int64_t us)
{
    char text[TIME_TEXT_MAX];
    return cel_string(arena_dup(a, mandate_slice_of(text, time_format_us(text, us))));
}

cel_value claims_member_value(arena *a, const claims *c, claims_member member)
{
    switch (member) {
    case MEMBER_ID:
        return text_or_null(c->id);
    case MEMBER_ISSUER:
        return text_or_null(c->issuer);
    case MEMBER_GRANTOR:
        return text_or_null(c->grantor);
    case MEMBER_AGENT:
        return text_or_null(c->agent);
    case MEMBER_PURPOSE:
        return text_or_null(c->purpose);
    case MEMBER_ACTIONS:
        return list_of(a, c->actions, c->action_count);
    case MEMBER_RESOURCES:
        return list_of(a, c->resources, c->resource_count);
    case MEMBER_LIMITS:
        return limits_of(a, c);
    case MEMBER_BUDGETS:
        return budgets_of(a, c);
    case MEMBER_WHILE:
    case MEMBER_UNTIL:
    case MEMBER_SUSPEND_WHILE:
        return text_or_null(c->clause[member - MEMBER_WHILE]);
    case MEMBER_PARAMS:
        return c->params;
    case MEMBER_TARGETS:
        return c->targets;
    case MEMBER_AUDIENCE:
        return list_of(a, c->audience, c->audience_count);
    case MEMBER_PARENT:
        return text_or_null(c->parent);
    case MEMBER_SUPERSEDES:
        return text_or_null(c->supersedes);
    case MEMBER_MAX_DEPTH:
        return cel_int(c->depth_max);
    case MEMBER_DELEGATION:
        return delegation_of(a, c);
    case MEMBER_ON_UNKNOWN:
        return cel_string(mandate_slice_str(c->on_unknown == ON_UNKNOWN_SUSPEND ? "suspend" : "hold"));
    case MEMBER_UNKNOWN_GRACE:
        return cel_int(c->unknown_grace_us);
    case MEMBER_EXPIRES_AT:
        return time_of(a, c->expires_at_us);
    case MEMBER_DISCLOSURE:
        return disclosure_value(a, c);
    case MEMBER_REQUIRE:
        return c->required_count ? required_value(a, c) : cel_null();
    case MEMBER_COUNT:
        break;
    }
    return cel_null();
}

/* The same bytes when stored. */
static bool same(cel_value x, cel_value y)
{
    buf a, b;
    buf_init(&a);
    buf_init(&b);
    cel_encode(&a, x);
    cel_encode(&b, y);
    bool equal = !a.failed && !b.failed && mandate_slice_eq(buf_slice(&a), buf_slice(&b));
    buf_deinit(&a);
    buf_deinit(&b);
    return equal;
}

cel_value claims_changes(arena *a, const claims *from, const claims *to)
{
    cel_value *items = ARENA_ARRAY(a, cel_value, MEMBER_COUNT);
    uint32_t n = 0;
    for (int m = 0; items && m < MEMBER_COUNT; m++) {
        cel_value before = claims_member_value(a, from, (claims_member)m),
                  after = claims_member_value(a, to, (claims_member)m);
        cel_entry *entries = ARENA_ARRAY(a, cel_entry, 3);
        if (!entries || same(before, after))
            continue;
        entries[0] = (cel_entry){cel_string(mandate_slice_str("from")), before};
        entries[1] = (cel_entry){cel_string(mandate_slice_str("member")),
                                 cel_string(mandate_slice_str(claims_member_name((claims_member)m)))};
        entries[2] = (cel_entry){cel_string(mandate_slice_str("to")), after};
        items[n++] = cel_map(entries, 3);
    }
    return items && n ? cel_list(items, n) : cel_null();
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * part - claims that say some members only, and what they make of others they are laid over: how an amendment and a delegation
 * are asked for. Nothing here asks whether the outcome is narrower; scope.c and engine/amend.c do.
 */
#include "engine/mandate/disclosure.h"
#include "engine/mandate/required.h"

const char *claims_member_name(claims_member member)
{
    static const char *const names[MEMBER_COUNT] = {
#define X(name, text) text,
        CLAIMS_MEMBER_MAP(X)
#undef X
    };
    return (unsigned)member < MEMBER_COUNT ? names[member] : "none";
}

claims claims_nothing(void)
{
    return (claims){.params = cel_null(), .targets = cel_null(), .depth_max = CLAIMS_DEPTH_UNSET};
}

claims claims_inherited(const claims *parent, mandate_slice issuer)
{
    claims c = claims_nothing();
    c.issuer = issuer;
    c.grantor = parent->agent;
    c.purpose = parent->purpose;
    c.actions = parent->actions;
    c.action_count = parent->action_count;
    c.resources = parent->resources;
    c.resource_count = parent->resource_count;
    c.limits = parent->limits;
    c.limit_count = parent->limit_count;
    c.required = parent->required;
    c.required_count = parent->required_count;
    c.audience = parent->audience;
    c.audience_count = parent->audience_count;
    c.expires_at_us = parent->expires_at_us;
    c.parent = parent->id;
    c.disclosures = parent->disclosures;
    c.disclosure_count = parent->disclosure_count;
    return c;
}

/* Both are sorted by name; of the same name the part's holds. */
static mandate_status merge_limits(claims *base, const claims *part, arena *a, mandate_error *err)
{
    claims_limit *all = ARENA_ARRAY(a, claims_limit, (size_t)base->limit_count + part->limit_count + 1);
    uint32_t n = 0, b = 0, p = 0;
    if (!all)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for limits");
    while (b < base->limit_count || p < part->limit_count) {
        int order = b == base->limit_count   ? 1
                    : p == part->limit_count ? -1
                                             : mandate_slice_cmp(base->limits[b].name, part->limits[p].name);
        b += order <= 0;
        all[n++] = order < 0 ? base->limits[b - 1] : part->limits[p];
        p += order >= 0;
    }
    base->limits = all;
    base->limit_count = n;
    return MANDATE_OK;
}

static mandate_status merge_budgets(claims *base, const claims *part, arena *a, mandate_error *err)
{
    claims_budget *all = ARENA_ARRAY(a, claims_budget, (size_t)base->budget_count + part->budget_count + 1);
    uint32_t n = 0, b = 0, p = 0;
    if (!all)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for budgets");
    while (b < base->budget_count || p < part->budget_count) {
        int order = b == base->budget_count   ? 1
                    : p == part->budget_count ? -1
                                              : mandate_slice_cmp(base->budgets[b].name, part->budgets[p].name);
        b += order <= 0;
        all[n++] = order < 0 ? base->budgets[b - 1] : part->budgets[p];
        p += order >= 0;
    }
    base->budgets = all;
    base->budget_count = n;
    return MANDATE_OK;
}

static void overlay_people(claims *base, const claims *part)
{
    const uint32_t given = part->given;
    if (given & CLAIMS_GIVEN(ID))
        base->id = part->id;
    if (given & CLAIMS_GIVEN(ISSUER))
        base->issuer = part->issuer;
    if (given & CLAIMS_GIVEN(GRANTOR))
        base->grantor = part->grantor;
    if (given & CLAIMS_GIVEN(AGENT))
        base->agent = part->agent;
    if (given & CLAIMS_GIVEN(PURPOSE))
        base->purpose = part->purpose;
    if (given & CLAIMS_GIVEN(PARENT))
        base->parent = part->parent;
    if (given & CLAIMS_GIVEN(SUPERSEDES))
        base->supersedes = part->supersedes;
    if (given & CLAIMS_GIVEN(PARAMS))
        base->params = part->params;
    if (given & CLAIMS_GIVEN(TARGETS))
        base->targets = part->targets;
}

static void overlay_lists(claims *base, const claims *part)
{
    const uint32_t given = part->given;
    if (given & CLAIMS_GIVEN(ACTIONS)) {
        base->actions = part->actions;
        base->action_count = part->action_count;
    }
    if (given & CLAIMS_GIVEN(RESOURCES)) {
        base->resources = part->resources;
        base->resource_count = part->resource_count;
    }
    if (given & CLAIMS_GIVEN(AUDIENCE)) {
        base->audience = part->audience;
        base->audience_count = part->audience_count;
    }
    if (given & CLAIMS_GIVEN(DELEGATION) && part->child_agent_count) {
        base->child_agents = part->child_agents;
        base->child_agent_count = part->child_agent_count;
    }
    if (given & CLAIMS_GIVEN(DELEGATION) && part->children_bounded) {
        base->children_bounded = true;
        base->children_max = part->children_max;
    }
}

mandate_status claims_overlay(claims *base, const claims *part, arena *a, mandate_error *err)
{
    const uint32_t given = part->given;
    overlay_people(base, part);
    overlay_lists(base, part);
    for (int k = 0; k < CLAUSE_COUNT; k++)
        if (given & (CLAIMS_GIVEN(WHILE) << k))
            base->clause[k] = part->clause[k];
    if (given & CLAIMS_GIVEN(MAX_DEPTH))
        base->depth_max = part->depth_max;
    if (given & CLAIMS_GIVEN(ON_UNKNOWN))
        base->on_unknown = part->on_unknown;
    if (given & CLAIMS_GIVEN(UNKNOWN_GRACE))
        base->unknown_grace_us = part->unknown_grace_us;
    if (given & CLAIMS_GIVEN(EXPIRES_AT))
        base->expires_at_us = part->expires_at_us;
    base->given |= given;
    mandate_status s = given & CLAIMS_GIVEN(LIMITS) ? merge_limits(base, part, a, err) : MANDATE_OK;
    if (!s && given & CLAIMS_GIVEN(BUDGETS))
        s = merge_budgets(base, part, a, err);
    if (!s && given & CLAIMS_GIVEN(REQUIRE))
        s = required_merge(base, part, a, err);
    return !s && given & CLAIMS_GIVEN(DISCLOSURE) ? disclosure_merge(base, part, a, err) : s;
}

_Static_assert(MEMBER_UNTIL == MEMBER_WHILE + CLAUSE_UNTIL && MEMBER_SUSPEND_WHILE == MEMBER_WHILE + CLAUSE_SUSPEND_WHILE,
               "clauses in their order");

/* SPDX-License-Identifier: Apache-2.0 */
/* lint_claims - what can be said without looking into conditions: who, scope, times, delegation. */
#include "engine/lint/lint_int.h"

#include "engine/base/text.h"
#include "engine/mandate/required.h"

#include <stdio.h>

const char *const lint_irreversible[] = {"sign",     "pay",    "transfer",  "delete",  "execute",
                                         "approve",  "send",   "publish",   "release", "refund",
                                         "purchase", "commit", "terminate", "destroy", NULL};

static void lint_scope(lint_report *r, const char *list, const mandate_slice *items, uint32_t count)
{
    char member[64];
    for (uint32_t i = 0; i < count; i++)
        if (mandate_slice_is(items[i], "*")) {
            snprintf(member, sizeof(member), "scope.%s[%u]", list, i);
            lint_add(r, LINT_SCOPE_ALL, member, NULL, "\"*\" covers all %s there are and will be", list);
        }
}

/* "contract.sign": its last part. */
static mandate_slice last_part(mandate_slice action)
{
    size_t at = action.len;
    while (at > 0 && action.ptr[at - 1] != '.' && action.ptr[at - 1] != ':' && action.ptr[at - 1] != '/')
        at--;
    return mandate_slice_of(action.ptr + at, action.len - at);
}

static bool is_irreversible(mandate_slice action, const lint_options *o)
{
    for (uint32_t i = 0; i < o->irreversible_count; i++)
        if (scope_covers(o->irreversible[i], action) || scope_covers(action, o->irreversible[i]))
            return true;
    if (o->irreversible_count)
        return false;
    mandate_slice verb = last_part(action);
    if (mandate_slice_is(verb, "*")) /* "contract.*" permits contract.sign */
        return true;
    for (const char *const *known = lint_irreversible; *known; known++)
        if (mandate_slice_is(verb, *known))
            return true;
    return false;
}

static void lint_hold(lint_report *r, const claims *c, const lint_options *o)
{
    char member[64];
    bool any = false;
    for (int k = 0; k < CLAUSE_COUNT; k++)
        any = any || c->clause[k].len;
    if (c->on_unknown != ON_UNKNOWN_HOLD)
        return;
    if (c->unknown_grace_us)
        lint_add(r, LINT_GRACE, "unknown_grace", NULL, "there is a grace period, and nothing that it delays");
    for (uint32_t i = 0; any && i < c->action_count; i++)
        if (is_irreversible(c->actions[i], o)) {
            snprintf(member, sizeof(member), "scope.actions[%u]", i);
            lint_add(r, LINT_HOLD, member, NULL, "\"%.*s\" %s irreversible, and `on_unknown` is \"hold\"",
                     (int)(c->actions[i].len < 200 ? c->actions[i].len : 200), c->actions[i].ptr,
                     c->actions[i].ptr[c->actions[i].len - 1] == '*' ? "covers actions that may be" : "looks");
            return; /* one is enough */
        }
}

static void lint_depth(lint_report *r, const claims *c, const lint_options *o)
{
    uint32_t given = o->parent && o->parent->depth_max != CLAIMS_DEPTH_UNSET ? o->parent->depth_max : LIMIT_DELEGATION_DEPTH;
    uint32_t left = given ? given - (o->parent != NULL) : 0;
    if (c->depth_max == CLAIMS_DEPTH_UNSET && c->parent.len && !o->parent)
        return; /* as many as its parent leaves, and that is not known */
    if (c->depth_max == CLAIMS_DEPTH_UNSET && left > o->depth_useful)
        lint_add(r, LINT_DEPTH, "max_depth", NULL, "it is not given, so %u generations may follow", left);
    else if (c->depth_max != CLAIMS_DEPTH_UNSET && c->depth_max > o->depth_useful)
        lint_add(r, LINT_DEPTH, "max_depth", NULL, "%u generations may follow; more than %u are seldom of use", c->depth_max,
                 o->depth_useful);
}

static void lint_times(lint_report *r, const claims *c, const lint_options *o)
{
    char at[TIME_TEXT_MAX], now[TIME_TEXT_MAX];
    size_t n = time_format_us(at, c->expires_at_us), m = time_format_us(now, o->now_us);
    if (c->expires_at_us <= o->now_us)
        lint_add(r, LINT_EXPIRED, "expires_at", NULL, "%.*s is not after %.*s", (int)n, at, (int)m, now);
    else if (c->expires_at_us - o->now_us > o->expiry_far_us)
        lint_add(r, LINT_EXPIRY_FAR, "expires_at", NULL, "%.*s is %lld days from now; more than %lld are far", (int)n, at,
                 (long long)((c->expires_at_us - o->now_us) / 86400000000), (long long)(o->expiry_far_us / 86400000000));
}

static void lint_parent(lint_report *r, const claims *c, const claims *parent)
{
    mandate_error err = {0};
    claims child = *c;
    if (child.depth_max == CLAIMS_DEPTH_UNSET)
        child.depth_max = parent->depth_max && parent->depth_max != CLAIMS_DEPTH_UNSET ? parent->depth_max - 1 : 0;
    claims root = *parent;
    if (root.depth_max == CLAIMS_DEPTH_UNSET)
        root.depth_max = LIMIT_DELEGATION_DEPTH;
    if (scope_is_subset(&child, &root, &err) != MANDATE_OK)
        lint_add(r, LINT_WIDER, "parent", NULL, "%s", err.text);
}

/* A parameter that must have one of some values, none of which its limit lets through. */
static void lint_required(lint_report *r, const claims *c)
{
    char name[sizeof("action.") + LIMIT_ID];
    for (uint32_t i = 0; i < c->limit_count; i++) {
        const mandate_slice limit = c->limits[i].name;
        int len = snprintf(name, sizeof(name), "action.%.*s", (int)(limit.len < LIMIT_ID ? limit.len : LIMIT_ID), limit.ptr);
        const claims_required *q =
            required_find(c->required, c->required_count, mandate_slice_of(name, (size_t)(len > 0 ? len : 0)));
        bool within = q == NULL;
        for (uint32_t k = 0; q && k < q->value_count; k++) {
            int order = 1;
            within |= cel_compare(q->values[k], c->limits[i].max, &order) && order <= 0;
        }
        if (!within)
            lint_add(r, LINT_NEVER_WITHIN, "scope.require", NULL,
                     "none of the values of \"%.*s\" is a number within its limit", (int)(limit.len < 200 ? limit.len : 200),
                     limit.ptr);
    }
}

static void lint_disclosure(lint_report *r, const claims *c)
{
    for (uint32_t i = 0; i < c->disclosure_count; i++) {
        const claims_disclosure *d = &c->disclosures[i];
        if (d->audience_count == 0 && !d->handle)
            lint_add(r, LINT_UNSEEN, "disclosure", NULL, "no audience is shown \"%s%s%.*s\", and no handle stands for it",
                     claims_member_name(d->member), d->part.len ? "." : "", (int)(d->part.len < 200 ? d->part.len : 200),
                     d->part.ptr);
    }
}

void lint_claims(lint_report *r, const claims *c, const lint_options *o, bool business)
{
    if (mandate_slice_eq(c->agent, c->grantor))
        lint_add(r, LINT_SELF, "grantor", NULL, "grantor and agent are both \"%.*s\"",
                 (int)(c->agent.len < 200 ? c->agent.len : 200), c->agent.ptr);
    lint_scope(r, "actions", c->actions, c->action_count);
    lint_scope(r, "resources", c->resources, c->resource_count);
    if (!business && c->parent.len == 0)
        lint_add(r, LINT_CLOCK_ONLY, "", NULL, "neither `while` nor `until` depends on the business");
    if (c->audience_count == 0)
        lint_add(r, LINT_AUDIENCE, "audience", NULL, "no audience is named");
    lint_required(r, c);
    lint_disclosure(r, c);
    lint_depth(r, c, o);
    lint_hold(r, c, o);
    lint_times(r, c, o);
    if (o->parent)
        lint_parent(r, c, o->parent);
}

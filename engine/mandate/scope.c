/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scope - what a mandate permits, and when one scope lies within another.
 *
 * Attenuation is decided per dimension, and a refusal names the dimension and both sides. An empty audience means
 * "anyone", so a child of a mandate with an audience must name one.
 */
#include "engine/mandate/claims.h"

#include "engine/base/text.h"
#include "engine/mandate/disclosure.h"
#include "engine/mandate/required.h"

/*
 * A pattern is matched against a name as text; against another pattern too, whose stars are letters of their own: an inner one
 * is taken by an inner one (both are at least one character and none is '/') or by the end, the last one by the end alone. So
 * whatever the right one stands for, the left one covers: the proof needs no list of names.
 *
 * Within a segment the last inner star decides (what stands before it matched as early as possible), and none reaches
 * beyond its segment, so one place to go back to is enough.
 */
bool scope_covers(mandate_slice pattern, mandate_slice name)
{
    size_t p = 0, n = 0, back_p = SIZE_MAX, back_n = 0;
    const bool open = pattern.len && pattern.ptr[pattern.len - 1] == '*';
    const size_t fixed = pattern.len - (open ? 1 : 0);
    /* Without inner stars, which is nearly always. */
    if (!fixed || !memchr(pattern.ptr, '*', fixed))
        return (open ? name.len >= fixed : name.len == fixed) && (!fixed || memcmp(pattern.ptr, name.ptr, fixed) == 0);
    for (;;) {
        if (p == fixed && (open || n == name.len))
            return true;
        const bool last = n + 1 == name.len && name.ptr[n] == '*'; /* stands for anything: only the end covers it */
        if (p < fixed && n < name.len && !last) {
            if (pattern.ptr[p] == '*' && name.ptr[n] != '/') {
                back_p = ++p;
                back_n = ++n;
                continue;
            }
            if (pattern.ptr[p] != '*' && pattern.ptr[p] == name.ptr[n] && name.ptr[n] != '*') {
                p++;
                n++;
                continue;
            }
        }
        if (back_p == SIZE_MAX || back_n >= name.len || name.ptr[back_n] == '/' ||
            (back_n + 1 == name.len && name.ptr[back_n] == '*'))
            return false;
        n = ++back_n;
        p = back_p;
    }
}

static bool covered_by_any(const mandate_slice *patterns, uint32_t count, mandate_slice name)
{
    for (uint32_t i = 0; i < count; i++)
        if (scope_covers(patterns[i], name))
            return true;
    return false;
}

/* Who is refused need not be one who may see what is restricted: a refusal never says it. */
static bool is_restricted(const claims *c, claims_member member, mandate_slice part)
{
    return disclosure_find(c->disclosures, c->disclosure_count, member, part) != NULL;
}

static void list_text(buf *b, const claims *whose, claims_member member, const mandate_slice *items, uint32_t count)
{
    bool first = true, kept_back = false;
    for (uint32_t i = 0; i < count && b->len < 200; i++) {
        if (is_restricted(whose, member, items[i])) {
            kept_back = true;
            continue;
        }
        buf_printf(b, "%s\"%.*s\"", first ? "" : ", ", MANDATE_SLICE_ARG(items[i]));
        first = false;
    }
    if (kept_back)
        buf_put_str(b, first ? "what it has (restricted)" : ", or what is restricted");
}

static const scope_sides delegated = {"its parent", "the parent has", "a child may only narrow"},
                         amended = {"it was", "it had", "an amendment only narrows"};

/* One list of both: which member it is, and what stands there. */
typedef struct lists {
    claims_member member;
    const char *dimension;
    const claims *whose; /* parent */
    const mandate_slice *child, *parent;
    uint32_t child_count, parent_count;
} lists;

static mandate_status subset_items(const scope_sides *w, const lists *l, mandate_error *err)
{
    for (uint32_t i = 0; i < l->child_count; i++) {
        /* Of a parent that is not known whole it is its issuer's word that the child lies within (verify.h). */
        if (covered_by_any(l->parent, l->parent_count, l->child[i]) || l->whose->hidden & UINT32_C(1) << l->member)
            continue;
        buf b;
        buf_init(&b);
        list_text(&b, l->whose, l->member, l->parent, l->parent_count);
        mandate_status status =
            mandate_error_set(err, MANDATE_DENIED, "wider than %s in %s: \"%.*s\" is not within %s; %s", w->than,
                              l->dimension, MANDATE_SLICE_ARG(l->child[i]), buf_cstr(&b), w->rule);
        buf_deinit(&b);
        return status;
    }
    return MANDATE_OK;
}

static const claims_limit *limit_find(const claims *c, mandate_slice name)
{
    for (uint32_t i = 0; i < c->limit_count; i++)
        if (mandate_slice_eq(c->limits[i].name, name))
            return &c->limits[i];
    return NULL;
}

static mandate_status subset_limits(const scope_sides *w, const claims *child, const claims *parent, mandate_error *err)
{
    for (uint32_t i = 0; i < parent->limit_count; i++) {
        const claims_limit *mine = limit_find(child, parent->limits[i].name), *theirs = &parent->limits[i];
        int order = 1;
        if ((mine && cel_compare(mine->max, theirs->max, &order) && order <= 0) ||
            (!mine && child->hidden & CLAIMS_GIVEN(LIMITS)))
            continue;
        if (is_restricted(parent, MEMBER_LIMITS, theirs->name))
            return mandate_error_set(err, MANDATE_DENIED, "wider than %s in a limit that is restricted; %s", w->than,
                                     w->rule);
        buf have, want;
        buf_init(&have);
        buf_init(&want);
        if (mine)
            cel_to_text(&have, mine->max, 40);
        else
            buf_put_str(&have, "no limit");
        cel_to_text(&want, theirs->max, 40);
        mandate_status status =
            mandate_error_set(err, MANDATE_DENIED, "wider than %s in limit \"%.*s\": %s, while %s %s; %s", w->than,
                              MANDATE_SLICE_ARG(theirs->name), buf_cstr(&have), w->theirs, buf_cstr(&want), w->rule);
        buf_deinit(&have);
        buf_deinit(&want);
        return status;
    }
    return MANDATE_OK;
}

void scope_inherit(claims *child, const claims *parent)
{
    if (child->depth_max == CLAIMS_DEPTH_UNSET)
        child->depth_max = parent->depth_max ? parent->depth_max - 1 : 0;
    if (!child->children_bounded) {
        child->children_bounded = parent->children_bounded;
        child->children_max = parent->children_max;
    }
    if (child->child_agent_count == 0) {
        child->child_agents = parent->child_agents;
        child->child_agent_count = parent->child_agent_count;
    }
}

/* A budget that a child does not name is its parent's all the same: whatever it spends draws on both. */
static mandate_status subset_budgets(const scope_sides *w, const claims *child, const claims *parent, mandate_error *err)
{
    char mine[AMOUNT_TEXT_MAX], theirs[AMOUNT_TEXT_MAX];
    for (uint32_t i = 0; i < parent->budget_count; i++)
        for (uint32_t k = 0; k < child->budget_count; k++) {
            const claims_budget *p = &parent->budgets[i], *c = &child->budgets[k];
            if (!mandate_slice_eq(p->name, c->name) || amount_cmp(c->max, p->max) <= 0)
                continue;
            amount_format(mine, c->max);
            amount_format(theirs, p->max);
            return mandate_error_set(err, MANDATE_DENIED, "wider than %s in budget \"%.*s\": %s, while %s %s; %s", w->than,
                                     MANDATE_SLICE_ARG(p->name), mine, w->theirs, theirs, w->rule);
        }
    return MANDATE_OK;
}

static mandate_status subset_delegation(const scope_sides *w, const claims *child, const claims *parent, mandate_error *err)
{
    mandate_status s = MANDATE_OK;
    if (parent->child_agent_count && child->child_agent_count == 0)
        s = mandate_error_set(err, MANDATE_DENIED,
                              "wider than %s in delegation.allowed_agents: it names none, which means anybody", w->than);
    if (!s && parent->child_agent_count)
        s = subset_items(w,
                         &(lists){MEMBER_DELEGATION, "delegation.allowed_agents", parent, child->child_agents,
                                  parent->child_agents, child->child_agent_count, parent->child_agent_count},
                         err);
    if (s || !parent->children_bounded || (child->children_bounded && child->children_max <= parent->children_max))
        return s;
    if (!child->children_bounded)
        return mandate_error_set(err, MANDATE_DENIED,
                                 "wider than %s in delegation.max_children: it names none, while %s %u; %s", w->than,
                                 w->theirs, parent->children_max, w->rule);
    return mandate_error_set(err, MANDATE_DENIED, "wider than %s in delegation.max_children: %u, while %s %u; %s", w->than,
                             child->children_max, w->theirs, parent->children_max, w->rule);
}

static mandate_status subset_time(const scope_sides *w, const claims *child, const claims *parent, mandate_error *err)
{
    char mine[TIME_TEXT_MAX], theirs[TIME_TEXT_MAX];
    if (child->expires_at_us <= parent->expires_at_us)
        return MANDATE_OK;
    size_t a = time_format_us(mine, child->expires_at_us), b = time_format_us(theirs, parent->expires_at_us);
    return mandate_error_set(err, MANDATE_DENIED, "wider than %s in time: expires_at %.*s is after %.*s; %s", w->than,
                             (int)a, mine, (int)b, theirs, w->rule);
}

/* All but depth, which a child has one less of. */
static mandate_status subset(const scope_sides *w, const claims *child, const claims *parent, mandate_error *err)
{
    mandate_status s;
    const lists actions = {MEMBER_ACTIONS,      "actions",           parent, child->actions, parent->actions,
                           child->action_count, parent->action_count},
                resources = {MEMBER_RESOURCES,      "resources",           parent, child->resources, parent->resources,
                             child->resource_count, parent->resource_count},
                audience = {MEMBER_AUDIENCE,       "audience",       parent,
                            child->audience,       parent->audience, child->audience_count,
                            parent->audience_count};
    if ((s = subset_items(w, &actions, err)) || (s = subset_items(w, &resources, err)) ||
        (s = subset_limits(w, child, parent, err)) || (s = subset_budgets(w, child, parent, err)) ||
        (s = required_within(w, child, parent, err)))
        return s;
    if (parent->audience_count && child->audience_count == 0)
        return mandate_error_set(err, MANDATE_DENIED, "wider than %s in audience: it names none, which means anyone",
                                 w->than);
    if ((parent->audience_count && (s = subset_items(w, &audience, err))) || (s = subset_time(w, child, parent, err)) ||
        (s = subset_delegation(w, child, parent, err)))
        return s;
    return disclosure_narrows(child, parent, w->than, err);
}

mandate_status scope_is_subset(const claims *child, const claims *parent, mandate_error *err)
{
    mandate_status s = subset(&delegated, child, parent, err);
    if (!s && parent->child_agent_count)
        s = subset_items(&delegated,
                         &(lists){MEMBER_DELEGATION, "agent (delegation.allowed_agents)", parent, &child->agent,
                                  parent->child_agents, 1, parent->child_agent_count},
                         err);
    if (s || (parent->depth_max && child->depth_max < parent->depth_max))
        return s;
    return mandate_error_set(
        err, MANDATE_DENIED,
        "wider than its parent in depth: the parent allows %u more generations (max_depth), this child would need %u",
        parent->depth_max, child->depth_max + 1);
}

mandate_status scope_is_narrower(const claims *now, const claims *old, mandate_error *err)
{
    mandate_status s = subset(&amended, now, old, err);
    if (s || now->depth_max <= old->depth_max)
        return s;
    return mandate_error_set(err, MANDATE_DENIED, "wider than it was in depth: max_depth %u, while it had %u; %s",
                             now->depth_max, old->depth_max, amended.rule);
}

static bool refuse(mandate_slice *why, mandate_slice text)
{
    *why = text;
    return false;
}

static bool is_hidden(const claims *c, claims_member member) { return c->hidden & UINT32_C(1) << member; }

/* One limit; its name is not said where it is restricted. */
static bool limit_permits(const claims *c, const claims_limit *l, cel_value params, arena *a, mandate_slice *why)
{
    const cel_value *asked = params.kind == CEL_MAP ? cel_map_get(params, cel_string(l->name)) : NULL;
    const bool told = !is_restricted(c, MEMBER_LIMITS, l->name);
    int order = 1;
    if (!asked && !told)
        return refuse(why, mandate_slice_str("the mandate limits a parameter that is restricted: say all there are in "
                                             "action.properties"));
    if (!asked)
        return refuse(
            why, arena_printf(a, "the mandate limits \"%.*s\": say it in action.properties", MANDATE_SLICE_ARG(l->name)));
    if (!cel_compare(*asked, l->max, &order))
        return refuse(why, told ? arena_printf(a, "\"%.*s\" must be a number", MANDATE_SLICE_ARG(l->name))
                                : mandate_slice_str("a parameter that is limited must be a number"));
    if (order > 0)
        return refuse(why, told ? arena_printf(a, "\"%.*s\" is more than the mandate allows", MANDATE_SLICE_ARG(l->name))
                                : mandate_slice_str("a parameter is more than the mandate allows"));
    return true;
}

/* Of actions or resources. */
static bool covers(const claims *c, claims_member member, const mandate_slice *patterns, uint32_t count, mandate_slice name,
                   arena *a, mandate_slice *why)
{
    const char *what = member == MEMBER_ACTIONS ? "action" : "resource";
    if (covered_by_any(patterns, count, name))
        return true;
    if (is_hidden(c, member))
        return refuse(why, arena_printf(a, "the %s \"%.*s\" is not within what is disclosed of scope.%ss", what,
                                        MANDATE_SLICE_ARG(name), what));
    return refuse(why, arena_printf(a, "the %s \"%.*s\" is outside the mandate's scope", what, MANDATE_SLICE_ARG(name)));
}

bool scope_permits(const claims *c, const scope_question *q, arena *a, mandate_slice *why)
{
    if (!covers(c, MEMBER_ACTIONS, c->actions, c->action_count, q->action, a, why) ||
        !covers(c, MEMBER_RESOURCES, c->resources, c->resource_count, q->resource, a, why))
        return false;
    for (uint32_t i = 0; i < c->limit_count; i++)
        if (!limit_permits(c, &c->limits[i], q->params, a, why))
            return false;
    if (is_hidden(c, MEMBER_LIMITS))
        return refuse(why,
                      mandate_slice_str("scope.limits are not disclosed, or not all of them: what they allow is not known"));
    for (uint32_t i = 0; i < c->required_count; i++)
        if (!required_permits(&c->required[i], q, !is_restricted(c, MEMBER_REQUIRE, c->required[i].name), a, why))
            return false;
    if (is_hidden(c, MEMBER_REQUIRE))
        return refuse(why, mandate_slice_str("scope.require is not disclosed, or not all of it: what it asks is not known"));
    return true;
}

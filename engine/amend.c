/* SPDX-License-Identifier: Apache-2.0 */
/*
 * amend - other claims under the same id, at a new version.
 *
 * Narrower is the rule: every dimension at most what it was, a condition only added to what stands there. With `widen` (a power of
 * its own, asked for before the command comes here) it may be anything that its parent allows, and a condition takes the place of
 * the old one. Never is a live child wider than its parent: an amendment that would make it so is refused with the child's name,
 * or, with `cascade`, ends those children in the same commit. Grandchildren lie within children, so children are all there
 * is to look at.
 */
#include "engine/command_int.h"

#include "engine/base/text.h"
#include "engine/mandate/disclosure.h"

#include <stdlib.h>

typedef struct amendment {
    issuance is; /* the claims as they will be, and their conditions */
    const engine_command *command;
    claims old;
    uint32_t handle;
    VEC(uint32_t) unfit; /* children that end */
} amendment;

enum {
    GIVEN_NEVER = CLAIMS_GIVEN(ID) | CLAIMS_GIVEN(ISSUER) | CLAIMS_GIVEN(GRANTOR) | CLAIMS_GIVEN(AGENT) |
                  CLAIMS_GIVEN(PARENT) | CLAIMS_GIVEN(PARAMS) | CLAIMS_GIVEN(SUPERSEDES)
};

static mandate_status check_given(const claims *part, const claims *old, mandate_error *err)
{
    for (int m = 0; m < MEMBER_COUNT; m++)
        if (part->given & GIVEN_NEVER & (UINT32_C(1) << m))
            return mandate_error_set(err, MANDATE_INVALID,
                                     "an amendment does not change \"%s\": issue a mandate that supersedes this one",
                                     claims_member_name((claims_member)m));
    for (uint32_t i = 0; part->given & CLAIMS_GIVEN(BUDGETS) && i < part->budget_count; i++) {
        bool there = false;
        for (uint32_t k = 0; k < old->budget_count; k++)
            there |= mandate_slice_eq(part->budgets[i].name, old->budgets[k].name);
        if (!there) /* a spend could not be given back to those it was drawn from */
            return mandate_error_set(
                err, MANDATE_INVALID,
                "an amendment adds no budget, and there is no \"%.*s\": issue a mandate that supersedes this one",
                MANDATE_SLICE_ARG(part->budgets[i].name));
    }
    if (!part->given)
        return mandate_error_set(err, MANDATE_INVALID, "an amendment that says nothing: give the members that change");
    return MANDATE_OK;
}

/* What stands there, and the new one: while both hold, until or suspended while either does. */
static void add_condition(const amendment *m, claims *part, int clause)
{
    mandate_slice old = m->old.clause[clause], more = part->clause[clause];
    if (!(part->given & (CLAIMS_GIVEN(WHILE) << clause)) || !old.len || m->command->widen)
        return;
    part->clause[clause] = arena_printf(&m->is.e->memory, "(%.*s) %s (%.*s)", MANDATE_SLICE_ARG(old),
                                        clause == CLAUSE_WHILE ? "&&" : "||", MANDATE_SLICE_ARG(more));
}

static mandate_status lay_over(amendment *m, mandate_error *err)
{
    claims part = *m->command->claims;
    for (int k = 0; k < CLAUSE_COUNT; k++)
        add_condition(m, &part, k);
    m->is.claims = m->old;
    mandate_status s = claims_overlay(&m->is.claims, &part, &m->is.e->memory, err);
    if (!s)
        s = disclosure_prune(&m->is.claims, &part, &m->is.e->memory, err);
    /* What it adds is restricted by default, unless it says itself. */
    if (!s)
        s = disclosure_default(&m->is.claims, &m->old, part.disclosures, part.disclosure_count, &m->is.e->memory, err);
    if (!s)
        s = claims_check(&m->is.claims, err);
    if (!s)
        s = issuance_take(&m->is, &m->is.claims, err);
    m->is.claims.issued_at_us = m->is.e->batch_now_us; /* of this version, and of its signed artifact */
    return s;
}

static mandate_status check_narrower(const amendment *m, mandate_error *err)
{
    const claims *now = &m->is.claims, *old = &m->old;
    const char *what = NULL;
    if (m->command->widen)
        return MANDATE_OK;
    if (!mandate_slice_eq(now->purpose, old->purpose))
        what = "purpose";
    else if (m->command->claims->given & CLAIMS_GIVEN(TARGETS))
        what = "targets";
    else if (now->on_unknown == ON_UNKNOWN_HOLD && old->on_unknown == ON_UNKNOWN_SUSPEND)
        what = "on_unknown";
    else if (now->unknown_grace_us > old->unknown_grace_us && old->on_unknown == ON_UNKNOWN_SUSPEND)
        what = "unknown_grace";
    mandate_status s = what ? mandate_error_set(err, MANDATE_DENIED, "not narrower than it was in %s", what)
                            : scope_is_narrower(now, old, err);
    return s == MANDATE_DENIED ? mandate_error_prefix(err, s, "to be made wider it takes the power to, and \"widen\"") : s;
}

static mandate_status check_parent(const amendment *m, mandate_error *err)
{
    engine *e = m->is.e;
    claims parent;
    uint32_t handle = parent_of(e, m->handle);
    if (handle == MANDATE_NONE)
        return MANDATE_OK;
    return claims_of(e, handle, &e->memory, &parent) ? scope_is_subset(&m->is.claims, &parent, err) : MANDATE_NOMEM;
}

/* One child: does it still fit? */
static mandate_status check_child(amendment *m, uint32_t child, arena *a, mandate_error *err)
{
    claims c;
    if (!claims_of(m->is.e, child, a, &c))
        return MANDATE_NOMEM;
    mandate_status s = scope_is_subset(&c, &m->is.claims, err);
    if (s == MANDATE_DENIED && !m->command->cascade) {
        s = mandate_error_prefix(err, MANDATE_CONFLICT, "its child \"%.*s\" would be left (\"cascade\" ends it)",
                                 MANDATE_SLICE_ARG(c.id));
        err->status = s;
    }
    if (s != MANDATE_DENIED)
        return s;
    *err = (mandate_error){0};
    return VEC_PUSH(&m->unfit, child) ? MANDATE_OK : MANDATE_NOMEM;
}

static mandate_status check_children(amendment *m, mandate_error *err)
{
    engine *e = m->is.e;
    const mandate_kin *own = mandate_kin_of(e, m->handle);
    mandate_status s = MANDATE_OK;
    arena a;
    /* What became wider in everything leaves every child within. */
    if (!own->live_children || scope_is_narrower(&m->old, &m->is.claims, NULL) == MANDATE_OK)
        return MANDATE_OK;
    if (own->live_children > LIMIT_AMEND_CHILDREN)
        return mandate_error_set(err, MANDATE_LIMIT,
                                 "it has %u live children, and an amendment looks at %d at most: supersede it",
                                 own->live_children, LIMIT_AMEND_CHILDREN);
    arena_init(&a, 0);
    for (uint32_t c = own->first_child; !s && c != MANDATE_NONE; c = mandate_kin_of(e, c)->next_sibling) {
        arena_reset(&a);
        if (!has_ended(e, c))
            s = check_child(m, c, &a, err);
    }
    arena_deinit(&a);
    if (!s && m->is.claims.children_bounded && own->live_children - m->unfit.len > m->is.claims.children_max)
        s = mandate_error_set(err, MANDATE_CONFLICT,
                              "it has %u live children, while delegation.max_children would be %u: end some first",
                              own->live_children - m->unfit.len, m->is.claims.children_max);
    return s;
}

static bool same_audiences(const claims_disclosure *x, const claims_disclosure *y)
{
    bool same = x->audience_count == y->audience_count;
    for (uint32_t i = 0; same && i < x->audience_count; i++)
        same = mandate_slice_eq(x->audiences[i], y->audiences[i]);
    return same;
}

/* --- it is amended ------------------------------------------------------------------------------------------------- */
static bool end_unfit(amendment *m, const occasion *why)
{
    engine *e = m->is.e;
    if (!sort_by_id(e, m->unfit.data, m->unfit.len))
        return false;
    for (uint32_t i = 0; i < m->unfit.len; i++) {
        uint32_t child = m->unfit.data[i];
        if (!backlog_catch_up(e, child))
            return false;
        if (!has_ended(e, child) && !mandate_change(e, child, STATE_REVOKED, REASON_PARENT_AMENDED, CLAUSE_NONE, why))
            return false;
    }
    return true;
}

/* It tells what was and what is: what either restricts is, and what they show to different audiences to none of them. */
static bool restrict_both(transition *t, const amendment *m)
{
    claims both = {.disclosures = m->old.disclosures, .disclosure_count = m->old.disclosure_count};
    if (disclosure_merge(&both, &m->is.claims, &m->is.e->memory, NULL))
        return false;
    for (uint32_t i = 0; i < both.disclosure_count; i++) {
        claims_disclosure *d = (claims_disclosure *)(uintptr_t)&both.disclosures[i]; /* of our own array */
        for (uint32_t k = 0; k < m->old.disclosure_count; k++) {
            const claims_disclosure *was = &m->old.disclosures[k];
            if (disclosure_cmp(was, d) == 0 && !same_audiences(was, d))
                d->audience_count = 0;
        }
    }
    t->disclosures = both.disclosures;
    t->disclosure_count = both.disclosure_count;
    return true;
}

static bool apply(amendment *m, const occasion *why)
{
    engine *e = m->is.e;
    mandate *own = mandate_at(e, m->handle);
    mandate_more *more = mandate_more_make(e, m->handle);
    cel_value changes = claims_changes(&e->memory, &m->old, &m->is.claims);
    if (!more)
        return false;
    const uint32_t amended_before = more->amended_at;
    mandate_unbind(e, m->handle);
    if (!issuance_settle(&m->is, m->handle) || !timer_arm(&e->deadlines, TIMER_EXPIRY, m->handle, own->expires_at_us))
        return engine_fail(e, "out of memory while amending");
    uint32_t at = e->transitions.len;
    if (!mandate_change(e, m->handle, (mandate_state)own->state, REASON_AMENDED, CLAUSE_NONE, why))
        return false;
    e->transitions.data[at].changes = changes;
    if (!restrict_both(&e->transitions.data[at], m))
        return engine_fail(e, "out of memory while amending");
    e->transitions.data[at].amended_before = amended_before;
    mandate_more_of(e, m->handle)->amended_at = mandate_at(e, m->handle)->version;
    if (!budget_amended(e, m->handle, &m->is.claims))
        return false;
    standing_at(e, m->handle)->seen = mandate_look(e, m->handle);
    return end_unfit(m, why) && mandate_review(e, m->handle, standing_at(e, m->handle)->seen, why);
}

static bool refused_or_fatal(const engine *e, mandate_status s) { return !e->failed && s != MANDATE_NOMEM; }

bool amend_run(engine *e, uint32_t handle, const engine_command *c, engine_answer *a, const occasion *why)
{
    amendment m = {.is = {.e = e, .answer = a}, .command = c, .handle = handle};
    mandate_error *err = &a->error;
    if (!claims_of(e, handle, &e->memory, &m.old))
        return false;
    mandate_status s = check_given(c->claims, &m.old, err);
    if (!s)
        s = lay_over(&m, err);
    if (!s && claims_changes(&e->memory, &m.old, &m.is.claims).kind == CEL_NULL) {
        a->repeated = true; /* it is so already */
        return !e->memory.failed || engine_fail(e, "out of memory while amending");
    }
    if (!s)
        s = issuance_check_expiry(&m.is, err);
    if (!s)
        s = check_narrower(&m, err);
    if (!s)
        s = check_parent(&m, err);
    if (!s)
        s = check_children(&m, err);
    if (!s)
        s = issuance_check_clauses(&m.is, err);
    bool ok = s ? refused_or_fatal(e, s) || engine_fail(e, "out of memory while amending") : apply(&m, why);
    issuance_deinit(&m.is);
    VEC_FREE(&m.unfit);
    return ok && !e->failed;
}

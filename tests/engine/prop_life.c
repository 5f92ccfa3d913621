/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random walks of life cycles: issue, delegate, amend, suspend, resume, spend, give back, revoke, supersede, expire, business events that
 * conditions hang on, required values, audiences, agents that may or may not be delegated to, and a clock that jumps by a second to a century, both ways, against an independent model (tests/model/life_model.h). After every command
 * outcome, state, version and what is left are the model's; every so often all of them are, the engine is taken down and
 * brought up again from its stored form, and the attenuation of every chain is looked at: no child permits what its
 * parent does not.
 *
 *   prop_life [steps [seed]]     default 200000 steps; prints the seed of a walk that fails
 */
#include "tests/engine/rig.h"
#include "tests/model/life_model.h"

#include <stdio.h>
#include <stdlib.h>

enum { ACTIONS = 6, AUDIENCES = 4, AGENTS = 4, VALUES = 5, WALK_STEPS = 500 };
static const char *const properties[LIFE_PROPERTIES] = {"action.soft", "resource.region"};
#define CENTURY (INT64_C(36525) * 24 * 3600)

/* How often each command came out how, over all walks: a walk that tries nothing proves nothing. */
static uint64_t outcomes[COMMAND_COUNT][LIFE_REFUSED + 1];
/* What events did, by the reason of the transition; what narrowed a child. */
static uint64_t reasons[REASON_COUNT], with_audience, with_agents, with_values;

typedef struct walk {
    rig *g;
    life_model *m;
    uint64_t seed, rng;
    uint32_t next_key;
    int64_t wall; /* seconds since RIG_START, as the caller's clock says; the engine never goes back */
} walk;

#define FAIL(w, ...)                                                                                               \
    do {                                                                                                           \
        fprintf(stderr, "seed %llu, step %llu: ", (unsigned long long)(w)->seed, (unsigned long long)(w)->g->seq); \
        fprintf(stderr, __VA_ARGS__);                                                                              \
        fprintf(stderr, "\n");                                                                                     \
        abort();                                                                                                   \
    } while (0)

static uint64_t random_next(walk *w)
{
    w->rng ^= w->rng << 13;
    w->rng ^= w->rng >> 7;
    w->rng ^= w->rng << 17;
    return w->rng;
}
static int64_t below(walk *w, int64_t n) { return (int64_t)(random_next(w) >> 11) % n; }
static bool one_in(walk *w, int64_t n) { return below(w, n) == 0; }

static mandate_slice one_name(walk *w, const char *kind, int n) { return arena_printf(&w->g->memory, "%s:%d", kind, n); }
static mandate_slice name_of(walk *w, int at) { return arena_printf(&w->g->memory, "m-%d", at); }

/* --- terms ------------------------------------------------------------------------------------------------------------ */
/* Mostly none: a walk in which everything ends at once tries nothing else. */
static int random_conversation(walk *w) { return one_in(w, 4) ? (int)below(w, LIFE_CONVERSATIONS) : LIFE_NONE; }

static life_terms random_terms(walk *w, const life_terms *near)
{
    life_terms t = {.actions = 1 + (uint32_t)below(w, (1 << ACTIONS) - 1),
                    .limit = below(w, 100),
                    .budget = one_in(w, 4) ? 0 : 1 + below(w, 400),
                    .expires_at = w->m->now + 1 + below(w, one_in(w, 4) ? CENTURY : 600),
                    .depth_max = (int)below(w, 5),
                    .children_max = one_in(w, 2) ? LIFE_NONE : (int)below(w, 5),
                    .audience = one_in(w, 2) ? 0 : 1 + (uint32_t)below(w, (1 << AUDIENCES) - 1),
                    .agents = one_in(w, 2) ? 0 : 1 + (uint32_t)below(w, (1 << AGENTS) - 1),
                    .agent = (int)below(w, AGENTS),
                    .while_on = random_conversation(w),
                    .until_on = random_conversation(w),
                    .suspend_on = random_conversation(w)};
    for (int i = 0; i < LIFE_PROPERTIES; i++)
        t.require[i] = one_in(w, 3) ? 1 + (uint32_t)below(w, (1 << VALUES) - 1) : 0;
    if (!near || one_in(w, 6))
        return t;
    /* Mostly like another, a little less in some dimensions and rarely a little more. */
    life_terms n = *near;
    if (one_in(w, 3))
        n.actions = near->actions & t.actions ? near->actions & t.actions : near->actions;
    if (one_in(w, 3))
        n.limit = near->limit ? below(w, near->limit + 1) : 0;
    if (one_in(w, 3) && near->budget)
        n.budget = 1 + below(w, near->budget);
    if (one_in(w, 3) && near->expires_at - w->m->now > 2)
        n.expires_at = w->m->now + 1 + below(w, near->expires_at - w->m->now);
    if (one_in(w, 2) && near->depth_max)
        n.depth_max = (int)below(w, near->depth_max);
    if (one_in(w, 3) && near->children_max != LIFE_NONE)
        n.children_max = (int)below(w, near->children_max + 1);
    if (one_in(w, 3) && near->audience)
        n.audience = near->audience & t.audience ? near->audience & t.audience : near->audience;
    if (one_in(w, 3) && near->agents)
        n.agents = near->agents & t.agents ? near->agents & t.agents : near->agents;
    for (int i = 0; i < LIFE_PROPERTIES; i++) {
        if (one_in(w, 3) && (!near->require[i] || near->require[i] & t.require[i]))
            n.require[i] = near->require[i] ? near->require[i] & t.require[i] : t.require[i];
        if (one_in(w, 24))
            n.require[i] = one_in(w, 2) ? 0 : n.require[i] | 1U << below(w, VALUES);
    }
    if (one_in(w, 12))
        n.audience = one_in(w, 2) ? 0 : n.audience | 1U << below(w, AUDIENCES);
    if (one_in(w, 12))
        n.agents |= 1U << below(w, AGENTS);
    n.agent = t.agent;
    for (int i = 0; n.agents && i < 3 && !(n.agents >> n.agent & 1); i++)
        n.agent = (int)below(w, AGENTS);
    n.while_on = t.while_on;
    n.until_on = t.until_on;
    n.suspend_on = t.suspend_on;
    if (one_in(w, 12))
        n.limit++;
    if (one_in(w, 12))
        n.actions |= 1U << below(w, ACTIONS);
    if (one_in(w, 12))
        n.expires_at++;
    return n;
}

static const mandate_slice *names(walk *w, const char *kind, uint32_t bits, int most, uint32_t *count)
{
    mandate_slice *out = ARENA_ARRAY(&w->g->memory, mandate_slice, (size_t)most);
    *count = 0;
    for (int i = 0; i < most; i++)
        if (bits >> i & 1)
            out[(*count)++] = one_name(w, kind, i);
    return out;
}

/* In their order; a text that looks like a number is none. */
static cel_value value_of(int i)
{
    const cel_value values[VALUES] = {cel_bool(false), cel_bool(true), cel_double(0.5), cel_int(1), STR("1")};
    return values[i];
}

static void put_required(walk *w, claims *c, const life_terms *t)
{
    claims_required *all = ARENA_ARRAY(&w->g->memory, claims_required, LIFE_PROPERTIES);
    c->required_count = 0;
    c->required = all;
    for (int i = 0; i < LIFE_PROPERTIES; i++) {
        cel_value *values = ARENA_ARRAY(&w->g->memory, cel_value, VALUES);
        claims_required one = {.name = mandate_slice_str(properties[i]), .values = values};
        for (int k = 0; k < VALUES; k++)
            if (t->require[i] >> k & 1)
                values[one.value_count++] = value_of(k);
        if (one.value_count)
            all[c->required_count++] = one;
    }
}

static void put_clauses(walk *w, claims *c, const life_terms *t)
{
    arena *a = &w->g->memory;
    if (t->while_on != LIFE_NONE)
        c->clause[CLAUSE_WHILE] =
            arena_printf(a, "crm.conversation['R-%d'].status == 'open' || crm.conversation['R-%d'].status == 'held'",
                         t->while_on, t->while_on);
    if (t->until_on != LIFE_NONE)
        c->clause[CLAUSE_UNTIL] = arena_printf(a, "crm.conversation['R-%d'].status == 'done'", t->until_on);
    if (t->suspend_on != LIFE_NONE)
        c->clause[CLAUSE_SUSPEND_WHILE] = arena_printf(a, "crm.conversation['R-%d'].status == 'held'", t->suspend_on);
}

/* Actions in patterns: "a.<bit>.*", or everything. */
static void put_terms(walk *w, claims *c, const life_terms *t)
{
    arena *a = &w->g->memory;
    mandate_slice *actions = ARENA_ARRAY(a, mandate_slice, ACTIONS);
    claims_limit *limits = ARENA_ARRAY(a, claims_limit, 1);
    claims_budget *budgets = ARENA_ARRAY(a, claims_budget, 1);
    c->action_count = 0;
    for (int i = 0; i < ACTIONS; i++)
        if (t->actions >> i & 1)
            actions[c->action_count++] = arena_printf(a, "a.%d.*", i);
    if (t->actions == (1 << ACTIONS) - 1) {
        actions[0] = S("a.*"); /* the same for the actions there are, wider for those there are not */
        c->action_count = 1;
    }
    c->actions = actions;
    limits[0] = (claims_limit){S("n"), cel_int(t->limit)};
    c->limits = limits;
    c->limit_count = 1;
    put_required(w, c, t);
    budgets[0] = (claims_budget){S("eur"), {(uint64_t)t->budget, 0}};
    c->budgets = budgets;
    c->budget_count = t->budget ? 1 : 0;
    c->expires_at_us = RIG_START + t->expires_at * SECOND;
    c->depth_max = (uint32_t)t->depth_max;
    c->audience = names(w, "aud", t->audience, AUDIENCES, &c->audience_count);
    c->child_agents = names(w, "agent", t->agents, AGENTS, &c->child_agent_count);
    c->children_bounded = t->children_max != LIFE_NONE;
    c->children_max = c->children_bounded ? (uint32_t)t->children_max : 0;
}

/* --- comparing ---------------------------------------------------------------------------------------------------------- */
static mandate_state state_of(life_state s)
{
    static const mandate_state states[] = {STATE_ACTIVE,  STATE_SUSPENDED, STATE_COMPLETED, STATE_REVOKED,
                                           STATE_EXPIRED, STATE_CASCADED,  STATE_SUPERSEDED};
    return states[s];
}

static void compare_one(walk *w, int at)
{
    engine_mandate_view v;
    const life_mandate *c = &w->m->all[at];
    engine_mandate_get(w->g->e, (uint32_t)at, &v);
    mandate_state effective = engine_effective_state(w->g->e, (uint32_t)at, engine_now_us(w->g->e), NULL);
    if (v.state != state_of(c->state) || v.version != c->version || effective != state_of(life_effective(w->m, at)))
        FAIL(w, "m-%d is %s (as such %s) at version %u, and not %s (%s) at %u", at, mandate_state_name(effective),
             mandate_state_name(v.state), v.version, mandate_state_name(state_of(life_effective(w->m, at))),
             mandate_state_name(state_of(c->state)), c->version);
    if (v.expires_at_us != RIG_START + c->terms.expires_at * SECOND)
        FAIL(w, "m-%d expires at another time", at);
    if (v.exhausted != life_exhausted(w->m, at))
        FAIL(w, "m-%d: exhausted is %d", at, v.exhausted);
    /* At or after its end nobody may be told that it is active, whatever the clock did. */
    if (effective == STATE_ACTIVE && engine_now_us(w->g->e) >= v.expires_at_us)
        FAIL(w, "m-%d is active at or after its end", at);
}

/* Names, no patterns: one by one. */
static bool all_in(const mandate_slice *some, uint32_t count, const mandate_slice *all, uint32_t all_count)
{
    for (uint32_t i = 0; i < count; i++) {
        bool found = false;
        for (uint32_t k = 0; k < all_count; k++)
            found |= mandate_slice_eq(some[i], all[k]);
        if (!found)
            return false;
    }
    return true;
}

/* No child permits what its parent does not: asked of the scopes as stored, not of the rule that let them in. */
static void compare_chain(walk *w, int at)
{
    claims c, p;
    mandate_slice why;
    const life_mandate *own = &w->m->all[at];
    arena *a = &w->g->memory;
    if (own->parent == LIFE_NONE || life_effective(w->m, at) != LIFE_ACTIVE)
        return;
    if (claims_decode(&c, a, w->g->e->claims_kept.data[at], NULL) ||
        claims_decode(&p, a, w->g->e->claims_kept.data[own->parent], NULL))
        FAIL(w, "claims of m-%d cannot be read", at);
    for (int i = 0; i < 40; i++) {
        mandate_slice action = arena_printf(a, i % 8 == 7 ? "b.%d" : "a.%d.x", (int)below(w, ACTIONS + 1));
        const cel_entry n = {STR("n"), cel_int(below(w, 110))};
        const cel_entry said[] = {n, {STR("soft"), value_of((int)below(w, VALUES))}},
                        region = {STR("region"), value_of((int)below(w, VALUES))};
        const scope_question q = {.action = action,
                                  .resource = S("r/1"),
                                  .params = cel_map(said, 1 + (uint32_t)below(w, 2)),
                                  .properties = cel_map(&region, (uint32_t)below(w, 2))};
        if (scope_permits(&c, &q, a, &why) && !scope_permits(&p, &q, a, &why))
            FAIL(w, "m-%d permits %.*s, its parent does not", at, MANDATE_SLICE_ARG(action));
    }
    if (c.expires_at_us > p.expires_at_us || c.depth_max >= p.depth_max)
        FAIL(w, "m-%d outlives or outgrows its parent", at);
    if (p.audience_count && (!c.audience_count || !all_in(c.audience, c.audience_count, p.audience, p.audience_count)))
        FAIL(w, "m-%d is for others than its parent is for", at);
    if (p.child_agent_count && !all_in(&c.agent, 1, p.child_agents, p.child_agent_count))
        FAIL(w, "m-%d was given to an agent that its parent may not be delegated to", at);
    with_audience += p.audience_count != 0;
    with_agents += p.child_agent_count != 0;
    with_values += p.required_count != 0;
}

static void compare_all(walk *w)
{
    if ((int)engine_mandate_count(w->g->e) != w->m->count)
        FAIL(w, "there are %u mandates and not %d", engine_mandate_count(w->g->e), w->m->count);
    for (int i = 0; i < w->m->count; i++) {
        compare_one(w, i);
        compare_chain(w, i);
    }
}

/* --- one command -------------------------------------------------------------------------------------------------------- */
static void step(walk *w)
{
    mandate_error err = {0};
    engine_batch batch = {.seq = ++w->g->seq, .now_us = RIG_START + w->wall * SECOND};
    if (engine_step(w->g->e, &batch, &w->g->r, &err) != MANDATE_OK)
        FAIL(w, "%s", err.text);
    while (w->g->r.more) {
        engine_batch rest = {.seq = ++w->g->seq, .now_us = RIG_START + w->wall * SECOND};
        if (engine_step(w->g->e, &rest, &w->g->r, &err) != MANDATE_OK)
            FAIL(w, "%s", err.text);
    }
}

static void run(walk *w, const engine_command *c, life_outcome expected, const char *what, int at)
{
    engine_input in = {.kind = INPUT_COMMAND, .command = *c};
    mandate_error err = {0};
    engine_batch batch = {.seq = ++w->g->seq, .now_us = RIG_START + w->wall * SECOND, .inputs = &in, .count = 1};
    if (engine_step(w->g->e, &batch, &w->g->r, &err) != MANDATE_OK)
        FAIL(w, "%s", err.text);
    const engine_answer *a = &w->g->r.answers[0];
    life_outcome got = a->error.status ? LIFE_REFUSED : a->repeated ? LIFE_AGAIN : LIFE_DONE;
    if (got != expected)
        FAIL(w, "%s m-%d: outcome %d and not %d: %s", what, at, got, expected, a->error.text);
    outcomes[c->kind][got]++;
    for (uint32_t i = 0; i < a->budget_count; i++) {
        uint32_t handle = engine_mandate_find(w->g->e, a->budgets[i].mandate);
        if (a->budgets[i].spent.whole != (uint64_t)w->m->all[handle].spent || a->budgets[i].spent.part)
            FAIL(w, "%s m-%d: m-%u has spent %llu and not %lld", what, at, handle,
                 (unsigned long long)a->budgets[i].spent.whole, (long long)w->m->all[handle].spent);
        if (c->kind == COMMAND_SPEND && !a->repeated && amount_cmp(a->budgets[i].spent, a->budgets[i].max) > 0)
            FAIL(w, "m-%u is overdrawn", handle);
    }
    if (w->g->r.more)
        step(w);
}

/* Mostly one that has spent. */
static int pick_spender(walk *w)
{
    int at = (int)below(w, w->m->count);
    for (int i = 0; i < 30 && !w->m->all[at].key_count; i++)
        at = (int)below(w, w->m->count);
    return at;
}

/* Mostly one that lives. */
static int pick(walk *w)
{
    int at = (int)below(w, w->m->count);
    for (int i = 0; i < 6 && life_effective(w->m, at) > LIFE_SUSPENDED; i++)
        at = (int)below(w, w->m->count);
    return at;
}

static void do_issue(walk *w, bool successor)
{
    int supersedes = successor ? pick(w) : LIFE_NONE;
    int parent = successor ? w->m->all[supersedes].parent : w->m->count && !one_in(w, 4) ? pick(w) : LIFE_NONE;
    if (successor && one_in(w, 20))
        parent = pick(w);
    life_terms t = random_terms(w, parent == LIFE_NONE ? NULL : &w->m->all[parent].terms);
    if (parent != LIFE_NONE && t.depth_max >= w->m->all[parent].terms.depth_max && !one_in(w, 8))
        t.depth_max = w->m->all[parent].terms.depth_max - 1;
    if (t.depth_max < 0)
        t.depth_max = 0;
    bool delegates = parent != LIFE_NONE && one_in(w, 2);
    /* What a child leaves open is its parent's; of the audience that is so where it is delegated and not issued. */
    if (parent != LIFE_NONE && t.children_max == LIFE_NONE)
        t.children_max = w->m->all[parent].terms.children_max;
    if (parent != LIFE_NONE && !t.agents)
        t.agents = w->m->all[parent].terms.agents;
    if (delegates && !t.audience)
        t.audience = w->m->all[parent].terms.audience;
    for (int i = 0; i < LIFE_PROPERTIES; i++)
        if (delegates && !t.require[i])
            t.require[i] = w->m->all[parent].terms.require[i];
    claims *c = rig_claims(w->g, "m");
    c->id = name_of(w, w->m->count);
    put_terms(w, c, &t);
    put_clauses(w, c, &t);
    c->agent = one_name(w, "agent", t.agent);
    if (parent != LIFE_NONE)
        c->parent = name_of(w, parent);
    if (successor)
        c->supersedes = name_of(w, supersedes);
    life_outcome expected = life_issue(w->m, parent, supersedes, &t);
    engine_command issue = {.kind = COMMAND_ISSUE, .claims = c}, delegate = {.kind = COMMAND_DELEGATE, .claims = c};
    c->given = CLAIMS_GIVEN(ID) | CLAIMS_GIVEN(AGENT) | CLAIMS_GIVEN(ACTIONS) | CLAIMS_GIVEN(LIMITS) |
               CLAIMS_GIVEN(BUDGETS) | CLAIMS_GIVEN(EXPIRES_AT) | CLAIMS_GIVEN(MAX_DEPTH) | CLAIMS_GIVEN(DELEGATION) |
               CLAIMS_GIVEN(SUPERSEDES) | CLAIMS_GIVEN(REQUIRE) | (t.audience ? CLAIMS_GIVEN(AUDIENCE) : 0) |
               (t.while_on != LIFE_NONE ? CLAIMS_GIVEN(WHILE) : 0) | (t.until_on != LIFE_NONE ? CLAIMS_GIVEN(UNTIL) : 0) |
               (t.suspend_on != LIFE_NONE ? CLAIMS_GIVEN(SUSPEND_WHILE) : 0);
    if (parent != LIFE_NONE)
        delegate.mandate = c->parent;
    run(w, delegates ? &delegate : &issue, expected, "issue", w->m->count);
}

static void do_amend(walk *w, int at)
{
    life_terms t = random_terms(w, &w->m->all[at].terms);
    bool widen = one_in(w, 3), ends = one_in(w, 2);
    claims c = claims_nothing();
    if (!w->m->all[at].terms.budget)
        t.budget = 0;
    if (!t.budget)
        t.budget = w->m->all[at].terms.budget; /* an amendment cannot take one away */
    if (t.children_max == LIFE_NONE)
        t.children_max = w->m->all[at].terms.children_max; /* nor open what was bounded */
    if (!t.audience)
        t.audience = w->m->all[at].terms.audience;
    if (!t.agents)
        t.agents = w->m->all[at].terms.agents;
    for (int i = 0; i < LIFE_PROPERTIES; i++)
        if (!t.require[i])
            t.require[i] = w->m->all[at].terms.require[i]; /* nor drop what is required */
    t.agent = w->m->all[at].terms.agent;
    t.while_on = w->m->all[at].terms.while_on;
    t.until_on = w->m->all[at].terms.until_on;
    t.suspend_on = w->m->all[at].terms.suspend_on;
    put_terms(w, &c, &t);
    c.given = CLAIMS_GIVEN(ACTIONS) | CLAIMS_GIVEN(LIMITS) | CLAIMS_GIVEN(REQUIRE) | CLAIMS_GIVEN(EXPIRES_AT) |
              CLAIMS_GIVEN(MAX_DEPTH) | CLAIMS_GIVEN(DELEGATION) | (t.budget ? CLAIMS_GIVEN(BUDGETS) : 0) |
              (t.audience ? CLAIMS_GIVEN(AUDIENCE) : 0);
    life_outcome expected = life_amend(w->m, at, &t, widen, ends);
    engine_command amend = {.kind = COMMAND_AMEND, .mandate = name_of(w, at), .claims = &c, .widen = widen, .cascade = ends};
    run(w, &amend, expected, "amend", at);
}

static void do_spend(walk *w, int at, bool back)
{
    const life_mandate *own = &w->m->all[at];
    uint32_t kept = own->key_count < LIFE_KEYS ? own->key_count : LIFE_KEYS;
    bool old = kept && one_in(w, back ? 1 : 4);
    const life_key *known = old ? &own->keys[below(w, kept)] : NULL;
    uint32_t key = old ? known->key : w->next_key++;
    int64_t amount = old && !one_in(w, 3) ? known->amount : 1 + below(w, 25);
    engine_command c = {.kind = back ? COMMAND_UNSPEND : COMMAND_SPEND,
                        .mandate = name_of(w, at),
                        .budget = S("eur"),
                        .amount = {(uint64_t)amount, 0},
                        .key = arena_printf(&w->g->memory, "k-%u", key)};
    life_outcome expected = back ? life_unspend(w->m, at, key) : life_spend(w->m, at, amount, key);
    run(w, &c, expected, back ? "unspend" : "spend", at);
}

static void do_suspend(walk *w, int at)
{
    int64_t until = one_in(w, 2) ? w->m->now + below(w, 300) - 5 : 0;
    until = until < 0 ? 0 : until;
    engine_command c = {
        .kind = COMMAND_SUSPEND, .mandate = name_of(w, at), .until_us = until ? RIG_START + until * SECOND : 0};
    run(w, &c, life_suspend(w->m, at, until), "suspend", at);
}

static void do_simple(walk *w, int at, engine_command_kind kind)
{
    bool by_agent = !one_in(w, 4);
    engine_command c = {.kind = kind,
                        .mandate = name_of(w, at),
                        .principal = by_agent ? one_name(w, "agent", w->m->all[at].terms.agent) : S("agent:nobody")};
    life_outcome expected = kind == COMMAND_RESUME   ? life_resume(w->m, at)
                            : kind == COMMAND_REVOKE ? life_revoke(w->m, at)
                                                     : life_return(w->m, at, by_agent);
    run(w, &c, expected, engine_command_names[kind], at);
}

/* A second to a century, forwards and backwards; the engine's time only goes on. */
static void do_clock(walk *w)
{
    static const int64_t jumps[] = {1, 7, 60, 300, 3600, 86400, 31557600, CENTURY};
    int64_t by = jumps[below(w, one_in(w, 40) ? 8 : 4)];
    w->wall += one_in(w, 4) ? -by : by;
    if (w->wall < -CENTURY)
        w->wall = 0;
    life_clock(w->m, w->wall);
    step(w);
    compare_all(w);
}

/* Ids are "m-<number>". */
static int by_id(int a, int b)
{
    char x[16], y[16];
    snprintf(x, sizeof(x), "%d", a);
    snprintf(y, sizeof(y), "%d", b);
    return strcmp(x, y);
}

/* A business event, or what somebody says is one. */
static void do_event(walk *w)
{
    static const char *const words[] = {"", "open", "held", "done", "lost"};
    int on = (int)below(w, LIFE_CONVERSATIONS);
    life_status status = one_in(w, 3) ? IS_HELD : one_in(w, 5) ? IS_DONE : one_in(w, 5) ? IS_LOST : IS_OPEN;
    char name[8];
    snprintf(name, sizeof(name), "R-%d", on);
    change *ch = rig_upsert(w->g, CONVERSATION, name, CHANGE_NO_TIME);
    rig_set(w->g, ch, "status", STR(words[status]));
    engine_input in = rig_record(w->g, ch, 1);
    bool said = one_in(w, 2);
    if (said) {
        in.kind = INPUT_ASSERTED;
        in.command.principal = S("user:desk");
    }
    mandate_error err = {0};
    engine_batch batch = {.seq = ++w->g->seq, .now_us = RIG_START + w->wall * SECOND, .inputs = &in, .count = 1};
    life_event(w->m, on, status, by_id);
    if (engine_step(w->g->e, &batch, &w->g->r, &err) != MANDATE_OK)
        FAIL(w, "%s", err.text);
    for (uint32_t i = 0; i < w->g->r.transition_count; i++) {
        const transition *t = &w->g->r.transitions[i];
        reasons[t->reason]++;
        if ((t->principal.len != 0) != said)
            FAIL(w, "%.*s does not say who said so", MANDATE_SLICE_ARG(t->mandate));
    }
    if (w->g->r.more)
        step(w);
    compare_all(w);
}

static void restart(walk *w)
{
    uint8_t before[32], after[32];
    engine *again = rig_restored(w->g);
    if (engine_state_hash(w->g->e, before, NULL) || engine_state_hash(again, after, NULL) || memcmp(before, after, 32) != 0)
        FAIL(w, "another engine after a restart");
    engine_destroy(w->g->e);
    w->g->e = again;
    w->g->graph = again->graph;
    w->g->index = again->conditions;
}

static void one(walk *w)
{
    int64_t what = w->m->count ? below(w, 100) : 0;
    if (what < 26)
        do_issue(w, false);
    else if (what < 30)
        do_issue(w, true);
    else if (what < 46)
        do_amend(w, pick(w));
    else if (what < 64)
        do_spend(w, pick(w), false);
    else if (what < 72)
        do_spend(w, pick_spender(w), true);
    else if (what < 80)
        do_suspend(w, pick(w));
    else if (what < 87)
        do_simple(w, pick(w), COMMAND_RESUME);
    else if (what < 90)
        do_simple(w, pick(w), COMMAND_REVOKE);
    else if (what < 92)
        do_simple(w, pick(w), COMMAND_RETURN);
    else if (what < 96)
        do_event(w);
    else
        do_clock(w);
}

static uint64_t run_walk(uint64_t seed)
{
    void *state;
    walk w = {.seed = seed, .rng = seed * UINT64_C(0x9E3779B97F4A7C15) + 1, .m = calloc(1, sizeof(life_model))};
    rig_engine(&state);
    w.g = state;
    for (int i = 0; i < WALK_STEPS; i++) {
        one(&w);
        if (w.m->count)
            compare_one(&w, pick(&w));
        if (i % 50 == 49) {
            compare_all(&w);
            restart(&w);
            arena_reset(&w.g->memory);
        }
    }
    free(w.m);
    rig_deinit(&state);
    return WALK_STEPS;
}

int main(int argc, char **argv)
{
    uint64_t steps = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000, seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    uint64_t done = 0;
    for (; done < steps; seed++)
        done += run_walk(seed);
    for (int k = 0; k < COMMAND_COUNT; k++)
        if (k <= COMMAND_UNSPEND) {
            printf("%-9s %7llu done %7llu again %7llu refused\n", engine_command_names[k],
                   (unsigned long long)outcomes[k][LIFE_DONE], (unsigned long long)outcomes[k][LIFE_AGAIN],
                   (unsigned long long)outcomes[k][LIFE_REFUSED]);
            if (steps >= 20000 && (outcomes[k][LIFE_DONE] < steps / 2000 || outcomes[k][LIFE_REFUSED] < steps / 2000))
                return fprintf(stderr, "%s was hardly tried\n", engine_command_names[k]), 1;
        }
    static const mandate_reason tried[] = {REASON_WHILE_FALSE, REASON_UNTIL_TRUE, REASON_SUSPEND_WHILE_TRUE,
                                           REASON_CONDITIONS_CLEAR, REASON_ANCESTOR_ENDED};
    for (size_t i = 0; i < sizeof(tried) / sizeof(*tried); i++) {
        printf("%-20s %7llu by events\n", mandate_reason_name(tried[i]), (unsigned long long)reasons[tried[i]]);
        if (steps >= 20000 && reasons[tried[i]] < steps / 4000)
            return fprintf(stderr, "%s was hardly tried\n", mandate_reason_name(tried[i])), 1;
    }
    if (steps >= 20000 && (with_audience < steps / 100 || with_agents < steps / 100 || with_values < steps / 100))
        return fprintf(stderr, "audiences, agents and values were hardly tried\n"), 1;
    printf("%llu steps as the model says\n", (unsigned long long)done);
    return 0;
}

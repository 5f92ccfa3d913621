/* SPDX-License-Identifier: Apache-2.0 */
/* life_model - see life_model.h. */
#include "tests/model/life_model.h"

#include <assert.h>
#include <string.h>

static bool final(life_state s) { return s != LIFE_ACTIVE && s != LIFE_SUSPENDED; }

static void become(life_model *m, int at, life_state s)
{
    m->all[at].state = s;
    m->all[at].version++;
    if (s != LIFE_SUSPENDED) {
        m->all[at].resume_at = 0;
        m->all[at].by_command = m->all[at].by_clause = false;
    }
}

/* Whatever hangs below falls: what has expired by then says so. */
static void fall(life_model *m, int root)
{
    for (int i = root + 1; i < m->count; i++) { /* parents come before their children */
        life_mandate *c = &m->all[i];
        if (c->parent == LIFE_NONE || final(c->state))
            continue;
        bool below = false;
        for (int p = c->parent; p != LIFE_NONE; p = m->all[p].parent)
            below |= p == root;
        if (below)
            become(m, i, c->terms.expires_at <= m->now ? LIFE_EXPIRED : LIFE_CASCADED);
    }
}

static void end(life_model *m, int at, life_state s)
{
    become(m, at, s);
    fall(m, at);
}

void life_clock(life_model *m, int64_t now)
{
    for (;;) {
        int64_t due = INT64_MAX;
        for (int i = 0; i < m->count; i++) {
            const life_mandate *c = &m->all[i];
            if (final(c->state))
                continue;
            if (c->terms.expires_at < due)
                due = c->terms.expires_at;
            if (c->resume_at && c->resume_at < due)
                due = c->resume_at;
        }
        if (due > now)
            break;
        m->now = due > m->now ? due : m->now;
        for (int i = 0; i < m->count; i++) /* an end comes before anything else */
            if (!final(m->all[i].state) && m->all[i].terms.expires_at <= due)
                end(m, i, LIFE_EXPIRED);
        for (int i = 0; i < m->count; i++)
            if (m->all[i].state == LIFE_SUSPENDED && m->all[i].resume_at && m->all[i].resume_at <= due) {
                m->all[i].resume_at = 0;
                m->all[i].by_command = false;
                if (!m->all[i].by_clause)
                    become(m, i, LIFE_ACTIVE);
            }
    }
    if (now > m->now)
        m->now = now;
}

life_state life_effective(const life_model *m, int at)
{
    const life_mandate *c = &m->all[at];
    bool suspended = c->state == LIFE_SUSPENDED;
    if (final(c->state))
        return c->state;
    if (c->terms.expires_at <= m->now)
        return LIFE_EXPIRED;
    for (int p = c->parent; p != LIFE_NONE; p = m->all[p].parent) {
        if (final(m->all[p].state) || m->all[p].terms.expires_at <= m->now)
            return LIFE_CASCADED;
        suspended |= m->all[p].state == LIFE_SUSPENDED;
    }
    return suspended ? LIFE_SUSPENDED : LIFE_ACTIVE;
}

static int live_children(const life_model *m, int at)
{
    int n = 0;
    for (int i = 0; i < m->count; i++)
        n += m->all[i].parent == at && !final(m->all[i].state);
    return n;
}

/* All but depth. */
static bool within(const life_terms *a, const life_terms *b)
{
    for (int i = 0; i < LIFE_PROPERTIES; i++)
        if (b->require[i] && (!a->require[i] || a->require[i] & ~b->require[i]))
            return false;
    return !(a->actions & ~b->actions) && a->limit <= b->limit && a->expires_at <= b->expires_at &&
           (!a->budget || !b->budget || a->budget <= b->budget) &&
           (b->children_max == LIFE_NONE || (a->children_max != LIFE_NONE && a->children_max <= b->children_max)) &&
           (!b->audience || (a->audience && !(a->audience & ~b->audience))) &&
           (!b->agents || (a->agents && !(a->agents & ~b->agents)));
}

static bool child_of(const life_terms *a, const life_terms *b)
{
    return within(a, b) && a->depth_max < b->depth_max && (!b->agents || (b->agents >> a->agent & 1));
}

/* --- conditions ------------------------------------------------------------------------------------------------------ */
static life_status seen(const life_model *m, int on) { return on == LIFE_NONE ? IS_UNSEEN : m->status[on]; }
static bool while_broke(const life_model *m, const life_terms *t)
{
    life_status s = seen(m, t->while_on);
    return s == IS_DONE || s == IS_LOST;
}
static bool until_came(const life_model *m, const life_terms *t) { return seen(m, t->until_on) == IS_DONE; }
static bool is_held(const life_model *m, const life_terms *t) { return seen(m, t->suspend_on) == IS_HELD; }

static void look(life_model *m, int at)
{
    life_mandate *c = &m->all[at];
    bool held = is_held(m, &c->terms);
    if (while_broke(m, &c->terms)) {
        end(m, at, LIFE_REVOKED);
    } else if (until_came(m, &c->terms)) {
        end(m, at, LIFE_COMPLETED);
    } else if (held != c->by_clause) {
        c->by_clause = held;
        if (c->state == LIFE_ACTIVE || !(c->by_clause || c->by_command))
            become(m, at, held ? LIFE_SUSPENDED : LIFE_ACTIVE);
    }
}

void life_event(life_model *m, int conversation, life_status status, int (*order)(int a, int b))
{
    static int list[LIFE_MANDATES];
    int n = 0;
    m->status[conversation] = status;
    for (int i = 0; i < m->count; i++) {
        const life_terms *t = &m->all[i].terms;
        if (t->while_on != conversation && t->until_on != conversation && t->suspend_on != conversation)
            continue;
        int k = n++;
        for (; k > 0 && order(i, list[k - 1]) < 0; k--)
            list[k] = list[k - 1];
        list[k] = i;
    }
    for (int i = 0; i < n; i++)
        if (!final(m->all[list[i]].state)) /* an earlier one may have been its ancestor */
            look(m, list[i]);
}

life_outcome life_issue(life_model *m, int parent, int supersedes, const life_terms *t)
{
    if (t->expires_at <= m->now || while_broke(m, t) || until_came(m, t))
        return LIFE_REFUSED;
    if (supersedes != LIFE_NONE && (final(life_effective(m, supersedes)) || m->all[supersedes].parent != parent))
        return LIFE_REFUSED;
    if (parent != LIFE_NONE) {
        const life_terms *p = &m->all[parent].terms;
        int live = live_children(m, parent) - (supersedes != LIFE_NONE);
        if (life_effective(m, parent) != LIFE_ACTIVE || !child_of(t, p) ||
            (p->children_max != LIFE_NONE && live >= p->children_max))
            return LIFE_REFUSED;
    }
    if (supersedes != LIFE_NONE)
        end(m, supersedes, LIFE_SUPERSEDED);
    assert(m->count < LIFE_MANDATES);
    m->all[m->count++] = (life_mandate){.terms = *t, .state = LIFE_ACTIVE, .parent = parent, .version = 1};
    look(m, m->count - 1);
    return LIFE_DONE;
}

life_outcome life_amend(life_model *m, int at, const life_terms *t, bool widen, bool cascade)
{
    life_mandate *c = &m->all[at];
    const life_terms old = c->terms;
    if (final(life_effective(m, at)))
        return LIFE_REFUSED;
    if (!old.budget != !t->budget)
        return LIFE_REFUSED;
    if (t->actions == old.actions && t->limit == old.limit && t->budget == old.budget && t->expires_at == old.expires_at &&
        t->depth_max == old.depth_max && t->children_max == old.children_max && t->audience == old.audience &&
        t->agents == old.agents && memcmp(t->require, old.require, sizeof(t->require)) == 0)
        return LIFE_AGAIN;
    if (t->expires_at <= m->now || (!widen && !(within(t, &old) && t->depth_max <= old.depth_max)))
        return LIFE_REFUSED;
    if (c->parent != LIFE_NONE && !child_of(t, &m->all[c->parent].terms))
        return LIFE_REFUSED;
    int staying = 0;
    for (int i = 0; i < m->count; i++) {
        if (m->all[i].parent != at || final(m->all[i].state))
            continue;
        if (child_of(&m->all[i].terms, t))
            staying++;
        else if (!cascade)
            return LIFE_REFUSED;
    }
    if (t->children_max != LIFE_NONE && staying > t->children_max)
        return LIFE_REFUSED;
    c->terms = *t;
    c->version++;
    for (int i = 0; i < m->count; i++)
        if (m->all[i].parent == at && !final(m->all[i].state) && !child_of(&m->all[i].terms, t))
            end(m, i, LIFE_REVOKED);
    return LIFE_DONE;
}

life_outcome life_suspend(life_model *m, int at, int64_t until)
{
    life_mandate *c = &m->all[at];
    if (final(life_effective(m, at)) || (until && until <= m->now))
        return LIFE_REFUSED;
    bool moved = c->by_command && c->resume_at != until;
    c->resume_at = until;
    c->by_command = true;
    if (c->state == LIFE_SUSPENDED && !moved)
        return LIFE_DONE;
    c->state = LIFE_SUSPENDED;
    c->version++;
    return LIFE_DONE;
}

life_outcome life_resume(life_model *m, int at)
{
    life_mandate *c = &m->all[at];
    if (final(life_effective(m, at)) || c->state != LIFE_SUSPENDED || !c->by_command)
        return LIFE_REFUSED; /* what its clause says is not for a command */
    c->by_command = false;
    c->resume_at = 0;
    if (!c->by_clause)
        become(m, at, LIFE_ACTIVE);
    return LIFE_DONE;
}

life_outcome life_revoke(life_model *m, int at)
{
    if (final(life_effective(m, at)))
        return LIFE_REFUSED;
    end(m, at, LIFE_REVOKED);
    return LIFE_DONE;
}

life_outcome life_return(life_model *m, int at, bool by_agent)
{
    if (!by_agent || final(life_effective(m, at)))
        return LIFE_REFUSED;
    end(m, at, LIFE_COMPLETED);
    return LIFE_DONE;
}

static life_key *key_of(life_mandate *c, uint32_t key)
{
    uint32_t kept = c->key_count < LIFE_KEYS ? c->key_count : LIFE_KEYS;
    for (uint32_t i = 0; i < kept; i++)
        if (c->keys[i].key == key)
            return &c->keys[i];
    return 0;
}

life_outcome life_spend(life_model *m, int at, int64_t amount, uint32_t key)
{
    life_mandate *c = &m->all[at];
    const life_key *before = key_of(c, key);
    bool any = false;
    if (before)
        return before->undone || before->amount != amount ? LIFE_REFUSED : LIFE_AGAIN;
    if (life_effective(m, at) != LIFE_ACTIVE)
        return LIFE_REFUSED;
    for (int p = at; p != LIFE_NONE; p = m->all[p].parent) {
        any |= m->all[p].terms.budget != 0;
        if (m->all[p].terms.budget && m->all[p].spent + amount > m->all[p].terms.budget)
            return LIFE_REFUSED;
    }
    if (!any)
        return LIFE_REFUSED;
    for (int p = at; p != LIFE_NONE; p = m->all[p].parent)
        if (m->all[p].terms.budget)
            m->all[p].spent += amount;
    c->keys[c->key_count++ % LIFE_KEYS] = (life_key){amount, key, false};
    return LIFE_DONE;
}

life_outcome life_unspend(life_model *m, int at, uint32_t key)
{
    life_key *before = key_of(&m->all[at], key);
    if (!before)
        return LIFE_REFUSED;
    if (before->undone)
        return LIFE_AGAIN;
    before->undone = true;
    for (int p = at; p != LIFE_NONE; p = m->all[p].parent)
        if (m->all[p].terms.budget)
            m->all[p].spent -= before->amount;
    return LIFE_DONE;
}

bool life_exhausted(const life_model *m, int at)
{
    return m->all[at].terms.budget && m->all[at].spent >= m->all[at].terms.budget;
}

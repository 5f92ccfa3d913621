/* SPDX-License-Identifier: Apache-2.0 */
/* model - entities, mandates and time, the naive way. See model.h. */
#include "tests/model/model.h"

#include <assert.h>
#include <string.h>

void model_init(model *m, int64_t now)
{
    memset(m, 0, sizeof(*m));
    m->now = now;
}

static bool is_final(m_state s) { return s != S_ACTIVE && s != S_SUSPENDED; }

m_state model_effective(const model *m, int i)
{
    const m_mandate *x = &m->mandate[i];
    bool suspended = x->state == S_SUSPENDED;
    if (is_final(x->state))
        return x->state;
    if (m->now >= x->expires)
        return S_EXPIRED;
    for (int p = x->parent; p >= 0; p = m->mandate[p].parent) {
        if (is_final(m->mandate[p].state) || m->now >= m->mandate[p].expires)
            return S_CASCADED;
        suspended |= m->mandate[p].state == S_SUSPENDED;
    }
    return suspended ? S_SUSPENDED : S_ACTIVE;
}

static bool descends(const model *m, int i, int root)
{
    for (int p = m->mandate[i].parent; p >= 0; p = m->mandate[p].parent)
        if (p == root)
            return true;
    return false;
}

static void end(model *m, int i, m_state to)
{
    m_mandate *x = &m->mandate[i];
    int64_t at = m->now;
    if (m->now >= x->expires) {
        to = S_EXPIRED;
        at = x->expires;
    }
    x->state = to;
    x->version++;
    for (int d = 0; d < m->count; d++)
        if (descends(m, d, i) && !is_final(m->mandate[d].state) && !m->mandate[d].doomed) {
            m->mandate[d].doomed = true;
            m->mandate[d].doomed_at = at;
        }
}

static void review(model *m, int i)
{
    m_mandate *x = &m->mandate[i];
    bool unknown = false, error = false;
    if (x->clause[0].present && x->truth[0] == M_FALSE) {
        end(m, i, S_REVOKED);
        return;
    }
    if (x->clause[1].present && x->truth[1] == M_TRUE) {
        end(m, i, S_COMPLETED);
        return;
    }
    for (int c = 0; c < 3; c++) {
        unknown |= x->clause[c].present && x->truth[c] == M_UNKNOWN;
        error |= x->clause[c].present && x->truth[c] == M_ERROR;
    }
    if (!x->clause[2].present || x->truth[2] == M_FALSE)
        x->by_clause = false;
    else if (x->truth[2] == M_TRUE)
        x->by_clause = true;
    if (error)
        x->by_error = true;
    if (!unknown) {
        x->by_unknown = false;
        x->grace_at = -1;
    } else if (x->suspend_on_unknown && !x->by_unknown && x->grace_at < 0) {
        if (x->grace == 0)
            x->by_unknown = true;
        else
            x->grace_at = m->now + x->grace;
    }
    bool held = x->by_command || x->by_clause || x->by_unknown || x->by_error;
    if (held != (x->state == S_SUSPENDED)) {
        x->state = held ? S_SUSPENDED : S_ACTIVE;
        x->version++;
    }
}

static void order_add(model *m, int i)
{
    int at = i;
    for (; at > 0 && strcmp(m->mandate[m->order[at - 1]].id, m->mandate[i].id) > 0; at--)
        m->order[at] = m->order[at - 1];
    m->order[at] = i;
}

static void settle_watches(model *m)
{
    for (int i = 0; i < m->watches; i++) {
        m_watch *w = &m->watch[i];
        m_truth t = w->exists ? model_truth(m, &w->condition) : w->truth;
        if (t == w->truth)
            continue;
        assert(m->flips < MODEL_FLIPS);
        m->flip[m->flips++] = (m_flip){i, ++w->version, t, w->truth, m->now};
        w->truth = t;
    }
}

int model_watch_find(const model *m, int name)
{
    for (int i = 0; i < m->watches; i++)
        if (m->watch[i].exists && m->watch[i].name == name)
            return i;
    return -1;
}

bool model_watch(model *m, int name, const m_condition *c, bool *repeated)
{
    int i = model_watch_find(m, name);
    *repeated = false;
    if (i >= 0) {
        *repeated = memcmp(&m->watch[i].condition, c, sizeof(*c)) == 0;
        return *repeated;
    }
    assert(m->watches < MODEL_WATCHES);
    m->watch[m->watches++] = (m_watch){true, name, *c, model_truth(m, c), 1};
    return true;
}

bool model_unwatch(model *m, int name)
{
    int i = model_watch_find(m, name);
    if (i >= 0)
        m->watch[i].exists = false;
    return i >= 0;
}

/* Evaluates everything; those whose clause values changed are looked at. */
static void settle(model *m)
{
    settle_watches(m);
    bool changed[MODEL_MANDATES] = {false};
    for (int i = 0; i < m->count; i++) {
        m_mandate *x = &m->mandate[i];
        if (is_final(x->state))
            continue;
        for (int c = 0; c < 3; c++) {
            m_truth t = x->clause[c].present ? model_truth(m, &x->clause[c]) : M_FALSE;
            changed[i] |= x->clause[c].present && t != x->truth[c];
            x->truth[c] = t;
        }
    }
    for (int k = 0; k < m->count; k++) {
        int i = m->order[k];
        if (changed[i] && !m->mandate[i].doomed && !is_final(m->mandate[i].state))
            review(m, i);
    }
}

void model_advance(model *m, int64_t to)
{
    while (m->now < to) {
        m->now++;
        for (int k = 0; k < m->count; k++) {
            int i = m->order[k];
            if (!is_final(m->mandate[i].state) && !m->mandate[i].doomed && m->mandate[i].expires == m->now)
                end(m, i, S_EXPIRED);
        }
        for (int k = 0; k < m->count; k++) {
            int i = m->order[k];
            m_mandate *x = &m->mandate[i];
            if (is_final(x->state) || x->grace_at != m->now)
                continue;
            x->grace_at = -1;
            if (x->doomed)
                continue;
            x->by_unknown = true;
            review(m, i);
        }
        settle(m);
    }
}

/* --- changes --------------------------------------------------------------------------------------------- */
static bool held_by_newer(const m_cell *c, const m_change *ch)
{
    return c->told && c->source == ch->source && c->time >= 0 && ch->time >= 0 && c->time > ch->time;
}

static void set(m_cell *c, const m_change *ch, m_kind kind, int v)
{
    *c = (m_cell){.kind = kind, .v = v, .told = true, .source = ch->source, .time = ch->time};
}

static bool any_newer(const m_entity *e, const m_change *ch)
{
    for (int f = 0; f < F_COUNT; f++)
        if (held_by_newer(&e->cell[f], ch))
            return true;
    return false;
}

static void apply(model *m, const m_change *ch)
{
    m_entity *e = &m->entity[ch->type][ch->entity];
    if (ch->op == O_FORGET_TYPE) {
        for (int i = 0; i < MODEL_ENTITIES; i++)
            for (int f = 0; f < F_COUNT; f++) {
                m_cell *c = &m->entity[ch->type][i].cell[f];
                if (!c->told || c->source != ch->source || held_by_newer(c, ch))
                    continue;
                set(c, ch, V_UNSET, 0);
                m->entity[ch->type][i].status = E_EXISTS;
            }
        return;
    }
    if (ch->op != O_UPSERT) {
        if (any_newer(e, ch))
            return;
        for (int f = 0; f < F_COUNT; f++)
            set(&e->cell[f], ch, ch->op == O_DELETE ? V_NULL : V_UNSET, 0);
        e->status = ch->op == O_DELETE ? E_ABSENT : E_EXISTS;
        return;
    }
    if (e->status == E_ABSENT) {
        if (any_newer(e, ch))
            return;
        for (int f = 0; f < F_COUNT; f++)
            set(&e->cell[f], ch, V_UNSET, 0);
    }
    e->status = E_EXISTS;
    for (int i = 0; i < ch->count; i++)
        if (!held_by_newer(&e->cell[ch->set[i].field], ch))
            set(&e->cell[ch->set[i].field], ch, ch->set[i].kind, ch->set[i].v);
}

void model_change(model *m, const m_change *ch)
{
    apply(m, ch);
    settle(m);
}

void model_source(model *m, int source, bool down)
{
    m->down[source] = down;
    settle(m);
}

/* --- commands -------------------------------------------------------------------------------------------- */
bool model_issue(model *m, const m_mandate *claims)
{
    m_mandate x = *claims;
    if (x.expires <= m->now || (x.parent >= 0 && model_effective(m, x.parent) != S_ACTIVE))
        return false;
    for (int c = 0; c < 3; c++)
        x.truth[c] = x.clause[c].present ? model_truth(m, &x.clause[c]) : M_FALSE;
    if ((x.clause[0].present && x.truth[0] == M_FALSE) || (x.clause[1].present && x.truth[1] == M_TRUE))
        return false;
    x.exists = true;
    x.state = S_ACTIVE;
    x.version = 1;
    x.grace_at = -1;
    x.doomed = x.by_command = x.by_clause = x.by_unknown = x.by_error = false;
    m->mandate[m->count] = x;
    order_add(m, m->count++);
    review(m, m->count - 1);
    return true;
}

static bool touchable(const model *m, int i) { return !is_final(model_effective(m, i)); }

bool model_revoke(model *m, int i)
{
    if (!touchable(m, i))
        return false;
    end(m, i, S_REVOKED);
    return true;
}

bool model_suspend(model *m, int i)
{
    m_mandate *x = &m->mandate[i];
    if (!touchable(m, i))
        return false;
    x->by_command = true;
    if (x->state == S_ACTIVE) {
        x->state = S_SUSPENDED;
        x->version++;
    }
    return true;
}

bool model_resume(model *m, int i)
{
    m_mandate *x = &m->mandate[i];
    bool error = false;
    if (!touchable(m, i) || x->state != S_SUSPENDED || !(x->by_command || x->by_error))
        return false;
    for (int c = 0; c < 3; c++)
        error |= x->clause[c].present && x->truth[c] == M_ERROR;
    if (x->by_error && error)
        return false;
    x->by_command = x->by_error = false;
    if (!x->by_clause && !x->by_unknown) {
        x->state = S_ACTIVE;
        x->version++;
    }
    return true;
}

void model_batch_end(model *m)
{
    for (int i = 0; i < m->count; i++) {
        m_mandate *x = &m->mandate[i];
        if (!x->doomed || is_final(x->state))
            continue;
        x->state = x->expires <= x->doomed_at ? S_EXPIRED : S_CASCADED;
        x->version++;
    }
}

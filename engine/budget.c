/* SPDX-License-Identifier: Apache-2.0 */
/*
 * budget - numbers that are drawn down. A mandate's claims say how much there may be spent under each name; its ledger how much
 * was, and which of its last spends had which key.
 *
 * A spend draws on the budget of that name of the mandate and of every ancestor that has one, all or none: so no budget is ever
 * overdrawn, whoever spends it. Which mandates have a budget of a name never changes (an amendment adds none), so giving a spend
 * back reaches exactly those it was drawn from. A key names a spend for as long as it is among the last LIMIT_SPENDS of its
 * mandate: said again it is answered as the first time, also when the mandate has ended since.
 */
#include "engine/command_int.h"

#include <stdlib.h>

/* --- ledgers --------------------------------------------------------------------------------------------------------- */
static mandate_slice own(mandate_slice s)
{
    char *copy = malloc(s.len + 1);
    if (copy)
        memcpy(copy, s.ptr, s.len);
    return mandate_slice_of(copy, s.len);
}

void ledger_free(ledger *l)
{
    for (uint32_t i = 0; i < l->lines.len; i++)
        free((void *)(uintptr_t)l->lines.data[i].name.ptr);
    for (uint32_t i = 0; i < l->spends.len; i++)
        free((void *)(uintptr_t)l->spends.data[i].key.ptr);
    VEC_FREE(&l->lines);
    VEC_FREE(&l->spends);
}

ledger *ledger_of(const engine *e, uint32_t handle)
{
    const mandate_more *more = mandate_more_of(e, handle);
    return more && more->ledger ? &e->ledgers.data[more->ledger - 1] : NULL;
}

ledger *ledger_make(engine *e, uint32_t handle)
{
    mandate_more *more = mandate_more_make(e, handle);
    if (more && !more->ledger && VEC_PUSH(&e->ledgers, (ledger){.next = 0}))
        more->ledger = e->ledgers.len;
    return more && more->ledger ? &e->ledgers.data[more->ledger - 1] : NULL;
}

static ledger_line *line_of(const ledger *l, mandate_slice name)
{
    for (uint32_t i = 0; l && i < l->lines.len; i++)
        if (mandate_slice_eq(l->lines.data[i].name, name))
            return &l->lines.data[i];
    return NULL;
}

bool ledger_add_line(ledger *l, mandate_slice name, budget_amount spent)
{
    mandate_slice copy = own(name);
    if (copy.ptr && VEC_PUSH(&l->lines, (ledger_line){copy, spent}))
        return true;
    free((void *)(uintptr_t)copy.ptr);
    return false;
}

bool ledger_add_spend(ledger *l, const ledger_spend *s)
{
    ledger_spend copy = *s;
    copy.key = own(s->key);
    if (!copy.key.ptr)
        return false;
    if (l->spends.len < LIMIT_SPENDS) {
        if (VEC_PUSH(&l->spends, copy))
            return true;
        free((void *)(uintptr_t)copy.key.ptr);
        return false;
    }
    free((void *)(uintptr_t)l->spends.data[l->next].key.ptr); /* the oldest is forgotten */
    l->spends.data[l->next] = copy;
    l->next = (l->next + 1) % LIMIT_SPENDS;
    return true;
}

static ledger_spend *spend_of(const ledger *l, mandate_slice key)
{
    for (uint32_t i = 0; l && i < l->spends.len; i++)
        if (mandate_slice_eq(l->spends.data[i].key, key))
            return &l->spends.data[i];
    return NULL;
}

static const claims_budget *budget_of(const allowance *a, mandate_slice name)
{
    for (uint32_t i = 0; i < a->count; i++)
        if (mandate_slice_eq(a->budgets[i].name, name))
            return &a->budgets[i];
    return NULL;
}

static budget_amount spent_of(const engine *e, uint32_t handle, mandate_slice name)
{
    const ledger_line *line = line_of(ledger_of(e, handle), name);
    return line ? line->spent : (budget_amount){0, 0};
}

/* Is nothing left of any of its own? What the view is told. */
static bool note_exhaustion(engine *e, uint32_t handle, const claims_budget *budgets, uint32_t count)
{
    bool exhausted = false;
    for (uint32_t i = 0; i < count; i++)
        exhausted |= amount_cmp(spent_of(e, handle, budgets[i].name), budgets[i].max) >= 0;
    mandate_more *more = mandate_more_make(e, handle);
    if (!more)
        return false;
    more->exhausted = exhausted;
    return mandate_touch(e, handle);
}

bool budget_amended(engine *e, uint32_t handle, const claims *c)
{
    return c->budget_count == 0 || note_exhaustion(e, handle, c->budgets, c->budget_count);
}

/* --- the chain --------------------------------------------------------------------------------------------------------- */
/* Everybody of the chain who has a budget of this name, from the mandate up. */
typedef struct chain {
    engine *e;
    mandate_slice name;
    VEC(uint32_t) handles;
    VEC(budget_amount) max; /* of each */
} chain;

static void chain_deinit(chain *c)
{
    VEC_FREE(&c->handles);
    VEC_FREE(&c->max);
}

static bool chain_find(chain *c, uint32_t handle)
{
    for (; handle != MANDATE_NONE; handle = parent_of(c->e, handle)) {
        const allowance *a = allowance_of(c->e, handle);
        if (!a)
            return false;
        const claims_budget *b = budget_of(a, c->name);
        if (b && (!VEC_PUSH(&c->handles, handle) || !VEC_PUSH(&c->max, b->max)))
            return engine_fail(c->e, "out of memory while spending");
    }
    return true;
}

/* Draws (or gives back) the budget_amount from all; that it fits was checked. */
static bool chain_move(const chain *c, budget_amount x, bool back)
{
    for (uint32_t i = 0; i < c->handles.len; i++) {
        ledger *l = ledger_make(c->e, c->handles.data[i]);
        ledger_line *line = l ? line_of(l, c->name) : NULL;
        if (l && !line && ledger_add_line(l, c->name, (budget_amount){0, 0}))
            line = line_of(l, c->name);
        if (!line)
            return engine_fail(c->e, "out of memory while spending");
        if (back)
            line->spent = amount_less(line->spent, x);
        else if (!amount_add(&line->spent, x))
            return engine_fail(c->e, "a budget beyond its range");
        const allowance *a = allowance_of(c->e, c->handles.data[i]);
        if (!a || !note_exhaustion(c->e, c->handles.data[i], a->budgets, a->count))
            return false;
    }
    return true;
}

/* What is left of each, in the answer. */
static bool chain_tell(const chain *c, engine_answer *a)
{
    engine_budget *out = ARENA_ARRAY(&c->e->memory, engine_budget, c->handles.len + 1);
    if (!out)
        return engine_fail(c->e, "out of memory while spending");
    for (uint32_t i = 0; i < c->handles.len; i++) {
        budget_amount max = c->max.data[i], spent = spent_of(c->e, c->handles.data[i], c->name);
        out[i] = (engine_budget){mandate_id(c->e, c->handles.data[i]), max, spent, amount_less(max, spent)};
    }
    a->budgets = out;
    a->budget_count = c->handles.len;
    return true;
}

static bool is_full(const ledger *l, mandate_slice name)
{
    return l && l->lines.len >= LIMIT_LEDGER_LINES && !line_of(l, name);
}

static mandate_status check_fits(const chain *c, budget_amount x, mandate_error *err)
{
    char asked[AMOUNT_TEXT_MAX], has[AMOUNT_TEXT_MAX];
    for (uint32_t i = 0; i < c->handles.len; i++) {
        budget_amount max = c->max.data[i], spent = spent_of(c->e, c->handles.data[i], c->name);
        budget_amount left = amount_less(max, spent), sum = spent;
        if (is_full(ledger_of(c->e, c->handles.data[i]), c->name))
            return mandate_error_set(err, MANDATE_LIMIT, "a mandate draws on %d budgets at most", LIMIT_LEDGER_LINES);
        mandate_slice id = mandate_id(c->e, c->handles.data[i]);
        if (amount_add(&sum, x) && amount_cmp(sum, max) <= 0)
            continue;
        amount_format(asked, x);
        amount_format(has, left);
        return mandate_error_set(err, MANDATE_CONFLICT, "budget \"%.*s\" of \"%.*s\" has %s left, and %s is asked for",
                                 MANDATE_SLICE_ARG(c->name), MANDATE_SLICE_ARG(id), has, asked);
    }
    return MANDATE_OK;
}

/* --- the commands -------------------------------------------------------------------------------------------------------- */
static mandate_status check_spend(const engine_command *c, mandate_error *err)
{
    mandate_status s = claims_check_id(c->key, "key", true, err);
    if (!s && c->key.len > LIMIT_SPEND_KEY)
        s = mandate_error_set(err, MANDATE_LIMIT, "\"key\" has %zu bytes, at most %d are allowed", c->key.len,
                              LIMIT_SPEND_KEY);
    if (s || c->kind == COMMAND_UNSPEND)
        return s;
    s = claims_check_id(c->budget, "name", true, err);
    if (!s && amount_is_zero(c->amount))
        s = mandate_error_set(err, MANDATE_INVALID, "\"amount\" must be more than nothing");
    return s;
}

static mandate_status check_active(engine *e, uint32_t handle, mandate_error *err)
{
    uint32_t because;
    mandate_state state = engine_effective_state(e, handle, e->batch_now_us, &because);
    mandate_slice id = mandate_id(e, handle), why = mandate_id(e, because);
    if (state == STATE_ACTIVE)
        return MANDATE_OK;
    return mandate_error_set(err, MANDATE_CONFLICT, "\"%.*s\" is %s%s%.*s: only an active mandate spends",
                             MANDATE_SLICE_ARG(id), mandate_state_name(state), because == handle ? "" : " because of ",
                             because == handle ? 0 : (int)why.len, why.ptr);
}

/* Was it spent with this key before? Then the answer is settled. */
static bool answer_again(const ledger *l, const ledger_spend *s, const engine_command *c, engine_answer *a)
{
    bool same = mandate_slice_eq(l->lines.data[s->line].name, c->budget) && amount_cmp(s->amount, c->amount) == 0;
    if (s->undone)
        mandate_error_set(&a->error, MANDATE_CONFLICT, "what was spent with key \"%.*s\" was given back: use another key",
                          MANDATE_SLICE_ARG(c->key));
    else if (!same)
        mandate_error_set(&a->error, MANDATE_CONFLICT, "key \"%.*s\" was used for another spend: use another key",
                          MANDATE_SLICE_ARG(c->key));
    a->repeated = !a->error.status;
    return true;
}

static bool spend_new(engine *e, uint32_t handle, const engine_command *c, const chain *all)
{
    if (!chain_move(all, c->amount, false))
        return false;
    ledger *l = ledger_make(e, handle);
    if (l && !line_of(l, c->budget) &&
        !ledger_add_line(l, c->budget, (budget_amount){0, 0})) /* an ancestor's alone: a name to point to */
        l = NULL;
    if (!l)
        return engine_fail(e, "out of memory while spending");
    ledger_spend s = {c->key, c->amount, (uint32_t)(line_of(l, c->budget) - l->lines.data), false};
    return (ledger_add_spend(l, &s) && mandate_touch(e, handle)) || engine_fail(e, "out of memory while spending");
}

static bool run_spend(engine *e, uint32_t handle, const engine_command *c, engine_answer *a)
{
    const ledger *l = ledger_of(e, handle);
    const ledger_spend *before = spend_of(l, c->key);
    chain all = {.e = e, .name = c->budget};
    bool ok = chain_find(&all, handle);
    if (ok && before)
        ok = answer_again(l, before, c, a);
    else if (ok && all.handles.len == 0)
        mandate_error_set(&a->error, MANDATE_INVALID,
                          "there is no budget \"%.*s\" in \"%.*s\" or what it was delegated from",
                          MANDATE_SLICE_ARG(c->budget), MANDATE_SLICE_ARG(mandate_id(e, handle)));
    else if (ok && engine_at_version(e, handle, c->if_version, a) && check_active(e, handle, &a->error) == MANDATE_OK &&
             check_fits(&all, c->amount, &a->error) == MANDATE_OK) {
        if (is_full(l, c->budget))
            mandate_error_set(&a->error, MANDATE_LIMIT, "a mandate draws on %d budgets at most", LIMIT_LEDGER_LINES);
        else
            ok = spend_new(e, handle, c, &all);
    }
    ok = ok && (a->error.status || chain_tell(&all, a));
    a->amount = c->amount;
    a->budget = c->budget;
    chain_deinit(&all);
    return ok;
}

static bool run_unspend(engine *e, uint32_t handle, const engine_command *c, engine_answer *a)
{
    const ledger *l = ledger_of(e, handle);
    ledger_spend *s = spend_of(l, c->key);
    if (!s) {
        mandate_error_set(&a->error, MANDATE_NOT_FOUND,
                          "nothing was spent with key \"%.*s\" among the last %d spends of \"%.*s\"",
                          MANDATE_SLICE_ARG(c->key), LIMIT_SPENDS, MANDATE_SLICE_ARG(mandate_id(e, handle)));
        return true;
    }
    chain all = {.e = e, .name = arena_dup(&e->memory, l->lines.data[s->line].name)};
    bool ok = chain_find(&all, handle);
    a->repeated = s->undone;
    a->amount = s->amount;
    a->budget = all.name;
    s->undone = true;
    if (ok && !a->repeated)
        ok = chain_move(&all, a->amount, true) && mandate_touch(e, handle);
    ok = ok && chain_tell(&all, a);
    chain_deinit(&all);
    return ok;
}

bool budget_run(engine *e, uint32_t handle, const engine_command *c, engine_answer *a)
{
    if (check_spend(c, &a->error) != MANDATE_OK)
        return true;
    return c->kind == COMMAND_SPEND ? run_spend(e, handle, c, a) : run_unspend(e, handle, c, a);
}

/* --- stored form ------------------------------------------------------------------------------------------------------------ */
void ledger_encode(buf *b, const engine *e, uint32_t handle)
{
    static const ledger nothing = {.next = 0};
    const ledger *l = ledger_of(e, handle);
    l = l ? l : &nothing;
    wire_put_u64(b, l->lines.len);
    for (uint32_t i = 0; i < l->lines.len; i++) {
        wire_put_bytes(b, l->lines.data[i].name);
        amount_encode(b, l->lines.data[i].spent);
    }
    wire_put_u64(b, l->spends.len);
    for (uint32_t i = 0; i < l->spends.len; i++) { /* the oldest first */
        const ledger_spend *s = &l->spends.data[(l->next + i) % l->spends.len];
        wire_put_bytes(b, s->key);
        wire_put_u64(b, (uint64_t)s->line << 1 | s->undone);
        amount_encode(b, s->amount);
    }
}

mandate_status ledger_load(engine *e, uint32_t handle, wire_reader *r, mandate_error *err)
{
    uint64_t lines = wire_get_count(r, 3);
    ledger *l = ledger_make(e, handle);
    bool kept = l != NULL;
    for (uint64_t i = 0; kept && i < lines && !r->failed; i++) {
        mandate_slice name = wire_get_bytes(r);
        budget_amount spent = amount_decode(r);
        kept = r->failed || ledger_add_line(l, name, spent);
    }
    uint64_t spends = wire_get_count(r, 4);
    r->failed |= lines > LIMIT_LEDGER_LINES || spends > LIMIT_SPENDS;
    for (uint64_t i = 0; kept && i < spends && !r->failed; i++) {
        ledger_spend s = {.key = wire_get_bytes(r)};
        uint64_t bits = wire_get_u64(r);
        s.amount = amount_decode(r);
        s.line = (uint32_t)(bits >> 1);
        s.undone = bits & 1;
        r->failed |= bits >> 1 >= lines;
        kept = r->failed || ledger_add_spend(l, &s);
    }
    return kept ? MANDATE_OK : mandate_error_set(err, MANDATE_NOMEM, "out of memory while loading mandates");
}

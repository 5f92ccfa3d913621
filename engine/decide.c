/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decide - questions to humans: asked once, answered once, lapsed by the clock; and commands that wait for a second person.
 *
 * Nothing runs while a question is open. The asker never answers, nor does the agent that a mandate in it was given to (the
 * asker of an action is that agent). A refusal of a command leaves no trace; so does a permit whose command is refused: the
 * question stays open. Order is by age everywhere, which is the same on every replay and after every restart.
 */
#include "engine/command_int.h"

#include "engine/base/text.h"

#include <stdlib.h>

static decision_place *place_at(engine *e, uint32_t handle) { return &e->decisions.data[handle]; }

static bool id_eq(const void *ctx, uint32_t handle, const void *key)
{
    return mandate_slice_eq(((const engine *)ctx)->decisions.data[handle].d.id, *(const mandate_slice *)key);
}

static bool key_eq(const void *ctx, uint32_t handle, const void *key)
{
    return memcmp(((const engine *)ctx)->decisions.data[handle].d.key, key, DECISION_KEY) == 0;
}

static uint64_t key_hash(const decision_record *d) { return hash_bytes(d->key, DECISION_KEY); }

uint32_t engine_decision_find(const engine *e, mandate_slice id)
{
    return table_find(&e->decision_by_id, hash_slice(id), id_eq, e, &id);
}

uint32_t engine_decision_next(const engine *e, uint32_t handle)
{
    while (handle < e->decisions.len && (!e->decisions.data[handle].bytes || e->decisions.data[handle].removed))
        handle++;
    return handle < e->decisions.len ? handle : UINT32_MAX;
}

uint32_t engine_decision_count(const engine *e) { return e->decisions.len - e->decision_free.len - e->decisions_gone.len; }

const decision_record *engine_decision_get(const engine *e, uint32_t handle) { return &e->decisions.data[handle].d; }

/* --- one changes --------------------------------------------------------------------------------------------------- */
static const int64_t KEEP_US = INT64_C(3600000000) * LIMIT_DECISION_KEEP_HOURS;

/* `d` (which may borrow from the place itself) becomes what the place holds. */
static bool hold(decision_place *p, const decision_record *d)
{
    buf b;
    buf_init(&b);
    decision_encode(&b, d);
    if (b.failed || decision_decode(&p->d, buf_slice(&b), NULL) != MANDATE_OK) {
        buf_deinit(&b);
        return false;
    }
    free(p->bytes);
    p->bytes = b.data;
    return true;
}

static bool lapsed(const decision_record *d, int64_t now_us) { return d->expires_at_us <= now_us; }

/* Its deadline: when it lapses, then when it is forgotten. */
static bool arm(engine *e, uint32_t handle)
{
    const decision_place *p = place_at(e, handle);
    return timer_arm(&e->deadlines, TIMER_DECISION, handle, p->keyed ? p->d.expires_at_us : p->d.expires_at_us + KEEP_US);
}

uint32_t decision_add(engine *e, const decision_record *d)
{
    e->decision_uses_known = false;
    uint32_t handle = e->decision_free.len ? e->decision_free.data[e->decision_free.len - 1] : e->decisions.len;
    /* Room to give the place back is made now, so that giving back cannot fail. */
    if (handle == e->decisions.len &&
        (!VEC_RESERVE(&e->decision_free, handle + 1) || !VEC_PUSH(&e->decisions, (decision_place){0})))
        return UINT32_MAX;
    decision_place *p = place_at(e, handle);
    if (!hold(p, d))
        return UINT32_MAX;
    if (e->decision_free.len)
        e->decision_free.len--;
    /* What is due is served, and gives up its key, before anything else can be asked. */
    p->keyed = d->state == DECISION_OPEN || d->state == DECISION_PERMITTED || !lapsed(d, e->now_us);
    p->keyed &= d->state != DECISION_EXPIRED;
    if (!table_add(&e->decision_by_id, hash_slice(p->d.id), handle) ||
        (p->keyed && !table_add(&e->decision_by_key, key_hash(&p->d), handle)) || !arm(e, handle))
        return UINT32_MAX;
    return handle;
}

/* It goes to the store, and what it is now to those who are told. */
static bool changed(engine *e, uint32_t handle)
{
    decision_place *p = place_at(e, handle);
    decision_record told = p->d;
    buf b;
    buf_init(&b);
    told.vouched = (mandate_slice){NULL, 0}; /* a login is nobody's business */
    decision_encode(&b, &told);
    mandate_slice notice = b.failed ? (mandate_slice){NULL, 0} : arena_dup(&e->memory, buf_slice(&b));
    buf_deinit(&b);
    if (!p->dirty)
        p->dirty = VEC_PUSH(&e->decisions_dirty, handle);
    return (p->dirty && notice.ptr && VEC_PUSH(&e->notices, notice)) || engine_fail(e, "out of memory for a decision");
}

static void unkey(engine *e, uint32_t handle)
{
    decision_place *p = place_at(e, handle);
    if (p->keyed)
        (void)table_remove(&e->decision_by_key, key_hash(&p->d), handle);
    p->keyed = false;
}

/* The single setter of state. */
static bool set_state(engine *e, uint32_t handle, decision_record next)
{
    decision_place *p = place_at(e, handle);
    if (!decision_transition_legal(p->d.state, next.state))
        return engine_fail(e, "a decision was to change in a way that is not legal");
    next.version++;
    e->decision_uses_known = false;
    if (next.state == DECISION_EXPIRED)
        unkey(e, handle);
    return (hold(p, &next) && arm(e, handle) && changed(e, handle)) || engine_fail(e, "out of memory for a decision");
}

static bool forget(engine *e, uint32_t handle)
{
    decision_place *p = place_at(e, handle);
    unkey(e, handle);
    (void)table_remove(&e->decision_by_id, hash_slice(p->d.id), handle);
    timer_disarm(&e->deadlines, TIMER_DECISION, handle);
    p->removed = true;
    e->decision_uses_known = false;
    return (VEC_PUSH(&e->decisions_removed, p->d.id) && VEC_PUSH(&e->decisions_gone, handle)) ||
           engine_fail(e, "out of memory while forgetting a decision");
}

/* --- the clock ------------------------------------------------------------------------------------------------------ */
static bool older(const decision_record *a, const decision_record *b)
{
    return a->opened_seq != b->opened_seq ? a->opened_seq < b->opened_seq : a->opened_input < b->opened_input;
}

static int by_age(const void *a, const void *b, void *ctx)
{
    const decision_record *x = engine_decision_get(ctx, *(const uint32_t *)a),
                          *y = engine_decision_get(ctx, *(const uint32_t *)b);
    return older(x, y) ? -1 : older(y, x);
}

static bool serve_one(engine *e, uint32_t handle)
{
    decision_place *p = place_at(e, handle);
    if (!p->keyed)
        return forget(e, handle);
    if (p->d.state == DECISION_REFUSED) { /* it may be asked again */
        unkey(e, handle);
        return arm(e, handle) || engine_fail(e, "out of memory while serving deadlines");
    }
    decision_record next = p->d;
    next.state = DECISION_EXPIRED;
    return set_state(e, handle, next);
}

bool decision_serve(engine *e, int64_t at_us)
{
    const timer_entry *next;
    timer_entry due;
    e->affected.len = 0;
    while ((next = timer_peek(&e->deadlines)) && next->at_us == at_us && next->kind == TIMER_DECISION)
        if (!timer_pop(&e->deadlines, at_us, &due) || !VEC_PUSH(&e->affected, due.owner))
            return engine_fail(e, "out of memory while serving deadlines");
    if (e->affected.len)
        qsort_r(e->affected.data, e->affected.len, sizeof(uint32_t), by_age, e);
    for (uint32_t i = 0; i < e->affected.len; i++)
        if (!serve_one(e, e->affected.data[i]))
            return false;
    return true;
}

/* --- asking ---------------------------------------------------------------------------------------------------------- */
static void answer_decision(const engine *e, engine_answer *a, uint32_t handle)
{
    a->decision = e->decisions.data[handle].d.id;
    a->version = e->decisions.data[handle].d.version;
    a->state = STATE_NONE;
}

static int64_t lasting(int64_t lasts_us)
{
    const int64_t max = INT64_C(86400000000) * LIMIT_DECISION_DAYS;
    return lasts_us < 1 ? 1 : lasts_us < max ? lasts_us : max;
}

/* Room for one more: the oldest that has lapsed is forgotten for it. */
static bool make_room(engine *e, const decision_record *q, mandate_error *err)
{
    uint32_t mine = 0, commands = 0, oldest = UINT32_MAX;
    for (uint32_t i = engine_decision_next(e, 0); i != UINT32_MAX; i = engine_decision_next(e, i + 1)) {
        const decision_place *p = place_at(e, i);
        mine += p->keyed && mandate_slice_eq(p->d.asker, q->asker);
        commands += p->d.kind == DECISION_COMMAND && p->d.state == DECISION_OPEN;
        if (!p->keyed && (oldest == UINT32_MAX || older(&p->d, &place_at(e, oldest)->d)))
            oldest = i;
    }
    if (mine >= LIMIT_DECISIONS_ASKER)
        mandate_error_set(err, MANDATE_LIMIT, "%d questions of %.*s wait or hold already: have them decided first",
                          LIMIT_DECISIONS_ASKER, MANDATE_SLICE_ARG(q->asker));
    else if (q->kind == DECISION_COMMAND && commands >= LIMIT_DECISIONS_COMMANDS)
        mandate_error_set(err, MANDATE_LIMIT, "%d commands wait for a second person already: have them decided first",
                          LIMIT_DECISIONS_COMMANDS);
    else if (engine_decision_count(e) >= LIMIT_DECISIONS && oldest == UINT32_MAX)
        mandate_error_set(err, MANDATE_LIMIT, "%d decisions wait or hold already: have them decided first", LIMIT_DECISIONS);
    else if (engine_decision_count(e) >= LIMIT_DECISIONS)
        return forget(e, oldest);
    return true;
}

/* All that govern are active; *until: when the first of them expires. A sentence otherwise. */
static bool all_active(engine *e, const decision_record *d, int64_t *until, mandate_error *err)
{
    for (uint32_t i = 0; i < d->mandate_count; i++) {
        uint32_t handle = engine_mandate_find(e, d->mandates[i]);
        if (handle == UINT32_MAX) {
            mandate_error_set(err, MANDATE_NOT_FOUND, "there is no mandate \"%.*s\"", MANDATE_SLICE_ARG(d->mandates[i]));
            return false;
        }
        mandate_state state = engine_effective_state(e, handle, e->batch_now_us, NULL);
        if (state != STATE_ACTIVE) {
            mandate_error_set(err, MANDATE_CONFLICT, "\"%.*s\" is %s: nobody can permit what rests on it",
                              MANDATE_SLICE_ARG(d->mandates[i]), mandate_state_name(state));
            return false;
        }
        if (mandate_at(e, handle)->expires_at_us < *until)
            *until = mandate_at(e, handle)->expires_at_us;
    }
    return true;
}

/* The question about a command, in `out`; its encoding in `b`, which `out` borrows from. */
static bool question_of_command(decision_record *out, buf *b, arena *memory, const engine_command *c)
{
    const engine_command *waits = c->deferred;
    mandate_slice id = waits->kind == COMMAND_ISSUE ? waits->claims->id : waits->mandate;
    engine_encode_command(b, waits);
    *out = (decision_record){.kind = DECISION_COMMAND,
                             .asker = waits->principal,
                             .reason = c->note,
                             .command = buf_slice(b),
                             .vouched = c->vouched};
    out->action = arena_printf(memory, "mandate.%s", engine_command_names[waits->kind]);
    out->resource = arena_printf(memory, "mandate/%.*s", MANDATE_SLICE_ARG(id));
    return !b->failed && out->action.ptr && out->resource.ptr && decision_command_key(out->key, out->command);
}

static bool open_question(engine *e, decision_record *q, int64_t lasts_us, engine_answer *a, uint32_t input)
{
    char id[DECISION_ID];
    int64_t until = e->batch_now_us + lasting(lasts_us);
    uint32_t there = table_find(&e->decision_by_key, key_hash(q), key_eq, e, q->key);
    if (there != UINT32_MAX) {
        a->repeated = true;
        answer_decision(e, a, there);
        return true;
    }
    if (!all_active(e, q, &until, &a->error) || !make_room(e, q, &a->error) || a->error.status)
        return !e->failed;
    q->opened_seq = e->seq;
    q->opened_input = input;
    q->opened_at_us = e->batch_now_us;
    q->expires_at_us = until;
    q->state = DECISION_OPEN;
    q->version = 1;
    if (!decision_id(id, e->issuer, q))
        return engine_fail(e, "SHA-256 is not available");
    q->id = mandate_slice_of(id, sizeof(id));
    uint32_t handle = decision_add(e, q);
    if (handle == UINT32_MAX)
        return engine_fail(e, "out of memory while opening a decision");
    answer_decision(e, a, handle);
    return changed(e, handle);
}

static bool run_ask(engine *e, const engine_command *c, engine_answer *a, uint32_t input)
{
    decision_record q = c->deferred ? (decision_record){0} : *c->question;
    buf b;
    buf_init(&b);
    bool ok = c->deferred ? question_of_command(&q, &b, &e->memory, c) : true;
    q.decider = q.note = q.id = (mandate_slice){NULL, 0};
    q.decided_at_us = 0;
    if (ok && !c->deferred) {
        q.kind = DECISION_ACTION;
        q.command = q.vouched = (mandate_slice){NULL, 0};
    }
    if (!ok)
        engine_fail(e, "out of memory while opening a decision");
    else if (decision_check(&q, &a->error) == MANDATE_OK)
        ok = (c->deferred || decision_action_key(q.key, &q) || engine_fail(e, "SHA-256 is not available")) &&
             open_question(e, &q, c->lasts_us, a, input);
    buf_deinit(&b);
    return ok && !e->failed;
}

/* --- answering -------------------------------------------------------------------------------------------------------- */
static mandate_status may_decide(const engine *e, const engine_command *c, const decision_record *d, engine_answer *a)
{
    mandate_error *err = &a->error;
    decision_state wanted = c->permit ? DECISION_PERMITTED : DECISION_REFUSED;
    if (c->note.len > LIMIT_REASON || !utf8_valid(c->note))
        return mandate_error_set(err, MANDATE_INVALID, "a note is UTF-8 text of at most %d bytes", LIMIT_REASON);
    if (c->principal.len == 0)
        return mandate_error_set(err, MANDATE_DENIED, "nobody decides without a name");
    if (mandate_slice_eq(c->principal, d->asker))
        return mandate_error_set(err, MANDATE_DENIED, "\"%.*s\" asked this: another person must decide it",
                                 MANDATE_SLICE_ARG(d->asker));
    if (d->state == wanted && mandate_slice_eq(c->principal, d->decider) && mandate_slice_eq(c->note, d->note)) {
        a->repeated = true;
        return MANDATE_OK;
    }
    if (d->state != DECISION_OPEN || lapsed(d, e->batch_now_us))
        return mandate_error_set(err, MANDATE_CONFLICT, "it is %s%s%.*s: it can be decided only while it is open",
                                 decision_state_name(d->state == DECISION_OPEN ? DECISION_EXPIRED : d->state),
                                 d->decider.len ? " by " : "", MANDATE_SLICE_ARG(d->decider));
    return MANDATE_OK;
}

/* The command that waited, as if it were asked now. A refusal of it is the answer, and nothing has changed. */
static bool carry_out(engine *e, const decision_record *d, engine_answer *a)
{
    engine_command *waits = ARENA_NEW(&e->memory, engine_command);
    mandate_slice bytes = arena_dup(&e->memory, d->command); /* outlives the place */
    if (!waits || !bytes.ptr)
        return engine_fail(e, "out of memory while carrying out a command");
    if (engine_decode_command(waits, &e->memory, bytes, e->err) != MANDATE_OK)
        return engine_fail(e, "the command that waited cannot be read");
    return command_apply(e, waits, a);
}

static bool run_decide(engine *e, const engine_command *c, engine_answer *a)
{
    uint32_t handle = engine_decision_find(e, c->mandate);
    if (handle == UINT32_MAX) {
        mandate_error_set(&a->error, MANDATE_NOT_FOUND, "there is no decision \"%.*s\"", MANDATE_SLICE_ARG(c->mandate));
        return true;
    }
    decision_record next = place_at(e, handle)->d;
    int64_t until = e->batch_now_us + lasting(c->lasts_us);
    if (may_decide(e, c, &next, a) != MANDATE_OK || a->repeated) {
        answer_decision(e, a, handle);
        return true;
    }
    if (c->permit && !all_active(e, &next, &until, &a->error))
        return true;
    if (c->permit && next.kind == DECISION_COMMAND && (!carry_out(e, &next, a) || a->error.status))
        return !e->failed;
    a->repeated = false;
    next.state = c->permit ? DECISION_PERMITTED : DECISION_REFUSED;
    next.decider = c->principal;
    next.note = c->note;
    next.decided_at_us = e->batch_now_us;
    if (c->permit)
        next.expires_at_us = until;
    if (!set_state(e, handle, next))
        return false;
    mandate_state state = a->state;
    uint32_t version = a->version;
    answer_decision(e, a, handle);
    if (next.kind == DECISION_COMMAND && c->permit) { /* what became of the mandate */
        a->state = state;
        a->version = version;
    }
    return true;
}

bool decision_command(engine *e, const engine_command *c, engine_answer *a, uint32_t input)
{
    a->state = STATE_NONE;
    return c->kind == COMMAND_ASK ? run_ask(e, c, a, input) : run_decide(e, c, a);
}

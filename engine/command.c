/* SPDX-License-Identifier: Apache-2.0 */
/*
 * command - revoke, suspend, resume, give back. (Issuing has a file of its own.) Who may ask is decided before; here only whether the
 * mandate is in a state in which the command makes sense. A refusal changes nothing.
 */
#include "engine/command_int.h"

#include "engine/base/text.h"

static const char *const suspension_words[] = {"a command", "its suspend_while clause", "an unknown condition",
                                               "a condition in error"};

const char *const engine_command_names[COMMAND_COUNT] = {
#define X(name, text) text,
    ENGINE_COMMAND_MAP(X)
#undef X
};

engine_answer *answer_new(engine *e, uint32_t input)
{
    if (!VEC_PUSH(&e->answers, (engine_answer){.input = input, .transition = UINT32_MAX})) {
        engine_fail(e, "out of memory while answering");
        return NULL;
    }
    return &e->answers.data[e->answers.len - 1];
}

void answer_mandate(engine *e, engine_answer *a, uint32_t handle)
{
    const mandate *m = mandate_at(e, handle);
    a->mandate = mandate_id(e, handle);
    a->version = m->version;
    a->state = engine_effective_state(e, handle, e->batch_now_us, NULL);
}

static bool still_live(engine *e, uint32_t handle, engine_answer *a)
{
    uint32_t because;
    mandate_state state = engine_effective_state(e, handle, e->batch_now_us, &because);
    if (!mandate_state_is_final(state))
        return true;
    answer_mandate(e, a, handle);
    mandate_error_set(&a->error, MANDATE_CONFLICT, "\"%.*s\" has already ended: it is %s%s%.*s",
                      MANDATE_SLICE_ARG(a->mandate), mandate_state_name(state), because == handle ? "" : " because of ",
                      because == handle ? 0 : (int)mandate_id(e, because).len, mandate_id(e, because).ptr);
    return false;
}

bool engine_at_version(engine *e, uint32_t handle, uint32_t if_version, engine_answer *a)
{
    const mandate *m = mandate_at(e, handle);
    if (!if_version || m->version == if_version)
        return true;
    mandate_error_set(&a->error, MANDATE_CONFLICT, "\"%.*s\" is at version %u, not %u: look at it again, and decide anew",
                      MANDATE_SLICE_ARG(mandate_id(e, handle)), m->version, if_version);
    return false;
}

static bool run_suspend(engine *e, uint32_t handle, const engine_command *c, engine_answer *a, const occasion *why)
{
    mandate *m = mandate_at(e, handle);
    if (c->until_us && c->until_us <= e->batch_now_us) {
        char now[TIME_TEXT_MAX], until[TIME_TEXT_MAX];
        size_t n = time_format_us(now, e->batch_now_us), u = time_format_us(until, c->until_us);
        mandate_error_set(&a->error, MANDATE_INVALID, "\"until\" %.*s is in the past: it is %.*s now; give a time to come",
                          (int)u, until, (int)n, now);
        return true;
    }
    int64_t until = c->until_us ? c->until_us : INT64_MAX;
    bool moved = m->suspended_by & SUSPENDED_BY_COMMAND && mandate_resume_at(e, handle) != until;
    m->suspended_by |= SUSPENDED_BY_COMMAND;
    if (!mandate_resume_arm(e, handle, until))
        return false;
    if (m->state == STATE_SUSPENDED && !moved)
        return mandate_touch(e, handle);
    return mandate_change(e, handle, STATE_SUSPENDED, REASON_COMMAND, CLAUSE_NONE, why);
}

static bool error_remains(engine *e, uint32_t handle)
{
    const mandate *m = mandate_at(e, handle);
    for (int c = 0; c < CLAUSE_COUNT; c++)
        if ((m->clauses >> c & 1) && condition_value(e->conditions, mandate_condition_at(e, m, c)->edge) == TRUTH_ERROR)
            return true;
    return false;
}

static bool run_resume(engine *e, uint32_t handle, engine_answer *a, const occasion *why)
{
    mandate *m = mandate_at(e, handle);
    const uint8_t by_hand = SUSPENDED_BY_COMMAND | SUSPENDED_BY_ERROR;
    if (m->state != STATE_SUSPENDED) {
        mandate_error_set(&a->error, MANDATE_CONFLICT, "\"%.*s\" is not suspended",
                          MANDATE_SLICE_ARG(mandate_id(e, handle)));
        return true;
    }
    if (!(m->suspended_by & by_hand)) {
        mandate_error_set(&a->error, MANDATE_CONFLICT,
                          "\"%.*s\" is suspended by %s: it resumes by itself when that clears, not by command",
                          MANDATE_SLICE_ARG(mandate_id(e, handle)),
                          suspension_words[m->suspended_by & SUSPENDED_BY_CLAUSE ? 1 : 2]);
        return true;
    }
    if ((m->suspended_by & SUSPENDED_BY_ERROR) && error_remains(e, handle)) {
        mandate_error_set(&a->error, MANDATE_CONFLICT,
                          "\"%.*s\" is suspended by a condition in error, and the error is still there: see explain",
                          MANDATE_SLICE_ARG(mandate_id(e, handle)));
        return true;
    }
    m->suspended_by &= (uint8_t)~by_hand;
    if (!mandate_resume_arm(e, handle, INT64_MAX))
        return false;
    if (m->suspended_by)
        return mandate_touch(e, handle);
    return mandate_change(e, handle, STATE_ACTIVE, REASON_COMMAND, CLAUSE_NONE, why);
}

/* An agent has no power over its own mandate but this one. */
static bool run_return(engine *e, uint32_t handle, const engine_command *c, engine_answer *a, const occasion *why)
{
    claims own;
    if (!claims_of(e, handle, &e->memory, &own))
        return false;
    if (mandate_slice_eq(own.agent, c->principal))
        return mandate_change(e, handle, STATE_COMPLETED, REASON_RETURNED, CLAUSE_NONE, why);
    mandate_error_set(&a->error, MANDATE_DENIED, "\"%.*s\" is \"%.*s\"'s to give back, not \"%.*s\"'s: others revoke it",
                      MANDATE_SLICE_ARG(own.id), MANDATE_SLICE_ARG(own.agent), MANDATE_SLICE_ARG(c->principal));
    return true;
}

static bool run_on_mandate(engine *e, const engine_command *c, engine_answer *a, const occasion *why)
{
    uint32_t handle = engine_mandate_find(e, c->mandate);
    uint32_t index = (uint32_t)(a - e->answers.data);
    bool ok = true;
    if (handle == UINT32_MAX) {
        mandate_error_set(&a->error, MANDATE_NOT_FOUND, "there is no mandate \"%.*s\"", MANDATE_SLICE_ARG(c->mandate));
        return true;
    }
    if (c->note.len > LIMIT_REASON || !utf8_valid(c->note)) {
        mandate_error_set(&a->error, MANDATE_INVALID, "a reason is UTF-8 text of at most %d bytes", LIMIT_REASON);
        return true;
    }
    if (c->kind == COMMAND_SPEND || c->kind == COMMAND_UNSPEND) { /* a key is answered also when the mandate has ended */
        a->mandate = mandate_id(e, handle);
        return budget_run(e, handle, c, a);
    }
    if (!still_live(e, handle, a) || !engine_at_version(e, handle, c->if_version, a))
        return true;
    if (!backlog_catch_up(e, handle))
        return false;
    const uint32_t made = e->transitions.len;
    if (c->kind == COMMAND_REVOKE)
        ok = mandate_change(e, handle, STATE_REVOKED, REASON_COMMAND, CLAUSE_NONE, why);
    else if (c->kind == COMMAND_SUSPEND)
        ok = run_suspend(e, handle, c, a, why);
    else if (c->kind == COMMAND_RETURN)
        ok = run_return(e, handle, c, a, why);
    else if (c->kind == COMMAND_AMEND)
        ok = amend_run(e, handle, c, a, why);
    else
        ok = run_resume(e, handle, a, why);
    if (e->transitions.len > made)
        e->answers.data[index].transition = made;
    answer_mandate(e, &e->answers.data[index], handle);
    return ok;
}

static bool event_valid(mandate_slice event)
{
    for (size_t i = 0; i < event.len; i++)
        if ((event.ptr[i] < 'a' || event.ptr[i] > 'z') && event.ptr[i] != '_')
            return false;
    return event.len > 0 && event.len <= LIMIT_AUDIT_EVENT;
}

/* Nothing happens to the state; the journal and the audit log take it. That `detail` is JSON is the caller's word. */
static void run_log(const engine_command *c, engine_answer *a)
{
    bool object = c->detail.len >= 2 && c->detail.ptr[0] == '{' && c->detail.ptr[c->detail.len - 1] == '}';
    a->mandate = c->mandate;
    a->state = STATE_NONE;
    if (!event_valid(c->event))
        mandate_error_set(&a->error, MANDATE_INVALID, "an event of the audit log is a word of a-z and _, at most %d long",
                          LIMIT_AUDIT_EVENT);
    else if (c->detail.len > LIMIT_AUDIT_DETAIL)
        mandate_error_set(&a->error, MANDATE_LIMIT, "an entry of the audit log has %zu bytes of detail; at most %d are kept",
                          c->detail.len, LIMIT_AUDIT_DETAIL);
    else if (!object || !utf8_valid(c->detail) || memchr(c->detail.ptr, '\n', c->detail.len))
        mandate_error_set(&a->error, MANDATE_INVALID, "the detail of an audit entry is a JSON object on one line");
    else if (c->mandate.len > LIMIT_ID || c->principal.len > LIMIT_ID)
        mandate_error_set(&a->error, MANDATE_LIMIT, "an audit entry names mandate and principal in at most %d bytes each",
                          LIMIT_ID);
}

bool command_apply(engine *e, const engine_command *c, engine_answer *a)
{
    occasion why = {.cause = CAUSE_COMMAND,
                    .origin = {.source = SCHEMA_NONE,
                               .topic = SCHEMA_NONE,
                               .partition = -1,
                               .offset = -1,
                               .event_time_us = CHANGE_NO_TIME,
                               .seq = e->seq},
                    .principal = c->principal,
                    .note = c->note};
    if (c->kind == COMMAND_LOG) {
        run_log(c, a);
        return true;
    }
    if (engine_command_is_watch(c->kind))
        return watch_command(e, c, a);
    if (c->kind == COMMAND_ISSUE)
        return issue_run(e, c->claims, a, &why);
    if (c->kind == COMMAND_DELEGATE)
        return delegate_run(e, c, a, &why);
    return run_on_mandate(e, c, a, &why);
}

bool engine_command_run(engine *e, const engine_command *c, uint32_t input)
{
    engine_answer *a = answer_new(e, input);
    if (!a)
        return false;
    return engine_command_is_question(c->kind) ? decision_command(e, c, a, input) : command_apply(e, c, a);
}

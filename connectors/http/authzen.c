/* SPDX-License-Identifier: Apache-2.0 */
/*
 * authzen - OpenID AuthZEN 1.0: may this subject do this action on this resource under this mandate? One question, or up to
 * LIMIT_EVALUATIONS in one request.
 *
 * A denial is a normal answer (200, decision false); 400 is for requests that are none. Among many, a malformed one is a "no"
 * with an error in its context and the others are answered. Most questions are answered at once, on the listener's thread;
 * what must wait (for a position, for a human to be asked, for the audit log) suspends the request and goes on from there:
 *
 *   read ─> [wait for at_least] ─> check ─> [human] ─> [audit log] ─> write ─> the next one
 */
#include "connectors/http/authzen_int.h"
#include "connectors/http/idempotency.h"
#include "connectors/json/json_value.h"
#include "engine/base/error_slot.h"
#include "engine/base/hash.h"
#include "engine/base/text.h"
#include "engine/base/wire.h"

#include <stdio.h>
#include <stdlib.h>

typedef enum semantic { EXECUTE_ALL, DENY_ON_FIRST_DENY, PERMIT_ON_FIRST_PERMIT, SEMANTIC_COUNT } semantic;
typedef enum stage { STAGE_READ, STAGE_WAIT, STAGE_CHECK, STAGE_ASKED, STAGE_LOG, STAGE_LOGGED, STAGE_WRITE } stage;

/* A request under way. On the stack until it must wait, in the request's arena from then on. */
typedef struct run {
    cel_value request, questions; /* null: the request itself is the question */
    semantic how;
    uint32_t next; /* question */
    stage stage;
    bool kept;       /* in the arena, r->state */
    bool remembered; /* `key` is reserved */
    bool repeated, first_decision;
    uint8_t key[32], asked[32]; /* hashes: of whose key it is, and of what is asked */
    mandate_slice first;        /* repeated: the answer then */
    authzen_question q;
    authzen_answer a;
} run;

static void go_on(http_request *r, run *x);
static void resumed(http_request *r) { go_on(r, r->state); }

/* The request waits: for the service to answer r->ask. */
static void wait_at(http_request *r, run *x, stage next)
{
    run *kept = x->kept ? x : ARENA_NEW(&r->a, run);
    mandate_error err;
    if (!kept) {
        (void)mandate_error_set(&err, MANDATE_NOMEM, "out of memory");
        http_fail(r, &err);
        return;
    }
    x->stage = next;
    if (!x->kept)
        *kept = *x;
    kept->kept = true;
    r->state = kept;
    r->finish_all = true; /* a failure is an answer, too */
    http_submit(r, resumed);
}

/* May who asks have this answer? Where that was settled for the connection it costs a bit. */
static mandate_status may_ask(http_request *r, const service_check *asked, mandate_error *err)
{
    service_access access = {.power = POWER_CHECK, .mandate = asked->mandate, .check = asked};
    mandate_status status = MANDATE_OK;
    if (!asked->mandate_count)
        return http_authorise_access(r, &access, err);
    service_check one = *asked;
    access.check = &one;
    for (uint32_t i = 0; status == MANDATE_OK && i < asked->mandate_count; i++) {
        access.mandate = one.mandate = asked->mandates[i];
        status = http_authorise_access(r, &access, err);
    }
    return status;
}

/* --- one question ------------------------------------------------------------------------------------------------- */
static void refuse(authzen_answer *a, const char *reason, const char *text)
{
    a->verdict.decision = a->verdict.conflict = false;
    a->verdict.reason = reason;
    snprintf(a->verdict.text, sizeof(a->verdict.text), "%.255s", text);
}

static void begin(run *x)
{
    x->q = (authzen_question){.check = {.params = cel_null()}};
    x->a.escalated = x->a.duplicate = false;
    x->a.escalation_why = NULL;
    x->a.kind = (service_check_kind){.mode = CHECK_PLAIN};
    x->a.valid_until_us = 0;
    x->a.freshness = (mandate_slice){NULL, 0};
    x->a.leaf = -1;
    x->remembered = x->repeated = false;
}

static bool must_wait(http_request *r, const run *x)
{
    const service *port = http_service(r);
    for (uint32_t i = 0; i < x->q.at_least_count; i++)
        if (!port->reached(port->ctx, &x->q.at_least[i]))
            return true;
    return false;
}

/* What can never be reached is not waited for. */
static mandate_status locate(http_request *r, const run *x, mandate_error *err)
{
    const service *port = http_service(r);
    mandate_status status = MANDATE_OK;
    for (uint32_t i = 0; status == MANDATE_OK && port->locate && i < x->q.at_least_count; i++)
        status = port->locate(port->ctx, &x->q.at_least[i], err);
    return status;
}

static void conflict(run *x)
{
    x->a.duplicate = true;
    refuse(&x->a, "idempotency_conflict", "The idempotency key was used for another action, resource or parameters.");
}

/* What is done once is looked for where it is recorded, too: memory forgets, and a restart forgets all of it. */
static void remember_once(http_request *r, run *x, bool forgotten)
{
    const service *port = http_service(r);
    uint8_t before[32];
    mandate_error err;
    mandate_status status = port->once  ? port->once(port->ctx, x->key, before, &err)
                            : forgotten ? MANDATE_LIMIT
                                        : MANDATE_NOT_FOUND;
    if (status == MANDATE_NOT_FOUND)
        return;
    if (status != MANDATE_OK) {
        refuse(&x->a, "quota_exceeded", "Whether this was asked before is not known.");
    } else if (memcmp(before, x->asked, sizeof(before)) == 0) {
        x->repeated = true;
    } else {
        idempotency_drop(http_idempotency(r), x->key);
        x->remembered = false;
        conflict(x);
    }
}

/* False: err says why; LIMIT when there is no room for the key. */
static bool remember(http_request *r, run *x, mandate_error *err)
{
    const service_check *c = &x->q.check;
    bool forgotten = false;
    buf b, answer;
    buf_init(&b);
    buf_init(&answer);
    wire_put_bytes(&b, c->subject_type);
    wire_put_bytes(&b, c->subject_id);
    wire_put_bytes(&b, x->q.idempotency_key);
    bool ok = !b.failed && sha256(x->key, b.data, b.len);
    buf_reset(&b);
    wire_put_bytes(&b, c->action);
    wire_put_bytes(&b, c->resource);
    wire_put_bytes(&b, x->q.digest);
    wire_put_bytes(&b, c->mandate);
    for (uint32_t i = 0; i < c->mandate_count; i++)
        wire_put_bytes(&b, c->mandates[i]);
    if (c->properties.kind == CEL_MAP && c->properties.len) { /* of the resource: a part of what is asked; context is not */
        wire_put_bytes(&b, mandate_slice_of("", 0));
        cel_to_json(&b, c->properties);
    }
    ok = ok && !b.failed && sha256(x->asked, b.data, b.len);
    if (!ok) {
        (void)mandate_error_set(err, MANDATE_NOMEM, "out of memory");
        goto done;
    }
    switch (idempotency_look(http_idempotency(r), http_clock_ms(), hash_slice(r->who->name), x->key, x->asked,
                             &x->first_decision, &answer, &forgotten)) {
    case IDEMPOTENCY_NEW:
        x->remembered = true;
        if (x->a.kind.once)
            remember_once(r, x, forgotten);
        break;
    case IDEMPOTENCY_REPEATED:
        x->repeated = true;
        x->first = arena_dup(&r->a, buf_slice(&answer));
        break;
    case IDEMPOTENCY_CONFLICT:
        conflict(x);
        break;
    case IDEMPOTENCY_FULL:
        ok = x->questions.kind == CEL_LIST; /* one among many: the others are answered */
        refuse(&x->a, "quota_exceeded", "Your share of the idempotency keys that are remembered is in use.");
        (void)mandate_error_set(
            err, MANDATE_LIMIT,
            "all %d idempotency keys that are remembered are in use, and your share of them is: each is kept "
            "for %d minutes; ask again then, or with fewer keys",
            IDEMPOTENCY_KEYS, IDEMPOTENCY_WINDOW_MS / 60000);
        break;
    }
done:
    buf_deinit(&b);
    buf_deinit(&answer);
    return ok;
}

/* What was said before holds as long as it would be said again. */
static void repeat(run *x)
{
    x->a.duplicate = true;
    if (x->a.kind.once)
        refuse(&x->a, "duplicate_suppressed", "This was asked before with the same idempotency key: it is done once.");
    else if (!x->first_decision && x->a.verdict.decision)
        refuse(&x->a, "duplicate_suppressed", "This was asked before with the same idempotency key, and was not permitted.");
}

/* Whether it is fresh enough for its kind, and until when it can be relied on. */
static void apply_kind(http_request *r, run *x)
{
    const service *port = http_service(r);
    service_freshness fresh = {.max_us = x->a.kind.max_staleness_us};
    buf text;
    if (x->a.kind.mode == CHECK_FEED && x->a.verdict.decision) {
        x->a.valid_until_us = x->a.verdict.as_of_us + x->a.kind.max_staleness_us;
        if (x->a.valid_until_us > x->a.verdict.expires_at_us)
            x->a.valid_until_us = x->a.verdict.expires_at_us;
    }
    if (x->a.kind.mode != CHECK_SYNCHRONOUS)
        return;
    buf_init(&text);
    port->freshness(port->ctx, &x->q.check, &x->a.verdict, &fresh, &text);
    x->a.freshness = arena_dup(&r->a, buf_slice(&text));
    buf_deinit(&text);
    if ((x->a.verdict.decision || x->a.verdict.conflict) && !fresh.ok)
        refuse(&x->a, "stale_state", fresh.why);
}

static void evaluate(http_request *r, run *x)
{
    const service *port = http_service(r);
    source_set rests_on;
    bool restricted = false;
    service_required required = {.a = &r->a, .asked = cel_null()};
    x->q.check.staleness_max_us = x->a.kind.max_staleness_us;
    x->q.check.required = &required;
    x->q.check.name_all = x->a.kind.track_us > 0;
    if (x->a.kind.mode == CHECK_SYNCHRONOUS) {
        rests_on = (source_set){.all = false};
        x->q.check.rests_on = &rests_on;
        x->q.check.rests_restricted = &restricted;
    }
    port->check(port->ctx, &x->q.check, &x->a.verdict);
    if (x->a.kind.mode != CHECK_PLAIN)
        apply_kind(r, x);
    x->q.check.rests_on = NULL;
    x->q.check.rests_restricted = NULL;
    x->q.check.required = NULL;
    x->q.required = required.asked;
}

/* Work begins on a yes, unless it was begun on the same yes before. */
static void track(http_request *r, run *x)
{
    const service *port = http_service(r);
    if (!x->a.kind.track_us || !x->a.verdict.decision || x->repeated)
        return;
    if (!port->track(port->ctx, &x->q.check, &x->a.verdict, x->a.kind.track_us, x->q.idempotency_key))
        refuse(&x->a, "audit_unavailable", "The permit could not be noted as work in flight, so nothing is permitted.");
}

/* An entry of the audit log says what was asked and answered. */
static mandate_status log_of(http_request *r, run *x, mandate_error *err)
{
    buf detail;
    buf_init(&detail);
    buf_put_str(&detail, "{\"action\":");
    buf_put_json_string(&detail, x->q.check.action);
    authzen_put_text(&detail, "resource", x->q.check.resource);
    authzen_put_text(&detail, "subject", x->q.check.subject_id);
    buf_put_str(&detail, ",\"answer\":");
    authzen_put_answer(&detail, &x->q, &x->a);
    buf_put_char(&detail, '}');
    mandate_status status = http_principal(&r->ask.principal, r, err);
    r->ask.kind = SERVICE_LOG;
    r->ask.event = mandate_slice_str("checked");
    r->ask.detail = arena_dup(&r->a, buf_slice(&detail));
    r->ask.key = (mandate_slice){NULL, 0};
    if (x->a.kind.once && x->a.verdict.decision) {
        r->ask.key = arena_printf(&r->a, "%64s", "");
        r->ask.until_us = x->a.verdict.as_of_us + INT64_C(3600000000) * LIMIT_ONCE_HOURS;
        if (r->ask.key.ptr) {
            memcpy((char *)(uintptr_t)r->ask.key.ptr, x->key, 32);
            memcpy((char *)(uintptr_t)r->ask.key.ptr + 32, x->asked, 32);
        }
    }
    r->ask.mandate = x->q.check.mandate.len ? x->q.check.mandate : arena_dup(&r->a, mandate_slice_str(x->a.verdict.found));
    buf_deinit(&detail);
    if (status == MANDATE_OK && (!r->ask.detail.ptr || !r->ask.mandate.ptr || r->a.failed))
        status = mandate_error_set(err, MANDATE_NOMEM, "out of memory");
    return status;
}

/* Recording took its time: what ended meanwhile is denied. The record says what was answered before it; the answer is later. */
static void check_again(http_request *r, run *x)
{
    const service *port = http_service(r);
    service_verdict now;
    if (!x->a.verdict.decision)
        return;
    port->check(port->ctx, &x->q.check, &now);
    if (!now.decision && !(now.conflict && x->a.escalated))
        x->a.verdict = now;
}

static void logged(http_request *r, run *x)
{
    cel_value body;
    if (r->ask.error.status) { /* if it cannot be recorded nothing is granted */
        refuse(&x->a, "audit_unavailable", "The check could not be recorded, so nothing is permitted.");
        return;
    }
    if (json_value_parse(&body, &r->a, buf_slice(&r->ask.body), 0, NULL) == MANDATE_OK)
        x->a.leaf = json_member_int(body, "leaf", -1);
    check_again(r, x);
}

/* The answer as it stands in the reply; a repetition of a yes that still holds is the first answer. */
static void write_one(http_request *r, run *x)
{
    buf one;
    bool same = x->repeated && x->first.len > 2 && x->first_decision == x->a.verdict.decision && !x->a.kind.once;
    if (same) {
        buf_put(&r->reply, x->first.ptr, x->first.len - 2); /* ends in "}}" */
        buf_put_str(&r->reply, ",\"duplicate\":true}}");
        return;
    }
    if (!x->remembered) {
        authzen_put_answer(&r->reply, &x->q, &x->a);
        return;
    }
    buf_init(&one);
    authzen_put_answer(&one, &x->q, &x->a);
    buf_put_slice(&r->reply, buf_slice(&one));
    if (one.failed)
        idempotency_drop(http_idempotency(r), x->key);
    else
        idempotency_keep(http_idempotency(r), x->key, x->a.verdict.decision, buf_slice(&one));
    buf_deinit(&one);
}

static void forget(http_request *r, run *x)
{
    if (x->remembered)
        idempotency_drop(http_idempotency(r), x->key);
    x->remembered = false;
}

/* False: it waits, or the whole request has failed. Otherwise *decision and the reply are complete. */
static bool answer_one(http_request *r, run *x, bool *decision, mandate_error *err)
{
    const service *port = http_service(r);
    switch (x->stage) {
    case STAGE_READ:
        if (x->q.at_least_count && must_wait(r, x)) {
            r->ask.kind = SERVICE_AWAIT;
            r->ask.at_least = x->q.at_least;
            r->ask.at_least_count = x->q.at_least_count;
            wait_at(r, x, STAGE_WAIT);
            return false;
        }
        goto check;
    case STAGE_WAIT:
        if (r->ask.error.status) {
            evaluate(r, x);
            refuse(&x->a, "stale_state", r->ask.error.text);
            break;
        }
    check:
        x->stage = STAGE_CHECK;
        __attribute__((fallthrough));
    case STAGE_CHECK:
        if (port->kind)
            port->kind(port->ctx, x->q.check.action, &x->a.kind);
        evaluate(r, x);
        if (x->a.kind.once && !x->q.idempotency_key.len && (x->a.verdict.decision || x->a.verdict.conflict))
            refuse(&x->a, "parameter_violation", "This kind of action is done once: say action.properties.idempotency_key.");
        else if (x->q.idempotency_key.len && !remember(r, x, err)) {
            http_fail_code(r, err->status == MANDATE_LIMIT ? 429 : http_code_of(err->status), err);
            return false;
        }
        if (x->repeated)
            repeat(x);
        if (x->a.verdict.conflict && !authzen_human(r, &x->q, &x->a)) {
            wait_at(r, x, STAGE_ASKED);
            return false;
        }
        goto log;
    case STAGE_ASKED:
        authzen_human_asked(r, &x->a);
        __attribute__((fallthrough));
    case STAGE_LOG:
    log:
        if (x->a.kind.mode == CHECK_SYNCHRONOUS || (x->a.kind.once && x->a.verdict.decision)) {
            if (log_of(r, x, err) != MANDATE_OK) {
                forget(r, x);
                http_fail(r, err);
                return false;
            }
            wait_at(r, x, STAGE_LOGGED);
            return false;
        }
        break;
    case STAGE_LOGGED:
        logged(r, x);
        break;
    case STAGE_WRITE:
        break;
    }
    track(r, x);
    write_one(r, x);
    *decision = x->a.verdict.decision;
    x->stage = STAGE_READ;
    return true;
}

/* --- the request -------------------------------------------------------------------------------------------------- */
static void finish(http_request *r)
{
    buf_put_char(&r->reply, '\n');
    http_reply(r, 200, "application/json");
}

/* True when the answers given so far are all that was asked for. */
static bool is_settled(semantic how, bool decision)
{
    return (how == DENY_ON_FIRST_DENY && !decision) || (how == PERMIT_ON_FIRST_PERMIT && decision);
}

static void go_on_single(http_request *r, run *x)
{
    ERROR_SLOT(err);
    bool decision;
    if (x->stage == STAGE_READ) {
        begin(x);
        if (!authzen_read_plain(&x->q, &r->a, x->request) && authzen_read(&x->q, &r->a, x->request, cel_null(), &err)) {
            http_fail(r, &err);
            return;
        }
        if (may_ask(r, &x->q.check, &err)) {
            http_fail_code(r, http_code_denied(r, &err), &err);
            return;
        }
        if (locate(r, x, &err)) {
            http_fail(r, &err);
            return;
        }
    }
    if (answer_one(r, x, &decision, &err))
        finish(r);
}

static void go_on(http_request *r, run *x)
{
    mandate_error err;
    if (x->questions.kind != CEL_LIST) {
        go_on_single(r, x);
        return;
    }
    while (x->next < x->questions.len) {
        bool decision = false;
        mandate_status status = MANDATE_OK;
        if (x->stage == STAGE_READ) {
            begin(x);
            status = authzen_read(&x->q, &r->a, x->questions.items[x->next], x->request, &err);
            if (!status)
                status = may_ask(r, &x->q.check, &err);
            if (!status)
                status = locate(r, x, &err);
            if (status && status != MANDATE_INVALID && status != MANDATE_LIMIT && status != MANDATE_DENIED) {
                http_fail(r, &err);
                return;
            }
            if (x->next)
                buf_put_char(&r->reply, ',');
        }
        if (status)
            authzen_put_error(&r->reply, &err);
        else if (!answer_one(r, x, &decision, &err))
            return;
        x->next++;
        if (is_settled(x->how, decision))
            break;
    }
    buf_put_str(&r->reply, "]}");
    finish(r);
}

void http_evaluation(http_request *r)
{
    ERROR_SLOT(err);
    __attribute__((uninitialized)) run x; /* `begin` and what is asked set it member by member */
    x.questions = cel_null();
    x.stage = STAGE_READ;
    x.kept = false;
    x.next = 0;
    x.how = EXECUTE_ALL;
    if (http_body_value(&x.request, r, &err))
        http_fail(r, &err);
    else
        go_on_single(r, &x);
}

static mandate_status semantic_of(semantic *out, cel_value request, mandate_error *err)
{
    static const char *const names[SEMANTIC_COUNT] = {"execute_all", "deny_on_first_deny", "permit_on_first_permit"};
    cel_value options;
    mandate_status status = authzen_object(&options, request, "options", false, err);
    *out = EXECUTE_ALL;
    if (status || !json_has_member(options, "evaluations_semantic"))
        return status;
    mandate_slice name = json_member_text(options, "evaluations_semantic");
    for (int i = 0; i < SEMANTIC_COUNT; i++)
        if (mandate_slice_is(name, names[i])) {
            *out = (semantic)i;
            return MANDATE_OK;
        }
    return mandate_error_set(err, MANDATE_INVALID, "options.evaluations_semantic: expected \"%s\", \"%s\" or \"%s\"",
                             names[0], names[1], names[2]);
}

/* The questions; none when the request itself is the question. */
static mandate_status questions_of(cel_value *out, semantic *how, cel_value request, mandate_error *err)
{
    *out = cel_null();
    if (request.kind != CEL_MAP)
        return mandate_error_set(err, MANDATE_INVALID, "expected an object, got %s", json_value_kind(request));
    if (semantic_of(how, request, err))
        return err->status;
    if (!json_has_member(request, "evaluations"))
        return MANDATE_OK;
    cel_value all = json_member(request, "evaluations");
    if (all.kind != CEL_LIST)
        return mandate_error_set(err, MANDATE_INVALID, "evaluations: expected an array, got %s", json_value_kind(all));
    if (all.len > LIMIT_EVALUATIONS)
        return mandate_error_set(err, MANDATE_LIMIT,
                                 "evaluations: has %u items, at most %d are answered at once; ask again for the rest",
                                 (unsigned)all.len, LIMIT_EVALUATIONS);
    if (all.len)
        *out = all;
    return MANDATE_OK;
}

void http_evaluations(http_request *r)
{
    mandate_error err;
    run x;
    x.stage = STAGE_READ;
    x.kept = false;
    x.next = 0;
    if (http_body_value(&x.request, r, &err) || questions_of(&x.questions, &x.how, x.request, &err)) {
        http_fail(r, &err);
        return;
    }
    if (x.questions.kind == CEL_LIST)
        buf_put_str(&r->reply, "{\"evaluations\":[");
    go_on(r, &x);
}

void http_authzen_configuration(http_request *r)
{
    static const char *const endpoints[][2] = {
        {"access_evaluation_endpoint", "evaluation"},  {"access_evaluations_endpoint", "evaluations"},
        {"search_subject_endpoint", "search/subject"}, {"search_resource_endpoint", "search/resource"},
        {"search_action_endpoint", "search/action"},
    };
    mandate_slice base = http_base_url(r);
    buf_put_str(&r->reply, "{\"policy_decision_point\":");
    buf_put_json_string(&r->reply, base);
    for (size_t i = 0; i < sizeof(endpoints) / sizeof(*endpoints); i++) {
        mandate_slice url = arena_printf(&r->a, "%.*s/access/v1/%s", MANDATE_SLICE_ARG(base), endpoints[i][1]);
        authzen_put_text(&r->reply, endpoints[i][0], url);
    }
    buf_put_char(&r->reply, '}');
    finish(r);
}

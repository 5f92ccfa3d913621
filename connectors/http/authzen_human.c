/* SPDX-License-Identifier: Apache-2.0 */
/*
 * authzen_human - mandates that govern one action contradict each other: what a human said to exactly this decides, and where
 * nobody was asked, a human is asked, once.
 *
 * The yes of a permit holds at one moment: either the mandates were active after it was given, or the engine saw them active when
 * it was. (view_check comes first, then the permit is looked up.)
 */
#include "connectors/http/authzen_int.h"
#include "connectors/token/canonical.h"

#include <stdio.h>

static void say(service_verdict *v, bool decision, const char *reason, const char *text)
{
    v->decision = decision;
    v->reason = reason;
    snprintf(v->text, sizeof(v->text), "%s", text);
}

static void apply(authzen_answer *a)
{
    a->escalated = true;
    if (a->human.state == DECISION_PERMITTED) {
        say(&a->verdict, true, "permitted_by_human", "A human has permitted exactly this.");
        if (a->human.expires_at_us < a->verdict.expires_at_us || !a->verdict.expires_at_us)
            a->verdict.expires_at_us = a->human.expires_at_us;
    } else if (a->human.state == DECISION_REFUSED) {
        say(&a->verdict, false, "refused_by_human", "A human has refused exactly this.");
    }
}

static void unable(authzen_answer *a, const char *why)
{
    snprintf(a->why, sizeof(a->why), "%.199s", why);
    a->escalation_why = a->why;
}

/* In the request's arena. */
static mandate_status question_of(decision_record *out, http_request *r, authzen_question *q, const service_verdict *v,
                                  mandate_error *err)
{
    buf canonical, properties;
    buf_init(&canonical);
    buf_init(&properties);
    mandate_status status = authzen_digest(q, &r->a, &canonical, err);
    if (status == MANDATE_OK && q->required.kind == CEL_MAP)
        status = canonical_put(&properties, q->required, err);
    *out = (decision_record){.kind = DECISION_ACTION,
                             .asker = q->check.subject_id,
                             .action = q->check.action,
                             .resource = q->check.resource,
                             .digest = q->digest,
                             .mandate_count = v->governing};
    out->reason = arena_dup(&r->a, mandate_slice_str(v->text));
    for (uint32_t i = 0; i < v->governing; i++)
        out->mandates[i] = v->mandates[i];
    if (status == MANDATE_OK)
        out->parameters = arena_dup(&r->a, buf_slice(&canonical));
    if (status == MANDATE_OK && properties.len)
        out->properties = arena_dup(&r->a, buf_slice(&properties));
    if (status == MANDATE_OK && (!out->parameters.ptr || (properties.len && !out->properties.ptr) || !out->reason.ptr))
        status = mandate_error_set(err, MANDATE_NOMEM, "out of memory");
    buf_deinit(&canonical);
    buf_deinit(&properties);
    return status ? status : decision_check(out, err);
}

bool authzen_human(http_request *r, authzen_question *q, authzen_answer *a)
{
    const service *port = http_service(r);
    decision_record *question = ARENA_NEW(&r->a, decision_record);
    mandate_error err;

    if (!question || question_of(question, r, q, &a->verdict, &err) != MANDATE_OK) {
        unable(a, question ? err.text : "out of memory");
        return true;
    }
    if (!decision_action_key(question->key, question)) {
        unable(a, "SHA-256 is not available");
        return true;
    }
    if (port->decision(port->ctx, question->key, &a->human)) {
        apply(a);
        return true;
    }
    r->ask.kind = SERVICE_ASK;
    r->ask.question = question;
    r->ask.principal = q->check.subject_id;
    r->ask.lasts_us = 0;
    return false;
}

void authzen_human_asked(http_request *r, authzen_answer *a)
{
    if (r->ask.error.status) {
        unable(a, r->ask.error.text);
        return;
    }
    a->escalated = true;
    a->human = (service_decision){.state = DECISION_OPEN};
    snprintf(a->human.id, sizeof(a->human.id), "%s", r->ask.decision);
}

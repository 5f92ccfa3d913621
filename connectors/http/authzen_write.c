/* SPDX-License-Identifier: Apache-2.0 */
/* authzen_write - an answer as JSON. What most answers have is written without printf: it is a good part of what they cost. */
#include "connectors/http/authzen_int.h"
#include "engine/base/text.h"

#include <stdio.h>

const char *const check_mode_names[CHECK_MODES] = {
#define X(upper, name) name,
    CHECK_MODE_MAP(X)
#undef X
};
const char *const reversibility_names[REVERSIBILITIES] = {
#define X(upper, name) name,
    REVERSIBILITY_MAP(X)
#undef X
};

void authzen_put_text(buf *b, const char *name, mandate_slice text)
{
    buf_put_str(b, ",\"");
    buf_put_str(b, name);
    buf_put_str(b, "\":");
    buf_put_json_string(b, text);
}

void authzen_put_number(buf *b, const char *name, uint64_t v)
{
    char digits[20];
    size_t at = sizeof(digits);
    do
        digits[--at] = (char)('0' + v % 10);
    while (v /= 10);
    buf_put_str(b, ",\"");
    buf_put_str(b, name);
    buf_put_str(b, "\":");
    buf_put(b, digits + at, sizeof(digits) - at);
}

static void put_time(buf *b, const char *name, int64_t us)
{
    char text[TIME_TEXT_MAX];
    if (us)
        authzen_put_text(b, name, mandate_slice_of(text, time_format_us(text, us)));
}

/* What only some answers have. */
static void put_more(buf *b, const authzen_question *q, const authzen_answer *a)
{
    const service_verdict *v = &a->verdict;
    if (q->check.mandate_count || v->conflict) {
        const mandate_slice *ids = v->conflict ? v->mandates : q->check.mandates;
        uint32_t count = v->conflict ? v->governing : q->check.mandate_count;
        for (uint32_t i = 0; i < count; i++) {
            buf_put_str(b, i ? "," : ",\"mandates\":[");
            buf_put_json_string(b, ids[i]);
        }
        buf_put_char(b, ']');
    }
    if (a->escalated) {
        buf_printf(b, ",\"escalation\":{\"id\":\"%s\",\"state\":\"%s\"", a->human.id, decision_state_name(a->human.state));
        put_time(b, "expires_at", a->human.expires_at_us);
        buf_put_char(b, '}');
    } else if (a->escalation_why) {
        buf_put_str(b, ",\"escalation\":{\"error\":");
        buf_put_json_string(b, mandate_slice_str(a->escalation_why));
        buf_put_char(b, '}');
    }
    if (a->kind.mode != CHECK_PLAIN) {
        authzen_put_text(b, "mode", mandate_slice_str(check_mode_names[a->kind.mode]));
        authzen_put_text(b, "reversibility", mandate_slice_str(reversibility_names[a->kind.reversibility]));
    }
    put_time(b, "valid_until", a->valid_until_us);
    if (a->freshness.len) {
        buf_put_str(b, ",\"freshness\":");
        buf_put_slice(b, a->freshness);
    }
    if (a->leaf >= 0)
        authzen_put_number(b, "audit_leaf", (uint64_t)a->leaf);
    if (q->digest.len) {
        buf_put_str(b, ",\"conditions\":{\"parameter_digest\":");
        buf_put_json_string(b, q->digest);
        buf_put_char(b, '}');
    }
    if (a->duplicate)
        buf_put_str(b, ",\"duplicate\":true");
}

void authzen_put_answer(buf *b, const authzen_question *q, const authzen_answer *a)
{
    const service_verdict *v = &a->verdict;
    buf_reserve(b, 512);
    buf_put_str(b, v->decision ? "{\"decision\":true,\"context\":{\"reason\":"
                               : "{\"decision\":false,\"context\":{\"reason\":");
    buf_put_json_string(b, mandate_slice_str(v->reason));
    authzen_put_text(b, "text", mandate_slice_str(v->text));
    if (q->check.mandate.len)
        authzen_put_text(b, "mandate", q->check.mandate);
    else if (v->found[0])
        authzen_put_text(b, "mandate", mandate_slice_str(v->found));
    if (v->governing)
        authzen_put_number(b, "governing", v->governing);
    if (v->state != STATE_NONE) {
        authzen_put_text(b, "state", mandate_slice_str(mandate_state_name(v->state)));
        authzen_put_number(b, "version", v->version);
        put_time(b, "expires_at", v->expires_at_us);
    }
    if (v->because[0])
        authzen_put_text(b, "because", mandate_slice_str(v->because));
    put_time(b, "as_of", v->as_of_us);
    authzen_put_number(b, "seq", v->seq);
    if (q->check.mandate_count || v->conflict || a->kind.mode != CHECK_PLAIN || q->digest.len || a->duplicate)
        put_more(b, q, a);
    buf_put_str(b, "}}");
}

void authzen_put_error(buf *b, const mandate_error *error)
{
    bool denied = error->status == MANDATE_DENIED;
    buf_printf(b, "{\"decision\":false,\"context\":{\"reason\":\"%s\",\"error\":{\"status\":%d,\"message\":",
               denied ? "access_denied" : "invalid_request", denied ? 403 : 400);
    buf_put_json_string(b, mandate_slice_str(error->text));
    buf_put_str(b, "}}}");
}

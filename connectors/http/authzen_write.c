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

/* Pieces of known length, put one behind the other. */
#define PUT(b, literal) buf_put(b, literal, sizeof(literal) - 1)
#define PUT_TEXT(b, name, text) (PUT(b, ",\"" name "\":"), buf_put_json_string(b, text))
#define PUT_NUMBER(b, name, v) (PUT(b, ",\"" name "\":"), put_digits(b, v))
#define PUT_TIME(b, name, us) ((us) ? (PUT(b, ",\"" name "\":\""), put_time(b, us)) : (void)0)

static void put_digits(buf *b, uint64_t v)
{
    char digits[20];
    size_t at = sizeof(digits);
    do
        digits[--at] = (char)('0' + v % 10);
    while (v /= 10);
    buf_put(b, digits + at, sizeof(digits) - at);
}

/* Behind its opening quote. */
static void put_time(buf *b, int64_t us)
{
    char text[TIME_TEXT_MAX + 1];
    size_t len = time_format_us(text, us);
    text[len] = '"';
    buf_put(b, text, len + 1);
}

void authzen_put_text(buf *b, const char *name, mandate_slice text)
{
    buf_put_str(b, ",\"");
    buf_put_str(b, name);
    buf_put_str(b, "\":");
    buf_put_json_string(b, text);
}

void authzen_put_number(buf *b, const char *name, uint64_t v)
{
    buf_put_str(b, ",\"");
    buf_put_str(b, name);
    buf_put_str(b, "\":");
    put_digits(b, v);
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
        PUT_TIME(b, "expires_at", a->human.expires_at_us);
        buf_put_char(b, '}');
    } else if (a->escalation_why) {
        buf_put_str(b, ",\"escalation\":{\"error\":");
        buf_put_json_string(b, mandate_slice_str(a->escalation_why));
        buf_put_char(b, '}');
    }
    if (a->kind.mode != CHECK_PLAIN) {
        PUT_TEXT(b, "mode", mandate_slice_str(check_mode_names[a->kind.mode]));
        PUT_TEXT(b, "reversibility", mandate_slice_str(reversibility_names[a->kind.reversibility]));
    }
    PUT_TIME(b, "valid_until", a->valid_until_us);
    if (a->freshness.len) {
        buf_put_str(b, ",\"freshness\":");
        buf_put_slice(b, a->freshness);
    }
    if (a->leaf >= 0)
        PUT_NUMBER(b, "audit_leaf", (uint64_t)a->leaf);
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
    if (v->decision)
        PUT(b, "{\"decision\":true,\"context\":{\"reason\":");
    else
        PUT(b, "{\"decision\":false,\"context\":{\"reason\":");
    buf_put_json_string(b, mandate_slice_str(v->reason));
    PUT_TEXT(b, "text", mandate_slice_str(v->text));
    if (q->check.mandate.len)
        PUT_TEXT(b, "mandate", q->check.mandate);
    else if (v->found[0])
        PUT_TEXT(b, "mandate", mandate_slice_str(v->found));
    if (v->governing)
        PUT_NUMBER(b, "governing", v->governing);
    if (v->state != STATE_NONE) {
        PUT_TEXT(b, "state", mandate_slice_str(mandate_state_name(v->state)));
        PUT_NUMBER(b, "version", v->version);
        PUT_TIME(b, "expires_at", v->expires_at_us);
    }
    if (v->because[0])
        PUT_TEXT(b, "because", mandate_slice_str(v->because));
    PUT_TIME(b, "as_of", v->as_of_us);
    PUT_NUMBER(b, "seq", v->seq);
    if (q->check.mandate_count || v->conflict || a->kind.mode != CHECK_PLAIN || q->digest.len || a->duplicate)
        put_more(b, q, a);
    PUT(b, "}}");
}

void authzen_put_error(buf *b, const mandate_error *error)
{
    bool denied = error->status == MANDATE_DENIED;
    buf_printf(b, "{\"decision\":false,\"context\":{\"reason\":\"%s\",\"error\":{\"status\":%d,\"message\":",
               denied ? "access_denied" : "invalid_request", denied ? 403 : 400);
    buf_put_json_string(b, mandate_slice_str(error->text));
    buf_put_str(b, "}}}");
}

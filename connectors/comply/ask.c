/* SPDX-License-Identifier: Apache-2.0 */
/* ask - every rule over one mandate. What cannot be told counts against it. */
#include "connectors/comply/comply_int.h"

const char *const comply_operation_names[COMPLY_OPERATIONS] = {"issue", "delegate", "amend"};

const char *comply_name(const comply *c) { return c->name; }
const char *comply_path(const comply *c) { return c->path; }
uint32_t comply_rule_count(const comply *c) { return c->count; }

static mandate_slice why_not(arena *a, const char *condition, cel_value v)
{
    if (v.kind == CEL_ERROR && v.error)
        return arena_printf(a, "%s: %.*s", condition, (int)(v.error->message.len < 400 ? v.error->message.len : 400),
                            v.error->message.ptr);
    return arena_printf(a, "%s cannot be told", condition);
}

/* Is the rule met? `why` says what could not be told. */
static bool is_met(const comply_rule *r, const comply_question *q, arena *a, uint64_t *left, mandate_slice *why)
{
    cel_value v = r->applies ? comply_eval(r->applies, q, a, left) : cel_bool(true);
    if (cel_is_false(v))
        return true;
    if (!cel_is_true(v)) {
        *why = why_not(a, "applies", v);
        return false;
    }
    v = comply_eval(r->require, q, a, left);
    if (cel_is_true(v))
        return true;
    if (!cel_is_false(v))
        *why = why_not(a, "require", v);
    return false;
}

mandate_status comply_ask(const comply *c, const comply_question *q, arena *a, comply_verdict *out, mandate_error *err)
{
    uint64_t left = LIMIT_CEL_COST;
    *out = (comply_verdict){.breaches = ARENA_ARRAY(a, comply_breach, c->count)};
    for (uint32_t i = 0; out->breaches && i < c->count; i++) {
        mandate_slice why = {"", 0};
        const comply_rule *r = &c->rules[i];
        if (is_met(r, q, a, &left, &why))
            continue;
        comply_breach *b = &out->breaches[out->count++];
        *b = (comply_breach){.rule = r->name, .message = r->message, .action = r->action, .line = r->line, .why = why};
        if (r->action == COMPLY_REFUSE && !out->refused)
            out->refused = b;
    }
    if (!out->breaches || a->failed)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for compliance rules: nothing is granted");
    return MANDATE_OK;
}

mandate_status comply_refusal(const comply_breach *b, mandate_error *err)
{
    return mandate_error_set(err, MANDATE_DENIED, "compliance rule %s: %s%s%.*s%s", b->rule, b->message,
                             b->why.len ? " (" : "", MANDATE_SLICE_ARG(b->why), b->why.len ? ")" : "");
}

void comply_breach_json(buf *b, const comply_breach *breach)
{
    buf_put_str(b, "{\"rule\":");
    buf_put_json_string(b, mandate_slice_str(breach->rule));
    buf_printf(b, ",\"action\":\"%s\",\"message\":", breach->action == COMPLY_FLAG ? "flag" : "refuse");
    buf_put_json_string(b, mandate_slice_str(breach->message));
    if (breach->why.len) {
        buf_put_str(b, ",\"why\":");
        buf_put_json_string(b, breach->why);
    }
    buf_put_char(b, '}');
}

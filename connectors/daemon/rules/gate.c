/* SPDX-License-Identifier: Apache-2.0 */
/* gate - see gate.h. */
#include "connectors/daemon/rules/gate.h"

#include "connectors/daemon/base/log.h"

void gate_rules_init(gate_rules *g)
{
    g->rules = NULL;
    pthread_mutex_init(&g->lock, NULL);
}

void gate_rules_deinit(gate_rules *g)
{
    comply_drop(g->rules);
    g->rules = NULL;
    pthread_mutex_destroy(&g->lock);
}

void gate_rules_put(gate_rules *g, comply *rules)
{
    pthread_mutex_lock(&g->lock);
    comply *old = g->rules;
    g->rules = rules;
    pthread_mutex_unlock(&g->lock);
    comply_drop(old);
}

comply *gate_rules_take(gate_rules *g)
{
    pthread_mutex_lock(&g->lock);
    comply *rules = comply_hold(g->rules);
    pthread_mutex_unlock(&g->lock);
    return rules;
}

/* Those that refuse, or those that flag, as a JSON array. */
static void put_breaches(buf *b, const comply_verdict *v, bool flags)
{
    uint32_t count = 0;

    buf_put_char(b, '[');
    for (uint32_t i = 0; i < v->count; i++) {
        if ((v->breaches[i].action == COMPLY_FLAG) != flags)
            continue;
        buf_put_str(b, count++ ? "," : "");
        comply_breach_json(b, &v->breaches[i]);
    }
    buf_put_char(b, ']');
}

static mandate_slice breaches_json(arena *a, const char *begin, const comply_verdict *v, bool flags, const char *end)
{
    buf b;

    buf_init(&b);
    buf_put_str(&b, begin);
    put_breaches(&b, v, flags);
    buf_put_str(&b, end);
    mandate_slice out = b.failed ? (mandate_slice){NULL, 0} : arena_dup(a, buf_slice(&b));
    buf_deinit(&b);
    return out;
}

/* The whole list when it fits an entry, else the first rule alone. */
static mandate_slice detail_of(arena *a, comply_operation operation, const comply_verdict *v, bool flags)
{
    const char *begin = arena_printf(a, "{\"operation\":\"%s\",\"breaches\":", comply_operation_names[operation]).ptr;
    mandate_slice out = begin ? breaches_json(a, begin, v, flags, "}") : (mandate_slice){NULL, 0};

    if (out.len <= LIMIT_AUDIT_DETAIL || !begin)
        return out;
    comply_breach first = flags ? v->breaches[0] : *v->refused;
    for (uint32_t i = 0; flags && first.action != COMPLY_FLAG; i++)
        first = v->breaches[i];
    first.why = mandate_slice_of("", 0);
    comply_verdict one = {.breaches = &first, .count = 1};
    return breaches_json(a, begin, &one, flags, ",\"more\":true}");
}

static comply_operation operation_of(const service_request *r)
{
    if (r->kind == SERVICE_ISSUE)
        return r->claims->parent.len ? COMPLY_DELEGATE : COMPLY_ISSUE;
    return r->kind == SERVICE_DELEGATE ? COMPLY_DELEGATE : COMPLY_AMEND;
}

static uint32_t flag_count(const comply_verdict *v)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < v->count; i++)
        count += v->breaches[i].action == COMPLY_FLAG;
    return count;
}

void gate_ask(gate_rules *g, arena *a, const service_request *r, const claims *asked, const claims *parent, int64_t now_us,
              gate_verdict *out)
{
    comply *rules = gate_rules_take(g);
    comply_verdict v;

    *out = (gate_verdict){.refused = false};
    if (!rules)
        return;
    comply_question q = {
        .claims = asked, .parent = parent, .operation = operation_of(r), .principal = r->principal, .now_us = now_us};
    if (comply_ask(rules, &q, a, &v, &out->error) != MANDATE_OK) {
        out->refused = true;
    } else if (v.refused) {
        out->refused = true;
        out->event = mandate_slice_str("compliance_refused");
        out->detail = detail_of(a, q.operation, &v, false);
        (void)comply_refusal(v.refused, &out->error);
    } else if (flag_count(&v)) {
        out->event = mandate_slice_str("compliance_flagged");
        out->detail = detail_of(a, q.operation, &v, true);
        out->flags = breaches_json(a, "", &v, true, "");
        log_write(LOG_WARN, "compliance", "mandate %.*s by %.*s: rule %s: %s", MANDATE_SLICE_ARG(asked->id),
                  MANDATE_SLICE_ARG(r->principal), v.breaches[0].rule, v.breaches[0].message);
    }
    if (out->event.len && !out->detail.ptr) { /* what cannot be recorded is not granted */
        out->refused = true;
        out->event = (mandate_slice){NULL, 0};
        (void)mandate_error_set(&out->error, MANDATE_NOMEM, "out of memory for compliance rules: nothing is granted");
    }
    comply_drop(rules);
}

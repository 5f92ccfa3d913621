/* SPDX-License-Identifier: Apache-2.0 */
/*
 * define - definitions looked at before they run, for whoever asks, on the asker's thread: the frozen schema and stored claims are
 * all that is read, and engine/lint is bounded.
 */
#include "connectors/daemon/define.h"

#include "connectors/daemon/base/clock.h"
#include "connectors/token/artifact.h"
#include "engine/lint/lint.h"

/* The parent, if there is one. */
static const claims *load_parent(daemon_state *d, const claims *c, arena *a)
{
    mandate_slice bytes;
    claims *parent = c->parent.len ? ARENA_NEW(a, claims) : NULL;

    if (!parent || store_claims_load(d->store, a, c->parent, &bytes, NULL) != MANDATE_OK ||
        claims_decode(parent, a, bytes, NULL) != MANDATE_OK)
        return NULL;
    return parent;
}

typedef struct findings {
    buf *out;
    bool any;
    uint32_t count[LINT_SEVERITY_COUNT];
} findings;

static void put_finding(findings *f, const lint_finding *finding)
{
    buf_put_str(f->out, f->any ? "," : "");
    lint_finding_json(f->out, finding);
    f->any = true;
    f->count[lint_rules[finding->code].severity]++;
}

static void put_breach(findings *f, const comply_breach *b)
{
    lint_severity severity = b->action == COMPLY_FLAG ? LINT_WARNING : LINT_ERROR;

    buf_put_str(f->out, f->any ? ",{\"code\":" : "{\"code\":");
    buf_put_json_string(f->out, mandate_slice_str(b->rule));
    buf_printf(f->out, ",\"severity\":\"%s\",\"member\":\"\",\"what\":", lint_severity_names[severity]);
    buf_put_json_string(f->out, mandate_slice_str(b->message));
    buf_put_str(f->out, ",\"why\":");
    buf_put_json_string(f->out, b->why.len ? b->why : mandate_slice_str("a compliance rule is not met"));
    buf_printf(f->out, ",\"fix\":\"%s\"}",
               severity == LINT_ERROR ? "satisfy the rule: it is refused when it is issued"
                                      : "satisfy the rule, or be flagged");
    f->any = true;
    f->count[severity]++;
}

static mandate_status put_breaches(findings *f, daemon_state *d, const comply_question *q, arena *a, mandate_error *err)
{
    comply *rules = gate_rules_take(&d->compliance);
    comply_verdict v = {.count = 0};
    mandate_status status = rules ? comply_ask(rules, q, a, &v, err) : MANDATE_OK;

    for (uint32_t i = 0; status == MANDATE_OK && i < v.count; i++)
        put_breach(f, &v.breaches[i]);
    comply_drop(rules);
    return status;
}

mandate_status define_lint(daemon_state *d, const claims *c, mandate_slice principal, arena *a, buf *out, mandate_error *err)
{
    findings f = {.out = out};
    lint_report report;
    lint_options options = {
        .schema = d->schema, .supplied_known = true, .now_us = clock_now_us(), .parent = load_parent(d, c, a)};
    comply_question q = {.claims = c,
                         .parent = options.parent,
                         .operation = c->parent.len ? COMPLY_DELEGATE : COMPLY_ISSUE,
                         .principal = principal,
                         .now_us = options.now_us};
    mandate_error unsigned_error = {0};
    mandate_status status = lint_run(&report, a, c, &options, err);

    buf_put_str(out, "{\"findings\":[");
    for (uint32_t i = 0; status == MANDATE_OK && i < report.findings.len; i++)
        put_finding(&f, &report.findings.data[i]);
    if (status == MANDATE_OK && f.count[LINT_ERROR] == 0 && artifact_check(c, &unsigned_error) != MANDATE_OK) {
        lint_finding no = {
            .code = LINT_CLAIMS, .member = mandate_slice_str(""), .what = mandate_slice_str(unsigned_error.text)};
        put_finding(&f, &no);
    }
    if (status == MANDATE_OK)
        status = put_breaches(&f, d, &q, a, err);
    buf_printf(out, "],\"errors\":%u,\"warnings\":%u,\"notes\":%u}", f.count[LINT_ERROR], f.count[LINT_WARNING],
               f.count[LINT_NOTE]);
    lint_report_deinit(&report);
    return status;
}

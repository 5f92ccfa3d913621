/* SPDX-License-Identifier: Apache-2.0 */
/*
 * define - definitions looked at before they run, for whoever asks, on the asker's thread: the frozen schema and stored claims are
 * all that is read, and engine/lint is bounded.
 */
#include "connectors/daemon/define.h"

#include "connectors/daemon/clock.h"
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

mandate_status define_lint(daemon_state *d, const claims *c, arena *a, buf *out, mandate_error *err)
{
    lint_report report;
    lint_options options = {
        .schema = d->schema, .supplied_known = true, .now_us = clock_now_us(), .parent = load_parent(d, c, a)};
    mandate_status status = lint_run(&report, a, c, &options, err);

    buf_put_str(out, "{\"findings\":[");
    for (uint32_t i = 0; status == MANDATE_OK && i < report.findings.len; i++) {
        buf_put_str(out, i ? "," : "");
        lint_finding_json(out, &report.findings.data[i]);
    }
    if (status == MANDATE_OK && report.count[LINT_ERROR] == 0 && artifact_check(c, err) != MANDATE_OK) {
        lint_finding f = {.code = LINT_CLAIMS, .member = mandate_slice_str(""), .what = mandate_slice_str(err->text)};
        buf_put_str(out, report.findings.len ? "," : "");
        lint_finding_json(out, &f);
        report.count[LINT_ERROR]++;
    }
    buf_printf(out, "],\"errors\":%u,\"warnings\":%u,\"notes\":%u}", report.count[LINT_ERROR], report.count[LINT_WARNING],
               report.count[LINT_NOTE]);
    lint_report_deinit(&report);
    return status;
}

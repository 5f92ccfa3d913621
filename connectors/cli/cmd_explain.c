/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mandate explain - every clause as a tree: a mark for its truth, and under each term what it read
 * and who said so.
 *
 *   x while  crm.conversation["R-42"].status == "open" && !procurement.program["c"].cancelled
 *     +- x crm.conversation["R-42"].status == "open"
 *     |     crm.conversation["R-42"].status = closed  crm.cdc/0@42  2026-01-01T00:00:00Z
 *     +- v !procurement.program["c"].cancelled
 *
 * Before that the last transition: who or which event, when, what its clause read then, what fell with it, and what was known of work
 * in flight; then the amendments, and since when they are kept.
 */
#include <inttypes.h>

#include "connectors/cli/client.h"
#include "connectors/cli/out.h"
#include "connectors/cli/show.h"
#include "engine/limits.h"

typedef struct tree {
    buf line;
    buf indent; /* what stands in front of every line of this depth */
    arena *a;
} tree;

static void put_mark(buf *line, mandate_slice truth)
{
    out_style style;
    const char *mark = out_truth_mark(truth, &style);
    out_str(line, style, mark);
    buf_put_char(line, ' ');
}

static void show_reads(tree *t, cel_value node, bool has_children)
{
    cel_value reads = json_member(node, "reads");
    for (uint32_t i = 0; reads.kind == CEL_LIST && i < reads.len; i++) {
        cel_value read = reads.items[i], value = json_member(read, "value");
        bool known = show_is_known(read);
        buf_put_slice(&t->line, buf_slice(&t->indent));
        buf_put_str(&t->line, has_children ? "\xE2\x94\x82   " : "    ");
        out_text(&t->line, OUT_DIM, json_member_text(read, "path"));
        buf_put_str(&t->line, " = ");
        out_text(&t->line, known ? OUT_BOLD : OUT_DOUBT, known ? out_value(t->a, value) : mandate_slice_str("unknown"));
        buf_put_str(&t->line, "  ");
        show_origin(&t->line, read);
        out_line(&t->line);
    }
}

static void show_children(tree *t, cel_value node, int depth);

static void show_node(tree *t, cel_value node, bool last, int depth)
{
    mandate_slice text = json_member_text(node, "text"), op = json_member_text(node, "op");
    cel_value children = json_member(node, "children");
    bool has_children = children.kind == CEL_LIST && children.len > 0;
    size_t outer = t->indent.len;
    buf_put_slice(&t->line, buf_slice(&t->indent));
    buf_put_str(&t->line, last ? "\xE2\x94\x94\xE2\x94\x80 " : "\xE2\x94\x9C\xE2\x94\x80 ");
    put_mark(&t->line, json_member_text(node, "value"));
    if (has_children)
        out_text(&t->line, OUT_DIM, op);
    else
        out_text(&t->line, OUT_PLAIN, text.len ? text : op);
    out_line(&t->line);
    buf_put_str(&t->indent, last ? "   " : "\xE2\x94\x82  ");
    show_reads(t, node, has_children);
    if (depth < LIMIT_RECORD_DEPTH)
        show_children(t, node, depth + 1);
    t->indent.len = outer;
}

static void show_children(tree *t, cel_value node, int depth)
{
    cel_value children = json_member(node, "children");
    for (uint32_t i = 0; children.kind == CEL_LIST && i < children.len; i++)
        show_node(t, children.items[i], i + 1 == children.len, depth);
}

static void show_clause(tree *t, cel_value clause)
{
    cel_value root = json_member(clause, "tree");
    cel_value children = json_member(root, "children");
    put_mark(&t->line, json_member_text(clause, "value"));
    out_text(&t->line, OUT_BOLD, json_member_text(clause, "clause"));
    buf_put_str(&t->line, "  ");
    if (json_has_member(clause, "restricted"))
        out_str(&t->line, OUT_DIM, "(restricted to others)");
    else
        out_text(&t->line, OUT_PLAIN, json_member_text(clause, "text"));
    out_line(&t->line);
    /* The clause's own line stands for the root; one that is a single term shows only what it read.
     */
    buf_put_str(&t->indent, "  ");
    show_reads(t, root, children.kind == CEL_LIST && children.len > 0);
    show_children(t, root, 0);
    t->indent.len = 0;
}

/* Work that was begun on a yes. */
static void show_checks(buf *line, cel_value checks)
{
    for (uint32_t i = 0; checks.kind == CEL_LIST && i < checks.len; i++) {
        out_str(line, OUT_DIM, "  permitted  ");
        out_text(line, OUT_DIM, json_member_text(checks.items[i], "time"));
        buf_put_str(line, "  ");
        out_text(line, OUT_PLAIN, json_member_text(checks.items[i], "action"));
        buf_put_str(line, "  ");
        out_text(line, OUT_PLAIN, json_member_text(checks.items[i], "resource"));
        out_line(line);
    }
}

static void show_last(tree *t, cel_value whole)
{
    cel_value last = json_member(whole, "transition");
    int64_t fell = json_member_int(json_member(last, "cascade"), "count", 0);
    char count[96];
    if (last.kind != CEL_MAP)
        return;
    show_transition(&t->line, last);
    buf_put_str(&t->line, "  ");
    out_text(&t->line, OUT_DIM, json_member_text(last, "effective_at"));
    out_line(&t->line);
    show_terms(last);
    if (fell > 0) {
        snprintf(count, sizeof(count), "  %" PRId64 " fell with it: mandatectl audit entries --txn ", fell);
        out_str(&t->line, OUT_PLAIN, count);
        out_text(&t->line, OUT_PLAIN, json_member_text(last, "txn"));
        out_line(&t->line);
    }
    show_json(&t->line, "in flight", json_member(last, "in_flight"));
    show_json(&t->line, "in flight", json_member(whole, "in_flight")); /* of one that goes on */
    show_checks(&t->line, json_member(whole, "checks"));
}

/* The newest first; and that there were more, which are no longer kept. */
static void show_amendments(buf *line, cel_value whole)
{
    cel_value amendments = json_member(whole, "amendments"), beyond = json_member(whole, "beyond_horizon");
    char text[96];
    for (uint32_t i = 0; amendments.kind == CEL_LIST && i < amendments.len; i++) {
        cel_value one = amendments.items[i], changes = json_member(one, "changes");
        snprintf(text, sizeof(text), "  amended    v%" PRId64 "  ", json_member_int(one, "version", 0));
        out_str(line, OUT_DIM, text);
        out_text(line, OUT_DIM, json_member_text(one, "at"));
        for (uint32_t k = 0; changes.kind == CEL_LIST && k < changes.len; k++) {
            buf_put_str(line, k ? ", " : "  ");
            out_text(line, OUT_PLAIN, json_member_text(changes.items[k], "member"));
        }
        buf_put_str(line, "  ");
        show_by(line, one);
        out_line(line);
    }
    if (beyond.kind != CEL_MAP)
        return;
    out_str(line, OUT_DOUBT, "  amendments earlier than ");
    out_text(line, OUT_DOUBT, json_member_text(beyond, "before"));
    snprintf(text, sizeof(text),
             " (step %" PRId64 ") are beyond the history horizon: ", json_member_int(beyond, "before_seq", 0));
    out_str(line, OUT_DOUBT, text);
    out_str(line, OUT_PLAIN, "mandatectl audit entries --mandate ");
    out_text(line, OUT_PLAIN, show_id(whole));
    out_line(line);
}

static void show_explanation(client *c)
{
    tree t = {.a = &c->a};
    cel_value clauses = json_member(c->value, "clauses");
    mandate_slice state = show_state(c->value), because = json_member_text(c->value, "because");
    char version[32];
    buf_init(&t.line);
    buf_init(&t.indent);
    out_text(&t.line, OUT_BOLD, show_id(c->value));
    buf_put_str(&t.line, "  ");
    out_text(&t.line, out_state_style(state), state);
    snprintf(version, sizeof(version), "  version %" PRId64, json_member_int(c->value, "version", 0));
    out_str(&t.line, OUT_DIM, version);
    if (because.len && !mandate_slice_eq(because, show_id(c->value))) {
        buf_put_str(&t.line, "  because of ");
        out_text(&t.line, OUT_BOLD, because);
    }
    if (json_has_member(c->value, "since")) {
        buf_put_str(&t.line, "  ");
        out_text(&t.line, OUT_PLAIN, json_member_text(c->value, "reason"));
        buf_put_str(&t.line, " since ");
        out_text(&t.line, OUT_DIM, json_member_text(c->value, "since"));
        snprintf(version, sizeof(version), ", as of step %" PRId64, json_member_int(c->value, "seq", 0));
        out_str(&t.line, OUT_DIM, version);
    }
    out_line(&t.line);
    show_last(&t, c->value);
    show_amendments(&t.line, c->value);
    for (uint32_t i = 0; clauses.kind == CEL_LIST && i < clauses.len; i++)
        show_clause(&t, clauses.items[i]);
    buf_deinit(&t.line);
    buf_deinit(&t.indent);
}

int cmd_mandate_explain(int argc, char **argv)
{
    arg_common common;
    const char *id[1], *as_of = NULL;
    const arg_option options[] = {{.name = "--as-of", .value = &as_of}};
    buf path;
    if (!args_parse(argc, argv, &common, options, 1, id, 1, 1))
        return CLI_REFUSED;
    buf_init(&path);
    buf_put_str(&path, "/v1/mandates/");
    path_segment(&path, mandate_slice_str(id[0]));
    buf_put_str(&path, "/explain");
    path_query(&path, "as_of", as_of);
    exit_code code = client_show(&common, buf_cstr(&path), show_explanation);
    buf_deinit(&path);
    return code;
}

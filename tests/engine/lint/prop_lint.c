/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Properties of engine/lint against the condition index that mandates run on: whatever state the business is in, a clause of
 * which the linter says that it is never true (false) is not, and a part that it calls redundant can be left out. Conditions are
 * random formulas over few cells; states are random values, nulls and nothing at all.
 */
#include "tests/engine/rig.h"

#include "engine/lint/lint.h"

#include <string.h>

enum { CONDITIONS = 1500, STATES = 60 };

static void put_atom(buf *b, uint64_t *rng)
{
    static const char *const statuses[] = {"open", "won", "lost"};
    static const char *const orders[] = {"<", "<=", ">", ">=", "==", "!="};
    switch (random_below(rng, 5)) {
    case 0:
        buf_printf(b, "crm.conversation[\"A\"].status %s \"%s\"",
                   random_below(rng, 2) ? "==" : "!=", statuses[random_below(rng, 3)]);
        return;
    case 1:
        buf_printf(b, "crm.conversation[\"A\"].count %s %u", orders[random_below(rng, 6)], random_below(rng, 4));
        return;
    case 2:
        buf_printf(b, "%u %s crm.conversation[\"A\"].count", random_below(rng, 4), orders[random_below(rng, 6)]);
        return;
    case 3:
        buf_printf(b, "crm.conversation[\"A\"].status in [\"open\", \"%s\"]", statuses[random_below(rng, 3)]);
        return;
    default:
        buf_printf(b, "crm.conversation[\"A\"].open%s", random_below(rng, 3) ? "" : " == false");
        return;
    }
}

/* Where each part of the formula stands, and what it is a part of. Each begins somewhere else. */
static struct part {
    size_t begin, end;
    char of; /* '&', '|', or nothing */
} parts[64];
static uint32_t part_count;

static void put_formula(buf *b, uint64_t *rng, int depth, char of)
{
    uint32_t what = depth ? random_below(rng, 4) : 0, mine = part_count++;
    assert_true(mine < 64);
    parts[mine] = (struct part){.begin = b->len, .of = of};
    if (what == 0) {
        put_atom(b, rng);
    } else if (what == 1) {
        buf_put_str(b, "!(");
        put_formula(b, rng, depth - 1, ' ');
        buf_put_char(b, ')');
    } else {
        buf_put_char(b, '(');
        put_formula(b, rng, depth - 1, what == 2 ? '&' : '|');
        buf_put_str(b, what == 2 ? ") && (" : ") || (");
        put_formula(b, rng, depth - 1, what == 2 ? '&' : '|');
        buf_put_char(b, ')');
    }
    parts[mine].end = b->len;
}

static void change_state(rig *g, uint64_t *rng)
{
    static const char *const statuses[] = {"open", "won", "lost", "else"};
    change *ch = rig_upsert(g, CONVERSATION, "A", CHANGE_NO_TIME);
    ch->op = random_below(rng, 12) ? CHANGE_UPSERT : CHANGE_DELETE;
    if (ch->op == CHANGE_UPSERT) {
        rig_set(g, ch, "status", random_below(rng, 8) ? STR(statuses[random_below(rng, 4)]) : cel_null());
        rig_set(g, ch, "count", random_below(rng, 8) ? cel_int((int64_t)random_below(rng, 6) - 1) : cel_null());
        rig_set(g, ch, "open", random_below(rng, 8) ? cel_bool(random_below(rng, 2)) : cel_null());
    }
    rig_apply(g, ch);
}

typedef struct bound {
    condition_template *t;
    condition_edge edge;
} bound;

static bound bind(rig *g, const claims *c, mandate_slice text)
{
    mandate_error err = {0};
    bound b;
    if (condition_compile(&b.t, g->index, text, &err) || condition_bind(&b.edge, g->index, b.t, text, c, &err))
        fail_msg("%.*s: %s", MANDATE_SLICE_ARG(text), err.text);
    return b;
}

static void let_go(rig *g, bound *b)
{
    condition_release(g->index, b->edge);
    condition_template_release(g->index, b->t);
}

static condition_truth settled(rig *g, const bound *b)
{
    const condition_flips *flips;
    uint32_t count;
    assert_true(condition_settle(g->index, &flips, &count));
    return condition_value(g->index, b->edge);
}

/* The clause with the finding's part replaced by what it is when it is left out. */
static mandate_slice without(arena *a, mandate_slice text, const lint_finding *f)
{
    for (uint32_t i = 0; i < part_count; i++)
        if (parts[i].begin == f->begin + 1 && parts[i].end + 1 == f->end && parts[i].of != ' ')
            return arena_printf(a, "%.*s%s%.*s", (int)parts[i].begin, text.ptr, parts[i].of == '&' ? "true" : "false",
                                (int)(text.len - parts[i].end), text.ptr + parts[i].end);
    fail_msg("no part begins at %u of %.*s", f->begin, MANDATE_SLICE_ARG(text));
    return text;
}

static void test_lint__findings_hold_in_every_state(void **state)
{
    rig *g = *state;
    uint64_t rng = 20261130;
    uint32_t nevers = 0, alwayses = 0, redundant = 0, both = 0;
    for (int i = 0; i < CONDITIONS; i++) {
        arena_reset(&g->memory);
        claims *c = rig_claims(g, "m");
        lint_options o = {.schema = g->schema, .supplied_known = true, .now_us = RIG_START};
        lint_report r;
        mandate_error err = {0};
        buf b;
        buf_init(&b);
        part_count = 0;
        put_formula(&b, &rng, 3, ' ');
        mandate_slice text = arena_dup(&g->memory, buf_slice(&b));
        buf_deinit(&b);
        c->clause[CLAUSE_UNTIL] = text;
        assert_int_equal(lint_run(&r, &g->memory, c, &o, &err), MANDATE_OK);
        bool never = false, always = false;
        uint32_t part = UINT32_MAX;
        for (uint32_t k = 0; k < r.findings.len; k++) {
            never = never || r.findings.data[k].code == LINT_UNTIL_NEVER;
            always = always || r.findings.data[k].code == LINT_UNTIL_ALWAYS;
            if (r.findings.data[k].code == LINT_REDUNDANT && part == UINT32_MAX)
                part = k;
        }
        bound whole = bind(g, c, text), less = {NULL, 0};
        if (part != UINT32_MAX)
            less = bind(g, c, without(&g->memory, text, &r.findings.data[part]));
        bool was_true = false, was_false = false;
        for (int k = 0; k < STATES; k++) {
            change_state(g, &rng);
            condition_truth v = settled(g, &whole);
            was_true = was_true || v == TRUTH_TRUE;
            was_false = was_false || v == TRUTH_FALSE;
            if ((never && v == TRUTH_TRUE) || (always && v == TRUTH_FALSE))
                fail_msg("%.*s: it is %s after all", MANDATE_SLICE_ARG(text), condition_truth_names[v]);
            if (less.t && settled(g, &less) != v)
                fail_msg("%.*s: it is not the same without %u..%u", MANDATE_SLICE_ARG(text), r.findings.data[part].begin,
                         r.findings.data[part].end);
        }
        let_go(g, &whole);
        if (less.t)
            let_go(g, &less);
        nevers += never;
        alwayses += always;
        redundant += part != UINT32_MAX;
        both += was_true && was_false;
        if (was_true && was_false)
            assert_false(never || always);
        lint_report_deinit(&r);
    }
    /* It would find nothing if it looked at nothing. */
    assert_true(nevers > 10 && alwayses > 5 && redundant > 50 && both > CONDITIONS / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_lint__findings_hold_in_every_state, rig_index, rig_deinit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prop_several - where several mandates govern, the answer never permits what one of them refuses: random mandates, chains, states and
 * expiries, random questions, judged by a model that shares nothing with the view but the claims.
 *
 *   prop_several [WORLDS [SEED]]
 */
#include "connectors/daemon/view/view.h"

#include <setjmp.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { MANDATES = 10, QUESTIONS = 60, NOW = 1000 };
static unsigned worlds = 1500;
static uint64_t seed = 20261130;

static const char *const actions[] = {"*", "pay.*", "pay.small", "read"}, *const asked_actions[] = {"pay.small", "pay.large",
                                                                                                    "read"};
static const char *const resources[] = {"*", "acc/*", "acc/1", "acc/2"}, *const asked_resources[] = {"acc/1", "acc/2",
                                                                                                     "doc/1"};
static const char *const agents[] = {"a", "b"}, *const numbers[] = {"eur", "usd"};
/* Properties whose values are required: one of the action, of the resource, of the context; each is one of VALUES. */
enum { PROPERTIES = 3, VALUES = 4 };
static const char *const properties[] = {"soft", "region", "channel"}, *const required_names[] = {"action.soft",
                                                                                                  "resource.region",
                                                                                                  "context.channel"};

typedef struct model {
    char id[16];
    unsigned agent, action, resource;
    int64_t max[2];               /* of each number; 0: not bounded */
    unsigned require[PROPERTIES]; /* bits of the values that one must be of; 0: nothing is required */
    int parent;
    mandate_state state;
    int64_t expires;
} model;

typedef struct question {
    unsigned agent, action, resource;
    int64_t said[2];            /* 0: not said */
    unsigned value[PROPERTIES]; /* of VALUES; VALUES: one that nobody requires; VALUES + 1: not said */
} question;

static model all[MANDATES];
static unsigned count;

static uint64_t roll(uint64_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (seed >> 11) % n;
}

/* --- the model --------------------------------------------------------------------------------------------------------- */
static bool covers(const char *pattern, const char *name)
{
    const size_t len = strlen(pattern);
    return len && pattern[len - 1] == '*' ? strncmp(pattern, name, len - 1) == 0 : strcmp(pattern, name) == 0;
}

static bool stands(const model *m)
{
    for (int at = (int)(m - all); at >= 0; at = all[at].parent)
        if (all[at].state != STATE_ACTIVE || all[at].expires <= NOW)
            return false;
    return true;
}

static bool governs(const model *m, const question *q)
{
    return m->agent == q->agent && stands(m) && covers(actions[m->action], asked_actions[q->action]) &&
           covers(resources[m->resource], asked_resources[q->resource]);
}

static bool permits(const model *m, const question *q)
{
    bool within = governs(m, q);
    for (int i = 0; i < 2; i++)
        within = within && (m->max[i] == 0 || (q->said[i] && q->said[i] <= m->max[i]));
    for (int i = 0; i < PROPERTIES; i++)
        within = within && (m->require[i] == 0 || (q->value[i] < VALUES && m->require[i] >> q->value[i] & 1));
    return within;
}

/* Does it require another value than the one that was said? */
static bool is_refused(const model *m, const question *q, int i)
{
    return m->require[i] && q->value[i] <= VALUES && (q->value[i] == VALUES || !(m->require[i] >> q->value[i] & 1));
}

/* Of those that govern: is a human to be asked? Said anew, from the page (docs/checks.md) and not from the view. */
static bool contradict(const question *q)
{
    unsigned governing = 0, permitting = 0;
    bool too_high = false, more_restrictive = false, no_common = false, unsaid = false, leaves_all = false;
    for (unsigned m = 0; m < count; m++) {
        bool bounds = false, wrong = false, high = false;
        if (!governs(&all[m], q))
            continue;
        for (int i = 0; i < 2; i++) {
            bounds |= all[m].max[i] != 0;
            high |= all[m].max[i] && q->said[i] > all[m].max[i];
        }
        for (int i = 0; i < PROPERTIES; i++) {
            bounds |= all[m].require[i] != 0;
            wrong |= is_refused(&all[m], q, i);
        }
        governing++;
        permitting += permits(&all[m], q);
        leaves_all |= !bounds;
        too_high |= high;
        unsaid |= !permits(&all[m], q) && !high && !wrong;
    }
    for (int i = 0; i < PROPERTIES; i++) {
        unsigned common = (1 << VALUES) - 1;
        bool refused = false;
        for (unsigned m = 0; m < count; m++) {
            if (!governs(&all[m], q) || !all[m].require[i])
                continue;
            common &= all[m].require[i];
            refused |= is_refused(&all[m], q, i);
        }
        more_restrictive |= refused && common;
        no_common |= refused && !common;
    }
    if (!permitting || permitting == governing || too_high || more_restrictive)
        return false;
    return no_common || unsaid ? !(unsaid && leaves_all) : false;
}

/* --- the view ------------------------------------------------------------------------------------------------------------ */
/* In their order. */
static cel_value value_of(unsigned n)
{
    const cel_value values[VALUES + 1] = {cel_bool(true), cel_int(1), cel_string(mandate_slice_str("1")),
                                          cel_string(mandate_slice_str("eu")), cel_string(mandate_slice_str("true"))};
    return values[n];
}

static mandate_status load(void *ctx, arena *a, mandate_slice id, mandate_slice *out, mandate_error *err)
{
    (void)ctx;
    for (unsigned i = 0; i < count; i++) {
        const model *m = &all[i];
        if (!mandate_slice_is(id, m->id))
            continue;
        const mandate_slice action = mandate_slice_str(actions[m->action]),
                            resource = mandate_slice_str(resources[m->resource]);
        claims_limit limits[2];
        claims_required required[PROPERTIES];
        cel_value values[PROPERTIES][VALUES];
        claims c = {.id = id,
                    .issuer = mandate_slice_str("i"),
                    .grantor = mandate_slice_str("g"),
                    .agent = mandate_slice_str(agents[m->agent]),
                    .purpose = mandate_slice_str("p"),
                    .actions = &action,
                    .resources = &resource,
                    .limits = limits,
                    .required = required,
                    .action_count = 1,
                    .resource_count = 1,
                    .params = cel_null(),
                    .targets = cel_null(),
                    .expires_at_us = m->expires};
        for (int k = 0; k < 2; k++)
            if (m->max[k])
                limits[c.limit_count++] = (claims_limit){mandate_slice_str(numbers[k]), cel_int(m->max[k])};
        static const int order[PROPERTIES] = {0, 2, 1}; /* action, context, resource */
        for (int k = 0; k < PROPERTIES; k++) {
            const unsigned of = m->require[order[k]];
            claims_required *r = &required[c.required_count];
            *r = (claims_required){.name = mandate_slice_str(required_names[order[k]]), .values = values[k]};
            for (unsigned n = 0; n < VALUES; n++)
                if (of >> n & 1)
                    values[k][r->value_count++] = value_of(n);
            c.required_count += of != 0;
        }
        assert_int_equal(claims_check(&c, NULL), MANDATE_OK);
        buf b;
        buf_init(&b);
        claims_encode(&b, &c);
        *out = arena_dup(a, buf_slice(&b));
        buf_deinit(&b);
        return MANDATE_OK;
    }
    return mandate_error_set(err, MANDATE_NOT_FOUND, "no");
}

static view *make(void)
{
    const view_options options = {.claims_load = load};
    view *v = NULL;

    assert_int_equal(view_create(&v, &options, NULL), MANDATE_OK);
    count = 1 + (unsigned)roll(MANDATES);
    view_begin(v, false);
    for (unsigned i = 0; i < count; i++) {
        model *m = &all[i];
        *m = (model){.agent = (unsigned)roll(4) == 0,
                     .action = (unsigned)roll(4),
                     .resource = (unsigned)roll(4),
                     .parent = roll(3) || !i ? -1 : (int)roll(i),
                     .state = roll(6)   ? STATE_ACTIVE
                              : roll(2) ? STATE_SUSPENDED
                                        : STATE_REVOKED,
                     .expires = roll(10) ? NOW + 1 + (int64_t)roll(9) : NOW - (int64_t)roll(2)};
        for (int k = 0; k < 2; k++)
            m->max[k] = roll(2) ? 0 : 1 + (int64_t)roll(4);
        for (int k = 0; k < PROPERTIES; k++)
            m->require[k] = roll(4) ? 0 : 1 + (unsigned)roll((1 << VALUES) - 1);
        snprintf(m->id, sizeof(m->id), "m-%u", i);
        const engine_mandate_view seen = {
            .id = mandate_slice_str(m->id), .version = 1, .state = m->state, .expires_at_us = m->expires};
        assert_int_equal(view_set(v, i, m->parent < 0 ? UINT32_MAX : (uint32_t)m->parent, &seen, NULL), MANDATE_OK);
        assert_int_equal(view_give(v, i, mandate_slice_str(agents[m->agent]), NULL), MANDATE_OK);
    }
    view_committed(v, 1, NOW - 1, 0);
    return v;
}

static service_verdict ask(view *v, const question *q, const mandate_slice *named, uint32_t names)
{
    cel_entry said[3];
    uint32_t saying = 0;
    service_verdict out;
    for (int i = 0; i < 2; i++)
        if (q->said[i])
            said[saying++] = (cel_entry){cel_string(mandate_slice_str(numbers[i])), cel_int(q->said[i])};
    cel_entry values[PROPERTIES];
    for (int i = 0; i < PROPERTIES; i++)
        if (q->value[i] <= VALUES)
            values[i] = (cel_entry){cel_string(mandate_slice_str(properties[i])), value_of(q->value[i])};
    if (q->value[0] <= VALUES)
        said[saying++] = values[0];
    const service_check in = {.mandate = names == 1 ? named[0] : mandate_slice_of("", 0),
                              .mandates = names > 1 ? named : NULL,
                              .mandate_count = names > 1 ? names : 0,
                              .subject_id = mandate_slice_str(agents[q->agent]),
                              .action = mandate_slice_str(asked_actions[q->action]),
                              .resource = mandate_slice_str(asked_resources[q->resource]),
                              .params = cel_map(said, saying),
                              .properties = q->value[1] <= VALUES ? cel_map(&values[1], 1) : cel_null(),
                              .context = q->value[2] <= VALUES ? cel_map(&values[2], 1) : cel_null()};
    view_check(v, &in, NOW, 0, &out);
    return out;
}

static void print_values(const char *what, const unsigned v[PROPERTIES])
{
    for (int i = 0; i < PROPERTIES; i++)
        printf(", %s %s %x", required_names[i], what, v[i]);
}

static void wrong(const char *what, const question *q, const service_verdict *out)
{
    for (unsigned i = 0; i < count; i++) {
        printf("  %s: agent %u, %s on %s, eur %" PRId64 ", usd %" PRId64 ", parent %d, state %d, until %" PRId64, all[i].id,
               all[i].agent, actions[all[i].action], resources[all[i].resource], all[i].max[0], all[i].max[1], all[i].parent,
               all[i].state, all[i].expires);
        print_values("of", all[i].require);
        printf(": %s\n", permits(&all[i], q) ? "permits" : governs(&all[i], q) ? "refuses" : "is silent");
    }
    printf("  asked: agent %u, %s on %s, eur %" PRId64 ", usd %" PRId64, q->agent, asked_actions[q->action],
           asked_resources[q->resource], q->said[0], q->said[1]);
    print_values("is", q->value);
    fail_msg("%s: %s (%s)%s", what, out->decision ? "yes" : "no", out->reason, out->conflict ? ", a human is asked" : "");
}

/* --- the properties -------------------------------------------------------------------------------------------------------- */
static void found(view *v, const question *q, unsigned seen[3])
{
    unsigned governing = 0, permitting = 0;
    for (unsigned i = 0; i < count; i++) {
        governing += governs(&all[i], q);
        permitting += permits(&all[i], q);
    }
    const service_verdict out = ask(v, q, NULL, 0);
    if (out.decision != (governing > 0 && governing == permitting) || out.governing != governing)
        wrong("what is found", q, &out);
    if (out.conflict != contradict(q))
        wrong("a contradiction", q, &out);
    seen[out.conflict ? 2 : out.decision] += governing > 1;
}

static void named(view *v, const question *q, unsigned seen[3])
{
    mandate_slice ids[MANDATES];
    uint32_t names = 0, permitting = 0;
    bool all_stand = true;
    for (unsigned i = 0; i < count; i++)
        if (roll(2)) {
            ids[names++] = mandate_slice_str(all[i].id);
            permitting += permits(&all[i], q);
            all_stand = all_stand && stands(&all[i]);
        }
    if (!names)
        return;
    const service_verdict out = ask(v, q, ids, names);
    if (out.decision != (permitting == names))
        wrong("what is named", q, &out);
    if (out.conflict && (out.decision || !permitting || !all_stand))
        wrong("a contradiction of what is named", q, &out);
    seen[out.conflict ? 2 : out.decision] += names > 1;
}

static void test_several__nothing_is_permitted_that_one_refuses(void **state)
{
    unsigned seen_found[3] = {0}, seen_named[3] = {0};
    (void)state;
    for (unsigned w = 0; w < worlds; w++) {
        view *v = make();
        for (int i = 0; i < QUESTIONS; i++) {
            const question q = {
                .agent = (unsigned)roll(5) == 0,
                .action = (unsigned)roll(3),
                .resource = (unsigned)roll(3),
                .said = {roll(3) ? 1 + (int64_t)roll(5) : 0, roll(3) ? 1 + (int64_t)roll(5) : 0},
                .value = {(unsigned)roll(VALUES + 2), (unsigned)roll(VALUES + 2), (unsigned)roll(VALUES + 2)}};
            found(v, &q, seen_found);
            named(v, &q, seen_named);
        }
        view_destroy(v);
    }
    printf("several govern: %u yes, %u no, %u contradictions; named: %u yes, %u no, %u contradictions\n", seen_found[1],
           seen_found[0], seen_found[2], seen_named[1], seen_named[0], seen_named[2]);
    for (int i = 0; i < 3; i++)
        assert_true(seen_found[i] > worlds / 10 && seen_named[i] > worlds / 100); /* all of it happened */
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_several__nothing_is_permitted_that_one_refuses)};
    if (argc > 1)
        worlds = (unsigned)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        seed = strtoull(argv[2], NULL, 10) | 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

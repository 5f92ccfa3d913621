/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks from the view: ancestors, clocks, staleness, scope. A "yes" must be proved.
 */
#include "connectors/daemon/view/view.h"

#include <setjmp.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#define S(text) MANDATE_SLICE_LIT(text)
#define FAR 1000000

static const mandate_slice actions[] = {S("contract.*")}, resources[] = {S("crm.account/4711")};
static const claims_limit limits[] = {{S("amount"), {.kind = CEL_INT, .i = 100}}};

static mandate_status load(void *ctx, arena *a, mandate_slice id, mandate_slice *out, mandate_error *err)
{
    static const claims_limit small[] = {{S("amount"), {.kind = CEL_INT, .i = 10}}};
    static const mandate_slice others[] = {S("crm.account/*")}, elsewhere[] = {S("crm.account/4712")};
    static const claims_limit usd[] = {{S("usd"), {.kind = CEL_INT, .i = 5}}};
    static const cel_value soft[] = {{.kind = CEL_BOOL, .b = true}};
    static const cel_value regions[] = {{.kind = CEL_STRING, .len = 2, .s = "cn"},
                                        {.kind = CEL_STRING, .len = 2, .s = "eu"},
                                        {.kind = CEL_STRING, .len = 2, .s = "us"}},
                           ends[] = {{.kind = CEL_STRING, .len = 2, .s = "cn"}, {.kind = CEL_STRING, .len = 2, .s = "us"}};
    static const claims_required first[] = {{S("action.soft"), soft, 1}, {S("resource.region"), regions + 1, 2}},
                                 second[] = {{S("action.soft"), soft, 1}, {S("resource.region"), ends, 2}},
                                 third[] = {{S("context.channel"), regions, 1}, {S("resource.region"), regions, 1}};
    char kind = id.ptr[0]; /* s...: a smaller limit; o...: another action; the rest: as above */
    claims c = {
        .id = id,
        .issuer = S("i"),
        .grantor = S("g"),
        .agent = S("agent-1"),
        .purpose = S("p"),
        .actions = actions,
        .resources = resources,
        .limits = limits,
        .action_count = 1,
        .resource_count = 1,
        .limit_count = 1,
        .params = {.kind = CEL_NULL},
        .targets = {.kind = CEL_NULL},
        .expires_at_us = FAR,
    };
    buf b;

    if (kind == 's') {
        c.limits = small;
        c.resources = others;
    } else if (kind == 'o') {
        c.actions = others;
    } else if (kind == 'e') { /* e...: elsewhere */
        c.resources = elsewhere;
    } else if (kind == 'u') { /* u...: bounds another number */
        c.limits = usd;
    } else if (kind == 'f') { /* f...: free of limits */
        c.limit_count = 0;
    } else if (kind == '1' || kind == '2' || kind == '3') { /* of the regions eu, us; of us, cn; of cn; and softly */
        c.limit_count = 0;
        c.required = kind == '1' ? first : kind == '2' ? second : third;
        c.required_count = 2;
    }

    if (ctx && *(bool *)ctx)
        return mandate_error_set(err, MANDATE_IO, "no");
    buf_init(&b);
    claims_encode(&b, &c);
    *out = arena_dup(a, buf_slice(&b));
    buf_deinit(&b);
    return MANDATE_OK;
}

static view *make(void *ctx)
{
    view_options options = {.claims_load = load, .claims_ctx = ctx, .staleness_max_us = 1000};
    view *v = NULL;

    assert_int_equal(view_create(&v, &options, NULL), MANDATE_OK);
    return v;
}

static void set(view *v, uint32_t handle, uint32_t parent, const char *id, mandate_state st, uint32_t version,
                int64_t expires)
{
    engine_mandate_view m = {.id = mandate_slice_str(id), .version = version, .state = st, .expires_at_us = expires};

    assert_int_equal(view_set(v, handle, parent, &m, NULL), MANDATE_OK);
}

/* grandparent "a" <- "b" <- "c" */
static view *family(void)
{
    view *v = make(NULL);

    set(v, 0, UINT32_MAX, "a", STATE_ACTIVE, 1, FAR);
    set(v, 1, 0, "b", STATE_ACTIVE, 1, FAR - 100);
    set(v, 2, 1, "c", STATE_ACTIVE, 1, FAR - 200);
    view_committed(v, 9, 500, 500);
    return v;
}

static service_verdict ask_at(view *v, const char *id, int64_t now)
{
    static cel_entry amount;
    service_check in = {.mandate = mandate_slice_str(id),
                        .subject_id = S("agent-1"),
                        .action = S("contract.sign"),
                        .resource = S("crm.account/4711")};
    service_verdict out;

    amount = (cel_entry){cel_string(mandate_slice_str("amount")), cel_int(100)};
    in.params = cel_map(&amount, 1);
    view_check(v, &in, now, 600, &out);
    return out;
}

static service_verdict ask(view *v, const char *id) { return ask_at(v, id, 600); }

static void test_view__an_active_mandate_with_active_ancestors_is_permitted(void **state)
{
    view *v = family();
    service_verdict out = ask(v, "c");

    assert_true(out.decision);
    assert_string_equal(out.reason, "ok");
    assert_int_equal(out.seq, 9);
    assert_int_equal(out.as_of_us, 500);
    assert_int_equal(out.version, 1);
    view_destroy(v);
}

static void test_view__the_end_of_an_ancestor_denies_every_descendant_at_once(void **state)
{
    view *v = family();

    set(v, 0, UINT32_MAX, "a", STATE_REVOKED, 2, FAR);
    service_verdict out = ask(v, "c");
    assert_false(out.decision);
    assert_string_equal(out.reason, "mandate_inactive");
    assert_string_equal(out.because, "a");
    assert_int_equal(out.state, STATE_CASCADED);
    out = ask(v, "a");
    assert_int_equal(out.state, STATE_REVOKED);
    assert_string_equal(out.because, "");
    view_destroy(v);
}

static void test_view__a_suspended_middle_suspends_what_is_below_it_only(void **state)
{
    view *v = family();

    set(v, 1, 0, "b", STATE_SUSPENDED, 2, FAR);
    assert_true(ask(v, "a").decision);
    assert_int_equal(ask(v, "c").state, STATE_SUSPENDED);
    set(v, 1, 0, "b", STATE_ACTIVE, 3, FAR);
    assert_true(ask(v, "c").decision);
    view_destroy(v);
}

/* As the engine's thread does it: before the words, and after them. */
static void test_view__what_waits_for_its_record_counts_at_once_and_until_the_record_is_there(void **state)
{
    const uint8_t waits[3] = {STATE_COMPLETED + 1, 0, 0}, none[3] = {0};
    view *v = family();

    assert_int_equal(view_waiting(v, 0, 3, none, true, NULL), MANDATE_OK);
    assert_true(ask(v, "c").decision);
    assert_int_equal(view_waiting(v, 0, 3, waits, false, NULL), MANDATE_OK);
    service_verdict out = ask(v, "a");
    assert_false(out.decision);
    assert_int_equal(out.state, STATE_COMPLETED);
    assert_int_equal(out.version, 1);
    out = ask(v, "c");
    assert_false(out.decision);
    assert_int_equal(out.state, STATE_CASCADED);
    assert_string_equal(out.because, "a");
    /* Nothing that began to wait since takes it back. */
    assert_int_equal(view_waiting(v, 0, 3, none, false, NULL), MANDATE_OK);
    assert_false(ask(v, "a").decision);
    set(v, 0, UINT32_MAX, "a", STATE_COMPLETED, 2, FAR);
    assert_int_equal(view_waiting(v, 0, 3, none, true, NULL), MANDATE_OK);
    out = ask(v, "a");
    assert_int_equal(out.state, STATE_COMPLETED);
    assert_int_equal(out.version, 2);
    view_destroy(v);
}

static void test_view__expiry_needs_no_timer(void **state)
{
    view *v = family();

    assert_true(ask_at(v, "c", FAR - 201).decision);
    service_verdict out = ask_at(v, "c", FAR - 200);
    assert_false(out.decision);
    assert_string_equal(out.reason, "expired");
    /* An ancestor's expiry counts as well. */
    set(v, 3, 0, "late", STATE_ACTIVE, 1, FAR + 1000);
    assert_false(ask_at(v, "late", FAR).decision);
    assert_string_equal(ask_at(v, "late", FAR).because, "a");
    view_destroy(v);
}

static void test_view__the_engines_time_counts_when_the_caller_is_behind_it(void **state)
{
    view *v = family();

    view_committed(v, 10, FAR, 600);
    assert_string_equal(ask_at(v, "c", 0).reason, "expired");
    view_destroy(v);
}

static void test_view__an_old_commit_permits_nothing(void **state)
{
    view *v = family();
    service_check in = {.mandate = S("a"),
                        .subject_id = S("agent-1"),
                        .action = S("contract.sign"),
                        .resource = S("crm.account/4711"),
                        .params = {.kind = CEL_NULL}};
    service_verdict out;
    cel_entry amount = {cel_string(mandate_slice_str("amount")), cel_int(1)};

    in.params = cel_map(&amount, 1);
    view_check(v, &in, 600, 1500, &out);
    assert_true(out.decision);
    view_check(v, &in, 600, 1501, &out);
    assert_false(out.decision);
    assert_string_equal(out.reason, "stale_state");
    view_destroy(v);
}

static void test_view__scope_agent_and_limits_are_the_claims(void **state)
{
    view *v = family();
    service_verdict out;
    cel_entry amount = {cel_string(mandate_slice_str("amount")), cel_int(101)};
    service_check in = {.mandate = S("a"),
                        .subject_id = S("agent-2"),
                        .action = S("contract.sign"),
                        .resource = S("crm.account/4711"),
                        .params = {.kind = CEL_NULL}};

    view_check(v, &in, 600, 600, &out);
    assert_string_equal(out.reason, "actor_invalid");
    in.subject_id = mandate_slice_str("agent-1");
    in.action = mandate_slice_str("payment.send");
    view_check(v, &in, 600, 600, &out);
    assert_string_equal(out.reason, "out_of_authority");
    in.action = mandate_slice_str("contract.sign");
    in.resource = mandate_slice_str("crm.account/4712");
    view_check(v, &in, 600, 600, &out);
    assert_string_equal(out.reason, "out_of_authority");
    in.resource = mandate_slice_str("crm.account/4711");
    view_check(v, &in, 600, 600, &out);
    assert_string_equal(out.reason, "parameter_violation"); /* the limited parameter is missing */
    in.params = cel_map(&amount, 1);
    view_check(v, &in, 600, 600, &out);
    assert_string_equal(out.reason, "parameter_violation");
    assert_false(out.decision);
    view_destroy(v);
}

static void test_view__unknown_mandates_and_unreadable_claims_are_denied(void **state)
{
    bool broken = true;
    view *v = make(&broken);

    set(v, 0, UINT32_MAX, "a", STATE_ACTIVE, 1, FAR);
    view_committed(v, 1, 500, 500);
    assert_string_equal(ask(v, "nobody").reason, "unknown_mandate");
    assert_int_equal(ask(v, "nobody").state, STATE_NONE);
    assert_false(ask(v, "a").decision);
    broken = false;
    assert_true(ask(v, "a").decision);
    view_destroy(v);
}

static void test_view__a_missing_ancestor_permits_nothing(void **state)
{
    view *v = make(NULL);

    set(v, 0, 77, "orphan", STATE_ACTIVE, 1, FAR);
    view_committed(v, 9, 500, 500);
    assert_false(ask(v, "orphan").decision);
    view_destroy(v);
}

/* Either the child or its parent is always suspended. A writer turns from one to the other as the engine's thread does: what
 * permits less first. */
static _Atomic bool turning;

static void *turn(void *opaque)
{
    view *v = opaque;

    for (uint32_t version = 2; atomic_load(&turning); version++) {
        bool stop_child = version & 1;
        set(v, stop_child, stop_child ? 0 : UINT32_MAX, stop_child ? "child" : "parent", STATE_SUSPENDED, version, FAR);
        set(v, !stop_child, stop_child ? UINT32_MAX : 0, stop_child ? "parent" : "child", STATE_ACTIVE, version, FAR);
    }
    return NULL;
}

static void test_view__no_mixture_of_two_commits_permits_what_neither_did(void **state)
{
    view *v = make(NULL);
    pthread_t writer;
    uint32_t yes = 0;

    set(v, 0, UINT32_MAX, "parent", STATE_ACTIVE, 1, FAR);
    set(v, 1, 0, "child", STATE_SUSPENDED, 1, FAR);
    view_committed(v, 9, 500, 500);
    atomic_store(&turning, true);
    assert_int_equal(pthread_create(&writer, NULL, turn, v), 0);
    for (int i = 0; i < 400000; i++)
        yes += ask(v, "child").decision;
    atomic_store(&turning, false);
    pthread_join(writer, NULL);
    assert_int_equal(yes, 0);
    view_destroy(v);
}

/* --- no mandate named ------------------------------------------------------------------------------------------ */
static void give(view *v, uint32_t handle, uint32_t parent, const char *id, int64_t expires)
{
    set(v, handle, parent, id, STATE_ACTIVE, 1, expires);
    assert_int_equal(view_give(v, handle, mandate_slice_str("agent-1"), NULL), MANDATE_OK);
}

static service_verdict find(view *v, const char *agent, const char *action, int64_t asked)
{
    cel_entry amount = {cel_string(mandate_slice_str("amount")), cel_int(asked)};
    service_check in = {.subject_id = mandate_slice_str(agent),
                        .action = mandate_slice_str(action),
                        .resource = S("crm.account/4711"),
                        .params = cel_map(&amount, 1)};
    service_verdict out;

    memset(&out, 'x', sizeof(out));
    view_check(v, &in, 600, 600, &out);
    return out;
}

static void test_view__of_several_that_govern_each_must_permit(void **state)
{
    view *v = make(NULL);

    view_begin(v, false);
    give(v, 0, UINT32_MAX, "wide", FAR - 5);
    give(v, 1, UINT32_MAX, "small", FAR);
    give(v, 2, UINT32_MAX, "other", FAR);
    view_committed(v, 9, 500, 500);
    service_verdict out = find(v, "agent-1", "contract.sign", 10);
    assert_true(out.decision);
    assert_string_equal(out.reason, "ok");
    assert_int_equal(out.governing, 2);
    assert_string_equal(out.found, "wide"); /* it expires first */
    assert_int_equal(out.expires_at_us, FAR - 5);
    assert_int_equal(out.state, STATE_ACTIVE);
    assert_int_equal(out.seq, 9);
    out = find(v, "agent-1", "contract.sign", 11);
    assert_false(out.decision);
    assert_string_equal(out.reason, "parameter_violation");
    assert_string_equal(out.found, "small");
    view_destroy(v);
}

static void test_view__only_what_is_active_up_to_its_root_governs(void **state)
{
    view *v = make(NULL);

    set(v, 0, UINT32_MAX, "root", STATE_ACTIVE, 1, FAR); /* another agent's */
    give(v, 1, 0, "small", FAR);
    give(v, 2, UINT32_MAX, "wide", FAR);
    view_committed(v, 9, 500, 500);
    assert_false(find(v, "agent-1", "contract.sign", 100).decision);
    set(v, 0, UINT32_MAX, "root", STATE_REVOKED, 2, FAR);
    assert_true(find(v, "agent-1", "contract.sign", 100).decision);
    set(v, 2, UINT32_MAX, "wide", STATE_SUSPENDED, 2, FAR);
    assert_string_equal(find(v, "agent-1", "contract.sign", 1).reason, "no_mandate");
    set(v, 2, UINT32_MAX, "wide", STATE_ACTIVE, 3, FAR);
    assert_true(find(v, "agent-1", "contract.sign", 1).decision);
    assert_int_equal(find(v, "agent-1", "contract.sign", 1).version, 3);
    set(v, 2, UINT32_MAX, "wide", STATE_REVOKED, 4, FAR);
    assert_string_equal(find(v, "agent-1", "contract.sign", 1).reason, "no_mandate");
    view_destroy(v);
}

static void test_view__without_a_mandate_that_covers_it_nothing_is_permitted(void **state)
{
    bool broken = false;
    view *v = make(&broken);

    assert_string_equal(find(v, "agent-1", "contract.sign", 1).reason, "no_mandate");
    give(v, 0, UINT32_MAX, "wide", FAR);
    give(v, 1, UINT32_MAX, "late", 600); /* expired as it is asked */
    view_committed(v, 9, 500, 500);
    assert_true(find(v, "agent-1", "contract.sign", 1).decision);
    assert_int_equal(find(v, "agent-1", "contract.sign", 1).governing, 1);
    service_verdict out = find(v, "agent-2", "contract.sign", 1);
    assert_false(out.decision);
    assert_string_equal(out.reason, "no_mandate");
    assert_int_equal(out.state, STATE_NONE);
    assert_string_equal(out.found, "");
    assert_string_equal(find(v, "agent-1", "payment.send", 1).reason, "no_mandate");
    broken = true;
    give(v, 2, UINT32_MAX, "fresh", FAR); /* cannot be read: it might forbid */
    out = find(v, "agent-1", "contract.sign", 1);
    assert_false(out.decision);
    assert_string_equal(out.reason, "stale_state");
    view_destroy(v);
}

static void test_view__so_many_mandates_are_looked_through_and_not_one_more(void **state)
{
    view *v = make(NULL);
    char id[16];

    for (uint32_t i = 0; i <= LIMIT_FOUND_MANDATES; i++) {
        if (i == LIMIT_FOUND_MANDATES) {
            service_verdict out = find(v, "agent-1", "contract.sign", 1);
            assert_true(out.decision);
            assert_int_equal(out.governing, LIMIT_FOUND_MANDATES);
        }
        snprintf(id, sizeof(id), "w%u", i);
        give(v, i, UINT32_MAX, id, FAR);
    }
    service_verdict out = find(v, "agent-1", "contract.sign", 1);
    assert_false(out.decision);
    assert_string_equal(out.reason, "too_many_mandates");
    assert_string_equal(out.found, "");
    assert_int_equal(out.governing, 0);
    /* The end of any of them, first, last or between, makes room. */
    for (uint32_t i = 0; i <= LIMIT_FOUND_MANDATES; i += LIMIT_FOUND_MANDATES / 2) {
        snprintf(id, sizeof(id), "w%u", i);
        set(v, i, UINT32_MAX, id, STATE_COMPLETED, 2, FAR);
    }
    out = find(v, "agent-1", "contract.sign", 1);
    assert_true(out.decision);
    assert_int_equal(out.governing, LIMIT_FOUND_MANDATES + 1 - 3);
    view_destroy(v);
}

/* In every commit one of the two is active, and the smaller one is whenever the wider one is. A writer ends and issues pairs. */
static void *replace(void *opaque)
{
    view *v = opaque;
    char id[16];

    for (uint32_t pair = 1; atomic_load(&turning) && pair < 5000; pair++) {
        view_begin(v, false);
        for (uint32_t part = 0; part < 2; part++) {
            snprintf(id, sizeof(id), "%s%u", part ? "wide" : "small", pair - 1);
            set(v, 2 * (pair - 1) + part, UINT32_MAX, id, STATE_REVOKED, 2, FAR);
        }
        for (uint32_t part = 2; part-- > 0;) {
            snprintf(id, sizeof(id), "%s%u", part ? "wide" : "small", pair);
            give(v, 2 * pair + part, UINT32_MAX, id, FAR);
        }
        view_committed(v, pair, 500, 500);
    }
    return NULL;
}

static void test_view__a_step_is_found_whole_or_not_at_all(void **state)
{
    view *v = make(NULL);
    pthread_t writer;
    uint32_t wrong = 0;

    give(v, 0, UINT32_MAX, "small0", FAR);
    give(v, 1, UINT32_MAX, "wide0", FAR);
    view_committed(v, 1, 500, 500);
    atomic_store(&turning, true);
    assert_int_equal(pthread_create(&writer, NULL, replace, v), 0);
    for (int i = 0; i < 20000; i++) {
        service_verdict out = find(v, "agent-1", "contract.sign", 50);
        wrong += out.decision || !strcmp(out.reason, "no_mandate");
    }
    atomic_store(&turning, false);
    pthread_join(writer, NULL);
    assert_int_equal(wrong, 0);
    view_destroy(v);
}

/* Named together, or found when `ids` is NULL. */
static service_verdict ask_several(view *v, const char *const *ids, uint32_t count, int64_t amount)
{
    static mandate_slice named[LIMIT_FOUND_MANDATES];
    cel_entry entry = {cel_string(mandate_slice_str("amount")), cel_int(amount)};
    service_check in = {.subject_id = S("agent-1"),
                        .action = S("contract.sign"),
                        .resource = S("crm.account/4711"),
                        .params = cel_map(&entry, 1),
                        .mandates = named,
                        .mandate_count = count};
    service_verdict out;

    for (uint32_t i = 0; i < count; i++)
        named[i] = mandate_slice_str(ids[i]);
    view_check(v, &in, 600, 600, &out);
    return out;
}

static view *several(const char *const *ids, uint32_t count)
{
    view *v = make(NULL);

    for (uint32_t i = 0; i < count; i++) {
        set(v, i, UINT32_MAX, ids[i], STATE_ACTIVE, 1, FAR - (int64_t)i);
        assert_int_equal(view_give(v, i, mandate_slice_str("agent-1"), NULL), MANDATE_OK);
    }
    view_committed(v, 9, 500, 500);
    return v;
}

static void test_view__of_mandates_named_together_the_more_restrictive_wins(void **state)
{
    static const char *const ids[] = {"a", "s"};
    view *v = several(ids, 2);

    assert_true(ask_several(v, ids, 2, 10).decision);
    service_verdict out = ask_several(v, ids, 2, 50); /* within a's 100, not within s's 10 */
    assert_false(out.decision);
    assert_false(out.conflict);
    assert_string_equal(out.reason, "parameter_violation");
    assert_string_equal(out.found, "s");
    out = ask_several(v, NULL, 0, 50); /* found: the same */
    assert_false(out.conflict);
    assert_string_equal(out.reason, "parameter_violation");
    view_destroy(v);
}

static void test_view__scopes_that_do_not_intersect_are_a_conflict(void **state)
{
    static const char *const apart[] = {"a", "e"}, *const measured[] = {"a", "u"}, *const neither[] = {"e", "o"};
    view *v = several(apart, 2);

    service_verdict out = ask_several(v, apart, 2, 10); /* one is for another account */
    assert_false(out.decision);
    assert_true(out.conflict);
    assert_string_equal(out.reason, "approval_required");
    assert_int_equal(out.governing, 2);
    assert_true(mandate_slice_is(out.mandates[0], "a"));
    assert_true(mandate_slice_is(out.mandates[1], "e"));
    out = ask_several(v, apart, 2, 200); /* what a forbids nobody is asked about */
    assert_false(out.conflict);
    assert_true(ask_several(v, NULL, 0, 10).decision); /* found: what is for another account does not govern */
    view_destroy(v);

    v = several(measured, 2);
    assert_true(ask_several(v, measured, 2, 10).conflict); /* bounds that cannot be compared */
    out = ask_several(v, NULL, 0, 10);
    assert_true(out.conflict);
    assert_int_equal(out.governing, 2);
    view_destroy(v);

    v = several(neither, 2);
    out = ask_several(v, neither, 2, 10); /* no mandate permits it: nothing a human could decide on */
    assert_false(out.conflict);
    assert_string_equal(out.reason, "out_of_authority");
    view_destroy(v);
}

/* `region` and `channel` NULL: not said. */
static service_verdict ask_region(view *v, const char *const *ids, uint32_t count, const char *region, const char *channel,
                                  service_required *required)
{
    mandate_slice named[4];
    const cel_entry soft = {cel_string(mandate_slice_str("soft")), cel_bool(true)},
                    of_resource = {cel_string(mandate_slice_str("region")),
                                   cel_string(mandate_slice_str(region ? region : ""))},
                    of_context = {cel_string(mandate_slice_str("channel")),
                                  cel_string(mandate_slice_str(channel ? channel : ""))};
    const service_check in = {.subject_id = S("agent-1"),
                              .action = S("contract.sign"),
                              .resource = S("crm.account/4711"),
                              .params = cel_map(&soft, 1),
                              .properties = cel_map(&of_resource, region != NULL),
                              .context = cel_map(&of_context, channel != NULL),
                              .mandates = named,
                              .mandate_count = count,
                              .required = required};
    service_verdict out;

    for (uint32_t i = 0; i < count; i++)
        named[i] = mandate_slice_str(ids[i]);
    view_check(v, &in, 600, 600, &out);
    return out;
}

static void test_view__required_values_are_those_that_all_have_and_a_conflict_when_there_are_none(void **state)
{
    static const char *const common[] = {"1", "2"}, *const apart[] = {"1", "3"}, *const all[] = {"1", "2", "3"};
    service_required required;
    arena a;
    arena_init(&a, 0);
    required.a = &a;
    view *v = several(common, 2);

    for (int named = 0; named < 2; named++) {
        assert_true(ask_region(v, common, named ? 2 : 0, "us", NULL, &required).decision);
        assert_int_equal(required.asked.kind, CEL_NULL);
        service_verdict out = ask_region(v, common, named ? 2 : 0, "eu", NULL, &required); /* "us" would do: no */
        assert_false(out.decision);
        assert_false(out.conflict);
        assert_string_equal(out.reason, "parameter_violation");
        assert_string_equal(out.text, "\"resource.region\" is \"eu\", and the mandate requires one of \"cn\", \"us\"");
        assert_string_equal(out.found, "2");
        assert_false(ask_region(v, common, named ? 2 : 0, NULL, NULL, NULL).conflict); /* none permits */
    }
    view_destroy(v);

    v = several(apart, 2);
    for (int named = 0; named < 2; named++) {
        service_verdict out = ask_region(v, apart, named ? 2 : 0, "us", "cn", &required);
        assert_false(out.decision);
        assert_true(out.conflict);
        assert_string_equal(out.reason, "approval_required");
        assert_int_equal(required.asked.len, 2);
        assert_true(mandate_slice_is(cel_text(required.asked.map[0].key), "context.channel"));
        assert_true(mandate_slice_is(cel_text(required.asked.map[1].value), "us"));
        assert_true(ask_region(v, apart, named ? 2 : 0, "us", NULL, &required).conflict);
        assert_int_equal(required.asked.map[0].value.kind, CEL_NULL); /* it was not said */
        assert_true(ask_region(v, apart, named ? 2 : 0, "us", "cn", NULL).conflict);
        out = ask_region(v, apart, named ? 2 : 0, "fr", "cn", &required); /* what none permits nobody is asked about */
        assert_false(out.conflict);
        assert_int_equal(required.asked.kind, CEL_NULL);
    }
    view_destroy(v);

    v = several(all, 3); /* any two have one in common, all three have not */
    assert_true(ask_region(v, NULL, 0, "us", "cn", NULL).conflict);
    assert_true(ask_region(v, NULL, 0, "eu", "cn", NULL).conflict);
    view_destroy(v);
    arena_deinit(&a);
}

static void test_view__a_bound_is_more_restrictive_than_none(void **state)
{
    static const char *const ids[] = {"f", "u"};
    view *v = several(ids, 2);

    service_verdict out = ask_several(v, ids, 2, 10); /* f bounds nothing: then u's bound is to be said */
    assert_false(out.decision);
    assert_false(out.conflict);
    assert_string_equal(out.reason, "parameter_violation");
    view_destroy(v);
}

static void test_view__of_mandates_named_together_each_must_be_active_and_the_agents(void **state)
{
    static const char *const ids[] = {"a", "e"}, *const unknown[] = {"a", "zzz"};
    view *v = several(ids, 2);

    service_verdict out = ask_several(v, unknown, 2, 10);
    assert_string_equal(out.reason, "unknown_mandate");
    assert_false(out.conflict);
    set(v, 1, UINT32_MAX, "e", STATE_REVOKED, 2, FAR);
    out = ask_several(v, ids, 2, 10);
    assert_false(out.decision);
    assert_false(out.conflict);
    assert_string_equal(out.reason, "mandate_inactive");
    assert_int_equal(out.state, STATE_REVOKED);
    view_destroy(v);
}

static void test_view__a_conflict_from_an_old_state_is_no_question(void **state)
{
    static const char *const ids[] = {"a", "e"};
    view *v = several(ids, 2);
    mandate_slice named[] = {S("a"), S("e")};
    cel_entry entry = {cel_string(mandate_slice_str("amount")), cel_int(1)};
    service_check in = {.subject_id = S("agent-1"),
                        .action = S("contract.sign"),
                        .resource = S("crm.account/4711"),
                        .params = cel_map(&entry, 1),
                        .mandates = named,
                        .mandate_count = 2};
    service_verdict out;

    view_check(v, &in, 600, 2000, &out);
    assert_false(out.conflict);
    assert_string_equal(out.reason, "stale_state");
    in.staleness_max_us = 50; /* stricter than the view's own */
    view_check(v, &in, 600, 551, &out);
    assert_string_equal(out.reason, "stale_state");
    view_check(v, &in, 600, 550, &out);
    assert_true(out.conflict);
    view_destroy(v);
}

/* --- what is written and not told yet -------------------------------------------------------------------------- */
static void test_view__what_is_written_denies_before_it_is_told_and_below_it_too(void **state)
{
    view *v = family();
    uint8_t states[VIEW_EARLY_BLOCK] = {0};

    assert_int_equal(view_early_raise(v, 1, STATE_SUSPENDED, NULL), MANDATE_OK);
    assert_true(ask(v, "a").decision);
    assert_int_equal(ask(v, "b").state, STATE_SUSPENDED);
    assert_int_equal(ask(v, "c").state, STATE_SUSPENDED);
    assert_string_equal(ask(v, "c").because, "b");
    /* Twice in flight: told once is not told. */
    assert_int_equal(view_early_raise(v, 1, STATE_REVOKED, NULL), MANDATE_OK);
    view_early_lower(v, 1);
    assert_int_equal(ask(v, "b").state, STATE_REVOKED);
    view_early_lower(v, 1);
    assert_true(ask(v, "c").decision);
    assert_int_equal(view_early_raise(v, 0, STATE_ACTIVE, NULL), MANDATE_OK);
    assert_string_equal(ask(v, "c").reason, "quota_exceeded");
    view_early_lower(v, 0);
    /* Of very many at once: a later step's are not taken back with an earlier one's. */
    states[0] = STATE_REVOKED + 1;
    assert_int_equal(view_early_block(v, 0, 3, states, 10, NULL), MANDATE_OK);
    assert_int_equal(ask(v, "b").state, STATE_CASCADED);
    assert_int_equal(view_early_block(v, 0, 3, states, 11, NULL), MANDATE_OK);
    view_early_block_done(v, 0, 10);
    assert_false(ask(v, "b").decision);
    view_early_block_done(v, 0, 11);
    assert_true(ask(v, "c").decision);
    view_destroy(v);
}

static void test_view__an_end_that_is_not_told_leaves_no_wider_mandate_alone(void **state)
{
    view *v = make(NULL);

    give(v, 0, UINT32_MAX, "a", FAR);
    give(v, 1, UINT32_MAX, "s", FAR); /* permits 10 */
    view_committed(v, 9, 500, 500);
    assert_false(find(v, "agent-1", "contract.sign", 100).decision);
    assert_true(find(v, "agent-1", "contract.sign", 10).decision);
    assert_int_equal(view_early_raise(v, 1, STATE_REVOKED, NULL), MANDATE_OK);
    assert_false(find(v, "agent-1", "contract.sign", 100).decision); /* only once it is told */
    assert_true(find(v, "agent-1", "contract.sign", 10).decision);
    assert_int_equal(view_early_raise(v, 0, STATE_REVOKED, NULL), MANDATE_OK);
    assert_false(find(v, "agent-1", "contract.sign", 10).decision); /* nothing is left */
    assert_string_equal(find(v, "agent-1", "contract.sign", 10).reason, "mandate_inactive");
    view_early_lower(v, 0);
    set(v, 1, UINT32_MAX, "s", STATE_REVOKED, 2, FAR);
    view_committed(v, 10, 510, 510);
    view_early_lower(v, 1);
    assert_true(find(v, "agent-1", "contract.sign", 100).decision);
    view_destroy(v);
}

static void test_view__counts_follow_the_states(void **state)
{
    view *v = family();
    uint64_t counts[STATE_COUNT];

    set(v, 2, 1, "c", STATE_CASCADED, 2, FAR);
    view_counts(v, counts);
    assert_int_equal(counts[STATE_ACTIVE], 2);
    assert_int_equal(counts[STATE_CASCADED], 1);
    view_destroy(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_view__an_active_mandate_with_active_ancestors_is_permitted),
        cmocka_unit_test(test_view__the_end_of_an_ancestor_denies_every_descendant_at_once),
        cmocka_unit_test(test_view__a_suspended_middle_suspends_what_is_below_it_only),
        cmocka_unit_test(test_view__what_waits_for_its_record_counts_at_once_and_until_the_record_is_there),
        cmocka_unit_test(test_view__expiry_needs_no_timer),
        cmocka_unit_test(test_view__the_engines_time_counts_when_the_caller_is_behind_it),
        cmocka_unit_test(test_view__an_old_commit_permits_nothing),
        cmocka_unit_test(test_view__scope_agent_and_limits_are_the_claims),
        cmocka_unit_test(test_view__unknown_mandates_and_unreadable_claims_are_denied),
        cmocka_unit_test(test_view__a_missing_ancestor_permits_nothing),
        cmocka_unit_test(test_view__no_mixture_of_two_commits_permits_what_neither_did),
        cmocka_unit_test(test_view__of_mandates_named_together_the_more_restrictive_wins),
        cmocka_unit_test(test_view__scopes_that_do_not_intersect_are_a_conflict),
        cmocka_unit_test(test_view__required_values_are_those_that_all_have_and_a_conflict_when_there_are_none),
        cmocka_unit_test(test_view__a_bound_is_more_restrictive_than_none),
        cmocka_unit_test(test_view__of_mandates_named_together_each_must_be_active_and_the_agents),
        cmocka_unit_test(test_view__a_conflict_from_an_old_state_is_no_question),
        cmocka_unit_test(test_view__what_is_written_denies_before_it_is_told_and_below_it_too),
        cmocka_unit_test(test_view__an_end_that_is_not_told_leaves_no_wider_mandate_alone),
        cmocka_unit_test(test_view__counts_follow_the_states),
        cmocka_unit_test(test_view__of_several_that_govern_each_must_permit),
        cmocka_unit_test(test_view__only_what_is_active_up_to_its_root_governs),
        cmocka_unit_test(test_view__without_a_mandate_that_covers_it_nothing_is_permitted),
        cmocka_unit_test(test_view__so_many_mandates_are_looked_through_and_not_one_more),
        cmocka_unit_test(test_view__a_step_is_found_whole_or_not_at_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

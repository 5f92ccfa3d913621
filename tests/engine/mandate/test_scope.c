/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of engine/mandate/scope: a child may only narrow, dimension by dimension, and what a scope permits. */
#include "tests/engine/rig.h"

typedef struct {
    mandate_slice actions[4], resources[4], audience[4];
    claims_limit limits[4];
    claims c;
} scope;

static void list(const mandate_slice **items, uint32_t *count, mandate_slice *room, const char *a, const char *b)
{
    *count = 0;
    if (a)
        room[(*count)++] = S(a);
    if (b)
        room[(*count)++] = S(b);
    *items = room;
}

static void scope_init(scope *s)
{
    memset(s, 0, sizeof(*s));
    list(&s->c.actions, &s->c.action_count, s->actions, "contract.*", "mail.send");
    list(&s->c.resources, &s->c.resource_count, s->resources, "crm.account/4711", "crm.note/*");
    list(&s->c.audience, &s->c.audience_count, s->audience, "https://a.example", "https://b.example");
    s->limits[0] = (claims_limit){S("amount"), cel_int(1000)};
    s->limits[1] = (claims_limit){S("share"), cel_double(0.5)};
    s->c.limits = s->limits;
    s->c.limit_count = 2;
    s->c.expires_at_us = RIG_START;
    s->c.depth_max = 3;
}

/* A child equal to its parent in all but depth. */
static void pair_init(scope *parent, scope *child)
{
    scope_init(parent);
    scope_init(child);
    child->c.depth_max = 2;
}

static void wider(const scope *parent, const scope *child, const char *dimension, const char *says)
{
    mandate_error err = {0};
    assert_int_equal(scope_is_subset(&child->c, &parent->c, &err), MANDATE_DENIED);
    assert_says(err, "wider than its parent in ");
    assert_says(err, dimension);
    assert_says(err, says);
}

static void within(const scope *parent, const scope *child)
{
    mandate_error err = {0};
    if (scope_is_subset(&child->c, &parent->c, &err) != MANDATE_OK)
        fail_msg("%s", err.text);
}

static void test_scope__a_pattern_covers_what_begins_with_it(void **state)
{
    static const struct {
        const char *pattern, *name;
        bool covers;
    } cases[] = {
        {"*", "", true},        {"*", "anything", true}, {"*", "*", true},       {"a", "a", true},   {"a", "ab", false},
        {"ab", "a", false},     {"a*", "a", true},       {"a*", "ab", true},     {"a*", "b", false}, {"a.*", "a", false},
        {"a.*", "a.b.c", true}, {"a.*", "a.b*", true},   {"a.b*", "a.*", false}, {"a", "a*", false}, {"a*", "*", false},
        {"", "", true},         {"A", "a", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (scope_covers(S(cases[i].pattern), S(cases[i].name)) != cases[i].covers)
            fail_msg("%s over %s", cases[i].pattern, cases[i].name);
}

static void test_scope__a_child_may_equal_its_parent_or_narrow_every_dimension(void **state)
{
    scope p, c;
    pair_init(&p, &c);
    within(&p, &c);
    list(&c.c.actions, &c.c.action_count, c.actions, "contract.read*", NULL);
    list(&c.c.resources, &c.c.resource_count, c.resources, "crm.note/1", NULL);
    list(&c.c.audience, &c.c.audience_count, c.audience, "https://b.example", NULL);
    c.limits[0].max = cel_double(999.5);
    c.limits[1].max = cel_int(0);
    c.limits[2] = (claims_limit){S("times"), cel_int(9)}; /* a limit more is narrower */
    c.c.limit_count = 3;
    c.c.expires_at_us = RIG_START - 1;
    c.c.depth_max = 0;
    within(&p, &c);
}

static void test_scope__a_wider_child_is_refused_in_each_dimension_by_name(void **state)
{
    scope p, c;
    pair_init(&p, &c);
    list(&c.c.actions, &c.c.action_count, c.actions, "contract.read", "mail.read");
    wider(&p, &c, "in actions", "\"mail.read\" is not within \"contract.*\", \"mail.send\"");
    pair_init(&p, &c);
    list(&c.c.resources, &c.c.resource_count, c.resources, "crm.*", NULL);
    wider(&p, &c, "in resources", "\"crm.*\"");
    pair_init(&p, &c);
    list(&c.c.audience, &c.c.audience_count, c.audience, "https://c.example", NULL);
    wider(&p, &c, "in audience", "https://c.example");
    pair_init(&p, &c);
    c.c.audience_count = 0;
    wider(&p, &c, "in audience", "anyone");
    pair_init(&p, &c);
    c.limits[0].max = cel_double(1000.5);
    wider(&p, &c, "limit \"amount\"", "1000.5, while the parent has 1000");
    pair_init(&p, &c);
    c.c.limit_count = 1;
    wider(&p, &c, "limit \"share\"", "no limit, while the parent has 0.5");
    pair_init(&p, &c);
    c.c.expires_at_us = RIG_START + 1;
    wider(&p, &c, "in time",
          "expires_at 2023-11-14T22:13:20.000001Z is after 2023-11-14T22:13:20Z; a child may only narrow");
    pair_init(&p, &c);
    c.c.depth_max = 3;
    wider(&p, &c, "in depth", "the parent allows 3 more generations");
    pair_init(&p, &c);
    p.c.depth_max = c.c.depth_max = 0;
    wider(&p, &c, "in depth", "allows 0 more");
}

static void test_scope__no_audience_means_anyone_so_a_child_may_name_one(void **state)
{
    scope p, c;
    pair_init(&p, &c);
    p.c.audience_count = 0;
    within(&p, &c);
}

/* --- what it permits ------------------------------------------------------------------------------------------------ */
static bool permits(const char *action, const char *resource, const cel_entry *params, uint32_t count, arena *a,
                    mandate_slice *why)
{
    scope s;
    scope_init(&s);
    return scope_permits(&s.c, S(action), S(resource), count ? cel_map(params, count) : cel_null(), a, why);
}

static void test_scope__an_action_needs_action_resource_and_every_limited_number(void **state)
{
    const cel_entry good[] = {{STR("amount"), cel_int(1000)}, {STR("share"), cel_double(0.5)}};
    const cel_entry more[] = {{STR("amount"), cel_uint(1001)}, {STR("share"), cel_double(0.5)}};
    const cel_entry text[] = {{STR("amount"), STR("1")}, {STR("share"), cel_double(0.5)}};
    const cel_entry part[] = {{STR("amount"), cel_int(1)}};
    mandate_slice why = {"", 0};
    arena a;
    arena_init(&a, 0);
    assert_true(permits("contract.sign", "crm.account/4711", good, 2, &a, &why));
    assert_true(permits("mail.send", "crm.note/17", good, 2, &a, &why));
    assert_false(permits("mail.read", "crm.note/17", good, 2, &a, &why));
    assert_slice(why, "the action \"mail.read\" is outside the mandate's scope");
    assert_false(permits("mail.send", "crm.account/4712", good, 2, &a, &why));
    assert_slice(why, "the resource \"crm.account/4712\" is outside the mandate's scope");
    assert_false(permits("mail.send", "crm.note/17", more, 2, &a, &why));
    assert_slice(why, "\"amount\" is more than the mandate allows");
    assert_false(permits("mail.send", "crm.note/17", text, 2, &a, &why));
    assert_slice(why, "\"amount\" must be a number");
    assert_false(permits("mail.send", "crm.note/17", part, 1, &a, &why));
    assert_slice(why, "the mandate limits \"share\": say it in action.properties");
    assert_false(permits("mail.send", "crm.note/17", NULL, 0, &a, &why));
    arena_deinit(&a);
}

static void test_scope__not_a_number_is_never_within_a_limit(void **state)
{
    const cel_entry nan[] = {{STR("amount"), cel_double(__builtin_nan(""))}, {STR("share"), cel_double(0.5)}};
    mandate_slice why = {"", 0};
    arena a;
    arena_init(&a, 0);
    assert_false(permits("mail.send", "crm.note/17", nan, 2, &a, &why));
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scope__a_pattern_covers_what_begins_with_it),
        cmocka_unit_test(test_scope__a_child_may_equal_its_parent_or_narrow_every_dimension),
        cmocka_unit_test(test_scope__a_wider_child_is_refused_in_each_dimension_by_name),
        cmocka_unit_test(test_scope__no_audience_means_anyone_so_a_child_may_name_one),
        cmocka_unit_test(test_scope__an_action_needs_action_resource_and_every_limited_number),
        cmocka_unit_test(test_scope__not_a_number_is_never_within_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of engine/mandate/scope: a child may only narrow, dimension by dimension, and what a scope permits. */
#include "tests/engine/rig.h"

#include "engine/mandate/required.h"

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

/* --- required values ------------------------------------------------------------------------------------------------ */
static const cel_value soft[] = {{.kind = CEL_BOOL, .b = true}},
                       either[] = {{.kind = CEL_BOOL, .b = false}, {.kind = CEL_BOOL, .b = true}},
                       places[] = {{.kind = CEL_INT, .i = 7},
                                   {.kind = CEL_STRING, .len = 2, .s = "eu"},
                                   {.kind = CEL_STRING, .len = 2, .s = "us"}};

static void require(scope *s, const claims_required *all, uint32_t count)
{
    mandate_error err = {0};
    s->c.required = all;
    s->c.required_count = count;
    if (required_check(&s->c, &err))
        fail_msg("%s", err.text);
}

static void test_scope__a_child_keeps_every_required_name_with_values_that_are_among_its_parents(void **state)
{
    const claims_required theirs[] = {{S("action.soft"), either, 2}, {S("resource.region"), places, 3}},
                          fewer[] = {{S("action.soft"), soft, 1}, {S("resource.region"), places + 1, 1}},
                          more_names[] = {{S("action.soft"), either, 2},
                                          {S("context.channel"), places, 1},
                                          {S("resource.region"), places, 3}},
                          one_name[] = {{S("action.soft"), either, 2}};
    const cel_value other[] = {cel_int(7), STR("cn")}, as_double[] = {cel_double(7.0)}, as_text[] = {STR("7")};
    const claims_required elsewhere[] = {{S("action.soft"), soft, 1}, {S("resource.region"), other, 2}},
                          same_number[] = {{S("action.soft"), soft, 1}, {S("resource.region"), as_double, 1}},
                          no_number[] = {{S("action.soft"), soft, 1}, {S("resource.region"), as_text, 1}};
    scope p, c;
    pair_init(&p, &c);
    require(&p, theirs, 2);
    require(&c, theirs, 2);
    within(&p, &c);
    require(&c, fewer, 2);
    within(&p, &c);
    require(&c, more_names, 3); /* a requirement more is narrower */
    within(&p, &c);
    require(&c, same_number, 2);
    within(&p, &c);
    require(&c, no_number, 2);
    wider(&p, &c, "in required value \"resource.region\"", "\"7\", while the parent has one of 7, \"eu\", \"us\"");
    require(&c, elsewhere, 2);
    wider(&p, &c, "in required value \"resource.region\"",
          "one of 7, \"cn\", while the parent has one of 7, \"eu\", \"us\"; a child may only narrow");
    require(&c, one_name, 1);
    wider(&p, &c, "in required value \"resource.region\"", "none is required, while the parent has");
    require(&c, NULL, 0);
    wider(&p, &c, "in required value \"action.soft\"", "none is required, while the parent has one of false, true");
    c.c.hidden = CLAIMS_GIVEN(REQUIRE); /* the issuer's word */
    within(&p, &c);
    require(&p, NULL, 0);
    require(&c, theirs, 2);
    within(&p, &c);
}

static void says(const scope *s, const scope_question *q, const char *text)
{
    mandate_slice why = {"", 0};
    arena a;
    arena_init(&a, 0);
    const bool yes = scope_permits(&s->c, q, &a, &why);
    if (yes != !text || (text && !mandate_slice_is(why, text)))
        fail_msg("%s: \"%.*s\", expected %s", yes ? "permitted" : "refused", MANDATE_SLICE_ARG(why), text ? text : "yes");
    arena_deinit(&a);
}

static void test_scope__a_required_property_must_be_said_and_have_one_of_its_values(void **state)
{
    const claims_required all[] = {
        {S("action.soft"), soft, 1}, {S("context.ch.1"), places, 1}, {S("resource.region"), places, 3}};
    const cel_entry action[] = {{STR("soft"), cel_bool(true)}}, hard[] = {{STR("soft"), cel_bool(false)}},
                    quoted[] = {{STR("soft"), STR("true")}}, null[] = {{STR("soft"), cel_null()}},
                    in_list[] = {{STR("soft"), cel_list(soft, 1)}}, channel[] = {{STR("ch.1"), cel_double(7)}},
                    almost[] = {{STR("ch.1"), cel_double(7.5)}}, eu[] = {{STR("region"), STR("eu")}},
                    cn[] = {{STR("region"), STR("cn")}};
    scope s;
    scope_init(&s);
    s.c.limit_count = 0;
    require(&s, all, 3);
    scope_question q = {S("mail.send"), S("crm.note/17"), cel_map(action, 1), cel_map(eu, 1), cel_map(channel, 1)};
    says(&s, &q, NULL);
    q.params = cel_map(hard, 1);
    says(&s, &q, "\"action.soft\" is false, and the mandate requires true");
    q.params = cel_map(quoted, 1);
    says(&s, &q, "\"action.soft\" is \"true\", and the mandate requires true");
    q.params = cel_map(null, 1);
    says(&s, &q, "\"action.soft\" is null, and the mandate requires true");
    q.params = cel_map(in_list, 1);
    says(&s, &q, "\"action.soft\" is [true], and the mandate requires true");
    q.params = cel_null();
    says(&s, &q, "the mandate requires \"action.soft\" to be true: say it in action.properties");
    q.params = cel_map(action, 1);
    q.context = cel_map(almost, 1);
    says(&s, &q, "\"context.ch.1\" is 7.5, and the mandate requires 7");
    q.context = cel_map(NULL, 0);
    says(&s, &q, "the mandate requires \"context.ch.1\" to be 7: say it in context");
    q.context = cel_map(channel, 1);
    q.properties = cel_map(cn, 1);
    says(&s, &q, "\"resource.region\" is \"cn\", and the mandate requires one of 7, \"eu\", \"us\"");
    q.properties = cel_null();
    says(&s, &q, "the mandate requires \"resource.region\" to be one of 7, \"eu\", \"us\": say it in resource.properties");
    q.properties = cel_map(eu, 1);
    s.c.hidden = CLAIMS_GIVEN(REQUIRE);
    says(&s, &q, "scope.require is not disclosed, or not all of it: what it asks is not known");
}

/* The longest there can be still fits what an answer has room for, and is UTF-8. */
static void test_scope__a_refusal_is_short_however_long_the_names_and_values_are(void **state)
{
    char name[LIMIT_REQUIRED_TEXT + 1], value[LIMIT_REQUIRED_TEXT + 1];
    cel_value many[LIMIT_REQUIRED_VALUES];
    memset(name, 'n', sizeof(name));
    memcpy(name, "action.", 7);
    memset(value, 'v', sizeof(value));
    for (int i = 0; i < LIMIT_REQUIRED_VALUES; i++)
        many[i] = cel_int(INT64_MAX - LIMIT_REQUIRED_VALUES + i);
    many[LIMIT_REQUIRED_VALUES - 1] = cel_string(mandate_slice_of(value, LIMIT_REQUIRED_TEXT));
    const claims_required all[] = {{mandate_slice_of(name, LIMIT_REQUIRED_TEXT), many, LIMIT_REQUIRED_VALUES}};
    cel_entry other[] = {{cel_string(mandate_slice_of(name + 7, LIMIT_REQUIRED_TEXT - 7)),
                          cel_string(mandate_slice_of(value, LIMIT_REQUIRED_TEXT - 1))}};
    mandate_slice why = {"", 0};
    scope s;
    arena a;
    arena_init(&a, 0);
    scope_init(&s);
    s.c.limit_count = 0;
    require(&s, all, 1);
    for (uint32_t said = 0; said < 2; said++) {
        const scope_question q = {.action = S("mail.send"), .resource = S("crm.note/17"), .params = cel_map(other, said)};
        assert_false(scope_permits(&s.c, &q, &a, &why));
        assert_true(why.len > 60 && why.len <= 250);
    }
    other[0].value = many[LIMIT_REQUIRED_VALUES - 1];
    const scope_question q = {.action = S("mail.send"), .resource = S("crm.note/17"), .params = cel_map(other, 1)};
    assert_true(scope_permits(&s.c, &q, &a, &why));
    arena_deinit(&a);
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
    const scope_question q = {
        .action = S(action), .resource = S(resource), .params = count ? cel_map(params, count) : cel_null()};
    return scope_permits(&s.c, &q, a, why);
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
        cmocka_unit_test(test_scope__a_child_keeps_every_required_name_with_values_that_are_among_its_parents),
        cmocka_unit_test(test_scope__a_required_property_must_be_said_and_have_one_of_its_values),
        cmocka_unit_test(test_scope__a_refusal_is_short_however_long_the_names_and_values_are),
        cmocka_unit_test(test_scope__no_audience_means_anyone_so_a_child_may_name_one),
        cmocka_unit_test(test_scope__an_action_needs_action_resource_and_every_limited_number),
        cmocka_unit_test(test_scope__not_a_number_is_never_within_a_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

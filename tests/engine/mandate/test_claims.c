/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of engine/mandate/claims: the stored form, and every refusal with its sentence. */
#include "tests/engine/rig.h"

#include <math.h>
#include <stdlib.h>

static const mandate_slice actions[] = {MANDATE_SLICE_LIT("contract.negotiate"), MANDATE_SLICE_LIT("contract.read*")};
static const mandate_slice resources[] = {MANDATE_SLICE_LIT("crm.account/*")};
static const mandate_slice audience[] = {MANDATE_SLICE_LIT("https://gateway.example")};

/* Everything set. */
static claims full(arena *a)
{
    claims_limit *limits = ARENA_ARRAY(a, claims_limit, 3);
    cel_entry *params = ARENA_ARRAY(a, cel_entry, 2), *targets = ARENA_ARRAY(a, cel_entry, 1);
    cel_value *list = ARENA_ARRAY(a, cel_value, 3);
    list[0] = cel_int(-1);
    list[1] = cel_null();
    list[2] = cel_double(0.5);
    params[0] = (cel_entry){STR("conversation"), STR("R-42")};
    params[1] = (cel_entry){STR("list"), cel_list(list, 3)};
    targets[0] = (cel_entry){STR("workflow"), STR("w-1")};
    limits[0] = (claims_limit){S("amount"), cel_int(50000)};
    limits[1] = (claims_limit){S("share"), cel_double(0.25)};
    limits[2] = (claims_limit){S("times"), cel_uint(3)};
    cel_value *values = ARENA_ARRAY(a, cel_value, 4);
    claims_required *required = ARENA_ARRAY(a, claims_required, 2);
    values[0] = cel_bool(true);
    values[1] = cel_double(0.5);
    values[2] = cel_int(7);
    values[3] = STR("eu");
    required[0] = (claims_required){S("action.soft"), values, 1};
    required[1] = (claims_required){S("resource.region"), values + 1, 3};
    static const mandate_slice erp[] = {MANDATE_SLICE_LIT("https://erp.example"), MANDATE_SLICE_LIT("https://x.*")};
    static const claims_disclosure rules[] = {
        {.member = MEMBER_PURPOSE, .handle = true},
        {.member = MEMBER_LIMITS, .part = MANDATE_SLICE_LIT("amount"), .audiences = erp, .audience_count = 2},
        {.member = MEMBER_PARAMS, .audiences = erp, .audience_count = 1}};
    return (claims){.id = S("m-1"),
                    .issuer = S("https://issuer.example"),
                    .grantor = S("user:cfo"),
                    .agent = S("agent:negotiator"),
                    .purpose = S("renew the contract, für ACME"),
                    .actions = actions,
                    .action_count = 2,
                    .resources = resources,
                    .resource_count = 1,
                    .audience = audience,
                    .audience_count = 1,
                    .limits = limits,
                    .limit_count = 3,
                    .required = required,
                    .required_count = 2,
                    .clause = {S("a"), S("b"), S("c")},
                    .params = cel_map(params, 2),
                    .targets = cel_map(targets, 1),
                    .expires_at_us = RIG_START,
                    .issued_at_us = RIG_START - 5,
                    .parent = S("m-0"),
                    .depth_max = 7,
                    .on_unknown = ON_UNKNOWN_SUSPEND,
                    .unknown_grace_us = 60 * SECOND,
                    .disclosures = rules,
                    .disclosure_count = 3};
}

static void test_claims__what_is_encoded_is_decoded(void **state)
{
    arena a;
    buf one, two;
    claims back;
    arena_init(&a, 0);
    buf_init(&one);
    buf_init(&two);
    claims c = full(&a);
    claims_encode(&one, &c);
    assert_int_equal(claims_decode(&back, &a, buf_slice(&one), NULL), MANDATE_OK);
    claims_encode(&two, &back);
    assert_true(mandate_slice_eq(buf_slice(&one), buf_slice(&two)));
    assert_slice(back.id, "m-1");
    assert_slice(back.issuer, "https://issuer.example");
    assert_slice(back.grantor, "user:cfo");
    assert_slice(back.agent, "agent:negotiator");
    assert_slice(back.purpose, "renew the contract, für ACME");
    assert_int_equal(back.action_count, 2);
    assert_slice(back.actions[1], "contract.read*");
    assert_slice(back.resources[0], "crm.account/*");
    assert_slice(back.audience[0], "https://gateway.example");
    assert_int_equal(back.limit_count, 3);
    assert_slice(back.limits[2].name, "times");
    assert_int_equal(back.limits[2].max.u, 3);
    assert_slice(back.clause[CLAUSE_WHILE], "a");
    assert_slice(back.clause[CLAUSE_UNTIL], "b");
    assert_slice(back.clause[CLAUSE_SUSPEND_WHILE], "c");
    assert_true(cel_equal(back.params, c.params));
    assert_true(cel_equal(back.targets, c.targets));
    assert_int_equal(back.expires_at_us, RIG_START);
    assert_int_equal(back.issued_at_us, RIG_START - 5);
    assert_slice(back.parent, "m-0");
    assert_int_equal(back.depth_max, 7);
    assert_int_equal(back.on_unknown, ON_UNKNOWN_SUSPEND);
    assert_int_equal(back.unknown_grace_us, 60 * SECOND);
    assert_int_equal(back.required_count, 2);
    assert_slice(back.required[1].name, "resource.region");
    assert_int_equal(back.required[1].value_count, 3);
    assert_true(cel_equal(back.required[0].values[0], cel_bool(true)));
    assert_slice(cel_text(back.required[1].values[2]), "eu");
    assert_int_equal(back.disclosure_count, 3);
    assert_true(back.disclosures[0].handle);
    assert_slice(back.disclosures[1].part, "amount");
    assert_slice(back.disclosures[1].audiences[1], "https://x.*");
    buf_deinit(&one);
    buf_deinit(&two);
    arena_deinit(&a);
}

static void test_claims__a_copy_shares_nothing_with_the_original(void **state)
{
    arena mine, theirs;
    claims copy;
    buf before, after;
    arena_init(&mine, 0);
    arena_init(&theirs, 0);
    buf_init(&before);
    buf_init(&after);
    claims c = full(&theirs);
    claims_encode(&before, &c);
    assert_int_equal(claims_copy(&copy, &mine, &c, NULL), MANDATE_OK);
    arena_deinit(&theirs); /* a read of the original is a use after free now */
    claims_encode(&after, &copy);
    assert_true(mandate_slice_eq(buf_slice(&before), buf_slice(&after)));
    arena_deinit(&mine);
    buf_deinit(&before);
    buf_deinit(&after);
}

static void test_claims__the_agent_is_read_without_the_rest_or_not_at_all(void **state)
{
    arena a;
    buf b;
    mandate_slice agent;
    arena_init(&a, 0);
    buf_init(&b);
    claims c = full(&a);
    claims_encode(&b, &c);
    assert_int_equal(claims_decode_agent(&agent, buf_slice(&b), NULL), MANDATE_OK);
    assert_true(mandate_slice_eq(agent, c.agent));
    size_t needed = (size_t)(agent.ptr + agent.len - b.data);
    for (size_t n = 0; n < needed; n++) {
        char *exact = malloc(n + 1);
        memcpy(exact, b.data, n);
        assert_int_equal(claims_decode_agent(&agent, mandate_slice_of(exact, n), NULL), MANDATE_CORRUPT);
        free(exact);
    }
    b.data[0]++; /* the format */
    assert_int_equal(claims_decode_agent(&agent, buf_slice(&b), NULL), MANDATE_CORRUPT);
    buf_deinit(&b);
    arena_deinit(&a);
}

static void test_claims__cut_bytes_are_corrupt_at_every_length(void **state)
{
    arena a;
    buf b;
    claims back;
    arena_init(&a, 0);
    buf_init(&b);
    claims c = full(&a);
    claims_encode(&b, &c);
    for (size_t n = 0; n < b.len; n++) {
        char *exact = malloc(n + 1);
        memcpy(exact, b.data, n);
        assert_int_equal(claims_decode(&back, &a, mandate_slice_of(exact, n), NULL), MANDATE_CORRUPT);
        free(exact);
    }
    buf_put_char(&b, 0);
    assert_int_equal(claims_decode(&back, &a, buf_slice(&b), NULL), MANDATE_CORRUPT); /* and so is one byte more */
    buf_deinit(&b);
    arena_deinit(&a);
}

static void test_claims__damaged_bytes_never_do_worse_than_an_error(void **state)
{
    arena a;
    buf b;
    claims back;
    uint64_t rng = 23;
    arena_init(&a, 0);
    buf_init(&b);
    claims c = full(&a);
    claims_encode(&b, &c);
    for (int round = 0; round < 20000; round++) {
        char *copy = malloc(b.len);
        memcpy(copy, b.data, b.len);
        for (uint32_t k = 0; k < 1 + random_below(&rng, 3); k++)
            copy[random_below(&rng, (uint32_t)b.len)] = (char)random_u64(&rng);
        mandate_status s = claims_decode(&back, &a, mandate_slice_of(copy, b.len), NULL);
        assert_true(s == MANDATE_OK || s == MANDATE_CORRUPT);
        free(copy);
        if (round % 100 == 0) {
            arena_reset(&a);
            c = full(&a);
        }
    }
    buf_deinit(&b);
    arena_deinit(&a);
}

/* --- structure ------------------------------------------------------------------------------------------------ */
static void refused(const claims *c, mandate_status status, const char *says)
{
    mandate_error err = {0};
    assert_int_equal(claims_check(c, &err), status);
    assert_says(err, says);
}

/* Also cut short, and damaged: then it is an error, or what was read is inside the bytes. */
static void test_claims__the_outline_is_the_claims_without_what_conditions_never_ask_for(void **state)
{
    arena a;
    buf b;
    mandate_slice params;
    arena_init(&a, 0);
    buf_init(&b);
    claims c = full(&a), out, whole;
    claims_encode(&b, &c);
    assert_int_equal(claims_decode_outline(&out, &params, buf_slice(&b), NULL), MANDATE_OK);
    assert_int_equal(claims_decode(&whole, &a, buf_slice(&b), NULL), MANDATE_OK);
    assert_true(mandate_slice_eq(out.id, whole.id) && mandate_slice_eq(out.issuer, whole.issuer));
    assert_true(mandate_slice_eq(out.grantor, whole.grantor) && mandate_slice_eq(out.agent, whole.agent));
    assert_true(mandate_slice_eq(out.purpose, whole.purpose) && mandate_slice_eq(out.parent, whole.parent));
    for (int i = 0; i < CLAUSE_COUNT; i++)
        assert_true(mandate_slice_eq(out.clause[i], whole.clause[i]));
    assert_int_equal(out.expires_at_us, whole.expires_at_us);
    assert_int_equal(out.unknown_grace_us, whole.unknown_grace_us);
    assert_int_equal(out.on_unknown, whole.on_unknown);
    assert_int_equal(out.depth_max, whole.depth_max);
    wire_reader r = wire_reader_of(params);
    assert_true(cel_equal(cel_decode(&r, &a), whole.params));
    assert_true(wire_done(&r));
    for (size_t n = 0; n < b.len; n++)
        assert_int_equal(claims_decode_outline(&out, &params, mandate_slice_of(b.data, n), NULL), MANDATE_CORRUPT);
    for (size_t n = 0; n < b.len; n++) {
        b.data[n] ^= 0x55;
        if (claims_decode_outline(&out, &params, buf_slice(&b), NULL) == MANDATE_OK)
            assert_true(params.ptr >= b.data && params.ptr + params.len <= b.data + b.len);
        b.data[n] ^= 0x55;
    }
    buf_deinit(&b);
    arena_deinit(&a);
}

/* What was stored before there were required values, byte for byte. */
static void test_claims__without_required_values_the_stored_form_is_the_old_one(void **state)
{
    arena a;
    buf with, without;
    arena_init(&a, 0);
    buf_init(&with);
    buf_init(&without);
    claims c = full(&a), back;
    for (int restricted = 0; restricted < 2; restricted++) {
        c.disclosure_count = restricted ? 3 : 0;
        c.required_count = 2;
        buf_reset(&with);
        claims_encode(&with, &c);
        c.required_count = 0;
        buf_reset(&without);
        claims_encode(&without, &c);
        assert_int_equal((uint8_t)without.data[0], restricted ? 4 : 2);
        assert_int_equal((uint8_t)with.data[0], restricted ? 5 : 3);
        assert_true(claims_restrict(buf_slice(&with)) == restricted && claims_restrict(buf_slice(&without)) == restricted);
        assert_int_equal(claims_decode(&back, &a, buf_slice(&without), NULL), MANDATE_OK);
        assert_int_equal(back.required_count, 0);
        /* Never read as the other. */
        with.data[0] = without.data[0];
        assert_int_equal(claims_decode(&back, &a, buf_slice(&with), NULL), MANDATE_CORRUPT);
        without.data[0] = (char)(restricted ? 5 : 3);
        assert_int_equal(claims_decode(&back, &a, buf_slice(&without), NULL), MANDATE_CORRUPT);
    }
    buf_deinit(&with);
    buf_deinit(&without);
    arena_deinit(&a);
}

static void test_claims__full_and_minimal_claims_are_accepted(void **state)
{
    arena a;
    arena_init(&a, 0);
    claims c = full(&a);
    assert_int_equal(claims_check(&c, NULL), MANDATE_OK);
    c.audience_count = c.limit_count = c.required_count = c.disclosure_count = 0;
    c.params = c.targets = cel_null();
    c.parent = S("");
    for (int i = 0; i < CLAUSE_COUNT; i++)
        c.clause[i] = S("");
    c.depth_max = CLAIMS_DEPTH_UNSET;
    assert_int_equal(claims_check(&c, NULL), MANDATE_OK);
    arena_deinit(&a);
}

static void test_claims__a_missing_member_is_named(void **state)
{
    arena a;
    arena_init(&a, 0);
#define WITHOUT(member, says)                   \
    do {                                        \
        claims c = full(&a);                    \
        memset(&c.member, 0, sizeof(c.member)); \
        refused(&c, MANDATE_INVALID, says);     \
    } while (0)
    WITHOUT(id, "\"id\" is required");
    WITHOUT(issuer, "\"issuer\" is required");
    WITHOUT(grantor, "\"grantor\" is required");
    WITHOUT(agent, "\"agent\" is required");
    WITHOUT(purpose, "\"purpose\" is required");
    WITHOUT(action_count, "\"scope.actions\" is empty");
    WITHOUT(resource_count, "\"scope.resources\" is empty");
    WITHOUT(expires_at_us, "\"expires_at\" is required");
    arena_deinit(&a);
}

static void test_claims__a_member_that_breaks_a_rule_is_named(void **state)
{
    static const mandate_slice two_stars[] = {MANDATE_SLICE_LIT("contract.**")}, space[] = {MANDATE_SLICE_LIT("a b")};
    const claims_limit text[] = {{S("amount"), STR("50")}}, nan[] = {{S("amount"), cel_double(NAN)}},
                       inf[] = {{S("amount"), cel_double(INFINITY)}};
    const claims_limit twice[] = {{S("amount"), cel_int(1)}, {S("amount"), cel_int(2)}},
                       unsorted[] = {{S("b"), cel_int(1)}, {S("a"), cel_int(2)}};
    const cel_value one[] = {cel_bool(true)}, list[] = {cel_list(one, 1)}, null[] = {cel_null()},
                    not_one[] = {cel_double(NAN)}, same[] = {cel_int(5), cel_double(5.0)}, order[] = {STR("b"), STR("a")},
                    mixed[] = {STR("1"), cel_int(1)}, bad[] = {STR("\xff")};
    const claims_required plain[] = {{S("soft"), one, 1}}, of_whom[] = {{S("subject.role"), one, 1}},
                          bare[] = {{S("action."), one, 1}}, blank[] = {{S("action.a b"), one, 1}},
                          none[] = {{S("action.soft"), one, 0}}, lists[] = {{S("action.soft"), list, 1}},
                          nulls[] = {{S("action.soft"), null, 1}}, nans[] = {{S("action.soft"), not_one, 1}},
                          equal[] = {{S("action.n"), same, 2}}, turned[] = {{S("action.n"), order, 2}},
                          kinds[] = {{S("action.n"), mixed, 2}}, utf8[] = {{S("action.n"), bad, 1}},
                          again[] = {{S("action.n"), one, 1}, {S("action.n"), one, 1}},
                          wrong_way[] = {{S("context.n"), one, 1}, {S("action.n"), one, 1}};
    arena a;
    arena_init(&a, 0);
#define WITH(assignments, says)             \
    do {                                    \
        claims c = full(&a);                \
        assignments;                        \
        refused(&c, MANDATE_INVALID, says); \
    } while (0)
    WITH(c.id = S("has space"), "\"id\" must have no spaces or control characters (byte 4)");
    WITH(c.agent = S("tab\there"), "\"agent\" must have no spaces");
    WITH(c.grantor = S("bad\xff"), "\"grantor\" must be UTF-8");
    WITH(c.id = mandate_slice_of("a\0b", 3), "\"id\" must be UTF-8 text without NUL");
    WITH(c.purpose = mandate_slice_of("a\0b", 3), "\"purpose\" must be UTF-8 text without NUL");
    WITH(c.clause[1] = S("\xc0\x80"), "\"until\" must be UTF-8");
    WITH(c.actions = two_stars; c.action_count = 1, "two \"*\" side by side, in \"contract.**\"");
    WITH(c.resources = space; c.resource_count = 1, "\"scope.resources\" must have no spaces");
    WITH(c.limits = text; c.limit_count = 1, "limit \"amount\" must be a finite number");
    WITH(c.limits = nan; c.limit_count = 1, "finite number");
    WITH(c.limits = inf; c.limit_count = 1, "finite number");
    WITH(c.limits = twice; c.limit_count = 2, "limit \"amount\" stands there twice");
    WITH(c.limits = unsorted; c.limit_count = 2, "limit \"a\"");
#define WITH_REQUIRED(list, says) WITH(c.required = list; c.required_count = sizeof(list) / sizeof(*(list)), says)
    WITH_REQUIRED(plain, "\"soft\" names no property of what is asked; expected \"action.\", \"resource.\" or \"context.\"");
    WITH_REQUIRED(of_whom, "\"subject.role\" names no property");
    WITH_REQUIRED(bare, "\"action.\" names no property");
    WITH_REQUIRED(blank, "\"scope.require\" must have no spaces");
    WITH_REQUIRED(none, "\"action.soft\" needs at least one value");
    WITH_REQUIRED(lists, "a value of \"action.soft\" must be true, false, a finite number or a text");
    WITH_REQUIRED(nulls, "a value of \"action.soft\" must be");
    WITH_REQUIRED(nans, "a value of \"action.soft\" must be");
    WITH_REQUIRED(equal, "a value of \"action.n\" stands there twice");
    WITH_REQUIRED(turned, "a value of \"action.n\" stands there twice");
    WITH_REQUIRED(kinds, "a value of \"action.n\" stands there twice"); /* numbers stand before texts */
    WITH_REQUIRED(utf8, "\"scope.require\" must be UTF-8");
    WITH_REQUIRED(again, "\"scope.require\": \"action.n\" stands there twice");
    WITH_REQUIRED(wrong_way, "\"scope.require\": \"action.n\" stands there twice");
    WITH(c.params = cel_int(1), "\"params\" must be an object");
    WITH(c.targets = STR("x"), "\"targets\" must be an object");
    WITH(c.expires_at_us = -1, "\"expires_at\" is required");
    WITH(c.unknown_grace_us = -1, "\"unknown_grace\" must not be negative");
    WITH(c.parent = c.id, "its own parent");
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_claims__what_is_encoded_is_decoded),
        cmocka_unit_test(test_claims__a_copy_shares_nothing_with_the_original),
        cmocka_unit_test(test_claims__the_agent_is_read_without_the_rest_or_not_at_all),
        cmocka_unit_test(test_claims__cut_bytes_are_corrupt_at_every_length),
        cmocka_unit_test(test_claims__damaged_bytes_never_do_worse_than_an_error),
        cmocka_unit_test(test_claims__the_outline_is_the_claims_without_what_conditions_never_ask_for),
        cmocka_unit_test(test_claims__without_required_values_the_stored_form_is_the_old_one),
        cmocka_unit_test(test_claims__full_and_minimal_claims_are_accepted),
        cmocka_unit_test(test_claims__a_missing_member_is_named),
        cmocka_unit_test(test_claims__a_member_that_breaks_a_rule_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

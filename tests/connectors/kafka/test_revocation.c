/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A transition as bytes: exact JSON, Avro that its own schema reads back, nothing that varies.
 */
#include "connectors/kafka/revocation.h"

#include "connectors/decode/decode.h"
#include "connectors/kafka/flip.h"
#include "engine/base/hash.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#define S(text) MANDATE_SLICE_LIT(text)

static const mandate_slice term_source = S("crm"), term_topic = S("crm.cdc");
static const transition_names names = {S("crm"), S("crm.cdc"), &term_source, &term_topic};

static transition sample(transition_term *term)
{
    static cel_entry targets[2];
    const change_origin origin = {
        .source = 0, .partition = 3, .offset = 41, .event_time_us = 1500000, .version = UINT64_MAX, .seq = 9};

    /* Not in key order: the bytes must be. */
    targets[0] = (cel_entry){cel_string(mandate_slice_str("workflow")), cel_string(mandate_slice_str("wf-1"))};
    targets[1] = (cel_entry){cel_string(mandate_slice_str("label")), cel_int(7)};
    *term = (transition_term){.path = S("crm.conversation[\"R-42\"].status"),
                              .value = cel_string(mandate_slice_str("closed")),
                              .observed = true,
                              .origin = origin};
    return (transition){
        .mandate = S("m-1"),
        .issuer = S("https://i.example"),
        .version = 2,
        .claims_version = 1,
        .state = STATE_REVOKED,
        .prior = STATE_ACTIVE,
        .reason = REASON_WHILE_FALSE,
        .cause = CAUSE_CHANGE,
        .origin = origin,
        .clause = CLAUSE_WHILE,
        .clause_text = S("a == b"),
        .terms = term,
        .term_count = 1,
        .term_total = 1,
        .grantor = S("g"),
        .agent = S("a"),
        .purpose = S("p \"q\""),
        .targets = cel_map(targets, 2),
        .expires_at_us = 2000000,
        .effective_at_us = 1600000,
        .committed_at_us = 1700000,
        .seq = 10,
    };
}

static void test_revocation__the_json_is_exactly_this(void **state)
{
    transition_term term;
    transition t = sample(&term);
    mandate_error err;
    uint8_t id[32];
    char hex[65], zero[65];
    char expected[2048];
    buf b;

    assert_true(transition_id(id, t.issuer, t.mandate, t.version));
    hex_encode(hex, id, 32);
    hex_encode(zero, t.txn, 32);
    snprintf(expected, sizeof(expected),
             "{\"id\":\"%s\",\"issuer\":\"https://"
             "i.example\",\"mandate\":\"m-1\",\"version\":2,\"claims_version\":1,\"state\":\"revoked\","
             "\"prior\":\"active\",\"reason\":\"while_false\",\"clause\":{\"kind\":\"while\",\"text\":\"a == b\"},"
             "\"terms\":[{\"path\":\"crm.conversation[\\\"R-42\\\"].status\",\"observed\":true,\"value\":\"closed\","
             "\"source\":\"crm\",\"topic\":\"crm.cdc\",\"partition\":3,\"offset\":41,"
             "\"event_time\":\"1970-01-01T00:00:01.500Z\",\"version\":18446744073709551614,\"seq\":9}],\"terms_total\":1,"
             "\"cause\":{\"kind\":\"event\",\"source\":\"crm\",\"topic\":\"crm.cdc\",\"partition\":3,\"offset\":41,"
             "\"event_time\":\"1970-01-01T00:00:01.500Z\",\"version\":18446744073709551614,\"seq\":9},\"cascade\":null,"
             "\"txn\":\"%s\",\"grantor\":\"g\","
             "\"agent\":\"a\",\"purpose\":\"p \\\"q\\\"\",\"targets\":{\"label\":7,\"workflow\":\"wf-1\"},"
             "\"expires_at\":\"1970-01-01T00:00:02Z\",\"effective_at\":\"1970-01-01T00:00:01.600Z\","
             "\"committed_at\":\"1970-01-01T00:00:01.700Z\",\"seq\":10}",
             hex, zero);
    for (int again = 0; again < 2; again++) {
        buf_init(&b);
        assert_int_equal(revocation_json(&b, &t, &names, &err), MANDATE_OK);
        assert_string_equal(buf_cstr(&b), expected);
        buf_deinit(&b);
    }
}

static void test_revocation__a_stored_transition_gives_the_same_bytes_as_the_fresh_one(void **state)
{
    transition_term term;
    transition t = sample(&term), stored;
    transition_names stored_names;
    mandate_error err;
    schema *s = NULL;
    uint16_t index;
    arena a;
    buf encoded, fresh, again;

    assert_int_equal(schema_create(&s, &err), MANDATE_OK);
    assert_int_equal(schema_declare_source(&index, s, mandate_slice_str("crm"), &err), MANDATE_OK);
    assert_int_equal(schema_declare_topic(&index, s, mandate_slice_str("crm.cdc"), &err), MANDATE_OK);
    assert_int_equal(schema_freeze(s, &err), MANDATE_OK);
    arena_init(&a, 0);
    buf_init(&encoded);
    buf_init(&fresh);
    buf_init(&again);
    transition_encode(&encoded, &t, s);
    assert_int_equal(transition_decode(&stored, &stored_names, &a, buf_slice(&encoded), &err), MANDATE_OK);
    assert_int_equal(revocation_json(&fresh, &t, &names, &err), MANDATE_OK);
    assert_int_equal(revocation_json(&again, &stored, &stored_names, &err), MANDATE_OK);
    assert_string_equal(buf_cstr(&fresh), buf_cstr(&again));
    buf_deinit(&encoded);
    buf_deinit(&fresh);
    buf_deinit(&again);
    arena_deinit(&a);
    schema_destroy(s);
}

/* What a topic says of a mandate that restricts everything that a transition carries. */
static void test_revocation__what_is_restricted_is_not_told_and_named(void **state)
{
    static const mandate_slice erp[] = {MANDATE_SLICE_LIT("erp")};
    static const claims_disclosure rules[] = {
        {.member = MEMBER_PURPOSE},
        {.member = MEMBER_LIMITS, .part = MANDATE_SLICE_LIT("amount"), .audiences = erp, .audience_count = 1},
        {.member = MEMBER_WHILE, .audiences = erp, .audience_count = 1},
        {.member = MEMBER_TARGETS, .part = MANDATE_SLICE_LIT("workflow"), .audiences = erp, .audience_count = 1}};
    const disclosure_viewer anybody = {false, {"", 0}}, is_erp = {false, erp[0]};
    cel_entry limits[] = {{cel_string(mandate_slice_str("from")), cel_int(4711)},
                          {cel_string(mandate_slice_str("member")), cel_string(mandate_slice_str("scope.limits"))},
                          {cel_string(mandate_slice_str("to")), cel_int(4710)}},
              depth[] = {{cel_string(mandate_slice_str("from")), cel_int(2)},
                         {cel_string(mandate_slice_str("member")), cel_string(mandate_slice_str("max_depth"))},
                         {cel_string(mandate_slice_str("to")), cel_int(1)}};
    const cel_value changes[] = {cel_map(limits, 3), cel_map(depth, 3)};
    transition_term term;
    transition t = sample(&term), seen;
    mandate_error err;
    arena a;
    buf b;

    t.disclosures = rules;
    t.disclosure_count = 4;
    t.changes = cel_list(changes, 2);
    arena_init(&a, 0);
    buf_init(&b);
    transition_view(&seen, &t, &anybody, &a);
    assert_int_equal(revocation_json(&b, &seen, &names, &err), MANDATE_OK);
    static const char *const told[] = {"\"purpose\":\"\"",
                                       "\"text\":\"\"",
                                       "\"terms\":[]",
                                       "\"targets\":{\"label\":7}",
                                       "{\"from\":null,\"member\":\"scope.limits\",\"restricted\":true,\"to\":null}",
                                       "{\"from\":2,\"member\":\"max_depth\",\"to\":1}",
                                       "\"restricted\":[\"purpose\",\"scope.limits\",\"while\",\"targets\"]"},
                             *const kept_back[] = {"471", "R-42", "closed", "a == b", "wf-1", "p \\\"q", "erp"};
    for (size_t i = 0; i < sizeof(told) / sizeof(*told); i++)
        if (!strstr(buf_cstr(&b), told[i]))
            fail_msg("%s is not in %s", told[i], buf_cstr(&b));
    for (size_t i = 0; i < sizeof(kept_back) / sizeof(*kept_back); i++)
        if (strstr(buf_cstr(&b), kept_back[i]))
            fail_msg("%s is in %s", kept_back[i], buf_cstr(&b));
    buf_reset(&b);
    transition_view(&seen, &t, &is_erp, &a);
    assert_int_equal(revocation_json(&b, &seen, &names, &err), MANDATE_OK);
    assert_non_null(strstr(buf_cstr(&b), "\"restricted\":[\"purpose\"]"));
    assert_non_null(strstr(buf_cstr(&b), "4711"));
    assert_non_null(strstr(buf_cstr(&b), "R-42"));
    buf_deinit(&b);
    arena_deinit(&a);
}

static void test_revocation__a_value_too_long_for_evidence_is_replaced_by_its_size(void **state)
{
    transition_term term;
    transition t = sample(&term);
    mandate_error err;
    char *text = malloc(REVOCATION_VALUE_MAX);
    buf b;

    memset(text, 'x', REVOCATION_VALUE_MAX);
    buf_init(&b);
    term.value = cel_string(mandate_slice_of(text, REVOCATION_VALUE_MAX - 2)); /* with quotes: at the cap */
    assert_int_equal(revocation_json(&b, &t, &names, &err), MANDATE_OK);
    assert_null(strstr(buf_cstr(&b), "omitted_bytes"));
    buf_reset(&b);
    term.value = cel_string(mandate_slice_of(text, REVOCATION_VALUE_MAX - 1));
    assert_int_equal(revocation_json(&b, &t, &names, &err), MANDATE_OK);
    assert_non_null(strstr(buf_cstr(&b), "\"value\":{\"omitted_bytes\":4097}"));
    buf_deinit(&b);
    free(text);
}

static mandate_slice member(cel_value map, const char *name)
{
    const cel_value *v = cel_map_get_str(map, name);

    assert_non_null(v);
    assert_int_equal(v->kind, CEL_STRING);
    return cel_text(*v);
}

static void test_revocation__avro_is_read_back_by_its_own_schema(void **state)
{
    transition_term term;
    transition t = sample(&term);
    mandate_error err = {0};
    avro_plan *plan = NULL;
    revocation_framing framing = {0};
    cel_value v;
    arena a;
    buf b;

    assert_int_equal(avro_plan_create(&plan, revocation_avro_schema(), NULL, 0, &err), MANDATE_OK);
    framing.fingerprint = avro_plan_fingerprint(plan);
    t.in_flight = t.targets;
    t.cascade_root = mandate_slice_str("m-0");
    t.cascade_parent = mandate_slice_str("m-0");
    t.cascade_depth = 1;
    arena_init(&a, 0);
    buf_init(&b);
    assert_int_equal(revocation_avro(&b, &t, &names, &framing, &err), MANDATE_OK);
    assert_int_equal((uint8_t)b.data[0], 0xc3);
    assert_int_equal((uint8_t)b.data[1], 0x01);
    assert_int_equal(avro_decode(&v, plan, &a, mandate_slice_of(b.data + 10, b.len - 10), &err), MANDATE_OK);
    assert_true(mandate_slice_is(member(v, "state"), "revoked"));
    assert_true(mandate_slice_is(member(v, "targets"), "{\"label\":7,\"workflow\":\"wf-1\"}"));
    assert_true(mandate_slice_is(member(v, "in_flight"), "{\"label\":7,\"workflow\":\"wf-1\"}"));
    const cel_value *terms = cel_map_get_str(v, "terms"), *cascade = cel_map_get_str(v, "cascade");
    assert_int_equal(terms->len, 1);
    assert_true(mandate_slice_is(member(terms->items[0], "value"), "\"closed\""));
    assert_true(mandate_slice_is(member(*cel_map_get_str(terms->items[0], "origin"), "topic"), "crm.cdc"));
    assert_true(mandate_slice_is(member(*cel_map_get_str(terms->items[0], "origin"), "version"), "18446744073709551614"));
    assert_true(mandate_slice_is(member(*cascade, "root"), "m-0"));
    assert_int_equal(cel_us(*cel_map_get_str(v, "expires_at")), t.expires_at_us);
    assert_int_equal(cel_map_get_str(v, "seq")->i, 10);
    buf_deinit(&b);
    arena_deinit(&a);
    avro_plan_destroy(plan);
}

static void test_revocation__an_avro_heartbeat_is_read_back_by_its_own_schema(void **state)
{
    revocation_framing framing = {.fingerprint = 1};
    mandate_error err = {0};
    avro_plan *plan = NULL;
    cel_value v;
    arena a;
    buf b;

    assert_int_equal(avro_plan_create(&plan, revocation_heartbeat_avro_schema(), NULL, 0, &err), MANDATE_OK);
    arena_init(&a, 0);
    buf_init(&b);
    revocation_heartbeat_avro(&b, mandate_slice_str("https://m.test"), 1700000000000001, 77, &framing);
    assert_memory_equal(b.data, "\xc3\x01\x01\0\0\0\0\0\0\0", 10);
    assert_int_equal(avro_decode(&v, plan, &a, mandate_slice_of(b.data + 10, b.len - 10), &err), MANDATE_OK);
    assert_true(mandate_slice_is(member(v, "issuer"), "https://m.test"));
    assert_int_equal(cel_us(*cel_map_get_str(v, "complete_up_to")), 1700000000000001);
    assert_int_equal(cel_map_get_str(v, "seq")->i, 77);
    buf_deinit(&b);
    arena_deinit(&a);
    avro_plan_destroy(plan);
}

static void test_revocation__confluent_framing_is_a_zero_and_the_id_in_network_order(void **state)
{
    transition_term term;
    transition t = sample(&term);
    revocation_framing framing = {.confluent = true, .schema_id = 0x01020304};
    mandate_error err;
    buf b;

    buf_init(&b);
    assert_int_equal(revocation_avro(&b, &t, &names, &framing, &err), MANDATE_OK);
    assert_memory_equal(b.data, "\0\1\2\3\4", 5);
    buf_deinit(&b);
}

static void test_revocation__types_name_what_happened(void **state)
{
    transition_term term;
    transition t = sample(&term);
    char type[REVOCATION_TYPE_MAX];

    revocation_type(type, &t);
    assert_string_equal(type, "dev.mandated.mandate.revoked.v1");
    t.state = STATE_ACTIVE;
    t.prior = STATE_SUSPENDED;
    revocation_type(type, &t);
    assert_string_equal(type, "dev.mandated.mandate.resumed.v1");
    t.prior = STATE_NONE;
    revocation_type(type, &t);
    assert_string_equal(type, "dev.mandated.mandate.issued.v1");
}

static void test_revocation__the_json_of_a_flip_names_who_asserted_its_event(void **state)
{
    const char *before = "\"cause\":{\"kind\":\"event\",\"source\":\"manual\",\"event_time\":\"1970-01-01T00:00:01.500Z\"";
    watch_flip f = {.watch = S("w"),
                    .issuer = S("https://i.example"),
                    .condition = S("a == b"),
                    .version = 2,
                    .value = TRUTH_TRUE,
                    .cause = CAUSE_CHANGE,
                    .origin = {.topic = SCHEMA_NONE, .partition = -1, .offset = -1, .event_time_us = 1500000, .seq = 9},
                    .principal = S("user:desk"),
                    .note = S("seen \"it\""),
                    .seq = 10};
    const char *after = ",\"principal\":\"user:desk\",\"note\":\"seen \\\"it\\\"\"}";
    const mandate_slice manual = S("manual"), nothing = S("");
    buf b;
    buf_init(&b);
    assert_int_equal(flip_json(&b, &f, manual, nothing, NULL), MANDATE_OK);
    const char *cause = strstr(buf_cstr(&b), before);
    assert_non_null(cause);
    assert_int_equal(strncmp(cause + strlen(before), after, strlen(after)), 0);
    buf_reset(&b);
    f.principal = f.note = nothing;
    assert_int_equal(flip_json(&b, &f, manual, nothing, NULL), MANDATE_OK);
    assert_null(strstr(buf_cstr(&b), "principal"));
    assert_null(strstr(buf_cstr(&b), "note"));
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_revocation__the_json_is_exactly_this),
        cmocka_unit_test(test_revocation__a_stored_transition_gives_the_same_bytes_as_the_fresh_one),
        cmocka_unit_test(test_revocation__what_is_restricted_is_not_told_and_named),
        cmocka_unit_test(test_revocation__a_value_too_long_for_evidence_is_replaced_by_its_size),
        cmocka_unit_test(test_revocation__avro_is_read_back_by_its_own_schema),
        cmocka_unit_test(test_revocation__an_avro_heartbeat_is_read_back_by_its_own_schema),
        cmocka_unit_test(test_revocation__confluent_framing_is_a_zero_and_the_id_in_network_order),
        cmocka_unit_test(test_revocation__types_name_what_happened),
        cmocka_unit_test(test_revocation__the_json_of_a_flip_names_who_asserted_its_event),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

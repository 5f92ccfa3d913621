/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of engine/mandate/transition: the stored form names its sources, and a cut or damaged one is refused. */
#include "tests/engine/rig.h"

#include <stdlib.h>

static transition full(void)
{
    static const cel_value ids[] = {{.kind = CEL_STRING, .len = 1, .s = "a"}, {.kind = CEL_INT, .i = 3}};
    static transition_term terms[3];
    static const cel_entry targets[] = {
        {{.kind = CEL_STRING, .len = 1, .s = "w"}, {.kind = CEL_STRING, .len = 2, .s = "w1"}}};
    const change_origin origin = {
        .source = BILLING, .topic = 0, .partition = 7, .offset = 1234567890123, .event_time_us = 5, .seq = 9};
    terms[0] = (transition_term){
        .path = S("crm.conversation[\"R-1\"].status"), .value = STR("closed"), .observed = true, .origin = origin};
    terms[1] = (transition_term){.path = S("x"), .value = {.kind = CEL_UNKNOWN}};
    terms[2] = (transition_term){
        .path = S("y"),
        .value = cel_list(ids, 2),
        .observed = true,
        .origin = {
            .source = SCHEMA_NONE, .topic = SCHEMA_NONE, .partition = -1, .offset = -1, .event_time_us = CHANGE_NO_TIME}};
    transition t = {.mandate = S("m-1"),
                    .issuer = S("https://issuer.example"),
                    .version = 300,
                    .state = STATE_REVOKED,
                    .prior = STATE_ACTIVE,
                    .reason = REASON_WHILE_FALSE,
                    .cause = CAUSE_CHANGE,
                    .origin = origin,
                    .principal = S("user:x"),
                    .note = S("why"),
                    .clause = CLAUSE_WHILE,
                    .clause_text = S("a == b"),
                    .terms = terms,
                    .term_count = 3,
                    .term_total = 70,
                    .cascade_root = S("m-0"),
                    .cascade_parent = S("m-00"),
                    .cascade_depth = 2,
                    .cascade_count = 11,
                    .grantor = S("user:g"),
                    .agent = S("agent:a"),
                    .purpose = S("p"),
                    .targets = cel_map(targets, 1),
                    .in_flight = cel_map(targets, 1),
                    .expires_at_us = 1,
                    .effective_at_us = -2,
                    .committed_at_us = 3,
                    .seq = 4};
    for (int i = 0; i < 32; i++)
        t.txn[i] = (uint8_t)(i * 7);
    return t;
}

static void encode(buf *b)
{
    schema *s = rig_schema();
    transition t = full();
    buf_init(b);
    transition_encode(b, &t, s);
    assert_false(b->failed);
    schema_destroy(s);
}

static void test_transition__it_reads_the_same_without_the_schema(void **state)
{
    arena a;
    buf b;
    transition out, t = full();
    transition_names names;
    arena_init(&a, 0);
    encode(&b);
    assert_int_equal(transition_decode(&out, &names, &a, buf_slice(&b), NULL), MANDATE_OK);
    assert_slice(out.mandate, "m-1");
    assert_slice(out.issuer, "https://issuer.example");
    assert_int_equal(out.version, 300);
    assert_int_equal(out.state, STATE_REVOKED);
    assert_int_equal(out.prior, STATE_ACTIVE);
    assert_int_equal(out.reason, REASON_WHILE_FALSE);
    assert_int_equal(out.cause, CAUSE_CHANGE);
    assert_slice(names.source, "billing");
    assert_slice(names.topic, "crm.topic");
    assert_int_equal(out.origin.partition, 7);
    assert_int_equal(out.origin.offset, 1234567890123);
    assert_int_equal(out.origin.event_time_us, 5);
    assert_int_equal(out.origin.seq, 9);
    assert_slice(out.principal, "user:x");
    assert_slice(out.note, "why");
    assert_int_equal(out.clause, CLAUSE_WHILE);
    assert_slice(out.clause_text, "a == b");
    assert_int_equal(out.term_count, 3);
    assert_int_equal(out.term_total, 70);
    assert_slice(out.terms[0].path, "crm.conversation[\"R-1\"].status");
    assert_slice(cel_text(out.terms[0].value), "closed");
    assert_slice(names.term_sources[0], "billing");
    assert_int_equal(out.terms[1].value.kind, CEL_UNKNOWN);
    assert_false(out.terms[1].observed);
    assert_true(cel_equal(out.terms[2].value, t.terms[2].value));
    assert_slice(names.term_sources[2], "");
    assert_slice(out.cascade_root, "m-0");
    assert_slice(out.cascade_parent, "m-00");
    assert_int_equal(out.cascade_depth, 2);
    assert_int_equal(out.cascade_count, 11);
    assert_memory_equal(out.txn, t.txn, 32);
    assert_slice(out.grantor, "user:g");
    assert_slice(out.agent, "agent:a");
    assert_slice(out.purpose, "p");
    assert_true(cel_equal(out.targets, t.targets));
    assert_true(cel_equal(out.in_flight, t.in_flight));
    assert_int_equal(out.expires_at_us, 1);
    assert_int_equal(out.effective_at_us, -2);
    assert_int_equal(out.committed_at_us, 3);
    assert_int_equal(out.seq, 4);
    buf_deinit(&b);
    arena_deinit(&a);
}

static void test_transition__cut_bytes_are_corrupt_at_every_length(void **state)
{
    arena a;
    buf b;
    transition out;
    transition_names names;
    arena_init(&a, 0);
    encode(&b);
    for (size_t n = 0; n < b.len; n++) {
        char *exact = malloc(n + 1);
        memcpy(exact, b.data, n);
        assert_int_equal(transition_decode(&out, &names, &a, mandate_slice_of(exact, n), NULL), MANDATE_CORRUPT);
        free(exact);
    }
    buf_put_char(&b, 0);
    assert_int_equal(transition_decode(&out, &names, &a, buf_slice(&b), NULL), MANDATE_CORRUPT);
    buf_deinit(&b);
    arena_deinit(&a);
}

static void test_transition__damaged_bytes_never_do_worse_than_an_error(void **state)
{
    arena a;
    buf b;
    uint64_t rng = 31;
    arena_init(&a, 0);
    encode(&b);
    for (int round = 0; round < 20000; round++) {
        transition out;
        transition_names names;
        char *copy = malloc(b.len);
        memcpy(copy, b.data, b.len);
        for (uint32_t k = 0; k < 1 + random_below(&rng, 3); k++)
            copy[random_below(&rng, (uint32_t)b.len)] = (char)random_u64(&rng);
        mandate_status s = transition_decode(&out, &names, &a, mandate_slice_of(copy, b.len), NULL);
        assert_true(s == MANDATE_OK || s == MANDATE_CORRUPT);
        if (s == MANDATE_OK) {
            assert_true(out.state < STATE_COUNT && out.prior <= STATE_NONE && out.reason < REASON_COUNT);
            assert_true(out.cause <= CAUSE_SOURCE && out.clause <= CLAUSE_NONE && out.term_count <= LIMIT_EVIDENCE_TERMS);
        }
        free(copy);
        arena_reset(&a);
    }
    buf_deinit(&b);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_transition__it_reads_the_same_without_the_schema),
        cmocka_unit_test(test_transition__cut_bytes_are_corrupt_at_every_length),
        cmocka_unit_test(test_transition__damaged_bytes_never_do_worse_than_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

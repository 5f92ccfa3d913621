/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of engine/mandate/lifecycle: names, the table of legal transitions, and an id that must never change. */
#include "tests/engine/rig.h"

static void test_lifecycle__names_and_states_are_each_others_inverse(void **state)
{
    static const char *const names[] = {"active", "suspended", "completed", "revoked", "expired", "cascaded", "superseded"};
    assert_int_equal(COUNT_OF(names), STATE_COUNT);
    for (int i = 0; i < STATE_COUNT; i++) {
        assert_string_equal(mandate_state_name((mandate_state)i), names[i]);
        assert_int_equal(mandate_state_parse(S(names[i])), i);
    }
    assert_int_equal(mandate_state_parse(S("Active")), STATE_NONE);
    assert_int_equal(mandate_state_parse(S("")), STATE_NONE);
    assert_string_equal(mandate_state_name(STATE_NONE), "none");
    assert_string_equal(mandate_state_name((mandate_state)-1), "none");
    assert_string_equal(mandate_reason_name(REASON_WHILE_FALSE), "while_false");
    assert_string_equal(mandate_reason_name(REASON_COUNT), "none");
}

static void test_lifecycle__only_active_and_suspended_are_not_final(void **state)
{
    for (int i = 0; i < STATE_COUNT; i++)
        assert_int_equal(mandate_state_is_final((mandate_state)i), i != STATE_ACTIVE && i != STATE_SUSPENDED);
    assert_false(mandate_state_is_final(STATE_NONE));
}

static void test_lifecycle__the_table_of_legal_transitions(void **state)
{
    /* columns: active suspended completed revoked expired cascaded superseded */
    static const struct {
        mandate_state from;
        const char *to;
    } rows[] = {
        {STATE_NONE, "yy....."},    {STATE_ACTIVE, ".yyyyyy"},  {STATE_SUSPENDED, "y.yyyyy"}, {STATE_COMPLETED, "......."},
        {STATE_REVOKED, "......."}, {STATE_EXPIRED, "......."}, {STATE_CASCADED, "......."},  {STATE_SUPERSEDED, "......."},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        for (int to = 0; to < STATE_COUNT; to++)
            assert_int_equal(mandate_transition_legal(rows[i].from, (mandate_state)to), rows[i].to[to] == 'y');
    assert_false(mandate_transition_legal(STATE_ACTIVE, STATE_NONE));
    assert_false(mandate_transition_legal((mandate_state)99, STATE_ACTIVE));
}

static void id_is(const char *issuer, const char *id_text, uint32_t version, const char *hex)
{
    uint8_t id[32];
    char text[SHA256_HEX_SIZE + 1];
    assert_true(transition_id(id, S(issuer), S(id_text), version));
    hex_encode(text, id, sizeof(id));
    assert_string_equal(text, hex);
}

/* printf 'mandated transition\0\x16https://issuer.example\x03m-1\x01' | sha256sum. Consumers keep these ids: they may never change. */
static void test_lifecycle__a_transition_id_is_what_sha256sum_says(void **state)
{
    id_is("https://issuer.example", "m-1", 1, "ef28a7aa28ee2ee5333c31d8a4cd4c28a5a5b3c35a430ef201f3b5b08c388777");
    id_is("https://issuer.example", "m-1", 300, "057a6a17dbc38a7c345a9c2bf072e39111afaa055291775108316ab984e173d2");
}

static void test_lifecycle__ids_differ_when_a_boundary_moves(void **state)
{
    uint8_t a[32], b[32];
    assert_true(transition_id(a, S("ab"), S("c"), 1));
    assert_true(transition_id(b, S("a"), S("bc"), 1));
    assert_memory_not_equal(a, b, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lifecycle__names_and_states_are_each_others_inverse),
        cmocka_unit_test(test_lifecycle__only_active_and_suspended_are_not_final),
        cmocka_unit_test(test_lifecycle__the_table_of_legal_transitions),
        cmocka_unit_test(test_lifecycle__a_transition_id_is_what_sha256sum_says),
        cmocka_unit_test(test_lifecycle__ids_differ_when_a_boundary_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

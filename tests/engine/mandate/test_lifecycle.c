/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of engine/mandate/lifecycle: names, the table of legal transitions, and an id that must never change. */
#include "tests/engine/rig.h"

#include <stdio.h>

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

/* Every pair of states with every reason: exactly these, whose they are, and nothing else. */
static void test_lifecycle__the_table_of_legal_transitions(void **state)
{
    static const struct {
        const char *from, *reason, *to, *who;
    } cases[] = {
        {"none", "issued", "active", "issue"},
        {"active", "suspend_while_true", "suspended", "business"},
        {"active", "condition_unknown", "suspended", "business"},
        {"active", "condition_error", "suspended", "business"},
        {"active", "command", "suspended", "suspend"},
        {"suspended", "command", "suspended", "suspend"},
        {"suspended", "command", "active", "suspend"},
        {"suspended", "conditions_clear", "active", "business"},
        {"suspended", "suspension_over", "active", "clock"},
        {"active", "amended", "active", "amend"},
        {"suspended", "amended", "suspended", "amend"},
        {"active", "until_true", "completed", "business"},
        {"suspended", "until_true", "completed", "business"},
        {"active", "returned", "completed", "agent"},
        {"suspended", "returned", "completed", "agent"},
        {"active", "while_false", "revoked", "business"},
        {"suspended", "while_false", "revoked", "business"},
        {"active", "command", "revoked", "revoke"},
        {"suspended", "command", "revoked", "revoke"},
        {"active", "parent_amended", "revoked", "ancestor"},
        {"suspended", "parent_amended", "revoked", "ancestor"},
        {"active", "hard_expiry", "expired", "clock"},
        {"suspended", "hard_expiry", "expired", "clock"},
        {"active", "ancestor_ended", "cascaded", "ancestor"},
        {"suspended", "ancestor_ended", "cascaded", "ancestor"},
        {"active", "superseded", "superseded", "issue"},
        {"suspended", "superseded", "superseded", "issue"},
    };
    size_t legal = 0;
    for (int from = 0; from <= STATE_NONE; from++)
        for (int reason = 0; reason < REASON_COUNT; reason++)
            for (int to = 0; to <= STATE_NONE; to++) {
                mandate_who who = WHO_COUNT;
                bool expected = false;
                const char *whose = "none";
                for (size_t i = 0; i < COUNT_OF(cases); i++)
                    if (strcmp(cases[i].from, mandate_state_name((mandate_state)from)) == 0 &&
                        strcmp(cases[i].reason, mandate_reason_name((mandate_reason)reason)) == 0 &&
                        strcmp(cases[i].to, mandate_state_name((mandate_state)to)) == 0) {
                        expected = true;
                        whose = cases[i].who;
                    }
                bool is = mandate_transition_legal((mandate_state)from, (mandate_reason)reason, (mandate_state)to, &who);
                if (is != expected || strcmp(mandate_who_name(who), whose) != 0)
                    fail_msg("%s -> %s by %s: %s, %s", mandate_state_name((mandate_state)from),
                             mandate_state_name((mandate_state)to), mandate_reason_name((mandate_reason)reason),
                             is ? "legal" : "not legal", mandate_who_name(who));
                legal += is;
                assert_false(is && mandate_state_is_final((mandate_state)from));
            }
    assert_int_equal(legal, COUNT_OF(cases));
    assert_false(mandate_transition_legal((mandate_state)99, REASON_COMMAND, STATE_ACTIVE, NULL));
    assert_false(mandate_transition_legal(STATE_ACTIVE, REASON_COUNT, STATE_ACTIVE, NULL));
    assert_false(mandate_transition_legal((mandate_state)(STATE_NONE + 1), REASON_AMENDED, STATE_ACTIVE, NULL));
}

static void says_each(const char *path)
{
    static char text[64 << 10];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof(text) - 1, file);
    fclose(file);
    text[len] = 0;
    for (int r = 0; r < REASON_COUNT; r++)
        if (!strstr(text, mandate_reason_name((mandate_reason)r)))
            fail_msg("%s does not know the reason %s", path, mandate_reason_name((mandate_reason)r));
    for (int i = 0; i < STATE_COUNT; i++)
        if (!strstr(text, mandate_state_name((mandate_state)i)))
            fail_msg("%s does not know the state %s", path, mandate_state_name((mandate_state)i));
}

static void test_lifecycle__what_people_and_programs_read_names_every_state_and_reason(void **state)
{
    says_each(MANDATE_SOURCE_DIR "/docs/mandates.md");
    says_each(MANDATE_SOURCE_DIR "/schemas/revocation.schema.json");
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
        cmocka_unit_test(test_lifecycle__what_people_and_programs_read_names_every_state_and_reason),
        cmocka_unit_test(test_lifecycle__a_transition_id_is_what_sha256sum_says),
        cmocka_unit_test(test_lifecycle__ids_differ_when_a_boundary_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

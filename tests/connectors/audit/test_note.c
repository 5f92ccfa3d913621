/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_note - signed notes and checkpoints: the published example verifies, ours round-trip, and whatever is near one is refused.
 */
#include "connectors/audit/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>

#include "tests/engine/base/unit.h"

#define S(text) mandate_slice_str(text)

/* The example of Go's sumdb/note package, from which the format comes. */
static const char published_key[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
static const char published_text[] = "If you think cryptography is the answer to your problem,\n"
                                     "then you don't know what your problem is.\n";
static const char published_lines[] =
    "\n\xE2\x80\x94 PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

typedef struct fixture {
    token_key *signer;
    note_key key;
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    assert_int_equal(token_key_generate(&f->signer, TOKEN_EDDSA, NULL), MANDATE_OK);
    assert_int_equal(note_key_of(&f->key, S("example.com/log"), f->signer, NULL), MANDATE_OK);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    note_key_deinit(&f->key);
    token_key_destroy(f->signer);
    free(f);
    return 0;
}

static mandate_status open_note(const char *note, const note_key *key, mandate_slice *text, mandate_error *err)
{
    return note_open(text, NULL, S(note), key, key ? 1 : 0, err);
}

static void test_note__the_published_example_verifies(void **state)
{
    char note[1024];
    mandate_error err;
    mandate_slice text;
    note_key key;
    buf again;
    assert_int_equal(note_key_parse(&key, S(published_key), &err), MANDATE_OK);
    snprintf(note, sizeof(note), "%s%s", published_text, published_lines);
    assert_int_equal(open_note(note, &key, &text, &err), MANDATE_OK);
    assert_true(mandate_slice_is(text, published_text));
    buf_init(&again);
    note_key_put(&again, &key);
    assert_string_equal(buf_cstr(&again), published_key);
    note[3] ^= 1;
    assert_int_equal(open_note(note, &key, &text, &err), MANDATE_DENIED);
    buf_deinit(&again);
    note_key_deinit(&key);
}

static void test_note__any_changed_byte_refuses_the_note(void **state)
{
    fixture *f = *state;
    mandate_error err;
    mandate_slice text;
    buf note;
    buf_init(&note);
    assert_int_equal(note_sign(&note, S("one\ntwo\n"), &f->key, f->signer, &err), MANDATE_OK);
    assert_int_equal(note_open(&text, NULL, buf_slice(&note), &f->key, 1, &err), MANDATE_OK);
    assert_true(mandate_slice_is(text, "one\ntwo\n"));
    for (size_t i = 0; i < note.len; i++)
        for (int bit = 0; bit < 8; bit++) {
            note.data[i] ^= (char)(1 << bit);
            assert_int_not_equal(note_open(&text, NULL, buf_slice(&note), &f->key, 1, &err), MANDATE_OK);
            note.data[i] ^= (char)(1 << bit);
        }
    for (size_t len = 0; len < note.len; len++)
        assert_int_not_equal(note_open(&text, NULL, mandate_slice_of(note.data, len), &f->key, 1, &err), MANDATE_OK);
    buf_deinit(&note);
}

static void test_note__unknown_signatures_are_passed_over_and_a_wrong_one_of_a_known_key_is_not(void **state)
{
    fixture *f = *state;
    mandate_error err;
    mandate_slice text;
    buf note;
    buf_init(&note);
    assert_int_equal(note_sign(&note, S("one\n"), &f->key, f->signer, &err), MANDATE_OK);
    size_t len = note.len;
    buf_put_str(&note, published_lines + 1);
    assert_int_equal(note_open(&text, NULL, buf_slice(&note), &f->key, 1, &err), MANDATE_OK);
    note_key keys[2] = {f->key};
    assert_int_equal(note_key_parse(&keys[1], S(published_key), &err), MANDATE_OK);
    assert_int_equal(note_open(&text, NULL, buf_slice(&note), keys, 2, &err), MANDATE_DENIED); /* it signed something else */
    assert_int_equal(note_open(&text, NULL, mandate_slice_of(note.data, len), &keys[1], 1, &err), MANDATE_DENIED);
    assert_int_equal(note_open(&text, NULL, mandate_slice_of(note.data, len), NULL, 0, &err), MANDATE_DENIED);
    note_key_deinit(&keys[1]);
    buf_deinit(&note);
}

static void test_note__what_is_no_note_is_refused(void **state)
{
    fixture *f = *state;
    static const char *const bad[] = {
        "",
        "text\n",
        "text\n\n",
        "text\n\nno dash x\n",
        "text\n\n- example.com/log AAAAAAA=\n",
        "text\n\n\xE2\x80\x94 example.com/log\n",
        "text\n\n\xE2\x80\x94 example.com/log AAAA\n",     /* shorter than a key id and a byte */
        "text\n\n\xE2\x80\x94 example.com/log AAAAAAA\n",  /* no padding */
        "text\n\n\xE2\x80\x94 example.com/log AAAAAAB=\n", /* bits that are not used */
        "text\n\n\xE2\x80\x94 a+b AAAAAAA=\n",
        "te\x01xt\n\n\xE2\x80\x94 example.com/log AAAAAAA=\n",
        "te\rxt\n\n\xE2\x80\x94 example.com/log AAAAAAA=\n",
        "te\xFFxt\n\n\xE2\x80\x94 example.com/log AAAAAAA=\n",
        "text\n\n\xE2\x80\x94 example.com/log AAAAAAA=",
    };
    mandate_error err;
    mandate_slice text;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(open_note(bad[i], &f->key, &text, &err), MANDATE_INVALID);
}

static void test_note__at_most_so_many_signatures_are_looked_at(void **state)
{
    fixture *f = *state;
    mandate_error err;
    mandate_slice text;
    buf note;
    buf_init(&note);
    assert_int_equal(note_sign(&note, S("one\n"), &f->key, f->signer, &err), MANDATE_OK);
    for (int i = 1; i < NOTE_SIGNATURES_MAX; i++)
        buf_put_str(&note, published_lines + 1);
    assert_int_equal(note_open(&text, NULL, buf_slice(&note), &f->key, 1, &err), MANDATE_OK);
    buf_put_str(&note, published_lines + 1);
    assert_int_equal(note_open(&text, NULL, buf_slice(&note), &f->key, 1, &err), MANDATE_INVALID);
    buf_deinit(&note);
}

static void test_note__verifier_keys_are_checked(void **state)
{
    static const char *const bad[] = {
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        "PeterNeumann+c74f20a3+",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", /* another id */
        "PeterNeuman+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",  /* another name */
        "PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", /* another kind */
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    };
    mandate_error err;
    note_key key;
    token_key *other;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(note_key_parse(&key, S(bad[i]), &err), MANDATE_INVALID);
        note_key_deinit(&key);
    }
    assert_int_equal(token_key_generate(&other, TOKEN_ES256, &err), MANDATE_OK);
    assert_int_equal(note_key_of(&key, S("a"), other, &err), MANDATE_INVALID);
    note_key_deinit(&key);
    token_key_destroy(other);
    assert_false(note_name_valid(S("a b")));
    assert_false(note_name_valid(S("a\xC2\xA0"
                                   "b")));
    assert_false(note_name_valid(S("a\xE2\x80\x83"
                                   "b")));
    assert_true(note_name_valid(S("m\xC3\xBCller.example/log")));
}

/* --- checkpoints --------------------------------------------------------------------------------------------- */
static void test_checkpoint__round_trips_and_is_of_the_log_that_signed(void **state)
{
    fixture *f = *state;
    mandate_error err;
    checkpoint c = {.origin = "example.com/log", .size = UINT64_C(20852163)}, got;
    buf note;
    buf_init(&note);
    memset(c.root.bytes, 7, sizeof(c.root.bytes));
    assert_int_equal(checkpoint_sign(&note, &c, &f->key, f->signer, &err), MANDATE_OK);
    assert_int_equal(checkpoint_open(&got, buf_slice(&note), &f->key, 1, &err), MANDATE_OK);
    assert_string_equal(got.origin, c.origin);
    assert_int_equal(got.size, c.size);
    assert_memory_equal(got.root.bytes, c.root.bytes, 32);
    buf_reset(&note);
    snprintf(c.origin, sizeof(c.origin), "example.com/other");
    assert_int_equal(checkpoint_sign(&note, &c, &f->key, f->signer, &err), MANDATE_OK);
    assert_int_equal(checkpoint_open(&got, buf_slice(&note), &f->key, 1, &err), MANDATE_DENIED);
    buf_deinit(&note);
}

#define ROOT "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I="

static void test_checkpoint__the_text_is_exact(void **state)
{
    static const char *const bad[] = {
        "o\n1\n",
        "\n1\n" ROOT "\n",
        "o\n01\n" ROOT "\n",
        "o\n-1\n" ROOT "\n",
        "o\n+1\n" ROOT "\n",
        "o\n\n" ROOT "\n",
        "o\n18446744073709551616\n" ROOT "\n",
        "o\n9223372036854775809\n" ROOT "\n", /* more leaves than a tree has */
        "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I\n",
        "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxqw==\n",
        "o\n1\n" ROOT "\n\n",
        "o\n1\n" ROOT "\nmore\n\n",
        "o\n1\n" ROOT,
    };
    mandate_error err;
    checkpoint c;
    assert_int_equal(checkpoint_parse(&c, S("o\n0\n" ROOT "\n"), &err), MANDATE_OK);
    assert_int_equal(checkpoint_parse(&c, S("o o\n9223372036854775808\n" ROOT "\nmore\n"), &err), MANDATE_OK);
    assert_string_equal(c.origin, "o o");
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(checkpoint_parse(&c, S(bad[i]), &err), MANDATE_INVALID);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_note__the_published_example_verifies),
        CASE(test_note__any_changed_byte_refuses_the_note),
        CASE(test_note__unknown_signatures_are_passed_over_and_a_wrong_one_of_a_known_key_is_not),
        CASE(test_note__what_is_no_note_is_refused),
        CASE(test_note__at_most_so_many_signatures_are_looked_at),
        CASE(test_note__verifier_keys_are_checked),
        CASE(test_checkpoint__round_trips_and_is_of_the_log_that_signed),
        CASE(test_checkpoint__the_text_is_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

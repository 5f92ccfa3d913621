/* SPDX-License-Identifier: Apache-2.0 */
/* Status lists: the vectors of draft-ietf-oauth-status-list, what is refused, and how a verified mandate stands by one. */
#include "tests/connectors/token/issuer.h"

#include "connectors/token/base64url.h"
#include "connectors/token/status_list.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#define URI ISSUER "/status/0"
#define IAT (NOW_US / 1000000)
#define ROOT                                                                                                                \
    "{'id':'root','grantor':'user:cfo','agent':'agent:a','purpose':'renew','scope':{'actions':['read'],'resources':['*']}," \
    "'expires_at':'2030-03-18T00:00:00Z'}"

/* Appendix "Test vectors" of the draft: 2^20 entries, all 0 but these. */
#define ENTRIES (1 << 20)
static const char ONE_BIT[] =
    "eNrt3AENwCAMAEGogklACtKQPg9LugC9k_ACvreiogEAAKkeCQAAAAAAAAAAAAAAAAAAAIBylgQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAXG9IAAAAAAAAAPwsJAAAAAAAAAAAAAAAvhsSAAAAAAAAAAAA7KpLAAAAAAAAAAAAAAAAAAAAAJsLCQAAAAAAAAAAADje"
    "lAAAAAAAAAAAKjDMAQAAAACAZC8L2AEb";
static const char TWO_BITS[] =
    "eNrt2zENACEQAEEuoaBABP5VIO01fCjIHTMStt9ovGVIAAAAAABAbiEBAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAEB5WwIAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAID0ugQAAAAA"
    "AAAAAAAAAAAAQG12SgAAAAAAAAAAAAAAAAAAAAAAAAAAAOCSIQEAAAAAAAAAAAAAAAAAAAAAAAD8ExIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAwJEuAQAAAAAAAAAAAAAAAAAAAAAAAMB9SwIAAAAAAAAAAAAAAAAAAACoYUoAAAAAAAAAAAAAAEBqH81gAQw";
typedef struct said {
    int64_t idx;
    uint32_t one, two;
} said;
static const said all_said[] = {{0, 1, 1},      {1993, 1, 2},   {25460, 1, 1},  {159495, 1, 3},
                                {495669, 1, 1}, {554353, 1, 1}, {645645, 1, 2}, {723232, 1, 1},
                                {854545, 1, 1}, {934534, 1, 2}, {1000345, 1, 3}};
enum { SAID = sizeof(all_said) / sizeof(*all_said) };

static issuer is;

static int setup(void **state)
{
    (void)state;
    issuer_init(&is);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    issuer_deinit(&is);
    return 0;
}

/* A payload text with these members of status_list. */
static mandate_slice payload(const char *bits, const char *lst)
{
    return arena_printf(
        &is.memory, "{\"exp\":%lld,\"iat\":%lld,\"status_list\":{\"bits\":%s,\"lst\":\"%s\"},\"sub\":\"" URI "\",\"ttl\":5}",
        (long long)IAT + 10, (long long)IAT, bits, lst);
}

static void check_vector(const char *bits, const char *lst, bool two)
{
    mandate_error err;
    status_list l;
    uint32_t entry, at = 0;
    buf again;

    if (status_list_read(&l, &is.memory, payload(bits, lst), &err))
        fail_msg("%s", err.text);
    for (int64_t i = 0; i < ENTRIES; i++) {
        uint32_t expected = 0;
        if (at < SAID && all_said[at].idx == i) {
            expected = two ? all_said[at].two : all_said[at].one;
            at++;
        }
        assert_int_equal(status_list_at(&entry, &l, i, &err), MANDATE_OK);
        assert_int_equal(entry, expected);
    }
    assert_int_equal(at, SAID);
    assert_int_equal(status_list_at(&entry, &l, ENTRIES, &err), MANDATE_DENIED);
    assert_int_equal(status_list_at(&entry, &l, -1, &err), MANDATE_DENIED);
    assert_int_equal(status_list_at(&entry, &l, INT64_MAX, &err), MANDATE_DENIED);
    buf_init(&again);
    assert_int_equal(status_list_put_lst(&again, l.bytes, 9, &err), MANDATE_OK);
    assert_string_equal(buf_cstr(&again), lst);
    buf_deinit(&again);
}

static void test_status_list__reads_and_writes_the_vectors_of_the_draft(void **state)
{
    (void)state;
    check_vector("1", ONE_BIT, false);
    check_vector("2", TWO_BITS, true);
}

static void check_short(const char *bits, const char *lst, uint32_t count, const uint32_t *expected)
{
    mandate_error err;
    status_list l;
    uint32_t entry;

    assert_int_equal(status_list_read(&l, &is.memory, payload(bits, lst), &err), MANDATE_OK);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(status_list_at(&entry, &l, i, &err), MANDATE_OK);
        assert_int_equal(entry, expected[i]);
    }
    assert_int_equal(status_list_at(&entry, &l, count, &err), MANDATE_DENIED);
}

static void test_status_list__reads_the_examples_of_the_draft(void **state)
{
    (void)state;
    check_short("1", "eNrbuRgAAhcBXQ", 16, (const uint32_t[]){1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 0, 0, 0, 1, 0, 1});
    check_short("2", "eNo76fITAAPfAgc", 12, (const uint32_t[]){1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3});
    /* The same bytes, wider: c9 44 f9. */
    check_short("4", "eNo76fITAAPfAgc", 6, (const uint32_t[]){9, 0xc, 4, 4, 9, 0xf});
    check_short("8", "eNo76fITAAPfAgc", 3, (const uint32_t[]){0xc9, 0x44, 0xf9});
}

static char *lst_of(size_t len)
{
    mandate_error err;
    buf b;
    char *zeros = calloc(1, len ? len : 1);
    buf_init(&b);
    assert_int_equal(status_list_put_lst(&b, mandate_slice_of(zeros, len), 9, &err), MANDATE_OK);
    char *text = strdup(buf_cstr(&b));
    buf_deinit(&b);
    free(zeros);
    return text;
}

static void refused(mandate_slice text, mandate_status status)
{
    mandate_error err;
    status_list l;
    if (status_list_read(&l, &is.memory, text, &err) != status)
        fail_msg("%.*s", (int)(text.len < 300 ? text.len : 300), text.ptr);
}

static void test_status_list__refuses_what_is_broken(void **state)
{
    (void)state;
    static const char *const broken_bits[] = {"0", "3", "16", "-1", "\"2\"", "2.0", "null"};
    for (size_t i = 0; i < sizeof(broken_bits) / sizeof(*broken_bits); i++)
        refused(payload(broken_bits[i], "eNo76fITAAPfAgc"), MANDATE_INVALID);
    refused(payload("2", ""), MANDATE_INVALID);
    refused(payload("2", "eNo76fITAAPfAgc="), MANDATE_INVALID); /* padded */
    refused(payload("2", "eNo76fITAAPfAgd"), MANDATE_INVALID);  /* the checksum, or bits that mean nothing */
    refused(payload("2", "eNo76fITAAPfAg"), MANDATE_INVALID);   /* cut off */
    refused(payload("2", "eNo76fITAAPfAgcA"), MANDATE_INVALID); /* more behind it */
    refused(payload("2", "O-nyEwA"), MANDATE_INVALID);          /* DEFLATE without zlib's frame */
    static const char *const texts[] = {
        "[]",
        "{}",
        "{\"exp\":10,\"iat\":1,\"sub\":\"u\"}",
        "{\"exp\":10,\"iat\":1,\"sub\":\"u\",\"status_list\":[]}",
        "{\"exp\":10,\"iat\":1,\"sub\":\"u\",\"status_list\":{\"bits\":2}}",
        "{\"exp\":10,\"iat\":1,\"status_list\":{\"bits\":1,\"lst\":\"eNrbuRgAAhcBXQ\"}}",
        "{\"iat\":1,\"sub\":\"u\",\"status_list\":{\"bits\":1,\"lst\":\"eNrbuRgAAhcBXQ\"}}",
        "{\"exp\":10,\"sub\":\"u\",\"status_list\":{\"bits\":1,\"lst\":\"eNrbuRgAAhcBXQ\"}}",
        "{\"exp\":-1,\"iat\":1,\"sub\":\"u\",\"status_list\":{\"bits\":1,\"lst\":\"eNrbuRgAAhcBXQ\"}}",
        "{\"exp\":9223372036854775807,\"iat\":1,\"sub\":\"u\",\"status_list\":{\"bits\":1,\"lst\":\"eNrbuRgAAhcBXQ\"}}",
        "{\"exp\":10,\"iat\":1,\"ttl\":-1,\"sub\":\"u\",\"status_list\":{\"bits\":1,\"lst\":\"eNrbuRgAAhcBXQ\"}}",
        "{\"exp\":10,\"iat\":1,\"ttl\":\"1\",\"sub\":\"u\",\"status_list\":{\"bits\":1,\"lst\":\"eNrbuRgAAhcBXQ\"}}",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        refused(mandate_slice_str(texts[i]), MANDATE_INVALID);
}

/* A megabyte is a kilobyte of zlib: what it would become is bounded, not what it is. */
static void test_status_list__inflates_to_its_bound_and_no_further(void **state)
{
    (void)state;
    mandate_error err;
    status_list l;
    buf b;
    char *most = lst_of(STATUS_LIST_BYTES_MAX);
    assert_int_equal(status_list_read(&l, &is.memory, payload("8", most), &err), MANDATE_OK);
    assert_int_equal(l.bytes.len, STATUS_LIST_BYTES_MAX);
    free(most);
    /* zlib of 2^20 + 1 zeros, level 9 */
    static const char more[] =
        "eNrtwTEBAAAAwqD1T20IX6AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAE4DAPEAAQ";
    refused(payload("8", more), MANDATE_LIMIT);
    char *zeros = calloc(1, STATUS_LIST_BYTES_MAX + 1);
    buf_init(&b);
    assert_int_equal(status_list_put_lst(&b, mandate_slice_of(zeros, STATUS_LIST_BYTES_MAX + 1), 9, &err), MANDATE_LIMIT);
    buf_deinit(&b);
    free(zeros);
}

/* --- a mandate and its list ------------------------------------------------------------------------------------- */
/* A token of the root that names entry `idx`, verified. */
static mandate_verified *verified(int64_t idx, const char *uri)
{
    mandate_error err;
    mandate_verified *m;
    mandate_verify_options o = MANDATE_VERIFY_OPTIONS_INIT;
    claims root = issuer_claims(&is, ROOT);
    status_place place = {mandate_slice_str(uri), idx};
    const artifact_facts facts = {.claims = &root, .place = &place};
    mandate_slice token = issuer_sd_token(&is, TOKEN_EDDSA, &facts, NULL);
    o.now_us = NOW_US;
    if (mandate_verify(&m, is.verifier, &token, 1, &o, &err))
        fail_msg("%s", err.text);
    return m;
}

static mandate_slice list_token(const char *typ, const char *text)
{
    mandate_slice kid = token_key_kid(is.key[TOKEN_EDDSA]);
    return issuer_sign(
        &is, TOKEN_EDDSA,
        arena_printf(&is.memory, "{\"alg\":\"EdDSA\",\"kid\":\"%.*s\",\"typ\":\"%s\"}%c", MANDATE_SLICE_ARG(kid), typ, 0)
            .ptr,
        text);
}

static void stands(int64_t idx, mandate_slice list, int64_t now_us, mandate_status status, mandate_standing expected)
{
    mandate_error err;
    mandate_standing is_now = MANDATE_STANDS_VALID;
    mandate_verified *m = verified(idx, URI);
    assert_true(mandate_slice_is(mandate_verified_status_uri(m, 0), URI));
    mandate_status got = mandate_verified_standing(m, is.verifier, 0, list, now_us, &is_now, &err);
    if (got != status)
        fail_msg("%d: %s", got, got ? err.text : "");
    assert_int_equal(is_now, expected);
    mandate_verified_destroy(m);
}

static void test_status_list__says_how_a_verified_mandate_stands(void **state)
{
    (void)state;
    mandate_slice text = payload("2", "eNo76fITAAPfAgc"); /* 1 2 0 3 ... */
    mandate_slice list = list_token(STATUS_LIST_TYP, text.ptr);
    stands(0, list, NOW_US, MANDATE_OK, MANDATE_STANDS_INVALID);
    stands(1, list, NOW_US, MANDATE_OK, MANDATE_STANDS_SUSPENDED);
    stands(2, list, NOW_US, MANDATE_OK, MANDATE_STANDS_VALID);
    stands(3, list, NOW_US, MANDATE_OK, MANDATE_STANDS_INVALID); /* a value without a meaning here */
    stands(11, list, NOW_US, MANDATE_OK, MANDATE_STANDS_INVALID);
    stands(12, list, NOW_US, MANDATE_DENIED, MANDATE_STANDS_INVALID);
}

static void test_status_list__a_list_that_is_not_the_one_says_nothing(void **state)
{
    (void)state;
    mandate_error err;
    mandate_standing is_now;
    mandate_slice text = payload("2", "eNo76fITAAPfAgc");
    mandate_slice list = list_token(STATUS_LIST_TYP, text.ptr);
    /* not in force */
    stands(2, list, NOW_US + 9999999, MANDATE_OK, MANDATE_STANDS_VALID);
    stands(2, list, NOW_US + 10000000, MANDATE_DENIED, MANDATE_STANDS_INVALID);
    stands(2, list, NOW_US - 30000000, MANDATE_OK, MANDATE_STANDS_VALID);
    stands(2, list, NOW_US - 31000000, MANDATE_DENIED, MANDATE_STANDS_INVALID);
    stands(2, list, 0, MANDATE_INVALID, MANDATE_STANDS_INVALID);
    /* not a list */
    stands(2, list_token("mandate+jwt", text.ptr), NOW_US, MANDATE_INVALID, MANDATE_STANDS_INVALID);
    stands(2, list_token("JWT", text.ptr), NOW_US, MANDATE_INVALID, MANDATE_STANDS_INVALID);
    stands(2, mandate_slice_str(""), NOW_US, MANDATE_INVALID, MANDATE_STANDS_INVALID);
    /* not genuine */
    char *forged = strndup(list.ptr, list.len);
    forged[list.len - 5] = forged[list.len - 5] == 'A' ? 'B' : 'A';
    stands(2, mandate_slice_of(forged, list.len), NOW_US, MANDATE_DENIED, MANDATE_STANDS_INVALID);
    free(forged);
    /* another one */
    mandate_verified *m = verified(2, ISSUER "/status/1");
    assert_int_equal(mandate_verified_standing(m, is.verifier, 0, list, NOW_US, &is_now, &err), MANDATE_DENIED);
    assert_int_equal(mandate_verified_standing(m, is.verifier, 1, list, NOW_US, &is_now, &err), MANDATE_NOT_FOUND);
    assert_int_equal(mandate_verified_status_uri(m, 1).len, 0);
    /* of somebody who is not trusted any more */
    mandate_verifier_distrust(is.verifier, mandate_slice_str(ISSUER));
    assert_int_equal(mandate_verified_standing(m, is.verifier, 0, list, NOW_US, &is_now, &err), MANDATE_DENIED);
    assert_int_equal(is_now, MANDATE_STANDS_INVALID);
    mandate_verified_destroy(m);
}

static void test_status_list__a_token_names_a_place_or_none(void **state)
{
    (void)state;
    mandate_error err;
    mandate_verify_options o = MANDATE_VERIFY_OPTIONS_INIT;
    mandate_standing is_now;
    mandate_verified *m;
    claims root = issuer_claims(&is, ROOT);
    char *plain = issuer_payload(&is, &root, NULL);
    static const char *const broken[] = {"7",
                                         "{\"status_list\":7}",
                                         "{\"status_list\":{}}",
                                         "{\"status_list\":{\"idx\":-1,\"uri\":\"u\"}}",
                                         "{\"status_list\":{\"idx\":\"1\",\"uri\":\"u\"}}",
                                         "{\"status_list\":{\"idx\":1}}",
                                         "{\"status_list\":{\"idx\":1,\"uri\":\"\"}}"};
    o.now_us = NOW_US;
    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
        const char *text = arena_printf(&is.memory, "{\"status\":%s,%s%c", broken[i], plain + 1, 0).ptr;
        mandate_slice token = issuer_sign(&is, TOKEN_EDDSA, issuer_header(&is, TOKEN_EDDSA), text);
        assert_int_equal(mandate_verify(&m, is.verifier, &token, 1, &o, &err), MANDATE_INVALID);
    }
    mandate_slice token = issuer_sign(&is, TOKEN_EDDSA, issuer_header(&is, TOKEN_EDDSA), plain);
    assert_int_equal(mandate_verify(&m, is.verifier, &token, 1, &o, &err), MANDATE_OK);
    assert_int_equal(mandate_verified_status_uri(m, 0).len, 0);
    assert_int_equal(mandate_verified_standing(m, is.verifier, 0, token, NOW_US, &is_now, &err), MANDATE_NOT_FOUND);
    mandate_verified_destroy(m);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_status_list__reads_and_writes_the_vectors_of_the_draft),
        TEST(test_status_list__reads_the_examples_of_the_draft),
        TEST(test_status_list__refuses_what_is_broken),
        TEST(test_status_list__inflates_to_its_bound_and_no_further),
        TEST(test_status_list__says_how_a_verified_mandate_stands),
        TEST(test_status_list__a_list_that_is_not_the_one_says_nothing),
        TEST(test_status_list__a_token_names_a_place_or_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

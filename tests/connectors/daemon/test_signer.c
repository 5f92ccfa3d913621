/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's keys: made at the first start, kept, guarded by permissions, rotated with overlap. */
#include "connectors/daemon/keys/signer.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct place {
    char folder[64], key[96], other[96], set[96];
    config c;
} place;

static int setup(void **state)
{
    place *p = calloc(1, sizeof(*p));
    strcpy(p->folder, "/tmp/mandated-signer-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    snprintf(p->key, sizeof(p->key), "%s/" SIGNER_KEY_FILE, p->folder);
    snprintf(p->other, sizeof(p->other), "%s/other.pem", p->folder);
    snprintf(p->set, sizeof(p->set), "%s/set.json", p->folder);
    p->c.data_dir = p->folder;
    *state = p;
    return 0;
}

static int teardown(void **state)
{
    place *p = *state;
    unlink(p->key);
    unlink(p->other);
    unlink(p->set);
    char secret[512];
    snprintf(secret, sizeof(secret), "%s/" SIGNER_SECRET_FILE, p->folder);
    unlink(secret);
    assert_int_equal(rmdir(p->folder), 0);
    free(p);
    return 0;
}

static char *jwks_of(const config *c)
{
    mandate_error err;
    signer s = {0};
    if (signer_open(&s, c, &err))
        fail_msg("%s", err.text);
    char *text = strdup(buf_cstr(&s.jwks));
    signer_close(&s);
    return text;
}

static void test_signer__makes_a_key_once_and_keeps_it(void **state)
{
    place *p = *state;
    struct stat st;
    char *first = jwks_of(&p->c), *again = jwks_of(&p->c);
    assert_string_equal(first, again);
    assert_non_null(strstr(first, "\"alg\":\"EdDSA\""));
    assert_int_equal(stat(p->key, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    free(first);
    free(again);
}

static void test_signer__the_secret_of_salts_is_made_once_and_ours_alone(void **state)
{
    place *p = *state;
    signer one = {0}, two = {0};
    mandate_error err;
    struct stat st;
    char path[512];
    snprintf(path, sizeof(path), "%s/" SIGNER_SECRET_FILE, p->folder);
    assert_int_equal(signer_open(&one, &p->c, &err), MANDATE_OK);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(signer_open(&two, &p->c, &err), MANDATE_OK);
    assert_memory_equal(&one.secret, &two.secret, sizeof(one.secret));
    signer_close(&two);
    signer_close(&one);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(signer_open(&two, &p->c, &err), MANDATE_DENIED);
    signer_close(&two);
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(truncate(path, 20), 0);
    assert_int_equal(signer_open(&two, &p->c, &err), MANDATE_INVALID);
    signer_close(&two);
}

static void test_signer__makes_the_key_that_is_configured(void **state)
{
    place *p = *state;
    p->c.signing.algorithm = CONFIG_ALG_ES256;
    char *text = jwks_of(&p->c);
    assert_non_null(strstr(text, "\"alg\":\"ES256\""));
    free(text);
}

static mandate_status opens(const config *c, mandate_error *err);

/* What a process that was killed while it wrote the key leaves behind. */
static void test_signer__a_key_half_written_does_not_stop_the_next_start(void **state)
{
    place *p = *state;
    mandate_error err;
    struct stat st;
    char draft[128];
    snprintf(draft, sizeof(draft), "%s.new", p->key);
    int fd = open(draft, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "-----BEGIN", 10), 10);
    close(fd);
    assert_int_equal(opens(&p->c, &err), MANDATE_OK);
    assert_int_equal(stat(draft, &st), -1);
    assert_int_equal(stat(p->key, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(st.st_nlink, 1);
    assert_int_equal(opens(&p->c, &err), MANDATE_OK);
}

static mandate_status opens(const config *c, mandate_error *err)
{
    signer s = {0};
    mandate_status status = signer_open(&s, c, err);
    signer_close(&s);
    return status;
}

static void test_signer__a_key_that_others_may_read_is_refused(void **state)
{
    place *p = *state;
    mandate_error err;
    assert_int_equal(opens(&p->c, &err), MANDATE_OK);
    static const mode_t bad[] = {0640, 0604, 0660, 0644, 0610};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_int_equal(chmod(p->key, bad[i]), 0);
        assert_int_equal(opens(&p->c, &err), MANDATE_DENIED);
        assert_non_null(strstr(err.text, "chmod 600"));
    }
    assert_int_equal(chmod(p->key, 0400), 0);
    assert_int_equal(opens(&p->c, &err), MANDATE_OK);
}

static void test_signer__a_link_a_folder_and_rubbish_are_refused(void **state)
{
    place *p = *state;
    mandate_error err;
    p->c.signing.key = p->other;
    assert_int_equal(opens(&p->c, &err), MANDATE_NOT_FOUND); /* one that was named is never made */
    p->c.signing.key = NULL;
    assert_int_equal(opens(&p->c, &err), MANDATE_OK);
    assert_int_equal(symlink(p->key, p->other), 0);
    p->c.signing.key = p->other;
    assert_int_equal(opens(&p->c, &err), MANDATE_DENIED);
    unlink(p->other);
    p->c.signing.key = p->folder;
    assert_int_equal(opens(&p->c, &err), MANDATE_DENIED);
    int fd = open(p->other, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "rubbish", 7), 7);
    close(fd);
    p->c.signing.key = p->other;
    assert_int_equal(opens(&p->c, &err), MANDATE_INVALID);
}

static void test_signer__publishes_other_keys_beside_its_own(void **state)
{
    place *p = *state;
    mandate_error err;
    token_key *next;
    keyset set;
    buf json;
    const char *files[] = {p->set};
    char *own = jwks_of(&p->c);
    buf_init(&json);
    keyset_init(&set);
    assert_int_equal(key_file_create(&next, p->other, TOKEN_RS256, &err), MANDATE_OK);
    token_key *never;
    assert_int_equal(key_file_create(&never, p->other, TOKEN_EDDSA, &err), MANDATE_CONFLICT); /* not overwritten */
    assert_int_equal(keyset_take(&set, next, &err), MANDATE_OK);
    assert_int_equal(keyset_put_json(&json, &set, &err), MANDATE_OK);
    FILE *f = fopen(p->set, "w");
    fputs(buf_cstr(&json), f);
    fclose(f);
    p->c.signing.published = (config_list){files, 1};
    char *both = jwks_of(&p->c);
    assert_non_null(strstr(both, "RS256"));
    assert_non_null(strstr(both, "EdDSA"));
    assert_null(strstr(both, "\"d\"")); /* no private half, ever */
    p->c.signing.key = p->other;        /* the next one signs now: in the set twice is a mistake to be told */
    assert_int_equal(opens(&p->c, &err), MANDATE_CONFLICT);
    keyset_deinit(&set);
    buf_deinit(&json);
    free(own);
    free(both);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_signer__makes_a_key_once_and_keeps_it),
        TEST(test_signer__the_secret_of_salts_is_made_once_and_ours_alone),
        TEST(test_signer__makes_the_key_that_is_configured),
        TEST(test_signer__a_key_half_written_does_not_stop_the_next_start),
        TEST(test_signer__a_key_that_others_may_read_is_refused),
        TEST(test_signer__a_link_a_folder_and_rubbish_are_refused),
        TEST(test_signer__publishes_other_keys_beside_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

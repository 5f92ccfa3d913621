/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of connectors/http/trust: until when a chain of certificates is believed, by the time that is given and by no clock of its own.
 *
 * Certificates and a list of revoked ones are made here, with dates of the year 2001: by the machine's clock all of them are over.
 */
#include "connectors/http/server_int.h"

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    BEGIN = 1000000000,
    MIDDLE_ENDS = BEGIN + 500,
    LEAF_ENDS = BEGIN + 1000,
    LIST_ENDS = BEGIN + 300,
    CA_ENDS = BEGIN + 9000
};
#define OK(call) assert_true((call) >= 0)
#define US INT64_C(1000000)

typedef struct party {
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
    gnutls_datum_t der;
} party;

typedef struct scene {
    char folder[64], ca_pem[96], key_pem[96], crl_pem[96];
    party ca, middle, leaf;
    http_options options;
    http_trust *trust;
} scene;

static void party_make(party *p, const party *signer, const char *name, uint8_t serial, time_t ends, bool is_ca)
{
    OK(gnutls_x509_privkey_init(&p->key));
    OK(gnutls_x509_privkey_generate(p->key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0));
    OK(gnutls_x509_crt_init(&p->crt));
    OK(gnutls_x509_crt_set_version(p->crt, 3));
    OK(gnutls_x509_crt_set_serial(p->crt, &serial, 1));
    OK(gnutls_x509_crt_set_activation_time(p->crt, BEGIN));
    OK(gnutls_x509_crt_set_expiration_time(p->crt, ends));
    OK(gnutls_x509_crt_set_dn_by_oid(p->crt, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name)));
    OK(gnutls_x509_crt_set_key(p->crt, p->key));
    OK(gnutls_x509_crt_set_ca_status(p->crt, is_ca));
    OK(gnutls_x509_crt_sign2(p->crt, signer ? signer->crt : p->crt, signer ? signer->key : p->key, GNUTLS_DIG_SHA256, 0));
    OK(gnutls_x509_crt_export2(p->crt, GNUTLS_X509_FMT_DER, &p->der));
}

static void party_free(party *p)
{
    gnutls_free(p->der.data);
    gnutls_x509_crt_deinit(p->crt);
    gnutls_x509_privkey_deinit(p->key);
}

static void write_file(char path[96], const scene *s, const char *name, gnutls_datum_t *text)
{
    snprintf(path, 96, "%s/%s", s->folder, name);
    FILE *f = fopen(path, "w");
    assert_true(f && fwrite(text->data, 1, text->size, f) == text->size && fclose(f) == 0 && chmod(path, 0600) == 0);
    gnutls_free(text->data);
}

static gnutls_datum_t list_of(const party *ca)
{
    gnutls_x509_crl_t crl;
    gnutls_datum_t out;
    OK(gnutls_x509_crl_init(&crl));
    OK(gnutls_x509_crl_set_version(crl, 2));
    OK(gnutls_x509_crl_set_this_update(crl, BEGIN));
    OK(gnutls_x509_crl_set_next_update(crl, LIST_ENDS));
    OK(gnutls_x509_crl_sign2(crl, ca->crt, ca->key, GNUTLS_DIG_SHA256, 0));
    OK(gnutls_x509_crl_export2(crl, GNUTLS_X509_FMT_PEM, &out));
    gnutls_x509_crl_deinit(crl);
    return out;
}

static int scene_open(void **state)
{
    scene *s = calloc(1, sizeof(*s));
    gnutls_datum_t text;
    assert_non_null(s);
    snprintf(s->folder, sizeof(s->folder), "/tmp/mandate-trust-XXXXXX");
    assert_non_null(mkdtemp(s->folder));
    party_make(&s->ca, NULL, "ca", 1, CA_ENDS, true);
    party_make(&s->middle, &s->ca, "middle", 2, MIDDLE_ENDS, true);
    party_make(&s->leaf, &s->ca, "leaf", 3, LEAF_ENDS, false);
    OK(gnutls_x509_crt_export2(s->ca.crt, GNUTLS_X509_FMT_PEM, &text));
    write_file(s->ca_pem, s, "ca.pem", &text);
    OK(gnutls_x509_privkey_export2(s->ca.key, GNUTLS_X509_FMT_PEM, &text));
    write_file(s->key_pem, s, "key.pem", &text);
    text = list_of(&s->ca);
    write_file(s->crl_pem, s, "crl.pem", &text);
    s->options = (http_options)HTTP_OPTIONS_INIT;
    s->options.tls_certificate = s->options.tls_client_ca = s->ca_pem;
    s->options.tls_key = s->key_pem;
    *state = s;
    return 0;
}

static int scene_close(void **state)
{
    scene *s = *state;
    http_trust_drop(s->trust);
    party_free(&s->leaf);
    party_free(&s->middle);
    party_free(&s->ca);
    unlink(s->ca_pem);
    unlink(s->key_pem);
    unlink(s->crl_pem);
    rmdir(s->folder);
    free(s);
    return 0;
}

static mandate_status holds(scene *s, const gnutls_datum_t *chain, unsigned count, int64_t now_us, int64_t *until_us)
{
    mandate_error err = {0};
    if (!s->trust && http_trust_load(&s->trust, &s->options, &err))
        fail_msg("%s", err.text);
    return http_trust_holds(s->trust, chain, count, now_us, until_us, &err);
}

static void test_trust__a_chain_holds_until_the_first_of_it_ends(void **state)
{
    scene *s = *state;
    const gnutls_datum_t chain[] = {s->leaf.der, s->middle.der};
    int64_t until_us = -1;
    assert_int_equal(holds(s, chain, 1, BEGIN * US, &until_us), MANDATE_OK);
    assert_int_equal(until_us, LEAF_ENDS * US);
    assert_int_equal(holds(s, chain, 1, LEAF_ENDS * US - 1, &until_us), MANDATE_OK);
    assert_int_equal(holds(s, chain, 1, LEAF_ENDS * US, &until_us), MANDATE_DENIED);
    assert_int_equal(holds(s, chain, 2, BEGIN * US, &until_us), MANDATE_OK);
    assert_int_equal(until_us, MIDDLE_ENDS * US);
    assert_int_equal(holds(s, chain, 2, MIDDLE_ENDS * US, &until_us), MANDATE_DENIED);
}

static void test_trust__a_list_of_revoked_ones_is_over_by_the_time_that_is_given(void **state)
{
    scene *s = *state;
    int64_t until_us = -1;
    s->options.tls_crl = s->crl_pem;
    assert_int_equal(holds(s, &s->leaf.der, 1, BEGIN * US, &until_us), MANDATE_OK);
    assert_int_equal(until_us, LIST_ENDS * US);
    assert_int_equal(holds(s, &s->leaf.der, 1, LIST_ENDS * US - 1, &until_us), MANDATE_OK);
    assert_int_equal(holds(s, &s->leaf.der, 1, LIST_ENDS * US, &until_us), MANDATE_DENIED);
    assert_int_equal(holds(s, &s->leaf.der, 1, (BEGIN - 1) * US, &until_us), MANDATE_DENIED); /* it begins later */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_trust__a_chain_holds_until_the_first_of_it_ends, scene_open, scene_close),
        cmocka_unit_test_setup_teardown(test_trust__a_list_of_revoked_ones_is_over_by_the_time_that_is_given, scene_open,
                                        scene_close),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

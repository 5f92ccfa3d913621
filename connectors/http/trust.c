/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trust - our certificate, whom clients' certificates must be signed by, and which of those were revoked, as the files said when they
 * were read last. A reload makes another one; connections that began with this one keep it until they end.
 *
 * With a list of revoked certificates one is believed only while its issuer's list is valid: a list that is over, or none of that
 * issuer, is no word for anybody.
 */
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <stdatomic.h>
#include <stdlib.h>

#include "connectors/config/yaml.h"
#include "connectors/http/server_int.h"

enum { CRL_MAX = 16 << 20 };

struct http_trust {
    _Atomic uint32_t refs;
    gnutls_certificate_credentials_t credentials;
    gnutls_x509_crl_t *crls; /* GnuTLS's memory */
    unsigned crl_count;
    bool lists; /* there must be one */
};

static gnutls_datum_t datum(buf *b) { return (gnutls_datum_t){(unsigned char *)b->data, (unsigned)b->len}; }

/* --- reading ------------------------------------------------------------------------------------------------------- */
static mandate_status load_credentials(http_trust *t, http_tls *pem, mandate_error *err)
{
    const gnutls_datum_t certificate = datum(&pem->certificate), key = datum(&pem->key), ca = datum(&pem->client_ca);
    int code = gnutls_certificate_allocate_credentials(&t->credentials);

    if (code >= 0)
        code = gnutls_certificate_set_x509_key_mem(t->credentials, &certificate, &key, GNUTLS_X509_FMT_PEM);
    if (code >= 0 && ca.size)
        code = gnutls_certificate_set_x509_trust_mem(t->credentials, &ca, GNUTLS_X509_FMT_PEM);
    return code >= 0 ? MANDATE_OK : mandate_error_set(err, MANDATE_INVALID, "TLS certificates: %s", gnutls_strerror(code));
}

/* Dates are looked at when it is used. */
static mandate_status check_signed(gnutls_x509_crl_t crl, gnutls_x509_crt_t *cas, unsigned count, const char *path,
                                   mandate_error *err)
{
    const unsigned dates =
        GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED | GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE | GNUTLS_CERT_INVALID;
    unsigned status = 0;
    int code = gnutls_x509_crl_verify(crl, cas, (int)count, 0, &status);

    if (code < 0 || (status & ~dates) || status == GNUTLS_CERT_INVALID)
        return mandate_error_set(err, MANDATE_INVALID,
                                 "http.tls_crl: a list in %s is not signed by a certificate of http.tls_client_ca", path);
    return MANDATE_OK;
}

static mandate_status load_lists(http_trust *t, const char *path, http_tls *pem, mandate_error *err)
{
    gnutls_x509_crt_t *cas = NULL;
    unsigned count = 0;
    buf text;

    buf_init(&text);
    mandate_status status = file_read(&text, path, CRL_MAX, err);
    const gnutls_datum_t lists = datum(&text), ca = datum(&pem->client_ca);
    if (!status &&
        (gnutls_x509_crl_list_import2(&t->crls, &t->crl_count, &lists, GNUTLS_X509_FMT_PEM, 0) < 0 || !t->crl_count))
        status =
            mandate_error_set(err, MANDATE_INVALID, "http.tls_crl: %s holds no list of revoked certificates (PEM)", path);
    if (!status && gnutls_x509_crt_list_import2(&cas, &count, &ca, GNUTLS_X509_FMT_PEM, 0) < 0)
        status = mandate_error_set(err, MANDATE_INVALID, "http.tls_client_ca holds no certificate");
    for (unsigned i = 0; !status && i < t->crl_count; i++)
        status = check_signed(t->crls[i], cas, count, path, err);
    for (unsigned i = 0; i < count; i++)
        gnutls_x509_crt_deinit(cas[i]);
    gnutls_free(cas);
    buf_deinit(&text);
    t->lists = true;
    return status;
}

mandate_status http_trust_load(http_trust **out, const http_options *o, mandate_error *err)
{
    http_trust *t = calloc(1, sizeof(*t));
    http_tls pem = {0};

    if (!t)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for certificates");
    atomic_init(&t->refs, 1);
    mandate_status status = http_tls_open(&pem, o, err);
    if (!status)
        status = load_credentials(t, &pem, err);
    if (!status && o->tls_crl)
        status = load_lists(t, o->tls_crl, &pem, err);
    http_tls_close(&pem);
    if (status)
        http_trust_drop(t);
    else
        *out = t;
    return status;
}

http_trust *http_trust_hold(http_trust *t)
{
    atomic_fetch_add(&t->refs, 1);
    return t;
}

void http_trust_drop(http_trust *t)
{
    if (!t || atomic_fetch_sub(&t->refs, 1) != 1)
        return;
    for (unsigned i = 0; i < t->crl_count; i++)
        gnutls_x509_crl_deinit(t->crls[i]);
    gnutls_free(t->crls);
    if (t->credentials)
        gnutls_certificate_free_credentials(t->credentials);
    free(t);
}

/* --- using ------------------------------------------------------------------------------------------------------------ */
bool http_trust_use(const http_trust *t, struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);

    return info && info->tls_session &&
           gnutls_credentials_set((gnutls_session_t)info->tls_session, GNUTLS_CRD_CERTIFICATE, t->credentials) == 0;
}

static bool same_issuer(gnutls_x509_crl_t crl, gnutls_x509_crt_t crt)
{
    gnutls_datum_t a = {NULL, 0}, b = {NULL, 0};
    bool same = gnutls_x509_crl_get_raw_issuer_dn(crl, &a) == 0 && gnutls_x509_crt_get_raw_issuer_dn(crt, &b) == 0 &&
                a.size == b.size && memcmp(a.data, b.data, a.size) == 0;

    gnutls_free(a.data);
    gnutls_free(b.data);
    return same;
}

static bool self_issued(gnutls_x509_crt_t crt)
{
    gnutls_datum_t a = {NULL, 0}, b = {NULL, 0};
    bool same = gnutls_x509_crt_get_raw_dn(crt, &a) == 0 && gnutls_x509_crt_get_raw_issuer_dn(crt, &b) == 0 &&
                a.size == b.size && memcmp(a.data, b.data, a.size) == 0;

    gnutls_free(a.data);
    gnutls_free(b.data);
    return same;
}

static void known_until(int64_t *until_us, time_t end)
{
    if (!*until_us || (int64_t)end * 1000000 < *until_us)
        *until_us = (int64_t)end * 1000000;
}

/* GnuTLS has looked at the dates by the wall clock, which may have been set back. */
static mandate_status check_dates(gnutls_x509_crt_t crt, time_t now, int64_t *until_us, mandate_error *err)
{
    const time_t end = gnutls_x509_crt_get_expiration_time(crt);

    if (end == (time_t)-1 || end <= now)
        return mandate_error_set(err, MANDATE_DENIED, "the client certificate, or one that it is signed by, is over");
    known_until(until_us, end);
    return MANDATE_OK;
}

static mandate_status check_listed(const http_trust *t, gnutls_x509_crt_t crt, time_t now, int64_t *until_us,
                                   mandate_error *err)
{
    bool covered = false;

    for (unsigned i = 0; i < t->crl_count; i++) {
        if (!same_issuer(t->crls[i], crt))
            continue;
        if (gnutls_x509_crt_check_revocation(crt, &t->crls[i], 1) != 0) /* also when that cannot be said */
            return mandate_error_set(err, MANDATE_DENIED, "the client certificate was revoked by who issued it");
        const time_t from = gnutls_x509_crl_get_this_update(t->crls[i]), to = gnutls_x509_crl_get_next_update(t->crls[i]);
        if (from == (time_t)-1 || to == (time_t)-1 || from > now || to <= now)
            continue;
        covered = true;
        known_until(until_us, to);
    }
    return covered ? MANDATE_OK
                   : mandate_error_set(
                         err, MANDATE_DENIED,
                         "the client certificate cannot be believed: no list of revoked certificates (http.tls_crl) "
                         "of its issuer is valid now");
}

mandate_status http_trust_holds(const http_trust *t, const void *peers, unsigned count, int64_t now_us, int64_t *until_us,
                                mandate_error *err)
{
    const gnutls_datum_t *chain = peers;
    const time_t now = (time_t)(now_us / 1000000);
    mandate_status status = MANDATE_OK;

    *until_us = 0;
    for (unsigned i = 0; !status && i < count; i++) {
        gnutls_x509_crt_t crt;
        if (gnutls_x509_crt_init(&crt) < 0)
            return mandate_error_set(err, MANDATE_NOMEM, "out of memory");
        if (gnutls_x509_crt_import(crt, &chain[i], GNUTLS_X509_FMT_DER) < 0)
            status = mandate_error_set(err, MANDATE_DENIED, "the client certificate cannot be read");
        else
            status = check_dates(crt, now, until_us, err);
        if (!status && t->lists && (!self_issued(crt) || i == 0))
            status = check_listed(t, crt, now, until_us, err);
        gnutls_x509_crt_deinit(crt);
    }
    return status;
}

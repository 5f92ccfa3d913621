/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls - our certificate for the TCP listener, and who a client certificate says is there. GnuTLS stays here; libmicrohttpd
 * speaks it.
 *
 * libmicrohttpd asks for a client certificate and does not look at it: that is done here, when a connection is first used. One that
 * is not trusted (another authority, expired, not for clients) is refused and never taken for none.
 */
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "connectors/config/yaml.h"
#include "connectors/http/server_int.h"

enum { PEM_MAX = 1 << 20, SANS_MAX = 32, CHAIN_MAX = 16 };

/* --- ours ---------------------------------------------------------------------------------------------------------- */
static mandate_status check_key_file(const char *path, mandate_error *err)
{
    struct stat st;

    if (stat(path, &st) != 0)
        return mandate_error_set(err, MANDATE_NOT_FOUND, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode) || (st.st_mode & 077) != 0 || (st.st_uid != geteuid() && st.st_uid != 0))
        return mandate_error_set(err, MANDATE_DENIED,
                                 "%s: a private key must be a file of ours that nobody else can read (chmod 600)", path);
    return MANDATE_OK;
}

static mandate_status check_pair(const http_tls *t, mandate_error *err)
{
    gnutls_certificate_credentials_t credentials;
    const gnutls_datum_t certificate = {(unsigned char *)t->certificate.data, (unsigned)t->certificate.len};
    const gnutls_datum_t key = {(unsigned char *)t->key.data, (unsigned)t->key.len};
    const gnutls_datum_t trust = {(unsigned char *)t->client_ca.data, (unsigned)t->client_ca.len};
    mandate_status status = MANDATE_OK;
    int code = gnutls_certificate_allocate_credentials(&credentials);

    if (code < 0)
        return mandate_error_set(err, MANDATE_NOMEM, "GnuTLS: %s", gnutls_strerror(code));
    code = gnutls_certificate_set_x509_key_mem(credentials, &certificate, &key, GNUTLS_X509_FMT_PEM);
    if (code < 0)
        status = mandate_error_set(err, MANDATE_INVALID, "http.tls_certificate and http.tls_key: %s", gnutls_strerror(code));
    if (!status && t->client_ca.len) {
        code = gnutls_certificate_set_x509_trust_mem(credentials, &trust, GNUTLS_X509_FMT_PEM);
        if (code <= 0)
            status = mandate_error_set(err, MANDATE_INVALID, "http.tls_client_ca holds no certificate");
    }
    gnutls_certificate_free_credentials(credentials);
    return status;
}

mandate_status http_tls_open(http_tls *t, const http_options *o, mandate_error *err)
{
    buf_init(&t->certificate);
    buf_init(&t->key);
    buf_init(&t->client_ca);
    mandate_status status = check_key_file(o->tls_key, err);
    if (!status)
        status = file_read(&t->certificate, o->tls_certificate, PEM_MAX, err);
    if (!status)
        status = file_read(&t->key, o->tls_key, PEM_MAX, err);
    if (!status && o->tls_client_ca)
        status = file_read(&t->client_ca, o->tls_client_ca, PEM_MAX, err);
    if (!status)
        status = check_pair(t, err);
    /* As texts; what has a NUL in it was refused above. */
    if (!status && (!*buf_cstr(&t->certificate) || !*buf_cstr(&t->key)))
        status = mandate_error_set(err, MANDATE_NOMEM, "out of memory for certificates");
    if (t->client_ca.len)
        (void)buf_cstr(&t->client_ca);
    return status;
}

void http_tls_close(http_tls *t)
{
    if (t->key.data)
        explicit_bzero(t->key.data, t->key.cap);
    buf_deinit(&t->key);
    buf_deinit(&t->certificate);
    buf_deinit(&t->client_ca);
}

/* --- theirs --------------------------------------------------------------------------------------------------------- */
static mandate_status refused(unsigned status, mandate_error *err)
{
    gnutls_datum_t text = {NULL, 0};

    (void)gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0);
    mandate_status result = mandate_error_set(err, MANDATE_DENIED, "the client certificate is not trusted: %.*s",
                                              text.data ? (int)text.size : 1, text.data ? (const char *)text.data : "?");
    gnutls_free(text.data);
    return result;
}

static mandate_slice distinguished(arena *a, int (*get)(gnutls_x509_crt_t, gnutls_datum_t *, unsigned),
                                   gnutls_x509_crt_t crt)
{
    gnutls_datum_t text = {NULL, 0};
    mandate_slice out = {"", 0};

    if (get(crt, &text, 0) == 0 && text.size && text.size <= LIMIT_ID)
        out = arena_dup(a, mandate_slice_of((const char *)text.data, text.size));
    gnutls_free(text.data);
    return out;
}

static bool begins(mandate_slice text, const char *with)
{
    return text.len >= strlen(with) && !memcmp(text.ptr, with, strlen(with));
}

/* All names of kinds that can stand for somebody. False: one of them is not fit to. */
static bool read_names(policy_principal *who, arena *a, gnutls_x509_crt_t crt, uint32_t *uris)
{
    mandate_slice *names = ARENA_ARRAY(a, mandate_slice, SANS_MAX);
    char text[LIMIT_ID + 8];

    who->names = names;
    for (unsigned i = 0; names; i++) {
        size_t size = LIMIT_ID;
        int type = gnutls_x509_crt_get_subject_alt_name(crt, i, text, &size, NULL);
        if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            return true;
        if (type < 0 || who->name_count == SANS_MAX)
            return false;
        if (type != GNUTLS_SAN_URI && type != GNUTLS_SAN_DNSNAME)
            continue;
        mandate_slice raw = mandate_slice_of(text, size);
        const char *prefix = type == GNUTLS_SAN_DNSNAME ? "dns:" : begins(raw, "spiffe://") ? "" : "uri:";
        *uris += type == GNUTLS_SAN_URI;
        mandate_slice name = arena_printf(a, "%s%.*s", prefix, MANDATE_SLICE_ARG(raw));
        if (!name.ptr || name.len != strlen(prefix) + raw.len || !principal_name_valid(name))
            return false; /* an embedded NUL shortens it */
        names[who->name_count++] = name;
    }
    return false;
}

/* spiffe://..., else dns:..., else x509:... */
static mandate_status name_certificate(policy_principal *who, arena *a, gnutls_x509_crt_t crt, mandate_error *err)
{
    uint32_t uris = 0;

    if (!read_names(who, a, crt, &uris))
        return mandate_error_set(err, MANDATE_DENIED, "the client certificate has a name that is none, or more than %d",
                                 SANS_MAX);
    who->subject = distinguished(a, gnutls_x509_crt_get_dn3, crt);
    who->issuer = distinguished(a, gnutls_x509_crt_get_issuer_dn3, crt);
    for (int pass = 0; pass < 2 && !who->name.len; pass++)
        for (uint32_t i = 0; i < who->name_count && !who->name.len; i++)
            if (begins(who->names[i], pass ? "dns:" : "spiffe://"))
                who->name = who->names[i];
    if (begins(who->name, "spiffe://") && uris != 1)
        return mandate_error_set(err, MANDATE_DENIED,
                                 "the client certificate has more than one URI: which one it is for is not said");
    if (!who->name.len && who->subject.len)
        who->name = arena_printf(a, "x509:%.*s", MANDATE_SLICE_ARG(who->subject));
    if (!principal_name_valid(who->name))
        return mandate_error_set(err, MANDATE_DENIED, "the client certificate names nobody");
    return MANDATE_OK;
}

/* By the files read last: whose certificate was revoked since is not let in again. */
static bool look_anew(http_connection *c)
{
    http_trust *now = http_trust_now(c->listener->server);

    if (!now || !http_trust_use(now, c->mhd)) {
        http_trust_drop(now);
        return false;
    }
    http_trust_drop(c->checked);
    c->checked = now;
    return true;
}

mandate_status http_tls_peer(policy_principal *who, arena *a, http_connection *c, mandate_error *err)
{
    struct MHD_Connection *mhd = c->mhd;
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
    gnutls_typed_vdata_st purpose = {GNUTLS_DT_KEY_PURPOSE_OID, (unsigned char *)(uintptr_t)GNUTLS_KP_TLS_WWW_CLIENT, 0};
    gnutls_x509_crt_t crt;
    unsigned count = 0, status = 0;

    if (!info)
        return mandate_error_set(err, MANDATE_DENIED, "the connection is not encrypted");
    gnutls_session_t session = info->tls_session;
    const gnutls_datum_t *chain = gnutls_certificate_get_peers(session, &count);
    if (!chain || count == 0) {
        who->kind = PRINCIPAL_ANONYMOUS;
        who->name = mandate_slice_str("anonymous");
        return MANDATE_OK;
    }
    if (count > CHAIN_MAX)
        return mandate_error_set(err, MANDATE_DENIED, "the client's certificate chain is longer than %d", CHAIN_MAX);
    if (!look_anew(c))
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "certificates cannot be verified now");
    int code = gnutls_certificate_verify_peers(session, &purpose, 1, &status);
    if (code < 0)
        return mandate_error_set(err, MANDATE_DENIED, "the client certificate cannot be verified: %s",
                                 gnutls_strerror(code));
    if (status != 0)
        return refused(status, err);
    mandate_status result =
        http_trust_holds(c->checked, chain, count, http_now_us(c->listener->server), &who->until_us, err);
    if (result)
        return result;
    if (gnutls_x509_crt_init(&crt) < 0)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory");
    who->kind = PRINCIPAL_CERTIFICATE;
    result = gnutls_x509_crt_import(crt, &chain[0], GNUTLS_X509_FMT_DER) < 0
                 ? mandate_error_set(err, MANDATE_DENIED, "the client certificate cannot be read")
                 : name_certificate(who, a, crt, err);
    gnutls_x509_crt_deinit(crt);
    return result;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry_http - one libcurl handle, kept so that its connection is.
 *
 * A server that answered stays the first choice until it fails.
 */
#include "connectors/decode/registry_http.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>

struct registry_http {
    CURL *curl;
    struct curl_slist *headers;
    char **urls; /* without slashes at the end */
    uint32_t url_count, preferred;
    char reason[CURL_ERROR_SIZE];
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_ready;

static void start_curl(void) { curl_ready = curl_global_init(CURL_GLOBAL_DEFAULT); }

static size_t receive(char *data, size_t size, size_t count, void *ctx)
{
    buf *body = ctx;
    size_t len = size * count;
    if (len > REGISTRY_ANSWER_MAX - body->len)
        return 0; /* libcurl reports a write error */
    buf_put(body, data, len);
    return body->failed ? 0 : len;
}

static mandate_status copy_urls(registry_http *h, const registry_options *o, mandate_error *err)
{
    if (o->url_count == 0)
        return mandate_error_set(err, MANDATE_INVALID, "a schema registry needs at least one URL");
    h->urls = calloc(o->url_count, sizeof *h->urls);
    if (!h->urls)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a registry client");
    for (uint32_t i = 0; i < o->url_count; i++) {
        const char *url = o->urls[i];
        size_t scheme = !strncasecmp(url, "http://", 7) ? 7 : !strncasecmp(url, "https://", 8) ? 8 : 0;
        size_t len = strlen(url);
        while (len > scheme && url[len - 1] == '/')
            len--;
        if (scheme == 0 || len == scheme)
            return mandate_error_set(err, MANDATE_INVALID,
                                     "the registry URL \"%.128s\" does not begin with http:// or https:// and a host", url);
        if (memchr(url, '@', len)) /* it would show in every error message */
            return mandate_error_set(err, MANDATE_INVALID,
                                     "credentials do not belong into a registry URL: there are settings for them");
        h->urls[i] = strndup(url, len);
        if (!h->urls[i])
            return mandate_error_set(err, MANDATE_NOMEM, "no memory for a registry client");
        h->url_count = i + 1;
    }
    return MANDATE_OK;
}

static bool add_header(registry_http *h, const char *text)
{
    struct curl_slist *more = curl_slist_append(h->headers, text);
    if (more)
        h->headers = more;
    return more != NULL;
}

static bool set_credentials(CURL *c, const registry_options *o)
{
    CURLcode e = CURLE_OK;
    if (o->basic_auth) {
        e |= curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        e |= curl_easy_setopt(c, CURLOPT_USERPWD, o->basic_auth);
    } else if (o->bearer) {
        e |= curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER);
        e |= curl_easy_setopt(c, CURLOPT_XOAUTH2_BEARER, o->bearer);
    }
    if (o->ca_file) { /* those alone: not the system's folder besides */
        e |= curl_easy_setopt(c, CURLOPT_CAINFO, o->ca_file);
        e |= curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
    }
    if (o->certificate_file)
        e |= curl_easy_setopt(c, CURLOPT_SSLCERT, o->certificate_file);
    if (o->key_file)
        e |= curl_easy_setopt(c, CURLOPT_SSLKEY, o->key_file);
    if (o->key_password)
        e |= curl_easy_setopt(c, CURLOPT_KEYPASSWD, o->key_password);
    return e == CURLE_OK;
}

static mandate_status set_up(registry_http *h, const registry_options *o, mandate_error *err)
{
    long timeout_ms = o->timeout_ms ? (long)o->timeout_ms : 5000;
    CURL *c = h->curl;
    CURLcode e = CURLE_OK;
    if (!add_header(h, "Accept: application/vnd.schemaregistry.v1+json, application/json") ||
        !add_header(h, "Content-Type: application/vnd.schemaregistry.v1+json") || !add_header(h, "Expect:"))
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a registry client");
    e |= curl_easy_setopt(c, CURLOPT_HTTPHEADER, h->headers);
    e |= curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    e |= curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    e |= curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, timeout_ms);
    e |= curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms);
    e |= curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    e |= curl_easy_setopt(c, CURLOPT_MAXFILESIZE, (long)REGISTRY_ANSWER_MAX);
    e |= curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    e |= curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, receive);
    e |= curl_easy_setopt(c, CURLOPT_ERRORBUFFER, h->reason);
    if (e != CURLE_OK || !set_credentials(c, o))
        return mandate_error_set(err, MANDATE_UNSUPPORTED, "this libcurl lacks an option a registry client needs");
    return MANDATE_OK;
}

mandate_status registry_http_create(registry_http **out, const registry_options *options, mandate_error *err)
{
    pthread_once(&curl_once, start_curl);
    registry_http *h = calloc(1, sizeof *h);
    if (!h || curl_ready != CURLE_OK || !(h->curl = curl_easy_init())) {
        free(h);
        return mandate_error_set(err, MANDATE_NOMEM, "libcurl does not start");
    }
    mandate_status status = copy_urls(h, options, err);
    if (status == MANDATE_OK)
        status = set_up(h, options, err);
    if (status != MANDATE_OK) {
        registry_http_destroy(h);
        return status;
    }
    *out = h;
    return MANDATE_OK;
}

void registry_http_destroy(registry_http *h)
{
    if (!h)
        return;
    curl_easy_cleanup(h->curl);
    curl_slist_free_all(h->headers);
    for (uint32_t i = 0; i < h->url_count; i++)
        free(h->urls[i]);
    free(h->urls);
    free(h);
}

/* True when this server has given an answer. */
static bool send_one(long *code, buf *body, registry_http *h, const char *base, const char *path, const mandate_slice *post,
                     mandate_error *err)
{
    CURL *c = h->curl;
    buf url;
    buf_init(&url);
    buf_put_str(&url, base);
    buf_put_str(&url, path);
    buf_reset(body);
    h->reason[0] = '\0';
    CURLcode e = url.failed ? CURLE_OUT_OF_MEMORY : curl_easy_setopt(c, CURLOPT_URL, buf_cstr(&url));
    if (post) {
        e |= curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)post->len);
        e |= curl_easy_setopt(c, CURLOPT_POSTFIELDS, post->ptr); /* sets the method; not copied */
    } else {
        e |= curl_easy_setopt(c, CURLOPT_HTTPGET, 1L);
    }
    e |= curl_easy_setopt(c, CURLOPT_WRITEDATA, body);
    if (e == CURLE_OK)
        e = curl_easy_perform(c);
    if (e == CURLE_OK)
        e = curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, code);
    buf_deinit(&url);
    if (e != CURLE_OK) {
        (void)mandate_error_set(err, MANDATE_UNAVAILABLE, "the schema registry %s cannot be reached: %s", base,
                                h->reason[0] ? h->reason : curl_easy_strerror(e));
        return false;
    }
    if (*code >= 500 || *code == 429) {
        (void)mandate_error_set(err, MANDATE_UNAVAILABLE, "the schema registry %s answers %ld to %.200s", base, *code, path);
        return false;
    }
    return true;
}

mandate_status registry_http_send(long *code, buf *body, registry_http *h, const char *path, const mandate_slice *post,
                                  mandate_error *err)
{
    for (uint32_t i = 0; i < h->url_count; i++) {
        uint32_t at = (h->preferred + i) % h->url_count;
        if (send_one(code, body, h, h->urls[at], path, post, err)) {
            h->preferred = at;
            return MANDATE_OK;
        }
    }
    return MANDATE_UNAVAILABLE;
}

void registry_http_segment(buf *out, mandate_slice text)
{
    static const char digits[] = "0123456789ABCDEF";
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '_' ||
                     c == '~' || (c == '.' && text.len > 2); /* "." and ".." are not segments */
        if (plain) {
            buf_put_char(out, (char)c);
        } else {
            buf_put_char(out, '%');
            buf_put_char(out, digits[c >> 4]);
            buf_put_char(out, digits[c & 15]);
        }
    }
}

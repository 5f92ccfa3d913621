/* SPDX-License-Identifier: Apache-2.0 */
/* keys - JWK Sets from files and by https; libcurl stays here. */
#include "connectors/login/keys.h"

#include "connectors/config/yaml.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { FETCH_MS = 5000 };

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_ready;

static void start_curl(void) { curl_ready = curl_global_init(CURL_GLOBAL_DEFAULT); }

mandate_status login_keys_read(login_keys **out, mandate_slice json, mandate_error *err)
{
    login_keys *keys = calloc(1, sizeof(*keys));

    if (!keys)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for keys");
    keys->refs = 1;
    keys->good_until_ms = INT64_MAX;
    keyset_init(&keys->set);
    mandate_status status = keyset_read(&keys->set, json, err);
    if (status)
        login_keys_release(keys);
    else
        *out = keys;
    return status;
}

void login_keys_release(login_keys *keys)
{
    if (!keys || atomic_fetch_sub(&keys->refs, 1) != 1)
        return;
    keyset_deinit(&keys->set);
    free(keys);
}

mandate_status login_keys_file(login_keys **out, const char *path, mandate_error *err)
{
    buf text;

    buf_init(&text);
    mandate_status status = file_read(&text, path, KEYSET_JSON_MAX, err);
    if (!status)
        status = login_keys_read(out, buf_slice(&text), err);
    buf_deinit(&text);
    return status ? mandate_error_prefix(err, status, "%s", path) : MANDATE_OK;
}

static size_t receive(char *data, size_t size, size_t count, void *ctx)
{
    buf *body = ctx;
    size_t len = size * count;

    if (len > KEYSET_JSON_MAX - body->len)
        return 0; /* libcurl reports a write error */
    buf_put(body, data, len);
    return body->failed ? 0 : len;
}

static CURLcode perform(CURL *c, const char *url, const char *ca, buf *body, char *reason, long *code)
{
    CURLcode e = CURLE_OK;

    e |= curl_easy_setopt(c, CURLOPT_URL, url);
    e |= curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
    e |= curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    e |= curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    e |= curl_easy_setopt(c, CURLOPT_PROXY, "");
    e |= curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    e |= curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)FETCH_MS);
    e |= curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)FETCH_MS);
    e |= curl_easy_setopt(c, CURLOPT_MAXFILESIZE, (long)KEYSET_JSON_MAX);
    e |= curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, receive);
    e |= curl_easy_setopt(c, CURLOPT_WRITEDATA, body);
    e |= curl_easy_setopt(c, CURLOPT_ERRORBUFFER, reason);
    e |= curl_easy_setopt(c, CURLOPT_USERAGENT, "mandated/" MANDATE_VERSION);
    if (ca) { /* those alone: not the system's folder besides */
        e |= curl_easy_setopt(c, CURLOPT_CAINFO, ca);
        e |= curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
    }
    if (e == CURLE_OK)
        e = curl_easy_perform(c);
    if (e == CURLE_OK)
        e = curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, code);
    return e;
}

mandate_status login_keys_fetch(login_keys **out, const char *url, const char *ca, mandate_error *err)
{
    char reason[CURL_ERROR_SIZE] = "";
    long code = 0;
    buf body;

    pthread_once(&curl_once, start_curl);
    CURL *c = curl_ready == CURLE_OK ? curl_easy_init() : NULL;
    if (!c)
        return mandate_error_set(err, MANDATE_NOMEM, "libcurl does not start");
    buf_init(&body);
    CURLcode e = perform(c, url, ca, &body, reason, &code);
    mandate_status status;
    if (e != CURLE_OK)
        status = mandate_error_set(err, MANDATE_UNAVAILABLE, "%s: %s", url, reason[0] ? reason : curl_easy_strerror(e));
    else if (code != 200)
        status = mandate_error_set(err, MANDATE_UNAVAILABLE, "%s: answered %ld", url, code);
    else if ((status = login_keys_read(out, buf_slice(&body), err)))
        status = mandate_error_prefix(err, status, "%s", url);
    curl_easy_cleanup(c);
    buf_deinit(&body);
    return status;
}

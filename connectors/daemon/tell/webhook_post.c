/* SPDX-License-Identifier: Apache-2.0 */
/* webhook_post - one delivery: the body, its signature, the request. */
#include "connectors/daemon/tell/webhook_int.h"

#include "connectors/daemon/answer/decision_json.h"
#include "connectors/token/jws.h"
#include "engine/base/hash.h"

#include <curl/curl.h>
#include <string.h>

#define SIGNATURE_TYP "mandate-notice+jws"

bool webhook_is_local(const char *url)
{
    static const char *const local[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};
    for (size_t i = 0; i < sizeof(local) / sizeof(*local); i++) {
        size_t len = strlen(local[i]);
        if (strncmp(url, local[i], len) == 0 && (!url[len] || url[len] == ':' || url[len] == '/'))
            return true;
    }
    return false;
}

bool webhook_post_open(webhook *w)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK && (w->curl = curl_easy_init());
}

void webhook_post_close(webhook *w)
{
    if (w->curl)
        curl_easy_cleanup(w->curl);
}

static mandate_status put_body(const webhook *w, buf *out, mandate_slice encoded, bool brief, mandate_error *err)
{
    uint8_t hash[32];
    char id[65];
    decision_record d;
    arena memory;
    mandate_status status = decision_decode(&d, encoded, err);
    if (status != MANDATE_OK)
        return status;
    if (!decision_notice_id(hash, mandate_slice_str(w->options.issuer), &d))
        return mandate_error_set(err, MANDATE_NOMEM, "SHA-256 is not available");
    hex_encode(id, hash, sizeof(hash));
    buf_printf(out, "{\"id\":\"%s\",\"type\":\"decision.%s\",\"issuer\":", id,
               d.state == DECISION_OPEN ? "opened" : decision_state_name(d.state));
    buf_put_json_string(out, mandate_slice_str(w->options.issuer));
    buf_put_str(out, ",\"decision\":");
    arena_init(&memory, 0);
    const disclosure_viewer receiver = {.audience = mandate_slice_str(w->options.audience ? w->options.audience : "")};
    status = decision_json_shown(out, &d, &receiver, w->options.store, brief, &memory, err);
    buf_put_str(out, "}}");
    arena_deinit(&memory);
    if (status == MANDATE_OK && out->failed)
        status = mandate_error_set(err, MANDATE_NOMEM, "out of memory for a notice");
    return status;
}

static mandate_status body_of(const webhook *w, buf *out, mandate_slice encoded, mandate_error *err)
{
    mandate_status status = put_body(w, out, encoded, false, err);
    if (status != MANDATE_OK || out->len <= WEBHOOK_BODY_MAX)
        return status;
    buf_reset(out);
    return put_body(w, out, encoded, true, err);
}

/* "X-Mandate-Signature: header..signature" */
static mandate_status signature_of(const webhook *w, buf *out, mandate_slice body, mandate_error *err)
{
    buf whole;
    buf_init(&whole);
    mandate_status status = jws_sign(&whole, w->options.signer->keys.keys[0], SIGNATURE_TYP, body, err);
    const char *first = status == MANDATE_OK ? memchr(whole.data, '.', whole.len) : NULL;
    const char *second = first ? memrchr(whole.data, '.', whole.len) : NULL;
    if (status == MANDATE_OK && second > first) {
        buf_put_str(out, "X-Mandate-Signature: ");
        buf_put(out, whole.data, (size_t)(first + 1 - (const char *)whole.data));
        buf_put(out, second, whole.len - (size_t)(second - (const char *)whole.data));
    }
    if (status == MANDATE_OK && out->failed)
        status = mandate_error_set(err, MANDATE_NOMEM, "out of memory for a notice");
    buf_deinit(&whole);
    return status;
}

static size_t ignore(char *data, size_t size, size_t count, void *ctx)
{
    (void)data;
    (void)ctx;
    return size * count;
}

static int broken_off(void *ctx, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    (void)a, (void)b, (void)c, (void)d;
    return atomic_load(&((webhook *)ctx)->stopping);
}

static mandate_status post(webhook *w, mandate_slice body, const char *signature, mandate_error *err)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    struct curl_slist *more = headers ? curl_slist_append(headers, signature) : NULL;
    char reason[CURL_ERROR_SIZE] = "";
    CURL *c = w->curl;
    long code = 0;
    curl_easy_reset(c);
    CURLcode e = more ? curl_easy_setopt(c, CURLOPT_HTTPHEADER, more) : CURLE_OUT_OF_MEMORY;
    e |= curl_easy_setopt(c, CURLOPT_URL, w->options.url);
    e |= curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, webhook_is_local(w->options.url) ? "http" : "https");
    e |= curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    e |= curl_easy_setopt(c, CURLOPT_PROXY, "");
    e |= curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)WEBHOOK_TIMEOUT_MS);
    e |= curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    e |= curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (w->options.ca_file) { /* those alone: not the system's folder besides */
        e |= curl_easy_setopt(c, CURLOPT_CAINFO, w->options.ca_file);
        e |= curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
    }
    e |= curl_easy_setopt(c, CURLOPT_MAXFILESIZE, 64L << 10);
    e |= curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, ignore);
    e |= curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
    e |= curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, broken_off);
    e |= curl_easy_setopt(c, CURLOPT_XFERINFODATA, w);
    e |= curl_easy_setopt(c, CURLOPT_ERRORBUFFER, reason);
    e |= curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
    e |= curl_easy_setopt(c, CURLOPT_POSTFIELDS, body.ptr);
    if (e == CURLE_OK)
        e = curl_easy_perform(c);
    if (e == CURLE_OK)
        e = curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &code);
    curl_slist_free_all(more ? more : headers);
    if (e != CURLE_OK)
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "%s", reason[0] ? reason : curl_easy_strerror(e));
    if (code < 200 || code > 299)
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "it answered %ld", code);
    return MANDATE_OK;
}

mandate_status webhook_deliver(webhook *w, mandate_slice encoded, mandate_error *err)
{
    buf body, signature;
    if (!w->options.url)
        return MANDATE_OK;
    buf_init(&body);
    buf_init(&signature);
    mandate_status status = body_of(w, &body, encoded, err);
    if (status == MANDATE_OK)
        status = signature_of(w, &signature, buf_slice(&body), err);
    if (status == MANDATE_OK)
        status = post(w, buf_slice(&body), buf_cstr(&signature), err);
    buf_deinit(&body);
    buf_deinit(&signature);
    return status;
}

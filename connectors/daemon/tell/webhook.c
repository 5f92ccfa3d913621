/* SPDX-License-Identifier: Apache-2.0 */
/* webhook - see webhook.h. */
#include "connectors/daemon/tell/webhook.h"

#include "connectors/daemon/answer/decision_json.h"
#include "connectors/daemon/base/log.h"
#include "connectors/http/service.h"
#include "connectors/token/jws.h"
#include "engine/base/hash.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SIGNATURE_TYP "mandate-notice+jws"

struct webhook {
    webhook_options options;
    CURL *curl;
    pthread_t thread;
    bool started;
    _Atomic bool stopping;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool poked; /* under the lock, as are the keys */
    outbox_key received[WEBHOOK_KEYS];
    uint32_t count, collected; /* the first `collected` go with the commit under way */
    outbox_key from;           /* the thread's: the next one to tell */
    int64_t retry_ms;          /* the thread's: 0, or how long to wait */
    bool full, failed;         /* the thread's: of one walk */
};

static bool is_local(const char *url)
{
    static const char *const local[] = {"http://127.0.0.1", "http://localhost", "http://[::1]"};
    for (size_t i = 0; i < sizeof(local) / sizeof(*local); i++) {
        size_t len = strlen(local[i]);
        if (strncmp(url, local[i], len) == 0 && (!url[len] || url[len] == ':' || url[len] == '/'))
            return true;
    }
    return false;
}

mandate_status webhook_create(webhook **out, const webhook_options *options, mandate_error *err)
{
    const char *url = options->url;
    if (url && strncmp(url, "https://", 8) != 0 && !is_local(url))
        return mandate_error_set(err, MANDATE_INVALID, "decisions.webhook must be an https URL (http only to this machine)");
    webhook *w = calloc(1, sizeof(*w));
    if (!w)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for the webhook");
    *w = (webhook){.options = *options, .from = {0, OUTBOX_NOTICE}};
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (url && (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || !(w->curl = curl_easy_init()))) {
        webhook_destroy(w);
        return mandate_error_set(err, MANDATE_NOMEM, "libcurl is not available");
    }
    *out = w;
    return MANDATE_OK;
}

/* --- one delivery ------------------------------------------------------------------------------------------------------ */
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
    e |= curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, is_local(w->options.url) ? "http" : "https");
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

static mandate_status deliver(webhook *w, mandate_slice encoded, mandate_error *err)
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

/* --- what can never be delivered ----------------------------------------------------------------------------------------- */
/* The signer, and who reads what was stored, will say the same again, whatever is waited for. */
static bool is_for_ever(mandate_status status)
{
    return status == MANDATE_DENIED || status == MANDATE_INVALID || status == MANDATE_LIMIT || status == MANDATE_CORRUPT ||
           status == MANDATE_UNSUPPORTED;
}

typedef struct dropping {
    service_request request;
    webhook *w;
    bool done; /* under the lock */
} dropping;

static void recorded(service_request *request)
{
    dropping *d = request->ctx;
    pthread_mutex_lock(&d->w->lock);
    d->done = true;
    pthread_cond_broadcast(&d->w->changed);
    pthread_mutex_unlock(&d->w->lock);
}

static void put_detail(buf *b, outbox_key key, mandate_slice encoded, const mandate_error *why)
{
    decision_record d;
    buf_printf(b, "{\"notice\":{\"seq\":%llu,\"index\":%u},\"decision\":", (unsigned long long)key.seq, key.index);
    if (decision_decode(&d, encoded, NULL) == MANDATE_OK) {
        buf_put_json_string(b, d.id);
        buf_printf(b, ",\"state\":\"%s\",\"version\":%u", decision_state_name(d.state), d.version);
    } else {
        buf_put_str(b, "null");
    }
    buf_put_str(b, ",\"error\":");
    buf_put_json_string(b, mandate_slice_str(why->text));
    buf_put_char(b, '}');
}

/* An entry of the audit log says that nobody was told. Whoever took the request answers it before this thread is stopped, so it is waited
 * for. False: it could not be recorded now. */
static bool drop(webhook *w, outbox_key key, mandate_slice encoded, const mandate_error *why)
{
    dropping d = {.w = w};
    buf detail;
    buf_init(&detail);
    buf_init(&d.request.body);
    put_detail(&detail, key, encoded, why);
    d.request.kind = SERVICE_LOG;
    d.request.event = mandate_slice_str("notice_dropped");
    d.request.detail = buf_slice(&detail);
    d.request.done = recorded;
    d.request.ctx = &d;
    bool good = w->options.queue && !detail.failed && queue_try_push(w->options.queue, QUEUE_REQUESTS, &d.request);
    pthread_mutex_lock(&w->lock);
    while (good && !d.done)
        pthread_cond_wait(&w->changed, &w->lock);
    pthread_mutex_unlock(&w->lock);
    good = good && d.request.error.status == MANDATE_OK;
    log_write(LOG_ERROR, "webhook", "a notice can never be delivered: %s; %s", why->text,
              good ? "it is dropped, as entry notice_dropped of the audit log says"
                   : "it is kept until that can be recorded");
    buf_deinit(&detail);
    buf_deinit(&d.request.body);
    return good;
}

/* --- the thread ---------------------------------------------------------------------------------------------------------- */
static bool visit(void *ctx, outbox_key key, mandate_slice encoded)
{
    webhook *w = ctx;
    mandate_error err = {0};
    pthread_mutex_lock(&w->lock);
    w->full = w->count == WEBHOOK_KEYS;
    pthread_mutex_unlock(&w->lock);
    if (w->full || atomic_load(&w->stopping))
        return false;
    mandate_status status = deliver(w, encoded, &err);
    if (is_for_ever(status) && drop(w, key, encoded, &err))
        status = MANDATE_OK;
    if (status != MANDATE_OK && !atomic_load(&w->stopping)) {
        w->failed = true;
        if (w->retry_ms == 0)
            log_write(LOG_WARN, "webhook", "%s; the notice is kept and sent again", err.text);
        return false;
    }
    if (status != MANDATE_OK)
        return false;
    w->from = (outbox_key){key.seq, key.index + 1};
    pthread_mutex_lock(&w->lock);
    w->received[w->count++] = key;
    pthread_mutex_unlock(&w->lock);
    return true;
}

static void wait_for_more(webhook *w)
{
    struct timespec until;
    int64_t ms = w->failed ? w->retry_ms : w->full ? 200 : 0;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += ms % 1000 * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    pthread_mutex_lock(&w->lock);
    int waited = 0;
    while (!atomic_load(&w->stopping) && waited == 0 && (ms || !w->poked))
        waited = ms ? pthread_cond_timedwait(&w->changed, &w->lock, &until) : pthread_cond_wait(&w->changed, &w->lock);
    w->poked = false;
    pthread_mutex_unlock(&w->lock);
}

static void *run(void *ctx)
{
    webhook *w = ctx;
    mandate_error err;
    while (!atomic_load(&w->stopping)) {
        w->failed = w->full = false;
        if (store_outbox_each(w->options.store, w->from, visit, w, &err) != MANDATE_OK) {
            log_write(LOG_ERROR, "webhook", "%s", err.text);
            w->failed = true;
        }
        w->retry_ms = !w->failed ? 0 : !w->retry_ms ? 1000 : w->retry_ms * 2;
        if (w->retry_ms > WEBHOOK_RETRY_MAX_MS)
            w->retry_ms = WEBHOOK_RETRY_MAX_MS;
        wait_for_more(w);
    }
    return NULL;
}

mandate_status webhook_start(webhook *w, mandate_error *err)
{
    if (pthread_create(&w->thread, NULL, run, w) != 0)
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "cannot start the webhook's thread");
    pthread_setname_np(w->thread, "webhook");
    w->started = true;
    return MANDATE_OK;
}

void webhook_stop(webhook *w)
{
    if (!w || !w->started)
        return;
    pthread_mutex_lock(&w->lock);
    atomic_store(&w->stopping, true);
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    w->started = false;
}

void webhook_destroy(webhook *w)
{
    if (!w)
        return;
    webhook_stop(w);
    if (w->curl)
        curl_easy_cleanup(w->curl);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

/* --- engine's thread ------------------------------------------------------------------------------------------------------ */
void webhook_poke(webhook *w)
{
    pthread_mutex_lock(&w->lock);
    w->poked = true;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

uint32_t webhook_collect(webhook *w, outbox_key *out)
{
    pthread_mutex_lock(&w->lock);
    w->collected = w->count;
    if (w->count)
        memcpy(out, w->received, w->count * sizeof(*out));
    pthread_mutex_unlock(&w->lock);
    return w->collected;
}

void webhook_committed(webhook *w)
{
    pthread_mutex_lock(&w->lock);
    w->count -= w->collected;
    if (w->count)
        memmove(w->received, w->received + w->collected, w->count * sizeof(*w->received));
    w->collected = 0;
    pthread_mutex_unlock(&w->lock);
}

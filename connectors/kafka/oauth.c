/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oauth - see oauth.h. One libcurl handle a request: tokens live for minutes.
 */
#include "connectors/kafka/oauth.h"

#include "connectors/json/json_value.h"

#include <curl/curl.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { REQUEST_MS = 5000, ANSWER_MAX = 64 * 1024, TOKEN_MAX = 32 * 1024, LIFETIME_DEFAULT_S = 300, LIFETIME_MAX_S = 86400 };

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void start_curl(void) { curl_global_init(CURL_GLOBAL_DEFAULT); }

static bool starts(const char *text, const char *with) { return strncasecmp(text, with, strlen(with)) == 0; }

/* The host ends here: "http://localhost.example" is not loopback. */
static bool host_is(const char *after_scheme, const char *host)
{
    size_t len = strlen(host);

    return starts(after_scheme, host) && (after_scheme[len] == ':' || after_scheme[len] == '/' || !after_scheme[len]);
}

mandate_status kafka_oauth_check(const kafka_oauth *o, mandate_error *err)
{
    const char *host = starts(o->token_url, "http://") ? o->token_url + 7 : NULL;

    if (strchr(o->token_url, '@'))
        return mandate_error_set(err, MANDATE_INVALID, "credentials do not belong into the URL of a token endpoint");
    if (starts(o->token_url, "https://") ||
        (host && (host_is(host, "127.0.0.1") || host_is(host, "localhost") || host_is(host, "[::1]"))))
        return MANDATE_OK;
    return mandate_error_set(err, MANDATE_INVALID,
                             "the token endpoint '%.200s' must be https: the client's secret is sent to it", o->token_url);
}

static size_t receive(char *data, size_t size, size_t count, void *ctx)
{
    buf *body = ctx;

    if (size * count > ANSWER_MAX - body->len)
        return 0;
    buf_put(body, data, size * count);
    return body->failed ? 0 : size * count;
}

static bool put_form(buf *form, CURL *c, const char *name, const char *value)
{
    char *escaped = curl_easy_escape(c, value, 0);

    if (!escaped)
        return false;
    buf_printf(form, "&%s=%s", name, escaped);
    curl_free(escaped);
    return true;
}

static mandate_status post(buf *body, long *code, const kafka_oauth *o, mandate_error *err)
{
    CURL *c = curl_easy_init();
    CURLcode e = CURLE_OK;
    char reason[CURL_ERROR_SIZE] = "";
    buf form;

    buf_init(&form);
    buf_put_str(&form, "grant_type=client_credentials");
    if (!c || (o->scope && !put_form(&form, c, "scope", o->scope)) || form.failed) {
        e = CURLE_OUT_OF_MEMORY;
        goto done;
    }
    e |= curl_easy_setopt(c, CURLOPT_URL, o->token_url);
    e |= curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
    e |= curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
    e |= curl_easy_setopt(c, CURLOPT_PROXY, "");
    e |= curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)REQUEST_MS);
    e |= curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
    e |= curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    if (o->ca_file) { /* those alone: not the system's folder besides */
        e |= curl_easy_setopt(c, CURLOPT_CAINFO, o->ca_file);
        e |= curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
    }
    e |= curl_easy_setopt(c, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    e |= curl_easy_setopt(c, CURLOPT_USERNAME, o->client_id);
    e |= curl_easy_setopt(c, CURLOPT_PASSWORD, o->client_secret);
    e |= curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)form.len);
    e |= curl_easy_setopt(c, CURLOPT_POSTFIELDS, buf_cstr(&form));
    e |= curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, receive);
    e |= curl_easy_setopt(c, CURLOPT_WRITEDATA, body);
    e |= curl_easy_setopt(c, CURLOPT_ERRORBUFFER, reason);
    if (e == CURLE_OK)
        e = curl_easy_perform(c);
    if (e == CURLE_OK)
        e = curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, code);
done:
    curl_easy_cleanup(c);
    buf_deinit(&form);
    if (e != CURLE_OK)
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "the token endpoint %s cannot be reached: %s", o->token_url,
                                 reason[0] ? reason : curl_easy_strerror(e));
    return MANDATE_OK;
}

static mandate_status read_answer(kafka_oauth_token *out, const kafka_oauth *o, mandate_slice body, mandate_error *err)
{
    cel_value answer;
    mandate_status status;
    arena a;

    arena_init(&a, 4 * ANSWER_MAX);
    status = json_value_parse(&answer, &a, body, ANSWER_MAX, NULL);
    mandate_slice token = status == MANDATE_OK ? json_member_text(answer, "access_token") : (mandate_slice){NULL, 0};
    int64_t seconds = status == MANDATE_OK ? json_member_int(answer, "expires_in", LIFETIME_DEFAULT_S) : 0;
    status = MANDATE_OK;
    if (token.len == 0 || token.len > TOKEN_MAX || memchr(token.ptr, 0, token.len) || seconds < 1)
        status = mandate_error_set(err, MANDATE_UNAVAILABLE, "the token endpoint %s answers without a usable access_token",
                                   o->token_url);
    else if (!(out->text = strndup(token.ptr, token.len)))
        status = mandate_error_set(err, MANDATE_NOMEM, "no memory for a token");
    out->lifetime_ms = (seconds < LIFETIME_MAX_S ? seconds : LIFETIME_MAX_S) * 1000;
    arena_deinit(&a);
    return status;
}

mandate_status kafka_oauth_fetch(kafka_oauth_token *out, const kafka_oauth *o, mandate_error *err)
{
    mandate_status status;
    long code = 0;
    buf body;

    *out = (kafka_oauth_token){0};
    pthread_once(&curl_once, start_curl);
    buf_init(&body);
    status = post(&body, &code, o, err);
    if (status == MANDATE_OK && (code == 400 || code == 401 || code == 403))
        status =
            mandate_error_set(err, MANDATE_DENIED, "the token endpoint %s refuses the client (%ld)", o->token_url, code);
    else if (status == MANDATE_OK && code != 200)
        status = mandate_error_set(err, MANDATE_UNAVAILABLE, "the token endpoint %s answers %ld", o->token_url, code);
    if (status == MANDATE_OK)
        status = read_answer(out, o, buf_slice(&body), err);
    if (body.data)
        explicit_bzero(body.data, body.cap);
    buf_deinit(&body);
    return status;
}

void kafka_oauth_token_free(kafka_oauth_token *t)
{
    if (t->text)
        explicit_bzero(t->text, strlen(t->text));
    free(t->text);
    t->text = NULL;
}

mandate_status kafka_oauth_refresh(rd_kafka_t *handle, const kafka_oauth *o, mandate_error *err)
{
    kafka_oauth_token token;
    struct timespec now;
    char text[256];
    mandate_status status = kafka_oauth_fetch(&token, o, err);

    if (status == MANDATE_OK) {
        clock_gettime(CLOCK_REALTIME, &now); /* librdkafka wants the token's end in wall time */
        int64_t until_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + token.lifetime_ms;
        if (rd_kafka_oauthbearer_set_token(handle, token.text, until_ms, o->client_id, NULL, 0, text, sizeof(text)))
            status =
                mandate_error_set(err, MANDATE_UNAVAILABLE, "the token of %s is not one that Kafka takes", o->token_url);
    }
    kafka_oauth_token_free(&token);
    if (status != MANDATE_OK)
        rd_kafka_oauthbearer_set_token_failure(handle, err->text);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * login - see login.h. The thread that fetches keys holds no lock while it waits for a server.
 */
#include "connectors/login/keys.h"

#include "connectors/login/payload.h"
#include "connectors/token/jws.h"
#include "engine/limits.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct source {
    login_keys *keys; /* under the lock; NULL: none yet */
    int64_t next_ms;  /* when to fetch again */
    int64_t asked_ms; /* last time */
    bool failing;
} source;

struct login {
    const policy *policy;
    login_options options;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    source sources[LIMIT_POLICY_ISSUERS];
    pthread_t thread;
    bool running, stop;
};

static int64_t clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void note(login *l, bool bad, const char *text)
{
    if (l->options.log)
        l->options.log(l->options.ctx, bad, text);
}

/* --- fetching -------------------------------------------------------------------------------------------------------- */
/* Lock held, and held again when it returns. */
static void fetch_one(login *l, source *s, const policy_issuer *is)
{
    login_keys *fresh = NULL, *old = NULL;
    mandate_error err = {0};
    char text[1200];
    int64_t refresh_ms = is->refresh_us / 1000;

    s->asked_ms = clock_ms();
    pthread_mutex_unlock(&l->lock);
    mandate_status status = login_keys_fetch(&fresh, is->jwks, is->ca, &err);
    if (fresh)
        fresh->good_until_ms = clock_ms() + LOGIN_STALE_MAX * refresh_ms;
    pthread_mutex_lock(&l->lock);
    int64_t again_ms = status && refresh_ms > LOGIN_SOON_MS ? LOGIN_SOON_MS : refresh_ms;
    s->next_ms = clock_ms() + again_ms;
    bool was_failing = s->failing, first = !s->keys;
    s->failing = status != MANDATE_OK;
    if (fresh) {
        old = s->keys;
        s->keys = fresh;
    }
    pthread_mutex_unlock(&l->lock);
    login_keys_release(old);
    if (status && !was_failing) {
        snprintf(text, sizeof(text), "keys of %.*s: %s", MANDATE_SLICE_ARG(is->issuer), err.text);
        note(l, true, text);
    } else if (!status && (was_failing || first)) {
        snprintf(text, sizeof(text), "keys of %.*s: fetched", MANDATE_SLICE_ARG(is->issuer));
        note(l, false, text);
    }
    pthread_mutex_lock(&l->lock);
}

static void *fetch(void *opaque)
{
    login *l = opaque;
    uint32_t count;
    const policy_issuer *issuers = policy_issuers(l->policy, &count);

    pthread_mutex_lock(&l->lock);
    while (!l->stop) {
        int64_t now = clock_ms(), next = now + 60000;
        for (uint32_t i = 0; i < count && !l->stop; i++) {
            if (!issuers[i].jwks_is_url)
                continue;
            if (l->sources[i].next_ms <= now)
                fetch_one(l, &l->sources[i], &issuers[i]);
            next = l->sources[i].next_ms < next ? l->sources[i].next_ms : next;
        }
        struct timespec until = {next / 1000, next % 1000 * 1000000};
        if (!l->stop && next > clock_ms())
            pthread_cond_timedwait(&l->changed, &l->lock, &until);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* --- life ------------------------------------------------------------------------------------------------------------- */
static mandate_status read_files(login *l, bool *fetches, mandate_error *err)
{
    uint32_t count;
    const policy_issuer *issuers = policy_issuers(l->policy, &count);

    for (uint32_t i = 0; i < count; i++) {
        *fetches = *fetches || issuers[i].jwks_is_url;
        mandate_status status =
            issuers[i].jwks_is_url ? MANDATE_OK : login_keys_file(&l->sources[i].keys, issuers[i].jwks, err);
        if (status)
            return mandate_error_prefix(err, status, "keys of %.*s", MANDATE_SLICE_ARG(issuers[i].issuer));
    }
    return MANDATE_OK;
}

mandate_status login_create(login **out, const policy *p, const login_options *options, mandate_error *err)
{
    pthread_condattr_t attr;
    bool fetches = false;
    login *l = calloc(1, sizeof(*l));

    if (!l)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for logins");
    l->policy = p;
    if (options)
        l->options = *options;
    pthread_mutex_init(&l->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&l->changed, &attr);
    pthread_condattr_destroy(&attr);
    mandate_status status = read_files(l, &fetches, err);
    if (!status && fetches) {
        l->running = pthread_create(&l->thread, NULL, fetch, l) == 0;
        status = l->running ? MANDATE_OK : mandate_error_set(err, MANDATE_UNAVAILABLE, "cannot start a thread for keys");
    }
    if (status)
        login_destroy(l);
    else
        *out = l;
    return status;
}

void login_destroy(login *l)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_cond_broadcast(&l->changed);
    pthread_mutex_unlock(&l->lock);
    if (l->running)
        pthread_join(l->thread, NULL);
    for (int i = 0; i < LIMIT_POLICY_ISSUERS; i++)
        login_keys_release(l->sources[i].keys);
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* --- tokens ------------------------------------------------------------------------------------------------------------ */
static login_keys *keys_hold(login *l, uint32_t at, mandate_error *err)
{
    login_keys *keys;

    pthread_mutex_lock(&l->lock);
    keys = l->sources[at].keys;
    if (keys && clock_ms() >= keys->good_until_ms)
        keys = NULL;
    if (keys)
        atomic_fetch_add(&keys->refs, 1);
    pthread_mutex_unlock(&l->lock);
    if (!keys)
        (void)mandate_error_set(err, MANDATE_UNAVAILABLE,
                                "the keys of the token's issuer are not there, or too old; try again");
    return keys;
}

/* A key that we do not have may be a new one. */
static void ask_soon(login *l, uint32_t at)
{
    uint32_t count;
    const policy_issuer *issuers = policy_issuers(l->policy, &count);

    if (!issuers[at].jwks_is_url)
        return;
    pthread_mutex_lock(&l->lock);
    int64_t soon = l->sources[at].asked_ms + LOGIN_SOON_MS;
    if (l->sources[at].next_ms > soon) {
        l->sources[at].next_ms = soon;
        pthread_cond_broadcast(&l->changed);
    }
    pthread_mutex_unlock(&l->lock);
}

static mandate_status verify(login *l, uint32_t at, const jws *token, const policy_issuer *is, mandate_error *err)
{
    login_keys *keys = keys_hold(l, at, err);
    mandate_status status = keys ? MANDATE_OK : MANDATE_UNAVAILABLE;

    if (!status && !(is->algorithms >> token->alg & 1))
        status = mandate_error_set(err, MANDATE_DENIED, "the policy does not accept %s from this issuer",
                                   token_alg_name(token->alg));
    if (!status && !keyset_find(&keys->set, token->kid))
        ask_soon(l, at);
    if (!status)
        status = jws_verify(token, &keys->set, err);
    login_keys_release(keys);
    return status;
}

static bool accepts_type(const policy_issuer *is, mandate_slice type)
{
    for (uint32_t i = 0; i < is->type_count; i++)
        if (mandate_slice_eq(is->types[i], type))
            return true;
    return false;
}

mandate_status login_token(login *l, mandate_slice text, int64_t now_us, policy_principal *who, arena *a, mandate_error *err)
{
    uint32_t count;
    const policy_issuer *issuers = policy_issuers(l->policy, &count);
    mandate_error why = {0};
    login_payload payload;
    jws token;

    if (text.len == 0 || text.len > LOGIN_TOKEN_MAX)
        return mandate_error_set(err, MANDATE_DENIED, "a token has 1 to %d bytes", LOGIN_TOKEN_MAX);
    mandate_status status = jws_parse_login(&token, a, text, err);
    if (!status)
        status = login_payload_read(&payload, a, token.payload, err);
    if (status)
        return status == MANDATE_NOMEM ? status : mandate_error_set(err, MANDATE_DENIED, "%s", err ? err->text : "");
    status = mandate_error_set(&why, MANDATE_DENIED, "the policy does not believe the token's issuer");
    /* An issuer may have several entries: the first that the token fits decides; of the others the last reason is told. */
    for (uint32_t i = 0; i < count && status; i++) {
        if (!mandate_slice_eq(issuers[i].issuer, payload.issuer))
            continue;
        if (!accepts_type(&issuers[i], token.type)) {
            status = mandate_error_set(&why, MANDATE_DENIED, "the token is of type \"%.*s\", which is not accepted",
                                       (int)(token.type.len < 64 ? token.type.len : 64), token.type.ptr);
            continue;
        }
        status = verify(l, i, &token, &issuers[i], &why);
        if (!status)
            status = login_payload_check(&payload, &issuers[i], now_us, &why);
        if (!status)
            status = policy_issuer_name(l->policy, i, payload.claims, &who->name, a, &why);
    }
    if (status) {
        if (err)
            *err = why;
        return status;
    }
    who->kind = PRINCIPAL_TOKEN;
    who->issuer = payload.issuer;
    who->subject = payload.subject;
    who->claims = payload.claims;
    who->until_us = payload.expires_us;
    return MANDATE_OK;
}

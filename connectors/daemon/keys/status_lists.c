/* SPDX-License-Identifier: Apache-2.0 */
/* status_lists - see the header. */
#include "connectors/daemon/keys/status_lists.h"

#include "connectors/daemon/base/clock.h"
#include "connectors/daemon/base/queue.h"

#include <pthread.h>
#include <stdlib.h>

/* Kept: the token, of when it is, and until when it says what is. */
typedef struct kept {
    buf token;
    uint64_t seq;         /* of the view before it was made */
    int64_t made_us;      /* monotonic, before it was made */
    int64_t next_us;      /* engine time of the next expiry in it */
    int64_t expires_at_s; /* wall clock */
} kept;

struct status_lists {
    status_lists_options options;
    queue *queue;
    pthread_t thread;
    bool started;
    kept *lists[STATUS_LISTS_MAX];
    uint8_t standings[STATUS_LIST_ENTRIES / 4];
};

static mandate_slice uri_of(arena *a, mandate_slice issuer, uint32_t list)
{
    while (issuer.len && issuer.ptr[issuer.len - 1] == '/')
        issuer.len--;
    mandate_slice uri = arena_printf(a, "%.*s/status/%u", MANDATE_SLICE_ARG(issuer), list);
    return uri.ptr && uri.len <= STATUS_LIST_URI_MAX ? uri : mandate_slice_of("", 0);
}

status_place status_place_of(arena *a, mandate_slice issuer, uint32_t handle)
{
    return (status_place){uri_of(a, issuer, handle / STATUS_LIST_ENTRIES), handle % STATUS_LIST_ENTRIES};
}

/* --- making ----------------------------------------------------------------------------------------------------- */
static mandate_status sign(status_lists *s, kept *k, uint32_t list, mandate_error *err)
{
    int64_t wall_s = clock_wall_us() / 1000000;
    buf payload;
    arena a;

    arena_init(&a, 0);
    buf_init(&payload);
    status_list l = {.uri = uri_of(&a, mandate_slice_str(s->options.issuer), list),
                     .issued_at_s = wall_s,
                     .expires_s = wall_s + STATUS_LIST_LIFE_S,
                     .ttl_s = SERVICE_STATUS_TTL_S,
                     .bits = 2,
                     .bytes = mandate_slice_of((const char *)s->standings, sizeof(s->standings))};
    mandate_status status = l.uri.len
                                ? status_list_payload(&payload, &l, err)
                                : mandate_error_set(err, MANDATE_UNSUPPORTED, "the issuer's name is too long for a list");
    buf_reset(&k->token);
    k->expires_at_s = l.expires_s;
    if (status == MANDATE_OK)
        status = jws_sign(&k->token, s->options.signer->keys.keys[0], STATUS_LIST_TYP, buf_slice(&payload), err);
    if (status == MANDATE_OK && k->token.failed)
        status = mandate_error_set(err, MANDATE_NOMEM, "out of memory for a status list");
    buf_deinit(&payload);
    arena_deinit(&a);
    return status;
}

static mandate_status make(status_lists *s, kept *k, uint32_t list, mandate_error *err)
{
    k->seq = view_seq(s->options.view); /* before: what comes while it is made makes it be made again */
    k->made_us = clock_monotonic_us();
    k->next_us =
        view_standings(s->options.view, list * STATUS_LIST_ENTRIES, STATUS_LIST_ENTRIES, clock_now_us(), s->standings);
    mandate_status status = sign(s, k, list, err);
    if (status != MANDATE_OK)
        buf_reset(&k->token);
    return status;
}

static bool still_says(const status_lists *s, const kept *k)
{
    int64_t age_us = clock_monotonic_us() - k->made_us;

    if (k->token.len == 0 || clock_wall_us() / 1000000 >= k->expires_at_s ||
        age_us >= SERVICE_STATUS_TTL_S * INT64_C(1000000))
        return false;
    return age_us < STATUS_LIST_LAG_MS * 1000 || (k->seq == view_seq(s->options.view) && clock_now_us() < k->next_us);
}

static mandate_status granting(const status_lists *s, mandate_error *err)
{
    const status_lists_options *o = &s->options;

    if (o->audit && checkpointer_blocked(o->audit))
        return mandate_error_set(err, MANDATE_UNAVAILABLE,
                                 "the audit log cannot be signed now, so nothing is said to be valid");
    if (!clock_trusted())
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "the clock is not synchronised, so nothing is said to be valid");
    if (o->staleness_max_us > 0 && view_age_us(o->view, clock_monotonic_us()) > o->staleness_max_us)
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "the last commit is too old to say how mandates stand");
    return MANDATE_OK;
}

mandate_status status_lists_put(status_lists *s, buf *out, uint32_t list, mandate_error *err)
{
    if (list >= STATUS_LISTS_MAX || (list > 0 && !view_has(s->options.view, list * STATUS_LIST_ENTRIES)))
        return mandate_error_set(err, MANDATE_NOT_FOUND, "there is no status list %u", list);
    mandate_status status = granting(s, err);
    if (status != MANDATE_OK)
        return status;
    if (!s->lists[list])
        s->lists[list] = calloc(1, sizeof(kept));
    kept *k = s->lists[list];
    if (!k)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for a status list");
    if (!still_says(s, k))
        status = make(s, k, list, err);
    if (status == MANDATE_OK)
        status = granting(s, err); /* signing may have taken its time */
    if (status == MANDATE_OK)
        buf_put_slice(out, buf_slice(&k->token));
    return status;
}

/* --- its thread --------------------------------------------------------------------------------------------------- */
static void answer(status_lists *s, service_request *r)
{
    mandate_error err = {0};

    buf_reset(&r->body);
    mandate_status status = status_lists_put(s, &r->body, r->list, &err);
    if (status == MANDATE_OK && r->body.failed)
        status = mandate_error_set(&err, MANDATE_NOMEM, "out of memory for an answer");
    r->error = status == MANDATE_OK ? (mandate_error){0} : err;
    r->done(r);
}

static void *lists_main(void *opaque)
{
    status_lists *s = opaque;

    for (;;) {
        service_request *r = queue_pop(s->queue, QUEUE_REQUESTS);
        if (r)
            answer(s, r);
        else if (queue_closed(s->queue))
            return NULL;
        else
            queue_wait(s->queue, 1000000);
    }
}

mandate_status status_lists_create(status_lists **out, const status_lists_options *options, mandate_error *err)
{
    status_lists *s = calloc(1, sizeof(*s));

    if (!s)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for status lists");
    s->options = *options;
    mandate_status status = queue_create(&s->queue, STATUS_LISTS_WAITING_MAX, 1, err);
    if (status == MANDATE_OK && pthread_create(&s->thread, NULL, lists_main, s) != 0)
        status = mandate_error_set(err, MANDATE_UNAVAILABLE, "cannot start the thread for status lists");
    s->started = status == MANDATE_OK;
    if (s->started) {
        pthread_setname_np(s->thread, "status-lists");
        *out = s;
    } else {
        status_lists_destroy(s);
    }
    return status;
}

void status_lists_destroy(status_lists *s)
{
    if (!s)
        return;
    if (s->queue)
        queue_close(s->queue);
    if (s->started)
        pthread_join(s->thread, NULL);
    queue_destroy(s->queue);
    for (int i = 0; i < STATUS_LISTS_MAX; i++) {
        if (s->lists[i])
            buf_deinit(&s->lists[i]->token);
        free(s->lists[i]);
    }
    free(s);
}

bool status_lists_ask(status_lists *s, service_request *request)
{
    return queue_try_push(s->queue, QUEUE_REQUESTS, request);
}

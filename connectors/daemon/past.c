/* SPDX-License-Identifier: Apache-2.0 */
/* past - see past.h. */
#include "connectors/daemon/past.h"

#include "connectors/daemon/queue.h"
#include "engine/base/text.h"

#include <pthread.h>
#include <stdlib.h>

struct past {
    store *store;
    mandate_slice issuer;
    queue *queue;
    pthread_t thread;
    bool started;
};

static bool digits(uint64_t *out, mandate_slice s)
{
    *out = 0;
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9' || *out > (UINT64_MAX - 9) / 10)
            return false;
        *out = *out * 10 + (uint64_t)(s.ptr[i] - '0');
    }
    return s.len > 0;
}

mandate_status past_seq(uint64_t *out, store *st, mandate_slice text, mandate_error *err)
{
    int64_t time_us;
    if (digits(out, text))
        return MANDATE_OK;
    if (time_parse_us(text, &time_us))
        return store_seq_at(st, time_us, out, err);
    return mandate_error_set(err, MANDATE_INVALID,
                             "as_of is \"%.*s\"; expected the number of a step, or a time such as "
                             "2026-09-21T14:13:21Z",
                             (int)(text.len < 40 ? text.len : 40), text.ptr);
}

static void answer(past *p, service_request *r)
{
    uint64_t seq = 0;
    mandate_error err = {0};
    buf_reset(&r->body);
    mandate_status status = past_seq(&seq, p->store, r->as_of, &err);
    if (status == MANDATE_OK)
        status = store_entity_at(p->store, p->issuer, r->type, r->id, seq, &r->body, &err);
    if (status == MANDATE_OK)
        buf_put_char(&r->body, '\n');
    if (status == MANDATE_OK && r->body.failed)
        status = mandate_error_set(&err, MANDATE_NOMEM, "out of memory for an answer");
    if (status == MANDATE_OK)
        err = (mandate_error){0};
    r->error = err;
    r->done(r);
}

static void *past_main(void *opaque)
{
    past *p = opaque;
    for (;;) {
        service_request *r = queue_pop(p->queue, QUEUE_REQUESTS);
        if (r)
            answer(p, r);
        else if (queue_closed(p->queue))
            return NULL;
        else
            queue_wait(p->queue, 1000000);
    }
}

mandate_status past_create(past **out, store *st, const char *issuer, mandate_error *err)
{
    past *p = calloc(1, sizeof(*p));
    if (!p)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for questions about the past");
    p->store = st;
    p->issuer = mandate_slice_str(issuer);
    mandate_status status = queue_create(&p->queue, PAST_WAITING_MAX, 1, err);
    if (status == MANDATE_OK && pthread_create(&p->thread, NULL, past_main, p) != 0)
        status = mandate_error_set(err, MANDATE_UNAVAILABLE, "cannot start the thread for questions about the past");
    p->started = status == MANDATE_OK;
    if (p->started) {
        pthread_setname_np(p->thread, "past");
        *out = p;
    } else {
        past_destroy(p);
    }
    return status;
}

void past_destroy(past *p)
{
    if (!p)
        return;
    if (p->queue)
        queue_close(p->queue);
    if (p->started)
        pthread_join(p->thread, NULL);
    queue_destroy(p->queue);
    free(p);
}

bool past_ask(past *p, service_request *request) { return queue_try_push(p->queue, QUEUE_REQUESTS, request); }

/* SPDX-License-Identifier: Apache-2.0 */
/* past - see past.h. */
#include "connectors/daemon/answer/past.h"

#include "connectors/daemon/record/answer_audit.h"
#include "connectors/daemon/record/backup.h"
#include "connectors/daemon/answer/answer_backtest.h"
#include "connectors/daemon/base/queue.h"
#include "engine/base/text.h"

#include <pthread.h>
#include <stdlib.h>

struct past {
    past_options options;
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

static mandate_status entity(past *p, service_request *r, mandate_error *err)
{
    uint64_t seq = 0;
    mandate_status status = past_seq(&seq, p->options.store, r->as_of, err);
    if (status == MANDATE_OK)
        status = store_entity_at(p->options.store, mandate_slice_str(p->options.config->issuer), r->type, r->id, seq,
                                 &r->body, err);
    if (status == MANDATE_OK)
        buf_put_char(&r->body, '\n');
    return status;
}

static mandate_status explain(past *p, service_request *r, mandate_error *err)
{
    uint64_t seq = 0;
    mandate_status status = past_seq(&seq, p->options.store, r->as_of, err);
    if (status == MANDATE_OK)
        status = store_explain_at(p->options.store, mandate_slice_str(p->options.config->issuer), r->mandate, seq,
                                  &r->viewer, &r->body, err);
    if (status == MANDATE_OK)
        buf_put_char(&r->body, '\n');
    return status;
}

static mandate_status answer_one(past *p, service_request *r, mandate_error *err)
{
    switch (r->kind) {
    case SERVICE_ENTITY:
        return entity(p, r, err);
    case SERVICE_EXPLAIN:
        return explain(p, r, err);
    case SERVICE_AUDIT:
        return answer_audit(p->options.store, p->options.audit, r, err);
    case SERVICE_BACKUP:
        return backup_make(&r->body, p->options.config, p->options.store, p->options.audit, r->id, err);
    case SERVICE_BACKTEST:
        return answer_backtest(p->options.store, p->options.config->issuer, p->options.stopping, BACKTEST_MS_MAX, r, err);
    default:
        return mandate_error_set(err, MANDATE_UNSUPPORTED, "not a question about the past");
    }
}

static void answer(past *p, service_request *r)
{
    mandate_error err = {0};
    buf_reset(&r->body);
    /* Whoever was denied by what is written finds in the record why: it is durable when the record is read. */
    mandate_status status = store_settle(p->options.store, &err);
    if (status == MANDATE_OK)
        status = answer_one(p, r, &err);
    if (status == MANDATE_OK && r->body.failed)
        status = mandate_error_set(&err, MANDATE_NOMEM, "out of memory for an answer");
    if (status == MANDATE_OK)
        err = (mandate_error){0};
    r->error = err;
    r->done(r);
}

bool past_takes(const service_request *r)
{
    return r->kind == SERVICE_AUDIT || r->kind == SERVICE_BACKUP || (r->kind == SERVICE_ENTITY && r->as_of.len);
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

mandate_status past_create(past **out, const past_options *options, mandate_error *err)
{
    past *p = calloc(1, sizeof(*p));
    if (!p)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for questions about the past");
    p->options = *options;
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

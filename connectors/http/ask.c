/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ask - a question to the service, across a suspension of the connection.
 *
 * Whoever ends the wait, the service's answer, the watch or the stop, does so under the hub's lock,
 * exactly once, and only then resumes the connection. What the service still holds is not touched
 * before its answer.
 */
#include <assert.h>
#include <stdatomic.h>

#include "connectors/http/server_int.h"

void http_request_abandon(http_request *r)
{
    assert(r->waiting);
    r->waiting = false;
    r->abandoned = true;
    MHD_resume_connection(r->on->mhd);
}

/* The service's answer, on its thread. The server may be gone when the request was abandoned; the
 * hub is not. */
static void on_done(service_request *ask)
{
    http_request *r = (http_request *)(void *)((char *)ask - offsetof(http_request, ask));
    http_hub *hub = ask->ctx;
    pthread_mutex_lock(&hub->lock);
    if (r->waiting) {
        r->waiting = false;
        r->answered = true;
        MHD_resume_connection(r->on->mhd);
    }
    http_request_unref(hub, r);
    http_hub_release(hub);
}

/* The service did not take the question: the next call of the handler answers, as after any
 * resumption. */
static void refused(http_request *r)
{
    http_hub *hub = r->server->hub;
    pthread_mutex_lock(&hub->lock);
    if (r->waiting) /* else the watch has resumed it already */
        MHD_resume_connection(r->on->mhd);
    r->waiting = r->abandoned = false;
    (void)mandate_error_set(&r->ask.error, MANDATE_UNAVAILABLE,
                            "too many requests are waiting; nothing was done, try again");
    http_request_unref(hub, r);
    http_hub_release(hub);
}

void http_submit(http_request *r, http_finish finish)
{
    http_hub *hub = r->server->hub;

    assert(r->ask.power != POWER_NONE && r->who->name.len);
    r->ask.who = r->who;
    if (!r->identity && r->on->identity) {
        r->identity = r->on->identity; /* it may outlive the connection */
        atomic_fetch_add(&r->identity->refs, 1);
    }
    if (!http_memory_allows(r)) {
        mandate_error error;
        (void)mandate_error_set(&error, MANDATE_UNAVAILABLE, HTTP_TOO_MUCH "; nothing was done, try again");
        http_fail(r, &error);
        return;
    }
    r->ask.done = on_done;
    r->ask.ctx = hub;
    pthread_mutex_lock(&hub->lock);
    bool stopping = hub->stopping;
    if (!stopping) {
        /* Before the question: the answer may come before submit returns. */
        MHD_suspend_connection(r->on->mhd);
        r->on->asked = r;
        r->finish = finish;
        r->waiting = true;
        r->refs++;
        hub->refs++;
    }
    pthread_mutex_unlock(&hub->lock);
    if (stopping) {
        mandate_error error;
        (void)mandate_error_set(&error, MANDATE_SHUTDOWN, "the process is stopping; nothing was done");
        http_fail(r, &error);
    } else if (!r->server->port.submit(r->server->port.ctx, &r->ask)) {
        refused(r);
    }
}

void http_take_answer(http_request *r)
{
    mandate_error late;
    http_hub *hub = r->server->hub;
    pthread_mutex_lock(&hub->lock);
    bool abandoned = r->abandoned, stopping = hub->stopping;
    pthread_mutex_unlock(&hub->lock);
    if (abandoned) {
        (void)mandate_error_set(&late, stopping ? MANDATE_SHUTDOWN : MANDATE_UNAVAILABLE,
                                "no answer in time; whether the request took effect is not known, "
                                "ask before repeating it");
        http_fail(r, &late);
    } else if (r->ask.error.status && !r->finish_all) {
        http_fail(r, &r->ask.error);
    } else if (r->ask.second_person) {
        /* It was not done: a decision waits for another person. */
        r->location = arena_printf(&r->a, "/v1/decisions/%s", r->ask.decision);
        http_reply_take(r, 202, &r->ask.body);
    } else {
        r->finish(r);
    }
}

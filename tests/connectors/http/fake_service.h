/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_service - a service whose answers a test decides: at once, from another thread, held back,
 * or not taken.
 *
 * Unless a body is set for its kind, a request is answered with itself as JSON, so that a test sees
 * in the answer what the server understood.
 */
#ifndef MANDATE_TESTS_CONNECTORS_HTTP_FAKE_SERVICE_H
#define MANDATE_TESTS_CONNECTORS_HTTP_FAKE_SERVICE_H

#include <pthread.h>

#include "connectors/http/service.h"

typedef enum fake_mode {
    FAKE_NOW,    /* inside submit */
    FAKE_THREAD, /* from the fake's own thread */
    FAKE_HOLD,   /* not until fake_release */
    FAKE_FULL    /* submit refuses */
} fake_mode;

enum { FAKE_KINDS = SERVICE_STATUS_LIST + 1 };

typedef struct fake_service {
    service port;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t worker;
    service_request *queue, *held;
    bool stop;
    fake_mode mode;
    mandate_error error;            /* of every answer */
    const char *bodies[FAKE_KINDS]; /* NULL: the request itself */
    bool repeated, ready;
    uint32_t held_count, submits, checks;
    service_verdict verdict;
    uint64_t position; /* what checks see */
    bool human_known, fresh;
    service_decision human;
    uint8_t key[DECISION_KEY];      /* the last one looked up */
    service_check_kind check_kind;  /* of every action */
    int64_t check_staleness_max_us; /* of the last check */
    char checked[512];              /* the last check, as text */
    /* of fake_log_in and fake_now, which a test puts into `port` itself */
    _Atomic int64_t now_us;
    _Atomic uint32_t logins;
} fake_service;

void fake_init(fake_service *f);
/* Answers what is still held. */
void fake_deinit(fake_service *f);
void fake_set_mode(fake_service *f, fake_mode mode);
void fake_set_error(fake_service *f, mandate_status status, const char *text, uint32_t line, uint32_t column);
/* Port: everybody is somebody until now_us is 1000; and the time. */
mandate_status fake_log_in(void *ctx, service_login *in, mandate_error *err);
int64_t fake_now(void *ctx);
uint64_t fake_generation(void *ctx);
/* Waits until so many requests are held. */
void fake_await_held(fake_service *f, uint32_t count);
void fake_release(fake_service *f);

#endif

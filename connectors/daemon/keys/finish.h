/* SPDX-License-Identifier: Apache-2.0 */
/*
 * finish - what of an answer is made off the engine's thread: claims as JSON, and tokens signed, on a few threads of their own.
 *
 *   engine's thread   finish_job_new, the claims as they are stored, who is where; commit; finish_take
 *   our threads       decode, write, sign, `done`
 *
 * Nothing is taken before its commit, so nobody is told before it. Answers overtake one another: who waits for one has not asked the
 * next. A signature costs more than the rest of an issue, and a signer that is away costs a second: neither holds up the engine.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_FINISH_H
#define MANDATE_CONNECTORS_DAEMON_FINISH_H

#include "connectors/daemon/keys/signer.h"
#include "connectors/http/service.h"
#include "engine/base/vec.h"

enum { FINISH_THREADS_MAX = 4, FINISH_SPARE_JOBS = 256, FINISH_SPARE_MAX = 64 << 10 };

typedef struct finish finish;

/* A mandate's stored claims, in the job's `claims`. */
typedef struct finish_line {
    uint32_t handle, version; /* version: of the last amendment, or 0 */
    disclosure_viewer who;    /* whose eyes it is for; its text is the request's */
    size_t at, len;
} finish_line;

typedef enum finish_kind {
    FINISH_MANDATE, /* the body has what stands behind the claims, without the closing brace: they go before it, a token behind it */
    FINISH_CHAIN /* the body is empty: {"mandate", "chain", "token"} */
} finish_kind;

typedef struct finish_job finish_job;
struct finish_job {
    finish_job *next;
    service_request *request;
    finish_kind kind;
    buf claims;
    VEC(finish_line) line; /* its own first, then its parent, and of a chain all up to the root */
    arena memory;          /* the finishing thread's */
};

/* `s` NULL: no tokens. Starts its threads; `s` outlives them. */
MANDATE_CHECK mandate_status finish_create(finish **out, const signer *s, mandate_error *err);
/* Finishes what was taken, then ends. NULL: nothing. */
void finish_destroy(finish *f);

/* Engine's thread: for one answer, hung on request->unfinished. NULL: out of memory. */
MANDATE_CHECK finish_job *finish_job_new(finish *f, service_request *r, finish_kind kind);
/* Claims as stored, of the mandate, then of the one above it, and so on. False: out of memory. */
MANDATE_CHECK bool finish_job_add(finish_job *job, finish_line line, mandate_slice stored);
/* The request is not answered that way after all. */
void finish_job_drop(finish *f, finish_job *job);

/* Tells who asked, when what is unfinished about the answer is done: at once without that. After the commit; any thread. */
void finish_take(finish *f, service_request *r);

#endif

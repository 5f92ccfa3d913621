/* SPDX-License-Identifier: Apache-2.0 */
/*
 * finish - see the header. Jobs wait in one list, first in, first out; finished ones are kept with their memory for the next.
 */
#include "connectors/daemon/keys/finish.h"

#include "connectors/daemon/keys/claims_seen.h"
#include "connectors/daemon/keys/status_lists.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

struct finish {
    const signer *signer;
    pthread_mutex_t lock;
    pthread_cond_t filled;
    finish_job *first, **last, *spare;
    uint32_t spare_count, idle, thread_count;
    bool ending;
    pthread_t threads[FINISH_THREADS_MAX];
};

/* --- jobs ------------------------------------------------------------------------------------------------------- */
static void job_destroy(finish_job *job)
{
    buf_deinit(&job->claims);
    VEC_FREE(&job->line);
    arena_deinit(&job->memory);
    free(job);
}

finish_job *finish_job_new(finish *f, service_request *r, finish_kind kind)
{
    pthread_mutex_lock(&f->lock);
    finish_job *job = f->spare;
    if (job) {
        f->spare = job->next;
        f->spare_count--;
    }
    pthread_mutex_unlock(&f->lock);
    if (!job && (job = calloc(1, sizeof(*job))) != NULL) {
        buf_init(&job->claims);
        arena_init(&job->memory, 0);
    }
    if (!job)
        return NULL;
    buf_reset(&job->claims);
    job->line.len = 0;
    job->kind = kind;
    job->next = NULL;
    job->request = r;
    r->unfinished = job;
    return job;
}

bool finish_job_add(finish_job *job, finish_line line, mandate_slice stored)
{
    line.at = job->claims.len;
    line.len = stored.len;
    buf_put_slice(&job->claims, stored);
    return !job->claims.failed && VEC_PUSH(&job->line, line);
}

void finish_job_drop(finish *f, finish_job *job)
{
    job->request->unfinished = NULL;
    job->request = NULL;
    arena_reset(&job->memory);
    pthread_mutex_lock(&f->lock);
    bool keep = f->spare_count < FINISH_SPARE_JOBS && job->claims.cap <= FINISH_SPARE_MAX;
    if (keep) {
        job->next = f->spare;
        f->spare = job;
        f->spare_count++;
    }
    pthread_mutex_unlock(&f->lock);
    if (!keep)
        job_destroy(job);
}

void finish_take(finish *f, service_request *r)
{
    finish_job *job = r->unfinished;

    if (!job) {
        r->done(r);
        return;
    }
    pthread_mutex_lock(&f->lock);
    assert(!f->ending);
    *f->last = job;
    f->last = &job->next;
    if (f->idle)
        pthread_cond_signal(&f->filled);
    pthread_mutex_unlock(&f->lock);
}

/* --- finishing ---------------------------------------------------------------------------------------------------- */
static mandate_status decode(finish_job *job, uint32_t i, claims *out, mandate_error *err)
{
    const finish_line *line = &job->line.data[i];
    return claims_decode(out, &job->memory, mandate_slice_of(job->claims.data + line->at, line->len), err);
}

/* The handle is stored and never another mandate's: where a status stands is the same in all tokens of a mandate. */
static mandate_status put_token(const finish *f, finish_job *job, uint32_t i, buf *b, const claims *c, const claims *parent,
                                mandate_error *err)
{
    const finish_line *line = &job->line.data[i];
    status_place place = status_place_of(&job->memory, c->issuer, line->handle);
    const artifact_facts facts = {.claims = c, .parent = parent, .place = &place, .version = line->version};
    return signer_put_token(f->signer, b, &facts, &line->who, err);
}

/* {"mandate": claims, what the engine's thread wrote, "token": ...} */
static mandate_status put_mandate(const finish *f, finish_job *job, buf *b, mandate_error *err)
{
    claims own, parent;
    mandate_status status = decode(job, 0, &own, err);

    if (status == MANDATE_OK && job->line.len > 1)
        status = decode(job, 1, &parent, err);
    if (status != MANDATE_OK)
        return status;
    buf_put_char(b, '{');
    status = claims_seen_put(b, &job->memory, f->signer, job->line.data[0].handle, &own, &job->line.data[0].who, err);
    buf_put_slice(b, buf_slice(&job->request->body));
    if (status == MANDATE_OK && f->signer) {
        buf_put_str(b, ",\"token\":\"");
        status = put_token(f, job, 0, b, &own, job->line.len > 1 ? &parent : NULL, err);
        buf_put_char(b, '"');
    }
    buf_put_char(b, '}');
    if (status != MANDATE_OK) /* it is committed: who gets no token must not take it for refused */
        status = mandate_error_prefix(err, status, "it was done, but is not signed; ask for its token later");
    return status;
}

static mandate_status put_chain(const finish *f, finish_job *job, buf *b, mandate_error *err)
{
    uint32_t count = job->line.len;
    claims *line = ARENA_ARRAY(&job->memory, claims, count);
    mandate_status status = line ? MANDATE_OK : mandate_error_set(err, MANDATE_NOMEM, "out of memory for a chain");
    size_t last = 0;

    for (uint32_t i = 0; status == MANDATE_OK && i < count; i++)
        status = decode(job, i, &line[i], err);
    buf_put_str(b, "{\"mandate\":");
    buf_put_json_string(b, job->request->mandate);
    buf_put_str(b, ",\"chain\":[");
    for (uint32_t i = count; status == MANDATE_OK && i-- > 0;) {
        buf_put_str(b, i + 1 < count ? ",\"" : "\"");
        last = b->len;
        status = put_token(f, job, i, b, &line[i], i + 1 < count ? &line[i + 1] : NULL, err);
        buf_put_char(b, '"');
    }
    if (status != MANDATE_OK || b->failed)
        return status;
    mandate_slice own = arena_dup(&job->memory, mandate_slice_of(b->data + last, b->len - 1 - last));
    buf_put_str(b, "],\"token\":\"");
    buf_put_slice(b, own);
    buf_put_str(b, "\"}");
    return own.ptr ? MANDATE_OK : mandate_error_set(err, MANDATE_NOMEM, "out of memory for a chain");
}

static void finish_one(finish *f, finish_job *job)
{
    service_request *r = job->request;
    mandate_error err = {0};
    buf body;

    buf_init(&body);
    mandate_status status = !buf_reserve(&body, 4096)     ? MANDATE_NOMEM /* most answers; `failed` says so below */
                            : job->kind == FINISH_MANDATE ? put_mandate(f, job, &body, &err)
                                                          : put_chain(f, job, &body, &err);
    if (body.failed)
        status = mandate_error_set(&err, MANDATE_NOMEM, "out of memory for the answer");
    if (status == MANDATE_OK) {
        buf_deinit(&r->body);
        r->body = body;
        r->error = (mandate_error){.status = MANDATE_OK};
    } else {
        buf_deinit(&body);
        buf_reset(&r->body);
        r->error = err;
    }
    finish_job_drop(f, job);
    r->done(r);
}

static void *finish_main(void *opaque)
{
    finish *f = opaque;

    pthread_mutex_lock(&f->lock);
    for (;;) {
        finish_job *job = f->first;
        if (!job && f->ending)
            break;
        if (!job) {
            f->idle++;
            pthread_cond_wait(&f->filled, &f->lock);
            f->idle--;
            continue;
        }
        f->first = job->next;
        if (!f->first)
            f->last = &f->first;
        pthread_mutex_unlock(&f->lock);
        job->next = NULL;
        finish_one(f, job);
        pthread_mutex_lock(&f->lock);
    }
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

/* --- life ----------------------------------------------------------------------------------------------------------- */
mandate_status finish_create(finish **out, const signer *s, mandate_error *err)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    uint32_t wanted = cores < 4 ? 1 : cores / 2 < FINISH_THREADS_MAX ? (uint32_t)cores / 2 : FINISH_THREADS_MAX;
    finish *f = calloc(1, sizeof(*f));

    if (!f)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for signing");
    f->signer = s;
    f->last = &f->first;
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->filled, NULL);
    while (f->thread_count < wanted && pthread_create(&f->threads[f->thread_count], NULL, finish_main, f) == 0)
        pthread_setname_np(f->threads[f->thread_count++], "sign");
    if (f->thread_count == 0) {
        finish_destroy(f);
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "cannot start a thread for signing");
    }
    *out = f;
    return MANDATE_OK;
}

void finish_destroy(finish *f)
{
    if (!f)
        return;
    pthread_mutex_lock(&f->lock);
    f->ending = true;
    pthread_cond_broadcast(&f->filled);
    pthread_mutex_unlock(&f->lock);
    for (uint32_t i = 0; i < f->thread_count; i++)
        pthread_join(f->threads[i], NULL);
    assert(!f->first);
    for (finish_job *job = f->spare; job;) {
        finish_job *next = job->next;
        job_destroy(job);
        job = next;
    }
    pthread_cond_destroy(&f->filled);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

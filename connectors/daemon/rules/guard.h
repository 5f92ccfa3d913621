/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard - the policy that is in force, and what it says of each request: on listeners' threads before anything is asked of
 * the engine, on the engine's thread once more with the claims and state of the mandate.
 *
 * A policy is replaced as a whole (SIGHUP). Who logged in by the one before has to log in again; a request that was on its way
 * to the engine meanwhile is answered "not now", and nothing was done.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_GUARD_H
#define MANDATE_CONNECTORS_DAEMON_GUARD_H

#include "connectors/http/service.h"

typedef struct guard guard;

typedef struct guard_options {
    mandate_status (*claims_load)(void *ctx, arena *a, mandate_slice id, mandate_slice *out, mandate_error *err);
    void *claims_ctx; /* any thread */
    int64_t (*now_us)(void);
    void (*log)(bool bad, const char *text); /* any thread */
} guard_options;

/* Reads the policy and the key files that it names. */
MANDATE_CHECK mandate_status guard_create(guard **out, const char *path, const guard_options *options, mandate_error *err);
void guard_destroy(guard *g);
/* A reload in two halves: the file as it is now, ready to be taken over; and then the taking, which cannot fail, or dropping it. */
typedef struct guard_fresh guard_fresh;
MANDATE_CHECK mandate_status guard_prepare(guard *g, guard_fresh **out, const char *path, mandate_error *err);
void guard_take(guard *g, guard_fresh *fresh);
void guard_drop(guard_fresh *fresh); /* NULL is allowed */
/* Appends the text that the policy in force was read from. */
void guard_text(guard *g, buf *out);

/* The port of HTTP: `ctx` is the guard. */
mandate_status guard_login(void *ctx, service_login *in, mandate_error *err);
mandate_status guard_authorise(void *ctx, const service_access *in, mandate_error *err);
uint64_t guard_generation(void *ctx);
void guard_me(void *ctx, const policy_principal *who, buf *out);

/* Engine's thread. `over`: the mandate that it is about (ISSUE: none; DELEGATE: the parent), NULL when there is none such. `about`
 * (may be NULL): DECIDE, who asked what. DENIED, or UNAVAILABLE; OK with r->second_person set: a human is to be asked first. */
MANDATE_CHECK mandate_status guard_judge(guard *g, service_request *r, const policy_mandate *over,
                                         const service_check *about, mandate_error *err);
/* Engine's thread. Who principal_encode said they were, as the policy in force calls them now. DENIED when it would not let them log in
 * any more (the issuer of their token is not believed now). What has become of them elsewhere is not asked. */
MANDATE_CHECK mandate_status guard_recall(guard *g, policy_principal *out, arena *a, mandate_slice vouched,
                                          mandate_error *err);
/* Does judging it take the claims of a mandate, and of which? */
bool guard_needs(const service_request *r, mandate_slice *mandate);
/* May r->who read this one, of a list? */
bool guard_may_read(guard *g, const service_request *r, const policy_mandate *m);

/* May r->who see what of this mandate is restricted to others? */
bool guard_may_disclose(guard *g, const service_request *r, const policy_mandate *m);

/* What was decided since the start, in Prometheus text form; NULL: nothing. */
void guard_put_metrics(const guard *g, buf *out);

#endif

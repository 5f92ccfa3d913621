/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer - the JSON bodies of requests that need the engine or the store. Engine's thread only; what of a mandate is decoded and signed
 * follows off it (finish.h).
 *
 * What is restricted is answered to those who may see it (answer_viewer); to others a mandate comes without, and with
 * "undisclosed": [members that are missing, whole or in part].
 *
 *   a mandate   {"mandate": claims, "state": effective, "version", "because": id or null, "expires_at",
 *                "transition": the last one as on the revocation topic[, "flags": [{"rule","action","message"}],
 *                "unobservable": [path], "token": compact JWS or SD-JWT]}
 *               "handles": {member: handle} where it has some
 *   a token     {"mandate": id, "token": compact JWS, "chain": [the root's, ..., the mandate's own]}
 *   a list      {"mandates": [{"id","state","version","agent","parent","expires_at"}], "next": a place ("@1234") or null}
 *   a watch     {"id","condition","value","version","principal","created_at","changed_at"[, "unobservable": [path]]}
 *   an entry    {"leaf": its number in the audit log}
 *   a decision  see decision_json.h
 *   of them     {"decisions": [...], "next": id or null}
 *   of watches  {"watches": [...], "next": id or null}
 */
#ifndef MANDATE_CONNECTORS_DAEMON_ANSWER_H
#define MANDATE_CONNECTORS_DAEMON_ANSWER_H

#include "connectors/daemon/keys/finish.h"
#include "connectors/daemon/rules/judge.h"
#include "connectors/daemon/keys/signer.h"
#include "connectors/http/service.h"
#include "graph/store.h"

enum {
    ANSWER_LIST_MAX = 1000,     /* items of one page */
    ANSWER_LIST_VISITS = 20000, /* mandates looked at for one page: a page may be short and still have a next */
    ANSWER_AMENDMENTS = 32,     /* the newest of one mandate, in its explanation */
    ANSWER_CHECKS = 16,         /* the last that were permitted before it ended, likewise; */
    ANSWER_CHECKS_LOOKED = 256, /* looked for among so many entries of the audit log before that, */
    ANSWER_CHECKS_MINUTES = 15, /* and no longer before it */
    ANSWER_LIST_LOADS = 2000    /* claims read for one page */
};

typedef struct answerer {
    judge judge; /* what of a list may be shown */
    engine *engine;
    store *store;
    const signer *signer; /* NULL: no tokens */
    finish *finish;
    uint64_t leaf;       /* of the audit log: what the command that is answered left there */
    mandate_slice flags; /* JSON array: compliance rules that the mandate does not meet; empty: none */
    arena memory;
    buf scratch;
} answerer;

/* `f` makes what this thread does not. */
void answerer_init(answerer *a, engine *e, store *st, const signer *s, finish *f);
void answerer_deinit(answerer *a);
/* Both fill request->error and body, as far as it can be done here; answer_send does the rest, and tells who asked. */
/* Whatever is no command. */
void answer_query(answerer *a, service_request *request, int64_t now_us);
/* A command of this step, whose result it is: the mandate or watch after it. */
void answer_command(answerer *a, service_request *request, const engine_answer *answer, const engine_result *result,
                    int64_t now_us);
/* After the commit; any thread. `done` is called here, or when the answer is finished. */
static inline void answer_send(const answerer *a, service_request *request) { finish_take(a->finish, request); }

/* answer_list.c: a page of the mandates that who asks may see. */
MANDATE_CHECK mandate_status answer_list(answerer *a, service_request *r, int64_t now_us);
/* NOT_FOUND with a sentence. */
mandate_status answer_unknown(mandate_slice id, mandate_error *err);
/* answer_decision.c: one, a list, and what a command about one answers (without the closing brace). */
MANDATE_CHECK mandate_status answer_decision(answerer *a, service_request *r);
MANDATE_CHECK mandate_status answer_decisions(answerer *a, service_request *r);
MANDATE_CHECK mandate_status answer_decided(answerer *a, service_request *r, const engine_answer *answer);
/* answer_explain.c: why a mandate is in its state. */
MANDATE_CHECK mandate_status answer_explain(answerer *a, service_request *r, int64_t now_us);
/* answer_token.c: the tokens of a mandate, its own last; to be finished. CONFLICT for one that has ended. */
MANDATE_CHECK mandate_status answer_chain(answerer *a, service_request *r, int64_t now_us);
/* The claims and the token of a mandate that this step issued or amended; to be finished. */
MANDATE_CHECK mandate_status answer_signed(answerer *a, service_request *r, uint32_t handle, int64_t now_us,
                                           mandate_error *err);
/* answer_handle.c: what the handle r->id stands for. NOT_FOUND, or DENIED. */
MANDATE_CHECK mandate_status answer_handle(answerer *a, service_request *r, int64_t now_us);
/* answer_view.c: whose eyes an answer about this mandate is for: `r->audience` for whoever is it or may see everything, else who asks. Every
 * mandate is judged for itself. DENIED: an audience that the asker neither is nor may see for. */
MANDATE_CHECK mandate_status answer_viewer(answerer *a, const service_request *r, uint32_t handle, const claims *c,
                                           int64_t now_us, disclosure_viewer *out, mandate_error *err);
/* The same of claims as stored. Where they restrict nothing, and `restricted` does not say that something else does, everybody sees all. */
MANDATE_CHECK mandate_status answer_viewer_of(answerer *a, const service_request *r, uint32_t handle, mandate_slice stored,
                                              bool restricted, int64_t now_us, disclosure_viewer *out, mandate_error *err);
/* Sets r->viewer of an explanation of the past, which is answered elsewhere. */
void answer_past_viewer(answerer *a, service_request *request, int64_t now_us);

#endif

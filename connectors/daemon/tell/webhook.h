/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webhook - people are told of decisions: one HTTPS POST per notice, from the durable outbox, in order, until the receiver says 2xx.
 *
 *   body       {"id": hash, "type": "decision.opened|permitted|refused|expired", "issuer", "decision": see decision_json.h}
 *   signature  X-Mandate-Signature: a JWS with its payload detached (RFC 7515, appendix F) over the body, by a key of our JWK Set
 *
 * What mandates restrict is left out of the command of a notice, save what they show to the audience that the receiver is said to be.
 *
 * A notice leaves the outbox with a commit after it was received; it may come twice, with the same id and bytes. Nothing waits for
 * the receiver: not the engine, not a check, not a decision. One that does not answer is tried again after 1 s, 2 s, ... 60 s.
 * Redirects are not followed. Without a URL notices are dropped at once.
 *
 * What is too long to be signed has the claims of its command left out ("omitted_bytes"). One that can never be delivered, because it
 * cannot be read or the signer refuses it, holds up the others for no longer than it takes to say so in the audit log
 * ("notice_dropped").
 */
#ifndef MANDATE_CONNECTORS_DAEMON_WEBHOOK_H
#define MANDATE_CONNECTORS_DAEMON_WEBHOOK_H

#include "connectors/daemon/base/queue.h"
#include "connectors/daemon/keys/signer.h"
#include "graph/store.h"

#include <stdatomic.h>

enum { WEBHOOK_BODY_MAX = ARTIFACT_PAYLOAD_MAX /* so that it can be signed */ };
enum { WEBHOOK_KEYS = 256, WEBHOOK_TIMEOUT_MS = 5000, WEBHOOK_RETRY_MAX_MS = 60000 };

typedef struct webhook webhook;

typedef struct webhook_options {
    store *store;
    const signer *signer;
    queue *queue; /* of requests to the engine's thread, which outlives a stopped webhook */
    const char *issuer;
    const char *url;      /* NULL: nobody is told. https, or http to this machine */
    const char *ca_file;  /* NULL: the system's */
    const char *audience; /* whom the receiver may see restricted parts as; NULL: as nobody in particular */
} webhook_options;

/* INVALID for a URL that is neither https nor http to loopback. */
MANDATE_CHECK mandate_status webhook_create(webhook **out, const webhook_options *options, mandate_error *err);
MANDATE_CHECK mandate_status webhook_start(webhook *w, mandate_error *err);
/* A delivery under way is broken off; it is made again after the next start. */
void webhook_stop(webhook *w);
/* Stops, too. NULL: nothing. */
void webhook_destroy(webhook *w);

/* --- engine's thread ----------------------------------------------------------------------------------------------- */
/* Notices were committed. */
void webhook_poke(webhook *w);
/* Keys of received ones for the coming commit, at most WEBHOOK_KEYS; the same again until webhook_committed. */
uint32_t webhook_collect(webhook *w, outbox_key *out);
void webhook_committed(webhook *w);

#endif

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
 * the receiver: not the engine, not a check, not a decision. One that does not answer is tried again after about 1 s, 2 s, ... 60 s (half
 * of that is chance, so that what was stopped together does not come back together). Redirects are not followed. Without a URL notices
 * are dropped at once.
 *
 * While the receiver takes none, at most `keep_max` are kept, and none longer than `keep_us`: the oldest are dropped, each with an entry
 * "notice_dropped" of the audit log (another, when the process is killed before the commit behind it). A receiver that takes them is sent
 * all, however old.
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
enum {
    WEBHOOK_KEYS = 256,
    WEBHOOK_DROPS = 32, /* recorded at once */
    WEBHOOK_TIMEOUT_MS = 5000,
    WEBHOOK_RETRY_MIN_MS = 1000,
    WEBHOOK_RETRY_MAX_MS = 60000
};

typedef struct webhook webhook;

typedef struct webhook_options {
    store *store;
    const signer *signer;
    queue *queue; /* of requests to the engine's thread, which outlives a stopped webhook */
    const char *issuer;
    const char *url;      /* NULL: nobody is told. https, or http to this machine */
    const char *ca_file;  /* NULL: the system's */
    const char *audience; /* whom the receiver may see restricted parts as; NULL: as nobody in particular */
    uint64_t keep_max;    /* bounds of what waits for a receiver that takes nothing */
    int64_t keep_us;
} webhook_options;

typedef struct webhook_stats {
    uint64_t delivered, failed, dropped; /* since the start */
    uint64_t waiting;                    /* as far as is known */
} webhook_stats;

/* INVALID for a URL that is neither https nor http to loopback. */
MANDATE_CHECK mandate_status webhook_create(webhook **out, const webhook_options *options, mandate_error *err);
MANDATE_CHECK mandate_status webhook_start(webhook *w, mandate_error *err);
/* A delivery under way is broken off; it is made again after the next start. */
void webhook_stop(webhook *w);
/* Stops, too. NULL: nothing. */
void webhook_destroy(webhook *w);
/* Any thread. */
void webhook_count(webhook *w, webhook_stats *out);
/* As Prometheus text. */
void webhook_put_metrics(webhook *w, buf *out);

/* Before another try: of what was waited last, 0 at first, twice as long, and of that a half and `chance` of 2^32 of the other. */
int64_t webhook_backoff_ms(int64_t *base_ms, uint32_t chance);

/* --- engine's thread ----------------------------------------------------------------------------------------------- */
/* So many notices were committed. */
void webhook_poke(webhook *w, uint32_t count);
/* Keys of received ones for the coming commit, at most WEBHOOK_KEYS; the same again until webhook_committed. */
uint32_t webhook_collect(webhook *w, outbox_key *out);
void webhook_committed(webhook *w);

#endif

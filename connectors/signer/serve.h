/* SPDX-License-Identifier: Apache-2.0 */
/*
 * serve - the signer's side: one thread, a key for each purpose, a few connections of users that were named.
 *
 * Who connects is asked of the kernel (SO_PEERCRED); anybody else is closed without a word. What is signed is read first
 * (what.h), and at most `rate_max` messages a second are. A connection that sends no frame of ours, or half of one for too long, is
 * closed; nothing that comes in can end the process or make it keep more than SERVE_CONNECTIONS frames.
 */
#ifndef MANDATE_CONNECTORS_SIGNER_SERVE_H
#define MANDATE_CONNECTORS_SIGNER_SERVE_H

#include "connectors/signer/what.h"

#include <stdatomic.h>

enum { SERVE_CONNECTIONS = 16, SERVE_UIDS = 16, SERVE_RATE = 20000 };

typedef struct serve_options {
    const char *path;                       /* of the socket; a stale one is replaced, one that answers is not */
    const token_key *keys[SIGNER_PURPOSES]; /* NULL: nothing of that purpose is signed */
    uint32_t uids[SERVE_UIDS];              /* who may ask */
    uint32_t uid_count;
    uint32_t rate_max;            /* messages a second, 0: SERVE_RATE */
    const _Atomic bool *stopping; /* looked at twice a second and after signals; NULL: until the process ends */
} serve_options;

typedef struct serve_counts {
    _Atomic uint64_t signed_, refused, limited, strangers, broken;
} serve_counts;

/* Listens and answers until `stopping`. `counts` may be NULL. */
MANDATE_CHECK mandate_status serve_run(const serve_options *options, serve_counts *counts, mandate_error *err);

#endif

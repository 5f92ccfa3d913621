/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client - a key whose private half is behind a signer's socket.
 *
 * Of one purpose: the key of tokens, or that of the audit log. One connection, used by one thread at a time. When it breaks it is made anew, at most ten times a second; a signer that comes back
 * with another key is not believed. Nobody waits longer than CLIENT_MS for a signature: then it is UNAVAILABLE.
 */
#ifndef MANDATE_CONNECTORS_SIGNER_CLIENT_H
#define MANDATE_CONNECTORS_SIGNER_CLIENT_H

#include "connectors/signer/what.h"

enum { CLIENT_MS = 1000, CLIENT_AGAIN_MS = 100 };

typedef struct signer_client signer_client;

/* Connects and asks for the key; UNAVAILABLE when nobody answers. */
MANDATE_CHECK mandate_status signer_client_open(signer_client **out, const char *path, signer_purpose purpose,
                                                mandate_error *err);
void signer_client_close(signer_client *c);
/* A key that signs over there. It does not outlive the client. */
MANDATE_CHECK mandate_status signer_client_key(token_key **out, signer_client *c, mandate_error *err);
/* Is somebody there, as far as the connection says? Makes one when there is none. Never waits for an answer. Any thread. */
bool signer_client_ready(signer_client *c);

#endif

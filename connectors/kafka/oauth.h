/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oauth - SASL OAUTHBEARER with a token endpoint: OAuth 2.0 client credentials (RFC 6749, 4.4) over libcurl.
 *
 * Debian's librdkafka is built without its own ("oidc"), so the token comes through its refresh callback, which runs on
 * librdkafka's background thread and may take REQUEST_MS. A failure is reported to librdkafka, which asks again after ten
 * seconds. https only, except on loopback; no redirect is followed; neither secret nor token is ever in a message.
 */
#ifndef MANDATE_CONNECTORS_KAFKA_OAUTH_H
#define MANDATE_CONNECTORS_KAFKA_OAUTH_H

#include "mandate/mandate.h"

/* Borrowed; outlives the handles. */
typedef struct kafka_oauth {
    const char *token_url, *client_id, *client_secret;
    const char *scope;   /* NULL: none */
    const char *ca_file; /* NULL: the system's */
} kafka_oauth;

typedef struct kafka_oauth_token {
    char *text; /* malloc */
    int64_t lifetime_ms;
} kafka_oauth_token;

/* INVALID: the URL is not https (nor http on loopback). */
MANDATE_CHECK mandate_status kafka_oauth_check(const kafka_oauth *o, mandate_error *err);
/* Asks the endpoint. UNAVAILABLE: it cannot be reached, or answers nothing usable; DENIED: it does not know us. */
MANDATE_CHECK mandate_status kafka_oauth_fetch(kafka_oauth_token *out, const kafka_oauth *o, mandate_error *err);
void kafka_oauth_token_free(kafka_oauth_token *t);

/* For a librdkafka handle: gets a token and sets it, or reports why not. `err` says what happened. */
struct rd_kafka_s;
MANDATE_CHECK mandate_status kafka_oauth_refresh(struct rd_kafka_s *handle, const kafka_oauth *o, mandate_error *err);

#endif

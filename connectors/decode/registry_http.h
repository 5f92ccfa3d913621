/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry_http - requests to the first of several base URLs that answers; the file that includes
 * libcurl.
 *
 * http and https only, no redirects (credentials go where the operator said), every request with a
 * timeout, the answer's size bounded. Not thread-safe: the registry calls it under a lock.
 */
#ifndef MANDATE_CONNECTORS_DECODE_REGISTRY_HTTP_H
#define MANDATE_CONNECTORS_DECODE_REGISTRY_HTTP_H

#include "connectors/decode/registry.h"

enum { REGISTRY_ANSWER_MAX = 4 * LIMIT_AVRO_SCHEMA };

typedef struct registry_http registry_http;

/* Copies what it needs of the options. */
MANDATE_CHECK mandate_status registry_http_create(registry_http **out, const registry_options *options, mandate_error *err);
void registry_http_destroy(registry_http *h);
/* Sends to <base><path>; `post` NULL: GET. A server that cannot be reached, or answers 429 or 5xx,
 * is passed over for the next; UNAVAILABLE when none is left. Otherwise OK with the code and the
 * body (replaced). */
MANDATE_CHECK mandate_status registry_http_send(long *code, buf *body, registry_http *h, const char *path,
                                                const mandate_slice *post, mandate_error *err);
/* Appends `text` percent-encoded as one path segment. */
void registry_http_segment(buf *out, mandate_slice text);

#endif

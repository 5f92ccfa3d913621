/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry - a client of a Confluent-compatible schema registry over libcurl.
 *
 * Ids are immutable: a schema is fetched once, kept in memory as a plan and, through the cache port, on disk, so a
 * restart works while the registry is down. Several base URLs are tried in turn; every request has a timeout. A 404
 * for an id is retried a few times with back-off (a producer may be ahead of the registry's replica) and then final.
 * Thread-safe.
 */
#ifndef MANDATE_CONNECTORS_DECODE_REGISTRY_H
#define MANDATE_CONNECTORS_DECODE_REGISTRY_H

#include "connectors/decode/decode.h"

/* Where fetched schemas are kept; both may be NULL. get: NOT_FOUND when absent, else appends to `out`. Called by one thread
 * at a time per registry, with `err` NULL; failures only cost a request. */
typedef struct registry_cache {
    void *ctx;
    mandate_status (*get)(void *ctx, mandate_slice key, buf *out, mandate_error *err);
    mandate_status (*put)(void *ctx, mandate_slice key, mandate_slice value, mandate_error *err);
} registry_cache;

typedef struct registry_options {
    const char *const *urls; /* http:// or https://, without credentials */
    uint32_t url_count;
    const char *basic_auth;                                 /* "user:password", or NULL */
    const char *bearer;                                     /* token, or NULL */
    const char *ca_file;                                    /* or NULL */
    const char *certificate_file, *key_file, *key_password; /* mutual TLS, PEM; or NULL */
    uint32_t timeout_ms;                                    /* of one request; 0 = 5000 */
    uint32_t retries;                                       /* of a 404; default 3 when 0 */
    registry_cache cache;
} registry_options;

MANDATE_CHECK mandate_status registry_create(registry **out, const registry_options *options, mandate_error *err);
void registry_destroy(registry *r);
/* The plan for an id; lives as long as the registry. UNAVAILABLE: cannot be reached now, or what answers is no registry
 * (bare 404, 401, 5xx, HTML); NOT_FOUND: it does not have it; UNSUPPORTED, INVALID, LIMIT: a schema that cannot be used. */
MANDATE_CHECK mandate_status registry_plan(const avro_plan **out, registry *r, uint32_t id, mandate_error *err);
/* The same by global id (16 bytes), for framing version 1. */
MANDATE_CHECK mandate_status registry_plan_guid(const avro_plan **out, registry *r, const uint8_t guid[16],
                                                mandate_error *err);
/* Registers a schema under a subject (or finds it there) and returns its id: for what we publish in Avro. CONFLICT: not
 * compatible with what is there; INVALID: no schema; UNAVAILABLE: try again. */
MANDATE_CHECK mandate_status registry_register(uint32_t *out, registry *r, mandate_slice subject, mandate_slice schema_json,
                                               mandate_error *err);

#endif

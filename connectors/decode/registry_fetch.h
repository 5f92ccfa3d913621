/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry_fetch - what the registry's REST interface says, as a bundle: a schema text and the
 * texts it refers to.
 *
 * A bundle is also what the cache keeps, so that one stored value is enough to make a plan:
 *   {"schema": "...", "references": ["...", ...]}       references in dependency order
 */
#ifndef MANDATE_CONNECTORS_DECODE_REGISTRY_FETCH_H
#define MANDATE_CONNECTORS_DECODE_REGISTRY_FETCH_H

#include "connectors/decode/registry_http.h"

enum { REGISTRY_REFERENCES_MAX = 64, REGISTRY_REFERENCE_NESTING = 16 };

/* Writes the bundle behind /schemas/ids/7 or /schemas/guids/... A 404 is asked again `retries`
 * times. NOT_FOUND: the registry says so; UNSUPPORTED: it is no Avro schema; UNAVAILABLE:
 * everything that may pass. */
MANDATE_CHECK mandate_status registry_fetch_bundle(buf *bundle, registry_http *h, const char *path, uint32_t retries,
                                                   mandate_error *err);
/* CORRUPT when the text is no bundle. */
MANDATE_CHECK mandate_status registry_bundle_plan(avro_plan **out, mandate_slice bundle, mandate_error *err);
MANDATE_CHECK mandate_status registry_fetch_register(uint32_t *out, registry_http *h, mandate_slice subject,
                                                     mandate_slice schema_json, mandate_error *err);

#endif

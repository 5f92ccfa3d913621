/* SPDX-License-Identifier: Apache-2.0 */
/* topic_decode - key and value of any record as JSON text: Avro by a registry or a schema file, JSON, text, bytes. */
#ifndef MANDATE_CONNECTORS_CLI_TOPIC_DECODE_H
#define MANDATE_CONNECTORS_CLI_TOPIC_DECODE_H

#include "connectors/decode/registry.h"

typedef struct topic_decoder topic_decoder;

/* `registries` are base URLs, perhaps none; `schema_file` an Avro schema of the values, or NULL. */
MANDATE_CHECK mandate_status topic_decoder_create(topic_decoder **out, const char *const *registries, size_t count,
                                                  const char *schema_file, mandate_error *err);
void topic_decoder_destroy(topic_decoder *d);
/* The record with its parts replaced by what they hold, as JSON in `a`. A part that cannot be decoded stays as it is;
 * `note` (in `a`, or empty) says why. */
record topic_decode(topic_decoder *d, arena *a, const record *r, mandate_slice *note);

#endif

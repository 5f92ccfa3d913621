/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revocation - a transition as the world reads it: schemas/revocation.schema.json and schemas/revocation.avsc.
 *
 * Every transition is published, the issuance (version 1) too, so that a consumer that sees version n + 2 after n
 * knows that it missed one. One transition, one sequence of bytes, on any retry and any machine: members in a fixed
 * order, map keys sorted, nothing read from a clock. A value too long for evidence is cut the same way every time.
 */
#ifndef MANDATE_CONNECTORS_KAFKA_REVOCATION_H
#define MANDATE_CONNECTORS_KAFKA_REVOCATION_H

#include "engine/mandate/lifecycle.h"

enum {
    REVOCATION_VALUE_MAX = 4096, /* bytes of JSON of one term's value; a longer one is replaced by its size */
    REVOCATION_TYPE_MAX = 64
};

typedef enum revocation_format { REVOCATION_JSON, REVOCATION_AVRO } revocation_format;

/* How the Avro value is framed: single object (C3 01 + fingerprint), or Confluent's (0 + id). */
typedef struct revocation_framing {
    bool confluent;
    uint32_t schema_id;
    uint64_t fingerprint;
} revocation_framing;

/* Text of schemas/revocation.avsc and schemas/heartbeat.avsc, built in. */
mandate_slice revocation_avro_schema(void);
mandate_slice revocation_heartbeat_avro_schema(void);

/* One JSON object on one line. MANDATE_CORRUPT only when the hash library fails. */
MANDATE_CHECK mandate_status revocation_json(buf *b, const transition *t, const transition_names *names, mandate_error *err);
MANDATE_CHECK mandate_status revocation_avro(buf *b, const transition *t, const transition_names *names,
                                             const revocation_framing *framing, mandate_error *err);

/* CloudEvents type: "dev.mandated.mandate.revoked.v1"; an issuance is "...issued.v1", a return to active
 * "...resumed.v1". */
void revocation_type(char out[REVOCATION_TYPE_MAX], const transition *t);
/* Heartbeat value: everything committed up to step `seq` (of that time) is published on this partition. */
void revocation_heartbeat(buf *b, mandate_slice issuer, int64_t complete_up_to_us, uint64_t seq);
void revocation_heartbeat_avro(buf *b, mandate_slice issuer, int64_t complete_up_to_us, uint64_t seq,
                               const revocation_framing *framing);

#endif

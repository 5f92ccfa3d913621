/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revocation_internal - what the JSON and the Avro form share.
 */
#ifndef MANDATE_CONNECTORS_KAFKA_REVOCATION_INTERNAL_H
#define MANDATE_CONNECTORS_KAFKA_REVOCATION_INTERNAL_H

#include "connectors/kafka/revocation.h"

/* JSON of a value that comes from outside, or {"omitted_bytes": n} when it is longer than REVOCATION_VALUE_MAX. */
void revocation_value(buf *b, cel_value v, bool *cut);

#endif

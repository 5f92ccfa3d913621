/* SPDX-License-Identifier: Apache-2.0 */
/*
 * framing - how a key or value says which schema it was written with.
 *
 *   Confluent, magic 0    00 | id, 4 bytes big endian | datum
 *   Confluent, magic 1    01 | GUID, 16 bytes         | datum
 *   in a header           `__key_schema_id` / `__value_schema_id` holds either of the above without
 * a datum; the last one of the name wins, and the payload has no prefix then single object C3 01 |
 * CRC-64-AVRO, 8 bytes little endian | datum
 */
#ifndef MANDATE_CONNECTORS_DECODE_FRAMING_H
#define MANDATE_CONNECTORS_DECODE_FRAMING_H

#include "connectors/decode/decode.h"

typedef enum frame_kind { FRAME_BARE, FRAME_ID, FRAME_GUID, FRAME_FINGERPRINT } frame_kind;

typedef struct frame {
    frame_kind kind;
    uint32_t id;
    uint8_t guid[16];
    uint64_t fingerprint;
    mandate_slice datum; /* what follows */
} frame;

/* `framing` is not AUTO. `is_key` chooses the header's name. */
MANDATE_CHECK mandate_status framing_open(frame *out, decode_framing framing, const record *r, bool is_key,
                                          mandate_error *err);
/* No JSON text begins so. */
static inline bool framing_may_be_json_prefix(mandate_slice s) { return s.len > 0 && (uint8_t)s.ptr[0] <= 1; }
/* JSON under FRAMING_AUTO: no JSON text begins with a byte 0 or 1, so a Confluent prefix or header
 * is seen without being told. Anything else is bare. */
MANDATE_CHECK mandate_status framing_open_json(frame *out, const record *r, bool is_key, mandate_error *err);

#endif

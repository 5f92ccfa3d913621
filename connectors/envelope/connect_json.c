/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connect_json - Kafka Connect's JsonConverter with schemas.enable=true: {"schema": ..., "payload": ...}.
 *
 * `key` and `value` are what stands under `payload`, with the decimals, dates and times that the schema names converted,
 * so that a mapping reads the same as from Avro. A null payload is a tombstone. A value without payload is refused: with
 * schemas.enable=false the connector has the bare value, and that is envelope `raw`.
 */
#include "connectors/envelope/envelope_int.h"

static mandate_status connect_json_open(document *out, arena *a, json_decoder *json, const record *r, cel_value key,
                                        cel_value value, mandate_error *err)
{
    document d = {.wanted = out->wanted};
    mandate_slice none = {NULL, 0};
    (void)json;
    if (value.kind != CEL_NULL && !connect_is_wrapped(value))
        return mandate_error_set(err, MANDATE_INVALID,
                                 "the value is not Connect's {schema, payload}; without schemas "
                                 "(schemas.enable=false) the envelope is raw");
    mandate_status status = connect_unwrap(&key, a, none, err);
    if (status == MANDATE_OK)
        status = connect_unwrap(&value, a, none, err);
    if (status == MANDATE_OK)
        status = envelope_begin(&d, a, r, key, value, err);
    if (status != MANDATE_OK)
        return status;
    if (value.kind == CEL_NULL) { /* also {"schema": null, "payload": null} */
        d.kind = DOCUMENT_TOMBSTONE;
        d.variables[DOCUMENT_OP] = envelope_text("d");
    }
    *out = d;
    return MANDATE_OK;
}

const envelope envelope_connect_json = {.name = "connect-json", .gives = GIVES_ALWAYS, .open = connect_json_open};

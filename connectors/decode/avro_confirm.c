/* SPDX-License-Identifier: Apache-2.0 */
/*
 * avro_confirm - the only file that includes Avro C: it parses our understanding of a schema.
 *
 * A schema is used when two parsers agree on its shape. Avro C gets the resolved form with flat
 * names, because it cannot refer from inside a namespace to a type outside of any, which Java can
 * and registries therefore hold. Avro C never sees a record: it is not safe on hostile bytes.
 */
#include "connectors/decode/avro_schema.h"

#include <avro.h>

mandate_status avro_schema_confirm(const avro_schema *schema, mandate_error *err)
{
    mandate_status status;
    avro_schema_t parsed;
    buf text;
    buf_init(&text);
    status = avro_canonical_put(&text, schema, AVRO_FLAT_NAMES, err);
    if (status != MANDATE_OK)
        goto done;
    if (avro_schema_from_json_length(text.data, text.len, &parsed) != 0) {
        status = mandate_error_set(err, MANDATE_INVALID, "Avro C does not accept the schema: %s", avro_strerror());
        goto done;
    }
    avro_schema_decref(parsed);
done:
    buf_deinit(&text);
    return status;
}

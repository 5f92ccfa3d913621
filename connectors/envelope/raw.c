/* SPDX-License-Identifier: Apache-2.0 */
/*
 * raw - the record is the data: what `value` holds is for the mapping to know.
 */
#include "connectors/envelope/envelope_int.h"

static mandate_status raw_open(document *out, arena *a, json_decoder *json, const record *r, cel_value key, cel_value value,
                               mandate_error *err)
{
    (void)json;
    return envelope_begin(out, a, r, key, value, err);
}

static bool raw_project(projection *value, arena *a, projection *const *mentions)
{
    return projection_graft(value, a, NULL, mentions[DOCUMENT_VALUE]);
}

const envelope envelope_raw = {"raw", GIVES_ALWAYS, raw_project, raw_open};

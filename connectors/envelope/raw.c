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

static bool raw_lay_out(envelope_slots *out, arena *a, projection *const *mentions)
{
    out->variables[DOCUMENT_VALUE] = &out->layout.root;
    return slot_add(&out->layout, a, &out->layout.root, mentions[DOCUMENT_VALUE]);
}

static bool raw_is_usual(const envelope_slots *s, const slot_values *v, arena *a, cel_value *key)
{
    (void)s, (void)v, (void)a, (void)key;
    return true;
}

const envelope envelope_raw = {.name = "raw",
                               .gives = GIVES_ALWAYS,
                               .project = raw_project,
                               .open = raw_open,
                               .lay_out = raw_lay_out,
                               .is_usual = raw_is_usual};

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * topic_decode - tries what the bytes can be, the most telling first: a registry's framing, the schema that was given,
 * JSON. What is none of them is shown as text or base64, as without decoding.
 */
#include "connectors/cli/topic_decode.h"

#include <stdlib.h>

#include "connectors/config/yaml.h"
#include "connectors/decode/framing.h"

struct topic_decoder {
    registry *schemas;
    avro_plan *plan;
    decoder *framed, *bare, *json;
};

static mandate_status load_plan(avro_plan **out, const char *path, mandate_error *err)
{
    buf text;
    buf_init(&text);
    mandate_status status = file_read(&text, path, LIMIT_AVRO_SCHEMA, err);
    if (!status)
        status = avro_plan_create(out, buf_slice(&text), NULL, 0, err);
    buf_deinit(&text);
    return status;
}

mandate_status topic_decoder_create(topic_decoder **out, const char *const *registries, size_t count,
                                    const char *schema_file, mandate_error *err)
{
    topic_decoder *d = calloc(1, sizeof(*d));
    if (!d)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a decoder");
    mandate_status status = MANDATE_OK;
    decode_options json = {.framing = FRAMING_AUTO}, avro = {.key_format = DECODE_AVRO, .value_format = DECODE_AVRO};
    if (count) {
        registry_options o = {.urls = (const char **)(uintptr_t)registries, .url_count = (uint32_t)count};
        status = registry_create(&d->schemas, &o, err);
        avro.schemas = d->schemas;
        avro.framing = FRAMING_CONFLUENT;
        if (!status)
            status = decoder_create(&d->framed, &avro, err);
    }
    if (!status && schema_file) {
        status = load_plan(&d->plan, schema_file, err);
        decode_options bare = {
            .key_format = DECODE_JSON, .value_format = DECODE_AVRO, .value_schema = d->plan, .framing = FRAMING_NONE};
        if (!status)
            status = decoder_create(&d->bare, &bare, err);
    }
    if (!status)
        status = decoder_create(&d->json, &json, err);
    if (status)
        topic_decoder_destroy(d);
    else
        *out = d;
    return status;
}

void topic_decoder_destroy(topic_decoder *d)
{
    if (!d)
        return;
    decoder_destroy(d->framed);
    decoder_destroy(d->bare);
    decoder_destroy(d->json);
    avro_plan_destroy(d->plan);
    registry_destroy(d->schemas);
    free(d);
}

/* One part of the record alone, so that an odd key does not hide the value. */
static mandate_status decode_part(cel_value *out, decoder *d, arena *a, const record *r, bool is_key, mandate_error *err)
{
    record one = *r;
    cel_value key, value;
    const char *stage;
    if (is_key)
        one.value = mandate_slice_of(NULL, 0);
    else
        one.key = mandate_slice_of(NULL, 0);
    mandate_status status = decoder_run(&key, &value, d, a, &one, &stage, err);
    if (status)
        return mandate_error_prefix(err, status, "%s", stage);
    *out = is_key ? key : value;
    return MANDATE_OK;
}

/* Behind C3 01 and a fingerprint, where there are such. */
static record without_single_object(const topic_decoder *d, const record *r)
{
    frame f;
    record bare = *r;
    if (r->value.ptr && framing_open(&f, FRAMING_SINGLE_OBJECT, r, false, NULL) == MANDATE_OK &&
        f.fingerprint == avro_plan_fingerprint(d->plan))
        bare.value = f.datum;
    return bare;
}

static mandate_slice as_json(topic_decoder *d, arena *a, const record *r, bool is_key, mandate_slice *note)
{
    mandate_slice part = is_key ? r->key : r->value;
    mandate_error err = {0};
    cel_value v;
    frame f;
    mandate_status status = MANDATE_NOT_FOUND;
    if (!part.ptr)
        return part;
    if (d->framed && framing_open(&f, FRAMING_CONFLUENT, r, is_key, NULL) == MANDATE_OK)
        status = decode_part(&v, d->framed, a, r, is_key, &err);
    if (status && d->bare && !is_key) {
        record bare = without_single_object(d, r);
        status = decode_part(&v, d->bare, a, &bare, is_key, &err);
    }
    if (status) {
        mandate_error as_text = {0};
        status = decode_part(&v, d->json, a, r, is_key, err.text[0] ? &as_text : &err);
    }
    if (status) {
        *note = arena_printf(a, "%s", err.text);
        return part;
    }
    buf text;
    buf_init(&text);
    cel_to_json(&text, v);
    mandate_slice out = arena_dup(a, buf_slice(&text));
    buf_deinit(&text);
    return out.ptr ? out : part;
}

record topic_decode(topic_decoder *d, arena *a, const record *r, mandate_slice *note)
{
    record out = *r;
    *note = mandate_slice_of("", 0);
    out.key = as_json(d, a, r, true, note);
    out.value = as_json(d, a, r, false, note);
    return out;
}

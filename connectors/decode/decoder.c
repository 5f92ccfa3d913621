/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decoder - a configured decoder: which format, which framing, which schema, for key and value.
 *
 * Remembers the last plan it asked the registry for, so that a run of records of one schema takes
 * no lock. A failure names its stage: "framing" (which schema?), "schema" (have it?), "key" /
 * "value" (the datum).
 */
#include "connectors/decode/avro_slots.h"
#include "connectors/decode/framing.h"
#include "connectors/decode/json_slots.h"
#include "connectors/decode/registry.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/base/text.h"

/* The plan of the last id or GUID. */
typedef struct recent {
    const avro_plan *plan;
    frame_kind kind;
    uint32_t id;
    uint8_t guid[16];
} recent;

/* A schema, and what of it is read. Of more schemas than this the whole value is built. */
enum { PROJECTED_MAX = 64 };

typedef struct projected {
    const avro_plan *whole;
    avro_plan *part;
} projected;

/* A plan, and how data of it is read into slots; NULL: not at all. */
typedef struct slotted {
    const avro_plan *plan;
    avro_slots *slots;
} slotted;

typedef struct part {
    decode_format format;
    decode_framing framing;
    bool prefix_only;
    const avro_plan *schema; /* from a file, or NULL */
    recent last;
    const char *stage;
    const projection *projection;
    projected projected[PROJECTED_MAX]; /* the last one used stands first */
    uint32_t projected_count;
} part;

struct decoder {
    part key, value;
    registry *schemas;
    json_decoder *json;
    json_index *index;              /* made when slots are asked for */
    slotted slotted[PROJECTED_MAX]; /* of the value; the last one used stands first */
    uint32_t slotted_count;
};

static mandate_status setup(part *p, const decode_options *o, mandate_error *err)
{
    if (p->format != DECODE_AVRO)
        return MANDATE_OK; /* JSON keeps AUTO, see framing.h */
    if (p->framing == FRAMING_AUTO)
        p->framing = o->schemas ? FRAMING_CONFLUENT : FRAMING_NONE;
    if (p->framing == FRAMING_CONFLUENT && !o->schemas)
        return mandate_error_set(err, MANDATE_INVALID,
                                 "Avro with Confluent framing needs a schema registry: the %s names its schema by id",
                                 p->stage);
    if (p->framing != FRAMING_CONFLUENT && !p->schema)
        return mandate_error_set(err, MANDATE_INVALID, "Avro without a registry needs a schema file for the %s", p->stage);
    return MANDATE_OK;
}

mandate_status decoder_create(decoder **out, const decode_options *options, mandate_error *err)
{
    mandate_status status;
    decoder *d = calloc(1, sizeof *d);
    if (!d)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a decoder");
    d->key = (part){.format = options->key_format, .schema = options->key_schema, .stage = "key"};
    d->value = (part){.format = options->value_format, .schema = options->value_schema, .stage = "value"};
    d->key.framing = d->value.framing = options->framing;
    d->key.prefix_only = d->value.prefix_only = options->prefix_only;
    if (options->value_projection && !options->value_projection->all)
        d->value.projection = options->value_projection;
    d->schemas = options->schemas;
    status = setup(&d->key, options, err);
    if (status == MANDATE_OK)
        status = setup(&d->value, options, err);
    if (status == MANDATE_OK)
        status = json_decoder_create(&d->json, err);
    if (status != MANDATE_OK) {
        decoder_destroy(d);
        return status;
    }
    *out = d;
    return MANDATE_OK;
}

void decoder_destroy(decoder *d)
{
    if (!d)
        return;
    json_decoder_destroy(d->json);
    for (uint32_t i = 0; i < d->key.projected_count; i++)
        avro_plan_destroy(d->key.projected[i].part);
    for (uint32_t i = 0; i < d->value.projected_count; i++)
        avro_plan_destroy(d->value.projected[i].part);
    for (uint32_t i = 0; i < d->slotted_count; i++)
        avro_slots_destroy(d->slotted[i].slots);
    json_index_destroy(d->index);
    free(d);
}

/* --- Avro --- */

static bool is_last(const recent *last, const frame *f)
{
    if (!last->plan || last->kind != f->kind)
        return false;
    return f->kind == FRAME_ID ? last->id == f->id : memcmp(last->guid, f->guid, sizeof f->guid) == 0;
}

static mandate_status ask_registry(const avro_plan **out, decoder *d, recent *last, const frame *f, mandate_error *err)
{
    mandate_status status = MANDATE_OK;
    if (!is_last(last, f)) {
        const avro_plan *plan;
        status = f->kind == FRAME_ID ? registry_plan(&plan, d->schemas, f->id, err)
                                     : registry_plan_guid(&plan, d->schemas, f->guid, err);
        if (status != MANDATE_OK)
            return status;
        *last = (recent){.plan = plan, .kind = f->kind, .id = f->id};
        memcpy(last->guid, f->guid, sizeof f->guid);
    }
    *out = last->plan;
    return status;
}

static mandate_status find_schema(const avro_plan **out, decoder *d, part *p, const frame *f, mandate_error *err)
{
    if (f->kind == FRAME_ID || f->kind == FRAME_GUID)
        return ask_registry(out, d, &p->last, f, err);
    assert(p->schema);
    if (f->kind == FRAME_FINGERPRINT && f->fingerprint != avro_plan_fingerprint(p->schema))
        return mandate_error_set(err, MANDATE_NOT_FOUND, "written with the schema %016llx; the schema file is %016llx",
                                 (unsigned long long)f->fingerprint, (unsigned long long)avro_plan_fingerprint(p->schema));
    *out = p->schema;
    return MANDATE_OK;
}

/* The plan for what is read of a schema, with the defaults of the reader's; made when the schema is met, which is seldom. */
static mandate_status project_plan(const avro_plan **plan, part *p, mandate_error *err)
{
    uint32_t i = 0;
    const avro_plan *reader = p->framing == FRAMING_CONFLUENT ? p->schema : NULL;
    if (!p->projection && !reader)
        return MANDATE_OK;
    while (i < p->projected_count && p->projected[i].whole != *plan)
        i++;
    if (i == PROJECTED_MAX)
        return MANDATE_OK;
    if (i == p->projected_count) {
        mandate_status status = avro_plan_project(&p->projected[i].part, *plan, p->projection, reader, err);
        if (status != MANDATE_OK)
            return status;
        p->projected[i].whole = *plan;
        p->projected_count++;
    }
    projected found = p->projected[i];
    p->projected[i] = p->projected[0];
    p->projected[0] = found;
    *plan = found.part;
    return MANDATE_OK;
}

/* --- into slots --- */

/* What a caller wants beside the value; NULL for none. */
typedef struct wish {
    slot_values *out;
    const slot_layout *layout;
} wish;

static const avro_slots *slots_of(decoder *d, const avro_plan *plan, const slot_layout *layout)
{
    uint32_t i = 0;
    while (i < d->slotted_count && d->slotted[i].plan != plan)
        i++;
    if (i == PROJECTED_MAX)
        return NULL;
    if (i == d->slotted_count)
        d->slotted[d->slotted_count++] = (slotted){plan, avro_slots_create(plan, layout)};
    slotted found = d->slotted[i];
    if (i > 0) {
        d->slotted[i] = d->slotted[0];
        d->slotted[0] = found;
    }
    return found.slots;
}

static bool avro_into_slots(decoder *d, const wish *w, const avro_plan *plan, arena *a, mandate_slice datum)
{
    const avro_slots *s = w ? slots_of(d, plan, w->layout) : NULL;
    return s && (w->out->filled = avro_slots_run(w->out, s, a, datum));
}

static bool json_into_slots(decoder *d, const wish *w, mandate_slice text)
{
    if (!w || (!d->index && !(d->index = json_index_create())))
        return false;
    return (w->out->filled = json_slots_run(w->out, w->layout, d->index, text));
}

static mandate_status run_avro(cel_value *out, decoder *d, part *p, const wish *w, arena *a, const record *r,
                               const char **stage, mandate_error *err)
{
    frame f;
    const avro_plan *plan = NULL;
    *stage = "framing";
    mandate_status status = framing_open(&f, p->framing, r, p == &d->key, err);
    if (status != MANDATE_OK)
        return status;
    *stage = "schema";
    status = find_schema(&plan, d, p, &f, err);
    if (status == MANDATE_OK)
        status = project_plan(&plan, p, err);
    if (status != MANDATE_OK)
        return status;
    *stage = p->stage;
    return avro_into_slots(d, w, plan, a, f.datum) ? MANDATE_OK : avro_decode(out, plan, a, f.datum, err);
}

/* --- the other formats --- */

static mandate_status run_json(cel_value *out, decoder *d, part *p, const wish *w, arena *a, const record *r,
                               const char **stage, mandate_error *err)
{
    frame f;
    bool is_key = p == &d->key;
    *stage = "framing";
    mandate_status status = p->framing == FRAMING_CONFLUENT ? framing_open(&f, FRAMING_CONFLUENT, r, is_key, err)
                                                            : framing_open_json(&f, r, is_key, err);
    if (status != MANDATE_OK)
        return status;
    *stage = p->stage;
    return json_into_slots(d, w, f.datum) ? MANDATE_OK : json_decode_part(out, d->json, a, f.datum, p->projection, err);
}

static mandate_status run_string(cel_value *out, mandate_slice s, mandate_error *err)
{
    if (!utf8_valid(s))
        return mandate_error_set(err, MANDATE_INVALID, "the text is not UTF-8; `bytes` takes anything");
    *out = cel_string(s);
    return MANDATE_OK;
}

/* JSON beside a header with a schema's id is plain JSON: only what begins like a prefix needs it. */
static bool part_reads_headers(const part *p, mandate_slice s)
{
    if (p->prefix_only || !s.len || (p->format != DECODE_JSON && p->format != DECODE_AVRO))
        return false;
    return p->framing == FRAMING_CONFLUENT || (p->format == DECODE_JSON && framing_may_be_json_prefix(s));
}

bool decoder_reads_headers(const decoder *d, const record *r)
{
    return part_reads_headers(&d->value, r->value) || part_reads_headers(&d->key, r->key);
}

static mandate_status run_part(cel_value *out, decoder *d, part *p, const wish *w, arena *a, const record *r,
                               const char **stage, mandate_error *err)
{
    mandate_slice s = p == &d->key ? r->key : r->value;
    *stage = p->stage;
    *out = cel_null();
    if (!s.ptr)
        return MANDATE_OK;
    if (s.len > LIMIT_RECORD)
        return mandate_error_set(err, MANDATE_LIMIT, "%zu bytes; the limit is %d", s.len, LIMIT_RECORD);
    record without_headers;
    if (p->prefix_only && r->header_count) {
        without_headers = *r;
        without_headers.header_count = 0;
        r = &without_headers;
    }
    switch (p->format) {
    case DECODE_JSON:
        return run_json(out, d, p, w, a, r, stage, err);
    case DECODE_AVRO:
        return run_avro(out, d, p, w, a, r, stage, err);
    case DECODE_STRING:
        return run_string(out, s, err);
    case DECODE_BYTES:
    case DECODE_NONE:
        break;
    }
    *out = cel_bytes(s);
    return MANDATE_OK;
}

/* A key need not be JSON for the record to be good: many keys are bare ids. Text it is then, or
 * bytes. */
static cel_value plain_key(mandate_slice key) { return utf8_valid(key) ? cel_string(key) : cel_bytes(key); }

static mandate_status run(cel_value *key, cel_value *value, decoder *d, const wish *w, arena *a, const record *r,
                          const char **stage, mandate_error *err)
{
    cel_value decoded_key, decoded_value;
    mandate_status status = run_part(&decoded_key, d, &d->key, NULL, a, r, stage, err);
    if (status == MANDATE_INVALID && d->key.format == DECODE_JSON) {
        decoded_key = plain_key(r->key);
        status = MANDATE_OK;
    }
    if (status == MANDATE_OK)
        status = run_part(&decoded_value, d, &d->value, w, a, r, stage, err);
    if (status != MANDATE_OK)
        return mandate_error_prefix(err, status, "%s", *stage);
    *key = decoded_key;
    *value = decoded_value;
    return MANDATE_OK;
}

mandate_status decoder_run(cel_value *key, cel_value *value, decoder *d, arena *a, const record *r, const char **stage,
                           mandate_error *err)
{
    return run(key, value, d, NULL, a, r, stage, err);
}

mandate_status decoder_run_slots(slot_values *out, cel_value *key, cel_value *value, decoder *d, const slot_layout *layout,
                                 arena *a, const record *r, const char **stage, mandate_error *err)
{
    out->filled = false;
    return run(key, value, d, &(wish){out, layout}, a, r, stage, err);
}

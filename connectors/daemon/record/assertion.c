/* SPDX-License-Identifier: Apache-2.0 */
/* assertion - see assertion.h. Types, sizes and values are held to what the entity type declares, as a connector's are. */
#include "connectors/daemon/record/assertion.h"

#include "connectors/mapping/connector_int.h"
#include "engine/base/text.h"

#include <assert.h>

mandate_status assertion_declare(schema *s, mandate_error *err)
{
    uint16_t sources = schema_source_count(s), topics = schema_topic_count(s), source, topic;

    if (!schema_has_manual(s))
        return MANDATE_OK;
    mandate_status status = schema_declare_source(&source, s, mandate_slice_str(SCHEMA_MANUAL), err);
    if (!status)
        status = schema_declare_topic(&topic, s, mandate_slice_str(SCHEMA_MANUAL), err);
    if (!status && (source < sources || topic < topics))
        status = mandate_error_set(err, MANDATE_CONFLICT,
                                   "a connector or one of its topics is called '" SCHEMA_MANUAL
                                   "', but that is where comes from what people assert: call it otherwise");
    return status;
}

static uint16_t named(uint16_t count, const char *(*name)(const schema *, uint16_t), const schema *s)
{
    for (uint16_t i = 0; i < count; i++)
        if (strcmp(name(s, i), SCHEMA_MANUAL) == 0)
            return i;
    return SCHEMA_NONE;
}

/* The attribute, if it is one that people may assert. */
static const schema_field *manual_field(const schema_type *t, mandate_slice name, uint16_t *index, mandate_error *err)
{
    const char *known[LIMIT_FIELDS];
    size_t count = 0;

    *index = schema_field_find(t, name);
    if (*index != SCHEMA_NONE && t->fields[*index].manual)
        return &t->fields[*index];
    for (uint16_t i = 0; i < t->field_count; i++)
        if (t->fields[i].manual)
            known[count++] = t->fields[i].name;
    const char *near = nearest_name(name, known, count);
    (void)mandate_error_set(err, MANDATE_INVALID, "%s.%.*s is no attribute that people may assert (manual: true)%s%s%s",
                            t->name, (int)(name.len < LIMIT_NAME ? name.len : LIMIT_NAME), name.ptr,
                            near ? "; did you mean " : "", near ? near : "", near ? "?" : "");
    return NULL;
}

static mandate_status check_value(const schema_type *t, const schema_field *f, cel_value v, mandate_error *err)
{
    if (v.kind == CEL_STRING && !schema_field_allows(f, cel_text(v)))
        return mandate_error_set(err, MANDATE_INVALID, "%s.%s: \"%.*s\" is none of its declared values", t->name, f->name,
                                 (int)(v.len < 100 ? v.len : 100), v.s);
    if ((f->text_max && v.kind == CEL_STRING && v.len > f->text_max) ||
        (f->items_max && (v.kind == CEL_LIST || v.kind == CEL_MAP) && v.len > f->items_max))
        return mandate_error_set(err, MANDATE_LIMIT, "%s.%s: is larger than its type declares", t->name, f->name);
    return MANDATE_OK;
}

static mandate_status make_sets(change_set *out, const schema_type *t, cel_value attributes, arena *a, mandate_error *err)
{
    for (uint32_t i = 0; i < attributes.len; i++) {
        mandate_slice name = cel_text(attributes.map[i].key);
        const schema_field *f = manual_field(t, name, &out[i].field, err);
        if (!f)
            return err->status;
        mandate_status status = value_coerce(&out[i].value, a, attributes.map[i].value, f->type, err);
        if (status)
            return mandate_error_prefix(err, status, "%s.%s", t->name, f->name);
        if ((status = check_value(t, f, out[i].value, err)))
            return status;
    }
    return MANDATE_OK;
}

/* {"type","id","attributes"[,"reason"]} */
static mandate_slice detail_of(const service_request *r, arena *a)
{
    buf b;

    buf_init(&b);
    buf_put_str(&b, "{\"type\":");
    buf_put_json_string(&b, r->type);
    buf_put_str(&b, ",\"id\":");
    buf_put_json_string(&b, r->id);
    buf_put_str(&b, ",\"attributes\":");
    cel_to_json(&b, r->attributes);
    if (r->note.len) {
        buf_put_str(&b, ",\"reason\":");
        buf_put_json_string(&b, r->note);
    }
    buf_put_char(&b, '}');
    mandate_slice out = b.failed ? mandate_slice_of(NULL, 0) : arena_dup(a, buf_slice(&b));
    buf_deinit(&b);
    return out;
}

mandate_status assertion_make(engine_command *command, engine_input *input, const service_request *r, const schema *s,
                              uint64_t seq, arena *a, mandate_error *err)
{
    uint16_t type = schema_type_find(s, r->type), source = named(schema_source_count(s), schema_source_name, s);
    uint16_t topic = named(schema_topic_count(s), schema_topic_name, s);

    assert(r->attributes.kind == CEL_MAP && r->attributes.len <= ASSERTION_ATTRIBUTES_MAX);
    if (type == SCHEMA_NONE || source == SCHEMA_NONE || topic == SCHEMA_NONE)
        return mandate_error_set(err, MANDATE_INVALID, "there is no entity type %.*s with attributes that people may assert",
                                 (int)(r->type.len < LIMIT_NAME ? r->type.len : LIMIT_NAME), r->type.ptr);
    change *c = ARENA_NEW(a, change);
    change_set *sets = ARENA_ARRAY(a, change_set, r->attributes.len ? r->attributes.len : 1);
    mandate_slice id = arena_dup(a, r->id), detail = detail_of(r, a);
    if (!c || !sets || !id.ptr || !detail.ptr)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for what is asserted");
    mandate_status status = make_sets(sets, schema_type_at(s, type), r->attributes, a, err);
    if (status)
        return status;
    *c = (change){.op = CHANGE_UPSERT,
                  .type = type,
                  .id = id,
                  .sets = sets,
                  .set_count = r->attributes.len,
                  .event_time_us = CHANGE_NO_TIME};
    *input = (engine_input){.kind = INPUT_ASSERTED,
                            .command = {.principal = r->principal, .note = r->note},
                            .origin = {.source = source,
                                       .topic = topic,
                                       .partition = 0,
                                       .offset = (int64_t)seq,
                                       .event_time_us = CHANGE_NO_TIME},
                            .changes = c,
                            .change_count = 1};
    *command = (engine_command){
        .kind = COMMAND_LOG, .principal = r->principal, .event = mandate_slice_str("event_asserted"), .detail = detail};
    return MANDATE_OK;
}

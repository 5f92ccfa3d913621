/* SPDX-License-Identifier: Apache-2.0 */
/* replay_line - one line as one input: a change, a watch, an issuance, or the time. Everything unknown is an error. */
#include "bench/replay.h"

#include "connectors/json/claims_json.h"
#include "connectors/mapping/connector_int.h"
#include "engine/base/text.h"

static mandate_status expect(cel_value v, cel_kind kind, const char *what, const char *expected, mandate_error *err)
{
    if (v.kind == kind)
        return MANDATE_OK;
    return mandate_error_set(err, MANDATE_INVALID, "\"%s\": expected %s, got %s", what, expected, json_value_kind(v));
}

/* --- change ------------------------------------------------------------------------------------------------------ */
typedef struct change_reader {
    const schema *schema;
    const schema_type *type;
    arena *a;
    change *change;
    change_set *sets;
} change_reader;

static mandate_status add_set(change_reader *c, mandate_slice name, bool reference, change_set **out, mandate_error *err)
{
    uint16_t f = schema_field_find(c->type, name);
    schema_field_kind want = reference ? SCHEMA_REFERENCE : SCHEMA_ATTRIBUTE;
    if (f == SCHEMA_NONE || c->type->fields[f].kind != want)
        return mandate_error_set(err, MANDATE_INVALID, "%s has no %s \"%.*s\": it must stand in a \"types\" line",
                                 c->type->name, reference ? "reference" : "attribute", MANDATE_SLICE_ARG(name));
    *out = &c->sets[c->change->set_count++];
    **out = (change_set){.field = f, .value = cel_null()};
    return MANDATE_OK;
}

static mandate_status add_attribute(change_reader *c, mandate_slice name, cel_value v, mandate_error *err)
{
    change_set *set;
    mandate_status status = add_set(c, name, false, &set, err);
    if (status == MANDATE_OK)
        status = value_coerce(&set->value, c->a, v, c->type->fields[set->field].type, err);
    return status == MANDATE_OK ? status : mandate_error_prefix(err, status, "\"set\": %.*s", MANDATE_SLICE_ARG(name));
}

/* "A-1", {"type":"crm.account","id":"A-1"}, or null. */
static mandate_status add_reference(change_reader *c, mandate_slice name, cel_value v, mandate_error *err)
{
    change_set *set;
    mandate_status status = add_set(c, name, true, &set, err);
    if (status != MANDATE_OK)
        return mandate_error_prefix(err, status, "\"refs\"");
    if (v.kind == CEL_MAP) {
        mandate_slice type = json_member_text(v, "type");
        if (schema_type_find(c->schema, type) != c->type->fields[set->field].target)
            return mandate_error_set(err, MANDATE_INVALID, "\"refs\": %.*s refers to entities of another type than \"%.*s\"",
                                     MANDATE_SLICE_ARG(name), MANDATE_SLICE_ARG(type));
        v = json_member(v, "id");
    }
    if (v.kind != CEL_NULL && (status = expect(v, CEL_STRING, "refs", "an entity id or null", err)))
        return status;
    set->value = v;
    return MANDATE_OK;
}

static mandate_status add_forgotten(change_reader *c, cel_value list, mandate_error *err)
{
    mandate_status status = expect(list, CEL_LIST, "forget", "a list of names", err);
    for (uint32_t i = 0; status == MANDATE_OK && i < list.len; i++) {
        change_set *set;
        status = expect(list.items[i], CEL_STRING, "forget", "a list of names", err);
        if (status == MANDATE_OK) {
            uint16_t f = schema_field_find(c->type, cel_text(list.items[i]));
            status = add_set(c, cel_text(list.items[i]), f != SCHEMA_NONE && c->type->fields[f].kind == SCHEMA_REFERENCE,
                             &set, err);
        }
        if (status == MANDATE_OK)
            set->forget = true;
    }
    return status;
}

static mandate_status read_sets(change_reader *c, cel_value object, mandate_error *err)
{
    cel_value set = json_member(object, "set"), refs = json_member(object, "refs"), forget = json_member(object, "forget");
    mandate_status status = MANDATE_OK;
    if (set.kind != CEL_NULL && (status = expect(set, CEL_MAP, "set", "an object", err)))
        return status;
    if (refs.kind != CEL_NULL && (status = expect(refs, CEL_MAP, "refs", "an object", err)))
        return status;
    c->sets = ARENA_ARRAY(c->a, change_set, set.len + refs.len + forget.len + 1);
    if (!c->sets)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory");
    c->change->sets = c->sets;
    for (uint32_t i = 0; status == MANDATE_OK && set.kind == CEL_MAP && i < set.len; i++)
        status = add_attribute(c, cel_text(set.map[i].key), set.map[i].value, err);
    for (uint32_t i = 0; status == MANDATE_OK && refs.kind == CEL_MAP && i < refs.len; i++)
        status = add_reference(c, cel_text(refs.map[i].key), refs.map[i].value, err);
    if (status == MANDATE_OK && forget.kind != CEL_NULL)
        status = add_forgotten(c, forget, err);
    return status;
}

static mandate_status read_change(replay_reader *r, arena *a, cel_value object, engine_input *in, mandate_error *err)
{
    static const char *const known[] = {"type", "id", "set", "refs", "delete", "forget"};
    cel_value remove = json_member(object, "delete"), id = json_member(object, "id");
    change_reader c = {.schema = r->schema, .a = a, .change = ARENA_NEW(a, change)};
    mandate_status status = expect(object, CEL_MAP, "change", "an object", err);
    if (status == MANDATE_OK)
        status = json_refuse_unknown(object, "the change", known, sizeof(known) / sizeof(*known), err);
    if (status == MANDATE_OK && remove.kind != CEL_NULL)
        status = expect(remove, CEL_BOOL, "delete", "true or false", err);
    if (status == MANDATE_OK)
        status = expect(id, CEL_STRING, "id", "a string", err);
    if (status != MANDATE_OK)
        return status;
    mandate_slice type = json_member_text(object, "type");
    uint16_t t = schema_type_find(r->schema, type);
    if (!c.change)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory");
    if (t == SCHEMA_NONE)
        return mandate_error_set(err, MANDATE_INVALID, "\"type\": there is no entity type \"%.*s\" in a \"types\" line",
                                 MANDATE_SLICE_ARG(type));
    if (id.len == 0 || id.len > LIMIT_ID)
        return mandate_error_set(err, MANDATE_LIMIT, "\"id\" has %u bytes, 1 to %d are allowed", id.len, LIMIT_ID);
    c.type = schema_type_at(r->schema, t);
    *c.change = (change){.type = t, .id = cel_text(id), .event_time_us = CHANGE_NO_TIME};
    status = read_sets(&c, object, err);
    if (remove.kind == CEL_BOOL && remove.b) {
        c.change->op = CHANGE_DELETE;
        c.change->set_count = 0;
    }
    *in = (engine_input){.kind = INPUT_RECORD,
                         .origin = {.offset = r->offset++, .event_time_us = CHANGE_NO_TIME},
                         .changes = c.change,
                         .change_count = 1};
    return status;
}

/* --- the others --------------------------------------------------------------------------------------------------- */
static mandate_status read_watch(cel_value object, engine_input *in, mandate_error *err)
{
    static const char *const known[] = {"id", "condition"};
    mandate_status status = expect(object, CEL_MAP, "watch", "an object", err);
    if (status == MANDATE_OK)
        status = json_refuse_unknown(object, "the watch", known, 2, err);
    *in = (engine_input){.kind = INPUT_COMMAND,
                         .command = {.kind = COMMAND_WATCH,
                                     .mandate = json_member_text(object, "id"),
                                     .principal = mandate_slice_str("replay"),
                                     .condition = json_member_text(object, "condition")}};
    return status ? status : watch_check(in->command.mandate, in->command.condition, err);
}

static mandate_status read_issue(arena *a, cel_value object, engine_input *in, mandate_error *err)
{
    claims *c = ARENA_NEW(a, claims);
    mandate_status status =
        c ? claims_from_value(c, a, object, err) : mandate_error_set(err, MANDATE_NOMEM, "out of memory");
    if (status != MANDATE_OK)
        return status;
    c->issuer = mandate_slice_str(REPLAY_ISSUER); /* whoever issued it there, here it is us */
    *in = (engine_input){
        .kind = INPUT_COMMAND,
        .command = {.kind = COMMAND_ISSUE, .mandate = c->id, .principal = mandate_slice_str("replay"), .claims = c}};
    return claims_check(c, err);
}

static mandate_status read_tick(cel_value v, int64_t *now_us, mandate_error *err)
{
    if (v.kind != CEL_STRING || !time_parse_us(cel_text(v), now_us))
        return mandate_error_set(err, MANDATE_INVALID, "\"tick\": expected a time such as \"2027-01-29T18:00:00Z\"");
    return MANDATE_OK;
}

mandate_status replay_line(replay_reader *r, arena *a, mandate_slice line, replay_kind *kind, engine_input *in,
                           int64_t *now_us, mandate_error *err)
{
    cel_value object;
    size_t i = 0;
    while (i < line.len && (line.ptr[i] == ' ' || line.ptr[i] == '\t'))
        i++;
    *kind = REPLAY_NOTHING;
    if (i == line.len)
        return MANDATE_OK;
    mandate_status status = json_decode(&object, r->decoder, a, line, err);
    if (status != MANDATE_OK)
        return status;
    if (object.kind != CEL_MAP || object.len != 1)
        return mandate_error_set(err, MANDATE_INVALID,
                                 "expected an object with one of \"types\", \"change\", \"watch\", \"issue\", \"tick\"");
    mandate_slice name = cel_text(object.map[0].key);
    cel_value value = object.map[0].value;
    *kind = REPLAY_INPUT;
    if (mandate_slice_is(name, "change"))
        return read_change(r, a, value, in, err);
    if (mandate_slice_is(name, "watch"))
        return read_watch(value, in, err);
    if (mandate_slice_is(name, "issue"))
        return read_issue(a, value, in, err);
    *kind = REPLAY_TICK;
    if (mandate_slice_is(name, "tick"))
        return read_tick(value, now_us, err);
    *kind = REPLAY_TYPES; /* read before all others */
    if (mandate_slice_is(name, "types"))
        return MANDATE_OK;
    return mandate_error_set(err, MANDATE_INVALID,
                             "\"%.*s\": expected \"types\", \"change\", \"watch\", \"issue\" or \"tick\"",
                             (int)(name.len < 60 ? name.len : 60), name.ptr);
}

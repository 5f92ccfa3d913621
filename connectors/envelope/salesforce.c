/* SPDX-License-Identifier: Apache-2.0 */
/*
 * salesforce - Change Data Capture events, bare (Pub/Sub API, Avro) or under Connect's {schema, payload}.
 *
 *   CREATE "c"  UPDATE UNDELETE "u"  DELETE "d"     RECORD, once for each of recordIds, which is `item`
 *   GAP_CREATE GAP_UPDATE GAP_DELETE GAP_UNDELETE   GAP "gap": they changed, and how is lost
 *   GAP_OVERFLOW                                    TRUNCATE: which ones changed is lost too
 *
 * An event has every field of the object, and null in most: null means "not told", unless changedFields or nulledFields
 * lists the field. So `after` has the fields that are not null and those that are listed; the others are absent, and
 * leave attributes as they are. A field of diffFields holds a difference and not the value: it is unknown.
 */
#include "connectors/envelope/salesforce.h"

typedef struct told {
    cel_value changed, nulled, diff;
    arena *memory;
    mandate_error *err;
} told;

static cel_value member_or_null(cel_value v, const char *name)
{
    const cel_value *m = envelope_member(v, name);
    return m ? *m : cel_null();
}

static mandate_status read_lists(told *t, cel_value header, cel_value data)
{
    t->changed = member_or_null(header, "changedFields");
    t->nulled = member_or_null(header, "nulledFields");
    t->diff = member_or_null(header, "diffFields");
    mandate_status status = sf_check_list(t->changed, "changedFields", data, t->err);
    if (status == MANDATE_OK)
        status = sf_check_list(t->nulled, "nulledFields", data, t->err);
    return status == MANDATE_OK ? sf_check_list(t->diff, "diffFields", data, t->err) : status;
}

/* Metadata that stands among the fields. */
static bool is_field(mandate_slice name)
{
    static const char *const metadata[] = {"ChangeEventHeader", "ReplayId", "_ObjectType", "_EventType"};
    for (size_t i = 0; i < sizeof metadata / sizeof *metadata; i++)
        if (mandate_slice_is(name, metadata[i]))
            return false;
    return true;
}

/* The fields of `from` that the event tells; of compound fields (Name, addresses) the parts. */
static mandate_status tell(cel_value *out, told *t, cel_value from, const sf_field *outer)
{
    uint32_t count = 0;
    cel_entry *entries = ARENA_ARRAY(t->memory, cel_entry, from.len);
    if (!entries)
        return mandate_error_set(t->err, MANDATE_LIMIT, "no memory left for the fields");
    for (uint32_t i = 0; i < from.len; i++) {
        sf_field field = {cel_text(from.map[i].key), i, outer};
        cel_value v = from.map[i].value;
        if (!outer && !is_field(field.name))
            continue;
        if (sf_lists(t->diff, &field)) {
            v = cel_unknown_of(t->memory, field.name);
            if (v.kind != CEL_UNKNOWN)
                return mandate_error_set(t->err, MANDATE_LIMIT, "no memory left for the fields");
        } else if (v.kind == CEL_NULL && !sf_lists(t->changed, &field) && !sf_lists(t->nulled, &field)) {
            continue;
        } else if (v.kind == CEL_MAP && !outer) {
            mandate_status status = tell(&v, t, v, &field);
            if (status != MANDATE_OK)
                return status;
            if (v.len == 0)
                continue; /* a compound field of which nothing is told */
        }
        entries[count++] = (cel_entry){from.map[i].key, v};
    }
    *out = cel_map(entries, count);
    return MANDATE_OK;
}

static mandate_status check_ids(cel_value ids, mandate_error *err)
{
    bool good = ids.kind == CEL_LIST && ids.len > 0;
    for (uint32_t i = 0; good && i < ids.len; i++)
        good = ids.items[i].kind == CEL_STRING && ids.items[i].len > 0;
    return good ? MANDATE_OK
                : mandate_error_set(err, MANDATE_INVALID, "the change header has no `recordIds`, a list of record ids");
}

typedef struct change_type {
    const char *name, *op;
    document_kind kind;
} change_type;

static const change_type change_types[] = {
    {"CREATE", "c", DOCUMENT_RECORD},           {"UPDATE", "u", DOCUMENT_RECORD},    {"DELETE", "d", DOCUMENT_RECORD},
    {"UNDELETE", "u", DOCUMENT_RECORD},         {"SNAPSHOT", "r", DOCUMENT_RECORD},  {"GAP_CREATE", "gap", DOCUMENT_GAP},
    {"GAP_UPDATE", "gap", DOCUMENT_GAP},        {"GAP_DELETE", "gap", DOCUMENT_GAP}, {"GAP_UNDELETE", "gap", DOCUMENT_GAP},
    {"GAP_OVERFLOW", "gap", DOCUMENT_TRUNCATE},
};

static const change_type *find_type(const cel_value *name)
{
    for (size_t i = 0; i < sizeof change_types / sizeof *change_types; i++)
        if (envelope_is_text(name, change_types[i].name))
            return &change_types[i];
    return NULL;
}

static mandate_status read_event(document *d, arena *a, cel_value value, mandate_error *err)
{
    told t = {.memory = a, .err = err};
    const cel_value *header = envelope_member(value, "ChangeEventHeader");
    if (!header || header->kind != CEL_MAP)
        return mandate_error_set(err, MANDATE_INVALID, "no `ChangeEventHeader`: it is no event of Change Data Capture");
    const cel_value *name = envelope_member(*header, "changeType");
    const change_type *type = find_type(name);
    if (!type) {
        mandate_slice text = name && name->kind == CEL_STRING ? cel_text(*name) : mandate_slice_str("(none)");
        return mandate_error_set(err, MANDATE_INVALID, "changeType %.*s is not known", (int)(text.len < 32 ? text.len : 32),
                                 text.ptr);
    }
    cel_value ids = member_or_null(*header, "recordIds");
    mandate_status status = type->kind == DOCUMENT_TRUNCATE ? MANDATE_OK : check_ids(ids, err);
    if (status != MANDATE_OK)
        return status;
    d->kind = type->kind;
    d->variables[DOCUMENT_OP] = envelope_text(type->op);
    d->variables[DOCUMENT_EVENT] = *header;
    d->each = type->kind == DOCUMENT_TRUNCATE ? cel_null() : ids;
    if (type->kind != DOCUMENT_RECORD || strcmp(type->op, "d") == 0)
        return MANDATE_OK; /* their fields say nothing */
    status = read_lists(&t, *header, value);
    return status == MANDATE_OK ? tell(&d->variables[DOCUMENT_AFTER], &t, value, NULL) : status;
}

static mandate_status salesforce_open(document *out, arena *a, json_decoder *json, const record *r, cel_value key,
                                      cel_value value, mandate_error *err)
{
    document d = {.wanted = out->wanted};
    mandate_slice none = {NULL, 0};
    (void)json;
    mandate_status status = connect_unwrap(&key, a, none, err);
    if (status == MANDATE_OK)
        status = connect_unwrap(&value, a, none, err);
    if (status == MANDATE_OK)
        status = envelope_begin(&d, a, r, key, value, err);
    if (status != MANDATE_OK)
        return status;
    if (value.kind == CEL_NULL) {
        d.kind = DOCUMENT_TOMBSTONE;
        d.variables[DOCUMENT_OP] = envelope_text("d");
    } else {
        status = read_event(&d, a, value, err);
    }
    if (status == MANDATE_OK)
        *out = d;
    return status;
}

const envelope envelope_salesforce_cdc = {
    .name = "salesforce-cdc", .gives = GIVES_ALWAYS | GIVES(AFTER) | GIVES(EVENT) | GIVES(ITEM), .open = salesforce_open};

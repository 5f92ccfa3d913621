/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mapper - one record to changes: decode, open the envelope, `when`, `each`, `event_time`, then each entity.
 *
 * Nothing is guessed and nothing is skipped silently: whatever cannot be decided fails the record with its stage and
 * the place in the connector file. Allocates from the caller's arena and from scratch that is kept between records.
 *
 * Four documents are not data. A tombstone maps to deletes where an entity asks for it. A truncate makes every mapped
 * type unknown, and a gap the entities that it names, whatever a `when` over the data says: a filter written for rows
 * must not hide that rows are gone. An ignored one maps to nothing.
 */
#include "connectors/mapping/mapper_int.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/limits.h"

/* --- what expressions read ---------------------------------------------------------------------------------- */

static cel_value host_variable(void *ctx, cel_activation *act, uint32_t index)
{
    (void)act;
    assert(index < DOCUMENT_VARIABLE_COUNT);
    return ((mapper *)ctx)->variables[index];
}

/* parse_json: nested documents in strings are everywhere (outbox, MongoDB, Salesforce compound fields). */
static cel_value host_call(void *ctx, cel_activation *act, mandate_slice name, const cel_value *args, uint32_t count)
{
    mapper *m = ctx;
    mandate_error err = {0};
    cel_value out;
    if (!mandate_slice_is(name, "parse_json") || count != 1 || (args[0].kind != CEL_STRING && args[0].kind != CEL_BYTES))
        return cel_error(act->memory, "no such overload: %.*s", MANDATE_SLICE_ARG(name));
    if (json_decode(&out, m->json, act->memory, cel_text(args[0]), &err))
        return cel_error(act->memory, "parse_json: %s", err.text);
    return out;
}

static const cel_host host = {.variable = host_variable, .call = host_call};

/* Debezium sends a placeholder text for a column it did not read. Taking the entry out makes it "absent from the record",
 * for plain paths and computed expressions alike, and that leaves the attribute as it is. */
static cel_value without_kept(arena *a, cel_value v, mandate_slice keep, uint32_t depth)
{
    if (v.kind != CEL_MAP || depth > 3)
        return v;
    cel_entry *copy = NULL;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < v.len; i++) {
        cel_value x = v.map[i].value;
        bool drop = x.kind == CEL_STRING && mandate_slice_eq(cel_text(x), keep);
        cel_value y = drop ? x : without_kept(a, x, keep, depth + 1);
        bool same = !drop && memcmp(&x, &y, sizeof(x)) == 0;
        if (!copy && same) {
            kept++;
            continue;
        }
        if (!copy) {
            copy = ARENA_ARRAY(a, cel_entry, v.len);
            if (!copy)
                return cel_error(a, "the record needs more memory than is allowed");
            memcpy(copy, v.map, i * sizeof(*copy));
        }
        if (!drop)
            copy[kept++] = (cel_entry){v.map[i].key, y};
    }
    return copy ? cel_map(copy, kept) : v;
}

static void show_document(mapper *m, arena *a)
{
    static const document_variable rows[] = {DOCUMENT_VALUE, DOCUMENT_BEFORE, DOCUMENT_AFTER, DOCUMENT_DATA};
    memcpy(m->variables, m->doc.variables, sizeof(m->variables));
    for (size_t i = 0; m->doc.keep.len && i < sizeof(rows) / sizeof(*rows); i++)
        if (m->c->variables & (1u << rows[i]))
            m->variables[rows[i]] = without_kept(a, m->variables[rows[i]], m->doc.keep, 0);
    m->deleted_row = m->variables[DOCUMENT_AFTER].kind == CEL_NULL && m->variables[DOCUMENT_BEFORE].kind == CEL_MAP;
}

/* --- evaluating ----------------------------------------------------------------------------------------------- */

mandate_status mapper_fail(const map_expr *e, const char *what, const char *stage, mapper_result *r, mandate_error *err)
{
    r->stage = stage;
    r->line = e->node->line;
    r->column = e->node->column;
    if (!err)
        return MANDATE_INVALID;
    mandate_error lower = *err;
    return mandate_error_set_at(err, lower.status ? lower.status : MANDATE_INVALID, r->line, r->column, "%s (%.*s): %s",
                                what, (int)(e->node->text.len < 120 ? e->node->text.len : 120), e->node->text.ptr,
                                lower.text);
}

cel_value mapper_eval(mapper *m, const map_expr *e) { return expr_eval(e, m->variables, &m->act, !m->no_paths); }

mandate_status mapper_value(cel_value *out, mapper *m, const map_expr *e, const char *what, mapper_result *r,
                            mandate_error *err)
{
    *out = mapper_eval(m, e);
    return mapper_settled(m, e, *out, what, r, err);
}

mandate_status mapper_settled(mapper *m, const map_expr *e, cel_value v, const char *what, mapper_result *r,
                              mandate_error *err)
{
    if (v.kind == CEL_ERROR) {
        mandate_slice message = v.error ? v.error->message : mandate_slice_str("out of memory");
        mandate_error_set(err, MANDATE_INVALID, "%.*s", MANDATE_SLICE_ARG(message));
        mandate_status status = mapper_fail(e, what, "mapping", r, err);
        if (v.error && v.error->offset != UINT32_MAX)
            yaml_place(m->c->doc, e->node, v.error->offset, &r->line, &r->column);
        return status;
    }
    if (v.kind == CEL_UNKNOWN) {
        mandate_error_set(err, MANDATE_INVALID, "the result is unknown");
        return mapper_fail(e, what, "mapping", r, err);
    }
    return MANDATE_OK;
}

mandate_status mapper_bool(bool *out, mapper *m, const map_expr *e, const char *what, mapper_result *r, mandate_error *err)
{
    cel_value v;
    mandate_status status = mapper_value(&v, m, e, what, r, err);
    if (status)
        return status;
    if (v.kind != CEL_BOOL) {
        mandate_error_set(err, MANDATE_INVALID, "must be true or false, not a value of kind %s",
                          cel_kind_name((cel_kind)v.kind));
        return mapper_fail(e, what, "mapping", r, err);
    }
    *out = v.b;
    return MANDATE_OK;
}

mandate_status mapper_push(mapper *m, change c, mandate_error *err)
{
    if (m->changes.len >= LIMIT_RECORD_CHANGES)
        return mandate_error_set(err, MANDATE_LIMIT, "the record maps to more than %d changes", LIMIT_RECORD_CHANGES);
    c.version = m->version;
    if (!VEC_PUSH(&m->changes, c))
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for the changes of a record");
    return MANDATE_OK;
}

/* --- the record ------------------------------------------------------------------------------------------------- */

static mandate_status event_time(int64_t *out, mapper *m, mapper_result *r, mandate_error *err)
{
    const map_expr *e = &m->c->event_time;
    cel_value v;
    *out = CHANGE_NO_TIME;
    if (!EXPR_GIVEN(e))
        return MANDATE_OK;
    mandate_status status = mapper_value(&v, m, e, "event_time", r, err);
    if (!status) {
        status = value_time_us(out, v, err);
        if (status)
            status = mapper_fail(e, "event_time", "event_time", r, err);
    }
    if (status)
        r->stage = "event_time";
    return status;
}

static mandate_status take_version(mapper *m, mapper_result *r, mandate_error *err)
{
    const map_expr *e = &m->c->version;
    cel_value v;
    m->version = 0;
    if (!EXPR_GIVEN(e))
        return MANDATE_OK;
    mandate_status status = mapper_value(&v, m, e, "version", r, err);
    if (!status) {
        status = value_version(&m->version, v, err);
        if (status)
            status = mapper_fail(e, "version", "version", r, err);
    }
    if (status)
        r->stage = "version";
    return status;
}

static mandate_status map_entities(mapper *m, int64_t event_time_us, mapper_result *r, mandate_error *err)
{
    mandate_status status = MANDATE_OK;
    for (uint32_t i = 0; i < m->c->entity_count && !status; i++)
        status = map_one_entity(m, &m->c->entities[i], event_time_us, r, err);
    return status;
}

/* Once for each element. The time is computed for each when it reads `item`; the record's is the latest. */
static mandate_status map_items(mapper *m, cel_value list, bool own_time, mapper_result *r, mandate_error *err)
{
    int64_t time = r->event_time_us;
    mandate_status status = MANDATE_OK;
    for (uint32_t i = 0; i < list.len; i++) {
        m->variables[DOCUMENT_ITEM] = list.items[i];
        if (own_time)
            status = event_time(&time, m, r, err);
        if (!status && (m->c->version.variables & VARIABLE_BIT(ITEM)))
            status = take_version(m, r, err);
        if (!status && time != CHANGE_NO_TIME && (r->event_time_us == CHANGE_NO_TIME || time > r->event_time_us))
            r->event_time_us = time;
        if (!status)
            status = map_entities(m, time, r, err);
        if (status)
            return mandate_error_prefix(err, status, "element %u of each", i);
    }
    return MANDATE_OK;
}

/* The list: what `each` says, or the envelope. */
static mandate_status items_of(cel_value *list, mapper *m, mapper_result *r, mandate_error *err)
{
    const map_expr *each = &m->c->each;
    cel_value row = m->variables[DOCUMENT_AFTER];
    *list = m->doc.each;
    if (!EXPR_GIVEN(each))
        return MANDATE_OK;
    if (m->deleted_row)
        m->variables[DOCUMENT_AFTER] = m->variables[DOCUMENT_BEFORE];
    mandate_status status = mapper_value(list, m, each, "each", r, err);
    m->variables[DOCUMENT_AFTER] = row;
    if (status || list->kind == CEL_LIST)
        return status;
    mandate_error_set(err, MANDATE_INVALID, "must be a list, not a value of kind %s", cel_kind_name((cel_kind)list->kind));
    return mapper_fail(each, "each", "mapping", r, err);
}

static mandate_status map_each(mapper *m, mapper_result *r, mandate_error *err)
{
    bool own_time = (m->c->event_time.variables & VARIABLE_BIT(ITEM)) != 0;
    cel_value list;
    mandate_status status = own_time ? MANDATE_OK : event_time(&r->event_time_us, m, r, err);
    if (!status && !(m->c->version.variables & VARIABLE_BIT(ITEM)))
        status = take_version(m, r, err);
    if (!status)
        status = items_of(&list, m, r, err);
    return status ? status : map_items(m, list, own_time, r, err);
}

static mandate_status map_data(mapper *m, mapper_result *r, mandate_error *err)
{
    const connector *c = m->c;
    bool wanted = true;
    mandate_status status = MANDATE_OK;
    if (EXPR_GIVEN(&c->when)) {
        status = mapper_bool(&wanted, m, &c->when, "when", r, err);
        if (status) {
            r->stage = "when";
            return status;
        }
    }
    if (!wanted) {
        r->outcome = MAPPER_FILTERED;
        return MANDATE_OK;
    }
    if (EXPR_GIVEN(&c->each) || m->doc.each.kind == CEL_LIST)
        return map_each(m, r, err);
    status = event_time(&r->event_time_us, m, r, err);
    if (!status)
        status = take_version(m, r, err);
    return status ? status : map_entities(m, r->event_time_us, r, err);
}

/* The time of a record that has no row, if it still says one, and its version. */
static int64_t time_if_any(mapper *m)
{
    mapper_result ignored = {0};
    int64_t time;
    if (take_version(m, &ignored, NULL))
        m->version = 0;
    return event_time(&time, m, &ignored, NULL) ? CHANGE_NO_TIME : time;
}

/* A filter counts for a gap when it reads nothing that the gap took away. */
static bool is_filtered(mapper *m, const map_expr *when)
{
    const uint32_t survives =
        VARIABLE_BIT(KEY) | VARIABLE_BIT(HEADERS) | VARIABLE_BIT(META) | VARIABLE_BIT(EVENT) | VARIABLE_BIT(ITEM);
    return EXPR_GIVEN(when) && !(when->variables & ~survives) && cel_is_false(mapper_eval(m, when));
}

static mandate_status map_truncate(mapper *m, mapper_result *r, mandate_error *err)
{
    const connector *c = m->c;
    r->event_time_us = time_if_any(m);
    bool named = m->doc.variables[DOCUMENT_EVENT].kind != CEL_NULL; /* a gap's header says of which object */
    if (named && is_filtered(m, &c->when)) {
        r->outcome = MAPPER_FILTERED;
        return MANDATE_OK;
    }
    for (uint32_t i = 0; i < c->entity_count; i++) {
        bool done = named && is_filtered(m, &c->entities[i].when);
        for (uint32_t k = 0; k < i; k++)
            done |= c->entities[k].type == c->entities[i].type;
        if (done)
            continue;
        change forget = {.op = CHANGE_FORGET_TYPE, .type = c->entities[i].type, .event_time_us = r->event_time_us};
        mandate_status status = mapper_push(m, forget, err);
        if (status)
            return status;
    }
    return MANDATE_OK;
}

static mandate_status map_gap(mapper *m, mapper_result *r, mandate_error *err)
{
    mandate_status status = MANDATE_OK;
    cel_value list = m->doc.each;
    if (is_filtered(m, &m->c->when)) {
        r->outcome = MAPPER_FILTERED;
        return MANDATE_OK;
    }
    r->event_time_us = time_if_any(m);
    for (uint32_t i = 0; i < (list.kind == CEL_LIST ? list.len : 1) && !status; i++) {
        if (list.kind == CEL_LIST)
            m->variables[DOCUMENT_ITEM] = list.items[i];
        for (uint32_t k = 0; k < m->c->entity_count && !status; k++)
            if (!is_filtered(m, &m->c->entities[k].when))
                status = map_lost(m, &m->c->entities[k], r->event_time_us, r, err);
    }
    return status;
}

static mandate_status map_tombstones(mapper *m, mapper_result *r, mandate_error *err)
{
    bool any = false;
    mandate_status status = MANDATE_OK;
    for (uint32_t i = 0; i < m->c->entity_count; i++)
        any |= m->c->entities[i].tombstone_delete;
    if (!any) {
        r->outcome = MAPPER_IGNORED;
        return MANDATE_OK;
    }
    r->event_time_us = time_if_any(m);
    for (uint32_t i = 0; i < m->c->entity_count && !status; i++)
        if (m->c->entities[i].tombstone_delete)
            status = map_tombstone(m, &m->c->entities[i], r->event_time_us, r, err);
    return status;
}

static mandate_status map_document(mapper *m, mapper_result *r, mandate_error *err)
{
    r->stage = "mapping";
    switch (m->doc.kind) {
    case DOCUMENT_RECORD:
        return map_data(m, r, err);
    case DOCUMENT_TOMBSTONE:
        return map_tombstones(m, r, err);
    case DOCUMENT_TRUNCATE:
        return map_truncate(m, r, err);
    case DOCUMENT_GAP:
        return map_gap(m, r, err);
    case DOCUMENT_IGNORE:
        r->outcome = MAPPER_IGNORED;
        return MANDATE_OK;
    }
    return mandate_error_set(err, MANDATE_UNSUPPORTED, "an envelope gave a document of unknown kind %d", (int)m->doc.kind);
}

static mandate_status check_size(const record *rec, mapper_result *r, mandate_error *err)
{
    r->stage = rec->key.len > LIMIT_RECORD ? "key" : "value";
    if (rec->key.len > LIMIT_RECORD || rec->value.len > LIMIT_RECORD)
        return mandate_error_set(err, MANDATE_LIMIT, "a %s of %zu bytes, at most %d are allowed", r->stage,
                                 rec->key.len > LIMIT_RECORD ? rec->key.len : rec->value.len, LIMIT_RECORD);
    r->stage = "envelope";
    if (rec->header_count > LIMIT_HEADERS)
        return mandate_error_set(err, MANDATE_LIMIT, "%u headers, at most %d are allowed", rec->header_count, LIMIT_HEADERS);
    return MANDATE_OK;
}

static mandate_status map_generally(mapper_result *r, mapper *m, arena *a, const record *rec, cel_value key, cel_value value,
                                    mandate_error *err)
{
    m->changes.len = 0;
    m->version = 0;
    m->doc.wanted = m->c->variables;
    mandate_status status = m->c->envelope->open(&m->doc, a, m->json, rec, key, value, err);
    if (status)
        return status;
    show_document(m, a);
    status = map_document(m, r, err);
    if (status)
        return status;
    change *changes = ARENA_ARRAY(a, change, m->changes.len ? m->changes.len : 1);
    if (!changes || a->failed)
        return mandate_error_set(err, MANDATE_LIMIT, "the record needs more memory than is allowed");
    if (m->changes.len)
        memcpy(changes, m->changes.data, m->changes.len * sizeof(*changes));
    r->changes = changes;
    r->change_count = m->changes.len;
    r->stage = NULL;
    return MANDATE_OK;
}

bool mapper_reads_headers(const mapper *m, const record *r)
{
    return m->c->envelope->reads_headers || (m->c->variables & VARIABLE_BIT(HEADERS)) ||
           decoder_reads_headers(m->decoder, r);
}

mandate_status mapper_run(mapper_result *out, mapper *m, arena *a, const record *rec, mandate_error *err)
{
    mapper_result r = {.outcome = MAPPER_MAPPED, .event_time_us = CHANGE_NO_TIME};
    cel_value key, value;
    slot_values *slots = m->direct && !m->no_paths ? direct_values(m->direct) : NULL;
    if (!err)
        err = &m->error;
    m->act.memory = a;
    m->act.now_us = rec->timestamp_us == INT64_MIN ? 0 : rec->timestamp_us;
    mandate_status status = check_size(rec, &r, err);
    if (status)
        goto done;
    r.stage = "value";
    if (slots)
        status = decoder_run_slots(slots, &key, &value, m->decoder, direct_layout(m->direct), a, rec, &r.stage, err);
    m->was_direct = !status && slots && slots->filled && direct_run(out, m->direct, m, rec, key);
    if (m->was_direct)
        return MANDATE_OK;
    if (!status && (!slots || slots->filled))
        status = decoder_run(&key, &value, m->decoder, a, rec, &r.stage, err);
    if (status)
        goto done;
    r.stage = "envelope";
    status = map_generally(&r, m, a, rec, key, value, err);
done:
    if (status && r.line)
        mandate_error_prefix(err, status, "%s:%u:%u", m->c->path, r.line, r.column);
    *out = r;
    return status;
}

/* --- life --------------------------------------------------------------------------------------------------------- */

mandate_status mapper_create(mapper **out, const connector *c, mandate_error *err)
{
    if (!c->schema)
        return mandate_error_set(err, MANDATE_CONFLICT, "connector '%s' is not bound to a schema yet", c->name);
    mapper *m = calloc(1, sizeof(*m));
    if (!m)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a mapper");
    m->c = c;
    m->act.host = &host;
    m->act.ctx = m;
    m->direct = direct_create(c);
    mandate_status status = decoder_create(&m->decoder, &c->decode, err);
    if (!status)
        status = json_decoder_create(&m->json, err);
    if (status)
        mapper_destroy(m);
    else
        *out = m;
    return status;
}

void mapper_keep_documents(mapper *m)
{
    direct_destroy(m->direct);
    m->direct = NULL;
}

void mapper_destroy(mapper *m)
{
    if (!m)
        return;
    direct_destroy(m->direct);
    decoder_destroy(m->decoder);
    json_decoder_destroy(m->json);
    VEC_FREE(&m->changes);
    free(m);
}

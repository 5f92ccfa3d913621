/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debezium - change events of databases: {before, after, source, op, ts_ms}, bare or under {schema, payload}.
 *
 *   c r u   RECORD; `after` must be there    d   RECORD with `after` null: the mapping's `delete` says what
 *   t       TRUNCATE                         m   IGNORE
 *   a null value                             TOMBSTONE, op "d"
 *   {status, id, event_count}, {ts_ms}       IGNORE: transaction markers and heartbeats
 *
 * `key` and `value` are what stands under `payload`, with decimals, dates and times of the inline
 * schema converted, so that a mapping reads the same with and without schemas, from JSON and from
 * Avro. Anything else is refused: a record whose op we do not know is not "no change".
 */
#include "connectors/envelope/envelope_int.h"

static bool is_absent(const cel_value *v) { return !v || v->kind == CEL_NULL; }

/* Records on the same topics that are no changes. */
static bool is_bookkeeping(cel_value v)
{
    const cel_value *status = envelope_member(v, "status"), *id = envelope_member(v, "id"),
                    *ts_ms = envelope_member(v, "ts_ms");
    bool transaction = (envelope_is_text(status, "BEGIN") || envelope_is_text(status, "END")) && id &&
                       id->kind == CEL_STRING && envelope_member(v, "event_count");
    bool heartbeat = v.len == 1 && ts_ms && ts_ms->kind == CEL_INT;
    return transaction || heartbeat;
}

/* MongoDB's connector puts the document into a string. */
static mandate_status read_row(cel_value *out, arena *a, json_decoder *json, const cel_value *row, const char *name,
                               mandate_error *err)
{
    if (is_absent(row))
        return MANDATE_OK;
    *out = *row;
    if (row->kind == CEL_STRING) {
        mandate_status status = json_decode(out, json, a, cel_text(*row), err);
        if (status != MANDATE_OK)
            return mandate_error_prefix(err, status, "`%s` is text", name);
    }
    if (out->kind != CEL_MAP)
        return mandate_error_set(err, MANDATE_INVALID, "`%s` is %s, not a row", name, cel_kind_name(out->kind));
    return MANDATE_OK;
}

static mandate_status read_change(document *d, arena *a, json_decoder *json, cel_value v, mandate_error *err)
{
    const cel_value *source = envelope_member(v, "source"), *ts_ms = envelope_member(v, "ts_ms");
    mandate_status status = read_row(&d->variables[DOCUMENT_BEFORE], a, json, envelope_member(v, "before"), "before", err);
    if (status == MANDATE_OK)
        status = read_row(&d->variables[DOCUMENT_AFTER], a, json, envelope_member(v, "after"), "after", err);
    if (status != MANDATE_OK)
        return status;
    if (!is_absent(source) && source->kind != CEL_MAP)
        return mandate_error_set(err, MANDATE_INVALID, "`source` is %s, not an object", cel_kind_name(source->kind));
    if (source)
        d->variables[DOCUMENT_SOURCE] = *source;
    if (ts_ms)
        d->variables[DOCUMENT_TS_MS] = *ts_ms;
    return MANDATE_OK;
}

/* What the operation makes of the record. */
static mandate_status judge(document *d, const cel_value *op, mandate_error *err)
{
    bool has_after = d->variables[DOCUMENT_AFTER].kind == CEL_MAP;
    d->variables[DOCUMENT_OP] = *op;
    if (envelope_is_text(op, "m")) {
        d->kind = DOCUMENT_IGNORE;
    } else if (envelope_is_text(op, "t")) {
        d->kind = DOCUMENT_TRUNCATE;
    } else if (envelope_is_text(op, "c") || envelope_is_text(op, "r") || envelope_is_text(op, "u")) {
        if (!has_after)
            return mandate_error_set(err, MANDATE_INVALID,
                                     "op \"%.*s\" without `after`: the row is not in the record (MongoDB: set "
                                     "capture.mode to change_streams_update_full)",
                                     MANDATE_SLICE_ARG(cel_text(*op)));
    } else if (!envelope_is_text(op, "d")) {
        mandate_slice text = op->kind == CEL_STRING ? cel_text(*op) : mandate_slice_str(cel_kind_name((cel_kind)op->kind));
        return mandate_error_set(err, MANDATE_INVALID, "op \"%.*s\"; Debezium has c, u, d, r, t and m",
                                 (int)(text.len < 32 ? text.len : 32), text.ptr);
    } else if (has_after) {
        return mandate_error_set(err, MANDATE_INVALID, "op \"d\" with a row in `after`");
    }
    return MANDATE_OK;
}

static mandate_status debezium_open(document *out, arena *a, json_decoder *json, const record *r, cel_value key,
                                    cel_value value, mandate_error *err)
{
    document d = {.wanted = out->wanted};
    mandate_slice keep = MANDATE_SLICE_LIT(DEBEZIUM_UNAVAILABLE);
    mandate_status status = connect_unwrap(&key, a, keep, err);
    if (status == MANDATE_OK)
        status = connect_unwrap(&value, a, keep, err);
    if (status == MANDATE_OK)
        status = envelope_begin(&d, a, r, key, value, err);
    if (status != MANDATE_OK)
        return status;
    d.keep = keep;

    const cel_value *op = envelope_member(value, "op");
    if (value.kind == CEL_NULL) { /* also {"schema": null, "payload": null} */
        d.kind = DOCUMENT_TOMBSTONE;
        d.variables[DOCUMENT_OP] = envelope_text("d");
    } else if (value.kind != CEL_MAP) {
        return mandate_error_set(err, MANDATE_INVALID, "the value is %s, not a Debezium change", cel_kind_name(value.kind));
    } else if (op) {
        status = read_change(&d, a, json, value, err);
        if (status == MANDATE_OK)
            status = judge(&d, op, err);
    } else if (is_bookkeeping(value)) {
        d.kind = DOCUMENT_IGNORE;
    } else {
        return mandate_error_set(err, MANDATE_INVALID,
                                 "the value has no `op`: it is no Debezium change (flattened rows "
                                 "are for envelope debezium-flat)");
    }
    if (status == MANDATE_OK)
        *out = d;
    return status;
}

/* The rows are read where they stand; a deleted row's ids are computed from `before` by expressions over `after`. Of the
 * event itself the keys are looked at. */
static bool project_event(projection *p, arena *a, projection *const *mentions)
{
    static const char *const whole[] = {"op", "ts_ms", "status", "id", "event_count"};
    p->keep_keys = true;
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        mandate_slice key = mandate_slice_str(whole[i]);
        if (!projection_add(p, a, &key, 1))
            return false;
    }
    return projection_graft(p, a, "before", mentions[DOCUMENT_BEFORE]) &&
           projection_graft(p, a, "before", mentions[DOCUMENT_AFTER]) &&
           projection_graft(p, a, "after", mentions[DOCUMENT_AFTER]) &&
           projection_graft(p, a, "source", mentions[DOCUMENT_SOURCE]) &&
           projection_graft(p, a, NULL, mentions[DOCUMENT_VALUE]);
}

static bool debezium_project(projection *value, arena *a, projection *const *mentions)
{
    mandate_slice schema = MANDATE_SLICE_LIT("schema");
    projection *payload = projection_create(a);
    return payload && project_event(payload, a, mentions) && project_event(value, a, mentions) &&
           projection_add(value, a, &schema, 1) && projection_graft(value, a, "payload", payload);
}

/* --- without a document ------------------------------------------------------------------------------------------------ */

static slot_node *row_node(envelope_slots *out, arena *a, const char *name, const projection *p)
{
    slot_layout *l = &out->layout;
    slot_node *n = slot_child(l, a, &l->root, mandate_slice_str(name), SLOT_INNER);
    if (!n || !slot_add(l, a, n, p))
        return NULL;
    n->null_ok = n->count == 0;
    if (n->count > 0)
        slot_mark(&out->required, n->number);
    return n;
}

/* What expressions read of the new row is read of the old one too, as when there is a document (see project_event): the
 * same records are refused. */
static bool lay_out_rows(envelope_slots *out, arena *a, projection *const *mentions)
{
    slot_node *before = row_node(out, a, "before", mentions[DOCUMENT_BEFORE]),
              *after = row_node(out, a, "after", mentions[DOCUMENT_AFTER]),
              *source = row_node(out, a, "source", mentions[DOCUMENT_SOURCE]);
    if (!before || !after || !source || !slot_add(&out->layout, a, before, mentions[DOCUMENT_AFTER]))
        return false;
    after->null_ok = false;
    slot_mark(&out->required, after->number);
    out->variables[DOCUMENT_BEFORE] = before;
    out->variables[DOCUMENT_AFTER] = after;
    out->variables[DOCUMENT_SOURCE] = source;
    return true;
}

/* Debezium's own keys are named, so that one that comes twice is seen. */
static bool debezium_lay_out(envelope_slots *out, arena *a, projection *const *mentions)
{
    static const char *const passed[] = {"ts_ms", "ts_us", "ts_ns", "transaction"};
    slot_layout *l = &out->layout;
    slot_node *op = slot_child(l, a, &l->root, mandate_slice_str("op"), SLOT_VALUE), *ts_ms = NULL;
    if (!op || !slot_add(l, a, &l->root, mentions[DOCUMENT_VALUE]))
        return false;
    if (mentions[DOCUMENT_TS_MS] && !(ts_ms = slot_child(l, a, &l->root, mandate_slice_str("ts_ms"), SLOT_VALUE)))
        return false;
    for (size_t i = 0; i < sizeof(passed) / sizeof(*passed); i++)
        if (!slot_find(&l->root, mandate_slice_str(passed[i])) &&
            !slot_child(l, a, &l->root, mandate_slice_str(passed[i]), SLOT_PASSED))
            return false;
    l->root.no_others = true;
    slot_mark(&out->required, op->number);
    out->keep = mandate_slice_str(DEBEZIUM_UNAVAILABLE);
    out->variables[DOCUMENT_VALUE] = &l->root;
    out->variables[DOCUMENT_OP] = op;
    out->variables[DOCUMENT_TS_MS] = ts_ms;
    return lay_out_rows(out, a, mentions);
}

/* A row that is there: created, read or updated. */
static bool debezium_is_usual(const envelope_slots *s, const slot_values *v, arena *a, cel_value *key)
{
    cel_value op = v->at[s->variables[DOCUMENT_OP]->slot];
    if (op.kind != CEL_STRING || op.len != 1 || (*op.s != 'c' && *op.s != 'r' && *op.s != 'u'))
        return false;
    return connect_unwrap(key, a, s->keep, NULL) == MANDATE_OK;
}

const envelope envelope_debezium = {.name = "debezium",
                                    .gives = GIVES_ALWAYS | GIVES(BEFORE) | GIVES(AFTER) | GIVES(SOURCE) | GIVES(TS_MS),
                                    .project = debezium_project,
                                    .open = debezium_open,
                                    .lay_out = debezium_lay_out,
                                    .is_usual = debezium_is_usual};

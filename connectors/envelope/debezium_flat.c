/* SPDX-License-Identifier: Apache-2.0 */
/*
 * debezium_flat - rows as Debezium's ExtractNewRecordState leaves them, bare or under {schema, payload}.
 *
 *   {"id": 7, "status": "open", "__op": "u", "__source_ts_ms": 1700000000000, "__deleted": "false"}
 *
 * The columns are `after`; what the transform added under `__` (add.fields, or add.headers) is `op`, `ts_ms` and
 * `source`, so that a mapping for whole change events fits. `__deleted: "true"` (delete.tombstone.handling.mode=rewrite)
 * is op "d" with the row in `before`. Where deletes are dropped the null value is all there is: `tombstone: delete`.
 * Without __op it is "u": a row says what is, not what happened to it.
 */
#include "connectors/envelope/envelope_int.h"

#include "engine/base/text.h"

typedef struct flat {
    cel_entry *row, *source;
    uint32_t row_count, source_count;
    bool deleted;
    document *d;
    mandate_error *err;
} flat;

/* Headers are text: times among them are read as the numbers they are. */
static cel_value header_number(mandate_slice text)
{
    int64_t n = 0;
    if (text.len == 0 || text.len > 18)
        return cel_string(text);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return cel_string(text);
        n = n * 10 + (text.ptr[i] - '0');
    }
    return cel_int(n);
}

static bool begins(mandate_slice s, const char *prefix)
{
    size_t len = strlen(prefix);
    return s.len > len && memcmp(s.ptr, prefix, len) == 0;
}

static mandate_status take_deleted(flat *f, cel_value v)
{
    bool yes = envelope_is_text(&v, "true") || cel_is_true(v);
    if (!yes && !envelope_is_text(&v, "false") && !cel_is_false(v) && v.kind != CEL_NULL)
        return mandate_error_set(f->err, MANDATE_INVALID, "`__deleted` is neither true nor false");
    f->deleted |= yes;
    return MANDATE_OK;
}

/* One field that the transform added, its name without "__". False: it is none. */
static mandate_status take_added(flat *f, mandate_slice name, cel_value v)
{
    if (mandate_slice_is(name, "deleted"))
        return take_deleted(f, v);
    if (mandate_slice_is(name, "op")) {
        if (v.kind != CEL_STRING)
            return mandate_error_set(f->err, MANDATE_INVALID, "`__op` is %s, not text", cel_kind_name((cel_kind)v.kind));
        f->d->variables[DOCUMENT_OP] = v;
    } else if (mandate_slice_is(name, "ts_ms")) {
        f->d->variables[DOCUMENT_TS_MS] = v;
    } else {
        if (begins(name, "source_"))
            name = mandate_slice_of(name.ptr + 7, name.len - 7);
        f->source[f->source_count++] = (cel_entry){cel_string(name), v};
    }
    return MANDATE_OK;
}

static mandate_status take_row(flat *f, cel_value row)
{
    mandate_status status = MANDATE_OK;
    for (uint32_t i = 0; i < row.len && status == MANDATE_OK; i++) {
        mandate_slice name = cel_text(row.map[i].key);
        if (begins(name, "__"))
            status = take_added(f, mandate_slice_of(name.ptr + 2, name.len - 2), row.map[i].value);
        else
            f->row[f->row_count++] = row.map[i];
    }
    return status;
}

/* What the row itself says is not overruled. */
static mandate_status take_headers(flat *f, const record *r)
{
    mandate_status status = MANDATE_OK;
    for (uint32_t i = r->header_count; i > 0 && status == MANDATE_OK; i--) {
        const record_header *h = &r->headers[i - 1];
        mandate_slice name = mandate_slice_of(h->name.ptr + 2, h->name.len > 2 ? h->name.len - 2 : 0);
        if (!begins(h->name, "__") || !h->value.ptr || !utf8_valid(h->name) || !utf8_valid(h->value) ||
            begins(name, "debezium.") || mandate_slice_is(name, "key_schema_id") ||
            mandate_slice_is(name, "value_schema_id"))
            continue;
        mandate_slice plain = begins(name, "source_") ? mandate_slice_of(name.ptr + 7, name.len - 7) : name;
        if (cel_map_get(cel_map(f->source, f->source_count), cel_string(plain)))
            continue;
        if (mandate_slice_is(name, "op") && f->d->variables[DOCUMENT_OP].kind != CEL_NULL)
            continue;
        if (mandate_slice_is(name, "ts_ms") && f->d->variables[DOCUMENT_TS_MS].kind != CEL_NULL)
            continue;
        status = take_added(f, name, mandate_slice_is(name, "op") ? cel_string(h->value) : header_number(h->value));
    }
    return status;
}

static mandate_status judge(flat *f, cel_value row)
{
    document *d = f->d;
    const cel_value *op = &d->variables[DOCUMENT_OP];
    if (op->kind == CEL_NULL)
        d->variables[DOCUMENT_OP] = envelope_text(f->deleted ? "d" : "u");
    if (envelope_is_text(op, "d") || f->deleted) {
        d->variables[DOCUMENT_OP] = envelope_text("d");
        d->variables[DOCUMENT_BEFORE] = row;
        return MANDATE_OK;
    }
    if (envelope_is_text(op, "t"))
        d->kind = DOCUMENT_TRUNCATE;
    else if (envelope_is_text(op, "m"))
        d->kind = DOCUMENT_IGNORE;
    else if (!envelope_is_text(op, "c") && !envelope_is_text(op, "u") && !envelope_is_text(op, "r"))
        return mandate_error_set(f->err, MANDATE_INVALID, "`__op` is \"%.*s\"; Debezium has c, u, d, r, t and m",
                                 (int)(op->len < 32 ? op->len : 32), op->s);
    d->variables[DOCUMENT_AFTER] = row;
    return MANDATE_OK;
}

static mandate_status debezium_flat_open(document *out, arena *a, json_decoder *json, const record *r, cel_value key,
                                         cel_value value, mandate_error *err)
{
    document d = {.wanted = out->wanted};
    mandate_slice keep = MANDATE_SLICE_LIT(DEBEZIUM_UNAVAILABLE);
    flat f = {.d = &d, .err = err};
    (void)json;
    mandate_status status = connect_unwrap(&key, a, keep, err);
    if (status == MANDATE_OK)
        status = connect_unwrap(&value, a, keep, err);
    if (status == MANDATE_OK)
        status = envelope_begin(&d, a, r, key, value, err);
    if (status != MANDATE_OK)
        return status;
    d.keep = keep;
    if (value.kind == CEL_NULL) {
        d.kind = DOCUMENT_TOMBSTONE;
        d.variables[DOCUMENT_OP] = envelope_text("d");
        *out = d;
        return MANDATE_OK;
    }
    if (value.kind != CEL_MAP)
        return mandate_error_set(err, MANDATE_INVALID, "the value is %s, not a row", cel_kind_name((cel_kind)value.kind));
    if (envelope_member(value, "op") && envelope_member(value, "source") && envelope_member(value, "after"))
        return mandate_error_set(err, MANDATE_INVALID,
                                 "the value is a whole change event, not a flattened row: the envelope is debezium");
    f.row = ARENA_ARRAY(a, cel_entry, value.len);
    f.source = ARENA_ARRAY(a, cel_entry, value.len + r->header_count);
    if (!f.row || !f.source)
        return mandate_error_set(err, MANDATE_LIMIT, "no memory left for the row");
    d.variables[DOCUMENT_OP] = cel_null();
    status = take_row(&f, value);
    if (status == MANDATE_OK)
        status = take_headers(&f, r);
    if (status == MANDATE_OK)
        status = judge(&f, cel_map(f.row, f.row_count));
    if (f.source_count)
        d.variables[DOCUMENT_SOURCE] = cel_map(f.source, f.source_count);
    if (status == MANDATE_OK)
        *out = d;
    return status;
}

const envelope envelope_debezium_flat = {.name = "debezium-flat",
                                         .gives = GIVES_ALWAYS | GIVES(BEFORE) | GIVES(AFTER) | GIVES(SOURCE) | GIVES(TS_MS),
                                         .reads_headers = true,
                                         .open = debezium_flat_open};

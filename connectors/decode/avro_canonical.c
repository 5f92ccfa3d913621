/* SPDX-License-Identifier: Apache-2.0 */
/*
 * avro_canonical - Parsing Canonical Form and its CRC-64-AVRO, by which single-object encoding
 * names schemas.
 *
 * The transformations of the specification ([PRIMITIVES], [FULLNAMES], [STRIP], [ORDER], [STRINGS],
 * [INTEGERS], [WHITESPACE]) fall out of printing the resolved tree. Names and symbols are
 * identifiers, so there is nothing to escape.
 */
#include "connectors/decode/avro_schema.h"

#include <stdlib.h>

#include "engine/limits.h"

typedef struct printer {
    buf *out;
    bool *printed; /* by index of named type */
    avro_names names;
    uint32_t depth;
} printer;

static void put_text(buf *out, mandate_slice text)
{
    buf_put_char(out, '"');
    buf_put_slice(out, text);
    buf_put_char(out, '"');
}

static void put_name(const printer *p, const avro_type *t)
{
    if (p->names == AVRO_FULL_NAMES) {
        put_text(p->out, t->name);
        return;
    }
    const char *dot = memrchr(t->name.ptr, '.', t->name.len);
    const char *last = dot ? dot + 1 : t->name.ptr;
    buf_printf(p->out, "\"n%u_%.*s\"", t->index, (int)(t->name.ptr + t->name.len - last), last);
}

static bool put_type(printer *p, const avro_type *t);

static bool put_fields(printer *p, const avro_type *t)
{
    buf_put_str(p->out, ",\"type\":\"record\",\"fields\":[");
    for (uint32_t i = 0; i < t->count; i++) {
        buf_put_str(p->out, i ? ",{\"name\":" : "{\"name\":");
        put_text(p->out, t->fields[i].name);
        buf_put_str(p->out, ",\"type\":");
        if (!put_type(p, t->fields[i].type))
            return false;
        buf_put_char(p->out, '}');
    }
    buf_put_str(p->out, "]}");
    return true;
}

static bool put_named(printer *p, const avro_type *t)
{
    if (p->printed[t->index]) {
        put_name(p, t);
        return true;
    }
    p->printed[t->index] = true;
    buf_put_str(p->out, "{\"name\":");
    put_name(p, t);
    if (t->kind == AVRO_KIND_RECORD)
        return put_fields(p, t);
    if (t->kind == AVRO_KIND_FIXED) {
        buf_printf(p->out, ",\"type\":\"fixed\",\"size\":%u}", t->count);
        return true;
    }
    buf_put_str(p->out, ",\"type\":\"enum\",\"symbols\":[");
    for (uint32_t i = 0; i < t->count; i++) {
        if (i)
            buf_put_char(p->out, ',');
        put_text(p->out, t->symbols[i]);
    }
    buf_put_str(p->out, "]}");
    return true;
}

static bool put_shape(printer *p, const avro_type *t)
{
    bool ok = true;
    switch (t->kind) {
    case AVRO_KIND_RECORD:
    case AVRO_KIND_ENUM:
    case AVRO_KIND_FIXED:
        return put_named(p, t);
    case AVRO_KIND_ARRAY:
    case AVRO_KIND_MAP:
        buf_put_str(p->out, t->kind == AVRO_KIND_ARRAY ? "{\"type\":\"array\",\"items\":" : "{\"type\":\"map\",\"values\":");
        ok = put_type(p, t->item);
        buf_put_char(p->out, '}');
        return ok;
    case AVRO_KIND_UNION:
        buf_put_char(p->out, '[');
        for (uint32_t i = 0; i < t->count && ok; i++) {
            if (i)
                buf_put_char(p->out, ',');
            ok = put_type(p, t->branches[i]);
        }
        buf_put_char(p->out, ']');
        return ok;
    default:
        put_text(p->out, mandate_slice_str(avro_kind_name(t->kind)));
        return true;
    }
}

static bool put_type(printer *p, const avro_type *t)
{
    if (++p->depth > AVRO_EXPANSION || p->out->len > 4 * (size_t)LIMIT_AVRO_SCHEMA)
        return false;
    bool ok = put_shape(p, t);
    p->depth--;
    return ok;
}

mandate_status avro_canonical_put(buf *out, const avro_schema *schema, avro_names names, mandate_error *err)
{
    printer p = {out, calloc(schema->named_count + 1, sizeof(bool)), names, 0};
    if (!p.printed)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a schema");
    bool ok = put_type(&p, schema->root);
    free(p.printed);
    if (!ok)
        return mandate_error_set(err, MANDATE_LIMIT, "the schema nests its types deeper than %d, or is too long",
                                 AVRO_EXPANSION);
    if (out->failed)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a schema");
    return MANDATE_OK;
}

/* The Rabin fingerprint of the specification, bit by bit: schemas are short and seen once. */
uint64_t avro_crc64(mandate_slice bytes)
{
    const uint64_t empty = UINT64_C(0xc15d213aa4d7a795);
    uint64_t crc = empty;
    for (size_t i = 0; i < bytes.len; i++) {
        uint64_t row = (crc ^ (uint8_t)bytes.ptr[i]) & 0xFF;
        for (int bit = 0; bit < 8; bit++)
            row = (row >> 1) ^ (empty & -(row & 1));
        crc = (crc >> 8) ^ row;
    }
    return crc;
}

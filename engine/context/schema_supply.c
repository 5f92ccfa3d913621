/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema_supply - which sources tell which fields of a type, and which may delete its entities: what a fresh value rests on.
 *
 * A list that is looked through: a few hundred rows, when a condition is compiled and when files are compared.
 */
#include "engine/context/schema_int.h"

static bool same(const schema_supply *a, const schema_supply *b)
{
    return a->type == b->type && a->field == b->field && a->source == b->source && a->deletes == b->deletes;
}

mandate_status schema_declare_supply(schema *s, uint16_t type, mandate_slice field, uint16_t source, bool deletes,
                                     mandate_error *err)
{
    const schema_supply row = {
        .type = type,
        .field = field.len ? schema_field_find(&s->types.data[type], field) : SCHEMA_NONE,
        .source = source,
        .deletes = deletes,
    };
    for (uint32_t i = 0; i < s->supplies.len; i++)
        if (same(&s->supplies.data[i], &row))
            return MANDATE_OK;
    return VEC_PUSH(&s->supplies, row) ? MANDATE_OK : mandate_error_set(err, MANDATE_NOMEM, "out of memory for a schema");
}

const schema_supply *schema_supplies(const schema *s, uint32_t *count)
{
    *count = s->supplies.len;
    return s->supplies.data;
}

static void add(source_set *out, uint16_t source) { out->words[source / 64] |= UINT64_C(1) << source % 64; }

static void add_rows(source_set *out, const schema *s, uint16_t type, uint16_t field, bool any)
{
    for (uint32_t i = 0; i < s->supplies.len; i++) {
        const schema_supply *row = &s->supplies.data[i];
        if (row->type == type && (any || row->deletes || (field != SCHEMA_NONE && row->field == field)))
            add(out, row->source);
    }
}

static bool is_told(const schema *s, uint16_t type, uint16_t field)
{
    for (uint32_t i = 0; i < s->supplies.len; i++)
        if (s->supplies.data[i].type == type && s->supplies.data[i].field == field)
            return true;
    return s->types.data[type].fields[field].manual; /* people: as fresh as the last commit */
}

void schema_field_sources(source_set *out, const schema *s, uint16_t type, uint16_t field)
{
    const schema_field *f = &s->types.data[type].fields[field];

    add_rows(out, s, type, field, false);
    if (f->kind == SCHEMA_INVERSE) { /* it is their reference that is read backwards */
        type = f->target;
        field = f->inverse;
        add_rows(out, s, type, field, false);
    }
    out->all |= !is_told(s, type, field);
}

void schema_type_sources(source_set *out, const schema *s, uint16_t type)
{
    const uint32_t before = s->supplies.len;
    bool any = false;

    for (uint32_t i = 0; i < before; i++)
        any |= s->supplies.data[i].type == type;
    add_rows(out, s, type, SCHEMA_NONE, true);
    out->all |= !any;
}

void source_set_add(source_set *out, const source_set *more)
{
    for (uint32_t i = 0; i < SOURCE_SET_WORDS; i++)
        out->words[i] |= more->words[i];
    out->all |= more->all;
}

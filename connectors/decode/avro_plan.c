/* SPDX-License-Identifier: Apache-2.0 */
/*
 * avro_plan - compiles types to steps, and refuses schemas whose data could not be bounded by its
 * length.
 *
 * Two kinds of schema are refused here, because no record of theirs can be trusted: a record that
 * contains itself without array, map or union between (no finite datum exists), and an array whose
 * items take no bytes (six bytes could claim two thousand million of them).
 */
#include "connectors/decode/avro_plan.h"

#include <stdlib.h>

typedef struct compiler {
    arena *memory;
    avro_step **named;   /* by index of named type; NULL: not met yet */
    uint8_t *width_done; /* per named type: WIDTH_* */
    uint32_t depth;
    mandate_error *err;
} compiler;

enum { WIDTH_NEW, WIDTH_OPEN, WIDTH_ZERO, WIDTH_SOME };

static mandate_status no_memory(compiler *c) { return mandate_error_set(c->err, MANDATE_NOMEM, "no memory for a schema"); }

/* --- zero width, on types, before any step exists --- */

static mandate_status width_of(bool *zero, compiler *c, const avro_type *t)
{
    mandate_status status = MANDATE_OK;
    *zero = t->kind == AVRO_KIND_NULL || (t->kind == AVRO_KIND_FIXED && t->count == 0);
    if (t->kind != AVRO_KIND_RECORD)
        return MANDATE_OK;
    uint8_t *done = &c->width_done[t->index];
    if (*done == WIDTH_OPEN)
        return mandate_error_set(c->err, MANDATE_INVALID, "the record %.*s contains itself, so that no datum of it ends",
                                 MANDATE_SLICE_ARG(t->name));
    if (*done == WIDTH_NEW) {
        bool all = true, one;
        *done = WIDTH_OPEN;
        if (++c->depth > AVRO_EXPANSION)
            return mandate_error_set(c->err, MANDATE_LIMIT, "records nested deeper than %d", AVRO_EXPANSION);
        for (uint32_t i = 0; i < t->count; i++) {
            status = width_of(&one, c, t->fields[i].type);
            if (status != MANDATE_OK)
                return status;
            all = all && one;
        }
        c->depth--;
        *done = all ? WIDTH_ZERO : WIDTH_SOME;
    }
    *zero = *done == WIDTH_ZERO;
    return MANDATE_OK;
}

/* --- steps --- */

static mandate_status compile(const avro_step **out, compiler *c, const avro_type *t);

static mandate_status compile_record(avro_step *step, compiler *c, const avro_type *t)
{
    avro_member *members = ARENA_ARRAY(c->memory, avro_member, t->count);
    if (!members)
        return no_memory(c);
    step->members = members;
    step->kept = t->count;
    for (uint32_t i = 0; i < t->count; i++) {
        members[i].key = cel_string(t->fields[i].name);
        members[i].has_default = t->fields[i].has_default;
        members[i].fallback = t->fields[i].fallback;
        mandate_status status = compile(&members[i].step, c, t->fields[i].type);
        if (status != MANDATE_OK)
            return status;
    }
    return MANDATE_OK;
}

static mandate_status compile_enum(avro_step *step, compiler *c, const avro_type *t)
{
    cel_value *symbols = ARENA_ARRAY(c->memory, cel_value, t->count);
    if (!symbols)
        return no_memory(c);
    for (uint32_t i = 0; i < t->count; i++)
        symbols[i] = cel_string(t->symbols[i]);
    step->symbols = symbols;
    return MANDATE_OK;
}

static mandate_status compile_union(avro_step *step, compiler *c, const avro_type *t)
{
    const avro_step **branches = ARENA_ARRAY(c->memory, const avro_step *, t->count);
    if (!branches)
        return no_memory(c);
    step->branches = branches;
    for (uint32_t i = 0; i < t->count; i++) {
        mandate_status status = compile(&branches[i], c, t->branches[i]);
        if (status != MANDATE_OK)
            return status;
    }
    return MANDATE_OK;
}

static mandate_status compile_item(avro_step *step, compiler *c, const avro_type *t)
{
    bool zero;
    mandate_status status = width_of(&zero, c, t->item);
    if (status == MANDATE_OK && zero && t->kind == AVRO_KIND_ARRAY)
        status = mandate_error_set(c->err, MANDATE_UNSUPPORTED,
                                   "an array of %s that take no bytes: its length could not be trusted",
                                   avro_kind_name(t->item->kind));
    return status == MANDATE_OK ? compile(&step->item, c, t->item) : status;
}

static avro_op op_of(const avro_type *t)
{
    static const avro_op with_meaning[] = {
        [AVRO_KIND_INT] = AVRO_OP_INT_AS,     [AVRO_KIND_LONG] = AVRO_OP_LONG_AS,   [AVRO_KIND_STRING] = AVRO_OP_STRING_AS,
        [AVRO_KIND_BYTES] = AVRO_OP_BYTES_AS, [AVRO_KIND_FIXED] = AVRO_OP_FIXED_AS, [AVRO_KIND_RECORD] = AVRO_OP_RECORD_AS,
    };
    if (t->meaning != SEMANTIC_NONE)
        return with_meaning[t->kind];
    return (avro_op)t->kind; /* the first operations are the kinds */
}
_Static_assert((int)AVRO_OP_STRING == (int)AVRO_KIND_STRING && (int)AVRO_OP_UNION == (int)AVRO_KIND_UNION,
               "a kind is the operation that reads it");

static mandate_status compile_parts(avro_step *step, compiler *c, const avro_type *t)
{
    switch (t->kind) {
    case AVRO_KIND_RECORD:
        return compile_record(step, c, t);
    case AVRO_KIND_ENUM:
        return compile_enum(step, c, t);
    case AVRO_KIND_ARRAY:
    case AVRO_KIND_MAP:
        return compile_item(step, c, t);
    case AVRO_KIND_UNION:
        return compile_union(step, c, t);
    default:
        return MANDATE_OK;
    }
}

static mandate_status compile(const avro_step **out, compiler *c, const avro_type *t)
{
    if (avro_is_named(t->kind) && c->named[t->index]) {
        *out = c->named[t->index];
        return MANDATE_OK;
    }
    avro_step *step = ARENA_NEW(c->memory, avro_step);
    if (!step)
        return no_memory(c);
    step->op = (uint8_t)op_of(t);
    step->meaning = (uint8_t)t->meaning;
    step->scale = t->scale;
    step->count = t->count;
    if (avro_is_named(t->kind))
        c->named[t->index] = step;
    *out = step;

    bool zero; /* asked for the refusal of endless records */
    mandate_status status = width_of(&zero, c, t);
    if (status != MANDATE_OK)
        return status;
    if (++c->depth > AVRO_EXPANSION)
        return mandate_error_set(c->err, MANDATE_LIMIT, "types nested deeper than %d", AVRO_EXPANSION);
    status = compile_parts(step, c, t);
    c->depth--;
    return status;
}

static mandate_status fingerprint(uint64_t *out, const avro_schema *schema, mandate_error *err)
{
    buf text;
    buf_init(&text);
    mandate_status status = avro_canonical_put(&text, schema, AVRO_FULL_NAMES, err);
    if (status == MANDATE_OK)
        *out = avro_crc64(buf_slice(&text));
    buf_deinit(&text);
    return status;
}

mandate_status avro_plan_create(avro_plan **out, mandate_slice schema_json, const mandate_slice *references,
                                uint32_t reference_count, mandate_error *err)
{
    avro_schema schema;
    compiler c = {.err = err};
    mandate_status status;
    avro_plan *plan = calloc(1, sizeof *plan);
    if (!plan)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a schema");
    arena_init(&plan->memory, 0);
    c.memory = &plan->memory;

    status = avro_schema_parse(&schema, &plan->memory, schema_json, references, reference_count, err);
    if (status == MANDATE_OK)
        status = avro_schema_confirm(&schema, err);
    if (status == MANDATE_OK)
        status = fingerprint(&plan->fingerprint, &schema, err);
    if (status != MANDATE_OK)
        goto done;

    c.named = ARENA_ARRAY(&plan->memory, avro_step *, schema.named_count);
    c.width_done = ARENA_ARRAY(&plan->memory, uint8_t, schema.named_count);
    status = c.named && c.width_done ? compile(&plan->root, &c, schema.root) : no_memory(&c);
done:
    if (status != MANDATE_OK) {
        avro_plan_destroy(plan);
        return mandate_error_prefix(err, status, "Avro schema");
    }
    *out = plan;
    return MANDATE_OK;
}

/* --- projecting: new steps for what is read in part or has defaults, the plan's own for the rest --- */

enum { RESOLVE_DEPTH = 8 }; /* of records in records that get defaults; types may contain themselves */

static const avro_step *project(arena *a, const avro_step *step, const projection *p, const avro_step *reader,
                                uint32_t depth);

static const avro_member *find_member(const avro_step *step, mandate_slice name)
{
    for (uint32_t i = 0; i < step->count; i++)
        if (mandate_slice_eq(cel_text(step->members[i].key), name))
            return &step->members[i];
    return NULL;
}

/* The record that a reader expects there, if it does. */
static const avro_step *record_of(const avro_step *reader)
{
    for (uint32_t i = 0; reader && reader->op == AVRO_OP_UNION && i < reader->count; i++)
        if (reader->branches[i]->op == AVRO_OP_RECORD)
            return reader->branches[i];
    return reader && reader->op == AVRO_OP_RECORD ? reader : NULL;
}

static const projection *below_of(const projection *p, cel_value key)
{
    return p->all ? p : projection_find(p, cel_text(key));
}

static bool adds(const avro_step *step, const projection *p, const avro_member *expected)
{
    return expected->has_default && below_of(p, expected->key) && !find_member(step, cel_text(expected->key));
}

static const avro_step *project_record(arena *a, const avro_step *step, const projection *p, const avro_step *reader,
                                       uint32_t depth)
{
    uint32_t extra = 0;
    reader = record_of(reader);
    for (uint32_t i = 0; reader && i < reader->count; i++)
        extra += adds(step, p, &reader->members[i]);
    avro_step *out = ARENA_NEW(a, avro_step);
    avro_member *members = ARENA_ARRAY(a, avro_member, step->count + extra), *added = members + step->count;
    if (!out || !members)
        return NULL;
    *out = *step;
    out->members = members;
    out->count = step->count + extra;
    out->kept = extra;
    for (uint32_t i = 0; i < step->count; i++) {
        const avro_member *expected = reader ? find_member(reader, cel_text(step->members[i].key)) : NULL;
        const projection *below = below_of(p, step->members[i].key);
        members[i] = step->members[i];
        members[i].use = below ? AVRO_READ : p->keep_keys ? AVRO_SKIP_KEEP : AVRO_SKIP;
        if (below && !(members[i].step = project(a, members[i].step, below, expected ? expected->step : NULL, depth + 1)))
            return NULL;
        out->kept += members[i].use != AVRO_SKIP;
    }
    for (uint32_t i = 0; extra && i < reader->count; i++)
        if (adds(step, p, &reader->members[i])) {
            *added = reader->members[i];
            added++->use = AVRO_DEFAULT;
        }
    return out;
}

static const avro_step *project_union(arena *a, const avro_step *step, const projection *p, const avro_step *reader,
                                      uint32_t depth)
{
    avro_step *out = ARENA_NEW(a, avro_step);
    const avro_step **branches = ARENA_ARRAY(a, const avro_step *, step->count);
    if (!out || !branches)
        return NULL;
    *out = *step;
    out->branches = branches;
    for (uint32_t i = 0; i < step->count; i++)
        if (!(branches[i] = project(a, step->branches[i], p, reader, depth)))
            return NULL;
    return out;
}

/* As deep as the projection, which is as deep as an expression, or RESOLVE_DEPTH: recursive types end there. */
static const avro_step *project(arena *a, const avro_step *step, const projection *p, const avro_step *reader,
                                uint32_t depth)
{
    if (p->all && (!reader || depth == RESOLVE_DEPTH))
        return step;
    if (step->op == AVRO_OP_RECORD)
        return project_record(a, step, p, reader, depth);
    return step->op == AVRO_OP_UNION ? project_union(a, step, p, reader, depth) : step;
}

mandate_status avro_plan_project(avro_plan **out, const avro_plan *plan, const projection *p, const avro_plan *reader,
                                 mandate_error *err)
{
    static const projection everything = {.all = true};
    avro_plan *projected = calloc(1, sizeof *projected);
    if (!projected)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a schema");
    arena_init(&projected->memory, 0);
    projected->fingerprint = plan->fingerprint;
    projected->root = project(&projected->memory, plan->root, p ? p : &everything, reader ? reader->root : NULL, 0);
    if (!projected->root) {
        avro_plan_destroy(projected);
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a schema");
    }
    *out = projected;
    return MANDATE_OK;
}

void avro_plan_destroy(avro_plan *plan)
{
    if (!plan)
        return;
    arena_deinit(&plan->memory);
    free(plan);
}

uint64_t avro_plan_fingerprint(const avro_plan *plan) { return plan->fingerprint; }

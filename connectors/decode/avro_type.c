/* SPDX-License-Identifier: Apache-2.0 */
/*
 * avro_type - the CEL type of what a plan decodes, for checking expressions before the first record.
 *
 * Records are object types, named by where they are met first; a nullable primitive is a wrapper. What CEL cannot say
 * (other unions, nullable times) is dyn, so that a check against it never refuses what would have worked.
 */
#include <stdio.h>

#include "connectors/decode/avro_plan.h"
#include "engine/base/vec.h"

enum { RECORDS_MAX = 512, PATH_MAX_BYTES = 160 };

typedef struct typer {
    cel_env *env;
    mandate_error *err;
    const avro_step *steps[RECORDS_MAX];
    const cel_type *types[RECORDS_MAX];
    uint32_t count;
    mandate_status status;
} typer;

static const cel_type *type_of(typer *t, const avro_step *step, const char *path);

static const cel_type *dyn(void) { return cel_type_simple(CEL_TYPE_DYN); }

static const cel_type *record_type(typer *t, const avro_step *step, const char *path)
{
    char name[PATH_MAX_BYTES], below[PATH_MAX_BYTES];
    VEC(cel_field) fields = {0};
    for (uint32_t i = 0; i < t->count; i++)
        if (t->steps[i] == step)
            return t->types[i];
    if (t->count == RECORDS_MAX)
        return dyn();
    snprintf(name, sizeof name, "schema.%s", path);
    const cel_type *object = cel_type_object(t->env, name);
    if (!object)
        return NULL;
    t->steps[t->count] = step;
    t->types[t->count++] = object;
    for (uint32_t i = 0; i < step->count; i++) {
        mandate_slice key = cel_text(step->members[i].key); /* from a schema parsed with NUL-terminated names */
        snprintf(below, sizeof below, "%s.%.*s", path, MANDATE_SLICE_ARG(key));
        cel_field f = {key.ptr, type_of(t, step->members[i].step, below)};
        if (!f.type || !VEC_PUSH(&fields, f)) {
            VEC_FREE(&fields);
            return NULL;
        }
    }
    mandate_status status = cel_env_fields(t->env, object, fields.data, fields.len, t->err);
    VEC_FREE(&fields);
    if (status != MANDATE_OK)
        t->status = status;
    return status == MANDATE_OK ? object : NULL;
}

/* ["null", X] */
static const cel_type *union_type(typer *t, const avro_step *step, const char *path)
{
    const avro_step *other = NULL;
    for (uint32_t i = 0; i < step->count; i++) {
        if (step->branches[i]->op == AVRO_OP_NULL)
            continue;
        if (other)
            return dyn();
        other = step->branches[i];
    }
    if (!other)
        return cel_type_simple(CEL_TYPE_NULL);
    const cel_type *type = type_of(t, other, path);
    if (!type || step->count == 1)
        return type;
    switch (type->kind) {
    case CEL_TYPE_BOOL:
    case CEL_TYPE_INT:
    case CEL_TYPE_DOUBLE:
    case CEL_TYPE_STRING:
    case CEL_TYPE_BYTES:
        return cel_type_wrapper(t->env, type);
    case CEL_TYPE_OBJECT:
        return type; /* objects are compared with null anyhow */
    default:
        return dyn();
    }
}

static const cel_type *meaning_type(const avro_step *step, cel_type_kind plain)
{
    switch ((semantic)step->meaning) {
    case SEMANTIC_DATE:
    case SEMANTIC_TIMESTAMP_MILLIS:
    case SEMANTIC_TIMESTAMP_MICROS:
    case SEMANTIC_TIMESTAMP_NANOS:
    case SEMANTIC_TIMESTAMP_TEXT:
        return cel_type_simple(CEL_TYPE_TIMESTAMP);
    case SEMANTIC_TIME_MILLIS:
    case SEMANTIC_TIME_MICROS:
    case SEMANTIC_TIME_NANOS:
    case SEMANTIC_DURATION:
        return cel_type_simple(CEL_TYPE_DURATION);
    case SEMANTIC_DECIMAL:
    case SEMANTIC_VARIABLE_DECIMAL:
    case SEMANTIC_UUID:
        return cel_type_simple(CEL_TYPE_STRING);
    case SEMANTIC_NONE:
        break;
    }
    return cel_type_simple(plain);
}

static const cel_type *type_of(typer *t, const avro_step *step, const char *path)
{
    const cel_type *item;
    switch ((avro_op)step->op) {
    case AVRO_OP_NULL:
        return cel_type_simple(CEL_TYPE_NULL);
    case AVRO_OP_BOOLEAN:
        return cel_type_simple(CEL_TYPE_BOOL);
    case AVRO_OP_INT:
    case AVRO_OP_LONG:
    case AVRO_OP_INT_AS:
    case AVRO_OP_LONG_AS:
        return meaning_type(step, CEL_TYPE_INT);
    case AVRO_OP_FLOAT:
    case AVRO_OP_DOUBLE:
        return cel_type_simple(CEL_TYPE_DOUBLE);
    case AVRO_OP_BYTES:
    case AVRO_OP_FIXED:
        return cel_type_simple(CEL_TYPE_BYTES);
    case AVRO_OP_STRING:
    case AVRO_OP_ENUM:
        return cel_type_simple(CEL_TYPE_STRING);
    case AVRO_OP_STRING_AS:
    case AVRO_OP_BYTES_AS:
    case AVRO_OP_FIXED_AS:
    case AVRO_OP_RECORD_AS:
        return meaning_type(step, CEL_TYPE_DYN);
    case AVRO_OP_RECORD:
        return record_type(t, step, path);
    case AVRO_OP_ARRAY:
        item = type_of(t, step->item, path);
        return item ? cel_type_list(t->env, item) : NULL;
    case AVRO_OP_MAP:
        item = type_of(t, step->item, path);
        return item ? cel_type_map(t->env, cel_type_simple(CEL_TYPE_STRING), item) : NULL;
    case AVRO_OP_UNION:
        return union_type(t, step, path);
    }
    return dyn();
}

mandate_status avro_plan_type(const cel_type **out, const avro_plan *plan, cel_env *env, const char *name,
                              mandate_error *err)
{
    typer t = {.env = env, .err = err};
    *out = type_of(&t, plan->root, name);
    if (*out)
        return MANDATE_OK;
    return t.status ? t.status : mandate_error_set(err, MANDATE_NOMEM, "no memory for the types of a schema");
}

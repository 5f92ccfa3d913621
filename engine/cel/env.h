/* SPDX-License-Identifier: Apache-2.0 */
/*
 * env - the inside of an environment, for the passes of this folder (users see type.h).
 *
 * Immutable once the first expression is parsed against it, so any number of threads may read it.
 * One name means one thing: a variable or a table. Object type 0 is the first object named.
 */
#ifndef MANDATE_ENGINE_CEL_ENV_H
#define MANDATE_ENGINE_CEL_ENV_H

#include "engine/base/hash.h"
#include "engine/base/table.h"
#include "engine/base/vec.h"
#include "engine/cel/type.h"

typedef struct cel_decl {
    mandate_slice name;
    const cel_type *type; /* a TABLE type for a table */
    uint32_t var;         /* index of a variable; CEL_REF_NONE (UINT32_MAX) for a table */
} cel_decl;

typedef struct cel_field_sizes {
    uint32_t text_max, items_max;
} cel_field_sizes;

typedef struct cel_object_decl {
    const cel_type *type;
    const cel_field *fields;
    cel_field_sizes *sizes; /* beside `fields`; NULL: none was declared */
    uint32_t count;
    bool declared; /* has its fields */
} cel_object_decl;

struct cel_overload; /* function.h */

/* `now` is no variable of the host's and takes no index of theirs. */
#define CEL_VAR_NOW (UINT32_MAX - 1)

struct cel_env {
    arena memory;
    uint32_t libraries;
    uint32_t variable_count;
    uint32_t now; /* CEL_VAR_NOW where `now` is declared, else UINT32_MAX */
    mandate_slice container;
    VEC(cel_decl) decls;
    table decl_names;
    VEC(const struct cel_overload *) functions; /* declared ones */
    VEC(cel_object_decl) objects;
    table object_names;
    VEC(const cel_type *) types; /* interned lists, maps, optionals, tables, types of types */
    table type_index;
};

/* The declaration of exactly that name, or NULL. */
const cel_decl *cel_env_find(const cel_env *env, mandate_slice name);
/* The object type of exactly that name, or NULL. */
const cel_object_decl *cel_env_object(const cel_env *env, mandate_slice name);
static inline const cel_object_decl *cel_env_object_at(const cel_env *env, uint16_t index)
{
    return index < env->objects.len ? &env->objects.data[index] : NULL;
}
/* Name of an object type by its index; "object" when there is none such. */
const char *cel_object_name(const cel_env *env, uint16_t index);
/* The interned type, or NULL: it was never made in this environment. */
const cel_type *cel_env_interned(const cel_env *env, cel_type_kind kind, const cel_type *p0, const cel_type *p1);
/* The type of a table of such objects; NULL when out of memory. */
const cel_type *cel_type_table(cel_env *env, const cel_type *object);
/* What a standard type name ("int", "google.protobuf.Timestamp") denotes, or NULL. */
const cel_type *cel_type_denoted(uint32_t libraries, mandate_slice name);

/* The simple types, by kind, as constants. */
extern const cel_type cel_simple_types[CEL_TYPE_KIND_COUNT];

#endif

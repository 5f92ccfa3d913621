/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world - what compliance rules see: claims by the names that they have in JSON, the parent's, who asks, and now.
 *
 * patterns.overlaps("finance.*") is true when some pattern of the list and this one have a name in common: "finance.pay",
 * "fin*" and "*" all do. A rule about finance is not escaped by a wider scope.
 */
#include "connectors/comply/comply_int.h"
#include "engine/mandate/required.h"

#include <assert.h>

typedef struct field_row {
    const char *name, *type;
} field_row;

enum { OBJECT_SCOPE, OBJECT_MANDATE };
enum { VARIABLE_MANDATE, VARIABLE_PARENT, VARIABLE_PRINCIPAL, VARIABLE_OPERATION };

#define X(id, name, type, text) {name, type},
static const field_row mandate_fields[] = {COMPLY_MANDATE_MAP(X)}, scope_fields[] = {COMPLY_SCOPE_MAP(X)};
#undef X
#define X(id, name, type, text) FIELD_##id,
enum { COMPLY_MANDATE_MAP(X) MANDATE_FIELDS };
enum { COMPLY_SCOPE_MAP(X) SCOPE_FIELDS };
#undef X

/* --- declarations --------------------------------------------------------------------------------------------- */
static mandate_status declare(cel_env *env, const cel_type **out, const char *name, const field_row *rows, uint32_t count,
                              mandate_error *err)
{
    enum { FIELDS_MAX = 32 };
    cel_field fields[FIELDS_MAX];
    mandate_status status;

    assert(count <= FIELDS_MAX);
    *out = cel_type_object(env, name);
    status = *out ? MANDATE_OK : mandate_error_set(err, MANDATE_NOMEM, "out of memory for compliance rules");
    for (uint32_t i = 0; !status && i < count; i++) {
        fields[i] = (cel_field){rows[i].name, cel_type_parse(env, mandate_slice_str(rows[i].type), err)};
        status = fields[i].type ? MANDATE_OK : MANDATE_NOMEM;
    }
    return status ? status : cel_env_fields(env, *out, fields, count, err);
}

static mandate_status declare_overlaps(cel_env *env, mandate_error *err)
{
    const cel_type *text = cel_type_simple(CEL_TYPE_STRING), *params[2] = {cel_type_list(env, text), text};
    const cel_signature overlaps = {.name = "overlaps",
                                    .overload = "patterns_overlaps_pattern",
                                    .member = true,
                                    .params = params,
                                    .param_count = 2,
                                    .result = cel_type_simple(CEL_TYPE_BOOL)};

    return params[0] ? cel_env_function(env, &overlaps, err) : MANDATE_NOMEM;
}

mandate_status comply_env_create(cel_env **out, mandate_error *err)
{
    cel_env *env = NULL;
    const cel_type *scope = NULL, *mandate = NULL;
    uint32_t index;
    mandate_status status = cel_env_create(&env, CEL_LIB_ALL & ~(uint32_t)CEL_LIB_MAPPING, err);

    if (!status)
        status = declare(env, &scope, "Scope", scope_fields, SCOPE_FIELDS, err);
    if (!status)
        status = declare(env, &mandate, "Mandate", mandate_fields, MANDATE_FIELDS, err);
    const struct {
        const char *name;
        const cel_type *type;
    } variables[] = {[VARIABLE_MANDATE] = {"mandate", mandate},
                     [VARIABLE_PARENT] = {"parent", mandate},
                     [VARIABLE_PRINCIPAL] = {"principal", cel_type_simple(CEL_TYPE_STRING)},
                     [VARIABLE_OPERATION] = {"operation", cel_type_simple(CEL_TYPE_STRING)}};
    for (uint32_t i = 0; !status && i < sizeof(variables) / sizeof(*variables); i++) {
        status = cel_env_variable(&index, env, variables[i].name, variables[i].type, err);
        assert(status || index == i);
    }
    if (!status)
        status = declare_overlaps(env, err);
    if (!status)
        status = cel_env_now(env, err);
    if (status)
        cel_env_destroy(env);
    else
        *out = env;
    return status;
}

/* --- values ----------------------------------------------------------------------------------------------------- */
static cel_value text(mandate_slice s) { return cel_string(s.ptr ? s : mandate_slice_of("", 0)); }

static cel_value texts(arena *a, const mandate_slice *items, uint32_t count)
{
    cel_value *out = ARENA_ARRAY(a, cel_value, count ? count : 1);

    if (!out)
        return cel_error(a, "out of memory");
    for (uint32_t i = 0; i < count; i++)
        out[i] = text(items[i]);
    return cel_list(out, count);
}

static cel_value limits_of(arena *a, const claims *c)
{
    cel_entry *out = ARENA_ARRAY(a, cel_entry, c->limit_count ? c->limit_count : 1);

    if (!out)
        return cel_error(a, "out of memory");
    for (uint32_t i = 0; i < c->limit_count; i++)
        out[i] = (cel_entry){text(c->limits[i].name), c->limits[i].max};
    return cel_map(out, c->limit_count);
}

static cel_value requires_of(arena *a, const claims *c)
{
    cel_value v = required_value(a, c);

    return v.kind == CEL_MAP ? v : cel_error(a, "out of memory");
}

static cel_value map_or_empty(cel_value v) { return v.kind == CEL_MAP ? v : cel_map(NULL, 0); }

/* As the engine fills it in. */
static int64_t depth_of(const comply_question *q, const claims *c)
{
    if (c->depth_max != CLAIMS_DEPTH_UNSET)
        return c->depth_max;
    if (c->parent.len == 0)
        return LIMIT_DELEGATION_DEPTH;
    if (c == q->claims && q->parent && q->parent->depth_max != CLAIMS_DEPTH_UNSET)
        return q->parent->depth_max ? q->parent->depth_max - 1 : 0;
    return LIMIT_DELEGATION_DEPTH;
}

static cel_value mandate_field(const comply_question *q, arena *a, const claims *c, uint32_t field)
{
    switch (field) {
    case FIELD_ID:
        return text(c->id);
    case FIELD_ISSUER:
        return text(c->issuer);
    case FIELD_GRANTOR:
        return text(c->grantor);
    case FIELD_AGENT:
        return text(c->agent);
    case FIELD_PURPOSE:
        return text(c->purpose);
    case FIELD_SCOPE:
        return cel_object(OBJECT_SCOPE, c);
    case FIELD_WHILE:
        return text(c->clause[CLAUSE_WHILE]);
    case FIELD_UNTIL:
        return text(c->clause[CLAUSE_UNTIL]);
    case FIELD_SUSPEND_WHILE:
        return text(c->clause[CLAUSE_SUSPEND_WHILE]);
    case FIELD_PARAMS:
        return map_or_empty(c->params);
    case FIELD_TARGETS:
        return map_or_empty(c->targets);
    case FIELD_AUDIENCE:
        return texts(a, c->audience, c->audience_count);
    case FIELD_PARENT:
        return text(c->parent);
    case FIELD_MAX_DEPTH:
        return cel_int(depth_of(q, c));
    case FIELD_ON_UNKNOWN:
        return text(mandate_slice_str(c->on_unknown == ON_UNKNOWN_SUSPEND ? "suspend" : "hold"));
    case FIELD_UNKNOWN_GRACE:
        return cel_duration(c->unknown_grace_us / 1000000, (uint32_t)(c->unknown_grace_us % 1000000) * 1000);
    default:
        assert(field == FIELD_EXPIRES_AT);
        return cel_timestamp_us(c->expires_at_us);
    }
}

static cel_value scope_field(arena *a, const claims *c, uint32_t field)
{
    switch (field) {
    case FIELD_ACTIONS:
        return texts(a, c->actions, c->action_count);
    case FIELD_RESOURCES:
        return texts(a, c->resources, c->resource_count);
    default:
        assert(field == FIELD_LIMITS || field == FIELD_REQUIRE);
        return field == FIELD_LIMITS ? limits_of(a, c) : requires_of(a, c);
    }
}

static cel_value host_variable(void *ctx, cel_activation *act, uint32_t index)
{
    const comply_question *q = ctx;

    switch (index) {
    case VARIABLE_MANDATE:
        return cel_object(OBJECT_MANDATE, q->claims);
    case VARIABLE_PARENT:
        return q->parent
                   ? cel_object(OBJECT_MANDATE, q->parent)
                   : cel_error(act->memory, q->claims->parent.len ? "the parent is not known"
                                                                  : "a root has no parent: guard it by has(mandate.parent)");
    case VARIABLE_PRINCIPAL:
        return text(q->principal);
    default:
        assert(index == VARIABLE_OPERATION);
        return text(mandate_slice_str(comply_operation_names[q->operation]));
    }
}

static cel_value host_field(void *ctx, cel_activation *act, cel_value object, uint32_t field)
{
    return object.type == OBJECT_SCOPE ? scope_field(act->memory, object.object, field)
                                       : mandate_field(ctx, act->memory, object.object, field);
}

static cel_value host_has(void *ctx, cel_activation *act, cel_value object, uint32_t field)
{
    cel_value v = host_field(ctx, act, object, field);
    bool empty = (v.kind == CEL_STRING || v.kind == CEL_LIST || v.kind == CEL_MAP) && v.len == 0;

    return v.kind == CEL_ERROR ? v : cel_bool(!empty);
}

static cel_value host_call(void *ctx, cel_activation *act, mandate_slice name, const cel_value *args, uint32_t count)
{
    (void)ctx;
    if (!mandate_slice_is(name, "overlaps") || count != 2 || args[0].kind != CEL_LIST || args[1].kind != CEL_STRING)
        return cel_error(act->memory, "no such function");
    mandate_slice asked = cel_text(args[1]);
    for (uint32_t i = 0; i < args[0].len; i++) {
        if (args[0].items[i].kind != CEL_STRING)
            return cel_error(act->memory, "overlaps() takes a list of texts");
        mandate_slice pattern = cel_text(args[0].items[i]);
        if (scope_covers(pattern, asked) || scope_covers(asked, pattern))
            return cel_bool(true);
    }
    return cel_bool(false);
}

static const cel_host host = {.variable = host_variable, .field = host_field, .has = host_has, .call = host_call};

cel_value comply_eval(const cel_program *program, const comply_question *q, arena *a, uint64_t *left)
{
    cel_activation act = {.host = &host,
                          .ctx = (void *)(uintptr_t)q,
                          .memory = a,
                          .now_us = q->now_us,
                          .cost_max = *left,
                          .certain_until_us = CEL_CERTAIN_FOREVER};

    if (*left == 0)
        return cel_error(a, "the rules cost too much together");
    cel_value v = cel_eval(program, &act);
    *left -= act.cost < *left ? act.cost : *left;
    return v;
}

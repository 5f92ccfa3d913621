/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world - what a policy's conditions see: objects whose fields are read when they are asked for, and unknown where the
 * question does not say.
 */
#include "connectors/policy/policy_int.h"
#include "engine/mandate/required.h"

#include <assert.h>

typedef struct world {
    const policy *p;
    const policy_question *q;
    cel_value payload; /* of a token, for the conditions of its issuer */
} world;

typedef struct field_row {
    const char *name, *type;
} field_row;

#define X(id, name, type, text) {name, type},
static const field_row principal_fields[] = {POLICY_PRINCIPAL_MAP(X)}, mandate_fields[] = {POLICY_MANDATE_MAP(X)},
                       request_fields[] = {POLICY_REQUEST_MAP(X)};
#undef X
#define X(id, name, type, text) PRINCIPAL_FIELD_##id,
enum { POLICY_PRINCIPAL_MAP(X) PRINCIPAL_FIELDS };
#undef X
#define X(id, name, type, text) MANDATE_FIELD_##id,
enum { POLICY_MANDATE_MAP(X) MANDATE_FIELDS };
#undef X
#define X(id, name, type, text) REQUEST_FIELD_##id,
enum { POLICY_REQUEST_MAP(X) REQUEST_FIELDS };
#undef X

/* --- declarations ---------------------------------------------------------------------------------------------- */
static const struct {
    const char *type, *variable;
    const field_row *fields;
    uint32_t count;
} objects[] = {
    [POLICY_OBJECT_PRINCIPAL] = {"Principal", "principal", principal_fields, PRINCIPAL_FIELDS},
    [POLICY_OBJECT_MANDATE] = {"Mandate", "mandate", mandate_fields, MANDATE_FIELDS},
    [POLICY_OBJECT_REQUEST] = {"Request", "request", request_fields, REQUEST_FIELDS},
};

static mandate_status declare(cel_env *env, policy_object which, mandate_error *err)
{
    enum { FIELDS_MAX = 32 };
    const cel_type *object = cel_type_object(env, objects[which].type);
    cel_field fields[FIELDS_MAX];
    uint32_t index = 0;
    mandate_status status = object ? MANDATE_OK : mandate_error_set(err, MANDATE_NOMEM, "out of memory for a policy");

    assert(objects[which].count <= FIELDS_MAX);
    for (uint32_t i = 0; !status && i < objects[which].count; i++) {
        fields[i] = (cel_field){objects[which].fields[i].name,
                                cel_type_parse(env, mandate_slice_str(objects[which].fields[i].type), err)};
        status = fields[i].type ? MANDATE_OK : MANDATE_NOMEM;
    }
    if (!status)
        status = cel_env_fields(env, object, fields, objects[which].count, err);
    if (!status)
        status = cel_env_variable(&index, env, objects[which].variable, object, err);
    assert(status || (index == which && object->object == which));
    return status;
}

mandate_status policy_env_create(cel_env **out, policy_place place, mandate_error *err)
{
    cel_env *env = NULL;
    uint32_t index;
    mandate_status status = cel_env_create(&env, CEL_LIB_ALL & ~(uint32_t)CEL_LIB_MAPPING, err);

    if (!status && place == POLICY_IN_ISSUER) {
        const cel_type *map = cel_type_parse(env, mandate_slice_str("map(string, dyn)"), err);
        status = map ? cel_env_variable(&index, env, "claims", map, err) : MANDATE_NOMEM;
    } else if (!status) {
        status = declare(env, POLICY_OBJECT_PRINCIPAL, err);
    }
    for (int i = POLICY_OBJECT_MANDATE; !status && place == POLICY_IN_RULE && i <= POLICY_OBJECT_REQUEST; i++)
        status = declare(env, (policy_object)i, err);
    if (!status && place == POLICY_IN_RULE)
        status = cel_env_now(env, err);
    if (status)
        cel_env_destroy(env);
    else
        *out = env;
    return status;
}

/* --- values ------------------------------------------------------------------------------------------------------ */
static cel_value str(mandate_slice s) { return cel_string(s.ptr ? s : mandate_slice_of("", 0)); }

static cel_value texts(arena *a, const mandate_slice *items, uint32_t count)
{
    cel_value *out = ARENA_ARRAY(a, cel_value, count ? count : 1);

    if (!out)
        return cel_error(a, "out of memory");
    for (uint32_t i = 0; i < count; i++)
        out[i] = str(items[i]);
    return cel_list(out, count);
}

static cel_value text(const char *s) { return str(mandate_slice_str(s)); }

static cel_value map_or_empty(cel_value v) { return v.kind == CEL_MAP ? v : cel_map(NULL, 0); }

static cel_value roles_of(const world *w, arena *a)
{
    cel_value *out = ARENA_ARRAY(a, cel_value, LIMIT_POLICY_ROLES);
    uint32_t count = 0;

    if (!out)
        return cel_error(a, "out of memory");
    for (uint32_t i = 0; i < w->p->role_count; i++)
        if (w->q->who->roles >> i & 1)
            out[count++] = text(w->p->roles[i]);
    return cel_list(out, count);
}

static cel_value principal_field(const world *w, arena *a, uint32_t field)
{
    const policy_principal *who = w->q->who;
    bool local = who->kind == PRINCIPAL_UNIX || who->kind == PRINCIPAL_NAMED;

    switch (field) {
    case PRINCIPAL_FIELD_KIND:
        return text(principal_kind_name(who->kind));
    case PRINCIPAL_FIELD_NAME:
        return str(who->name);
    case PRINCIPAL_FIELD_ROLES:
        return roles_of(w, a);
    case PRINCIPAL_FIELD_UID:
        return cel_int(local ? (int64_t)who->uid : -1);
    case PRINCIPAL_FIELD_USER:
        return str(who->user);
    case PRINCIPAL_FIELD_GROUPS:
        return texts(a, who->groups, who->group_count);
    case PRINCIPAL_FIELD_ISSUER:
        return str(who->issuer);
    case PRINCIPAL_FIELD_SUBJECT:
        return str(who->subject);
    case PRINCIPAL_FIELD_NAMES:
        return texts(a, who->names, who->name_count);
    default:
        assert(field == PRINCIPAL_FIELD_CLAIMS);
        return map_or_empty(who->claims);
    }
}

static cel_value clauses_of(const claims *c, arena *a)
{
    cel_entry *out = ARENA_ARRAY(a, cel_entry, CLAUSE_COUNT);
    uint32_t count = 0;

    if (!out)
        return cel_error(a, "out of memory");
    for (int i = 0; i < CLAUSE_COUNT; i++)
        if (c->clause[i].len)
            out[count++] = (cel_entry){text(claims_clause_names[i]), str(c->clause[i])};
    return cel_map(out, count);
}

static cel_value limits_of(const claims *c, arena *a)
{
    cel_entry *out = ARENA_ARRAY(a, cel_entry, c->limit_count ? c->limit_count : 1);

    if (!out)
        return cel_error(a, "out of memory");
    for (uint32_t i = 0; i < c->limit_count; i++)
        out[i] = (cel_entry){str(c->limits[i].name), c->limits[i].max};
    return cel_map(out, c->limit_count);
}

static cel_value requires_of(const claims *c, arena *a)
{
    cel_value v = required_value(a, c);

    return v.kind == CEL_MAP ? v : cel_error(a, "out of memory");
}

static cel_value mandate_field(const policy_mandate *m, arena *a, uint32_t field)
{
    const claims *c = m->claims;

    switch (field) {
    case MANDATE_FIELD_ID:
        return str(c->id);
    case MANDATE_FIELD_ISSUER:
        return str(c->issuer);
    case MANDATE_FIELD_GRANTOR:
        return str(c->grantor);
    case MANDATE_FIELD_AGENT:
        return str(c->agent);
    case MANDATE_FIELD_PURPOSE:
        return str(c->purpose);
    case MANDATE_FIELD_ACTIONS:
        return texts(a, c->actions, c->action_count);
    case MANDATE_FIELD_RESOURCES:
        return texts(a, c->resources, c->resource_count);
    case MANDATE_FIELD_AUDIENCE:
        return texts(a, c->audience, c->audience_count);
    case MANDATE_FIELD_LIMITS:
        return limits_of(c, a);
    case MANDATE_FIELD_REQUIRE:
        return requires_of(c, a);
    case MANDATE_FIELD_CLAUSES:
        return clauses_of(c, a);
    case MANDATE_FIELD_PARAMS:
        return map_or_empty(c->params);
    case MANDATE_FIELD_TARGETS:
        return map_or_empty(c->targets);
    case MANDATE_FIELD_EXPIRES_AT:
        return cel_timestamp_us(c->expires_at_us);
    case MANDATE_FIELD_ISSUED_AT:
        return cel_timestamp_us(c->issued_at_us);
    case MANDATE_FIELD_PARENT:
        return str(c->parent);
    case MANDATE_FIELD_STATE:
        return text(m->state == STATE_NONE ? "" : mandate_state_name(m->state));
    default:
        assert(field == MANDATE_FIELD_VERSION);
        return cel_int(m->version);
    }
}

/* A text that was not said is not known to be empty. */
static cel_value said(arena *a, mandate_slice s, const char *path)
{
    return s.len ? str(s) : cel_unknown_of(a, mandate_slice_str(path));
}

static cel_value request_field(const policy_question *q, arena *a, uint32_t field)
{
    switch (field) {
    case REQUEST_FIELD_POWER:
        return text(power_name(q->power));
    case REQUEST_FIELD_CLAIMS:
        return q->asked ? cel_object(POLICY_OBJECT_MANDATE, q->asked)
                        : cel_unknown_of(a, mandate_slice_str("request.claims"));
    case REQUEST_FIELD_CHANGES:
        return q->asked ? texts(a, q->changes, q->change_count) : cel_unknown_of(a, mandate_slice_str("request.changes"));
    case REQUEST_FIELD_TYPE:
        return said(a, q->event ? q->event->type : mandate_slice_of("", 0), "request.type");
    case REQUEST_FIELD_ID:
        return said(a, q->event ? q->event->id : mandate_slice_of("", 0), "request.id");
    case REQUEST_FIELD_ATTRIBUTES:
        return q->event ? texts(a, q->event->attributes, q->event->attribute_count)
                        : cel_unknown_of(a, mandate_slice_str("request.attributes"));
    case REQUEST_FIELD_CONNECTOR:
        return said(a, q->connector, "request.connector");
    case REQUEST_FIELD_AGENT:
        return said(a, q->subject, "request.agent");
    case REQUEST_FIELD_ACTION:
        return said(a, q->action, "request.action");
    case REQUEST_FIELD_RESOURCE:
        return said(a, q->resource, "request.resource");
    default:
        assert(field == REQUEST_FIELD_REASON);
        return str(q->reason);
    }
}

/* --- the host ---------------------------------------------------------------------------------------------------- */
static cel_value host_variable(void *ctx, cel_activation *act, uint32_t index)
{
    const world *w = ctx;

    if (!w->q)
        return w->payload;
    if (index == POLICY_OBJECT_PRINCIPAL)
        return cel_object(POLICY_OBJECT_PRINCIPAL, w->q->who);
    if (index == POLICY_OBJECT_REQUEST)
        return cel_object(POLICY_OBJECT_REQUEST, w->q);
    assert(index == POLICY_OBJECT_MANDATE);
    return w->q->mandate ? cel_object(POLICY_OBJECT_MANDATE, w->q->mandate)
                         : cel_unknown_of(act->memory, mandate_slice_str("mandate"));
}

static cel_value host_field(void *ctx, cel_activation *act, cel_value object, uint32_t field)
{
    const world *w = ctx;

    if (object.type == POLICY_OBJECT_PRINCIPAL)
        return principal_field(w, act->memory, field);
    if (object.type == POLICY_OBJECT_MANDATE)
        return mandate_field(object.object, act->memory, field);
    assert(object.type == POLICY_OBJECT_REQUEST);
    return request_field(w->q, act->memory, field);
}

static cel_value host_has(void *ctx, cel_activation *act, cel_value object, uint32_t field)
{
    cel_value v = host_field(ctx, act, object, field);

    if (v.kind == CEL_UNKNOWN || v.kind == CEL_ERROR)
        return v;
    bool empty = (v.kind == CEL_STRING || v.kind == CEL_LIST || v.kind == CEL_MAP) && v.len == 0;
    return cel_bool(!empty);
}

static const cel_host host = {.variable = host_variable, .field = host_field, .has = host_has};

cel_value policy_eval(const policy *p, const cel_program *program, const policy_question *q, cel_value payload, arena *a,
                      policy_budget *budget)
{
    world w = {p, q, payload};
    cel_activation act = {.host = &host,
                          .ctx = &w,
                          .memory = a,
                          .now_us = q ? q->now_us : 0,
                          .cost_max = budget->left,
                          .certain_until_us = CEL_CERTAIN_FOREVER};

    if (budget->left == 0)
        return cel_error(a, "the conditions of this decision cost too much together");
    cel_value v = cel_eval(program, &act);
    budget->left -= act.cost < budget->left ? act.cost : budget->left;
    return v;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * authzen_plain - most questions, read in one pass over their members.
 *
 * Takes what leaves no doubt: every member that must be there, once and of its kind, at most one mandate, parameters without
 * digest or idempotency key. Whatever is rare or wrong it does not judge: false, and authzen_read does, which has the words.
 */
#include "connectors/http/authzen_int.h"

static bool is(const cel_entry *e, const char *name, uint32_t len)
{
    return e->key.len == len && memcmp(e->key.s, name, len) == 0;
}
#define IS(e, name) is(e, name, sizeof(name) - 1)

static bool take(const cel_value **out, const cel_value *v, cel_kind kind)
{
    bool ok = !*out && (cel_kind)v->kind == kind && (kind != CEL_STRING || v->len <= LIMIT_ID);
    *out = v;
    return ok;
}

/* subject: the two texts that count. */
static bool read_subject(const cel_value *object, const cel_value **type, const cel_value **id)
{
    *type = *id = NULL;
    for (const cel_entry *e = object->map, *end = e + object->len; e < end; e++)
        if ((IS(e, "type") && !take(type, &e->value, CEL_STRING)) || (IS(e, "id") && !take(id, &e->value, CEL_STRING)))
            return false;
    return *type && *id;
}

static bool read_resource(const cel_value *object, const cel_value **type, const cel_value **id,
                          const cel_value **properties)
{
    *properties = NULL;
    for (const cel_entry *e = object->map, *end = e + object->len; e < end; e++)
        if (IS(e, "properties") && !take(properties, &e->value, CEL_MAP))
            return false;
    return read_subject(object, type, id);
}

static bool read_action(const cel_value *object, const cel_value **name, const cel_value **params)
{
    *name = *params = NULL;
    for (const cel_entry *e = object->map, *end = e + object->len; e < end; e++)
        if ((IS(e, "name") && !take(name, &e->value, CEL_STRING)) ||
            (IS(e, "properties") && !take(params, &e->value, CEL_MAP)))
            return false;
    if (*params)
        for (const cel_entry *e = (*params)->map, *end = e + (*params)->len; e < end; e++)
            if (IS(e, "parameters") || IS(e, "parameter_digest") || IS(e, "idempotency_key"))
                return false;
    return *name;
}

static bool read_context(const cel_value *object, const cel_value **mandate)
{
    *mandate = NULL;
    for (const cel_entry *e = object->map, *end = e + object->len; e < end; e++)
        if ((IS(e, "mandate") && (!take(mandate, &e->value, CEL_STRING) || e->value.len == 0)) || IS(e, "mandates") ||
            IS(e, "at_least"))
            return false;
    return true;
}

bool authzen_read_plain(authzen_question *out, arena *a, cel_value request)
{
    const cel_value *subject = NULL, *action = NULL, *resource = NULL, *context = NULL, *subject_type, *subject_id, *name,
                    *params, *type, *id, *properties, *mandate = NULL;

    if (request.kind != CEL_MAP)
        return false;
    for (const cel_entry *e = request.map, *end = e + request.len; e < end; e++)
        if ((IS(e, "subject") && !take(&subject, &e->value, CEL_MAP)) ||
            (IS(e, "action") && !take(&action, &e->value, CEL_MAP)) ||
            (IS(e, "resource") && !take(&resource, &e->value, CEL_MAP)) ||
            (IS(e, "context") && !take(&context, &e->value, CEL_MAP)))
            return false;
    if (!subject || !action || !resource || !read_subject(subject, &subject_type, &subject_id) ||
        !read_action(action, &name, &params) || !read_resource(resource, &type, &id, &properties) ||
        (context && !read_context(context, &mandate)) || memchr(type->s, '/', type->len))
        return false;
    char *both = arena_alloc(a, (size_t)type->len + 1 + id->len);
    if (!both)
        return false;
    memcpy(both, type->s, type->len);
    both[type->len] = '/';
    memcpy(both + type->len + 1, id->s, id->len);
    out->check.subject_type = cel_text(*subject_type);
    out->check.subject_id = cel_text(*subject_id);
    out->check.action = cel_text(*name);
    out->check.resource = mandate_slice_of(both, (size_t)type->len + 1 + id->len);
    if (params)
        out->check.params = *params;
    if (properties)
        out->check.properties = *properties;
    if (context && context->len)
        out->check.context = *context;
    if (mandate)
        out->check.mandate = cel_text(*mandate);
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * authzen_read - JSON of an AuthZEN request as a question. Members we do not know are ignored, as the specification asks.
 *
 *   action.properties    the parameters themselves, or {parameters: {...}[, parameter_digest][, idempotency_key]}
 *   resource.properties  what scope.require of a mandate reads as "resource."; context as "context."
 *   context              {mandate: id} or {mandates: [ids]}, or neither: found; {at_least: position or [positions]}
 */
#include "connectors/http/authzen_int.h"
#include "connectors/json/json_value.h"
#include "connectors/token/canonical.h"
#include "engine/base/text.h"

#include <stdlib.h>

mandate_status authzen_object(cel_value *out, cel_value request, const char *name, bool required, mandate_error *err)
{
    *out = json_member(request, name);
    if (out->kind == CEL_MAP || (!required && out->kind == CEL_NULL))
        return MANDATE_OK;
    return mandate_error_set(err, MANDATE_INVALID, "%s: expected an object, got %s", name,
                             json_has_member(request, name) ? json_value_kind(*out) : "nothing");
}

mandate_status authzen_text(mandate_slice *out, cel_value object, const char *what, const char *name, mandate_error *err)
{
    cel_value v = json_member(object, name);
    if (v.kind != CEL_STRING)
        return mandate_error_set(err, MANDATE_INVALID, "%s.%s: expected a string, got %s", what, name,
                                 json_has_member(object, name) ? json_value_kind(v) : "nothing");
    if (v.len > LIMIT_ID)
        return mandate_error_set(err, MANDATE_LIMIT, "%s.%s: is longer than %d bytes", what, name, LIMIT_ID);
    *out = cel_text(v);
    return MANDATE_OK;
}

/* A slash in the type would let one resource pass for another. */
static mandate_status resource_of(mandate_slice *out, arena *a, cel_value has_type, cel_value has_id, mandate_error *err)
{
    mandate_slice type = {NULL, 0}, id = {NULL, 0};
    mandate_status status = authzen_text(&type, has_type, "resource", "type", err);
    if (!status)
        status = authzen_text(&id, has_id, "resource", "id", err);
    if (!status && memchr(type.ptr, '/', type.len))
        status = mandate_error_set(err, MANDATE_INVALID, "resource.type: must not contain a slash");
    if (status)
        return status;
    char *both = arena_alloc(a, type.len + 1 + id.len);
    if (!both)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory");
    memcpy(both, type.ptr, type.len);
    both[type.len] = '/';
    memcpy(both + type.len + 1, id.ptr, id.len);
    *out = mandate_slice_of(both, type.len + 1 + id.len);
    return MANDATE_OK;
}

mandate_status authzen_resource_properties(authzen_question *out, cel_value resource, mandate_error *err)
{
    mandate_status status = authzen_object(&out->check.properties, resource, "properties", false, err);
    return status ? mandate_error_prefix(err, status, "resource") : MANDATE_OK;
}

mandate_status authzen_resource(mandate_slice *out, arena *a, cel_value resource, mandate_error *err)
{
    return resource_of(out, a, resource, resource, err);
}

/* --- what is asked for --------------------------------------------------------------------------------------------- */
mandate_status authzen_digest(authzen_question *q, arena *a, buf *canonical, mandate_error *err)
{
    buf text;
    cel_value params = q->check.params.kind == CEL_MAP ? q->check.params : cel_map(NULL, 0);
    buf_init(&text);
    mandate_status status = canonical_hash(&text, params, err);
    if (status == MANDATE_OK && canonical)
        status = canonical_put(canonical, params, err);
    q->digest = status == MANDATE_OK ? arena_dup(a, buf_slice(&text)) : (mandate_slice){NULL, 0};
    if (status == MANDATE_OK && !q->digest.ptr)
        status = mandate_error_set(err, MANDATE_NOMEM, "out of memory");
    buf_deinit(&text);
    return status == MANDATE_INVALID ? mandate_error_prefix(err, status, "action.properties.parameters") : status;
}

mandate_status authzen_properties(authzen_question *out, arena *a, cel_value action, mandate_error *err)
{
    cel_value properties;
    mandate_slice claimed = {NULL, 0};
    mandate_status status = authzen_object(&properties, action, "properties", false, err);
    out->check.params = properties;
    if (status || properties.kind != CEL_MAP || properties.len == 0)
        return status;
    bool nested = json_has_member(properties, "parameters");
    if (nested)
        status = authzen_object(&out->check.params, properties, "parameters", true, err);
    if (!status && json_has_member(properties, "parameter_digest"))
        status = nested ? authzen_text(&claimed, properties, "action.properties", "parameter_digest", err)
                        : mandate_error_set(err, MANDATE_INVALID,
                                            "action.properties.parameter_digest: is of action.properties.parameters, which "
                                            "is not there");
    if (!status && json_has_member(properties, "idempotency_key"))
        status = authzen_text(&out->idempotency_key, properties, "action.properties", "idempotency_key", err);
    if (!status && json_has_member(properties, "idempotency_key") && !out->idempotency_key.len)
        status = mandate_error_set(err, MANDATE_INVALID, "action.properties.idempotency_key: is empty");
    if (!status && (nested || out->idempotency_key.len))
        status = authzen_digest(out, a, NULL, err);
    if (!status && claimed.ptr && !mandate_slice_eq(claimed, out->digest))
        status = mandate_error_set(err, MANDATE_INVALID,
                                   "action.properties.parameter_digest: is %.*s, but the parameters have %.*s (SHA-256 over "
                                   "their canonical form, RFC 8785)",
                                   (int)(claimed.len < 80 ? claimed.len : 80), claimed.ptr, MANDATE_SLICE_ARG(out->digest));
    return status;
}

/* --- context --------------------------------------------------------------------------------------------------------- */
static bool number_parse(mandate_slice text, int64_t max, int64_t *out)
{
    int64_t v = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9' || v > (max - (text.ptr[i] - '0')) / 10)
            return false;
        v = v * 10 + (text.ptr[i] - '0');
    }
    *out = v;
    return text.len > 0;
}

/* A list of texts, or one of them alone. */
static mandate_status texts_of(const mandate_slice **out, uint32_t *count, arena *a, cel_value v, const char *what,
                               uint32_t max, mandate_error *err)
{
    cel_value one[1] = {v};
    const cel_value *items = v.kind == CEL_LIST ? v.items : one;
    uint32_t n = v.kind == CEL_LIST ? v.len : 1;
    mandate_slice *texts = ARENA_ARRAY(a, mandate_slice, max);
    if (!texts)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory");
    if (n == 0 || n > max)
        return mandate_error_set(err, n ? MANDATE_LIMIT : MANDATE_INVALID, "context.%s: expected 1 to %u, got %u", what, max,
                                 n);
    for (uint32_t i = 0; i < n; i++) {
        if (items[i].kind != CEL_STRING || items[i].len == 0)
            return mandate_error_set(err, MANDATE_INVALID, "context.%s: expected a string, got %s", what,
                                     items[i].kind == CEL_STRING ? "an empty one" : json_value_kind(items[i]));
        if (items[i].len > LIMIT_ID)
            return mandate_error_set(err, MANDATE_LIMIT, "context.%s: is longer than %d bytes", what, LIMIT_ID);
        texts[i] = cel_text(items[i]);
    }
    *out = texts;
    *count = n;
    return MANDATE_OK;
}

static int by_text(const void *a, const void *b)
{
    return mandate_slice_cmp(*(const mandate_slice *)a, *(const mandate_slice *)b);
}

static mandate_status mandates_of(authzen_question *out, arena *a, cel_value context, mandate_error *err)
{
    service_check *c = &out->check;
    mandate_status status = texts_of(&c->mandates, &c->mandate_count, a, json_member(context, "mandates"), "mandates",
                                     LIMIT_FOUND_MANDATES, err);
    if (status)
        return status;
    qsort((void *)(uintptr_t)c->mandates, c->mandate_count, sizeof(mandate_slice), by_text);
    for (uint32_t i = 1; i < c->mandate_count; i++)
        if (mandate_slice_eq(c->mandates[i - 1], c->mandates[i]))
            return mandate_error_set(err, MANDATE_INVALID, "context.mandates: names %.*s twice",
                                     MANDATE_SLICE_ARG(c->mandates[i]));
    if (json_has_member(context, "mandate"))
        return mandate_error_set(err, MANDATE_INVALID, "context: has both mandate and mandates");
    return MANDATE_OK;
}

/* "4711", or "topic/partition@offset". */
static bool position_of(service_position *out, mandate_slice text)
{
    const char *at = memrchr(text.ptr, '@', text.len), *slash = at ? memrchr(text.ptr, '/', (size_t)(at - text.ptr)) : NULL;
    int64_t partition = 0, number = 0;
    *out = (service_position){.partition = -1};
    if (!at) {
        bool ok = number_parse(text, INT64_MAX, &number);
        out->seq = (uint64_t)number;
        return ok;
    }
    if (!slash || slash == text.ptr)
        return false;
    out->topic = mandate_slice_of(text.ptr, (size_t)(slash - text.ptr));
    bool ok = number_parse(mandate_slice_of(slash + 1, (size_t)(at - slash - 1)), INT32_MAX, &partition) &&
              number_parse(mandate_slice_of(at + 1, text.len - (size_t)(at + 1 - text.ptr)), INT64_MAX - 1, &out->offset);
    out->partition = (int32_t)partition;
    return ok && out->topic.len <= LIMIT_NAME;
}

static mandate_status at_least_of(authzen_question *out, arena *a, cel_value v, mandate_error *err)
{
    const mandate_slice *texts;
    mandate_status status = texts_of(&texts, &out->at_least_count, a, v, "at_least", LIMIT_AT_LEAST, err);
    service_position *positions = ARENA_ARRAY(a, service_position, LIMIT_AT_LEAST);
    if (status == MANDATE_OK && !positions)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory");
    for (uint32_t i = 0; status == MANDATE_OK && i < out->at_least_count; i++)
        if (!position_of(&positions[i], texts[i]))
            status = mandate_error_set(err, MANDATE_INVALID,
                                       "context.at_least: expected a position such as \"4711\" or \"topic/0@42\"");
    out->at_least = positions;
    return status;
}

mandate_status authzen_context(authzen_question *out, arena *a, cel_value context, mandate_error *err)
{
    mandate_status status = MANDATE_OK;
    if (context.kind != CEL_MAP || context.len == 0)
        return MANDATE_OK;
    out->check.context = context;
    if (json_has_member(context, "mandates"))
        status = mandates_of(out, a, context, err);
    else if (json_has_member(context, "mandate"))
        status = authzen_text(&out->check.mandate, context, "context", "mandate", err);
    if (!status && json_has_member(context, "mandate") && !out->check.mandate.len)
        status = mandate_error_set(err, MANDATE_INVALID, "context.mandate: is empty; leave it out to have it found");
    if (!status && json_has_member(context, "at_least"))
        status = at_least_of(out, a, json_member(context, "at_least"), err);
    return status;
}

/* Of the two, the one whose member counts. */
static cel_value holder(cel_value request, cel_value defaults, const char *name)
{
    return json_has_member(request, name) ? request : defaults;
}

/* A member of an item stands in its place as a whole, but for what every question must have. */
static cel_value lacking(cel_value object, cel_value defaults, const char *what, const char *name)
{
    if (defaults.kind != CEL_MAP || json_has_member(object, name))
        return object;
    cel_value other = json_member(defaults, what);
    return json_has_member(other, name) ? other : object;
}

mandate_status authzen_read(authzen_question *out, arena *a, cel_value request, cel_value defaults, mandate_error *err)
{
    cel_value subject, action, resource, context;
    mandate_status status = MANDATE_OK;
    if (request.kind != CEL_MAP)
        status = mandate_error_set(err, MANDATE_INVALID, "expected an object, got %s", json_value_kind(request));
    if (!status)
        status = authzen_object(&subject, holder(request, defaults, "subject"), "subject", true, err);
    if (!status)
        status = authzen_object(&action, holder(request, defaults, "action"), "action", true, err);
    if (!status)
        status = authzen_object(&resource, holder(request, defaults, "resource"), "resource", true, err);
    if (!status)
        status = authzen_object(&context, holder(request, defaults, "context"), "context", false, err);
    if (!status)
        status =
            authzen_text(&out->check.subject_type, lacking(subject, defaults, "subject", "type"), "subject", "type", err);
    if (!status)
        status = authzen_text(&out->check.subject_id, lacking(subject, defaults, "subject", "id"), "subject", "id", err);
    if (!status)
        status = authzen_text(&out->check.action, lacking(action, defaults, "action", "name"), "action", "name", err);
    if (!status)
        status = authzen_properties(out, a, action, err);
    if (!status)
        status = resource_of(&out->check.resource, a, lacking(resource, defaults, "resource", "type"),
                             lacking(resource, defaults, "resource", "id"), err);
    if (!status)
        status = authzen_resource_properties(out, resource, err);
    return status ? status : authzen_context(out, a, context, err);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry_fetch - the REST interface: requests, error codes, references, bundles.
 *
 * Only an answer in the registry's own words (404 with error_code 404xx) means that there is no
 * such schema. A bare 404, a refused credential or HTML from a proxy means that we did not reach
 * it: the record waits, and is not thrown away for somebody's routing mistake.
 */
#include "connectors/decode/registry_fetch.h"

#include <jansson.h>
#include <time.h>

typedef struct fetcher {
    registry_http *http;
    uint32_t retries;
    json_t *references; /* texts, dependencies first */
    json_t *seen;       /* object: path -> true */
    mandate_error *err;
} fetcher;

static mandate_slice text_of(const json_t *j) { return mandate_slice_of(json_string_value(j), json_string_length(j)); }

/* 50, 100, 200, ... ms: a replica behind its leader is behind by this much. */
static void back_off(uint32_t attempt)
{
    uint64_t ms = 50ULL << (attempt < 6 ? attempt : 6);
    struct timespec t = {(time_t)(ms / 1000), (long)(ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}

static json_t *parse(const buf *body)
{
    return json_loadb(body->len ? body->data : "", body->len, JSON_REJECT_DUPLICATES, NULL);
}

/* A refusal in the registry's words: its error_code, and its message into `err`. */
static long refusal(json_t *answer, const char *path, long code, mandate_status status, mandate_error *err)
{
    mandate_slice message = text_of(json_object_get(answer, "message"));
    long error_code = (long)json_integer_value(json_object_get(answer, "error_code"));
    (void)mandate_error_set(err, status, "the schema registry answers %ld (%ld) to %.200s: %.*s", code, error_code, path,
                            (int)(message.len < 200 ? message.len : 200), message.ptr ? message.ptr : "");
    return error_code;
}

static mandate_status get_once(json_t **out, fetcher *f, const char *path)
{
    long code = 0;
    json_t *answer = NULL;
    buf body;
    buf_init(&body);
    mandate_status status = registry_http_send(&code, &body, f->http, path, NULL, f->err);
    if (status != MANDATE_OK)
        goto done;
    answer = parse(&body);
    if (code == 200 && json_is_object(answer)) {
        *out = json_incref(answer);
    } else if (code == 200) {
        status = mandate_error_set(f->err, MANDATE_UNAVAILABLE, "the schema registry's answer to %.200s is not JSON", path);
    } else {
        long error_code = refusal(answer, path, code, MANDATE_UNAVAILABLE, f->err);
        status = MANDATE_UNAVAILABLE;
        if (code == 404 && error_code >= 40401 && error_code <= 40403)
            status = mandate_error_set(f->err, MANDATE_NOT_FOUND, "the schema registry has no %.200s", path);
    }
done:
    json_decref(answer);
    buf_deinit(&body);
    return status;
}

static mandate_status get(json_t **out, fetcher *f, const char *path)
{
    for (uint32_t attempt = 0;; attempt++) {
        mandate_status status = get_once(out, f, path);
        if (status != MANDATE_NOT_FOUND || attempt >= f->retries)
            return status;
        back_off(attempt);
    }
}

static mandate_status read_schema(json_t **out, const json_t *answer, const char *path, mandate_error *err)
{
    json_t *schema = json_object_get(answer, "schema");
    const json_t *type = json_object_get(answer, "schemaType");
    if (json_is_string(type) && !mandate_slice_is(text_of(type), "AVRO"))
        return mandate_error_set(err, MANDATE_UNSUPPORTED, "%.200s is a schema of type %.*s, not AVRO", path,
                                 (int)(json_string_length(type) < 32 ? json_string_length(type) : 32),
                                 json_string_value(type));
    if (!json_is_string(schema))
        return mandate_error_set(err, MANDATE_UNAVAILABLE,
                                 "the schema registry's answer to %.200s has no `schema`; is the URL a registry's?", path);
    if (json_string_length(schema) > LIMIT_AVRO_SCHEMA)
        return mandate_error_set(err, MANDATE_LIMIT, "%.200s is a schema of %zu bytes; the limit is %d", path,
                                 json_string_length(schema), LIMIT_AVRO_SCHEMA);
    *out = schema;
    return MANDATE_OK;
}

/* --- references --- */

static mandate_status add_references(fetcher *f, const json_t *answer, uint32_t nesting);

static mandate_status add_reference(fetcher *f, const char *path, uint32_t nesting)
{
    json_t *answer = NULL, *schema;
    mandate_status status = get(&answer, f, path);
    if (status == MANDATE_OK)
        status = read_schema(&schema, answer, path, f->err);
    if (status == MANDATE_OK)
        status = add_references(f, answer, nesting);
    if (status == MANDATE_OK && json_array_append(f->references, schema) != 0)
        status = mandate_error_set(f->err, MANDATE_NOMEM, "no memory for a schema");
    json_decref(answer);
    return status;
}

static mandate_status add_references(fetcher *f, const json_t *answer, uint32_t nesting)
{
    const json_t *list = json_object_get(answer, "references");
    mandate_status status = MANDATE_OK;
    buf path;
    buf_init(&path);
    if (nesting > REGISTRY_REFERENCE_NESTING)
        status =
            mandate_error_set(f->err, MANDATE_LIMIT, "schema references nested deeper than %d", REGISTRY_REFERENCE_NESTING);
    for (size_t i = 0; status == MANDATE_OK && i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        const json_t *subject = json_object_get(one, "subject"), *version = json_object_get(one, "version");
        if (!json_is_string(subject) || !json_is_integer(version)) {
            status = mandate_error_set(f->err, MANDATE_UNAVAILABLE, "a schema reference without subject or version");
            break;
        }
        buf_reset(&path);
        buf_put_str(&path, "/subjects/");
        registry_http_segment(&path, text_of(subject));
        buf_printf(&path, "/versions/%lld", (long long)json_integer_value(version));
        const char *key = buf_cstr(&path);
        if (json_object_get(f->seen, key))
            continue;
        if (json_object_size(f->seen) >= REGISTRY_REFERENCES_MAX)
            status =
                mandate_error_set(f->err, MANDATE_LIMIT, "a schema with more than %d references", REGISTRY_REFERENCES_MAX);
        else if (path.failed || json_object_set_new(f->seen, key, json_true()) != 0)
            status = mandate_error_set(f->err, MANDATE_NOMEM, "no memory for a schema");
        else
            status = add_reference(f, key, nesting + 1);
    }
    buf_deinit(&path);
    return status;
}

/* --- bundles --- */

static mandate_status write_bundle(buf *out, json_t *schema, json_t *references, mandate_error *err)
{
    buf_reset(out);
    buf_put_str(out, "{\"schema\":");
    buf_put_json_string(out, text_of(schema));
    buf_put_str(out, ",\"references\":[");
    for (size_t i = 0; i < json_array_size(references); i++) {
        if (i)
            buf_put_char(out, ',');
        buf_put_json_string(out, text_of(json_array_get(references, i)));
    }
    buf_put_str(out, "]}");
    return out->failed ? mandate_error_set(err, MANDATE_NOMEM, "no memory for a schema") : MANDATE_OK;
}

mandate_status registry_fetch_bundle(buf *bundle, registry_http *h, const char *path, uint32_t retries, mandate_error *err)
{
    fetcher f = {h, retries, json_array(), json_object(), err};
    json_t *answer = NULL, *schema;
    mandate_status status =
        f.references && f.seen ? get(&answer, &f, path) : mandate_error_set(err, MANDATE_NOMEM, "no memory for a schema");
    if (status == MANDATE_OK)
        status = read_schema(&schema, answer, path, err);
    if (status == MANDATE_OK)
        status = add_references(&f, answer, 1);
    /* A version that a schema refers to cannot be missing for good: that is the registry's trouble.
     */
    if (status == MANDATE_NOT_FOUND && answer)
        status = mandate_error_set(err, MANDATE_UNAVAILABLE, "a schema that %.200s refers to is missing", path);
    if (status == MANDATE_OK)
        status = write_bundle(bundle, schema, f.references, err);
    json_decref(answer);
    json_decref(f.references);
    json_decref(f.seen);
    return status;
}

mandate_status registry_bundle_plan(avro_plan **out, mandate_slice bundle, mandate_error *err)
{
    mandate_slice texts[REGISTRY_REFERENCES_MAX];
    mandate_status status = MANDATE_CORRUPT;
    json_t *j = json_loadb(bundle.len ? bundle.ptr : "", bundle.len, JSON_REJECT_DUPLICATES, NULL);
    const json_t *schema = json_object_get(j, "schema"), *references = json_object_get(j, "references");
    size_t count = json_array_size(references);
    if (!json_is_string(schema) || !json_is_array(references) || count > REGISTRY_REFERENCES_MAX)
        goto corrupt;
    for (size_t i = 0; i < count; i++) {
        if (!json_is_string(json_array_get(references, i)))
            goto corrupt;
        texts[i] = text_of(json_array_get(references, i));
    }
    status = avro_plan_create(out, text_of(schema), texts, (uint32_t)count, err);
    json_decref(j);
    return status;
corrupt:
    json_decref(j);
    return mandate_error_set(err, MANDATE_CORRUPT, "a stored schema is damaged");
}

/* --- registering --- */

static mandate_status read_registered(uint32_t *out, json_t *answer, long code, const char *path, mandate_error *err)
{
    const json_t *id = json_object_get(answer, "id");
    if (code == 200 && json_is_integer(id) && json_integer_value(id) >= 0 && json_integer_value(id) <= UINT32_MAX) {
        *out = (uint32_t)json_integer_value(id);
        return MANDATE_OK;
    }
    mandate_status status = code == 409 ? MANDATE_CONFLICT : code == 422 ? MANDATE_INVALID : MANDATE_UNAVAILABLE;
    (void)refusal(answer, path, code, status, err);
    return status;
}

mandate_status registry_fetch_register(uint32_t *out, registry_http *h, mandate_slice subject, mandate_slice schema_json,
                                       mandate_error *err)
{
    long code = 0;
    buf path, body, answer;
    buf_init(&path);
    buf_init(&body);
    buf_init(&answer);
    buf_put_str(&path, "/subjects/");
    registry_http_segment(&path, subject);
    buf_put_str(&path, "/versions");
    buf_put_str(&body, "{\"schema\":");
    buf_put_json_string(&body, schema_json);
    buf_put_char(&body, '}');
    mandate_slice text = buf_slice(&body);
    mandate_status status = path.failed || body.failed
                                ? mandate_error_set(err, MANDATE_NOMEM, "no memory to register a schema")
                                : registry_http_send(&code, &answer, h, buf_cstr(&path), &text, err);
    if (status == MANDATE_OK) {
        json_t *j = parse(&answer);
        status = read_registered(out, j, code, buf_cstr(&path), err);
        json_decref(j);
    }
    buf_deinit(&path);
    buf_deinit(&body);
    buf_deinit(&answer);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry - plans by schema id: in memory, behind that in the cache port, behind that over HTTP.
 *
 * Two locks: `known` guards the list and is held for a look-up only, `fetching` lets one thread at
 * a time ask for what is not known, so that threads whose schemas are known never wait for the
 * network. A schema that cannot be used is remembered for good (ids are immutable), one that the
 * registry does not have for a while, so that a flood of such records does not become a flood of
 * requests. Failures of the cache are not ours to report: it only saves a request.
 */
#include "connectors/decode/registry_fetch.h"

#include <assert.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/base/hash.h"
#include "engine/base/vec.h"

enum { MISSING_MS = 30000, MISSING_MAX = 256, NAME_MAX_LEN = 64 };

typedef struct schema_name_text {
    char text[NAME_MAX_LEN]; /* "ids/7", "guids/0123...": unique, part of the path and of the cache
                                key */
} schema_name_text;

typedef struct known_schema {
    schema_name_text name;
    avro_plan *plan; /* NULL: `status` and `message` say why */
    mandate_status status;
    char *message;
    int64_t until_ms; /* of NOT_FOUND */
} known_schema;

struct registry {
    registry_http *http;
    registry_cache cache;
    uint32_t retries;
    char prefix[32]; /* of cache keys: which registry */
    pthread_mutex_t known, fetching;
    VEC(known_schema) schemas;
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Two registries may give one id to two schemas, so the cache keys say which one, by its URLs. */
static bool make_prefix(registry *r, const registry_options *o)
{
    uint8_t digest[SHA256_SIZE];
    char hex[17];
    buf urls;
    buf_init(&urls);
    for (uint32_t i = 0; i < o->url_count; i++) {
        buf_put_str(&urls, o->urls[i]);
        buf_put_char(&urls, '\n');
    }
    bool ok = !urls.failed && sha256(digest, urls.data, urls.len);
    buf_deinit(&urls);
    if (!ok)
        return false;
    hex_encode(hex, digest, 8);
    snprintf(r->prefix, sizeof r->prefix, "schema/%s/", hex);
    return true;
}

mandate_status registry_create(registry **out, const registry_options *options, mandate_error *err)
{
    registry *r = calloc(1, sizeof *r);
    if (!r)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a registry client");
    pthread_mutex_init(&r->known, NULL);
    pthread_mutex_init(&r->fetching, NULL);
    r->cache = options->cache;
    r->retries = options->retries ? options->retries : 3;
    mandate_status status = registry_http_create(&r->http, options, err);
    if (status == MANDATE_OK && !make_prefix(r, options))
        status = mandate_error_set(err, MANDATE_NOMEM, "no memory for a registry client");
    if (status != MANDATE_OK) {
        registry_destroy(r);
        return status;
    }
    *out = r;
    return MANDATE_OK;
}

void registry_destroy(registry *r)
{
    if (!r)
        return;
    for (uint32_t i = 0; i < r->schemas.len; i++) {
        avro_plan_destroy(r->schemas.data[i].plan);
        free(r->schemas.data[i].message);
    }
    VEC_FREE(&r->schemas);
    registry_http_destroy(r->http);
    pthread_mutex_destroy(&r->known);
    pthread_mutex_destroy(&r->fetching);
    free(r);
}

/* --- what is known --- */

static void forget(registry *r, uint32_t i)
{
    assert(!r->schemas.data[i].plan); /* plans are lent until the end */
    free(r->schemas.data[i].message);
    VEC_SWAP_REMOVE(&r->schemas, i);
}

/* True with the answer in *out / `err` and *status. */
static bool look_up(const avro_plan **out, mandate_status *status, registry *r, const schema_name_text *name,
                    mandate_error *err)
{
    bool found = false;
    pthread_mutex_lock(&r->known);
    for (uint32_t i = 0; i < r->schemas.len && !found; i++) {
        known_schema *k = &r->schemas.data[i];
        if (strcmp(k->name.text, name->text) != 0)
            continue;
        if (k->status == MANDATE_NOT_FOUND && now_ms() > k->until_ms) {
            forget(r, i);
            break;
        }
        found = true;
        *out = k->plan;
        *status = k->plan ? MANDATE_OK : mandate_error_set(err, k->status, "%s", k->message);
    }
    pthread_mutex_unlock(&r->known);
    return found;
}

static void drop_oldest_missing(registry *r)
{
    uint32_t missing = 0, oldest = 0;
    for (uint32_t i = 0; i < r->schemas.len; i++)
        if (r->schemas.data[i].status == MANDATE_NOT_FOUND) {
            if (missing++ == 0 || r->schemas.data[i].until_ms < r->schemas.data[oldest].until_ms)
                oldest = i;
        }
    if (missing >= MISSING_MAX)
        forget(r, oldest);
}

/* Takes the plan. False when there is no memory to remember it. */
static bool remember(registry *r, const schema_name_text *name, avro_plan *plan, mandate_status status, const char *message)
{
    known_schema k = {*name, plan, status, plan ? NULL : strdup(message), now_ms() + MISSING_MS};
    if (!plan && !k.message)
        return false;
    pthread_mutex_lock(&r->known);
    drop_oldest_missing(r);
    bool ok = VEC_PUSH(&r->schemas, k);
    pthread_mutex_unlock(&r->known);
    if (!ok)
        free(k.message);
    return ok;
}

/* --- getting what is not --- */

static mandate_slice cache_key(buf *key, const registry *r, const schema_name_text *name)
{
    buf_reset(key);
    buf_put_str(key, r->prefix);
    buf_put_str(key, name->text);
    return buf_slice(key);
}

static bool from_cache(avro_plan **out, registry *r, const schema_name_text *name)
{
    buf key, bundle;
    bool ok = false;
    if (!r->cache.get)
        return false;
    buf_init(&key);
    buf_init(&bundle);
    mandate_slice k = cache_key(&key, r, name);
    if (!key.failed && r->cache.get(r->cache.ctx, k, &bundle, NULL) == MANDATE_OK)
        ok = registry_bundle_plan(out, buf_slice(&bundle), NULL) == MANDATE_OK;
    buf_deinit(&key);
    buf_deinit(&bundle);
    return ok;
}

static mandate_status from_server(avro_plan **out, registry *r, const schema_name_text *name, mandate_error *err)
{
    char path[NAME_MAX_LEN + 16];
    buf key, bundle;
    buf_init(&key);
    buf_init(&bundle);
    snprintf(path, sizeof path, "/schemas/%s", name->text);
    mandate_status status = registry_fetch_bundle(&bundle, r->http, path, r->retries, err);
    if (status == MANDATE_OK)
        status = registry_bundle_plan(out, buf_slice(&bundle), err);
    if (status == MANDATE_OK && r->cache.put) {
        mandate_slice k = cache_key(&key, r, name);
        mandate_status ignored = key.failed ? MANDATE_NOMEM : r->cache.put(r->cache.ctx, k, buf_slice(&bundle), NULL);
        (void)ignored;
    }
    buf_deinit(&key);
    buf_deinit(&bundle);
    return status;
}

/* Whether asking again could give another answer. */
static bool is_final(mandate_status status)
{
    return status == MANDATE_INVALID || status == MANDATE_LIMIT || status == MANDATE_UNSUPPORTED ||
           status == MANDATE_NOT_FOUND;
}

static mandate_status find_plan(const avro_plan **out, registry *r, const schema_name_text *name, mandate_error *err)
{
    mandate_status status;
    mandate_error own;
    avro_plan *plan = NULL;
    if (!err)
        err = &own; /* its text is what will be remembered */
    if (look_up(out, &status, r, name, err))
        return status;

    pthread_mutex_lock(&r->fetching);
    if (look_up(out, &status, r, name, err)) /* another thread was here first */
        goto done;
    status = from_cache(&plan, r, name) ? MANDATE_OK : from_server(&plan, r, name, err);
    if (status != MANDATE_OK) {
        if (is_final(status))
            (void)remember(r, name, NULL, status, err->text);
        goto done;
    }
    if (!remember(r, name, plan, MANDATE_OK, "")) {
        avro_plan_destroy(plan);
        status = mandate_error_set(err, MANDATE_NOMEM, "no memory for a schema");
        goto done;
    }
    *out = plan;
done:
    pthread_mutex_unlock(&r->fetching);
    return status;
}

mandate_status registry_plan(const avro_plan **out, registry *r, uint32_t id, mandate_error *err)
{
    schema_name_text name;
    snprintf(name.text, sizeof name.text, "ids/%u", id);
    return find_plan(out, r, &name, err);
}

mandate_status registry_plan_guid(const avro_plan **out, registry *r, const uint8_t guid[16], mandate_error *err)
{
    schema_name_text name;
    char hex[33];
    hex_encode(hex, guid, 16);
    snprintf(name.text, sizeof name.text, "guids/%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16, hex + 20);
    return find_plan(out, r, &name, err);
}

mandate_status registry_register(uint32_t *out, registry *r, mandate_slice subject, mandate_slice schema_json,
                                 mandate_error *err)
{
    pthread_mutex_lock(&r->fetching);
    mandate_status status = registry_fetch_register(out, r->http, subject, schema_json, err);
    pthread_mutex_unlock(&r->fetching);
    return status;
}

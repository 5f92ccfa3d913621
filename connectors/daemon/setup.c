/* SPDX-License-Identifier: Apache-2.0 */
/*
 * setup - daemon_load and daemon_open: from a file's path to a recovered engine. No thread, no socket.
 *
 * Connectors declare what they fill in the schema, so they load before it is frozen; their registries cache in the
 * store, which opens after it is frozen. The cache therefore looks up the store when it is asked, and has nothing until then.
 */
#include "connectors/daemon/daemon.h"

#include "connectors/daemon/record/assertion.h"
#include "connectors/daemon/base/log.h"
#include "connectors/daemon/rules/restricts.h"
#include "connectors/json/claims_json.h"
#include "connectors/mapping/check.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static mandate_status cache_get(void *ctx, mandate_slice key, buf *out, mandate_error *err)
{
    daemon_state *d = ctx;

    return d->store ? store_cache_get(d->store, key, out, err) : MANDATE_NOT_FOUND;
}

static mandate_status cache_put(void *ctx, mandate_slice key, mandate_slice value, mandate_error *err)
{
    daemon_state *d = ctx;

    return d->store ? store_cache_put(d->store, key, value, err) : MANDATE_OK;
}

static mandate_status load_entities(daemon_state *d, mandate_error *err)
{
    mandate_status status = MANDATE_OK;

    for (uint32_t i = 0; status == MANDATE_OK && i < d->config.entities.count; i++)
        status = entity_types_load(d->schema, d->config.entities.items[i], NULL, err);
    return status;
}

/* What `mandatectl connector check` refuses of files that are right each for itself: said, and no reason not to start. */
static void warn_across(const daemon_state *d)
{
    problems p;

    problems_init(&p);
    connectors_check_across(d->connectors, d->connector_count, d->config.entities.items, d->config.entities.count, &p);
    mandate_slice rest = buf_slice(&p.text);
    while (rest.len) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.ptr) : rest.len;
        if (len && *rest.ptr != ' ') /* and not the line of the file with a mark under it */
            log_write(LOG_WARN, "connectors", "%.*s", (int)len, rest.ptr);
        rest = mandate_slice_of(rest.ptr + len + (end != NULL), rest.len - len - (end != NULL));
    }
    problems_deinit(&p);
}

/* `owner`: whose store caches schemas. */
static mandate_status load_connectors(daemon_state *d, daemon_state *owner, mandate_error *err)
{
    registry_cache cache = {owner, cache_get, cache_put};
    mandate_status status = MANDATE_OK;

    d->connectors = calloc(d->config.connectors.count + 1, sizeof(*d->connectors));
    if (!d->connectors)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for connectors");
    for (uint32_t i = 0; status == MANDATE_OK && i < d->config.connectors.count; i++) {
        status = connector_load(&d->connectors[i], d->schema, d->config.connectors.items[i], NULL, cache, err);
        if (status == MANDATE_OK)
            d->connector_count++;
    }
    return status;
}

mandate_status daemon_load(daemon_state *d, const char *path, mandate_error *err)
{
    return daemon_load_for(d, path, d, err);
}

static mandate_status load_compliance(daemon_state *d, mandate_error *err)
{
    comply *rules = NULL;
    problems p;

    problems_init(&p);
    mandate_status status = comply_load(&rules, d->config.compliance, NULL, &p);
    if (status == MANDATE_OK)
        gate_rules_put(&d->compliance, rules);
    else
        status = problems_result(&p, err);
    problems_deinit(&p);
    return status;
}

static mandate_status load_restricted(daemon_state *d, mandate_error *err)
{
    arena_init(&d->restricted_memory, 0);
    d->restricted_count = d->config.disclosure.restrict_.count;
    return restricts_load(&d->restricted, &d->config.disclosure.restrict_, &d->restricted_memory, err);
}

static mandate_status load_kinds(daemon_state *d, mandate_error *err)
{
    check_kinds *k = NULL;
    mandate_status status = check_kinds_load(&k, d->config.check.kinds, NULL, err);

    if (status == MANDATE_OK)
        (void)check_kinds_swap(&d->kinds, k); /* there were none */
    return status;
}

mandate_status daemon_load_for(daemon_state *d, const char *path, daemon_state *owner, mandate_error *err)
{
    mandate_status status = config_load(&d->config, path, err);

    if (status != MANDATE_OK) {
        d->config = (config){0};
        return status;
    }
    pthread_rwlock_init(&d->sources_lock, NULL);
    tracker_init(&d->tracker);
    gate_rules_init(&d->compliance);
    check_kinds_slot_init(&d->kinds);
    log_init((log_level)d->config.log.level);
    if (d->config.check.kinds)
        status = load_kinds(d, err);
    if (status == MANDATE_OK)
        status = schema_create(&d->schema, err);
    if (status == MANDATE_OK)
        status = load_entities(d, err);
    if (status == MANDATE_OK)
        status = load_connectors(d, owner, err);
    if (status == MANDATE_OK)
        status = assertion_declare(d->schema, err);
    if (status == MANDATE_OK)
        status = schema_freeze(d->schema, err);
    for (uint32_t i = 0; status == MANDATE_OK && i < d->connector_count; i++)
        status = connector_bind(d->connectors[i], d->schema, err);
    if (status == MANDATE_OK && d->config.compliance)
        status = load_compliance(d, err);
    if (status == MANDATE_OK)
        status = load_restricted(d, err);
    if (status == MANDATE_OK)
        warn_across(d);
    return status;
}

/* The issuer is part of every transition's id: under another name the ends of what is stored would be others. */
static mandate_status check_issuer(const daemon_state *d, mandate_error *err)
{
    engine_mandate_view first;
    mandate_slice bytes;
    claims stored;
    mandate_status status;
    arena a;

    if (engine_mandate_count(d->engine) == 0)
        return MANDATE_OK;
    engine_mandate_get(d->engine, 0, &first);
    arena_init(&a, 0);
    status = store_claims_load(d->store, &a, first.id, &bytes, err);
    if (status == MANDATE_OK)
        status = claims_decode(&stored, &a, bytes, err);
    if (status == MANDATE_OK && !mandate_slice_is(stored.issuer, d->config.issuer))
        status = mandate_error_set(err, MANDATE_INVALID,
                                   "issuer is %s, but the mandates in %s were issued by %.*s: an issuer stays the same for "
                                   "ever; put it back, or name another data_dir",
                                   d->config.issuer, d->config.data_dir, MANDATE_SLICE_ARG(stored.issuer));
    arena_deinit(&a);
    return status;
}

/* What was issued, for the audit log. */
static bool claims_text(buf *out, mandate_slice bytes)
{
    claims c;
    arena a;

    arena_init(&a, 0);
    bool ok = claims_decode(&c, &a, bytes, NULL) == MANDATE_OK;
    if (ok)
        claims_to_json(out, &c);
    arena_deinit(&a);
    return ok && !out->failed;
}

static mandate_status make_view(daemon_state *d, mandate_error *err)
{
    view_options views = {
        .claims_load = store_claims_told,
        .claims_ctx = d->store,
        .staleness_max_us = d->config.check.max_staleness_us,
    };
    return view_create(&d->view, &views, err);
}

/* The view grows with the engine: a second pass over all mandates would double the restart. */
static mandate_status show_loaded(void *ctx, mandate_slice id, mandate_slice claims_bytes, mandate_error *err)
{
    daemon_state *d = ctx;
    engine_mandate_view m;
    mandate_slice agent;
    uint32_t handle = engine_mandate_find(d->engine, id);

    assert(handle != UINT32_MAX);
    engine_mandate_get(d->engine, handle, &m);
    mandate_status status = view_set(d->view, handle, m.parent_handle, &m, err);
    if (status == MANDATE_OK)
        engine_thread_show_sources(d->view, d->engine, handle);
    if (status == MANDATE_OK)
        status = claims_decode_agent(&agent, claims_bytes, err);
    return status ? status : view_give(d->view, handle, agent, err);
}

mandate_status daemon_open(daemon_state *d, mandate_error *err)
{
    engine_options options = {
        .version = ENGINE_OPTIONS_VERSION,
        .schema = d->schema,
        .issuer = mandate_slice_str(d->config.issuer),
        .claims_load = store_claims_load,
    };
    mandate_status status;
    kv *backend = NULL;

    if (d->offline && access(d->config.data_dir, F_OK) != 0) /* who only reads makes none */
        return mandate_error_set(err, MANDATE_NOT_FOUND, "there is no database in %s: %s", d->config.data_dir,
                                 strerror(errno));
    if (mkdir(d->config.data_dir, 0700) != 0 && errno != EEXIST)
        return mandate_error_set(err, MANDATE_IO, "cannot create data_dir %s: %s", d->config.data_dir, strerror(errno));
    status = kv_open_rocksdb(&backend, d->config.data_dir, err);
    if (status != MANDATE_OK)
        return status;
    status = d->accept_older ? store_open_older(&d->store, backend, d->schema, &d->older, err)
                             : store_open(&d->store, backend, d->schema, err);
    if (status == MANDATE_OK) {
        store_options kept = STORE_OPTIONS_INIT;
        kept.horizon_us = d->config.history.horizon_us;
        kept.claims_json = claims_text;
        store_configure(d->store, &kept);
    }
    if (status != MANDATE_OK) {
        kv_close(backend); /* the store owns it only once it is open */
        return status;
    }
    d->backend = backend;
    options.claims_ctx = d->store;
    status = engine_create(&d->engine, &options, err);
    if (status == MANDATE_OK && !d->offline)
        status = make_view(d, err);
    if (status == MANDATE_OK)
        status = store_recover_telling(d->store, d->engine, &d->recovered_seq, d->offline ? NULL : show_loaded, d, err);
    if (status == MANDATE_OK)
        status = check_issuer(d, err);
    return status;
}

void daemon_close(daemon_state *d)
{
    http_server_stop(d->http);
    for (uint32_t i = 0; i < d->source_count; i++)
        source_destroy(d->sources[i]);
    free(d->sources);
    past_destroy(d->past);
    past_destroy(d->trials);
    status_lists_destroy(d->lists);
    engine_thread_destroy(d->loop);
    webhook_destroy(d->webhook);
    checkpointer_destroy(d->audit);
    guard_destroy(d->guard);
    sink_destroy(d->publisher);
    sink_destroy(d->watch_publisher);
    dead_letter_close(d->dead_letters);
    queue_destroy(d->queue);
    view_destroy(d->view);
    buf_deinit(&d->tracker.said);
    registry_destroy(d->schemas);
    broker_close(d->broker);
    signer_close(&d->signer);
    arena_deinit(&d->restricted_memory);
    check_kinds_slot_deinit(&d->kinds);
    engine_destroy(d->engine);
    if (d->store)
        store_close(d->store);
    for (uint32_t i = 0; i < d->connector_count; i++)
        connector_destroy(d->connectors[i]);
    free(d->connectors);
    gate_rules_deinit(&d->compliance);
    schema_destroy(d->schema);
    cluster_deinit(&d->cluster);
    config_destroy(&d->config);
    *d = (daemon_state){0};
}

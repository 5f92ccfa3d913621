/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run - daemon_start and daemon_stop.
 *
 * Whoever is served, is served by a state in which nothing is overdue: time that passed while the process was down is
 * stepped through before the first request and before the first record. Stopping is bounded; what cannot be
 * published in time is in the outbox and goes out after the next start.
 */
#include "connectors/daemon/daemon.h"

#include "connectors/daemon/base/clock.h"
#include "connectors/daemon/base/log.h"
#include "connectors/daemon/record/rules_record.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* --- what lower rooms ask of us ------------------------------------------------------------------------------------- */
static void host_log(void *ctx, kafka_level level, const char *component, const char *text)
{
    static const log_level levels[] = {LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG};

    (void)ctx;
    log_write(levels[level], component, "%s", text);
}

static int64_t host_monotonic(void *ctx)
{
    (void)ctx;
    return clock_monotonic_us();
}

static int64_t host_wall(void *ctx)
{
    (void)ctx;
    return clock_wall_us();
}

static mandate_status stored_offset(void *ctx, const char *topic, int32_t partition, int64_t *out, mandate_error *err)
{
    daemon_state *d = ctx;

    /* An embedded broker's topics are new at every start: an offset of the last run would be of something else. */
    if (d->broker) {
        *out = -1;
        return MANDATE_OK;
    }
    return store_offset(d->store, mandate_slice_str(topic), partition, out, err);
}

static mandate_status note_get(void *ctx, mandate_slice key, buf *out, mandate_error *err)
{
    daemon_state *d = ctx;

    return store_cache_get(d->store, key, out, err);
}

static mandate_status note_put(void *ctx, mandate_slice key, mandate_slice value, mandate_error *err)
{
    daemon_state *d = ctx;

    return store_cache_put(d->store, key, value, err);
}

static bool take_batch(void *ctx, source_batch *batch)
{
    daemon_state *d = ctx;

    return queue_push(d->queue, QUEUE_BATCHES, batch);
}

static void publisher_wake(void *ctx)
{
    daemon_state *d = ctx;

    queue_wake(d->queue);
    engine_thread_poke(d->loop);
}

static void publisher_fatal(void *ctx, const mandate_error *err)
{
    (void)ctx;
    log_write(LOG_ERROR, "publisher", "the outbox holds something that is no transition: %s; stopping at once", err->text);
    _exit(70);
}

/* What clients do to their connections is theirs; what keeps us from serving is for operators. */
static void http_log(void *ctx, const char *text)
{
    static const char *const ours[] = {"ccept", "emory", "Failed to", "thread", "limit", NULL};
    log_level level = LOG_DEBUG;

    (void)ctx;
    for (int i = 0; ours[i]; i++)
        if (strstr(text, ours[i]))
            level = LOG_WARN;
    log_write(level, "http", "%s", text);
}

/* --- parts ------------------------------------------------------------------------------------------------------------ */
static mandate_status start_broker(daemon_state *d, mandate_error *err)
{
    mandate_status status = broker_open(&d->broker, 1, err);

    if (status == MANDATE_OK)
        status = broker_topic(d->broker, d->config.topics.revocations, DAEMON_EMBEDDED_PARTITIONS, err);
    if (status == MANDATE_OK)
        status = broker_topic(d->broker, d->config.topics.watches, DAEMON_EMBEDDED_PARTITIONS, err);
    if (status == MANDATE_OK)
        status = broker_topic(d->broker, d->config.topics.dead_letter, 1, err);
    if (status == MANDATE_OK)
        status = broker_topic(d->broker, d->config.topics.checkpoints, 1, err);
    for (uint32_t i = 0; status == MANDATE_OK && i < d->connector_count; i++) {
        uint32_t count;
        const char *const *topics = connector_topics(d->connectors[i], &count);
        for (uint32_t t = 0; status == MANDATE_OK && t < count; t++)
            status = broker_topic(d->broker, topics[t], DAEMON_EMBEDDED_PARTITIONS, err);
    }
    if (status == MANDATE_OK && d->config.kafka.embedded_port_file)
        status = broker_announce(d->broker, d->config.kafka.embedded_port_file, err);
    if (status == MANDATE_OK)
        log_write(LOG_WARN, "broker", "embedded Kafka on %s: for demonstrations, it forgets everything at the end",
                  broker_bootstrap(d->broker));
    return status;
}

static mandate_status make_cluster(daemon_state *d, mandate_error *err)
{
    /* The embedded broker answers a fetch only when its time is up, whatever arrives meanwhile. */
    static const connector_property embedded[] = {{"fetch.wait.max.ms", "5"}};

    d->host = (kafka_host){d, host_log, host_monotonic, host_wall};
    return cluster_init(&d->cluster, &d->config, d->broker ? broker_bootstrap(d->broker) : d->config.kafka.bootstrap_servers,
                        embedded, d->broker ? 1 : 0, err);
}

static mandate_status make_registry(daemon_state *d, mandate_error *err)
{
    const char *auth = d->config.revocations.registry_auth;
    bool bearer = auth && !strncmp(auth, "Bearer ", 7);
    registry_options options = {
        .urls = d->config.revocations.registry.items,
        .url_count = d->config.revocations.registry.count,
        .basic_auth = auth && !bearer ? auth : NULL,
        .bearer = bearer ? auth + 7 : NULL,
        .ca_file = d->config.revocations.registry_ca,
        .certificate_file = d->config.revocations.registry_certificate,
        .key_file = d->config.revocations.registry_key,
    };

    if (d->config.revocations.format != CONFIG_FORMAT_AVRO || options.url_count == 0)
        return MANDATE_OK;
    return registry_create(&d->schemas, &options, err);
}

/* One for each topic: that one of them is missing holds up nothing on the other. */
static mandate_status make_publishers(daemon_state *d, mandate_error *err)
{
    sink_options options = {
        .cluster = &d->cluster.value,
        .host = &d->host,
        .topic = d->config.topics.revocations,
        .issuer = d->config.issuer,
        .format = d->config.revocations.format == CONFIG_FORMAT_AVRO ? REVOCATION_AVRO : REVOCATION_JSON,
        .schemas = d->schemas,
        .heartbeat_us = d->config.revocations.heartbeat_us,
        .ctx = d,
        .wake = publisher_wake,
        .fatal = publisher_fatal,
    };

    mandate_status status = sink_create(&d->publisher, &options, err);
    options.topic = d->config.topics.watches;
    options.stream = OUTBOX_FLIPS;
    return status ? status : sink_create(&d->watch_publisher, &options, err);
}

static void guard_log(bool bad, const char *text) { log_write(bad ? LOG_WARN : LOG_INFO, "policy", "%s", text); }

static mandate_status make_guard(daemon_state *d, mandate_error *err)
{
    guard_options options = {
        .claims_load = store_claims_load, .claims_ctx = d->store, .now_us = clock_now_us, .log = guard_log};

    return d->config.policy ? guard_create(&d->guard, d->config.policy, &options, err) : MANDATE_OK;
}

static mandate_status make_engine_thread(daemon_state *d, mandate_error *err)
{
    uint32_t batches = d->config.queue.records / SOURCE_BATCH_RECORDS;
    mandate_status status = queue_create(&d->queue, DAEMON_REQUESTS_MAX, batches ? batches : 1, err);
    if (status == MANDATE_OK)
        status = make_publishers(d, err);
    webhook_options hook = {.store = d->store,
                            .signer = &d->signer,
                            .queue = d->queue,
                            .issuer = d->config.issuer,
                            .url = d->config.decisions.webhook,
                            .ca_file = d->config.decisions.webhook_ca,
                            .audience = d->config.decisions.webhook_audience,
                            .keep_max = d->config.decisions.webhook_keep_max,
                            .keep_us = d->config.decisions.webhook_keep_us};
    if (status == MANDATE_OK)
        status = webhook_create(&d->webhook, &hook, err);
    engine_thread_options options = {
        .engine = d->engine,
        .store = d->store,
        .schema = d->schema,
        .view = d->view,
        .tracker = &d->tracker,
        .queue = d->queue,
        .metrics = &d->metrics,
        .signer = &d->signer,
        .audit = d->audit,
        .past = d->past,
        .guard = d->guard,
        .rules = &d->compliance,
        .webhook = d->webhook,
        .publisher = d->publisher,
        .watch_publisher = d->watch_publisher,
        .batch_inputs = d->config.engine.batch_inputs,
        .batch_wait_us = d->config.engine.batch_wait_us,
        .open_for_us = d->config.decisions.open_for_us,
        .permit_for_us = d->config.decisions.permit_for_us,
    };
    if (status == MANDATE_OK)
        status = engine_thread_create(&d->loop, &options, err);
    return status;
}

mandate_status daemon_source_create(source **out, daemon_state *d, const connector *c, engine_source_state told,
                                    mandate_error *err)
{
    source_options options = {
        .connector = c,
        .schema = d->schema,
        .cluster = &d->cluster.value,
        .host = &d->host,
        .group_prefix = "mandated",
        .dead_letters = d->dead_letters,
        .told = told,
        .ctx = d,
        .offset = stored_offset,
        .push = take_batch,
    };
    if (!d->broker)
        options.notes = (source_notes){d, note_get, note_put};
    return source_create(out, &options, err);
}

static mandate_status make_sources(daemon_state *d, mandate_error *err)
{
    mandate_status status = MANDATE_OK;

    d->sources = calloc(d->connector_count + 1, sizeof(*d->sources));
    if (!d->sources)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for sources");
    for (uint32_t i = 0; status == MANDATE_OK && i < d->connector_count; i++) {
        const connector *c = d->connectors[i];
        status = daemon_source_create(&d->sources[i], d, c, engine_source_get(d->engine, connector_source(c)), err);
        if (status == MANDATE_OK)
            d->source_count++;
    }
    return status;
}

static mandate_status start_http(daemon_state *d, mandate_error *err)
{
    http_options options = HTTP_OPTIONS_INIT;
    char host[256] = "";
    const char *tcp = d->config.http.tcp, *colon = tcp ? strrchr(tcp, ':') : NULL;

    options.socket_path = d->config.http.unix_socket;
    options.issuer = d->config.issuer;
    options.tls_certificate = d->config.http.tls_certificate;
    options.tls_key = d->config.http.tls_key;
    options.tls_client_ca = d->config.http.tls_client_ca;
    options.tls_crl = d->config.http.tls_crl;
    options.drain_ms = 200;
    options.subject_types = d->config.check.subject_types.items;
    options.subject_type_count = d->config.check.subject_types.count;
    options.restricted = d->restricted;
    options.restricted_count = d->restricted_count;
    options.log = http_log;
    if (tcp) {
        char *end;
        unsigned long port = colon ? strtoul(colon + 1, &end, 10) : 0;
        size_t len = colon ? (size_t)(colon - tcp) : 0;
        bool bracketed = len >= 2 && tcp[0] == '[' && tcp[len - 1] == ']';
        if (!colon || *end || end == colon + 1 || port > 65535 || len == 0 || len >= sizeof(host))
            return mandate_error_set(err, MANDATE_INVALID, "http.tcp is '%s'; expected host:port such as 127.0.0.1:8480",
                                     tcp);
        snprintf(host, sizeof(host), "%.*s", (int)(bracketed ? len - 2 : len), tcp + bracketed);
        options.tcp = true;
        options.tcp_host = !strcmp(host, "localhost") ? "127.0.0.1" : host;
        options.tcp_port = (uint16_t)port;
    }
    daemon_service(d, &d->port);
    return http_server_start(&d->http, &options, &d->port, err);
}

/* The first checkpoint is written before anybody is served. */
static mandate_status start_audit(daemon_state *d, mandate_error *err)
{
    notice *topic = NULL;
    mandate_status status =
        notice_open(&topic, &d->cluster.value, &d->host, d->config.topics.checkpoints, "text/plain; charset=utf-8", err);

    return status ? status : checkpointer_start(d->audit, topic, err);
}

/* --- up ------------------------------------------------------------------------------------------------------------------ */
static mandate_status start_threads(daemon_state *d, mandate_error *err)
{
    mandate_status status = sink_start(d->publisher, err);

    if (status == MANDATE_OK)
        status = sink_start(d->watch_publisher, err);
    if (status == MANDATE_OK)
        status = webhook_start(d->webhook, err);
    if (status == MANDATE_OK)
        status = engine_thread_start(d->loop, err);
    for (uint32_t i = 0; status == MANDATE_OK && i < d->source_count; i++)
        status = source_start(d->sources[i], err);
    return status;
}

static void log_serving(const daemon_state *d, uint64_t seq, uint32_t mandates)
{
    const char *tcp = d->config.http.tcp;
    char also[300] = "";

    /* The port that was bound: the configured one may be 0. */
    if (tcp)
        snprintf(also, sizeof(also), " and %.*s:%u", (int)(strrchr(tcp, ':') - tcp), tcp, http_server_port(d->http));
    log_write(LOG_INFO, "daemon", "mandated %s: serving on %s%s; step %llu, %u mandates, %u connectors", mandate_version(),
              d->config.http.unix_socket, also, (unsigned long long)seq, mandates, d->source_count);
}

void daemon_record_rules(daemon_state *d)
{
    const check_kinds *k = atomic_load(&d->kinds.now); /* the caller's thread alone replaces them */
    buf text;

    buf_init(&text);
    if (d->guard)
        guard_text(d->guard, &text);
    if (!text.failed)
        rules_record(d->store, d->queue, RULES_POLICY, d->guard ? d->config.policy : NULL, buf_slice(&text));
    rules_record(d->store, d->queue, RULES_CHECK_KINDS, k ? check_kinds_path(k) : NULL,
                 k ? check_kinds_text(k) : (mandate_slice){NULL, 0});
    buf_deinit(&text);
}

mandate_status daemon_start(daemon_state *d, mandate_error *err)
{
    const checkpointer_topic topic = {&d->cluster.value, &d->host, 0};
    mandate_status status = d->config.kafka.embedded ? start_broker(d, err) : MANDATE_OK;
    if (status == MANDATE_OK)
        status = make_cluster(d, err);
    if (status == MANDATE_OK) /* an embedded broker has forgotten what was there */
        status = checkpointer_open(&d->audit, &d->config, d->store, d->engine, d->broker ? NULL : &topic, d->accept_older,
                                   d->older, err);
    if (status == MANDATE_OK)
        status = signer_open(&d->signer, &d->config, err);
    /* Also when two files hold the same key, or two sockets lead to it. */
    if (status == MANDATE_OK && mandate_slice_eq(checkpointer_kid(d->audit), token_key_kid(d->signer.keys.keys[0])))
        status = mandate_error_set(err, MANDATE_INVALID,
                                   "mandates and the audit log are signed by one key, %.*s: give the log a key of its own",
                                   MANDATE_SLICE_ARG(checkpointer_kid(d->audit)));

    clock_init(engine_now_us(d->engine));
    clock_require_synchronised(d->config.clock.require_synchronised);
    if (!clock_trusted())
        log_write(
            LOG_WARN, "clock",
            "the kernel does not hold the clock to be synchronised, or may not be asked: nothing is granted until it does");
    if (clock_now_us() - clock_wall_us() > 5000000)
        log_write(LOG_WARN, "clock",
                  "the wall clock is %lld s behind the last committed step; engine time goes on from there",
                  (long long)((clock_now_us() - clock_wall_us()) / 1000000));
    if (status == MANDATE_OK)
        status = make_registry(d, err);
    if (status == MANDATE_OK)
        status = make_guard(d, err);
    if (status == MANDATE_OK)
        status = past_create(&d->past, &(past_options){d->store, &d->config, d->audit, &d->stopping}, err);
    if (status == MANDATE_OK)
        status = past_create(&d->trials, &(past_options){d->store, &d->config, d->audit, &d->stopping}, err);
    if (status == MANDATE_OK)
        status = status_lists_create(
            &d->lists,
            &(status_lists_options){d->view, &d->signer, d->audit, d->config.issuer, d->config.check.max_staleness_us}, err);
    if (status == MANDATE_OK)
        status = make_engine_thread(d, err);
    if (status == MANDATE_OK)
        status = dead_letter_open(&d->dead_letters, &d->cluster.value, &d->host, d->config.topics.dead_letter, err);
    if (status == MANDATE_OK)
        status = make_sources(d, err);
    if (status == MANDATE_OK)
        status = engine_thread_catch_up(d->loop, err);
    if (status == MANDATE_OK)
        status = start_audit(d, err);
    /* From here on the engine belongs to its thread. */
    uint64_t seq = engine_seq(d->engine);
    uint32_t mandates = engine_mandate_count(d->engine);
    if (status == MANDATE_OK)
        status = start_threads(d, err);
    if (status == MANDATE_OK)
        status = start_http(d, err);
    if (status == MANDATE_OK) {
        daemon_record_rules(d);
        atomic_store(&d->serving, true);
        log_serving(d, seq, mandates);
    }
    return status;
}

/* --- down ------------------------------------------------------------------------------------------------------------------ */
static int stop_ms(const daemon_state *d, int ms) { return d->patience > 1 ? d->patience * ms : ms; }

static bool stop_sources(daemon_state *d)
{
    bool all = true;
    int64_t until = clock_monotonic_us() + (int64_t)stop_ms(d, DAEMON_STOP_SOURCES_MS) * 1000;

    for (uint32_t i = 0; i < d->source_count; i++)
        source_stop(d->sources[i]);
    for (uint32_t i = 0; i < d->source_count; i++) {
        int64_t left = (until - clock_monotonic_us()) / 1000;
        all = source_join(d->sources[i], left > 0 ? (int)left : 0) && all;
    }
    return all;
}

bool daemon_stop(daemon_state *d)
{
    bool clean;

    atomic_store(&d->stopping, true);
    clean = stop_sources(d);
    if (d->queue)
        queue_close(d->queue);
    if (d->loop && !engine_thread_join(d->loop, stop_ms(d, DAEMON_STOP_ENGINE_MS))) {
        /* A commit that takes this long: nothing after it may be touched, and nothing is lost by leaving. */
        log_write(LOG_ERROR, "daemon", "the engine's thread is still committing; leaving without it");
        return false;
    }
    past_destroy(d->past);
    past_destroy(d->trials);
    d->past = d->trials = NULL;
    status_lists_destroy(d->lists);
    d->lists = NULL;
    webhook_stop(d->webhook);
    http_server_stop(d->http);
    d->http = NULL;
    if (d->publisher)
        clean = sink_stop(d->publisher, stop_ms(d, DAEMON_STOP_FLUSH_MS)) && clean;
    if (d->watch_publisher)
        clean = sink_stop(d->watch_publisher, stop_ms(d, DAEMON_STOP_FLIPS_MS)) && clean;
    clean = checkpointer_stop(d->audit, stop_ms(d, DAEMON_STOP_AUDIT_MS)) && clean;
    if (d->loop)
        engine_thread_settle(d->loop);
    if (!clean && d->store) {
        store_close(d->store);
        d->store = NULL;
    }
    return clean;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client - handles: the table of properties that are ours to set, and callbacks to the log.
 *
 * librdkafka 2.0.2 reports "all brokers down" and single connection failures as errors while it goes on trying by
 * itself: they are logged once, never acted upon.
 */
#include "connectors/kafka/client.h"

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>
#include <stdio.h>

typedef struct client_property {
    kafka_role role;
    bool fixed;
    const char *name, *value, *why;
} client_property;

static const client_property client_properties[] = {
    {KAFKA_CONSUMER, true, "enable.auto.commit", "false", "positions are stored with the state they produced"},
    {KAFKA_CONSUMER, true, "enable.auto.offset.store", "false", "positions are stored with the state they produced"},
    {KAFKA_CONSUMER, true, "auto.offset.reset", "error", "a lost position must be noticed, never jumped over"},
    {KAFKA_CONSUMER, true, "enable.partition.eof", "true", "reaching the end is how a source proves itself live"},
    {KAFKA_CONSUMER, true, "allow.auto.create.topics", "false", "a misspelt topic must not come to exist"},
    {KAFKA_CONSUMER, true, "check.crcs", "true", "a damaged record must not become state"},
    {KAFKA_CONSUMER, false, "queued.min.messages", "20000", ""},
    {KAFKA_CONSUMER, false, "fetch.wait.max.ms", "100", ""},
    {KAFKA_CONSUMER, false, "fetch.error.backoff.ms", "100", ""},
    {KAFKA_PRODUCER, true, "enable.idempotence", "true", "a retry must neither repeat nor reorder a transition"},
    {KAFKA_PRODUCER, true, "enable.gapless.guarantee", "true", "a later version must not overtake a failed one"},
    {KAFKA_PRODUCER, true, "acks", "all", "a transition leaves the outbox only when every replica has it"},
    {KAFKA_PRODUCER, true, "partitioner", "murmur2_random", "a mandate must be where Java clients look for it"},
    {KAFKA_PRODUCER, false, "message.timeout.ms", "0", ""},
    {KAFKA_PRODUCER, false, "linger.ms", "1", ""}, /* so that what comes at once goes together; who must not wait flushes */
    {KAFKA_PRODUCER, false, "queue.buffering.max.messages", "100000", ""},
    /* The topic decides what is too large for it, not we: a dead letter is as large as what came. */
    {KAFKA_PRODUCER, false, "message.max.bytes", "100000000", ""},
};
enum { CLIENT_PROPERTY_COUNT = sizeof(client_properties) / sizeof(client_properties[0]) };

/* For every role. */
static const char *const client_common[][2] = {
    {"socket.nagle.disable", "true"},          {"socket.keepalive.enable", "true"}, {"reconnect.backoff.max.ms", "1000"},
    {"topic.metadata.refresh.sparse", "true"}, {"log.connection.close", "false"},
};

void kafka_log(const kafka_host *host, kafka_level level, const char *component, const char *format, ...)
{
    char text[1024];
    va_list args;

    if (!host || !host->log)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    host->log(host->ctx, level, component, text);
}

static void on_log(const rd_kafka_t *rk, int level, const char *facility, const char *text)
{
    const kafka_client *client = rd_kafka_opaque(rk);
    /* Connection failures arrive through on_error as well; here they would repeat at every attempt. */
    kafka_level ours = level <= 3 ? KAFKA_WARNING : level <= 6 ? KAFKA_INFO : KAFKA_DEBUG;

    /* CONFWARN, AUTOCREATE: about properties that we chose. */
    if (!strcmp(facility, "FAIL") || !strcmp(facility, "ERROR") || !strcmp(facility, "CONFWARN") ||
        !strcmp(facility, "AUTOCREATE"))
        ours = KAFKA_DEBUG;
    kafka_log(client->host, ours, client->component, "librdkafka %s: %s", facility, text);
}

static void trouble_set(kafka_client *client, const char *text)
{
    pthread_mutex_lock(&client->lock);
    snprintf(client->trouble, sizeof(client->trouble), "%.*s", (int)sizeof(client->trouble) - 1, text);
    pthread_mutex_unlock(&client->lock);
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    kafka_client *client = opaque;
    rd_kafka_resp_err_t error = (rd_kafka_resp_err_t)code;

    if (error == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        char text[300];
        if (atomic_exchange(&client->reachable, false) && kafka_client_trouble(client, text, sizeof(text)))
            kafka_log(client->host, KAFKA_WARNING, client->component, "%s; trying on", text);
        return;
    }
    trouble_set(client, reason);
    /* It repeats the client's nonce in its last message; brokers before 4.0 let that pass (librdkafka issue 4895). */
    if (error == RD_KAFKA_RESP_ERR__AUTHENTICATION && strstr(reason, "SCRAM") && rd_kafka_version() < 0x020601ff &&
        !atomic_exchange(&client->warned, true))
        kafka_log(client->host, KAFKA_WARNING, client->component,
                  "if the password is right: librdkafka %s cannot log in by SCRAM to Kafka 4.0 or newer; use a client "
                  "certificate, plain under TLS, or oauthbearer, or librdkafka 2.6.1 or newer",
                  rd_kafka_version_str());
    /* A single connection: librdkafka has others, or retries. */
    kafka_log(client->host, error == RD_KAFKA_RESP_ERR__TRANSPORT ? KAFKA_DEBUG : KAFKA_WARNING, client->component, "%s: %s",
              rd_kafka_err2name(error), reason);
}

/* On librdkafka's background thread. */
static void on_token_wanted(rd_kafka_t *rk, const char *ignored, void *opaque)
{
    kafka_client *client = opaque;
    mandate_error err;

    if (kafka_oauth_refresh(rk, client->oauth, &err) == MANDATE_OK) {
        kafka_log(client->host, KAFKA_DEBUG, client->component, "a new token from %s", client->oauth->token_url);
        return;
    }
    kafka_log(client->host, KAFKA_WARNING, client->component, "%s; asking again in ten seconds", err.text);
    trouble_set(client, err.text);
    atomic_store(&client->reachable, false); /* until a broker answers: an older token may still do */
}

bool kafka_client_trouble(kafka_client *client, char *out, size_t size)
{
    if (atomic_load(&client->reachable))
        return false;
    pthread_mutex_lock(&client->lock);
    snprintf(out, size, "no Kafka broker can be reached%s%s", client->trouble[0] ? ": " : "", client->trouble);
    pthread_mutex_unlock(&client->lock);
    return true;
}

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    kafka_client *client = opaque;

    (void)rk;
    client->delivered(client, message);
}

static const client_property *property_find(kafka_role role, const char *name)
{
    for (size_t i = 0; i < CLIENT_PROPERTY_COUNT; i++)
        if (client_properties[i].role == role && !strcmp(client_properties[i].name, name))
            return &client_properties[i];
    return NULL;
}

static mandate_status property_set(rd_kafka_conf_t *conf, const char *name, const char *value, mandate_error *err)
{
    char text[512];

    if (rd_kafka_conf_set(conf, name, value, text, sizeof(text)) == RD_KAFKA_CONF_OK)
        return MANDATE_OK;
    /* librdkafka quotes the value, and any value may be a secret that was put into the wrong place. */
    if (*value && strstr(text, value) && !strstr(name, value))
        return mandate_error_set(err, MANDATE_INVALID, "librdkafka refuses the value of the property %s", name);
    return mandate_error_set(err, MANDATE_INVALID, "librdkafka refuses the property %s: %s", name, text);
}

static mandate_status properties_set(rd_kafka_conf_t *conf, kafka_role role, const connector_property *list, uint32_t count,
                                     mandate_error *err)
{
    for (uint32_t i = 0; i < count; i++) {
        const client_property *ours = property_find(role, list[i].name);
        if (ours && ours->fixed) {
            if (!strcmp(ours->value, list[i].value))
                continue;
            return mandate_error_set(err, MANDATE_INVALID,
                                     "the librdkafka property %s is fixed to %s, because %s; remove it", ours->name,
                                     ours->value, ours->why);
        }
        mandate_status status = property_set(conf, list[i].name, list[i].value, err);
        if (status != MANDATE_OK)
            return status;
    }
    return MANDATE_OK;
}

static mandate_status conf_fill(rd_kafka_conf_t *conf, const kafka_client_options *options, mandate_error *err)
{
    const kafka_cluster *cluster = options->cluster;
    mandate_status status = property_set(conf, "bootstrap.servers", cluster->bootstrap, err);

    if (status == MANDATE_OK)
        status = property_set(conf, "client.id", "mandated", err);
    for (size_t i = 0; status == MANDATE_OK && i < sizeof(client_common) / sizeof(client_common[0]); i++)
        status = property_set(conf, client_common[i][0], client_common[i][1], err);
    for (size_t i = 0; status == MANDATE_OK && i < CLIENT_PROPERTY_COUNT; i++)
        if (client_properties[i].role == options->role)
            status = property_set(conf, client_properties[i].name, client_properties[i].value, err);
    if (status == MANDATE_OK && options->group_id)
        status = property_set(conf, "group.id", options->group_id, err);
    if (status == MANDATE_OK)
        status = properties_set(conf, options->role, cluster->properties, cluster->property_count, err);
    if (status == MANDATE_OK)
        status = properties_set(conf, options->role, options->own, options->own_count, err);
    return status;
}

mandate_status kafka_client_open(kafka_client *client, const kafka_client_options *options, mandate_error *err)
{
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    mandate_status status = conf_fill(conf, options, err);

    if (status != MANDATE_OK)
        goto done;
    client->host = options->host;
    client->component = options->component;
    client->owner = options->owner;
    atomic_store(&client->reachable, true);
    client->trouble[0] = '\0';
    rd_kafka_conf_set_opaque(conf, client);
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_error_cb(conf, on_error);
    client->oauth = options->cluster->oauth;
    if (client->oauth) {
        rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf, on_token_wanted);
        rd_kafka_conf_enable_sasl_queue(conf, 1);
    }
    client->delivered = options->delivered;
    if (options->delivered)
        rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    client->handle =
        rd_kafka_new(options->role == KAFKA_CONSUMER ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf, text, sizeof(text));
    if (!client->handle) {
        status = mandate_error_set(err, MANDATE_INVALID, "%s: librdkafka cannot be set up: %s", options->component, text);
        goto done;
    }
    conf = NULL; /* rd_kafka_new took it */
    if (client->oauth)
        rd_kafka_error_destroy(rd_kafka_sasl_background_callbacks_enable(client->handle));
    if (options->role == KAFKA_CONSUMER)
        rd_kafka_poll_set_consumer(client->handle);
done:
    if (conf)
        rd_kafka_conf_destroy(conf);
    return status;
}

void kafka_client_close(kafka_client *client)
{
    if (!client->handle)
        return;
    if (rd_kafka_type(client->handle) == RD_KAFKA_PRODUCER)
        rd_kafka_purge(client->handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_destroy_flags(client->handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    client->handle = NULL;
}

mandate_status kafka_partition_count(int32_t *out, kafka_client *client, const char *topic, int timeout_ms,
                                     mandate_error *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    mandate_status status = MANDATE_OK;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client->handle, topic, NULL);
    rd_kafka_resp_err_t error;

    if (!handle)
        return mandate_error_set(err, MANDATE_INVALID, "topic %s: %s", topic, rd_kafka_err2str(rd_kafka_last_error()));
    error = rd_kafka_metadata(client->handle, 0, handle, &metadata, timeout_ms);
    if (error) {
        status = mandate_error_set(err, MANDATE_UNAVAILABLE, "topic %s: no metadata: %s", topic, rd_kafka_err2str(error));
        goto done;
    }
    atomic_store(&client->reachable, true);
    *out = 0;
    error = metadata->topic_cnt == 1 ? metadata->topics[0].err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    if (!error)
        *out = metadata->topics[0].partition_cnt;
    else if (error != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        status = mandate_error_set(err, MANDATE_UNAVAILABLE, "topic %s: %s", topic, rd_kafka_err2str(error));
done:
    if (metadata)
        rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tool - two plain librdkafka clients. Only the first fatal thing is reported; what librdkafka
 * repairs by itself is not.
 */
#include "connectors/kafka/tool.h"

#include "connectors/kafka/client.h"

#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { TIMEOUT_DEFAULT_MS = 10000, POLL_MS = 100 };

static int timeout_of(const kafka_tool_target *target)
{
    return target->timeout_ms ? target->timeout_ms : TIMEOUT_DEFAULT_MS;
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Connection errors are repeated by librdkafka until it succeeds; a deadline of ours decides. */
static void quiet(const rd_kafka_t *handle, int level, const char *facility, const char *text) {}

static mandate_status set(rd_kafka_conf_t *conf, const char *name, const char *value, mandate_error *err)
{
    char text[256];
    if (rd_kafka_conf_set(conf, name, value, text, sizeof(text)) == RD_KAFKA_CONF_OK)
        return MANDATE_OK;
    /* librdkafka quotes the value, which may be a secret in the wrong place. */
    if (*value && strstr(text, value) && !strstr(name, value))
        return mandate_error_set(err, MANDATE_INVALID, "Kafka property %s: its value is refused", name);
    return mandate_error_set(err, MANDATE_INVALID, "Kafka property %s: %s", name, text);
}

static mandate_status set_pair(rd_kafka_conf_t *conf, const char *pair, mandate_error *err)
{
    char name[LIMIT_NAME + 1];
    const char *equals = strchr(pair, '=');
    if (!equals || equals == pair || (size_t)(equals - pair) >= sizeof(name))
        return mandate_error_set(err, MANDATE_INVALID, "expected a Kafka property as name=value, got \"%s\"", pair);
    snprintf(name, sizeof(name), "%.*s", (int)(equals - pair), pair);
    return set(conf, name, equals + 1, err);
}

/* What a handle's opaque points at, whatever else follows. */
typedef struct tool_opaque {
    const kafka_oauth *oauth;
} tool_opaque;

static void on_token_wanted(rd_kafka_t *handle, const char *ignored, void *opaque)
{
    mandate_error err;
    mandate_status status = kafka_oauth_refresh(handle, ((tool_opaque *)opaque)->oauth, &err);
    (void)status; /* librdkafka was told; a deadline of ours decides */
}

static mandate_status set_cluster(rd_kafka_conf_t *conf, const kafka_cluster *cluster, mandate_error *err)
{
    mandate_status status = MANDATE_OK;
    for (uint32_t i = 0; !status && i < cluster->property_count; i++)
        status = set(conf, cluster->properties[i].name, cluster->properties[i].value, err);
    if (cluster->oauth) {
        rd_kafka_conf_set_oauthbearer_token_refresh_cb(conf, on_token_wanted);
        rd_kafka_conf_enable_sasl_queue(conf, 1);
    }
    return status;
}

/* Takes over `conf`. `defaults` are name, value, ..., NULL; the caller's properties win. */
static mandate_status open_handle(rd_kafka_t **out, rd_kafka_type_t type, rd_kafka_conf_t *conf,
                                  const kafka_tool_target *target, const char *const *defaults, mandate_error *err)
{
    char text[256];
    mandate_status status = set(conf, "bootstrap.servers", target->bootstrap, err);
    for (; !status && *defaults; defaults += 2)
        status = set(conf, defaults[0], defaults[1], err);
    if (!status && target->cluster)
        status = set_cluster(conf, target->cluster, err);
    for (size_t i = 0; !status && i < target->property_count; i++)
        status = set_pair(conf, target->properties[i], err);
    rd_kafka_conf_set_log_cb(conf, quiet);
    if (!status) {
        *out = rd_kafka_new(type, conf, text, sizeof(text));
        if (*out && target->cluster && target->cluster->oauth)
            rd_kafka_error_destroy(rd_kafka_sasl_background_callbacks_enable(*out));
        if (*out)
            return MANDATE_OK; /* it owns conf now */
        status = mandate_error_set(err, MANDATE_INVALID, "Kafka client: %s", text);
    }
    rd_kafka_conf_destroy(conf);
    return status;
}

/* Number of partitions. A topic that was just created may take a moment to show. */
static mandate_status partitions_of(int *out, rd_kafka_t *handle, const kafka_tool_target *target, mandate_error *err)
{
    mandate_status status = MANDATE_UNAVAILABLE;
    const rd_kafka_metadata_t *found;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(handle, target->topic, NULL);
    if (!topic)
        return mandate_error_set(err, MANDATE_INVALID, "\"%s\" is no topic name", target->topic);
    rd_kafka_resp_err_t code = rd_kafka_metadata(handle, 0, topic, &found, timeout_of(target));
    rd_kafka_topic_destroy(topic);
    if (code)
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "no Kafka broker answers at %s: %s", target->bootstrap,
                                 rd_kafka_err2str(code));
    if (found->topic_cnt == 1 && found->topics[0].err == RD_KAFKA_RESP_ERR_NO_ERROR && found->topics[0].partition_cnt > 0) {
        *out = found->topics[0].partition_cnt;
        status = MANDATE_OK;
    } else {
        status =
            mandate_error_set(err, MANDATE_NOT_FOUND, "there is no topic \"%s\" at %s", target->topic, target->bootstrap);
    }
    rd_kafka_metadata_destroy(found);
    return status;
}

/* --- tail ------------------------------------------------------------------------------------- */

static mandate_status assign_all(rd_kafka_t *handle, const kafka_tool_target *target, int count, bool from_beginning,
                                 mandate_error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
    for (int p = 0; p < count; p++)
        rd_kafka_topic_partition_list_add(list, target->topic, p)->offset =
            from_beginning ? RD_KAFKA_OFFSET_BEGINNING : RD_KAFKA_OFFSET_END;
    rd_kafka_resp_err_t code = rd_kafka_assign(handle, list);
    rd_kafka_topic_partition_list_destroy(list);
    return code ? mandate_error_set(err, MANDATE_UNAVAILABLE, "cannot read %s: %s", target->topic, rd_kafka_err2str(code))
                : MANDATE_OK;
}

static bool show(const rd_kafka_message_t *m, kafka_tool_visit visit, void *ctx)
{
    record_header headers[LIMIT_HEADERS];
    rd_kafka_headers_t *from = NULL;
    rd_kafka_timestamp_type_t kind;
    int64_t ms = rd_kafka_message_timestamp(m, &kind);
    record r = {.topic = mandate_slice_str(rd_kafka_topic_name(m->rkt)),
                .partition = m->partition,
                .offset = m->offset,
                .timestamp_us = kind == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? INT64_MIN : ms * 1000,
                .key = mandate_slice_of(m->key, m->key_len),
                .value = mandate_slice_of(m->payload, m->len),
                .headers = headers};
    if (rd_kafka_message_headers(m, &from) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        const char *name;
        const void *value;
        size_t len;
        while (r.header_count < LIMIT_HEADERS &&
               rd_kafka_header_get_all(from, r.header_count, &name, &value, &len) == RD_KAFKA_RESP_ERR_NO_ERROR)
            headers[r.header_count++] = (record_header){mandate_slice_str(name), mandate_slice_of(value, len)};
    }
    return visit(ctx, &r);
}

/* Every partition that has been read to its end once is counted out of `open`. */
static mandate_status read_all(rd_kafka_t *handle, const kafka_tool_target *target, const kafka_tool_tail_options *options,
                               int open, kafka_tool_visit visit, void *ctx, mandate_error *err)
{
    uint64_t seen = 0;
    mandate_status status = MANDATE_OK;
    bool more = true;
    bool *ended = calloc((size_t)open, sizeof(*ended));
    if (!ended)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory");
    while (more && !status && !(options->stop && *options->stop)) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(handle, POLL_MS);
        if (!m)
            continue;
        if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            open -= !ended[m->partition];
            ended[m->partition] = true;
            more = open > 0 || !options->exit_at_end;
        } else if (m->err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || m->err == RD_KAFKA_RESP_ERR__TRANSPORT) {
            /* it reconnects */
        } else if (m->err) {
            status =
                mandate_error_set(err, MANDATE_UNAVAILABLE, "reading %s: %s", target->topic, rd_kafka_message_errstr(m));
        } else {
            more = show(m, visit, ctx) && ++seen != options->count;
        }
        rd_kafka_message_destroy(m);
    }
    free(ended);
    return status;
}

mandate_status kafka_tool_tail(const kafka_tool_target *target, const kafka_tool_tail_options *options,
                               kafka_tool_visit visit, void *ctx, mandate_error *err)
{
    /* A group id is demanded by librdkafka; with assign() and without commits it is never used. */
    static const char *const defaults[] = {
        "group.id",
        "mandatectl",
        "enable.auto.commit",
        "false",
        "enable.auto.offset.store",
        "false",
        "enable.partition.eof",
        "true",
        "auto.offset.reset",
        "earliest",
        "allow.auto.create.topics",
        "false",
        "check.crcs",
        "true",
        "fetch.wait.max.ms",
        "100",
        NULL,
    };
    rd_kafka_t *handle;
    int count = 0;
    tool_opaque own = {target->cluster ? target->cluster->oauth : NULL};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_opaque(conf, &own);
    mandate_status status = open_handle(&handle, RD_KAFKA_CONSUMER, conf, target, defaults, err);
    if (status)
        return status;
    rd_kafka_poll_set_consumer(handle);
    status = partitions_of(&count, handle, target, err);
    if (!status)
        status = assign_all(handle, target, count, options->from_beginning, err);
    if (!status)
        status = read_all(handle, target, options, count, visit, ctx, err);
    rd_kafka_destroy_flags(handle, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return status;
}

/* --- send ------------------------------------------------------------------------------------- */

struct kafka_tool_sender {
    tool_opaque own; /* first */
    rd_kafka_t *handle;
    kafka_tool_target target;
    char *topic;
    mandate_error failed; /* the first delivery that failed */
};

static void delivered(rd_kafka_t *handle, const rd_kafka_message_t *m, void *opaque)
{
    kafka_tool_sender *s = opaque;
    if (m->err && s->failed.status == MANDATE_OK)
        (void)mandate_error_set(&s->failed, MANDATE_UNAVAILABLE, "not acknowledged by %s: %s", s->topic,
                                rd_kafka_err2str(m->err));
}

mandate_status kafka_tool_sender_open(kafka_tool_sender **out, const kafka_tool_target *target, mandate_error *err)
{
    char timeout[16];
    const char *const defaults[] = {
        "enable.idempotence",
        "true",
        "partitioner",
        "murmur2_random",
        "linger.ms",
        "2",
        "allow.auto.create.topics",
        "false",
        "message.timeout.ms",
        timeout,
        "message.max.bytes",
        "8388608",
        NULL,
    };
    int count;
    snprintf(timeout, sizeof(timeout), "%d", timeout_of(target));
    kafka_tool_sender *s = calloc(1, sizeof(*s));
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (s)
        s->topic = strdup(target->topic);
    if (!s || !s->topic) {
        free(s);
        rd_kafka_conf_destroy(conf);
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory");
    }
    s->target = *target;
    s->own.oauth = target->cluster ? target->cluster->oauth : NULL;
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_conf_set_opaque(conf, s);
    mandate_status status = open_handle(&s->handle, RD_KAFKA_PRODUCER, conf, target, defaults, err);
    if (!status) {
        status = partitions_of(&count, s->handle, target, err);
        if (status)
            rd_kafka_destroy(s->handle);
    }
    if (status) {
        free(s->topic);
        free(s);
        return status;
    }
    *out = s;
    return MANDATE_OK;
}

static rd_kafka_headers_t *copy_headers(const record *r)
{
    rd_kafka_headers_t *headers = r->header_count ? rd_kafka_headers_new(r->header_count) : NULL;
    for (uint32_t i = 0; i < r->header_count; i++)
        rd_kafka_header_add(headers, r->headers[i].name.ptr, (ssize_t)r->headers[i].name.len, r->headers[i].value.ptr,
                            (ssize_t)r->headers[i].value.len);
    return headers;
}

static rd_kafka_resp_err_t produce(kafka_tool_sender *s, const record *r)
{
    rd_kafka_headers_t *headers = copy_headers(r);
    rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = s->topic},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = r->partition < 0 ? RD_KAFKA_PARTITION_UA : r->partition},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)r->key.ptr, r->key.len}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)r->value.ptr, r->value.len}},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    size_t count = sizeof(parts) / sizeof(*parts) - (headers ? 0 : 1);
    rd_kafka_error_t *error = rd_kafka_produceva(s->handle, parts, count);
    rd_kafka_resp_err_t code = error ? rd_kafka_error_code(error) : RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_error_destroy(error);
    if (code && headers)
        rd_kafka_headers_destroy(headers); /* on success they belong to the message */
    return code;
}

mandate_status kafka_tool_send(kafka_tool_sender *s, const record *r, mandate_error *err)
{
    rd_kafka_resp_err_t code;
    int64_t deadline = now_ms() + timeout_of(&s->target);
    while ((code = produce(s, r)) == RD_KAFKA_RESP_ERR__QUEUE_FULL && now_ms() < deadline)
        rd_kafka_poll(s->handle, POLL_MS);
    rd_kafka_poll(s->handle, 0);
    if (code)
        return mandate_error_set(err, code == RD_KAFKA_RESP_ERR__QUEUE_FULL ? MANDATE_UNAVAILABLE : MANDATE_INVALID,
                                 "sending to %s: %s", s->topic, rd_kafka_err2str(code));
    return MANDATE_OK;
}

mandate_status kafka_tool_sender_close(kafka_tool_sender *s, mandate_error *err)
{
    /* message.timeout.ms ends every message by then, one way or the other. */
    rd_kafka_resp_err_t code = rd_kafka_flush(s->handle, timeout_of(&s->target) + 1000);
    rd_kafka_destroy(s->handle);
    mandate_error failed = s->failed;
    char topic[LIMIT_NAME + 1];
    snprintf(topic, sizeof(topic), "%s", s->topic);
    free(s->topic);
    free(s);
    if (failed.status)
        return mandate_error_set(err, failed.status, "%s", failed.text);
    return code ? mandate_error_set(err, MANDATE_UNAVAILABLE, "not acknowledged by %s in time", topic) : MANDATE_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * broker - librdkafka's mock cluster behind four functions. The producer handle exists only because the cluster wants
 * one to live in.
 */
#include "connectors/kafka/broker.h"

#include <errno.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct broker {
    rd_kafka_t *handle;
    rd_kafka_mock_cluster_t *cluster;
    int count;
};

mandate_status broker_open(broker **out, int brokers, mandate_error *err)
{
    char text[256];
    broker *b = calloc(1, sizeof(*b));

    if (!b)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for the embedded broker");
    b->count = brokers;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "log_level", "0", NULL, 0);
    b->handle = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
    if (!b->handle) {
        rd_kafka_conf_destroy(conf);
        broker_close(b);
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "the embedded broker cannot start: %s", text);
    }
    b->cluster = rd_kafka_mock_cluster_new(b->handle, brokers);
    if (!b->cluster) {
        broker_close(b);
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "the embedded broker cannot listen on loopback");
    }
    *out = b;
    return MANDATE_OK;
}

void broker_close(broker *b)
{
    if (!b)
        return;
    if (b->cluster)
        rd_kafka_mock_cluster_destroy(b->cluster);
    if (b->handle)
        rd_kafka_destroy(b->handle);
    free(b);
}

const char *broker_bootstrap(const broker *b) { return rd_kafka_mock_cluster_bootstraps(b->cluster); }

mandate_status broker_topic(broker *b, const char *topic, int partitions, mandate_error *err)
{
    rd_kafka_resp_err_t error = rd_kafka_mock_topic_create(b->cluster, topic, partitions, 1);

    if (error && error != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        return mandate_error_set(err, MANDATE_INVALID, "the embedded broker refuses topic %s with %d partitions: %s", topic,
                                 partitions, rd_kafka_err2str(error));
    return MANDATE_OK;
}

mandate_status broker_announce(const broker *b, const char *path, mandate_error *err)
{
    char temporary[4096];
    FILE *file = NULL;
    bool written;

    if (snprintf(temporary, sizeof(temporary), "%s.%ld", path, (long)getpid()) >= (int)sizeof(temporary))
        return mandate_error_set(err, MANDATE_LIMIT, "the path of the bootstrap file is too long");
    file = fopen(temporary, "w");
    if (!file)
        return mandate_error_set(err, MANDATE_IO, "cannot write %s: %s", temporary, strerror(errno));
    written = fprintf(file, "%s\n", broker_bootstrap(b)) > 0;
    written = fclose(file) == 0 && written;
    if (!written || rename(temporary, path) != 0) {
        mandate_status status = mandate_error_set(err, MANDATE_IO, "cannot write %s: %s", path, strerror(errno));
        unlink(temporary);
        return status;
    }
    return MANDATE_OK;
}

void broker_set_down(broker *b, bool down)
{
    for (int id = 1; id <= b->count; id++) {
        if (down)
            rd_kafka_mock_broker_set_down(b->cluster, id);
        else
            rd_kafka_mock_broker_set_up(b->cluster, id);
    }
}

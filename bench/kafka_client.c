/* SPDX-License-Identifier: Apache-2.0 */
/* kafka_client - see kafka_client.h. */
#include "bench/kafka_client.h"

#include <stdbool.h>
#include <stdio.h>

rd_kafka_t *bench_kafka_client(rd_kafka_type_t type, const char *const (*properties)[2], size_t count, void *opaque,
                               void (*delivered)(rd_kafka_t *, const rd_kafka_message_t *, void *))
{
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    bool ok = true;
    for (size_t i = 0; ok && i < count; i++)
        ok = rd_kafka_conf_set(conf, properties[i][0], properties[i][1], text, sizeof(text)) == RD_KAFKA_CONF_OK;
    rd_kafka_conf_set_opaque(conf, opaque);
    if (delivered)
        rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_t *rk = ok ? rd_kafka_new(type, conf, text, sizeof(text)) : NULL; /* which takes conf, unless it fails */
    if (!rk) {
        fprintf(stderr, "%s\n", text);
        rd_kafka_conf_destroy(conf);
    }
    return rk;
}

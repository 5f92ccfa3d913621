/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kafka_client - a client with nothing but librdkafka, by its properties: what the bare arms of the benchmarks are made with.
 */
#ifndef MANDATE_BENCH_KAFKA_CLIENT_H
#define MANDATE_BENCH_KAFKA_CLIENT_H

#include <librdkafka/rdkafka.h>

/* `opaque` is what callbacks get; `delivered` may be NULL. NULL, with a line on stderr, when it cannot be made. */
rd_kafka_t *bench_kafka_client(rd_kafka_type_t type, const char *const (*properties)[2], size_t count, void *opaque,
                               void (*delivered)(rd_kafka_t *, const rd_kafka_message_t *, void *));

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* last - see last.h. Pieces grow eightfold, so that what is far back is reached in a few of them. */
#include "connectors/kafka/last.h"

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { FIRST_PIECE = 64, PIECE_GROWS = 8, PIECE_MAX = 1 << 20, ASK_MS = 250, POLL_MS = 20 };

typedef struct part {
    int64_t begin, from, end; /* the piece is [from, end) */
    bool open;
} part;

typedef struct reading {
    const last_options *options;
    kafka_client client;
    part *parts;
    int32_t count;
    int64_t until_us;
} reading;

static int64_t left_ms(const reading *r)
{
    return (r->until_us - r->options->host->monotonic_us(r->options->host->ctx)) / 1000;
}

static mandate_status too_late(const reading *r, mandate_error *err)
{
    return mandate_error_set(err, MANDATE_UNAVAILABLE, "topic %s could not be read within %d ms", r->options->topic,
                             r->options->timeout_ms);
}

/* --- where it begins and ends ------------------------------------------------------------------------------------------ */
static mandate_status count_partitions(reading *r, mandate_error *err)
{
    char trouble[300];

    for (;;) {
        int64_t left = left_ms(r);
        mandate_status status = kafka_partition_count(&r->count, &r->client, r->options->topic,
                                                      left < ASK_MS ? (left > 1 ? (int)left : 1) : ASK_MS, err);
        if (status == MANDATE_OK && r->count == 0)
            return mandate_error_set(err, MANDATE_NOT_FOUND, "there is no topic %s", r->options->topic);
        if (status != MANDATE_UNAVAILABLE)
            return status;
        rd_kafka_message_t *none =
            rd_kafka_consumer_poll(r->client.handle, 0); /* serves what says that no broker is there */
        if (none)
            rd_kafka_message_destroy(none);
        bool away = kafka_client_trouble(&r->client, trouble, sizeof(trouble));
        if (left <= ASK_MS || (away && !r->options->patient))
            return away ? mandate_error_set(err, MANDATE_UNAVAILABLE, "topic %s: %s", r->options->topic, trouble) : status;
    }
}

/* One bound of each partition; they are asked for at a logical time, which respects the timeout. */
static mandate_status ask_bounds(reading *r, int64_t which, mandate_error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(r->count);
    int64_t left = left_ms(r);

    for (int32_t p = 0; p < r->count; p++)
        rd_kafka_topic_partition_list_add(list, r->options->topic, p)->offset = which;
    rd_kafka_resp_err_t error = rd_kafka_offsets_for_times(r->client.handle, list, left > 1 ? (int)left : 1);
    bool good = error == RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int i = 0; i < list->cnt && good; i++) {
        const rd_kafka_topic_partition_t *answer = &list->elems[i];
        good = !answer->err && answer->offset >= 0;
        if (good && which == RD_KAFKA_OFFSET_BEGINNING)
            r->parts[answer->partition].begin = answer->offset;
        else if (good)
            r->parts[answer->partition].end = r->parts[answer->partition].from = answer->offset;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return good ? MANDATE_OK
                : mandate_error_set(err, MANDATE_UNAVAILABLE, "topic %s: where it ends is not known: %s", r->options->topic,
                                    rd_kafka_err2str(error ? error : RD_KAFKA_RESP_ERR_UNKNOWN));
}

/* --- one piece ---------------------------------------------------------------------------------------------------------- */
/* The records before the last piece. False: there are none. */
static bool next_piece(reading *r, int64_t size)
{
    bool any = false;

    for (int32_t p = 0; p < r->count; p++) {
        part *one = &r->parts[p];
        one->end = one->from;
        one->from = one->end - size > one->begin ? one->end - size : one->begin;
        one->open = one->from < one->end;
        any |= one->open;
    }
    return any;
}

static mandate_status assign(reading *r, int32_t *open, mandate_error *err)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(r->count);

    for (int32_t p = 0; p < r->count; p++)
        if (r->parts[p].open)
            rd_kafka_topic_partition_list_add(list, r->options->topic, p)->offset = r->parts[p].from;
    *open = list->cnt;
    rd_kafka_resp_err_t error = rd_kafka_assign(r->client.handle, list);
    rd_kafka_topic_partition_list_destroy(list);
    return error ? mandate_error_set(err, MANDATE_UNAVAILABLE, "cannot read topic %s: %s", r->options->topic,
                                     rd_kafka_err2str(error))
                 : MANDATE_OK;
}

/* What one poll brought. True: its partition is read to the end of the piece. */
static bool take(reading *r, const rd_kafka_message_t *m, last_visit visit, void *ctx, bool *found)
{
    part *one = m->partition >= 0 && m->partition < r->count ? &r->parts[m->partition] : NULL;

    if (!one || !one->open)
        return false;
    if (!m->err && m->offset < one->end && m->offset >= one->from)
        *found |= visit(ctx, mandate_slice_of(m->key, m->key_len), mandate_slice_of(m->payload, m->len));
    /* Offsets may be missing; and what retention has taken meanwhile is not there. */
    bool ended = m->err ? m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF || m->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
                              m->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE
                        : m->offset >= one->end - 1;
    one->open = !ended;
    return ended;
}

static mandate_status read_piece(reading *r, last_visit visit, void *ctx, bool *found, mandate_error *err)
{
    int32_t open = 0;
    mandate_status status = assign(r, &open, err);

    while (!status && open > 0) {
        rd_kafka_message_t *m = left_ms(r) > 0 ? rd_kafka_consumer_poll(r->client.handle, POLL_MS) : NULL;
        if (m) {
            open -= take(r, m, visit, ctx, found);
            rd_kafka_message_destroy(m);
        } else if (left_ms(r) <= 0) {
            status = too_late(r, err);
        }
    }
    return status;
}

mandate_status last_read(const last_options *options, last_visit visit, void *ctx, bool *found, mandate_error *err)
{
    kafka_client_options client = {.role = KAFKA_CONSUMER,
                                   .cluster = options->cluster,
                                   .host = options->host,
                                   .component = "last",
                                   .group_id = "mandated"}; /* librdkafka demands one; it is never used */
    reading r = {.options = options};
    *found = false;
    r.until_us = options->host->monotonic_us(options->host->ctx) + (int64_t)options->timeout_ms * 1000;
    mandate_status status = kafka_client_open(&r.client, &client, err);
    if (status)
        return status;
    status = count_partitions(&r, err);
    if (!status && !(r.parts = calloc((size_t)r.count, sizeof(*r.parts))))
        status = mandate_error_set(err, MANDATE_NOMEM, "out of memory for %d partitions", r.count);
    if (!status)
        status = ask_bounds(&r, RD_KAFKA_OFFSET_BEGINNING, err);
    if (!status)
        status = ask_bounds(&r, RD_KAFKA_OFFSET_END, err);
    for (int64_t size = FIRST_PIECE; !status && !*found && next_piece(&r, size);
         size = size < PIECE_MAX ? size * PIECE_GROWS : size)
        status = read_piece(&r, visit, ctx, found, err);
    free(r.parts);
    kafka_client_close(&r.client);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink_record - what is published of an entry: key, value and CloudEvents headers. Whoever may read the topic reads all of it.
 */
#include "connectors/kafka/sink_internal.h"

#include "engine/base/hash.h"
#include "engine/base/text.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

bool sink_speaks_json(const sink *s) { return s->options.format == REVOCATION_JSON || s->options.stream == OUTBOX_FLIPS; }

static void header(rd_kafka_headers_t *headers, const char *name, const char *value, size_t len)
{
    rd_kafka_header_add(headers, name, -1, value, (ssize_t)len);
}

rd_kafka_headers_t *sink_headers(const sink *s, const char *id, const char *type, mandate_slice subject, int64_t time_us)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(7);
    const char *content = sink_speaks_json(s) ? "application/json" : "application/avro";
    char time[TIME_TEXT_MAX];

    header(headers, "ce_specversion", "1.0", 3);
    header(headers, "ce_id", id, strlen(id));
    header(headers, "ce_type", type, strlen(type));
    header(headers, "ce_source", s->options.issuer, strlen(s->options.issuer));
    if (subject.len)
        header(headers, "ce_subject", subject.ptr, subject.len);
    header(headers, "ce_time", time, time_format_us(time, time_us));
    header(headers, "content-type", content, strlen(content));
    return headers;
}

/* Whoever may read the topic reads all of it: it says nothing that is restricted. */
static const disclosure_viewer anybody = {.all = false};

/* Decodes and writes the value; the process cannot go on when its own outbox does not decode. */
static mandate_status render_transition(sink *s, mandate_slice bytes, sink_record *out, mandate_error *err)
{
    uint8_t hash[SHA256_SIZE];
    transition_names names;
    transition whole, t;
    mandate_status status = transition_decode(&whole, &names, &s->memory, bytes, err);

    if (status == MANDATE_OK)
        transition_view(&t, &whole, &anybody, &s->memory);
    if (status == MANDATE_OK)
        status = s->options.format == REVOCATION_JSON ? revocation_json(&s->value, &t, &names, err)
                                                      : revocation_avro(&s->value, &t, &names, &s->framing, err);
    if (status != MANDATE_OK)
        return status;
    if (!transition_id(hash, t.issuer, t.mandate, t.version))
        return mandate_error_set(err, MANDATE_CORRUPT, "SHA-256 is not available");
    hex_encode(out->id, hash, SHA256_SIZE);
    revocation_type(out->type, &t);
    out->key = t.mandate;
    out->time_us = t.committed_at_us;
    return MANDATE_OK;
}

static mandate_status render_flip(sink *s, mandate_slice bytes, sink_record *out, mandate_error *err)
{
    uint8_t hash[SHA256_SIZE];
    mandate_slice source, topic;
    watch_flip f;
    mandate_status status = watch_flip_decode(&f, &source, &topic, bytes, err);

    if (status == MANDATE_OK)
        status = flip_json(&s->value, &f, source, topic, err);
    if (status != MANDATE_OK)
        return status;
    if (!watch_flip_id(hash, &f))
        return mandate_error_set(err, MANDATE_CORRUPT, "SHA-256 is not available");
    hex_encode(out->id, hash, SHA256_SIZE);
    snprintf(out->type, sizeof(out->type), "%s", FLIP_TYPE);
    out->key = f.watch;
    out->time_us = f.committed_at_us;
    return MANDATE_OK;
}

void sink_render(sink *s, const ring_entry *e, sink_record *out)
{
    mandate_slice bytes = mandate_slice_of(e->bytes, e->len);
    mandate_error err;

    arena_reset(&s->memory);
    buf_reset(&s->value);
    mandate_status status =
        s->options.stream == OUTBOX_FLIPS ? render_flip(s, bytes, out, &err) : render_transition(s, bytes, out, &err);
    if (status != MANDATE_OK) {
        s->options.fatal(s->options.ctx, &err);
        abort();
    }
    assert(s->value.len > 0);
}

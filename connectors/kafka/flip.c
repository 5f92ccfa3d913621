/* SPDX-License-Identifier: Apache-2.0 */
/* flip - the JSON form. Members stand in the order of the schema. */
#include "connectors/kafka/flip.h"

#include "engine/base/hash.h"
#include "engine/base/text.h"

static void put_text(buf *b, const char *name, mandate_slice text)
{
    buf_printf(b, ",\"%s\":", name);
    buf_put_json_string(b, text);
}

static void put_time(buf *b, const char *name, int64_t us)
{
    char text[TIME_TEXT_MAX];

    put_text(b, name, mandate_slice_of(text, time_format_us(text, us)));
}

static void put_cause(buf *b, const watch_flip *f, mandate_slice source, mandate_slice topic)
{
    buf_printf(b, ",\"cause\":{\"kind\":\"%s\"", transition_cause_names[f->cause]);
    if (source.len)
        put_text(b, "source", source);
    if (topic.len) {
        put_text(b, "topic", topic);
        buf_printf(b, ",\"partition\":%d,\"offset\":%lld", (int)f->origin.partition, (long long)f->origin.offset);
    }
    if (f->cause == CAUSE_CHANGE && f->origin.event_time_us != CHANGE_NO_TIME)
        put_time(b, "event_time", f->origin.event_time_us);
    if (f->cause == CAUSE_CHANGE && f->origin.version)
        buf_printf(b, ",\"version\":%llu", (unsigned long long)(f->origin.version - 1));
    if (f->principal.len)
        put_text(b, "principal", f->principal);
    if (f->note.len)
        put_text(b, "note", f->note);
    buf_put_char(b, '}');
}

mandate_status flip_json(buf *b, const watch_flip *f, mandate_slice source, mandate_slice topic, mandate_error *err)
{
    char hex[SHA256_HEX_SIZE + 1];
    uint8_t id[SHA256_SIZE];

    if (!watch_flip_id(id, f))
        return mandate_error_set(err, MANDATE_CORRUPT, "SHA-256 is not available");
    hex_encode(hex, id, SHA256_SIZE);
    buf_printf(b, "{\"id\":\"%s\"", hex);
    put_text(b, "issuer", f->issuer);
    put_text(b, "watch", f->watch);
    buf_printf(b, ",\"created\":{\"seq\":%llu,\"input\":%u},\"version\":%u", (unsigned long long)f->created_seq,
               f->created_input, f->version);
    put_text(b, "value", mandate_slice_str(condition_truth_names[f->value]));
    put_text(b, "prior", mandate_slice_str(condition_truth_names[f->prior]));
    put_text(b, "condition", f->condition);
    put_cause(b, f, source, topic);
    put_time(b, "effective_at", f->effective_at_us);
    put_time(b, "committed_at", f->committed_at_us);
    buf_printf(b, ",\"seq\":%llu}", (unsigned long long)f->seq);
    return b->failed ? mandate_error_set(err, MANDATE_NOMEM, "out of memory for a flip") : MANDATE_OK;
}

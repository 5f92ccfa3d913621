/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revocation_avro - the Avro form, written straight in the order of schemas/revocation.avsc and heartbeat.avsc.
 *
 * Values whose type the schema cannot know (terms, targets) travel as JSON text. Avro's long is the zigzag varint of
 * engine/base/wire; a test decodes every form with the schema, so the two cannot drift apart.
 */
#include "connectors/kafka/revocation_internal.h"

#include "engine/base/hash.h"
#include "engine/base/wire.h"
#include "heartbeat_avsc.h"  /* generated from schemas/heartbeat.avsc */
#include "revocation_avsc.h" /* generated from schemas/revocation.avsc */

#include <stdio.h>

mandate_slice revocation_avro_schema(void)
{
    return mandate_slice_of((const char *)revocation_avsc, sizeof(revocation_avsc));
}
mandate_slice revocation_heartbeat_avro_schema(void)
{
    return mandate_slice_of((const char *)heartbeat_avsc, sizeof(heartbeat_avsc));
}

static void put_string(buf *b, mandate_slice s)
{
    wire_put_i64(b, (int64_t)s.len);
    buf_put_slice(b, s);
}

static void put_cstring(buf *b, const char *text) { put_string(b, mandate_slice_str(text)); }

/* union {null, string}: null when empty. */
static void put_optional(buf *b, mandate_slice s)
{
    wire_put_i64(b, s.len ? 1 : 0);
    if (s.len)
        put_string(b, s);
}

static void put_hex(buf *b, const uint8_t id[32])
{
    char text[SHA256_HEX_SIZE + 1];

    hex_encode(text, id, SHA256_SIZE);
    put_string(b, mandate_slice_of(text, SHA256_HEX_SIZE));
}

/* record Origin */
static void put_origin(buf *b, const change_origin *o, mandate_slice source, mandate_slice topic)
{
    put_optional(b, source);
    put_optional(b, topic);
    wire_put_i64(b, topic.len ? o->partition : -1);
    wire_put_i64(b, topic.len ? o->offset : -1);
    wire_put_i64(b, o->event_time_us != CHANGE_NO_TIME);
    if (o->event_time_us != CHANGE_NO_TIME)
        wire_put_i64(b, o->event_time_us);
    wire_put_i64(b, (int64_t)o->seq);
    char version[24];
    int len = snprintf(version, sizeof(version), "%llu", (unsigned long long)(o->version - 1));
    put_optional(b, mandate_slice_of(version, o->version ? (size_t)len : 0));
}

static bool put_json_text(buf *b, cel_value v, bool bounded)
{
    buf text;
    bool cut, ok;

    buf_init(&text);
    if (bounded)
        revocation_value(&text, v, &cut);
    else
        cel_to_json(&text, v);
    put_string(b, buf_slice(&text));
    ok = !text.failed;
    buf_deinit(&text);
    return ok;
}

/* record Term */
static bool put_term(buf *b, const transition *t, const transition_names *names, uint32_t i)
{
    const transition_term *term = &t->terms[i];
    bool valued = term->value.kind != CEL_UNKNOWN && term->value.kind != CEL_ERROR;
    bool ok = true;
    mandate_slice none = {0};

    put_string(b, term->path);
    wire_put_u8(b, term->observed);
    wire_put_i64(b, valued);
    if (valued)
        ok = put_json_text(b, term->value, true);
    put_optional(b, term->value.kind == CEL_ERROR && term->value.error ? term->value.error->message : none);
    wire_put_i64(b, term->observed);
    if (term->observed)
        put_origin(b, &term->origin, names->term_sources[i], names->term_topics[i]);
    return ok;
}

static void put_clause_and_cause(buf *b, const transition *t, const transition_names *names)
{
    static const change_origin nowhere = {.event_time_us = CHANGE_NO_TIME};
    bool somewhere = t->cause != CAUSE_CLOCK && t->cause != CAUSE_COMMAND;

    put_cstring(b, transition_cause_names[t->cause]);
    if (somewhere)
        put_origin(b, &t->origin, names->source, names->topic);
    else
        put_origin(b, &nowhere, (mandate_slice){0}, (mandate_slice){0});
    put_optional(b, t->principal);
    put_optional(b, t->note);
}

static void put_cascade(buf *b, const transition *t)
{
    bool any = t->cascade_root.len || t->cascade_count;

    wire_put_i64(b, any);
    if (!any)
        return;
    put_string(b, t->cascade_root.len ? t->cascade_root : t->mandate);
    put_optional(b, t->cascade_parent);
    wire_put_i64(b, t->cascade_depth);
    wire_put_i64(b, t->cascade_count);
}

/* array of string */
static void put_restricted(buf *b, const transition *t)
{
    const int count = __builtin_popcount(t->hidden);
    if (count)
        wire_put_i64(b, count);
    for (int m = 0; m < MEMBER_COUNT; m++)
        if (t->hidden >> m & 1)
            put_cstring(b, claims_member_name((claims_member)m));
    wire_put_i64(b, 0);
}

static void put_framing(buf *b, const revocation_framing *framing)
{
    if (framing->confluent) {
        wire_put_u8(b, 0);
        for (int shift = 24; shift >= 0; shift -= 8)
            wire_put_u8(b, (uint8_t)(framing->schema_id >> shift));
        return;
    }
    wire_put_u8(b, 0xc3);
    wire_put_u8(b, 0x01);
    for (int shift = 0; shift < 64; shift += 8)
        wire_put_u8(b, (uint8_t)(framing->fingerprint >> shift));
}

mandate_status revocation_avro(buf *b, const transition *t, const transition_names *names, const revocation_framing *framing,
                               mandate_error *err)
{
    uint8_t id[SHA256_SIZE];
    bool ok = true;

    if (!transition_id(id, t->issuer, t->mandate, t->version))
        return mandate_error_set(err, MANDATE_CORRUPT, "SHA-256 is not available");
    put_framing(b, framing);
    put_hex(b, id);
    put_string(b, t->issuer);
    put_string(b, t->mandate);
    wire_put_i64(b, t->version);
    put_cstring(b, mandate_state_name(t->state));
    put_optional(b, t->prior == STATE_NONE ? (mandate_slice){0} : mandate_slice_str(mandate_state_name(t->prior)));
    put_cstring(b, mandate_reason_name(t->reason));
    put_optional(b, t->clause == CLAUSE_NONE ? (mandate_slice){0} : mandate_slice_str(claims_clause_names[t->clause]));
    put_optional(b, t->clause_text);
    if (t->term_count)
        wire_put_i64(b, t->term_count);
    for (uint32_t i = 0; i < t->term_count; i++)
        ok = put_term(b, t, names, i) && ok;
    wire_put_i64(b, 0);
    wire_put_i64(b, t->term_total);
    put_clause_and_cause(b, t, names);
    put_cascade(b, t);
    put_hex(b, t->txn);
    put_string(b, t->grantor);
    put_string(b, t->agent);
    put_string(b, t->purpose);
    ok = put_json_text(b, t->targets, false) && ok;
    wire_put_i64(b, t->expires_at_us);
    wire_put_i64(b, t->effective_at_us);
    wire_put_i64(b, t->committed_at_us);
    wire_put_i64(b, (int64_t)t->seq);
    wire_put_i64(b, t->suspended_until_us ? 1 : 0);
    if (t->suspended_until_us)
        wire_put_i64(b, t->suspended_until_us);
    put_optional(b, t->supersedes);
    put_optional(b, t->successor);
    wire_put_i64(b, t->changes.kind != CEL_NULL);
    if (t->changes.kind != CEL_NULL)
        ok = put_json_text(b, t->changes, false) && ok;
    wire_put_i64(b, t->in_flight.kind != CEL_NULL);
    if (t->in_flight.kind != CEL_NULL)
        ok = put_json_text(b, t->in_flight, false) && ok;
    wire_put_i64(b, t->claims_version);
    put_restricted(b, t);
    return b->failed || !ok ? mandate_error_set(err, MANDATE_NOMEM, "out of memory for a revocation") : MANDATE_OK;
}

void revocation_heartbeat_avro(buf *b, mandate_slice issuer, int64_t complete_up_to_us, uint64_t seq,
                               const revocation_framing *framing)
{
    put_framing(b, framing);
    put_string(b, issuer);
    wire_put_i64(b, complete_up_to_us);
    wire_put_i64(b, (int64_t)seq);
}

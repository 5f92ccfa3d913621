/* SPDX-License-Identifier: Apache-2.0 */
/*
 * revocation - the JSON form, the CloudEvents type and the heartbeat. The Avro form is in revocation_avro.c.
 */
#include "connectors/kafka/revocation_internal.h"

#include "engine/base/hash.h"
#include "engine/base/text.h"

#include <stdio.h>

/* --- small writers ----------------------------------------------------------------------------------------- */
static void put_name(buf *b, const char *name)
{
    if (b->len && b->data[b->len - 1] != '{')
        buf_put_char(b, ',');
    buf_put_char(b, '"');
    buf_put_str(b, name);
    buf_put(b, "\":", 2);
}

static void put_text(buf *b, const char *name, mandate_slice text)
{
    put_name(b, name);
    buf_put_json_string(b, text);
}

static void put_text_if(buf *b, const char *name, mandate_slice text)
{
    if (text.len)
        put_text(b, name, text);
}

static void put_number(buf *b, const char *name, int64_t v)
{
    put_name(b, name);
    buf_put_i64(b, v);
}

static void put_time(buf *b, const char *name, int64_t us)
{
    char text[TIME_TEXT_MAX];

    put_text(b, name, mandate_slice_of(text, time_format_us(text, us)));
}

static void put_hex(buf *b, const char *name, const uint8_t id[32])
{
    char text[SHA256_HEX_SIZE + 1];

    hex_encode(text, id, SHA256_SIZE);
    put_text(b, name, mandate_slice_of(text, SHA256_HEX_SIZE));
}

void revocation_value(buf *b, cel_value v, bool *cut)
{
    size_t before = b->len;

    *cut = false;
    cel_to_json(b, v);
    if (b->failed || b->len - before <= REVOCATION_VALUE_MAX)
        return;
    *cut = true;
    size_t size = b->len - before;
    b->len = before;
    buf_printf(b, "{\"omitted_bytes\":%zu}", size);
}

/* --- members -------------------------------------------------------------------------------------------------- */
static void put_origin(buf *b, const change_origin *o, mandate_slice source, mandate_slice topic)
{
    put_text_if(b, "source", source);
    put_text_if(b, "topic", topic);
    if (topic.len) {
        put_number(b, "partition", o->partition);
        put_number(b, "offset", o->offset);
    }
    if (o->event_time_us != CHANGE_NO_TIME)
        put_time(b, "event_time", o->event_time_us);
    if (o->version) {
        put_name(b, "version");
        buf_printf(b, "%llu", (unsigned long long)(o->version - 1));
    }
    if (o->seq)
        put_number(b, "seq", (int64_t)o->seq);
}

static void put_term(buf *b, const transition *t, const transition_names *names, uint32_t i)
{
    const transition_term *term = &t->terms[i];
    bool cut;

    buf_put_char(b, '{');
    put_text(b, "path", term->path);
    put_name(b, "observed");
    buf_put_str(b, term->observed ? "true" : "false");
    if (term->value.kind != CEL_UNKNOWN && term->value.kind != CEL_ERROR) {
        put_name(b, "value");
        revocation_value(b, term->value, &cut);
    } else if (term->value.kind == CEL_ERROR && term->value.error) {
        put_text(b, "error", term->value.error->message);
    }
    if (term->observed)
        put_origin(b, &term->origin, names->term_sources[i], names->term_topics[i]);
    buf_put_char(b, '}');
}

static void put_terms(buf *b, const transition *t, const transition_names *names)
{
    put_name(b, "terms");
    buf_put_char(b, '[');
    for (uint32_t i = 0; i < t->term_count; i++) {
        if (i)
            buf_put_char(b, ',');
        put_term(b, t, names, i);
    }
    buf_put_char(b, ']');
    put_number(b, "terms_total", t->term_total);
}

static void put_cause(buf *b, const transition *t, const transition_names *names)
{
    put_name(b, "cause");
    buf_put_char(b, '{');
    put_text(b, "kind", mandate_slice_str(transition_cause_names[t->cause]));
    if (t->cause != CAUSE_CLOCK && t->cause != CAUSE_COMMAND)
        put_origin(b, &t->origin, names->source, names->topic);
    put_text_if(b, "principal", t->principal);
    put_text_if(b, "note", t->note);
    buf_put_char(b, '}');
}

static void put_cascade(buf *b, const transition *t)
{
    put_name(b, "cascade");
    if (!t->cascade_root.len && !t->cascade_count) {
        buf_put_str(b, "null");
        return;
    }
    buf_put_char(b, '{');
    put_text(b, "root", t->cascade_root.len ? t->cascade_root : t->mandate);
    put_name(b, "parent");
    if (t->cascade_parent.len)
        buf_put_json_string(b, t->cascade_parent);
    else
        buf_put_str(b, "null");
    put_number(b, "depth", t->cascade_depth);
    put_number(b, "count", t->cascade_count);
    buf_put_char(b, '}');
}

static void put_clause(buf *b, const transition *t)
{
    put_name(b, "clause");
    if (t->clause == CLAUSE_NONE) {
        buf_put_str(b, "null");
        return;
    }
    buf_put_char(b, '{');
    put_text(b, "kind", mandate_slice_str(claims_clause_names[t->clause]));
    put_text(b, "text", t->clause_text);
    buf_put_char(b, '}');
}

static void put_targets(buf *b, const transition *t)
{
    put_name(b, "targets");
    cel_to_json(b, t->targets); /* bounded by the claims it comes from */
    if (t->in_flight.kind != CEL_NULL) {
        put_name(b, "in_flight");
        cel_to_json(b, t->in_flight);
    }
}

/* The members that are not told, or not whole. */
static void put_restricted(buf *b, const transition *t)
{
    bool first = true;
    for (int m = 0; m < MEMBER_COUNT; m++) {
        if (!(t->hidden >> m & 1))
            continue;
        if (first)
            put_name(b, "restricted");
        buf_put_char(b, first ? '[' : ',');
        buf_put_json_string(b, mandate_slice_str(claims_member_name((claims_member)m)));
        first = false;
    }
    if (!first)
        buf_put_char(b, ']');
}

mandate_status revocation_json(buf *b, const transition *t, const transition_names *names, mandate_error *err)
{
    uint8_t id[SHA256_SIZE];

    if (!transition_id(id, t->issuer, t->mandate, t->version))
        return mandate_error_set(err, MANDATE_CORRUPT, "SHA-256 is not available");
    buf_put_char(b, '{');
    put_hex(b, "id", id);
    put_text(b, "issuer", t->issuer);
    put_text(b, "mandate", t->mandate);
    put_number(b, "version", t->version);
    put_number(b, "claims_version", t->claims_version);
    put_text(b, "state", mandate_slice_str(mandate_state_name(t->state)));
    put_name(b, "prior");
    if (t->prior == STATE_NONE)
        buf_put_str(b, "null");
    else
        buf_put_json_string(b, mandate_slice_str(mandate_state_name(t->prior)));
    put_text(b, "reason", mandate_slice_str(mandate_reason_name(t->reason)));
    put_clause(b, t);
    put_terms(b, t, names);
    put_cause(b, t, names);
    put_cascade(b, t);
    put_hex(b, "txn", t->txn);
    put_text(b, "grantor", t->grantor);
    put_text(b, "agent", t->agent);
    put_text(b, "purpose", t->purpose);
    put_targets(b, t);
    put_text_if(b, "supersedes", t->supersedes);
    put_text_if(b, "successor", t->successor);
    if (t->changes.kind != CEL_NULL) {
        put_name(b, "changes");
        cel_to_json(b, t->changes); /* bounded by the claims it comes from */
    }
    put_restricted(b, t);
    put_time(b, "expires_at", t->expires_at_us);
    if (t->suspended_until_us)
        put_time(b, "suspended_until", t->suspended_until_us);
    put_time(b, "effective_at", t->effective_at_us);
    put_time(b, "committed_at", t->committed_at_us);
    put_number(b, "seq", (int64_t)t->seq);
    buf_put_char(b, '}');
    return b->failed ? mandate_error_set(err, MANDATE_NOMEM, "out of memory for a revocation") : MANDATE_OK;
}

void revocation_type(char out[REVOCATION_TYPE_MAX], const transition *t)
{
    const char *what = t->prior == STATE_NONE        ? "issued"
                       : t->reason == REASON_AMENDED ? "amended"
                       : t->state == STATE_ACTIVE    ? "resumed"
                                                     : mandate_state_name(t->state);

    snprintf(out, REVOCATION_TYPE_MAX, "dev.mandated.mandate.%s.v1", what);
}

void revocation_heartbeat(buf *b, mandate_slice issuer, int64_t complete_up_to_us, uint64_t seq)
{
    buf_put_char(b, '{');
    put_text(b, "issuer", issuer);
    put_name(b, "watermark");
    buf_put_char(b, '{');
    put_time(b, "complete_up_to", complete_up_to_us);
    put_number(b, "seq", (int64_t)seq);
    buf_put_str(b, "}}");
}

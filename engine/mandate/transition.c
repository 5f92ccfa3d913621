/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transition - the stored form of a committed transition. It names sources and topics instead of numbering them: a
 * revocation must read the same in ten years, whatever became of the schema.
 */
#include "engine/mandate/lifecycle.h"

enum { TRANSITION_FORMAT = 3 };

void transition_origin_encode(buf *b, const change_origin *o, const schema *s)
{
    wire_put_bytes(b, mandate_slice_str(o->source == SCHEMA_NONE ? "" : schema_source_name(s, o->source)));
    wire_put_bytes(b, mandate_slice_str(o->topic == SCHEMA_NONE ? "" : schema_topic_name(s, o->topic)));
    wire_put_i64(b, o->partition);
    wire_put_i64(b, o->offset);
    wire_put_i64(b, o->event_time_us);
    wire_put_u64(b, o->version); /* a byte, where the source counts nothing */
    wire_put_u64(b, o->seq);
}

void transition_origin_decode(wire_reader *r, change_origin *o, mandate_slice *source, mandate_slice *topic)
{
    *source = wire_get_bytes(r);
    *topic = wire_get_bytes(r);
    o->source = o->topic = SCHEMA_NONE;
    o->partition = (int32_t)wire_get_i64(r);
    o->offset = wire_get_i64(r);
    o->event_time_us = wire_get_i64(r);
    o->version = wire_get_u64(r);
    o->seq = wire_get_u64(r);
}

void transition_encode(buf *b, const transition *t, const schema *s)
{
    wire_put_u8(b, TRANSITION_FORMAT);
    wire_put_bytes(b, t->mandate);
    wire_put_bytes(b, t->issuer);
    wire_put_u64(b, t->version);
    wire_put_u8(b, (uint8_t)t->state);
    wire_put_u8(b, (uint8_t)t->prior);
    wire_put_u8(b, (uint8_t)t->reason);
    wire_put_u8(b, (uint8_t)t->cause);
    transition_origin_encode(b, &t->origin, s);
    wire_put_bytes(b, t->principal);
    wire_put_bytes(b, t->note);
    wire_put_u8(b, (uint8_t)t->clause);
    wire_put_bytes(b, t->clause_text);
    wire_put_u64(b, t->term_total);
    wire_put_u64(b, t->term_count);
    for (uint32_t i = 0; i < t->term_count; i++) {
        const transition_term *term = &t->terms[i];
        wire_put_bytes(b, term->path);
        bool known = term->value.kind != CEL_UNKNOWN && term->value.kind != CEL_ERROR;
        wire_put_u8(b, (uint8_t)((term->observed ? 1 : 0) | (known ? 2 : 0)));
        if (known)
            cel_encode(b, term->value);
        if (term->observed)
            transition_origin_encode(b, &term->origin, s);
    }
    wire_put_bytes(b, t->cascade_root);
    wire_put_bytes(b, t->cascade_parent);
    wire_put_u64(b, t->cascade_depth);
    wire_put_u64(b, t->cascade_count);
    buf_put(b, t->txn, sizeof(t->txn));
    wire_put_bytes(b, t->grantor);
    wire_put_bytes(b, t->agent);
    wire_put_bytes(b, t->purpose);
    cel_encode(b, t->targets);
    wire_put_i64(b, t->expires_at_us);
    wire_put_i64(b, t->suspended_until_us);
    wire_put_bytes(b, t->supersedes);
    wire_put_bytes(b, t->successor);
    wire_put_u64(b, t->amended_before);
    cel_encode(b, t->changes);
    cel_encode(b, t->in_flight);
    wire_put_u64(b, t->claims_version);
    disclosure_encode(b, t->disclosures, t->disclosure_count);
    wire_put_i64(b, t->effective_at_us);
    wire_put_i64(b, t->committed_at_us);
    wire_put_u64(b, t->seq);
}

static void get_terms(wire_reader *r, arena *a, transition *t, transition_names *names)
{
    t->term_total = (uint32_t)wire_get_u64(r);
    uint64_t n = wire_get_count(r, 2);
    transition_term *terms = ARENA_ARRAY(a, transition_term, n);
    mandate_slice *sources = ARENA_ARRAY(a, mandate_slice, n), *topics = ARENA_ARRAY(a, mandate_slice, n);
    if (n > LIMIT_EVIDENCE_TERMS || (n && (!terms || !sources || !topics))) {
        r->failed = true;
        return;
    }
    for (uint64_t i = 0; i < n && !r->failed; i++) {
        terms[i].path = wire_get_bytes(r);
        uint8_t flags = wire_get_u8(r);
        terms[i].observed = flags & 1;
        terms[i].value = flags & 2 ? cel_decode(r, a) : (cel_value){.kind = CEL_UNKNOWN};
        if (terms[i].observed)
            transition_origin_decode(r, &terms[i].origin, &sources[i], &topics[i]);
    }
    t->terms = terms;
    t->term_count = (uint32_t)n;
    names->term_sources = sources;
    names->term_topics = topics;
}

mandate_status transition_decode(transition *out, transition_names *names, arena *a, mandate_slice bytes, mandate_error *err)
{
    wire_reader reader = wire_reader_of(bytes), *r = &reader;
    transition t = {0};
    transition_names n = {0};
    if (wire_get_u8(r) != TRANSITION_FORMAT)
        return mandate_error_set(err, MANDATE_CORRUPT, "a stored transition has an unknown format");
    t.mandate = wire_get_bytes(r);
    t.issuer = wire_get_bytes(r);
    t.version = (uint32_t)wire_get_u64(r);
    t.state = (mandate_state)wire_get_u8(r);
    t.prior = (mandate_state)wire_get_u8(r);
    t.reason = (mandate_reason)wire_get_u8(r);
    t.cause = (transition_cause)wire_get_u8(r);
    transition_origin_decode(r, &t.origin, &n.source, &n.topic);
    t.principal = wire_get_bytes(r);
    t.note = wire_get_bytes(r);
    t.clause = (mandate_clause)wire_get_u8(r);
    t.clause_text = wire_get_bytes(r);
    get_terms(r, a, &t, &n);
    t.cascade_root = wire_get_bytes(r);
    t.cascade_parent = wire_get_bytes(r);
    t.cascade_depth = (uint32_t)wire_get_u64(r);
    t.cascade_count = (uint32_t)wire_get_u64(r);
    for (size_t i = 0; i < sizeof(t.txn); i++)
        t.txn[i] = wire_get_u8(r);
    t.grantor = wire_get_bytes(r);
    t.agent = wire_get_bytes(r);
    t.purpose = wire_get_bytes(r);
    t.targets = cel_decode(r, a);
    t.expires_at_us = wire_get_i64(r);
    t.suspended_until_us = wire_get_i64(r);
    t.supersedes = wire_get_bytes(r);
    t.successor = wire_get_bytes(r);
    t.amended_before = (uint32_t)wire_get_u64(r);
    t.changes = cel_decode(r, a);
    t.in_flight = cel_decode(r, a);
    t.claims_version = (uint32_t)wire_get_u64(r);
    t.disclosures = disclosure_decode(r, a, &t.disclosure_count);
    t.effective_at_us = wire_get_i64(r);
    t.committed_at_us = wire_get_i64(r);
    t.seq = wire_get_u64(r);
    if (!wire_done(r) || t.state >= STATE_COUNT || t.prior > STATE_NONE || t.reason >= REASON_COUNT ||
        t.cause > CAUSE_SOURCE || t.clause > CLAUSE_NONE)
        return mandate_error_set(err, MANDATE_CORRUPT, "a stored transition cannot be read");
    *out = t;
    *names = n;
    return MANDATE_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* watch - what a watch may be called, the identity of a flip, and its stored form. */
#include "engine/mandate/watch.h"

#include "engine/base/hash.h"

enum { FLIP_FORMAT = 2 };

const char *const condition_truth_names[4] = {"false", "true", "unknown", "error"};

mandate_status watch_check(mandate_slice id, mandate_slice condition, mandate_error *err)
{
    mandate_status status = claims_check_id(id, "id", true, err);
    return status ? status : claims_check_text(condition, "condition", LIMIT_CEL_SOURCE, true, err);
}

bool watch_flip_id(uint8_t out[32], const watch_flip *f)
{
    static const char domain[] = "mandated flip"; /* with its NUL */
    buf b;
    buf_init(&b);
    buf_put(&b, domain, sizeof(domain));
    wire_put_bytes(&b, f->issuer);
    wire_put_bytes(&b, f->watch);
    wire_put_u64(&b, f->created_seq);
    wire_put_u64(&b, f->created_input);
    wire_put_u64(&b, f->version);
    bool ok = !b.failed && sha256(out, b.data, b.len);
    buf_deinit(&b);
    return ok;
}

void watch_flip_encode(buf *b, const watch_flip *f, const schema *s)
{
    wire_put_u8(b, FLIP_FORMAT);
    wire_put_bytes(b, f->watch);
    wire_put_bytes(b, f->issuer);
    wire_put_bytes(b, f->condition);
    wire_put_u64(b, f->created_seq);
    wire_put_u64(b, f->created_input);
    wire_put_u64(b, f->version);
    wire_put_u8(b, (uint8_t)f->value);
    wire_put_u8(b, (uint8_t)f->prior);
    wire_put_u8(b, (uint8_t)f->cause);
    transition_origin_encode(b, &f->origin, s);
    wire_put_bytes(b, f->principal);
    wire_put_bytes(b, f->note);
    wire_put_i64(b, f->effective_at_us);
    wire_put_i64(b, f->committed_at_us);
    wire_put_u64(b, f->seq);
}

mandate_status watch_flip_decode(watch_flip *out, mandate_slice *source, mandate_slice *topic, mandate_slice bytes,
                                 mandate_error *err)
{
    wire_reader reader = wire_reader_of(bytes), *r = &reader;
    watch_flip f = {0};
    if (wire_get_u8(r) != FLIP_FORMAT)
        return mandate_error_set(err, MANDATE_CORRUPT, "a stored flip has an unknown format");
    f.watch = wire_get_bytes(r);
    f.issuer = wire_get_bytes(r);
    f.condition = wire_get_bytes(r);
    f.created_seq = wire_get_u64(r);
    f.created_input = (uint32_t)wire_get_u64(r);
    f.version = (uint32_t)wire_get_u64(r);
    uint8_t value = wire_get_u8(r), prior = wire_get_u8(r), cause = wire_get_u8(r);
    transition_origin_decode(r, &f.origin, source, topic);
    f.principal = wire_get_bytes(r);
    f.note = wire_get_bytes(r);
    f.effective_at_us = wire_get_i64(r);
    f.committed_at_us = wire_get_i64(r);
    f.seq = wire_get_u64(r);
    if (!wire_done(r) || value > TRUTH_ERROR || prior > TRUTH_ERROR || cause > CAUSE_SOURCE)
        return mandate_error_set(err, MANDATE_CORRUPT, "a stored flip cannot be read");
    f.value = (condition_truth)value;
    f.prior = (condition_truth)prior;
    f.cause = (transition_cause)cause;
    *out = f;
    return MANDATE_OK;
}

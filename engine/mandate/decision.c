/* SPDX-License-Identifier: Apache-2.0 */
/* decision - names, the table of legal transitions, identities, and the stored form, which is also that of a notice. */
#include "engine/mandate/decision.h"

#include "engine/base/hash.h"
#include "engine/base/wire.h"

enum { DECISION_FORMAT = 2, DECISION_FORMAT_PROPERTIES = 3 /* they stand at its end */ };

const char *const decision_kind_names[2] = {"action", "command"};

static const char *const state_names[DECISION_STATE_COUNT] = {
#define X(name, text, meaning) text,
    DECISION_STATE_MAP(X)
#undef X
};

const char *decision_state_name(decision_state state) { return state < DECISION_STATE_COUNT ? state_names[state] : "?"; }

decision_state decision_state_parse(mandate_slice name)
{
    for (int i = 0; i < DECISION_STATE_COUNT; i++)
        if (mandate_slice_is(name, state_names[i]))
            return (decision_state)i;
    return DECISION_STATE_COUNT;
}

bool decision_transition_legal(decision_state from, decision_state to)
{
    switch (from) {
    case DECISION_OPEN:
        return to != DECISION_OPEN;
    case DECISION_PERMITTED:
        return to == DECISION_EXPIRED;
    default:
        return false;
    }
}

/* --- identities ------------------------------------------------------------------------------------------------- */
static bool digest_of(uint8_t out[32], buf *b)
{
    bool ok = !b->failed && sha256(out, b->data, b->len);
    buf_deinit(b);
    return ok;
}

bool decision_action_key(uint8_t out[DECISION_KEY], const decision_record *q)
{
    static const char domain[] = "mandated action"; /* with its NUL */
    buf b;
    buf_init(&b);
    buf_put(&b, domain, sizeof(domain));
    wire_put_bytes(&b, q->asker);
    wire_put_bytes(&b, q->action);
    wire_put_bytes(&b, q->resource);
    wire_put_bytes(&b, q->digest);
    wire_put_u64(&b, q->mandate_count);
    for (uint32_t i = 0; i < q->mandate_count; i++)
        wire_put_bytes(&b, q->mandates[i]);
    if (q->properties.len)
        wire_put_bytes(&b, q->properties);
    return digest_of(out, &b);
}

bool decision_command_key(uint8_t out[DECISION_KEY], mandate_slice command)
{
    static const char domain[] = "mandated command";
    buf b;
    buf_init(&b);
    buf_put(&b, domain, sizeof(domain));
    wire_put_bytes(&b, command);
    return digest_of(out, &b);
}

bool decision_id(char out[DECISION_ID], mandate_slice issuer, const decision_record *d)
{
    static const char domain[] = "mandated decision", digits[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint8_t hash[32];
    buf b;
    buf_init(&b);
    buf_put(&b, domain, sizeof(domain));
    wire_put_bytes(&b, issuer);
    buf_put(&b, d->key, sizeof(d->key));
    wire_put_u64(&b, d->opened_seq);
    wire_put_u64(&b, d->opened_input);
    if (!digest_of(hash, &b))
        return false;
    out[0] = 'd';
    out[1] = '-';
    for (unsigned i = 0; i < DECISION_ID - 2; i++) {
        unsigned bit = i * 5, pair = (unsigned)hash[bit / 8] << 8 | hash[bit / 8 + 1];
        out[2 + i] = digits[pair >> (11 - bit % 8) & 31];
    }
    return true;
}

bool decision_notice_id(uint8_t out[32], mandate_slice issuer, const decision_record *d)
{
    static const char domain[] = "mandated decision notice";
    buf b;
    buf_init(&b);
    buf_put(&b, domain, sizeof(domain));
    wire_put_bytes(&b, issuer);
    wire_put_bytes(&b, d->id);
    wire_put_u64(&b, d->version);
    return digest_of(out, &b);
}

/* --- what may be asked -------------------------------------------------------------------------------------------- */
mandate_status decision_check(const decision_record *q, mandate_error *err)
{
    mandate_status s = claims_check_text(q->asker, "asker", LIMIT_ID, true, err);
    if (s == MANDATE_OK)
        s = claims_check_text(q->action, "action", LIMIT_ID, true, err);
    if (s == MANDATE_OK)
        s = claims_check_text(q->resource, "resource", 2 * LIMIT_ID + 1, true, err);
    if (s == MANDATE_OK)
        s = claims_check_text(q->digest, "parameter_digest", LIMIT_NAME, q->kind == DECISION_ACTION, err);
    if (s == MANDATE_OK)
        s = claims_check_text(q->parameters, "parameters", LIMIT_DECISION_PARAMETERS, q->kind == DECISION_ACTION, err);
    if (s == MANDATE_OK)
        s = claims_check_text(q->properties, "properties", LIMIT_DECISION_PARAMETERS, false, err);
    if (s == MANDATE_OK)
        s = claims_check_text(q->reason, "reason", LIMIT_REASON, false, err);
    if (s != MANDATE_OK)
        return s;
    if (q->command.len > LIMIT_CLAIMS + 4 * LIMIT_ID + LIMIT_REASON)
        return mandate_error_set(err, MANDATE_LIMIT, "the command is too long to wait for a second person");
    if (q->vouched.len > LIMIT_DECISION_VOUCHED)
        return mandate_error_set(
            err, MANDATE_LIMIT,
            "what vouches for \"%.*s\" has %zu bytes; a command waits for a second person with at most %d",
            MANDATE_SLICE_ARG(q->asker), q->vouched.len, LIMIT_DECISION_VOUCHED);
    if (q->mandate_count > LIMIT_DECISION_MANDATES || (q->kind == DECISION_ACTION && q->mandate_count == 0))
        return mandate_error_set(err, MANDATE_LIMIT, "a decision about an action names 1 to %d mandates, not %u",
                                 LIMIT_DECISION_MANDATES, q->mandate_count);
    for (uint32_t i = 0; i < q->mandate_count; i++) {
        s = claims_check_id(q->mandates[i], "mandates", true, err);
        if (s != MANDATE_OK)
            return s;
        if (i && mandate_slice_cmp(q->mandates[i - 1], q->mandates[i]) >= 0)
            return mandate_error_set(err, MANDATE_INVALID, "mandates: must stand in order of ids, each once");
    }
    return MANDATE_OK;
}

/* --- stored form --------------------------------------------------------------------------------------------------- */
void decision_encode(buf *b, const decision_record *d)
{
    wire_put_u8(b, d->properties.len ? DECISION_FORMAT_PROPERTIES : DECISION_FORMAT);
    wire_put_bytes(b, d->id);
    wire_put_u8(b, (uint8_t)d->kind);
    wire_put_u8(b, (uint8_t)d->state);
    wire_put_u64(b, d->version);
    wire_put_bytes(b, mandate_slice_of((const char *)d->key, sizeof(d->key)));
    wire_put_bytes(b, d->asker);
    wire_put_bytes(b, d->action);
    wire_put_bytes(b, d->resource);
    wire_put_bytes(b, d->digest);
    wire_put_bytes(b, d->parameters);
    wire_put_bytes(b, d->reason);
    wire_put_u64(b, d->mandate_count);
    for (uint32_t i = 0; i < d->mandate_count; i++)
        wire_put_bytes(b, d->mandates[i]);
    wire_put_bytes(b, d->command);
    wire_put_bytes(b, d->vouched);
    wire_put_bytes(b, d->decider);
    wire_put_bytes(b, d->note);
    wire_put_u64(b, d->opened_seq);
    wire_put_u64(b, d->opened_input);
    wire_put_i64(b, d->opened_at_us);
    wire_put_i64(b, d->decided_at_us);
    wire_put_i64(b, d->expires_at_us);
    if (d->properties.len)
        wire_put_bytes(b, d->properties);
}

mandate_status decision_decode(decision_record *out, mandate_slice bytes, mandate_error *err)
{
    wire_reader reader = wire_reader_of(bytes), *r = &reader;
    decision_record d = {0};
    uint8_t format = wire_get_u8(r);
    d.id = wire_get_bytes(r);
    uint8_t kind = wire_get_u8(r), state = wire_get_u8(r);
    d.version = (uint32_t)wire_get_u64(r);
    mandate_slice key = wire_get_bytes(r);
    d.asker = wire_get_bytes(r);
    d.action = wire_get_bytes(r);
    d.resource = wire_get_bytes(r);
    d.digest = wire_get_bytes(r);
    d.parameters = wire_get_bytes(r);
    d.reason = wire_get_bytes(r);
    uint64_t count = wire_get_count(r, 1);
    r->failed |= count > LIMIT_DECISION_MANDATES;
    for (uint64_t i = 0; i < count && !r->failed; i++)
        d.mandates[d.mandate_count++] = wire_get_bytes(r);
    d.command = wire_get_bytes(r);
    d.vouched = wire_get_bytes(r);
    d.decider = wire_get_bytes(r);
    d.note = wire_get_bytes(r);
    d.opened_seq = wire_get_u64(r);
    d.opened_input = (uint32_t)wire_get_u64(r);
    d.opened_at_us = wire_get_i64(r);
    d.decided_at_us = wire_get_i64(r);
    d.expires_at_us = wire_get_i64(r);
    if (format == DECISION_FORMAT_PROPERTIES) {
        d.properties = wire_get_bytes(r);
        r->failed |= d.properties.len == 0;
    }
    if (!wire_done(r) || format < DECISION_FORMAT || format > DECISION_FORMAT_PROPERTIES || kind > DECISION_COMMAND ||
        state >= DECISION_STATE_COUNT || (d.version == 0) != (d.id.len == 0) || (d.id.len && d.id.len != DECISION_ID) ||
        key.len != sizeof(d.key))
        return mandate_error_set(err, MANDATE_CORRUPT, "a stored decision cannot be read");
    memcpy(d.key, key.ptr, sizeof(d.key));
    d.kind = (decision_kind)kind;
    d.state = (decision_state)state;
    *out = d;
    return MANDATE_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* decision_json - see decision_json.h. What a human is to judge is all there: the parameters, or the whole command. */
#include "connectors/daemon/answer/decision_json.h"

#include "connectors/json/claims_json.h"
#include "engine/base/hash.h"
#include "engine/base/text.h"

static void put_text(buf *b, const char *name, mandate_slice text)
{
    buf_printf(b, ",\"%s\":", name);
    if (text.len)
        buf_put_json_string(b, text);
    else
        buf_put_str(b, "null");
}

static void put_time(buf *b, const char *name, int64_t us)
{
    char text[TIME_TEXT_MAX];
    put_text(b, name, us ? mandate_slice_of(text, time_format_us(text, us)) : mandate_slice_of("", 0));
}

static mandate_status put_omitted(buf *b, const claims *c, mandate_error *err)
{
    char hex[SHA256_HEX_SIZE + 1];
    uint8_t hash[SHA256_SIZE];
    buf whole;
    buf_init(&whole);
    claims_to_json(&whole, c);
    bool good = !whole.failed && sha256(hash, whole.data, whole.len);
    if (good) {
        hex_encode(hex, hash, SHA256_SIZE);
        buf_printf(b, "{\"omitted_bytes\":%zu,\"sha256\":\"%s\"}", whole.len, hex);
    }
    buf_deinit(&whole);
    return good ? MANDATE_OK : mandate_error_set(err, MANDATE_NOMEM, "out of memory for a decision");
}

/* --- for whose eyes ---------------------------------------------------------------------------------------------------- */
typedef struct reader {
    const disclosure_viewer *who; /* NULL: one that decides, and sees all of it */
    store *store;
    bool brief;
} reader;

static uint32_t restrictable(void)
{
    uint32_t bits = 0;
#define X(member, parts) bits |= CLAIMS_GIVEN(member);
    DISCLOSURE_MEMBER_MAP(X)
#undef X
    return bits;
}

/* Bits of the members of which the mandate that the command changes, or puts a child under, hides anything. */
static mandate_status hidden_above(uint32_t *bits, const engine_command *c, const reader *r, arena *a, mandate_error *err)
{
    const mandate_slice above = c->kind == COMMAND_ISSUE ? c->claims->parent : c->mandate;
    claims over;
    mandate_slice bytes;
    *bits = 0;
    if (!above.len)
        return MANDATE_OK;
    mandate_status status = store_claims_told(r->store, a, above, &bytes, err);
    if (status == MANDATE_NOT_FOUND) {
        *bits = restrictable();
        return MANDATE_OK;
    }
    if (status == MANDATE_OK)
        status = claims_decode(&over, a, bytes, err);
    if (status == MANDATE_OK)
        *bits = disclosure_hidden(over.disclosures, over.disclosure_count, r->who);
    return status;
}

/* First what is restricted above, as whole members; then by the command's own rules. */
static mandate_status view_command(claims *out, const engine_command *c, const reader *r, arena *a, mandate_error *err)
{
    claims_disclosure *rules = ARENA_ARRAY(a, claims_disclosure, MEMBER_COUNT);
    claims whole = *c->claims, part;
    uint32_t bits = 0, n = 0;
    if (!rules)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for a decision");
    mandate_status status = r->who->all ? MANDATE_OK : hidden_above(&bits, c, r, a, err);
    for (int m = 0; m < MEMBER_COUNT; m++)
        if (bits >> m & 1)
            rules[n++] = (claims_disclosure){.member = (claims_member)m};
    whole.disclosures = rules;
    whole.disclosure_count = n;
    if (status == MANDATE_OK)
        status = disclosure_view(&part, &whole, r->who, a, err);
    if (status != MANDATE_OK)
        return status;
    part.disclosures = c->claims->disclosures;
    part.disclosure_count = c->claims->disclosure_count;
    status = disclosure_view(out, &part, r->who, a, err);
    if (status == MANDATE_OK && c->kind != COMMAND_ISSUE)
        out->hidden &= c->claims->given; /* the command says nothing of the others */
    return status;
}

static void put_undisclosed(buf *b, uint32_t hidden)
{
    const char *before = ",\"undisclosed\":[";
    for (int m = 0; m < MEMBER_COUNT; m++) {
        if (!(hidden >> m & 1))
            continue;
        buf_printf(b, "%s\"%s\"", before, claims_member_name((claims_member)m));
        before = ",";
    }
    if (hidden)
        buf_put_char(b, ']');
}

static mandate_status put_claims(buf *b, const engine_command *c, const reader *r, arena *a, mandate_error *err)
{
    claims seen = *c->claims;
    mandate_status status = r->who ? view_command(&seen, c, r, a, err) : MANDATE_OK;
    if (status != MANDATE_OK)
        return status;
    buf_put_str(b, ",\"claims\":");
    if (r->brief)
        status = put_omitted(b, &seen, err);
    else
        claims_to_json(b, &seen);
    put_undisclosed(b, seen.hidden);
    return status;
}

static mandate_status put_command(buf *b, const decision_record *d, const reader *r, arena *a, mandate_error *err)
{
    engine_command c;
    if (!d->command.len) {
        buf_put_str(b, ",\"command\":null");
        return MANDATE_OK;
    }
    mandate_status status = engine_decode_command(&c, a, d->command, err);
    if (status != MANDATE_OK)
        return status;
    buf_printf(b, ",\"command\":{\"command\":\"%s\"", engine_command_names[c.kind]);
    put_text(b, "mandate", c.mandate);
    put_text(b, "note", c.note);
    if (c.condition.len)
        put_text(b, "condition", c.condition);
    if (c.claims)
        status = put_claims(b, &c, r, a, err);
    buf_put_char(b, '}');
    return status;
}

static mandate_status put(buf *b, const decision_record *d, const reader *r, arena *a, mandate_error *err)
{
    buf_put_str(b, "{\"id\":");
    buf_put_json_string(b, d->id);
    buf_printf(b, ",\"kind\":\"%s\",\"state\":\"%s\",\"version\":%u", decision_kind_names[d->kind],
               decision_state_name(d->state), d->version);
    put_text(b, "asker", d->asker);
    put_text(b, "action", d->action);
    put_text(b, "resource", d->resource);
    put_text(b, "parameter_digest", d->digest);
    buf_put_str(b, ",\"parameters\":");
    buf_put_slice(b, d->parameters.len ? d->parameters : mandate_slice_str("null")); /* canonical JSON */
    if (d->properties.len) {
        buf_put_str(b, ",\"properties\":");
        buf_put_slice(b, d->properties);
    }
    put_text(b, "reason", d->reason);
    buf_put_str(b, ",\"mandates\":[");
    for (uint32_t i = 0; i < d->mandate_count; i++) {
        if (i)
            buf_put_char(b, ',');
        buf_put_json_string(b, d->mandates[i]);
    }
    buf_put_char(b, ']');
    mandate_status status = put_command(b, d, r, a, err);
    put_text(b, "decided_by", d->decider);
    put_text(b, "note", d->note);
    put_time(b, "opened_at", d->opened_at_us);
    put_time(b, "decided_at", d->decided_at_us);
    put_time(b, "expires_at", d->expires_at_us);
    return status;
}

mandate_status decision_json(buf *b, const decision_record *d, arena *a, mandate_error *err)
{
    return put(b, d, &(reader){.who = NULL}, a, err);
}

mandate_status decision_json_shown(buf *b, const decision_record *d, const disclosure_viewer *who, store *st, bool brief,
                                   arena *a, mandate_error *err)
{
    return put(b, d, &(reader){who, st, brief}, a, err);
}

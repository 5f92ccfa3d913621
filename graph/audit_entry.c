/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_entry - what an entry of the audit log says: one line of JSON, members in a fixed order, names as on the revocation
 * topic. docs/audit.md and schemas/audit-entry.schema.json describe it for readers.
 *
 *   index  seq  time  event  then what the event has  [transition: SHA-256 of the stored transition, with all its evidence]
 *
 * An entry fits a C2SP entry bundle, whose lengths have 16 bits: what is too long is left out with its size and hash
 * ({"omitted_bytes", "sha256"}), the longest first, in up to three attempts.
 */
#include "engine/base/text.h"
#include "graph/store_int.h"

/* Longer members are left out. The last one always fits: everything else is bounded by its own limit. */
static const size_t member_max[] = {LIMIT_AUDIT_ENTRY, 1024, 80};
enum { ATTEMPTS = 3, TERMS_LAST = 16 };
/* In the last attempt: 16 terms of 6 members, and less than 20 members beside them. */
_Static_assert((TERMS_LAST * 6 + 20) * (6 * 80 + 80) <= LIMIT_AUDIT_ENTRY, "the last attempt fits");

typedef struct entry {
    store *st;
    buf *b;
    size_t max;
    bool last;
} entry;

/* Thousands of entries may go with one step: nothing is formatted here that can be copied. */
static void put_name(buf *b, const char *name)
{
    if (b->len && b->data[b->len - 1] != '{')
        buf_put_char(b, ',');
    buf_put_char(b, '"');
    buf_put_str(b, name);
    buf_put(b, "\":", 2);
}

static void put_quoted(buf *b, const char *text, size_t len)
{
    buf_put_char(b, '"');
    buf_put(b, text, len);
    buf_put_char(b, '"');
}

static void put_hex(buf *b, const char *name, const uint8_t hash[SHA256_SIZE])
{
    char hex[SHA256_HEX_SIZE + 1];
    hex_encode(hex, hash, SHA256_SIZE);
    put_name(b, name);
    put_quoted(b, hex, SHA256_HEX_SIZE);
}

static void put_sha256(entry *e, const char *name, mandate_slice bytes)
{
    uint8_t hash[SHA256_SIZE];
    if (sha256(hash, bytes.ptr, bytes.len))
        put_hex(e->b, name, hash);
    else
        e->st->nomem = true;
}

/* What was written from `at` on stays when it is short enough. */
static void bound(entry *e, size_t at)
{
    char hex[SHA256_HEX_SIZE + 1];
    uint8_t hash[SHA256_SIZE];
    buf *b = e->b;
    size_t len = b->len - at;
    if (b->failed || len <= e->max)
        return;
    if (!sha256(hash, b->data + at, len))
        e->st->nomem = true;
    hex_encode(hex, hash, SHA256_SIZE);
    b->len = at;
    buf_printf(b, "{\"omitted_bytes\":%zu,\"sha256\":\"%s\"}", len, hex);
}

static void put_text(entry *e, const char *name, mandate_slice value)
{
    if (value.len == 0)
        return;
    put_name(e->b, name);
    size_t at = e->b->len;
    buf_put_json_string(e->b, value);
    bound(e, at);
}

static void put_word(entry *e, const char *name, const char *word)
{
    put_name(e->b, name);
    put_quoted(e->b, word, strlen(word));
}

static void put_value(entry *e, const char *name, cel_value v)
{
    put_name(e->b, name);
    size_t at = e->b->len;
    cel_to_json(e->b, v);
    bound(e, at);
}

static void put_number(entry *e, const char *name, int64_t v)
{
    put_name(e->b, name);
    buf_put_i64(e->b, v);
}

static void put_time(entry *e, const char *name, int64_t us)
{
    char text[TIME_TEXT_MAX];
    put_name(e->b, name);
    put_quoted(e->b, text, time_format_us(text, us));
}

static void put_origin(entry *e, const change_origin *o)
{
    const schema *s = e->st->schema;
    if (o->source != SCHEMA_NONE)
        put_text(e, "source", mandate_slice_str(schema_source_name(s, o->source)));
    if (o->topic != SCHEMA_NONE) {
        put_text(e, "topic", mandate_slice_str(schema_topic_name(s, o->topic)));
        put_number(e, "partition", o->partition);
        put_number(e, "offset", o->offset);
    }
    if (o->event_time_us != CHANGE_NO_TIME)
        put_time(e, "event_time", o->event_time_us);
    if (o->version) {
        put_name(e->b, "version");
        buf_printf(e->b, "%llu", (unsigned long long)(o->version - 1));
    }
    if (o->seq)
        put_number(e, "seq", (int64_t)o->seq);
}

/* --- a transition --------------------------------------------------------------------------------- */
static const char *event_of(const transition *t)
{
    if (t->prior == STATE_NONE)
        return "issued";
    if (t->reason == REASON_AMENDED)
        return "amended";
    if (mandate_state_is_final(t->state))
        return "ended";
    return t->state == STATE_SUSPENDED ? "suspended" : "resumed";
}

static void put_cause(entry *e, const transition *t)
{
    put_name(e->b, "cause");
    buf_put_str(e->b, "{");
    put_word(e, "kind", transition_cause_names[t->cause]);
    if (t->cause != CAUSE_CLOCK && t->cause != CAUSE_COMMAND)
        put_origin(e, &t->origin);
    put_text(e, "principal", t->principal);
    put_text(e, "note", t->note);
    buf_put_char(e->b, '}');
}

static void put_term(entry *e, const transition_term *term)
{
    buf_put_char(e->b, '{');
    put_text(e, "path", term->path);
    put_name(e->b, "observed");
    buf_put_str(e->b, term->observed ? "true" : "false");
    if (term->value.kind == CEL_ERROR && term->value.error)
        put_text(e, "error", term->value.error->message);
    else if (term->value.kind != CEL_UNKNOWN && term->value.kind != CEL_ERROR)
        put_value(e, "value", term->value);
    if (term->observed)
        put_origin(e, &term->origin);
    buf_put_char(e->b, '}');
}

static void put_terms(entry *e, const transition *t)
{
    uint32_t count = e->last && t->term_count > TERMS_LAST ? TERMS_LAST : t->term_count;
    put_name(e->b, "clause");
    buf_put_char(e->b, '{');
    put_word(e, "kind", claims_clause_names[t->clause]);
    put_text(e, "text", t->clause_text);
    buf_put_char(e->b, '}');
    put_name(e->b, "terms");
    buf_put_char(e->b, '[');
    for (uint32_t i = 0; i < count; i++) {
        if (i)
            buf_put_char(e->b, ',');
        put_term(e, &t->terms[i]);
    }
    buf_put_char(e->b, ']');
    put_number(e, "terms_total", t->term_total);
}

static void put_cascade(entry *e, const transition *t)
{
    put_name(e->b, "cascade");
    buf_put_char(e->b, '{');
    put_text(e, "root", t->cascade_root.len ? t->cascade_root : t->mandate);
    put_text(e, "parent", t->cascade_parent);
    put_number(e, "depth", t->cascade_depth);
    put_number(e, "count", t->cascade_count);
    buf_put_char(e->b, '}');
}

static void put_claims(entry *e, mandate_slice claims_bytes)
{
    size_t before = e->b->len;
    put_name(e->b, "claims");
    size_t at = e->b->len;
    if (!e->st->options.claims_json || !e->st->options.claims_json(e->b, claims_bytes)) {
        e->b->len = before;
        put_sha256(e, "claims_sha256", claims_bytes);
        return;
    }
    bound(e, at);
}

/* --- entries ------------------------------------------------------------------------------------------ */
static void begin(entry *e, const audit_head *head, uint64_t seq, int64_t now_us, mandate_slice event)
{
    buf_reset(e->b);
    buf_put_str(e->b, "{\"index\":");
    buf_put_u64(e->b, head->edge.size);
    buf_put_str(e->b, ",\"seq\":");
    buf_put_u64(e->b, seq);
    put_time(e, "time", now_us);
    put_text(e, "event", event);
}

static void put_transition(entry *e, const audit_head *head, const transition *t, mandate_slice claims_bytes,
                           const uint8_t digest[SHA256_SIZE])
{
    begin(e, head, t->seq, t->committed_at_us, mandate_slice_str(event_of(t)));
    put_text(e, "mandate", t->mandate);
    put_number(e, "version", t->version);
    put_word(e, "state", mandate_state_name(t->state));
    if (t->prior != STATE_NONE)
        put_word(e, "prior", mandate_state_name(t->prior));
    put_word(e, "reason", mandate_reason_name(t->reason));
    put_cause(e, t);
    if (t->clause != CLAUSE_NONE)
        put_terms(e, t);
    if (t->cascade_root.len || t->cascade_count)
        put_cascade(e, t);
    put_hex(e->b, "txn", t->txn);
    put_text(e, "agent", t->agent);
    if (t->targets.kind != CEL_NULL)
        put_value(e, "targets", t->targets);
    if (t->in_flight.kind != CEL_NULL)
        put_value(e, "in_flight", t->in_flight);
    if (t->suspended_until_us)
        put_time(e, "suspended_until", t->suspended_until_us);
    if (t->effective_at_us != t->committed_at_us)
        put_time(e, "effective_at", t->effective_at_us);
    if (claims_bytes.len)
        put_claims(e, claims_bytes);
    put_hex(e->b, "transition", digest);
    buf_put_char(e->b, '}');
}

void audit_put_transition(store *st, audit_head *head, const transition *t, mandate_slice claims_bytes)
{
    uint8_t digest[SHA256_SIZE];
    if (!sha256(digest, st->value.data, st->value.len))
        st->nomem = true;
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        entry e = {st, &st->text, member_max[attempt], attempt + 1 == ATTEMPTS};
        put_transition(&e, head, t, claims_bytes, digest);
        if (st->text.len <= LIMIT_AUDIT_ENTRY)
            break;
    }
    audit_append(st, head, t->mandate);
}

typedef struct answered {
    const engine_command *command;
    const engine_answer *answer;
    const decision_record *decision; /* instead of both */
    uint64_t seq;
    int64_t now_us;
} answered;

static void put_detail(entry *e, const answered *a)
{
    put_name(e->b, "detail");
    size_t at = e->b->len;
    buf_put_slice(e->b, a->command->detail);
    bound(e, at);
}

static void put_watch(entry *e, const answered *a)
{
    put_text(e, "watch", a->command->mandate);
    put_text(e, "condition", a->command->condition);
    put_text(e, "principal", a->command->principal);
}

static void put_log(entry *e, const answered *a)
{
    put_text(e, "mandate", a->command->mandate);
    put_text(e, "principal", a->command->principal);
    put_detail(e, a);
}

static void put_decision(entry *e, const answered *a)
{
    const decision_record *d = a->decision;
    put_text(e, "decision", d->id);
    put_number(e, "version", d->version);
    put_word(e, "state", decision_state_name(d->state));
    put_word(e, "kind", decision_kind_names[d->kind]);
    put_text(e, "asker", d->asker);
    put_text(e, "action", d->action);
    put_text(e, "resource", d->resource);
    put_text(e, "parameter_digest", d->digest);
    put_name(e->b, "mandates");
    size_t at = e->b->len;
    buf_put_char(e->b, '[');
    for (uint32_t i = 0; i < d->mandate_count; i++) {
        if (i)
            buf_put_char(e->b, ',');
        buf_put_json_string(e->b, d->mandates[i]);
    }
    buf_put_char(e->b, ']');
    bound(e, at);
    put_text(e, "principal", d->decider);
    put_text(e, "note", d->note);
}

static void put_refusal(entry *e, const answered *a)
{
    const engine_command *c = a->command;
    put_word(e, "command", engine_command_names[c->kind]);
    put_text(e,
             engine_command_is_watch(c->kind) ? "watch"
             : c->kind == COMMAND_DECIDE      ? "decision"
                                              : "mandate",
             c->kind == COMMAND_ISSUE && c->claims ? c->claims->id : c->mandate);
    put_text(e, "principal", c->principal);
    put_text(e, "note", c->note);
    put_word(e, "status", mandate_status_name(a->answer->error.status));
    put_text(e, "error", mandate_slice_str(a->answer->error.text));
}

static void answer_put(store *st, audit_head *head, const answered *a, const char *event, mandate_slice mandate,
                       void (*members)(entry *e, const answered *a))
{
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        entry e = {st, &st->text, member_max[attempt], attempt + 1 == ATTEMPTS};
        begin(&e, head, a->seq, a->now_us, event ? mandate_slice_str(event) : a->command->event);
        members(&e, a);
        buf_put_char(e.b, '}');
        if (st->text.len <= LIMIT_AUDIT_ENTRY)
            break;
    }
    /* Only names that can be one: a refused command may have said anything. */
    bool named = mandate.len <= LIMIT_ID && claims_check_id(mandate, "id", false, NULL) == MANDATE_OK;
    audit_append(st, head, named ? mandate : mandate_slice_of(NULL, 0));
}

static answered answered_of(const engine_batch *batch, const engine_answer *answer, int64_t now_us)
{
    return (answered){&batch->inputs[answer->input].command, answer, NULL, batch->seq, now_us};
}

void audit_put_watch(store *st, audit_head *head, const engine_batch *batch, const engine_answer *answer, int64_t now_us)
{
    answered a = answered_of(batch, answer, now_us);
    answer_put(st, head, &a, a.command->kind == COMMAND_WATCH ? "watched" : "unwatched", mandate_slice_of(NULL, 0),
               put_watch);
}

static void put_spend(entry *e, const answered *a)
{
    char text[AMOUNT_TEXT_MAX];
    put_text(e, "mandate", a->command->mandate);
    put_text(e, "principal", a->command->principal);
    put_text(e, "note", a->command->note);
    put_text(e, "budget", a->answer->budget);
    put_text(e, "amount", mandate_slice_of(text, amount_format(text, a->answer->amount)));
    put_text(e, "key", a->command->key);
}

void audit_put_spend(store *st, audit_head *head, const engine_batch *batch, const engine_answer *answer, int64_t now_us)
{
    answered a = answered_of(batch, answer, now_us);
    answer_put(st, head, &a, a.command->kind == COMMAND_SPEND ? "spent" : "unspent", a.command->mandate, put_spend);
}

void audit_put_log(store *st, audit_head *head, const engine_batch *batch, const engine_answer *answer, int64_t now_us)
{
    answered a = answered_of(batch, answer, now_us);
    answer_put(st, head, &a, NULL, a.command->mandate, put_log);
}

void audit_put_decision(store *st, audit_head *head, uint64_t seq, const decision_record *d, int64_t now_us)
{
    answered a = {NULL, NULL, d, seq, now_us};
    /* Found with the mandate it is about: the only one that governs, or the one that the command is for. */
    mandate_slice on = d->mandate_count ? d->mandates[0] : (mandate_slice){NULL, 0};
    answer_put(st, head, &a, "decision", on, put_decision);
}

void audit_put_refusal(store *st, audit_head *head, const engine_batch *batch, const engine_answer *answer, int64_t now_us)
{
    answered a = answered_of(batch, answer, now_us);
    bool other = engine_command_is_watch(a.command->kind) || a.command->kind == COMMAND_DECIDE;
    mandate_slice mandate =
        a.command->kind == COMMAND_ISSUE && a.command->claims ? a.command->claims->id : a.command->mandate;
    answer_put(st, head, &a, "refused", other ? mandate_slice_of(NULL, 0) : mandate, put_refusal);
}

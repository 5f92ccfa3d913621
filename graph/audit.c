/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit - one line of JSON for every issuance, transition, watch and refused command, chained by hashes.
 *
 *   leaf[i] = SHA-256(0x00 || leaf[i-1] || entry[i]),   leaf[-1] = 32 zero bytes
 *
 * An entry names the leaf before it ("prev"), so the exported lines can be checked without us, and the
 * SHA-256 of the stored transition, so the evidence cannot be exchanged under it. Stored as leaf, entry.
 * The number of entries and the last leaf stand in META as well: a cut tail is noticed at open.
 */
#include "engine/base/text.h"
#include "graph/store_int.h"

static mandate_status corrupt(uint64_t index, const char *what, mandate_error *err)
{
    return mandate_error_set(err, MANDATE_CORRUPT,
                             "audit entry %llu %s; the log was damaged or altered, restore the"
                             " database from a checkpoint",
                             (unsigned long long)index, what);
}

static bool leaf_hash(uint8_t out[SHA256_SIZE], buf *work, const uint8_t prev[SHA256_SIZE], mandate_slice entry)
{
    buf_reset(work);
    buf_put_char(work, '\0');
    buf_put(work, prev, SHA256_SIZE);
    buf_put_slice(work, entry);
    return !work->failed && sha256(out, work->data, work->len);
}

/* --- writing ------------------------------------------------------------------------------------ */
static void put_text(buf *b, const char *name, mandate_slice value)
{
    if (value.len == 0)
        return;
    buf_printf(b, ",\"%s\":", name);
    buf_put_json_string(b, value);
}

static void put_hash(buf *b, const char *name, const uint8_t hash[SHA256_SIZE])
{
    char hex[SHA256_HEX_SIZE + 1];
    hex_encode(hex, hash, SHA256_SIZE);
    buf_printf(b, ",\"%s\":\"%s\"", name, hex);
}

static void put_origin(buf *b, const schema *s, const change_origin *origin)
{
    buf_put_str(b, ",\"record\":{\"source\":");
    buf_put_json_string(b, mandate_slice_str(schema_source_name(s, origin->source)));
    put_text(b, "topic", mandate_slice_str(schema_topic_name(s, origin->topic)));
    buf_printf(b, ",\"partition\":%d,\"offset\":%lld}", (int)origin->partition, (long long)origin->offset);
}

static void entry_begin(buf *b, const audit_head *head, uint64_t seq, int64_t now_us, const char *event)
{
    char time[TIME_TEXT_MAX];
    size_t len = time_format_us(time, now_us);
    buf_reset(b);
    buf_printf(b, "{\"index\":%llu,\"seq\":%llu,\"time\":\"%.*s\",\"event\":\"%s\"", (unsigned long long)head->count,
               (unsigned long long)seq, (int)len, time, event);
}

/* Ends the entry in st->text, puts it, and moves the head on. */
static void entry_end(store *st, audit_head *head)
{
    buf work;
    put_hash(&st->text, "prev", head->leaf);
    buf_put_char(&st->text, '}');
    buf_init(&work);
    if (st->text.failed || !leaf_hash(head->leaf, &work, head->leaf, buf_slice(&st->text))) {
        st->nomem = true;
    } else {
        key_number(&st->key, head->count++);
        buf_reset(&st->value);
        buf_put(&st->value, head->leaf, SHA256_SIZE);
        buf_put_slice(&st->value, buf_slice(&st->text));
        store_put(st, KV_AUDIT);
    }
    buf_deinit(&work);
}

void audit_put_transition(store *st, audit_head *head, const transition *t)
{
    buf *b = &st->text;
    uint8_t digest[SHA256_SIZE];
    if (!sha256(digest, st->value.data, st->value.len)) {
        st->nomem = true;
        return;
    }
    entry_begin(b, head, t->seq, t->committed_at_us, t->prior == STATE_NONE ? "issued" : "transition");
    put_text(b, "mandate", t->mandate);
    buf_printf(b, ",\"version\":%u,\"state\":\"%s\"", t->version, mandate_state_name(t->state));
    if (t->prior != STATE_NONE)
        buf_printf(b, ",\"prior\":\"%s\"", mandate_state_name(t->prior));
    buf_printf(b, ",\"reason\":\"%s\",\"cause\":\"%s\"", mandate_reason_name(t->reason), transition_cause_names[t->cause]);
    put_text(b, "clause", mandate_slice_str(claims_clause_names[t->clause]));
    put_text(b, "principal", t->principal);
    put_text(b, "note", t->note);
    put_text(b, "cascade_root", t->cascade_root);
    if (t->cause == CAUSE_CHANGE || (t->cause == CAUSE_CASCADE && t->origin.source != SCHEMA_NONE))
        put_origin(b, st->schema, &t->origin);
    put_hash(b, "txn", t->txn);
    put_hash(b, "transition", digest);
    entry_end(st, head);
}

void audit_put_watch(store *st, audit_head *head, const engine_batch *batch, const engine_answer *answer, int64_t now_us)
{
    buf *b = &st->text;
    const engine_command *command = &batch->inputs[answer->input].command;
    entry_begin(b, head, batch->seq, now_us, command->kind == COMMAND_WATCH ? "watched" : "unwatched");
    put_text(b, "watch", command->mandate);
    put_text(b, "condition", command->condition);
    put_text(b, "principal", command->principal);
    entry_end(st, head);
}

void audit_put_log(store *st, audit_head *head, const engine_batch *batch, const engine_answer *answer, int64_t now_us)
{
    buf *b = &st->text;
    const engine_command *command = &batch->inputs[answer->input].command;
    entry_begin(b, head, batch->seq, now_us, "");
    b->len -= 1; /* the event is not a literal */
    buf_put_slice(b, command->event);
    buf_put_char(b, '"');
    put_text(b, "mandate", command->mandate);
    put_text(b, "principal", command->principal);
    buf_put_str(b, ",\"detail\":");
    buf_put_slice(b, command->detail);
    entry_end(st, head);
}

void audit_put_refusal(store *st, audit_head *head, const engine_batch *batch, const engine_answer *answer, int64_t now_us)
{
    buf *b = &st->text;
    const engine_command *command = &batch->inputs[answer->input].command;
    mandate_slice mandate = command->mandate;
    if (command->kind == COMMAND_ISSUE && command->claims)
        mandate = command->claims->id;
    entry_begin(b, head, batch->seq, now_us, "refused");
    buf_printf(b, ",\"command\":\"%s\"", engine_command_names[command->kind]);
    put_text(b, engine_command_is_watch(command->kind) ? "watch" : "mandate", mandate);
    put_text(b, "principal", command->principal);
    put_text(b, "note", command->note);
    buf_printf(b, ",\"status\":\"%s\"", mandate_status_name(answer->error.status));
    put_text(b, "error", mandate_slice_str(answer->error.text));
    entry_end(st, head);
}

/* --- reading ------------------------------------------------------------------------------------ */
/* Splits a stored value and checks that it continues `prev`, which then becomes its leaf. */
static mandate_status entry_open(mandate_slice *entry, uint64_t index, uint8_t prev[SHA256_SIZE], buf *work,
                                 mandate_slice value, mandate_error *err)
{
    if (value.len < SHA256_SIZE)
        return corrupt(index, "is too short", err);
    *entry = mandate_slice_of(value.ptr + SHA256_SIZE, value.len - SHA256_SIZE);
    if (!leaf_hash(prev, work, prev, *entry))
        return mandate_error_set(err, MANDATE_NOMEM, "no memory to check the audit log");
    if (memcmp(prev, value.ptr, SHA256_SIZE) != 0)
        return corrupt(index, "does not continue the one before it", err);
    return MANDATE_OK;
}

/* The leaf before entry `from`. */
static mandate_status leaf_before(store *st, uint64_t from, uint8_t out[SHA256_SIZE], mandate_error *err)
{
    buf key, value;
    memset(out, 0, SHA256_SIZE);
    if (from == 0)
        return MANDATE_OK;
    buf_init(&key);
    buf_init(&value);
    key_number(&key, from - 1);
    mandate_status status = kv_get(st->kv, KV_AUDIT, buf_slice(&key), &value, err);
    if (status == MANDATE_NOT_FOUND || (status == MANDATE_OK && value.len < SHA256_SIZE))
        status = corrupt(from - 1, "is missing", err);
    if (status == MANDATE_OK)
        memcpy(out, value.data, SHA256_SIZE);
    buf_deinit(&key);
    buf_deinit(&value);
    return status;
}

mandate_status store_audit_each(store *st, uint64_t from, audit_visit visit, void *ctx, mandate_error *err)
{
    kv_iter *it = NULL;
    uint8_t leaf[SHA256_SIZE];
    mandate_slice entry;
    buf key, work;
    buf_init(&key);
    buf_init(&work);
    uint64_t count = st->last.audit.count;
    mandate_status status = MANDATE_OK;
    if (from >= count)
        goto done;
    status = leaf_before(st, from, leaf, err);
    if (status == MANDATE_OK)
        status = kv_iter_open(&it, st->kv, KV_AUDIT, err);
    if (status != MANDATE_OK)
        goto done;
    key_number(&key, from);
    kv_iter_seek(it, buf_slice(&key));
    for (uint64_t index = from; index < count; index++, kv_iter_next(it)) {
        if (!kv_iter_valid(it)) {
            status = kv_iter_status(it, err);
            status = status == MANDATE_OK ? corrupt(index, "is missing", err) : status;
            goto done;
        }
        key_number(&key, index);
        if (!mandate_slice_eq(kv_iter_key(it), buf_slice(&key)))
            status = corrupt(index, "is missing", err);
        else
            status = entry_open(&entry, index, leaf, &work, kv_iter_value(it), err);
        if (status != MANDATE_OK || !visit(ctx, index, entry))
            goto done;
    }
done:
    kv_iter_close(it);
    buf_deinit(&key);
    buf_deinit(&work);
    return status;
}

mandate_status audit_check_head(store *st, mandate_error *err)
{
    kv_iter *it = NULL;
    uint8_t leaf[SHA256_SIZE];
    const audit_head *head = &st->last.audit;
    mandate_status status = leaf_before(st, head->count, leaf, err);
    if (status == MANDATE_OK)
        status = kv_iter_open(&it, st->kv, KV_AUDIT, err);
    if (status != MANDATE_OK)
        return status;
    kv_iter_seek_last(it);
    if (!kv_iter_valid(it))
        status = kv_iter_status(it, err);
    else if (kv_iter_key(it).len != 8 || wire_key_u64(kv_iter_key(it).ptr) + 1 != head->count)
        status = corrupt(head->count, "should not be there", err);
    if (status == MANDATE_OK && memcmp(leaf, head->leaf, SHA256_SIZE) != 0)
        status = corrupt(head->count - 1, "is not the one that was written last", err);
    kv_iter_close(it);
    return status;
}

uint64_t store_answer_leaf(const store *st, uint32_t answer)
{
    return answer < st->answer_leaves.len ? st->answer_leaves.data[answer] : UINT64_MAX;
}

void store_audit_head(const store *st, uint64_t *count, uint8_t leaf[32])
{
    *count = st->last.audit.count;
    memcpy(leaf, st->last.audit.leaf, SHA256_SIZE);
}

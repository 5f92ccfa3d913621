/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer_audit - questions to the record: tiles, proofs, entries. On the thread for the past; reads the store alone.
 *
 *   a proof   {"index" | "first", "size", "root", ["leaf",] "proof": [hash, ...]}    hashes in base64, the one nearest to the leaf first
 *   entries   {"entries": [entry, ...], "next": number or null, "size": number}      entries as they are in the log, byte for byte
 */
#include "connectors/daemon/record/answer_audit.h"

#include "connectors/audit/tile.h"
#include "engine/base/base64.h"
#include "engine/base/text.h"

#include <stdio.h>

enum {
    PAGE_BYTES = 4 << 20,
    PAGE_VISITS = 50000,
    EVENT_WITHIN = 192 /* bytes of an entry: index, seq and time stand before it, and nothing that anybody else wrote */
};

/* --- tiles ------------------------------------------------------------------------------------------------------ */
typedef struct bundle {
    buf *out;
    unsigned left;
    bool failed;
} bundle;

static bool put_entry(void *ctx, uint64_t index, mandate_slice entry)
{
    bundle *b = ctx;
    (void)index;
    b->failed = !tile_put_entry(b->out, entry);
    return !b->failed && --b->left > 0;
}

static mandate_status tile(store *st, service_request *r, mandate_error *err)
{
    tile_name t;
    merkle_hash hashes[TILE_WIDTH];
    if (!tile_path_parse(&t, r->audit.path))
        return mandate_error_set(err, MANDATE_NOT_FOUND,
                                 "there is no tile %.*s; expected tile/<L>/<N>[.p/<W>] or tile/entries/<N>[.p/<W>]",
                                 (int)(r->audit.path.len < 80 ? r->audit.path.len : 80), r->audit.path.ptr);
    if (t.width > tile_width(t.level, t.index, store_audit_size(st)))
        return mandate_error_set(err, MANDATE_NOT_FOUND, "the log has not grown to tile %.*s yet",
                                 MANDATE_SLICE_ARG(r->audit.path));
    if (t.level == TILE_ENTRIES) {
        bundle b = {&r->body, t.width, false};
        mandate_status status = store_audit_each(st, t.index * TILE_WIDTH, put_entry, &b, err);
        return status || !b.failed ? status : mandate_error_set(err, MANDATE_CORRUPT, "an entry is longer than any can be");
    }
    mandate_status status = store_audit_hashes(st, t.level, t.index * TILE_WIDTH, t.width, hashes, err);
    if (!status)
        buf_put(&r->body, hashes, (size_t)t.width * SHA256_SIZE);
    return status;
}

/* --- proofs -------------------------------------------------------------------------------------------------------- */
static void put_hash(buf *b, const merkle_hash *h)
{
    buf_put_char(b, '"');
    base64_put(b, BASE64_STANDARD, h->bytes, SHA256_SIZE);
    buf_put_char(b, '"');
}

static void put_proof(buf *b, const merkle_proof *p)
{
    buf_put_str(b, ",\"proof\":[");
    for (uint32_t i = 0; i < p->count; i++) {
        if (i)
            buf_put_char(b, ',');
        put_hash(b, &p->hashes[i]);
    }
    buf_put_str(b, "]}\n");
}

/* The size asked for, or that of the last checkpoint, so that the two go together. */
static mandate_status size_of(uint64_t *out, store *st, checkpointer *c, uint64_t asked, mandate_error *err)
{
    checkpointer_status s = {0};
    if (asked == UINT64_MAX && c) {
        checkpointer_status_get(c, &s);
        asked = s.signed_entries;
    }
    if (asked > store_audit_size(st))
        return mandate_error_set(err, MANDATE_NOT_FOUND, "the audit log has %llu entries",
                                 (unsigned long long)store_audit_size(st));
    *out = asked;
    return MANDATE_OK;
}

static mandate_status inclusion(store *st, checkpointer *c, service_request *r, mandate_error *err)
{
    merkle_proof p;
    merkle_hash root, leaf;
    uint64_t size = 0;
    mandate_status status = size_of(&size, st, c, r->audit.size, err);
    if (status)
        return status;
    if (r->audit.index >= size && r->audit.index < store_audit_size(st))
        return mandate_error_set(err, MANDATE_CONFLICT, "entry %llu has no checkpoint over it yet: ask again in a moment",
                                 (unsigned long long)r->audit.index);
    status = merkle_inclusion(&p, r->audit.index, size, store_audit_nodes(st), err);
    if (!status)
        status = store_audit_hashes(st, 0, r->audit.index, 1, &leaf, err);
    if (!status)
        status = store_audit_root(st, size, &root, err);
    if (status)
        return status;
    buf_printf(&r->body, "{\"index\":%llu,\"size\":%llu,\"root\":", (unsigned long long)r->audit.index,
               (unsigned long long)size);
    put_hash(&r->body, &root);
    buf_put_str(&r->body, ",\"leaf\":");
    put_hash(&r->body, &leaf);
    put_proof(&r->body, &p);
    return MANDATE_OK;
}

static mandate_status consistency(store *st, checkpointer *c, service_request *r, mandate_error *err)
{
    merkle_proof p;
    merkle_hash root;
    uint64_t size = 0;
    mandate_status status = size_of(&size, st, c, r->audit.size, err);
    if (!status)
        status = merkle_consistency(&p, r->audit.first, size, store_audit_nodes(st), err);
    if (!status)
        status = store_audit_root(st, size, &root, err);
    if (status)
        return status;
    buf_printf(&r->body, "{\"first\":%llu,\"size\":%llu,\"root\":", (unsigned long long)r->audit.first,
               (unsigned long long)size);
    put_hash(&r->body, &root);
    put_proof(&r->body, &p);
    return MANDATE_OK;
}

/* --- entries --------------------------------------------------------------------------------------------------------- */
typedef struct page {
    service_request *r;
    uint32_t items, visits;
    uint64_t next; /* UINT64_MAX: the end was reached */
} page;

/* Entries are ours, members in a fixed order without spaces: a member's text can be looked for as it stands. */
static bool says(mandate_slice entry, size_t within, const char *name, mandate_slice value)
{
    char text[160];
    entry.len = entry.len < within ? entry.len : within;
    int n = snprintf(text, sizeof(text), ",\"%s\":\"%.*s\"", name, (int)(value.len < 100 ? value.len : 100), value.ptr);
    return memmem(entry.ptr, entry.len, text, (size_t)n) != NULL;
}

static bool put_page(void *ctx, uint64_t index, mandate_slice entry)
{
    page *p = ctx;
    const service_request *r = p->r;
    if (p->items == r->limit || p->visits++ == PAGE_VISITS || p->r->body.len > PAGE_BYTES) {
        p->next = index;
        return false;
    }
    if ((r->audit.event.len && !says(entry, EVENT_WITHIN, "event", r->audit.event)) ||
        (r->audit.txn.len && !says(entry, SIZE_MAX, "txn", r->audit.txn)))
        return true;
    if (p->items++)
        buf_put_char(&p->r->body, ',');
    buf_put_slice(&p->r->body, entry);
    return true;
}

static bool word(mandate_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (!((s.ptr[i] >= 'a' && s.ptr[i] <= 'z') || (s.ptr[i] >= '0' && s.ptr[i] <= '9') || s.ptr[i] == '_'))
            return false;
    return s.len <= 64;
}

/* A number of an entry, or a time: the first entry at or after it. */
static mandate_status from_of(uint64_t *out, store *st, mandate_slice text, mandate_error *err)
{
    int64_t time_us;
    *out = 0;
    if (text.len == 0)
        return MANDATE_OK;
    if (checkpoint_number(out, text))
        return MANDATE_OK;
    if (!time_parse_us(text, &time_us))
        return mandate_error_set(err, MANDATE_INVALID,
                                 "`from` is the number of an entry, or a time such as 2026-09-21T14:13:21Z");
    return store_audit_at(st, time_us, out, err);
}

static mandate_status entries(store *st, service_request *r, mandate_error *err)
{
    page p = {.r = r, .next = UINT64_MAX};
    uint64_t from = 0;
    mandate_status status = from_of(&from, st, r->audit.from, err);
    if (!status && (!word(r->audit.event) || !word(r->audit.txn)))
        status = mandate_error_set(err, MANDATE_INVALID, "`event` is a word such as \"ended\", `txn` 64 hexadecimal digits");
    if (status)
        return status;
    buf_put_str(&r->body, "{\"entries\":[");
    status = r->mandate.len ? store_audit_of(st, r->mandate, from, put_page, &p, err)
                            : store_audit_each(st, from, put_page, &p, err);
    if (p.next == UINT64_MAX)
        buf_put_str(&r->body, "],\"next\":null");
    else
        buf_printf(&r->body, "],\"next\":%llu", (unsigned long long)p.next);
    buf_printf(&r->body, ",\"size\":%llu}\n", (unsigned long long)store_audit_size(st));
    return status;
}

mandate_status answer_audit(store *st, checkpointer *c, service_request *r, mandate_error *err)
{
    switch (r->audit.what) {
    case SERVICE_AUDIT_TILE:
        return tile(st, r, err);
    case SERVICE_AUDIT_INCLUSION:
        return inclusion(st, c, r, err);
    case SERVICE_AUDIT_CONSISTENCY:
        return consistency(st, c, r, err);
    case SERVICE_AUDIT_ENTRIES:
        return entries(st, r, err);
    }
    return mandate_error_set(err, MANDATE_UNSUPPORTED, "not a question to the audit log");
}

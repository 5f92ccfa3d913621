/* SPDX-License-Identifier: Apache-2.0 */
/*
 * permits - work that was begun on a yes: the last permits of each mandate that checks said were to be tracked, until each is over or the
 * mandate has ended, for the record of that end.
 *
 *   batch.permits ─> block (one step's, one allocation) ─ refs ─> entries, chained by mandate, the newest first
 *                      └─ stored once, as "permit/" seq, and deleted when none of its entries counts any more
 *
 * Bounded three ways: LIMIT_IN_FLIGHT of one mandate, LIMIT_PERMITS and LIMIT_PERMIT_BYTES of all; the oldest go first, so that one
 * mandate of many checks takes nothing from the others. What a restart loads is exactly what was there.
 */
#include "engine/engine_int.h"

#include "engine/base/hash.h"

#include <stdlib.h>

enum { BLOCK_FORMAT = 1 };
#define NOTHING UINT32_MAX
static const char permit_prefix[] = "permit/";

void engine_permit_put(buf *b, const engine_permit *p)
{
    wire_put_bytes(b, p->mandate);
    wire_put_bytes(b, p->action);
    wire_put_bytes(b, p->resource);
    wire_put_bytes(b, p->key);
    wire_put_i64(b, p->at_us);
    wire_put_i64(b, p->until_us);
}

static engine_permit permit_get(wire_reader *r)
{
    engine_permit p = {.mandate = wire_get_bytes(r)};
    p.action = wire_get_bytes(r);
    p.resource = wire_get_bytes(r);
    p.key = wire_get_bytes(r);
    p.at_us = wire_get_i64(r);
    p.until_us = wire_get_i64(r);
    return p;
}

/* --- entries ------------------------------------------------------------------------------------------------------ */
static bool head_eq(const void *ctx, uint32_t at, const void *key)
{
    return ((const engine *)ctx)->permits.entries.data[at].mandate == *(const uint32_t *)key;
}

static uint32_t head_of(const engine *e, uint32_t handle)
{
    return table_find(&e->permits.heads, hash_u64(handle), head_eq, e, &handle);
}

static permit_entry *entry_at(engine *e, uint32_t at) { return &e->permits.entries.data[at]; }

static permit_block *block_of(engine *e, const permit_entry *p) { return &e->permits.blocks.data[p->block]; }

/* Takes it out of its mandate's chain; the entry itself stays with its block. */
static bool unlink_entry(engine *e, uint32_t at)
{
    permit_entry *p = entry_at(e, at);
    uint32_t head = head_of(e, p->mandate), before = NOTHING;
    for (uint32_t k = head; k != at; k = entry_at(e, k)->older)
        before = k;
    if (before != NOTHING) {
        entry_at(e, before)->older = p->older;
    } else {
        (void)table_remove(&e->permits.heads, hash_u64(p->mandate), at);
        if (p->older != NOTHING && !table_add(&e->permits.heads, hash_u64(p->mandate), p->older))
            return engine_fail(e, "out of memory for permits");
    }
    p->counts = false;
    block_of(e, p)->refs--;
    e->permits.live--;
    return true;
}

/* --- blocks -------------------------------------------------------------------------------------------------------- */
/* None of its entries counts: its memory and its record go. */
static bool drop_block(engine *e, uint32_t number, bool record)
{
    permit_store *p = &e->permits;
    permit_block *b = &p->blocks.data[number];
    const uint64_t seq = b->seq;
    for (uint32_t at = b->first, next; at != NOTHING; at = next) {
        next = entry_at(e, at)->next;
        *entry_at(e, at) = (permit_entry){.next = p->free};
        p->free = at;
    }
    *(b->older == NOTHING ? &p->oldest : &p->blocks.data[b->older].newer) = b->newer;
    *(b->newer == NOTHING ? &p->newest : &p->blocks.data[b->newer].older) = b->older;
    p->bytes -= b->len;
    free(b->text);
    *b = (permit_block){.newer = p->free_block};
    p->free_block = number;
    return !record || engine_put_record(e, permit_prefix, seq, (mandate_slice){NULL, 0});
}

static bool drop_oldest(engine *e)
{
    const uint32_t oldest = e->permits.oldest;
    for (uint32_t at = e->permits.blocks.data[oldest].first; at != NOTHING; at = entry_at(e, at)->next)
        if (entry_at(e, at)->counts && !unlink_entry(e, at))
            return false;
    return drop_block(e, oldest, true);
}

/* The newest; it takes the text over. NOTHING: out of memory. */
static uint32_t block_new(engine *e, uint64_t seq, char *text, size_t len)
{
    permit_store *p = &e->permits;
    uint32_t at = p->free_block;
    if (at != NOTHING)
        p->free_block = p->blocks.data[at].newer;
    else if (VEC_PUSH(&p->blocks, (permit_block){0}))
        at = p->blocks.len - 1;
    if (at == NOTHING) {
        free(text);
        return NOTHING;
    }
    p->blocks.data[at] = (permit_block){
        .seq = seq, .text = text, .len = len, .first = NOTHING, .until_us = INT64_MIN, .older = p->newest, .newer = NOTHING};
    *(p->newest == NOTHING ? &p->oldest : &p->blocks.data[p->newest].newer) = at;
    p->newest = at;
    p->bytes += len;
    return at;
}

static uint32_t entry_new(engine *e)
{
    uint32_t at = e->permits.free;
    if (at != NOTHING) {
        e->permits.free = entry_at(e, at)->next;
        return at;
    }
    return VEC_PUSH(&e->permits.entries, (permit_entry){0}) ? e->permits.entries.len - 1 : NOTHING;
}

/* One more of its mandate's, and one less when there are too many: whose block may be left without any. */
static bool add(engine *e, uint32_t number, uint32_t handle, const engine_permit *p)
{
    permit_block *b = &e->permits.blocks.data[number];
    uint32_t at = entry_new(e), head = head_of(e, handle), length = 1;
    if (at == NOTHING)
        return engine_fail(e, "out of memory for permits");
    *entry_at(e, at) = (permit_entry){.action = p->action,
                                      .resource = p->resource,
                                      .key = p->key,
                                      .at_us = p->at_us,
                                      .until_us = p->until_us,
                                      .mandate = handle,
                                      .block = number,
                                      .older = head == TABLE_NONE ? NOTHING : head,
                                      .next = b->first,
                                      .counts = true};
    b->first = at;
    b->refs++;
    b->until_us = p->until_us > b->until_us ? p->until_us : b->until_us;
    e->permits.live++;
    if (head != TABLE_NONE)
        (void)table_remove(&e->permits.heads, hash_u64(handle), head);
    if (!table_add(&e->permits.heads, hash_u64(handle), at))
        return engine_fail(e, "out of memory for permits");
    uint32_t last = at;
    for (uint32_t k = entry_at(e, at)->older; k != NOTHING; k = entry_at(e, k)->older, length++)
        last = k;
    if (length <= LIMIT_IN_FLIGHT)
        return true;
    const uint32_t old = entry_at(e, last)->block;
    return unlink_entry(e, last) && (e->permits.blocks.data[old].refs || drop_block(e, old, !e->permits.loading));
}

/* `text`: the stored form, taken over. False: out of memory (the step has failed), or *corrupt. */
static bool take_block(engine *e, uint64_t seq, char *text, size_t len, bool *corrupt)
{
    wire_reader r = wire_reader_of(mandate_slice_of(text, len));
    const uint32_t number = block_new(e, seq, text, len);
    *corrupt = false;
    if (number == NOTHING)
        return engine_fail(e, "out of memory for permits");
    *corrupt = wire_get_u8(&r) != BLOCK_FORMAT;
    while (!*corrupt && r.at < r.end) {
        uint64_t handle = wire_get_u64(&r);
        engine_permit p = permit_get(&r);
        *corrupt = r.failed || handle >= e->mandates.len;
        if (!*corrupt && !mandate_state_is_final((mandate_state)mandate_at(e, (uint32_t)handle)->state) &&
            !add(e, number, (uint32_t)handle, &p))
            return false;
    }
    if (*corrupt)
        return false;
    return e->permits.blocks.data[number].refs || drop_block(e, number, !e->permits.loading);
}

/* --- one step ------------------------------------------------------------------------------------------------------- */
/* The stored form, of those whose mandates go on. */
static bool encode(engine *e, mandate_slice said, bool *any)
{
    wire_reader r = wire_reader_of(said);
    buf_reset(&e->record_text);
    wire_put_u8(&e->record_text, BLOCK_FORMAT);
    *any = false;
    while (!r.failed && r.at < r.end) {
        engine_permit p = permit_get(&r);
        uint32_t handle = r.failed ? TABLE_NONE : engine_mandate_find(e, p.mandate);
        if (handle == TABLE_NONE || mandate_state_is_final((mandate_state)mandate_at(e, handle)->state))
            continue;
        *any = true;
        p.mandate = mandate_slice_of("", 0);
        wire_put_u64(&e->record_text, handle);
        engine_permit_put(&e->record_text, &p);
    }
    if (r.failed)
        return engine_fail(e, "permits of a batch cannot be read");
    return !e->record_text.failed || engine_fail(e, "out of memory for permits");
}

static bool too_much(const engine *e) { return e->permits.live > LIMIT_PERMITS || e->permits.bytes > LIMIT_PERMIT_BYTES; }

bool permits_step(engine *e, mandate_slice said)
{
    bool any, corrupt;
    while (e->permits.oldest != NOTHING && e->permits.blocks.data[e->permits.oldest].until_us <= e->batch_now_us)
        if (!drop_oldest(e))
            return false;
    if (!said.len)
        return true;
    if (!encode(e, said, &any))
        return false;
    if (!any)
        return true;
    char *text = malloc(e->record_text.len);
    if (!text)
        return engine_fail(e, "out of memory for permits");
    memcpy(text, e->record_text.data, e->record_text.len);
    if (!engine_put_record(e, permit_prefix, e->seq, buf_slice(&e->record_text)) ||
        !take_block(e, e->seq, text, e->record_text.len, &corrupt))
        return e->failed ? false : engine_fail(e, "permits of a batch cannot be read");
    while (too_much(e))
        if (!drop_oldest(e))
            return false;
    return true;
}

bool permits_forget(engine *e, uint32_t handle)
{
    for (uint32_t head; e->permits.live && (head = head_of(e, handle)) != TABLE_NONE;) {
        const uint32_t block = entry_at(e, head)->block;
        if (!unlink_entry(e, head) || (!e->permits.blocks.data[block].refs && !drop_block(e, block, true)))
            return false;
    }
    return true;
}

uint32_t permits_of(engine *e, uint32_t handle, const permit_entry *out[LIMIT_IN_FLIGHT])
{
    uint32_t count = 0;
    if (!e->permits.live)
        return 0;
    for (uint32_t at = head_of(e, handle); at != TABLE_NONE && at != NOTHING; at = entry_at(e, at)->older)
        if (entry_at(e, at)->until_us > e->now_us)
            out[count++] = entry_at(e, at);
    for (uint32_t i = 0; i < count / 2; i++) { /* oldest first */
        const permit_entry *swap = out[i];
        out[i] = out[count - 1 - i];
        out[count - 1 - i] = swap;
    }
    return count;
}

/* --- life ---------------------------------------------------------------------------------------------------------- */
bool permits_load(engine *e, mandate_slice key, mandate_slice value, mandate_status *status, mandate_error *err)
{
    uint64_t seq;
    bool corrupt = false;
    if (!engine_record_named(key, permit_prefix, &seq))
        return false;
    char *text = malloc(value.len + 1);
    *status = MANDATE_OK;
    if (text)
        memcpy(text, value.ptr, value.len);
    e->permits.loading = true;
    e->err = err;
    if (!text || !take_block(e, seq, text, value.len, &corrupt))
        *status = corrupt ? mandate_error_set(err, MANDATE_CORRUPT, "permits that were tracked cannot be read")
                          : mandate_error_set(err, MANDATE_NOMEM, "out of memory while loading permits");
    e->permits.loading = false;
    return true;
}

void permits_init(engine *e)
{
    e->permits.free = e->permits.free_block = e->permits.oldest = e->permits.newest = NOTHING;
    table_init(&e->permits.heads);
}

void permits_deinit(engine *e)
{
    for (uint32_t i = 0; i < e->permits.blocks.len; i++)
        free(e->permits.blocks.data[i].text);
    table_deinit(&e->permits.heads);
    VEC_FREE(&e->permits.entries);
    VEC_FREE(&e->permits.blocks);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* cohort - members come and go: see cohort.h for what they are. What nobody holds is gone, and so is the room it took. */
#include "engine/condition/cohort.h"

#include "engine/base/hash.h"

#include <assert.h>
#include <stdlib.h>

typedef struct cohort_key {
    const shape *shape;
    const uint32_t *slots;
    const uint8_t *families;
} cohort_key;

static bool cohort_is(const cohort *c, const cohort_key *k)
{
    if (c->shape != k->shape)
        return false;
    for (uint32_t i = 0; i < c->columns; i++)
        if (c->column[i].slot != k->slots[i] || c->column[i].family != k->families[i])
            return false;
    return true;
}

static bool cohort_eq(const void *ctx, uint32_t handle, const void *key) { return cohort_is(cohort_at(ctx, handle), key); }

static uint64_t key_hash(const cohort_key *k)
{
    uint64_t h = hash_mix(k->shape->hash, hash_bytes(k->slots, k->shape->atoms * sizeof(*k->slots)));
    return hash_mix(h, hash_bytes(k->families, k->shape->atoms));
}

/* --- room --------------------------------------------------------------------------------------------------- */
/* One block: the words, then the classes of each EQUAL column, the holders, the records. */
static size_t words_bytes(const cohort *c, uint32_t cap)
{
    return (size_t)words_of(cap) * cohort_stride(c) * sizeof(uint64_t);
}
static size_t line_up(size_t bytes) { return (bytes + CACHE_LINE - 1) & ~(size_t)(CACHE_LINE - 1); }
/* In whole lines: a small cohort's words and classes are one. The last classes are read some at a time (classes_equal), at their end also
 * what stands behind them. */
static size_t block_bytes(const cohort *c, uint32_t cap)
{
    size_t numbers = (2 + (size_t)c->equals) * cap, lanes = cap <= 4 ? 4 : (cap + 7) & ~7u;
    size_t read = c->equals ? (c->equals - 1) * (size_t)cap + lanes : 0;
    return cap ? line_up(words_bytes(c, cap) + (read > numbers ? read : numbers) * sizeof(uint32_t)) : 0;
}

static bool cohort_resize(pool *p, cohort *c, uint32_t cap)
{
    size_t words = words_bytes(c, cap);
    char *block = pool_take(p, block_bytes(c, cap));
    if (!block)
        return false;
    uint64_t *fresh = (uint64_t *)(void *)block;
    uint32_t *classes = (uint32_t *)(void *)(block + words), *holders = classes + (size_t)c->equals * cap;
    uint32_t *conditions = holders + cap;
    uint32_t kept = words_of(c->extent);
    size_t old_bytes = (size_t)kept * cohort_stride(c) * sizeof(uint64_t);
    if (c->extent) {
        memcpy(fresh, c->words, old_bytes);
        memcpy(conditions, c->conditions, c->extent * sizeof(uint32_t));
        memcpy(holders, c->holders, c->extent * sizeof(uint32_t));
    }
    memset(block + old_bytes, 0, words - old_bytes);
    for (uint32_t i = 0; i < c->columns; i++) {
        column *col = &c->column[i];
        if (col->kind != NODE_EQUAL)
            continue;
        if (c->extent)
            memcpy(classes, col->classes, c->extent * sizeof(uint32_t));
        col->classes = classes;
        classes += cap;
    }
    pool_give(p, c->words, block_bytes(c, c->cap));
    c->words = fresh;
    c->conditions = conditions;
    c->holders = holders;
    c->cap = cap;
    while ((words_of(cap) - 1) >> c->shift >= 64) { /* what is marked is marked more coarsely */
        uint64_t coarse = 0;
        for (int i = 0; i < 64; i++)
            coarse |= (c->dirty >> i & 1) << (i / 2);
        c->dirty = coarse;
        c->shift++;
    }
    return !c->big || big_grow(c);
}

static bool room_for_member(pool *p, cohort *c)
{
    if (c->free != COHORT_FREE_END || c->extent < c->cap)
        return true;
    uint32_t more = c->cap / 8 > 4 ? c->cap / 8 : c->cap ? 4 : 1, cap = c->cap + more;
    while (block_bytes(c, cap + 1) == block_bytes(c, cap))
        cap++;
    return cohort_resize(p, c, cap);
}

/* --- finding ------------------------------------------------------------------------------------------------ */
/* Few members: those that have the first constant, those that also have the second, ... */
static uint32_t small_find(const cohort *c, const member_keys *keys)
{
    uint64_t set[COHORT_SMALL / 64];
    uint32_t words = words_of(c->extent);
    if (c->laddered == 0)
        return 0;
    memset(set, 0xff, words * sizeof(*set));
    for (uint32_t i = 0; i < c->columns; i++) {
        const ladder *l = &c->column[i].constants;
        uint64_t with[COHORT_SMALL / 64] = {0}, any = 0;
        if (!is_laddered(c->column[i].kind))
            continue;
        if (c->column[i].kind == NODE_EQUAL)
            for (uint32_t w = 0; w < words; w++)
                with[w] = classes_equal(c, i, w, (uint32_t)keys->key[i]);
        else
            for (rung r = ladder_find_key(l, keys->key[i]); rung_valid(l, r) && rung_key(l, r) == keys->key[i];
                 r = rung_next(l, r))
                with[rung_member(l, r) / 64] |= UINT64_C(1) << (rung_member(l, r) % 64);
        for (uint32_t w = 0; w < words; w++)
            any |= set[w] &= with[w];
        if (!any)
            return CONDITION_NONE;
    }
    for (uint32_t w = 0;; w++)
        if (set[w])
            return w * 64 + (uint32_t)__builtin_ctzll(set[w]);
}

static uint32_t member_find(const cohort *c, const member_keys *keys)
{
    for (uint32_t i = 0; i < c->columns; i++)
        if (c->column[i].kind == NODE_EQUAL && !keys->has_class[i])
            return CONDITION_NONE;
    return c->big ? big_find(c, keys) : c->members ? small_find(c, keys) : CONDITION_NONE;
}

static uint64_t key_of(const cohort *c, uint32_t i, uint32_t member)
{
    const ladder *l = &c->column[i].constants;
    if (c->column[i].kind == NODE_EQUAL)
        return c->column[i].classes[member];
    if (c->big)
        return big_key(c, i, member);
    rung r = {0, 0};
    while (rung_member(l, r) != member)
        r = rung_next(l, r);
    return rung_key(l, r);
}

/* More than a few: from now on by hash. */
static bool become_big(cohort *c) { return big_grow(c) && big_fill(c); }

/* More than one word: members are found by class in ladders from now on, which all but the new one enter. */
static bool become_many(condition_index *x, cohort *c, uint32_t member)
{
    c->many = true;
    for (uint32_t i = 0; i < c->columns; i++) {
        column *col = &c->column[i];
        if (col->kind != NODE_EQUAL)
            continue;
        col->here = RUNG_NOWHERE;
        for (uint32_t m = 0; m < c->extent; m++)
            if (m != member && !(c->conditions[m] & COHORT_FREE) &&
                !ladder_add(&x->blocks, &col->constants, col->classes[m], m))
                return false;
    }
    return true;
}

/* --- coming -------------------------------------------------------------------------------------------------- */
static bool constants_add(condition_index *x, cohort *c, uint32_t member, member_keys *keys)
{
    for (uint32_t i = 0; i < c->columns; i++) {
        column *col = &c->column[i];
        if (!is_laddered(col->kind))
            continue;
        if (col->kind == NODE_EQUAL) {
            uint32_t klass = class_take(x, keys->constant[i]);
            if (klass == CONDITION_NONE)
                return false;
            keys->key[i] = klass;
            column_meets(x, col, klass);
        }
        col->here = RUNG_NOWHERE;
        if (col->kind == NODE_EQUAL)
            col->classes[member] = (uint32_t)keys->key[i];
        if (has_ladder(c, col) && !ladder_add(&x->blocks, &col->constants, keys->key[i], member))
            return false;
        uint64_t *bits = cohort_word(c, member / 64) + i, bit = UINT64_C(1) << (member % 64);
        *bits = col->mode == COLUMN_BITS && column_bit(col, keys->key[i]) ? *bits | bit : *bits & ~bit;
    }
    return true;
}

static void result_set(cohort *c, uint32_t member)
{
    uint64_t low, high, bit = UINT64_C(1) << (member % 64), *result = cohort_word(c, member / 64) + c->columns;
    cohort_evaluate(c, member / 64, &low, &high);
    result[WORD_LOW] = (result[WORD_LOW] & ~bit) | (low & bit);
    result[WORD_HIGH] = (result[WORD_HIGH] & ~bit) | (high & bit);
}

static uint32_t member_add(condition_index *x, cohort *c, member_keys *keys)
{
    uint32_t record = room_for_member(&x->blocks, c) ? rows_take(&x->records) : ROWS_NONE;
    if (record == ROWS_NONE)
        return CONDITION_NONE;
    uint32_t member = c->free;
    if (member != COHORT_FREE_END)
        c->free = c->conditions[member] & ~COHORT_FREE;
    else
        member = c->extent++;
    c->conditions[member] = record;
    c->holders[member] = HOLDERS_NONE;
    cohort_word(c, member / 64)[c->columns + WORD_TAKEN] |= UINT64_C(1) << (member % 64);
    c->members++;
    *record_at(x, record) = (condition_record){.cohort = c->handle, .index = member, .refs = 1};
    if (!c->many && c->extent > 64 && !become_many(x, c, member))
        return CONDITION_NONE;
    if (!constants_add(x, c, member, keys) || (c->big && !big_add(c, member, keys)))
        return CONDITION_NONE;
    if (!c->big && c->members > COHORT_SMALL - 64 && !become_big(c))
        return CONDITION_NONE;
    result_set(c, member);
    return record;
}

static size_t cohort_bytes(uint32_t columns) { return line_up(sizeof(cohort) + columns * sizeof(column)); }

static void cohort_free(pool *p, cohort *c)
{
    for (uint32_t i = 0; i < c->columns; i++)
        ladder_deinit(p, &c->column[i].constants);
    big_free(c);
    pool_give(p, c->words, block_bytes(c, c->cap));
    pool_give(p, c->posts, c->posts_cap * sizeof(*c->posts));
    pool_give(p, c, cohort_bytes(c->columns));
}

/* Takes the slots' references. */
static cohort *cohort_create(condition_index *x, const cohort_key *k, uint64_t hash)
{
    uint32_t n = k->shape->atoms;
    cohort *c = pool_take(&x->blocks, cohort_bytes(n));
    uint32_t handle = c ? rows_take(&x->cohorts) : ROWS_NONE;
    if (handle == ROWS_NONE || !table_add(&x->cohort_table, hash, handle))
        return pool_give(&x->blocks, c, cohort_bytes(n)), NULL;
    memset(c, 0, cohort_bytes(n));
    ((cohort_row *)rows_at(&x->cohorts, handle))->cohort = c;
    c->shape = (shape *)(uintptr_t)k->shape;
    c->shape->refs++;
    c->hash = hash;
    c->handle = handle;
    c->free = COHORT_FREE_END;
    c->columns = (uint8_t)n;
    c->tabled = n <= SHAPE_TABLE;
    c->plain = k->shape->code_len == 1;
    for (uint32_t i = 0; i < n; i++) {
        column *col = &c->column[i];
        *col = (column){.slot = k->slots[i],
                        .kind = k->shape->kind[i],
                        .op = k->shape->op[i],
                        .family = k->families[i],
                        .here = RUNG_NOWHERE};
        c->laddered += is_laddered(col->kind);
        c->equals += col->kind == NODE_EQUAL;
        column_init(x, col, slot_value(x, col->slot));
        cohort_mode(c, i, TRUTH_FALSE);
        if (!slot_subscribe(x, col->slot, (subscriber){.cohort = c, .column = i}, &col->sub_at))
            return NULL;
    }
    return c;
}

/* Each of its cells knows the cohort: when the first is read by few, they are looked at rather than the table. */
static cohort *cohort_find(const condition_index *x, const cohort_key *k)
{
    enum { FEW = 8 };
    const slot *first = &x->slots.data[k->slots[0]];
    const subscriber *readers = first->subscribers > 1 ? first->many : &first->one;
    if (first->subscribers > FEW) {
        uint32_t handle = table_find(&x->cohort_table, key_hash(k), cohort_eq, x, k);
        return handle == TABLE_NONE ? NULL : cohort_at(x, handle);
    }
    for (uint32_t i = 0; i < first->subscribers; i++)
        if (readers[i].cohort && cohort_is(readers[i].cohort, k))
            return readers[i].cohort;
    return NULL;
}

uint32_t cohort_bind(condition_index *x, shape *s, context_entity *const *entities, const uint16_t *fields,
                     const uint8_t *families, member_keys *keys)
{
    uint32_t slots[SHAPE_ATOMS];
    cohort_key key = {s, slots, families};
    bool known = true;
    for (uint32_t i = 0; i < s->atoms; i++) {
        slots[i] = entities[i]->cells[fields[i]].slot;
        known &= slots[i] != CONTEXT_NO_SLOT;
    }
    cohort *c = known ? cohort_find(x, &key) : NULL;
    if (!c) {
        for (uint32_t i = 0; i < s->atoms; i++) {
            slots[i] = slot_take(x, entities[i], fields[i]);
            if (slots[i] == CONDITION_NONE)
                return x->failed = true, CONDITION_NONE;
        }
        c = cohort_create(x, &key, key_hash(&key));
        if (!c)
            return x->failed = true, CONDITION_NONE;
    }
    uint32_t member = member_find(c, keys);
    if (member != CONDITION_NONE) {
        record_at(x, c->conditions[member])->refs++;
        return c->conditions[member];
    }
    uint32_t record = member_add(x, c, keys);
    x->failed |= record == CONDITION_NONE; /* fatal for the engine: nothing is undone */
    return record;
}

/* --- going ---------------------------------------------------------------------------------------------------- */
static void cohort_end(condition_index *x, cohort *c)
{
    table_remove(&x->cohort_table, c->hash, c->handle);
    for (uint32_t i = 0; cohort_is_marked(c) && i < x->cohort_queue.len; i++)
        if (x->cohort_queue.data[i] == c) {
            VEC_SWAP_REMOVE(&x->cohort_queue, i);
            break;
        }
    for (uint32_t i = 0; i < c->columns; i++) {
        slot_unsubscribe(x, c->column[i].slot, c->column[i].sub_at);
        slot_drop(x, c->column[i].slot);
    }
    ((cohort_row *)rows_at(&x->cohorts, c->handle))->cohort = NULL;
    rows_give(&x->cohorts, c->handle);
    shape_release(x, c->shape);
    x->gone++;
    cohort_free(&x->blocks, c);
}

/* Members in use move together; their order, and with it that of the ladders, stays. */
static void cohort_compact(condition_index *x, cohort *c)
{
    uint32_t *rank = malloc(c->extent * sizeof(*rank)), n = 0;
    if (!rank)
        return; /* costs memory only */
    for (uint32_t m = 0; m < c->extent; m++) {
        rank[m] = n;
        if (c->conditions[m] & COHORT_FREE)
            continue;
        record_at(x, c->conditions[m])->index = n;
        c->holders[n] = c->holders[m];
        for (uint32_t i = 0; i < c->columns; i++)
            if (c->column[i].kind == NODE_EQUAL)
                c->column[i].classes[n] = c->column[i].classes[m];
        c->conditions[n++] = c->conditions[m];
    }
    c->many = n > 64;
    for (uint32_t i = 0; i < c->columns; i++) {
        ladder *l = &c->column[i].constants;
        if (!has_ladder(c, &c->column[i]))
            ladder_deinit(&x->blocks, l);
        for (uint32_t k = 0; k < l->chunks; k++) {
            const ladder_chunk *chunk = ladder_chunk_at(l, k);
            for (uint32_t e = 0; e < chunk->len; e++)
                ladder_members(chunk)[e] = rank[ladder_members(chunk)[e]];
        }
    }
    free(rank);
    c->extent = n;
    c->free = COHORT_FREE_END;
    big_free(c);
    x->failed |= !cohort_resize(&x->blocks, c, n);
    if (n > COHORT_SMALL - 64)
        x->failed |= !become_big(c);
    for (uint32_t i = 0; i < c->columns; i++)
        if (c->column[i].mode == COLUMN_BITS)
            column_fill(c, i);
    for (uint32_t w = 0; w < words_of(n); w++) {
        uint64_t *result = cohort_word(c, w) + c->columns;
        cohort_evaluate(c, w, &result[WORD_LOW], &result[WORD_HIGH]);
        result[WORD_TAKEN] = n - w * 64 >= 64 ? UINT64_MAX : (UINT64_C(1) << (n - w * 64)) - 1;
    }
}

void cohort_release(condition_index *x, cohort *c, uint32_t member)
{
    for (uint32_t i = 0; i < c->columns; i++) {
        column *col = &c->column[i];
        if (!is_laddered(col->kind))
            continue;
        uint64_t key = key_of(c, i, member);
        col->here = RUNG_NOWHERE;
        if (has_ladder(c, col))
            ladder_remove(&x->blocks, &col->constants, key, member);
        if (col->kind == NODE_EQUAL) {
            col->classes[member] = CONDITION_NONE;
            class_drop(x, (uint32_t)key);
        }
    }
    if (c->big)
        big_remove(c, member);
    cohort_word(c, member / 64)[c->columns + WORD_TAKEN] &= ~(UINT64_C(1) << (member % 64));
    c->conditions[member] = COHORT_FREE | c->free;
    c->free = member;
    c->members--;
    if (c->members == 0)
        cohort_end(x, c);
    else if (!cohort_is_marked(c) && c->extent >= 16 && c->members < c->extent / 2)
        cohort_compact(x, c);
}

void cohort_destroy_all(condition_index *x)
{
    for (uint32_t i = 0; i < rows_bound(&x->cohorts); i++)
        if (rows_there(&x->cohorts, i) && cohort_at(x, i))
            cohort_free(&x->blocks, cohort_at(x, i));
}

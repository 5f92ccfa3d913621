/* SPDX-License-Identifier: Apache-2.0 */
/*
 * opaque - leaves that are programs, the host through which conditions read the graph, and their read sets.
 *
 * An opaque leaf remembers the slots it read last time and the moment until which its value is certain. Whatever it did not
 * read cannot change its value, so nothing else runs it. Two leaves with the same program and the same mandate
 * constants are one.
 */
#include "engine/condition/index_int.h"

#include "engine/base/hash.h"
#include "engine/base/text.h"
#include "engine/limits.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

condition_truth truth_of_value(cel_value v)
{
    if (v.kind == CEL_BOOL)
        return v.b ? TRUTH_TRUE : TRUTH_FALSE;
    return v.kind == CEL_UNKNOWN ? TRUTH_UNKNOWN : TRUTH_ERROR;
}

/* --- the host --------------------------------------------------------------------------------------------- */
static cel_value host_variable(void *ctx, cel_activation *act, uint32_t index)
{
    reading *r = ctx;
    if (index != SCHEMA_MANDATE_VARIABLE || !r->claims)
        return cel_error(act->memory, "no such variable");
    return cel_object(schema_type_count(context_schema(r->index->graph)), r->claims);
}

static cel_value host_entity(void *ctx, cel_activation *act, uint16_t type, cel_value key)
{
    reading *r = ctx;
    char digits[24];
    mandate_slice id = {NULL, 0};
    if (key.kind == CEL_STRING)
        id = cel_text(key);
    else if (key.kind == CEL_INT)
        id = mandate_slice_of(digits, (size_t)snprintf(digits, sizeof(digits), "%lld", (long long)key.i));
    else if (key.kind == CEL_UINT)
        id = mandate_slice_of(digits, (size_t)snprintf(digits, sizeof(digits), "%llu", (unsigned long long)key.u));
    if (id.len == 0 || id.len > LIMIT_ID)
        return cel_error(act->memory, "an entity id must be a string of 1 to %d bytes, or an integer", LIMIT_ID);
    context_entity *e = context_entity_get(r->index->graph, type, id);
    if (!e) {
        r->failed = true;
        return cel_error(act->memory, "out of memory");
    }
    return cel_object(type, e);
}

static cel_value host_field(void *ctx, cel_activation *act, cel_value object, uint32_t field)
{
    reading *r = ctx;
    context *graph = r->index->graph;
    if (object.type == schema_type_count(context_schema(graph)))
        return claims_field(object.object, field);
    context_entity *e = (context_entity *)(uintptr_t)object.object;
    cel_value v = context_read(graph, e, (uint16_t)field);
    if (r->note)
        r->note(r, e, (uint16_t)field);
    if (v.kind == CEL_UNKNOWN)
        return cel_unknown_of(act->memory, context_path(graph, act->memory, e, (uint16_t)field));
    return v;
}

static cel_value host_has(void *ctx, cel_activation *act, cel_value object, uint32_t field)
{
    cel_value v = host_field(ctx, act, object, field);
    return v.kind == CEL_UNKNOWN || v.kind == CEL_ERROR ? v : cel_bool(v.kind != CEL_NULL);
}

const cel_host condition_host = {.variable = host_variable, .entity = host_entity, .field = host_field, .has = host_has};

cel_value condition_run(condition_index *x, const cel_program *program, reading *r, int64_t *certain_until_us, arena *memory)
{
    cel_activation act = {.host = &condition_host,
                          .ctx = r,
                          .memory = memory,
                          .cost_max = LIMIT_CEL_COST,
                          .now_us = x->now_us,
                          .certain_until_us = CEL_CERTAIN_FOREVER};
    cel_value v = cel_eval(program, &act);
    x->stats.programs_run++;
    if (certain_until_us)
        *certain_until_us = act.certain_until_us;
    return v;
}

/* --- the leaf ---------------------------------------------------------------------------------------------- */
typedef struct opaque_key {
    mandate_slice bytes;
} opaque_key;

static bool opaque_eq(const void *ctx, uint32_t handle, const void *key)
{
    const condition_node *n = &((const condition_index *)ctx)->nodes.data[handle];
    return n->kind == NODE_OPAQUE && mandate_slice_eq(n->program->key, ((const opaque_key *)key)->bytes);
}

void binding_drop(binding *b)
{
    if (b && --b->refs == 0) {
        arena_deinit(&b->memory);
        free(b);
    }
}

uint32_t opaque_take(condition_index *x, condition_template *t, const cel_program *program, binding *b, mandate_slice key)
{
    opaque_key k = {key};
    uint64_t hash = hash_mix(hash_slice(key), 0x09a9e);
    uint32_t node = table_find(&x->shared, hash, opaque_eq, x, &k);
    if (node != TABLE_NONE) {
        x->nodes.data[node].refs++;
        return node;
    }
    opaque *o = calloc(1, sizeof(*o));
    char *copy = malloc(key.len);
    node = o && copy ? node_alloc(x, NODE_OPAQUE) : CONDITION_NONE;
    if (node == CONDITION_NONE || !table_add(&x->shared, hash, node)) {
        free(o);
        free(copy);
        return x->failed = true, CONDITION_NONE;
    }
    memcpy(copy, key.ptr, key.len);
    *o = (opaque){.program = program, .template = t, .binding = b, .key = {copy, key.len}};
    t->refs++;
    if (b)
        b->refs++;
    x->nodes.data[node].program = o;
    x->nodes.data[node].hash = hash;
    return opaque_run(x, node) ? node : (x->failed = true, CONDITION_NONE);
}

static void reader_remove(condition_index *x, uint32_t s, uint32_t at)
{
    slot_nodes *p = x->slots.data[s].nodes;
    VEC_SWAP_REMOVE(&p->readers, at);
    if (at < p->readers.len) {
        slot_reader moved = p->readers.data[at];
        x->nodes.data[moved.node].program->reads.data[moved.at].at = at;
    }
    slot_drop(x, s);
}

void opaque_free(condition_index *x, uint32_t node)
{
    condition_node *n = &x->nodes.data[node];
    opaque *o = n->program;
    table_remove(&x->shared, n->hash, node);
    timer_disarm(x->deadlines, TIMER_CONDITION, node);
    for (uint32_t i = 0; i < o->reads.len; i++)
        reader_remove(x, o->reads.data[i].slot, o->reads.data[i].at);
    for (uint32_t i = 0; n->dirty && i < x->dirty.len; i++)
        if (x->dirty.data[i] == node) {
            VEC_SWAP_REMOVE(&x->dirty, i);
            break;
        }
    VEC_FREE(&o->reads);
    binding_drop(o->binding);
    condition_template_release(x, o->template);
    free((void *)(uintptr_t)o->key.ptr);
    free(o);
}

/* Every cell once per evaluation: the slot remembers the number of the last one that read it. */
static void note_slot(reading *r, context_entity *entity, uint16_t field)
{
    condition_index *x = r->index;
    uint32_t s = slot_take(x, entity, field);
    slot_nodes *p = s == CONDITION_NONE ? NULL : slot_nodes_of(x, s);
    if (!p) {
        r->failed = true;
        return;
    }
    if (p->mark == x->run) {
        slot_drop(x, s);
        return;
    }
    p->mark = x->run;
    if (!VEC_PUSH(&r->slots, s))
        r->failed = true;
}

/* Keeps the reads that stay, drops those that went, adds those that came. */
static bool reads_update(condition_index *x, uint32_t node, reading *r)
{
    opaque *o = x->nodes.data[node].program;
    uint32_t kept = 0;
    uint64_t stays = x->run + 1;
    for (uint32_t i = 0; i < o->reads.len; i++) {
        read_slot read = o->reads.data[i];
        slot_nodes *p = x->slots.data[read.slot].nodes;
        if (p->mark == x->run) {
            p->mark = stays;
            p->readers.data[read.at].at = kept;
            o->reads.data[kept++] = read;
        } else {
            /* what moves inside is another leaf's: we stand once among the readers of a slot */
            reader_remove(x, read.slot, read.at);
        }
    }
    o->reads.len = kept;
    for (uint32_t i = 0; i < r->slots.len; i++) {
        uint32_t s = r->slots.data[i];
        slot_nodes *p = x->slots.data[s].nodes;
        if (p->mark == stays) {
            slot_drop(x, s);
            continue;
        }
        read_slot read = {s, p->readers.len};
        if (!VEC_PUSH(&p->readers, (slot_reader){node, o->reads.len}) || !VEC_PUSH(&o->reads, read))
            return false;
    }
    return true;
}

bool opaque_run(condition_index *x, uint32_t node)
{
    opaque *o = x->nodes.data[node].program;
    reading r = {.index = x, .claims = o->binding ? &o->binding->claims : NULL, .note = note_slot};
    int64_t until;
    x->run += 2;
    r.slots = x->slots_read;
    r.slots.len = 0;
    x->slots_read = (u32_vec){0};
    arena_reset(&x->scratch);
    cel_value v = condition_run(x, o->program, &r, &until, &x->scratch);
    condition_truth t = truth_of_value(v);
    bool ok = !r.failed && reads_update(x, node, &r);
    x->slots_read = r.slots;
    ok = ok && timer_arm(x->deadlines, TIMER_CONDITION, node, until);
    if (ok)
        node_set(x, node, t);
    return ok;
}

bool condition_timer(condition_index *x, uint32_t node)
{
    condition_node *n = &x->nodes.data[node];
    assert(n->kind == NODE_OPAQUE);
    if (n->dirty)
        return true;
    n->dirty = VEC_PUSH(&x->dirty, node);
    return n->dirty;
}

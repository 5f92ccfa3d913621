/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apply - how a change enters the graph: which cells it may set, references and their inverses, deletes.
 *
 * Every cell is judged for itself: a change that is older than what a cell holds (version or event time, same source) leaves that
 * cell alone and may still set others. A delete older than any cell of its source is stale as a whole.
 */
#include "engine/context/context_int.h"

#include <assert.h>
#include <stdlib.h>

/* Position of `from` in a list sorted by id, or where it belongs. */
static uint32_t inverse_search(cel_value list, const context_entity *from, bool *found)
{
    uint32_t lo = 0, hi = list.len;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        const context_entity *e = list.items[mid].object;
        int order = mandate_slice_cmp(e->id, from->id);
        if (order == 0) {
            *found = true;
            return mid;
        }
        if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    *found = false;
    return lo;
}

/* `who` came or went; unknown: all of it is known from now on. */
static void inverse_changed(context *c, context_entity *target, uint16_t field, cel_value who)
{
    if (target->cells[field].slot != CONTEXT_NO_SLOT)
        c->observer(c->observer_ctx, target, field, who, cell_effective(c, target, field));
}

bool inverse_add(context *c, context_entity *target, uint16_t field, context_entity *from)
{
    cel_value *list = &target->cells[field].value;
    bool found;
    uint32_t at = inverse_search(*list, from, &found);
    if (found)
        return true;
    cell_keep(c, target, field);
    cel_value *items = (cel_value *)(uintptr_t)list->items;
    /* Capacity is the next power of two: a full list has a length that is one. */
    if ((list->len & (list->len - 1)) == 0) {
        size_t cap = list->len ? (size_t)list->len * 2 : 1;
        items = realloc(items, cap * sizeof(*items));
        if (!items)
            return false;
    }
    memmove(items + at + 1, items + at, (list->len - at) * sizeof(*items));
    items[at] = cel_object(from->type, from);
    list->items = items;
    list->len++;
    inverse_changed(c, target, field, items[at]);
    return true;
}

void inverse_remove(context *c, context_entity *target, uint16_t field, const context_entity *from)
{
    cel_value *list = &target->cells[field].value;
    bool found;
    uint32_t at = inverse_search(*list, from, &found);
    if (!found)
        return;
    cell_keep(c, target, field);
    cel_value *items = (cel_value *)(uintptr_t)list->items;
    memmove(items + at, items + at + 1, (list->len - at - 1) * sizeof(*items));
    list->len--;
    if (list->len == 0) {
        free(items);
        list->items = NULL;
    }
    inverse_changed(c, target, field, cel_object(from->type, from));
}

bool cell_set(context *c, context_entity *entity, uint16_t field, cel_value owned, uint32_t prov)
{
    context_cell *cell = &entity->cells[field];
    const schema_field *f = &type_of(c, entity)->fields[field];
    bool watched = entity->cells[field].slot != CONTEXT_NO_SLOT;
    cel_value before = cell->value, seen = watched ? cell_effective(c, entity, field) : before;
    uint32_t prov_before = cell->provenance;
    bool ok = true;

    cell_keep(c, entity, field);
    if (prov)
        provenance_of(c, entity, prov)->refs++;
    cell->value = owned;
    cell->provenance = prov;
    if (watched)
        c->observer(c->observer_ctx, entity, field, seen, cell_effective(c, entity, field));
    if (f->kind == SCHEMA_REFERENCE && f->inverse != SCHEMA_NONE) {
        const void *old_target = before.kind == CEL_OBJECT ? before.object : NULL;
        const void *new_target = owned.kind == CEL_OBJECT ? owned.object : NULL;
        if (old_target && old_target != new_target)
            inverse_remove(c, (context_entity *)(uintptr_t)old_target, f->inverse, entity);
        if (new_target && old_target != new_target)
            ok = inverse_add(c, (context_entity *)(uintptr_t)new_target, f->inverse, entity);
    }
    if (value_has_block(before))
        value_pool_disown(&c->texts, &before);
    provenance_drop(c, entity, prov_before);
    return ok;
}

static inline bool is_newer(const change_origin *held, const change_origin *origin)
{
    if (held->source != origin->source)
        return false;
    if (held->version && origin->version)
        return held->version > origin->version;
    return held->event_time_us != CHANGE_NO_TIME && origin->event_time_us != CHANGE_NO_TIME &&
           held->event_time_us > origin->event_time_us;
}

/* Was this cell set by something newer from the same source? */
static inline bool newer(const context *c, const context_entity *e, uint16_t field, const change_origin *origin)
{
    uint32_t index = e->cells[field].provenance;
    return index && is_newer(&provenance_of(c, e, index)->origin, origin);
}

static bool delete_is_stale(const context *c, const context_entity *e, const change_origin *origin)
{
    uint16_t n = schema_type_at(c->schema, e->type)->field_count;
    for (uint16_t i = 0; i < n; i++)
        if (newer(c, e, i, origin))
            return true;
    return false;
}

/* Every attribute and reference becomes `value` (null or unknown). */
static bool set_all(context *c, context_entity *e, cel_value value, uint32_t prov)
{
    const schema_type *t = schema_type_at(c->schema, e->type);
    for (uint16_t i = 0; i < t->field_count; i++)
        if (t->fields[i].kind != SCHEMA_INVERSE && !cell_set(c, e, i, value, prov))
            return false;
    return true;
}

/* The first word about an entity makes its inverse lists known: before it, and after. */
static void keep_inverses(context *c, context_entity *e)
{
    const schema_type *t = schema_type_at(c->schema, e->type);
    for (uint16_t i = 0; c->past.moment && i < t->field_count; i++)
        if (t->fields[i].kind == SCHEMA_INVERSE)
            cell_keep(c, e, i);
}

static void inverses_known(context *c, context_entity *e)
{
    const schema_type *t = schema_type_at(c->schema, e->type);
    for (uint16_t i = 0; i < t->field_count; i++)
        if (t->fields[i].kind == SCHEMA_INVERSE && e->cells[i].value.len == 0)
            inverse_changed(c, e, i, (cel_value){.kind = CEL_UNKNOWN});
}

static context_outcome apply_gone(context *c, context_entity *e, const change *ch, const change_origin *origin,
                                  uint32_t prov)
{
    if (delete_is_stale(c, e, origin))
        return CONTEXT_STALE;
    context_keep(c, e);
    bool gone = ch->op == CHANGE_DELETE, first = e->status == CONTEXT_UNOBSERVED;
    if (first)
        keep_inverses(c, e);
    e->status = gone ? CONTEXT_ABSENT : CONTEXT_EXISTS;
    if (first)
        inverses_known(c, e);
    cel_value value = gone ? cel_null() : (cel_value){.kind = CEL_UNKNOWN};
    return set_all(c, e, value, prov) && context_touch(c, e) ? CONTEXT_APPLIED : CONTEXT_NOMEM;
}

static context_outcome apply_forget_type(context *c, const change *ch, const change_origin *origin, uint32_t prov)
{
    const schema_type *t = schema_type_at(c->schema, ch->type);
    for (uint32_t i = 0; i < c->entities.len; i++) {
        context_entity *e = c->entities.data[i];
        if (e->type != ch->type)
            continue;
        for (uint16_t f = 0; f < t->field_count; f++) {
            uint32_t p = e->cells[f].provenance;
            if (!p || provenance_of(c, e, p)->origin.source != origin->source || newer(c, e, f, origin))
                continue;
            context_keep(c, e);
            if (!cell_set(c, e, f, (cel_value){.kind = CEL_UNKNOWN}, prov) || !context_touch(c, e))
                return CONTEXT_NOMEM;
            e->status = CONTEXT_EXISTS;
        }
    }
    return CONTEXT_APPLIED;
}

/* The value a reference cell holds for an id. */
static bool reference_value(context *c, const schema_field *f, cel_value v, cel_value *out)
{
    if (v.kind != CEL_STRING) {
        *out = cel_null();
        return true;
    }
    context_entity *target = context_entity_get(c, f->target, cel_text(v));
    if (!target)
        return false;
    *out = cel_object(f->target, target);
    return true;
}

/* An entity that was absent exists again: what the change does not mention is not known. */
static bool revive(context *c, context_entity *e, uint32_t prov)
{
    uint8_t before = e->status;
    if (before == CONTEXT_UNOBSERVED)
        keep_inverses(c, e);
    e->status = CONTEXT_EXISTS;
    if (before == CONTEXT_UNOBSERVED)
        inverses_known(c, e);
    return before != CONTEXT_ABSENT || set_all(c, e, (cel_value){.kind = CEL_UNKNOWN}, prov);
}

static bool is_older_than_delete(const context *c, const context_entity *e, const change_origin *origin)
{
    return e->status == CONTEXT_ABSENT && delete_is_stale(c, e, origin);
}

/* Text that is there already: most of what full rows say again. References hold objects, so they never are. */
static inline bool same_text(const context_cell *cell, cel_value v)
{
    return v.kind == CEL_STRING && cell->value.kind == CEL_STRING && short_slice_eq(cel_text(v), cel_text(cell->value));
}

/* The same value, said by somebody else: its memory stays. */
static void cell_confirm(context *c, context_entity *e, uint16_t field, uint32_t prov)
{
    context_cell *cell = &e->cells[field];
    uint32_t before = cell->provenance;
    bool watched = e->cells[field].slot != CONTEXT_NO_SLOT;
    cel_value seen = watched ? cell_effective(c, e, field) : cell->value;
    cell_keep(c, e, field);
    provenance_of(c, e, prov)->refs++;
    cell->provenance = prov;
    if (watched)
        c->observer(c->observer_ctx, e, field, seen, cell_effective(c, e, field));
    provenance_drop(c, e, before);
}

/* What nearly all changes are: another scalar or text for an attribute, while every source is live and nobody asks for the past, so
 * that a cell's value is what is seen of it. Anything else: cell_set. */
static inline bool is_plain(const context *c, const schema_field *f, const change_set *set)
{
    return set->value.kind <= CEL_STRING && f->kind == SCHEMA_ATTRIBUTE && !set->forget && c->sources_down == 0 &&
           c->past.moment == 0;
}

static inline bool set_plain(context *c, context_entity *e, uint16_t field, cel_value v, uint32_t prov)
{
    context_cell *cell = &e->cells[field];
    cel_value before = cell->value;
    uint32_t prov_before = cell->provenance;
    if (v.kind == CEL_STRING && !(value_is_short_text(v) ? value_pool_text(&c->texts, &v, v) : value_own(&v, v)))
        return false;
    if (prov != prov_before) {
        provenance_of(c, e, prov)->refs++;
        cell->provenance = prov;
    }
    cell->value = v;
    if (e->cells[field].slot != CONTEXT_NO_SLOT)
        c->observer(c->observer_ctx, e, field, before, v);
    if (value_is_short_text(before))
        value_pool_give(&c->texts, before);
    else if (value_has_block(before))
        value_disown(&before);
    if (prov != prov_before)
        provenance_drop(c, e, prov_before);
    return true;
}

static context_outcome apply_upsert(context *c, context_entity *e, const change *ch, const change_origin *origin,
                                    uint32_t prov)
{
    const schema_type *t = type_of(c, e);
    if (is_older_than_delete(c, e, origin))
        return CONTEXT_STALE;
    context_keep(c, e);
    bool applied = e->status != CONTEXT_EXISTS;
    if (applied && !revive(c, e, prov))
        return CONTEXT_NOMEM;
    for (uint32_t i = 0; i < ch->set_count; i++) {
        const change_set *set = &ch->sets[i];
        const schema_field *f = &t->fields[set->field];
        cel_value value = {.kind = CEL_UNKNOWN};
        assert(set->field < t->field_count && f->kind != SCHEMA_INVERSE);
        if (newer(c, e, set->field, origin))
            continue;
        if (!set->forget && same_text(&e->cells[set->field], set->value)) {
            cell_confirm(c, e, set->field, prov);
            applied = true;
            continue;
        }
        if (is_plain(c, f, set)) {
            if (!set_plain(c, e, set->field, set->value, prov))
                return CONTEXT_NOMEM;
            applied = true;
            continue;
        }
        if (!set->forget) {
            /* A mapping may produce a type or an optional; that is no fact about the world: unknown. */
            bool ok = true;
            if (f->kind == SCHEMA_REFERENCE)
                ok = reference_value(c, f, set->value, &value);
            else if (set->value.kind < CEL_STRING)
                value = set->value;
            else if (set->value.kind < CEL_LIST || value_is_data(set->value))
                ok = value_pool_own(&c->texts, &value, set->value);
            if (!ok)
                return CONTEXT_NOMEM;
        }
        if (!cell_set(c, e, set->field, value, prov))
            return CONTEXT_NOMEM;
        applied = true;
    }
    if (!applied && ch->set_count)
        return CONTEXT_STALE;
    return context_touch(c, e) ? CONTEXT_APPLIED : CONTEXT_NOMEM;
}

context_outcome context_apply(context *c, const change *ch, const change_origin *origin)
{
    return context_apply_near(c, ch, origin, NULL);
}

/* Every cell whose provenance is the entity's own is said anew, by something that is not older. While a source is down, or somebody asks
 * for the past, it is still asked for what it was. */
static bool renews_own(const context *c, const context_entity *e, const change *ch, const change_origin *origin)
{
    enum { FIELDS = 64 };
    uint64_t said = 0;
    if (ch->op != CHANGE_UPSERT || e->status != CONTEXT_EXISTS || (c->sources_down | c->past.moment) ||
        ch->set_count < e->own.refs || is_newer(&e->own.origin, origin))
        return false;
    for (uint32_t i = 0; i < ch->set_count; i++) {
        uint16_t field = ch->sets[i].field;
        if (field < FIELDS && e->cells[field].provenance == PROVENANCE_OWN)
            said |= UINT64_C(1) << field;
    }
    return (uint32_t)__builtin_popcountll(said) == e->own.refs;
}

/* 0: out of memory. */
static uint32_t provenance_for(context *c, context_entity *e, const change *ch, const change_origin *origin)
{
    if (!e)
        return provenance_add(c, origin);
    if (!e->own.refs || !renews_own(c, e, ch, origin))
        return provenance_new(c, e, origin);
    context_keep(c, e); /* as it was, with what said so */
    e->own.origin = *origin;
    return PROVENANCE_OWN;
}

__attribute__((noinline)) static context_outcome apply_any(context *c, const change *ch, const change_origin *origin,
                                                           context_entity *guess)
{
    bool of_one = ch->op != CHANGE_FORGET_TYPE;
    context_entity *e = of_one ? context_entity_near(c, ch->type, ch->id, guess) : NULL;
    context_outcome out = CONTEXT_NOMEM;
    change_origin of_change = *origin;
    if (of_one && !e)
        return out;
    of_change.event_time_us = ch->event_time_us;
    of_change.version = ch->version;
    uint32_t prov = provenance_for(c, e, ch, &of_change);
    if (!prov)
        return out;
    switch (ch->op) {
    case CHANGE_UPSERT:
        out = apply_upsert(c, e, ch, &of_change, prov);
        break;
    case CHANGE_DELETE:
    case CHANGE_FORGET:
        out = apply_gone(c, e, ch, &of_change, prov);
        break;
    case CHANGE_FORGET_TYPE:
        out = apply_forget_type(c, ch, &of_change, prov);
        break;
    }
    provenance_collect(c, prov);
    return out;
}

/* --- the usual change ---------------------------------------------------------------------------------------------- */
/* Another scalar or text for one attribute, of an entity that is there and has changed since the last cut, by a source that alone
 * said what the cell holds, when every source is live and nobody asks for the past: its provenance takes the place of the old one. As
 * above in all else, in a straight line. */
static inline bool is_usual(const context *c, const change *ch, const context_entity *e)
{
    return e && ch->op == CHANGE_UPSERT && ch->set_count == 1 && e->type == ch->type && e->status == CONTEXT_EXISTS &&
           e->epoch == c->epoch && (c->sources_down | c->past.moment) == 0 && short_slice_eq(e->id, ch->id);
}

static inline bool told_newer(const change_origin *held, const change_origin *origin, const change *ch)
{
    if (held->source != origin->source)
        return false;
    if (held->version && ch->version)
        return held->version > ch->version;
    return held->event_time_us > ch->event_time_us && ch->event_time_us != CHANGE_NO_TIME;
}
_Static_assert(CHANGE_NO_TIME == INT64_MIN, "nothing held without a time is newer");

context_outcome context_apply_near(context *c, const change *ch, const change_origin *origin, context_entity *guess)
{
    if (!is_usual(c, ch, guess))
        return apply_any(c, ch, origin, guess);
    const change_set *set = ch->sets;
    uint32_t field = set->field;
    const schema_type *t = type_of(c, guess);
    context_cell *cell = &guess->cells[field];
    if (!cell->provenance)
        return apply_any(c, ch, origin, guess);
    provenance *held = provenance_of(c, guess, cell->provenance);
    cel_value now = set->value, before = cell->value;
    assert(field < t->field_count);
    if (now.kind > CEL_STRING || set->forget || t->fields[field].kind != SCHEMA_ATTRIBUTE || held->refs != 1 ||
        told_newer(&held->origin, origin, ch) || same_text(cell, now))
        return apply_any(c, ch, origin, guess);
    if (now.kind == CEL_STRING && !(value_is_short_text(now) ? value_pool_text(&c->texts, &now, now) : value_own(&now, now)))
        return CONTEXT_NOMEM;
    held->origin = *origin;
    held->origin.event_time_us = ch->event_time_us;
    held->origin.version = ch->version;
    cell->value = now;
    if (guess->cells[field].slot != CONTEXT_NO_SLOT)
        c->observer(c->observer_ctx, guess, (uint16_t)field, before, now);
    if (value_is_short_text(before))
        value_pool_give(&c->texts, before);
    else if (value_has_block(before))
        value_disown(&before);
    return CONTEXT_APPLIED;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_required - several mandates govern, and require values of the same property. What they have in common decides: a value that is not
 * among it is refused by some, and where there is none no value could satisfy all of them.
 *
 * Of one property at most LIMIT_FOUND_MANDATES lists of LIMIT_REQUIRED_VALUES are looked at, of those that name it alone; names are
 * each looked at once.
 */
#include "connectors/daemon/view/view_int.h"

#include <stdlib.h>

/* Does one of those before it name the property, too? */
static bool is_known(const view_claims *const *all, uint32_t before, mandate_slice name)
{
    for (uint32_t i = 0; i < before; i++)
        if (required_find(all[i]->required, all[i]->required_count, name))
            return true;
    return false;
}

static bool some_refuses(const view_claims *const *all, uint32_t count, mandate_slice name, cel_value asked)
{
    for (uint32_t i = 0; i < count; i++) {
        const claims_required *r = required_find(all[i]->required, all[i]->required_count, name);
        if (r && !required_has(r, asked))
            return true;
    }
    return false;
}

static bool all_have(const view_claims *const *all, uint32_t count, mandate_slice name, cel_value value)
{
    for (uint32_t i = 0; i < count; i++) {
        const claims_required *r = required_find(all[i]->required, all[i]->required_count, name);
        if (r && !required_has(r, value))
            return false;
    }
    return true;
}

static bool have_common(const view_claims *const *all, uint32_t count, const claims_required *one)
{
    for (uint32_t i = 0; i < one->value_count; i++)
        if (all_have(all, count, one->name, one->values[i]))
            return true;
    return false;
}

bool view_required_clash(const view_claims *const *all, uint32_t count, const scope_question *q)
{
    bool clash = false;

    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < all[i]->required_count; k++) {
            const claims_required *one = &all[i]->required[k];
            const cel_value *asked = required_asked(one->name, q);
            if (!asked || is_known(all, i, one->name) || !some_refuses(all, count, one->name, *asked))
                continue;
            if (have_common(all, count, one))
                return false;
            clash = true;
        }
    return clash;
}

/* --- what a human is asked about ------------------------------------------------------------------------------------- */
typedef struct said {
    cel_entry *entries;
    uint32_t count;
} said;

static int by_key(const void *x, const void *y)
{
    return mandate_slice_cmp(cel_text(((const cel_entry *)x)->key), cel_text(((const cel_entry *)y)->key));
}

/* The names that are required. */
static bool add_required(said *s, const view_claims *const *all, uint32_t count, const scope_question *q, arena *a)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < all[i]->required_count; k++) {
            required_of of;
            mandate_slice property, name = all[i]->required[k].name;
            if (!required_split(&of, &property, name) || of == REQUIRED_OF_ACTION || is_known(all, i, name))
                continue;
            const cel_value *asked = required_asked(name, q);
            const mandate_slice own = arena_dup(a, name); /* what is kept of the mandate may go */
            if (!own.ptr)
                return false;
            s->entries[s->count++] = (cel_entry){cel_string(own), asked ? *asked : cel_null()};
        }
    return true;
}

static bool add_map(said *s, const char *prefix, cel_value map, arena *a)
{
    for (uint32_t i = 0; map.kind == CEL_MAP && i < map.len; i++) {
        const mandate_slice property = cel_text(map.map[i].key),
                            name = arena_printf(a, "%s%.*s", prefix, MANDATE_SLICE_ARG(property));
        if (!name.ptr)
            return false;
        s->entries[s->count++] = (cel_entry){cel_string(name), map.map[i].value};
    }
    return true;
}

bool view_required_asked(const view_claims *const *all, uint32_t count, const scope_question *q, service_required *out)
{
    size_t most =
        1 + (q->properties.kind == CEL_MAP ? q->properties.len : 0) + (q->context.kind == CEL_MAP ? q->context.len : 0);
    bool restricted = false, ok;
    uint32_t required = 0;
    said s = {.count = 0};

    for (uint32_t i = 0; i < count; i++) {
        restricted |= all[i]->required_restricted;
        required += all[i]->required_count;
    }
    out->asked = cel_null();
    if (!required)
        return true;
    s.entries = ARENA_ARRAY(out->a, cel_entry, most + required);
    if (!s.entries)
        return false;
    /* Where a name is restricted nobody is told which are required: then it is all that was said. */
    ok = restricted ? add_map(&s, "resource.", q->properties, out->a) && add_map(&s, "context.", q->context, out->a)
                    : add_required(&s, all, count, q, out->a);
    if (ok && s.count) {
        qsort(s.entries, s.count, sizeof(*s.entries), by_key);
        out->asked = cel_map(s.entries, s.count);
    }
    return ok;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* loop - see loop.h. Inner loops have no branch on what they find where a quarter flips: it would be mispredicted that often. */
#include "bench/loop.h"

#include "engine/base/hash.h"
#include "engine/base/table.h"
#include "engine/base/vec.h"

#include <stdlib.h>

enum { ID_MAX = 24, NO_DEAL = UINT32_MAX >> 1 };

/* LOOP_BY_ENTITY, _FEW: what the loop reads of a mandate. */
typedef struct loop_term {
    workload_terms terms;
    uint32_t handle;
} loop_term;

/* What only coming and going needs, apart. */
typedef struct loop_place {
    uint32_t deal, place; /* among the deal's */
} loop_place;

typedef struct loop_deal {
    workload_deal facts;
    union {
        uint32_t *handles;
        loop_term *terms;
    };
    uint32_t count, cap;
    uint16_t known; /* bits: fields with an origin */
    uint8_t id_len;
    char id[ID_MAX];
    change_origin origin[FIELD_COUNT];
} loop_deal;

struct loop {
    loop_layout layout;
    uint16_t field[FIELD_COUNT];
    table by_id;
    VEC(loop_deal) deals;
    VEC(workload_terms) terms; /* LOOP_BY_HANDLE */
    VEC(loop_place) places;    /* by handle */
    VEC(uint32_t) free;        /* handles to give out again */
    VEC(uint32_t) flips;
};

loop *loop_create(loop_layout layout, const uint16_t field[FIELD_COUNT])
{
    loop *l = calloc(1, sizeof(*l));
    if (!l)
        return NULL;
    l->layout = layout;
    memcpy(l->field, field, sizeof(l->field));
    table_init(&l->by_id);
    return l;
}

void loop_destroy(loop *l)
{
    if (!l)
        return;
    for (uint32_t i = 0; i < l->deals.len; i++)
        free(l->deals.data[i].handles);
    table_deinit(&l->by_id);
    VEC_FREE(&l->deals);
    VEC_FREE(&l->terms);
    VEC_FREE(&l->places);
    VEC_FREE(&l->free);
    VEC_FREE(&l->flips);
    free(l);
}

/* --- entities ---------------------------------------------------------------------------------------------------------- */
static loop_deal *deal_get(loop *l, mandate_slice id)
{
    table_walk walk;
    uint64_t hash = hash_slice(id);
    for (uint32_t i = table_first(&l->by_id, hash, &walk); i != TABLE_NONE; i = table_next(&l->by_id, &walk)) {
        loop_deal *d = &l->deals.data[i];
        if (d->id_len == id.len && memcmp(d->id, id.ptr, id.len) == 0)
            return d;
    }
    loop_deal fresh = {.id_len = (uint8_t)id.len};
    if (id.len > ID_MAX || !VEC_PUSH(&l->deals, fresh) || !table_add(&l->by_id, hash, l->deals.len - 1))
        return NULL;
    loop_deal *d = &l->deals.data[l->deals.len - 1];
    memcpy(d->id, id.ptr, id.len);
    return d;
}

/* The number of a status; -1: none that any mandate could name. Told apart by their first two letters. */
static int16_t status_number(mandate_slice text)
{
    enum { SLOTS = 32 };
#define AT(a, b) [((a) + (b)) % SLOTS]
    static const struct {
        uint8_t number, len;
        char name[10];
    } of[SLOTS] = {
        AT('d', 'r') = {0, 5, "draft"}, AT('o', 'p') = {1, 4, "open"},     AT('r', 'e') = {2, 6, "review"},
        AT('o', 'f') = {3, 5, "offer"}, AT('s', 'i') = {4, 7, "signing"},  AT('w', 'o') = {5, 3, "won"},
        AT('l', 'o') = {6, 4, "lost"},  AT('a', 'r') = {7, 8, "archived"},
    };
#undef AT
    uint32_t at = text.len > 1 ? (uint32_t)(text.ptr[0] + text.ptr[1]) % SLOTS : 0;
    return of[at].len == text.len && memcmp(of[at].name, text.ptr, text.len) == 0 ? of[at].number : -1;
}

static bool set_value(loop *l, loop_deal *d, const change_set *set, const change_origin *origin)
{
    int f = 0;
    while (f < FIELD_COUNT && l->field[f] != set->field)
        f++;
    if (f == FIELD_COUNT)
        return false;
    const change_origin *held = &d->origin[f];
    if ((d->known >> f & 1) && held->source == origin->source && held->event_time_us != CHANGE_NO_TIME &&
        origin->event_time_us != CHANGE_NO_TIME && held->event_time_us > origin->event_time_us)
        return false;
    d->known |= (uint16_t)(1u << f);
    d->origin[f] = *origin;
    switch (f) {
    case FIELD_STATUS:
        d->facts.status = status_number(cel_text(set->value));
        break;
    case FIELD_AMOUNT:
        d->facts.amount = (int16_t)set->value.i;
        break;
    case FIELD_SCORE:
        d->facts.score = (int16_t)set->value.i;
        break;
    case FIELD_A:
        d->facts.a = set->value.b;
        break;
    case FIELD_B:
        d->facts.b = set->value.b;
        break;
    default:
        d->facts.c = set->value.b;
    }
    return true;
}

/* --- the loop ------------------------------------------------------------------------------------------------------------ */
static uint32_t by_handle(loop *l, const loop_deal *d)
{
    const workload_deal facts = d->facts;
    uint32_t n = 0, *flips = l->flips.data;
    for (uint32_t k = 0; k < d->count; k++) {
        uint32_t handle = d->handles[k];
        workload_terms *t = &l->terms.data[handle];
        bool now = workload_holds(&facts, t);
        flips[n] = handle << 3 | now;
        n += now != t->holds;
        t->holds = now;
    }
    return n;
}

static uint32_t by_entity(loop *l, const loop_deal *d)
{
    const workload_deal facts = d->facts;
    uint32_t n = 0, *flips = l->flips.data;
    for (loop_term *t = d->terms; t < d->terms + d->count; t++) {
        bool now = workload_holds(&facts, &t->terms);
        flips[n] = t->handle << 3 | now;
        n += now != t->terms.holds;
        t->terms.holds = now;
    }
    return n;
}

/* As by_entity, for cells of which a change flips few: then a branch that is never taken is cheaper than a store that is thrown away. */
static uint32_t by_entity_few(loop *l, const loop_deal *d)
{
    const workload_deal facts = d->facts;
    uint32_t n = 0, *flips = l->flips.data;
    for (loop_term *t = d->terms; t < d->terms + d->count; t++) {
        bool now = workload_holds(&facts, &t->terms);
        if (now == t->terms.holds)
            continue;
        flips[n++] = t->handle << 3 | now;
        t->terms.holds = now;
    }
    return n;
}

bool loop_apply(loop *l, const change *ch, const change_origin *origin, const uint32_t **flips, uint32_t *count)
{
    loop_deal *d = deal_get(l, ch->id);
    bool changed = false;
    if (!d)
        return false;
    for (uint32_t i = 0; i < ch->set_count; i++)
        changed |= set_value(l, d, &ch->sets[i], origin);
    *flips = l->flips.data;
    *count = !changed                      ? 0
             : l->layout == LOOP_BY_HANDLE ? by_handle(l, d)
             : l->layout == LOOP_BY_ENTITY ? by_entity(l, d)
                                           : by_entity_few(l, d);
    return true;
}

/* --- mandates ------------------------------------------------------------------------------------------------------------ */
/* Room for one more mandate of the deal, and for the flips of all of them. */
static bool room_in(loop *l, loop_deal *d)
{
    if (d->count == d->cap) {
        uint32_t cap = d->cap ? d->cap * 2 : 4;
        void *more = realloc(d->handles, cap * (l->layout == LOOP_BY_HANDLE ? sizeof(uint32_t) : sizeof(loop_term)));
        if (!more)
            return false;
        d->handles = more;
        d->cap = cap;
    }
    while (l->flips.len <= d->cap)
        if (!VEC_PUSH(&l->flips, 0))
            return false;
    return true;
}

bool loop_issue(loop *l, mandate_slice deal, const workload_terms *terms, uint32_t *handle)
{
    loop_deal *d = deal_get(l, deal);
    if (!d || !room_in(l, d))
        return false;
    workload_terms own = *terms;
    own.holds = workload_holds(&d->facts, terms);
    loop_place at = {.deal = (uint32_t)(d - l->deals.data), .place = d->count};
    if (l->free.len) {
        *handle = l->free.data[--l->free.len];
        l->places.data[*handle] = at;
    } else {
        *handle = l->places.len;
        if (!VEC_PUSH(&l->places, at) || (l->layout == LOOP_BY_HANDLE && !VEC_PUSH(&l->terms, own)))
            return false;
    }
    if (l->layout == LOOP_BY_HANDLE) {
        l->terms.data[*handle] = own;
        d->handles[d->count++] = *handle;
    } else {
        d->terms[d->count++] = (loop_term){.terms = own, .handle = *handle};
    }
    return true;
}

/* The deal's last one takes its place. */
void loop_end(loop *l, uint32_t handle)
{
    loop_place *p = &l->places.data[handle];
    loop_deal *d = &l->deals.data[p->deal];
    d->count--;
    if (l->layout == LOOP_BY_HANDLE) {
        d->handles[p->place] = d->handles[d->count];
        l->places.data[d->handles[p->place]].place = p->place;
    } else {
        d->terms[p->place] = d->terms[d->count];
        l->places.data[d->terms[p->place].handle].place = p->place;
    }
    p->deal = NO_DEAL;
    (void)VEC_PUSH(&l->free, handle); /* costs a handle only when it fails */
}

uint32_t loop_live(const loop *l)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < l->places.len; i++)
        n += l->places.data[i].deal != NO_DEAL;
    return n;
}

bool loop_holds(const loop *l, uint32_t handle)
{
    const loop_place *p = &l->places.data[handle];
    return l->layout == LOOP_BY_HANDLE ? l->terms.data[handle].holds : l->deals.data[p->deal].terms[p->place].terms.holds;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * direct - from slots to changes.
 *
 * An expression is a slot, a test of a slot, or a program. Programs see document variables made of the slots that the
 * layout has below them: what else they could ask for they do not mention.
 */
#include "connectors/mapping/direct.h"

#include <assert.h>
#include <stdlib.h>

#include "connectors/envelope/envelope_int.h"
#include "connectors/mapping/mapper_int.h"

typedef enum source_kind { FROM_NOTHING, FROM_SLOT, FROM_TEST, FROM_PROGRAM } source_kind;

typedef struct source {
    const map_expr *expr;
    uint8_t kind, slot;
    bool absent_is_null; /* a variable itself, not something in it */
} source;

typedef struct direct_set {
    source from;
    const map_attribute *attribute; /* NULL: a reference */
    uint16_t field;
    uint8_t usual_kind; /* of a value that is what the attribute's type says, as it is */
    uint32_t size_max;  /* of a text that need not be looked at further */
} direct_set;

typedef struct direct_entity {
    const map_entity *entity;
    source id, when, delete_when;
    direct_set *sets;
    uint32_t set_count;
} direct_entity;

struct direct {
    arena memory;
    const connector *c;
    envelope_slots form;
    source when, event_time, version;
    direct_entity *entities;
    uint32_t made; /* variables that programs read, made of slots */
    bool runs;     /* programs */
    slot_values values;
};

/* --- making ------------------------------------------------------------------------------------------------------------ */

/* What every envelope_begin gives. */
static const uint32_t plain_variables = VARIABLE_BIT(KEY) | VARIABLE_BIT(HEADERS) | VARIABLE_BIT(META);

static bool slot_of(source *out, const direct *d, const map_path *p)
{
    const slot_node *n = d->form.variables[p->variable];
    for (uint32_t i = 0; n && i < p->key_count; i++)
        n = n->use == SLOT_INNER ? slot_find(n, cel_text(p->keys[i])) : NULL;
    if (!n || n->use != SLOT_VALUE)
        return false;
    out->slot = n->slot;
    out->absent_is_null = p->key_count == 0;
    return true;
}

/* `value` as a whole is not made of an envelope's slots. */
static bool may_run(direct *d, const map_expr *e)
{
    uint32_t given = plain_variables, made = 0;
    bool raw = d->form.variables[DOCUMENT_OP] == NULL;
    for (uint32_t i = 0; i < DOCUMENT_VARIABLE_COUNT; i++)
        if (d->form.variables[i] && (i != DOCUMENT_VALUE || raw))
            made |= UINT32_C(1) << i;
    if (raw)
        given |= VARIABLE_BIT(OP);
    if (e->variables & ~(given | made))
        return false;
    d->made |= e->variables & made;
    d->runs = true;
    return true;
}

static bool settle(source *out, direct *d, const map_expr *e)
{
    *out = (source){.expr = e};
    if (!EXPR_GIVEN(e))
        return true;
    if (e->is_path && slot_of(out, d, &e->path))
        out->kind = FROM_SLOT;
    else if (e->test.kind != TEST_NONE && slot_of(out, d, &e->test.path))
        out->kind = FROM_TEST;
    else if (may_run(d, e))
        out->kind = FROM_PROGRAM;
    return out->kind != FROM_NOTHING;
}

static uint8_t usual_kind_of(const cel_type *type)
{
    static const uint8_t kinds[] = {
        [CEL_TYPE_BOOL] = CEL_BOOL,           [CEL_TYPE_INT] = CEL_INT,          [CEL_TYPE_UINT] = CEL_UINT,
        [CEL_TYPE_DOUBLE] = CEL_DOUBLE,       [CEL_TYPE_STRING] = CEL_STRING,    [CEL_TYPE_BYTES] = CEL_BYTES,
        [CEL_TYPE_TIMESTAMP] = CEL_TIMESTAMP, [CEL_TYPE_DURATION] = CEL_DURATION};
    return type->kind < sizeof(kinds) ? kinds[type->kind] : (uint8_t)CEL_NULL; /* null is usual for every type */
}

static bool settle_attribute(direct_set *out, direct *d, const map_attribute *a)
{
    uint32_t max = a->text_max && a->text_max < LIMIT_VALUE ? a->text_max : LIMIT_VALUE;
    *out = (direct_set){.attribute = a, .field = a->field, .usual_kind = usual_kind_of(a->type), .size_max = max};
    if (a->declared->values)
        out->usual_kind = CEL_NULL; /* a text must be one of them */
    return settle(&out->from, d, &a->value);
}

static bool settle_entity(direct_entity *out, direct *d, const map_entity *e)
{
    out->entity = e;
    out->set_count = e->attribute_count + e->reference_count;
    out->sets = ARENA_ARRAY(&d->memory, direct_set, out->set_count);
    if (!out->sets || e->forget_count || EXPR_GIVEN(&e->forget) || !settle(&out->id, d, &e->id) ||
        !settle(&out->when, d, &e->when) || !settle(&out->delete_when, d, &e->delete_when))
        return false;
    for (uint32_t i = 0; i < e->attribute_count; i++)
        if (!settle_attribute(&out->sets[i], d, &e->attributes[i]))
            return false;
    for (uint32_t i = 0; i < e->reference_count; i++) {
        direct_set *set = &out->sets[e->attribute_count + i];
        *set = (direct_set){.field = e->references[i].field};
        if (!settle(&set->from, d, &e->references[i].id))
            return false;
    }
    return true;
}

static bool settle_connector(direct *d, const connector *c)
{
    slot_layout_init(&d->form.layout);
    if (!c->envelope->lay_out || EXPR_GIVEN(&c->each) || c->entity_count > LIMIT_RECORD_CHANGES ||
        !c->envelope->lay_out(&d->form, &d->memory, c->mentions))
        return false;
    d->entities = ARENA_ARRAY(&d->memory, direct_entity, c->entity_count);
    if (!d->entities || !settle(&d->when, d, &c->when) || !settle(&d->event_time, d, &c->event_time) ||
        !settle(&d->version, d, &c->version))
        return false;
    for (uint32_t i = 0; i < c->entity_count; i++)
        if (!settle_entity(&d->entities[i], d, &c->entities[i]))
            return false;
    return true;
}

direct *direct_create(const connector *c)
{
    direct *d = calloc(1, sizeof(*d));
    if (!d)
        return NULL;
    d->c = c;
    arena_init(&d->memory, 0);
    if (settle_connector(d, c))
        return d;
    direct_destroy(d);
    return NULL;
}

void direct_destroy(direct *d)
{
    if (!d)
        return;
    arena_deinit(&d->memory);
    free(d);
}

const slot_layout *direct_layout(const direct *d) { return &d->form.layout; }

slot_values *direct_values(direct *d) { return &d->values; }

/* --- variables for programs -------------------------------------------------------------------------------------------- */

/* What the general way would have built of that node: a map, or a value. SLOT_ABSENT: nothing is there. */
static cel_value value_of(const direct *d, const slot_node *n, arena *a)
{
    bool root = n == &d->form.layout.root;
    if (n->use == SLOT_VALUE)
        return d->values.at[n->slot];
    if (n->use == SLOT_PASSED || (!root && !slot_marked(&d->values.seen, n->number)))
        return SLOT_ABSENT;
    uint32_t count = 0;
    cel_entry *entries = ARENA_ARRAY(a, cel_entry, n->count ? n->count : 1);
    if (!entries)
        return cel_null(); /* a->failed says so */
    for (uint32_t i = 0; i < n->count; i++) {
        cel_value v = value_of(d, &n->children[i], a);
        if (!slot_is_absent(v))
            entries[count++] = (cel_entry){cel_string(n->children[i].key), v};
    }
    return cel_map(entries, count);
}

static bool make_variables(direct *d, mapper *m, const record *r, cel_value key)
{
    arena *a = m->act.memory;
    m->doc = (document){.wanted = d->c->variables};
    if (envelope_begin(&m->doc, a, r, key, cel_null(), NULL))
        return false;
    for (uint32_t i = 0; i < DOCUMENT_VARIABLE_COUNT; i++)
        if (d->made >> i & 1) {
            cel_value v = value_of(d, d->form.variables[i], a);
            m->doc.variables[i] = slot_is_absent(v) ? cel_null() : v;
        }
    memcpy(m->variables, m->doc.variables, sizeof(m->variables));
    m->deleted_row = false;
    return !a->failed;
}

/* --- running ------------------------------------------------------------------------------------------------------------ */

/* A value; absent when the record does not have it. False: not for this way. */
static inline bool take(cel_value *out, const direct *d, mapper *m, const source *s)
{
    if (s->kind == FROM_SLOT) {
        *out = d->values.at[s->slot];
        if (s->absent_is_null && slot_is_absent(*out))
            *out = cel_null();
        return true;
    }
    if (s->kind == FROM_TEST) {
        bool decided;
        if (!map_test_decide(&decided, &s->expr->test, d->values.at[s->slot]))
            return false;
        *out = cel_bool(decided);
        return true;
    }
    *out = mapper_eval(m, s->expr);
    if (value_is_missing(*out))
        *out = SLOT_ABSENT;
    else if (out->kind > CEL_MAP || (out->kind == CEL_STRING && mandate_slice_eq(cel_text(*out), d->form.keep)))
        return false;
    return true;
}

/* Not given: `otherwise`. */
static inline bool decide(bool *out, const direct *d, mapper *m, const source *s, bool otherwise)
{
    cel_value v;
    *out = otherwise;
    if (s->kind == FROM_NOTHING)
        return true;
    if (!take(&v, d, m, s) || v.kind != CEL_BOOL)
        return false;
    *out = v.b;
    return true;
}

static inline bool take_id(mandate_slice *out, const direct *d, mapper *m, cel_value v)
{
    (void)d;
    if (v.kind == CEL_STRING) {
        *out = cel_text(v);
        return v.len > 0 && v.len <= LIMIT_ID;
    }
    return !slot_is_absent(v) && value_id(out, m->act.memory, v, NULL) == MANDATE_OK;
}

static inline bool take_attribute(cel_value *v, const direct_set *s, mapper *m)
{
    bool sized = v->kind == CEL_STRING || v->kind == CEL_BYTES;
    if (v->kind == CEL_NULL || (v->kind == s->usual_kind && (!sized || v->len <= s->size_max)))
        return true;
    return value_settle(v, m->act.memory, s->attribute, NULL) == MANDATE_OK;
}

static bool take_sets(change *out, const direct *d, const direct_entity *e, mapper *m)
{
    change_set *sets = arena_alloc(m->act.memory, (e->set_count ? e->set_count : 1) * sizeof(*sets)), *at = sets;
    if (!sets)
        return false;
    for (const direct_set *s = e->sets, *end = s + e->set_count; s < end; s++) {
        cel_value v;
        mandate_slice id;
        if (!take(&v, d, m, &s->from))
            return false;
        if (slot_is_absent(v))
            continue;
        if (s->attribute) {
            if (!take_attribute(&v, s, m))
                return false;
        } else if (v.kind != CEL_NULL) {
            if (!take_id(&id, d, m, v))
                return false;
            v = cel_string(id);
        }
        at->field = s->field;
        at->forget = false;
        at++->value = v;
    }
    out->sets = sets;
    out->set_count = (uint32_t)(at - sets);
    return true;
}

static bool take_entity(change *out, bool *wanted, const direct *d, const direct_entity *e, int64_t time, mapper *m)
{
    bool deleted;
    cel_value id;
    if (!decide(wanted, d, m, &e->when, true))
        return false;
    if (!*wanted)
        return true;
    *out = (change){.op = CHANGE_UPSERT, .type = e->entity->type, .event_time_us = time, .version = m->version};
    if (!decide(&deleted, d, m, &e->delete_when, false) || !take(&id, d, m, &e->id) || !take_id(&out->id, d, m, id))
        return false;
    if (!deleted)
        return take_sets(out, d, e, m);
    out->op = CHANGE_DELETE;
    return true;
}

/* A text that says "not read" stands for nothing; which of the expressions minds is for the general way. */
static bool any_kept(const direct *d)
{
    mandate_slice keep = d->form.keep;
    for (uint32_t i = 0; keep.len && i < d->form.layout.slots; i++) {
        cel_value v = d->values.at[i];
        if (v.kind == CEL_STRING && v.len == keep.len && memcmp(v.s, keep.ptr, keep.len) == 0)
            return true;
    }
    return false;
}

static bool has_required(const direct *d)
{
    uint64_t missing = 0;
    for (size_t i = 0; i < sizeof(slot_marks) / sizeof(uint64_t); i++)
        missing |= d->form.required.word[i] & ~d->values.seen.word[i];
    return missing == 0;
}

static bool take_time(int64_t *out, const direct *d, mapper *m)
{
    cel_value v;
    *out = CHANGE_NO_TIME;
    if (d->event_time.kind == FROM_NOTHING)
        return true;
    return take(&v, d, m, &d->event_time) && !slot_is_absent(v) && value_time_us(out, v, NULL) == MANDATE_OK;
}

static bool take_version(uint64_t *out, const direct *d, mapper *m)
{
    cel_value v;
    *out = 0;
    if (d->version.kind == FROM_NOTHING)
        return true;
    return take(&v, d, m, &d->version) && !slot_is_absent(v) && value_version(out, v, NULL) == MANDATE_OK;
}

bool direct_run(mapper_result *out, direct *d, mapper *m, const record *r, cel_value key)
{
    bool wanted;
    int64_t time;
    arena *a = m->act.memory;
    assert(d->values.filled);
    if (!has_required(d) || !d->c->envelope->is_usual(&d->form, &d->values, a, &key) || any_kept(d))
        return false;
    if ((d->runs && !make_variables(d, m, r, key)) || !decide(&wanted, d, m, &d->when, true))
        return false;
    if (!wanted) {
        *out = (mapper_result){.outcome = MAPPER_FILTERED, .event_time_us = CHANGE_NO_TIME};
        return true;
    }
    change *changes = arena_alloc(a, (d->c->entity_count ? d->c->entity_count : 1) * sizeof(*changes)), *at = changes;
    if (!changes || !take_time(&time, d, m) || !take_version(&m->version, d, m))
        return false;
    for (uint32_t i = 0; i < d->c->entity_count; i++) {
        if (!take_entity(at, &wanted, d, &d->entities[i], time, m))
            return false;
        at += wanted;
    }
    *out = (mapper_result){
        .outcome = MAPPER_MAPPED, .changes = changes, .change_count = (uint32_t)(at - changes), .event_time_us = time};
    return !a->failed;
}

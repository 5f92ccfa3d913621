/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shape - what a template's conditions have in common: its atoms and the formula over them, in one canonical form, so that
 * different ways of writing a condition meet in one cohort.
 *
 *   canonical: AND and NOT only; ANDs flattened, their operands sorted, each once; constants that say nothing left out
 *
 * A text has no shape when it holds a program, a constant truth, or too many atoms. Its conditions are nodes then.
 */
#include "engine/condition/cohort.h"

#include "engine/base/hash.h"

#include <assert.h>
#include <stdlib.h>

/* An atom, or an AND of edges (of none: true). */
typedef struct term term;
typedef struct edge {
    term *to;
    bool negated;
} edge;
struct term {
    bool is_atom;
    uint32_t number; /* of an atom: given when code is made, + 1 */
    node_kind kind;
    cel_op op;
    const plan *plan;
    const static_expr *constant;
    uint32_t item; /* of the mandate's list, from 1 */
    mandate_slice key_text, constant_text;
    edge *edges;
    uint32_t count;
};

typedef struct shaper {
    condition_template *t;
    uint32_t list_len;
    arena *memory;
    shape shape;
    atom_source atoms[SHAPE_ATOMS];
    mandate_slice key_text[SHAPE_ATOMS];
    bool nomem, unfit;
} shaper;

static const edge no_edge = {NULL, false};

static term *term_new(shaper *s)
{
    term *out = ARENA_NEW(s->memory, term);
    s->nomem |= !out;
    return out;
}

static mandate_slice text_of(shaper *s, const cel_expr *e)
{
    buf b;
    buf_init(&b);
    cel_print(&b, e);
    mandate_slice out = b.failed ? (mandate_slice){NULL, 0} : arena_dup(s->memory, buf_slice(&b));
    s->nomem |= !out.ptr;
    buf_deinit(&b);
    return out;
}

static int order_of(int64_t a, int64_t b) { return (a > b) - (a < b); }

static int term_order(const term *a, const term *b);

static int edge_compare(const edge *a, const edge *b)
{
    int order = term_order(a->to, b->to);
    return order ? order : order_of(a->negated, b->negated);
}

static int term_order(const term *a, const term *b)
{
    int order = order_of(b->is_atom, a->is_atom);
    if (order || a == b)
        return order;
    if (!a->is_atom) {
        order = order_of(a->count, b->count);
        for (uint32_t i = 0; !order && i < a->count; i++)
            order = edge_compare(&a->edges[i], &b->edges[i]);
        return order;
    }
    if ((order = order_of(a->kind, b->kind)) || (order = order_of(a->op, b->op)) ||
        (order = order_of(a->plan->type, b->plan->type)) || (order = order_of(a->plan->field, b->plan->field)) ||
        (order = mandate_slice_cmp(a->key_text, b->key_text)))
        return order;
    if (a->constant && b->constant && a->constant->is_const && b->constant->is_const)
        return cel_order(a->constant->value, b->constant->value);
    order = mandate_slice_cmp(a->constant_text, b->constant_text);
    return order ? order : order_of(a->item, b->item); /* a list is sorted when it is bound */
}

static int edge_order(const void *a, const void *b) { return edge_compare(a, b); }

static edge atom(shaper *s, const plan *p, node_kind kind, const static_expr *constant)
{
    term *t = term_new(s);
    if (!t)
        return no_edge;
    *t = (term){
        .is_atom = true, .kind = kind, .op = kind == NODE_ORDER ? p->op : CEL_OP_NONE, .plan = p, .constant = constant};
    t->key_text = text_of(s, p->key.expr);
    t->constant_text = constant ? text_of(s, constant->expr) : (mandate_slice){"", 0};
    return (edge){t, false};
}

/* AND of edges: nested ones taken in, sorted, each once. False absorbs everything. */
static edge and_of(shaper *s, const edge *edges, uint32_t count)
{
    uint32_t total = 0, n = 0;
    term *t = term_new(s);
    for (uint32_t i = 0; i < count; i++)
        if (!edges[i].to)
            return no_edge;
        else
            total += edges[i].to->is_atom || edges[i].negated ? 1 : edges[i].to->count;
    if (!t || !(t->edges = arena_array(s->memory, total + 1, sizeof(edge))))
        return s->nomem = true, no_edge;
    for (uint32_t i = 0; i < count; i++) {
        const term *inner = edges[i].to;
        if (inner->is_atom || edges[i].negated) {
            if (!inner->is_atom && inner->count == 0)
                return edges[i]; /* false */
            t->edges[n++] = edges[i];
        } else {
            for (uint32_t k = 0; k < inner->count; k++)
                t->edges[n++] = inner->edges[k];
        }
    }
    qsort(t->edges, n, sizeof(edge), edge_order);
    for (uint32_t i = 0; i < n; i++)
        if (t->count == 0 || edge_compare(&t->edges[t->count - 1], &t->edges[i]) != 0)
            t->edges[t->count++] = t->edges[i];
    return t->count == 1 ? t->edges[0] : (edge){t, false};
}

static edge turned(edge e) { return (edge){e.to, !e.negated}; }

static edge of_plan(shaper *s, const plan *p);

/* OR is NOT AND NOT. */
static edge of_logic(shaper *s, const plan *p)
{
    bool is_or = p->kind == PLAN_OR;
    edge *edges = arena_array(s->memory, p->child_count, sizeof(*edges));
    if (!edges)
        return s->nomem = true, no_edge;
    for (uint32_t i = 0; i < p->child_count; i++) {
        edges[i] = of_plan(s, p->children[i]);
        if (is_or)
            edges[i] = turned(edges[i]);
    }
    edge out = and_of(s, edges, p->child_count);
    return is_or ? turned(out) : out;
}

/* slot in [a, b] = slot == a || slot == b */
static edge of_in(shaper *s, const plan *p)
{
    bool given = p->item_count == 0; /* by the mandate */
    if (given) {
        s->unfit |= s->t->list && s->t->list != p;
        s->t->list = p;
    }
    uint32_t n = given ? s->list_len : p->item_count;
    edge *edges = !s->unfit && n ? arena_array(s->memory, n, sizeof(*edges)) : NULL;
    if (!edges)
        return s->unfit = true, no_edge;
    for (uint32_t i = 0; i < n; i++) {
        edges[i] = turned(atom(s, p, NODE_EQUAL, given ? &p->constant : &p->items[i]));
        if (edges[i].to)
            edges[i].to->item = given ? i + 1 : 0;
    }
    return turned(and_of(s, edges, n));
}

static edge of_plan(shaper *s, const plan *p)
{
    switch (p->kind) {
    case PLAN_AND:
    case PLAN_OR:
        return of_logic(s, p);
    case PLAN_NOT:
        return turned(of_plan(s, p->children[0]));
    case PLAN_TRUTH:
        return atom(s, p, NODE_TRUTH, NULL);
    case PLAN_EQUAL:
        return atom(s, p, NODE_EQUAL, &p->constant);
    case PLAN_ORDER:
        return atom(s, p, NODE_ORDER, &p->constant);
    case PLAN_IN:
        return of_in(s, p);
    case PLAN_STATIC:
        if (p->expr->kind == CEL_EXPR_CONST && p->expr->value.kind == CEL_BOOL)
            return (edge){term_new(s), !p->expr->value.b};
        break;
    case PLAN_EACH:
    case PLAN_OPAQUE:
        break;
    }
    s->unfit = true;
    return no_edge;
}

/* --- code ------------------------------------------------------------------------------------------------------ */
static void emit(shaper *s, uint32_t byte)
{
    if (s->shape.code_len == SHAPE_CODE)
        s->unfit = true;
    else
        s->shape.code[s->shape.code_len++] = (uint8_t)byte;
}

/* Equal atoms may be several terms: the first one's number is everybody's. */
static uint32_t number_of(shaper *s, const term *t)
{
    shape *h = &s->shape;
    for (uint32_t i = 0; i < h->atoms; i++) {
        const atom_source *a = &s->atoms[i];
        const term other = {.is_atom = true,
                            .kind = h->kind[i],
                            .op = (cel_op)h->op[i],
                            .plan = a->plan,
                            .constant = a->constant,
                            .item = a->item,
                            .key_text = s->key_text[i],
                            .constant_text = a->constant ? text_of(s, a->constant->expr) : (mandate_slice){"", 0}};
        if (term_order(&other, t) == 0)
            return i;
    }
    if (h->atoms == SHAPE_ATOMS)
        return s->unfit = true, 0;
    uint32_t key = 0;
    while (key < h->atoms && (s->atoms[key].plan->type != t->plan->type || !mandate_slice_eq(s->key_text[key], t->key_text)))
        key++;
    s->atoms[h->atoms] = (atom_source){t->plan, t->constant, key, t->item};
    s->key_text[h->atoms] = t->key_text;
    h->kind[h->atoms] = (uint8_t)t->kind;
    h->op[h->atoms] = (uint8_t)t->op;
    return h->atoms++;
}

static void emit_edge(shaper *s, edge e, uint32_t depth)
{
    s->unfit |= depth >= SHAPE_STACK;
    if (e.to->is_atom) {
        emit(s, number_of(s, e.to));
    } else {
        assert(e.to->count > 1);
        for (uint32_t i = 0; !s->unfit && i < e.to->count; i++) {
            emit_edge(s, e.to->edges[i], depth + (i > 0));
            if (i)
                emit(s, CODE_AND);
        }
    }
    if (e.negated)
        emit(s, CODE_NOT);
}

/* --- sharing ----------------------------------------------------------------------------------------------------- */
static bool shape_eq(const void *ctx, uint32_t handle, const void *key)
{
    const shape *a = ((const condition_index *)ctx)->shapes.data[handle], *b = key;
    return a->atoms == b->atoms && a->code_len == b->code_len && memcmp(a->kind, b->kind, a->atoms) == 0 &&
           memcmp(a->op, b->op, a->atoms) == 0 && memcmp(a->code, b->code, a->code_len) == 0;
}

static uint64_t shape_hash(const shape *s)
{
    return hash_mix(hash_mix(hash_bytes(s->kind, s->atoms), hash_bytes(s->op, s->atoms)), hash_bytes(s->code, s->code_len));
}

static shape *shape_share(condition_index *x, const shape *s)
{
    uint64_t hash = shape_hash(s);
    uint32_t handle = table_find(&x->shape_table, hash, shape_eq, x, s);
    if (handle != TABLE_NONE)
        return x->shapes.data[handle]->refs++, x->shapes.data[handle];
    shape *out = malloc(sizeof(*out));
    for (handle = x->shape_free; handle < x->shapes.len && x->shapes.data[handle]; handle++)
        ;
    if (!out || (handle == x->shapes.len && !VEC_PUSH(&x->shapes, NULL)) || !table_add(&x->shape_table, hash, handle))
        return free(out), NULL;
    *out = *s;
    out->hash = hash;
    out->handle = handle;
    out->refs = 1;
    out->truth = out->atoms <= SHAPE_TABLE ? shape_table(out) : 0;
    x->shapes.data[handle] = out;
    x->shape_free = handle + 1;
    return out;
}

void shape_release(condition_index *x, shape *s)
{
    if (!s || --s->refs)
        return;
    table_remove(&x->shape_table, s->hash, s->handle);
    x->shapes.data[s->handle] = NULL;
    if (s->handle < x->shape_free)
        x->shape_free = s->handle;
    free(s);
}

bool shape_create(condition_index *x, condition_template *t, uint32_t list_len)
{
    arena memory;
    arena_init(&memory, 0);
    shaper s = {.t = t, .memory = &memory, .list_len = list_len};
    edge root = of_plan(&s, t->root);
    s.unfit |= !root.to;
    if (!s.unfit && !root.to->is_atom && root.to->count == 0) {
        t->is_constant = s.unfit = true;
        t->constant = root.negated ? TRUTH_FALSE : TRUTH_TRUE;
    }
    shape_variant *v = s.unfit ? NULL : ARENA_NEW(&t->memory, shape_variant);
    if (v) {
        v->negated = root.negated;
        root.negated = false;
        emit_edge(&s, root, 0);
    }
    if (v && !s.unfit && !s.nomem) {
        v->list_len = list_len;
        v->atoms = ARENA_ARRAY(&t->memory, atom_source, s.shape.atoms);
        v->shape = v->atoms ? shape_share(x, &s.shape) : NULL;
        s.nomem |= !v->shape;
    }
    if (v && v->shape) {
        memcpy(v->atoms, s.atoms, s.shape.atoms * sizeof(*v->atoms));
        v->next = t->variants;
        t->variants = v;
    }
    arena_deinit(&memory);
    return !s.nomem && (v || s.unfit);
}

const shape_variant *shape_of(condition_index *x, condition_template *t, uint32_t list_len, bool *nomem)
{
    for (int tries = 0; tries < 2; tries++) {
        for (const shape_variant *v = t->variants; v; v = v->next)
            if (v->list_len == list_len)
                return v;
        if (!t->list || list_len == 0 || list_len > SHAPE_ATOMS)
            return NULL;
        *nomem |= !shape_create(x, t, list_len);
    }
    return NULL;
}

void shapes_release(condition_index *x, condition_template *t)
{
    for (const shape_variant *v = t->variants; v; v = v->next)
        shape_release(x, v->shape);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * explain - why a condition has the value it has: the evidence of a transition, and the tree for people.
 *
 * Both evaluate anew and write down what was read, in order of reading. That order is the program's, so it is the same on
 * every replay.
 */
#include "engine/condition/index_int.h"

#include "engine/base/text.h"
#include "engine/limits.h"

#include <assert.h>

static const char *const truth_names[4] = {"false", "true", "unknown", "error"};

typedef struct term_list {
    condition_index *index;
    arena *memory;
    transition_term *terms;
    const context_entity **entities; /* beside terms: for finding repetitions */
    uint16_t *fields;
    uint32_t count, total;
} term_list;

/* A value as it goes into evidence: references become ids, lists of entities lists of ids. */
static cel_value plain(arena *a, cel_value v)
{
    if (v.kind == CEL_OBJECT)
        return cel_string(((const context_entity *)v.object)->id);
    if (v.kind != CEL_LIST || v.len == 0 || v.items[0].kind != CEL_OBJECT)
        return v;
    cel_value *ids = ARENA_ARRAY(a, cel_value, v.len);
    for (uint32_t i = 0; ids && i < v.len; i++)
        ids[i] = plain(a, v.items[i]);
    return ids ? cel_list(ids, v.len) : cel_null();
}

static void note_term(reading *r, context_entity *entity, uint16_t field)
{
    term_list *list = r->note_ctx;
    context *graph = list->index->graph;
    for (uint32_t i = 0; i < list->count; i++)
        if (list->entities[i] == entity && list->fields[i] == field)
            return;
    list->total++;
    if (list->count == LIMIT_EVIDENCE_TERMS)
        return;
    transition_term *t = &list->terms[list->count];
    list->entities[list->count] = entity;
    list->fields[list->count++] = field;
    t->path = context_path(graph, list->memory, entity, field);
    t->value = plain(list->memory, context_read(graph, entity, field));
    if (t->value.kind != CEL_UNKNOWN && cel_copy(&t->value, list->memory, t->value, NULL) != MANDATE_OK)
        r->failed = true;
    t->observed = context_origin(graph, entity, field, &t->origin);
    r->failed |= t->path.ptr == NULL;
}

static bool term_list_init(term_list *list, condition_index *x, arena *a)
{
    *list = (term_list){.index = x, .memory = a};
    list->terms = ARENA_ARRAY(a, transition_term, LIMIT_EVIDENCE_TERMS);
    list->entities = ARENA_ARRAY(a, const context_entity *, LIMIT_EVIDENCE_TERMS);
    list->fields = ARENA_ARRAY(a, uint16_t, LIMIT_EVIDENCE_TERMS);
    return list->terms && list->entities && list->fields;
}

/* --- by the plan -------------------------------------------------------------------------------------------- */
/*
 * A template with a shape holds comparisons, AND, OR and NOT only: they are evaluated here as its program would, with the same
 * reads in the same order, whichever text of its family it stands for.
 */
typedef struct walker {
    condition_index *index;
    const claims *claims;
    const lift_literal *literals;
    reading *reading;
    bool given_up; /* something is no plain value: the program decides */
} walker;

static cel_value constant_of(walker *w, const static_expr *s)
{
    cel_value v = static_value(w->index, s, w->claims, w->literals, &w->index->scratch);
    w->given_up |= !static_is_value(v);
    return v;
}

static bool is_among(walker *w, const plan *p, cel_value v)
{
    bool found = false;
    if (p->item_count == 0) {
        cel_value list = constant_of(w, &p->constant);
        w->given_up |= list.kind != CEL_LIST || list.len == 0;
        for (uint32_t i = 0; !w->given_up && i < list.len; i++)
            found |= cel_equal(v, list.items[i]);
    }
    for (uint32_t i = 0; i < p->item_count; i++) {
        cel_value item = constant_of(w, &p->items[i]);
        found |= !w->given_up && cel_equal(v, item);
    }
    return found;
}

static condition_truth walk_comparison(walker *w, const plan *p)
{
    condition_node leaf = {.kind = p->kind == PLAN_TRUTH   ? NODE_TRUTH
                                   : p->kind == PLAN_ORDER ? NODE_ORDER
                                                           : NODE_EQUAL,
                           .op = (uint8_t)p->op};
    context_entity *e = plan_entity(w->index, p, w->claims, w->literals, &w->index->scratch, &w->reading->failed);
    if (p->kind == PLAN_EQUAL || p->kind == PLAN_ORDER)
        leaf.constant = constant_of(w, &p->constant);
    w->given_up |= !e;
    if (w->given_up)
        return TRUTH_ERROR;
    cel_value v = context_read(w->index->graph, e, p->field);
    w->reading->note(w->reading, e, p->field);
    if (p->kind != PLAN_IN)
        return leaf_truth(&leaf, v);
    bool among = v.kind != CEL_UNKNOWN && is_among(w, p, v);
    return v.kind == CEL_UNKNOWN ? TRUTH_UNKNOWN : among ? TRUTH_TRUE : TRUTH_FALSE;
}

static condition_truth walk(walker *w, const plan *p)
{
    uint32_t count[4] = {0};
    bool is_or = p->kind == PLAN_OR;
    switch (p->kind) {
    case PLAN_NOT:
        return truth_not(walk(w, p->children[0]));
    case PLAN_AND:
    case PLAN_OR:
        for (uint32_t i = 0; i < p->child_count && !w->given_up; i++) {
            condition_truth t = walk(w, p->children[i]);
            count[is_or ? truth_not(t) : t]++;
            if (count[TRUTH_FALSE])
                break; /* what follows is not read */
        }
        return is_or ? truth_not(truth_of_counts(count)) : truth_of_counts(count);
    case PLAN_STATIC:
        if (p->expr->kind == CEL_EXPR_CONST && p->expr->value.kind == CEL_BOOL)
            return p->expr->value.b ? TRUTH_TRUE : TRUTH_FALSE;
        break;
    case PLAN_EACH:
    case PLAN_OPAQUE:
        break;
    default:
        return walk_comparison(w, p);
    }
    w->given_up = true;
    return TRUTH_ERROR;
}

/* The whole text anew: its value, and what was read into r's notes. */
static mandate_status evaluate(condition_index *x, condition_template *t, mandate_slice text, reading *r, term_list *list,
                               condition_truth *value, mandate_error *err)
{
    walker w = {.index = x, .claims = r->claims, .reading = r};
    condition_template *own = NULL;
    mandate_status s = MANDATE_OK;
    bool fits = template_literals(x, t, text, &w.literals);
    assert(fits);
    arena_reset(&x->scratch);
    if (t->variants) {
        *value = walk(&w, t->root);
        if (!w.given_up)
            return MANDATE_OK;
        list->count = list->total = 0;
    }
    if (w.literals) {
        s = template_exact(&own, x, text, err);
        t = own;
    }
    if (s)
        return s;
    arena_reset(&x->scratch);
    *value = truth_of_value(condition_run(x, t->program, r, NULL, &x->scratch));
    if (own)
        condition_template_release(x, own);
    return MANDATE_OK;
}

mandate_status condition_evidence(condition_index *x, condition_template *t, mandate_slice text, const claims *c, arena *a,
                                  condition_truth *value, transition_term **terms, uint32_t *count, uint32_t *total,
                                  mandate_error *err)
{
    /* Not in `a`: an event may end many thousand mandates at once, and most read one or two cells. */
    transition_term found[LIMIT_EVIDENCE_TERMS] __attribute__((uninitialized));
    const context_entity *entities[LIMIT_EVIDENCE_TERMS] __attribute__((uninitialized));
    uint16_t fields[LIMIT_EVIDENCE_TERMS] __attribute__((uninitialized));
    term_list list = {.index = x, .memory = a, .terms = found, .entities = entities, .fields = fields};
    reading r = {.index = x, .claims = c, .note = note_term, .note_ctx = &list};
    mandate_status s = evaluate(x, t, text, &r, &list, value, err);
    if (s)
        return s;
    *terms = ARENA_ARRAY(a, transition_term, list.count);
    if (r.failed || (list.count && !*terms))
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory while collecting evidence");
    if (list.count)
        memcpy(*terms, found, list.count * sizeof(*found));
    *count = list.count;
    *total = list.total;
    return MANDATE_OK;
}

/* --- unobservable ------------------------------------------------------------------------------------------ */
typedef struct name_list {
    const schema *schema;
    arena *memory;
    VEC(mandate_slice) names;
    bool failed;
} name_list;

static void add_name(name_list *out, const schema_type *t, const schema_field *f)
{
    mandate_slice name = arena_printf(out->memory, "%s.%s", t->name, f->name);
    for (uint32_t i = 0; i < out->names.len; i++)
        if (mandate_slice_eq(out->names.data[i], name))
            return;
    out->failed |= !name.ptr || !VEC_PUSH(&out->names, name);
}

/* An inverse is supplied when the reference that fills it is. */
static bool is_supplied(const schema *s, const schema_field *f)
{
    return f->kind == SCHEMA_INVERSE ? schema_type_at(s, f->target)->fields[f->inverse].supplied : f->supplied;
}

static void find_unsupplied(name_list *out, const cel_expr *e)
{
    if (!e)
        return;
    if (e->kind == CEL_EXPR_SELECT && e->field != CEL_REF_NONE && e->operand->type->kind == CEL_TYPE_OBJECT &&
        e->operand->type->object < schema_type_count(out->schema)) {
        const schema_type *t = schema_type_at(out->schema, e->operand->type->object);
        if (!is_supplied(out->schema, &t->fields[e->field]))
            add_name(out, t, &t->fields[e->field]);
    }
    find_unsupplied(out, e->operand);
    for (uint32_t i = 0; i < e->arg_count; i++)
        find_unsupplied(out, e->args[i]);
    if (e->comprehension) {
        find_unsupplied(out, e->comprehension->range);
        find_unsupplied(out, e->comprehension->init);
        find_unsupplied(out, e->comprehension->condition);
        find_unsupplied(out, e->comprehension->step);
        find_unsupplied(out, e->comprehension->result);
    }
}

mandate_status condition_unobservable(condition_index *x, condition_template *t, arena *a, mandate_slice **paths,
                                      uint32_t *count, mandate_error *err)
{
    name_list list = {.schema = context_schema(x->graph), .memory = a};
    find_unsupplied(&list, t->ast->root);
    mandate_slice *out = ARENA_ARRAY(a, mandate_slice, list.names.len + 1);
    if (out && list.names.len)
        memcpy(out, list.names.data, list.names.len * sizeof(*out));
    *paths = out;
    *count = list.names.len;
    VEC_FREE(&list.names);
    return out && !list.failed ? MANDATE_OK : mandate_error_set(err, MANDATE_NOMEM, "out of memory");
}

/* --- the tree ---------------------------------------------------------------------------------------------- */
typedef struct explainer {
    condition_index *index;
    condition_template *t;
    const claims *claims;
    buf *out;
    arena memory;
    mandate_status status;
    mandate_error *err;
} explainer;

static void put_read(explainer *ex, const transition_term *term)
{
    const schema *s = context_schema(ex->index->graph);
    char at[TIME_TEXT_MAX];
    buf_put_str(ex->out, "{\"path\":");
    buf_put_json_string(ex->out, term->path);
    buf_put_str(ex->out, ",\"value\":");
    if (term->value.kind == CEL_UNKNOWN)
        buf_put_str(ex->out, "null,\"unknown\":true");
    else
        cel_to_json(ex->out, term->value);
    if (term->observed) {
        const change_origin *o = &term->origin;
        buf_put_str(ex->out, ",\"source\":");
        buf_put_json_string(ex->out, mandate_slice_str(schema_source_name(s, o->source)));
        buf_put_str(ex->out, ",\"topic\":");
        buf_put_json_string(ex->out, mandate_slice_str(schema_topic_name(s, o->topic)));
        buf_printf(ex->out, ",\"partition\":%d,\"offset\":%lld,\"seq\":%llu", o->partition, (long long)o->offset,
                   (unsigned long long)o->seq);
        if (o->event_time_us != CHANGE_NO_TIME)
            buf_printf(ex->out, ",\"event_time\":\"%.*s\"", (int)time_format_us(at, o->event_time_us), at);
        if (o->version)
            buf_printf(ex->out, ",\"version\":%llu", (unsigned long long)(o->version - 1));
    }
    buf_put_char(ex->out, '}');
}

static void put_value(explainer *ex, const plan *p, term_list *list)
{
    const cel_env *env = schema_env(context_schema(ex->index->graph));
    cel_program *program = NULL;
    reading r = {.index = ex->index, .claims = ex->claims, .note = list ? note_term : NULL, .note_ctx = list};
    ex->status = cel_compile_expr(&program, env, ex->t->ast, p->expr, ex->err);
    if (ex->status)
        return;
    arena_reset(&ex->index->scratch);
    cel_value v = condition_run(ex->index, program, &r, NULL, &ex->index->scratch);
    buf_printf(ex->out, "\"value\":\"%s\"", truth_names[truth_of_value(v)]);
    if (v.kind == CEL_ERROR) {
        buf_put_str(ex->out, ",\"error\":");
        buf_put_json_string(ex->out, v.error->message);
    }
    cel_program_destroy(program);
}

static void put_plan(explainer *ex, const plan *p)
{
    static const char *const ops[] = {[PLAN_AND] = "and", [PLAN_OR] = "or", [PLAN_NOT] = "not"};
    bool inner = p->kind == PLAN_AND || p->kind == PLAN_OR || p->kind == PLAN_NOT;
    buf text;
    term_list list;
    if (ex->status)
        return;
    buf_init(&text);
    cel_print(&text, p->expr);
    buf_printf(ex->out, "{\"op\":\"%s\",\"text\":", inner ? ops[p->kind] : "term");
    buf_put_json_string(ex->out, buf_slice(&text));
    buf_put_char(ex->out, ',');
    buf_deinit(&text);
    if (!inner && !term_list_init(&list, ex->index, &ex->memory)) {
        ex->status = mandate_error_set(ex->err, MANDATE_NOMEM, "out of memory while explaining");
        return;
    }
    put_value(ex, p, inner ? NULL : &list);
    if (inner) {
        buf_put_str(ex->out, ",\"children\":[");
        for (uint32_t i = 0; i < p->child_count; i++) {
            buf_put_str(ex->out, i ? "," : "");
            put_plan(ex, p->children[i]);
        }
        buf_put_char(ex->out, ']');
    } else {
        buf_put_str(ex->out, ",\"reads\":[");
        for (uint32_t i = 0; i < list.count; i++) {
            buf_put_str(ex->out, i ? "," : "");
            put_read(ex, &list.terms[i]);
        }
        buf_put_char(ex->out, ']');
    }
    buf_put_char(ex->out, '}');
}

mandate_status condition_explain(condition_index *x, condition_template *t, mandate_slice text, const claims *c, buf *out,
                                 mandate_error *err)
{
    condition_template *own;
    mandate_status s = template_exact(&own, x, text, err); /* programs of parts need the text's own constants */
    if (s)
        return s;
    explainer ex = {.index = x, .t = own, .claims = c, .out = out, .err = err};
    arena_init(&ex.memory, 0);
    put_plan(&ex, own->root);
    arena_deinit(&ex.memory);
    condition_template_release(x, own);
    if (out->failed && ex.status == MANDATE_OK)
        ex.status = mandate_error_set(err, MANDATE_NOMEM, "out of memory while explaining");
    return ex.status;
}

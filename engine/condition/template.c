/* SPDX-License-Identifier: Apache-2.0 */
/*
 * template - a condition text: parsed, checked, compiled and planned once, shared by every mandate that has it, or one that
 * differs from it in plain constants only.
 */
#include "engine/condition/cohort.h"

#include "engine/base/hash.h"
#include "engine/cel/certain.h"
#include "engine/cel/cost.h"
#include "engine/limits.h"

#include <assert.h>
#include <stdlib.h>

static bool template_eq(const void *ctx, uint32_t handle, const void *key)
{
    const condition_template *t = ((const condition_index *)ctx)->template_list.data[handle];
    return mandate_slice_eq(t->text, *(const mandate_slice *)key);
}

static bool skeleton_eq(const void *ctx, uint32_t handle, const void *key)
{
    const condition_template *t = ((const condition_index *)ctx)->template_list.data[handle];
    return t->skeleton.len && mandate_slice_eq(t->skeleton, *(const mandate_slice *)key);
}

static uint64_t skeleton_hash(mandate_slice skeleton) { return hash_mix(hash_slice(skeleton), 0x11f7); }

static void template_destroy(condition_index *x, condition_template *t)
{
    if (!t)
        return;
    shapes_release(x, t);
    plan_destroy(t->root);
    cel_program_destroy(t->program);
    cel_ast_destroy(t->ast);
    arena_deinit(&t->memory);
    free(t);
}

/* The compiler's report, with carets, as the error's text. */
static mandate_status report(const cel_issues *issues, mandate_slice text, mandate_status status, mandate_error *err)
{
    buf b;
    if (issues->count == 0 || !err)
        return status;
    buf_init(&b);
    cel_issues_print(&b, issues, text);
    while (b.len && b.data[b.len - 1] == '\n')
        b.len--;
    mandate_error_set_at(err, status, issues->items[0].line, issues->items[0].column, "%s", buf_cstr(&b));
    buf_deinit(&b);
    return status;
}

static mandate_status template_create(condition_template **out, condition_index *x, mandate_slice text, mandate_error *err)
{
    const cel_env *env = schema_env(context_schema(x->graph));
    condition_template *t = calloc(1, sizeof(*t));
    cel_issues issues;
    mandate_status s;
    if (!t)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory while compiling a condition");
    arena_init(&t->memory, 0);
    cel_issues_init(&issues);
    t->text = arena_dup(&t->memory, text);
    s = cel_parse(&t->ast, env, text, &issues, err);
    if (s == MANDATE_OK)
        s = cel_check(t->ast, env, cel_type_simple(CEL_TYPE_BOOL), &issues, err);
    if (s == MANDATE_OK)
        s = cel_certain_check(t->ast, env, &issues, err);
    if (s == MANDATE_OK)
        s = cel_cost_check(t->ast, env, NULL, LIMIT_CEL_COST, &issues, err);
    if (s == MANDATE_OK)
        s = cel_compile(&t->program, env, t->ast, err);
    if (s == MANDATE_OK)
        s = plan_create(x, t, err);
    if (s == MANDATE_OK && !shape_create(x, t, 0))
        s = mandate_error_set(err, MANDATE_NOMEM, "out of memory while compiling a condition");
    if (s != MANDATE_OK) {
        s = report(&issues, text, s, err);
        template_destroy(x, t);
    } else {
        t->sources = sources_of_template(x, t);
        *out = t;
    }
    cel_issues_deinit(&issues);
    return s;
}

/* --- lifting ---------------------------------------------------------------------------------------------------- */
/* Gives a constant its literal; counts those that have one. */
static void number_literal(const lift *l, static_expr *e, uint64_t *seen)
{
    if (!e->expr || !e->is_const)
        return;
    e->literal = lift_find(l, e->expr->begin, e->expr->end, e->value);
    if (e->literal < LIFT_MAX)
        *seen |= UINT64_C(1) << e->literal;
}

static void number_literals(const lift *l, plan *p, uint64_t *seen)
{
    number_literal(l, &p->key, seen);
    if (p->item_count == 0)
        number_literal(l, &p->constant, seen);
    for (uint32_t i = 0; i < p->item_count; i++)
        number_literal(l, &p->items[i], seen);
    for (uint32_t i = 0; i < p->child_count; i++)
        number_literals(l, p->children[i], seen);
}

static void forget_literals(plan *p)
{
    p->key.literal = p->constant.literal = LIFT_MAX;
    for (uint32_t i = 0; i < p->item_count; i++)
        p->items[i].literal = LIFT_MAX;
    for (uint32_t i = 0; i < p->child_count; i++)
        forget_literals(p->children[i]);
}

/* Lets the template stand for every text with the skeleton of its own: when each literal is a key or a constant of an atom. */
static void template_lift(condition_index *x, condition_template *t)
{
    uint64_t seen = 0;
    if (!t->variants || !lift_text(&x->lifted, t->text))
        return;
    number_literals(&x->lifted, t->root, &seen);
    if (seen == (x->lifted.count == LIFT_MAX ? UINT64_MAX : (UINT64_C(1) << x->lifted.count) - 1))
        t->skeleton = arena_dup(&t->memory, buf_slice(&x->lifted.skeleton));
    if (t->skeleton.len == 0)
        forget_literals(t->root);
    t->skeleton_hash = skeleton_hash(t->skeleton);
}

bool template_literals(condition_index *x, const condition_template *t, mandate_slice text, const lift_literal **out)
{
    *out = NULL;
    if (mandate_slice_eq(t->text, text))
        return true;
    *out = x->lifted.literals;
    return t->skeleton.len && lift_text(&x->lifted, text) && mandate_slice_eq(t->skeleton, buf_slice(&x->lifted.skeleton));
}

/* --- sharing ---------------------------------------------------------------------------------------------------- */
static mandate_status compile_new(condition_template **out, condition_index *x, mandate_slice text, bool exact,
                                  mandate_error *err)
{
    condition_template *t = NULL;
    mandate_status s = template_create(&t, x, text, err);
    if (s)
        return s;
    if (!exact)
        template_lift(x, t);
    uint32_t handle = x->template_free.len ? x->template_free.data[x->template_free.len - 1] : x->template_list.len;
    uint64_t hash = hash_slice(text);
    /* Room to give the handle back is made now, so that giving back cannot fail. */
    bool ok = (handle < x->template_list.len ||
               (VEC_RESERVE(&x->template_free, handle + 1) && VEC_PUSH(&x->template_list, NULL))) &&
              table_add(&x->templates, hash, handle);
    if (ok && t->skeleton.len && !table_add(&x->templates, t->skeleton_hash, handle)) {
        table_remove(&x->templates, hash, handle);
        ok = false;
    }
    if (!ok) {
        template_destroy(x, t);
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory while compiling a condition");
    }
    if (x->template_free.len && x->template_free.data[x->template_free.len - 1] == handle)
        x->template_free.len--;
    x->template_list.data[handle] = t;
    t->handle = handle;
    t->hash = hash;
    t->refs = 1;
    x->template_count++;
    *out = t;
    return MANDATE_OK;
}

bool condition_reads_mandate(const condition_template *t) { return t->root->mandate_fields != 0; }

uint32_t condition_template_handle(const condition_template *t) { return t->handle; }

condition_template *condition_template_at(const condition_index *x, uint32_t handle)
{
    assert(handle < x->template_list.len && x->template_list.data[handle]);
    return x->template_list.data[handle];
}

static bool found(condition_template **out, condition_index *x, uint32_t handle)
{
    if (handle == TABLE_NONE)
        return false;
    *out = x->template_list.data[handle];
    (*out)->refs++;
    return true;
}

mandate_status condition_compile(condition_template **out, condition_index *x, mandate_slice text, mandate_error *err)
{
    if (found(out, x, table_find(&x->templates, hash_slice(text), template_eq, x, &text)))
        return MANDATE_OK;
    if (lift_text(&x->lifted, text)) {
        mandate_slice skeleton = buf_slice(&x->lifted.skeleton);
        if (found(out, x, table_find(&x->templates, skeleton_hash(skeleton), skeleton_eq, x, &skeleton)))
            return MANDATE_OK;
    }
    return compile_new(out, x, text, false, err);
}

mandate_status template_exact(condition_template **out, condition_index *x, mandate_slice text, mandate_error *err)
{
    if (found(out, x, table_find(&x->templates, hash_slice(text), template_eq, x, &text)))
        return MANDATE_OK;
    return compile_new(out, x, text, true, err);
}

void condition_template_release(condition_index *x, condition_template *t)
{
    assert(t->refs > 0);
    if (--t->refs)
        return;
    table_remove(&x->templates, t->hash, t->handle);
    if (t->skeleton.len)
        table_remove(&x->templates, t->skeleton_hash, t->handle);
    x->template_list.data[t->handle] = NULL;
    x->template_free.data[x->template_free.len++] = t->handle;
    x->template_count--;
    template_destroy(x, t);
}

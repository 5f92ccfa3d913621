/* SPDX-License-Identifier: Apache-2.0 */
/* template - one condition text: parsed, checked, compiled and planned once, shared by every mandate that has it. */
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

mandate_slice condition_text(const condition_template *t) { return t->text; }

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
        *out = t;
    }
    cel_issues_deinit(&issues);
    return s;
}

mandate_status condition_compile(condition_template **out, condition_index *x, mandate_slice text, mandate_error *err)
{
    uint64_t hash = hash_slice(text);
    uint32_t handle = table_find(&x->templates, hash, template_eq, x, &text);
    condition_template *t = NULL;
    if (handle != TABLE_NONE) {
        *out = x->template_list.data[handle];
        (*out)->refs++;
        return MANDATE_OK;
    }
    mandate_status s = template_create(&t, x, text, err);
    if (s)
        return s;
    handle = x->template_free.len ? x->template_free.data[x->template_free.len - 1] : x->template_list.len;
    /* Room to give the handle back is made now, so that giving back cannot fail. */
    if ((handle == x->template_list.len &&
         (!VEC_RESERVE(&x->template_free, handle + 1) || !VEC_PUSH(&x->template_list, NULL))) ||
        !table_add(&x->templates, hash, handle)) {
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

void condition_template_release(condition_index *x, condition_template *t)
{
    assert(t->refs > 0);
    if (--t->refs)
        return;
    table_remove(&x->templates, t->hash, t->handle);
    x->template_list.data[t->handle] = NULL;
    x->template_free.data[x->template_free.len++] = t->handle;
    x->template_count--;
    template_destroy(x, t);
}

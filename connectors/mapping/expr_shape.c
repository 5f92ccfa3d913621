/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expr_shape - expressions that need no program to run: plain paths, and comparisons of one with constant texts.
 *
 *   after.status   value["po-number"]                       a path
 *   op == "d"   after.kind != "test"   op in ["c", "u"]     a test of a path
 *
 * The program is there beside it, and runs whenever a value is not of the kind that the shape expects.
 */
#include "connectors/mapping/connector_int.h"

const cel_expr *expr_path_step(const cel_expr *e, mandate_slice *key)
{
    if (e->kind == CEL_EXPR_SELECT && !e->test_only && e->operand) {
        *key = e->name;
        return e->operand;
    }
    if (e->kind == CEL_EXPR_CALL && e->op == CEL_OP_INDEX && !e->operand && e->arg_count == 2 &&
        e->args[1]->kind == CEL_EXPR_CONST && e->args[1]->value.kind == CEL_STRING) {
        *key = cel_text(e->args[1]->value);
        return e->args[0];
    }
    return NULL;
}

/* Recognises variable(.name | ["name"])*. */
static bool take_path(map_path *out, bool *is_path, arena *a, const cel_expr *root)
{
    mandate_slice key;
    uint32_t count = 0;
    const cel_expr *e = root, *next;
    while ((next = expr_path_step(e, &key))) {
        e = next;
        count++;
    }
    if (e->kind != CEL_EXPR_IDENT || e->var >= DOCUMENT_VARIABLE_COUNT)
        return true;
    cel_value *keys = ARENA_ARRAY(a, cel_value, count ? count : 1);
    out->hints = ARENA_ARRAY(a, _Atomic uint32_t, count ? count : 1);
    if (!keys || !out->hints)
        return false;
    e = root;
    for (uint32_t i = count; i-- > 0;) {
        e = expr_path_step(e, &key);
        key = arena_dup(a, key);
        if (!key.ptr)
            return false;
        keys[i] = cel_string(key);
    }
    *is_path = true;
    out->variable = e->var;
    out->keys = keys;
    out->key_count = count;
    return true;
}

static bool add_text(map_test *t, cel_value *texts, arena *a, const cel_expr *e)
{
    mandate_slice text = arena_dup(a, cel_text(e->value));
    texts[t->count++] = cel_string(text);
    return text.ptr != NULL;
}

static bool is_text(const cel_expr *e) { return e->kind == CEL_EXPR_CONST && e->value.kind == CEL_STRING; }

/* Recognises path == "text", path != "text", path in ["text", ...]. */
static bool take_test(map_expr *out, arena *a, const cel_expr *root)
{
    map_test t = {.kind = root->op == CEL_OP_EQ ? TEST_EQUAL : root->op == CEL_OP_NE ? TEST_DIFFERENT : TEST_AMONG};
    if (root->kind != CEL_EXPR_CALL || (root->op != CEL_OP_EQ && root->op != CEL_OP_NE && root->op != CEL_OP_IN) ||
        root->operand || root->arg_count != 2)
        return true;
    const cel_expr *against = root->args[1], *const *items = &against;
    uint32_t count = 1;
    bool is_path = false;
    if (root->op == CEL_OP_IN) {
        if (against->kind != CEL_EXPR_LIST || against->optional_mask)
            return true;
        items = (const cel_expr *const *)against->args;
        count = against->arg_count;
    }
    for (uint32_t i = 0; i < count; i++)
        if (!is_text(items[i]))
            return true;
    if (!take_path(&t.path, &is_path, a, root->args[0]))
        return false;
    cel_value *texts = ARENA_ARRAY(a, cel_value, count ? count : 1);
    if (!texts)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (!add_text(&t, texts, a, items[i]))
            return false;
    t.texts = texts;
    if (is_path)
        out->test = t;
    return true;
}

bool expr_take_shape(map_expr *out, arena *a, const cel_expr *root)
{
    return take_path(&out->path, &out->is_path, a, root) && take_test(out, a, root);
}

bool map_test_decide(bool *out, const map_test *t, cel_value v)
{
    if (v.kind != CEL_STRING)
        return false;
    bool among = false;
    for (uint32_t i = 0; i < t->count && !among; i++)
        among = t->texts[i].len == v.len && memcmp(t->texts[i].s, v.s, v.len) == 0;
    *out = among != (t->kind == TEST_DIFFERENT);
    return true;
}

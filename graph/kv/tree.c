/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree - the persistent treap behind the memory backend.
 *
 * A node may be changed in place when nobody else holds it (one reference, ours); otherwise it is
 * copied first. Keys and values sit in a second counted block, so copying a node copies no bytes.
 * The expected depth is logarithmic; recursion follows it.
 */
#include "graph/kv/tree.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "engine/base/hash.h"

typedef struct item {
    atomic_uint refs;
    uint32_t key_len;
    size_t value_len;
    char bytes[]; /* key, value */
} item;

struct tree {
    atomic_uint refs;
    uint64_t priority;
    item *item;
    tree *left, *right;
};

static item *item_new(mandate_slice key, mandate_slice value)
{
    item *it = malloc(sizeof(*it) + key.len + value.len);
    if (!it)
        return NULL;
    atomic_init(&it->refs, 1);
    it->key_len = (uint32_t)key.len;
    it->value_len = value.len;
    if (key.len)
        memcpy(it->bytes, key.ptr, key.len);
    if (value.len)
        memcpy(it->bytes + key.len, value.ptr, value.len);
    return it;
}

static void item_unref(item *it)
{
    if (atomic_fetch_sub(&it->refs, 1) == 1)
        free(it);
}

tree *tree_ref(tree *t)
{
    if (t)
        atomic_fetch_add(&t->refs, 1);
    return t;
}

void tree_unref(tree *t)
{
    if (!t || atomic_fetch_sub(&t->refs, 1) != 1)
        return;
    tree_unref(t->left);
    tree_unref(t->right);
    item_unref(t->item);
    free(t);
}

mandate_slice tree_key(const tree *node) { return mandate_slice_of(node->item->bytes, node->item->key_len); }

mandate_slice tree_value(const tree *node)
{
    return mandate_slice_of(node->item->bytes + node->item->key_len, node->item->value_len);
}

/* Consumes the reference to `it`. */
static tree *node_new(item *it, bool *failed)
{
    tree *t = calloc(1, sizeof(*t));
    if (!t) {
        item_unref(it);
        *failed = true;
        return NULL;
    }
    atomic_init(&t->refs, 1);
    t->item = it;
    t->priority = hash_slice(tree_key(t));
    return t;
}

/* Consumes the reference to `t` and returns a node that nobody else sees, or NULL (t is kept). */
static tree *node_own(tree *t, bool *failed)
{
    if (atomic_load(&t->refs) == 1)
        return t;
    tree *copy = calloc(1, sizeof(*copy));
    if (!copy) {
        *failed = true;
        return NULL;
    }
    atomic_init(&copy->refs, 1);
    copy->priority = t->priority;
    copy->item = t->item;
    atomic_fetch_add(&copy->item->refs, 1);
    copy->left = tree_ref(t->left);
    copy->right = tree_ref(t->right);
    tree_unref(t);
    return copy;
}

static tree *rotate_right(tree *t)
{
    tree *up = t->left;
    t->left = up->right;
    up->right = t;
    return up;
}

static tree *rotate_left(tree *t)
{
    tree *up = t->right;
    t->right = up->left;
    up->left = t;
    return up;
}

/* Consumes t and it. A child that rises was made or owned by this very edit, so it may be changed. */
static tree *insert(tree *t, item *it, bool *failed)
{
    if (!t)
        return node_new(it, failed);
    tree *own = node_own(t, failed);
    if (!own) {
        item_unref(it);
        return t;
    }
    int c = mandate_slice_cmp(mandate_slice_of(it->bytes, it->key_len), tree_key(own));
    if (c == 0) {
        item_unref(own->item);
        own->item = it;
    } else if (c < 0) {
        own->left = insert(own->left, it, failed);
        if (!*failed && own->left->priority > own->priority)
            own = rotate_right(own);
    } else {
        own->right = insert(own->right, it, failed);
        if (!*failed && own->right->priority > own->priority)
            own = rotate_left(own);
    }
    return own;
}

tree *tree_put(tree *t, mandate_slice key, mandate_slice value, bool *failed)
{
    item *it = *failed ? NULL : item_new(key, value);
    if (!it) {
        *failed = true;
        return t;
    }
    return insert(t, it, failed);
}

/* Every key of `left` is below every key of `right`; consumes both. */
static tree *merge(tree *left, tree *right, bool *failed)
{
    if (!left || !right)
        return left ? left : right;
    bool left_rises = left->priority > right->priority;
    tree *own = node_own(left_rises ? left : right, failed);
    if (!own) {
        tree_unref(right);
        return left;
    }
    if (left_rises)
        own->right = merge(own->right, right, failed);
    else
        own->left = merge(left, own->left, failed);
    return own;
}

static tree *erase(tree *t, mandate_slice key, bool *failed)
{
    tree *own = node_own(t, failed);
    if (!own)
        return t;
    int c = mandate_slice_cmp(key, tree_key(own));
    if (c < 0) {
        own->left = erase(own->left, key, failed);
    } else if (c > 0) {
        own->right = erase(own->right, key, failed);
    } else {
        tree *left = own->left, *right = own->right;
        own->left = own->right = NULL;
        tree_unref(own);
        return merge(left, right, failed);
    }
    return own;
}

tree *tree_delete(tree *t, mandate_slice key, bool *failed)
{
    return !*failed && tree_find(t, key) ? erase(t, key, failed) : t;
}

/* --- looking ------------------------------------------------------------------------------------ */
const tree *tree_find(const tree *t, mandate_slice key)
{
    while (t) {
        int c = mandate_slice_cmp(key, tree_key(t));
        if (c == 0)
            return t;
        t = c < 0 ? t->left : t->right;
    }
    return NULL;
}

/* First key above `key`, or equal to it when `equal`. */
static const tree *first(const tree *t, mandate_slice key, bool equal)
{
    const tree *found = NULL;
    while (t) {
        int c = mandate_slice_cmp(tree_key(t), key);
        if (c > 0 || (c == 0 && equal)) {
            found = t;
            t = t->left;
        } else {
            t = t->right;
        }
    }
    return found;
}

const tree *tree_first_from(const tree *t, mandate_slice key) { return first(t, key, true); }

const tree *tree_first_after(const tree *t, mandate_slice key) { return first(t, key, false); }

const tree *tree_last_until(const tree *t, mandate_slice key)
{
    const tree *found = NULL;
    while (t) {
        if (mandate_slice_cmp(tree_key(t), key) <= 0) {
            found = t;
            t = t->right;
        } else {
            t = t->left;
        }
    }
    return found;
}

const tree *tree_last(const tree *t)
{
    while (t && t->right)
        t = t->right;
    return t;
}

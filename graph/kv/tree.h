/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tree - a sorted map from bytes to bytes whose old versions stay readable: the memory backend's space.
 *
 * A persistent treap: an edit copies the path it changes and shares the rest, so a snapshot is one
 * reference to a root and costs nothing. References are counted atomically; a root may be read by any
 * thread that holds one. Priorities are a hash of the key, so the shape depends on the contents alone.
 */
#ifndef MANDATE_GRAPH_KV_TREE_H
#define MANDATE_GRAPH_KV_TREE_H

#include "mandate/mandate.h"

typedef struct tree tree; /* a root; NULL is the empty map */

tree *tree_ref(tree *t);
void tree_unref(tree *t);

/* Both consume the reference `t` and return the edited map. Out of memory sets *failed: the map
 * returned is then fit for tree_unref only. */
tree *tree_put(tree *t, mandate_slice key, mandate_slice value, bool *failed);
tree *tree_delete(tree *t, mandate_slice key, bool *failed);

/* Nodes; valid while a reference to the root is held. NULL when there is none. */
const tree *tree_find(const tree *t, mandate_slice key);
const tree *tree_first_from(const tree *t, mandate_slice key);  /* first key >= */
const tree *tree_first_after(const tree *t, mandate_slice key); /* first key > */
const tree *tree_last_until(const tree *t, mandate_slice key);  /* last key <= */
const tree *tree_last(const tree *t);
mandate_slice tree_key(const tree *node);
mandate_slice tree_value(const tree *node);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slots - making a layout: small, made once for a connector.
 */
#include "connectors/decode/slots.h"

#include <string.h>

void slot_layout_init(slot_layout *l) { *l = (slot_layout){.nodes = 1}; }

static uint64_t head_of(mandate_slice key)
{
    uint64_t head = 0;
    memcpy(&head, key.ptr, key.len < 8 ? key.len : 8);
    return head;
}

static slot_node *find(slot_node *parent, mandate_slice key)
{
    for (uint32_t i = 0; i < parent->count; i++)
        if (mandate_slice_eq(parent->children[i].key, key))
            return &parent->children[i];
    return NULL;
}

const slot_node *slot_find(const slot_node *parent, mandate_slice key) { return find((slot_node *)parent, key); }

slot_node *slot_child(slot_layout *l, arena *a, slot_node *parent, mandate_slice key, slot_use use)
{
    slot_node *found = find(parent, key);
    if (found && found->use == SLOT_PASSED && use == SLOT_VALUE) {
        found->use = SLOT_VALUE;
        found->slot = (uint8_t)l->slots++;
    }
    if (found)
        return found->use == use || use == SLOT_PASSED ? found : NULL;
    if (l->nodes == SLOT_NODES_MAX || l->slots == SLOTS_MAX)
        return NULL;
    if (!parent->children && !(parent->children = ARENA_ARRAY(a, slot_node, SLOT_NODES_MAX)))
        return NULL;
    slot_node *n = &parent->children[parent->count++];
    *n = (slot_node){.use = use, .number = (uint8_t)l->nodes++, .key = key, .head = head_of(key)};
    if (use == SLOT_VALUE)
        n->slot = (uint8_t)l->slots++;
    return n;
}

bool slot_add(slot_layout *l, arena *a, slot_node *node, const projection *p)
{
    if (!p)
        return true;
    if (p->all)
        return false;
    for (uint32_t i = 0; i < p->count; i++) {
        const projection *below = p->children[i].below;
        slot_node *child = slot_child(l, a, node, p->children[i].key, below->all ? SLOT_VALUE : SLOT_INNER);
        if (!child || (!below->all && !slot_add(l, a, child, below)))
            return false;
    }
    return true;
}

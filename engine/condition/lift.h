/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lift - texts that differ in plain constants only share one template: their literals are lifted out.
 *
 *   crm.deal["D-17"].amount < 500 && crm.deal["D-17"].open          literals  "D-17", 500, "D-17"
 *   crm.deal[$0s].amount < $1i && crm.deal[$0s].open                skeleton
 *
 * Equal literals have equal numbers, so a skeleton says which are equal, and its kind letter keeps `< 5` and `< 5.0` apart.
 * Only literals that stand alone beside a comparison, in a list behind `in`, or as the key of a table are lifted; whatever is
 * part of an expression (arguments, arithmetic, mandate.params["x"]) stays in the skeleton as written.
 */
#ifndef MANDATE_ENGINE_CONDITION_LIFT_H
#define MANDATE_ENGINE_CONDITION_LIFT_H

#include "engine/base/buf.h"
#include "engine/cel/value.h"

enum { LIFT_MAX = 64 }; /* literals; a text with more keeps them */

typedef struct lift_literal {
    cel_value value;     /* with its sign */
    uint32_t begin, end; /* in the text, without its sign */
} lift_literal;

/* The last text that was looked at. */
typedef struct lift {
    buf text, skeleton;
    arena memory; /* decoded strings */
    lift_literal literals[LIFT_MAX];
    uint32_t count;
    bool done; /* skeleton and literals are those of text */
} lift;

void lift_init(lift *l);
void lift_deinit(lift *l);
/* False when the text cannot be taken apart (its compilation will say why) or has no literal to lift. Valid until the next call. */
bool lift_text(lift *l, mandate_slice text);
/* The literal that is the whole of a sub-expression with this extent and value, or LIFT_MAX. */
uint32_t lift_find(const lift *l, uint32_t begin, uint32_t end, cel_value value);

#endif

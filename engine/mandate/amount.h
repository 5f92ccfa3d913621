/* SPDX-License-Identifier: Apache-2.0 */
/*
 * amount - what a budget counts in: decimals of up to 18 digits before the point and 18 behind it, exact. No floating point
 * anywhere: 0.1 three times is 0.3. Never negative; what would leave the range is refused, not wrapped.
 */
#ifndef MANDATE_ENGINE_MANDATE_AMOUNT_H
#define MANDATE_ENGINE_MANDATE_AMOUNT_H

#include "engine/base/wire.h"
#include "engine/cel/value.h"

typedef struct budget_amount {
    uint64_t whole, part; /* part: in 10^-18 */
} budget_amount;
#define AMOUNT_WHOLE_MAX UINT64_C(999999999999999999)
#define AMOUNT_UNIT UINT64_C(1000000000000000000)
enum { AMOUNT_TEXT_MAX = 40 };

/* "12", "0.50": digits, at most one point with digits on both sides. False otherwise. */
MANDATE_CHECK bool amount_parse(budget_amount *out, mandate_slice text);
/* A whole number, or such a text. A double is refused: it is not what was written. */
MANDATE_CHECK bool amount_from_value(budget_amount *out, cel_value v);
/* False when it is out of range; then *sum is as before. */
MANDATE_CHECK bool amount_add(budget_amount *sum, budget_amount x);
/* What is left of `from` without x; nothing when that is less than nothing. */
budget_amount amount_less(budget_amount from, budget_amount x);
int amount_cmp(budget_amount x, budget_amount y);
static inline bool amount_is_zero(budget_amount x) { return !x.whole && !x.part; }
/* Without needless zeros; returns the length. */
size_t amount_format(char out[AMOUNT_TEXT_MAX], budget_amount x);
void amount_encode(buf *b, budget_amount x);
budget_amount amount_decode(wire_reader *r);

#endif

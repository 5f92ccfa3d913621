/* SPDX-License-Identifier: Apache-2.0 */
/* amount - see amount.h. */
#include "engine/mandate/amount.h"

#include <inttypes.h>
#include <stdio.h>

enum { DIGITS = 18 };

/* Digits at `from`; at most 18 of them, and at least one. */
static bool digits(uint64_t *out, size_t *count, mandate_slice text, size_t from)
{
    size_t i = from;
    *out = 0;
    for (; i < text.len && text.ptr[i] >= '0' && text.ptr[i] <= '9'; i++) {
        if (i - from == DIGITS)
            return false;
        *out = *out * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    *count = i - from;
    return *count > 0;
}

bool amount_parse(budget_amount *out, mandate_slice text)
{
    budget_amount a = {0, 0};
    size_t whole, part = 0;
    if (!digits(&a.whole, &whole, text, 0))
        return false;
    if (whole < text.len && (text.ptr[whole] != '.' || !digits(&a.part, &part, text, whole + 1)))
        return false;
    if (text.len != whole + (part ? part + 1 : 0))
        return false;
    for (size_t i = part; part && i < DIGITS; i++)
        a.part *= 10;
    *out = a;
    return true;
}

bool amount_from_value(budget_amount *out, cel_value v)
{
    if (v.kind == CEL_STRING)
        return amount_parse(out, cel_text(v));
    if (v.kind != CEL_INT || v.i < 0 || (uint64_t)v.i > AMOUNT_WHOLE_MAX)
        return false;
    *out = (budget_amount){(uint64_t)v.i, 0};
    return true;
}

bool amount_add(budget_amount *sum, budget_amount x)
{
    budget_amount s = {sum->whole + x.whole, sum->part + x.part};
    if (s.part >= AMOUNT_UNIT) {
        s.part -= AMOUNT_UNIT;
        s.whole++;
    }
    if (s.whole > AMOUNT_WHOLE_MAX)
        return false;
    *sum = s;
    return true;
}

budget_amount amount_less(budget_amount from, budget_amount x)
{
    if (amount_cmp(from, x) <= 0)
        return (budget_amount){0, 0};
    bool borrow = from.part < x.part;
    return (budget_amount){from.whole - x.whole - borrow, from.part - x.part + (borrow ? AMOUNT_UNIT : 0)};
}

int amount_cmp(budget_amount x, budget_amount y)
{
    if (x.whole != y.whole)
        return x.whole < y.whole ? -1 : 1;
    return x.part == y.part ? 0 : x.part < y.part ? -1 : 1;
}

size_t amount_format(char out[AMOUNT_TEXT_MAX], budget_amount x)
{
    size_t len = (size_t)snprintf(out, AMOUNT_TEXT_MAX, "%" PRIu64, x.whole);
    if (!x.part)
        return len;
    len += (size_t)snprintf(out + len, AMOUNT_TEXT_MAX - len, ".%018" PRIu64, x.part);
    while (out[len - 1] == '0')
        out[--len] = '\0';
    return len;
}

void amount_encode(buf *b, budget_amount x)
{
    wire_put_u64(b, x.whole);
    wire_put_u64(b, x.part);
}

budget_amount amount_decode(wire_reader *r)
{
    budget_amount a = {wire_get_u64(r), 0};
    a.part = wire_get_u64(r);
    r->failed |= a.whole > AMOUNT_WHOLE_MAX || a.part >= AMOUNT_UNIT;
    return a;
}

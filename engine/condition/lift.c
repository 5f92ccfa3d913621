/* SPDX-License-Identifier: Apache-2.0 */
/* lift - see lift.h. One pass over the words of a text, with three words of memory. */
#include "engine/condition/lift.h"

#include "engine/base/text.h"
#include "engine/cel/token.h"
#include "engine/limits.h"

void lift_init(lift *l)
{
    *l = (lift){.count = 0};
    buf_init(&l->text);
    buf_init(&l->skeleton);
    arena_init(&l->memory, 0);
}

void lift_deinit(lift *l)
{
    buf_deinit(&l->text);
    buf_deinit(&l->skeleton);
    arena_deinit(&l->memory);
}

static bool is_literal(cel_token_kind k) { return k >= CEL_TOKEN_INT && k <= CEL_TOKEN_BYTES; }
static bool is_ident(cel_token_kind k) { return k == CEL_TOKEN_IDENT || k == CEL_TOKEN_QUOTED_IDENT; }
static bool is_comparison(cel_token_kind k) { return k >= CEL_TOKEN_LT && k <= CEL_TOKEN_NE; }
/* What may stand before the first word of an operand. */
static bool opens_operand(cel_token_kind k)
{
    return k == CEL_TOKEN_END || k == CEL_TOKEN_LPAREN || k == CEL_TOKEN_AND || k == CEL_TOKEN_OR || k == CEL_TOKEN_NOT;
}

/* Where the pass stands: brackets that are open, and what they are. */
typedef struct place {
    cel_token_kind last, before; /* the two words before this one; END: none */
    bool is_call[LIMIT_CEL_NESTING * 4], is_in_list[LIMIT_CEL_NESTING * 4], is_table[LIMIT_CEL_NESTING * 4];
    uint32_t depth;
    uint32_t calls;        /* open brackets that are argument lists */
    bool chain_is_mandate; /* the names just read begin with `mandate` */
} place;

static bool open_bracket(place *p, cel_token_kind k)
{
    if (p->depth == LIMIT_CEL_NESTING * 4)
        return false;
    bool after_name = is_ident(p->last);
    p->is_call[p->depth] = k == CEL_TOKEN_LBRACE || (k == CEL_TOKEN_LPAREN && after_name);
    p->is_in_list[p->depth] = k == CEL_TOKEN_LBRACKET && p->last == CEL_TOKEN_IN;
    p->is_table[p->depth] = k == CEL_TOKEN_LBRACKET && after_name && !p->chain_is_mandate;
    p->calls += p->is_call[p->depth];
    p->depth++;
    return true;
}

static bool close_bracket(place *p)
{
    if (p->depth == 0)
        return false;
    p->calls -= p->is_call[--p->depth];
    return true;
}

static void follow_chain(place *p, const cel_token *t)
{
    if (is_ident(t->kind) && p->last != CEL_TOKEN_DOT)
        p->chain_is_mandate = mandate_slice_eq(t->text, mandate_slice_str("mandate"));
}

/* Does a literal that begins here stand alone, as far as the words before it say? `sign`: a minus stands before it. */
static bool stands_alone(const place *p, bool sign, cel_token_kind next)
{
    cel_token_kind previous = sign ? p->before : p->last;
    if (p->calls)
        return false;
    if (is_comparison(previous))
        return true;
    if (p->depth && p->is_in_list[p->depth - 1] && (previous == CEL_TOKEN_LBRACKET || previous == CEL_TOKEN_COMMA))
        return true;
    if (!sign && p->depth && p->is_table[p->depth - 1] && previous == CEL_TOKEN_LBRACKET && next == CEL_TOKEN_RBRACKET)
        return true;
    return opens_operand(previous) && is_comparison(next);
}

static bool literal_value(const cel_token *t, bool sign, cel_value *out)
{
    switch (t->kind) {
    case CEL_TOKEN_INT:
        *out = cel_int((int64_t)(sign ? 0 - t->u : t->u));
        return t->u <= INT64_MAX;
    case CEL_TOKEN_UINT:
        *out = cel_uint(t->u);
        return !sign;
    case CEL_TOKEN_DOUBLE:
        *out = cel_double(sign ? -t->d : t->d);
        return true;
    case CEL_TOKEN_STRING:
        *out = cel_string(t->text);
        return !sign;
    default:
        *out = cel_bytes(t->text);
        return !sign;
    }
}

static bool same_literal(cel_value a, cel_value b) { return a.kind == b.kind && cel_order(a, b) == 0; }

/* Number of the first equal literal. */
static uint32_t number_of(const lift *l, cel_value v)
{
    uint32_t i = 0;
    while (!same_literal(l->literals[i].value, v))
        i++;
    return i;
}

static void put_literal(lift *l, cel_value v)
{
    static const char letters[] = {
        [CEL_INT] = 'i', [CEL_UINT] = 'u', [CEL_DOUBLE] = 'd', [CEL_STRING] = 's', [CEL_BYTES] = 'b'};
    uint32_t n = number_of(l, v);
    buf_put_char(&l->skeleton, '$');
    buf_put_char(&l->skeleton, (char)('0' + n));
    buf_put_char(&l->skeleton, letters[v.kind]);
}

static bool take_apart(lift *l, mandate_slice text)
{
    cel_lexer lex = {.source = text, .memory = &l->memory};
    cel_token t, next;
    place p = {.last = CEL_TOKEN_END, .before = CEL_TOKEN_END};
    if (!cel_lex(&lex, &t))
        return false;
    for (; t.kind != CEL_TOKEN_END; p.before = p.last, p.last = t.kind, t = next) {
        cel_value v;
        bool sign = p.last == CEL_TOKEN_MINUS;
        if (!cel_lex(&lex, &next))
            return false;
        follow_chain(&p, &t);
        buf_put_char(&l->skeleton, ' ');
        if (is_literal(t.kind) && l->count < LIFT_MAX && stands_alone(&p, sign, next.kind) && literal_value(&t, sign, &v)) {
            l->literals[l->count++] = (lift_literal){v, t.begin, t.end};
            put_literal(l, v);
        } else {
            buf_put_slice(&l->skeleton, mandate_slice_of(text.ptr + t.begin, t.end - t.begin));
        }
        if (t.kind == CEL_TOKEN_LPAREN || t.kind == CEL_TOKEN_LBRACKET || t.kind == CEL_TOKEN_LBRACE) {
            if (!open_bracket(&p, t.kind))
                return false;
        } else if (t.kind == CEL_TOKEN_RPAREN || t.kind == CEL_TOKEN_RBRACKET || t.kind == CEL_TOKEN_RBRACE) {
            if (!close_bracket(&p))
                return false;
        }
    }
    return l->count > 0 && !l->skeleton.failed;
}

bool lift_text(lift *l, mandate_slice text)
{
    if (l->text.len && mandate_slice_eq(buf_slice(&l->text), text))
        return l->done;
    arena_reset(&l->memory);
    buf_reset(&l->text);
    buf_reset(&l->skeleton);
    l->count = 0;
    l->done = false;
    if (text.len > LIMIT_CEL_SOURCE || !utf8_valid(text))
        return false;
    buf_put_slice(&l->text, text);
    /* Strings without escapes borrow from what was read: that is our copy. */
    l->done = !l->text.failed && take_apart(l, buf_slice(&l->text));
    return l->done;
}

uint32_t lift_find(const lift *l, uint32_t begin, uint32_t end, cel_value value)
{
    uint32_t found = LIFT_MAX;
    for (uint32_t i = 0; i < l->count; i++) {
        if (l->literals[i].begin < begin || l->literals[i].end > end)
            continue;
        if (found != LIFT_MAX || !same_literal(l->literals[i].value, value))
            return LIFT_MAX;
        found = i;
    }
    return found;
}

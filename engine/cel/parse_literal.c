/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse_literal - lists, maps, messages, and the `?` that makes an entry optional.
 *
 * Entries collect on the parser's stacks and are copied into the tree when their bracket closes, so
 * a literal takes exactly the memory it needs. A trailing comma is legal.
 */
#include "engine/cel/parse_int.h"

/* `?` in front of an entry, a field or an index: only with the optional library. */
bool cel_parse_optional_sign(cel_parser *p, uint32_t offset, const char *as_written, bool *optional)
{
    *optional = p->token.kind == CEL_TOKEN_QUESTION;
    if (*optional && !(p->libraries & CEL_LIB_OPTIONAL))
        cel_parse_report(p, offset, "unsupported syntax '%s': optional values are not enabled here", as_written);
    return !*optional || cel_parse_next(p);
}

typedef struct entries {
    uint32_t base, mark; /* where this literal begins on the stack and among the marks */
    bool any_optional;
} entries;

static entries entries_begin(const cel_parser *p) { return (entries){p->stack.len, p->marks.len, false}; }

static bool entries_add(cel_parser *p, entries *e, cel_expr *expr, bool optional)
{
    if (!expr)
        return false;
    e->any_optional |= optional;
    if (VEC_PUSH(&p->stack, expr) && VEC_PUSH(&p->marks, optional))
        return true;
    p->status = MANDATE_NOMEM;
    return false;
}

/* Whether one more entry may follow. */
static bool entries_room(cel_parser *p, uint32_t count)
{
    if (count < LIMIT_CEL_LIST_LITERAL)
        return true;
    cel_parse_fail(p, MANDATE_LIMIT, p->token.begin, "a literal has more than %d entries", LIMIT_CEL_LIST_LITERAL);
    return false;
}

/* Entry i is made of `stride` nodes; its flag is that of its last. */
static bool entries_end(cel_parser *p, const entries *e, cel_expr *out, uint32_t stride)
{
    uint32_t count = (p->stack.len - e->base) / stride;

    if (e->any_optional) {
        out->optional_mask = ARENA_ARRAY(&p->ast->memory, uint64_t, (count + 63) / 64);
        if (!out->optional_mask) {
            p->status = MANDATE_NOMEM;
            return false;
        }
        for (uint32_t i = 0; i < count; i++)
            if (p->marks.data[e->mark + i * stride + stride - 1])
                out->optional_mask[i / 64] |= (uint64_t)1 << (i % 64);
    }
    p->marks.len = e->mark;
    out->end = p->last_end;
    return cel_parse_pop(p, e->base, &out->args, &out->arg_count);
}

/* After an entry: true when another follows; *ok false when neither a comma nor the end does. */
static bool another(cel_parser *p, cel_token_kind end, bool *ok)
{
    if (p->token.kind == end)
        return false;
    *ok = cel_parse_expect(p, CEL_TOKEN_COMMA);
    return *ok && p->token.kind != end;
}

cel_expr *cel_parse_list(cel_parser *p)
{
    cel_expr *out = cel_node(p, CEL_EXPR_LIST, p->token.begin);
    entries e = entries_begin(p);
    bool ok = true, optional;

    if (!out || !cel_parse_next(p))
        return NULL;
    if (p->token.kind == CEL_TOKEN_COMMA) {
        if (!cel_parse_next(p))
            return NULL;
    } else if (p->token.kind != CEL_TOKEN_RBRACKET) {
        do {
            if (!entries_room(p, p->stack.len - e.base) || !cel_parse_optional_sign(p, p->token.begin, "?", &optional) ||
                !entries_add(p, &e, cel_parse_expr(p), optional))
                return NULL;
        } while (another(p, CEL_TOKEN_RBRACKET, &ok));
    }
    return ok && cel_parse_expect(p, CEL_TOKEN_RBRACKET) && entries_end(p, &e, out, 1) ? out : NULL;
}

cel_expr *cel_parse_map(cel_parser *p)
{
    cel_expr *out = cel_node(p, CEL_EXPR_MAP, p->token.begin);
    entries e = entries_begin(p);
    bool ok = true, optional;

    if (!out || !cel_parse_next(p))
        return NULL;
    if (p->token.kind == CEL_TOKEN_COMMA) {
        if (!cel_parse_next(p))
            return NULL;
    } else if (p->token.kind != CEL_TOKEN_RBRACE) {
        do {
            if (!entries_room(p, (p->stack.len - e.base) / 2) ||
                !cel_parse_optional_sign(p, p->token.begin, "?", &optional) ||
                !entries_add(p, &e, cel_parse_expr(p), optional) || !cel_parse_expect(p, CEL_TOKEN_COLON) ||
                !entries_add(p, &e, cel_parse_expr(p), optional))
                return NULL;
        } while (another(p, CEL_TOKEN_RBRACE, &ok));
    }
    return ok && cel_parse_expect(p, CEL_TOKEN_RBRACE) && entries_end(p, &e, out, 2) ? out : NULL;
}

/* An identifier, or one in backquotes, of a field. */
bool cel_parse_field_name(cel_parser *p, mandate_slice *name)
{
    if (p->token.kind != CEL_TOKEN_QUOTED_IDENT && p->token.kind != CEL_TOKEN_IDENT)
        return cel_parse_expect(p, CEL_TOKEN_IDENT);
    *name = p->token.text;
    return cel_parse_next(p);
}

/* The dotted name that a chain of selections spells, or an empty slice. */
static mandate_slice dotted_name(cel_parser *p, const cel_expr *expr)
{
    mandate_slice names[CEL_TREE_DEPTH_MAX];
    uint32_t count = 0;
    size_t len = 0;
    char *text, *to;

    for (; expr->kind == CEL_EXPR_SELECT && count < CEL_TREE_DEPTH_MAX - 1; expr = expr->operand) {
        if (expr->test_only)
            return mandate_slice_of(NULL, 0);
        names[count++] = expr->name;
        len += expr->name.len + 1;
    }
    if (expr->kind != CEL_EXPR_IDENT)
        return mandate_slice_of(NULL, 0);
    len += expr->name.len;
    text = to = arena_alloc(&p->ast->memory, len + 1);
    if (!text)
        return mandate_slice_of(NULL, 0);
    memcpy(to, expr->name.ptr, expr->name.len);
    to += expr->name.len;
    while (count-- > 0) {
        *to++ = '.';
        memcpy(to, names[count].ptr, names[count].len);
        to += names[count].len;
    }
    return mandate_slice_of(text, len);
}

/* `type` is the chain in front of the brace; its nodes are dropped. */
cel_expr *cel_parse_struct(cel_parser *p, const cel_expr *type)
{
    cel_expr *out = cel_node(p, CEL_EXPR_STRUCT, p->token.begin);
    entries e = entries_begin(p);
    mandate_slice *fields, name;
    uint32_t names = p->names.len, count;
    bool ok = true, optional;

    if (!out)
        return NULL;
    out->begin = type->begin;
    out->name = dotted_name(p, type);
    if (!out->name.ptr) {
        p->status = MANDATE_NOMEM;
        return NULL;
    }
    if (!cel_parse_next(p))
        return NULL;
    if (p->token.kind == CEL_TOKEN_COMMA) {
        if (!cel_parse_next(p))
            return NULL;
    } else if (p->token.kind != CEL_TOKEN_RBRACE) {
        do {
            if (!entries_room(p, p->names.len - names) || !cel_parse_optional_sign(p, p->token.begin, "?", &optional) ||
                !cel_parse_field_name(p, &name) || !cel_parse_expect(p, CEL_TOKEN_COLON) ||
                !entries_add(p, &e, cel_parse_expr(p), optional))
                return NULL;
            if (!VEC_PUSH(&p->names, name)) {
                p->status = MANDATE_NOMEM;
                return NULL;
            }
        } while (another(p, CEL_TOKEN_RBRACE, &ok));
    }
    count = p->names.len - names;
    fields = ARENA_ARRAY(&p->ast->memory, mandate_slice, count ? count : 1);
    if (!fields) {
        p->status = MANDATE_NOMEM;
        return NULL;
    }
    if (count)
        memcpy(fields, p->names.data + names, count * sizeof *fields);
    p->names.len = names;
    out->fields = fields;
    return ok && cel_parse_expect(p, CEL_TOKEN_RBRACE) && entries_end(p, &e, out, 1) ? out : NULL;
}

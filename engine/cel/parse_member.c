/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse_member - literals, names, calls, selections and indexes.
 *
 * A chain of selections is a loop. Whether a dotted name is a variable, a table or a selection is
 * the check's business; here only a name directly before `{` is known to be a message's.
 */
#include "engine/cel/parse_int.h"

/* Arguments up to the closing parenthesis, which is consumed. */
static bool parse_args(cel_parser *p, cel_expr *call)
{
    uint32_t base = p->stack.len;

    if (p->token.kind != CEL_TOKEN_RPAREN) {
        for (;;) {
            cel_expr *arg;

            if (p->stack.len - base >= LIMIT_CEL_ARGS) {
                cel_parse_fail(p, MANDATE_LIMIT, p->token.begin, "a call has more than %d arguments", LIMIT_CEL_ARGS);
                return false;
            }
            arg = cel_parse_expr(p);
            if (!arg)
                return false;
            if (!VEC_PUSH(&p->stack, arg)) {
                p->status = MANDATE_NOMEM;
                return false;
            }
            if (p->token.kind != CEL_TOKEN_COMMA)
                break;
            if (!cel_parse_next(p))
                return false;
        }
    }
    if (!cel_parse_expect(p, CEL_TOKEN_RPAREN))
        return false;
    call->end = p->last_end;
    return cel_parse_pop(p, base, &call->args, &call->arg_count);
}

/* The current token is the opening parenthesis. */
static cel_expr *parse_call(cel_parser *p, cel_expr *target, mandate_slice name, uint32_t begin)
{
    cel_expr *call = cel_node(p, CEL_EXPR_CALL, p->token.begin);

    if (!call)
        return NULL;
    call->begin = begin;
    call->name = name;
    call->operand = target;
    if (!cel_parse_next(p) || !parse_args(p, call))
        return NULL;
    return cel_macro_expand(p, call);
}

/* --- primaries --------------------------------------------------------------- */

static cel_expr *parse_literal(cel_parser *p, bool negative)
{
    cel_token token = p->token;
    cel_value value = cel_null();

    switch (token.kind) {
    case CEL_TOKEN_INT:
        if (!negative && token.u > INT64_MAX)
            return cel_parse_fail(p, MANDATE_INVALID, token.begin, "invalid int literal");
        value = cel_int((int64_t)(negative ? 0 - token.u : token.u));
        break;
    case CEL_TOKEN_UINT:
        value = cel_uint(token.u);
        break;
    case CEL_TOKEN_DOUBLE:
        value = cel_double(negative ? -token.d : token.d);
        break;
    case CEL_TOKEN_STRING:
        value = cel_string(token.text);
        break;
    case CEL_TOKEN_BYTES:
        value = cel_bytes(token.text);
        break;
    case CEL_TOKEN_TRUE:
        value = cel_bool(true);
        break;
    case CEL_TOKEN_FALSE:
        value = cel_bool(false);
        break;
    case CEL_TOKEN_NULL:
        break;
    default:
        return cel_parse_fail(p, MANDATE_INVALID, token.begin, "syntax error: %s where a value is expected",
                              cel_token_name(token.kind));
    }
    return cel_parse_next(p) ? cel_node_const(p, value, token.begin) : NULL;
}

/* The sign of a number where no operator can stand: !-1. */
static cel_expr *parse_negative(cel_parser *p)
{
    uint32_t begin = p->token.begin;

    if (!cel_parse_next(p))
        return NULL;
    if (p->token.kind != CEL_TOKEN_INT && p->token.kind != CEL_TOKEN_DOUBLE) {
        cel_parse_expect(p, CEL_TOKEN_INT);
        return NULL;
    }
    p->token.begin = begin;
    return parse_literal(p, true);
}

/* name, .name, name(args), .name(args) */
static cel_expr *parse_name(cel_parser *p)
{
    uint32_t begin = p->token.begin;
    mandate_slice name;
    bool rooted = p->token.kind == CEL_TOKEN_DOT;

    if (rooted && !cel_parse_next(p))
        return NULL;
    name = p->token.text;
    if (p->token.kind != CEL_TOKEN_IDENT) {
        cel_parse_expect(p, CEL_TOKEN_IDENT);
        return NULL;
    }
    if (cel_token_reserved(name))
        cel_parse_report(p, p->token.begin, "reserved identifier: %.*s", MANDATE_SLICE_ARG(name));
    if (rooted) {
        name = arena_printf(&p->ast->memory, ".%.*s", MANDATE_SLICE_ARG(name));
        if (!name.ptr) {
            p->status = MANDATE_NOMEM;
            return NULL;
        }
    }
    if (!cel_parse_next(p))
        return NULL;
    return p->token.kind == CEL_TOKEN_LPAREN ? parse_call(p, NULL, name, begin) : cel_node_ident(p, name, begin);
}

static cel_expr *parse_parenthesised(cel_parser *p)
{
    uint32_t begin = p->token.begin;
    cel_expr *out;

    if (!cel_parse_next(p) || !(out = cel_parse_inside(p)) || !cel_parse_expect(p, CEL_TOKEN_RPAREN))
        return NULL;
    out->begin = begin;
    out->end = p->last_end;
    return out;
}

/* --- what follows a primary -------------------------------------------------- */

/* .field, .?field, .function(args); the current token is the dot. */
static cel_expr *parse_dot(cel_parser *p, cel_expr *operand)
{
    uint32_t offset = p->token.begin, name_begin;
    mandate_slice name;
    bool optional, quoted;
    cel_expr *out;

    if (!cel_parse_next(p) || !cel_parse_optional_sign(p, offset, ".?", &optional))
        return NULL;
    name_begin = p->token.begin;
    quoted = p->token.kind == CEL_TOKEN_QUOTED_IDENT;
    if (!cel_parse_field_name(p, &name))
        return NULL;
    if (p->token.kind == CEL_TOKEN_LPAREN && !optional && !quoted)
        return parse_call(p, operand, name, operand->begin);
    if (optional)
        return cel_node_call(p, "_?._", offset, 2, operand, cel_node_const(p, cel_string(name), name_begin), NULL);
    out = cel_node(p, CEL_EXPR_SELECT, offset);
    if (out) {
        out->begin = operand->begin;
        out->operand = operand;
        out->name = name;
    }
    return out;
}

static cel_expr *parse_index(cel_parser *p, cel_expr *operand)
{
    uint32_t offset = p->token.begin;
    bool optional;
    cel_expr *index, *out;

    if (!cel_parse_next(p) || !cel_parse_optional_sign(p, offset, "[?", &optional) || !(index = cel_parse_expr(p)) ||
        !cel_parse_expect(p, CEL_TOKEN_RBRACKET))
        return NULL;
    out = cel_node_call(p, optional ? "_[?_]" : "_[_]", offset, 2, operand, index, NULL);
    if (out)
        out->end = p->last_end;
    return out;
}

cel_expr *cel_parse_member(cel_parser *p, bool negative)
{
    bool plain = false; /* so far name.name.name: may be a message's name */
    cel_expr *out;

    switch (p->token.kind) {
    case CEL_TOKEN_DOT:
    case CEL_TOKEN_IDENT:
        out = parse_name(p);
        plain = out && out->kind == CEL_EXPR_IDENT;
        break;
    case CEL_TOKEN_LPAREN:
        out = parse_parenthesised(p);
        break;
    case CEL_TOKEN_LBRACKET:
        out = cel_parse_list(p);
        break;
    case CEL_TOKEN_LBRACE:
        out = cel_parse_map(p);
        break;
    case CEL_TOKEN_MINUS:
        out = parse_negative(p);
        break;
    default:
        out = parse_literal(p, negative);
        break;
    }
    while (out) {
        if (p->token.kind == CEL_TOKEN_DOT) {
            out = parse_dot(p, out);
            plain = plain && out && out->kind == CEL_EXPR_SELECT &&
                    cel_token_is_ident(out->name); /* a quoted name is no part of a type's */
        } else if (p->token.kind == CEL_TOKEN_LBRACKET) {
            out = parse_index(p, out);
            plain = false;
        } else if (p->token.kind == CEL_TOKEN_LBRACE && plain) {
            out = cel_parse_struct(p, out);
            plain = false;
        } else {
            break;
        }
    }
    return out;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lex_literal - numbers and strings.
 *
 * A decoded string is never longer than its source, so its memory is one allocation of that size.
 * In a string \x and octal escapes name code points, in bytes they name bytes. Line ends inside a
 * triple-quoted literal become \n, as in the reference implementation.
 */
#include "engine/cel/token.h"

#include <math.h>
#include <stdlib.h>

#include "engine/base/text.h"

static char look(const cel_lexer *lex, uint32_t ahead)
{
    return lex->at + ahead < lex->source.len ? lex->source.ptr[lex->at + ahead] : '\0';
}

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void skip_digits(cel_lexer *lex)
{
    while (is_digit(look(lex, 0)))
        lex->at++;
}

/* strtod wants a terminated copy; nothing in it depends on the locale but the decimal point, and
 * the process never leaves the "C" locale. */
static bool read_double(cel_lexer *lex, cel_token *out)
{
    mandate_slice text = arena_dup(lex->memory, mandate_slice_of(lex->source.ptr + out->begin, lex->at - out->begin));

    if (!text.ptr) {
        out->kind = CEL_TOKEN_ERROR;
        return false;
    }
    out->kind = CEL_TOKEN_DOUBLE;
    out->d = strtod(text.ptr, NULL);
    return isinf(out->d) ? cel_lex_error(out, out->begin, "invalid double literal") : true;
}

/* Whether an exponent with at least one digit follows. */
static bool exponent_follows(const cel_lexer *lex)
{
    if ((look(lex, 0) | 0x20) != 'e')
        return false;
    return is_digit(look(lex, 1)) || ((look(lex, 1) == '+' || look(lex, 1) == '-') && is_digit(look(lex, 2)));
}

bool cel_lex_number(cel_lexer *lex, cel_token *out)
{
    bool overflow = false, is_double = false;

    if (look(lex, 0) == '0' && (look(lex, 1) | 0x20) == 'x' && hex_digit(look(lex, 2)) >= 0) {
        lex->at += 2;
        for (int digit; (digit = hex_digit(look(lex, 0))) >= 0; lex->at++) {
            overflow |= out->u >> 60 != 0;
            out->u = out->u << 4 | (unsigned)digit;
        }
    } else {
        for (; is_digit(look(lex, 0)); lex->at++) {
            overflow |= __builtin_mul_overflow(out->u, 10, &out->u);
            overflow |= __builtin_add_overflow(out->u, (uint64_t)(look(lex, 0) - '0'), &out->u);
        }
        if (look(lex, 0) == '.' && is_digit(look(lex, 1))) {
            lex->at++;
            skip_digits(lex);
            is_double = true;
        }
        if (exponent_follows(lex)) {
            lex->at += is_digit(look(lex, 1)) ? 1 : 2;
            skip_digits(lex);
            is_double = true;
        }
        if (is_double)
            return read_double(lex, out);
    }
    out->kind = CEL_TOKEN_INT;
    if ((look(lex, 0) | 0x20) == 'u') {
        lex->at++;
        out->kind = CEL_TOKEN_UINT;
        return overflow ? cel_lex_error(out, out->begin, "invalid uint literal") : true;
    }
    /* The sign is not known yet; 2^63 is legal behind a minus. */
    if (overflow || out->u > (uint64_t)1 << 63)
        return cel_lex_error(out, out->begin, "invalid int literal");
    return true;
}

/* `count` hexadecimal digits at lex->at, or -1. */
static int64_t read_hex(cel_lexer *lex, int count)
{
    int64_t out = 0;

    for (int i = 0; i < count; i++, lex->at++) {
        int digit = hex_digit(look(lex, 0));

        if (digit < 0)
            return -1;
        out = out << 4 | digit;
    }
    return out;
}

/* One escape behind its backslash, written to *to. */
static bool read_escape(cel_lexer *lex, cel_token *out, bool bytes, char **to)
{
    static const char plain[] = "abfnrtv\\?\"'`";
    static const char meaning[] = "\a\b\f\n\r\t\v\\?\"'`";
    uint32_t begin = lex->at - 1;
    char c = look(lex, 0);
    const char *found = c ? strchr(plain, c) : NULL;
    int64_t code = -1;
    size_t len;

    lex->at++;
    if (found) {
        *(*to)++ = meaning[found - plain];
        return true;
    }
    if (c == 'x' || c == 'X') {
        code = read_hex(lex, 2);
    } else if (c == 'u' || c == 'U') {
        if (bytes)
            return cel_lex_error(out, begin, "\\u and \\U escapes name characters, not bytes: use \\x");
        code = read_hex(lex, c == 'u' ? 4 : 8);
    } else if (c >= '0' && c <= '3') {
        char d1 = look(lex, 0), d2 = look(lex, 1);

        if (d1 >= '0' && d1 <= '7' && d2 >= '0' && d2 <= '7') {
            code = (c - '0') * 64 + (d1 - '0') * 8 + (d2 - '0');
            lex->at += 2;
        }
    } else {
        return cel_lex_error(out, begin, "unknown escape sequence in a string");
    }
    if (code < 0)
        return cel_lex_error(out, begin, "incomplete escape sequence in a string");
    if (bytes) {
        *(*to)++ = (char)code;
        return true;
    }
    len = code <= 0x10FFFF ? utf8_encode(*to, (uint32_t)code) : 0;
    if (len == 0)
        return cel_lex_error(out, begin, "invalid unicode code point");
    *to += len;
    return true;
}

static bool closes(const cel_lexer *lex, uint32_t ahead, char quote, bool triple)
{
    return look(lex, ahead) == quote && (!triple || (look(lex, ahead + 1) == quote && look(lex, ahead + 2) == quote));
}

/* Bytes up to the closing quote, or to the end: decoding never needs more. */
static uint32_t extent(const cel_lexer *lex, char quote, bool triple, bool raw)
{
    uint32_t ahead = triple ? 3 : 1;

    while (lex->at + ahead < lex->source.len && !closes(lex, ahead, quote, triple))
        ahead += look(lex, ahead) == '\\' && !raw ? 2 : 1;
    return ahead;
}

bool cel_lex_string(cel_lexer *lex, cel_token *out, bool raw, bool bytes)
{
    char quote = look(lex, 0);
    bool triple = look(lex, 1) == quote && look(lex, 2) == quote;
    char *text = arena_alloc(lex->memory, extent(lex, quote, triple, raw) + 4), *to = text;

    out->kind = bytes ? CEL_TOKEN_BYTES : CEL_TOKEN_STRING;
    if (!text) {
        out->kind = CEL_TOKEN_ERROR;
        return false;
    }
    lex->at += triple ? 3 : 1;
    for (;;) {
        char c = look(lex, 0);

        if (lex->at >= lex->source.len)
            return cel_lex_error(out, out->begin, "this string has no end");
        if (closes(lex, 0, quote, triple))
            break;
        if (!triple && (c == '\n' || c == '\r'))
            return cel_lex_error(out, out->begin, "a string ends on its line, unless it starts with three quotes");
        lex->at++;
        if (c == '\\' && !raw) {
            if (!read_escape(lex, out, bytes, &to))
                return false;
        } else if (c == '\r') {
            *to++ = '\n';
            lex->at += look(lex, 0) == '\n';
        } else {
            *to++ = c;
        }
    }
    lex->at += triple ? 3 : 1;
    out->text = mandate_slice_of(text, (size_t)(to - text));
    return true;
}

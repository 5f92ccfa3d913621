/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lex - splits the source into tokens. Literals with content are in lex_literal.c.
 *
 * One token per call, no look-ahead kept. Every loop is bounded by the source's length.
 */
#include "engine/cel/token.h"

static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* NUL beyond the end. Outside of literals a NUL in the source is refused, so the two are not
 * confused. */
static char look(const cel_lexer *lex, uint32_t ahead)
{
    return lex->at + ahead < lex->source.len ? lex->source.ptr[lex->at + ahead] : '\0';
}

const char *cel_token_name(cel_token_kind kind)
{
    static const char *const names[] = {
#define X(name, text) text,
        CEL_TOKEN_LIST(X)
#undef X
    };
    return names[kind];
}

static bool one_of(mandate_slice name, const char *const *words)
{
    for (; *words; words++)
        if (mandate_slice_is(name, *words))
            return true;
    return false;
}

bool cel_token_reserved(mandate_slice name)
{
    static const char *const words[] = {"as",        "break",  "const",  "continue", "else",  "for",
                                        "function",  "if",     "import", "let",      "loop",  "package",
                                        "namespace", "return", "var",    "void",     "while", NULL};

    return one_of(name, words);
}

bool cel_token_keyword(mandate_slice name)
{
    static const char *const words[] = {"true", "false", "null", "in", NULL};

    return one_of(name, words);
}

bool cel_token_is_ident(mandate_slice name)
{
    if (name.len == 0 || !is_letter(name.ptr[0]))
        return false;
    for (size_t i = 1; i < name.len; i++)
        if (!is_letter(name.ptr[i]) && !is_digit(name.ptr[i]))
            return false;
    return !cel_token_keyword(name);
}

bool cel_lex_error(cel_token *out, uint32_t at, const char *sentence)
{
    out->kind = CEL_TOKEN_ERROR;
    out->begin = at;
    out->text = mandate_slice_str(sentence);
    return false;
}

static void skip_blank(cel_lexer *lex)
{
    for (;;) {
        char c = look(lex, 0);

        if (c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f') {
            lex->at++;
        } else if (c == '/' && look(lex, 1) == '/') {
            while (lex->at < lex->source.len && look(lex, 0) != '\n')
                lex->at++;
        } else {
            return;
        }
    }
}

/* An identifier, a word, or the prefix of a string. */
static bool lex_word(cel_lexer *lex, cel_token *out)
{
    uint32_t begin = lex->at;
    mandate_slice text;

    while (is_letter(look(lex, 0)) || is_digit(look(lex, 0)))
        lex->at++;
    text = mandate_slice_of(lex->source.ptr + begin, lex->at - begin);
    if ((look(lex, 0) == '"' || look(lex, 0) == '\'') && text.len <= 2) {
        char first = (char)(text.ptr[0] | 0x20), last = (char)(text.ptr[text.len - 1] | 0x20);

        if (text.len == 1 && (first == 'r' || first == 'b'))
            return cel_lex_string(lex, out, first == 'r', first == 'b');
        if (text.len == 2 && first == 'b' && last == 'r')
            return cel_lex_string(lex, out, true, true);
    }
    out->text = text;
    out->kind = mandate_slice_is(text, "true")    ? CEL_TOKEN_TRUE
                : mandate_slice_is(text, "false") ? CEL_TOKEN_FALSE
                : mandate_slice_is(text, "null")  ? CEL_TOKEN_NULL
                : mandate_slice_is(text, "in")    ? CEL_TOKEN_IN
                                                  : CEL_TOKEN_IDENT;
    return true;
}

static bool lex_quoted_ident(cel_lexer *lex, cel_token *out)
{
    uint32_t begin = ++lex->at;

    for (;; lex->at++) {
        char c = look(lex, 0);

        if (!is_letter(c) && !is_digit(c) && c != '.' && c != '-' && c != '/' && c != ' ')
            break;
    }
    if (look(lex, 0) != '`' || lex->at == begin)
        return cel_lex_error(out, begin - 1,
                             "a quoted identifier holds letters, digits, '_', '.', '-', '/' and "
                             "blanks, and ends with '`'");
    out->text = mandate_slice_of(lex->source.ptr + begin, lex->at - begin);
    out->kind = CEL_TOKEN_QUOTED_IDENT;
    lex->at++;
    return true;
}

/* Operators and punctuation: the longest that fits. */
static bool lex_sign(cel_lexer *lex, cel_token *out)
{
    static const struct {
        char text[3];
        cel_token_kind kind;
    } signs[] = {
        {"&&", CEL_TOKEN_AND},     {"||", CEL_TOKEN_OR},      {"==", CEL_TOKEN_EQ},    {"!=", CEL_TOKEN_NE},
        {"<=", CEL_TOKEN_LE},      {">=", CEL_TOKEN_GE},      {"<", CEL_TOKEN_LT},     {">", CEL_TOKEN_GT},
        {"!", CEL_TOKEN_NOT},      {"+", CEL_TOKEN_PLUS},     {"-", CEL_TOKEN_MINUS},  {"*", CEL_TOKEN_STAR},
        {"/", CEL_TOKEN_SLASH},    {"%", CEL_TOKEN_PERCENT},  {".", CEL_TOKEN_DOT},    {",", CEL_TOKEN_COMMA},
        {":", CEL_TOKEN_COLON},    {"?", CEL_TOKEN_QUESTION}, {"(", CEL_TOKEN_LPAREN}, {")", CEL_TOKEN_RPAREN},
        {"[", CEL_TOKEN_LBRACKET}, {"]", CEL_TOKEN_RBRACKET}, {"{", CEL_TOKEN_LBRACE}, {"}", CEL_TOKEN_RBRACE},
    };

    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++) {
        const char *text = signs[i].text;

        if (look(lex, 0) != text[0] || (text[1] && look(lex, 1) != text[1]))
            continue;
        lex->at += text[1] ? 2 : 1;
        out->kind = signs[i].kind;
        return true;
    }
    switch (look(lex, 0)) {
    case '=':
        return cel_lex_error(out, lex->at, "'=' is no operator: equality is '=='");
    case '&':
        return cel_lex_error(out, lex->at, "'&' is no operator: logical and is '&&'");
    case '|':
        return cel_lex_error(out, lex->at, "'|' is no operator: logical or is '||'");
    case '\0':
        return cel_lex_error(out, lex->at, "a NUL byte stands outside of a literal");
    default:
        return cel_lex_error(out, lex->at, "this character cannot stand here");
    }
}

bool cel_lex(cel_lexer *lex, cel_token *out)
{
    bool ok;
    char c;

    skip_blank(lex);
    *out = (cel_token){.kind = CEL_TOKEN_END, .begin = lex->at, .end = lex->at};
    if (lex->at >= lex->source.len)
        return true;
    c = look(lex, 0);
    if (is_letter(c))
        ok = lex_word(lex, out);
    else if (is_digit(c) || (c == '.' && is_digit(look(lex, 1))))
        ok = cel_lex_number(lex, out);
    else if (c == '"' || c == '\'')
        ok = cel_lex_string(lex, out, false, false);
    else if (c == '`')
        ok = lex_quoted_ident(lex, out);
    else
        ok = lex_sign(lex, out);
    out->end = lex->at;
    return ok;
}

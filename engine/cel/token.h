/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token - the words of an expression.
 *
 * The lexer borrows the source; decoded string literals live in the arena it is given. Integers
 * come without their sign (the parser folds a minus), so a magnitude may be 2^63. A CEL_TOKEN_ERROR
 * carries a sentence in `text` and is final: the lexer does not go on behind it.
 */
#ifndef MANDATE_ENGINE_CEL_TOKEN_H
#define MANDATE_ENGINE_CEL_TOKEN_H

#include "engine/base/arena.h"

/* Kind, and how it is called in an error. */
#define CEL_TOKEN_LIST(X)                \
    X(END, "end of expression")          \
    X(ERROR, "error")                    \
    X(INT, "integer")                    \
    X(UINT, "unsigned integer")          \
    X(DOUBLE, "number")                  \
    X(STRING, "string")                  \
    X(BYTES, "bytes")                    \
    X(IDENT, "identifier")               \
    X(QUOTED_IDENT, "quoted identifier") \
    X(TRUE, "'true'")                    \
    X(FALSE, "'false'")                  \
    X(NULL, "'null'")                    \
    X(IN, "'in'")                        \
    X(DOT, "'.'")                        \
    X(COMMA, "','")                      \
    X(COLON, "':'")                      \
    X(QUESTION, "'?'")                   \
    X(LPAREN, "'('")                     \
    X(RPAREN, "')'")                     \
    X(LBRACKET, "'['")                   \
    X(RBRACKET, "']'")                   \
    X(LBRACE, "'{'")                     \
    X(RBRACE, "'}'")                     \
    X(PLUS, "'+'")                       \
    X(MINUS, "'-'")                      \
    X(STAR, "'*'")                       \
    X(SLASH, "'/'")                      \
    X(PERCENT, "'%'")                    \
    X(NOT, "'!'")                        \
    X(LT, "'<'")                         \
    X(LE, "'<='")                        \
    X(GT, "'>'")                         \
    X(GE, "'>='")                        \
    X(EQ, "'=='")                        \
    X(NE, "'!='")                        \
    X(AND, "'&&'")                       \
    X(OR, "'||'")

typedef enum cel_token_kind {
#define X(name, text) CEL_TOKEN_##name,
    CEL_TOKEN_LIST(X)
#undef X
} cel_token_kind;

typedef struct cel_token {
    cel_token_kind kind;
    uint32_t begin, end; /* in the source */
    mandate_slice text;  /* identifier without backquotes; decoded string; the sentence of an error */
    union {
        uint64_t u; /* INT, UINT */
        double d;
    };
} cel_token;

typedef struct cel_lexer {
    mandate_slice source;
    uint32_t at;
    arena *memory;
} cel_lexer;

/* `source` must be well-formed UTF-8; a NUL byte is legal in literals and comments only. False
 * (token of kind ERROR) at the first bad word; an error token without text means out of memory. */
bool cel_lex(cel_lexer *lex, cel_token *out);
const char *cel_token_name(cel_token_kind kind);
/* Words that may not be used as identifiers ("while", "const", ...). */
bool cel_token_reserved(mandate_slice name);
/* true, false, null, in: these are no names anywhere. */
bool cel_token_keyword(mandate_slice name);
/* [A-Za-z_][A-Za-z0-9_]*, and no literal or operator word. */
bool cel_token_is_ident(mandate_slice name);

/* lex_literal.c: a number starting with a digit or a dot; a string whose prefix (raw, bytes) was
 * read and whose quote stands at lex->at. */
bool cel_lex_number(cel_lexer *lex, cel_token *out);
bool cel_lex_string(cel_lexer *lex, cel_token *out, bool raw, bool bytes);
/* Makes `out` an error token; always false. */
bool cel_lex_error(cel_token *out, uint32_t at, const char *sentence);

#endif

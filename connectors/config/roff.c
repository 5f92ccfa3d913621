/* SPDX-License-Identifier: Apache-2.0 */
/*
 * roff - see roff.h. A line of text that begins with a control character, and every character that the formatter reads
 * as something else, is written as an escape.
 */
#include "connectors/config/roff.h"

#include <string.h>

static void escaped(buf *b, const char *text)
{
    for (const char *at = text; *at; at++) {
        if ((*at == '.' || *at == '\'') && (at == text || at[-1] == '\n'))
            buf_put_str(b, "\\&");
        switch (*at) {
        case '\\':
            buf_put_str(b, "\\e");
            break;
        case '-':
            buf_put_str(b, "\\-");
            break;
        case '"':
            buf_put_str(b, "\\(dq");
            break;
        case '\'':
            buf_put_str(b, "\\(aq");
            break;
        case '`':
            buf_put_str(b, "\\(ga");
            break;
        case '^':
            buf_put_str(b, "\\(ha");
            break;
        case '~':
            buf_put_str(b, "\\(ti");
            break;
        default:
            buf_put_char(b, *at);
        }
    }
}

void roff_begin(buf *b, const char *title, int section, const char *version, const char *name, const char *purpose)
{
    buf_put_str(b, ".\\\" Generated from the program's own tables. Do not edit.\n.TH \"");
    escaped(b, title);
    buf_printf(b, "\" \"%d\" \"\" \"mandated ", section);
    escaped(b, version);
    buf_put_str(b, "\" \"mandated\"\n.SH \"NAME\"\n");
    escaped(b, name);
    buf_put_str(b, " \\- ");
    escaped(b, purpose);
    buf_put_char(b, '\n');
}

static void heading(buf *b, const char *macro, const char *text)
{
    buf_printf(b, ".%s \"", macro);
    escaped(b, text);
    buf_put_str(b, "\"\n");
}

void roff_section(buf *b, const char *text) { heading(b, "SH", text); }

void roff_subsection(buf *b, const char *text) { heading(b, "SS", text); }

void roff_text(buf *b, const char *text)
{
    buf_put_str(b, ".PP\n");
    escaped(b, text);
    buf_put_char(b, '\n');
}

void roff_term(buf *b, const char *bold, const char *plain, const char *meaning)
{
    buf_put_str(b, ".TP\n\\fB");
    escaped(b, bold);
    buf_put_str(b, "\\fR");
    if (plain && *plain) {
        buf_put_char(b, ' ');
        escaped(b, plain);
    }
    buf_put_char(b, '\n');
    escaped(b, meaning);
    buf_put_char(b, '\n');
}

void roff_verbatim(buf *b, const char *lines)
{
    buf_put_str(b, ".PP\n.nf\n");
    escaped(b, lines);
    buf_put_str(b, "\n.fi\n");
}

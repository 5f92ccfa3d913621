/* SPDX-License-Identifier: Apache-2.0 */
/*
 * args - one pass over the arguments.
 */
#include "connectors/cli/args.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "connectors/cli/out.h"
#include "engine/base/text.h"

enum { OPTIONS_MAX = 32 };

static bool unknown_option(const char *name, size_t len, const arg_option *options, size_t count)
{
    const char *names[OPTIONS_MAX];
    for (size_t i = 0; i < count; i++)
        names[i] = options[i].name;
    const char *nearest = nearest_name(mandate_slice_of(name, len), names, count);
    if (name[1] != '-') /* we have no short ones: perhaps an expression, -x < 5 */
        out_problem("unknown option %.*s; what begins with '-' and is no option goes behind --", (int)len, name);
    else
        out_problem("unknown option %.*s%s%s%s", (int)len, name, nearest ? "; did you mean " : "", nearest ? nearest : "",
                    nearest ? "?" : "");
    return false;
}

/* Takes one option and perhaps the argument behind it; *at moves. */
static bool take_option(int argc, char **argv, int *at, const arg_option *options, size_t count)
{
    const char *text = argv[*at], *equals = strchr(text, '=');
    size_t len = equals ? (size_t)(equals - text) : strlen(text), i = 0;
    while (i < count && !mandate_slice_is(mandate_slice_of(text, len), options[i].name))
        i++;
    if (i == count)
        return unknown_option(text, len, options, count);
    const arg_option *o = &options[i];
    if (o->flag) {
        *o->flag = true;
        if (equals)
            out_problem("%s takes no value", o->name);
        return !equals;
    }
    const char *value = equals ? equals + 1 : *at + 1 < argc ? argv[++*at] : NULL;
    if (!value) {
        out_problem("%s needs a value", o->name);
        return false;
    }
    if (o->list && o->list->count == ARG_LIST_MAX) {
        out_problem("%s is given more than %d times", o->name, ARG_LIST_MAX);
        return false;
    }
    if (o->list)
        o->list->items[o->list->count++] = value;
    else
        *o->value = value;
    return true;
}

bool args_parse(int argc, char **argv, arg_common *common, const arg_option *options, size_t option_count,
                const char **positional, size_t positional_min, size_t positional_max)
{
    arg_option all[OPTIONS_MAX] = {
        {"--socket", .value = &common->socket},   {"--url", .value = &common->url},
        {"--json", .flag = &common->json},        {"--token-file", .value = &common->token_file},
        {"--tls-ca", .value = &common->tls_ca},   {"--tls-certificate", .value = &common->tls_certificate},
        {"--tls-key", .value = &common->tls_key},
    };
    size_t count = 7, found = 0;
    bool only_positional = false;
    *common = (arg_common){.json = false};
    for (size_t i = 0; i < option_count && count < OPTIONS_MAX; i++)
        all[count++] = options[i];
    for (size_t i = 0; i < positional_max; i++)
        positional[i] = NULL;
    for (int at = 0; at < argc; at++) {
        if (!only_positional && strcmp(argv[at], "--") == 0) {
            only_positional = true;
        } else if (!only_positional && argv[at][0] == '-' && argv[at][1]) {
            if (!take_option(argc, argv, &at, all, count))
                return false;
        } else if (found < positional_max) {
            positional[found++] = argv[at];
        } else {
            out_problem("one argument too many: %s", argv[at]);
            return false;
        }
    }
    if (common->socket && common->url) {
        out_problem("--socket and --url exclude each other");
        return false;
    }
    if (found < positional_min) {
        out_problem("an argument is missing; --help lists them");
        return false;
    }
    return true;
}

bool args_number(int64_t *out, const char *name, const char *text, int64_t min, int64_t max)
{
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (errno || end == text || *end || v < min || v > max) {
        out_problem("%s: expected a number from %" PRId64 " to %" PRId64 ", got \"%s\"", name, min, max, text);
        return false;
    }
    *out = v;
    return true;
}

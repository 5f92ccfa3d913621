/* SPDX-License-Identifier: Apache-2.0 */
/*
 * args - the arguments of one command: long options, a few positional ones, and those that every
 * command has.
 *
 * `--name value` and `--name=value`; options may stand anywhere; after `--` everything is
 * positional. A mistake is said on stderr with the nearest known option, and the command returns
 * CLI_REFUSED.
 */
#ifndef MANDATE_CONNECTORS_CLI_ARGS_H
#define MANDATE_CONNECTORS_CLI_ARGS_H

#include "mandate/mandate.h"

enum { ARG_LIST_MAX = 64 };

typedef struct arg_list {
    const char *items[ARG_LIST_MAX];
    size_t count;
} arg_list;

/* Exactly one of flag, value, list is set. */
typedef struct arg_option {
    const char *name; /* "--reason" */
    bool *flag;
    const char **value;
    arg_list *list;
} arg_option;

/* What every command understands. */
typedef struct arg_common {
    const char *socket, *url;
    const char *token_file;                         /* a bearer token, or NULL; also $MANDATED_TOKEN_FILE */
    const char *tls_ca, *tls_certificate, *tls_key; /* PEM files, or NULL */
    bool json;
} arg_common;

/* Fills `positional` (missing ones stay NULL) and the options. */
MANDATE_CHECK bool args_parse(int argc, char **argv, arg_common *common, const arg_option *options, size_t option_count,
                              const char **positional, size_t positional_min, size_t positional_max);

/* A whole number within bounds; says what is wrong otherwise. */
MANDATE_CHECK bool args_number(int64_t *out, const char *name, const char *text, int64_t min, int64_t max);

#endif

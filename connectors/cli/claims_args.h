/* SPDX-License-Identifier: Apache-2.0 */
/*
 * claims_args - what a mandate says, as options of a command line, and as the JSON members of a request. Values are checked by
 * the server, save that a number is one.
 */
#ifndef MANDATE_CONNECTORS_CLI_CLAIMS_ARGS_H
#define MANDATE_CONNECTORS_CLI_CLAIMS_ARGS_H

#include "connectors/cli/args.h"
#include "engine/base/buf.h"

#define CLAIMS_ARGS_USAGE                                                                                       \
    "[--action X]... [--resource TYPE/ID]... [--limit NAME=NUMBER]... [--require NAME=VALUE]... "               \
    "[--budget NAME=AMOUNT]... [--expires TIME] [--audience A]... "                                             \
    "[--while COND] [--until COND] [--suspend-while COND] [--purpose TEXT] [--max-depth N] [--max-children N] " \
    "[--allowed-agent A]... [--restrict PATH[=AUDIENCE|handle,...]]..."

typedef struct claims_args {
    const char *id, *agent, *purpose, *expires, *clause_while, *clause_until, *suspend_while, *max_depth, *max_children;
    arg_list actions, resources, limits, require, budgets, audience, allowed_agents, restricted;
} claims_args;
enum { CLAIMS_ARGS_OPTIONS = 17 };

/* Fills `out`; how many of them are used is the answer: without --id and --agent two fewer. */
size_t claims_args_options(arg_option out[CLAIMS_ARGS_OPTIONS], claims_args *c, bool who);
/* "agent":"a","scope":{...}: what was given, without braces. False: said on stderr what is wrong. */
MANDATE_CHECK bool claims_args_put(buf *b, const claims_args *c);
/* A value as it is meant: JSON when it is (7, true, "7"), any other text as a string. */
void claims_args_put_value(buf *b, const char *text);
/* "disclosure":{...} of --restrict, after what is there; nothing for none. */
MANDATE_CHECK bool claims_args_put_restricted(buf *b, const arg_list *rules);

#endif

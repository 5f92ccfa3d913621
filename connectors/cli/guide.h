/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guide - what the table of commands says to people and shells: help, the manual page, completion. All of it is made from
 * the table's rows, so that a command that exists is in each of them, with every option that its usage names.
 */
#ifndef MANDATE_CONNECTORS_CLI_GUIDE_H
#define MANDATE_CONNECTORS_CLI_GUIDE_H

#include <stdio.h>

#include "connectors/cli/command.h"
#include "engine/base/buf.h"

/* What every command takes. */
typedef struct guide_option {
    const char *name, *value; /* "--socket", "PATH" or NULL */
    const char *help;
} guide_option;
extern const guide_option guide_options[];
extern const size_t guide_option_count;

void guide_help(FILE *to, const command *commands, size_t count);
/* The commands of one group; false, and nothing, when there is no such group. */
bool guide_group(FILE *to, const command *commands, size_t count, const char *group);
void guide_usage(FILE *to, const command *c);
/* mandatectl(1). */
void guide_man(buf *b, const command *commands, size_t count);
/* A script for bash that completes groups, commands and options, and files elsewhere. */
void guide_bash(buf *b, const command *commands, size_t count); /* guide_bash.c */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cel_command - what the `cel` commands share: one expression, checked in one world.
 */
#ifndef MANDATE_CONNECTORS_CLI_CEL_COMMAND_H
#define MANDATE_CONNECTORS_CLI_CEL_COMMAND_H

#include "connectors/cli/args.h"
#include "connectors/cli/cel_world.h"
#include "connectors/cli/command.h"
#include "engine/cel/ast.h"

typedef struct cel_command {
    arg_common common;
    mandate_slice source;
    cel_world world;
    cel_issues issues;
    cel_ast *ast;
    bool condition; /* --condition: a bool, bounded in cost and time, as a mandate's clause must be */
} cel_command;

/* Reads the arguments and the files, parses and checks. Says what is wrong and gives an exit code; close it in any case. */
int cel_command_open(cel_command *c, int argc, char **argv);
void cel_command_close(cel_command *c);
/* The members "kind" and "value", "attributes" or "error". */
void cel_put_value_json(buf *b, cel_value v);
/* As the language writes it, entities by type and id, about `max` bytes, coloured by what it is. */
void cel_put_value(buf *b, const cel_world *w, cel_value v, size_t max);

#endif

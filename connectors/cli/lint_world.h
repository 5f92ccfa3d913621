/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lint_world - what definitions are audited against, read from files without a server: the entity types and connectors of a
 * configuration, or given one by one. A configuration may refer to secrets that are not here: its other problems are told, and
 * what it names is used.
 */
#ifndef MANDATE_CONNECTORS_CLI_LINT_WORLD_H
#define MANDATE_CONNECTORS_CLI_LINT_WORLD_H

#include "connectors/cli/args.h"
#include "connectors/config/config.h"
#include "engine/context/schema.h"

typedef struct lint_world_options {
    const char *config; /* a path, or NULL */
    arg_list entities, connectors;
} lint_world_options;

typedef struct lint_world {
    schema *schema;      /* NULL: nothing was named */
    bool supplied_known; /* connectors were among it */
    const char *issuer;  /* of the configuration, or NULL */
    config config;
    bool configured;
} lint_world;

/* Says on stderr what is wrong and gives an exit code. */
int lint_world_open(lint_world *w, const lint_world_options *options);
void lint_world_close(lint_world *w);
/* RFC 3339, or the clock when NULL. */
MANDATE_CHECK bool lint_world_now(int64_t *out, const char *text);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cel_world - what the `cel` commands evaluate an expression in: declarations, and facts from a JSON file.
 *
 * Without --entities, facts are variables: {"status": "open", "amount": 50}. Their types are those of the JSON values
 * unless --declare says otherwise; a variable that is declared and not in the file is unknown.
 * With --entities, names mean what they mean in a mandate's conditions, and facts are entities by type and id:
 * {"crm.conversation": {"R-42": {"status": "open"}}, "mandate": {"params": {"conversation": "R-42"}}}. What is not in the
 * file is unknown; an entity that is null is gone. A reference is an id; inverses follow from references.
 */
#ifndef MANDATE_CONNECTORS_CLI_CEL_WORLD_H
#define MANDATE_CONNECTORS_CLI_CEL_WORLD_H

#include "connectors/cli/args.h"
#include "engine/base/vec.h"
#include "engine/cel/eval.h"
#include "engine/context/schema.h"

typedef struct cel_world_options {
    const char *vars, *now; /* a file, "-" or NULL; RFC 3339 or NULL: the clock */
    arg_list declare, entities;
} cel_world_options;

typedef struct cel_fact cel_fact;

typedef struct cel_world {
    arena memory;
    schema *schema; /* with entities, else NULL */
    cel_env *own;   /* without */
    const cel_env *env;
    cel_value facts;          /* a map */
    VEC(cel_value) variables; /* by index; unknown ones are unknown values */
    VEC(cel_fact *) entities; /* those that were asked for; an entity is one object */
    int64_t now_us;
} cel_world;

/* Says on stderr what is wrong and gives an exit code. */
int cel_world_open(cel_world *w, const cel_world_options *options);
void cel_world_close(cel_world *w);
/* The result lives as long as the world; what it cost and until when it is certain is in `act`. */
cel_value cel_world_eval(cel_world *w, const cel_program *program, cel_activation *act);
/* crm.conversation["R-42"] */
void cel_world_put_object(buf *b, const cel_world *w, cel_value object);

#endif

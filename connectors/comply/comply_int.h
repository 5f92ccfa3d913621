/* SPDX-License-Identifier: Apache-2.0 */
/* comply, inside - rules compiled, and the environment of their conditions (world.c). */
#ifndef MANDATE_CONNECTORS_COMPLY_COMPLY_INT_H
#define MANDATE_CONNECTORS_COMPLY_COMPLY_INT_H

#include "connectors/comply/comply.h"
#include "connectors/config/yaml.h"
#include "engine/cel/eval.h"

#include <stdatomic.h>

typedef struct comply_rule {
    const char *name, *message;
    cel_program *applies; /* NULL: to all */
    cel_program *require;
    comply_action action;
    uint32_t line;
} comply_rule;

struct comply {
    _Atomic uint32_t refs;
    arena memory;
    cel_env *env;
    const char *name, *path;
    comply_rule *rules;
    uint32_t count;
};

extern const yaml_key comply_file_keys[], comply_rule_keys[];
extern const size_t comply_file_key_count, comply_rule_key_count;

/* world.c */
MANDATE_CHECK mandate_status comply_env_create(cel_env **out, mandate_error *err);
/* One condition; `left` is what may be spent, and is what remains. */
cel_value comply_eval(const cel_program *program, const comply_question *q, arena *a, uint64_t *left);

#endif

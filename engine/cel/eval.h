/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cel_program - a checked expression compiled to a linear program, and its evaluation.
 *
 * Evaluation is pure: what it reads comes through `cel_host`, time is a number in the activation, and
 * memory is the caller's arena. A program is immutable and may be run by several threads at once, each with its
 * own activation and arena.
 *
 * Certain until: an evaluation that read `now` also reports from which moment its result may differ, if
 * nothing else changes. Exact: comparisons of times that move with now (values carry a `slope`), `in` a list of times,
 * int() of a time and its sums, and calendar functions and parts of durations that are compared with constants (for the calendar:
 * the first of the next 62 boundaries at which the comparison changes; a zone's offset changes are assumed to lie on
 * quarter hours and more than 26 hours apart). Not compared, they give their next change. Several of them in one
 * condition: the first. The bound of one second: a moving time turned into anything else (string(now), an element of
 * a list, int(now) * 2), a slope beyond int8, and calendar parts of a time that moves backwards: there what happens
 * within a second is not followed. cel_certain_check (certain.h) says before running whether any of that is in an
 * expression; conditions of mandates may not have it. Sums that leave their range more than a century from now count as
 * never. Never less than now + 1 us.
 */
#ifndef MANDATE_ENGINE_CEL_EVAL_H
#define MANDATE_ENGINE_CEL_EVAL_H

#include "engine/cel/ast.h"

typedef struct cel_program cel_program;
typedef struct cel_activation cel_activation;

#define CEL_CERTAIN_FOREVER INT64_MAX

/* What an evaluation may ask of its surroundings. Any function may return unknown or error values, allocated
 * in the activation's arena. A function that the program cannot reach may be NULL. */
typedef struct cel_host {
    /* The variable declared with that index. */
    cel_value (*variable)(void *ctx, cel_activation *act, uint32_t index);
    /* `table[key]`: an object (also when it was never observed: its fields are unknown then), or an
     * error for a key that cannot be an id. `type` is the object type index. */
    cel_value (*entity)(void *ctx, cel_activation *act, uint16_t type, cel_value key);
    /* `object.field`; the object value is one that the host made. */
    cel_value (*field)(void *ctx, cel_activation *act, cel_value object, uint32_t field);
    /* has(object.field): a bool or an unknown. */
    cel_value (*has)(void *ctx, cel_activation *act, cel_value object, uint32_t field);
    /* Host functions of the mapping library, by name: parse_json and friends. NULL: none. */
    cel_value (*call)(void *ctx, cel_activation *act, mandate_slice name, const cel_value *args, uint32_t count);
} cel_host;

struct cel_activation {
    const cel_host *host;
    void *ctx;
    const cel_value *variables; /* by index, instead of asking host->variable; NULL: ask */
    arena *memory;              /* results and temporaries; the caller resets it */
    int64_t now_us;             /* value of `now` */
    uint64_t cost_max;          /* units after which the evaluation ends in an error; 0: as many as it likes */
    /* results */
    int64_t certain_until_us; /* CEL_CERTAIN_FOREVER when now was not read */
    uint32_t steps;           /* comprehension iterations done */
    uint64_t cost;            /* units spent, see cel/cost.h */
    /* private to the evaluator */
    const void *prepared; /* what the compiler prepared for the function being called */
};

/* Compiles a checked (or, for dynamic use, merely parsed) ast. The program keeps its own copy of what it needs;
 * the ast may be destroyed afterwards, the environment must stay. */
MANDATE_CHECK mandate_status cel_compile(cel_program **out, const cel_env *env, const cel_ast *ast, mandate_error *err);
/* Compiles one sub-expression of a checked ast (no free comprehension variables in it). */
MANDATE_CHECK mandate_status cel_compile_expr(cel_program **out, const cel_env *env, const cel_ast *ast,
                                              const cel_expr *expr, mandate_error *err);
void cel_program_destroy(cel_program *program);
size_t cel_program_bytes(const cel_program *program);
/* Never fails: what goes wrong is an error value. */
cel_value cel_eval(const cel_program *program, cel_activation *act);
/* True when evaluating may read `now`. */
bool cel_program_reads_now(const cel_program *program);
void cel_disassemble(buf *b, const cel_program *program);

/* parse + check + compile in one call, for mappings and tools. `expected` may be NULL. */
MANDATE_CHECK mandate_status cel_program_create(cel_program **out, const cel_env *env, mandate_slice source,
                                                const cel_type *expected, cel_issues *issues, mandate_error *err);

#endif

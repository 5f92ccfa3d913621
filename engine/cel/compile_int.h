/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compile_int - the compiler's state, shared by: emit.c (steps, constants, folding), compile.c
 * (every expression), compile_call.c (operators and functions), compile_fold.c (comprehensions).
 *
 * `depth` is how many values are on the stack after the steps emitted so far; jumps join only
 * places of equal depth, so a slot is a number and locals need no run-time names. The first
 * failure sticks.
 */
#ifndef MANDATE_ENGINE_CEL_COMPILE_INT_H
#define MANDATE_ENGINE_CEL_COMPILE_INT_H

#include "engine/cel/program_int.h"

typedef struct cel_local {
    mandate_slice name;
    uint32_t slot;
} cel_local;

typedef struct cel_compiler {
    const cel_env *env;
    cel_program *program;
    VEC(cel_step) steps;
    VEC(cel_value) constants;
    VEC(cel_local) locals; /* innermost last */
    arena scratch;         /* what constants and masks point at, until the program is sealed */
    uint32_t depth, need;  /* stack now, and at most */
    uint32_t recursion;
    uint32_t unfoldable; /* steps before this one were tried and cannot be folded */
    bool checked;
    mandate_slice source;
    mandate_status status;
    mandate_error *err;
} cel_compiler;

/* --- emit.c --- */
/* Fails the compilation. */
void cel_compile_fail(cel_compiler *c, mandate_status status, const char *text);
/* As above, at the place of an expression. */
void cel_compile_fail_at(cel_compiler *c, mandate_status status, const cel_expr *at, const char *text);
/* Appends a step that leaves `delta` more values on the stack; its index. */
uint32_t cel_emit(cel_compiler *c, cel_opcode op, int delta, uint32_t a, uint32_t b, const cel_expr *at);
void cel_emit_const(cel_compiler *c, cel_value v, const cel_expr *at);
/* Index of a constant; strings and containers are copied into the program. */
uint32_t cel_add_constant(cel_compiler *c, cel_value v);
/* The constant that the steps from `start` on consist of, or NULL. */
const cel_value *cel_constant_since(const cel_compiler *c, uint32_t start);
/* Runs the steps from `start` on, if they depend on nothing, and puts their value in their place.
 *  */
void cel_fold_since(cel_compiler *c, uint32_t start, const cel_expr *at);

/* --- seal.c --- */
/* Moves what the compiler collected into one block of the program's own. */
void cel_seal(cel_compiler *c);

/* --- compile.c --- */
void cel_compile_any(cel_compiler *c, const cel_expr *e);
const cel_local *cel_find_local(const cel_compiler *c, mandate_slice name);

/* A leading dot only says that the name is not relative. */
mandate_slice cel_without_dot(mandate_slice name);

/* --- compile_call.c --- */
void cel_compile_call(cel_compiler *c, const cel_expr *e);
/* A call of `row`, or of whichever fits of the `group` rows from it on. */
void cel_emit_call(cel_compiler *c, const cel_overload *row, uint32_t group, uint32_t argc, const cel_expr *e);

/* --- compile_fold.c --- */
void cel_compile_comprehension(cel_compiler *c, const cel_expr *e);

#endif

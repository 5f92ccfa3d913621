/* SPDX-License-Identifier: Apache-2.0 */
/*
 * program_int - the layout of a compiled program, for: compile.c, eval.c, disassemble.c (those
 * three).
 *
 *   stack while a comprehension at slot s runs:   s range | s+1 position | s+2 accumulator |
 *                                                 s+3 first variable | s+4 second variable | ...
 */
#ifndef MANDATE_ENGINE_CEL_PROGRAM_INT_H
#define MANDATE_ENGINE_CEL_PROGRAM_INT_H

#include "engine/base/vec.h"
#include "engine/cel/eval.h"
#include "engine/cel/fn.h"
#include "engine/cel/opcode_list.h"
#include "engine/cel/re2_shim.h"

typedef struct cel_step {
    uint8_t op;      /* cel_opcode */
    uint8_t argc;    /* CALL, CALL_DYN; COMPARE: cel_op; FOLD_START: number of variables */
    uint16_t object; /* FIELD: object type; CALL_DYN: overloads to choose from */
    uint32_t a, b;   /* operands, in the order opcode_list.h names them */
    uint32_t offset; /* in the source, for errors */
    union {
        const void *p; /* CALL, CALL_DYN: what was prepared (a regex, a horizon); LIST, MAP: the mask */
        uint64_t n;    /* FOLD_NEXT: units of a turn; FOLD_ANY, FOLD_ALL: result; FIELD_COMPARE_CONST: name */
    };
} cel_step;

_Static_assert(sizeof(cel_step) == 24, "steps are read in sequence: keep them small");

enum { FOLD_POSITION = 1, FOLD_ACCU = 2, FOLD_VAR = 3, FOLD_VAR2 = 4, FOLD_SLOTS = 5 };

typedef VEC(cel_regex *) cel_regexes;

/* A program that is nothing but comparisons of variables with strings (equal or not) or ints, joined by one operator. */
typedef enum cel_chain { CHAIN_NONE, CHAIN_AND, CHAIN_OR } cel_chain;

struct cel_program {
    arena memory; /* everything below, except the regexes */
    const cel_env *env;
    const cel_step *steps;
    uint32_t step_count;
    const cel_value *constants;
    uint32_t constant_count;
    uint32_t stack_need;
    uint64_t units; /* charged when it starts: every step outside loops */
    uint8_t chain;  /* cel_chain */
    bool reads_now;
    cel_regexes regexes;
};

#endif

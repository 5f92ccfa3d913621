/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen - random expressions, and a small world for them in which any attribute may be unknown.
 *
 * Variables of every type, a table `doc` of three objects with fields of every type. An attribute
 * is a variable or one field of one object; it has a small domain, and its state is a position in
 * that domain or GEN_UNKNOWN. The generator is directed by types: what it writes must compile, so a
 * refusal is a bug of the checker or of the generator.
 */
#ifndef MANDATE_TESTS_ENGINE_CEL_GEN_H
#define MANDATE_TESTS_ENGINE_CEL_GEN_H

#include "engine/base/buf.h"
#include "engine/cel/eval.h"

enum { GEN_UNKNOWN = -1, GEN_DOMAIN = 4, GEN_OBJECTS = 3, GEN_FIELDS = 11, GEN_VARS = 20 };
enum { GEN_ATTRIBUTES = GEN_VARS + GEN_OBJECTS * GEN_FIELDS };

typedef enum gen_type {
    GEN_BOOL,
    GEN_INT,
    GEN_UINT,
    GEN_DOUBLE,
    GEN_STRING,
    GEN_BYTES,
    GEN_TIME,
    GEN_DURATION,
    GEN_INTS,
    GEN_STRINGS,
    GEN_MAP,
    GEN_DOC,
    GEN_DOCS,
    GEN_DYN,
    GEN_OPT_INT,
    GEN_OPT_STRING,
    GEN_IP,
    GEN_CIDR,
    GEN_TYPE_COUNT
} gen_type;

typedef struct gen_attribute {
    mandate_slice path;
    uint32_t count;
    cel_value domain[GEN_DOMAIN];
} gen_attribute;

typedef struct gen_world {
    cel_env *env;
    arena values;
    gen_attribute attributes[GEN_ATTRIBUTES];
    int8_t state[GEN_ATTRIBUTES];
    bool read[GEN_ATTRIBUTES]; /* in the last evaluation */
    uint32_t unknown_reads;    /* in the last evaluation */
    int64_t now_us;
    uint64_t cost_max;
    uint64_t cost; /* of the last evaluation */
    int64_t certain_until_us;
} gen_world;

typedef struct gen_local {
    gen_type type;
    uint32_t number;
} gen_local;

typedef struct gen {
    uint64_t rng;
    buf out;
    gen_local locals[8];
    uint32_t local_count, local_number;
    bool with_now;   /* timestamps may be `now` */
    bool with_calls; /* any row of the function table may be called */
} gen;

void gen_world_init(gen_world *w);
void gen_world_deinit(gen_world *w);
/* The value lives in `memory`. */
cel_value gen_eval(gen_world *w, const cel_program *program, arena *memory);
/* Every attribute takes a random position of its domain. */
void gen_world_shuffle(gen_world *w, gen *g);

void gen_init(gen *g, uint64_t seed);
void gen_deinit(gen *g);
uint64_t gen_u64(gen *g);
uint32_t gen_below(gen *g, uint32_t n);
/* The type that a hole's letter stands for. */
gen_type gen_type_of(char letter);
/* gen_call.c: a rule that calls a random row of the function table with that result; NULL: there is none. */
void gen_call_init(void);
const char *gen_call_rule(gen *g, gen_type type);
/* Text of a random expression of that type, in g->out. */
mandate_slice gen_expression(gen *g, gen_type type, uint32_t depth);

#endif

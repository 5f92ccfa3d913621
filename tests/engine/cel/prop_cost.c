/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prop_cost - the estimate of an expression's cost is never below what an evaluation counts.
 *
 *   prop_cost [cases [seed]]     default 200000 cases; the seed of a failure is printed
 *
 * A case is one evaluation of a random expression, with everything known or some of it unknown. The sizes
 * the estimate assumes are those of the test world's domains, so it has no room to be generous; fields of the documents are
 * declared to be as large as their own values get, or are not, anew for every expression. Also: with just the cost it had as its budget an evaluation gives the same, with one unit less an error.
 */
#include <stdio.h>
#include <stdlib.h>

#include "engine/cel/cost.h"
#include "gen.h"

enum { EVALUATIONS = 8 };

typedef struct run {
    gen_world w;
    gen g;
    arena memory, again;
    uint64_t seed, cases, expressions, tight, stopped;
} run;

static void fail(run *r, const char *why, uint64_t estimate)
{
    fprintf(stderr, "seed %llu, case %llu: %s\n  %s\n  estimate %llu, counted %llu\n", (unsigned long long)r->seed,
            (unsigned long long)r->cases, why, buf_cstr(&r->g.out), (unsigned long long)estimate,
            (unsigned long long)r->w.cost);
    exit(1);
}

static bool same(cel_value x, cel_value y) { return x.kind == y.kind && cel_order(x, y) == 0; }

static void check_case(run *r, const cel_program *program, uint64_t estimate)
{
    gen_world_shuffle(&r->w, &r->g);
    for (uint32_t i = 0; i < GEN_ATTRIBUTES; i++)
        if (gen_below(&r->g, 10) == 0)
            r->w.state[i] = GEN_UNKNOWN;
    arena_reset(&r->memory);
    r->w.cost_max = 0;
    cel_value v = gen_eval(&r->w, program, &r->memory);
    uint64_t cost = r->w.cost;
    if (cost > estimate)
        fail(r, "the estimate is too low", estimate);
    r->tight += cost * 4 > estimate;
    r->w.cost_max = cost;
    arena_reset(&r->again);
    cel_value within = gen_eval(&r->w, program, &r->again);
    if (v.kind == CEL_UNKNOWN || v.kind == CEL_ERROR ? within.kind != v.kind : !same(v, within))
        fail(r, "a sufficient budget changes the result", estimate);
    r->w.cost_max = cost - 1;
    arena_reset(&r->again);
    cel_value cut = gen_eval(&r->w, program, &r->again);
    r->stopped += cut.kind == CEL_ERROR && v.kind != CEL_ERROR;
    r->cases++;
}

typedef struct extremes {
    uint32_t text, items;
} extremes;

static uint32_t larger(uint32_t x, uint32_t y) { return x > y ? x : y; }

/* The longest text and list or map in it. */
static extremes measure(cel_value v)
{
    extremes x = {0, 0};
    if (v.kind == CEL_STRING)
        x.text = v.len;
    for (uint32_t i = 0; (v.kind == CEL_LIST || v.kind == CEL_MAP) && i < v.len; i++) {
        extremes item = measure(v.kind == CEL_LIST ? v.items[i] : v.map[i].value);
        extremes key = v.kind == CEL_MAP ? measure(v.map[i].key) : item;
        x.text = larger(x.text, larger(item.text, key.text));
        x.items = larger(v.len, larger(x.items, item.items));
    }
    return x;
}

/* Declares for each field of documents what its values need, for one of the two, for both, or nothing. */
static void declare_sizes(run *r)
{
    const cel_type *doc = cel_type_object(r->w.env, "doc");
    for (uint32_t f = 0; f < GEN_FIELDS; f++) {
        extremes most = {1, 1}; /* 0 would be none declared */
        for (uint32_t o = 0; o < GEN_OBJECTS; o++) {
            const gen_attribute *a = &r->w.attributes[GEN_VARS + o * GEN_FIELDS + f];
            for (uint32_t i = 0; i < a->count; i++) {
                extremes x = measure(a->domain[i]);
                most = (extremes){larger(most.text, x.text), larger(most.items, x.items)};
            }
        }
        uint32_t text_max = gen_below(&r->g, 2) ? most.text : 0, items_max = gen_below(&r->g, 2) ? most.items : 0;
        if (cel_env_field_sizes(r->w.env, doc, f, text_max, items_max, NULL) != MANDATE_OK)
            fail(r, "sizes cannot be declared", 0);
    }
}

static void check_expression(run *r)
{
    static const cel_cost_sizes sizes = {.text = 8, .items = 3, .inner_text = 8, .inner_items = 3};
    gen_type type = (gen_type)gen_below(&r->g, GEN_TYPE_COUNT);
    mandate_slice text = gen_expression(&r->g, type, 1 + gen_below(&r->g, 7));
    cel_ast *ast = NULL;
    cel_program *program = NULL;
    uint64_t estimate = 0;
    declare_sizes(r);
    mandate_status status = cel_parse(&ast, r->w.env, text, NULL, NULL);
    if (status == MANDATE_OK)
        status = cel_check(ast, r->w.env, NULL, NULL, NULL);
    if (status == MANDATE_OK)
        status = cel_compile(&program, r->w.env, ast, NULL);
    if (status == MANDATE_OK)
        status = cel_cost_estimate(ast, r->w.env, &sizes, &estimate, NULL, NULL, NULL);
    if (status != MANDATE_OK && status != MANDATE_LIMIT)
        fail(r, "does not compile", 0);
    r->expressions++;
    for (int i = 0; status == MANDATE_OK && i < EVALUATIONS; i++)
        check_case(r, program, estimate);
    cel_program_destroy(program);
    cel_ast_destroy(ast);
}

int main(int argc, char **argv)
{
    uint64_t cases = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000;
    static run r;
    r.seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    gen_init(&r.g, r.seed);
    gen_call_init();
    r.g.with_calls = true;
    gen_world_init(&r.w);
    arena_init(&r.memory, 1 << 20);
    arena_init(&r.again, 1 << 20);
    while (r.cases < cases)
        check_expression(&r);
    printf("seed %llu: %llu cases of %llu expressions; %llu within a quarter of the estimate, %llu "
           "stopped by one unit less\n",
           (unsigned long long)r.seed, (unsigned long long)r.cases, (unsigned long long)r.expressions,
           (unsigned long long)r.tight, (unsigned long long)r.stopped);
    bool telling = r.tight > cases / 5 && r.stopped > cases / 100;
    arena_deinit(&r.memory);
    arena_deinit(&r.again);
    gen_world_deinit(&r.w);
    gen_deinit(&r.g);
    if (!telling)
        fprintf(stderr, "the estimates are too generous to prove much\n");
    return telling ? 0 : 1;
}

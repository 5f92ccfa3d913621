/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prop_unknown - what an evaluation says while some attributes are unknown, it may say for good.
 *
 *   prop_unknown [cases [seed]]     default 400000 cases; the seed of a failure is printed
 *
 * A case is a random expression and a random set of unknown attributes. When its evaluation gives a
 * value, every completion gives that value; when it gives an error, every completion gives one. When it
 * is unknown, the set it names is right (all of it unknown and asked for), sufficient (when those are
 * known, what is asked for next is something else) and necessary (nothing outside it helps). Every function and
 * macro is among the expressions, or the run fails.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cover.h"
#include "gen.h"

enum { SETS = 8, SAMPLES = 8, EXHAUSTIVE = 64, CALLS_MIN = 20 };

typedef struct run {
    gen_world w;
    gen g;
    cover used; /* in expressions that read something */
    uint64_t seed, cases, expressions, completions;
    uint64_t values, errors, unknowns, absorbed;
    arena partial, complete;
    const cel_program *program;
    int8_t base[GEN_ATTRIBUTES];
    bool touched[GEN_ATTRIBUTES];
} run;

static void show(const char *what, cel_value v)
{
    buf b;
    buf_init(&b);
    cel_to_text(&b, v, 1000);
    fprintf(stderr, "  %s: %s\n", what, buf_cstr(&b));
    buf_deinit(&b);
}

static void fail(run *r, const char *why, cel_value partial, cel_value other)
{
    fprintf(stderr, "seed %llu, case %llu: %s\n  %s\n", (unsigned long long)r->seed, (unsigned long long)r->cases, why,
            buf_cstr(&r->g.out));
    show("partial", partial);
    show("other", other);
    for (uint32_t i = 0; i < GEN_ATTRIBUTES; i++)
        if (r->touched[i]) {
            fprintf(stderr, "  %s%.*s", r->base[i] == GEN_UNKNOWN ? "unknown " : "",
                    MANDATE_SLICE_ARG(r->w.attributes[i].path));
            show("", r->w.attributes[i].domain[r->w.state[i] < 0 ? 0 : r->w.state[i]]);
        }
    exit(1);
}

static cel_value evaluate(run *r, arena *memory)
{
    arena_reset(memory);
    return gen_eval(&r->w, r->program, memory);
}

static bool same(cel_value x, cel_value y) { return x.kind == y.kind && cel_order(x, y) == 0; }

static bool names(cel_value unknown, mandate_slice path)
{
    for (uint32_t i = 0; i < unknown.unknown->count; i++)
        if (mandate_slice_eq(unknown.unknown->attributes[i].path, path))
            return true;
    return false;
}

/* --- completions --- */

/* Which attributes any evaluation of this expression asks for, as far as a few tries show. */
static void touch(run *r)
{
    memset(r->touched, 0, sizeof r->touched);
    for (int i = 0; i < 4; i++) {
        gen_world_shuffle(&r->w, &r->g);
        (void)evaluate(r, &r->partial);
        for (uint32_t k = 0; k < GEN_ATTRIBUTES; k++)
            r->touched[k] |= r->w.read[k];
    }
}

static void complete_randomly(run *r, uint32_t at) { r->w.state[at] = (int8_t)gen_below(&r->g, r->w.attributes[at].count); }

/* Completion number `n` of all there are, counting through the domains. */
static void complete_nth(run *r, uint64_t n)
{
    for (uint32_t i = 0; i < GEN_ATTRIBUTES; i++)
        if (r->base[i] == GEN_UNKNOWN) {
            r->w.state[i] = (int8_t)(n % r->w.attributes[i].count);
            n /= r->w.attributes[i].count;
        }
}

static uint64_t completions_of(const run *r)
{
    uint64_t n = 1;
    for (uint32_t i = 0; i < GEN_ATTRIBUTES && n <= EXHAUSTIVE; i++)
        if (r->base[i] == GEN_UNKNOWN)
            n *= r->w.attributes[i].count;
    return n;
}

static void check_completions(run *r, cel_value partial)
{
    uint64_t all = completions_of(r), count = all <= EXHAUSTIVE ? all : SAMPLES;
    for (uint64_t n = 0; n < count; n++) {
        complete_nth(r, all <= EXHAUSTIVE ? n : gen_u64(&r->g));
        cel_value full = evaluate(r, &r->complete);
        r->completions++;
        if (full.kind == CEL_UNKNOWN)
            fail(r, "nothing is unknown, but the result is", partial, full);
        if (partial.kind == CEL_ERROR ? full.kind != CEL_ERROR : !same(partial, full))
            fail(r, "a completion gives something else", partial, full);
    }
}

/* --- unknown sets --- */

static void check_named(run *r, cel_value partial)
{
    uint32_t found = 0;
    for (uint32_t i = 0; i < GEN_ATTRIBUTES; i++)
        if (names(partial, r->w.attributes[i].path)) {
            found++;
            if (r->base[i] != GEN_UNKNOWN || !r->w.read[i])
                fail(r, "the set names what is known or was not asked for", partial, partial);
        }
    if (found == 0 || found != partial.unknown->count)
        fail(r, "the set names nothing, or what there is not", partial, partial);
}

static void check_unknown(run *r, cel_value partial)
{
    check_named(r, partial);
    for (int tries = 0; tries < 3; tries++) {
        for (uint32_t i = 0; i < GEN_ATTRIBUTES; i++) {
            r->w.state[i] = r->base[i];
            if (r->base[i] == GEN_UNKNOWN && names(partial, r->w.attributes[i].path))
                complete_randomly(r, i);
        }
        cel_value next = evaluate(r, &r->complete);
        for (uint32_t i = 0; next.kind == CEL_UNKNOWN && i < next.unknown->count; i++)
            if (names(partial, next.unknown->attributes[i].path))
                fail(r, "no progress when the set is known", partial, next);
        for (uint32_t i = 0; i < GEN_ATTRIBUTES; i++) {
            r->w.state[i] = r->base[i];
            if (r->base[i] == GEN_UNKNOWN && !names(partial, r->w.attributes[i].path))
                complete_randomly(r, i);
        }
        cel_value still = evaluate(r, &r->complete);
        if (still.kind != CEL_UNKNOWN)
            fail(r, "an attribute outside the set decides", partial, still);
        r->completions += 2;
    }
}

/* --- cases --- */

static void check_case(run *r)
{
    static const uint32_t percents[] = {10, 20, 40, 90};
    uint32_t percent = percents[gen_below(&r->g, 4)];
    gen_world_shuffle(&r->w, &r->g);
    for (uint32_t i = 0; i < GEN_ATTRIBUTES; i++)
        if (r->touched[i] && gen_below(&r->g, 100) < percent)
            r->w.state[i] = GEN_UNKNOWN;
    memcpy(r->base, r->w.state, sizeof r->base);
    cel_value partial = evaluate(r, &r->partial);
    r->cases++;
    r->absorbed += partial.kind != CEL_UNKNOWN && r->w.unknown_reads > 0;
    if (partial.kind == CEL_UNKNOWN) {
        r->unknowns++;
        check_unknown(r, partial);
        return;
    }
    if (partial.kind == CEL_ERROR)
        r->errors++;
    else
        r->values++;
    check_completions(r, partial);
}

static void check_expression(run *r)
{
    static const gen_type types[] = {GEN_BOOL,   GEN_BOOL,    GEN_BOOL, GEN_BOOL,  GEN_BOOL,    GEN_INT, GEN_STRING,
                                     GEN_INTS,   GEN_STRINGS, GEN_MAP,  GEN_DYN,   GEN_OPT_INT, GEN_DOC, GEN_TIME,
                                     GEN_DOUBLE, GEN_IP,      GEN_UINT, GEN_BYTES, GEN_DURATION};
    gen_type type = types[gen_below(&r->g, sizeof types / sizeof *types)];
    mandate_slice text = gen_expression(&r->g, type, 2 + gen_below(&r->g, 7));
    cel_ast *ast = NULL;
    cel_issues issues;
    cel_program *program = NULL;
    mandate_error err = {.text = ""};
    bool any = false;
    cel_issues_init(&issues);
    mandate_status status = cel_parse(&ast, r->w.env, text, &issues, &err);
    if (!status)
        status = cel_check(ast, r->w.env, NULL, &issues, &err);
    if (!status)
        status = cel_compile(&program, r->w.env, ast, &err);
    cel_issues_deinit(&issues);
    if (status == MANDATE_LIMIT) {
        cel_ast_destroy(ast);
        return;
    }
    if (status != MANDATE_OK) {
        fprintf(stderr, "seed %llu: does not compile: %s\n  %s\n", (unsigned long long)r->seed, err.text,
                buf_cstr(&r->g.out));
        exit(1);
    }
    r->program = program;
    r->expressions++;
    touch(r);
    for (uint32_t i = 0; i < GEN_ATTRIBUTES; i++)
        any |= r->touched[i];
    if (any)
        cover_tree(&r->used, ast->root);
    cel_ast_destroy(ast);
    for (int i = 0; any && i < SETS; i++)
        check_case(r);
    cel_program_destroy(program);
}

int main(int argc, char **argv)
{
    uint64_t cases = argc > 1 ? strtoull(argv[1], NULL, 10) : 400000;
    static run r;
    r.seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    gen_init(&r.g, r.seed);
    gen_call_init();
    r.g.with_calls = true;
    gen_world_init(&r.w);
    arena_init(&r.partial, 1 << 20);
    arena_init(&r.complete, 1 << 20);
    while (r.cases < cases)
        check_expression(&r);
    printf("seed %llu: %llu cases of %llu expressions, %llu completions; %llu values, %llu errors, "
           "%llu unknown; %llu absorbed something unknown\n",
           (unsigned long long)r.seed, (unsigned long long)r.cases, (unsigned long long)r.expressions,
           (unsigned long long)r.completions, (unsigned long long)r.values, (unsigned long long)r.errors,
           (unsigned long long)r.unknowns, (unsigned long long)r.absorbed);
    bool telling = r.values > cases / 20 && r.unknowns > cases / 20 && r.absorbed > cases / 100;
    arena_deinit(&r.partial);
    arena_deinit(&r.complete);
    gen_world_deinit(&r.w);
    gen_deinit(&r.g);
    if (!telling)
        fprintf(stderr, "too few cases of one kind: the generator proves little\n");
    uint32_t missing = cases >= 200000 ? cover_missing(&r.used, CALLS_MIN) : 0;
    return telling && missing == 0 ? 0 : 1;
}

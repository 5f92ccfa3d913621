/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prop_certain_until - between two reported moments nothing flips, and at the reported one it does.
 *
 *   prop_certain_until [cases [seed]]     default 60000 cases; the seed of a failure is printed
 *
 * Three kinds of expression. An atom (a comparison of sums of times, of a part of the calendar or of a
 * duration) is exact: same value until one microsecond before the reported moment, another value at
 * it. A combination of atoms is certain until the first of them: nothing flips before. So is
 * whatever cel_certain_check accepts, among random expressions with `now` in them. The rest of those may look at less
 * than a second, so there the clock is stepped second by second: no second may show a value that no report announced.
 */
#include <stdio.h>
#include <stdlib.h>

#include "engine/cel/certain.h"
#include "engine/cel/zone.h"
#include "gen.h"

#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)
enum { PROBES = 24, STEPS = 60, T0 = 10, T1 = 11, W0 = 12, W1 = 13 };

typedef struct run {
    gen_world w;
    gen g;
    uint64_t seed, cases, exact, flips, never, stepped, accepted;
    arena first, other;
    const cel_program *program;
    char text[4000];
    bool told;    /* cel_certain_check accepts it */
    bool horizon; /* the reported moment may be the last boundary looked at instead of a flip */
} run;

/* --- zones --- */

/* UTC+1 and UTC+2 in turns of 1,001 hours; across the date line once; far from any midnight. */
static bool zones(mandate_slice name, int64_t seconds, int32_t *offset_s)
{
    int64_t turn = 1001 * 3600, at = seconds % (2 * turn);
    if (at < 0)
        at += 2 * turn;
    if (mandate_slice_is(name, "Test/Line"))
        *offset_s = seconds < 500 * 3600 ? -11 * 3600 : 13 * 3600;
    else
        *offset_s = at < turn ? 3600 : 7200;
    return mandate_slice_is(name, "Test/Line") || mandate_slice_is(name, "Test/Summer");
}

/* --- random times --- */

static int64_t near(run *r)
{
    static const int64_t scales[] = {1, 1, 10, 1000, SECOND, 3 * SECOND, 60 * SECOND, HOUR, 100 * HOUR, 10000 * HOUR};
    int64_t scale = scales[gen_below(&r->g, sizeof scales / sizeof *scales)];
    return ((int64_t)gen_below(&r->g, 7) - 3) * scale;
}

static void scatter(run *r)
{
    int64_t now = (int64_t)gen_below(&r->g, 4000) * HOUR + near(r);
    gen_world_shuffle(&r->w, &r->g);
    if (gen_below(&r->g, 4) == 0)
        now = (int64_t)(gen_u64(&r->g) % 8000000000u) * SECOND;
    if (gen_below(&r->g, 3) == 0)
        now = now / HOUR * HOUR - (int64_t)gen_below(&r->g, 3);
    r->w.now_us = now;
    for (uint32_t i = T0; i <= W1; i++) {
        cel_value v = cel_timestamp_us(i <= T1 ? now + near(r) : near(r));
        if (i >= W0)
            v.kind = CEL_DURATION;
        if (gen_below(&r->g, 4) == 0)
            v.len = v.len / 1000 * 1000 + gen_below(&r->g, 1000);
        r->w.attributes[i].domain[0] = v;
        r->w.attributes[i].count = 1;
        r->w.state[i] = 0;
    }
}

/* --- shapes --- */

static const char *pick(run *r, const char *const *texts, uint32_t n) { return texts[gen_below(&r->g, n)]; }
#define PICK(r, ...) \
    pick(r, (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static void put(run *r, const char *text)
{
    size_t len = strlen(r->text);
    snprintf(r->text + len, sizeof r->text - len, "%s", text);
}

static void put_duration(run *r, int depth);

static void put_time(run *r, int depth)
{
    if (depth == 0 || gen_below(&r->g, 2) == 0) {
        put(r, PICK(r, "now", "now", "t0", "t1"));
        return;
    }
    put(r, "(");
    put_time(r, depth - 1);
    put(r, PICK(r, " + ", " - "));
    put_duration(r, depth - 1);
    put(r, ")");
}

static void put_duration(run *r, int depth)
{
    if (depth == 0 || gen_below(&r->g, 3) == 0) {
        put(r, PICK(r, "w0", "w1", "duration('1h')", "duration('90s')", "duration('1us')"));
        return;
    }
    bool times = gen_below(&r->g, 2) == 0;
    put(r, "(");
    if (times)
        put_time(r, depth - 1);
    else
        put_duration(r, depth - 1);
    put(r, times ? " - " : PICK(r, " + ", " - "));
    if (times)
        put_time(r, depth - 1);
    else
        put_duration(r, depth - 1);
    put(r, ")");
}

static void put_number(run *r, int64_t from, int64_t to)
{
    char text[32];
    snprintf(text, sizeof text, "%lld", (long long)(from + (int64_t)(gen_u64(&r->g) % (uint64_t)(to - from + 1))));
    put(r, text);
}

static void put_order(run *r) { put(r, PICK(r, " < ", " <= ", " > ", " >= ", " == ", " != ")); }

static void put_calendar(run *r)
{
    static const struct {
        const char *name;
        int64_t from, to;
    } parts[] = {{"getFullYear", 1969, 2200}, {"getMonth", -1, 12},  {"getDayOfYear", 0, 366},
                 {"getDayOfMonth", 0, 31},    {"getDate", 1, 32},    {"getDayOfWeek", -1, 7},
                 {"getHours", -1, 24},        {"getMinutes", 0, 60}, {"getSeconds", -1, 60},
                 {"getMilliseconds", 0, 1000}};
    uint32_t part = gen_below(&r->g, sizeof parts / sizeof *parts);
    r->horizon = true;
    put(r, PICK(r, "now", "now", "(now + w0)", "(now - w1)", "(w0 + now)"));
    put(r, ".");
    put(r, parts[part].name);
    put(r, PICK(r, "()", "('UTC')", "('+05:30')", "('-08:00')", "('Test/Summer')", "('Test/Line')"));
    if (gen_below(&r->g, 3) == 0)
        return; /* the part itself */
    if (gen_below(&r->g, 4) == 0) {
        put(r, " in [");
        for (int i = 0; i < 5; i++) {
            put(r, i ? ", " : "");
            put_number(r, parts[part].from, parts[part].to);
        }
        put(r, "]");
        return;
    }
    put_order(r);
    put_number(r, parts[part].from, parts[part].to);
}

/* The seconds of a time, through sums. */
static void put_seconds(run *r, int depth)
{
    uint32_t kind = depth == 0 ? 0 : gen_below(&r->g, 5);
    if (kind < 2) {
        put(r, "int(");
        put_time(r, depth);
        put(r, ")");
    } else if (kind == 2) {
        put(r, "-(");
        put_seconds(r, depth - 1);
        put(r, ")");
    } else {
        bool first = gen_below(&r->g, 2) == 0;
        put(r, "(");
        first ? put_seconds(r, depth - 1) : put(r, PICK(r, "3", "-7", "int(t0)", "int(t1)"));
        put(r, kind == 3 ? " + " : " - ");
        first ? put(r, PICK(r, "3", "-7", "int(t0)", "int(t1)")) : put_seconds(r, depth - 1);
        put(r, ")");
    }
}

static void put_part(run *r)
{
    uint32_t kind = gen_below(&r->g, 6);
    if (kind == 5) {
        put_seconds(r, 3);
        put_order(r);
        if (gen_below(&r->g, 3) == 0)
            put(r, PICK(r, "int(t0)", "dyn(double(int(t0)) + 0.5)", "dyn(4u)", "int(t1)"));
        else
            put_number(r, r->w.now_us / SECOND - 3, r->w.now_us / SECOND + 3);
        return;
    }
    if (kind == 3) {
        put(r, "int(");
        put_time(r, 2);
        put(r, ")");
        put_order(r);
        put_number(r, r->w.now_us / SECOND - 3, r->w.now_us / SECOND + 3);
    } else if (kind == 4) {
        put(r, "int(");
        put_duration(r, 2);
        put(r, ")");
        put_order(r);
        put_number(r, -5, 5);
        put(r, PICK(r, "", "000", "000000000", "000001000"));
    } else {
        put_duration(r, 2);
        put(r, kind == 0 ? ".getHours()" : kind == 1 ? ".getMinutes()" : ".getSeconds()");
        if (gen_below(&r->g, 3) == 0)
            return;
        put_order(r);
        put_number(r, -3, 3);
    }
}

static void put_atom(run *r)
{
    uint32_t kind = gen_below(&r->g, 6);
    if (kind == 0) {
        put_calendar(r);
    } else if (kind == 1) {
        put_part(r);
    } else if (kind == 2) {
        put_time(r, 2);
        put(r, " in [t0, t1, timestamp('1970-01-02T00:00:00Z')]");
    } else {
        bool times = kind == 3;
        times ? put_time(r, 3) : put_duration(r, 3);
        put_order(r);
        times ? put_time(r, 3) : put_duration(r, 3);
    }
}

/* Atoms that are no bool are compared, so that they can be combined. */
static void put_bool_atom(run *r)
{
    put(r, "(dyn(");
    put_atom(r);
    put(r, ") in [1, true])");
}

static void put_combination(run *r, int depth)
{
    uint32_t kind = depth == 0 ? 0 : gen_below(&r->g, 8);
    if (kind < 2) {
        put_bool_atom(r);
    } else if (kind == 2) {
        put(r, "!");
        put_combination(r, depth - 1);
    } else if (kind == 3) {
        put(r, "((");
        put_combination(r, depth - 1);
        put(r, " ? ");
        put_time(r, 1);
        put(r, " : ");
        put_time(r, 1);
        put(r, ")");
        put_order(r);
        put_time(r, 1);
        put(r, ")");
    } else if (kind == 4) {
        put(r, "cel.bind(z, ");
        put_time(r, 2);
        put(r, ", [1, 2].exists(i, i == 2 && z < t1 || z - t0 > w0))");
    } else if (kind == 5) {
        put(r, "(coalesce(");
        put_duration(r, 2);
        put(r, ", 1) == w0)");
    } else {
        put(r, "(");
        put_combination(r, depth - 1);
        put(r, kind == 6 ? " && " : " || ");
        put_combination(r, depth - 1);
        put(r, ")");
    }
}

/* --- checks --- */

static cel_value at(run *r, int64_t now_us, arena *memory)
{
    arena_reset(memory);
    r->w.now_us = now_us;
    return gen_eval(&r->w, r->program, memory);
}

/* Errors are one value here: their words may name a moment. */
static bool same(cel_value x, cel_value y) { return x.kind == y.kind && (x.kind == CEL_ERROR || cel_order(x, y) == 0); }

static void show(const char *what, int64_t now, cel_value v)
{
    buf b;
    buf_init(&b);
    cel_to_text(&b, v, 300);
    fprintf(stderr, "  %s %lld: %s\n", what, (long long)now, buf_cstr(&b));
    buf_deinit(&b);
}

static void fail(run *r, const char *why, int64_t now, int64_t until, int64_t probe)
{
    fprintf(stderr, "seed %llu, case %llu: %s\n  %s\n", (unsigned long long)r->seed, (unsigned long long)r->cases, why,
            r->text);
    show("now", now, at(r, now, &r->other));
    show("until", until, until == CEL_CERTAIN_FOREVER ? cel_null() : at(r, until, &r->other));
    show("probe", probe, at(r, probe, &r->other));
    for (uint32_t i = T0; i <= W1; i++)
        show("tw", i, r->w.attributes[i].domain[0]);
    exit(1);
}

static void must_hold(run *r, int64_t now, int64_t until, int64_t probe, cel_value v)
{
    if (probe > now && probe < until && !same(v, at(r, probe, &r->other)))
        fail(r, "a flip that no report announced", now, until, probe);
}

/* Nothing flips between now and the reported moment; it is later than now. */
static void check_until(run *r, int64_t now)
{
    cel_value v = at(r, now, &r->first);
    int64_t until = r->w.certain_until_us, end = until;
    if (until <= now)
        fail(r, "certain until the past", now, until, now);
    if (end > now + 800000 * HOUR)
        end = now + 800000 * HOUR; /* what is a century off is never */
    for (int i = 0; i < PROBES; i++) {
        int64_t span = i % 3 == 0 ? end - now : i % 3 == 1 ? 10 * SECOND : 50 * HOUR;
        must_hold(r, now, until, now + (int64_t)(gen_u64(&r->g) % (uint64_t)span), v);
    }
    must_hold(r, now, until, now + 1, v);
    must_hold(r, now, until, end - 1, v);
    for (uint32_t i = T0; i <= T1; i++)
        for (int64_t d = -1; d <= 1; d++)
            must_hold(r, now, until, cel_us(r->w.attributes[i].domain[0]) + d, v);
}

/* At the reported moment another value is there. */
static void check_exact(run *r, int64_t now)
{
    cel_value v = at(r, now, &r->first);
    int64_t until = r->w.certain_until_us;
    r->exact++;
    r->never += until == CEL_CERTAIN_FOREVER;
    if (until == CEL_CERTAIN_FOREVER)
        return;
    if (v.kind == CEL_ERROR)
        return; /* an operand may change while the whole stays an error */
    if (same(v, at(r, until, &r->other))) {
        if (strstr(r->text, " in [t0") && until == now + 1)
            return; /* equal to one of them, then to the next: a microsecond apart */
        if (r->horizon && until - now > 50 * SECOND * 60)
            return; /* the last of the boundaries looked at */
        fail(r, "reported too early", now, until, until);
    }
    r->flips++;
}

static void check_stepping(run *r, int64_t now)
{
    arena_reset(&r->first);
    cel_value v = at(r, now, &r->first);
    int64_t until = r->w.certain_until_us;
    for (int i = 0; i < STEPS; i++) {
        now += SECOND;
        cel_value next = at(r, now, &r->other);
        r->stepped++;
        if (now < until && !same(v, next))
            fail(r, "a second shows what no report announced", now - SECOND, until, now);
        if (now >= until) {
            v = at(r, now, &r->first);
            until = r->w.certain_until_us;
        }
    }
}

static mandate_status compile(run *r, cel_program **out, mandate_error *err)
{
    cel_ast *ast = NULL;
    cel_issues issues;
    cel_issues_init(&issues);
    mandate_status status = cel_parse(&ast, r->w.env, mandate_slice_str(r->text), &issues, err);
    if (status == MANDATE_OK)
        status = cel_check(ast, r->w.env, NULL, &issues, err);
    if (status == MANDATE_OK)
        status = cel_compile(out, r->w.env, ast, err);
    r->told = status == MANDATE_OK && cel_certain_check(ast, r->w.env, &issues, NULL) == MANDATE_OK;
    cel_ast_destroy(ast);
    cel_issues_deinit(&issues);
    return status;
}

static void check_case(run *r)
{
    cel_program *program = NULL;
    mandate_error err = {.text = ""};
    uint32_t kind = gen_below(&r->g, 8);
    bool combined = kind >= 4 && kind < 6, any = kind >= 6;
    r->text[0] = 0;
    r->horizon = false;
    scatter(r);
    if (any) {
        r->g.with_now = true;
        mandate_slice text = gen_expression(&r->g, kind == 6 ? GEN_BOOL : GEN_TIME, 5);
        snprintf(r->text, sizeof r->text, "%.*s", MANDATE_SLICE_ARG(text));
    } else if (combined) {
        put_combination(r, 3);
    } else {
        put_atom(r);
    }
    mandate_status status = compile(r, &program, &err);
    if (status == MANDATE_LIMIT)
        return;
    if (status != MANDATE_OK) {
        fprintf(stderr, "seed %llu: %s\n  %s\n", (unsigned long long)r->seed, err.text, r->text);
        exit(1);
    }
    r->program = program;
    int64_t now = r->w.now_us;
    for (int i = 0; i < 4; i++) { /* and from the reported moment on, again */
        if (!any || r->told)
            check_until(r, now);
        r->accepted += any && r->told && r->w.certain_until_us != CEL_CERTAIN_FOREVER;
        if (!any && !combined)
            check_exact(r, now);
        (void)at(r, now, &r->first);
        if (r->w.certain_until_us == CEL_CERTAIN_FOREVER)
            break;
        int64_t until = r->w.certain_until_us;
        check_stepping(r, i % 2 ? now : until - 5 * SECOND);
        now = until;
    }
    cel_program_destroy(program);
    r->cases++;
}

int main(int argc, char **argv)
{
    uint64_t cases = argc > 1 ? strtoull(argv[1], NULL, 10) : 60000;
    static run r;
    r.seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    gen_init(&r.g, r.seed);
    gen_call_init();
    r.g.with_calls = true;
    gen_world_init(&r.w);
    arena_init(&r.first, 1 << 20);
    arena_init(&r.other, 1 << 20);
    cel_zone_install(zones);
    while (r.cases < cases)
        check_case(&r);
    printf("seed %llu: %llu cases; %llu exact reports, of which %llu flips and %llu never; %llu "
           "seconds stepped; %llu reports of random expressions that may have no flip between\n",
           (unsigned long long)r.seed, (unsigned long long)r.cases, (unsigned long long)r.exact, (unsigned long long)r.flips,
           (unsigned long long)r.never, (unsigned long long)r.stepped, (unsigned long long)r.accepted);
    bool telling = r.flips > cases / 10 && r.never > cases / 20 && r.accepted > cases / 100;
    arena_deinit(&r.first);
    arena_deinit(&r.other);
    gen_world_deinit(&r.w);
    gen_deinit(&r.g);
    if (!telling)
        fprintf(stderr, "too few flips: the generator proves little\n");
    return telling ? 0 : 1;
}

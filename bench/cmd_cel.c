/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_cel - what the condition language costs: evaluation of programs that are in cache,
 * compilation, bytes of a program, and the price of one unit of cost.
 *
 * Each figure is the median of several rounds of the thread's own CPU time. Operands are slots
 * (activation.variables), and once more asked of the host. It says nothing about cold caches.
 * `cel --expressions` prints what is evaluated, for the other implementations of bench/peers.py.
 */
#include "bench/command.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/base/buf.h"
#include "engine/cel/eval.h"
#include "engine/limits.h"

enum { ROUNDS = 9, BATCH = 20000, VARS = 8 };
enum { STATUS, SIZE, OWNER, TAGS, NUMBERS, AT, LONG, MAP };

typedef struct fixture {
    cel_env *env;
    arena memory;
    cel_value vars[VARS];
    char hundred[2000];
    char text[1 << 10];
} fixture;

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int by_value(const void *x, const void *y)
{
    double p = *(const double *)x, q = *(const double *)y;
    return (p > q) - (p < q);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof *values, by_value);
    return values[ROUNDS / 2];
}

static cel_value text(const char *s) { return cel_string(mandate_slice_str(s)); }

static void fixture_init(fixture *f)
{
    static cel_value tags[10], numbers[1000];
    static cel_entry entries[10];
    static const char *const names[VARS] = {"status", "size", "owner", "tags", "numbers", "at", "long", "marks"};
    static char keys[10][16];
    arena_init(&f->memory, LIMIT_CEL_MEMORY);
    mandate_status s = cel_env_create(&f->env, CEL_LIB_ALL, NULL);
    assert(s == MANDATE_OK);
    const cel_type *string = cel_type_simple(CEL_TYPE_STRING), *integer = cel_type_simple(CEL_TYPE_INT);
    const cel_type *types[VARS] = {string,
                                   integer,
                                   string,
                                   cel_type_list(f->env, string),
                                   cel_type_list(f->env, integer),
                                   cel_type_simple(CEL_TYPE_TIMESTAMP),
                                   string,
                                   cel_type_map(f->env, string, integer)};
    for (uint32_t i = 0; i < VARS; i++) {
        uint32_t index;
        s = cel_env_variable(&index, f->env, names[i], types[i], NULL);
        assert(s == MANDATE_OK && index == i);
    }
    s = cel_env_now(f->env, NULL);
    assert(s == MANDATE_OK);
    for (int i = 0; i < 10; i++) {
        snprintf(keys[i], sizeof keys[i], "key-%d", i);
        tags[i] = text(keys[i]);
        entries[i] = (cel_entry){text(keys[i]), cel_int(i)};
    }
    for (int i = 0; i < 1000; i++)
        numbers[i] = cel_int(i);
    memset(f->text, 'x', sizeof f->text);
    f->vars[STATUS] = text("open");
    f->vars[SIZE] = cel_int(12);
    f->vars[OWNER] = text("procurement/emea/buyer-17");
    f->vars[TAGS] = cel_list(tags, 10);
    f->vars[NUMBERS] = cel_list(numbers, 10);
    f->vars[AT] = cel_timestamp(1000, 0);
    f->vars[LONG] = cel_string(mandate_slice_of(f->text, sizeof f->text));
    f->vars[MAP] = cel_map(entries, 10);
    char *at = f->hundred;
    at += sprintf(at, "status in [");
    for (int i = 0; i < 100; i++)
        at += sprintf(at, "%s'state-%d'", i ? ", " : "", i);
    sprintf(at, "]");
}

static cel_value variable(void *ctx, cel_activation *act, uint32_t index) { return ((fixture *)ctx)->vars[index]; }

static const cel_host host = {.variable = variable};

static cel_program *compiled(fixture *f, const char *source)
{
    cel_program *program = NULL;
    mandate_error err = {.text = ""};
    mandate_status s = cel_program_create(&program, f->env, mandate_slice_str(source), NULL, NULL, &err);
    if (s != MANDATE_OK) {
        fprintf(stderr, "%s: %s\n", source, err.text);
        exit(1);
    }
    return program;
}

static cel_activation activation(fixture *f, bool slots)
{
    return (cel_activation){
        .host = &host, .ctx = f, .variables = slots ? f->vars : NULL, .memory = &f->memory, .now_us = INT64_C(5000000000)};
}

/* Nanoseconds of one evaluation. */
static double eval_ns(fixture *f, const cel_program *program, bool slots, int batch)
{
    double rounds[ROUNDS];
    unsigned sink = 0;
    cel_activation act = activation(f, slots);
    for (int r = -1; r < ROUNDS; r++) {
        int64_t from = now_ns();
        for (int i = 0; i < batch; i++) {
            cel_value v = cel_eval(program, &act);
            sink += v.kind + v.b;
            if (f->memory.used)
                arena_reset(&f->memory);
        }
        if (r >= 0)
            rounds[r] = (double)(now_ns() - from) / batch;
    }
    __asm__ volatile("" ::"r"(sink));
    return median(rounds);
}

static double compile_us(fixture *f, const char *source)
{
    double rounds[ROUNDS];
    for (int r = -1; r < ROUNDS; r++) {
        int64_t from = now_ns();
        for (int i = 0; i < 1000; i++)
            cel_program_destroy(compiled(f, source));
        if (r >= 0)
            rounds[r] = (double)(now_ns() - from) / 1000;
    }
    return median(rounds) / 1000;
}

static void show(fixture *f, const char *what, const char *source)
{
    cel_program *program = compiled(f, source);
    double slot = eval_ns(f, program, true, BATCH), asked = eval_ns(f, program, false, BATCH), us = compile_us(f, source);
    size_t bytes = cel_program_bytes(program);
    fprintf(stderr, "%-32s %8.1f %8.1f %9.2f %6zu\n", what, slot, asked, us, bytes);
    printf("{\"record\":\"eval\",\"what\":\"%s\",\"ns\":%.1f,\"ns_through_host\":%.1f,\"compile_us\":%.2f,\"bytes\":%zu}\n",
           what, slot, asked, us, bytes);
    cel_program_destroy(program);
}

/* What is evaluated and compiled, here and by the peers (bench/peers.py). NULL: `status in` a hundred constants. */
static const struct {
    const char *what, *source;
} expressions[] = {
    {"constant", "true"},
    {"string == constant", "status == 'open'"},
    {"string == other constant", "status == 'shut'"},
    {"int < constant", "size < 100"},
    {"conjunction of three", "status == 'open' && size > 3 && owner != 'nobody'"},
    {"in over 100 constants, absent", NULL},
    {"in over 4 constants", "status in ['won', 'lost', 'open', 'new']"},
    {"startsWith", "owner.startsWith('procurement/')"},
    {"matches", "owner.matches('^procurement/[a-z]+/buyer-[0-9]+$')"},
    {"exists over 10, absent", "numbers.exists(i, i > 100)"},
    {"all over 10 strings", "tags.all(t, t.startsWith('key'))"},
    {"filter over 10", "numbers.filter(i, i > 5).size() == 4"},
    {"map entry", "marks['key-7'] == 7"},
    {"now - t < duration", "now - at < duration('72h')"},
    {"calendar", "now.getHours('+02:00') < 18"},
    {"typical condition", "status == 'open' && size < 100 && now - at < duration('72h')"},
    {"macro and conjunction", "tags.exists(t, t == 'a' && size > 3)"},
};
enum { EXPRESSIONS = sizeof expressions / sizeof *expressions };

static const char *source_of(const fixture *f, size_t i)
{
    return expressions[i].source ? expressions[i].source : f->hundred;
}

static void show_all(fixture *f)
{
    fprintf(stderr, "%-32s %8s %8s %9s %6s\n", "", "eval ns", "by host", "compile us", "bytes");
    for (size_t i = 0; i < EXPRESSIONS; i++)
        show(f, expressions[i].what, source_of(f, i));
}

/* --- the price of a unit --- */

typedef struct price {
    const char *source;
    int size; /* elements of `numbers` */
} price;

/* Programs that spend their units on one thing each. */
static const price prices[] = {
    {"status == 'open'", 10},
    {"numbers.exists(i, i > 5000)", 1000},
    {"numbers.map(i, i * 2).size() > 0", 1000},
    {"numbers.filter(i, i % 2 == 0).size() > 0", 1000},
    {"numbers.map(i, string(i)).join(',') == ''", 1000},
    {"numbers.map(i, double(i) / 3.0).map(d, string(d)).join(',') == ''", 1000},
    {"numbers.transformMap(i, v, v).size() > 0", 1000},
    {"numbers.map(i, [i, i + 1]).flatten().distinct().size() > 0", 1000},
    {"numbers.map(i, -i).sort()[0] == 0", 1000},
    {"sets.contains(numbers, numbers)", 1000},
    {"numbers == numbers.reverse()", 1000},
    {"numbers.exists(i, i in [1, 2, 3, 4])", 1000},
    {"numbers.exists(i, -i - 1 in numbers)", 100},
    {"long.contains('xxxxxxxxxxxxxxxxxxxy')", 10},
    {"long.lastIndexOf('yxxxxxxxxxxxxxxxxxx') > 0", 10},
    {"long.replace('x', 'yy').size() > 0", 10},
    {"long.split('').size() > 0", 10},
    {"long.reverse().upperAscii().trim() == long", 10},
    {"long.matches('(x|xx)*y$')", 10},
    {"long.matches('^(([a-z])+.)+[A-Z]([a-z])+$')", 10},
    {"regex.replace(long, 'x', 'yz').size() > 0", 10},
    {"regex.extractAll(long, 'x').size() > 0", 10},
    {"long.matches('x{1,200}y')", 10},
    {"long.matches('([^a-w]{1,30}){1,30}y')", 10},
    {"marks.exists(k, marks[k] > 20)", 10},
    {"[{'a': [1, 2, 3]}, {'b': [4, 5]}] == [{'a': numbers}]", 3},
    {"'%s %d %f'.format([numbers, 5, 1.5]).size() > 0", 1000},
    {"numbers.exists(i, now - at < duration('1h'))", 1000},
    {"now.getMinutes() == 70", 10},
    {"now.getFullYear() == 9999", 10},
    {"numbers.exists(i, at.getDayOfYear('+01:30') == -1)", 1000},
    {"numbers.exists(i, timestamp('2024-01-01T00:00:0' + string(i % 10) + 'Z') < at)", 1000},
    {"numbers.exists(i, math.greatest(i, 5, 7) < 0)", 1000},
    {"numbers.exists(i, optional.of(i).optMap(v, v + 1).orValue(0) < 0)", 1000},
    {"numbers.exists(i, base64.encode(bytes(long)) == '')", 10},
    {"numbers.exists(i, tags.join(',') + long == '')", 10},
    {"numbers.exists(i, has({'a': i, 'b': 2}.c))", 1000},
    {"numbers.exists(i, int(string(i)) < 0)", 1000},
    {"numbers.exists(i, strings.quote(long) == '')", 10},
};

static void print_price(const char *source, double each, uint64_t units, double ns)
{
    buf b;
    buf_init(&b);
    buf_printf(&b, "{\"record\":\"price\",\"ns_per_unit\":%.2f,\"units\":%" PRIu64 ",\"ns\":%.0f,\"source\":", each, units,
               ns);
    buf_put_json_string(&b, mandate_slice_str(source));
    buf_put_str(&b, "}\n");
    fwrite(b.data, 1, b.len, stdout);
    buf_deinit(&b);
}

static void unit_prices(fixture *f)
{
    double worst = 0;
    const char *where = "";
    fprintf(stderr, "\nprice of a unit of cost\n");
    for (size_t i = 0; i < sizeof prices / sizeof *prices; i++) {
        cel_program *program = compiled(f, prices[i].source);
        cel_activation act = activation(f, true);
        f->vars[NUMBERS].len = (uint32_t)prices[i].size;
        cel_value v = cel_eval(program, &act);
        uint64_t units = act.cost;
        arena_reset(&f->memory);
        double ns = eval_ns(f, program, true, units > 1000 ? 100 : 10000), each = ns / (double)units;
        fprintf(stderr, "%7.2f ns/unit %9" PRIu64 " units %10.2f us  %s%s\n", each, units, ns / 1000, prices[i].source,
                v.kind == CEL_ERROR ? "  (error)" : "");
        print_price(prices[i].source, each, units, ns);
        if (each > worst) {
            worst = each;
            where = prices[i].source;
        }
        cel_program_destroy(program);
    }
    f->vars[NUMBERS].len = 10;
    fprintf(stderr, "worst: %.2f ns/unit (%s); LIMIT_CEL_COST %d units are then %.0f us\n", worst, where, LIMIT_CEL_COST,
            worst * LIMIT_CEL_COST / 1000);
    printf("{\"record\":\"worst_price\",\"ns_per_unit\":%.2f,\"limit_units\":%d}\n", worst, LIMIT_CEL_COST);
}

int cmd_cel(int argc, char **argv)
{
    bool list = argc > 1 && strcmp(argv[1], "--expressions") == 0;
    if (!list)
        print_run("cel", argc, argv);
    fixture *f = calloc(1, sizeof *f);
    assert(f);
    fixture_init(f);
    for (size_t i = 0; list && i < EXPRESSIONS; i++)
        printf("%s\t%s\n", expressions[i].what, source_of(f, i));
    if (!list) {
        show_all(f);
        unit_prices(f);
    }
    cel_env_destroy(f->env);
    arena_deinit(&f->memory);
    free(f);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen - random expressions of a wanted type.
 *
 * A production is a line of text with holes: %b a bool, %i int, %u uint, %d double, %s string, %y
 * bytes, %t timestamp, %w duration, %I list(int), %S list(string), %M map(string, int), %O doc, %D
 * list(doc), %x dyn, %o optional int, %p optional string, %P ip, %C cidr. `<T` names a new variable of type T that
 * the rest of the line may use; `>T` names one that is usable only after `~`; `#` is the last name.
 * Where depth is used up, only the leaves (the productions before "") are taken.
 */
#include "gen.h"

#include <assert.h>

static const char letters[GEN_TYPE_COUNT + 1] = "biudsytwISMODxopPC";

/* clang-format off */
static const char *const bools[] = {
    "true", "false", "b0", "b1", "doc['a'].flag", "doc['b'].flag", "",
    "%b && %b", "%b || %b", "%b && %b && %b", "%b || %b || %b", "%b && (%b || %b)", "%b || %b && %b",
    "%b && %b", "%b || %b", "%b && %b", "%b || %b", "%b && %b", "%b || %b", "!%b", "%b ? %b : %b", "%b == %b", "%b != %b",
    "%i == %i", "%i < %i", "%i >= %i", "%i != %i", "%u <= %u", "%d > %d", "%i < %d", "%u == dyn(%i)",
    "%s == %s", "%s != %s", "%s < %s", "%y == %y", "%t < %t", "%t >= %t", "%w <= %w", "%w == %w",
    "%I == %I", "%S != %S", "%M == %M", "%x == %x", "%x != %x", "%O == %O", "%x < 5", "%o == %o",
    "%i in %I", "%s in %S", "%s in %M", "%x in [1, 'a', null]", "%i in [1, 2, 3, 5, 7]",
    "%s in ['open', 'closed']", "%O in %D",
    "%s.startsWith(%s)", "%s.endsWith(%s)", "%s.contains(%s)", "%s.matches('^[a-m]+$')",
    "%s.matches(%s)", "%O.flag", "has(%O.status)", "has(%O.size)", "has(%O.flag)", "has(%M.a)",
    "has(%x.a)", "%o.hasValue()", "%p.hasValue()", "math.isNaN(%d)",
    "%I.all(<i, %b)", "%I.exists(<i, %b)", "%I.exists_one(<i, %b)", "%S.all(<s, %b)",
    "%S.exists(<s, %b)", "%M.all(<s, %b)", "%M.exists(<s, %b)", "%D.exists(<O, %b)",
    "%D.all(<O, %b)", "%D.exists_one(<O, %b)", "%I.exists(<i, <i, %b)",
    "%M.all(<s, <i, %b)", "%S.exists_one(<i, <s, %b)", "%I.existsOne(<i, %b)", "%M.existsOne(<s, <i, %b)", "sets.contains(%I, %I)",
    "sets.intersects(%S, %S)", "sets.equivalent(%I, %I)", "type(%x) == int", "type(%i) == type(%x)",
    "cel.bind(>b, %b, ~%b)", "cel.bind(>i, %i, ~%b)", "bool(%s)", "%x", "%w > %w", "%t == %t"};
static const char *const ints[] = {
    "0", "1", "-3", "9223372036854775807", "n0", "n1", "doc['a'].size", "doc['c'].size", "",
    "%i + %i", "%i - %i", "%i * %i", "%i / %i", "%i % %i", "-(%i)", "size(%s)", "size(%y)",
    "%I.size()", "%S.size()", "size(%M)", "%b ? %i : %i", "%I[%i]", "%I[0]", "%M['a']", "%M[%s]",
    "int(%s)", "int(%d)", "int(%u)", "int(%t)", "int(%w)", "%t.getHours()", "%t.getDayOfWeek('+05:30')",
    "%t.getFullYear()", "%w.getMinutes()", "%w.getSeconds()", "%s.indexOf(%s)", "%s.lastIndexOf(%s)",
    "math.greatest(%i, %i)", "math.least(%i, %i, %i)", "math.abs(%i)", "math.sign(%i)",
    "math.bitAnd(%i, %i)", "math.bitShiftLeft(%i, %i)", "%o.orValue(%i)", "%o.value()", "%O.size",
    "%O.owner.size", "%O.marks['a']", "cel.bind(>i, %i, ~%i)", "cel.bind(>O, %O, ~%i)",
    "%I.first().orValue(%i)", "math.greatest(%I.reverse())", "%M.a", "%I.last().value()",
    "%D.filter(<O, %b).size()"};
static const char *const uints[] = {"0u", "1u", "7u", "u0", "u1", "",
    "%u + %u", "%u - %u", "%u * %u", "%u / %u", "%u % %u", "uint(%i)", "uint(%d)", "%b ? %u : %u",
    "math.greatest(%u, %u)", "math.bitOr(%u, %u)"};
static const char *const doubles[] = {"0.5", "-1.0", "1e10", "d0", "doc['a'].ratio", "",
    "%d + %d", "%d - %d", "%d * %d", "%d / %d", "-(%d)", "double(%i)", "double(%u)", "double(%s)",
    "%b ? %d : %d", "math.ceil(%d)", "math.floor(%d)", "math.sqrt(%d)", "%O.ratio", "math.abs(%d)"};
static const char *const strings[] = {
    "'a'", "'open'", "''", "'b\\u00e9c'", "s0", "s1", "doc['a'].status", "doc['b'].status", "",
    "%s + %s", "%O.status", "%O.owner.status", "string(%i)", "string(%d)", "string(%b)", "string(%t)",
    "string(%w)", "string(%y)", "string(%u)", "%s.substring(%i)", "%s.substring(0, %i)",
    "%s.charAt(%i)", "%s.lowerAscii()", "%s.upperAscii()", "%s.replace(%s, %s)",
    "%s.replace(%s, 'x', 1)", "%s.trim()", "%s.reverse()", "%S.join(',')", "%S.join()",
    "'%%s-%%d'.format([%x, %i])", "%b ? %s : %s", "%S[%i]", "%S[0]", "%p.orValue(%s)", "%p.value()",
    "strings.quote(%s)", "cel.bind(>s, %s, ~%s)", "base64.encode(%y)",
    "regex.replace(%s, '[aeiou]', '_')"};
static const char *const bytes[] = {"b'a'", "b''", "b'\\xff'", "y0", "", "%y + %y", "bytes(%s)",
    "base64.decode(%s)", "%b ? %y : %y"};
static const char *const times[] = {"timestamp('1970-01-01T00:16:40Z')",
    "timestamp('2023-11-14T22:13:20.5Z')", "t0", "t1", "doc['a'].at", "",
    "%t + %w", "%t - %w", "%O.at", "%b ? %t : %t", "timestamp(%i)", "timestamp(%s)"};
static const char *const durations[] = {"duration('1h')", "duration('-90s')", "duration('0s')", "w0",
    "w1", "doc['b'].wait", "", "%t - %t", "%w + %w", "%w - %w", "%O.wait", "%b ? %w : %w",
    "duration(%s)"};
static const char *const int_lists[] = {"[1, 2, 3]", "(true ? [] : [1])", "[5]", "li", "",
    "[%i, %i]", "[%i, 2, %i]", "[?%o, %i]", "%I + %I", "%I.map(<i, %i)", "%I.filter(<i, %b)",
    "%I.map(<i, %b, %i)", "lists.range(4)", "%I.slice(0, %i)", "%I.distinct()", "%I.sort()",
    "%I.reverse()", "[%I, %I].flatten()", "%b ? %I : %I", "%S.map(<s, %i)", "%M.map(<s, %i)",
    "%I.transformList(<i, <i, %i)", "%I.transformList(<i, <i, %b, %i)",
    "%I.sortBy(<i, %i)", "optional.unwrap([%o, %o])", "%D.map(<O, %i)", "cel.bind(>I, %I, ~%I)"};
static const char *const string_lists[] = {"['a', 'b']", "(true ? [] : ['a'])", "ls", "doc['a'].tags",
    "doc['c'].tags", "", "[%s, %s]", "[?%p, %s]", "%S + %S", "%S.filter(<s, %b)",
    "%S.map(<s, %s)", "%M.map(<s, %s)", "%s.split(%s)", "%s.split(',', %i)", "%O.tags",
    "%b ? %S : %S", "%S.sort()", "%S.distinct()", "regex.extractAll(%s, '[a-c]')",
    "%I.map(<i, %s)", "%D.map(<O, %s)", "%M.filter(<s, %b)"};
static const char *const maps[] = {"{'a': 1, 'b': 2}", "(true ? {} : m0)", "m0", "doc['a'].marks", "",
    "{'a': %i, %s: %i}", "{'k': %i}", "{?'a': %o, 'b': %i}", "%O.marks", "%b ? %M : %M",
    "%M.transformMap(<s, <i, %i)", "%M.transformMap(<s, <i, %b, %i)",
    "%S.transformMapEntry(<i, <s, {#: %i})", "%S.transformMapEntry(<i, <s, %b, {#: %i})"};
static const char *const docs[] = {"doc['a']", "doc['b']", "doc['c']", "", "doc[%s]", "%O.owner",
    "%b ? %O : %O", "%D[0]", "doc['a'].owner", "doc['b'].owner"};
static const char *const doc_lists[] = {"doc['a'].peers", "doc['b'].peers", "[doc['a'], doc['b']]", "",
    "%O.peers", "[%O, %O]", "%D.filter(<O, %b)", "%D + %D", "%b ? %D : %D", "%D.map(<O, %O)"};
static const char *const dyns[] = {"x0", "x1", "doc['b'].extra", "dyn(null)", "",
    "dyn(%i)", "dyn(%s)", "dyn(%d)", "dyn(%I)", "dyn(%M)", "dyn(%b)", "%O.extra", "%x.a", "%x['a']",
    "%x[0]", "dyn([1, 'a', %x])", "dyn({'a': %x})", "%b ? dyn(%i) : %x", "dyn(%x.exists(<x, %b))",
    "dyn(%x.map(<x, %i))", "coalesce(%x, %x)", "coalesce(%x.a, %i, %s)", "dyn(%x + %x)",
    "dyn(size(%x))", "dyn(%t)", "dyn(%x.all(<x, %b))", "dyn(%o)", "dyn([%x, %I].flatten(%i))"};
static const char *const int_options[] = {"optional.of(1)", "(true ? optional.none() : optional.of(1))", "o0", "",
    "optional.of(%i)", "%M[?%s]", "%I[?%i]", "%M.?a", "%o.or(%o)", "%o.optMap(<i, %i)",
    "%o.optFlatMap(<i, %o)", "%b ? %o : %o", "%I.first()", "%I.last()", "%O.?size",
    "%O.?owner.?size", "optional.ofNonZeroValue(%i)", "%O.?marks[?'a']"};
static const char *const string_options[] = {"optional.of('a')", "(true ? optional.none() : optional.of('a'))", "",
    "optional.of(%s)", "%S[?%i]", "%O.?status", "regex.extract(%s, '[a-c]+')", "%p.or(%p)",
    "%p.optMap(<s, %s)", "%p.optFlatMap(<s, %p)", "%O.?owner.?status", "%S.first()", "optional.ofNonZeroValue(%s)"};
static const char *const ips[] = {"ip('10.1.2.3')", "(b0 ? ip('::1') : ip('127.0.0.1'))", "", "ip(%s)", "%C.ip()", "%b ? %P : %P"};
static const char *const cidrs[] = {"cidr('10.0.0.0/8')", "(b1 ? cidr('::/0') : cidr('10.1.0.0/16'))", "", "cidr(%s)",
    "%C.masked()", "%b ? %C : %C"};
/* clang-format on */

typedef struct grammar {
    const char *const *rules;
    uint32_t count;
} grammar;

#define RULES(table)                        \
    {                                       \
        table, sizeof table / sizeof *table \
    }
static const grammar grammars[GEN_TYPE_COUNT] = {
    RULES(bools),     RULES(ints),      RULES(uints),       RULES(doubles),        RULES(strings), RULES(bytes),
    RULES(times),     RULES(durations), RULES(int_lists),   RULES(string_lists),   RULES(maps),    RULES(docs),
    RULES(doc_lists), RULES(dyns),      RULES(int_options), RULES(string_options), RULES(ips),     RULES(cidrs)};

void gen_init(gen *g, uint64_t seed)
{
    *g = (gen){.rng = seed};
    buf_init(&g->out);
}

void gen_deinit(gen *g) { buf_deinit(&g->out); }

/* splitmix64 */
uint64_t gen_u64(gen *g)
{
    uint64_t z = g->rng += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint32_t gen_below(gen *g, uint32_t n) { return (uint32_t)(gen_u64(g) >> 33) % n; }

gen_type gen_type_of(char letter)
{
    const char *at = strchr(letters, letter);
    assert(letter && at);
    return (gen_type)(at - letters);
}

static void emit(gen *g, gen_type type, uint32_t depth);

/* A variable of that type, from now on visible in this rule; its name. */
static uint32_t declare(gen *g, gen_type type)
{
    if (g->local_count < sizeof g->locals / sizeof *g->locals)
        g->locals[g->local_count++] = (gen_local){type, g->local_number};
    return g->local_number++;
}

static bool is_letter(char c) { return c && strchr(letters, c); }

static void fill(gen *g, const char *rule, uint32_t depth)
{
    uint32_t locals = g->local_count, last = 0;
    gen_type pending = GEN_BOOL;
    for (const char *p = rule; *p; p++) {
        if (*p == '%' && p[1] == '%') {
            buf_put_char(&g->out, *++p);
        } else if (*p == '%' && is_letter(p[1])) {
            buf_put_char(&g->out, '(');
            emit(g, gen_type_of(*++p), depth);
            buf_put_char(&g->out, ')');
        } else if (*p == '<' && is_letter(p[1])) {
            last = declare(g, gen_type_of(*++p));
            buf_printf(&g->out, "v%u", last);
        } else if (*p == '>' && is_letter(p[1])) {
            pending = gen_type_of(*++p);
            buf_printf(&g->out, "v%u", last = g->local_number++);
        } else if (*p == '~') {
            if (g->local_count < sizeof g->locals / sizeof *g->locals)
                g->locals[g->local_count++] = (gen_local){pending, last};
        } else if (*p == '#') {
            buf_printf(&g->out, "v%u", last);
        } else {
            buf_put_char(&g->out, *p);
        }
    }
    g->local_count = locals;
}

static void emit(gen *g, gen_type type, uint32_t depth)
{
    const grammar *rules = &grammars[type];
    uint32_t leaves = 0, candidates = 0;
    const char *call;
    while (rules->rules[leaves][0])
        leaves++;
    for (uint32_t i = 0; i < g->local_count; i++)
        candidates += g->locals[i].type == type;
    if (candidates && gen_below(g, 3) == 0) {
        uint32_t pick = gen_below(g, candidates);
        for (uint32_t i = 0; i < g->local_count; i++)
            if (g->locals[i].type == type && pick-- == 0)
                buf_printf(&g->out, "v%u", g->locals[i].number);
        return;
    }
    if (g->with_now && type == GEN_TIME && gen_below(g, 2) == 0) {
        buf_put_str(&g->out, "now");
        return;
    }
    if (depth == 0 || g->out.len > 2500 || gen_below(g, 6) == 0)
        fill(g, rules->rules[gen_below(g, leaves)], 0);
    else if (g->with_calls && gen_below(g, 3) == 0 && (call = gen_call_rule(g, type)))
        fill(g, call, depth - 1);
    else
        fill(g, rules->rules[leaves + 1 + gen_below(g, rules->count - leaves - 1)], depth - 1);
}

mandate_slice gen_expression(gen *g, gen_type type, uint32_t depth)
{
    buf_reset(&g->out);
    g->local_count = g->local_number = 0;
    emit(g, type, depth);
    return buf_slice(&g->out);
}

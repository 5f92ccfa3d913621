/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_world - the declarations, domains and host behind random expressions.
 *
 * Domains hold the ends of ranges, empty containers, null (an entity known not to exist) and values
 * that make functions fail, because those are where absorption goes wrong.
 */
#include "gen.h"

#include <assert.h>
#include <stdio.h>

#include "engine/limits.h"

static const char *const object_names[GEN_OBJECTS] = {"a", "b", "c"};

static cel_value text(const char *s) { return cel_string(mandate_slice_str(s)); }

static cel_value list_of(gen_world *w, uint32_t n, const cel_value *items)
{
    cel_value *copy = arena_alloc(&w->values, (n + 1) * sizeof *copy);
    assert(copy);
    for (uint32_t i = 0; i < n; i++)
        copy[i] = items[i];
    return cel_list(copy, n);
}

#define LIST(w, ...) list_of(w, sizeof((cel_value[]){__VA_ARGS__}) / sizeof(cel_value), (cel_value[]){__VA_ARGS__})
#define TEXTS(w, ...) LIST(w, __VA_ARGS__)

static cel_value map_of(gen_world *w, uint32_t n, const char *const *keys, const int64_t *values)
{
    cel_entry *entries = arena_alloc(&w->values, (n + 1) * sizeof *entries);
    assert(entries);
    for (uint32_t i = 0; i < n; i++)
        entries[i] = (cel_entry){text(keys[i]), cel_int(values[i])};
    return cel_map(entries, n);
}

static cel_value some(gen_world *w, cel_value v)
{
    cel_value one = list_of(w, 1, &v);
    return (cel_value){.kind = CEL_OPTIONAL, .len = 1, .items = one.items};
}

static cel_value none(void) { return (cel_value){.kind = CEL_OPTIONAL, .len = 0, .items = NULL}; }

static void set(gen_world *w, uint32_t at, const char *path, const cel_value *domain, uint32_t n)
{
    gen_attribute *a = &w->attributes[at];
    assert(at < GEN_ATTRIBUTES && n <= GEN_DOMAIN);
    a->path = arena_dup(&w->values, mandate_slice_str(path));
    a->count = n;
    for (uint32_t i = 0; i < n; i++)
        a->domain[i] = domain[i];
}

#define DOMAIN(w, at, path, ...) \
    set(w, at, path, (cel_value[]){__VA_ARGS__}, sizeof((cel_value[]){__VA_ARGS__}) / sizeof(cel_value))

/* --- declarations --- */

static void variable(gen_world *w, uint32_t at, const char *name, const cel_type *type)
{
    uint32_t index;
    mandate_status status = cel_env_variable(&index, w->env, name, type, NULL);
    assert(status == MANDATE_OK && index == at);
}

static const char *const var_names[GEN_VARS] = {"b0", "b1", "n0", "n1", "u0", "u1", "d0", "s0", "s1", "y0",
                                                "t0", "t1", "w0", "w1", "li", "ls", "m0", "x0", "x1", "o0"};

static void declare(gen_world *w)
{
    const cel_type *integer = cel_type_simple(CEL_TYPE_INT), *string = cel_type_simple(CEL_TYPE_STRING),
                   *dyn = cel_type_simple(CEL_TYPE_DYN);
    const cel_type *doc = cel_type_object(w->env, "doc");
    const cel_type *map = cel_type_map(w->env, string, integer);
    const cel_field fields[GEN_FIELDS] = {
        {"flag", cel_type_simple(CEL_TYPE_BOOL)},
        {"size", integer},
        {"ratio", cel_type_simple(CEL_TYPE_DOUBLE)},
        {"status", string},
        {"at", cel_type_simple(CEL_TYPE_TIMESTAMP)},
        {"wait", cel_type_simple(CEL_TYPE_DURATION)},
        {"tags", cel_type_list(w->env, string)},
        {"marks", map},
        {"owner", doc},
        {"peers", cel_type_list(w->env, doc)},
        {"extra", dyn},
    };
    const cel_type *types[GEN_VARS] = {cel_type_simple(CEL_TYPE_BOOL),
                                       cel_type_simple(CEL_TYPE_BOOL),
                                       integer,
                                       integer,
                                       cel_type_simple(CEL_TYPE_UINT),
                                       cel_type_simple(CEL_TYPE_UINT),
                                       cel_type_simple(CEL_TYPE_DOUBLE),
                                       string,
                                       string,
                                       cel_type_simple(CEL_TYPE_BYTES),
                                       cel_type_simple(CEL_TYPE_TIMESTAMP),
                                       cel_type_simple(CEL_TYPE_TIMESTAMP),
                                       cel_type_simple(CEL_TYPE_DURATION),
                                       cel_type_simple(CEL_TYPE_DURATION),
                                       cel_type_list(w->env, integer),
                                       cel_type_list(w->env, string),
                                       map,
                                       dyn,
                                       dyn,
                                       cel_type_optional(w->env, integer)};
    mandate_status status = cel_env_fields(w->env, doc, fields, GEN_FIELDS, NULL);
    assert(status == MANDATE_OK);
    status = cel_env_table(w->env, doc, NULL);
    assert(status == MANDATE_OK);
    for (uint32_t i = 0; i < GEN_VARS; i++)
        variable(w, i, var_names[i], types[i]);
    status = cel_env_now(w->env, NULL);
    assert(status == MANDATE_OK);
}

/* --- domains --- */

static void fill_variables(gen_world *w)
{
    static const char *const ab[] = {"a", "b"};
    static const int64_t one_two[] = {1, 2};
    cel_value empty = cel_list(NULL, 0), m = map_of(w, 2, ab, one_two), e = cel_map(NULL, 0);
    DOMAIN(w, 0, "b0", cel_bool(true), cel_bool(false));
    DOMAIN(w, 1, "b1", cel_bool(true), cel_bool(false));
    DOMAIN(w, 2, "n0", cel_int(0), cel_int(1), cel_int(-7), cel_int(3));
    DOMAIN(w, 3, "n1", cel_int(0), cel_int(2), cel_int(INT64_MAX), cel_int(INT64_MIN));
    DOMAIN(w, 4, "u0", cel_uint(0), cel_uint(1), cel_uint(UINT64_MAX));
    DOMAIN(w, 5, "u1", cel_uint(2), cel_uint(7));
    DOMAIN(w, 6, "d0", cel_double(0), cel_double(1.5), cel_double(-1), cel_double(1e300));
    DOMAIN(w, 7, "s0", text(""), text("a"), text("open"), text("a,b\xC3\xA9"));
    DOMAIN(w, 8, "s1", text("b"), text("12"), text("closed"));
    DOMAIN(w, 9, "y0", cel_bytes(mandate_slice_of("", 0)), cel_bytes(mandate_slice_of("a\xff", 2)),
           cel_bytes(mandate_slice_of("abc", 3)));
    DOMAIN(w, 10, "t0", cel_timestamp(0, 0), cel_timestamp(1000, 5), cel_timestamp(1700000000, 0));
    DOMAIN(w, 11, "t1", cel_timestamp(1000, 5), cel_timestamp(253402300799, 999999999));
    DOMAIN(w, 12, "w0", cel_duration(0, 0), cel_duration(3600, 0), cel_duration(-1, 500000000));
    DOMAIN(w, 13, "w1", cel_duration(7200, 0), cel_duration(9000000000, 0));
    DOMAIN(w, 14, "li", empty, LIST(w, cel_int(1), cel_int(2), cel_int(3)), LIST(w, cel_int(0), cel_int(2)),
           LIST(w, cel_int(5), cel_int(5), cel_int(-1)));
    DOMAIN(w, 15, "ls", empty, LIST(w, text("a"), text("b")), LIST(w, text("open")));
    DOMAIN(w, 16, "m0", e, m, map_of(w, 1, ab, one_two));
    DOMAIN(w, 17, "x0", cel_null(), cel_int(1), m, LIST(w, cel_int(1), text("a")));
    DOMAIN(w, 18, "x1", text("a"), cel_uint(1), cel_double(1), e);
    DOMAIN(w, 19, "o0", none(), some(w, cel_int(1)), some(w, cel_int(4)));
}

static void fill_object(gen_world *w, uint32_t object, const cel_value *docs)
{
    static const char *const names[GEN_FIELDS] = {"flag", "size",  "ratio", "status", "at",   "wait",
                                                  "tags", "marks", "owner", "peers",  "extra"};
    static const char *const ab[] = {"a", "c"};
    static const int64_t values[] = {5, -2};
    const cel_value domains[GEN_FIELDS][GEN_DOMAIN] = {
        {cel_bool(true), cel_bool(false), cel_null()},
        {cel_int(0), cel_int(2), cel_int(100), cel_null()},
        {cel_double(0.5), cel_double(-0.0), cel_double(3)},
        {text("open"), text("closed"), text("")},
        {cel_timestamp(500, 0), cel_timestamp(1600000000, 1000), cel_null()},
        {cel_duration(60, 0), cel_duration(-90, 0), cel_duration(86400, 0)},
        {cel_list(NULL, 0), LIST(w, text("a")), LIST(w, text("b"), text("a"), text("open"))},
        {cel_map(NULL, 0), map_of(w, 2, ab, values), map_of(w, 1, ab + 1, values)},
        {docs[0], docs[1], docs[2], cel_null()},
        {cel_list(NULL, 0), LIST(w, docs[1], docs[2]), LIST(w, docs[0])},
        {cel_int(2), text("b"), cel_null(), map_of(w, 1, ab, values)},
    };
    static const uint32_t counts[GEN_FIELDS] = {3, 4, 3, 3, 3, 3, 3, 3, 4, 3, 4};
    for (uint32_t f = 0; f < GEN_FIELDS; f++) {
        char path[64];
        snprintf(path, sizeof path, "doc[\"%s\"].%s", object_names[object], names[f]);
        set(w, GEN_VARS + object * GEN_FIELDS + f, path, domains[f], counts[f]);
    }
}

void gen_world_init(gen_world *w)
{
    cel_value docs[GEN_OBJECTS];
    *w = (gen_world){.now_us = 1000000000};
    arena_init(&w->values, 0);
    mandate_status status = cel_env_create(&w->env, CEL_LIB_ALL, NULL);
    assert(status == MANDATE_OK);
    declare(w);
    uint16_t type = cel_type_object(w->env, "doc")->object;
    for (uint32_t i = 0; i < GEN_OBJECTS; i++)
        docs[i] = cel_object(type, object_names[i]);
    fill_variables(w);
    for (uint32_t i = 0; i < GEN_OBJECTS; i++)
        fill_object(w, i, docs);
}

void gen_world_deinit(gen_world *w)
{
    cel_env_destroy(w->env);
    arena_deinit(&w->values);
}

void gen_world_shuffle(gen_world *w, gen *g)
{
    for (uint32_t i = 0; i < GEN_ATTRIBUTES; i++)
        w->state[i] = (int8_t)gen_below(g, w->attributes[i].count);
}

/* --- the host --- */

static cel_value attribute(gen_world *w, cel_activation *act, uint32_t at)
{
    const gen_attribute *a = &w->attributes[at];
    w->read[at] = true;
    if (w->state[at] != GEN_UNKNOWN)
        return a->domain[w->state[at]];
    w->unknown_reads++;
    return cel_unknown_of(act->memory, a->path);
}

static cel_value host_variable(void *ctx, cel_activation *act, uint32_t index) { return attribute(ctx, act, index); }

static cel_value host_entity(void *ctx, cel_activation *act, uint16_t type, cel_value key)
{
    for (size_t i = 0; i < GEN_OBJECTS; i++)
        if (key.kind == CEL_STRING && mandate_slice_is(cel_text(key), object_names[i]))
            return cel_object(type, object_names[i]);
    return cel_error(act->memory, "no such document");
}

static uint32_t attribute_of(cel_value object, uint32_t field)
{
    uint32_t i = 0;
    while (object.object != object_names[i])
        i++;
    return GEN_VARS + i * GEN_FIELDS + field;
}

static cel_value host_field(void *ctx, cel_activation *act, cel_value object, uint32_t field)
{
    return attribute(ctx, act, attribute_of(object, field));
}

static cel_value host_has(void *ctx, cel_activation *act, cel_value object, uint32_t field)
{
    cel_value v = host_field(ctx, act, object, field);
    return v.kind == CEL_UNKNOWN ? v : cel_bool(v.kind != CEL_NULL);
}

static const cel_host host = {.variable = host_variable, .entity = host_entity, .field = host_field, .has = host_has};

cel_value gen_eval(gen_world *w, const cel_program *program, arena *memory)
{
    memset(w->read, 0, sizeof w->read);
    w->unknown_reads = 0;
    cel_activation act = {.host = &host, .ctx = w, .memory = memory, .now_us = w->now_us, .cost_max = w->cost_max};
    cel_value v = cel_eval(program, &act);
    w->cost = act.cost;
    w->certain_until_us = act.certain_until_us;
    return v;
}

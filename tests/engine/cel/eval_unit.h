/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eval_unit - what the tests of the back half share: a small world of documents behind a host, and
 * evaluation of a text in one line.
 *
 * Table doc has the fields status, size, at, tags, owner (a doc), extra (dyn), peers (docs). doc["a"] is fully
 * known, doc["new"] was never observed, doc["gone"] is known not to exist. Variables: n (int), s
 * (string), t (timestamp), x (dyn); now.
 */
#ifndef MANDATE_TESTS_ENGINE_CEL_EVAL_UNIT_H
#define MANDATE_TESTS_ENGINE_CEL_EVAL_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "engine/cel/eval.h"
#include "engine/limits.h"

enum { VAR_N, VAR_S, VAR_T, VAR_X, VAR_COUNT };
enum { FIELD_STATUS, FIELD_SIZE, FIELD_AT, FIELD_TAGS, FIELD_OWNER, FIELD_EXTRA, FIELD_PEERS };

typedef struct world {
    cel_env *env;
    arena memory;
    cel_value vars[VAR_COUNT];
    int64_t now_us, certain_until_us;
    uint32_t variable_reads, field_reads;
    char text[2000]; /* of the last result */
} world;

static const char *const doc_names[] = {"a", "new", "gone"};

static inline cel_value world_variable(void *ctx, cel_activation *act, uint32_t index)
{
    world *w = ctx;
    w->variable_reads++;
    return w->vars[index];
}

static inline cel_value world_entity(void *ctx, cel_activation *act, uint16_t type, cel_value key)
{
    for (size_t i = 0; i < 3; i++)
        if (key.kind == CEL_STRING && mandate_slice_is(cel_text(key), doc_names[i]))
            return cel_object(type, doc_names[i]);
    return cel_error(act->memory, "no id");
}

static inline cel_value unknown_field(cel_activation *act, const char *id, uint32_t field)
{
    static const char *const names[] = {"status", "size", "at", "tags", "owner", "extra", "peers"};
    return cel_unknown_of(act->memory, arena_printf(act->memory, "doc[\"%s\"].%s", id, names[field]));
}

static inline cel_value world_field(void *ctx, cel_activation *act, cel_value object, uint32_t field)
{
    static cel_value tags[2];
    static cel_entry extra[1];
    world *w = ctx;
    w->field_reads++;
    if (object.object == doc_names[1])
        return unknown_field(act, "new", field);
    if (object.object == doc_names[2])
        return cel_null();
    tags[0] = cel_string(mandate_slice_str("red"));
    tags[1] = cel_string(mandate_slice_str("blue"));
    extra[0].key = cel_string(mandate_slice_str("k"));
    extra[0].value = cel_int(9);
    switch (field) {
    case FIELD_STATUS:
        return cel_string(mandate_slice_str("open"));
    case FIELD_SIZE:
        return cel_int(12);
    case FIELD_AT:
        return cel_timestamp(1000, 0);
    case FIELD_TAGS:
        return cel_list(tags, 2);
    case FIELD_OWNER:
        return cel_object(object.type, doc_names[1]);
    case FIELD_PEERS:
        return cel_list(NULL, 0);
    default:
        return cel_map(extra, 1);
    }
}

static inline cel_value world_has(void *ctx, cel_activation *act, cel_value object, uint32_t field)
{
    if (object.object == doc_names[1])
        return unknown_field(act, "new", field);
    return cel_bool(object.object == doc_names[0]);
}

static const cel_host world_host = {
    .variable = world_variable, .entity = world_entity, .field = world_field, .has = world_has};

static inline void world_init(world *w)
{
    static const char *const names[VAR_COUNT] = {"n", "s", "t", "x"};
    static const cel_type_kind kinds[VAR_COUNT] = {CEL_TYPE_INT, CEL_TYPE_STRING, CEL_TYPE_TIMESTAMP, CEL_TYPE_DYN};
    *w = (world){.now_us = 0};
    arena_init(&w->memory, LIMIT_CEL_MEMORY);
    assert_int_equal(cel_env_create(&w->env, CEL_LIB_ALL, NULL), MANDATE_OK);
    const cel_type *doc = cel_type_object(w->env, "doc");
    const cel_field fields[] = {
        {"status", cel_type_simple(CEL_TYPE_STRING)},
        {"size", cel_type_simple(CEL_TYPE_INT)},
        {"at", cel_type_simple(CEL_TYPE_TIMESTAMP)},
        {"tags", cel_type_list(w->env, cel_type_simple(CEL_TYPE_STRING))},
        {"owner", doc},
        {"extra", cel_type_simple(CEL_TYPE_DYN)},
        {"peers", cel_type_list(w->env, doc)},
    };
    assert_int_equal(cel_env_fields(w->env, doc, fields, 7, NULL), MANDATE_OK);
    assert_int_equal(cel_env_table(w->env, doc, NULL), MANDATE_OK);
    for (uint32_t i = 0; i < VAR_COUNT; i++) {
        uint32_t index;
        assert_int_equal(cel_env_variable(&index, w->env, names[i], cel_type_simple(kinds[i]), NULL), MANDATE_OK);
        assert_int_equal(index, i);
    }
    assert_int_equal(cel_env_now(w->env, NULL), MANDATE_OK);
    w->vars[VAR_N] = cel_int(3);
    w->vars[VAR_S] = cel_string(mandate_slice_str("hello"));
    w->vars[VAR_T] = cel_timestamp(1000, 0);
    w->vars[VAR_X] = cel_null();
}

static inline void world_deinit(world *w)
{
    arena_deinit(&w->memory);
    cel_env_destroy(w->env);
}

static inline cel_program *world_compile(world *w, const char *source)
{
    cel_program *program = NULL;
    mandate_error err = {.text = ""};
    if (cel_program_create(&program, w->env, mandate_slice_str(source), NULL, NULL, &err) != MANDATE_OK)
        fail_msg("%s: %s", source, err.text);
    return program;
}

/* The value lives until the next call. */
static inline cel_value world_run(world *w, const cel_program *program)
{
    arena_reset(&w->memory);
    cel_activation act = {.host = &world_host, .ctx = w, .memory = &w->memory, .now_us = w->now_us};
    cel_value v = cel_eval(program, &act);
    w->certain_until_us = act.certain_until_us;
    return v;
}

static inline const char *world_eval(world *w, const char *source)
{
    cel_program *program = world_compile(w, source);
    buf b;
    buf_init(&b);
    cel_to_text(&b, world_run(w, program), sizeof w->text - 10);
    snprintf(w->text, sizeof w->text, "%s", buf_cstr(&b));
    buf_deinit(&b);
    cel_program_destroy(program);
    return w->text;
}

#define EXPECT(w, source, text) assert_string_equal(world_eval((w), (source)), (text))

#endif

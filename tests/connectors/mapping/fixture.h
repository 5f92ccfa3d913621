/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fixture - a connector from text, run on records, its changes rendered as one line of text each.
 */
#ifndef MANDATE_TESTS_CONNECTORS_MAPPING_FIXTURE_H
#define MANDATE_TESTS_CONNECTORS_MAPPING_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "connectors/mapping/mapper_int.h"
#include "engine/base/text.h"
#include "engine/limits.h"

typedef struct fixture {
    schema *s;
    connector *c;
    mapper *m;
    arena memory;
    buf text; /* of the last run's changes */
    mapper_result result;
    mandate_error err;
} fixture;

/* `types` (an entity type file's text, or NULL) and a connector file's text. */
static inline void fixture_open(fixture *f, const char *types, const char *text)
{
    mandate_slice t = mandate_slice_str(text);
    registry_cache none = {0};
    memset(f, 0, sizeof(*f));
    buf_init(&f->text);
    arena_init(&f->memory, LIMIT_RECORD_MEMORY);
    assert_int_equal(schema_create(&f->s, &f->err), MANDATE_OK);
    if (types) {
        mandate_slice y = mandate_slice_str(types);
        if (entity_types_load(f->s, "types.yaml", &y, &f->err))
            fail_msg("%s", f->err.text);
    }
    if (connector_load(&f->c, f->s, "c.yaml", &t, none, &f->err) || schema_freeze(f->s, &f->err) ||
        connector_bind(f->c, f->s, &f->err) || mapper_create(&f->m, f->c, &f->err))
        fail_msg("%s", f->err.text);
}

static inline void fixture_close(fixture *f)
{
    mapper_destroy(f->m);
    connector_destroy(f->c);
    schema_destroy(f->s);
    arena_deinit(&f->memory);
    buf_deinit(&f->text);
}

static inline void render(fixture *f, const change *c)
{
    static const char *const ops[] = {[CHANGE_UPSERT] = "upsert",
                                      [CHANGE_DELETE] = "delete",
                                      [CHANGE_FORGET] = "forget",
                                      [CHANGE_FORGET_TYPE] = "forget-type"};
    const schema_type *type = schema_type_at(f->s, c->type);
    buf_printf(&f->text, "%s %s", ops[c->op], type->name);
    if (c->op != CHANGE_FORGET_TYPE)
        buf_printf(&f->text, " %.*s", MANDATE_SLICE_ARG(c->id));
    for (uint32_t i = 0; i < c->set_count; i++) {
        buf_printf(&f->text, " %s=", type->fields[c->sets[i].field].name);
        if (c->sets[i].forget)
            buf_put_str(&f->text, "?");
        else
            cel_to_text(&f->text, c->sets[i].value, 1000);
    }
    if (c->event_time_us != CHANGE_NO_TIME)
        buf_printf(&f->text, " @%lld", (long long)c->event_time_us);
    if (c->version)
        buf_printf(&f->text, " v%llu", (unsigned long long)(c->version - 1));
    buf_put_str(&f->text, "\n");
}

/* As a source does it: headers that nobody reads are not there. */
static inline mandate_status run_one_way(fixture *f, const record *r)
{
    record without = *r;
    without.header_count = 0;
    r = mapper_reads_headers(f->m, r) ? r : &without;
    arena_reset(&f->memory);
    buf_reset(&f->text);
    memset(&f->err, 0, sizeof(f->err));
    mandate_status status = mapper_run(&f->result, f->m, &f->memory, r, &f->err);
    for (uint32_t i = 0; !status && i < f->result.change_count; i++)
        render(f, &f->result.changes[i]);
    return status;
}

/* With a document and programs, then as the mapper likes it (f holds that): nothing may differ. */
static inline mandate_status run_record(fixture *f, const record *r)
{
    buf text;
    bool no_paths = f->m->no_paths;
    f->m->no_paths = true;
    mandate_status status = run_one_way(f, r);
    mapper_result result = f->result;
    mandate_error err = f->err;
    buf_init(&text);
    buf_put(&text, f->text.data, f->text.len);
    f->m->no_paths = no_paths;
    assert_int_equal(run_one_way(f, r), status);
    assert_string_equal(f->err.text, err.text);
    assert_string_equal(buf_cstr(&f->text), buf_cstr(&text));
    if (!status) {
        assert_int_equal(f->result.outcome, result.outcome);
        assert_int_equal(f->result.event_time_us, result.event_time_us);
    } else {
        assert_string_equal(f->result.stage, result.stage);
    }
    buf_deinit(&text);
    return status;
}

/* `key` or `value` NULL: null. */
static inline mandate_status run(fixture *f, const char *key, const char *value)
{
    record r = {.topic = mandate_slice_str("t"), .partition = 3, .offset = 42, .timestamp_us = 1700000000000000};
    if (key)
        r.key = mandate_slice_str(key);
    if (value)
        r.value = mandate_slice_str(value);
    return run_record(f, &r);
}

/* Maps to exactly these lines. */
static inline void maps(fixture *f, const char *value, const char *lines)
{
    if (run(f, NULL, value))
        fail_msg("%s", f->err.text);
    assert_int_equal(f->result.outcome, MAPPER_MAPPED);
    assert_string_equal(buf_cstr(&f->text), lines);
}

/* Poison, at that stage, with those words. */
static inline void poison(fixture *f, const char *value, const char *stage, const char *words)
{
    mandate_status status = run(f, NULL, value);
    assert_true(status == MANDATE_INVALID || status == MANDATE_LIMIT);
    assert_string_equal(f->result.stage, stage);
    if (!strstr(f->err.text, words))
        fail_msg("'%s' is not in: %s", words, f->err.text);
}

/* A connector file that maps the value's `id` and one attribute `x`. */
static inline void fixture_open_attribute(fixture *f, const char *type, const char *expression)
{
    char types[256], text[1024];
    snprintf(types, sizeof(types), "types: {t.e: {attributes: {x: '%s'}}}\n", type);
    snprintf(text, sizeof(text),
             "connector: c\ntopics: t\ndecode: {format: json}\nentities:\n  - type: t.e\n"
             "    id: value.id\n    attributes:\n      x: %s\n",
             expression);
    fixture_open(f, types, text);
}

#endif

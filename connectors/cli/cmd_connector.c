/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mandatectl connector check | try - connector files before they go live.
 *
 *   connector check FILE... [--entities FILE]... [--mandate FILE]... [--condition TEXT]...
 *   connector try FILE [--entities FILE]... [--key-file K] [--header name=value]... [--topic T] [--schema FILE] [--json] < value
 *
 * Neither touches a network: `try` maps one record from stdin as the daemon would, prints one JSON object a change, and
 * says on stderr, unless --json is given, how it came to them step by step (try_steps).
 * An Avro value with a registry's framing is read with the schema of --schema or decode.schema.
 */
#include <stdio.h>

#include "connectors/cli/args.h"
#include "connectors/cli/command.h"
#include "connectors/cli/out.h"
#include "connectors/cli/try_steps.h"
#include "connectors/json/claims_json.h"
#include "connectors/mapping/check.h"
#include "connectors/mapping/connector_int.h"
#include "engine/base/text.h"
#include "engine/limits.h"

/* --- check -------------------------------------------------------------------------------------------------------- */

enum { FILES_MAX = 256 };

typedef struct conditions {
    check_condition items[ARG_LIST_MAX * (CLAUSE_COUNT + 1)];
    uint32_t count;
    arena memory;
} conditions;

/* The clauses of a mandate's claims, in a JSON file. */
static bool take_mandate(conditions *c, const char *path)
{
    mandate_error err = {0};
    claims mandate;
    buf text;
    buf_init(&text);
    bool ok = !file_read(&text, path, LIMIT_CLAIMS, &err) &&
              !claims_from_json(&mandate, &c->memory, arena_dup(&c->memory, buf_slice(&text)), &err);
    for (int i = 0; ok && i < CLAUSE_COUNT; i++) {
        mandate_slice where = arena_printf(&c->memory, "%s: %s", path, claims_clause_names[i]);
        if (mandate.clause[i].len && where.ptr)
            c->items[c->count++] = (check_condition){where.ptr, mandate.clause[i]};
    }
    if (!ok)
        out_problem("%s: %s", path, err.text);
    buf_deinit(&text);
    return ok;
}

static bool take_conditions(conditions *c, const arg_list *mandates, const arg_list *texts)
{
    for (size_t i = 0; i < texts->count; i++)
        c->items[c->count++] = (check_condition){"--condition", mandate_slice_str(texts->items[i])};
    for (size_t i = 0; i < mandates->count; i++)
        if (!take_mandate(c, mandates->items[i]))
            return false;
    return true;
}

int cmd_connector_check(int argc, char **argv)
{
    const char *files[FILES_MAX] = {NULL};
    arg_list entities = {0}, mandates = {0}, texts = {0};
    arg_common common = {0};
    const arg_option options[] = {{.name = "--entities", .list = &entities},
                                  {.name = "--mandate", .list = &mandates},
                                  {.name = "--condition", .list = &texts}};
    mandate_error err = {0};
    uint32_t count = 0;
    int code = CLI_OK;
    conditions asked = {.count = 0};
    buf report;
    if (!args_parse(argc, argv, &common, options, 3, files, 0, FILES_MAX))
        return CLI_REFUSED;
    while (count < FILES_MAX && files[count])
        count++;
    if (count + entities.count == 0) {
        out_problem("give at least one connector file");
        return CLI_REFUSED;
    }
    buf_init(&report);
    arena_init(&asked.memory, 0);
    if (!take_conditions(&asked, &mandates, &texts)) {
        code = CLI_REFUSED;
    } else if (connectors_check(entities.items, (uint32_t)entities.count, files, count, asked.items, asked.count, &report,
                                &err)) {
        if (report.len)
            fputs(buf_cstr(&report), stderr);
        else
            out_problem("%s", err.text);
        code = err.advice == MANDATE_ADVICE_FATAL ? CLI_INTERNAL : CLI_REFUSED;
    } else {
        fputs(buf_cstr(&report), stdout);
    }
    arena_deinit(&asked.memory);
    buf_deinit(&report);
    return code;
}

/* --- try: one record ------------------------------------------------------------------------------------------------- */

typedef struct trial {
    const char *file, *key_file, *topic, *schema_file;
    arg_list entities, header_texts;
    arg_common common;
    record_header headers[ARG_LIST_MAX];
    uint32_t header_count;
    buf key, value;
    schema *s;
    connector *c;
    mapper *m;
    arena memory;
} trial;

_Static_assert((int)ARG_LIST_MAX <= (int)LIMIT_HEADERS, "whatever can be typed is a legal record");

static bool take_arguments(trial *t, int argc, char **argv)
{
    const arg_option options[] = {{.name = "--entities", .list = &t->entities},
                                  {.name = "--header", .list = &t->header_texts},
                                  {.name = "--key-file", .value = &t->key_file},
                                  {.name = "--topic", .value = &t->topic},
                                  {.name = "--schema", .value = &t->schema_file}};
    if (!args_parse(argc, argv, &t->common, options, sizeof(options) / sizeof(*options), &t->file, 1, 1))
        return false;
    for (size_t i = 0; i < t->header_texts.count; i++) {
        const char *text = t->header_texts.items[i], *equals = strchr(text, '=');
        if (!equals || equals == text) {
            out_problem("--header needs NAME=VALUE, not '%s'", text);
            return false;
        }
        t->headers[t->header_count++] =
            (record_header){.name = mandate_slice_of(text, (size_t)(equals - text)), .value = mandate_slice_str(equals + 1)};
    }
    return true;
}

static int out_of_memory(void)
{
    out_problem("out of memory");
    return CLI_INTERNAL;
}

static int take_value(trial *t)
{
    char chunk[16384];
    size_t n;
    while ((n = fread(chunk, 1, sizeof(chunk), stdin)) > 0) {
        if (t->value.len + n > LIMIT_RECORD) {
            out_problem("the value is larger than %d bytes", LIMIT_RECORD);
            return CLI_REFUSED;
        }
        buf_put(&t->value, chunk, n);
    }
    if (ferror(stdin)) {
        out_problem("cannot read the value from stdin");
        return CLI_REFUSED;
    }
    return t->value.failed ? out_of_memory() : CLI_OK;
}

static int load(trial *t)
{
    connector_load_options options = {.offline = true, .schema_file = t->schema_file};
    mandate_error err = {0};
    problems p;
    problems_init(&p);
    mandate_status status = schema_create(&t->s, &err);
    for (size_t i = 0; i < t->entities.count && !status; i++)
        status = entity_types_load_with(t->s, t->entities.items[i], NULL, &p);
    if (!status)
        status = connector_load_with(&t->c, t->s, t->file, NULL, &options, &p);
    if (status && p.count)
        fputs(buf_cstr(&p.text), stderr);
    if (!status && !(status = schema_freeze(t->s, &err)) && !(status = connector_bind(t->c, t->s, &err)))
        status = mapper_create(&t->m, t->c, &err);
    if (t->m)
        mapper_keep_documents(t->m);
    if (status && !p.count)
        out_problem("%s%s", err.text,
                    t->c && t->c->registry_named && !t->c->value_plan
                        ? ": nothing is fetched here, give the writer's schema with --schema FILE"
                        : "");
    problems_deinit(&p);
    return status == MANDATE_OK ? CLI_OK : CLI_REFUSED;
}

/* A registry's prefix says which schema; offline the given one stands for it. Magic 0 and 4 bytes, or 1 and 16; none when
 * a header carries the id. */
static mandate_slice without_prefix(const trial *t, mandate_slice value)
{
    size_t prefix = 0;
    if (!t->c->registry_named || !t->c->value_plan || t->c->decode.framing != FRAMING_AUTO)
        return value;
    for (uint32_t i = 0; !t->c->decode.prefix_only && i < t->header_count; i++)
        if (mandate_slice_is(t->headers[i].name, "__value_schema_id"))
            return value;
    if (value.len >= 5 && value.ptr[0] == 0)
        prefix = 5;
    else if (value.len >= 17 && value.ptr[0] == 1)
        prefix = 17;
    return mandate_slice_of(value.ptr + prefix, value.len - prefix);
}

/* --- try: what is printed ----------------------------------------------------------------------------------------------- */

static void put_forget(buf *b, const schema *s, const change *c)
{
    const schema_type *type = schema_type_at(s, c->type);
    bool any = false;
    if (c->op == CHANGE_FORGET || c->op == CHANGE_FORGET_TYPE) {
        buf_put_str(b, ",\"forget\":true");
        return;
    }
    for (uint32_t i = 0; i < c->set_count; i++) {
        if (!c->sets[i].forget)
            continue;
        buf_put_str(b, any ? "," : ",\"forget\":[");
        buf_put_json_string(b, mandate_slice_str(type->fields[c->sets[i].field].name));
        any = true;
    }
    if (any)
        buf_put_char(b, ']');
}

static void put_sets(buf *b, const schema *s, const change *c, schema_field_kind kind)
{
    const schema_type *type = schema_type_at(s, c->type);
    bool any = false;
    for (uint32_t i = 0; i < c->set_count; i++) {
        const schema_field *f = &type->fields[c->sets[i].field];
        if (c->sets[i].forget || f->kind != kind)
            continue;
        if (any)
            buf_put_char(b, ',');
        buf_put_json_string(b, mandate_slice_str(f->name));
        buf_put_char(b, ':');
        cel_to_json(b, c->sets[i].value);
        any = true;
    }
}

static void put_change(buf *b, const schema *s, const change *c)
{
    char time[TIME_TEXT_MAX];
    buf_put_str(b, "{\"type\":");
    buf_put_json_string(b, mandate_slice_str(schema_type_at(s, c->type)->name));
    buf_put_str(b, ",\"id\":");
    if (c->op == CHANGE_FORGET_TYPE)
        buf_put_str(b, "null");
    else
        buf_put_json_string(b, c->id);
    buf_put_str(b, ",\"set\":{");
    put_sets(b, s, c, SCHEMA_ATTRIBUTE);
    buf_put_str(b, "},\"refs\":{");
    put_sets(b, s, c, SCHEMA_REFERENCE);
    buf_printf(b, "},\"delete\":%s", c->op == CHANGE_DELETE ? "true" : "false");
    put_forget(b, s, c);
    if (c->event_time_us == CHANGE_NO_TIME) {
        buf_put_str(b, ",\"event_time\":null}\n");
    } else {
        size_t len = time_format_us(time, c->event_time_us);
        buf_printf(b, ",\"event_time\":\"%.*s\"}\n", (int)len, time);
    }
}

/* For people: what would happen, and which attributes this record says nothing about. */
static void explain_change(const schema *s, const connector *c, const change *ch)
{
    static const char *const verbs[] = {[CHANGE_UPSERT] = "set",
                                        [CHANGE_DELETE] = "delete",
                                        [CHANGE_FORGET] = "forget",
                                        [CHANGE_FORGET_TYPE] = "forget all"};
    const schema_type *type = schema_type_at(s, ch->type);
    if (ch->op == CHANGE_FORGET_TYPE)
        try_say("%s %s", verbs[ch->op], type->name);
    else
        try_say("%s %s \"%.*s\"", verbs[ch->op], type->name, MANDATE_SLICE_ARG(ch->id));
    for (uint32_t i = 0; i < ch->set_count; i++) {
        const schema_field *f = &type->fields[ch->sets[i].field];
        buf text;
        buf_init(&text);
        if (ch->sets[i].forget)
            buf_put_str(&text, "(unknown from now on)");
        else
            cel_to_text(&text, ch->sets[i].value, 200);
        try_say("  %s %s %s", f->name, f->kind == SCHEMA_REFERENCE ? "->" : "=", buf_cstr(&text));
        buf_deinit(&text);
    }
    for (uint32_t e = 0; ch->op == CHANGE_UPSERT && e < c->entity_count; e++) {
        for (uint32_t i = 0; c->entities[e].type == ch->type && i < c->entities[e].attribute_count; i++) {
            bool set = false;
            for (uint32_t k = 0; k < ch->set_count; k++)
                set |= ch->sets[k].field == c->entities[e].attributes[i].field;
            if (!set)
                try_say("  %.*s is not in this record: it keeps its value",
                        MANDATE_SLICE_ARG(c->entities[e].attributes[i].name));
        }
    }
}

static void explain(const trial *t, const mapper_result *r)
{
    if (r->outcome == MAPPER_FILTERED)
        fprintf(stderr, "%s: filtered: `when` is false for this record (line %u)\n", t->file, t->c->when.node->line);
    else if (r->outcome == MAPPER_IGNORED)
        fprintf(stderr, "%s: ignored: envelope %s says that there is nothing to map in this record\n", t->file,
                t->c->envelope->name);
    else if (r->change_count == 0)
        fprintf(stderr, "%s: mapped to no change\n", t->file);
    for (uint32_t i = 0; !t->common.json && i < r->change_count; i++)
        explain_change(t->s, t->c, &r->changes[i]);
}

static int run(trial *t)
{
    mapper_result r;
    mandate_error err = {0};
    uint32_t topics;
    const char *const *names = connector_topics(t->c, &topics);
    record rec = {.topic = mandate_slice_str(t->topic ? t->topic : names[0]),
                  .timestamp_us = INT64_MIN,
                  .headers = t->headers,
                  .header_count = t->header_count};
    if (t->key_file)
        rec.key = mandate_slice_of(t->key.data ? t->key.data : "", t->key.len);
    mandate_slice original = {NULL, 0};
    if (t->value.len) { /* nothing at all on stdin is a null value: a tombstone */
        original = buf_slice(&t->value);
        rec.value = without_prefix(t, original);
    }
    mandate_status status = mapper_run(&r, t->m, &t->memory, &rec, &err);
    if (!t->common.json)
        try_steps(t->m, &t->memory, &rec, original, status, &r);
    if (status) {
        try_say("%s: this record would go to the dead-letter topic", t->file);
        try_say("stage: %s", r.stage ? r.stage : "?");
        try_say("reason: %s", err.text);
        return CLI_REFUSED;
    }
    buf out;
    buf_init(&out);
    for (uint32_t i = 0; i < r.change_count; i++)
        put_change(&out, t->s, &r.changes[i]);
    int code = out.failed ? out_of_memory() : CLI_OK;
    if (!code)
        fwrite(out.data ? out.data : "", 1, out.len, stdout);
    buf_deinit(&out);
    explain(t, &r);
    return code;
}

int cmd_connector_try(int argc, char **argv)
{
    trial t = {0};
    mandate_error err = {0};
    buf_init(&t.key);
    buf_init(&t.value);
    arena_init(&t.memory, LIMIT_RECORD_MEMORY);
    int code = take_arguments(&t, argc, argv) ? CLI_OK : CLI_REFUSED;
    if (!code && t.key_file && file_read(&t.key, t.key_file, LIMIT_RECORD, &err)) {
        out_problem("%s", err.text);
        code = CLI_REFUSED;
    }
    if (!code)
        code = load(&t);
    if (!code)
        code = take_value(&t);
    if (!code)
        code = run(&t);
    mapper_destroy(t.m);
    connector_destroy(t.c);
    schema_destroy(t.s);
    arena_deinit(&t.memory);
    buf_deinit(&t.key);
    buf_deinit(&t.value);
    return code;
}

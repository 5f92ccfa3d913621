/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mandate lint - what is wrong with mandates before they are issued, without a server: engine/lint over files.
 *
 * With --config, or --entities and --connector, conditions are checked against the entity types and what connectors supply;
 * without, only what needs neither. A file whose id is another's parent is looked at together with it. Exit code 1 when a
 * finding is as bad as --fail-on says (error), for pipelines.
 */
#include "connectors/cli/args.h"
#include "connectors/cli/command.h"
#include "connectors/cli/lint_out.h"
#include "connectors/cli/lint_world.h"
#include "connectors/cli/out.h"
#include "connectors/comply/comply.h"
#include "connectors/config/yaml.h"
#include "connectors/json/claims_json.h"
#include "connectors/json/json_place.h"
#include "connectors/token/artifact.h"

#include <stdio.h>
#include <string.h>

enum { FILES_MAX = 256, DAYS_MAX = 36500 };

typedef struct lint_file {
    const char *path;
    buf text;
    claims claims;
    bool read;
} lint_file;

typedef struct linting {
    arg_common common;
    const char *paths[FILES_MAX];
    const char *expiry_days, *depth, *fail_on, *format, *at, *compliance;
    comply *rules; /* NULL: none */
    arg_list irreversible;
    lint_world_options world_options;
    lint_world world;
    lint_options options;
    mandate_slice patterns[ARG_LIST_MAX];
    lint_severity fails_at; /* LINT_SEVERITY_COUNT: never */
    lint_format as;
    lint_file *files;
    uint32_t count;
    arena memory;
    lint_out out;
} linting;

static bool named(int *out, const char *option, const char *text, const char *const *names, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(text, names[i]) == 0) {
            *out = i;
            return true;
        }
    out_problem("%s: \"%s\" is none of %s, %s, %s%s%s", option, text, names[0], names[1], names[2], count > 3 ? ", " : "",
                count > 3 ? names[3] : "");
    return false;
}

static bool take_numbers(linting *l)
{
    static const char *const levels[] = {"note", "warning", "error", "never"};
    int64_t days = 0, depth = 0;
    int level = LINT_ERROR, format = LINT_TEXT;
    if ((l->expiry_days && !args_number(&days, "--expiry-days", l->expiry_days, 1, DAYS_MAX)) ||
        (l->depth && !args_number(&depth, "--depth", l->depth, 0, LIMIT_DELEGATION_DEPTH)) ||
        (l->fail_on && !named(&level, "--fail-on", l->fail_on, levels, 4)) ||
        (l->format && !named(&format, "--format", l->format, lint_format_names, LINT_FORMAT_COUNT)))
        return false;
    l->fails_at = (lint_severity)level;
    l->as = l->common.json && !l->format ? LINT_JSON : (lint_format)format;
    l->options.expiry_far_us = days * 86400000000;
    l->options.depth_useful = (uint32_t)depth;
    for (size_t i = 0; i < l->irreversible.count; i++)
        l->patterns[i] = mandate_slice_str(l->irreversible.items[i]);
    l->options.irreversible = l->patterns;
    l->options.irreversible_count = (uint32_t)l->irreversible.count;
    return lint_world_now(&l->options.now_us, l->at);
}

static bool take_arguments(linting *l, int argc, char **argv)
{
    const arg_option options[] = {{.name = "--config", .value = &l->world_options.config},
                                  {.name = "--entities", .list = &l->world_options.entities},
                                  {.name = "--connector", .list = &l->world_options.connectors},
                                  {.name = "--expiry-days", .value = &l->expiry_days},
                                  {.name = "--depth", .value = &l->depth},
                                  {.name = "--irreversible", .list = &l->irreversible},
                                  {.name = "--fail-on", .value = &l->fail_on},
                                  {.name = "--format", .value = &l->format},
                                  {.name = "--compliance", .value = &l->compliance},
                                  {.name = "--at", .value = &l->at}};
    if (!args_parse(argc, argv, &l->common, options, sizeof(options) / sizeof(*options), l->paths, 1, FILES_MAX))
        return false;
    while (l->count < FILES_MAX && l->paths[l->count])
        l->count++;
    return take_numbers(l);
}

/* What is missing and would be filled in by the server. */
static void fill_in(const linting *l, claims *c)
{
    if (c->id.len == 0)
        c->id = mandate_slice_str("unnamed");
    if (c->issuer.len == 0)
        c->issuer = mandate_slice_str(l->world.issuer ? l->world.issuer : "https://issuer.example");
}

static void add_unreadable(linting *l, const lint_file *f, const mandate_error *err)
{
    lint_line line = {.path = f->path,
                      .text = buf_slice(&f->text),
                      .code = lint_rules[LINT_CLAIMS].code,
                      .why = lint_rules[LINT_CLAIMS].why,
                      .fix = lint_rules[LINT_CLAIMS].fix,
                      .severity = LINT_ERROR,
                      .member = mandate_slice_str(""),
                      .what = mandate_slice_str(err->text)};
    if (err->line)
        line.begin = source_offset(line.text, err->line, err->column);
    line.end = line.begin;
    lint_out_line(&l->out, &line);
}

static bool read_file(linting *l, lint_file *f)
{
    mandate_error err = {0};
    if (file_read(&f->text, f->path, LIMIT_CLAIMS, &err)) {
        out_problem("%s", err.text);
        return false;
    }
    f->read = claims_from_json(&f->claims, &l->memory, buf_slice(&f->text), &err) == MANDATE_OK;
    if (!f->read)
        add_unreadable(l, f, &err);
    else
        fill_in(l, &f->claims);
    return true;
}

static const claims *parent_of(const linting *l, const lint_file *f)
{
    for (uint32_t i = 0; f->claims.parent.len && i < l->count; i++)
        if (l->files[i].read && &l->files[i] != f && mandate_slice_eq(l->files[i].claims.id, f->claims.parent))
            return &l->files[i].claims;
    return NULL;
}

static void add_breach(linting *l, const lint_file *f, const comply_breach *b)
{
    lint_line line = {.path = f->path,
                      .text = buf_slice(&f->text),
                      .code = b->rule,
                      .why = "a compliance rule is not met",
                      .fix = "satisfy the rule",
                      .severity = b->action == COMPLY_FLAG ? LINT_WARNING : LINT_ERROR,
                      .member = mandate_slice_str(""),
                      .what = mandate_slice_str(b->message)};
    json_place(line.text, line.member, &line.begin, &line.end);
    line.end = line.begin + 1;
    if (b->why.len)
        line.what = arena_printf(&l->memory, "%s (%.*s)", b->message, MANDATE_SLICE_ARG(b->why));
    lint_out_line(&l->out, &line);
}

static bool ask_rules(linting *l, const lint_file *f, const claims *parent)
{
    comply_verdict v = {.count = 0};
    mandate_error err = {0};
    comply_question q = {.claims = &f->claims,
                         .parent = parent,
                         .operation = f->claims.parent.len ? COMPLY_DELEGATE : COMPLY_ISSUE,
                         .principal = f->claims.grantor,
                         .now_us = l->options.now_us};
    if (l->rules && comply_ask(l->rules, &q, &l->memory, &v, &err) != MANDATE_OK) {
        out_problem("%s", err.text);
        return false;
    }
    for (uint32_t i = 0; i < v.count; i++)
        add_breach(l, f, &v.breaches[i]);
    return true;
}

/* Of --compliance, else of the configuration. */
static bool load_rules(linting *l)
{
    const char *path = l->compliance ? l->compliance : l->world.configured ? l->world.config.compliance : NULL;
    problems found;
    problems_init(&found);
    bool ok = !path || comply_load(&l->rules, path, NULL, &found) == MANDATE_OK;
    if (!ok)
        fwrite(found.text.data, 1, found.text.len, stderr);
    problems_deinit(&found);
    return ok;
}

static bool lint_one(linting *l, const lint_file *f)
{
    lint_report report;
    mandate_error err = {0};
    lint_options options = l->options;
    options.parent = parent_of(l, f);
    bool ok = lint_run(&report, &l->memory, &f->claims, &options, &err) == MANDATE_OK;
    for (uint32_t i = 0; ok && i < report.findings.len; i++)
        lint_out_finding(&l->out, f->path, buf_slice(&f->text), &report.findings.data[i]);
    if (ok && report.count[LINT_ERROR] == 0 && artifact_check(&f->claims, &err) != MANDATE_OK)
        add_unreadable(l, f, &err);
    if (!ok)
        out_problem("%s", err.text);
    lint_report_deinit(&report);
    return ok && ask_rules(l, f, options.parent);
}

static int lint_files(linting *l)
{
    bool ok = true;
    l->files = arena_array(&l->memory, l->count, sizeof(*l->files));
    if (!l->files) {
        out_problem("out of memory");
        return CLI_INTERNAL;
    }
    lint_out_begin(&l->out, l->as);
    l->out.files = l->count;
    for (uint32_t i = 0; i < l->count; i++) {
        l->files[i] = (lint_file){.path = l->paths[i]};
        buf_init(&l->files[i].text);
    }
    for (uint32_t i = 0; ok && i < l->count; i++)
        ok = read_file(l, &l->files[i]);
    for (uint32_t i = 0; ok && i < l->count; i++)
        ok = !l->files[i].read || lint_one(l, &l->files[i]);
    for (uint32_t i = 0; i < l->count; i++)
        buf_deinit(&l->files[i].text);
    if (!ok) {
        buf_deinit(&l->out.b);
        return CLI_REFUSED;
    }
    if (!l->options.schema && l->as == LINT_TEXT)
        fprintf(stderr, "conditions were not looked at: give --config, or --entities and --connector\n");
    uint32_t bad = 0;
    for (int s = (int)l->fails_at; s < LINT_SEVERITY_COUNT; s++)
        bad += l->out.count[s];
    if (!lint_out_end(&l->out))
        return CLI_INTERNAL;
    return bad ? CLI_REFUSED : CLI_OK;
}

int cmd_mandate_lint(int argc, char **argv)
{
    linting l = {.count = 0};
    if (!take_arguments(&l, argc, argv))
        return CLI_REFUSED;
    arena_init(&l.memory, 0);
    int code = lint_world_open(&l.world, &l.world_options);
    if (code == CLI_OK) {
        l.options.schema = l.world.schema;
        l.options.supplied_known = l.world.supplied_known;
        code = load_rules(&l) ? lint_files(&l) : CLI_REFUSED;
    }
    comply_drop(l.rules);
    lint_world_close(&l.world);
    arena_deinit(&l.memory);
    return code;
}

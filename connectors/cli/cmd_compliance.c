/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compliance check | try - a compliance file before it goes live. No server is asked.
 *
 *   compliance check FILE...
 *   compliance try FILE --mandate FILE [--parent FILE] [--as PRINCIPAL] [--operation issue|delegate|amend] [--at TIME]
 *
 * `try` prints a line for every rule that the mandate does not meet; exit 1 when one of them refuses.
 */
#include "connectors/cli/args.h"
#include "connectors/cli/command.h"
#include "connectors/cli/input.h"
#include "connectors/cli/lint_world.h"
#include "connectors/cli/out.h"
#include "connectors/comply/comply.h"
#include "connectors/json/claims_json.h"

#include <stdio.h>
#include <string.h>

enum { FILES_MAX = 64 };

static comply *load(const char *path)
{
    comply *out = NULL;
    problems found;

    problems_init(&found);
    if (comply_load(&out, path, NULL, &found) != MANDATE_OK) {
        fwrite(found.text.data, 1, found.text.len, stderr);
        out_problem("%s: %u problem%s", path, found.count, found.count == 1 ? "" : "s");
    }
    problems_deinit(&found);
    return out;
}

int cmd_compliance_check(int argc, char **argv)
{
    const char *files[FILES_MAX] = {NULL};
    arg_common common = {0};
    int code = CLI_OK;

    if (!args_parse(argc, argv, &common, NULL, 0, files, 1, FILES_MAX))
        return CLI_REFUSED;
    for (int i = 0; i < FILES_MAX && files[i]; i++) {
        comply *rules = load(files[i]);
        if (rules)
            printf("%s: ok, %u rule%s\n", files[i], comply_rule_count(rules), comply_rule_count(rules) == 1 ? "" : "s");
        else
            code = CLI_REFUSED;
        comply_drop(rules);
    }
    return code;
}

/* --- try ------------------------------------------------------------------------------------------------------------ */
static bool read_claims(arena *a, const char *path, claims *out)
{
    mandate_error err = {0};
    buf text;

    buf_init(&text);
    mandate_status status = input_read(&text, path, LIMIT_CLAIMS, &err);
    if (status == MANDATE_OK)
        status = claims_from_json(out, a, buf_slice(&text), &err);
    if (status != MANDATE_OK)
        out_problem("%s: %s", path, err.text);
    buf_deinit(&text);
    return status == MANDATE_OK;
}

static bool parse_operation(const char *text, const claims *c, comply_operation *out)
{
    *out = c->parent.len ? COMPLY_DELEGATE : COMPLY_ISSUE;
    for (int i = 0; text && i < COMPLY_OPERATIONS; i++)
        if (strcmp(text, comply_operation_names[i]) == 0) {
            *out = (comply_operation)i;
            return true;
        }
    if (text)
        out_problem("--operation: expected issue, delegate or amend, got \"%s\"", text);
    return !text;
}

static void show_breach(const comply *rules, const comply_breach *b)
{
    buf line;

    buf_init(&line);
    buf_printf(&line, "%s:%u: ", comply_path(rules), b->line);
    out_str(&line, b->action == COMPLY_REFUSE ? OUT_BAD : OUT_DOUBT, b->action == COMPLY_REFUSE ? "refused" : "flagged");
    buf_printf(&line, " by %s: %s", b->rule, b->message);
    if (b->why.len) {
        buf_put_str(&line, " (");
        out_text(&line, OUT_PLAIN, b->why);
        buf_put_char(&line, ')');
    }
    (void)out_line(&line);
    buf_deinit(&line);
}

static void show_json(const comply_verdict *v)
{
    buf b;

    buf_init(&b);
    buf_printf(&b, "{\"refused\":%s,\"breaches\":[", v->refused ? "true" : "false");
    for (uint32_t i = 0; i < v->count; i++) {
        buf_put_str(&b, i ? "," : "");
        comply_breach_json(&b, &v->breaches[i]);
    }
    buf_put_str(&b, "]}");
    printf("%s\n", buf_cstr(&b));
    buf_deinit(&b);
}

static int ask(const comply *rules, const comply_question *q, arena *a, bool json)
{
    comply_verdict v;
    mandate_error err = {0};

    if (comply_ask(rules, q, a, &v, &err) != MANDATE_OK) {
        out_problem("%s", err.text);
        return CLI_INTERNAL;
    }
    if (json)
        show_json(&v);
    for (uint32_t i = 0; !json && i < v.count; i++)
        show_breach(rules, &v.breaches[i]);
    if (!json && v.count == 0)
        printf("%s: all %u rules are met\n", comply_path(rules), comply_rule_count(rules));
    return v.refused ? CLI_REFUSED : CLI_OK;
}

int cmd_compliance_try(int argc, char **argv)
{
    const char *file = NULL, *mandate = NULL, *parent = NULL, *as = "", *operation = NULL, *at = NULL;
    const arg_option options[] = {{"--mandate", .value = &mandate},
                                  {"--parent", .value = &parent},
                                  {"--as", .value = &as},
                                  {"--operation", .value = &operation},
                                  {"--at", .value = &at}};
    arg_common common = {0};
    comply_question q = {0};
    claims asked, above;
    arena a;

    if (!args_parse(argc, argv, &common, options, sizeof(options) / sizeof(*options), &file, 1, 1) ||
        !lint_world_now(&q.now_us, at))
        return CLI_REFUSED;
    if (!mandate) {
        out_problem("--mandate FILE is needed: whose claims are tried");
        return CLI_REFUSED;
    }
    comply *rules = load(file);
    if (!rules)
        return CLI_REFUSED;
    arena_init(&a, 0);
    q.principal = mandate_slice_str(as);
    int code = CLI_REFUSED;
    if (read_claims(&a, mandate, &asked) && (!parent || read_claims(&a, parent, &above)) &&
        parse_operation(operation, &asked, &q.operation)) {
        q.claims = &asked;
        q.parent = parent ? &above : NULL;
        code = ask(rules, &q, &a, common.json);
    }
    arena_deinit(&a);
    comply_drop(rules);
    return code;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_backtest - what would have become of mandates that were not issued, on the history of a database that no daemon serves: a stopped
 * one's, or with --data a backup's. The same answer as POST /v1/mandates/backtest (answer_backtest.h), without its limit of time.
 */
#include "connectors/daemon/command.h"

#include "connectors/config/yaml.h"
#include "connectors/daemon/answer/answer_backtest.h"
#include "connectors/daemon/daemon.h"
#include "connectors/json/claims_json.h"
#include "engine/limits.h"
#include "graph/backtest.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct asked {
    const char *config, *data, *from, *to;
    const char *files[LIMIT_BACKTEST_MANDATES];
    uint32_t count;
} asked;

/* NULL, or what is wrong. */
static const char *parse(asked *a, int argc, char **argv)
{
    const struct {
        const char *name;
        const char **value;
    } options[] = {{"--config", &a->config}, {"--data", &a->data}, {"--from", &a->from}, {"--to", &a->to}};

    for (int i = 0; i < argc; i++) {
        const char **value = NULL;
        for (size_t k = 0; k < sizeof(options) / sizeof(*options); k++)
            if (!strcmp(argv[i], options[k].name))
                value = options[k].value;
        if (value && i + 1 == argc)
            return "the last option needs a value";
        if (value)
            *value = argv[++i];
        else if (argv[i][0] == '-')
            return "backtest takes --config FILE, --data DIR, --from TIME, --to TIME and files of mandates";
        else if (a->count == LIMIT_BACKTEST_MANDATES)
            return "too many mandates at once: 64 at most";
        else
            a->files[a->count++] = argv[i];
    }
    if (!a->config)
        return "backtest needs --config FILE: entity types and connectors are those of the database";
    if (!a->from)
        return "backtest needs --from TIME: when they would have been issued";
    return a->count ? NULL : "backtest needs a file with a mandate as JSON";
}

static mandate_status read_claims(claims *out, arena *memory, const char *path, const char *issuer, uint32_t number,
                                  mandate_error *err)
{
    buf text;

    buf_init(&text);
    mandate_status status = file_read(&text, path, LIMIT_CLAIMS, err);
    mandate_slice kept = status == MANDATE_OK ? arena_dup(memory, buf_slice(&text)) : mandate_slice_of(NULL, 0);
    buf_deinit(&text);
    if (status == MANDATE_OK && !kept.ptr)
        status = mandate_error_set(err, MANDATE_NOMEM, "out of memory");
    if (status == MANDATE_OK) {
        status = claims_from_json(out, memory, kept, err);
        if (status != MANDATE_OK)
            mandate_error_prefix(err, status, "%s", path);
    }
    if (status == MANDATE_OK && out->issuer.len == 0)
        out->issuer = mandate_slice_str(issuer);
    if (status == MANDATE_OK && out->id.len == 0)
        out->id = arena_printf(memory, "unnamed-%u", number);
    return status;
}

static mandate_status run(daemon_state *d, const asked *a, arena *memory, service_request *r, mandate_error *err)
{
    static claims all[LIMIT_BACKTEST_MANDATES];
    mandate_status status = daemon_load(d, a->config, err);

    if (status == MANDATE_OK && a->data)
        d->config.data_dir = a->data;
    for (uint32_t i = 0; status == MANDATE_OK && i < a->count; i++)
        status = read_claims(&all[i], memory, a->files[i], d->config.issuer, i + 1, err);
    if (status == MANDATE_OK)
        status = daemon_open(d, err);
    r->backtest = (service_backtest){.mandates = all,
                                     .count = a->count,
                                     .from = mandate_slice_str(a->from),
                                     .to = a->to ? mandate_slice_str(a->to) : mandate_slice_of(NULL, 0)};
    if (status == MANDATE_OK)
        status = answer_backtest(d->store, d->config.issuer, NULL, 0, r, err);
    if (status == MANDATE_OK && r->body.failed)
        status = mandate_error_set(err, MANDATE_NOMEM, "out of memory for the answer");
    return status;
}

int cmd_backtest(int argc, char **argv)
{
    asked a = {0};
    const char *wrong = parse(&a, argc, argv);
    daemon_state *d = wrong ? NULL : calloc(1, sizeof(*d));
    mandate_error err = {0};
    arena memory;

    if (wrong)
        return command_usage("%s", wrong);
    service_request *r = calloc(1, sizeof(*r));
    if (!d || !r) {
        free(d);
        free(r);
        return command_usage("out of memory");
    }
    arena_init(&memory, 0);
    buf_init(&r->body);
    d->offline = true;
    mandate_status status = run(d, &a, &memory, r, &err);
    int code = status == MANDATE_OK ? DAEMON_EXIT_OK : command_fail(&err);
    if (status == MANDATE_OK && (fwrite(r->body.data, 1, r->body.len, stdout) != r->body.len || fflush(stdout)))
        code = DAEMON_EXIT_STORAGE;
    buf_deinit(&r->body);
    arena_deinit(&memory);
    daemon_close(d);
    free(r);
    free(d);
    return code;
}

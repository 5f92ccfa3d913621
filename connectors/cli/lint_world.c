/* SPDX-License-Identifier: Apache-2.0 */
/* lint_world - see lint_world.h. */
#include "connectors/cli/lint_world.h"

#include "connectors/cli/command.h"
#include "connectors/cli/out.h"
#include "connectors/mapping/check.h"
#include "engine/base/text.h"

#include <stdio.h>
#include <time.h>

bool lint_world_now(int64_t *out, const char *text)
{
    struct timespec now;
    if (!text) {
        clock_gettime(CLOCK_REALTIME, &now);
        *out = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
        return true;
    }
    if (time_parse_us(mandate_slice_str(text), out))
        return true;
    out_problem("\"%s\" is no time such as 2030-01-31T17:00:00Z", text);
    return false;
}

static bool read_config(lint_world *w, const char *path)
{
    problems p;
    problems_init(&p);
    bool read = config_read(&w->config, path, NULL, &p) == MANDATE_OK;
    w->configured = true;
    w->issuer = w->config.issuer;
    if (!read)
        fputs(buf_cstr(&p.text), stderr);
    problems_deinit(&p);
    return read || w->config.entities.count || w->config.connectors.count;
}

int lint_world_open(lint_world *w, const lint_world_options *options)
{
    const char *entities[2 * ARG_LIST_MAX], *connectors[2 * ARG_LIST_MAX];
    uint32_t entity_count = 0, connector_count = 0;
    mandate_error err = {0};
    *w = (lint_world){.schema = NULL};
    if (options->config && !read_config(w, options->config))
        return CLI_REFUSED;
    for (size_t i = 0; i < options->entities.count; i++)
        entities[entity_count++] = options->entities.items[i];
    for (size_t i = 0; i < options->connectors.count; i++)
        connectors[connector_count++] = options->connectors.items[i];
    if (w->configured && (w->config.entities.count > ARG_LIST_MAX || w->config.connectors.count > ARG_LIST_MAX)) {
        out_problem("%s names more than %d files", options->config, ARG_LIST_MAX);
        return CLI_REFUSED;
    }
    for (uint32_t i = 0; w->configured && i < w->config.entities.count; i++)
        entities[entity_count++] = w->config.entities.items[i];
    for (uint32_t i = 0; w->configured && i < w->config.connectors.count; i++)
        connectors[connector_count++] = w->config.connectors.items[i];
    if (entity_count + connector_count == 0)
        return CLI_OK;
    w->supplied_known = connector_count > 0;
    buf report;
    buf_init(&report);
    mandate_status status = check_schema(&w->schema, entities, entity_count, connectors, connector_count, &report, &err);
    if (status && report.len)
        fputs(buf_cstr(&report), stderr);
    else if (status)
        out_problem("%s", err.text);
    buf_deinit(&report);
    return status == MANDATE_OK ? CLI_OK : CLI_REFUSED;
}

void lint_world_close(lint_world *w)
{
    schema_destroy(w->schema);
    if (w->configured)
        config_destroy(&w->config);
}

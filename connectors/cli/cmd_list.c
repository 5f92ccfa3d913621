/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mandate list - page after page, as a table; with --json the mandates, one object a line.
 */
#include <inttypes.h>

#include "connectors/cli/client.h"
#include "connectors/cli/show.h"

enum { PAGE = 500 };

static void add_row(out_table *t, cel_value m)
{
    char version[24];
    snprintf(version, sizeof(version), "%" PRId64, json_member_int(m, "version", 0));
    out_table_add(t, OUT_BOLD, show_id(m));
    out_table_add(t, out_state_style(show_state(m)), show_state(m));
    out_table_add(t, OUT_PLAIN, mandate_slice_str(version));
    out_table_add(t, OUT_PLAIN, show_member(m, "agent"));
    out_table_add(t, OUT_PLAIN, show_member(m, "expires_at"));
    out_table_add(t, OUT_PLAIN, json_member_text(m, "parent"));
}

static void print_row(cel_value m)
{
    buf line;
    buf_init(&line);
    cel_to_json(&line, m);
    buf_put_char(&line, '\n');
    fwrite(line.data, 1, line.len, stdout);
    buf_deinit(&line);
}

/* One page; `after` gets the last id, or "" when this was the last page. */
static exit_code list_page(client *c, const char *query, int64_t want, buf *after, out_table *t, int64_t *seen)
{
    char limit[24];
    buf path;
    buf_init(&path);
    buf_put_str(&path, query);
    snprintf(limit, sizeof(limit), "%" PRId64, want);
    path_query(&path, "limit", limit);
    path_query(&path, "after", after->len ? buf_cstr(after) : NULL);
    exit_code code = client_call(c, "GET", buf_cstr(&path), mandate_slice_of("", 0));
    buf_deinit(&path);
    buf_reset(after);
    if (code != CLI_OK)
        return code;
    cel_value rows = json_member(c->value, "mandates");
    uint32_t count = rows.kind == CEL_LIST ? rows.len : 0;
    for (uint32_t i = 0; i < count; i++) {
        if (t)
            add_row(t, rows.items[i]);
        else
            print_row(rows.items[i]);
    }
    *seen += count;
    buf_put_slice(after, json_member_text(c->value, "next")); /* a page may be short, or empty, and not the last */
    return CLI_OK;
}

static exit_code list_all(client *c, const char *query, int64_t limit, out_table *t)
{
    exit_code code;
    int64_t seen = 0;
    buf after;
    buf_init(&after);
    do {
        int64_t left = limit - seen;
        code = list_page(c, query, left < PAGE ? left : PAGE, &after, t, &seen);
    } while (code == CLI_OK && after.len && seen < limit);
    buf_deinit(&after);
    return code;
}

int cmd_mandate_list(int argc, char **argv)
{
    static const char *const heads[] = {"ID", "STATE", "VERSION", "AGENT", "EXPIRES", "PARENT"};
    const char *state = NULL, *agent = NULL, *parent = NULL, *limit_text = NULL;
    const arg_option options[] = {
        {"--state", .value = &state},
        {"--agent", .value = &agent},
        {"--parent", .value = &parent},
        {"--limit", .value = &limit_text},
    };
    int64_t limit = INT64_MAX;
    arg_common common;
    out_table table;
    client c;
    buf query;
    if (!args_parse(argc, argv, &common, options, 4, NULL, 0, 0) ||
        (limit_text && !args_number(&limit, "--limit", limit_text, 1, INT64_MAX)))
        return CLI_REFUSED;
    buf_init(&query);
    buf_put_str(&query, "/v1/mandates");
    path_query(&query, "state", state);
    path_query(&query, "agent", agent);
    path_query(&query, "parent", parent);
    out_table_init(&table, heads, 6);
    exit_code code = client_open(&c, &common);
    if (code == CLI_OK)
        code = list_all(&c, buf_cstr(&query), limit, common.json ? NULL : &table);
    if (code == CLI_OK && !common.json)
        out_table_print(&table);
    client_close(&c);
    out_table_deinit(&table);
    buf_deinit(&query);
    return code;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mandate list - page after page, as a table; with --json the mandates, one object a line.
 */
#include <inttypes.h>

#include "connectors/cli/pages.h"
#include "connectors/cli/show.h"

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
    int64_t limit;
    arg_common common;
    buf query;
    if (!args_parse(argc, argv, &common, options, 4, NULL, 0, 0) || !pages_limit(&limit, limit_text))
        return CLI_REFUSED;
    buf_init(&query);
    buf_put_str(&query, "/v1/mandates");
    path_query(&query, "state", state);
    path_query(&query, "agent", agent);
    path_query(&query, "parent", parent);
    const page_list list = {buf_cstr(&query), "mandates", heads, 6, add_row};
    exit_code code = pages_print(&list, &common, limit);
    buf_deinit(&query);
    return code;
}

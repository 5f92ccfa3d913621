/* SPDX-License-Identifier: Apache-2.0 */
/* pages - see pages.h. */
#include "connectors/cli/pages.h"

#include <inttypes.h>

enum { PAGE = 500 };

static bool print_row(cel_value row)
{
    buf line;
    buf_init(&line);
    cel_to_json(&line, row);
    bool ok = out_line(&line);
    buf_deinit(&line);
    return ok;
}

/* `after` gets the last id, or "" when this was the last page. */
static exit_code one_page(client *c, const page_list *l, int64_t want, buf *after, out_table *t, int64_t *seen)
{
    char limit[24];
    buf path;
    buf_init(&path);
    buf_put_str(&path, l->path);
    snprintf(limit, sizeof(limit), "%" PRId64, want);
    path_query(&path, "limit", limit);
    path_query(&path, "after", after->len ? buf_cstr(after) : NULL);
    exit_code code = client_call(c, "GET", buf_cstr(&path), mandate_slice_of("", 0));
    buf_deinit(&path);
    buf_reset(after);
    if (code != CLI_OK)
        return code;
    cel_value rows = json_member(c->value, l->member);
    for (uint32_t i = 0; rows.kind == CEL_LIST && i < rows.len; i++, ++*seen) {
        if (t)
            l->add(t, rows.items[i]);
        else if (!print_row(rows.items[i]))
            return CLI_INTERNAL;
    }
    buf_put_slice(after, json_member_text(c->value, "next"));
    return CLI_OK;
}

bool pages_limit(int64_t *out, const char *text)
{
    *out = INT64_MAX;
    return !text || args_number(out, "--limit", text, 1, INT64_MAX);
}

exit_code pages_print(const page_list *l, const arg_common *common, int64_t limit)
{
    int64_t seen = 0;
    out_table table;
    client c;
    buf after;
    out_table_init(&table, l->heads, l->columns);
    buf_init(&after);
    exit_code code = client_open(&c, common);
    while (code == CLI_OK) {
        int64_t left = limit - seen;
        code = one_page(&c, l, left < PAGE ? left : PAGE, &after, common->json ? NULL : &table, &seen);
        if (after.len == 0 || seen >= limit)
            break;
    }
    if (code == CLI_OK && !common->json)
        out_table_print(&table);
    client_close(&c);
    out_table_deinit(&table);
    buf_deinit(&after);
    return code;
}

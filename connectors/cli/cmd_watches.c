/* SPDX-License-Identifier: Apache-2.0 */
/* watch add, list, get, remove - standing conditions whose flips are published. */
#include <inttypes.h>

#include "connectors/cli/pages.h"
#include "connectors/cli/show.h"

static void show_watch(cel_value w)
{
    out_style style;
    char version[24];
    buf line;
    buf_init(&line);
    mandate_slice value = json_member_text(w, "value");
    (void)out_truth_mark(value, &style);
    snprintf(version, sizeof(version), "v%" PRId64, json_member_int(w, "version", 0));
    out_text(&line, OUT_BOLD, json_member_text(w, "id"));
    buf_put_str(&line, "  ");
    out_text(&line, style, value);
    buf_put_str(&line, "  ");
    out_str(&line, OUT_DIM, version);
    buf_put_str(&line, "  ");
    out_text(&line, OUT_PLAIN, json_member_text(w, "condition"));
    out_line(&line);
    cel_value names = json_member(w, "unobservable");
    for (uint32_t i = 0; names.kind == CEL_LIST && i < names.len; i++) {
        out_str(&line, OUT_DOUBT, "  no connector supplies ");
        out_text(&line, OUT_DOUBT, cel_text(names.items[i]));
        out_line(&line);
    }
    buf_deinit(&line);
}

static exit_code answer(client *c, const arg_common *common, const char *method, const char *path, mandate_slice body)
{
    exit_code code = client_open(c, common);
    if (code == CLI_OK)
        code = client_call(c, method, path, body);
    if (code == CLI_OK && common->json)
        return client_print_json(c);
    return code;
}

int cmd_watch_add(int argc, char **argv)
{
    const char *id = NULL, *condition[1];
    const arg_option options[] = {{"--id", .value = &id}};
    arg_common common;
    client c;
    buf body;
    if (!args_parse(argc, argv, &common, options, 1, condition, 1, 1))
        return CLI_REFUSED;
    buf_init(&body);
    buf_put_char(&body, '{');
    if (id) {
        buf_put_str(&body, "\"id\":");
        buf_put_json_string(&body, mandate_slice_str(id));
        buf_put_char(&body, ',');
    }
    buf_put_str(&body, "\"condition\":");
    buf_put_json_string(&body, mandate_slice_str(condition[0]));
    buf_put_char(&body, '}');
    exit_code code = answer(&c, &common, "POST", "/v1/watches", buf_slice(&body));
    if (code == CLI_OK && !common.json)
        show_watch(c.value);
    client_close(&c);
    buf_deinit(&body);
    return code;
}

static int about_one(int argc, char **argv, const char *method)
{
    const char *id[1];
    arg_common common;
    client c;
    buf path;
    if (!args_parse(argc, argv, &common, NULL, 0, id, 1, 1))
        return CLI_REFUSED;
    buf_init(&path);
    buf_put_str(&path, "/v1/watches/");
    path_segment(&path, mandate_slice_str(id[0]));
    exit_code code = answer(&c, &common, method, buf_cstr(&path), mandate_slice_of("", 0));
    if (code == CLI_OK && !common.json && json_has_member(c.value, "condition"))
        show_watch(c.value);
    else if (code == CLI_OK && !common.json)
        printf("removed\n");
    client_close(&c);
    buf_deinit(&path);
    return code;
}

int cmd_watch_get(int argc, char **argv) { return about_one(argc, argv, "GET"); }

int cmd_watch_remove(int argc, char **argv) { return about_one(argc, argv, "DELETE"); }

/* --- list ------------------------------------------------------------------------------------------------------- */
static void add_row(out_table *t, cel_value w)
{
    out_style style;
    char version[24];
    mandate_slice value = json_member_text(w, "value");
    (void)out_truth_mark(value, &style);
    snprintf(version, sizeof(version), "%" PRId64, json_member_int(w, "version", 0));
    out_table_add(t, OUT_BOLD, json_member_text(w, "id"));
    out_table_add(t, style, value);
    out_table_add(t, OUT_PLAIN, mandate_slice_str(version));
    out_table_add(t, OUT_PLAIN, json_member_text(w, "changed_at"));
    out_table_add(t, OUT_PLAIN, json_member_text(w, "condition"));
}

int cmd_watch_list(int argc, char **argv)
{
    static const char *const heads[] = {"ID", "VALUE", "VERSION", "SINCE", "CONDITION"};
    const char *limit_text = NULL;
    const arg_option options[] = {{"--limit", .value = &limit_text}};
    int64_t limit;
    arg_common common;
    if (!args_parse(argc, argv, &common, options, 1, NULL, 0, 0) || !pages_limit(&limit, limit_text))
        return CLI_REFUSED;
    const page_list list = {"/v1/watches", "watches", heads, 5, add_row};
    return pages_print(&list, &common, limit);
}

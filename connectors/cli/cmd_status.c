/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connector status, clear, replay - the running server's connectors; files are cmd_connector.c's.
 */
#include <inttypes.h>

#include "connectors/cli/client.h"
#include "connectors/cli/out.h"
#include "connectors/cli/status_watch.h"

static out_style style_of(mandate_slice state)
{
    if (mandate_slice_is(state, "live"))
        return OUT_GOOD;
    return mandate_slice_is(state, "silent") || mandate_slice_is(state, "starting") ? OUT_DOUBT : OUT_BAD;
}

static void add_number(out_table *t, cel_value from, const char *name)
{
    char text[32] = "-";
    cel_value v = json_member(from, name);
    if (v.kind == CEL_INT)
        snprintf(text, sizeof(text), "%" PRId64, v.i);
    else if (v.kind == CEL_DOUBLE)
        snprintf(text, sizeof(text), "%.1f", v.d);
    out_table_add(t, OUT_PLAIN, mandate_slice_str(text));
}

static void add_row(out_table *t, cel_value connector, cel_value partition)
{
    mandate_slice state = json_member_text(connector, "state");
    out_table_add(t, OUT_BOLD, json_member_text(connector, "name"));
    out_table_add(t, style_of(state), state);
    out_table_add(t, OUT_PLAIN, json_member_text(partition, "topic"));
    add_number(t, partition, "partition");
    add_number(t, partition, "offset");
    add_number(t, partition, "lag_records");
    add_number(t, partition, "lag_seconds");
}

/* What a table has no room for: why, what was set aside, what was lost. */
static void show_notes(cel_value connector)
{
    cel_value records = json_member(connector, "records");
    int64_t dead = json_member_int(records, "dead_lettered", 0), lost = json_member_int(connector, "positions_lost", 0);
    mandate_slice reason = json_member_text(connector, "reason"), policy = json_member_text(connector, "on_error");
    buf line;
    if (!reason.len && dead == 0 && lost == 0)
        return;
    buf_init(&line);
    out_text(&line, OUT_BOLD, json_member_text(connector, "name"));
    out_str(&line, OUT_PLAIN, ": ");
    if (dead) {
        buf_printf(&line, "%" PRId64 " records in the dead-letter topic (on_error: ", dead);
        out_text(&line, OUT_PLAIN, policy);
        buf_put_str(&line, reason.len || lost ? "); " : ")");
    }
    if (lost)
        buf_printf(&line, "%" PRId64 " positions lost%s", lost, reason.len ? "; " : "");
    out_text(&line, OUT_PLAIN, reason);
    out_line(&line);
    buf_deinit(&line);
}

static void show_connectors(client *c)
{
    static const char *const heads[] = {"CONNECTOR", "STATE", "TOPIC", "PARTITION", "OFFSET", "LAG", "LAG S"};
    cel_value all = json_member(c->value, "connectors");
    out_table table;
    out_table_init(&table, heads, 7);
    for (uint32_t i = 0; all.kind == CEL_LIST && i < all.len; i++) {
        cel_value partitions = json_member(all.items[i], "partitions");
        uint32_t count = partitions.kind == CEL_LIST ? partitions.len : 0;
        for (uint32_t p = 0; p < count; p++)
            add_row(&table, all.items[i], partitions.items[p]);
        if (count == 0)
            add_row(&table, all.items[i], cel_null());
    }
    out_table_print(&table);
    out_table_deinit(&table);
    for (uint32_t i = 0; all.kind == CEL_LIST && i < all.len; i++)
        show_notes(all.items[i]);
}

int cmd_connector_status(int argc, char **argv)
{
    arg_common common;
    bool watch = false;
    const char *interval = NULL;
    int64_t interval_ms = 2000;
    const arg_option options[] = {{"--watch", .flag = &watch}, {"--interval", .value = &interval}};
    if (!args_parse(argc, argv, &common, options, 2, NULL, 0, 0) ||
        (interval && !args_number(&interval_ms, "--interval", interval, 10, 3600000)))
        return CLI_REFUSED;
    if (watch)
        return status_watch(&common, interval_ms);
    return client_show(&common, "/v1/connectors", show_connectors);
}

/* POST /v1/connectors/NAME/VERB; `done` is what is said when it was accepted. */
static exit_code ask(const arg_common *common, const char *name, const char *verb, mandate_slice body, const char *done)
{
    client c;
    buf path;
    buf_init(&path);
    buf_put_str(&path, "/v1/connectors/");
    path_segment(&path, mandate_slice_str(name));
    buf_printf(&path, "/%s", verb);
    exit_code code = client_open(&c, common);
    if (code == CLI_OK)
        code = client_call(&c, "POST", buf_cstr(&path), body);
    if (code == CLI_OK && common->json)
        code = client_print_json(&c);
    else if (code == CLI_OK)
        printf("%s\n", done);
    client_close(&c);
    buf_deinit(&path);
    return code;
}

int cmd_connector_clear(int argc, char **argv)
{
    arg_common common;
    const char *name[1];
    if (!args_parse(argc, argv, &common, NULL, 0, name, 1, 1))
        return CLI_REFUSED;
    return ask(&common, name[0], "clear", mandate_slice_of("", 0), "cleared");
}

int cmd_connector_replay(int argc, char **argv)
{
    const char *name[1], *from = NULL;
    const arg_option options[] = {{"--from", .value = &from}};
    arg_common common;
    buf body;
    if (!args_parse(argc, argv, &common, options, 1, name, 1, 1))
        return CLI_REFUSED;
    if (!from) {
        out_problem("from where? --from beginning, a time such as 2027-01-31T00:00:00Z, or TOPIC/PARTITION@OFFSET");
        return CLI_REFUSED;
    }
    buf_init(&body);
    buf_put_str(&body, "{\"from\":");
    buf_put_json_string(&body, mandate_slice_str(from));
    buf_put_char(&body, '}');
    exit_code code = ask(&common, name[0], "replay", buf_slice(&body),
                         "reading again; until it is done what this connector told reads as unknown (connector status)");
    buf_deinit(&body);
    return code;
}

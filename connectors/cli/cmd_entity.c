/* SPDX-License-Identifier: Apache-2.0 */
/* entity get - the attributes of one entity, each with the record that set it. */
#include <inttypes.h>

#include "connectors/cli/client.h"
#include "connectors/cli/show.h"

static void add_attribute(out_table *t, arena *a, mandate_slice name, cel_value attribute)
{
    bool known = show_is_known(attribute);
    mandate_slice topic = json_member_text(attribute, "topic");
    char place[48] = "";
    if (topic.len)
        snprintf(place, sizeof(place), "/%" PRId64 "@%" PRId64, json_member_int(attribute, "partition", 0),
                 json_member_int(attribute, "offset", 0));
    out_table_add(t, OUT_PLAIN, name);
    out_table_add(t, known ? OUT_BOLD : OUT_DOUBT,
                  known ? out_value(a, json_member(attribute, "value")) : mandate_slice_str("unknown"));
    out_table_add(t, OUT_PLAIN, json_member_text(attribute, "source"));
    out_table_add(t, OUT_DIM, arena_printf(a, "%.*s%s", MANDATE_SLICE_ARG(topic), place));
    out_table_add(t, OUT_DIM, json_member_text(attribute, "event_time"));
}

static void show_entity(client *c)
{
    static const char *const heads[] = {"ATTRIBUTE", "VALUE", "SOURCE", "RECORD", "EVENT TIME"};
    static const char *const kinds[] = {"attributes", "references", "inverses"};
    out_table table;
    buf line;
    buf_init(&line);
    out_text(&line, OUT_BOLD, json_member_text(c->value, "type"));
    buf_put_str(&line, " / ");
    out_text(&line, OUT_BOLD, json_member_text(c->value, "id"));
    if (json_has_member(c->value, "exists") && !cel_is_true(json_member(c->value, "exists")))
        out_str(&line, OUT_BAD, "  does not exist");
    out_line(&line);
    buf_deinit(&line);
    out_table_init(&table, heads, 5);
    for (size_t k = 0; k < 3; k++) {
        cel_value members = json_member(c->value, kinds[k]);
        for (uint32_t i = 0; members.kind == CEL_MAP && i < members.len; i++)
            add_attribute(&table, &c->a, cel_text(members.map[i].key), members.map[i].value);
    }
    out_table_print(&table);
    out_table_deinit(&table);
}

int cmd_entity_get(int argc, char **argv)
{
    arg_common common;
    const char *name[2];
    buf path;
    const char *as_of = NULL;
    const arg_option options[] = {{.name = "--as-of", .value = &as_of}};
    if (!args_parse(argc, argv, &common, options, 1, name, 2, 2))
        return CLI_REFUSED;
    buf_init(&path);
    buf_put_str(&path, "/v1/entities/");
    path_segment(&path, mandate_slice_str(name[0]));
    buf_put_char(&path, '/');
    path_segment(&path, mandate_slice_str(name[1]));
    if (as_of) {
        buf_put_str(&path, "?as_of=");
        path_segment(&path, mandate_slice_str(as_of));
    }
    exit_code code = client_show(&common, buf_cstr(&path), show_entity);
    buf_deinit(&path);
    return code;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mandate watch - asks every half second and prints what changed: of one mandate until it ends, or
 * of all of them.
 *
 * A change is a higher version, or another effective state under the same version (an ancestor
 * ended and the own record has not followed yet). For every transition in between, read the topic
 * instead.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#include "connectors/cli/client.h"
#include "connectors/cli/input.h"
#include "connectors/cli/show.h"
#include "engine/base/hash.h"
#include "engine/base/table.h"
#include "engine/base/vec.h"
#include "engine/mandate/lifecycle.h"

enum { INTERVAL_US = 500000, PAGE = 1000 };

typedef struct seen {
    mandate_slice id;
    int64_t version;
    mandate_state state;
} seen;

typedef struct watch {
    table index;
    VEC(seen) all;
    arena a; /* ids */
    bool json;
} watch;

static bool same_id(const void *ctx, uint32_t handle, const void *key)
{
    const watch *w = ctx;
    return mandate_slice_eq(w->all.data[handle].id, *(const mandate_slice *)key);
}

static void print_change(const watch *w, cel_value m, const seen *before)
{
    buf line;
    char version[24];
    mandate_slice reason = json_member_text(json_member(m, "transition"), "reason");
    buf_init(&line);
    if (w->json) {
        cel_to_json(&line, m);
    } else {
        snprintf(version, sizeof(version), "v%" PRId64, json_member_int(m, "version", 0));
        out_text(&line, OUT_BOLD, show_id(m));
        buf_put_str(&line, "  ");
        if (before) {
            out_str(&line, OUT_DIM, mandate_state_name(before->state));
            buf_put_str(&line, " -> ");
        }
        out_text(&line, out_state_style(show_state(m)), show_state(m));
        buf_put_str(&line, "  ");
        out_str(&line, OUT_DIM, version);
        buf_put_str(&line, "  ");
        out_text(&line, OUT_PLAIN, reason);
    }
    if (!out_line(&line) || fflush(stdout) != 0)
        input_stopped = true; /* nobody reads any more */
    buf_deinit(&line);
}

/* False when out of memory. */
static bool note(watch *w, cel_value m)
{
    mandate_slice id = show_id(m);
    seen now = {.version = json_member_int(m, "version", 0), .state = mandate_state_parse(show_state(m))};
    uint64_t hash = hash_slice(id);
    uint32_t at = table_find(&w->index, hash, same_id, w, &id);
    if (at == TABLE_NONE) {
        print_change(w, m, NULL);
        now.id = arena_dup(&w->a, id);
        return now.id.ptr && VEC_PUSH(&w->all, now) && table_add(&w->index, hash, w->all.len - 1);
    }
    seen *before = &w->all.data[at];
    if (before->version != now.version || before->state != now.state)
        print_change(w, m, before);
    before->version = now.version;
    before->state = now.state;
    return true;
}

static exit_code watch_one(watch *w, client *c, const char *path)
{
    exit_code code = CLI_OK;
    while (!input_stopped) {
        code = client_call(c, "GET", path, mandate_slice_of("", 0));
        if (code != CLI_OK)
            break;
        if (!note(w, c->value))
            return CLI_INTERNAL;
        if (mandate_state_is_final(mandate_state_parse(show_state(c->value))))
            return CLI_DENIED;
        usleep(INTERVAL_US);
    }
    return code;
}

static exit_code note_all(watch *w, client *c)
{
    exit_code code = CLI_OK;
    buf path, after;
    buf_init(&path);
    buf_init(&after);
    do {
        buf_reset(&path);
        buf_printf(&path, "/v1/mandates?limit=%d", PAGE);
        path_query(&path, "after", after.len ? buf_cstr(&after) : NULL);
        buf_reset(&after);
        code = client_call(c, "GET", buf_cstr(&path), mandate_slice_of("", 0));
        cel_value rows = json_member(c->value, "mandates");
        uint32_t count = code == CLI_OK && rows.kind == CEL_LIST ? rows.len : 0;
        for (uint32_t i = 0; i < count; i++)
            if (!note(w, rows.items[i]))
                code = CLI_INTERNAL;
        if (code == CLI_OK)
            buf_put_slice(&after, json_member_text(c->value, "next"));
    } while (code == CLI_OK && after.len && !input_stopped);
    buf_deinit(&path);
    buf_deinit(&after);
    return code;
}

static exit_code watch_all(watch *w, client *c)
{
    exit_code code = CLI_OK;
    while (!input_stopped && (code = note_all(w, c)) == CLI_OK)
        usleep(INTERVAL_US);
    return code;
}

int cmd_mandate_watch(int argc, char **argv)
{
    arg_common common;
    const char *id[1];
    watch w = {.json = false};
    client c;
    buf path;
    if (!args_parse(argc, argv, &common, NULL, 0, id, 0, 1))
        return CLI_REFUSED;
    input_catch_signals();
    w.json = common.json;
    table_init(&w.index);
    arena_init(&w.a, 0);
    buf_init(&path);
    exit_code code = client_open(&c, &common);
    if (code == CLI_OK && id[0]) {
        buf_put_str(&path, "/v1/mandates/");
        path_segment(&path, mandate_slice_str(id[0]));
        code = watch_one(&w, &c, buf_cstr(&path));
    } else if (code == CLI_OK) {
        code = watch_all(&w, &c);
    }
    client_close(&c);
    buf_deinit(&path);
    arena_deinit(&w.a);
    VEC_FREE(&w.all);
    table_deinit(&w.index);
    return code;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status_watch - see status_watch.h. The rate is that of the last interval: what was read long ago says nothing about now.
 */
#include "connectors/cli/status_watch.h"

#include <string.h>
#include <time.h>

#include "connectors/cli/input.h"
#include "connectors/cli/out.h"

enum { CONNECTORS_MAX = 256 };

static progress look(cel_value connector)
{
    static const char *const outcomes[] = {"mapped", "filtered", "ignored", "dead_lettered"};
    cel_value records = json_member(connector, "records"), partitions = json_member(connector, "partitions");
    struct timespec t;
    progress p = {0};
    clock_gettime(CLOCK_MONOTONIC, &t);
    p.at_seconds = (double)t.tv_sec + (double)t.tv_nsec / 1e9;
    for (size_t i = 0; i < sizeof(outcomes) / sizeof(*outcomes); i++)
        p.done += json_member_int(records, outcomes[i], 0);
    for (uint32_t i = 0; partitions.kind == CEL_LIST && i < partitions.len; i++) {
        int64_t lag = json_member_int(partitions.items[i], "lag_records", -1);
        p.left = lag < 0 || p.left < 0 ? -1 : p.left + lag;
    }
    return p;
}

/* One round of lines; whether all have caught up. */
static bool show_round(const client *c, progress *before, uint32_t *known)
{
    cel_value all = json_member(c->value, "connectors");
    bool done = true;
    buf line;
    buf_init(&line);
    for (uint32_t i = 0; all.kind == CEL_LIST && i < all.len && i < CONNECTORS_MAX; i++) {
        progress now = look(all.items[i]);
        out_column(&line, OUT_BOLD, json_member_text(all.items[i], "name"), 20);
        out_column(&line, OUT_PLAIN, json_member_text(all.items[i], "state"), 10);
        progress_put(&line, i < *known ? &before[i] : NULL, &now);
        done &= cel_is_true(json_member(all.items[i], "caught_up"));
        before[i] = now;
        out_line(&line);
    }
    *known = all.kind == CEL_LIST ? (all.len < CONNECTORS_MAX ? all.len : CONNECTORS_MAX) : 0;
    buf_deinit(&line);
    fflush(stdout);
    return done;
}

exit_code status_watch(const arg_common *common, int64_t interval_ms)
{
    static progress before[CONNECTORS_MAX];
    uint32_t known = 0;
    exit_code code = CLI_OK;
    bool done = false;
    input_catch_signals();
    while (code == CLI_OK && !done && !input_stopped) {
        client c;
        code = client_open(&c, common);
        if (code == CLI_OK)
            code = client_call(&c, "GET", "/v1/connectors", mandate_slice_of("", 0));
        if (code == CLI_OK)
            done = show_round(&c, before, &known);
        client_close(&c);
        struct timespec wait = {interval_ms / 1000, interval_ms % 1000 * 1000000};
        if (code == CLI_OK && !done && !input_stopped)
            nanosleep(&wait, NULL); /* a signal ends it early, and the loop */
    }
    return code;
}

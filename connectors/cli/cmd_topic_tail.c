/* SPDX-License-Identifier: Apache-2.0 */
/* topic tail, watch tail - records of a topic as they come, a line each; transitions and flips readable. */
#include "connectors/cli/input.h"
#include "connectors/cli/out.h"
#include "connectors/cli/topic.h"
#include "connectors/cli/topic_decode.h"

typedef struct tail {
    arena a;
    buf line;
    bool json;
    topic_decoder *decoder; /* NULL: the bytes are shown */
} tail;

static bool print_record(void *ctx, const record *r)
{
    tail *t = ctx;
    record decoded;
    mandate_slice note;
    arena_reset(&t->a);
    if (t->decoder) {
        decoded = topic_decode(t->decoder, &t->a, r, &note);
        if (note.len)
            out_problem("partition %d, offset %lld: %.*s", (int)r->partition, (long long)r->offset, MANDATE_SLICE_ARG(note));
        r = &decoded;
    }
    if (t->json)
        topic_json(&t->line, &t->a, r);
    else
        topic_text(&t->line, &t->a, r);
    return out_line(&t->line) && fflush(stdout) == 0;
}

static int tail_topic(int argc, char **argv, const char *usual)
{
    const char *bootstrap = NULL, *count = NULL, *topic[1];
    bool from_beginning = false, exit_at_end = false, decode = false;
    const char *schema = NULL;
    arg_list registries = {.count = 0};
    const char *timeout = NULL;
    int64_t timeout_ms = 0;
    arg_list properties = {.count = 0};
    const arg_option options[] = {
        {"--bootstrap", .value = &bootstrap},    {"--from-beginning", .flag = &from_beginning},
        {"--exit-at-end", .flag = &exit_at_end}, {"--count", .value = &count},
        {"--property", .list = &properties},     {"--timeout", .value = &timeout},
        {"--decode", .flag = &decode},           {"--registry", .list = &registries},
        {"--schema", .value = &schema},
    };
    int64_t limit = 0;
    arg_common common;
    mandate_error err;
    if (!args_parse(argc, argv, &common, options, sizeof(options) / sizeof(*options), topic, 0, 1) ||
        (count && !args_number(&limit, "--count", count, 1, INT64_MAX)) ||
        (timeout && !args_number(&timeout_ms, "--timeout", timeout, 1, 3600000)))
        return CLI_REFUSED;
    input_catch_signals();
    tail t = {.json = common.json};
    arena_init(&t.a, 0);
    if ((decode || schema || registries.count) &&
        topic_decoder_create(&t.decoder, registries.items, registries.count, schema, &err)) {
        out_problem("%s", err.text);
        return CLI_REFUSED;
    }
    buf_init(&t.line);
    const kafka_tool_target target = {.bootstrap = topic_bootstrap(bootstrap),
                                      .topic = topic[0] ? topic[0] : usual,
                                      .properties = properties.items,
                                      .property_count = properties.count,
                                      .timeout_ms = (int)timeout_ms};
    const kafka_tool_tail_options tail_options = {
        .from_beginning = from_beginning, .exit_at_end = exit_at_end, .count = (uint64_t)limit, .stop = &input_stopped};
    mandate_status status = kafka_tool_tail(&target, &tail_options, print_record, &t, &err);
    topic_decoder_destroy(t.decoder);
    arena_deinit(&t.a);
    buf_deinit(&t.line);
    return status ? topic_failed(&err) : CLI_OK;
}

int cmd_topic_tail(int argc, char **argv) { return tail_topic(argc, argv, "mandate.revocations"); }

int cmd_watch_tail(int argc, char **argv) { return tail_topic(argc, argv, "mandate.watches"); }

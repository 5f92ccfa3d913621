/* SPDX-License-Identifier: Apache-2.0 */
/* topic send - one record from standard input, or one per line; done when every one is
 * acknowledged. */
#include <stdio.h>

#include "connectors/cli/input.h"
#include "connectors/cli/out.h"
#include "connectors/cli/topic.h"

typedef struct send_options {
    const char *key;
    arg_list headers;
    int64_t partition;
    bool null_value, lines;
} send_options;

static mandate_status make_headers(record_header *out, const arg_list *from, mandate_error *err)
{
    for (size_t i = 0; i < from->count; i++) {
        const char *equals = strchr(from->items[i], '=');
        if (!equals || equals == from->items[i])
            return mandate_error_set(err, MANDATE_INVALID, "--header: expected NAME=VALUE, got \"%s\"", from->items[i]);
        out[i].name = mandate_slice_of(from->items[i], (size_t)(equals - from->items[i]));
        out[i].value = mandate_slice_str(equals + 1);
    }
    return MANDATE_OK;
}

static mandate_status send_input(kafka_tool_sender *s, record *r, const send_options *o, mandate_error *err)
{
    buf value;
    mandate_status status = MANDATE_OK;
    buf_init(&value);
    if (o->null_value) {
        status = kafka_tool_send(s, r, err);
    } else if (!o->lines) {
        status = input_read(&value, "-", LIMIT_RECORD, err);
        r->value = value.len ? buf_slice(&value) : mandate_slice_of("", 0); /* empty is not null */
        if (!status)
            status = kafka_tool_send(s, r, err);
    } else {
        while (!status && !input_stopped && (status = input_line(&value, stdin, LIMIT_RECORD, err)) == MANDATE_OK) {
            r->value = value.len ? buf_slice(&value) : mandate_slice_of("", 0);
            status = kafka_tool_send(s, r, err);
        }
        if (status == MANDATE_NOT_FOUND)
            status = MANDATE_OK; /* the end */
    }
    buf_deinit(&value);
    return status;
}

static mandate_status send_all(const kafka_tool_target *target, const send_options *o, mandate_error *err)
{
    record_header headers[ARG_LIST_MAX];
    kafka_tool_sender *s;
    record r = {.partition = (int32_t)o->partition, .headers = headers, .header_count = (uint32_t)o->headers.count};
    if (o->key)
        r.key = mandate_slice_str(o->key);
    mandate_status status = make_headers(headers, &o->headers, err);
    if (!status)
        status = kafka_tool_sender_open(&s, target, err);
    if (status)
        return status;
    status = send_input(s, &r, o, err);
    mandate_status closed = kafka_tool_sender_close(s, status ? NULL : err);
    return status ? status : closed;
}

int cmd_topic_send(int argc, char **argv)
{
    const char *bootstrap = NULL, *partition = NULL, *topic[1];
    send_options o = {.partition = -1};
    const char *timeout = NULL;
    int64_t timeout_ms = 0;
    arg_list properties = {.count = 0};
    const arg_option options[] = {
        {"--bootstrap", .value = &bootstrap},    {"--key", .value = &o.key},
        {"--header", .list = &o.headers},        {"--partition", .value = &partition},
        {"--null-value", .flag = &o.null_value}, {"--lines", .flag = &o.lines},
        {"--property", .list = &properties},     {"--timeout", .value = &timeout},
    };
    arg_common common;
    mandate_error err;
    if (!args_parse(argc, argv, &common, options, 8, topic, 1, 1) ||
        (partition && !args_number(&o.partition, "--partition", partition, 0, INT32_MAX)) ||
        (timeout && !args_number(&timeout_ms, "--timeout", timeout, 1, 3600000)))
        return CLI_REFUSED;
    if (o.null_value && o.lines) {
        out_problem("--null-value and --lines exclude each other");
        return CLI_REFUSED;
    }
    input_catch_signals();
    const kafka_tool_target target = {.bootstrap = topic_bootstrap(bootstrap),
                                      .topic = topic[0],
                                      .properties = properties.items,
                                      .property_count = properties.count,
                                      .timeout_ms = (int)timeout_ms};
    return send_all(&target, &o, &err) ? topic_failed(&err) : CLI_OK;
}

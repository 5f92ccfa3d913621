/* SPDX-License-Identifier: Apache-2.0 */
/*
 * topic - a record as text. What is JSON is shown as such, other text as text, bytes as base64;
 * null stays null.
 */
#include "connectors/cli/topic.h"

#include <inttypes.h>
#include <stdlib.h>

#include "connectors/cli/show.h"
#include "engine/base/text.h"

enum { VALUE_SHOWN = 400 };

const char *topic_bootstrap(const char *given)
{
    const char *from_environment = getenv("MANDATED_BOOTSTRAP");
    if (given)
        return given;
    return from_environment && *from_environment ? from_environment : "127.0.0.1:9092";
}

exit_code topic_failed(const mandate_error *err)
{
    out_problem("%s", err->text);
    if (err->status == MANDATE_UNAVAILABLE)
        return CLI_UNREACHABLE;
    return err->status == MANDATE_NOMEM ? CLI_INTERNAL : CLI_REFUSED;
}

static void put_data(buf *line, mandate_slice data)
{
    if (!data.ptr)
        buf_put_str(line, "null");
    else if (utf8_valid(data))
        buf_put_json_string(line, data);
    else {
        buf_put_str(line, "{\"base64\":");
        cel_to_json(line, cel_bytes(data));
        buf_put_char(line, '}');
    }
}

static void put_headers(buf *line, const record *r)
{
    bool some = false;
    buf_put_char(line, '{');
    for (uint32_t i = 0; i < r->header_count; i++) {
        uint32_t later = i + 1; /* the last of a name wins, as in mapping */
        while (later < r->header_count && !mandate_slice_eq(r->headers[later].name, r->headers[i].name))
            later++;
        if (later < r->header_count)
            continue;
        if (some)
            buf_put_char(line, ',');
        some = true;
        buf_put_json_string(line, r->headers[i].name);
        buf_put_char(line, ':');
        put_data(line, r->headers[i].value);
    }
    buf_put_char(line, '}');
}

static bool parse_value(cel_value *out, arena *a, const record *r)
{
    return r->value.len && json_value_parse(out, a, r->value, LIMIT_RECORD, NULL) == MANDATE_OK;
}

void topic_json(buf *line, arena *a, const record *r)
{
    cel_value value;
    buf_put_str(line, "{\"topic\":");
    buf_put_json_string(line, r->topic);
    buf_printf(line, ",\"partition\":%" PRId32 ",\"offset\":%" PRId64, r->partition, r->offset);
    if (r->timestamp_us != INT64_MIN) {
        char at[TIME_TEXT_MAX];
        buf_put_str(line, ",\"timestamp\":");
        buf_put_json_string(line, mandate_slice_of(at, time_format_us(at, r->timestamp_us)));
    }
    buf_put_str(line, ",\"key\":");
    put_data(line, r->key);
    buf_put_str(line, ",\"headers\":");
    put_headers(line, r);
    buf_put_str(line, ",\"value\":");
    if (parse_value(&value, a, r))
        cel_to_json(line, value);
    else
        put_data(line, r->value);
    buf_put_char(line, '}');
}

static void put_place(buf *line, const record *r)
{
    char place[48], at[TIME_TEXT_MAX];
    if (r->timestamp_us != INT64_MIN) {
        out_text(line, OUT_DIM, mandate_slice_of(at, time_format_us(at, r->timestamp_us)));
        buf_put_str(line, "  ");
    }
    snprintf(place, sizeof(place), "/%" PRId32 "@%" PRId64, r->partition, r->offset);
    out_text(line, OUT_DIM, r->topic);
    out_str(line, OUT_DIM, place);
    buf_put_str(line, "  ");
}

static void put_shown(buf *line, out_style style, mandate_slice data)
{
    if (!data.ptr) {
        out_str(line, OUT_DIM, "null");
        return;
    }
    mandate_slice shown = mandate_slice_of(data.ptr, data.len > VALUE_SHOWN ? VALUE_SHOWN : data.len);
    out_text(line, style, shown);
    if (shown.len < data.len)
        out_str(line, OUT_DIM, "...");
}

void topic_text(buf *line, arena *a, const record *r)
{
    cel_value value;
    put_place(line, r);
    bool parsed = parse_value(&value, a, r);
    cel_value watermark = parsed ? json_member(value, "watermark") : cel_null();
    if (parsed && json_has_member(value, "mandate") && json_has_member(value, "version")) {
        show_transition(line, value);
    } else if (parsed && json_has_member(value, "watch") && json_has_member(value, "version")) {
        show_flip(line, value);
    } else if (watermark.kind == CEL_MAP) {
        out_str(line, OUT_DIM, "heartbeat  complete up to ");
        out_text(line, OUT_DIM, json_member_text(watermark, "complete_up_to"));
    } else {
        put_shown(line, OUT_BOLD, r->key);
        buf_put_str(line, "  ");
        put_shown(line, OUT_PLAIN, r->value);
    }
}

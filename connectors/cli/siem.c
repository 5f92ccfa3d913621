/* SPDX-License-Identifier: Apache-2.0 */
/* siem - see the header. Members are written in a fixed order; the entry goes in as it is. */
#include "connectors/cli/siem.h"

#include <inttypes.h>
#include <stdio.h>

#include "connectors/json/json_value.h"
#include "engine/base/text.h"

enum { ENTRY_MAX = 65535, ENTRY_EVENT_MAX = 64, ORIGIN_MAX = 1024, OCSF_CATEGORY = 3, OCSF_CLASS = 3004 };

bool siem_format_parse(siem_format *out, const char *name)
{
    static const char *const names[] = {"jsonl", "ocsf", "cloudevents"};
    for (int i = 0; i < 3; i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (siem_format)i;
            return true;
        }
    return false;
}

static void put_text(buf *b, const char *name, mandate_slice text)
{
    if (text.len == 0)
        return;
    if (b->len && b->data[b->len - 1] != '{')
        buf_put_char(b, ',');
    buf_printf(b, "\"%s\":", name);
    buf_put_json_string(b, text);
}

/* --- CloudEvents ------------------------------------------------------------------------------------------------ */
static void put_cloudevent(buf *b, mandate_slice origin, cel_value e, mandate_slice entry)
{
    char type[ENTRY_EVENT_MAX + 32];
    mandate_slice event = json_member_text(e, "event");
    buf_printf(b, "{\"specversion\":\"1.0\",\"id\":\"%" PRId64 "\"", json_member_int(e, "index", 0));
    put_text(b, "source", origin);
    put_text(b, "type",
             mandate_slice_of(type,
                              (size_t)snprintf(type, sizeof(type), "dev.mandated.audit.%.*s.v1", MANDATE_SLICE_ARG(event))));
    put_text(b, "subject", json_member_text(e, "mandate"));
    put_text(b, "time", json_member_text(e, "time"));
    buf_put_str(b, ",\"datacontenttype\":\"application/json\",\"data\":");
    buf_put_slice(b, entry);
    buf_put_char(b, '}');
}

/* --- OCSF ------------------------------------------------------------------------------------------------------- */
typedef struct activity {
    const char *event; /* or command, for a refusal */
    int id;
    const char *name;
} activity;

static const activity activities[] = {
    {"issued", 1, "Create"},   {"amended", 3, "Update"}, {"ended", 4, "Delete"},     {"suspended", 12, "Suspend"},
    {"resumed", 13, "Resume"}, {"checked", 2, "Read"},   {"issue", 1, "Create"},     {"amend", 3, "Update"},
    {"revoke", 4, "Delete"},   {"return", 4, "Delete"},  {"suspend", 12, "Suspend"}, {"resume", 13, "Resume"},
};

/* Why a check said no; empty when it said yes, and of everything else. */
static mandate_slice denied(cel_value e)
{
    cel_value answer = json_member(json_member(e, "detail"), "answer"), decision = json_member(answer, "decision");
    if (!mandate_slice_is(json_member_text(e, "event"), "checked") || decision.kind != CEL_BOOL || decision.b)
        return mandate_slice_of(NULL, 0);
    mandate_slice reason = json_member_text(json_member(answer, "context"), "reason");
    return reason.len ? reason : mandate_slice_str("denied");
}

/* Whatever else there is, or will be: Other, under its own name. */
static activity activity_of(cel_value e)
{
    mandate_slice event = json_member_text(e, "event");
    mandate_slice word = mandate_slice_is(event, "refused") ? json_member_text(e, "command") : event;
    for (size_t i = 0; i < sizeof(activities) / sizeof(*activities); i++)
        if (mandate_slice_is(word, activities[i].event))
            return activities[i];
    return (activity){NULL, 99, NULL};
}

static int severity_of(mandate_slice event)
{
    if (mandate_slice_is(event, "database_accepted"))
        return 4;                                      /* High */
    return mandate_slice_is(event, "refused") ? 2 : 1; /* Low, Informational */
}

static void put_entity(buf *b, cel_value e)
{
    mandate_slice mandate = json_member_text(e, "mandate"), watch = json_member_text(e, "watch");
    mandate_slice decision = json_member_text(e, "decision");
    const char *type = decision.len ? "decision" : mandate.len ? "mandate" : watch.len ? "watch" : "audit log";
    mandate_slice uid = decision.len ? decision : mandate.len ? mandate : watch.len ? watch : mandate_slice_str("audit log");
    buf_printf(b, ",\"entity\":{\"type\":\"%s\"", type);
    put_text(b, "uid", uid);
    put_text(b, "name", uid);
    if (json_has_member(e, "version"))
        buf_printf(b, ",\"version\":\"%" PRId64 "\"", json_member_int(e, "version", 0));
    buf_put_char(b, '}');
}

static void put_metadata(buf *b, mandate_slice origin, cel_value e)
{
    buf_put_str(b, ",\"metadata\":{\"version\":\"1.3.0\",\"product\":{\"name\":\"mandated\",\"vendor_name\":\"mandated\"");
    put_text(b, "version", mandate_slice_str(mandate_version()));
    char uid[ORIGIN_MAX + 32];
    buf_put_char(b, '}');
    put_text(b, "uid",
             mandate_slice_of(uid, (size_t)snprintf(uid, sizeof(uid), "%.*s#%" PRId64,
                                                    (int)(origin.len < ORIGIN_MAX ? origin.len : ORIGIN_MAX), origin.ptr,
                                                    json_member_int(e, "index", 0))));
    buf_printf(b, ",\"sequence\":%" PRId64, json_member_int(e, "index", 0));
    put_text(b, "log_name", origin);
    put_text(b, "event_code", json_member_text(e, "event"));
    put_text(b, "original_time", json_member_text(e, "time"));
    put_text(b, "correlation_uid", json_member_text(e, "txn"));
    buf_put_char(b, '}');
}

static void put_ocsf(buf *b, mandate_slice origin, cel_value e, mandate_slice entry, int64_t time_us)
{
    activity what = activity_of(e);
    mandate_slice event = json_member_text(e, "event");
    cel_value cause = json_member(e, "cause");
    mandate_slice who = json_member_text(e, "principal"), note = json_member_text(e, "note");
    mandate_slice no = denied(e);
    bool refused = mandate_slice_is(event, "refused"), failure = refused || no.len;
    who = who.len ? who : json_member_text(cause, "principal");
    note = note.len ? note : json_member_text(cause, "note");
    buf_printf(b, "{\"category_uid\":%d,\"category_name\":\"Identity & Access Management\",\"class_uid\":%d,", OCSF_CATEGORY,
               OCSF_CLASS);
    buf_printf(b, "\"class_name\":\"Entity Management\",\"activity_id\":%d", what.id);
    put_text(b, "activity_name", what.name ? mandate_slice_str(what.name) : event);
    buf_printf(b, ",\"type_uid\":%d,\"severity_id\":%d,\"time\":%" PRId64 ",\"status_id\":%d", OCSF_CLASS * 100 + what.id,
               severity_of(event), time_us / 1000, failure ? 2 : 1);
    put_text(b, "status_code", refused ? json_member_text(e, "status") : no.len ? no : json_member_text(e, "reason"));
    put_text(b, "status_detail", json_member_text(e, "error"));
    put_text(b, "message", event);
    put_text(b, "status", mandate_slice_str(failure ? "Failure" : "Success"));
    put_text(b, "comment", note);
    if (who.len) {
        buf_put_str(b, ",\"actor\":{\"user\":{");
        put_text(b, "name", who);
        put_text(b, "uid", who);
        buf_put_str(b, "}}");
    }
    put_entity(b, e);
    put_metadata(b, origin, e);
    buf_put_str(b, ",\"unmapped\":");
    buf_put_slice(b, entry);
    buf_put_char(b, '}');
}

mandate_status siem_put(buf *out, siem_format format, mandate_slice origin, mandate_slice entry, arena *a,
                        mandate_error *err)
{
    cel_value e;
    int64_t time_us;
    if (format == SIEM_JSONL) {
        buf_put_slice(out, entry);
        return MANDATE_OK;
    }
    mandate_status status = json_value_parse(&e, a, entry, ENTRY_MAX, err);
    if (status)
        return status;
    if (e.kind != CEL_MAP || !json_has_member(e, "index") || !json_member_text(e, "event").len ||
        json_member_text(e, "event").len > ENTRY_EVENT_MAX || !time_parse_us(json_member_text(e, "time"), &time_us))
        return mandate_error_set(err, MANDATE_INVALID, "it lacks what every entry has: index, time, event");
    if (format == SIEM_CLOUDEVENTS)
        put_cloudevent(out, origin, e, entry);
    else
        put_ocsf(out, origin, e, entry, time_us);
    return out->failed ? mandate_error_set(err, MANDATE_NOMEM, "out of memory for a line") : MANDATE_OK;
}

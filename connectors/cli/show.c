/* SPDX-License-Identifier: Apache-2.0 */
/*
 * show - printing what the API describes.
 */
#include "connectors/cli/show.h"

#include <inttypes.h>

enum { LABEL_WIDTH = 12 };

cel_value show_claims(cel_value mandate)
{
    cel_value claims = json_member(mandate, "mandate");
    return claims.kind == CEL_MAP ? claims : cel_null();
}

mandate_slice show_member(cel_value mandate, const char *name)
{
    mandate_slice text = json_member_text(mandate, name);
    return text.len ? text : json_member_text(show_claims(mandate), name);
}

bool show_is_known(cel_value read) { return json_has_member(read, "value") && !cel_is_true(json_member(read, "unknown")); }

mandate_slice show_id(cel_value mandate)
{
    mandate_slice id = show_member(mandate, "id");
    return id.len ? id : json_member_text(mandate, "mandate");
}

mandate_slice show_state(cel_value mandate) { return json_member_text(mandate, "state"); }

static void label(buf *line, const char *name)
{
    buf_put_str(line, "  ");
    out_column(line, OUT_DIM, mandate_slice_str(name), LABEL_WIDTH);
}

void show_text(buf *line, const char *name, mandate_slice text)
{
    if (text.len == 0)
        return;
    label(line, name);
    out_text(line, OUT_PLAIN, text);
    out_line(line);
}

static void show_list(buf *line, const char *name, cel_value list)
{
    if (list.kind != CEL_LIST || list.len == 0)
        return;
    label(line, name);
    for (uint32_t i = 0; i < list.len; i++) {
        if (i)
            buf_put_str(line, ", ");
        if (list.items[i].kind == CEL_STRING)
            out_text(line, OUT_PLAIN, cel_text(list.items[i]));
    }
    out_line(line);
}

void show_json(buf *line, const char *name, cel_value v)
{
    buf json;
    if (v.kind == CEL_NULL || (v.kind == CEL_MAP && v.len == 0))
        return;
    buf_init(&json);
    cel_to_json(&json, v);
    show_text(line, name, buf_slice(&json));
    buf_deinit(&json);
}

void show_origin(buf *line, cel_value origin)
{
    mandate_slice topic = json_member_text(origin, "topic"), at = json_member_text(origin, "event_time");
    char place[48];
    if (topic.len == 0)
        topic = json_member_text(origin, "source");
    if (topic.len == 0)
        return;
    out_text(line, OUT_DIM, topic);
    if (json_has_member(origin, "offset")) {
        snprintf(place, sizeof(place), "/%" PRId64 "@%" PRId64, json_member_int(origin, "partition", 0),
                 json_member_int(origin, "offset", 0));
        out_str(line, OUT_DIM, place);
    }
    if (json_has_member(origin, "version") && json_has_member(origin, "offset")) {
        snprintf(place, sizeof(place), " (version %" PRId64 ")", json_member_int(origin, "version", 0));
        out_str(line, OUT_DIM, place);
    }
    if (at.len) {
        buf_put_str(line, "  ");
        out_text(line, OUT_DIM, at);
    }
}

void show_by(buf *line, cel_value cause)
{
    mandate_slice principal = json_member_text(cause, "principal"), note = json_member_text(cause, "note");
    if (principal.len) {
        buf_put_str(line, "by ");
        out_text(line, OUT_PLAIN, principal);
        buf_put_str(line, "  ");
    }
    if (note.len) {
        buf_put_char(line, '"');
        out_text(line, OUT_PLAIN, note);
        buf_put_str(line, "\"  ");
    }
}

static void show_cause(buf *line, cel_value cause)
{
    show_by(line, cause);
    show_origin(line, cause);
}

void show_transition(buf *line, cel_value t)
{
    mandate_slice prior = json_member_text(t, "prior"), state = json_member_text(t, "state");
    char version[24];
    snprintf(version, sizeof(version), "v%" PRId64, json_member_int(t, "version", 0));
    out_text(line, OUT_BOLD, json_member_text(t, "mandate"));
    buf_put_str(line, "  ");
    if (prior.len) {
        out_text(line, OUT_DIM, prior);
        buf_put_str(line, " -> ");
    }
    out_text(line, out_state_style(state), state);
    buf_put_str(line, "  ");
    out_str(line, OUT_DIM, version);
    buf_put_str(line, "  ");
    out_text(line, OUT_PLAIN, json_member_text(t, "reason"));
    buf_put_str(line, "  ");
    show_cause(line, json_member(t, "cause"));
}

void show_flip(buf *line, cel_value f)
{
    out_style style;
    char version[24];
    mandate_slice value = json_member_text(f, "value");
    (void)out_truth_mark(value, &style);
    snprintf(version, sizeof(version), "v%" PRId64, json_member_int(f, "version", 0));
    out_text(line, OUT_BOLD, json_member_text(f, "watch"));
    buf_put_str(line, "  ");
    out_text(line, OUT_DIM, json_member_text(f, "prior"));
    buf_put_str(line, " -> ");
    out_text(line, style, value);
    buf_put_str(line, "  ");
    out_str(line, OUT_DIM, version);
    buf_put_str(line, "  ");
    show_cause(line, json_member(f, "cause"));
}

void show_terms(cel_value t)
{
    cel_value terms = json_member(t, "terms");
    buf line;
    arena a;
    if (terms.kind != CEL_LIST)
        return;
    buf_init(&line);
    arena_init(&a, 0);
    for (uint32_t i = 0; i < terms.len; i++) {
        cel_value term = terms.items[i];
        bool known = show_is_known(term);
        buf_put_str(&line, "    ");
        out_text(&line, OUT_PLAIN, json_member_text(term, "path"));
        buf_put_str(&line, " = ");
        out_text(&line, known ? OUT_BOLD : OUT_DOUBT,
                 known ? out_value(&a, json_member(term, "value")) : mandate_slice_str("unknown"));
        buf_put_str(&line, "  ");
        show_origin(&line, term);
        out_line(&line);
    }
    arena_deinit(&a);
    buf_deinit(&line);
}

static void show_head(buf *line, cel_value m)
{
    char version[32];
    out_text(line, OUT_BOLD, show_id(m));
    buf_put_str(line, "  ");
    out_text(line, out_state_style(show_state(m)), show_state(m));
    if (json_has_member(m, "version")) {
        snprintf(version, sizeof(version), "  version %" PRId64, json_member_int(m, "version", 0));
        out_str(line, OUT_DIM, version);
    }
    mandate_slice because = json_member_text(m, "because");
    if (because.len && !mandate_slice_eq(because, show_id(m))) {
        buf_put_str(line, "  because of ");
        out_text(line, OUT_BOLD, because);
    }
    out_line(line);
}

static void show_last(buf *line, cel_value m)
{
    cel_value last = json_member(m, "transition");
    if (last.kind != CEL_MAP)
        return;
    label(line, "last");
    out_text(line, OUT_PLAIN, json_member_text(last, "reason"));
    buf_put_str(line, "  ");
    show_cause(line, json_member(last, "cause"));
    out_line(line);
    show_terms(last);
}

void show_mandate(cel_value m)
{
    buf line;
    cel_value claims = show_claims(m), scope = json_member(claims, "scope");
    buf_init(&line);
    show_head(&line, m);
    show_text(&line, "purpose", json_member_text(claims, "purpose"));
    show_text(&line, "grantor", json_member_text(claims, "grantor"));
    show_text(&line, "agent", json_member_text(claims, "agent"));
    show_text(&line, "parent", json_member_text(claims, "parent"));
    show_text(&line, "supersedes", json_member_text(claims, "supersedes"));
    show_list(&line, "actions", json_member(scope, "actions"));
    show_list(&line, "resources", json_member(scope, "resources"));
    show_json(&line, "limits", json_member(scope, "limits"));
    show_json(&line, "require", json_member(scope, "require"));
    show_json(&line, "budgets", json_member(scope, "budgets"));
    show_text(&line, "while", json_member_text(claims, "while"));
    show_text(&line, "until", json_member_text(claims, "until"));
    show_text(&line, "suspend", json_member_text(claims, "suspend_while"));
    show_json(&line, "params", json_member(claims, "params"));
    show_json(&line, "targets", json_member(claims, "targets"));
    show_text(&line, "expires", show_member(m, "expires_at"));
    show_list(&line, "unobserved", json_member(m, "unobservable"));
    show_last(&line, m);
    buf_deinit(&line);
}

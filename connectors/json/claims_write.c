/* SPDX-License-Identifier: Apache-2.0 */
/*
 * claims_write - claims to JSON: fixed order of members, so that equal claims are equal bytes.
 *
 * Strings are escaped and repaired by buf_put_json_string, values rendered by cel_to_json (maps
 * sorted by key).
 */
#include <inttypes.h>

#include "connectors/json/claims_json.h"
#include "connectors/json/claims_required.h"
#include "engine/base/text.h"
#include "engine/mandate/disclosure.h"

static void put_name(buf *b, const char *name)
{
    char last = b->len ? b->data[b->len - 1] : '{';
    if (last != '{')
        buf_put_char(b, ',');
    buf_put_char(b, '"');
    buf_put_str(b, name);
    buf_put(b, "\":", 2);
}

static void put_text(buf *b, const char *name, mandate_slice text)
{
    if (text.len == 0)
        return;
    put_name(b, name);
    buf_put_json_string(b, text);
}

static void put_texts(buf *b, const char *name, const mandate_slice *items, uint32_t count)
{
    put_name(b, name);
    buf_put_char(b, '[');
    for (uint32_t i = 0; i < count; i++) {
        if (i)
            buf_put_char(b, ',');
        buf_put_json_string(b, items[i]);
    }
    buf_put_char(b, ']');
}

static void put_map(buf *b, const char *name, cel_value v)
{
    if (v.kind == CEL_NULL)
        return;
    put_name(b, name);
    cel_to_json(b, v);
}

static void put_time(buf *b, const char *name, int64_t us)
{
    char text[TIME_TEXT_MAX];
    size_t len = time_format_us(text, us);
    put_name(b, name);
    buf_put_json_string(b, mandate_slice_of(text, len));
}

void amount_put_json(buf *b, budget_amount x)
{
    char text[AMOUNT_TEXT_MAX];
    size_t len = amount_format(text, x);
    bool plain = !x.part && x.whole <= UINT64_C(9007199254740991);
    if (!plain)
        buf_put_char(b, '"');
    buf_put(b, text, len);
    if (!plain)
        buf_put_char(b, '"');
}

static void put_budgets(buf *b, const claims *c)
{
    put_name(b, "budgets");
    buf_put_char(b, '{');
    for (uint32_t i = 0; i < c->budget_count; i++) {
        if (i)
            buf_put_char(b, ',');
        buf_put_json_string(b, c->budgets[i].name);
        buf_put_char(b, ':');
        amount_put_json(b, c->budgets[i].max);
    }
    buf_put_char(b, '}');
}

static void put_scope(buf *b, const claims *c)
{
    put_name(b, "scope");
    buf_put_char(b, '{');
    if (c->action_count || !(c->hidden & CLAIMS_GIVEN(ACTIONS)))
        put_texts(b, "actions", c->actions, c->action_count);
    if (c->resource_count || !(c->hidden & CLAIMS_GIVEN(RESOURCES)))
        put_texts(b, "resources", c->resources, c->resource_count);
    if (c->limit_count) {
        put_name(b, "limits");
        buf_put_char(b, '{');
        for (uint32_t i = 0; i < c->limit_count; i++) {
            if (i)
                buf_put_char(b, ',');
            buf_put_json_string(b, c->limits[i].name);
            buf_put_char(b, ':');
            cel_to_json(b, c->limits[i].max);
        }
        buf_put_char(b, '}');
    }
    if (c->required_count) {
        put_name(b, "require");
        claims_put_required(b, c);
    }
    if (c->budget_count)
        put_budgets(b, c);
    buf_put_char(b, '}');
}

static void put_delegation(buf *b, const claims *c)
{
    if (!c->children_bounded && c->child_agent_count == 0)
        return;
    put_name(b, "delegation");
    buf_put_char(b, '{');
    if (c->children_bounded)
        put_name(b, "max_children"), buf_put_u64(b, c->children_max);
    if (c->child_agent_count)
        put_texts(b, "allowed_agents", c->child_agents, c->child_agent_count);
    buf_put_char(b, '}');
}

static void put_disclosure(buf *b, const claims *c)
{
    buf path;
    if (!c->disclosure_count)
        return;
    buf_init(&path);
    put_name(b, "disclosure");
    buf_put_char(b, '{');
    for (uint32_t i = 0; i < c->disclosure_count; i++) {
        const claims_disclosure *d = &c->disclosures[i];
        buf_reset(&path);
        disclosure_put_path(&path, d);
        b->failed |= path.failed;
        if (i)
            buf_put_char(b, ',');
        buf_put_json_string(b, buf_slice(&path));
        buf_put_str(b, ":{");
        if (d->audience_count || !d->handle)
            put_texts(b, "audiences", d->audiences, d->audience_count);
        if (d->handle) {
            put_name(b, "handle");
            buf_put_str(b, "true");
        }
        buf_put_char(b, '}');
    }
    buf_put_char(b, '}');
    buf_deinit(&path);
}

void duration_put(buf *b, int64_t us)
{
    static const struct {
        const char *name;
        int64_t us;
    } whole[] = {{"h", INT64_C(3600000000)}, {"m", 60000000}, {"s", 1000000}};
    bool some = false;
    if (us < 0) {
        /* No expected value; INT64_MIN would overflow when negated, and loses a microsecond here.
         */
        buf_put_char(b, '-');
        us = us == INT64_MIN ? INT64_MAX : -us;
    }
    for (size_t i = 0; i < 3; i++) {
        if (us >= whole[i].us) {
            buf_printf(b, "%" PRId64 "%s", us / whole[i].us, whole[i].name);
            some = true;
        }
        us %= whole[i].us;
    }
    if (us % 1000)
        buf_printf(b, "%" PRId64 "us", us);
    else if (us)
        buf_printf(b, "%" PRId64 "ms", us / 1000);
    else if (!some)
        buf_put_str(b, "0s");
}

void claims_to_json(buf *b, const claims *c)
{
    buf_put_char(b, '{');
    put_text(b, "id", c->id);
    put_text(b, "issuer", c->issuer);
    put_text(b, "grantor", c->grantor);
    put_text(b, "agent", c->agent);
    put_text(b, "purpose", c->purpose);
    put_scope(b, c);
    put_text(b, "while", c->clause[CLAUSE_WHILE]);
    put_text(b, "until", c->clause[CLAUSE_UNTIL]);
    put_text(b, "suspend_while", c->clause[CLAUSE_SUSPEND_WHILE]);
    put_map(b, "params", c->params);
    put_map(b, "targets", c->targets);
    if (c->audience_count)
        put_texts(b, "audience", c->audience, c->audience_count);
    put_text(b, "parent", c->parent);
    put_text(b, "supersedes", c->supersedes);
    if (c->depth_max != CLAIMS_DEPTH_UNSET) {
        put_name(b, "max_depth");
        buf_put_u64(b, c->depth_max);
    }
    put_delegation(b, c);
    put_name(b, "on_unknown");
    buf_put_str(b, c->on_unknown == ON_UNKNOWN_SUSPEND ? "\"suspend\"" : "\"hold\"");
    if (c->unknown_grace_us) {
        put_name(b, "unknown_grace");
        buf_put_char(b, '"');
        duration_put(b, c->unknown_grace_us);
        buf_put_char(b, '"');
    }
    put_time(b, "expires_at", c->expires_at_us);
    put_disclosure(b, c);
    if (c->issued_at_us)
        put_time(b, "issued_at", c->issued_at_us);
    buf_put_char(b, '}');
}

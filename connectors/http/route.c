/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route - the one table of resources, and matching. Nothing here knows about connections.
 *
 * The table is short and matched in order; a fixed word and a parameter never compete for the same
 * place.
 */
#include "connectors/http/route.h"

#include <assert.h>
#include <stdio.h>

#include "connectors/http/server.h"
#include "engine/base/text.h"
#include "engine/limits.h"

static const http_route routes[] = {
    {"POST", "/v1/mandates", http_mandates_issue, POWER_ISSUE, "", 0},
    {"POST", "/v1/mandates/backtest", http_mandates_backtest, POWER_DEFINE, "", 0},
    {"POST", "/v1/mandates/lint", http_mandates_lint, POWER_DEFINE, "", 0},
    {"GET", "/v1/mandates", http_mandates_list, POWER_READ, "state agent parent limit after", 0},
    {"GET", "/v1/mandates/{mandate}", http_mandate_get, POWER_READ, "", 0},
    {"GET", "/v1/mandates/{mandate}/explain", http_mandate_explain, POWER_READ, "as_of", 0},
    {"GET", "/v1/mandates/{mandate}/token", http_mandate_token, POWER_READ, "audience", 0},
    {"POST", "/v1/mandates/{mandate}/delegate", http_mandate_delegate, POWER_DELEGATE, "", 0},
    {"POST", "/v1/mandates/{mandate}/amend", http_mandate_amend, POWER_AMEND, "", 0},
    {"POST", "/v1/mandates/{mandate}/spend", http_mandate_spend, POWER_SPEND, "", 0},
    {"POST", "/v1/mandates/{mandate}/unspend", http_mandate_unspend, POWER_SPEND, "", 0},
    {"POST", "/v1/mandates/{mandate}/revoke", http_mandate_revoke, POWER_REVOKE, "", 0},
    {"POST", "/v1/mandates/{mandate}/suspend", http_mandate_suspend, POWER_SUSPEND, "", 0},
    {"POST", "/v1/mandates/{mandate}/resume", http_mandate_resume, POWER_RESUME, "", 0},
    {"POST", "/v1/mandates/{mandate}/return", http_mandate_return, POWER_GIVE_BACK, "", 0},
    {"GET", "/v1/handles/{handle}", http_handle_get, POWER_READ, "", 0},
    {"POST", "/v1/watches", http_watches_create, POWER_WATCH, "", 0},
    {"GET", "/v1/watches", http_watches_list, POWER_READ_CONTEXT, "limit after", 0},
    {"GET", "/v1/watches/{watch}", http_watch_get, POWER_READ_CONTEXT, "", 0},
    {"DELETE", "/v1/watches/{watch}", http_watch_remove, POWER_WATCH, "", 0},
    {"GET", "/v1/decisions", http_decisions_list, POWER_DECIDE, "state limit after", 0},
    {"GET", "/v1/decisions/{decision}", http_decision_get, POWER_DECIDE, "", 0},
    {"POST", "/v1/decisions/{decision}/permit", http_decision_permit, POWER_DECIDE, "", 0},
    {"POST", "/v1/decisions/{decision}/refuse", http_decision_refuse, POWER_DECIDE, "", 0},
    {"GET", "/v1/entities/{type}/{id}", http_entity_get, POWER_READ_CONTEXT, "as_of", 0},
    {"POST", "/v1/events", http_event_assert, POWER_ASSERT_EVENT, "", 0},
    {"GET", "/v1/connectors", http_connectors_list, POWER_OBSERVE, "", 0},
    {"POST", "/v1/connectors/{name}/clear", http_connector_clear, POWER_OPERATE, "", 0},
    {"POST", "/v1/connectors/{name}/replay", http_connector_replay, POWER_OPERATE, "", 0},
    {"POST", "/access/v1/evaluation", http_evaluation, POWER_CHECK, "", HTTP_PLAIN_ERRORS},
    {"POST", "/access/v1/evaluations", http_evaluations, POWER_CHECK, "", HTTP_PLAIN_ERRORS},
    {"GET", "/v1/audit/checkpoint", http_audit_checkpoint, POWER_AUDIT, "", 0},
    {"GET", "/v1/audit/key", http_audit_key, POWER_AUDIT, "", 0},
    {"GET", "/v1/audit/tile/{tile}", http_audit_tile, POWER_AUDIT, "", HTTP_TAIL},
    {"GET", "/v1/audit/proof/inclusion", http_audit_inclusion, POWER_AUDIT, "index size", 0},
    {"GET", "/v1/audit/proof/consistency", http_audit_consistency, POWER_AUDIT, "first size", 0},
    {"GET", "/v1/audit/entries", http_audit_entries, POWER_AUDIT, "from limit mandate txn event", 0},
    {"POST", "/v1/backups", http_backup, POWER_OPERATE, "", 0},
    {"POST", "/access/v1/search/subject", http_search_subject, POWER_CHECK, "", HTTP_PLAIN_ERRORS},
    {"POST", "/access/v1/search/resource", http_search_resource, POWER_CHECK, "", HTTP_PLAIN_ERRORS},
    {"POST", "/access/v1/search/action", http_search_action, POWER_CHECK, "", HTTP_PLAIN_ERRORS},
    {"GET", "/.well-known/authzen-configuration", http_authzen_configuration, POWER_DISCOVER, "", HTTP_PLAIN_ERRORS},
    {"GET", "/.well-known/jwks.json", http_jwks, POWER_DISCOVER, "", 0},
    {"GET", "/status/{list}", http_status_list, POWER_DISCOVER, "", 0},
    {"GET", "/v1/me", http_me, POWER_SELF, "", 0},
    {"GET", "/healthz", http_health, POWER_HEALTH, "", 0},
    {"GET", "/readyz", http_ready, POWER_HEALTH, "", 0},
    {"GET", "/metrics", http_metrics, POWER_OBSERVE, "", 0},
    {"GET", "/openapi.yaml", http_openapi, POWER_DISCOVER, "", 0},
};

const http_route *http_routes(uint32_t *count)
{
    *count = sizeof(routes) / sizeof(*routes);
    return routes;
}

/* --- percent-encoding ------------------------------------------------------------------------- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

static mandate_status decode(mandate_slice *out, arena *a, mandate_slice text, bool plus_is_space, mandate_error *err)
{
    char *to = arena_alloc(a, text.len + 1);
    size_t len = 0;
    if (!to)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory while reading a URI");
    for (size_t i = 0; i < text.len; i++) {
        int c = (unsigned char)text.ptr[i];
        if (c <= ' ' || c >= 0x7f)
            return mandate_error_set(err, MANDATE_INVALID, "the URI has a raw byte 0x%02x; percent-encode it", c);
        if (c == '%') {
            int high = text.len - i > 2 ? hex_digit(text.ptr[i + 1]) : -1;
            int low = high >= 0 ? hex_digit(text.ptr[i + 2]) : -1;
            if (low < 0)
                return mandate_error_set(err, MANDATE_INVALID, "the URI has '%%' without two hexadecimal digits");
            c = high * 16 + low;
            i += 2;
            if (c < ' ' || c == 0x7f)
                return mandate_error_set(err, MANDATE_INVALID, "the URI has an encoded control character %%%02X", c);
        } else if (c == '+' && plus_is_space) {
            c = ' ';
        }
        to[len++] = (char)c;
    }
    to[len] = '\0';
    mandate_slice decoded = mandate_slice_of(to, len);
    if (!utf8_valid(decoded))
        return mandate_error_set(err, MANDATE_INVALID, "the URI does not decode to UTF-8");
    *out = decoded;
    return MANDATE_OK;
}

void http_put_escaped(buf *b, mandate_slice segment)
{
    for (size_t i = 0; i < segment.len; i++) {
        unsigned char c = (unsigned char)segment.ptr[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '.' ||
                     c == '_' || c == '~';
        if (plain)
            buf_put_char(b, (char)c);
        else
            buf_printf(b, "%%%02X", c);
    }
}

/* --- path ------------------------------------------------------------------------------------- */

mandate_status http_path_parse(http_path *out, arena *a, mandate_slice path, mandate_error *err)
{
    http_path parsed = {.count = 0};
    size_t at = 0;

    if (path.len == 0 || path.ptr[0] != '/')
        return mandate_error_set(err, MANDATE_INVALID, "the request target must be a path that begins with '/'");
    while (at < path.len) {
        size_t begin = ++at; /* behind the slash */
        while (at < path.len && path.ptr[at] != '/')
            at++;
        if (at == begin || parsed.count == HTTP_SEGMENTS_MAX)
            return mandate_error_set(err, MANDATE_NOT_FOUND, "no such resource");
        mandate_slice raw = mandate_slice_of(path.ptr + begin, at - begin);
        mandate_slice *segment = &parsed.segments[parsed.count++];
        mandate_status status = decode(segment, a, raw, false, err);
        if (status)
            return status;
        if (segment->len > LIMIT_ID)
            return mandate_error_set(err, MANDATE_LIMIT, "a name in the path is longer than %d bytes", LIMIT_ID);
    }
    *out = parsed;
    return MANDATE_OK;
}

/* Takes the next segment off a pattern. */
static mandate_slice pattern_next(const char **at)
{
    const char *begin = *at + 1, *end = begin;
    assert(**at == '/');
    while (*end && *end != '/')
        end++;
    *at = end;
    return mandate_slice_of(begin, (size_t)(end - begin));
}

static bool matches(const http_route *route, const http_path *path, mandate_slice params[HTTP_PARAMS_MAX])
{
    const char *at = route->pattern;
    uint32_t count = 0;
    for (uint32_t i = 0; i < path->count; i++) {
        if (!*at)
            return false;
        mandate_slice expected = pattern_next(&at);
        if (expected.ptr[0] == '{') {
            assert(count < HTTP_PARAMS_MAX);
            params[count++] = path->segments[i];
            if (!*at && (route->flags & HTTP_TAIL))
                return true;
        } else if (!mandate_slice_eq(expected, path->segments[i])) {
            return false;
        }
    }
    return !*at;
}

const http_route *http_route_find(const http_path *path, mandate_slice method, mandate_slice params[HTTP_PARAMS_MAX],
                                  char allow[64])
{
    size_t len = 0;
    allow[0] = '\0';
    if (mandate_slice_is(method, "HEAD"))
        method = mandate_slice_str("GET");
    for (size_t i = 0; i < sizeof(routes) / sizeof(*routes); i++) {
        if (!matches(&routes[i], path, params))
            continue;
        if (mandate_slice_is(method, routes[i].method))
            return &routes[i];
        const char *name = strcmp(routes[i].method, "GET") == 0 ? "GET, HEAD" : routes[i].method;
        len += (size_t)snprintf(allow + len, 64 - len, "%s%s", len ? ", " : "", name);
        assert(len < 64);
    }
    return NULL;
}

/* --- query ------------------------------------------------------------------------------------ */

static bool is_accepted(mandate_slice name, const char *accepted)
{
    while (*accepted) {
        const char *end = strchrnul(accepted, ' ');
        if (mandate_slice_eq(name, mandate_slice_of(accepted, (size_t)(end - accepted))))
            return true;
        accepted = *end ? end + 1 : end;
    }
    return false;
}

static mandate_status query_add(http_query *q, arena *a, mandate_slice pair, const char *accepted, mandate_error *err)
{
    const char *equals = memchr(pair.ptr, '=', pair.len);
    size_t name_len = equals ? (size_t)(equals - pair.ptr) : pair.len;
    mandate_slice name, value = {"", 0};
    mandate_status status = decode(&name, a, mandate_slice_of(pair.ptr, name_len), true, err);
    if (!status && equals)
        status = decode(&value, a, mandate_slice_of(equals + 1, pair.len - name_len - 1), true, err);
    if (status)
        return status;
    int shown = name.len > LIMIT_NAME ? LIMIT_NAME : (int)name.len;
    if (!is_accepted(name, accepted))
        return mandate_error_set(err, MANDATE_INVALID, "unknown query parameter \"%.*s\"; this resource has %s", shown,
                                 name.ptr, *accepted ? accepted : "none");
    for (uint32_t i = 0; i < q->count; i++)
        if (mandate_slice_eq(q->items[i].name, name))
            return mandate_error_set(err, MANDATE_INVALID, "query parameter \"%.*s\" is given twice", shown, name.ptr);
    assert(q->count < HTTP_QUERY_MAX); /* fewer names are accepted than there is room */
    q->items[q->count].name = name;
    q->items[q->count++].value = value;
    return MANDATE_OK;
}

mandate_status http_query_parse(http_query *out, arena *a, mandate_slice text, const char *accepted, mandate_error *err)
{
    http_query q = {.count = 0};
    size_t at = 0;
    while (at < text.len) {
        const char *end = memchr(text.ptr + at, '&', text.len - at);
        size_t len = end ? (size_t)(end - text.ptr) - at : text.len - at;
        if (len) {
            mandate_status status = query_add(&q, a, mandate_slice_of(text.ptr + at, len), accepted, err);
            if (status)
                return status;
        }
        at += len + 1;
    }
    *out = q;
    return MANDATE_OK;
}

mandate_slice http_query_get(const http_query *q, const char *name)
{
    for (uint32_t i = 0; i < q->count; i++)
        if (mandate_slice_is(q->items[i].name, name))
            return q->items[i].value;
    return mandate_slice_of("", 0);
}

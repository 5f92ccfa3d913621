/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit - /v1/audit: the record as C2SP tiles and a checkpoint (docs/audit.md), proofs, and entries for people. And /v1/backups.
 */
#include "connectors/http/request.h"
#include "connectors/json/json_value.h"

static void answered(http_request *r) { http_reply_take(r, 200, &r->ask.body); }

static void tile_answered(http_request *r)
{
    http_reply_take(r, 200, &r->ask.body);
    r->content_type = "application/octet-stream";
    r->immutable = true;
}

void http_audit_checkpoint(http_request *r)
{
    const service *port = http_service(r);
    port->audit_checkpoint(port->ctx, &r->reply);
    http_reply(r, 200, "text/plain; charset=utf-8");
}

void http_audit_key(http_request *r)
{
    const service *port = http_service(r);
    port->audit_key(port->ctx, &r->reply);
    buf_put_char(&r->reply, '\n');
    http_reply(r, 200, "text/plain; charset=utf-8");
}

/* The path again from "tile" on: segments are whole, and none of them can hold a slash that was escaped. */
void http_audit_tile(http_request *r)
{
    buf path;
    buf_init(&path);
    for (uint32_t i = 2; i < r->path.count; i++) {
        if (i > 2)
            buf_put_char(&path, '/');
        buf_put_slice(&path, r->path.segments[i]);
    }
    r->ask.audit.path = arena_dup(&r->a, buf_slice(&path));
    buf_deinit(&path);
    r->ask.kind = SERVICE_AUDIT;
    r->ask.audit.what = SERVICE_AUDIT_TILE;
    http_submit(r, tile_answered);
}

/* A decimal number; absent: UINT64_MAX. */
static mandate_status number(uint64_t *out, http_request *r, const char *name, bool required, mandate_error *err)
{
    mandate_slice text = http_query_get(&r->query, name);
    uint64_t v = 0;
    *out = UINT64_MAX;
    if (text.len == 0 && !required)
        return MANDATE_OK;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9' || v > (UINT64_MAX - 9) / 10)
            text.len = 0; /* ends the loop: it is none */
        else
            v = v * 10 + (uint64_t)(text.ptr[i] - '0');
    }
    if (text.len == 0)
        return mandate_error_set(err, MANDATE_INVALID, "`%s` is a whole number, 0 or more", name);
    *out = v;
    return MANDATE_OK;
}

static void ask_proof(http_request *r, service_audit_what what, const char *first, uint64_t *into)
{
    mandate_error err;
    r->ask.kind = SERVICE_AUDIT;
    r->ask.audit.what = what;
    if (number(into, r, first, true, &err) || number(&r->ask.audit.size, r, "size", false, &err))
        http_fail(r, &err);
    else
        http_submit(r, answered);
}

void http_audit_inclusion(http_request *r) { ask_proof(r, SERVICE_AUDIT_INCLUSION, "index", &r->ask.audit.index); }

void http_audit_consistency(http_request *r) { ask_proof(r, SERVICE_AUDIT_CONSISTENCY, "first", &r->ask.audit.first); }

void http_audit_entries(http_request *r)
{
    mandate_error err;
    r->ask.kind = SERVICE_AUDIT;
    r->ask.audit.what = SERVICE_AUDIT_ENTRIES;
    r->ask.audit.from = http_query_get(&r->query, "from");
    r->ask.audit.txn = http_query_get(&r->query, "txn");
    r->ask.audit.event = http_query_get(&r->query, "event");
    r->ask.mandate = http_query_get(&r->query, "mandate");
    if (http_limit(&r->ask.limit, http_query_get(&r->query, "limit"), &err))
        http_fail(r, &err);
    else
        http_submit(r, answered);
}

/* --- backups ---------------------------------------------------------------------------------------------- */
static void made(http_request *r) { http_reply_take(r, 201, &r->ask.body); }

/* {"name": "..."} */
static mandate_status read_name(mandate_slice *out, http_request *r, mandate_error *err)
{
    static const char *const known[] = {"name"};
    cel_value body;
    mandate_status status = json_value_parse(&body, &r->a, buf_slice(&r->body), 0, err);
    if (status)
        return status;
    if (body.kind != CEL_MAP || json_member(body, "name").kind != CEL_STRING)
        return mandate_error_set(err, MANDATE_INVALID, "expected {\"name\": \"...\"}: what the backup is called");
    *out = json_member_text(body, "name");
    return json_refuse_unknown(body, "the request", known, 1, err);
}

void http_backup(http_request *r)
{
    mandate_error err;
    r->ask.kind = SERVICE_BACKUP;
    if (read_name(&r->ask.id, r, &err) || http_principal(&r->ask.principal, r, &err))
        http_fail(r, &err);
    else
        http_submit(r, made);
}

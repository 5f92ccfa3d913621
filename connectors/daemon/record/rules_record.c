/* SPDX-License-Identifier: Apache-2.0 */
/* rules_record - see the header. The mark of what was recorded last is written after the entry: a kill in between repeats it. */
#include "connectors/daemon/record/rules_record.h"

#include "connectors/daemon/base/log.h"
#include "connectors/http/service.h"
#include "engine/base/hash.h"
#include "engine/limits.h"

#include <stdlib.h>

enum { TEXT_MAX = 16 << 10 /* of a file, to stand in the entry whole: as JSON it may double */ };
static const char none[] = "none";
static const struct rules_name {
    const char *event, *mark, *what;
} names[RULES_KINDS] = {
    [RULES_POLICY] = {"policy_loaded", "policy", "policy is"},
    [RULES_CHECK_KINDS] = {"check_kinds_loaded", "kinds", "kinds of checks are"},
};

typedef struct recording {
    service_request request;
    store *store;
    const struct rules_name *name;
    char mark[SHA256_HEX_SIZE + 1];
    buf detail;
} recording;

static void recording_free(recording *r)
{
    buf_deinit(&r->detail);
    buf_deinit(&r->request.body);
    free(r);
}

static void trouble(const struct rules_name *name, const char *why)
{
    log_write(LOG_ERROR, name->mark, "which %s in effect could not be recorded: %s", name->what, why);
}

static void recorded(service_request *request)
{
    recording *r = request->ctx;
    mandate_error err;
    if (request->error.status != MANDATE_OK)
        trouble(r->name, request->error.text);
    else if (store_audit_set_mark(r->store, r->name->mark, mandate_slice_str(r->mark), &err) != MANDATE_OK)
        trouble(r->name, err.text);
    recording_free(r);
}

/* {"file","sha256","text"} and the mark. */
static mandate_status describe(recording *r, const char *path, mandate_slice text, mandate_error *err)
{
    uint8_t hash[SHA256_SIZE];
    if (!path) {
        memcpy(r->mark, none, sizeof(none));
        buf_put_str(&r->detail, "{\"file\":null}");
    } else if (!sha256(hash, text.ptr, text.len)) {
        return mandate_error_set(err, MANDATE_NOMEM, "SHA-256 is not available");
    } else {
        hex_encode(r->mark, hash, SHA256_SIZE);
        buf_put_str(&r->detail, "{\"file\":");
        buf_put_json_string(&r->detail, mandate_slice_str(path));
        buf_printf(&r->detail, ",\"sha256\":\"%s\"", r->mark);
        if (text.len <= TEXT_MAX) {
            buf_put_str(&r->detail, ",\"text\":");
            buf_put_json_string(&r->detail, text);
        }
        buf_put_char(&r->detail, '}');
    }
    return r->detail.failed ? mandate_error_set(err, MANDATE_NOMEM, "no memory for an entry") : MANDATE_OK;
}

/* No mark at all reads as "none": a log that never knew such rules needs no entry that there are none. */
static bool is_marked(const recording *r, store *st)
{
    buf last;
    buf_init(&last);
    mandate_status status = store_audit_mark(st, r->name->mark, &last, NULL);
    bool same = status == MANDATE_NOT_FOUND ? strcmp(r->mark, none) == 0
                                            : status == MANDATE_OK && mandate_slice_is(buf_slice(&last), r->mark);
    buf_deinit(&last);
    return same;
}

void rules_record(store *st, queue *q, rules_kind kind, const char *path, mandate_slice text)
{
    mandate_error err;
    recording *r = calloc(1, sizeof(*r));
    if (!r) {
        trouble(&names[kind], "out of memory");
        return;
    }
    r->store = st;
    r->name = &names[kind];
    buf_init(&r->detail);
    buf_init(&r->request.body);
    mandate_status status = describe(r, path, text, &err);
    if (status == MANDATE_OK && is_marked(r, st)) {
        recording_free(r);
        return;
    }
    r->request.kind = SERVICE_LOG;
    r->request.event = mandate_slice_str(r->name->event);
    r->request.detail = buf_slice(&r->detail);
    r->request.done = recorded;
    r->request.ctx = r;
    if (status == MANDATE_OK && !queue_try_push(q, QUEUE_REQUESTS, &r->request))
        status = mandate_error_set(&err, MANDATE_UNAVAILABLE, "too many requests are waiting");
    if (status != MANDATE_OK) {
        trouble(r->name, err.text);
        recording_free(r);
    }
}

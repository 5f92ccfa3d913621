/* SPDX-License-Identifier: Apache-2.0 */
/* policy_record - see the header. The mark of what was recorded last is written after the entry: a kill in between repeats it. */
#include "connectors/daemon/policy_record.h"

#include "connectors/config/yaml.h"
#include "connectors/daemon/log.h"
#include "connectors/http/service.h"
#include "engine/base/hash.h"
#include "engine/limits.h"

#include <stdlib.h>

enum { TEXT_MAX = 16 << 10 /* of a policy, to stand in the entry whole: as JSON it may double */ };
static const char none[] = "none";

typedef struct recording {
    service_request request;
    store *store;
    char mark[SHA256_HEX_SIZE + 1];
    buf detail;
} recording;

static void recording_free(recording *r)
{
    buf_deinit(&r->detail);
    buf_deinit(&r->request.body);
    free(r);
}

static void recorded(service_request *request)
{
    recording *r = request->ctx;
    mandate_error err;
    if (request->error.status != MANDATE_OK)
        log_write(LOG_ERROR, "policy", "which policy is in effect could not be recorded: %s", request->error.text);
    else if (store_audit_set_mark(r->store, mandate_slice_str(r->mark), &err) != MANDATE_OK)
        log_write(LOG_ERROR, "policy", "%s", err.text);
    recording_free(r);
}

/* {"file","sha256","text"} and the mark. */
static mandate_status describe(recording *r, const char *path, mandate_error *err)
{
    uint8_t hash[SHA256_SIZE];
    buf text;
    buf_init(&text);
    mandate_status status = path ? file_read(&text, path, LIMIT_CONFIG, err) : MANDATE_OK;
    if (status == MANDATE_OK && !sha256(hash, text.data, text.len))
        status = mandate_error_set(err, MANDATE_NOMEM, "SHA-256 is not available");
    if (status == MANDATE_OK && !path) {
        memcpy(r->mark, none, sizeof(none));
        buf_put_str(&r->detail, "{\"file\":null}");
    } else if (status == MANDATE_OK) {
        hex_encode(r->mark, hash, SHA256_SIZE);
        buf_put_str(&r->detail, "{\"file\":");
        buf_put_json_string(&r->detail, mandate_slice_str(path));
        buf_printf(&r->detail, ",\"sha256\":\"%s\"", r->mark);
        if (text.len <= TEXT_MAX) {
            buf_put_str(&r->detail, ",\"text\":");
            buf_put_json_string(&r->detail, buf_slice(&text));
        }
        buf_put_char(&r->detail, '}');
    }
    buf_deinit(&text);
    return status == MANDATE_OK && r->detail.failed ? mandate_error_set(err, MANDATE_NOMEM, "no memory for an entry")
                                                    : status;
}

/* No mark at all reads as "none": a log that never knew a policy needs no entry that there is none. */
static bool is_marked(const recording *r, store *st)
{
    buf last;
    buf_init(&last);
    mandate_status status = store_audit_mark(st, &last, NULL);
    bool same = status == MANDATE_NOT_FOUND ? strcmp(r->mark, none) == 0
                                            : status == MANDATE_OK && mandate_slice_is(buf_slice(&last), r->mark);
    buf_deinit(&last);
    return same;
}

void policy_record(store *st, queue *q, const char *path)
{
    mandate_error err;
    recording *r = calloc(1, sizeof(*r));
    if (!r) {
        log_write(LOG_ERROR, "policy", "no memory to record which policy is in effect");
        return;
    }
    r->store = st;
    buf_init(&r->detail);
    buf_init(&r->request.body);
    mandate_status status = describe(r, path, &err);
    if (status == MANDATE_OK && is_marked(r, st)) {
        recording_free(r);
        return;
    }
    r->request.kind = SERVICE_LOG;
    r->request.event = mandate_slice_str("policy_loaded");
    r->request.detail = buf_slice(&r->detail);
    r->request.done = recorded;
    r->request.ctx = r;
    if (status == MANDATE_OK && !queue_try_push(q, QUEUE_REQUESTS, &r->request))
        status = mandate_error_set(&err, MANDATE_UNAVAILABLE, "too many requests are waiting");
    if (status != MANDATE_OK) {
        log_write(LOG_ERROR, "policy", "which policy is in effect could not be recorded: %s", err.text);
        recording_free(r);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/* fake_service - one worker thread and two lists under one lock. */
#include "fake_service.h"

#include <inttypes.h>
#include <stdio.h>

#include "connectors/json/claims_json.h"

static const char *const kind_names[FAKE_KINDS] = {
    [SERVICE_ISSUE] = "issue",
    [SERVICE_DELEGATE] = "delegate",
    [SERVICE_AMEND] = "amend",
    [SERVICE_SPEND] = "spend",
    [SERVICE_UNSPEND] = "unspend",
    [SERVICE_REVOKE] = "revoke",
    [SERVICE_SUSPEND] = "suspend",
    [SERVICE_RESUME] = "resume",
    [SERVICE_RETURN] = "return",
    [SERVICE_WATCH] = "watch",
    [SERVICE_UNWATCH] = "unwatch",
    [SERVICE_LOG] = "log",
    [SERVICE_ASK] = "ask",
    [SERVICE_DECIDE] = "decide",
    [SERVICE_ASSERT] = "assert",
    [SERVICE_GET] = "get",
    [SERVICE_LIST] = "list",
    [SERVICE_EXPLAIN] = "explain",
    [SERVICE_TOKEN] = "token",
    [SERVICE_ENTITY] = "entity",
    [SERVICE_WATCH_GET] = "watch_get",
    [SERVICE_WATCH_LIST] = "watch_list",
    [SERVICE_AUDIT] = "audit",
    [SERVICE_BACKUP] = "backup",
    [SERVICE_AWAIT] = "await",
    [SERVICE_BACKTEST] = "backtest",
    [SERVICE_STATUS_LIST] = "status_list",
    [SERVICE_DECISION_GET] = "decision_get",
    [SERVICE_DECISION_LIST] = "decision_list",
};

static void put(buf *b, const char *name, mandate_slice text)
{
    if (text.len == 0)
        return;
    buf_printf(b, ",\"%s\":", name);
    buf_put_json_string(b, text);
}

static void answer(fake_service *f, service_request *r)
{
    pthread_mutex_lock(&f->lock);
    r->error = f->error;
    r->repeated = f->repeated;
    const char *body = f->bodies[r->kind];
    if (r->kind == SERVICE_ASK && r->error.status == MANDATE_OK)
        snprintf(r->decision, sizeof(r->decision), "d-aaaaaaaaaaaaaaaaaaaaaaaaaa");
    r->position = r->kind <= SERVICE_COMMAND_LAST ? 4711 : 0;
    pthread_mutex_unlock(&f->lock);
    if (r->error.status == MANDATE_OK && body) {
        buf_put_str(&r->body, body);
    } else if (r->error.status == MANDATE_OK) {
        buf_printf(&r->body, "{\"kind\":\"%s\"", kind_names[r->kind]);
        put(&r->body, "mandate", r->mandate);
        put(&r->body, "principal", r->principal);
        put(&r->body, "note", r->note);
        if (r->if_version)
            buf_printf(&r->body, ",\"if_version\":%" PRIu32, r->if_version);
        put(&r->body, "budget", r->budget);
        put(&r->body, "key", r->key);
        if (r->kind == SERVICE_SPEND) {
            buf_put_str(&r->body, ",\"amount\":");
            amount_put_json(&r->body, r->amount);
        }
        if (r->widen)
            buf_put_str(&r->body, ",\"widen\":true");
        if (r->cascade)
            buf_put_str(&r->body, ",\"cascade\":true");
        if (r->until_us)
            buf_printf(&r->body, ",\"until\":%" PRId64, r->until_us);
        if (r->kind == SERVICE_AUDIT)
            buf_printf(&r->body, ",\"what\":%d,\"index\":%" PRIu64 ",\"first\":%" PRIu64 ",\"size\":%" PRIu64,
                       (int)r->audit.what, r->audit.index, r->audit.first, r->audit.size);
        if (r->kind == SERVICE_STATUS_LIST)
            buf_printf(&r->body, ",\"list\":%" PRIu32, r->list);
        if (r->kind == SERVICE_BACKTEST)
            buf_printf(&r->body, ",\"count\":%u,\"first\":\"%.*s\"", r->backtest.count,
                       MANDATE_SLICE_ARG(r->backtest.mandates[0].id));
        put(&r->body, "from", r->backtest.from);
        put(&r->body, "to", r->backtest.to);
        put(&r->body, "path", r->audit.path);
        put(&r->body, "from", r->audit.from);
        put(&r->body, "txn", r->audit.txn);
        put(&r->body, "event", r->audit.event);
        put(&r->body, "agent", r->agent);
        put(&r->body, "parent", r->parent);
        put(&r->body, "type", r->type);
        put(&r->body, "id", r->id);
        put(&r->body, "after", r->after);
        put(&r->body, "condition", r->condition);
        if (r->kind == SERVICE_DECIDE)
            buf_printf(&r->body, ",\"permit\":%d,\"lasts_us\":%" PRId64, r->permit, r->lasts_us);
        if (r->kind == SERVICE_DECISION_LIST)
            buf_printf(&r->body, ",\"state\":\"%s\",\"limit\":%" PRIu32,
                       r->decision_state == DECISION_STATE_COUNT ? "any" : decision_state_name(r->decision_state), r->limit);
        if (r->kind == SERVICE_WATCH_LIST)
            buf_printf(&r->body, ",\"limit\":%" PRIu32, r->limit);
        if (r->kind == SERVICE_LIST)
            buf_printf(&r->body, ",\"state\":\"%s\",\"limit\":%" PRIu32, mandate_state_name(r->state), r->limit);
        if (r->claims) {
            buf_put_str(&r->body, ",\"claims\":");
            claims_to_json(&r->body, r->claims);
        }
        buf_put_char(&r->body, '}');
    }
    r->done(r);
}

static bool submit(void *ctx, service_request *r)
{
    fake_service *f = ctx;
    pthread_mutex_lock(&f->lock);
    fake_mode mode = f->mode;
    f->submits++;
    if (mode == FAKE_THREAD || mode == FAKE_HOLD) {
        service_request **list = mode == FAKE_HOLD ? &f->held : &f->queue;
        r->next = *list;
        *list = r;
        f->held_count += mode == FAKE_HOLD;
        pthread_cond_broadcast(&f->changed);
    }
    pthread_mutex_unlock(&f->lock);
    if (mode == FAKE_NOW)
        answer(f, r);
    return mode != FAKE_FULL;
}

static void *work(void *ctx)
{
    fake_service *f = ctx;
    pthread_mutex_lock(&f->lock);
    while (!f->stop || f->queue) {
        service_request *r = f->queue;
        if (!r) {
            pthread_cond_wait(&f->changed, &f->lock);
            continue;
        }
        f->queue = r->next;
        pthread_mutex_unlock(&f->lock);
        answer(f, r);
        pthread_mutex_lock(&f->lock);
    }
    pthread_mutex_unlock(&f->lock);
    return NULL;
}

static void check(void *ctx, const service_check *in, service_verdict *out)
{
    fake_service *f = ctx;
    buf b;
    buf_init(&b);
    buf_printf(&b, "%.*s|%.*s|%.*s|%.*s|%.*s|", MANDATE_SLICE_ARG(in->mandate), MANDATE_SLICE_ARG(in->subject_type),
               MANDATE_SLICE_ARG(in->subject_id), MANDATE_SLICE_ARG(in->action), MANDATE_SLICE_ARG(in->resource));
    cel_to_json(&b, in->params);
    pthread_mutex_lock(&f->lock);
    f->checks++;
    f->check_staleness_max_us = in->staleness_max_us;
    snprintf(f->checked, sizeof(f->checked), "%s", buf_cstr(&b));
    *out = f->verdict;
    pthread_mutex_unlock(&f->lock);
    buf_deinit(&b);
}

static bool decision(void *ctx, const uint8_t key[DECISION_KEY], service_decision *out)
{
    fake_service *f = ctx;
    memcpy(f->key, key, DECISION_KEY);
    *out = f->human;
    return f->human_known;
}

static bool reached(void *ctx, const service_position *p)
{
    const fake_service *f = ctx;
    return !p->topic.len && p->seq <= f->position;
}

static void kind(void *ctx, mandate_slice action, service_check_kind *out) { *out = ((fake_service *)ctx)->check_kind; }

static void freshness(void *ctx, const service_check *in, const service_verdict *verdict, service_freshness *out, buf *text)
{
    out->ok = ((fake_service *)ctx)->fresh;
    snprintf(out->why, sizeof(out->why), "crm lags 900 ms");
    buf_put_str(text, "{\"lag_ms\":900}");
}

mandate_status fake_log_in(void *ctx, service_login *in, mandate_error *err)
{
    fake_service *f = ctx;
    (void)err;
    f->logins++;
    in->who->until_us = 1000;
    return MANDATE_OK;
}

int64_t fake_now(void *ctx) { return ((fake_service *)ctx)->now_us; }

uint64_t fake_generation(void *ctx)
{
    (void)ctx;
    return 0;
}

static bool ready(void *ctx, buf *out)
{
    fake_service *f = ctx;
    buf_put_str(out, f->ready ? "{\"ready\":true}" : "{\"ready\":false,\"why\":\"recovering\"}");
    return f->ready;
}

static void metrics(void *ctx, buf *out) { buf_put_str(out, "mandated_fake 1\n"); }

static void connectors(void *ctx, buf *out)
{
    buf_put_str(out, "{\"connectors\":[{\"name\":\"crm\",\"state\":\"live\",\"partitions\":[{"
                     "\"topic\":\"crm.cdc\","
                     "\"partition\":0,\"offset\":42,\"lag_records\":3,\"lag_seconds\":1}]}]}");
}

static void audit_checkpoint(void *ctx, buf *out) { buf_put_str(out, "i.example/audit\n0\n"); }
static void audit_key(void *ctx, buf *out) { buf_put_str(out, "i.example/audit+00000000+AA=="); }
static void jwks(void *ctx, buf *out) { buf_put_str(out, "{\"keys\":[]}"); }

static mandate_status lint(void *ctx, const claims *c, mandate_slice principal, arena *a, buf *out, mandate_error *err)
{
    buf_printf(out, "{\"findings\":[],\"errors\":0,\"warnings\":0,\"notes\":0,\"of\":\"%.*s by %.*s\"}",
               MANDATE_SLICE_ARG(c->id), MANDATE_SLICE_ARG(c->issuer));
    return MANDATE_OK;
}

static mandate_status connector_clear(void *ctx, mandate_slice name, mandate_error *err)
{
    if (mandate_slice_is(name, "crm"))
        return MANDATE_OK;
    return mandate_error_set(err, MANDATE_NOT_FOUND, "no connector \"%.*s\"", MANDATE_SLICE_ARG(name));
}

static mandate_status connector_replay(void *ctx, mandate_slice name, mandate_slice from, mandate_error *err)
{
    if (!mandate_slice_is(name, "crm"))
        return mandate_error_set(err, MANDATE_NOT_FOUND, "no connector \"%.*s\"", MANDATE_SLICE_ARG(name));
    return mandate_slice_is(from, "beginning") ? MANDATE_OK : mandate_error_set(err, MANDATE_CONFLICT, "not now");
}

void fake_init(fake_service *f)
{
    *f = (fake_service){.port = {.submit = submit,
                                 .check = check,
                                 .decision = decision,
                                 .reached = reached,
                                 .kind = kind,
                                 .freshness = freshness,
                                 .ready = ready,
                                 .metrics = metrics,
                                 .connectors = connectors,
                                 .lint = lint,
                                 .jwks = jwks,
                                 .audit_checkpoint = audit_checkpoint,
                                 .audit_key = audit_key,
                                 .connector_clear = connector_clear,
                                 .connector_replay = connector_replay},
                        .ready = true,
                        .verdict = {.decision = true,
                                    .reason = "ok",
                                    .text = "permitted",
                                    .state = STATE_ACTIVE,
                                    .version = 3,
                                    .expires_at_us = INT64_C(1896109200000000),
                                    .as_of_us = INT64_C(1800000000000000),
                                    .seq = 77}};
    f->port.ctx = f;
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->changed, NULL);
    if (pthread_create(&f->worker, NULL, work, f) != 0)
        f->stop = true;
}

void fake_set_mode(fake_service *f, fake_mode mode)
{
    pthread_mutex_lock(&f->lock);
    f->mode = mode;
    pthread_mutex_unlock(&f->lock);
}

void fake_set_error(fake_service *f, mandate_status status, const char *text, uint32_t line, uint32_t column)
{
    pthread_mutex_lock(&f->lock);
    (void)mandate_error_set_at(&f->error, status, line, column, "%s", text);
    pthread_mutex_unlock(&f->lock);
}

void fake_await_held(fake_service *f, uint32_t count)
{
    pthread_mutex_lock(&f->lock);
    while (f->held_count < count)
        pthread_cond_wait(&f->changed, &f->lock);
    pthread_mutex_unlock(&f->lock);
}

void fake_release(fake_service *f)
{
    pthread_mutex_lock(&f->lock);
    service_request *held = f->held;
    f->held = NULL;
    f->held_count = 0;
    pthread_mutex_unlock(&f->lock);
    while (held) {
        service_request *next = held->next; /* answering frees it */
        answer(f, held);
        held = next;
    }
}

void fake_deinit(fake_service *f)
{
    fake_release(f);
    pthread_mutex_lock(&f->lock);
    f->stop = true;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
    pthread_join(f->worker, NULL);
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->lock);
}

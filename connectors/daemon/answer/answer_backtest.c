/* SPDX-License-Identifier: Apache-2.0 */
/* answer_backtest - see answer_backtest.h. */
#include "connectors/daemon/answer/answer_backtest.h"

#include "connectors/daemon/base/clock.h"
#include "connectors/kafka/revocation.h"
#include "engine/base/text.h"
#include "engine/base/vec.h"
#include "graph/backtest.h"

typedef struct one {
    mandate_slice id, refused; /* refused.ptr NULL: it was issued */
    mandate_state state;
    buf transitions;
} one;

typedef struct collecting {
    VEC(one) mandates;
    arena memory, decoded;
    const _Atomic bool *stopping;
    int64_t until_us; /* monotonic */
    mandate_status status;
    mandate_error *err;
} collecting;

static bool go_on(void *ctx)
{
    const collecting *c = ctx;
    return clock_monotonic_us() < c->until_us && !(c->stopping && atomic_load(c->stopping)) && c->status == MANDATE_OK;
}

static void fail(collecting *c)
{
    if (c->status == MANDATE_OK)
        c->status = mandate_error_set(c->err, MANDATE_NOMEM, "out of memory for a backtest");
}

static void issued(void *ctx, const engine_answer *answer)
{
    collecting *c = ctx;
    one m = {.id = arena_dup(&c->memory, answer->mandate), .state = answer->state};

    buf_init(&m.transitions);
    if (answer->error.status != MANDATE_OK)
        m.refused = arena_dup(&c->memory, mandate_slice_str(answer->error.text));
    if (!m.id.ptr || c->memory.failed || !VEC_PUSH(&c->mandates, m))
        fail(c);
}

/* Answers are told before the transitions of their step. */
static one *entry(collecting *c, mandate_slice id)
{
    for (uint32_t i = 0; i < c->mandates.len; i++)
        if (mandate_slice_eq(c->mandates.data[i].id, id))
            return &c->mandates.data[i];
    return NULL;
}

static void changed(void *ctx, mandate_slice encoded)
{
    collecting *c = ctx;
    transition t;
    transition_names names;

    arena_reset(&c->decoded);
    if (c->status != MANDATE_OK)
        return;
    c->status = transition_decode(&t, &names, &c->decoded, encoded, c->err);
    one *m = c->status == MANDATE_OK ? entry(c, t.mandate) : NULL;
    if (!m)
        return;
    m->state = t.state;
    if (m->transitions.len)
        buf_put_char(&m->transitions, ',');
    c->status = revocation_json(&m->transitions, &t, &names, c->err);
    if (m->transitions.failed)
        fail(c);
}

static void put_time(buf *b, const char *name, int64_t us)
{
    char text[TIME_TEXT_MAX];
    size_t n = time_format_us(text, us);

    buf_printf(b, "\"%s\":\"%.*s\",", name, (int)n, text);
}

static void put(buf *b, const collecting *c, const backtest_options *o, const backtest_outcome *outcome)
{
    buf_put_char(b, '{');
    put_time(b, "from", o->from_us);
    put_time(b, "to", o->to_us);
    put_time(b, "checked_until", outcome->checked_until_us);
    buf_printf(b, "\"complete\":%s,\"after_step\":%llu,\"steps\":%llu,\"inputs\":%llu,\"mandates\":[",
               outcome->complete ? "true" : "false", (unsigned long long)outcome->after_seq,
               (unsigned long long)outcome->steps, (unsigned long long)outcome->inputs);
    for (uint32_t i = 0; i < c->mandates.len; i++) {
        const one *m = &c->mandates.data[i];
        buf_put_str(b, i ? ",{\"id\":" : "{\"id\":");
        buf_put_json_string(b, m->id);
        if (m->refused.ptr) {
            buf_put_str(b, ",\"state\":null,\"refused\":");
            buf_put_json_string(b, m->refused);
        } else {
            buf_printf(b, ",\"state\":\"%s\",\"refused\":null", mandate_state_name(m->state));
        }
        buf_put_str(b, ",\"transitions\":[");
        buf_put_slice(b, buf_slice(&m->transitions));
        buf_put_str(b, "]}");
    }
    buf_put_str(b, "]}\n");
}

static mandate_status read_time(int64_t *out, const char *name, mandate_slice text, mandate_error *err)
{
    if (time_parse_us(text, out))
        return MANDATE_OK;
    return mandate_error_set(err, MANDATE_INVALID, "%s: \"%.*s\" is no time such as 2026-09-21T14:13:21Z", name,
                             (int)(text.len < 40 ? text.len : 40), text.ptr);
}

mandate_status answer_backtest(store *st, const char *issuer, const _Atomic bool *stopping, uint32_t ms_max,
                               service_request *r, mandate_error *err)
{
    collecting c = {
        .stopping = stopping, .until_us = ms_max ? clock_monotonic_us() + ms_max * INT64_C(1000) : INT64_MAX, .err = err};
    backtest_outcome outcome;
    backtest_options o = {.mandates = r->backtest.mandates,
                          .count = r->backtest.count,
                          .issuer = mandate_slice_str(issuer),
                          .to_us = clock_now_us(),
                          .go_on = go_on,
                          .issued = issued,
                          .changed = changed,
                          .ctx = &c};
    int64_t now_us = o.to_us;
    mandate_status status = read_time(&o.from_us, "from", r->backtest.from, err);

    if (status == MANDATE_OK && r->backtest.to.len)
        status = read_time(&o.to_us, "to", r->backtest.to, err);
    if (status == MANDATE_OK && o.to_us > now_us)
        status = mandate_error_set(err, MANDATE_INVALID, "to: what has not happened yet cannot be looked at");
    arena_init(&c.memory, 0);
    arena_init(&c.decoded, 0);
    if (status == MANDATE_OK)
        status = store_backtest(st, &o, &outcome, err);
    if (status == MANDATE_OK)
        status = c.status;
    if (status == MANDATE_OK)
        put(&r->body, &c, &o, &outcome);
    for (uint32_t i = 0; i < c.mandates.len; i++)
        buf_deinit(&c.mandates.data[i].transitions);
    VEC_FREE(&c.mandates);
    arena_deinit(&c.memory);
    arena_deinit(&c.decoded);
    return status;
}

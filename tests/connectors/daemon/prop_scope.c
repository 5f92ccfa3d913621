/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prop_scope - the daemon's check and the library's say the same: random chains of mandates, signed and verified as a chain, and held in the
 * view, are asked the same questions, as the body of an evaluation here and as its parts there.
 *
 * The view looks at the scope of the mandate that is asked about alone, the library at that of every mandate of the chain: where a chain
 * verifies they may not differ, or a child permits what its parent does not. A chain that does not verify would not have been issued.
 *
 *   prop_scope [WORLDS [SEED]]
 */
#include "connectors/daemon/view/view.h"
#include "connectors/http/authzen_int.h"
#include "connectors/json/claims_json.h"
#include "tests/connectors/token/issuer.h"

#include <setjmp.h>
#include <cmocka.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { CHAIN = 3, QUESTIONS = 40 };
static unsigned worlds = 1200;
static uint64_t seed = 20261201;
static issuer is;

static const char *const actions[] = {"'*'", "'pay.*'", "'pay.small'", "'pay.small','read'"}, *const asked_actions[] = {
                                                                                                  "pay.small", "pay.large",
                                                                                                  "read"};
static const char *const resources[] = {"'*'", "'acc/*'", "'acc/1'", "'acc/2','acc/1*'"}, *const asked_resources[] = {
                                                                                              "1", "12", "2"};
static const char *const names[] = {"action.soft", "action.a.b", "resource.region", "context.channel"};
/* What looks alike is not: kinds, numbers in other words, other cases. */
static const char *const values[] = {
    "true",       "false", "1", "0.5",  "-7",  "9007199254740991", "'1'",   "'true'",    "'eu'", "'EU'", "''",
    "'\xc3\xa9'", "1.0",   "0", "-0.0", "1e0", "'e\\u00e9'",       "1e300", "'\\u0000x'"};
enum { NAMES = sizeof(names) / sizeof(*names), VALUES = 16, ASKED_VALUES = 18 };

static uint64_t roll(uint64_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (seed >> 11) % n;
}

/* --- mandates ------------------------------------------------------------------------------------------------------ */
typedef struct chosen {
    unsigned action, resource, max; /* max: 0: no limit */
    uint32_t require[NAMES];        /* bits of values; 0: nothing is required */
} chosen;

/* As what it is delegated from, mostly a little less. */
static chosen narrower(const chosen *from)
{
    chosen c = *from;
    if (!roll(3))
        c.action = c.action < 2 ? c.action + 1 : c.action;
    if (!roll(3))
        c.resource = c.resource < 2 ? c.resource + 1 : c.resource;
    if (!roll(3))
        c.max = c.max ? 1 + (unsigned)roll(c.max) : (unsigned)roll(4);
    for (int i = 0; i < NAMES; i++) {
        const uint32_t some = 1 + (uint32_t)roll((1 << VALUES) - 1);
        if (!roll(3))
            c.require[i] = c.require[i] & some ? c.require[i] & some : c.require[i] ? c.require[i] : roll(2) ? some : 0;
        if (!roll(12))
            c.require[i] ^= 1U << roll(VALUES);
    }
    return c;
}

static void put_required(buf *b, const chosen *c)
{
    bool any = false;
    for (int i = NAMES - 1; i >= 0; i--) { /* in an order of its own */
        bool first = true;
        uint32_t seen = 0;
        for (int k = 0; k < VALUES && c->require[i]; k++) {
            /* 1, 1.0 and 1e0 are one value, and so are 0 and -0.0. */
            const uint32_t same = k == 2 || k == 12 || k == 15 ? 1 : k == 13 || k == 14 ? 2 : 0;
            if (!(c->require[i] >> k & 1) || (same && seen & same))
                continue;
            seen |= same;
            if (first)
                buf_printf(b, "%s'%s':[", any ? "," : ",'require':{", names[i]);
            buf_printf(b, "%s%s", first ? "" : ",", values[k]);
            first = false;
            any = true;
        }
        if (!first)
            buf_put_char(b, ']');
    }
    if (any)
        buf_put_char(b, '}');
}

static claims make_claims(const chosen *c, unsigned at)
{
    buf b;
    buf_init(&b);
    buf_printf(&b, "{'id':'m-%u','grantor':'g','agent':'a-%u','purpose':'p',", at, at);
    if (at)
        buf_printf(&b, "'parent':'m-%u',", at - 1);
    buf_printf(&b, "'scope':{'actions':[%s],'resources':[%s]", actions[c->action], resources[c->resource]);
    if (c->max)
        buf_printf(&b, ",'limits':{'n':%u}", c->max);
    put_required(&b, c);
    buf_printf(&b, "},'audience':['gateway'],'max_depth':%d,'expires_at':'2030-03-18T00:00:00Z'}", CHAIN - (int)at);
    claims out = issuer_claims(&is, buf_cstr(&b));
    buf_deinit(&b);
    return out;
}

static claims all[CHAIN];
static unsigned count;

static mandate_status load(void *ctx, arena *a, mandate_slice id, mandate_slice *out, mandate_error *err)
{
    (void)ctx;
    for (unsigned i = 0; i < count; i++)
        if (mandate_slice_eq(id, all[i].id)) {
            buf b;
            buf_init(&b);
            claims_encode(&b, &all[i]);
            *out = arena_dup(a, buf_slice(&b));
            buf_deinit(&b);
            return MANDATE_OK;
        }
    return mandate_error_set(err, MANDATE_NOT_FOUND, "no");
}

static view *make_view(void)
{
    const view_options options = {.claims_load = load};
    view *v = NULL;
    assert_int_equal(view_create(&v, &options, NULL), MANDATE_OK);
    view_begin(v, false);
    for (unsigned i = 0; i < count; i++) {
        const engine_mandate_view seen = {
            .id = all[i].id, .version = 1, .state = STATE_ACTIVE, .expires_at_us = all[i].expires_at_us};
        assert_int_equal(view_set(v, i, i ? i - 1 : UINT32_MAX, &seen, NULL), MANDATE_OK);
        assert_int_equal(view_give(v, i, all[i].agent, NULL), MANDATE_OK);
    }
    view_committed(v, 1, NOW_US, 0);
    return v;
}

/* NULL: one of its hops is wider. */
static mandate_verified *make_chain(void)
{
    mandate_slice tokens[CHAIN];
    mandate_verify_options o = MANDATE_VERIFY_OPTIONS_INIT;
    mandate_verified *m = NULL;
    mandate_error err = {0};
    for (unsigned i = 0; i < count; i++)
        tokens[i] = issuer_token(&is, TOKEN_EDDSA, &all[i], i ? &all[i - 1] : NULL);
    o.audience = mandate_slice_str("gateway");
    o.now_us = NOW_US;
    const mandate_status status = mandate_verify(&m, is.verifier, tokens, count, &o, &err);
    if (status && !strstr(err.text, "wider than its parent"))
        fail_msg("%s", err.text);
    return status ? NULL : m;
}

/* --- questions ----------------------------------------------------------------------------------------------------- */
static char *quoted(mandate_slice text)
{
    char *out = (char *)(uintptr_t)arena_printf(&is.memory, "%.*s%c", MANDATE_SLICE_ARG(text), 0).ptr;
    for (char *at = out; *at; at++)
        *at = *at == '\'' ? '"' : *at;
    return out;
}

typedef struct question {
    unsigned action, resource;
    const char *properties, *of_resource, *context; /* JSON; "" : nothing is said */
} question;

/* One that a mandate asks for, half of the time. */
static const char *some_value(int name)
{
    const uint32_t wanted = all[roll(count)].required_count ? 1 : 0;
    (void)name;
    return values[wanted && roll(2) ? roll(4) : roll(ASKED_VALUES)];
}

static question make_question(void)
{
    buf said[3];
    const char *const prefixes[] = {"action.", "resource.", "context."};
    question q = {.action = (unsigned)roll(3), .resource = (unsigned)roll(3)};
    const char **const out[] = {&q.properties, &q.of_resource, &q.context};
    for (int of = 0; of < 3; of++) {
        buf *b = &said[of];
        buf_init(b);
        buf_put_char(b, '{');
        if (of == 0 && roll(3))
            buf_printf(b, "'n':%u", (unsigned)roll(5));
        for (int i = 0; i < NAMES; i++)
            if (strncmp(names[i], prefixes[of], strlen(prefixes[of])) == 0 && roll(5))
                buf_printf(b, "%s'%s':%s", b->len > 1 ? "," : "", names[i] + strlen(prefixes[of]), some_value(i));
        buf_put_char(b, '}');
        *out[of] = b->len > 2 || roll(2) ? quoted(buf_slice(b)) : "";
        buf_deinit(b);
    }
    return q;
}

static bool view_says(view *v, const question *q, arena *a, service_verdict *out)
{
    authzen_question asked = {.check = {.params = cel_null()}};
    mandate_error err = {0};
    cel_value body;
    buf b;
    buf_init(&b);
    buf_printf(&b, "{\"subject\":{\"type\":\"agent\",\"id\":\"a-%u\"},\"action\":{\"name\":\"%s\"", count - 1,
               asked_actions[q->action]);
    if (*q->properties)
        buf_printf(&b, ",\"properties\":%s", q->properties);
    buf_printf(&b, "},\"resource\":{\"type\":\"acc\",\"id\":\"%s\"", asked_resources[q->resource]);
    if (*q->of_resource)
        buf_printf(&b, ",\"properties\":%s", q->of_resource);
    buf_put_char(&b, '}');
    if (*q->context)
        buf_printf(&b, ",\"context\":%s", q->context);
    buf_put_char(&b, '}');
    const bool read = json_value_parse(&body, a, buf_slice(&b), 0, &err) == MANDATE_OK &&
                      (authzen_read_plain(&asked, a, body) || authzen_read(&asked, a, body, cel_null(), &err) == MANDATE_OK);
    buf_deinit(&b);
    if (!read) {
        snprintf(out->text, sizeof(out->text), "%.200s", err.text);
        return false;
    }
    asked.check.mandate = all[count - 1].id;
    view_check(v, &asked.check, NOW_US, 0, out);
    return out->decision;
}

static void differ(const question *q, const service_verdict *out, const char *other)
{
    buf b;
    buf_init(&b);
    for (unsigned i = 0; i < count; i++) {
        claims_to_json(&b, &all[i]);
        buf_put_char(&b, '\n');
    }
    fail_msg("%s%s on acc/%s, %s %s %s:\nthe view: %s %s\nthe library: %s", buf_cstr(&b), asked_actions[q->action],
             asked_resources[q->resource], q->properties, q->of_resource, q->context, out->decision ? "yes" : "no",
             out->text, other);
}

static void test_scope__the_view_and_the_library_answer_alike(void **state)
{
    unsigned yes = 0, no = 0, refused = 0, by_require = 0;
    (void)state;
    issuer_init(&is);
    for (unsigned w = 0; w < worlds; w++) {
        chosen c = {(unsigned)roll(2), (unsigned)roll(2), (unsigned)roll(3) * 2, {0}};
        for (int i = 0; i < NAMES; i++)
            c.require[i] = roll(2) ? 0 : (uint32_t)roll(1 << VALUES);
        arena_reset(&is.memory);
        count = 1 + (unsigned)roll(CHAIN);
        for (unsigned i = 0; i < count; i++) {
            all[i] = make_claims(&c, i);
            c = narrower(&c);
        }
        mandate_verified *m = make_chain();
        refused += m == NULL;
        view *v = make_view();
        arena a;
        arena_init(&a, 0);
        for (int i = 0; m && i < QUESTIONS; i++) {
            arena_reset(&a);
            const question q = make_question();
            mandate_asked asked = MANDATE_ASKED_INIT;
            service_verdict out = {.decision = false};
            mandate_error err = {0};
            asked.action = mandate_slice_str(asked_actions[q.action]);
            asked.resource = arena_printf(&a, "acc/%s", asked_resources[q.resource]);
            asked.properties = mandate_slice_str(q.properties);
            asked.resource_properties = mandate_slice_str(q.of_resource);
            asked.context = mandate_slice_str(q.context);
            const bool there = mandate_verified_permits_asked(m, &asked, NOW_US, &err) == MANDATE_OK;
            const bool here = view_says(v, &q, &a, &out);
            if (here != there)
                differ(&q, &out, there ? "yes" : err.text);
            yes += here;
            no += !here;
            by_require += !here && strstr(out.text, "the mandate requires") != NULL;
        }
        mandate_verified_destroy(m);
        view_destroy(v);
        arena_deinit(&a);
    }
    issuer_deinit(&is);
    printf("%u yes, %u no (%u by what is required), %u chains not within\n", yes, no, by_require, refused);
    assert_true(yes > worlds && by_require > worlds && refused > worlds / 50 && refused < worlds / 2);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_scope__the_view_and_the_library_answer_alike)};
    if (argc > 1)
        worlds = (unsigned)strtoul(argv[1], NULL, 10);
    if (argc > 2)
        seed = strtoull(argv[2], NULL, 10) | 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

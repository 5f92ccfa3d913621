/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The AuthZEN certification scenario, core levels (Basic, Batch, Search, Discovery), against the view that the daemon answers from,
 * over HTTP; and that a search and a check agree: what is found evaluates to true, and nothing that mandates name is missing.
 *
 * The fixture's policy as mandates: alice may read and write record-1 (and read record-2), bob may read record-1. The Properties
 * levels are in authzen.py, against a daemon.
 */
#include "connectors/daemon/view/view.h"
#include "scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define S(text) MANDATE_SLICE_LIT(text)
#define T(text) mandate_slice_str(text)
#define FAR INT64_C(4000000000000000)
#define NOW INT64_C(1800000000000000)

/* --- a world of mandates ----------------------------------------------------------------------------------------- */
enum { ITEMS_MAX = 4, MANDATES_MAX = 400 };
typedef struct granted {
    char id[16], agent[24];
    mandate_slice actions[ITEMS_MAX], resources[ITEMS_MAX];
    uint32_t action_count, resource_count;
} granted;

typedef struct world {
    scene scene;
    view *view;
    granted mandates[MANDATES_MAX];
    uint32_t count;
} world;
static world *the_world;

static mandate_status load(void *ctx, arena *a, mandate_slice id, mandate_slice *out, mandate_error *err)
{
    const world *w = ctx;
    buf b;
    for (uint32_t i = 0; i < w->count; i++) {
        const granted *g = &w->mandates[i];
        if (!mandate_slice_is(id, g->id))
            continue;
        claims c = {.id = id,
                    .issuer = T("i"),
                    .grantor = T("g"),
                    .agent = mandate_slice_str(g->agent),
                    .purpose = T("p"),
                    .actions = g->actions,
                    .action_count = g->action_count,
                    .resources = g->resources,
                    .resource_count = g->resource_count,
                    .params = {.kind = CEL_NULL},
                    .targets = {.kind = CEL_NULL},
                    .expires_at_us = FAR};
        buf_init(&b);
        claims_encode(&b, &c);
        *out = arena_dup(a, buf_slice(&b));
        buf_deinit(&b);
        return MANDATE_OK;
    }
    return mandate_error_set(err, MANDATE_NOT_FOUND, "no");
}

static granted *grant(world *w, const char *agent)
{
    granted *g = &w->mandates[w->count];
    snprintf(g->id, sizeof(g->id), "m-%u", w->count);
    snprintf(g->agent, sizeof(g->agent), "%s", agent);
    engine_mandate_view m = {.id = mandate_slice_str(g->id), .version = 1, .state = STATE_ACTIVE, .expires_at_us = FAR};
    assert_int_equal(view_set(w->view, w->count, UINT32_MAX, &m, NULL), MANDATE_OK);
    assert_int_equal(view_give(w->view, w->count, mandate_slice_str(g->agent), NULL), MANDATE_OK);
    w->count++;
    return g;
}

static void check(void *ctx, const service_check *in, service_verdict *out)
{
    (void)ctx;
    view_check(the_world->view, in, NOW, 0, out);
}

static mandate_status search(void *ctx, const service_search *in, arena *a, service_found *out, mandate_error *err)
{
    (void)ctx;
    return view_search(the_world->view, in, NOW, 0, a, out, err);
}

static int setup(void **state)
{
    static const char *const types[] = {"user"};
    mandate_error err;
    world *w = the_world = calloc(1, sizeof(*w));
    scene *s = &w->scene;
    view_options options = {.claims_load = load, .claims_ctx = w};
    assert_int_equal(view_create(&w->view, &options, NULL), MANDATE_OK);
    snprintf(s->directory, sizeof(s->directory), "/tmp/mandate-http-XXXXXX");
    assert_non_null(mkdtemp(s->directory));
    snprintf(s->path, sizeof(s->path), "%s/socket", s->directory);
    fake_init(&s->fake);
    s->fake.port.check = check;
    s->fake.port.search = search;
    s->options = (http_options)HTTP_OPTIONS_INIT;
    s->options.socket_path = s->path;
    s->options.issuer = "https://issuer.test";
    s->options.drain_ms = 200;
    s->options.base_url = "https://pdp.example.com";
    s->options.subject_types = types;
    s->options.subject_type_count = 1;
    if (http_server_start(&s->server, &s->options, &s->fake.port, &err))
        fail_msg("%s", err.text);
    assert_true(peer_open_unix(&s->client, s->path));
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    world *w = *state;
    peer_close(&w->scene.client);
    http_server_stop(w->scene.server);
    fake_deinit(&w->scene.fake);
    rmdir(w->scene.directory);
    view_destroy(w->view);
    free(w);
    return 0;
}

static int setup_fixture(void **state)
{
    setup(state);
    world *w = *state;
    granted *g = grant(w, "alice");
    g->actions[0] = T("read");
    g->actions[1] = T("write");
    g->action_count = 2;
    g->resources[0] = T("record/record-1");
    g->resource_count = 1;
    g = grant(w, "alice");
    g->actions[0] = T("read");
    g->action_count = 1;
    g->resources[0] = T("record/record-2");
    g->resource_count = 1;
    g = grant(w, "bob");
    g->actions[0] = T("read");
    g->action_count = 1;
    g->resources[0] = T("record/record-1");
    g->resource_count = 1;
    view_committed(w->view, 1, NOW, 0);
    return 0;
}

static void post(world *w, int code, const char *what, const char *body)
{
    char target[64];
    snprintf(target, sizeof(target), "/access/v1/%s", what);
    scene_ask(&w->scene, code, "POST", target, "X-Request-ID: r-1\r\n", body);
    assert_contains(w->scene.reply.head, "\r\nX-Request-ID: r-1\r\n");
    assert_contains(w->scene.reply.head, code == 200 ? "Content-Type: application/json" : "Content-Type: text/plain");
}

static void assert_begins(const char *text, const char *with)
{
    if (strncmp(text, with, strlen(with)) != 0)
        fail_msg("%s does not begin with %s", text, with);
}

/* --- the scenario ----------------------------------------------------------------------------------------------------- */
#define ALICE "\"subject\":{\"type\":\"user\",\"id\":\"alice\"}"
#define BOB "\"subject\":{\"type\":\"user\",\"id\":\"bob\"}"
#define READ "\"action\":{\"name\":\"read\"}"
#define WRITE "\"action\":{\"name\":\"write\"}"
#define ONE "\"resource\":{\"type\":\"record\",\"id\":\"record-1\"}"
#define TWO "\"resource\":{\"type\":\"record\",\"id\":\"record-2\"}"

static void decision(world *w, const char *body, bool expected)
{
    post(w, 200, "evaluation", body);
    assert_memory_equal(w->scene.reply.body, expected ? "{\"decision\":true," : "{\"decision\":false", 17);
}

static void test_authzen_scenario__basic_core(void **state)
{
    static const char *const wrong[] = {"{" READ "," ONE "}",
                                        "{" ALICE "," ONE "}",
                                        "{" ALICE "," READ "}",
                                        "{\"subject\":{\"id\":\"alice\"}," READ "," ONE "}",
                                        "{\"subject\":{\"type\":\"user\"}," READ "," ONE "}",
                                        "{" ALICE ",\"action\":{}," ONE "}",
                                        "{" ALICE "," READ ",\"resource\":{\"id\":\"record-1\"}}",
                                        "{" ALICE "," READ ",\"resource\":{\"type\":\"record\"}}",
                                        "{\"subject\":",
                                        "",
                                        "{\"subject\":\"alice\"," READ "," ONE "}",
                                        "{" ALICE ",\"action\":{\"name\":123}," ONE "}"};
    world *w = *state;
    decision(w, "{" ALICE "," READ "," ONE "}", true);
    decision(w, "{" ALICE "," WRITE "," ONE "}", true);
    decision(w, "{" BOB "," READ "," ONE "}", true);
    decision(w, "{" BOB "," WRITE "," ONE "}", false);
    decision(w, "{" ALICE "," READ "," ONE ",\"context\":{\"time\":\"2025-06-27T18:03-07:00\",\"ip\":\"192.168.1.1\"}}",
             true);
    decision(w,
             "{\"subject\":{\"type\":\"user\",\"id\":\"alice\",\"properties\":{\"department\":\"Sales\"}},"
             "\"action\":{\"name\":\"read\",\"properties\":{\"method\":\"GET\"}},\"resource\":{\"type\":\"record\","
             "\"id\":\"record-1\",\"properties\":{\"status\":\"active\",\"owner\":\"bob\"}}}",
             true);
    decision(w, "{" ALICE "," READ "," ONE ",\"foo\":\"bar\",\"futureField\":{\"nested\":true}}", true);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        post(w, 400, "evaluation", wrong[i]);
    for (int i = 0; i < 5; i++) /* consecutive repetitions */
        decision(w, "{" ALICE "," READ "," ONE "}", true);
}

static void batch(world *w, const char *body, const char *expected)
{
    char got[16] = "";
    size_t n = 0;
    post(w, 200, "evaluations", body);
    assert_memory_equal(w->scene.reply.body, "{\"evaluations\":[", 16);
    for (const char *at = w->scene.reply.body; (at = strstr(at, "{\"decision\":")); at++)
        got[n++] = at[12];
    assert_string_equal(got, expected);
}

static void test_authzen_scenario__batch_core(void **state)
{
    world *w = *state;
    batch(w, "{" ALICE "," READ ",\"evaluations\":[{" ONE "},{" TWO "}]}", "tt");
    batch(w, "{" BOB "," ONE ",\"evaluations\":[{" READ "},{" WRITE "}]}", "tf");
    batch(w, "{\"evaluations\":[{" ALICE "," READ "," ONE "},{" BOB "," WRITE "," ONE "}]}", "tf");
    batch(w,
          "{" ALICE "," READ ",\"context\":{\"time\":\"x\"},\"evaluations\":[{" ONE "},{" TWO
          ",\"context\":{\"time\":\"y\"}}]}",
          "tt");
    batch(w, "{" ALICE "," READ ",\"evaluations\":[{" ONE "},{}]}", "tf");
    /* What an item's object lacks of what is required comes from the request's. */
    batch(w,
          "{" ALICE "," WRITE
          ",\"resource\":{\"type\":\"record\"},\"evaluations\":[{\"resource\":{\"id\":\"record-1\"}},{" TWO "}]}",
          "tf");
    post(w, 200, "evaluations", "{" ALICE "," READ "," ONE "}");
    assert_memory_equal(w->scene.reply.body, "{\"decision\":true,", 17);
    post(w, 200, "evaluations", "{" ALICE "," READ "," ONE ",\"evaluations\":[]}");
    assert_memory_equal(w->scene.reply.body, "{\"decision\":true,", 17);
}

#define USERS "\"subject\":{\"type\":\"user\"}"
#define RECORDS "\"resource\":{\"type\":\"record\"}"

static void test_authzen_scenario__search_core(void **state)
{
    world *w = *state;
    const char *body = w->scene.reply.body;
    post(w, 200, "search/subject", "{" USERS "," READ "," ONE ",\"context\":{\"time\":\"x\"}}");
    assert_contains(body, "{\"type\":\"user\",\"id\":\"alice\"}");
    assert_contains(body, "{\"type\":\"user\",\"id\":\"bob\"}");
    assert_contains(body, "\"page\":{\"next_token\":\"\",\"count\":2}");
    post(w, 200, "search/subject", "{" USERS "," WRITE "," ONE "}");
    assert_string_equal(body,
                        "{\"results\":[{\"type\":\"user\",\"id\":\"alice\"}],\"page\":{\"next_token\":\"\",\"count\":1}}\n");
    post(w, 200, "search/resource", "{" ALICE "," READ "," RECORDS "}");
    assert_begins(body,
                  "{\"results\":[{\"type\":\"record\",\"id\":\"record-1\"},{\"type\":\"record\",\"id\":\"record-2\"}]");
    post(w, 200, "search/action", "{" ALICE "," ONE ",\"context\":{}}");
    assert_begins(body, "{\"results\":[{\"name\":\"read\"},{\"name\":\"write\"}]");
    post(w, 200, "search/action", "{\"subject\":{\"type\":\"user\",\"id\":\"nonexistent-user\"}," ONE "}");
    assert_begins(body, "{\"results\":[],");
    post(w, 200, "search/subject", "{\"subject\":{\"type\":\"spaceship\"}," READ "," ONE "}");
    assert_begins(body, "{\"results\":[],");
    post(w, 200, "search/resource", "{" ALICE "," READ ",\"resource\":{\"type\":\"planet\"}}");
    assert_begins(body, "{\"results\":[],");
    post(w, 400, "search/subject", "{" USERS "," ONE "}");
    post(w, 400, "search/resource", "{" READ "," RECORDS "}");
    post(w, 400, "search/action", "{" ALICE "}");
    post(w, 400, "search/subject", "{" USERS "," READ "," RECORDS "}");
    post(w, 400, "search/resource", "{" USERS "," READ "," RECORDS "}");
}

static void test_authzen_scenario__search_pages(void **state)
{
    world *w = *state;
    char token[128], body[512];
    post(w, 200, "search/subject", "{" USERS "," READ "," ONE ",\"page\":{\"limit\":1}}");
    const char *at = strstr(w->scene.reply.body, "\"next_token\":\"") + 14;
    snprintf(token, sizeof(token), "%.*s", (int)strcspn(at, "\""), at);
    assert_int_not_equal(token[0], 0);
    assert_contains(w->scene.reply.body, "alice");
    snprintf(body, sizeof(body), "{" USERS "," READ "," ONE ",\"page\":{\"token\":\"%s\"}}", token);
    post(w, 200, "search/subject", body);
    assert_string_equal(w->scene.reply.body,
                        "{\"results\":[{\"type\":\"user\",\"id\":\"bob\"}],\"page\":{\"next_token\":\"\",\"count\":1}}\n");
    post(w, 400, "search/subject", "{" USERS "," READ "," ONE ",\"page\":{\"token\":\"!\"}}");
    post(w, 400, "search/subject", "{" USERS "," READ "," ONE ",\"page\":{\"token\":\"eHg\"}}");
    post(w, 400, "search/subject", "{" USERS "," READ "," ONE ",\"page\":{\"limit\":0}}");
}

static void test_authzen_scenario__discovery(void **state)
{
    world *w = *state;
    scene_ask(&w->scene, 200, "GET", "/.well-known/authzen-configuration", NULL, NULL);
    assert_string_equal(w->scene.reply.body,
                        "{\"policy_decision_point\":\"https://pdp.example.com\","
                        "\"access_evaluation_endpoint\":\"https://pdp.example.com/access/v1/evaluation\","
                        "\"access_evaluations_endpoint\":\"https://pdp.example.com/access/v1/evaluations\","
                        "\"search_subject_endpoint\":\"https://pdp.example.com/access/v1/search/subject\","
                        "\"search_resource_endpoint\":\"https://pdp.example.com/access/v1/search/resource\","
                        "\"search_action_endpoint\":\"https://pdp.example.com/access/v1/search/action\"}\n");
    assert_contains(w->scene.reply.head, "Content-Type: application/json");
}

/* --- a search and a check agree ---------------------------------------------------------------------------------------- */
static const mandate_slice actions[] = {S("read"), S("write"), S("pay"), S("pay.small"), S("pay.*"), S("*"), S("sign")};
static const mandate_slice resources[] = {S("record/1"), S("record/2"), S("record/1*"), S("record/*"),  S("rec*"),
                                          S("*"),        S("order/1"),  S("order/*"),   S("record/12"), S("recorder/1")};
#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static uint32_t below(uint32_t *random, uint32_t bound)
{
    *random = *random * 1664525 + 1013904223;
    return (*random >> 8) % bound;
}

static bool permits(world *w, mandate_slice agent, mandate_slice action, mandate_slice resource)
{
    service_check in = {.subject_id = agent, .action = action, .resource = resource, .params = cel_null()};
    service_verdict out;
    view_check(w->view, &in, NOW, 0, &out);
    return out.decision;
}

/* All pages of a search; each item must be permitted. */
static uint32_t search_all(world *w, service_search in, mandate_slice *out, arena *a)
{
    uint32_t count = 0;
    for (int page = 0; page < 1000; page++) {
        service_found found;
        assert_int_equal(view_search(w->view, &in, NOW, 0, a, &found, NULL), MANDATE_OK);
        for (uint32_t i = 0; i < found.count; i++) {
            mandate_slice item = found.items[i];
            mandate_slice resource = arena_printf(a, "%.*s/%.*s", MANDATE_SLICE_ARG(in.type), MANDATE_SLICE_ARG(item));
            assert_true(permits(w, in.kind == SEARCH_SUBJECT ? item : in.check.subject_id,
                                in.kind == SEARCH_ACTION ? item : in.check.action,
                                in.kind == SEARCH_RESOURCE ? resource : in.check.resource));
            out[count++] = item;
        }
        if (!found.next.len && !found.next_index)
            return count;
        in.after = found.next;
        in.after_index = found.next_index;
    }
    fail_msg("a search does not end");
    return 0;
}

static bool contains(const mandate_slice *items, uint32_t count, mandate_slice item)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < count; i++)
        n += mandate_slice_eq(items[i], item);
    assert_true(n < 2); /* each once */
    return n;
}

static void test_authzen_scenario__a_search_and_a_check_agree(void **state)
{
    world *w = *state;
    uint32_t random = 7, found_any = 0;
    arena a;
    arena_init(&a, 0);
    for (uint32_t i = 0; i < MANDATES_MAX; i++) {
        char agent[24];
        snprintf(agent, sizeof(agent), "agent-%u", below(&random, 120));
        granted *g = grant(w, agent);
        g->action_count = 1 + below(&random, 3);
        g->resource_count = 1 + below(&random, 3);
        for (uint32_t k = 0; k < g->action_count; k++)
            g->actions[k] = actions[below(&random, COUNT(actions))];
        for (uint32_t k = 0; k < g->resource_count; k++)
            g->resources[k] = resources[below(&random, COUNT(resources))];
    }
    view_committed(w->view, 1, NOW, 0);
    mandate_slice *items = calloc(MANDATES_MAX * ITEMS_MAX, sizeof(*items));
    assert_non_null(items);
    for (uint32_t round = 0; round < 60; round++) {
        arena_reset(&a);
        mandate_slice agent = arena_printf(&a, "agent-%u", below(&random, 120));
        service_search in = {
            .kind = SEARCH_SUBJECT,
            .limit = 1 + below(&random, 40),
            .check = {.action = actions[below(&random, 4)], .resource = resources[below(&random, 2)], .params = cel_null()}};
        uint32_t count = search_all(w, in, items, &a);
        found_any += count;
        for (uint32_t i = 0; i < 120; i++) {
            mandate_slice one = arena_printf(&a, "agent-%u", i);
            assert_int_equal(contains(items, count, one), permits(w, one, in.check.action, in.check.resource));
        }
        in.kind = SEARCH_ACTION;
        in.check.subject_id = agent;
        count = search_all(w, in, items, &a);
        for (uint32_t i = 0; i < COUNT(actions); i++) { /* every one that a mandate of the agent names */
            bool named = false;
            for (uint32_t m = 0; m < w->count; m++)
                for (uint32_t k = 0; k < w->mandates[m].action_count; k++)
                    named |= mandate_slice_is(agent, w->mandates[m].agent) &&
                             mandate_slice_eq(w->mandates[m].actions[k], actions[i]);
            assert_int_equal(contains(items, count, actions[i]), named && permits(w, agent, actions[i], in.check.resource));
        }
        in.kind = SEARCH_RESOURCE;
        in.type = T("record");
        count = search_all(w, in, items, &a);
        for (uint32_t i = 0; i < COUNT(resources); i++) {
            bool named = false, of_type = resources[i].len > 7 && memcmp(resources[i].ptr, "record/", 7) == 0;
            for (uint32_t m = 0; m < w->count && of_type; m++)
                for (uint32_t k = 0; k < w->mandates[m].resource_count; k++)
                    named |= mandate_slice_is(agent, w->mandates[m].agent) &&
                             mandate_slice_eq(w->mandates[m].resources[k], resources[i]);
            mandate_slice id = of_type ? mandate_slice_of(resources[i].ptr + 7, resources[i].len - 7) : T("");
            if (named && permits(w, agent, in.check.action, resources[i]))
                assert_true(contains(items, count, id));
        }
    }
    assert_true(found_any > 100);
    free(items);
    arena_deinit(&a);
}

/* Nobody is found, so nothing but the work ends a page: agents that hold as many mandates as a check looks through. */
static void test_authzen_scenario__a_page_of_a_search_looks_at_a_bounded_number_of_mandates(void **state)
{
    enum { AGENTS = 12, PAGE_LOOKED = 4096 };
    world *w = *state;
    service_found found;
    uint32_t seen = 0, pages = 0;
    arena a;

    arena_init(&a, 0);
    for (uint32_t i = 0; i < AGENTS * LIMIT_FOUND_MANDATES; i++) {
        char agent[24];
        snprintf(agent, sizeof(agent), "agent-%u", i / LIMIT_FOUND_MANDATES);
        granted *g = grant(w, agent);
        g->action_count = g->resource_count = 1;
        g->actions[0] = actions[0];
        g->resources[0] = resources[0];
    }
    view_committed(w->view, 1, NOW, 0);
    service_search in = {.kind = SEARCH_SUBJECT,
                         .limit = LIMIT_SEARCH,
                         .check = {.action = T("nobody.may"), .resource = resources[0], .params = cel_null()}};
    do {
        uint32_t from = in.after_index, looked = 0;
        assert_int_equal(view_search(w->view, &in, NOW, 0, &a, &found, NULL), MANDATE_OK);
        assert_int_equal(found.count, 0);
        uint32_t end = found.next_index ? found.next_index : AGENTS;
        assert_true(end > from && end <= AGENTS);
        for (uint32_t i = from; i < end; i++) {
            service_verdict out;
            service_check one = in.check;
            one.subject_id = arena_printf(&a, "agent-%u", i);
            view_check(w->view, &one, NOW, 0, &out);
            assert_true(out.looked >= LIMIT_FOUND_MANDATES);
            assert_true(looked < PAGE_LOOKED); /* before the last one */
            looked += out.looked;
        }
        seen += end - from;
        pages++;
        in.after_index = found.next_index;
    } while (found.next_index);
    assert_int_equal(seen, AGENTS);
    assert_true(pages > 1);
    arena_deinit(&a);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_authzen_scenario__##name, setup_fixture, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(basic_core),
        TEST(batch_core),
        TEST(search_core),
        TEST(search_pages),
        TEST(discovery),
        cmocka_unit_test_setup_teardown(test_authzen_scenario__a_search_and_a_check_agree, setup, teardown),
        cmocka_unit_test_setup_teardown(test_authzen_scenario__a_page_of_a_search_looks_at_a_bounded_number_of_mandates,
                                        setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

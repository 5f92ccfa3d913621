/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the server: connections, limits, deadlines, callers, starting and stopping. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "connectors/http/request.h"
#include "scene.h"

/* --- connections ------------------------------------------------------------------------------ */

static void test_http_server__one_connection_serves_many_requests_of_every_kind(void **state)
{
    scene *s = *state;
    for (int i = 0; i < 20; i++) {
        fake_set_mode(&s->fake, i % 2 ? FAKE_THREAD : FAKE_NOW);
        scene_ask(s, 200, "GET", "/v1/mandates/m-1", NULL, NULL);
        scene_ask(s, 200, "POST", "/v1/mandates/m-1/revoke", NULL, "{\"reason\":\"x\"}");
        scene_ask(s, 404, "GET", "/nowhere", NULL, NULL);
        scene_ask(s, 400, "POST", "/v1/mandates", NULL, "{");
        scene_ask(s, 200, "HEAD", "/healthz", NULL, NULL);
        scene_ask(s, 200, "GET", "/readyz", NULL, NULL);
    }
    scene_ask(s, 200, "GET", "/metrics", NULL, NULL);
    assert_contains(s->reply.body, "mandated_http_connections_total 1\n");
}

static void test_http_server__requests_sent_together_are_answered_in_order(void **state)
{
    scene *s = *state;
    fake_set_mode(&s->fake, FAKE_THREAD);
    assert_true(peer_send_text(&s->client, "GET /v1/mandates/one HTTP/1.1\r\nHost: x\r\n\r\n"
                                           "GET /v1/mandates/two HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_true(peer_read(&s->client, &s->reply, false));
    assert_contains(s->reply.body, "\"one\"");
    assert_true(peer_read(&s->client, &s->reply, false));
    assert_contains(s->reply.body, "\"two\"");
}

typedef struct crowd {
    pthread_t thread;
    const scene *scene;
    int number, wrong;
} crowd;

static void *crowd_run(void *ctx)
{
    crowd *c = ctx;
    peer *p = calloc(1, sizeof(*p));
    peer_reply *reply = calloc(1, sizeof(*reply));
    bool open = p && reply &&
                (c->number % 2 ? peer_open_unix(p, c->scene->path) : peer_open_tcp(p, http_server_port(c->scene->server)));
    c->wrong += !open;
    for (int i = 0; open && i < 50; i++) {
        char target[64], expected[80];
        snprintf(target, sizeof(target), "/v1/mandates/m-%d-%d", c->number, i);
        snprintf(expected, sizeof(expected), "{\"kind\":\"get\",\"mandate\":\"m-%d-%d\"}", c->number, i);
        if (!peer_ask(p, reply, "GET", target, NULL, NULL) || strcmp(reply->body, expected) != 0)
            c->wrong++;
    }
    if (open)
        peer_close(p);
    free(p);
    free(reply);
    return NULL;
}

static void test_http_server__concurrent_requests_get_their_own_answers(void **state)
{
    scene *s = *state;
    crowd crowds[8];
    fake_set_mode(&s->fake, FAKE_THREAD);
    for (int i = 0; i < 8; i++) {
        crowds[i] = (crowd){.scene = s, .number = i};
        assert_int_equal(pthread_create(&crowds[i].thread, NULL, crowd_run, &crowds[i]), 0);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(crowds[i].thread, NULL);
        assert_int_equal(crowds[i].wrong, 0);
    }
}

static void test_http_server__a_client_that_leaves_early_leaves_nothing_behind(void **state)
{
    static const char *const parts[] = {
        "",
        "GE",
        "GET /v1/mandates/m HTTP/1.1\r\n",
        "GET /v1/mandates/m HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST /v1/mandates HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
    };
    scene *s = *state;
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
        assert_true(peer_send_text(&s->client, parts[i]));
        peer_close(&s->client);
        assert_true(peer_open_unix(&s->client, s->path));
    }
    /* The last one may still be on its way out. */
    for (int i = 0; i < 1000; i++) {
        scene_ask(s, 200, "GET", "/metrics", NULL, NULL);
        if (strstr(s->reply.body, "mandated_http_requests_active 1\n"))
            return;
        usleep(1000);
    }
    fail_msg("requests stay active: %s", s->reply.body);
}

static void test_http_server__the_request_id_is_echoed_only_when_it_is_harmless(void **state)
{
    scene *s = *state;
    scene_ask(s, 404, "GET", "/nowhere", "X-Request-ID: a b~c\r\n", NULL);
    assert_contains(s->reply.head, "\r\nX-Request-ID: a b~c\r\n");
    scene_ask(s, 200, "GET", "/healthz", "X-Request-ID: caf\xC3\xA9\r\n", NULL);
    assert_null(strstr(s->reply.head, "X-Request-ID"));
    scene_ask(s, 200, "GET", "/healthz", NULL, NULL);
    assert_null(strstr(s->reply.head, "X-Request-ID"));
}

/* --- limits ----------------------------------------------------------------------------------- */

/* A revocation padded with spaces to exactly this size. */
static char *padded_body(size_t size)
{
    char *body = malloc(size + 1);
    assert_non_null(body);
    memset(body, ' ', size);
    memcpy(body, "{}", 2);
    body[size] = '\0';
    return body;
}

static void test_http_server__a_body_is_taken_up_to_its_limit(void **state)
{
    scene *s = *state;
    char *body = padded_body(LIMIT_HTTP_BODY);
    scene_ask(s, 200, "POST", "/v1/mandates/m/revoke", NULL, body);
    free(body);
    assert_int_equal(s->fake.submits, 1);
    /* Refused by its announcement alone. */
    assert_true(
        peer_send_text(&s->client, "POST /v1/mandates/m/revoke HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n"));
    assert_true(peer_read(&s->client, &s->reply, false));
    assert_int_equal(s->reply.code, 413);
    assert_int_equal(s->fake.submits, 1);
}

static void send_chunk(scene *s, const char *data, size_t size)
{
    char head[32];
    snprintf(head, sizeof(head), "%zx\r\n", size);
    assert_true(peer_send_text(&s->client, head));
    assert_true(peer_send(&s->client, data, size));
    assert_true(peer_send_text(&s->client, "\r\n"));
}

static void test_http_server__a_body_in_pieces_has_the_same_limit(void **state)
{
    scene *s = *state;
    char *body = padded_body(LIMIT_HTTP_BODY);
    for (int over = 0; over < 2; over++) {
        assert_true(peer_send_text(&s->client, "POST /v1/mandates/m/revoke HTTP/1.1\r\nHost: "
                                               "x\r\nTransfer-Encoding: chunked\r\n\r\n"));
        send_chunk(s, body, LIMIT_HTTP_BODY / 2);
        send_chunk(s, body + LIMIT_HTTP_BODY / 2, LIMIT_HTTP_BODY / 2);
        if (over)
            send_chunk(s, " ", 1);
        assert_true(peer_send_text(&s->client, "0\r\n\r\n"));
        assert_true(peer_read(&s->client, &s->reply, false));
        assert_int_equal(s->reply.code, over ? 413 : 200);
    }
    free(body);
    scene_ask(s, 200, "GET", "/healthz", NULL, NULL);
}

static uint64_t memory_of(scene *s)
{
    static const char name[] = "\nmandated_http_memory_bytes ";
    scene_ask(s, 200, "GET", "/metrics", NULL, NULL);
    const char *at = strstr(s->reply.body, name);
    assert_non_null(at);
    return strtoull(at + strlen(name), NULL, 10);
}

/* What was answered may still be on its way out. */
static void await_memory(scene *s, uint64_t bytes)
{
    for (int i = 0; i < 10000 && memory_of(s) != bytes; i++)
        usleep(1000);
    assert_int_equal(memory_of(s), bytes);
}

static void restart(scene *s, uint64_t memory_max)
{
    mandate_error err;
    peer_close(&s->client);
    http_server_stop(s->server);
    s->options.memory_max = memory_max;
    assert_int_equal(http_server_start(&s->server, &s->options, &s->fake.port, &err), MANDATE_OK);
    assert_true(peer_open_unix(&s->client, s->path));
}

static void send_large(peer *p, scene *s, const char *body)
{
    char head[128];
    snprintf(head, sizeof(head), "POST /v1/mandates/m/revoke HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n",
             strlen(body));
    assert_true(peer_open_unix(p, s->path));
    assert_true(peer_send_text(p, head));
    assert_true(peer_send_text(p, body));
}

static void test_http_server__requests_in_progress_hold_no_more_memory_than_they_may_together(void **state)
{
    scene *s = *state;
    char *body = padded_body(LIMIT_HTTP_BODY);
    peer other;
    fake_set_mode(&s->fake, FAKE_HOLD);
    send_large(&other, s, body);
    fake_await_held(&s->fake, 1);
    uint64_t held = memory_of(s);
    assert_true(held >= LIMIT_HTTP_BODY && held <= LIMIT_HTTP_BODY + HTTP_REQUEST_MEMORY);
    fake_release(&s->fake);
    assert_true(peer_read(&other, &s->reply, false));
    assert_int_equal(s->reply.code, 200);
    await_memory(s, 0);
    peer_close(&other);
    for (int over = 0; over < 2; over++) {
        restart(s, held - (uint64_t)over);
        send_large(&other, s, body);
        if (over) {
            assert_true(peer_read(&other, &s->reply, false));
            assert_int_equal(s->reply.code, 503);
            assert_contains(s->reply.body, "nothing was done");
        } else {
            fake_await_held(&s->fake, 1);
            assert_int_equal(memory_of(s), held);
            fake_release(&s->fake);
            assert_true(peer_read(&other, &s->reply, false));
            assert_int_equal(s->reply.code, 200);
        }
        peer_close(&other);
        await_memory(s, 0);
    }
    assert_int_equal(s->fake.submits, 2);
    fake_set_mode(&s->fake, FAKE_NOW);
    scene_ask(s, 200, "POST", "/v1/mandates/m/revoke", NULL, "{}"); /* a small one is always served */
    free(body);
}

static void test_http_server__a_body_beyond_the_memory_of_all_is_dropped_as_it_comes(void **state)
{
    scene *s = *state;
    char *body = padded_body(LIMIT_HTTP_BODY);
    restart(s, LIMIT_HTTP_BODY / 2);
    assert_true(
        peer_send_text(&s->client, "POST /v1/mandates/m/revoke HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"));
    send_chunk(s, body, LIMIT_HTTP_BODY - 1);
    send_chunk(s, body, 1);
    assert_true(peer_send_text(&s->client, "0\r\n\r\n"));
    assert_true(peer_read(&s->client, &s->reply, false));
    assert_int_equal(s->reply.code, 503);
    assert_contains(s->reply.body, "nothing was done");
    assert_int_equal(s->fake.submits, 0);
    await_memory(s, 0);
    scene_ask(s, 200, "POST", "/v1/mandates/m/revoke", NULL, "{}");
    free(body);
}

static void test_http_server__a_reply_beyond_the_memory_of_all_is_not_given(void **state)
{
    scene *s = *state;
    char *body = padded_body(LIMIT_HTTP_BODY);
    s->fake.bodies[SERVICE_GET] = body;
    scene_ask(s, 200, "GET", "/v1/mandates/m", NULL, NULL);
    await_memory(s, 0);
    restart(s, LIMIT_HTTP_BODY / 2);
    scene_ask(s, 503, "GET", "/v1/mandates/m", NULL, NULL);
    assert_contains(s->reply.body, "ask again");
    await_memory(s, 0);
    s->fake.bodies[SERVICE_GET] = NULL;
    scene_ask(s, 200, "GET", "/v1/mandates/m", NULL, NULL);
    free(body);
}

static void test_http_server__what_an_engine_holds_that_does_not_answer_is_counted_until_it_does(void **state)
{
    scene *s = *state;
    char *body = padded_body(LIMIT_HTTP_BODY);
    fake_set_mode(&s->fake, FAKE_HOLD);
    scene_ask(s, 503, "POST", "/v1/mandates/m-1/revoke", NULL, body);
    peer_close(&s->client);
    assert_true(peer_open_unix(&s->client, s->path));
    assert_true(memory_of(s) >= LIMIT_HTTP_BODY);
    fake_await_held(&s->fake, 1);
    fake_release(&s->fake);
    peer_close(&s->client); /* it may have been idle for too long */
    assert_true(peer_open_unix(&s->client, s->path));
    assert_int_equal(memory_of(s), 0);
    free(body);
}

static void test_http_server__long_headers_are_refused(void **state)
{
    scene *s = *state;
    char header[LIMIT_HTTP_HEADER + 16];
    memset(header, 'x', sizeof(header));
    memcpy(header, "X-A: ", 5);
    memcpy(header + LIMIT_HTTP_HEADER - 400, "\r\n", 3);
    scene_ask(s, 200, "GET", "/healthz", header, NULL);
    header[LIMIT_HTTP_HEADER - 400] = header[LIMIT_HTTP_HEADER - 399] = header[LIMIT_HTTP_HEADER - 398] = 'x';
    memcpy(header + LIMIT_HTTP_HEADER, "\r\n", 3);
    scene_ask(s, 431, "GET", "/healthz", header, NULL);
}

static void test_http_server__ambiguous_framing_is_refused(void **state)
{
    static const struct {
        const char *text;
        unsigned code;
    } heads[] = {
        {"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", 400},
        {"Content-Length: 2\r\nContent-Length: 3\r\n", 400},
        {"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400},
        {"Transfer-Encoding: gzip, chunked\r\n", 501},
        {"Transfer-Encoding: xchunked\r\n", 501},
        {"Content-Length: 2\r\nTransfer-Encoding: identity\r\n", 501},
    };
    scene *s = *state;
    for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
        char head[200];
        peer p;
        snprintf(head, sizeof(head), "POST /v1/mandates/m/revoke HTTP/1.1\r\nHost: x\r\n%s\r\n{}", heads[i].text);
        assert_true(peer_open_unix(&p, s->path));
        assert_true(peer_send_text(&p, head));
        assert_true(peer_read(&p, &s->reply, false));
        assert_int_equal(s->reply.code, heads[i].code);
        peer_close(&p);
    }
    assert_int_equal(s->fake.submits, 0);
}

/* What libmicrohttpd makes of these another reader would not: with a front end between, one of them reads what the other did not see. */
static void test_http_server__heads_that_readers_differ_about_are_refused(void **state)
{
    static const char begin[] = "POST /v1/mandates/m/revoke HTTP/1.1\r\n";
    static const char *const heads[] = {
        "Host: x\r\nContent-Length : 2\r\n", /* a blank before the colon */
        "Host: x\r\nTransfer-Encoding\t: chunked\r\n",
        "Host: x\r\nX-Mandate-Princi: root\r\n pal\r\nContent-Length: 2\r\n", /* folded: it would become the name's end */
        "Host: x\r\nContent-Length: 2\r\n\t\r\n",
        " Host: x\r\nHost: x\r\nContent-Length: 2\r\n",
        "Host: x\r\nX(Y): z\r\nContent-Length: 2\r\n",
        "Host: x\r\nHost: y\r\nContent-Length: 2\r\n",
    };
    scene *s = *state;
    for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++) {
        peer p;
        assert_true(peer_open_unix(&p, s->path));
        assert_true(peer_send_text(&p, begin));
        assert_true(peer_send_text(&p, heads[i]));
        assert_true(peer_send_text(&p, "\r\n{}"));
        if (!peer_read(&p, &s->reply, false) || s->reply.code != 400)
            fail_msg("%s: %d %s", heads[i], s->reply.code, s->reply.body);
        assert_true(peer_wait_closed(&p)); /* and nothing behind it is read */
        peer_close(&p);
    }
    assert_int_equal(s->fake.submits, 0);
}

static void test_http_server__a_target_with_a_null_byte_is_refused(void **state)
{
    static const char *const targets[] = {"/healthz", "/healthz?", "/v1/mandates?agent=a"};
    scene *s = *state;
    for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++) {
        peer p;
        assert_true(peer_open_unix(&p, s->path));
        assert_true(peer_send_text(&p, "GET "));
        assert_true(peer_send_text(&p, targets[i]));
        assert_true(peer_send(&p, "\0/more", 6));
        assert_true(peer_send_text(&p, " HTTP/1.1\r\nHost: x\r\n\r\n"));
        if (!peer_read(&p, &s->reply, false) || s->reply.code != 400)
            fail_msg("%s: %d %s", targets[i], s->reply.code, s->reply.body);
        peer_close(&p);
    }
}

static void test_http_server__hostile_targets_never_reach_the_service(void **state)
{
    static const char *const targets[] = {
        "/v1/mandates/%",
        "/v1/mandates/%2",
        "/v1/mandates/%zz",
        "/v1/mandates/a%00b",
        "/v1/mandates/%0d%0aX",
        "/v1/mandates/%ff",
        "/v1/mandates/%c0%af",
        "/v1/mandates/%ed%a0%80",
        "/v1/mandates/%7f",
        "http://x/v1/mandates",
        "*",
        "/v1/mandates?agent=%",
        "/v1/mandates?agent=%00",
        "/v1/mandates?%61gent=a&agent=b",
        "/v1/mandates/a\x01"
        "b",
        "/v1/mandates/\xC3\xA9",
    };
    scene *s = *state;
    for (size_t i = 0; i < sizeof(targets) / sizeof(*targets); i++) {
        /* libmicrohttpd may refuse some itself and close; either way: 400. */
        peer p;
        assert_true(peer_open_unix(&p, s->path));
        if (!peer_ask(&p, &s->reply, "GET", targets[i], NULL, NULL) || s->reply.code != 400)
            fail_msg("%s: %d %s", targets[i], s->reply.code, s->reply.body);
        peer_close(&p);
    }
    assert_int_equal(s->fake.submits, 0);
}

static void test_http_server__an_id_in_the_path_is_taken_up_to_its_limit(void **state)
{
    scene *s = *state;
    char target[LIMIT_ID + 32] = "/v1/mandates/";
    memset(target + 13, 'm', LIMIT_ID + 1);
    scene_ask(s, 400, "GET", target, NULL, NULL);
    assert_contains(s->reply.body, "\"status\":\"limit\"");
    target[13 + LIMIT_ID] = '\0';
    scene_ask(s, 200, "GET", target, NULL, NULL);
}

/* --- deadlines -------------------------------------------------------------------------------- */

/* One byte at a time keeps an inactivity timeout at bay for ever; the absolute deadline ends it. */
static bool trickle_is_cut(scene *s, const char *begin)
{
    peer *p = &s->client;
    if (!peer_send_text(p, begin))
        return true;
    for (int i = 0; i < 10000; i++) {
        if (!peer_send(p, "x", 1))
            return true;
        char byte;
        ssize_t n = recv(p->fd, &byte, 1, MSG_DONTWAIT);
        if (n == 0)
            return true;
        usleep(2000);
    }
    return false;
}

static void test_http_server__a_body_that_trickles_is_cut(void **state)
{
    assert_true(trickle_is_cut(*state, "POST /v1/mandates HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n{"));
}

static void test_http_server__headers_that_trickle_are_cut(void **state)
{
    assert_true(trickle_is_cut(*state, "GET /healthz HTTP/1.1\r\nX-Slow: "));
}

static void test_http_server__an_idle_connection_is_closed(void **state)
{
    scene *s = *state;
    assert_true(peer_wait_closed(&s->client));
}

static void test_http_server__an_engine_that_does_not_answer_gives_503_and_may_answer_later(void **state)
{
    scene *s = *state;
    fake_set_mode(&s->fake, FAKE_HOLD);
    scene_ask(s, 503, "POST", "/v1/mandates/m-1/revoke", NULL, "{\"reason\":\"held\"}");
    assert_contains(s->reply.body, "not known");
    fake_await_held(&s->fake, 1);
    fake_release(&s->fake); /* its memory is still there, and nobody is told */
    fake_set_mode(&s->fake, FAKE_NOW);
    if (!peer_ask(&s->client, &s->reply, "GET", "/metrics", NULL, NULL)) { /* idle meanwhile: cut */
        assert_true(peer_open_unix(&s->client, s->path));
        scene_ask(s, 200, "GET", "/metrics", NULL, NULL);
    }
    assert_contains(s->reply.body, "mandated_http_late_total 1\n");
}

/* --- callers ---------------------------------------------------------------------------------- */

static void test_http_identity__a_principal_may_be_named_on_the_socket_by_its_own_user(void **state)
{
    scene *s = *state;
    char long_name[LIMIT_ID + 64] = "X-Mandate-Principal: ";
    scene_ask(s, 200, "POST", "/v1/mandates/m/revoke", "X-Mandate-Principal: user:cfo\r\n", NULL);
    assert_contains(s->reply.body, "\"principal\":\"user:cfo\"");
    memset(long_name + 21, 'n', LIMIT_ID + 1);
    memcpy(long_name + 21 + LIMIT_ID + 1, "\r\n", 3);
    scene_ask(s, 400, "POST", "/v1/mandates/m/revoke", long_name, NULL);
    scene_ask(s, 400, "POST", "/v1/mandates/m/revoke", "X-Mandate-Principal: \xff\r\n", NULL);
}

static void use_tcp(scene *s)
{
    peer_close(&s->client);
    assert_true(peer_open_tcp(&s->client, http_server_port(s->server)));
}

static void test_http_identity__who_asks_is_found_out_again_when_it_is_over_by_the_services_clock(void **state)
{
    scene *s = *state;
    service port = s->fake.port;
    mandate_error err;
    peer_close(&s->client);
    http_server_stop(s->server);
    port.login = fake_log_in;
    port.generation = fake_generation;
    port.now_us = fake_now;
    assert_int_equal(http_server_start(&s->server, &s->options, &port, &err), MANDATE_OK);
    assert_true(peer_open_unix(&s->client, s->path));
    s->fake.now_us = 999;
    for (int i = 0; i < 3; i++)
        scene_ask(s, 200, "GET", "/v1/mandates/m", NULL, NULL);
    assert_int_equal(s->fake.logins, 1);
    s->fake.now_us = 1000;
    scene_ask(s, 200, "GET", "/v1/mandates/m", NULL, NULL);
    assert_int_equal(s->fake.logins, 2);
}

static void test_http_identity__over_tcp_everyone_is_anonymous(void **state)
{
    scene *s = *state;
    use_tcp(s);
    scene_ask(s, 200, "POST", "/v1/mandates/m/revoke", NULL, "{}");
    assert_contains(s->reply.body, "\"principal\":\"anonymous@loopback\"");
    scene_ask(s, 403, "POST", "/v1/mandates/m/revoke", "X-Mandate-Principal: user:cfo\r\n", "{}");
    scene_ask(s, 403, "POST", "/v1/connectors/crm/clear", "X-Mandate-Principal: user:cfo\r\n", "{}");
}

static int raw_code(scene *s, const char *request)
{
    peer p;
    assert_true(peer_open_tcp(&p, http_server_port(s->server)));
    assert_true(peer_send_text(&p, request));
    assert_true(peer_read(&p, &s->reply, false));
    peer_close(&p);
    return s->reply.code;
}

static void test_http_server__over_tcp_web_pages_are_kept_out(void **state)
{
    scene *s = *state;
    assert_int_equal(raw_code(s, "GET /v1/mandates HTTP/1.1\r\nHost: evil.example\r\n\r\n"), 403);
    assert_int_equal(raw_code(s, "GET /v1/mandates HTTP/1.1\r\nHost: 127.0.0.1.evil.example:80\r\n\r\n"), 403);
    assert_int_equal(raw_code(s, "POST /v1/mandates/m/revoke HTTP/1.1\r\nHost: "
                                 "localhost\r\nOrigin: https://evil.example\r\n"
                                 "Content-Length: 0\r\n\r\n"),
                     403);
    assert_int_equal(raw_code(s, "POST /v1/mandates/m/revoke HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n"
                                 "Content-Length: 2\r\n\r\n{}"),
                     415);
    assert_int_equal(s->fake.submits, 0);
    assert_int_equal(raw_code(s, "GET /v1/mandates HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n"), 200);
    assert_int_equal(raw_code(s, "GET /v1/mandates HTTP/1.1\r\nHost: [::1]:8080\r\n\r\n"), 200);
}

/* --- starting and stopping -------------------------------------------------------------------- */

static void test_http_server__only_loopback_is_listened_on(void **state)
{
    static const char *const hosts[] = {"0.0.0.0", "192.168.1.1", "::", "example.com", "128.0.0.1"};
    scene *s = *state;
    for (size_t i = 0; i < sizeof(hosts) / sizeof(*hosts); i++) {
        mandate_error err;
        http_server *other = NULL;
        http_options o = s->options;
        o.socket_path = NULL;
        o.tcp_host = hosts[i];
        assert_int_equal(http_server_start(&other, &o, &s->fake.port, &err), MANDATE_DENIED);
        assert_contains(err.text, hosts[i]);
    }
}

static void test_http_server__the_socket_has_its_mode_and_one_owner(void **state)
{
    scene *s = *state;
    struct stat st;
    mandate_error err;
    http_server *other = NULL;
    assert_int_equal(stat(s->path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0660);
    assert_int_equal(http_server_start(&other, &s->options, &s->fake.port, &err), MANDATE_CONFLICT);
    assert_contains(err.text, "another process is listening");
    scene_ask(s, 200, "GET", "/healthz", NULL, NULL);
    http_server_stop(s->server);
    s->server = NULL;
    assert_int_not_equal(stat(s->path, &st), 0);
}

static void test_http_server__a_stale_socket_is_replaced_and_a_file_is_not(void **state)
{
    scene *s = *state;
    char path[sizeof(s->directory) + 8];
    mandate_error err;
    http_options o = s->options;
    http_server *other = NULL;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(path, sizeof(path), "%s/other", s->directory);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    o.socket_path = path;
    o.tcp = false;

    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fclose(file);
    assert_int_equal(http_server_start(&other, &o, &s->fake.port, &err), MANDATE_CONFLICT);
    assert_int_equal(unlink(path), 0);

    int fd = socket(AF_UNIX, SOCK_STREAM, 0); /* bound and gone, as a crash leaves it */
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
    assert_int_equal(http_server_start(&other, &o, &s->fake.port, &err), MANDATE_OK);
    assert_int_equal(http_server_port(other), 0);
    http_server_stop(other);
}

static void test_http_server__bad_options_are_refused(void **state)
{
    scene *s = *state;
    mandate_error err;
    http_server *other = NULL;
    http_options o = s->options;
    char path[200];
    memset(path, 'p', sizeof(path));
    path[199] = '\0';
    o.issuer = "";
    assert_int_equal(http_server_start(&other, &o, &s->fake.port, &err), MANDATE_INVALID);
    o = s->options;
    o.version = 0;
    assert_int_equal(http_server_start(&other, &o, &s->fake.port, &err), MANDATE_INVALID);
    o = s->options;
    o.socket_path = NULL;
    o.tcp = false;
    assert_int_equal(http_server_start(&other, &o, &s->fake.port, &err), MANDATE_INVALID);
    o = s->options;
    o.tcp = false;
    o.socket_path = path;
    assert_int_equal(http_server_start(&other, &o, &s->fake.port, &err), MANDATE_LIMIT);
    assert_null(other);
}

static void *stop_server(void *ctx)
{
    http_server_stop(ctx);
    return NULL;
}

static void test_http_server__stopping_answers_who_waits_and_survives_the_late_answer(void **state)
{
    scene *s = *state;
    peer second;
    fake_set_mode(&s->fake, FAKE_HOLD);
    assert_true(peer_open_tcp(&second, http_server_port(s->server)));
    assert_true(peer_send_text(&s->client, "GET /v1/mandates/m HTTP/1.1\r\nHost: x\r\n\r\n"));
    assert_true(peer_send_text(&second, "GET /v1/mandates/m HTTP/1.1\r\nHost: localhost\r\n\r\n"));
    fake_await_held(&s->fake, 2);
    http_server_stop(s->server);
    s->server = NULL;
    assert_true(peer_read(&s->client, &s->reply, false));
    assert_int_equal(s->reply.code, 503);
    assert_contains(s->reply.body, "\"status\":\"shutdown\"");
    assert_true(peer_read(&second, &s->reply, false));
    assert_int_equal(s->reply.code, 503);
    assert_true(peer_wait_closed(&s->client));
    peer_close(&second);
    fake_release(&s->fake); /* the server is gone, the requests are not */
}

static void test_http_server__stopping_waits_for_answers_that_come(void **state)
{
    scene *s = *state;
    pthread_t stopper;
    fake_set_mode(&s->fake, FAKE_HOLD);
    assert_true(peer_send_text(&s->client, "GET /v1/mandates/m HTTP/1.1\r\nHost: x\r\n\r\n"));
    fake_await_held(&s->fake, 1);
    assert_int_equal(pthread_create(&stopper, NULL, stop_server, s->server), 0);
    s->server = NULL;
    fake_release(&s->fake);
    pthread_join(stopper, NULL);
    assert_true(peer_read(&s->client, &s->reply, false));
    assert_int_equal(s->reply.code, 200);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)
#define HASTY(name) cmocka_unit_test_setup_teardown(name, scene_setup_hasty, scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_http_server__one_connection_serves_many_requests_of_every_kind),
        TEST(test_http_server__requests_sent_together_are_answered_in_order),
        TEST(test_http_server__concurrent_requests_get_their_own_answers),
        TEST(test_http_server__a_client_that_leaves_early_leaves_nothing_behind),
        TEST(test_http_server__the_request_id_is_echoed_only_when_it_is_harmless),
        TEST(test_http_server__a_body_is_taken_up_to_its_limit),
        TEST(test_http_server__a_body_in_pieces_has_the_same_limit),
        TEST(test_http_server__requests_in_progress_hold_no_more_memory_than_they_may_together),
        TEST(test_http_server__a_body_beyond_the_memory_of_all_is_dropped_as_it_comes),
        TEST(test_http_server__a_reply_beyond_the_memory_of_all_is_not_given),
        HASTY(test_http_server__what_an_engine_holds_that_does_not_answer_is_counted_until_it_does),
        TEST(test_http_server__long_headers_are_refused),
        TEST(test_http_server__ambiguous_framing_is_refused),
        TEST(test_http_server__heads_that_readers_differ_about_are_refused),
        TEST(test_http_server__a_target_with_a_null_byte_is_refused),
        TEST(test_http_server__hostile_targets_never_reach_the_service),
        TEST(test_http_server__an_id_in_the_path_is_taken_up_to_its_limit),
        HASTY(test_http_server__a_body_that_trickles_is_cut),
        HASTY(test_http_server__headers_that_trickle_are_cut),
        HASTY(test_http_server__an_idle_connection_is_closed),
        cmocka_unit_test_setup_teardown(test_http_server__an_engine_that_does_not_answer_gives_503_and_may_answer_later,
                                        scene_setup_short, scene_teardown),
        TEST(test_http_identity__a_principal_may_be_named_on_the_socket_by_its_own_user),
        TEST(test_http_identity__who_asks_is_found_out_again_when_it_is_over_by_the_services_clock),
        TEST(test_http_identity__over_tcp_everyone_is_anonymous),
        TEST(test_http_server__over_tcp_web_pages_are_kept_out),
        TEST(test_http_server__only_loopback_is_listened_on),
        TEST(test_http_server__the_socket_has_its_mode_and_one_owner),
        TEST(test_http_server__a_stale_socket_is_replaced_and_a_file_is_not),
        TEST(test_http_server__bad_options_are_refused),
        TEST(test_http_server__stopping_answers_who_waits_and_survives_the_late_answer),
        cmocka_unit_test_setup_teardown(test_http_server__stopping_waits_for_answers_that_come, scene_setup_patient,
                                        scene_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

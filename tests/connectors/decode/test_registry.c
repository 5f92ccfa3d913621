/* SPDX-License-Identifier: Apache-2.0 */
/* The registry client against a small HTTP server that misbehaves on demand. */
#include "support.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <pthread.h>

#include "connectors/decode/registry.h"

/* --- a registry
 * ----------------------------------------------------------------------------------- */

typedef struct answer {
    const char *path;
    unsigned code; /* 0: never answers */
    const char *body;
    const char *header, *header_value;
} answer;

typedef struct server {
    struct MHD_Daemon *daemon;
    const answer *answers; /* up to path NULL */
    pthread_mutex_t lock;
    uint32_t requests;
    struct MHD_Connection *silent;
    bool stopping;
    uint32_t missing; /* so many first requests are answered 404 / 40403 */
    char last_path[256], last_method[8], last_auth[128], last_body[512];
    char url[64];
} server;

static const char *const not_found = "{\"error_code\":40403,\"message\":\"Schema not found\"}";

static const answer *find_answer(server *s, const char *path)
{
    for (const answer *a = s->answers; a->path; a++)
        if (strcmp(a->path, path) == 0)
            return a;
    return NULL;
}

static enum MHD_Result reply(struct MHD_Connection *c, unsigned code, const char *body, const answer *a)
{
    struct MHD_Response *r = MHD_create_response_from_buffer(strlen(body), (void *)(uintptr_t)body, MHD_RESPMEM_MUST_COPY);
    if (a && a->header)
        MHD_add_response_header(r, a->header, a->header_value);
    enum MHD_Result result = MHD_queue_response(c, code, r);
    MHD_destroy_response(r);
    return result;
}

static enum MHD_Result handle(void *ctx, struct MHD_Connection *c, const char *path, const char *method, const char *version,
                              const char *upload, size_t *upload_size, void **state)
{
    static int seen;
    server *s = ctx;
    (void)version;
    if (!*state) {
        *state = &seen;
        return MHD_YES;
    }
    pthread_mutex_lock(&s->lock);
    if (*upload_size) {
        snprintf(s->last_body, sizeof s->last_body, "%.*s", (int)*upload_size, upload);
        *upload_size = 0;
        pthread_mutex_unlock(&s->lock);
        return MHD_YES;
    }
    const char *auth = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Authorization");
    const answer *a = find_answer(s, path);
    bool missing = s->missing > 0;
    s->requests++;
    s->missing -= missing;
    snprintf(s->last_path, sizeof s->last_path, "%s", path);
    snprintf(s->last_method, sizeof s->last_method, "%s", method);
    snprintf(s->last_auth, sizeof s->last_auth, "%s", auth ? auth : "");
    pthread_mutex_unlock(&s->lock);
    if (s->stopping)
        return MHD_NO;
    if (a && a->code == 0) {
        pthread_mutex_lock(&s->lock);
        s->silent = c; /* resumed by stop_server */
        MHD_suspend_connection(c);
        pthread_mutex_unlock(&s->lock);
        return MHD_YES;
    }
    if (missing || !a)
        return reply(c, 404, not_found, NULL);
    return reply(c, a->code, a->body, a);
}

static void start_server(server *s, const answer *answers)
{
    struct sockaddr_in loopback = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    *s = (server){.answers = answers};
    pthread_mutex_init(&s->lock, NULL);
    s->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle, s,
                                 MHD_OPTION_SOCK_ADDR, &loopback, MHD_OPTION_END);
    assert_non_null(s->daemon);
    snprintf(s->url, sizeof s->url, "http://127.0.0.1:%u", MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
}

static void stop_server(server *s)
{
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    if (s->silent)
        MHD_resume_connection(s->silent);
    pthread_mutex_unlock(&s->lock);
    if (s->daemon)
        MHD_stop_daemon(s->daemon);
    s->daemon = NULL;
    pthread_mutex_destroy(&s->lock);
}

static uint32_t requests(server *s)
{
    pthread_mutex_lock(&s->lock);
    uint32_t n = s->requests;
    pthread_mutex_unlock(&s->lock);
    return n;
}

/* --- a cache: one hundred small files
 * ----------------------------------------------------------------- */

typedef struct cache {
    buf keys[100], values[100];
    uint32_t count, gets, puts;
} cache;

static mandate_status cache_get(void *ctx, mandate_slice key, buf *out, mandate_error *err)
{
    cache *c = ctx;
    c->gets++;
    for (uint32_t i = 0; i < c->count; i++)
        if (mandate_slice_eq(buf_slice(&c->keys[i]), key)) {
            buf_put_slice(out, buf_slice(&c->values[i]));
            return MANDATE_OK;
        }
    return mandate_error_set(err, MANDATE_NOT_FOUND, "not cached");
}

static mandate_status cache_put(void *ctx, mandate_slice key, mandate_slice value, mandate_error *err)
{
    cache *c = ctx;
    (void)err;
    c->puts++;
    assert_true(c->count < 100);
    buf_init(&c->keys[c->count]);
    buf_init(&c->values[c->count]);
    buf_put_slice(&c->keys[c->count], key);
    buf_put_slice(&c->values[c->count++], value);
    return MANDATE_OK;
}

static void cache_clear(cache *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        buf_deinit(&c->keys[i]);
        buf_deinit(&c->values[i]);
    }
}

/* --- tests
 * ---------------------------------------------------------------------------------------------- */

static registry *client_of(const char *const *urls, uint32_t count, cache *c)
{
    registry *r;
    mandate_error err;
    registry_options options = {.urls = urls, .url_count = count, .timeout_ms = 20000, .retries = 2};
    if (c)
        options.cache = (registry_cache){c, cache_get, cache_put};
    assert_ok(registry_create(&r, &options, &err), &err);
    return r;
}

static registry *client(server *s, cache *c)
{
    const char *urls[] = {s->url};
    return client_of(urls, 1, c);
}

static const answer plain[] = {
    {"/schemas/ids/7", 200, "{\"schema\":\"\\\"string\\\"\"}", 0, 0},
    {"/schemas/ids/8", 200, "{\"schemaType\":\"JSON\",\"schema\":\"{}\"}", 0, 0},
    {"/schemas/ids/9", 200, "{\"schema\":\"\\\"nosuchtype\\\"\"}", 0, 0},
    {"/schemas/guids/30313233-3435-3637-3839-616263646566", 200, "{\"schemaType\":\"AVRO\",\"schema\":\"\\\"int\\\"\"}", 0,
     0},
    {"/schemas/ids/20", 500, "{\"error_code\":50001,\"message\":\"store\"}", 0, 0},
    {"/schemas/ids/21", 200, "<html>welcome</html>", 0, 0},
    {"/schemas/ids/22", 404, "<html>nothing here</html>", 0, 0},
    {"/schemas/ids/23", 401, "{\"error_code\":401,\"message\":\"who are you\"}", 0, 0},
    {"/schemas/ids/24", 302, "", "Location", "file:///etc/hostname"},
    {"/schemas/ids/25", 200, "{\"subject\":\"x\"}", 0, 0},
    {"/schemas/ids/26", 0, NULL, 0, 0},
    {"/schemas/ids/30", 200,
     "{\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"B\\\",\\\"fields\\\":[{"
     "\\\"name\\\":\\\"a\\\",\\\"type\\\":\\\"A\\\"},{\\\"name\\\":\\\"e\\\",\\\"type\\\":"
     "\\\"E\\\"}]}\",\"references\":[{\"name\":\"A\",\"subject\":\"a/b "
     "c\",\"version\":3},{\"name\":\"E\",\"subject\":\"e\",\"version\":1}]}",
     0, 0},
    {"/subjects/a/b c/versions/3", 200,
     "{\"id\":5,\"schema\":\"{\\\"type\\\":\\\"record\\\",\\\"name\\\":\\\"A\\\",\\\"fields\\\":[{"
     "\\\"name\\\":\\\"e\\\",\\\"type\\\":\\\"E\\\"}]}\",\"references\":[{\"name\":\"E\","
     "\"subject\":\"e\",\"version\":1}]}",
     0, 0},
    {"/subjects/e/versions/1", 200,
     "{\"id\":4,\"schema\":\"{\\\"type\\\":\\\"enum\\\",\\\"name\\\":\\\"E\\\",\\\"symbols\\\":["
     "\\\"X\\\"]}\"}",
     0, 0},
    {"/schemas/ids/31", 200,
     "{\"schema\":\"\\\"int\\\"\",\"references\":[{\"name\":\"L\",\"subject\":\"loop\",\"version\":"
     "1}]}",
     0, 0},
    {"/subjects/loop/versions/1", 200,
     "{\"schema\":\"\\\"int\\\"\",\"references\":[{\"name\":\"L\",\"subject\":\"loop\",\"version\":"
     "1}]}",
     0, 0},
    {"/schemas/ids/32", 200,
     "{\"schema\":\"\\\"int\\\"\",\"references\":[{\"name\":\"L\",\"subject\":\"gone\",\"version\":"
     "1}]}",
     0, 0},
    {"/subjects/topic-value/versions", 200, "{\"id\":77}", 0, 0},
    {"/subjects/old-value/versions", 409, "{\"error_code\":409,\"message\":\"incompatible\"}", 0, 0},
    {"/subjects/bad-value/versions", 422, "{\"error_code\":42201,\"message\":\"no Avro\"}", 0, 0},
    {NULL, 0, NULL, 0, 0},
};

static void test_registry__a_schema_is_asked_for_once(void **state)
{
    (void)state;
    server s;
    mandate_error err;
    const avro_plan *first, *second;
    start_server(&s, plain);
    registry *r = client(&s, NULL);
    assert_ok(registry_plan(&first, r, 7, &err), &err);
    assert_ok(registry_plan(&second, r, 7, &err), &err);
    assert_ptr_equal(first, second);
    assert_int_equal(requests(&s), 1);
    registry_destroy(r);
    stop_server(&s);
}

static void test_registry__a_missing_id_is_retried_then_final(void **state)
{
    (void)state;
    server s;
    mandate_error err;
    const avro_plan *plan;
    start_server(&s, plain);
    registry *r = client(&s, NULL);
    s.missing = 2; /* a replica that lags */
    assert_ok(registry_plan(&plan, r, 7, &err), &err);
    assert_int_equal(requests(&s), 3);
    assert_fails(registry_plan(&plan, r, 99, &err), MANDATE_NOT_FOUND, &err, "/schemas/ids/99");
    assert_int_equal(requests(&s), 6);
    assert_fails(registry_plan(&plan, r, 99, &err), MANDATE_NOT_FOUND, &err, "/schemas/ids/99");
    assert_int_equal(requests(&s), 6); /* remembered */
    registry_destroy(r);
    stop_server(&s);
}

static void test_registry__trouble_is_unavailable_and_never_a_verdict_on_the_record(void **state)
{
    (void)state;
    server s;
    mandate_error err;
    const avro_plan *plan;
    start_server(&s, plain);
    registry *r = client(&s, NULL);
    assert_fails(registry_plan(&plan, r, 20, &err), MANDATE_UNAVAILABLE, &err, "answers 500");
    assert_fails(registry_plan(&plan, r, 20, &err), MANDATE_UNAVAILABLE, &err, "answers 500");
    assert_int_equal(requests(&s), 2); /* asked again */
    assert_int_equal(err.advice, MANDATE_ADVICE_RETRY);
    assert_fails(registry_plan(&plan, r, 21, &err), MANDATE_UNAVAILABLE, &err, "not JSON");
    assert_fails(registry_plan(&plan, r, 22, &err), MANDATE_UNAVAILABLE, &err, "answers 404");
    assert_fails(registry_plan(&plan, r, 23, &err), MANDATE_UNAVAILABLE, &err, "who are you");
    assert_fails(registry_plan(&plan, r, 24, &err), MANDATE_UNAVAILABLE, &err, "answers 302");
    assert_fails(registry_plan(&plan, r, 25, &err), MANDATE_UNAVAILABLE, &err, "has no `schema`");
    registry_destroy(r);
    stop_server(&s);
}

static void test_registry__a_server_that_never_answers_does_not_hold_us(void **state)
{
    (void)state;
    server s;
    mandate_error err;
    registry *r;
    const avro_plan *plan;
    start_server(&s, plain);
    const char *urls[] = {s.url};
    registry_options options = {.urls = urls, .url_count = 1, .timeout_ms = 50};
    assert_ok(registry_create(&r, &options, &err), &err);
    assert_fails(registry_plan(&plan, r, 26, &err), MANDATE_UNAVAILABLE, &err, "cannot be reached");
    while (registry_plan(&plan, r, 7, &err) != MANDATE_OK) /* on a busy machine that may take longer than 50 ms, too */
        assert_int_equal(err.status, MANDATE_UNAVAILABLE);
    registry_destroy(r);
    stop_server(&s);
}

static void test_registry__the_next_url_is_tried_when_one_is_down(void **state)
{
    (void)state;
    server s, down;
    mandate_error err;
    const avro_plan *plan;
    char slashes[80];
    start_server(&down, plain);
    start_server(&s, plain);
    snprintf(slashes, sizeof slashes, "%s///", s.url);
    const char *urls[] = {down.url, slashes};
    stop_server(&down);
    registry *r = client_of(urls, 2, NULL);
    assert_ok(registry_plan(&plan, r, 7, &err), &err);
    stop_server(&s);
    assert_fails(registry_plan(&plan, r, 70, &err), MANDATE_UNAVAILABLE, &err, "cannot be reached");
    assert_ok(registry_plan(&plan, r, 7, &err), &err); /* from memory */
    registry_destroy(r);
}

static void test_registry__the_cache_works_while_the_server_is_down(void **state)
{
    (void)state;
    server s;
    mandate_error err;
    const avro_plan *plan;
    cache c = {.count = 0};
    start_server(&s, plain);
    registry *r = client(&s, &c);
    assert_ok(registry_plan(&plan, r, 30, &err), &err);
    uint64_t fingerprint = avro_plan_fingerprint(plan);
    assert_fails(registry_plan(&plan, r, 9, &err), MANDATE_INVALID, &err, "nosuchtype");
    assert_int_equal(c.puts, 1); /* only what can be used */
    registry_destroy(r);
    stop_server(&s);

    r = client(&s, &c); /* the URL is still that of the stopped one */
    assert_ok(registry_plan(&plan, r, 30, &err), &err);
    assert_int_equal(avro_plan_fingerprint(plan), fingerprint);
    assert_fails(registry_plan(&plan, r, 7, &err), MANDATE_UNAVAILABLE, &err, "cannot be reached");
    registry_destroy(r);
    cache_clear(&c);
}

static void test_registry__two_registries_do_not_share_cached_ids(void **state)
{
    (void)state;
    server s, other;
    mandate_error err;
    const avro_plan *plan;
    cache c = {.count = 0};
    static const answer differs[] = {{"/schemas/ids/7", 200, "{\"schema\":\"\\\"long\\\"\"}", 0, 0}, {NULL, 0, NULL, 0, 0}};
    start_server(&s, plain);
    start_server(&other, differs);
    registry *r = client(&s, &c);
    assert_ok(registry_plan(&plan, r, 7, &err), &err);
    uint64_t fingerprint = avro_plan_fingerprint(plan);
    registry_destroy(r);
    r = client(&other, &c);
    assert_ok(registry_plan(&plan, r, 7, &err), &err);
    assert_int_not_equal(avro_plan_fingerprint(plan), fingerprint);
    registry_destroy(r);
    stop_server(&s);
    stop_server(&other);
    cache_clear(&c);
}

static void test_registry__a_damaged_cache_entry_is_fetched_again(void **state)
{
    (void)state;
    server s;
    mandate_error err;
    const avro_plan *plan;
    cache c = {.count = 0};
    start_server(&s, plain);
    registry *r = client(&s, &c);
    assert_ok(registry_plan(&plan, r, 7, &err), &err);
    registry_destroy(r);
    c.values[0].data[1] ^= 1;
    r = client(&s, &c);
    assert_ok(registry_plan(&plan, r, 7, &err), &err);
    assert_int_equal(requests(&s), 2);
    registry_destroy(r);
    stop_server(&s);
    cache_clear(&c);
}

static void test_registry__references_are_fetched_once_each_in_dependency_order(void **state)
{
    (void)state;
    server s;
    mandate_error err;
    const avro_plan *plan;
    start_server(&s, plain);
    registry *r = client(&s, NULL);
    assert_ok(registry_plan(&plan, r, 30, &err), &err);
    assert_int_equal(requests(&s), 3);
    assert_ok(registry_plan(&plan, r, 31, &err), &err); /* a reference to itself ends */
    assert_fails(registry_plan(&plan, r, 32, &err), MANDATE_UNAVAILABLE, &err, "refers to is missing");
    registry_destroy(r);
    stop_server(&s);
}

static void test_registry__schemas_we_cannot_use_are_final_and_remembered(void **state)
{
    (void)state;
    server s;
    mandate_error err;
    const avro_plan *plan;
    start_server(&s, plain);
    registry *r = client(&s, NULL);
    for (int i = 0; i < 2; i++) {
        assert_fails(registry_plan(&plan, r, 8, &err), MANDATE_UNSUPPORTED, &err, "of type JSON, not AVRO");
        assert_fails(registry_plan(&plan, r, 9, &err), MANDATE_INVALID, &err, "no type \"nosuchtype\"");
    }
    assert_int_equal(requests(&s), 2);
    assert_int_equal(registry_plan(&plan, r, 9, NULL), MANDATE_INVALID);
    registry_destroy(r);
    stop_server(&s);
}

static void test_registry__credentials_are_sent_as_told(void **state)
{
    (void)state;
    server s;
    mandate_error err;
    registry *r;
    const avro_plan *plan;
    start_server(&s, plain);
    const char *urls[] = {s.url};
    registry_options options = {.urls = urls, .url_count = 1, .basic_auth = "user:pass"};
    assert_ok(registry_create(&r, &options, &err), &err);
    assert_ok(registry_plan(&plan, r, 7, &err), &err);
    assert_string_equal(s.last_auth, "Basic dXNlcjpwYXNz");
    registry_destroy(r);
    options = (registry_options){.urls = urls, .url_count = 1, .bearer = "t0ken"};
    assert_ok(registry_create(&r, &options, &err), &err);
    assert_ok(registry_plan(&plan, r, 7, &err), &err);
    assert_string_equal(s.last_auth, "Bearer t0ken");
    registry_destroy(r);
    stop_server(&s);
}

static void test_registry__a_schema_is_registered_and_refusals_are_told_apart(void **state)
{
    (void)state;
    server s;
    mandate_error err;
    uint32_t id;
    const avro_plan *plan;
    start_server(&s, plain);
    registry *r = client(&s, NULL);
    assert_ok(registry_register(&id, r, mandate_slice_str("topic-value"), mandate_slice_str("\"int\""), &err), &err);
    assert_int_equal(id, 77);
    assert_string_equal(s.last_method, "POST");
    assert_string_equal(s.last_body, "{\"schema\":\"\\\"int\\\"\"}");
    assert_fails(registry_register(&id, r, mandate_slice_str("old-value"), mandate_slice_str("\"int\""), &err),
                 MANDATE_CONFLICT, &err, "incompatible");
    assert_fails(registry_register(&id, r, mandate_slice_str("bad-value"), mandate_slice_str("\"int\""), &err),
                 MANDATE_INVALID, &err, "no Avro");
    assert_fails(registry_register(&id, r, mandate_slice_str("../x"), mandate_slice_str("\"int\""), &err),
                 MANDATE_UNAVAILABLE, &err, "answers 404");
    assert_ok(registry_plan(&plan, r, 7, &err), &err); /* a GET after a POST is a GET */
    assert_string_equal(s.last_method, "GET");
    registry_destroy(r);
    stop_server(&s);
}

static void test_registry__urls_are_http_without_credentials(void **state)
{
    (void)state;
    static const char *const bad[] = {"",        "registry:8081", "file:///etc/passwd",     "ftp://x",
                                      "http://", "https:///",     "http://user:secret@host"};
    mandate_error err;
    registry *r;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        registry_options options = {.urls = &bad[i], .url_count = 1};
        assert_int_equal(registry_create(&r, &options, &err), MANDATE_INVALID);
        assert_null(strstr(err.text, "secret"));
    }
    registry_options none = {.url_count = 0};
    assert_fails(registry_create(&r, &none, &err), MANDATE_INVALID, &err, "at least one URL");
}

/* The host of that name is nowhere: the server stands for the proxy, and knows no such schema. */
static void test_registry__a_proxy_of_the_environment_is_used_except_for_hosts_it_excludes(void **state)
{
    static const char *const url[] = {"http://registry.invalid:8081"};
    mandate_error err;
    server s;
    (void)state;
    start_server(&s, plain);
    setenv("http_proxy", s.url, 1);
    for (int excluded = 0; excluded < 2; excluded++) {
        const avro_plan *plan;
        registry *r = client_of(url, 1, NULL);
        excluded ? setenv("no_proxy", "registry.invalid", 1) : unsetenv("no_proxy");
        assert_int_equal(registry_plan(&plan, r, 7, &err), excluded ? MANDATE_UNAVAILABLE : MANDATE_NOT_FOUND);
        registry_destroy(r);
        if (!excluded)
            assert_string_equal(s.last_path, "http://registry.invalid:8081/schemas/ids/7");
    }
    unsetenv("http_proxy");
    unsetenv("no_proxy");
    stop_server(&s);
}

static void test_registry__an_answer_without_end_is_cut_off(void **state)
{
    (void)state;
    server s;
    mandate_error err;
    const avro_plan *plan;
    size_t len = 5 << 20;
    char *body = malloc(len + 1);
    memset(body, ' ', len);
    body[len] = '\0';
    const answer answers[] = {{"/schemas/ids/1", 200, body, 0, 0}, {NULL, 0, NULL, 0, 0}};
    start_server(&s, answers);
    registry *r = client(&s, NULL);
    assert_fails(registry_plan(&plan, r, 1, &err), MANDATE_UNAVAILABLE, &err, "cannot be reached");
    registry_destroy(r);
    stop_server(&s);
    free(body);
}

static void test_registry__a_decoder_reads_ids_and_guids_from_prefix_and_header(void **state)
{
    (void)state;
    server s;
    mandate_error err;
    decoder *d;
    arena a;
    cel_value key, value;
    const char *stage;
    start_server(&s, plain);
    registry *r = client(&s, NULL);
    decode_options options = {.key_format = DECODE_AVRO, .value_format = DECODE_AVRO, .schemas = r};
    arena_init(&a, LIMIT_RECORD_MEMORY);
    assert_ok(decoder_create(&d, &options, &err), &err);
#define SLICE(text) mandate_slice_of("" text, sizeof(text) - 1)
    record rec = {.key = SLICE("\0\0\0\0\x07\x04hi"),
                  .value = SLICE("\x01"
                                 "0123456789abcdef"
                                 "\x54")};
    assert_ok(decoder_run(&key, &value, d, &a, &rec, &stage, &err), &err);
    assert_value(key, "\"hi\"");
    assert_value(value, "42");
    record_header headers[] = {{SLICE("__value_schema_id"), SLICE("\0\0\0\0\x07")},
                               {SLICE("__key_schema_id"), SLICE("\0\0\0\0\x07")},
                               {SLICE("__value_schema_id"), SLICE("\x01"
                                                                  "0123456789abcdef")}};
    rec = (record){.key = SLICE("\x04ho"), .value = SLICE("\x56"), .headers = headers, .header_count = 3};
    assert_ok(decoder_run(&key, &value, d, &a, &rec, &stage, &err), &err);
    assert_value(key, "\"ho\"");
    assert_value(value, "43"); /* the last header of a name wins */
    headers[2].value.len = 16;
    assert_fails(decoder_run(&key, &value, d, &a, &rec, &stage, &err), MANDATE_INVALID, &err, "16 bytes");
    assert_string_equal(stage, "framing");
    rec = (record){.key = SLICE("\0\0\0\0\x63\x04hi")};
    assert_fails(decoder_run(&key, &value, d, &a, &rec, &stage, &err), MANDATE_NOT_FOUND, &err, "/schemas/ids/99");
    assert_string_equal(stage, "schema");
    assert_int_equal(requests(&s), 2 + 3);
    decoder_destroy(d);
    registry_destroy(r);
    arena_deinit(&a);
    stop_server(&s);
}

int main(void)
{
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    unsetenv("ALL_PROXY");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_registry__a_schema_is_asked_for_once),
        cmocka_unit_test(test_registry__a_missing_id_is_retried_then_final),
        cmocka_unit_test(test_registry__trouble_is_unavailable_and_never_a_verdict_on_the_record),
        cmocka_unit_test(test_registry__a_server_that_never_answers_does_not_hold_us),
        cmocka_unit_test(test_registry__the_next_url_is_tried_when_one_is_down),
        cmocka_unit_test(test_registry__the_cache_works_while_the_server_is_down),
        cmocka_unit_test(test_registry__two_registries_do_not_share_cached_ids),
        cmocka_unit_test(test_registry__a_damaged_cache_entry_is_fetched_again),
        cmocka_unit_test(test_registry__references_are_fetched_once_each_in_dependency_order),
        cmocka_unit_test(test_registry__schemas_we_cannot_use_are_final_and_remembered),
        cmocka_unit_test(test_registry__credentials_are_sent_as_told),
        cmocka_unit_test(test_registry__a_schema_is_registered_and_refusals_are_told_apart),
        cmocka_unit_test(test_registry__urls_are_http_without_credentials),
        cmocka_unit_test(test_registry__a_proxy_of_the_environment_is_used_except_for_hosts_it_excludes),
        cmocka_unit_test(test_registry__an_answer_without_end_is_cut_off),
        cmocka_unit_test(test_registry__a_decoder_reads_ids_and_guids_from_prefix_and_header),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

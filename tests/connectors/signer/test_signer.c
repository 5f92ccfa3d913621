/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of connectors/signer: what is signed and what is not, with the program itself: killed, stopped and asked by strangers, fed
 * with frames that are none.
 */
#include "connectors/audit/checkpoint.h"
#include "connectors/json/claims_json.h"
#include "connectors/signer/client.h"
#include "connectors/signer/frame.h"
#include "connectors/signer/what.h"
#include "connectors/token/artifact.h"
#include "connectors/token/base64url.h"
#include "connectors/token/key_file.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

typedef struct world {
    char folder[64], key_path[96], log_path[96], socket[96];
    token_key *key; /* what the signer holds, for comparison */
    pid_t child;
    arena memory;
} world;

static void nap(int ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
    nanosleep(&t, NULL);
}

static void start(world *w, const char *uid, const char *rate)
{
    char *argv[] = {(char *)MANDATE_SIGNER,
                    (char *)"--key",
                    w->key_path,
                    (char *)"--socket",
                    w->socket,
                    (char *)"--uid",
                    (char *)uid,
                    (char *)"--rate",
                    (char *)rate,
                    NULL,
                    NULL,
                    NULL};
    if (access(w->log_path, F_OK) == 0) {
        argv[9] = (char *)"--audit-key";
        argv[10] = w->log_path;
    }
    w->child = fork();
    assert_true(w->child >= 0);
    if (w->child == 0) {
        (void)!freopen("/dev/null", "w", stderr);
        execv(MANDATE_SIGNER, argv);
        _exit(127);
    }
    for (int i = 0; i < 2000; i++) {
        struct sockaddr_un a = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM, 0);
        strcpy(a.sun_path, w->socket);
        bool there = connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0;
        close(fd);
        if (there)
            return;
        nap(5);
    }
    fail_msg("the signer does not listen");
}

static void end(world *w, int with)
{
    int status;
    assert_int_equal(kill(w->child, with), 0);
    assert_int_equal(waitpid(w->child, &status, 0), w->child);
    if (with == SIGTERM)
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static const char *own_uid(void)
{
    static char text[16];
    snprintf(text, sizeof(text), "%u", (unsigned)getuid());
    return text;
}

static int setup(void **state)
{
    world *w = calloc(1, sizeof(*w));
    mandate_error err;
    strcpy(w->folder, "/tmp/mandate-signer-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    snprintf(w->key_path, sizeof(w->key_path), "%s/key.pem", w->folder);
    snprintf(w->log_path, sizeof(w->log_path), "%s/log.pem", w->folder);
    snprintf(w->socket, sizeof(w->socket), "%s/s", w->folder);
    assert_int_equal(key_file_create(&w->key, w->key_path, TOKEN_EDDSA, &err), MANDATE_OK);
    arena_init(&w->memory, 0);
    start(w, own_uid(), "5000");
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    world *w = *state;
    if (w->child)
        end(w, SIGTERM);
    token_key_destroy(w->key);
    unlink(w->key_path);
    unlink(w->log_path);
    unlink(w->socket);
    rmdir(w->folder);
    arena_deinit(&w->memory);
    free(w);
    return 0;
}

/* --- messages ---------------------------------------------------------------------------------------------------- */
static mandate_slice payload_of(world *w)
{
    static const char json[] =
        "{\"id\":\"m\",\"issuer\":\"https://i.example\",\"grantor\":\"g\",\"agent\":\"a\",\"purpose\":\"p\",\"scope\":"
        "{\"actions\":[\"x\"],\"resources\":[\"*\"]},\"max_depth\":0,\"expires_at\":\"2030-03-18T00:00:00Z\"}";
    mandate_error err;
    claims c;
    const artifact_facts facts = {.claims = &c};
    artifact_made made;
    assert_int_equal(claims_from_json(&c, &w->memory, mandate_slice_str(json), &err), MANDATE_OK);
    c.issued_at_us = INT64_C(1800000000000000);
    if (artifact_make(&made, &facts, &err) != MANDATE_OK)
        fail_msg("%s", err.text);
    mandate_slice out = arena_dup(&w->memory, buf_slice(&made.payload));
    artifact_made_deinit(&made);
    return out;
}

static mandate_slice input_of(world *w, const char *header, mandate_slice payload)
{
    buf b;
    buf_init(&b);
    base64url_put(&b, header, strlen(header));
    buf_put_char(&b, '.');
    base64url_put(&b, payload.ptr, payload.len);
    mandate_slice out = arena_dup(&w->memory, buf_slice(&b));
    buf_deinit(&b);
    return out;
}

static const char *header_of(world *w, const char *typ)
{
    return arena_printf(&w->memory, "{\"alg\":\"EdDSA\",\"kid\":\"%.*s\",\"typ\":\"%s\"}%c",
                        MANDATE_SLICE_ARG(token_key_kid(w->key)), typ, 0)
        .ptr;
}

#define CHECKPOINT "example.com/log\n5\nq1J3PNMUhpZfwCGc8NmnhTPcmGJzWCUHTSqBFBBDm5c=\n"

static void may(world *w, mandate_slice message, const char *is)
{
    const char *what = "";
    signer_purpose purpose = strcmp(is, "checkpoint") == 0 ? SIGNER_LOG : SIGNER_TOKENS;
    mandate_error err = {0};
    if (signer_may_sign(purpose, w->key, &w->memory, message, &what, &err) != MANDATE_OK)
        fail_msg("%s: %s", is, err.text);
    assert_string_equal(what, is);
}

static void may_not_as(world *w, signer_purpose purpose, mandate_slice message, const char *why)
{
    mandate_error err = {0};
    if (signer_may_sign(purpose, w->key, &w->memory, message, NULL, &err) == MANDATE_OK)
        fail_msg("signed: %.*s", MANDATE_SLICE_ARG(message));
    if (!strstr(err.text, why))
        fail_msg("\"%s\" does not say \"%s\"", err.text, why);
}

static void may_not(world *w, mandate_slice message, const char *why) { may_not_as(w, SIGNER_TOKENS, message, why); }

static void test_signer__signs_what_we_sign_and_nothing_else(void **state)
{
    world *w = *state;
    mandate_slice payload = payload_of(w);
    may(w, input_of(w, header_of(w, "mandate+jwt"), payload), "mandate");
    may(w,
        input_of(w, header_of(w, "statuslist+jwt"),
                 mandate_slice_str("{\"status_list\":{\"bits\":1,\"lst\":\"eNrb\"},\"sub\":\"x\"}")),
        "status list");
    may(w,
        input_of(w, header_of(w, "mandate-notice+jws"),
                 mandate_slice_str("{\"id\":\"0\",\"type\":\"decision.opened\",\"issuer\":\"https://i\",\"decision\":{}}")),
        "notice");
    may(w, mandate_slice_str(CHECKPOINT), "checkpoint");
    /* One key, one purpose. */
    may_not(w, mandate_slice_str(CHECKPOINT), "no token of ours");
    may_not_as(w, SIGNER_LOG, input_of(w, header_of(w, "mandate+jwt"), payload), "no checkpoint");

    may_not(w, input_of(w, header_of(w, "at+jwt"), payload), "the header is none of ours");
    may_not(w, input_of(w, header_of(w, "JWT"), payload), "the header is none of ours");
    may_not(w, input_of(w, "{\"alg\":\"none\"}", payload), "the header is none of ours");
    may_not(w, input_of(w, "{\"alg\":\"EdDSA\",\"kid\":\"other\",\"typ\":\"mandate+jwt\"}", payload),
            "the header is none of ours");
    may_not(w, input_of(w, header_of(w, "mandate+jwt"), mandate_slice_str("{}")), "the payload is no mandate");
    may_not(w, input_of(w, header_of(w, "mandate+jwt"), mandate_slice_str("{\"iss\":\"https://i\",\"sub\":\"admin\"}")),
            "the payload is no mandate");
    may_not(w, input_of(w, header_of(w, "mandate+jwt"), arena_printf(&w->memory, " %.*s", MANDATE_SLICE_ARG(payload))),
            "not in canonical form");
    may_not(w, input_of(w, header_of(w, "statuslist+jwt"), mandate_slice_str("{\"sub\":\"x\"}")), "no status list");
    may_not(w, input_of(w, header_of(w, "statuslist+jwt"), mandate_slice_str("{\"sub\":\"x\",\"status_list\":{}}")),
            "no status list");
    may_not(w, input_of(w, header_of(w, "mandate-notice+jws"), payload), "no notice");
    may_not(w,
            input_of(w, header_of(w, "mandate-notice+jws"),
                     mandate_slice_str("{\"id\":\"0\",\"type\":\"login\",\"issuer\":\"https://i\",\"decision\":{}}")),
            "no notice");
    may_not_as(w, SIGNER_LOG, mandate_slice_str(CHECKPOINT "and more\n"), "more than its three lines");
    may_not_as(w, SIGNER_LOG, mandate_slice_str("example.com/log\n5\n"), "no checkpoint");
    may_not(w, mandate_slice_str(""), "empty");
    may_not(w, mandate_slice_str("a.b"), "base64url");
    may_not(w, mandate_slice_str("."), "");
}

/* --- the program --------------------------------------------------------------------------------------------------- */
static mandate_status sign(const token_key *k, mandate_slice message, mandate_error *err)
{
    buf out;
    buf_init(&out);
    mandate_status status = token_key_sign(&out, k, message, err);
    if (status == MANDATE_OK)
        assert_true(token_key_verify(k, message, buf_slice(&out)));
    else
        assert_int_equal(out.len, 0);
    buf_deinit(&out);
    return status;
}

static void open_key(world *w, signer_client **c, token_key **k)
{
    mandate_error err = {0};
    if (signer_client_open(c, w->socket, SIGNER_TOKENS, &err) != MANDATE_OK || signer_client_key(k, *c, &err) != MANDATE_OK)
        fail_msg("%s", err.text);
}

static void test_signer__a_key_over_there_signs_like_one_here(void **state)
{
    world *w = *state;
    signer_client *c;
    token_key *k;
    mandate_error err = {0};
    buf pem;
    open_key(w, &c, &k);
    assert_true(mandate_slice_eq(token_key_kid(k), token_key_kid(w->key)));
    assert_true(token_key_can_sign(k));
    mandate_slice message = input_of(w, header_of(w, "mandate+jwt"), payload_of(w));
    for (int i = 0; i < 200; i++)
        if (sign(k, message, &err) != MANDATE_OK)
            fail_msg("%s", err.text);
    assert_int_equal(sign(k, mandate_slice_str("whatever"), &err), MANDATE_DENIED);
    assert_non_null(strstr(err.text, "no token of ours"));
    assert_int_equal(sign(k, message, &err), MANDATE_OK); /* a refusal does not close the connection */
    buf_init(&pem);
    assert_int_not_equal(token_key_put_pem(&pem, k, &err), MANDATE_OK); /* there is no private half here */
    buf_deinit(&pem);
    token_key_destroy(k);
    signer_client_close(c);
}

static void test_signer__the_log_has_a_key_of_its_own_and_neither_signs_what_is_the_others(void **state)
{
    world *w = *state;
    signer_client *tokens = NULL, *log = NULL;
    token_key *of_tokens, *of_log, *made;
    mandate_error err = {0};
    assert_int_equal(signer_client_open(&log, w->socket, SIGNER_LOG, &err), MANDATE_DENIED); /* it has none yet */
    assert_non_null(strstr(err.text, "no key of a log"));
    end(w, SIGTERM);
    assert_int_equal(key_file_create(&made, w->log_path, TOKEN_EDDSA, &err), MANDATE_OK);
    start(w, own_uid(), "5000");
    open_key(w, &tokens, &of_tokens);
    assert_int_equal(signer_client_open(&log, w->socket, SIGNER_LOG, &err), MANDATE_OK);
    assert_int_equal(signer_client_key(&of_log, log, &err), MANDATE_OK);
    assert_true(mandate_slice_eq(token_key_kid(of_log), token_key_kid(made)));
    assert_false(mandate_slice_eq(token_key_kid(of_log), token_key_kid(of_tokens)));
    mandate_slice token = input_of(w, header_of(w, "mandate+jwt"), payload_of(w));
    assert_int_equal(sign(of_log, mandate_slice_str(CHECKPOINT), &err), MANDATE_OK);
    assert_int_equal(sign(of_tokens, token, &err), MANDATE_OK);
    assert_int_equal(sign(of_log, token, &err), MANDATE_DENIED);
    assert_int_equal(sign(of_tokens, mandate_slice_str(CHECKPOINT), &err), MANDATE_DENIED);
    token_key_destroy(of_tokens);
    token_key_destroy(of_log);
    token_key_destroy(made);
    signer_client_close(tokens);
    signer_client_close(log);
}

static int run_signer(const char *a, const char *a_path, const char *b, const char *b_path)
{
    int status;
    pid_t child = fork();
    if (child == 0) {
        (void)!freopen("/dev/null", "w", stderr);
        execl(MANDATE_SIGNER, MANDATE_SIGNER, "--socket", "/nowhere/at/all", a, a_path, b, b_path, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_signer__one_key_for_both_and_a_log_key_of_another_kind_are_refused(void **state)
{
    world *w = *state;
    token_key *made;
    mandate_error err;
    assert_int_equal(run_signer("--key", w->key_path, "--audit-key", w->key_path), 1);
    assert_int_equal(key_file_create(&made, w->log_path, TOKEN_ES256, &err), MANDATE_OK);
    token_key_destroy(made);
    assert_int_equal(run_signer("--audit-key", w->log_path, NULL, NULL), 1);
    assert_int_equal(run_signer("--rate", "5", NULL, NULL), 1); /* no key at all */
}

static void test_signer__killed_it_is_away_and_started_again_it_is_back(void **state)
{
    world *w = *state;
    signer_client *c;
    token_key *k;
    mandate_error err = {0};
    open_key(w, &c, &k);
    mandate_slice message = input_of(w, header_of(w, "mandate+jwt"), payload_of(w));
    for (int round = 0; round < 5; round++) {
        assert_true(signer_client_ready(c));
        assert_int_equal(sign(k, message, &err), MANDATE_OK);
        end(w, SIGKILL);
        assert_false(signer_client_ready(c));
        assert_int_equal(sign(k, message, &err), MANDATE_UNAVAILABLE);
        assert_non_null(strstr(err.text, "nothing is signed meanwhile"));
        start(w, own_uid(), "5000");
        for (int i = 0; i < 1000 && !signer_client_ready(c); i++)
            nap(5);
        assert_int_equal(sign(k, message, &err), MANDATE_OK);
    }
    /* Killed and back between two signatures nobody notices. */
    end(w, SIGKILL);
    start(w, own_uid(), "5000");
    nap(CLIENT_AGAIN_MS + 20);
    assert_int_equal(sign(k, message, &err), MANDATE_OK);
    token_key_destroy(k);
    signer_client_close(c);
}

static void test_signer__one_that_hangs_does_not_hold_up_for_ever(void **state)
{
    world *w = *state;
    signer_client *c;
    token_key *k;
    mandate_error err = {0};
    open_key(w, &c, &k);
    mandate_slice message = input_of(w, header_of(w, "mandate+jwt"), payload_of(w));
    assert_int_equal(kill(w->child, SIGSTOP), 0);
    assert_int_equal(sign(k, message, &err), MANDATE_UNAVAILABLE);
    assert_int_equal(kill(w->child, SIGCONT), 0);
    for (int i = 0; i < 1000 && !signer_client_ready(c); i++)
        nap(5);
    assert_int_equal(sign(k, message, &err), MANDATE_OK);
    token_key_destroy(k);
    signer_client_close(c);
}

static void test_signer__back_with_another_key_it_is_not_believed(void **state)
{
    world *w = *state;
    signer_client *c;
    token_key *k, *other;
    mandate_error err = {0};
    open_key(w, &c, &k);
    mandate_slice message = input_of(w, header_of(w, "mandate+jwt"), payload_of(w));
    end(w, SIGKILL);
    assert_int_equal(unlink(w->key_path), 0);
    assert_int_equal(key_file_create(&other, w->key_path, TOKEN_EDDSA, &err), MANDATE_OK);
    token_key_destroy(other);
    start(w, own_uid(), "5000");
    nap(CLIENT_AGAIN_MS + 20);
    assert_int_equal(sign(k, message, &err), MANDATE_UNAVAILABLE);
    assert_false(signer_client_ready(c));
    token_key_destroy(k);
    signer_client_close(c);
}

static void test_signer__strangers_are_closed_without_a_word(void **state)
{
    world *w = *state;
    signer_client *c = NULL;
    mandate_error err = {0};
    char uid[16];
    end(w, SIGTERM);
    snprintf(uid, sizeof(uid), "%u", (unsigned)getuid() + 1);
    start(w, uid, "5000");
    assert_int_equal(signer_client_open(&c, w->socket, SIGNER_TOKENS, &err), MANDATE_UNAVAILABLE);
    assert_null(c);
}

static void test_signer__more_than_the_rate_is_not_now(void **state)
{
    world *w = *state;
    signer_client *c;
    token_key *k;
    mandate_error err = {0};
    int limited = 0;
    end(w, SIGTERM);
    start(w, own_uid(), "3");
    open_key(w, &c, &k);
    mandate_slice message = input_of(w, header_of(w, "mandate+jwt"), payload_of(w));
    for (int i = 0; i < 40; i++) {
        mandate_status status = sign(k, message, &err);
        limited += status == MANDATE_UNAVAILABLE;
        assert_true(status == MANDATE_OK || status == MANDATE_UNAVAILABLE);
    }
    assert_true(limited > 0 && limited < 40);
    token_key_destroy(k);
    signer_client_close(c);
}

/* --- hostile frames ---------------------------------------------------------------------------------------------------- */
static int dial(world *w)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    strcpy(a.sun_path, w->socket);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    return fd;
}

/* Is the connection closed on us, after whatever was sent? */
static bool closed(int fd)
{
    char chunk[4096];
    struct timeval patience = {10, 0};
    ssize_t n;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    while ((n = recv(fd, chunk, sizeof(chunk), 0)) > 0)
        ;
    close(fd);
    return n == 0 || errno == ECONNRESET;
}

static void test_signer__frames_that_are_none_close_their_connection_only(void **state)
{
    world *w = *state;
    signer_client *c;
    token_key *k;
    mandate_error err = {0};
    uint64_t rng = 7;
    open_key(w, &c, &k);
    mandate_slice message = input_of(w, header_of(w, "mandate+jwt"), payload_of(w));
    static const char frames[][8] = {
        {0, 0, 0, 0, 'X'},    {0, 0, 0, 1, 'K', 1}, {(char)0xff, (char)0xff, (char)0xff, (char)0xff, 'S'},
        {0, 0x7f, 0, 0, 'S'}, {0, 0, 0, 0, 0},      {0, 0, 0, 0, '0'}};
    for (size_t i = 0; i < sizeof(frames) / sizeof(*frames); i++) {
        int fd = dial(w);
        assert_int_equal(send(fd, frames[i], 6, MSG_NOSIGNAL), 6);
        assert_true(closed(fd));
        assert_int_equal(sign(k, message, &err), MANDATE_OK);
    }
    for (int i = 0; i < 200; i++) { /* noise */
        char noise[257];
        int fd = dial(w);
        for (size_t n = 0; n < sizeof(noise); n++) {
            rng = rng * UINT64_C(6364136223846793005) + 1442695040888963407;
            noise[n] = (char)(rng >> 56);
        }
        noise[0] = (char)(noise[0] | 1); /* too long a frame in any case */
        (void)!send(fd, noise, sizeof(noise), MSG_NOSIGNAL);
        assert_true(closed(fd));
    }
    assert_int_equal(sign(k, message, &err), MANDATE_OK);
    token_key_destroy(k);
    signer_client_close(c);
}

/* Half a frame is waited for only so long, and more connections than there are places do not keep the others out. */
static void test_signer__half_a_frame_and_many_connections(void **state)
{
    world *w = *state;
    signer_client *c;
    token_key *k;
    mandate_error err = {0};
    int fds[40];
    open_key(w, &c, &k);
    mandate_slice message = input_of(w, header_of(w, "mandate+jwt"), payload_of(w));
    for (int i = 0; i < 40; i++) {
        fds[i] = dial(w);
        (void)!send(fds[i], "\0\0\1\0S half", 10, MSG_NOSIGNAL);
    }
    assert_int_equal(sign(k, message, &err), MANDATE_OK);
    for (int i = 0; i < 40; i++)
        assert_true(closed(fds[i]));
    assert_int_equal(sign(k, message, &err), MANDATE_OK);
    token_key_destroy(k);
    signer_client_close(c);
}

static void test_signer__does_not_take_a_socket_that_answers(void **state)
{
    world *w = *state;
    int status;
    pid_t second = fork();
    if (second == 0) {
        (void)!freopen("/dev/null", "w", stderr);
        execl(MANDATE_SIGNER, MANDATE_SIGNER, "--key", w->key_path, "--socket", w->socket, (char *)NULL);
        _exit(127);
    }
    assert_int_equal(waitpid(second, &status, 0), second);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_signer__signs_what_we_sign_and_nothing_else),
        TEST(test_signer__a_key_over_there_signs_like_one_here),
        TEST(test_signer__the_log_has_a_key_of_its_own_and_neither_signs_what_is_the_others),
        TEST(test_signer__one_key_for_both_and_a_log_key_of_another_kind_are_refused),
        TEST(test_signer__killed_it_is_away_and_started_again_it_is_back),
        TEST(test_signer__one_that_hangs_does_not_hold_up_for_ever),
        TEST(test_signer__back_with_another_key_it_is_not_believed),
        TEST(test_signer__strangers_are_closed_without_a_word),
        TEST(test_signer__more_than_the_rate_is_not_now),
        TEST(test_signer__frames_that_are_none_close_their_connection_only),
        TEST(test_signer__half_a_frame_and_many_connections),
        TEST(test_signer__does_not_take_a_socket_that_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

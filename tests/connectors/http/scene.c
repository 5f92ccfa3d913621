/* SPDX-License-Identifier: Apache-2.0 */
/* scene - set up and torn down around each test. */
#include "scene.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int setup(void **state, uint32_t deadline_ms, uint32_t drain_ms)
{
    mandate_error err;
    scene *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    snprintf(s->directory, sizeof(s->directory), "/tmp/mandate-http-XXXXXX");
    assert_non_null(mkdtemp(s->directory));
    snprintf(s->path, sizeof(s->path), "%s/socket", s->directory);
    fake_init(&s->fake);
    s->options = (http_options)HTTP_OPTIONS_INIT;
    s->options.socket_path = s->path;
    s->options.tcp = true;
    s->options.issuer = "https://issuer.test";
    s->options.drain_ms = drain_ms;
    if (deadline_ms)
        s->options.deadline_ms = deadline_ms;
    if (http_server_start(&s->server, &s->options, &s->fake.port, &err))
        fail_msg("%s", err.text);
    assert_true(peer_open_unix(&s->client, s->path));
    *state = s;
    return 0;
}

int scene_setup(void **state) { return setup(state, 0, 200); }

int scene_setup_hasty(void **state) { return setup(state, 100, 200); }

int scene_setup_short(void **state) { return setup(state, 2000, 200); }

int scene_setup_patient(void **state) { return setup(state, 0, 60000); }

int scene_teardown(void **state)
{
    scene *s = *state;
    peer_close(&s->client);
    http_server_stop(s->server);
    fake_deinit(&s->fake);
    rmdir(s->directory);
    free(s);
    return 0;
}

void scene_ask(scene *s, int code, const char *method, const char *target, const char *headers, const char *body)
{
    if (!peer_ask(&s->client, &s->reply, method, target, headers, body))
        fail_msg("%s %s: no answer", method, target);
    if (s->reply.code != code)
        fail_msg("%s %s: %d, expected %d: %s", method, target, s->reply.code, code, s->reply.body);
}

void assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        fail_msg("\"%s\" does not contain \"%s\"", text, part);
}

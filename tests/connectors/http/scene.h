/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scene - what every test of the server starts from: a fake service, a server on a socket in a
 * fresh directory and on a free loopback port, and one peer on the socket.
 */
#ifndef MANDATE_TESTS_CONNECTORS_HTTP_SCENE_H
#define MANDATE_TESTS_CONNECTORS_HTTP_SCENE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/http/server.h"
#include "fake_service.h"
#include "peer.h"

typedef struct scene {
    fake_service fake;
    http_options options;
    http_server *server;
    char directory[64], path[96];
    peer client;
    peer_reply reply;
} scene;

int scene_setup(void **state);
/* The same with a short deadline, for tests of deadlines. */
int scene_setup_hasty(void **state);
/* One that ends soon, but within which a request can be asked on a busy machine, too. */
int scene_setup_short(void **state);
/* The same with patience when it stops, for a test in which answers come then. */
int scene_setup_patient(void **state);
int scene_teardown(void **state);
/* Asks on the client's connection and fails the test when the code differs. */
void scene_ask(scene *s, int code, const char *method, const char *target, const char *headers, const char *body);
void assert_contains(const char *text, const char *part);

#endif

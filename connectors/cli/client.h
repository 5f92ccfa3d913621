/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client - one request to the API, over the Unix socket or a URL. libcurl stays behind it.
 *
 * Failures are told to the person here, so that a command only has to return the exit code.
 */
#ifndef MANDATE_CONNECTORS_CLI_CLIENT_H
#define MANDATE_CONNECTORS_CLI_CLIENT_H

#include "connectors/cli/args.h"
#include "connectors/cli/command.h"
#include "connectors/json/json_value.h"

typedef struct client {
    void *curl;
    const arg_common *common;
    char socket[108];
    buf authorization; /* "Authorization: Bearer ...", or empty; cleared at the end */
    arena a;           /* of `value`; reset by every call */
    buf body;          /* as received */
    cel_value value;   /* parsed */
    int code;          /* HTTP status */
} client;

/* Socket: --socket, $MANDATED_SOCKET, ./data/mandated.sock. */
exit_code client_open(client *c, const arg_common *common);
void client_close(client *c);

/* `body` empty: none. CLI_OK when answered 2xx with JSON; anything else has been said on stderr. */
exit_code client_call(client *c, const char *method, const char *path, mandate_slice body);
/* The same without a word about 404; for those who ask whether there is one. */
exit_code client_try(client *c, const char *method, const char *path);

/* The same for what is no JSON: `body` is what matters. `quiet_404`: as client_try. */
exit_code client_fetch(client *c, const char *path, bool quiet_404);

/* Writes what was received to stdout, ending in a newline. */
exit_code client_print_json(const client *c);

/* Asks for the resource at `path`, then prints it (--json) or lets `show` show it. */
exit_code client_show(const arg_common *common, const char *path, void (*show)(client *c));
/* Posts `body` there, then the same. */
exit_code client_post(const arg_common *common, const char *path, mandate_slice body, void (*show)(client *c));

/* "/v1/mandates/<escaped>" + tail, "?name=value&..." appended by path_query. */
void path_segment(buf *path, mandate_slice segment);
void path_query(buf *path, const char *name, const char *value);

#endif

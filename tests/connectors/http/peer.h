/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer - a client that sends exactly the bytes it is told to, well-formed or not.
 */
#ifndef MANDATE_TESTS_CONNECTORS_HTTP_PEER_H
#define MANDATE_TESTS_CONNECTORS_HTTP_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct peer {
    int fd;
    char data[1 << 18]; /* received and not yet taken */
    size_t len;
} peer;

typedef struct peer_reply {
    int code; /* 0: the connection ended first */
    char head[4096];
    char body[1 << 17];
    size_t body_len;
} peer_reply;

bool peer_open_unix(peer *p, const char *path);
bool peer_open_tcp(peer *p, uint16_t port);
void peer_close(peer *p);
/* False when the other side has gone. */
bool peer_send(peer *p, const void *data, size_t len);
bool peer_send_text(peer *p, const char *text);
/* One answer with Content-Length. */
bool peer_read(peer *p, peer_reply *out, bool is_head);
/* Request and answer; `headers` are whole lines with CRLF; body NULL: none. */
bool peer_ask(peer *p, peer_reply *out, const char *method, const char *target, const char *headers, const char *body);
/* Waits for the end of the connection, dropping what comes; bounded. */
bool peer_wait_closed(peer *p);

#endif

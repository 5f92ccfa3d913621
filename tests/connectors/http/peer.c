/* SPDX-License-Identifier: Apache-2.0 */
/* peer - blocking sockets with a generous receive timeout, so that a hanging server fails the test.
 */
#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

enum { PATIENCE_S = 30 };

static bool opened(peer *p, const struct sockaddr *address, socklen_t size)
{
    struct timeval patience = {.tv_sec = PATIENCE_S};
    p->len = 0;
    p->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (p->fd < 0)
        return false;
    setsockopt(p->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(p->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(p->fd, address, size) == 0)
        return true;
    peer_close(p);
    return false;
}

bool peer_open_unix(peer *p, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    return opened(p, (struct sockaddr *)&address, sizeof(address));
}

bool peer_open_tcp(peer *p, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return opened(p, (struct sockaddr *)&address, sizeof(address));
}

void peer_close(peer *p)
{
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
}

bool peer_send(peer *p, const void *data, size_t len)
{
    const char *at = data;
    while (len > 0) {
        ssize_t n = send(p->fd, at, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        at += n;
        len -= (size_t)n;
    }
    return true;
}

bool peer_send_text(peer *p, const char *text) { return peer_send(p, text, strlen(text)); }

static bool receive(peer *p)
{
    if (p->len + 1 >= sizeof(p->data))
        return false;
    ssize_t n = recv(p->fd, p->data + p->len, sizeof(p->data) - 1 - p->len, 0);
    if (n <= 0)
        return false;
    p->len += (size_t)n;
    return true;
}

bool peer_read(peer *p, peer_reply *out, bool is_head)
{
    char *end;
    out->code = 0;
    out->body_len = 0;
    out->head[0] = out->body[0] = '\0';
    do {
        p->data[p->len] = '\0';
        end = strstr(p->data, "\r\n\r\n");
    } while (!end && receive(p));
    if (!end || (size_t)(end - p->data) >= sizeof(out->head))
        return false;
    size_t head = (size_t)(end - p->data) + 4;
    memcpy(out->head, p->data, head - 2);
    out->head[head - 2] = '\0';
    const char *length = strcasestr(out->head, "\r\nContent-Length:");
    size_t body = length && !is_head ? strtoul(length + 17, NULL, 10) : 0;
    while (p->len < head + body)
        if (!receive(p))
            return false;
    if (body >= sizeof(out->body))
        return false;
    memcpy(out->body, p->data + head, body);
    out->body[body] = '\0';
    out->body_len = body;
    p->len -= head + body;
    memmove(p->data, p->data + head + body, p->len);
    out->code = atoi(out->head + strlen("HTTP/1.1 "));
    return true;
}

bool peer_ask(peer *p, peer_reply *out, const char *method, const char *target, const char *headers, const char *body)
{
    char head[20000];
    char length[64] = "";
    out->code = 0;
    if (body)
        snprintf(length, sizeof(length), "Content-Length: %zu\r\n", strlen(body));
    snprintf(head, sizeof(head), "%s %s HTTP/1.1\r\nHost: localhost\r\n%s%s%s\r\n", method, target,
             body ? "Content-Type: application/json\r\n" : "", length, headers ? headers : "");
    return peer_send_text(p, head) && (!body || peer_send_text(p, body)) && peer_read(p, out, strcmp(method, "HEAD") == 0);
}

bool peer_wait_closed(peer *p)
{
    char waste[4096];
    for (;;) {
        ssize_t n = recv(p->fd, waste, sizeof(waste), 0);
        if (n == 0 || (n < 0 && errno == ECONNRESET))
            return true;
        if (n < 0)
            return false;
    }
}

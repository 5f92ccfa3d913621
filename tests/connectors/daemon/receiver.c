/* SPDX-License-Identifier: Apache-2.0 */
/* receiver - see receiver.h. */
#include "tests/connectors/daemon/receiver.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* One request, whole; NULL: it was none. */
static const char *read_request(int c, char *data)
{
    size_t len = 0;
    const char *end = NULL;

    while (len < RECEIVER_MAX - 1) {
        ssize_t got = read(c, data + len, RECEIVER_MAX - 1 - len);
        if (got <= 0)
            break;
        len += (size_t)got;
        data[len] = '\0';
        end = strstr(data, "\r\n\r\n");
        const char *size = end ? strcasestr(data, "Content-Length: ") : NULL;
        if (size && len >= (size_t)(end + 4 - data) + strtoul(size + 16, NULL, 10))
            break;
        if (end && strcasestr(data, "Expect: 100-continue") && len == (size_t)(end + 4 - data))
            (void)!write(c, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    }
    return end;
}

static void *receive_notices(void *ctx)
{
    receiver *v = ctx;
    char *data = malloc(RECEIVER_MAX);

    for (int n = 0; !atomic_load(&v->done); n++) {
        int c = accept(v->fd, NULL, NULL);
        if (c < 0)
            break;
        const char *end = read_request(c, data);
        const char *answer = n < v->refuse ? "HTTP/1.1 500 no\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                                           : "HTTP/1.1 204 ok\r\nConnection: close\r\n\r\n";
        if (end && n >= v->refuse) {
            const char *signature = strstr(data, "X-Mandate-Signature: ");
            snprintf(v->body, sizeof(v->body), "%s", end + 4);
            if (signature)
                snprintf(v->signature, sizeof(v->signature), "%.*s", (int)strcspn(signature + 21, "\r"), signature + 21);
            atomic_fetch_add(&v->received, 1);
        }
        (void)!write(c, answer, strlen(answer));
        close(c);
    }
    free(data);
    return NULL;
}

void receiver_open(receiver *v)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(at);

    v->fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(v->fd, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(v->fd, 8), 0);
    assert_int_equal(getsockname(v->fd, (struct sockaddr *)&at, &size), 0);
    v->port = ntohs(at.sin_port);
    assert_int_equal(pthread_create(&v->thread, NULL, receive_notices, v), 0);
}

void receiver_close(receiver *v)
{
    atomic_store(&v->done, true);
    shutdown(v->fd, SHUT_RDWR);
    pthread_join(v->thread, NULL);
    close(v->fd);
}

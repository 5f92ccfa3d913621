/* SPDX-License-Identifier: Apache-2.0 */
/* client - see client.h. */
#include "connectors/signer/client.h"

#include "connectors/json/json_value.h"
#include "connectors/signer/frame.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct signer_client {
    pthread_mutex_t lock;
    char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
    int fd;           /* -1: none */
    int64_t tried_ms; /* last time that nobody answered */
    signer_purpose purpose;
    buf jwk; /* of the first connection: it stays that key */
};

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + 1;
}

static void hang_up(signer_client *c)
{
    if (c->fd >= 0)
        close(c->fd);
    c->fd = -1;
}

static mandate_status away(signer_client *c, const char *why, mandate_error *err)
{
    hang_up(c);
    return mandate_error_set(err, MANDATE_UNAVAILABLE, "the signer at %s %s: nothing is signed meanwhile", c->path, why);
}

static bool wait_for(int fd, short events, int64_t until_ms)
{
    struct pollfd p = {.fd = fd, .events = events};
    int64_t left = until_ms - now_ms();

    return left > 0 && poll(&p, 1, (int)left) == 1 && (p.revents & events);
}

static bool send_all(int fd, mandate_slice bytes, int64_t until_ms)
{
    size_t at = 0;

    while (at < bytes.len) {
        ssize_t n = send(fd, bytes.ptr + at, bytes.len - at, MSG_NOSIGNAL);
        if (n > 0)
            at += (size_t)n;
        else if (n == 0 || (errno != EAGAIN && errno != EINTR) || !wait_for(fd, POLLOUT, until_ms))
            return false;
    }
    return true;
}

static bool receive_all(int fd, char *to, size_t len, int64_t until_ms)
{
    size_t at = 0;

    while (at < len) {
        ssize_t n = recv(fd, to + at, len - at, 0);
        if (n > 0)
            at += (size_t)n;
        else if (n == 0 || (errno != EAGAIN && errno != EINTR) || !wait_for(fd, POLLIN, until_ms))
            return false;
    }
    return true;
}

/* One frame there, one back, appended to `out`. *broken: the connection is no good any more. */
static mandate_status exchange(signer_client *c, char kind, mandate_slice bytes, buf *out, bool *broken, mandate_error *err)
{
    int64_t until_ms = now_ms() + CLIENT_MS;
    char head[FRAME_HEAD], answer = 0;
    uint32_t len = 0;
    buf frame;

    buf_init(&frame);
    frame_put(&frame, kind, bytes);
    *broken = frame.failed || !send_all(c->fd, buf_slice(&frame), until_ms) ||
              !receive_all(c->fd, head, sizeof(head), until_ms) || !frame_head(head, &answer, &len) || answer < FRAME_DONE ||
              answer > FRAME_NOT_NOW;
    buf_reset(&frame);
    if (!*broken)
        *broken = !buf_reserve(&frame, len + 1u) || !receive_all(c->fd, frame.data, len, until_ms);
    mandate_status status = MANDATE_OK;
    if (*broken)
        status = away(c, "does not answer", err);
    else if (answer == FRAME_DONE)
        buf_put(out, frame.data, len);
    else
        status = mandate_error_set(err, answer == FRAME_REFUSED ? MANDATE_DENIED : MANDATE_UNAVAILABLE, "the signer: %.*s",
                                   (int)(len < 400 ? len : 400), frame.data);
    buf_deinit(&frame);
    return status;
}

/* A connection that is there, without asking anybody anything. */
static bool reach(signer_client *c)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (c->fd >= 0 || now_ms() - c->tried_ms < CLIENT_AGAIN_MS)
        return c->fd >= 0;
    strcpy(address.sun_path, c->path);
    c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c->fd >= 0 && connect(c->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        hang_up(c);
    if (c->fd < 0)
        c->tried_ms = now_ms();
    return c->fd >= 0;
}

/* The first time it is noted; later it must be the same. */
static mandate_status ask_key(signer_client *c, mandate_error *err)
{
    bool broken;
    buf jwk;

    buf_init(&jwk);
    mandate_status status =
        exchange(c, c->purpose == SIGNER_LOG ? FRAME_LOG_KEY : FRAME_KEY, mandate_slice_of("", 0), &jwk, &broken, err);
    if (status == MANDATE_OK && c->jwk.len == 0)
        buf_put_slice(&c->jwk, buf_slice(&jwk));
    else if (status == MANDATE_OK && !mandate_slice_eq(buf_slice(&c->jwk), buf_slice(&jwk)))
        status = away(c, "has another key than at the start", err);
    buf_deinit(&jwk);
    return status;
}

static mandate_status connected(signer_client *c, mandate_error *err)
{
    if (c->fd >= 0)
        return MANDATE_OK;
    if (!reach(c))
        return away(c, "is not there", err);
    mandate_status status = ask_key(c, err);
    if (status != MANDATE_OK)
        c->tried_ms = now_ms();
    return status;
}

static mandate_status sign(void *ctx, buf *out, mandate_slice message, mandate_error *err)
{
    signer_client *c = ctx;
    char kind = c->purpose == SIGNER_LOG ? FRAME_LOG_SIGN : FRAME_SIGN;
    bool broken = false;

    pthread_mutex_lock(&c->lock);
    mandate_status status = connected(c, err);
    if (status == MANDATE_OK)
        status = exchange(c, kind, message, out, &broken, err);
    if (broken && connected(c, err) == MANDATE_OK) /* it may have been restarted: once more, on a new connection */
        status = exchange(c, kind, message, out, &broken, err);
    if (broken)
        c->tried_ms = now_ms();
    pthread_mutex_unlock(&c->lock);
    return status;
}

bool signer_client_ready(signer_client *c)
{
    struct pollfd p = {.events = POLLIN};
    mandate_error err;

    pthread_mutex_lock(&c->lock);
    p.fd = c->fd;
    /* Nothing is to be read between two exchanges: whatever is there is the end of the connection. */
    if (c->fd >= 0 && poll(&p, 1, 0) != 0)
        hang_up(c);
    bool ready = c->fd >= 0 || (now_ms() - c->tried_ms >= CLIENT_AGAIN_MS && connected(c, &err) == MANDATE_OK);
    pthread_mutex_unlock(&c->lock);
    return ready;
}

mandate_status signer_client_open(signer_client **out, const char *path, signer_purpose purpose, mandate_error *err)
{
    signer_client *c = calloc(1, sizeof(*c));

    if (!c)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for a signer");
    pthread_mutex_init(&c->lock, NULL);
    buf_init(&c->jwk);
    c->purpose = purpose;
    c->fd = -1;
    c->tried_ms = -CLIENT_AGAIN_MS;
    mandate_status status = MANDATE_OK;
    if (strlen(path) >= sizeof(c->path))
        status = mandate_error_set(err, MANDATE_LIMIT, "%s is too long a path for a socket", path);
    else
        strcpy(c->path, path);
    if (status == MANDATE_OK)
        status = connected(c, err);
    if (status != MANDATE_OK) {
        signer_client_close(c);
        return status;
    }
    *out = c;
    return MANDATE_OK;
}

void signer_client_close(signer_client *c)
{
    if (!c)
        return;
    hang_up(c);
    buf_deinit(&c->jwk);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

mandate_status signer_client_key(token_key **out, signer_client *c, mandate_error *err)
{
    cel_value jwk;
    arena a;

    arena_init(&a, 0);
    mandate_status status = json_value_parse(&jwk, &a, buf_slice(&c->jwk), 0, err);
    if (status == MANDATE_OK)
        status = token_key_remote(out, jwk, sign, c, err);
    arena_deinit(&a);
    return status;
}

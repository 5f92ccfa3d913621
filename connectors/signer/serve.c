/* SPDX-License-Identifier: Apache-2.0 */
/* serve - see serve.h. */
#include "connectors/signer/serve.h"

#include "connectors/signer/frame.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { POLL_MS = 500 };

typedef struct connection {
    int fd; /* -1: none */
    buf in, out;
    size_t sent;
    int64_t
        since_ms; /* of the first byte of the frame that is not whole yet, or of an answer that is not taken; 0: neither */
} connection;

typedef struct server {
    const serve_options *options;
    serve_counts *counts;
    serve_counts own;
    int listener;
    connection connections[SERVE_CONNECTIONS];
    arena memory;
    buf jwks[SIGNER_PURPOSES]; /* each a JWK, empty: no such key */
    int64_t second;            /* that `left` is of */
    uint32_t left;
} server;

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000 + 1;
}

static void count(_Atomic uint64_t *n) { atomic_fetch_add_explicit(n, 1, memory_order_relaxed); }

static void drop(connection *c)
{
    if (c->fd >= 0)
        close(c->fd);
    buf_deinit(&c->in);
    buf_deinit(&c->out);
    *c = (connection){.fd = -1};
}

/* --- answers ---------------------------------------------------------------------------------------------------- */
static bool within_rate(server *s)
{
    int64_t second = now_ms() / 1000;

    if (second != s->second) {
        s->second = second;
        s->left = s->options->rate_max ? s->options->rate_max : SERVE_RATE;
    }
    return s->left > 0 && s->left--;
}

static void answer_sign(server *s, connection *c, signer_purpose purpose, mandate_slice message)
{
    mandate_error err = {0};
    buf signature;

    arena_reset(&s->memory);
    const token_key *key = s->options->keys[purpose];
    if (signer_may_sign(purpose, key, &s->memory, message, NULL, &err) != MANDATE_OK) {
        count(&s->counts->refused);
        frame_put(&c->out, FRAME_REFUSED, mandate_slice_str(err.text));
        return;
    }
    if (!within_rate(s)) {
        count(&s->counts->limited);
        frame_put(&c->out, FRAME_NOT_NOW, mandate_slice_str("more is asked for in a second than may be signed"));
        return;
    }
    buf_init(&signature);
    if (token_key_sign(&signature, key, message, &err) == MANDATE_OK) {
        count(&s->counts->signed_);
        frame_put(&c->out, FRAME_DONE, buf_slice(&signature));
    } else {
        frame_put(&c->out, FRAME_NOT_NOW, mandate_slice_str(err.text));
    }
    buf_deinit(&signature);
}

static void answer(server *s, connection *c, char kind, mandate_slice message)
{
    signer_purpose purpose = kind == FRAME_LOG_KEY || kind == FRAME_LOG_SIGN ? SIGNER_LOG : SIGNER_TOKENS;

    if (!s->options->keys[purpose])
        frame_put(&c->out, FRAME_REFUSED,
                  mandate_slice_str(purpose == SIGNER_LOG ? "it has no key of a log: start it with --audit-key"
                                                          : "it has no key of tokens: start it with --key"));
    else if (kind == FRAME_KEY || kind == FRAME_LOG_KEY)
        frame_put(&c->out, FRAME_DONE, buf_slice(&s->jwks[purpose]));
    else
        answer_sign(s, c, purpose, message);
}

/* The frames that are whole. False: it says something that is not of ours. */
static bool answer_all(server *s, connection *c)
{
    size_t at = 0;
    char kind;
    uint32_t len;

    while (c->in.len - at >= FRAME_HEAD) {
        if (!frame_head(c->in.data + at, &kind, &len) || kind < FRAME_LOG_SIGN /* an answer */ ||
            ((kind == FRAME_KEY || kind == FRAME_LOG_KEY) && len > 0))
            return false;
        if (c->in.len - at - FRAME_HEAD < len)
            break;
        answer(s, c, kind, mandate_slice_of(c->in.data + at + FRAME_HEAD, len));
        at += FRAME_HEAD + len;
        if (c->out.len > FRAME_MAX) /* whoever does not take answers gets no more of them */
            break;
    }
    if (at > 0)
        memmove(c->in.data, c->in.data + at, c->in.len - at);
    c->in.len -= at;
    return !c->in.failed && !c->out.failed;
}

/* --- connections -------------------------------------------------------------------------------------------------- */
static bool is_known(const server *s, int fd)
{
    struct ucred who;
    socklen_t len = sizeof(who);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) != 0)
        return false;
    for (uint32_t i = 0; i < s->options->uid_count; i++)
        if (s->options->uids[i] == who.uid)
            return true;
    return false;
}

static void accept_one(server *s)
{
    int fd = accept4(s->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    connection *free_one = NULL;

    if (fd < 0)
        return;
    for (int i = 0; i < SERVE_CONNECTIONS && !free_one; i++)
        free_one = s->connections[i].fd < 0 ? &s->connections[i] : NULL;
    if (!is_known(s, fd) || !free_one) {
        count(free_one ? &s->counts->strangers : &s->counts->limited);
        close(fd);
        return;
    }
    *free_one = (connection){.fd = fd};
    buf_init(&free_one->in);
    buf_init(&free_one->out);
}

/* False: it is to be closed. */
static bool receive(server *s, connection *c)
{
    char chunk[16384];
    ssize_t n = recv(c->fd, chunk, sizeof(chunk), 0);

    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        return false;
    if (n > 0)
        buf_put(&c->in, chunk, (size_t)n);
    if (c->in.len > FRAME_HEAD + FRAME_MAX + sizeof(chunk) || !answer_all(s, c)) {
        count(&s->counts->broken);
        return false;
    }
    return true;
}

static bool send_out(connection *c)
{
    ssize_t n = send(c->fd, c->out.data + c->sent, c->out.len - c->sent, MSG_NOSIGNAL);

    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    c->sent += (size_t)n;
    if (c->sent == c->out.len) {
        buf_reset(&c->out);
        c->sent = 0;
    }
    return true;
}

static void serve_one(server *s, connection *c, short events)
{
    bool good = !(events & (POLLERR | POLLNVAL));

    if (good && (events & (POLLIN | POLLHUP)))
        good = receive(s, c);
    if (good && c->out.len)
        good = send_out(c);
    bool waiting = c->in.len || c->out.len;
    if (good && waiting && c->since_ms && now_ms() - c->since_ms > FRAME_MS) {
        count(&s->counts->broken);
        good = false;
    }
    c->since_ms = !waiting ? 0 : c->since_ms ? c->since_ms : now_ms();
    if (!good)
        drop(c);
}

/* --- the socket ------------------------------------------------------------------------------------------------------ */
static mandate_status listen_at(server *s, mandate_error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = s->options->path;

    if (strlen(path) >= sizeof(address.sun_path))
        return mandate_error_set(err, MANDATE_LIMIT, "%s is too long a path for a socket", path);
    strcpy(address.sun_path, path);
    int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool taken = probe >= 0 && connect(probe, (struct sockaddr *)&address, sizeof(address)) == 0;
    if (probe >= 0)
        close(probe);
    if (taken)
        return mandate_error_set(err, MANDATE_CONFLICT, "somebody answers at %s already", path);
    struct stat is;
    if (lstat(path, &is) == 0 && (!S_ISSOCK(is.st_mode) || unlink(path) != 0))
        return mandate_error_set(err, MANDATE_CONFLICT, "%s is there and is no socket that could be replaced", path);
    s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* Whoever may is said by uid; the file lets them reach us. */
    mode_t before = umask(0117);
    bool good = s->listener >= 0 && bind(s->listener, (struct sockaddr *)&address, sizeof(address)) == 0 &&
                listen(s->listener, SERVE_CONNECTIONS) == 0;
    umask(before);
    return good ? MANDATE_OK : mandate_error_set(err, MANDATE_IO, "cannot listen at %s: %s", path, strerror(errno));
}

static void turn(server *s)
{
    struct pollfd fds[SERVE_CONNECTIONS + 1] = {{.fd = s->listener, .events = POLLIN}};

    for (int i = 0; i < SERVE_CONNECTIONS; i++) {
        const connection *c = &s->connections[i];
        fds[i + 1].fd = c->fd;
        fds[i + 1].events = (short)((c->out.len <= FRAME_MAX ? POLLIN : 0) | (c->out.len ? POLLOUT : 0));
    }
    if (poll(fds, SERVE_CONNECTIONS + 1, POLL_MS) < 0)
        return;
    for (int i = 0; i < SERVE_CONNECTIONS; i++)
        if (s->connections[i].fd >= 0)
            serve_one(s, &s->connections[i], fds[i + 1].revents);
    if (fds[0].revents & POLLIN)
        accept_one(s);
}

mandate_status serve_run(const serve_options *options, serve_counts *counts, mandate_error *err)
{
    server *s = calloc(1, sizeof(*s));

    if (!s)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for a signer");
    s->options = options;
    s->counts = counts ? counts : &s->own;
    s->listener = -1;
    arena_init(&s->memory, 16 << 20);
    for (int i = 0; i < SERVE_CONNECTIONS; i++)
        s->connections[i].fd = -1;
    mandate_status status = MANDATE_OK;
    for (int p = 0; p < SIGNER_PURPOSES; p++) {
        buf_init(&s->jwks[p]);
        if (status == MANDATE_OK && options->keys[p])
            status = token_key_put_jwk(&s->jwks[p], options->keys[p], err);
    }
    if (status == MANDATE_OK)
        status = listen_at(s, err);
    while (status == MANDATE_OK && !(options->stopping && atomic_load(options->stopping)))
        turn(s);
    for (int i = 0; i < SERVE_CONNECTIONS; i++)
        drop(&s->connections[i]);
    if (s->listener >= 0) {
        close(s->listener);
        unlink(options->path);
    }
    for (int p = 0; p < SIGNER_PURPOSES; p++)
        buf_deinit(&s->jwks[p]);
    arena_deinit(&s->memory);
    free(s);
    return status;
}

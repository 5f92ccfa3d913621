/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listen - the listening sockets, and under which names they may be addressed.
 *
 * The Unix socket never exists with wider rights than asked for: its mode is set before it is
 * bound, and nobody can connect before listen(). A socket file that nobody listens on is left over
 * from a crash and is replaced.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "connectors/http/server_int.h"

enum { BACKLOG = 256 };

static mandate_status remove_stale(const struct sockaddr_un *address, mandate_error *err)
{
    struct stat st;
    mandate_status status = MANDATE_OK;
    if (lstat(address->sun_path, &st) != 0)
        return MANDATE_OK;
    if (!S_ISSOCK(st.st_mode))
        return mandate_error_set(err, MANDATE_CONFLICT, "%s exists and is no socket; remove it or choose another path",
                                 address->sun_path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "socket: %s", strerror(errno));
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN)
        status = mandate_error_set(err, MANDATE_CONFLICT, "another process is listening on %s", address->sun_path);
    else if (errno == ECONNREFUSED)
        unlink(address->sun_path);
    close(fd);
    return status;
}

mandate_status http_listen_unix(int *out, http_server *s, const char *path, uint32_t mode, mandate_error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat st;
    if (strlen(path) >= sizeof(address.sun_path))
        return mandate_error_set(err, MANDATE_LIMIT, "the socket path %s is longer than %zu bytes", path,
                                 sizeof(address.sun_path) - 1);
    memcpy(address.sun_path, path, strlen(path) + 1);
    mandate_status status = remove_stale(&address, err);
    if (status)
        return status;

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* chmod again because bind applies the umask; listen only then, so that no one came in before.
     */
    if (fd < 0 || fchmod(fd, mode) != 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        chmod(path, mode) != 0 || listen(fd, BACKLOG) != 0 || stat(path, &st) != 0) {
        int code = errno;
        if (fd >= 0)
            close(fd);
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "cannot listen on %s: %s", path, strerror(code));
    }
    s->socket_dev = st.st_dev;
    s->socket_ino = st.st_ino;
    *out = fd;
    return MANDATE_OK;
}

void http_unlink_unix(const http_server *s)
{
    struct stat st;
    const char *path = s->options.socket_path;
    if (path && s->socket_ino && lstat(path, &st) == 0 && st.st_dev == s->socket_dev && st.st_ino == s->socket_ino)
        unlink(path);
}

mandate_status http_listen_tcp(int *out, uint16_t *port, const char *host, bool beyond, mandate_error *err)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(*port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(*port)};
    struct sockaddr *address = (struct sockaddr *)&v4;
    socklen_t size = sizeof(v4);

    bool is_v4 = inet_pton(AF_INET, host, &v4.sin_addr) == 1 && (beyond || ntohl(v4.sin_addr.s_addr) >> 24 == 127);
    bool is_v6 = !is_v4 && inet_pton(AF_INET6, host, &v6.sin6_addr) == 1 && (beyond || IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr));
    if (!is_v4 && !is_v6)
        return mandate_error_set(err, MANDATE_DENIED,
                                 beyond ? "http.tcp: %s is no address"
                                        : "refusing to listen on %s: callers are not authenticated there, so only loopback "
                                          "(127.0.0.1, ::1) is possible without http.tls_certificate and a policy",
                                 host);
    bool is_loopback = is_v6 ? IN6_IS_ADDR_LOOPBACK(&v6.sin6_addr) : ntohl(v4.sin_addr.s_addr) >> 24 == 127;
    if (is_v6) {
        address = (struct sockaddr *)&v6;
        size = sizeof(v6);
    }
    int one = 1;
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 || bind(fd, address, size) != 0 ||
        listen(fd, BACKLOG) != 0 || getsockname(fd, address, &size) != 0) {
        int code = errno;
        if (fd >= 0)
            close(fd);
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "cannot listen on %s port %u: %s", host, *port, strerror(code));
    }
    /* Advice: on loopback nothing is congested, and a model of the network that paces what is sent costs and delays. Accepted ones
     * have it, too. */
    if (is_loopback)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "reno", 4);
    *port = ntohs(is_v6 ? v6.sin6_port : v4.sin_port);
    *out = fd;
    return MANDATE_OK;
}

/* Host without its port; brackets of IPv6 stay off. */
static mandate_slice host_part(const char *host)
{
    size_t len = strlen(host);
    if (host[0] == '[') {
        const char *end = strchr(host, ']');
        return end ? mandate_slice_of(host + 1, (size_t)(end - host) - 1) : mandate_slice_of(host, len);
    }
    const char *colon = strrchr(host, ':');
    return mandate_slice_of(host, colon ? (size_t)(colon - host) : len);
}

bool http_host_is_ours(const http_server *s, const char *host)
{
    mandate_slice name = host_part(host);
    if (mandate_slice_is(name, "localhost") || mandate_slice_is(name, s->options.tcp_host) ||
        mandate_slice_is(name, "127.0.0.1") || mandate_slice_is(name, "::1"))
        return true;
    const char *base = s->options.base_url ? strstr(s->options.base_url, "://") : NULL;
    char authority[256];
    if (!base)
        return false;
    snprintf(authority, sizeof(authority), "%.*s", (int)strcspn(base + 3, "/"), base + 3);
    return mandate_slice_eq(name, host_part(authority));
}

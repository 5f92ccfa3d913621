/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch - absolute deadlines. libmicrohttpd's timeout is reset by every byte; this one is not.
 *
 * A connection has deadline_ms to finish the headers of its next request (so an idle one is closed
 * after as long) and again to send the body and take the answer. What is late is shut down; a
 * request that waits for the engine is answered 503 instead, because its outcome is unknown and the
 * client must be told so.
 */
#include <sys/socket.h>
#include <time.h>

#include "connectors/http/server_int.h"

int64_t http_clock_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now); /* to the tick: for deadlines of seconds, twice a request */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void cut(http_server *s, http_connection *c)
{
    http_request *r = c->asked;
    if (r && r->waiting) {
        s->late++;
        http_request_abandon(r);
        c->since_ms = http_clock_ms(); /* time to send the 503 */
        return;
    }
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    c->cut = true;
    s->cut++;
    if (info)
        shutdown(info->connect_fd, SHUT_RDWR);
}

void *http_watch(void *server)
{
    http_server *s = server;
    http_hub *hub = s->hub;
    int64_t deadline = s->options.deadline_ms;
    int64_t period = deadline / 8 < 5 ? 5 : deadline / 8 > 500 ? 500 : deadline / 8;

    pthread_mutex_lock(&hub->lock);
    while (s->watching) {
        int64_t now = http_clock_ms();
        for (http_connection *c = hub->connections; c; c = c->next)
            if (!c->cut && now - c->since_ms > deadline)
                cut(s, c);
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_nsec += (period % 1000) * 1000000;
        until.tv_sec += period / 1000 + until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&hub->changed, &hub->lock, &until);
    }
    pthread_mutex_unlock(&hub->lock);
    return NULL;
}

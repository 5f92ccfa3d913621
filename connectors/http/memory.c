/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory - what all requests in progress hold together: bodies that come, what was made of them while the engine is waited for,
 * replies that are not read yet.
 *
 * Every connection may have HTTP_OWN_MAX uncounted, so that small requests, which most are, are always served and cost nothing here. What is
 * more counts against http_options.memory_max; a request that would go beyond it is refused before anything of it is done. One request at a
 * time, on each listener's thread, may have HTTP_REQUEST_MEMORY besides while it is worked at.
 *
 *   all of it <= connections x (CONNECTION_MEMORY of server.c + HTTP_OWN_MAX) + memory_max + listeners x HTTP_REQUEST_MEMORY (and its reply)
 */
#include "connectors/http/server_int.h"

static size_t held_by(const http_request *r)
{
    size_t all = r->a.used + r->body.cap + r->reply.cap + r->ask.body.cap;
    return all > HTTP_OWN_MAX ? all : 0;
}

bool http_memory_allows(http_request *r)
{
    size_t before = r->held, now = r->abandoned ? before : held_by(r); /* the service has it then */
    if (now == before)
        return true;
    _Atomic uint64_t *held = &r->server->hub->held;
    r->held = now;
    if (now < before) {
        atomic_fetch_sub(held, before - now);
        return true;
    }
    return atomic_fetch_add(held, now - before) + (now - before) <= r->server->options.memory_max;
}

void http_memory_release(http_hub *hub, http_request *r)
{
    atomic_fetch_sub(&hub->held, r->held);
    r->held = 0;
}

void http_memory_trim(http_request *r)
{
    if (r->abandoned || r->held == 0)
        return; /* the service still reads it */
    buf_deinit(&r->body);
    buf_deinit(&r->ask.body);
    arena_deinit(&r->a);
    arena_init(&r->a, HTTP_REQUEST_MEMORY);
    (void)http_memory_allows(r);
}

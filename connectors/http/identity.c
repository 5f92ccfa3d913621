/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity - who is at the other end, and names for new mandates.
 *
 * On the Unix socket the kernel says who connected. X-Mandate-Principal lets a front end say for whom it acts: without a policy one
 * that runs as our own user or as root, with a policy one that the policy lets speak for that name. From anyone else it is
 * refused, never ignored: a caller who believes to be somebody must not be recorded as somebody else.
 *
 * Who somebody is, is found out once for a connection and kept as long as the headers, the policy and the token's life stay the same.
 */
#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "connectors/http/server_int.h"
#include "engine/base/text.h"

enum { IDENTITY_MEMORY = 1 << 20 };

void http_identity_release(http_identity *identity)
{
    if (!identity || atomic_fetch_sub(&identity->refs, 1) != 1)
        return;
    arena_deinit(&identity->a);
    free(identity);
}

int64_t http_now_us(const http_server *s)
{
    struct timespec now;
    if (s->port.now_us)
        return s->port.now_us(s->port.ctx);
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* The token of "Bearer <token>", empty without the header; without a policy nobody reads it. What is there and is no token is refused
 * as one, and not passed over. */
static mandate_slice bearer_of(http_request *r)
{
    const char *header = http_service(r)->login ? r->headers.authorization : NULL;
    if (!header)
        return mandate_slice_of("", 0);
    return mandate_slice_str(strncasecmp(header, "Bearer ", 7) == 0 && header[7] ? header + 7 : "(no token)");
}

static int peer_fd(const http_request *r)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(r->on->mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info ? info->connect_fd : -1;
}

/* --- what the connection proves ------------------------------------------------------------------------------------ */
static mandate_status from_connection(http_request *r, http_identity *out, mandate_error *err)
{
    policy_principal *who = &out->who;
    struct ucred peer;
    socklen_t size = sizeof(peer);

    if (r->on->listener->tls)
        return http_tls_peer(who, &out->a, r->on, err);
    if (!r->on->listener->is_unix) {
        who->kind = PRINCIPAL_ANONYMOUS;
        who->name = mandate_slice_str("anonymous@loopback");
        return MANDATE_OK;
    }
    if (getsockopt(peer_fd(r), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
        return mandate_error_set(err, MANDATE_DENIED, "the system does not say who is connected");
    who->kind = PRINCIPAL_UNIX;
    who->uid = peer.uid;
    who->gid = peer.gid;
    who->name = arena_printf(&out->a, "uid:%u", (unsigned)peer.uid);
    if (!who->name.ptr)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory");
    return http_service(r)->login ? http_peer_names(who, &out->a, peer_fd(r), err) : MANDATE_OK;
}

/* Without a policy: our own user and root may name somebody. */
static mandate_status named(http_request *r, http_identity *out, mandate_error *err)
{
    policy_principal *who = &out->who;

    if (who->uid != 0 && who->uid != geteuid())
        return mandate_error_set(err, MANDATE_DENIED, "X-Mandate-Principal is accepted from uid %u and root, not uid %u",
                                 (unsigned)geteuid(), (unsigned)who->uid);
    who->kind = PRINCIPAL_NAMED;
    who->name = out->claimed;
    return MANDATE_OK;
}

static mandate_status login(http_request *r, http_identity *out, unsigned *code, mandate_error *err)
{
    const service *port = http_service(r);
    bool claims_name = r->headers.principal != NULL;
    service_login in = {.who = &out->who, .a = &out->a, .bearer = out->bearer, .claimed = out->claimed};

    *code = MHD_HTTP_FORBIDDEN;
    if (claims_name && !r->on->listener->is_unix)
        return mandate_error_set(err, MANDATE_DENIED,
                                 "X-Mandate-Principal is accepted on the Unix socket only: over TCP nobody vouches for it");
    mandate_status status = from_connection(r, out, err);
    if (status)
        return status;
    if (claims_name && !principal_name_valid(out->claimed)) {
        *code = MHD_HTTP_BAD_REQUEST;
        return mandate_error_set(err, MANDATE_INVALID, "X-Mandate-Principal must be 1 to %d bytes of printable text",
                                 LIMIT_ID);
    }
    if (!port->login)
        return claims_name ? named(r, out, err) : MANDATE_OK;
    status = port->login(port->ctx, &in, err);
    if (in.wrong_bearer)
        *code = MHD_HTTP_UNAUTHORIZED;
    if (status && status != MANDATE_DENIED && status != MANDATE_INVALID)
        *code = http_code_of(status);
    return status;
}

/* --- once a connection ------------------------------------------------------------------------------------------------ */
static bool still_good(http_request *r, const http_identity *kept, mandate_slice claimed, mandate_slice bearer)
{
    const service *port = http_service(r);

    return kept && mandate_slice_eq(kept->claimed, claimed) && mandate_slice_eq(kept->bearer, bearer) &&
           (!port->login || kept->who.generation == port->generation(port->ctx)) &&
           (!kept->who.until_us || http_now_us(r->server) < kept->who.until_us);
}

mandate_status http_identify(http_request *r, unsigned *code, mandate_error *err)
{
    const char *header = r->headers.principal;
    mandate_slice claimed = mandate_slice_str(header ? header : ""), bearer = bearer_of(r);
    http_connection *c = r->on;

    if (still_good(r, c->identity, claimed, bearer) && (c->identity->claimed.len || !header)) {
        r->who = &c->identity->who;
        return MANDATE_OK;
    }
    http_identity_release(c->identity);
    c->identity = calloc(1, sizeof(*c->identity));
    *code = MHD_HTTP_INTERNAL_SERVER_ERROR;
    if (!c->identity)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory");
    arena_init(&c->identity->a, IDENTITY_MEMORY);
    c->identity->refs = 1;
    c->identity->claimed = arena_dup(&c->identity->a, claimed);
    c->identity->bearer = arena_dup(&c->identity->a, bearer);
    mandate_status status =
        c->identity->a.failed ? mandate_error_set(err, MANDATE_NOMEM, "out of memory") : login(r, c->identity, code, err);
    if (status) {
        http_identity_release(c->identity);
        c->identity = NULL;
        return status;
    }
    assert(c->identity->who.name.len);
    r->who = &c->identity->who;
    return MANDATE_OK;
}

mandate_status http_principal(mandate_slice *out, http_request *r, mandate_error *err)
{
    assert(r->who && r->who->name.len);
    *out = r->who->name;
    return MANDATE_OK;
}

static mandate_slice new_id(arena *a, char kind)
{
    static const char digits[] = "abcdefghijklmnopqrstuvwxyz234567";
    uint8_t random[16];
    char text[2 + 26] = {kind, '-'};
    size_t got = 0;
    while (got < sizeof(random)) {
        ssize_t n = getrandom(random + got, sizeof(random) - got, 0);
        if (n < 0 && errno != EINTR)
            return mandate_slice_of(NULL, 0);
        got += n > 0 ? (size_t)n : 0;
    }
    for (unsigned i = 0; i < 26; i++) {
        unsigned bit = i * 5, at = bit / 8;
        unsigned pair = (unsigned)random[at] << 8 | (at + 1 < sizeof(random) ? random[at + 1] : 0);
        text[2 + i] = digits[pair >> (11 - bit % 8) & 31];
    }
    return arena_dup(a, mandate_slice_of(text, sizeof(text)));
}

mandate_slice http_new_mandate_id(arena *a) { return new_id(a, 'm'); }

mandate_slice http_new_watch_id(arena *a) { return new_id(a, 'w'); }

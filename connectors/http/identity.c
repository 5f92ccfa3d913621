/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity - who is at the other end, and names for new mandates.
 *
 * On the Unix socket the kernel says who connected. X-Mandate-Principal lets a front end that runs
 * as our own user (or as root) say for whom it acts; from anyone else it is refused, never ignored:
 * a caller who believes to be somebody must not be recorded as somebody else.
 */
#include <assert.h>
#include <errno.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "connectors/http/server_int.h"
#include "engine/base/text.h"

static bool peer(http_request *r, struct ucred *out)
{
    socklen_t size = sizeof(*out);
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(r->on->mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    return info && getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, out, &size) == 0;
}

static bool is_name(const char *text)
{
    size_t len = strlen(text);
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return false;
    return len > 0 && len <= LIMIT_ID && utf8_valid(mandate_slice_of(text, len));
}

mandate_status http_identify(http_request *r, mandate_error *err)
{
    mandate_slice *name = &r->who.name;
    const char *claimed = http_header(r, "X-Mandate-Principal");
    struct ucred who;
    if (!r->on->listener->is_unix) {
        if (claimed)
            return mandate_error_set(err, MANDATE_DENIED,
                                     "X-Mandate-Principal is accepted on the Unix socket only: "
                                     "over TCP nobody vouches for it");
        r->who.kind = PRINCIPAL_ANONYMOUS;
        *name = mandate_slice_str("anonymous@loopback");
        return MANDATE_OK;
    }
    if (!peer(r, &who))
        return mandate_error_set(err, MANDATE_DENIED, "the system does not say who is connected");
    if (claimed && who.uid != 0 && who.uid != geteuid())
        return mandate_error_set(err, MANDATE_DENIED, "X-Mandate-Principal is accepted from uid %u and root, not uid %u",
                                 (unsigned)geteuid(), (unsigned)who.uid);
    if (claimed && !is_name(claimed))
        return mandate_error_set(err, MANDATE_INVALID, "X-Mandate-Principal must be 1 to %d bytes of printable text",
                                 LIMIT_ID);
    *name = claimed ? arena_dup(&r->a, mandate_slice_str(claimed)) : arena_printf(&r->a, "uid:%u", (unsigned)who.uid);
    r->who.kind = claimed ? PRINCIPAL_NAMED : PRINCIPAL_UNIX;
    r->who.uid = who.uid;
    r->who.gid = who.gid;
    return name->ptr ? MANDATE_OK : mandate_error_set(err, MANDATE_NOMEM, "out of memory");
}

mandate_status http_principal(mandate_slice *out, http_request *r, mandate_error *err)
{
    assert(r->who.name.len);
    *out = r->who.name;
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

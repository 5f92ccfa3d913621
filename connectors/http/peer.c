/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer - what the system calls the user and the groups of a process at the other end of a Unix socket.
 *
 * The kernel gives numbers (SO_PEERCRED, SO_PEERGROUPS: as they were when it connected); names come from the system's databases.
 * They are kept for a minute, so that a slow directory service is asked once and not for every connection. A number without
 * a name is called by its number: a policy that names groups does not match it.
 */
#include <errno.h>
#include <grp.h>
#include <pthread.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/socket.h>

#include "connectors/http/server_int.h"

enum { NAMES_MAX = 512, NAME_BYTES = 64, KEPT_MS = 60000, ANSWER_BYTES = 64 << 10 };

typedef struct kept_name {
    int64_t until_ms;
    uint32_t id;
    bool is_group;
    char text[NAME_BYTES];
} kept_name;

static struct {
    pthread_mutex_t lock;
    kept_name names[NAMES_MAX];
} kept = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void ask_system(kept_name *out)
{
    static char answer[ANSWER_BYTES]; /* under the lock; a group's members are in it too */
    const char *name = NULL;

    if (out->is_group) {
        struct group g, *found = NULL;
        if (getgrgid_r(out->id, &g, answer, sizeof(answer), &found) == 0 && found)
            name = found->gr_name;
    } else {
        struct passwd p, *found = NULL;
        if (getpwuid_r(out->id, &p, answer, sizeof(answer), &found) == 0 && found)
            name = found->pw_name;
    }
    if (name && strlen(name) < sizeof(out->text) && principal_name_valid(mandate_slice_str(name)))
        memcpy(out->text, name, strlen(name) + 1);
    else
        snprintf(out->text, sizeof(out->text), "%u", out->id);
}

static mandate_slice name_of(arena *a, uint32_t id, bool is_group)
{
    int64_t now = http_clock_ms();

    pthread_mutex_lock(&kept.lock);
    kept_name *slot = &kept.names[(id * 2 + is_group) % NAMES_MAX];
    if (slot->until_ms <= now || slot->id != id || slot->is_group != is_group) {
        *slot = (kept_name){.until_ms = now + KEPT_MS, .id = id, .is_group = is_group};
        ask_system(slot);
    }
    mandate_slice out = arena_dup(a, mandate_slice_str(slot->text));
    pthread_mutex_unlock(&kept.lock);
    return out;
}

mandate_status http_peer_names(policy_principal *who, arena *a, int fd, mandate_error *err)
{
    gid_t gids[LIMIT_GROUPS];
    socklen_t size = sizeof(gids);
    uint32_t count = 0;

    /* More groups than that: which of them count would be chance. */
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, gids, &size) != 0)
        return mandate_error_set(err, MANDATE_DENIED, "the system does not say which groups the process is in: %s",
                                 strerror(errno));
    size /= sizeof(*gids);
    mandate_slice *groups = ARENA_ARRAY(a, mandate_slice, (size_t)size + 1);
    if (!groups)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory");
    groups[count++] = name_of(a, who->gid, true);
    for (socklen_t i = 0; i < size; i++)
        if (gids[i] != who->gid)
            groups[count++] = name_of(a, gids[i], true);
    who->user = name_of(a, who->uid, false);
    who->groups = groups;
    who->group_count = count;
    return a->failed ? mandate_error_set(err, MANDATE_NOMEM, "out of memory") : MANDATE_OK;
}

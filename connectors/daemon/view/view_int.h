/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_int - what the files of the view share.
 *
 *   view.c         the entries, found through 64 locked tables, and their writing     view_claims.c   what they permit, kept
 *   view_early.c   what is written and denies, before the entries have it
 *   view_check.c   one mandate decides                                                view_found.c    those of an agent decide
 *   view_sources.c whose word they rest on                            view_required.c where those values contradict each other
 */
#ifndef MANDATE_CONNECTORS_DAEMON_VIEW_INT_H
#define MANDATE_CONNECTORS_DAEMON_VIEW_INT_H

#include "connectors/daemon/view/view.h"
#include "connectors/daemon/view/view_agents.h"
#include "connectors/daemon/view/view_decisions.h"
#include "engine/base/pool.h"
#include "engine/mandate/required.h"

#include <stdatomic.h>

enum {
    VIEW_SHARDS = 64,
    VIEW_CHUNK = 1 << 16, /* entries of one huge page */
    VIEW_CHUNKS = 1 << 11,
    VIEW_CLAIMS_MAX = 256 << 20,
    VIEW_CLAIMS_LOOKED = 16 /* work of reading claims, in mandates looked at (service_verdict.looked) */
};

/* What a check needs of a mandate's claims, in one block: a check is a handful of cache misses and little else. */
typedef struct view_claims {
    size_t size;
    bool pooled; /* kept; else malloc's */
    mandate_slice agent;
    const mandate_slice *actions, *resources;
    const claims_limit *limits;
    const claims_required *required;
    uint32_t action_count, resource_count, limit_count, required_count;
    bool limits_restricted;             /* some are: no text says which */
    bool required_restricted;           /* the same */
    bool clauses_restricted;            /* some are: nobody is told on which connectors they rest */
    const uint8_t *restricted;          /* of each action, then of each resource: not to be listed; NULL: of none */
    _Alignas(claims_limit) char data[]; /* limits, required, their values, then names, then strings, then bytes */
} view_claims;

/* Never changes but for the link and what it rests on; written before the entry can be found. */
typedef struct view_id {
    view_link link; /* the agents' */
    uint32_t parent;
    uint16_t len;
    _Atomic uint16_t sources; /* the number of the set that its own conditions rest on; changes with an amendment */
    char text[];
} view_id;
_Static_assert(LIMIT_ID <= UINT16_MAX, "the length of an id");

/* word: turns << 40 | version << 8 | state. Turns are odd while nothing is left of one of its budgets. */
enum { VIEW_TURNS = 40 };
static inline bool view_exhausted(uint64_t word) { return word >> VIEW_TURNS & 1; }

typedef struct view_entry {
    _Atomic uint64_t word;
    _Atomic int64_t expires_at_us;
    view_id *id;
    _Atomic(view_claims *) claims; /* given up by an amendment, under claims_lock and the agents' lock: a reader holds one */
} view_entry;
_Static_assert(sizeof(view_entry) == 32, "two to a cache line");

/* How mandates stand that wait for their record: state + 1, or 0. */
typedef struct view_waits {
    _Atomic uint8_t state[VIEW_CHUNK];
} view_waits;

/* What is written, denies, and is not told yet: view_early.c. */
typedef struct view_ahead {
    _Atomic uint16_t own[VIEW_CHUNK];
    _Atomic uint8_t mass[VIEW_CHUNK];
    uint64_t block[VIEW_CHUNK / VIEW_EARLY_BLOCK]; /* the last step that wrote there; 0: nothing is there */
} view_ahead;

typedef struct view_shard {
    pthread_rwlock_t lock;
    table ids;
} view_shard;

struct view {
    view_options options;
    _Atomic(view_entry *) chunks[VIEW_CHUNKS];
    _Atomic(view_waits *) waits[VIEW_CHUNKS]; /* as the chunks; NULL: nobody waits */
    _Atomic(view_ahead *) ahead[VIEW_CHUNKS]; /* as the chunks; NULL: nobody was ever denied early */
    _Atomic uint64_t early;                   /* how much is in there */
    pthread_mutex_t early_lock;               /* of the blocks */
    view_shard shards[VIEW_SHARDS];
    view_agents agents;
    view_decisions *decisions;
    pthread_rwlock_t claims_lock[VIEW_SHARDS];      /* by handle */
    pthread_mutex_t claims_pool_lock;               /* the last of all locks */
    pool claims_pool;                               /* of what is kept, close together: a check is little but cache misses */
    pool id_pool;                                   /* whoever tells */
    _Atomic(source_set *) rests[LIMIT_SOURCE_SETS]; /* by number - 1; once there it stays */
    bool setting;                                   /* the engine's thread holds the agents' lock */
    _Atomic bool swapping;                          /* one mandate takes another's place in the step that is being set */
    _Atomic uint64_t seq, claims_bytes;
    _Atomic int64_t now_us, stepped_us;
    char apart[64]; /* what every check reads is not in a line with what every change of a mandate writes */
    _Atomic uint64_t counts[STATE_COUNT];
};

static inline view_entry *view_entry_at(const view *v, uint32_t handle)
{
    view_entry *chunk = handle / VIEW_CHUNK < VIEW_CHUNKS ? atomic_load(&v->chunks[handle / VIEW_CHUNK]) : NULL;

    return chunk ? &chunk[handle % VIEW_CHUNK] : NULL;
}

/* Before its word is read: a record that has come since is in the word. */
static inline uint8_t view_waiting_at(const view *v, uint32_t handle)
{
    const view_waits *w = atomic_load_explicit(&v->waits[handle / VIEW_CHUNK], memory_order_acquire);

    return w ? atomic_load(&w->state[handle % VIEW_CHUNK]) : 0;
}

/* The handle of an id, or TABLE_NONE. */
uint32_t view_find(view *v, mandate_slice id);

/* --- view_early.c ---------------------------------------------------------------------------------------------- */
/* The nearest of the mandate and its ancestors that something written denies and nobody was told of yet, or NULL; `state`: ACTIVE,
 * nothing is left of a budget. Asked before view_walk: what is not here any more is there. */
const view_entry *view_early(const view *v, uint32_t handle, mandate_state *state);

/* --- view_claims.c --------------------------------------------------------------------------------------------- */
/* Claims of an entry; `*mine` when the caller gives them back. NULL: they cannot be read, so nothing is permitted. */
view_claims *view_claims_get(view *v, view_entry *e, bool *mine, mandate_error *err);
/* NULL is allowed. */
void view_claims_free(view *v, view_claims *c);
bool view_covers(const mandate_slice *patterns, uint32_t count, mandate_slice name);

/* --- view_sources.c -------------------------------------------------------------------------------------------- */
/* Adds what a mandate and all its ancestors rest on; true into `*restricted` where a condition of theirs is restricted, or none can say.
 * Under the agents' lock or none, and no other. */
void view_rests_on(view *v, uint32_t handle, source_set *out, bool *restricted);
void view_rests_deinit(view *v);

/* --- view_check.c ---------------------------------------------------------------------------------------------- */
/* The nearest of the mandate and its ancestors that does not permit now (its state says why; ACTIVE: nothing is left of a budget), or
 * NULL: all of them did at once, at some moment. `looked` grows by the mandates that were looked at. */
const view_entry *view_walk(const view *v, uint32_t handle, int64_t now_us, mandate_state *state, uint32_t *looked);
void view_deny(service_verdict *out, const char *reason, const char *format, ...) MANDATE_PRINTF(3, 4);
/* What its claims say: decision, or why not. */
typedef enum view_ruling {
    RULING_PERMITS,
    RULING_ACTOR,   /* it is another agent's */
    RULING_OUTSIDE, /* another action or resource */
    RULING_OVER,    /* a number is more than it may be, or none */
    RULING_OTHER,   /* a property has another value than it must have, and no number is too high */
    RULING_UNSAID   /* it bounds what is not said, and permits what is */
} view_ruling;
view_ruling view_scope(const view_claims *c, const service_check *in, service_verdict *out);

/* --- view_required.c ------------------------------------------------------------------------------------------- */
/* Those that govern, some of which refuse a value that was said. True: of each such property they have no value in common. False: some value
 * would satisfy all who require one, so the more restrictive simply wins. */
bool view_required_clash(const view_claims *const *all, uint32_t count, const scope_question *q);
/* service_required.asked; false: out of memory. */
bool view_required_asked(const view_claims *const *all, uint32_t count, const scope_question *q, service_required *out);
static inline scope_question view_question(const service_check *in)
{
    return (scope_question){in->action, in->resource, in->params, in->properties, in->context};
}

/* --- view_found.c ---------------------------------------------------------------------------------------------- */
/* Those that are named together, or without any all of the agent's that govern. */
void view_check_several(view *v, const service_check *in, int64_t now_us, service_verdict *out);

#endif

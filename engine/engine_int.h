/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_int - the state of the engine, shared by the files of this folder.
 *
 *   step.c      one batch           deadline.c  time moves         command.c  commands; issue.c, delegate.c, amend.c
 *   end.c       one mandate changes state, with its evidence       cascade.c  what falls with it, in slices
 *   watch.c     conditions that are only watched                   watch_store.c  their stored form
 *   decide.c    questions to humans            decide_store.c  their stored form
 *   flip.c      conditions flipped: what that means for mandates   persist.c, load.c, batch_codec.c, report.c
 *   live.c      what of a mandate is in memory                     inflight.c, permits.c  work under it
 *   backlog.c   ... for very many at once: recorded in slices      backlog_store.c  its stored form
 */
#ifndef MANDATE_ENGINE_ENGINE_INT_H
#define MANDATE_ENGINE_ENGINE_INT_H

#include "engine/base/hash.h"
#include "engine/base/rows.h"
#include "engine/base/table.h"
#include "engine/base/vec.h"
#include "engine/base/wire.h"
#include "engine/condition/ahead.h"
#include "engine/condition/index.h"
#include "engine/context/past.h"
#include "engine/feed.h"
#include "engine/limits.h"
#include "engine/allowance.h"
#include "engine/step.h"
#include "engine/timer/timer.h"

enum { MANDATE_NONE = INT32_MAX };

/* What of a mandate is in memory (live.c); what it says (claims) is in storage. */
typedef struct mandate {
    int64_t expires_at_us;
    uint32_t version;
    uint32_t id;         /* where its text stands: mandate_id */
    uint32_t clause_row; /* its conditions, when it has any: mandate_condition_at */
    uint32_t more;       /* index + 1 in engine.extras: what few have */
    uint32_t kin;        /* index + 1 in engine.kins: parents and children have it */
    unsigned state : 4, suspended_by : 4, depth : 10;
    unsigned clauses : CLAUSE_COUNT; /* which it has; none once final */
    unsigned on_unknown : 1;
    unsigned used : 1; /* 0: a gap while loading */
    unsigned dirty : 1, bound : 1;
    unsigned falling : 1; /* it ended by itself, and what falls with it is not all recorded yet */
    unsigned fresh : 1;   /* its claims are new in this step */
} mandate;
_Static_assert(sizeof(mandate) == 32, "a million of them");
_Static_assert(LIMIT_DELEGATION_DEPTH < 1 << 10 && STATE_COUNT <= 1 << 4 && ON_UNKNOWN_SUSPEND <= 1, "they fit");

/* One of its clauses, hung on the index. */
typedef struct mandate_condition {
    uint32_t template; /* its handle */
    condition_edge edge;
    uint32_t position; /* of its posting */
} mandate_condition;

typedef struct mandate_kin {
    uint32_t first_child, next_sibling;
    uint32_t live_children;    /* that have not ended by themselves, nor been recorded as fallen */
    uint32_t live_descendants; /* those with no ended ancestor below this one; of no meaning once final */
} mandate_kin;

/* What few mandates have, apart from what all have. */
typedef struct mandate_more {
    int64_t resume_at_us;     /* when its suspension by command is over; INT64_MAX: not by itself */
    int64_t grace_at_us;      /* when an unknown clause suspends it; INT64_MAX: not waiting */
    int64_t unknown_grace_us; /* 0 also when unknown clauses are held */
    uint32_t amended_at;      /* the version of its last amendment; 0: never */
    uint32_t ledger;          /* index + 1 in engine.ledgers: what was spent */
    bool exhausted;           /* nothing is left of one of its own budgets */
} mandate_more;

/* Claims of a mandate that was issued or amended in this step, as they will be stored. */
typedef struct mandate_claims {
    uint32_t handle;
    mandate_slice bytes;
} mandate_claims;

/* budget.c: what was spent of the budgets of a mandate, and of those of its ancestors that its spends have named. */
typedef struct ledger_line {
    mandate_slice name; /* owned */
    budget_amount spent;
} ledger_line;
typedef struct ledger_spend {
    mandate_slice key; /* owned */
    budget_amount amount;
    uint32_t line;
    bool undone; /* given back */
} ledger_spend;
typedef struct ledger {
    VEC(ledger_line) lines;
    VEC(ledger_spend) spends; /* the last LIMIT_SPENDS, as a ring */
    uint32_t next;            /* when it is full: the oldest */
} ledger;

/* What an event that reaches very many looks at, apart and small: by the same handle. */
typedef struct standing {
    uint8_t seen;   /* what the clauses say as of the last flip taken in: condition_truth, two bits a clause; and SEEN_* */
    uint8_t state;  /* as anybody may rely on it, ancestors and expiry apart: that of the record, or of what waits for it */
    uint16_t waits; /* changes of its state that wait for their record */
} standing;
enum { SEEN_TRUTHS = 0x3f, SEEN_SUSPENDS = 0x40 /* on_unknown */, SEEN_MARK = 0x80 /* affected by the present occasion */ };
static inline condition_truth seen_truth(uint8_t seen, mandate_clause clause)
{
    return (condition_truth)(seen >> 2 * clause & 3);
}
static inline uint8_t seen_with(uint8_t seen, mandate_clause clause, condition_truth truth)
{
    return (uint8_t)((seen & ~(3U << 2 * clause)) | (unsigned)truth << 2 * clause);
}
/* Is any of them unknown or in error? */
static inline bool seen_is_odd(uint8_t seen) { return seen & 0x2a; }
_Static_assert(TRUTH_UNKNOWN == 2 && TRUTH_ERROR == 3, "the higher bit says so");
_Static_assert(2 * CLAUSE_COUNT <= 6, "the clauses' truths stand below SEEN_SUSPENDS");

/* A standing condition without a mandate. Of a removed one, id and text stay readable until the next step. */
typedef struct watch_state {
    mandate_slice id, principal, condition; /* in one block, owned through id; id.ptr NULL: a free place */
    condition_template *template;
    condition_edge edge;
    uint32_t position; /* of its posting */
    int64_t created_at_us;
} watch_state;

/* What a flip touches, apart and small: the other half of a watch, by the same handle. */
typedef struct watch_pulse {
    uint64_t age; /* step << WATCH_INPUT_BITS | input: when it was created */
    int64_t changed_at_us;
    uint32_t version;
    uint8_t value; /* condition_truth, as last told */
    bool dirty, removed;
} watch_pulse;
enum { WATCH_INPUT_BITS = 12 };
_Static_assert(LIMIT_BATCH_INPUTS <= 1 << WATCH_INPUT_BITS, "an input's place fits");

/* A question to a human. Of a removed one everything stays readable until the next step. */
typedef struct decision_place {
    decision_record d;          /* in `bytes` */
    char *bytes;                /* owned; NULL: a free place */
    bool dirty, removed, keyed; /* keyed: it can be found by its key: it has not lapsed */
} decision_place;

/* A decision that is open or permitted, and a mandate that it rests on. */
typedef struct decision_use {
    uint32_t mandate, decision;
} decision_use;

/* A watch that flips on the present occasion. */
typedef struct watch_change {
    uint64_t age;
    uint32_t watch;
    uint8_t now;
} watch_change;

/* A final mandate whose descendants are still to be recorded. */
typedef struct cascade {
    uint32_t root, cursor; /* next descendant to look at, in preorder */
    int64_t effective_at_us;
    uint32_t count;
    transition_cause cause;
    change_origin origin;
    mandate_slice principal, note; /* owned */
    uint8_t txn[32];
    uint64_t number; /* among all work that is done in slices */
} cascade;

/* Changes of state that one event made, waiting for their records (backlog.c). */
typedef enum backlog_kind { BACKLOG_CONDITIONS, BACKLOG_GRACE, BACKLOG_EXPIRY, BACKLOG_RESUME } backlog_kind;
typedef struct backlog_item {
    uint64_t number;
    backlog_kind kind;
    transition_cause cause;
    change_origin origin;
    int64_t now_us, expiry_now_us; /* of the engine, then */
    uint32_t moment;               /* of the graph, then (past.h) */
    uint32_t count, cursor;        /* those before the cursor are recorded */
    uint32_t *handles;             /* owned; ascending */
    uint8_t *seen;                 /* in the same block: what their clauses said then, or BACKLOG_DONE */
    mandate_slice principal, note; /* in the same block: of an event that a person asserted */
    bool stored, unsaved;          /* on disk; and it is another now */
} backlog_item;
enum { BACKLOG_DONE = 0xff };

/* What was kept of the graph, as it was stored: a record's key, and the last moment in it. */
typedef struct backlog_past {
    uint64_t seq;
    uint32_t last;
} backlog_past;

/* A permit that a check gave, and that was to be tracked (permits.c). */
typedef struct permit_entry {
    mandate_slice action, resource, key; /* in the block's text */
    int64_t at_us, until_us;
    uint32_t mandate, block;
    uint32_t older; /* the mandate's next older one that counts */
    uint32_t next;  /* in the block; or the next free one */
    bool counts;    /* in its mandate's chain */
} permit_entry;

/* The permits of one step, as they are stored. */
typedef struct permit_block {
    uint64_t seq;
    char *text; /* owned */
    size_t len;
    int64_t until_us;      /* of the last of them */
    uint32_t first, refs;  /* entries; how many count */
    uint32_t older, newer; /* blocks by age; newer of a free one: the next free one */
} permit_block;

typedef struct permit_store {
    VEC(permit_entry) entries;
    VEC(permit_block) blocks;
    table heads; /* mandate -> its newest entry */
    uint32_t free, free_block, oldest, newest;
    uint32_t live; /* entries that count */
    uint64_t bytes;
    bool loading;
} permit_store;

/* Why a mandate changes state now. */
typedef struct occasion {
    transition_cause cause;
    change_origin origin;
    mandate_slice principal, note;
} occasion;

/* A mandate with what decides its place among others (order.c). */
typedef struct id_rank {
    uint64_t key;
    uint32_t handle;
} id_rank;

struct engine {
    const schema *schema;
    mandate_slice issuer; /* owned */
    engine_claims_load claims_load;
    void *claims_ctx;
    context *graph;
    look_ahead ahead; /* of the running step */
    feed inputs;      /* likewise */
    condition_index *conditions;
    timers deadlines;
    VEC(mandate) mandates;
    rows clauses[CLAUSE_COUNT]; /* rows of one, two, three mandate_condition */
    VEC(mandate_more) extras;
    VEC(mandate_kin) kins;
    VEC(ledger) ledgers;
    allowances allowances;          /* of those that are spent from */
    VEC(uint32_t) parents;          /* of each; MANDATE_NONE: a root */
    VEC(standing) standings;        /* of each */
    VEC(char *) ids;                /* blocks of texts */
    uint32_t ids_used;              /* of the last one */
    VEC(mandate_slice) claims_kept; /* of each, owned; only without a claims_load port */
    table by_id;
    VEC(watch_state) watches;
    VEC(watch_pulse) pulses;  /* as many */
    VEC(uint32_t) watch_free; /* places to use again; has room for all */
    table watch_by_id;
    VEC(decision_place) decisions;
    VEC(uint32_t) decision_free; /* places to use again; has room for all */
    table decision_by_id, decision_by_key;
    VEC(decision_use) decision_uses; /* by mandate, then age; as of the last change of a decision when it is known */
    bool decision_uses_known;
    VEC(cascade) cascades;     /* in order of their roots' ends */
    VEC(backlog_item) backlog; /* in order of their events */
    VEC(backlog_past) backlog_pasts;
    uint64_t work_number;       /* of the last cascade or backlog item */
    uint32_t backlog_waiting;   /* in all items */
    uint32_t backlog_looked;    /* in this step */
    VEC(uint8_t) waiting_block; /* by handle / ENGINE_WAITING_BLOCK: listed in this step */
    permit_store permits;
    uint8_t source_state[LIMIT_SOURCES_KNOWN];
    uint64_t seq;
    int64_t now_us;        /* where time stands: the deadline being served */
    int64_t batch_now_us;  /* where this step is going */
    int64_t expiry_now_us; /* what expires_at is compared with: a deadline's own time, then the step's */
    uint32_t mandates_live;

    /* one step */
    arena memory; /* results */
    VEC(transition) transitions;
    VEC(engine_answer) answers;
    VEC(uint32_t) dirty; /* mandates to persist */
    VEC(mandate_claims) new_claims;
    table new_by_handle;
    VEC(mandate_slice) claims_outdated; /* owned, until the next step */
    const claims *at_hand;              /* claims_of(at_hand_of), while it is being issued; NULL: nobody is */
    uint32_t at_hand_of;
    VEC(engine_flip) flips;
    VEC(engine_record) records;
    VEC(uint32_t) waiting_blocks;
    buf record_text; /* room to encode one thing: claims, a record */
    VEC(engine_occasion) occasions;
    VEC(uint32_t) watches_dirty, watches_gone; /* to persist; removed in this step */
    VEC(mandate_slice) watches_removed;
    VEC(watch_change) watch_changes, watch_merged; /* the second: room to sort the first */
    VEC(uint32_t) decisions_dirty, decisions_gone; /* as watches' */
    VEC(mandate_slice) decisions_removed, notices;
    VEC(uint32_t) affected; /* mandates whose conditions flipped on this input */
    VEC(id_rank) ranks;
    bool meta_changed, more;
    bool recording;                      /* what waited: time and graph are those of its event */
    bool draining;                       /* whatever room there is */
    bool goes_on, beside;                /* work was left by the last step; and this one has inputs, too */
    uint32_t inputs_count;               /* of this step */
    uint32_t worked, worked_dirty;       /* by slices of this step */
    uint32_t work_from, work_dirty_from; /* transitions and dirty mandates that count for no slice: the inputs' own */
    uint64_t leaf_flips0, condition_flips0, programs0;
    uint32_t changes_applied, changes_stale;
    mandate_error *err; /* of the running step: set once when something fatal happens */
    bool failed;
};

/* Marks the step as failed; returns false for convenience. */
bool engine_fail(engine *e, const char *what);
static inline uint32_t parent_of(const engine *e, uint32_t handle) { return e->parents.data[handle]; }
static inline standing *standing_at(const engine *e, uint32_t handle) { return &e->standings.data[handle]; }
/* Has it ended, recorded or not? */
static inline bool has_ended(const engine *e, uint32_t handle)
{
    return mandate_state_is_final((mandate_state)e->standings.data[handle].state);
}
static inline mandate *mandate_at(engine *e, uint32_t handle) { return &e->mandates.data[handle]; }
bool mandate_touch(engine *e, uint32_t handle);

/* --- live.c ---------------------------------------------------------------------------------------------- */
/* Its text; for the engine's life. */
mandate_slice mandate_id(const engine *e, uint32_t handle);
void mandate_id_ahead(const engine *e, uint32_t handle); /* soon to be asked for */
extern const uint8_t clauses_in[1 << CLAUSE_COUNT];      /* how many bits */
/* NULL: it has no such clause. Valid until its clauses are dropped. */
static inline mandate_condition *mandate_condition_at(const engine *e, const mandate *m, int clause)
{
    if (!(m->clauses >> clause & 1))
        return NULL;
    mandate_condition *row = rows_at(&e->clauses[clauses_in[m->clauses] - 1], m->clause_row);
    return row + clauses_in[m->clauses & ((1U << clause) - 1)];
}
void clauses_init(engine *e);
void clauses_deinit(engine *e);
/* Takes the references over; it has none yet. */
MANDATE_CHECK bool mandate_set_clauses(engine *e, uint32_t handle, condition_template *const template[CLAUSE_COUNT]);
void mandate_drop_clauses(engine *e, uint32_t handle);
extern const mandate_kin mandate_no_kin;
static inline const mandate_kin *mandate_kin_of(const engine *e, uint32_t handle)
{
    uint32_t kin = e->mandates.data[handle].kin;
    return kin ? &e->kins.data[kin - 1] : &mandate_no_kin;
}
/* Of one that is known to have it: a parent or a child. */
static inline mandate_kin *mandate_kin_at(engine *e, uint32_t handle)
{
    return &e->kins.data[e->mandates.data[handle].kin - 1];
}
/* NULL: it has nothing of the sort. */
static inline mandate_more *mandate_more_of(const engine *e, uint32_t handle)
{
    uint32_t more = e->mandates.data[handle].more;
    return more ? &e->extras.data[more - 1] : NULL;
}
/* The same, made if need be; NULL: out of memory, the step has failed. Valid until the next one is made. */
mandate_more *mandate_more_make(engine *e, uint32_t handle);
static inline int64_t mandate_resume_at(const engine *e, uint32_t handle)
{
    const mandate_more *more = mandate_more_of(e, handle);
    return more ? more->resume_at_us : INT64_MAX;
}
static inline int64_t mandate_grace_at(const engine *e, uint32_t handle)
{
    const mandate_more *more = mandate_more_of(e, handle);
    return more ? more->grace_at_us : INT64_MAX;
}
static inline int64_t mandate_unknown_grace(const engine *e, uint32_t handle)
{
    const mandate_more *more = mandate_more_of(e, handle);
    return more ? more->unknown_grace_us : 0;
}
static inline void mandate_clear_grace(engine *e, uint32_t handle)
{
    mandate_more *more = mandate_more_of(e, handle);
    if (more)
        more->grace_at_us = INT64_MAX;
}
MANDATE_CHECK bool mandate_set_grace(engine *e, uint32_t handle, int64_t at_us);
/* What its claims say of time and unknowns. */
MANDATE_CHECK bool mandate_set_terms(engine *e, uint32_t handle, const claims *c);
/* Its claims are these, in the step's memory. */
MANDATE_CHECK bool mandate_set_new_claims(engine *e, uint32_t handle, mandate_slice bytes);
void new_claims_forget(engine *e);

/* Its suspension by command is over. */
bool mandate_resume(engine *e, uint32_t handle, const occasion *why);
/* INT64_MAX: no longer. */
bool mandate_resume_arm(engine *e, uint32_t handle, int64_t at_us);

/* --- end.c --------------------------------------------------------------------------------------------- */
/* Loads and decodes a mandate's claims into `a`. */
bool claims_of(engine *e, uint32_t handle, arena *a, claims *out);
/* The single setter of state: checks the table, counts the version, writes the transition, starts the cascade. An end at or after
 * the hard expiry is an expiry, whatever else was the reason. */
bool mandate_change(engine *e, uint32_t handle, mandate_state to, mandate_reason reason, mandate_clause clause,
                    const occasion *why);
/* Hangs the conditions on the index, and takes them off. */
bool mandate_bind(engine *e, uint32_t handle, const claims *c, mandate_error *err);
void mandate_unbind(engine *e, uint32_t handle);
/* One that ends is no live child and not among its ancestors' live descendants any more, nor are its own. */
void count_out(engine *e, uint32_t handle);
/* Has any ancestor ended? The nearest one, or MANDATE_NONE. */
uint32_t ended_ancestor(const engine *e, uint32_t handle);

/* --- flip.c --------------------------------------------------------------------------------------------- */
/* Settles the conditions and applies what flipped, in order of mandate ids. */
bool engine_settle(engine *e, const occasion *why);
/* Looks at what the clauses of a mandate said and changes its state accordingly. */
bool mandate_review(engine *e, uint32_t handle, uint8_t seen, const occasion *why);
/* Asks the conditions themselves what the clauses say now. */
uint8_t mandate_look(const engine *e, uint32_t handle);
/* Arms or disarms the grace period of unknown clauses; `at_us`: when they became so. */
bool mandate_watch_grace(engine *e, uint32_t handle, uint8_t seen, int64_t at_us);
/* Does a clause say this? The first one, or CLAUSE_NONE. */
mandate_clause seen_clause_with(uint8_t seen, condition_truth truth);

/* --- budget.c ---------------------------------------------------------------------------------------------- */
/* NULL: it has spent nothing. */
ledger *ledger_of(const engine *e, uint32_t handle);
void ledger_free(ledger *l);
/* Stored behind the rest of a mandate's life. NULL and false: out of memory. */
ledger *ledger_make(engine *e, uint32_t handle);
bool ledger_add_line(ledger *l, mandate_slice name, budget_amount spent);
bool ledger_add_spend(ledger *l, const ledger_spend *s);
void ledger_encode(buf *b, const engine *e, uint32_t handle);
MANDATE_CHECK mandate_status ledger_load(engine *e, uint32_t handle, wire_reader *r, mandate_error *err);
/* Its budgets are others now: is nothing left? */
bool budget_amended(engine *e, uint32_t handle, const claims *c);

/* --- watch.c, watch_store.c -------------------------------------------------------------------------------- */
void watches_init(engine *e);
void watches_deinit(engine *e);
/* Forgets the results of the last step. */
void watch_step_begin(engine *e);
/* Watches whose value is not what was last told: after loading. */
bool watch_catch_up(engine *e);
/* A condition held by a watch has flipped; reported by the next watch_report. */
bool watch_flipped(engine *e, uint32_t watch, condition_truth now);
bool watch_report(engine *e, const occasion *why);
void watch_result(engine *e, engine_result *out);
bool watch_command(engine *e, const engine_command *c, engine_answer *a);
/* A new place under this id, not bound yet; UINT32_MAX: out of memory. */
uint32_t watch_add(engine *e, mandate_slice id, mandate_slice principal, mandate_slice condition);
bool watch_bind(engine *e, uint32_t handle, mandate_error *err);
mandate_status watch_load_done(engine *e, mandate_error *err);
bool watch_hash(engine *e, buf *all);

/* --- decide.c, decide_store.c ------------------------------------------------------------------------------- */
void decisions_init(engine *e);
void decisions_deinit(engine *e);
void decision_step_begin(engine *e);
void decision_result(engine *e, engine_result *out);
/* ASK and DECIDE. */
bool decision_command(engine *e, const engine_command *c, engine_answer *a, uint32_t input);
/* What is due at a moment lapses, or is forgotten, by age. */
bool decision_serve(engine *e, int64_t at_us);
/* Takes a new place for what `d` says; UINT32_MAX: out of memory. Puts it into the tables and arms its deadline. */
uint32_t decision_add(engine *e, const decision_record *d);
bool decision_hash(engine *e, buf *all);

/* condition_moved, for all holders. */
void posting_moved(void *e, uint32_t owner, uint8_t clause, uint32_t position);

/* --- deadline.c, command.c, cascade.c --------------------------------------------------------------------- */
/* Serves what is due up to a moment. `in_slices`: a bounded part of it, if that is much. */
bool engine_advance(engine *e, int64_t to_us, bool in_slices);
bool engine_command_run(engine *e, const engine_command *c, uint32_t input);
bool cascade_start(engine *e, uint32_t root, const occasion *why, const uint8_t txn[32], int64_t effective_at_us);
/* Of the oldest one, as much as there is room for. */
bool cascade_run(engine *e, bool *complete);
void cascade_free(cascade *c);

/* --- inflight.c ---------------------------------------------------------------------------------------------- */
/* What is known of work under it, as a map in `a`; null when nothing is. */
bool in_flight_of(engine *e, arena *a, uint32_t handle, cel_value *out);

/* --- permits.c ----------------------------------------------------------------------------------------------- */
void permits_init(engine *e);
void permits_deinit(engine *e);
/* Before anything of the step: what is over goes; batch.permits come. */
bool permits_step(engine *e, mandate_slice said);
/* The mandate's record is made: it has ended. */
bool permits_forget(engine *e, uint32_t handle);
/* Those that are not over, the oldest first. Valid until the next step. */
uint32_t permits_of(engine *e, uint32_t handle, const permit_entry *out[LIMIT_IN_FLIGHT]);
/* After the mandates. False: it is no record of permits. */
bool permits_load(engine *e, mandate_slice key, mandate_slice value, mandate_status *status, mandate_error *err);

/* --- backlog.c, backlog_store.c ---------------------------------------------------------------------------- */
/* Cascades and backlog, in order of their events, as much as there is room for. */
bool work_run(engine *e);
bool work_run_one(engine *e); /* the oldest */
static inline bool work_is_left(const engine *e) { return e->cascades.len || e->backlog.len; }
/* Changes of state of these mandates, each of which backlog_stand was told, wait for their record. Puts them into order. */
bool backlog_add(engine *e, backlog_kind kind, uint32_t *handles, uint32_t count, const occasion *why);
/* Records what waits of this mandate and its ancestors: somebody is about to change them. */
bool backlog_catch_up(engine *e, uint32_t handle);
/* In this step's result: its state as anybody may rely on it, or that it waits, is not what it was. */
bool backlog_touch(engine *e, uint32_t handle);
void backlog_step_begin(engine *e);
bool backlog_step_end(engine *e); /* e->records */
/* One record of the engine's own, in this step's result. `value.ptr` NULL: deleted. */
bool engine_put_record(engine *e, const char *prefix, uint64_t number, mandate_slice value);
bool engine_record_named(mandate_slice key, const char *prefix, uint64_t *number);
void backlog_deinit(engine *e);
/* An item of which nothing waits any more goes, and what the graph kept for it. */
bool backlog_finish(engine *e, uint32_t at);
void backlog_encode_meta(const engine *e, buf *value);
bool backlog_load_meta(engine *e, wire_reader *r);
/* After loading: what the items say about their mandates; then, when conditions are bound, about grace periods. */
bool backlog_restore(engine *e);
bool backlog_restore_grace(engine *e);
bool backlog_hash(const engine *e, buf *all);
/* A change of a mandate that has not ended begins to wait: how it stands from now on. */
bool backlog_stand(engine *e, backlog_kind kind, uint32_t handle, uint8_t seen);
/* Room for so many mandates, beside copies of the texts. */
bool backlog_item_alloc(backlog_item *i, uint32_t count, mandate_slice principal, mandate_slice note);
void backlog_put_item(buf *b, const engine *e, const backlog_item *i);
/* Transitions that this step may record: by count, and from what the journal holds, so that a replay makes the same slices. */
static inline uint32_t step_room(const engine *e)
{
    uint32_t slice = e->inputs_count / LIMIT_SLICE_PER_INPUTS;
    if (!e->goes_on)
        return LIMIT_BATCH_TRANSITIONS;
    if (!e->beside)
        return LIMIT_SLICE;
    return slice < LIMIT_SLICE_LEAST ? LIMIT_SLICE_LEAST : slice; /* LIMIT_BATCH_INPUTS bounds it */
}

/* Is there room for another transition in this step? */
static inline bool step_has_room(const engine *e)
{
    uint32_t room = step_room(e);
    return e->draining || (e->transitions.len - e->work_from < room &&
                           e->backlog_looked < (e->goes_on ? LIMIT_SLICE_LOOKED : LIMIT_BATCH_LOOKED) &&
                           e->dirty.len - e->work_dirty_from < room * 4);
}
int mandate_order_by_id(const engine *e, uint32_t a, uint32_t b);
bool sort_by_id(engine *e, uint32_t *handles, uint32_t count); /* order.c */
void sort_by_handle(uint32_t *handles, uint32_t count);

#endif

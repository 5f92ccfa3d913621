/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_step - one batch of inputs in, transitions out. Where a reader starts.
 *
 * The engine is pure: no I/O, no thread, no clock, no randomness. Its state is a fold over batches: the same batches
 * in the same order give the same state and byte-identical transitions, on any machine, from zero or from a restored
 * mid-point. Within a batch inputs are taken in order; a condition that goes true, false, true inside one batch has
 * ended its mandate.
 *
 * In a step, in this order:
 *   1. time moves to batch.now_us, deadline by deadline: each timed condition is evaluated at its own deadline and
 *      each expiry takes effect at its own, so that a step after a long stop gives what ticking would have given. A step
 *      without inputs does a bounded part of that (`more`), so catch up with empty batches; one with inputs does all;
 *   2. each input: a change writes attributes, flips atoms, propagates; a command is checked and applied;
 *   3. pending cascades go on, and so does what one event did to more than LIMIT_BATCH_TRANSITIONS mandates by their own
 *      conditions or expiries: at most that many transitions a step. `more` says that some are left: step again, with an
 *      empty batch if need be. What is left counts from the step of its event on, recorded or not: engine_effective_state
 *      knows it, commands find it, and its evidence is that of the event, whatever changed since.
 *
 * The caller commits the batch and what came out of it before anybody is told, then calls nothing: there is no undo.
 * A step out of order or with a command after a run (INVALID), or with too many inputs (LIMIT), is refused before anything happens. Any other status than
 * MANDATE_OK (only NOMEM or a broken invariant) is fatal: the state is undefined; stop and recover.
 *
 * Threads: one engine belongs to one thread.
 */
#ifndef MANDATE_ENGINE_STEP_H
#define MANDATE_ENGINE_STEP_H

#include "engine/mandate/decision.h"
#include "engine/mandate/watch.h"

typedef struct engine engine;

/* --- inputs --------------------------------------------------------------------------------------- */
/* kind, its word in the audit log and the journal's listing. Those of a mandate take `note` and `if_version`. */
#define ENGINE_COMMAND_MAP(X)                                                                                \
    X(ISSUE, "issue")       /* claims */                                                                     \
    X(DELEGATE, "delegate") /* mandate: the parent; claims: what the child says, the rest is the parent's */ \
    X(AMEND, "amend")       /* mandate; claims: what changes; widen, cascade */                              \
    X(REVOKE, "revoke")     /* mandate */                                                                    \
    X(SUSPEND, "suspend")   /* mandate, until_us */                                                          \
    X(RESUME, "resume")     /* mandate */                                                                    \
    X(RETURN, "return")     /* mandate; principal: its agent, and nobody else */                             \
    X(SPEND, "spend")       /* mandate, budget, amount, key */                                               \
    X(UNSPEND, "unspend")   /* mandate, key: gives a spend back */                                           \
    X(WATCH, "watch")       /* mandate: the watch's id; condition */                                         \
    X(UNWATCH, "unwatch")   /* mandate: the watch's id */                                                    \
    X(LOG, "log")           /* event, detail: an entry of the audit log; changes nothing */                  \
    X(ASK, "ask")           /* question, or deferred; lasts_us: how long it stays open */                    \
    X(DECIDE, "decide")     /* mandate: the decision's id; permit; lasts_us: how long a permit holds */

typedef enum engine_command_kind {
#define X(name, text) COMMAND_##name,
    ENGINE_COMMAND_MAP(X)
#undef X
        COMMAND_COUNT
} engine_command_kind;
/* "issue", "revoke", ... */
extern const char *const engine_command_names[COMMAND_COUNT];
/* ASK and DECIDE: what waits for a second person is never itself one. */
static inline bool engine_command_is_question(engine_command_kind kind)
{
    return kind == COMMAND_ASK || kind == COMMAND_DECIDE;
}

static inline bool engine_command_has_claims(engine_command_kind kind)
{
    return kind == COMMAND_ISSUE || kind == COMMAND_DELEGATE || kind == COMMAND_AMEND;
}
static inline bool engine_command_is_watch(engine_command_kind kind)
{
    return kind == COMMAND_WATCH || kind == COMMAND_UNWATCH;
}

typedef struct engine_command {
    engine_command_kind kind;
    mandate_slice mandate;   /* id; for ISSUE it is in the claims */
    mandate_slice principal; /* who asks; authorised by the caller */
    mandate_slice note;
    mandate_slice condition; /* WATCH */
    mandate_slice event;     /* LOG: one word, a-z and _: "checked", "escalated" */
    mandate_slice detail;    /* LOG: a JSON object, as text; mandate and principal may be empty */
    const claims *claims;    /* ISSUE; DELEGATE, AMEND: those of claims.given; rules of disclosure that are not given are a
                              * default, for what is restricted by nothing else (disclosure_default) */
    int64_t until_us;        /* SUSPEND: it resumes by itself then; 0: until somebody resumes it */
    mandate_slice budget;    /* SPEND */
    /* SPEND, UNSPEND: names a spend for as long as it is among the last ones of its mandate. LOG: not the engine's; kept by the store with
     * the step (graph/once.h), until `until_us`, and not in the journal. */
    mandate_slice key;
    budget_amount amount; /* SPEND */
    bool widen;           /* AMEND: may be wider than it was; who asks may issue it */
    bool cascade;         /* AMEND: children that would be wider end */
    uint32_t if_version;  /* CONFLICT unless the mandate is at this version; 0: whatever it is at */
    const decision_record
        *question; /* ASK: about an action: asker, action, resource, digest, parameters, reason, mandates */
    const struct engine_command *deferred; /* ASK: instead, a command that waits for a second person; `note`: why */
    mandate_slice vouched; /* with it: who asks, in the caller's form, to be looked at when it is permitted */
    bool permit;           /* DECIDE */
    int64_t lasts_us;      /* ASK, DECIDE */
} engine_command;

typedef enum engine_source_state {
    SOURCE_LIVE,
    SOURCE_SILENT,  /* not proved live within its bound: what it told us reads as unknown */
    SOURCE_DOUBTFUL /* fail_closed after a poison record: the same, until someone clears it */
} engine_source_state;

typedef enum engine_input_kind {
    INPUT_RECORD, /* origin + changes (none: the record only moves the offset) */
    INPUT_COMMAND,
    INPUT_SOURCE,   /* source changed state */
    INPUT_ASSERTED, /* origin + changes that a person says happened: command.principal says it, command.note is why */
    INPUT_RUN       /* records, encoded: does what as many INPUT_RECORDs do; after all commands */
} engine_input_kind;
/* Changes of entities. */
static inline bool engine_input_has_changes(engine_input_kind kind)
{
    return kind == INPUT_RECORD || kind == INPUT_ASSERTED;
}

/* Where a partition goes on after a run. */
typedef struct engine_position {
    uint16_t topic;
    int32_t partition;
    int64_t next;
} engine_position;

typedef struct engine_run {
    mandate_slice bytes; /* run.h; written in this process */
    uint32_t records;
    const engine_position *positions; /* of every partition in it */
    uint32_t position_count;
} engine_run;

typedef struct engine_input {
    engine_input_kind kind;
    change_origin origin;  /* RECORD, ASSERTED; event_time_us of each change counts, this one is the record's */
    const change *changes; /* RECORD, ASSERTED */
    uint32_t change_count;
    engine_command command; /* COMMAND; ASSERTED: its principal and note */
    uint16_t source;        /* SOURCE */
    engine_source_state source_state;
    const engine_run *run; /* RUN */
} engine_input;

/* A check permitted this, and work was begun on it that is over at `until_us` at the latest. */
typedef struct engine_permit {
    mandate_slice mandate, action, resource;
    mandate_slice key; /* the caller's idempotency key, or empty */
    int64_t at_us, until_us;
} engine_permit;
void engine_permit_put(buf *b, const engine_permit *p);

typedef struct engine_batch {
    uint64_t seq;   /* exactly one more than the last */
    int64_t now_us; /* never moves back: an earlier time is taken as the last one */
    const engine_input *inputs;
    uint32_t count;
    mandate_slice permits; /* engine_permit_put of each that checks gave and were to track; known before the first input */
} engine_batch;
/* How many inputs it is, each record of a run counted: by that number an input is known (engine_answer, the journal). */
uint32_t engine_batch_total(const engine_batch *batch);

/* --- results; valid until the next engine_step ------------------------------------------------------- */
/* A budget that a spend draws on. */
typedef struct engine_budget {
    mandate_slice mandate;
    budget_amount max, spent, left;
} engine_budget;

typedef struct engine_answer {
    uint32_t input;      /* number in the batch, records of runs counted one by one */
    mandate_error error; /* status OK when accepted */
    bool repeated; /* ISSUE, WATCH, ASK, DECIDE with the same content again: answered as the first time, nothing changed */
    mandate_slice decision; /* ASK, DECIDE: which; then `mandate` is what the permitted command was about, or empty */
    mandate_slice mandate;
    uint32_t version;
    mandate_state state;  /* after the command; STATE_NONE for a watch */
    uint32_t transition;  /* in the result, of what the command did to the mandate; UINT32_MAX: it is none, or not known */
    mandate_slice budget; /* SPEND, UNSPEND: which, and how much */
    budget_amount amount;
    const engine_budget *budgets; /* all that were drawn on, the mandate's own first */
    uint32_t budget_count;
    condition_truth truth; /* WATCH: its value now */
    const mandate_slice
        *unobservable; /* ISSUE, WATCH: attribute paths no connector supplies; the expiry is their fallback */
    uint32_t unobservable_count;
} engine_answer;

typedef struct engine_mandate_view {
    mandate_slice id, parent;
    uint32_t parent_handle; /* UINT32_MAX: a root */
    uint32_t version, depth;
    mandate_state state; /* its own record; see engine_effective_state */
    int64_t expires_at_us;
    int64_t resume_at_us; /* INT64_MAX: somebody must */
    uint32_t amended_at;  /* the version of its last amendment; 0: never */
    bool exhausted;       /* nothing is left of one of its budgets */
    uint8_t suspended_by; /* bits, see SUSPENDED_BY_* */
} engine_mandate_view;

/* Why some watches flipped together. */
typedef struct engine_occasion {
    transition_cause cause;
    change_origin origin;
    int64_t effective_at_us;
    mandate_slice principal, note; /* of an event that a person asserted */
} engine_occasion;

/* Something of the engine's own to be stored under a key, or deleted (value.ptr NULL). */
typedef struct engine_record {
    mandate_slice key, value;
} engine_record;

/* A watch changed its truth value; engine_flip_get gives the whole of it. */
typedef struct engine_flip {
    uint32_t watch, version; /* handle */
    uint32_t occasion;       /* index in `occasions` */
    uint8_t value, prior;    /* condition_truth */
} engine_flip;

typedef struct engine_watch_view {
    mandate_slice id, condition, principal;
    condition_truth value;
    uint32_t version;
    uint64_t created_seq;
    uint32_t created_input;
    int64_t created_at_us, changed_at_us; /* changed: the last flip, or the creation */
} engine_watch_view;

typedef struct engine_result {
    const transition *transitions; /* in order of occurrence; within one input by mandate id (what waited: by age) */
    uint32_t transition_count;
    const engine_flip *flips; /* in order of occurrence; of one change by age of the watch */
    uint32_t flip_count;
    const engine_occasion *occasions;
    const engine_answer *answers; /* one per COMMAND input */
    uint32_t answer_count;
    bool more; /* due work was left for the next step */
    /* what must be persisted; encoded on demand by the functions below */
    const uint32_t *mandates; /* handles of mandates issued or changed, each once */
    uint32_t mandate_count;
    const mandate_slice *watches_removed; /* ids; to be forgotten before `watches` is stored */
    uint32_t watches_removed_count;
    const uint32_t *watches; /* handles of watches created or flipped and still there, each once */
    uint32_t watch_count;
    const mandate_slice *decisions_removed; /* ids; likewise */
    uint32_t decisions_removed_count;
    const uint32_t *decisions; /* handles of decisions opened or changed, each once */
    uint32_t decision_count;
    const mandate_slice *notices; /* decision_encode at every change, in order of occurrence: to be told to humans */
    uint32_t notice_count;
    const engine_record *records; /* what waits for its record, and what the graph was then */
    uint32_t record_count;
    const uint32_t
        *waiting_blocks; /* blocks of ENGINE_WAITING_BLOCK handles in which engine_waiting may say something else */
    uint32_t waiting_block_count;
    bool meta_changed; /* engine_encode_meta differs from the last step's */
    /* counters of this step, for metrics */
    uint32_t changes_applied, changes_stale, atoms_flipped, conditions_flipped, programs_run;
} engine_result;

enum {
    SUSPENDED_BY_COMMAND = 1,
    SUSPENDED_BY_CLAUSE = 2,  /* suspend_while is true */
    SUSPENDED_BY_UNKNOWN = 4, /* a clause is unknown and its grace period is over */
    SUSPENDED_BY_ERROR = 8    /* a clause is in error: waits for a human */
};

/* --- life of an engine --------------------------------------------------------------------------------- */
/* Reads the stored claims of a mandate (claims_encode form) into `a`; the engine keeps only what it must in memory. */
typedef mandate_status (*engine_claims_load)(void *ctx, arena *a, mandate_slice id, mandate_slice *out, mandate_error *err);

typedef struct engine_options {
    uint32_t version;     /* ENGINE_OPTIONS_VERSION */
    const schema *schema; /* frozen, ids assigned; outlives the engine */
    mandate_slice issuer; /* who we are: claims.issuer must be it, and it goes into every transition id */
    engine_claims_load claims_load;
    void *claims_ctx;
} engine_options;
enum { ENGINE_OPTIONS_VERSION = 1 };

MANDATE_CHECK mandate_status engine_create(engine **out, const engine_options *options, mandate_error *err);
void engine_destroy(engine *e);
MANDATE_CHECK mandate_status engine_step(engine *e, const engine_batch *batch, engine_result *out, mandate_error *err);

/* --- persistence: state out, state in -------------------------------------------------------------------- */
/* Key and value of an entity: key = type name \0 id. */
void engine_encode_entity(const engine *e, uint32_t handle, buf *key, buf *value);
/* Entities follow behind the journal. A cut is every entity that changed since the last cut, as of the step after which it
 * began, handed over in parts between later steps (and inside them, before one of its entities changes again). */
typedef void (*engine_entity_visit)(void *ctx, mandate_slice key, mandate_slice value); /* valid during the call */
uint32_t engine_unsaved(const engine *e);                                   /* entities changed since the last cut began */
uint32_t engine_cut_begin(engine *e, engine_entity_visit visit, void *ctx); /* between steps; returns how many */
/* Up to `max` more; *left is how many remain, 0: the cut is complete. Only NOMEM can go wrong. */
MANDATE_CHECK mandate_status engine_cut_next(engine *e, uint32_t max, uint32_t *left, mandate_error *err);
/* Key = mandate id; value holds claims and life. engine_record_claims finds the claims in it. */
void engine_encode_mandate(const engine *e, uint32_t handle, buf *key, buf *value, mandate_slice claims_bytes);
/* Key = watch id. */
void engine_encode_watch(const engine *e, uint32_t handle, buf *key, buf *value);
/* Key = decision id, value = decision_encode. */
void engine_encode_decision(const engine *e, uint32_t handle, buf *key, buf *value);
/* Claims bytes of a mandate issued or amended in the last step (empty for one that merely changed: keep the stored ones). */
mandate_slice engine_new_claims(const engine *e, uint32_t handle);
MANDATE_CHECK mandate_status engine_record_claims(mandate_slice record, mandate_slice *claims_bytes, mandate_error *err);
/* Time, pending cascades, source states. Written with every step, like `records`. */
void engine_encode_meta(const engine *e, buf *value);

/* Recovery, in this order: every entity as of some step, the journal's batches after that one, the time (it stands in meta), every mandate and watch (any
 * order), the records by key, meta, every decision, then engine_load_done(last seq). A watch whose value is no longer what it was (entity types were changed)
 * flips in the next step. */
MANDATE_CHECK mandate_status engine_load_entity(engine *e, mandate_slice key, mandate_slice value, mandate_error *err);
/* What the batch did to entities, and nothing else: their state is a fold over changes alone. */
MANDATE_CHECK mandate_status engine_load_batch(engine *e, const engine_batch *batch, mandate_error *err);
/* Takes the meta value for the time and the sources, on which conditions depend that are bound next. */
MANDATE_CHECK mandate_status engine_load_time(engine *e, mandate_slice meta, mandate_error *err);
MANDATE_CHECK mandate_status engine_load_mandate(engine *e, mandate_slice key, mandate_slice value, mandate_error *err);
MANDATE_CHECK mandate_status engine_load_watch(engine *e, mandate_slice key, mandate_slice value, mandate_error *err);
MANDATE_CHECK mandate_status engine_load_decision(engine *e, mandate_slice key, mandate_slice value, mandate_error *err);
MANDATE_CHECK mandate_status engine_load_record(engine *e, mandate_slice key, mandate_slice value, mandate_error *err);
MANDATE_CHECK mandate_status engine_load_meta(engine *e, mandate_slice value, mandate_error *err);
MANDATE_CHECK mandate_status engine_load_done(engine *e, uint64_t seq, mandate_error *err);

/* One journal value: everything engine_step needs to be run again. */
void engine_encode_batch(buf *b, const engine_batch *batch, const schema *s);
/* Runs as the records they are. Arrays and containers are in `a`, strings borrow from `bytes`. */
MANDATE_CHECK mandate_status engine_decode_batch(engine_batch *out, arena *a, mandate_slice bytes, const schema *s,
                                                 mandate_error *err);

/* A command alone, as it stands in a batch; what it decodes to borrows as above. */
void engine_encode_command(buf *b, const engine_command *c);
MANDATE_CHECK mandate_status engine_decode_command(engine_command *out, arena *a, mandate_slice bytes, mandate_error *err);

/* SHA-256 over every entity, mandate, watch and decision in key order, and meta: equal states, equal hashes. Slow; for tests and audits. */
MANDATE_CHECK mandate_status engine_state_hash(engine *e, uint8_t out[32], mandate_error *err);

/* --- reading, on the engine's thread --------------------------------------------------------------------- */
uint64_t engine_seq(const engine *e);
int64_t engine_now_us(const engine *e);
/* When the next deadline is due (INT64_MAX: none): the caller ticks no later. */
int64_t engine_next_deadline_us(const engine *e);
uint32_t engine_mandate_count(const engine *e);
uint32_t engine_entity_count(const engine *e);
/* What was last said of a source; LIVE when nothing was. */
engine_source_state engine_source_get(const engine *e, uint16_t source);
/* Handle, or UINT32_MAX. */
uint32_t engine_mandate_find(const engine *e, mandate_slice id);
void engine_mandate_get(const engine *e, uint32_t handle, engine_mandate_view *out);
/* Its own state, or CASCADED / SUSPENDED because of an ancestor, or EXPIRED by `now_us`. `because` (may be NULL)
 * gets the handle of the mandate that decides. */
mandate_state engine_effective_state(const engine *e, uint32_t handle, int64_t now_us, uint32_t *because);
/* Its state when that waits for its record (and the record does not permit less), or STATE_NONE. */
mandate_state engine_waiting(const engine *e, uint32_t handle);
enum { ENGINE_WAITING_BLOCK = 4096 };
/* The same of a block of handles: state + 1, or 0. Returns how many there are. */
uint32_t engine_waiting_states(const engine *e, uint32_t block, uint8_t states[ENGINE_WAITING_BLOCK]);
/* Which sources a mandate's own conditions rest on: the number of a set (engine/condition/index.h); an ended one's is none. */
uint16_t engine_mandate_sources(engine *e, uint32_t handle);
void engine_sources_get(const engine *e, uint16_t number, source_set *out);
/* Handles run from 0 to engine_mandate_count() - 1 in order of issuance. */

/* Watches there are; the handle of one, or UINT32_MAX; the next handle in use from `handle` on, or UINT32_MAX. Handles are
 * used again, and are others after a restart. */
uint32_t engine_watch_count(const engine *e);
uint32_t engine_watch_find(const engine *e, mandate_slice id);
uint32_t engine_watch_next(const engine *e, uint32_t handle);
void engine_watch_get(const engine *e, uint32_t handle, engine_watch_view *out);
/* Decisions, likewise; `*out` borrows until the next step. By key: one that has not lapsed. */
uint32_t engine_decision_count(const engine *e);
uint32_t engine_decision_find(const engine *e, mandate_slice id);
uint32_t engine_decision_next(const engine *e, uint32_t handle);
const decision_record *engine_decision_get(const engine *e, uint32_t handle);
/* A flip of the last step, whole; valid until the next one. */
void engine_flip_get(const engine *e, const engine_result *result, uint32_t index, watch_flip *out);

/* What is known of work under it, as its record would say if it ended now (inflight.c): a map in `a`, or null. */
MANDATE_CHECK mandate_status engine_in_flight(engine *e, uint32_t handle, arena *a, cel_value *out, mandate_error *err);
/* JSON: {"mandate","state",...,"clauses":[{"clause","text","value","tree":{...}}]} with, for every term, its value and
 * the record that set it. NOT_FOUND for an unknown id. */
MANDATE_CHECK mandate_status engine_explain(engine *e, mandate_slice id, const disclosure_viewer *who, buf *out,
                                            mandate_error *err);
/* ,"clauses":[...] of claims that this engine need not hold, over what it holds, at its time. Appends. */
MANDATE_CHECK mandate_status engine_explain_claims(engine *e, const claims *c, const disclosure_viewer *who, buf *out,
                                                   mandate_error *err);
/* JSON: {"type","id","exists","attributes":{name:{"value","source","topic","partition","offset","event_time","seq"}},...}. */
MANDATE_CHECK mandate_status engine_entity_json(engine *e, mandate_slice type, mandate_slice id, buf *out,
                                                mandate_error *err);
/* The same without inverses, for an engine that holds this entity only. */
MANDATE_CHECK mandate_status engine_entity_alone_json(engine *e, mandate_slice type, mandate_slice id, buf *out,
                                                      mandate_error *err);

#endif

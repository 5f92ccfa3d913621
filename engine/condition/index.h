/* SPDX-License-Identifier: Apache-2.0 */
/*
 * condition index - every standing condition, and exactly the work that a change causes.
 *
 *   slot     one watched (entity, field) of the context graph
 *    └ leaf  EQUAL    slot == constant: found by hash, so a change flips at most two
 *            ORDER    slot < constant (<=, >, >=): thresholds sorted per slot, a change flips those in between
 *            TRUTH    the slot itself, a bool
 *            EACH     exists, all, exists_one of a list of entities: members counted by the truth of the predicate
 *            OPAQUE   everything else: a compiled program, re-run only when something it read last time changed or
 *                     the moment until which its value was certain has come
 *    └ AND   n-ary, hash-consed, with counters of its false, unknown and error children: O(1) a flip and edge.
 *            OR is NOT AND NOT (the four-valued tables are each other's mirror), NOT is a bit on the edge.
 *      └ postings: (owner, clause) of whoever holds the condition
 *
 * A condition is an *edge*: node * 2 + negated. Everything shared is shared: equal leaves, equal nodes, equal texts.
 * Reference-counted from postings downwards; what nobody holds is gone.
 *
 * Use: condition_bind gives an edge; condition_attach posts an owner on it. Then changes go into the context, whose
 * observer is condition_observe; condition_settle runs what became dirty, propagates level by level (so a change of
 * several attributes is one step, no glitches), and lists the flipped edges' postings. Pure, single-threaded.
 */
#ifndef MANDATE_ENGINE_CONDITION_INDEX_H
#define MANDATE_ENGINE_CONDITION_INDEX_H

#include "engine/cel/eval.h"
#include "engine/context/context.h"
#include "engine/mandate/watch.h"
#include "engine/timer/timer.h"

typedef struct condition_index condition_index;
typedef uint32_t condition_edge;
enum { CONDITION_NONE = INT32_MAX };

/* A condition that changed its truth value while settling, and everybody who holds it: their postings, side by side, as they stand
 * in the index. Nothing is copied: a flip costs its condition, and whoever wants to hear of it walks the postings. */
typedef struct condition_flips {
    const uint32_t *posts;
    uint32_t count;      /* at least one */
    uint8_t before, now; /* condition_truth of the condition; a posting may hold its negation */
} condition_flips;
static inline uint32_t condition_post_owner(uint32_t post) { return post >> 3; }
static inline uint8_t condition_post_clause(uint32_t post) { return post >> 1 & 3; }
static inline condition_truth condition_post_truth(uint32_t post, uint8_t of_condition)
{
    bool turned = (post & 1) && of_condition <= TRUTH_TRUE;
    return (condition_truth)(turned ? of_condition ^ 1 : of_condition);
}
_Static_assert(TRUTH_FALSE == 0 && TRUTH_TRUE == 1, "they are each other's negation");

/* `timers` gets TIMER_CONDITION entries. All borrowed, all outlive the index. */
MANDATE_CHECK mandate_status condition_index_create(condition_index **out, context *graph, timers *deadlines,
                                                    mandate_error *err);
void condition_index_destroy(condition_index *x);

/* context_observer with the index as ctx. */
void condition_observe(void *index, context_entity *entity, uint16_t field, cel_value old, cel_value now);

/* The graph's observer is this index from now on: condition_observe, and a list of what it watches. */
void condition_watch_graph(condition_index *x);

/* The current time, for conditions that read `now`. Never moves back. */
void condition_now(condition_index *x, int64_t now_us);
/* For evidence of what happened before: another time, until the next call gives back the present one. */
void condition_as_of(condition_index *x, int64_t now_us);

/* Checks a text against the schema. Equal texts share one template, and so do texts that differ in plain constants only (lift.h):
 * whoever uses a template says for which text. INVALID: line, column and a caret excerpt. */
typedef struct condition_template condition_template;
MANDATE_CHECK mandate_status condition_compile(condition_template **out, condition_index *x, mandate_slice text,
                                               mandate_error *err);
void condition_template_release(condition_index *x, condition_template *t);
/* A template in four bytes, as long as somebody holds a reference. */
uint32_t condition_template_handle(const condition_template *t);
condition_template *condition_template_at(const condition_index *x, uint32_t handle);

/* Does it read anything of the mandate that holds it? */
bool condition_reads_mandate(const condition_template *t);

/* --- which sources a condition rests on (sources.c), as the number of a set -------------------------------- */
uint16_t condition_sources(const condition_template *t);
/* The set that has both. SOURCES_ALL when there is no room for another one. */
uint16_t condition_sources_join(condition_index *x, uint16_t a, uint16_t b);
void condition_sources_get(const condition_index *x, uint16_t number, source_set *out);

/* Puts the mandate's constants into the template. The edge carries one reference. Its truth is there at once. */
MANDATE_CHECK mandate_status condition_bind(condition_edge *out, condition_index *x, condition_template *t,
                                            mandate_slice text, const claims *c, mandate_error *err);
/* Conditions that will be bound one after the other: asks for what binding them will touch. A hint. */
typedef struct condition_request {
    const condition_template *template;
    mandate_slice text;
    const claims *claims;
} condition_request;
enum { CONDITION_AHEAD = 32 }; /* at most */
void condition_bind_ahead(const condition_index *x, const condition_request *asked, uint32_t count);
void condition_release(condition_index *x, condition_edge edge);
condition_truth condition_value(const condition_index *x, condition_edge edge);
void condition_value_ahead(const condition_index *x, condition_edge edge); /* soon to be asked for */

/* What holds a condition: a mandate, by one of its clauses, or a watch. Two bits. */
enum { CLAUSE_WATCH = CLAUSE_COUNT };
_Static_assert(CLAUSE_WATCH < 4, "a posting has two bits for it");

/* Posts and removes an owner; `position` is the index's memory of where, kept by the owner. */
MANDATE_CHECK bool condition_attach(condition_index *x, condition_edge edge, uint32_t owner, uint8_t clause,
                                    uint32_t *position);
/* `moved` tells the owner whose posting took the freed place. */
typedef void (*condition_moved)(void *ctx, uint32_t owner, uint8_t clause, uint32_t position);
void condition_detach(condition_index *x, condition_edge edge, uint32_t position, condition_moved moved, void *ctx);

/* A TIMER_CONDITION came due. */
MANDATE_CHECK bool condition_timer(condition_index *x, uint32_t node);
/* Runs dirty programs, propagates, and lists what flipped: valid until the next call of this file. False: out of memory, fatal. */
MANDATE_CHECK bool condition_settle(condition_index *x, const condition_flips **flips, uint32_t *count);

/* Counters since creation. */
typedef struct condition_stats {
    uint64_t leaf_flips, node_flips, programs_run;
    uint64_t condition_flips;                              /* as told by condition_settle: one for each holder */
    uint32_t conditions, cohorts, nodes, slots, templates; /* conditions: distinct ones */
} condition_stats;
void condition_get_stats(const condition_index *x, condition_stats *out);

/* Evaluates the whole text anew for these claims and lists what was read, in order of reading: the evidence. Terms are in
 * `a`, at most LIMIT_EVIDENCE_TERMS; `total` counts all. */
MANDATE_CHECK mandate_status condition_evidence(condition_index *x, condition_template *t, mandate_slice text,
                                                const claims *c, arena *a, condition_truth *value, transition_term **terms,
                                                uint32_t *count, uint32_t *total, mandate_error *err);
/* Attributes the text names that no connector supplies ("crm.conversation.mood"), in `a`. */
MANDATE_CHECK mandate_status condition_unobservable(condition_index *x, condition_template *t, arena *a,
                                                    mandate_slice **paths, uint32_t *count, mandate_error *err);
/* The tree with every sub-value and who set what it read, as JSON (see engine_explain). */
MANDATE_CHECK mandate_status condition_explain(condition_index *x, condition_template *t, mandate_slice text,
                                               const claims *c, buf *out, mandate_error *err);

/* Re-derives every truth value from scratch and compares: for tests. False names the first that differs. */
bool condition_verify(condition_index *x, char *why, size_t why_size);

#endif

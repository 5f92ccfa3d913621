/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rig - a small business for unit tests: conversations that belong to accounts, two sources, and a few words to change them,
 * issue mandates and step. Everything lives until rig_deinit; every helper asserts that it worked.
 *
 *   crm.conversation  status string, open bool, count int, ratio double, opened timestamp, tags list(string), any dyn,
 *                     mood string (no connector supplies it), account -> crm.account (inverse `conversations`)
 *   crm.account       name string, tier int, blocked bool
 */
#ifndef MANDATE_TESTS_ENGINE_RIG_H
#define MANDATE_TESTS_ENGINE_RIG_H

#include "tests/engine/base/unit.h"

#include "engine/condition/index.h"
#include "engine/engine_int.h"
#include "tests/engine/records.h"

#define S(text) mandate_slice_str(text)
#define STR(text) cel_string(mandate_slice_str(text))
#define SECOND INT64_C(1000000)
#define RIG_START (INT64_C(1700000000) * SECOND)
#define RIG_ISSUER "https://issuer.example"

enum { CONVERSATION, ACCOUNT, RIG_TYPES };
enum { CRM, BILLING };

typedef struct rig {
    schema *schema;
    engine *e;      /* rig_engine only */
    context *graph; /* rig_index only; of the engine otherwise */
    condition_index *index;
    timers deadlines; /* rig_index only */
    arena memory;
    uint64_t seq;
    int64_t now_us, offset;
    VEC(engine_input) inputs; /* of the next step */
    buf permits;              /* likewise */
    engine_result r;          /* of the last one */
    kept_records records;     /* as a store would hold them */
    uint16_t unit_source;     /* who speaks: CRM unless a test says otherwise */
} rig;

schema *rig_schema(void);
uint16_t rig_field(const schema *s, uint16_t type, const char *name);

/* cmocka fixtures: a whole engine, or a graph with a condition index. */
int rig_engine(void **state);
int rig_index(void **state);
int rig_deinit(void **state);

/* --- changes ------------------------------------------------------------------------------------- */
change *rig_upsert(rig *g, uint16_t type, const char *id, int64_t event_time_us);
void rig_set(rig *g, change *ch, const char *field, cel_value v);
void rig_forget(rig *g, change *ch, const char *field);
change_origin rig_origin(rig *g);
engine_input rig_record(rig *g, const change *ch, uint32_t count);
/* Into the graph at once (no engine); false when it was stale. */
bool rig_apply(rig *g, const change *ch);

/* --- an engine ------------------------------------------------------------------------------------ */
void rig_queue(rig *g, engine_input in);
/* Queues one change of one conversation's attribute. */
void rig_put(rig *g, const char *id, const char *field, cel_value v);
/* Claims with everything that is required, valid for an hour; change them before the step. */
claims *rig_claims(rig *g, const char *id);
void rig_issue(rig *g, const claims *c);
void rig_command(rig *g, engine_command_kind kind, const char *id);
/* Runs what is queued at a time (RIG_START + seconds). */
void rig_step_at(rig *g, int64_t seconds);
void rig_step(rig *g);
/* All in one: issue and step; the answer. */
const engine_answer *rig_issue_now(rig *g, const claims *c);
const engine_answer *rig_command_now(rig *g, engine_command_kind kind, const char *id);
mandate_state rig_state(rig *g, const char *id);     /* of its record */
mandate_state rig_effective(rig *g, const char *id); /* as anybody may rely on it */
uint32_t rig_version(rig *g, const char *id);
/* A new engine with the state of this one, through its stored form. */
engine *rig_restored(rig *g);

#define assert_says(error, part)                                          \
    do {                                                                  \
        if (!strstr((error).text, (part)))                                \
            fail_msg("\"%s\" does not say \"%s\"", (error).text, (part)); \
    } while (0)
#define assert_slice(slice, text)                                                \
    do {                                                                         \
        mandate_slice got_ = (slice);                                            \
        if (!mandate_slice_is(got_, (text)))                                     \
            fail_msg("\"%.*s\" is not \"%s\"", MANDATE_SLICE_ARG(got_), (text)); \
    } while (0)

#endif

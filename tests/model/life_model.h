/* SPDX-License-Identifier: Apache-2.0 */
/*
 * life_model - what the life of mandates ought to be, the naive way: written from docs/mandates.md, sharing nothing with the
 * engine. Everything is looked at anew at every question: no timers, no counters, no cascades in slices.
 *
 * A scope here is a set of actions as bits (the driver gives each bit a name), one limit and one budget in whole numbers; audiences,
 * agents and the values that each of LIFE_PROPERTIES properties may have are sets of bits, too. Conditions hang on the status of a few conversations:
 *
 *   while          it is open or held          false for one that is known to be anything else: revoked
 *   until          it is done                  completed, where no while ends it first
 *   suspend_while  it is held                  suspended for as long
 * Time is in seconds. Mandates are numbers from 0, in order of issuance.
 */
#ifndef MANDATE_TESTS_MODEL_LIFE_MODEL_H
#define MANDATE_TESTS_MODEL_LIFE_MODEL_H

#include <stdbool.h>
#include <stdint.h>

enum { LIFE_MANDATES = 4096, LIFE_NONE = -1, LIFE_KEYS = 128, LIFE_CONVERSATIONS = 4, LIFE_PROPERTIES = 2 };

typedef enum life_status { IS_UNSEEN, IS_OPEN, IS_HELD, IS_DONE, IS_LOST } life_status;

typedef enum life_state {
    LIFE_ACTIVE,
    LIFE_SUSPENDED,
    LIFE_COMPLETED,
    LIFE_REVOKED,
    LIFE_EXPIRED,
    LIFE_CASCADED,
    LIFE_SUPERSEDED
} life_state;

/* How a request was taken. */
typedef enum life_outcome { LIFE_DONE, LIFE_AGAIN, LIFE_REFUSED } life_outcome;

typedef struct life_terms {
    uint32_t actions; /* never 0 */
    int64_t limit;    /* of one action */
    int64_t budget;   /* 0: none */
    int64_t expires_at;
    int depth_max;                      /* generations below */
    int children_max;                   /* live ones; LIFE_NONE: any number */
    uint32_t audience;                  /* 0: anyone */
    uint32_t agents;                    /* whom it may be delegated to; 0: anybody */
    int agent;                          /* whom it was given to */
    uint32_t require[LIFE_PROPERTIES];  /* values that a property must be one of; 0: nothing is required of it */
    int while_on, until_on, suspend_on; /* conversations; LIFE_NONE: no such clause. Not amended */
} life_terms;

typedef struct life_key {
    int64_t amount;
    uint32_t key;
    bool undone;
} life_key;

typedef struct life_mandate {
    life_terms terms;
    life_state state; /* as recorded */
    int parent;
    uint32_t version;
    int64_t resume_at;          /* 0: not by itself */
    bool by_command, by_clause; /* what suspends it */
    int64_t spent;
    life_key keys[LIFE_KEYS]; /* a ring */
    uint32_t key_count;
} life_mandate;

typedef struct life_model {
    life_mandate all[LIFE_MANDATES];
    int count;
    int64_t now;
    life_status status[LIFE_CONVERSATIONS];
} life_model;

/* Time moves to a moment, and everything that was due on the way happens in its order. Never back. */
void life_clock(life_model *m, int64_t now);
/* As anybody may rely on it. */
life_state life_effective(const life_model *m, int at);
/* A conversation changes, and whatever hangs on it. `order`: below 0 when a comes before b, in order of their ids. */
void life_event(life_model *m, int conversation, life_status status, int (*order)(int a, int b));
/* DONE: it has the next number. */
life_outcome life_issue(life_model *m, int parent, int supersedes, const life_terms *t);
life_outcome life_amend(life_model *m, int at, const life_terms *t, bool widen, bool cascade);
life_outcome life_suspend(life_model *m, int at, int64_t until);
life_outcome life_resume(life_model *m, int at);
life_outcome life_revoke(life_model *m, int at);
life_outcome life_return(life_model *m, int at, bool by_agent);
life_outcome life_spend(life_model *m, int at, int64_t amount, uint32_t key);
life_outcome life_unspend(life_model *m, int at, uint32_t key);
bool life_exhausted(const life_model *m, int at);

#endif

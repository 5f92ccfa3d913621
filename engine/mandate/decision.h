/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decision - a question that only a human can answer: may this action be done, or this command be carried out?
 *
 *   open ──> permitted ──> expired        A decision is asked once per key: the same question meets the same decision until
 *    │  └──> refused                      that has lapsed (`expires_at`), whatever its state.
 *    └─────> expired
 *
 * An action is asked about when mandates that govern it contradict each other; its key is agent, action, resource, digest of the
 * parameters, the mandates that govern and what they require of other properties, as it was asked. A permit says yes to exactly that, until it expires, while all those mandates are
 * active. A command waits when policy wants a second person: permitting carries it out, in the same step. `version` is 1 when
 * it is opened and grows by one with every change; all of it is told (notices), so the id of a notice is a hash of issuer,
 * decision and version.
 */
#ifndef MANDATE_ENGINE_MANDATE_DECISION_H
#define MANDATE_ENGINE_MANDATE_DECISION_H

#include "engine/mandate/lifecycle.h"

#define DECISION_STATE_MAP(X)                                      \
    X(OPEN, "open", "waits for a human; nothing runs")             \
    X(PERMITTED, "permitted", "yes, until it expires")             \
    X(REFUSED, "refused", "no, and not asked again until it ends") \
    X(EXPIRED, "expired", "nobody answered, or the permit is over")

typedef enum decision_state {
#define X(name, text, meaning) DECISION_##name,
    DECISION_STATE_MAP(X)
#undef X
        DECISION_STATE_COUNT
} decision_state;

typedef enum decision_kind { DECISION_ACTION, DECISION_COMMAND } decision_kind;
extern const char *const decision_kind_names[2]; /* "action", "command" */

enum { DECISION_KEY = 32, DECISION_ID = 28 /* "d-" and 26 base32 characters */ };

typedef struct decision_record {
    mandate_slice id;
    decision_kind kind;
    decision_state state;
    uint32_t version;
    uint8_t key[DECISION_KEY];
    mandate_slice asker;            /* ACTION: the agent; COMMAND: the principal whose command waits */
    mandate_slice action, resource; /* COMMAND: "mandate.revoke" and "mandate/<id>", so that it reads the same */
    mandate_slice digest;           /* of the parameters: "sha-256:..." */
    mandate_slice parameters;       /* what it is the digest of, for the human to see */
    mandate_slice properties; /* ACTION: what the mandates require of resource and context, as it was asked: a JSON object in
                                     * canonical form; empty: nothing */
    mandate_slice reason;     /* why a human is asked: a sentence */
    mandate_slice mandates[LIMIT_DECISION_MANDATES];
    uint32_t mandate_count;
    mandate_slice command;       /* COMMAND: engine_encode_command */
    mandate_slice vouched;       /* COMMAND: who the asker was, in the caller's form: not ours to read */
    mandate_slice decider, note; /* of the answer */
    uint64_t opened_seq;
    uint32_t opened_input;
    int64_t opened_at_us, decided_at_us; /* decided: 0 while open */
    int64_t expires_at_us;               /* of the question while open, then of the answer */
} decision_record;

const char *decision_state_name(decision_state state);
/* DECISION_STATE_COUNT when it is no state's name. */
decision_state decision_state_parse(mandate_slice name);
bool decision_transition_legal(decision_state from, decision_state to);

/* Of an action: SHA-256 over agent, action, resource, digest, the mandates, which are in order of ids, and the properties. */
MANDATE_CHECK bool decision_action_key(uint8_t out[DECISION_KEY], const decision_record *question);
/* Of a command: SHA-256 over its encoding. */
MANDATE_CHECK bool decision_command_key(uint8_t out[DECISION_KEY], mandate_slice command);
/* "d-..." from issuer, key and when it was opened: the same on every replay. */
MANDATE_CHECK bool decision_id(char out[DECISION_ID], mandate_slice issuer, const decision_record *d);
/* SHA-256("mandated decision notice\0" || issuer || id || version). */
MANDATE_CHECK bool decision_notice_id(uint8_t out[32], mandate_slice issuer, const decision_record *d);

/* Lengths, characters, counts, the order of the mandates. One sentence that names the member. */
MANDATE_CHECK mandate_status decision_check(const decision_record *question, mandate_error *err);
void decision_encode(buf *b, const decision_record *d);
/* Everything borrows from `bytes`. MANDATE_CORRUPT when malformed. A mere question has neither id nor version. */
MANDATE_CHECK mandate_status decision_decode(decision_record *out, mandate_slice bytes, mandate_error *err);

#endif

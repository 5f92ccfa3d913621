/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lifecycle - the states of a mandate, the one table of legal transitions, and what a transition carries.
 *
 * Names follow the Mission-Bound Authorization drafts (Mission = mandate). Only `active` permits. A final state is
 * final for ever. `version` is 1 at issuance and grows by one with every committed transition.
 */
#ifndef MANDATE_ENGINE_MANDATE_LIFECYCLE_H
#define MANDATE_ENGINE_MANDATE_LIFECYCLE_H

#include "engine/context/change.h"
#include "engine/mandate/disclosure.h"

/* name, text, final, meaning */
#define MANDATE_STATE_MAP(X)                                                   \
    X(ACTIVE, "active", false, "may execute")                                  \
    X(SUSPENDED, "suspended", false, "may not execute now, may again")         \
    X(COMPLETED, "completed", true, "an until clause became true")             \
    X(REVOKED, "revoked", true, "a while clause broke, or someone revoked it") \
    X(EXPIRED, "expired", true, "its hard expiry passed")                      \
    X(CASCADED, "cascaded", true, "an ancestor ended")                         \
    X(SUPERSEDED, "superseded", true, "a successor took its place")

typedef enum mandate_state {
#define X(name, text, final, meaning) STATE_##name,
    MANDATE_STATE_MAP(X)
#undef X
        STATE_COUNT,
    STATE_NONE = STATE_COUNT /* before issuance */
} mandate_state;

/* Why, in one token; consumers switch on it. */
#define MANDATE_REASON_MAP(X)                   \
    X(ISSUED, "issued")                         \
    X(WHILE_FALSE, "while_false")               \
    X(UNTIL_TRUE, "until_true")                 \
    X(SUSPEND_WHILE_TRUE, "suspend_while_true") \
    X(CONDITIONS_CLEAR, "conditions_clear")     \
    X(CONDITION_UNKNOWN, "condition_unknown")   \
    X(CONDITION_ERROR, "condition_error")       \
    X(COMMAND, "command")                       \
    X(HARD_EXPIRY, "hard_expiry")               \
    X(ANCESTOR_ENDED, "ancestor_ended")         \
    X(SUSPENSION_OVER, "suspension_over")       \
    X(AMENDED, "amended")                       \
    X(PARENT_AMENDED, "parent_amended")         \
    X(SUPERSEDED, "superseded")                 \
    X(RETURNED, "returned")

typedef enum mandate_reason {
#define X(name, text) REASON_##name,
    MANDATE_REASON_MAP(X)
#undef X
        REASON_COUNT
} mandate_reason;

/* Who may bring a transition about. A power is what a principal has; the others are nobody's to give. */
#define MANDATE_WHO_MAP(X)                                                         \
    X(ISSUE, "issue")       /* a power: whoever may issue it */                    \
    X(AMEND, "amend")       /* a power */                                          \
    X(SUSPEND, "suspend")   /* a power; resuming is part of it */                  \
    X(REVOKE, "revoke")     /* a power */                                          \
    X(AGENT, "agent")       /* its own agent, who gives it back */                 \
    X(BUSINESS, "business") /* a condition: a record, a source, the clock in it */ \
    X(CLOCK, "clock")       /* a deadline */                                       \
    X(ANCESTOR, "ancestor") /* what became of one it was delegated from */

typedef enum mandate_who {
#define X(name, text) WHO_##name,
    MANDATE_WHO_MAP(X)
#undef X
        WHO_COUNT
} mandate_who;

/*
 * The life of a mandate: state x reason -> state, and who. Whatever is not here cannot happen; nothing leaves a final state.
 * LIVE is active and suspended alike; LIVE -> LIVE stays what it was.
 */
#define MANDATE_TRANSITION_MAP(X)                                      \
    X(NONE, ISSUED, ACTIVE, ISSUE)                                     \
    X(ACTIVE, SUSPEND_WHILE_TRUE, SUSPENDED, BUSINESS)                 \
    X(ACTIVE, CONDITION_UNKNOWN, SUSPENDED, BUSINESS)                  \
    X(ACTIVE, CONDITION_ERROR, SUSPENDED, BUSINESS)                    \
    X(ACTIVE, COMMAND, SUSPENDED, SUSPEND)                             \
    X(SUSPENDED, COMMAND, SUSPENDED, SUSPEND) /* until another time */ \
    X(SUSPENDED, COMMAND, ACTIVE, SUSPEND)                             \
    X(SUSPENDED, CONDITIONS_CLEAR, ACTIVE, BUSINESS)                   \
    X(SUSPENDED, SUSPENSION_OVER, ACTIVE, CLOCK)                       \
    X(LIVE, AMENDED, LIVE, AMEND) /* wider: ISSUE */                   \
    X(LIVE, UNTIL_TRUE, COMPLETED, BUSINESS)                           \
    X(LIVE, RETURNED, COMPLETED, AGENT)                                \
    X(LIVE, WHILE_FALSE, REVOKED, BUSINESS)                            \
    X(LIVE, COMMAND, REVOKED, REVOKE)                                  \
    X(LIVE, PARENT_AMENDED, REVOKED, ANCESTOR)                         \
    X(LIVE, HARD_EXPIRY, EXPIRED, CLOCK)                               \
    X(LIVE, ANCESTOR_ENDED, CASCADED, ANCESTOR)                        \
    X(LIVE, SUPERSEDED, SUPERSEDED, ISSUE)

const char *mandate_state_name(mandate_state state);
/* STATE_NONE when it is no state's name. */
mandate_state mandate_state_parse(mandate_slice name);
static inline bool mandate_state_is_final(mandate_state state)
{
    enum {
        ALL = 0
#define X(name, text, final, meaning) | (final) << STATE_##name
        MANDATE_STATE_MAP(X)
#undef X
    };
    return (unsigned)state < STATE_COUNT && (ALL >> state & 1);
}
const char *mandate_reason_name(mandate_reason reason);
const char *mandate_who_name(mandate_who who);
/* Is it in the table? `who` (may be NULL) gets whose it is. */
bool mandate_transition_legal(mandate_state from, mandate_reason reason, mandate_state to, mandate_who *who);

/* One attribute that the deciding evaluation read. */
typedef struct transition_term {
    mandate_slice path;   /* crm.conversation["R-42"].status */
    cel_value value;      /* as read; unknown kind when unobserved */
    bool observed;        /* origin is meaningful */
    change_origin origin; /* who set it */
} transition_term;

typedef enum transition_cause {
    CAUSE_CHANGE,  /* origin: the record */
    CAUSE_COMMAND, /* principal, note */
    CAUSE_CLOCK,   /* a deadline */
    CAUSE_CASCADE, /* the ancestor's own cause is repeated in `origin` / principal */
    CAUSE_SOURCE   /* a source fell silent or came back */
} transition_cause;
extern const char *const transition_cause_names[5]; /* "event", "command", "clock", "cascade", "source" */

/* A committed change of state. Slices live as long as the step's result (or the decoder's arena). */
typedef struct transition {
    mandate_slice mandate, issuer;
    uint32_t version;
    mandate_state state, prior; /* prior STATE_NONE for an issuance */
    mandate_reason reason;
    transition_cause cause;
    change_origin origin;    /* cause CHANGE (or cascaded from one) */
    mandate_slice principal; /* who, for commands */
    mandate_slice note;      /* reason given by a person */
    mandate_clause clause;   /* CLAUSE_NONE when no clause fired */
    mandate_slice clause_text;
    const transition_term *terms;
    uint32_t term_count, term_total;            /* total > count when cut at LIMIT_EVIDENCE_TERMS */
    mandate_slice cascade_root, cascade_parent; /* empty unless CASCADED */
    uint32_t cascade_depth;                     /* generations below the root, 1 for its child */
    uint32_t cascade_count;                     /* on the root: live descendants at that moment; on others the same number */
    uint8_t txn[32];                            /* transition id of the root cause: one for a whole cascade */
    mandate_slice grantor, agent, purpose;
    cel_value targets;
    cel_value in_flight;                  /* of an end: what is known of work under it (inflight.c), or null */
    cel_value changes;                    /* AMENDED: claims_changes; null otherwise */
    uint32_t amended_before;              /* AMENDED: the version of the amendment before it; 0: none */
    uint32_t claims_version;              /* at which the claims became what they are: that of the last amendment, or 1 */
    const claims_disclosure *disclosures; /* what of all this is restricted; AMENDED: before or after */
    uint32_t disclosure_count;
    uint32_t hidden;          /* transition_view: bits of the members that are not told; not stored */
    mandate_slice supersedes; /* ISSUED: whose place it took; SUPERSEDED: empty */
    mandate_slice successor;  /* SUPERSEDED: who took its place */
    int64_t expires_at_us;
    int64_t suspended_until_us; /* SUSPENDED by a command that names an end; 0: none */
    int64_t effective_at_us;    /* when the reason arose, by the engine's time */
    int64_t committed_at_us;    /* time of the step */
    uint64_t seq;               /* step */
} transition;

/* SHA-256("mandated transition\0" || len,issuer || len,mandate || version): the same on every retry and replay. */
MANDATE_CHECK bool transition_id(uint8_t out[32], mandate_slice issuer, mandate_slice mandate, uint32_t version);
/* Stored form, with names instead of indices, so that it reads the same for ever. */
void transition_encode(buf *b, const transition *t, const schema *s);
/* Names of sources and topics come back as text because the schema may have changed since. */
typedef struct transition_names {
    mandate_slice source, topic;                     /* of `origin` */
    const mandate_slice *term_sources, *term_topics; /* per term */
} transition_names;
/* What they may see of it: only takes away. Borrows; new values are in `a`. */
void transition_view(transition *out, const transition *t, const disclosure_viewer *who, arena *a);
/* The same for an origin alone: source and topic by name. */
void transition_origin_encode(buf *b, const change_origin *o, const schema *s);
void transition_origin_decode(wire_reader *r, change_origin *o, mandate_slice *source, mandate_slice *topic);
MANDATE_CHECK mandate_status transition_decode(transition *out, transition_names *names, arena *a, mandate_slice bytes,
                                               mandate_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * claims - what a mandate says: who delegates what to whom, for which purpose, and when it ends.
 *
 * A plain structure of borrowed slices. claims_encode is its stored form (one content, one encoding:
 * two issuances are "the same" exactly when their encodings are equal). JSON is made and read in connectors/.
 */
#ifndef MANDATE_ENGINE_MANDATE_CLAIMS_H
#define MANDATE_ENGINE_MANDATE_CLAIMS_H

#include "engine/cel/value.h"
#include "engine/limits.h"
#include "engine/mandate/amount.h"

typedef enum mandate_clause {
    CLAUSE_WHILE,         /* must stay true; false revokes */
    CLAUSE_UNTIL,         /* true completes */
    CLAUSE_SUSPEND_WHILE, /* true suspends, false resumes */
    CLAUSE_COUNT,
    CLAUSE_NONE = CLAUSE_COUNT
} mandate_clause;

/* What an unknown clause does. */
typedef enum claims_on_unknown {
    ON_UNKNOWN_HOLD,   /* nothing: the hard expiry governs */
    ON_UNKNOWN_SUSPEND /* suspends after the grace period */
} claims_on_unknown;

#define CLAIMS_DEPTH_UNSET UINT32_MAX

/* What claims can say, member by member: a request that says only a part of them has its bits in `given`. */
#define CLAIMS_MEMBER_MAP(X)          \
    X(ID, "id")                       \
    X(ISSUER, "issuer")               \
    X(GRANTOR, "grantor")             \
    X(AGENT, "agent")                 \
    X(PURPOSE, "purpose")             \
    X(ACTIONS, "scope.actions")       \
    X(RESOURCES, "scope.resources")   \
    X(LIMITS, "scope.limits")         \
    X(BUDGETS, "scope.budgets")       \
    X(WHILE, "while")                 \
    X(UNTIL, "until")                 \
    X(SUSPEND_WHILE, "suspend_while") \
    X(PARAMS, "params")               \
    X(TARGETS, "targets")             \
    X(AUDIENCE, "audience")           \
    X(PARENT, "parent")               \
    X(SUPERSEDES, "supersedes")       \
    X(MAX_DEPTH, "max_depth")         \
    X(DELEGATION, "delegation")       \
    X(ON_UNKNOWN, "on_unknown")       \
    X(UNKNOWN_GRACE, "unknown_grace") \
    X(EXPIRES_AT, "expires_at")       \
    X(DISCLOSURE, "disclosure")       \
    X(REQUIRE, "scope.require") /* rules are stored by number: what is new stands at the end */

typedef enum claims_member {
#define X(name, text) MEMBER_##name,
    CLAIMS_MEMBER_MAP(X)
#undef X
        MEMBER_COUNT
} claims_member;
#define CLAIMS_GIVEN(member) (UINT32_C(1) << MEMBER_##member)
const char *claims_member_name(claims_member member);

typedef struct claims_limit {
    mandate_slice name; /* "amount_eur" */
    cel_value max;      /* int, uint or double: what is asked for must be <= max */
} claims_limit;

typedef struct claims_budget {
    mandate_slice name; /* "amount_eur" */
    budget_amount max;  /* how much there may be spent of it in all, more than nothing */
} claims_budget;

/* A property of what is asked, and the values that it may have; see required.h. */
typedef struct claims_required {
    mandate_slice name;      /* "action.soft", "resource.region", "context.channel" */
    const cel_value *values; /* bools, numbers, texts; at least one, sorted (required_value_cmp), each once */
    uint32_t value_count;
} claims_required;

/* To whom one member, or a part of it, is shown; see disclosure.h. */
typedef struct claims_disclosure {
    claims_member member;
    mandate_slice part; /* of a list its entry, of a map its name; empty: the whole member */
    const mandate_slice *audiences;
    uint32_t audience_count; /* none: nobody's */
    bool handle;             /* a handle takes its place where it is not shown */
} claims_disclosure;

typedef struct claims {
    mandate_slice id, issuer, grantor, agent, purpose;
    const mandate_slice *actions;   /* "contract.negotiate", "contract.*", "contract.*.read", "*" */
    const mandate_slice *resources; /* "crm.account/4711", "crm.account/47*", "crm.*"..."/4711" */
    const mandate_slice *audience;
    const claims_limit *limits;   /* sorted by name */
    const claims_budget *budgets; /* sorted by name */
    uint32_t budget_count;
    uint32_t required_count;
    const claims_required *required; /* sorted by name */
    uint32_t action_count, resource_count, audience_count, limit_count;
    mandate_slice clause[CLAUSE_COUNT]; /* CEL source, empty when absent */
    cel_value params;                   /* map with string keys, or null */
    cel_value targets;                  /* map: what orchestrators stop by (workflow ids, labels), or null */
    int64_t expires_at_us;              /* always present */
    int64_t issued_at_us;               /* set by the engine at the commit */
    mandate_slice parent;               /* id, empty for a root */
    mandate_slice supersedes;           /* id of the one whose place it takes, or empty */
    uint32_t depth_max;                 /* generations below this one that may exist; 0 = no delegation;
                                       CLAIMS_DEPTH_UNSET: as many as its parent leaves (a root: the limit) */
    claims_on_unknown on_unknown;
    int64_t unknown_grace_us;
    bool children_bounded; /* else the number of children is as its parent says (a root: the limit) */
    uint32_t children_max; /* live children there may be at once */
    uint32_t child_agent_count;
    const mandate_slice
        *child_agents; /* patterns of whom it may be delegated to; none: as its parent says (a root: anybody) */
    const claims_disclosure *disclosures; /* sorted (disclosure_cmp) */
    uint32_t disclosure_count;
    uint32_t given;  /* bits of claims_member; no part of the content, and not stored */
    uint32_t hidden; /* likewise: of these it is not known what they say, or not all of it (disclosure_view, a token) */
} claims;

extern const char *const claims_clause_names[CLAUSE_COUNT + 1]; /* "while", "until", "suspend_while", "" */

/* Structure only: required members, lengths, characters of ids, counts, numbers. One sentence naming the
 * member and what is expected. Says nothing about conditions or parents. */
MANDATE_CHECK mandate_status claims_check(const claims *c, mandate_error *err);
/* Of one member: UTF-8 without NUL of at most `max` bytes; and an id, which stands in keys, URLs and terminals. */
MANDATE_CHECK mandate_status claims_check_text(mandate_slice s, const char *member, size_t max, bool required,
                                               mandate_error *err);
MANDATE_CHECK mandate_status claims_check_id(mandate_slice s, const char *member, bool required, mandate_error *err);
void claims_encode(buf *b, const claims *c);
/* Strings borrow from `bytes`, arrays are in `a`. MANDATE_CORRUPT when malformed. */
MANDATE_CHECK mandate_status claims_decode(claims *out, arena *a, mandate_slice bytes, mandate_error *err);
/* Without lists, limits, params and targets, which are empty: what the live part of a mandate and its conditions need.
 * `params` gets theirs as stored, for cel_decode. All borrows from `bytes`. */
MANDATE_CHECK mandate_status claims_decode_outline(claims *out, mandate_slice *params, mandate_slice bytes,
                                                   mandate_error *err);
/* Only the agent; borrows from `bytes`. */
MANDATE_CHECK mandate_status claims_decode_agent(mandate_slice *out, mandate_slice bytes, mandate_error *err);
/* What a condition reads as `mandate.<field>` (schema_mandate_field); borrows. */
cel_value claims_field(const claims *c, uint32_t field);
/* Claims that say nothing yet. */
claims claims_nothing(void);
/* What a child has that says nothing yet: its parent's scope, audience, expiry and purpose, granted by the parent's agent. Borrows. */
claims claims_inherited(const claims *parent, mandate_slice issuer);
/* Lays what `part` gives over `base`: a list as a whole, limits, budgets and required values one by one. Borrows from both; new arrays are in `a`. NOMEM. */
MANDATE_CHECK mandate_status claims_overlay(claims *base, const claims *part, arena *a, mandate_error *err);
/* What a member says, null when nothing; and what differs, as a list or null. In `a`, borrowing from the claims. */
cel_value claims_member_value(arena *a, const claims *c, claims_member member);
cel_value claims_changes(arena *a, const claims *from, const claims *to);
/* As claims_check, of what is given alone. */
MANDATE_CHECK mandate_status claims_check_part(const claims *c, mandate_error *err);
/* Do these, as stored, restrict anything? */
bool claims_restrict(mandate_slice bytes);
/* Deep copy into `a`. */
MANDATE_CHECK mandate_status claims_copy(claims *out, arena *a, const claims *c, mandate_error *err);

/* --- scope ---------------------------------------------------------------------------------------- */
/* `pattern` covers `name`: equal; "*" covers all; a trailing "*" covers every name that begins with what precedes it; any
 * other "*" stands for one or more characters that are no "/". A pattern on the right is covered when every name it stands
 * for is. */
bool scope_covers(mandate_slice pattern, mandate_slice name);
/* What a child that does not say it takes from its parent: depth, number of children and whom they may go to. */
void scope_inherit(claims *child, const claims *parent);
/* Is the child a subset of its parent in actions, resources, limits, required values, audience, time, depth, number of children and whom it goes
 * to? MANDATE_DENIED with a sentence that names the dimension and both values otherwise. */
MANDATE_CHECK mandate_status scope_is_subset(const claims *child, const claims *parent, mandate_error *err);
/* Is it, in each of these dimensions, at most what it was? DENIED as above. */
MANDATE_CHECK mandate_status scope_is_narrower(const claims *now, const claims *old, mandate_error *err);
/* What is asked: maps with string keys, or null. */
typedef struct scope_question {
    mandate_slice action, resource; /* "contract.sign", "crm.account/4711" */
    cel_value params;               /* properties of the action: what a limit constrains, and "action." requires */
    cel_value properties;           /* of the resource: "resource." */
    cel_value context;              /* of the question: "context." */
} scope_question;
/* May this be done? A limit constrains the parameter of its name, and a limited parameter that is missing or no number is refused; so
 * is a property of which a value is required, when it is missing or has another. False sets `why` (a sentence, static or in `a`). */
bool scope_permits(const claims *c, const scope_question *q, arena *a, mandate_slice *why);

#endif

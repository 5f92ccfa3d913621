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

typedef struct claims_limit {
    mandate_slice name; /* "amount_eur" */
    cel_value max;      /* int, uint or double: what is asked for must be <= max */
} claims_limit;

typedef struct claims {
    mandate_slice id, issuer, grantor, agent, purpose;
    const mandate_slice *actions;   /* "contract.negotiate", "contract.*", "contract.*.read", "*" */
    const mandate_slice *resources; /* "crm.account/4711", "crm.account/47*", "crm.*"..."/4711" */
    const mandate_slice *audience;
    const claims_limit *limits; /* sorted by name */
    uint32_t action_count, resource_count, audience_count, limit_count;
    mandate_slice clause[CLAUSE_COUNT]; /* CEL source, empty when absent */
    cel_value params;                   /* map with string keys, or null */
    cel_value targets;                  /* map: what orchestrators stop by (workflow ids, labels), or null */
    int64_t expires_at_us;              /* always present */
    int64_t issued_at_us;               /* set by the engine at the commit */
    mandate_slice parent;               /* id, empty for a root */
    uint32_t depth_max;                 /* generations below this one that may exist; 0 = no delegation;
                                       CLAIMS_DEPTH_UNSET: as many as its parent leaves (a root: the limit) */
    claims_on_unknown on_unknown;
    int64_t unknown_grace_us;
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
/* Only the agent; borrows from `bytes`. */
MANDATE_CHECK mandate_status claims_decode_agent(mandate_slice *out, mandate_slice bytes, mandate_error *err);
/* What a condition reads as `mandate.<field>` (schema_mandate_field); borrows. */
cel_value claims_field(const claims *c, uint32_t field);
/* Deep copy into `a`. */
MANDATE_CHECK mandate_status claims_copy(claims *out, arena *a, const claims *c, mandate_error *err);

/* --- scope ---------------------------------------------------------------------------------------- */
/* `pattern` covers `name`: equal; "*" covers all; a trailing "*" covers every name that begins with what precedes it; any
 * other "*" stands for one or more characters that are no "/". A pattern on the right is covered when every name it stands
 * for is. */
bool scope_covers(mandate_slice pattern, mandate_slice name);
/* Is the child a subset of its parent in actions, resources, limits, audience, time and depth? MANDATE_DENIED with a
 * sentence that names the dimension and both values otherwise. */
MANDATE_CHECK mandate_status scope_is_subset(const claims *child, const claims *parent, mandate_error *err);
/* May this action be done on this resource with these numbers? `params`: map of what is asked (or null); a limit
 * constrains the parameter of its name, and a limited parameter that is missing or no number is refused.
 * False sets `why` (a sentence, static or in `a`). */
bool scope_permits(const claims *c, mandate_slice action, mandate_slice resource, cel_value params, arena *a,
                   mandate_slice *why);

#endif

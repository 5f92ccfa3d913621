/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy - a file that says who may do what: roles bound to principals, powers of roles, what is forbidden to all.
 *
 * Nothing is allowed that no rule allows. A rule that forbids wins over every rule that permits, and its condition counts as
 * true when it cannot be decided; the condition of one that permits counts as false then. Three things no rule can give:
 *   - an agent has no power over a mandate that it holds, save to read, check, spend and give it back, and to delegate;
 *   - nobody issues a mandate to themselves;
 *   - nobody issues in another's name, unless the rule that permits it says in whose (`in_name_of`).
 *
 * A policy is immutable once loaded and may be asked by any number of threads. Each question costs at most LIMIT_CEL_COST, all its
 * conditions together.
 */
#ifndef MANDATE_CONNECTORS_POLICY_POLICY_H
#define MANDATE_CONNECTORS_POLICY_POLICY_H

#include "connectors/config/problem.h"
#include "connectors/policy/power.h"
#include "connectors/policy/principal.h"
#include "engine/base/arena.h"
#include "engine/mandate/lifecycle.h"

typedef struct policy policy;

/* Everything that is wrong goes to `p`; *out is untouched then. `text` NULL: reads `path`. */
MANDATE_CHECK mandate_status policy_load(policy **out, const char *path, const mandate_slice *text, problems *p);
void policy_destroy(policy *p);
const char *policy_name(const policy *p);
/* Unique in the process, never 0. */
uint64_t policy_generation(const policy *p);

/* --- who somebody is ------------------------------------------------------------------------------------------- */
/* Sets who->roles, and its name where the policy gives another. Names are in `a`. DENIED when the principal cannot be bound:
 * a condition of a binding that errs does not bind, so this is only for want of memory. */
MANDATE_CHECK mandate_status policy_bind(const policy *p, policy_principal *who, arena *a, mandate_error *err);
/* May this process on the Unix socket say that it acts for `name`? */
bool policy_speaks_for(const policy *p, const policy_principal *process, mandate_slice name);
/* The i-th role's name, or NULL. */
const char *policy_role(const policy *p, uint32_t i);

/* --- whose tokens are believed ---------------------------------------------------------------------------------- */
enum { POLICY_NAMES_MAX = 16 };
typedef struct policy_issuer {
    mandate_slice issuer, prefix;
    const mandate_slice *audience, *types, *clients; /* clients: none = any */
    uint32_t audience_count, type_count, client_count;
    uint32_t algorithms; /* bit: token_alg */
    const char *jwks;    /* a path, or an https URL */
    bool jwks_is_url;
    const char *ca; /* certificates to trust for the URL, or NULL */
    int64_t refresh_us, max_age_us, leeway_us;
    uint32_t line;
} policy_issuer;
const policy_issuer *policy_issuers(const policy *p, uint32_t *count);
/* The issuer's own condition on a token's claims, and the name that it gives. DENIED when it does not hold, or gives none. */
MANDATE_CHECK mandate_status policy_issuer_name(const policy *p, uint32_t issuer, cel_value payload, mandate_slice *out,
                                                arena *a, mandate_error *err);

/* --- may they ------------------------------------------------------------------------------------------------------ */
typedef enum policy_effect {
    POLICY_DENY,
    POLICY_MAYBE,         /* it depends on what was not said (only when something was not) */
    POLICY_SECOND_PERSON, /* yes, when another principal who may decide agrees */
    POLICY_PERMIT
} policy_effect;
extern const char *const policy_effect_names[4];

/* One mandate as conditions see it. */
typedef struct policy_mandate {
    const claims *claims;
    mandate_state state; /* STATE_NONE: not issued yet */
    uint32_t version;
} policy_mandate;

typedef struct policy_event {
    mandate_slice type, id;
    const mandate_slice *attributes;
    uint32_t attribute_count;
} policy_event;

typedef struct policy_question {
    const policy_principal *who; /* bound by this policy */
    power power;
    bool final; /* what is not said is not so; else it may yet be said (POLICY_MAYBE) */
    const policy_mandate
        *mandate;                /* what the power is over; ISSUE: what is asked for; DELEGATE: the parent. NULL: not said */
    const policy_mandate *asked; /* ISSUE, DELEGATE, AMEND, WIDEN, SUPERSEDE: what would be; NULL: not said */
    const mandate_slice *changes; /* AMEND, WIDEN: names of members that would change */
    uint32_t change_count;
    const policy_event *event;               /* ASSERT_EVENT; NULL: not said */
    mandate_slice connector;                 /* OPERATE; empty: not said */
    mandate_slice subject, action, resource; /* CHECK; empty: not said */
    mandate_slice reason;                    /* what they say why */
    int64_t now_us;
} policy_question;

typedef struct policy_decision {
    policy_effect effect;
    uint32_t rule_line; /* of the rule that decided, 0: none did */
    const char *rule;   /* its name; lives with the policy; "" */
    char text[512];     /* a sentence, for who asked */
} policy_decision;

/* Called for every step of a decision, in order, with a line for people. */
typedef void (*policy_trace)(void *ctx, const char *text);

/* `a` is scratch. Never fails: what goes wrong is a no. */
void policy_decide(const policy *p, const policy_question *q, arena *a, policy_decision *out, policy_trace trace, void *ctx);
/* The powers that `who` has somehow: PERMIT, SECOND_PERSON or MAYBE (over some mandates), or DENY. */
/* Bit: power that `who` has whatever is asked, and whenever: it need not be asked again while policy and principal stay. */
uint32_t policy_always(const policy *p, const policy_principal *who, int64_t now_us, arena *a);
policy_effect policy_has(const policy *p, const policy_principal *who, power needed, int64_t now_us, arena *a);

#endif

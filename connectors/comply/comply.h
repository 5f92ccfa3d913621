/* SPDX-License-Identifier: Apache-2.0 */
/*
 * comply - rules about what mandates may say, whoever issues them: CEL over claims, from a file.
 *
 *   compliance: finance
 *   rules:
 *     - name: finance-ends
 *       applies: mandate.scope.actions.overlaps("finance.*")
 *       require: has(mandate.until) && mandate.expires_at - now <= duration("720h")
 *       action: refuse
 *       message: every mandate on finance.* has an until clause and ends within 30 days
 *
 * Fail closed: a condition that is unknown, in error, or costs more than what is left of LIMIT_CEL_COST counts against the
 * mandate, whether it is `applies` (then it applies) or `require` (then it is not met). A rule whose action is `flag` never refuses.
 *
 * Rules are immutable once loaded and shared by reference count, so that a reload takes effect between two questions.
 */
#ifndef MANDATE_CONNECTORS_COMPLY_COMPLY_H
#define MANDATE_CONNECTORS_COMPLY_COMPLY_H

#include "connectors/config/problem.h"
#include "engine/base/arena.h"
#include "engine/mandate/claims.h"

enum { LIMIT_COMPLY_RULES = 256 };

/* X(NAME, name, type, meaning): what conditions see. */
#define COMPLY_MANDATE_MAP(X)                                                                          \
    X(ID, "id", "string", "its id")                                                                    \
    X(ISSUER, "issuer", "string", "who signs it")                                                      \
    X(GRANTOR, "grantor", "string", "who delegates")                                                   \
    X(AGENT, "agent", "string", "who acts under it")                                                   \
    X(PURPOSE, "purpose", "string", "what for")                                                        \
    X(SCOPE, "scope", "Scope", "actions, resources: list(string); limits, require: map(string, dyn)")  \
    X(WHILE, "while", "string", "the clause; has() is false without it")                               \
    X(UNTIL, "until", "string", "the clause")                                                          \
    X(SUSPEND_WHILE, "suspend_while", "string", "the clause")                                          \
    X(PARAMS, "params", "map(string, dyn)", "its parameters")                                          \
    X(TARGETS, "targets", "map(string, dyn)", "what orchestrators stop by")                            \
    X(AUDIENCE, "audience", "list(string)", "who may accept it; empty: anybody")                       \
    X(PARENT, "parent", "string", "id of the mandate it is delegated from; has() is false for a root") \
    X(MAX_DEPTH, "max_depth", "int", "generations below it, as they will be when it does not say")     \
    X(ON_UNKNOWN, "on_unknown", "string", "hold or suspend")                                           \
    X(UNKNOWN_GRACE, "unknown_grace", "duration", "before it is suspended")                            \
    X(EXPIRES_AT, "expires_at", "timestamp", "its hard expiry")

#define COMPLY_SCOPE_MAP(X)                                            \
    X(ACTIONS, "actions", "list(string)", "patterns of actions")       \
    X(RESOURCES, "resources", "list(string)", "patterns of resources") \
    X(LIMITS, "limits", "map(string, dyn)", "upper bounds by name")    \
    X(REQUIRE, "require", "map(string, dyn)", "lists of values by property: mandate.scope.require['action.soft']")

typedef enum comply_action { COMPLY_REFUSE, COMPLY_FLAG } comply_action;

typedef struct comply comply;

/* Everything that is wrong goes to `p`; *out is untouched then. `text` NULL: reads `path`. One reference. */
MANDATE_CHECK mandate_status comply_load(comply **out, const char *path, const mandate_slice *text, problems *p);
comply *comply_hold(comply *c); /* one more reference */
void comply_drop(comply *c);    /* NULL: nothing */
const char *comply_name(const comply *c);
uint32_t comply_rule_count(const comply *c);
const char *comply_path(const comply *c);

typedef enum comply_operation { COMPLY_ISSUE, COMPLY_DELEGATE, COMPLY_AMEND, COMPLY_OPERATIONS } comply_operation;
extern const char *const comply_operation_names[COMPLY_OPERATIONS];

typedef struct comply_question {
    const claims *claims;
    const claims *parent; /* NULL for a root; also when it is not known: a condition that reads it is in error then */
    comply_operation operation;
    mandate_slice principal; /* who asks */
    int64_t now_us;
} comply_question;

/* A rule that is not met. */
typedef struct comply_breach {
    const char *rule, *message; /* live with the rules */
    comply_action action;
    uint32_t line;     /* in the file */
    mandate_slice why; /* empty, or why a condition could not be told: in the arena */
} comply_breach;

typedef struct comply_verdict {
    comply_breach *breaches; /* in the order of the file */
    uint32_t count;
    const comply_breach *refused; /* the first that refuses, or NULL */
} comply_verdict;

/* NOMEM: nothing may be granted. Any thread; `a` is the caller's, with what breaches point to. */
MANDATE_CHECK mandate_status comply_ask(const comply *c, const comply_question *q, arena *a, comply_verdict *out,
                                        mandate_error *err);
/* "compliance rule finance-ends: every mandate ..." as DENIED. */
mandate_status comply_refusal(const comply_breach *b, mandate_error *err);
/* {"rule","action","message"[,"why"]} */
void comply_breach_json(buf *b, const comply_breach *breach);

#endif

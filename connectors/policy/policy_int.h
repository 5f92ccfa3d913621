/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy, inside - the file compiled, and what its conditions see (world.c).
 *
 * Each object type is one table of fields; the declaration, the host and docs/policy.md follow from it.
 */
#ifndef MANDATE_CONNECTORS_POLICY_POLICY_INT_H
#define MANDATE_CONNECTORS_POLICY_POLICY_INT_H

#include "connectors/config/yaml.h"
#include "connectors/policy/policy.h"
#include "engine/cel/eval.h"
#include "engine/limits.h"

/* FIELD, name, type, meaning */
#define POLICY_PRINCIPAL_MAP(X)                                                                          \
    X(KIND, "kind", "string", "anonymous, unix, named, certificate or token")                            \
    X(NAME, "name", "string", "what is recorded, and what grantor and agent are compared with")          \
    X(ROLES, "roles", "list(string)", "those that the policy binds it to; none while it is being bound") \
    X(UID, "uid", "int", "unix, named: user id of the process; else -1")                                 \
    X(USER, "user", "string", "unix, named: what the system calls the uid")                              \
    X(GROUPS, "groups", "list(string)", "unix, named: what the system calls the groups of the process")  \
    X(ISSUER, "issuer", "string", "token: `iss`; certificate: who signed it (RFC 4514)")                 \
    X(SUBJECT, "subject", "string", "token: `sub`; certificate: its subject (RFC 4514)")                 \
    X(NAMES, "names", "list(string)", "certificate: its names, such as spiffe://td/x and dns:x.example") \
    X(CLAIMS, "claims", "map(string, dyn)", "token: everything it says; else empty")

#define POLICY_MANDATE_MAP(X)                                                                      \
    X(ID, "id", "string", "its id")                                                                \
    X(ISSUER, "issuer", "string", "who signs it")                                                  \
    X(GRANTOR, "grantor", "string", "who delegates")                                               \
    X(AGENT, "agent", "string", "who acts under it")                                               \
    X(PURPOSE, "purpose", "string", "what for")                                                    \
    X(ACTIONS, "actions", "list(string)", "patterns of actions")                                   \
    X(RESOURCES, "resources", "list(string)", "patterns of resources")                             \
    X(AUDIENCE, "audience", "list(string)", "who may accept it")                                   \
    X(LIMITS, "limits", "map(string, dyn)", "numbers by name")                                     \
    X(REQUIRE, "require", "map(string, dyn)", "lists of values by property")                       \
    X(CLAUSES, "clauses", "map(string, string)", "while, until, suspend_while: those that it has") \
    X(PARAMS, "params", "map(string, dyn)", "its parameters")                                      \
    X(TARGETS, "targets", "map(string, dyn)", "what orchestrators stop by")                        \
    X(EXPIRES_AT, "expires_at", "timestamp", "its hard expiry")                                    \
    X(ISSUED_AT, "issued_at", "timestamp", "when it was issued; 1970 before that")                 \
    X(PARENT, "parent", "string", "id of the mandate it was delegated from, or \"\"")              \
    X(STATE, "state", "string", "active, suspended, ...; \"\" before it is issued")                \
    X(VERSION, "version", "int", "grows with every transition; 0 before it is issued")

#define POLICY_REQUEST_MAP(X)                                                                              \
    X(POWER, "power", "string", "what is asked for")                                                       \
    X(CLAIMS, "claims", "Mandate", "issue, delegate, amend, widen, supersede: the mandate as it would be") \
    X(CHANGES, "changes", "list(string)", "amend, widen: which members would change")                      \
    X(TYPE, "type", "string", "assert_event: the entity's type")                                           \
    X(ID, "id", "string", "assert_event: the entity's id")                                                 \
    X(ATTRIBUTES, "attributes", "list(string)", "assert_event: what would be set")                         \
    X(CONNECTOR, "connector", "string", "operate: which one")                                              \
    X(AGENT, "agent", "string", "check: who would act")                                                    \
    X(ACTION, "action", "string", "check: what would be done")                                             \
    X(RESOURCE, "resource", "string", "check: to what, as type/id")                                        \
    X(REASON, "reason", "string", "why, in the caller's words")

typedef enum policy_object { POLICY_OBJECT_PRINCIPAL, POLICY_OBJECT_MANDATE, POLICY_OBJECT_REQUEST } policy_object;

/* Environments: what an expression of that place may name. */
typedef enum policy_place {
    POLICY_IN_RULE,   /* principal, mandate, request, now */
    POLICY_IN_MATCH,  /* principal */
    POLICY_IN_ISSUER, /* claims */
    POLICY_PLACES
} policy_place;

typedef struct policy_rule {
    uint32_t powers; /* bit: power */
    uint64_t roles;  /* it permits: one bit; it forbids: those whom, or all ones */
    bool forbids, two_person;
    uint32_t line;
    const char *name, *because; /* because: NULL or a sentence */
    cel_program *when;          /* NULL: always */
    const mandate_slice *in_name_of, *events;
    uint32_t name_count, event_count;
} policy_rule;

typedef struct policy_binding {
    cel_program *match;
    uint64_t roles;
    mandate_slice name; /* empty: it keeps its own */
    const mandate_slice *speaks_for;
    uint32_t speaks_count, line;
} policy_binding;

typedef struct policy_issuer_rule {
    cel_program *when, *subject; /* NULL: always; `sub` */
} policy_issuer_rule;

struct policy {
    arena memory;
    uint64_t generation;
    const char *name;
    cel_env *env[POLICY_PLACES];
    const char *roles[LIMIT_POLICY_ROLES];
    uint32_t role_count;
    policy_issuer *issuers;
    policy_issuer_rule *issuer_rules;
    uint32_t issuer_count;
    policy_binding *bindings;
    uint32_t binding_count;
    policy_rule *rules; /* those that forbid first */
    uint32_t rule_count, forbid_count;
};

/* --- world.c ---------------------------------------------------------------------------------------------------- */
MANDATE_CHECK mandate_status policy_env_create(cel_env **out, policy_place place, mandate_error *err);
/* What remains of LIMIT_CEL_COST. */
typedef struct policy_budget {
    uint64_t left;
} policy_budget;
cel_value policy_eval(const policy *p, const cel_program *program, const policy_question *q, cel_value payload, arena *a,
                      policy_budget *budget);

/* --- load.c, load_rules.c, load_issuer.c -------------------------------------------------------------------------- */
typedef struct policy_loader {
    policy *p;
    yaml_doc *doc;
    problems *problems;
    const char *folder;
    policy_rule *rules; /* LIMIT_POLICY_RULES + 1 */
} policy_loader;

typedef struct policy_keys {
    const char *what;
    const yaml_key *keys;
    size_t count;
} policy_keys;
extern const policy_keys policy_file_keys, policy_issuer_keys, policy_principal_keys, policy_permit_keys, policy_forbid_keys;

/* NUL-terminated, in the policy's memory; NULL after reporting. */
const char *policy_text(policy_loader *l, const yaml_node *n, const char *what);
/* One text or a list of them. */
const mandate_slice *policy_texts(policy_loader *l, const yaml_node *n, const char *what, uint32_t *count);
/* Patterns: the same, and a star only at the end. */
const mandate_slice *policy_patterns(policy_loader *l, const yaml_node *n, const char *what, uint32_t *count);
/* NULL after reporting, and when `n` is NULL. */
cel_program *policy_compile(policy_loader *l, const yaml_node *n, policy_place place, cel_type_kind expected);
/* The bits of the roles that are named. */
uint64_t policy_role_bits(policy_loader *l, const yaml_node *n);
void policy_load_principals(policy_loader *l, const yaml_node *list);
void policy_load_roles(policy_loader *l, const yaml_node *map, const yaml_node *forbid);
void policy_load_issuers(policy_loader *l, const yaml_node *list);

#endif

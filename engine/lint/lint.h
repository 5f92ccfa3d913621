/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lint - what a mandate's definition will not do, found before it is issued.
 *
 * Pure and bounded: claims, entity types and a time in, findings out. A clause is taken apart into AND, OR and NOT over atoms;
 * atoms over one operand with constants share a variable whose values are the constants and what lies between them, so that
 * `status == "a" && status == "b"` is seen to be never. What follows from that is decided over all assignments (a truth table
 * of at most LIMIT_LINT_ASSIGNMENTS rows, LIMIT_LINT_WORK evaluations in all; beyond that: a note that it was not decided).
 * Every state that might be is an assignment (null of a deleted entity included), so a finding is never wrong about what
 * the atoms can do; what is not found is not proved.
 */
#ifndef MANDATE_ENGINE_LINT_LINT_H
#define MANDATE_ENGINE_LINT_LINT_H

#include "engine/base/vec.h"
#include "engine/context/schema.h"
#include "engine/mandate/claims.h"

enum {
    LIMIT_LINT_ASSIGNMENTS = 16384, /* rows of one truth table */
    LIMIT_LINT_WORK = 4 << 20,      /* evaluations of a formula's node in one lint: some 20 ms */
    LIMIT_LINT_FINDINGS = 100
};

typedef enum lint_severity { LINT_NOTE, LINT_WARNING, LINT_ERROR, LINT_SEVERITY_COUNT } lint_severity;
extern const char *const lint_severity_names[LINT_SEVERITY_COUNT]; /* "note", "warning", "error" */

/* code, severity, why it matters, what to do */
#define LINT_CODE_MAP(X)                                                                                                   \
    X(CLAIMS, "invalid-claims", ERROR, "it cannot be issued", "correct the member")                                        \
    X(CONDITION, "invalid-condition", ERROR, "it cannot be issued", "correct the condition")                               \
    X(WIDER, "wider-than-parent", ERROR, "delegation only narrows: it cannot be issued",                                   \
      "narrow the dimension that is named")                                                                                \
    X(EXPIRED, "already-expired", ERROR, "it cannot be issued", "give a time to come")                                     \
    X(UNTIL_NEVER, "until-never", ERROR, "the end it waits for cannot come: only the hard expiry ends it",                 \
      "compare with values that the attribute can have, or drop the clause")                                               \
    X(UNTIL_ALWAYS, "until-always", ERROR, "it has ended before it begins: it is refused when it is issued",               \
      "name the event that ends it")                                                                                       \
    X(WHILE_ALWAYS, "while-always", ERROR, "the clause can never end it",                                                  \
      "name the state that must hold, or drop the clause")                                                                 \
    X(WHILE_NEVER, "while-never", ERROR, "it would end at once, or stay unknown", "compare with values that can be")       \
    X(NEVER_ACTIVE, "never-active", ERROR, "whenever `while` holds `until` has come: nothing is ever permitted",           \
      "correct one of the two clauses")                                                                                    \
    X(NEVER_PERMITS, "always-suspended", ERROR, "it is suspended for as long as it lives: nothing is ever permitted",      \
      "correct `suspend_while`")                                                                                           \
    X(SUSPEND_NEVER, "suspend-never", WARNING, "the clause can never suspend it", "correct the clause or drop it")         \
    X(UNOBSERVED, "unobservable", WARNING, "no connector supplies it: what depends on it stays unknown",                   \
      "add it to a connector's mapping, or ask for an attribute that is supplied")                                         \
    X(NEVER_KNOWN, "never-known", ERROR, "no event can ever decide the clause: only the hard expiry ends it",              \
      "ask for attributes that connectors supply")                                                                         \
    X(UNDECLARED_VALUE, "undeclared-value", ERROR, "the attribute never has this value: the comparison has one outcome",   \
      "take one of the declared values")                                                                                   \
    X(CLOCK_ONLY, "clock-only", WARNING, "no event of the business ends it: it outlives its reason",                       \
      "add `while` or `until` over the business")                                                                          \
    X(SHADOWED, "clause-shadowed", WARNING, "the clause changes nothing: another ends or stops it at the same moment",     \
      "drop it, or correct what it was meant to say")                                                                      \
    X(INHERITED, "clause-inherited", NOTE, "a child ends and pauses with its parent anyway", "drop the clause")            \
    X(REDUNDANT, "part-redundant", WARNING, "this part of the clause changes nothing", "drop it, or correct it")           \
    X(UNDECIDED, "not-decided", NOTE, "the clause has too many independent parts to look at all cases", "simplify it")     \
    X(PARAM_UNUSED, "param-unused", WARNING, "no condition reads it: a misspelt name, or a clause that was forgotten",     \
      "use it or drop it")                                                                                                 \
    X(PARAM_MISSING, "param-missing", ERROR, "the condition is an error without it: the mandate is suspended at once",     \
      "add it to `params`")                                                                                                \
    X(SCOPE_ALL, "scope-everything", WARNING, "it permits whatever is ever added", "name what the purpose needs")          \
    X(EXPIRY_FAR, "expiry-far", WARNING, "the hard expiry is what holds when nothing else does", "let it expire sooner")   \
    X(SELF, "self-granted", WARNING, "nobody but the agent decided on this authority", "let somebody else be the grantor") \
    X(DEPTH, "delegation-deep", WARNING, "authority may be handed on further than anybody looks", "set `max_depth`")       \
    X(AUDIENCE, "audience-missing", WARNING, "everybody who verifies it may accept it", "name who may accept it")          \
    X(HOLD, "irreversible-on-hold", WARNING,                                                                               \
      "while a condition cannot be told it goes on permitting what cannot be taken back",                                  \
      "set `on_unknown` to \"suspend\"")                                                                                   \
    X(NEVER_WITHIN, "required-over-limit", ERROR,                                                                          \
      "no value that it requires is within the limit of the same parameter: nothing is ever permitted",                    \
      "correct one of the two")                                                                                            \
    X(UNSEEN, "restricted-unseen", WARNING, "whoever enforces it cannot know what it says, not even by a handle",          \
      "name the audiences that need it, or give it a handle")                                                              \
    X(GRACE, "grace-unused", NOTE, "`unknown_grace` counts with `on_unknown: suspend` only", "drop it, or set `on_unknown`")

typedef enum lint_code {
#define X(id, code, severity, why, fix) LINT_##id,
    LINT_CODE_MAP(X)
#undef X
        LINT_CODE_COUNT
} lint_code;

typedef struct lint_rule {
    const char *code, *why, *fix;
    lint_severity severity;
} lint_rule;
extern const lint_rule lint_rules[LINT_CODE_COUNT];

typedef struct lint_finding {
    lint_code code;
    mandate_slice member; /* "until", "scope.actions[2]", "params.x" */
    uint32_t begin, end;  /* bytes of the clause's text; 0, 0: the member as a whole */
    mandate_slice what;   /* a sentence */
} lint_finding;

typedef struct lint_options {
    const schema *schema; /* frozen; NULL: conditions are not looked at */
    bool supplied_known;  /* the connectors are in the schema: an attribute none of them supplies is a finding */
    int64_t now_us;
    int64_t expiry_far_us;             /* longer than this is far; 0: LINT_EXPIRY_FAR_US */
    uint32_t depth_useful;             /* 0: LINT_DEPTH_USEFUL */
    const mandate_slice *irreversible; /* patterns of actions; none: lint_irreversible */
    uint32_t irreversible_count;
    const claims *parent; /* NULL: not known */
} lint_options;

#define LINT_EXPIRY_FAR_US (INT64_C(90) * 86400 * 1000000)
enum { LINT_DEPTH_USEFUL = 3 };
/* Last parts of the names of actions that cannot be taken back: "sign", "pay", ... */
extern const char *const lint_irreversible[];

typedef struct lint_report {
    arena *memory;
    VEC(lint_finding) findings;
    uint32_t count[LINT_SEVERITY_COUNT];
    bool truncated, failed; /* more than LIMIT_LINT_FINDINGS; out of memory */
} lint_report;

void lint_report_deinit(lint_report *r);
/* Findings in the order of members, texts in `a`. Only NOMEM can go wrong. The report is to be deinitialised in every case. */
MANDATE_CHECK mandate_status lint_run(lint_report *out, arena *a, const claims *c, const lint_options *options,
                                      mandate_error *err);
/* {"code","severity","member","begin","end","what","why","fix"}, without the places of a file. */
void lint_finding_json(buf *b, const lint_finding *f);

#endif

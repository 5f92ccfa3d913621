/* SPDX-License-Identifier: Apache-2.0 */
/*
 * power - what somebody may be allowed to do: the one list that routes, commands and policies name their powers from.
 *
 * A route or command that names none (POWER_NONE, what a forgotten column is) is refused to everybody.
 */
#ifndef MANDATE_CONNECTORS_POLICY_POWER_H
#define MANDATE_CONNECTORS_POLICY_POWER_H

#include "mandate/mandate.h"

/* X(NAME, name, what it is about, what it allows) */
#define POWER_MAP(X)                                                                                \
    X(NONE, "none", "nobody", "nothing: refused to everybody")                                      \
    X(LOCAL, "local", "nobody", "a command that asks no server")                                    \
    X(HEALTH, "health", "everybody", "ask whether the process lives and is ready")                  \
    X(SELF, "self", "whoever said who it is", "ask who one is, and what one may do")                \
    X(DISCOVER, "discover", "the service", "read its description, and the keys that it signs with") \
    X(READ, "read", "a mandate", "read it, its state and its evidence")                             \
    X(READ_CONTEXT, "read_context", "the graph", "read entities and watches")                       \
    X(DISCLOSE, "disclose", "a mandate", "see what of it is restricted to others")                  \
    X(CHECK, "check", "a mandate", "ask whether it permits an action")                              \
    X(ISSUE, "issue", "a mandate", "grant one")                                                     \
    X(DELEGATE, "delegate", "a mandate", "grant a part of it to another agent")                     \
    X(AMEND, "amend", "a mandate", "make it narrower")                                              \
    X(WIDEN, "widen", "a mandate", "make it wider")                                                 \
    X(SUPERSEDE, "supersede", "a mandate", "put another in its place")                              \
    X(SUSPEND, "suspend", "a mandate", "suspend it")                                                \
    X(RESUME, "resume", "a mandate", "take back a suspension")                                      \
    X(REVOKE, "revoke", "a mandate", "end it")                                                      \
    X(GIVE_BACK, "give_back", "a mandate", "end it, as the agent that holds it")                    \
    X(SPEND, "spend", "a mandate", "draw on its budget")                                            \
    X(DECIDE, "decide", "a mandate", "answer what waits for a human decision")                      \
    X(ASSERT_EVENT, "assert_event", "the graph", "say that something happened")                     \
    X(WATCH, "watch", "the graph", "add and remove watches")                                        \
    X(DEFINE, "define", "the service", "try definitions of mandates on what is known")              \
    X(OBSERVE, "observe", "the service", "read metrics and the state of connectors")                \
    X(OPERATE, "operate", "the service", "clear and replay connectors")                             \
    X(AUDIT, "audit", "the service", "read the record and its proofs")

typedef enum power {
#define X(upper, name, over, text) POWER_##upper,
    POWER_MAP(X)
#undef X
        POWER_COUNT
} power;

/* "read_context"; never NULL. */
const char *power_name(power p);
/* One line; never NULL. */
const char *power_text(power p);
/* POWER_NONE when there is no such power that a policy can give. */
power power_parse(mandate_slice name);

#endif

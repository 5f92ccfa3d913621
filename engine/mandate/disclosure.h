/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disclosure - which members of a mandate not everybody may see, and what is left of it for somebody.
 *
 * A rule restricts a member, or one entry of a list, or one name of a map, to audiences: patterns as in a mandate's own audience. Without
 * any it is seen by nobody but those who may see everything. Paths are written as members are named: "purpose",
 * "scope.limits", "scope.limits.amount_eur", "scope.resources.crm.account/4711", "params.conversation".
 *
 * Restricting changes no authority: the engine, checks and hashes see all of it. What leaves for somebody passes through
 * disclosure_view (claims) or transition_view (what happened), which only take away. Rules narrow as authority does: what a
 * mandate restricts, no child of it shows to more.
 */
#ifndef MANDATE_ENGINE_MANDATE_DISCLOSURE_H
#define MANDATE_ENGINE_MANDATE_DISCLOSURE_H

#include "engine/mandate/claims.h"

/* Whose eyes. Without `all` and with an empty audience: anybody's. */
typedef struct disclosure_viewer {
    bool all;
    mandate_slice audience;
} disclosure_viewer;

/* What can be restricted; the second column: in parts, too. */
#define DISCLOSURE_MEMBER_MAP(X) \
    X(PURPOSE, false)            \
    X(ACTIONS, true)             \
    X(RESOURCES, true)           \
    X(LIMITS, true)              \
    X(REQUIRE, true)             \
    X(WHILE, false)              \
    X(UNTIL, false)              \
    X(SUSPEND_WHILE, false)      \
    X(PARAMS, true)              \
    X(TARGETS, true)

/* False: no such member can be restricted. `part` is empty for the whole member. */
bool disclosure_parse(claims_member *member, mandate_slice *part, mandate_slice path);
void disclosure_put_path(buf *b, const claims_disclosure *d);
/* Does the mandate say what the path names? */
bool disclosure_is_there(const claims *c, claims_member member, mandate_slice part);
/* By member, then part: the order in which rules are kept. */
int disclosure_cmp(const claims_disclosure *x, const claims_disclosure *y);

/* Order, counts, texts; with `whole` also that each names something that is there, and that no name is reserved by RFC 9901. */
MANDATE_CHECK mandate_status disclosure_check(const claims *c, bool whole, mandate_error *err);
/* Stored form of rules, and back; strings borrow, arrays are in `a` (NULL: passed over). */
void disclosure_encode(buf *b, const claims_disclosure *d, uint32_t count);
const claims_disclosure *disclosure_decode(wire_reader *r, arena *a, uint32_t *count);

/* Is what `d` restricts shown to them? */
bool disclosure_shows(const claims_disclosure *d, const disclosure_viewer *who);
/* The rule that restricts this member, or this part of it; NULL: none. */
const claims_disclosure *disclosure_find(const claims_disclosure *d, uint32_t count, claims_member member,
                                         mandate_slice part);
/* Bits (CLAIMS_GIVEN) of the members that are hidden from them, whole or in part. */
uint32_t disclosure_hidden(const claims_disclosure *d, uint32_t count, const disclosure_viewer *who);
/* Does each of `now` show at most to whom `than` shows the same? DENIED names the path. `whose`: "its parent", "it was". */
MANDATE_CHECK mandate_status disclosure_narrows(const claims *now, const claims *than, const char *whose,
                                                mandate_error *err);
/* Rules of `base` that restrict nothing that is there are left out, save those that `part` gives too. In place of the array. */
MANDATE_CHECK mandate_status disclosure_prune(claims *base, const claims *part, arena *a, mandate_error *err);
/* Those of both; of the same path the one of `part`. */
MANDATE_CHECK mandate_status disclosure_merge(claims *base, const claims *part, arena *a, mandate_error *err);
/* "PATH", "PATH=AUDIENCE,AUDIENCE", with "handle" among them for a handle: how operators write a rule. Audiences are in `a`. INVALID says
 * what is expected. */
MANDATE_CHECK mandate_status disclosure_from_text(claims_disclosure *out, arena *a, mandate_slice text, mandate_error *err);
/* Default rules (sorted), for claims that say nothing of disclosure themselves: of what is there and was not in `was` (NULL: nothing was) what
 * no rule of theirs restricts yet. Where a part of a list or map is restricted already, or was there, a rule over the whole of it is
 * one over each of the other parts. Rules that are there stay as they are: what a parent restricts is restricted as the parent does. */
MANDATE_CHECK mandate_status disclosure_default(claims *c, const claims *was, const claims_disclosure *rules, uint32_t count,
                                                arena *a, mandate_error *err);
/* As changes are told. */
cel_value disclosure_value(arena *a, const claims *c);

/* What they may see: without the rules, `hidden` says what is missing. Borrows; new arrays are in `a`. */
MANDATE_CHECK mandate_status disclosure_view(claims *out, const claims *c, const disclosure_viewer *who, arena *a,
                                             mandate_error *err);
/* A map without the parts that are hidden from them. */
cel_value disclosure_view_map(cel_value map, const claims_disclosure *d, uint32_t count, claims_member member,
                              const disclosure_viewer *who, arena *a);

#endif

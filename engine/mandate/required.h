/* SPDX-License-Identifier: Apache-2.0 */
/*
 * required - which values properties of what is asked must have: "action.soft" is true, "resource.region" is "eu" or "us".
 *
 * A name is "action.", "resource." or "context." and the name of one property, which may have dots of its own. Values are bools, finite
 * numbers and texts. They are compared as CEL compares (1 is 1.0, "1" is neither) and kept in one order, so that the same
 * requirement is the same bytes and has the same hash. A property that is not said, or is a list, an object or null, has none of them.
 *
 * Narrower is: every name that is required there, required here, with values that are all among those there.
 */
#ifndef MANDATE_ENGINE_MANDATE_REQUIRED_H
#define MANDATE_ENGINE_MANDATE_REQUIRED_H

#include "engine/mandate/claims.h"

/* Who is compared with whom, in the words of a refusal. */
typedef struct scope_sides {
    const char *than, *theirs, *rule; /* "its parent", "the parent has", "a child may only narrow" */
} scope_sides;

typedef enum required_of { REQUIRED_OF_ACTION, REQUIRED_OF_RESOURCE, REQUIRED_OF_CONTEXT, REQUIRED_OF_COUNT } required_of;
/* "resource.region": RESOURCE and "region". False: it names no property of the three. */
bool required_split(required_of *of, mandate_slice *property, mandate_slice name);
/* What is said of that property; NULL: nothing. */
const cel_value *required_asked(mandate_slice name, const scope_question *q);

/* Bools, then numbers by value, then texts by bytes; total over these. 0: the same value. */
int required_value_cmp(cel_value x, cel_value y);
/* In their order, for the encoding; what stands there twice stays, and is refused by required_check. */
void required_sort(claims_required *all, uint32_t count);
void required_sort_values(cel_value *values, uint32_t count);
/* NULL: nothing is required of it. Both sorted. */
const claims_required *required_find(const claims_required *all, uint32_t count, mandate_slice name);
bool required_has(const claims_required *r, cel_value value);

/* Counts, names, kinds, order, nothing twice. */
MANDATE_CHECK mandate_status required_check(const claims *c, mandate_error *err);
/* Stored form, and back; strings borrow, arrays are in `a` (NULL: passed over). */
void required_encode(buf *b, const claims *c);
const claims_required *required_decode(wire_reader *r, arena *a, uint32_t *count);
/* Those of both; of the same name the one of `part`. In place of the array of `base`. */
MANDATE_CHECK mandate_status required_merge(claims *base, const claims *part, arena *a, mandate_error *err);
/* {"action.soft": [true]}, in `a`, borrowing; null without memory. */
cel_value required_value(arena *a, const claims *c);

/* DENIED names the property and both sides, unless the parent restricts it. */
MANDATE_CHECK mandate_status required_within(const scope_sides *w, const claims *child, const claims *parent,
                                             mandate_error *err);
/* False sets `why`, which says name and values where they may be `told`. */
bool required_permits(const claims_required *r, const scope_question *q, bool told, arena *a, mandate_slice *why);

#endif

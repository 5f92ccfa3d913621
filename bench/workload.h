/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workload - a made-up business of any size: deals, mandates whose conditions read one deal each, and an endless row of
 * changes. Everything follows from the seed; the same workload can be run any number of times.
 *
 *   deal      status (8 values), amount and score (0..999), flags a, b, c
 *   mandate   reads one deal, with constants of its own (mandate.params), in one of four shapes
 *   change    one attribute of one deal takes another value; exactly `fanout` mandates read that deal
 *
 * Mandates of one deal are spread over all handles, as they would be after years of issuing. No engine code is used here
 * but values and claims, so that the hand-written arm and the engine see the same numbers.
 */
#ifndef MANDATE_BENCH_WORKLOAD_H
#define MANDATE_BENCH_WORKLOAD_H

#include "engine/context/schema.h"
#include "engine/mandate/claims.h"

enum { STATUS_COUNT = 8, NUMBER_RANGE = 1000 };

typedef enum workload_shape {
    SHAPE_EQUALITY,
    SHAPE_THRESHOLD,
    SHAPE_BOOLEAN,
    SHAPE_NESTED,
    SHAPE_MIX,
    SHAPE_COUNT
} workload_shape;
extern const char *const workload_shape_names[SHAPE_COUNT];

typedef enum workload_field {
    FIELD_STATUS,
    FIELD_AMOUNT,
    FIELD_SCORE,
    FIELD_A,
    FIELD_B,
    FIELD_C,
    FIELD_COUNT
} workload_field;

typedef struct workload_deal {
    int16_t status, amount, score;
    bool a, b, c;
} workload_deal;

/* The constants of one mandate. */
typedef struct workload_terms {
    uint8_t shape;
    bool holds; /* false: for the loop by hand, which notes it there */
    int16_t status, amount, score;
} workload_terms;

typedef struct workload_change {
    uint32_t deal;
    workload_field field;
    int value, before;
} workload_change;

typedef struct workload {
    workload_shape shape;
    uint32_t mandates, deals, fanout;
    uint64_t seed, rng;
    uint32_t *deal_of; /* mandate -> deal */
    uint32_t *holders; /* deal * fanout .. -> mandates */
    uint32_t *holder_count;
    workload_deal *facts; /* as of the last change */
    schema *schema;
    uint16_t field[FIELD_COUNT];
} workload;

MANDATE_CHECK bool workload_create(workload *w, workload_shape shape, uint32_t mandates, uint32_t fanout, uint64_t seed);
void workload_destroy(workload *w);
/* Back to the beginning: first facts, first change. */
void workload_rewind(workload *w);
void workload_next(workload *w, workload_change *out);

workload_terms workload_terms_of(const workload *w, uint32_t mandate);
/* Bits of the fields that a condition of this shape reads. */
uint32_t workload_reads(workload_shape shape);
/* CEL text of a shape. */
const char *workload_text(workload_shape shape);
/* Names, NUL-terminated: "deal-17", "m-00000017". */
void workload_deal_id(char out[24], uint32_t deal);
void workload_mandate_id(char out[24], uint32_t mandate);
uint32_t workload_mandate_number(mandate_slice id);
/* The value of an attribute as conditions see it; strings are static. */
cel_value workload_value(workload_field field, int value);
int workload_fact(const workload_deal *d, workload_field field);
/* The mandate's claims, in `a`, with the condition in the given clause. */
void workload_claims(const workload *w, uint32_t mandate, mandate_clause clause, arena *a, claims *out);

/* The conditions as a person would write them in C. */
static inline bool workload_holds(const workload_deal *d, const workload_terms *t)
{
    switch (t->shape) {
    case SHAPE_EQUALITY:
        return d->status == t->status;
    case SHAPE_THRESHOLD:
        return d->amount < t->amount;
    case SHAPE_BOOLEAN:
        return d->a && d->b && (d->c || d->amount >= t->amount);
    default:
        return ((d->status == t->status || d->amount < t->amount) && !(d->a && d->score >= t->score)) || (d->b && !d->c);
    }
}

#endif

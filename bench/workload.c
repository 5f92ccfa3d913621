/* SPDX-License-Identifier: Apache-2.0 */
/* workload - see workload.h. */
#include "bench/workload.h"

#include <stdio.h>
#include <stdlib.h>

const char *const workload_shape_names[SHAPE_COUNT] = {"equality", "threshold", "boolean", "nested", "mix"};

#define ISSUER "https://bench.example"
#define DEAL "crm.deal[mandate.params.deal]"

static uint64_t mix64(uint64_t z)
{
    z += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static uint32_t below(uint64_t *rng, uint32_t limit)
{
    *rng += UINT64_C(0x9E3779B97F4A7C15);
    return (uint32_t)((mix64(*rng) >> 32) * limit >> 32);
}

/* --- the schema ------------------------------------------------------------------------------------------------ */
static bool declare(workload *w)
{
    static const char *const fields[FIELD_COUNT][2] = {{"status", "string"}, {"amount", "int"}, {"score", "int"},
                                                       {"a", "bool"},        {"b", "bool"},     {"c", "bool"}};
    mandate_error err = {0};
    uint16_t type, index;
    bool ok = schema_create(&w->schema, &err) == MANDATE_OK &&
              schema_declare_type(&type, w->schema, mandate_slice_str("crm.deal"), &err) == MANDATE_OK;
    for (int f = 0; ok && f < FIELD_COUNT; f++)
        ok = schema_declare_attribute(w->schema, type, mandate_slice_str(fields[f][0]), mandate_slice_str(fields[f][1]),
                                      true, &err) == MANDATE_OK;
    ok = ok && schema_declare_source(&index, w->schema, mandate_slice_str("crm"), &err) == MANDATE_OK &&
         schema_declare_topic(&index, w->schema, mandate_slice_str("crm.deals"), &err) == MANDATE_OK &&
         schema_freeze(w->schema, &err) == MANDATE_OK;
    for (int f = 0; ok && f < FIELD_COUNT; f++)
        w->field[f] = schema_field_find(schema_type_at(w->schema, type), mandate_slice_str(fields[f][0]));
    if (!ok)
        fprintf(stderr, "%s\n", err.text);
    return ok;
}

/* --- who reads what ---------------------------------------------------------------------------------------------- */
/* A random deal for each mandate, none with more than `fanout`: shuffle the places, hand them out. */
static void spread(workload *w)
{
    uint64_t rng = w->seed ^ 0x5eed;
    for (uint32_t i = 0; i < w->mandates; i++)
        w->deal_of[i] = i / w->fanout;
    for (uint32_t i = w->mandates; i > 1; i--) {
        uint32_t k = below(&rng, i), swap = w->deal_of[k];
        w->deal_of[k] = w->deal_of[i - 1];
        w->deal_of[i - 1] = swap;
    }
    for (uint32_t i = 0; i < w->mandates; i++) {
        uint32_t deal = w->deal_of[i];
        w->holders[(size_t)deal * w->fanout + w->holder_count[deal]++] = i;
    }
}

bool workload_create(workload *w, workload_shape shape, uint32_t mandates, uint32_t fanout, uint64_t seed)
{
    memset(w, 0, sizeof(*w));
    w->shape = shape;
    w->mandates = mandates;
    w->fanout = fanout;
    w->deals = (mandates + fanout - 1) / fanout;
    w->seed = seed;
    w->deal_of = calloc(mandates, sizeof(*w->deal_of));
    w->holders = calloc((size_t)w->deals * fanout, sizeof(*w->holders));
    w->holder_count = calloc(w->deals, sizeof(*w->holder_count));
    w->facts = calloc(w->deals, sizeof(*w->facts));
    if (!w->deal_of || !w->holders || !w->holder_count || !w->facts || !declare(w)) {
        workload_destroy(w);
        return false;
    }
    spread(w);
    workload_rewind(w);
    return true;
}

void workload_destroy(workload *w)
{
    free(w->deal_of);
    free(w->holders);
    free(w->holder_count);
    free(w->facts);
    schema_destroy(w->schema);
    memset(w, 0, sizeof(*w));
}

/* --- changes ------------------------------------------------------------------------------------------------------ */
void workload_rewind(workload *w)
{
    w->rng = mix64(w->seed);
    for (uint32_t i = 0; i < w->deals; i++) {
        uint64_t h = mix64(w->seed ^ mix64(i));
        w->facts[i] = (workload_deal){.status = (int16_t)(h % STATUS_COUNT),
                                      .amount = (int16_t)((h >> 8) % NUMBER_RANGE),
                                      .score = (int16_t)((h >> 24) % NUMBER_RANGE),
                                      .a = h >> 40 & 1,
                                      .b = h >> 41 & 1,
                                      .c = h >> 42 & 1};
    }
}

int workload_fact(const workload_deal *d, workload_field field)
{
    switch (field) {
    case FIELD_STATUS:
        return d->status;
    case FIELD_AMOUNT:
        return d->amount;
    case FIELD_SCORE:
        return d->score;
    case FIELD_A:
        return d->a;
    case FIELD_B:
        return d->b;
    default:
        return d->c;
    }
}

static void set_fact(workload_deal *d, workload_field field, int value)
{
    switch (field) {
    case FIELD_STATUS:
        d->status = (int16_t)value;
        break;
    case FIELD_AMOUNT:
        d->amount = (int16_t)value;
        break;
    case FIELD_SCORE:
        d->score = (int16_t)value;
        break;
    case FIELD_A:
        d->a = value != 0;
        break;
    case FIELD_B:
        d->b = value != 0;
        break;
    default:
        d->c = value != 0;
    }
}

uint32_t workload_reads(workload_shape shape)
{
    static const uint32_t reads[SHAPE_COUNT] = {
        [SHAPE_EQUALITY] = 1u << FIELD_STATUS,
        [SHAPE_THRESHOLD] = 1u << FIELD_AMOUNT,
        [SHAPE_BOOLEAN] = 1u << FIELD_A | 1u << FIELD_B | 1u << FIELD_C | 1u << FIELD_AMOUNT,
        [SHAPE_NESTED] = (1u << FIELD_COUNT) - 1,
        [SHAPE_MIX] = (1u << FIELD_COUNT) - 1,
    };
    return reads[shape];
}

void workload_next(workload *w, workload_change *out)
{
    uint32_t reads = workload_reads(w->shape);
    out->deal = below(&w->rng, w->deals);
    do {
        out->field = (workload_field)below(&w->rng, FIELD_COUNT);
    } while (!(reads >> out->field & 1));
    int old = workload_fact(&w->facts[out->deal], out->field), step;
    out->before = old;
    switch (out->field) {
    case FIELD_STATUS: /* any other */
        out->value = (old + 1 + (int)below(&w->rng, STATUS_COUNT - 1)) % STATUS_COUNT;
        break;
    case FIELD_AMOUNT:
    case FIELD_SCORE: /* a small step, as amounts move */
        step = 1 + (int)below(&w->rng, NUMBER_RANGE / 20);
        out->value = old + (below(&w->rng, 2) ? step : -step);
        if (out->value < 0 || out->value >= NUMBER_RANGE)
            out->value = old < NUMBER_RANGE / 2 ? old + step : old - step;
        break;
    default:
        out->value = !old;
    }
    set_fact(&w->facts[out->deal], out->field, out->value);
}

/* --- mandates ------------------------------------------------------------------------------------------------------ */
workload_terms workload_terms_of(const workload *w, uint32_t mandate)
{
    uint64_t h = mix64(w->seed * 31 + mix64(mandate));
    return (workload_terms){.shape = (uint8_t)(w->shape == SHAPE_MIX ? h >> 60 & 3 : (uint64_t)w->shape),
                            .status = (int16_t)(h % STATUS_COUNT),
                            .amount = (int16_t)((h >> 8) % NUMBER_RANGE),
                            .score = (int16_t)((h >> 24) % NUMBER_RANGE)};
}

const char *workload_text(workload_shape shape)
{
    static const char *const texts[SHAPE_COUNT] = {
        [SHAPE_EQUALITY] = DEAL ".status == mandate.params.status",
        [SHAPE_THRESHOLD] = DEAL ".amount < mandate.params.amount",
        [SHAPE_BOOLEAN] = DEAL ".a && " DEAL ".b && (" DEAL ".c || " DEAL ".amount >= mandate.params.amount)",
        [SHAPE_NESTED] = "(" DEAL ".status == mandate.params.status || " DEAL ".amount < mandate.params.amount) && !(" DEAL
                         ".a && " DEAL ".score >= mandate.params.score) || " DEAL ".b && !" DEAL ".c",
    };
    return texts[shape];
}

void workload_deal_id(char out[24], uint32_t deal) { snprintf(out, 24, "deal-%u", deal); }
void workload_mandate_id(char out[24], uint32_t mandate) { snprintf(out, 24, "m-%08u", mandate); }
uint32_t workload_mandate_number(mandate_slice id)
{
    uint32_t number = 0;
    for (size_t i = 2; i < id.len; i++) /* an id does not end in a NUL */
        number = number * 10 + (uint32_t)(id.ptr[i] - '0');
    return number;
}

static cel_value status_text(int status)
{
    static const char *const names[STATUS_COUNT] = {"draft",   "open", "review", "offer",
                                                    "signing", "won",  "lost",   "archived"};
    return cel_string(mandate_slice_str(names[status]));
}

cel_value workload_value(workload_field field, int value)
{
    return field == FIELD_STATUS ? status_text(value) : field <= FIELD_SCORE ? cel_int(value) : cel_bool(value != 0);
}

void workload_claims(const workload *w, uint32_t mandate, mandate_clause clause, arena *a, claims *out)
{
    workload_terms t = workload_terms_of(w, mandate);
    char id[24];
    mandate_slice *star = ARENA_ARRAY(a, mandate_slice, 1);
    cel_entry *params = ARENA_ARRAY(a, cel_entry, 4);
    workload_mandate_id(id, mandate);
    *star = mandate_slice_str("*");
    *out = (claims){.id = arena_dup(a, mandate_slice_str(id)),
                    .issuer = mandate_slice_str(ISSUER),
                    .grantor = mandate_slice_str("user:grantor"),
                    .agent = mandate_slice_str("agent:one"),
                    .purpose = mandate_slice_str("a benchmark"),
                    .actions = star,
                    .action_count = 1,
                    .resources = star,
                    .resource_count = 1,
                    .targets = cel_null(),
                    .expires_at_us = INT64_C(4102444800000000),
                    .depth_max = CLAIMS_DEPTH_UNSET};
    workload_deal_id(id, w->deal_of[mandate]);
    params[0] = (cel_entry){cel_string(mandate_slice_str("deal")), cel_string(arena_dup(a, mandate_slice_str(id)))};
    params[1] = (cel_entry){cel_string(mandate_slice_str("status")), status_text(t.status)};
    params[2] = (cel_entry){cel_string(mandate_slice_str("amount")), cel_int(t.amount)};
    params[3] = (cel_entry){cel_string(mandate_slice_str("score")), cel_int(t.score)};
    out->params = cel_map(params, 4);
    out->clause[clause] = mandate_slice_str(workload_text((workload_shape)t.shape));
}

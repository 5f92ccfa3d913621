/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_verify - what it costs to verify a signed mandate without calling anybody (mandate/verify.h), beside nothing but its signature:
 * the same signing input, the same key, the same EVP call.
 *
 * Both arms take turns on one thread, a hundred tokens at a time, and what is printed is the median of the turns: the ratio is of
 * one moment, whatever else the machine does. Every token is another one, and every one must verify.
 */
#include "bench/arm.h"
#include "bench/command.h"

#include "connectors/json/claims_json.h"
#include "connectors/token/artifact.h"
#include "connectors/token/jws.h"
#include "mandate/verify.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TURN = 100, TOKENS = 500 };
#define NOW (INT64_C(1900000000) * 1000000)
#define ISSUER "https://mandates.example"

typedef struct verifying {
    token_key *key;
    mandate_verifier *verifier;
    arena memory;
    mandate_slice tokens[TOKENS];
    jws parts[TOKENS]; /* for the bare arm: taken apart beforehand */
    double *turns[2];
    uint32_t turn_count;
} verifying;

static bool fail(const mandate_error *err)
{
    fprintf(stderr, "verify: %s\n", err->text);
    return false;
}

static mandate_status sign(buf *out, const verifying *v, const artifact_facts *f, mandate_error *err)
{
    artifact_made made;
    mandate_status status = artifact_make(&made, f, err);
    if (!status)
        status = jws_sign(out, v->key, ARTIFACT_TYP, buf_slice(&made.payload), err);
    artifact_made_deinit(&made);
    return status;
}

/* A mandate of ordinary size: limits, two conditions, params, an audience. */
static bool make_token(verifying *v, uint32_t i, mandate_error *err)
{
    char json[2048];
    claims c;
    buf token;

    snprintf(json, sizeof(json),
             "{\"id\":\"renewal-%u\",\"issuer\":\"" ISSUER
             "\",\"grantor\":\"user:head-of-sales\",\"agent\":\"agent:negotiator\","
             "\"purpose\":\"negotiate the renewal of account "
             "%u\",\"scope\":{\"actions\":[\"contract.negotiate\",\"contract.draft\"],"
             "\"resources\":[\"crm.account/%u\"],\"limits\":{\"amount_eur\":50000}},"
             "\"while\":\"crm.conversation[mandate.params.conversation].status == \\\"open\\\"\","
             "\"until\":\"esign.envelope[\\\"E-%u\\\"].status == \\\"completed\\\"\",\"params\":{\"conversation\":\"R-%u\"},"
             "\"audience\":[\"contracts.example\"],\"max_depth\":1,\"expires_at\":\"2040-01-29T18:00:00Z\"}",
             i, i, i, i, i);
    mandate_slice text = arena_dup(&v->memory, mandate_slice_str(json));
    const artifact_facts facts = {.claims = &c};
    buf_init(&token);
    mandate_status status = claims_from_json(&c, &v->memory, text, err);
    c.issued_at_us = NOW - 1000000;
    if (!status)
        status = sign(&token, v, &facts, err);
    v->tokens[i] = arena_dup(&v->memory, buf_slice(&token));
    if (!status)
        status = jws_parse(&v->parts[i], &v->memory, v->tokens[i], ARTIFACT_TYP, err);
    buf_deinit(&token);
    return status == MANDATE_OK;
}

static bool prepare(verifying *v, token_alg alg, mandate_error *err)
{
    keyset set = {.count = 1};
    buf json;

    arena_init(&v->memory, 0);
    buf_init(&json);
    mandate_status status = token_key_generate(&v->key, alg, err);
    set.keys[0] = v->key; /* lent */
    if (!status)
        status = keyset_put_json(&json, &set, err);
    if (!status)
        status = mandate_verifier_create(&v->verifier, NULL, err);
    if (!status)
        status = mandate_verifier_trust(v->verifier, mandate_slice_str(ISSUER), buf_slice(&json), err);
    buf_deinit(&json);
    for (uint32_t i = 0; !status && i < TOKENS; i++)
        status = make_token(v, i, err) ? MANDATE_OK : err->status;
    return status == MANDATE_OK;
}

BENCH_COUNTED static uint32_t turn_bare(const verifying *v, uint32_t from)
{
    uint32_t right = 0;
    for (uint32_t i = from; i < from + TURN; i++)
        right += token_key_verify(v->key, v->parts[i].signing_input, v->parts[i].signature);
    return right;
}

BENCH_COUNTED static uint32_t turn_whole(const verifying *v, uint32_t from)
{
    mandate_verify_options o = MANDATE_VERIFY_OPTIONS_INIT;
    uint32_t right = 0;
    o.audience = mandate_slice_str("contracts.example");
    o.now_us = NOW;
    for (uint32_t i = from; i < from + TURN; i++) {
        mandate_verified *m = NULL;
        mandate_error err;
        right += mandate_verify(&m, v->verifier, &v->tokens[i], 1, &o, &err) == MANDATE_OK;
        mandate_verified_destroy(m);
    }
    return right;
}

static int by_value(const void *x, const void *y)
{
    double a = *(const double *)x, b = *(const double *)y;
    return (a > b) - (a < b);
}

static double median(double *values, uint32_t count)
{
    qsort(values, count, sizeof(*values), by_value);
    return values[count / 2];
}

static bool run(verifying *v)
{
    for (uint32_t t = 0; t < v->turn_count; t++) {
        uint32_t from = t * TURN % TOKENS;
        int64_t start = cpu_ns();
        uint32_t right = turn_bare(v, from);
        int64_t between = cpu_ns();
        right += turn_whole(v, from);
        v->turns[0][t] = (double)(between - start) / TURN;
        v->turns[1][t] = (double)(cpu_ns() - between) / TURN;
        if (right != 2 * TURN) {
            fprintf(stderr, "verify: %u of %d verify\n", right, 2 * TURN);
            return false;
        }
    }
    return true;
}

static bool measure(token_alg alg, uint32_t turns, bool *met)
{
    verifying v = {.turn_count = turns};
    mandate_error err = {0};
    bool ok = prepare(&v, alg, &err) || fail(&err);

    v.turns[0] = calloc(turns, sizeof(double));
    v.turns[1] = calloc(turns, sizeof(double));
    ok = ok && v.turns[0] && v.turns[1] && run(&v);
    if (ok) {
        double bare = median(v.turns[0], turns), whole = median(v.turns[1], turns);
        printf("{\"record\":\"verify\",\"algorithm\":\"%s\",\"tokens\":%u,\"bytes\":%zu,\"bare_ns\":%.0f,\"verify_ns\":%.0f,"
               "\"ratio\":%.3f}\n",
               token_alg_name(alg), turns * TURN, v.tokens[0].len, bare, whole, whole / bare);
        printf(
            "{\"record\":\"bar\",\"bar\":\"verify a signed mandate, %s, beside its bare signature check\",\"figure\":%.3f,"
            "\"unit\":\"x\",\"limit\":\"<= 1.2\",\"met\":%s}\n",
            token_alg_name(alg), whole / bare, whole / bare <= 1.2 ? "true" : "false");
        fprintf(stderr, "%-6s bare %7.1f us   verify %7.1f us   %.3fx\n", token_alg_name(alg), bare / 1e3, whole / 1e3,
                whole / bare);
        *met = *met && whole / bare <= 1.2;
    }
    free(v.turns[0]);
    free(v.turns[1]);
    token_key_destroy(v.key);
    mandate_verifier_destroy(v.verifier);
    arena_deinit(&v.memory);
    return ok;
}

int cmd_verify(int argc, char **argv)
{
    static const struct option options[] = {{"turns", required_argument, NULL, 't'}, {NULL, 0, NULL, 0}};
    uint32_t turns = 100;
    bool met = true, ok = true;

    for (int c; (c = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (c != 't' || (turns = (uint32_t)strtoul(optarg, NULL, 10)) == 0 || turns > 100000) {
            fprintf(stderr, "usage: mandate-bench verify [--turns N]\n");
            return 2;
        }
    }
    print_run("verify", argc, argv);
    for (token_alg alg = 0; ok && alg < TOKEN_ALG_COUNT; alg++)
        ok = measure(alg, turns, &met);
    return ok ? 0 : 1;
}

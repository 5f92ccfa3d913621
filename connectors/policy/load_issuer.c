/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load_issuer - whose tokens are believed, and what their principals are called.
 *
 * Names of different origin never meet: a prefix may not be the beginning of another issuer's, nor of what the kernel and
 * certificates say.
 */
#include "connectors/policy/policy_int.h"

#include "connectors/config/scalar.h"
#include "connectors/token/artifact.h"
#include "engine/base/text.h"

#define MINUTE (INT64_C(60) * 1000000)

static int64_t load_duration(policy_loader *l, const yaml_node *map, const char *key, int64_t otherwise, int64_t min,
                             int64_t max)
{
    const yaml_node *n = yaml_get(map, key);
    int64_t v = otherwise;

    if (n && !yaml_duration_us(n, &v))
        yaml_problem(l->problems, l->doc, n, "%s must be a duration with a unit, such as 30s or 24h", key);
    else if (n && (v < min || v > max))
        yaml_problem(l->problems, l->doc, n, "%s must be between %llds and %llds", key, (long long)(min / 1000000),
                     (long long)(max / 1000000));
    return v;
}

static uint32_t load_algorithms(policy_loader *l, const yaml_node *n)
{
    uint32_t count = 0, bits = 0;

    if (!n)
        return (UINT32_C(1) << TOKEN_ALG_COUNT) - 1;
    const mandate_slice *names = policy_texts(l, n, "algorithms", &count);
    for (uint32_t i = 0; names && i < count; i++) {
        token_alg alg = token_alg_parse(names[i]);
        if (alg == TOKEN_ALG_COUNT)
            yaml_problem(l->problems, l->doc, n->kind == YAML_LIST ? n->items[i] : n,
                         "algorithm '%s' is not accepted: only EdDSA, ES256 and RS256 are", names[i].ptr);
        else
            bits |= UINT32_C(1) << alg;
    }
    return bits;
}

static void load_types(policy_loader *l, policy_issuer *out, const yaml_node *n)
{
    static const mandate_slice usual = MANDATE_SLICE_LIT("at+jwt");

    out->types = &usual;
    out->type_count = 1;
    if (!n)
        return;
    out->types = policy_texts(l, n, "types", &out->type_count);
    for (uint32_t i = 0; out->types && i < out->type_count; i++)
        if (mandate_slice_is(out->types[i], ARTIFACT_TYP))
            yaml_problem(l->problems, l->doc, n->kind == YAML_LIST ? n->items[i] : n,
                         "a mandate says what an agent may do, not who somebody is: '%s' is no login", ARTIFACT_TYP);
}

static bool begins(mandate_slice text, mandate_slice with)
{
    return text.len >= with.len && memcmp(text.ptr, with.ptr, with.len) == 0;
}

/* Of every other origin, and of issuers before this one: neither may begin with the other. */
static void check_prefix(policy_loader *l, const policy_issuer *mine, const yaml_node *n)
{
    static const char *const taken[] = {"uid:", "anonymous", "spiffe://", "dns:", "x509:", NULL};

    if (!principal_name_valid(mine->prefix) || !strchr(":/#", mine->prefix.ptr[mine->prefix.len - 1]))
        yaml_problem(l->problems, l->doc, n, "prefix '%s' must be printable and end in ':', '/' or '#'", mine->prefix.ptr);
    for (int i = 0; taken[i]; i++)
        if (begins(mine->prefix, mandate_slice_str(taken[i])) || begins(mandate_slice_str(taken[i]), mine->prefix))
            yaml_problem(l->problems, l->doc, n,
                         "prefix '%s' would let a token pass for '%s...', which only others can vouch for", mine->prefix.ptr,
                         taken[i]);
    for (const policy_issuer *other = l->p->issuers; other < mine; other++)
        if (other->prefix.len && !mandate_slice_eq(other->issuer, mine->issuer) &&
            (begins(mine->prefix, other->prefix) || begins(other->prefix, mine->prefix)))
            yaml_problem(l->problems, l->doc, n,
                         "prefix '%s' and '%s' on line %u would let one issuer's names pass for the other's",
                         mine->prefix.ptr, other->prefix.ptr, other->line);
}

static void load_keys(policy_loader *l, policy_issuer *out, const yaml_node *n)
{
    const char *text = policy_text(l, n, "jwks");

    if (!text)
        return;
    out->jwks_is_url = strstr(text, "://") != NULL;
    if (out->jwks_is_url && strncmp(text, "https://", 8) != 0)
        yaml_problem(l->problems, l->doc, n, "keys are fetched by https only: who changes them on the way may be anybody");
    out->jwks = out->jwks_is_url ? text : path_join(&l->p->memory, l->folder, mandate_slice_str(text));
}

static void load_issuer(policy_loader *l, policy_issuer *out, policy_issuer_rule *rule, const yaml_node *n)
{
    const yaml_node *issuer = yaml_get(n, "issuer"), *audience = yaml_get(n, "audience"), *prefix = yaml_get(n, "prefix");
    const yaml_node *jwks = yaml_get(n, "jwks"), *clients = yaml_get(n, "clients"), *ca = yaml_get(n, "ca");
    const char *text;

    if (!yaml_check_keys(l->problems, l->doc, n, policy_issuer_keys.what, policy_issuer_keys.keys, policy_issuer_keys.count))
        return;
    out->line = n->line;
    if (issuer && (text = policy_text(l, issuer, "issuer")))
        out->issuer = mandate_slice_str(text);
    if (audience)
        out->audience = policy_texts(l, audience, "audience", &out->audience_count);
    if (clients)
        out->clients = policy_texts(l, clients, "clients", &out->client_count);
    if (prefix && (text = policy_text(l, prefix, "prefix"))) {
        out->prefix = mandate_slice_str(text);
        check_prefix(l, out, prefix);
    }
    if (jwks)
        load_keys(l, out, jwks);
    if (ca && (text = policy_text(l, ca, "ca")))
        out->ca = path_join(&l->p->memory, l->folder, mandate_slice_str(text));
    out->algorithms = load_algorithms(l, yaml_get(n, "algorithms"));
    load_types(l, out, yaml_get(n, "types"));
    out->max_age_us = load_duration(l, n, "max_age", 24 * 60 * MINUTE, MINUTE, 366 * 24 * 60 * MINUTE);
    out->leeway_us = load_duration(l, n, "leeway", MINUTE / 2, 0, 5 * MINUTE);
    out->refresh_us = load_duration(l, n, "refresh", 5 * MINUTE, MINUTE / 6, 24 * 60 * MINUTE);
    rule->when = policy_compile(l, yaml_get(n, "when"), POLICY_IN_ISSUER, CEL_TYPE_BOOL);
    rule->subject = policy_compile(l, yaml_get(n, "subject"), POLICY_IN_ISSUER, CEL_TYPE_STRING);
}

void policy_load_issuers(policy_loader *l, const yaml_node *list)
{
    policy *p = l->p;
    char got[64];

    if (list->kind != YAML_LIST) {
        yaml_problem(l->problems, l->doc, list, "issuers must be a list, not %s", yaml_describe(got, sizeof(got), list));
        return;
    }
    if (list->count > LIMIT_POLICY_ISSUERS) {
        yaml_problem(l->problems, l->doc, list, "issuers has %u entries; at most %d are allowed", list->count,
                     LIMIT_POLICY_ISSUERS);
        return;
    }
    p->issuers = ARENA_ARRAY(&p->memory, policy_issuer, list->count ? list->count : 1);
    p->issuer_rules = ARENA_ARRAY(&p->memory, policy_issuer_rule, list->count ? list->count : 1);
    for (uint32_t i = 0; p->issuers && p->issuer_rules && i < list->count; i++) {
        p->issuer_count = i + 1;
        load_issuer(l, &p->issuers[i], &p->issuer_rules[i], list->items[i]);
    }
}

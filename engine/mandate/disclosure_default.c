/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disclosure_default - what is restricted of claims that say nothing of it. Only adds: no rule that is there is changed or left out, so
 * what was hidden from somebody stays hidden.
 */
#include "engine/mandate/disclosure.h"
#include "engine/mandate/required.h"

#include <stdlib.h>

typedef struct filling {
    const claims *c, *was; /* was: NULL: nothing was there */
    claims_disclosure *out;
    uint32_t count;
} filling;

/* Of a member that can be restricted in parts, how many there are; 0 of others. */
static uint32_t part_count(const claims *c, claims_member member)
{
    switch (member) {
    case MEMBER_ACTIONS:
        return c->action_count;
    case MEMBER_RESOURCES:
        return c->resource_count;
    case MEMBER_LIMITS:
        return c->limit_count;
    case MEMBER_REQUIRE:
        return c->required_count;
    case MEMBER_PARAMS:
        return c->params.kind == CEL_MAP ? c->params.len : 0;
    case MEMBER_TARGETS:
        return c->targets.kind == CEL_MAP ? c->targets.len : 0;
    default:
        return 0;
    }
}

static mandate_slice part_at(const claims *c, claims_member member, uint32_t i)
{
    switch (member) {
    case MEMBER_ACTIONS:
        return c->actions[i];
    case MEMBER_RESOURCES:
        return c->resources[i];
    case MEMBER_LIMITS:
        return c->limits[i].name;
    case MEMBER_REQUIRE:
        return c->required[i].name;
    case MEMBER_PARAMS:
        return cel_text(c->params.map[i].key);
    default:
        return cel_text(c->targets.map[i].key);
    }
}

static bool has_rules(const claims *c, claims_member member)
{
    for (uint32_t i = 0; i < c->disclosure_count; i++)
        if (c->disclosures[i].member == member)
            return true;
    return false;
}

static bool was_there(const filling *f, claims_member member, mandate_slice part)
{
    return f->was && disclosure_is_there(f->was, member, part);
}

static void add(filling *f, const claims_disclosure *rule, mandate_slice part)
{
    if (!disclosure_is_there(f->c, rule->member, part) || was_there(f, rule->member, part) ||
        disclosure_find(f->c->disclosures, f->c->disclosure_count, rule->member, part))
        return;
    f->out[f->count] = *rule;
    f->out[f->count].part = part;
    f->out[f->count++].handle = rule->handle && !part.len;
}

static void add_rule(filling *f, const claims_disclosure *rule)
{
    const uint32_t parts = rule->part.len ? 0 : part_count(f->c, rule->member);
    if (!parts || (!has_rules(f->c, rule->member) && !was_there(f, rule->member, rule->part))) {
        add(f, rule, rule->part);
        return;
    }
    for (uint32_t i = 0; i < parts; i++)
        add(f, rule, part_at(f->c, rule->member, i));
}

static int by_path(const void *x, const void *y) { return disclosure_cmp(x, y); }

mandate_status disclosure_default(claims *c, const claims *was, const claims_disclosure *rules, uint32_t count, arena *a,
                                  mandate_error *err)
{
    filling f = {.c = c, .was = was};
    size_t most = (size_t)c->disclosure_count + count;
    uint32_t n = 0;
    if (!count || c->given & CLAIMS_GIVEN(DISCLOSURE))
        return MANDATE_OK;
    for (uint32_t i = 0; i < count; i++)
        most += part_count(c, rules[i].member);
    f.out = ARENA_ARRAY(a, claims_disclosure, most);
    if (!f.out)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for disclosures");
    for (uint32_t i = 0; i < c->disclosure_count; i++)
        f.out[f.count++] = c->disclosures[i];
    for (uint32_t i = 0; i < count; i++)
        add_rule(&f, &rules[i]);
    if (f.count)
        qsort(f.out, f.count, sizeof(*f.out), by_path);
    for (uint32_t i = 0; i < f.count; i++) /* an entry of a list may stand there twice */
        if (!n || disclosure_cmp(&f.out[n - 1], &f.out[i]) != 0)
            f.out[n++] = f.out[i];
    c->disclosures = f.out;
    c->disclosure_count = n;
    return MANDATE_OK;
}

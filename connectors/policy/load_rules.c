/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load_rules - what roles may do, and what is forbidden. A key that has no meaning for a rule's powers is a mistake, and said.
 */
#include "connectors/policy/policy_int.h"

#include "engine/base/text.h"

#define BIT(p) (UINT32_C(1) << (p))
_Static_assert(POWER_COUNT <= 32, "powers are bits of 32");

static const uint32_t grants = BIT(POWER_ISSUE) | BIT(POWER_DELEGATE) | BIT(POWER_WIDEN) | BIT(POWER_SUPERSEDE);

static uint32_t load_powers(policy_loader *l, const yaml_node *n)
{
    const char *known[POWER_COUNT];
    uint32_t count = 0, bits = 0, known_count = 0;
    const mandate_slice *names = policy_texts(l, n, "powers", &count);

    for (int i = POWER_DISCOVER; i < POWER_COUNT; i++)
        known[known_count++] = power_name((power)i);
    for (uint32_t i = 0; names && i < count; i++) {
        power p = power_parse(names[i]);
        const yaml_node *at = n->kind == YAML_LIST ? n->items[i] : n;
        const char *near = p == POWER_NONE ? nearest_name(names[i], known, known_count) : NULL;
        if (p != POWER_NONE && bits & BIT(p))
            yaml_problem(l->problems, l->doc, at, "the power '%s' is named twice", names[i].ptr);
        else if (p != POWER_NONE)
            bits |= BIT(p);
        else if (near)
            yaml_problem(l->problems, l->doc, at, "there is no power '%s': did you mean '%s'?", names[i].ptr, near);
        else
            yaml_problem(l->problems, l->doc, at, "there is no power '%s'; `mandatectl policy powers` lists them",
                         names[i].ptr);
    }
    return bits;
}

static const char *load_sentence(policy_loader *l, const yaml_node *n, const char *what)
{
    const char *text = policy_text(l, n, what);

    if (text && !principal_name_valid(mandate_slice_str(text))) {
        yaml_problem(l->problems, l->doc, n, "%s must be one line of printable text", what);
        return NULL;
    }
    return text;
}

static policy_rule *rule_new(policy_loader *l, const yaml_node *n, const policy_keys *keys)
{
    if (!yaml_check_keys(l->problems, l->doc, n, keys->what, keys->keys, keys->count))
        return NULL;
    if (l->p->rule_count == LIMIT_POLICY_RULES) {
        yaml_problem(l->problems, l->doc, n, "more than %d rules", LIMIT_POLICY_RULES);
        return NULL;
    }
    policy_rule *out = &l->rules[l->p->rule_count++];
    const yaml_node *powers = yaml_get(n, "powers"), *name = yaml_get(n, "name");
    *out = (policy_rule){.line = n->line};
    if (powers)
        out->powers = load_powers(l, powers);
    out->when = policy_compile(l, yaml_get(n, "when"), POLICY_IN_RULE, CEL_TYPE_BOOL);
    if (name)
        out->name = load_sentence(l, name, "a rule's name");
    return out;
}

static void load_permit(policy_loader *l, const yaml_node *n, uint32_t role, uint32_t number)
{
    policy_rule *rule = rule_new(l, n, &policy_permit_keys);
    if (!rule)
        return;
    const yaml_node *names = yaml_get(n, "in_name_of"), *events = yaml_get(n, "events"), *two = yaml_get(n, "two_person");

    rule->roles = UINT64_C(1) << role;
    if (!rule->name)
        rule->name = arena_printf(&l->p->memory, "%s#%u", l->p->roles[role], number).ptr;
    if (names)
        rule->in_name_of = policy_patterns(l, names, "in_name_of", &rule->name_count);
    if (names && !(rule->powers & grants))
        yaml_problem(l->problems, l->doc, names, "in_name_of is for issue, delegate, widen and supersede");
    if (events)
        rule->events = policy_patterns(l, events, "events", &rule->event_count);
    if (events && !(rule->powers & BIT(POWER_ASSERT_EVENT)))
        yaml_problem(l->problems, l->doc, events, "events is for assert_event");
    if (!events && rule->powers & BIT(POWER_ASSERT_EVENT))
        yaml_problem(l->problems, l->doc, n, "a rule for assert_event must say which: events: [esign.envelope.status]");
    if (two && !yaml_bool(two, &rule->two_person))
        yaml_problem(l->problems, l->doc, two, "two_person must be true or false");
}

static void load_forbid(policy_loader *l, const yaml_node *n, uint32_t number)
{
    policy_rule *rule = rule_new(l, n, &policy_forbid_keys);
    if (!rule)
        return;
    const yaml_node *roles = yaml_get(n, "roles"), *because = yaml_get(n, "because");

    rule->forbids = true;
    rule->roles = roles ? policy_role_bits(l, roles) : UINT64_MAX;
    if (!rule->name)
        rule->name = arena_printf(&l->p->memory, "forbid#%u", number).ptr;
    if (because)
        rule->because = load_sentence(l, because, "because");
}

static bool is_list(policy_loader *l, const yaml_node *n, const char *what)
{
    char got[64];

    if (n->kind != YAML_LIST)
        yaml_problem(l->problems, l->doc, n, "%s must be a list of rules, not %s", what, yaml_describe(got, sizeof(got), n));
    return n->kind == YAML_LIST;
}

void policy_load_roles(policy_loader *l, const yaml_node *map, const yaml_node *forbid)
{
    for (uint32_t i = 0; forbid && is_list(l, forbid, "forbid") && i < forbid->count; i++)
        load_forbid(l, forbid->items[i], i + 1);
    l->p->forbid_count = l->p->rule_count;
    for (uint32_t r = 0; map->kind == YAML_MAP && r < l->p->role_count; r++) {
        const yaml_node *rules = map->entries[r].value;
        for (uint32_t i = 0; is_list(l, rules, "a role") && i < rules->count; i++)
            load_permit(l, rules->items[i], r, i + 1);
    }
    l->p->rules = ARENA_ARRAY(&l->p->memory, policy_rule, l->p->rule_count ? l->p->rule_count : 1);
    if (l->p->rules) {
        memcpy(l->p->rules, l->rules, l->p->rule_count * sizeof(*l->rules));
        return;
    }
    for (uint32_t i = 0; i < l->p->rule_count; i++)
        cel_program_destroy(l->rules[i].when);
    l->p->rule_count = 0;
}

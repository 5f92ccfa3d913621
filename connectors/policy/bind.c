/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bind - from what somebody proved to what the policy calls them and which roles they have.
 *
 * An entry whose condition errs does not bind: a role is not given by mistake. Every entry sees the name that was proved.
 */
#include "connectors/policy/policy_int.h"

#include "engine/base/text.h"

const char *principal_kind_name(principal_kind kind)
{
    static const char *const names[PRINCIPAL_KIND_COUNT] = {
#define X(upper, name, text) name,
        PRINCIPAL_KIND_MAP(X)
#undef X
    };
    return names[kind];
}

bool principal_name_valid(mandate_slice name)
{
    const char *at = name.ptr, *end = name.ptr + name.len;

    if (name.len == 0 || name.len > LIMIT_ID || !utf8_valid(name) || name.ptr[0] == ' ' || end[-1] == ' ')
        return false;
    while (at < end) {
        int32_t c = utf8_next(&at, end);
        /* Controls; and what makes a name look like another: line and paragraph separators, marks of direction, no width. */
        if (c < ' ' || (c >= 0x7f && c < 0xa0) || c == 0xad || (c >= 0x200b && c <= 0x200f) ||
            (c >= 0x2028 && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff)
            return false;
    }
    return true;
}

mandate_status policy_bind(const policy *p, policy_principal *who, arena *a, mandate_error *err)
{
    policy_question q = {.who = who, .power = POWER_SELF};
    policy_budget budget = {LIMIT_CEL_COST};
    mandate_slice name = {0};
    uint64_t roles = 0;

    who->roles = 0;
    who->proved = who->name;
    for (uint32_t i = 0; i < p->binding_count; i++) {
        const policy_binding *b = &p->bindings[i];
        if (!cel_is_true(policy_eval(p, b->match, &q, cel_null(), a, &budget)))
            continue;
        roles |= b->roles;
        if (!name.len)
            name = b->name;
    }
    if (name.len && !(name = arena_dup(a, name)).ptr)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory");
    if (name.len)
        who->name = name;
    who->roles = roles;
    who->generation = p->generation;
    return MANDATE_OK;
}

bool policy_speaks_for(const policy *p, const policy_principal *process, mandate_slice name)
{
    policy_question q = {.who = process, .power = POWER_SELF};
    policy_budget budget = {LIMIT_CEL_COST};
    bool may = false;
    arena a;

    arena_init(&a, LIMIT_CEL_MEMORY);
    for (uint32_t i = 0; i < p->binding_count && !may; i++) {
        const policy_binding *b = &p->bindings[i];
        bool covers = false;
        for (uint32_t k = 0; k < b->speaks_count && !covers; k++)
            covers = scope_covers(b->speaks_for[k], name);
        may = covers && cel_is_true(policy_eval(p, b->match, &q, cel_null(), &a, &budget));
    }
    arena_deinit(&a);
    return may;
}

mandate_status policy_issuer_name(const policy *p, uint32_t issuer, cel_value payload, mandate_slice *out, arena *a,
                                  mandate_error *err)
{
    const policy_issuer_rule *rule = &p->issuer_rules[issuer];
    const policy_issuer *is = &p->issuers[issuer];
    policy_budget budget = {LIMIT_CEL_COST};
    const cel_value *sub = cel_map_get_str(payload, "sub");

    if (rule->when && !cel_is_true(policy_eval(p, rule->when, NULL, payload, a, &budget)))
        return mandate_error_set(err, MANDATE_DENIED, "the token is none of those that the policy believes of its issuer");
    cel_value subject = rule->subject ? policy_eval(p, rule->subject, NULL, payload, a, &budget) : sub ? *sub : cel_null();
    if (subject.kind != CEL_STRING || subject.len == 0)
        return mandate_error_set(err, MANDATE_DENIED, "the token does not say whom it is about");
    mandate_slice name = arena_printf(a, "%.*s%.*s", MANDATE_SLICE_ARG(is->prefix), (int)subject.len, subject.s);
    if (!name.ptr)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory");
    if (name.len != is->prefix.len + subject.len || !principal_name_valid(name))
        return mandate_error_set(err, MANDATE_DENIED,
                                 "the token's subject is not fit to be a name: 1 to %d bytes of printable text", LIMIT_ID);
    *out = name;
    return MANDATE_OK;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decide - one question, one answer: what no rule can give, then what is forbidden, then what is permitted.
 *
 * Three truths: yes, no, and "it may yet be said" while the question is not final. At the end what is not known is a yes for a rule
 * that forbids or asks for a second person, and a no for one that permits.
 */
#include "connectors/policy/policy_int.h"

#include <inttypes.h>
#include <stdio.h>

const char *const policy_effect_names[4] = {"deny", "maybe", "second_person", "permit"};

#define BIT(p) (UINT32_C(1) << (p))

/* What an agent may do with a mandate that it holds, if a rule permits it. */
static const uint32_t holders =
    BIT(POWER_READ) | BIT(POWER_CHECK) | BIT(POWER_SPEND) | BIT(POWER_GIVE_BACK) | BIT(POWER_DELEGATE) | BIT(POWER_ISSUE);
static const uint32_t over_mandates = BIT(POWER_READ) | BIT(POWER_DISCLOSE) | BIT(POWER_CHECK) | BIT(POWER_ISSUE) |
                                      BIT(POWER_DELEGATE) | BIT(POWER_AMEND) | BIT(POWER_WIDEN) | BIT(POWER_SUPERSEDE) |
                                      BIT(POWER_SUSPEND) | BIT(POWER_RESUME) | BIT(POWER_REVOKE) | BIT(POWER_GIVE_BACK) |
                                      BIT(POWER_SPEND) | BIT(POWER_DECIDE);
static const uint32_t selfish = BIT(POWER_ISSUE) | BIT(POWER_WIDEN) | BIT(POWER_SUPERSEDE);
static const uint32_t grants = BIT(POWER_ISSUE) | BIT(POWER_DELEGATE) | BIT(POWER_WIDEN) | BIT(POWER_SUPERSEDE);

typedef enum truth { NO, MAYBE, YES, BROKEN } truth;

typedef struct deciding {
    const policy *p;
    const policy_question *q;
    arena *a;
    policy_decision *out;
    policy_trace trace;
    void *ctx;
    policy_budget budget;
} deciding;

static void say(const deciding *d, const char *format, ...) MANDATE_PRINTF(2, 3);
static void say(const deciding *d, const char *format, ...)
{
    char text[1024];
    va_list args;

    if (!d->trace)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    d->trace(d->ctx, text);
}

static void deny(deciding *d, const policy_rule *rule, const char *format, ...) MANDATE_PRINTF(3, 4);
static void deny(deciding *d, const policy_rule *rule, const char *format, ...)
{
    va_list args;

    d->out->effect = POLICY_DENY;
    d->out->rule = rule ? rule->name : "";
    d->out->rule_line = rule ? rule->line : 0;
    va_start(args, format);
    vsnprintf(d->out->text, sizeof(d->out->text), format, args);
    va_end(args);
}

static int shown(mandate_slice s) { return s.len < 120 ? (int)s.len : 120; }

/* --- what no rule can give ------------------------------------------------------------------------------------------ */
static bool refused_to_all(deciding *d)
{
    const policy_question *q = d->q;
    const claims *over = q->mandate ? q->mandate->claims : NULL, *asked = q->asked ? q->asked->claims : NULL;

    if (q->power <= POWER_LOCAL || q->power >= POWER_COUNT) {
        deny(d, NULL, "Nobody may do this: it names no power.");
        return true;
    }
    if (over && q->power != POWER_ISSUE && mandate_slice_eq(over->agent, q->who->name) && !(holders & BIT(q->power))) {
        deny(d, NULL, "%.*s holds this mandate: an agent has no power over its own, save giving it back.",
             shown(q->who->name), q->who->name.ptr);
        return true;
    }
    if (selfish & BIT(q->power) && asked && mandate_slice_eq(asked->agent, q->who->name)) {
        deny(d, NULL, "Nobody issues a mandate to themselves.");
        return true;
    }
    return false;
}

/* --- conditions --------------------------------------------------------------------------------------------------------- */
static truth condition(deciding *d, const policy_rule *rule)
{
    if (!rule->when)
        return YES;
    cel_value v = policy_eval(d->p, rule->when, d->q, cel_null(), d->a, &d->budget);
    if (v.kind == CEL_BOOL) {
        say(d, "    when: %s", v.b ? "true" : "false");
        return v.b ? YES : NO;
    }
    if (v.kind == CEL_UNKNOWN && v.unknown && v.unknown->count)
        say(d, "    when: not known, because of %.*s", MANDATE_SLICE_ARG(v.unknown->attributes[0].path));
    else if (v.kind == CEL_UNKNOWN)
        say(d, "    when: not known");
    else if (v.kind == CEL_ERROR && v.error)
        say(d, "    when: an error: %.*s", MANDATE_SLICE_ARG(v.error->message));
    else
        say(d, "    when: neither true nor false");
    return v.kind == CEL_UNKNOWN && !d->q->final ? MAYBE : BROKEN;
}

static bool any_covers(const mandate_slice *patterns, uint32_t count, mandate_slice name)
{
    for (uint32_t i = 0; i < count; i++)
        if (scope_covers(patterns[i], name))
            return true;
    return false;
}

/* In whose name is it done? */
static truth name_allowed(deciding *d, const policy_rule *rule)
{
    const policy_question *q = d->q;

    if (!(grants & BIT(q->power)))
        return YES;
    if (!q->asked)
        return q->final ? BROKEN : MAYBE;
    mandate_slice grantor = q->asked->claims->grantor;
    if (mandate_slice_eq(grantor, q->who->name))
        return YES;
    if (any_covers(rule->in_name_of, rule->name_count, grantor)) {
        say(d, "    in the name of %.*s: allowed by in_name_of", shown(grantor), grantor.ptr);
        return YES;
    }
    say(d, "    in the name of %.*s: not the principal's own, and not in in_name_of", shown(grantor), grantor.ptr);
    return NO;
}

static truth events_allowed(deciding *d, const policy_rule *rule)
{
    const policy_event *e = d->q->event;

    if (d->q->power != POWER_ASSERT_EVENT)
        return YES;
    if (!e)
        return d->q->final ? BROKEN : MAYBE;
    for (uint32_t i = 0; i < e->attribute_count; i++) {
        mandate_slice path =
            arena_printf(d->a, "%.*s.%.*s", MANDATE_SLICE_ARG(e->type), MANDATE_SLICE_ARG(e->attributes[i]));
        if (!path.ptr || !any_covers(rule->events, rule->event_count, path)) {
            say(d, "    %.*s: not in events", path.ptr ? shown(path) : 0, path.ptr ? path.ptr : "");
            return NO;
        }
    }
    return e->attribute_count ? YES : NO;
}

static truth both(truth x, truth y)
{
    if (x == NO || y == NO)
        return NO;
    if (x == BROKEN || y == BROKEN)
        return BROKEN;
    return x == MAYBE || y == MAYBE ? MAYBE : YES;
}

/* --- rules ---------------------------------------------------------------------------------------------------------------- */
/* True: it is forbidden, and that is final. */
static bool forbidden(deciding *d, bool *maybe)
{
    for (uint32_t i = 0; i < d->p->forbid_count; i++) {
        const policy_rule *rule = &d->p->rules[i];
        if (!(rule->powers & BIT(d->q->power)))
            continue;
        say(d, "%s (line %" PRIu32 ") forbids %s", rule->name, rule->line, power_name(d->q->power));
        if (rule->roles != UINT64_MAX && !(rule->roles & d->q->who->roles)) {
            say(d, "    not for the roles of this principal");
            continue;
        }
        truth t = condition(d, rule);
        if (t == YES || t == BROKEN) {
            if (rule->because)
                deny(d, rule, "Forbidden by the policy: %s.", rule->because);
            else
                deny(d, rule, "The policy forbids it (%s).", rule->name);
            return true;
        }
        *maybe = *maybe || t == MAYBE;
    }
    return false;
}

typedef struct permits {
    const policy_rule *yes, *maybe, *second;
    bool bound, unbound; /* a rule of a role that the principal has, does not have, has the power */
} permits;

static void weigh(deciding *d, const policy_rule *rule, permits *found)
{
    say(d, "%s (line %" PRIu32 ") permits %s%s", rule->name, rule->line, power_name(d->q->power),
        rule->two_person ? ", with a second person" : "");
    truth t = both(both(name_allowed(d, rule), events_allowed(d, rule)), condition(d, rule));
    if (rule->two_person && (t == YES || t == BROKEN) && !found->second)
        found->second = rule;
    /* One that cannot be decided permits nothing itself; but what another permits then needs the second person. */
    if (t == YES && !found->yes)
        found->yes = rule;
    if (t == MAYBE && !found->maybe)
        found->maybe = rule;
}

static void settle(deciding *d, const permits *found, bool maybe_forbidden)
{
    const policy_question *q = d->q;
    const policy_rule *rule = found->yes ? found->yes : found->maybe;
    policy_decision *out = d->out;

    if (!rule && q->who->kind == PRINCIPAL_ANONYMOUS) {
        deny(d, NULL, "Nobody vouches for who asks: a token, a client certificate or the Unix socket is needed.");
        return;
    }
    if (!rule && found->unbound && !found->bound) {
        deny(d, NULL, "%.*s has no role with the power %s.", shown(q->who->name), q->who->name.ptr, power_name(q->power));
        return;
    }
    if (!rule) {
        deny(d, NULL, "No rule of the policy gives %.*s the power %s%s.", shown(q->who->name), q->who->name.ptr,
             power_name(q->power), over_mandates & BIT(q->power) && q->final ? " over this mandate" : "");
        return;
    }
    out->effect = !found->yes || (maybe_forbidden && !q->final) ? POLICY_MAYBE
                  : found->second                               ? POLICY_SECOND_PERSON
                                                                : POLICY_PERMIT;
    rule = found->yes && found->second ? found->second : rule;
    out->rule = rule->name;
    out->rule_line = rule->line;
    if (out->effect == POLICY_SECOND_PERSON)
        snprintf(out->text, sizeof(out->text), "The policy (%s) asks for a second person who agrees to %s.", rule->name,
                 power_name(q->power));
    else
        snprintf(out->text, sizeof(out->text), "Permitted by %s.", rule->name);
}

void policy_decide(const policy *p, const policy_question *q, arena *a, policy_decision *out, policy_trace trace, void *ctx)
{
    deciding d = {.p = p, .q = q, .a = a, .out = out, .trace = trace, .ctx = ctx, .budget = {LIMIT_CEL_COST}};
    bool maybe_forbidden = false;
    permits found = {0};

    *out = (policy_decision){.rule = ""};
    if (q->who->generation != p->generation) {
        deny(&d, NULL, "Who asks was not bound by this policy.");
        return;
    }
    if (q->power == POWER_HEALTH || (q->power == POWER_SELF && q->who->kind != PRINCIPAL_ANONYMOUS)) {
        out->effect = POLICY_PERMIT;
        snprintf(out->text, sizeof(out->text), "Permitted to everybody.");
        return;
    }
    if (refused_to_all(&d)) {
        say(&d, "no rule can give this");
        return;
    }
    if (forbidden(&d, &maybe_forbidden))
        return;
    for (uint32_t i = p->forbid_count; i < p->rule_count; i++) {
        const policy_rule *rule = &p->rules[i];
        if (!(rule->powers & BIT(q->power)))
            continue;
        bool bound = rule->roles & q->who->roles;
        if (bound)
            weigh(&d, rule, &found);
        found.bound = found.bound || bound;
        found.unbound = found.unbound || !bound;
    }
    settle(&d, &found, maybe_forbidden);
}

policy_effect policy_has(const policy *p, const policy_principal *who, power needed, int64_t now_us, arena *a)
{
    policy_question q = {.who = who, .power = needed, .now_us = now_us};
    policy_decision d;

    policy_decide(p, &q, a, &d, NULL, NULL);
    return d.effect;
}

/* Does any condition about this power look at the clock? */
static bool timed(const policy *p, power needed)
{
    for (uint32_t i = 0; i < p->rule_count; i++)
        if (p->rules[i].powers & BIT(needed) && p->rules[i].when && cel_program_reads_now(p->rules[i].when))
            return true;
    return false;
}

uint32_t policy_always(const policy *p, const policy_principal *who, int64_t now_us, arena *a)
{
    uint32_t out = 0;

    for (int i = POWER_HEALTH; i < POWER_COUNT; i++) {
        if (policy_has(p, who, (power)i, now_us, a) == POLICY_PERMIT && !timed(p, (power)i))
            out |= BIT(i);
        arena_reset(a);
    }
    return out;
}

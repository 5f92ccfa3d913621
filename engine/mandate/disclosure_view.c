/* SPDX-License-Identifier: Apache-2.0 */
/* disclosure_view - what is left of claims, and of what happened to them, for somebody's eyes. Only takes away; what was taken is in `hidden`. */
#include "engine/mandate/lifecycle.h"

#include "engine/base/text.h"

static mandate_status no_memory(mandate_error *err)
{
    return mandate_error_set(err, MANDATE_NOMEM, "out of memory for what may be seen");
}

static bool hides(const claims_disclosure *d, uint32_t count, claims_member member, mandate_slice part,
                  const disclosure_viewer *who)
{
    const claims_disclosure *rule = disclosure_find(d, count, member, part);
    return rule && !disclosure_shows(rule, who);
}

static mandate_status view_list(const mandate_slice **items, uint32_t *count, const claims *c, claims_member member,
                                const disclosure_viewer *who, arena *a, mandate_error *err)
{
    mandate_slice *left = ARENA_ARRAY(a, mandate_slice, *count + 1);
    uint32_t n = 0;
    if (!left)
        return no_memory(err);
    for (uint32_t i = 0; i < *count; i++)
        if (!hides(c->disclosures, c->disclosure_count, member, (*items)[i], who))
            left[n++] = (*items)[i];
    *items = left;
    *count = n;
    return MANDATE_OK;
}

static mandate_status view_limits(claims *out, const claims *c, const disclosure_viewer *who, arena *a, mandate_error *err)
{
    claims_limit *left = ARENA_ARRAY(a, claims_limit, c->limit_count + 1);
    uint32_t n = 0;
    if (!left)
        return no_memory(err);
    for (uint32_t i = 0; i < c->limit_count; i++)
        if (!hides(c->disclosures, c->disclosure_count, MEMBER_LIMITS, c->limits[i].name, who))
            left[n++] = c->limits[i];
    out->limits = left;
    out->limit_count = n;
    return MANDATE_OK;
}

static mandate_status view_required(claims *out, const claims *c, const disclosure_viewer *who, arena *a, mandate_error *err)
{
    claims_required *left = ARENA_ARRAY(a, claims_required, c->required_count + 1);
    uint32_t n = 0;
    if (!left)
        return no_memory(err);
    for (uint32_t i = 0; i < c->required_count; i++)
        if (!hides(c->disclosures, c->disclosure_count, MEMBER_REQUIRE, c->required[i].name, who))
            left[n++] = c->required[i];
    out->required = left;
    out->required_count = n;
    return MANDATE_OK;
}

/* Null without memory: it shows less, never more. */
cel_value disclosure_view_map(cel_value map, const claims_disclosure *d, uint32_t count, claims_member member,
                              const disclosure_viewer *who, arena *a)
{
    cel_entry *left = map.kind == CEL_MAP ? ARENA_ARRAY(a, cel_entry, map.len + 1) : NULL;
    uint32_t n = 0;
    if (!left)
        return cel_null();
    for (uint32_t i = 0; i < map.len; i++)
        if (!hides(d, count, member, cel_text(map.map[i].key), who))
            left[n++] = map.map[i];
    return n ? cel_map(left, n) : cel_null();
}

mandate_status disclosure_view(claims *out, const claims *c, const disclosure_viewer *who, arena *a, mandate_error *err)
{
    const uint32_t hidden = disclosure_hidden(c->disclosures, c->disclosure_count, who);
    mandate_status s = MANDATE_OK;
    *out = *c;
    if (who->all)
        return MANDATE_OK;
    out->disclosures = NULL;
    out->disclosure_count = 0;
    out->hidden |= hidden;
    if (hidden & CLAIMS_GIVEN(PURPOSE))
        out->purpose = mandate_slice_of("", 0);
    for (int k = 0; k < CLAUSE_COUNT; k++)
        if (hidden & (CLAIMS_GIVEN(WHILE) << k))
            out->clause[k] = mandate_slice_of("", 0);
    if (hidden & CLAIMS_GIVEN(PARAMS))
        out->params = disclosure_view_map(c->params, c->disclosures, c->disclosure_count, MEMBER_PARAMS, who, a);
    if (hidden & CLAIMS_GIVEN(TARGETS))
        out->targets = disclosure_view_map(c->targets, c->disclosures, c->disclosure_count, MEMBER_TARGETS, who, a);
    if (hidden & CLAIMS_GIVEN(ACTIONS))
        s = view_list(&out->actions, &out->action_count, c, MEMBER_ACTIONS, who, a, err);
    if (!s && hidden & CLAIMS_GIVEN(RESOURCES))
        s = view_list(&out->resources, &out->resource_count, c, MEMBER_RESOURCES, who, a, err);
    if (!s && hidden & CLAIMS_GIVEN(LIMITS))
        s = view_limits(out, c, who, a, err);
    if (!s && hidden & CLAIMS_GIVEN(REQUIRE))
        s = view_required(out, c, who, a, err);
    return s;
}

cel_value disclosure_value(arena *a, const claims *c)
{
    cel_entry *rules = ARENA_ARRAY(a, cel_entry, c->disclosure_count + 1);
    if (!rules || !c->disclosure_count)
        return cel_null();
    for (uint32_t i = 0; i < c->disclosure_count; i++) {
        const claims_disclosure *d = &c->disclosures[i];
        cel_entry *members = ARENA_ARRAY(a, cel_entry, 2);
        cel_value *audiences = ARENA_ARRAY(a, cel_value, d->audience_count + 1);
        if (!members || !audiences)
            return cel_null();
        for (uint32_t k = 0; k < d->audience_count; k++)
            audiences[k] = cel_string(d->audiences[k]);
        members[0] = (cel_entry){cel_string(mandate_slice_str("audiences")), cel_list(audiences, d->audience_count)};
        members[1] = (cel_entry){cel_string(mandate_slice_str("handle")), cel_bool(d->handle)};
        rules[i] = (cel_entry){cel_string(arena_printf(a, "%s%s%.*s", claims_member_name(d->member), d->part.len ? "." : "",
                                                       MANDATE_SLICE_ARG(d->part))),
                               cel_map(members, 2)};
    }
    return cel_map(rules, c->disclosure_count);
}

/* --- what happened ------------------------------------------------------------------------------------------------ */
static bool hides_change(uint32_t hidden, mandate_slice member)
{
    for (int m = 0; m < MEMBER_COUNT; m++)
        if (mandate_slice_is(member, claims_member_name((claims_member)m)))
            return m == MEMBER_DISCLOSURE || hidden >> m & 1;
    return true;
}

/* {"from": null, "member": ..., "restricted": true, "to": null}; null without memory. */
static cel_value hidden_change(cel_value member, arena *a)
{
    cel_entry *e = ARENA_ARRAY(a, cel_entry, 4);
    if (!e)
        return cel_null();
    e[0] = (cel_entry){cel_string(mandate_slice_str("from")), cel_null()};
    e[1] = (cel_entry){cel_string(mandate_slice_str("member")), member};
    e[2] = (cel_entry){cel_string(mandate_slice_str("restricted")), cel_bool(true)};
    e[3] = (cel_entry){cel_string(mandate_slice_str("to")), cel_null()};
    return cel_map(e, 4);
}

static cel_value view_changes(cel_value changes, uint32_t hidden, arena *a)
{
    cel_value *items = changes.kind == CEL_LIST ? ARENA_ARRAY(a, cel_value, changes.len + 1) : NULL;
    if (!items)
        return cel_null();
    for (uint32_t i = 0; i < changes.len; i++) {
        const cel_value *member = cel_map_get_str(changes.items[i], "member");
        items[i] = member && !hides_change(hidden, cel_text(*member)) ? changes.items[i]
                                                                      : hidden_change(member ? *member : cel_null(), a);
    }
    return cel_list(items, changes.len);
}

void transition_view(transition *out, const transition *t, const disclosure_viewer *who, arena *a)
{
    const uint32_t hidden = disclosure_hidden(t->disclosures, t->disclosure_count, who);
    *out = *t;
    if (who->all)
        return;
    out->hidden = hidden;
    if (hidden & CLAIMS_GIVEN(PURPOSE))
        out->purpose = mandate_slice_of("", 0);
    if (hidden & CLAIMS_GIVEN(TARGETS))
        out->targets = disclosure_view_map(t->targets, t->disclosures, t->disclosure_count, MEMBER_TARGETS, who, a);
    if (t->clause != CLAUSE_NONE && hidden & CLAIMS_GIVEN(WHILE) << t->clause)
        out->clause_text = mandate_slice_of("", 0);
    /* What a clause read stands with the values of its parameters. */
    if (t->clause != CLAUSE_NONE && hidden & (CLAIMS_GIVEN(PARAMS) | CLAIMS_GIVEN(WHILE) << t->clause)) {
        out->terms = NULL;
        out->term_count = out->term_total = 0;
    }
    if (hidden & (CLAIMS_GIVEN(ACTIONS) | CLAIMS_GIVEN(RESOURCES))) /* decisions name both */
        out->in_flight = cel_null();
    if (t->changes.kind != CEL_NULL)
        out->changes = view_changes(t->changes, hidden, a);
}

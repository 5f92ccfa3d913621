/* SPDX-License-Identifier: Apache-2.0 */
/* disclosure - rules: their paths, their checks, their stored form, and when one set of them shows at most what another does. */
#include "engine/mandate/disclosure.h"

#include "engine/mandate/required.h"

static const struct {
    claims_member member;
    bool parts;
} restrictable[] = {
#define X(member, parts) {MEMBER_##member, parts},
    DISCLOSURE_MEMBER_MAP(X)
#undef X
};
enum { RESTRICTABLE = sizeof(restrictable) / sizeof(*restrictable) };

bool disclosure_parse(claims_member *member, mandate_slice *part, mandate_slice path)
{
    for (int i = 0; i < RESTRICTABLE; i++) {
        mandate_slice name = mandate_slice_str(claims_member_name(restrictable[i].member));
        if (path.len < name.len || memcmp(path.ptr, name.ptr, name.len) != 0)
            continue;
        *member = restrictable[i].member;
        *part = mandate_slice_of(path.ptr + path.len, 0);
        if (path.len == name.len)
            return true;
        if (path.ptr[name.len] != '.' || !restrictable[i].parts || path.len == name.len + 1)
            continue;
        *part = mandate_slice_of(path.ptr + name.len + 1, path.len - name.len - 1);
        return true;
    }
    return false;
}

void disclosure_put_path(buf *b, const claims_disclosure *d)
{
    buf_put_str(b, claims_member_name(d->member));
    if (d->part.len)
        buf_put_char(b, '.');
    buf_put_slice(b, d->part);
}

int disclosure_cmp(const claims_disclosure *x, const claims_disclosure *y)
{
    return x->member != y->member ? (x->member < y->member ? -1 : 1) : mandate_slice_cmp(x->part, y->part);
}

/* --- what is there -------------------------------------------------------------------------------------------- */
static bool list_has(const mandate_slice *items, uint32_t count, mandate_slice part)
{
    for (uint32_t i = 0; i < count; i++)
        if (mandate_slice_eq(items[i], part))
            return true;
    return false;
}

static bool map_has(cel_value map, mandate_slice part)
{
    return map.kind == CEL_MAP && (part.len ? cel_map_get(map, cel_string(part)) != NULL : map.len > 0);
}

static bool limits_have(const claims *c, mandate_slice part)
{
    for (uint32_t i = 0; i < c->limit_count; i++)
        if (!part.len || mandate_slice_eq(c->limits[i].name, part))
            return true;
    return false;
}

static bool required_there(const claims *c, mandate_slice part)
{
    return part.len ? required_find(c->required, c->required_count, part) != NULL : c->required_count > 0;
}

bool disclosure_is_there(const claims *c, claims_member member, mandate_slice part)
{
    switch (member) {
    case MEMBER_PURPOSE:
        return c->purpose.len > 0;
    case MEMBER_ACTIONS:
        return part.len ? list_has(c->actions, c->action_count, part) : c->action_count > 0;
    case MEMBER_RESOURCES:
        return part.len ? list_has(c->resources, c->resource_count, part) : c->resource_count > 0;
    case MEMBER_LIMITS:
        return limits_have(c, part);
    case MEMBER_REQUIRE:
        return required_there(c, part);
    case MEMBER_WHILE:
    case MEMBER_UNTIL:
    case MEMBER_SUSPEND_WHILE:
        return c->clause[member - MEMBER_WHILE].len > 0;
    case MEMBER_PARAMS:
        return map_has(c->params, part);
    case MEMBER_TARGETS:
        return map_has(c->targets, part);
    default:
        return false;
    }
}

/* --- checks ---------------------------------------------------------------------------------------------------- */
static bool is_reserved(mandate_slice name)
{
    return mandate_slice_is(name, "_sd") || mandate_slice_is(name, "_sd_alg") || mandate_slice_is(name, "...");
}

static bool has_reserved(cel_value v) /* as deep as values may nest */
{
    for (uint32_t i = 0; v.kind == CEL_LIST && i < v.len; i++)
        if (has_reserved(v.items[i]))
            return true;
    for (uint32_t i = 0; v.kind == CEL_MAP && i < v.len; i++)
        if ((v.map[i].key.kind == CEL_STRING && is_reserved(cel_text(v.map[i].key))) || has_reserved(v.map[i].value))
            return true;
    return false;
}

static mandate_status check_names(const claims *c, mandate_error *err)
{
    bool bad = has_reserved(c->params) || has_reserved(c->targets);
    for (uint32_t i = 0; i < c->limit_count; i++)
        bad |= is_reserved(c->limits[i].name);
    return bad ? mandate_error_set(
                     err, MANDATE_INVALID,
                     "\"disclosure\": a mandate that restricts something has no member named \"_sd\", \"_sd_alg\" "
                     "or \"...\" (RFC 9901 reserves them)")
               : MANDATE_OK;
}

static mandate_status check_audiences(const claims_disclosure *d, mandate_error *err)
{
    mandate_status s = MANDATE_OK;
    if (d->audience_count > LIMIT_DISCLOSURE_AUDIENCES)
        return mandate_error_set(err, MANDATE_LIMIT, "\"disclosure\": \"%s\" names %u audiences, at most %d are allowed",
                                 claims_member_name(d->member), d->audience_count, LIMIT_DISCLOSURE_AUDIENCES);
    for (uint32_t i = 0; !s && i < d->audience_count; i++)
        s = claims_check_id(d->audiences[i], "disclosure audiences", true, err);
    return s;
}

static mandate_status check_one(const claims *c, uint32_t i, bool whole, mandate_error *err)
{
    const claims_disclosure *d = &c->disclosures[i], *before = i ? d - 1 : NULL;
    const char *name = claims_member_name(d->member);
    const int part_len = (int)(d->part.len < LIMIT_NAME ? d->part.len : LIMIT_NAME);
    if (before && disclosure_cmp(before, d) >= 0)
        return mandate_error_set(err, MANDATE_INVALID, "\"disclosure\": \"%s\" stands there twice", name);
    if (before && before->member == d->member && !before->part.len)
        return mandate_error_set(err, MANDATE_INVALID,
                                 "\"disclosure\": \"%s\" is restricted as a whole, and \"%s.%.*s\" once more: leave one out",
                                 name, name, part_len, d->part.ptr);
    if (d->handle && d->part.len)
        return mandate_error_set(err, MANDATE_INVALID,
                                 "\"disclosure\": a handle stands for a whole member, not for \"%s.%.*s\"", name, part_len,
                                 d->part.ptr);
    if (whole && !disclosure_is_there(c, d->member, d->part))
        return mandate_error_set(err, MANDATE_INVALID, "\"disclosure\": the mandate has no \"%s%s%.*s\" to restrict", name,
                                 d->part.len ? "." : "", part_len, d->part.ptr);
    mandate_status s = claims_check_text(d->part, "disclosure", LIMIT_ID, false, err);
    return s ? s : check_audiences(d, err);
}

mandate_status disclosure_check(const claims *c, bool whole, mandate_error *err)
{
    mandate_status s = MANDATE_OK;
    if (c->disclosure_count > LIMIT_DISCLOSURES)
        return mandate_error_set(err, MANDATE_LIMIT, "\"disclosure\" has %u rules, at most %d are allowed",
                                 c->disclosure_count, LIMIT_DISCLOSURES);
    for (uint32_t i = 0; !s && i < c->disclosure_count; i++)
        s = check_one(c, i, whole, err);
    return !s && whole && c->disclosure_count ? check_names(c, err) : s;
}

/* --- stored ---------------------------------------------------------------------------------------------------- */
void disclosure_encode(buf *b, const claims_disclosure *d, uint32_t count)
{
    wire_put_u64(b, count);
    for (uint32_t i = 0; i < count; i++) {
        wire_put_u8(b, (uint8_t)d[i].member);
        wire_put_u8(b, d[i].handle);
        wire_put_bytes(b, d[i].part);
        wire_put_u64(b, d[i].audience_count);
        for (uint32_t k = 0; k < d[i].audience_count; k++)
            wire_put_bytes(b, d[i].audiences[k]);
    }
}

static const mandate_slice *decode_audiences(wire_reader *r, arena *a, uint32_t *count)
{
    uint64_t n = wire_get_count(r, 1);
    mandate_slice *items = a && n <= LIMIT_DISCLOSURE_AUDIENCES ? ARENA_ARRAY(a, mandate_slice, n) : NULL;
    r->failed |= n && a && !items;
    for (uint64_t i = 0; i < n && !r->failed; i++) {
        mandate_slice one = wire_get_bytes(r);
        if (items)
            items[i] = one;
    }
    *count = r->failed || !a ? 0 : (uint32_t)n;
    return items;
}

const claims_disclosure *disclosure_decode(wire_reader *r, arena *a, uint32_t *count)
{
    uint64_t n = wire_get_count(r, 4);
    claims_disclosure *out = a && n <= LIMIT_DISCLOSURES ? ARENA_ARRAY(a, claims_disclosure, n) : NULL;
    r->failed |= n > LIMIT_DISCLOSURES || (n && a && !out);
    for (uint64_t i = 0; i < n && !r->failed; i++) {
        claims_disclosure d = {.member = (claims_member)wire_get_u8(r)};
        d.handle = wire_get_u8(r) != 0;
        d.part = wire_get_bytes(r);
        d.audiences = decode_audiences(r, a, &d.audience_count);
        r->failed |= (unsigned)d.member >= MEMBER_COUNT;
        if (out)
            out[i] = d;
    }
    *count = r->failed || !a ? 0 : (uint32_t)n;
    return out;
}

/* --- who sees -------------------------------------------------------------------------------------------------- */
static bool covered(const mandate_slice *patterns, uint32_t count, mandate_slice name)
{
    for (uint32_t i = 0; i < count; i++)
        if (scope_covers(patterns[i], name))
            return true;
    return false;
}

bool disclosure_shows(const claims_disclosure *d, const disclosure_viewer *who)
{
    return who->all || (who->audience.len && covered(d->audiences, d->audience_count, who->audience));
}

const claims_disclosure *disclosure_find(const claims_disclosure *d, uint32_t count, claims_member member,
                                         mandate_slice part)
{
    for (uint32_t i = 0; i < count; i++)
        if (d[i].member == member && (!d[i].part.len || mandate_slice_eq(d[i].part, part)))
            return &d[i];
    return NULL;
}

uint32_t disclosure_hidden(const claims_disclosure *d, uint32_t count, const disclosure_viewer *who)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < count; i++)
        if (!disclosure_shows(&d[i], who))
            bits |= UINT32_C(1) << d[i].member;
    return bits;
}

/* --- narrower -------------------------------------------------------------------------------------------------- */
static bool within(const claims_disclosure *now, const claims_disclosure *than)
{
    for (uint32_t i = 0; now && i < now->audience_count; i++)
        if (!covered(than->audiences, than->audience_count, now->audiences[i]))
            return false;
    return now != NULL;
}

typedef struct narrowing {
    const claims *now, *than;
    const claims_disclosure *rule; /* of `than` */
} narrowing;

static bool part_within(const narrowing *n, mandate_slice part)
{
    return within(disclosure_find(n->now->disclosures, n->now->disclosure_count, n->rule->member, part), n->rule);
}

/* Entries of a list that lie within a restricted one, and within none that is shown to more. */
static bool list_within(const narrowing *n, const mandate_slice *items, uint32_t count, const mandate_slice *theirs,
                        uint32_t their_count)
{
    for (uint32_t i = 0; i < count; i++) {
        bool bound = !n->rule->part.len || scope_covers(n->rule->part, items[i]);
        for (uint32_t k = 0; bound && n->rule->part.len && k < their_count; k++)
            bound = !scope_covers(theirs[k], items[i]) ||
                    disclosure_find(n->than->disclosures, n->than->disclosure_count, n->rule->member, theirs[k]);
        if (bound && !part_within(n, items[i]))
            return false;
    }
    return true;
}

static bool map_within(const narrowing *n, cel_value map)
{
    for (uint32_t i = 0; map.kind == CEL_MAP && i < map.len; i++) {
        mandate_slice name = cel_text(map.map[i].key);
        if ((!n->rule->part.len || mandate_slice_eq(n->rule->part, name)) && !part_within(n, name))
            return false;
    }
    return true;
}

static bool rule_within(const narrowing *n)
{
    const claims *c = n->now, *than = n->than;
    switch (n->rule->member) {
    case MEMBER_ACTIONS:
        return list_within(n, c->actions, c->action_count, than->actions, than->action_count);
    case MEMBER_RESOURCES:
        return list_within(n, c->resources, c->resource_count, than->resources, than->resource_count);
    case MEMBER_LIMITS:
        for (uint32_t i = 0; i < c->limit_count; i++)
            if ((!n->rule->part.len || mandate_slice_eq(n->rule->part, c->limits[i].name)) &&
                !part_within(n, c->limits[i].name))
                return false;
        return true;
    case MEMBER_REQUIRE:
        for (uint32_t i = 0; i < c->required_count; i++)
            if ((!n->rule->part.len || mandate_slice_eq(n->rule->part, c->required[i].name)) &&
                !part_within(n, c->required[i].name))
                return false;
        return true;
    case MEMBER_PARAMS:
        return map_within(n, c->params);
    case MEMBER_TARGETS:
        return map_within(n, c->targets);
    default:
        return !disclosure_is_there(c, n->rule->member, n->rule->part) || part_within(n, n->rule->part);
    }
}

mandate_status disclosure_narrows(const claims *now, const claims *than, const char *whose, mandate_error *err)
{
    for (uint32_t i = 0; i < than->disclosure_count; i++) {
        const narrowing n = {now, than, &than->disclosures[i]};
        if (!rule_within(&n))
            return mandate_error_set(
                err, MANDATE_DENIED,
                "wider than %s in disclosure: \"%s\" is restricted there, whole or in part, and would be "
                "shown to more here; restrict it to the same audiences or fewer",
                whose, claims_member_name(n.rule->member));
    }
    return MANDATE_OK;
}

/* --- making ---------------------------------------------------------------------------------------------------- */
mandate_status disclosure_prune(claims *base, const claims *part, arena *a, mandate_error *err)
{
    claims_disclosure *kept = ARENA_ARRAY(a, claims_disclosure, base->disclosure_count + 1);
    uint32_t n = 0;
    if (!kept)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for disclosures");
    for (uint32_t i = 0; i < base->disclosure_count; i++) {
        const claims_disclosure *d = &base->disclosures[i];
        bool asked = false;
        for (uint32_t k = 0; part->given & CLAIMS_GIVEN(DISCLOSURE) && k < part->disclosure_count; k++)
            asked |= disclosure_cmp(d, &part->disclosures[k]) == 0;
        if (asked || disclosure_is_there(base, d->member, d->part))
            kept[n++] = *d;
    }
    base->disclosures = kept;
    base->disclosure_count = n;
    return MANDATE_OK;
}

mandate_status disclosure_merge(claims *base, const claims *part, arena *a, mandate_error *err)
{
    const uint32_t most = base->disclosure_count + part->disclosure_count;
    claims_disclosure *all = ARENA_ARRAY(a, claims_disclosure, most + 1);
    uint32_t n = 0, b = 0, p = 0;
    if (!all)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for disclosures");
    while (b < base->disclosure_count || p < part->disclosure_count) {
        int order = b == base->disclosure_count   ? 1
                    : p == part->disclosure_count ? -1
                                                  : disclosure_cmp(&base->disclosures[b], &part->disclosures[p]);
        b += order <= 0;
        all[n++] = order < 0 ? base->disclosures[b - 1] : part->disclosures[p];
        p += order >= 0;
    }
    base->disclosures = all;
    base->disclosure_count = n;
    return MANDATE_OK;
}

mandate_status disclosure_from_text(claims_disclosure *out, arena *a, mandate_slice text, mandate_error *err)
{
    const char *equals = text.len ? memchr(text.ptr, '=', text.len) : NULL;
    const size_t path_len = equals ? (size_t)(equals - text.ptr) : text.len;
    size_t begin = equals ? path_len + 1 : text.len;
    mandate_slice *audiences = ARENA_ARRAY(a, mandate_slice, LIMIT_DISCLOSURE_AUDIENCES);
    claims_disclosure d = {.audiences = audiences};
    if (!audiences)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for disclosures");
    if (!disclosure_parse(&d.member, &d.part, mandate_slice_of(text.ptr, path_len)))
        return mandate_error_set(
            err, MANDATE_INVALID,
            "\"%.*s\" cannot be restricted; expected PATH or PATH=AUDIENCE,... such as purpose=handle or "
            "scope.limits=https://erp.example",
            (int)(path_len < LIMIT_NAME ? path_len : LIMIT_NAME), text.ptr);
    for (size_t i = begin; equals && i <= text.len; i++) {
        if (i < text.len && text.ptr[i] != ',')
            continue;
        mandate_slice one = mandate_slice_of(text.ptr + begin, i - begin);
        begin = i + 1;
        if (mandate_slice_is(one, "handle"))
            d.handle = true;
        else if (one.len && d.audience_count < LIMIT_DISCLOSURE_AUDIENCES)
            audiences[d.audience_count++] = one;
        else
            return mandate_error_set(err, MANDATE_INVALID, "\"%.*s\": expected at most %d audiences, none of them empty",
                                     (int)(text.len < LIMIT_NAME ? text.len : LIMIT_NAME), text.ptr,
                                     LIMIT_DISCLOSURE_AUDIENCES);
    }
    *out = d;
    return MANDATE_OK;
}

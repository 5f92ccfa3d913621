/* SPDX-License-Identifier: Apache-2.0 */
/* required - see the header. Lists are sorted, so finding is a binary search and comparing two of them one walk through both. */
#include "engine/mandate/required.h"

#include "engine/mandate/disclosure.h"

#include <math.h>
#include <stdlib.h>

static const char *const prefixes[REQUIRED_OF_COUNT] = {"action.", "resource.", "context."},
                         *const places[REQUIRED_OF_COUNT] = {"action.properties", "resource.properties", "context"};

bool required_split(required_of *of, mandate_slice *property, mandate_slice name)
{
    for (int i = 0; i < REQUIRED_OF_COUNT; i++) {
        const size_t len = strlen(prefixes[i]);
        if (name.len <= len || memcmp(name.ptr, prefixes[i], len) != 0)
            continue;
        *of = (required_of)i;
        *property = mandate_slice_of(name.ptr + len, name.len - len);
        return true;
    }
    return false;
}

const cel_value *required_asked(mandate_slice name, const scope_question *q)
{
    required_of of;
    mandate_slice property;
    if (!required_split(&of, &property, name))
        return NULL;
    const cel_value *map = of == REQUIRED_OF_ACTION ? &q->params : of == REQUIRED_OF_RESOURCE ? &q->properties : &q->context;
    return map->kind == CEL_MAP ? cel_map_get(*map, cel_string(property)) : NULL;
}

/* --- order ----------------------------------------------------------------------------------------------------- */
static int rank(cel_value v)
{
    switch (v.kind) {
    case CEL_BOOL:
        return 0;
    case CEL_INT:
    case CEL_UINT:
    case CEL_DOUBLE:
        return 1;
    case CEL_STRING:
        return 2;
    default:
        return 3; /* none that can be required */
    }
}

int required_value_cmp(cel_value x, cel_value y)
{
    const int of_x = rank(x), of_y = rank(y);
    int order = 0;
    if (of_x != of_y)
        return of_x < of_y ? -1 : 1;
    return cel_compare(x, y, &order) ? order : 0;
}

static int by_value(const void *x, const void *y)
{
    return required_value_cmp(*(const cel_value *)x, *(const cel_value *)y);
}

static int by_name(const void *x, const void *y)
{
    return mandate_slice_cmp(((const claims_required *)x)->name, ((const claims_required *)y)->name);
}

void required_sort(claims_required *all, uint32_t count)
{
    if (count)
        qsort(all, count, sizeof(*all), by_name);
}

void required_sort_values(cel_value *values, uint32_t count)
{
    if (count)
        qsort(values, count, sizeof(*values), by_value);
}

const claims_required *required_find(const claims_required *all, uint32_t count, mandate_slice name)
{
    const claims_required key = {.name = name};
    return count ? bsearch(&key, all, count, sizeof(*all), by_name) : NULL;
}

static bool is_value(cel_value v) { return rank(v) < 3 && (v.kind != CEL_DOUBLE || isfinite(v.d)); }

bool required_has(const claims_required *r, cel_value value)
{
    return is_value(value) && r->value_count && bsearch(&value, r->values, r->value_count, sizeof(value), by_value);
}

/* --- checks ---------------------------------------------------------------------------------------------------- */
static mandate_status check_value(const claims_required *r, uint32_t i, mandate_error *err)
{
    const cel_value v = r->values[i];
    if (!is_value(v))
        return mandate_error_set(err, MANDATE_INVALID,
                                 "\"scope.require\": a value of \"%.*s\" must be true, false, a finite number or a text",
                                 MANDATE_SLICE_ARG(r->name));
    mandate_status s =
        v.kind == CEL_STRING ? claims_check_text(cel_text(v), "scope.require", LIMIT_REQUIRED_TEXT, false, err) : MANDATE_OK;
    if (!s && i && required_value_cmp(r->values[i - 1], v) >= 0)
        s = mandate_error_set(err, MANDATE_INVALID, "\"scope.require\": a value of \"%.*s\" stands there twice",
                              MANDATE_SLICE_ARG(r->name));
    return s;
}

static mandate_status check_one(const claims_required *r, mandate_error *err)
{
    required_of of;
    mandate_slice property;
    mandate_status s = claims_check_id(r->name, "scope.require", true, err);
    if (s)
        return s;
    if (r->name.len > LIMIT_REQUIRED_TEXT)
        return mandate_error_set(err, MANDATE_LIMIT, "\"scope.require\": a name of %zu bytes, at most %d are allowed",
                                 r->name.len, LIMIT_REQUIRED_TEXT);
    if (!required_split(&of, &property, r->name))
        return mandate_error_set(err, MANDATE_INVALID,
                                 "\"scope.require\": \"%.*s\" names no property of what is asked; expected \"action.\", "
                                 "\"resource.\" or \"context.\" and its name",
                                 MANDATE_SLICE_ARG(r->name));
    if (!r->value_count)
        return mandate_error_set(err, MANDATE_INVALID, "\"scope.require\": \"%.*s\" needs at least one value",
                                 MANDATE_SLICE_ARG(r->name));
    if (r->value_count > LIMIT_REQUIRED_VALUES)
        return mandate_error_set(err, MANDATE_LIMIT, "\"scope.require\": \"%.*s\" has %u values, at most %d are allowed",
                                 MANDATE_SLICE_ARG(r->name), r->value_count, LIMIT_REQUIRED_VALUES);
    for (uint32_t i = 0; !s && i < r->value_count; i++)
        s = check_value(r, i, err);
    return s;
}

mandate_status required_check(const claims *c, mandate_error *err)
{
    mandate_status s = MANDATE_OK;
    if (c->required_count > LIMIT_REQUIRED)
        return mandate_error_set(err, MANDATE_LIMIT, "\"scope.require\" names %u properties, at most %d are allowed",
                                 c->required_count, LIMIT_REQUIRED);
    for (uint32_t i = 0; !s && i < c->required_count; i++) {
        s = check_one(&c->required[i], err);
        if (!s && i && mandate_slice_cmp(c->required[i - 1].name, c->required[i].name) >= 0)
            s = mandate_error_set(err, MANDATE_INVALID, "\"scope.require\": \"%.*s\" stands there twice",
                                  MANDATE_SLICE_ARG(c->required[i].name));
    }
    return s;
}

/* --- stored ---------------------------------------------------------------------------------------------------- */
void required_encode(buf *b, const claims *c)
{
    wire_put_u64(b, c->required_count);
    for (uint32_t i = 0; i < c->required_count; i++) {
        wire_put_bytes(b, c->required[i].name);
        wire_put_u64(b, c->required[i].value_count);
        for (uint32_t k = 0; k < c->required[i].value_count; k++)
            cel_encode(b, c->required[i].values[k]);
    }
}

static const cel_value *decode_values(wire_reader *r, arena *a, uint32_t *count)
{
    uint64_t n = wire_get_count(r, 1);
    cel_value *values = a && n <= LIMIT_REQUIRED_VALUES ? ARENA_ARRAY(a, cel_value, n + 1) : NULL;
    r->failed |= n > LIMIT_REQUIRED_VALUES || (a && !values);
    for (uint64_t i = 0; i < n && !r->failed; i++)
        if (values)
            values[i] = cel_decode(r, a);
        else
            (void)cel_skip(r);
    *count = r->failed || !a ? 0 : (uint32_t)n;
    return values;
}

const claims_required *required_decode(wire_reader *r, arena *a, uint32_t *count)
{
    uint64_t n = wire_get_count(r, 3);
    claims_required *out = a && n <= LIMIT_REQUIRED ? ARENA_ARRAY(a, claims_required, n + 1) : NULL;
    r->failed |= n == 0 || n > LIMIT_REQUIRED || (a && !out);
    for (uint64_t i = 0; i < n && !r->failed; i++) {
        claims_required one = {.name = wire_get_bytes(r)};
        one.values = decode_values(r, a, &one.value_count);
        if (out)
            out[i] = one;
    }
    *count = r->failed || !a ? 0 : (uint32_t)n;
    return out;
}

/* --- making ---------------------------------------------------------------------------------------------------- */
mandate_status required_merge(claims *base, const claims *part, arena *a, mandate_error *err)
{
    claims_required *all = ARENA_ARRAY(a, claims_required, (size_t)base->required_count + part->required_count + 1);
    uint32_t n = 0, b = 0, p = 0;
    if (!all)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for required values");
    while (b < base->required_count || p < part->required_count) {
        int order = b == base->required_count   ? 1
                    : p == part->required_count ? -1
                                                : by_name(&base->required[b], &part->required[p]);
        b += order <= 0;
        all[n++] = order < 0 ? base->required[b - 1] : part->required[p];
        p += order >= 0;
    }
    base->required = all;
    base->required_count = n;
    return MANDATE_OK;
}

cel_value required_value(arena *a, const claims *c)
{
    cel_entry *out = ARENA_ARRAY(a, cel_entry, c->required_count + 1);
    if (!out)
        return cel_null();
    for (uint32_t i = 0; i < c->required_count; i++)
        out[i] = (cel_entry){cel_string(c->required[i].name), cel_list(c->required[i].values, c->required[i].value_count)};
    return cel_map(out, c->required_count);
}

/* --- comparing ------------------------------------------------------------------------------------------------- */
static bool is_subset(const claims_required *mine, const claims_required *theirs)
{
    uint32_t k = 0;
    for (uint32_t i = 0; i < mine->value_count; i++) {
        int order = -1;
        while (k < theirs->value_count && (order = required_value_cmp(theirs->values[k], mine->values[i])) < 0)
            k++;
        if (k == theirs->value_count || order)
            return false;
    }
    return true;
}

/* true; one of "eu", "us" */
static void put_values(buf *b, const claims_required *r, size_t max)
{
    if (r->value_count > 1)
        buf_put_str(b, "one of ");
    for (uint32_t i = 0; i < r->value_count; i++) {
        if (b->len > max) {
            buf_put_str(b, ", ...");
            return;
        }
        if (i)
            buf_put_str(b, ", ");
        cel_to_text(b, r->values[i], 40);
    }
}

mandate_status required_within(const scope_sides *w, const claims *child, const claims *parent, mandate_error *err)
{
    for (uint32_t i = 0; i < parent->required_count; i++) {
        const claims_required *theirs = &parent->required[i],
                              *mine = required_find(child->required, child->required_count, theirs->name);
        if (mine ? is_subset(mine, theirs) : (child->hidden & CLAIMS_GIVEN(REQUIRE)) != 0)
            continue;
        if (disclosure_find(parent->disclosures, parent->disclosure_count, MEMBER_REQUIRE, theirs->name))
            return mandate_error_set(err, MANDATE_DENIED, "wider than %s in a required value that is restricted; %s",
                                     w->than, w->rule);
        buf have, want;
        buf_init(&have);
        buf_init(&want);
        if (mine)
            put_values(&have, mine, 100);
        else
            buf_put_str(&have, "none is required");
        put_values(&want, theirs, 100);
        mandate_status s =
            mandate_error_set(err, MANDATE_DENIED, "wider than %s in required value \"%.*s\": %s, while %s %s; %s", w->than,
                              (int)(theirs->name.len < LIMIT_NAME ? theirs->name.len : LIMIT_NAME), theirs->name.ptr,
                              buf_cstr(&have), w->theirs, buf_cstr(&want), w->rule);
        buf_deinit(&have);
        buf_deinit(&want);
        return s;
    }
    return MANDATE_OK;
}

static bool refuse(mandate_slice *why, mandate_slice text)
{
    *why = text;
    return false;
}

/* At most some 250 bytes, which is what an answer has room for. */
static mandate_slice sentence(const claims_required *r, const cel_value *asked, arena *a)
{
    required_of of = REQUIRED_OF_ACTION;
    mandate_slice property, text = {NULL, 0};
    const int name_len = (int)(r->name.len < 64 ? r->name.len : 64);
    buf want, have;
    buf_init(&want);
    buf_init(&have);
    put_values(&want, r, 60);
    if (asked)
        cel_to_text(&have, *asked, 40);
    if (!want.failed && !have.failed && asked)
        text = arena_printf(a, "\"%.*s\" is %s, and the mandate requires %s", name_len, r->name.ptr, buf_cstr(&have),
                            buf_cstr(&want));
    else if (!want.failed && !have.failed && required_split(&of, &property, r->name))
        text = arena_printf(a, "the mandate requires \"%.*s\" to be %s: say it in %s", name_len, r->name.ptr,
                            buf_cstr(&want), places[of]);
    buf_deinit(&want);
    buf_deinit(&have);
    return text;
}

bool required_permits(const claims_required *r, const scope_question *q, bool told, arena *a, mandate_slice *why)
{
    const cel_value *asked = required_asked(r->name, q);
    if (asked && required_has(r, *asked))
        return true;
    if (told)
        return refuse(why, sentence(r, asked, a));
    return refuse(why,
                  asked ? mandate_slice_str("a property has not a value that the mandate requires")
                        : mandate_slice_str("the mandate requires a value of a property that is restricted: say all there "
                                            "are in action.properties, resource.properties and context"));
}

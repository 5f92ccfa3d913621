/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_claims - what a mandate permits, in one block: loaded from storage at its first check and kept while they fit in
 * VIEW_CLAIMS_MAX; beyond that they are loaded each time.
 */
#include "connectors/daemon/view/view_int.h"
#include "engine/mandate/disclosure.h"

#include <assert.h>
#include <stdlib.h>

static mandate_slice put_string(char **at, mandate_slice text)
{
    char *to = *at;

    if (text.len)
        memcpy(to, text.ptr, text.len);
    *at += text.len;
    return mandate_slice_of(to, text.len);
}

static size_t strings_size(const claims *c)
{
    size_t size = c->agent.len;

    for (uint32_t i = 0; i < c->action_count; i++)
        size += c->actions[i].len;
    for (uint32_t i = 0; i < c->resource_count; i++)
        size += c->resources[i].len;
    for (uint32_t i = 0; i < c->limit_count; i++)
        size += c->limits[i].name.len;
    for (uint32_t i = 0; i < c->required_count; i++) {
        size += c->required[i].name.len;
        for (uint32_t k = 0; k < c->required[i].value_count; k++)
            size += c->required[i].values[k].kind == CEL_STRING ? c->required[i].values[k].len : 0;
    }
    return size;
}

static size_t values_count(const claims *c)
{
    size_t count = 0;

    for (uint32_t i = 0; i < c->required_count; i++)
        count += c->required[i].value_count;
    return count;
}

static void put_required(claims_required *to, cel_value *values, char **at, const claims *c)
{
    for (uint32_t i = 0; i < c->required_count; i++) {
        const claims_required *from = &c->required[i];
        to[i] = (claims_required){put_string(at, from->name), values, from->value_count};
        for (uint32_t k = 0; k < from->value_count; k++)
            *values++ =
                from->values[k].kind == CEL_STRING ? cel_string(put_string(at, cel_text(from->values[k]))) : from->values[k];
    }
}

/* Of each action and resource, whether it is restricted. */
static void put_restricted(uint8_t *to, const claims *c)
{
    for (uint32_t i = 0; i < c->action_count; i++)
        *to++ = disclosure_find(c->disclosures, c->disclosure_count, MEMBER_ACTIONS, c->actions[i]) != NULL;
    for (uint32_t i = 0; i < c->resource_count; i++)
        *to++ = disclosure_find(c->disclosures, c->disclosure_count, MEMBER_RESOURCES, c->resources[i]) != NULL;
}

static view_claims *claims_take(view *v, size_t size)
{
    bool kept = atomic_load(&v->claims_bytes) + size <= VIEW_CLAIMS_MAX;
    view_claims *out;

    if (kept) {
        pthread_mutex_lock(&v->claims_pool_lock);
        out = pool_take(&v->claims_pool, size);
        pthread_mutex_unlock(&v->claims_pool_lock);
    } else {
        out = malloc(size);
    }
    if (out)
        *out = (view_claims){.size = size, .pooled = kept};
    return out;
}

void view_claims_free(view *v, view_claims *c)
{
    if (!c)
        return;
    if (!c->pooled) {
        free(c);
        return;
    }
    pthread_mutex_lock(&v->claims_pool_lock);
    pool_give(&v->claims_pool, c, c->size);
    pthread_mutex_unlock(&v->claims_pool_lock);
}

static view_claims *claims_pack(view *v, const claims *c)
{
    const size_t marks = c->disclosure_count ? (size_t)c->action_count + c->resource_count : 0;
    size_t names = ((size_t)c->action_count + c->resource_count) * sizeof(mandate_slice);
    const size_t limits_size = c->limit_count * sizeof(claims_limit);
    const size_t required_size = c->required_count * sizeof(claims_required),
                 values_size = values_count(c) * sizeof(cel_value);
    const size_t before = limits_size + required_size + values_size;
    size_t size = sizeof(view_claims) + before + names + strings_size(c) + marks;
    view_claims *out = claims_take(v, size);

    if (!out)
        return NULL;
    /* What asks for the strictest alignment comes first. */
    _Static_assert(offsetof(view_claims, data) % _Alignof(claims_limit) == 0, "the limits follow at once");
    _Static_assert(sizeof(claims_limit) % _Alignof(claims_required) == 0 && _Alignof(cel_value) <= _Alignof(claims_required),
                   "and what is required, with its values, behind them");
    claims_limit *limits = (claims_limit *)(void *)out->data;
    claims_required *required = (claims_required *)(void *)(out->data + limits_size);
    cel_value *values = (cel_value *)(void *)(out->data + limits_size + required_size);
    mandate_slice *actions = (mandate_slice *)(void *)(out->data + before), *resources = actions + c->action_count;
    char *at = out->data + before + names;
    out->actions = actions;
    out->resources = resources;
    out->limits = limits;
    out->required = required;
    out->action_count = c->action_count;
    out->resource_count = c->resource_count;
    out->limit_count = c->limit_count;
    out->required_count = c->required_count;
    out->agent = put_string(&at, c->agent);
    for (uint32_t i = 0; i < c->action_count; i++)
        actions[i] = put_string(&at, c->actions[i]);
    for (uint32_t i = 0; i < c->resource_count; i++)
        resources[i] = put_string(&at, c->resources[i]);
    for (uint32_t i = 0; i < c->limit_count; i++)
        limits[i] = (claims_limit){put_string(&at, c->limits[i].name), c->limits[i].max};
    put_required(required, values, &at, c);
    if (marks) {
        put_restricted((uint8_t *)at, c);
        out->restricted = (const uint8_t *)at;
    }
    for (uint32_t i = 0; i < c->disclosure_count; i++) {
        out->limits_restricted |= c->disclosures[i].member == MEMBER_LIMITS;
        out->required_restricted |= c->disclosures[i].member == MEMBER_REQUIRE;
    }
    for (int k = 0; k < CLAUSE_COUNT; k++)
        out->clauses_restricted |= disclosure_find(c->disclosures, c->disclosure_count, (claims_member)(MEMBER_WHILE + k),
                                                   mandate_slice_of("", 0)) != NULL;
    assert(at + marks == (char *)out + size);
    return out;
}

static view_claims *claims_make(view *v, const view_entry *e, mandate_error *err)
{
    view_claims *out = NULL;
    mandate_slice bytes;
    arena memory;
    claims c;

    arena_init(&memory, 0);
    if (v->options.claims_load(v->options.claims_ctx, &memory, mandate_slice_of(e->id->text, e->id->len), &bytes, err) ==
            MANDATE_OK &&
        claims_decode(&c, &memory, bytes, err) == MANDATE_OK)
        out = claims_pack(v, &c);
    arena_deinit(&memory);
    return out;
}

view_claims *view_claims_get(view *v, view_entry *e, bool *mine, mandate_error *err)
{
    view_claims *c = atomic_load(&e->claims), *expected = NULL;

    *mine = false;
    if (c)
        return c;
    c = claims_make(v, e, err);
    if (!c)
        return NULL;
    *mine = true;
    if (c->pooled) {
        uint64_t size = c->size;
        if (atomic_compare_exchange_strong(&e->claims, &expected, c)) {
            atomic_fetch_add(&v->claims_bytes, size);
            *mine = false;
        }
    }
    return c;
}

bool view_covers(const mandate_slice *patterns, uint32_t count, mandate_slice name)
{
    for (uint32_t i = 0; i < count; i++)
        if (scope_covers(patterns[i], name))
            return true;
    return false;
}

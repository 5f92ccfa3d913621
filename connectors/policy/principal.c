/* SPDX-License-Identifier: Apache-2.0 */
/*
 * principal - what was proved of somebody, kept until a command of theirs that waits is carried out; and whether two are one.
 *
 * What is kept is what was proved, never what a policy made of it: names that a policy gives and roles are those of the policy in
 * force when it is read.
 */
#include "connectors/policy/principal.h"

#include "engine/base/wire.h"
#include "engine/limits.h"

enum { PRINCIPAL_FORMAT = 1, NAMES_MAX = 1024 };

static void put_texts(buf *b, const mandate_slice *items, uint32_t count)
{
    wire_put_u64(b, count);
    for (uint32_t i = 0; i < count; i++)
        wire_put_bytes(b, items[i]);
}

void principal_encode(buf *b, const policy_principal *who)
{
    wire_put_u8(b, PRINCIPAL_FORMAT);
    wire_put_u8(b, (uint8_t)who->kind);
    wire_put_bytes(b, who->proved.len ? who->proved : who->name);
    wire_put_u64(b, who->uid);
    wire_put_u64(b, who->gid);
    wire_put_bytes(b, who->user);
    put_texts(b, who->groups, who->group_count);
    wire_put_bytes(b, who->issuer);
    wire_put_bytes(b, who->subject);
    put_texts(b, who->names, who->name_count);
    cel_encode(b, who->claims);
    wire_put_i64(b, who->until_us);
}

static const mandate_slice *get_texts(wire_reader *r, arena *a, uint32_t *out)
{
    uint64_t count = wire_get_count(r, 1);
    mandate_slice *items = count <= NAMES_MAX ? ARENA_ARRAY(a, mandate_slice, count + 1) : NULL;

    r->failed |= !items;
    *out = 0;
    for (uint64_t i = 0; i < count && !r->failed; i++)
        items[(*out)++] = wire_get_bytes(r);
    return items;
}

mandate_status principal_decode(policy_principal *out, arena *a, mandate_slice bytes, mandate_error *err)
{
    wire_reader reader = wire_reader_of(bytes), *r = &reader;
    policy_principal who = {0};
    uint8_t format = wire_get_u8(r), kind = wire_get_u8(r);

    who.name = who.proved = wire_get_bytes(r);
    uint64_t uid = wire_get_u64(r), gid = wire_get_u64(r);
    who.user = wire_get_bytes(r);
    who.groups = get_texts(r, a, &who.group_count);
    who.issuer = wire_get_bytes(r);
    who.subject = wire_get_bytes(r);
    who.names = get_texts(r, a, &who.name_count);
    who.claims = r->failed ? cel_null() : cel_decode(r, a);
    who.until_us = wire_get_i64(r);
    if (!wire_done(r) || format != PRINCIPAL_FORMAT || kind >= PRINCIPAL_KIND_COUNT || uid > UINT32_MAX ||
        gid > UINT32_MAX || !principal_name_valid(who.name))
        return mandate_error_set(err, MANDATE_CORRUPT, "who asked cannot be read");
    who.kind = (principal_kind)kind;
    who.uid = (uint32_t)uid;
    who.gid = (uint32_t)gid;
    *out = who;
    return MANDATE_OK;
}

static bool share_a_name(const policy_principal *a, const policy_principal *b)
{
    for (uint32_t i = 0; i < a->name_count; i++)
        for (uint32_t k = 0; k < b->name_count; k++)
            if (mandate_slice_eq(a->names[i], b->names[k]))
                return true;
    return false;
}

bool principal_same(const policy_principal *a, const policy_principal *b)
{
    const mandate_slice names[] = {a->name, a->proved};

    for (int i = 0; i < 2; i++)
        if (names[i].len && (mandate_slice_eq(names[i], b->name) || mandate_slice_eq(names[i], b->proved)))
            return true;
    if (a->kind == PRINCIPAL_TOKEN && b->kind == PRINCIPAL_TOKEN)
        return a->subject.len && mandate_slice_eq(a->issuer, b->issuer) && mandate_slice_eq(a->subject, b->subject);
    if (a->kind == PRINCIPAL_CERTIFICATE && b->kind == PRINCIPAL_CERTIFICATE)
        return share_a_name(a, b) ||
               (a->subject.len && mandate_slice_eq(a->issuer, b->issuer) && mandate_slice_eq(a->subject, b->subject));
    return false; /* a process that speaks for others is believed to keep them apart, and from itself */
}

/* SPDX-License-Identifier: Apache-2.0 */
/* signable - see the header. Everything that is not seen to be harmless is left to artifact_check. */
#include "connectors/token/signable.h"

#include "engine/base/text.h"

#include <math.h>

enum { TEXT_MAX = 8192, ITEM = 16, DEPTH_MAX = 8 };
#define INTEGER_MAX INT64_C(9007199254740991) /* 2^53 - 1: what canonical.c writes */
/* Each byte may be six in JSON, and stand twice: in the mandate, and as a registered claim. */
_Static_assert(TEXT_MAX * 6 * 2 + 8192 <= ARTIFACT_PAYLOAD_MAX, "what is short enough here fits a payload");

typedef struct look {
    size_t size;
    bool plain;
} look;

static void look_text(look *l, mandate_slice s)
{
    l->size += s.len + ITEM;
    if (s.len > TEXT_MAX) {
        l->plain = false;
        return;
    }
    unsigned char least = 0xff, all = 0;
    for (size_t i = 0; i < s.len; i++) {
        least = (unsigned char)s.ptr[i] < least ? (unsigned char)s.ptr[i] : least;
        all |= (unsigned char)s.ptr[i];
    }
    l->plain = l->plain && least >= 0x20 && (all < 0x80 || utf8_valid(s));
}

static void look_texts(look *l, const mandate_slice *items, uint32_t count)
{
    for (uint32_t i = 0; i < count && l->size <= TEXT_MAX; i++)
        look_text(l, items[i]);
}

static void look_value(look *l, cel_value v, int depth)
{
    l->size += ITEM * 2; /* the longest number */
    if (depth > DEPTH_MAX || l->size > TEXT_MAX) {
        l->plain = false;
        return;
    }
    switch (v.kind) {
    case CEL_NULL:
    case CEL_BOOL:
        break;
    case CEL_INT:
        l->plain = l->plain && v.i <= INTEGER_MAX && v.i >= -INTEGER_MAX;
        break;
    case CEL_UINT:
        l->plain = l->plain && v.u <= (uint64_t)INTEGER_MAX;
        break;
    case CEL_DOUBLE: /* a whole one is written as an integer */
        l->plain = l->plain && fabs(v.d) <= (double)INTEGER_MAX;
        break;
    case CEL_STRING:
        look_text(l, cel_text(v));
        break;
    case CEL_LIST:
        for (uint32_t i = 0; i < v.len && l->plain; i++)
            look_value(l, v.items[i], depth + 1);
        break;
    case CEL_MAP:
        for (uint32_t i = 0; i < v.len && l->plain; i++) {
            l->plain = v.map[i].key.kind == CEL_STRING;
            look_value(l, v.map[i].key, depth + 1);
            look_value(l, v.map[i].value, depth + 1);
        }
        break;
    default:
        l->plain = false;
    }
}

bool artifact_plainly_signable(const claims *c)
{
    const mandate_slice texts[] = {c->id, c->issuer, c->grantor, c->agent, c->purpose, c->parent, c->supersedes};
    look l = {.plain = !c->disclosure_count && c->expires_at_us >= 0 && c->expires_at_us / 1000000 <= TIME_SECONDS_MAX};

    look_texts(&l, texts, sizeof(texts) / sizeof(*texts));
    look_texts(&l, c->clause, CLAUSE_COUNT);
    look_texts(&l, c->actions, c->action_count);
    look_texts(&l, c->resources, c->resource_count);
    look_texts(&l, c->audience, c->audience_count);
    look_texts(&l, c->child_agents, c->child_agent_count);
    for (uint32_t i = 0; i < c->limit_count && l.plain && l.size <= TEXT_MAX; i++) {
        look_text(&l, c->limits[i].name);
        look_value(&l, c->limits[i].max, 0);
    }
    for (uint32_t i = 0; i < c->budget_count && l.size <= TEXT_MAX; i++) {
        look_text(&l, c->budgets[i].name);
        l.size += AMOUNT_TEXT_MAX;
    }
    for (uint32_t i = 0; i < c->required_count && l.plain && l.size <= TEXT_MAX; i++) {
        look_text(&l, c->required[i].name);
        look_value(&l, cel_list(c->required[i].values, c->required[i].value_count), 0);
    }
    look_value(&l, c->params, 0);
    look_value(&l, c->targets, 0);
    return l.plain && l.size <= TEXT_MAX;
}

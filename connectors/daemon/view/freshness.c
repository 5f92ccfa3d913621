/* SPDX-License-Identifier: Apache-2.0 */
/* freshness - see freshness.h. */
#include "connectors/daemon/view/freshness.h"

#include "engine/base/text.h"

#include <stdio.h>

typedef struct behind {
    int64_t now_us, lag_us, records;
    bool unknown;
} behind;

static void look(void *ctx, const source_partition_status *p)
{
    behind *b = ctx;
    int64_t next = p->next < 0 ? 0 : p->next;

    b->unknown |= p->end < 0;
    if (p->end <= next)
        return;
    b->records += p->end - next;
    /* What waits is younger than what was taken in last; without a time of that it may be of any age. */
    b->unknown |= p->event_time_us == CHANGE_NO_TIME;
    if (p->event_time_us != CHANGE_NO_TIME && b->now_us - p->event_time_us > b->lag_us)
        b->lag_us = b->now_us - p->event_time_us;
}

/* `name` NULL: it is not told. */
static void refuse(service_freshness *out, const char *name, const char *why)
{
    if (out->ok && !name)
        snprintf(out->why, sizeof(out->why), "A connector that a restricted condition may rest on %s.", why);
    else if (out->ok)
        snprintf(out->why, sizeof(out->why), "The connector %.100s %s.", name, why);
    out->ok = false;
}

static void put_source(buf *text, const char *name, const char *state, const behind *b, int64_t watermark_us)
{
    char time[TIME_TEXT_MAX];
    buf_put_str(text, "{\"name\":");
    buf_put_json_string(text, mandate_slice_str(name));
    buf_printf(text, ",\"state\":\"%s\",\"lag_records\":%lld,\"lag_ms\":", state, (long long)b->records);
    if (b->unknown)
        buf_put_str(text, "null");
    else
        buf_printf(text, "%lld", (long long)(b->lag_us / 1000));
    if (watermark_us != CHANGE_NO_TIME)
        buf_printf(text, ",\"watermark\":\"%.*s\"", (int)time_format_us(time, watermark_us), time);
    buf_put_char(text, '}');
}

/* Returns its lag. `text` NULL: it is not named. */
static int64_t put_one(source *from, int64_t now_us, service_freshness *out, buf *text)
{
    const char *name = text ? source_name(from) : NULL;
    behind b = {.now_us = now_us};
    source_status s;

    source_status_get(from, &s);
    source_partitions_each(from, look, &b);
    bool live = s.phase == SOURCE_READING && s.state == SOURCE_LIVE;
    if (text)
        put_source(text, name, live ? "live" : "not_live", &b, s.event_time_us);
    if (!live)
        refuse(out, name, "is not live: what it told is not known to hold");
    else if (b.unknown)
        refuse(out, name, "does not say how far it is behind");
    else if (b.lag_us > out->max_us)
        refuse(out, name, "is further behind than this kind of action allows");
    return b.lag_us;
}

/* Those that are rested on and of which nobody reads any more. */
static void refuse_gone(const freshness_sources *all, const source_set *rests_on, const source_set *seen, bool named,
                        service_freshness *out)
{
    for (uint16_t i = 0; i < LIMIT_SOURCES; i++)
        if (source_set_has(rests_on, i) && !source_set_has(seen, i))
            refuse(out, named ? schema_source_name(all->schema, i) : NULL, "is gone: what it told is not known to hold");
}

void freshness_of(const freshness_sources *all, const source_set *rests_on, bool named, const service_verdict *verdict,
                  int64_t now_us, service_freshness *out, buf *text)
{
    int64_t lag_us = verdict->age_us;
    source_set seen = {.all = false};
    bool any = false;

    out->ok = true;
    buf_printf(text, "{\"seq\":%llu,\"age_ms\":%lld", (unsigned long long)verdict->seq, (long long)(verdict->age_us / 1000));
    if (named)
        buf_put_str(text, ",\"sources\":[");
    for (uint32_t i = 0; i < all->count; i++) {
        const uint16_t index = connector_source(all->connectors[i]);
        if (rests_on && !source_set_has(rests_on, index))
            continue;
        seen.words[index / 64] |= UINT64_C(1) << index % 64;
        if (named && any)
            buf_put_char(text, ',');
        any = true;
        const int64_t behind_us = put_one(all->sources[i], now_us, out, named ? text : NULL);
        if (behind_us > lag_us)
            lag_us = behind_us;
    }
    if (rests_on && !rests_on->all)
        refuse_gone(all, rests_on, &seen, named, out);
    if (named)
        buf_put_char(text, ']');
    buf_printf(text, ",\"lag_ms\":%lld,\"bound_ms\":%lld}", (long long)(lag_us / 1000), (long long)(out->max_us / 1000));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_watch - the watcher thread: partitions, ends, liveness, and keeping librdkafka awake.
 *
 *   every 5 ms while records flow   the end of one partition in turn (wakes that leader's thread, see source.h)
 *   every second (or a quarter of max_silence)   the ends of all; if all are reached, the source is live as of the asking
 *                   and whether what we remember of a topic still holds for it
 *   every refresh, and often while a topic is missing   metadata: which partitions are there
 *
 * Ends are asked for with rd_kafka_offsets_for_times at the logical time "end": it takes several partitions and
 * respects its timeout, which rd_kafka_query_watermark_offsets of 2.0.2 does not.
 */
#include "connectors/kafka/source_internal.h"

#include <stdio.h>

enum {
    WATCH_FLOW_US = 5 * 1000,
    WATCH_IDLE_US = 50 * 1000,
    WATCH_ALL_US = 1000 * 1000,
    WATCH_MISSING_US = 200 * 1000,
    WATCH_TIMEOUT_MS = 500
};

typedef struct watch {
    source *s;
    uint64_t polled; /* when last looked */
    uint32_t turn;
    int64_t all_due_us, times_due_us, topics_due_us, missing_us;
} watch;

/* Said once, until the topic is there. */
static void topic_missing(source *s, uint32_t topic, const char *why)
{
    if (s->topics[topic].found == 0 && !s->topics[topic].told)
        kafka_log(s->options.host, KAFKA_WARNING, s->component, "waiting: %s", why);
    if (s->topics[topic].found == 0)
        source_say(s, s->missing, "waiting: %s", why);
    s->topics[topic].told = true;
}

/* A topic that was there, was not, and is again may be another one. Under the lock. */
static void topic_back(source *s, uint32_t topic, int32_t count)
{
    source_topic *t = &s->topics[topic];

    if (count == 0 && t->found > 0 && !t->missing) {
        kafka_log(s->options.host, KAFKA_WARNING, s->component, "topic %s is not there any more", t->name);
        snprintf(s->missing, sizeof(s->missing), "topic %s is not there any more", t->name);
        t->missing = true;
    } else if (count > 0 && t->missing) {
        t->missing = false;
        for (uint32_t i = 0; i < s->partition_count; i++)
            if (s->partitions[i].topic == topic)
                atomic_store(&s->partitions[i].suspect, true);
        atomic_store(&s->suspicion, true);
    }
}

/* Brings `found` up to date; true when every topic exists. */
static bool topics_look(source *s)
{
    bool all = true, changed = false;

    for (uint32_t i = 0; i < s->topic_count && !atomic_load(&s->stopping); i++) {
        mandate_error err;
        int32_t count = 0;
        if (kafka_partition_count(&count, &s->client, s->topics[i].name, WATCH_TIMEOUT_MS, &err) != MANDATE_OK) {
            all = false;
            topic_missing(s, i, err.text);
            continue;
        }
        if (count == 0) {
            (void)mandate_error_set(&err, MANDATE_UNAVAILABLE, "topic %s does not exist yet", s->topics[i].name);
            topic_missing(s, i, err.text);
        }
        pthread_mutex_lock(&s->lock);
        /* Partitions never go away by themselves: the topic was deleted and made anew. */
        if (count > 0 && count < s->topics[i].found && s->topics[i].shrunk == 0)
            s->topics[i].shrunk = s->topics[i].found;
        if (count > 0 && count != s->topics[i].found) {
            s->topics[i].found = count;
            changed = true;
        }
        topic_back(s, i, count);
        all = all && s->topics[i].found > 0 && !s->topics[i].missing;
        pthread_mutex_unlock(&s->lock);
    }
    if (changed)
        atomic_fetch_add(&s->found_version, 1);
    if (all)
        source_say(s, s->missing, "%s", "");
    return all;
}

/* The partitions to ask about: all, or only number `turn`. */
static rd_kafka_topic_partition_list_t *ends_list(source *s, bool all, uint32_t turn)
{
    rd_kafka_topic_partition_list_t *list;

    pthread_mutex_lock(&s->lock);
    list = rd_kafka_topic_partition_list_new((int)s->partition_count);
    for (uint32_t i = 0; i < s->partition_count; i++) {
        source_partition *p = &s->partitions[i];
        if (!p->gone && (all || i == turn % s->partition_count)) {
            rd_kafka_topic_partition_t *to = rd_kafka_topic_partition_list_add(list, s->topics[p->topic].name, p->partition);
            to->offset = RD_KAFKA_OFFSET_END;
        }
    }
    pthread_mutex_unlock(&s->lock);
    return list;
}

static source_partition *partition_find(source *s, const rd_kafka_topic_partition_t *of)
{
    for (uint32_t i = 0; i < s->partition_count; i++)
        if (s->partitions[i].partition == of->partition && !strcmp(s->topics[s->partitions[i].topic].name, of->topic))
            return &s->partitions[i];
    return NULL;
}

/* Asks; true when the answer covers every partition asked about and each has been read to its end. */
static bool ends_ask(source *s, bool all, uint32_t turn)
{
    rd_kafka_topic_partition_list_t *list = ends_list(s, all, turn);
    bool reached = list->cnt > 0;

    if (list->cnt == 0 ||
        rd_kafka_offsets_for_times(s->client.handle, list, WATCH_TIMEOUT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        rd_kafka_topic_partition_list_destroy(list);
        return false;
    }
    atomic_store(&s->client.reachable, true);
    pthread_mutex_lock(&s->lock);
    for (int i = 0; i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *answer = &list->elems[i];
        source_partition *p = partition_find(s, answer);
        if (!p || answer->err || answer->offset < 0) {
            reached = false;
            continue;
        }
        atomic_store(&p->end, answer->offset);
        /* Records do not go away at the end: others may be there under the same offsets. */
        if (answer->offset < atomic_load(&p->next) && answer->offset != p->vouched_end) {
            p->vouched_end = answer->offset;
            atomic_store(&p->suspect, true);
            atomic_store(&s->suspicion, true);
        }
        if (p->verifying || p->suspect || p->gone)
            reached = false;
        /* An empty partition has been read to its end before anything was read from it. */
        if (atomic_load(&p->next) < answer->offset && !(answer->offset == 0))
            reached = false;
    }
    pthread_mutex_unlock(&s->lock);
    rd_kafka_topic_partition_list_destroy(list);
    return reached;
}

/* --- is it still the same topic? ------------------------------------------------------------------------------------ */
/* A question whose answer only grows while a topic is the same one: where is the first record of that time or later? The
 * time is that of a record we read, so in a topic that was made anew and filled since, the answer is its first record. */
static rd_kafka_topic_partition_list_t *times_list(source *s)
{
    rd_kafka_topic_partition_list_t *list;

    pthread_mutex_lock(&s->lock);
    list = rd_kafka_topic_partition_list_new((int)s->partition_count);
    for (uint32_t i = 0; i < s->partition_count; i++) {
        source_partition *p = &s->partitions[i];
        int64_t mark_ms = atomic_load(&p->mark_ms);
        if (mark_ms < 0 || p->gone) {
            p->asked_at = -1;
            continue;
        }
        if (p->asked_at <= 0) { /* 0 is as low as it gets: a later time is a better question */
            p->asked_ms = mark_ms;
            p->asked_at = -1;
        }
        rd_kafka_topic_partition_list_add(list, s->topics[p->topic].name, p->partition)->offset = p->asked_ms;
    }
    pthread_mutex_unlock(&s->lock);
    return list;
}

static void times_ask(source *s)
{
    rd_kafka_topic_partition_list_t *list = times_list(s);
    bool answered =
        list->cnt > 0 && rd_kafka_offsets_for_times(s->client.handle, list, WATCH_TIMEOUT_MS) == RD_KAFKA_RESP_ERR_NO_ERROR;

    pthread_mutex_lock(&s->lock);
    for (int i = 0; answered && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *answer = &list->elems[i];
        source_partition *p = partition_find(s, answer);
        if (!p || answer->err)
            continue;
        if (p->asked_at > 0 && answer->offset < p->asked_at) {
            /* None any more: retention may have taken them all, and that proves nothing. */
            atomic_store(answer->offset >= 0 ? &p->replaced : &p->suspect, true);
            atomic_store(&s->suspicion, true);
            p->asked_at = -1;
        } else {
            p->asked_at = answer->offset; /* retention moves it on */
        }
    }
    pthread_mutex_unlock(&s->lock);
    rd_kafka_topic_partition_list_destroy(list);
}

static bool all_topics_assigned(source *s)
{
    uint32_t found = 0, gone = 0;
    bool all = true;

    pthread_mutex_lock(&s->lock);
    for (uint32_t i = 0; i < s->topic_count; i++) {
        all = all && s->topics[i].found > 0;
        found += (uint32_t)s->topics[i].found;
    }
    for (uint32_t i = 0; i < s->partition_count; i++)
        gone += s->partitions[i].gone;
    all = all && found + gone == s->partition_count;
    pthread_mutex_unlock(&s->lock);
    return all;
}

static int64_t all_interval(const source *s)
{
    int64_t quarter = s->silence.bound_us / 4; /* set once, before the threads */

    return quarter <= 0 || quarter > WATCH_ALL_US ? WATCH_ALL_US : quarter < WATCH_IDLE_US ? WATCH_IDLE_US : quarter;
}

/* One round; returns how long to wait for the next. */
static int64_t watch_round(watch *w)
{
    source *s = w->s;
    int64_t now = source_monotonic(s);
    uint64_t polled = atomic_load(&s->polled);
    bool flowing = polled != w->polled;

    w->polled = polled;
    if (now >= w->topics_due_us) {
        bool all = topics_look(s);
        w->missing_us = all ? 0 : w->missing_us ? w->missing_us * 2 : WATCH_MISSING_US;
        if (w->missing_us > 5000000)
            w->missing_us = 5000000;
        w->topics_due_us = now + (all ? s->options.refresh_us : w->missing_us);
    }
    if (now >= w->all_due_us) {
        if (ends_ask(s, true, 0) && all_topics_assigned(s))
            atomic_store(&s->at_end_us, now);
        if (now >= w->times_due_us) {
            times_ask(s);
            w->times_due_us = now + WATCH_ALL_US;
        }
        w->all_due_us = now + all_interval(s);
    } else if (flowing) {
        ends_ask(s, false, w->turn++);
    }
    return flowing ? WATCH_FLOW_US : WATCH_IDLE_US;
}

void *source_watcher_main(void *opaque)
{
    watch w = {.s = opaque};
    source *s = opaque;

    while (!atomic_load(&s->stopping))
        source_pause(s, watch_round(&w));
    atomic_fetch_sub(&s->running, 1);
    return NULL;
}

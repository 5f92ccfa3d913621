/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_replay - reading records again, after a mapping was corrected, up to where reading was.
 *
 * Old records say what was true once. Taken one by one they would end mandates by values that were corrected since; so the
 * source is silent, its attributes unknown, from before the first of them until after the last, and conditions see what
 * comes out in the end. What ended before stays ended. Partitions that are done wait for the others, so that no new
 * record is taken in before.
 *
 * What is being read again is noted before the first record is, and taken back after the last: a restart goes on with it,
 * or begins it anew.
 */
#include "connectors/kafka/source_internal.h"

#include <stdlib.h>

enum { REPLAY_TIMEOUT_MS = 5000 };

mandate_status source_replay_start(source *s, const source_replay *what, mandate_error *err)
{
    mandate_status status = MANDATE_OK;
    bool found = what->kind != REPLAY_OFFSET;

    pthread_mutex_lock(&s->lock);
    for (uint32_t i = 0; i < s->partition_count; i++) {
        const source_partition *p = &s->partitions[i];
        found = found || (!strcmp(s->topics[p->topic].name, what->topic) && p->partition == what->partition);
        if (p->replay_to >= 0)
            status = mandate_error_set(err, MANDATE_CONFLICT, "%s is reading records again already; wait until it is done",
                                       source_name(s));
    }
    if (status == MANDATE_OK && s->asked.kind != REPLAY_NONE)
        status = mandate_error_set(err, MANDATE_CONFLICT, "%s was asked to read records again just now", source_name(s));
    else if (status == MANDATE_OK && !found)
        status = mandate_error_set(err, MANDATE_NOT_FOUND, "%s does not read %s/%d", source_name(s), what->topic,
                                   (int)what->partition);
    else if (status == MANDATE_OK && s->partition_count == 0)
        status = mandate_error_set(err, MANDATE_CONFLICT, "%s has not begun to read: there is nothing to read again",
                                   source_name(s));
    else if (status == MANDATE_OK && atomic_load(&s->phase) == SOURCE_HALTED)
        status = mandate_error_set(err, MANDATE_CONFLICT, "%s has halted; clear it first", source_name(s));
    if (status == MANDATE_OK) {
        s->asked = *what;
        atomic_store(&s->replay_asked, true);
    }
    pthread_mutex_unlock(&s->lock);
    return status;
}

/* Offset of the first record of that time in each partition, or -1 when there is none. False: no broker answers. */
static bool offsets_at(source *s, int64_t time_us, int64_t *out)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)s->partition_count);
    rd_kafka_resp_err_t error;

    for (uint32_t i = 0; i < s->partition_count; i++)
        rd_kafka_topic_partition_list_add(list, s->topics[s->partitions[i].topic].name, s->partitions[i].partition)->offset =
            time_us / 1000;
    error = rd_kafka_offsets_for_times(s->client.handle, list, REPLAY_TIMEOUT_MS);
    bool ok = error == RD_KAFKA_RESP_ERR_NO_ERROR;
    for (uint32_t i = 0; i < s->partition_count; i++) {
        const rd_kafka_topic_partition_t *answer =
            rd_kafka_topic_partition_list_find(list, s->topics[s->partitions[i].topic].name, s->partitions[i].partition);
        if (!s->partitions[i].gone && (!answer || answer->err))
            ok = false;
        else
            out[i] = answer && answer->offset >= 0 ? answer->offset : -1;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return ok;
}

/* Where a partition is to be read from again; -1: it is not. */
static int64_t replay_from(const source *s, const source_replay *what, uint32_t slot, const int64_t *at)
{
    const source_partition *p = &s->partitions[slot];
    int64_t next = p->next, from = -1;

    if (p->gone || s->topics[p->topic].heartbeat)
        return -1;
    if (what->kind == REPLAY_BEGINNING)
        from = 0;
    else if (what->kind == REPLAY_TIME)
        from = at[slot];
    else if (!strcmp(s->topics[p->topic].name, what->topic) && p->partition == what->partition)
        from = what->offset;
    return from >= 0 && from < next ? from : -1;
}

/* All or nothing: what cannot be noted is not begun. */
static bool replay_set(source *s, const source_replay *what, const int64_t *at)
{
    for (uint32_t i = 0; i < s->partition_count; i++) {
        source_partition *p = &s->partitions[i];
        int64_t from = replay_from(s, what, i, at);
        if (from < 0)
            continue;
        p->replay_from = p->noted_from = from;
        p->replay_to = p->noted_to = p->next;
        s->replaying++;
        if (source_note_put(s, p))
            continue;
        for (uint32_t k = 0; k <= i; k++) {
            source_partition *q = &s->partitions[k];
            q->replay_from = q->replay_to = q->noted_from = q->noted_to = -1;
            q->noted = false;
        }
        s->replaying = 0;
        return false;
    }
    return true;
}

void source_replay_begin(source *s)
{
    source_replay what;
    int64_t *at = NULL;

    if (!atomic_exchange(&s->replay_asked, false))
        return;
    pthread_mutex_lock(&s->lock);
    what = s->asked;
    s->asked.kind = REPLAY_NONE;
    pthread_mutex_unlock(&s->lock);
    at = calloc(s->partition_count ? s->partition_count : 1, sizeof(*at));
    if (!at || (what.kind == REPLAY_TIME && !offsets_at(s, what.time_us, at)) || !replay_set(s, &what, at)) {
        kafka_log(s->options.host, KAFKA_ERROR, s->component, "could not begin to read records again; ask once more");
        goto done;
    }
    if (s->replaying == 0) {
        kafka_log(s->options.host, KAFKA_INFO, s->component, "nothing is to be read again from there");
        goto done;
    }
    s->silence.replaying = true;
    source_tell_state(s);
    source_hand_over(s);
    for (uint32_t i = 0; i < s->partition_count; i++) {
        source_partition *p = &s->partitions[i];
        if (p->replay_to < 0)
            continue;
        kafka_log(s->options.host, KAFKA_INFO, s->component, "reading %s/%d again from offset %lld to %lld",
                  s->topics[p->topic].name, (int)p->partition, (long long)p->replay_from, (long long)p->replay_to);
        p->watched = true;
        p->verifying = false;
        /* The oldest there is, when that is not 0 any more; never a lost position. */
        atomic_store(&p->next, what.kind == REPLAY_OFFSET ? p->replay_from : -1);
        if (what.kind == REPLAY_TIME && p->replay_from > 0)
            atomic_store(&p->next, p->replay_from);
    }
    (void)source_assign(s);
done:
    free(at);
}

void source_replay_moved(source *s, source_partition *p)
{
    if (p->held || p->next < p->replay_to)
        return;
    p->held = true;
    if (--s->replaying > 0) {
        (void)source_assign(s);
        return;
    }
    for (uint32_t i = 0; i < s->partition_count; i++) {
        source_partition *q = &s->partitions[i];
        if (q->replay_to < 0)
            continue;
        q->replay_from = q->replay_to = -1; /* storage is told when it has what was read (source_position_note) */
        q->held = q->watched = false;
    }
    kafka_log(s->options.host, KAFKA_INFO, s->component, "all is read again");
    s->silence.replaying = false;
    source_tell_state(s);
    (void)source_assign(s);
}

void source_replay_resume(source *s, source_partition *p, int64_t stored)
{
    p->replay_from = p->noted_from;
    p->replay_to = p->noted_to;
    if (stored >= p->noted_to) /* not begun, or just done: once more, and no new record before that */
        p->replay_to = p->noted_to = stored;
    if (stored < p->noted_from || stored >= p->noted_to)
        atomic_store(&p->next, p->noted_from > 0 ? p->noted_from : -1);
    p->noted = false;
    p->watched = true;
    p->verifying = false;
    s->replaying++;
    s->silence.replaying = true;
}

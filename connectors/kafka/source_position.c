/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_position - where a source reads on, and whether that place still is what it was.
 *
 * An offset names a record only as long as the topic is the same one. So a committed record is remembered for each partition
 * (its mark: offset, time, digest). After a restart, and whenever the watcher has a reason (the topic was gone, an end
 * below our position), the partition is read from its mark on, and the record there is compared:
 *
 *   the same         reading goes on where it was
 *   another one      the topic was made anew: the position is lost
 *   not there        compacted away, or retention: nothing is proved, and the offset decides as before
 *
 * The watcher may also prove by timestamps that the topic is another one (source_watch.c).
 *
 * A lost position (also: an offset that the broker does not have, fewer partitions than before) makes the source doubtful
 * whatever the policy, because what was lost may have ended a mandate. Reading goes on at the oldest record there is, or
 * under `halt` stops until someone clears it.
 */
#include "connectors/kafka/source_internal.h"

#include "engine/base/hash.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    POSITION_RETRY_US = 100 * 1000,
    POSITION_MARKS_US = 1000 * 1000,
    POSITION_MARK_SEARCH = 4096, /* records looked at to find the last of each partition */
    POSITION_BEYOND = 64,        /* partitions beyond a topic's last that are looked for in storage */
    POSITION_REREAD_MAX = 1000,  /* records between mark and position that are passed over rather than skipped */
    POSITION_FORGOTTEN = -2      /* mark.offset in storage: the stored offset is of a topic that is no more */
};

/* --- notes ------------------------------------------------------------------------------------------------------ */
static mandate_slice note_key(buf *key, const source *s, uint32_t topic, int32_t partition)
{
    buf_reset(key);
    buf_printf(key, "source/%s/%s/%d", connector_name(s->options.connector), s->topics[topic].name, (int)partition);
    return buf_slice(key);
}

bool source_note_put(source *s, source_partition *p)
{
    buf key, value;
    mandate_error err;

    p->noted = true;
    if (!s->options.notes.put)
        return true;
    buf_init(&key);
    buf_init(&value);
    buf_printf(&value, "1 %" PRId64 " %" PRId64 " %" PRIx64 " %" PRId64 " %" PRId64, p->mark.offset, p->mark.timestamp_ms,
               p->mark.digest, p->noted_from, p->noted_to);
    p->noted = !value.failed && s->options.notes.put(s->options.notes.ctx, note_key(&key, s, p->topic, p->partition),
                                                     buf_slice(&value), &err) == MANDATE_OK;
    buf_deinit(&key);
    buf_deinit(&value);
    return p->noted;
}

/* False when there is none. */
static bool note_read(source *s, uint32_t topic, int32_t partition, source_mark *mark, int64_t *from, int64_t *to)
{
    buf key, value;
    bool ok;

    if (!s->options.notes.get)
        return false;
    buf_init(&key);
    buf_init(&value);
    ok = s->options.notes.get(s->options.notes.ctx, note_key(&key, s, topic, partition), &value, NULL) == MANDATE_OK &&
         sscanf(buf_cstr(&value), "1 %" SCNd64 " %" SCNd64 " %" SCNx64 " %" SCNd64 " %" SCNd64, &mark->offset,
                &mark->timestamp_ms, &mark->digest, from, to) == 5;
    buf_deinit(&key);
    buf_deinit(&value);
    return ok;
}

static bool stored_offset(source *s, uint32_t topic, int32_t partition, int64_t *out)
{
    mandate_error err;

    if (s->options.offset(s->options.ctx, s->topics[topic].name, partition, out, &err) == MANDATE_OK)
        return true;
    kafka_log(s->options.host, KAFKA_ERROR, s->component, "cannot read the stored offset of %s/%d: %s",
              s->topics[topic].name, partition, err.text);
    return false;
}

/* --- marks ------------------------------------------------------------------------------------------------------ */
static bool mark_of(source_mark *out, const rd_kafka_message_t *m)
{
    rd_kafka_timestamp_type_t kind;
    uint8_t digest[SHA256_SIZE];
    bool ok;
    buf b;

    buf_init(&b);
    buf_printf(&b, "%zu %zu\n", m->key ? m->key_len : SIZE_MAX, m->payload ? m->len : SIZE_MAX);
    buf_put(&b, m->key, m->key_len);
    buf_put(&b, m->payload, m->len);
    ok = !b.failed && sha256(digest, b.data, b.len);
    buf_deinit(&b);
    *out = (source_mark){m->offset, rd_kafka_message_timestamp(m, &kind), 0};
    if (ok)
        memcpy(&out->digest, digest, sizeof(out->digest));
    return ok;
}

/* Batches that came back hold committed records, the last one of each partition, until they are filled again. */
static void marks_find(source *s, source_buffer *const *back, uint32_t count)
{
    uint32_t looked = 0;

    while (count > 0) {
        const source_buffer *b = back[--count];
        for (uint32_t i = b->batch.count ? b->last.len : 0; i > 0 && looked < POSITION_MARK_SEARCH; i--, looked++) {
            const rd_kafka_message_t *m = b->last.data[i - 1].message;
            source_partition *p = &s->partitions[b->last.data[i - 1].slot];
            if (m && !p->gone && b->serial > p->marks_after && m->offset < p->next && m->offset > p->mark.offset &&
                mark_of(&p->mark, m)) {
                p->noted = false;
                atomic_store(&p->mark_ms, p->mark.timestamp_ms);
            }
        }
    }
}

void source_position_note(source *s)
{
    source_buffer *back[SOURCE_BATCHES];
    int64_t now = source_monotonic(s), stored;
    uint32_t count = 0;

    if (now < s->marks_us || !s->options.notes.put)
        return;
    s->marks_us = now + POSITION_MARKS_US;
    pthread_mutex_lock(&s->lock);
    for (source_batch *b = s->free; b; b = b->next)
        back[count++] = (source_buffer *)b;
    pthread_mutex_unlock(&s->lock);
    for (uint32_t i = 0; i < count; i++)
        if (back[i] == s->telling)
            s->telling = NULL;
    marks_find(s, back, count);
    for (uint32_t i = 0; i < s->partition_count; i++) {
        source_partition *p = &s->partitions[i];
        if (p->noted_to >= 0 && p->replay_to < 0 && stored_offset(s, p->topic, p->partition, &stored) &&
            stored >= p->noted_to) {
            p->noted_from = p->noted_to = -1;
            p->noted = false;
        }
        /* That a stored offset means nothing any more is noted after the doubt about it, or a restart would jump. */
        if (!p->noted && !(p->mark.offset == POSITION_FORGOTTEN && s->telling))
            (void)source_note_put(s, p); /* when it fails: again in a second */
    }
}

/* --- assignment --------------------------------------------------------------------------------------------------- */
static source_partition *partition_at(source *s, uint32_t topic, int32_t partition)
{
    for (uint32_t i = 0; i < s->partition_count; i++)
        if (s->partitions[i].topic == topic && s->partitions[i].partition == partition)
            return &s->partitions[i];
    return NULL;
}

static bool partition_add(source *s, uint32_t topic, int32_t partition)
{
    int64_t next = -1, from = -1, to = -1;
    source_mark mark = {.offset = -1};
    source_partition *grown, *old = partition_at(s, topic, partition);

    if (old) { /* it was gone: what is there now is new */
        atomic_store(&old->next, -1);
        atomic_store(&old->end, -1);
        atomic_store(&old->gone, false);
        return true;
    }
    if (!stored_offset(s, topic, partition, &next))
        return false;
    if (!note_read(s, topic, partition, &mark, &from, &to))
        mark.offset = from = to = -1;
    if (mark.offset == POSITION_FORGOTTEN)
        next = mark.offset = -1;
    pthread_mutex_lock(&s->lock);
    grown = realloc(s->partitions, (s->partition_count + 1) * sizeof(*grown));
    if (grown) {
        source_partition *p = &grown[s->partition_count];
        s->partitions = grown;
        *p = (source_partition){.topic = topic,
                                .partition = partition,
                                .noted = true,
                                .vouched_end = -1,
                                .asked_at = -1,
                                .mark = {.offset = -1}};
        atomic_init(&p->mark_ms, -1);
        atomic_init(&p->next, next);
        atomic_init(&p->end, -1);
        atomic_init(&p->event_time_us, CHANGE_NO_TIME);
        atomic_init(&p->replay_from, -1);
        atomic_init(&p->replay_to, -1);
        p->noted_from = from;
        p->noted_to = to;
        p->commit = p->committed = next;
        if (mark.offset >= 0 && mark.offset < next)
            p->mark = mark;
        p->verifying = p->watched = p->mark.offset >= 0;
        s->partition_count++;
        if (to >= 0)
            source_replay_resume(s, p, next);
    }
    pthread_mutex_unlock(&s->lock);
    return grown != NULL;
}

bool source_assign(source *s)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)s->partition_count);
    rd_kafka_resp_err_t error;

    for (uint32_t i = 0; i < s->partition_count; i++) {
        source_partition *p = &s->partitions[i];
        int64_t next = p->verifying ? p->mark.offset : p->next;
        /* Those that are to be read again come first. */
        if (!p->gone && (s->replaying == 0 || (p->replay_to >= 0 && !p->held)))
            rd_kafka_topic_partition_list_add(list, s->topics[p->topic].name, p->partition)->offset =
                next >= 0 ? next : RD_KAFKA_OFFSET_BEGINNING;
    }
    error = rd_kafka_assign(s->client.handle, list);
    rd_kafka_topic_partition_list_destroy(list);
    if (error) {
        kafka_log(s->options.host, KAFKA_ERROR, s->component, "cannot assign partitions: %s", rd_kafka_err2str(error));
        s->assigned_version--; /* again, soon */
    }
    return error == RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* --- losing a position ---------------------------------------------------------------------------------------------- */
static void replay_over(source *s, source_partition *p)
{
    if (p->replay_to < 0)
        return;
    if (!p->held)
        s->replaying--;
    p->replay_to = p->replay_from = p->noted_to = p->noted_from = -1;
    p->held = false;
    if (s->replaying == 0)
        s->silence.replaying = false;
}

/* The caller assigns. */
static void position_lost(source *s, source_partition *p, const char *text)
{
    int64_t next = p->next;

    p->verifying = p->watched = false;
    replay_over(s, p);
    if (next >= 0) {
        kafka_log(s->options.host, KAFKA_ERROR, s->component,
                  "%s/%d: cannot read on from offset %lld (%s): records may have been lost; the source is doubtful until "
                  "someone clears it, and goes on with the oldest record there is",
                  s->topics[p->topic].name, (int)p->partition, (long long)next, text);
        source_say(s, s->doubt, "records of %s/%d from offset %lld on were lost: %s", s->topics[p->topic].name,
                   (int)p->partition, (long long)next, text);
        atomic_fetch_add(&s->lost, 1);
        s->silence.doubted = true;
        if (connector_error_policy(s->options.connector) == ON_ERROR_HALT) {
            s->silence.halted = true;
            atomic_store(&s->phase, SOURCE_HALTED);
            kafka_log(s->options.host, KAFKA_ERROR, s->component, "halted until someone clears it");
        }
    }
    p->mark = (source_mark){.offset = POSITION_FORGOTTEN};
    atomic_store(&p->mark_ms, -1);
    p->marks_after = s->serial;
    p->noted = false;
    p->commit = p->committed = -1;
    atomic_store(&p->next, -1);
    atomic_store(&p->end, -1);
}

/* A topic never loses partitions: one with fewer is another one. */
static void topic_shrunk(source *s, uint32_t topic, int32_t count, int32_t before)
{
    char text[160];

    for (int32_t p = count; p < before; p++)
        if (!partition_at(s, topic, p) && !partition_add(s, topic, p))
            kafka_log(s->options.host, KAFKA_ERROR, s->component, "no memory for partition %d", (int)p);
    snprintf(text, sizeof(text), "the topic has %d partitions and had %d: it was deleted and made anew", (int)count,
             (int)before);
    for (uint32_t i = 0; i < s->partition_count; i++) {
        source_partition *p = &s->partitions[i];
        if (p->topic != topic || p->gone)
            continue;
        position_lost(s, p, text);
        if (p->partition >= count)
            atomic_store(&p->gone, true);
    }
}

/* After a restart: storage knows a position beyond the last partition. Returns how many partitions there were; 0: no more. */
static int32_t stored_beyond(source *s, uint32_t topic, int32_t count)
{
    int32_t before = 0;

    for (int32_t p = count; p < count + POSITION_BEYOND; p++) {
        source_mark mark = {.offset = -1};
        int64_t next = -1, from, to;
        if (stored_offset(s, topic, p, &next) && next >= 0 &&
            !(note_read(s, topic, p, &mark, &from, &to) && mark.offset == POSITION_FORGOTTEN))
            before = p + 1;
    }
    return before;
}

/* Verifies what the watcher suspects; what it has proved is lost. */
static bool suspects_verify(source *s)
{
    bool any = false;

    for (uint32_t i = 0; i < s->partition_count; i++) {
        source_partition *p = &s->partitions[i];
        bool replaced = atomic_exchange(&p->replaced, false), suspect = atomic_exchange(&p->suspect, false);
        if (!(replaced || suspect) || p->gone || p->next < 0)
            continue;
        any = true;
        if (replaced) {
            position_lost(s, p, "the records before it are others: the topic was deleted and made anew");
            continue;
        }
        if (p->mark.offset >= 0 && p->mark.offset < p->next)
            p->verifying = p->watched = true;
    }
    return any;
}

void source_assign_found(source *s)
{
    uint32_t version = atomic_load(&s->found_version), before = s->partition_count;
    bool complete = true, changed = atomic_exchange(&s->suspicion, false) && suspects_verify(s);

    if (version == s->assigned_version && !changed)
        return;
    for (uint32_t t = 0; t < s->topic_count; t++) {
        pthread_mutex_lock(&s->lock);
        int32_t found = s->topics[t].found, shrunk = s->topics[t].shrunk;
        s->topics[t].shrunk = 0;
        pthread_mutex_unlock(&s->lock);
        for (int32_t p = 0; p < found; p++) {
            const source_partition *known = partition_at(s, t, p);
            if (known && !known->gone)
                continue;
            complete = partition_add(s, t, p) && complete;
            changed = true;
        }
        if (found > 0 && complete && !s->topics[t].looked) {
            shrunk = stored_beyond(s, t, found);
            s->topics[t].looked = true;
        }
        if (shrunk > found) {
            topic_shrunk(s, t, found, shrunk);
            changed = true;
        }
    }
    if (changed && s->partition_count > 0) {
        if (atomic_load(&s->phase) == SOURCE_WAITING)
            atomic_store(&s->phase, SOURCE_READING);
        source_tell_state(s);
        complete = source_assign(s) && complete;
    }
    if (s->partition_count > before)
        kafka_log(s->options.host, KAFKA_INFO, s->component, "reading %u partitions", s->partition_count);
    if (complete)
        s->assigned_version = version;
    else
        source_pause(s, POSITION_RETRY_US);
}

/* --- what the consumer says ----------------------------------------------------------------------------------------- */
static void verified(source *s, source_partition *p, const char *how)
{
    kafka_log(s->options.host, KAFKA_DEBUG, s->component, "%s/%d: offset %lld is %s", s->topics[p->topic].name,
              (int)p->partition, (long long)p->mark.offset, how);
    p->verifying = false;
    p->watched = p->replay_to >= 0;
    if (p->next - p->mark.offset > POSITION_REREAD_MAX)
        (void)source_assign(s);
}

bool source_position_accept(source *s, uint32_t slot, const rd_kafka_message_t *m)
{
    source_partition *p = &s->partitions[slot];
    source_mark found;

    if (p->gone || p->held)
        return false;
    if (p->verifying) {
        if (m->offset < p->mark.offset)
            return false;
        if (m->offset > p->mark.offset) {
            verified(s, p, "not there any more: compacted, or past its retention");
        } else if (mark_of(&found, m) && found.digest == p->mark.digest && found.timestamp_ms == p->mark.timestamp_ms) {
            verified(s, p, "what it was");
        } else {
            position_lost(s, p, "the record before it is another one: the topic was deleted and made anew");
            source_tell_state(s);
            (void)source_assign(s);
            return false;
        }
    }
    return m->offset >= p->next && !(p->replay_to >= 0 && m->offset >= p->replay_to);
}

void source_position_end(source *s, uint32_t slot, int64_t offset)
{
    source_partition *p = &s->partitions[slot];

    if (p->gone || p->held)
        return;
    if (p->verifying && offset <= p->mark.offset) {
        position_lost(s, p, "the topic ends before it: it was deleted and made anew");
        source_tell_state(s);
        (void)source_assign(s);
        return;
    }
    if (p->verifying)
        verified(s, p, "not there any more: compacted, or past its retention");
    /* The end may lie behind control records that we never see. */
    if (offset > p->next)
        atomic_store(&p->next, offset);
    if (p->replay_to >= 0)
        source_replay_moved(s, p);
}

void source_position_refused(source *s, uint32_t slot, const char *text)
{
    source_partition *p = &s->partitions[slot];

    if (p->gone)
        return;
    if (p->verifying) {
        /* The mark is gone; the position itself may be there. */
        p->verifying = false;
        p->watched = p->replay_to >= 0;
    } else if (p->replay_to >= 0 && p->next < p->replay_to) {
        kafka_log(s->options.host, KAFKA_WARNING, s->component,
                  "%s/%d: offset %lld is not there any more; reading again from the oldest record there is",
                  s->topics[p->topic].name, (int)p->partition, (long long)p->next);
        atomic_store(&p->next, -1);
    } else {
        position_lost(s, p, text);
        source_tell_state(s);
    }
    source_pause(s, POSITION_RETRY_US);
    (void)source_assign(s);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_read - the reader thread: poll, map, hand over.
 *
 *   record -> mapper_run -> OK           an input with its changes
 *                        -> UNAVAILABLE  (registry down) hand over what is there, wait, the same record again
 *                        -> otherwise    poison: source_poison.c
 *   a position that is not what it was: source_position.c
 */
#include "connectors/kafka/source_internal.h"

#include "engine/base/error_slot.h"

#include <assert.h>
#include <stdlib.h>

enum {
    READ_WAIT_MS = 50,
    READ_ROUND = 512,
    READ_RETRY_MIN_US = 100 * 1000,
    READ_RETRY_MAX_US = 2000 * 1000,
    READ_GROUP_COMMIT_US = 5000 * 1000
};

/* An event time further ahead than any clock is wrong: everything after it would be taken for old. */
static const int64_t READ_AHEAD_MAX_US = 24LL * 3600 * 1000000;

/* --- handing over ------------------------------------------------------------------------------------------ */
bool source_buffer_ensure(source *s)
{
    if (!s->filling)
        s->filling = source_buffer_take(s);
    return s->filling != NULL;
}

/* The bytes of the runs are where they will stay. */
static void runs_settle(source_buffer *b)
{
    const char *bytes = b->writer.bytes.data;
    size_t from = 0;

    for (uint32_t i = 0; i < b->run_count; i++) {
        b->runs[i].bytes = mandate_slice_of(bytes + from, b->run_ends[i] - from);
        from = b->run_ends[i];
    }
    if (b->run_count) {
        b->runs[b->run_count - 1].positions = b->positions.data;
        b->runs[b->run_count - 1].position_count = b->positions.len;
    }
}

void source_hand_over(source *s)
{
    source_buffer *b = s->filling;

    if (!b || b->batch.count == 0)
        return;
    s->filling = NULL;
    runs_settle(b);
    if (!s->options.push(s->options.ctx, &b->batch)) {
        /* Stopping: what was not taken is read again at the next start. */
        b->batch.count = 0;
        source_batch_release(&b->batch);
    }
}

static engine_input *append(source_buffer *b, engine_input_kind kind)
{
    assert(b && b->batch.total < SOURCE_BATCH_RECORDS + 2);
    engine_input *input = &b->inputs[b->batch.count++];
    b->batch.total++;
    input->kind = kind;
    return input;
}

/* One record more at the end of a run. */
static mandate_status append_to_run(source_buffer *b, const schema *graph, const change_origin *origin,
                                    const mapper_result *mapped, mandate_error *err)
{
    bool open = b->batch.count && b->inputs[b->batch.count - 1].kind == INPUT_RUN && !b->run_broken;

    if (!open)
        run_begin(&b->writer);
    mandate_status status =
        run_put(&b->writer, graph, origin, mapped ? mapped->changes : NULL, mapped ? mapped->change_count : 0, err);
    b->run_broken = status != MANDATE_OK;
    if (status != MANDATE_OK)
        return status;
    if (open) {
        b->batch.total++;
    } else {
        b->runs[b->run_count] = (engine_run){.records = 0};
        append(b, INPUT_RUN)->run = &b->runs[b->run_count++];
    }
    assert(b->batch.total <= SOURCE_BATCH_RECORDS + 2);
    b->runs[b->run_count - 1].records++;
    b->run_ends[b->run_count - 1] = b->writer.bytes.len;
    return MANDATE_OK;
}

/* The place of a partition in the batch. NULL: out of memory. */
static source_last *last_of(source *s, source_buffer *b, uint32_t slot)
{
    source_partition *p = &s->partitions[slot];

    if (p->in_batch == b->serial)
        return &b->last.data[p->last_at];
    if (!VEC_RESERVE(&b->last, b->last.len + 1) ||
        !VEC_PUSH(&b->positions, (engine_position){s->topics[p->topic].index, p->partition, 0}))
        return NULL;
    b->last.data[b->last.len++] = (source_last){.slot = slot};
    p->in_batch = b->serial;
    p->last_at = b->last.len - 1;
    return &b->last.data[p->last_at];
}

mandate_status source_append_record(source *s, uint32_t slot, int64_t offset, rd_kafka_message_t *m,
                                    const mapper_result *mapped, mandate_error *err)
{
    source_partition *p = &s->partitions[slot];
    source_buffer *b = s->filling;
    change_origin origin = {.source = connector_source(s->options.connector),
                            .topic = s->topics[p->topic].index,
                            .partition = p->partition,
                            .offset = offset,
                            .event_time_us = mapped ? mapped->event_time_us : CHANGE_NO_TIME};
    source_last *last = last_of(s, b, slot);

    mandate_status status = last ? append_to_run(b, s->options.schema, &origin, mapped, err)
                                 : mandate_error_set(err, MANDATE_NOMEM, "out of memory for a batch of records");
    if (status != MANDATE_OK)
        return status;
    if (m && last->message)
        rd_kafka_message_destroy(last->message);
    if (m)
        last->message = m;
    engine_position *position = &b->positions.data[p->last_at];
    position->next = offset + 1 > position->next ? offset + 1 : position->next;
    atomic_store_explicit(&p->next, offset + 1, memory_order_relaxed);
    if (p->watched && p->replay_to >= 0)
        s->moved = p;
    return MANDATE_OK;
}

void source_pass_over(source *s, uint32_t slot, int64_t offset)
{
    ERROR_SLOT(err);

    /* Without memory the offset moves with the next record. */
    if (source_append_record(s, slot, offset, NULL, NULL, &err) != MANDATE_OK) {
        kafka_log(s->options.host, KAFKA_ERROR, s->component, "%s", err.text);
        atomic_store_explicit(&s->partitions[slot].next, offset + 1, memory_order_relaxed);
    }
}

/* Tells the engine when the source's standing changed; the input goes after what was read before. */
void source_tell_state(source *s)
{
    engine_source_state state;

    if (!source_buffer_ensure(s) || !silence_tell(&s->silence, &state))
        return;
    engine_input *input = append(s->filling, INPUT_SOURCE);
    input->source = connector_source(s->options.connector);
    input->source_state = state;
    atomic_store(&s->state, state);
    if (state == SOURCE_DOUBTFUL)
        s->telling = s->filling;
    static const char *const names[] = {"live", "silent", "doubtful"};
    kafka_log(s->options.host, state == SOURCE_LIVE ? KAFKA_INFO : KAFKA_WARNING, s->component, "is now %s", names[state]);
}

/* --- one record ------------------------------------------------------------------------------------------------ */
uint32_t source_slot_of(source *s, const rd_kafka_message_t *m)
{
    const char *topic = rd_kafka_topic_name(m->rkt);

    for (uint32_t n = 0; n < s->partition_count; n++) {
        uint32_t i = s->last_slot + n < s->partition_count ? s->last_slot + n : s->last_slot + n - s->partition_count;
        if (s->partitions[i].partition == m->partition && !strcmp(s->topics[s->partitions[i].topic].name, topic)) {
            s->last_slot = i;
            return i;
        }
    }
    return UINT32_MAX;
}

/* librdkafka makes room to parse them even when there are none, which takes longer than a record's decoding. */
mandate_status source_headers_of(record *r, arena *a, const rd_kafka_message_t *m, mandate_error *err)
{
    rd_kafka_headers_t *headers = NULL;
    record_header *out;
    size_t count;

    if (rd_kafka_message_headers(m, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return MANDATE_OK;
    count = rd_kafka_header_cnt(headers);
    out = ARENA_ARRAY(a, record_header, count);
    if (!out)
        return mandate_error_set(err, MANDATE_LIMIT, "the record's headers take too much memory");
    for (size_t i = 0; i < count; i++) {
        const char *name;
        const void *value;
        size_t size;
        if (rd_kafka_header_get_all(headers, i, &name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR)
            break;
        out[i] = (record_header){mandate_slice_str(name), mandate_slice_of(value, size)};
        r->header_count++;
    }
    r->headers = out;
    if (count > LIMIT_HEADERS)
        return mandate_error_set(err, MANDATE_LIMIT, "the record has %zu headers; at most %d are read", count,
                                 LIMIT_HEADERS);
    return MANDATE_OK;
}

void source_record_of(record *r, const rd_kafka_message_t *m, const char *topic)
{
    rd_kafka_timestamp_type_t kind;
    int64_t ms = rd_kafka_message_timestamp(m, &kind);

    *r = (record){
        .topic = mandate_slice_str(topic),
        .partition = m->partition,
        .offset = m->offset,
        .timestamp_us = kind == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || ms < 0 || ms > INT64_MAX / 1000 ? INT64_MIN : ms * 1000,
        .key = mandate_slice_of(m->key, m->key_len),
        .value = mandate_slice_of(m->payload, m->len),
    };
}

/* Only this thread writes these; others only look. */
static void count(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

static void count_outcome(source *s, source_partition *p, const mapper_result *mapped)
{
    _Atomic uint64_t *counter = mapped->outcome == MAPPER_MAPPED     ? &s->mapped
                                : mapped->outcome == MAPPER_FILTERED ? &s->filtered
                                                                     : &s->ignored;

    count(counter, 1);
    count(&s->changes, mapped->change_count);
    if (mapped->event_time_us != CHANGE_NO_TIME) {
        atomic_store_explicit(&s->event_time_us, mapped->event_time_us, memory_order_relaxed);
        atomic_store_explicit(&p->event_time_us, mapped->event_time_us, memory_order_relaxed);
    }
}

static mandate_status time_check(const source *s, mapper_result *mapped, mandate_error *err)
{
    /* The round's clock: some milliseconds do not matter to a day. */
    if (mapped->event_time_us == CHANGE_NO_TIME || mapped->event_time_us - s->round_wall_us <= READ_AHEAD_MAX_US)
        return MANDATE_OK;
    mapped->stage = "event_time";
    return mandate_error_set(
        err, MANDATE_INVALID,
        "event_time is more than a day ahead of the clock: what comes after it would be taken for older");
}

/* Maps one record, bounded in memory. */
static mandate_status map_record(source *s, uint32_t slot, const rd_kafka_message_t *m, mapper_result *mapped,
                                 mandate_error *err)
{
    arena *a = &s->mapping;
    mandate_status status = MANDATE_OK;
    record r;

    *mapped = (mapper_result){.event_time_us = CHANGE_NO_TIME};
    arena_reset(a);
    source_record_of(&r, m, s->topics[s->partitions[slot].topic].name);
    if (mapper_reads_headers(s->mapper, &r))
        status = source_headers_of(&r, a, m, err);
    if (status == MANDATE_OK)
        status = mapper_run(mapped, s->mapper, a, &r, err);
    if (status == MANDATE_OK)
        status = time_check(s, mapped, err);
    return status;
}

static void newest_note(source *s, const rd_kafka_message_t *m)
{
    rd_kafka_timestamp_type_t kind;
    int64_t ms = rd_kafka_message_timestamp(m, &kind);

    if (kind != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE && ms > s->newest_ms)
        s->newest_ms = ms;
}

/* A record of a heartbeat topic: that it is there is all it says. Owns `m`. */
static void take_heartbeat(source *s, uint32_t slot, rd_kafka_message_t *m)
{
    if (source_buffer_ensure(s)) {
        source_pass_over(s, slot, m->offset);
        atomic_fetch_add_explicit(&s->ignored, 1, memory_order_relaxed);
    }
    rd_kafka_message_destroy(m);
}

/* Owns `m`. */
static void take_record(source_reader *rd, rd_kafka_message_t *m)
{
    source *s = rd->s;
    uint32_t slot = source_slot_of(s, m);
    int64_t wait_us = READ_RETRY_MIN_US;
    mapper_result mapped;
    ERROR_SLOT(err);

    /* Fetched for an assignment that is no more, or read before it. */
    if (slot == UINT32_MAX || (s->partitions[slot].watched ? !source_position_accept(s, slot, m)
                                                           : m->offset < atomic_load(&s->partitions[slot].next))) {
        rd_kafka_message_destroy(m);
        return;
    }
    if (s->heartbeat)
        newest_note(s, m);
    count(&s->polled, 1);
    if (s->topics[s->partitions[slot].topic].heartbeat) {
        take_heartbeat(s, slot, m);
        return;
    }
    while (source_buffer_ensure(s)) {
        mandate_status status = map_record(s, slot, m, &mapped, &err);
        if (wait_us > READ_RETRY_MIN_US && status != MANDATE_UNAVAILABLE)
            source_say(s, s->waiting, "%s", "");
        if (status == MANDATE_OK)
            status = source_append_record(s, slot, m->offset, m, &mapped, &err);
        if (status == MANDATE_OK) {
            const source_buffer *b = s->filling;
            count_outcome(s, &s->partitions[slot], &mapped);
            if (b->batch.total >= SOURCE_BATCH_RECORDS || b->writer.bytes.len > SOURCE_BATCH_MEMORY)
                source_hand_over(s);
            return;
        }
        if (status != MANDATE_UNAVAILABLE) {
            source_poison(rd, m, slot, &mapped, &err);
            return;
        }
        if (wait_us == READ_RETRY_MIN_US)
            kafka_log(s->options.host, KAFKA_WARNING, s->component, "%s; trying the same record again", err.text);
        source_say(s, s->waiting, "%s", err.text);
        source_housekeeping(s);
        source_hand_over(s);
        source_pause(s, wait_us);
        wait_us = wait_us * 2 > READ_RETRY_MAX_US ? READ_RETRY_MAX_US : wait_us * 2;
    }
    rd_kafka_message_destroy(m); /* stopping */
}

/* --- what the consumer says beside records ----------------------------------------------------------------------- */
static void take_event(source *s, const rd_kafka_message_t *m)
{
    uint32_t slot = m->rkt ? source_slot_of(s, m) : UINT32_MAX;

    switch (m->err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        if (slot != UINT32_MAX)
            source_position_end(s, slot, m->offset);
        break;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        if (slot != UINT32_MAX)
            source_position_refused(s, slot, rd_kafka_message_errstr(m));
        break;
    default:
        kafka_log(s->options.host, KAFKA_WARNING, s->component, "%s: %s", rd_kafka_err2name(m->err),
                  rd_kafka_message_errstr(m));
        break;
    }
}

/* --- the loop -------------------------------------------------------------------------------------------------- */
/* Offsets of committed steps, for lag tools; failures do not matter. */
static void group_commit(source *s)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);

    for (uint32_t i = 0; i < s->partition_count; i++) {
        source_partition *p = &s->partitions[i];
        if (p->commit > p->committed) {
            rd_kafka_topic_partition_list_add(list, s->topics[p->topic].name, p->partition)->offset = p->commit;
            p->committed = p->commit;
        }
    }
    if (list->cnt > 0)
        rd_kafka_commit(s->client.handle, list, 1);
    rd_kafka_topic_partition_list_destroy(list);
}

void source_housekeeping(source *s)
{
    int64_t now = source_monotonic(s);

    /* Having read all that a broker has says nothing of a system that is to send heartbeats through it. */
    if (!s->heartbeat)
        silence_prove(&s->silence, atomic_load(&s->at_end_us));
    silence_watch(&s->silence, now);
    source_tell_state(s);
    source_position_note(s);
    source_progress(s, now);
    if (now >= s->group_commit_us) {
        group_commit(s);
        s->group_commit_us = now + READ_GROUP_COMMIT_US;
    }
}

static void cleared(source_reader *rd)
{
    source *s = rd->s;

    kafka_log(s->options.host, KAFKA_INFO, s->component, "cleared");
    source_say(s, s->doubt, "%s", "");
    s->silence.doubted = false;
    s->silence.halted = false;
    if (atomic_load(&s->phase) == SOURCE_HALTED) {
        atomic_store(&s->phase, SOURCE_READING);
        if (rd->held && source_buffer_ensure(s)) {
            source_pass_over(s, rd->held_slot, rd->held->offset);
            rd_kafka_message_destroy(rd->held);
            rd->held = NULL;
        }
    }
}

/* Records were read. Where heartbeats are sent, old ones prove that the system was alive when they were written. */
static void prove(source *s)
{
    const kafka_host *host = s->options.host;
    int64_t age_us = s->heartbeat ? host->wall_us(host->ctx) - s->newest_ms * 1000 : 0;

    silence_prove(&s->silence, source_monotonic(s) - (age_us > 0 ? age_us : 0));
}

static void read_round(source_reader *rd)
{
    source *s = rd->s;
    uint64_t before = atomic_load(&s->polled);

    s->round_wall_us = s->options.host->wall_us(s->options.host->ctx);
    for (int n = 0; n < READ_ROUND && atomic_load(&s->phase) != SOURCE_HALTED && !source_stopping(s); n++) {
        bool waiting = !s->filling || s->filling->batch.count == 0;
        rd_kafka_message_t *m = rd_kafka_consumer_poll(s->client.handle, waiting ? READ_WAIT_MS : 0);
        if (!m)
            break;
        if (m->err) {
            take_event(s, m);
            rd_kafka_message_destroy(m);
        } else {
            take_record(rd, m);
        }
        if (s->moved) {
            source_partition *p = s->moved;
            s->moved = NULL;
            source_replay_moved(s, p);
        }
    }
    if (atomic_load(&s->polled) != before)
        prove(s);
}

void *source_reader_main(void *opaque)
{
    source *s = opaque;
    source_reader rd = {.s = s};

    while (!source_stopping(s)) {
        uint64_t before = atomic_load(&s->polled);
        if (atomic_exchange(&s->clear, false))
            cleared(&rd);
        if (atomic_load(&s->retiring)) {
            s->silence.halted = true;
            atomic_store(&s->phase, SOURCE_HALTED);
        }
        if (atomic_load(&s->phase) == SOURCE_HALTED) {
            source_pause(s, READ_WAIT_MS * 1000);
        } else {
            source_assign_found(s);
            source_replay_begin(s);
            if (atomic_load(&s->phase) != SOURCE_HALTED)
                read_round(&rd);
        }
        source_housekeeping(s);
        /* A full round means that more is waiting: fill the batch further. */
        if (atomic_load(&s->polled) - before < READ_ROUND)
            source_hand_over(s);
    }
    if (s->filling) {
        s->filling->batch.count = 0;
        source_batch_release(&s->filling->batch);
        s->filling = NULL;
    }
    if (rd.held)
        rd_kafka_message_destroy(rd.held);
    atomic_store(&s->phase, SOURCE_STOPPED);
    atomic_fetch_sub(&s->running, 1);
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_poison - what to do with a record that cannot be mapped: into the dead-letter topic first, then by policy.
 *
 *   quarantine   an input without changes: the offset moves
 *   fail_closed  the same, and the source is doubtful
 *   halt         nothing moves; the record is held until someone clears it
 *
 * While the topic does not take it, nothing is read; what was read before is handed over, and life goes on (lag, silence).
 */
#include "connectors/kafka/source_internal.h"

enum { POISON_RETRY_US = 100 * 1000, POISON_WRITE_MS = 2000, POISON_WINDOW_US = 10 * 1000 * 1000, POISON_LINES = 20 };

/* A topic full of poison must not fill the log as well: the records are all in the dead-letter topic. */
static void poison_log(source *s, const record *r, const char *stage, const mandate_error *why)
{
    int64_t now = source_monotonic(s);

    if (now - s->poison_window_us > POISON_WINDOW_US) {
        if (s->poison_logged > POISON_LINES)
            kafka_log(s->options.host, KAFKA_WARNING, s->component, "and %u more poison records",
                      s->poison_logged - POISON_LINES);
        s->poison_window_us = now;
        s->poison_logged = 0;
    }
    if (s->poison_logged++ < POISON_LINES)
        kafka_log(s->options.host, KAFKA_WARNING, s->component, "poison record %.*s/%d offset %lld: %s: %s",
                  MANDATE_SLICE_ARG(r->topic), (int)r->partition, (long long)r->offset, stage, why->text);
}

/* Into the dead-letter topic, for as long as it takes. False: stopping, or the topic will never take it. */
static bool bury(source *s, const record *r, const mapper_result *mapped, const mandate_error *why)
{
    dead_letter_reason reason = {
        .connector = connector_name(s->options.connector),
        .stage = mapped->stage ? mapped->stage : "mapping",
        .path = connector_path(s->options.connector),
        .line = mapped->line,
        .column = mapped->column,
        .error = why,
    };
    dead_letter_ticket *ticket = NULL;
    mandate_error err;
    mandate_status status;
    bool told = false;

    poison_log(s, r, reason.stage, why);
    while ((status = dead_letter_write(s->options.dead_letters, r, &reason, POISON_WRITE_MS, &s->stopping, &ticket, &err)) ==
           MANDATE_UNAVAILABLE) {
        if (!told)
            kafka_log(s->options.host, KAFKA_ERROR, s->component, "%s; trying on, nothing is read until then", err.text);
        told = true;
        source_say(s, s->waiting, "at %.*s/%d offset %lld, a record that cannot be mapped: %s", MANDATE_SLICE_ARG(r->topic),
                   (int)r->partition, (long long)r->offset, err.text);
        source_housekeeping(s);
        source_hand_over(s);
        if (source_stopping(s)) {
            dead_letter_forget(ticket);
            return false;
        }
        source_pause(s, POISON_RETRY_US);
    }
    source_say(s, s->waiting, "%s", "");
    if (status != MANDATE_OK) {
        kafka_log(s->options.host, KAFKA_ERROR, s->component,
                  "%s; halted at this record: make the topic take it and restart, or clear the connector to pass over it",
                  err.text);
        source_say(s, s->doubt, "halted at %.*s/%d offset %lld, a record that cannot be mapped: %s",
                   MANDATE_SLICE_ARG(r->topic), (int)r->partition, (long long)r->offset, err.text);
        return false;
    }
    atomic_fetch_add(&s->dead_lettered, 1);
    return true;
}

static void halt(source_reader *rd, rd_kafka_message_t *m, uint32_t slot)
{
    source *s = rd->s;

    rd->held = m;
    rd->held_slot = slot;
    s->silence.halted = true;
    atomic_store(&s->phase, SOURCE_HALTED);
    kafka_log(s->options.host, KAFKA_ERROR, s->component, "halted until someone clears it");
}

/* What was read before is handed over first: it must not wait for the dead-letter topic. */
void source_poison(source_reader *rd, rd_kafka_message_t *m, uint32_t slot, const mapper_result *mapped,
                   const mandate_error *why)
{
    source *s = rd->s;
    connector_on_error policy = connector_error_policy(s->options.connector);
    const char *topic = s->topics[s->partitions[slot].topic].name;
    mandate_error ignored;
    arena scratch;
    record r;

    arena_init(&scratch, 0);
    source_hand_over(s);
    source_record_of(&r, m, topic);
    mandate_status status = source_headers_of(&r, &scratch, m, &ignored);
    (void)status; /* too many headers may be why we are here; what is in `r` is complete all the same */
    if (!bury(s, &r, mapped, why)) {
        if (source_stopping(s))
            rd_kafka_message_destroy(m);
        else
            halt(rd, m, slot);
        goto done;
    }
    if (policy != ON_ERROR_QUARANTINE)
        source_say(s, s->doubt, "%s/%d offset %lld could not be mapped: %s", topic, (int)m->partition, (long long)m->offset,
                   why->text);
    if (policy == ON_ERROR_HALT) {
        halt(rd, m, slot);
        goto done;
    }
    if (policy == ON_ERROR_FAIL_CLOSED)
        s->silence.doubted = true;
    if (source_buffer_ensure(s)) {
        source_pass_over(s, slot, m->offset);
        source_tell_state(s);
    }
    rd_kafka_message_destroy(m);
done:
    arena_deinit(&scratch);
}

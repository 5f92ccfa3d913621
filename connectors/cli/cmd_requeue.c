/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connector requeue - records of a connector that are in the dead-letter topic, sent to the topic and partition they came from:
 * as they were (the mapping was corrected, or the schema is there now), or one of them with a corrected value.
 *
 * What was sent back is noted in the dead-letter topic itself, by a record without a value whose header names it, once the
 * topic has acknowledged it; so a second call sends nothing twice. In its old topic the record is the newest: only an
 * event time keeps it from overwriting what came after it, so without one the caller must say that this is meant.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "connectors/cli/client.h"
#include "connectors/cli/input.h"
#include "connectors/cli/out.h"
#include "connectors/cli/topic.h"
#include "connectors/kafka/cluster.h"

enum { REQUEUE_MEMORY = 512 << 20 };

static const char errors_prefix[] = "__connect.errors.", done_header[] = "mandated.requeued",
                  from_header[] = "mandated.requeued-from";

typedef struct dead {
    record r; /* of the dead-letter topic; in the arena */
    mandate_slice topic;
    int32_t partition;
    bool done;
    struct dead *next;
} dead;

typedef struct requeue {
    buf embedded; /* where the embedded broker listens */
    const char *name, *config_path, *file, *bootstrap, *dead_letter;
    arg_list offsets, properties;
    bool any_order, dry_run;
    arg_common common;
    config settings;
    cluster reach;
    kafka_tool_target target; /* of the dead-letter topic */
    arena a;
    dead *first, **last;
    uint32_t found;
    bool full;
    buf corrected;
} requeue;

/* --- collecting ------------------------------------------------------------------------------------------------------- */
/* The last of a name wins: a record may have been here before. */
static mandate_slice header_of(const record *r, const char *prefix, const char *name)
{
    size_t len = strlen(prefix);
    for (uint32_t i = r->header_count; i > 0; i--) {
        const record_header *h = &r->headers[i - 1];
        if (h->name.len == len + strlen(name) && !memcmp(h->name.ptr, prefix, len) &&
            !memcmp(h->name.ptr + len, name, h->name.len - len))
            return h->value;
    }
    return (mandate_slice){NULL, 0};
}

static bool number_of(mandate_slice text, int64_t max, int64_t *out)
{
    int64_t v = 0;
    if (text.len == 0 || text.len > 18)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        v = v * 10 + (text.ptr[i] - '0');
    }
    *out = v;
    return v <= max;
}

static mandate_slice keep(requeue *q, mandate_slice s) { return s.ptr ? arena_dup(&q->a, s) : s; }

static bool keep_headers(requeue *q, record *to, const record *from)
{
    record_header *copy = ARENA_ARRAY(&q->a, record_header, from->header_count + 1);
    if (!copy)
        return false;
    for (uint32_t i = 0; i < from->header_count; i++)
        copy[i] = (record_header){keep(q, from->headers[i].name), keep(q, from->headers[i].value)};
    to->headers = copy;
    return true;
}

/* "partition/offset" of one that was sent back. */
static void note_done(requeue *q, mandate_slice place)
{
    char text[48];
    for (dead *d = q->first; d; d = d->next) {
        snprintf(text, sizeof(text), "%" PRId32 "/%" PRId64, d->r.partition, d->r.offset);
        if (mandate_slice_is(place, text))
            d->done = true;
    }
}

static bool collect(void *ctx, const record *r)
{
    requeue *q = ctx;
    mandate_slice place = header_of(r, done_header, "");
    int64_t partition;
    if (!mandate_slice_is(header_of(r, errors_prefix, "connector.name"), q->name))
        return true;
    if (place.ptr && !r->value.ptr) {
        note_done(q, place); /* it stands behind the record it names: the topic of a connector has one partition, or a key */
        return true;
    }
    mandate_slice topic = header_of(r, errors_prefix, "topic");
    if (!topic.len || topic.len > LIMIT_NAME || !number_of(header_of(r, errors_prefix, "partition"), INT32_MAX, &partition))
        return true;
    dead *d = ARENA_NEW(&q->a, dead);
    if (!d)
        return !(q->full = true);
    *d = (dead){.r = *r, .topic = keep(q, topic), .partition = (int32_t)partition};
    d->r.key = keep(q, r->key);
    d->r.value = keep(q, r->value);
    q->full = !keep_headers(q, &d->r, r) || q->a.failed;
    *q->last = d;
    q->last = &d->next;
    q->found++;
    return !q->full;
}

/* --- sending ------------------------------------------------------------------------------------------------------------ */
static bool selected(const requeue *q, const dead *d)
{
    char text[48];
    if (d->done)
        return false;
    for (size_t i = 0; i < q->offsets.count; i++) {
        snprintf(text, sizeof(text), "%" PRId32 "/%" PRId64, d->r.partition, d->r.offset);
        if (!strcmp(q->offsets.items[i], text) || !strcmp(q->offsets.items[i], strchr(text, '/') + 1))
            return true;
    }
    return q->offsets.count == 0;
}

/* The record as it was, or with the corrected value, and where it has been. */
static mandate_status send_one(requeue *q, kafka_tool_sender *s, const dead *d, mandate_error *err)
{
    char from[LIMIT_NAME + 64];
    record_header *headers = ARENA_ARRAY(&q->a, record_header, d->r.header_count + 1);
    record r = {.topic = d->topic, .partition = d->partition, .key = d->r.key, .value = d->r.value, .headers = headers};
    if (!headers)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory");
    for (uint32_t i = 0; i < d->r.header_count; i++) {
        mandate_slice name = d->r.headers[i].name;
        if ((name.len < sizeof(errors_prefix) - 1 || memcmp(name.ptr, errors_prefix, sizeof(errors_prefix) - 1)) &&
            !mandate_slice_is(name, from_header))
            headers[r.header_count++] = d->r.headers[i];
    }
    snprintf(from, sizeof(from), "%s/%" PRId32 "@%" PRId64, q->target.topic, d->r.partition, d->r.offset);
    headers[r.header_count++] = (record_header){mandate_slice_str(from_header), mandate_slice_str(from)};
    if (q->file)
        r.value = mandate_slice_of(q->corrected.data ? q->corrected.data : "", q->corrected.len);
    return kafka_tool_send(s, &r, err);
}

static mandate_status send_note(requeue *q, kafka_tool_sender *s, const dead *d, mandate_error *err)
{
    char place[48];
    record_header headers[2] = {{mandate_slice_str("__connect.errors.connector.name"), mandate_slice_str(q->name)},
                                {mandate_slice_str(done_header), {place, 0}}};
    record r = {.partition = d->r.partition, .key = d->r.key, .headers = headers, .header_count = 2};
    headers[1].value.len = (size_t)snprintf(place, sizeof(place), "%" PRId32 "/%" PRId64, d->r.partition, d->r.offset);
    return kafka_tool_send(s, &r, err);
}

/* All of one topic, acknowledged, then the notes. */
static mandate_status send_topic(requeue *q, mandate_slice topic, uint32_t *sent, mandate_error *err)
{
    kafka_tool_target to = q->target;
    kafka_tool_sender *s;
    uint32_t count = 0;
    char name[LIMIT_NAME + 1];
    snprintf(name, sizeof(name), "%.*s", MANDATE_SLICE_ARG(topic));
    to.topic = name;
    mandate_status status = kafka_tool_sender_open(&s, &to, err), closed;
    if (status)
        return status;
    for (dead *d = q->first; d && !status; d = d->next)
        if (selected(q, d) && mandate_slice_eq(d->topic, topic)) {
            status = send_one(q, s, d, err);
            count++;
        }
    closed = kafka_tool_sender_close(s, status ? NULL : err);
    if (status || closed)
        return status ? status : closed;
    status = kafka_tool_sender_open(&s, &q->target, err);
    if (status)
        return status;
    for (dead *d = q->first; d && !status; d = d->next)
        if (selected(q, d) && mandate_slice_eq(d->topic, topic)) {
            status = send_note(q, s, d, err);
            d->done = true;
        }
    closed = kafka_tool_sender_close(s, status ? NULL : err);
    *sent += count;
    return status ? status : closed;
}

static mandate_status send_all(requeue *q, uint32_t *sent, mandate_error *err)
{
    mandate_status status = MANDATE_OK;
    for (dead *d = q->first; d && !status; d = d->next)
        if (selected(q, d))
            status = send_topic(q, d->topic, sent, err);
    return status;
}

static uint32_t show_selected(const requeue *q)
{
    uint32_t count = 0;
    buf line;
    buf_init(&line);
    for (const dead *d = q->first; d; d = d->next) {
        if (!selected(q, d))
            continue;
        count++;
        if (!q->dry_run)
            continue;
        buf_printf(&line, "%" PRId32 "/%" PRId64 "  to ", d->r.partition, d->r.offset);
        out_text(&line, OUT_BOLD, d->topic);
        buf_printf(&line, "/%" PRId32 "  ", d->partition);
        out_text(&line, OUT_DIM, header_of(&d->r, errors_prefix, "exception.message"));
        out_line(&line);
    }
    buf_deinit(&line);
    return count;
}

/* --- beforehand ---------------------------------------------------------------------------------------------------------- */
/* Does the running server say that this connector's records tell which is newer? */
static bool is_ordered(const requeue *q)
{
    client c;
    bool known = false;
    if (client_open(&c, &q->common) == CLI_OK &&
        client_call(&c, "GET", "/v1/connectors", mandate_slice_of("", 0)) == CLI_OK) {
        cel_value all = json_member(c.value, "connectors");
        for (uint32_t i = 0; all.kind == CEL_LIST && i < all.len; i++) {
            cel_value has = json_member(all.items[i], "event_time");
            if (mandate_slice_is(json_member_text(all.items[i], "name"), q->name))
                known = has.kind == CEL_BOOL && has.b;
        }
    }
    client_close(&c);
    return known;
}

/* The embedded broker's port is another one at each start: it stands in a file. */
static const char *configured_bootstrap(requeue *q)
{
    const char *path = q->settings.kafka.embedded ? q->settings.kafka.embedded_port_file : NULL;
    mandate_error ignored;
    if (!path || input_read(&q->embedded, path, 4096, &ignored))
        return q->settings.kafka.bootstrap_servers;
    while (q->embedded.len && q->embedded.data[q->embedded.len - 1] == '\n')
        q->embedded.len--;
    return buf_cstr(&q->embedded);
}

static exit_code take_arguments(requeue *q, int argc, char **argv)
{
    const arg_option options[] = {
        {"--config", .value = &q->config_path}, {"--offset", .list = &q->offsets},
        {"--file", .value = &q->file},          {"--in-any-order", .flag = &q->any_order},
        {"--dry-run", .flag = &q->dry_run},     {"--bootstrap", .value = &q->bootstrap},
        {"--property", .list = &q->properties}, {"--dead-letter", .value = &q->dead_letter},
    };
    mandate_error err;
    if (!args_parse(argc, argv, &q->common, options, sizeof(options) / sizeof(*options), &q->name, 1, 1))
        return CLI_REFUSED;
    if (q->file && q->offsets.count != 1) {
        out_problem("--file corrects one record: name it with --offset (see --dry-run)");
        return CLI_REFUSED;
    }
    if (q->file && input_read(&q->corrected, q->file, LIMIT_RECORD, &err)) {
        out_problem("%s", err.text);
        return CLI_REFUSED;
    }
    if (q->config_path && config_load(&q->settings, q->config_path, &err)) {
        out_problem("%s", err.text);
        return CLI_REFUSED;
    }
    if (q->config_path && cluster_init(&q->reach, &q->settings, configured_bootstrap(q), NULL, 0, &err)) {
        out_problem("%s", err.text);
        return CLI_REFUSED;
    }
    q->target = (kafka_tool_target){.bootstrap = topic_bootstrap(q->bootstrap ? q->bootstrap : q->reach.value.bootstrap),
                                    .topic = q->dead_letter   ? q->dead_letter
                                             : q->config_path ? q->settings.topics.dead_letter
                                                              : "mandate.dead-letter",
                                    .cluster = q->config_path ? &q->reach.value : NULL,
                                    .properties = q->properties.items,
                                    .property_count = q->properties.count};
    return CLI_OK;
}

static exit_code run(requeue *q)
{
    const kafka_tool_tail_options all = {.from_beginning = true, .exit_at_end = true};
    mandate_error err;
    uint32_t count, sent = 0;
    mandate_status status = kafka_tool_tail(&q->target, &all, collect, q, &err);
    if (status)
        return topic_failed(&err);
    if (q->full) {
        out_problem(
            "the records in the dead-letter topic take too much memory; send them back by --offset with a smaller topic");
        return CLI_REFUSED;
    }
    count = show_selected(q);
    if (q->dry_run || count == 0) {
        printf("%u of %u dead-letter records of %s to send back%s\n", count, q->found, q->name,
               count ? "; nothing was sent" : "");
        return count || q->offsets.count == 0 ? CLI_OK : CLI_REFUSED;
    }
    if (!q->any_order && !is_ordered(q)) {
        out_problem(
            "%s declares neither event_time nor version (or no server answers that it does): what is sent back would "
            "overwrite what came after it; if that is meant, say --in-any-order",
            q->name);
        return CLI_REFUSED;
    }
    status = send_all(q, &sent, &err);
    printf("%u records sent back\n", sent);
    return status ? topic_failed(&err) : CLI_OK;
}

int cmd_connector_requeue(int argc, char **argv)
{
    requeue q = {.last = &q.first};
    arena_init(&q.a, REQUEUE_MEMORY);
    buf_init(&q.corrected);
    buf_init(&q.embedded);
    exit_code code = take_arguments(&q, argc, argv);
    if (code == CLI_OK)
        code = run(&q);
    cluster_deinit(&q.reach);
    config_destroy(&q.settings);
    arena_deinit(&q.a);
    buf_deinit(&q.corrected);
    buf_deinit(&q.embedded);
    return code;
}

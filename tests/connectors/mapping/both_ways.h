/* SPDX-License-Identifier: Apache-2.0 */
/*
 * both_ways - connectors whose records go directly from bytes to changes, and one record mapped so and with a document:
 * whatever is thrown at them, status, outcome, changes, and the words of a failure must be the same. Shared by the unit test
 * and the fuzzer.
 */
#ifndef MANDATE_TESTS_CONNECTORS_MAPPING_BOTH_WAYS_H
#define MANDATE_TESTS_CONNECTORS_MAPPING_BOTH_WAYS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connectors/mapping/mapper_int.h"
#include "engine/limits.h"

#define BOTH_WAYS_DEAL                                                                                                  \
    "{\"type\":\"record\",\"name\":\"Deal\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"account\","   \
    "\"type\":[\"null\",\"long\"]},{\"name\":\"tags\",\"type\":{\"type\":\"array\",\"items\":\"string\"}},{\"name\":"   \
    "\"status\","                                                                                                       \
    "\"type\":[\"string\",\"null\"]},{\"name\":\"amount\",\"type\":\"double\"},{\"name\":\"share\",\"type\":\"int\"},{" \
    "\"name\":"                                                                                                         \
    "\"active\",\"type\":\"boolean\"},{\"name\":\"price\",\"type\":{\"type\":\"bytes\",\"logicalType\":\"decimal\","    \
    "\"precision\":9,"                                                                                                  \
    "\"scale\":2}},{\"name\":\"self\",\"type\":[\"null\",\"Deal\"]},{\"name\":\"kind\",\"type\":{\"type\":\"enum\","    \
    "\"name\":\"Kind\","                                                                                                \
    "\"symbols\":[\"new\",\"old\"]}},{\"name\":\"at\",\"type\":{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}}]}"

typedef struct both_ways {
    schema *s;
    connector *c;
    mapper *m;
    arena memory[2];
    mapper_result result[2];
    mandate_error err[2];
} both_ways;

#define BOTH_WAYS_TYPES                                                                                                \
    "types: {crm.deal: {attributes: {status: {type: string, max_text: 12}, amount: double, share: int, active: bool, " \
    "note: dyn, at: timestamp}, references: {account: {type: crm.account}}}}\n"
#define BOTH_WAYS_ROW(r)                                                                                                   \
    "entities:\n  - type: crm.deal\n    id: " r ".id\n    attributes: {status: " r ".status, amount: " r                   \
    ".amount, share: " r ".share, active: " r ".active, note: 'has(" r ".price) ? string(" r ".price) : \"none\"', at: " r \
    ".at}\n    references: {account: {type: crm.account, id: " r ".account}}\n"

static const struct {
    const char *schema, *connector;
} both_ways_kinds[] = {
    /* @ in a connector stands for the path of the schema */
    {NULL, "connector: c\ntopics: t\ndecode: {format: json}\n" BOTH_WAYS_TYPES BOTH_WAYS_ROW("value")},
    {NULL,
     "connector: c\ntopics: t\ndecode: {format: json}\nwhen: value.kind in ['new', 'old']\n" BOTH_WAYS_TYPES BOTH_WAYS_ROW(
         "value") "    when: value.self.status != 'x'\n    delete: value.status == 'gone'\nevent_time: value.at\n"},
    {NULL, "connector: c\ntopics: t\ndecode: {format: json, envelope: debezium}\nwhen: op in ['c', 'r', 'u', "
           "'d']\n" BOTH_WAYS_TYPES BOTH_WAYS_ROW("after") "    delete: op == 'd'\nevent_time: source.ts_ms\n"},
    {NULL,
     "connector: c\ntopics: t\ndecode: {format: json, envelope: debezium}\nwhen: op != 'd' && ts_ms > 0\nversion: "
     "after.account\n" BOTH_WAYS_TYPES
     "entities: [{type: crm.deal, id: key.id, attributes: {status: 'after.kind + string(source.ts_ms)', note: meta.offset, "
     "share: "
     "after.self.share}}]\nevent_time: ts_ms\n"},
    {BOTH_WAYS_DEAL,
     "connector: c\ntopics: t\ndecode: {format: avro, schema: '@', key_format: none}\n" BOTH_WAYS_TYPES BOTH_WAYS_ROW(
         "value") "event_time: value.at\n"},
    {BOTH_WAYS_DEAL,
     "connector: c\ntopics: t\ndecode: {format: avro, schema: '@', key_format: none}\nwhen: value.kind == "
     "'new'\n" BOTH_WAYS_TYPES
     "entities: [{type: crm.deal, id: value.self.id, attributes: {status: value.self.status, note: value.self.kind}}]\n"},
    {"{\"type\":\"record\",\"name\":\"Envelope\",\"fields\":[{\"name\":\"before\",\"type\":[\"null\"," BOTH_WAYS_DEAL
     "]},{\"name\":\"after\",\"type\":[\"null\",\"Deal\"]},{\"name\":\"source\",\"type\":{\"type\":\"record\",\"name\":"
     "\"S\","
     "\"fields\":[{\"name\":\"db\",\"type\":\"string\"},{\"name\":\"ts_ms\",\"type\":\"long\"}]}},{\"name\":\"op\",\"type\":"
     "\"string\"},{\"name\":\"ts_ms\",\"type\":[\"null\",\"long\"]}]}",
     "connector: c\ntopics: t\ndecode: {format: avro, schema: '@', key_format: none, envelope: debezium}\n"
     "when: op in ['c', 'r', 'u', 'd']\n" BOTH_WAYS_TYPES BOTH_WAYS_ROW(
         "after") "    delete: op == 'd'\nevent_time: source.ts_ms\n"},
};

enum { BOTH_WAYS_KINDS = sizeof(both_ways_kinds) / sizeof(*both_ways_kinds) };

static inline void both_ways_text(buf *out, const char *text, const char *path)
{
    buf_init(out);
    for (; *text; text++)
        *text == '@' ? buf_put_str(out, path) : buf_put_char(out, *text);
}

static inline void both_ways_open(both_ways *b, uint32_t kind)
{
    char path[] = "/tmp/both-ways-XXXXXX";
    const char *avro = both_ways_kinds[kind].schema;
    mandate_error err = {0};
    registry_cache none = {0};
    buf text;
    int fd = mkstemp(path);
    *b = (both_ways){0};
    both_ways_text(&text, both_ways_kinds[kind].connector, path);
    mandate_slice file = buf_slice(&text);
    if (fd < 0 || (avro && write(fd, avro, strlen(avro)) != (ssize_t)strlen(avro)) || close(fd) ||
        schema_create(&b->s, &err) || connector_load(&b->c, b->s, "/c.yaml", &file, none, &err) ||
        schema_freeze(b->s, &err) || connector_bind(b->c, b->s, &err) || mapper_create(&b->m, b->c, &err)) {
        fprintf(stderr, "both ways, %u: %s\n", kind, err.text);
        abort();
    }
    unlink(path);
    buf_deinit(&text);
    for (int i = 0; i < 2; i++)
        arena_init(&b->memory[i], LIMIT_RECORD_MEMORY);
}

static inline void both_ways_close(both_ways *b)
{
    mapper_destroy(b->m);
    connector_destroy(b->c);
    schema_destroy(b->s);
    for (int i = 0; i < 2; i++)
        arena_deinit(&b->memory[i]);
}

static inline bool both_ways_same_change(const change *x, const change *y)
{
    bool same = x->op == y->op && x->type == y->type && mandate_slice_eq(x->id, y->id) && x->set_count == y->set_count &&
                x->event_time_us == y->event_time_us && x->version == y->version;
    buf a, b;
    buf_init(&a);
    buf_init(&b);
    for (uint32_t i = 0; same && i < x->set_count; i++) {
        same = x->sets[i].field == y->sets[i].field && x->sets[i].forget == y->sets[i].forget;
        cel_encode(&a, x->sets[i].value);
        cel_encode(&b, y->sets[i].value);
    }
    same = same && mandate_slice_eq(buf_slice(&a), buf_slice(&b));
    buf_deinit(&a);
    buf_deinit(&b);
    return same;
}

/* Maps a record with a document and directly; NULL when both say the same, else what differs. */
static inline const char *both_ways_differ(both_ways *b, const record *r)
{
    mandate_status status[2];
    for (int i = 0; i < 2; i++) {
        arena_reset(&b->memory[i]);
        b->err[i] = (mandate_error){0};
        b->m->no_paths = i == 0;
        status[i] = mapper_run(&b->result[i], b->m, &b->memory[i], r, &b->err[i]);
    }
    const mapper_result *x = &b->result[0], *y = &b->result[1];
    if (status[0] != status[1])
        return "the status";
    if (status[0])
        return strcmp(b->err[0].text, b->err[1].text) != 0 ? "the words" : NULL;
    if (x->outcome != y->outcome || x->change_count != y->change_count || x->event_time_us != y->event_time_us)
        return "the outcome, how many changes, or the time";
    for (uint32_t i = 0; i < x->change_count; i++)
        if (!both_ways_same_change(&x->changes[i], &y->changes[i]))
            return "a change";
    return NULL;
}

#endif

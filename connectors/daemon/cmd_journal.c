/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_journal - the journal as JSON lines, for people and for programs that check us.
 *
 *   {"seq","index","now","kind":"record","origin":{...},"changes":[{"op","type","id","sets":{field: value},"forget":[field],
 *    "event_time"}]}
 *   {"seq","index","now","kind":"command","command":{"kind","principal","mandate","note","claims"}}
 *   {"seq","index","now","kind":"source","source","state"}
 *   {"seq","now","kind":"tick"}                                  a step without inputs
 *   {"seq","kind":"transition","transition":{...}}               after the inputs of its step
 */
#include "connectors/daemon/command.h"

#include "connectors/daemon/daemon.h"
#include "connectors/json/claims_json.h"
#include "engine/base/text.h"
#include "engine/base/vec.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct found {
    uint64_t seq;
    char *id;
    uint32_t id_len, version;
} found;

typedef struct printer {
    daemon_state *d;
    uint64_t from, to;
    arena memory;
    buf line, scratch;
    VEC(found) transitions; /* sorted by seq, then id and version */
    uint32_t next;
    mandate_error err;
    mandate_status status;
} printer;

static void flush_line(printer *p)
{
    buf_put_char(&p->line, '\n');
    fwrite(p->line.data, 1, p->line.len, stdout);
    buf_reset(&p->line);
}

static void put_time(buf *b, int64_t us)
{
    char text[TIME_TEXT_MAX];

    buf_put_json_string(b, mandate_slice_of(text, time_format_us(text, us)));
}

static void put_str(buf *b, const char *text) { buf_put_json_string(b, mandate_slice_str(text)); }

static void put_event_time(buf *b, int64_t us)
{
    if (us == CHANGE_NO_TIME)
        buf_put_str(b, "null");
    else
        put_time(b, us);
}

/* --- changes --------------------------------------------------------------------------------------------------------- */
static void put_change(printer *p, const change *c)
{
    static const char *const ops[] = {"upsert", "delete", "forget", "forget_type"};
    const schema_type *type = schema_type_at(p->d->schema, c->type);
    buf *b = &p->line;
    bool any = false;

    buf_printf(b, "{\"op\":\"%s\",\"type\":", ops[c->op]);
    put_str(b, type->name);
    buf_put_str(b, ",\"id\":");
    buf_put_json_string(b, c->id);
    buf_put_str(b, ",\"sets\":{");
    for (uint32_t i = 0; i < c->set_count; i++) {
        if (c->sets[i].forget)
            continue;
        if (any)
            buf_put_char(b, ',');
        any = true;
        put_str(b, type->fields[c->sets[i].field].name);
        buf_put_char(b, ':');
        cel_to_json(b, c->sets[i].value);
    }
    buf_put_str(b, "},\"forget\":[");
    any = false;
    for (uint32_t i = 0; i < c->set_count; i++) {
        if (!c->sets[i].forget)
            continue;
        if (any)
            buf_put_char(b, ',');
        any = true;
        put_str(b, type->fields[c->sets[i].field].name);
    }
    buf_put_str(b, "],\"event_time\":");
    put_event_time(b, c->event_time_us);
    buf_put_char(b, '}');
}

static void put_record(printer *p, const engine_input *in)
{
    const schema *s = p->d->schema;
    buf *b = &p->line;

    buf_put_str(b, "\"record\",\"origin\":{\"source\":");
    put_str(b, schema_source_name(s, in->origin.source));
    buf_put_str(b, ",\"topic\":");
    put_str(b, schema_topic_name(s, in->origin.topic));
    buf_printf(b, ",\"partition\":%" PRId32 ",\"offset\":%" PRId64 ",\"event_time\":", in->origin.partition,
               in->origin.offset);
    put_event_time(b, in->origin.event_time_us);
    buf_put_str(b, "},\"changes\":[");
    for (uint32_t i = 0; i < in->change_count; i++) {
        if (i)
            buf_put_char(b, ',');
        put_change(p, &in->changes[i]);
    }
    buf_put_char(b, ']');
}

static void put_command(printer *p, const engine_command *c)
{
    buf *b = &p->line;

    buf_printf(b, "\"command\",\"command\":{\"kind\":\"%s\",\"%s\":", engine_command_names[c->kind],
               engine_command_is_watch(c->kind) ? "watch" : "mandate");
    buf_put_json_string(b, c->kind == COMMAND_ISSUE && c->claims ? c->claims->id : c->mandate);
    buf_put_str(b, ",\"principal\":");
    buf_put_json_string(b, c->principal);
    buf_put_str(b, ",\"note\":");
    buf_put_json_string(b, c->note);
    if (c->kind == COMMAND_WATCH) {
        buf_put_str(b, ",\"condition\":");
        buf_put_json_string(b, c->condition);
    }
    if (c->kind == COMMAND_LOG) {
        buf_put_str(b, ",\"event\":");
        buf_put_json_string(b, c->event);
        buf_put_str(b, ",\"detail\":");
        buf_put_slice(b, c->detail);
    }
    if (c->if_version)
        buf_printf(b, ",\"if_version\":%" PRIu32, c->if_version);
    if (c->key.len) {
        buf_put_str(b, ",\"key\":");
        buf_put_json_string(b, c->key);
    }
    if (c->kind == COMMAND_SPEND) {
        buf_put_str(b, ",\"budget\":");
        buf_put_json_string(b, c->budget);
        buf_put_str(b, ",\"amount\":");
        amount_put_json(b, c->amount);
    }
    if (c->until_us) {
        buf_put_str(b, ",\"until\":");
        put_time(b, c->until_us);
    }
    if (c->claims) {
        buf_put_str(b, ",\"claims\":");
        claims_to_json(b, c->claims);
    }
    buf_put_char(b, '}');
}

static void put_input(printer *p, const engine_batch *batch, uint32_t i)
{
    static const char *const states[] = {"live", "silent", "doubtful"};
    const engine_input *in = &batch->inputs[i];
    buf *b = &p->line;

    buf_printf(b, "{\"seq\":%" PRIu64 ",\"index\":%" PRIu32 ",\"now\":", batch->seq, i);
    put_time(b, batch->now_us);
    buf_put_str(b, ",\"kind\":");
    switch (in->kind) {
    case INPUT_RECORD:
    case INPUT_ASSERTED:
        put_record(p, in);
        break;
    case INPUT_COMMAND:
        put_command(p, &in->command);
        break;
    case INPUT_SOURCE:
        buf_put_str(b, "\"source\",\"source\":");
        put_str(b, schema_source_name(p->d->schema, in->source));
        buf_printf(b, ",\"state\":\"%s\"", states[in->source_state]);
        break;
    case INPUT_RUN: /* the journal gives its records */
        break;
    }
    buf_put_char(b, '}');
    flush_line(p);
}

/* --- transitions ----------------------------------------------------------------------------------------------------- */
static int found_order(const void *x, const void *y)
{
    const found *a = x, *b = y;
    int c = (a->seq > b->seq) - (a->seq < b->seq);

    if (c == 0)
        c = mandate_slice_cmp(mandate_slice_of(a->id, a->id_len), mandate_slice_of(b->id, b->id_len));
    return c ? c : (a->version > b->version) - (a->version < b->version);
}

static mandate_status find_one(printer *p, mandate_slice encoded)
{
    transition t;
    transition_names names;
    found f = {0};

    arena_reset(&p->memory);
    mandate_status status = transition_decode(&t, &names, &p->memory, encoded, &p->err);
    if (status != MANDATE_OK || t.seq < p->from || t.seq > p->to)
        return status;
    f = (found){.seq = t.seq, .id = malloc(t.mandate.len + 1), .id_len = (uint32_t)t.mandate.len, .version = t.version};
    if (!f.id || !VEC_PUSH(&p->transitions, f)) {
        free(f.id);
        return mandate_error_set(&p->err, MANDATE_NOMEM, "out of memory for transitions");
    }
    memcpy(f.id, t.mandate.ptr, t.mandate.len);
    return MANDATE_OK;
}

static mandate_status find_transitions(printer *p)
{
    kv_iter *it = NULL;
    mandate_status status = kv_iter_open(&it, p->d->backend, KV_TRANSITIONS, &p->err);

    if (status != MANDATE_OK)
        return status;
    for (kv_iter_seek(it, (mandate_slice){0}); status == MANDATE_OK && kv_iter_valid(it); kv_iter_next(it))
        status = find_one(p, kv_iter_value(it));
    if (status == MANDATE_OK)
        status = kv_iter_status(it, &p->err);
    kv_iter_close(it);
    if (p->transitions.len)
        qsort(p->transitions.data, p->transitions.len, sizeof(found), found_order);
    return status;
}

static mandate_status put_transition(printer *p, const found *f)
{
    transition t;
    transition_names names;
    mandate_status status =
        store_transition_get(p->d->store, mandate_slice_of(f->id, f->id_len), f->version, &p->scratch, &p->err);

    arena_reset(&p->memory);
    if (status == MANDATE_OK)
        status = transition_decode(&t, &names, &p->memory, buf_slice(&p->scratch), &p->err);
    buf_printf(&p->line, "{\"seq\":%" PRIu64 ",\"kind\":\"transition\",\"transition\":", f->seq);
    if (status == MANDATE_OK)
        status = revocation_json(&p->line, &t, &names, &p->err);
    buf_put_char(&p->line, '}');
    if (status == MANDATE_OK)
        flush_line(p);
    return status;
}

/* --- the walk --------------------------------------------------------------------------------------------------------- */
static bool put_step(void *ctx, uint64_t seq, mandate_slice bytes)
{
    printer *p = ctx;
    engine_batch batch;

    arena_reset(&p->memory);
    p->status = engine_decode_batch(&batch, &p->memory, bytes, p->d->schema, &p->err);
    if (p->status != MANDATE_OK)
        return false;
    for (uint32_t i = 0; i < batch.count; i++)
        put_input(p, &batch, i);
    if (batch.count == 0) {
        buf_printf(&p->line, "{\"seq\":%" PRIu64 ",\"now\":", seq);
        put_time(&p->line, batch.now_us);
        buf_put_str(&p->line, ",\"kind\":\"tick\"}");
        flush_line(p);
    }
    while (p->status == MANDATE_OK && p->next < p->transitions.len && p->transitions.data[p->next].seq <= seq)
        p->status = put_transition(p, &p->transitions.data[p->next++]);
    return p->status == MANDATE_OK;
}

static mandate_status print_journal(printer *p)
{
    mandate_status status = find_transitions(p);

    if (status == MANDATE_OK)
        status = store_journal_each(p->d->store, p->from, p->to, put_step, p, &p->err);
    return status == MANDATE_OK ? p->status : status;
}

static bool number(const char *text, uint64_t *out)
{
    char *end;

    *out = strtoull(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0';
}

int cmd_journal(int argc, char **argv)
{
    const char *path = NULL;
    printer p = {.from = 1, .to = UINT64_MAX};
    int code = DAEMON_EXIT_OK;

    for (int i = 0; i < argc; i += 2) {
        bool good = i + 1 < argc;
        if (good && !strcmp(argv[i], "--config"))
            path = argv[i + 1];
        else if (good && !strcmp(argv[i], "--from"))
            good = number(argv[i + 1], &p.from);
        else if (good && !strcmp(argv[i], "--to"))
            good = number(argv[i + 1], &p.to);
        else
            good = false;
        if (!good)
            return command_usage("journal takes --config FILE, --from N and --to N");
    }
    if (!path)
        return command_usage("journal needs --config FILE");
    p.d = calloc(1, sizeof(*p.d));
    if (!p.d)
        return command_usage("out of memory");
    arena_init(&p.memory, 0);
    buf_init(&p.line);
    buf_init(&p.scratch);
    p.d->offline = true;
    if (daemon_load(p.d, path, &p.err) != MANDATE_OK || daemon_open(p.d, &p.err) != MANDATE_OK ||
        print_journal(&p) != MANDATE_OK)
        code = command_fail(&p.err);
    for (uint32_t i = 0; i < p.transitions.len; i++)
        free(p.transitions.data[i].id);
    VEC_FREE(&p.transitions);
    buf_deinit(&p.line);
    buf_deinit(&p.scratch);
    arena_deinit(&p.memory);
    daemon_close(p.d);
    free(p.d);
    return code;
}

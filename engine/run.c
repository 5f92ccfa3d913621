/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run - see run.h.
 *
 *   flags    1 stream   2 offset   4 time   8, 16 how many changes: 0, 1, 2, or 3: a count follows
 *   stream   0: the next one, then source, topic, partition; n: number n - 1
 *   shape    (what << 2 | 2 a version | 1 its own time); what: 0 the next shape, 1 a shape for this once, n: number n - 2
 *            a shape is operation, type, count, (field << 1 | forget) each
 *   value    kind | small << 5: small is 0, and the value follows as cel_encode has it without its kind; or of a bool the value and
 *            one, of an integer its zigzag and one, of a text its length and one
 */
#include "engine/run.h"

#include "engine/base/text.h"
#include "engine/limits.h"

#include <assert.h>

enum { FLAG_STREAM = 1, FLAG_OFFSET = 2, FLAG_TIME = 4, COUNT_SHIFT = 3, COUNT_MORE = 3, FLAGS_END = 32 };
enum { CHANGE_TIME = 1, CHANGE_VERSION = 2, SHAPE_SHIFT = 2, SHAPE_NEXT = 0, SHAPE_ONCE = 1, SHAPE_KNOWN = 2 };
enum { KIND_BITS = 5, KIND_MASK = (1 << KIND_BITS) - 1, SMALL_MAX = 7 };
_Static_assert(CEL_KIND_COUNT <= KIND_MASK + 1, "a kind leaves room for a small value");

static int64_t difference(int64_t a, int64_t b) { return (int64_t)((uint64_t)a - (uint64_t)b); }
static int64_t sum(int64_t a, int64_t b) { return (int64_t)((uint64_t)a + (uint64_t)b); }

/* All but what is said before it is read: that costs nothing to forget. */
static void forget(run_memory *m) { m->stream_count = m->stream = m->shape_count = m->shape = 0, m->time_us = 0; }

/* --- writing ------------------------------------------------------------------------------------------------------------ */
void run_writer_init(run_writer *w)
{
    forget(&w->seen);
    buf_init(&w->bytes);
}

void run_writer_deinit(run_writer *w) { buf_deinit(&w->bytes); }

void run_begin(run_writer *w) { forget(&w->seen); }

static uint32_t known(uint32_t ever, uint32_t max) { return ever < max ? ever : max; }

static bool is_stream(const run_stream *s, const change_origin *o)
{
    return s->topic == o->topic && s->partition == o->partition && s->source == o->source;
}

/* The stream of an origin; what it was called, or is now, is in `bytes` when it is another than the present one. */
static run_stream *put_stream(buf *b, run_memory *m, const schema *s, const change_origin *o)
{
    uint32_t count = known(m->stream_count, RUN_STREAMS), at = 0;
    while (at < count && !is_stream(&m->streams[at], o))
        at++;
    wire_put_u64(b, at < count ? at + 1 : 0);
    if (at == count) {
        at = m->stream_count++ % RUN_STREAMS;
        m->streams[at] = (run_stream){o->source, o->topic, o->partition, -1};
        wire_put_u64(b, schema_source_id(s, o->source));
        wire_put_u64(b, schema_topic_id(s, o->topic));
        wire_put_i64(b, o->partition);
    }
    m->stream = at;
    return &m->streams[at];
}

static bool is_shape(const run_memory *m, uint32_t at, const change *ch)
{
    const run_shape *s = &m->shapes[at];
    if (s->type != ch->type || s->op != ch->op || s->count != ch->set_count)
        return false;
    for (uint32_t i = 0; i < s->count; i++)
        if (m->sets[at][i].field != ch->sets[i].field || m->sets[at][i].forget != ch->sets[i].forget)
            return false;
    return true;
}

static uint32_t find_shape(run_memory *m, const change *ch)
{
    uint32_t count = known(m->shape_count, RUN_SHAPES);
    if (count && is_shape(m, m->shape, ch))
        return m->shape;
    for (uint32_t i = 0; i < count; i++)
        if (is_shape(m, i, ch))
            return m->shape = i;
    return UINT32_MAX;
}

static void put_shape(buf *b, run_memory *m, const schema *s, const change *ch, bool remember)
{
    const schema_type *t = schema_type_at(s, ch->type);
    if (remember) {
        m->shape = m->shape_count++ % RUN_SHAPES;
        m->shapes[m->shape] = (run_shape){(uint8_t)ch->op, ch->type, ch->set_count};
    }
    wire_put_u8(b, (uint8_t)ch->op);
    wire_put_u64(b, t->stable_id);
    wire_put_u64(b, ch->set_count);
    for (uint32_t i = 0; i < ch->set_count; i++) {
        const change_set *set = &ch->sets[i];
        wire_put_u64(b, (uint64_t)t->fields[set->field].stable_id << 1 | set->forget);
        if (remember)
            m->sets[m->shape][i] = (run_set){set->field, set->forget};
    }
}

static void put_small(buf *b, cel_kind kind, uint32_t small) { wire_put_u8(b, (uint8_t)(kind | small << KIND_BITS)); }

static void put_value(buf *b, cel_value v)
{
    uint64_t zigzag = (uint64_t)v.i << 1 ^ (v.i < 0 ? UINT64_MAX : 0);
    if (v.kind == CEL_BOOL) {
        put_small(b, CEL_BOOL, v.b + 1U);
    } else if (v.kind == CEL_INT && zigzag < SMALL_MAX) {
        put_small(b, CEL_INT, (uint32_t)zigzag + 1);
    } else if (v.kind == CEL_STRING && v.len < SMALL_MAX) {
        put_small(b, CEL_STRING, v.len + 1);
        buf_put(b, v.s, v.len);
    } else {
        cel_encode(b, v);
    }
}

static void put_change(buf *b, run_memory *m, const schema *s, const change *ch, int64_t time_us)
{
    uint32_t shape = find_shape(m, ch);
    bool remember = shape == UINT32_MAX && ch->set_count <= RUN_SHAPE_SETS;
    uint64_t what = shape != UINT32_MAX ? shape + SHAPE_KNOWN : remember ? SHAPE_NEXT : SHAPE_ONCE;
    unsigned flags = (ch->event_time_us != time_us ? CHANGE_TIME : 0) | (ch->version ? CHANGE_VERSION : 0);
    wire_put_u64(b, what << SHAPE_SHIFT | flags);
    if (shape == UINT32_MAX)
        put_shape(b, m, s, ch, remember);
    if (flags & CHANGE_TIME)
        wire_put_i64(b, difference(ch->event_time_us, time_us));
    if (flags & CHANGE_VERSION)
        wire_put_u64(b, ch->version);
    wire_put_bytes(b, ch->id);
    for (uint32_t i = 0; i < ch->set_count; i++)
        if (!ch->sets[i].forget)
            put_value(b, ch->sets[i].value);
}

mandate_status run_put(run_writer *w, const schema *s, const change_origin *o, const change *changes, uint32_t count,
                       mandate_error *err)
{
    run_memory *m = &w->seen;
    buf *b = &w->bytes;
    size_t before = b->len;
    bool same = m->stream_count && is_stream(&m->streams[m->stream], o);
    uint8_t flags = (uint8_t)((same ? 0 : FLAG_STREAM) | (o->event_time_us != m->time_us ? FLAG_TIME : 0) |
                              (count < COUNT_MORE ? count : COUNT_MORE) << COUNT_SHIFT);
    wire_put_u8(b, flags);
    run_stream *stream = same ? &m->streams[m->stream] : put_stream(b, m, s, o);
    if (o->offset != sum(stream->offset, 1)) {
        wire_put_i64(b, difference(o->offset, stream->offset));
        if (!b->failed)
            b->data[before] |= FLAG_OFFSET;
    }
    stream->offset = o->offset;
    if (flags & FLAG_TIME)
        wire_put_i64(b, difference(o->event_time_us, m->time_us));
    m->time_us = o->event_time_us;
    if (count >= COUNT_MORE)
        wire_put_u64(b, count);
    for (uint32_t i = 0; i < count && b->len - before <= LIMIT_RECORD_MEMORY; i++)
        put_change(b, m, s, &changes[i], o->event_time_us);
    if (!b->failed && b->len - before <= LIMIT_RECORD_MEMORY)
        return MANDATE_OK;
    bool nomem = b->failed;
    b->len = before;
    b->failed = false;
    return nomem
               ? mandate_error_set(err, MANDATE_NOMEM, "out of memory for the changes of a record")
               : mandate_error_set(err, MANDATE_LIMIT, "the record's changes take more than %d bytes", LIMIT_RECORD_MEMORY);
}

/* --- reading ------------------------------------------------------------------------------------------------------------ */
void run_reader_open(run_reader *r, mandate_slice bytes, const schema *s, bool trusted)
{
    forget(&r->seen);
    r->bytes = wire_reader_of(bytes);
    r->schema = s;
    r->trusted = trusted;
}

static run_stream *get_stream(run_reader *r)
{
    run_memory *m = &r->seen;
    uint64_t at = wire_get_u64(&r->bytes);
    if (at == 0) {
        at = m->stream_count++ % RUN_STREAMS;
        run_stream *s = &m->streams[at];
        s->source = schema_source_by_id(r->schema, (uint32_t)wire_get_u64(&r->bytes));
        s->topic = schema_topic_by_id(r->schema, (uint32_t)wire_get_u64(&r->bytes));
        s->partition = (int32_t)wire_get_i64(&r->bytes);
        s->offset = -1;
    } else if (--at >= known(m->stream_count, RUN_STREAMS)) {
        r->bytes.failed = true;
        return NULL;
    }
    m->stream = (uint32_t)at;
    return &m->streams[at];
}

static run_set get_set(run_reader *r, const schema_type *t)
{
    uint64_t v = wire_get_u64(&r->bytes);
    uint16_t field = t ? schema_field_by_id(t, (uint32_t)(v >> 1)) : SCHEMA_NONE;
    if (field != SCHEMA_NONE && t->fields[field].kind == SCHEMA_INVERSE)
        field = SCHEMA_NONE;
    return (run_set){field, v & 1};
}

/* A shape, and its fields: remembered, or in `a`. NULL: it cannot be read. */
static const run_set *get_shape(run_reader *r, arena *a, bool remember, run_shape *out)
{
    run_memory *m = &r->seen;
    out->op = wire_get_u8(&r->bytes);
    out->type = schema_type_by_id(r->schema, (uint32_t)wire_get_u64(&r->bytes));
    out->count = (uint32_t)wire_get_count(&r->bytes, 1);
    if (r->bytes.failed || out->op > CHANGE_FORGET_TYPE || (remember && out->count > RUN_SHAPE_SETS))
        return r->bytes.failed = true, NULL;
    const schema_type *t = out->type == SCHEMA_NONE ? NULL : schema_type_at(r->schema, out->type);
    run_set *sets;
    if (remember) {
        m->shape = m->shape_count++ % RUN_SHAPES;
        m->shapes[m->shape] = *out;
        sets = m->sets[m->shape];
    } else if (!(sets = ARENA_ARRAY(a, run_set, out->count + 1))) {
        return r->bytes.failed = true, NULL;
    }
    for (uint32_t i = 0; i < out->count; i++)
        sets[i] = get_set(r, t);
    return sets;
}

static cel_value fail(run_reader *r)
{
    r->bytes.failed = true;
    return cel_null();
}

static cel_value get_text(run_reader *r, size_t len)
{
    mandate_slice s = mandate_slice_of((const char *)r->bytes.at, len);
    if (r->bytes.failed || len > (size_t)(r->bytes.end - r->bytes.at) || len > UINT32_MAX)
        return fail(r);
    r->bytes.at += len;
    return r->trusted || utf8_valid(s) ? cel_string(s) : fail(r);
}

static inline cel_value get_value(run_reader *r, arena *a)
{
    if (r->bytes.at == r->bytes.end)
        return fail(r);
    unsigned kind = *r->bytes.at & KIND_MASK, small = *r->bytes.at >> KIND_BITS;
    if (!small && kind != CEL_STRING)
        return cel_decode(&r->bytes, a);
    r->bytes.at++;
    if (kind == CEL_BOOL && small <= 2)
        return cel_bool(small - 1);
    if (kind == CEL_INT)
        return cel_int((int64_t)((small - 1) >> 1) ^ -(int64_t)((small - 1) & 1));
    if (kind == CEL_STRING)
        return get_text(r, small ? small - 1 : wire_get_u64(&r->bytes));
    return fail(r);
}

/* False: it is left out, its type is gone, or it cannot be read. */
static bool get_change(run_reader *r, arena *a, change *ch, int64_t time_us)
{
    run_memory *m = &r->seen;
    run_shape shape;
    const run_set *sets;
    uint64_t head = wire_get_u64(&r->bytes), what = head >> SHAPE_SHIFT;
    if (what >= SHAPE_KNOWN) {
        what -= SHAPE_KNOWN;
        if (what >= known(m->shape_count, RUN_SHAPES))
            return r->bytes.failed = true, false;
        shape = m->shapes[what];
        sets = m->sets[what];
    } else if (!(sets = get_shape(r, a, what == SHAPE_NEXT, &shape))) {
        return false;
    }
    ch->op = (change_op)shape.op;
    ch->type = shape.type;
    ch->event_time_us = head & CHANGE_TIME ? sum(time_us, wire_get_i64(&r->bytes)) : time_us;
    ch->version = head & CHANGE_VERSION ? wire_get_u64(&r->bytes) : 0;
    ch->id = wire_get_bytes(&r->bytes);
    change_set *out = arena_alloc(a, (shape.count + 1) * sizeof(*out)), *at = out;
    if (!out)
        return r->bytes.failed = true, false;
    for (uint32_t i = 0; i < shape.count && !r->bytes.failed; i++) {
        at->value = sets[i].forget ? cel_null() : get_value(r, a);
        at->field = sets[i].field;
        at->forget = sets[i].forget;
        at += sets[i].field != SCHEMA_NONE;
    }
    ch->sets = out;
    ch->set_count = (uint32_t)(at - out);
    return shape.type != SCHEMA_NONE;
}

bool run_next(run_reader *r, arena *a, engine_input *out)
{
    run_memory *m = &r->seen;
    wire_reader *b = &r->bytes;
    uint8_t flags = wire_get_u8(b);
    if (flags >= FLAGS_END || (!(flags & FLAG_STREAM) && !m->stream_count))
        b->failed = true;
    run_stream *stream = b->failed || !(flags & FLAG_STREAM) ? &m->streams[m->stream] : get_stream(r);
    if (b->failed)
        return false;
    stream->offset = sum(stream->offset, flags & FLAG_OFFSET ? wire_get_i64(b) : 1);
    if (flags & FLAG_TIME)
        m->time_us = sum(m->time_us, wire_get_i64(b));
    uint64_t count = flags >> COUNT_SHIFT;
    if (count == COUNT_MORE)
        count = wire_get_count(b, 2);
    change *changes = arena_alloc(a, (count + 1) * sizeof(*changes));
    b->failed |= !changes;
    out->kind = INPUT_RECORD;
    out->origin = (change_origin){.source = stream->source,
                                  .topic = stream->topic,
                                  .partition = stream->partition,
                                  .offset = stream->offset,
                                  .event_time_us = m->time_us};
    out->changes = changes;
    out->change_count = 0;
    for (uint64_t i = 0; i < count && !b->failed; i++)
        out->change_count += get_change(r, a, &changes[out->change_count], m->time_us);
    return !b->failed;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of engine/context: whatever came in whatever order, a cell holds what the last change that counted said, and its origin is that
 * change. An entity keeps the origin of most of its cells in itself and the others' elsewhere; a model that keeps one for each cell
 * knows nothing of that.
 */
#include "tests/engine/rig.h"

enum { FIELDS_MAX = 16, CHANGES = 20000, SETS = 6, UNKNOWN = -2, GONE = -1 };

typedef struct model {
    uint16_t fields;
    bool plain[FIELDS_MAX]; /* not an inverse list */
    bool said[FIELDS_MAX];
    int64_t value[FIELDS_MAX]; /* a number, UNKNOWN, GONE */
    change_origin origin[FIELDS_MAX];
    bool absent, down[2];
} model;

static uint64_t next(uint64_t *rng, uint64_t n)
{
    *rng = *rng * 6364136223846793005u + 1442695040888963407u;
    return (*rng >> 33) % n;
}

/* --- the model ---------------------------------------------------------------------------------------------------- */
static bool newer(const model *m, uint16_t f, const change_origin *o)
{
    const change_origin *held = &m->origin[f];
    if (!m->said[f] || held->source != o->source)
        return false;
    if (held->version && o->version)
        return held->version > o->version;
    return held->event_time_us != CHANGE_NO_TIME && o->event_time_us != CHANGE_NO_TIME &&
           held->event_time_us > o->event_time_us;
}

static void set(model *m, uint16_t f, int64_t value, const change_origin *o)
{
    m->said[f] = true;
    m->value[f] = value;
    m->origin[f] = *o;
}

static bool any_newer(const model *m, const change_origin *o)
{
    for (uint16_t f = 0; f < m->fields; f++)
        if (newer(m, f, o))
            return true;
    return false;
}

static void set_all(model *m, int64_t value, const change_origin *o)
{
    for (uint16_t f = 0; f < m->fields; f++)
        if (m->plain[f])
            set(m, f, value, o);
}

static void model_apply(model *m, const change *ch, const change_origin *o)
{
    if ((ch->op != CHANGE_UPSERT || m->absent) && any_newer(m, o))
        return;
    if (ch->op != CHANGE_UPSERT || m->absent)
        set_all(m, ch->op == CHANGE_DELETE ? GONE : UNKNOWN, o);
    m->absent = ch->op == CHANGE_DELETE;
    for (uint32_t i = 0; ch->op == CHANGE_UPSERT && i < ch->set_count; i++)
        if (!newer(m, ch->sets[i].field, o))
            set(m, ch->sets[i].field, ch->sets[i].forget ? UNKNOWN : ch->sets[i].value.i, o);
}

/* --- both --------------------------------------------------------------------------------------------------------- */
static void check(rig *g, const model *m, const context_entity *e)
{
    for (uint16_t f = 0; f < m->fields; f++) {
        change_origin o;
        if (!m->plain[f])
            continue;
        assert_int_equal(context_origin(g->graph, e, f, &o), m->said[f]);
        cel_value v = context_read(g->graph, e, f);
        if (!m->said[f] || m->value[f] == UNKNOWN || m->down[m->origin[f].source])
            assert_int_equal(v.kind, CEL_UNKNOWN);
        else if (m->value[f] == GONE)
            assert_int_equal(v.kind, CEL_NULL);
        else
            assert_int_equal(v.i, m->value[f]);
        if (!m->said[f])
            continue;
        assert_int_equal(o.offset, m->origin[f].offset);
        assert_int_equal(o.source, m->origin[f].source);
        assert_int_equal(o.event_time_us, m->origin[f].event_time_us);
        assert_int_equal(o.version, m->origin[f].version);
        assert_int_equal(o.seq, m->origin[f].seq);
    }
}

/* Rows as a whole more often than parts of them, and now and then one that names a field twice. */
static void random_change(change *ch, change_set *sets, const model *m, uint64_t *rng)
{
    const uint64_t whole = next(rng, 3);
    *ch = (change){.op = CHANGE_UPSERT,
                   .type = CONVERSATION,
                   .id = S("R-1"),
                   .sets = sets,
                   .event_time_us = next(rng, 3) ? (int64_t)next(rng, 40) : CHANGE_NO_TIME,
                   .version = next(rng, 4) ? 0 : 1 + next(rng, 40)};
    if (next(rng, 12) == 0)
        ch->op = next(rng, 2) ? CHANGE_DELETE : CHANGE_FORGET;
    for (uint16_t f = 0; ch->op == CHANGE_UPSERT && f < m->fields && ch->set_count < SETS; f++)
        if (m->plain[f] && f < 5 && (whole || next(rng, 2)))
            sets[ch->set_count++] =
                (change_set){.field = f, .value = cel_int((int64_t)next(rng, 5)), .forget = next(rng, 40) == 0};
    if (ch->set_count > 1 && next(rng, 10) == 0)
        sets[ch->set_count - 1].field = sets[0].field;
}

/* What an observer of every cell was told of one change: the first value before, the last one after. */
typedef struct told {
    bool any[FIELDS_MAX];
    cel_value before[FIELDS_MAX], after[FIELDS_MAX];
} told;

static void listen(void *ctx, context_entity *entity, uint16_t field, cel_value old, cel_value now)
{
    told *t = ctx;
    (void)entity;
    if (!t->any[field])
        t->before[field] = old;
    t->any[field] = true;
    t->after[field] = now;
}

static void read_all(rig *g, const model *m, const context_entity *e, cel_value out[FIELDS_MAX])
{
    for (uint16_t f = 0; f < m->fields; f++)
        out[f] = context_read(g->graph, e, f);
}

static bool same(cel_value x, cel_value y) { return x.kind == y.kind && (x.kind != CEL_INT || x.i == y.i); }

static void check_told(const model *m, const told *t, const cel_value *before, const cel_value *after)
{
    for (uint16_t f = 0; f < m->fields; f++) {
        if (!m->plain[f])
            continue;
        assert_true(t->any[f] ? same(t->before[f], before[f]) && same(t->after[f], after[f]) : same(before[f], after[f]));
    }
}

typedef struct handed {
    buf bytes;
    uint32_t count;
} handed;

static void hand(void *ctx, mandate_slice key, mandate_slice value)
{
    handed *h = ctx;
    (void)key;
    h->count++;
    buf_put_slice(&h->bytes, value);
}

/* What a cut takes out is the entity as it was, with the origins that it had. */
static void begin_cut(rig *g, const context_entity *e, handed *h, buf *as_it_was)
{
    buf key;
    buf_init(&key);
    if (h->count)
        assert_true(mandate_slice_eq(buf_slice(&h->bytes), buf_slice(as_it_was)));
    buf_reset(&h->bytes);
    h->count = 0;
    context_encode(g->graph, e, &key, as_it_was);
    if (context_unsaved(g->graph))
        (void)context_cut_begin(g->graph, hand, h);
    buf_deinit(&key);
}

static void test_origins__each_cell_has_the_origin_of_what_it_holds(void **state)
{
    rig *g = *state;
    model m = {.fields = schema_type_at(g->schema, CONVERSATION)->field_count}, then = m;
    uint32_t moment = 0; /* somebody asks for what was then */
    change_set sets[SETS];
    handed h = {0};
    told heard;
    cel_value before[FIELDS_MAX], after[FIELDS_MAX];
    buf as_it_was;
    uint64_t rng = 20261130;
    buf_init(&as_it_was);
    assert_true(m.fields <= FIELDS_MAX);
    for (uint16_t f = 0; f < m.fields; f++)
        m.plain[f] = schema_type_at(g->schema, CONVERSATION)->fields[f].kind != SCHEMA_INVERSE;
    context_entity *e = context_entity_get(g->graph, CONVERSATION, S("R-1"));
    for (uint16_t f = 0; f < m.fields; f++)
        e->cells[f].slot = 0;
    context_set_observer(g->graph, listen, &heard);
    context_set_watched(g->graph, NULL);
    for (uint32_t i = 0; i < CHANGES; i++) {
        change ch;
        change_origin o = rig_origin(g), given;
        random_change(&ch, sets, &m, &rng);
        o.source = next(&rng, 4) ? CRM : BILLING;
        o.seq = i;
        given = o;
        o.event_time_us = ch.event_time_us;
        o.version = ch.version;
        if (next(&rng, 50) == 0) {
            const uint16_t source = (uint16_t)next(&rng, 2);
            m.down[source] = !m.down[source];
            context_source(g->graph, source, !m.down[source]);
        }
        if (next(&rng, 30) == 0) {
            context_past_forget(g->graph, 0);
            moment = next(&rng, 2) ? context_past_mark(g->graph) : 0;
            then = m;
        }
        if (next(&rng, 20) == 0 && context_cut_next(g->graph, 1) == 0)
            begin_cut(g, e, &h, &as_it_was);
        read_all(g, &m, e, before);
        memset(&heard, 0, sizeof(heard));
        model_apply(&m, &ch, &o);
        assert_int_not_equal(context_apply_near(g->graph, &ch, &given, next(&rng, 2) ? e : NULL), CONTEXT_NOMEM);
        read_all(g, &m, e, after);
        check(g, &m, e);
        check_told(&m, &heard, before, after);
        context_as_of(g->graph, moment);
        check(g, moment ? &then : &m, e);
        context_as_of(g->graph, 0);
    }
    (void)context_cut_next(g->graph, 1);
    context_past_forget(g->graph, 0);
    buf_deinit(&h.bytes);
    buf_deinit(&as_it_was);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_origins__each_cell_has_the_origin_of_what_it_holds, rig_index, rig_deinit)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The incremental engine against the naive model: random worlds, conditions, mandates, changes, ticks and commands. After every
 * batch every state, version and truth value must agree; at the end the journal, replayed from zero and from a restored
 * mid-point, must give the same state hash and byte-identical transitions. Some worlds restore an engine after every
 * batch, some go on with the restored one.
 *
 *   test_differential [steps [seed]]     default 200000 inputs; prints the seed of a run that fails
 *
 * Built a second time with a step's limit of a few transitions: cascades then come in slices, between which the effective
 * states must agree, and after which everything must.
 */
#include "engine/engine_int.h"
#include "tests/engine/records.h"
#include "tests/engine/runs.h"
#include "tests/engine/world.h"

#include <stdlib.h>

enum { BATCH_MAX = 6, RECORD_MAX = 3 };
#ifdef MANDATE_TEST_BATCH_TRANSITIONS
enum { SLICES = 1 };
#else
enum { SLICES = 0 };
#endif

/* How a world treats restarts. */
typedef enum { RESTORE_SOMETIMES, RESTORE_ALWAYS, RESTORE_AND_GO_ON, RESTORE_MODES } restore_mode;

typedef struct {
    uint64_t seed, rng;
    model m;
    schema *schema;
    engine *e;
    engine *resumed; /* restored at a mid-point, fed the same batches */
    uint64_t seq, inputs;
    kept_records records;
    buf journal, transitions, resumed_transitions; /* length-prefixed values */
    buf flip_bytes, resumed_flips;
    size_t transitions_at_resume, flips_at_resume;
    int64_t offset;
    restore_mode mode;
    bool more;             /* slices are left */
    VEC(watch_flip) flips; /* since both sides were last compared; the ids are not kept */
    uint64_t flips_seen;
} world;

#define FAIL(w, ...)                                                                                            \
    do {                                                                                                        \
        fprintf(stderr, "seed %llu, step %llu: ", (unsigned long long)(w)->seed, (unsigned long long)(w)->seq); \
        fprintf(stderr, __VA_ARGS__);                                                                           \
        fprintf(stderr, "\n");                                                                                  \
        exit(1);                                                                                                \
    } while (0)

/* Each once, in no particular order: a parent may sort after its child. */
static void id_of(char out[16], int i)
{
    _Static_assert(MODEL_MANDATES < 401, "401 is a prime");
    snprintf(out, 16, "m%05d", i * 61 % 401);
}

/* --- one batch on both sides ------------------------------------------------------------------------------- */
static void random_mandate(world *w, m_mandate *x)
{
    *x = (m_mandate){.parent = -1, .expires = w->m.now + 1 + (int64_t)model_rand(&w->rng, 400), .grace_at = -1};
    for (int c = 0; c < 3; c++)
        if (model_rand(&w->rng, c == 0 ? 4 : 2) == 0 || (c == 0 && model_rand(&w->rng, 2)))
            model_random(&x->clause[c], &w->rng, w->m.now, 3);
    if (w->m.count && model_rand(&w->rng, 3) == 0) /* what others have: shared, and mostly true */
        memcpy(x->clause, w->m.mandate[model_rand(&w->rng, (uint64_t)w->m.count)].clause, sizeof(x->clause));
    x->suspend_on_unknown = model_rand(&w->rng, 2);
    x->grace = (int64_t)model_rand(&w->rng, 6);
    if (w->m.count && model_rand(&w->rng, 3) < (SLICES ? 2 : 1)) {
        x->parent = (int)model_rand(&w->rng, (uint64_t)w->m.count);
        if (x->expires > w->m.mandate[x->parent].expires)
            x->expires = w->m.mandate[x->parent].expires;
    }
}

typedef struct {
    engine_input inputs[BATCH_MAX];
    bool accepted[BATCH_MAX]; /* what the model said, for commands */
    uint32_t count;
} pair;

static void add_issue(world *w, arena *a, pair *p)
{
    m_mandate x;
    char id[16], parent[16];
    random_mandate(w, &x);
    id_of(id, w->m.count);
    memcpy(x.id, id, sizeof(x.id));
    if (x.parent >= 0)
        id_of(parent, x.parent);
    p->inputs[p->count] = world_issue(a, &x, id, x.parent >= 0 ? parent : NULL);
    p->accepted[p->count++] = model_issue(&w->m, &x);
}

/* Issued before: the same again is answered as then, anything else is refused. */
static void add_reissue(world *w, arena *a, pair *p)
{
    int i = (int)model_rand(&w->rng, (uint64_t)w->m.count);
    m_mandate x = w->m.mandate[i];
    char id[16], parent[16];
    bool same = model_rand(&w->rng, 2);
    id_of(id, i);
    if (x.parent >= 0)
        id_of(parent, x.parent);
    x.expires += !same;
    p->inputs[p->count] = world_issue(a, &x, id, x.parent >= 0 ? parent : NULL);
    p->accepted[p->count++] = same;
}

static void add_record(world *w, arena *a, pair *p)
{
    m_change ch[RECORD_MAX];
    int count = model_rand(&w->rng, 3) ? 1 : 1 + (int)model_rand(&w->rng, RECORD_MAX);
    for (int i = 0; i < count; i++) {
        world_random_change(&ch[i], &w->rng, w->m.now);
        ch[i].source = ch[0].source;
        model_change(&w->m, &ch[i]);
    }
    p->inputs[p->count++] = world_record(a, ch, count, w->offset++);
}

static void add_command(world *w, arena *a, pair *p)
{
    int i = (int)model_rand(&w->rng, (uint64_t)w->m.count);
    uint64_t kind = model_rand(&w->rng, 8);
    char id[16];
    id_of(id, i);
    const char *kept = arena_dup(a, mandate_slice_str(id)).ptr;
    engine_command_kind what = kind == 0 ? COMMAND_REVOKE : kind < 4 ? COMMAND_SUSPEND : COMMAND_RESUME;
    p->inputs[p->count] = world_command(what, kept);
    p->accepted[p->count++] = what == COMMAND_REVOKE    ? model_revoke(&w->m, i)
                              : what == COMMAND_SUSPEND ? model_suspend(&w->m, i)
                                                        : model_resume(&w->m, i);
}

/* Few names, so that they are used again, and sometimes twice. */
static void add_watch(world *w, arena *a, pair *p)
{
    int name = (int)model_rand(&w->rng, 24), there = model_watch_find(&w->m, name);
    m_condition c = {0};
    char id[16];
    bool repeated;
    snprintf(id, sizeof(id), "w%d", name);
    if (there >= 0 && model_rand(&w->rng, 3)) {
        p->inputs[p->count] = world_command(COMMAND_UNWATCH, arena_dup(a, mandate_slice_str(id)).ptr);
        p->accepted[p->count++] = model_unwatch(&w->m, name);
        return;
    }
    if (there >= 0 && model_rand(&w->rng, 2))
        c = w->m.watch[there].condition;
    else if (w->m.count && model_rand(&w->rng, 3) == 0 && w->m.mandate[0].clause[0].present)
        c = w->m.mandate[0].clause[0]; /* one node, held by both kinds */
    else
        model_random(&c, &w->rng, w->m.now, 3);
    p->inputs[p->count] = world_watch(a, &c, id);
    p->accepted[p->count++] = model_watch(&w->m, name, &c, &repeated);
}

static void add_input(world *w, arena *a, pair *p)
{
    uint64_t dice = model_rand(&w->rng, 100);
    if (dice < 12 && w->m.count < MODEL_MANDATES) {
        add_issue(w, a, p);
    } else if (dice < 18 && w->m.count) {
        add_command(w, a, p);
    } else if (dice < 20 && w->m.count) {
        add_reissue(w, a, p);
    } else if (dice < 26 && w->m.watches < MODEL_WATCHES) {
        add_watch(w, a, p);
    } else if (dice < 30) {
        int source = (int)model_rand(&w->rng, MODEL_SOURCES);
        bool down = model_rand(&w->rng, 3) == 0;
        p->inputs[p->count++] = world_source(source, down);
        model_source(&w->m, source, down);
    } else {
        add_record(w, a, p);
    }
}

/* --- comparing --------------------------------------------------------------------------------------------- */
static void compare_answers(world *w, const pair *p, const engine_result *r)
{
    for (uint32_t i = 0; i < r->answer_count; i++) {
        bool ok = r->answers[i].error.status == MANDATE_OK;
        if (ok != p->accepted[r->answers[i].input])
            FAIL(w, "input %u: the engine %s, the model did not agree: %s", r->answers[i].input, ok ? "accepted" : "refused",
                 r->answers[i].error.text);
    }
}

static bool waits_in_line(const world *w, uint32_t handle)
{
    for (; handle != MANDATE_NONE; handle = w->e->parents.data[handle])
        if (w->e->standings.data[handle].waits)
            return true;
    return false;
}

/* Between slices: what anybody may rely on is what it will be in the records. */
static void compare_effective(world *w)
{
    char id[16];
    for (int i = 0; i < w->m.count; i++) {
        id_of(id, i);
        mandate_state is =
            engine_effective_state(w->e, engine_mandate_find(w->e, mandate_slice_str(id)), w->m.now * WORLD_SECOND, NULL);
        mandate_state ought = (mandate_state)model_effective(&w->m, i);
        /* A resumption that waits for its record permits nothing yet. */
        if (is == STATE_SUSPENDED && ought == STATE_ACTIVE &&
            waits_in_line(w, engine_mandate_find(w->e, mandate_slice_str(id))))
            continue;
        if (is != ought && !(mandate_state_is_final(is) && mandate_state_is_final(ought)))
            FAIL(w, "%s is effectively %s between slices, the model says %s", id, mandate_state_name(is),
                 mandate_state_name(ought));
    }
}

static const condition_truth truths[] = {TRUTH_FALSE, TRUTH_TRUE, TRUTH_UNKNOWN, TRUTH_ERROR};

static void compare_flips(world *w)
{
    char text[4096];
    for (int i = 0; i < w->m.flips && (uint32_t)i < w->flips.len; i++) {
        const m_flip *ought = &w->m.flip[i];
        const watch_flip *is = &w->flips.data[i];
        if ((int)is->version == ought->version && is->value == truths[ought->value] && is->prior == truths[ought->prior] &&
            is->effective_at_us == ought->at * WORLD_SECOND)
            continue;
        model_print(text, sizeof(text), &w->m.watch[ought->watch].condition);
        FAIL(w, "flip %d is to %d from %d, version %u; the model says to %d from %d, version %d: %s", i, is->value,
             is->prior, is->version, truths[ought->value], truths[ought->prior], ought->version, text);
    }
    if (w->flips.len != (uint32_t)w->m.flips)
        FAIL(w, "%u flips, the model has %d", w->flips.len, w->m.flips);
    w->flips_seen += w->flips.len;
    w->flips.len = 0;
    w->m.flips = 0;
}

static void compare_watches(world *w)
{
    uint32_t live = 0;
    char id[16];
    for (int i = 0; i < w->m.watches; i++) {
        const m_watch *x = &w->m.watch[i];
        engine_watch_view v;
        if (!x->exists)
            continue;
        live++;
        snprintf(id, sizeof(id), "w%d", x->name);
        uint32_t h = engine_watch_find(w->e, mandate_slice_str(id));
        if (h == UINT32_MAX)
            FAIL(w, "watch %s is not there", id);
        engine_watch_get(w->e, h, &v);
        if (v.value != truths[x->truth] || (int)v.version != x->version)
            FAIL(w, "watch %s is %d version %u, the model says %d version %d", id, v.value, v.version, truths[x->truth],
                 x->version);
    }
    if (engine_watch_count(w->e) != live)
        FAIL(w, "%u watches, the model has %u", engine_watch_count(w->e), live);
    compare_flips(w);
}

static void compare(world *w)
{
    char id[16], text[4096];
    compare_watches(w);
    if (engine_mandate_count(w->e) != (uint32_t)w->m.count)
        FAIL(w, "%u mandates, the model has %d", engine_mandate_count(w->e), w->m.count);
    for (int i = 0; i < w->m.count; i++) {
        const m_mandate *x = &w->m.mandate[i];
        id_of(id, i);
        uint32_t h = engine_mandate_find(w->e, mandate_slice_str(id));
        const mandate *m = &w->e->mandates.data[h];
        if ((int)m->state != (int)x->state || (int)m->version != x->version)
            FAIL(w, "%s is %s version %u, the model says %s version %d", id, mandate_state_name((mandate_state)m->state),
                 m->version, mandate_state_name((mandate_state)x->state), x->version);
        mandate_state effective = engine_effective_state(w->e, h, w->m.now * WORLD_SECOND, NULL);
        if ((int)effective != (int)model_effective(&w->m, i))
            FAIL(w, "%s is effectively %s", id, mandate_state_name(effective));
        for (int c = 0; c < 3; c++) {
            if (!mandate_condition_at(w->e, m, c))
                continue;
            condition_truth t = condition_value(w->e->conditions, mandate_condition_at(w->e, m, c)->edge);
            if (t == truths[x->truth[c]])
                continue;
            model_print(text, sizeof(text), &x->clause[c]);
            FAIL(w, "%s clause %d is %d, the model says %d: %s", id, c, t, x->truth[c], text);
        }
    }
}

static void record(world *w, const engine *e, buf *out, buf *flips, const engine_result *r)
{
    buf one;
    buf_init(&one);
    for (uint32_t i = 0; i < r->transition_count; i++) {
        buf_reset(&one);
        transition_encode(&one, &r->transitions[i], w->schema);
        wire_put_bytes(out, buf_slice(&one));
    }
    buf_reset(&one);
    for (uint32_t i = 0; i < r->flip_count; i++) {
        watch_flip flip;
        engine_flip_get(e, r, i, &flip);
        watch_flip_encode(&one, &flip, w->schema);
    }
    wire_put_bytes(flips, buf_slice(&one));
    buf_deinit(&one);
}

static void step(world *w, const engine_batch *batch, engine_result *r)
{
    mandate_error err = {0};
    engine_result other;
    buf value;
    arena runs;
    arena_init(&runs, 0);
    /* Every other step as a source would hand it over; a restored engine takes the other form. */
    engine_batch encoded = batch_as_runs(batch, 1 + (uint32_t)(batch->seq % 7), &runs, w->schema), mine = *batch,
                 other_form = encoded;
    if (batch->seq % 2) {
        mine = encoded;
        other_form = *batch;
    }
    if (engine_step(w->e, &mine, r, &err) != MANDATE_OK)
        FAIL(w, "engine_step: %s", err.text);
    if (!records_apply(&w->records, r))
        FAIL(w, "out of memory");
    record(w, w->e, &w->transitions, &w->flip_bytes, r);
    for (uint32_t i = 0; i < r->flip_count; i++) {
        watch_flip flip;
        engine_flip_get(w->e, r, i, &flip);
        if (!VEC_PUSH(&w->flips, flip))
            FAIL(w, "out of memory");
    }
    w->more = r->more;
    buf_init(&value);
    engine_encode_batch(&value, &mine, w->schema);
    wire_put_bytes(&w->journal, buf_slice(&value));
    buf_deinit(&value);
    if (w->resumed) {
        if (engine_step(w->resumed, &other_form, &other, &err) != MANDATE_OK)
            FAIL(w, "restored engine: %s", err.text);
        record(w, w->resumed, &w->resumed_transitions, &w->resumed_flips, &other);
    }
    arena_deinit(&runs);
}

static void run_batch(world *w, arena *a)
{
    pair p = {.count = 0};
    engine_result r;
    char why[256];
    arena_reset(a);
    if (model_rand(&w->rng, 4) == 0)
        model_advance(&w->m, w->m.now + (int64_t)model_rand(&w->rng, 12));
    int64_t now_us = w->m.now * WORLD_SECOND;
    uint32_t n = (uint32_t)model_rand(&w->rng, BATCH_MAX);
    while (p.count < n)
        add_input(w, a, &p);
    model_batch_end(&w->m);
    engine_batch batch = {.seq = ++w->seq, .now_us = now_us, .inputs = p.inputs, .count = p.count};
    w->inputs += p.count ? p.count : 1;
    step(w, &batch, &r);
    compare_answers(w, &p, &r);
    if (!w->more)
        compare(w);
    else if (engine_now_us(w->e) == now_us)
        compare_effective(w);
    if (w->seq % 16 == 0 && !condition_verify(w->e->conditions, why, sizeof(why)))
        FAIL(w, "%s", why);
}

/* The slices that are left, without anything else between them. */
static void run_slices(world *w)
{
    engine_result r;
    if (!w->more)
        return;
    while (w->more) {
        engine_batch batch = {.seq = ++w->seq, .now_us = w->m.now * WORLD_SECOND};
        step(w, &batch, &r);
        if (r.transition_count > 1000)
            FAIL(w, "%u transitions in a slice", r.transition_count);
    }
    compare(w);
}

/* --- restart and replay ------------------------------------------------------------------------------------ */
static void same_hash(world *w, engine *a, engine *b, const char *what)
{
    uint8_t x[32], y[32];
    if (engine_state_hash(a, x, NULL) != MANDATE_OK || engine_state_hash(b, y, NULL) != MANDATE_OK || memcmp(x, y, 32) != 0)
        FAIL(w, "%s: the state hash differs", what);
}

/* The engine restored last has seen the same batches since. */
static void check_resumed(world *w)
{
    if (!w->resumed)
        return;
    mandate_slice after =
        mandate_slice_of(w->transitions.data + w->transitions_at_resume, w->transitions.len - w->transitions_at_resume);
    same_hash(w, w->e, w->resumed, "restored at a mid-point");
    if (!mandate_slice_eq(buf_slice(&w->resumed_transitions), after))
        FAIL(w, "restored at a mid-point: transitions differ");
    after = mandate_slice_of(w->flip_bytes.data + w->flips_at_resume, w->flip_bytes.len - w->flips_at_resume);
    if (!mandate_slice_eq(buf_slice(&w->resumed_flips), after))
        FAIL(w, "restored at a mid-point: flips differ");
}

static void restore(world *w)
{
    mandate_error err = {0};
    mandate_status s = MANDATE_OK;
    buf key, value;
    check_resumed(w);
    engine_destroy(w->resumed);
    w->resumed = world_engine(w->schema);
    buf_init(&key);
    buf_init(&value);
    for (uint32_t i = 0; s == MANDATE_OK && i < engine_entity_count(w->e); i++) {
        if (context_entity_at(w->e->graph, i)->status == CONTEXT_UNOBSERVED)
            continue;
        engine_encode_entity(w->e, i, &key, &value);
        s = engine_load_entity(w->resumed, buf_slice(&key), buf_slice(&value), &err);
    }
    engine_encode_meta(w->e, &value);
    if (s == MANDATE_OK)
        s = engine_load_time(w->resumed, buf_slice(&value), &err);
    for (uint32_t i = engine_mandate_count(w->e); s == MANDATE_OK && i-- > 0;) {
        engine_encode_mandate(w->e, i, &key, &value, w->e->claims_kept.data[i]);
        s = engine_load_mandate(w->resumed, buf_slice(&key), buf_slice(&value), &err);
    }
    for (uint32_t i = engine_watch_next(w->e, 0); s == MANDATE_OK && i != UINT32_MAX; i = engine_watch_next(w->e, i + 1)) {
        engine_encode_watch(w->e, i, &key, &value);
        s = engine_load_watch(w->resumed, buf_slice(&key), buf_slice(&value), &err);
    }
    engine_encode_meta(w->e, &value);
    if (s == MANDATE_OK)
        s = records_load(&w->records, w->resumed, &err);
    if (s == MANDATE_OK)
        s = engine_load_meta(w->resumed, buf_slice(&value), &err);
    if (s == MANDATE_OK)
        s = engine_load_done(w->resumed, engine_seq(w->e), &err);
    if (s != MANDATE_OK)
        FAIL(w, "restoring: %s", err.text);
    buf_deinit(&key);
    buf_deinit(&value);
    buf_reset(&w->resumed_transitions);
    w->transitions_at_resume = w->transitions.len;
    buf_reset(&w->resumed_flips);
    w->flips_at_resume = w->flip_bytes.len;
}

/* As often as this world wants it, slices pending or not. */
static void restart(world *w)
{
    if (w->mode != RESTORE_ALWAYS && w->seq % 97 != 50)
        return;
    restore(w);
    if (w->mode != RESTORE_AND_GO_ON)
        return;
    same_hash(w, w->e, w->resumed, "restored");
    engine_destroy(w->e);
    w->e = w->resumed;
    w->resumed = NULL;
}

/* Every end says how many fall with it, and as many do, each once. */
static void check_cascades(world *w)
{
    wire_reader r = wire_reader_of(buf_slice(&w->transitions));
    VEC(transition) all = {0};
    arena a;
    arena_init(&a, 0);
    while (!wire_done(&r)) {
        transition t;
        transition_names names;
        if (transition_decode(&t, &names, &a, wire_get_bytes(&r), NULL) != MANDATE_OK || !VEC_PUSH(&all, t))
            FAIL(w, "a transition cannot be read");
    }
    for (uint32_t i = 0; i < all.len; i++) {
        uint32_t fell = 0;
        const transition *root = &all.data[i];
        if (!mandate_state_is_final(root->state) || root->cause == CAUSE_CASCADE)
            continue;
        for (uint32_t k = 0; k < all.len; k++)
            fell += all.data[k].cause == CAUSE_CASCADE && memcmp(all.data[k].txn, root->txn, 32) == 0;
        if (fell != root->cascade_count)
            FAIL(w, "%.*s says that %u fall with it, %u did", MANDATE_SLICE_ARG(root->mandate), root->cascade_count, fell);
    }
    VEC_FREE(&all);
    arena_deinit(&a);
}

static void replay(world *w)
{
    engine *again = world_engine(w->schema);
    wire_reader r = wire_reader_of(buf_slice(&w->journal));
    buf transitions, flips;
    arena a;
    buf_init(&transitions);
    buf_init(&flips);
    arena_init(&a, 0);
    while (!wire_done(&r)) {
        engine_batch batch;
        engine_result result;
        mandate_error err = {0};
        arena_reset(&a);
        if (engine_decode_batch(&batch, &a, wire_get_bytes(&r), w->schema, &err) != MANDATE_OK ||
            engine_step(again, &batch, &result, &err) != MANDATE_OK)
            FAIL(w, "replay: %s", err.text);
        record(w, again, &transitions, &flips, &result);
    }
    same_hash(w, w->e, again, "replay from zero");
    if (!mandate_slice_eq(buf_slice(&transitions), buf_slice(&w->transitions)))
        FAIL(w, "replay from zero: transitions differ");
    if (!mandate_slice_eq(buf_slice(&flips), buf_slice(&w->flip_bytes)))
        FAIL(w, "replay from zero: flips differ");
    buf_deinit(&flips);
    arena_deinit(&a);
    buf_deinit(&transitions);
    engine_destroy(again);
}

static uint64_t run_world(uint64_t seed, uint64_t inputs, uint64_t *transitions, uint64_t *flips)
{
    world w = {.seed = seed, .rng = seed};
    arena a;
    arena_init(&a, 0);
    model_init(&w.m, 1700000000);
    w.m.flip = calloc(MODEL_FLIPS, sizeof(*w.m.flip));
    if (!w.m.flip)
        FAIL(&w, "out of memory");
    w.schema = world_schema();
    w.e = world_engine(w.schema);
    buf_init(&w.journal);
    buf_init(&w.transitions);
    buf_init(&w.resumed_transitions);
    buf_init(&w.flip_bytes);
    buf_init(&w.resumed_flips);
    w.mode = (restore_mode)(seed % RESTORE_MODES);
    while (w.inputs < inputs) {
        run_batch(&w, &a);
        restart(&w);
        if (model_rand(&w.rng, 2))
            run_slices(&w);
    }
    run_slices(&w);
    check_resumed(&w);
    check_cascades(&w);
    replay(&w);
    for (int i = 0; i < w.m.count; i++)
        *transitions += (uint64_t)w.m.mandate[i].version;
    *flips += w.flips_seen;
    free(w.m.flip);
    VEC_FREE(&w.flips);
    buf_deinit(&w.flip_bytes);
    buf_deinit(&w.resumed_flips);
    engine_destroy(w.resumed);
    engine_destroy(w.e);
    records_free(&w.records);
    schema_destroy(w.schema);
    arena_deinit(&a);
    buf_deinit(&w.journal);
    buf_deinit(&w.transitions);
    buf_deinit(&w.resumed_transitions);
    return w.inputs;
}

int main(int argc, char **argv)
{
    uint64_t steps = argc > 1 ? strtoull(argv[1], NULL, 10) : 200000;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    uint64_t done = 0, transitions = 0, flips = 0, worlds = 0;
    while (done < steps) {
        done += run_world(seed, 600 + seed % 5 * 400, &transitions, &flips);
        seed++;
        worlds++;
    }
    printf("%llu inputs in %llu worlds, %llu transitions, %llu flips: no difference\n", (unsigned long long)done,
           (unsigned long long)worlds, (unsigned long long)transitions, (unsigned long long)flips);
    return transitions == 0 || flips == 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer_clips - CLIPS 6.30 (Debian's libclips-dev), embedded, facts made through its C interface and never parsed.
 *
 * The encoding is the fastest of those we tried: conditions are facts, one generic rule a shape; a change is a fact that holds
 * what was and what is, asserted, matched and retracted. The join finds the conditions of the changed entity by hash (equality:
 * of the entity and the value), so that CLIPS too looks at nothing else; a rule fires once for each flip, and does nothing.
 * Truth maintenance (`logical`), one rule for each condition, and state facts that rules modify were all slower.
 */
#include "bench/peer.h"

#ifdef BENCH_HAVE_CLIPS
#include <clips/clips.h>

static const char *const constructs[] = {
    "(deftemplate cond (slot m) (slot d) (slot v))",
    "(deftemplate old (slot d) (slot v))",
    "(deftemplate new (slot d) (slot v))",
    "(deftemplate step (slot d) (slot lo) (slot hi))",
    "(defrule gone (old (d ?d) (v ?v)) (cond (d ?d) (v ?v)) =>)",
    "(defrule come (new (d ?d) (v ?v)) (cond (d ?d) (v ?v)) =>)",
    "(defrule cross (step (d ?d) (lo ?lo) (hi ?hi)) (cond (d ?d) (v ?k&:(< ?lo ?k ?hi))) =>)",
};

typedef struct rival {
    void *env, *cond, *old, *new, *step;
} rival;

static bool rival_open(rival *r)
{
    *r = (rival){.env = CreateEnvironment()};
    if (!r->env)
        return false;
    EnvSetFactDuplication(r->env, 1);
    for (size_t i = 0; i < sizeof(constructs) / sizeof(*constructs); i++)
        if (!EnvBuild(r->env, constructs[i]))
            return false;
    r->cond = EnvFindDeftemplate(r->env, "cond");
    r->old = EnvFindDeftemplate(r->env, "old");
    r->new = EnvFindDeftemplate(r->env, "new");
    r->step = EnvFindDeftemplate(r->env, "step");
    return r->cond && r->old && r->new && r->step;
}

static void put(rival *r, void *fact, const char *slot, long long v)
{
    DATA_OBJECT value;
    value.type = INTEGER;
    value.value = EnvAddLong(r->env, v);
    EnvPutFactSlot(r->env, fact, slot, &value);
}

static void *fact_two(rival *r, void *template, long long d, long long v)
{
    void *fact = EnvCreateFact(r->env, template);
    put(r, fact, "d", d);
    put(r, fact, "v", v);
    return EnvAssert(r->env, fact);
}

static void add_condition(rival *r, long long m, long long d, long long v)
{
    void *fact = EnvCreateFact(r->env, r->cond);
    put(r, fact, "m", m);
    put(r, fact, "d", d);
    put(r, fact, "v", v);
    EnvAssert(r->env, fact);
}

/* Rules fired: flips. `n < k` flips for lo < k <= hi. */
static uint64_t cross(rival *r, long long d, long long from, long long to)
{
    void *fact = EnvCreateFact(r->env, r->step);
    put(r, fact, "d", d);
    put(r, fact, "lo", from < to ? from : to);
    put(r, fact, "hi", (from < to ? to : from) + 1);
    fact = EnvAssert(r->env, fact);
    uint64_t fired = (uint64_t)EnvRun(r->env, -1);
    EnvRetract(r->env, fact);
    return fired;
}

static uint64_t replace(rival *r, long long d, long long from, long long to)
{
    void *gone = fact_two(r, r->old, d, from), *come = fact_two(r, r->new, d, to);
    uint64_t fired = (uint64_t)EnvRun(r->env, -1);
    EnvRetract(r->env, gone);
    EnvRetract(r->env, come);
    return fired;
}

bool peer_thresholds_clips(uint32_t count, double *ns)
{
    enum { CHANGES = 2000 };
    long long value = count / 2, step = 1;
    uint64_t flips = 0;
    rival r;
    bool ok = rival_open(&r);
    for (uint32_t i = 0; ok && i < count; i++)
        add_condition(&r, i, 0, i);
    int64_t start = cpu_ns();
    for (int i = 0; ok && i < CHANGES; i++) {
        if (value + step < 1 || value + step >= count)
            step = -step;
        flips += cross(&r, 0, value, value + step);
        value += step;
    }
    *ns = (double)(cpu_ns() - start) / CHANGES;
    if (r.env)
        DestroyEnvironment(r.env);
    return ok && flips == CHANGES;
}

static uint64_t true_now(rival *r, const workload *w, bool equality)
{
    uint64_t holds = 0;
    for (uint32_t i = 0; i < w->deals; i++) {
        if (!equality) {
            holds += cross(r, i, NUMBER_RANGE * 2, w->facts[i].amount);
            continue;
        }
        void *fact = fact_two(r, r->new, i, w->facts[i].status);
        holds += (uint64_t)EnvRun(r->env, -1);
        EnvRetract(r->env, fact);
    }
    return holds;
}

bool arm_clips(arm_result *out, arm_run *run)
{
    workload *w = run->w;
    bool equality = w->shape == SHAPE_EQUALITY;
    rival r = {0};
    *out = (arm_result){.name = "clips"};
    if (!equality && w->shape != SHAPE_THRESHOLD)
        return false;
    workload_rewind(w);
    bool ok = rival_open(&r);
    size_t rss = rss_bytes();
    int64_t load = cpu_ns();
    for (uint32_t i = 0; ok && i < w->mandates; i++) {
        workload_terms t = workload_terms_of(w, i);
        add_condition(&r, i, w->deal_of[i], equality ? t.status : t.amount);
    }
    out->load_ns = (double)(cpu_ns() - load) / w->mandates;
    out->rss_bytes = out->bytes = ((double)rss_bytes() - (double)rss) / w->mandates; /* it has an allocator of its own */
    for (uint64_t done = 0; ok && done < run->warmup + run->changes; done += BATCH) {
        workload_change changes[BATCH];
        int before[BATCH];
        uint64_t flips = 0;
        for (int i = 0; i < BATCH; i++) {
            workload_next(w, &changes[i]);
            before[i] = changes[i].before;
        }
        arm_clock start = arm_start();
        for (int i = 0; i < BATCH; i++)
            flips += equality ? replace(&r, changes[i].deal, before[i], changes[i].value)
                              : cross(&r, changes[i].deal, before[i], changes[i].value);
        arm_stop(out, run, start, done);
        out->flips += flips;
        if (done >= run->warmup)
            out->timed_flips += flips;
    }
    if (ok) {
        out->true_at_end = true_now(&r, w, equality);
        arm_finish(out, run);
    }
    if (r.env)
        DestroyEnvironment(r.env);
    return ok;
}

#else

bool peer_thresholds_clips(uint32_t count, double *ns)
{
    (void)count;
    (void)ns;
    return false;
}

bool arm_clips(arm_result *out, arm_run *run)
{
    (void)run;
    *out = (arm_result){.name = "clips"};
    return false;
}

#endif

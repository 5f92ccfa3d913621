/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_check - what a check costs: in process, against the view that the daemon answers from, and over HTTP on loopback, from a
 * load generator in a process of its own, while a thread steps the engine with changes that suspend and resume mandates.
 *
 * The server is the daemon's (connectors/http) on one thread; its CPU time is read from that thread's clock. Kafka and the
 * database are left out: nothing of them is on the way of a check.
 */
#include "bench/arm.h"
#include "bench/command.h"
#include "bench/http_load.h"

#include "connectors/daemon/view/view.h"
#include "connectors/http/server.h"

#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ISSUES = 2048, STEP_CHANGES = 16, LATE_NS = 2000000 };
#define NOW (INT64_C(1700000000) * 1000000)

typedef struct check_bench {
    uint32_t mandates, connections;
    int cpu;                /* the generator's own; -1: there is but one core */
    bool asleep;            /* the generator sleeps while there is nothing to do */
    double seconds, events; /* changes a second */
    uint64_t requests;      /* so many, to be counted by budget.py, instead of what can be asked in `seconds` */
    workload w;
    engine *e;
    view *view;
    uint64_t seq;
    arena memory;
    engine_input inputs[ISSUES];
    uint32_t count;
    _Atomic bool stop;
    _Atomic uint64_t changes, transitions;
    _Atomic bool server_known;
    pthread_t server; /* the thread that asked first */
} check_bench;

/* --- the state that is asked about -------------------------------------------------------------------------------------- */
static mandate_status load_claims(void *ctx, arena *a, mandate_slice id, mandate_slice *out, mandate_error *err)
{
    const check_bench *b = ctx;
    claims c;
    buf bytes;
    buf_init(&bytes);
    workload_claims(&b->w, workload_mandate_number(id), CLAUSE_SUSPEND_WHILE, a, &c);
    c.issued_at_us = NOW;
    c.depth_max = LIMIT_DELEGATION_DEPTH;
    claims_encode(&bytes, &c);
    *out = arena_dup(a, buf_slice(&bytes));
    buf_deinit(&bytes);
    return out->ptr ? MANDATE_OK : mandate_error_set(err, MANDATE_NOMEM, "out of memory");
}

/* One step, and what of it a check can see, as the daemon does it after a commit. */
static bool run_step(check_bench *b)
{
    engine_batch batch = {.seq = ++b->seq, .now_us = NOW, .inputs = b->inputs, .count = b->count};
    engine_result r;
    mandate_error err = {0};
    bool ok = engine_step(b->e, &batch, &r, &err) == MANDATE_OK;
    for (int active = 0; ok && active < 2; active++)
        for (uint32_t i = 0; ok && i < r.mandate_count; i++) {
            engine_mandate_view m;
            engine_mandate_get(b->e, r.mandates[i], &m);
            if ((m.state == STATE_ACTIVE) == active)
                ok = view_set(b->view, r.mandates[i], UINT32_MAX, &m, &err) == MANDATE_OK;
        }
    if (!ok)
        fprintf(stderr, "%s\n", err.text);
    view_committed(b->view, b->seq, NOW, wall_ns() / 1000);
    atomic_fetch_add(&b->transitions, r.transition_count);
    arena_reset(&b->memory);
    b->count = 0;
    return ok;
}

static void add_change(check_bench *b, const workload_change *ch)
{
    change *out = ARENA_NEW(&b->memory, change);
    change_set *set = ARENA_NEW(&b->memory, change_set);
    char id[24];
    workload_deal_id(id, ch->deal);
    *set = (change_set){.field = b->w.field[ch->field], .value = workload_value(ch->field, ch->value)};
    *out = (change){
        .id = arena_dup(&b->memory, mandate_slice_str(id)), .sets = set, .set_count = 1, .event_time_us = CHANGE_NO_TIME};
    b->inputs[b->count++] =
        (engine_input){.kind = INPUT_RECORD, .origin = {.event_time_us = CHANGE_NO_TIME}, .changes = out, .change_count = 1};
}

static bool prepare(check_bench *b)
{
    mandate_error err = {0};
    engine_options options = {.version = ENGINE_OPTIONS_VERSION,
                              .issuer = mandate_slice_str("https://bench.example"),
                              .claims_load = load_claims,
                              .claims_ctx = b};
    view_options views = {.claims_load = load_claims, .claims_ctx = b, .staleness_max_us = INT64_C(3600000000)};
    bool ok = workload_create(&b->w, SHAPE_EQUALITY, b->mandates, 10, 1);
    options.schema = b->w.schema;
    ok = ok && engine_create(&b->e, &options, &err) == MANDATE_OK && view_create(&b->view, &views, &err) == MANDATE_OK;
    for (uint32_t i = 0; ok && i < b->mandates;) {
        for (; b->count < ISSUES && i < b->mandates; i++) {
            claims *c = ARENA_NEW(&b->memory, claims);
            workload_claims(&b->w, i, CLAUSE_SUSPEND_WHILE, &b->memory, c);
            b->inputs[b->count++] = (engine_input){
                .kind = INPUT_COMMAND,
                .command = {.kind = COMMAND_ISSUE, .mandate = c->id, .principal = mandate_slice_str("g"), .claims = c}};
        }
        ok = run_step(b);
    }
    if (!ok)
        fprintf(stderr, "%s\n", err.text);
    return ok;
}

static void *events_flow(void *ctx)
{
    check_bench *b = ctx;
    int64_t start = wall_ns();
    for (uint64_t done = 0; !atomic_load(&b->stop);) {
        int64_t due = start + (int64_t)((double)done / b->events * 1e9), wait = due - wall_ns();
        if (wait < -LATE_NS) { /* not caught up: that would be a burst of its own */
            start -= wait;
            continue;
        }
        if (wait > 0) {
            struct timespec nap = {wait / 1000000000, wait % 1000000000};
            nanosleep(&nap, NULL);
            continue;
        }
        for (int i = 0; i < STEP_CHANGES; i++) {
            workload_change ch;
            workload_next(&b->w, &ch);
            add_change(b, &ch);
        }
        if (!run_step(b))
            break;
        done += STEP_CHANGES;
        atomic_store(&b->changes, done);
    }
    return NULL;
}

/* --- in process ---------------------------------------------------------------------------------------------------------- */
static service_check question(mandate_slice id)
{
    return (service_check){.mandate = id,
                           .subject_type = MANDATE_SLICE_LIT("agent"),
                           .subject_id = MANDATE_SLICE_LIT("agent:one"),
                           .action = MANDATE_SLICE_LIT("contract.negotiate"),
                           .resource = MANDATE_SLICE_LIT("crm.account/4711"),
                           .params = {.kind = CEL_NULL}};
}

/* Claims are read from storage once. */
static void read_claims(check_bench *b)
{
    service_verdict v;
    char id[24];
    for (uint32_t i = 0; i < b->mandates; i++) {
        workload_mandate_id(id, i);
        service_check q = question(mandate_slice_str(id));
        view_check(b->view, &q, NOW, wall_ns() / 1000, &v);
    }
}

static void in_process(check_bench *b)
{
    enum { ROUNDS = 1000000 };
    uint64_t rng = 88172645463325252u, permitted = 0;
    int64_t start = 0;
    service_verdict v;
    char id[24];
    start = cpu_ns();
    for (int i = 0; i < ROUNDS; i++) {
        rng ^= rng << 13;
        rng ^= rng >> 7;
        rng ^= rng << 17;
        workload_mandate_id(id, (uint32_t)(rng % b->mandates));
        service_check q = question(mandate_slice_str(id));
        view_check(b->view, &q, NOW, wall_ns() / 1000, &v);
        permitted += v.decision;
    }
    double ns = (double)(cpu_ns() - start) / ROUNDS;
    printf("{\"record\":\"check\",\"way\":\"in_process\",\"mandates\":%u,\"checks\":%d,\"permitted\":%llu,\"ns\":%.1f}\n",
           b->mandates, ROUNDS, (unsigned long long)permitted, ns);
    fprintf(stderr, "in process: %.0f ns a check, one of %u mandates at random (with making its id and reading the clock)\n",
            ns, b->mandates);
}

/* --- over HTTP ------------------------------------------------------------------------------------------------------------ */
static void check(void *ctx, const service_check *in, service_verdict *out)
{
    check_bench *b = ctx;
    if (!atomic_load_explicit(&b->server_known, memory_order_relaxed)) {
        b->server = pthread_self();
        atomic_store(&b->server_known, true);
    }
    view_check(b->view, in, NOW, wall_ns() / 1000, out);
}

static bool refuse(void *ctx, service_request *request)
{
    (void)ctx;
    (void)request;
    return false;
}

static double server_cpu_s(check_bench *b)
{
    clockid_t clock;
    struct timespec t = {0};
    if (atomic_load(&b->server_known) && pthread_getcpuclockid(b->server, &clock) == 0)
        clock_gettime(clock, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

typedef struct generated {
    unsigned long long requests, permitted, failed;
    unsigned long long ns[LOAD_PERCENTILES], late_ns[2]; /* late: of the generator, 50 % and 99 % */
    double took_s, cpu_s, load_cpu_s, changes, transitions;
} generated;

static bool read_result(generated *out, FILE *f)
{
    if (fscanf(f, "%llu %llu %llu %lf", &out->requests, &out->permitted, &out->failed, &out->took_s) != 4)
        return false;
    for (int i = 0; i < LOAD_PERCENTILES; i++)
        if (fscanf(f, "%llu", &out->ns[i]) != 1)
            return false;
    return fscanf(f, "%llu %llu %lf", &out->late_ns[0], &out->late_ns[1], &out->load_cpu_s) == 3 && out->requests > 0;
}

static void report(const check_bench *b, const generated *r, const char *name)
{
    double n = (double)r->requests;
    printf("{\"record\":\"check\",\"way\":\"http\",\"load\":\"%s\",\"mandates\":%u,\"connections\":%u,\"requests\":%llu,"
           "\"permitted\":%llu,\"failed\":%llu,\"seconds\":%.3f,\"requests_per_second\":%.0f,\"server_cpu_us\":%.3f,"
           "\"changes_per_second\":%.0f,\"transitions_per_second\":%.0f,\"generator\":{\"cpu_us\":%.3f,\"late_us\":{\"50\":%"
           ".1f,\"99\":%.1f}},\"latency_us\":{",
           name, b->mandates, b->connections, r->requests, r->permitted, r->failed, r->took_s, n / r->took_s,
           r->cpu_s / n * 1e6, r->changes / r->took_s, r->transitions / r->took_s, r->load_cpu_s / n * 1e6,
           (double)r->late_ns[0] / 1e3, (double)r->late_ns[1] / 1e3);
    for (int i = 0; i < LOAD_PERCENTILES; i++)
        printf("%s\"%g\":%.1f", i ? "," : "", http_load_percentiles[i], (double)r->ns[i] / 1e3);
    printf("}}\n");
    fprintf(stderr,
            "HTTP, %s: %.0f requests/s, %.2f us of the server's CPU each (%.0f/s a core), p50 %.0f us, p99 %.0f us, "
            "p99.9 %.0f us; %llu failed; %.0f changes/s beside that suspend and resume %.0f mandates; the generator: %.2f "
            "us each, p99 %.0f us late\n",
            name, n / r->took_s, r->cpu_s / n * 1e6, n / r->cpu_s, (double)r->ns[0] / 1e3, (double)r->ns[4] / 1e3,
            (double)r->ns[5] / 1e3, r->failed, r->changes / r->took_s, r->transitions / r->took_s, r->load_cpu_s / n * 1e6,
            (double)r->late_ns[1] / 1e3);
}

/* A generator's run; false when it failed. Without a name it is the warm-up. */
static bool generate(check_bench *b, uint16_t port, double seconds, double rate, bool fixed, const char *name)
{
    char command[512], self[256];
    generated r = {0};
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (len <= 0)
        return false;
    self[len] = 0;
    snprintf(
        command, sizeof(command),
        "exec '%s' load --port %u --connections %u --mandates %u --seconds %.1f --rate %.0f --requests %llu --cpu %d%s%s",
        self, port, b->connections, b->mandates, seconds, rate, (unsigned long long)b->requests, b->cpu,
        b->cpu >= 0 && !b->asleep ? " --spin" : "", fixed ? " --fixed" : "");
    r.cpu_s = -server_cpu_s(b);
    r.changes = -(double)atomic_load(&b->changes);
    r.transitions = -(double)atomic_load(&b->transitions);
    FILE *f = popen(command, "r");
    bool ok = f && read_result(&r, f);
    if (f && pclose(f) != 0)
        ok = false;
    r.cpu_s += server_cpu_s(b);
    r.changes += (double)atomic_load(&b->changes);
    r.transitions += (double)atomic_load(&b->transitions);
    if (ok && name)
        report(b, &r, name);
    return ok && r.failed == 0;
}

static bool over_http(check_bench *b)
{
    http_options options = HTTP_OPTIONS_INIT;
    service port = {.ctx = b, .check = check, .submit = refuse};
    mandate_error err = {0};
    http_server *server = NULL;
    pthread_t flow;
    options.tcp = true;
    options.issuer = "https://bench.example";
    if (http_server_start(&server, &options, &port, &err) != MANDATE_OK) {
        fprintf(stderr, "%s\n", err.text);
        return false;
    }
    bool flowing = b->events > 0 && pthread_create(&flow, NULL, events_flow, b) == 0;
    uint16_t at = http_server_port(server);
    bool ok = b->requests ? generate(b, at, 600, 0, false, "counted")
                          : generate(b, at, 0.5, 0, false, NULL) && generate(b, at, b->seconds, 0, true, "fixed_answer") &&
                                generate(b, at, b->seconds, 0, false, "closed_loop") &&
                                generate(b, at, b->seconds, 20000, false, "open_loop_20k");
    atomic_store(&b->stop, true);
    if (flowing)
        pthread_join(flow, NULL);
    http_server_stop(server);
    return ok;
}

/* The generator has the last core for itself, all of ours have the others: from here on. */
static void share_cores(check_bench *b)
{
    cpu_set_t mine, others;
    CPU_ZERO(&mine);
    if (sched_getaffinity(0, sizeof(mine), &mine) != 0 || CPU_COUNT(&mine) < 2)
        return;
    for (int i = CPU_SETSIZE; b->cpu < 0 && i-- > 0;)
        if (CPU_ISSET((size_t)i, &mine))
            b->cpu = i;
    others = mine;
    CPU_CLR((size_t)b->cpu, &others);
    if (sched_setaffinity(0, sizeof(others), &others) != 0)
        b->cpu = -1;
}

/* --- the command ----------------------------------------------------------------------------------------------------------- */
static int usage(void)
{
    fprintf(stderr,
            "mandate-bench check [--mandates 100000] [--connections 16] [--seconds 3] [--events 10000] [--in-process]\n"
            "                    [--requests N]   over HTTP so many, and nothing else\n"
            "                    [--asleep]       the generator sleeps while it has nothing to do, and is woken by what it "
            "measures\n");
    return 2;
}

int cmd_check(int argc, char **argv)
{
    static const struct option options[] = {
        {"mandates", 1, NULL, 'm'},   {"connections", 1, NULL, 'c'}, {"seconds", 1, NULL, 's'}, {"events", 1, NULL, 'e'},
        {"in-process", 0, NULL, 'i'}, {"requests", 1, NULL, 'n'},    {"asleep", 0, NULL, 'a'},  {NULL, 0, NULL, 0}};
    bool http = true;
    int c;
    check_bench *b = calloc(1, sizeof(*b));
    if (!b)
        return 1;
    b->cpu = -1;
    b->mandates = 100000;
    b->connections = 16;
    b->seconds = 3;
    b->events = 10000;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'm')
            b->mandates = (uint32_t)strtoul(optarg, NULL, 10);
        else if (c == 'c')
            b->connections = (uint32_t)strtoul(optarg, NULL, 10);
        else if (c == 's')
            b->seconds = strtod(optarg, NULL);
        else if (c == 'e')
            b->events = strtod(optarg, NULL);
        else if (c == 'i')
            http = false;
        else if (c == 'a')
            b->asleep = true;
        else if (c == 'n')
            b->requests = strtoul(optarg, NULL, 10);
        else
            b->mandates = 0;
    }
    if (b->mandates < 10 || b->mandates > 99999999 || b->connections == 0 || b->seconds <= 0) {
        free(b);
        return usage();
    }
    print_run("check", argc, argv);
    if (http)
        share_cores(b);
    arena_init(&b->memory, 0);
    bool ok = prepare(b);
    if (ok)
        read_claims(b);
    if (ok && !b->requests)
        in_process(b);
    ok = ok && (!http || over_http(b));
    view_destroy(b->view);
    engine_destroy(b->e);
    workload_destroy(&b->w);
    arena_deinit(&b->memory);
    free(b);
    return ok ? 0 : 1;
}

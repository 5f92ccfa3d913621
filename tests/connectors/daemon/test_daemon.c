/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole daemon in this process, against an embedded broker outside of it: a business event ends a mandate, a
 * restart loses nothing and repeats nothing, and what became due while it was down is done before anyone is served.
 */
#include "connectors/daemon/daemon.h"

#include "../kafka/fixture.h"
#include "tests/connectors/daemon/receiver.h"
#include "connectors/daemon/base/clock.h"
#include "connectors/daemon/base/log.h"
#include "connectors/daemon/reload.h"
#include "connectors/signer/serve.h"
#include "connectors/token/key_file.h"
#include "connectors/token/base64url.h"
#include "connectors/token/jws.h"
#include "engine/base/text.h"

#include "graph/audit.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

typedef struct world {
    fixture f;
    daemon_state *d;
    char folder[64], config[128];
} world;

static void write_file(const char *folder, const char *name, const char *text)
{
    char path[256];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void start(world *w)
{
    mandate_error err = {0};

    w->d = calloc(1, sizeof(*w->d));
    assert_non_null(w->d);
    w->d->patience = 30;
    if (daemon_load(w->d, w->config, &err) != MANDATE_OK || daemon_open(w->d, &err) != MANDATE_OK ||
        daemon_start(w->d, &err) != MANDATE_OK)
        fail_msg("%s", err.text);
}

static void stop(world *w)
{
    bool clean = daemon_stop(w->d);

    assert_true(clean);
    daemon_close(w->d);
    free(w->d);
    w->d = NULL;
}

static void write_config(const world *w, const char *issuer)
{
    char yaml[1024];

    snprintf(yaml, sizeof(yaml),
             "issuer: %s\ndata_dir: data\nentities: types.yaml\nconnectors: crm.yaml\n"
             "kafka: {bootstrap_servers: \"%s\"}\ntopics: {revocations: out, watches: flips, dead_letter: dead}\n"
             "revocations: {heartbeat: 60m}\nlog: {level: error}\n",
             issuer, w->f.cluster.bootstrap);
    write_file(w->folder, "mandated.yaml", yaml);
}

static world *world_open(void)
{
    world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    fixture_open(&w->f);
    strcpy(w->folder, "/tmp/mandated-test-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    snprintf(w->config, sizeof(w->config), "%s/mandated.yaml", w->folder);
    write_config(w, "https://i.example");
    write_file(w->folder, "types.yaml", "types:\n  deal:\n    attributes: {status: string}\n");
    write_file(w->folder, "crm.yaml",
               "connector: crm\ntopics: [in]\ndecode: {format: json, envelope: raw}\nentities:\n  - type: deal\n"
               "    id: value.id\n    attributes: {status: value.status}\n");
    start(w);
    return w;
}

static void world_close(world *w)
{
    char command[128];

    stop(w);
    fixture_close(&w->f);
    snprintf(command, sizeof(command), "rm -rf '%s'", w->folder);
    assert_int_equal(system(command), 0);
    free(w);
}

/* --- asking ---------------------------------------------------------------------------------------------------------- */
static void answered(service_request *r) { atomic_store((_Atomic bool *)r->ctx, true); }
static bool is_answered(void *ctx) { return atomic_load((_Atomic bool *)ctx); }

static mandate_status ask(world *w, service_request *r)
{
    _Atomic bool done = false;

    buf_init(&r->body);
    r->done = answered;
    r->ctx = (void *)&done;
    assert_true(w->d->port.submit(w->d->port.ctx, r));
    fixture_until(is_answered, (void *)&done, "the request is answered");
    return r->error.status;
}

static mandate_status issue(world *w, const char *id, const char *parent, int64_t expires_at_us)
{
    static const mandate_slice all[] = {MANDATE_SLICE_LIT("*")};
    claims c = {
        .id = mandate_slice_str(id),
        .issuer = mandate_slice_str("https://i.example"),
        .grantor = mandate_slice_str("g"),
        .agent = mandate_slice_str("a"),
        .purpose = mandate_slice_str("p"),
        .actions = all,
        .resources = all,
        .action_count = 1,
        .resource_count = 1,
        .params = cel_null(),
        .targets = cel_null(),
        .expires_at_us = expires_at_us,
        .parent = mandate_slice_str(parent),
        .depth_max = *parent ? 0 : 5,
    };
    service_request r = {.kind = SERVICE_ISSUE, .claims = &c, .principal = mandate_slice_str("g")};

    c.clause[CLAUSE_WHILE] = mandate_slice_str("deal[\"D-1\"].status == \"open\"");
    mandate_status status = ask(w, &r);
    if (status != MANDATE_OK)
        print_message("%s\n", r.error.text);
    buf_deinit(&r.body);
    return status;
}

/* State and version as GET says. */
static void get(world *w, const char *id, char *state_text, size_t size, int *version)
{
    service_request r = {.kind = SERVICE_GET, .mandate = mandate_slice_str(id)};

    assert_int_equal(ask(w, &r), MANDATE_OK);
    /* After the claims. */
    const char *at = strstr(buf_cstr(&r.body), ",\"state\":\"");
    assert_non_null(at);
    at += strlen(",\"state\":\"");
    snprintf(state_text, size, "%.*s", (int)strcspn(at, "\""), at);
    assert_int_equal(sscanf(at + strlen(state_text), "\",\"version\":%d", version), 1);
    buf_deinit(&r.body);
}

static bool permitted(world *w, const char *id)
{
    service_check in = {.mandate = mandate_slice_str(id),
                        .subject_id = mandate_slice_str("a"),
                        .action = mandate_slice_str("x"),
                        .resource = mandate_slice_str("y/z"),
                        .params = cel_null()};
    service_verdict out;

    w->d->port.check(w->d->port.ctx, &in, &out);
    return out.decision;
}

typedef struct waiting {
    world *w;
    const char *id, *text;
    uint64_t n;
} waiting;

static bool is_ended(void *ctx)
{
    waiting *x = ctx;

    return !permitted(x->w, x->id);
}

static bool is_observed(void *ctx)
{
    waiting *x = ctx;
    service_request r = {.kind = SERVICE_ENTITY, .type = mandate_slice_str("deal"), .id = mandate_slice_str("D-1")};
    bool there = ask(x->w, &r) == MANDATE_OK && strstr(buf_cstr(&r.body), x->text);

    buf_deinit(&r.body);
    return there;
}

static bool is_published(void *ctx)
{
    waiting *x = ctx;

    return atomic_load(&x->w->d->metrics.outbox_pending) == 0;
}

static void open_deal(world *w)
{
    waiting x = {w, NULL, "\"open\"", 0};

    fixture_produce(&w->f, "in", 0, "D-1", "{\"id\":\"D-1\",\"status\":\"open\"}");
    fixture_until(is_observed, &x, "the deal is observed");
}

static int64_t in_seconds(int64_t s) { return clock_now_us() + s * 1000000; }

/* Versions of a mandate on the topic, as "1,2,"; the same version twice must be the same bytes. */
static void published_versions(world *w, const char *id, char *out, size_t size)
{
    fixture_record *r = calloc(1024, sizeof(*r));
    char *seen[16] = {0};

    assert_non_null(r);
    int count = fixture_read(&w->f, "out", r, 1024);
    *out = '\0';
    for (int i = 0; i < count; i++) {
        unsigned version = 0;
        if (strcmp(r[i].key, id) != 0)
            continue;
        assert_non_null(r[i].value);
        assert_int_equal(sscanf(strstr(r[i].value, "\"version\":"), "\"version\":%u", &version), 1);
        assert_true(version < 16);
        if (seen[version]) {
            assert_string_equal(seen[version], r[i].value);
            continue;
        }
        seen[version] = r[i].value;
        snprintf(out + strlen(out), size - strlen(out), "%u,", version);
    }
    fixture_records_free(r, count);
    free(r);
}

/* --- tests -------------------------------------------------------------------------------------------------------------- */
static void test_daemon__a_business_event_ends_a_mandate_and_its_descendants(void **state)
{
    world *w = world_open();
    char text[32], versions[64];
    int version;
    waiting x = {w, "child", NULL, 0};

    open_deal(w);
    assert_int_equal(issue(w, "root", "", in_seconds(3600)), MANDATE_OK);
    assert_int_equal(issue(w, "child", "root", in_seconds(1800)), MANDATE_OK);
    assert_true(permitted(w, "root"));
    assert_true(permitted(w, "child"));
    fixture_produce(&w->f, "in", 0, "D-1", "{\"id\":\"D-1\",\"status\":\"lost\"}");
    fixture_until(is_ended, &x, "the child is denied");
    assert_false(permitted(w, "root"));
    get(w, "root", text, sizeof(text), &version);
    assert_string_equal(text, "revoked");
    assert_int_equal(version, 2);
    fixture_until(is_published, &x, "the outbox is empty");
    published_versions(w, "root", versions, sizeof(versions));
    assert_string_equal(versions, "1,2,");
    published_versions(w, "child", versions, sizeof(versions));
    assert_string_equal(versions, "1,2,");
    world_close(w);
}

static void test_daemon__what_happened_while_it_was_down_is_taken_in_after_the_restart(void **state)
{
    world *w = world_open();
    char versions[64];
    waiting x = {w, "m", NULL, 0};

    open_deal(w);
    assert_int_equal(issue(w, "m", "", in_seconds(3600)), MANDATE_OK);
    fixture_until(is_published, &x, "the outbox is empty");
    stop(w);
    fixture_produce(&w->f, "in", 0, "D-1", "{\"id\":\"D-1\",\"status\":\"lost\"}");
    start(w);
    fixture_until(is_ended, &x, "the mandate is denied");
    /* Two records in all: each was taken in once. */
    int64_t next = -1;
    assert_int_equal(store_offset(w->d->store, mandate_slice_str("in"), 0, &next, NULL), MANDATE_OK);
    assert_int_equal(next, 2);
    fixture_until(is_published, &x, "the outbox is empty");
    published_versions(w, "m", versions, sizeof(versions));
    assert_string_equal(versions, "1,2,");
    world_close(w);
}

static void test_daemon__a_deadline_passed_while_down_is_an_end_before_the_first_request(void **state)
{
    world *w = world_open();
    char text[32];
    int version;

    open_deal(w);
    int64_t at = clock_now_us() + 2000000;
    assert_int_equal(issue(w, "m", "", at), MANDATE_OK);
    stop(w);
    while (clock_now_us() < at)
        usleep(10000);
    start(w);
    get(w, "m", text, sizeof(text), &version);
    assert_string_equal(text, "expired");
    assert_int_equal(version, 2);
    world_close(w);
}

static void test_daemon__a_mandate_expires_on_time_without_any_event(void **state)
{
    world *w = world_open();
    waiting x = {w, "m", NULL, 0};
    char text[32];
    int version;

    open_deal(w);
    int64_t at = clock_now_us() + 2000000;
    assert_int_equal(issue(w, "m", "", at), MANDATE_OK);
    fixture_until(is_ended, &x, "the mandate is denied");
    assert_true(clock_now_us() >= at);
    do {
        get(w, "m", text, sizeof(text), &version); /* the record follows with the deadline's step */
    } while (version == 1);
    assert_string_equal(text, "expired");
    world_close(w);
}

static mandate_status watch_command(world *w, service_kind kind, const char *id, char *out, size_t size)
{
    service_request r = {.kind = kind,
                         .mandate = mandate_slice_str(id),
                         .principal = mandate_slice_str("g"),
                         .condition = mandate_slice_str("deal[\"D-1\"].status == \"open\"")};

    mandate_status status = ask(w, &r);
    snprintf(out, size, "%s", buf_cstr(&r.body));
    buf_deinit(&r.body);
    return status;
}

static void test_daemon__every_flip_of_a_watch_is_published_once_and_survives_a_restart(void **state)
{
    world *w = world_open();
    char text[1024];
    waiting x = {w, NULL, "\"lost\"", 0};
    fixture_record r[16];
    static const char *const values[] = {"\"value\":\"true\",\"prior\":\"unknown\"",
                                         "\"value\":\"false\",\"prior\":\"true\"", "\"value\":\"true\",\"prior\":\"false\""};

    assert_int_equal(watch_command(w, SERVICE_WATCH, "w-1", text, sizeof(text)), MANDATE_OK);
    assert_non_null(strstr(text, "\"value\":\"unknown\",\"version\":1"));
    open_deal(w);
    fixture_produce(&w->f, "in", 0, "D-1", "{\"id\":\"D-1\",\"status\":\"lost\"}");
    fixture_until(is_observed, &x, "the deal is lost");
    fixture_until(is_published, &x, "the outbox is empty");
    stop(w);
    start(w);
    assert_int_equal(watch_command(w, SERVICE_WATCH_GET, "w-1", text, sizeof(text)), MANDATE_OK);
    assert_non_null(strstr(text, "\"value\":\"false\",\"version\":3"));
    open_deal(w);
    fixture_until(is_published, &x, "the outbox is empty");
    assert_int_equal(watch_command(w, SERVICE_WATCH_LIST, "", text, sizeof(text)), MANDATE_OK);
    assert_non_null(strstr(text, "{\"watches\":[{\"id\":\"w-1\""));
    assert_non_null(strstr(text, "\"next\":null"));
    assert_int_equal(watch_command(w, SERVICE_UNWATCH, "w-1", text, sizeof(text)), MANDATE_OK);
    assert_non_null(strstr(text, "\"removed\":true,\"value\":\"true\",\"version\":4"));
    assert_int_equal(watch_command(w, SERVICE_UNWATCH, "w-1", text, sizeof(text)), MANDATE_NOT_FOUND);
    fixture_produce(&w->f, "in", 0, "D-1", "{\"id\":\"D-1\",\"status\":\"lost\"}");
    fixture_until(is_observed, &x, "the deal is lost again");
    int count = fixture_read(&w->f, "flips", r, 16), flips = 0;
    for (int i = 0; i < count; i++) {
        if (strcmp(r[i].key, "w-1") != 0)
            continue; /* a heartbeat */
        assert_in_range(flips, 0, 2);
        assert_non_null(strstr(r[i].value, values[flips++]));
        assert_non_null(
            strstr(r[i].value, "\"cause\":{\"kind\":\"event\",\"source\":\"crm\",\"topic\":\"in\",\"partition\":0,"));
    }
    assert_int_equal(flips, 3);
    fixture_records_free(r, count);
    world_close(w);
}

/* The id of the only decision in this state, or "". */
static void only_decision(world *w, decision_state wanted, char out[DECISION_ID + 1])
{
    service_request r = {.kind = SERVICE_DECISION_LIST, .decision_state = wanted, .limit = 10};

    assert_int_equal(ask(w, &r), MANDATE_OK);
    const char *at = strstr(buf_cstr(&r.body), "{\"id\":\"");
    snprintf(out, DECISION_ID + 1, "%s", at ? at + 7 : "");
    assert_non_null(strstr(buf_cstr(&r.body), "\"next\":null"));
    buf_deinit(&r.body);
}

static mandate_status decide(world *w, const char *id, const char *who, const char *says)
{
    service_request r = {.kind = SERVICE_DECIDE,
                         .mandate = mandate_slice_str(id),
                         .principal = mandate_slice_str(who),
                         .note = mandate_slice_str("seen"),
                         .permit = true};

    mandate_status status = ask(w, &r);
    if (!strstr(status ? r.error.text : buf_cstr(&r.body), says))
        fail_msg("%s%s lacks %s", r.error.text, status ? "" : buf_cstr(&r.body), says);
    buf_deinit(&r.body);
    return status;
}

static void test_daemon__a_command_waits_for_a_second_person_across_a_restart(void **state)
{
    world *w = world_open();
    char id[DECISION_ID + 1];

    open_deal(w);
    assert_int_equal(issue(w, "m", "", in_seconds(600)), MANDATE_OK);
    service_request r = {.kind = SERVICE_REVOKE,
                         .mandate = mandate_slice_str("m"),
                         .principal = mandate_slice_str("user:a"),
                         .note = mandate_slice_str("fraud"),
                         .second_person = true,
                         .second_person_why = mandate_slice_str("two persons revoke")};
    assert_int_equal(ask(w, &r), MANDATE_OK);
    assert_int_equal(strlen(r.decision), DECISION_ID);
    assert_non_null(strstr(buf_cstr(&r.body), "\"command\":{\"command\":\"revoke\",\"mandate\":\"m\",\"note\":\"fraud\"}"));
    only_decision(w, DECISION_OPEN, id);
    assert_string_equal(id, r.decision);
    buf_deinit(&r.body);
    assert_true(permitted(w, "m")); /* nothing was done */
    stop(w);
    start(w);
    assert_int_equal(decide(w, id, "user:a", "another person"), MANDATE_DENIED);
    assert_true(permitted(w, "m"));
    assert_int_equal(decide(w, id, "user:b", "\"result\":{\"mandate\":\"m\",\"state\":\"revoked\",\"version\":2}"),
                     MANDATE_OK);
    assert_false(permitted(w, "m"));
    only_decision(w, DECISION_OPEN, id);
    assert_string_equal(id, "");
    world_close(w);
}

static bool is_told_twice(void *ctx) { return atomic_load(&((receiver *)ctx)->received) >= 2; }

static bool no_notices(void *ctx, outbox_key key, mandate_slice entry)
{
    ++*(int *)ctx;
    return true;
}

static bool outbox_is_empty(void *ctx)
{
    int count = 0;

    assert_int_equal(store_outbox_each(((world *)ctx)->d->store, (outbox_key){0, OUTBOX_NOTICE}, no_notices, &count, NULL),
                     MANDATE_OK);
    return count == 0;
}

static void test_daemon__decisions_are_posted_signed_until_they_are_received(void **state)
{
    static receiver v = {.refuse = 1};
    world *w = world_open();
    char line[160], id[DECISION_ID + 1];
    buf whole;
    jws token;
    arena a;
    mandate_error err;

    receiver_open(&v);
    stop(w);
    snprintf(line, sizeof(line), "%s/mandated.yaml", w->folder);
    FILE *file = fopen(line, "a");
    assert_non_null(file);
    fprintf(file, "decisions: {webhook: \"http://127.0.0.1:%u/hook\"}\n", v.port);
    assert_int_equal(fclose(file), 0);
    start(w);
    open_deal(w);
    assert_int_equal(issue(w, "m", "", in_seconds(600)), MANDATE_OK);
    service_request r = {.kind = SERVICE_REVOKE,
                         .mandate = mandate_slice_str("m"),
                         .principal = mandate_slice_str("user:a"),
                         .second_person = true};
    assert_int_equal(ask(w, &r), MANDATE_OK);
    buf_deinit(&r.body);
    only_decision(w, DECISION_OPEN, id);
    assert_int_equal(decide(w, id, "user:b", "permitted"), MANDATE_OK);
    fixture_until(is_told_twice, &v, "both notices are received");
    fixture_until(outbox_is_empty, w, "received notices have left the outbox");
    assert_non_null(strstr(v.body, "\"type\":\"decision.permitted\",\"issuer\":\"https://i.example\""));
    assert_non_null(strstr(v.body, id));
    /* The detached payload is the body. */
    buf_init(&whole);
    arena_init(&a, 0);
    const char *dots = strstr(v.signature, "..");
    assert_non_null(dots);
    buf_put(&whole, v.signature, (size_t)(dots + 1 - v.signature));
    base64url_put(&whole, v.body, strlen(v.body));
    buf_put_str(&whole, dots + 1);
    assert_int_equal(jws_parse(&token, &a, buf_slice(&whole), "mandate-notice+jws", &err), MANDATE_OK);
    assert_int_equal(jws_verify(&token, &w->d->signer.keys, &err), MANDATE_OK);
    buf_deinit(&whole);
    arena_deinit(&a);
    world_close(w);
    receiver_close(&v);
}

static void test_daemon__the_mandates_of_another_issuer_are_not_opened(void **state)
{
    world *w = world_open();
    daemon_state *other = calloc(1, sizeof(*other));
    mandate_error err = {0};

    assert_non_null(other);
    assert_int_equal(issue(w, "m", "", in_seconds(3600)), MANDATE_OK);
    stop(w);
    write_config(w, "https://other.example");
    assert_int_equal(daemon_load(other, w->config, &err), MANDATE_OK);
    assert_int_equal(daemon_open(other, &err), MANDATE_INVALID);
    assert_non_null(strstr(err.text, "were issued by https://i.example"));
    daemon_close(other);
    free(other);
    write_config(w, "https://i.example");
    start(w);
    world_close(w);
}

static void test_daemon__requests_are_refused_while_stopping(void **state)
{
    world *w = world_open();
    service_request r = {.kind = SERVICE_GET};

    atomic_store(&w->d->stopping, true);
    assert_false(w->d->port.submit(w->d->port.ctx, &r));
    world_close(w);
}

static void test_daemon__metrics_are_lines_of_the_text_format(void **state)
{
    world *w = world_open();
    buf b;

    open_deal(w);
    buf_init(&b);
    w->d->port.metrics(w->d->port.ctx, &b);
    const char *text = buf_cstr(&b);
    assert_non_null(strstr(text, "\nmandated_records_total{connector=\"crm\",outcome=\"mapped\"} 1\n"));
    assert_non_null(strstr(text, "\nmandated_engine_changes_total{outcome=\"applied\"} 1\n"));
    assert_non_null(strstr(text, "\nmandated_outbox_pending 0\n"));
    assert_non_null(strstr(text, "\nmandated_build_info{version="));
    for (const char *line = text; *line; line = strchr(line, '\n') + 1)
        assert_true(!strncmp(line, "# ", 2) || !strncmp(line, "mandated_", 9));
    buf_deinit(&b);
    world_close(w);
}

/* --- compliance rules ------------------------------------------------------------------------------------------------- */
typedef struct audit_lines {
    char text[16384];
} audit_lines;

static bool add_line(void *ctx, uint64_t index, mandate_slice entry)
{
    audit_lines *l = ctx;
    size_t at = strlen(l->text);

    (void)index;
    snprintf(l->text + at, sizeof(l->text) - at, "%.*s\n", MANDATE_SLICE_ARG(entry));
    return true;
}

static void audited(world *w, audit_lines *out)
{
    mandate_error err = {0};

    out->text[0] = '\0';
    assert_int_equal(store_audit_each(w->d->store, 0, add_line, out, &err), MANDATE_OK);
}

static void put_rules(world *w, const char *rules)
{
    char yaml[2048];

    snprintf(yaml, sizeof(yaml),
             "issuer: https://i.example\ndata_dir: data\nentities: types.yaml\nconnectors: crm.yaml\n%s"
             "kafka: {bootstrap_servers: \"%s\"}\ntopics: {revocations: out, watches: flips, dead_letter: dead}\n"
             "revocations: {heartbeat: 60m}\nlog: {level: error}\n",
             rules ? "compliance: rules.yaml\n" : "", w->f.cluster.bootstrap);
    write_file(w->folder, "mandated.yaml", yaml);
    if (rules)
        write_file(w->folder, "rules.yaml", rules);
}

static void test_daemon__compliance_rules_refuse_flag_and_are_on_record(void **state)
{
    world *w = world_open();
    audit_lines lines;
    int64_t soon = clock_wall_us() + INT64_C(3600) * 1000000, late = soon + INT64_C(86400) * 100 * 1000000;

    put_rules(
        w,
        "compliance: c\nrules:\n"
        "  - {name: ends-soon, require: 'mandate.expires_at - now < duration(\"720h\")', message: it ends within 30 days}\n"
        "  - {name: child-is-shorter, applies: has(mandate.parent), require: mandate.expires_at < parent.expires_at,\n"
        "     message: a child ends before its parent}\n"
        "  - {name: names-audience, action: flag, require: has(mandate.audience), message: it names who may accept it}\n");
    assert_int_equal(issue(w, "before", "", late), MANDATE_OK);
    assert_int_equal(daemon_reload(w->d), RELOAD_DONE);
    assert_int_equal(issue(w, "late", "", late), MANDATE_DENIED);
    assert_false(permitted(w, "late"));
    assert_int_equal(issue(w, "root", "", soon), MANDATE_OK);
    assert_int_equal(issue(w, "equal", "root", soon), MANDATE_DENIED);
    assert_int_equal(issue(w, "child", "root", soon - 1), MANDATE_OK);
    audited(w, &lines);
    assert_non_null(strstr(lines.text, "compliance_refused"));
    assert_non_null(strstr(lines.text, "\"rule\":\"ends-soon\""));
    assert_non_null(strstr(lines.text, "\"operation\":\"delegate\",\"breaches\":[{\"rule\":\"child-is-shorter\""));
    assert_non_null(strstr(lines.text, "compliance_flagged"));
    /* It is the rules of the file after a restart too, and no rules without one. */
    stop(w);
    start(w);
    assert_int_equal(issue(w, "late", "", late), MANDATE_DENIED);
    put_rules(w, "compliance: c\nrules: []\n");
    assert_int_equal(daemon_reload(w->d), RELOAD_REFUSED);
    assert_int_equal(issue(w, "late", "", late), MANDATE_DENIED);
    put_rules(w, NULL);
    assert_int_equal(daemon_reload(w->d), RELOAD_DONE);
    assert_int_equal(issue(w, "late", "", late), MANDATE_OK);
    world_close(w);
}

/* Parent and child in one step: the child's rule sees the parent; a flag's entry of the log stands between them. */
static void test_daemon__many_issued_at_once_are_each_asked_about(void **state)
{
    enum { COUNT = 600 };
    static const mandate_slice all[] = {MANDATE_SLICE_LIT("*")};
    world *w = world_open();
    int64_t soon = clock_wall_us() + INT64_C(3600) * 1000000;
    service_request *requests = calloc(COUNT, sizeof(*requests));
    claims *c = calloc(COUNT, sizeof(*c));
    char(*ids)[16] = calloc(COUNT, sizeof(*ids));
    _Atomic bool *done = calloc(COUNT, sizeof(*done));

    put_rules(
        w, "compliance: c\nrules:\n"
           "  - {name: odd, require: '!mandate.purpose.contains(\"3\")', message: no three}\n"
           "  - {name: above, action: flag, require: '!has(mandate.parent) || parent.purpose == \"p0\"', message: of p0}\n");
    assert_int_equal(daemon_reload(w->d), RELOAD_DONE);
    for (int i = 0; i < COUNT; i++) {
        snprintf(ids[i], sizeof(ids[i]), "p%d", i);
        c[i] = (claims){.id = mandate_slice_str(ids[i]),
                        .issuer = mandate_slice_str("https://i.example"),
                        .grantor = mandate_slice_str("g"),
                        .agent = mandate_slice_str("a"),
                        .purpose = mandate_slice_str(ids[i]),
                        .actions = all,
                        .resources = all,
                        .action_count = 1,
                        .resource_count = 1,
                        .params = cel_null(),
                        .targets = cel_null(),
                        .expires_at_us = soon - i,
                        .depth_max = i ? 0 : 5};
        if (i)
            c[i].parent = mandate_slice_str("p0");
        requests[i] = (service_request){.kind = SERVICE_ISSUE,
                                        .claims = &c[i],
                                        .principal = mandate_slice_str("g"),
                                        .done = answered,
                                        .ctx = (void *)&done[i]};
        buf_init(&requests[i].body);
        assert_true(w->d->port.submit(w->d->port.ctx, &requests[i]));
    }
    for (int i = 0; i < COUNT; i++) {
        fixture_until(is_answered, (void *)&done[i], "the request is answered");
        bool refused = strchr(ids[i], '3') != NULL;
        if (requests[i].error.status != (refused ? MANDATE_DENIED : MANDATE_OK))
            fail_msg("%s: %s", ids[i], requests[i].error.text);
        assert_null(strstr(buf_cstr(&requests[i].body), "\"flags\""));
        assert_int_equal(permitted(w, ids[i]), !refused);
        buf_deinit(&requests[i].body);
    }
    free(requests);
    free(c);
    free(ids);
    free(done);
    world_close(w);
}

/* The text of a member whose value is a string without escapes, from where it stands last. */
static mandate_slice last_text(const service_request *r, const char *member)
{
    char name[32];
    const char *at = NULL;

    snprintf(name, sizeof(name), "\"%s\":\"", member);
    for (const char *p = r->body.data; (p = memmem(p, r->body.len - (size_t)(p - r->body.data), name, strlen(name))); p++)
        at = p + strlen(name);
    assert_non_null(at);
    return mandate_slice_of(at, strcspn(at, "\""));
}

static void test_daemon__what_issuing_answers_is_what_is_stored_then(void **state)
{
    static const mandate_slice all[] = {MANDATE_SLICE_LIT("*")};
    static const char *const ids[] = {"root", "middle", "leaf"};
    world *w = world_open();
    mandate_error err;
    arena a;
    jws parsed;

    arena_init(&a, 0);
    for (int i = 0; i < 3; i++) {
        claims c = {.id = mandate_slice_str(ids[i]),
                    .issuer = mandate_slice_str("https://i.example"),
                    .grantor = mandate_slice_str("g"),
                    .agent = mandate_slice_str("a"),
                    .purpose = mandate_slice_str("p"),
                    .actions = all,
                    .resources = all,
                    .action_count = 1,
                    .resource_count = 1,
                    .params = cel_null(),
                    .targets = cel_null(),
                    .parent = i ? mandate_slice_str(ids[i - 1]) : (mandate_slice){"", 0},
                    .expires_at_us = in_seconds(3600 - i),
                    .depth_max = 5 - (uint32_t)i};
        service_request issued = {.kind = SERVICE_ISSUE, .claims = &c, .principal = mandate_slice_str("g")};
        service_request again = issued, seen = {.kind = SERVICE_GET, .mandate = c.id};
        service_request chain = {.kind = SERVICE_TOKEN, .mandate = c.id};

        assert_int_equal(ask(w, &issued), MANDATE_OK);
        assert_int_equal(ask(w, &seen), MANDATE_OK);
        assert_int_equal(ask(w, &again), MANDATE_OK);
        assert_int_equal(ask(w, &chain), MANDATE_OK);
        /* The resource, then what only issuing says; asked for again it comes from the store. */
        assert_true(issued.body.len > seen.body.len);
        assert_memory_equal(issued.body.data, seen.body.data, seen.body.len - 1);
        assert_true(again.repeated && mandate_slice_eq(buf_slice(&issued.body), buf_slice(&again.body)));
        mandate_slice token = last_text(&issued, "token");
        assert_true(mandate_slice_eq(token, last_text(&chain, "token")));
        uint32_t tokens = 0;
        const char *at = strchr(buf_cstr(&chain.body), '[');
        while (*(at += strcspn(at, "\"]")) == '"') {
            mandate_slice one = mandate_slice_of(at + 1, strcspn(at + 1, "\""));
            at = one.ptr + one.len + 1;
            assert_int_equal(jws_parse(&parsed, &a, one, "mandate+jwt", &err), MANDATE_OK);
            assert_int_equal(jws_verify(&parsed, &w->d->signer.keys, &err), MANDATE_OK);
            tokens++;
        }
        assert_int_equal(tokens, i + 1);
        buf_deinit(&issued.body);
        buf_deinit(&seen.body);
        buf_deinit(&again.body);
        buf_deinit(&chain.body);
    }
    arena_deinit(&a);
    world_close(w);
}

static void test_daemon__a_backtest_says_when_it_would_have_ended_and_issues_nothing(void **state)
{
    static const mandate_slice all[] = {MANDATE_SLICE_LIT("*")};
    world *w = world_open();
    char from[TIME_TEXT_MAX + 1];
    service_request r = {.kind = SERVICE_BACKTEST};
    claims c = {.id = mandate_slice_str("trial"),
                .issuer = mandate_slice_str("https://i.example"),
                .grantor = mandate_slice_str("g"),
                .agent = mandate_slice_str("a"),
                .purpose = mandate_slice_str("p"),
                .actions = all,
                .resources = all,
                .action_count = 1,
                .resource_count = 1,
                .clause = {[CLAUSE_WHILE] = mandate_slice_str("deal[\"D-1\"].status == \"open\"")},
                .params = cel_null(),
                .targets = cel_null(),
                .expires_at_us = clock_wall_us() + INT64_C(3600) * 1000000,
                .depth_max = 0};

    open_deal(w);
    from[time_format_us(from, clock_now_us())] = '\0';
    assert_int_equal(issue(w, "real", "", c.expires_at_us), MANDATE_OK);
    fixture_produce(&w->f, "in", 0, "D-1", "{\"id\":\"D-1\",\"status\":\"closed\"}");
    waiting ended = {w, "real", NULL, 0};
    fixture_until(is_ended, &ended, "the mandate has ended");
    r.backtest = (service_backtest){.mandates = &c, .count = 1, .from = mandate_slice_str(from)};
    assert_int_equal(ask(w, &r), MANDATE_OK);
    const char *body = buf_cstr(&r.body);
    if (!strstr(body, "\"complete\":true") || !strstr(body, "\"id\":\"trial\",\"state\":\"revoked\",\"refused\":null") ||
        !strstr(body, "\"reason\":\"while_false\"") || !strstr(body, "\"value\":\"closed\""))
        fail_msg("%s", body);
    buf_deinit(&r.body);
    assert_false(permitted(w, "trial"));
    service_request gone = {.kind = SERVICE_GET, .mandate = mandate_slice_str("trial")};
    assert_int_equal(ask(w, &gone), MANDATE_NOT_FOUND);
    buf_deinit(&gone.body);
    r.backtest.from = mandate_slice_str("yesterday");
    assert_int_equal(ask(w, &r), MANDATE_INVALID);
    buf_deinit(&r.body);
    world_close(w);
}

/* --- the signer process ------------------------------------------------------------------------------------------------- */
typedef struct signing {
    serve_options options;
    pthread_t thread;
    _Atomic bool stopping;
    char path[128];
    token_key *key;
} signing;

static void *sign_for_us(void *opaque)
{
    signing *s = opaque;
    mandate_error err = {0};

    if (serve_run(&s->options, NULL, &err) != MANDATE_OK)
        print_message("signer: %s\n", err.text);
    return NULL;
}

static bool answers(void *opaque)
{
    signing *s = opaque;
    signer_client *c = NULL;
    mandate_error err;
    bool there = signer_client_open(&c, s->path, SIGNER_TOKENS, &err) == MANDATE_OK;

    signer_client_close(c);
    return there;
}

static void signer_start(signing *s)
{
    atomic_store(&s->stopping, false);
    assert_int_equal(pthread_create(&s->thread, NULL, sign_for_us, s), 0);
    fixture_until(answers, s, "the signer answers");
}

static void signer_stop(signing *s)
{
    atomic_store(&s->stopping, true);
    pthread_join(s->thread, NULL);
}

static void test_daemon__without_its_signer_nothing_is_issued_and_checks_go_on(void **state)
{
    world *w = world_open();
    mandate_error err = {0};
    signing s = {.options = {.uids = {getuid()}, .uid_count = 1}};
    char yaml[2048];
    int64_t soon = clock_wall_us() + INT64_C(3600) * 1000000;

    stop(w);
    assert_int_equal(token_key_generate(&s.key, TOKEN_EDDSA, &err), MANDATE_OK);
    snprintf(s.path, sizeof(s.path), "%s/signer", w->folder);
    s.options.path = s.path;
    s.options.keys[SIGNER_TOKENS] = s.key;
    s.options.stopping = &s.stopping;
    signer_start(&s);
    snprintf(
        yaml, sizeof(yaml),
        "issuer: https://i.example\ndata_dir: data\nentities: types.yaml\nconnectors: crm.yaml\nsigning: {signer: signer}\n"
        "kafka: {bootstrap_servers: \"%s\"}\ntopics: {revocations: out, watches: flips, dead_letter: dead}\n"
        "revocations: {heartbeat: 60m}\nlog: {level: error}\n",
        w->f.cluster.bootstrap);
    write_file(w->folder, "mandated.yaml", yaml);
    start(w);
    open_deal(w);
    assert_int_equal(issue(w, "one", "", soon), MANDATE_OK);
    service_request token = {.kind = SERVICE_TOKEN, .mandate = mandate_slice_str("one")};
    assert_int_equal(ask(w, &token), MANDATE_OK);
    buf_deinit(&token.body);
    signer_stop(&s);
    assert_int_equal(issue(w, "two", "", soon), MANDATE_UNAVAILABLE);
    assert_int_equal(ask(w, &token), MANDATE_UNAVAILABLE);
    buf_deinit(&token.body);
    assert_true(permitted(w, "one"));
    service_request gone = {.kind = SERVICE_GET, .mandate = mandate_slice_str("two")};
    assert_int_equal(ask(w, &gone), MANDATE_NOT_FOUND);
    buf_deinit(&gone.body);
    service_request revoke = {
        .kind = SERVICE_REVOKE, .mandate = mandate_slice_str("one"), .principal = mandate_slice_str("g")};
    assert_int_equal(ask(w, &revoke), MANDATE_OK);
    buf_deinit(&revoke.body);
    assert_false(permitted(w, "one"));
    signer_start(&s);
    usleep(2 * CLIENT_AGAIN_MS * 1000);
    assert_int_equal(issue(w, "two", "", soon), MANDATE_OK);
    world_close(w);
    signer_stop(&s);
    token_key_destroy(s.key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_daemon__a_business_event_ends_a_mandate_and_its_descendants),
        cmocka_unit_test(test_daemon__what_happened_while_it_was_down_is_taken_in_after_the_restart),
        cmocka_unit_test(test_daemon__a_deadline_passed_while_down_is_an_end_before_the_first_request),
        cmocka_unit_test(test_daemon__a_mandate_expires_on_time_without_any_event),
        cmocka_unit_test(test_daemon__every_flip_of_a_watch_is_published_once_and_survives_a_restart),
        cmocka_unit_test(test_daemon__a_command_waits_for_a_second_person_across_a_restart),
        cmocka_unit_test(test_daemon__decisions_are_posted_signed_until_they_are_received),
        cmocka_unit_test(test_daemon__the_mandates_of_another_issuer_are_not_opened),
        cmocka_unit_test(test_daemon__requests_are_refused_while_stopping),
        cmocka_unit_test(test_daemon__compliance_rules_refuse_flag_and_are_on_record),
        cmocka_unit_test(test_daemon__many_issued_at_once_are_each_asked_about),
        cmocka_unit_test(test_daemon__what_issuing_answers_is_what_is_stored_then),
        cmocka_unit_test(test_daemon__a_backtest_says_when_it_would_have_ended_and_issues_nothing),
        cmocka_unit_test(test_daemon__without_its_signer_nothing_is_issued_and_checks_go_on),
        cmocka_unit_test(test_daemon__metrics_are_lines_of_the_text_format),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

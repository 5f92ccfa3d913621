/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_checkpointer - a database goes with its last checkpoint or is not started; what is signed never contradicts itself; and
 * nothing is granted while nothing can be signed.
 */
#include "connectors/daemon/record/checkpointer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../kafka/fixture.h"
#include "connectors/daemon/base/clock.h"
#include "connectors/daemon/keys/status_lists.h"
#include "connectors/signer/client.h"
#include "connectors/signer/serve.h"
#include "connectors/token/key_file.h"

#include <pthread.h>

#define S(text) mandate_slice_str(text)
#define OK(call)                                 \
    do {                                         \
        if ((call) != MANDATE_OK)                \
            fail_msg("%s: %s", #call, err.text); \
    } while (0)

typedef struct world {
    char folder[64], data[128], file[160];
    config config;
    schema *schema;
    store *store;
    engine *engine;
    checkpointer *c;
    const checkpointer_topic *topic;
} world;

static void run(const char *format, ...) MANDATE_PRINTF(1, 2);
static void run(const char *format, ...)
{
    char command[512];
    va_list args;
    va_start(args, format);
    vsnprintf(command, sizeof(command), format, args);
    va_end(args);
    assert_int_equal(system(command), 0);
}

static mandate_status try_open(world *w, bool accept, mandate_error *out)
{
    mandate_error err;
    kv *backend = NULL;
    bool older = false;
    uint64_t seq;
    OK(schema_create(&w->schema, &err));
    OK(schema_freeze(w->schema, &err));
    OK(kv_open_rocksdb(&backend, w->data, &err));
    mandate_status status = accept ? store_open_older(&w->store, backend, w->schema, &older, &err)
                                   : store_open(&w->store, backend, w->schema, &err);
    if (status) {
        kv_close(backend);
        schema_destroy(w->schema);
        *out = err;
        return status;
    }
    engine_options options = {.version = ENGINE_OPTIONS_VERSION,
                              .schema = w->schema,
                              .issuer = S("https://i.example/"),
                              .claims_load = store_claims_load,
                              .claims_ctx = w->store};
    OK(engine_create(&w->engine, &options, &err));
    OK(store_recover(w->store, w->engine, &seq, &err));
    status = checkpointer_open(&w->c, &w->config, w->store, w->engine, w->topic, accept, older, &err);
    if (status == MANDATE_OK)
        status = checkpointer_start(w->c, NULL, &err);
    *out = err;
    return status;
}

static void close_all(world *w)
{
    if (w->c)
        assert_true(checkpointer_stop(w->c, 60000));
    checkpointer_destroy(w->c);
    engine_destroy(w->engine);
    store_close(w->store);
    schema_destroy(w->schema);
    w->c = NULL;
}

static void start(world *w)
{
    mandate_error err;
    if (try_open(w, false, &err) != MANDATE_OK)
        fail_msg("%s", err.text);
}

static void refused(world *w, const char *words)
{
    mandate_error err;
    assert_int_equal(try_open(w, false, &err), MANDATE_CORRUPT);
    if (!strstr(err.text, words))
        fail_msg("\"%s\" does not say \"%s\"", err.text, words);
    close_all(w);
}

/* One entry, committed. */
static void add(world *w)
{
    mandate_error err;
    engine_result result;
    engine_input in = {.kind = INPUT_COMMAND,
                       .command = {.kind = COMMAND_LOG, .event = S("checked"), .detail = S("{\"n\":1}")}};
    engine_batch batch = {.seq = engine_seq(w->engine) + 1, .now_us = clock_wall_us(), .inputs = &in, .count = 1};
    store_commit_input commit = {.engine = w->engine, .batch = &batch, .result = &result};
    uint64_t size;
    merkle_hash root;
    OK(engine_step(w->engine, &batch, &result, &err));
    OK(store_commit(w->store, &commit, &err));
    store_audit_head(w->store, &size, &root);
    checkpointer_committed(w->c, size, &root);
}

static void wait_signed(world *w, uint64_t size)
{
    checkpointer_status s;
    for (int i = 0; i < 20000; i++) {
        checkpointer_status_get(w->c, &s);
        if (s.signed_entries == size)
            return;
        usleep(1000);
    }
    fail_msg("%llu of %llu entries were signed", (unsigned long long)s.signed_entries, (unsigned long long)size);
}

static void wait_blocked(world *w)
{
    for (int i = 0; i < 20000 && !checkpointer_blocked(w->c); i++)
        usleep(1000);
    assert_true(checkpointer_blocked(w->c));
}

/* It is blocked by the clock, whether or not its thread has come to try: until that has tried so often, and says why it failed. */
static void wait_trouble(world *w, uint64_t failures, const char *words)
{
    checkpointer_status s;
    for (int i = 0; i < 20000; i++) {
        checkpointer_status_get(w->c, &s);
        if (s.failures >= failures && strstr(s.trouble, words))
            return;
        usleep(1000);
    }
    fail_msg("after %llu failures: %s", (unsigned long long)s.failures, s.trouble);
}

/* What the file says, with its signature verified by the key that the process gives out. */
static checkpoint read_file(world *w)
{
    char text[4096] = "";
    mandate_error err;
    checkpoint out;
    note_key key;
    buf b;
    FILE *f = fopen(w->file, "r");
    assert_non_null(f);
    size_t len = fread(text, 1, sizeof(text), f);
    fclose(f);
    buf_init(&b);
    checkpointer_put_key(w->c, &b);
    OK(note_key_parse(&key, buf_slice(&b), &err));
    OK(checkpoint_open(&out, mandate_slice_of(text, len), &key, 1, &err));
    note_key_deinit(&key);
    buf_deinit(&b);
    return out;
}

static int setup(void **state)
{
    world *w = calloc(1, sizeof(*w));
    strcpy(w->folder, "/tmp/mandated-test-XXXXXX");
    assert_non_null(mkdtemp(w->folder));
    snprintf(w->data, sizeof(w->data), "%s/data", w->folder);
    snprintf(w->file, sizeof(w->file), "%s.checkpoint", w->data);
    assert_int_equal(mkdir(w->data, 0700), 0);
    w->config.issuer = "https://i.example/";
    w->config.data_dir = w->data;
    w->config.audit.interval_us = 1000;
    w->config.audit.max_unsigned_us = 60 * 1000000;
    w->config.audit.entries = 1000;
    *state = w;
    return 0;
}

static int teardown(void **state)
{
    world *w = *state;
    run("rm -rf '%s'", w->folder);
    free(w);
    return 0;
}

static void test_checkpointer__the_file_says_what_the_log_has_come_to(void **state)
{
    world *w = *state;
    merkle_hash root;
    uint64_t size;
    start(w);
    checkpoint c = read_file(w);
    assert_string_equal(c.origin, "i.example/audit");
    assert_int_equal(c.size, 0);
    for (int i = 0; i < 5; i++)
        add(w);
    wait_signed(w, 5);
    c = read_file(w);
    store_audit_head(w->store, &size, &root);
    assert_int_equal(c.size, 5);
    assert_true(merkle_hash_eq(&c.root, &root));
    assert_false(checkpointer_blocked(w->c));
    close_all(w);
    start(w); /* the same goes on */
    add(w);
    wait_signed(w, 6);
    close_all(w);
}

/* What the thread did not come to is signed when it is stopped, and by the next start after a kill. */
static void test_checkpointer__what_was_not_signed_is_signed_by_the_next_start(void **state)
{
    world *w = *state;
    w->config.audit.interval_us = INT64_C(3600) * 1000000;
    start(w);
    add(w);
    close_all(w);
    start(w);
    assert_int_equal(read_file(w).size, 1);
    run("cp '%s' '%s/kept'", w->file, w->folder);
    add(w);
    close_all(w);
    run("cp '%s/kept' '%s'", w->folder, w->file); /* as if it had been killed before it signed */
    w->config.audit.interval_us = 1000;
    start(w);
    wait_signed(w, 2);
    close_all(w);
}

static void test_checkpointer__an_older_database_is_refused_and_accepted_only_when_told(void **state)
{
    world *w = *state;
    mandate_error err;
    start(w);
    add(w);
    add(w);
    close_all(w);
    run("cp -a '%s' '%s/old' && cp -a '%s.anchor' '%s/old.anchor'", w->data, w->folder, w->data, w->folder);
    assert_int_equal(try_open(w, true, &err), MANDATE_INVALID); /* nothing to accept */
    assert_non_null(strstr(err.text, "nothing to accept"));
    close_all(w);
    start(w);
    add(w);
    close_all(w);
    run("rm -r '%s' && cp -a '%s/old' '%s' && cp -a '%s/old.anchor' '%s.anchor'", w->data, w->folder, w->data, w->folder,
        w->data);
    refused(w, "older than its last checkpoint: its audit log has 2 entries");
    OK(try_open(w, true, &err));
    checkpoint c = read_file(w);
    assert_string_equal(c.origin, "i.example/audit/2"); /* another log: the old name signs no contradiction */
    assert_int_equal(c.size, 3);
    buf entry;
    merkle_hash leaf;
    buf_init(&entry);
    OK(store_audit_get(w->store, 2, &entry, &leaf, &err));
    assert_non_null(strstr(buf_cstr(&entry), "\"event\":\"database_accepted\""));
    assert_non_null(strstr(buf_cstr(&entry), "\"checkpoint\":{\"origin\":\"i.example/audit\",\"size\":3,\"root\":\""));
    buf_deinit(&entry);
    close_all(w);
    start(w);
    close_all(w);
    /* The copy from before that is older still, and of the old name. */
    run("rm -r '%s' && cp -a '%s/old' '%s' && cp -a '%s/old.anchor' '%s.anchor'", w->data, w->folder, w->data, w->folder,
        w->data);
    refused(w, "is of the log i.example/audit/2 and the database holds i.example/audit:");
}

static void test_checkpointer__an_older_anchor_alone_is_enough_to_refuse(void **state)
{
    world *w = *state;
    mandate_error err;
    start(w);
    add(w);
    close_all(w);
    run("cp -a '%s' '%s/old' && cp '%s' '%s/kept'", w->data, w->folder, w->file, w->folder);
    start(w);
    add(w);
    close_all(w);
    run("rm -r '%s' && cp -a '%s/old' '%s' && cp '%s/kept' '%s'", w->data, w->folder, w->data, w->folder, w->file);
    w->store = NULL;
    assert_int_equal(try_open(w, false, &err), MANDATE_CORRUPT);
    assert_non_null(strstr(err.text, "data.anchor says so"));
    OK(try_open(w, true, &err));
    assert_string_equal(read_file(w).origin, "i.example/audit/2");
    close_all(w);
    start(w);
    close_all(w);
}

static void test_checkpointer__another_database_or_a_missing_file_is_refused(void **state)
{
    world *w = *state;
    mandate_error err;
    start(w);
    add(w);
    close_all(w);
    run("mv '%s' '%s/kept'", w->file, w->folder);
    refused(w, "its last checkpoint, is missing");
    run("mv '%s/kept' '%s'", w->folder, w->file);
    /* The same sizes with other content. */
    run("mv '%s' '%s/one' && mv '%s.anchor' '%s/one.anchor' && mv '%s' '%s/kept' && mkdir -m 700 '%s'", w->data, w->folder,
        w->data, w->folder, w->file, w->folder, w->data);
    run("cp -p '%s/one/audit-key.pem' '%s'", w->folder, w->data);
    start(w);
    add(w);
    close_all(w);
    run("mv '%s/kept' '%s'", w->folder, w->file);
    refused(w, "are not those that");
    OK(try_open(w, true, &err));
    close_all(w);
}

/* The file is written first: killed before the log got its name, a start leaves a checkpoint of nothing beside an empty database. */
static void test_checkpointer__an_interrupted_first_start_goes_on_and_a_lost_database_does_not(void **state)
{
    world *w = *state;
    start(w);
    assert_int_equal(read_file(w).size, 0);
    close_all(w);
    run("cp -p '%s/audit-key.pem' '%s/key' && rm -r '%s' && rm -f '%s.anchor' && mkdir -m 700 '%s' && mv '%s/key' "
        "'%s/audit-key.pem'",
        w->data, w->folder, w->data, w->data, w->data, w->folder, w->data);
    start(w);
    add(w);
    wait_signed(w, 1);
    close_all(w);
    run("cp -p '%s/audit-key.pem' '%s/key' && rm -r '%s' && rm -f '%s.anchor' && mkdir -m 700 '%s' && mv '%s/key' "
        "'%s/audit-key.pem'",
        w->data, w->folder, w->data, w->data, w->data, w->folder, w->data);
    refused(w, "holds none yet");
}

static void test_checkpointer__a_key_that_is_gone_is_not_replaced_and_a_former_one_is_accepted(void **state)
{
    world *w = *state;
    mandate_error err;
    char former[512];
    const char *items[] = {former};
    buf key;
    buf_init(&key);
    start(w);
    checkpointer_put_key(w->c, &key);
    snprintf(former, sizeof(former), "%s", buf_cstr(&key));
    buf_deinit(&key);
    close_all(w);
    run("mv '%s/audit-key.pem' '%s/kept.pem'", w->data, w->folder);
    assert_int_equal(try_open(w, false, &err), MANDATE_NOT_FOUND);
    assert_non_null(strstr(err.text, "put the key back"));
    close_all(w);
    run("mv '%s' '%s.away'", w->file, w->file);
    /* A new key over an old log: the file is not signed by it. */
    run("rm -rf '%s/other' && mkdir '%s/other'", w->folder, w->folder);
    run("openssl genpkey -algorithm ed25519 -out '%s/new.pem' 2>/dev/null && chmod 600 '%s/new.pem'", w->folder, w->folder);
    run("mv '%s.away' '%s'", w->file, w->file);
    char path[128];
    snprintf(path, sizeof(path), "%s/new.pem", w->folder);
    w->config.audit.key = path;
    refused(w, "was not signed by audit.key");
    w->config.audit.former = (config_list){items, 1};
    start(w);
    add(w);
    close_all(w);
    w->config.audit.former = (config_list){NULL, 0};
    start(w); /* signed by the new one since */
    close_all(w);
}

static void test_checkpointer__a_log_keeps_its_name_and_a_name_that_can_be_none_is_refused(void **state)
{
    world *w = *state;
    mandate_error err;
    start(w);
    close_all(w);
    w->config.audit.origin = "other.example/log";
    assert_int_equal(try_open(w, false, &err), MANDATE_INVALID);
    assert_non_null(strstr(err.text, "keeps its name for ever"));
    close_all(w);
    w->config.audit.origin = "two words";
    assert_int_equal(try_open(w, false, &err), MANDATE_INVALID);
    close_all(w);
}

/* A status list says "valid": it is not there while nothing may be granted. */
static void check_no_status_list(checkpointer *c)
{
    status_lists *lists;
    view *v;
    signer keys = {0};
    mandate_error err;
    buf b;
    assert_int_equal(view_create(&v, &(view_options){0}, &err), MANDATE_OK);
    assert_int_equal(
        status_lists_create(&lists, &(status_lists_options){.view = v, .signer = &keys, .audit = c, .issuer = "i"}, &err),
        MANDATE_OK);
    buf_init(&b);
    assert_int_equal(status_lists_put(lists, &b, 0, &err), MANDATE_UNAVAILABLE);
    assert_int_equal(b.len, 0);
    buf_deinit(&b);
    status_lists_destroy(lists);
    view_destroy(v);
}

static void test_checkpointer__nothing_is_granted_once_nothing_could_be_signed_for_too_long(void **state)
{
    world *w = *state;
    checkpointer_status s;
    char moved[256];
    w->config.audit.max_unsigned_us = 50000;
    w->config.audit.file = w->file;
    snprintf(w->file, sizeof(w->file), "%s/out/checkpoint", w->folder);
    start(w);
    snprintf(moved, sizeof(moved), "%s/out", w->folder);
    run("mv '%s' '%s.away' && touch '%s'", moved, moved, moved); /* a folder that is a file takes no file */
    assert_false(checkpointer_blocked(w->c));
    add(w);
    wait_blocked(w);
    wait_trouble(w, 1, "cannot");
    checkpointer_status_get(w->c, &s);
    assert_true(s.blocked);
    check_no_status_list(w->c);
    assert_int_equal(s.signed_entries, 0);
    run("rm '%s' && mv '%s.away' '%s'", moved, moved, moved);
    wait_signed(w, 1);
    assert_false(checkpointer_blocked(w->c));
    checkpointer_status_get(w->c, &s);
    assert_string_equal(s.trouble, "");
    close_all(w);
}

/* --- the key at a signer ------------------------------------------------------------------------------------------- */
typedef struct over_there {
    serve_options options;
    token_key *key;
    _Atomic bool stopping;
    pthread_t thread;
    char socket[96], key_path[96];
} over_there;

static void *serve(void *ctx)
{
    over_there *o = ctx;
    mandate_error err;
    if (serve_run(&o->options, NULL, &err) != MANDATE_OK)
        fprintf(stderr, "%s\n", err.text);
    return NULL;
}

static void signer_start(over_there *o, const world *w, const char *key)
{
    mandate_error err;
    snprintf(o->socket, sizeof(o->socket), "%s/signer.sock", w->folder);
    snprintf(o->key_path, sizeof(o->key_path), "%s/%s.pem", w->folder, key);
    if (access(o->key_path, F_OK) == 0)
        OK(key_file_read(&o->key, o->key_path, &err));
    else
        OK(key_file_create(&o->key, o->key_path, TOKEN_EDDSA, &err));
    atomic_store(&o->stopping, false);
    o->options = (serve_options){
        .path = o->socket, .keys = {[SIGNER_LOG] = o->key}, .uids = {getuid()}, .uid_count = 1, .stopping = &o->stopping};
    assert_int_equal(pthread_create(&o->thread, NULL, serve, o), 0);
    signer_client *c = NULL;
    for (int i = 0; i < 20000 && !c; i++) {
        if (signer_client_open(&c, o->socket, SIGNER_LOG, &err) != MANDATE_OK)
            usleep(1000);
    }
    assert_non_null(c);
    signer_client_close(c);
}

static void signer_stop(over_there *o)
{
    atomic_store(&o->stopping, true);
    pthread_join(o->thread, NULL);
    token_key_destroy(o->key);
}

static void test_checkpointer__a_signer_keeps_the_key_and_while_it_is_away_nothing_is_granted(void **state)
{
    world *w = *state;
    over_there o = {0}, other = {0};
    mandate_error err;
    char path[160];
    checkpointer_status s;
    w->config.audit.max_unsigned_us = 50000;
    signer_start(&o, w, "log");
    w->config.audit.signer = o.socket;
    start(w);
    add(w);
    wait_signed(w, 1);
    assert_int_equal(read_file(w).size, 1);
    snprintf(path, sizeof(path), "%s/" CHECKPOINTER_KEY_FILE, w->data);
    assert_int_equal(access(path, F_OK), -1); /* no key was made here */
    signer_stop(&o);
    add(w);
    wait_blocked(w);
    wait_trouble(w, 1, "nothing is signed meanwhile");
    check_no_status_list(w->c);
    assert_int_equal(read_file(w).size, 1);
    signer_start(&other, w, "another"); /* one that comes back with another key is not believed */
    checkpointer_status_get(w->c, &s);
    wait_trouble(w, s.failures + 3, "");
    assert_true(checkpointer_blocked(w->c));
    assert_int_equal(read_file(w).size, 1);
    signer_stop(&other);
    signer_start(&o, w, "log");
    wait_signed(w, 2);
    assert_false(checkpointer_blocked(w->c));
    close_all(w);
    signer_stop(&o);
    assert_int_equal(try_open(w, false, &err), MANDATE_UNAVAILABLE); /* not started without it, and no key made instead */
    assert_int_equal(access(path, F_OK), -1);
    close_all(w);
    signer_start(&o, w, "log");
    start(w);
    close_all(w);
    signer_stop(&o);
}

/* --- the topic ----------------------------------------------------------------------------------------------------- */
static void topic_open(world *w, fixture *f, checkpointer_topic *topic)
{
    fixture_open(f);
    *topic = (checkpointer_topic){&f->cluster, &f->host, 10000};
    w->config.topics.checkpoints = "dead"; /* of one partition */
    w->topic = topic;
}

/* As the daemon publishes it: what stands in the file now. */
static void publish(world *w, fixture *f, const char *topic)
{
    char text[4096] = "", origin[600];
    FILE *file = fopen(w->file, "r");
    assert_non_null(file);
    assert_true(fread(text, 1, sizeof(text) - 1, file) > 0);
    fclose(file);
    snprintf(origin, sizeof(origin), "%.*s", (int)strcspn(text, "\n"), text);
    fixture_produce(f, topic, -1, origin, text);
}

static void test_checkpointer__a_missing_file_is_made_anew_from_the_topic(void **state)
{
    world *w = *state;
    mandate_error err;
    fixture f;
    checkpointer_topic topic;
    topic_open(w, &f, &topic);
    start(w);
    for (int i = 1; i <= 3; i++) {
        add(w);
        wait_signed(w, (uint64_t)i);
        publish(w, &f, "dead");
    }
    close_all(w);
    /* Others write there, too: another log, rubbish, and a checkpoint of our name that another key signed. */
    for (int i = 0; i < 700; i++)
        fixture_produce(&f, "dead", -1, i % 2 ? "other.example/audit" : "i.example/audit", i % 3 ? "rubbish\n1\n\n" : NULL);
    fixture_produce(&f, "dead", -1, "i.example/audit",
                    "i.example/audit\n99\nq1J3PNMUhpZfwCGc8NmnhTPcmGJzWCUHTSqBFBBDm5c=\n\n"
                    "\xE2\x80\x94 i.example/audit Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/"
                    "Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n");
    run("mv '%s' '%s/kept'", w->file, w->folder);
    start(w);
    assert_int_equal(read_file(w).size, 3);
    close_all(w);
    run("cmp '%s' '%s/kept'", w->file, w->folder);
    /* No topic, and no file: it cannot be told. */
    run("rm '%s'", w->file);
    w->config.topics.checkpoints = "flips";
    refused(w, "is missing; there is none on the topic flips");
    const kafka_cluster away = {.bootstrap = "127.0.0.1:1"};
    topic = (checkpointer_topic){&away, &f.host, 400};
    refused(w, "no Kafka broker can be reached");
    OK(try_open(w, true, &err));
    assert_string_equal(read_file(w).origin, "i.example/audit/2");
    close_all(w);
    fixture_close(&f);
}

/* Database, anchor and file go back together, as with a copy of the machine: only the topic knows. */
static void test_checkpointer__the_topic_knows_what_database_and_file_have_forgotten(void **state)
{
    world *w = *state;
    mandate_error err;
    fixture f;
    checkpointer_topic topic;
    topic_open(w, &f, &topic);
    w->config.topics.checkpoints = "out"; /* of four partitions */
    start(w);
    add(w);
    wait_signed(w, 1);
    publish(w, &f, "out");
    close_all(w);
    run("cp -a '%s' '%s/old' && cp -a '%s.anchor' '%s/old.anchor' && cp -a '%s' '%s/kept'", w->data, w->folder, w->data,
        w->folder, w->file, w->folder);
    start(w);
    add(w);
    wait_signed(w, 2);
    publish(w, &f, "out");
    close_all(w);
    run("rm -r '%s' && cp -a '%s/old' '%s' && cp -a '%s/old.anchor' '%s.anchor' && cp -a '%s/kept' '%s'", w->data, w->folder,
        w->data, w->folder, w->data, w->folder, w->file);
    refused(w, "its audit log has 1 entries and the topic out was signed over 2");
    /* With the topic away the file alone is asked. */
    const kafka_cluster away = {.bootstrap = "127.0.0.1:1"};
    topic.cluster = &away;
    start(w);
    close_all(w);
    topic.cluster = &f.cluster;
    OK(try_open(w, true, &err));
    assert_string_equal(read_file(w).origin, "i.example/audit/2");
    buf entry;
    merkle_hash leaf;
    buf_init(&entry);
    OK(store_audit_get(w->store, 1, &entry, &leaf, &err));
    assert_non_null(strstr(buf_cstr(&entry), "\"event\":\"database_accepted\""));
    assert_non_null(strstr(buf_cstr(&entry), "\"checkpoint\":{\"origin\":\"i.example/audit\",\"size\":2,\"root\":\""));
    buf_deinit(&entry);
    close_all(w);
    start(w); /* the topic's is of the past life now */
    publish(w, &f, "out");
    close_all(w);
    run("rm '%s'", w->file);
    start(w);
    assert_string_equal(read_file(w).origin, "i.example/audit/2");
    close_all(w);
    fixture_close(&f);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_checkpointer__the_file_says_what_the_log_has_come_to),
        CASE(test_checkpointer__what_was_not_signed_is_signed_by_the_next_start),
        CASE(test_checkpointer__an_older_database_is_refused_and_accepted_only_when_told),
        CASE(test_checkpointer__an_older_anchor_alone_is_enough_to_refuse),
        CASE(test_checkpointer__another_database_or_a_missing_file_is_refused),
        CASE(test_checkpointer__an_interrupted_first_start_goes_on_and_a_lost_database_does_not),
        CASE(test_checkpointer__a_key_that_is_gone_is_not_replaced_and_a_former_one_is_accepted),
        CASE(test_checkpointer__a_log_keeps_its_name_and_a_name_that_can_be_none_is_refused),
        CASE(test_checkpointer__a_missing_file_is_made_anew_from_the_topic),
        CASE(test_checkpointer__the_topic_knows_what_database_and_file_have_forgotten),
        CASE(test_checkpointer__a_signer_keeps_the_key_and_while_it_is_away_nothing_is_granted),
        CASE(test_checkpointer__nothing_is_granted_once_nothing_could_be_signed_for_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_revoke_all - one event ends a root with thousands of descendants, or thousands by their own conditions, and the process is killed in the middle, again and
 * again: in the end every mandate was ended exactly once, with the bytes of an undisturbed run.
 *
 * Step 1 tells the conversation, the next ones issue, then comes the event; empty steps follow until nothing is left. So every step's
 * batch is known by its number, and a process that was killed goes on where the database says.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/graph/world.h"

enum { DESCENDANTS = 3000, ISSUES = 500, FIRST_ISSUE = 2, EVENT = FIRST_ISSUE + DESCENDANTS / ISSUES + 1 };
#define NOW_US (INT64_C(1700000000) * 1000000)

/* The shape: every mandate has a condition of its own, and the event's attribute changes again while most wait for their record. */
static bool own_conditions;

static const mandate_slice conversation = MANDATE_SLICE_LIT("crm.conversation");

static claims *make(arena *a, int number)
{
    claims *c = ARENA_NEW(a, claims);
    mandate_slice *star = ARENA_ARRAY(a, mandate_slice, 1);
    *star = mandate_slice_str("*");
    *c = (claims){.id = arena_printf(a, "m-%05d", number),
                  .issuer = mandate_slice_str("https://mandates.example"),
                  .grantor = mandate_slice_str("user:grantor"),
                  .agent = mandate_slice_str("agent:one"),
                  .purpose = mandate_slice_str("a test"),
                  .actions = star,
                  .action_count = 1,
                  .resources = star,
                  .resource_count = 1,
                  .params = cel_null(),
                  .targets = cel_null(),
                  .expires_at_us = NOW_US + INT64_C(3600) * 1000000,
                  .depth_max = CLAIMS_DEPTH_UNSET};
    if (own_conditions)
        c->clause[CLAUSE_WHILE] =
            arena_printf(a, "crm.conversation[\"R-1\"].status %s", number % 2 ? "== \"open\"" : "in [\"open\", \"won\"]");
    else if (number == 0)
        c->clause[CLAUSE_WHILE] = mandate_slice_str("crm.conversation[\"R-1\"].status == \"open\"");
    else
        c->parent = mandate_slice_str(number % 3 ? "m-00000" : "m-00001"); /* two levels */
    return c;
}

static void add_status(engine_input *input, arena *a, const schema *s, const char *status, int64_t offset)
{
    change *ch = ARENA_NEW(a, change);
    change_set *set = ARENA_NEW(a, change_set);
    uint16_t type = schema_type_find(s, conversation);
    *set = (change_set){.field = schema_field_find(schema_type_at(s, type), mandate_slice_str("status")),
                        .value = cel_string(mandate_slice_str(status))};
    *ch = (change){.op = CHANGE_UPSERT,
                   .type = type,
                   .id = mandate_slice_str("R-1"),
                   .sets = set,
                   .set_count = 1,
                   .event_time_us = CHANGE_NO_TIME};
    *input = (engine_input){.kind = INPUT_RECORD,
                            .origin = {.partition = 0, .offset = offset, .event_time_us = CHANGE_NO_TIME},
                            .changes = ch,
                            .change_count = 1};
}

static void make_batch(engine_batch *out, session *s, uint64_t seq)
{
    static engine_input inputs[ISSUES + 1];
    arena_reset(&s->arena);
    *out = (engine_batch){.seq = seq, .now_us = NOW_US, .inputs = inputs};
    if (seq == 1 || seq == EVENT) {
        add_status(&inputs[out->count++], &s->arena, s->schema, seq == 1 ? "open" : "closed", (int64_t)seq);
    } else if (own_conditions && seq > EVENT && seq % 2) {
        add_status(&inputs[out->count++], &s->arena, s->schema, seq % 4 == 1 ? "open" : "lost", (int64_t)seq);
    } else if (seq < EVENT) {
        int from = (int)(seq - FIRST_ISSUE) * ISSUES, to = from + ISSUES;
        for (int i = from; i < to && i <= DESCENDANTS; i++)
            inputs[out->count++] = (engine_input){.kind = INPUT_COMMAND,
                                                  .command = {.kind = COMMAND_ISSUE,
                                                              .principal = mandate_slice_str("user:grantor"),
                                                              .claims = make(&s->arena, i)}};
    }
}

/* True when there is something left to do. */
static bool advance(session *s)
{
    engine_batch batch;
    mandate_error err;
    make_batch(&batch, s, s->seq + 1);
    OK(session_commit(s, &batch, &err));
    for (uint32_t i = 0; i < s->result.answer_count; i++)
        OK(s->result.answers[i].error.status);
    return s->seq < EVENT || s->result.more;
}

/* Takes so many steps and waits for its end then, however late that comes on a busy machine. */
static int worker(const char *directory, int out, int steps)
{
    mandate_error err;
    kv *backend = NULL;
    session s;
    bool more = true;
    if (kv_open_rocksdb(&backend, directory, &err) != MANDATE_OK || session_try_open(&s, backend, &err) != MANDATE_OK)
        return 1;
    while (more) {
        if (steps-- == 0)
            pause();
        more = advance(&s);
        if (write(out, &s.seq, sizeof(s.seq)) != sizeof(s.seq))
            return 2;
    }
    session_close(&s);
    return 0;
}

/* Starts one and kills it some time after it got `lead` steps further; true when it had come to its end before. */
static bool work(const char *directory, uint64_t *random, uint64_t lead)
{
    int fds[2], exited = 0;
    char out[16], steps[24];
    uint64_t seen;
    assert_int_equal(pipe(fds), 0);
    snprintf(out, sizeof(out), "%d", fds[1]);
    snprintf(steps, sizeof(steps), "%llu", (unsigned long long)lead + 40);
    pid_t child = fork();
    if (child == 0) {
        close(fds[0]);
        execl("/proc/self/exe", "worker", directory, out, steps, own_conditions ? "own" : (char *)NULL, (char *)NULL);
        _exit(9);
    }
    close(fds[1]);
    while (lead-- > 0 && read(fds[0], &seen, sizeof(seen)) == sizeof(seen))
        ;
    usleep((useconds_t)support_below(random, 4000));
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &exited, 0), child);
    close(fds[0]);
    if (WIFEXITED(exited) && WEXITSTATUS(exited) != 0)
        fail_msg("the worker ended with %d", WEXITSTATUS(exited));
    return WIFEXITED(exited);
}

static void kills_change_nothing(void)
{
    mandate_error err;
    char directory[256];
    kv *backend = NULL;
    session straight, killed;
    buf expected, found;
    uint64_t random = 5;
    int kills = 0;

    OK(kv_open_memory(&backend, &err));
    session_open(&straight, backend);
    while (advance(&straight))
        ;
    support_directory(directory);
    while (!work(directory, &random, 1 + support_below(&random, 3 * LIMIT_BATCH_TRANSITIONS / LIMIT_SLICE)))
        kills++;
    assert_true(kills > 3);
    backend = NULL;
    OK(kv_open_rocksdb(&backend, directory, &err));
    session_open(&killed, backend);
    /* One that was killed after its last step finds out by an empty one. */
    while (straight.seq < killed.seq)
        assert_false(advance(&straight));
    assert_int_equal(killed.seq, straight.seq);
    assert_hash_equal(session_hash(&killed), session_hash(&straight));

    buf_init(&expected);
    buf_init(&found);
    session_outbox(&straight, &expected);
    session_outbox(&killed, &found);
    assert_true(expected.len > 2 * DESCENDANTS);
    assert_int_equal(found.len, expected.len);
    assert_memory_equal(found.data, expected.data, expected.len);
    for (uint32_t i = 0; i <= DESCENDANTS; i++) {
        engine_mandate_view v;
        engine_mandate_get(killed.engine, i, &v);
        assert_int_equal(v.version, 2);
        assert_int_equal(v.state, i && !own_conditions ? STATE_CASCADED : STATE_REVOKED);
    }
    buf_deinit(&expected);
    buf_deinit(&found);
    session_close(&straight);
    session_close(&killed);
    support_remove(directory);
}

static void test_revoke_all__kills_in_the_middle_change_nothing(void **state)
{
    own_conditions = false;
    kills_change_nothing();
}

static void test_revoke_all__kills_in_the_middle_change_nothing_of_ends_by_own_conditions(void **state)
{
    own_conditions = true;
    kills_change_nothing();
}

static void everything_is_ended(void)
{
    mandate_error err;
    kv *backend = NULL;
    session s;
    OK(kv_open_memory(&backend, &err));
    session_open(&s, backend);
    while (s.seq < EVENT)
        advance(&s);
    assert_true(s.result.more);
    assert_true(s.result.transition_count <= LIMIT_BATCH_TRANSITIONS);
    /* And after a restart in between. */
    for (int round = 0; round < 2; round++) {
        for (uint32_t i = 0; i <= DESCENDANTS; i++)
            assert_int_not_equal(engine_effective_state(s.engine, i, NOW_US, NULL), STATE_ACTIVE);
        engine_destroy(s.engine);
        backend = store_abandon(s.store);
        schema_destroy(s.schema);
        arena_deinit(&s.arena);
        session_open(&s, backend);
    }
    session_close(&s);
}

static void test_revoke_all__everything_is_ended_with_the_events_own_step(void **state)
{
    for (int own = 0; own < 2; own++) {
        own_conditions = own;
        everything_is_ended();
    }
}

int main(int argc, char **argv)
{
    own_conditions = argc == 5;
    if (argc >= 4)
        return worker(argv[1], atoi(argv[2]), atoi(argv[3]));
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_revoke_all__everything_is_ended_with_the_events_own_step),
        cmocka_unit_test(test_revoke_all__kills_in_the_middle_change_nothing),
        cmocka_unit_test(test_revoke_all__kills_in_the_middle_change_nothing_of_ends_by_own_conditions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

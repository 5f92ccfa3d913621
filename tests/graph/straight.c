/* SPDX-License-Identifier: Apache-2.0 */
/* straight - see straight.h. */
#include "tests/graph/straight.h"

state_hash straight[STRAIGHT_MAX];

void straight_run(uint64_t seed, uint64_t steps)
{
    mandate_error err;
    kv *backend = NULL;
    session s;
    assert_true(steps < STRAIGHT_MAX);
    OK(kv_open_memory(&backend, &err));
    session_open(&s, backend);
    straight[0] = session_hash(&s);
    while (s.seq < steps) {
        OK(session_advance(&s, seed, &err));
        straight[s.seq] = session_hash(&s);
    }
    session_close(&s);
}

bool session_must_sync(const session *s)
{
    return s->result.transition_count > 0 || s->result.flip_count > 0 || s->result.answer_count > 0;
}

kv *session_crash(session *s)
{
    engine_destroy(s->engine);
    kv *backend = store_abandon(s->store);
    schema_destroy(s->schema);
    arena_deinit(&s->arena);
    return backend;
}

void straight_again(kv *backend, uint64_t seed, uint64_t steps, uint64_t low, uint64_t high)
{
    mandate_error err;
    session s;
    session_open(&s, backend);
    if (s.seq < low || s.seq > high)
        fail_msg("recovered step %llu, expected %llu to %llu", (unsigned long long)s.seq, (unsigned long long)low,
                 (unsigned long long)high);
    assert_int_equal(store_durable(s.store), s.seq);
    assert_hash_equal(session_hash(&s), straight[s.seq]);
    while (s.seq < steps)
        OK(session_advance(&s, seed, &err));
    assert_hash_equal(session_hash(&s), straight[steps]);
    session_close(&s);
}

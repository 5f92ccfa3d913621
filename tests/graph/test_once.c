/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of keys that are permitted once: with the step or not at all, until their horizon, and gone after it. */
#include <stdlib.h>

#include "graph/once.h"
#include "graph/store_int.h"
#include "tests/graph/world.h"

#define HOUR INT64_C(3600000000)

typedef struct once_key {
    uint8_t bytes[STORE_ONCE_BYTES];
} once_key;

static once_key key_of(unsigned number, unsigned asked)
{
    once_key k = {{0}};
    memcpy(k.bytes, &number, sizeof(number));
    memcpy(k.bytes + STORE_ONCE_HASH, &asked, sizeof(asked));
    return k;
}

/* A step at `now_us` in which keys [first, first + count) are permitted until `until_us`. */
static mandate_status permit(session *s, int64_t now_us, unsigned first, unsigned count, int64_t until_us,
                             mandate_slice event, mandate_error *err)
{
    engine_input inputs[64] = {{.kind = INPUT_COMMAND}};
    once_key keys[64];
    for (unsigned i = 0; i < count; i++) {
        keys[i] = key_of(first + i, 7);
        inputs[i] = (engine_input){.kind = INPUT_COMMAND,
                                   .command = {.kind = COMMAND_LOG,
                                               .event = event,
                                               .detail = mandate_slice_str("{}"),
                                               .key = mandate_slice_of((const char *)keys[i].bytes, sizeof(keys[i].bytes)),
                                               .until_us = until_us}};
    }
    const engine_batch batch = {.seq = s->seq + 1, .now_us = now_us, .inputs = inputs, .count = count};
    return session_commit(s, &batch, err);
}

static mandate_status find(session *s, unsigned number, int64_t now_us, unsigned *asked)
{
    const once_key k = key_of(number, 0);
    uint8_t out[STORE_ONCE_HASH];
    mandate_error err;
    mandate_status status = store_once_find(s->store, k.bytes, now_us, out, &err);
    if (status == MANDATE_OK)
        memcpy(asked, out, sizeof(*asked));
    return status;
}

static session *opened(kv *backend)
{
    session *s = calloc(1, sizeof(*s));
    session_open(s, backend);
    return s;
}

static const mandate_slice checked = MANDATE_SLICE_LIT("checked");

static void test_once__a_permit_is_found_until_its_horizon_also_by_a_store_that_is_opened_anew(void **state)
{
    mandate_error err;
    unsigned asked = 0;
    kv *backend = NULL;
    (void)state;
    OK(kv_open_memory(&backend, &err));
    session *s = opened(backend);
    const int64_t now = engine_now_us(s->engine) + HOUR;
    assert_int_equal(find(s, 1, now, &asked), MANDATE_NOT_FOUND);
    OK(permit(s, now, 1, 2, now + HOUR, checked, &err));
    OK(find(s, 1, now, &asked));
    assert_int_equal(asked, 7);
    OK(find(s, 2, now + HOUR - 1, &asked));
    assert_int_equal(find(s, 2, now + HOUR, &asked), MANDATE_NOT_FOUND);
    assert_int_equal(find(s, 3, now, &asked), MANDATE_NOT_FOUND);
    kv_memory_lose_unsynced(backend); /* the power fails: it was synced with its step */
    OK(find(s, 1, now, &asked));
    session_close(s);
    free(s);
}

static void test_once__a_log_entry_that_is_refused_permits_nothing(void **state)
{
    mandate_error err;
    unsigned asked;
    kv *backend = NULL;
    (void)state;
    OK(kv_open_memory(&backend, &err));
    session *s = opened(backend);
    const int64_t now = engine_now_us(s->engine) + HOUR;
    const mandate_slice word = MANDATE_SLICE_LIT("NOT A WORD");
    OK(permit(s, now, 1, 1, now + HOUR, word, &err));
    assert_int_equal(find(s, 1, now, &asked), MANDATE_NOT_FOUND);
    session_close(s);
    free(s);
}

static uint32_t rows(kv *backend)
{
    mandate_error err;
    kv_iter *it = NULL;
    uint32_t count = 0;
    OK(kv_iter_open(&it, backend, KV_ONCE, &err));
    for (kv_iter_seek(it, mandate_slice_of(NULL, 0)); kv_iter_valid(it); kv_iter_next(it))
        count++;
    kv_iter_close(it);
    return count;
}

static void test_once__what_is_over_goes_and_what_was_permitted_anew_stays(void **state)
{
    mandate_error err;
    unsigned asked;
    kv *backend = NULL;
    (void)state;
    OK(kv_open_memory(&backend, &err));
    session *s = opened(backend);
    int64_t now = engine_now_us(s->engine) + HOUR;
    for (unsigned i = 0; i < 10; i++)
        OK(permit(s, now + i, i * 64, 64, now + HOUR, checked, &err));
    assert_int_equal(rows(backend), 2 * 640);
    OK(permit(s, now + HOUR - 1, 700, 1, now + 2 * HOUR, checked, &err)); /* nothing is over yet */
    assert_int_equal(rows(backend), 2 * 641);
    now += HOUR;
    OK(permit(s, now, 5, 1, now + HOUR, checked, &err)); /* the same key again, as the first ones go */
    for (int64_t i = 1; i < 5; i++)
        OK(permit(s, now + i * 1000000, 800 + (unsigned)i, 1, now + HOUR, checked, &err));
    OK(find(s, 5, now, &asked));
    assert_int_equal(find(s, 6, now, &asked), MANDATE_NOT_FOUND);
    OK(find(s, 700, now, &asked));
    assert_int_equal(rows(backend), 2 * 6);
    session_close(s);
    free(s);
}

/* A write that fails has permitted nothing, or is the end of the store: a permit is there only with its step. */
static void test_once__a_step_that_was_not_written_permits_nothing(void **state)
{
    mandate_error err;
    unsigned asked;
    kv *inner = NULL, *faulty = NULL;
    (void)state;
    OK(kv_open_memory(&inner, &err));
    session *s = opened(inner);
    const int64_t now = engine_now_us(s->engine) + HOUR;
    OK(permit(s, now, 1, 1, now + HOUR, checked, &err));
    OK(kv_open_faulty(&faulty, inner, 0, true, false, &err));
    s->store->kv = faulty;
    assert_int_not_equal(permit(s, now, 2, 1, now + HOUR, checked, &err), MANDATE_OK);
    s->store->kv = kv_faulty_release(faulty);
    OK(find(s, 1, now, &asked));
    assert_int_equal(find(s, 2, now, &asked), MANDATE_NOT_FOUND);
    session_close(s);
    free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_once__a_permit_is_found_until_its_horizon_also_by_a_store_that_is_opened_anew),
        cmocka_unit_test(test_once__a_log_entry_that_is_refused_permits_nothing),
        cmocka_unit_test(test_once__what_is_over_goes_and_what_was_permitted_anew_stays),
        cmocka_unit_test(test_once__a_step_that_was_not_written_permits_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

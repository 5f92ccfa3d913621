/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_dictionary - a name keeps its stable id whatever happens to the schema around it.
 */
#include <stdio.h>

#include "graph/store_int.h"
#include "tests/graph/world.h"

typedef struct ids {
    uint32_t account, rating, conversation, status, crm, topic;
} ids;

static ids ids_of(const schema *s)
{
    const schema_type *account = schema_type_at(s, schema_type_find(s, mandate_slice_str("crm.account")));
    const schema_type *conversation = schema_type_at(s, schema_type_find(s, mandate_slice_str("crm.conversation")));
    ids out = {.account = account->stable_id, .conversation = conversation->stable_id};
    out.rating = account->fields[schema_field_find(account, mandate_slice_str("rating"))].stable_id;
    out.status = conversation->fields[schema_field_find(conversation, mandate_slice_str("status"))].stable_id;
    for (uint16_t i = 0; i < schema_source_count(s); i++)
        if (strcmp(schema_source_name(s, i), "crm") == 0)
            out.crm = schema_source_id(s, i);
    for (uint16_t i = 0; i < schema_topic_count(s); i++)
        if (strcmp(schema_topic_name(s, i), "crm") == 0)
            out.topic = schema_topic_id(s, i);
    return out;
}

/* Opens a store on `backend` with this schema and leaves the kv as it is. */
static void assign(kv *backend, schema *s)
{
    mandate_error err;
    store *st = NULL;
    OK(store_open(&st, backend, s, &err));
    assert_ptr_equal(store_abandon(st), backend);
}

static void test_dictionary__ids_outlive_the_order_of_declaration(void **state)
{
    mandate_error err;
    kv *backend = NULL;
    OK(kv_open_memory(&backend, &err));
    schema *first = world_schema(false), *second = world_schema(true), *third = world_schema(false);
    assign(backend, first);
    assign(backend, second);
    assign(backend, third);
    ids a = ids_of(first), b = ids_of(second), c = ids_of(third);
    assert_memory_equal(&a, &b, sizeof(a));
    assert_memory_equal(&a, &c, sizeof(a));
    assert_true(a.account && a.rating && a.conversation && a.status && a.crm && a.topic);
    schema_destroy(first);
    schema_destroy(second);
    schema_destroy(third);
    kv_close(backend);
}

static void test_dictionary__an_id_is_given_once(void **state)
{
    mandate_error err;
    kv *backend = NULL;
    kv_iter *it = NULL;
    bool seen[100] = {false};
    int names = 0;
    OK(kv_open_memory(&backend, &err));
    schema *small = world_schema(false), *large = world_schema(true);
    assign(backend, small);
    assign(backend, large);
    OK(kv_iter_open(&it, backend, KV_META, &err));
    for (kv_iter_seek(it, mandate_slice_str("name/")); kv_iter_valid(it); kv_iter_next(it)) {
        wire_reader r = wire_reader_of(kv_iter_value(it));
        if (strncmp(kv_iter_key(it).ptr, "name/", 5) != 0)
            break;
        uint64_t id = wire_get_u64(&r);
        assert_true(wire_done(&r) && id > 0 && id < 100);
        assert_false(seen[id]);
        seen[id] = true;
        names++;
    }
    assert_true(names >= 15);
    kv_iter_close(it);
    schema_destroy(small);
    schema_destroy(large);
    kv_close(backend);
}

/* Ids go up from the highest that was ever given, also when its name has left the schema. */
static void test_dictionary__a_name_that_left_keeps_its_id(void **state)
{
    mandate_error err;
    kv *backend = NULL;
    OK(kv_open_memory(&backend, &err));
    schema *large = world_schema(true), *small = world_schema(false), *again = world_schema(true);
    assign(backend, large);
    assign(backend, small);
    assign(backend, again);
    for (uint16_t t = 0; t < schema_type_count(large); t++)
        assert_int_equal(schema_type_at(large, t)->stable_id, schema_type_at(again, t)->stable_id);
    schema_destroy(large);
    schema_destroy(small);
    schema_destroy(again);
    kv_close(backend);
}

static void test_dictionary__new_names_survive_a_power_failure(void **state)
{
    mandate_error err;
    kv *backend = NULL;
    OK(kv_open_memory(&backend, &err));
    schema *first = world_schema(false), *second = world_schema(true);
    assign(backend, first);
    kv_memory_lose_unsynced(backend);
    assign(backend, second);
    ids a = ids_of(first), b = ids_of(second);
    assert_memory_equal(&a, &b, sizeof(a));
    schema_destroy(first);
    schema_destroy(second);
    kv_close(backend);
}

static void test_dictionary__an_unreadable_id_is_refused(void **state)
{
    mandate_error err;
    kv *backend = NULL;
    kv_batch *batch = NULL;
    store *st = NULL;
    OK(kv_open_memory(&backend, &err));
    OK(kv_batch_create(&batch, backend, &err));
    kv_batch_put(batch, KV_META, mandate_slice_str("name/tcrm.account"), mandate_slice_str(""));
    OK(kv_write(backend, batch, true, &err));
    schema *s = world_schema(false);
    REFUSED(store_open(&st, backend, s, &err), MANDATE_CORRUPT, "dictionary");
    schema_destroy(s);
    kv_batch_destroy(batch);
    kv_close(backend);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dictionary__ids_outlive_the_order_of_declaration),
        cmocka_unit_test(test_dictionary__an_id_is_given_once),
        cmocka_unit_test(test_dictionary__a_name_that_left_keeps_its_id),
        cmocka_unit_test(test_dictionary__new_names_survive_a_power_failure),
        cmocka_unit_test(test_dictionary__an_unreadable_id_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

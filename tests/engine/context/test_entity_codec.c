/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of engine/context/entity_codec: what goes in comes out, also into a schema that has lost a field, and a cut value
 * is refused at every length.
 */
#include "tests/engine/rig.h"

#include <stdlib.h>

/* Ids as storage would hand them out: the same name has the same id in every schema. */
static uint32_t id_of_name(void *ctx, char kind, mandate_slice name)
{
    uint32_t h = (uint32_t)kind;
    for (size_t i = 0; i < name.len; i++)
        h = (h * 131 + (unsigned char)name.ptr[i]) % 1000003;
    return h + 1;
}

static void fill(rig *g, const char *id)
{
    const cel_value tags[] = {STR("a"), STR("b")};
    const cel_entry map[] = {{STR("k"), cel_list(tags, 2)}};
    change *ch = rig_upsert(g, CONVERSATION, id, 77);
    rig_set(g, ch, "status", STR("open"));
    rig_set(g, ch, "open", cel_bool(true));
    rig_set(g, ch, "count", cel_int(-5));
    rig_set(g, ch, "ratio", cel_double(0.25));
    rig_set(g, ch, "opened", cel_timestamp(1700000000, 5));
    rig_set(g, ch, "any", cel_map(map, 1));
    rig_set(g, ch, "account", STR("A-1"));
    assert_true(rig_apply(g, ch));
    change *more = rig_upsert(g, CONVERSATION, id, 78);
    rig_set(g, more, "tags", cel_list(tags, 2));
    rig_forget(g, more, "count");
    more->version = UINT64_MAX;
    assert_true(rig_apply(g, more));
}

static void encode(const rig *g, const char *id, buf *key, buf *value)
{
    buf_init(key);
    buf_init(value);
    context_encode(g->graph, context_entity_find(g->graph, CONVERSATION, S(id)), key, value);
    assert_false(key->failed || value->failed);
}

static void test_entity_codec__an_entity_survives_with_values_references_and_origins(void **state)
{
    rig *g = *state, *h;
    void *other;
    buf key, value, key2, value2;
    change_origin o;
    fill(g, "R-1");
    encode(g, "R-1", &key, &value);
    rig_index(&other);
    h = other;
    assert_int_equal(context_decode(h->graph, buf_slice(&key), buf_slice(&value), NULL), MANDATE_OK);
    encode(h, "R-1", &key2, &value2);
    assert_true(mandate_slice_eq(buf_slice(&key), buf_slice(&key2)));
    assert_true(mandate_slice_eq(buf_slice(&value), buf_slice(&value2)));
    const context_entity *e = context_entity_find(h->graph, CONVERSATION, S("R-1"));
    const context_entity *account = context_entity_find(h->graph, ACCOUNT, S("A-1"));
    assert_non_null(account);
    cel_value list = context_read(h->graph, account, rig_field(h->schema, ACCOUNT, "conversations"));
    assert_int_equal(list.len, 1);
    assert_ptr_equal(list.items[0].object, e);
    assert_int_equal(context_read(h->graph, e, rig_field(h->schema, CONVERSATION, "count")).kind, CEL_UNKNOWN);
    assert_true(context_origin(h->graph, e, rig_field(h->schema, CONVERSATION, "tags"), &o));
    assert_int_equal(o.event_time_us, 78);
    assert_true(o.version == UINT64_MAX);
    assert_int_equal(o.partition, 3);
    buf_deinit(&key);
    buf_deinit(&value);
    buf_deinit(&key2);
    buf_deinit(&value2);
    rig_deinit(&other);
}

static void test_entity_codec__absent_is_remembered_as_absent(void **state)
{
    rig *g = *state, *h;
    void *other;
    buf key, value;
    fill(g, "R-1");
    change *gone = rig_upsert(g, CONVERSATION, "R-1", CHANGE_NO_TIME);
    gone->op = CHANGE_DELETE;
    assert_true(rig_apply(g, gone));
    encode(g, "R-1", &key, &value);
    rig_index(&other);
    h = other;
    assert_int_equal(context_decode(h->graph, buf_slice(&key), buf_slice(&value), NULL), MANDATE_OK);
    const context_entity *e = context_entity_find(h->graph, CONVERSATION, S("R-1"));
    assert_int_equal(e->status, CONTEXT_ABSENT);
    assert_int_equal(context_read(h->graph, e, rig_field(h->schema, CONVERSATION, "status")).kind, CEL_NULL);
    buf_deinit(&key);
    buf_deinit(&value);
    rig_deinit(&other);
}

static void test_entity_codec__a_field_the_schema_has_lost_is_passed_over(void **state)
{
    rig *g = *state;
    schema *small = NULL;
    context *graph = NULL;
    mandate_error err = {0};
    uint16_t other, conversation, source;
    buf key, value;
    schema_assign_ids(g->schema, id_of_name, NULL);
    fill(g, "R-1");
    encode(g, "R-1", &key, &value);
    /* Another order, fewer fields, no account type, and "any" is a reference now. */
    assert_int_equal(schema_create(&small, &err), MANDATE_OK);
    assert_int_equal(schema_declare_type(&other, small, S("other"), &err), MANDATE_OK);
    assert_int_equal(schema_declare_type(&conversation, small, S("crm.conversation"), &err), MANDATE_OK);
    assert_int_equal(schema_declare_attribute(small, conversation, S("count"), S("int"), true, &err), MANDATE_OK);
    assert_int_equal(schema_declare_attribute(small, conversation, S("status"), S("string"), true, &err), MANDATE_OK);
    assert_int_equal(schema_declare_reference(small, conversation, S("any"), S("other"), S(""), true, &err), MANDATE_OK);
    assert_int_equal(schema_declare_source(&source, small, S("billing"), &err), MANDATE_OK);
    assert_int_equal(schema_freeze(small, &err), MANDATE_OK);
    schema_assign_ids(small, id_of_name, NULL);
    assert_int_equal(context_create(&graph, small, NULL, NULL, &err), MANDATE_OK);
    assert_int_equal(context_decode(graph, buf_slice(&key), buf_slice(&value), &err), MANDATE_OK);
    const context_entity *e = context_entity_find(graph, conversation, S("R-1"));
    assert_slice(cel_text(context_read(graph, e, rig_field(small, conversation, "status"))), "open");
    assert_int_equal(context_read(graph, e, rig_field(small, conversation, "any")).kind, CEL_UNKNOWN);
    change_origin o;
    assert_true(context_origin(graph, e, rig_field(small, conversation, "status"), &o));
    assert_int_equal(o.source, SCHEMA_NONE); /* its connector is gone */
    context_destroy(graph);
    schema_destroy(small);
    buf_deinit(&key);
    buf_deinit(&value);
}

static void test_entity_codec__a_cut_value_is_corrupt_at_every_length(void **state)
{
    rig *g = *state;
    buf key, value;
    mandate_error err;
    fill(g, "R-1");
    encode(g, "R-1", &key, &value);
    for (size_t n = 0; n < value.len; n++) {
        void *other;
        rig_index(&other);
        char *exact = malloc(n + 1); /* so that a read past the end is seen */
        memcpy(exact, value.data, n);
        assert_int_equal(context_decode(((rig *)other)->graph, buf_slice(&key), mandate_slice_of(exact, n), &err),
                         MANDATE_CORRUPT);
        assert_says(err, "crm.conversation/R-1");
        free(exact);
        rig_deinit(&other);
    }
    assert_int_equal(context_decode(g->graph, S("no type"), buf_slice(&value), &err), MANDATE_CORRUPT);
    buf_deinit(&key);
    buf_deinit(&value);
}

static void test_entity_codec__damaged_bytes_never_do_worse_than_an_error(void **state)
{
    rig *g = *state;
    buf key, value;
    uint64_t rng = 11;
    fill(g, "R-1");
    encode(g, "R-1", &key, &value);
    for (int round = 0; round < 2000; round++) {
        void *other;
        char *copy = malloc(value.len);
        memcpy(copy, value.data, value.len);
        for (uint32_t k = 0; k < 1 + random_below(&rng, 3); k++)
            copy[random_below(&rng, (uint32_t)value.len)] = (char)random_u64(&rng);
        rig_index(&other);
        mandate_status s = context_decode(((rig *)other)->graph, buf_slice(&key), mandate_slice_of(copy, value.len), NULL);
        assert_true(s == MANDATE_OK || s == MANDATE_CORRUPT);
        rig_deinit(&other);
        free(copy);
    }
    buf_deinit(&key);
    buf_deinit(&value);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_index, rig_deinit)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_entity_codec__an_entity_survives_with_values_references_and_origins),
        TEST(test_entity_codec__absent_is_remembered_as_absent),
        TEST(test_entity_codec__a_field_the_schema_has_lost_is_passed_over),
        TEST(test_entity_codec__a_cut_value_is_corrupt_at_every_length),
        TEST(test_entity_codec__damaged_bytes_never_do_worse_than_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

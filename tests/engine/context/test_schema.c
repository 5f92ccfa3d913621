/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of engine/context/schema: declarations from several files become one consistent schema or a clear error.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "engine/cel/eval.h"
#include "engine/context/schema.h"
#include "engine/limits.h"

#define S(text) mandate_slice_str(text)

static int setup(void **state)
{
    schema *s = NULL;
    mandate_error err = {0};
    assert_int_equal(schema_create(&s, &err), MANDATE_OK);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    schema_destroy(*state);
    return 0;
}

static uint16_t declare(schema *s, const char *name)
{
    uint16_t out = SCHEMA_NONE;
    mandate_error err = {0};
    assert_int_equal(schema_declare_type(&out, s, S(name), &err), MANDATE_OK);
    return out;
}

static void attribute(schema *s, uint16_t type, const char *name, const char *text, bool supplied)
{
    mandate_error err = {0};
    if (schema_declare_attribute(s, type, S(name), S(text), supplied, &err))
        fail_msg("%s", err.text);
}

static void test_schema__declaring_the_same_twice_is_one_declaration(void **state)
{
    schema *s = *state;
    mandate_error err = {0};
    uint16_t c = declare(s, "crm.conversation");
    assert_int_equal(declare(s, "crm.conversation"), c);
    attribute(s, c, "status", "string", false);
    attribute(s, c, "status", "string", true);
    attribute(s, c, "status", "", false);
    for (int i = 0; i < 2; i++)
        assert_int_equal(schema_declare_reference(s, c, S("account"), S("crm.account"), S("conversations"), i == 0, &err),
                         MANDATE_OK);
    assert_int_equal(schema_type_count(s), 2);
    const schema_type *t = schema_type_at(s, c);
    assert_int_equal(t->field_count, 2);
    assert_true(t->fields[0].supplied);
    assert_string_equal(t->fields[0].name, "status");
    assert_int_equal(t->fields[0].type->kind, CEL_TYPE_STRING);
}

static void test_schema__two_types_for_one_attribute_are_refused_with_both_named(void **state)
{
    schema *s = *state;
    mandate_error err = {0};
    uint16_t c = declare(s, "crm.conversation");
    attribute(s, c, "amount", "int", false);
    assert_int_equal(schema_declare_attribute(s, c, S("amount"), S("string"), true, &err), MANDATE_CONFLICT);
    assert_non_null(strstr(err.text, "crm.conversation.amount"));
    assert_non_null(strstr(err.text, "int"));
    assert_non_null(strstr(err.text, "string"));
    assert_false(schema_type_at(s, c)->fields[0].supplied);
}

static void test_schema__a_later_type_refines_an_undeclared_one(void **state)
{
    schema *s = *state;
    uint16_t c = declare(s, "crm.conversation");
    attribute(s, c, "amount", "", false);
    assert_int_equal(schema_type_at(s, c)->fields[0].type->kind, CEL_TYPE_DYN);
    attribute(s, c, "amount", "double", false);
    assert_int_equal(schema_type_at(s, c)->fields[0].type->kind, CEL_TYPE_DOUBLE);
}

static void test_schema__an_attribute_cannot_be_a_reference_too(void **state)
{
    schema *s = *state;
    mandate_error err = {0};
    uint16_t c = declare(s, "crm.conversation");
    attribute(s, c, "account", "string", false);
    assert_int_equal(schema_declare_reference(s, c, S("account"), S("crm.account"), S(""), false, &err), MANDATE_CONFLICT);
    assert_non_null(strstr(err.text, "attribute"));
    assert_non_null(strstr(err.text, "reference"));
}

static void test_schema__an_attribute_that_holds_an_entity_is_refused(void **state)
{
    schema *s = *state;
    mandate_error err = {0};
    uint16_t c = declare(s, "crm.conversation");
    declare(s, "crm.account");
    assert_int_equal(schema_declare_attribute(s, c, S("account"), S("crm.account"), false, &err), MANDATE_INVALID);
    assert_non_null(strstr(err.text, "references"));
    assert_int_equal(schema_declare_attribute(s, c, S("account"), S("strnig"), false, &err), MANDATE_INVALID);
    assert_int_equal(schema_type_at(s, c)->field_count, 0);
}

static void test_schema__a_reference_gives_its_target_an_inverse_list(void **state)
{
    schema *s = *state;
    mandate_error err = {0};
    uint16_t c = declare(s, "crm.conversation");
    assert_int_equal(schema_declare_reference(s, c, S("account"), S("crm.account"), S(""), true, &err), MANDATE_OK);
    uint16_t a = schema_type_find(s, S("crm.account"));
    assert_int_not_equal(a, SCHEMA_NONE);
    assert_int_equal(schema_type_at(s, a)->field_count, 0);
    /* The inverse may be named by a later file, and inherits that the reference is supplied. */
    assert_int_equal(schema_declare_reference(s, c, S("account"), S("crm.account"), S("conversations"), false, &err),
                     MANDATE_OK);
    const schema_field *back = &schema_type_at(s, a)->fields[0];
    const schema_field *there = &schema_type_at(s, c)->fields[0];
    assert_int_equal(back->kind, SCHEMA_INVERSE);
    assert_int_equal(back->target, c);
    assert_int_equal(back->inverse, 0);
    assert_true(back->supplied);
    assert_int_equal(back->type->kind, CEL_TYPE_LIST);
    assert_ptr_equal(back->type->params[0], schema_type_at(s, c)->object);
    assert_int_equal(there->inverse, 0);
    assert_int_equal(there->target, a);

    assert_int_equal(schema_declare_reference(s, c, S("account"), S("crm.account"), S("talks"), false, &err),
                     MANDATE_CONFLICT);
    assert_non_null(strstr(err.text, "conversations"));
    assert_int_equal(schema_declare_reference(s, c, S("account"), S("crm.firm"), S(""), false, &err), MANDATE_CONFLICT);
    assert_int_equal(schema_declare_reference(s, c, S("owner"), S("crm.account"), S("conversations"), false, &err),
                     MANDATE_CONFLICT);
}

static void test_schema__an_entity_may_refer_to_its_own_type(void **state)
{
    schema *s = *state;
    mandate_error err = {0};
    uint16_t t = declare(s, "org.unit");
    for (int i = 0; i < 20; i++) { /* grow the fields under the reference's feet */
        char name[16];
        snprintf(name, sizeof(name), "a%d", i);
        attribute(s, t, name, "int", false);
    }
    assert_int_equal(schema_declare_reference(s, t, S("parent"), S("org.unit"), S("children"), true, &err), MANDATE_OK);
    const schema_type *type = schema_type_at(s, t);
    assert_int_equal(type->field_count, 22);
    assert_int_equal(type->fields[20].inverse, 21);
    assert_int_equal(type->fields[21].inverse, 20);
    assert_true(type->fields[21].supplied);
}

static void test_schema__names_that_a_condition_cannot_write_are_refused(void **state)
{
    schema *s = *state;
    mandate_error err = {0};
    uint16_t out;
    static const char *const bad[] = {"",     "a..b", ".a",        "a.",       "1a",    "a.1b", "a-b",         "in",
                                      "x.in", "now",  "mandate.x", "string.x", "while", "a b",  "caf\xc3\xa9", "\xff"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_equal(schema_declare_type(&out, s, S(bad[i]), &err), MANDATE_INVALID);
    assert_int_equal(schema_type_count(s), 0);
    uint16_t t = declare(s, "crm.while");
    assert_int_equal(schema_declare_attribute(s, t, S("po-number"), S("string"), false, &err), MANDATE_INVALID);
    assert_int_equal(schema_declare_attribute(s, t, S("a.b"), S("string"), false, &err), MANDATE_INVALID);
    attribute(s, t, "while", "string", false);
}

static void test_schema__a_name_may_be_as_long_as_the_limit_and_no_longer(void **state)
{
    schema *s = *state;
    mandate_error err = {0};
    char name[LIMIT_NAME + 2];
    uint16_t out;
    memset(name, 'a', sizeof(name));
    name[LIMIT_NAME + 1] = '\0';
    assert_int_equal(schema_declare_type(&out, s, S(name), &err), MANDATE_LIMIT);
    assert_int_equal(schema_declare_topic(&out, s, S(name), &err), MANDATE_LIMIT);
    name[LIMIT_NAME] = '\0';
    assert_int_equal(schema_declare_type(&out, s, S(name), &err), MANDATE_OK);
    assert_int_equal(schema_declare_topic(&out, s, S(name), &err), MANDATE_OK);
    attribute(s, out, name, "int", false);
}

static uint32_t ids_from_names(void *ctx, char kind, mandate_slice name)
{
    (void)ctx;
    return kind == 's' && mandate_slice_is(name, "gone") ? 77 : (uint32_t)kind * 100 + (uint32_t)name.ptr[name.len - 1];
}

static void test_schema__a_source_that_storage_knows_is_kept_apart(void **state)
{
    schema *s = *state;
    mandate_error err = {0};
    uint16_t crm;
    assert_int_equal(schema_declare_source(&crm, s, S("crm"), &err), MANDATE_OK);
    assert_int_equal(schema_freeze(s, &err), MANDATE_OK);
    assert_int_equal(schema_keep_source(s, S("crm"), &err), MANDATE_OK);
    assert_int_equal(schema_keep_source(s, S("gone"), &err), MANDATE_OK);
    schema_assign_ids(s, ids_from_names, NULL);
    uint16_t gone = schema_source_by_id(s, 77);
    assert_int_equal(schema_source_count(s), 2);
    assert_string_equal(schema_source_name(s, gone), "gone");
    assert_true(schema_source_kept(s, gone));
    assert_false(schema_source_kept(s, crm));
    char name[16];
    for (int i = 2; i <= LIMIT_SOURCES_KNOWN; i++) {
        snprintf(name, sizeof(name), "s%d", i);
        assert_int_equal(schema_keep_source(s, S(name), &err), i < LIMIT_SOURCES_KNOWN ? MANDATE_OK : MANDATE_LIMIT);
    }
}

static void test_schema__fields_and_sources_stop_at_their_limits(void **state)
{
    schema *s = *state;
    mandate_error err = {0};
    uint16_t t = declare(s, "x"), out;
    char name[16];
    for (int i = 0; i <= LIMIT_FIELDS; i++) {
        snprintf(name, sizeof(name), "f%d", i);
        assert_int_equal(schema_declare_attribute(s, t, S(name), S(""), false, &err),
                         i < LIMIT_FIELDS ? MANDATE_OK : MANDATE_LIMIT);
    }
    for (int i = 0; i <= LIMIT_SOURCES; i++) {
        snprintf(name, sizeof(name), "s%d", i);
        assert_int_equal(schema_declare_source(&out, s, S(name), &err), i < LIMIT_SOURCES ? MANDATE_OK : MANDATE_LIMIT);
    }
    for (int i = 1; i <= LIMIT_TYPES; i++) {
        snprintf(name, sizeof(name), "t%d", i);
        assert_int_equal(schema_declare_type(&out, s, S(name), &err), i < LIMIT_TYPES - 1 ? MANDATE_OK : MANDATE_LIMIT);
    }
    assert_int_equal(schema_freeze(s, &err), MANDATE_OK);
}

static void test_schema__nothing_is_declared_after_the_freeze(void **state)
{
    schema *s = *state;
    mandate_error err = {0};
    uint16_t t = declare(s, "crm.conversation"), out = 7;
    attribute(s, t, "status", "string", false);
    assert_int_equal(schema_freeze(s, &err), MANDATE_OK);
    assert_int_equal(schema_declare_type(&out, s, S("other"), &err), MANDATE_CONFLICT);
    assert_int_equal(schema_declare_source(&out, s, S("other"), &err), MANDATE_CONFLICT);
    assert_int_equal(schema_declare_attribute(s, t, S("other"), S("int"), false, &err), MANDATE_CONFLICT);
    assert_int_equal(schema_declare_attribute(s, t, S("status"), S(""), true, &err), MANDATE_CONFLICT);
    assert_int_equal(schema_freeze(s, &err), MANDATE_CONFLICT);
    assert_int_equal(out, 7);
    assert_int_equal(schema_declare_type(&out, s, S("crm.conversation"), &err), MANDATE_OK); /* says nothing new */
}

static void test_schema__the_environment_knows_types_the_mandate_and_now(void **state)
{
    schema *s = *state;
    mandate_error err = {0};
    uint16_t c = declare(s, "crm.conversation");
    attribute(s, c, "status", "string", true);
    attribute(s, c, "last_activity", "timestamp", true);
    assert_int_equal(schema_declare_reference(s, c, S("account"), S("crm.account"), S("conversations"), true, &err), 0);
    attribute(s, schema_type_find(s, S("crm.account")), "tier", "int", true);
    assert_int_equal(schema_freeze(s, &err), MANDATE_OK);

    const cel_env *env = schema_env(s);
    static const char *const fine[] = {
        "crm.conversation[mandate.params.conversation].status == 'open'",
        "crm.conversation['R-42'].account.tier > 3",
        "crm.account['A'].conversations.exists(c, c.status == 'open')",
        "now - crm.conversation['R'].last_activity < duration('72h') && now < mandate.expires_at",
        "mandate.id + mandate.issuer + mandate.grantor + mandate.agent + mandate.purpose + mandate.parent != ''",
    };
    static const char *const wrong[] = {
        "crm.conversation['R-42'].statsu == 'open'",
        "crm.conversation['R-42'].status > 3",
        "mandate.nobody == ''",
        "parse_json('{}') == null",
    };
    for (size_t i = 0; i < sizeof(fine) / sizeof(*fine); i++) {
        cel_issues issues;
        cel_ast *ast = NULL;
        cel_issues_init(&issues);
        mandate_status status = cel_parse(&ast, env, S(fine[i]), &issues, &err);
        if (!status)
            status = cel_check(ast, env, cel_type_simple(CEL_TYPE_BOOL), &issues, &err);
        if (status)
            fail_msg("%s: %s", fine[i], err.text);
        cel_ast_destroy(ast);
        cel_issues_deinit(&issues);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        cel_issues issues;
        cel_ast *ast = NULL;
        cel_issues_init(&issues);
        mandate_status status = cel_parse(&ast, env, S(wrong[i]), &issues, &err);
        if (!status)
            status = cel_check(ast, env, cel_type_simple(CEL_TYPE_BOOL), &issues, &err);
        assert_int_not_equal(status, MANDATE_OK);
        cel_ast_destroy(ast);
        cel_issues_deinit(&issues);
    }
}

static void test_schema__cel_indices_are_schema_indices(void **state)
{
    schema *s = *state;
    mandate_error err = {0};
    static const char *const names[] = {"z", "a.b", "m"};
    for (uint16_t i = 0; i < 3; i++) {
        uint16_t t = declare(s, names[i]);
        assert_int_equal(t, i);
        attribute(s, t, "one", "int", false);
        attribute(s, t, "two", "string", false);
    }
    assert_int_equal(schema_freeze(s, &err), MANDATE_OK);
    for (uint16_t i = 0; i < 3; i++) {
        const schema_type *t = schema_type_at(s, i);
        assert_int_equal(t->object->object, i);
        assert_int_equal(cel_object_field(schema_env(s), t->object, S("two")), 1);
    }
}

/* --- stable ids ---------------------------------------------------------------------------------------------- */

typedef struct seen {
    int count;
    char kinds[32];
    char names[32][64];
    size_t lens[32];
} seen;

static uint32_t assign_backwards(void *ctx, char kind, mandate_slice name)
{
    seen *v = ctx;
    v->kinds[v->count] = kind;
    memcpy(v->names[v->count], name.ptr, name.len);
    v->lens[v->count] = name.len;
    return (uint32_t)(1000 - v->count++);
}

static void test_schema__stable_ids_are_assigned_in_order_and_found_again(void **state)
{
    schema *s = *state;
    mandate_error err = {0};
    uint16_t a = declare(s, "a"), b = declare(s, "b"), source, topic;
    attribute(s, a, "x", "int", false);
    attribute(s, a, "y", "int", false);
    attribute(s, b, "x", "int", false);
    assert_int_equal(schema_declare_source(&source, s, S("crm"), &err), MANDATE_OK);
    assert_int_equal(schema_declare_topic(&topic, s, S("crm.cdc"), &err), MANDATE_OK);
    assert_int_equal(schema_freeze(s, &err), MANDATE_OK);
    assert_int_equal(schema_type_by_id(s, 2), b); /* default: index + 1 */
    assert_int_equal(schema_source_by_id(s, 1), source);

    seen v = {0};
    schema_assign_ids(s, assign_backwards, &v);
    assert_int_equal(v.count, 7);
    assert_memory_equal(v.kinds, "tfftfsk", 7);
    assert_int_equal(v.lens[2], 3);
    assert_memory_equal(v.names[2], "a\0y", 3);
    assert_int_equal(schema_type_by_id(s, 1000), a);
    assert_int_equal(schema_type_by_id(s, 997), b);
    assert_int_equal(schema_type_by_id(s, 2), SCHEMA_NONE);
    assert_int_equal(schema_field_by_id(schema_type_at(s, a), 998), 1);
    assert_int_equal(schema_field_by_id(schema_type_at(s, b), 998), SCHEMA_NONE);
    assert_int_equal(schema_source_id(s, source), 995);
    assert_int_equal(schema_source_by_id(s, 995), source);
    assert_int_equal(schema_topic_by_id(s, 994), topic);
    assert_int_equal(schema_topic_id(s, 17), 0);
    assert_string_equal(schema_source_name(s, source), "crm");
    assert_string_equal(schema_source_name(s, SCHEMA_NONE), "?");
    assert_string_equal(schema_topic_name(s, topic), "crm.cdc");
    assert_string_equal(schema_topic_name(s, 9), "?");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        T(test_schema__declaring_the_same_twice_is_one_declaration),
        T(test_schema__two_types_for_one_attribute_are_refused_with_both_named),
        T(test_schema__a_later_type_refines_an_undeclared_one),
        T(test_schema__an_attribute_cannot_be_a_reference_too),
        T(test_schema__an_attribute_that_holds_an_entity_is_refused),
        T(test_schema__a_reference_gives_its_target_an_inverse_list),
        T(test_schema__an_entity_may_refer_to_its_own_type),
        T(test_schema__names_that_a_condition_cannot_write_are_refused),
        T(test_schema__a_name_may_be_as_long_as_the_limit_and_no_longer),
        T(test_schema__a_source_that_storage_knows_is_kept_apart),
        T(test_schema__fields_and_sources_stop_at_their_limits),
        T(test_schema__nothing_is_declared_after_the_freeze),
        T(test_schema__the_environment_knows_types_the_mandate_and_now),
        T(test_schema__cel_indices_are_schema_indices),
        T(test_schema__stable_ids_are_assigned_in_order_and_found_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

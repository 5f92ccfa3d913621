/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_sources - whose word a condition rests on: those that tell what it reads, those that may delete what it reads it of, all where that
 * cannot be seen.
 */
#include "engine/condition/index.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define S(text) mandate_slice_str(text)

typedef struct world {
    schema *schema;
    context *graph;
    timers deadlines;
    condition_index *index;
} world;

/* crm tells conversations, and deletes them; erp tells accounts' tiers; desk tells accounts' names and incidents; eraser tells nothing and
 * deletes accounts. */
static int begin(void **state)
{
    static const char *const sources[] = {"crm", "erp", "desk", "eraser"};
    static world w;
    uint16_t c, a, i, index;
    mandate_error err;
    memset(&w, 0, sizeof(w));
    assert_int_equal(schema_create(&w.schema, &err), MANDATE_OK);
    schema *s = w.schema;
    assert_int_equal(schema_declare_type(&c, s, S("crm.conversation"), &err), MANDATE_OK);
    assert_int_equal(schema_declare_type(&a, s, S("crm.account"), &err), MANDATE_OK);
    assert_int_equal(schema_declare_type(&i, s, S("tickets.incident"), &err), MANDATE_OK);
    assert_int_equal(schema_declare_attribute(s, c, S("status"), S("string"), true, &err), MANDATE_OK);
    assert_int_equal(schema_declare_attribute(s, c, S("mood"), S("string"), false, &err), MANDATE_OK);
    assert_int_equal(schema_declare_attribute(s, c, S("any"), S("dyn"), true, &err), MANDATE_OK);
    assert_int_equal(schema_declare_attribute(s, c, S("note"), S("string"), false, &err), MANDATE_OK);
    assert_int_equal(schema_declare_manual(s, c, S("note"), &err), MANDATE_OK);
    assert_int_equal(schema_declare_reference(s, c, S("account"), S("crm.account"), S("conversations"), true, &err),
                     MANDATE_OK);
    assert_int_equal(schema_declare_attribute(s, a, S("tier"), S("int"), true, &err), MANDATE_OK);
    assert_int_equal(schema_declare_attribute(s, a, S("name"), S("string"), true, &err), MANDATE_OK);
    assert_int_equal(schema_declare_attribute(s, i, S("open"), S("bool"), true, &err), MANDATE_OK);
    for (uint16_t k = 0; k < 4; k++) {
        assert_int_equal(schema_declare_source(&index, s, S(sources[k]), &err), MANDATE_OK);
        assert_int_equal(index, k);
    }
    const struct {
        uint16_t type;
        const char *field;
        uint16_t source;
        bool deletes;
    } supplies[] = {{c, "", 0, true},  {c, "status", 0, false}, {c, "any", 0, false}, {c, "account", 0, false},
                    {a, "", 1, false}, {a, "tier", 1, false},   {a, "", 2, false},    {a, "name", 2, false},
                    {i, "", 2, false}, {i, "open", 2, false},   {a, "", 3, true},     {a, "", 3, true}};
    for (size_t k = 0; k < sizeof(supplies) / sizeof(*supplies); k++)
        assert_int_equal(
            schema_declare_supply(s, supplies[k].type, S(supplies[k].field), supplies[k].source, supplies[k].deletes, &err),
            MANDATE_OK);
    uint32_t count;
    (void)schema_supplies(s, &count);
    assert_int_equal(count, 11); /* each once */
    assert_int_equal(schema_freeze(s, &err), MANDATE_OK);
    assert_int_equal(context_create(&w.graph, s, condition_observe, NULL, &err), MANDATE_OK);
    timers_init(&w.deadlines);
    assert_int_equal(condition_index_create(&w.index, w.graph, &w.deadlines, &err), MANDATE_OK);
    *state = &w;
    return 0;
}

static int end(void **state)
{
    world *w = *state;
    condition_index_destroy(w->index);
    timers_deinit(&w->deadlines);
    context_destroy(w->graph);
    schema_destroy(w->schema);
    return 0;
}

static uint16_t number(world *w, const char *text)
{
    condition_template *t;
    mandate_error err;
    if (condition_compile(&t, w->index, S(text), &err) != MANDATE_OK)
        fail_msg("%s\n%s", text, err.text);
    const uint16_t out = condition_sources(t);
    condition_template_release(w->index, t);
    return out;
}

enum { CRM = 1, ERP = 2, DESK = 4, ERASER = 8, ALL = 1 << 16 };

static int set_of(world *w, uint16_t n)
{
    source_set set;
    condition_sources_get(w->index, n, &set);
    return set.all ? ALL : (int)set.words[0];
}

#define C "crm.conversation['R-1']"

static void test_sources__those_count_whose_word_is_read(void **state)
{
    static const struct {
        const char *text;
        int rests_on;
    } cases[] = {
        {"true", 0},
        {"now < timestamp('2030-01-01T00:00:00Z')", 0},
        {"mandate.params.x == 1", 0},
        {C ".status == 'open'", CRM},
        {"has(" C ".status)", CRM},
        {C ".any.deep.down == 1", CRM},
        {C ".status == 'open' && tickets.incident[mandate.params.i].open", CRM | DESK},
        {C ".account.tier > 2", CRM | ERP | ERASER},
        {C ".account.name == 'x'", CRM | DESK | ERASER},
        {"tickets.incident['T'].open", DESK},
        {C ".account == crm.account['A']", CRM | ERP | DESK | ERASER}, /* is it there? whoever maps it */
        {"crm.account['A'] != null", ERP | DESK | ERASER},
        {"crm.account['A'].conversations.exists(c, c.status == 'open')", CRM | ERASER},
        {"size(crm.account['A'].conversations) > 1", CRM | ERASER},
        {"crm.account['A'].conversations[0].status == 'open'", CRM | ERASER},
        {C ".?status.orValue('') == 'open'", CRM},
        {C ".note == 'signed'", CRM}, /* people say it, and crm may delete what they say it of */
    };
    world *w = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (set_of(w, number(w, cases[i].text)) != cases[i].rests_on)
            fail_msg("%s rests on %x", cases[i].text, (unsigned)set_of(w, number(w, cases[i].text)));
}

static void test_sources__what_cannot_be_seen_is_all(void **state)
{
    static const char *const texts[] = {
        C ".mood == 'good'", /* nobody tells it */
        "dyn(" C ").status == 'open'",
        "[" C "].exists(c, c.status == 'open')",
        "(true ? " C " : crm.conversation['R-2']).status == 'open'",
        C ".?account.?tier.orValue(1) > 2",
        "cel.bind(c, " C ", c.status == 'open')",
        "dyn(crm.account['A'].conversations)[0].status == 'open'",
    };
    world *w = *state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        if (number(w, texts[i]) != SOURCES_ALL)
            fail_msg("%s rests on %x", texts[i], (unsigned)set_of(w, number(w, texts[i])));
}

static void test_sources__sets_are_shared_and_joined(void **state)
{
    world *w = *state;
    const uint16_t crm = number(w, C ".status == 'open'"), desk = number(w, "tickets.incident['T'].open");
    assert_int_equal(number(w, "crm.conversation['R-9'].status in ['a', 'b']"), crm);
    const uint16_t both = condition_sources_join(w->index, crm, desk);
    assert_int_equal(set_of(w, both), CRM | DESK);
    assert_int_equal(condition_sources_join(w->index, crm, desk), both);
    assert_int_equal(condition_sources_join(w->index, desk, crm), both);
    assert_int_equal(condition_sources_join(w->index, both, crm), both);
    assert_int_equal(condition_sources_join(w->index, SOURCES_NONE, crm), crm);
    assert_int_equal(condition_sources_join(w->index, crm, SOURCES_NONE), crm);
    assert_int_equal(condition_sources_join(w->index, SOURCES_ALL, crm), SOURCES_ALL);
    assert_int_equal(condition_sources_join(w->index, crm, SOURCES_ALL), SOURCES_ALL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sources__those_count_whose_word_is_read, begin, end),
        cmocka_unit_test_setup_teardown(test_sources__what_cannot_be_seen_is_all, begin, end),
        cmocka_unit_test_setup_teardown(test_sources__sets_are_shared_and_joined, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

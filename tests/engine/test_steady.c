/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_steady - once warm, a change allocates nothing: every call of malloc in this program is counted.
 *
 * Mandates over a few conversations, in all the ways a condition can be kept; changes come in batches as they do from a connector.
 * What flips is worked out, but ends nobody: all mandates are suspended by command.
 */
#include "tests/engine/base/alloc_fault.h"
#include "tests/engine/rig.h"

#include <stdio.h>

enum { CONVERSATIONS = 8, PER_CONVERSATION = 60 };
#define C "crm.conversation['c%u']"

/* A comparison with text, with a number, several of them, and a program. */
static void text_of(char out[300], uint32_t kind, uint32_t c, uint32_t k)
{
    switch (kind) {
    case 0:
        snprintf(out, 300, C ".status == 's%u'", c, k % 7);
        break;
    case 1:
        snprintf(out, 300, C ".count < %u", c, k);
        break;
    case 2:
        snprintf(out, 300, C ".open && (" C ".count >= %u || " C ".status == 's3')", c, c, k, c);
        break;
    case 3:
        snprintf(out, 300, C ".ratio > 0.5 && " C ".count + 0 != %u", c, c, k);
        break;
    default:
        snprintf(out, 300, "crm.account['A'].conversations.exists(x, x.count > %u && x.open)", k);
    }
}

static void issue_all(rig *g)
{
    for (uint32_t i = 0; i < CONVERSATIONS * PER_CONVERSATION; i++) {
        char id[16], text[300];
        snprintf(id, sizeof(id), "m-%u", i);
        text_of(text, i / CONVERSATIONS % 5, i % CONVERSATIONS, i / CONVERSATIONS);
        claims *c = rig_claims(g, id);
        c->clause[CLAUSE_SUSPEND_WHILE] = arena_dup(&g->memory, S(text));
        assert_int_equal(rig_issue_now(g, c)->error.status, MANDATE_OK);
        assert_int_equal(rig_command_now(g, COMMAND_SUSPEND, id)->error.status, MANDATE_OK);
    }
}

static void queue_change(rig *g, uint64_t *rng)
{
    char id[8], status[8];
    snprintf(id, sizeof(id), "c%u", random_below(rng, CONVERSATIONS));
    snprintf(status, sizeof(status), "s%u", random_below(rng, 7));
    switch (random_below(rng, 4)) {
    case 0:
        rig_put(g, id, "status", cel_string(arena_dup(&g->memory, S(status))));
        break;
    case 1:
        rig_put(g, id, "count", cel_int(random_below(rng, 60)));
        break;
    case 2:
        rig_put(g, id, "open", cel_bool(random_below(rng, 2)));
        break;
    default:
        rig_put(g, id, "ratio", cel_double(random_below(rng, 2)));
    }
}

static uint64_t run(rig *g, int steps, uint64_t *rng)
{
    uint64_t allocations = 0, flips = 0;
    for (int step = 0; step < steps; step++) {
        for (int i = 0; i < 50; i++)
            queue_change(g, rng);
        engine_batch batch = {.seq = ++g->seq, .now_us = g->now_us, .inputs = g->inputs.data, .count = g->inputs.len};
        alloc_fault_set(ALLOC_FAULT_OFF, false);
        assert_int_equal(engine_step(g->e, &batch, &g->r, NULL), MANDATE_OK);
        allocations += (uint64_t)alloc_fault.seen;
        flips += g->r.conditions_flipped;
        g->inputs.len = 0;
    }
    assert_true(flips > (uint64_t)steps * 50);
    return allocations;
}

static void test_steady__changes_allocate_nothing_once_the_engine_is_warm(void **state)
{
    rig *g = *state;
    uint64_t rng = 11;
    for (uint32_t i = 0; i < CONVERSATIONS; i++) {
        char id[8];
        snprintf(id, sizeof(id), "c%u", i);
        rig_put(g, id, "account", STR("A"));
    }
    issue_all(g);
    assert_true(run(g, 300, &rng) > 0); /* it is counted; the fullest step so far is among them */
    assert_int_equal(run(g, 200, &rng), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_steady__changes_allocate_nothing_once_the_engine_is_warm, rig_engine,
                                        rig_deinit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

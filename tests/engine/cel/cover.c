/* SPDX-License-Identifier: Apache-2.0 */
/* cover - a walk over checked trees; macros are known by the call that they replaced. */
#include "cover.h"

#include <inttypes.h>
#include <stdio.h>

static const struct {
    const char *name;
    uint32_t args; /* without the target; 0: any number */
} macros[COVER_MACROS] = {
    {"has", 1},
    {"all", 2},
    {"all", 3},
    {"exists", 2},
    {"exists", 3},
    {"exists_one", 2},
    {"exists_one", 3},
    {"existsOne", 2},
    {"existsOne", 3},
    {"map", 2},
    {"map", 3},
    {"filter", 2},
    {"bind", 3},
    {"optMap", 2},
    {"optFlatMap", 2},
    {"transformList", 3},
    {"transformList", 4},
    {"transformMap", 3},
    {"transformMap", 4},
    {"transformMapEntry", 3},
    {"transformMapEntry", 4},
    {"greatest", 0},
    {"least", 0},
    {"sortBy", 2},
};

static void count_macro(cover *c, const cel_expr *call)
{
    for (size_t i = 0; i < COVER_MACROS; i++)
        if (mandate_slice_is(call->name, macros[i].name) && (macros[i].args == 0 || macros[i].args == call->arg_count))
            c->macros[i]++;
}

void cover_tree(cover *c, const cel_expr *e)
{
    const cel_overload *row = e->overload;
    const cel_comprehension *fold = e->comprehension;

    if (e->macro)
        count_macro(c, e->macro);
    if (e->kind == CEL_EXPR_CALL && row && row->id < CEL_FN_COUNT)
        c->functions[row->id]++;
    if (e->operand)
        cover_tree(c, e->operand);
    for (uint32_t i = 0; i < e->arg_count; i++)
        cover_tree(c, e->args[i]);
    if (e->kind != CEL_EXPR_COMPREHENSION)
        return;
    cover_tree(c, fold->range);
    cover_tree(c, fold->init);
    cover_tree(c, fold->condition);
    cover_tree(c, fold->step);
    cover_tree(c, fold->result);
}

/* What a host implements is not ours to test. */
static bool is_the_host_s(uint32_t id) { return id == CEL_FN_PARSE_JSON_STRING || id == CEL_FN_PARSE_JSON_BYTES; }

uint32_t cover_missing(const cover *c, uint64_t min)
{
    uint32_t missing = 0;

    for (uint32_t i = 0; i < CEL_FN_COUNT; i++)
        if (c->functions[i] < min && !is_the_host_s(i)) {
            fprintf(stderr, "%s is called %" PRIu64 " times\n", cel_overloads[i].text, c->functions[i]);
            missing++;
        }
    for (uint32_t i = 0; i < COVER_MACROS; i++)
        if (c->macros[i] < min) {
            fprintf(stderr, "macro %s of %u arguments is used %" PRIu64 " times\n", macros[i].name, macros[i].args,
                    c->macros[i]);
            missing++;
        }
    return missing;
}

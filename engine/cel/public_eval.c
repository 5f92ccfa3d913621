/* SPDX-License-Identifier: Apache-2.0 */
/*
 * public_eval - evaluation for mandate/cel.h: the caller's functions behind the host that the evaluator asks.
 */
#include "engine/cel/public_int.h"
#include "engine/cel/value_int.h"

#include <assert.h>

typedef struct asked {
    const mandate_cel_input *input;
    mandate_cel_memory *memory;
} asked;

/* What a caller returns is at rest and of a kind there is. */
static cel_value taken(cel_activation *act, mandate_cel_value v)
{
    cel_value out = cel_inside(v);
    return out.kind < CEL_KIND_COUNT && out.slope == 0 ? out : cel_error(act->memory, "no such value");
}

static cel_value ask_variable(void *ctx, cel_activation *act, uint32_t index)
{
    const asked *a = ctx;
    if (!a->input->variable)
        return cel_error(act->memory, "nobody says what variable %u is", index);
    return taken(act, a->input->variable(a->input->payload, a->memory, index));
}

static cel_value ask_entity(void *ctx, cel_activation *act, uint16_t type, cel_value key)
{
    return cel_error(act->memory, "there are no tables here");
}

static cel_value ask_field(void *ctx, cel_activation *act, cel_value object, uint32_t field)
{
    const asked *a = ctx;
    if (!a->input->field)
        return cel_error(act->memory, "nobody says what field %u is", field);
    return taken(act, a->input->field(a->input->payload, a->memory, object.type, object.object, field));
}

static cel_value ask_has(void *ctx, cel_activation *act, cel_value object, uint32_t field)
{
    cel_value v = ask_field(ctx, act, object, field);
    return cel_is_odd(v) ? v : cel_bool(v.kind != CEL_NULL);
}

static cel_value ask_function(void *ctx, cel_activation *act, mandate_slice name, const cel_value *args, uint32_t count)
{
    const asked *a = ctx;
    if (!a->input->function)
        return cel_error(act->memory, "function '%.*s' has no implementation here", MANDATE_SLICE_ARG(name));
    return taken(
        act, a->input->function(a->input->payload, a->memory, name, (const mandate_cel_value *)(const void *)args, count));
}

static const cel_host host = {
    .variable = ask_variable, .entity = ask_entity, .field = ask_field, .has = ask_has, .call = ask_function};

mandate_cel_value mandate_cel_eval(const mandate_cel_program *program, const mandate_cel_input *input,
                                   mandate_cel_memory *memory, mandate_cel_outcome *outcome)
{
    assert(input->size >= sizeof *input);
    asked a = {.input = input, .memory = memory};
    cel_activation act = {.host = &host,
                          .ctx = &a,
                          .variables = (const cel_value *)(const void *)input->variables,
                          .memory = &memory->a,
                          .now_us = input->now_us,
                          .cost_max = input->cost_max};
    cel_value out = cel_eval(program->program, &act);
    if (outcome) {
        assert(outcome->size >= sizeof *outcome);
        outcome->certain_until_us = act.certain_until_us;
        outcome->cost = act.cost;
    }
    return cel_outside(out);
}

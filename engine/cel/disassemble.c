/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disassemble - a program as text, one step a line, for debugging and golden tests.
 *
 *      3  COMPARE_CONST  ==  "open"
 */
#include "engine/cel/program_int.h"

static const char *const names[OP_COUNT] = {
#define X(name, operands, meaning) #name,
    CEL_OPCODE_LIST(X)
#undef X
};

static const char *const operators[] = {
    [CEL_OP_EQ] = "==", [CEL_OP_NE] = "!=", [CEL_OP_LT] = "<", [CEL_OP_LE] = "<=", [CEL_OP_GT] = ">", [CEL_OP_GE] = ">=",
};

static void put_constant(buf *b, const cel_program *p, uint32_t k)
{
    buf_put_str(b, "  ");
    cel_to_text(b, p->constants[k], 60);
}

static void put_operands(buf *b, const cel_program *p, const cel_step *s)
{
    switch ((cel_opcode)s->op) {
    case OP_CONST:
    case OP_SELECT:
    case OP_HAS:
    case OP_OPT_SELECT:
        put_constant(b, p, s->a);
        break;
    case OP_FIELD:
        buf_printf(b, "  %u", s->a);
        put_constant(b, p, s->b);
        break;
    case OP_COMPARE:
        buf_printf(b, "  %s", operators[s->argc]);
        break;
    case OP_COMPARE_CONST:
        buf_printf(b, "  %s", operators[s->argc]);
        put_constant(b, p, s->b);
        break;
    case OP_VAR_COMPARE_CONST:
    case OP_LOCAL_COMPARE_CONST:
    case OP_FIELD_COMPARE_CONST:
        buf_printf(b, "  %u  %s", s->a, operators[s->argc]);
        put_constant(b, p, s->b);
        break;
    case OP_IN_SET:
        buf_printf(b, "  %u constants", p->constants[s->a].len);
        break;
    case OP_FOLD_ANY:
    case OP_FOLD_ALL:
        buf_printf(b, "  %u  %u  %llu", s->a, s->b, (unsigned long long)s->n);
        break;
    case OP_CALL:
        buf_printf(b, "  %s", cel_overloads[s->a].text);
        break;
    case OP_CALL_HOST:
        put_constant(b, p, s->b);
        break;
    case OP_CALL_DYN:
        if (s->object)
            buf_printf(b, "  %.*s", MANDATE_SLICE_ARG(cel_overloads[s->a].name));
        break;
    case OP_BRANCH:
    case OP_FOLD_START:
    case OP_FOLD_NEXT:
    case OP_FOLD_TEST:
    case OP_FOLD_STEP:
        buf_printf(b, "  %u  %u", s->a, s->b);
        break;
    case OP_LOCAL:
    case OP_VAR:
    case OP_ENTITY:
    case OP_LIST:
    case OP_MAP:
    case OP_AND_SHORT:
    case OP_OR_SHORT:
    case OP_JUMP:
    case OP_OPT_OR:
    case OP_OPT_OR_VALUE:
    case OP_FOLD_END:
    case OP_APPEND:
    case OP_INSERT:
        buf_printf(b, "  %u", s->a);
        break;
    default:
        break;
    }
}

void cel_disassemble(buf *b, const cel_program *program)
{
    for (uint32_t i = 0; i < program->step_count; i++) {
        const cel_step *s = &program->steps[i];
        buf_printf(b, "%4u  %s", i, names[s->op]);
        put_operands(b, program, s);
        buf_put_char(b, '\n');
    }
}

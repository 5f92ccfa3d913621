/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mandatectl cel explain - every sub-expression with its value; unknowns and errors marked.
 *
 *   status in ["open"] && tags.exists(t, t == "red")     true
 *   |- status in ["open"]                                true
 *   |  `- status                                         "open"
 *   `- tags.exists(t, t == "red")                        true
 *      |- tags                                           ["blue", "red"]
 *      |- t = "blue":  t == "red"                        false
 *      `- t = "red":  t == "red"                         true
 *
 * A part that stands in a macro is evaluated for each element, the variable bound as cel.bind binds it. Constants are not
 * repeated; of a range the first ELEMENTS are shown, of all PARTS_MAX parts.
 */
#include <stdio.h>

#include "connectors/cli/cel_command.h"
#include "connectors/cli/out.h"

enum { ELEMENTS = 10, VALUE_SHOWN = 200, BINDINGS_MAX = 64, PARTS_MAX = 2000 };

typedef struct binding {
    mandate_slice name;
    cel_value value;
} binding;

typedef struct explainer {
    cel_command *c;
    binding bound[BINDINGS_MAX];
    uint32_t bound_count, shown;
    buf out, indent;
    bool failed;
} explainer;

/* --- values of parts --- */

static cel_expr *new_expr(explainer *x, cel_expr_kind kind, const cel_type *type)
{
    cel_expr *e = ARENA_NEW(&x->c->ast->memory, cel_expr);
    if (!e) {
        x->failed = true;
        return NULL;
    }
    e->kind = kind;
    e->type = type;
    e->var = e->field = CEL_REF_NONE;
    e->id = ++x->c->ast->id_max;
    return e;
}

/* cel.bind(name, value, e), as the parser would have made it. */
static const cel_expr *bind(explainer *x, const binding *b, const cel_expr *e)
{
    cel_expr *fold = new_expr(x, CEL_EXPR_COMPREHENSION, e->type), *range = new_expr(x, CEL_EXPR_LIST, NULL);
    cel_expr *init = new_expr(x, CEL_EXPR_CONST, cel_type_simple(CEL_TYPE_DYN));
    cel_expr *no = new_expr(x, CEL_EXPR_CONST, cel_type_simple(CEL_TYPE_BOOL));
    cel_expr *accu = new_expr(x, CEL_EXPR_IDENT, cel_type_simple(CEL_TYPE_DYN));
    cel_comprehension *k = ARENA_NEW(&x->c->ast->memory, cel_comprehension);
    if (x->failed || !k) {
        x->failed = true;
        return e;
    }
    init->value = b->value;
    no->value = cel_bool(false);
    accu->name = b->name;
    fold->offset = e->offset;
    *k = (cel_comprehension){.iter_var = mandate_slice_str("#unused"),
                             .accu_var = b->name,
                             .range = range,
                             .init = init,
                             .condition = no,
                             .step = accu,
                             .result = (cel_expr *)(uintptr_t)e};
    fold->comprehension = k;
    return fold;
}

static cel_value value_of(explainer *x, const cel_expr *e)
{
    cel_program *program = NULL;
    cel_activation act;
    mandate_error err = {0};
    for (uint32_t i = x->bound_count; i > 0; i--)
        e = bind(x, &x->bound[i - 1], e);
    if (x->failed || cel_compile_expr(&program, x->c->world.env, x->c->ast, e, &err) != MANDATE_OK)
        return cel_error(&x->c->world.memory, "%s", x->failed ? "out of memory" : err.text);
    cel_value v = cel_world_eval(&x->c->world, program, &act), kept;
    if (v.kind < CEL_UNKNOWN && cel_copy(&kept, &x->c->world.memory, v, NULL) == MANDATE_OK)
        v = kept; /* it may point into the program */
    else if (v.kind == CEL_ERROR)
        v = cel_error(&x->c->world.memory, "%.*s", MANDATE_SLICE_ARG(v.error->message));
    cel_program_destroy(program);
    return v;
}

/* --- lines --- */

static mandate_slice text_of(const explainer *x, const cel_expr *e)
{
    return mandate_slice_of(x->c->source.ptr + e->begin, e->end - e->begin);
}

static void put_bindings(explainer *x, uint32_t from)
{
    for (uint32_t i = from; i < x->bound_count; i++) {
        out_text(&x->out, OUT_DIM, x->bound[i].name);
        out_str(&x->out, OUT_DIM, " = ");
        cel_put_value(&x->out, &x->c->world, x->bound[i].value, VALUE_SHOWN);
        out_str(&x->out, OUT_DIM, i + 1 == x->bound_count ? ":  " : ", ");
    }
}

static void put_mark(explainer *x, cel_value v)
{
    out_style style;
    const char *truth = v.kind == CEL_ERROR     ? "error"
                        : v.kind == CEL_UNKNOWN ? "unknown"
                        : cel_is_false(v)       ? "false"
                                                : "true";
    if (v.kind != CEL_BOOL && v.kind < CEL_UNKNOWN)
        return;
    const char *mark = out_truth_mark(mandate_slice_str(truth), &style);
    out_str(&x->out, style, mark);
    buf_put_char(&x->out, ' ');
}

/* A member "children" or the lines below; `from`: the first binding that the line has to name. */
static void show(explainer *x, const cel_expr *e, bool last, bool root, uint32_t from);

static void show_json(explainer *x, const cel_expr *e, cel_value v, uint32_t from)
{
    buf_put_str(&x->out, "{\"text\":");
    buf_put_json_string(&x->out, text_of(x, e));
    for (uint32_t i = from; i < x->bound_count; i++) {
        buf_put_str(&x->out, i == from ? ",\"with\":{" : ",");
        buf_put_json_string(&x->out, x->bound[i].name);
        buf_put_str(&x->out, ":{");
        cel_put_value_json(&x->out, x->bound[i].value);
        buf_put_str(&x->out, i + 1 == x->bound_count ? "}}" : "}");
    }
    buf_put_char(&x->out, ',');
    cel_put_value_json(&x->out, v);
}

static void show_line(explainer *x, const cel_expr *e, cel_value v, bool last, bool root, uint32_t from)
{
    buf_put_slice(&x->out, buf_slice(&x->indent));
    if (!root)
        buf_put_str(&x->out, last ? "\xE2\x94\x94\xE2\x94\x80 " : "\xE2\x94\x9C\xE2\x94\x80 ");
    put_mark(x, v);
    put_bindings(x, from);
    out_text(&x->out, OUT_PLAIN, text_of(x, e));
    if (v.kind != CEL_BOOL) {
        buf_put_str(&x->out, " = ");
        cel_put_value(&x->out, &x->c->world, v, VALUE_SHOWN);
    }
    buf_put_char(&x->out, '\n');
}

/* --- the tree --- */

typedef struct part {
    const cel_expr *e;
    int element; /* of the range, or -1 */
} part;

typedef VEC(part) parts;

/* Its text says it all: made of constants, a variable that the line above names, a type, an entity by its id. */
static bool says_itself(const cel_expr *e)
{
    if (e->kind == CEL_EXPR_CALL && e->op == CEL_OP_INDEX && e->args[0]->kind == CEL_EXPR_IDENT && e->args[0]->table)
        return e->args[1]->kind == CEL_EXPR_CONST;
    if (e->kind == CEL_EXPR_IDENT)
        return e->var == CEL_REF_NONE;
    if (e->kind == CEL_EXPR_CONST)
        return true;
    for (uint32_t i = 0; i < e->arg_count; i++)
        if (!says_itself(e->args[i]))
            return false;
    return e->kind == CEL_EXPR_LIST || e->kind == CEL_EXPR_MAP;
}

/* `a && b && c` is one thing of three parts. */
static void add(explainer *x, parts *list, const cel_expr *e, const cel_expr *parent, int element)
{
    if (e->kind == CEL_EXPR_CALL && parent && parent->op == e->op && (e->op == CEL_OP_AND || e->op == CEL_OP_OR)) {
        add(x, list, e->args[0], parent, element);
        add(x, list, e->args[1], parent, element);
    } else if (!says_itself(e) && e->end > e->begin && !VEC_PUSH(list, (part){e, element})) {
        x->failed = true;
    }
}

static bool is_accu(const cel_expr *e, const cel_comprehension *k)
{
    return e->kind == CEL_EXPR_IDENT && mandate_slice_eq(e->name, k->accu_var);
}

/* What a turn computes, without what the macro put around it. */
static void add_turn(explainer *x, parts *list, const cel_comprehension *k, const cel_expr *step, int element)
{
    if (is_accu(step, k))
        return;
    if (step->kind == CEL_EXPR_CALL && step->op == CEL_OP_COND) {
        add_turn(x, list, k, step->args[0], element);
        add_turn(x, list, k, step->args[1], element);
        return;
    }
    bool around = step->kind == CEL_EXPR_CALL && step->arg_count == 2 && is_accu(step->args[0], k);
    if (around && step->args[1]->kind == CEL_EXPR_LIST && step->args[1]->arg_count == 1 && step->op == CEL_OP_ADD)
        add(x, list, step->args[1]->args[0], NULL, element);
    else
        add(x, list, around ? step->args[1] : step, NULL, element);
}

static void bind_element(explainer *x, const cel_comprehension *k, cel_value range, uint32_t at)
{
    bool list = range.kind == CEL_LIST, two = k->iter_var2.len > 0;
    cel_value key = list ? cel_int(at) : range.map[at].key, value = list ? range.items[at] : range.map[at].value;
    if (x->bound_count + 2 > BINDINGS_MAX) {
        x->failed = true;
        return;
    }
    x->bound[x->bound_count++] = (binding){k->iter_var, two || !list ? key : value};
    if (two)
        x->bound[x->bound_count++] = (binding){k->iter_var2, value};
}

static void show_children(explainer *x, const cel_expr *e)
{
    parts list = {0};
    const cel_comprehension *k = e->kind == CEL_EXPR_COMPREHENSION ? e->comprehension : NULL;
    bool bind_macro = k && k->range->kind == CEL_EXPR_LIST && k->range->arg_count == 0;
    cel_value range = cel_null();
    if (bind_macro) {
        add(x, &list, k->init, NULL, -1);
        range = value_of(x, k->init);
        add(x, &list, k->result, NULL, 0);
    } else if (k) {
        add(x, &list, k->range, NULL, -1);
        range = value_of(x, k->range);
        uint32_t n = range.kind == CEL_LIST || range.kind == CEL_MAP ? range.len : 0;
        for (uint32_t i = 0; i < n && i < ELEMENTS; i++)
            add_turn(x, &list, k, k->step, (int)i);
    } else {
        if (e->operand)
            add(x, &list, e->operand, NULL, -1);
        for (uint32_t i = 0; i < e->arg_count; i++)
            add(x, &list, e->args[i], e->kind == CEL_EXPR_CALL ? e : NULL, -1);
    }
    uint32_t bound = x->bound_count, shown = 0;
    bool json = x->c->common.json;
    for (uint32_t i = 0; i < list.len && !x->failed && x->shown < PARTS_MAX; i++) {
        const part *p = &list.data[i];
        if (p->element >= 0 && bind_macro)
            x->bound[x->bound_count++] = (binding){k->accu_var, range};
        else if (p->element >= 0)
            bind_element(x, k, range, (uint32_t)p->element);
        if (json)
            buf_put_str(&x->out, shown++ ? "," : ",\"children\":[");
        show(x, p->e, i + 1 == list.len, false, bound);
        x->bound_count = bound;
    }
    if (json && shown)
        buf_put_char(&x->out, ']');
    VEC_FREE(&list);
}

static void show(explainer *x, const cel_expr *e, bool last, bool root, uint32_t from)
{
    cel_value v = value_of(x, e);
    x->shown++;
    size_t outer = x->indent.len;
    if (x->c->common.json)
        show_json(x, e, v, from);
    else
        show_line(x, e, v, last, root, from);
    if (!root)
        buf_put_str(&x->indent, last ? "   " : "\xE2\x94\x82  ");
    show_children(x, e);
    x->indent.len = outer;
    if (x->c->common.json)
        buf_put_char(&x->out, '}');
}

int cmd_cel_explain(int argc, char **argv)
{
    cel_command c;
    explainer x = {.c = &c};
    int code = cel_command_open(&c, argc, argv);
    buf_init(&x.out);
    buf_init(&x.indent);
    if (!code) {
        show(&x, c.ast->root, true, true, 0);
        if (c.common.json)
            buf_put_char(&x.out, '\n');
        if (x.failed || x.out.failed) {
            out_problem("out of memory");
            code = CLI_INTERNAL;
        } else {
            fwrite(x.out.data, 1, x.out.len, stdout);
        }
    }
    buf_deinit(&x.out);
    buf_deinit(&x.indent);
    cel_command_close(&c);
    return code;
}

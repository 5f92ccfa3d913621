/* SPDX-License-Identifier: Apache-2.0 */
/*
 * logic - variables, their points, and truth tables over them. AND and OR absorb as conditions do: false (true) before unknown
 * before error.
 */
#include "engine/lint/lint_int.h"

#include <stdlib.h>

void logic_init(logic *l, arena *memory, const lint_options *options)
{
    *l = (logic){.memory = memory, .options = options, .work = LIMIT_LINT_WORK};
}

void logic_deinit(logic *l)
{
    for (uint32_t i = 0; i < l->vars.len; i++) {
        VEC_FREE(&l->vars.data[i].constants);
        VEC_FREE(&l->vars.data[i].points);
    }
    VEC_FREE(&l->vars);
}

/* --- points -------------------------------------------------------------------------------------------- */
static int by_value(const void *x, const void *y)
{
    int order = 0;
    bool comparable = cel_compare(*(const cel_value *)x, *(const cel_value *)y, &order);
    return comparable ? order : cel_order(*(const cel_value *)x, *(const cel_value *)y); /* NaN */
}

static void sort_constants(lint_var *v)
{
    uint32_t kept = 0;
    if (v->constants.len == 0)
        return;
    qsort(v->constants.data, v->constants.len, sizeof(cel_value), by_value);
    for (uint32_t i = 0; i < v->constants.len; i++)
        if (kept == 0 || by_value(&v->constants.data[kept - 1], &v->constants.data[i]) != 0)
            v->constants.data[kept++] = v->constants.data[i];
    v->constants.len = kept;
}

/* Rank of a constant: 2 i + 1. */
static uint32_t rank_of(const lint_var *v, cel_value constant)
{
    const cel_value *at = bsearch(&constant, v->constants.data, v->constants.len, sizeof(cel_value), by_value);
    return at ? (uint32_t)(at - v->constants.data) * 2 + 1 : 0;
}

static bool gap_is_empty(const lint_var *v, uint32_t gap)
{
    if (gap == 0 || gap >= v->constants.len)
        return false;
    cel_value below = v->constants.data[gap - 1], above = v->constants.data[gap];
    return v->field && v->field->type->kind == CEL_TYPE_INT && below.kind == CEL_INT && above.kind == CEL_INT &&
           below.i + 1 == above.i;
}

static bool declared(const lint_var *v) { return v->field && v->field->values; }

static void add_point(logic *l, lint_var *v, uint32_t point)
{
    if (!VEC_PUSH(&v->points, (uint16_t)point))
        l->failed = true;
}

static void add_constant(logic *l, lint_var *v, cel_value constant)
{
    if (!VEC_PUSH(&v->constants, constant))
        l->failed = true;
}

static void make_points(logic *l, lint_var *v, int64_t expires_at_us)
{
    cel_value first = cel_timestamp_us(l->options->now_us), last = cel_timestamp_us(expires_at_us);
    if (v->field && l->options->supplied_known && !v->field->supplied) {
        add_point(l, v, POINT_UNKNOWN);
        return;
    }
    if (v->truth) {
        add_point(l, v, 0);
        add_point(l, v, 1);
    }
    for (uint32_t i = 0; !v->truth && declared(v) && i < v->field->value_count; i++)
        add_constant(l, v, cel_string(v->field->values[i]));
    if (v->clock && !v->truth) {
        add_constant(l, v, first);
        add_constant(l, v, last);
    }
    sort_constants(v);
    uint32_t ranks = v->constants.len * 2 + 1;
    for (uint32_t rank = 0; !v->truth && rank < ranks && rank < POINT_UNKNOWN; rank++) {
        bool constant = rank % 2;
        if (v->clock && (rank < rank_of(v, first) || rank >= rank_of(v, last)))
            continue;
        if (!constant && (declared(v) || gap_is_empty(v, rank / 2)))
            continue;
        if (constant && declared(v) && !schema_field_allows(v->field, cel_text(v->constants.data[rank / 2])))
            continue;
        add_point(l, v, rank);
    }
    if (v->nullable)
        add_point(l, v, POINT_NULL);
}

void logic_prepare(logic *l, int64_t expires_at_us)
{
    for (uint32_t i = 0; i < l->vars.len; i++)
        make_points(l, &l->vars.data[i], expires_at_us);
}

/* --- evaluation ----------------------------------------------------------------------------------------- */
static condition_truth atom_value(const logic *l, const formula *f)
{
    const lint_var *v = &l->vars.data[f->var];
    uint32_t point = v->points.data[v->at], rank;
    if (point == POINT_UNKNOWN)
        return TRUTH_UNKNOWN;
    if (f->kind == FORMULA_TRUTH)
        return point == POINT_NULL ? TRUTH_ERROR : point ? TRUTH_TRUE : TRUTH_FALSE;
    if (point == POINT_NULL)
        return f->kind == FORMULA_EQUAL ? TRUTH_FALSE : TRUTH_ERROR;
    rank = f->rank;
    bool is = f->kind == FORMULA_EQUAL ? point == rank
              : f->op == CEL_OP_LT     ? point < rank
              : f->op == CEL_OP_LE     ? point <= rank
              : f->op == CEL_OP_GT     ? point > rank
                                       : point >= rank;
    return is ? TRUTH_TRUE : TRUTH_FALSE;
}

static condition_truth value_of(const logic *l, const formula *f, const formula *without)
{
    bool unknown = false, error = false;
    condition_truth decides, v;
    switch (f->kind) {
    case FORMULA_CONST:
        return f->truth;
    case FORMULA_NOT:
        v = value_of(l, f->children[0], without);
        return v == TRUTH_TRUE ? TRUTH_FALSE : v == TRUTH_FALSE ? TRUTH_TRUE : v;
    case FORMULA_AND:
    case FORMULA_OR:
        decides = f->kind == FORMULA_AND ? TRUTH_FALSE : TRUTH_TRUE;
        for (uint32_t i = 0; i < f->count; i++) {
            if (f->children[i]->skip || f->children[i] == without)
                continue;
            v = value_of(l, f->children[i], without);
            if (v == decides)
                return v;
            unknown = unknown || v == TRUTH_UNKNOWN;
            error = error || v == TRUTH_ERROR;
        }
        return unknown ? TRUTH_UNKNOWN : error ? TRUTH_ERROR : decides == TRUTH_FALSE ? TRUTH_TRUE : TRUTH_FALSE;
    default:
        return atom_value(l, f);
    }
}

/* Marks its variables, and gives constants their ranks. */
static void use_vars(logic *l, formula *f)
{
    if (f->kind == FORMULA_TRUTH || f->kind == FORMULA_EQUAL || f->kind == FORMULA_ORDER) {
        lint_var *v = &l->vars.data[f->var];
        v->used = true;
        if (!v->truth)
            f->rank = rank_of(v, f->constant);
    }
    for (uint32_t i = 0; i < f->count; i++)
        use_vars(l, f->children[i]);
}

/* The next assignment of the used variables; false after the last. */
static bool advance(logic *l)
{
    for (uint32_t i = 0; i < l->vars.len; i++) {
        lint_var *v = &l->vars.data[i];
        if (v->used && ++v->at < v->points.len)
            return true;
        v->at = 0;
    }
    return false;
}

bool logic_table(logic *l, const lint_column *columns, uint32_t count, lint_row row, void *ctx)
{
    condition_truth values[LINT_COLUMNS_MAX];
    uint64_t rows = 1, nodes = 0;
    for (uint32_t i = 0; i < l->vars.len; i++)
        l->vars.data[i].used = false;
    for (uint32_t i = 0; i < count; i++) {
        use_vars(l, columns[i].clause->root);
        nodes += columns[i].clause->nodes;
    }
    for (uint32_t i = 0; i < l->vars.len && rows <= LIMIT_LINT_ASSIGNMENTS; i++) {
        l->vars.data[i].at = 0;
        if (l->vars.data[i].used)
            rows *= l->vars.data[i].points.len;
    }
    if (rows == 0) /* a variable without any value: nothing can be said */
        return false;
    if (rows > LIMIT_LINT_ASSIGNMENTS || rows * nodes > l->work)
        return false;
    l->work -= (uint32_t)(rows * nodes);
    for (uint32_t i = 0; i < l->vars.len; i++)
        l->vars.data[i].at = 0;
    do {
        for (uint32_t i = 0; i < count; i++)
            values[i] = value_of(l, columns[i].clause->root, columns[i].without);
    } while (row(ctx, values) && advance(l));
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* model_condition - random conditions, their CEL text, and their value by plain recursion. */
#include "tests/model/model.h"

#include <string.h>

uint64_t model_rand(uint64_t *rng, uint64_t below)
{
    uint64_t z = (*rng += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (z ^ (z >> 31)) % below;
}

static m_truth both(m_truth a, m_truth b)
{
    if (a == M_FALSE || b == M_FALSE)
        return M_FALSE;
    if (a == M_UNKNOWN || b == M_UNKNOWN)
        return M_UNKNOWN;
    return a == M_ERROR || b == M_ERROR ? M_ERROR : M_TRUE;
}

static m_truth either(m_truth a, m_truth b)
{
    if (a == M_TRUE || b == M_TRUE)
        return M_TRUE;
    if (a == M_UNKNOWN || b == M_UNKNOWN)
        return M_UNKNOWN;
    return a == M_ERROR || b == M_ERROR ? M_ERROR : M_FALSE;
}

static m_truth inverted(m_truth a) { return a == M_TRUE ? M_FALSE : a == M_FALSE ? M_TRUE : a; }

static m_cell read(const model *m, int type, int entity, m_field f)
{
    m_cell c = m->entity[type][entity].cell[f];
    if (c.told && m->down[c.source])
        c.kind = V_UNSET;
    return c;
}

/* Codes as what they stand for: two of F_D may be one number. */
static int plain(m_field f, int code) { return f == F_D ? code / 2 : code; }

static m_truth number(m_cell c, m_op op, int k)
{
    if (c.kind != V_SET)
        return c.kind == V_UNSET ? M_UNKNOWN : M_ERROR;
    return (op == C_LT ? c.v < k : c.v >= k) ? M_TRUE : M_FALSE;
}

static m_truth equal(m_cell c, m_field f, int k)
{
    if (c.kind == V_UNSET)
        return M_UNKNOWN;
    return c.kind == V_SET && plain(f, c.v) == plain(f, k) ? M_TRUE : M_FALSE;
}

static m_truth flag(m_cell c) { return c.kind == V_UNSET ? M_UNKNOWN : c.kind == V_NULL ? M_ERROR : c.v ? M_TRUE : M_FALSE; }

/* The predicates, as printed below. */
static m_truth predicate(const model *m, const m_node *n, int type, int i)
{
    m_cell s = read(m, type, i, F_S), number_n = read(m, type, i, F_N), b = read(m, type, i, F_B);
    switch (n->k2) {
    case 0:
        return number(number_n, C_GE, n->k + 1);
    case 1:
        return inverted(equal(s, F_S, n->k));
    case 2:
        return either(number(number_n, C_LT, n->k), inverted(flag(b)));
    case 3:
        return both(either(equal(s, F_S, n->k), equal(s, F_S, n->entity2)), flag(b));
    default: /* by a program: it reads more than the member itself */
        return both(number(number_n, C_GE, n->k + 1), flag(read(m, n->type, n->entity, F_B)));
    }
}

/* Do any (all, exactly one) of those that refer to this entity satisfy the predicate? */
static m_truth over_back(const model *m, const m_node *n)
{
    int other = 1 - n->type, count = 0, ones = 0;
    m_truth out = n->op == C_EXISTS ? M_FALSE : M_TRUE, odd = M_TRUE;
    for (int i = 0; i < MODEL_ENTITIES; i++) {
        m_cell ref = m->entity[other][i].cell[F_R]; /* membership does not depend on who is silent */
        if (ref.kind != V_SET || ref.v != n->entity)
            continue;
        count++;
        m_truth t = predicate(m, n, other, i);
        out = n->op == C_EXISTS ? either(out, t) : both(out, t);
        ones += t == M_TRUE;
        if (t == M_UNKNOWN || t == M_ERROR)
            odd = t; /* a count that is not known stays so until something else goes wrong */
    }
    if (n->op == C_ONE)
        out = odd != M_TRUE ? odd : ones == 1 ? M_TRUE : M_FALSE;
    return count == 0 && m->entity[n->type][n->entity].status == E_UNOBSERVED ? M_UNKNOWN : out;
}

static m_truth chain(const model *m, const m_node *n)
{
    m_cell ref = read(m, n->type, n->entity, F_R);
    if (ref.kind != V_SET)
        return ref.kind == V_UNSET ? M_UNKNOWN : M_ERROR;
    return equal(read(m, 1 - n->type, ref.v, F_N), F_N, n->k);
}

static m_truth two(const model *m, const m_node *n)
{
    m_cell a = read(m, n->type, n->entity, F_N), b = read(m, n->type, n->entity2, F_N);
    if (a.kind == V_UNSET || b.kind == V_UNSET)
        return M_UNKNOWN;
    if (a.kind == V_NULL || b.kind == V_NULL)
        return M_ERROR;
    return a.v < b.v ? M_TRUE : M_FALSE;
}

static m_truth value(const model *m, const m_condition *c, int at)
{
    const m_node *n = &c->nodes[at];
    m_cell x;
    m_truth t;
    switch (n->op) {
    case C_AND:
        return both(value(m, c, n->a), value(m, c, n->b));
    case C_OR:
        return either(value(m, c, n->a), value(m, c, n->b));
    case C_NOT:
        return inverted(value(m, c, n->a));
    case C_COND:
        t = value(m, c, n->a);
        return t == M_TRUE ? value(m, c, n->b) : t == M_FALSE ? value(m, c, n->c) : t;
    case C_EQ:
        return equal(read(m, n->type, n->entity, n->field), n->field, n->k);
    case C_NE:
        return inverted(equal(read(m, n->type, n->entity, n->field), n->field, n->k));
    case C_IN:
        x = read(m, n->type, n->entity, n->field);
        return either(equal(x, n->field, n->k), equal(x, n->field, n->k2));
    case C_LT:
    case C_GE:
        x = read(m, n->type, n->entity, n->field);
        x.v = plain(n->field, x.v);
        return number(x, n->op, plain(n->field, n->k));
    case C_BOOL:
        return flag(read(m, n->type, n->entity, F_B));
    case C_HAS:
        x = read(m, n->type, n->entity, n->field);
        return x.kind == V_UNSET ? M_UNKNOWN : x.kind == V_SET ? M_TRUE : M_FALSE;
    case C_CHAIN:
        return chain(m, n);
    case C_TWO:
        return two(m, n);
    case C_AGE:
        x = read(m, n->type, n->entity, F_T);
        if (x.kind != V_SET)
            return x.kind == V_UNSET ? M_UNKNOWN : M_ERROR;
        return m->now - x.v < n->k ? M_TRUE : M_FALSE;
    case C_CLOCK:
        return m->now < n->k ? M_TRUE : M_FALSE;
    default:
        return over_back(m, n);
    }
}

m_truth model_truth(const model *m, const m_condition *c) { return value(m, c, 0); }

/* --- text ------------------------------------------------------------------------------------------------ */
typedef struct {
    char *out;
    size_t size, len;
} text;

static void put(text *t, const char *s)
{
    size_t n = strlen(s);
    if (t->len + n < t->size) {
        memcpy(t->out + t->len, s, n + 1);
        t->len += n;
    }
}

static void put_int(text *t, int v)
{
    char digits[16];
    snprintf(digits, sizeof(digits), "%d", v);
    put(t, digits);
}

static void put_cell(text *t, int type, int entity, const char *field)
{
    put(t, type ? "b.thing[\"" : "a.item[\"");
    put(t, "e");
    put_int(t, entity);
    put(t, "\"].");
    put(t, field);
}

static void put_constant(text *t, m_field f, int k)
{
    if (f == F_S) {
        put(t, "\"v");
        put_int(t, k);
        put(t, "\"");
    } else if (f == F_D) {
        put_int(t, k / 4);
        put(t, k / 2 % 2 ? ".5" : k % 2 ? ".0" : "");
    } else {
        put_int(t, k);
    }
}

static void print_predicate(text *t, const m_node *n)
{
    switch (n->k2) {
    case 0:
        put(t, "c.n > ");
        put_int(t, n->k);
        break;
    case 1:
        put(t, "c.s != ");
        put_constant(t, F_S, n->k);
        break;
    case 2:
        put_int(t, n->k);
        put(t, " > c.n || !c.b");
        break;
    case 3:
        put(t, "c.s in [");
        put_constant(t, F_S, n->k);
        put(t, ", ");
        put_constant(t, F_S, n->entity2);
        put(t, "] && c.b");
        break;
    default:
        put(t, "c.n > ");
        put_int(t, n->k);
        put(t, " && ");
        put_cell(t, n->type, n->entity, "b");
    }
}

static void print(text *t, const m_condition *c, int at)
{
    static const char *const names[] = {"s", "n", "b", "t", "d", "r"};
    const m_node *n = &c->nodes[at];
    switch (n->op) {
    case C_AND:
    case C_OR:
        put(t, "(");
        print(t, c, n->a);
        put(t, n->op == C_AND ? " && " : " || ");
        print(t, c, n->b);
        put(t, ")");
        break;
    case C_NOT:
        put(t, "!(");
        print(t, c, n->a);
        put(t, ")");
        break;
    case C_COND:
        put(t, "(");
        print(t, c, n->a);
        put(t, " ? ");
        print(t, c, n->b);
        put(t, " : ");
        print(t, c, n->c);
        put(t, ")");
        break;
    case C_EQ:
    case C_NE:
        put_cell(t, n->type, n->entity, names[n->field]);
        put(t, n->op == C_EQ ? " == " : " != ");
        put_constant(t, n->field, n->k);
        break;
    case C_IN:
        put_cell(t, n->type, n->entity, names[n->field]);
        put(t, " in [");
        put_constant(t, n->field, n->k);
        put(t, ", ");
        put_constant(t, n->field, n->k2);
        put(t, "]");
        break;
    case C_LT:
    case C_GE: /* both spellings */
        if (n->k2 & 1) {
            put_constant(t, n->field, n->k);
            put(t, n->op == C_LT ? " > " : " <= ");
            put_cell(t, n->type, n->entity, names[n->field]);
        } else {
            put_cell(t, n->type, n->entity, names[n->field]);
            put(t, n->op == C_LT ? " < " : " >= ");
            put_constant(t, n->field, n->k);
        }
        break;
    case C_BOOL:
        put_cell(t, n->type, n->entity, "b");
        break;
    case C_HAS:
        put(t, "has(");
        put_cell(t, n->type, n->entity, names[n->field]);
        put(t, ")");
        break;
    case C_CHAIN:
        put_cell(t, n->type, n->entity, "r.n == ");
        put_int(t, n->k);
        break;
    case C_TWO:
        put_cell(t, n->type, n->entity, "n < ");
        put_cell(t, n->type, n->entity2, "n");
        break;
    case C_AGE:
        put(t, "now - ");
        put_cell(t, n->type, n->entity, "t < duration(\"");
        put_int(t, n->k);
        put(t, "s\")");
        break;
    case C_CLOCK:
        put(t, "now < timestamp(");
        put_int(t, n->k);
        put(t, ")");
        break;
    default:
        put_cell(t, n->type, n->entity,
                 n->op == C_EXISTS ? "back.exists(c, "
                 : n->op == C_ALL  ? "back.all(c, "
                                   : "back.exists_one(c, ");
        print_predicate(t, n);
        put(t, ")");
        break;
    }
}

void model_print(char *out, size_t size, const m_condition *c)
{
    text t = {out, size, 0};
    out[0] = 0;
    print(&t, c, 0);
}

/* --- random ---------------------------------------------------------------------------------------------- */
static int folds(const m_condition *c, int count)
{
    int n = 0;
    for (int i = 0; i < count; i++)
        n += c->nodes[i].op >= C_EXISTS;
    return n;
}

/* Makes of a leaf one that stands in this condition already, or its opposite: what is so comes down to less than it is written with. */
static bool repeat(m_node *n, const m_condition *c, int at, uint64_t *rng)
{
    const m_node *old = at ? &c->nodes[model_rand(rng, (uint64_t)at)] : NULL;
    if (!old || old->op < C_EQ || old->op >= C_EXISTS || model_rand(rng, 3))
        return false;
    *n = *old;
    if (n->op <= C_NE && model_rand(rng, 2))
        n->op = n->op == C_EQ ? C_NE : C_EQ;
    else if (n->op <= C_NE && model_rand(rng, 2))
        n->op = C_IN, n->k2 = n->k;
    return true;
}

static int grow(m_condition *c, uint64_t *rng, int64_t now, int depth)
{
    int at = c->count++;
    c->nodes[at].op = C_AND; /* until it is known */
    m_node n = {.type = (int)model_rand(rng, MODEL_TYPES),
                .entity = (int)model_rand(rng, MODEL_ENTITIES),
                .entity2 = (int)model_rand(rng, MODEL_ENTITIES),
                .field = (m_field[]){F_S, F_N, F_D}[model_rand(rng, 3)],
                .k = (int)model_rand(rng, 5),
                .k2 = (int)model_rand(rng, 5)};
    bool inner = depth > 0 && c->count + 6 < MODEL_NODES && model_rand(rng, 3) > 0;
    n.op = inner ? (m_op)model_rand(rng, C_EQ) : (m_op)(C_EQ + model_rand(rng, C_KINDS - C_EQ));
    if (n.op == C_COND && model_rand(rng, 3))
        n.op = C_AND;
    if (!inner && repeat(&n, c, at, rng))
        return c->nodes[at] = n, at;
    if (inner) {
        n.a = grow(c, rng, now, depth - 1);
        if (n.op != C_NOT)
            n.b = grow(c, rng, now, depth - 1);
        if (n.op == C_COND)
            n.c = grow(c, rng, now, depth - 1);
    }
    if (n.field == F_D) {
        n.k = (int)model_rand(rng, 12);
        n.k2 = (int)model_rand(rng, 12);
    }
    if ((n.op == C_LT || n.op == C_GE) && n.field == F_S)
        n.field = F_N;
    if (n.op > C_GE)
        n.k %= 5;
    if (n.op >= C_EXISTS && folds(c, at) == 2) /* more would be refused for what they may cost */
        n.op = C_BOOL;
    if (n.op == C_HAS)
        n.field = (m_field)model_rand(rng, F_COUNT);
    if (n.op == C_AGE)
        n.k = 1 + (int)model_rand(rng, 40);
    if (n.op == C_CLOCK)
        n.k = (int)(now + (int64_t)model_rand(rng, 60));
    c->nodes[at] = n;
    return at;
}

void model_random(m_condition *c, uint64_t *rng, int64_t now, int depth)
{
    c->present = true;
    c->count = 0;
    grow(c, rng, now, depth);
}

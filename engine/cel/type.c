/* SPDX-License-Identifier: Apache-2.0 */
/*
 * type - constructing, comparing, printing and reading types.
 *
 * Simple types are constants. Compound ones are interned in an environment while it is built; the
 * check may make more of them in its ast, so compare with cel_type_equal, not by pointer. A list,
 * map, optional or type without parameters is the denotation (`list`), not the type of a value.
 */
#include "engine/base/text.h"
#include "engine/cel/env.h"
#include "engine/limits.h"

const cel_type cel_simple_types[CEL_TYPE_KIND_COUNT] = {
#define X(kind_) [CEL_TYPE_##kind_] = {.kind = CEL_TYPE_##kind_}
    X(DYN),
    X(NULL),
    X(BOOL),
    X(INT),
    X(UINT),
    X(DOUBLE),
    X(STRING),
    X(BYTES),
    X(TIMESTAMP),
    X(DURATION),
    X(LIST),
    X(MAP),
    X(OPTIONAL),
    X(TYPE),
    X(IP),
    X(CIDR),
    X(ERROR),
#undef X
    [CEL_TYPE_OBJECT] = {.kind = CEL_TYPE_OBJECT, .name = "object"},
    [CEL_TYPE_TABLE] = {.kind = CEL_TYPE_TABLE, .name = "table"},
    [CEL_TYPE_WRAPPER] = {.kind = CEL_TYPE_WRAPPER},
    [CEL_TYPE_OPAQUE] = {.kind = CEL_TYPE_OPAQUE, .name = "opaque"},
    [CEL_TYPE_PARAM] = {.kind = CEL_TYPE_PARAM, .name = "_"},
};

const cel_type *cel_type_simple(cel_type_kind kind) { return &cel_simple_types[kind]; }

static bool same_name(const char *x, const char *y) { return x == y || (x && y && strcmp(x, y) == 0); }

bool cel_type_equal(const cel_type *x, const cel_type *y)
{
    if (x == y)
        return true;
    if (!x || !y || x->kind != y->kind || x->object != y->object)
        return false;
    if (x->kind == CEL_TYPE_PARAM)
        return x->object != 0 ? true : same_name(x->name, y->name);
    if (x->kind == CEL_TYPE_OPAQUE && !same_name(x->name, y->name))
        return false;
    return cel_type_equal(x->params[0], y->params[0]) && cel_type_equal(x->params[1], y->params[1]);
}

/* --- interning ----------------------------------------------------------------------------------
 */

typedef struct type_key {
    cel_type_kind kind;
    const cel_type *p0, *p1;
} type_key;

static bool type_eq(const void *ctx, uint32_t handle, const void *key)
{
    const cel_type *type = ((const cel_env *)ctx)->types.data[handle];
    const type_key *want = key;

    return type->kind == want->kind && type->params[0] == want->p0 && type->params[1] == want->p1;
}

static uint64_t type_hash(const type_key *key)
{
    return hash_mix(hash_mix((uint64_t)key->kind, (uint64_t)(uintptr_t)key->p0), (uint64_t)(uintptr_t)key->p1);
}

const cel_type *cel_env_interned(const cel_env *env, cel_type_kind kind, const cel_type *p0, const cel_type *p1)
{
    type_key key = {kind, p0, p1};
    uint32_t found = table_find(&env->type_index, type_hash(&key), type_eq, env, &key);

    return found == TABLE_NONE ? NULL : env->types.data[found];
}

static const cel_type *intern(cel_env *env, cel_type_kind kind, const cel_type *p0, const cel_type *p1)
{
    type_key key = {kind, p0, p1};
    const cel_type *out = cel_env_interned(env, kind, p0, p1);
    cel_type *made;

    if (out || !p0 || (kind == CEL_TYPE_MAP && !p1))
        return out;
    made = ARENA_NEW(&env->memory, cel_type);
    if (!made)
        return NULL;
    *made = (cel_type){.kind = kind, .params = {p0, p1}};
    if (kind == CEL_TYPE_TABLE) {
        made->name = p0->name;
        made->object = p0->object;
    }
    if (!VEC_PUSH(&env->types, made))
        return NULL;
    if (!table_add(&env->type_index, type_hash(&key), env->types.len - 1)) {
        env->types.len--;
        return NULL;
    }
    return made;
}

const cel_type *cel_type_list(cel_env *env, const cel_type *of) { return intern(env, CEL_TYPE_LIST, of, NULL); }

const cel_type *cel_type_map(cel_env *env, const cel_type *key, const cel_type *value)
{
    return intern(env, CEL_TYPE_MAP, key, value);
}

const cel_type *cel_type_optional(cel_env *env, const cel_type *of) { return intern(env, CEL_TYPE_OPTIONAL, of, NULL); }

const cel_type *cel_type_table(cel_env *env, const cel_type *object) { return intern(env, CEL_TYPE_TABLE, object, NULL); }

const cel_type *cel_type_wrapper(cel_env *env, const cel_type *of)
{
    return of && of->kind >= CEL_TYPE_BOOL && of->kind <= CEL_TYPE_BYTES ? intern(env, CEL_TYPE_WRAPPER, of, NULL) : NULL;
}

const cel_type *cel_type_opaque(cel_env *env, const char *name, const cel_type *const *params, uint32_t count)
{
    mandate_slice copy = arena_dup(&env->memory, mandate_slice_str(name));
    cel_type *cells = ARENA_ARRAY(&env->memory, cel_type, count ? count : 1);

    if (!copy.ptr || !cells || count > CEL_TYPE_PARAMS_MAX)
        return NULL;
    cells[0] = (cel_type){.kind = CEL_TYPE_OPAQUE, .name = copy.ptr};
    for (uint32_t i = 0; i < count; i++) {
        if (!params[i])
            return NULL;
        cells[i].kind = CEL_TYPE_OPAQUE;
        cells[i].params[0] = params[i];
        cells[i].params[1] = i + 1 < count ? &cells[i + 1] : NULL;
    }
    return cells;
}

const cel_type *cel_type_param(cel_env *env, const char *name)
{
    mandate_slice copy = arena_dup(&env->memory, mandate_slice_str(name));
    cel_type *made = ARENA_NEW(&env->memory, cel_type);

    if (!made || !copy.ptr)
        return NULL;
    *made = (cel_type){.kind = CEL_TYPE_PARAM, .name = copy.ptr};
    return made;
}

/* --- names ------------------------------------------------------------------- */

static const struct {
    const char *name;
    cel_type_kind kind;
    bool denoted; /* may stand in an expression */
} names[] = {
    {"dyn", CEL_TYPE_DYN, false},
    {"null", CEL_TYPE_NULL, false},
    {"null_type", CEL_TYPE_NULL, true},
    {"bool", CEL_TYPE_BOOL, true},
    {"int", CEL_TYPE_INT, true},
    {"uint", CEL_TYPE_UINT, true},
    {"double", CEL_TYPE_DOUBLE, true},
    {"string", CEL_TYPE_STRING, true},
    {"bytes", CEL_TYPE_BYTES, true},
    {"timestamp", CEL_TYPE_TIMESTAMP, false},
    {"google.protobuf.Timestamp", CEL_TYPE_TIMESTAMP, true},
    {"duration", CEL_TYPE_DURATION, false},
    {"google.protobuf.Duration", CEL_TYPE_DURATION, true},
    {"list", CEL_TYPE_LIST, true},
    {"map", CEL_TYPE_MAP, true},
    {"optional", CEL_TYPE_OPTIONAL, false},
    {"optional_type", CEL_TYPE_OPTIONAL, true},
    {"type", CEL_TYPE_TYPE, true},
    {"wrapper", CEL_TYPE_WRAPPER, false},
    {"net.IP", CEL_TYPE_IP, true},
    {"net.CIDR", CEL_TYPE_CIDR, true},
};

const cel_type *cel_type_denoted(uint32_t libraries, mandate_slice name)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!names[i].denoted || !mandate_slice_is(name, names[i].name))
            continue;
        if (names[i].kind == CEL_TYPE_OPTIONAL && !(libraries & CEL_LIB_OPTIONAL))
            return NULL;
        if ((names[i].kind == CEL_TYPE_IP || names[i].kind == CEL_TYPE_CIDR) && !(libraries & CEL_LIB_NETWORK))
            return NULL;
        return cel_type_simple(names[i].kind);
    }
    return NULL;
}

static const char *kind_name(cel_type_kind kind)
{
    switch (kind) {
    case CEL_TYPE_TIMESTAMP:
        return "timestamp";
    case CEL_TYPE_DURATION:
        return "duration";
    case CEL_TYPE_OPTIONAL:
        return "optional_type";
    case CEL_TYPE_TABLE:
        return "table";
    case CEL_TYPE_ERROR:
        return "!error!";
    default:
        break;
    }
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].kind == kind)
            return names[i].name;
    return "?";
}

void cel_type_print(buf *b, const cel_type *type)
{
    if (type->kind == CEL_TYPE_OBJECT || type->kind == CEL_TYPE_PARAM) {
        buf_put_str(b, type->name ? type->name : "?");
        return;
    }
    buf_put_str(b, type->kind == CEL_TYPE_OPAQUE ? type->name : kind_name(type->kind));
    if (!type->params[0])
        return;
    buf_put_char(b, '(');
    if (type->kind == CEL_TYPE_OPAQUE) {
        for (const cel_type *at = type; at; at = at->params[1]) {
            if (at != type)
                buf_put_str(b, ", ");
            cel_type_print(b, at->params[0]);
        }
        buf_put_char(b, ')');
        return;
    }
    cel_type_print(b, type->params[0]);
    if (type->params[1]) {
        buf_put_str(b, ", ");
        cel_type_print(b, type->params[1]);
    }
    buf_put_char(b, ')');
}

/* --- reading ----------------------------------------------------------------- */

typedef struct type_reader {
    cel_env *env;
    mandate_slice text;
    size_t at;
    mandate_error *err;
} type_reader;

static void skip_blanks(type_reader *r)
{
    while (r->at < r->text.len && r->text.ptr[r->at] == ' ')
        r->at++;
}

static bool accept(type_reader *r, char c)
{
    skip_blanks(r);
    if (r->at >= r->text.len || r->text.ptr[r->at] != c)
        return false;
    r->at++;
    return true;
}

static const cel_type *bad_type(type_reader *r, const char *why)
{
    mandate_error_set(r->err, MANDATE_INVALID, "'%.*s' is no type: %s", MANDATE_SLICE_ARG(r->text), why);
    return NULL;
}

static const cel_type *unknown_type(type_reader *r, mandate_slice name)
{
    const char *candidates[sizeof names / sizeof *names], *nearest;
    size_t count = 0;

    for (; count < sizeof names / sizeof *names; count++)
        candidates[count] = names[count].name;
    nearest = nearest_name(name, candidates, count);
    if (nearest)
        mandate_error_set(r->err, MANDATE_INVALID, "unknown type '%.*s' (did you mean '%s'?)", MANDATE_SLICE_ARG(name),
                          nearest);
    else
        mandate_error_set(r->err, MANDATE_INVALID, "unknown type '%.*s'", MANDATE_SLICE_ARG(name));
    return NULL;
}

static const cel_type *read_type(type_reader *r, int depth);

/* The parameters of a list, map, optional or type; without any they are dyn. */
static const cel_type *read_params(type_reader *r, cel_type_kind kind, int depth)
{
    const cel_type *p[2] = {cel_type_simple(CEL_TYPE_DYN), NULL};
    char close;

    if (kind == CEL_TYPE_MAP)
        p[1] = p[0];
    close = accept(r, '(') ? ')' : accept(r, '<') ? '>' : '\0';
    if (close) {
        if (!(p[0] = read_type(r, depth + 1)))
            return NULL;
        if (kind == CEL_TYPE_MAP && (!accept(r, ',') || !(p[1] = read_type(r, depth + 1))))
            return bad_type(r, "a map has a key type and a value type");
        if (!accept(r, close))
            return bad_type(r, "a parenthesis is not closed");
    } else if (kind == CEL_TYPE_TYPE) {
        return cel_type_simple(CEL_TYPE_TYPE);
    }
    p[0] = intern(r->env, kind, p[0], p[1]);
    if (!p[0])
        mandate_error_set(r->err, MANDATE_NOMEM, "no memory for a type");
    return p[0];
}

static const cel_type *read_type(type_reader *r, int depth)
{
    mandate_slice name;
    size_t begin;

    skip_blanks(r);
    begin = r->at;
    while (r->at < r->text.len && !strchr(" ,()<>", r->text.ptr[r->at]))
        r->at++;
    name = mandate_slice_of(r->text.ptr + begin, r->at - begin);
    if (name.len == 0)
        return bad_type(r, "a name is missing");
    if (depth >= LIMIT_CEL_NESTING)
        return bad_type(r, "it is nested too deep");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!mandate_slice_is(name, names[i].name))
            continue;
        if (names[i].kind == CEL_TYPE_LIST || names[i].kind == CEL_TYPE_MAP || names[i].kind == CEL_TYPE_OPTIONAL ||
            names[i].kind == CEL_TYPE_TYPE || names[i].kind == CEL_TYPE_WRAPPER)
            return read_params(r, names[i].kind, depth);
        return cel_type_simple(names[i].kind);
    }
    {
        const cel_object_decl *object = cel_env_object(r->env, name);

        return object ? object->type : unknown_type(r, name);
    }
}

const cel_type *cel_type_parse(cel_env *env, mandate_slice text, mandate_error *err)
{
    type_reader r = {.env = env, .text = text, .err = err};
    const cel_type *out = read_type(&r, 0);

    skip_blanks(&r);
    return out && r.at < text.len ? bad_type(&r, "something follows it") : out;
}

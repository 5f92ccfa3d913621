/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eval_step - the bodies of the larger steps: reading fields, building containers, calling
 * functions.
 *
 * Containers hold values at rest: a moving time is settled when it is put into one.
 */
#include "engine/cel/certain.h"
#include "engine/cel/cost_unit.h"
#include "engine/cel/env.h"
#include "engine/cel/eval_int.h"

/* --- fields --- */

/* Index of the field `name` of a host object, or CEL_REF_NONE. */
static uint32_t field_of(const cel_program *program, cel_value object, cel_value name)
{
    const cel_object_decl *decl = cel_env_object_at(program->env, object.type);
    return decl ? cel_object_field(program->env, decl->type, cel_text(name)) : CEL_REF_NONE;
}

static cel_value no_such_field(cel_activation *act, cel_value name)
{
    return cel_error(act->memory, "no such field '%.*s'", MANDATE_SLICE_ARG(cel_text(name)));
}

/* Before looking for `key` in a map; in anything else it costs nothing. */
static bool charge_lookup(cel_activation *act, cel_value x, cel_value key)
{
    uint64_t bytes = key.kind == CEL_STRING ? key.len : 0;
    return x.kind != CEL_MAP || cel_charge(act, cel_lookup_units(x.len, x.type == CEL_INDEXED, bytes));
}

static cel_value no_selection(cel_activation *act, cel_value x, cel_value name)
{
    if (cel_is_odd(x))
        return x;
    return x.kind == CEL_NULL ? cel_no_such_key(act, name) : cel_no_such_overload(act);
}

cel_value cel_step_select(const cel_program *program, cel_activation *act, cel_value x, cel_value name)
{
    if (x.kind == CEL_MAP)
        return charge_lookup(act, x, name) ? cel_index(act, x, name) : cel_too_costly(act);
    if (x.kind == CEL_OPTIONAL)
        return cel_step_opt_select(program, act, x, name);
    if (x.kind != CEL_OBJECT)
        return no_selection(act, x, name);
    uint32_t field = field_of(program, x, name);
    return field == CEL_REF_NONE ? no_such_field(act, name) : act->host->field(act->ctx, act, x, field);
}

cel_value cel_step_has(const cel_program *program, cel_activation *act, cel_value x, cel_value name)
{
    if (x.kind == CEL_OPTIONAL) {
        if (x.len == 0)
            return cel_bool(false);
        x = x.items[0];
    }
    if (x.kind == CEL_MAP && !charge_lookup(act, x, name))
        return cel_too_costly(act);
    if (x.kind == CEL_MAP)
        return cel_bool(cel_map_get(x, name) != NULL);
    if (x.kind != CEL_OBJECT)
        return no_selection(act, x, name);
    uint32_t field = field_of(program, x, name);
    return field == CEL_REF_NONE ? no_such_field(act, name) : act->host->has(act->ctx, act, x, field);
}

cel_value cel_step_opt_select(const cel_program *program, cel_activation *act, cel_value x, cel_value name)
{
    if (x.kind == CEL_OPTIONAL) {
        if (x.len == 0)
            return x;
        x = x.items[0];
    }
    cel_value present = cel_step_has(program, act, x, name);
    if (present.kind != CEL_BOOL)
        return present;
    if (!present.b)
        return (cel_value){.kind = CEL_OPTIONAL, .len = 0, .items = NULL};
    cel_value v = cel_step_select(program, act, x, name);
    return cel_is_odd(v) ? v : cel_new_optional(act, v);
}

cel_value cel_step_index(cel_activation *act, const cel_value *operands, bool optional)
{
    cel_value x = operands[0], key = operands[1];
    if (cel_is_odd(x) || cel_is_odd(key))
        return cel_strict(act, operands, 2);
    if (key.slope)
        key = cel_settle(act, key);
    if (!charge_lookup(act, x.kind == CEL_OPTIONAL && x.len ? x.items[0] : x, key))
        return cel_too_costly(act);
    return optional ? cel_opt_index(act, x, key) : cel_index(act, x, key);
}

/* --- containers --- */

static bool is_masked(const cel_step *s, uint32_t i)
{
    const uint64_t *mask = s->p;
    return mask && (mask[i / 64] >> (i % 64) & 1);
}

/* An entry marked `?` must be an optional. False: it is none, leave the entry out. */
static bool unwrap_entry(cel_value *v, bool *wrong)
{
    *wrong = v->kind != CEL_OPTIONAL;
    if (*wrong || v->len == 0)
        return false;
    *v = v->items[0];
    return true;
}

cel_value cel_step_list(cel_activation *act, cel_value *items, const cel_step *s)
{
    uint32_t n = 0;
    bool wrong = false;
    for (uint32_t i = 0; i < s->a; i++) {
        if (cel_is_odd(items[i]))
            return cel_strict(act, items, s->a);
        if (items[i].slope)
            items[i] = cel_settle(act, items[i]);
    }
    cel_value *list = arena_alloc(act->memory, s->a * sizeof *list);
    if (!list)
        return cel_out_of_memory();
    for (uint32_t i = 0; i < s->a && !wrong; i++)
        if (!is_masked(s, i) || unwrap_entry(&items[i], &wrong))
            list[n++] = items[i];
    return wrong ? cel_no_such_overload(act) : cel_list(list, n);
}

static cel_value add_entry(cel_activation *act, cel_map_builder *b, cel_value key, cel_value value)
{
    if (key.kind != CEL_STRING && key.kind != CEL_INT && key.kind != CEL_UINT && key.kind != CEL_BOOL)
        return cel_error(act->memory, "unsupported key type: %s", cel_kind_name(key.kind));
    int added = cel_map_add(b, key, value);
    if (added < 0)
        return cel_out_of_memory();
    if (added > 0)
        return cel_null();
    buf text;
    buf_init(&text);
    cel_to_text(&text, key, 200);
    cel_value out = cel_error(act->memory, "Failed with repeated key: %s", buf_cstr(&text));
    buf_deinit(&text);
    return out;
}

cel_value cel_step_map(cel_activation *act, cel_value *pairs, const cel_step *s)
{
    cel_map_builder b;
    cel_value problem = cel_null();
    bool wrong = false;
    for (uint32_t i = 0; i < 2 * s->a; i++) {
        if (cel_is_odd(pairs[i]))
            return cel_strict(act, pairs, 2 * s->a);
        if (pairs[i].slope)
            pairs[i] = cel_settle(act, pairs[i]);
    }
    if (!cel_map_begin(&b, act->memory, s->a))
        return cel_out_of_memory();
    for (uint32_t i = 0; i < s->a && !wrong && problem.kind == CEL_NULL; i++) {
        cel_value key = pairs[2 * i], value = pairs[2 * i + 1];
        if (!is_masked(s, i) || unwrap_entry(&value, &wrong))
            problem = add_entry(act, &b, key, value);
    }
    if (problem.kind == CEL_ERROR)
        return problem;
    return wrong ? cel_no_such_overload(act) : cel_map_end(&b);
}

/* frame[FOLD_POSITION].u is how many elements the accumulator has room for: 0 until it is ours. */
cel_value cel_step_append(cel_activation *act, cel_value *frame, cel_value v)
{
    cel_value list = frame[FOLD_ACCU];
    uint64_t *room = &frame[FOLD_POSITION].u;
    if (cel_is_odd(list) || cel_is_odd(v))
        return cel_strict(act, (cel_value[]){list, v}, 2);
    if (list.kind != CEL_LIST)
        return cel_no_such_overload(act);
    if (v.slope)
        v = cel_settle(act, v);
    cel_value *items = (cel_value *)(uintptr_t)list.items;
    if (list.len >= *room) {
        uint64_t more = list.len < 4 ? 8 : 2 * (uint64_t)list.len;
        items = more <= UINT32_MAX ? arena_alloc(act->memory, more * sizeof *items) : NULL;
        if (!items)
            return cel_out_of_memory();
        if (list.len)
            memcpy(items, list.items, list.len * sizeof *items);
        *room = more;
    }
    items[list.len] = v;
    return cel_list(items, list.len + 1);
}

cel_value cel_step_insert(cel_activation *act, cel_value *frame, cel_value key, cel_value value)
{
    cel_value map = frame[FOLD_ACCU], problem = cel_null();
    uint64_t *owned = &frame[FOLD_POSITION].u;
    cel_map_builder b;
    if (cel_is_odd(map) || cel_is_odd(key) || cel_is_odd(value))
        return cel_strict(act, (cel_value[]){map, key, value}, 3);
    if (map.kind != CEL_MAP)
        return cel_no_such_overload(act);
    if (*owned) {
        b = cel_map_resume(act->memory, map);
    } else {
        if (!cel_map_begin(&b, act->memory, map.len + 4))
            return cel_out_of_memory();
        for (uint32_t i = 0; i < map.len; i++)
            if (cel_map_add(&b, map.map[i].key, map.map[i].value) < 0)
                return cel_out_of_memory();
        *owned = 1;
    }
    problem = add_entry(act, &b, key, value.slope ? cel_settle(act, value) : value);
    return problem.kind == CEL_ERROR ? problem : cel_map_end(&b);
}

/* --- calls --- */

static const cel_overload *fitting(const cel_step *s, const cel_value *args)
{
    uint32_t count = s->op == OP_CALL ? 1 : s->object;
    const cel_overload *row = count ? &cel_overloads[s->a] : NULL;
    for (uint32_t i = 0; i < count; i++)
        if (cel_fn_accepts(&row[i], args))
            return &row[i];
    return NULL;
}

/* The arguments are of the wanted kinds (packed into the step for up to three), none odd or moving. */
static bool fits_at_once(const cel_value *args, const cel_step *s)
{
    uint32_t wanted = s->b >> 8;
    if (s->op != OP_CALL || s->argc > 3 || !wanted)
        return false;
    for (uint32_t i = 0; i < s->argc; i++, wanted >>= 8)
        if (args[i].slope || (args[i].kind != (wanted & 255) && ((wanted & 255) != CEL_FN_ANY || cel_is_odd(args[i]))))
            return false;
    return true;
}

static cel_value call(cel_activation *act, const cel_value *args, const cel_step *s, cel_overload_id id)
{
    act->prepared = s->p;
    if ((s->b & CEL_FN_SIZED) && !cel_charge_call(act, id, args, s->argc))
        return cel_too_costly(act);
    return cel_fn_rows[id].fn(act, args, s->argc);
}

cel_value cel_step_call(cel_activation *act, cel_value *args, const cel_step *s)
{
    uint32_t flags = 0, moving = 0;
    bool odd = false;
    if (fits_at_once(args, s))
        return call(act, args, s, s->a);
    for (uint32_t i = 0; i < s->argc; i++) {
        odd |= cel_is_odd(args[i]);
        moving |= (uint8_t)args[i].slope;
    }
    if (odd && !(s->b & CEL_FN_LENIENT))
        return cel_strict(act, args, s->argc);
    const cel_overload *overload = fitting(s, args);
    if (!overload)
        return cel_no_such_overload(act);
    const cel_fn_row *row = &cel_fn_rows[overload->id];
    flags = row->flags;
    if (moving && !(flags & CEL_FN_MOVES))
        for (uint32_t i = 0; i < s->argc; i++)
            if (args[i].slope)
                args[i] = cel_settle(act, args[i]);
    return call(act, args, s, overload->id);
}

cel_value cel_step_call_host(cel_activation *act, cel_value *args, const cel_step *s, cel_value name)
{
    for (uint32_t i = 0; i < s->argc; i++) {
        if (cel_is_odd(args[i]))
            return cel_strict(act, args, s->argc);
        if (args[i].slope)
            args[i] = cel_settle(act, args[i]);
    }
    const cel_overload *overload = fitting(s, args);
    if (overload) {
        act->prepared = NULL;
        if (!cel_charge_call(act, overload->id, args, s->argc))
            return cel_too_costly(act);
        return cel_fn_rows[overload->id].fn(act, args, s->argc);
    }
    act->prepared = NULL;
    if (!cel_charge_call(act, CEL_FN_COUNT, args, s->argc))
        return cel_too_costly(act);
    if (!act->host || !act->host->call)
        return cel_error(act->memory, "function '%.*s' has no implementation here", MANDATE_SLICE_ARG(cel_text(name)));
    return act->host->call(act->ctx, act, cel_text(name), args, s->argc);
}

cel_value cel_step_opt_or(cel_activation *act, cel_value x, const cel_step *s)
{
    if (cel_is_odd(x))
        return x;
    if (x.kind != CEL_OPTIONAL)
        return cel_error_at(act->memory, cel_no_such_overload(act), s->offset);
    return s->op == OP_OPT_OR ? x : x.items[0];
}

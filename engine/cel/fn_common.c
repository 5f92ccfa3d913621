/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_common - what implementations share: which arguments fit, the words of common errors,
 * optionals.
 */
#include "engine/cel/fn.h"

#include <assert.h>

enum { ANY = CEL_FN_ANY };

/* The kind of value a declared parameter type wants. */
static const uint8_t wanted[CEL_TYPE_KIND_COUNT] = {
    [CEL_TYPE_DYN] = ANY,
    [CEL_TYPE_NULL] = CEL_NULL,
    [CEL_TYPE_BOOL] = CEL_BOOL,
    [CEL_TYPE_INT] = CEL_INT,
    [CEL_TYPE_UINT] = CEL_UINT,
    [CEL_TYPE_DOUBLE] = CEL_DOUBLE,
    [CEL_TYPE_STRING] = CEL_STRING,
    [CEL_TYPE_BYTES] = CEL_BYTES,
    [CEL_TYPE_TIMESTAMP] = CEL_TIMESTAMP,
    [CEL_TYPE_DURATION] = CEL_DURATION,
    [CEL_TYPE_LIST] = CEL_LIST,
    [CEL_TYPE_MAP] = CEL_MAP,
    [CEL_TYPE_OBJECT] = CEL_OBJECT,
    [CEL_TYPE_TABLE] = CEL_ERROR,
    [CEL_TYPE_OPTIONAL] = CEL_OPTIONAL,
    [CEL_TYPE_TYPE] = CEL_TYPE,
    [CEL_TYPE_WRAPPER] = ANY,
    [CEL_TYPE_OPAQUE] = ANY,
    [CEL_TYPE_IP] = CEL_IP,
    [CEL_TYPE_CIDR] = CEL_CIDR,
    [CEL_TYPE_PARAM] = ANY,
    [CEL_TYPE_ERROR] = ANY,
};

uint8_t cel_fn_wants(const cel_type *parameter) { return wanted[parameter->kind]; }

bool cel_fn_accepts(const cel_overload *overload, const cel_value *args)
{
    for (uint32_t i = 0; i < overload->arg_count; i++) {
        uint8_t want = wanted[overload->params[i]->kind];
        if (want != ANY && want != args[i].kind)
            return false;
    }
    return true;
}

cel_value cel_no_such_overload(cel_activation *act) { return cel_error(act->memory, "no such overload"); }

cel_value cel_strict(cel_activation *act, const cel_value *args, uint32_t count)
{
    uint32_t first = 0;
    while (!cel_is_odd(args[first])) {
        first++;
        assert(first < count);
    }
    cel_value out = args[first];
    if (out.kind == CEL_ERROR)
        return out;
    for (uint32_t i = first + 1; i < count; i++)
        if (args[i].kind == CEL_UNKNOWN)
            out = cel_unknown_join(act->memory, out, args[i]);
    return out;
}

cel_value cel_new_optional(cel_activation *act, cel_value v)
{
    cel_value *item = arena_alloc(act->memory, sizeof *item);
    if (!item)
        return cel_out_of_memory();
    *item = v;
    return (cel_value){.kind = CEL_OPTIONAL, .len = 1, .items = item};
}

cel_value cel_take_text(cel_activation *act, buf *b)
{
    mandate_slice text = {NULL, 0};
    if (!b->failed && b->len <= UINT32_MAX)
        text = arena_dup(act->memory, buf_slice(b));
    buf_deinit(b);
    return text.ptr ? cel_string(text) : cel_out_of_memory();
}

cel_value cel_no_such_key(cel_activation *act, cel_value key)
{
    if (key.kind == CEL_STRING)
        return cel_error(act->memory, "no such key: %.*s", MANDATE_SLICE_ARG(cel_text(key)));
    buf b;
    buf_init(&b);
    cel_to_text(&b, key, 200);
    cel_value out = cel_error(act->memory, "no such key: %s", buf_cstr(&b));
    buf_deinit(&b);
    return out;
}

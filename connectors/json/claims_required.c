/* SPDX-License-Identifier: Apache-2.0 */
/* claims_required - see the header. Whatever order it is written in, it is kept in one, and written in that. */
#include "connectors/json/claims_required.h"

#include "connectors/json/json_value.h"

#include <math.h>

enum { NAME_SHOWN = LIMIT_NAME };

static int shown(mandate_slice name) { return (int)(name.len < NAME_SHOWN ? name.len : NAME_SHOWN); }

static mandate_status read_one(claims_required *out, arena *a, mandate_slice name, cel_value v, mandate_error *err)
{
    if (v.kind != CEL_LIST)
        return mandate_error_set(err, MANDATE_INVALID, "scope.require.%.*s: expected an array of values, got %s",
                                 shown(name), name.ptr, json_value_kind(v));
    cel_value *values = ARENA_ARRAY(a, cel_value, v.len + 1);
    if (!values)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory while reading a mandate");
    for (uint32_t i = 0; i < v.len; i++) {
        const cel_value one = v.items[i];
        if (one.kind != CEL_BOOL && one.kind != CEL_INT && one.kind != CEL_DOUBLE && one.kind != CEL_STRING)
            return mandate_error_set(err, MANDATE_INVALID,
                                     "scope.require.%.*s[%u]: expected true, false, a number or a string, got %s",
                                     shown(name), name.ptr, i, json_value_kind(one));
        if (one.kind == CEL_DOUBLE && fabs(one.d) >= 0x1p63) /* as all numbers of claims */
            return mandate_error_set(err, MANDATE_INVALID,
                                     "scope.require.%.*s[%u]: the number %g is beyond 64 bits; write it as a text",
                                     shown(name), name.ptr, i, one.d);
        values[i] = one;
    }
    required_sort_values(values, v.len);
    *out = (claims_required){name, values, v.len};
    return MANDATE_OK;
}

mandate_status claims_read_required(claims *c, arena *a, cel_value v, mandate_error *err)
{
    if (v.kind != CEL_MAP)
        return mandate_error_set(err, MANDATE_INVALID, "scope.require: expected an object of arrays, got %s",
                                 json_value_kind(v));
    claims_required *all = ARENA_ARRAY(a, claims_required, v.len + 1);
    mandate_status status =
        all ? MANDATE_OK : mandate_error_set(err, MANDATE_NOMEM, "out of memory while reading a mandate");
    for (uint32_t i = 0; i < v.len && !status; i++)
        status = read_one(&all[i], a, cel_text(v.map[i].key), v.map[i].value, err);
    if (status)
        return status;
    required_sort(all, v.len);
    c->required = all;
    c->required_count = v.len;
    return MANDATE_OK;
}

void claims_put_required(buf *b, const claims *c)
{
    buf_put_char(b, '{');
    for (uint32_t i = 0; i < c->required_count; i++) {
        if (i)
            buf_put_char(b, ',');
        buf_put_json_string(b, c->required[i].name);
        buf_put_char(b, ':');
        cel_to_json(b, cel_list(c->required[i].values, c->required[i].value_count));
    }
    buf_put_char(b, '}');
}

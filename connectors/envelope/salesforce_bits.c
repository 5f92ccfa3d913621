/* SPDX-License-Identifier: Apache-2.0 */
/*
 * salesforce_bits - see salesforce.h. An entry is taken apart in one place, and both questions ask that.
 */
#include "connectors/envelope/salesforce.h"

typedef struct entry {
    bool is_bitmap, is_nested;
    uint32_t outer;       /* of a nested bitmap: the place of the compound field */
    mandate_slice digits; /* of the bitmap, after 0x */
    mandate_slice text;
} entry;

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool read_entry(entry *out, mandate_slice s)
{
    size_t i = 0;
    uint32_t outer = 0;
    *out = (entry){.text = s};
    while (i < s.len && i < 6 && s.ptr[i] >= '0' && s.ptr[i] <= '9')
        outer = outer * 10 + (uint32_t)(s.ptr[i++] - '0');
    if (i > 0 && i < s.len && s.ptr[i] == '-') {
        out->is_nested = true;
        out->outer = outer;
        i++;
    } else {
        i = 0;
    }
    if (s.len - i < 2 || s.ptr[i] != '0' || (s.ptr[i + 1] != 'x' && s.ptr[i + 1] != 'X'))
        return !out->is_nested && s.len > 0; /* a name */
    out->is_bitmap = true;
    out->digits = mandate_slice_of(s.ptr + i + 2, s.len - i - 2);
    for (size_t k = 0; k < out->digits.len; k++)
        if (hex_digit(out->digits.ptr[k]) < 0)
            return false;
    return out->digits.len > 0;
}

static bool has_bit(mandate_slice digits, uint32_t bit)
{
    uint32_t back = bit / 4;
    return back < digits.len && (hex_digit(digits.ptr[digits.len - 1 - back]) >> bit % 4 & 1);
}

/* One more than the highest bit that is set. */
static size_t width(mandate_slice digits)
{
    for (size_t i = 0; i < digits.len; i++)
        for (int bit = 3; bit >= 0; bit--)
            if (hex_digit(digits.ptr[i]) >> bit & 1)
                return (digits.len - 1 - i) * 4 + (size_t)bit + 1;
    return 0;
}

static mandate_status check_entry(const entry *e, const char *name, cel_value data, mandate_error *err)
{
    size_t fields = data.len;
    if (!e->is_bitmap)
        return MANDATE_OK;
    if (e->is_nested) {
        if (e->outer >= data.len)
            return mandate_error_set(err, MANDATE_INVALID, "`%s` has a bitmap for field %u; there are %u fields", name,
                                     e->outer, data.len);
        const cel_value *inner = &data.map[e->outer].value;
        fields = inner->kind == CEL_MAP ? inner->len : SIZE_MAX; /* null: none of its parts is there to be told */
    }
    if (width(e->digits) > fields)
        return mandate_error_set(err, MANDATE_INVALID,
                                 "`%s` has a bitmap with field %zu; there are %zu fields: is it read with the schema it was "
                                 "written with?",
                                 name, width(e->digits) - 1, fields);
    return MANDATE_OK;
}

mandate_status sf_check_list(cel_value list, const char *name, cel_value data, mandate_error *err)
{
    if (list.kind == CEL_NULL)
        return MANDATE_OK;
    if (list.kind != CEL_LIST)
        return mandate_error_set(err, MANDATE_INVALID, "`%s` is %s, not a list", name, cel_kind_name((cel_kind)list.kind));
    for (uint32_t i = 0; i < list.len; i++) {
        entry e;
        if (list.items[i].kind != CEL_STRING || !read_entry(&e, cel_text(list.items[i])))
            return mandate_error_set(err, MANDATE_INVALID,
                                     "entry %u of `%s` is neither a field name nor a bitmap such as 0x104 or 4-0x6", i,
                                     name);
        mandate_status status = check_entry(&e, name, data, err);
        if (status != MANDATE_OK)
            return status;
    }
    return MANDATE_OK;
}

/* "Name.FirstName" is the part FirstName of the compound field Name. */
static bool name_lists(mandate_slice text, const sf_field *field)
{
    const sf_field *first = field->outer ? field->outer : field;
    if (text.len < first->name.len || memcmp(text.ptr, first->name.ptr, first->name.len) != 0)
        return false;
    mandate_slice rest = mandate_slice_of(text.ptr + first->name.len, text.len - first->name.len);
    if (rest.len == 0)
        return true;
    if (*rest.ptr != '.')
        return false;
    return !field->outer || mandate_slice_eq(mandate_slice_of(rest.ptr + 1, rest.len - 1), field->name);
}

static bool bitmap_lists(const entry *e, const sf_field *field)
{
    if (e->is_nested)
        return field->outer ? e->outer == field->outer->index && has_bit(e->digits, field->index)
                            : e->outer == field->index && width(e->digits) > 0;
    return has_bit(e->digits, field->outer ? field->outer->index : field->index);
}

bool sf_lists(cel_value list, const sf_field *field)
{
    for (uint32_t i = 0; list.kind == CEL_LIST && i < list.len; i++) {
        entry e;
        if (!read_entry(&e, cel_text(list.items[i])))
            continue;
        if (e.is_bitmap ? bitmap_lists(&e, field) : name_lists(e.text, field))
            return true;
    }
    return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_index - simdjson's first stage, of the implementation that suits this processor. Built without exceptions.
 */
#include "connectors/decode/json_index.h"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include <simdjson.h>

static_assert(static_cast<size_t>(JSON_INDEX_PADDING) >= simdjson::SIMDJSON_PADDING, "less than simdjson reads");

struct json_index {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;
    char *padded = nullptr;
    size_t capacity = 0; /* of padded, without the padding */
};

namespace
{
bool reserve(json_index *x, size_t len)
{
    size_t want = x->capacity ? x->capacity : 4096;
    if (x->capacity && len <= x->capacity)
        return true;
    while (want < len)
        want *= 2;
    char *grown = static_cast<char *>(std::realloc(x->padded, want + JSON_INDEX_PADDING));
    if (!grown)
        return false;
    x->padded = grown;
    x->capacity = 0;
    x->stage.reset();
    if (simdjson::get_active_implementation()->create_dom_parser_implementation(want, simdjson::DEFAULT_MAX_DEPTH, x->stage))
        return false;
    x->capacity = want;
    return true;
}
} // namespace

json_index *json_index_create(void) { return new (std::nothrow) json_index; }

void json_index_destroy(json_index *x)
{
    if (x)
        std::free(x->padded);
    delete x;
}

bool json_index_run(json_index *x, const char *from, size_t len, const char **text, const uint32_t **places, uint32_t *count)
{
    if (len == 0 || len > JSON_INDEX_TEXT_MAX || !reserve(x, len))
        return false;
    std::memcpy(x->padded, from, len);
    std::memset(x->padded + len, ' ', JSON_INDEX_PADDING);
    if (x->stage->stage1(reinterpret_cast<const uint8_t *>(x->padded), len, simdjson::stage1_mode::regular))
        return false;
    *text = x->padded;
    *places = x->stage->structural_indexes.get();
    *count = x->stage->n_structural_indexes;
    return true;
}

bool json_index_double(const char *text, size_t len, double *out)
{
    std::from_chars_result done = std::from_chars(text, text + len, *out);
    return done.ec == std::errc() && done.ptr == text + len;
}

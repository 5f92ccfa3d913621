/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_shim - one walk over simdjson's On-Demand iterator; and, at the end, simdjson's first stage alone (json_index.h).
 *
 * Every value is visited and converted, which is what makes On-Demand check all of the text: what nobody reads too. The
 * text is copied into a padded buffer first, because simdjson reads beyond the end. Built without
 * exceptions: every simdjson call here reports by error code. Stack depth is bounded by
 * json_sink_open.
 */
#include "connectors/decode/json_shim.h"
#include "connectors/decode/json_index.h"

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include <simdjson.h>

namespace od = simdjson::ondemand;
using simdjson::error_code;

static_assert(static_cast<size_t>(JSON_SHIM_PADDING) >= simdjson::SIMDJSON_PADDING,
              "json.c reserves less than simdjson writes");

struct json_shim {
    od::parser parser;
    char *padded = nullptr;
    size_t capacity = 0; /* of padded, without the padding */
};

namespace
{
struct walk {
    od::parser &parser;
    od::document &document;
    json_sink *sink;
    uint8_t *strings;
    const char *padded, *end; /* our copy of the text */
    const char *text;         /* the caller's, when strings may borrow from it */
    const char *at;           /* token being looked at, for errors */
    const char *message;
    json_shim_status status;
};

const char *describe(error_code e)
{
    switch (e) {
    case simdjson::STRING_ERROR:
        return "a malformed escape in a string";
    case simdjson::NUMBER_ERROR:
    case simdjson::NUMBER_OUT_OF_RANGE:
        return "a malformed number, or one beyond a double";
    case simdjson::T_ATOM_ERROR:
    case simdjson::F_ATOM_ERROR:
    case simdjson::N_ATOM_ERROR:
    case simdjson::INCORRECT_TYPE: /* it began like one */
        return "a word that is not true, false or null";
    case simdjson::UTF8_ERROR:
        return "bytes that are not UTF-8";
    case simdjson::UNESCAPED_CHARS:
        return "a control character inside a string";
    case simdjson::UNCLOSED_STRING:
        return "a string that does not end";
    case simdjson::EMPTY:
        return "no value at all";
    case simdjson::INCOMPLETE_ARRAY_OR_OBJECT:
        return "an array or object that does not end";
    case simdjson::TRAILING_CONTENT:
        return "something after the value";
    default:
        return "something that is not JSON";
    }
}

bool fail(walk &w, error_code e)
{
    w.status = e == simdjson::MEMALLOC ? JSON_SHIM_NOMEM : JSON_SHIM_INVALID;
    w.message = describe(e);
    const char *here;
    if (w.document.current_location().get(here) == simdjson::SUCCESS && here > w.at)
        w.at = here;
    return false;
}

bool tell(walk &w, bool told)
{
    if (!told)
        w.status = JSON_SHIM_STOPPED;
    return told;
}

/* Where a raw string or token stands in the text. */
void look_at(walk &w, const char *token) { w.at = token; }

template <typename V> bool number(walk &w, V &v, bool told)
{
    int64_t i;
    uint64_t u;
    double d;
    if (v.get_int64().get(i) == simdjson::SUCCESS)
        return !told || tell(w, json_sink_int(w.sink, i));
    if (v.get_uint64().get(u) == simdjson::SUCCESS)
        return !told || tell(w, json_sink_uint(w.sink, u));
    /* A fraction, or an integer beyond 64 bits: the nearest double (RFC 8259 section 6). */
    if (error_code e = v.get_double().get(d))
        return fail(w, e);
    return !told || tell(w, json_sink_double(w.sink, d));
}

/* A string as it stands: its length up to the quote; false when it has escapes (or no end, which then is found). */
bool is_plain(const walk &w, od::raw_json_string raw, size_t &len)
{
    const char *start = reinterpret_cast<const char *>(raw.raw()), *at = start;
#ifdef __SSE2__
    const __m128i quote = _mm_set1_epi8('"'), escape = _mm_set1_epi8('\\');
    for (; at < w.end; at += 16) { /* the padding bears what is read beyond the end */
        __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i *>(at));
        int hits = _mm_movemask_epi8(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, escape)));
        if (hits) {
            at += __builtin_ctz(static_cast<unsigned>(hits));
            break;
        }
    }
#else
    while (at < w.end && *at != '"' && *at != '\\')
        at++;
#endif
    len = static_cast<size_t>(at - start);
    return at < w.end && *at == '"';
}

bool unescape(walk &w, od::raw_json_string raw, std::string_view &text)
{
    error_code e = w.parser.unescape(raw, w.strings).get(text);
    return e ? fail(w, e) : true;
}

/* The text of a string, where it stands or unescaped. `plain` says which. */
bool text_of(walk &w, od::raw_json_string raw, std::string_view &text, bool &plain)
{
    size_t len;
    plain = is_plain(w, raw, len);
    if (!plain)
        return unescape(w, raw, text);
    const char *start = reinterpret_cast<const char *>(raw.raw());
    if (w.text) {
        text = std::string_view(w.text + (start - w.padded), len);
    } else {
        std::memcpy(w.strings, start, len);
        text = std::string_view(reinterpret_cast<char *>(w.strings), len);
        w.strings += len;
    }
    return true;
}

bool string(walk &w, od::raw_json_string raw, bool told)
{
    std::string_view text;
    bool plain;
    size_t len;
    if (!told) /* escapes are checked, though nobody reads them */
        return is_plain(w, raw, len) || unescape(w, raw, text);
    return text_of(w, raw, text, plain) && tell(w, json_sink_string(w.sink, text.data(), text.size(), plain));
}

/* What is read of the value at hand: everything (p NULL), what p names, or nothing. */
struct part {
    bool told;
    const projection *p;
};

template <typename V> bool value(walk &w, V &v, part read);

bool list(walk &w, od::array items, part read)
{
    if (!tell(w, read.told ? json_sink_open(w.sink) : json_sink_enter(w.sink)))
        return false;
    for (auto item : items) {
        od::value v;
        if (error_code e = std::move(item).get(v))
            return fail(w, e);
        if (!value(w, v, part{read.told, nullptr}))
            return false;
    }
    if (read.told)
        return tell(w, json_sink_close_list(w.sink));
    json_sink_leave(w.sink);
    return true;
}

/* A key, told when it is wanted; what of its value is. */
bool key(walk &w, od::raw_json_string raw, part read, part &below, bool &kept)
{
    std::string_view name;
    bool plain;
    size_t len;
    kept = false;
    below = part{false, nullptr};
    if (!read.told)
        return is_plain(w, raw, len) || unescape(w, raw, name);
    if (!text_of(w, raw, name, plain))
        return false;
    below.p = read.p;
    json_want want = read.p ? json_sink_wants(w.sink, &below.p, name.data(), name.size()) : JSON_WANTED;
    below.told = want == JSON_WANTED;
    kept = want == JSON_KEPT;
    return want == JSON_LEFT_OUT || tell(w, json_sink_key(w.sink, name.data(), name.size(), plain));
}

bool map(walk &w, od::object members, part read)
{
    if (!tell(w, read.told ? json_sink_open(w.sink) : json_sink_enter(w.sink)))
        return false;
    for (auto member : members) {
        od::field f;
        part below;
        bool kept;
        if (error_code e = std::move(member).get(f))
            return fail(w, e);
        look_at(w, reinterpret_cast<const char *>(f.key().raw()));
        if (!key(w, f.key(), read, below, kept) || !value(w, f.value(), below))
            return false;
        if (kept && !tell(w, json_sink_null(w.sink)))
            return false;
    }
    if (read.told)
        return tell(w, json_sink_close_map(w.sink));
    json_sink_leave(w.sink);
    return true;
}

bool ends_word(char c) { return std::strchr(" \t\n\r,:[]{}", c) != nullptr && c != '\0'; }

/* V is a value, or the document itself when the text is a single scalar. */
template <typename V> bool value(walk &w, V &v, part read)
{
    od::json_type type;
    od::array items;
    od::object members;
    od::raw_json_string raw;
    bool flag;
    const char *here;
    if (v.current_location().get(here) == simdjson::SUCCESS)
        look_at(w, here);
    if (error_code e = v.type().get(type))
        return fail(w, e);
    switch (type) {
    case od::json_type::array:
        if (error_code e = v.get_array().get(items))
            return fail(w, e);
        return list(w, items, read);
    case od::json_type::object:
        if (error_code e = v.get_object().get(members))
            return fail(w, e);
        return map(w, members, read);
    case od::json_type::string:
        if (error_code e = v.get_raw_json_string().get(raw))
            return fail(w, e);
        return string(w, raw, read.told);
    case od::json_type::number:
        return number(w, v, read.told);
    case od::json_type::boolean:
        if (error_code e = v.get_bool().get(flag))
            return fail(w, e);
        return !read.told || tell(w, json_sink_bool(w.sink, flag));
    case od::json_type::null:
        break;
    }
    /* is_null() looks at four bytes only, so that it would take "nullx". */
    simdjson::simdjson_result<bool> null = v.is_null();
    if (null.error() || !null.value_unsafe() || !ends_word(w.at[4]))
        return fail(w, simdjson::N_ATOM_ERROR);
    return !read.told || tell(w, json_sink_null(w.sink));
}

/* Stage 1 does not say where; this is the slow way, on the way out. */
size_t find_fault(error_code e, const char *text, size_t len)
{
    bool inside = false;
    if (e == simdjson::UTF8_ERROR) {
        size_t good = 0;
        for (size_t step = len; step > 0; step /= 2)
            while (good + step <= len) {
                size_t cut = good + step; /* never cut a character in two */
                while (cut < len && cut > good && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80)
                    cut--;
                if (cut == good || !simdjson::validate_utf8(text + good, cut - good))
                    break;
                good = cut;
            }
        return good;
    }
    for (size_t i = 0; e == simdjson::UNESCAPED_CHARS && i < len; i++) {
        if (inside && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            inside = !inside;
        else if (inside && static_cast<unsigned char>(text[i]) < 0x20)
            return i;
    }
    return len;
}

/* simdjson grows to the exact size asked for; growing by doubling lets warm-up end. */
bool reserve(json_shim *shim, size_t len)
{
    size_t want = shim->capacity ? shim->capacity : 4096;
    if (shim->capacity && len <= shim->capacity)
        return true;
    while (want < len)
        want *= 2;
    char *grown = static_cast<char *>(std::realloc(shim->padded, want + simdjson::SIMDJSON_PADDING));
    if (!grown)
        return false;
    shim->padded = grown;
    shim->capacity = 0;
    if (shim->parser.allocate(want, simdjson::DEFAULT_MAX_DEPTH) != simdjson::SUCCESS)
        return false;
    shim->capacity = want;
    return true;
}
} // namespace

json_shim *json_shim_create(void) { return new (std::nothrow) json_shim; }

void json_shim_destroy(json_shim *shim)
{
    if (shim)
        std::free(shim->padded);
    delete shim;
}

json_shim_status json_shim_run(json_shim *shim, const char *text, size_t len, char *strings, json_sink *sink,
                               const projection *p, bool borrow, json_shim_fault *fault)
{
    od::document document;
    *fault = {0, "out of memory"};
    /* simdjson takes a lone number together with the space behind it, of which it bears only
     * little. */
    while (len && std::strchr(" \t\n\r", text[len - 1]) && text[len - 1] != '\0')
        len--;
    if (!reserve(shim, len))
        return JSON_SHIM_NOMEM;
    if (len)
        std::memcpy(shim->padded, text, len);
    std::memset(shim->padded + len, ' ', simdjson::SIMDJSON_PADDING);

    size_t allocated = shim->capacity + simdjson::SIMDJSON_PADDING;
    if (error_code e = shim->parser.iterate(shim->padded, len, allocated).get(document)) {
        *fault = {find_fault(e, text, len), describe(e)};
        return e == simdjson::MEMALLOC ? JSON_SHIM_NOMEM : JSON_SHIM_INVALID;
    }

    walk w = {shim->parser,
              document,
              sink,
              reinterpret_cast<uint8_t *>(strings),
              shim->padded,
              shim->padded + len,
              borrow ? text : nullptr,
              shim->padded,
              nullptr,
              JSON_SHIM_OK};
    const char *after;
    if (value(w, document, part{true, p}) && document.current_location().get(after) != simdjson::OUT_OF_BOUNDS)
        fail(w, simdjson::TRAILING_CONTENT);
    size_t offset = static_cast<size_t>(w.at - shim->padded);
    *fault = {offset < len ? offset : len, w.message};
    return w.status;
}

/* --- json_index --- */

static_assert(static_cast<size_t>(JSON_INDEX_PADDING) >= simdjson::SIMDJSON_PADDING, "less than simdjson reads");

struct json_index {
    std::unique_ptr<simdjson::internal::dom_parser_implementation> stage;
    char *padded = nullptr;
    size_t capacity = 0; /* of padded, without the padding */
};

namespace
{
bool reserve_index(json_index *x, size_t len)
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
    if (len == 0 || len > JSON_INDEX_TEXT_MAX || !reserve_index(x, len))
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

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json - one JSON text to a cel_value tree in the caller's arena.
 *
 * simdjson (json_shim) walks the text; this file keeps a stack of the values of open containers,
 * which is reused from record to record, and copies each container into the arena when it closes.
 * It counts depth and items and refuses duplicate keys. Strings are unescaped into one arena block
 * as long as the text.
 */
#include "connectors/decode/decode.h"
#include "connectors/decode/json_shim.h"
#include "connectors/decode/keys.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/base/text.h"
#include "engine/base/vec.h"

struct json_sink {
    VEC(cel_value) stack;                /* elements; members as key, value, key, value */
    uint32_t opened[LIMIT_RECORD_DEPTH]; /* where each open container starts on the stack */
    uint32_t depth, items;
    arena *memory;
    mandate_error *err;
    mandate_status status; /* why a sink function stopped the walk */
};

struct json_decoder {
    json_shim *shim;
    json_sink sink;
};

mandate_status json_decoder_create(json_decoder **out, mandate_error *err)
{
    json_decoder *d = calloc(1, sizeof *d);
    if (!d)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a JSON decoder");
    d->shim = json_shim_create();
    if (!d->shim) {
        free(d);
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a JSON decoder");
    }
    *out = d;
    return MANDATE_OK;
}

void json_decoder_destroy(json_decoder *d)
{
    if (!d)
        return;
    json_shim_destroy(d->shim);
    VEC_FREE(&d->sink.stack);
    free(d);
}

/* --- what the shim reports --- */

static bool stop(json_sink *s, mandate_status status)
{
    s->status = status;
    return false;
}

static bool no_memory(json_sink *s)
{
    if (s->memory->failed)
        return stop(s, mandate_error_set(s->err, MANDATE_LIMIT, "the value needs more memory than one record may take"));
    return stop(s, mandate_error_set(s->err, MANDATE_NOMEM, "no memory to decode JSON"));
}

/* Every value is a root, an array element or a member, and the latter two count. */
static bool push(json_sink *s, cel_value v)
{
    if (s->depth > 0 && ++s->items > LIMIT_RECORD_ITEMS)
        return stop(s, mandate_error_set(s->err, MANDATE_LIMIT, "more than %d array elements and members in one text",
                                         LIMIT_RECORD_ITEMS));
    return VEC_PUSH(&s->stack, v) || no_memory(s);
}

bool json_sink_null(json_sink *sink) { return push(sink, cel_null()); }

bool json_sink_bool(json_sink *sink, bool v) { return push(sink, cel_bool(v)); }

bool json_sink_int(json_sink *sink, int64_t v) { return push(sink, cel_int(v)); }

bool json_sink_uint(json_sink *sink, uint64_t v) { return push(sink, cel_uint(v)); }

bool json_sink_double(json_sink *sink, double v) { return push(sink, cel_double(v)); }

/* simdjson lets some escaped lone surrogates through; what reaches a value is always UTF-8. */
static bool text_is_sound(json_sink *s, mandate_slice text)
{
    if (utf8_valid(text))
        return true;
    return stop(s, mandate_error_set(s->err, MANDATE_INVALID, "a string with half of a surrogate pair"));
}

bool json_sink_string(json_sink *sink, const char *text, size_t len, bool plain)
{
    mandate_slice s = {text, len};
    return (plain || text_is_sound(sink, s)) && push(sink, cel_string(s));
}

json_want json_sink_wants(json_sink *sink, const projection **p, const char *text, size_t len)
{
    const projection *here = *p;
    *p = NULL;
    for (uint32_t i = 0; i < here->count; i++) {
        const projection_child *c = &here->children[i];
        if (c->key.len != len || memcmp(c->key.ptr, text, len) != 0)
            continue;
        *p = c->below->all ? NULL : c->below;
        return JSON_WANTED;
    }
    return here->keep_keys ? JSON_KEPT : JSON_LEFT_OUT;
}

bool json_sink_key(json_sink *sink, const char *text, size_t len, bool plain)
{
    mandate_slice s = {text, len};
    return (plain || text_is_sound(sink, s)) && (VEC_PUSH(&sink->stack, cel_string(s)) || no_memory(sink));
}

bool json_sink_open(json_sink *sink)
{
    if (sink->depth == LIMIT_RECORD_DEPTH)
        return stop(sink, mandate_error_set(sink->err, MANDATE_LIMIT, "arrays and objects nested deeper than %d",
                                            LIMIT_RECORD_DEPTH));
    sink->opened[sink->depth++] = sink->stack.len;
    return true;
}

bool json_sink_enter(json_sink *sink) { return json_sink_open(sink); }

void json_sink_leave(json_sink *sink)
{
    assert(sink->depth > 0);
    sink->depth--;
}

/* Moves what lies above the container's start into the arena. */
static bool close_container(json_sink *s, const void **content, uint32_t *count)
{
    assert(s->depth > 0);
    uint32_t start = s->opened[--s->depth];
    assert(start <= s->stack.len);
    *count = s->stack.len - start;
    size_t bytes = *count * sizeof(cel_value);
    void *copy = arena_alloc(s->memory, bytes);
    if (!copy)
        return no_memory(s);
    if (bytes)
        memcpy(copy, s->stack.data + start, bytes);
    s->stack.len = start;
    *content = copy;
    return true;
}

bool json_sink_close_list(json_sink *sink)
{
    const void *items;
    uint32_t count;
    return close_container(sink, &items, &count) && push(sink, cel_list(items, count));
}

_Static_assert(sizeof(cel_entry) == 2 * sizeof(cel_value), "the stack is read as entries");

bool json_sink_close_map(json_sink *sink)
{
    const void *entries;
    uint32_t count;
    mandate_slice twice;
    if (!close_container(sink, &entries, &count))
        return false;
    assert(count % 2 == 0);
    if (keys_repeat(&twice, sink->memory, entries, count / 2))
        return stop(sink, mandate_error_set(sink->err, MANDATE_INVALID, "the key \"%.*s\" twice",
                                            (int)(twice.len < 64 ? twice.len : 64), twice.ptr));
    if (sink->memory->failed)
        return no_memory(sink);
    return push(sink, cel_map(entries, count / 2));
}

/* --- the call --- */

static mandate_status decode(cel_value *out, json_decoder *d, arena *a, mandate_slice text, const projection *p, bool borrow,
                             mandate_error *err)
{
    json_shim_fault fault;
    json_sink *sink = &d->sink;
    if (text.len > LIMIT_RECORD)
        return mandate_error_set(err, MANDATE_LIMIT, "JSON of %zu bytes; the limit is %d", text.len, LIMIT_RECORD);
    char *strings = arena_alloc(a, text.len + JSON_SHIM_PADDING);
    if (!strings)
        return mandate_error_set(err, MANDATE_LIMIT, "the value needs more memory than one record may take");

    sink->stack.len = 0;
    sink->depth = sink->items = 0;
    sink->memory = a;
    sink->err = err;
    sink->status = MANDATE_OK;
    switch (json_shim_run(d->shim, text.ptr, text.len, strings, sink, p, borrow, &fault)) {
    case JSON_SHIM_OK:
        assert(sink->stack.len == 1 && sink->depth == 0);
        *out = sink->stack.data[0];
        return MANDATE_OK;
    case JSON_SHIM_STOPPED:
        return mandate_error_prefix(err, sink->status, "JSON at byte %zu", fault.offset);
    case JSON_SHIM_NOMEM:
        return mandate_error_set(err, MANDATE_NOMEM, "no memory to decode JSON");
    case JSON_SHIM_INVALID:
        break;
    }
    return mandate_error_set(err, MANDATE_INVALID, "JSON at byte %zu: %s", fault.offset, fault.message);
}

mandate_status json_decode(cel_value *out, json_decoder *d, arena *a, mandate_slice text, mandate_error *err)
{
    return decode(out, d, a, text, NULL, false, err);
}

mandate_status json_decode_part(cel_value *out, json_decoder *d, arena *a, mandate_slice text, const projection *p,
                                mandate_error *err)
{
    return decode(out, d, a, text, p && !p->all ? p : NULL, true, err);
}

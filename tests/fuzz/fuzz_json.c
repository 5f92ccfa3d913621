/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_json - any bytes as JSON. What is taken must be a legal value that survives our own
 * encoding, and a second look at the same bytes must give the same. Built in part, the same texts are taken: what is read
 * is as in the whole, and what nobody reads may not make a broken text good.
 */
#include "connectors/decode/decode.h"
#include "fuzz.h"

static void check_value(cel_value v, arena *a)
{
    buf b;
    buf_init(&b);
    cel_encode(&b, v);
    wire_reader r = wire_reader_of(buf_slice(&b));
    cel_value back = cel_decode(&r, a);
    FUZZ_CHECK(wire_done(&r));
    FUZZ_CHECK(cel_equal(v, back));
    buf_reset(&b);
    cel_to_json(&b, v);
    FUZZ_CHECK(!b.failed);
    buf_deinit(&b);
}

/* Reads `a`, and `b` inside `c`; every other key is left out. */
static const projection *some_keys(void)
{
    static arena names;
    static projection *p;
    static const mandate_slice a = MANDATE_SLICE_LIT("a"), nested[] = {MANDATE_SLICE_LIT("c"), MANDATE_SLICE_LIT("b")};
    if (p)
        return p;
    arena_init(&names, 0);
    p = projection_create(&names);
    FUZZ_CHECK(p && projection_add(p, &names, &a, 1) && projection_add(p, &names, nested, 2));
    return p;
}

static bool same(const cel_value *x, const cel_value *y) { return x && y ? cel_equal(*x, *y) : x == y; }

static void check_part(json_decoder *json, arena *a, mandate_slice text, mandate_status whole, cel_value v)
{
    mandate_error err;
    cel_value part;
    mandate_status status = json_decode_part(&part, json, a, text, some_keys(), &err);
    if (whole == MANDATE_OK) {
        FUZZ_CHECK(status == MANDATE_OK && part.kind == v.kind);
        FUZZ_CHECK(v.kind == CEL_MAP || cel_equal(v, part));
        FUZZ_CHECK(v.kind != CEL_MAP || same(cel_map_get_str(v, "a"), cel_map_get_str(part, "a")));
    } else if (status == MANDATE_OK) { /* only for what may be worse where nobody looks */
        FUZZ_CHECK(json_decode(&v, json, a, text, &err) != MANDATE_OK);
        FUZZ_CHECK(strstr(err.text, "twice") || strstr(err.text, "array elements and members") ||
                   strstr(err.text, "surrogate") || strstr(err.text, "more memory"));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static json_decoder *json;
    static arena memory;
    mandate_error err;
    cel_value v = cel_null(), again;
    if (!json) {
        arena_init(&memory, LIMIT_RECORD_MEMORY);
        FUZZ_CHECK(json_decoder_create(&json, &err) == MANDATE_OK);
    }
    arena_reset(&memory);
    mandate_slice text = {(const char *)data, size};
    mandate_status first = json_decode(&v, json, &memory, text, &err);
    FUZZ_CHECK(first == MANDATE_OK || err.text[0] != '\0');
    FUZZ_CHECK(json_decode(&again, json, &memory, text, NULL) == first);
    if (first == MANDATE_OK) {
        FUZZ_CHECK(cel_equal(v, again));
        check_value(v, &memory);
    }
    check_part(json, &memory, text, first, v);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_json - any bytes as JSON. What is taken must be a legal value that survives our own
 * encoding, and a second look at the same bytes must give the same.
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static json_decoder *json;
    static arena memory;
    mandate_error err;
    cel_value v, again;
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
    return 0;
}

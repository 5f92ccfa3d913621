/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_avro - a schema and data: two bytes with the schema's length (big endian), the schema, the
 * data. The schema's canonical form must be a schema of the same fingerprint; what is decoded must
 * be a legal value.
 */
#include "connectors/decode/avro_schema.h"
#include "connectors/decode/decode.h"
#include "fuzz.h"

static void check_canonical(mandate_slice schema, uint64_t fingerprint)
{
    avro_schema parsed;
    avro_plan *again;
    arena a;
    buf b;
    mandate_error err;
    arena_init(&a, 0);
    buf_init(&b);
    FUZZ_CHECK(avro_schema_parse(&parsed, &a, schema, NULL, 0, &err) == MANDATE_OK);
    FUZZ_CHECK(avro_canonical_put(&b, &parsed, AVRO_FULL_NAMES, &err) == MANDATE_OK);
    /* Longer, because names are full: a limit may refuse it, but nothing else. */
    mandate_status status = avro_plan_create(&again, buf_slice(&b), NULL, 0, &err);
    FUZZ_CHECK(status == MANDATE_OK || status == MANDATE_LIMIT);
    if (status == MANDATE_OK)
        FUZZ_CHECK(avro_plan_fingerprint(again) == fingerprint);
    if (status == MANDATE_OK)
        avro_plan_destroy(again);
    buf_deinit(&b);
    arena_deinit(&a);
}

static void check_value(cel_value v)
{
    buf b;
    buf_init(&b);
    cel_encode(&b, v);
    FUZZ_CHECK(!b.failed);
    buf_deinit(&b);
}

/* Of the root record its first field alone: what decodes as a whole decodes in part, to the same. */
static void check_part(const avro_plan *plan, mandate_slice datum, cel_value whole, arena *a)
{
    arena names;
    mandate_error err;
    avro_plan *some;
    cel_value part;
    arena_init(&names, 0);
    projection *p = projection_create(&names);
    mandate_slice first =
        whole.kind == CEL_MAP && whole.len ? cel_text(whole.map[0].key) : (mandate_slice)MANDATE_SLICE_LIT("x");
    FUZZ_CHECK(p && projection_add(p, &names, &first, 1));
    FUZZ_CHECK(avro_plan_project(&some, plan, p, plan, &err) == MANDATE_OK);
    FUZZ_CHECK(avro_decode(&part, some, a, datum, &err) == MANDATE_OK && part.kind == whole.kind);
    const cel_value *x = whole.kind == CEL_MAP ? cel_map_get(whole, cel_string(first)) : NULL,
                    *y = whole.kind == CEL_MAP ? cel_map_get(part, cel_string(first)) : NULL;
    buf as_whole, as_part;
    buf_init(&as_whole);
    buf_init(&as_part);
    if (x && y) { /* bytes, for NaN is not equal to itself */
        cel_encode(&as_whole, *x);
        cel_encode(&as_part, *y);
    }
    FUZZ_CHECK((x != NULL) == (y != NULL) && mandate_slice_eq(buf_slice(&as_whole), buf_slice(&as_part)));
    buf_deinit(&as_whole);
    buf_deinit(&as_part);
    avro_plan_destroy(some);
    arena_deinit(&names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static arena memory;
    static bool ready;
    mandate_error err;
    avro_plan *plan;
    cel_value v;
    if (!ready)
        arena_init(&memory, LIMIT_RECORD_MEMORY);
    ready = true;
    if (size < 2)
        return 0;
    size_t length = (size_t)data[0] << 8 | data[1];
    if (length > size - 2)
        return 0;
    mandate_slice schema = {(const char *)data + 2, length}, datum = {(const char *)data + 2 + length, size - 2 - length};
    if (avro_plan_create(&plan, schema, NULL, 0, &err) != MANDATE_OK)
        return 0;
    check_canonical(schema, avro_plan_fingerprint(plan));
    arena_reset(&memory);
    if (avro_decode(&v, plan, &memory, datum, &err) == MANDATE_OK) {
        check_value(v);
        check_part(plan, datum, v, &memory);
    }
    avro_plan_destroy(plan);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our walker against Avro C: random schemas, random values written by Avro C, read by both,
 * compared value by value. Avro C is trusted with its own bytes here, and with nothing else.
 */
#include "support.h"

#include <avro.h>

enum { SCHEMAS = 1500, DATA_PER_SCHEMA = 30 }; /* 45,000 cases */

typedef struct generator {
    uint64_t seed;
    buf schema;
    uint32_t names;
} generator;

static uint32_t any(generator *g, uint32_t below)
{
    g->seed ^= g->seed << 13;
    g->seed ^= g->seed >> 7;
    g->seed ^= g->seed << 17;
    return (uint32_t)((g->seed >> 16) % below);
}

/* --- schemas --- */

static const char *const primitives[] = {"null", "boolean", "int", "long", "float", "double", "bytes", "string"};

static void put_schema(generator *g, uint32_t depth, bool in_union, bool some_width);

static void put_record(generator *g, uint32_t depth, bool some_width)
{
    uint32_t fields = some_width + any(g, 5), name = g->names++;
    buf_printf(&g->schema, "{\"type\":\"record\",\"name\":\"R%u\",\"fields\":[", name);
    for (uint32_t i = 0; i < fields; i++) {
        buf_printf(&g->schema, "%s{\"name\":\"f%u\",\"type\":", i ? "," : "", i);
        if (i == fields - 1 && any(g, 4) == 0) /* recursion */
            buf_printf(&g->schema, "[\"null\",\"R%u\"]", name);
        else
            put_schema(g, depth + 1, false, i == 0 && some_width);
        buf_put_char(&g->schema, '}');
    }
    buf_put_str(&g->schema, "]}");
}

static void put_union(generator *g, uint32_t depth)
{
    uint32_t branches = 1 + any(g, 4), used = 0;
    buf_put_char(&g->schema, '[');
    for (uint32_t i = 0; i < branches; i++) {
        uint32_t k = any(g, 8);
        while (used & (1u << k))
            k = (k + 1) % 8;
        used |= 1u << k;
        buf_printf(&g->schema, "\"%s\",", primitives[k]);
    }
    put_record(g, depth + 1, false);
    buf_put_char(&g->schema, ']');
}

static void put_schema(generator *g, uint32_t depth, bool in_union, bool some_width)
{
    uint32_t k = depth == 0 ? 8 + any(g, 6) : any(g, depth > 3 ? 8 : 14);
    if (k == 0 && some_width)
        k = 3;
    switch (k) {
    case 8:
    case 9:
        put_record(g, depth, some_width);
        break;
    case 10:
        buf_printf(&g->schema, "{\"type\":\"enum\",\"name\":\"E%u\",\"symbols\":[\"A\",\"B\",\"C\"]}", g->names++);
        break;
    case 11:
        buf_printf(&g->schema, "{\"type\":\"fixed\",\"name\":\"X%u\",\"size\":%u}", g->names++, 1 + any(g, 20));
        break;
    case 12:
        buf_printf(&g->schema, any(g, 2) ? "{\"type\":\"array\",\"items\":" : "{\"type\":\"map\",\"values\":");
        put_schema(g, depth + 1, false, true);
        buf_put_char(&g->schema, '}');
        break;
    case 13:
        if (!in_union) {
            put_union(g, depth);
            break;
        }
        /* fall through */
    default:
        buf_printf(&g->schema, "\"%s\"", primitives[k % 8]);
    }
}

/* --- data --- */

static int64_t any_long(generator *g)
{
    uint64_t v = (uint64_t)any(g, UINT32_MAX) << 32 | any(g, UINT32_MAX);
    return (int64_t)(v >> any(g, 64)) * (any(g, 2) ? 1 : -1);
}

static size_t any_text(generator *g, char out[64])
{
    static const char *const parts[] = {"a", "order", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", " ", "42"};
    size_t len = 0;
    for (uint32_t n = any(g, 8); n > 0; n--) {
        const char *part = parts[any(g, 7)];
        memcpy(out + len, part, strlen(part));
        len += strlen(part);
    }
    out[len] = '\0';
    return len;
}

static void fill(generator *g, avro_value_t *v, uint32_t depth)
{
    char text[64];
    avro_value_t child;
    size_t count;
    switch (avro_value_get_type(v)) {
    case AVRO_NULL:
        avro_value_set_null(v);
        break;
    case AVRO_BOOLEAN:
        avro_value_set_boolean(v, (int)any(g, 2));
        break;
    case AVRO_INT32:
        avro_value_set_int(v, (int32_t)any_long(g));
        break;
    case AVRO_INT64:
        avro_value_set_long(v, any_long(g));
        break;
    case AVRO_FLOAT:
        avro_value_set_float(v, (float)any_long(g) / 3);
        break;
    case AVRO_DOUBLE:
        avro_value_set_double(v, (double)any_long(g) / 7);
        break;
    case AVRO_BYTES:
        count = any_text(g, text);
        avro_value_set_bytes(v, text, count);
        break;
    case AVRO_STRING:
        any_text(g, text);
        avro_value_set_string(v, text);
        break;
    case AVRO_FIXED:
        memset(text, (int)any(g, 256), sizeof text);
        avro_value_set_fixed(v, text, (size_t)avro_schema_fixed_size(avro_value_get_schema(v)));
        break;
    case AVRO_ENUM:
        avro_value_set_enum(v, (int)any(g, 3));
        break;
    case AVRO_RECORD:
        avro_value_get_size(v, &count);
        for (size_t i = 0; i < count; i++) {
            avro_value_get_by_index(v, i, &child, NULL);
            fill(g, &child, depth + 1);
        }
        break;
    case AVRO_ARRAY:
        for (uint32_t n = depth > 6 ? 0 : any(g, 4); n > 0; n--) {
            avro_value_append(v, &child, NULL);
            fill(g, &child, depth + 1);
        }
        break;
    case AVRO_MAP:
        for (uint32_t n = depth > 6 ? 0 : any(g, 4); n > 0; n--) {
            snprintf(text, sizeof text, "k%u", n);
            avro_value_add(v, text, &child, NULL, NULL);
            fill(g, &child, depth + 1);
        }
        break;
    case AVRO_UNION:
        count = avro_schema_union_size(avro_value_get_schema(v));
        /* Deep down the first branch, which is never a record: recursion ends. */
        avro_value_set_branch(v, depth > 6 ? 0 : (int)any(g, (uint32_t)count), &child);
        fill(g, &child, depth + 1);
        break;
    default:
        fail_msg("a type of Avro C that the generator does not know");
    }
}

/* --- comparing --- */

static void same(const avro_value_t *expected, cel_value v)
{
    avro_value_t child;
    const char *text;
    const void *bytes;
    size_t count;
    int64_t i64;
    int32_t i32;
    double d;
    float f;
    int i;
    switch (avro_value_get_type(expected)) {
    case AVRO_NULL:
        assert_int_equal(v.kind, CEL_NULL);
        break;
    case AVRO_BOOLEAN:
        avro_value_get_boolean(expected, &i);
        assert_int_equal(v.kind, CEL_BOOL);
        assert_int_equal(v.b, i != 0);
        break;
    case AVRO_INT32:
        avro_value_get_int(expected, &i32);
        assert_int_equal(v.kind, CEL_INT);
        assert_true(v.i == i32);
        break;
    case AVRO_INT64:
        avro_value_get_long(expected, &i64);
        assert_int_equal(v.kind, CEL_INT);
        assert_true(v.i == i64);
        break;
    case AVRO_FLOAT:
        avro_value_get_float(expected, &f);
        assert_int_equal(v.kind, CEL_DOUBLE);
        assert_true(v.d == (double)f);
        break;
    case AVRO_DOUBLE:
        avro_value_get_double(expected, &d);
        assert_int_equal(v.kind, CEL_DOUBLE);
        assert_true(v.d == d);
        break;
    case AVRO_BYTES:
    case AVRO_FIXED:
        if (avro_value_get_type(expected) == AVRO_BYTES)
            avro_value_get_bytes(expected, &bytes, &count);
        else
            avro_value_get_fixed(expected, &bytes, &count);
        assert_int_equal(v.kind, CEL_BYTES);
        assert_int_equal(v.len, count);
        assert_memory_equal(v.s, bytes, count);
        break;
    case AVRO_STRING:
        avro_value_get_string(expected, &text, &count); /* counts the NUL */
        assert_int_equal(v.kind, CEL_STRING);
        assert_int_equal(v.len, count - 1);
        assert_memory_equal(v.s, text, count - 1);
        break;
    case AVRO_ENUM:
        avro_value_get_enum(expected, &i);
        assert_int_equal(v.kind, CEL_STRING);
        assert_int_equal(v.s[0], 'A' + i);
        break;
    case AVRO_RECORD:
        avro_value_get_size(expected, &count);
        assert_int_equal(v.kind, CEL_MAP);
        assert_int_equal(v.len, count);
        for (size_t n = 0; n < count; n++) {
            avro_value_get_by_index(expected, n, &child, &text);
            assert_true(mandate_slice_is(cel_text(v.map[n].key), text));
            same(&child, v.map[n].value);
        }
        break;
    case AVRO_ARRAY:
        avro_value_get_size(expected, &count);
        assert_int_equal(v.kind, CEL_LIST);
        assert_int_equal(v.len, count);
        for (size_t n = 0; n < count; n++) {
            avro_value_get_by_index(expected, n, &child, NULL);
            same(&child, v.items[n]);
        }
        break;
    case AVRO_MAP:
        avro_value_get_size(expected, &count);
        assert_int_equal(v.kind, CEL_MAP);
        assert_int_equal(v.len, count);
        for (size_t n = 0; n < count; n++) {
            const cel_value *found = NULL;
            avro_value_get_by_index(expected, n, &child, &text);
            found = cel_map_get_str(v, text);
            assert_non_null(found);
            same(&child, *found);
        }
        break;
    case AVRO_UNION:
        avro_value_get_current_branch(expected, &child);
        same(&child, v);
        break;
    default:
        fail_msg("a type of Avro C that the comparison does not know");
    }
}

static void test_avro_oracle__avro_c_and_the_walker_read_the_same(void **state)
{
    (void)state;
    generator g = {.seed = 0x2545F4914F6CDD1D};
    static char bytes[1 << 20];
    uint32_t cases = 0, cut_short = 0;
    mandate_error err;
    arena a;
    arena_init(&a, LIMIT_RECORD_MEMORY);
    buf_init(&g.schema);
    for (int s = 0; s < SCHEMAS; s++) {
        avro_schema_t schema;
        avro_plan *plan;
        cel_value v;
        buf_reset(&g.schema);
        put_schema(&g, 0, false, false);
        if (avro_schema_from_json_length(g.schema.data, g.schema.len, &schema) != 0)
            fail_msg("%s: %s", avro_strerror(), buf_cstr(&g.schema));
        assert_ok(avro_plan_create(&plan, buf_slice(&g.schema), NULL, 0, &err), &err);
        avro_value_iface_t *class = avro_generic_class_from_schema(schema);
        for (int n = 0; n < DATA_PER_SCHEMA; n++) {
            avro_value_t value;
            avro_generic_value_new(class, &value);
            fill(&g, &value, 0);
            avro_writer_t writer = avro_writer_memory(bytes, sizeof bytes);
            assert_int_equal(avro_value_write(writer, &value), 0);
            size_t len = (size_t)avro_writer_tell(writer);
            avro_writer_free(writer);

            char *exact = malloc(len ? len : 1);
            memcpy(exact, bytes, len);
            arena_reset(&a);
            if (avro_decode(&v, plan, &a, mandate_slice_of(exact, len), &err) != MANDATE_OK)
                fail_msg("%s in %s", err.text, buf_cstr(&g.schema));
            same(&value, v);
            cases++;
            if (len > 0) { /* one byte less is never the same record, and mostly none */
                arena_reset(&a);
                char *shorter = malloc(len);
                memcpy(shorter, exact, len - 1);
                cut_short += avro_decode(&v, plan, &a, mandate_slice_of(shorter, len - 1), &err) != MANDATE_OK;
                free(shorter);
            }
            free(exact);
            avro_value_decref(&value);
        }
        avro_value_iface_decref(class);
        avro_schema_decref(schema);
        avro_plan_destroy(plan);
    }
    assert_true(cases == SCHEMAS * DATA_PER_SCHEMA);
    assert_true(cut_short > cases / 2);
    buf_deinit(&g.schema);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_avro_oracle__avro_c_and_the_walker_read_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

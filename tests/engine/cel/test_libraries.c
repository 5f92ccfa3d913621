/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_libraries - each extension library is a switch: with it its functions and macros are there, without it not.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/cel/eval.h"
#include "engine/cel/function.h"

enum { LIBRARIES = 12 };

static bool compiles(uint32_t libraries, const char *text)
{
    cel_env *env = NULL;
    cel_program *program = NULL;
    assert_int_equal(cel_env_create(&env, libraries, NULL), MANDATE_OK);
    mandate_status status = cel_program_create(&program, env, mandate_slice_str(text), NULL, NULL, NULL);
    cel_program_destroy(program);
    cel_env_destroy(env);
    return status == MANDATE_OK;
}

static void test_libraries__a_function_is_there_with_its_library_only(void **state)
{
    for (uint32_t i = 0; i < CEL_FN_COUNT; i++) {
        const cel_overload *row = &cel_overloads[i];
        uint32_t elsewhere = 0; /* other libraries with a function of that name */
        for (uint32_t k = 0; k < CEL_FN_COUNT; k++)
            if (mandate_slice_eq(cel_overloads[k].name, row->name) && cel_overloads[k].member == row->member)
                elsewhere |= cel_overloads[k].library & ~(uint32_t)row->library;
        const cel_overload *with = cel_function_named(row->library, row->name, row->member);
        const cel_overload *without = cel_function_named(CEL_LIB_ALL & ~(uint32_t)row->library, row->name, row->member);
        if (!with || (!elsewhere && without) || (elsewhere && !without))
            fail_msg("%s: %s with its library, %s without", row->text, with ? "there" : "missing",
                     without ? "there" : "missing");
    }
}

static void test_libraries__syntax_and_macros_come_with_their_library(void **state)
{
    static const struct {
        uint32_t library;
        const char *text;
    } uses[] = {
        {CEL_LIB_OPTIONAL, "{'a': 1}.?a.hasValue()"},
        {CEL_LIB_OPTIONAL, "[1][?0].hasValue()"},
        {CEL_LIB_OPTIONAL, "{?'a': optional.of(1)} == {}"},
        {CEL_LIB_OPTIONAL, "[?optional.of(1)] == []"},
        {CEL_LIB_OPTIONAL, "optional.of(1).optMap(x, x + 1) == optional.none()"},
        {CEL_LIB_OPTIONAL, "optional.of(1).optFlatMap(x, optional.of(x)) == optional.none()"},
        {CEL_LIB_OPTIONAL, "type(optional.none()) == optional_type"},
        {CEL_LIB_STRINGS, "'%d'.format([1]) == strings.quote('a')"},
        {CEL_LIB_MATH, "math.greatest(1, 2.0, 3u) == math.least([1, 2])"},
        {CEL_LIB_LISTS, "[{'n': 2}, {'n': 1}].sortBy(e, e.n)[0].n == 1"},
        {CEL_LIB_SETS, "sets.contains([1], [1])"},
        {CEL_LIB_ENCODERS, "base64.decode('') == b''"},
        {CEL_LIB_BINDINGS, "cel.bind(x, 1, x + x) == 2"},
        {CEL_LIB_REGEX | CEL_LIB_OPTIONAL, "regex.extract('a1', '[0-9]').hasValue()"},
        {CEL_LIB_REGEX, "regex.replace('a', 'a', 'b') == 'b'"},
        {CEL_LIB_TWO_VAR, "[1].all(i, v, i < v) && {'a': 1}.exists(k, v, v == 1)"},
        {CEL_LIB_TWO_VAR, "[1].exists_one(i, v, true) && [1].existsOne(i, v, true)"},
        {CEL_LIB_TWO_VAR, "[1].transformList(i, v, v) == [1].transformList(i, v, true, v)"},
        {CEL_LIB_TWO_VAR, "{'a': 1}.transformMap(k, v, v) == {'a': 1}.transformMap(k, v, true, v)"},
        {CEL_LIB_TWO_VAR, "[1].transformMapEntry(i, v, {v: i}) == [1].transformMapEntry(i, v, true, {v: i})"},
        {CEL_LIB_NETWORK, "cidr('10.0.0.0/8').containsIP(ip('10.1.2.3'))"},
        {CEL_LIB_NETWORK, "type(ip('::1')) == net.IP"},
        {CEL_LIB_BLOCK, "cel.block([1, cel.index(0) + 1], cel.index(1)) == 2"},
    };
    for (size_t i = 0; i < sizeof uses / sizeof *uses; i++) {
        if (!compiles(uses[i].library, uses[i].text))
            fail_msg("%s does not compile with its library alone", uses[i].text);
        for (uint32_t bit = 1; bit <= CEL_LIB_BLOCK; bit <<= 1)
            if ((uses[i].library & bit) && compiles((CEL_LIB_ALL | CEL_LIB_BLOCK) & ~bit, uses[i].text))
                fail_msg("%s compiles without library %x", uses[i].text, bit);
    }
}

static void test_libraries__names_are_those_of_the_table(void **state)
{
    static const char *const names[LIBRARIES] = {"standard", "optional", "strings", "math",    "lists",   "sets",
                                                 "encoders", "bindings", "regex",   "two_var", "mapping", "network"};
    uint32_t all = 0;
    buf b;
    for (size_t i = 0; i < LIBRARIES; i++) {
        uint32_t bit = cel_library_named(mandate_slice_str(names[i]));
        assert_int_equal(__builtin_popcount(bit), 1);
        assert_int_equal(all & bit, 0);
        all |= bit;
    }
    assert_int_equal(all & ~(uint32_t)CEL_LIB_ALL, 0);
    assert_int_equal(cel_library_named(mandate_slice_str("String")), 0);
    assert_int_equal(cel_library_named(mandate_slice_str("")), 0);
    buf_init(&b);
    cel_library_names(&b);
    assert_string_equal(buf_cstr(&b), "standard, optional, strings, math, lists, sets, encoders, bindings, regex, two_var, "
                                      "mapping, network");
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_libraries__a_function_is_there_with_its_library_only),
        cmocka_unit_test(test_libraries__syntax_and_macros_come_with_their_library),
        cmocka_unit_test(test_libraries__names_are_those_of_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

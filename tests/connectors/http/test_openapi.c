/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Test that schemas/openapi.yaml and the table of routes name the same methods and paths.
 *
 * The description is read by its indentation: a path stands alone at two spaces, a method at four.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "connectors/http/route.h"
#include "connectors/http/server_int.h"

enum { DESCRIBED_MAX = 128, LINE_MAX_BYTES = 512 };

typedef struct described {
    char method[8], path[96];
} described;

static uint32_t read_description(described out[DESCRIBED_MAX])
{
    static const char *const methods[] = {"get", "post", "put", "patch", "delete"};
    char line[LINE_MAX_BYTES], path[96] = "", method[8];
    bool inside = false;
    uint32_t count = 0;
    FILE *file = fopen(MANDATE_SOURCE_DIR "/schemas/openapi.yaml", "r");
    assert_non_null(file);
    while (fgets(line, sizeof(line), file)) {
        if (line[0] != ' ')
            inside = strcmp(line, "paths:\n") == 0;
        else if (inside && sscanf(line, "  /%94[^: ]:", path + 1) == 1 && line[2] == '/')
            path[0] = '/';
        else if (inside && strncmp(line, "    ", 4) == 0 && sscanf(line, "    %7[a-z]:\n", method) == 1 && line[4] != ' ')
            for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
                if (strcmp(method, methods[i]) == 0) {
                    assert_true(count < DESCRIBED_MAX);
                    for (size_t k = 0; k < sizeof(method); k++)
                        out[count].method[k] = method[k] >= 'a' ? (char)(method[k] - 32) : method[k];
                    snprintf(out[count++].path, sizeof(out->path), "%s", path);
                }
    }
    fclose(file);
    return count;
}

static void test_openapi__describes_exactly_the_routes_there_are(void **state)
{
    static described found[DESCRIBED_MAX];
    uint32_t routes, count = read_description(found);
    const http_route *table = http_routes(&routes);
    assert_int_equal(count, routes);
    for (uint32_t r = 0; r < routes; r++) {
        bool there = false;
        for (uint32_t i = 0; i < count; i++)
            there |= strcmp(found[i].method, table[r].method) == 0 && strcmp(found[i].path, table[r].pattern) == 0;
        if (!there)
            fail_msg("openapi.yaml lacks %s %s", table[r].method, table[r].pattern);
    }
}

static void test_openapi__the_routes_find_themselves(void **state)
{
    uint32_t count;
    const http_route *table = http_routes(&count);
    arena a;
    arena_init(&a, 0);
    for (uint32_t i = 0; i < count; i++) {
        http_path path;
        mandate_slice params[HTTP_PARAMS_MAX];
        char allow[64], target[128] = "";
        size_t len = 0;
        for (const char *at = table[i].pattern; *at; at++) /* "{id}" is a legal segment but for its braces */
            if (*at != '{' && *at != '}')
                target[len++] = *at;
        assert_int_equal(http_path_parse(&path, &a, mandate_slice_of(target, len), NULL), MANDATE_OK);
        assert_ptr_equal(http_route_find(&path, mandate_slice_str(table[i].method), params, allow), &table[i]);
        assert_null(http_route_find(&path, mandate_slice_str("PATCH"), params, allow));
        assert_non_null(strstr(allow, table[i].method));
    }
    arena_deinit(&a);
}

static void test_route__every_one_names_the_power_it_takes(void **state)
{
    uint32_t count;
    const http_route *table = http_routes(&count);
    for (uint32_t i = 0; i < count; i++)
        if (table[i].power <= POWER_LOCAL || table[i].power >= POWER_COUNT)
            fail_msg("%s %s names no power; say in route.c what it takes", table[i].method, table[i].pattern);
}

static void test_route__one_that_names_no_power_is_closed_to_everybody(void **state)
{
    static http_server server; /* without a policy: everybody may do everything else */
    static policy_principal root = {.kind = PRINCIPAL_UNIX, .name = MANDATE_SLICE_LIT("uid:0")};
    http_request r = {.server = &server, .who = &root};
    mandate_error err;
    assert_int_equal(http_authorise(&r, POWER_NONE, mandate_slice_str("m"), NULL, &err), MANDATE_DENIED);
    for (int p = POWER_LOCAL + 1; p < POWER_COUNT; p++)
        assert_int_equal(http_authorise(&r, (power)p, mandate_slice_str("m"), NULL, &err), MANDATE_OK);
}

static void test_power__names_are_read_back_but_those_that_no_policy_can_give(void **state)
{
    for (int p = 0; p < POWER_COUNT; p++) {
        bool can_give = p > POWER_SELF;
        assert_int_equal(power_parse(mandate_slice_str(power_name((power)p))), can_give ? p : POWER_NONE);
        assert_true(power_text((power)p)[0]);
    }
    assert_int_equal(power_parse(mandate_slice_str("")), POWER_NONE);
    assert_int_equal(power_parse(mandate_slice_str("Read")), POWER_NONE);
}

static void test_route__what_is_escaped_decodes_to_itself(void **state)
{
    static const char text[] = "a/b c?d&e=f+g%h\xC3\xA9~-._";
    http_path path;
    arena a;
    buf b;
    arena_init(&a, 0);
    buf_init(&b);
    buf_put_char(&b, '/');
    http_put_escaped(&b, mandate_slice_str(text));
    assert_int_equal(http_path_parse(&path, &a, buf_slice(&b), NULL), MANDATE_OK);
    assert_int_equal(path.count, 1);
    assert_true(mandate_slice_is(path.segments[0], text));
    buf_deinit(&b);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_openapi__describes_exactly_the_routes_there_are),
        cmocka_unit_test(test_openapi__the_routes_find_themselves),
        cmocka_unit_test(test_route__every_one_names_the_power_it_takes),
        cmocka_unit_test(test_route__one_that_names_no_power_is_closed_to_everybody),
        cmocka_unit_test(test_power__names_are_read_back_but_those_that_no_policy_can_give),
        cmocka_unit_test(test_route__what_is_escaped_decodes_to_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

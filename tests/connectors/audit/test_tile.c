/* SPDX-License-Identifier: Apache-2.0 */
/* test_tile - paths are those of the specification and nothing near them; widths; bundles. */
#include "connectors/audit/tile.h"

#include "tests/engine/base/unit.h"

#define S(text) mandate_slice_str(text)

static void test_tile__paths_are_those_of_the_specification(void **state)
{
    static const struct {
        tile_name t;
        const char *path;
    } cases[] = {
        {{0, 0, 256}, "tile/0/000"},
        {{0, 5, 1}, "tile/0/005.p/1"},
        {{1, 1234067, 256}, "tile/1/x001/x234/067"},
        {{2, 1000, 255}, "tile/2/x001/000.p/255"},
        {{TILE_ENTRIES, 999, 256}, "tile/entries/999"},
        {{TILE_ENTRIES, 70000, 112}, "tile/entries/x070/000.p/112"},
        {{0, UINT64_C(36028797018963967), 256}, "tile/0/x036/x028/x797/x018/x963/967"},
    };
    char path[TILE_PATH_MAX];
    tile_name got;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        tile_path(path, &cases[i].t);
        assert_string_equal(path, cases[i].path);
        assert_true(tile_path_parse(&got, S(path)));
        assert_int_equal(got.level, cases[i].t.level);
        assert_int_equal(got.index, cases[i].t.index);
        assert_int_equal(got.width, cases[i].t.width);
    }
}

static void test_tile__other_spellings_are_refused(void **state)
{
    static const char *const bad[] = {"",
                                      "tile",
                                      "tile/",
                                      "tile/0",
                                      "tile/0/",
                                      "tile/0/0",
                                      "tile/0/00",
                                      "tile/0/0000",
                                      "tile/00/000",
                                      "tile/8/000",
                                      "tile/63/000",
                                      "tile/-1/000",
                                      "tile/0/x000/000",
                                      "tile/0/x001/00",
                                      "tile/0/001/000",
                                      "tile/0/x001",
                                      "tile/0/000.p/0",
                                      "tile/0/000.p/256",
                                      "tile/0/000.p/01",
                                      "tile/0/000.p/",
                                      "tile/0/000.p",
                                      "tile/0/000.p/1/",
                                      "tile/0/000/",
                                      "tile/0/../000",
                                      "tile/entries/0",
                                      "tile/entries/",
                                      "tile/data/000",
                                      "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
                                      "tile/0/x018/x446/x744/x073/x709/x551/616"};
    tile_name t;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (tile_path_parse(&t, S(bad[i])))
            fail_msg("%s was taken", bad[i]);
}

static void test_tile__widths_follow_from_the_size(void **state)
{
    /* The example of the specification: 70,000 leaves. */
    assert_int_equal(tile_width(0, 272, 70000), 256);
    assert_int_equal(tile_width(0, 273, 70000), 112);
    assert_int_equal(tile_width(0, 274, 70000), 0);
    assert_int_equal(tile_width(1, 0, 70000), 256);
    assert_int_equal(tile_width(1, 1, 70000), 17);
    assert_int_equal(tile_width(2, 0, 70000), 1);
    assert_int_equal(tile_width(3, 0, 70000), 0);
    assert_int_equal(tile_width(TILE_ENTRIES, 273, 70000), 112);
    assert_int_equal(tile_width(1, 0, 256), 1);
    assert_int_equal(tile_width(0, UINT64_MAX, 256), 0);
    assert_int_equal(tile_width(9, 0, UINT64_MAX), 0);
}

static void test_tile__bundles_round_trip_at_every_length(void **state)
{
    static char text[TILE_ENTRY_MAX + 1];
    static const size_t lengths[] = {0, 1, 255, 256, TILE_ENTRY_MAX};
    mandate_slice rest, entry;
    buf b;
    buf_init(&b);
    memset(text, 'x', sizeof(text));
    for (size_t i = 0; i < COUNT_OF(lengths); i++)
        assert_true(tile_put_entry(&b, mandate_slice_of(text, lengths[i])));
    assert_false(tile_put_entry(&b, mandate_slice_of(text, TILE_ENTRY_MAX + 1)));
    rest = buf_slice(&b);
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        assert_true(tile_next_entry(&entry, &rest));
        assert_int_equal(entry.len, lengths[i]);
    }
    assert_false(tile_next_entry(&entry, &rest));
    assert_int_equal(rest.len, 0);
    rest = mandate_slice_of(b.data, b.len - 1);
    for (size_t i = 0; i + 1 < COUNT_OF(lengths); i++)
        assert_true(tile_next_entry(&entry, &rest));
    assert_false(tile_next_entry(&entry, &rest)); /* cut in the last one */
    assert_int_not_equal(rest.len, 0);
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tile__paths_are_those_of_the_specification),
        cmocka_unit_test(test_tile__other_spellings_are_refused),
        cmocka_unit_test(test_tile__widths_follow_from_the_size),
        cmocka_unit_test(test_tile__bundles_round_trip_at_every_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

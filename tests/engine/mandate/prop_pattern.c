/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Property test of patterns: scope_covers against a matcher written from the definition alone (all ways to cut, by recursion),
 * over every pattern and name of a small alphabet; and whatever pattern is said to lie within another covers no name that
 * the other does not.
 */
#include "tests/engine/rig.h"

enum { NAMES_MAX = 1 << 12, TEXT_MAX = 8 };

typedef struct text {
    char s[TEXT_MAX];
} text;

static text names[NAMES_MAX], patterns[NAMES_MAX];
static uint32_t name_count, pattern_count;

/* Does the pattern from here on stand for the name from here on? Straight from docs/mandates.md. */
static bool stands_for(const char *p, const char *n)
{
    if (!*p)
        return !*n;
    if (*p != '*')
        return *p == *n && stands_for(p + 1, n + 1);
    if (!p[1])
        return true;
    for (size_t take = 1; n[take - 1] && n[take - 1] != '/'; take++)
        if (stands_for(p + 1, n + take))
            return true;
    return false;
}

static void fill(text *out, uint32_t *count, const char *alphabet, size_t length_max)
{
    size_t letters = strlen(alphabet);
    for (size_t length = 0; length <= length_max; length++) {
        size_t all = 1;
        for (size_t i = 0; i < length; i++)
            all *= letters;
        for (size_t k = 0; k < all; k++) {
            text t = {{0}};
            size_t rest = k;
            for (size_t i = 0; i < length; i++, rest /= letters)
                t.s[i] = alphabet[rest % letters];
            if (strstr(t.s, "**"))
                continue;
            assert_true(*count < NAMES_MAX);
            out[(*count)++] = t;
        }
    }
}

static int setup(void **state)
{
    fill(names, &name_count, "ab/", 5);
    fill(patterns, &pattern_count, "ab/*", 4);
    return 0;
}

static void prop_pattern__matches_what_the_definition_says(void **state)
{
    for (uint32_t p = 0; p < pattern_count; p++)
        for (uint32_t n = 0; n < name_count; n++)
            if (scope_covers(S(patterns[p].s), S(names[n].s)) != stands_for(patterns[p].s, names[n].s))
                fail_msg("\"%s\" over \"%s\"", patterns[p].s, names[n].s);
}

/* A set of names as bits, to compare patterns by all that they stand for. */
static void extent(uint64_t bits[NAMES_MAX / 64], const char *pattern)
{
    memset(bits, 0, NAMES_MAX / 8);
    for (uint32_t n = 0; n < name_count; n++)
        if (stands_for(pattern, names[n].s))
            bits[n / 64] |= UINT64_C(1) << n % 64;
}

static void prop_pattern__what_is_within_another_stands_for_nothing_that_the_other_does_not(void **state)
{
    static uint64_t sets[NAMES_MAX][NAMES_MAX / 64];
    uint64_t within = 0, missed = 0;
    for (uint32_t p = 0; p < pattern_count; p++)
        extent(sets[p], patterns[p].s);
    for (uint32_t outer = 0; outer < pattern_count; outer++)
        for (uint32_t inner = 0; inner < pattern_count; inner++) {
            bool subset = true;
            for (uint32_t w = 0; subset && w < NAMES_MAX / 64; w++)
                subset = !(sets[inner][w] & ~sets[outer][w]);
            bool said = scope_covers(S(patterns[outer].s), S(patterns[inner].s));
            if (said && !subset)
                fail_msg("\"%s\" is said to cover \"%s\"", patterns[outer].s, patterns[inner].s);
            within += said;
            missed += subset && !said;
        }
    assert_true(within > pattern_count * 2); /* itself, "*", and more */
    /* Only for want of longer names, or of names in which a letter is none of these: "*a*" has no "ab" within one more. */
    print_message("%llu pairs within, %llu subsets of these short names that are none of all names\n",
                  (unsigned long long)within, (unsigned long long)missed);
}

static void prop_pattern__covering_is_reflexive_and_transitive(void **state)
{
    uint32_t some = pattern_count < 400 ? pattern_count : 400;
    for (uint32_t a = 0; a < some; a++) {
        assert_true(scope_covers(S(patterns[a].s), S(patterns[a].s)));
        for (uint32_t b = 0; b < some; b++)
            for (uint32_t c = 0; scope_covers(S(patterns[a].s), S(patterns[b].s)) && c < some; c++)
                if (scope_covers(S(patterns[b].s), S(patterns[c].s)) && !scope_covers(S(patterns[a].s), S(patterns[c].s)))
                    fail_msg("\"%s\", \"%s\", \"%s\"", patterns[a].s, patterns[b].s, patterns[c].s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prop_pattern__matches_what_the_definition_says),
        cmocka_unit_test(prop_pattern__what_is_within_another_stands_for_nothing_that_the_other_does_not),
        cmocka_unit_test(prop_pattern__covering_is_reflexive_and_transitive),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}

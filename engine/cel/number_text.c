/* SPDX-License-Identifier: Apache-2.0 */
/*
 * number_text - doubles, durations and base64 as text.
 *
 * A double is written with the fewest digits that read back as the same double, in the layout of
 * the reference implementation: plain digits while the exponent is -4..20, else d.ddde+XX. The C
 * locale's decimal point is assumed (the process never calls setlocale for numbers).
 */
#include "engine/cel/value_int.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* The shortest "d.ddde[+-]xx" that reads back; 15 digits are often enough, 17 always. */
static void shortest(char out[CEL_NUMBER_TEXT], double d)
{
    for (int digits = 1; digits <= 17; digits++) {
        if (digits == 4)
            digits = 15; /* rarely is it between: try short constants, then 15, 16, 17 */
        snprintf(out, CEL_NUMBER_TEXT, "%.*e", digits - 1, d);
        if (strtod(out, NULL) == d)
            return;
    }
}

/* Digits without point and trailing zeros; the decimal exponent is returned. */
static int split_digits(char digits[CEL_NUMBER_TEXT], const char *text)
{
    size_t n = 0;
    const char *at = text;
    for (; *at && *at != 'e'; at++)
        if (*at != '.')
            digits[n++] = *at;
    while (n > 1 && digits[n - 1] == '0')
        n--;
    digits[n] = 0;
    return atoi(at + 1);
}

size_t cel_double_layout(char out[CEL_NUMBER_TEXT], double d, int plain)
{
    char text[CEL_NUMBER_TEXT], digits[CEL_NUMBER_TEXT];
    size_t n = 0;
    if (isnan(d))
        return (size_t)snprintf(out, CEL_NUMBER_TEXT, "NaN");
    if (isinf(d))
        return (size_t)snprintf(out, CEL_NUMBER_TEXT, d < 0 ? "-Inf" : "+Inf");
    if (signbit(d))
        out[n++] = '-';
    shortest(text, fabs(d));
    int exponent = split_digits(digits, text), count = (int)strlen(digits);
    if (exponent < -4 || exponent >= plain) {
        n += (size_t)snprintf(out + n, CEL_NUMBER_TEXT - n, "%c%s%se%c%02d", digits[0], count > 1 ? "." : "", digits + 1,
                              exponent < 0 ? '-' : '+', abs(exponent));
    } else if (exponent < 0) {
        n += (size_t)snprintf(out + n, CEL_NUMBER_TEXT - n, "0.%.*s%s", -exponent - 1, "000", digits);
    } else {
        for (int i = 0; i <= exponent || i < count; i++) {
            if (i == exponent + 1)
                out[n++] = '.';
            out[n++] = i < count ? digits[i] : '0';
        }
        out[n] = 0;
    }
    return n;
}

size_t cel_double_text(char out[CEL_NUMBER_TEXT], double d) { return cel_double_layout(out, d, 21); }

size_t cel_duration_text(char out[CEL_NUMBER_TEXT + 16], int64_t seconds, uint32_t nanos)
{
    bool negative = seconds < 0;
    char fraction[16] = "";
    if (negative) { /* -0.5 s is {-1, 500000000}: count downwards from zero instead */
        seconds = -seconds;
        if (nanos) {
            seconds--;
            nanos = 1000000000 - nanos;
        }
    }
    if (nanos) {
        int n = snprintf(fraction, sizeof fraction, ".%09u", nanos);
        while (n > 1 && fraction[n - 1] == '0')
            fraction[--n] = 0;
    }
    return (size_t)snprintf(out, CEL_NUMBER_TEXT + 16, "%s%lld%ss", negative ? "-" : "", (long long)seconds, fraction);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* base64 - see the header. Readers differ in what they refuse before and after; the digits are read in one place. */
#include "engine/base/base64.h"

static const char letters[2][65] = {
    [BASE64_STANDARD] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    [BASE64_URL] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

/* The value of each character; S, U: in that alphabet only; XX: in none. */
#define S 0x80
#define U 0x40
#define XX (S | U)
static const uint8_t values[256] = {
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,     XX, XX,     XX, XX,     XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, S | 62, XX, U | 62, XX, S | 63, 52, 53, 54, 55,
    56, 57, 58, 59, 60, 61, XX, XX, XX, XX, XX, XX, XX, 0,  1,  2,  3,  4,      5,  6,      7,  8,      9,  10, 11, 12,
    13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, XX, XX, XX, XX, U | 63, XX, 26,     27, 28,     29, 30, 31, 32,
    33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50,     51, XX,     XX, XX,     XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,     XX, XX,     XX, XX,     XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,     XX, XX,     XX, XX,     XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,     XX, XX,     XX, XX,     XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,     XX, XX,     XX, XX,     XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,     XX, XX,     XX, XX};
#undef XX

static const uint8_t foreign[2] = {[BASE64_STANDARD] = U, [BASE64_URL] = S};

void base64_put(buf *b, base64_alphabet alphabet, const void *data, size_t len)
{
    const unsigned char *in = data;
    const char *to = letters[alphabet];
    if (!buf_reserve(b, (len + 2) / 3 * 4))
        return;
    char *out = b->data + b->len; /* there is room for all of it: nothing below grows */
    for (; len >= 3; len -= 3, in += 3, out += 4) {
        uint32_t group = (uint32_t)in[0] << 16 | (uint32_t)in[1] << 8 | in[2];
        out[0] = to[group >> 18];
        out[1] = to[group >> 12 & 63];
        out[2] = to[group >> 6 & 63];
        out[3] = to[group & 63];
    }
    if (len) {
        uint32_t group = (uint32_t)in[0] << 16 | (len > 1 ? (uint32_t)in[1] << 8 : 0);
        *out++ = to[group >> 18];
        *out++ = to[group >> 12 & 63];
        if (len > 1)
            *out++ = to[group >> 6 & 63];
        for (size_t pad = len; alphabet == BASE64_STANDARD && pad < 3; pad++)
            *out++ = '=';
    }
    b->len = (size_t)(out - b->data);
}

/* --- reading --------------------------------------------------------------------------------------------- */
/* How many of `len` digits can be read from the front; their octets to `out`, those of a last, incomplete group too, and
 * in *unused the bits that this group has left over. */
static size_t read_digits(char *out, base64_alphabet alphabet, const char *text, size_t len, uint32_t *unused)
{
    const unsigned char *in = (const unsigned char *)text;
    const uint32_t refused = foreign[alphabet];
    size_t i = 0;
    for (; i + 4 <= len; i += 4) {
        uint32_t a = values[in[i]], b = values[in[i + 1]], c = values[in[i + 2]], d = values[in[i + 3]];
        if ((a | b | c | d) & refused)
            break;
        uint32_t group = (a & 63) << 18 | (b & 63) << 12 | (c & 63) << 6 | (d & 63);
        *out++ = (char)(group >> 16);
        *out++ = (char)(group >> 8);
        *out++ = (char)group;
    }
    uint32_t bits = 0, held = 0;
    for (; i < len && !(values[in[i]] & refused); i++) {
        bits = bits << 6 | (values[in[i]] & 63u);
        held += 6;
        if (held >= 8) {
            held -= 8;
            *out++ = (char)(bits >> held & 0xFF);
        }
    }
    *unused = bits & ((1u << held) - 1);
    return i;
}

static size_t octets(size_t digits) { return digits / 4 * 3 + digits % 4 * 3 / 4; }

bool base64_read(mandate_slice *out, arena *a, base64_alphabet alphabet, mandate_slice text)
{
    size_t digits = text.len;
    uint32_t unused;
    if (alphabet == BASE64_STANDARD) {
        if (text.len % 4)
            return false;
        while (digits > 0 && text.len - digits < 2 && text.ptr[digits - 1] == '=')
            digits--;
    }
    if (digits % 4 == 1)
        return false;
    char *bytes = arena_alloc(a, octets(digits) + 1);
    if (!bytes || read_digits(bytes, alphabet, text.ptr, digits, &unused) != digits || unused)
        return false;
    *out = mandate_slice_of(bytes, octets(digits));
    return true;
}

bool base64_read_loosely(mandate_slice *out, arena *a, mandate_slice text, uint32_t *bad_at)
{
    size_t digits = text.len;
    uint32_t unused;
    if (digits && digits % 4 == 0)
        for (int i = 0; i < 2 && digits && text.ptr[digits - 1] == '='; i++)
            digits--;
    *out = mandate_slice_of(NULL, 0);
    *bad_at = 0;
    char *bytes = digits % 4 == 1 ? NULL : arena_alloc(a, octets(digits) + 1);
    if (!bytes)
        return digits % 4 != 1;
    size_t read = read_digits(bytes, BASE64_STANDARD, text.ptr, digits, &unused);
    *bad_at = (uint32_t)read;
    if (read == digits)
        *out = mandate_slice_of(bytes, octets(digits));
    return read == digits;
}

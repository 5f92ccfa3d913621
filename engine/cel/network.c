/* SPDX-License-Identifier: Apache-2.0 */
/*
 * network - see network.h.
 */
#include "engine/cel/network.h"

#include <stdio.h>

enum { GROUPS = 8 };

static const char malformed[] = "it is no address";
static const char mapped[] = "an IPv4-mapped IPv6 address is not allowed";

/* Decimal, without leading zeros. */
static bool parse_number(mandate_slice text, uint32_t max, uint8_t *out)
{
    uint32_t n = 0;
    if (text.len == 0 || text.len > 3 || (text.len > 1 && text.ptr[0] == '0'))
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        n = n * 10 + (uint32_t)(text.ptr[i] - '0');
    }
    *out = (uint8_t)n;
    return n <= max;
}

static bool parse_v4(cel_net *out, mandate_slice text)
{
    size_t from = 0;
    for (int i = 0; i < 4; i++) {
        size_t to = from;
        while (to < text.len && text.ptr[to] != '.')
            to++;
        if (!parse_number(mandate_slice_of(text.ptr + from, to - from), 255, &out->bytes[i]) || (i < 3) != (to < text.len))
            return false;
        from = to + 1;
    }
    out->len = 4;
    return true;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* One group of up to four digits at *at. */
static bool parse_group(mandate_slice text, size_t *at, uint16_t *out)
{
    size_t from = *at;
    uint32_t n = 0;
    for (; *at < text.len && hex_digit(text.ptr[*at]) >= 0; ++*at)
        n = (n << 4 | (uint32_t)hex_digit(text.ptr[*at])) & 0xFFFFF;
    *out = (uint16_t)n;
    return *at > from && *at - from <= 4;
}

/* Groups with colons between them; `gap` is before which group the `::` stood, or GROUPS + 1. */
static bool parse_groups(mandate_slice text, uint16_t groups[GROUPS], int *count, int *gap)
{
    size_t at = 0;
    *count = 0;
    *gap = GROUPS + 1;
    if (text.len >= 2 && text.ptr[0] == ':' && text.ptr[1] == ':') {
        *gap = 0;
        at = 2;
    }
    while (at < text.len) {
        if (*count == GROUPS || !parse_group(text, &at, &groups[*count]))
            return false;
        ++*count;
        if (at == text.len)
            break;
        if (text.ptr[at++] != ':')
            return false;
        if (at < text.len && text.ptr[at] == ':') {
            if (*gap <= GROUPS)
                return false;
            *gap = *count;
            at++;
        } else if (at == text.len) {
            return false;
        }
    }
    return *gap <= GROUPS ? *count < GROUPS : *count == GROUPS;
}

static bool parse_v6(cel_net *out, mandate_slice text)
{
    uint16_t groups[GROUPS];
    int count, gap;
    if (!parse_groups(text, groups, &count, &gap))
        return false;
    int missing = GROUPS - count; /* the zeros that "::" stands for */
    for (int i = 0; i < GROUPS; i++) {
        uint16_t group = i < gap ? groups[i] : i < gap + missing ? 0 : groups[i - missing];
        out->bytes[2 * i] = (uint8_t)(group >> 8);
        out->bytes[2 * i + 1] = (uint8_t)group;
    }
    out->len = 16;
    return true;
}

static bool is_mapped(const cel_net *net)
{
    static const uint8_t prefix[12] = {[10] = 0xFF, [11] = 0xFF};
    return net->len == 16 && memcmp(net->bytes, prefix, sizeof prefix) == 0;
}

static const char *parse_address(cel_net *out, mandate_slice text)
{
    bool dot = memchr(text.ptr, '.', text.len) != NULL;
    *out = (cel_net){.len = 0};
    if (text.len == 0 || text.len >= CEL_NET_TEXT)
        return malformed;
    if (memchr(text.ptr, '%', text.len))
        return "an address with a zone is not allowed";
    if (!memchr(text.ptr, ':', text.len))
        return parse_v4(out, text) ? NULL : malformed;
    if (dot)
        return "an IPv4 address inside an IPv6 address is not allowed";
    return parse_v6(out, text) ? NULL : malformed;
}

const char *cel_ip_parse(cel_net *out, mandate_slice text)
{
    const char *problem = parse_address(out, text);
    if (!problem && is_mapped(out)) {
        memmove(out->bytes, out->bytes + 12, 4);
        out->len = 4;
    }
    return problem;
}

const char *cel_cidr_parse(cel_net *out, mandate_slice text)
{
    const char *slash = text.len ? memchr(text.ptr, '/', text.len) : NULL;
    if (!slash)
        return "it has no /prefix";
    size_t at = (size_t)(slash - text.ptr);
    const char *problem = parse_address(out, mandate_slice_of(text.ptr, at));
    if (problem)
        return problem;
    if (is_mapped(out))
        return mapped;
    mandate_slice bits = {slash + 1, text.len - at - 1};
    return parse_number(bits, 8u * out->len, &out->bits) ? NULL : "its prefix length is wrong";
}

/* Where the longest run of two or more zero groups is; *count 0 when there is none. */
static int longest_gap(const uint8_t *bytes, int *count)
{
    int best = 0;
    *count = 1;
    for (int i = 0; i < GROUPS; i++) {
        int n = 0;
        while (i + n < GROUPS && bytes[2 * (i + n)] == 0 && bytes[2 * (i + n) + 1] == 0)
            n++;
        if (n > *count) {
            best = i;
            *count = n;
        }
    }
    *count = *count > 1 ? *count : 0;
    return best;
}

size_t cel_ip_text(char out[CEL_NET_TEXT], const uint8_t *bytes, uint32_t len)
{
    int gap_len, n = 0;
    if (len == 4)
        return (size_t)snprintf(out, CEL_NET_TEXT, "%u.%u.%u.%u", bytes[0], bytes[1], bytes[2], bytes[3]);
    int gap = longest_gap(bytes, &gap_len);
    for (int i = 0; i < GROUPS; i++) {
        if (gap_len && i == gap) {
            n += snprintf(out + n, CEL_NET_TEXT - (size_t)n, "::");
            i += gap_len - 1;
            continue;
        }
        bool colon = i > 0 && !(gap_len && i == gap + gap_len);
        n += snprintf(out + n, CEL_NET_TEXT - (size_t)n, colon ? ":%x" : "%x",
                      (unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1]);
    }
    return (size_t)n;
}

size_t cel_cidr_text(char out[CEL_NET_TEXT], const uint8_t *bytes, uint32_t len, uint32_t bits)
{
    size_t n = cel_ip_text(out, bytes, len);
    return n + (size_t)snprintf(out + n, CEL_NET_TEXT - n, "/%u", bits);
}

void cel_net_mask(cel_net *net, uint32_t bits)
{
    for (uint32_t i = 0; i < net->len; i++) {
        uint32_t keep = bits > 8 * i ? bits - 8 * i : 0;
        if (keep < 8)
            net->bytes[i] &= (uint8_t)(0xFF00u >> keep);
    }
}

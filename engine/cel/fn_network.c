/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_network - the network library: ip(), cidr(), and what can be asked of them.
 *
 * Families do not mix: an IPv4 range contains no IPv6 address. What the text of an address may
 * look like is decided in network.c.
 */
#include "engine/cel/fn.h"
#include "engine/cel/network.h"

static cel_net net_of(cel_value v)
{
    cel_net out = {.len = (uint8_t)v.len, .bits = (uint8_t)v.type};
    memcpy(out.bytes, v.s, v.len);
    return out;
}

static cel_value make(cel_activation *act, cel_kind kind, const cel_net *net)
{
    char *bytes = arena_alloc(act->memory, net->len);
    if (!bytes)
        return cel_out_of_memory();
    memcpy(bytes, net->bytes, net->len);
    return (cel_value){.kind = (uint8_t)kind, .type = kind == CEL_CIDR ? net->bits : 0, .len = net->len, .s = bytes};
}

static cel_value refused(cel_activation *act, const char *what, cel_value text, const char *why)
{
    return cel_error(act->memory, "%s '%.*s' parse error during conversion from string: %s", what,
                     (int)(text.len > 100 ? 100 : text.len), text.s, why);
}

/* An address or range that is one already, or its text. False: *problem says why. */
static bool read_net(cel_activation *act, cel_value v, cel_kind kind, cel_net *out, cel_value *problem)
{
    if (v.kind == kind) {
        *out = net_of(v);
        return true;
    }
    const char *why = kind == CEL_IP ? cel_ip_parse(out, cel_text(v)) : cel_cidr_parse(out, cel_text(v));
    if (why)
        *problem = refused(act, kind == CEL_IP ? "IP Address" : "CIDR", v, why);
    return !why;
}

cel_value cel_fn_ip(cel_activation *act, const cel_value *args, uint32_t count)
{
    cel_net net;
    cel_value problem;
    return read_net(act, args[0], CEL_IP, &net, &problem) ? make(act, CEL_IP, &net) : problem;
}

cel_value cel_fn_cidr(cel_activation *act, const cel_value *args, uint32_t count)
{
    cel_net net;
    cel_value problem;
    return read_net(act, args[0], CEL_CIDR, &net, &problem) ? make(act, CEL_CIDR, &net) : problem;
}

cel_value cel_fn_is_ip(cel_activation *act, const cel_value *args, uint32_t count)
{
    cel_net net;
    return cel_bool(!cel_ip_parse(&net, cel_text(args[0])));
}

cel_value cel_fn_is_cidr(cel_activation *act, const cel_value *args, uint32_t count)
{
    cel_net net;
    return cel_bool(!cel_cidr_parse(&net, cel_text(args[0])));
}

cel_value cel_fn_ip_is_canonical(cel_activation *act, const cel_value *args, uint32_t count)
{
    char text[CEL_NET_TEXT];
    cel_net net;
    cel_value problem;
    if (!read_net(act, args[0], CEL_IP, &net, &problem))
        return problem;
    size_t n = cel_ip_text(text, net.bytes, net.len);
    return cel_bool(mandate_slice_eq(cel_text(args[0]), mandate_slice_of(text, n)));
}

/* --- of an address --- */

static bool is_unspecified(const cel_net *n)
{
    uint8_t any = 0;
    for (uint32_t i = 0; i < n->len; i++)
        any |= n->bytes[i];
    return any == 0;
}

static bool is_loopback(const cel_net *n)
{
    cel_net rest = *n;
    if (n->len == 4)
        return n->bytes[0] == 127;
    rest.bytes[15] ^= 1;
    return is_unspecified(&rest);
}

static bool is_multicast(const cel_net *n) { return n->len == 4 ? (n->bytes[0] & 0xF0) == 0xE0 : n->bytes[0] == 0xFF; }

static bool is_link_local_multicast(const cel_net *n)
{
    return n->len == 4 ? n->bytes[0] == 224 && n->bytes[1] == 0 && n->bytes[2] == 0
                       : n->bytes[0] == 0xFF && (n->bytes[1] & 0x0F) == 2;
}

static bool is_link_local_unicast(const cel_net *n)
{
    return n->len == 4 ? n->bytes[0] == 169 && n->bytes[1] == 254 : n->bytes[0] == 0xFE && (n->bytes[1] & 0xC0) == 0x80;
}

static bool is_global_unicast(const cel_net *n)
{
    bool broadcast = n->len == 4 && memcmp(n->bytes, "\xFF\xFF\xFF\xFF", 4) == 0;
    return !broadcast && !is_unspecified(n) && !is_loopback(n) && !is_multicast(n) && !is_link_local_unicast(n);
}

#define TEST(name)                                                                         \
    cel_value cel_fn_ip_##name(cel_activation *act, const cel_value *args, uint32_t count) \
    {                                                                                      \
        cel_net net = net_of(args[0]);                                                     \
        return cel_bool(name(&net));                                                       \
    }

TEST(is_unspecified)
TEST(is_loopback)
TEST(is_link_local_multicast)
TEST(is_link_local_unicast)
TEST(is_global_unicast)

cel_value cel_fn_ip_family(cel_activation *act, const cel_value *args, uint32_t count)
{
    return cel_int(args[0].len == 4 ? 4 : 6);
}

cel_value cel_fn_net_to_string(cel_activation *act, const cel_value *args, uint32_t count)
{
    char text[CEL_NET_TEXT];
    const uint8_t *bytes = (const uint8_t *)args[0].s;
    size_t n = args[0].kind == CEL_IP ? cel_ip_text(text, bytes, args[0].len)
                                      : cel_cidr_text(text, bytes, args[0].len, args[0].type);
    mandate_slice copy = arena_dup(act->memory, mandate_slice_of(text, n));
    return copy.ptr ? cel_string(copy) : cel_out_of_memory();
}

/* --- of a range --- */

/* Whether `inner`, cut to the prefix of `range`, is its network. */
static bool in_range(const cel_net *range, cel_net inner)
{
    cel_net network = *range;
    cel_net_mask(&network, range->bits);
    cel_net_mask(&inner, range->bits);
    return inner.len == network.len && memcmp(inner.bytes, network.bytes, network.len) == 0;
}

cel_value cel_fn_cidr_contains_ip(cel_activation *act, const cel_value *args, uint32_t count)
{
    cel_net range = net_of(args[0]), ip;
    cel_value problem;
    return read_net(act, args[1], CEL_IP, &ip, &problem) ? cel_bool(in_range(&range, ip)) : problem;
}

cel_value cel_fn_cidr_contains_cidr(cel_activation *act, const cel_value *args, uint32_t count)
{
    cel_net range = net_of(args[0]), inner;
    cel_value problem;
    if (!read_net(act, args[1], CEL_CIDR, &inner, &problem))
        return problem;
    return cel_bool(inner.bits >= range.bits && in_range(&range, inner));
}

cel_value cel_fn_cidr_ip(cel_activation *act, const cel_value *args, uint32_t count)
{
    cel_value out = args[0];
    out.kind = CEL_IP;
    out.type = 0;
    return out;
}

cel_value cel_fn_cidr_masked(cel_activation *act, const cel_value *args, uint32_t count)
{
    cel_net net = net_of(args[0]);
    cel_net_mask(&net, net.bits);
    return make(act, CEL_CIDR, &net);
}

cel_value cel_fn_cidr_prefix_length(cel_activation *act, const cel_value *args, uint32_t count)
{
    return cel_int(args[0].type);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * network - IP addresses and CIDR ranges as text.
 *
 * Strict, because addresses decide about access: no leading zeros, no zones, no IPv4 written inside
 * IPv6. An IPv4-mapped IPv6 address in hexadecimal is the IPv4 address that it means, so that one
 * host has one value. The printed form is the canonical one (RFC 5952).
 */
#ifndef MANDATE_ENGINE_CEL_NETWORK_H
#define MANDATE_ENGINE_CEL_NETWORK_H

#include "mandate/mandate.h"

enum { CEL_NET_TEXT = 48 };

typedef struct cel_net {
    uint8_t bytes[16];
    uint8_t len;  /* 4 or 16 */
    uint8_t bits; /* of a range's prefix */
} cel_net;

/* NULL, or why the text is none: a few static words. */
const char *cel_ip_parse(cel_net *out, mandate_slice text);
const char *cel_cidr_parse(cel_net *out, mandate_slice text);
size_t cel_ip_text(char out[CEL_NET_TEXT], const uint8_t *bytes, uint32_t len);
size_t cel_cidr_text(char out[CEL_NET_TEXT], const uint8_t *bytes, uint32_t len, uint32_t bits);
/* Zeroes what comes after the prefix. */
void cel_net_mask(cel_net *net, uint32_t bits);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zone - parsing of fixed offsets, and the provider hook.
 */
#include "engine/cel/zone.h"

#include <stdatomic.h>

static _Atomic(cel_zone_provider) installed;

void cel_zone_install(cel_zone_provider provider) { atomic_store(&installed, provider); }

static bool two_digits(const char *s, int max, int *out)
{
    if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9')
        return false;
    *out = (s[0] - '0') * 10 + s[1] - '0';
    return *out <= max;
}

static bool fixed_offset(mandate_slice zone, int32_t *offset_s)
{
    bool negative = zone.len && zone.ptr[0] == '-';
    int hours, minutes;
    if (zone.len == 0 || mandate_slice_is(zone, "UTC") || mandate_slice_is(zone, "Z")) {
        *offset_s = 0;
        return true;
    }
    if (zone.ptr[0] == '-' || zone.ptr[0] == '+') {
        zone.ptr++;
        zone.len--;
    }
    if (zone.len != 5 || zone.ptr[2] != ':' || !two_digits(zone.ptr, 14, &hours) || !two_digits(zone.ptr + 3, 59, &minutes))
        return false;
    *offset_s = (hours * 60 + minutes) * (negative ? -60 : 60);
    return true;
}

bool cel_zone_is_fixed(mandate_slice zone)
{
    int32_t offset_s;
    return fixed_offset(zone, &offset_s);
}

bool cel_zone_offset(mandate_slice zone, int64_t seconds, int32_t *offset_s)
{
    cel_zone_provider provider = atomic_load(&installed);
    if (fixed_offset(zone, offset_s))
        return true;
    return provider && provider(zone, seconds, offset_s) && *offset_s > -86400 * 2 && *offset_s < 86400 * 2;
}

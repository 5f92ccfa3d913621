/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zone - time zones: fixed offsets are understood here, names are asked of a provider.
 *
 * The engine does no I/O, so what "Europe/Berlin" means is told by whoever embeds it. Without a
 * provider a named zone is an error in the evaluation. Install it once, before any evaluation.
 */
#ifndef MANDATE_ENGINE_CEL_ZONE_H
#define MANDATE_ENGINE_CEL_ZONE_H

#include "mandate/mandate.h"

/* Offset from UTC, in seconds, that zone `name` has at that moment (seconds since 1970). False: there
 * is no such zone. Must be thread-safe and always give the same answer. */
typedef bool (*cel_zone_provider)(mandate_slice name, int64_t seconds, int32_t *offset_s);

/* NULL removes it. */
void cel_zone_install(cel_zone_provider provider);

/* "+02:00", "-08:00", "05:30", "UTC", "Z", "" or a name for the provider. */
MANDATE_CHECK bool cel_zone_offset(mandate_slice zone, int64_t seconds, int32_t *offset_s);
/* True when the zone has one offset for ever. */
bool cel_zone_is_fixed(mandate_slice zone);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* zone_files - installs the shim as the engine's provider. */
#include "connectors/zone/zone_files.h"

#include "engine/cel/zone.h"

void zone_files_install(void) { cel_zone_install(zone_files_offset); }

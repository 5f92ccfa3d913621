/* SPDX-License-Identifier: Apache-2.0 */
/*
 * zone_files - what "Europe/Berlin" means, from the system's time zone files (Debian's tzdata).
 *
 * Abseil reads them; no C++ type shows here. A zone is read once and then kept, so that its rules stay the same
 * for the life of the process, whatever is upgraded beneath it. Names are hostile: letters, digits and "+-_" between
 * slashes, nothing that could leave the folder, and only files that are there are opened. `localtime` is refused:
 * what a condition means must not depend on the machine.
 */
#ifndef MANDATE_CONNECTORS_ZONE_ZONE_FILES_H
#define MANDATE_CONNECTORS_ZONE_ZONE_FILES_H

#include "mandate/mandate.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { ZONE_NAME_MAX = 64 };

/* A cel_zone_provider. Thread-safe. */
bool zone_files_offset(mandate_slice name, int64_t seconds, int32_t *offset_s);
/* Makes it the provider of this process; before any evaluation. */
void zone_files_install(void);

#ifdef __cplusplus
}
#endif
#endif

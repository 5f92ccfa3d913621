/* SPDX-License-Identifier: Apache-2.0 */
/* die - see die.h. */
#include "connectors/daemon/base/die.h"

#include "connectors/daemon/base/log.h"

#include <unistd.h>

enum { EXIT_STORAGE = 70 };

_Noreturn void engine_die(const char *what, const mandate_error *err)
{
    log_write(LOG_ERROR, "engine", "%s: %s; stopping at once, the next start recovers from what was committed", what,
              err->text);
    _exit(EXIT_STORAGE);
}

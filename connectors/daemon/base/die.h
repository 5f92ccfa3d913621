/* SPDX-License-Identifier: Apache-2.0 */
/*
 * die - the end of a process whose state on disk can no longer be vouched for: a step, a write or a sync that failed.
 *
 * Nothing is repaired in place and nobody is told anything more: the next start recovers from what was committed.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_DIE_H
#define MANDATE_CONNECTORS_DAEMON_DIE_H

#include "mandate/mandate.h"

/* One line in the log, then exit code 70 at once: no handler runs, no thread is waited for. Any thread. `what` failed. */
_Noreturn void engine_die(const char *what, const mandate_error *err);

#endif

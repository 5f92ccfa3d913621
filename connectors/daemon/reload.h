/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reload - SIGHUP: the configuration's connectors and entity types are read anew, checked as a whole, and then taken over.
 *
 *   something is wrong                    nothing changes, and the log says what and where
 *   connectors within the running schema  those whose file changed, or a file it names, are stopped when all they handed over is
 *                                         committed, and read on from there by the new file; one that is gone is silent
 *                                         from then on
 *   types, attributes, topics are new,    a connector tells or deletes what it did not before: RELOAD_RESTART: the caller restarts the process in place, the schema is built once
 *   policy, compliance, kinds of checks,   taken over with them; policy and kinds are recorded in the audit log
 *   TLS files
 *   other keys changed                    said; they take effect at the next start
 *
 * What was journaled is changes, not records: a replay of the journal never sees a mapping.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_RELOAD_H
#define MANDATE_CONNECTORS_DAEMON_RELOAD_H

#include "connectors/daemon/daemon.h"

typedef enum reload_outcome { RELOAD_REFUSED, RELOAD_DONE, RELOAD_RESTART } reload_outcome;

/* On the thread that started `d`. */
reload_outcome daemon_reload(daemon_state *d);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backup - a copy of the database while it is in use: backup.folder/<name>/ with `data`, `data.anchor` and the checkpoint of the audit
 * log at that time, `checkpoint`. Keys are not in it.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_BACKUP_H
#define MANDATE_CONNECTORS_DAEMON_BACKUP_H

#include "connectors/config/config.h"
#include "connectors/daemon/record/checkpointer.h"

/* Appends {"backup": path, "seq": its last step at least, "entries": of the audit log, at least}. CONFLICT: there is one of that name;
 * INVALID: that is no name. */
MANDATE_CHECK mandate_status backup_make(buf *out, const config *c, store *st, checkpointer *audit, mandate_slice name,
                                         mandate_error *err);

#endif

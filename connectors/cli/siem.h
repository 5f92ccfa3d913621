/* SPDX-License-Identifier: Apache-2.0 */
/*
 * siem - an entry of the audit log as a line for somebody else's collector.
 *
 *   jsonl         the entry itself, byte for byte: what was hashed
 *   cloudevents   CloudEvents 1.0, structured: source is the log, id the entry's number, data the entry
 *   ocsf          OCSF 1.3.0, Entity Management (3004): the mandate is the entity; the whole entry stands in `unmapped`
 *
 * docs/audit.md has the mapping; tests hold it against the attributes that OCSF requires.
 */
#ifndef MANDATE_CONNECTORS_CLI_SIEM_H
#define MANDATE_CONNECTORS_CLI_SIEM_H

#include "engine/base/arena.h"
#include "engine/base/buf.h"

typedef enum siem_format { SIEM_JSONL, SIEM_OCSF, SIEM_CLOUDEVENTS } siem_format;

bool siem_format_parse(siem_format *out, const char *name);
/* Appends one line without its newline. `origin`: of the log. INVALID: the entry is not one of ours. */
MANDATE_CHECK mandate_status siem_put(buf *out, siem_format format, mandate_slice origin, mandate_slice entry, arena *a,
                                      mandate_error *err);

#endif

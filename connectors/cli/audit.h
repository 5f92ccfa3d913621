/* SPDX-License-Identifier: Apache-2.0 */
/* audit - what the commands of the record share: pages of entries, the verifier key, an entry as it is in the log. */
#ifndef MANDATE_CONNECTORS_CLI_AUDIT_H
#define MANDATE_CONNECTORS_CLI_AUDIT_H

#include "connectors/cli/client.h"

typedef struct audit_filter {
    const char *from, *mandate, *txn, *event; /* NULL: all */
} audit_filter;

/* Sees a page; false stops. */
typedef bool (*audit_page_fn)(void *ctx, client *c, cel_value entries);
/* Pages from `from` on, `limit` entries (0: to the end). `next` gets where the one after them begins. */
exit_code audit_entries(client *c, const audit_filter *f, int64_t limit, audit_page_fn page, void *ctx, char next[24]);
/* The entries of a page as the log has them, byte for byte: JSON that was parsed and written again need not be. `rest` begins as the
 * body that was received; false: there is no further one. */
bool audit_raw_entry(mandate_slice *out, mandate_slice *rest);
/* --key: a verifier key, or a file with one. Says what is wrong. `out` is initialised in any case. */
bool audit_key(buf *out, const char *given);

#endif

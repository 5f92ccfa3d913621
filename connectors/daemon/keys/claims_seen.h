/* SPDX-License-Identifier: Apache-2.0 */
/* claims_seen - a mandate's claims as somebody may see them, as JSON. Any thread. */
#ifndef MANDATE_CONNECTORS_DAEMON_CLAIMS_SEEN_H
#define MANDATE_CONNECTORS_DAEMON_CLAIMS_SEEN_H

#include "connectors/daemon/keys/signer.h"

/* "mandate":{claims}[,"undisclosed":[...]][,"handles":{...}]. `s` NULL: no handles. */
MANDATE_CHECK mandate_status claims_seen_put(buf *b, arena *a, const signer *s, uint32_t handle, const claims *c,
                                             const disclosure_viewer *who, mandate_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* define - definitions looked at before they run: POST /v1/mandates/lint. */
#ifndef MANDATE_CONNECTORS_DAEMON_DEFINE_H
#define MANDATE_CONNECTORS_DAEMON_DEFINE_H

#include "connectors/daemon/daemon.h"

/* {"findings":[...],"errors":N,"warnings":N,"notes":N}; any thread. */
MANDATE_CHECK mandate_status define_lint(daemon_state *d, const claims *c, mandate_slice principal, arena *a, buf *out,
                                         mandate_error *err);

#endif

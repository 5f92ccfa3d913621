/* SPDX-License-Identifier: Apache-2.0 */
/* status_watch - how far the connectors are with what their topics hold: records, rate, time left, until all have caught up. */
#ifndef MANDATE_CONNECTORS_CLI_STATUS_WATCH_H
#define MANDATE_CONNECTORS_CLI_STATUS_WATCH_H

#include "connectors/cli/client.h"
#include "connectors/kafka/progress.h"

/* A line a connector every `interval_ms`; ends when all have caught up, or somebody interrupts. */
exit_code status_watch(const arg_common *common, int64_t interval_ms);

#endif

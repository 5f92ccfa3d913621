/* SPDX-License-Identifier: Apache-2.0 */
/*
 * freshness - how old the state is that a synchronous check rests on: the commit's age, and for every connector whether it is live
 * and how far behind its topics it is.
 *
 * Every connector counts: what a mandate's conditions read is reached through references, so which connectors it depends on is
 * known only while they are evaluated. Unknown is not fresh.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_FRESHNESS_H
#define MANDATE_CONNECTORS_DAEMON_FRESHNESS_H

#include "connectors/http/service.h"
#include "connectors/kafka/source.h"

/* {"seq","age_ms","sources":[{"name","state","lag_records","lag_ms","watermark"}],"lag_ms","bound_ms"} */
void freshness_of(source *const *sources, uint32_t count, const service_verdict *verdict, int64_t now_us,
                  service_freshness *out, buf *text);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * freshness - how old the state is that a synchronous check rests on: the commit's age, and for every connector whether it is live
 * and how far behind its topics it is.
 *
 * Those connectors count whose word the mandates rest on that govern, and their ancestors (engine/condition/sources.c); where that is
 * not known all of them. One that is depended on and not there is not live. Unknown is not fresh.
 *
 * No connector is named where a condition that rests on one is restricted: names, and how many there are, say what it is about.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_FRESHNESS_H
#define MANDATE_CONNECTORS_DAEMON_FRESHNESS_H

#include "connectors/http/service.h"
#include "connectors/kafka/source.h"
#include "connectors/mapping/connector.h"

typedef struct freshness_sources {
    source *const *sources; /* sources[i] reads for connectors[i] */
    connector *const *connectors;
    uint32_t count;
    const schema *schema;
} freshness_sources;

/* {"seq","age_ms","sources":[{"name","state","lag_records","lag_ms","watermark"}],"lag_ms","bound_ms"}, without "sources" unless `named`. `rests_on` NULL: all. */
void freshness_of(const freshness_sources *all, const source_set *rests_on, bool named, const service_verdict *verdict,
                  int64_t now_us, service_freshness *out, buf *text);

#endif

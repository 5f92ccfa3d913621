/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_decisions - what humans said, for checks: by key, as of the last commit, from any thread.
 *
 * At most LIMIT_DECISIONS; one that has lapsed is never found, whether or not the engine has said so yet: the clock is asked.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_VIEW_DECISIONS_H
#define MANDATE_CONNECTORS_DAEMON_VIEW_DECISIONS_H

#include "connectors/http/service.h"

typedef struct view_decisions view_decisions;

MANDATE_CHECK mandate_status view_decisions_create(view_decisions **out, mandate_error *err);
void view_decisions_destroy(view_decisions *v);
/* Engine's thread, after the commit: as it is now; and one that is forgotten. */
MANDATE_CHECK mandate_status view_decisions_set(view_decisions *v, const decision_record *d, mandate_error *err);
void view_decisions_remove(view_decisions *v, mandate_slice id);
/* False: none that has not lapsed. */
bool view_decisions_find(view_decisions *v, const uint8_t key[DECISION_KEY], int64_t now_us, service_decision *out);

#endif

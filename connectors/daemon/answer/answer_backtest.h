/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer_backtest - mandates that were not issued, on history, as JSON:
 *
 *   {"from","to","checked_until","complete","after_step","steps","inputs",
 *    "mandates": [{"id","state": as of checked_until, or null when it would have been refused,"refused": null or why,
 *                  "transitions": [as on the revocation topic]}]}
 */
#ifndef MANDATE_CONNECTORS_DAEMON_ANSWER_BACKTEST_H
#define MANDATE_CONNECTORS_DAEMON_ANSWER_BACKTEST_H

#include "connectors/http/service.h"
#include "graph/store.h"

#include <stdatomic.h>

enum { BACKTEST_MS_MAX = 7000 }; /* before the request's own deadline; what is not looked at by then is said */

/* `stopping`: read now and then, ends it early; NULL: nothing does. `ms_max`: so does this many milliseconds; 0: no limit.
 * Appends to r->body. */
MANDATE_CHECK mandate_status answer_backtest(store *st, const char *issuer, const _Atomic bool *stopping, uint32_t ms_max,
                                             service_request *r, mandate_error *err);

#endif

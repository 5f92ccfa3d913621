/* SPDX-License-Identifier: Apache-2.0 */
/*
 * restricts - disclosure.restrict of the configuration: what mandates restrict that are issued or delegated without rules of their
 * own, and what amendments add.
 *
 * Checked as the rules of a mandate are, save that what they name need not be there.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_RESTRICTS_H
#define MANDATE_CONNECTORS_DAEMON_RESTRICTS_H

#include "connectors/config/config.h"
#include "engine/mandate/disclosure.h"

/* As many as there are texts, sorted, in `a`; strings borrow from `texts`. INVALID or LIMIT says which is wrong, and how. */
MANDATE_CHECK mandate_status restricts_load(const claims_disclosure **out, const config_list *texts, arena *a,
                                            mandate_error *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* claims_required - scope.require of a mandate, as JSON: {"action.soft": [true], "resource.region": ["eu", "us"]}. */
#ifndef MANDATE_CONNECTORS_JSON_CLAIMS_REQUIRED_H
#define MANDATE_CONNECTORS_JSON_CLAIMS_REQUIRED_H

#include "engine/mandate/required.h"

/* Into c->required, in its order; strings borrow from `v`, arrays are in `a`. */
MANDATE_CHECK mandate_status claims_read_required(claims *c, arena *a, cel_value v, mandate_error *err);
void claims_put_required(buf *b, const claims *c);

#endif

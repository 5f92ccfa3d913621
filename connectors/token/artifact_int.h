/* SPDX-License-Identifier: Apache-2.0 */
/* artifact_int - what making and reading a payload share. */
#ifndef MANDATE_CONNECTORS_TOKEN_ARTIFACT_INT_H
#define MANDATE_CONNECTORS_TOKEN_ARTIFACT_INT_H

#include "connectors/json/json_value.h"
#include "connectors/token/artifact.h"

/* "sha-256:..." over the authority that the claims, as a value, say. `salt` empty: none. */
MANDATE_CHECK mandate_status artifact_hash_value(buf *out, cel_value mandate, mandate_slice salt, mandate_error *err);
/* Rounded down. */
int64_t artifact_seconds(int64_t us);

#endif

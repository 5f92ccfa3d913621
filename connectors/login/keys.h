/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys - the keys of one issuer: from a file, or fetched and kept.
 *
 * A set is immutable and counted: whoever verifies holds it, whoever replaces it lets go of the old one.
 */
#ifndef MANDATE_CONNECTORS_LOGIN_KEYS_H
#define MANDATE_CONNECTORS_LOGIN_KEYS_H

#include "connectors/login/login.h"
#include "connectors/token/keyset.h"

typedef struct login_keys {
    _Atomic uint32_t refs;
    keyset set;
    int64_t good_until_ms; /* monotonic; INT64_MAX: for ever */
} login_keys;

MANDATE_CHECK mandate_status login_keys_read(login_keys **out, mandate_slice json, mandate_error *err);
MANDATE_CHECK mandate_status login_keys_file(login_keys **out, const char *path, mandate_error *err);
/* One https request: certificates verified, no redirects, no proxy, nothing but https; at most KEYSET_JSON_MAX bytes. */
MANDATE_CHECK mandate_status login_keys_fetch(login_keys **out, const char *url, const char *ca, mandate_error *err);
void login_keys_release(login_keys *keys);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signable - of most mandates it is plain that they can be signed: little text, no control characters, integers below 2^53, values of
 * few levels. artifact_check makes the whole payload to find that out, which costs more than everything else about a request.
 */
#ifndef MANDATE_CONNECTORS_TOKEN_SIGNABLE_H
#define MANDATE_CONNECTORS_TOKEN_SIGNABLE_H

#include "connectors/token/artifact.h"

/* True: artifact_check says OK. False: it has to be asked. */
bool artifact_plainly_signable(const claims *c);

#endif

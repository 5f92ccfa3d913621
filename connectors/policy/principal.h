/* SPDX-License-Identifier: Apache-2.0 */
/*
 * principal - who is at the other end, and who says so.
 *
 * The name is what is recorded and what mandates are compared with. Names of different kinds never meet: "uid:1000" can
 * only be said by the kernel, "spiffe://..." only by a certificate.
 */
#ifndef MANDATE_CONNECTORS_POLICY_PRINCIPAL_H
#define MANDATE_CONNECTORS_POLICY_PRINCIPAL_H

#include "mandate/mandate.h"

typedef enum principal_kind {
    PRINCIPAL_ANONYMOUS, /* nobody vouches */
    PRINCIPAL_UNIX,      /* the kernel, on the Unix socket */
    PRINCIPAL_NAMED,     /* a front end that runs as our own user or root (X-Mandate-Principal) */
    PRINCIPAL_KIND_COUNT
} principal_kind;

typedef struct policy_principal {
    principal_kind kind;
    mandate_slice name; /* printable UTF-8, 1 to LIMIT_ID bytes */
    uint32_t uid, gid;  /* UNIX, NAMED: of the process that is connected */
} policy_principal;

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * principal - who is at the other end, and who says so.
 *
 * The name is what is recorded and what mandates are compared with. Names of different kinds never meet: "uid:1000" can
 * only be said by the kernel, "spiffe://..." only by a certificate, and every issuer of tokens has a prefix of its own;
 * whoever wants another name for somebody writes it into the policy.
 */
#ifndef MANDATE_CONNECTORS_POLICY_PRINCIPAL_H
#define MANDATE_CONNECTORS_POLICY_PRINCIPAL_H

#include "engine/base/arena.h"
#include "engine/base/buf.h"
#include "engine/cel/value.h"

/* NAME, kind in a policy, who vouches for it */
#define PRINCIPAL_KIND_MAP(X)                                                                         \
    X(ANONYMOUS, "anonymous", "nobody")                                                               \
    X(UNIX, "unix", "the kernel, on the Unix socket")                                                 \
    X(NAMED, "named", "a process on the Unix socket that may speak for others (X-Mandate-Principal)") \
    X(CERTIFICATE, "certificate", "http.tls.client_ca, by a client certificate")                      \
    X(TOKEN, "token", "an issuer of the policy, by a signed token")

typedef enum principal_kind {
#define X(upper, name, text) PRINCIPAL_##upper,
    PRINCIPAL_KIND_MAP(X)
#undef X
        PRINCIPAL_KIND_COUNT
} principal_kind;

const char *principal_kind_name(principal_kind kind);

typedef struct policy_principal {
    principal_kind kind;
    mandate_slice name;          /* printable UTF-8, 1 to LIMIT_ID bytes */
    mandate_slice proved;        /* the name before the policy gave another; set by policy_bind */
    uint32_t uid, gid;           /* UNIX, NAMED: of the process that is connected */
    mandate_slice user;          /* UNIX, NAMED: what the system calls the uid, or empty */
    const mandate_slice *groups; /* UNIX, NAMED: what the system calls the groups the process is in */
    uint32_t group_count;
    mandate_slice issuer, subject; /* TOKEN: iss and sub; CERTIFICATE: the distinguished names */
    const mandate_slice *names;    /* CERTIFICATE: its SANs: "spiffe://...", "dns:..." */
    uint32_t name_count;
    cel_value claims;    /* TOKEN: its payload; else null */
    int64_t until_us;    /* wall clock: vouched for until then; 0: as long as the connection */
    uint64_t roles;      /* bit i: role i of the policy that bound it */
    uint64_t generation; /* of that policy; 0: none */
    uint32_t always;     /* bit: power; permitted whatever is asked, and whenever */
} policy_principal;

/* What was proved of somebody, to be bound again later by whatever policy is in force then: its stored form. */
void principal_encode(buf *b, const policy_principal *who);
/* Everything borrows from `bytes`, arrays are in `a`; bound by nothing. CORRUPT when malformed. */
MANDATE_CHECK mandate_status principal_decode(policy_principal *out, arena *a, mandate_slice bytes, mandate_error *err);
/* Are they one and the same, under whatever names: by those names, by a token's subject, or by a certificate? */
bool principal_same(const policy_principal *a, const policy_principal *b);

/* Fit to be a principal's name: printable UTF-8 without spaces at its ends, 1 to LIMIT_ID bytes. */
bool principal_name_valid(mandate_slice name);

#endif

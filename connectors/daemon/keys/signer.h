/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signer - the daemon's keys: one that signs now, others that are published beside it.
 *
 * Without `signing.key` a key is made in data_dir at the first start, so that mandates are signed from the first one on.
 * Rotation is overlap: publish the next key (signing.published) for as long as receivers cache the set, make it
 * signing.key, and keep publishing the old one until what it signed has expired. Tokens are made when they are asked for,
 * from the stored claims, so after a rotation the same mandate comes signed by the new key.
 *
 * Immutable after signer_open: any thread may sign.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_SIGNER_H
#define MANDATE_CONNECTORS_DAEMON_SIGNER_H

#include "connectors/config/config.h"
#include "connectors/signer/client.h"
#include "connectors/token/artifact.h"
#include "connectors/token/key_file.h"

#define SIGNER_KEY_FILE "signing-key.pem"   /* in data_dir */
#define SIGNER_SECRET_FILE "disclosure.key" /* likewise; made at the first start */

typedef struct signer {
    keyset keys;           /* the first one signs */
    buf jwks;              /* the published set, as text */
    signer_client *remote; /* NULL: the key is in this process */
    disclose_key secret;   /* of salts and handles; no key that signs */
} signer;

MANDATE_CHECK mandate_status signer_open(signer *s, const config *c, mandate_error *err);
/* Can it sign now, as far as is known? False only for a signer that is away. Any thread. */
bool signer_ready(const signer *s);
/* Takes a zeroed one too. */
void signer_close(signer *s);
/* The signed mandate, appended, with the disclosures that `who` may see. f->key is set here. */
MANDATE_CHECK mandate_status signer_put_token(const signer *s, buf *out, const artifact_facts *f,
                                              const disclosure_viewer *who, mandate_error *err);

#endif

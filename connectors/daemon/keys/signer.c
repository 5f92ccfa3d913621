/* SPDX-License-Identifier: Apache-2.0 */
/* signer - see the header. */
#include "connectors/daemon/keys/signer.h"

#include "connectors/daemon/base/log.h"
#include "connectors/token/key_quick.h"

#include <stdio.h>
#include <string.h>

static const token_alg algorithms[] = {
    [CONFIG_ALG_EDDSA] = TOKEN_EDDSA,
    [CONFIG_ALG_ES256] = TOKEN_ES256,
    [CONFIG_ALG_RS256] = TOKEN_RS256,
};

static mandate_status own_key(signer *s, token_key **out, const config *c, mandate_error *err)
{
    char path[4096];
    if (c->signing.signer && c->signing.key)
        return mandate_error_set(err, MANDATE_INVALID,
                                 "the key is either here (signing.key) or at a signer (signing.signer)");
    if (c->signing.signer) {
        mandate_status away = signer_client_open(&s->remote, c->signing.signer, SIGNER_TOKENS, err);
        return away ? away : signer_client_key(out, s->remote, err);
    }
    if (c->signing.key)
        return key_file_read(out, c->signing.key, err);
    if (snprintf(path, sizeof(path), "%s/" SIGNER_KEY_FILE, c->data_dir) >= (int)sizeof(path))
        return mandate_error_set(err, MANDATE_LIMIT, "data_dir is too long a path for a key file");
    mandate_status status = key_file_read(out, path, err);
    if (status != MANDATE_NOT_FOUND)
        return status;
    status = key_file_create(out, path, algorithms[c->signing.algorithm], err);
    if (!status)
        log_write(LOG_INFO, "signer", "made a key for signing mandates, %s: keep a copy of it in a safe place", path);
    return status;
}

static mandate_status own_secret(signer *s, const config *c, mandate_error *err)
{
    char path[4096];
    if (snprintf(path, sizeof(path), "%s/" SIGNER_SECRET_FILE, c->data_dir) >= (int)sizeof(path))
        return mandate_error_set(err, MANDATE_LIMIT, "data_dir is too long a path for a key file");
    return key_file_secret(s->secret.bytes, path, err);
}

mandate_status signer_open(signer *s, const config *c, mandate_error *err)
{
    token_key *own;
    keyset_init(&s->keys);
    buf_init(&s->jwks);
    mandate_status status = own_key(s, &own, c, err);
    if (!status && (status = token_key_quicken(own, err)) != MANDATE_OK)
        token_key_destroy(own);
    if (!status)
        status = keyset_take(&s->keys, own, err);
    for (uint32_t i = 0; !status && i < c->signing.published.count; i++)
        status = key_file_read_public(&s->keys, c->signing.published.items[i], err);
    if (!status)
        status = keyset_put_json(&s->jwks, &s->keys, err);
    if (!status)
        status = own_secret(s, c, err);
    if (status)
        return mandate_error_prefix(err, status, "signing");
    log_write(LOG_INFO, "signer", "mandates are signed with %s by key %.*s; %u keys are published",
              token_alg_name(token_key_alg(s->keys.keys[0])), MANDATE_SLICE_ARG(token_key_kid(s->keys.keys[0])),
              s->keys.count);
    return MANDATE_OK;
}

bool signer_ready(const signer *s) { return !s->remote || signer_client_ready(s->remote); }

void signer_close(signer *s)
{
    keyset_deinit(&s->keys);
    signer_client_close(s->remote);
    s->remote = NULL;
    explicit_bzero(&s->secret, sizeof(s->secret));
    buf_deinit(&s->jwks);
}

mandate_status signer_put_token(const signer *s, buf *out, const artifact_facts *f, const disclosure_viewer *who,
                                mandate_error *err)
{
    artifact_facts facts = *f;
    artifact_made made;
    facts.key = &s->secret;
    mandate_status status = artifact_make(&made, &facts, err);
    if (!status)
        status = jws_sign(out, s->keys.keys[0], artifact_typ(f->claims), buf_slice(&made.payload), err);
    if (!status && f->claims->disclosure_count)
        disclose_put(out, f->claims, &made.cut, who);
    artifact_made_deinit(&made);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cluster - see cluster.h.
 */
#include "connectors/kafka/cluster.h"

#include <assert.h>
#include <stdlib.h>

enum { CLUSTER_SECURITY_MAX = 12 };

static void add(cluster *out, const char *name, const char *value)
{
    if (value)
        out->properties[out->value.property_count++] = (connector_property){name, value};
}

static void add_security(cluster *out, const config *c)
{
    static const char *const mechanisms[] = {NULL, "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"};
    bool sasl = c->kafka.sasl != CONFIG_SASL_NONE;

    if (c->kafka.tls || sasl)
        add(out, "security.protocol", !sasl ? "SSL" : c->kafka.tls ? "SASL_SSL" : "SASL_PLAINTEXT");
    add(out, "ssl.ca.location", c->kafka.tls_ca);
    add(out, "ssl.certificate.location", c->kafka.tls_certificate);
    add(out, "ssl.key.location", c->kafka.tls_key);
    add(out, "ssl.key.password", c->kafka.tls_key_password);
    add(out, "sasl.mechanism", mechanisms[c->kafka.sasl]);
    add(out, "sasl.username", c->kafka.username);
    add(out, "sasl.password", c->kafka.password);
}

mandate_status cluster_init(cluster *out, const config *c, const char *bootstrap, const connector_property *first,
                            uint32_t first_count, mandate_error *err)
{
    const config_properties *own = &c->kafka.rdkafka;
    mandate_status status = MANDATE_OK;

    *out = (cluster){.value = {.bootstrap = bootstrap}};
    out->properties = calloc(first_count + own->count + CLUSTER_SECURITY_MAX, sizeof(*out->properties));
    if (!out->properties)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for properties");
    out->value.properties = out->properties;
    for (uint32_t i = 0; i < first_count; i++)
        out->properties[out->value.property_count++] = first[i];
    add_security(out, c);
    assert(out->value.property_count <= first_count + CLUSTER_SECURITY_MAX);
    for (uint32_t i = 0; i < own->count; i++)
        add(out, own->items[i].name, own->items[i].value);
    if (c->kafka.sasl == CONFIG_SASL_OAUTHBEARER) {
        out->oauth = (kafka_oauth){
            .token_url = c->kafka.oauth_token_url,
            .client_id = c->kafka.oauth_client_id,
            .client_secret = c->kafka.oauth_client_secret,
            .scope = c->kafka.oauth_scope,
            .ca_file = c->kafka.oauth_ca,
        };
        out->value.oauth = &out->oauth;
        status = kafka_oauth_check(&out->oauth, err);
    }
    if (status != MANDATE_OK)
        cluster_deinit(out);
    return status;
}

void cluster_deinit(cluster *c)
{
    free(c->properties);
    *c = (cluster){0};
}

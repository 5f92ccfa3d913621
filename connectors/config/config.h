/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config - what the daemon is told by its configuration file, checked and with every default filled in.
 *
 * The struct holds values; the table in options.c says which key fills which field, its type, default and range, and
 * everything else (parsing, --help-config, docs/configuration.md, the JSON Schema) is derived from that table.
 * Strings live until config_destroy. Fields marked secret there are never printed by anything in this folder.
 */
#ifndef MANDATE_CONNECTORS_CONFIG_CONFIG_H
#define MANDATE_CONNECTORS_CONFIG_CONFIG_H

#include "connectors/config/problem.h"
#include "engine/base/arena.h"

/* A list of strings. */
typedef struct config_list {
    const char **items;
    uint32_t count;
} config_list;

/* One pass-through property. */
typedef struct config_property {
    const char *name, *value;
} config_property;

typedef struct config_properties {
    config_property *items;
    uint32_t count;
} config_properties;

typedef enum config_format { CONFIG_FORMAT_JSON, CONFIG_FORMAT_AVRO } config_format;

typedef enum config_algorithm { CONFIG_ALG_EDDSA, CONFIG_ALG_ES256, CONFIG_ALG_RS256 } config_algorithm;

typedef enum config_sasl {
    CONFIG_SASL_NONE,
    CONFIG_SASL_PLAIN,
    CONFIG_SASL_SCRAM_SHA_256,
    CONFIG_SASL_SCRAM_SHA_512,
    CONFIG_SASL_OAUTHBEARER
} config_sasl;

typedef enum config_log_level { CONFIG_LOG_ERROR, CONFIG_LOG_WARN, CONFIG_LOG_INFO, CONFIG_LOG_DEBUG } config_log_level;

typedef struct config {
    arena memory;
    const char *path;   /* of the file */
    const char *folder; /* that relative paths in it start from; "." when the path has none */

    const char *issuer;
    const char *data_dir;
    const char *policy; /* path; NULL: none */
    struct {
        const char *bootstrap_servers; /* NULL when embedded */
        bool embedded;
        const char *embedded_port_file; /* NULL: nowhere */
        bool tls;
        const char *tls_ca, *tls_certificate, *tls_key; /* paths; NULL: the system's, none */
        const char *tls_key_password;                   /* secret */
        config_sasl sasl;
        const char *username, *password; /* secret */
        const char *oauth_token_url, *oauth_client_id, *oauth_scope, *oauth_ca;
        const char *oauth_client_secret; /* secret */
        config_properties rdkafka;
    } kafka;
    struct {
        const char *revocations;
        const char *watches;
        const char *dead_letter;
        const char *checkpoints;
    } topics;
    struct {
        config_format format;
        int64_t heartbeat_us;
        config_list registry;      /* base URLs; empty unless format is avro */
        const char *registry_auth; /* "user:password" or "Bearer token"; NULL: none. Secret */
        const char *registry_ca, *registry_certificate, *registry_key; /* paths; NULL: none */
    } revocations;
    struct {
        const char *unix_socket;                                         /* never NULL */
        const char *tcp;                                                 /* "host:port", NULL: no TCP */
        const char *tls_certificate, *tls_key, *tls_client_ca, *tls_crl; /* paths; NULL: none */
    } http;
    config_list entities;   /* paths, globs expanded, in the order given and sorted within a glob */
    config_list connectors; /* likewise */
    const char *compliance; /* path, NULL: no rules */
    struct {
        uint32_t batch_inputs;
        int64_t batch_wait_us;
    } engine;
    struct {
        uint32_t records;
    } queue;
    struct {
        int64_t horizon_us; /* 0: none is kept */
    } history;
    struct {
        int64_t max_staleness_us;
        config_list subject_types;
        const char *kinds; /* path; NULL: none */
    } check;
    struct {
        config_list restrict_; /* rules as text */
    } disclosure;
    struct {
        int64_t open_for_us, permit_for_us;
        const char *webhook, *webhook_ca, *webhook_audience; /* NULL: none; the system's; nobody in particular */
        int64_t webhook_keep_us;
        uint32_t webhook_keep_max;
    } decisions;
    struct {
        const char *key;    /* path; NULL: a file in data_dir, made when missing */
        const char *signer; /* path of a signer's socket; NULL: the key is here */
        config_algorithm algorithm;
        config_list published; /* paths of JWK Sets */
    } signing;
    struct {
        const char *key;    /* path; NULL: a file in data_dir, made when missing */
        const char *signer; /* path of a signer's socket; NULL: the key is here */
        const char *origin; /* NULL: from the issuer */
        const char *file;   /* path; NULL: beside data_dir */
        config_list former; /* verifier keys */
        int64_t interval_us, max_unsigned_us;
        uint32_t entries;
    } audit;
    struct {
        bool require_synchronised;
    } clock;
    struct {
        const char *folder; /* NULL: beside data_dir */
    } backup;
    struct {
        config_log_level level;
    } log;
} config;

/* Reads and validates a configuration file (or, for tests, `text` instead of it). The error is the first problem, with
 * its excerpt, and how many more there are. On failure *out needs no config_destroy. */
MANDATE_CHECK mandate_status config_load(config *out, const char *path, mandate_error *err);
MANDATE_CHECK mandate_status config_load_text(config *out, const char *path, const mandate_slice *text, mandate_error *err);
/* Every problem to `p`. *out always needs config_destroy, and on failure holds what could be read. */
MANDATE_CHECK mandate_status config_read(config *out, const char *path, const mandate_slice *text, problems *p);
void config_destroy(config *c);

/* The table for people: plain text for --help-config, Markdown for docs/configuration.md, JSON Schema for editors. */
void config_help(buf *b);
void config_help_markdown(buf *b);
/* mandated.yaml(5). */
void config_help_man(buf *b);
void config_schema_json(buf *b);
/* The configuration in effect, one "key: value" a line, secrets replaced by "(secret)". */
void config_print(buf *b, const config *c);

#endif

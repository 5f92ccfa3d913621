/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options - see options.h. Rows are in the order in which documentation shows them, keys of one section together.
 */
#include "connectors/config/options.h"

#include "engine/limits.h"

#define AT(field) offsetof(config, field)
#define SECOND 1000000LL
#define MINUTE (60 * SECOND)

static const char *const format_words[] = {"json", "avro", NULL};
static const char *const algorithm_words[] = {"EdDSA", "ES256", "RS256", NULL};
static const char *const sasl_words[] = {"none", "plain", "scram-sha-256", "scram-sha-512", "oauthbearer", NULL};
static const char *const level_words[] = {"error", "warn", "info", "debug", NULL};

/* clang-format off */
const option options[] = {
    {.key = "issuer", .type = OPTION_STRING, .offset = AT(issuer), .flags = OPTION_REQUIRED,
     .doc = "Who issues the mandates: a URI that stays the same for ever. It is part of every mandate and every "
            "transition id."},
    {.key = "data_dir", .type = OPTION_PATH, .offset = AT(data_dir), .flags = OPTION_REQUIRED,
     .doc = "Folder of the database. Created when missing; one daemon at a time."},
    {.key = "policy", .type = OPTION_PATH, .offset = AT(policy),
     .doc = "Policy file: who may do what (docs/policy.md). Without one, whoever can connect may do everything."},
    {.key = "entities", .type = OPTION_FILES, .offset = AT(entities),
     .doc = "Entity type files. A name may be a pattern such as entities/*.yaml."},
    {.key = "connectors", .type = OPTION_FILES, .offset = AT(connectors),
     .doc = "Connector files. A name may be a pattern such as connectors/*.yaml."},

    {.key = "compliance", .type = OPTION_PATH, .offset = AT(compliance),
     .doc = "Compliance rules that every mandate must satisfy: see definitions.md. Taken over by a reload."},

    {.key = "kafka.bootstrap_servers", .type = OPTION_STRING, .offset = AT(kafka.bootstrap_servers),
     .flags = OPTION_EXPAND, .doc = "host:port of one or more brokers, with commas. Required unless kafka.embedded."},
    {.key = "kafka.embedded", .type = OPTION_BOOL, .offset = AT(kafka.embedded), .fallback = "false",
     .doc = "Run a Kafka-protocol server inside the process. For demonstrations: it keeps little and forgets all at "
            "the end."},
    {.key = "kafka.embedded_port_file", .type = OPTION_PATH, .offset = AT(kafka.embedded_port_file),
     .doc = "Where the embedded server's host:port is written for other programs."},
    {.key = "kafka.tls", .type = OPTION_BOOL, .offset = AT(kafka.tls), .fallback = "false",
     .doc = "Speak TLS to the brokers. Their certificates and host names are verified."},
    {.key = "kafka.tls_ca", .type = OPTION_PATH, .offset = AT(kafka.tls_ca),
     .doc = "Certificates to trust, PEM. Default: the system's."},
    {.key = "kafka.tls_certificate", .type = OPTION_PATH, .offset = AT(kafka.tls_certificate),
     .doc = "Our own certificate, PEM, where brokers ask for one (mutual TLS)."},
    {.key = "kafka.tls_key", .type = OPTION_PATH, .offset = AT(kafka.tls_key),
     .doc = "Private key of kafka.tls_certificate, PEM."},
    {.key = "kafka.tls_key_password", .type = OPTION_STRING, .offset = AT(kafka.tls_key_password),
     .flags = OPTION_SECRET, .doc = "Of kafka.tls_key, when it is encrypted."},
    {.key = "kafka.sasl", .type = OPTION_WORD, .offset = AT(kafka.sasl), .fallback = "none", .words = sasl_words,
     .doc = "How to log in to the brokers. Kerberos: by kafka.rdkafka."},
    {.key = "kafka.username", .type = OPTION_STRING, .offset = AT(kafka.username), .flags = OPTION_EXPAND,
     .doc = "For kafka.sasl plain and scram-*."},
    {.key = "kafka.password", .type = OPTION_STRING, .offset = AT(kafka.password), .flags = OPTION_SECRET,
     .doc = "For kafka.sasl plain and scram-*."},
    {.key = "kafka.oauth_token_url", .type = OPTION_STRING, .offset = AT(kafka.oauth_token_url),
     .doc = "Token endpoint for kafka.sasl oauthbearer (OAuth 2.0 client credentials), https."},
    {.key = "kafka.oauth_client_id", .type = OPTION_STRING, .offset = AT(kafka.oauth_client_id), .flags = OPTION_EXPAND,
     .doc = "Who we are to the token endpoint."},
    {.key = "kafka.oauth_client_secret", .type = OPTION_STRING, .offset = AT(kafka.oauth_client_secret),
     .flags = OPTION_SECRET, .doc = "Secret of that client."},
    {.key = "kafka.oauth_scope", .type = OPTION_STRING, .offset = AT(kafka.oauth_scope),
     .doc = "Scope to ask for, when the token endpoint wants one."},
    {.key = "kafka.oauth_ca", .type = OPTION_PATH, .offset = AT(kafka.oauth_ca),
     .doc = "Certificates to trust for the token endpoint, PEM. Default: the system's."},
    {.key = "kafka.rdkafka", .type = OPTION_PROPERTIES, .offset = AT(kafka.rdkafka), .flags = OPTION_EXPAND,
     .doc = "librdkafka properties for every client, passed through, and stronger than the keys above."},

    {.key = "topics.revocations", .type = OPTION_STRING, .offset = AT(topics.revocations),
     .fallback = "mandate.revocations", .doc = "Topic that transitions and heartbeats are published on."},
    {.key = "topics.watches", .type = OPTION_STRING, .offset = AT(topics.watches), .fallback = "mandate.watches",
     .doc = "Topic that flips of watches and heartbeats are published on."},
    {.key = "topics.dead_letter", .type = OPTION_STRING, .offset = AT(topics.dead_letter),
     .fallback = "mandate.dead-letter", .doc = "Topic for records that could not be decoded or mapped."},

    {.key = "topics.checkpoints", .type = OPTION_STRING, .offset = AT(topics.checkpoints),
     .fallback = "mandate.checkpoints", .doc = "Topic that signed checkpoints of the audit log are published on."},

    {.key = "revocations.format", .type = OPTION_WORD, .offset = AT(revocations.format), .fallback = "json",
     .words = format_words, .doc = "Value format of the revocation topic. avro needs revocations.registry."},
    {.key = "revocations.heartbeat", .type = OPTION_DURATION, .offset = AT(revocations.heartbeat_us), .fallback = "5s",
     .min = SECOND / 10, .max = 60 * MINUTE,
     .doc = "How often each partition of the topic is told that it is complete. Consumers trust silence for a few of "
            "these."},
    {.key = "revocations.registry", .type = OPTION_STRINGS, .offset = AT(revocations.registry),
     .doc = "Base URLs of the schema registry where the published schemas are registered."},
    {.key = "revocations.registry_auth", .type = OPTION_STRING, .offset = AT(revocations.registry_auth),
     .flags = OPTION_SECRET, .doc = "user:password, or Bearer and a token."},
    {.key = "revocations.registry_ca", .type = OPTION_PATH, .offset = AT(revocations.registry_ca),
     .doc = "Certificates to trust for the registry, PEM. Default: the system's."},
    {.key = "revocations.registry_certificate", .type = OPTION_PATH, .offset = AT(revocations.registry_certificate),
     .doc = "Our own certificate for the registry, PEM (mutual TLS)."},
    {.key = "revocations.registry_key", .type = OPTION_PATH, .offset = AT(revocations.registry_key),
     .doc = "Private key of revocations.registry_certificate, PEM."},

    {.key = "http.unix_socket", .type = OPTION_PATH, .offset = AT(http.unix_socket),
     .doc = "Socket of the API. Default: mandated.sock in data_dir."},
    {.key = "http.tcp", .type = OPTION_STRING, .offset = AT(http.tcp),
     .doc = "host:port to serve the API on as well. Loopback only, unless http.tls_certificate and a policy are given: without "
            "them callers are not authenticated there. Port 0: a free one, named in the log."},
    {.key = "http.tls_certificate", .type = OPTION_PATH, .offset = AT(http.tls_certificate),
     .doc = "Speak TLS on http.tcp, with this certificate (and those between it and its authority), PEM."},
    {.key = "http.tls_key", .type = OPTION_PATH, .offset = AT(http.tls_key),
     .doc = "Private key of http.tls_certificate, PEM, readable by its owner only."},
    {.key = "http.tls_client_ca", .type = OPTION_PATH, .offset = AT(http.tls_client_ca),
     .doc = "Who signs the certificates of clients, PEM. Default: no certificate is asked for, and callers need a token."},
    {.key = "http.tls_crl", .type = OPTION_PATH, .offset = AT(http.tls_crl),
     .doc = "Lists of revoked certificates (CRL, PEM) of those in http.tls_client_ca. With it a client is believed only while a "
            "valid list of its certificate's issuer does not name it. Read anew by a reload."},

    {.key = "engine.batch_inputs", .type = OPTION_COUNT, .offset = AT(engine.batch_inputs), .fallback = "4096",
     .min = 1, .max = LIMIT_BATCH_INPUTS, .doc = "Most inputs of one step and one commit."},
    {.key = "engine.batch_wait", .type = OPTION_DURATION, .offset = AT(engine.batch_wait_us), .fallback = "0s",
     .min = 0, .max = SECOND,
     .doc = "How long a step waits for more inputs before it runs. Under load batches fill by themselves."},
    {.key = "queue.records", .type = OPTION_COUNT, .offset = AT(queue.records), .fallback = "65536", .min = 64,
     .max = 1 << 22, .doc = "Mapped records that may wait for the engine before the connectors are held back."},

    {.key = "history.horizon", .type = OPTION_DURATION, .offset = AT(history.horizon_us), .fallback = "168h",
     .min = 0, .max = 10000 * 60 * MINUTE,
     .doc = "How far back entities and mandates can be asked for as of a step or a time. The journal is kept as long, and so are "
            "transitions that later ones replaced. 0s: not at all."},

    {.key = "check.max_staleness", .type = OPTION_DURATION, .offset = AT(check.max_staleness_us), .fallback = "5s",
     .min = SECOND / 10, .max = 60 * MINUTE,
     .doc = "A check is refused as stale when the engine has neither committed nor ticked for longer."},
    {.key = "check.kinds", .type = OPTION_PATH, .offset = AT(check.kinds),
     .doc = "File of rules: which actions are checked synchronously, and how fresh the answer must be (docs/checks.md). "
            "Taken over by a reload."},
    {.key = "check.subject_types", .type = OPTION_STRINGS, .offset = AT(check.subject_types),
     .doc = "AuthZEN subject types that agents are of, for searches. Default: agent."},
    {.key = "disclosure.restrict", .type = OPTION_STRINGS, .offset = AT(disclosure.restrict_),
     .doc = "What mandates restrict that are issued or delegated without `disclosure`: PATH or PATH=AUDIENCE,... (docs/mandates.md)."},
    {.key = "decisions.open_for", .type = OPTION_DURATION, .offset = AT(decisions.open_for_us), .fallback = "1h",
     .min = SECOND, .max = LIMIT_DECISION_DAYS * 24 * 60 * MINUTE,
     .doc = "How long a question to a human stays open. Nobody answered: it was no."},
    {.key = "decisions.permit_for", .type = OPTION_DURATION, .offset = AT(decisions.permit_for_us), .fallback = "15m",
     .min = SECOND, .max = LIMIT_DECISION_DAYS * 24 * 60 * MINUTE,
     .doc = "How long a permit holds, where whoever gives it says nothing shorter."},
    {.key = "decisions.webhook", .type = OPTION_STRING, .offset = AT(decisions.webhook),
     .doc = "https URL that every decision is posted to when it is opened, answered or lapses (docs/checks.md)."},
    {.key = "decisions.webhook_ca", .type = OPTION_PATH, .offset = AT(decisions.webhook_ca),
     .doc = "Certificates to trust for the webhook, PEM. Default: the system's."},
    {.key = "decisions.webhook_audience", .type = OPTION_STRING, .offset = AT(decisions.webhook_audience),
     .doc = "As which audience its receiver sees what mandates restrict. Default: as none, all of that is left out."},
    {.key = "decisions.webhook_keep", .type = OPTION_DURATION, .offset = AT(decisions.webhook_keep_us), .fallback = "24h",
     .min = SECOND, .max = LIMIT_DECISION_DAYS * 24 * 60 * MINUTE,
     .doc = "How long a notice is kept for a receiver that takes none. What is dropped is in the audit log (`notice_dropped`)."},
    {.key = "decisions.webhook_keep_max", .type = OPTION_COUNT, .offset = AT(decisions.webhook_keep_max), .fallback = "10000",
     .min = 1, .max = 1000000,
     .doc = "How many notices are kept for a receiver that takes none; of more the oldest are dropped."},
    {.key = "signing.key", .type = OPTION_PATH, .offset = AT(signing.key),
     .doc = "Private key that signs mandates: PEM, readable by its owner only. Default: signing-key.pem in data_dir, made at "
            "the first start."},
    {.key = "signing.signer", .type = OPTION_PATH, .offset = AT(signing.signer),
     .doc = "Socket of a mandate-signer that holds the key instead of this process. While it is away nothing is issued, and "
            "checks go on."},
    {.key = "signing.algorithm", .type = OPTION_WORD, .offset = AT(signing.algorithm), .fallback = "EdDSA",
     .words = algorithm_words, .doc = "What a key is made for when one is made. A key that exists says itself what it does."},
    {.key = "signing.published", .type = OPTION_FILES, .offset = AT(signing.published),
     .doc = "JWK Set files to publish beside it: the next key ahead of its use, the last one until what it signed has "
            "expired."},
    {.key = "audit.key", .type = OPTION_PATH, .offset = AT(audit.key),
     .doc = "Private Ed25519 key that signs checkpoints of the audit log: PEM, readable by its owner only. Default: audit-key.pem "
            "in data_dir, made at the first start. Never the key of signing.key: one key, one purpose."},
    {.key = "audit.signer", .type = OPTION_PATH, .offset = AT(audit.signer),
     .doc = "Socket of a mandate-signer (--audit-key) that holds that key instead of this process. While it is away for longer than "
            "audit.max_unsigned nothing is granted."},
    {.key = "audit.origin", .type = OPTION_STRING, .offset = AT(audit.origin),
     .doc = "Name of the log in its checkpoints; it stays the same for ever. Default: issuer without its scheme, and /audit."},
    {.key = "audit.file", .type = OPTION_PATH, .offset = AT(audit.file),
     .doc = "Where the last checkpoint is kept, outside the database: a database that is older than it is refused. Default: "
            "data_dir with .checkpoint after it."},
    {.key = "audit.former_keys", .type = OPTION_STRINGS, .offset = AT(audit.former),
     .doc = "Verifier keys whose signature on the last checkpoint is accepted as well: after audit.key was replaced."},
    {.key = "audit.interval", .type = OPTION_DURATION, .offset = AT(audit.interval_us), .fallback = "1s",
     .min = SECOND / 100, .max = 60 * MINUTE, .doc = "A checkpoint is signed this long after an entry at the latest."},
    {.key = "audit.entries", .type = OPTION_COUNT, .offset = AT(audit.entries), .fallback = "10000", .min = 1,
     .max = 1 << 24, .doc = "And when so many entries have none yet."},
    {.key = "audit.max_unsigned", .type = OPTION_DURATION, .offset = AT(audit.max_unsigned_us), .fallback = "30s",
     .min = SECOND, .max = 60 * MINUTE,
     .doc = "When entries have been without a checkpoint for longer, nothing is granted: no mandate is issued, no check permits."},
    {.key = "clock.require_synchronised", .type = OPTION_BOOL, .offset = AT(clock.require_synchronised), .fallback = "false",
     .doc = "While the kernel does not hold the clock to be synchronised (adjtimex), or does not say, nothing is granted: no mandate is "
            "issued, no check permits."},
    {.key = "backup.folder", .type = OPTION_PATH, .offset = AT(backup.folder),
     .doc = "Where `mandatectl backup` has copies made. Default: data_dir with .backups after it. On the same file system as data_dir a "
            "copy costs little."},
    {.key = "log.level", .type = OPTION_WORD, .offset = AT(log.level), .fallback = "info", .words = level_words,
     .doc = "Least important messages that are logged."},
};
/* clang-format on */

const size_t option_count = sizeof(options) / sizeof(*options);

const char *option_type_name(option_type type)
{
    static const char *const names[] = {
        [OPTION_STRING] = "string",          [OPTION_PATH] = "path", [OPTION_FILES] = "file or list of files",
        [OPTION_STRINGS] = "string or list", [OPTION_BOOL] = "bool", [OPTION_COUNT] = "number",
        [OPTION_DURATION] = "duration",      [OPTION_WORD] = "word", [OPTION_PROPERTIES] = "map of strings",
    };
    _Static_assert(sizeof(names) / sizeof(*names) == OPTION_TYPE_COUNT, "every type has a name");
    return names[type];
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keys - which keys the operator's connector and entity type files may have, and what each means.
 *
 * One table a map. Files are checked against them; schemas/connector.schema.json and schemas/entities.schema.json are
 * compared with them by a test.
 */
#include "connectors/mapping/connector_int.h"

#define TABLE(name, text, ...)                           \
    static const yaml_key name##_list[] = {__VA_ARGS__}; \
    const key_table name = {text, name##_list, sizeof(name##_list) / sizeof(*name##_list)}

TABLE(connector_file_keys, "the connector file",
      {"connector", "string", true, "name of this source: in provenance, metrics and errors; unique"},
      {"topics", "string or list of strings", true, "Kafka topics to read"},
      {"decode", "map", true, "how bytes become values"},
      {"envelope", "string", false, "what wraps the data: raw, debezium, cloudevents, ...; also under decode"},
      {"types", "map", false, "entity types declared here, as in an entity type file"},
      {"when", "expression", false, "bool; false: the record is skipped"},
      {"each", "expression", false, "list; the entities are mapped once for each element, which is `item`"},
      {"entities", "list of maps", true, "what a record says about which entities"},
      {"event_time", "expression", false, "timestamp, or number since 1970; an older record never overwrites a newer one"},
      {"version", "expression", false,
       "number that only grows; a record with a lower one never overwrites. Decides where event_time is given as well"},
      {"max_silence", "duration", false, "longer without a sign of life and all that this connector told reads as unknown"},
      {"heartbeat", "string", false,
       "topic of heartbeat records; then only records, of it or of the topics, are a sign of life, and only while they are "
       "new"},
      {"on_error", "quarantine, halt or fail_closed", false,
       "after a record that cannot be mapped: go on, stop, or go on with everything unknown until cleared (default)"},
      {"rdkafka", "map of strings", false, "librdkafka properties, passed through; ${NAME} and file: for secrets"});

TABLE(decode_keys, "decode", {"format", "json, avro, string or bytes", true, "of the value"},
      {"key_format", "json, avro, string, bytes or none", false,
       "of the key; default: avro with avro, else json; none when no expression reads `key`"},
      {"registry", "string or list of strings", false, "base URLs of a Confluent-compatible schema registry"},
      {"registry_auth", "secret", false, "user:password, or Bearer and a token; ${NAME} or file:path"},
      {"registry_ca", "path", false, "certificates to trust for the registry"},
      {"registry_certificate", "path", false, "client certificate for the registry (mutual TLS)"},
      {"registry_key", "path", false, "private key of registry_certificate"},
      {"registry_key_password", "secret", false, "of registry_key; ${NAME} or file:path"},
      {"schema", "path", false, "Avro schema of the value, relative to this file"},
      {"key_schema", "path", false, "Avro schema of the key, relative to this file"},
      {"envelope", "string", false, "what wraps the data: raw, debezium, cloudevents, ..."},
      {"framing", "auto, confluent, confluent-prefix, single-object or none", false, "what stands before Avro data"});

TABLE(entity_keys, "an entity", {"type", "string", true, "entity type, such as crm.conversation"},
      {"id", "expression", true, "string or integer"},
      {"when", "expression", false, "bool; false: this record says nothing about this entity"},
      {"attributes", "map of expressions", false, "value of each attribute"},
      {"references", "map of maps", false, "{type, id} of each entity referred to"},
      {"delete", "expression", false, "bool; true: the entity is known not to exist any more"},
      {"forget", "expression or list of strings", false,
       "true: everything about it is unknown; names: these attributes are"},
      {"tombstone", "delete or ignore", false, "what a null value means; delete needs an id computed from the key"});

TABLE(reference_keys, "a reference", {"type", "string", true, "entity type referred to"},
      {"id", "expression", true, "string, integer, or null for none"},
      {"inverse", "string", false, "attribute of the other type that lists who refers to it"});

TABLE(types_file_keys, "the entity type file", {"types", "map of maps", true, "entity types by name"});

TABLE(type_keys, "an entity type",
      {"attributes", "map of strings or maps", false,
       "type of each attribute: string, int, timestamp, list(string), ...; or {type, max_items, max_text, values}"},
      {"references", "map of maps", false, "{type, inverse} of each reference"});

TABLE(type_attribute_keys, "an attribute", {"type", "string", true, "string, int, timestamp, list(string), ..."},
      {"max_items", "number", false, "elements of a list or map at most; a record with more fails"},
      {"max_text", "number", false, "bytes of a string at most, or of each string in it"},
      {"values", "list of strings", false, "all that a string may be; a record with another fails"},
      {"manual", "bool", false, "people whom the policy lets may assert it (POST /v1/events)"});

TABLE(type_reference_keys, "a reference", {"type", "string", true, "entity type referred to"},
      {"inverse", "string", false, "attribute of the other type that lists who refers to it"});

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load - a connector file read into a connector: topics, decoding, policies. Entities are load_entity.c.
 *
 * Goes on after a problem, so that all of them are reported; a connector comes out only when there was none.
 */
#include "connectors/mapping/load.h"

#include <stdlib.h>

#include "connectors/config/scalar.h"
#include "engine/base/hash.h"
#include "engine/base/text.h"
#include "engine/limits.h"

/* --- small values -------------------------------------------------------------------------------------------- */

const char *load_text(loader *l, const yaml_node *n, const char *what)
{
    char got[64];
    if (n->kind != YAML_SCALAR || n->text.len == 0 || yaml_is_null(n)) {
        yaml_problem(l->p, l->doc, n, "%s must be a text, not %s", what, yaml_describe(got, sizeof(got), n));
        return NULL;
    }
    return n->text.ptr; /* lives as long as the document, and so as the connector */
}

/* What the file names was read: another content of it is another connector. */
static void note_named(loader *l, mandate_slice content) { l->c->named = hash_u64(l->c->named ^ hash_slice(content)); }

/* A file that others open by its path. That it cannot be read is theirs to say. */
static void note_file(loader *l, const char *path)
{
    mandate_error ignored;
    buf content;
    buf_init(&content);
    if (path && file_read(&content, path, LIMIT_AVRO_SCHEMA, &ignored) == MANDATE_OK)
        note_named(l, buf_slice(&content));
    buf_deinit(&content);
}

static const char *load_secret(loader *l, const yaml_node *n)
{
    const char *secret = yaml_expand(&l->c->memory, l->p, l->doc, n, l->c->folder);
    if (secret)
        note_named(l, mandate_slice_str(secret));
    return secret;
}

/* The path of a file beside the connector file. */
static const char *load_path(loader *l, const yaml_node *n, const char *what)
{
    const char *path = n && load_text(l, n, what) ? path_join(&l->c->memory, l->c->folder, n->text) : NULL;
    note_file(l, path);
    return path;
}

/* A text or a list of texts. */
static const char **load_texts(loader *l, uint32_t *count, const yaml_node *n, const char *what)
{
    uint32_t size = n->kind == YAML_LIST ? n->count : 1;
    const char **out = ARENA_ARRAY(&l->c->memory, const char *, size ? size : 1);
    *count = 0;
    if (!out)
        return NULL;
    if (size == 0)
        yaml_problem(l->p, l->doc, n, "%s must not be an empty list", what);
    for (uint32_t i = 0; i < size; i++) {
        out[*count] = load_text(l, n->kind == YAML_LIST ? n->items[i] : n, what);
        if (out[*count])
            (*count)++;
    }
    return out;
}

/* One of several words; the index, or -1 after reporting. */
static int load_word(loader *l, const yaml_node *n, const char *what, const char *const *words, size_t count)
{
    const char *text = load_text(l, n, what);
    if (!text)
        return -1;
    for (size_t i = 0; i < count; i++)
        if (strcmp(text, words[i]) == 0)
            return (int)i;
    const char *near = nearest_name(n->text, words, count);
    char known[256];
    size_t used = 0;
    known[0] = '\0';
    for (size_t i = 0; i < count && used < sizeof(known); i++)
        used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", i ? ", " : "", words[i]);
    if (near)
        yaml_problem(l->p, l->doc, n, "%s '%s' is not known: did you mean '%s'?", what, text, near);
    else
        yaml_problem(l->p, l->doc, n, "%s '%s' is not known: it may be %s", what, text, known);
    return -1;
}

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

/* --- identity ---------------------------------------------------------------------------------------------------- */

static void load_identity(loader *l)
{
    const yaml_node *name = yaml_get(l->doc->root, "connector"), *topics = yaml_get(l->doc->root, "topics");
    mandate_error err = {0};
    mandate_status status;
    uint16_t index;
    if (name && (l->c->name = load_text(l, name, "the connector's name"))) {
        uint16_t before = schema_source_count(l->s);
        status = schema_declare_source(&index, l->s, name->text, &err);
        if (status)
            problem_add(l->p, &l->doc->source, status, name->line, name->column, "%s", err.text);
        else
            l->source = index;
        if (!status && index < before)
            yaml_problem(l->p, l->doc, name,
                         "another connector is already called '%s': a name says where a value comes "
                         "from, so it must be unique",
                         l->c->name);
    }
    if (!topics)
        return;
    l->c->topics = load_texts(l, &l->c->topic_count, topics, "a topic");
    for (uint32_t i = 0; l->c->topics && i < l->c->topic_count; i++) {
        const yaml_node *at = topics->kind == YAML_LIST && i < topics->count ? topics->items[i] : topics;
        status = schema_declare_topic(&index, l->s, mandate_slice_str(l->c->topics[i]), &err);
        if (status)
            problem_add(l->p, &l->doc->source, status, at->line, at->column, "%s", err.text);
        for (uint32_t j = 0; j < i; j++)
            if (strcmp(l->c->topics[i], l->c->topics[j]) == 0)
                yaml_problem(l->p, l->doc, at, "topic '%s' is listed twice", l->c->topics[i]);
    }
}

static void load_heartbeat(loader *l)
{
    const yaml_node *n = yaml_get(l->doc->root, "heartbeat");
    const char **topics = NULL;
    mandate_error err = {0};
    uint16_t index;
    if (!n || !(l->c->heartbeat = load_text(l, n, "heartbeat")) || !l->c->topics)
        return;
    for (uint32_t i = 0; i < l->c->topic_count; i++)
        if (strcmp(l->c->topics[i], l->c->heartbeat) == 0)
            yaml_problem(l->p, l->doc, n, "topic '%s' is among the topics: its records prove life anyway", l->c->heartbeat);
    mandate_status status = schema_declare_topic(&index, l->s, n->text, &err);
    if (status)
        problem_add(l->p, &l->doc->source, status, n->line, n->column, "%s", err.text);
    topics = ARENA_ARRAY(&l->c->memory, const char *, l->c->topic_count + 1);
    if (!topics)
        return; /* the arena remembers */
    memcpy(topics, l->c->topics, l->c->topic_count * sizeof(*topics));
    topics[l->c->topic_count++] = l->c->heartbeat;
    l->c->topics = topics;
}

/* --- decoding ------------------------------------------------------------------------------------------------------ */

static void load_envelope(loader *l, const yaml_node *decode)
{
    const yaml_node *outer = yaml_get(l->doc->root, "envelope"), *inner = yaml_get(decode, "envelope");
    uint32_t count = 0;
    const envelope *const *all = envelope_all(&count);
    const char *names[32];
    if (outer && inner) {
        yaml_problem(l->p, l->doc, inner, "envelope is given twice, here and on line %u", outer->line);
        return;
    }
    l->c->envelope = envelope_find(mandate_slice_str("raw"));
    const yaml_node *n = outer ? outer : inner;
    if (!n)
        return;
    for (uint32_t i = 0; i < count && i < COUNT(names); i++)
        names[i] = all[i]->name;
    int which = load_word(l, n, "envelope", names, count < COUNT(names) ? count : COUNT(names));
    if (which >= 0)
        l->c->envelope = all[which];
}

static avro_plan *load_schema(loader *l, const yaml_node *n, const char *path)
{
    mandate_error err = {0};
    avro_plan *plan = NULL;
    buf file;
    buf_init(&file);
    mandate_status status = file_read(&file, path, LIMIT_AVRO_SCHEMA, &err);
    if (!status)
        status = avro_plan_create(&plan, buf_slice(&file), NULL, 0, &err);
    if (!status)
        note_named(l, buf_slice(&file));
    if (status && n)
        problem_add(l->p, &l->doc->source, status, n->line, n->column, "Avro schema '%s': %s", path, err.text);
    else if (status)
        problem_add(l->p, &l->doc->source, status, 0, 0, "Avro schema '%s': %s", path, err.text);
    buf_deinit(&file);
    return plan;
}

static void load_schemas(loader *l, const yaml_node *decode)
{
    const yaml_node *value = yaml_get(decode, "schema"), *key = yaml_get(decode, "key_schema");
    const char *path = l->options->schema_file;
    if (path) {
        l->c->value_plan = load_schema(l, NULL, path);
    } else if (value && load_text(l, value, "schema")) {
        path = path_join(&l->c->memory, l->c->folder, value->text);
        if (path)
            l->c->value_plan = load_schema(l, value, path);
    }
    if (key && load_text(l, key, "key_schema")) {
        path = path_join(&l->c->memory, l->c->folder, key->text);
        if (path)
            l->c->key_plan = load_schema(l, key, path);
    }
    l->c->decode.value_schema = l->c->value_plan;
    l->c->decode.key_schema = l->c->key_plan;
}

static void load_registry(loader *l, const yaml_node *decode)
{
    const yaml_node *urls = yaml_get(decode, "registry"), *auth = yaml_get(decode, "registry_auth");
    const yaml_node *ca = yaml_get(decode, "registry_ca"), *password = yaml_get(decode, "registry_key_password");
    const yaml_node *certificate = yaml_get(decode, "registry_certificate"), *key = yaml_get(decode, "registry_key");
    registry_options o = {.cache = l->options->cache};
    mandate_error err = {0};
    if (!urls) {
        const yaml_node *odd = auth ? auth : ca ? ca : certificate ? certificate : key ? key : password;
        if (odd)
            yaml_problem(l->p, l->doc, odd, "there is no registry that this could be for");
        return;
    }
    o.urls = load_texts(l, &o.url_count, urls, "registry");
    for (uint32_t i = 0; o.urls && i < o.url_count; i++)
        if (strncmp(o.urls[i], "http://", 7) != 0 && strncmp(o.urls[i], "https://", 8) != 0)
            yaml_problem(l->p, l->doc, urls, "registry '%s' must start with http:// or https://", o.urls[i]);
    if (auth && !l->options->offline) {
        const char *secret = load_secret(l, auth);
        if (secret && strncmp(secret, "Bearer ", 7) == 0)
            o.bearer = secret + 7;
        else if (secret && strchr(secret, ':'))
            o.basic_auth = secret;
        else if (secret)
            yaml_problem(l->p, l->doc, auth, "registry_auth must be user:password, or Bearer and a token");
    }
    o.ca_file = load_path(l, ca, "registry_ca");
    o.certificate_file = load_path(l, certificate, "registry_certificate");
    o.key_file = load_path(l, key, "registry_key");
    if ((certificate != NULL) != (key != NULL))
        yaml_problem(l->p, l->doc, certificate ? certificate : key,
                     "mutual TLS needs both, registry_certificate and registry_key");
    if (password && !l->options->offline)
        o.key_password = load_secret(l, password);
    if (l->options->offline) {
        /* A tool takes the registry's prefix off itself, and the given schema stands for the registry's. */
        l->c->registry_named = true;
        if (l->c->value_plan && l->c->decode.framing == FRAMING_CONFLUENT)
            l->c->decode.framing = FRAMING_AUTO;
        return;
    }
    if (l->p->count != l->before)
        return;
    if (registry_create(&l->c->registry, &o, &err))
        yaml_problem(l->p, l->doc, urls, "%s", err.text);
    l->c->decode.schemas = l->c->registry;
}

static const char *const format_names[] = {"json", "avro", "string", "bytes", "none"};
static const decode_format formats[] = {DECODE_JSON, DECODE_AVRO, DECODE_STRING, DECODE_BYTES, DECODE_NONE};
enum { FRAMING_NAMES = 5, PREFIX_ONLY = 2 };
static const char *const framing_names[FRAMING_NAMES] = {"auto", "confluent", "confluent-prefix", "single-object", "none"};
static const decode_framing framings[FRAMING_NAMES] = {FRAMING_AUTO, FRAMING_CONFLUENT, FRAMING_CONFLUENT,
                                                       FRAMING_SINGLE_OBJECT, FRAMING_NONE};

/* Said here and not by the first record. */
static void check_avro(loader *l, const yaml_node *decode)
{
    const yaml_node *format = yaml_get(decode, "format"), *framing = yaml_get(decode, "framing");
    bool registry_given = yaml_get(decode, "registry") != NULL;
    bool file = yaml_get(decode, "schema") || l->options->schema_file;
    decode_framing f = l->c->decode.framing;
    if (!format || l->c->decode.value_format != DECODE_AVRO)
        return;
    if (!registry_given && !file)
        yaml_problem(l->p, l->doc, format, "Avro needs a schema: give decode.registry, or decode.schema with a file");
    else if (framing && f == FRAMING_CONFLUENT && !registry_given)
        yaml_problem(l->p, l->doc, framing, "this framing names schemas by id: it needs decode.registry");
    else if (framing && (f == FRAMING_SINGLE_OBJECT || f == FRAMING_NONE) && !file)
        yaml_problem(l->p, l->doc, framing, "this framing needs decode.schema with a file");
}

static void load_decode(loader *l, const yaml_node *decode)
{
    int which;
    const yaml_node *n;
    if (!yaml_check_keys(l->p, l->doc, decode, decode_keys.what, decode_keys.keys, decode_keys.count))
        return;
    load_envelope(l, decode);
    if ((n = yaml_get(decode, "format")) && (which = load_word(l, n, "format", format_names, 4)) >= 0)
        l->c->decode.value_format = formats[which];
    l->key_format_given = false;
    if ((n = yaml_get(decode, "key_format")) && (which = load_word(l, n, "key_format", format_names, 5)) >= 0) {
        l->c->decode.key_format = formats[which];
        l->key_format_given = true;
    }
    if ((n = yaml_get(decode, "framing")) && (which = load_word(l, n, "framing", framing_names, FRAMING_NAMES)) >= 0) {
        l->c->decode.framing = framings[which];
        l->c->decode.prefix_only = which == PREFIX_ONLY;
    }
    load_schemas(l, decode);
    load_registry(l, decode);
    check_avro(l, decode);
}

/* The key is decoded only when somebody reads it, so that an odd key does not poison a record for nothing. */
static void settle_key_format(loader *l)
{
    connector *c = l->c;
    if (l->key_format_given)
        return;
    if (!(c->variables & VARIABLE_BIT(KEY)))
        c->decode.key_format = DECODE_NONE;
    else if (c->decode.value_format == DECODE_AVRO &&
             (c->key_plan || yaml_get(yaml_get(l->doc->root, "decode"), "registry")))
        c->decode.key_format = DECODE_AVRO;
    else
        c->decode.key_format = DECODE_JSON;
}

/* Only what expressions mention is built from the value, where the envelope knows where it stands. */
static void settle_projection(loader *l)
{
    connector *c = l->c;
    projection *value = projection_create(&c->memory);
    if (value && c->envelope && c->envelope->project && c->envelope->project(value, &c->memory, c->mentions))
        c->decode.value_projection = value;
}

/* --- policies ------------------------------------------------------------------------------------------------------ */

static void load_policies(loader *l)
{
    static const char *const words[] = {"quarantine", "halt", "fail_closed"};
    const yaml_node *n;
    int which;
    l->c->on_error = ON_ERROR_FAIL_CLOSED;
    if ((n = yaml_get(l->doc->root, "on_error")) && (which = load_word(l, n, "on_error", words, 3)) >= 0)
        l->c->on_error = (connector_on_error)which;
    n = yaml_get(l->doc->root, "max_silence");
    if (n && (!yaml_duration_us(n, &l->c->max_silence_us) || l->c->max_silence_us <= 0)) {
        char got[64];
        yaml_problem(l->p, l->doc, n, "max_silence must be a duration such as 15m or 1h30m, not %s",
                     yaml_describe(got, sizeof(got), n));
    }
}

static void load_properties(loader *l)
{
    const yaml_node *map = yaml_get(l->doc->root, "rdkafka");
    char got[64];
    if (!map || yaml_is_null(map))
        return;
    if (map->kind != YAML_MAP) {
        yaml_problem(l->p, l->doc, map, "rdkafka must be a map of librdkafka properties, not %s",
                     yaml_describe(got, sizeof(got), map));
        return;
    }
    l->c->properties = ARENA_ARRAY(&l->c->memory, connector_property, map->count ? map->count : 1);
    for (uint32_t i = 0; l->c->properties && i < map->count; i++) {
        mandate_slice name = map->entries[i].key->text;
        const char *value = load_secret(l, map->entries[i].value);
        if (value && name.len > 9 && memcmp(name.ptr + name.len - 9, ".location", 9) == 0)
            note_file(l, value); /* librdkafka opens it: ssl.ca.location and its like */
        if (value)
            l->c->properties[l->c->property_count++] =
                (connector_property){.name = map->entries[i].key->text.ptr, .value = value};
    }
}

/* --- the whole ------------------------------------------------------------------------------------------------------ */

static void load_file(loader *l)
{
    const yaml_node *root = l->doc->root, *n;
    if (!yaml_check_keys(l->p, l->doc, root, connector_file_keys.what, connector_file_keys.keys, connector_file_keys.count))
        return;
    load_identity(l);
    load_heartbeat(l);
    if ((n = yaml_get(root, "decode")))
        load_decode(l, n);
    if ((n = yaml_get(root, "types")))
        entity_types_declare(l->s, l->doc, n, l->p);
    load_policies(l);
    load_properties(l);
    typed_open(l);
    load_expression(l, &l->c->when, yaml_get(root, "when"), cel_type_simple(CEL_TYPE_BOOL));
    load_expression(l, &l->c->each, yaml_get(root, "each"), NULL);
    typed_item(l);
    load_expression(l, &l->c->event_time, yaml_get(root, "event_time"), NULL);
    load_expression(l, &l->c->version, yaml_get(root, "version"), NULL);
    if (EXPR_GIVEN(&l->c->each) && l->c->each.type->kind != CEL_TYPE_LIST && l->c->each.type->kind != CEL_TYPE_DYN)
        yaml_problem(l->p, l->doc, l->c->each.node, "each must be a list");
    if ((n = yaml_get(root, "entities")))
        load_entities(l, n);
    settle_key_format(l);
    settle_projection(l);
    bool given = l->c->envelope && (l->c->envelope->gives & VARIABLE_BIT(ITEM));
    if ((l->c->variables & VARIABLE_BIT(ITEM)) && !yaml_get(root, "each") && !given)
        yaml_problem(l->p, l->doc, root, "an expression reads 'item', but there is no 'each' that would give one");
    if (given && (n = yaml_get(root, "each")))
        yaml_problem(l->p, l->doc, n, "envelope %s gives 'item' itself: a record is mapped once for each of its entities",
                     l->c->envelope->name);
}

mandate_status connector_load_with(connector **out, schema *s, const char *path, const mandate_slice *text,
                                   const connector_load_options *options, problems *p)
{
    static const connector_load_options none = {0};
    loader l = {.source = SCHEMA_NONE, .s = s, .p = p, .before = p->count, .options = options ? options : &none};
    source_text where = {path, {0}};
    mandate_error err = {0};
    mandate_status status = MANDATE_OK;

    l.c = calloc(1, sizeof(*l.c));
    if (!l.c)
        return problem_add(p, &where, MANDATE_NOMEM, 0, 0, "no memory for the connector");
    arena_init(&l.c->memory, 0);
    l.c->source = SCHEMA_NONE;
    status = yaml_open(&l.c->doc, path, text, p);
    if (status)
        goto done;
    l.doc = l.c->doc;
    l.c->path = l.doc->source.path;
    l.c->folder = path_folder(&l.c->memory, path);
    status = expr_env_create(&l.c->env, &err);
    if (status || !l.c->folder) {
        status = problem_add(p, &where, status ? status : MANDATE_NOMEM, 0, 0, "%s", err.text);
        goto done;
    }
    load_file(&l);
    if (l.c->memory.failed)
        problem_add(p, &where, MANDATE_NOMEM, 0, 0, "no memory for the connector");
    if (p->count != l.before)
        status = MANDATE_INVALID;
done:
    typed_close(&l);
    if (status)
        connector_destroy(l.c);
    else
        *out = l.c;
    return status;
}

mandate_status connector_load(connector **out, schema *s, const char *path, const mandate_slice *text, registry_cache cache,
                              mandate_error *err)
{
    connector_load_options options = {.cache = cache};
    problems p;
    problems_init(&p);
    mandate_status status = connector_load_with(out, s, path, text, &options, &p);
    if (status)
        status = problems_result(&p, err);
    problems_deinit(&p);
    return status;
}

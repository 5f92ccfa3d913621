/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config, loading - the file against the table of options, then the rules that tie options together.
 *
 * Every problem is reported. A key that the table does not have is an error: a configuration that is silently ignored is
 * worse than one that does not start.
 */
#include "connectors/config/config.h"

#include <arpa/inet.h>
#include <assert.h>
#include <glob.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>

#include "connectors/config/options.h"
#include "connectors/config/scalar.h"
#include "engine/base/text.h"
#include "engine/base/vec.h"

enum { KEYS_MAX = 40 }; /* of one section */

typedef struct config_reader {
    config *c;
    yaml_doc *doc;
    problems *p;
} config_reader;

static void *field_of(config_reader *r, const option *o) { return (char *)r->c + o->offset; }

static const yaml_node *node_of(const config_reader *r, const char *key)
{
    const char *dot = strchr(key, '.');
    char section[64];
    if (!dot)
        return yaml_get(r->doc->root, key);
    assert((size_t)(dot - key) < sizeof(section));
    memcpy(section, key, (size_t)(dot - key));
    section[dot - key] = '\0';
    return yaml_get(yaml_get(r->doc->root, section), dot + 1);
}

/* --- values ------------------------------------------------------------------------------------------------------ */

static void wrong_type(config_reader *r, const option *o, const yaml_node *n)
{
    char got[64];
    source_text hidden = {r->doc->source.path, {0}};
    if (o->flags & OPTION_SECRET)
        problem_add(r->p, &hidden, MANDATE_INVALID, n->line, n->column, "%s must be a text", o->key);
    else
        yaml_problem(r->p, r->doc, n, "%s must be a %s, not %s", o->key, option_type_name(o->type),
                     yaml_describe(got, sizeof(got), n));
}

static const char *set_text(config_reader *r, const option *o, const yaml_node *n)
{
    if (n->kind != YAML_SCALAR || yaml_is_null(n) || n->text.len == 0) {
        wrong_type(r, o, n);
        return NULL;
    }
    if (o->flags & (OPTION_EXPAND | OPTION_SECRET))
        return yaml_expand(&r->c->memory, r->p, r->doc, n, r->c->folder);
    return o->type == OPTION_PATH || o->type == OPTION_FILES ? path_join(&r->c->memory, r->c->folder, n->text)
                                                             : arena_dup(&r->c->memory, n->text).ptr;
}

static bool add_text(config_reader *r, config_list *list, const char *text)
{
    for (uint32_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], text) == 0)
            return true; /* named, and matched by a pattern too */
    const char **grown = ARENA_ARRAY(&r->c->memory, const char *, list->count + 1);
    const char *copy = arena_dup(&r->c->memory, mandate_slice_str(text)).ptr;
    if (!grown || !copy)
        return false;
    if (list->count)
        memcpy(grown, list->items, list->count * sizeof(*grown));
    grown[list->count++] = copy;
    list->items = grown;
    return true;
}

static void add_files(config_reader *r, const option *o, config_list *list, const yaml_node *n)
{
    const char *pattern = set_text(r, o, n);
    glob_t found = {0};
    if (!pattern)
        return;
    if (!strpbrk(pattern, "*?[")) {
        if (!add_text(r, list, pattern))
            problem_add(r->p, &r->doc->source, MANDATE_NOMEM, 0, 0, "no memory for the configuration");
        return;
    }
    int code = glob(pattern, GLOB_ERR, NULL, &found); /* sorted, in the C locale that we never leave */
    if (code == GLOB_NOMATCH)
        yaml_problem(r->p, r->doc, n, "no file matches '%s'", pattern);
    else if (code)
        yaml_problem(r->p, r->doc, n, "the folder of '%s' cannot be read", pattern);
    for (size_t i = 0; !code && i < found.gl_pathc; i++)
        if (!add_text(r, list, found.gl_pathv[i]))
            problem_add(r->p, &r->doc->source, MANDATE_NOMEM, 0, 0, "no memory for the configuration");
    globfree(&found);
}

static void set_list(config_reader *r, const option *o, config_list *list, const yaml_node *n)
{
    uint32_t count = n->kind == YAML_LIST ? n->count : 1;
    for (uint32_t i = 0; i < count; i++) {
        const yaml_node *item = n->kind == YAML_LIST ? n->items[i] : n;
        const char *text;
        if (o->type == OPTION_FILES)
            add_files(r, o, list, item);
        else if ((text = set_text(r, o, item)) && !add_text(r, list, text))
            problem_add(r->p, &r->doc->source, MANDATE_NOMEM, 0, 0, "no memory for the configuration");
    }
}

static void set_count(config_reader *r, const option *o, const yaml_node *n)
{
    int64_t v;
    if (!yaml_int(n, &v))
        wrong_type(r, o, n);
    else if (v < o->min || v > o->max)
        yaml_problem(r->p, r->doc, n, "%s must be between %lld and %lld, not %lld", o->key, (long long)o->min,
                     (long long)o->max, (long long)v);
    else
        *(uint32_t *)field_of(r, o) = (uint32_t)v;
}

static void set_duration(config_reader *r, const option *o, const yaml_node *n)
{
    int64_t v;
    if (!yaml_duration_us(n, &v)) {
        char got[64];
        yaml_problem(r->p, r->doc, n, "%s must be a duration with a unit, such as 500ms or 5s or 1h30m, not %s", o->key,
                     yaml_describe(got, sizeof(got), n));
    } else if (v < o->min || v > o->max) {
        buf range;
        buf_init(&range);
        put_duration(&range, o->min);
        buf_put_str(&range, " and ");
        put_duration(&range, o->max);
        yaml_problem(r->p, r->doc, n, "%s must be between %s, not %.*s", o->key, buf_cstr(&range),
                     MANDATE_SLICE_ARG(n->text));
        buf_deinit(&range);
    } else {
        *(int64_t *)field_of(r, o) = v;
    }
}

static void set_word(config_reader *r, const option *o, const yaml_node *n)
{
    char known[128] = "";
    size_t used = 0, count = 0;
    for (; o->words[count]; count++) {
        if (n->kind == YAML_SCALAR && mandate_slice_is(n->text, o->words[count])) {
            int v = (int)count;
            memcpy(field_of(r, o), &v, sizeof(v)); /* an enum is as wide as an int */
            return;
        }
        if (used < sizeof(known))
            used += (size_t)snprintf(known + used, sizeof(known) - used, "%s%s", count ? ", " : "", o->words[count]);
    }
    char got[64];
    const char *near = n->kind == YAML_SCALAR ? nearest_name(n->text, o->words, count) : NULL;
    if (near)
        yaml_problem(r->p, r->doc, n, "%s may be %s, not %s: did you mean '%s'?", o->key, known,
                     yaml_describe(got, sizeof(got), n), near);
    else
        yaml_problem(r->p, r->doc, n, "%s may be %s, not %s", o->key, known, yaml_describe(got, sizeof(got), n));
}

static void set_properties(config_reader *r, const option *o, const yaml_node *n)
{
    config_properties *list = field_of(r, o);
    if (n->kind != YAML_MAP) {
        wrong_type(r, o, n);
        return;
    }
    list->items = ARENA_ARRAY(&r->c->memory, config_property, n->count ? n->count : 1);
    for (uint32_t i = 0; list->items && i < n->count; i++) {
        const char *value = yaml_expand(&r->c->memory, r->p, r->doc, n->entries[i].value, r->c->folder);
        const char *name = arena_dup(&r->c->memory, n->entries[i].key->text).ptr;
        if (value && name)
            list->items[list->count++] = (config_property){name, value};
    }
}

_Static_assert(sizeof(config_format) == sizeof(int) && sizeof(config_sasl) == sizeof(int) &&
                   sizeof(config_log_level) == sizeof(int),
               "set_word and config_print copy ints");

static void set_option(config_reader *r, const option *o, const yaml_node *n)
{
    switch (o->type) {
    case OPTION_STRING:
    case OPTION_PATH:
        *(const char **)field_of(r, o) = set_text(r, o, n);
        break;
    case OPTION_FILES:
    case OPTION_STRINGS:
        set_list(r, o, field_of(r, o), n);
        break;
    case OPTION_BOOL:
        if (!yaml_bool(n, field_of(r, o)))
            wrong_type(r, o, n);
        break;
    case OPTION_COUNT:
        set_count(r, o, n);
        break;
    case OPTION_DURATION:
        set_duration(r, o, n);
        break;
    case OPTION_WORD:
        set_word(r, o, n);
        break;
    case OPTION_PROPERTIES:
        set_properties(r, o, n);
        break;
    case OPTION_TYPE_COUNT:
        break;
    }
}

/* --- keys ---------------------------------------------------------------------------------------------------------- */

/* The keys directly below `section` ("" for the file), each once. */
static size_t section_keys(yaml_key *out, char names[][64], size_t max, const char *section)
{
    size_t count = 0, prefix = strlen(section);
    for (size_t i = 0; i < option_count; i++) {
        const char *key = options[i].key;
        if (prefix && (strncmp(key, section, prefix) != 0 || key[prefix] != '.'))
            continue;
        const char *name = prefix ? key + prefix + 1 : key;
        size_t len = strcspn(name, ".");
        if (count && strncmp(names[count - 1], name, len) == 0 && names[count - 1][len] == '\0')
            continue;
        assert(count < max && len < sizeof(names[0]));
        memcpy(names[count], name, len);
        names[count][len] = '\0';
        out[count] = (yaml_key){names[count], option_type_name(options[i].type), (options[i].flags & OPTION_REQUIRED) != 0,
                                options[i].doc};
        count++;
    }
    return count;
}

static bool is_section(const char *name)
{
    size_t len = strlen(name);
    for (size_t i = 0; i < option_count; i++)
        if (strncmp(options[i].key, name, len) == 0 && options[i].key[len] == '.')
            return true;
    return false;
}

static void check_keys(config_reader *r)
{
    yaml_key keys[KEYS_MAX], below[KEYS_MAX];
    char names[KEYS_MAX][64], below_names[KEYS_MAX][64];
    size_t count = section_keys(keys, names, KEYS_MAX, "");
    if (!yaml_check_keys(r->p, r->doc, r->doc->root, "the configuration", keys, count))
        return;
    for (size_t i = 0; i < count; i++) {
        const yaml_node *n = yaml_get(r->doc->root, keys[i].name);
        if (n && !yaml_is_null(n) && is_section(keys[i].name)) {
            size_t n_below = section_keys(below, below_names, KEYS_MAX, keys[i].name);
            yaml_check_keys(r->p, r->doc, n, keys[i].name, below, n_below);
        }
    }
}

/* --- rules between options --------------------------------------------------------------------------------------- */

static void rule(config_reader *r, const char *key, const char *sentence)
{
    const yaml_node *n = node_of(r, key);
    if (n)
        yaml_problem(r->p, r->doc, n, "%s", sentence);
    else
        problem_add(r->p, &r->doc->source, MANDATE_INVALID, 0, 0, "%s", sentence);
}

/* "host:port", "[v6]:port". */
static bool split_address(const char *text, char host[256], unsigned *port)
{
    const char *colon = strrchr(text, ':');
    size_t len = colon ? (size_t)(colon - text) : 0;
    char *end;
    if (!colon || len == 0 || len >= 256 || colon[1] < '0' || colon[1] > '9')
        return false;
    unsigned long v = strtoul(colon + 1, &end, 10);
    if (*end || v > 65535)
        return false;
    if (text[0] == '[' && text[len - 1] == ']') {
        text++;
        len -= 2;
    } else if (memchr(text, ':', len)) {
        return false;
    }
    memcpy(host, text, len);
    host[len] = '\0';
    *port = (unsigned)v;
    return true;
}

static bool is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;
    if (strcmp(host, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, host, &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == 127;
    return inet_pton(AF_INET6, host, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

static void check_http(config_reader *r)
{
    config *c = r->c;
    char host[256];
    unsigned port;
    struct sockaddr_un address;
    if (!c->http.unix_socket && c->data_dir)
        c->http.unix_socket = path_join(&c->memory, c->data_dir, mandate_slice_str("mandated.sock"));
    if (c->http.unix_socket && strlen(c->http.unix_socket) >= sizeof(address.sun_path))
        rule(r, "http.unix_socket",
             "http.unix_socket: the path of a socket may not be longer than 107 bytes; give a "
             "shorter one");
    if (!c->http.tcp)
        return;
    if (!split_address(c->http.tcp, host, &port))
        rule(r, "http.tcp", "http.tcp must be host:port, such as 127.0.0.1:8480");
    else if (!is_loopback(host) && !(c->http.tls_certificate && c->policy))
        rule(r, "http.tcp",
             "http.tcp is not a loopback address: callers are authenticated there only with http.tls_certificate and a "
             "policy; give both, or use 127.0.0.1 or [::1]");
}

/* `given` without `needed`: a sentence at the first. */
static void needs(config_reader *r, const char *given, bool is_given, const char *needed, bool is_there)
{
    char sentence[160];
    if (!is_given || is_there)
        return;
    snprintf(sentence, sizeof(sentence), "%s needs %s", given, needed);
    rule(r, given, sentence);
}

/* A key file that signs mandates signs nothing else; checkpoints are due before grants stop. */
static void check_audit(config_reader *r)
{
    const config *c = r->c;
    if (c->audit.key && c->signing.key && strcmp(c->audit.key, c->signing.key) == 0)
        rule(r, "audit.key", "audit.key is signing.key: the log signs with a key of its own");
    if (c->audit.key && c->audit.signer)
        rule(r, "audit.signer", "the log's key is either here (audit.key) or at a signer (audit.signer)");
    if (c->audit.interval_us >= c->audit.max_unsigned_us)
        rule(r, "audit.interval", "audit.interval must be shorter than audit.max_unsigned");
}

static void check_security(config_reader *r)
{
    const config *c = r->c;
    bool login = c->kafka.sasl == CONFIG_SASL_PLAIN || c->kafka.sasl == CONFIG_SASL_SCRAM_SHA_256 ||
                 c->kafka.sasl == CONFIG_SASL_SCRAM_SHA_512;
    bool oauth = c->kafka.sasl == CONFIG_SASL_OAUTHBEARER;
    if (c->kafka.embedded && (c->kafka.tls || c->kafka.sasl != CONFIG_SASL_NONE))
        rule(r, "kafka.embedded", "kafka.embedded speaks neither TLS nor SASL");
    needs(r, "kafka.tls_ca", c->kafka.tls_ca, "kafka.tls: true", c->kafka.tls);
    needs(r, "kafka.tls_certificate", c->kafka.tls_certificate, "kafka.tls: true", c->kafka.tls);
    needs(r, "kafka.tls_certificate", c->kafka.tls_certificate, "kafka.tls_key", c->kafka.tls_key);
    needs(r, "kafka.tls_key", c->kafka.tls_key, "kafka.tls_certificate", c->kafka.tls_certificate);
    needs(r, "kafka.tls_key_password", c->kafka.tls_key_password, "kafka.tls_key", c->kafka.tls_key);
    needs(r, "kafka.sasl", login, "kafka.username", c->kafka.username);
    needs(r, "kafka.sasl", login, "kafka.password", c->kafka.password);
    needs(r, "kafka.username", c->kafka.username, "kafka.sasl: plain or scram-*", login);
    needs(r, "kafka.password", c->kafka.password, "kafka.sasl: plain or scram-*", login);
    needs(r, "kafka.sasl", oauth, "kafka.oauth_token_url", c->kafka.oauth_token_url);
    needs(r, "kafka.sasl", oauth, "kafka.oauth_client_id", c->kafka.oauth_client_id);
    needs(r, "kafka.sasl", oauth, "kafka.oauth_client_secret", c->kafka.oauth_client_secret);
    needs(r, "kafka.oauth_token_url", c->kafka.oauth_token_url, "kafka.sasl: oauthbearer", oauth);
    if (!c->kafka.tls && (c->kafka.sasl == CONFIG_SASL_PLAIN || oauth))
        rule(r, "kafka.sasl",
             "kafka.sasl plain and oauthbearer show their secret to whoever listens: they need kafka.tls: true "
             "(scram-* does not)");
    needs(r, "revocations.registry_certificate", c->revocations.registry_certificate, "revocations.registry_key",
          c->revocations.registry_key);
    needs(r, "revocations.registry_key", c->revocations.registry_key, "revocations.registry_certificate",
          c->revocations.registry_certificate);
}

static void check_tls(config_reader *r)
{
    const config *c = r->c;
    bool certificate = c->http.tls_certificate, key = c->http.tls_key, ca = c->http.tls_client_ca;
    needs(r, "http.tls_certificate", certificate, "http.tls_key", key);
    needs(r, "http.tls_key", key, "http.tls_certificate", certificate);
    needs(r, "http.tls_client_ca", ca, "http.tls_certificate", certificate);
    needs(r, "http.tls_client_ca", ca, "policy", c->policy != NULL);
    needs(r, "http.tls_crl", c->http.tls_crl, "http.tls_client_ca", ca);
    needs(r, "http.tls_certificate", certificate, "http.tcp", c->http.tcp != NULL);
}

static void check_rules(config_reader *r)
{
    const config *c = r->c;
    if (c->kafka.embedded && c->kafka.bootstrap_servers)
        rule(r, "kafka.bootstrap_servers", "kafka.bootstrap_servers and kafka.embedded exclude each other");
    if (!c->kafka.embedded && !node_of(r, "kafka.bootstrap_servers"))
        rule(r, "kafka",
             "kafka.bootstrap_servers is missing: host:port of a broker (or kafka.embedded: true to try "
             "things out)");
    if (!c->kafka.embedded && c->kafka.embedded_port_file)
        rule(r, "kafka.embedded_port_file", "kafka.embedded_port_file is for kafka.embedded: true");
    if (c->revocations.format == CONFIG_FORMAT_AVRO && c->revocations.registry.count == 0)
        rule(r, "revocations.format", "revocations.format avro needs revocations.registry");
    if (c->topics.revocations && c->topics.dead_letter && strcmp(c->topics.revocations, c->topics.dead_letter) == 0)
        rule(r, "topics.dead_letter", "topics.revocations and topics.dead_letter must be different topics");
    if (c->topics.watches && ((c->topics.revocations && strcmp(c->topics.watches, c->topics.revocations) == 0) ||
                              (c->topics.dead_letter && strcmp(c->topics.watches, c->topics.dead_letter) == 0)))
        rule(r, "topics.watches", "topics.watches must be a topic of its own, different from the other topics");
    check_security(r);
    check_audit(r);
    check_http(r);
    check_tls(r);
}

/* --- the whole ---------------------------------------------------------------------------------------------------- */

static void read_options(config_reader *r)
{
    for (size_t i = 0; i < option_count; i++) {
        const yaml_node *n = node_of(r, options[i].key);
        if (n && !(yaml_is_null(n) && !(options[i].flags & OPTION_REQUIRED))) {
            set_option(r, &options[i], n);
        } else if (options[i].fallback) {
            yaml_node node = {.kind = YAML_SCALAR, .text = mandate_slice_str(options[i].fallback)};
            set_option(r, &options[i], &node);
        }
    }
}

mandate_status config_read(config *out, const char *path, const mandate_slice *text, problems *p)
{
    config_reader r = {.c = out, .p = p};
    uint32_t before = p->count;
    mandate_status status;
    memset(out, 0, sizeof(*out));
    arena_init(&out->memory, 0);
    status = yaml_open(&r.doc, path, text, p);
    if (status)
        return status;
    out->path = arena_dup(&out->memory, mandate_slice_str(path)).ptr;
    out->folder = path_folder(&out->memory, path);
    if (!out->path || !out->folder) {
        status = problem_add(p, &r.doc->source, MANDATE_NOMEM, 0, 0, "no memory for the configuration");
        goto done;
    }
    check_keys(&r);
    read_options(&r);
    check_rules(&r);
    if (out->memory.failed)
        problem_add(p, &r.doc->source, MANDATE_NOMEM, 0, 0, "no memory for the configuration");
    if (p->count != before)
        status = MANDATE_INVALID;
done:
    yaml_close(r.doc);
    return status;
}

mandate_status config_load(config *out, const char *path, mandate_error *err)
{
    return config_load_text(out, path, NULL, err);
}

mandate_status config_load_text(config *out, const char *path, const mandate_slice *text, mandate_error *err)
{
    problems p;
    problems_init(&p);
    mandate_status status = config_read(out, path, text, &p);
    if (status) {
        status = problems_result(&p, err);
        config_destroy(out);
    }
    problems_deinit(&p);
    return status;
}

void config_destroy(config *c)
{
    arena_deinit(&c->memory);
    memset(c, 0, sizeof(*c));
}

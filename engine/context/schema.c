/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema, declaring - what operators' files say there is, made one consistent whole.
 *
 * Several files may declare the same type, attribute or reference; saying the same twice is fine, saying something
 * else is an error that names both. `dyn` means "nothing said": any later type refines it. Types become CEL objects in
 * the order of declaration, so a type's index is its CEL object index and a field's index is its CEL field index;
 * `mandate` comes last. Freezing gives the environment its fields. Looking things up is schema_read.c.
 */
#include "engine/context/schema_int.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/base/hash.h"
#include "engine/base/text.h"
#include "engine/limits.h"

/* --- life ------------------------------------------------------------------------------------------------ */

mandate_status schema_create(schema **out, mandate_error *err)
{
    schema *s = calloc(1, sizeof(*s));
    if (!s)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for the schema");
    arena_init(&s->memory, 0);
    table_init(&s->type_by_name);
    table_init(&s->type_by_id);
    table_init(&s->sources.by_name);
    table_init(&s->sources.by_id);
    table_init(&s->topics.by_name);
    table_init(&s->topics.by_id);
    mandate_status status = cel_env_create(&s->env, CEL_LIB_ALL & ~CEL_LIB_MAPPING, err);
    if (status) {
        schema_destroy(s);
        return status;
    }
    *out = s;
    return MANDATE_OK;
}

static void names_deinit(schema_names *n)
{
    VEC_FREE(&n->list);
    table_deinit(&n->by_name);
    table_deinit(&n->by_id);
}

void schema_destroy(schema *s)
{
    if (!s)
        return;
    for (uint32_t i = 0; i < s->types.len; i++)
        free(s->types.data[i].fields);
    VEC_FREE(&s->types);
    VEC_FREE(&s->field_caps);
    VEC_FREE(&s->supplies);
    table_deinit(&s->type_by_name);
    table_deinit(&s->type_by_id);
    names_deinit(&s->sources);
    names_deinit(&s->topics);
    cel_env_destroy(s->env);
    arena_deinit(&s->memory);
    free(s);
}

/* --- names ----------------------------------------------------------------------------------------------- */

static bool is_word_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

static bool is_one_of(mandate_slice word, const char *const *list)
{
    for (; *list; list++)
        if (mandate_slice_is(word, *list))
            return true;
    return false;
}

/* Words that a condition could not write after a dot. */
static const char *const keywords[] = {"true", "false", "null", "in", NULL};
/* Names that a condition could not write as its first word, or that would hide something else. */
static const char *const reserved[] = {
    "as",   "break", "const",     "continue",  "else",     "for",           "function", "if",    "import",
    "let",  "loop",  "package",   "namespace", "return",   "var",           "void",     "while", "mandate",
    "now",  "bool",  "int",       "uint",      "double",   "string",        "bytes",    "list",  "map",
    "type", "dyn",   "null_type", "timestamp", "duration", "optional_type", "google",   "has",   NULL};

static mandate_status check_length(mandate_slice name, const char *what, mandate_error *err)
{
    if (name.len == 0)
        return mandate_error_set(err, MANDATE_INVALID, "empty %s name", what);
    if (name.len > LIMIT_NAME)
        return mandate_error_set(err, MANDATE_LIMIT, "%s name of %zu bytes, at most %d are allowed", what, name.len,
                                 LIMIT_NAME);
    return MANDATE_OK;
}

/* Type and field names are what conditions are written with: CEL identifiers, a type's may be dotted. */
static mandate_status check_identifier(mandate_slice name, bool dotted, const char *what, mandate_error *err)
{
    mandate_status status = check_length(name, what, err);
    if (status)
        return status;
    size_t start = 0;
    for (size_t i = 0; i <= name.len; i++) {
        bool end = i == name.len || (dotted && name.ptr[i] == '.');
        char c = i < name.len ? name.ptr[i] : '.';
        if (end) {
            mandate_slice word = mandate_slice_of(name.ptr + start, i - start);
            if (word.len == 0)
                goto malformed;
            if (is_one_of(word, keywords) || (dotted && start == 0 && is_one_of(word, reserved)))
                return mandate_error_set(err, MANDATE_INVALID,
                                         "%s name '%.*s': '%.*s' is a reserved word of the condition language", what,
                                         MANDATE_SLICE_ARG(name), MANDATE_SLICE_ARG(word));
            start = i + 1;
        } else if (!is_word_start(c) && !(is_digit(c) && i > start)) {
            goto malformed;
        }
    }
    return MANDATE_OK;
malformed:
    if (!utf8_valid(name))
        return mandate_error_set(err, MANDATE_INVALID, "%s name is not UTF-8", what);
    return mandate_error_set(err, MANDATE_INVALID,
                             "%s name '%.*s' cannot be written in a condition: use letters, digits and _%s, "
                             "not starting with a digit",
                             what, MANDATE_SLICE_ARG(name), dotted ? " in words joined by dots" : "");
}

/* Connector and topic names: Kafka's own alphabet. */
static mandate_status check_label(mandate_slice name, const char *what, mandate_error *err)
{
    mandate_status status = check_length(name, what, err);
    if (status)
        return status;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        if (!is_word_start(c) && !is_digit(c) && c != '.' && c != '-') {
            if (!utf8_valid(name))
                return mandate_error_set(err, MANDATE_INVALID, "%s name is not UTF-8", what);
            return mandate_error_set(err, MANDATE_INVALID, "%s name '%.*s' may hold only letters, digits, '.', '_' and '-'",
                                     what, MANDATE_SLICE_ARG(name));
        }
    }
    return MANDATE_OK;
}

static mandate_status frozen_error(mandate_error *err)
{
    return mandate_error_set(err, MANDATE_CONFLICT, "the schema is frozen: types are declared before the engine starts");
}

/* --- types ----------------------------------------------------------------------------------------------- */

mandate_status schema_declare_type(uint16_t *out, schema *s, mandate_slice name, mandate_error *err)
{
    uint16_t known = schema_type_find(s, name);
    if (known != SCHEMA_NONE) {
        *out = known;
        return MANDATE_OK;
    }
    if (s->frozen)
        return frozen_error(err);
    mandate_status status = check_identifier(name, true, "entity type", err);
    if (status)
        return status;
    if (s->types.len >= LIMIT_TYPES - 1) /* one object type is `mandate` */
        return mandate_error_set(err, MANDATE_LIMIT, "more than %d entity types: '%.*s' is one too many", LIMIT_TYPES - 1,
                                 MANDATE_SLICE_ARG(name));
    mandate_slice copy = arena_dup(&s->memory, name);
    if (!copy.ptr || !VEC_RESERVE(&s->types, s->types.len + 1) || !VEC_RESERVE(&s->field_caps, s->types.len + 1) ||
        !table_add(&s->type_by_name, hash_slice(copy), s->types.len))
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for entity type '%.*s'", MANDATE_SLICE_ARG(name));
    const cel_type *object = cel_type_object(s->env, copy.ptr);
    if (!object) {
        table_remove(&s->type_by_name, hash_slice(copy), s->types.len);
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for entity type '%.*s'", MANDATE_SLICE_ARG(name));
    }
    assert(object->object == s->types.len); /* hosts find a type by its CEL object index */
    schema_type t = {.name = copy.ptr, .object = object, .stable_id = s->types.len + 1};
    *out = (uint16_t)s->types.len;
    s->types.data[s->types.len++] = t;
    s->field_caps.data[s->field_caps.len++] = 0;
    return MANDATE_OK;
}

/* --- fields ---------------------------------------------------------------------------------------------- */

static const char *const kind_names[] = {"attribute", "reference", "inverse"};

static mandate_status add_field(uint16_t *out, schema *s, uint16_t type, mandate_slice name, schema_field_kind kind,
                                mandate_error *err)
{
    schema_type *t = &s->types.data[type];
    if (s->frozen)
        return frozen_error(err);
    mandate_status status = check_identifier(name, false, kind_names[kind], err);
    if (status)
        return mandate_error_prefix(err, status, "entity type '%s'", t->name);
    if (t->field_count >= LIMIT_FIELDS)
        return mandate_error_set(err, MANDATE_LIMIT, "entity type '%s' has more than %d fields: '%.*s' is one too many",
                                 t->name, LIMIT_FIELDS, MANDATE_SLICE_ARG(name));
    mandate_slice copy = arena_dup(&s->memory, name);
    if (!copy.ptr || (t->field_count == s->field_caps.data[type] &&
                      !vec_grow((void **)&t->fields, &s->field_caps.data[type], sizeof(*t->fields))))
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for '%s.%.*s'", t->name, MANDATE_SLICE_ARG(name));
    t->fields[t->field_count] = (schema_field){.name = copy.ptr,
                                               .kind = kind,
                                               .type = cel_type_simple(CEL_TYPE_DYN),
                                               .target = SCHEMA_NONE,
                                               .inverse = SCHEMA_NONE,
                                               .stable_id = (uint32_t)t->field_count + 1};
    *out = t->field_count++;
    return MANDATE_OK;
}

static mandate_status kind_conflict(const schema_type *t, const schema_field *f, schema_field_kind want, mandate_error *err)
{
    return mandate_error_set(err, MANDATE_CONFLICT, "'%s.%s' is declared as %s %s and as %s %s", t->name, f->name,
                             f->kind == SCHEMA_REFERENCE ? "a" : "an", kind_names[f->kind],
                             want == SCHEMA_REFERENCE ? "a" : "an", kind_names[want]);
}

/* Attribute values are data: what leads to another entity is a reference, with its own declaration. */
static bool is_data_type(const cel_type *t)
{
    switch (t->kind) {
    case CEL_TYPE_DYN:
    case CEL_TYPE_NULL:
    case CEL_TYPE_BOOL:
    case CEL_TYPE_INT:
    case CEL_TYPE_UINT:
    case CEL_TYPE_DOUBLE:
    case CEL_TYPE_STRING:
    case CEL_TYPE_BYTES:
    case CEL_TYPE_TIMESTAMP:
    case CEL_TYPE_DURATION:
        return true;
    case CEL_TYPE_LIST:
        return is_data_type(t->params[0]);
    case CEL_TYPE_MAP:
        return is_data_type(t->params[0]) && is_data_type(t->params[1]);
    default:
        return false;
    }
}

static mandate_status parse_attribute_type(const cel_type **out, schema *s, const schema_type *t, mandate_slice name,
                                           mandate_slice text, mandate_error *err)
{
    *out = cel_type_simple(CEL_TYPE_DYN);
    if (text.len == 0)
        return MANDATE_OK;
    mandate_error lower = {0};
    const cel_type *type = cel_type_parse(s->env, text, &lower);
    if (!type)
        return mandate_error_set(err, lower.status == MANDATE_NOMEM ? MANDATE_NOMEM : MANDATE_INVALID,
                                 "type of attribute '%s.%.*s': %s", t->name, MANDATE_SLICE_ARG(name), lower.text);
    if (!is_data_type(type))
        return mandate_error_set(err, MANDATE_INVALID,
                                 "attribute '%s.%.*s' cannot be of type '%.*s': an attribute holds data, another entity "
                                 "is a reference (references: {%.*s: {type: ...}})",
                                 t->name, MANDATE_SLICE_ARG(name), MANDATE_SLICE_ARG(text), MANDATE_SLICE_ARG(name));
    *out = type;
    return MANDATE_OK;
}

mandate_status schema_declare_attribute(schema *s, uint16_t type, mandate_slice name, mandate_slice type_text, bool supplied,
                                        mandate_error *err)
{
    assert(type < s->types.len);
    const cel_type *declared;
    mandate_status status = parse_attribute_type(&declared, s, &s->types.data[type], name, type_text, err);
    if (status)
        return status;
    uint16_t index = schema_field_find(&s->types.data[type], name);
    if (index == SCHEMA_NONE) {
        status = add_field(&index, s, type, name, SCHEMA_ATTRIBUTE, err);
        if (status)
            return status;
    }
    schema_type *t = &s->types.data[type];
    schema_field *f = &t->fields[index];
    if (f->kind != SCHEMA_ATTRIBUTE)
        return kind_conflict(t, f, SCHEMA_ATTRIBUTE, err);
    if (f->type != declared && declared->kind != CEL_TYPE_DYN) {
        if (f->type->kind != CEL_TYPE_DYN) {
            buf was;
            buf_init(&was);
            cel_type_print(&was, f->type);
            status = mandate_error_set(err, MANDATE_CONFLICT, "attribute '%s.%s' is declared as %s and as %.*s", t->name,
                                       f->name, buf_cstr(&was), MANDATE_SLICE_ARG(type_text));
            buf_deinit(&was);
            return status;
        }
        if (s->frozen)
            return frozen_error(err);
        f->type = declared;
    }
    if (supplied && !f->supplied) {
        if (s->frozen)
            return frozen_error(err);
        f->supplied = true;
    }
    return MANDATE_OK;
}

mandate_status schema_declare_sizes(schema *s, uint16_t type, mandate_slice name, uint32_t text_max, uint32_t items_max,
                                    mandate_error *err)
{
    schema_type *t = &s->types.data[type];
    uint16_t index = schema_field_find(t, name);
    if (index == SCHEMA_NONE || t->fields[index].kind != SCHEMA_ATTRIBUTE)
        return mandate_error_set(err, MANDATE_INVALID, "'%s.%.*s' is no attribute", t->name, MANDATE_SLICE_ARG(name));
    schema_field *f = &t->fields[index];
    if ((text_max && f->text_max && text_max != f->text_max) || (items_max && f->items_max && items_max != f->items_max))
        return mandate_error_set(err, MANDATE_CONFLICT, "attribute '%s.%s' is declared with two different sizes", t->name,
                                 f->name);
    if (s->frozen && ((text_max && !f->text_max) || (items_max && !f->items_max)))
        return frozen_error(err);
    f->text_max = text_max ? text_max : f->text_max;
    f->items_max = items_max ? items_max : f->items_max;
    return MANDATE_OK;
}

mandate_status schema_declare_manual(schema *s, uint16_t type, mandate_slice name, mandate_error *err)
{
    schema_type *t = &s->types.data[type];
    uint16_t index = schema_field_find(t, name);
    if (index == SCHEMA_NONE || t->fields[index].kind != SCHEMA_ATTRIBUTE)
        return mandate_error_set(err, MANDATE_INVALID, "'%s.%.*s' is no attribute", t->name, MANDATE_SLICE_ARG(name));
    if (s->frozen && !t->fields[index].manual)
        return frozen_error(err);
    t->fields[index].manual = t->fields[index].supplied = true;
    return MANDATE_OK;
}

bool schema_has_manual(const schema *s)
{
    for (uint32_t t = 0; t < s->types.len; t++)
        for (uint16_t f = 0; f < s->types.data[t].field_count; f++)
            if (s->types.data[t].fields[f].manual)
                return true;
    return false;
}

static bool has_value(const mandate_slice *values, uint32_t count, mandate_slice value)
{
    for (uint32_t i = 0; i < count; i++)
        if (mandate_slice_eq(values[i], value))
            return true;
    return false;
}

bool schema_field_allows(const schema_field *f, mandate_slice value)
{
    return !f->values || has_value(f->values, f->value_count, value);
}

static bool same_values(const schema_field *f, const mandate_slice *values, uint32_t count)
{
    bool same = f->value_count == count;
    for (uint32_t i = 0; i < count && same; i++)
        same = has_value(f->values, f->value_count, values[i]);
    return same;
}

mandate_status schema_declare_values(schema *s, uint16_t type, mandate_slice name, const mandate_slice *values,
                                     uint32_t count, mandate_error *err)
{
    schema_type *t = &s->types.data[type];
    uint16_t index = schema_field_find(t, name);
    if (index == SCHEMA_NONE || t->fields[index].kind != SCHEMA_ATTRIBUTE || t->fields[index].type->kind != CEL_TYPE_STRING)
        return mandate_error_set(err, MANDATE_INVALID, "'%s.%.*s' is no attribute of type string: only those have values",
                                 t->name, MANDATE_SLICE_ARG(name));
    schema_field *f = &t->fields[index];
    if (count == 0 || count > LIMIT_CEL_LIST_LITERAL)
        return mandate_error_set(err, MANDATE_LIMIT, "'%s.%s' has %u values: 1 to %d may be declared", t->name, f->name,
                                 count, LIMIT_CEL_LIST_LITERAL);
    for (uint32_t i = 1; i < count; i++)
        if (has_value(values, i, values[i]))
            return mandate_error_set(err, MANDATE_INVALID, "'%s.%s' has the value '%.*s' twice", t->name, f->name,
                                     MANDATE_SLICE_ARG(values[i]));
    if (f->values)
        return same_values(f, values, count)
                   ? MANDATE_OK
                   : mandate_error_set(err, MANDATE_CONFLICT,
                                       "attribute '%s.%s' is declared with two different lists of values", t->name, f->name);
    if (s->frozen)
        return frozen_error(err);
    mandate_slice *copy = ARENA_ARRAY(&s->memory, mandate_slice, count);
    for (uint32_t i = 0; copy && i < count; i++) {
        copy[i] = arena_dup(&s->memory, values[i]);
        if (!copy[i].ptr)
            copy = NULL;
    }
    if (!copy)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for the values of '%s.%s'", t->name, f->name);
    f->values = copy;
    f->value_count = count;
    return MANDATE_OK;
}

/* The field of the target that reads the reference backwards. */
static mandate_status declare_inverse(schema *s, uint16_t type, uint16_t field, uint16_t target, mandate_slice inverse,
                                      mandate_error *err)
{
    schema_field *f = &s->types.data[type].fields[field];
    const char *type_name = s->types.data[type].name;
    if (f->inverse != SCHEMA_NONE) {
        const char *was = s->types.data[target].fields[f->inverse].name;
        if (mandate_slice_is(inverse, was))
            return MANDATE_OK;
        return mandate_error_set(err, MANDATE_CONFLICT,
                                 "reference '%s.%s' is declared with inverse '%s' and with "
                                 "inverse '%.*s'",
                                 type_name, f->name, was, MANDATE_SLICE_ARG(inverse));
    }
    uint16_t taken = schema_field_find(&s->types.data[target], inverse);
    if (taken != SCHEMA_NONE) {
        const schema_type *t = &s->types.data[target];
        return mandate_error_set(err, MANDATE_CONFLICT,
                                 "inverse '%.*s' of reference '%s.%s': '%s.%s' is already declared as %s %s",
                                 MANDATE_SLICE_ARG(inverse), type_name, f->name, t->name, t->fields[taken].name,
                                 t->fields[taken].kind == SCHEMA_REFERENCE ? "a" : "an", kind_names[t->fields[taken].kind]);
    }
    uint16_t index;
    mandate_status status = add_field(&index, s, target, inverse, SCHEMA_INVERSE, err);
    if (status)
        return status;
    const cel_type *list = cel_type_list(s->env, s->types.data[type].object);
    if (!list)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for inverse '%.*s'", MANDATE_SLICE_ARG(inverse));
    schema_field *back = &s->types.data[target].fields[index];
    back->type = list;
    back->target = type;
    back->inverse = field;
    s->types.data[type].fields[field].inverse = index; /* add_field may have moved the fields */
    return MANDATE_OK;
}

mandate_status schema_declare_reference(schema *s, uint16_t type, mandate_slice name, mandate_slice target,
                                        mandate_slice inverse, bool supplied, mandate_error *err)
{
    assert(type < s->types.len);
    uint16_t to;
    mandate_status status = schema_declare_type(&to, s, target, err);
    if (status)
        return mandate_error_prefix(err, status, "reference '%s.%.*s'", s->types.data[type].name, MANDATE_SLICE_ARG(name));
    uint16_t index = schema_field_find(&s->types.data[type], name);
    if (index == SCHEMA_NONE) {
        status = add_field(&index, s, type, name, SCHEMA_REFERENCE, err);
        if (status)
            return status;
        s->types.data[type].fields[index].target = to;
        s->types.data[type].fields[index].type = s->types.data[to].object;
    }
    schema_field *f = &s->types.data[type].fields[index];
    if (f->kind != SCHEMA_REFERENCE)
        return kind_conflict(&s->types.data[type], f, SCHEMA_REFERENCE, err);
    if (f->target != to)
        return mandate_error_set(err, MANDATE_CONFLICT, "reference '%s.%s' is declared to '%s' and to '%.*s'",
                                 s->types.data[type].name, f->name, s->types.data[f->target].name,
                                 MANDATE_SLICE_ARG(target));
    if (inverse.len) {
        status = declare_inverse(s, type, index, to, inverse, err);
        if (status)
            return status;
        f = &s->types.data[type].fields[index];
    }
    if (supplied && !f->supplied && s->frozen)
        return frozen_error(err);
    if (supplied) {
        f->supplied = true;
        if (f->inverse != SCHEMA_NONE)
            s->types.data[to].fields[f->inverse].supplied = true;
    } else if (f->supplied && f->inverse != SCHEMA_NONE) {
        s->types.data[to].fields[f->inverse].supplied = true; /* the inverse came later than the supplier */
    }
    return MANDATE_OK;
}

/* --- sources and topics ------------------------------------------------------------------------------------ */

static mandate_status add_name(uint16_t *out, schema *s, schema_names *n, mandate_slice name, const char *what, bool kept,
                               mandate_error *err)
{
    mandate_slice copy = arena_dup(&s->memory, name);
    if (!copy.ptr || !VEC_RESERVE(&n->list, n->list.len + 1) || !table_add(&n->by_name, hash_slice(copy), n->list.len))
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for %s '%.*s'", what, MANDATE_SLICE_ARG(name));
    *out = (uint16_t)n->list.len;
    n->list.data[n->list.len] = (schema_name){copy.ptr, n->list.len + 1, kept};
    n->list.len++;
    return MANDATE_OK;
}

static mandate_status declare_name(uint16_t *out, schema *s, schema_names *n, mandate_slice name, const char *what,
                                   uint32_t max, mandate_error *err)
{
    uint16_t known = schema_names_find(n, name);
    if (known != SCHEMA_NONE) {
        *out = known;
        return MANDATE_OK;
    }
    if (s->frozen)
        return frozen_error(err);
    mandate_status status = check_label(name, what, err);
    if (status)
        return status;
    if (n->list.len >= max)
        return mandate_error_set(err, MANDATE_LIMIT, "more than %u %ss: '%.*s' is one too many", max, what,
                                 MANDATE_SLICE_ARG(name));
    return add_name(out, s, n, name, what, false, err);
}

mandate_status schema_keep_source(schema *s, mandate_slice name, mandate_error *err)
{
    uint16_t source;
    assert(s->frozen);
    if (schema_names_find(&s->sources, name) != SCHEMA_NONE)
        return MANDATE_OK;
    if (s->sources.list.len >= LIMIT_SOURCES_KNOWN)
        return mandate_error_set(err, MANDATE_LIMIT,
                                 "the database knows more than %d connectors by name, too many to keep apart",
                                 LIMIT_SOURCES_KNOWN);
    mandate_status status = add_name(&source, s, &s->sources, name, "connector", true, err);
    if (!status && !schema_index_ids(s)) /* so that assigning ids needs no memory */
        status = mandate_error_set(err, MANDATE_NOMEM, "no memory for the schema's indexes");
    return status;
}

mandate_status schema_declare_source(uint16_t *out, schema *s, mandate_slice name, mandate_error *err)
{
    return declare_name(out, s, &s->sources, name, "connector", LIMIT_SOURCES, err);
}

mandate_status schema_declare_topic(uint16_t *out, schema *s, mandate_slice name, mandate_error *err)
{
    return declare_name(out, s, &s->topics, name, "topic", LIMIT_TOPICS, err);
}

/* --- freezing ---------------------------------------------------------------------------------------------- */

static mandate_status freeze_type(schema *s, const schema_type *t, mandate_error *err)
{
    cel_field *fields = calloc(t->field_count ? t->field_count : 1, sizeof(*fields));
    if (!fields)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for entity type '%s'", t->name);
    for (uint16_t i = 0; i < t->field_count; i++)
        fields[i] = (cel_field){t->fields[i].name, t->fields[i].type};
    mandate_status status = cel_env_fields(s->env, t->object, fields, t->field_count, err);
    for (uint16_t i = 0; i < t->field_count && !status; i++)
        if (t->fields[i].text_max || t->fields[i].items_max)
            status = cel_env_field_sizes(s->env, t->object, i, t->fields[i].text_max, t->fields[i].items_max, err);
    if (!status)
        status = cel_env_table(s->env, t->object, err);
    free(fields);
    return status;
}

/* The mandate a condition speaks for. Its fields are a contract with the engine: see schema.h. */
static mandate_status declare_mandate(schema *s, mandate_error *err)
{
    const cel_type *string = cel_type_simple(CEL_TYPE_STRING);
    const cel_type *params = cel_type_map(s->env, string, cel_type_simple(CEL_TYPE_DYN));
    const cel_type *object = cel_type_object(s->env, "mandate");
    if (!params || !object)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for the condition environment");
    const cel_field fields[SCHEMA_MANDATE_FIELD_COUNT] = {
        [SCHEMA_MANDATE_ID] = {"id", string},
        [SCHEMA_MANDATE_ISSUER] = {"issuer", string},
        [SCHEMA_MANDATE_GRANTOR] = {"grantor", string},
        [SCHEMA_MANDATE_AGENT] = {"agent", string},
        [SCHEMA_MANDATE_PURPOSE] = {"purpose", string},
        [SCHEMA_MANDATE_PARENT] = {"parent", string},
        [SCHEMA_MANDATE_PARAMS] = {"params", params},
        [SCHEMA_MANDATE_EXPIRES_AT] = {"expires_at", cel_type_simple(CEL_TYPE_TIMESTAMP)},
    };
    uint32_t variable = 0;
    mandate_status status = cel_env_fields(s->env, object, fields, SCHEMA_MANDATE_FIELD_COUNT, err);
    if (!status)
        status = cel_env_variable(&variable, s->env, "mandate", object, err);
    if (!status)
        status = cel_env_now(s->env, err);
    assert(status || (object->object == s->types.len && variable == SCHEMA_MANDATE_VARIABLE));
    return status;
}

mandate_status schema_freeze(schema *s, mandate_error *err)
{
    mandate_status status = MANDATE_OK;
    if (s->frozen)
        return frozen_error(err);
    for (uint32_t i = 0; i < s->types.len && !status; i++)
        status = freeze_type(s, &s->types.data[i], err);
    if (!status)
        status = declare_mandate(s, err);
    if (!status && !schema_index_ids(s))
        status = mandate_error_set(err, MANDATE_NOMEM, "no memory for the schema's indexes");
    /* A half-built environment must not be declared into again. */
    s->frozen = true;
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml, reading nodes - typed scalars, places inside a scalar, and the check of a map's keys against its table.
 */
#include <stdio.h>

#include "connectors/config/yaml.h"
#include "engine/base/text.h"

const yaml_node *yaml_get(const yaml_node *map, const char *key)
{
    if (!map || map->kind != YAML_MAP)
        return NULL;
    for (uint32_t i = 0; i < map->count; i++)
        if (mandate_slice_is(map->entries[i].key->text, key))
            return map->entries[i].value;
    return NULL;
}

bool yaml_is_null(const yaml_node *n)
{
    return n->kind == YAML_SCALAR && n->style == YAML_PLAIN &&
           (n->text.len == 0 || mandate_slice_is(n->text, "~") || mandate_slice_is(n->text, "null"));
}

bool yaml_bool(const yaml_node *n, bool *out)
{
    if (n->kind != YAML_SCALAR || n->style != YAML_PLAIN)
        return false;
    *out = mandate_slice_is(n->text, "true");
    return *out || mandate_slice_is(n->text, "false");
}

bool yaml_int(const yaml_node *n, int64_t *out)
{
    if (n->kind != YAML_SCALAR || n->style != YAML_PLAIN)
        return false;
    bool minus = n->text.len && n->text.ptr[0] == '-';
    size_t i = minus;
    int64_t v = 0;
    if (i == n->text.len)
        return false;
    for (; i < n->text.len; i++) {
        char c = n->text.ptr[i];
        if (c < '0' || c > '9' || __builtin_mul_overflow(v, 10, &v) || __builtin_sub_overflow(v, c - '0', &v))
            return false;
    }
    /* Summed up below zero, where there is one more number. */
    if (!minus && v == INT64_MIN)
        return false;
    *out = minus ? v : -v;
    return true;
}

const char *yaml_describe(char *out, size_t size, const yaml_node *n)
{
    if (n->kind == YAML_MAP)
        snprintf(out, size, "a map");
    else if (n->kind == YAML_LIST)
        snprintf(out, size, "a list");
    else if (yaml_is_null(n))
        snprintf(out, size, "nothing");
    else
        snprintf(out, size, "'%.*s%s'", (int)(n->text.len < 40 ? n->text.len : 40), n->text.ptr,
                 n->text.len < 40 ? "" : "...");
    return out;
}

/* In a literal block, line k of the text is the k-th line after the header, indented like its first non-blank line. */
static void literal_place(const yaml_doc *doc, const yaml_node *n, size_t offset, uint32_t *line, uint32_t *column)
{
    uint32_t lines = 0, indent = 0;
    size_t start = 0;
    for (size_t i = 0; i < offset && i < n->text.len; i++) {
        if (n->text.ptr[i] == '\n') {
            lines++;
            start = i + 1;
        }
    }
    mandate_slice source = doc->source.text;
    size_t at = source_offset(source, n->line + 1 + lines, 1);
    while (at < source.len && source.ptr[at] == ' ') {
        at++;
        indent++;
    }
    /* Spaces that belong to the text are not indentation. */
    for (size_t i = start; i < n->text.len && n->text.ptr[i] == ' ' && indent; i++)
        indent--;
    *line = n->line + 1 + lines;
    *column = indent + 1 + (uint32_t)utf8_length(mandate_slice_of(n->text.ptr + start, offset - start));
}

void yaml_place(const yaml_doc *doc, const yaml_node *n, size_t offset, uint32_t *line, uint32_t *column)
{
    *line = n->line;
    *column = n->column;
    if (n->kind != YAML_SCALAR || offset > n->text.len)
        return;
    if (n->style == YAML_LITERAL) {
        literal_place(doc, n, offset, line, column);
        return;
    }
    if (n->style == YAML_FOLDED)
        return;
    /* Exact only when the file holds the very bytes of the text: no escapes, no folding. */
    mandate_slice source = doc->source.text;
    size_t at = source_offset(source, n->line, n->column) + (n->style == YAML_QUOTED);
    if (at + n->text.len <= source.len && memcmp(source.ptr + at, n->text.ptr, n->text.len) == 0)
        *column = n->column + (n->style == YAML_QUOTED) + (uint32_t)utf8_length(mandate_slice_of(n->text.ptr, offset));
}

mandate_status yaml_problem(problems *p, const yaml_doc *doc, const yaml_node *n, const char *format, ...)
{
    char sentence[MANDATE_ERROR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    return problem_add(p, &doc->source, MANDATE_INVALID, n->line, n->column, "%s", sentence);
}

/* The nearest known key, or NULL. Keys are few: a fixed array will do. */
static const char *nearest_key(mandate_slice name, const yaml_key *keys, size_t count)
{
    const char *names[64];
    size_t n = count < 64 ? count : 64;
    for (size_t i = 0; i < n; i++)
        names[i] = keys[i].name;
    return nearest_name(name, names, n);
}

static void put_known(char *out, size_t size, const yaml_key *keys, size_t count)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < count && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "", keys[i].name);
}

bool yaml_check_keys(problems *p, const yaml_doc *doc, const yaml_node *map, const char *what, const yaml_key *keys,
                     size_t count)
{
    char got[64], known[512];
    if (map->kind != YAML_MAP) {
        yaml_problem(p, doc, map, "%s must be a map, not %s", what, yaml_describe(got, sizeof(got), map));
        return false;
    }
    for (uint32_t i = 0; i < map->count; i++) {
        mandate_slice name = map->entries[i].key->text;
        size_t k = 0;
        while (k < count && !mandate_slice_is(name, keys[k].name))
            k++;
        if (k < count)
            continue;
        const char *near = nearest_key(name, keys, count);
        put_known(known, sizeof(known), keys, count);
        if (near)
            yaml_problem(p, doc, map->entries[i].key, "unknown key '%.*s' in %s: did you mean '%s'?",
                         MANDATE_SLICE_ARG(name), what, near);
        else
            yaml_problem(p, doc, map->entries[i].key, "unknown key '%.*s' in %s: known are %s", MANDATE_SLICE_ARG(name),
                         what, known);
    }
    for (size_t k = 0; k < count; k++)
        if (keys[k].required && !yaml_get(map, keys[k].name))
            yaml_problem(p, doc, map, "%s has no '%s': %s", what, keys[k].name, keys[k].doc);
    return true;
}

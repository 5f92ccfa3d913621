/* SPDX-License-Identifier: Apache-2.0 */
/*
 * yaml - libyaml's event stream made into a bounded tree. The only file that includes <yaml.h>.
 *
 * Events rather than libyaml's documents: limits hold before memory is taken, and an alias is seen where it stands.
 * Recursion is bounded by LIMIT_CONFIG_DEPTH.
 */
#include "connectors/config/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

#include "engine/base/hash.h"
#include "engine/base/table.h"
#include "engine/base/text.h"
#include "engine/base/vec.h"
#include "engine/limits.h"

typedef struct reader {
    yaml_parser_t parser;
    yaml_event_t event;
    bool have_event;
    yaml_doc *doc;
    problems *p;
    uint32_t nodes;
} reader;

static mandate_status fail(reader *r, mandate_status status, yaml_mark_t mark, const char *text)
{
    return problem_add(r->p, &r->doc->source, status, (uint32_t)mark.line + 1, (uint32_t)mark.column + 1, "%s", text);
}

static mandate_status out_of_memory(reader *r)
{
    return problem_add(r->p, &r->doc->source, MANDATE_NOMEM, 0, 0, "no memory to read the file");
}

static mandate_status syntax_error(reader *r)
{
    const yaml_parser_t *y = &r->parser;
    if (y->error == YAML_MEMORY_ERROR)
        return out_of_memory(r);
    if (y->error == YAML_READER_ERROR) {
        uint32_t line, column;
        source_place(r->doc->source.text, y->problem_offset, &line, &column);
        return problem_add(r->p, &r->doc->source, MANDATE_INVALID, line, column, "not YAML: %s",
                           y->problem ? y->problem : "unreadable character");
    }
    return problem_add(
        r->p, &r->doc->source, MANDATE_INVALID, (uint32_t)y->problem_mark.line + 1, (uint32_t)y->problem_mark.column + 1,
        "not YAML: %s%s%s%s", y->problem ? y->problem : "malformed", y->context ? " " : "", y->context ? y->context : "",
        y->context && strstr(y->context, "flow") ? " (inside { } or [ ], quote a text that holds one of , [ ] { })" : "");
}

static mandate_status next_event(reader *r)
{
    if (r->have_event)
        yaml_event_delete(&r->event);
    r->have_event = false;
    if (!yaml_parser_parse(&r->parser, &r->event))
        return syntax_error(r);
    r->have_event = true;
    return MANDATE_OK;
}

static mandate_status new_node(yaml_node **out, reader *r, yaml_kind kind, const yaml_char_t *anchor, const yaml_char_t *tag)
{
    yaml_mark_t mark = r->event.start_mark;
    if (anchor)
        return fail(r, MANDATE_INVALID, mark, "anchors and aliases are not supported: write the value out");
    if (tag)
        return fail(r, MANDATE_INVALID, mark, "YAML tags are not supported: write the value without '!'");
    if (++r->nodes > LIMIT_CONFIG_NODES)
        return fail(r, MANDATE_LIMIT, mark, "the file has too many values: split it");
    yaml_node *n = ARENA_NEW(&r->doc->memory, yaml_node);
    if (!n)
        return out_of_memory(r);
    n->kind = kind;
    n->line = (uint32_t)mark.line + 1;
    n->column = (uint32_t)mark.column + 1;
    *out = n;
    return MANDATE_OK;
}

static mandate_status read_scalar(const yaml_node **out, reader *r)
{
    yaml_node *n = NULL;
    mandate_slice text = mandate_slice_of((const char *)r->event.data.scalar.value, r->event.data.scalar.length);
    yaml_scalar_style_t style = r->event.data.scalar.style;
    mandate_status status = new_node(&n, r, YAML_SCALAR, r->event.data.scalar.anchor, r->event.data.scalar.tag);
    if (status)
        return status;
    if (memchr(text.len ? text.ptr : "", 0, text.len))
        return fail(r, MANDATE_INVALID, r->event.start_mark, "a text may not hold a NUL character");
    if (!utf8_valid(text)) /* an escape may have made what the file itself may not hold */
        return fail(r, MANDATE_INVALID, r->event.start_mark, "an escape in this text is no Unicode character");
    n->text = arena_dup(&r->doc->memory, text);
    if (!n->text.ptr)
        return out_of_memory(r);
    n->style = style == YAML_LITERAL_SCALAR_STYLE  ? YAML_LITERAL
               : style == YAML_FOLDED_SCALAR_STYLE ? YAML_FOLDED
               : style == YAML_PLAIN_SCALAR_STYLE  ? YAML_PLAIN
                                                   : YAML_QUOTED;
    *out = n;
    return MANDATE_OK;
}

static mandate_status read_node(const yaml_node **out, reader *r, uint32_t depth);

static mandate_status read_list(const yaml_node **out, reader *r, uint32_t depth)
{
    VEC(const yaml_node *) items = {0};
    yaml_node *n = NULL;
    mandate_status status =
        new_node(&n, r, YAML_LIST, r->event.data.sequence_start.anchor, r->event.data.sequence_start.tag);
    if (status)
        goto done;
    for (;;) {
        const yaml_node *item;
        if ((status = next_event(r)))
            goto done;
        if (r->event.type == YAML_SEQUENCE_END_EVENT)
            break;
        if ((status = read_node(&item, r, depth + 1)))
            goto done;
        if (!VEC_PUSH(&items, item)) {
            status = out_of_memory(r);
            goto done;
        }
    }
    n->count = items.len;
    n->items = ARENA_ARRAY(&r->doc->memory, const yaml_node *, items.len ? items.len : 1);
    if (!n->items) {
        status = out_of_memory(r);
        goto done;
    }
    if (items.len)
        memcpy(n->items, items.data, items.len * sizeof(*items.data));
    *out = n;
done:
    VEC_FREE(&items);
    return status;
}

typedef VEC(yaml_entry) entry_vec;

static bool key_is(const void *ctx, uint32_t handle, const void *key)
{
    const entry_vec *entries = ctx;
    return mandate_slice_eq(entries->data[handle].key->text, *(const mandate_slice *)key);
}

static mandate_status read_entry(reader *r, entry_vec *entries, table *seen, uint32_t depth)
{
    yaml_entry e = {0};
    mandate_status status;
    if (r->event.type != YAML_SCALAR_EVENT)
        return fail(r, MANDATE_INVALID, r->event.start_mark,
                    r->event.type == YAML_ALIAS_EVENT ? "anchors and aliases are not supported: write the value out"
                                                      : "a key must be a plain name");
    if ((status = read_scalar(&e.key, r)))
        return status;
    uint64_t hash = hash_slice(e.key->text);
    uint32_t before = table_find(seen, hash, key_is, entries, &e.key->text);
    if (before != TABLE_NONE)
        return problem_add(r->p, &r->doc->source, MANDATE_INVALID, e.key->line, e.key->column,
                           "key '%.*s' is there twice, first on line %u: which one is meant cannot be known",
                           MANDATE_SLICE_ARG(e.key->text), entries->data[before].key->line);
    if ((status = next_event(r)) || (status = read_node(&e.value, r, depth + 1)))
        return status;
    if (!VEC_PUSH(entries, e) || !table_add(seen, hash, entries->len - 1))
        return out_of_memory(r);
    return MANDATE_OK;
}

static mandate_status read_map(const yaml_node **out, reader *r, uint32_t depth)
{
    entry_vec entries = {0};
    table seen;
    yaml_node *n = NULL;
    table_init(&seen);
    mandate_status status = new_node(&n, r, YAML_MAP, r->event.data.mapping_start.anchor, r->event.data.mapping_start.tag);
    if (status)
        goto done;
    for (;;) {
        if ((status = next_event(r)))
            goto done;
        if (r->event.type == YAML_MAPPING_END_EVENT)
            break;
        if ((status = read_entry(r, &entries, &seen, depth)))
            goto done;
    }
    yaml_entry *copy = ARENA_ARRAY(&r->doc->memory, yaml_entry, entries.len ? entries.len : 1);
    if (!copy) {
        status = out_of_memory(r);
        goto done;
    }
    if (entries.len)
        memcpy(copy, entries.data, entries.len * sizeof(*copy));
    n->count = entries.len;
    n->entries = copy;
    *out = n;
done:
    table_deinit(&seen);
    VEC_FREE(&entries);
    return status;
}

/* The node that the current event starts. */
static mandate_status read_node(const yaml_node **out, reader *r, uint32_t depth)
{
    if (r->event.type == YAML_SCALAR_EVENT)
        return read_scalar(out, r);
    if (r->event.type == YAML_ALIAS_EVENT)
        return fail(r, MANDATE_INVALID, r->event.start_mark, "anchors and aliases are not supported: write the value out");
    if (depth >= LIMIT_CONFIG_DEPTH)
        return fail(r, MANDATE_LIMIT, r->event.start_mark, "nested too deeply");
    return r->event.type == YAML_SEQUENCE_START_EVENT ? read_list(out, r, depth) : read_map(out, r, depth);
}

static mandate_status read_document(reader *r)
{
    mandate_status status;
    if ((status = next_event(r)) || (status = next_event(r))) /* stream start */
        return status;
    if (r->event.type == YAML_STREAM_END_EVENT) {
        yaml_node *n = ARENA_NEW(&r->doc->memory, yaml_node);
        if (!n)
            return out_of_memory(r);
        n->kind = YAML_MAP;
        n->line = n->column = 1;
        r->doc->root = n;
        return MANDATE_OK;
    }
    if ((status = next_event(r)) || (status = read_node(&r->doc->root, r, 0)))
        return status;
    if ((status = next_event(r)) || (status = next_event(r))) /* document end */
        return status;
    if (r->event.type != YAML_STREAM_END_EVENT)
        return fail(r, MANDATE_INVALID, r->event.start_mark, "a second document: only one '---' section may be in a file");
    return MANDATE_OK;
}

mandate_status file_read(buf *out, const char *path, size_t size_max, mandate_error *err)
{
    mandate_status status = MANDATE_OK;
    struct stat info;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not hang us */
    if (fd < 0)
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "cannot open '%s': %s", path, strerror(errno));
    if (fstat(fd, &info) || S_ISDIR(info.st_mode)) {
        status = mandate_error_set(err, MANDATE_UNAVAILABLE, "cannot read '%s': it is a directory", path);
        goto done;
    }
    for (;;) {
        char chunk[16384];
        ssize_t n = read(fd, chunk, sizeof(chunk));
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            status = mandate_error_set(err, MANDATE_UNAVAILABLE, "cannot read '%s': %s", path, strerror(errno));
            goto done;
        }
        if (n == 0)
            break;
        if (out->len + (size_t)n > size_max) {
            status = mandate_error_set(err, MANDATE_LIMIT, "'%s' is larger than %zu bytes", path, size_max);
            goto done;
        }
        buf_put(out, chunk, (size_t)n);
    }
    if (out->failed)
        status = mandate_error_set(err, MANDATE_NOMEM, "no memory to read '%s'", path);
done:
    close(fd);
    return status;
}

static mandate_status take_source(yaml_doc *doc, const char *path, const mandate_slice *text, problems *p)
{
    mandate_status status = MANDATE_OK;
    mandate_error err = {0};
    buf file;
    buf_init(&file);
    doc->source.path = arena_dup(&doc->memory, mandate_slice_str(path)).ptr;
    if (!doc->source.path)
        doc->source.path = "?";
    if (!text) {
        status = file_read(&file, path, LIMIT_CONFIG, &err);
        if (status) {
            problem_add(p, &doc->source, status, 0, 0, "%s", err.text);
            goto done;
        }
    }
    mandate_slice in = text ? *text : buf_slice(&file);
    if (in.len > LIMIT_CONFIG) {
        status = problem_add(p, &doc->source, MANDATE_LIMIT, 0, 0, "larger than %d bytes", LIMIT_CONFIG);
        goto done;
    }
    if (in.len >= 3 && memcmp(in.ptr, "\xef\xbb\xbf", 3) == 0)
        in = mandate_slice_of(in.ptr + 3, in.len - 3);
    if (!utf8_valid(in)) {
        status = problem_add(p, &doc->source, MANDATE_INVALID, 0, 0, "not UTF-8 text");
        goto done;
    }
    doc->source.text = arena_dup(&doc->memory, in);
    if (!doc->source.text.ptr)
        status = problem_add(p, &doc->source, MANDATE_NOMEM, 0, 0, "no memory to read the file");
done:
    buf_deinit(&file);
    return status;
}

mandate_status yaml_open(yaml_doc **out, const char *path, const mandate_slice *text, problems *p)
{
    source_text where = {path, {0}};
    reader r = {.p = p};
    mandate_status status;

    *out = NULL;
    r.doc = calloc(1, sizeof(*r.doc));
    if (!r.doc)
        return problem_add(p, &where, MANDATE_NOMEM, 0, 0, "no memory to read the file");
    arena_init(&r.doc->memory, 0);
    if (!yaml_parser_initialize(&r.parser)) {
        status = out_of_memory(&r);
        yaml_close(r.doc);
        return status;
    }
    status = take_source(r.doc, path, text, p);
    if (!status) {
        yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&r.parser, (const unsigned char *)r.doc->source.text.ptr, r.doc->source.text.len);
        status = read_document(&r);
    }
    if (r.have_event)
        yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    if (status)
        yaml_close(r.doc);
    else
        *out = r.doc;
    return status;
}

void yaml_close(yaml_doc *doc)
{
    if (!doc)
        return;
    arena_deinit(&doc->memory);
    free(doc);
}

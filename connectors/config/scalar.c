/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scalar - see scalar.h.
 */
#include "connectors/config/scalar.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/text.h"

bool yaml_duration_us(const yaml_node *n, int64_t *out)
{
    int64_t seconds;
    int32_t nanos;
    if (n->kind != YAML_SCALAR || !duration_parse(n->text, &seconds, &nanos))
        return false;
    if (seconds < 0 || nanos < 0 || seconds > INT64_MAX / 1000000 - 1)
        return false;
    *out = seconds * 1000000 + nanos / 1000;
    return true;
}

/* Without the excerpt: the line may hold the secret itself. */
MANDATE_PRINTF(4, 5)
static void secret_problem(problems *p, const yaml_doc *doc, const yaml_node *n, const char *format, ...)
{
    char sentence[MANDATE_ERROR_TEXT_MAX];
    source_text where = {doc->source.path, {0}};
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    problem_add(p, &where, MANDATE_INVALID, n->line, n->column, "%s", sentence);
}

/* "${NAME}" at `at`: appends the variable and returns the bytes consumed; 0 with a problem when it cannot. */
static size_t expand_variable(buf *out, problems *p, const yaml_doc *doc, const yaml_node *n, size_t at)
{
    char name[128];
    size_t end = at + 2, len;
    while (end < n->text.len && n->text.ptr[end] != '}')
        end++;
    len = end - at - 2;
    if (end == n->text.len || len == 0 || len >= sizeof(name)) {
        secret_problem(p, doc, n, "a '${' without a name and '}': write ${NAME}, or $${ for the characters themselves");
        return 0;
    }
    memcpy(name, n->text.ptr + at + 2, len);
    name[len] = '\0';
    const char *value = getenv(name);
    if (!value || !*value) {
        secret_problem(p, doc, n, "the environment variable %s is not set: it is needed for this value", name);
        return 0;
    }
    buf_put_str(out, value);
    return end + 1 - at;
}

static bool expand_text(buf *out, problems *p, const yaml_doc *doc, const yaml_node *n)
{
    mandate_slice in = n->text;
    for (size_t i = 0; i < in.len;) {
        if (in.len - i >= 3 && memcmp(in.ptr + i, "$${", 3) == 0) {
            buf_put_str(out, "${");
            i += 3;
        } else if (in.len - i >= 2 && memcmp(in.ptr + i, "${", 2) == 0) {
            size_t used = expand_variable(out, p, doc, n, i);
            if (!used)
                return false;
            i += used;
        } else {
            buf_put_char(out, in.ptr[i++]);
        }
    }
    return true;
}

static bool expand_file(buf *out, problems *p, const yaml_doc *doc, const yaml_node *n, const char *path)
{
    mandate_error err = {0};
    if (file_read(out, path, SECRET_MAX, &err)) {
        secret_problem(p, doc, n, "%s", err.text);
        return false;
    }
    while (out->len && (out->data[out->len - 1] == '\n' || out->data[out->len - 1] == '\r'))
        out->len--;
    if (out->len == 0 || memchr(out->data, 0, out->len)) {
        secret_problem(p, doc, n, "'%s' is %s", path, out->len ? "not a text" : "empty");
        return false;
    }
    return true;
}

const char *yaml_expand(arena *a, problems *p, const yaml_doc *doc, const yaml_node *n, const char *folder)
{
    mandate_slice copy = {0};
    bool ok;
    buf out;
    if (n->kind != YAML_SCALAR) {
        secret_problem(p, doc, n, "a text is needed here, not a %s", n->kind == YAML_MAP ? "map" : "list");
        return NULL;
    }
    buf_init(&out);
    if (n->text.len > 5 && memcmp(n->text.ptr, "file:", 5) == 0) {
        const char *path = path_join(a, folder, mandate_slice_of(n->text.ptr + 5, n->text.len - 5));
        ok = path && expand_file(&out, p, doc, n, path);
    } else {
        ok = expand_text(&out, p, doc, n);
    }
    if (ok)
        copy = arena_dup(a, mandate_slice_of(out.data ? out.data : "", out.len));
    if (ok && (out.failed || !copy.ptr))
        secret_problem(p, doc, n, "no memory for this value");
    if (out.data)
        explicit_bzero(out.data, out.cap);
    buf_deinit(&out);
    return copy.ptr;
}

const char *path_join(arena *a, const char *folder, mandate_slice name)
{
    if (name.len && name.ptr[0] == '/')
        return arena_dup(a, name).ptr;
    if (strcmp(folder, ".") == 0)
        return arena_dup(a, name).ptr;
    return arena_printf(a, "%s%s%.*s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/", MANDATE_SLICE_ARG(name)).ptr;
}

const char *path_folder(arena *a, const char *path)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return arena_dup(a, mandate_slice_str(".")).ptr;
    return arena_dup(a, mandate_slice_of(path, slash == path ? 1 : (size_t)(slash - path))).ptr;
}

void put_duration(buf *b, int64_t us)
{
    static const struct {
        int64_t us;
        const char *unit;
    } units[] = {{3600000000, "h"}, {60000000, "m"}, {1000000, "s"}, {1000, "ms"}, {1, "us"}};
    if (us == 0)
        buf_put_str(b, "0s");
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
        if (us >= units[i].us)
            buf_printf(b, "%lld%s", (long long)(us / units[i].us), units[i].unit);
        us %= units[i].us;
    }
}

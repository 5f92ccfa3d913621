/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit export - the log as files, or its entries as lines for a SIEM.
 *
 *   DIR               checkpoint and tile/..., as c2sp.org/tlog-tiles lays them out; what is there already is not fetched again
 *   --format FORMAT   one line an entry on standard output; --follow goes on as the log grows
 *
 * Lines are made of entry bundles, whose bytes are the log's own: what a jsonl line says can be hashed and proved. A log that is another
 * one than before (an older database was accepted), or ends before what was asked for, is an error and never a gap in silence.
 */
#include <errno.h>
#include <inttypes.h>
#include <time.h>

#include "connectors/audit/checkpoint.h"
#include "connectors/audit/folder.h"
#include "connectors/cli/audit.h"
#include "connectors/cli/input.h"
#include "connectors/cli/out.h"
#include "connectors/cli/siem.h"

/* --- a folder ---------------------------------------------------------------------------------------------------- */
/* Partial tiles of an older export stay: they are what its checkpoint needs. */
static exit_code fetch_tile(client *c, const char *folder, const tile_name *t, uint64_t *fetched)
{
    char name[TILE_PATH_MAX], path[TILE_PATH_MAX + 16];
    mandate_error err;
    tile_path(name, t);
    if (folder_has(folder, name))
        return CLI_OK;
    snprintf(path, sizeof(path), "/v1/audit/%s", name);
    exit_code code = client_fetch(c, path, false);
    if (code == CLI_OK && folder_write(folder, name, buf_slice(&c->body), &err)) {
        out_problem("%s", err.text);
        code = CLI_REFUSED;
    }
    *fetched += code == CLI_OK;
    return code;
}

static exit_code fetch_level(client *c, const char *folder, unsigned level, uint64_t size, uint64_t *fetched)
{
    exit_code code = CLI_OK;
    unsigned width;
    for (uint64_t i = 0; code == CLI_OK && (width = tile_width(level, i, size)) > 0; i++)
        code = fetch_tile(c, folder, &(tile_name){level, i, width}, fetched);
    return code;
}

/* What the folder holds is a beginning of this log, as far as origin and size say; `verify` says the rest. */
static exit_code check_folder(const char *folder, const checkpoint *now)
{
    checkpoint before;
    mandate_error err;
    buf text;
    exit_code code = CLI_OK;
    buf_init(&text);
    mandate_status status = folder_read(&text, folder, "checkpoint", NOTE_MAX, &err);
    const char *end = status == MANDATE_OK ? memmem(text.data, text.len, "\n\n", 2) : NULL;
    if (status == MANDATE_OK)
        status = checkpoint_parse(&before,
                                  mandate_slice_of(text.data, end ? (size_t)(end - (const char *)text.data) + 1 : 0), &err);
    if (status == MANDATE_OK && (strcmp(before.origin, now->origin) != 0 || before.size > now->size)) {
        out_problem("%s holds another log: %s, %" PRIu64 " entries, and the server's is %s, %" PRIu64
                    "; export into another folder",
                    folder, before.origin, before.size, now->origin, now->size);
        code = CLI_REFUSED;
    } else if (status != MANDATE_OK && status != MANDATE_NOT_FOUND) {
        out_problem("%s: %s", folder, err.text);
        code = CLI_REFUSED;
    }
    buf_deinit(&text);
    return code;
}

/* The checkpoint is written last: what stands there is whole. */
static exit_code export_folder(client *c, const char *folder)
{
    checkpoint cp;
    mandate_error err;
    uint64_t fetched = 0;
    mandate_slice note;
    arena a;
    exit_code code = client_fetch(c, "/v1/audit/checkpoint", false);
    if (code != CLI_OK)
        return code;
    arena_init(&a, 0);
    note = arena_dup(&a, buf_slice(&c->body));
    const char *end = memmem(note.ptr, note.len, "\n\n", 2);
    mandate_status status = checkpoint_parse(&cp, mandate_slice_of(note.ptr, end ? (size_t)(end - note.ptr) + 1 : 0), &err);
    if (status) {
        out_problem("%s", err.text);
        code = CLI_INTERNAL;
    }
    if (code == CLI_OK)
        code = check_folder(folder, &cp);
    for (unsigned level = 0; code == CLI_OK && level < TILE_LEVELS; level++)
        code = fetch_level(c, folder, level, cp.size, &fetched);
    if (code == CLI_OK)
        code = fetch_level(c, folder, TILE_ENTRIES, cp.size, &fetched);
    if (code == CLI_OK && folder_write(folder, "checkpoint", note, &err)) {
        out_problem("%s", err.text);
        code = CLI_REFUSED;
    }
    if (code == CLI_OK)
        printf("%s: %s, %" PRIu64 " entries, %" PRIu64 " new files\n", folder, cp.origin, cp.size, fetched);
    arena_deinit(&a);
    return code;
}

/* --- lines ----------------------------------------------------------------------------------------------------------- */
typedef struct lines {
    siem_format format;
    char origin[NOTE_NAME_MAX + 1];
    uint64_t next;
    buf line;
    arena a;
} lines;

/* Nobody who goes away while we write (head, less) needs to be told. */
static exit_code write_failed(const lines *l)
{
    if (errno != EPIPE)
        out_problem("before entry %" PRIu64 ": cannot write: %s", l->next, strerror(errno));
    return CLI_INTERNAL;
}

static exit_code put_line(lines *l, mandate_slice entry)
{
    mandate_error err;
    arena_reset(&l->a);
    buf_reset(&l->line);
    if (siem_put(&l->line, l->format, mandate_slice_str(l->origin), entry, &l->a, &err)) {
        out_problem("entry %" PRIu64 ": %s", l->next, err.text);
        return CLI_INTERNAL;
    }
    buf_put_char(&l->line, '\n');
    if (!l->line.failed && fwrite(l->line.data, 1, l->line.len, stdout) == l->line.len)
        return CLI_OK;
    return write_failed(l);
}

/* One bundle as far as the log has it. */
static exit_code put_bundle(client *c, lines *l, uint64_t size)
{
    char name[TILE_PATH_MAX], path[TILE_PATH_MAX + 16];
    tile_name t = {TILE_ENTRIES, l->next / TILE_WIDTH, tile_width(TILE_ENTRIES, l->next / TILE_WIDTH, size)};
    uint64_t at = t.index * TILE_WIDTH, end = at + t.width;
    mandate_slice rest, entry;
    tile_path(name, &t);
    snprintf(path, sizeof(path), "/v1/audit/%s", name);
    exit_code code = client_fetch(c, path, false);
    rest = buf_slice(&c->body);
    for (; code == CLI_OK && at < end; at++) {
        if (!tile_next_entry(&entry, &rest)) {
            out_problem("the bundle %s ends before entry %" PRIu64, name, at);
            return CLI_INTERNAL;
        }
        if (at < l->next)
            continue;
        code = put_line(l, entry);
        l->next = at + 1;
    }
    return code;
}

/* Where to begin, and how much there is now. */
static exit_code begin(client *c, const char *from, uint64_t *next, uint64_t *size)
{
    buf path;
    buf_init(&path);
    buf_put_str(&path, "/v1/audit/entries?limit=1");
    path_query(&path, "from", from);
    exit_code code = client_call(c, "GET", buf_cstr(&path), mandate_slice_of("", 0));
    cel_value entries = json_member(c->value, "entries");
    *size = (uint64_t)json_member_int(c->value, "size", 0);
    *next = entries.kind == CEL_LIST && entries.len ? (uint64_t)json_member_int(entries.items[0], "index", 0) : *size;
    buf_deinit(&path);
    return code;
}

/* The first line of the checkpoint. */
static exit_code take_origin(client *c, char out[NOTE_NAME_MAX + 1])
{
    exit_code code = client_fetch(c, "/v1/audit/checkpoint", false);
    const char *end = c->body.len ? memchr(c->body.data, '\n', c->body.len) : NULL;
    if (code == CLI_OK && (!end || end - c->body.data > NOTE_NAME_MAX)) {
        out_problem("the server's answer is no checkpoint");
        return CLI_INTERNAL;
    }
    if (code == CLI_OK)
        snprintf(out, NOTE_NAME_MAX + 1, "%.*s", (int)(end - c->body.data), c->body.data);
    return code;
}

/* Is there what was asked for? A number; a time that is to come waits for it. */
static exit_code check_from(const char *from, uint64_t size)
{
    uint64_t number = 0;
    size_t digits = strspn(from, "0123456789");
    if (from[digits] || digits == 0)
        return CLI_OK;
    for (size_t i = 0; i < digits && number <= size; i++)
        number = number * 10 + (uint64_t)(from[i] - '0');
    if (number <= size)
        return CLI_OK;
    out_problem("--from %s: the log has only %" PRIu64
                " entries; was it put back? compare its origin and a checkpoint that you kept "
                "(mandatectl audit proof --since)",
                from, size);
    return CLI_REFUSED;
}

/* It goes on where we are, or it is another log. */
static exit_code check_same(client *c, const lines *l, uint64_t size)
{
    char origin[NOTE_NAME_MAX + 1];
    exit_code code = take_origin(c, origin);
    if (code == CLI_OK && (strcmp(origin, l->origin) != 0 || size < l->next)) {
        out_problem("the log is another one now: it was %s, with %" PRIu64 " entries at least, and is %s with %" PRIu64
                    "; begin anew with --from 0",
                    l->origin, l->next, origin, size);
        return CLI_REFUSED;
    }
    return code;
}

static exit_code export_lines(client *c, lines *l, const char *from, bool follow, int64_t interval_ms)
{
    uint64_t size = 0, ignored;
    const struct timespec nap = {interval_ms / 1000, interval_ms % 1000 * 1000000};
    exit_code code = take_origin(c, l->origin);
    if (code == CLI_OK)
        code = begin(c, from, &l->next, &size);
    if (code == CLI_OK)
        code = check_from(from, size);
    while (code == CLI_OK && !input_stopped) {
        while (code == CLI_OK && l->next < size && !input_stopped)
            code = put_bundle(c, l, size);
        if (fflush(stdout) != 0)
            return write_failed(l);
        if (!follow || code != CLI_OK || input_stopped)
            break;
        nanosleep(&nap, NULL);
        code = begin(c, "0", &ignored, &size);
        if (code == CLI_OK)
            code = check_same(c, l, size);
    }
    return code;
}

int cmd_audit_export(int argc, char **argv)
{
    arg_common common;
    const char *folder[1], *format = NULL, *from = NULL, *interval = NULL;
    bool follow = false;
    const arg_option options[] = {{.name = "--format", .value = &format},
                                  {.name = "--from", .value = &from},
                                  {.name = "--follow", .flag = &follow},
                                  {.name = "--interval", .value = &interval}};
    int64_t interval_ms = 1000;
    lines l = {.next = 0};
    client c;
    if (!args_parse(argc, argv, &common, options, 4, folder, 0, 1) ||
        (interval && !args_number(&interval_ms, "--interval", interval, 10, 3600000)))
        return CLI_REFUSED;
    if (!folder[0] == !format || (folder[0] && (from || follow || interval))) {
        out_problem("audit export takes a folder, or --format with --from and --follow");
        return CLI_REFUSED;
    }
    if (format && !siem_format_parse(&l.format, format)) {
        out_problem("--format: jsonl, ocsf or cloudevents, not \"%s\"", format);
        return CLI_REFUSED;
    }
    input_catch_signals();
    buf_init(&l.line);
    arena_init(&l.a, 0);
    exit_code code = client_open(&c, &common);
    if (code == CLI_OK)
        code = folder[0] ? export_folder(&c, folder[0]) : export_lines(&c, &l, from ? from : "0", follow, interval_ms);
    client_close(&c);
    buf_deinit(&l.line);
    arena_deinit(&l.a);
    return code;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd_replay - mandate-bench replay FILE.ndjson [--flips OUT] [--keep-going]. The format is in docs/replay.md.
 *
 * Lines are read some at a time, then stepped one by one, then what they caused is written: so reading, the engine and
 * writing are measured apart. A line that cannot be read ends the run, with its number; an issuance or a watch that the
 * engine refuses is counted and told, and the run goes on, because a refusal is an outcome.
 */
#include "bench/arm.h"
#include "bench/command.h"
#include "bench/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 512, EVENTS_MAX = 1 << 20, REFUSALS_TOLD = 20 };

typedef struct replay_item {
    replay_kind kind;
    engine_input input;
    int64_t now_us;
    uint64_t line;
} replay_item;

typedef struct replay_counts {
    uint64_t lines, changes, watches, issues, ticks, refused, bad, steps;
    int64_t read_ns, load_ns, change_ns, write_ns; /* the thread's own time; load: watches and issues */
    size_t rss_at_load;
} replay_counts;

typedef struct replay {
    replay_text text;
    replay_reader reader;
    replay_out out;
    engine *e;
    arena memory;
    replay_item items[CHUNK];
    uint32_t count;
    int64_t now_us;
    bool keep_going, stopped, failed;
    replay_counts n;
} replay;

/* --- reading ------------------------------------------------------------------------------------------------------- */
static void tell_bad(replay *p, uint64_t line, const mandate_error *err)
{
    fprintf(stderr, "line %llu: %s\n", (unsigned long long)line, err->text);
    p->n.bad++;
    p->stopped |= !p->keep_going;
}

static bool is_load(const replay_item *i) { return i->kind == REPLAY_INPUT && i->input.kind == INPUT_COMMAND; }

/* Some lines: all that load, or none of them. */
static void read_chunk(replay *p)
{
    int64_t start = cpu_ns();
    arena_reset(&p->memory);
    p->count = 0;
    while (p->count < CHUNK && !p->stopped) {
        replay_item *item = &p->items[p->count];
        mandate_error err = {0};
        mandate_slice line;
        replay_text before = p->text;
        if (!replay_next_line(&p->text, &line))
            break;
        mandate_status status = replay_line(&p->reader, &p->memory, line, &item->kind, &item->input, &item->now_us, &err);
        if (status != MANDATE_OK) {
            p->n.lines++;
            tell_bad(p, p->text.line, &err);
            continue;
        }
        if (p->count && is_load(item) != is_load(&p->items[0]) && item->kind == REPLAY_INPUT) {
            p->text = before; /* read again as the first of the next */
            p->reader.offset -= item->input.kind == INPUT_RECORD;
            break;
        }
        p->n.lines++;
        item->line = p->text.line;
        p->count += item->kind == REPLAY_INPUT || item->kind == REPLAY_TICK;
    }
    p->n.read_ns += cpu_ns() - start;
}

/* --- stepping ------------------------------------------------------------------------------------------------------ */
static void tell_refusal(replay *p, const replay_item *item, const engine_result *r)
{
    if (r->answer_count == 0 || r->answers[0].error.status == MANDATE_OK)
        return;
    if (p->n.refused++ < REFUSALS_TOLD)
        fprintf(stderr, "line %llu: refused: %s\n", (unsigned long long)item->line, r->answers[0].error.text);
    else if (p->n.refused == REFUSALS_TOLD + 1)
        fprintf(stderr, "more refusals are only counted\n");
}

static void step(replay *p, const replay_item *item)
{
    engine_batch batch = {.seq = engine_seq(p->e) + 1, .now_us = p->now_us};
    engine_result r = {.more = true};
    mandate_error err = {0};
    if (item->kind == REPLAY_TICK) {
        batch.now_us = p->now_us = item->now_us > p->now_us ? item->now_us : p->now_us;
        p->n.ticks++;
    } else {
        batch.inputs = &item->input;
        batch.count = 1;
    }
    for (; r.more && !p->failed; batch = (engine_batch){.seq = batch.seq + 1, .now_us = p->now_us}) {
        if (engine_step(p->e, &batch, &r, &err) != MANDATE_OK) {
            fprintf(stderr, "line %llu: engine_step: %s\n", (unsigned long long)item->line, err.text);
            p->failed = true;
            return;
        }
        p->n.steps++;
        if (batch.count)
            tell_refusal(p, item, &r);
        replay_out_take(&p->out, p->e, &r, item->line);
    }
}

static void write_out(replay *p)
{
    int64_t start = cpu_ns();
    replay_out_write(&p->out);
    p->failed |= p->out.failed;
    p->n.write_ns += cpu_ns() - start;
}

static void run_chunk(replay *p)
{
    bool load = p->count && is_load(&p->items[0]);
    int64_t start = cpu_ns(), *into = load ? &p->n.load_ns : &p->n.change_ns;
    for (uint32_t i = 0; i < p->count && !p->failed; i++) {
        const replay_item *item = &p->items[i];
        if (item->kind == REPLAY_INPUT) {
            p->n.changes += item->input.kind == INPUT_RECORD;
            p->n.watches += is_load(item) && item->input.command.kind == COMMAND_WATCH;
            p->n.issues += is_load(item) && item->input.command.kind == COMMAND_ISSUE;
        }
        step(p, item);
        if (p->out.events.len < EVENTS_MAX)
            continue;
        *into += cpu_ns() - start;
        write_out(p);
        start = cpu_ns();
    }
    *into += cpu_ns() - start;
    write_out(p);
}

/* --- the command --------------------------------------------------------------------------------------------------- */
static bool map_file(mandate_slice *out, const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *at = NULL;
    if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
        (st.st_size > 0 && (at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0)) == MAP_FAILED)) {
        fprintf(stderr, "%s: %s\n", path, errno ? strerror(errno) : "not a file");
        if (fd >= 0)
            close(fd);
        return false;
    }
    close(fd);
    *out = mandate_slice_of(at ? at : "", (size_t)st.st_size);
    return true;
}

static void report(const replay *p, size_t rss_before)
{
    const replay_counts *n = &p->n;
    double changes = n->changes ? (double)n->changes : 1,
           loads = n->watches + n->issues ? (double)(n->watches + n->issues) : 1;
    double rss = (double)rss_bytes() - (double)rss_before;
    printf("{\"record\":\"replay\",\"lines\":%llu,\"changes\":%llu,\"watches\":%llu,\"issues\":%llu,\"ticks\":%llu,"
           "\"refused\":%llu,\"bad\":%llu,\"flips\":%llu,\"transitions\":%llu,\"read_s\":%.3f,\"load_s\":%.3f,"
           "\"change_s\":%.3f,\"write_s\":%.3f,\"ns_per_change\":%.1f,\"load_ns\":%.1f,\"rss_bytes_per_condition\":%.1f}\n",
           (unsigned long long)n->lines, (unsigned long long)n->changes, (unsigned long long)n->watches,
           (unsigned long long)n->issues, (unsigned long long)n->ticks, (unsigned long long)n->refused,
           (unsigned long long)n->bad, (unsigned long long)p->out.flips, (unsigned long long)p->out.transitions,
           (double)n->read_ns / 1e9, (double)n->load_ns / 1e9, (double)n->change_ns / 1e9, (double)n->write_ns / 1e9,
           (double)n->change_ns / changes, (double)n->load_ns / loads, rss / loads);
    fprintf(stderr,
            "%llu lines: %llu changes, %llu watches, %llu mandates, %llu ticks; %llu flips, %llu transitions, %llu refused\n"
            "reading %.2f s, loading %.2f s, changes %.2f s (%.0f ns each), writing %.2f s\n",
            (unsigned long long)n->lines, (unsigned long long)n->changes, (unsigned long long)n->watches,
            (unsigned long long)n->issues, (unsigned long long)n->ticks, (unsigned long long)p->out.flips,
            (unsigned long long)p->out.transitions, (unsigned long long)n->refused, (double)n->read_ns / 1e9,
            (double)n->load_ns / 1e9, (double)n->change_ns / 1e9, (double)n->change_ns / changes, (double)n->write_ns / 1e9);
}

static bool run(replay *p, mandate_slice text)
{
    mandate_error err = {0};
    uint64_t line = 0;
    schema *s = NULL;
    size_t rss = rss_bytes();
    mandate_status status = json_decoder_create(&p->reader.decoder, &err);
    if (status == MANDATE_OK)
        status = replay_schema(&s, text, p->reader.decoder, &line, &err);
    if (status != MANDATE_OK) {
        fprintf(stderr, "line %llu: %s\n", (unsigned long long)line, err.text);
        json_decoder_destroy(p->reader.decoder);
        return false;
    }
    engine_options options = {.version = ENGINE_OPTIONS_VERSION, .schema = s, .issuer = mandate_slice_str(REPLAY_ISSUER)};
    p->failed = engine_create(&p->e, &options, &err) != MANDATE_OK;
    p->reader.schema = s;
    p->text = (replay_text){text.ptr, text.ptr + text.len, 0};
    arena_init(&p->memory, 0);
    while (!p->failed && !p->stopped && p->text.at != p->text.end) {
        read_chunk(p);
        run_chunk(p);
    }
    report(p, rss);
    engine_destroy(p->e);
    schema_destroy(s);
    json_decoder_destroy(p->reader.decoder);
    arena_deinit(&p->memory);
    return !p->failed && p->n.bad == 0;
}

static int usage(void)
{
    fprintf(stderr, "mandate-bench replay FILE.ndjson [--flips OUT] [--keep-going]\n"
                    "  --flips OUT    what each line caused: line, id, value, separated by tabs\n"
                    "  --keep-going   a line that cannot be read is told and passed over (exit 1 all the same)\n");
    return 2;
}

int cmd_replay(int argc, char **argv)
{
    static const struct option options[] = {{"flips", 1, NULL, 'f'}, {"keep-going", 0, NULL, 'k'}, {NULL, 0, NULL, 0}};
    const char *flips = NULL;
    bool keep_going = false;
    mandate_slice text;
    FILE *file = NULL;
    int c;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 'f')
            flips = optarg;
        else if (c == 'k')
            keep_going = true;
        else
            return usage();
    }
    if (optind != argc - 1)
        return usage();
    if (!map_file(&text, argv[optind]))
        return 1;
    if (flips && !(file = fopen(flips, "we"))) {
        fprintf(stderr, "%s: %s\n", flips, strerror(errno));
        return 1;
    }
    print_run("replay", argc, argv);
    replay *p = calloc(1, sizeof(*p));
    bool ok = p != NULL;
    if (p) {
        p->keep_going = keep_going;
        replay_out_init(&p->out, file);
        ok = run(p, text);
        replay_out_deinit(&p->out);
    }
    if (file && fclose(file) != 0) {
        fprintf(stderr, "%s: %s\n", flips, strerror(errno));
        ok = false;
    }
    free(p);
    if (text.len)
        munmap((void *)(uintptr_t)text.ptr, text.len);
    return ok ? 0 : 1;
}

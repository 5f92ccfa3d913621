/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_progress - a line in the log every ten seconds of a long initial load, and one when it is done. Reader thread.
 *
 * Long is what the topics held when their ends were first known: `load_long` records or more to read. What comes later is no
 * load, however far behind a source falls: lag is in metrics and status.
 */
#include "connectors/kafka/progress.h"
#include "connectors/kafka/source_internal.h"

enum { LOAD_LINE_US = 10 * 1000 * 1000 };

/* Records behind, -1: not known yet. */
static int64_t lag_of(const source *s)
{
    int64_t lag = 0;

    for (uint32_t i = 0; i < s->partition_count; i++) {
        const source_partition *p = &s->partitions[i];
        int64_t end = atomic_load(&p->end), next = atomic_load(&p->next);
        if (p->gone)
            continue;
        if (end < 0)
            return -1;
        lag += end > next ? end - (next > 0 ? next : 0) : 0;
    }
    return s->partition_count ? lag : -1;
}

static progress look(const source *s, int64_t lag, int64_t now)
{
    return (progress){(int64_t)atomic_load(&s->polled), lag, (double)now / 1e6};
}

static void say(source *s, const progress *before, const progress *now, const char *what)
{
    buf line;

    buf_init(&line);
    progress_put(&line, before, now);
    kafka_log(s->options.host, KAFKA_INFO, s->component, "%s: %s", what, buf_cstr(&line));
    buf_deinit(&line);
}

static void begin(source *s, int64_t now)
{
    source_load *l = &s->load;
    int64_t lag = lag_of(s);

    if (lag < 0) /* the ends are asked for */
        return;
    l->first = l->last = look(s, lag, now);
    l->begun = lag + l->first.done >= s->options.load_long;
    l->over = !l->begun;
    l->due_us = now + LOAD_LINE_US;
    if (l->begun)
        say(s, NULL, &l->first, "initial load");
}

void source_progress(source *s, int64_t now)
{
    source_load *l = &s->load;
    bool at_end = atomic_load(&s->at_end_us) != 0;

    if (l->over)
        return;
    if (!l->begun) {
        begin(s, now);
    } else if (at_end || now >= l->due_us) {
        progress p = look(s, lag_of(s), now);
        say(s, at_end ? &l->first : &l->last, &p, at_end ? "initial load done" : "initial load");
        l->over = at_end;
        l->last = p;
        l->due_us = now + LOAD_LINE_US;
    }
}

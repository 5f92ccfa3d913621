/* SPDX-License-Identifier: Apache-2.0 */
/* check_kinds - see check_kinds.h. */
#include "connectors/daemon/view/check_kinds.h"

#include "connectors/config/scalar.h"
#include "connectors/config/yaml.h"

#include <stdatomic.h>
#include <stdlib.h>

enum { PATTERNS_MAX = 64 };
#define MINUTE_US INT64_C(60000000)

typedef struct kind_rule {
    const mandate_slice *actions;
    uint32_t action_count;
    service_check_kind kind;
} kind_rule;

struct check_kinds {
    arena memory;
    mandate_slice path, text;
    uint32_t count;
    kind_rule rules[LIMIT_CHECK_KINDS];
};

typedef struct loader {
    check_kinds *k;
    yaml_doc *doc;
    problems *problems;
} loader;

static const yaml_key file_keys[] = {{"kinds", "list of kinds", true, "the first that fits an action counts"}};
static const yaml_key kind_keys[] = {
    {"actions", "list of patterns", true, "names of actions; a trailing star stands for the rest"},
    {"reversibility", "word", true, "what the action does to the world"},
    {"mode", "word", true, "synchronous or feed"},
    {"max_staleness", "duration", true, "no answer from older state; feed: how long it can be relied on"},
    {"once", "bool", false, "the same idempotency key permits it once"},
    {"track", "duration", false, "how long work that a permit begins is listed as in flight"}};
#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static int word_of(loader *l, const yaml_node *n, const char *what, const char *const *words, int first, int count)
{
    for (int i = first; n && n->kind == YAML_SCALAR && i < count; i++)
        if (mandate_slice_is(n->text, words[i]))
            return i;
    if (n && count - first == 2)
        yaml_problem(l->problems, l->doc, n, "%s must be %s or %s", what, words[first], words[first + 1]);
    else if (n)
        yaml_problem(l->problems, l->doc, n,
                     "%s must be read_only, reversible_write, irreversible_action, external_commitment or "
                     "privileged_administration",
                     what);
    return first;
}

static void load_actions(loader *l, const yaml_node *n, kind_rule *out)
{
    uint32_t count = n->kind == YAML_LIST ? n->count : 1;
    mandate_slice *items = ARENA_ARRAY(&l->k->memory, mandate_slice, PATTERNS_MAX);
    if (!items || count == 0 || count > PATTERNS_MAX) {
        yaml_problem(l->problems, l->doc, n, "actions: expected 1 to %d patterns", PATTERNS_MAX);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        const yaml_node *item = n->kind == YAML_LIST ? n->items[i] : n;
        const char *star = item->kind == YAML_SCALAR ? memchr(item->text.ptr, '*', item->text.len) : NULL;
        if (item->kind != YAML_SCALAR || !item->text.len || item->text.len > LIMIT_ID)
            yaml_problem(l->problems, l->doc, item, "actions: expected the name of an action, or a pattern");
        else if (star && star != item->text.ptr + item->text.len - 1)
            yaml_problem(l->problems, l->doc, item,
                         "actions: a star stands for the rest of the name, so nothing may follow it");
        else
            items[out->action_count++] = arena_dup(&l->k->memory, item->text);
    }
    out->actions = items;
}

static void load_kind(loader *l, const yaml_node *n)
{
    if (!yaml_check_keys(l->problems, l->doc, n, "a kind", kind_keys, COUNT(kind_keys)))
        return;
    if (l->k->count == LIMIT_CHECK_KINDS) {
        yaml_problem(l->problems, l->doc, n, "more than %d kinds", LIMIT_CHECK_KINDS);
        return;
    }
    kind_rule *out = &l->k->rules[l->k->count++];
    const yaml_node *actions = yaml_get(n, "actions"), *mode = yaml_get(n, "mode"), *once = yaml_get(n, "once"),
                    *track = yaml_get(n, "track"), *bound = yaml_get(n, "max_staleness");
    *out = (kind_rule){.action_count = 0};
    if (actions)
        load_actions(l, actions, out);
    out->kind.mode = (check_mode)word_of(l, mode, "mode", check_mode_names, CHECK_SYNCHRONOUS, CHECK_MODES);
    out->kind.reversibility =
        (reversibility)word_of(l, yaml_get(n, "reversibility"), "reversibility", reversibility_names, 0, REVERSIBILITIES);
    if (bound && (!yaml_duration_us(bound, &out->kind.max_staleness_us) || out->kind.max_staleness_us < 10000 ||
                  out->kind.max_staleness_us > 60 * MINUTE_US))
        yaml_problem(l->problems, l->doc, bound, "max_staleness must be a duration from 10ms to 1h");
    if (once && !yaml_bool(once, &out->kind.once))
        yaml_problem(l->problems, l->doc, once, "once must be true or false");
    if (track && (!yaml_duration_us(track, &out->kind.track_us) || out->kind.track_us < MINUTE_US / 60 ||
                  out->kind.track_us > LIMIT_TRACK_HOURS * 60 * MINUTE_US))
        yaml_problem(l->problems, l->doc, track, "track must be a duration from 1s to %dh", LIMIT_TRACK_HOURS);
    if (mode && out->kind.mode == CHECK_FEED && out->kind.reversibility >= REVERSIBILITY_IRREVERSIBLE_ACTION)
        yaml_problem(l->problems, l->doc, mode, "an action of kind %s is asked about synchronously: the feed may be late",
                     reversibility_names[out->kind.reversibility]);
}

mandate_status check_kinds_load(check_kinds **out, const char *path, const mandate_slice *text, mandate_error *err)
{
    problems found;
    loader l = {.k = calloc(1, sizeof(check_kinds)), .problems = &found};
    buf file;
    if (!l.k)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for kinds of checks");
    buf_init(&file);
    problems_init(&found);
    arena_init(&l.k->memory, 0);
    mandate_status status = text ? MANDATE_OK : file_read(&file, path, LIMIT_CONFIG, err);
    const mandate_slice bytes = text ? *text : buf_slice(&file);
    if (status == MANDATE_OK)
        status = yaml_open(&l.doc, path, &bytes, &found);
    if (status == MANDATE_OK && yaml_check_keys(&found, l.doc, l.doc->root, "the file", file_keys, COUNT(file_keys))) {
        const yaml_node *kinds = yaml_get(l.doc->root, "kinds");
        if (kinds && kinds->kind != YAML_LIST)
            yaml_problem(&found, l.doc, kinds, "kinds must be a list");
        for (uint32_t i = 0; kinds && kinds->kind == YAML_LIST && i < kinds->count; i++)
            load_kind(&l, kinds->items[i]);
    }
    if (status == MANDATE_OK) {
        l.k->path = arena_dup(&l.k->memory, mandate_slice_str(path)); /* NUL-terminated */
        l.k->text = arena_dup(&l.k->memory, bytes);
    }
    if (found.count)
        status = problems_result(&found, err);
    else if (status == MANDATE_OK && l.k->memory.failed)
        status = mandate_error_set(err, MANDATE_NOMEM, "out of memory for kinds of checks");
    yaml_close(l.doc);
    problems_deinit(&found);
    buf_deinit(&file);
    if (status == MANDATE_OK)
        *out = l.k;
    else
        check_kinds_destroy(l.k);
    return status;
}

void check_kinds_destroy(check_kinds *k)
{
    if (!k)
        return;
    arena_deinit(&k->memory);
    free(k);
}

const char *check_kinds_path(const check_kinds *k) { return k->path.ptr; }

mandate_slice check_kinds_text(const check_kinds *k) { return k->text; }

void check_kinds_find(const check_kinds *k, mandate_slice action, service_check_kind *out)
{
    for (uint32_t i = 0; i < k->count; i++)
        for (uint32_t a = 0; a < k->rules[i].action_count; a++)
            if (scope_covers(k->rules[i].actions[a], action)) {
                *out = k->rules[i].kind;
                return;
            }
    *out = (service_check_kind){.mode = CHECK_PLAIN};
}

/* --- those in force ------------------------------------------------------------------------------------------------- */
void check_kinds_slot_init(check_kinds_slot *s)
{
    pthread_rwlock_init(&s->lock, NULL);
    atomic_init(&s->now, NULL);
}

void check_kinds_slot_deinit(check_kinds_slot *s)
{
    check_kinds_destroy(atomic_load(&s->now));
    pthread_rwlock_destroy(&s->lock);
}

check_kinds *check_kinds_swap(check_kinds_slot *s, check_kinds *k)
{
    pthread_rwlock_wrlock(&s->lock);
    check_kinds *old = atomic_exchange(&s->now, k);
    pthread_rwlock_unlock(&s->lock);
    return old;
}

void check_kinds_ask(check_kinds_slot *s, mandate_slice action, service_check_kind *out)
{
    *out = (service_check_kind){.mode = CHECK_PLAIN};
    if (!atomic_load_explicit(&s->now, memory_order_acquire))
        return;
    pthread_rwlock_rdlock(&s->lock);
    const check_kinds *k = atomic_load_explicit(&s->now, memory_order_relaxed);
    if (k)
        check_kinds_find(k, action, out);
    pthread_rwlock_unlock(&s->lock);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reload - see reload.h. Everything that can fail is done before the first source is stopped.
 */
#include "connectors/daemon/reload.h"

#include "connectors/config/options.h"
#include "connectors/daemon/base/log.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

enum { RELOAD_STOP_MS = 5000 };

/* --- what differs -------------------------------------------------------------------------------------------------- */
static const cel_type *field_type(const schema_field *f) { return f->kind == SCHEMA_ATTRIBUTE ? f->type : NULL; }

static bool same_type(const cel_type *a, const cel_type *b)
{
    buf x, y;
    bool same;

    if (!a || !b)
        return a == b;
    buf_init(&x);
    buf_init(&y);
    cel_type_print(&x, a);
    cel_type_print(&y, b);
    same = !x.failed && !y.failed && mandate_slice_eq(buf_slice(&x), buf_slice(&y));
    buf_deinit(&x);
    buf_deinit(&y);
    return same;
}

static bool names_within(uint16_t count, const char *(*name)(const schema *, uint16_t), const schema *a, uint16_t in,
                         const schema *b)
{
    for (uint16_t i = 0; i < count; i++) {
        bool found = false;
        for (uint16_t k = 0; k < in && !found; k++)
            found = !strcmp(name(a, i), name(b, k));
        if (!found)
            return false;
    }
    return true;
}

static bool sources_within(const schema *a, const schema *b)
{
    for (uint16_t i = 0; i < schema_source_count(a); i++) {
        bool found = schema_source_kept(a, i);
        for (uint16_t k = 0; k < schema_source_count(b) && !found; k++)
            found = !schema_source_kept(b, k) && !strcmp(schema_source_name(a, i), schema_source_name(b, k));
        if (!found)
            return false;
    }
    return true;
}

static bool same_supply(const schema *a, const schema_supply *x, const schema *b, const schema_supply *y)
{
    const schema_type *s = schema_type_at(a, x->type), *t = schema_type_at(b, y->type);

    if (strcmp(s->name, t->name) || strcmp(schema_source_name(a, x->source), schema_source_name(b, y->source)) ||
        (x->deletes && !y->deletes) || (x->field == SCHEMA_NONE) != (y->field == SCHEMA_NONE))
        return false;
    return x->field == SCHEMA_NONE || !strcmp(s->fields[x->field].name, t->fields[y->field].name);
}

/* Is all that connectors of `a` tell known of them in `b`? What a mandate rests on is of the schema that its conditions were compiled
 * with; who tells less than that counts on. */
static bool supplies_within(const schema *a, const schema *b)
{
    uint32_t mine, others;
    const schema_supply *x = schema_supplies(a, &mine), *y = schema_supplies(b, &others);

    for (uint32_t i = 0; i < mine; i++) {
        bool found = false;
        for (uint32_t k = 0; k < others && !found; k++)
            found = same_supply(a, &x[i], b, &y[k]);
        if (!found)
            return false;
    }
    return true;
}

/* True when `b` has everything that `a` has. A field whose type changed is said in `err`: neither way is right then. */
static bool within(const schema *a, const schema *b, mandate_error *err)
{
    bool all = sources_within(a, b) && names_within(schema_topic_count(a), schema_topic_name, a, schema_topic_count(b), b);

    for (uint16_t t = 0; t < schema_type_count(a); t++) {
        const schema_type *mine = schema_type_at(a, t);
        uint16_t index = schema_type_find(b, mandate_slice_str(mine->name));
        const schema_type *other = index == SCHEMA_NONE ? NULL : schema_type_at(b, index);
        all = all && other;
        for (uint16_t f = 0; other && f < mine->field_count; f++) {
            const schema_field *x = &mine->fields[f];
            uint16_t at = schema_field_find(other, mandate_slice_str(x->name));
            const schema_field *y = at == SCHEMA_NONE ? NULL : &other->fields[at];
            if (!y || (x->supplied && !y->supplied))
                all = false;
            else if (x->kind != y->kind || !same_type(field_type(x), field_type(y)))
                (void)mandate_error_set(err, MANDATE_CONFLICT, "%s.%s changes its type: stop, change it, and start again",
                                        mine->name, x->name);
        }
    }
    return all;
}

/* The next line of what config_print wrote. */
static mandate_slice line_next(mandate_slice *text)
{
    const char *end = memchr(text->ptr, '\n', text->len);
    size_t len = end ? (size_t)(end - text->ptr) : text->len;
    mandate_slice line = mandate_slice_of(text->ptr, len);

    *text = mandate_slice_of(text->ptr + len + (end != NULL), text->len - len - (end != NULL));
    return line;
}

static void say_other_keys(const config *before, const config *after)
{
    buf x, y;

    buf_init(&x);
    buf_init(&y);
    config_print(&x, before);
    config_print(&y, after);
    mandate_slice a = buf_slice(&x), b = buf_slice(&y);
    for (size_t i = 0; i < option_count && a.len && b.len; i++) {
        mandate_slice from = line_next(&a), to = line_next(&b);
        if (!mandate_slice_eq(from, to) && strcmp(options[i].key, "entities") && strcmp(options[i].key, "connectors") &&
            strcmp(options[i].key, "compliance") && strcmp(options[i].key, "check.kinds"))
            log_write(LOG_WARN, "reload", "%s changed: it takes effect at the next start", options[i].key);
    }
    buf_deinit(&x);
    buf_deinit(&y);
}

/* A connector that was gone, and is there again. */
static bool any_new(const daemon_state *d, const daemon_state *fresh)
{
    for (uint32_t i = 0; i < fresh->connector_count; i++) {
        bool found = false;
        for (uint32_t k = 0; k < d->source_count && !found; k++)
            found = !strcmp(connector_name(fresh->connectors[i]), source_name(d->sources[k]));
        if (!found)
            return true;
    }
    return false;
}

static connector *named(connector *const *list, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (list[i] && !strcmp(connector_name(list[i]), name))
            return list[i];
    return NULL;
}

/* --- taking over ---------------------------------------------------------------------------------------------------- */
static bool stop_one(source *s)
{
    source_stop(s);
    return source_join(s, RELOAD_STOP_MS) && source_settled(s, RELOAD_STOP_MS);
}

static void publish(daemon_state *d, uint32_t at, source *s, connector *c)
{
    pthread_rwlock_wrlock(&d->sources_lock);
    d->sources[at] = s;
    d->connectors[at] = c;
    pthread_rwlock_unlock(&d->sources_lock);
}

/* The last one takes its place. */
static void unpublish(daemon_state *d, uint32_t at)
{
    pthread_rwlock_wrlock(&d->sources_lock);
    d->sources[at] = d->sources[d->source_count - 1];
    d->connectors[at] = d->connectors[d->source_count - 1];
    d->source_count--;
    d->connector_count--;
    pthread_rwlock_unlock(&d->sources_lock);
}

/* A source that does not stop in time keeps its memory and its place: nothing is taken over from it. */
static bool replace(daemon_state *d, uint32_t at, source *next, connector *c)
{
    source *old = d->sources[at];
    connector *old_connector = d->connectors[at];
    mandate_error err;

    if (!stop_one(old)) {
        log_write(LOG_ERROR, "reload", "connector %s does not stop; restart the process", source_name(old));
        return false;
    }
    publish(d, at, next, c);
    if (source_start(next, &err) != MANDATE_OK)
        log_write(LOG_ERROR, "reload", "%s; restart the process", err.text);
    log_write(LOG_INFO, "reload", "connector %s: its file changed and is in effect", source_name(next));
    source_destroy(old);
    connector_destroy(old_connector);
    return true;
}

static void retire(daemon_state *d, uint32_t at)
{
    source *old = d->sources[at];
    connector *old_connector = d->connectors[at];

    source_retire(old);
    for (int i = 0; i < RELOAD_STOP_MS / 10 && !source_retired(old); i++) {
        struct timespec nap = {0, 10000000};
        nanosleep(&nap, NULL);
    }
    if (!stop_one(old)) {
        log_write(LOG_ERROR, "reload", "connector %s does not stop; restart the process", source_name(old));
        return;
    }
    log_write(LOG_WARN, "reload", "connector %s is gone: what it told reads as unknown", source_name(old));
    unpublish(d, at);
    source_destroy(old);
    connector_destroy(old_connector);
}

/* A source for every connector whose file changed, made before any is stopped: made[i] belongs to d->sources[i]. */
static mandate_status prepare(daemon_state *d, daemon_state *fresh, source **made, mandate_error *err)
{
    for (uint32_t i = 0; i < d->source_count; i++) {
        connector *c = named(fresh->connectors, fresh->connector_count, source_name(d->sources[i]));
        source_status s;
        if (!c || connector_same_file(c, d->connectors[i]))
            continue;
        source_status_get(d->sources[i], &s);
        mandate_status status = connector_bind(c, d->schema, err);
        if (status == MANDATE_OK)
            status = daemon_source_create(&made[i], d, c, s.state, err);
        if (status != MANDATE_OK)
            return status;
    }
    return MANDATE_OK;
}

static uint32_t take_over(daemon_state *d, daemon_state *fresh, source **made)
{
    uint32_t changed = 0;

    for (uint32_t i = d->source_count; i > 0; i--) {
        uint32_t at = i - 1;
        if (made[at]) {
            connector *c = named(fresh->connectors, fresh->connector_count, source_name(made[at]));
            if (!replace(d, at, made[at], c))
                continue;
            made[at] = NULL;
            for (uint32_t k = 0; k < fresh->connector_count; k++)
                if (fresh->connectors[k] == c)
                    fresh->connectors[k] = NULL; /* it is d's now */
            changed++;
        } else if (!named(fresh->connectors, fresh->connector_count, source_name(d->sources[at]))) {
            retire(d, at);
            changed++;
        }
    }
    return changed;
}

static reload_outcome apply(daemon_state *d, daemon_state *fresh, mandate_error *err)
{
    source **made = calloc(d->source_count + 1, sizeof(*made));
    uint32_t count = d->source_count, changed;
    mandate_status status = made ? prepare(d, fresh, made, err) : mandate_error_set(err, MANDATE_NOMEM, "out of memory");

    if (status == MANDATE_OK) {
        comply *rules = gate_rules_take(&fresh->compliance);
        log_write(LOG_INFO, "reload", "compliance: %u rules", rules ? comply_rule_count(rules) : 0);
        gate_rules_put(&d->compliance, rules);
        changed = take_over(d, fresh, made);
        log_write(LOG_INFO, "reload", "done: %u connectors changed", changed);
    }
    for (uint32_t i = 0; made && i < count; i++)
        source_destroy(made[i]);
    free(made);
    return status == MANDATE_OK ? RELOAD_DONE : RELOAD_REFUSED;
}

/* Policy and kinds of checks: read and found right before anything was changed. `fresh` gets what they replace. */
static void take_rules(daemon_state *d, daemon_state *fresh, guard_fresh **rules)
{
    check_kinds *k = check_kinds_swap(&fresh->kinds, NULL);

    (void)check_kinds_swap(&fresh->kinds, check_kinds_swap(&d->kinds, k));
    if (k)
        log_write(LOG_INFO, "reload", "the kinds of checks of %s are in effect", check_kinds_path(k));
    if (*rules) {
        guard_take(d->guard, *rules);
        *rules = NULL;
        log_write(LOG_INFO, "reload", "the policy %s is in effect", d->config.policy);
    }
    daemon_record_rules(d);
}

reload_outcome daemon_reload(daemon_state *d)
{
    daemon_state *fresh = calloc(1, sizeof(*fresh));
    reload_outcome outcome = RELOAD_REFUSED;
    guard_fresh *rules = NULL;
    http_trust *certificates = NULL;
    mandate_error err = {0};

    if (!fresh) {
        log_write(LOG_ERROR, "reload", "out of memory; nothing was changed");
        return outcome;
    }
    if (daemon_load_for(fresh, d->config.path, d, &err) != MANDATE_OK)
        goto done;
    bool grows = !within(fresh->schema, d->schema, &err), shrinks = !within(d->schema, fresh->schema, &err);
    grows |= !supplies_within(fresh->schema, d->schema);
    if (err.status != MANDATE_OK || (d->guard && guard_prepare(d->guard, &rules, d->config.policy, &err) != MANDATE_OK) ||
        http_server_tls_read(d->http, &certificates, &err) != MANDATE_OK)
        goto done;
    say_other_keys(&d->config, &fresh->config);
    if (grows && shrinks)
        (void)mandate_error_set(&err, MANDATE_CONFLICT,
                                "the files declare something new and leave out something that is in use; do one after the "
                                "other, or stop, change them, and start again");
    else if (grows || any_new(d, fresh))
        outcome = RELOAD_RESTART;
    else
        outcome = apply(d, fresh, &err);
    if (outcome == RELOAD_DONE) {
        http_server_tls_take(d->http, certificates); /* before the policy: who logs in by that is looked at by these */
        certificates = NULL;
        take_rules(d, fresh, &rules);
    }
done:
    guard_drop(rules);
    http_trust_drop(certificates);
    log_init((log_level)d->config.log.level);
    if (outcome == RELOAD_REFUSED)
        log_write(LOG_ERROR, "reload", "refused, and nothing was changed: %s", err.text);
    else if (outcome == RELOAD_RESTART)
        log_write(LOG_INFO, "reload", "types, attributes, topics or connectors are new: restarting in place");
    atomic_fetch_add(outcome == RELOAD_REFUSED ? &d->metrics.reloads_refused : &d->metrics.reloads, 1);
    daemon_close(fresh);
    free(fresh);
    return outcome;
}

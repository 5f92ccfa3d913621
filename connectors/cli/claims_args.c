/* SPDX-License-Identifier: Apache-2.0 */
/* claims_args - see claims_args.h. */
#include "connectors/cli/claims_args.h"

#include "connectors/cli/out.h"
#include "connectors/json/json_value.h"
#include "engine/limits.h"
#include "engine/mandate/disclosure.h"

size_t claims_args_options(arg_option out[CLAIMS_ARGS_OPTIONS], claims_args *c, bool who)
{
    const arg_option all[CLAIMS_ARGS_OPTIONS] = {
        {"--action", .list = &c->actions},
        {"--resource", .list = &c->resources},
        {"--limit", .list = &c->limits},
        {"--require", .list = &c->require},
        {"--budget", .list = &c->budgets},
        {"--expires", .value = &c->expires},
        {"--audience", .list = &c->audience},
        {"--while", .value = &c->clause_while},
        {"--until", .value = &c->clause_until},
        {"--suspend-while", .value = &c->suspend_while},
        {"--purpose", .value = &c->purpose},
        {"--max-depth", .value = &c->max_depth},
        {"--max-children", .value = &c->max_children},
        {"--allowed-agent", .list = &c->allowed_agents},
        {"--restrict", .list = &c->restricted},
        {"--id", .value = &c->id},
        {"--agent", .value = &c->agent},
    };
    size_t count = who ? CLAIMS_ARGS_OPTIONS : CLAIMS_ARGS_OPTIONS - 2;
    memset(c, 0, sizeof(*c));
    memcpy(out, all, count * sizeof(*all));
    return count;
}

/* A comma unless something was just opened. */
static void put_name(buf *b, const char *name)
{
    if (b->len && b->data[b->len - 1] != '{')
        buf_put_char(b, ',');
    buf_printf(b, "\"%s\":", name);
}

static void put_text(buf *b, const char *name, const char *text)
{
    if (!text)
        return;
    put_name(b, name);
    buf_put_json_string(b, mandate_slice_str(text));
}

static void put_list(buf *b, const char *name, const arg_list *list)
{
    if (list->count == 0)
        return;
    put_name(b, name);
    for (size_t i = 0; i < list->count; i++) {
        buf_put_char(b, i ? ',' : '[');
        buf_put_json_string(b, mandate_slice_str(list->items[i]));
    }
    buf_put_char(b, ']');
}

/* NAME=NUMBER, as it was written. */
static bool put_number_of(buf *b, const char *option, const char *item)
{
    const char *equals = strchr(item, '=');
    arena a;
    cel_value v;
    arena_init(&a, 0);
    bool good = equals && equals != item &&
                json_value_parse(&v, &a, mandate_slice_str(equals + 1), 64, NULL) == MANDATE_OK &&
                (v.kind == CEL_INT || v.kind == CEL_DOUBLE);
    arena_deinit(&a);
    if (!good) {
        out_problem("%s: expected NAME=NUMBER, got \"%s\"", option, item);
        return false;
    }
    buf_put_json_string(b, mandate_slice_of(item, (size_t)(equals - item)));
    buf_printf(b, ":%s", equals + 1);
    return true;
}

static bool put_numbers(buf *b, const char *name, const char *option, const arg_list *list)
{
    bool good = true;
    if (list->count == 0)
        return true;
    put_name(b, name);
    buf_put_char(b, '{');
    for (size_t i = 0; i < list->count && good; i++) {
        if (i)
            buf_put_char(b, ',');
        good = put_number_of(b, option, list->items[i]);
    }
    buf_put_char(b, '}');
    return good;
}

void claims_args_put_value(buf *b, const char *text)
{
    const mandate_slice value = mandate_slice_str(text);
    arena a;
    cel_value v;
    arena_init(&a, 0);
    if (json_value_parse(&v, &a, value, 0, NULL) == MANDATE_OK)
        buf_put_slice(b, value);
    else
        buf_put_json_string(b, value);
    arena_deinit(&a);
}

static size_t name_length(const char *item)
{
    const char *equals = strchr(item, '=');
    return equals ? (size_t)(equals - item) : 0;
}

static bool same_name(const char *x, const char *y)
{
    return name_length(x) == name_length(y) && memcmp(x, y, name_length(x)) == 0;
}

/* NAME=VALUE; the same name again is one value more that it may have. */
static bool put_require(buf *b, const arg_list *list)
{
    if (list->count == 0)
        return true;
    put_name(b, "require");
    for (size_t i = 0; i < list->count; i++) {
        const char *item = list->items[i];
        bool known = false;
        if (!name_length(item)) {
            out_problem("--require: expected NAME=VALUE, such as action.soft=true or resource.region=eu, got \"%s\"", item);
            return false;
        }
        for (size_t k = 0; k < i; k++)
            known |= same_name(item, list->items[k]);
        if (known)
            continue;
        buf_put_char(b, i ? ',' : '{');
        buf_put_json_string(b, mandate_slice_of(item, name_length(item)));
        for (size_t k = i; k < list->count; k++)
            if (same_name(item, list->items[k])) {
                buf_put_str(b, k == i ? ":[" : ",");
                claims_args_put_value(b, list->items[k] + name_length(item) + 1);
            }
        buf_put_char(b, ']');
    }
    buf_put_char(b, '}');
    return true;
}

/* NAME=AMOUNT, as a text: exact whatever it is. */
static bool put_amounts(buf *b, const arg_list *list)
{
    if (list->count == 0)
        return true;
    put_name(b, "budgets");
    buf_put_char(b, '{');
    for (size_t i = 0; i < list->count; i++) {
        const char *item = list->items[i], *equals = strchr(item, '=');
        if (!equals || equals == item) {
            out_problem("--budget: expected NAME=AMOUNT, got \"%s\"", item);
            return false;
        }
        if (i)
            buf_put_char(b, ',');
        buf_put_json_string(b, mandate_slice_of(item, (size_t)(equals - item)));
        buf_put_char(b, ':');
        buf_put_json_string(b, mandate_slice_str(equals + 1));
    }
    buf_put_char(b, '}');
    return true;
}

static bool put_scope(buf *b, const claims_args *c)
{
    if (!c->actions.count && !c->resources.count && !c->limits.count && !c->require.count && !c->budgets.count)
        return true;
    put_name(b, "scope");
    buf_put_char(b, '{');
    put_list(b, "actions", &c->actions);
    put_list(b, "resources", &c->resources);
    bool good =
        put_numbers(b, "limits", "--limit", &c->limits) && put_require(b, &c->require) && put_amounts(b, &c->budgets);
    buf_put_char(b, '}');
    return good;
}

static bool put_count(buf *b, const char *name, const char *option, const char *text, int64_t max)
{
    int64_t n;
    if (!text)
        return true;
    if (!args_number(&n, option, text, 0, max))
        return false;
    put_name(b, name);
    buf_put_str(b, text);
    return true;
}

static bool put_delegation(buf *b, const claims_args *c)
{
    if (!c->max_children && !c->allowed_agents.count)
        return true;
    put_name(b, "delegation");
    buf_put_char(b, '{');
    bool good = put_count(b, "max_children", "--max-children", c->max_children, LIMIT_CHILDREN);
    put_list(b, "allowed_agents", &c->allowed_agents);
    buf_put_char(b, '}');
    return good;
}

static void put_rule(buf *b, const claims_disclosure *d)
{
    buf path;
    buf_init(&path);
    disclosure_put_path(&path, d);
    buf_put_json_string(b, buf_slice(&path));
    buf_put_str(b, ":{\"audiences\":[");
    for (uint32_t i = 0; i < d->audience_count; i++) {
        if (i)
            buf_put_char(b, ',');
        buf_put_json_string(b, d->audiences[i]);
    }
    buf_printf(b, "],\"handle\":%s}", d->handle ? "true" : "false");
    buf_deinit(&path);
}

bool claims_args_put_restricted(buf *b, const arg_list *list)
{
    bool good = true;
    arena a;
    if (list->count == 0)
        return true;
    arena_init(&a, 0);
    put_name(b, "disclosure");
    buf_put_char(b, '{');
    for (size_t i = 0; i < list->count && good; i++) {
        claims_disclosure d;
        mandate_error err;
        good = disclosure_from_text(&d, &a, mandate_slice_str(list->items[i]), &err) == MANDATE_OK;
        if (!good) {
            out_problem("--restrict: %s", err.text);
            break;
        }
        if (i)
            buf_put_char(b, ',');
        put_rule(b, &d);
    }
    buf_put_char(b, '}');
    arena_deinit(&a);
    return good;
}

bool claims_args_put(buf *b, const claims_args *c)
{
    put_text(b, "id", c->id);
    put_text(b, "agent", c->agent);
    put_text(b, "purpose", c->purpose);
    bool good = put_scope(b, c);
    put_text(b, "while", c->clause_while);
    put_text(b, "until", c->clause_until);
    put_text(b, "suspend_while", c->suspend_while);
    put_list(b, "audience", &c->audience);
    good = good && put_count(b, "max_depth", "--max-depth", c->max_depth, LIMIT_DELEGATION_DEPTH) && put_delegation(b, c);
    put_text(b, "expires_at", c->expires);
    return good && claims_args_put_restricted(b, &c->restricted);
}

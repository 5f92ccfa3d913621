/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mandatectl policy check | try | powers - a policy file before it goes live. No server is asked.
 *
 *   policy check FILE...
 *   policy try FILE --as PRINCIPAL --power POWER [--mandate FILE] [--asked FILE] ...
 *
 * `try` binds a principal as the server would (uid:1000 by the kernel and the system's groups, spiffe://... by a certificate,
 * anonymous; any other name by a token, with --claims its payload) and says of every rule that has the power what became of it.
 */
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "connectors/cli/args.h"
#include "connectors/cli/command.h"
#include "connectors/cli/input.h"
#include "connectors/cli/out.h"
#include "connectors/json/claims_json.h"
#include "connectors/policy/policy.h"
#include "engine/base/text.h"

enum { FILES_MAX = 64 };

int cmd_policy_check(int argc, char **argv)
{
    const char *files[FILES_MAX] = {NULL};
    arg_common common = {0};
    int code = CLI_OK;

    if (!args_parse(argc, argv, &common, NULL, 0, files, 1, FILES_MAX))
        return CLI_REFUSED;
    for (int i = 0; i < FILES_MAX && files[i]; i++) {
        policy *p = NULL;
        problems found;
        problems_init(&found);
        if (policy_load(&p, files[i], NULL, &found) == MANDATE_OK) {
            printf("%s: ok\n", files[i]);
        } else {
            fwrite(found.text.data, 1, found.text.len, stderr);
            out_problem("%s: %u problem%s", files[i], found.count, found.count == 1 ? "" : "s");
            code = CLI_REFUSED;
        }
        problems_deinit(&found);
        policy_destroy(p);
    }
    return code;
}

int cmd_policy_powers(int argc, char **argv)
{
    arg_common common = {0};

    if (!args_parse(argc, argv, &common, NULL, 0, NULL, 0, 0))
        return CLI_REFUSED;
    for (int p = POWER_DISCOVER; p < POWER_COUNT; p++)
        printf("%-13s %s\n", power_name((power)p), power_text((power)p));
    return CLI_OK;
}

/* --- try ------------------------------------------------------------------------------------------------------------ */
typedef struct trial {
    arena a;
    const char *as, *power, *mandate, *asked, *state, *claims, *agent, *action, *resource, *connector, *reason, *id, *at;
    arg_list groups, events, changes;
    policy_principal who;
    policy_mandate over, would_be;
    claims over_claims, would_be_claims;
    policy_event event;
    bool json;
} trial;

static bool read_claims(trial *t, const char *path, claims *out)
{
    mandate_error err = {0};
    buf text;

    buf_init(&text);
    mandate_status status = input_read(&text, path, LIMIT_CLAIMS, &err);
    if (status == MANDATE_OK)
        status = claims_from_json(out, &t->a, buf_slice(&text), &err);
    if (status != MANDATE_OK)
        out_problem("%s: %s", path, err.text);
    buf_deinit(&text);
    return status == MANDATE_OK;
}

static mandate_slice *slices(trial *t, const arg_list *list)
{
    mandate_slice *out = ARENA_ARRAY(&t->a, mandate_slice, list->count ? list->count : 1);

    for (size_t i = 0; out && i < list->count; i++)
        out[i] = mandate_slice_str(list->items[i]);
    return out;
}

/* What this machine says of a uid, unless groups were given. */
static bool local_user(trial *t)
{
    char *end;
    unsigned long uid = strtoul(t->as + 4, &end, 10);
    gid_t gids[LIMIT_GROUPS];
    int count = LIMIT_GROUPS;

    if (*end || end == t->as + 4 || uid > UINT32_MAX) {
        out_problem("--as %s: a user id is expected after uid:", t->as);
        return false;
    }
    const struct passwd *pw = getpwuid((uid_t)uid);
    t->who.kind = PRINCIPAL_UNIX;
    t->who.uid = (uint32_t)uid;
    if (pw)
        t->who.user = arena_dup(&t->a, mandate_slice_str(pw->pw_name));
    if (t->groups.count || !pw || getgrouplist(pw->pw_name, pw->pw_gid, gids, &count) < 0)
        return true;
    mandate_slice *names = ARENA_ARRAY(&t->a, mandate_slice, (size_t)count + 1);
    for (int i = 0; names && i < count; i++) {
        const struct group *g = getgrgid(gids[i]);
        if (g)
            names[t->who.group_count++] = arena_dup(&t->a, mandate_slice_str(g->gr_name));
    }
    t->who.groups = names;
    return names != NULL;
}

static bool read_payload(trial *t)
{
    mandate_error err = {0};
    buf text;

    buf_init(&text);
    mandate_status status = input_read(&text, t->claims, LIMIT_HTTP_BODY, &err);
    if (status == MANDATE_OK)
        status = json_value_parse(&t->who.claims, &t->a, buf_slice(&text), 0, &err);
    if (status == MANDATE_OK && t->who.claims.kind != CEL_MAP)
        status = mandate_error_set(&err, MANDATE_INVALID, "the payload of a token is an object");
    if (status != MANDATE_OK)
        out_problem("%s: %s", t->claims, err.text);
    t->who.issuer = json_member_text(t->who.claims, "iss");
    t->who.subject = json_member_text(t->who.claims, "sub");
    buf_deinit(&text);
    return status == MANDATE_OK;
}

static bool make_principal(trial *t)
{
    static const char *const certificates[] = {"spiffe://", "dns:", "x509:"};

    t->who.name = mandate_slice_str(t->as);
    t->who.kind = PRINCIPAL_TOKEN;
    t->who.groups = slices(t, &t->groups);
    t->who.group_count = (uint32_t)t->groups.count;
    if (!principal_name_valid(t->who.name)) {
        out_problem("--as: a name is 1 to %d bytes of printable text", LIMIT_ID);
        return false;
    }
    if (!strncmp(t->as, "uid:", 4))
        return local_user(t);
    if (!strcmp(t->as, "anonymous") || !strcmp(t->as, "anonymous@loopback")) {
        t->who.kind = PRINCIPAL_ANONYMOUS;
        t->who.name = mandate_slice_str("anonymous@loopback");
    }
    for (int i = 0; i < 3; i++)
        if (!strncmp(t->as, certificates[i], strlen(certificates[i]))) {
            t->who.kind = PRINCIPAL_CERTIFICATE;
            t->who.names = &t->who.name;
            t->who.name_count = i < 2;
            t->who.subject = i < 2 ? t->who.subject : mandate_slice_str(t->as + strlen("x509:"));
        }
    return t->claims ? read_payload(t) : true;
}

static bool make_mandates(trial *t, policy_question *q)
{
    if (t->mandate) {
        if (!read_claims(t, t->mandate, &t->over_claims))
            return false;
        t->over = (policy_mandate){&t->over_claims, q->power == POWER_ISSUE ? STATE_NONE : STATE_ACTIVE,
                                   q->power == POWER_ISSUE ? 0 : 1};
        q->mandate = &t->over;
        if (q->power == POWER_ISSUE)
            q->asked = &t->over;
    }
    if (t->asked) {
        if (!read_claims(t, t->asked, &t->would_be_claims))
            return false;
        t->would_be = (policy_mandate){&t->would_be_claims, STATE_NONE, 0};
        q->asked = &t->would_be;
    }
    if (t->state && (t->over.state = mandate_state_parse(mandate_slice_str(t->state))) == STATE_NONE) {
        out_problem("--state %s: expected active, suspended, completed, revoked, expired, cascaded or superseded", t->state);
        return false;
    }
    return true;
}

/* TYPE.ATTRIBUTE of one entity. */
static bool make_event(trial *t, policy_question *q)
{
    mandate_slice *attributes = ARENA_ARRAY(&t->a, mandate_slice, t->events.count + 1);

    for (size_t i = 0; attributes && i < t->events.count; i++) {
        const char *text = t->events.items[i], *dot = strrchr(text, '.');
        mandate_slice type = mandate_slice_of(text, dot ? (size_t)(dot - text) : 0);
        if (!dot || !type.len || (i && !mandate_slice_eq(type, t->event.type))) {
            out_problem("--event %s: expected TYPE.ATTRIBUTE, all of one type", text);
            return false;
        }
        t->event.type = type;
        attributes[i] = mandate_slice_str(dot + 1);
    }
    t->event.id = t->id ? mandate_slice_str(t->id) : mandate_slice_of("", 0);
    t->event.attributes = attributes;
    t->event.attribute_count = (uint32_t)t->events.count;
    if (t->events.count)
        q->event = &t->event;
    return attributes != NULL;
}

static mandate_slice given(const char *text) { return text ? mandate_slice_str(text) : mandate_slice_of("", 0); }

static bool make_question(trial *t, policy_question *q)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    q->now_us = (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
    if (t->at && !time_parse_us(mandate_slice_str(t->at), &q->now_us)) {
        out_problem("--at %s: expected a time such as 2027-01-31T00:00:00Z", t->at);
        return false;
    }
    q->power = power_parse(mandate_slice_str(t->power));
    if (q->power == POWER_NONE) {
        out_problem("--power %s: there is no such power; `mandatectl policy powers` lists them", t->power);
        return false;
    }
    q->who = &t->who;
    q->connector = given(t->connector);
    q->subject = given(t->agent);
    q->action = given(t->action);
    q->resource = given(t->resource);
    q->reason = given(t->reason);
    q->changes = slices(t, &t->changes);
    q->change_count = (uint32_t)t->changes.count;
    if (!make_mandates(t, q) || !make_event(t, q))
        return false;
    /* What was not said may yet be said: the answer is then what the server says before it looks at the mandate. */
    q->final = q->mandate || q->event || q->connector.len || q->subject.len;
    return true;
}

static void put_line(void *ctx, const char *text)
{
    const trial *t = ctx;

    if (!t->json)
        printf("  %s\n", text);
}

static void put_roles(buf *b, const policy *p, const policy_principal *who, const char *quote)
{
    bool any = false;

    for (uint32_t i = 0; policy_role(p, i); i++)
        if (who->roles >> i & 1) {
            buf_printf(b, "%s%s%s%s", any ? ", " : "", quote, policy_role(p, i), quote);
            any = true;
        }
}

static int answer(trial *t, const policy *p, const policy_question *q)
{
    policy_decision d;
    buf b;

    buf_init(&b);
    if (!t->json) {
        put_roles(&b, p, &t->who, "");
        printf("%.*s (%s), roles: %s\n", MANDATE_SLICE_ARG(t->who.name), principal_kind_name(t->who.kind),
               b.len ? buf_cstr(&b) : "none");
    }
    policy_decide(p, q, &t->a, &d, put_line, t);
    if (t->json) {
        buf_put_str(&b, "{\"principal\":");
        buf_put_json_string(&b, t->who.name);
        buf_put_str(&b, ",\"roles\":[");
        put_roles(&b, p, &t->who, "\"");
        buf_printf(&b, "],\"power\":\"%s\",\"decision\":\"%s\",\"rule\":", power_name(q->power),
                   policy_effect_names[d.effect]);
        buf_put_json_string(&b, mandate_slice_str(d.rule));
        buf_printf(&b, ",\"line\":%u,\"text\":", d.rule_line);
        buf_put_json_string(&b, mandate_slice_str(d.text));
        printf("%s}\n", buf_cstr(&b));
    } else {
        printf("%s: %s\n", policy_effect_names[d.effect], d.text);
    }
    buf_deinit(&b);
    return d.effect == POLICY_PERMIT ? CLI_OK : CLI_DENIED;
}

int cmd_policy_try(int argc, char **argv)
{
    trial t = {.as = NULL, .over = {.state = STATE_NONE}};
    const char *file[1];
    arg_common common = {0};
    const arg_option options[] = {
        {"--as", .value = &t.as},         {"--power", .value = &t.power},         {"--mandate", .value = &t.mandate},
        {"--asked", .value = &t.asked},   {"--state", .value = &t.state},         {"--claims", .value = &t.claims},
        {"--group", .list = &t.groups},   {"--event", .list = &t.events},         {"--id", .value = &t.id},
        {"--change", .list = &t.changes}, {"--connector", .value = &t.connector}, {"--agent", .value = &t.agent},
        {"--at", .value = &t.at},         {"--action", .value = &t.action},       {"--resource", .value = &t.resource},
        {"--reason", .value = &t.reason},
    };
    mandate_error err = {0};
    policy_question q = {0};
    policy *p = NULL;
    problems found;
    int code = CLI_REFUSED;

    if (!args_parse(argc, argv, &common, options, sizeof(options) / sizeof(*options), file, 1, 1))
        return CLI_REFUSED;
    if (!t.as || !t.power) {
        out_problem("--as PRINCIPAL and --power POWER are needed");
        return CLI_REFUSED;
    }
    t.json = common.json;
    arena_init(&t.a, 0);
    problems_init(&found);
    if (policy_load(&p, file[0], NULL, &found) != MANDATE_OK)
        fwrite(found.text.data, 1, found.text.len, stderr);
    else if (make_principal(&t) && make_question(&t, &q)) {
        if (policy_bind(p, &t.who, &t.a, &err) == MANDATE_OK)
            code = answer(&t, p, &q);
        else
            out_problem("%s", err.text);
    }
    problems_deinit(&found);
    policy_destroy(p);
    arena_deinit(&t.a);
    return code;
}
